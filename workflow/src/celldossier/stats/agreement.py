"""Bland-Altman analysis of two methods where subjects give several pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.method_comparison import (
    NO_COEFFICIENT,
    Coefficient,
    check_pairs,
    count_subjects,
)


@dataclass(frozen=True)
class Agreement:
    """Bland-Altman analysis of differences.

    Attributes
    ----------
    bias, lower, upper
        Mean difference and limits of agreement, with confidence limits; no standard errors of
        the limits.
    between, within
        Variance of the differences between and within subjects; `within` is NaN where no
        subject has two pairs.
    """

    bias: Coefficient
    lower: Coefficient
    upper: Coefficient
    between: float
    within: float
    n: int
    n_subjects: int
    reason: str = ""


def estimate_agreement(
    difference: ArrayLike,
    subject: ArrayLike | None = None,
    level: float = 0.95,
    coverage: float = 0.95,
) -> Agreement:
    """Bias and limits of agreement where subjects have several pairs and the true value varies.

    Parameters
    ----------
    difference
        Difference of each pair, for instance of logarithms; without NaN.
    subject
        Subject of each pair; every pair is its own subject where it is not given.
    level
        Confidence level of the bias and of each limit of agreement.
    coverage
        Share of differences that the limits of agreement enclose.

    Notes
    -----
    One-way random model. The bias is the mean of the subjects' means, the variance of a
    single difference is that of the means plus (1 - 1/h) times the variance within
    subjects, h the harmonic mean number of pairs.

    References
    ----------
    Bland JM, Altman DG (1999). Stat Methods Med Res 8:135-160, section 5.3; confidence
    limits by the method of variance estimates recovery: Zou GY (2013), ibid. 22:630-642.
    """
    from scipy.special import chdtri, ndtri, stdtrit

    d = np.asarray(difference, dtype=float)
    d, _, cluster = check_pairs(d, d, subject)
    n, groups = d.size, count_subjects(cluster)
    counts = np.bincount(cluster, minlength=groups).astype(float)
    sums = np.bincount(cluster, weights=d, minlength=groups)
    means = sums / counts
    nan = math.nan
    if groups < 2:
        value = float(means.mean()) if groups else nan
        alone = Coefficient(value, nan, nan, nan)
        return Agreement(alone, NO_COEFFICIENT, NO_COEFFICIENT, nan, nan, n, groups, "FEWSUBJ")
    share = 1 - float((1 / counts).mean())
    of_means = float(means.var(ddof=1))
    inside = float(((d - means[cluster]) ** 2).sum()) / (n - groups) if n > groups else 0.0
    total = of_means + share * inside
    bias = float(means.mean())
    se = math.sqrt(of_means / groups)
    half = float(stdtrit(groups - 1, 0.5 + level / 2)) * se
    between = max(of_means - (1 - share) * inside, 0.0)
    within = inside if n > groups else nan
    centre = Coefficient(bias, se, bias - half, bias + half)
    if total <= 0:
        return Agreement(
            centre, NO_COEFFICIENT, NO_COEFFICIENT, between, within, n, groups, "CONSTANT"
        )
    tail = (1 - level) / 2
    parts = [(of_means, groups - 1)] + ([(share * inside, n - groups)] if n > groups else [])
    down = math.sqrt(sum((s * (1 - df / chdtri(df, tail))) ** 2 for s, df in parts))
    up = math.sqrt(sum((s * (df / chdtri(df, 1 - tail) - 1)) ** 2 for s, df in parts))
    z = float(ndtri(0.5 + coverage / 2))
    spread = z * math.sqrt(total)
    inner = math.hypot(half, spread - z * math.sqrt(max(total - down, 0.0)))
    outer = math.hypot(half, z * math.sqrt(total + up) - spread)
    lower, upper = bias - spread, bias + spread
    return Agreement(
        centre,
        Coefficient(lower, nan, lower - outer, lower + inner),
        Coefficient(upper, nan, upper - inner, upper + outer),
        between,
        within,
        n,
        groups,
    )
