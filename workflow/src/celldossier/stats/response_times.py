"""Times of a response: its first passage of a limit, its return, and the time it spends beyond.

All functions work on the samples of many series at once, shape (series, samples), in order of
time, NaN after the last sample of a series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Return:
    """Return of each series to within its limits, shape (series,).

    Attributes
    ----------
    time
        Time of the return, or of the last sample where the series was not seen to return;
        NaN where nothing was to return or no sample follows.
    censored
        Whether no return was seen.
    never
        Whether the series was within its limits from `start` on: nothing was to return.
    """

    time: Floats
    censored: Bools
    never: Bools


def any_sample(mask: Bools) -> Bools:
    """Whether any sample of each series is marked."""
    return np.asarray(mask.any(axis=1))


def first_column(mask: Bools) -> Ints:
    """Column of the first True of each series, -1 where there is none."""
    if not mask.shape[1]:
        return np.full(len(mask), -1)
    return np.where(mask.any(axis=1), mask.argmax(axis=1), -1)


def last_column(mask: Bools) -> Ints:
    """Column of the last True of each series, -1 where there is none."""
    if not mask.shape[1]:
        return np.full(len(mask), -1)
    reverse = mask[:, ::-1].argmax(axis=1)
    return np.where(mask.any(axis=1), mask.shape[1] - 1 - reverse, -1)


def at_column(values: Floats, column: Ints) -> Floats:
    """`values`, shape (series, samples), at one column a series, NaN where it is -1."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    picked = values[np.arange(len(values)), np.maximum(column, 0)]
    return np.where(column >= 0, picked, np.nan)


def find_return(
    time: Floats,
    value: Floats,
    start: Ints,
    low: Floats,
    high: Floats,
    consecutive: Ints,
    *,
    interpolated: Bools,
) -> Return:
    """First of `consecutive` samples after column `start` that lie between `low` and `high`.

    Parameters
    ----------
    start
        Column of the peak or nadir, which must lie beyond the limits; -1 where there is none.
    low, high
        Limits of each series, themselves within; infinite where there is none.
    consecutive
        Samples in succession that must lie within, of each series.
    interpolated
        Whether the return of a series is where the straight line from the sample before crosses
        the limit, and not at the sample.
    """
    count, width = time.shape
    sampled = ~np.isnan(time)
    within = sampled & (value >= low[:, None]) & (value <= high[:, None])
    run = np.zeros((count, width), dtype=np.int64)
    for column in range(width - 1, -1, -1):
        later = run[:, column + 1] if column + 1 < width else 0
        run[:, column] = np.where(within[:, column], later + 1, 0)
    columns = np.arange(width)
    candidate = (run >= consecutive[:, None]) & (columns > start[:, None])
    found = first_column(candidate)
    started = start >= 0
    never = started & ~_beyond(value, start, low, high)
    returned = started & ~never & (found >= 0)
    last = last_column(sampled)
    when = at_column(time, found)
    # The sample before the first of a run lies beyond: it would be the first itself.
    before = np.where(found > 0, found - 1, -1)
    t0, v0, v1 = at_column(time, before), at_column(value, before), at_column(value, found)
    bound = np.where(v0 > high, high, low)
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = t0 + (bound - v0) / (v1 - v0) * (when - t0)
    when = np.where(interpolated, crossing, when)
    when = np.where(returned, when, at_column(time, last))
    return Return(np.where(started & ~never, when, np.nan), started & ~never & ~returned, never)


def _beyond(value: Floats, column: Ints, low: Floats, high: Floats) -> Bools:
    at = at_column(value, column)
    return (at > high) | (at < low)


def find_first(time: Floats, value: Floats, low: Floats, high: Floats) -> Floats:
    """Time of the first sample at or beyond a limit (<= `low` or >= `high`), NaN without one.

    Parameters
    ----------
    time, value
        Samples of each series in the order of time, padded with NaN, shape (series, samples).
    low, high
        Limits of each series in the unit of its values, NaN where it has none, shape (series,).
    """
    hit = ~np.isnan(time) & ((value <= low[:, None]) | (value >= high[:, None]))
    return at_column(time, first_column(hit))


def estimate_time_beyond(time: Floats, value: Floats, limit: Floats, sign: Floats) -> Floats:
    """Time that the straight lines between the samples spend above (sign 1) or below (-1) a limit.

    Zero where a series has no two samples; NaN without a limit.

    Parameters
    ----------
    time, value
        Samples of each series in the order of time, padded with NaN, shape (series, samples).
    limit, sign
        Limit of each series in the unit of its values, and its side, shape (series,).

    Returns
    -------
    numpy.ndarray
        Durations in the unit of `time`, shape (series,).
    """
    total = np.zeros(len(time))
    distance = (value - limit[:, None]) * sign[:, None]
    for column in range(1, time.shape[1]):
        d0, d1 = distance[:, column - 1], distance[:, column]
        width = time[:, column] - time[:, column - 1]
        high, low = np.maximum(d0, d1), np.minimum(d0, d1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(low >= 0, 1.0, high / (high - low))
        share = np.where(high <= 0, 0.0, share)
        total += np.where(np.isnan(width), 0.0, width * share)
    return np.where(np.isnan(limit), np.nan, total)
