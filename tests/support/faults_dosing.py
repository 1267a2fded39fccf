"""Faults of amounts of cells, of the course of dosing and of the lots given."""

from __future__ import annotations

from fault_cases import Fault, cell, cells, copy

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
    Fault(
        "LOTNOTRELEASED", cell("LOTS", 2, "RELSTAT", "FAILED"), "EX", 3, "EXLOT", "L2", "warning"
    ),
]

FOLLOWS = {
    # A lot of somebody who is not in the study is one of somebody else.
    "LOTSUBJECT": {"LOTOTHERSUBJECT"},
    # 210 single cells are less than anybody is given.
    "DOSEUNITMIXED": {"DOSEPERKG"},
}

SINGLE = {
    "DOSEDERIVED": "test_doses.py::test_an_amount_comes_from_the_lot_with_a_note",
    "DOSEWINDOWBASIS": "test_doses.py::test_each_basis_has_its_plan_and_its_window",
    "LOTEXPIRED": "test_doses.py::test_a_lot_beyond_its_shelf_life_is_found",
}
