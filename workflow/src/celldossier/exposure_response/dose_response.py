"""Outcome against dose: odds or hazard ratio per doubling of the dose given.

All infused subjects, not only those with an exposure: the dose is known of each. Beside the
exposure the dose has a second model, which only describes what is left of the relation:
the exposure may carry the effect of the dose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.exposure_response import odds
from celldossier.exposure_response.binary_fits import EXPOSURE as SLOPE
from celldossier.exposure_response.binary_fits import fit_selection
from celldossier.exposure_response.dose_metrics import UNIT_VARIABLES, list_doses
from celldossier.exposure_response.dose_rates import collect_dose_rates
from celldossier.exposure_response.endpoint_values import derive_event
from celldossier.exposure_response.plan import FamilyOutput, ModelOutcome, PlanCell, Selection
from celldossier.exposure_response.refusals import refuse_events
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_rows import (
    find_clock_offset,
    find_landmark,
    is_late,
)
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.endpoints import EndpointRule
from celldossier.stats import cox_diagnostics
from celldossier.stats.cox import estimate_cox, hazard_ratio
from celldossier.stats.logistic import odds_ratio

LOGISTIC, COX = "LOGISTIC", "COX"
DOSE, UNADJUSTED, EXPOSURE = "DOSE", "UNADJUSTED", "EXPOSURE"
METHODS = {
    **odds.METHODS,
    "COX": "Cox, Efron ties, profile partial likelihood CI, likelihood ratio test",
    "COX_FIRTH": "Cox, Efron ties, Firth penalty, profile penalised likelihood CI and ratio test",
}


@dataclass(frozen=True)
class DoseData:
    """The subjects of a cell: what the logistic models need, and the times of Cox models."""

    chosen: Selection
    start: np.ndarray[tuple[int], np.dtype[np.float64]]
    """Days from the endpoint's origin from which a subject is under observation."""
    stop: np.ndarray[tuple[int], np.dtype[np.float64]]
    """Days; NaN in binary endpoints."""


@dataclass(frozen=True)
class DoseFit:
    """Ratio per doubling of the dose, or the reason why there is none."""

    method: str = "NONE"
    log_ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    se: float = math.nan
    p: float = math.nan
    ph_p: float = math.nan
    """p of the test that the hazard ratio of the dose does not change with time."""
    reason: str = ""


def plan_cells(study: Study) -> list[PlanCell]:
    """Endpoint x dose metric, alone and beside the primary exposure metric of the endpoint.

    The time of a Cox model is counted from the endpoint's origin, but the subject enters
    only when the dose is complete, and beside the exposure only when that is known too: at
    the landmark of the exposure metric.
    """
    settings = study.settings.dose_response
    doses = list_doses(study.sources.adex, study.settings.dose_exposure.until)
    last = float(np.floor(doses["AFRLT"].max())) if len(doses) else 0.0
    complete = last if last > 0 else math.nan
    cells = []
    for endpoint in study.of_kind("binary", "time_to_event"):
        timed = endpoint.kind == "time_to_event"
        model = COX if timed else LOGISTIC
        unknown = study.settings.unknown_response[0] if endpoint.unknown_response else "EXCLUDED"
        for metric in settings.metrics:
            cells.append(
                PlanCell(
                    *(endpoint, metric, model, UNADJUSTED, DOSE, "SECONDARY", unknown),
                    landmark=complete if timed else math.nan,
                )
            )
            if settings.exposure_adjusted:
                known = math.nan
                if timed:
                    beside = exposure_metric(study, endpoint)
                    known = max(last, find_landmark(beside, endpoint, study))
                cells.append(
                    PlanCell(
                        *(endpoint, metric, model, EXPOSURE, DOSE, "SENSITIVITY", unknown),
                        landmark=known,
                    )
                )
    return cells


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analyses `dose_response`, `dose_rate` and `dose_trend`."""
    outcomes = []
    for cell in cells:
        data = select_dose_subjects(study, cell)
        fit = _fit_cox(study, data) if cell.model == COX else _fit_logistic(study, cell, data)
        _add_cell(study, cell, data, fit, out)
        chosen = data.chosen
        outcomes.append(
            ModelOutcome(
                cell,
                fit.method,
                tuple(chosen.covariates.columns),
                chosen.event.size,
                float(chosen.event.sum()),
                fit.p,
                fit.reason,
            )
        )
    collect_dose_rates(study, out)
    return FamilyOutput(outcomes)


def exposure_metric(study: Study, endpoint: EndpointRule) -> str:
    """The exposure metric that stands beside the dose.

    The endpoint's primary one, else that of the first endpoint of its family that has one,
    else the first metric of the settings. Endpoints that come too early for those have the
    concentration by their early landmark, as in their other models.
    """
    options = study.settings.time_to_event
    if endpoint.kind == "time_to_event" and endpoint.code in options.early_endpoints:
        return f"CLD{options.early_landmark}"
    named = {pair.endpoint: pair.metric for pair in study.settings.primary}
    families = {item.code: item.family for item in study.endpoints}
    related = [metric for code, metric in named.items() if families.get(code) == endpoint.family]
    return named.get(endpoint.code, next(iter(related), study.settings.metrics[0]))


def select_dose_subjects(study: Study, cell: PlanCell) -> DoseData:
    """Infused subjects with outcome and dose (and exposure), under observation long enough.

    Counts: n_infused = n + n_nooutcome + n_early + n_nodose + n_noexposure + n_late (the peak
    came after the landmark).
    """
    ader = study.ader
    values = study.values(cell.endpoint)
    counts = {"n_infused": float(len(ader))}
    timed = cell.endpoint.kind == "time_to_event"
    event = values["CNSR"].rsub(1.0) if timed else derive_event(values, cell.unknown)
    stop = values["AVAL"] if timed else pd.Series(math.nan, index=ader.index)
    start = pd.Series(0.0, index=ader.index)
    if timed:
        event = event.where(stop.notna())
        if not math.isnan(cell.landmark):
            # On the clock of the endpoint; an origin after the landmark, such as the first
            # response, is early enough.
            known = pd.Series(cell.landmark, index=ader.index)
            sampled = f"{exposure_metric(study, cell.endpoint)}DY"
            if cell.adjustment == EXPOSURE and sampled in ader:
                # The day of the sample where it was drawn later than planned.
                known = known.clip(lower=ader[sampled].fillna(cell.landmark))
            since = known - values["STARTDY"].fillna(0.0)
            start = (since + find_clock_offset(study, cell.endpoint)).clip(lower=0.0)
    kept = event.notna()
    counts["n_nooutcome"] = float((~kept).sum())
    steps = {
        "n_early": (stop > start) if timed else pd.Series(True, index=ader.index),
        "n_nodose": ader[cell.metric] > 0,
        "n_noexposure": pd.Series(True, index=ader.index),
        "n_late": pd.Series(True, index=ader.index),
    }
    covariates = pd.DataFrame(index=ader.index)
    if cell.adjustment == EXPOSURE:
        metric = exposure_metric(study, cell.endpoint)
        steps["n_noexposure"] = ader[metric] > 0
        steps["n_late"] = pd.Series(
            ~is_late(study, replace(cell, metric=metric), ader), index=ader.index
        )
        covariates[metric] = np.log2(ader[metric].where(ader[metric] > 0))
    for name, keep in steps.items():
        counts[name] = float((kept & ~keep).sum())
        kept &= keep
    reason = ""
    if event.isna().all():
        reason = "NOTCOLL"
    elif ader[cell.metric].isna().all():
        reason = "NODOSE"
    elif cell.metric in UNIT_VARIABLES and not study.units.get(cell.metric):
        reason = "MIXUNIT"
    elif not kept.any():
        reason = "NOSUBJ"
    chosen = Selection(
        event[kept].to_numpy(dtype=float),
        np.log2(ader.loc[kept, cell.metric].to_numpy(dtype=float)),
        covariates.loc[kept].reset_index(drop=True),
        counts,
        reason,
    )
    times = np.column_stack([start[kept], stop[kept]]).astype(float)
    return DoseData(chosen, times[:, 0], times[:, 1])


def _fit_logistic(study: Study, cell: PlanCell, data: DoseData) -> DoseFit:
    result = fit_selection(cell, data.chosen, study.settings)
    if result.fit is None:
        return DoseFit(reason=result.reason)
    slope = result.fit.coefficient(SLOPE)
    return DoseFit(result.fit.method, slope.estimate, slope.low, slope.high, slope.se, slope.p)


def _fit_cox(study: Study, data: DoseData) -> DoseFit:
    chosen, settings = data.chosen, study.settings
    events, slopes = int(chosen.event.sum()), 1 + chosen.covariates.shape[1]
    reason = chosen.reason
    if not reason and events == 0:
        reason = "NOEVENT"
    reason = reason or refuse_events(events, events, slopes, settings)
    if not reason and slopes > 1 and abs(correlate(chosen)) > settings.max_correlation:
        reason = "COLLIN"
    if reason:
        return DoseFit(reason=reason)
    fit = estimate_cox(
        data.stop,
        chosen.event == 1,
        np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)]),
        [SLOPE, *chosen.covariates.columns],
        "FIRTH" if events < settings.firth_below * slopes else "ML",
        start=data.start,
        level=settings.confidence_level,
        tested=[SLOPE],
    )
    reason = fit.reason or fit.coefficient(SLOPE).reason
    if reason:
        return DoseFit(reason=reason)
    slope = fit.coefficient(SLOPE)
    method = "COX_FIRTH" if fit.method == "FIRTH" else "COX"
    hazards = cox_diagnostics.test_proportional_hazards(fit)[SLOPE]
    return DoseFit(method, slope.estimate, slope.low, slope.high, slope.se, slope.p, hazards.p)


def correlate(chosen: Selection) -> float:
    """Correlation of the logarithms of dose and exposure; NaN where one does not vary."""
    pair = chosen.exposure, chosen.covariates.iloc[:, 0].to_numpy(dtype=float)
    if min(float(np.ptp(values)) if values.size else 0.0 for values in pair) <= 1e-12:
        return math.nan
    return float(np.corrcoef(*pair)[0, 1])


def _add_cell(
    study: Study, cell: PlanCell, data: DoseData, fit: DoseFit, out: ResultCollector
) -> None:
    chosen = data.chosen
    ratio = hazard_ratio if cell.model == COX else odds_ratio
    n = float(chosen.event.size)
    adjusted = cell.adjustment == EXPOSURE
    fitted = {
        "ratio": ratio(fit.log_ratio),
        "ratio_low": ratio(fit.low),
        "ratio_high": ratio(fit.high),
        "p": fit.p,
        "log_ratio": fit.log_ratio,
        "se": fit.se,
    }
    dose = {
        "dose_min": float(2 ** chosen.exposure.min()) if n else math.nan,
        "dose_max": float(2 ** chosen.exposure.max()) if n else math.nan,
    }
    notes = explain_missing(fitted, fit.reason or "OVERFLOW")
    notes |= explain_missing(dose, fit.reason or "NOSUBJ")
    statistics: dict[str, float | str] = {
        "n": n,
        "events": float(chosen.event.sum()),
        **chosen.counts,
        "measure": "HR" if cell.model == COX else "OR",
        "method": fit.method,
        "exposure_metric": exposure_metric(study, cell.endpoint) if adjusted else "NONE",
        **fitted,
        **dose,
    }
    if cell.model == COX:
        statistics["ph_p"] = fit.ph_p
        if math.isnan(fit.ph_p):
            notes["ph_p"] = fit.reason or "FEWEVENT"
    if adjusted:
        correlation = correlate(chosen) if n else math.nan
        statistics["correlation"] = correlation
        if math.isnan(correlation):
            notes["correlation"] = fit.reason or "CONSTANT"
    out.add(
        "dose_response",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=study.settings.analyte,
        by={"metric": cell.metric, "adjustment": cell.adjustment},
        where=f"{cell.metric} > 0",
        units=dict.fromkeys(dose, study.units.get(cell.metric, "")),
        n=n,
        method=METHODS.get(fit.method, ""),
        notes=notes,
    )
