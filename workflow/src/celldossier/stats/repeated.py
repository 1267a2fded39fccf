"""Ratios within subjects: the mean of individual ratios, and the trend of repeated values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class WithinRatio:
    """A ratio within subjects with its interval.

    What cannot be estimated is NaN, and `reason` says why: ``FEWSUBJ`` where there is no value
    (ratio), or too few for an interval; ``CONSTANT`` where nothing varies.

    Attributes
    ----------
    p
        Two-sided p-value of the ratio 1.
    subjects, values
        Number of subjects and of values behind it.
    """

    ratio: float
    low: float
    high: float
    p: float
    subjects: int
    values: int
    reason: str = ""


def estimate_mean_ratio(ratios: ArrayLike, level: float = 0.90) -> WithinRatio:
    """Geometric mean of the ratios of subjects, with a t interval on natural logarithms.

    Parameters
    ----------
    ratios
        One ratio a subject; NaN and values that are not positive are left out.
    level
        Confidence level.
    """
    x = np.asarray(ratios, dtype=float)
    logs = np.log(x[x > 0])
    n, nan = logs.size, math.nan
    if n == 0:
        return WithinRatio(nan, nan, nan, nan, 0, 0, "FEWSUBJ")
    mean = float(logs.mean())
    if n < 2:
        return WithinRatio(math.exp(mean), nan, nan, nan, n, n, "FEWSUBJ")
    se = float(logs.std(ddof=1)) / math.sqrt(n)
    # Equal ratios leave rounding noise only.
    if se <= 1e-12 * max(1.0, abs(mean)):
        return WithinRatio(math.exp(mean), nan, nan, nan, n, n, "CONSTANT")
    return _infer(mean, se, n - 1, n, n, level)


def estimate_trend(
    values: ArrayLike, position: ArrayLike, subject: ArrayLike, level: float = 0.90
) -> WithinRatio:
    """Change of repeated values for one step of position, within subjects.

    Least squares of ln value on position with an intercept of each subject; the ratio is
    exp(slope). Subjects with one value, or all at one position, do not enter.

    Parameters
    ----------
    values
        Values; NaN and those that are not positive are left out.
    position, subject
        Position (for instance the number of the dose) and subject of each value.
    level
        Confidence level.

    References
    ----------
    Analysis of covariance with the subject as factor: regression of the deviations from the
    subject's means, with N - subjects - 1 degrees of freedom.
    """
    y, x = np.asarray(values, dtype=float), np.asarray(position, dtype=float)
    used = (y > 0) & np.isfinite(y) & np.isfinite(x)
    _, who = np.unique(np.asarray(subject, dtype=object)[used].astype(str), return_inverse=True)
    y, x = np.log(y[used]), x[used]
    nan = math.nan
    if not y.size:
        return WithinRatio(nan, nan, nan, nan, 0, 0, "FEWSUBJ")
    count = np.bincount(who)
    dx = x - (np.bincount(who, x) / count)[who]
    dy = y - (np.bincount(who, y) / count)[who]
    enters = np.bincount(who, dx * dx) > 0
    subjects, n = int(enters.sum()), int(count[enters].sum())
    if not subjects:
        return WithinRatio(nan, nan, nan, nan, 0, 0, "FEWSUBJ")
    dx, dy = dx[enters[who]], dy[enters[who]]
    sxx = float(dx @ dx)
    slope = float(dx @ dy) / sxx
    df = n - subjects - 1
    if df < 1:
        return WithinRatio(math.exp(slope), nan, nan, nan, subjects, n, "FEWSUBJ")
    rest = dy - slope * dx
    variance = float(rest @ rest) / df
    if variance <= 1e-24 * max(1.0, float(dy @ dy)):
        return WithinRatio(math.exp(slope), nan, nan, nan, subjects, n, "CONSTANT")
    return _infer(slope, math.sqrt(variance / sxx), df, subjects, n, level)


def _infer(
    estimate: float, se: float, df: float, subjects: int, values: int, level: float
) -> WithinRatio:
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(df, 0.5 + level / 2)) * se
    p = float(2 * stdtr(df, -abs(estimate) / se))
    low, high = math.exp(estimate - half), math.exp(estimate + half)
    return WithinRatio(math.exp(estimate), low, high, p, subjects, values)
