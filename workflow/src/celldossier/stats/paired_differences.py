"""Location of paired differences: Hodges-Lehmann's estimate with its interval, the sign test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.association import EXACT_BELOW


@dataclass(frozen=True)
class PairedDifference:
    """Median of the averages of all pairs of differences; NaN with a reason where there is none.

    `reason`: ``FEWSUBJ`` (no difference, or too few for an interval of that level).
    """

    n: int
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    reason: str = ""


def estimate_hodges_lehmann(differences: ArrayLike, level: float = 0.95) -> PairedDifference:
    """Hodges-Lehmann's estimate of the centre of differences, with its interval.

    Parameters
    ----------
    differences
        One difference a subject; NaN are left out.
    level
        Confidence level; the exact interval holds at least so much.

    References
    ----------
    Hodges JL, Lehmann EL (1963), Ann Math Stat 34:598-611; interval from the ordered averages
    (Tukey): Hollander M, Wolfe DA, Nonparametric Statistical Methods, sections 3.2 and 3.3.
    Exact quantile of the signed rank statistic where fewer than 50 differences are all distinct
    in size, else its normal approximation.
    """
    d = np.asarray(differences, dtype=float)
    d = d[~np.isnan(d)]
    n = d.size
    if n == 0:
        return PairedDifference(0, reason="FEWSUBJ")
    upper = np.triu_indices(n)
    averages = np.sort((d[upper[0]] + d[upper[1]]) / 2)
    estimate = float(np.median(averages))
    exact = n < EXACT_BELOW and np.unique(np.abs(d)).size == n and not (d == 0).any()
    count = _exact_count(n, level) if exact else _normal_count(n, level)
    if count < 1:
        return PairedDifference(n, estimate, reason="FEWSUBJ")
    return PairedDifference(
        n, estimate, float(averages[count - 1]), float(averages[averages.size - count])
    )


def sign_test(before: int, after: int) -> float:
    """Two-sided exact p value of the sign test, ties left out; NaN where none differ."""
    from scipy.stats import binomtest

    if before + after == 0:
        return math.nan
    return float(binomtest(before, before + after, 0.5).pvalue)


def _exact_count(n: int, level: float) -> int:
    """Averages to leave out at each end, and one: the largest that keeps the level."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        # Each rank is of a positive difference with the chance one half.
        shifted = np.concatenate([np.zeros(rank), ways[:-rank]])
        ways = (ways + shifted) / 2
    # P(T < count) is the chance that the truth lies below the interval.
    return int(np.searchsorted(np.cumsum(ways), (1 - level) / 2, side="right"))


def _normal_count(n: int, level: float) -> int:
    from scipy.special import ndtri

    centre = n * (n + 1) / 4
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return math.floor(centre - float(ndtri(0.5 + level / 2)) * spread)
