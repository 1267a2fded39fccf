"""Difference of two means with unequal variances (Welch)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class MeanDifference:
    """Difference of two means, test - reference, with its t interval, in the unit of the values.

    What cannot be estimated is NaN, and `reason` says why: ``FEWSUBJ`` where a group has no value
    (difference) or fewer than two (interval), ``CONSTANT`` where neither group varies.
    """

    estimate: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    se: float = math.nan
    df: float = math.nan
    n_test: int = 0
    n_reference: int = 0
    reason: str = ""


def estimate_difference(
    test: ArrayLike, reference: ArrayLike, level: float = 0.95
) -> MeanDifference:
    """Difference of the means of two independent groups.

    Parameters
    ----------
    test, reference
        Values of the two groups in one unit; NaN are left out and not counted.
    level
        Confidence level.

    References
    ----------
    Welch BL (1947), Biometrika 34:28-35; degrees of freedom after Satterthwaite FE (1946),
    Biometrics Bull 2:110-114.
    """
    from scipy.special import stdtr, stdtrit

    x, y = (np.asarray(side, dtype=float).ravel() for side in (test, reference))
    x, y = x[~np.isnan(x)], y[~np.isnan(y)]
    counts = {"n_test": x.size, "n_reference": y.size}
    if min(x.size, y.size) == 0:
        return MeanDifference(math.nan, **counts, reason="FEWSUBJ")
    estimate = float(x.mean() - y.mean())
    if min(x.size, y.size) < 2:
        return MeanDifference(estimate, **counts, reason="FEWSUBJ")
    vx, vy = float(x.var(ddof=1)) / x.size, float(y.var(ddof=1)) / y.size
    # Equal values leave rounding noise of about eps times their size.
    noise = 1e-12 * max(1e-300, float(np.abs(np.concatenate([x, y])).max()))
    se = math.sqrt(vx + vy)
    if se <= noise:
        return MeanDifference(estimate, **counts, reason="CONSTANT")
    share = vx / (vx + vy)
    df = 1 / (share**2 / (x.size - 1) + (1 - share) ** 2 / (y.size - 1))
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    p = float(2 * stdtr(df, -abs(estimate) / se))
    return MeanDifference(estimate, estimate - half, estimate + half, p, se, df, **counts)
