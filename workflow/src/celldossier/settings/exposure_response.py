"""Section `exposure_response`: which relations are analysed, and how."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

Metric = Literal["AUC28", "CMAX", "CMAXTMAX"]
"""Exposure metrics of the whole profile. A half-life is never one (NCA rule R17)."""

Adjustment = Literal["UNADJUSTED", "TUMOUR_BURDEN", "FULL"]

TUMOUR_BURDEN = "LTBURDZ"
"""Variable of the adjustment `TUMOUR_BURDEN`."""


class Covariate(Section):
    """One covariate of the forest of exposure."""

    variable: Code = Field(description="Variable of ADER.")
    kind: Literal["categorical", "continuous"] = Field(
        description="categorical: each level against the reference; continuous: P90 against P10."
    )
    reference: str = Field(
        "", description="Reference level of a categorical covariate; blank: the most frequent one."
    )


def _default_covariates() -> tuple[Covariate, ...]:
    continuous = ("AGE", "WTBL", "LTBURDZ", "TARGBL", "ECOGBL", "ALCBL", "PRLINES")
    categorical = ("AGEGR1", "SEX", "INDIC", "TRT01A", "PRHSCT", "BRIDGFL", "PROCESS")
    product = ("TCMPCT", "CD4CD8")
    return (
        *(Covariate(variable=name, kind="continuous") for name in continuous),
        *(Covariate(variable=name, kind="categorical") for name in categorical),
        *(Covariate(variable=name, kind="continuous") for name in product),
    )


class PrimaryPair(Section):
    """The metric that is primary for an endpoint; all others are secondary."""

    endpoint: Code = Field(description="Code of an endpoint (resources/terms/endpoints.yaml).")
    metric: Metric = Field(description="Primary metric of the endpoint.")


class ExposureResponseSettings(Section):
    """Which exposure-response relations are analysed, and how."""

    analyte: Code = Field("PCR", description="Analyte whose kinetics are the exposure.")
    metrics: tuple[Metric, ...] = Field(
        ("AUC28", "CMAX", "CMAXTMAX"),
        description="Exposure metrics, each in models of its own (log2).",
        min_length=1,
    )
    endpoints: tuple[Code, ...] = Field(
        ("OBJRESP", "CRSGE2", "CRSGE3", "ICANSGE2"),
        description="Codes of the binary endpoints (resources/terms/endpoints.yaml).",
        min_length=1,
    )
    primary: tuple[PrimaryPair, ...] = Field(
        (
            PrimaryPair(endpoint="OBJRESP", metric="AUC28"),
            PrimaryPair(endpoint="CRSGE2", metric="CMAX"),
            PrimaryPair(endpoint="ICANSGE2", metric="CMAX"),
        ),
        description="Pre-specified primary pairs of endpoint and metric.",
    )
    primary_adjustment: Adjustment = Field(
        "TUMOUR_BURDEN",
        description="Adjustment of the primary model: tumour burden drives exposure and outcome.",
    )
    adjustments: tuple[Adjustment, ...] = Field(
        ("UNADJUSTED", "TUMOUR_BURDEN", "FULL"), description="Adjustments of each model."
    )
    full_adjustment: tuple[Code, ...] = Field(
        ("LTBURDZ", "AGE", "INDIC"),
        description="Variables of ADER in the full set; a text variable enters by its levels.",
    )
    unknown_response: tuple[Literal["NONRESPONDER", "EXCLUDED"], ...] = Field(
        ("NONRESPONDER", "EXCLUDED"),
        description="Subjects without a known best response; the first is primary.",
        min_length=1,
    )
    all_blq_sensitivity: bool = Field(
        True,
        description=(
            "Sensitivity analysis with half the LLOQ as the exposure of subjects that were never "
            "quantifiable; they have no logarithm and are not in the primary models."
        ),
    )
    event_window: float = Field(
        28, gt=0, description="CRS and ICANS that begin within this time of the infusion, days."
    )
    landmarks: tuple[Literal[3, 7], ...] = Field(
        (3, 7),
        description=(
            "Landmarks, days: the concentration by then is the exposure of CRS and ICANS among "
            "subjects without an onset until then (sensitivity)."
        ),
    )
    landmark_lookback: float = Field(
        2, gt=0, description="Oldest sample that stands for a landmark, days before it."
    )
    min_events: int = Field(
        8, ge=1, description="Fewer events, or fewer non-events: descriptive only, no model."
    )
    min_events_per_parameter: float = Field(
        5,
        ge=1,
        description=(
            "Events (or non-events, if fewer) per slope below which an adjusted model is refused."
        ),
    )
    firth_below: float = Field(
        10,
        ge=0,
        description="Events (or non-events, if fewer) per slope below which Firth is chosen.",
    )
    max_correlation: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Absolute correlation of metric and covariate above which a model is refused.",
    )
    confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of odds ratios and rates."
    )
    ratio_confidence_level: float = Field(
        0.90, gt=0.5, lt=1, description="Confidence level of geometric mean ratios."
    )
    bins: int = Field(4, ge=2, le=5, description="Exposure groups of the observed rates.")
    min_per_bin: int = Field(
        10, ge=2, description="Fewer subjects in a group: one group less, down to two."
    )
    ordinal_metrics: tuple[Metric, ...] = Field(
        ("CMAX",), description="Metrics of the ordinal models of CRS and ICANS grade."
    )
    proportional_odds_alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Brant's test below this p value: proportional odds do not hold.",
    )
    forest_metrics: tuple[Metric, ...] = Field(
        ("AUC28", "CMAX"), description="Metrics of the covariate forest."
    )
    covariates: tuple[Covariate, ...] = Field(
        default_factory=_default_covariates, description="Covariates of the forest of exposure."
    )
    min_per_level: int = Field(
        3, ge=2, description="Fewer subjects in a level: no ratio for that level."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        metrics = {"AUC28", "CMAX", "CMAXTMAX", "CLD3", "CLD7", "DOSEA"}
        collinear = sorted(metrics & set(self.full_adjustment))
        if collinear:
            raise ValueError(
                f"full_adjustment names the exposure {', '.join(collinear)}; two metrics of "
                "exposure are collinear and never stand in one model"
            )
        for pair in self.primary:
            if pair.metric not in self.metrics:
                raise ValueError(f"the primary metric {pair.metric} is not among the metrics")
        if len({pair.endpoint for pair in self.primary}) < len(self.primary):
            raise ValueError("an endpoint has two primary metrics")
        if len(set(self.unknown_response)) < len(self.unknown_response):
            raise ValueError("unknown_response names a rule twice")
        if not set(self.ordinal_metrics) <= set(self.metrics):
            raise ValueError("ordinal_metrics names a metric that is not among the metrics")
        return self
