"""Cochran-Armitage test of a trend of proportions over ordered groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.predictors import is_constant

EXACT_CELLS = 2_000_000
"""Largest table of the exact distribution (subjects with event times sum of scores)."""


@dataclass(frozen=True)
class TrendTest:
    """Trend of proportions; NaN with a reason where there is none.

    `reason`: ``ONELEVEL`` (fewer than two groups with subjects), ``NOEVENT``,
    ``ALLEVENT``, ``CONSTANT`` (one score for all).
    """

    z: float
    """Standard normal deviate: positive where the proportion rises with the score."""
    p: float
    n: int
    method: str
    """EXACT or ASYMPTOTIC; blank where there is no test."""
    p_asymptotic: float = math.nan
    reason: str = ""


def test_cochran_armitage(
    events: ArrayLike, sizes: ArrayLike, scores: ArrayLike | None = None
) -> TrendTest:
    """Two-sided test that the proportions of ordered groups have no linear trend.

    Parameters
    ----------
    events, sizes
        Subjects with the event, and subjects at all, of each group, shape (k,).
    scores
        Score of each group, shape (k,); None: 1, 2, ..., k.

    Returns
    -------
    TrendTest
        p is that of the exact distribution given both margins where the scores are
        whole numbers, else of the normal approximation.

    References
    ----------
    Cochran WG (1954), Biometrics 10:417-451; Armitage P (1955), Biometrics 11:375-386;
    exact distribution: Mehta CR, Patel NR, Senchaudhuri P (1998), J Comput Graph Stat
    7:93-104 (here by convolution); two-sided: sums of scores at least as far from their
    expectation as the one seen.
    """
    from scipy.special import ndtr

    r, n = np.asarray(events, dtype=float), np.asarray(sizes, dtype=float)
    s = np.arange(1.0, n.size + 1) if scores is None else np.asarray(scores, dtype=float)
    if not r.shape == n.shape == s.shape or r.ndim != 1:
        raise ValueError("each group needs its events, its size and its score")
    if ((r < 0) | (r > n)).any():
        raise ValueError("a group has more events than subjects, or fewer than none")
    r, s, n = r[n > 0], s[n > 0], n[n > 0]
    total, cases = float(n.sum()), float(r.sum())
    reason = ""
    if n.size < 2:
        reason = "ONELEVEL"
    elif cases == 0:
        reason = "NOEVENT"
    elif cases == total:
        reason = "ALLEVENT"
    elif is_constant(s):
        reason = "CONSTANT"
    if reason:
        return TrendTest(math.nan, math.nan, int(total), "", reason=reason)
    share = cases / total
    centred = s - float(n @ s) / total
    variance = share * (1 - share) * float(n @ centred**2)
    z = float(centred @ r) / math.sqrt(variance)
    asymptotic = float(2 * ndtr(-abs(z)))
    p = _exact_p(r, n, s)
    if math.isnan(p):
        return TrendTest(z, asymptotic, int(total), "ASYMPTOTIC", asymptotic)
    return TrendTest(z, p, int(total), "EXACT", asymptotic)


def _exact_p(
    events: NDArray[np.float64], sizes: NDArray[np.float64], scores: NDArray[np.float64]
) -> float:
    """Chance of a sum of scores as far out, given both margins; NaN where it is not made."""
    from scipy.stats import binom

    whole = np.round(scores)
    if np.abs(scores - whole).max() > 1e-9:
        return math.nan
    step = (whole - whole.min()).astype(int)
    divisor = int(np.gcd.reduce(step))
    step = step // max(divisor, 1)
    cases = int(events.sum())
    width = cases * int(step.max()) + 1
    if (cases + 1) * width > EXACT_CELLS:
        return math.nan
    share = cases / float(sizes.sum())
    # ways[c, t]: chance of c events so far with the sum of scores t.
    ways = np.zeros((cases + 1, width))
    ways[0, 0] = 1.0
    for size, score in zip(sizes.astype(int), step, strict=True):
        new = np.zeros_like(ways)
        # Binomial chances: their common probability cancels once the total is given.
        weights = binom.pmf(np.arange(min(size, cases) + 1), size, share)
        for count, weight in enumerate(weights):
            shift = count * int(score)
            new[count:, shift:] += weight * ways[: cases + 1 - count, : width - shift]
        ways = new
    chance = ways[cases] / ways[cases].sum()
    sums = np.arange(width, dtype=float)
    expected = cases * float(sizes @ step) / float(sizes.sum())
    away = abs(float(events @ step) - expected)
    return min(1.0, float(chance[np.abs(sums - expected) >= away - 1e-9].sum()))
