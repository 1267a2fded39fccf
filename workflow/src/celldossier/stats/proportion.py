"""Intervals of a proportion, and the exact test of two proportions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


def _check_counts(events: int, n: int, level: float) -> None:
    if not 0 <= events <= n:
        raise ValueError(f"{events} events among {n} subjects are impossible")
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not at {level}")


def clopper_pearson(events: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper-Pearson) confidence interval of a proportion.

    Parameters
    ----------
    events, n
        Subjects with the event, and subjects at all.
    level
        Confidence level.

    Returns
    -------
    tuple of float
        Lower and upper limit, as proportions; both NaN where `n` is 0.

    References
    ----------
    Clopper CJ, Pearson ES (1934). Biometrika 26:404-413; limits as quantiles of
    the beta distribution.
    """
    from scipy.special import betaincinv

    _check_counts(events, n, level)
    if n == 0:
        return math.nan, math.nan
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))
    high = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1 - tail))
    return low, high


def wilson(events: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Score (Wilson) confidence interval of a proportion; both NaN where `n` is 0.

    References
    ----------
    Wilson EB (1927). J Am Stat Assoc 22:209-212.
    """
    from scipy.special import ndtri

    _check_counts(events, n, level)
    if n == 0:
        return math.nan, math.nan
    z = float(ndtri(0.5 + level / 2))
    p = events / n
    centre = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low = 0.0 if events == 0 else (centre - half) / (1 + z**2 / n)
    high = 1.0 if events == n else (centre + half) / (1 + z**2 / n)
    return low, high


@dataclass(frozen=True)
class FisherTest:
    """Fisher's exact test of a 2 x 2 table."""

    p: float
    """Two-sided p value."""
    odds_ratio: float
    """Conditional maximum likelihood estimate; 0 or infinite where a cell is empty."""
    low: float
    high: float


def test_fisher(table: ArrayLike, level: float = 0.95) -> FisherTest:
    """Fisher's exact test, with the conditional odds ratio and its exact interval.

    Parameters
    ----------
    table
        Counts, shape (2, 2): exposure by event.
    level
        Confidence level of the interval.

    References
    ----------
    Fisher RA (1935), J R Stat Soc 98:39-54; two-sided p as in R's ``fisher.test``:
    the sum over the tables that are no more likely than the one seen.
    """
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    counts = np.asarray(table, dtype=int)
    if counts.shape != (2, 2) or (counts < 0).any():
        raise ValueError("Fisher's test takes a table of 2 x 2 counts")
    p = float(fisher_exact(counts).pvalue)
    estimate = odds_ratio(counts, kind="conditional")
    interval = estimate.confidence_interval(level)
    return FisherTest(p, float(estimate.statistic), float(interval.low), float(interval.high))
