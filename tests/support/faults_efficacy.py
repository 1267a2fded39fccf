"""Faults of response, disposition and time to event."""

from __future__ import annotations

from fault_cases import Fault, cell
from small_study import SmallStudy


def _test_for_residual_disease(study: SmallStudy) -> None:
    study.options = {"efficacy": {"mrd": {"response_tests": ["MRD"]}}}
    study.set("RS", 2, "RSTESTCD", "MRD")


def _recovery_in_another_unit(study: SmallStudy) -> None:
    rule = {"analyte": "IL6", "at_least": 20, "unit": "cells/uL"}
    study.options = {"efficacy": {"time_to_event": {"recoveries": {"BCREC": rule}}}}


FAULTS = [
    Fault("RESPONSEUNKNOWN", cell("RS", 2, "RSSTRESC", "GOOD"), "RS", 2, "RSSTRESC", "GOOD"),
    Fault("TIMEMISSING", cell("DS", 3, "DSSTDTC", ""), "DS", 3, "DSSTDTC", "", "warning"),
]

WHOLE_FILE_FAULTS = [
    Fault("MRDUNKNOWN", _test_for_residual_disease, "RS", 2, "RSSTRESC", "SD"),
    Fault("RECOVERYUNIT", _recovery_in_another_unit, "LB", None, "", "IL6"),
]
