"""Time to an event: Cox models from a landmark, with exposure that changes, and without either.

Models ``COX`` (one exposure a subject) and ``COX_TIMEDEP`` (exposure so far at each event).
The hazard is cause-specific: who has a competing event leaves the risk set then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.exposure_over_time import (
    derive_intervals,
    find_first_known,
)
from celldossier.exposure_response.plan import (
    BLQ_HALF,
    PRIMARY,
    SENSITIVITY_VARIABLE,
    FamilyOutput,
    PlanCell,
    find_role,
)
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_groups import collect_groups
from celldossier.exposure_response.survival_predictions import collect_survival_predictions
from celldossier.exposure_response.survival_results import collect_hazard
from celldossier.exposure_response.survival_rows import SurvivalRows, find_landmark, select_rows
from celldossier.results import ResultCollector
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_results import CoxFit, Method
from celldossier.stats.predictors import is_constant

COX, TIMEDEP = "COX", "COX_TIMEDEP"
NO_LANDMARK = "NO_LANDMARK"
"""Population of the models that count immortal time: for comparison only."""
PERSISTENCE = "PERSIST"
"""Endpoint of ADTTE that is read off the concentrations themselves."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HazardResult:
    """What became of a cell.

    `subject` says whose each row of the fit is; `rows` has a row a subject.
    """

    cell: PlanCell
    rows: SurvivalRows
    subject: NDArray[np.intp]
    events: int
    fit: CoxFit | None
    reason: str


def plan_cells(study: Study) -> list[PlanCell]:
    """Cells of all endpoints of the kind time to event."""
    cells: list[PlanCell] = []
    for endpoint in study.of_kind("time_to_event"):
        cells += _plan_endpoint(study, endpoint)
    return cells


def _plan_endpoint(study: Study, endpoint: EndpointRule) -> list[PlanCell]:
    settings, options = study.settings, study.settings.time_to_event
    early = endpoint.code in options.early_endpoints
    metrics = (f"CLD{options.early_landmark}",) if early else settings.metrics
    cells = []
    for metric in metrics:
        landmark = find_landmark(metric, endpoint, study)
        for adjustment in settings.adjustments:
            role = find_role(metric, endpoint, adjustment, study)
            cells.append(
                PlanCell(endpoint, metric, COX, adjustment, PRIMARY, role, landmark=landmark)
            )
        other = PlanCell(
            endpoint, metric, COX, settings.primary_adjustment, BLQ_HALF, "SENSITIVITY"
        )
        if settings.all_blq_sensitivity and metric in SENSITIVITY_VARIABLE:
            cells.append(replace(other, landmark=landmark))
        if options.compare_without_landmark and not math.isnan(landmark):
            cells.append(replace(other, population=NO_LANDMARK))
    adjustments = dict.fromkeys(("UNADJUSTED", settings.primary_adjustment))
    return cells + [
        PlanCell(endpoint, metric, TIMEDEP, adjustment, PRIMARY, "SENSITIVITY")
        for metric in options.time_dependent
        for adjustment in adjustments
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Fit the models, and draw the curves of the groups of exposure."""
    first = find_first_known(study)
    outcomes = []
    for cell in cells:
        result = run_cell(study, cell, first)
        if cell.model == COX and cell.population == PRIMARY:
            counts = (result.rows.stop.size, result.events)
            collect_survival_predictions(study, cell, result.fit, result.reason, counts, out)
        outcomes.append(collect_hazard(study, result, out))
    curves = [
        row
        for endpoint in study.of_kind("time_to_event")
        for row in collect_groups(study, endpoint, out)
    ]
    return FamilyOutput(outcomes, curves)


def run_cell(study: Study, cell: PlanCell, first_sample: pd.Series) -> HazardResult:
    """Fit one model, or refuse it with a reason code.

    The rules are looked at in this order: outcome collected, anybody at risk after the
    landmark, subjects, any event, enough events for a model, enough per slope for an adjusted
    one, exposure that varies, correlation of exposure and covariate. The method follows from
    the number of events.
    """
    settings = study.settings
    if cell.model == TIMEDEP:
        rows = select_rows(study, cell, first_sample=first_sample)
        cut = derive_intervals(study, cell, rows)
        place, start, stop, event = cut.place, cut.start, cut.stop, cut.event
        exposure = np.log2(cut.value)
        # Who has the event while no sample stands for the exposure is at risk until then only.
        lost = float(rows.event.sum() - event.sum())
        rows = replace(rows, counts={**rows.counts, "events_noexposure": lost})
        if cell.endpoint.time == PERSISTENCE and not rows.reason:
            rows = replace(rows, reason="CIRCULAR")
    else:
        rows = select_rows(study, cell)
        place = np.arange(rows.stop.size)
        start, stop, event = rows.start, rows.stop, rows.event
        exposure = np.log2(rows.value)
    covariates = rows.covariates.to_numpy(dtype=float)[place]
    names = [EXPOSURE, *rows.covariates.columns]
    events = int(event.sum())
    reason = rows.reason or _refuse(exposure, covariates, events, settings)
    if reason:
        return HazardResult(cell, rows, place, events, None, reason)
    fit = estimate_cox(
        stop,
        event,
        np.column_stack([exposure, covariates]),
        names,
        choose_method(events, len(names), settings.firth_below),
        start=start,
        stratum=rows.stratum[place],
        level=settings.confidence_level,
        tested=[EXPOSURE],
    )
    reason = fit.reason or fit.coefficient(EXPOSURE).reason
    return HazardResult(cell, rows, place, events, None if reason else fit, reason)


def choose_method(events: int, slopes: int, firth_below: float) -> Method:
    """FIRTH below that number of events per slope: laid down before the fit."""
    return "FIRTH" if events < firth_below * slopes else "ML"


def _refuse(
    exposure: Floats, covariates: Floats, events: int, settings: ExposureResponseSettings
) -> str:
    slopes = 1 + covariates.shape[1]
    if events == 0:
        return "NOEVENT"
    if reason := refuse_events(events, events, slopes, settings):
        return reason
    if is_constant(exposure):
        return "CONSTANT"
    return "COLLIN" if is_confounded(exposure, covariates, settings) else ""
