"""Binary endpoints: the plan is run, and what it gives is collected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.exposure_response.plan import (
    PlanCell,
    Selection,
    select_subjects,
)
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats import proportion
from celldossier.stats.logistic import (
    LogisticFit,
    choose_method,
    estimate_logistic,
    odds_ratio,
)
from celldossier.stats.multiplicity import adjust_within_families

EXPOSURE = "log2 exposure"
METHODS = {
    "ML": "logistic, maximum likelihood, profile likelihood CI, likelihood ratio test",
    "FIRTH": "logistic, Firth penalty, profile penalised likelihood CI and ratio test",
}


@dataclass(frozen=True)
class CellResult:
    """What became of a cell: a fit, or the reason of its refusal."""

    cell: PlanCell
    selection: Selection
    fit: LogisticFit | None
    reason: str

    @property
    def p(self) -> float:
        """P value of the exposure, NaN where refused."""
        return self.fit.coefficient(EXPOSURE).p if self.fit else math.nan


def run_cell(ader: pd.DataFrame, cell: PlanCell, settings: ExposureResponseSettings) -> CellResult:
    """Run one model of the plan, or refuse it with a reason code.

    The rules are looked at in this order: outcome collected, subjects, events at all,
    enough events for a model, enough events per slope for an adjusted one, and
    correlation of metric and covariate. The method follows from the event count.
    """
    chosen = select_subjects(ader, cell, settings)
    reason = chosen.reason or _refuse(chosen, settings)
    if reason:
        return CellResult(cell, chosen, None, reason)
    design = np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)])
    n, events = chosen.event.size, int(chosen.event.sum())
    fit = estimate_logistic(
        chosen.event,
        design,
        [EXPOSURE, *chosen.covariates.columns],
        choose_method(events, n, design.shape[1], settings.firth_below),
        level=settings.confidence_level,
        tested=[EXPOSURE],
    )
    if not fit.reason and fit.coefficient(EXPOSURE).reason:
        return CellResult(cell, chosen, None, fit.coefficient(EXPOSURE).reason)
    return CellResult(cell, chosen, None if fit.reason else fit, fit.reason)


def _refuse(chosen: Selection, settings: ExposureResponseSettings) -> str:
    n, events = chosen.event.size, int(chosen.event.sum())
    rarer = min(events, n - events)
    slopes = 1 + chosen.covariates.shape[1]
    if n == 0:
        return "NOSUBJ"
    if events == 0:
        return "NOEVENT"
    if events == n:
        return "ALLEVENT"
    if rarer < settings.min_events:
        return "FEWEVENT"
    if slopes > 1 and rarer < settings.min_events_per_parameter * slopes:
        return "EPPLOW"
    if np.ptp(chosen.exposure) <= 1e-12 * max(1.0, float(np.abs(chosen.exposure).max())):
        return "CONSTANT"
    for column in chosen.covariates:
        covariate = chosen.covariates[column].to_numpy(dtype=float)
        correlation = float(np.corrcoef(chosen.exposure, covariate)[0, 1])
        if abs(correlation) > settings.max_correlation:
            return "COLLIN"
    return ""


def collect_models(
    results: Sequence[CellResult], settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Add the analyses `plan`, `logistic`, `fisher` and `multiplicity`."""
    for result in results:
        _add_plan(result, settings, out)
        _add_logistic(result, settings, out)
        if result.reason == "FEWEVENT" and result.cell.adjustment == "UNADJUSTED":
            _add_fisher(result, settings, out)
    _add_multiplicity(results, settings, out)


def _add_plan(result: CellResult, settings: ExposureResponseSettings, out: ResultCollector) -> None:
    cell = result.cell
    texts = {
        "role": cell.role,
        "family": cell.endpoint.family,
        "status": "RUN" if result.fit else "REFUSED",
        "model": result.fit.method if result.fit else "NONE",
        "covariates": "; ".join(result.selection.covariates.columns) or "NONE",
    }
    if result.reason:
        texts["reason"] = result.reason
    out.add(
        "plan",
        texts,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
    )


def _add_logistic(
    result: CellResult, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    cell, chosen, fit = result.cell, result.selection, result.fit
    n = float(chosen.event.size)
    statistics: dict[str, float | str] = {
        "n": n,
        "events": float(chosen.event.sum()),
        **chosen.counts,
    }
    names = ("or", "or_low", "or_high", "p", "log_or", "se", "auc_roc", "separation")
    notes = dict.fromkeys(names, result.reason) if result.reason else {}
    statistics |= dict.fromkeys(names, math.nan)
    if fit:
        slope = fit.coefficient(EXPOSURE)
        statistics |= {
            "or": odds_ratio(slope.estimate),
            "or_low": odds_ratio(slope.low),
            "or_high": odds_ratio(slope.high),
            "p": slope.p,
            "log_or": slope.estimate,
            "se": slope.se,
            "auc_roc": fit.auc,
            "separation": float(fit.separation),
            "model": fit.method,
        }
        if fit.separation:
            notes |= {"or": "SEPARFIX"}
        notes |= note_overflow(statistics)
    out.add(
        "logistic",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        n=n,
        method=METHODS[fit.method] if fit else "",
        notes=notes,
    )


def note_overflow(statistics: Mapping[str, float | str]) -> dict[str, str]:
    """Reason of the odds ratios of a fitted model that are outside the range of numbers."""
    return {
        name: "OVERFLOW"
        for name in ("or", "or_low", "or_high")
        if isinstance(value := statistics[name], float) and math.isnan(value)
    }


def _add_fisher(
    result: CellResult, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Descriptive only: event by exposure at or above against below the median."""
    chosen = result.selection
    high = chosen.exposure >= np.median(chosen.exposure)
    table = [
        [int(((chosen.event == event) & (high == side)).sum()) for event in (1, 0)]
        for side in (True, False)
    ]
    notes: dict[str, str] = {}
    p = math.nan
    if min(sum(row) for row in table) == 0:
        notes["p"] = "CONSTANT"
    else:
        p = proportion.test_fisher(table).p
    out.add(
        "fisher",
        {
            "events_high": float(table[0][0]),
            "n_high": float(sum(table[0])),
            "events_low": float(table[1][0]),
            "n_low": float(sum(table[1])),
            "p": p,
        },
        dataset="ADER",
        variable=result.cell.endpoint.code,
        analyte=settings.analyte,
        by={"metric": result.cell.metric, "population": result.cell.population},
        where="ERFL = Y",
        n=float(chosen.event.size),
        method="Fisher's exact test, exposure split at its median",
        notes=notes,
    )


def _add_multiplicity(
    results: Sequence[CellResult], settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Raw p and q of each model; sensitivity analyses repeat a question and have no q."""
    tested = [r for r in results if r.cell.role != "SENSITIVITY"]
    adjusted = adjust_within_families(
        [r.p for r in tested], [r.cell.endpoint.family for r in tested]
    )
    q_values = {id(r): float(q) for r, q in zip(tested, adjusted, strict=True)}
    for result in results:
        q = q_values.get(id(result), math.nan)
        reason = result.reason or "SENSANAL"
        out.add(
            "multiplicity",
            {
                "p": result.p,
                "q": q,
                "family": result.cell.endpoint.family,
                "prespecified": "Y" if result.cell.role == "PRIMARY" else "N",
            },
            dataset="ADER",
            variable=result.cell.endpoint.code,
            analyte=settings.analyte,
            by=result.cell.by,
            where="ERFL = Y",
            n=float(result.selection.event.size),
            method="Benjamini-Hochberg within family",
            notes={"p": reason, "q": reason} if math.isnan(q) else {},
        )
