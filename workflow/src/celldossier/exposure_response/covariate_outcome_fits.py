"""Models of an outcome on covariates: logistic or Cox, over imputations where some are missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from celldossier.exposure_response.covariate_outcome_data import Outcome
from celldossier.exposure_response.refusals import refuse_events
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.combined_profiles import estimate_clip
from celldossier.stats.cox import estimate_cox
from celldossier.stats.logistic import Coefficient, choose_method, estimate_logistic
from celldossier.stats.multiple_imputation import estimate_pooled_logistic, pool_estimates

Vector = NDArray[np.float64]


def refuse_outcome(used: Outcome, slopes: int, settings: ExposureResponseSettings) -> str:
    """Reason why there is no model of so many slopes, before anything is fitted; else blank."""
    n, events = len(used.rows), used.events
    # Who has no event adds to a hazard by the time at risk, not as a count.
    rarer = events if used.time is not None else min(events, n - events)
    if n == 0:
        return "NOSUBJ"
    if events == 0:
        return "NOEVENT"
    if events == n and used.time is None:
        return "ALLEVENT"
    return refuse_events(rarer, rarer, slopes, settings)


Fitted = tuple[dict[str, Coefficient], str, str]


def _fit_logistic(
    used: Outcome,
    matrices: Sequence[Vector],
    names: Sequence[str],
    tested: Sequence[str],
    settings: ExposureResponseSettings,
) -> Fitted:
    level = settings.confidence_level
    method = choose_method(used.events, len(used.rows), len(names), settings.firth_below)
    if len(matrices) == 1:
        fit = estimate_logistic(used.event, matrices[0], names, method, level=level, tested=tested)
        return {c.name: c for c in fit.coefficients}, fit.method, fit.reason
    if method == "ML":
        pooled = estimate_pooled_logistic(used.event, matrices, names, level)
        if pooled.reason != "SEPAR":
            return {c.name: c for c in pooled.coefficients}, "ML_RUBIN", pooled.reason
    clip = estimate_clip(used.event, matrices, names, level, tested)
    return {c.name: c for c in clip.coefficients}, "FIRTH_CLIP", clip.reason


def _fit_cox(
    used: Outcome,
    matrices: Sequence[Vector],
    names: Sequence[str],
    tested: Sequence[str],
    settings: ExposureResponseSettings,
) -> Fitted:
    firth = used.events < settings.firth_below * len(names)
    several = len(matrices) > 1
    if firth and several:
        # Rubin's rules take estimates as normal, and CLIP is of logistic models.
        return {}, "", "NOPOOL"
    fits = [
        estimate_cox(
            used.time if used.time is not None else [],
            used.event,
            x,
            names,
            "FIRTH" if firth else "ML",
            level=settings.confidence_level,
            tested=[] if several else tested,
        )
        for x in matrices
    ]
    reason = next((fit.reason for fit in fits if fit.reason), "")
    if reason:
        return {}, fits[0].method, reason
    found: dict[str, Coefficient] = {}
    for j, name in enumerate(names):
        terms = [fit.coefficients[j] for fit in fits]
        if several:
            found[name] = pool_estimates(
                name,
                [term.estimate for term in terms],
                [term.se**2 for term in terms],
                used.events - len(names),
                settings.confidence_level,
            )
            continue
        only = terms[0]
        found[name] = Coefficient(
            name, only.estimate, only.se, only.low, only.high, only.p, only.reason
        )
    return found, fits[0].method + ("_RUBIN" if several else ""), ""


def fit_outcome(
    used: Outcome,
    matrices: Sequence[Vector],
    names: Sequence[str],
    tested: Sequence[str],
    settings: ExposureResponseSettings,
) -> Fitted:
    """Fit the model of an outcome over its imputations, or over the one data set.

    Parameters
    ----------
    used
        Subjects and outcome.
    matrices
        Covariates of each imputation, shape (n, k).
    names
        Names of the k columns.
    tested
        Columns whose interval and test are wanted.

    Returns
    -------
    tuple
        Coefficients by name, code of the method, and the reason where there is none.
    """
    fit = _fit_logistic if used.time is None else _fit_cox
    return fit(used, matrices, names, tested, settings)
