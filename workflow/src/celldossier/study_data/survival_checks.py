"""Checks of disposition and death: records after death, deaths that differ, last contact."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.study_data.disposition import NO_EVIDENCE, time_deaths
from celldossier.study_data.domain import Domain
from celldossier.study_data.subjects import Subjects
from celldossier.terms.finding_rules import Severity

OWN_RULE = ("AE", "DS")
"""Domains whose records after death have a rule of their own."""

NOT_OF_THE_SUBJECT = NO_EVIDENCE
"""Dates that do not record something done with the living subject."""

AFTER_DEATH_POSSIBLE = ("MI",)
"""Domains whose specimens may be of an autopsy."""


def check_after_death(
    mapped: Mapping[str, Domain], deaths: pd.DataFrame, subjects: Subjects
) -> None:
    """Find records of any domain that lie after the day of death.

    A death before the first infusion is a fault of its own and says nothing of the
    records; nor does a date that was completed. Tissue may be taken at an autopsy: a warning.
    """
    times = time_deaths(deaths)
    texts = deaths.set_index("USUBJID")["TEXT"]
    for name, domain in mapped.items():
        died = domain.subject.map(times)
        zero = pd.to_datetime(subjects.of(domain.subject, "zero"))
        counts = domain.active & ~(died < zero.dt.floor("D"))
        for variable, dates in domain.dates.items():
            if variable in NOT_OF_THE_SUBJECT.get(name, ()) or variable.endswith("ENDTC"):
                continue
            late = counts & (dates.imputed == "") & (dates.time.dt.floor("D") > died)
            death = domain.subject.map(texts).fillna("")
            if name == "DS":
                domain.report("DISPOSITIONAFTERDEATH", late, variable, death=death)
            elif name not in OWN_RULE:
                severity: Severity | None = "warning" if name in AFTER_DEATH_POSSIBLE else None
                domain.report("RECORDAFTERDEATH", late, variable, severity=severity, death=death)


def check_disposition(
    ds: Domain,
    dm: Domain,
    adds: pd.DataFrame,
    last_alive: pd.DataFrame,
    subjects: Subjects,
) -> None:
    """Hold the disposition against the dates of death, the last date alive and the infusions."""
    if not (ds.collected and ds.usable):
        return
    classes = ds.at_records(adds, "DSCLASS")
    death = dm.dates["DTHDTC"]
    died = dm.active & (death.text != "")
    of_subject = pd.Series(death.text[died].to_numpy(), index=dm.subject[died])
    of_subject = ds.subject.map(of_subject[~of_subject.index.duplicated()]).fillna("")
    dead = ds.active & (classes == "DEATH")
    own_day = ds.dates["DSSTDTC"].text.str.slice(0, 10)
    differs = dead & (of_subject != "") & (own_day != of_subject.str.slice(0, 10))
    ds.report("DEATHDIFFERS", differs, "DSSTDTC", death=of_subject)
    ds.report("DEATHNOTINDM", dead & (of_subject == ""), "DSSTDTC")
    known = last_alive.set_index("USUBJID")
    latest = pd.to_datetime(ds.subject.map(known["TIME"]))
    source = ds.subject.map(known["SRCDOM"] + "." + known["SRCVAR"]).fillna("")
    contact = ds.active & (classes == "CONTACT")
    early = contact & (ds.dates["DSSTDTC"].time.dt.floor("D") < latest.dt.floor("D"))
    # The last contact before the cut-off is not contradicted by what came after it.
    early &= ~ds.subject.map(known["LATER"]).eq(True)
    ds.report("CONTACTTOOEARLY", early, "DSSTDTC", later=source)
    term = ds.frame["DSDECOD"]
    other = ds.active & (classes == "")
    count = term.where(other).groupby(term).transform("count")
    ds.report("DISPOSITIONOTHER", other & ~term.where(other).duplicated(), "DSDECOD", count=count)
    infused = set(subjects.frame.index[subjects.frame["zero"].notna()])
    # Whose disposition comes after the cut-off was in the study at it.
    later = set(ds.subject[ds.reason == "AFTERCUTOFF"])
    for subject in sorted(infused - set(adds.loc[adds["DSCLASS"] != "", "USUBJID"]) - later):
        ds.report_file("DISPOSITIONMISSING", subject=subject)
