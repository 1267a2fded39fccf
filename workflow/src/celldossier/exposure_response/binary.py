"""Binary endpoints: the plan is run, and what it gives is collected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from celldossier.exposure_response.plan import (
    LANDMARK,
    PRIMARY,
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
    predict_probability,
)
from celldossier.stats.multiplicity import adjust_within_families

EXPOSURE = "log2 exposure"
BIN_LETTER = {2: "H", 3: "T", 4: "Q", 5: "V"}
"""Halves, tertiles, quartiles, quintiles: levels of the key `bin` are Q1, Q2, ..."""
CURVE_POINTS = 101
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
            "or": math.exp(slope.estimate),
            "or_low": math.exp(slope.low),
            "or_high": math.exp(slope.high),
            "p": slope.p,
            "log_or": slope.estimate,
            "se": slope.se,
            "auc_roc": fit.auc,
            "separation": float(fit.separation),
            "model": fit.method,
        }
        if fit.separation:
            notes |= {"or": "SEPARFIX"}
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


def collect_observed_rates(
    results: Sequence[CellResult],
    settings: ExposureResponseSettings,
    units: dict[str, str],
    out: ResultCollector,
) -> pd.DataFrame:
    """Add the analysis `quartiles`; give the curves of the unadjusted models.

    Returns
    -------
    pandas.DataFrame
        Rows of CURVES: `exposure_response.probability/<ENDPOINT>/<METRIC>`, series
        ``fit`` (log2 exposure, probability, band) and ``observed`` (median of the bin,
        rate, Clopper-Pearson).
    """
    rows: list[dict[str, object]] = []
    for result in results:
        cell = result.cell
        if cell.adjustment != "UNADJUSTED" or cell.population not in (PRIMARY, LANDMARK):
            continue
        common = {
            "curve_id": f"exposure_response.probability/{cell.endpoint.code}/{cell.metric}",
            "x_unit": f"log2({units.get(cell.metric, '')})",
            "y_unit": "1",
        }
        rows += [common | row for row in _observed(result, settings, out)]
        if result.fit:
            rows += [common | row for row in _fitted(result, result.fit, settings)]
    return pd.DataFrame(rows)


def _fitted(
    result: CellResult, fit: LogisticFit, settings: ExposureResponseSettings
) -> list[dict[str, object]]:
    x = np.linspace(
        float(result.selection.exposure.min()),
        float(result.selection.exposure.max()),
        CURVE_POINTS,
    )
    y, low, high = predict_probability(fit, x, settings.confidence_level)
    n = float(fit.n)
    return [
        {"series": "fit", "kind": "fit", "x": a, "y": b, "low": c, "high": d, "n": n}
        for a, b, c, d in zip(x, y, low, high, strict=True)
    ]


def assign_bins(
    exposure: np.ndarray[tuple[int], np.dtype[np.float64]], bins: int, min_per_bin: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """Quantile group of each exposure, and the number of groups (0: too few subjects).

    One group less is made until each holds `min_per_bin` subjects; two are the least.
    A value at a boundary belongs to the lower group.
    """
    for k in range(bins, 1, -1):
        if exposure.size < k:
            continue
        edges = np.quantile(exposure, np.arange(1, k) / k)
        group = np.searchsorted(edges, exposure, side="left")
        if np.bincount(group, minlength=k).min() >= min_per_bin:
            return group, k
    return np.zeros(exposure.size, dtype=np.int64), 0


def _observed(
    result: CellResult, settings: ExposureResponseSettings, out: ResultCollector
) -> list[dict[str, object]]:
    chosen, cell = result.selection, result.cell
    add = partial(
        out.add,
        "quartiles",
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        where="ERFL = Y",
    )
    by = {"metric": cell.metric}
    group, k = assign_bins(chosen.exposure, settings.bins, settings.min_per_bin)
    n = float(chosen.event.size)
    notes = {} if k else {"bins": chosen.reason or "FEWSUBJ"}
    add({"bins": float(k) if k else math.nan}, by=by, n=n, notes=notes)
    rows: list[dict[str, object]] = []
    for index in range(k):
        member = group == index
        x, size = chosen.exposure[member], int(member.sum())
        events = int(chosen.event[member].sum())
        low, high = proportion.clopper_pearson(events, size, settings.confidence_level)
        predicted = math.nan
        if result.fit and result.fit.fitted is not None:
            predicted = 100 * float(result.fit.fitted[member].mean())
        add(
            {
                "n": float(size),
                "events": float(events),
                "pct": 100 * events / size,
                "ci_low": 100 * low,
                "ci_high": 100 * high,
                "exposure_min": float(2 ** x.min()),
                "exposure_max": float(2 ** x.max()),
                "pct_predicted": predicted,
            },
            by={**by, "bin": f"{BIN_LETTER[k]}{index + 1}"},
            n=float(size),
            method="Clopper-Pearson",
            notes={} if not math.isnan(predicted) else {"pct_predicted": result.reason},
        )
        rows.append(
            {
                "series": "observed",
                "kind": "observed",
                "x": float(np.median(x)),
                "y": events / size,
                "low": low,
                "high": high,
                "n": float(size),
            }
        )
    return rows
