"""Rank correlation of two repeated measurements within subjects, at lags in time.

Both series rise and fall after an infusion, so that samples of one subject are not independent:
ranks are taken within each subject, and what is uncertain comes from drawing subjects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]

SIGNS = ("ABSOLUTE", "POSITIVE", "NEGATIVE")
"""Which correlation is the largest: by size, the most positive, the most negative."""


@dataclass(frozen=True)
class Series:
    """Repeated values of subjects, one row a sample; infinite values rank lowest or highest.

    Attributes
    ----------
    subject, time, value
        Subject (a number), time and value of each sample, shape (n,). A censored value enters
        as minus or plus infinity: values beyond the same limit are tied.
    """

    subject: Vector
    time: Vector
    value: Vector

    @classmethod
    def of(cls, subject: ArrayLike, time: ArrayLike, value: ArrayLike) -> Series:
        """The samples whose time and value are known."""
        parts = [np.asarray(part, dtype=float) for part in (subject, time, value)]
        known = ~np.isnan(np.vstack(parts)).any(axis=0)
        return cls(*(part[known] for part in parts))


@dataclass(frozen=True)
class LagEstimate:
    """Correlation within subjects at one lag; NaN with a reason where there is none.

    `reason`: ``FEWSUBJ`` (fewer subjects than asked for with enough pairs that vary), ``NOLIMIT``
    (every sample of subjects gives the same coefficient, more than a tenth of them give none, or
    the contributions do not vary).

    Attributes
    ----------
    gap
        Median of the actual differences in time of the pairs.
    p
        Two-sided t test that the subjects' contributions have the mean zero.
    subjects, pairs
        Subjects that enter, and their pairs.
    """

    lag: float
    rho: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    gap: float = math.nan
    subjects: int = 0
    pairs: int = 0
    reason: str = ""


@dataclass(frozen=True)
class BestLag:
    """The lag at which a correlation is largest, with its interval.

    Attributes
    ----------
    estimate
        The estimate at that lag, its interval not corrected for the choice of the lag.
    low, high
        Percentile interval of the lag over samples of subjects.
    """

    estimate: LagEstimate
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class LagProfile:
    """Correlations over all lags, and the lags of the largest ones by sign.

    `best` has a `BestLag` for each of `SIGNS`, and is empty where no lag has an estimate
    (reason ``FEWSUBJ``).
    """

    lags: tuple[LagEstimate, ...]
    best: Mapping[str, BestLag]
    reason: str = ""


def pair_by_lag(
    first: Series, second: Series, lag: float, tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of samples of one subject, the second `lag` after the first.

    The nearest second sample is taken, of two as near the earlier one, if it lies within the
    tolerance; a second sample that is nearest to several first ones stays with the nearest of
    them, at equal distances with the earlier one. Distances that agree to 9 decimals are equal.

    Returns
    -------
    tuple of numpy.ndarray
        Rows of `first` and of `second`, of equal length.
    """
    none = np.zeros(0, dtype=np.int64)
    if not first.time.size or not second.time.size:
        return none, none
    ends = [limit(part.time) for part in (first, second) for limit in (np.min, np.max)]
    # Subjects follow each other on one axis, too far apart for a pair across two of them.
    width = float(max(ends) - min(ends)) + abs(lag) + 2 * tolerance + 1
    order = np.lexsort([second.time, second.subject])
    which = np.unique(np.concatenate([first.subject, second.subject]), return_inverse=True)[1]
    wanted = which[: first.time.size] * width + (first.time - min(ends)) + lag
    there = (which[first.time.size :] * width + (second.time - min(ends)))[order]
    right = np.searchsorted(there, wanted).clip(0, there.size - 1)
    left = (right - 1).clip(0)
    # Hours are no binary fractions of a day: the last digit does not break a tie.
    before, after = (np.abs(there[place] - wanted).round(9) for place in (left, right))
    nearer = before <= after
    chosen = np.where(nearer, left, right)
    distance = np.abs(there[chosen] - wanted)
    rows = np.flatnonzero(distance <= tolerance * (1 + 1e-9))
    near = distance[rows].round(9)
    rows = rows[np.lexsort((first.time[rows], near, chosen[rows]))]
    _, kept = np.unique(chosen[rows], return_index=True)
    rows = rows[kept]
    return rows.astype(np.int64), order[chosen[rows]].astype(np.int64)


def estimate_lag_profile(
    first: Series,
    second: Series,
    lags: Sequence[float],
    *,
    tolerance: float,
    min_pairs: int = 4,
    min_subjects: int = 8,
    samples: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> LagProfile:
    """Rank correlation within subjects at each lag, with intervals by drawing subjects.

    Ranks within the subject, divided by one more than the number of its pairs and centred, are
    pooled over subjects: the repeated-measures correlation of the ranks.

    Parameters
    ----------
    first, second
        Series; at a lag above 0 the second is compared with earlier values of the first.
    lags, tolerance
        Lags, and how far a pair may be from one, in the unit of time.
    min_pairs
        Fewest pairs of a subject that enters at a lag.
    min_subjects
        Fewest subjects of an estimate.
    samples, seed
        Bootstrap samples of subjects, and their seed.
    level
        Confidence level of the percentile intervals.

    References
    ----------
    Repeated-measures correlation: Bland JM, Altman DG (1995), BMJ 310:446; Bakdash JZ, Marusich
    LR (2017), Front Psychol 8:456. Bootstrap of clusters: Davison AC, Hinkley DV (1997),
    Bootstrap Methods and their Application, section 3.8. p: the contributions of independent
    subjects to the numerator have the mean zero where there is no association.
    """
    subjects = np.unique(np.concatenate([first.subject, second.subject]))
    sums = np.zeros((3, subjects.size, len(lags)))
    found = []
    for column, lag in enumerate(lags):
        estimate, sums[:, :, column] = _pool(
            first, second, lag, subjects, (tolerance, min_pairs, min_subjects)
        )
        found.append(estimate)
    usable = np.array([not math.isnan(each.rho) for each in found])
    if not usable.any():
        return LagProfile(tuple(found), {}, "FEWSUBJ")
    drawn = _draw(sums, usable, samples, seed)
    found = [
        _with_limits(each, drawn[:, column], level) if usable[column] else each
        for column, each in enumerate(found)
    ]
    # Of equal correlations the lag nearest to 0 counts.
    order = np.lexsort([np.asarray(lags), np.abs(lags)])
    observed = np.array([[found[i].rho for i in order]])
    at = np.asarray(lags, dtype=float)[order]
    best = {}
    for sign in SIGNS:
        chosen = found[int(order[_first_largest(observed, sign)[0]])]
        limits = np.quantile(
            at[_first_largest(drawn[:, order], sign)],
            [0.5 - level / 2, 0.5 + level / 2],
            method="inverted_cdf",
        )
        best[sign] = BestLag(chosen, float(limits[0]), float(limits[1]))
    return LagProfile(tuple(found), best)


def _pool(
    first: Series,
    second: Series,
    lag: float,
    subjects: Vector,
    rules: tuple[float, int, int],
) -> tuple[LagEstimate, Vector]:
    """The estimate at a lag without its interval, and the sums of each subject, shape (3, n)."""
    from scipy.special import stdtr

    tolerance, min_pairs, min_subjects = rules
    a, b = pair_by_lag(first, second, lag, tolerance)
    who = np.searchsorted(subjects, first.subject[a])
    size = np.bincount(who, minlength=subjects.size)
    ranks = [_centred_ranks(who, values, size) for values in (first.value[a], second.value[b])]
    sums = np.array(
        [
            np.bincount(who, x * y, minlength=subjects.size)
            for x, y in ((ranks[0], ranks[1]), (ranks[0], ranks[0]), (ranks[1], ranks[1]))
        ]
    )
    # A subject in whom one of the two does not vary has no rank correlation.
    enters = (size >= min_pairs) & (sums[1] > 1e-12) & (sums[2] > 1e-12)
    sums = np.where(enters, sums, 0.0)
    n = int(enters.sum())
    estimate = LagEstimate(lag, subjects=n, pairs=int(size[enters].sum()))
    if n:
        gaps = (second.time[b] - first.time[a])[enters[who]]
        estimate = replace(estimate, gap=float(np.median(gaps)))
    if n < min_subjects:
        return replace(estimate, reason="FEWSUBJ"), sums
    total = sums.sum(axis=1)
    rho = float(np.clip(total[0] / math.sqrt(total[1] * total[2]), -1, 1))
    parts = sums[0][enters]
    spread = float(parts.std(ddof=1)) if n > 1 else 0.0
    if spread <= 1e-12:
        return replace(estimate, rho=rho, reason="NOLIMIT"), sums
    t = float(parts.mean()) / (spread / math.sqrt(n))
    return replace(estimate, rho=rho, p=float(2 * stdtr(n - 1, -abs(t)))), sums


def _centred_ranks(who: NDArray[np.int64], values: Vector, size: NDArray[np.int64]) -> Vector:
    """Mean ranks within subjects over n + 1, less one half."""
    if not values.size:
        return np.zeros(0)
    order = np.lexsort([values, who])
    new = np.ones(values.size, dtype=bool)
    new[1:] = (who[order][1:] != who[order][:-1]) | (values[order][1:] != values[order][:-1])
    tie = np.cumsum(new) - 1
    begin = np.concatenate([[0], np.cumsum(size)])[who[order]]
    place = np.arange(values.size) - begin + 1.0
    mean = np.bincount(tie, place) / np.bincount(tie)
    ranks = np.empty(values.size)
    ranks[order] = mean[tie]
    return ranks / (size[who] + 1) - 0.5


def _draw(sums: Vector, usable: NDArray[np.bool_], samples: int, seed: int) -> Vector:
    """Coefficients of bootstrap samples of subjects, shape (samples, lags); NaN where none."""
    n = sums.shape[1]
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=samples)
    product, xx, yy = (times @ part for part in sums)
    scale = np.sqrt(xx * yy)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = np.where(scale > 1e-12, product / scale, np.nan)
    return np.where(usable, rho, np.nan)


def _first_largest(rho: Vector, sign: str) -> NDArray[np.int64]:
    """Column of the largest value of each row by its sign, the first of equal ones."""
    signed = {"ABSOLUTE": np.abs(rho), "POSITIVE": rho, "NEGATIVE": -rho}[sign]
    size = np.where(np.isnan(rho), -2.0, np.round(signed, 12))
    return np.asarray(size.argmax(axis=1))


def _with_limits(estimate: LagEstimate, drawn: Vector, level: float) -> LagEstimate:
    known = drawn[~np.isnan(drawn)]
    if known.size < 0.9 * drawn.size or np.ptp(known) <= 1e-12:
        return replace(estimate, reason="NOLIMIT")
    low, high = np.quantile(known, [0.5 - level / 2, 0.5 + level / 2])
    return replace(estimate, low=float(low), high=float(high))
