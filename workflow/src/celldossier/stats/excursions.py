"""Excursions of a course beyond a limit: when each begins, when it ends, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Places = NDArray[np.intp]
Floats = NDArray[np.float64]
NONE = -1
"""Place of a sample that does not exist."""


@dataclass(frozen=True)
class Excursions:
    """Excursions of all subjects, in the order of the samples; places are rows of the samples.

    Attributes
    ----------
    subject
        Subject of each excursion.
    first
        First sample inside.
    before
        Sample before the first one inside; `NONE` where it is the subject's first.
    last
        Last sample of the excursion that is not back: where it is not ended, the subject is
        censored there.
    end
        First of the consecutive samples that are back; `NONE` where there is none.
    """

    subject: NDArray[np.generic]
    first: Places
    before: Places
    last: Places
    end: Places


def list_excursions(
    subject: ArrayLike, inside: ArrayLike, back: ArrayLike | None = None, confirm: int = 1
) -> Excursions:
    """Excursions of many subjects at once.

    An excursion begins at a sample inside and ends at the first of `confirm` consecutive samples
    that are back. A sample that is back and not confirmed, or neither inside nor back, ends none.

    Parameters
    ----------
    subject, inside
        Subject of each sample, and whether it lies beyond the limit; shape (n,). The samples of a
        subject stand together, in the order of time.
    back
        Whether a sample is back (recovered); None: whether it is not inside.
    confirm
        Consecutive samples that make a return.
    """
    who = np.asarray(subject)
    low = np.asarray(inside, dtype=bool)
    good = ~low if back is None else np.asarray(back, dtype=bool)
    n = who.size
    if low.shape != (n,) or good.shape != (n,):
        raise ValueError("each sample needs its subject")
    if (low & good).any():
        raise ValueError("a sample cannot be inside and back")
    new = np.ones(n, dtype=bool)
    new[1:] = who[1:] != who[:-1]
    if np.count_nonzero(new) != np.unique(who).size:
        raise ValueError("the samples of a subject do not stand together")
    held = good.copy()
    run = np.cumsum(new)
    for ahead in range(1, confirm):
        same = np.zeros(n, dtype=bool)
        same[: n - ahead] = (run[ahead:] == run[: n - ahead]) & good[ahead:]
        held &= same
    # The state after each sample is that of the last sample that says something, or of the start.
    told = np.where(low | held | new, np.arange(n), 0)
    state = low[np.maximum.accumulate(told)] if n else low
    earlier = np.zeros(n, dtype=bool)
    earlier[1:] = state[:-1] & ~new[1:]
    first = np.flatnonzero(state & ~earlier)
    ended = np.flatnonzero(earlier & ~state)
    if not first.size:
        none = np.zeros(0, dtype=np.intp)
        return Excursions(who[first], none, none, none, none)
    # The end of an excursion is the first end after it, if the subject is still the same.
    following = np.searchsorted(ended, first, side="right")
    candidate = np.where(following < ended.size, np.append(ended, 0)[following], 0)
    has_end = (following < ended.size) & (run[candidate] == run[first])
    end = np.where(has_end, candidate, NONE)
    # Last sample that is not back, among those of the excursion.
    not_back = np.maximum.accumulate(np.where(~good, np.arange(n), 0))
    stop = np.where(has_end, candidate - 1, _last_of_subject(run)[first])
    return Excursions(
        who[first],
        first,
        np.where(new[first], NONE, first - 1),
        not_back[stop],
        end.astype(np.intp),
    )


def interpolate_crossing(
    time: ArrayLike, value: ArrayLike, before: Places, after: Places, level: ArrayLike
) -> Floats:
    """Time at which the straight line between two samples crosses a level.

    NaN where a sample does not exist. The time of the later sample where both values are equal.

    Parameters
    ----------
    time, value
        All samples, shape (samples,).
    before, after
        Places of the two samples of each crossing among them, shape (m,); -1: there is none.
    level
        Level that is crossed, in the unit of the values, shape (m,) or one for all.

    Returns
    -------
    numpy.ndarray
        Times, shape (m,).
    """
    t, y = np.asarray(time, dtype=float), np.asarray(value, dtype=float)
    known = (before != NONE) & (after != NONE)
    a, b = np.where(known, before, 0), np.where(known, after, 0)
    rise = y[b] - y[a]
    flat = rise == 0
    share = np.where(flat, 1.0, (level - y[a]) / np.where(flat, 1.0, rise))
    crossing = t[a] + np.clip(share, 0.0, 1.0) * (t[b] - t[a])
    return np.asarray(np.where(known, crossing, np.nan), dtype=float)


def _last_of_subject(run: NDArray[np.intp]) -> Places:
    """Place of the last sample of the subject of each sample."""
    last = np.searchsorted(run, run, side="right") - 1
    return np.asarray(last, dtype=np.intp)
