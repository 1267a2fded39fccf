"""Part `exposure_response.confounding`: what exposure and outcome share, and rescue medication."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

Modifier = Literal["LTBURDZ", "INDIC"]
"""Variables that may change the relation of exposure and outcome."""


class RescueMedication(Section):
    """A rescue medication and what leads to it."""

    medication: Literal["TOCILIZUMAB", "STEROID"] = Field(
        description="Class of the medication (ADCM.CMCLASS)."
    )
    covariates: tuple[Code, ...] = Field(
        description=(
            "Variables of ADER in the logistic model of the treatment, besides the grade of CRS; "
            "they should be known before or at the decision to treat, and none may be an exposure. "
            "The worst grades (CRSGR, ICANSGR) may be later ones; the tables say so."
        ),
    )


def _default_medications() -> tuple[RescueMedication, ...]:
    return (
        RescueMedication(medication="TOCILIZUMAB", covariates=("CRSONDY", "LTBURDZ")),
        RescueMedication(medication="STEROID", covariates=("CRSONDY", "LTBURDZ", "ICANSGR")),
    )


class ConfoundingSettings(Section):
    """What exposure and outcome share, and the comparison of subjects with rescue medication."""

    modifiers: tuple[Modifier, ...] = Field(
        ("LTBURDZ", "INDIC"),
        description=(
            "Variables whose interaction with the exposure is tested in the primary pairs: tumour "
            "burden (LTBURDZ) and indication (INDIC)."
        ),
    )
    burden_quantiles: tuple[float, ...] = Field(
        (0.1, 0.5, 0.9),
        description=(
            "Quantiles of tumour burden, low to high, at which the odds ratio of an interaction "
            "model is given."
        ),
        min_length=1,
    )
    exposure_to_burden: bool = Field(
        True,
        description=(
            "Sensitivity analysis with the ratio of exposure to tumour burden as the metric; units "
            "of burden, where there are several, are levels of a covariate."
        ),
    )
    rescue: tuple[RescueMedication, ...] = Field(
        default_factory=_default_medications,
        description="Rescue medications, and the models of who was treated.",
    )
    rescue_until: float = Field(
        28,
        gt=0,
        description=(
            "A dose from the infusion to this day counts as rescue medication; a later one is no "
            "treatment of the acute toxicity, and comes after the exposure it is compared with, "
            "days."
        ),
    )
    min_per_stratum: int = Field(
        1,
        ge=1,
        description=(
            "Fewer treated or untreated subjects at a grade of CRS: no weighting over that grade "
            "(positivity)."
        ),
    )
    weight_truncation: float = Field(
        0.01,
        ge=0,
        le=0.1,
        description="Share of the weights at either end that is set to the quantile there.",
    )
    min_effective_size: float = Field(
        10,
        ge=2,
        description="Effective number of treated, or untreated, subjects below which no ratio.",
    )
    max_standardised_difference: float = Field(
        0.25,
        gt=0,
        description=(
            "Absolute standardised difference of a covariate after weighting above which the table "
            "says that the groups are not balanced."
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if list(self.burden_quantiles) != sorted(set(self.burden_quantiles)):
            raise ValueError("burden_quantiles: give each quantile once, from low to high")
        if not all(0 < q < 1 for q in self.burden_quantiles):
            raise ValueError("burden_quantiles: a quantile lies between 0 and 1")
        names = [item.medication for item in self.rescue]
        if len(set(names)) < len(names):
            raise ValueError("rescue names a medication twice")
        return self
