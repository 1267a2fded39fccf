"""Samples whose hour is not known: the day is that of the date, the hour that of the plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.study_data.subjects import Subjects

ROUNDING = 1e-9


def place_in_day(
    subject: pd.Series, day: pd.Series, nominal: pd.Series, subjects: Subjects
) -> pd.Series:
    """Days from the first infusion of samples of which only the calendar day is known.

    The nominal time counts from the dose that it was planned for; it gives the hour of the
    day and, on the day of that dose, whether the sample was taken before or after it.
    Nothing leaves the day of the date.

    Parameters
    ----------
    day
        Calendar day of each sample from that of the first infusion.
    nominal
        Nominal time, days from the first infusion; NaN where not given, the sample then
        counts in whole days.
    """
    dose = _planned_dose(subject, nominal, subjects)
    clock = subjects.of(subject, "zero")
    hour = (clock - clock.dt.floor("D")).dt.total_seconds() / 86_400
    # Hour of the dose on the clock, as a share of its day.
    hour = hour + dose["start"] - dose["day"]
    planned = nominal - dose["planned"]
    since = day - dose["day"]
    placed = planned + since - np.floor(planned + hour + ROUNDING)
    same = since == 0
    early, late = same & (planned <= 0) & (placed > 0), same & (planned > 0) & (placed <= 0)
    placed = placed.mask(early, planned.clip(lower=-hour))
    placed = placed.mask(late, planned.clip(upper=1 - hour))
    known: pd.Series = (placed + dose["start"]).fillna(day)
    return known


def _planned_dose(subject: pd.Series, nominal: pd.Series, subjects: Subjects) -> pd.DataFrame:
    """Dose that each nominal time was planned for: the last one planned up to it.

    Returns
    -------
    DataFrame
        ``start``, ``day``, ``planned`` as in `dose_times.list_doses`; 0 of the first infusion.
    """
    found = pd.DataFrame(0.0, index=subject.index, columns=["start", "day", "planned"])
    if subjects.doses.empty:
        return found
    for _, doses in subjects.doses[subjects.doses["DOSENO"] > 1].groupby("DOSENO", sort=True):
        own = doses.set_index("USUBJID").reindex(subject).set_axis(subject.index)
        later = own["planned"] <= nominal + ROUNDING
        for name in found:
            found[name] = found[name].mask(later, own[name])
    return found
