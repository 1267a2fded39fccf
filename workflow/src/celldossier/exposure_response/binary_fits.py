"""Logistic models of binary endpoints: one cell of the plan, run or refused."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from celldossier.exposure_response.plan import ModelOutcome, PlanCell, Selection, select_subjects
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.exposure_response.study import Study
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.logistic import LogisticFit, choose_method, estimate_logistic
from celldossier.stats.predictors import is_constant

EXPOSURE = "log2 exposure"


@dataclass(frozen=True)
class CellResult:
    """What became of a cell: a fit, or the reason of its refusal."""

    cell: PlanCell
    selection: Selection
    fit: LogisticFit | None
    reason: str

    @property
    def outcome(self) -> ModelOutcome:
        """The cell in the plan and in the adjustment of p values."""
        return ModelOutcome(
            self.cell,
            self.fit.method if self.fit else "NONE",
            tuple(self.selection.covariates.columns),
            self.selection.event.size,
            float(self.selection.event.sum()),
            self.fit.coefficient(EXPOSURE).p if self.fit else math.nan,
            self.reason,
        )


def run_cell(study: Study, cell: PlanCell) -> CellResult:
    """Run one model of the plan with its subjects; see `fit_selection`."""
    return fit_selection(cell, select_subjects(study, cell), study.settings)


def fit_selection(
    cell: PlanCell, chosen: Selection, settings: ExposureResponseSettings
) -> CellResult:
    """Run one model on chosen subjects, or refuse it with a reason code.

    The rules are looked at in this order: outcome collected, subjects, events at all,
    enough events for a model, enough events per slope for an adjusted one, and
    correlation of metric and covariate. The method follows from the event count.
    """
    # The reason of the selection comes first.
    reason = chosen.reason or refuse_model(chosen, settings)
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


def refuse_model(
    chosen: Selection, settings: ExposureResponseSettings, further_slopes: int = 0
) -> str:
    """Reason why the rules allow no model of a selection; blank where they do.

    `further_slopes` counts predictors beside exposure and covariates, such as products.
    """
    n, events = chosen.event.size, int(chosen.event.sum())
    rarer = min(events, n - events)
    slopes = 1 + chosen.covariates.shape[1] + further_slopes
    if n == 0:
        return "NOSUBJ"
    if events == 0:
        return "NOEVENT"
    if events == n:
        return "ALLEVENT"
    if reason := refuse_events(rarer, rarer, slopes, settings):
        return reason
    if is_constant(chosen.exposure):
        return "CONSTANT"
    covariates = chosen.covariates.to_numpy(dtype=float)
    return "COLLIN" if is_confounded(chosen.exposure, covariates, settings) else ""
