"""Kinds of infusions: first, split, repeat, retreatment, unplanned; courses and cycles.

The kind of an infusion of the cell product is the first of these that holds:

1. FIRST: the subject's first infusion.
2. RETREATMENT: EX.EPOCH says so; where EPOCH is blank, the infusion before lies more than
   `retreatment_after` days back. It begins a new course.
3. UNPLANNED: EX.EXPLFL = N.
4. SPLIT: at most `split_window` days after the first fraction of its dose.
5. REPEAT: planned, since EXPLFL = Y, EXTPTNUM is given, or a day of `planned_days` is within
   `planned_day_tolerance`; where the study gives none of these, a planned dose (EXPDOSE) tells.
6. UNPLANNED.

Retreatments and unplanned infusions end the kinetics of the course before (nca_rules R15);
split and repeat doses do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from celldossier.settings.dosing import DosingSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import SECONDS_PER_DAY

COLUMNS = ["DOSENO", "DOSETYPE", "COURSE", "CYCLE", "PDOSENO", "FRACNO"]
"""See `classify_infusions`."""

ROUNDING = 1e-9


def classify_infusions(
    ex: Domain, infusions: pd.Series, planned_day: pd.Series, settings: DosingSettings
) -> pd.DataFrame:
    """Kind and place of each infusion of the cell product.

    Parameters
    ----------
    infusions
        Which records are infusions of the cell product that are used.
    planned_day
        Planned day of each record from the first infusion (EXTPTNUM); NaN where not given.

    Returns
    -------
    DataFrame
        Aligned with the records, blank or NaN for others than infusions with a known start:
        ``DOSENO`` number of the infusion, ``DOSETYPE``, ``COURSE`` and, within it, ``CYCLE``
        and ``PDOSENO`` (planned dose, which its fractions share), ``FRACNO`` (fraction of
        that dose); the last two are NaN for an unplanned infusion.
    """
    start = ex.dates["EXSTDTC"].time
    rows = infusions & start.notna()
    result = pd.DataFrame(np.nan, index=ex.frame.index, columns=COLUMNS, dtype="float64")
    result["DOSETYPE"] = pd.Series("", index=ex.frame.index, dtype=object)
    result["DOSENO"] = start.where(rows).groupby(ex.subject).rank(method="first")
    first = start.where(rows).groupby(ex.subject).transform("min")
    day = (start - first).dt.total_seconds() / SECONDS_PER_DAY
    table = pd.DataFrame(
        {
            "subject": ex.subject,
            "number": result["DOSENO"],
            "day": day,
            "planned": _is_planned(ex, rows, day, planned_day, settings),
            "planned_day": planned_day,
            "epoch": ex.frame["EPOCH"],
            "flag": ex.frame["EXPLFL"],
        }
    )[rows].sort_values(["subject", "number"], kind="stable")
    state = _State()
    places = []
    for row in table.itertuples():
        if row.number == 1:
            state = _State()
        places.append(_place(state, row, settings))
    if places:
        placed = pd.DataFrame(places, index=table.index, columns=COLUMNS[1:])
        result.loc[table.index, COLUMNS[1:]] = placed
    return result


def _is_planned(
    ex: Domain,
    rows: pd.Series,
    day: pd.Series,
    planned_day: pd.Series,
    settings: DosingSettings,
) -> pd.Series:
    """Whether an infusion stands in the plan, by what the study tells of its plan."""
    named = (ex.frame["EXPLFL"] == "Y") | planned_day.notna()
    if settings.planned_days:
        distance = np.abs(day.to_numpy()[:, None] - np.array(settings.planned_days)[None, :])
        near = distance.min(axis=1) <= settings.planned_day_tolerance + ROUNDING
        return named | pd.Series(near, index=day.index)
    if (named & rows).any() or (ex.frame["EXPLFL"] == "N")[rows].any():
        return named
    return ex.numbers["EXPDOSE"].notna()


@dataclass
class _State:
    """Where a subject stands after an infusion; days are NaN before the first dose of a course."""

    course: int = 1
    cycle: int = 1
    dose: int = 0
    fraction: int = 0
    day: float = math.nan
    dose_began: float = math.nan
    planned_day: float = math.nan
    retreated: bool = False


def _place(state: _State, row: Any, settings: DosingSettings) -> tuple[str, int, int, float, float]:
    """Kind and place of the next infusion of a subject; brings the state up to it.

    A retreatment goes on until EPOCH says otherwise; a further gap begins a further one.
    """
    gap = row.day - state.day
    late = settings.retreatment_after is not None and gap > settings.retreatment_after
    retreated = row.epoch == "RETREATMENT" or (row.epoch == "" and (late or state.retreated))
    window = -1.0 if settings.split_window is None else settings.split_window
    within = row.day - state.dose_began <= window + ROUNDING
    state.day = row.day
    if row.number == 1:
        kind = "FIRST"
    elif retreated:
        kind = "RETREATMENT"
    elif row.flag == "N" or not (within or row.planned):
        return "UNPLANNED", state.course, state.cycle, math.nan, math.nan
    else:
        kind = "SPLIT" if within else "REPEAT"
    if kind == "RETREATMENT" and (late or not state.retreated):
        state.course, state.cycle, state.dose = state.course + 1, 1, 0
        state.planned_day, within = math.nan, False
    state.retreated = kind == "RETREATMENT"
    planned_day = row.day if math.isnan(row.planned_day) else row.planned_day
    if within:
        state.fraction += 1
    else:
        gap_of_cycle = math.inf if settings.cycle_gap is None else settings.cycle_gap
        state.cycle += int(planned_day - state.planned_day > gap_of_cycle)
        state.dose, state.fraction, state.dose_began = state.dose + 1, 1, row.day
    state.planned_day = planned_day
    return kind, state.course, state.cycle, float(state.dose), float(state.fraction)
