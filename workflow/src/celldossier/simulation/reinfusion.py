"""Second infusions of the product: retreatment after relapse, and one that was not planned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celldossier.simulation.outcomes import DiseaseCourse
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import draw_quota_within, open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

UNPLANNED_DAYS = (40, 56)  # after day 28 was assessed: the first infusion had no effect
RETREATMENT_DAYS = (35, 61)  # from relapse to the second infusion
FOLLOW_UP_DAYS = 30.0  # known to be alive so long after the second infusion


@dataclass(frozen=True)
class Reinfusion:
    """Second infusions.

    Attributes
    ----------
    day
        Day after the first infusion; NaN where there is no second one.
    planned
        Whether it is a retreatment after the protocol.
    dose_factor
        Actual dose over that of the first infusion.
    """

    day: Array
    planned: Flags
    dose_factor: Array


def draw_reinfusions(
    spec: StudySpecification,
    infusion: NDArray[np.datetime64],
    course: DiseaseCourse,
    last_day: Array,
) -> Reinfusion:
    """Choose who is infused again, of those who can be; the time of day is that of day 0."""
    rng = open_stream(spec.seed, "reinfusion")
    n = infusion.size
    after_relapse = np.rint(course.progression_day) + rng.integers(*RETREATMENT_DAYS, n)
    early = rng.integers(*UNPLANNED_DAYS, n).astype(float)
    relapsed = course.responder & (after_relapse + FOLLOW_UP_DAYS < last_day)
    again = draw_quota_within(rng, relapsed, spec.dosing.retreatments)
    until = np.fmin(course.progression_day, last_day)
    without = course.assessable & ~course.responder & (early + FOLLOW_UP_DAYS < until)
    unplanned = draw_quota_within(rng, without, spec.dosing.unplanned_reinfusions)
    day = np.where(again, after_relapse, np.where(unplanned, early, np.nan))
    return Reinfusion(day, again, np.clip(1 + 0.05 * rng.standard_normal(n), 0.9, 1.1))
