"""Disposition and survival: the dataset ADDS, dates of death, the last date known alive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.classes import classify
from celldossier.study_data.domain import Domain
from celldossier.study_data.subjects import Subjects

NO_EVIDENCE = {
    "DM": ("DTHDTC",),
    "LOTS": ("MFGDTC", "RELDTC"),
    "BE": ("BESTDTC",),
    "RUNS": ("RUNDTC",),
}
"""Dates that do not show that a subject was alive, by domain."""

DEAD_OR_LOST = ("DEATH", "LOSTFU")
"""Disposition classes whose date is no contact with the living subject."""

SEEN_ALIVE = ("NOASSAY", "OTHERTEST", "SPECCOND")
"""Reasons of exclusion that say nothing against the date: a sample that is not analysed was drawn
from a living subject."""

FATAL_GRADE = 5
LAST_ALIVE = ["USUBJID", "TIME", "SRCDOM", "SRCFILE", "SRCROW", "SRCVAR"]
DEATHS = ["USUBJID", "DAY", "TEXT", "SRCDOM", "SRCFILE", "SRCROW", "SRCVAR"]


def derive_adds(ds: Domain, subjects: Subjects, settings: StudyDataSettings) -> pd.DataFrame:
    """Dataset ADDS: one record a disposition event; those without a date are excluded.

    A partial date is kept as it is, without a day.
    """
    start = ds.dates["DSSTDTC"]
    missing = ds.active & (start.text == "")
    ds.report("TIMEMISSING", missing, "DSSTDTC")
    ds.exclude(missing, "NOTIME")
    frame = pd.DataFrame(
        {
            "USUBJID": ds.subject,
            "DSDECOD": ds.frame["DSDECOD"],
            "DSTERM": ds.frame["DSTERM"],
            "DSCAT": ds.frame["DSCAT"],
            "DSCLASS": class_dispositions(ds, settings.efficacy),
            "ADTM": start.text,
            "AFRLT": subjects.days(start, ds.subject),
            **ds.trace,
        }
    )
    return frame[ds.active].reset_index(drop=True)


def collect_deaths(dm: Domain, adds: pd.DataFrame, subjects: Subjects) -> pd.DataFrame:
    """Date of death of each subject who died: of DM, else of the disposition.

    Returns
    -------
    DataFrame
        One row a subject: ``USUBJID``, ``DAY`` from the first infusion (NaN where not
        infused or the date is partial), ``TEXT`` of the date, and its source.
    """
    died = dm.active & (dm.dates["DTHDTC"].text != "")
    of_subject = pd.DataFrame(
        {
            "USUBJID": dm.subject,
            "DAY": subjects.days(dm.dates["DTHDTC"], dm.subject),
            "TEXT": dm.dates["DTHDTC"].text,
            **dm.trace,
            "SRCVAR": "DTHDTC",
        }
    )[died]
    disposed = adds[adds["DSCLASS"] == "DEATH"]
    disposed = disposed.rename(columns={"AFRLT": "DAY", "ADTM": "TEXT"}).assign(SRCVAR="DSSTDTC")
    disposed = disposed.sort_values(["USUBJID", "DAY", "SRCROW"], kind="stable")
    both = pd.concat([of_subject[DEATHS], disposed[DEATHS]], ignore_index=True)
    # A known day counts before a partial date, and DM before DS.
    both = both.assign(PARTIAL=both["DAY"].isna()).sort_values("PARTIAL", kind="stable")
    return both.drop_duplicates("USUBJID")[DEATHS].reset_index(drop=True)


def collect_last_alive(
    mapped: Mapping[str, Domain],
    deaths: pd.DataFrame,
    subjects: Subjects,
    settings: EfficacySettings,
    cutoff: pd.Timestamp,
) -> pd.DataFrame:
    """Latest date that shows each subject alive, over all domains.

    See `list_life_dates`. A date after the cut-off counts as the day of the cut-off, for who
    is alive later was alive then; so does a death after the cut-off. A date after the day of
    death does not count.

    Returns
    -------
    DataFrame
        One row a subject: ``USUBJID``, ``TIME``, ``DAY`` from the first infusion in
        whole days (NaN where not infused), the source, and ``LATER``, whether the cut-off
        took that date out.
    """
    died = time_deaths(deaths)
    parts = []
    for shown in list_life_dates(mapped, settings):
        times = shown["TIME"].where(~(shown["TIME"] > cutoff), cutoff)
        parts.append(_keep_latest(shown.assign(TIME=times, LATER=False), died))
    parts += [
        _keep_latest(shown.assign(TIME=cutoff, LATER=True), died)
        for shown in list_later_dates(mapped, settings)
    ]
    columns = [*LAST_ALIVE, "LATER"]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    found = found[(found["USUBJID"] != "") & subjects.known(found["USUBJID"])]
    found = found.sort_values(
        ["USUBJID", "TIME", "LATER", "SRCDOM", "SRCVAR", "SRCFILE", "SRCROW"],
        ascending=[True, False, True, True, True, True, True],
        kind="stable",
    ).drop_duplicates("USUBJID", ignore_index=True)
    time = pd.to_datetime(found["TIME"])
    zero = pd.to_datetime(subjects.of(found["USUBJID"], "zero"))
    day = (time.dt.floor("D") - zero.dt.floor("D")).dt.days
    return found.assign(TIME=time, DAY=day.astype("float64"))


def _keep_latest(shown: pd.DataFrame, died: pd.Series) -> pd.DataFrame:
    """Latest date of each subject that is not after the death, the first record of equals."""
    days = shown["TIME"].dt.floor("D")
    before = shown[~(days > shown["USUBJID"].map(died))]
    latest: pd.DataFrame = before.loc[before.groupby("USUBJID")["TIME"].idxmax()]
    return latest


def list_life_dates(
    mapped: Mapping[str, Domain], settings: EfficacySettings
) -> Iterator[pd.DataFrame]:
    """Dates that show a subject alive: the one list of what does and what does not.

    Every date of a record that is used, or left out only because nobody analyses it, counts, but
    a date that was completed, the date of death, manufacture and release of a lot, the end of
    an event with grade 5, and a disposition that means death or loss to follow-up.

    Yields
    ------
    DataFrame
        For each variable ``USUBJID``, ``TIME`` and the source.
    """
    for name, domain in mapped.items():
        for variable, dates in domain.dates.items():
            if variable in NO_EVIDENCE.get(name, ()) or not dates.known.any():
                continue
            seen = domain.active | domain.reason.isin(SEEN_ALIVE)
            counts = seen & dates.known & (dates.imputed == "")
            counts &= _shows_life(domain, variable, settings)
            yield _name_source(domain, variable, counts, dates.time)


def list_later_dates(
    mapped: Mapping[str, Domain], settings: EfficacySettings
) -> Iterator[pd.DataFrame]:
    """Dates after the cut-off that show a subject alive at it; as `list_life_dates`.

    Who dies later was alive at the cut-off; that a loss to follow-up was noted later says
    nothing.
    """
    for name, domain in mapped.items():
        for variable, rows in domain.after_cutoff.items():
            if name in ("LOTS", "BE", "RUNS"):
                continue
            if name == "DS":
                rows = rows & (class_dispositions(domain, settings) != "LOSTFU")
            yield _name_source(domain, variable, rows, domain.dates[variable].time)


def _name_source(domain: Domain, variable: str, rows: pd.Series, times: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": domain.subject[rows],
            "TIME": times[rows],
            "SRCDOM": domain.name,
            "SRCFILE": domain.frame["SRCFILE"][rows],
            "SRCROW": domain.frame["SRCROW"][rows],
            "SRCVAR": variable,
        }
    )


def class_dispositions(ds: Domain, settings: EfficacySettings) -> pd.Series:
    """Class of each disposition event; "" where its term is of none."""
    classes = {str(name): terms for name, terms in settings.disposition_classes.items()}
    return classify(ds.frame["DSDECOD"], classes)


def _shows_life(domain: Domain, variable: str, settings: EfficacySettings) -> pd.Series:
    if domain.name == "DS":
        return ~class_dispositions(domain, settings).isin(DEAD_OR_LOST)
    if domain.name == "AE" and variable == "AEENDTC":
        return ~(domain.numbers["AETOXGR"] == FATAL_GRADE)
    return pd.Series(True, index=domain.frame.index)


def time_deaths(deaths: pd.DataFrame) -> pd.Series:
    """Day of death by subject, where it is known in full."""
    days = pd.to_datetime(deaths["TEXT"].str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    return pd.Series(days.to_numpy(), index=deaths["USUBJID"])


def describe_last_alive(last_alive: pd.DataFrame, usubjid: pd.Series) -> dict[str, pd.Series]:
    """Variables of ADSL: LSTALVDT, LSTALVDY and the source of the date, aligned with `usubjid`."""
    known = last_alive.set_index("USUBJID").reindex(usubjid)
    source = (
        known["SRCDOM"]
        + "."
        + known["SRCVAR"]
        + ", "
        + known["SRCFILE"]
        + ", "
        + known["SRCROW"].map(lambda row: "" if pd.isna(row) else str(int(row)))
    )
    columns = {
        "LSTALVDT": known["TIME"].dt.strftime("%Y-%m-%d").fillna(""),
        "LSTALVDY": known["DAY"],
        "LSTALVSR": source.fillna(""),
    }
    return {
        name: pd.Series(column.to_numpy(), index=usubjid.index) for name, column in columns.items()
    }
