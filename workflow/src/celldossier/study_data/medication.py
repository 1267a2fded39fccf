"""Concomitant medication: classes, steroid equivalents, timing to CRS and ICANS; dataset ADCM."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.astct import LONGEST_COURSE
from celldossier.study_data.classes import (
    classify_medications,
    find_medication_near_misses,
    strip_salts,
)
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import calendar_days
from celldossier.study_data.samples import flag
from celldossier.study_data.subjects import Subjects

STEROID = "STEROID"
RELATIONS = {"CRS": ("CRSRELDY", "CRSRELFL"), "ICANS": ("ICNRELDY", "ICNRELFL")}
"""Days from the onset of an event, and whether before or after it."""
STEROIDS = ("DEXAMETHASONE", "PREDNISONE")
"""The two steroids in whose equivalents a dose is given."""


def derive_adcm(cm: Domain, subjects: Subjects, settings: StudyDataSettings) -> pd.DataFrame:
    """Dataset ADCM: one record a concomitant medication; those without a start are excluded.

    The relation to CRS and ICANS is added by `relate_to_events`.
    """
    start, end = cm.dates["CMSTDTC"], cm.dates["CMENDTC"]
    missing = cm.active & (start.text == "")
    cm.report("TIMEMISSING", missing, "CMSTDTC")
    cm.exclude(missing, "NOTIME")
    name = cm.frame["CMDECOD"]
    terms = read_resource("terms", "medication_classes.yaml")
    group = classify_medications(name, settings)
    local = cm.frame["CMROUTE"].str.upper().isin(terms["local_routes"])
    looks = find_medication_near_misses(name, settings)
    near = cm.active & (group == "") & (looks != "") & ~local
    cm.report("MEDICATIONNEARMISS", near, "CMDECOD", group=looks)
    days = subjects.days(start, cm.subject)
    frame = pd.DataFrame(
        {
            "USUBJID": cm.subject,
            "CMTRT": cm.frame["CMTRT"],
            "CMDECOD": name,
            "CMCAT": cm.frame["CMCAT"],
            # A steroid that acts where it is applied is no rescue.
            "CMCLASS": group.mask((group == STEROID) & local, ""),
            "CMINDC": cm.frame["CMINDC"],
            "CMDOSE": cm.numbers["CMDOSE"],
            "CMDOSU": cm.frame["CMDOSU"],
            "CMDOSFRQ": cm.frame["CMDOSFRQ"],
            "CMROUTE": cm.frame["CMROUTE"],
            "ASTDTM": start.text,
            "AENDTM": end.text,
            "ASTDTF": start.imputed,
            "AENDTF": end.imputed,
            "ASTDY": days,
            "AENDY": subjects.days(end, cm.subject),
            "STDAY": calendar_days(start, subjects.of(cm.subject, "zero")),
            "ENDAY": calendar_days(end, subjects.of(cm.subject, "zero")),
            "DURDAYS": (end.time.dt.floor("D") - start.time.dt.floor("D")).dt.days + 1.0,
            **cm.trace,
        }
    )
    early = cm.active & (frame["CMCLASS"] == "TOCILIZUMAB") & (days < 0)
    cm.report("RESCUEBEFOREDOSE", early, "CMSTDTC", medication=name)
    return _add_doses(frame[cm.active].reset_index(drop=True))


def _add_doses(frame: pd.DataFrame) -> pd.DataFrame:
    """Steroid doses in equivalents, their sum from the infusion on, and the first of a class."""
    dose, reason = convert_steroids(frame)
    steroid = frame["CMCLASS"] == STEROID
    frame = frame.assign(DEXEQ=dose, DOSERSN=reason)
    equivalents = read_resource("terms", "medication_classes.yaml")["steroid_equivalents"]
    ratio = equivalents[STEROIDS[1]] / equivalents[STEROIDS[0]]
    order = frame.sort_values(["USUBJID", "ASTDY", "SRCROW"], kind="stable")
    after = (order["CMCLASS"] == STEROID) & (order["ASTDY"] >= 0)
    # A sum over doses of which one is not known is not known either.
    total = order["DEXEQ"].where(after).groupby(order["USUBJID"]).cumsum()
    open_ = (after & order["DEXEQ"].isna()).groupby(order["USUBJID"]).cumsum() > 0
    total = total.where(after & ~open_).reindex(frame.index)
    first = (order["CMCLASS"] != "") & (order["ASTDY"] >= 0)
    first &= ~order[first].duplicated(["USUBJID", "CMCLASS"]).reindex(order.index, fill_value=True)
    return frame.assign(
        PREDEQ=frame["DEXEQ"] * ratio,
        DEXEQCUM=total.where(steroid),
        FRSTFL=flag(first.reindex(frame.index)),
    )


def convert_steroids(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Dose of a steroid record in mg of dexamethasone, or the reason why there is none.

    A record of one day is one dose, or as many as its frequency says; one of several
    days needs the frequency. The dose of a salt or an ester counts as that of the steroid.
    """
    terms = read_resource("terms", "medication_classes.yaml")
    base = terms["steroid_equivalents"][STEROIDS[0]]
    name, equivalents = frame["CMDECOD"].str.upper(), terms["steroid_equivalents"]
    factor = name.map(equivalents).fillna(strip_salts(name).map(equivalents)).astype("float64")
    units = {unit.casefold(): value for unit, value in terms["dose_units"].items()}
    unit = frame["CMDOSU"].str.strip().str.casefold().map(units).astype("float64")
    a_day = frame["CMDOSFRQ"].str.upper().map(terms["doses_per_day"]).astype("float64")
    once = frame["CMDOSFRQ"].str.upper() == "ONCE"
    length = frame["DURDAYS"]
    single = length.eq(1) & (frame["CMDOSFRQ"] == "")
    count = (a_day * length).mask(once | single, 1.0)
    steroid = frame["CMCLASS"] == STEROID
    rules = [
        (frame["CMDOSE"].isna(), "NODOSE"),
        (unit.isna(), "DOSEUNIT"),
        (factor.isna(), "NOEQUIV"),
        (length.isna() & ~once, "NODURN"),
        (count.isna(), "NOFREQ"),
    ]
    reason = np.select([rule for rule, _ in rules], [code for _, code in rules], default="")
    reasons = pd.Series(reason, index=frame.index, dtype=object).where(steroid, "")
    dose = frame["CMDOSE"] * unit * count * base / factor
    return dose.where(steroid & (reasons == "")), reasons


def days_that_mask_fever(adcm: pd.DataFrame) -> pd.DataFrame:
    """Days of treatment after which CRS is graded without fever: ``USUBJID``, ``ADY``.

    A medication of several days counts on each of them. One without an end goes on,
    unless it was given once.
    """
    classes = read_resource("terms", "medication_classes.yaml")["mask_fever"]
    given = adcm[adcm["CMCLASS"].isin(classes) & adcm["STDAY"].notna()]
    once = given["CMDOSFRQ"].str.upper() == "ONCE"
    first = given["STDAY"].clip(lower=0)
    # Long-term medication is cut: no course of CRS lasts that long.
    longest = first + LONGEST_COURSE
    last = given["ENDAY"].fillna(given["STDAY"].where(once, longest)).clip(upper=longest)
    given = given.assign(FIRST=first, LAST=last)[last >= first]
    lengths = (given["LAST"] - given["FIRST"] + 1).astype(int)
    rows = given.loc[given.index.repeat(lengths), ["USUBJID", "FIRST"]]
    step = rows.groupby(level=0).cumcount()
    return pd.DataFrame({"USUBJID": rows["USUBJID"], "ADY": rows["FIRST"] + step}).reset_index(
        drop=True
    )


def relate_to_events(adcm: pd.DataFrame, adaesi: pd.DataFrame) -> pd.DataFrame:
    """Add the days from the onset of CRS and ICANS to the start of each medication.

    The onset is that of the subject's first episode after the infusion; a medication
    on the day of an onset that has no time of day counts as after it.
    """
    for event, (day, relation) in RELATIONS.items():
        own = adaesi[(adaesi["AESI"] == event) & adaesi["ASTDY"].notna()]
        onset = adcm["USUBJID"].map(own.groupby("USUBJID")["ASTDY"].min()).astype("float64")
        distance = adcm["ASTDY"] - onset
        before = np.where(distance < 0, "BEFORE", "AFTER")
        text = pd.Series(before, index=adcm.index, dtype=object).where(distance.notna(), "")
        adcm = adcm.assign(**{day: distance, relation: text})
    return adcm.drop(columns=["STDAY", "ENDAY", "DURDAYS"])


def check_indications(cm: Domain, adcm: pd.DataFrame, adaesi: pd.DataFrame) -> None:
    """Find medication given because of CRS or ICANS to subjects without such an event."""
    words = read_resource("terms", "special_interest.yaml")
    indication = cm.frame["CMINDC"].str.upper()
    for event in RELATIONS:
        meant = indication.isin([event, *words[event]["terms"]])
        have = set(adaesi.loc[adaesi["AESI"] == event, "USUBJID"])
        lone = cm.active & meant & ~cm.subject.isin(have) & cm.subject.isin(adcm["USUBJID"])
        cm.report("RESCUEWITHOUTEVENT", lone, "CMINDC", event=event)
