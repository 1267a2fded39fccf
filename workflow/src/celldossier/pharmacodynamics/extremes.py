"""Peak and nadir of markers, their time, and their ratio to and change from the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from celldossier.pharmacodynamics.courses import Courses
from celldossier.pharmacodynamics.marker_columns import Bools, Column, Floats
from celldossier.stats.response_times import at_column, first_column, last_column

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Extreme:
    """Highest or lowest sample of each series in its window; column -1 where there is none."""

    column: Ints
    value: Floats
    time: Floats
    limit: Floats
    below: Bools
    above: Bools
    last: Bools
    high: Bools
    """Above the upper limit of normal of the sample."""


def find_extreme(courses: Courses, sign: float) -> Extreme:
    """First highest (`sign` 1) or lowest (-1) sample in the window."""
    inside = courses.inside & ~np.isnan(courses.time)
    ranked = np.where(inside, courses.value * sign, -np.inf)
    best = ranked.max(axis=1, initial=-np.inf)
    column = first_column(inside & (ranked == best[:, None]))
    value = at_column(courses.value, column)
    return Extreme(
        column=column,
        value=value,
        time=at_column(courses.time, column),
        limit=at_column(courses.limit, column),
        below=at_column(courses.below.astype(float), column) == 1,
        above=at_column(courses.above.astype(float), column) == 1,
        last=(column >= 0) & (column == last_column(~np.isnan(courses.time))),
        high=value > at_column(courses.normal, column),
    )


def describe_extreme(courses: Courses, extreme: Extreme) -> tuple[Column, Column]:
    """Value and time of a peak or nadir."""
    nothing = [(extreme.column < 0, "NOPDPOST")]
    flags = {
        "ATLEAST": extreme.above,
        "VALBLQ": extreme.below,
        "ATLAST": extreme.last,
        "OVERULN": extreme.high,
    }
    return Column(extreme.value, nothing, flags), Column(
        extreme.time, nothing, {"ATLAST": extreme.last}
    )


def compare_ratio(courses: Courses, extreme: Extreme) -> Column:
    """Extreme over baseline; a value beyond a limit of quantitation gives a bound, flagged.

    With the baseline below its limit L the ratio is at least value/L, with the value below its
    limit at most L/baseline; with both it is not known.
    """
    at_least = courses.base_below | extreme.above
    at_most = courses.base_above | extreme.below
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = extreme.limit / courses.base_limit
    reasons = [
        *missing_reasons(courses, extreme),
        (at_least & at_most, "PDBOUND"),
        (~(courses.base_limit > 0), "PDBASZER"),
    ]
    return Column(ratio, reasons, {**_bounds(at_least, at_most), **base_flags(courses)})


def compare_percent(courses: Courses, extreme: Extreme) -> Column:
    """Change of the extreme in percent of the baseline, with the bounds of `compare_ratio`."""
    ratio = compare_ratio(courses, extreme)
    return Column(100 * (ratio.value - 1), ratio.reasons, ratio.flags)


def compare_change(courses: Courses, extreme: Extreme) -> Column:
    """Extreme less baseline; results below the limit at their share of it, flagged."""
    flags = {
        "ATLEAST": extreme.above & ~courses.base_above,
        "ATMOST": courses.base_above & ~extreme.above,
        "BLQFRAC": extreme.below | courses.base_below,
        **base_flags(courses),
    }
    reasons = [
        *missing_reasons(courses, extreme),
        (extreme.above & courses.base_above, "PDBOUND"),
    ]
    return Column(extreme.value - courses.base, reasons, flags)


def missing_reasons(courses: Courses, extreme: Extreme) -> list[tuple[Bools, str]]:
    """Without a sample after the infusion or a baseline nothing can be compared."""
    return [(extreme.column < 0, "NOPDPOST"), (np.isnan(courses.base), "NOPDBASE")]


def base_flags(courses: Courses) -> dict[str, Bools]:
    """What is to be known of the baseline."""
    return {"BASBLQ": courses.base_below, "BASMOVED": courses.base_moved}


def _bounds(at_least: Bools, at_most: Bools) -> dict[str, Bools]:
    return {"ATLEAST": at_least & ~at_most, "ATMOST": at_most & ~at_least}
