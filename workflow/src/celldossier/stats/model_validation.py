"""Validation of a logistic model on its own subjects: bootstrap optimism, influence, form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.discrimination import compare_scores
from celldossier.stats.logistic import LogisticFit, Method
from celldossier.stats.logistic_refits import refit_logistic
from celldossier.stats.penalised_likelihood import expit
from celldossier.stats.predictors import as_columns

Vector = NDArray[np.float64]
INDICES = ("auc", "brier", "intercept", "slope")
"""Area under the ROC curve, Brier score, and the outcome's logistic regression on the predicted
log odds: its intercept and its slope."""


@dataclass(frozen=True)
class Optimism:
    """Performance of a model, and what of it a bootstrap takes for optimism."""

    apparent: dict[str, float]
    corrected: dict[str, float]
    """Apparent minus optimism, by index of `INDICES`."""
    resamples: int
    failed: int
    """Resamples without a fit or without an index: they are left out of the mean."""
    separated: int
    """Resamples of a maximum likelihood model that were fitted with Firth's penalty."""


@dataclass(frozen=True)
class Influence:
    """What the model becomes without each subject, by exact refits."""

    estimates: Vector
    """Coefficient of the predictor looked at without subject i, shape (n,); NaN: no fit."""
    dfbetas: Vector
    """Estimate minus that without subject i, in standard errors, shape (n,)."""
    displacement: Vector
    """Cook's distance: squared change of all coefficients in the metric of their covariance
    over their number, shape (n,)."""
    deviance: Vector
    """Deviance residuals, shape (n,)."""


def estimate_optimism(
    outcome: ArrayLike,
    predictors: ArrayLike,
    method: Method,
    resamples: int,
    seed: int,
) -> Optimism:
    """Bootstrap estimate of the optimism of a logistic model.

    Each resample is fitted as the model was (Firth where it is separated), and its
    performance among the resample is compared with that among all subjects.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    method
        Method of the model.
    resamples
        Number of bootstrap samples of the subjects.
    seed
        Seed of their draw.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996), Stat Med 15:361-387 (intercept and slope are those of
    its calibration by logistic regression); Efron B, Gong G (1983), Am Stat
    37:36-48.
    """
    y = np.asarray(outcome, dtype=float)
    x = as_columns(predictors)
    ones = np.ones((1, y.size))
    whole = refit_logistic(y, x, ones, method)
    nan = math.nan
    if not whole.fitted[0]:
        empty = dict.fromkeys(INDICES, nan)
        return Optimism(empty, dict(empty), resamples, resamples, 0)
    design = np.column_stack([x, np.ones(y.size)])
    apparent = _performance(y, whole.params @ design.T, ones)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(y.size, np.full(y.size, 1 / y.size), size=resamples).astype(float)
    fits = refit_logistic(y, x, counts, method)
    usable = np.flatnonzero(fits.fitted)
    linear = fits.params[usable] @ design.T
    within = _performance(y, linear, counts[usable])
    among = _performance(y, linear, np.ones_like(linear))
    difference = {name: within[name] - among[name] for name in INDICES}
    sound = np.all([np.isfinite(difference[name]) for name in INDICES], axis=0)
    corrected = {
        name: float(apparent[name][0] - difference[name][sound].mean()) if sound.any() else nan
        for name in INDICES
    }
    return Optimism(
        {name: float(apparent[name][0]) for name in INDICES},
        corrected,
        resamples,
        resamples - int(sound.sum()),
        int(fits.penalised[usable].sum()) if method == "ML" else 0,
    )


def _performance(y: Vector, linear: Vector, weights: Vector) -> dict[str, Vector]:
    """Indices of m predictions of the log odds, each among its weighted subjects."""
    p = expit(linear)
    intercept, slope = _recalibrate(y, linear, weights)
    return {
        "auc": _weighted_areas(y, linear, weights),
        "brier": (weights * (y - p) ** 2).sum(axis=1) / weights.sum(axis=1),
        "intercept": intercept,
        "slope": slope,
    }


def _weighted_areas(y: Vector, linear: Vector, weights: Vector) -> Vector:
    event = y == 1
    areas = np.empty(len(linear))
    for start in range(0, len(linear), 200):  # the comparisons of 200 fill some 10 MB
        part = slice(start, start + 200)
        order = compare_scores(linear[part][:, event], linear[part][:, ~event])
        first, second = weights[part][:, event], weights[part][:, ~event]
        areas[part] = np.einsum("mab,ma,mb->m", order, first, second, optimize=True) / (
            first.sum(axis=1) * second.sum(axis=1)
        )
    return areas


def _recalibrate(y: Vector, linear: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Intercept and slope of the outcome on each prediction; NaN where there is no maximum."""
    total = weights.sum(axis=1, keepdims=True)
    centre = (weights * linear).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((weights * (linear - centre) ** 2).sum(axis=1, keepdims=True) / total)
    spread = np.where(spread > 0, spread, np.nan)
    z = (linear - centre) / spread
    a, b = np.zeros(len(linear)), np.zeros(len(linear))
    steady = np.zeros(len(linear), dtype=bool)
    for _ in range(60):
        p = expit(a[:, None] + b[:, None] * z)
        residual, w = weights * (y - p), weights * p * (1 - p)
        s0, s1 = residual.sum(axis=1), (residual * z).sum(axis=1)
        i00, i01, i11 = w.sum(axis=1), (w * z).sum(axis=1), (w * z**2).sum(axis=1)
        determinant = i00 * i11 - i01**2
        with np.errstate(divide="ignore", invalid="ignore"):
            da = (i11 * s0 - i01 * s1) / determinant
            db = (i00 * s1 - i01 * s0) / determinant
            longest = np.maximum(np.abs(da), np.abs(db))
            shrink = np.minimum(1.0, 2.0 / np.maximum(longest, 1e-300))
            # Where the determinant is 0 the step is infinite and what follows it NaN.
            a, b = a + shrink * da, b + shrink * db
        steady = longest < 1e-10
        if steady[np.isfinite(longest)].all():
            break
    slope = np.where(steady, b / spread[:, 0], np.nan)
    return np.where(steady, a, np.nan) - slope * centre[:, 0], slope


def estimate_influence(
    outcome: ArrayLike, predictors: ArrayLike, names: Sequence[str], fit: LogisticFit, of: str
) -> Influence:
    """Influence of each subject on a coefficient of a fitted model, by leaving it out.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors of the fit, shape (n, k).
    names
        Names of the predictors.
    fit
        The fitted model.
    of
        Name of the predictor looked at.

    References
    ----------
    Belsley DA, Kuh E, Welsch RE (1980), Regression Diagnostics, Wiley (DFBETAS); Pregibon D
    (1981), Ann Stat 9:705-724. Exact refits take the place of their one-step values.
    """
    if fit.covariance is None or fit.fitted is None:
        raise ValueError(f"there is no fit whose influence could be looked at ({fit.reason})")
    y = np.asarray(outcome, dtype=float)
    x = as_columns(predictors)
    method: Method = "FIRTH" if fit.method == "FIRTH" else "ML"
    refits = refit_logistic(y, x, np.ones((y.size, y.size)) - np.eye(y.size), method)
    position = list(names).index(of)
    whole = np.array([item.estimate for item in fit.coefficients])
    whole[-1] = fit.flic_intercept
    change = whole - refits.params
    covariance = fit.covariance
    quadratic = np.einsum("mi,ij,mj->m", change, np.linalg.inv(covariance), change)
    p = fit.fitted
    deviance = np.sign(y - p) * np.sqrt(-2 * np.log(np.where(y == 1, p, 1 - p)))
    return Influence(
        refits.params[:, position],
        change[:, position] / math.sqrt(covariance[position, position]),
        quadratic / whole.size,
        deviance,
    )


def test_functional_form(
    outcome: ArrayLike, fit: LogisticFit, predictors: ArrayLike, of: int, draws: int, seed: int
) -> tuple[float, float]:
    """Test of the form of one predictor by the maximum of its cumulative residuals.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    fit
        A maximum likelihood fit.
    predictors
        Predictors of the fit, shape (n, k).
    of
        Position of the predictor looked at.
    draws
        Simulated processes.
    seed
        Seed of their draw.

    Returns
    -------
    tuple of float
        Greatest absolute cumulative residual, and the share of simulated processes that
        reach it.

    References
    ----------
    Su JQ, Wei LJ (1991), J Am Stat Assoc 86:420-426; Lin DY, Wei LJ, Ying Z (2002), Biometrics
    58:1-12.
    """
    if fit.covariance is None or fit.fitted is None:
        raise ValueError(f"there is no fit whose residuals could be looked at ({fit.reason})")
    y, p = np.asarray(outcome, dtype=float), fit.fitted
    x = as_columns(predictors)
    design = np.column_stack([x, np.ones(y.size)])
    values = np.unique(x[:, of])
    below = (x[:, of][None, :] <= values[:, None]).astype(float)
    residual = y - p
    observed = float(np.abs(below @ residual).max())
    # Each residual also moves the estimates; that part is taken off before the draw.
    projection = (below * (p * (1 - p))) @ design @ fit.covariance @ design.T
    normal = np.random.default_rng(seed).standard_normal((draws, y.size))
    simulated = np.abs((normal * residual) @ (below - projection).T).max(axis=1)
    reached = int((simulated >= observed * (1 - 1e-12)).sum())
    return observed, (reached + 1) / (draws + 1)
