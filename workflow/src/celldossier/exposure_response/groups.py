"""Exposure in groups: by event (geometric mean ratio) and by grade (trend, ordinal models)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from celldossier.exposure_response.binary import EXPOSURE, note_overflow
from celldossier.exposure_response.endpoints import Endpoint, derive_event
from celldossier.exposure_response.plan import PRIMARY, adjustment_variables
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats import association, ordinal
from celldossier.stats.descriptive import describe
from celldossier.stats.logistic import Coefficient, estimate_logistic, odds_ratio
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.ratio import estimate_ratio

GRADES = ("CRSGR", "ICANSGR")
LIST_BELOW = 3
"""Groups smaller than this list their values instead of statistics alone (science.md G-19)."""


def block_notes(block: Mapping[str, float]) -> dict[str, str]:
    """Reason code for each statistic of a descriptive block that is missing."""
    return {
        name: "NOGROUP" if block["n"] == 0 else "FEWVAL"
        for name, value in block.items()
        if math.isnan(value)
    }


def collect_event_ratios(
    ader: pd.DataFrame,
    endpoints: Sequence[Endpoint],
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    """Add `ratio_by_response`: exposure with the event over exposure without it.

    The rank test takes all values, also the zeros of subjects that were never
    quantifiable; the ratio has the positive ones.
    """
    population = ader.loc[ader["ERFL"] == "Y"]
    for endpoint in endpoints:
        rules = settings.unknown_response if endpoint.variable == "OBJRESP" else ("EXCLUDED",)
        for position, rule in enumerate(rules):
            event = derive_event(population, endpoint, rule)
            name = PRIMARY if position == 0 else f"UNKNOWN_{rule}"
            for metric in settings.metrics:
                groups = [
                    population.loc[event == value, metric].dropna().to_numpy(dtype=float)
                    for value in (1.0, 0.0)
                ]
                _add_ratio(groups, endpoint, metric, name, settings, out)


def _add_ratio(
    groups: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
    endpoint: Endpoint,
    metric: str,
    population: str,
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    ratio = estimate_ratio(groups[0], groups[1], settings.ratio_confidence_level)
    rank = association.test_wilcoxon(groups[0], groups[1])
    statistics: dict[str, float | str] = {
        "gmr": ratio.ratio,
        "gmr_low": ratio.low,
        "gmr_high": ratio.high,
        "n_ratio_event": float(ratio.n_test),
        "n_ratio_noevent": float(ratio.n_reference),
        "p_wilcoxon": rank.p,
    }
    notes = {k: ratio.reason for k in ("gmr", "gmr_low", "gmr_high") if _missing(statistics[k])}
    if rank.reason:
        notes["p_wilcoxon"] = rank.reason
    for suffix, values in zip(("event", "noevent"), groups, strict=True):
        block = {f"{stat}_{suffix}": value for stat, value in describe(values).items()}
        missing = "NOGROUP" if values.size == 0 else "FEWVAL"
        notes |= {stat: missing for stat, value in block.items() if math.isnan(value)}
        statistics |= block
    out.add(
        "ratio_by_response",
        statistics,
        dataset="ADER",
        variable=metric,
        analyte=settings.analyte,
        by={"endpoint": endpoint.code, "population": population},
        where="ERFL = Y",
        n=float(groups[0].size + groups[1].size),
        method=f"Welch t interval on ln; {rank.method}",
        notes=notes,
    )


def _missing(value: float | str) -> bool:
    return isinstance(value, float) and math.isnan(value)


def collect_grades(
    ader: pd.DataFrame,
    settings: ExposureResponseSettings,
    units: Mapping[str, str],
    out: ResultCollector,
) -> None:
    """Add `grade_summary` and `grade_trend`: exposure by worst grade of CRS and ICANS."""
    population = ader.loc[ader["ERFL"] == "Y"]
    tests = {
        (grade, metric): association.test_jonckheere(population[metric], population[grade])
        for grade in GRADES
        for metric in settings.metrics
    }
    adjusted = benjamini_hochberg([test.p for test in tests.values()])
    q_values = dict(zip(tests, adjusted.tolist(), strict=True))
    for (grade, metric), test in tests.items():
        notes = {}
        if test.reason:
            not_collected = population[grade].isna().all()
            notes = dict.fromkeys(("z", "p", "q"), "NOTCOLL" if not_collected else test.reason)
        out.add(
            "grade_trend",
            {"n": float(test.n), "z": test.statistic, "p": test.p, "q": q_values[grade, metric]},
            dataset="ADER",
            variable=metric,
            analyte=settings.analyte,
            by={"endpoint": grade},
            where="ERFL = Y",
            n=float(test.n),
            method=test.method,
            notes=notes,
        )
        for level in sorted(population[grade].dropna().unique()):
            values = population.loc[population[grade] == level, metric].dropna()
            block = describe(values)
            statistics: dict[str, float | str] = dict(block)
            if 0 < len(values) < LIST_BELOW:
                statistics["values"] = "; ".join(f"{v:.6g}" for v in sorted(values))
            out.add(
                "grade_summary",
                statistics,
                dataset="ADER",
                variable=metric,
                analyte=settings.analyte,
                by={"endpoint": grade, "grade": f"{level:g}"},
                where="ERFL = Y",
                unit=units.get(metric, ""),
                units={"n": "", "gcv": "%"},
                n=block["n"],
                notes=block_notes(block),
            )


def collect_ordinal(
    ader: pd.DataFrame, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Add `ordinal` (proportional odds) and `cumulative` (separate Firth fits).

    The cumulative fits stand beside each proportional odds model, so that they are
    at hand where its assumption fails or cannot be tested.
    """
    for grade in GRADES:
        for metric in settings.ordinal_metrics:
            for adjustment in settings.adjustments:
                if adjustment == "FULL":
                    continue  # as many slopes as the sparse upper grades cannot carry
                variables = list(adjustment_variables(adjustment, settings))
                rows = ader.loc[
                    (ader["ERFL"] == "Y") & (ader[metric] > 0) & ader[grade].notna()
                ].dropna(subset=variables)
                design = np.column_stack(
                    [np.log2(rows[metric].to_numpy(dtype=float))]
                    + [rows[v].to_numpy(dtype=float) for v in variables]
                )
                by: dict[str, str] = {"metric": metric, "adjustment": adjustment}
                names = [EXPOSURE, *variables]
                outcome = rows[grade].to_numpy(dtype=float)
                collected = bool(ader.loc[ader["ERFL"] == "Y", grade].notna().any())
                _add_ordinal(outcome, design, names, grade, by, collected, settings, out)
                _add_cumulative(outcome, design, names, grade, by, settings, out)


def _add_ordinal(
    outcome: np.ndarray[tuple[int], np.dtype[np.float64]],
    design: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    names: list[str],
    grade: str,
    by: dict[str, str],
    collected: bool,
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    fit = ordinal.estimate_proportional_odds(outcome, design, names, settings.confidence_level)
    brant = ordinal.test_proportional_odds(outcome, design)
    reason = fit.reason
    if not collected:
        reason = "NOTCOLL"
    elif not reason and (outcome > 0).sum() < settings.min_events:
        reason = "FEWEVENT"
    slope = fit.coefficients[0] if not reason else Coefficient(EXPOSURE, math.nan)
    statistics: dict[str, float | str] = {
        "n": float(outcome.size),
        "events": float((outcome > 0).sum()),
        "or": odds_ratio(slope.estimate),
        "or_low": odds_ratio(slope.low),
        "or_high": odds_ratio(slope.high),
        "p": slope.p,
        "po_chisq": brant.chi_squared,
        "po_df": float(brant.df),
        "po_p": brant.p,
    }
    keys = ("or", "or_low", "or_high", "p")
    notes = dict.fromkeys(keys, reason) if reason else note_overflow(statistics)
    if brant.levels:
        statistics["po_levels"] = "; ".join(f"{v:g}" for v in brant.levels)
    if brant.reason:
        notes |= dict.fromkeys(("po_chisq", "po_p"), brant.reason)
        statistics["po_verdict"] = "NOT_TESTABLE"
    else:
        holds = brant.p >= settings.proportional_odds_alpha
        statistics["po_verdict"] = "NOT_REJECTED" if holds else "REJECTED"
    out.add(
        "ordinal",
        statistics,
        dataset="ADER",
        variable=grade,
        analyte=settings.analyte,
        by=by,
        where="ERFL = Y",
        n=float(outcome.size),
        method="proportional odds, profile likelihood CI; Brant test",
        notes=notes,
    )


def _add_cumulative(
    outcome: np.ndarray[tuple[int], np.dtype[np.float64]],
    design: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    names: list[str],
    grade: str,
    by: dict[str, str],
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    for cut in (1.0, 2.0, 3.0, 4.0):
        event = (outcome >= cut).astype(float)
        events, n = int(event.sum()), outcome.size
        slope = Coefficient(EXPOSURE, math.nan)
        reason = "NOSUBJ" if n == 0 else "NOEVENT" if events == 0 else ""
        if not reason and events == n:
            reason = "ALLEVENT"
        if not reason and min(events, n - events) < settings.min_events:
            reason = "FEWEVENT"
        if not reason:
            fit = estimate_logistic(
                event,
                design,
                names,
                "FIRTH",
                level=settings.confidence_level,
                tested=[EXPOSURE],
            )
            reason = fit.reason or fit.coefficient(EXPOSURE).reason
            slope = slope if reason else fit.coefficient(EXPOSURE)
        statistics: dict[str, float | str] = {
            "n": float(n),
            "events": float(events),
            "or": odds_ratio(slope.estimate),
            "or_low": odds_ratio(slope.low),
            "or_high": odds_ratio(slope.high),
            "p": slope.p,
        }
        keys = ("or", "or_low", "or_high", "p")
        out.add(
            "cumulative",
            statistics,
            dataset="ADER",
            variable=grade,
            analyte=settings.analyte,
            by={**by, "grade": f"GE{cut:g}"},
            where="ERFL = Y",
            n=float(n),
            method="logistic, Firth penalty, profile penalised likelihood CI",
            notes=dict.fromkeys(keys, reason) if reason else note_overflow(statistics),
        )
