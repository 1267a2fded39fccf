"""Evaluation of the proportional odds models: each cut, and the influence of each subject."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from celldossier.exposure_response import grades
from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.model_rows import Vector
from celldossier.exposure_response.plan import PlanCell, select_subjects
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector
from celldossier.stats.calibration import estimate_calibration
from celldossier.stats.discrimination import estimate_area_under_curve
from celldossier.stats.logistic import odds_ratio
from celldossier.stats.ordinal import OrdinalFit, estimate_proportional_odds, predict_cumulative

METHOD = "proportional odds, maximum likelihood"
INFLUENCE = ("or", "dfbetas_max", "or_min", "or_max")
CUT = ("auc", "auc_low", "auc_high", "brier", "slope", "predicted")


@dataclass(frozen=True)
class _Rows:
    outcome: Vector
    design: Vector
    names: list[str]
    subjects: Vector
    refusal: str


def collect_ordinal_evaluation(study: Study, out: ResultCollector) -> None:
    """Add `ordinal_influence` and `ordinal_cut` for the models with the primary adjustment."""
    for cell in grades.plan_cells(study):
        if cell.adjustment == study.settings.primary_adjustment:
            _evaluate(study, cell, out)


def _read_rows(study: Study, cell: PlanCell) -> _Rows:
    chosen = select_subjects(study, cell)
    return _Rows(
        chosen.event,
        np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)]),
        [EXPOSURE, *chosen.covariates.columns],
        study.ader.loc[chosen.subjects, KEY[1]].to_numpy(),
        grades.refuse_grades(chosen, study.settings),
    )


def _evaluate(study: Study, cell: PlanCell, out: ResultCollector) -> None:
    rows, settings = _read_rows(study, cell), study.settings
    events = float((rows.outcome > 0).sum())
    reason, fit = rows.refusal, None
    if not reason:
        fit = estimate_proportional_odds(rows.outcome, rows.design, rows.names, tested=[])
        reason = fit.reason
    place: dict[str, Any] = {
        "dataset": "ADER",
        "variable": cell.endpoint.code,
        "analyte": settings.analyte,
        "where": "ERFL = Y",
        "n": float(rows.outcome.size),
        "method": "" if reason else METHOD,
    }
    by = {"metric": cell.metric, "adjustment": cell.adjustment}
    statistics: dict[str, float | str] = {"n": float(rows.outcome.size), "events": events}
    if reason or fit is None:
        missing = dict.fromkeys(INFLUENCE, math.nan)
        notes = dict.fromkeys(INFLUENCE, reason)
        out.add("ordinal_influence", {**statistics, **missing}, by=by, notes=notes, **place)
        return
    found, notes = _find_influence(study, rows, fit)
    out.add("ordinal_influence", {**statistics, **found}, by=by, notes=notes, **place)
    probability = predict_cumulative(fit, rows.design)
    for position, cut in enumerate(fit.levels[1:]):
        event = (rows.outcome >= cut).astype(float)
        values, missing_notes = _judge_cut(study, event, probability[:, position])
        shares = {"pct": 100 * float(event.mean())}
        counts = {"n": float(event.size), "events": float(event.sum())}
        out.add(
            "ordinal_cut",
            {**counts, **values, **shares},
            by={**by, "grade": f"GE{cut:g}"},
            units={"predicted": "%", "pct": "%"},
            notes=missing_notes,
            **place,
        )


def _judge_cut(
    study: Study, event: Vector, probability: Vector
) -> tuple[dict[str, float], dict[str, str]]:
    """Discrimination and calibration of one cut, where it has enough events for a number."""
    rarer = min(event.sum(), event.size - event.sum())
    if rarer < study.settings.min_events:
        return dict.fromkeys(CUT, math.nan), dict.fromkeys(CUT, "FEWEVENT")
    area = estimate_area_under_curve(event, probability, study.settings.confidence_level)
    own = estimate_calibration(event, probability, study.settings.confidence_level)
    values = {
        "auc": area.area,
        "auc_low": area.low,
        "auc_high": area.high,
        "brier": own.brier,
        "slope": own.slope,
        "predicted": 100 * float(probability.mean()),
    }
    reasons = {"auc_low": area.reason, "auc_high": area.reason, "slope": own.reason}
    return values, {k: reasons.get(k) or "NOCONV" for k, v in values.items() if math.isnan(v)}


def _find_influence(
    study: Study, rows: _Rows, fit: OrdinalFit
) -> tuple[dict[str, float | str], dict[str, str]]:
    """Common odds ratio without each subject, by exact refits."""
    n = rows.outcome.size
    estimates = np.full(n, math.nan)
    for i in range(n):
        kept = np.arange(n) != i
        without = estimate_proportional_odds(
            rows.outcome[kept], rows.design[kept], rows.names, tested=[]
        )
        if not without.reason:
            estimates[i] = without.coefficients[0].estimate
    whole = fit.coefficients[0]
    size = np.nan_to_num(np.abs(whole.estimate - estimates) / whole.se, nan=-1.0)
    limit = study.settings.evaluation.influence_limit / math.sqrt(n)
    listed = [i for i in np.argsort(-size, kind="stable") if size[i] > limit]
    statistics: dict[str, float | str] = {
        "or": odds_ratio(whole.estimate),
        "dfbetas_max": float(size.max()) if (size >= 0).any() else math.nan,
        "or_min": odds_ratio(float(np.nanmin(estimates))) if (size >= 0).any() else math.nan,
        "or_max": odds_ratio(float(np.nanmax(estimates))) if (size >= 0).any() else math.nan,
        "n_influential": float(len(listed)),
    }
    if listed:
        statistics["influential"] = "; ".join(
            f"{rows.subjects[i]} ({odds_ratio(float(estimates[i])):.3g})" for i in listed
        )
    return statistics, {
        name: "NOCONV" if name != "or" else "OVERFLOW"
        for name, value in statistics.items()
        if isinstance(value, float) and math.isnan(value)
    }
