"""Checks of DM against time zero, consent and the design: leukapheresis, minors, cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.body_size import body_mass_index
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.parsing import is_before
from celldossier.study_data.subjects import Subjects
from celldossier.terms.study_terms import ADULT, DAYS_PER_YEAR

ESCALATION = "ESCALATION"
HEALTHY = (
    r"\bhealthy\b|\bnormal (?:volunteer|subject|control|participant)|\bno disease\b"
    r"|健康(?:志愿者|受试者|人|成人)"
)
"""An indication that is none."""


def check_baseline(dm: Domain, settings: StudyDataSettings) -> None:
    """Check what DM says by itself: values that cannot be, arms, sex, age against birth."""
    for name in ("AGE", "WTBL", "HTBL"):
        dm.report("NOTABOVEZERO", dm.active & (dm.number(name) <= 0), name)
    weight, height = dm.number("WTBL"), dm.number("HTBL")
    plausible = weight.between(*settings.plausible_weight)
    plausible &= height.between(*settings.plausible_height)
    index = body_mass_index(weight, height)
    low, high = settings.plausible_bmi
    dm.report(
        "BMIRANGE",
        dm.active & plausible & ((index < low) | (index > high)),
        "WTBL",
        weight=weight,
        height=height,
        index=index.round(1),
        low=format_number(low),
        high=format_number(high),
    )
    if "SEX" in dm.given:
        dm.report("SEXUNKNOWN", dm.active & dm.frame["SEX"].isin(["", "U"]), "SEX")
    arms = settings.dosing.arms
    for name in ("ARM", "ACTARM"):
        arm = dm.frame[name]
        dm.report("ARMUNKNOWN", dm.active & bool(arms) & (arm != "") & ~arm.isin(arms), name)
    if not arms:
        actual, planned = dm.frame["ACTARM"], dm.frame["ARM"][dm.active]
        dm.report("ACTARMUNKNOWN", dm.active & (actual != "") & ~actual.isin(planned), "ACTARM")
    _check_healthy(dm)
    born, consent = dm.dates["BRTHDTC"], dm.dates["RFICDTC"]
    days = (consent.time - born.time).dt.days.astype("float64")
    years: pd.Series = (days / DAYS_PER_YEAR).map(np.floor)
    # One year of difference is the birthday between consent and the date that AGE is of.
    apart = dm.active & ~born.partial & ((dm.number("AGE") - years).abs() > 1)
    dm.report("AGEBIRTH", apart, "AGE", birth=born.text, computed=years)


def _check_healthy(dm: Domain) -> None:
    """Find healthy volunteers: by the flag, else by the text of the indication (clause S3.2-1)."""
    flagged = dm.active & (dm.frame["HLTSUBJI"] == "Y")
    named = dm.frame["INDIC"].str.contains(HEALTHY, case=False, regex=True)
    dm.report("HEALTHYSUBJECT", flagged, "HLTSUBJI")
    # Who is flagged as a patient is none, whatever the words.
    patient = dm.frame["HLTSUBJI"] == "N"
    dm.report("HEALTHYSUBJECT", dm.active & named & ~flagged & ~patient, "INDIC")


def check_against_infusion(dm: Domain, subjects: Subjects, settings: StudyDataSettings) -> None:
    """Check the dates of DM in relation to consent and infusion, and the order of the study."""
    zero = subjects.of(dm.subject, "zero")
    zero_text = subjects.of(dm.subject, "zero_text").fillna("")
    consent = dm.dates["RFICDTC"]
    by_day = pd.Series(False, index=zero.index)
    early = is_before(dm.dates["DTHDTC"], consent.time, by_day)
    dm.report("DEATHBEFORECONSENT", dm.active & early, "DTHDTC", consent=consent.text)
    collected = dm.dates["LEUKDTC"]
    late = dm.active & (collected.time.dt.floor("D") > zero.dt.floor("D"))
    dm.report("LEUKAFTERINFUSION", late, "LEUKDTC", infusion=zero_text)
    before = dm.active & is_before(collected, consent.time, by_day)
    dm.report("LEUKBEFORECONSENT", before, "LEUKDTC", consent=consent.text)
    _check_minors(dm, zero)
    _check_cohorts(dm, zero, zero_text, settings.dosing.dlt_period)


def _check_minors(dm: Domain, zero: pd.Series) -> None:
    """Find infused minors with whose indication no adult was infused before."""
    age, indication = dm.number("AGE"), dm.frame["INDIC"]
    infused = dm.active & zero.notna()
    adults = zero.where(infused & (age >= ADULT)).groupby(indication).min()
    first = pd.Series(indication.map(adults).to_numpy(), index=zero.index).astype("datetime64[ns]")
    minor = infused & (age > 0) & (age < ADULT)
    dm.report("MINORSBEFOREADULTS", minor & ~(first <= zero), "AGE", indication=indication)


def _check_cohorts(dm: Domain, zero: pd.Series, zero_text: pd.Series, period: float) -> None:
    """Find subjects of a cohort of the escalation who came before the one below was observed.

    Cohorts are in the order of their first infusion; subjects of the expansion do not count.
    """
    cohort = dm.frame["COHORT"]
    part = dm.frame["PART"]
    infused = dm.active & zero.notna() & (cohort != "") & part.isin([ESCALATION, ""])
    times = zero[infused].groupby(cohort[infused])
    starts = times.min().sort_values(kind="stable")
    ends = (times.max() + pd.Timedelta(days=period)).reindex(starts.index)
    before = pd.Series(starts.index, index=starts.index).shift(1).fillna("")
    end = pd.Series(cohort.map(ends.shift(1)).to_numpy(), index=zero.index)
    end = end.astype("datetime64[ns]")
    dm.report(
        "COHORTORDER",
        infused & (zero.dt.floor("D") < end.dt.floor("D")),
        "COHORT",
        date=zero_text,
        before=cohort.map(before).fillna(""),
        end=end.dt.strftime("%Y-%m-%d").fillna(""),
    )
