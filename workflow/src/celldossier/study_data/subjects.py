"""Subjects: who is in the study, when consent was given, when time zero was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from celldossier.settings.base import Range
from celldossier.settings.study_data import StudyDataSettings
from celldossier.settings.study_time import TimeSettings
from celldossier.study_data.body_size import body_surface_area
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.parsing import Dates, days_since, is_before
from celldossier.study_data.repeats import find_repeats
from celldossier.study_data.time_zones import SubjectZones


@dataclass(frozen=True)
class Subjects:
    """Facts of each subject that other domains are held against.

    Parameters
    ----------
    frame
        Index USUBJID (unique): ``consent`` and ``zero`` (datetime64, NaT where unknown),
        ``consent_has_time``, ``zero_has_time``, ``consent_text``, ``zero_text``, ``released``,
        ``arm`` (planned), ``weight`` (kg) and ``area`` (m2) at baseline.
    complete
        False where DM could not be read: then nobody can be told known from unknown.
    left_out
        Subjects of DM whom the study does not use (`keep`, or a decision), or not yet (cut-off).
    dosed
        Whether the doses could be read: else nobody can be told infused from not.
    doses
        Infusions of the cell product, see `dose_times.list_doses`.
    time
        How times are counted.
    routine
        Domains whose records before consent may be of routine care.
    """

    frame: pd.DataFrame
    complete: bool
    left_out: frozenset[str] = frozenset()
    dosed: bool = False
    doses: pd.DataFrame = field(default_factory=pd.DataFrame)
    time: TimeSettings = field(default_factory=TimeSettings)
    routine: frozenset[str] = frozenset()

    def known(self, usubjid: pd.Series) -> pd.Series:
        """Whether each subject is in DM."""
        return usubjid.isin(self.frame.index)

    def of(self, usubjid: pd.Series, name: str) -> pd.Series:
        """A fact of each record's subject, aligned with the records."""
        return pd.Series(self.frame[name].reindex(usubjid).to_numpy(), index=usubjid.index)

    def days(self, dates: Dates, usubjid: pd.Series) -> pd.Series:
        """Days of each record from its subject's first infusion; NaN where there is none."""
        return days_since(dates, self.of(usubjid, "zero"), self.of(usubjid, "zero_offset"))


def check_subjects(dm: Domain, settings: StudyDataSettings) -> None:
    """Check DM: one record a subject, plausible values, consent."""
    repeats = find_repeats(dm, dm.active, dm.subject)
    repeats.report(dm, "SUBJECTDUPLICATE", "USUBJID")
    dm.exclude(repeats.again, "SUBJDUP", dm.subject)
    ranges: tuple[tuple[str, str, Range], ...] = (
        ("AGERANGE", "AGE", settings.plausible_age),
        ("WEIGHTRANGE", "WTBL", settings.plausible_weight),
        ("HEIGHTRANGE", "HTBL", settings.plausible_height),
    )
    for rule_id, variable, (low, high) in ranges:
        numbers = dm.numbers[variable]
        # What is not above 0 is an error of its own.
        outside = dm.active & (numbers > 0) & ((numbers < low) | (numbers > high))
        dm.report(
            rule_id,
            outside,
            variable,
            low=format_number(low),
            high=format_number(high),
        )
    dm.report("BURDENNOTPOSITIVE", dm.active & (dm.numbers["TBURDBL"] <= 0), "TBURDBL")
    if "RFICDTC" in dm.given:
        dm.report("CONSENTMISSING", dm.active & (dm.frame["RFICDTC"] == ""), "RFICDTC")


def make_subjects(dm: Domain, settings: StudyDataSettings) -> Subjects:
    """Facts of the subjects of DM; time zero is added by `set_time_zero`."""
    used = dm.active if dm.usable else dm.active & False
    consent = dm.dates["RFICDTC"]
    frame = pd.DataFrame(
        {
            "consent": consent.time[used],
            "consent_has_time": consent.has_time[used],
            "consent_text": consent.text[used],
            "released": dm.frame["MFGSTAT"].isin(settings.released_statuses)[used],
            "status": dm.frame["MFGSTAT"][used],
            "zero": pd.Series(pd.NaT, index=dm.frame.index, dtype="datetime64[ns]")[used],
            # Distance of the clock of the place from UTC at time zero.
            "zero_offset": pd.Series(pd.Timedelta(0), index=dm.frame.index)[used],
            "zero_has_time": True,
            "zero_text": "",
            "arm": dm.frame["ARM"][used],
            "weight": dm.number("WTBL")[used],
            "area": body_surface_area(dm.number("WTBL"), dm.number("HTBL"))[used],
        }
    )
    frame.index = pd.Index(dm.subject[used], name="USUBJID")
    unused = ("NOTSELECTED", "EXCLDECISION", "AFTERCUTOFF")
    left_out = frozenset(dm.subject[dm.reason.isin(unused)])
    routine = frozenset(settings.routine_care)
    return Subjects(frame, dm.usable, left_out, time=settings.time, routine=routine)


def find_zones(dm: Domain, settings: TimeSettings) -> SubjectZones:
    """Time zone of each subject: that of the site, else that of the study."""
    zones = dm.frame["SITEID"].map(settings.site_time_zones)
    own = zones.notna()
    return SubjectZones(settings.time_zone, dict(zip(dm.subject[own], zones[own], strict=True)))


def set_time_zero(subjects: Subjects, infusions: pd.DataFrame, dosed: bool) -> Subjects:
    """Add the start of the first infusion.

    Parameters
    ----------
    dosed
        Whether EX could be read.
    infusions
        One row an infusion of the cell product: ``USUBJID``, ``time``, ``has_time``, ``text``,
        ``offset``.
    """
    first = infusions.sort_values("time", kind="stable").drop_duplicates("USUBJID")
    first = first.set_index("USUBJID")
    frame = subjects.frame.assign(
        zero=first["time"].reindex(subjects.frame.index),
        zero_offset=first["offset"].reindex(subjects.frame.index).fillna(pd.Timedelta(0)),
        zero_has_time=first["has_time"].reindex(subjects.frame.index).eq(True),
        zero_text=first["text"].reindex(subjects.frame.index).fillna(""),
    )
    return replace(subjects, frame=frame, dosed=dosed)


def check_known_subjects(domain: Domain, subjects: Subjects) -> None:
    """Find and exclude records of subjects who are not in DM; those left out are no fault."""
    if not subjects.complete:
        return
    left_out = domain.subject.isin(subjects.left_out) & ~subjects.known(domain.subject)
    domain.exclude(left_out, "NOTSELECTED", domain.subject)
    unknown = domain.active & ~subjects.known(domain.subject)
    domain.report("SUBJECTUNKNOWN", unknown, "USUBJID")
    domain.exclude(unknown, "SUBJUNK", domain.subject)


def check_consent(
    domain: Domain, subjects: Subjects, variable: str, rule_id: str, routine: bool = False
) -> None:
    """Find records that lie before informed consent, and exclude them.

    Parameters
    ----------
    routine
        Whether the records may be of routine care, which needs no consent to the study; they
        are used then.
    """
    early = domain.active & is_before(
        domain.dates[variable],
        subjects.of(domain.subject, "consent"),
        subjects.of(domain.subject, "consent_has_time").eq(True),
    )
    consent = subjects.of(domain.subject, "consent_text")
    domain.report(rule_id, early, variable, consent=consent)
    if not routine:
        domain.exclude(early, "PRECONSENT", domain.frame[variable])


def check_deaths(dm: Domain, subjects: Subjects) -> None:
    """Find deaths before the first infusion."""
    zero = subjects.of(dm.subject, "zero")
    known = pd.Series(True, index=zero.index)
    early = dm.active & is_before(dm.dates["DTHDTC"], zero, known)
    dm.report("DEATHBEFOREDOSE", early, "DTHDTC", infusion=subjects.of(dm.subject, "zero_text"))
