"""Equivalence of two groups against a margin: two one-sided tests, power and size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.precision import MOST_SUBJECTS

Vector = NDArray[np.float64]

NODES = 240
"""Nodes of the quadrature over the standard deviation; 120 agree to twelve digits."""


@dataclass(frozen=True)
class Equivalence:
    """A difference of logarithms held against a margin.

    Attributes
    ----------
    estimate, low, high
        The difference and its interval, natural logarithms: `exp` of them are ratios.
    p_lower, p_upper
        One-sided p that the difference is not above the lower, not below the upper margin.
    p
        The larger of the two, that of both tests together.
    within
        Whether the interval lies within the margin, its ends included. The same as both p at or
        below (1 - level) / 2.
    probability
        Posterior probability that the true difference lies within the margin, under the
        reference prior: the mass of a t distribution about the estimate.
    reason
        Why there is no test: ``NOVALUE`` (no estimate or no standard error), ``CONSTANT`` (a
        standard error of 0), ``FEWSUBJ`` (no degree of freedom).
    """

    estimate: float
    low: float = math.nan
    high: float = math.nan
    p_lower: float = math.nan
    p_upper: float = math.nan
    p: float = math.nan
    within: bool = False
    probability: float = math.nan
    reason: str = ""


def test_equivalence(
    estimate: float, se: float, df: float, lower: float, upper: float, level: float = 0.90
) -> Equivalence:
    """Two one-sided t tests of a difference of logarithms against a margin.

    Parameters
    ----------
    estimate, se, df
        Difference of the means of natural logarithms (ln of a ratio), its standard error, and
        the degrees of freedom of that; infinite for a known error.
    lower, upper
        Margin, natural logarithms too: ln 0.8 and ln 1.25 for ratios of 0.8 and 1.25.
    level
        Confidence level of the interval; each test is at (1 - level) / 2.

    References
    ----------
    Schuirmann DJ (1987), J Pharmacokinet Biopharm 15:657-680. Probability: Box GEP, Tiao GC
    (1973), Bayesian Inference in Statistical Analysis, section 2.5.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    if not lower < upper:
        raise ValueError(f"the lower margin {lower} is not below the upper margin {upper}")
    if not (math.isfinite(estimate) and math.isfinite(se)):
        return Equivalence(estimate, reason="NOVALUE")
    if math.isnan(df) or df <= 0:
        return Equivalence(estimate, reason="FEWSUBJ")
    if se <= 0:
        return Equivalence(estimate, reason="CONSTANT")

    def mass(t: float) -> float:
        return float(ndtr(t) if math.isinf(df) else stdtr(df, t))

    tail = 0.5 + level / 2
    half = float(ndtri(tail) if math.isinf(df) else stdtrit(df, tail)) * se
    low, high = estimate - half, estimate + half
    p_lower, p_upper = mass((lower - estimate) / se), mass((estimate - upper) / se)
    return Equivalence(
        estimate,
        low,
        high,
        p_lower,
        p_upper,
        max(p_lower, p_upper),
        lower <= low and high <= upper,
        # Both tails are small where it matters, so that no digits are lost.
        max(0.0, 1 - p_lower - p_upper),
    )


def power_of_equivalence(
    sd: float,
    ratio: float,
    lower: float,
    upper: float,
    n_test: int,
    n_reference: int,
    level: float = 0.90,
) -> float:
    """Chance that the interval of two groups of equal variance lies within the margin, exact.

    Parameters
    ----------
    sd
        Standard deviation of the natural logarithms, the same in both groups, above 0.
    ratio, lower, upper
        True ratio of the geometric means, and the margin, as ratios and not as logarithms.
    n_test, n_reference
        Subjects of each group; NaN is given with fewer than three together, or an empty group.
    level
        Confidence level of the interval; each test is at (1 - level) / 2.

    References
    ----------
    Phillips KF (1990), J Pharmacokinet Biopharm 18:137-144 (Owen's Q). Here the same integral
    by Gauss-Legendre quadrature: given the standard deviation found in the study, the
    difference is normal, and the standard deviation is that of a chi distribution.
    """
    from scipy.special import chdtri, gammaln, ndtr

    if not (sd > 0 and ratio > 0 and 0 < lower < upper):
        raise ValueError("a standard deviation lies above 0, and so does a margin that rises")
    df = n_test + n_reference - 2
    if df < 1 or min(n_test, n_reference) < 1:
        return math.nan
    error = math.sqrt(1 / n_test + 1 / n_reference)
    reach = _upper_t(df, level)
    a, b = (math.log(lower / ratio) / sd / error, math.log(upper / ratio) / sd / error)
    # q is the standard deviation found over the true one; beyond `widest` no interval fits.
    widest = (b - a) / (2 * reach)
    begin, end = (math.sqrt(float(chdtri(df, tail)) / df) for tail in (1 - 1e-15, 1e-15))
    end = min(end, widest)
    if end <= begin:
        return 0.0
    nodes, weights = _legendre()
    q = (end + begin) / 2 + (end - begin) / 2 * nodes
    log_density = (
        math.log(2) + df / 2 * math.log(df / 2) - float(gammaln(df / 2))
        + (df - 1) * np.log(q) - df * q**2 / 2
    )  # fmt: skip
    inside = ndtr(b - reach * q) - ndtr(a + reach * q)
    return float(min(1.0, (end - begin) / 2 * (weights * np.exp(log_density)) @ inside))


@dataclass(frozen=True)
class EquivalenceSize:
    """Subjects that a test of equivalence needs.

    Attributes
    ----------
    n_test, n_reference
        Subjects of each group; 0 where there is no size.
    power
        The chance that these reach.
    reason
        Why there is no size: ``OUTMARG`` (the ratio is not inside the margin: no number of
        subjects is enough), ``MANYSUBJ`` (more than `precision.MOST_SUBJECTS` a group).
    """

    n_test: int = 0
    n_reference: int = 0
    power: float = math.nan
    reason: str = ""


def size_for_equivalence(
    sd: float,
    ratio: float,
    lower: float,
    upper: float,
    power: float = 0.80,
    level: float = 0.90,
    allocation: float = 1.0,
) -> EquivalenceSize:
    """Smallest groups whose interval lies within the margin with a chance of at least `power`.

    Parameters
    ----------
    sd, ratio, lower, upper, level
        As in `power_of_equivalence`: ratios, not logarithms.
    power
        Chance wanted, between 0 and 1.
    allocation
        Subjects of the test group for one of the reference group, above 0.

    Returns
    -------
    EquivalenceSize
        Least reference group, and the test group of `allocation` times it, rounded up.
    """
    if not (0 < power < 1 and allocation > 0 and sd > 0 and 0 < lower < upper):
        raise ValueError(
            "power lies between 0 and 1, an allocation and a standard deviation above 0, "
            "and so does a margin that rises"
        )
    if not lower < ratio < upper:
        return EquivalenceSize(reason="OUTMARG")

    def reached(n: int) -> EquivalenceSize:
        # A little below, so that 3 times 0.1 / 0.3 is one and not two.
        n_test = max(2, math.ceil(allocation * n * (1 - 1e-12)))
        found = power_of_equivalence(sd, ratio, lower, upper, n_test, n, level)
        return EquivalenceSize(n_test, n, found)

    low, high = 1, 2
    while reached(high).power < power:
        low, high = high, 2 * high
        if high * max(1.0, allocation) > MOST_SUBJECTS:
            return EquivalenceSize(reason="MANYSUBJ")
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle).power < power:
            low = middle
        else:
            high = middle
    return reached(high)


@lru_cache(maxsize=4096)
def _upper_t(df: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + level / 2))


@lru_cache(maxsize=1)
def _legendre() -> tuple[Vector, Vector]:
    return np.polynomial.legendre.leggauss(NODES)
