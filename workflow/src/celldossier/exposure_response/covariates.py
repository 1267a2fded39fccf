"""Covariates of exposure: the forest, and the descriptive ratio of rescue medication."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.errors import ConfigError
from celldossier.exposure_response.ader import RESCUE
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import Covariate, ExposureResponseSettings
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.ratio import (
    Ratio,
    estimate_level_ratios,
    estimate_ratio,
    estimate_slope_ratio,
)

CONTINUOUS_LEVEL = "P90_VS_P10"
"""Level of the key `level` for a continuous covariate."""


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
    everyone = ader.loc[ader["ERFL"] == "Y"]
    # One reference for all metrics, although a metric may be missing in some subjects.
    references = {
        item.variable: item.reference or _reference(_labels(everyone[item.variable]))
        for item in settings.covariates
        if item.kind == "categorical"
    }
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


class _Row:
    def __init__(
        self, covariate: str, level: str, ratio: Ratio, details: dict[str, float | str]
    ) -> None:
        self.covariate, self.level, self.ratio, self.details = covariate, level, ratio, details


def _refused(n: int, n_reference: int, reason: str) -> Ratio:
    nan = math.nan
    return Ratio(nan, nan, nan, nan, n, n_reference, reason)


def _labels(values: pd.Series) -> pd.Series:
    """Levels as text, blank where missing."""
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda v: f"{v:g}").where(values.notna(), "")
    return values


def _reference(labels: pd.Series) -> str:
    """The most frequent level, the first by name of equals; blank where there is none."""
    counts = labels[labels != ""].value_counts()
    return min(counts.index, key=lambda name: (-counts[name], name), default="")


def _categorical(
    population: pd.DataFrame,
    metric: str,
    item: Covariate,
    reference: str,
    settings: ExposureResponseSettings,
) -> list[_Row]:
    labels = _labels(population[item.variable])
    known = labels != ""
    labels, exposure = labels[known], population.loc[known, metric]
    counts = labels.value_counts()
    if counts.empty:
        return [_Row(item.variable, "", _refused(0, 0, "NOTCOLL"), {})]
    enough = [name for name in counts.index if counts[name] >= settings.min_per_level]
    ratios: dict[str, Ratio] = {}
    if reference in enough and len(enough) > 1:
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
    rows = population.loc[population[item.variable].notna()]
    if rows.empty:
        return _Row(item.variable, CONTINUOUS_LEVEL, _refused(0, 0, "NOTCOLL"), {})
    x = rows[item.variable].to_numpy(dtype=float)
    low, high = (float(v) for v in np.quantile(x, [0.1, 0.9]))
    ratio = estimate_slope_ratio(rows[metric], x, high - low, settings.ratio_confidence_level)
    return _Row(item.variable, CONTINUOUS_LEVEL, ratio, {"x_low": low, "x_high": high})


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


def collect_rescue_ratios(
    ader: pd.DataFrame, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Add `rescue_ratio`: exposure with over without tocilizumab or corticosteroid.

    Descriptive: the medication is given because of CRS, which follows exposure, so
    that its ratio says nothing about its effect; each carries the note ``CONFOUND``.
    """
    population = ader.loc[ader["ERFL"] == "Y"]
    for flag, medication in RESCUE.items():
        for metric in settings.metrics:
            given = population.loc[population[flag] == "Y", metric]
            without = population.loc[population[flag] == "N", metric]
            ratio = estimate_ratio(given, without, settings.ratio_confidence_level)
            names = ("gmr", "gmr_low", "gmr_high")
            statistics = dict(zip(names, (ratio.ratio, ratio.low, ratio.high), strict=True))
            missing = "NOTCOLL" if not (population[flag] != "").any() else ratio.reason
            notes = {k: missing if math.isnan(v) else "CONFOUND" for k, v in statistics.items()}
            out.add(
                "rescue_ratio",
                {
                    **statistics,
                    "n_given": float(ratio.n_test),
                    "n_without": float(ratio.n_reference),
                },
                dataset="ADER",
                variable=metric,
                analyte=settings.analyte,
                by={"term": medication},
                where="ERFL = Y",
                n=float(ratio.n_test + ratio.n_reference),
                method="Welch t interval on ln, descriptive",
                notes=notes,
            )
