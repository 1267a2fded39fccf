"""Section `exposure_response`: which relations are analysed, and how."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section
from celldossier.settings.confounding import ConfoundingSettings
from celldossier.settings.covariates import (
    Covariate,
    CovariateModels,
    check_covariates,
    default_covariates,
)
from celldossier.settings.dose_relations import (
    DoseExposureSettings,
    DoseMetric,
    DoseResponseSettings,
)
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.evaluation import EvaluationSettings, SensitivitySettings
from celldossier.settings.model_families import (
    BiomarkerSettings,
    CountSettings,
    EmaxSettings,
    HazardSettings,
    Metric,
)
from celldossier.settings.predictions import PredictionSettings
from celldossier.settings.subgroups import SubgroupSettings
from celldossier.settings.survival_models import SurvivalModels
from celldossier.terms.covariates import find_late_variables

Adjustment = Literal["UNADJUSTED", "TUMOUR_BURDEN", "FULL"]

TUMOUR_BURDEN = "LTBURDZ"
"""Variable of the adjustment `TUMOUR_BURDEN`."""


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
    target_site: str = Field(
        "",
        description=(
            "Compartment (ADTISS.COMPART: specimen and location) whose highest concentration after "
            "the infusion is the metric CMAXSITE, for local dosing and solid tumours."
        ),
    )
    endpoints: tuple[Code, ...] = Field(
        (
            *("OBJRESP", "CRESP", "CRSGE1", "CRSGE2", "CRSGE3", "CRSGR"),
            *("ICANSGE1", "ICANSGE2", "ICANSGE3", "ICANSGR", "CYTOPENIA", "INFECTION"),
            *("PFS", "EFS", "OS", "DOR", "TTNT", "BCREC", "PERSIST", "NEUTREC", "PLATREC"),
            *("CRSRES", "ICANSRES", "CYTORES"),
        ),
        description=(
            "Codes of the endpoints: those of resources/terms/endpoints.yaml, and those of "
            "custom_endpoints."
        ),
        min_length=1,
    )
    custom_endpoints: tuple[EndpointRule, ...] = Field(
        (), description="Endpoints of the study's own; a code of the terms is replaced."
    )
    primary: tuple[PrimaryPair, ...] = Field(
        (
            PrimaryPair(endpoint="OBJRESP", metric="AUC28"),
            PrimaryPair(endpoint="CRSGE2", metric="CMAX"),
            PrimaryPair(endpoint="ICANSGE2", metric="CMAX"),
            PrimaryPair(endpoint="PFS", metric="AUC28"),
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
    concurrent_crs: bool = Field(
        True,
        description=(
            "Sensitivity analysis of ICANS with the worst grade of CRS as a covariate, since the "
            "two occur together; CRS may lie on the way from exposure to ICANS, so that the "
            "adjusted odds ratio is no better estimate than the other."
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
    time_to_event: SurvivalModels = Field(
        default_factory=SurvivalModels, description="Exposure and the time to an event."
    )
    covariates: tuple[Covariate, ...] = Field(
        default_factory=default_covariates,
        description=(
            "Covariates of exposure and of outcomes, each examined by itself; what becomes known "
            "after the infusion is none."
        ),
    )
    min_per_level: int = Field(
        3,
        ge=2,
        description="Fewer subjects in a level, or with or without rescue medication: no ratio.",
    )
    predictions: PredictionSettings = Field(
        default_factory=PredictionSettings,
        description="Exposures and doses at which probabilities are predicted.",
    )
    subgroups: SubgroupSettings = Field(
        default_factory=SubgroupSettings,
        description="Odds ratios of the primary pairs within subgroups.",
    )
    covariate_models: CovariateModels = Field(
        default_factory=CovariateModels,
        description="Models of several covariates, selection, imputation, covariates of outcomes.",
    )
    confounding: ConfoundingSettings = Field(
        default_factory=ConfoundingSettings,
        description="Tumour burden, interactions and rescue medication.",
    )
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings, description="Evaluation of the models."
    )
    sensitivity: SensitivitySettings = Field(
        default_factory=SensitivitySettings,
        description="Sensitivity analyses of the primary models.",
    )

    dose_exposure: DoseExposureSettings = Field(
        default_factory=DoseExposureSettings, description="Exposure against the dose given."
    )
    dose_response: DoseResponseSettings = Field(
        default_factory=DoseResponseSettings, description="Outcome against the dose given."
    )

    @model_validator(mode="after")
    def _covariates_precede(self) -> Self:
        rules = self.covariate_models
        named = {
            "covariates": [item.variable for item in self.covariates],
            "covariate_models.full_model": list(rules.full_model),
            "covariate_models.selection": list(rules.selection),
            "covariate_models.outcome_full_model": list(rules.outcome_full_model),
            "covariate_models.product_attributes": list(rules.product_attributes),
            "covariate_models.product_adjustment": list(rules.product_adjustment),
        }
        faults = [fault for key, names in named.items() for fault in check_covariates(key, names)]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    counts: CountSettings = Field(default_factory=CountSettings, description="Models of counts.")
    hazard: HazardSettings = Field(
        default_factory=HazardSettings,
        description="Daily hazard of CRS and ICANS on the current concentration.",
    )
    emax: EmaxSettings = Field(default_factory=EmaxSettings, description="Emax models.")
    biomarkers: BiomarkerSettings = Field(
        default_factory=BiomarkerSettings,
        description="Exposure against pharmacodynamic markers.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        metrics = {*get_args(Metric), "CLD3", "CLD7", *get_args(DoseMetric)}
        collinear = sorted(metrics & set(self.full_adjustment))
        if collinear:
            raise ValueError(
                f"full_adjustment names the exposure {', '.join(collinear)}; two metrics of "
                "exposure are collinear and never stand in one model"
            )
        subgroups = [item.variable for item in self.subgroups.variables]
        for key, variables in (
            ("full_adjustment", list(self.full_adjustment)),
            ("subgroups.variables", subgroups),
        ):
            for late, kind in find_late_variables(variables).items():
                raise ValueError(
                    f"{key} names {late} ({kind}), which is known only after the infusion and "
                    "never adjusts or divides the relation of exposure and outcome"
                )
        for pair in self.primary:
            if pair.metric not in self.metrics:
                raise ValueError(f"the primary metric {pair.metric} is not among the metrics")
            if pair.endpoint in self.time_to_event.early_endpoints:
                raise ValueError(
                    f"the primary pair of {pair.endpoint} names {pair.metric}, but the endpoint is "
                    "an early one (time_to_event.early_endpoints), whose exposure is the "
                    "concentration by its landmark; no model would be the primary one"
                )
        if "CMAXSITE" in self.metrics and not self.target_site:
            raise ValueError("the metric CMAXSITE needs target_site, the compartment it is of")
        for codes, what in (
            ([item.code for item in self.custom_endpoints], "custom_endpoints"),
            (self.endpoints, "endpoints"),
        ):
            if len(set(codes)) < len(codes):
                raise ValueError(f"{what} names an endpoint twice")
        for asked in self.emax.pairs:
            if asked.endpoint not in self.endpoints:
                raise ValueError(f"emax names {asked.endpoint}, which is not among the endpoints")
        if len({pair.endpoint for pair in self.primary}) < len(self.primary):
            raise ValueError("an endpoint has two primary metrics")
        if len(set(self.unknown_response)) < len(self.unknown_response):
            raise ValueError("unknown_response names a rule twice")
        if not set(self.ordinal_metrics) <= set(self.metrics):
            raise ValueError("ordinal_metrics names a metric that is not among the metrics")
        wanted = {
            "predictions.metrics": (self.predictions.metrics, self.metrics),
            "predictions.exposures": ([e.metric for e in self.predictions.exposures], self.metrics),
            "predictions.adjustments": (self.predictions.adjustments, self.adjustments),
            "subgroups.adjustment": (filter(None, [self.subgroups.adjustment]), self.adjustments),
        }
        for key, (named, known) in wanted.items():
            strange = [each for each in named if each not in known]
            if strange:
                raise ValueError(
                    f"{key} names {', '.join(strange)}, which the section does not analyse; it "
                    f"analyses {', '.join(known)}"
                )
        return self

    @property
    def predicted_metrics(self) -> tuple[str, ...]:
        """Metrics over which probabilities are predicted."""
        named = self.predictions.metrics or [pair.metric for pair in self.primary]
        return tuple(metric for metric in self.metrics if metric in named)

    @property
    def predicted_adjustments(self) -> tuple[str, ...]:
        """Adjustments of the models that predict."""
        named = self.predictions.adjustments or ("UNADJUSTED", self.primary_adjustment)
        return tuple(each for each in self.adjustments if each in named)
