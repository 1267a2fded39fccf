"""Observed cohorts held against the rules of dose escalation, step by step.

After each cohort the rule of a design is read off its decision table, with the evaluable subjects
and the dose-limiting toxicities (DLTs) of that dose so far, and compared with the dose of the next
cohort. The replay follows the doses that were given, whatever the rule would have chosen before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.stats.escalation_designs import LETTERS, DecisionTable
from celldossier.stats.escalation_rules import (
    DE_ESCALATE,
    ELIMINATE,
    ESCALATE,
    UNDEFINED,
)
from celldossier.stats.escalation_simulation import MOST_OF_3PLUS3

STOP = -1
"""Expected level where the rule ends the escalation."""

ABOVE = ("SKIPPED", "ESCALATED", "STAYEDUP", "WENTON")
"""Outcomes in which more was given than the rule allows."""

BELOW = ("STAYED", "WENTDOWN")
"""Outcomes in which less was given than the rule calls for."""


@dataclass(frozen=True)
class Limits:
    """Where the escalation ends: levels, evaluable subjects of a dose, and of all doses."""

    levels: int
    at_dose: int
    total: int | None = None


def divide_cohorts(subjects: pd.DataFrame, size: int) -> pd.DataFrame:
    """Number the cohorts in the order in which they began.

    Parameters
    ----------
    subjects
        In the order of their infusions: COHORT, LEVEL (index), START, EVALUABLE. A blank COHORT:
        neighbours at one level are a cohort.
    size
        Evaluable subjects of a cohort; a recorded one with twice as many or more is divided.

    Returns
    -------
    pandas.DataFrame
        The subjects with STEP (1, 2, ...) and NAME: the recorded name, with the number of its
        part where it was divided; blank where none was recorded.
    """
    blank = subjects["COHORT"] == ""
    runs = (subjects["LEVEL"] != subjects["LEVEL"].shift()).cumsum()
    # A recorded cohort at two levels is two cohorts.
    named = subjects["COHORT"] + "\n" + subjects["LEVEL"].astype(str)
    group = named.mask(blank, "\n" + runs.astype(str))
    evaluable = subjects["EVALUABLE"].astype(int)
    total = evaluable.groupby(group).transform("sum")
    # A subject who is not evaluable belongs to the part that is being filled.
    before = evaluable.groupby(group).cumsum() - evaluable
    last = np.maximum(total // size, 1) - 1
    part = np.minimum(before // size, last)
    frame = subjects.assign(GROUP=group, PARTNO=part)
    began = frame.groupby(["GROUP", "PARTNO"], sort=False)["START"].transform("min")
    frame = frame.assign(BEGAN=began).sort_values(
        ["BEGAN", "GROUP", "PARTNO", "START"], kind="stable"
    )
    changed = frame[["GROUP", "PARTNO"]] != frame[["GROUP", "PARTNO"]].shift()
    frame["STEP"] = changed.any(axis=1).cumsum()
    parts = frame.groupby("GROUP")["PARTNO"].transform("max") + 1
    numbered = frame["COHORT"] + " (" + (frame["PARTNO"] + 1).astype(str) + ")"
    frame["NAME"] = frame["COHORT"].where((parts == 1) | (frame["COHORT"] == ""), numbered)
    return frame.drop(columns=["GROUP", "PARTNO", "BEGAN"])


def summarise_cohorts(subjects: pd.DataFrame, window: float) -> pd.DataFrame:
    """Counts after each cohort, and the level of the next one.

    Parameters
    ----------
    subjects
        As `divide_cohorts` gives them, with DLT, DLTDY and LSTDY (days).
    window
        Days of observation for DLT.

    Returns
    -------
    pandas.DataFrame
        One row a cohort: STEP, NAME, LEVEL; INFUSED, EVALUABLE and DLTS in it; N and Y,
        evaluable subjects and their DLTs of the level so far; NALL and YALL, the same of all
        infused; TOTAL and TOTALALL, evaluable and infused subjects of all levels so far; NEXT
        (level index, NaN for the last); PENDING, subjects whose observation was open when the
        next cohort began.
    """
    rows = []
    steps = [part for _, part in subjects.groupby("STEP", sort=True)]
    for number, part in enumerate(steps):
        level = int(part["LEVEL"].iloc[0])
        so_far = pd.concat(steps[: number + 1])
        here = so_far[so_far["LEVEL"] == level]
        counted = here[here["EVALUABLE"]]
        following = steps[number + 1] if number + 1 < len(steps) else None
        rows.append(
            {
                "STEP": number + 1,
                "NAME": part["NAME"].iloc[0],
                "LEVEL": level,
                "INFUSED": len(part),
                "EVALUABLE": int(part["EVALUABLE"].sum()),
                "DLTS": int((part["DLT"] & part["EVALUABLE"]).sum()),
                "N": len(counted),
                "Y": int(counted["DLT"].sum()),
                "NALL": len(here),
                "YALL": int(here["DLT"].sum()),
                "TOTAL": int(so_far["EVALUABLE"].sum()),
                "TOTALALL": len(so_far),
                "NEXT": np.nan if following is None else float(following["LEVEL"].iloc[0]),
                "PENDING": 0 if following is None else _count_pending(so_far, following, window),
            }
        )
    return pd.DataFrame(rows)


def replay_design(
    cohorts: pd.DataFrame, table: DecisionTable, limits: Limits, *, everyone: bool = False
) -> pd.DataFrame:
    """What the rule of a design calls for after each cohort, and whether it was followed.

    Parameters
    ----------
    cohorts
        As `summarise_cohorts` gives them.
    everyone
        Count all infused subjects in place of the evaluable ones.

    Returns
    -------
    pandas.DataFrame
        One row a cohort: STEP, DECISION (E, S, D, DU or blank), EXPECTED (level index, -1 to
        stop, NaN without a rule), OUTCOME (code, see `judge_step`).
    """
    eliminated = limits.levels
    filled: dict[int, int] = {}
    rows = []
    for row in cohorts.to_dict("records"):
        n, y = (row["NALL"], row["YALL"]) if everyone else (row["N"], row["Y"])
        level = int(row["LEVEL"])
        filled[level] = n
        code = int(table.decide(n, y))
        if code == ELIMINATE:
            eliminated = min(eliminated, level)
        stops = bool(level == 0 and code != UNDEFINED and table.stops_lowest[n, y])
        total = int(row["TOTALALL"] if everyone else row["TOTAL"])
        expected = _expect(table, code, level, eliminated, filled, limits, total)
        if stops:
            expected = STOP
        outcome = judge_step(level, expected, row["NEXT"])
        rows.append(
            {
                "STEP": row["STEP"],
                "DECISION": LETTERS[code],
                "EXPECTED": np.nan if expected is None else float(expected),
                "OUTCOME": outcome,
            }
        )
    return pd.DataFrame(rows)


def judge_step(level: int, expected: int | None, following: float) -> str:
    """Compare the dose of the next cohort with the one that the rule calls for.

    Returns
    -------
    str
        ``AGREE``; where more was given than the rule allows, ``SKIPPED`` (a level was left out),
        ``ESCALATED``, ``STAYEDUP`` (stayed where the rule goes down) or ``WENTON`` (a further
        cohort where the rule stops); where less was given, ``STAYED`` (where the rule escalates)
        or ``WENTDOWN``; ``ENDED`` (no further cohort where the rule goes on); ``NORULE``.
    """
    if expected is None:
        return "NORULE"
    if np.isnan(following):
        return "AGREE" if expected == STOP else "ENDED"
    if expected == STOP:
        return "WENTON"
    if following == expected:
        return "AGREE"
    if following > expected:
        if following > level + 1:
            return "SKIPPED"
        return "ESCALATED" if following > level else "STAYEDUP"
    return "STAYED" if following == level else "WENTDOWN"


def _expect(
    table: DecisionTable,
    code: int,
    level: int,
    eliminated: int,
    filled: dict[int, int],
    limits: Limits,
    total: int,
) -> int | None:
    """Level that the rule calls for; STOP where it ends, none without a rule."""
    if code == UNDEFINED:
        return None
    step = {ESCALATE: 1, DE_ESCALATE: -1, ELIMINATE: -1}.get(code, 0)
    highest = min(limits.levels, eliminated) - 1
    if highest < 0:
        return STOP
    # Where it cannot go up or down the rule stays.
    expected = min(max(level + step, 0), highest)
    most = MOST_OF_3PLUS3 if table.design.startswith("3+3") else limits.at_dose
    if filled.get(expected, 0) >= most or (limits.total is not None and total >= limits.total):
        return STOP
    return expected


def _count_pending(so_far: pd.DataFrame, following: pd.DataFrame, window: float) -> int:
    """Subjects observed without a DLT whose window was open when the next cohort began."""
    begin = following["START"].min()
    days = (begin.normalize() - so_far["START"].dt.normalize()).dt.days
    known = so_far["DLT"] & (so_far["DLTDY"] <= days)
    left = so_far["LSTDY"] < days
    return int(((days < window) & ~known & ~left).sum())
