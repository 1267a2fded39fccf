"""Difference and ratio of two independent risks, also of small groups.

The hybrid score interval of Newcombe, and the score intervals of Miettinen and Nurminen, which
ask of each value whether the data contradict it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from celldossier.stats.proportion import wilson

Method = Literal["NEWCOMBE", "MIETTINEN_NURMINEN"]

NEAR = 1e-10
"""Distance from an estimate at which the search of its limits begins."""


@dataclass(frozen=True)
class RiskContrast:
    """Difference or ratio of two risks with its interval; NaN with a reason where there is none.

    Attributes
    ----------
    estimate, low, high
        Test minus reference (a share, from -1 to 1), or test over reference (no unit).
    risk_test, risk_reference
        Observed shares of subjects with the event.
    reason
        ``NOGROUP`` (a group has no subject); of a ratio also ``NOEVENT`` (no event at all) and
        ``NOREFEVT`` (none in the reference group: a lower limit alone).
    """

    estimate: float
    low: float
    high: float
    risk_test: float
    risk_reference: float
    reason: str = ""


def estimate_risk_difference(
    events_test: int,
    n_test: int,
    events_reference: int,
    n_reference: int,
    level: float = 0.95,
    method: Method = "NEWCOMBE",
) -> RiskContrast:
    """Difference of two risks, test minus reference.

    Parameters
    ----------
    events_test, n_test, events_reference, n_reference
        Subjects with the event and subjects at all, of each group.
    level
        Confidence level.
    method
        ``NEWCOMBE``: hybrid score without continuity correction. ``MIETTINEN_NURMINEN``: score
        with the variance at the risks that are most likely under the difference, times
        N / (N - 1).

    References
    ----------
    Newcombe RG (1998), Stat Med 17:873-890, method 10. Miettinen O, Nurminen M (1985), Stat
    Med 4:213-226; closed form of the risks: Farrington CP, Manning G (1990), Stat Med
    9:1447-1454.
    """
    x, n, y, m = events_test, n_test, events_reference, n_reference
    limits = (wilson(x, n, level), wilson(y, m, level))
    if n == 0 or m == 0:
        return _without_group(x, n, y, m)
    p, q = x / n, y / m
    difference = p - q
    if method == "NEWCOMBE":
        (low_p, high_p), (low_q, high_q) = limits
        low = difference - math.hypot(p - low_p, high_q - q)
        high = difference + math.hypot(high_p - p, q - low_q)
        return RiskContrast(difference, low, high, p, q)

    # Distance from the estimate less what chance allows: 0 at a limit.
    reach = _score_quantile(level)

    def beyond(delta: float) -> float:
        one, other = constrained_by_difference(x, n, y, m, delta)
        variance = (one * (1 - one) / n + other * (1 - other) / m) * (n + m) / (n + m - 1)
        return abs(difference - delta) - reach * math.sqrt(variance)

    low = _search(beyond, difference - NEAR, -1.0)
    high = _search(beyond, difference + NEAR, 1.0)
    return RiskContrast(difference, low, high, p, q)


def estimate_risk_ratio(
    events_test: int, n_test: int, events_reference: int, n_reference: int, level: float = 0.95
) -> RiskContrast:
    """Ratio of two risks, test over reference, with the score interval.

    Parameters
    ----------
    events_test, n_test, events_reference, n_reference, level
        As in `estimate_risk_difference`.

    Returns
    -------
    RiskContrast
        Without events in the test group the ratio is 0, as is its lower limit.

    References
    ----------
    Miettinen O, Nurminen M (1985), Stat Med 4:213-226, with their factor N / (N - 1).
    """
    x, n, y, m = events_test, n_test, events_reference, n_reference
    # Of the two intervals only the refusal of impossible counts is wanted.
    wilson(x, n, level)
    wilson(y, m, level)
    if n == 0 or m == 0:
        return _without_group(x, n, y, m)
    p, q, nan = x / n, y / m, math.nan
    if x == 0 and y == 0:
        return RiskContrast(nan, nan, nan, p, q, "NOEVENT")
    reach = _score_quantile(level)

    def beyond(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        one, other = constrained_by_ratio(x, n, y, m, ratio)
        variance = one * (1 - one) / n + ratio**2 * other * (1 - other) / m
        # Over the ratio where that is large, so that both ends of the search are of size 1.
        scale = max(1.0, ratio)
        error = math.sqrt(variance * (n + m) / (n + m - 1))
        return (abs(p - ratio * q) - reach * error) / scale

    # Wide enough for any count that fits: the limit is within a factor of n m of the estimate.
    span = 10 + 2 * math.log(n * m + 1)
    if y == 0:
        return RiskContrast(nan, math.exp(_search(beyond, span, -span)), nan, p, q, "NOREFEVT")
    if x == 0:
        return RiskContrast(0.0, 0.0, math.exp(_search(beyond, -span, span)), p, q)
    centre = math.log(p / q)
    low = math.exp(_search(beyond, centre - NEAR, centre - span))
    high = math.exp(_search(beyond, centre + NEAR, centre + span))
    return RiskContrast(p / q, low, high, p, q)


def constrained_by_difference(x: int, n: int, y: int, m: int, delta: float) -> tuple[float, float]:
    """Most likely risks of both groups, x of n and y of m events, whose difference is `delta`.

    The root of the cubic likelihood equation by cosines, as Miettinen and Nurminen give it.
    """
    total, events = n + m, x + y
    a = float(total)
    b = (n + 2 * m) * delta - total - events
    c = (m * delta - total - 2 * y) * delta + events
    d = y * delta * (1 - delta)
    third = b / (3 * a)
    v = third**3 - b * c / (6 * a**2) + d / (2 * a)
    u = math.copysign(math.sqrt(max(0.0, third**2 - c / (3 * a))), v)
    ratio = max(-1.0, min(1.0, v / u**3)) if u != 0 else 0.0
    other = 2 * u * math.cos((math.pi + math.acos(ratio)) / 3) - third
    other = max(0.0, -delta, min(1.0, 1 - delta, other))
    return max(0.0, min(1.0, other + delta)), other


def constrained_by_ratio(x: int, n: int, y: int, m: int, ratio: float) -> tuple[float, float]:
    """Most likely risks of both groups, x of n and y of m events, whose ratio is `ratio`."""
    a, b, c = (n + m) * ratio, n * ratio + x + m + y * ratio, float(x + y)
    # The smaller root, in the form without cancellation.
    other = min(1.0, 1 / ratio, 2 * c / (b + math.sqrt(max(0.0, b**2 - 4 * a * c))))
    return min(1.0, ratio * other), other


def _search(beyond: Callable[[float], float], near: float, far: float) -> float:
    """Where `beyond` changes its sign between the estimate and the end of the range."""
    from scipy.optimize import brentq

    if beyond(far) <= 0:
        return far
    if beyond(near) >= 0:
        return near
    return float(brentq(beyond, *sorted((near, far)), xtol=1e-13, rtol=1e-13))


def _score_quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def _without_group(x: int, n: int, y: int, m: int) -> RiskContrast:
    nan = math.nan
    return RiskContrast(nan, nan, nan, x / n if n else nan, y / m if m else nan, "NOGROUP")
