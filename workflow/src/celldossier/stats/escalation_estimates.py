"""Rates of toxicity of dose levels: posterior probabilities, isotonic estimates, selected dose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]

PSEUDO = 0.05
"""Added to both counts before the isotonic regression: the beta prior of R's BOIN::select.mtd."""

TIE = 1e-10
"""Added per dose level, so that of equal estimates one is nearest to the target."""


@dataclass(frozen=True)
class RatePosterior:
    """Posterior of a rate under a beta prior.

    Parameters
    ----------
    mean, low, high
        Mean and limits of the equal-tailed credible interval.
    under, within, over
        Probability below the lower limit of the interval asked for, in it, and above it.
    """

    mean: float
    low: float
    high: float
    under: float
    within: float
    over: float


def estimate_rate(
    events: int,
    n: int,
    interval: tuple[float, float],
    prior: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
) -> RatePosterior:
    """Posterior of the rate of an event from `events` of `n` subjects; the prior where n is 0."""
    from scipy.special import betainc, betaincinv

    a, b = prior[0] + events, prior[1] + n - events
    tail = (1 - level) / 2
    low, high = (float(betaincinv(a, b, p)) for p in (tail, 1 - tail))
    below, up_to = (float(betainc(a, b, limit)) for limit in interval)
    return RatePosterior(a / (a + b), low, high, below, up_to - below, 1 - up_to)


def estimate_exceedance(
    events: ArrayLike, n: ArrayLike, limit: float, prior: tuple[float, float] = (1.0, 1.0)
) -> Numbers:
    """Posterior probability that the rate is above the limit.

    Parameters
    ----------
    events, n
        Subjects with the event and subjects at each dose, arrays that broadcast.
    limit
        Limit of the rate, between 0 and 1.
    prior
        Parameters of the beta prior.
    """
    from scipy.special import betainc

    y, total = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    return np.asarray(1 - betainc(prior[0] + y, prior[1] + total - y, limit))


def fit_isotonic(values: ArrayLike, weights: ArrayLike) -> Numbers:
    """Weighted isotonic regression of each row: the nearest values that never fall.

    Parameters
    ----------
    values, weights
        One row a trial (or a single row), one column a dose level in ascending order. A weight
        of 0 leaves a level out; its result is NaN.

    Notes
    -----
    Pooling adjacent violators gives max over a <= j of min over b >= j of the weighted mean of
    a..b, which is computed for all rows at once.

    References
    ----------
    Barlow RE et al. (1972), Statistical Inference under Order Restrictions, chapter 1.
    """
    w = np.atleast_2d(np.asarray(weights, dtype=float))
    x = np.where(w > 0, np.atleast_2d(np.asarray(values, dtype=float)), 0.0)
    levels = x.shape[1]
    zero = np.zeros((len(x), 1))
    mass = np.hstack([zero, w.cumsum(axis=1)])
    total = np.hstack([zero, (w * x).cumsum(axis=1)])
    fitted = np.full(x.shape, -np.inf)
    for first in range(levels):
        # Means of first..last for all last; a stretch without weight bounds nothing.
        held = mass[:, first + 1 :] - mass[:, [first]]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (total[:, first + 1 :] - total[:, [first]]) / held
        means = np.where(held > 0, means, np.inf)
        smallest = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        smallest = np.where(np.isfinite(smallest), smallest, -np.inf)
        np.maximum(fitted[:, first:], smallest, out=fitted[:, first:])
    fitted = np.where(w > 0, fitted, np.nan)
    return fitted if np.ndim(values) == 2 else fitted[0]


def estimate_isotonic_rates(events: ArrayLike, n: ArrayLike) -> Numbers:
    """Isotonic estimates of the rates of ascending dose levels, as R's BOIN::select.mtd makes them.

    Pseudo-counts of 0.05 are added to both counts, and levels weigh by the inverse of their
    posterior variance. A level without subjects is NaN.

    Parameters
    ----------
    events, n
        Subjects with a dose-limiting toxicity and subjects at each level, shape (levels,).
    """
    y, total = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    size = total + 2 * PSEUDO
    rates = (y + PSEUDO) / size
    variances = (y + PSEUDO) * (total - y + PSEUDO) / (size**2 * (size + 1))
    return fit_isotonic(rates, np.where(total > 0, 1 / variances, 0.0))


def select_mtd(
    events: ArrayLike, n: ArrayLike, target: float, eliminated: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Dose level whose isotonic estimate is nearest to the target, of those that may be chosen.

    Parameters
    ----------
    events, n
        Toxicities and subjects, one row a trial (or a single row), one column a dose level in
        ascending order.
    eliminated
        Levels that were eliminated; all above one are, too.

    Returns
    -------
    numpy.ndarray
        Index of the level, one a trial; -1 where none may be chosen.

    Notes
    -----
    The isotonic estimates are of the levels that were given and not eliminated. Of levels with
    equal estimates the highest is chosen where they lie below the target, else the lowest.

    References
    ----------
    Liu S, Yuan Y (2015), J R Stat Soc C 64:507-523; R package BOIN, function select.mtd.
    """
    y = np.atleast_2d(np.asarray(events, dtype=float))
    total = np.atleast_2d(np.asarray(n, dtype=float))
    out = np.zeros(total.shape, dtype=bool)
    if eliminated is not None:
        out = np.maximum.accumulate(np.atleast_2d(np.asarray(eliminated, dtype=bool)), axis=1)
    kept = np.where(out, 0.0, total)
    rates = estimate_isotonic_rates(np.where(out, 0.0, y), kept)
    distance = np.abs(rates + TIE * np.arange(1, total.shape[1] + 1) - target)
    distance = np.where(kept > 0, distance, np.inf)
    return np.where((kept > 0).any(axis=1), distance.argmin(axis=1), -1)
