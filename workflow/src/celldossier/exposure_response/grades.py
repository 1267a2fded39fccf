"""Ordinal endpoints: proportional odds models, their test, and separate models of each cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from celldossier.exposure_response.binary_fits import EXPOSURE, refuse_model
from celldossier.exposure_response.grade_predictions import collect_grade_predictions
from celldossier.exposure_response.odds import note_overflow
from celldossier.exposure_response.plan import (
    PRIMARY,
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    Selection,
    select_subjects,
)
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats import ordinal
from celldossier.stats.brant import test_proportional_odds
from celldossier.stats.logistic import Coefficient, estimate_logistic, odds_ratio

MODEL = "ORDINAL"
METHOD = "PROPODDS"


def plan_cells(study: Study) -> list[PlanCell]:
    """Grade x metric x adjustment, all secondary.

    The full set of covariates has as many slopes as the sparse upper grades cannot carry.
    """
    settings = study.settings
    return [
        PlanCell(endpoint, metric, MODEL, adjustment, PRIMARY, "SECONDARY")
        for endpoint in study.of_kind("ordinal")
        for metric in settings.ordinal_metrics
        for adjustment in settings.adjustments
        if adjustment != "FULL"
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Add `ordinal` (proportional odds) and `cumulative` (separate Firth fits).

    The cumulative fits stand beside each proportional odds model, so that they are
    at hand where its assumption fails or cannot be tested.
    """
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    settings, grade = study.settings, cell.endpoint.code
    chosen = select_subjects(study, cell)
    outcome, variables = chosen.event, list(chosen.covariates.columns)
    design = np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)])
    by: dict[str, str] = {"metric": cell.metric, "adjustment": cell.adjustment}
    names = [EXPOSURE, *variables]
    refusal = refuse_grades(chosen, settings)
    _add_cumulative(chosen, names, grade, by, settings, out)
    fit, p, reason, rejected = _add_ordinal(
        outcome, design, names, grade, by, (refusal, chosen.counts), settings, out
    )
    why = reason or ("POREJECT" if rejected else "")
    collect_grade_predictions(study, cell, fit, design, why, out)
    return ModelOutcome(
        cell,
        "NONE" if reason else METHOD,
        tuple(variables),
        outcome.size,
        float((outcome > 0).sum()),
        p,
        reason,
    )


def _add_ordinal(
    outcome: np.ndarray[tuple[int], np.dtype[np.float64]],
    design: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    names: list[str],
    grade: str,
    by: dict[str, str],
    selected: tuple[str, dict[str, float]],
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> tuple[ordinal.OrdinalFit, float, str, bool]:
    """The fit, p of the exposure, why it was refused, and whether proportional odds were."""
    fit = ordinal.estimate_proportional_odds(
        outcome, design, names, settings.confidence_level, tested=[EXPOSURE]
    )
    brant = test_proportional_odds(outcome, design)
    refusal, counts = selected
    reason = fit.reason if refusal in ("", "FEWEVENT") and fit.reason else refusal
    slope = fit.coefficients[0] if not reason else Coefficient(EXPOSURE, math.nan)
    statistics: dict[str, float | str] = {
        "n": float(outcome.size),
        "events": float((outcome > 0).sum()),
        **counts,
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
    return fit, slope.p, reason, statistics["po_verdict"] == "REJECTED"


def refuse_grades(chosen: Selection, settings: ExposureResponseSettings) -> str:
    """Reason why the rules of the plan allow no model of the grades; blank where they do.

    The events that carry the slopes are the subjects outside the most frequent grade: of two
    grades the rarer one, as in a logistic model.
    """
    if chosen.reason:
        return chosen.reason
    counts = np.unique(chosen.event, return_counts=True)[1]
    slopes = 1 + chosen.covariates.shape[1]
    events, rarer = int((chosen.event > 0).sum()), chosen.event.size - int(counts.max())
    if reason := refuse_events(events, rarer, slopes, settings):
        return reason
    covariates = chosen.covariates.to_numpy(dtype=float)
    return "COLLIN" if is_confounded(chosen.exposure, covariates, settings) else ""


def _add_cumulative(
    chosen: Selection,
    names: list[str],
    grade: str,
    by: dict[str, str],
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    design = np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)])
    for cut in (1.0, 2.0, 3.0, 4.0):
        event = (chosen.event >= cut).astype(float)
        events, n = int(event.sum()), chosen.event.size
        slope = Coefficient(EXPOSURE, math.nan)
        reason = chosen.reason or refuse_model(replace(chosen, event=event), settings)
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
