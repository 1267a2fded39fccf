"""Planned assessments of the disease: the schedule of a group, and what of it was missed."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.time_to_event import TimeToEventSettings


def count_missed(
    planned: pd.DataFrame, last: pd.Series, event: pd.Series, window: float
) -> pd.Series:
    """Planned assessments between the last one and the event that have no record.

    Parameters
    ----------
    planned
        ``USUBJID``, ``DAY`` of each planned assessment.
    last, event
        By subject: day of the last adequate assessment before the event, and its day.
    window
        An assessment within that many days of a planned day belongs to it.
    """
    low = planned["USUBJID"].map(last).astype("float64") + window
    high = planned["USUBJID"].map(event).astype("float64") - window
    inside = (planned["DAY"] > low) & (planned["DAY"] < high)
    return inside.groupby(planned["USUBJID"]).sum().astype("float64")


def plan_assessments(
    adrs: pd.DataFrame, groups: pd.DataFrame, tte: TimeToEventSettings
) -> pd.DataFrame:
    """Planned assessments of each subject: of the config, else the nominal days of its group.

    Subjects of one study, cohort and indication share a schedule; see `merge_schedules`.

    Parameters
    ----------
    groups
        By subject: ``STUDYID``, ``COHORT``, ``INDIC``.
    """
    names = list(groups.columns)
    subjects = groups.astype(object).rename_axis("USUBJID").reset_index()
    if tte.assessment_days:
        return subjects.merge(pd.DataFrame({"DAY": tte.assessment_days}), how="cross")
    overall = adrs[(adrs["PARAMCD"] == "OVR") & (adrs["NFRLT"] > 0)]
    planned = overall[["USUBJID", "NFRLT"]].drop_duplicates().merge(subjects, on="USUBJID")
    days = [
        (*group, day)
        for group, rows in planned.groupby(names, sort=True)
        for day in merge_schedules(rows, tte.assessment_window)
    ]
    return subjects.merge(pd.DataFrame(days, columns=[*names, "DAY"], dtype=object), on=names)[
        ["USUBJID", *names, "DAY"]
    ].astype({"DAY": "float64"})


def merge_schedules(planned: pd.DataFrame, window: float) -> list[float]:
    """Planned days of one group, those of an amended schedule counted once.

    Days within the window of one another are one visit of two schedules (day 84, after an
    amendment day 90), unless one subject has both; the day that most subjects have stands for it.

    Parameters
    ----------
    planned
        ``USUBJID`` and ``NFRLT``, once each.
    window
        Largest distance of an assessment from its planned day, d.
    """
    visits: list[dict[float, set[str]]] = []
    have: set[str] = set()
    for name, subjects in planned.groupby("NFRLT")["USUBJID"]:
        day, own = float(str(name)), {str(subject) for subject in subjects}
        if visits and day - min(visits[-1]) <= window and not own & have:
            visits[-1][day] = own
            have = have | own
        else:
            visits.append({day: own})
            have = own
    return [max(days, key=lambda day: (len(days[day]), -day)) for days in visits]
