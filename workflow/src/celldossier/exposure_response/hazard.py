"""Daily hazard of events that begin before the peak, on the concentration known by then.

The exposure of a day is the latest concentration at or before its start; a whole-profile
metric, or an area up to the onset, never is: a subject with the event would have a shorter
area because of the event.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.odds import METHODS, describe_exposure
from celldossier.exposure_response.plan import (
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    adjustment_variables,
    make_design,
)
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.discrete_hazard import (
    DaysAtRisk,
    derive_current_value,
    derive_days_at_risk,
    make_baseline,
)
from celldossier.stats.logistic import LogisticFit, choose_method, estimate_logistic
from celldossier.stats.predictors import is_constant

MODEL, CURRENT, POPULATION = "HAZARD", "CCURR", "AT_RISK"
Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True)
class AtRisk:
    """Days at risk of the subjects of a cell, and who and what was left out."""

    event: Vector
    day: Vector
    exposure: Vector
    """log2 of the latest concentration before the day."""
    covariates: Matrix
    names: tuple[str, ...]
    counts: dict[str, float]
    reason: str = ""


def plan_cells(study: Study) -> list[PlanCell]:
    """Binary endpoint with an onset x adjustment, all sensitivity analyses."""
    settings = study.settings
    if not settings.hazard.run:
        return []
    return [
        PlanCell(endpoint, CURRENT, MODEL, adjustment, POPULATION, "SENSITIVITY")
        for endpoint in study.of_kind("binary")
        if endpoint.onset
        for adjustment in settings.adjustments
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analysis `hazard`."""
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def select_days(study: Study, endpoint: EndpointRule, adjustment: str) -> AtRisk:
    """Days at risk from the infusion to the first onset of any grade, or the end.

    A first onset that did not reach the grade of the endpoint ends the risk without the
    event.
    """
    settings = study.settings
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    values = study.values(endpoint).loc[population.index]
    counts = {"n_er": float(len(population))}
    known = values["AVAL"].notna()
    # An event without a day of onset, or that began before the infusion, has no days at risk.
    onset = values["ONSETDY"].astype(float)
    dated = ~((values["AVAL"] == 1) & ~(onset >= 0)) & ~(onset < 0)
    covariates, present = make_design(
        population.loc[known & dated], adjustment_variables(adjustment, settings)
    )
    used = present.index[present]
    counts |= {
        "n_nooutcome": float((~known).sum()),
        "n_onset": float((known & ~dated).sum()),
        "n_nocovariate": float((~present).sum()),
    }
    reason = ""
    if population.empty or not known.any():
        reason = "NOTCOLL"
    elif adjustment != "UNADJUSTED" and covariates.shape[1] == 0:
        reason = "NOCOVAR"
    kept = population.loc[used]
    follow_up = study.sources.adsl.set_index(KEY)["FUDUR"].reindex(
        pd.MultiIndex.from_frame(kept[KEY])
    )
    rows = derive_days_at_risk(onset.loc[used], follow_up.to_numpy(float), settings.hazard.window)
    reached = (values.loc[used, "AVAL"] == 1).to_numpy(dtype=float)
    event = rows.event * reached[rows.subject]
    current = _current(study, kept, rows)
    has = current > 0
    present_days = np.unique(rows.subject[has]).size
    counts |= {
        "n": float(present_days),
        "n_noexposure": float(len(kept) - present_days),
        "days": float(has.sum()),
        "days_noexposure": float((~has).sum()),
        "events": float(event[has].sum()),
        "events_noexposure": float(event[~has].sum()),
    }
    if not reason and not has.any():
        reason = "NOSUBJ"
    design = covariates.loc[used].to_numpy(dtype=float)[rows.subject[has]]
    varying = np.ptp(design, axis=0) > 0 if len(design) else np.zeros(design.shape[1], dtype=bool)
    return AtRisk(
        event[has],
        rows.day[has],
        np.log2(current[has]),
        design[:, varying],
        tuple(covariates.columns[varying]),
        counts,
        reason,
    )


def _current(study: Study, kept: pd.DataFrame, rows: DaysAtRisk) -> Vector:

    adpc, settings = study.sources.adpc, study.settings
    samples = adpc.loc[
        (adpc["PARAMCD"] == settings.analyte) & (adpc["ANL01FL"] == "Y") & (adpc["AFRLT"] > 0)
    ]
    # Below the limit: half of it, as at the landmarks.
    value = samples["AVAL"].mask(samples["BLQFL"] == "Y", samples["ALLOQ"] / 2)
    who = pd.MultiIndex.from_frame(kept[KEY]).get_indexer(pd.MultiIndex.from_frame(samples[KEY]))
    ours = who >= 0
    return derive_current_value(
        rows,
        who[ours],
        samples["AFRLT"].to_numpy(dtype=float)[ours],
        value.to_numpy(dtype=float)[ours],
        settings.hazard.max_sample_age,
    )[0]


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    settings = study.settings
    chosen = select_days(study, cell.endpoint, cell.adjustment)
    reason = chosen.reason or _refuse(chosen, settings)
    fit: LogisticFit | None = None
    baseline = np.zeros((chosen.day.size, 0))
    if not reason:
        baseline = make_baseline(
            chosen.day, chosen.event, _baseline_df(chosen, settings), settings.hazard.baseline
        )
        design = np.column_stack([chosen.exposure, chosen.covariates, baseline])
        names = [EXPOSURE, *chosen.names, *(f"day {j + 1}" for j in range(baseline.shape[1]))]
        events = int(chosen.event.sum())
        fit = estimate_logistic(
            chosen.event,
            design,
            names,
            choose_method(events, chosen.event.size, design.shape[1], settings.firth_below),
            level=settings.confidence_level,
            tested=[EXPOSURE],
        )
        reason = fit.reason or fit.coefficient(EXPOSURE).reason
    if reason:
        fit = None
    _add(cell, chosen, fit, baseline.shape[1], reason, settings, out)
    return ModelOutcome(
        cell,
        fit.method if fit else "NONE",
        chosen.names,
        int(chosen.counts["n"]),
        chosen.counts["events"],
        fit.coefficient(EXPOSURE).p if fit else math.nan,
        reason,
    )


def _baseline_df(chosen: AtRisk, settings: ExposureResponseSettings) -> int:
    """Columns of the baseline that the events carry, at least 1."""
    slopes = 1 + chosen.covariates.shape[1]
    carried = int(chosen.event.sum() // settings.min_events_per_parameter) - slopes
    return max(1, min(settings.hazard.baseline_df, carried))


def _refuse(chosen: AtRisk, settings: ExposureResponseSettings) -> str:
    events = int(chosen.event.sum())
    slopes = 1 + chosen.covariates.shape[1]
    if events == 0:
        return "NOEVENT"
    if events == chosen.event.size:
        return "ALLEVENT"
    rarer = min(events, chosen.event.size - events)
    if reason := refuse_events(rarer, events, slopes, settings):
        return reason
    if is_constant(chosen.exposure):
        return "CONSTANT"
    return "COLLIN" if is_confounded(chosen.exposure, chosen.covariates, settings) else ""


def _add(
    cell: PlanCell,
    chosen: AtRisk,
    fit: LogisticFit | None,
    baseline_df: int,
    reason: str,
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    statistics, notes = describe_exposure(fit, reason)
    statistics["baseline_df"] = float(baseline_df) if fit else math.nan
    if not fit:
        notes["baseline_df"] = reason
    statistics |= chosen.counts
    out.add(
        "hazard",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        n=chosen.counts["n"],
        method=f"days at risk: {METHODS[fit.method]}" if fit else "",
        notes=notes,
    )
