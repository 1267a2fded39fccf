"""Areas, times of response and of recovery of markers, and the changes of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from celldossier.pharmacodynamics.courses import Courses
from celldossier.pharmacodynamics.extremes import Extreme, base_flags, missing_reasons
from celldossier.pharmacodynamics.marker_columns import Bools, Column, Floats
from celldossier.pharmacodynamics.marker_rules import ResolvedRule
from celldossier.settings.marker_parameters import MarkerParameterSettings
from celldossier.stats.response_areas import estimate_response_areas
from celldossier.stats.response_times import (
    any_sample,
    at_column,
    estimate_time_beyond,
    find_first,
    find_return,
    first_column,
    last_column,
)
from celldossier.terms.pd_parameters import area_code

_SIGN = {"rise": 1.0, "fall": -1.0, "both": 0.0}


@dataclass(frozen=True)
class SeriesRules:
    """The rules of the markers, one value a series."""

    sign: Floats
    """1 of a rise, -1 of a fall, 0 of both."""
    rise_factor: Floats
    criterion: np.ndarray
    factor: Floats
    threshold: Floats
    consecutive: np.ndarray
    interpolated: Bools
    beyond: Floats
    mcid: Floats

    @classmethod
    def of(cls, rules: Sequence[ResolvedRule], place: np.ndarray) -> SeriesRules:
        """Of the rules, and the place of the rule of each series in them."""

        def take(values: list[object], kind: type = float) -> np.ndarray:
            given = [np.nan if value is None else value for value in values]
            taken: np.ndarray = np.asarray(given, dtype=kind)[place]
            return taken

        return cls(
            sign=take([_SIGN[rule.direction] for rule in rules]),
            rise_factor=take([rule.rise_factor for rule in rules]),
            criterion=take([rule.recovery.criterion for rule in rules], object),
            factor=take([rule.recovery.factor for rule in rules]),
            threshold=take([rule.recovery.threshold for rule in rules]),
            consecutive=take([rule.recovery.consecutive for rule in rules], int),
            interpolated=take([rule.recovery.timing == "interpolated" for rule in rules], bool),
            beyond=take([rule.beyond for rule in rules]),
            mcid=take([rule.mcid for rule in rules]),
        )


def start_at_baseline(courses: Courses) -> tuple[Floats, Floats]:
    """Times and values of the series from the infusion on, which has the baseline's value."""
    zero = np.where(np.isnan(courses.base), np.nan, 0.0)
    time = np.column_stack([zero, courses.time])
    return time, np.column_stack([courses.base, courses.value])


def estimate_areas(courses: Courses, options: MarkerParameterSettings) -> dict[str, Column]:
    """Areas under the curve, over and under the baseline, to each end."""
    time, value = start_at_baseline(courses)
    last = np.nan_to_num(at_column(courses.time, last_column(~np.isnan(courses.time))), nan=0.0)
    nothing = ~any_sample(~np.isnan(courses.time))
    columns: dict[str, Column] = {}
    for end in options.areas:
        areas = estimate_response_areas(time, value, courses.base, end)
        # The first sample after the end shapes the area to it, too.
        counted = np.column_stack([np.zeros(len(courses)), courses.time])[:, :-1] < end
        counted &= ~np.isnan(courses.time)
        short = last < end - options.area_tolerance
        reasons = [
            (nothing, "NOPDPOST"),
            (np.isnan(courses.base), "NOPDBASE"),
            (short & (courses.end < end), "CENSORED"),
            (short, "UNCOVERD"),
            (counted.sum(axis=1) < options.area_samples, "FEWPDSAM"),
        ]
        beyond = any_sample(courses.above & counted)
        flags = {
            "HELD": last < end,
            "BLQFRAC": any_sample(courses.below & counted) | courses.base_below,
            **base_flags(courses),
        }
        # A higher sample adds to the area over the baseline and takes from the one under it, a
        # higher baseline the other way round; with both above their limit nothing is certain.
        neither = [*reasons, (beyond & courses.base_above, "PDBOUND")]
        over = {"ATLEAST": beyond & ~courses.base_above}
        under = {
            "ATLEAST": courses.base_above & ~beyond,
            "ATMOST": beyond & ~courses.base_above,
        }
        columns |= {
            area_code("PDAUC", end): Column(areas.total, reasons, {**flags, "ATLEAST": beyond}),
            area_code("PDAO", end): Column(areas.over, neither, {**flags, **over}),
            area_code("PDAU", end): Column(areas.under, neither, {**flags, **under}),
        }
    return columns


def find_response_time(courses: Courses, rules: SeriesRules, extreme: Extreme) -> Column:
    """First sample in the window whose ratio to the baseline reaches the factor.

    Values beyond a limit of quantitation count with the limit: only what is certain counts.
    """
    base, factor = courses.base_limit, rules.rise_factor
    high = np.where(rules.sign >= 0, base * factor, np.inf)
    low = np.where(rules.sign <= 0, base / factor, -np.inf)
    inside = np.where(courses.inside, courses.limit, np.nan)
    time = find_first(courses.time, inside, low, high)
    reasons = [
        *missing_reasons(courses, extreme),
        (~(base > 0), "PDBASZER"),
        (np.isnan(time), "NOTREACH"),
    ]
    return Column(time, reasons, base_flags(courses))


def find_recovery(
    courses: Courses, rules: SeriesRules, peak: Extreme, nadir: Extreme
) -> dict[str, Column]:
    """Time to recovery after peak or nadir; where the direction is both, after the further one."""
    side = _choose_side(courses, rules, peak, nadir)
    start = np.where(side > 0, peak.column, nadir.column)
    since = np.where(side > 0, peak.time, nadir.time)
    normal = at_column(courses.normal, first_column(~np.isnan(courses.normal)))
    by_normal = (rules.criterion == "normal") & (side > 0) & ~np.isnan(normal)
    absolute = rules.criterion == "absolute"
    base = courses.base_limit
    high = np.where(absolute, rules.threshold, np.where(by_normal, normal, base * rules.factor))
    # Where the baseline lies below its limit, a later result below it is no fall.
    low = np.where(absolute, rules.threshold, courses.base / rules.factor)
    high = np.where(side > 0, high, np.inf)
    low = np.where(side < 0, low, -np.inf)
    found = find_return(
        courses.time,
        courses.value,
        start,
        low,
        high,
        rules.consecutive,
        interpolated=rules.interpolated,
    )
    on_base = ~absolute & ~by_normal
    limitless = np.isnan(high) | np.isnan(low)
    reasons = [
        (start < 0, "NOPDPOST"),
        (on_base & np.isnan(base), "NOPDBASE"),
        (limitless, "PDNOLIM"),
        (found.never, "PDNEVER"),
    ]
    flags = {
        "PDCENS": found.censored,
        "BASCRIT": on_base & (rules.criterion == "normal"),
        "BASBLQ": on_base & courses.base_below,
        "BASMOVED": on_base & courses.base_moved,
    }
    return {
        "PDTREC": Column(found.time, reasons, flags),
        "PDRECDUR": Column(found.time - since, reasons, flags),
    }


def _choose_side(courses: Courses, rules: SeriesRules, peak: Extreme, nadir: Extreme) -> Floats:
    """1 where the effect is a rise, -1 where a fall.

    Of a marker that may do both it is the larger ratio to the baseline, where all is positive,
    else the larger difference; of two equal ones the rise.
    """
    base, up, down = courses.base, peak.value, nadir.value
    with np.errstate(invalid="ignore", divide="ignore"):
        rise, fall = up / base, base / down
    positive = (base > 0) & (down > 0)
    rise, fall = np.where(positive, rise, up - base), np.where(positive, fall, base - down)
    chosen = np.where(fall > rise, -1.0, 1.0)
    return np.where(rules.sign == 0, chosen, rules.sign)


def estimate_duration(courses: Courses, rules: SeriesRules) -> Column:
    """Days beyond the threshold of the marker, else above the upper limit of normal."""
    time, value = start_at_baseline(courses)
    normal = at_column(courses.normal, first_column(~np.isnan(courses.normal)))
    falls = rules.sign < 0
    limit = np.where(np.isnan(rules.beyond) & ~falls, normal, rules.beyond)
    days = estimate_time_beyond(time, value, limit, np.where(falls, -1.0, 1.0))
    reasons = [
        (~any_sample(~np.isnan(courses.time)), "NOPDPOST"),
        (np.isnan(limit), "PDNOLIM"),
    ]
    return Column(days, reasons, {"BASMOVED": courses.base_moved})


def describe_last(courses: Courses) -> dict[str, Column]:
    """Last result in the window and its time, and the change of it from the baseline."""
    column = last_column(courses.inside & ~np.isnan(courses.time))
    nothing = [(column < 0, "NOPDPOST")]
    value = at_column(courses.value, column)
    flags = {
        "ATLEAST": at_column(courses.above.astype(float), column) == 1,
        "VALBLQ": at_column(courses.below.astype(float), column) == 1,
    }
    without_base = [*nothing, (np.isnan(courses.base), "NOPDBASE")]
    return {
        "PDLAST": Column(value, nothing, flags),
        "PDTLAST": Column(at_column(courses.time, column), nothing),
        "PDCHGLST": Column(value - courses.base, without_base, base_flags(courses)),
    }


def describe_improvement(courses: Courses, rules: SeriesRules) -> dict[str, Column]:
    """Best change of scores, and whether and when it reached the least important difference."""
    inside = courses.inside & ~np.isnan(courses.time)
    change = courses.value - courses.base[:, None]
    gain = np.where(rules.sign[:, None] == 0, np.abs(change), change * rules.sign[:, None])
    ranked = np.where(inside & ~np.isnan(gain), gain, -np.inf)
    column = first_column(inside & (ranked == ranked.max(axis=1, initial=-np.inf)[:, None]))
    reasons = [
        (~any_sample(inside), "NOPDPOST"),
        (np.isnan(courses.base), "NOPDBASE"),
    ]
    # A difference of decimal numbers may miss the least one by its last digit.
    least = rules.mcid * (1 - 1e-12)
    reached = first_column(inside & (ranked >= least[:, None]))
    flags = base_flags(courses)
    last = (column >= 0) & (column == last_column(~np.isnan(courses.time)))
    return {
        "PDBEST": Column(at_column(change, column), reasons, {**flags, "ATLAST": last}),
        "PDTBEST": Column(at_column(courses.time, column), reasons, {"ATLAST": last}),
        "PDRESP": Column((reached >= 0).astype(float), reasons, flags),
        "PDTRSP": Column(
            at_column(courses.time, reached), [*reasons, (reached < 0, "NOTREACH")], flags
        ),
    }
