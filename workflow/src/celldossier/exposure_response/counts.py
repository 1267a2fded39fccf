"""Counts: Poisson or negative binomial models of a number of events or days."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.plan import (
    PRIMARY,
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    Selection,
    find_role,
    select_subjects,
)
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.count_models import (
    CountModel,
    Distribution,
    OverdispersionTest,
    check_overdispersion,
    estimate_count_model,
)
from celldossier.stats.logistic import Coefficient, odds_ratio
from celldossier.stats.predictors import is_constant
from celldossier.terms.study_terms import DAYS_PER_YEAR

MODEL = "COUNT"
METHODS = {
    "POISSON": "Poisson, log link, profile likelihood CI, likelihood ratio test",
    "NEGBIN": "negative binomial (NB2), log link, profile likelihood CI, likelihood ratio test",
}
_EMPTY_TEST = OverdispersionTest(math.nan, math.nan, math.nan, math.nan)


def plan_cells(study: Study) -> list[PlanCell]:
    """Count x metric x adjustment."""
    settings = study.settings
    return [
        PlanCell(
            endpoint,
            metric,
            MODEL,
            adjustment,
            PRIMARY,
            find_role(metric, endpoint, adjustment, study),
        )
        for endpoint in study.of_kind("count")
        for metric in settings.metrics
        for adjustment in settings.adjustments
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analysis `count`."""
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    settings = study.settings
    chosen = select_subjects(study, cell)
    follow_up, observed = _follow_up(study, cell, chosen)
    counts = chosen.event[observed]
    covariates = chosen.covariates.loc[observed]
    covariates = covariates[covariates.columns[covariates.nunique() > 1]]
    exposure, time = chosen.exposure[observed], follow_up[observed]
    reason = chosen.reason or _refuse(counts, exposure, covariates.to_numpy(float), settings)
    fit, test = None, _EMPTY_TEST
    if not reason:
        design = np.column_stack([exposure, covariates.to_numpy(dtype=float)])
        names = [EXPOSURE, *covariates.columns]
        test = check_overdispersion(counts, time, design, names)
        fit = estimate_count_model(
            counts,
            time,
            design,
            names,
            _choose(test, settings),
            level=settings.confidence_level,
            tested=[EXPOSURE],
        )
        reason = fit.reason
    statistics, notes = _statistics(fit, test, reason)
    with_follow_up = cell.endpoint.source == "event"
    statistics |= {
        "n": float(counts.size),
        "events": float(counts.sum()),
        "n_with": float((counts > 0).sum()),
        "follow_up": float(time.sum() / DAYS_PER_YEAR) if with_follow_up else math.nan,
        "offset": "FOLLOW_UP" if with_follow_up else "NONE",
        **chosen.counts,
        "n_nofollowup": float((~observed).sum()),
    }
    if not with_follow_up:
        notes["follow_up"] = "NOTAPPL"
    out.add(
        "count",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        units={"follow_up": "years"},
        n=float(counts.size),
        method=METHODS[fit.distribution] if fit and not reason else "",
        notes=notes,
    )
    return ModelOutcome(
        cell,
        fit.distribution if fit and not reason else "NONE",
        tuple(covariates.columns),
        counts.size,
        float(counts.sum()),
        fit.coefficient(EXPOSURE).p if fit and not reason else math.nan,
        reason,
    )


def _follow_up(
    study: Study, cell: PlanCell, chosen: Selection
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.bool_]]
]:
    """Days of follow-up of the subjects, and who has any.

    A number of days lies within the observation whatever its length: no offset.
    """
    if cell.endpoint.source != "event":
        return np.ones(chosen.event.size), np.ones(chosen.event.size, dtype=bool)
    days = study.values(cell.endpoint).loc[chosen.subjects, "ADURFU"].to_numpy(dtype=float)
    return days, days > 0


def _choose(test: OverdispersionTest, settings: ExposureResponseSettings) -> Distribution:
    rule = settings.counts.distribution
    if rule != "BY_DISPERSION":
        return rule
    # Without a test (NaN) the plain model stands.
    return "NEGBIN" if test.p < settings.counts.dispersion_alpha else "POISSON"


def _refuse(
    counts: np.ndarray[tuple[int], np.dtype[np.float64]],
    exposure: np.ndarray[tuple[int], np.dtype[np.float64]],
    covariates: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    settings: ExposureResponseSettings,
) -> str:
    """Reason of a refusal; subjects with an event are counted, not their events."""
    having = int((counts > 0).sum())
    slopes = 1 + covariates.shape[1]
    if counts.size == 0:
        return "NOSUBJ"
    if having == 0:
        return "NOEVENT"
    if reason := refuse_events(having, having, slopes, settings):
        return reason
    if is_constant(exposure):
        return "CONSTANT"
    return "COLLIN" if is_confounded(exposure, covariates, settings) else ""


def _statistics(
    fit: CountModel | None, test: OverdispersionTest, reason: str
) -> tuple[dict[str, float | str], dict[str, str]]:
    """Rate ratio and overdispersion, with reasons for what is missing."""
    usable = fit is not None and not reason
    slope = fit.coefficient(EXPOSURE) if fit and usable else Coefficient(EXPOSURE, math.nan)
    statistics: dict[str, float | str] = {
        "rr": odds_ratio(slope.estimate),
        "rr_low": odds_ratio(slope.low),
        "rr_high": odds_ratio(slope.high),
        "p": slope.p,
        "log_rr": slope.estimate,
        "se": slope.se,
        "alpha": fit.alpha if fit and usable else math.nan,
        "pearson": test.pearson,
        "p_dispersion": test.p,
        "model": fit.distribution if fit and usable else "NONE",
    }
    why = reason or "OVERFLOW"
    notes = explain_missing(statistics, why)
    for name in ("pearson", "p_dispersion"):
        if name in notes:
            notes[name] = reason or test.reason or "FEWSUBJ"
    return statistics, notes
