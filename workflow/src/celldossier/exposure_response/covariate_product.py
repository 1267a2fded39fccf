"""Attributes of the product and exposure: a ratio for one standard deviation of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.exposure_response.covariate_design import (
    Term,
    choose_references,
    make_covariate_design,
)
from celldossier.exposure_response.covariate_exposure import (
    ResultWriter,
    ratio_of_step,
    select_covariates,
)
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.covariates import Covariate
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.linear_model import estimate_linear
from celldossier.stats.logistic import Coefficient
from celldossier.stats.multiplicity import benjamini_hochberg

Vector = NDArray[np.float64]


def collect_product_exposure(study: Study, out: ResultCollector) -> None:
    """Add `product_exposure` of each metric."""
    settings = study.settings
    everyone = study.ader.loc[study.ader["ERFL"] == "Y"]
    references = choose_references(everyone, settings.covariates)
    for metric in settings.forest_metrics:
        population = everyone.loc[everyone[metric] > 0]
        exposure = np.log(population[metric].to_numpy(dtype=float))
        _collect_metric(ResultWriter(metric, settings, out), population, exposure, references)


def _collect_metric(
    writer: ResultWriter, population: pd.DataFrame, exposure: Vector, references: Mapping[str, str]
) -> None:
    """Slope of ln exposure on each product attribute, a ratio per standard deviation."""
    settings, rules = writer.settings, writer.settings.covariate_models
    rows: list[tuple[str, str, Coefficient, float, int, str, str]] = []
    for item in select_covariates(rules.product_attributes, settings):
        beside = select_covariates(rules.product_adjustment, settings)
        for adjustment, others in (("UNADJUSTED", ()), ("ADJUSTED", beside)):
            found = _estimate_attribute(population, exposure, item, others, references, settings)
            rows.append((item.variable, adjustment, *found))
    for adjustment in ("UNADJUSTED", "ADJUSTED"):
        own = [row for row in rows if row[1] == adjustment]
        q_values = benjamini_hochberg([row[2].p for row in own])
        for (name, _, slope, sd, n, used, reason), q in zip(own, q_values.tolist(), strict=True):
            per_sd = Term(name, "PER_SD", sd, {}, n, n)
            writer.add(
                "product_exposure",
                {
                    **ratio_of_step(slope, per_sd),
                    "slope": slope.estimate * sd,
                    "sd": sd,
                    "p": slope.p,
                    "q": q,
                    "n": float(n),
                    "covariates": used or "NONE",
                },
                {"covariate": name, "adjustment": adjustment},
                float(n),
                "linear model of ln exposure, t interval",
                reason,
            )


def _estimate_attribute(
    population: pd.DataFrame,
    exposure: Vector,
    item: Covariate,
    others: Sequence[Covariate],
    references: Mapping[str, str],
    settings: ExposureResponseSettings,
) -> tuple[Coefficient, float, int, str, str]:
    """Slope, standard deviation, subjects, adjustment and reason; complete subjects only.

    An adjustment none of whose covariates was collected or varies is refused: it would be
    the unadjusted model under another name.
    """
    design = make_covariate_design(
        population,
        [item, *(other for other in others if other.variable != item.variable)],
        references,
        [exposure],
        settings.min_per_level,
        settings.covariate_models,
        impute=False,
    )
    nothing = Coefficient(item.variable, math.nan)
    beside = (term.covariate for term in design.terms if term.covariate != item.variable)
    used = "; ".join(dict.fromkeys(beside))
    if item.variable in design.left_out:
        return nothing, math.nan, 0, used, design.left_out[item.variable]
    seen = design.complete
    x, y = design.matrices[0][seen], exposure[seen]
    n = int(seen.sum())
    if n < settings.covariate_models.min_subjects_per_parameter:
        return nothing, math.nan, n, used, "FEWSUBJ"
    if others and not used:
        return nothing, math.nan, n, used, "NOCOVAR"
    if others and n < settings.covariate_models.min_subjects_per_parameter * x.shape[1]:
        return nothing, math.nan, n, used, "SPPLOW"
    fit = estimate_linear(y, [x], design.names, settings.ratio_confidence_level)
    if fit.reason:
        return nothing, math.nan, n, used, fit.reason
    position = design.names.index(item.variable)
    return fit.coefficients[position], float(x[:, position].std(ddof=1)), n, used, ""
