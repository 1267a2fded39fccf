"""Rank tests of association: two groups (Wilcoxon) and ordered groups (Jonckheere)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

EXACT_BELOW = 50
"""Values, of a group or paired, below which an exact distribution is used, unless some are tied."""


@dataclass(frozen=True)
class RankTest:
    """A rank test; p is NaN with a reason where the test cannot be made."""

    statistic: float
    p: float
    n: int
    method: str
    reason: str = ""


def test_wilcoxon(first: ArrayLike, second: ArrayLike) -> RankTest:
    """Two-sided Wilcoxon rank sum test (Mann-Whitney U of the first group).

    Exact where both groups have fewer than 50 values and no two values are equal,
    else normal with tie and continuity correction: the choice of R's ``wilcox.test``.

    Parameters
    ----------
    first, second
        Values of the groups; NaN are left out.
    """
    from scipy.stats import mannwhitneyu

    a = np.asarray(first, dtype=float)
    b = np.asarray(second, dtype=float)
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    both = np.concatenate([a, b])
    if a.size == 0 or b.size == 0:
        return RankTest(math.nan, math.nan, both.size, "", "FEWSUBJ")
    distinct = np.unique(both).size
    if distinct == 1:
        return RankTest(math.nan, math.nan, both.size, "", "CONSTANT")
    exact = distinct == both.size and max(a.size, b.size) < EXACT_BELOW
    method = "exact" if exact else "asymptotic"
    result = mannwhitneyu(a, b, alternative="two-sided", method=method, use_continuity=True)
    return RankTest(float(result.statistic), float(result.pvalue), both.size, f"Wilcoxon, {method}")


def test_jonckheere(values: ArrayLike, groups: ArrayLike) -> RankTest:
    """Two-sided Jonckheere-Terpstra test of a trend over ordered groups.

    Parameters
    ----------
    values
        Values, shape (n,); NaN are left out.
    groups
        Ordered group of each value as a number, shape (n,).

    Returns
    -------
    RankTest
        The statistic is the standard normal deviate: positive where the values
        rise with the group. Normal approximation with correction for ties.

    References
    ----------
    Jonckheere AR (1954), Biometrika 41:133-145; Terpstra TJ (1952), Indag Math
    14:327-333; variance under ties: Hollander M, Wolfe DA, Nonparametric
    Statistical Methods, section 6.2.
    """
    from scipy.special import ndtr

    x, g = np.asarray(values, dtype=float), np.asarray(groups, dtype=float)
    keep = ~(np.isnan(x) | np.isnan(g))
    x, g = x[keep], g[keep]
    n = x.size
    levels, sizes = np.unique(g, return_counts=True)
    ties = np.unique(x, return_counts=True)[1]
    if levels.size < 2 or n < 3:
        return RankTest(math.nan, math.nan, n, "", "FEWSUBJ")
    if ties.size == 1:
        return RankTest(math.nan, math.nan, n, "", "CONSTANT")
    j = 0.0
    for position, lower in enumerate(levels):
        for upper in levels[position + 1 :]:
            difference = np.sign(x[g == upper][:, None] - x[g == lower][None, :])
            j += float(((difference + 1) / 2).sum())
    m, t = sizes.astype(float), ties.astype(float)
    mean = (n**2 - (m**2).sum()) / 4
    variance = (
        n * (n - 1) * (2 * n + 5)
        - (m * (m - 1) * (2 * m + 5)).sum()
        - (t * (t - 1) * (2 * t + 5)).sum()
    ) / 72
    variance += (
        (m * (m - 1) * (m - 2)).sum() * (t * (t - 1) * (t - 2)).sum() / (36 * n * (n - 1) * (n - 2))
    )
    variance += (m * (m - 1)).sum() * (t * (t - 1)).sum() / (8 * n * (n - 1))
    z = (j - mean) / math.sqrt(variance)
    return RankTest(float(z), float(2 * ndtr(-abs(z))), n, "Jonckheere-Terpstra, normal with ties")


def area_under_curve(outcome: ArrayLike, score: ArrayLike) -> float:
    """Area under the receiver operating characteristic curve, ties counted half.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    score
        Score that should be higher where the outcome is 1, shape (n,).

    Returns
    -------
    float
        NaN where one of the outcomes does not occur.

    References
    ----------
    Hanley JA, McNeil BJ (1982). Radiology 143:29-36 (the Mann-Whitney form).
    """
    y, s = np.asarray(outcome, dtype=float), np.asarray(score, dtype=float)
    events, others = s[y == 1], s[y == 0]
    if events.size == 0 or others.size == 0:
        return math.nan
    # Scores that differ by rounding only, as fitted probabilities of equal rows do, are ties.
    difference = events[:, None] - others[None, :]
    scale = max(1.0, float(np.abs(s).max()))
    difference[np.abs(difference) < 1e-12 * scale] = 0.0
    return float(((np.sign(difference) + 1) / 2).mean())
