"""Subjects whose cells stop to be quantifiable, in each way that the analysis tells apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from celldossier.datasets import conform

VISITS = (7.0, 14.0, 28.0, 60.0, 90.0, 180.0, 360.0)


@dataclass(frozen=True)
class Course:
    """One subject: quantifiable until, below from, last sample; then what happened.

    `held` is the last quantifiable day, `lost` the first of two results below the limit,
    `last` the last sample. `ended` and `day` are the death or stop, `alive` the last day known
    to be alive.
    """

    held: float = math.nan
    lost: float = math.nan
    last: float = 360.0
    relapse: float = math.nan
    ended: str = ""
    day: float = math.nan
    alive: float = 400.0
    dose: str = "DL1"


COURSES: dict[str, Course] = {
    "LOST": Course(28, 60),
    # Quantifiable after the relapse.
    "RELAPSED-EARLIER": Course(90, 180, relapse=40),
    # The loss or the relapse may have come first.
    "EITHER": Course(28, 60, relapse=45),
    "DIED": Course(60, last=60, ended="DEATH", day=70, alive=70),
    # Two planned days without a sample before the death.
    "DIED-LATE": Course(28, last=28, ended="DEATH", day=300, alive=300),
    "RELAPSED-AND-STOPPED": Course(28, last=28, relapse=30),
    "NEVER": Course(),
    "TREATED": Course(90, last=90, ended="NEWTHERAPY", day=100),
    "ONGOING": Course(360),
    # A single result below the limit is no loss.
    "SINGLE": Course(60, last=90),
    "LOST-AND-DIED": Course(28, 60, last=90, ended="DEATH", day=200, alive=200),
}
REASONS = {"DEATH": "CNSDEATH", "NEWTHERAPY": "CNSNEWTH", "": "ONGOING"}


def make_persistence_samples(courses: dict[str, Course] | None = None) -> pd.DataFrame:
    """ADPC: one result a visit up to the last sample, below the limit after `held`."""
    rows: list[dict[str, object]] = []
    for subject, course in (COURSES if courses is None else courses).items():
        for day in (visit for visit in VISITS if visit <= course.last):
            below = not day <= course.held
            rows.append(
                {
                    "STUDYID": "T",
                    "USUBJID": subject,
                    "PARAMCD": "PCR",
                    "PARAM": "PCR",
                    "PCSPEC": "BLOOD",
                    "AVAL": math.nan if below else 1e4 / day,
                    "AVALU": "copies/ug",
                    "BLQFL": "Y" if below else "N",
                    "ALQFL": "N",
                    "ALLOQ": 10.0,
                    "AFRLT": day,
                    "NFRLT": day,
                    "ANL01FL": "Y",
                    "SRCDOM": "PC",
                    "SRCFILE": "pc.csv",
                    "SRCROW": len(rows) + 1,
                }
            )
    return conform(pd.DataFrame(rows), "ADPC")


def make_persistence_times(
    samples: pd.DataFrame, courses: dict[str, Course] | None = None, first_day: float = 0
) -> pd.DataFrame:
    """ADTTE: PERSIST as rule R20 has it, PFS for the relapse, OS for death and follow-up."""
    rows: list[dict[str, object]] = []
    for subject, course in (COURSES if courses is None else courses).items():
        known = not math.isnan(course.held)
        lost = not math.isnan(course.lost)
        at = course.lost if lost else course.held
        own = samples[(samples["USUBJID"] == subject) & (samples["AFRLT"] == at)]
        died = course.ended == "DEATH"
        rows.append(
            {
                "USUBJID": subject,
                "PARAMCD": "PERSIST",
                "AVAL": at + first_day,
                "AVALLO": course.held + first_day,
                "AVALHI": course.lost + first_day,
                "CNSR": math.nan if not known else 0 if lost else 1,
                "EVENTCD": "" if not known else "LOSS" if lost else course.ended,
                "EVENTDY": (at if lost else course.day) + first_day,
                "CNSRSN": "" if lost or not known else REASONS[course.ended],
                "REASND": "" if known else "BLQALL",
                "SRCFILE": "pc.csv",
                "SRCROW": int(own["SRCROW"].iloc[0]) if known else 0,
            }
        )
        if not math.isnan(course.relapse):
            event = {"EVENTCD": "RELAPSE", "EVENTDY": course.relapse + first_day}
            rows.append({"USUBJID": subject, "PARAMCD": "PFS", "AVAL": 1, "CNSR": 0, **event})
        if course.ended == "NEWTHERAPY":
            event = {"EVENTCD": "NEWTHERAPY", "EVENTDY": course.day + first_day}
            rows.append({"USUBJID": subject, "PARAMCD": "TTNT", "AVAL": 1, "CNSR": 0, **event})
        alive = course.alive + first_day
        rows.append({"USUBJID": subject, "PARAMCD": "OS", "AVAL": alive, "CNSR": 0 if died else 1})
    frame = pd.DataFrame(rows).assign(STUDYID="T", SRCDOM="PC", PARAM="x")
    frame["SRCROW"] = frame["SRCROW"].fillna(1)
    texts = ["EVENTCD", "CNSRSN", "REASND", "SRCFILE"]
    return conform(frame.fillna(dict.fromkeys(texts, "")), "ADTTE")


def make_levels(courses: dict[str, Course] | None = None) -> pd.DataFrame:
    """Levels of the grouping variables of each subject."""
    own = COURSES if courses is None else courses
    frame = pd.DataFrame({"dose": [course.dose for course in own.values()]}, index=pd.Index(own))
    return frame.assign(indication="NHL", response="RESPONDER")


def repeat_courses(times: int) -> dict[str, Course]:
    """The courses above so many times, under names of their own."""
    return {
        f"{name}-{number}": course for number in range(times) for name, course in COURSES.items()
    }
