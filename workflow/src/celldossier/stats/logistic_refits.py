"""One logistic model fitted to many weightings of the same rows, all at once.

A bootstrap sample is a count of each row, a subject left out a count of 0: the fits differ
in these weights only, so that every Newton step of all fits is a few matrix products. The
estimates are those of `logistic.estimate_logistic` on the rows repeated or left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.logistic import Method, detect_separation
from celldossier.stats.penalised_likelihood import LONGEST_STEP, expit
from celldossier.stats.predictors import as_columns, standardise

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]

SUSPECT = 1e-6
"""Fitted p (1 - p) of a row below which a maximum is suspected to lie at infinity."""


@dataclass(frozen=True)
class Refits:
    """Fits of one model to m weightings of n rows and k predictors."""

    params: Vector
    """Slopes, then the intercept of predictions (FLIC with the penalty), shape (m, k + 1)."""
    fitted: Flags
    """Whether there is a fit: both outcomes occur and the iterations ended."""
    penalised: Flags
    """Whether it has Firth's penalty: asked for, or because the rows are separated."""


def refit_logistic(
    outcome: ArrayLike, predictors: ArrayLike, counts: ArrayLike, method: Method
) -> Refits:
    """Fit a logistic model with intercept to each weighting of the rows.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    counts
        How often each row stands in each fit, shape (m, n).
    method
        ``ML`` or ``FIRTH``; where the rows of a fit are separated, ML gives way to Firth,
        as in the model itself.

    References
    ----------
    Firth D (1993), Biometrika 80:27-38; FLIC: Puhr R et al. (2017), Stat Med 36:2302-2317.
    """
    y = np.asarray(outcome, dtype=float)
    x = as_columns(predictors)
    weights = np.atleast_2d(np.asarray(counts, dtype=float))
    z, centre, scale = standardise(x)
    design = np.column_stack([z, np.ones(y.size)])
    events = weights @ y
    possible = (events > 0) & (events < weights.sum(axis=1))
    params = np.full((len(weights), design.shape[1]), np.nan)
    penalised = np.full(len(weights), method == "FIRTH")
    fitted = np.zeros(len(weights), dtype=bool)
    if method == "ML":
        rows = np.flatnonzero(possible)
        params[rows], fitted[rows] = _newton(y, design, weights[rows], penalty=False)
        for row in rows:
            if _at_infinity(y, z, design, weights[row], params[row], bool(fitted[row])):
                penalised[row] = True
    rows = np.flatnonzero(possible & penalised)
    if rows.size:
        params[rows], fitted[rows] = _newton(y, design, weights[rows], penalty=True)
        linear = params[rows, :-1] @ z.T
        params[rows, -1] = _recentre(y, linear, weights[rows])
    params[~fitted] = np.nan
    back = params.copy()
    back[:, :-1] = params[:, :-1] / scale
    back[:, -1] = params[:, -1] - back[:, :-1] @ centre
    return Refits(back, fitted, penalised)


def _at_infinity(
    y: Vector, z: Vector, design: Vector, counts: Vector, params: Vector, fitted: bool
) -> bool:
    """Whether the rows of a fit are separated; judged exactly where it may be so."""
    used = counts > 0
    if fitted:
        p = expit(design[used] @ params)
        if float((p * (1 - p)).min()) > SUSPECT:
            return False
    varying = np.ptp(z[used], axis=0) > 0
    return bool(varying.any()) and detect_separation(y[used], z[used][:, varying])


def _newton(y: Vector, design: Vector, weights: Vector, *, penalty: bool) -> tuple[Vector, Flags]:
    """Newton's method (Fisher scoring with the penalty), each fit with its own halving."""
    m, k = len(weights), design.shape[1]
    outer = np.einsum("ni,nj->nij", design, design).reshape(y.size, k * k)
    params = np.zeros((m, k))
    value, information = _objective(y, design, outer, weights, params, penalty)
    done = ~np.isfinite(value)
    failed = done.copy()
    for _ in range(100):
        active = np.flatnonzero(~done)
        if not active.size:
            break
        w, current = weights[active], params[active]
        p = expit(current @ design.T)
        residual = y - p
        inverse = np.linalg.inv(information[active])
        if penalty:
            leverage = p * (1 - p) * (inverse.reshape(-1, k * k) @ outer.T)
            residual = residual + leverage * (0.5 - p)
        score = (w * residual) @ design
        step = np.einsum("mij,mj->mi", inverse, score)
        decrement = np.einsum("mi,mi->m", score, step)
        longest = np.abs(step).max(axis=1)
        step *= np.minimum(1.0, LONGEST_STEP / np.maximum(longest, 1e-300))[:, None]
        ended = decrement < 1e-12 * np.maximum(1.0, np.abs(value[active]))
        length = np.ones(active.size)
        tolerance = 1e-12 * np.maximum(1.0, np.abs(value[active]))
        trial = current + step
        found, info = _objective(y, design, outer, w, trial, penalty)
        for _ in range(40):
            worse = ~(found >= value[active] - tolerance)
            if not worse.any():
                break
            length[worse] /= 2
            trial[worse] = current[worse] + length[worse, None] * step[worse]
            found[worse], info[worse] = _objective(
                y, design, outer, w[worse], trial[worse], penalty
            )
        stuck = ~(found >= value[active] - tolerance)
        moved = ~stuck
        params[active[moved]] = trial[moved]
        value[active[moved]] = found[moved]
        information[active[moved]] = info[moved]
        failed[active[stuck & ~ended]] = True
        done[active[ended | stuck]] = True
    return params, done & ~failed


def _objective(
    y: Vector, design: Vector, outer: Vector, weights: Vector, params: Vector, penalty: bool
) -> tuple[Vector, Vector]:
    """Log likelihood of each fit (minus infinity where singular) and its information."""
    k = design.shape[1]
    linear = params @ design.T
    p = expit(linear)
    information = ((weights * p * (1 - p)) @ outer).reshape(-1, k, k)
    value = -(weights * np.logaddexp(0.0, np.where(y == 1, -linear, linear))).sum(axis=1)
    sign, log_determinant = np.linalg.slogdet(information)
    regular = (sign > 0) & (log_determinant > -50.0 * k)
    if penalty:
        value = value + log_determinant / 2
    return np.where(regular, value, -np.inf), information


def _recentre(y: Vector, linear: Vector, weights: Vector) -> Vector:
    """Intercept at which the fitted probabilities of each fit add up to its events (FLIC)."""
    width = 40.0 + np.abs(linear).max(axis=1)
    low, high = -width, width
    events = weights @ y
    for _ in range(60):
        middle = (low + high) / 2
        above = (weights * expit(linear + middle[:, None])).sum(axis=1) > events
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return np.asarray((low + high) / 2, dtype=float)
