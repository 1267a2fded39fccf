"""Settings of the models beside the logistic, ordinal and Cox ones, in `exposure_response`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

Metric = Literal["AUC28", "AUC84", "CMAX", "CMAXTMAX", "EXPRATE", "CMAXSITE"]
"""Exposure metrics of the whole profile; CMAXSITE is the peak at the target site.

A half-life is never one (NCA rule R17). An area up to the onset of an event is none either:
the area of a subject with the event is cut short, so that it would seem to protect.
"""


class CountSettings(Section):
    """Models of counts."""

    distribution: Literal["BY_DISPERSION", "POISSON", "NEGBIN"] = Field(
        "BY_DISPERSION",
        description=(
            "POISSON; NEGBIN: negative binomial (NB2); BY_DISPERSION: negative binomial where the "
            "likelihood ratio test of overdispersion has a p below dispersion_alpha, else Poisson."
        ),
    )
    dispersion_alpha: float = Field(
        0.05, gt=0, lt=1, description="Level of the test of overdispersion for BY_DISPERSION."
    )


class HazardSettings(Section):
    """Discrete-time hazard of events that begin before the peak, on the current concentration."""

    run: bool = Field(
        True,
        description=(
            "Whether the daily hazard of the onset is related to the current concentration (for "
            "binary endpoints with `onset`)."
        ),
    )
    window: int = Field(28, ge=2, description="Days after the infusion that are looked at.")
    max_sample_age: float = Field(
        7,
        gt=0,
        description="Oldest sample that stands for a day, days before the start of that day.",
    )
    baseline: Literal["SPLINE", "POLYNOMIAL"] = Field(
        "SPLINE",
        description=(
            "Hazard by day: restricted cubic spline (knots at quantiles of the days of onset), or "
            "polynomial."
        ),
    )
    baseline_df: int = Field(
        3,
        ge=1,
        le=6,
        description=(
            "Columns of the hazard by day; fewer, down to 1, where fewer than "
            "min_events_per_parameter events a slope would be left."
        ),
    )


class EmaxPair(Section):
    """An endpoint and a metric for which an Emax model is asked."""

    endpoint: Code = Field(description="Code of a binary or continuous endpoint of the section.")
    metric: Metric = Field(description="Metric of the endpoint.")
    sigmoid: bool = Field(False, description="Whether the Hill exponent is estimated, else 1.")


class EmaxSettings(Section):
    """Emax models beside the log-linear ones, where asked."""

    pairs: tuple[EmaxPair, ...] = Field(
        (), description="Endpoints and metrics for which an Emax model is fitted (sensitivity)."
    )
    search_fold: float = Field(
        100,
        gt=1,
        description=(
            "EC50 is sought from the lowest exposure over this to the highest times this; an "
            "interval that is not closed within is taken as not identified."
        ),
    )
    min_difference: float = Field(
        2,
        ge=0,
        description=(
            "Difference of AICc from which one of Emax and log-linear is called better supported."
        ),
    )


class BiomarkerSettings(Section):
    """Exposure against pharmacodynamic markers (endpoints of the kinds continuous, repeated)."""

    metrics: tuple[Metric, ...] = Field(
        ("CMAX", "AUC28"), description="Metrics that markers are related to (log2).", min_length=1
    )
    min_subjects: int = Field(10, ge=4, description="Fewer subjects: no model.")
    max_blq_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            "Share of values from results below the limit (half of it taken) above which there "
            "is no model of the marker, only the rank correlation."
        ),
    )
    concurrent_window: float = Field(
        0.5,
        gt=0,
        description="Largest time between a marker and the concentration set against it, days.",
    )
    random_effects: Literal["INTERCEPT", "INTERCEPT_SLOPE"] = Field(
        "INTERCEPT_SLOPE",
        description=(
            "Random effects of the mixed model of repeated values; where intercept and slope give "
            "a singular fit, the intercept alone."
        ),
    )
    time_df: int = Field(
        3, ge=1, le=6, description="Columns of the restricted cubic spline of time, mixed model."
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("the metrics of the biomarkers name one twice")
        return self
