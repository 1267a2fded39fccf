"""What a sample size can tell: widths of intervals, and events that may or may not be seen.

Nothing here looks at the effect that was found: the functions answer, before or beside a study,
how wide its intervals are to be expected at a number of subjects.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.proportion import clopper_pearson, wilson

MOST_SUBJECTS = 1_000_000
"""Largest sample size that is searched for."""


def interval_factor(sd: float, n: int, level: float = 0.95) -> float:
    """Upper confidence limit of a geometric mean over the geometric mean itself.

    Parameters
    ----------
    sd
        Standard deviation of the natural logarithms.
    n
        Subjects; NaN is given below two.
    level
        Confidence level of the two-sided interval.

    Returns
    -------
    float
        exp(t s / sqrt(n)), t the quantile of Student's distribution with n - 1 degrees of
        freedom. The lower limit lies at its reciprocal, the ratio of the limits is its square.
    """
    if n < 2:
        return math.nan
    return math.exp(_student_quantile(level, n - 1) * sd / math.sqrt(n))


def upper_limit_of_sd(sd: float, degrees: int, level: float = 0.95) -> float:
    """One-sided upper confidence limit of a standard deviation of normal values.

    s sqrt(f / q), q the lower quantile of the chi-square distribution with f degrees of freedom.
    """
    from scipy.special import gammaincinv

    if degrees < 1:
        return math.nan
    return sd * math.sqrt(degrees / (2 * float(gammaincinv(degrees / 2, 1 - level))))


def size_for_factor(
    sd: float, factor: float, level: float = 0.95, assurance: float | None = None
) -> int | None:
    """Smallest number of subjects whose geometric mean has limits within a factor.

    None where more than `MOST_SUBJECTS` would be needed.

    Parameters
    ----------
    sd
        Standard deviation of the natural logarithms, taken as the true one.
    factor
        Largest ratio of the upper limit to the geometric mean, above 1.
    level
        Confidence level of the two-sided interval.
    assurance
        Chance with which the limits of the study, whose own standard deviation varies, are to
        lie within the factor. None: at the standard deviation as given.

    References
    ----------
    Kupper LL, Hafner KB (1989). Am Stat 43:101-105 (with assurance, through the chi-square
    distribution of the variance). Wang Y, Jadhav PR, Lala M, Gobburu JV (2012). J Clin
    Pharmacol 52:1601-1606 (precision criterion of the FDA: limits within 60 % and 140 % of the
    geometric mean with a chance of at least 80 %).
    """
    if sd < 0 or factor <= 1:
        raise ValueError("a standard deviation is not negative, and a factor lies above 1")
    # The chance rises with n, and the factor falls: both are found by halving.
    low, high = 1, 2
    while not _precise(sd, high, factor, level, assurance):
        low, high = high, 2 * high
        if high > MOST_SUBJECTS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if _precise(sd, middle, factor, level, assurance):
            high = middle
        else:
            low = middle
    return high


def _precise(sd: float, n: int, factor: float, level: float, assurance: float | None) -> bool:
    if assurance is None:
        return interval_factor(sd, n, level) <= factor
    return chance_of_factor(sd, n, factor, level) >= assurance


def chance_of_factor(sd: float, n: int, factor: float, level: float = 0.95) -> float:
    """Chance that the limits of a geometric mean of `n` subjects lie within a factor.

    The variance found in the study is that of `sd` times a chi-square variable over its
    degrees of freedom.
    """
    from scipy.special import gammainc

    if n < 2:
        return math.nan
    if sd == 0:
        return 1.0
    widest = math.log(factor) * math.sqrt(n) / _student_quantile(level, n - 1)
    # Distribution function of chi-square with n - 1 degrees of freedom, at (n - 1) (widest/sd)^2.
    return float(gammainc((n - 1) / 2, (n - 1) / 2 * (widest / sd) ** 2))


def _student_quantile(level: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))


def chance_of_event(rate: float, n: int) -> float:
    """Chance to see at least one event of a true rate among `n` subjects: 1 - (1 - p)^n."""
    return -math.expm1(n * math.log1p(-rate)) if rate < 1 else float(n > 0)


def size_for_event(rate: float, chance: float) -> int:
    """Smallest number of subjects who show at least one event of a true rate with that chance."""
    if not 0 < rate < 1 or not 0 < chance < 1:
        raise ValueError("a rate and a chance lie between 0 and 1")
    n = max(1, math.ceil(math.log1p(-chance) / math.log1p(-rate) - 1e-9))
    return n if chance_of_event(rate, n) >= chance else n + 1


def largest_silent_rate(n: int, level: float = 0.95) -> float:
    """Largest true rate with which no event among `n` subjects is compatible.

    1 - (1 - level)^(1/n), the one-sided exact limit; about 3/n at 0.95 (rule of three, Hanley
    JA, Lippman-Hand A (1983), JAMA 249:1743-1745). NaN where there is no subject.
    """
    return -math.expm1(math.log1p(-level) / n) if n > 0 else math.nan


def expected_width(rate: float, n: int, method: str, level: float = 0.95) -> float:
    """Width to be expected of the interval of a proportion: its exact mean over the binomial.

    Parameters
    ----------
    rate
        True rate, above 0 and below 1.
    n
        Subjects; NaN is given where there is none.
    method
        ``clopper_pearson`` or ``wilson``.
    level
        Confidence level of the two-sided interval.

    Returns
    -------
    float
        Mean difference of the limits, as a proportion.
    """
    from scipy.special import gammaln

    if n < 1:
        return math.nan
    events = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    chances = np.exp(ways + events * math.log(rate) + (n - events) * math.log1p(-rate))
    return float(chances @ _widths(n, method, level))


@lru_cache(maxsize=64)
def _widths(n: int, method: str, level: float) -> NDArray[np.float64]:
    """Width of the interval by number of events, the same for every true rate."""
    interval = {"clopper_pearson": clopper_pearson, "wilson": wilson}[method]
    limits = np.array([interval(events, n, level) for events in range(n + 1)])
    widths: NDArray[np.float64] = limits[:, 1] - limits[:, 0]
    return widths
