"""Completion of partial dates by the rules of `study_data.time.partial_dates`.

The rules agree with those of pharmaverse's admiral (`derive_vars_dt` with
``date_imputation`` first or last; a limit counts only where the partial date can mean its day);
the flags are those of the
ADaM implementation guide: D where the day was completed, M where month and day were. A
blank date is never completed, nor is that of a sample, an assessment or a dose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.classes import find_disease_treatments
from celldossier.study_data.disposition import list_later_dates, list_life_dates
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import Dates
from celldossier.study_data.subjects import Subjects

YEAR_ONLY = 4


def complete_partial_dates(
    domains: Mapping[str, Domain],
    subjects: Subjects,
    settings: StudyDataSettings,
    cutoff: pd.Timestamp,
) -> None:
    """Complete partial dates in the `dates` of the domains.

    The start of a new therapy and of a transplantation is completed to the day after the
    infusion where others are to its day: a treatment of the disease that may follow the
    product counts as one that does.

    Parameters
    ----------
    subjects
        With time zero.
    cutoff
        Day of the data cut-off.
    """
    rules = settings.time.partial_dates
    dm = domains["DM"]
    _leave_later_deaths_open(domains, settings, cutoff)
    if rules.death == "first":
        alive = find_last_alive(domains, settings.efficacy)
        alive = alive.reindex(dm.subject).set_axis(dm.frame.index)
        deaths = dm.dates["DTHDTC"]
        latest = alive.mask(alive > deaths.last_day, deaths.last_day)
        day = deaths.first_day.where(~(latest > deaths.first_day), latest)
        dm.dates["DTHDTC"] = complete(deaths, day)
    deaths = dm.dates["DTHDTC"].time.dt.floor("D")[dm.active]
    died = pd.Series(deaths.to_numpy(), index=dm.subject[dm.active])
    died = died[~died.index.duplicated()]
    kinds = {
        "AE": (rules.event_start, rules.event_end),
        "CM": (rules.medication_start, rules.medication_end),
    }
    for name, (start_rule, end_rule) in kinds.items():
        domain = domains[name]
        start, end = f"{name}STDTC", f"{name}ENDTC"
        if start_rule == "first":
            zero = subjects.of(domain.subject, "zero")
            earliest = zero.dt.floor("D")
            if name == "CM":
                treats = find_disease_treatments(domain.frame["CMDECOD"], settings)
                earliest += pd.to_timedelta(treats.astype(int), "D")
            domain.dates[start] = complete_start(
                domain.dates[start], domain.dates[end].last_day, earliest
            )
        if end_rule == "last":
            death = died.reindex(domain.subject).set_axis(domain.frame.index)
            domain.dates[end] = complete_end(
                domain.dates[end], domain.dates[start].time, death, cutoff
            )
    if "DS" in domains and rules.disposition == "first":
        dates = domains["DS"].dates["DSSTDTC"]
        domains["DS"].dates["DSSTDTC"] = complete(dates, dates.first_day)


def _leave_later_deaths_open(
    domains: Mapping[str, Domain], settings: StudyDataSettings, cutoff: pd.Timestamp
) -> None:
    """Take out partial deaths that lie after the cut-off, as records after it show.

    The death in the month of the cut-off of somebody who was seen after it was not known then.
    """
    dm = domains["DM"]
    deaths = dm.dates["DTHDTC"]
    parts = [shown["USUBJID"] for shown in list_later_dates(domains, settings.efficacy)]
    seen = set(pd.concat(parts)) if parts else set()
    later = dm.active & deaths.partial & (deaths.last_day > cutoff) & dm.subject.isin(seen)
    if later.any():
        words = {"cutoff": cutoff.date().isoformat(), "count": str(int(later.sum()))}
        dm.report_file("OPENATCUTOFF", column=dm.raw_columns["DTHDTC"], **words)
        dm.after_cutoff["DTHDTC"] = later | dm.after_cutoff.get("DTHDTC", False)
        dm.dates["DTHDTC"] = deaths.without(later)
        dm.frame["DTHDTC"] = dm.frame["DTHDTC"].mask(later, "")


def complete(dates: Dates, day: pd.Series) -> Dates:
    """Partial dates with the given day, flagged."""
    rows = dates.partial & day.notna()
    years = dates.text.str.len() == YEAR_ONLY
    flags = pd.Series("D", index=rows.index, dtype=object).mask(years, "M")
    return replace(
        dates,
        time=dates.time.mask(rows, day),
        partial=dates.partial & ~rows,
        text=dates.text.mask(rows, day.dt.strftime("%Y-%m-%d")),
        first_day=dates.first_day.mask(rows, day),
        last_day=dates.last_day.mask(rows, day),
        imputed=dates.imputed.mask(rows, flags),
    )


def complete_start(start: Dates, last_end: pd.Series, zero: pd.Series) -> Dates:
    """The first possible day, or the day of the first infusion where that is possible.

    Parameters
    ----------
    last_end
        Last possible day of the end; NaT where it has no end.
    zero
        First infusion, or the day that stands in for it; NaT where there was none.
    """
    infusion = zero.dt.floor("D")
    possible = (start.first_day <= infusion) & (infusion <= start.last_day)
    over = last_end < infusion
    return complete(start, start.first_day.mask(possible & ~over, infusion))


def complete_end(end: Dates, start: pd.Series, death: pd.Series, cutoff: pd.Timestamp) -> Dates:
    """The last possible day, not after death and cut-off, and not before the start.

    Parameters
    ----------
    start
        Start of the same record.
    death
        Day of death of the record's subject; NaT while alive.
    """
    day = end.last_day
    for limit in (pd.Series(cutoff, index=day.index), death):
        # A limit outside what the date can mean says nothing of it.
        day = day.mask((limit < day) & (limit >= end.first_day), limit)
    first = start.dt.floor("D")
    day = day.mask((first > day) & (first <= end.last_day), first)
    return complete(end, day)


def find_last_alive(domains: Mapping[str, Domain], settings: EfficacySettings) -> pd.Series:
    """Last day on which a record shows each subject alive, see `list_life_dates`."""
    parts = [
        shown["TIME"].dt.floor("D").groupby(shown["USUBJID"]).max()
        for shown in list_life_dates(domains, settings)
    ]
    days = pd.concat([pd.Series(dtype="datetime64[ns]"), *parts]).astype("datetime64[ns]")
    last: pd.Series = days.groupby(level=0).max()
    return last
