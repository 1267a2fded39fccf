"""Whether the geometric means of several groups differ, without equal variances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class EqualMeans:
    """Welch's F, its degrees of freedom and p.

    What cannot be computed is NaN, and `reason` says why: ``FEWSUBJ`` where fewer than
    two groups have two positive values, ``CONSTANT`` where a group does not vary.
    """

    f: float
    df_between: float
    df_within: float
    p: float
    n: int
    reason: str = ""


def test_welch(groups: Sequence[ArrayLike]) -> EqualMeans:
    """Welch's one-way analysis of variance on natural logarithms.

    Parameters
    ----------
    groups
        Values of each group, any positive unit. NaN and values that are not positive have
        no logarithm and are left out; so is a group of fewer than two values, which has
        no variance.

    Notes
    -----
    For two groups p is that of Welch's t test.

    References
    ----------
    Welch BL (1951), Biometrika 38:330-336; ``oneway.test`` of R.
    """
    arrays = [np.asarray(values, dtype=float).ravel() for values in groups]
    logs = [np.log(x[x > 0]) for x in arrays]
    logs = [x for x in logs if x.size > 1]
    n = sum(x.size for x in logs)
    nan = math.nan
    if len(logs) < 2:
        return EqualMeans(nan, nan, nan, nan, n, "FEWSUBJ")
    sizes = np.array([x.size for x in logs], dtype=float)
    means = np.array([x.mean() for x in logs])
    variances = np.array([x.var(ddof=1) for x in logs])
    if (variances <= 0).any():
        return EqualMeans(nan, nan, nan, nan, n, "CONSTANT")
    weights = sizes / variances
    total = weights.sum()
    centre = float(weights @ means / total)
    k = len(logs)
    spread = float(((1 - weights / total) ** 2 / (sizes - 1)).sum()) / (k * k - 1)
    between = float(weights @ (means - centre) ** 2) / (k - 1)
    f = between / (1 + 2 * (k - 2) * spread)
    df = 1 / (3 * spread)
    from scipy.special import fdtrc

    return EqualMeans(f, float(k - 1), df, float(fdtrc(k - 1, df, f)), n)
