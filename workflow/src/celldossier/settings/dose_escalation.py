"""Part `escalation` of the section `dose_exploration`: design and its rules."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Range, Section

DesignName = Literal["BOIN", "mTPI", "mTPI-2", "keyboard", "i3+3", "3+3", "3+3H"]
"""Designs; 3+3H is the variant of 3+3 that tolerates two toxicities among six."""


class UtilityScores(Section):
    """Utility of each pair of outcomes, 0 (worst) to 100 (best)."""

    efficacy_only: float = Field(
        100, ge=0, le=100, description="Response without dose-limiting toxicity."
    )
    neither: float = Field(
        40, ge=0, le=100, description="Neither response nor dose-limiting toxicity."
    )
    both: float = Field(60, ge=0, le=100, description="Response with dose-limiting toxicity.")
    toxicity_only: float = Field(
        0, ge=0, le=100, description="Dose-limiting toxicity without response."
    )


class EfficacyRule(Section):
    """Efficacy that is weighed against toxicity."""

    parameter: Code = Field(
        "ORR", description="Parameter of ADRS with values Y and N: ORR, CORR, CR, RSPD28, ..."
    )
    null_rate: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Rate that is of no interest: Pr(rate > null_rate) is shown. Blank: not shown.",
    )
    minimum_rate: float | None = Field(
        None,
        gt=0,
        lt=1,
        description=(
            "Lowest acceptable rate; a dose is inadmissible where Pr(rate < minimum_rate) is above "
            "`cutoff`. Blank: no utility and no optimal biological dose."
        ),
    )
    cutoff: float = Field(
        0.90, gt=0.5, lt=1, description="Probability of a rate below the lowest acceptable one."
    )


class DoseEscalationSettings(Section):
    """Design of the dose escalation, and the rules that its cohorts are held against."""

    design: DesignName | None = Field(
        None,
        description=(
            "Design of the protocol: BOIN, mTPI, mTPI-2, keyboard, i3+3, 3+3 or 3+3H (two "
            "dose-limiting toxicities among six are tolerated). Blank: the study had no such rule."
        ),
    )
    compared: tuple[DesignName, ...] = Field(
        ("BOIN", "mTPI", "mTPI-2", "keyboard", "i3+3", "3+3"),
        description="Designs whose decisions are tabulated and replayed beside the protocol's.",
    )
    target: float = Field(
        0.30, gt=0, lt=1, description="Target rate of dose-limiting toxicity, as a share."
    )
    cohort_size: int = Field(
        3,
        ge=1,
        le=20,
        description=(
            "Evaluable subjects of a cohort. A recorded cohort with twice as many or more is "
            "replayed in parts of that size, in the order of infusion."
        ),
    )
    dlt_window: float = Field(
        28,
        gt=0,
        le=3650,
        description=(
            "Dose-limiting toxicities that begin within so many days from the first infusion "
            "count; the same as study_data.dosing.dlt_period."
        ),
    )
    max_at_dose: int = Field(
        12,
        ge=3,
        le=60,
        description=(
            "Evaluable subjects of a dose at which the escalation stops; decision tables go so far."
        ),
    )
    max_total: int | None = Field(
        None, ge=3, description="Evaluable subjects at which the escalation stops. Blank: no limit."
    )
    interval: Range = Field(
        (0.05, 0.05),
        description=(
            "Width of the interval around the target, below and above it (mTPI, mTPI-2, keyboard, "
            "i3+3, and the probabilities of too low, right and too high a rate)."
        ),
    )
    boin_phi1: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="BOIN: highest rate that is too low. Blank: 0.6 times the target.",
    )
    boin_phi2: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="BOIN: lowest rate that is too high. Blank: 1.4 times the target.",
    )
    prior: tuple[float, float] = Field(
        (1.0, 1.0), description="Parameters of the beta prior of the rate of toxicity."
    )
    elimination_cutoff: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="A dose is eliminated, and those above it, where Pr(rate > target) is larger.",
    )
    elimination_from: int = Field(
        3, ge=1, description="Evaluable subjects of a dose from which on it can be eliminated."
    )
    lowest_dose_offset: float | None = Field(
        None,
        gt=0,
        lt=0.5,
        description=(
            "Stricter rule at the lowest dose: stop where Pr(rate > target) is above the cut-off "
            "less this. Blank: no such rule."
        ),
    )
    dose_order: tuple[str, ...] = Field(
        (), description="Dose levels (TRT01P) from the lowest. Blank: by their planned dose."
    )
    efficacy: EfficacyRule = Field(
        default_factory=EfficacyRule, description="Efficacy weighed against toxicity."
    )
    utility: UtilityScores = Field(
        default_factory=UtilityScores, description="Utilities of BOIN12."
    )
    credible_level: float = Field(
        0.95, gt=0.5, lt=1, description="Probability of the credible intervals."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.interval
        if min(low, high) < 0 or low + high == 0:
            raise ValueError("interval: two widths of 0 or more, not both 0")
        if not 0 <= self.target - low < self.target + high <= 1:
            raise ValueError("interval: it does not lie between 0 and 1")
        if not (self.boin_phi1 or 0) < self.target < (self.boin_phi2 or 1):
            raise ValueError("target does not lie between boin_phi1 and boin_phi2")
        if self.boin_phi2 is None and 1.4 * self.target >= 1:
            raise ValueError("boin_phi2: 1.4 times the target is no rate, give one")
        if min(self.prior) <= 0:
            raise ValueError("prior: both parameters must be above 0")
        return self
