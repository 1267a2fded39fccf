"""Passing-Bablok regression of two methods, with limits that rest on subjects."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.method_comparison import (
    NO_COEFFICIENT,
    Coefficient,
    Floats,
    Line,
    check_pairs,
    count_subjects,
)

MAX_PAIRS = 5_000
"""Passing-Bablok holds all n (n - 1) / 2 slopes (100 MB at this number of pairs) and
tests some 50 of them in a time that rises with n squared."""


def estimate_passing_bablok(
    x: ArrayLike, y: ArrayLike, subject: ArrayLike | None = None, level: float = 0.95
) -> Line:
    """Equivariant Passing-Bablok regression.

    The slope is the median of the absolute slopes of all pairs of points, with the sign of
    their rank correlation: the slope b at which Kendall's tau of y - b x and y + b x is 0. It
    does not change when a method is given in another unit.

    Parameters
    ----------
    x, y, subject, level
        See `estimate_deming`.

    Returns
    -------
    Line
        Limits of the slope: those b which the test of tau = 0 does not reject. Where each
        subject has one pair the variance of its numerator is n (n - 1) (2 n + 5) / 18, else
        that of tau is the jackknife's over subjects. Limits of the intercept: the medians of
        y - b x at the limits of b. There are no standard errors.

    References
    ----------
    Passing H, Bablok W (1983). J Clin Chem Clin Biochem 21:709-720; Bablok W et al. (1988),
    ibid. 26:783-790 (equivariant, PBequi of R mcr); Dufey F (2020). Int J Biostat 16(2),
    20190157 (inversion of Kendall's tau).
    """
    a, b, cluster = check_pairs(x, y, subject)
    n, groups = a.size, count_subjects(cluster)
    if n < 3 or groups < 3:
        return Line(NO_COEFFICIENT, NO_COEFFICIENT, n, groups, "FEWSUBJ")
    if n > MAX_PAIRS:
        return Line(NO_COEFFICIENT, NO_COEFFICIENT, n, groups, "MANYPAIR")
    slopes, concordance = _all_slopes(a, b)
    if slopes.size == 0 or concordance == 0:
        return Line(NO_COEFFICIENT, NO_COEFFICIENT, n, groups, "CONSTANT")
    slopes.sort()
    magnitude = float(np.median(slopes))
    if not 0 < magnitude < math.inf:
        return Line(NO_COEFFICIENT, NO_COEFFICIENT, n, groups, "CONSTANT")
    low, high = _invert_kendall(a, b, cluster, slopes, level)
    sign = 1.0 if concordance > 0 else -1.0
    bounds = sorted((sign * low, sign * high))
    slope = Coefficient(sign * magnitude, math.nan, bounds[0], bounds[1])
    at = [_median_residual(a, b, value) for value in bounds]
    centre = _median_residual(a, b, sign * magnitude)
    intercept = Coefficient(centre, math.nan, min(at), max(at))
    reason = "" if all(map(math.isfinite, (*bounds, *at))) else "NOLIMIT"
    return Line(intercept, slope, n, groups, reason)


def _all_slopes(x: Floats, y: Floats) -> tuple[Floats, int]:
    """Absolute slopes of all pairs of points that differ, and concordant less discordant."""
    parts, concordance = [], 0
    for place in range(x.size - 1):
        dx, dy = x[place + 1 :] - x[place], y[place + 1 :] - y[place]
        concordance += int((np.sign(dx) * np.sign(dy)).sum())
        differ = (dx != 0) | (dy != 0)
        with np.errstate(divide="ignore"):
            parts.append(np.abs(dy[differ] / dx[differ]))
    return np.concatenate(parts), concordance


def _invert_kendall(
    x: Floats, y: Floats, cluster: NDArray[np.intp], slopes: Floats, level: float
) -> tuple[float, float]:
    """Limits of the absolute slope; NaN where the test rejects no slope on a side."""
    from scipy.special import ndtri, stdtrit

    n, groups, total = x.size, count_subjects(cluster), slopes.size
    if groups == n:
        variance = n * (n - 1) * (2 * n + 5) / 18
        width = float(ndtri(0.5 + level / 2)) * math.sqrt(variance)
        # Order statistics of Passing and Bablok (1983), counted from 1.
        first = round((total - width) / 2)
        if first < 1:
            return math.nan, math.nan
        return float(slopes[first - 1]), float(slopes[total - first])
    t = float(stdtrit(groups - 2, 0.5 + level / 2))

    def accepted(b: float) -> bool:
        tau, variance = _kendall(x, y, cluster, b)
        return tau**2 <= t**2 * variance

    return _edge(slopes, accepted, -1), _edge(slopes, accepted, 1)


def _edge(slopes: Floats, accepted: Callable[[float], bool], side: int) -> float:
    """Where the accepted slopes end on one side of the median; NaN where they do not.

    The test is constant between two observed slopes and is made there: at a slope itself
    it would hang on the rounding of a difference that is 0.
    """
    distinct = np.unique(slopes[np.isfinite(slopes)])
    # between[k] lies just below distinct[k], the last one above all.
    inner = (distinct[1:] + distinct[:-1]) / 2
    between = np.concatenate([[distinct[0] / 2], inner, [2 * distinct[-1]]])
    inside = int(np.searchsorted(distinct, np.median(slopes)))
    outside = 0 if side < 0 else distinct.size
    if accepted(float(between[outside])):
        return math.nan
    while abs(outside - inside) > 1:
        halfway = (inside + outside) // 2
        if accepted(float(between[halfway])):
            inside = halfway
        else:
            outside = halfway
    return float(distinct[outside if side < 0 else inside])


def _kendall(x: Floats, y: Floats, cluster: NDArray[np.intp], b: float) -> tuple[float, float]:
    """Kendall's tau of y - b x and y + b x, and its variance by the jackknife over subjects."""
    groups = count_subjects(cluster)
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], np.arange(groups))
    u, v = (y - b * x)[order], (y + b * x)[order]
    stops = np.append(starts[1:], u.size)
    concordance = np.zeros((groups, groups))
    for group, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        own = slice(start, stop)
        # Bytes instead of signs: between two observed slopes only equal points are tied.
        agree = (u[own, None] > u) == (v[own, None] > v)
        tied = (u[own, None] == u) & (v[own, None] == v)
        terms = 2 * agree.sum(axis=0) - (stop - start) - tied.sum(axis=0)
        concordance[group] = np.add.reduceat(terms, starts)
    sizes = (stops - starts).astype(float)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    # All pairs of points, less those of each subject with any point.
    total, all_pairs = concordance.sum() / 2, pairs.sum() / 2
    rest = total - (concordance.sum(axis=1) - np.diag(concordance) / 2)
    rest_pairs = all_pairs - (pairs.sum(axis=1) - np.diag(pairs) / 2)
    left_out = rest / rest_pairs
    variance = (groups - 1) / groups * ((left_out - left_out.mean()) ** 2).sum()
    return float(total / all_pairs), float(variance)


def _median_residual(x: Floats, y: Floats, slope: float) -> float:
    return float(np.median(y - slope * x)) if math.isfinite(slope) else math.nan
