"""Daily components of CRS and ICANS (``fa.csv``), consistent with the planted grade.

The grade of each assessment is planned first; its components are then those of ASTCT
2019 (Lee et al., Biol Blood Marrow Transplant 25:625) for that grade, by varying ways.
The first and the last assessment of an event lie at its onset and at its end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.outcomes import RescueMedication, Toxicity
from celldossier.simulation.records import (
    finish_domain,
    format_datetimes,
    format_fixed,
    shift_days,
)
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Grades = NDArray[np.int64]
Components = dict[str, NDArray[np.str_] | list[str]]

MORNING = 8 / 24  # time of the daily assessment, share of a day
APART = 2 / 24  # an assessment at onset or end stands for the morning's within two hours
RECOVERY_DAYS = 0.5  # the assessment that finds the event over

NAMES = {
    "TEMP": "Body Temperature",
    "HYPOTENS": "Hypotension",
    "VASOPRES": "Vasopressors Other Than Vasopressin",
    "VASOPSIN": "Vasopressin",
    "OXYGEN": "Oxygen Supply",
    "ICE": "ICE Score",
    "CONSC": "Level of Consciousness",
    "SEIZURE": "Seizure",
    "MOTOR": "Motor Findings",
    "EDEMA": "Cerebral Oedema",
}


@dataclass(frozen=True)
class Assessments:
    """Assessments of one event, one entry each: place of the subject, day, grade."""

    row: NDArray[np.int64]
    day: Array
    grade: Grades

    @property
    def size(self) -> int:
        """Number of assessments."""
        return self.row.size


def plan_assessments(
    rng: np.random.Generator,
    start: NDArray[np.datetime64],
    toxicity: Toxicity,
    last_day: Array,
) -> Assessments:
    """Plan the assessments of an event: at onset, each morning, at the end, and after it.

    The worst grade is reached at one of those from onset to end and falls by one an
    assessment before and after it, never below 1; the assessment after the end has 0.
    """
    rows = np.flatnonzero(toxicity.grade > 0)
    onset, end = toxicity.onset[rows], toxicity.end[rows]
    midnight = start[rows].astype("datetime64[D]").astype("datetime64[m]")
    clock = (start[rows] - midnight) / np.timedelta64(1440, "m")
    first = np.ceil(onset + APART + clock - MORNING)
    latest = np.floor(end - APART + clock - MORNING)
    mornings = np.maximum(latest - first + 1, 0).astype(int)
    positive = mornings + 2
    place = np.repeat(np.arange(rows.size), positive)
    order = np.arange(place.size) - np.repeat(np.cumsum(positive) - positive, positive)
    day = first[place] + order - 1 + MORNING - clock[place]
    day = np.where(order == 0, onset[place], day)
    day = np.where(order == positive[place] - 1, end[place], day)
    peak = np.rint(rng.uniform(0.2, 0.7, rows.size) * (positive - 1))
    grade = np.maximum(toxicity.grade[rows][place] - np.abs(order - peak[place]), 1)
    after = np.flatnonzero(end + RECOVERY_DAYS <= last_day[rows])
    return Assessments(
        row=np.concatenate([rows[place], rows[after]]),
        day=np.concatenate([day, end[after] + RECOVERY_DAYS]),
        grade=np.concatenate([grade, np.zeros(after.size)]).astype(np.int64),
    )


def draw_crs_components(
    rng: np.random.Generator, planned: Assessments, subjects: int, antipyretic_day: Array
) -> Components:
    """Components of CRS that ASTCT 2019 gives the planned grade.

    After tocilizumab or corticosteroids fever may be gone while the event goes on; a
    grade of 1 always has fever, for it has nothing else.
    """
    grade, n = planned.grade, planned.size
    # Hypotension, hypoxia or both carry the grade; the other one is absent.
    way = rng.integers(0, 3, subjects)[planned.row]
    pressure = np.where(way == 1, 0, grade)
    oxygen = np.where(way == 0, 0, grade)
    treated = planned.day >= np.nan_to_num(antipyretic_day, nan=np.inf)[planned.row]
    masked = treated & (grade >= 2) & (rng.uniform(size=n) < 0.5)
    fever = (grade >= 1) & ~masked
    hot = np.minimum(38.0 + 0.7 * rng.exponential(size=n), 41.0)
    temperature = np.where(fever, hot, rng.uniform(36.2, 37.5, n))
    vasopressin = (pressure >= 3) & (rng.uniform(size=n) < 0.3)
    return {
        "TEMP": format_fixed(temperature, 1),
        "HYPOTENS": np.where(pressure >= 2, "Y", "N"),
        "VASOPRES": np.select([pressure >= 4, pressure == 3], ["2", "1"], default="0"),
        "VASOPSIN": np.where(vasopressin, "Y", "N"),
        "OXYGEN": np.select(
            [oxygen >= 4, oxygen == 3, oxygen == 2],
            ["POSITIVE PRESSURE", "HIGH FLOW", "LOW FLOW"],
            default="NONE",
        ),
    }


def draw_icans_components(rng: np.random.Generator, planned: Assessments) -> Components:
    """Components of ICANS that ASTCT 2019 gives the planned grade.

    The ICE score, the level of consciousness or, from grade 3 on, another finding
    carries the grade; the ICE score of the others is better, never worse.
    """
    grade, n = planned.grade, planned.size
    draw = rng.uniform(size=n)
    by_finding = (grade >= 3) & (draw < 0.2)
    by_awareness = (grade >= 2) & ~by_finding & (draw < 0.4)
    by_score = (grade >= 1) & ~by_finding & ~by_awareness
    score_grade = np.where(by_score, grade, np.minimum(np.maximum(grade - 1, 0), 2))
    lowest = np.array([10, 7, 3, 0, 0])[score_grade]
    spread = np.array([1, 3, 4, 3, 1])[score_grade]
    ice = lowest + np.floor(spread * rng.uniform(size=n)).astype(int)
    unarousable = (grade == 4) & (by_score | by_awareness)
    ice = np.where(unarousable, 0, ice)
    conscious = np.select(
        [unarousable, by_awareness & (grade == 3), by_awareness],
        ["UNAROUSABLE", "TACTILE", "VOICE"],
        default="AWAKE",
    )
    kind = rng.integers(0, 3, n)
    seizure = np.select(
        [by_finding & (grade == 3) & (kind < 2), by_finding & (grade == 4) & (kind == 0)],
        ["RESOLVED", "PROLONGED"],
        default="NONE",
    )
    motor = np.where(by_finding & (grade == 4) & (kind == 1), "FOCAL WEAKNESS", "NONE")
    oedema = np.select(
        [by_finding & (grade == 3) & (kind == 2), by_finding & (grade == 4) & (kind == 2)],
        ["FOCAL", "DIFFUSE"],
        default="NONE",
    )
    return {
        "ICE": format_fixed(ice, 0),
        "CONSC": conscious,
        "SEIZURE": seizure,
        "MOTOR": motor,
        "EDEMA": oedema,
    }


def write_components(
    spec: StudySpecification,
    infused: pd.DataFrame,
    crs: Toxicity,
    icans: Toxicity,
    rescue: RescueMedication,
    baseline_day: Array,
    last_day: Array,
) -> pd.DataFrame:
    """Lay out ``fa.csv``: all components once before infusion, then during the events.

    Parameters
    ----------
    baseline_day
        Actual day of the visit before infusion.
    """
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    users = infused["USUBJID"].to_numpy()
    n = users.size
    before = Assessments(np.arange(n), baseline_day, np.zeros(n, dtype=np.int64))
    rng = open_stream(spec.seed, "crs_components")
    antipyretic = np.fmin(rescue.tocilizumab_day, rescue.steroid_day)
    planned = plan_assessments(rng, start, crs, last_day)
    blocks: list[tuple[str, Assessments, Components]] = [
        ("CRS", before, draw_crs_components(rng, before, n, np.full(n, np.nan))),
        ("CRS", planned, draw_crs_components(rng, planned, n, antipyretic)),
    ]
    rng = open_stream(spec.seed, "icans_components")
    planned = plan_assessments(rng, start, icans, last_day)
    blocks += [
        ("ICANS", before, draw_icans_components(rng, before)),
        ("ICANS", planned, draw_icans_components(rng, planned)),
    ]
    frames = []
    for event, assessed, components in blocks:
        moment = format_datetimes(shift_days(start[assessed.row], assessed.day))
        for code, results in components.items():
            frames.append(
                pd.DataFrame(
                    {
                        "USUBJID": users[assessed.row],
                        "FAOBJ": event,
                        "FATESTCD": code,
                        "FATEST": NAMES[code],
                        "FAORRES": results,
                        "FAORRESU": "C" if code == "TEMP" else "",
                        "FADTC": moment,
                    }
                )
            )
    frame = pd.concat(frames, ignore_index=True)
    return finish_domain(frame, spec.study, "fa", ["FAOBJ", "FADTC", "FATESTCD"])
