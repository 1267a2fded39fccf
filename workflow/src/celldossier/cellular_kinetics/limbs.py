"""The rising limb (expansion, R21) and the loss of quantifiability (TBQL, R20)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from celldossier.cellular_kinetics.profiles import Bools, Floats, Profiles

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
    column = np.arange(profiles.time.shape[1])[None, :]
    after_peak = (profiles.peak >= 0)[:, None] & (column > profiles.peak[:, None])
    pair = profiles.blq & after_peak
    pair[:, :-1] &= profiles.blq[:, 1:]
    pair[:, -1] = False
    lost = pair.any(axis=1)
    first = np.where(lost, pair.argmax(axis=1), profiles.time.shape[1])
    later = profiles.quantifiable & (column > first[:, None])
    before = profiles.quantifiable & (column < first[:, None])
    previous = profiles.time.shape[1] - 1 - before[:, ::-1].argmax(axis=1)
    return Loss(
        time=np.where(lost, profiles.at(profiles.time, np.where(lost, first, 0)), np.nan),
        lower=np.where(before.any(axis=1), profiles.at(profiles.time, previous), np.nan),
        again=later.any(axis=1),
        later=later,
    )


def estimate_expansion_rate(profiles: Profiles) -> Floats:
    """Slope of ln C over the rising quantifiable points up to and with Tmax (R21).

    The rising points are the unbroken run, after the dose, of quantifiable samples
    each higher than the one before, that ends at Tmax: the fall of the distribution
    phase and a BLQ sample break it. NaN below `MIN_RISING` points, and where there
    is no eligible peak.
    """
    rows = np.arange(profiles.time.shape[0])
    peak = np.where(has_peak(profiles), profiles.peak, -1)
    inside = peak >= 0
    rising = np.zeros_like(profiles.quantifiable)
    rising[rows[inside], peak[inside]] = True
    usable = profiles.quantifiable & (profiles.time > 0)
    # Backwards from the peak, one column at a time.
    for column in range(profiles.time.shape[1] - 2, -1, -1):
        rising[:, column] |= (
            rising[:, column + 1]
            & usable[:, column]
            & (profiles.conc[:, column] < profiles.conc[:, column + 1])
        )
    count = rising.sum(axis=1)
    x = np.where(rising, profiles.time, 0.0)
    y = np.where(rising, np.log(np.where(rising, profiles.conc, 1.0)), 0.0)
    enough = count >= MIN_RISING
    n = np.where(enough, count, 1)
    dx = np.where(rising, x - (x.sum(axis=1) / n)[:, None], 0.0)
    dy = np.where(rising, y - (y.sum(axis=1) / n)[:, None], 0.0)
    sxx = np.where(enough, (dx * dx).sum(axis=1), 1.0)
    return np.where(enough, (dx * dy).sum(axis=1) / sxx, np.nan)


def has_peak(profiles: Profiles) -> Bools:
    """Whether an eligible quantifiable sample defines Cmax and Tmax (R9)."""
    return np.asarray(profiles.eligible.any(axis=1))
