"""Time to event of one group: Kaplan-Meier, its quantiles, and cumulative incidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE = float(np.sqrt(np.finfo(float).eps))
"""Survival within this distance of a quantile is at it (as R's survfit)."""

ROUNDING = 1e-12
"""A probability this near to 1 is 1."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimate and its confidence limits; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan-Meier estimate at each distinct time of an event or of censoring.

    Attributes
    ----------
    time, at_risk, events
        Times in rising order, subjects at risk just before, and events at each.
    survival
        Probability of no event up to and including the time.
    greenwood
        Sum of d / (n (n - d)) up to the time: the variance of the log of survival;
        infinite from the time on at which all at risk have the event.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    greenwood: Floats


def estimate_survival(
    time: ArrayLike, event: ArrayLike, start: ArrayLike | None = None
) -> SurvivalCurve:
    """Kaplan-Meier estimate.

    Parameters
    ----------
    time
        Time to event or to censoring, without NaN, shape (n,).
    event
        Whether the time is that of an event. Who is censored at the time of an event
        counts as at risk at it.
    start
        Time from which on a subject is under observation (left truncation), before `time`;
        None: all from the first. The estimate is then that of those who had no event by the
        first of these times.

    Raises
    ------
    ValueError
        If a time is missing, or the two are not of one length, or a subject leaves before
        being under observation.

    References
    ----------
    Kaplan EL, Meier P (1958). J Am Stat Assoc 53:457-481; variance after Greenwood (1926);
    left truncation: Tsai WY, Jewell NP, Wang MC (1987). Biometrika 74:883-886.
    """
    times, occurred = _check(time, np.asarray(event, dtype=bool))
    distinct, place = np.unique(times, return_inverse=True)
    events = np.bincount(place, weights=occurred, minlength=distinct.size)
    at_risk = _count_at_risk(place, distinct.size)
    if start is not None:
        begin, _ = _check(start, occurred)
        if not (begin < times).all():
            raise ValueError("a subject leaves before being under observation")
        late = np.sort(begin)
        at_risk = at_risk - (begin.size - np.searchsorted(late, distinct, side="left"))
    with np.errstate(divide="ignore"):
        terms = np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0)
    survival = np.asarray(np.cumprod(1 - events / at_risk), dtype=float)
    return SurvivalCurve(
        distinct, at_risk, np.asarray(events, dtype=float), survival, np.cumsum(terms)
    )


def estimate_quantile(
    curve: SurvivalCurve, probability: float = 0.5, level: float = 0.95
) -> Estimate:
    """Time by which that share has had the event (the median by default).

    The first time at which survival is at or below 1 - `probability`; where it is exactly
    there over an interval, the middle of the interval. Each limit is the same quantile of
    the limit of the survival curve (log-log). NaN where it is not reached.

    References
    ----------
    Brookmeyer R, Crowley J (1982). Biometrics 38:29-41, with the log-log transformation as
    in SAS LIFETEST (CONFTYPE=LOGLOG) and R survfit (conf.type = "log-log").
    """
    low, high = _log_log_limits(curve, level)
    target = 1 - probability
    return Estimate(
        *(_first_at_or_below(curve.time, line, target) for line in (curve.survival, low, high))
    )


def estimate_at(curve: SurvivalCurve, time: float, level: float = 0.95) -> Estimate:
    """Survival at a time with its log-log interval.

    NaN beyond the last time, unless survival is 0 by then: nobody was observed so long.
    The limits are NaN where survival is 0 or 1, for which the interval is not defined.
    """
    beyond = curve.time.size == 0 or time > curve.time[-1]
    if beyond and not (curve.time.size and curve.survival[-1] == 0):
        return Estimate(math.nan, math.nan, math.nan)
    place = int(np.searchsorted(curve.time, time, side="right")) - 1
    if place < 0:
        return Estimate(1.0, math.nan, math.nan)
    low, high = _log_log_limits(curve, level)
    return Estimate(float(curve.survival[place]), float(low[place]), float(high[place]))


def count_at_risk(curve: SurvivalCurve, time: float) -> int:
    """Subjects under observation at a time: neither event nor censoring before it."""
    place = int(np.searchsorted(curve.time, time, side="left"))
    return int(curve.at_risk[place]) if place < curve.time.size else 0


def estimate_follow_up(time: ArrayLike, event: ArrayLike, level: float = 0.95) -> Estimate:
    """Median follow-up by reverse Kaplan-Meier: censoring is the event.

    Parameters
    ----------
    time
        Time to the event or to censoring, shape (n,).
    event
        Whether the time ends with the event, shape (n,).
    level
        Confidence level of the limits.

    Returns
    -------
    Estimate
        In the unit of `time`.

    References
    ----------
    Schemper M, Smith TL (1996). Control Clin Trials 17:343-346.
    """
    return estimate_quantile(estimate_survival(time, ~np.asarray(event, dtype=bool)), level=level)


def estimate_incidence(
    time: ArrayLike, cause: ArrayLike, at: float, level: float = 0.95
) -> Estimate:
    """Cumulative incidence of cause 1 at a time, beside competing causes.

    Parameters
    ----------
    time
        Time to the first event of any cause, or to censoring, shape (n,).
    cause
        0 censored, 1 the event, 2 an event that makes it impossible or unobservable.
    at
        Time; beyond the last one the incidence is NaN where somebody is censored last.

    References
    ----------
    Aalen OO, Johansen S (1978). Scand J Stat 5:141-150; variance by the delta method
    (Marubini E, Valsecchi MG 1995, Analysing Survival Data, 10.3), interval log-log.
    """
    from scipy.special import ndtri

    causes = np.asarray(cause)
    times, _ = _check(time, causes)
    if times.size == 0:
        return Estimate(math.nan, math.nan, math.nan)
    distinct, place = np.unique(times, return_inverse=True)
    own = np.bincount(place, weights=causes == 1, minlength=distinct.size)
    either = np.bincount(place, weights=causes > 0, minlength=distinct.size)
    at_risk = _count_at_risk(place, distinct.size)
    free = np.cumprod(1 - either / at_risk)
    if at > distinct[-1] and free[-1] > 0:
        return Estimate(math.nan, math.nan, math.nan)
    # Free of any event just before each time.
    before = np.concatenate([[1.0], free[:-1]])
    until = distinct <= at
    steps = before * own / at_risk
    incidence = np.cumsum(steps)[until]
    value = float(incidence[-1]) if incidence.size else 0.0
    # A sum that rounding keeps just below 1 has no interval either.
    value = 1.0 if value > 1 - ROUNDING else value
    if not 0 < value < 1:
        return Estimate(value, math.nan, math.nan)
    n, d, d1, s = at_risk[until], either[until], own[until], before[until]
    rest = value - incidence
    # Where all at risk have an event, nothing is left of the incidence: that term is 0.
    spread = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
    variance = (
        np.sum(rest**2 * spread)
        + np.sum(s**2 * d1 * (n - d1) / n**3)
        - 2 * np.sum(rest * s * d1 / n**2)
    )
    width = float(ndtri(0.5 + level / 2)) * math.sqrt(variance) / (value * abs(math.log(value)))
    return Estimate(value, value ** math.exp(width), value ** math.exp(-width))


def estimate_cumulative_hazard(time: ArrayLike, event: ArrayLike) -> Floats:
    """Cumulative hazard of Nelson and Aalen at the time of each subject.

    Parameters
    ----------
    time, event
        Days to the event or to censoring, and whether it is the event, shape (n,).

    References
    ----------
    Aalen O (1978), Ann Stat 6:701-726.
    """
    at, happened = np.asarray(time, dtype=float), np.asarray(event).astype(bool)
    days, place = np.unique(at, return_inverse=True)
    failures = np.bincount(place, weights=happened, minlength=days.size)
    increments = failures / _count_at_risk(place, days.size)
    return np.asarray(np.cumsum(increments)[place], dtype=float)


def _check(time: ArrayLike, other: NDArray[np.generic]) -> tuple[Floats, NDArray[np.generic]]:
    times = np.asarray(time, dtype=float)
    if times.shape != other.shape or times.ndim != 1:
        raise ValueError("each time needs its event, and each event its time")
    if np.isnan(times).any():
        raise ValueError("a time to event cannot be missing")
    return times, other


def _count_at_risk(place: NDArray[np.intp], size: int) -> Floats:
    """Subjects at risk just before each distinct time."""
    leaving = np.bincount(place, minlength=size)
    return np.asarray(leaving[::-1].cumsum()[::-1], dtype=float)


def _log_log_limits(curve: SurvivalCurve, level: float) -> tuple[Floats, Floats]:
    """Limits of survival at each time; NaN where it is 0 or 1."""
    from scipy.special import ndtri

    inside = (curve.survival > 0) & (curve.survival < 1)
    survival = np.where(inside, curve.survival, np.nan)
    width = float(ndtri(0.5 + level / 2)) * np.sqrt(np.where(inside, curve.greenwood, np.nan))
    width = width / np.abs(np.log(survival))
    return survival ** np.exp(width), survival ** np.exp(-width)


def _first_at_or_below(time: Floats, line: Floats, target: float) -> float:
    below = np.flatnonzero(line <= target + TOLERANCE)
    if not below.size:
        return math.nan
    first = below[0]
    further = np.flatnonzero(line < target - TOLERANCE)
    if abs(line[first] - target) <= TOLERANCE and further.size:
        return float((time[first] + time[further[0]]) / 2)
    return float(time[first])
