"""The rising limb (expansion, R21) and the loss of quantifiability (TBQL, R20)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from celldossier.cellular_kinetics.places import (
    Bools,
    Floats,
    add_samples,
    first_true,
    last_true,
)
from celldossier.cellular_kinetics.profiles import Profiles

MIN_RISING = 3
"""Least number of rising points for an expansion rate (R21)."""


@dataclass(frozen=True)
class Loss:
    """Loss of quantifiability of each profile (R20).

    Attributes
    ----------
    time
        TBQL: time of the first of two consecutive BLQ samples after the peak, NaN
        where there is no such pair.
    lower
        Last quantifiable sample before it, or of the profile where there is no loss:
        the loss lies in (lower, time], or is right-censored at `lower`. NaN where
        nothing is quantifiable.
    again
        Whether a later sample is quantifiable again (re-expansion).
    later
        Those later quantifiable samples, shape (profiles, samples).
    """

    time: Floats
    lower: Floats
    again: Bools
    later: Bools


def estimate_loss(profiles: Profiles) -> Loss:
    """Time of loss of quantifiability and the interval in which it lies."""
    column = np.arange(profiles.time.shape[1])[:, None]
    blq, quantifiable = profiles.blq.T, profiles.quantifiable.T
    pair = np.zeros_like(blq)
    np.logical_and(blq[:-1], blq[1:], out=pair[:-1])
    pair &= (column > profiles.peak) & (profiles.peak >= 0)
    first = first_true(pair.T)
    lost = first >= 0
    end = np.where(lost, first, len(column))
    later = (quantifiable & (column > end)).T
    before = last_true((quantifiable & (column < end)).T)
    return Loss(
        time=np.where(lost, profiles.at(profiles.time, first), np.nan),
        lower=np.where(before >= 0, profiles.at(profiles.time, before), np.nan),
        again=np.asarray(later.any(axis=1)),
        later=later,
    )


def estimate_expansion_rate(profiles: Profiles) -> Floats:
    """Slope of ln C over the rising quantifiable points up to and with Tmax (R21).

    The rising points are the unbroken run, after the dose, of quantifiable samples
    each higher than the one before, that ends at Tmax: the fall of the distribution
    phase and a BLQ sample break it. NaN below `MIN_RISING` points, and where there
    is no eligible peak.
    """
    time, conc = profiles.time.T, profiles.conc.T
    rising = (np.arange(len(time))[:, None] == profiles.peak) & has_peak(profiles)
    if len(time) > 1:
        # Backwards from the peak, one column at a time.
        climbs = (time[:-1] > 0) & (conc[:-1] < conc[1:])
        for column in range(len(time) - 2, -1, -1):
            rising[column] |= rising[column + 1] & climbs[column]
    count = rising.sum(axis=0)
    enough = count >= MIN_RISING
    n = np.where(enough, count, 1)
    x, y = np.zeros(time.shape), np.ones(time.shape)
    np.copyto(x, time, where=rising)
    np.copyto(y, conc, where=rising)
    np.log(y, out=y)
    dx, dy = (x - add_samples(x) / n) * rising, y - add_samples(y) / n
    sxx = np.where(enough, add_samples(dx * dx), 1.0)
    return np.where(enough, add_samples(dx * dy) / sxx, np.nan)


def has_peak(profiles: Profiles) -> Bools:
    """Whether an eligible quantifiable sample defines Cmax and Tmax (R9)."""
    return np.asarray(profiles.eligible.any(axis=1))
