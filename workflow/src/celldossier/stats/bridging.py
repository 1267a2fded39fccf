"""Bridge between two versions of an assay: the same samples measured by both.

A subject may give several pairs, so that every error rests on subjects, never on single pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.method_comparison import (
    NO_COEFFICIENT,
    Coefficient,
    check_pairs,
    count_subjects,
    estimate_deming,
)

Floats = NDArray[np.float64]

ROUNDING = 1e-9
"""Distance of a slope from 1, or of a log ratio from the mean, that is rounding."""


@dataclass(frozen=True)
class Bridge:
    """Factor from one version of an assay to another, and whether it holds at all levels.

    Attributes
    ----------
    n, n_subjects
        Pairs, and subjects that gave them.
    ratio, low, high
        Geometric mean of second over first with its interval; no unit. A result of the second
        version over `ratio` is one of the first.
    se, df
        Standard error of ln `ratio` by subject, and its degrees of freedom.
    slope
        Slope of ln second on ln first with its interval: 1 where one factor fits all levels.
    level_dependent
        Whether the interval of the slope leaves 1 out. False also where there is no interval:
        `slope_reason` tells the two apart, and `usable` needs a slope that could be judged.
    reason
        Why there is no ratio or interval: ``FEWSUBJ`` (no pair; interval: fewer than two
        subjects), ``CONSTANT`` (all pairs have one ratio), ``OVERFLOW``.
    slope_reason
        Why there is no slope or no interval of it: ``FEWSUBJ`` (fewer than three subjects or
        pairs), ``CONSTANT`` (a version does not vary).
    """

    n: int
    n_subjects: int
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    se: float = math.nan
    df: float = math.nan
    slope: Coefficient = NO_COEFFICIENT
    level_dependent: bool = False
    reason: str = ""
    slope_reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether one factor may carry results over: estimated, and the same at all levels."""
        return not (self.reason or self.slope_reason or self.level_dependent)


def estimate_bridge(
    first: ArrayLike, second: ArrayLike, cluster: ArrayLike, level: float = 0.95
) -> Bridge:
    """Factor from the first version of an assay to the second, from pairs of results.

    Parameters
    ----------
    first, second
        Results of the same samples by both versions, above 0, in one unit, shape (n,); a
        result below the limit of quantitation has no place here.
    cluster
        Subject of each pair, shape (n,).
    level
        Confidence level of both intervals.

    Returns
    -------
    Bridge
        Each pair counts the same. The standard error of the mean log ratio is that of
        subjects' sums with the correction G / (G - 1), on G - 1 degrees of freedom for G
        subjects: where all have as many pairs, it is the t interval of the subjects' means.
        The slope is Deming's with equal error variances of the logarithms, its interval by the
        jackknife over subjects.

    Raises
    ------
    ValueError
        If a result is not above 0, or the lengths differ.

    References
    ----------
    Liang KY, Zeger SL (1986), Biometrika 73:13-22; few clusters: Cameron AC, Miller DL (2015),
    J Hum Resour 50:317-372, section VI; slope: `method_comparison.estimate_deming`.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not ((a > 0).all() and (b > 0).all()):
        raise ValueError("a pair of a bridge needs two results above 0")
    x, y, group = check_pairs(np.log(a), np.log(b), cluster)
    n, subjects = x.size, count_subjects(group)
    if n == 0:
        return Bridge(0, 0, reason="FEWSUBJ", slope_reason="FEWSUBJ")
    line = estimate_deming(x, y, np.asarray(cluster), level=level)
    # Pairs of one exact line have a jackknife of rounding, which says nothing against 1.
    level_dependent = not math.isnan(line.slope.se) and (
        line.slope.low > 1 + ROUNDING or line.slope.high < 1 - ROUNDING
    )
    ratio, low, high, se, reason = _clustered_ratio(y - x, group, subjects, level)
    return Bridge(
        n,
        subjects,
        ratio,
        low,
        high,
        se,
        subjects - 1.0 if not math.isnan(se) else math.nan,
        line.slope,
        level_dependent,
        reason,
        line.reason,
    )


def _clustered_ratio(
    differences: Floats, group: NDArray[np.intp], subjects: int, level: float
) -> tuple[float, float, float, float, str]:
    """Ratio, limits, standard error of its logarithm, and the reason why some are missing."""
    from scipy.special import stdtrit

    nan = math.nan
    mean = float(differences.mean())
    if abs(mean) > 700:
        return nan, nan, nan, nan, "OVERFLOW"
    ratio = math.exp(mean)
    if subjects < 2:
        return ratio, nan, nan, nan, "FEWSUBJ"
    residuals = differences - mean
    if float(np.abs(residuals).max()) <= ROUNDING:
        return ratio, nan, nan, nan, "CONSTANT"
    sums = np.bincount(group, weights=residuals, minlength=subjects)
    variance = subjects / (subjects - 1) * float(sums @ sums)
    se = math.sqrt(variance) / differences.size
    half = float(stdtrit(subjects - 1, 0.5 + level / 2)) * se
    if abs(mean) + half > 700:
        return nan, nan, nan, nan, "OVERFLOW"
    return ratio, math.exp(mean - half), math.exp(mean + half), se, ""


@dataclass(frozen=True)
class CombinedError:
    """Standard error of a sum of two independent estimates, and its degrees of freedom.

    Attributes
    ----------
    se
        On the scale of the two (natural logarithms).
    df
        Degrees of freedom after Satterthwaite; infinite where both are known without error.
    """

    se: float
    df: float


def combine_bridge_error(
    se_gmr: float, se_bridge: float, df_gmr: float, df_bridge: float
) -> CombinedError:
    """Error of a log ratio of which one side was carried over by a bridge.

    Parameters
    ----------
    se_gmr, df_gmr
        Standard error of ln ratio of the groups, the bridge taken as known, and its degrees of
        freedom.
    se_bridge, df_bridge
        Standard error of ln factor of the bridge and its degrees of freedom. Subjects of the
        bridge who are also in the groups make the two dependent, which is not counted here:
        the factor rests on differences within samples, not on how high the samples are.

    References
    ----------
    Satterthwaite FE (1946), Biometrics Bull 2:110-114.
    """
    if not (se_gmr >= 0 and se_bridge >= 0 and df_gmr > 0 and df_bridge > 0):
        raise ValueError("a standard error is not negative, and degrees of freedom lie above 0")
    se = math.hypot(se_gmr, se_bridge)
    if se == 0:
        return CombinedError(0.0, math.inf)
    # Shares of the variance, not fourth powers of the errors, which may underflow.
    first, second = (se_gmr / se) ** 2, (se_bridge / se) ** 2
    return CombinedError(se, 1 / (first**2 / df_gmr + second**2 / df_bridge))
