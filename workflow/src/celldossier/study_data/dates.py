"""Dates of the raw records: reading with findings, and the data cut-off."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from celldossier.settings.study_time import TimeSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import parse_dates
from celldossier.study_data.time_zones import SubjectZones

STARTS = {
    "DM": "RFICDTC",
    "EX": "EXSTDTC",
    "AE": "AESTDTC",
    "CM": "CMSTDTC",
    "DS": "DSSTDTC",
    "LOTS": "MFGDTC",
    "BE": "BESTDTC",
    "RUNS": "RUNDTC",
}
"""Date that says when a record starts; in the other domains it is --DTC."""
BIRTH = "BRTHDTC"
LONGEST_LIFE = 120  # years


@dataclass(frozen=True)
class DateRules:
    """What the reading of dates needs to know.

    Parameters
    ----------
    cutoff
        Day of the data cut-off.
    settings
        Part `study_data.time`.
    zones
        Time zone of each subject.
    """

    cutoff: pd.Timestamp
    settings: TimeSettings
    zones: SubjectZones


def name_start(domain: str) -> str:
    """Variable that says when a record of a domain starts."""
    return STARTS.get(domain, f"{domain}DTC")


def read_dates(domain: Domain, variable: str, rules: DateRules) -> None:
    """Read a column of dates into `domain.dates`; what is wrong with them becomes findings.

    A date that cannot be read, or that no study can have, is none; where the variable
    is required, its record is excluded.
    """
    raw = domain.frame[variable]
    dates = parse_dates(raw, rules.zones.of(domain.subject))
    domain.report("TIMEZONEUNDECLARED", domain.active & dates.bad & dates.unplaced, variable)
    domain.report("DATEUNPARSABLE", domain.active & dates.bad & ~dates.unplaced, variable)
    # A birth lies before the study by as much as a life.
    life = LONGEST_LIFE if variable == BIRTH else 0
    early = dates.last_day.dt.year < rules.settings.earliest_year - life
    latest = rules.cutoff + pd.Timedelta(days=365.25 * rules.settings.years_after_cutoff)
    odd = early | (dates.first_day > latest)
    domain.report("DATEIMPLAUSIBLE", domain.active & odd, variable)
    dates = dates.without(odd, bad=True)
    if domain.specification.variables[variable].required:
        domain.exclude(dates.bad, "BADDATE", raw)
    if variable != BIRTH:
        # Often only the year of birth may be collected; nothing is computed from its day.
        domain.report("DATEPARTIAL", domain.active & dates.partial, variable)
    zone = rules.zones.of(domain.subject)
    if zone is not None:
        domain.report("TIMEAMBIGUOUS", domain.active & dates.ambiguous, variable, zone=zone)
        domain.report("TIMESKIPPED", domain.active & dates.skipped, variable, zone=zone)
    domain.dates[variable] = dates


def apply_cutoff(domain: Domain, rules: DateRules) -> None:
    """Hold all dates of a domain against the data cut-off.

    A record that starts after the cut-off is excluded. In a record that is used,
    another date after the cut-off was not yet known at that time and is blanked: the
    event is ongoing, the subject alive. A partial date lies after the cut-off only if
    all its days do. `Domain.after_cutoff` keeps where a date was: who did something later was
    alive at the cut-off, and a date that is later is not one that is missing.
    """
    start = name_start(domain.name)
    words = {"cutoff": rules.cutoff.date().isoformat()}
    for variable in sorted(domain.dates, key=lambda name: name != start):
        dates = domain.dates[variable]
        after = domain.active & (dates.first_day > rules.cutoff)
        if not after.any():
            continue
        column = domain.raw_columns[variable]
        words["count"] = str(int(after.sum()))
        if rules.settings.cutoff == "keep":
            domain.report_file("DATEAFTERCUTOFF", column=column, **words)
            continue
        domain.after_cutoff[variable] = after
        if variable == start:
            domain.report_file("AFTERCUTOFF", column=column, **words)
            domain.exclude(after, "AFTERCUTOFF", domain.frame[variable])
        else:
            domain.report_file("OPENATCUTOFF", column=column, **words)
            domain.dates[variable] = dates.without(after)
            domain.frame[variable] = domain.frame[variable].mask(after, "")
