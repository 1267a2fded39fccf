"""Ratios of geometric means: two groups (Welch) and linear models of ln exposure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Ratio:
    """Ratio of two geometric means with its interval.

    A ratio or an interval that cannot be estimated is NaN, and `reason` says why:
    ``FEWSUBJ`` where a group has no positive value (ratio) or fewer than two
    (interval), ``CONSTANT`` where neither group varies, ``OVERFLOW`` where the ratio or
    its interval has no floating-point number; models of `adjusted_ratio` have more.
    """

    ratio: float
    low: float
    high: float
    p: float
    n_test: int
    n_reference: int
    reason: str = ""
    se: float = math.nan
    """Standard error of ln ratio; NaN where there is no interval."""
    df: float = math.nan
    """Degrees of freedom of the t interval."""
    sd: float = math.nan
    """Standard deviation of the natural logarithms within groups, pooled."""


def _positive_logs(values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=float).ravel()
    return np.asarray(np.log(x[x > 0]), dtype=float)


def make_ratio(
    difference: float,
    interval: tuple[float, float, float],
    n_test: int,
    n_reference: int,
    reason: str = "",
) -> Ratio:
    """The ratio of a difference of logarithms, and its interval from the same scale with its p.

    Parameters
    ----------
    difference
        Difference of natural logarithms.
    interval
        Its limits, natural logarithms too, and its p; `NO_INTERVAL` where there is none.
    n_test, n_reference, reason
        As in `Ratio`; the reason gives way to ``OVERFLOW``.
    """
    low, high, p = interval
    try:
        ratio, low, high = math.exp(difference), math.exp(low), math.exp(high)
    except OverflowError:
        ratio, low, high, reason = math.nan, math.nan, math.nan, "OVERFLOW"
    return Ratio(ratio, low, high, p, n_test, n_reference, reason)


NO_INTERVAL = (math.nan, math.nan, math.nan)

Variance = Literal["UNEQUAL", "EQUAL"]


def ratio_from_logs(
    difference: float,
    se: float,
    df: float,
    sizes: tuple[int, int],
    level: float,
    sd: float = math.nan,
) -> Ratio:
    """The ratio and its t interval from a difference of mean logarithms.

    Parameters
    ----------
    difference, se, df
        Difference of the means of natural logarithms, its standard error (above 0) and the
        degrees of freedom of that.
    sizes
        Subjects of the test and of the reference group.
    level
        Confidence level.
    sd
        Standard deviation of the logarithms within groups.
    """
    made = make_ratio(difference, _t_inference(difference, se, df, level), *sizes)
    return replace(made, se=se, df=df, sd=sd)


def estimate_ratio(
    test: ArrayLike, reference: ArrayLike, level: float = 0.90, variance: Variance = "UNEQUAL"
) -> Ratio:
    """Geometric mean ratio test / reference with a t interval.

    Parameters
    ----------
    test, reference
        Values of the two groups, any positive unit; NaN and values that are not
        positive have no logarithm, are left out, and are not in the counts.
    level
        Confidence level.
    variance
        ``UNEQUAL`` (Welch) or ``EQUAL`` (both groups have one variance, pooled).

    References
    ----------
    Welch BL (1947), Biometrika 34:28-35, on natural logarithms; degrees of freedom
    after Satterthwaite FE (1946), Biometrics Bull 2:110-114.
    """
    a, b = _positive_logs(test), _positive_logs(reference)
    nan = math.nan
    if a.size == 0 or b.size == 0:
        return Ratio(nan, nan, nan, nan, a.size, b.size, "FEWSUBJ")
    difference = float(a.mean() - b.mean())
    sizes = (a.size, b.size)
    if a.size < 2 or b.size < 2:
        return make_ratio(difference, NO_INTERVAL, *sizes, "FEWSUBJ")
    va, vb = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    if va + vb <= 0:
        return make_ratio(difference, NO_INTERVAL, *sizes, "CONSTANT")
    df = a.size + b.size - 2.0
    pooled = (va * a.size * (a.size - 1) + vb * b.size * (b.size - 1)) / df
    se = math.sqrt(pooled * (1 / a.size + 1 / b.size))
    if variance == "UNEQUAL":
        df = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
        se = math.sqrt(va + vb)
    return ratio_from_logs(difference, se, df, sizes, level, math.sqrt(pooled))


def _t_inference(estimate: float, se: float, df: float, level: float) -> tuple[float, float, float]:
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(df, 0.5 + level / 2)) * se
    p = float(2 * stdtr(df, -abs(estimate) / se))
    return estimate - half, estimate + half, p


def estimate_level_ratios(
    values: ArrayLike, levels: ArrayLike, reference: str, level: float = 0.90
) -> dict[str, Ratio]:
    """Geometric mean ratio of each level to a reference, by one-way analysis of variance.

    Parameters
    ----------
    values
        Positive values, shape (n,).
    levels
        Level of each value, shape (n,).
    reference
        Level to which the others are compared; it must occur.
    level
        Confidence level.

    Returns
    -------
    dict
        Level to `Ratio`, without the reference; pooled variance of all levels.
    """
    logs = np.log(np.asarray(values, dtype=float))
    labels = np.asarray(levels, dtype=object)
    names = sorted(set(labels.tolist()))
    if reference not in names:
        raise ValueError(f"the reference level {reference} does not occur")
    means = {name: float(logs[labels == name].mean()) for name in names}
    counts = {name: int((labels == name).sum()) for name in names}
    df = logs.size - len(names)
    squares = sum(float(((logs[labels == name] - means[name]) ** 2).sum()) for name in names)
    ratios = {}
    for name in names:
        if name == reference:
            continue
        difference = means[name] - means[reference]
        sizes = (counts[name], counts[reference])
        if df < 1 or squares <= 0:
            reason = "FEWSUBJ" if df < 1 else "CONSTANT"
            ratios[name] = make_ratio(difference, NO_INTERVAL, *sizes, reason)
            continue
        se = math.sqrt(squares / df * (1 / sizes[0] + 1 / sizes[1]))
        ratios[name] = make_ratio(difference, _t_inference(difference, se, df, level), *sizes)
    return ratios


def estimate_slope_ratio(
    values: ArrayLike, covariate: ArrayLike, step: float, level: float = 0.90
) -> Ratio:
    """Ratio of geometric means for a step of a continuous covariate, by linear regression.

    Parameters
    ----------
    values
        Positive values, shape (n,).
    covariate
        Covariate, shape (n,).
    step
        Difference of the covariate to which the ratio belongs, for instance the
        distance of its 10th and 90th percentiles.
    level
        Confidence level.

    Returns
    -------
    Ratio
        exp(slope x step); both counts are the number of subjects in the regression.
    """
    y = np.log(np.asarray(values, dtype=float))
    x = np.asarray(covariate, dtype=float)
    n = y.size
    nan = math.nan
    if n < 3:
        return Ratio(nan, nan, nan, nan, n, n, "FEWSUBJ")
    centred = x - x.mean()
    spread = float(centred @ centred)
    # A constant leaves rounding noise of about eps * |x|, hence the relative limit.
    if spread <= n * (1e-12 * max(1.0, float(np.abs(x).max()))) ** 2 or step == 0:
        return Ratio(nan, nan, nan, nan, n, n, "CONSTANT")
    slope = float(centred @ y) / spread
    residuals = y - y.mean() - slope * centred
    variance = float(residuals @ residuals) / (n - 2)
    if variance <= 0:
        return make_ratio(slope * step, NO_INTERVAL, n, n, "CONSTANT")
    se = math.sqrt(variance / spread) * abs(step)
    return make_ratio(slope * step, _t_inference(slope * step, se, n - 2, level), n, n)
