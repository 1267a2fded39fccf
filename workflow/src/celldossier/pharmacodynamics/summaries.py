"""Blocks of statistics that the parts of the stage share: values, shares and durations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import pandas as pd

from celldossier import results
from celldossier.results import BLOCK_METHOD, ResultCollector, explain_missing

add_block = partial(results.add_block, dataset="ADPD", method=BLOCK_METHOD)
"""The statistic block of `celldossier.results`, of values of ADPD unless said otherwise."""


def add_share(
    out: ResultCollector,
    analysis: str,
    found: int,
    asked: int,
    *,
    variable: str,
    analyte: str,
    by: Mapping[str, str],
    where: str,
    dataset: str = "ADPD",
    extra: Mapping[str, float] | None = None,
    reason: str = "NOGROUP",
) -> None:
    """Add a share: n_found of n, percent and its exact (Clopper-Pearson) 95% interval."""
    from celldossier.stats.proportion import clopper_pearson

    low, high = clopper_pearson(found, asked)
    shares = {
        "pct": 100 * found / asked if asked else math.nan,
        "pct_low": 100 * low,
        "pct_high": 100 * high,
    }
    out.add(
        analysis,
        {"n": asked, "n_found": found, **shares, **(extra or {})},
        dataset=dataset,
        variable=variable,
        analyte=analyte,
        by=by,
        where=where,
        units=dict.fromkeys(shares, "%"),
        n=asked,
        method="count; Clopper-Pearson",
        notes=explain_missing(shares, reason),
    )


def add_duration(
    out: ResultCollector,
    analysis: str,
    rows: pd.DataFrame,
    min_subjects: int,
    *,
    variable: str,
    analyte: str,
    by: Mapping[str, str],
    where: str,
) -> None:
    """Kaplan-Meier median of DURATION (days) with EVENT, one row a subject."""
    from celldossier.stats.survival import Estimate, estimate_quantile, estimate_survival

    median = Estimate(math.nan, math.nan, math.nan)
    reason = "NOGROUP" if rows.empty else "FEWSUBJ" if len(rows) < min_subjects else ""
    if not reason:
        median = estimate_quantile(estimate_survival(rows["DURATION"], rows["EVENT"] == 1))
        reason = "NOTREACH"
    statistics = {
        "median": median.value,
        "median_low": median.low,
        "median_high": median.high,
    }
    out.add(
        analysis,
        {"n": len(rows), "n_event": int((rows["EVENT"] == 1).sum()), **statistics},
        dataset="ADPD",
        variable=variable,
        analyte=analyte,
        by=by,
        where=where,
        units=dict.fromkeys(statistics, "d"),
        n=len(rows),
        method="Kaplan-Meier (Brookmeyer-Crowley, log-log)",
        notes=explain_missing(statistics, reason),
    )
