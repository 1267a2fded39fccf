"""Dates of files that count from the first infusion instead of giving dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from celldossier.settings.sources import RelativeTime
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import parse_dates, parse_numbers
from celldossier.study_data.time_zones import SubjectZones, write_with_offset

DAYS = {"day": 1.0, "days": 1.0, "hours": 1 / 24, "minutes": 1 / 1440}
MOST_DAYS = 36_525.0
"""A hundred years: a larger number is no time since an infusion."""


def fill_relative_times(
    domains: Mapping[str, Domain], anchor: date | None, zones: SubjectZones
) -> None:
    """Build the dates of every domain whose source declares `relative_time`.

    The dose records come first, since the others count from them. A calendar day
    becomes a date, a time since the start of the infusion a date and time: so many hours
    later, whatever the clock of the place did in between.

    Parameters
    ----------
    anchor
        Day of the first infusion of a subject without any date of it.
    zones
        Time zone of each subject.
    """
    ex = domains["EX"]
    zero = pd.Series(dtype=object)
    _fill(ex, zero, anchor, zones)
    if any(part.source.relative_time for domain in domains.values() for part in domain.parts):
        zero = _first_infusions(ex, zones)
    for domain in domains.values():
        if domain is not ex:
            _fill(domain, zero, anchor, zones)


def _first_infusions(ex: Domain, zones: SubjectZones) -> pd.Series:
    """Start of each subject's first infusion of the cell product, as text."""
    infused = ex.active & (ex.frame["EXCAT"] == "CELL PRODUCT")
    dates = parse_dates(ex.frame["EXSTDTC"], zones.of(ex.subject))
    known = infused & dates.time.notna()
    table = pd.DataFrame(
        {
            "subject": ex.subject[known],
            "time": dates.time[known],
            # With its offset the text says which of two equal times of the clock it is.
            "text": ex.frame["EXSTDTC"][known],
        }
    )
    first = table.sort_values("time", kind="stable").drop_duplicates("subject")
    return pd.Series(first["text"].to_numpy(), index=first["subject"].to_numpy(), dtype=object)


def _fill(domain: Domain, zero: pd.Series, anchor: date | None, zones: SubjectZones) -> None:
    for place, part in enumerate(domain.parts):
        rows = pd.Series(domain.part == place, index=domain.frame.index)
        for variable, rule in part.source.relative_time.items():
            if variable not in part.given:
                continue
            part.raw_columns[variable] = rule.column
            text = domain.frame[variable].where(rows, "")
            number = parse_numbers(text)
            start = domain.subject.map(zero).fillna("" if anchor is None else anchor.isoformat())
            built = _build(number, start, rule, zones.of(domain.subject))
            wrong = rows & domain.active & (text != "") & (built == "") & (start != "")
            domain.report("RELATIVETIMEBAD", wrong, variable, value=text)
            lost = rows & domain.active & (text != "") & (start == "")
            domain.report("RELATIVETIMELOST", lost, variable, value=text)
            domain.frame[variable] = domain.frame[variable].mask(rows, built)
            if domain.specification.variables[variable].required:
                domain.exclude(wrong | lost, "BADDATE", text)


def _build(
    number: pd.Series, start: pd.Series, rule: RelativeTime, zones: pd.Series | None
) -> pd.Series:
    """ISO 8601 text of each time, with its offset where a zone is declared; "" where none is."""
    days = number * DAYS[rule.unit]
    usable = days.abs() <= MOST_DAYS
    dates = parse_dates(start, zones)
    begin = dates.time
    if rule.unit == "day":
        usable &= days % 1 == 0
        if rule.day_of_infusion == 1:
            usable &= days != 0
            days = days.where(days < 0, days - 1)
        begin = begin.dt.floor("D")
    seconds = (days.where(usable) * 86_400).round()
    passed = pd.to_timedelta(seconds, unit="s")
    if rule.unit == "day":
        days_only: pd.Series = (begin + passed).dt.strftime("%Y-%m-%d").fillna("").astype(object)
        return days_only
    text: pd.Series = (begin + passed).dt.strftime("%Y-%m-%dT%H:%M:%S").fillna("").astype(object)
    if zones is None:
        return text
    there = write_with_offset(begin - dates.offset + passed, zones)
    return text.where(zones == "", there)
