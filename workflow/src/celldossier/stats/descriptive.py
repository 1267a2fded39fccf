"""Descriptive statistics of positive, log-normal quantities such as exposure.

The statistic block is that of the product labels (science.md I): n, geometric
mean, geometric CV%, arithmetic mean, SD, median, quartiles, minimum, maximum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

BLOCK = ("n", "geomean", "gcv", "mean", "sd", "median", "q1", "q3", "min", "max")
"""Names of the statistics of `describe`, in the order of the tables."""


def describe(values: ArrayLike) -> dict[str, float]:
    """Statistic block of a sample; NaN are left out and not counted.

    Parameters
    ----------
    values
        Values, shape (n,).

    Returns
    -------
    dict
        The statistics of `BLOCK`. The geometric mean takes the positive values
        only and is NaN where none is; a spread needs two values. Quartiles by
        linear interpolation (R type 7, the default of numpy and of R).

    Notes
    -----
    Geometric CV% = 100 sqrt(exp(s^2) - 1), s the SD of the natural logarithms.
    """
    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    positive = np.log(x[x > 0])
    block = dict.fromkeys(BLOCK, math.nan)
    block["n"] = float(x.size)
    if positive.size:
        block["geomean"] = float(np.exp(positive.mean()))
    if positive.size > 1:
        block["gcv"] = float(100 * np.sqrt(np.expm1(positive.var(ddof=1))))
    if x.size:
        q1, median, q3 = np.quantile(x, [0.25, 0.5, 0.75])
        block.update(
            mean=float(x.mean()),
            median=float(median),
            q1=float(q1),
            q3=float(q3),
            min=float(x.min()),
            max=float(x.max()),
        )
    if x.size > 1:
        block["sd"] = float(x.std(ddof=1))
    return block


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Confidence limits of the arithmetic mean by Student's t; NaN below two values.

    Parameters
    ----------
    values
        Values, shape (n,); NaN are left out.
    level
        Confidence level.
    """
    from scipy.stats import t

    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    if x.size < 2:
        return math.nan, math.nan
    half = float(t.ppf((1 + level) / 2, x.size - 1) * x.std(ddof=1) / math.sqrt(x.size))
    return float(x.mean()) - half, float(x.mean()) + half


def geometric_sd(values: ArrayLike) -> float:
    """Geometric standard deviation exp(s) of the positive values; NaN below two.

    Parameters
    ----------
    values
        Values, shape (n,); s is the standard deviation (divisor n - 1) of the natural
        logarithms of those above 0.
    """
    x = np.asarray(values, dtype=float)
    logs = np.log(x[x > 0])
    return float(np.exp(logs.std(ddof=1))) if logs.size > 1 else math.nan
