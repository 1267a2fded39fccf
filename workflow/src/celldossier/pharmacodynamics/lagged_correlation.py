"""Markers against the cells at lags in time, within and between subjects.

Analyses added (variable: marker; analyte: that of the cells):

=============  =================================  ==============================================
lag_within     lag (days)                         n, pairs, gap, rho, its limits, p, q
lag_best       sign (ABSOLUTE, POSITIVE,          n, lag, its limits, rho, its limits, p, q
               NEGATIVE)
lag_between    cell_day, marker_day (nominal)     n, rho, its limits, p, q
=============  =================================  ==============================================

q: Benjamini-Hochberg over all markers and lags, and over all markers and pairs of days.
Curves: `pharmacodynamics.lag_within/<marker>`, the coefficient over the lag.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from celldossier.pharmacodynamics.related_samples import (
    WHERE,
    Related,
    relate_samples,
)
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.lagged_correlation import (
    SIGNS,
    BestLag,
    LagEstimate,
    LagProfile,
    Vector,
    estimate_lag_profile,
)
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.rank_correlation import RankCorrelation, estimate_rank_correlation

METHOD = "repeated-measures correlation of ranks within subjects, bootstrap of subjects"


def relate_over_time(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the correlations at lags; give them as curves."""
    related = list(relate_samples(study))
    profiles = {each.code: _profile(study, each) for each in related}
    q_values = _adjust(profiles)
    curves: list[dict[str, object]] = []
    for code, profile in profiles.items():
        for estimate in profile.lags:
            _add_lag(study, code, estimate, q_values[code, estimate.lag], out)
        for sign in SIGNS:
            _add_best(study, code, sign, profile, q_values, out)
        curves += [
            {
                "curve_id": f"pharmacodynamics.lag_within/{code}",
                "series": "",
                "x": each.lag,
                "y": each.rho,
                "low": each.low,
                "high": each.high,
                "n": float(each.subjects),
                "x_unit": "d",
                "y_unit": "",
                "kind": "summary",
            }
            for each in profile.lags
            if not math.isnan(each.rho)
        ]
    _add_between(study, related, out)
    return curves


def _profile(study: Study, related: Related) -> LagProfile:
    rules = study.settings.kinetics
    first, second = related.series()
    return estimate_lag_profile(
        first,
        second,
        rules.lags,
        tolerance=rules.lag_tolerance,
        min_pairs=rules.min_pairs,
        min_subjects=rules.min_subjects,
        samples=rules.samples,
        seed=rules.seed,
        level=rules.confidence_level,
    )


def _adjust(profiles: Mapping[str, LagProfile]) -> dict[tuple[str, float], float]:
    """Adjusted p values of all markers and lags, one family."""
    p = {(code, each.lag): each.p for code, found in profiles.items() for each in found.lags}
    return dict(zip(p, benjamini_hochberg(list(p.values())).tolist(), strict=True))


def _add_lag(
    study: Study, code: str, estimate: LagEstimate, q: float, out: ResultCollector
) -> None:
    statistics: dict[str, float | str] = {
        "n": float(estimate.subjects),
        "pairs": float(estimate.pairs),
        "gap": estimate.gap,
        "rho": estimate.rho,
        "rho_low": estimate.low,
        "rho_high": estimate.high,
        "p": estimate.p,
        "q": q,
    }
    out.add(
        "lag_within",
        statistics,
        dataset="ADPD",
        variable=code,
        analyte=study.settings.analyte,
        by={"lag": f"{estimate.lag:g}"},
        where=WHERE,
        units={"gap": "d"},
        n=float(estimate.subjects),
        method=METHOD,
        notes=explain_missing(statistics, estimate.reason or "FEWSUBJ"),
    )


def _add_best(
    study: Study,
    code: str,
    sign: str,
    profile: LagProfile,
    q_values: Mapping[tuple[str, float], float],
    out: ResultCollector,
) -> None:
    found = profile.best.get(sign, BestLag(LagEstimate(math.nan)))
    best = found.estimate
    statistics: dict[str, float | str] = {
        "n": float(best.subjects),
        "lag": best.lag,
        "lag_low": found.low,
        "lag_high": found.high,
        "rho": best.rho,
        "rho_low": best.low,
        "rho_high": best.high,
        "p": best.p,
        "q": q_values.get((code, best.lag), math.nan),
    }
    out.add(
        "lag_best",
        statistics,
        dataset="ADPD",
        variable=code,
        analyte=study.settings.analyte,
        by={"sign": sign},
        where=WHERE,
        units=dict.fromkeys(("lag", "lag_low", "lag_high"), "d"),
        n=float(best.subjects),
        method=METHOD,
        notes=explain_missing(statistics, profile.reason or best.reason or "FEWSUBJ"),
    )


def _add_between(study: Study, related: list[Related], out: ResultCollector) -> None:
    """Cells on one nominal day, the marker on another: one value a subject."""
    rules = study.settings.kinetics
    found: dict[tuple[str, float, float], RankCorrelation] = {}
    for each in related:
        cells, marker = (
            frame.drop_duplicates([*KEY, "DAY"]).pivot(index=KEY, columns="DAY", values="RANKED")
            for frame in (each.cells, each.samples)
        )
        subjects = cells.index.intersection(marker.index)
        cells, marker = cells.loc[subjects], marker.loc[subjects]
        days = [(float(d), float(o)) for d in cells.columns for o in marker.columns]
        for day, other in days:
            if not min(rules.lags) <= other - day <= max(rules.lags):
                continue
            x, y = (part.to_numpy(dtype=float) for part in (cells[day], marker[other]))
            pairs = ~np.isnan(x) & ~np.isnan(y)
            if pairs.sum() >= rules.min_subjects:
                found[each.code, day, other] = estimate_rank_correlation(
                    _finite(x[pairs]), _finite(y[pairs]), rules.confidence_level
                )
    q_values = benjamini_hochberg([each.p for each in found.values()])
    for ((code, day, other), result), q in zip(found.items(), q_values.tolist(), strict=True):
        statistics: dict[str, float | str] = {
            "n": float(result.n),
            "rho": result.rho,
            "rho_low": result.low,
            "rho_high": result.high,
            "p": result.p,
            "q": q,
        }
        out.add(
            "lag_between",
            statistics,
            dataset="ADPD",
            variable=code,
            analyte=study.settings.analyte,
            by={"cell_day": f"{day:g}", "marker_day": f"{other:g}"},
            where=WHERE,
            n=float(result.n),
            method="Spearman, Fisher's transformation",
            notes=explain_missing(statistics, result.reason),
        )


def _finite(values: Vector) -> Vector:
    """Numbers of the same order: what lies beyond a limit is lowest or highest."""
    return np.unique(values, return_inverse=True)[1].astype(float)
