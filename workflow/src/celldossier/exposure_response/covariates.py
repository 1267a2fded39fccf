"""Covariates of exposure one by one: the forest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.errors import ConfigError
from celldossier.exposure_response.covariate_design import (
    CONTINUOUS_LEVEL,
    choose_references,
    label_levels,
    percentile_step,
    read_numbers,
)
from celldossier.results import ResultCollector
from celldossier.settings.covariates import Covariate
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.ratio import (
    Ratio,
    estimate_level_ratios,
    estimate_slope_ratio,
)


def check_covariates_of(ader: pd.DataFrame, settings: ExposureResponseSettings) -> None:
    """Hold the covariates of the settings against ADER.

    Raises
    ------
    ConfigError
        If a covariate is not a variable of ADER, or of the wrong kind; all faults are listed.
    """
    faults = [
        f"The covariate {item.variable} of exposure_response is not a variable of ADER."
        for item in settings.covariates
        if item.variable not in ader.columns
    ]
    faults += [
        f"The covariate {item.variable} of exposure_response is text, and kind says continuous."
        for item in settings.covariates
        if item.variable in ader.columns
        and item.kind == "continuous"
        and not pd.api.types.is_numeric_dtype(ader[item.variable])
    ]
    if faults:
        raise ConfigError(faults)


def collect_forest(
    ader: pd.DataFrame, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Add `covariate_forest`: geometric mean ratio of exposure for each covariate.

    One covariate at a time: analysis of variance of ln exposure for levels (pooled
    variance of all levels with enough subjects), linear regression for numbers, the
    ratio then being that of the 90th against the 10th percentile.

    Raises
    ------
    ConfigError
        If a covariate is not a variable of ADER, or of the wrong kind.
    """
    check_covariates_of(ader, settings)
    everyone = ader.loc[ader["ERFL"] == "Y"]
    # One reference for all metrics, although a metric may be missing in some subjects.
    references = choose_references(everyone, settings.covariates)
    for metric in settings.forest_metrics:
        population = everyone.loc[everyone[metric] > 0]
        rows: list[_Row] = []
        for item in settings.covariates:
            if item.kind == "continuous":
                rows.append(_continuous(population, metric, item, settings))
            else:
                reference = references[item.variable]
                rows += _categorical(population, metric, item, reference, settings)
        for row, q in zip(rows, benjamini_hochberg([r.ratio.p for r in rows]), strict=True):
            _add_row(row, metric, float(q), settings, out)


@dataclass(frozen=True)
class _Row:
    covariate: str
    level: str
    ratio: Ratio
    details: Mapping[str, float | str]


def _refused(n: int, n_reference: int, reason: str) -> Ratio:
    nan = math.nan
    return Ratio(nan, nan, nan, nan, n, n_reference, reason)


def _categorical(
    population: pd.DataFrame,
    metric: str,
    item: Covariate,
    reference: str,
    settings: ExposureResponseSettings,
) -> list[_Row]:
    labels = label_levels(population[item.variable])
    known = labels != ""
    labels, exposure = labels[known], population.loc[known, metric]
    counts = labels.value_counts()
    if counts.empty:
        return [_Row(item.variable, "", _refused(0, 0, "NOTCOLL"), {})]
    enough = [name for name in counts.index if counts[name] >= settings.min_per_level]
    ratios: dict[str, Ratio] = {}
    if reference in enough:
        used = labels.isin(enough)
        ratios = estimate_level_ratios(
            exposure[used], labels[used], reference, settings.ratio_confidence_level
        )
    n_reference = int(counts.get(reference, 0))
    others = sorted(name for name in counts.index if name != reference)
    if not others:
        ratio = _refused(0, n_reference, "ONELEVEL")
        return [_Row(item.variable, reference, ratio, {"reference": reference})]
    return [
        _Row(
            item.variable,
            name,
            ratios.get(name, _refused(int(counts[name]), n_reference, "FEWLEVEL")),
            {"reference": reference},
        )
        for name in others
    ]


def _continuous(
    population: pd.DataFrame, metric: str, item: Covariate, settings: ExposureResponseSettings
) -> _Row:
    x = read_numbers(population[item.variable], item)
    known = ~np.isnan(x)
    if not known.any():
        return _Row(item.variable, CONTINUOUS_LEVEL, _refused(0, 0, "NOTCOLL"), {})
    step, details = percentile_step(x, item)
    ratio = estimate_slope_ratio(
        population.loc[known, metric], x[known], step, settings.ratio_confidence_level
    )
    return _Row(item.variable, CONTINUOUS_LEVEL, ratio, details)


def _add_row(
    row: _Row, metric: str, q: float, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    ratio = row.ratio
    statistics: dict[str, float | str] = {
        "gmr": ratio.ratio,
        "gmr_low": ratio.low,
        "gmr_high": ratio.high,
        "p": ratio.p,
        "q": q,
        "n": float(ratio.n_test),
        "n_reference": float(ratio.n_reference),
        **row.details,
    }
    notes = {
        name: ratio.reason
        for name in ("gmr", "gmr_low", "gmr_high", "p", "q")
        if isinstance(value := statistics[name], float) and math.isnan(value)
    }
    out.add(
        "covariate_forest",
        statistics,
        dataset="ADER",
        variable=metric,
        analyte=settings.analyte,
        by={"covariate": row.covariate, "level": row.level or "NONE"},
        where=f"ERFL = Y and {metric} > 0",
        n=float(ratio.n_test),
        method="univariable linear model of ln exposure, t interval",
        notes=notes,
    )
