"""Estimates of the duration of quantifiability of one group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.settings.persistence import PersistenceSettings
from celldossier.stats.interval_censoring import TurnbullCurve, estimate_turnbull
from celldossier.stats.survival import (
    Estimate,
    SurvivalCurve,
    count_at_risk,
    estimate_at,
    estimate_incidence,
    estimate_quantile,
    estimate_survival,
)
from celldossier.terms.study_terms import DAYS_PER_MONTH

MOST_POINTS = 250
"""Most points of a curve of cumulative incidence."""

Floats = NDArray[np.float64]
Points = list[tuple[float, float, float, float, float]]
"""Abscissa (days), value, lower and upper limit (%), subjects at risk."""

NOTHING = Estimate(math.nan, math.nan, math.nan)


def estimate_duration(rows: pd.DataFrame, settings: PersistenceSettings) -> Duration:
    """Prepare the estimates of a group from its records of ADPERS."""
    known = rows[rows["REASND"] == ""]
    low = known["AVALLO"].to_numpy(dtype=float)
    high = known["AVALHI"].to_numpy(dtype=float)
    lost = (known["CNSR"] == 0).to_numpy(dtype=bool)
    competes = ((known["EVENTCD"] != "") & ~lost).to_numpy(dtype=bool)
    ended = np.where(competes, np.fmax(known["EVENTDY"].to_numpy(dtype=float), low), low)
    # The loss may have come before what competes with it: at the left end it is taken to have.
    either = ~lost & ~np.isnan(high)
    return Duration(
        low,
        high,
        lost,
        np.where(lost | either, low, ended),
        np.where(lost | either, 1, np.where(competes, 2, 0)),
        np.where(lost, high, ended),
        np.where(lost, 1, np.where(competes, 2, 0)),
        enough=len(known) >= settings.min_subjects,
        level=settings.confidence_level,
    )


@dataclass(frozen=True)
class Duration:
    """The duration of quantifiability in one group, in days.

    Attributes
    ----------
    low, high, lost
        Interval in which the loss lies, and whether there was one.
    early, early_cause, late, late_cause
        Time and cause (0 censored, 1 loss, 2 competing event) with the loss at the left and at
        the right end of its interval.
    enough
        Whether there are subjects enough for estimates.
    """

    low: Floats
    high: Floats
    lost: NDArray[np.bool_]
    early: Floats
    early_cause: NDArray[np.int_]
    late: Floats
    late_cause: NDArray[np.int_]
    enough: bool
    level: float

    @property
    def n(self) -> int:
        """Subjects."""
        return self.low.size

    @cached_property
    def right(self) -> SurvivalCurve:
        """Kaplan-Meier with the loss at the sample that showed it."""
        return estimate_survival(np.where(self.lost, self.high, self.low), self.lost)

    @cached_property
    def left(self) -> SurvivalCurve:
        """Kaplan-Meier with the loss right after the last quantifiable sample."""
        return estimate_survival(self.low, self.lost)

    @cached_property
    def turnbull(self) -> TurnbullCurve:
        """Estimate from the intervals themselves."""
        return estimate_turnbull(self.low, np.where(self.lost, self.high, math.inf))

    def medians(self) -> dict[str, float]:
        """Medians in months; NaN where not reached or where there are too few subjects."""
        km = estimate_quantile(self.right, level=self.level) if self.enough else NOTHING
        left = estimate_quantile(self.left, level=self.level) if self.enough else NOTHING
        middle = self.turnbull.quantile() if self.enough else (math.nan, math.nan)
        days = {
            **spread("km", km),
            **spread("left", left),
            "turnbull_left": middle[0],
            "turnbull_right": middle[1],
            # A lower limit that is not reached lies beyond the other; an upper one is not known.
            **_both(float(np.fmin(left.low, km.low)), float(np.maximum(left.high, km.high))),
        }
        return {stat: value / DAYS_PER_MONTH for stat, value in days.items()}

    def at(self, day: float) -> dict[str, float]:
        """Survival and incidence at a day, in percent, and the number at risk."""
        at_risk = float(count_at_risk(self.right, day))
        if not self.enough:
            names = [*spread("km", NOTHING), *spread("left", NOTHING)]
            names += ["turnbull_low", "turnbull_high", "both_low", "both_high"]
            names += [*spread("early", NOTHING), *spread("late", NOTHING)]
            return {**dict.fromkeys(names, math.nan), "n_at_risk": at_risk}
        km = estimate_at(self.right, day, self.level)
        left = estimate_at(self.left, day, self.level)
        bounds = (math.nan, math.nan) if math.isnan(km.value) else self.turnbull.survival(day)
        early = late = NOTHING
        # Where nobody was sampled so long, what competes last would make the incidence stand still.
        if not math.isnan(km.value):
            early = estimate_incidence(self.early, self.early_cause, day, self.level)
            late = estimate_incidence(self.late, self.late_cause, day, self.level)
        shares = {
            **spread("km", km),
            **spread("left", left),
            "turnbull_low": bounds[0],
            "turnbull_high": bounds[1],
            **_both(*_join(left, km)),
            **spread("early", early),
            **spread("late", late),
        }
        return {**{stat: 100 * value for stat, value in shares.items()}, "n_at_risk": at_risk}

    def curves(self) -> dict[str, Points]:
        """Curves ``km``, ``turnbull`` (its bounds), ``early`` and ``late`` (incidence)."""
        if not self.enough:
            return {}
        return {
            "km": self._km_points(),
            "turnbull": self._turnbull_points(),
            "early": self._incidence_points(self.early, self.early_cause),
            "late": self._incidence_points(self.late, self.late_cause),
        }

    def _km_points(self) -> Points:
        points: Points = [(0.0, 100.0, math.nan, math.nan, float(self.n))]
        for time in self.right.time:
            found = estimate_at(self.right, float(time), self.level)
            n = float(count_at_risk(self.right, float(time)))
            points.append((float(time), 100 * found.value, 100 * found.low, 100 * found.high, n))
        return points

    def _turnbull_points(self) -> Points:
        """Bounds of the survival just after each end of a class, up to the last follow-up."""
        curve = self.turnbull
        ends = np.unique(np.concatenate([curve.left, curve.right[np.isfinite(curve.right)]]))
        last = float(self.right.time[-1])
        points: Points = [(0.0, math.nan, 100.0, 100.0, float(self.n))]
        for end in ends[(ends > 0) & (ends < last)]:
            below = 100 * max(0.0, 1 - float(curve.mass[curve.left <= end].sum()))
            above = 100 * max(0.0, 1 - float(curve.mass[curve.right <= end].sum()))
            points.append((float(end), math.nan, below, above, float(self.n)))
        # What lies beyond the follow-up is not shown.
        below, above = curve.survival(last)
        points.append((last, math.nan, 100 * below, 100 * above, float(self.n)))
        return points

    def _incidence_points(self, time: Floats, cause: NDArray[np.int_]) -> Points:
        points: Points = [(0.0, 0.0, math.nan, math.nan, float(self.n))]
        times = np.unique(time[cause == 1])
        # Each point costs a pass over all subjects; so many are more than a figure can show.
        if times.size > MOST_POINTS:
            times = times[np.linspace(0, times.size - 1, MOST_POINTS).round().astype(int)]
        for at in np.unique(np.append(times, time.max())):
            found = estimate_incidence(time, cause, float(at), self.level)
            n = float((time >= at).sum())
            points.append((float(at), 100 * found.value, 100 * found.low, 100 * found.high, n))
        return points


def _both(low: float, high: float) -> dict[str, float]:
    return {"both_low": low, "both_high": high}


def _join(first: Estimate, second: Estimate) -> tuple[float, float]:
    """Limits that enclose those of both estimates; one at 0 or 1 has none but itself."""
    both = [found for found in (first, second) if not math.isnan(found.value)]
    if len(both) < 2 or all(math.isnan(found.low) for found in both):
        return math.nan, math.nan
    # An interval that is not defined, at 0 or 1, gives way to the estimate itself.
    lows = [found.value if math.isnan(found.low) else found.low for found in both]
    highs = [found.value if math.isnan(found.high) else found.high for found in both]
    return min(lows), max(highs)


def spread(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate and its limits by name."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
