"""Visits of a simulated study: nominal days, their names, and the actual times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MINUTES_PER_DAY = 1440
SCREENING_DAY = -7.0

# VISITNUM and VISIT of each nominal day; two samples of one day share the visit.
VISITS: dict[float, tuple[int, str]] = {
    SCREENING_DAY: (1, "SCREENING"),
    0.0: (2, "DAY 0"),
    0.04: (2, "DAY 0"),
    1.0: (3, "DAY 1"),
    3.0: (4, "DAY 3"),
    5.0: (5, "DAY 5"),
    7.0: (6, "DAY 7"),
    9.0: (7, "DAY 9"),
    11.0: (8, "DAY 11"),
    14.0: (9, "DAY 14"),
    21.0: (10, "DAY 21"),
    28.0: (11, "DAY 28"),
    60.0: (12, "DAY 60"),
    90.0: (13, "MONTH 3"),
    180.0: (14, "MONTH 6"),
    270.0: (15, "MONTH 9"),
    360.0: (16, "MONTH 12"),
    540.0: (17, "MONTH 18"),
    720.0: (18, "MONTH 24"),
    900.0: (19, "MONTH 30"),
}

UNSCHEDULED_VISIT = ("99", "UNSCHEDULED")

TIME_POINTS: dict[float, str] = {0.0: "PRE-DOSE", 0.04: "1 H POST-DOSE"}


def time_point_name(day: float) -> str:
    """Name the planned time point of a nominal day (PCTPT)."""
    return TIME_POINTS.get(day, f"DAY {day:g}")


def _day_shift(day: float) -> tuple[float, int, int]:
    """SD, smallest and largest shift of a visit, whole days."""
    if day < 0:
        return 0.7, -2, 1
    if day < 15:
        return 0.0, 0, 0
    if day < 30:
        return 0.5, -1, 1
    return 2.0, -5, 5


def draw_actual_times(
    rng: np.random.Generator, days: tuple[float, ...], subjects: int
) -> NDArray[np.float64]:
    """Draw the actual times of the visits, days since infusion, whole minutes.

    The pre-dose visit (day 0) lies half an hour to four hours before the infusion;
    later visits lie within three hours of its time of day, from day 21 on also some
    whole days earlier or later.

    Returns
    -------
    ndarray of shape (subjects, len(days))
    """
    times = np.empty((subjects, len(days)))
    for column, day in enumerate(days):
        shift, draw = rng.standard_normal((2, subjects))
        if day == 0:
            times[:, column] = -np.clip(0.08 + 0.03 * draw, 0.02, 0.17)
        elif 0 < day < 0.5:
            times[:, column] = day + np.clip(0.003 * draw, -0.008, 0.008)
        else:
            sd, earliest, latest = _day_shift(day)
            whole_days = np.clip(np.rint(sd * shift), earliest, latest)
            times[:, column] = day + whole_days + np.clip(0.06 * draw, -0.125, 0.125)
    rounded: NDArray[np.float64] = np.rint(times * MINUTES_PER_DAY) / MINUTES_PER_DAY
    return rounded
