"""Part `exposure_response.evaluation`: how the models are evaluated, and sensitivity analyses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Code, Section


class EvaluationSettings(Section):
    """How the logistic and ordinal models are evaluated, and their sensitivity analyses."""

    models: Literal["PRIMARY", "ALL"] = Field(
        "PRIMARY",
        description=(
            "PRIMARY: the pre-specified primary models are evaluated; ALL: each logistic model "
            "that was fitted (some seconds more)."
        ),
    )
    resamples: int = Field(
        500,
        ge=50,
        le=10_000,
        description="Bootstrap samples of the subjects for the optimism of a model.",
    )
    residual_draws: int = Field(
        1000,
        ge=100,
        le=100_000,
        description="Simulated processes for the test of cumulative residuals.",
    )
    seed: int = Field(20_240_607, ge=0, description="Seed of resamples and simulated processes.")
    calibration_groups: int = Field(
        5, ge=2, le=10, description="Groups by predicted probability in the calibration figure."
    )
    influence_limit: float = Field(
        2.0,
        gt=0,
        description=(
            "A subject is listed as influential where the log odds ratio without it differs by "
            "more than this over the root of the number of subjects, in standard errors (DFBETAS)."
        ),
    )
    spline_knots: tuple[float, float, float] = Field(
        (0.1, 0.5, 0.9),
        description=(
            "Quantiles of log2 exposure at the knots of the restricted cubic spline that tests "
            "whether the log odds are linear."
        ),
    )
    leave_out: tuple[Literal["STUDYID", "SITEID", "INDIC"], ...] = Field(
        ("STUDYID", "SITEID", "INDIC"),
        description=(
            "Each level of these variables is left out in turn: study, site, indication; one with "
            "a single level says so."
        ),
    )


class SensitivitySettings(Section):
    """Sensitivity analyses of the primary models; each repeats a question in another way."""

    other_analyte: Code = Field(
        "FLOW",
        description=(
            "Analyte whose exposure takes the place of that of `analyte`, such as flow cytometry."
        ),
    )
    outlier_limit: float = Field(
        3.5,
        gt=0,
        description=(
            "Distance from the median of log2 exposure, in median absolute deviations scaled by "
            "1.4826, beyond which a subject is left out in a sensitivity analysis."
        ),
    )
    strata: tuple[Literal["SITEID", "MFGSITE"], ...] = Field(
        ("SITEID", "MFGSITE"),
        description=(
            "Variables of ADSL over whose levels a conditional logistic model compares subjects: "
            "clinical site and manufacturing site."
        ),
    )
