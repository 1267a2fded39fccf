"""Disposition and survival: the dataset ADDS, dates of death, the last date known alive."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.classes import classify
from celldossier.study_data.domain import Domain
from celldossier.study_data.subjects import Subjects

NO_EVIDENCE = {"DM": ("DTHDTC",)}
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
    term = ds.frame["DSDECOD"]
    classes = {str(name): terms for name, terms in settings.efficacy.disposition_classes.items()}
    frame = pd.DataFrame(
        {
            "USUBJID": ds.subject,
            "DSDECOD": term,
            "DSTERM": ds.frame["DSTERM"],
            "DSCAT": ds.frame["DSCAT"],
            "DSCLASS": classify(term, classes),
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
    adds: pd.DataFrame,
    deaths: pd.DataFrame,
    subjects: Subjects,
    cutoff: pd.Timestamp,
) -> pd.DataFrame:
    """Latest date that shows each subject alive, over all domains.

    Every date of a record that is used, or left out only because nobody analyses it, counts, but
    a date that was completed, the date of death, the end of an event with grade 5, and a
    disposition that means death or loss to follow-up. A date after the cut-off counts as the
    day of the cut-off, for who is alive later was alive then; a date after the day of death
    does not count.

    Returns
    -------
    DataFrame
        One row a subject: ``USUBJID``, ``TIME``, ``DAY`` from the first infusion in
        whole days (NaN where not infused), and the source.
    """
    parts = []
    for name, domain in mapped.items():
        for variable, dates in domain.dates.items():
            if variable in NO_EVIDENCE.get(name, ()) or not dates.known.any():
                continue
            seen = domain.active | domain.reason.isin(SEEN_ALIVE)
            counts = seen & dates.known & (dates.imputed == "")
            counts &= _shows_life(domain, variable, adds)
            times = dates.time[counts]
            times = times.where(~(times > cutoff), cutoff)
            subject = domain.subject[counts]
            died = subject.map(time_deaths(deaths))
            times = times.where(~(times.dt.floor("D") > died))
            latest = times.groupby(subject).idxmax().dropna().astype(int)
            parts.append(
                pd.DataFrame(
                    {
                        "USUBJID": latest.index.to_numpy(),
                        "TIME": times.loc[latest].to_numpy(),
                        "SRCDOM": name,
                        "SRCFILE": domain.frame["SRCFILE"].loc[latest].to_numpy(),
                        "SRCROW": domain.frame["SRCROW"].loc[latest].to_numpy(),
                        "SRCVAR": variable,
                    }
                )
            )
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=LAST_ALIVE)
    found = found[(found["USUBJID"] != "") & subjects.known(found["USUBJID"])]
    found = found.sort_values(
        ["USUBJID", "TIME", "SRCDOM", "SRCVAR", "SRCFILE", "SRCROW"],
        ascending=[True, False, True, True, True, True],
        kind="stable",
    ).drop_duplicates("USUBJID", ignore_index=True)
    time = pd.to_datetime(found["TIME"])
    zero = pd.to_datetime(subjects.of(found["USUBJID"], "zero"))
    day = (time.dt.floor("D") - zero.dt.floor("D")).dt.days
    return found.assign(TIME=time, DAY=day.astype("float64"))


def _shows_life(domain: Domain, variable: str, adds: pd.DataFrame) -> pd.Series:
    if domain.name == "DS":
        lost = adds[adds["DSCLASS"].isin(DEAD_OR_LOST)]
        places = pd.MultiIndex.from_frame(lost[["SRCFILE", "SRCROW"]])
        own = pd.MultiIndex.from_frame(domain.frame[["SRCFILE", "SRCROW"]])
        return pd.Series(~own.isin(places), index=domain.frame.index)
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
