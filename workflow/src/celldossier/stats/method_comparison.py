"""Comparison of two measurement methods: Deming regression and rank correlation.

A subject may give several pairs, as the samples of a course do. Pairs of one subject are
not independent, so that all limits rest on subjects, never on single pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficient:
    """An estimate with its standard error and confidence limits; NaN where there is none."""

    value: float
    se: float
    low: float
    high: float


NO_COEFFICIENT = Coefficient(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Line:
    """A fitted line y = intercept + slope x.

    Attributes
    ----------
    reason
        Why something is missing: ``FEWSUBJ`` fewer than three pairs or subjects, ``CONSTANT``
        where a method does not vary or no slope is defined, ``MANYPAIR`` more pairs than
        Passing-Bablok takes,
        ``NOLIMIT`` where the data bound the slope on no side.
    """

    intercept: Coefficient
    slope: Coefficient
    n: int
    n_subjects: int
    reason: str = ""


def estimate_deming(
    x: ArrayLike,
    y: ArrayLike,
    subject: ArrayLike | None = None,
    error_ratio: float = 1.0,
    level: float = 0.95,
) -> Line:
    """Deming regression with limits by the jackknife over subjects.

    Parameters
    ----------
    x, y
        Results of the two methods, on the scale on which the errors are constant (logarithms
        for concentrations); without NaN.
    subject
        Subject of each pair; every pair is its own subject where it is not given.
    error_ratio
        Variance of the errors of `x` over that of `y`. 0, no error of `x`, is least squares.
    level
        Confidence level; Student's t with subjects - 2 degrees of freedom.

    References
    ----------
    Linnet K (1993). Clin Chem 39:424-432 (jackknife of single pairs, as in R mcr). Where
    subjects have several pairs, whole subjects are left out in turn: Efron B, Tibshirani RJ
    (1993), An Introduction to the Bootstrap, chapter 11, with the subject as the unit.
    """
    a, b, cluster = check_pairs(x, y, subject)
    n, groups = a.size, count_subjects(cluster)
    if n < 3 or groups < 3:
        return Line(NO_COEFFICIENT, NO_COEFFICIENT, n, groups, "FEWSUBJ")
    fit = _deming(a, b, error_ratio)
    if math.isnan(fit[0]):
        return Line(NO_COEFFICIENT, NO_COEFFICIENT, n, groups, "CONSTANT")
    intercept, slope = _jackknife(
        fit, cluster, lambda rest: _deming(a[rest], b[rest], error_ratio), level
    )
    return Line(intercept, slope, n, groups, "CONSTANT" if math.isnan(slope.se) else "")


def _deming(x: Floats, y: Floats, error_ratio: float) -> tuple[float, float]:
    """Intercept and slope; NaN where they are not defined."""
    mean_x, mean_y = float(x.mean()), float(y.mean())
    u, q = float(((x - mean_x) ** 2).mean()), float(((y - mean_y) ** 2).mean())
    p = float(((x - mean_x) * (y - mean_y)).mean())
    # A constant leaves rounding noise of about eps |x|; without covariance no slope is best.
    if u <= (1e-12 * max(1.0, abs(mean_x))) ** 2 or abs(p) <= 1e-14 * math.sqrt(u * q):
        return math.nan, math.nan
    difference = error_ratio * q - u
    root = math.hypot(difference, 2 * math.sqrt(error_ratio) * p)
    # The two forms are equal; each is free of cancellation on its side.
    slope = (
        (difference + root) / (2 * error_ratio * p)
        if difference > 0
        else 2 * p / (root - difference)
    )
    return mean_y - slope * mean_x, slope


def _jackknife(
    fit: tuple[float, ...],
    cluster: NDArray[np.intp],
    again: Callable[[NDArray[np.bool_]], tuple[float, ...]],
    level: float,
) -> list[Coefficient]:
    """Coefficients with jackknife limits, one subject left out at a time."""
    from scipy.special import stdtrit

    groups = count_subjects(cluster)
    left_out = np.array([again(cluster != group) for group in range(groups)])
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    errors = np.sqrt((groups - 1) / groups * spread)
    t = float(stdtrit(groups - 2, 0.5 + level / 2))
    return [
        Coefficient(value, float(se), value - t * float(se), value + t * float(se))
        for value, se in zip(fit, errors, strict=True)
    ]


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation over all pairs, its limits by the jackknife over subjects."""

    rho: float
    low: float
    high: float
    n: int
    n_subjects: int
    reason: str = ""


def estimate_rank_correlation(
    x: ArrayLike, y: ArrayLike, subject: ArrayLike | None = None, level: float = 0.95
) -> Correlation:
    """Spearman's rank correlation of all pairs.

    The limits are those of the inverse hyperbolic tangent, whose standard error is found by
    leaving out whole subjects. The estimate mixes the correlation between and within subjects.

    Parameters
    ----------
    x, y, subject, level
        See `estimate_deming`.
    """
    a, b, cluster = check_pairs(x, y, subject)
    n, groups = a.size, count_subjects(cluster)
    nan = math.nan
    if n < 3:
        return Correlation(nan, nan, nan, n, groups, "FEWSUBJ")
    rho = _spearman(a, b)
    if math.isnan(rho):
        return Correlation(nan, nan, nan, n, groups, "CONSTANT")
    if groups < 3:
        return Correlation(rho, nan, nan, n, groups, "FEWSUBJ")

    def scaled(rest: NDArray[np.bool_]) -> tuple[float, ...]:
        with np.errstate(divide="ignore"):
            return (float(np.arctanh(_spearman(a[rest], b[rest]))),)

    if abs(rho) >= 1:
        return Correlation(rho, nan, nan, n, groups, "CONSTANT")
    (z,) = _jackknife((math.atanh(rho),), cluster, scaled, level)
    if not math.isfinite(z.se):
        return Correlation(rho, nan, nan, n, groups, "CONSTANT")
    return Correlation(rho, math.tanh(z.low), math.tanh(z.high), n, groups)


def _spearman(x: Floats, y: Floats) -> float:
    from scipy.stats import rankdata

    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(np.clip(np.corrcoef(rankdata(x), rankdata(y))[0, 1], -1, 1))


def check_pairs(
    x: ArrayLike, y: ArrayLike, subject: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Both methods as floats, and the number of the subject of each pair.

    Parameters
    ----------
    x, y
        Results of the two methods, on one scale, shape (n,).
    subject
        Label of the subject of each pair, shape (n,); None: each pair is of another.

    Raises
    ------
    ValueError
        If the lengths differ or a result is not finite.
    """
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    labels = np.arange(a.size) if subject is None else np.asarray(subject)
    if a.ndim != 1 or a.shape != b.shape or a.shape != labels.shape:
        raise ValueError("each pair needs a result of both methods and its subject")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a pair of methods needs two finite results")
    return a, b, np.unique(labels, return_inverse=True)[1]


def count_subjects(cluster: NDArray[np.intp]) -> int:
    """Number of subjects, from their numbers as `check_pairs` gives them, shape (n,)."""
    return int(cluster.max()) + 1 if cluster.size else 0
