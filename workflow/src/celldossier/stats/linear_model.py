"""Linear model of several predictors: estimates, collinearity, bootstrap, imputations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.multiple_imputation import PooledCoefficient, pool_estimates
from celldossier.stats.predictors import is_constant, standardise

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Collinearity:
    """How far predictors of one model determine one another."""

    rank: int
    """Rank of the design with its intercept."""
    condition: float
    """Condition number of the design, columns scaled to length 1, intercept included."""
    inflation: tuple[float, ...]
    """Variance inflation factor of each predictor; NaN without full rank."""


@dataclass(frozen=True)
class LinearFit:
    """A linear model with intercept over one data set or several imputations.

    `reason` is blank for a fit; else ``FEWSUBJ`` (no degrees of freedom), ``CONSTANT`` (the
    outcome or a predictor does not vary) or ``COLLIN`` (predictors are linearly dependent).
    """

    n: int
    imputations: int
    collinearity: Collinearity
    reason: str = ""
    coefficients: tuple[PooledCoefficient, ...] = ()
    """Slopes in the order of the predictors."""
    r_squared: float = math.nan
    """Share of the variance explained; mean over the imputations."""


def check_collinearity(predictors: ArrayLike) -> Collinearity:
    """Rank, condition number and variance inflation factors of a design.

    Parameters
    ----------
    predictors
        Shape (n, k), without the intercept.

    References
    ----------
    Belsley DA, Kuh E, Welsch RE (1980), Regression Diagnostics, Wiley, chapter 3; variance
    inflation factor: diagonal of the inverse of the correlation matrix, Marquardt DW (1970),
    Technometrics 12:591-612. The condition number here is of centred predictors, so that it
    says nothing of where a scale has its zero.
    """
    x = np.asarray(predictors, dtype=float)
    n, k = x.shape
    if n < 2 or k == 0:
        return Collinearity(min(n, 1), math.nan, (math.nan,) * k)
    z = standardise(x)[0]
    values = np.linalg.svd(z / math.sqrt(n), compute_uv=False)
    largest = float(values.max(initial=0.0))
    rank = int((values > 1e-8 * max(1.0, largest)).sum()) + 1
    if rank <= k or n <= k:
        return Collinearity(rank, math.inf, (math.nan,) * k)
    inflation = np.diag(np.linalg.inv(z.T @ z / n))
    # The intercept is orthogonal to centred columns: a singular value of 1 of its own.
    condition = max(largest, 1.0) / min(float(values.min()), 1.0)
    return Collinearity(rank, condition, tuple(inflation.tolist()))


def estimate_linear(
    outcome: ArrayLike,
    imputed: Sequence[ArrayLike],
    names: Sequence[str],
    level: float = 0.90,
) -> LinearFit:
    """Least squares with intercept, pooled over imputations by Rubin's rules.

    Parameters
    ----------
    outcome
        Shape (n,), the same in all imputations.
    imputed
        Predictors of each imputation, shape (n, k); a single one where nothing is missing,
        whose intervals and tests are then the ordinary t ones.
    names
        Names of the k predictors.
    level
        Confidence level.
    """
    y = np.asarray(outcome, dtype=float)
    matrices = [np.asarray(x, dtype=float) for x in imputed]
    n, k = y.size, len(names)
    if not matrices or any(x.shape != (n, k) for x in matrices):
        raise ValueError(f"{k} names and {n} outcomes do not fit the predictors")
    # Imputations differ in the imputed cells only: the worst of them is reported.
    checks = [check_collinearity(x) for x in matrices]
    worst = max(checks, key=lambda check: check.condition)
    refusal = _refuse(y, matrices, worst, k)
    if refusal:
        return LinearFit(n, len(matrices), worst, refusal)
    estimates, variances, shares = [], [], []
    for x in matrices:
        beta, variance, share = _least_squares(y, x)
        estimates.append(beta)
        variances.append(variance)
        shares.append(share)
    df = n - k - 1
    coefficients = []
    for j, name in enumerate(names):
        values = [beta[j] for beta in estimates]
        spread = [variance[j] for variance in variances]
        if len(matrices) > 1:
            coefficients.append(pool_estimates(name, values, spread, df, level))
        else:
            coefficients.append(_single(name, values[0], spread[0], df, level))
    return LinearFit(
        n,
        len(matrices),
        worst,
        coefficients=tuple(coefficients),
        r_squared=float(np.mean(shares)),
    )


@dataclass(frozen=True)
class BootstrapIntervals:
    """Percentile intervals of the slopes over bootstrap samples of the subjects."""

    samples: int
    used: int
    """Samples with a design of full rank; the others, which lack a level, are left out."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    reason: str = ""
    """``NOCONV`` where fewer than nine in ten samples could be used."""


def estimate_bootstrap(
    outcome: ArrayLike,
    imputed: Sequence[ArrayLike],
    *,
    samples: int,
    seed: int,
    level: float = 0.90,
) -> BootstrapIntervals:
    """Percentile intervals of all slopes of a linear model, subjects drawn with replacement.

    Parameters
    ----------
    outcome, imputed
        As in `estimate_linear`; sample i takes imputation i modulo their number, so that
        the interval also holds the uncertainty of the imputation.
    samples
        Bootstrap samples.
    seed
        Seed of the samples.

    References
    ----------
    Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, chapters 9 and 13;
    with imputations: Schomaker M, Heumann C (2018), Stat Med 37:2252-2266.
    """
    y = np.asarray(outcome, dtype=float)
    designs = [np.asarray(x, dtype=float) for x in imputed]
    scales = [standardise(x)[2] for x in designs]
    designs = [np.column_stack([standardise(x)[0], np.ones(y.size)]) for x in designs]
    k = designs[0].shape[1] - 1
    random = np.random.default_rng(seed)
    found = np.full((samples, k), np.nan)
    for sample in range(samples):
        rows = random.integers(0, y.size, y.size)
        which = sample % len(designs)
        x = designs[which][rows]
        gram = x.T @ x / y.size
        if np.linalg.eigvalsh(gram)[0] < 1e-8:
            continue
        found[sample] = np.linalg.solve(gram, x.T @ y[rows] / y.size)[:k] / scales[which]
    complete = found[~np.isnan(found).any(axis=1)] if k else found
    used = len(complete)
    if used < 0.9 * samples:
        missing = (math.nan,) * k
        return BootstrapIntervals(samples, used, missing, missing, "NOCONV")
    low, high = np.quantile(complete, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return BootstrapIntervals(samples, used, tuple(low.tolist()), tuple(high.tolist()))


def _refuse(y: Vector, matrices: Sequence[Vector], worst: Collinearity, k: int) -> str:
    if y.size <= k + 1:
        return "FEWSUBJ"
    if is_constant(y) or any(is_constant(x) for x in matrices):
        return "CONSTANT"
    return "COLLIN" if worst.rank <= k else ""


def _least_squares(y: Vector, x: Vector) -> tuple[Vector, Vector, float]:
    """Slopes, their variances and the share explained."""
    z, _, scale = standardise(x)
    q, r = np.linalg.qr(z)
    inverse = np.linalg.inv(r)
    centred = y - y.mean()
    beta = inverse @ (q.T @ centred)
    residuals = centred - z @ beta
    left = float(residuals @ residuals)
    variance = left / (y.size - x.shape[1] - 1) * (inverse**2).sum(axis=1)
    # An exact fit leaves rounding noise, of which no interval can be made.
    floor = 1e-28 * max(1.0, float(y @ y))
    return beta / scale, np.maximum(variance, floor) / scale**2, 1 - left / float(centred @ centred)


def _single(
    name: str, estimate: float, variance: float, df: int, level: float
) -> PooledCoefficient:
    from scipy.special import stdtr, stdtrit

    se = math.sqrt(variance)
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    p = float(2 * stdtr(df, -abs(estimate) / se))
    return PooledCoefficient(
        name, estimate, se, estimate - half, estimate + half, p, df=df, missing_information=0.0
    )
