"""Section `special_considerations`: groups that the guideline looks at by themselves."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section
from celldossier.terms.study_terms import ADULT


class SpecialConsiderationsSettings(Section):
    """Age groups and their exposure, for the sections 8.1 to 8.5 of the report."""

    metrics: tuple[Code, ...] = Field(
        ("CMAX", "AUC28"),
        min_length=1,
        description=(
            "Parameters of ADPP of the whole course, of `cellular_kinetics.primary_analyte`, by "
            "which exposure is compared."
        ),
    )
    age_limits: tuple[float, ...] = Field(
        (12, ADULT, 65),
        description=(
            "Ages in years at which a group begins, rising; below the first is a group too. The "
            "group that begins at 18 years is the one to which the others are compared "
            "(ICH E11(R1), ICH E7)."
        ),
    )
    min_weight_ratio: float = Field(
        2,
        gt=1,
        description=(
            "Heaviest over lightest subject from which exposure is related to body weight; below "
            "it a slope says nothing."
        ),
    )
    expression_analyte: Code | Literal[""] = Field(
        "",
        description=(
            "Analyte of ADPC that tells of the expression of the gene, such as cells positive for "
            "the receptor in flow cytometry; blank: expression in blood was not measured."
        ),
    )
    replication_tests: tuple[Code, ...] = Field(
        (),
        description=(
            "Test codes of ADPD for replication-competent virus, with results POSITIVE or "
            "DETECTED where it was found; empty: not collected."
        ),
    )
    integration_tests: tuple[Code, ...] = Field(
        (),
        description=(
            "Test codes of ADPD for a dominant clone by integration sites, with results POSITIVE "
            "or DETECTED; empty: not collected."
        ),
    )
    concomitant: tuple[str, ...] = Field(
        (),
        description=(
            "Classes (ADCM.CMCLASS) or standardised names (ADCM.CMDECOD) of concomitant medicines "
            "that are related to exposure; empty: all classes but lymphodepletion and new therapy."
        ),
    )
    concomitant_before: float = Field(
        7,
        ge=0,
        description=(
            "Days before the infusion until which a medicine still counts after its end; one "
            "without an end goes on."
        ),
    )
    concomitant_until: float = Field(
        28,
        gt=0,
        description="Day after the infusion from which on a medicine that begins does not count.",
    )
    min_per_group: int = Field(
        3,
        ge=2,
        description="Subjects of each group below which no ratio of exposure is given.",
    )
    ratio_confidence_level: float = Field(
        0.90, gt=0.5, lt=1, description="Confidence level of ratios of exposure."
    )
    confidence_level: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="Confidence level of rates (Clopper-Pearson), exponents and correlations.",
    )

    @model_validator(mode="after")
    def _limits_rise_and_hold_the_adults(self) -> Self:
        if list(self.age_limits) != sorted(set(self.age_limits)) or ADULT not in self.age_limits:
            raise ValueError(
                f"age_limits rise and hold {ADULT}, the age from which a subject is an adult"
            )
        return self
