"""Areas under the curve: trapezoidal rules, partial areas and their tails (R11 to R15).

All functions work on padded arrays of shape (profiles, points), one row a profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from celldossier.cellular_kinetics.codes import BLANK, Codes, code_of, either, first_given
from celldossier.cellular_kinetics.lambda_z import LambdaZ
from celldossier.cellular_kinetics.places import Bools, Floats, Ints, last_true, pick
from celldossier.cellular_kinetics.profiles import Profiles
from celldossier.settings.cellular_kinetics import CellularKineticsSettings


@dataclass(frozen=True)
class Curve:
    """The points of the areas, moved together to the left: no gaps but at the end.

    Attributes
    ----------
    time, value
        Shape (profiles, points), NaN beyond the last point.
    count
        Number of points of each profile.
    rule
        The setting `auc_rule`.
    """

    time: Floats
    value: Floats
    count: Ints
    rule: str

    @cached_property
    def cumulative(self) -> Floats:
        """Area from the first point to each point; shape as `time`."""
        time, value = self.time.T, self.value.T
        total = np.zeros(time.shape)
        steps = step_areas(time[:-1], value[:-1], time[1:], value[1:], self.rule)
        steps[np.isnan(steps)] = 0.0
        for point, step in enumerate(steps):
            np.add(total[point], step, out=total[point + 1])
        return total.T


@dataclass(frozen=True)
class PartialArea:
    """A partial area 0 to `end` of each profile, with what its tail added."""

    area: Floats
    share: Floats
    flag: Codes
    area_reason: Codes
    share_reason: Codes


def is_logarithmic(start: Floats, end: Floats, rule: str) -> Bools:
    """Which steps are logarithmic: both ends above 0, falling unless `rule` is log (R11)."""
    if rule == "linear":
        return np.zeros(np.shape(start), dtype=bool)
    positive = (start > 0) & (end > 0)
    return np.asarray(positive & ((start != end) if rule == "log" else (end < start)))


def step_areas(t1: Floats, c1: Floats, t2: Floats, c2: Floats, rule: str) -> Floats:
    """Areas of trapezoidal steps from (t1, c1) to (t2, c2) by the rule R11.

    The logarithmic step is (c1 - c2) (t2 - t1) / ln(c1 / c2), with log1p so that
    it keeps its precision where the ends nearly agree.
    """
    width = t2 - t1
    with np.errstate(all="ignore"):
        areas = np.asarray(width * (c1 / 2 + c2 / 2))
        logarithmic = is_logarithmic(c1, c2, rule)
        if logarithmic.any():
            # Computed everywhere, which costs less than picking the steps out.
            fall = c1 - c2
            logs = np.log1p(fall / c2)
            beyond = logarithmic & np.isinf(logs)
            if beyond.any():
                # The ratio of the ends leaves the range of doubles, its logarithm does not.
                logs[beyond] = np.log(c1[beyond]) - np.log(c2[beyond])
            np.copyto(areas, width * (fall / logs), where=logarithmic)
    return areas


def derive_curve(profiles: Profiles, rule: str) -> Curve:
    """The points of the areas of each profile; `rule` is the setting `auc_rule`."""
    time, value = profiles.time.copy(order="K").T, profiles.value.copy(order="K").T
    unused = np.isnan(value)
    time[unused] = np.nan
    count = len(value) - unused.sum(axis=0)
    # Few profiles have gaps: only their points are moved.
    gaps = np.flatnonzero((unused[:-1] & ~unused[1:]).any(axis=0))
    if len(gaps):
        order = np.argsort(unused[:, gaps], axis=0, kind="stable")
        time[:, gaps] = np.take_along_axis(time[:, gaps], order, axis=0)
        value[:, gaps] = np.take_along_axis(value[:, gaps], order, axis=0)
    return Curve(time.T, value.T, count, rule)


def area_to(curve: Curve, end: float | Floats) -> Floats:
    """Area of each profile from its first point to `end`, interpolated by the step's rule (R13).

    Where the last point is before `end`, the area to the last point.
    """
    inside = (end >= curve.time.T).sum(axis=0)
    column = np.maximum(inside - 1, 0)
    following = np.minimum(column + 1, curve.time.shape[1] - 1)
    t1, c1, t2, c2 = (
        pick(values, place) for place in (column, following) for values in (curve.time, curve.value)
    )
    within = (t1 < end) & (t2 > end)
    with np.errstate(all="ignore"):
        part = (end - t1) / (t2 - t1)
        at_end = c1 + (c2 - c1) * part
        logarithmic = is_logarithmic(c1, c2, curve.rule)
        np.copyto(at_end, c1 * (c2 / c1) ** part, where=logarithmic)
        lost = logarithmic & ((c2 / c1 == 0) | np.isinf(c2 / c1))
        if lost.any():
            logs = np.log(c1[lost]) + part[lost] * (np.log(c2[lost]) - np.log(c1[lost]))
            at_end[lost] = np.exp(logs)
        rest = step_areas(t1, c1, np.broadcast_to(end, t1.shape), at_end, curve.rule)
    area = pick(curve.cumulative, column) + np.where(within, rest, 0.0)
    # A first point after `end` (no pre-dose point) leaves nothing inside.
    area[inside == 0] = 0.0
    return np.asarray(area, dtype=np.float64)


def area_to_last(curve: Curve) -> Floats:
    """Area to the last point, which is the last quantifiable sample (R12)."""
    return pick(curve.cumulative, np.maximum(curve.count - 1, 0))


def estimate_partial_area(
    profiles: Profiles,
    curve: Curve,
    fit: LambdaZ,
    end: float | Floats,
    settings: CellularKineticsSettings,
    window: float | Floats | None = None,
) -> PartialArea:
    """Partial area from 0 to `end`, with its tail where the last sample is earlier.

    Parameters
    ----------
    profiles, curve
        The samples, and the points of the areas.
    fit
        The raw lambda-z fits: the gates do not apply here (R14).
    end
        End of the area, in the time unit of the samples; one, or one a profile.
    settings
        `tail`, `end_window` and `max_extrapolation` are used.
    window
        Tolerance around the end in place of `end_window`.

    Returns
    -------
    PartialArea
        The area, its share beyond the last quantifiable sample that is not
        bounded by a BLQ sample (%), a flag and the reasons where empty.
    """
    last = profiles.last
    end = np.full(len(last), end)
    window = settings.end_window if window is None else window
    found = last >= 0
    t_last = np.where(found, profiles.at(profiles.time, last), np.nan)
    c_last = np.where(found, profiles.at(profiles.conc, last), np.nan)
    body = area_to(curve, end)
    beyond = end - t_last
    inside = beyond <= 0
    following = np.minimum(last + 1, profiles.time.shape[1] - 1)
    t_blq = np.where(
        found & (last + 1 < profiles.time.shape[1]) & profiles.at(profiles.blq, following),
        profiles.at(profiles.time, following),
        np.inf,
    )
    with np.errstate(over="ignore", invalid="ignore"):
        closing = _triangle(c_last, beyond, t_blq - t_last)
        extended = _extend(profiles, c_last, beyond)
        extrapolated = _exponential(c_last, fit.rate, beyond)

    tail = settings.tail
    none = np.zeros_like(inside)
    closed = ~inside & np.isfinite(t_blq) if tail in ("auto", "all") else none
    if tail == "auto":
        closed &= t_blq <= end + window
    windowed = ~inside & ~closed & (beyond <= window) if tail == "auto" else none
    by_slope = ~inside & ~closed & ~windowed if tail in ("auto", "extrapolate") else none
    added = np.select([closed, windowed, by_slope], [closing, extended, extrapolated], 0.0)
    area = body + added
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(windowed | by_slope, 100 * added / area, 0.0)

    # R15: past the censoring time nothing is known. A BLQ sample that was taken
    # before it has closed the area, so that nothing is extrapolated there.
    censored = ~inside & (profiles.censored < end) & ~(closed & (t_blq <= profiles.censored))
    no_slope = by_slope & np.isnan(fit.rate)
    share_reason = either(
        (~profiles.sampled, "NOSAMPLE"), (censored, "CENSORED"), (no_slope, "NOLAMZ")
    )
    too_far = by_slope & (share > settings.max_extrapolation) & (tail == "auto")
    # Never quantifiable is an area of 0 (R10), but not for a subject who died before the
    # end: cells may have been about to expand, and the area is unknown, not low.
    never = profiles.never_quantifiable & ~(profiles.censored < end)
    share_reason[never] = BLANK
    share_reason[profiles.sampled & lacks_start(profiles, curve)] = code_of("NOSTART")
    area_reason = first_given(share_reason, either((too_far, "EXTRAPOL")))
    flag = either((never, "BLQALL"), (windowed, "EXTWIN"), (by_slope, "EXTRAP"))
    flag[share_reason != BLANK] = BLANK
    return PartialArea(
        np.where(never, 0.0, area), np.where(never, 0.0, share), flag, area_reason, share_reason
    )


def lacks_start(profiles: Profiles, curve: Curve) -> Bools:
    """No point at time 0: only with `start: none` and no pre-dose record (R4)."""
    return np.asarray((profiles.last >= 0) & ~(curve.time[:, 0] == 0))


def _triangle(c_last: Floats, beyond: Floats, width: Floats) -> Floats:
    """Area under the straight line from c_last to 0 over `width`, cut at `beyond`."""
    part = np.minimum(beyond / width, 1.0)
    return c_last * np.minimum(beyond, width) * (1 - part / 2)


def _exponential(c_last: Floats, rate: Floats, beyond: Floats) -> Floats:
    """Area under c_last exp(-rate t) from 0 to `beyond`."""
    return c_last * -np.expm1(-rate * beyond) / rate


def _extend(profiles: Profiles, c_last: Floats, beyond: Floats) -> Floats:
    """Tail (b) of R14: log slope of the last two quantifiable points if it falls, else constant."""
    last = profiles.last
    column = np.arange(profiles.time.shape[1])[:, None]
    previous = last_true((profiles.quantifiable.T & (column < last)).T)
    before = profiles.at(profiles.conc, previous)
    fall = np.log(before / c_last)
    fall = np.where(np.isfinite(fall), fall, np.log(before) - np.log(c_last))
    width = profiles.at(profiles.time, last) - profiles.at(profiles.time, previous)
    falling = (previous >= 0) & (fall > 0)
    rate = np.where(falling, fall, 1.0) / np.where(falling, width, 1.0)
    return np.where(falling, _exponential(c_last, rate, beyond), c_last * beyond)
