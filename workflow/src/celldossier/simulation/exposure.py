"""The sampled exposure on which the simulated outcomes depend.

A small trapezoid of its own: the outcomes must hang on the metrics that an
analysis of the raw data would find, and the simulator may not use the code that
is later judged by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PEAK_FROM_DAY = 1.0  # earlier samples may hold catheter contents
WINDOW_DAY = 28.0


@dataclass(frozen=True)
class SampledExposure:
    """Sampled Cmax (0 where all samples are BLQ), its time (NaN then), and AUC 0-28 days."""

    cmax: Array
    tmax: Array
    auc28: Array


def compute_sampled_exposure(
    nominal: Array, times: Array, values: Array, collected: NDArray[np.bool_], lloq: Array | float
) -> SampledExposure:
    """Compute Cmax, Tmax and AUC28 by the linear-up/log-down trapezoid.

    Parameters
    ----------
    nominal
        Nominal days of the columns, rising; only days up to 28 are used.
    times, values, collected
        Actual days, results and whether there is a sample; (subjects, samples).
    lloq
        One number, or one a subject. Results below it count as BLQ: zero before the peak
        and once after the last quantifiable sample, left out in between.
    """
    used = nominal <= WINDOW_DAY
    nominal, times = nominal[used], np.maximum(times[:, used], 0.0)
    values, collected = values[:, used], collected[:, used]
    quantifiable = collected & (values >= np.reshape(lloq, (-1, 1)))

    eligible = quantifiable & (nominal >= PEAK_FROM_DAY)
    candidates = np.where(eligible, values, 0.0)
    place = candidates.argmax(axis=1)
    rows = np.arange(place.size)
    cmax = candidates[rows, place]
    tmax = np.where(cmax > 0, times[rows, place], np.nan)

    area = np.zeros(place.size)
    last_time, last_value = np.zeros(place.size), np.zeros(place.size)
    before_time, before_value = np.zeros(place.size), np.zeros(place.size)
    closed = np.zeros(place.size, dtype=bool)
    later = np.flip(np.cumsum(np.flip(quantifiable, axis=1), axis=1), axis=1) > 0
    for column in range(nominal.size):
        to_time = times[:, column]
        to_value = np.where(quantifiable[:, column], values[:, column], 0.0)
        is_zero = collected[:, column] & ~quantifiable[:, column]
        embedded = is_zero & later[:, column] & (column > place)
        step = collected[:, column] & ~embedded & ~closed
        end_value = _value_at(last_time, last_value, to_time, to_value, WINDOW_DAY)
        past = to_time > WINDOW_DAY
        end = np.where(past, WINDOW_DAY, to_time)
        reached = np.where(past, end_value, to_value)
        area += np.where(step, _area(last_value, reached, end - last_time), 0.0)
        closed |= step & is_zero & ~later[:, column]
        before_time = np.where(step, last_time, before_time)
        before_value = np.where(step, last_value, before_value)
        last_time = np.where(step, end, last_time)
        last_value = np.where(step, reached, last_value)
    # The last sample lies before day 28: go on with the slope of the last two if it falls.
    open_end = ~closed & (last_time < WINDOW_DAY) & (last_value > 0)
    falls = open_end & (before_value > last_value)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log(before_value / last_value) / (last_time - before_time)
    slope = np.where(falls, slope, 0.0)
    rest = WINDOW_DAY - last_time
    at_end = last_value * np.exp(-slope * rest)
    area += np.where(open_end, _area(last_value, at_end, rest), 0.0)
    return SampledExposure(cmax=cmax, tmax=tmax, auc28=area)


def _area(start: Array, end: Array, width: Array) -> Array:
    """Area of one step: logarithmic where it falls and both ends are positive."""
    falls = (end < start) & (end > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithmic = (start - end) / np.log(start / end)
    mean: Array = np.where(falls, logarithmic, (start + end) / 2)
    return mean * width


def _value_at(start_time: Array, start: Array, end_time: Array, end: Array, moment: float) -> Array:
    """Interpolate within a step by the rule of that step."""
    width = np.where(end_time > start_time, end_time - start_time, 1.0)
    share = (moment - start_time) / width
    falls = (end < start) & (end > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logarithmic = start * np.exp(share * np.log(end / start))
    value: Array = np.where(falls, logarithmic, start + share * (end - start))
    return value
