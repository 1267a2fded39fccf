"""Faults of doses and lots."""

from __future__ import annotations

from fault_cases import Fault, cell, copy
from small_study import SmallStudy


def hide_infusions(study: SmallStudy) -> None:
    """Take every infusion for something else."""
    study.tables["EX"] = study.tables["EX"].assign(EXCAT="OTHER")


def forget_the_hour(study: SmallStudy) -> None:
    """Give an infusion without time of day, and one sample only on its day."""
    study.set("EX", 2, "EXSTDTC", "2024-03-01")
    study.set("IS", 1, "ISDTC", "2024-02-29T08:00")


FAULTS = [
    Fault("DOSEDUPLICATE", copy("EX", 2), "EX", 4, "EXSTDTC", "2024-03-01T10:00"),
    Fault("DOSENOTPOSITIVE", cell("EX", 2, "EXDOSE", "0"), "EX", 2, "EXDOSE", "0"),
    Fault("DOSENOTPOSITIVE", cell("EX", 3, "EXDOSE", ""), "EX", 3, "EXDOSE", ""),
    Fault("DOSEDATEPARTIAL", cell("EX", 2, "EXSTDTC", "2024-03"), "EX", 2, "EXSTDTC", "2024-03"),
    Fault(
        "DOSETIMEMISSING",
        cell("EX", 2, "EXSTDTC", "2024-03-01"),
        *("EX", 2, "EXSTDTC", "2024-03-01", "warning"),
    ),
    Fault(
        "INFUSIONHOURUNKNOWN",
        forget_the_hour,
        *("PC", 1, "PCDTC", "2024-03-01T09:00", "warning"),
    ),
    Fault(
        "DOSEBEFORECONSENT",
        cell("EX", 1, "EXSTDTC", "2024-01-01"),
        "EX",
        1,
        "EXSTDTC",
        "2024-01-01",
    ),
    Fault("DOSEUNITMIXED", cell("EX", 3, "EXDOSU", "cells"), "EX", 3, "EXDOSU", "cells"),
    Fault("DOSEWINDOW", cell("EX", 3, "EXDOSE", "250"), "EX", 3, "EXDOSE", "250", "warning"),
    Fault(
        "NOTRELEASEDINFUSED",
        cell("DM", 2, "MFGSTAT", "FAILED"),
        "EX",
        3,
        "EXLOT",
        "FAILED",
        "warning",
    ),
    Fault("LOTUNKNOWN", cell("EX", 3, "EXLOT", "L9"), "EX", 3, "EXLOT", "L9", "warning"),
    Fault("LOTDUPLICATE", copy("LOTS", 2), "LOTS", 3, "LOTID", "L2"),
    Fault("LOTSUBJECT", cell("LOTS", 2, "USUBJID", "Z"), "LOTS", 2, "USUBJID", "Z", "warning"),
]

WHOLE_FILE_FAULTS = [
    Fault("NOINFUSEDSUBJECT", hide_infusions, "EX", None, "", ""),
]

FOLLOWS = {
    # A partial date is named as such too; without time zero there is no sample.
    "DOSEDATEPARTIAL": {"DATEPARTIAL"},
    # Samples of that day are placed by their plan.
    "DOSETIMEMISSING": {"INFUSIONHOURUNKNOWN"},
    "INFUSIONHOURUNKNOWN": {"DOSETIMEMISSING"},
}
