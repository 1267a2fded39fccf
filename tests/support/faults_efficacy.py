"""Faults of response, disposition and time to event."""

from __future__ import annotations

from fault_cases import Fault, cell, cells, copy
from small_study import SmallStudy

NEW_THERAPY = {"medication_classes": {"NEW_THERAPY": ["BLINATUMOMAB"]}}


def _test_for_residual_disease(study: SmallStudy) -> None:
    study.options = {"efficacy": {"mrd": {"response_tests": ["MRD"]}}}
    study.set("RS", 2, "RSTESTCD", "MRD")


def _residual_disease_in_complete_response(study: SmallStudy) -> None:
    study.options = {"efficacy": {"mrd": {"response_tests": ["MRD"]}}}
    study.set("RS", 3, "RSSTRESC", "CR")
    study.repeat("RS", 3, {"RSTESTCD": "MRD", "RSSTRESC": "Positive"})


def _recovery_in_another_unit(study: SmallStudy) -> None:
    rule = {"analyte": "IL6", "at_least": 20, "unit": "cells/uL"}
    study.options = {"efficacy": {"time_to_event": {"recoveries": {"BCREC": rule}}}}


def _low_after_recovery(study: SmallStudy) -> None:
    # The baseline of 6 is low, the 80 on day 4 recovered.
    rule = {"analyte": "IL6", "at_least": 20, "unit": "pg/mL"}
    study.options = {"efficacy": {"time_to_event": {"recoveries": {"BCREC": rule}}}}
    study.repeat("LB", 3, {"LBORRES": "9", "LBDTC": "2024-03-20T08:00"})


def _therapy_before_the_product(study: SmallStudy) -> None:
    study.options = NEW_THERAPY
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": "2024-02-01"})


def _therapy_of_a_partial_date(study: SmallStudy) -> None:
    study.options = NEW_THERAPY
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": "2024-03"})


def _therapy_without_a_date(study: SmallStudy) -> None:
    study.options = NEW_THERAPY
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": ""})


def _relapse_of_myeloma(study: SmallStudy) -> None:
    study.options = {"efficacy": {"response_criteria": {"ALL": "IMWG2016"}}}
    study.set("RS", 2, "RSSTRESC", "PR")
    study.set("RS", 4, "RSSTRESC", "Clinical relapse")


def _two_evaluators(study: SmallStudy) -> None:
    study.set("RS", 2, "RSEVAL", "INVESTIGATOR")
    study.set("RS", 3, "RSEVAL", "INDEPENDENT ASSESSOR")


def _two_criteria(study: SmallStudy) -> None:
    study.options = {
        "efficacy": {"response_criteria": {"RECIST": "RECIST11", "LUGANO": "LUGANO2014"}}
    }
    for row in (1, 2, 3, 5):
        study.set("RS", row, "RSCAT", "RECIST")
    study.set("RS", 4, "RSCAT", "LUGANO")


def _missed_assessments(study: SmallStudy) -> None:
    days = {"assessment_days": [28, 92, 120, 150, 184], "assessment_window": 7}
    study.options = {"efficacy": {"time_to_event": days}}
    # Subject B dies on day 70: only day 28 was planned before.


def _never_assessed(study: SmallStudy) -> None:
    study.set("RS", 5, "RSDTC", "2024-03-20")


FAULTS = [
    Fault("RESPONSEUNKNOWN", cell("RS", 2, "RSSTRESC", "GOOD"), "RS", 2, "RSSTRESC", "GOOD"),
    Fault("TIMEMISSING", cell("DS", 3, "DSSTDTC", ""), "DS", 3, "DSSTDTC", "", "warning"),
    Fault(
        "RESPONSEBEFOREDOSE",
        cell("RS", 1, "RSTPTNUM", "28"),
        *("RS", 1, "RSDTC", "2024-02-20"),
    ),
    Fault("RESPONSEDIFFERS", copy("RS", 2, RSSTRESC="PR"), "RS", 6, "RSSTRESC", "PR"),
    Fault(
        "RESPONSEAFTERPD",
        copy("RS", 3, RSDTC="2024-10-01"),
        *("RS", 6, "RSSTRESC", "PR", "warning"),
    ),
    Fault(
        "RELAPSEUNFOUNDED",
        cells(("RS", 3, "RSSTRESC", "SD"), ("RS", 4, "RSSTRESC", "RELAPSE")),
        *("RS", 4, "RSSTRESC", "RELAPSE", "warning"),
    ),
    Fault("RECORDAFTERDEATH", cell("RS", 5, "RSDTC", "2024-06-11"), "RS", 5, "RSDTC", "2024-06-11"),
    Fault(
        "RECORDAFTERDEATH",
        cell("CM", 2, "CMSTDTC", "2024-07-01"),
        *("CM", 2, "CMSTDTC", "2024-07-01"),
    ),
    Fault(
        "DISPOSITIONAFTERDEATH",
        copy("DS", 1, USUBJID="B"),
        *("DS", 4, "DSSTDTC", "2024-12-01", "warning"),
    ),
    Fault(
        "DEATHDIFFERS",
        cell("DS", 2, "DSSTDTC", "2024-06-09"),
        *("DS", 2, "DSSTDTC", "2024-06-09", "warning"),
    ),
    Fault(
        "DEATHNOTINDM",
        cell("DM", 2, "DTHDTC", ""),
        *("DS", 2, "DSSTDTC", "2024-06-10", "warning"),
    ),
    Fault(
        "CONTACTTOOEARLY",
        copy("DS", 1, DSDECOD="Last contact", DSSTDTC="2024-08-01"),
        *("DS", 4, "DSSTDTC", "2024-08-01", "warning"),
    ),
]

WHOLE_FILE_FAULTS = [
    Fault("MRDUNKNOWN", _test_for_residual_disease, "RS", 2, "RSSTRESC", "SD"),
    Fault(
        "CRRESIDUAL", _residual_disease_in_complete_response, "RS", 3, "RSSTRESC", "CR", "warning"
    ),
    Fault("RECOVERYUNIT", _recovery_in_another_unit, "LB", None, "", "IL6"),
    Fault("LOWAGAIN", _low_after_recovery, "LB", 6, "LBORRES", "9", "note"),
    Fault(
        "NEWTHERAPYEARLY",
        _therapy_before_the_product,
        *("CM", 3, "CMSTDTC", "2024-02-01", "warning"),
    ),
    Fault(
        "NEWTHERAPYPARTIAL",
        _therapy_of_a_partial_date,
        *("CM", 3, "CMSTDTC", "2024-03", "warning"),
    ),
    Fault("NEWTHERAPYUNDATED", _therapy_without_a_date, "CM", 3, "CMSTDTC", "", "warning"),
    Fault("RELAPSENOEVENT", _relapse_of_myeloma, "RS", 4, "RSSTRESC", "Clinical relapse", "note"),
    Fault(
        "EVALUATORMIXED",
        _two_evaluators,
        *("RS", None, "RSEVAL", "INDEPENDENT ASSESSOR, INVESTIGATOR", "warning"),
    ),
    Fault("RESPONSEMIXED", _two_criteria, "RS", 4, "RSCAT", "LUGANO", "warning"),
    Fault("ASSESSMENTSMISSED", _missed_assessments, "RS", None, "", "2", "warning"),
    Fault("RESPONSEMISSING", _never_assessed, "RS", None, "", "", "warning"),
    Fault(
        "DISPOSITIONMISSING",
        cell("DS", 1, "DSDECOD", "PROTOCOL MILESTONE"),
        *("DS", None, "", "", "warning"),
    ),
    Fault(
        "DISPOSITIONOTHER",
        cell("DS", 3, "DSDECOD", "RANDOMIZED"),
        *("DS", 3, "DSDECOD", "RANDOMIZED", "note"),
    ),
]

FOLLOWS = {
    "RESPONSEDIFFERS": {"SAMPLEDUPLICATE"},
    "DISPOSITIONMISSING": {"DISPOSITIONOTHER"},
    "NEWTHERAPYPARTIAL": {"DATEPARTIAL"},
    "NEWTHERAPYUNDATED": {"TIMEMISSING"},
    "DEATHBEFOREDOSE": {"DEATHDIFFERS"},
    # The infusion is moved to the change of the clock, after the death of its subject.
    "TIMEAMBIGUOUS": {"RECORDAFTERDEATH"},
    # A date of death that is moved or added is late to other records.
    "DEATHINEVENT": {"RECORDAFTERDEATH", "DISPOSITIONAFTERDEATH"},
}
