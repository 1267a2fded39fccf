"""Discrete-time hazard: days at risk as rows of a pooled logistic regression.

Each day at risk is a row: day d runs from d - 1 (excluded) to d after the infusion. Its
exposure is the latest value at or before the start of the day, so that no exposure is
measured after the event that it is set against. The likelihood of a discrete-time hazard is
that of independent rows, for which no allowance for subjects is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class DaysAtRisk:
    """Rows of days at risk."""

    subject: NDArray[np.int64]
    """Position of the subject."""
    day: Vector
    event: Vector
    """1 on the day of the onset, else 0."""


def derive_days_at_risk(onset: ArrayLike, follow_up: ArrayLike, window: float) -> DaysAtRisk:
    """Days at risk until onset, end of follow-up or end of the window.

    Parameters
    ----------
    onset
        Time of the event after the infusion, days; NaN where there was none. An event
        after the window or the follow-up is not seen.
    follow_up
        Time of the end of observation, days. A day that was not completed without an
        event is not at risk.
    window
        Whole number of days that are looked at.

    References
    ----------
    Allison PD (1982), Sociol Methodol 13:61-98.
    """
    at, end = np.asarray(onset, dtype=float), np.asarray(follow_up, dtype=float)
    # An onset at the infusion itself, time 0, belongs to the first day.
    event_day = np.maximum(np.ceil(at), 1.0)
    complete = np.floor(np.minimum(end, window))
    seen = (at >= 0) & (event_day <= window) & (at <= end)
    # What began before the infusion leaves nobody at risk.
    last = np.where(seen, event_day, np.where(at < 0, 0.0, complete))
    last = np.where(np.isnan(last), 0.0, np.maximum(last, 0.0)).astype(int)
    subject = np.repeat(np.arange(at.size), last)
    starts = np.concatenate([[0], np.cumsum(last)[:-1]]) if last.size else np.zeros(0, dtype=int)
    day = (np.arange(subject.size) - starts[subject] + 1).astype(float)
    event = (seen[subject] & (day == event_day[subject])).astype(float)
    return DaysAtRisk(subject.astype(np.int64), day, event)


def derive_current_value(
    rows: DaysAtRisk, subject: ArrayLike, time: ArrayLike, value: ArrayLike, max_age: float
) -> tuple[Vector, Vector]:
    """Latest value at or before the start of each day at risk, and its time.

    Parameters
    ----------
    rows
        Days at risk.
    subject, time, value
        Position of the subject, time after the infusion (days) and value of each sample,
        in any order; NaN are left out.
    max_age
        Oldest sample that stands for a day, days before its start.

    Returns
    -------
    tuple of numpy.ndarray
        Value and time of the sample; NaN where there is none.
    """
    who = np.asarray(subject, dtype=int)
    when, what = np.asarray(time, dtype=float), np.asarray(value, dtype=float)
    known = ~(np.isnan(when) | np.isnan(what))
    who, when, what = who[known], when[known], what[known]
    order = np.lexsort((when, who))
    who, when, what = who[order], when[order], what[order]
    start = rows.day - 1
    found = np.full(start.size, -1)
    # One search over all: subjects lie further apart than any time.
    gap = 1 + float(max(np.abs(when).max(initial=0.0), start.max(initial=0.0)))
    if when.size:
        key = who * (2 * gap) + when
        found = np.searchsorted(key, rows.subject * (2 * gap) + start, side="right") - 1
    usable = found >= 0
    usable[usable] = who[found[usable]] == rows.subject[usable]
    usable[usable] = start[usable] - when[found[usable]] <= max_age
    out = np.full(start.size, math.nan), np.full(start.size, math.nan)
    out[0][usable], out[1][usable] = what[found[usable]], when[found[usable]]
    return out


def make_baseline(day: ArrayLike, event: ArrayLike, df: int, form: str) -> Vector:
    """Columns of the baseline hazard by day, orthogonal and of mean 0.

    Parameters
    ----------
    day, event
        Days at risk and their events, shape (n,).
    df
        Number of columns.
    form
        ``POLYNOMIAL``: powers of the day; ``SPLINE``: a restricted cubic
        spline with df + 1 knots at quantiles of the days of the events.

    References
    ----------
    Harrell FE (2015), Regression Modeling Strategies, section 2.4.5 (restricted cubic
    splines; quantiles of the knots from 5 to 95 %).
    """
    t = np.asarray(day, dtype=float)
    days = np.unique(t)
    df = min(df, days.size - 1)
    if df < 1:
        return np.zeros((t.size, 0))
    at_events = t[np.asarray(event, dtype=float) == 1]
    if form == "SPLINE" and df > 1:
        knots = np.unique(np.quantile(at_events, np.linspace(0.05, 0.95, df + 1)))
        if knots.size > 2:
            scaled = (t - t.mean()) / max(float(t.std()), 1e-12)
            return _orthogonalise(np.column_stack([scaled, _restricted_cubic(t, knots)]))
        df = 1
    scaled = (t - days.mean()) / max(float(days.std()), 1e-12)
    return _orthogonalise(np.vander(scaled, df + 1, increasing=True)[:, 1:])


def _orthogonalise(columns: Vector) -> Vector:
    """Columns that span the same with the intercept, each of mean 0 and mean square 1.

    The estimates beside the baseline do not change, and the iterations are sure.
    """
    q, r = np.linalg.qr(np.column_stack([np.ones(len(columns)), columns]))
    return np.asarray((q * np.sign(np.diag(r)))[:, 1:] * math.sqrt(len(columns)), dtype=float)


def _restricted_cubic(t: Vector, knots: Vector) -> Vector:
    """Non-linear columns of a restricted cubic spline, over the squared range of the knots."""
    last, before = knots[-1], knots[-2]

    def cube(knot: float) -> Vector:
        return np.maximum(t - knot, 0.0) ** 3

    columns = [
        cube(knot)
        - cube(before) * (last - knot) / (last - before)
        + cube(last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    return np.asarray(np.column_stack(columns) / (last - knots[0]) ** 2, dtype=float)
