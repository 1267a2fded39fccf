"""Faults of amounts of cells, of the course of dosing and of the lots given."""

from __future__ import annotations

from fault_cases import Fault, cell, cells, copy
from small_study import SmallStudy


def _dose_of_unknown_weight(study: SmallStudy) -> None:
    study.set("DM", 1, "WTBL", "")
    for row in (2, 3):
        study.set("EX", row, "EXDOSU", "10^6 cells/kg")
        for column in ("EXDOSE", "EXPDOSE"):
            study.set("EX", row, column, "2")


def _shares_for_percentages(study: SmallStudy) -> None:
    study.set("LOTS", 1, "VIABPCT", "0.85")
    study.set("LOTS", 2, "VIABPCT", "0.9")


FAULTS = [
    Fault("PLANNEDDOSEMISSING", cell("EX", 3, "EXPDOSE", ""), "EX", 3, "EXPDOSE", "", "warning"),
    Fault(
        "DOSECONTRADICTION",
        cells(("EX", 2, "EXDOSVIA", "120"), ("EX", 2, "EXDOSTOT", "110")),
        *("EX", 2, "EXDOSE", "98"),
    ),
    Fault("DOSEBASIS", cell("EX", 2, "EXDOSTGP", "90"), "EX", 2, "EXDOSE", "98", "warning"),
    Fault(
        "DOSEPERKG",
        cells(("EX", 2, "EXDOSE", "98000"), ("EX", 2, "EXPDOSE", "100000")),
        *("EX", 2, "EXDOSE", "98000", "warning"),
    ),
    Fault(
        "DOSESAMEDAY",
        copy("EX", 2, EXSTDTC="2024-03-01T15:00", EXENDTC="2024-03-01T15:20"),
        *("EX", 4, "EXSTDTC", "2024-03-01T15:00", "warning"),
    ),
    Fault(
        "INFUSIONLONG",
        cell("EX", 2, "EXENDTC", "2024-03-01T15:00"),
        *("EX", 2, "EXENDTC", "2024-03-01T15:00", "warning"),
    ),
    Fault(
        "DOSEUNPLANNED",
        copy("EX", 2, EXSTDTC="2024-05-01T10:00", EXENDTC="", EXPLFL="N"),
        *("EX", 4, "EXSTDTC", "2024-05-01T10:00", "warning"),
    ),
    Fault(
        "DOSEINTERVAL",
        copy("EX", 2, EXSTDTC="2024-05-01T10:00", EXENDTC="", EXTPTNUM="28", EXPLFL="Y"),
        *("EX", 4, "EXSTDTC", "2024-05-01T10:00", "warning"),
    ),
    Fault("LOTMISSING", cell("EX", 3, "EXLOT", ""), "EX", 3, "EXLOT", "", "warning"),
    Fault("LOTOTHERSUBJECT", cell("LOTS", 2, "USUBJID", "A"), "EX", 3, "EXLOT", "L2"),
    Fault(
        "DOSEBEFOREMADE",
        cell("LOTS", 2, "MFGDTC", "2024-04-02"),
        *("EX", 3, "EXSTDTC", "2024-04-01T12:00"),
    ),
    Fault(
        "DOSEBEFORERELEASE",
        cell("LOTS", 2, "RELDTC", "2024-04-02"),
        *("EX", 3, "EXSTDTC", "2024-04-01T12:00", "warning"),
    ),
    Fault("LOTPROCESS", copy("LOTS", 2, PROCESS="P1"), "LOTS", 3, "PROCESS", "P1"),
    Fault("LOTWITHOUTSUBJECT", cell("LOTS", 2, "USUBJID", ""), "LOTS", 2, "USUBJID", "", "warning"),
    Fault("LOTPROCESSBLANK", cell("LOTS", 2, "PROCESS", ""), "LOTS", 2, "PROCESS", "", "warning"),
    Fault("LOTPERCENT", cell("LOTS", 2, "VIABPCT", "870"), "LOTS", 2, "VIABPCT", "870"),
    Fault(
        "LOTMEMORY",
        cells(("LOTS", 2, "TCMPCT", "70"), ("LOTS", 2, "TEMPCT", "40")),
        *("LOTS", 2, "LOTID", "L2", "warning"),
    ),
    Fault("LOTVCN", cell("LOTS", 2, "VCN", "30"), "LOTS", 2, "VCN", "30", "warning"),
    Fault(
        "LOTNOTINFUSED",
        copy("LOTS", 2, LOTID="L3"),
        *("LOTS", 3, "LOTID", "L3", "note"),
    ),
    Fault("VEINTOVEIN", cell("LOTS", 2, "VEINVEIN", "30"), "LOTS", 2, "VEINVEIN", "30", "warning"),
    Fault("NOTABOVEZERO", cell("DM", 1, "AGE", "-4"), "DM", 1, "AGE", "-4"),
    Fault("NOTABOVEZERO", cell("DM", 1, "WTBL", "0"), "DM", 1, "WTBL", "0"),
    Fault("BMIRANGE", cell("DM", 1, "WTBL", "200"), "DM", 1, "WTBL", "200", "warning"),
    Fault("SEXUNKNOWN", cell("DM", 1, "SEX", "U"), "DM", 1, "SEX", "U", "warning"),
    Fault("AGEBIRTH", cell("DM", 1, "BRTHDTC", "1970-05-01"), "DM", 1, "AGE", "45", "warning"),
    Fault(
        "DEATHBEFORECONSENT",
        cell("DM", 3, "DTHDTC", "2024-01-30"),
        *("DM", 3, "DTHDTC", "2024-01-30"),
    ),
    Fault(
        "LEUKAFTERINFUSION",
        cell("DM", 2, "LEUKDTC", "2024-04-05"),
        *("DM", 2, "LEUKDTC", "2024-04-05"),
    ),
    Fault(
        "LEUKBEFORECONSENT",
        cell("DM", 2, "LEUKDTC", "2024-01-05"),
        *("DM", 2, "LEUKDTC", "2024-01-05", "warning"),
    ),
    Fault("ACTARMUNKNOWN", cell("DM", 1, "ACTARM", "DL9"), "DM", 1, "ACTARM", "DL9", "warning"),
    Fault(
        "MINORSBEFOREADULTS",
        cell("DM", 2, "INDIC", "AML"),
        *("DM", 2, "AGE", "17", "warning"),
    ),
    Fault(
        "LDAFTERINFUSION",
        cells(("EX", 1, "EXSTDTC", "2024-03-03"), ("EX", 1, "EXENDTC", "2024-03-03")),
        *("EX", 1, "EXSTDTC", "2024-03-03", "warning"),
    ),
    Fault(
        "LDTOOEARLY",
        cells(("EX", 1, "EXSTDTC", "2024-02-10"), ("EX", 1, "EXENDTC", "2024-02-10")),
        *("EX", 1, "EXSTDTC", "2024-02-10", "warning"),
    ),
    Fault(
        "LDFREQUENCY",
        cell("EX", 1, "EXENDTC", "2024-02-28"),
        *("EX", 1, "EXENDTC", "2024-02-28", "warning"),
    ),
    Fault(
        "DOSECONVERTED",
        cells(
            *(("EX", 3, name, "2.1") for name in ("EXDOSE", "EXPDOSE")),
            ("EX", 3, "EXDOSU", "10^8 cells"),
        ),
        *("EX", 3, "EXDOSU", "10^8 cells", "note"),
    ),
    Fault("LDDOSE", cell("EX", 1, "EXDOSE", "25"), "EX", 1, "EXDOSE", "25", "warning"),
    Fault(
        "LOTNOTRELEASED", cell("LOTS", 2, "RELSTAT", "FAILED"), "EX", 3, "EXLOT", "L2", "warning"
    ),
]

WHOLE_FILE_FAULTS = [
    Fault("DOSENOBODY", _dose_of_unknown_weight, "EX", 2, "EXDOSU", "10^6 cells/kg", "warning"),
    Fault("LOTSHARE", _shares_for_percentages, "LOTS", None, "VIABPCT", ""),
]

FOLLOWS = {
    # A lot of somebody who is not in the study is one of somebody else.
    "LOTSUBJECT": {"LOTOTHERSUBJECT"},
    # 210 single cells are less than anybody is given.
    "DOSEUNITMIXED": {"DOSEPERKG"},
    # Two processes of one lot stand in two rows.
    "LOTPROCESS": {"LOTDUPLICATE"},
    # A lot that the infusion does not name was given to nobody.
    "LOTUNKNOWN": {"LOTNOTINFUSED"},
    "NOTINCODELIST": {"LOTNOTINFUSED"},
    "LOTMISSING": {"LOTNOTINFUSED"},
    "DOSEDATEPARTIAL": {"LOTNOTINFUSED"},
    # Whatever follows such a death comes after it.
    "DEATHBEFORECONSENT": {"DISPOSITIONAFTERDEATH", "RECORDAFTERDEATH"},
}

SINGLE = {
    "DOSEDERIVED": "test_doses.py::test_an_amount_comes_from_the_lot_with_a_note",
    "DOSEWINDOWBASIS": "test_doses.py::test_each_basis_has_its_plan_and_its_window",
    "LOTOUTOFSPEC": "test_lots.py::test_a_lot_outside_its_specification_is_flagged",
    "ARMUNKNOWN": "test_baseline.py::test_an_arm_that_the_protocol_does_not_have_is_an_error",
    "COHORTORDER": "test_baseline.py::test_a_cohort_waits_for_the_one_before",
    "LDMISSING": "test_lymphodepletion.py::test_a_subject_without_a_drug_of_the_regimen_is_found",
    "LOTEXPIRED": "test_doses.py::test_a_lot_beyond_its_shelf_life_is_found",
}
