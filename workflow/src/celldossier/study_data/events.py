"""Adverse events and medication: checks, and the datasets ADAE and ADCM."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import is_before
from celldossier.study_data.samples import flag
from celldossier.study_data.subjects import Subjects

HIGHEST_GRADE = 5


def derive_adae(ae: Domain, subjects: Subjects, settings: StudyDataSettings) -> pd.DataFrame:
    """Dataset ADAE: one record an adverse event.

    An event is treatment-emergent if it started at or after the first infusion;
    where only a partial date is known, if its last possible day is not before it. An
    event that had ended before the infusion is not, whatever its start may mean.
    """
    grade = ae.numbers["AETOXGR"]
    wrong = ae.active & grade.notna() & ~grade.isin(range(HIGHEST_GRADE + 1))
    ae.report("GRADERANGE", wrong, "AETOXGR")
    term = ae.frame["AEDECOD"]
    special = classify(term, settings.safety.events_of_special_interest)
    blank = ae.active & (special != "") & (ae.frame["AETOXGR"] == "")
    ae.report("GRADEMISSING", blank, "AETOXGR", value=term)
    start, end = ae.dates["AESTDTC"], ae.dates["AEENDTC"]
    days = subjects.days(start, ae.subject)
    zero = subjects.of(ae.subject, "zero")
    possible = start.partial & (start.last_day >= zero.dt.floor("D"))
    timed = pd.Series(True, index=zero.index)
    over = is_before(end, zero, timed) | (end.partial & (end.last_day < zero.dt.floor("D")))
    frame = pd.DataFrame(
        {
            "USUBJID": ae.subject,
            "AETERM": ae.frame["AETERM"],
            "AEDECOD": term,
            "AEBODSYS": ae.frame["AEBODSYS"],
            "AESCAT": ae.frame["AESCAT"],
            "ATOXGRN": grade.where(~wrong),
            "AESER": ae.frame["AESER"],
            "AESI": special,
            "ASTDTM": start.text,
            "AENDTM": end.text,
            "ASTDTF": start.imputed,
            "AENDTF": end.imputed,
            "ASTDY": days,
            "AENDY": subjects.days(end, ae.subject),
            "TRTEMFL": flag(((days >= 0) | possible) & ~over),
            **ae.trace,
        }
    )
    return frame[ae.active].reset_index(drop=True)


def derive_adcm(cm: Domain, subjects: Subjects, settings: StudyDataSettings) -> pd.DataFrame:
    """Dataset ADCM: one record a concomitant medication; those without a start are excluded."""
    start = cm.dates["CMSTDTC"]
    missing = cm.active & (start.text == "")
    cm.report("TIMEMISSING", missing, "CMSTDTC")
    cm.exclude(missing, "NOTIME")
    name = cm.frame["CMDECOD"]
    frame = pd.DataFrame(
        {
            "USUBJID": cm.subject,
            "CMTRT": cm.frame["CMTRT"],
            "CMDECOD": name,
            "CMCAT": cm.frame["CMCAT"],
            "CMCLASS": classify(name, settings.medication_classes),
            "CMINDC": cm.frame["CMINDC"],
            "CMDOSE": cm.numbers["CMDOSE"],
            "CMDOSU": cm.frame["CMDOSU"],
            "ASTDTM": start.text,
            "AENDTM": cm.dates["CMENDTC"].text,
            "ASTDTF": start.imputed,
            "AENDTF": cm.dates["CMENDTC"].imputed,
            "ASTDY": subjects.days(start, cm.subject),
            **cm.trace,
        }
    )
    return frame[cm.active].reset_index(drop=True)


def classify(terms: pd.Series, classes: Mapping[str, tuple[str, ...]]) -> pd.Series:
    """Class of each term, in any case of letters; "" where it is of none."""
    known = {term.casefold(): name for name, members in classes.items() for term in members}
    return terms.str.casefold().map(known).fillna("").astype(object)
