"""Sections of `exposure_response`: dose against exposure, and dose against outcome."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Section

DoseMetric = Literal[
    "DOSEA",
    "DOSEKG",
    "DOSETOT",
    "DOSEVIA",
    "DOSETGP",
    "DOSTOTKG",
    "DOSVIAKG",
    "DOSTGPKG",
    "DOSECD4",
    "DOSECD8",
    "DOSETN",
    "DOSETSCM",
    "DOSETCM",
    "DOSETEM",
    "DOSETEFF",
]
"""Dose metrics: variables of ADER.

DOSEA counts the cells that the protocol doses, DOSETOT, DOSEVIA and DOSETGP all, viable and
transgene-positive viable cells; with KG per body weight. The others are sub-populations: the
transgene-positive dose times the share of the lot.
"""


class DoseExposureSettings(Section):
    """Exposure against the dose given: power model and rank correlation."""

    metrics: tuple[DoseMetric, ...] = Field(
        ("DOSETGP", "DOSTGPKG", "DOSEVIA", "DOSETOT", "DOSETCM"),
        description=(
            "Dose metrics, each in models of its own; the first is the one of the sensitivity "
            "analyses and of the figure. DOSEA is the dose that the protocol counts."
        ),
        min_length=1,
    )
    until: float = Field(
        28,
        gt=0,
        description=(
            "Planned infusions that begin within this time of the first count as dose, days. How "
            "many later ones are given depends on the outcome. Retreatment and unplanned infusions "
            "are never counted."
        ),
    )
    confidence_level: float = Field(
        0.90,
        gt=0.5,
        lt=1,
        description="Confidence level of the slope and of Rdnm; the verdict follows from it.",
    )
    limits: tuple[float, float] = Field(
        (0.80, 1.25),
        description=(
            "Limits of the ratio of dose-normalised geometric means, highest over lowest dose, "
            "from which the region of the slope follows (Smith 2000)."
        ),
    )
    rank_confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of the rank correlation."
    )
    sensitivities: tuple[Literal["TUMOUR_BURDEN", "INDIC"], ...] = Field(
        ("TUMOUR_BURDEN", "INDIC"),
        description=(
            "Sensitivity analyses: adjusted for tumour burden (LTBURDZ); a slope for each "
            "indication, with a test of one slope for all."
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 0 < self.limits[0] < 1 < self.limits[1]:
            raise ValueError("the limits of the ratio lie below and above 1")
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics names a dose metric twice")
        return self


class DoseResponseSettings(Section):
    """Outcome against the dose given: ratio per doubling, rates by dose level, trend."""

    metrics: tuple[DoseMetric, ...] = Field(
        ("DOSETGP", "DOSTGPKG"),
        description="Dose metrics, each in models of its own (log2); none: no dose-response.",
    )
    exposure_adjusted: bool = Field(
        True,
        description=(
            "Models with the endpoint's primary exposure metric beside the dose, refused where the "
            "two correlate above max_correlation. Exposure may carry the effect of the dose, so "
            "that the adjusted ratio only describes what is left of the relation."
        ),
    )
    trend_scores: Literal["RANK", "LOG2_DOSE"] = Field(
        "RANK",
        description=(
            "Scores of the Cochran-Armitage test over dose levels: RANK (1, 2, ... in the order of "
            "the median dose; exact p) or LOG2_DOSE (log2 of the median dose; normal "
            "approximation)."
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics names a dose metric twice")
        return self
