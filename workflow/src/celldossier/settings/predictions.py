"""Part `exposure_response.predictions`: where the probability of an endpoint is predicted."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section


class ExposureOfInterest(Section):
    """One exposure at which probabilities are wanted."""

    metric: Code = Field(description="Exposure metric.")
    value: float = Field(gt=0, description="Value of the metric, in `unit`.")
    unit: str = Field(
        description="Unit of the value; it must be that of the metric in this study.", min_length=1
    )


class PredictionSettings(Section):
    """Exposures and doses at which the probability of each endpoint is predicted."""

    metrics: tuple[Code, ...] = Field(
        (),
        description="Metrics of the predictions; empty: those of the primary pairs.",
    )
    adjustments: tuple[Code, ...] = Field(
        (),
        description=(
            "Adjustments whose models predict; empty: none (UNADJUSTED) and the primary one."
        ),
    )
    quantiles: tuple[float, ...] = Field(
        (0.10, 0.25, 0.50, 0.75, 0.90),
        description="Quantiles of the observed exposure at which probabilities are predicted.",
    )
    exposures: tuple[ExposureOfInterest, ...] = Field(
        (),
        description=(
            "Further exposures of interest. Outside the observed range nothing is predicted: "
            "the result is empty with the reason EXPRANGE."
        ),
    )
    survival_months: tuple[float, ...] = Field(
        (6, 12, 24),
        description=(
            "Times from the origin of a time-to-event endpoint at which the probability to be free "
            "of the event is predicted, months of 30.4375 d (365.25 / 12)."
        ),
    )
    dose_levels: bool = Field(
        True,
        description=(
            "Predict at the observed geometric mean exposure of each dose level: it describes the "
            "levels that were given and recommends none."
        ),
    )
    covariates: Literal["STANDARDISED", "REFERENCE"] = Field(
        "STANDARDISED",
        description=(
            "Covariates of an adjusted model. STANDARDISED: mean of the probabilities over the "
            "subjects of the model, each with its own covariates; REFERENCE: the probability of a "
            "subject with the median of each number and the reference level of each text. The "
            "probabilities of grades and of times to an event are always standardised."
        ),
    )
    firth_correction: Literal["FLIC", "FLAC"] = Field(
        "FLIC",
        description=(
            "Correction of predictions after Firth's penalty, which draws them to one half: FLIC "
            "moves the intercept, FLAC adds a covariate for the penalty (Puhr et al. 2017). With "
            "either the mean prediction is the observed rate."
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        outside = [f"{value:g}" for value in self.quantiles if not 0 <= value <= 1]
        if outside:
            raise ValueError(f"quantiles lie between 0 and 1, not at {', '.join(outside)}")
        if any(months <= 0 for months in self.survival_months):
            raise ValueError("survival_months are above 0")
        for name in ("metrics", "adjustments", "quantiles", "survival_months"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names a value twice")
        points = {(item.metric, item.value) for item in self.exposures}
        if len(points) < len(self.exposures):
            raise ValueError("exposures names a value of a metric twice")
        return self
