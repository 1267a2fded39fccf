"""Spearman's rank correlation of independent subjects, with an interval and a test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's coefficient; what cannot be computed is NaN and `reason` says why.

    ``FEWSUBJ``: fewer than three pairs, or fewer than four for the interval;
    ``CONSTANT``: one of the variables does not vary; ``NOLIMIT``: the ranks agree
    perfectly, so that the transformation has no finite value (coefficient without
    interval).
    """

    n: int
    rho: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    reason: str = ""


def estimate_rank_correlation(
    first: ArrayLike, second: ArrayLike, level: float = 0.95
) -> RankCorrelation:
    """Spearman's rank correlation of two variables, one row a subject.

    Parameters
    ----------
    first, second
        Values, shape (n,); a pair with a NaN is left out, equal values have their mean rank.
    level
        Confidence level.

    References
    ----------
    Interval: Fisher's transformation with the standard error
    sqrt((1 + rho^2 / 2) / (n - 3)) of Bonett DG, Wright TA (2000), Psychometrika
    65:23-28. p: t distribution with n - 2 degrees of freedom, as in
    ``scipy.stats.spearmanr`` and R's ``cor.test(exact = FALSE)``.
    """
    from scipy.special import ndtri, stdtr
    from scipy.stats import rankdata

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"{a.size} and {b.size} values are no pairs")
    known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[known], b[known]
    n = a.size
    if n < 3:
        return RankCorrelation(n, reason="FEWSUBJ")
    if np.unique(a).size == 1 or np.unique(b).size == 1:
        return RankCorrelation(n, reason="CONSTANT")
    ranks = [rankdata(values) - (n + 1) / 2 for values in (a, b)]
    # The product of the spreads first: two equal rankings then give exactly 1.
    scale = math.sqrt(float(ranks[0] @ ranks[0]) * float(ranks[1] @ ranks[1]))
    rho = max(-1.0, min(1.0, float(ranks[0] @ ranks[1]) / scale))
    if abs(rho) > 1 - 1e-12:
        return RankCorrelation(n, float(round(rho)), reason="NOLIMIT")
    t = abs(rho) * math.sqrt((n - 2) / (1 - rho**2))
    p = float(2 * stdtr(n - 2, -t))
    if n < 4:
        return RankCorrelation(n, rho, p=p, reason="FEWSUBJ")
    half = float(ndtri(0.5 + level / 2)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    z = math.atanh(rho)
    return RankCorrelation(n, rho, math.tanh(z - half), math.tanh(z + half), p)
