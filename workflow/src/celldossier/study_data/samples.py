"""Sampled domains: times of samples, what all of them share, and the dataset ADPC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.settings.sources import Source
from celldossier.settings.study_data import StudyDataSettings
from celldossier.settings.study_time import DayConvention, TimeSettings
from celldossier.study_data.cell_conversion import check_copies
from celldossier.study_data.domain import Domain
from celldossier.study_data.dose_times import add_planned_dose, derive_relative_times
from celldossier.study_data.hours import place_in_day
from celldossier.study_data.parsing import calendar_days
from celldossier.study_data.repeats import find_repeats
from celldossier.study_data.results import read_results
from celldossier.study_data.specimens import check_changes, check_conditions
from celldossier.study_data.subjects import Subjects, check_consent
from celldossier.terms.finding_rules import Severity

HOURS = {"days": 24.0, "hours": 1.0, "minutes": 1 / 60}
TIERS_OF_STATUS = ("SCREENING", "CONFIRMATORY", "RESULT")


def nominal_days(domain: Domain, settings: TimeSettings) -> pd.Series:
    """Nominal days: --TPTNUM, else VISITDY, by the conventions of the source or the study.

    A day 0 where the convention has none says nothing, and is a finding.
    """
    nominal = pd.Series(np.nan, index=domain.frame.index)
    for place, part in enumerate(domain.parts):
        own = pd.Series(domain.part == place, index=domain.frame.index)
        nominal = nominal.mask(own, _nominal_days_of(domain, own, part.source, settings))
    return nominal


def _nominal_days_of(
    domain: Domain, own: pd.Series, source: Source, settings: TimeSettings
) -> pd.Series:
    visits = source.visit_day_convention or settings.visit_day_convention
    points = source.time_point_day_convention or settings.time_point_day_convention
    name = f"{domain.name}TPTNUM"
    planned = domain.number(name) * (HOURS[source.nominal_time_unit] / HOURS["days"])
    visit = domain.number("VISITDY")
    if source.nominal_time_unit == "days":
        planned = count_days(planned, points)
        zero = own & domain.active & domain.number(name).eq(0) & (points == "sdtm")
        domain.report("DAYZERO", zero, name)
    zero = own & domain.active & visit.eq(0) & planned.isna() & (visits == "sdtm")
    domain.report("DAYZERO", zero, "VISITDY")
    return planned.fillna(count_days(visit, visits))


def count_days(days: pd.Series, convention: DayConvention) -> pd.Series:
    """Days of a plan as days from the first infusion (0 is its day).

    >>> count_days(pd.Series([-1.0, 1.0, 29.0]), "sdtm").tolist()
    [-1.0, 0.0, 28.0]
    """
    if convention == "day_zero":
        return days
    if convention == "day_one":
        return days - 1
    return days.where(days < 0, days - 1).where(days != 0)


def time_samples(domain: Domain, subjects: Subjects) -> pd.DataFrame:
    """Check the sampling times and give the days from the first infusion.

    A sample for kinetics without a time of day is of the day of its date, at the hour of
    its nominal time, with a finding; without a full date it takes the nominal time, or is
    excluded. Any other sample or assessment without a time of day counts in whole days.
    Where the infusion has no time of day, a sample of that day is placed by its plan
    likewise, for its own hour does not tell before from after. Samples of subjects without
    infusion are excluded.

    Returns
    -------
    DataFrame
        Aligned with the records: ``actual`` and ``nominal`` days; ``timed``, whether the
        actual time is known better than to the day.
    """
    variable = f"{domain.name}DTC"
    dates = domain.dates[variable]
    routine = domain.name in subjects.routine
    rule = "ROUTINEBEFORECONSENT" if routine else "SAMPLEBEFORECONSENT"
    check_consent(domain, subjects, variable, rule, routine)
    not_infused = subjects.of(domain.subject, "zero").isna()
    readable = subjects.complete and subjects.dosed
    domain.exclude(not_infused, "NOINFUSION" if readable else "DOMAINFAULT")
    actual = subjects.days(dates, domain.subject)
    nominal = nominal_days(domain, subjects.time)
    for place, part in enumerate(domain.parts):
        if part.source.nominal_time_reference == "current_dose":
            own = pd.Series(domain.part == place, index=domain.frame.index)
            planned = add_planned_dose(domain.subject, actual, nominal, subjects)
            nominal = nominal.mask(own, planned)
    timed = dates.has_time
    day = calendar_days(dates, subjects.of(domain.subject, "zero"))
    placed = place_in_day(domain.subject, day, nominal, subjects)
    unknown = domain.active & timed & (day == 0) & ~counts_from_infusion(domain, variable)
    unknown &= ~subjects.of(domain.subject, "zero_has_time").eq(True)
    domain.report("INFUSIONHOURUNKNOWN", unknown, variable, used=placed)
    actual, timed = actual.mask(unknown, placed), timed & ~(unknown & nominal.isna())
    if domain.name == "PC":
        timeless = domain.active & ~dates.has_time
        from_nominal = timeless & nominal.notna()
        actual = actual.mask(timeless, placed.where(from_nominal).where(day.notna(), nominal))
        domain.report("TIMEFROMNOMINAL", from_nominal, variable, nominal=nominal, used=actual)
        timed = timed | from_nominal
    missing = domain.active & actual.isna()
    domain.report("TIMEMISSING", missing, variable)
    domain.exclude(missing, "NOTIME", domain.frame[variable])
    return pd.DataFrame({"actual": actual, "nominal": nominal, "timed": timed})


def counts_from_infusion(domain: Domain, variable: str) -> pd.Series:
    """Records whose source counts from the infusion: their time does not need its hour."""
    counted = pd.Series(False, index=domain.frame.index)
    for place, part in enumerate(domain.parts):
        if variable in part.source.relative_time:
            counted |= pd.Series(domain.part == place, index=domain.frame.index)
    return counted


def check_duplicates(
    domain: Domain,
    times: pd.DataFrame,
    identity: list[pd.Series],
    test: pd.Series,
    severity: Severity | None = None,
) -> None:
    """Find second results of one test and specimen at one time; both stay (rule R1).

    Two samples of one day without time of day are told apart by their nominal time.
    """
    dates = domain.dates[f"{domain.name}DTC"]
    nominal = times["nominal"].where(~dates.has_time, 0.0).fillna(-np.inf)
    keys = [domain.subject, *identity, times["actual"], nominal]
    repeats = find_repeats(domain, domain.active, keys)
    repeats.report(domain, "SAMPLEDUPLICATE", f"{domain.name}DTC", severity=severity, test=test)


def derive_adpc(
    pc: Domain, subjects: Subjects, assays: Sequence[Assay], settings: StudyDataSettings
) -> pd.DataFrame:
    """Dataset ADPC: concentrations of the cells, with findings on their faults."""
    results = read_results(pc, assays, settings)
    conditions = check_conditions(pc, settings)
    times = time_samples(pc, subjects)
    check_copies(pc, results, assays)
    check_changes(pc, results["analyte"], results["lloq"])
    specimen = pc.frame["PCSPEC"]
    check_duplicates(
        pc, times, [results["analyte"], specimen], results["analyte"], settings.duplicate_samples
    )
    # The subject's own cells may carry the marker of the product before the infusion (R24).
    own_markers = [assay.analyte for assay in assays if assay.background == "endogenous"]
    own = results["analyte"].isin(own_markers)
    early = pc.active & is_before_dose(times["actual"], times["nominal"])
    early &= ~results["blq"] & (results["value"] > 0) & ~own
    pc.report("PREDOSEQUANTIFIABLE", early, "PCORRES", test=results["analyte"])
    kinetics = specimen.isin(settings.kinetics_specimens)
    frame = pd.DataFrame(
        {
            "USUBJID": pc.subject,
            "PARAMCD": results["analyte"],
            "PARAM": pc.frame["PCTEST"].where(pc.frame["PCTEST"] != "", results["analyte"]),
            "PCSPEC": specimen,
            **conditions,
            "PCMETHOD": pc.frame["PCMETHOD"],
            "PCASSAYV": pc.frame["PCASSAYV"],
            "REFID": pc.frame["PCREFID"],
            "RUNID": pc.frame["PCRUNID"],
            "PCNAM": pc.frame["PCNAM"],
            "AVAL": results["value"],
            "AVALC": pc.frame["PCORRES"],
            "AVALU": results["unit"],
            "BLQFL": flag(results["blq"]),
            "ALQFL": flag(results["alq"]),
            "ALLOQ": results["lloq"],
            "AULOQ": results["uloq"],
            "AVISIT": pc.frame["VISIT"],
            "ADTM": pc.dates["PCDTC"].text,
            **derive_relative_times(pc, times, subjects),
            "ANL01FL": flag(kinetics),
            **pc.trace,
        }
    )
    frame = frame[pc.active].reset_index(drop=True)
    _check_without_samples(pc, subjects, frame)
    adjusted = frame["PARAMCD"].isin(own_markers)
    return add_baseline(frame, ["USUBJID", "PARAMCD", "PCSPEC"], adjusted)


def flag(condition: pd.Series) -> pd.Series:
    """Y where the condition holds, N elsewhere."""
    return pd.Series(np.where(condition, "Y", "N"), index=condition.index, dtype=object)


def is_before_dose(actual: pd.Series, nominal: pd.Series) -> pd.Series:
    """Whether a sample was taken before the first infusion.

    At time zero itself, which is also the whole day of the infusion for a sample without a time
    of day, a nominal time after the infusion says that it was not.

    >>> is_before_dose(pd.Series([-0.1, 0, 0, 0.1]), pd.Series([7, 0, 0.04, 0])).tolist()
    [True, True, False, False]
    """
    before: pd.Series = (actual < 0) | ((actual == 0) & ~(nominal > 0))
    return before


def flag_baseline(frame: pd.DataFrame, keys: list[str]) -> pd.Series:
    """The last record at or before the first infusion, in each group."""
    rows = is_before_dose(frame["AFRLT"], frame["NFRLT"])
    before = frame[rows].sort_values(["AFRLT", "SRCROW"], kind="stable")
    last = before.drop_duplicates(keys, keep="last").index
    return pd.Series(frame.index.isin(last), index=frame.index)


def add_baseline(
    frame: pd.DataFrame, series: list[str], rows: pd.Series | None = None
) -> pd.DataFrame:
    """The frame with ABLFL, BASE and CHG by series of a subject.

    Parameters
    ----------
    series
        Variables that make a course over time with a baseline of its own.
    rows
        Records that have a value and change from baseline; all where not given.
    """
    baseline = flag_baseline(frame, series)
    value = frame["AVAL"].where(baseline).astype("float64")
    base = value.groupby([frame[name] for name in series]).transform("first").astype("float64")
    if rows is not None:
        base = base.where(rows)
    change = (frame["AVAL"] - base).mask(is_before_dose(frame["AFRLT"], frame["NFRLT"]))
    return frame.assign(ABLFL=flag(baseline), BASE=base, CHG=change.astype("float64"))


def _check_without_samples(pc: Domain, subjects: Subjects, adpc: pd.DataFrame) -> None:
    if not (pc.usable and pc.collected):
        return
    sampled = adpc["USUBJID"][(adpc["ANL01FL"] == "Y") & (adpc["AFRLT"] > 0)]
    infused = subjects.frame.index[subjects.frame["zero"].notna()]
    for subject in sorted(set(infused) - set(sampled)):
        pc.report_file("CKMISSING", subject=subject)
