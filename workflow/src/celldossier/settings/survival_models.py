"""Part `exposure_response.time_to_event`: exposure against the time to an event."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

TimeDependentMetric = Literal["CURRENT", "CMAXRUN", "AUCRUN"]
"""Exposure so far: concentration of the latest sample, highest one, and area under the curve."""


class SurvivalModels(Section):
    """Landmark, exposure that changes with time, groups and strata of the survival models."""

    landmark: float = Field(
        28,
        ge=0,
        description=(
            "Day from the first infusion at which the exposure of a whole profile is taken as "
            "known. Only subjects without the event, and under observation, until then are "
            "analysed, and they count as at risk from then on: who has the event earlier cannot "
            "have had a long exposure (immortal time). An area to a later day has that day as its "
            "landmark, a landmark concentration that of its sample."
        ),
    )
    early_endpoints: tuple[Code, ...] = Field(
        ("NEUTREC", "PLATREC", "CRSRES", "ICANSRES"),
        description=(
            "Endpoints that come too early for that landmark: their exposure is the concentration "
            "by day `early_landmark`."
        ),
    )
    early_landmark: Literal[3, 7] = Field(7, description="Landmark of the early endpoints, days.")
    stratify_by: Literal["", "INDIC", "STUDYID", "PROCESS"] = Field(
        "",
        description=(
            "Variable of ADER whose levels have baseline hazards of their own, and within which "
            "the log-rank test compares; blank: none."
        ),
    )
    compare_without_landmark: bool = Field(
        True,
        description=(
            "Whether each metric is also related to the time from the infusion or other origin "
            "without a landmark. Immortal time biases that model; it is there to show how far, "
            "and is never primary."
        ),
    )
    time_dependent: tuple[TimeDependentMetric, ...] = Field(
        ("CURRENT", "CMAXRUN", "AUCRUN"),
        description=(
            "Exposure that changes with time, in models that need no landmark (sensitivity). "
            "CURRENT: concentration of the latest sample; CMAXRUN: highest concentration so far; "
            "AUCRUN: area so far. A result below the LLOQ enters as half of it."
        ),
    )
    interpolation: Literal["LOCF", "LINUPLOGDOWN"] = Field(
        "LOCF",
        description=(
            "CURRENT between two samples: LOCF, that of the latest sample, or LINUPLOGDOWN, linear "
            "while rising and log-linear while falling. The second looks ahead to a sample that "
            "was taken only if the subject was still there."
        ),
    )
    lag: float = Field(
        1,
        ge=0,
        description=(
            "Days after a sample from which its result counts, so that none of the day of the "
            "event stands for the exposure before it."
        ),
    )
    carry_days: float = Field(
        200,
        gt=0,
        description=(
            "Longest time for which a concentration stands (CURRENT), days; after it the subject "
            "is not at risk in the model until the next sample."
        ),
    )
    running_until: float = Field(
        28, gt=0, description="Day from the first infusion after which AUCRUN does not rise."
    )
    proportional_hazards_alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description=(
            "Test of proportional hazards below this p value: the text says that the ratio is an "
            "average over the follow-up."
        ),
    )
    curve_metrics: tuple[Code, ...] = Field(
        ("AUC28", "CMAX"),
        description=(
            "Metrics whose halves and tertiles are compared by Kaplan-Meier curves; early "
            "endpoints have those of their landmark concentration."
        ),
    )
    curve_min_at_risk: int = Field(
        5,
        ge=1,
        description=(
            "Curves begin when that many subjects of each group are under observation; where "
            "subjects enter one by one, an event before it would end a curve."
        ),
    )
    curve_months: tuple[float, ...] = Field(
        (3, 6, 12),
        description=(
            "Times at which the curves are read, months of 30.4375 d from the origin, for "
            "endpoints that are summarised in months (resources/terms/efficacy_parameters.yaml)."
        ),
    )
    curve_days: tuple[float, ...] = Field(
        (7, 14, 28, 60),
        description="As `curve_months`, for the other endpoints, days from the origin.",
    )
    at_risk_days: tuple[float, ...] = Field(
        (0, 7, 14, 21, 28, 60, 90, 180, 270, 360, 540, 720, 1080),
        description="Times at which subjects at risk are counted, days from the origin.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("curve_months", "curve_days", "at_risk_days"):
            times: tuple[float, ...] = getattr(self, name)
            if any(time < 0 for time in times) or list(times) != sorted(set(times)):
                raise ValueError(f"{name}: times are not negative, and in rising order")
        return self
