"""Ratio of two groups without a distribution: Hodges and Lehmann's shift of logarithms."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.association import EXACT_BELOW
from celldossier.stats.ratio import Ratio, make_ratio


def estimate_shift_ratio(test: ArrayLike, reference: ArrayLike, level: float = 0.90) -> Ratio:
    """Median of all ratios of a value of the test group to one of the reference group.

    Parameters
    ----------
    test, reference
        Values of both groups, any positive unit. NaN and values that are not positive are left
        out and are not in the counts.
    level
        Confidence level; the exact interval holds at least so much.

    Returns
    -------
    Ratio
        The shift of the logarithms as a ratio. Its interval holds the ratios that the
        Mann-Whitney test does not reject; `p` is that of the ratio 1. ``FEWSUBJ``: a group is
        empty, or (interval) too small for that level. ``OVERFLOW`` as in `Ratio`.

    References
    ----------
    Hodges JL, Lehmann EL (1963), Ann Math Stat 34:598-611; interval (Moses): Hollander M, Wolfe
    DA, Nonparametric Statistical Methods, sections 4.2 and 4.3. Exact distribution where both
    groups have fewer than 50 values and all differ, else the normal approximation with the
    correction for ties.
    """
    from scipy.stats import mannwhitneyu

    a, b = (_positive(values) for values in (test, reference))
    nan, sizes = math.nan, (a.size, b.size)
    if min(sizes) == 0:
        return Ratio(nan, nan, nan, nan, *sizes, "FEWSUBJ")
    logs, others = np.log(a), np.log(b)
    differences = np.sort((logs[:, None] - others).ravel())
    both = np.concatenate([a, b])
    exact = max(sizes) < EXACT_BELOW and np.unique(both).size == both.size
    p = float(mannwhitneyu(a, b, method="exact" if exact else "asymptotic").pvalue)
    count = _exact_count(*sizes, level) if exact else _normal_count(both, *sizes, level)
    shift = float(np.median(differences))
    if count < 1:
        return make_ratio(shift, (nan, nan, p), *sizes, "FEWSUBJ")
    low, high = float(differences[count - 1]), float(differences[differences.size - count])
    return make_ratio(shift, (low, high, p), *sizes)


def _positive(values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=float).ravel()
    return np.asarray(x[x > 0], dtype=float)


@lru_cache(maxsize=256)
def _exact_count(n: int, m: int, level: float) -> int:
    """Differences to leave out at each end, and one: the largest that keeps the level."""
    # Chance of each sum of the ranks of the first group, taken rank by rank from its smallest.
    ways = np.zeros((n + 1, n * m + 1))
    ways[0, 0] = 1.0
    for rank in range(1, n + m + 1):
        for chosen in range(min(n, rank), 0, -1):
            # The statistic counts the values of the other group below: rank less those chosen.
            below = rank - chosen
            if below <= m:
                ways[chosen, below:] += ways[chosen - 1, : n * m + 1 - below]
    chance = np.cumsum(ways[n] / ways[n].sum())
    # P(U < count) is the chance that the truth lies below the interval.
    return int(np.searchsorted(chance, (1 - level) / 2, side="right"))


def _normal_count(both: NDArray[np.float64], n: int, m: int, level: float) -> int:
    from scipy.special import ndtri

    size = n + m
    ties = np.unique(both, return_counts=True)[1].astype(float)
    correction = float((ties**3 - ties).sum()) / (size * (size - 1))
    spread = math.sqrt(max(0.0, n * m / 12 * (size + 1 - correction)))
    return math.floor(n * m / 2 - float(ndtri(0.5 + level / 2)) * spread)
