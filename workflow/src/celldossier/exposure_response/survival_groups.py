"""Kaplan-Meier curves of halves and tertiles of the exposure, from the landmark on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from celldossier.exposure_response.observed import BIN_LETTER, assign_bins
from celldossier.exposure_response.plan import PRIMARY, PlanCell
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_rows import SurvivalRows, find_landmark, select_rows
from celldossier.io.resources import read_resource
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.endpoints import EndpointRule
from celldossier.stats import log_rank
from celldossier.stats.survival import (
    Estimate,
    SurvivalCurve,
    estimate_at,
    estimate_quantile,
    estimate_survival,
)
from celldossier.terms.study_terms import DAYS_PER_MONTH

SPLITS = {"HALF": 2, "TERTILE": 3}
METHOD = "Kaplan-Meier with late entry, Greenwood, log-log CI"

Floats = NDArray[np.float64]


def collect_groups(
    study: Study, endpoint: EndpointRule, out: ResultCollector
) -> list[dict[str, object]]:
    """Add `log_rank`, `survival_groups`, `survival_at` and `survival_at_risk` of an endpoint.

    The subjects are those of the unadjusted model, and those that were never quantifiable,
    who are in the lowest group.

    Returns
    -------
    list of dict
        Rows of CURVES: `exposure_response.survival/<ENDPOINT>/<METRIC>/<SPLIT>`, series H1, H2
        or T1 to T3 (lowest exposure first), per cent without the event.
    """
    options = study.settings.time_to_event
    early = endpoint.code in options.early_endpoints
    metrics = (f"CLD{options.early_landmark}",) if early else options.curve_metrics
    curves = []
    for metric in metrics:
        if metric not in study.ader:
            continue
        landmark = find_landmark(metric, endpoint, study)
        cell = PlanCell(
            endpoint, metric, "KM", "UNADJUSTED", PRIMARY, "SECONDARY", landmark=landmark
        )
        rows = select_rows(study, cell, keep_blq=True)
        for split in SPLITS:
            curves += _collect_split(study, cell, rows, split, out)
    return curves


def _collect_split(
    study: Study, cell: PlanCell, rows: SurvivalRows, split: str, out: ResultCollector
) -> list[dict[str, object]]:
    settings = study.settings
    n, bins = float(rows.stop.size), SPLITS[split]
    group, found = assign_bins(rows.value, bins, settings.min_per_bin)
    reason = rows.reason or ("FEWSUBJ" if found < bins else "")
    group = group if found == bins else np.zeros(rows.stop.size, dtype=np.int64)
    test = log_rank.test_log_rank(
        rows.stop, rows.event, group, start=rows.start, stratum=rows.stratum
    )
    reason = reason or test.reason
    names = ("chisq", "df", "p")
    place = {"metric": cell.metric, "split": split}
    add = partial(
        out.add,
        dataset="ADEREND",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        where="ERFL = Y",
    )
    values = (test.statistic, float(test.df), test.p)
    add(
        "log_rank",
        {
            "n": n,
            "events": float(rows.event.sum()),
            **rows.counts,
            **dict(zip(names, (math.nan,) * 3 if reason else values, strict=True)),
        },
        by=place,
        n=n,
        method="log-rank test" + (", stratified" if settings.time_to_event.stratify_by else ""),
        notes=dict.fromkeys(names, reason) if reason else {},
    )
    if found < bins or rows.reason:
        return []
    begin = find_begin(rows, group, settings.time_to_event.curve_min_at_risk)
    if math.isnan(begin):
        return []
    curves = []
    for code in range(bins):
        level = f"{BIN_LETTER[bins]}{code + 1}"
        own = rows.keep((group == code) & (rows.stop > begin))
        own = replace(own, start=np.fmax(own.start, begin))
        curve = estimate_survival(own.stop, own.event, own.start)
        _collect_group(study, cell.endpoint, own, curve, {**place, "group": level}, add)
        curves += [
            {
                "curve_id": (
                    f"exposure_response.survival/{cell.endpoint.code}/{cell.metric}/{split}"
                ),
                "series": level,
                **point,
                "x_unit": "d",
                "y_unit": "%",
                "kind": "summary",
            }
            for point in _points(own, curve, settings.confidence_level)
        ]
    return curves


def _collect_group(
    study: Study,
    endpoint: EndpointRule,
    own: SurvivalRows,
    curve: SurvivalCurve,
    place: dict[str, str],
    add: Callable[..., None],
) -> None:
    settings, options = study.settings, study.settings.time_to_event
    level = settings.confidence_level
    n, unit = float(own.stop.size), study.units.get(place["metric"], "")
    median = estimate_quantile(curve, level=level)
    names = ("median", "median_low", "median_high")
    add(
        "survival_groups",
        {
            "n": n,
            "events": float(own.event.sum()),
            **_named(names, median),
            "exposure_min": float(own.value.min()),
            "exposure_max": float(own.value.max()),
            "begin": float(max(own.start.min(), 0.0)),
        },
        by=place,
        units={**dict.fromkeys((*names, "begin"), "d"), "exposure_min": unit, "exposure_max": unit},
        n=n,
        method=METHOD,
        notes=explain_missing(_named(names, median), "NOTREACH"),
    )
    for label, time in _times(study, endpoint):
        at = estimate_at(curve, time, level)
        if time <= float(own.start.min()):
            at = Estimate(math.nan, math.nan, math.nan)
        percent = Estimate(100 * at.value, 100 * at.low, 100 * at.high)
        shares = _named(("survival", "survival_low", "survival_high"), percent)
        add(
            "survival_at",
            {**shares, "n_at_risk": count_under_observation(own, time)},
            by={**place, "time": label},
            units=dict.fromkeys(shares, "%"),
            n=n,
            method=METHOD,
            notes=_why_not_read(shares, time, own),
        )
    for day in options.at_risk_days:
        if float(own.start.min()) <= day <= float(curve.time[-1]):
            add(
                "survival_at_risk",
                {"n": count_under_observation(own, day)},
                by={**place, "day": f"D{day:g}"},
                n=n,
            )


def find_begin(rows: SurvivalRows, group: NDArray[np.int64], least: int) -> float:
    """First time from which that many of each group are under observation; -inf: the origin.

    Where subjects enter one by one the first events meet a risk set of one or two, and an
    event then would end the curve. What is estimated is survival given no event until then.
    NaN where no time will do.
    """
    entries = np.unique(rows.start)
    for time in entries:
        inside = (rows.start <= time) & (rows.stop > time)
        if np.bincount(group[inside], minlength=group.max() + 1).min() >= least:
            return float(time)
    return math.nan


def count_under_observation(rows: SurvivalRows, time: float) -> float:
    """Subjects that have entered by a time, without event or censoring before it."""
    return float(((rows.start <= time) & (rows.stop >= time)).sum())


def _times(study: Study, endpoint: EndpointRule) -> list[tuple[str, float]]:
    """Times at which the curves of an endpoint are read: level of the key `time`, and days."""
    options = study.settings.time_to_event
    terms = read_resource("terms", "efficacy_parameters.yaml")["endpoints"]
    if terms.get(endpoint.time, {}).get("unit") == "months":
        return [(f"M{month:g}", month * DAYS_PER_MONTH) for month in options.curve_months]
    return [(f"D{day:g}", day) for day in options.curve_days]


def _points(own: SurvivalRows, curve: SurvivalCurve, level: float) -> list[dict[str, object]]:
    first = float(own.start.min())
    first = first if math.isfinite(first) else 0.0
    points: list[dict[str, object]] = []
    if first < curve.time[0]:
        n = count_under_observation(own, first)
        points.append({"x": first, "y": 100.0, "low": math.nan, "high": math.nan, "n": n})
    for place, time in enumerate(curve.time):
        at = estimate_at(curve, float(time), level)
        points.append(
            {
                "x": float(time),
                "y": 100 * at.value,
                "low": 100 * at.low,
                "high": 100 * at.high,
                "n": float(curve.at_risk[place]),
            }
        )
    return points


def _named(names: tuple[str, ...], estimate: Estimate) -> dict[str, float]:
    return dict(zip(names, (estimate.value, estimate.low, estimate.high), strict=True))


def _why_not_read(shares: dict[str, float], time: float, own: SurvivalRows) -> dict[str, str]:
    value = shares["survival"]
    if time <= float(own.start.min()):
        reason = "NOTAPPL"
    elif math.isnan(value):
        reason = "BEYONDFU"
    else:
        reason = "NOEVENT" if value == 100 else "ALLEVENT"
    return explain_missing(shares, reason)
