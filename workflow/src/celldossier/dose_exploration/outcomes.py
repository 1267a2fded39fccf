"""Outcomes of a subject that several parts of the stage look at: response, CRS, ICANS, exposure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.dose_exploration.study import KEY, Sources

EVENT_OUTCOMES = {
    "CRSGE1": ("CRS", 1), "CRSGE2": ("CRS", 2), "CRSGE3": ("CRS", 3),
    "ICANSGE1": ("ICANS", 1), "ICANSGE2": ("ICANS", 2), "ICANSGE3": ("ICANS", 3),
}  # fmt: skip
"""Outcome to its event and lowest grade; names as in terms/endpoints.yaml."""
RESPONSE = "OBJRESP"


def derive_outcome(
    sources: Sources, subjects: pd.DataFrame, outcome: str, window: float
) -> pd.Series:
    """Whether each subject has the outcome: 1, 0, or NaN where it is not known.

    Parameters
    ----------
    subjects
        STUDYID, USUBJID and FUDUR (days observed) of the subjects.
    outcome
        OBJRESP, or a name of `EVENT_OUTCOMES`.
    window
        Days that a subject without the event was observed at least.

    Notes
    -----
    Of a study without a record of adverse events nothing is known. An event without a
    grade may be of any: whether the lowest grade is reached is then open.
    """
    if outcome == RESPONSE:
        rows = sources.adrs.loc[sources.adrs["PARAMCD"] == "ORR"]
        answers = rows.drop_duplicates(KEY).set_index(KEY)["AVALC"].map({"Y": 1.0, "N": 0.0})
        return _at(subjects, answers)
    event, least = EVENT_OUTCOMES[outcome]
    episodes = sources.adaesi.loc[sources.adaesi["AESI"] == event]
    grades = episodes.groupby(KEY)["ATOXGRN"]
    worst = _at(subjects, grades.max())
    number = _at(subjects, grades.size().astype(float)).fillna(0.0)
    ungraded = number > _at(subjects, grades.count().astype(float)).fillna(0.0)
    collected = set(sources.adae.loc[sources.adae["SRCDOM"] == "AE", "STUDYID"])
    known = subjects["STUDYID"].isin(collected | set(episodes["STUDYID"]))
    reached = (worst >= least) | ((least == 1) & (number > 0))
    # Without the event, a subject counts who was looked at long enough.
    without = ~ungraded & (subjects["FUDUR"] >= window)
    return pd.Series(
        np.select([known & reached, known & without], [1.0, 0.0], np.nan), index=subjects.index
    )


def derive_exposure(
    sources: Sources, subjects: pd.DataFrame, analyte: str, parameter: str
) -> pd.Series:
    """A kinetic parameter of the course of each subject, in its own unit."""
    rows = sources.adpp
    rows = rows.loc[
        (rows["PARCAT1"] == analyte)
        & (rows["PARAMCD"] == parameter)
        & (rows["PROFTYP"] == "COURSE")
    ]
    return _at(subjects, rows.drop_duplicates(KEY).set_index(KEY)["AVAL"])


def exposure_unit(sources: Sources, analyte: str, parameter: str) -> str:
    """Unit of a kinetic parameter of the course; blank where there are several."""
    rows = sources.adpp
    rows = rows.loc[
        (rows["PARCAT1"] == analyte)
        & (rows["PARAMCD"] == parameter)
        & (rows["PROFTYP"] == "COURSE")
        & rows["AVAL"].notna()
    ]
    units = sorted(set(rows["AVALU"]))
    return units[0] if len(units) == 1 else ""


def _at(subjects: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Values by study and subject, in the rows of `subjects`."""
    key = pd.MultiIndex.from_frame(subjects[KEY])
    return pd.Series(values.reindex(key).to_numpy(dtype=float), index=subjects.index)
