"""Faults across domains, and of whole files and tests."""

from __future__ import annotations

from fault_cases import Fault, cell, cells, copy
from small_study import SmallStudy

W = "warning"


def add_column(domain: str, name: str, value: str) -> object:
    """Add a column with the same text in every row."""
    return lambda study: study.tables.update({domain: study.tables[domain].assign(**{name: value})})


def rename(domain: str, old: str, new: str) -> object:
    """Give a column another name."""
    return lambda study: study.tables.update(
        {domain: study.tables[domain].rename(columns={old: new})}
    )


def freeze(study: SmallStudy) -> None:
    """Give every subject of DM, five in all, the same two results."""
    for number in range(4):
        study.repeat("DM", 1, {"USUBJID": f"F{number}"})
        for day in ("05", "06", "07"):
            study.repeat("LB", 1, {"USUBJID": f"F{number}", "LBDTC": f"2024-03-{day}"})
    study.tables["LB"] = study.tables["LB"].assign(LBORRES="5")


FAULTS = [
    Fault("KEYDUPLICATE", copy("CM", 2, CMTRT="Panadol"), "CM", 3, "", "", "note"),
    Fault(
        "TIMECONTRADICTS",
        cell("PC", 5, "PCDTC", "2024-05-11T12:00"),
        *("PC", 5, "PCDTC", "2024-05-11T12:00", W),
    ),
    Fault(
        "VISITORDER",
        cell("PC", 2, "PCTPTNUM", "29"),
        *("PC", 2, "PCDTC", "2024-03-08T10:00", W),
    ),
    Fault(
        "VISITDATESDIFFER",
        cells(
            ("PC", 2, "VISIT", "WEEK 1"),
            ("LB", 3, "VISIT", "WEEK 1"),
            ("LB", 3, "LBDTC", "2024-03-18"),
        ),
        *("PC", 2, "PCDTC", "2024-03-08T10:00", W),
    ),
    Fault(
        "SUBJECTNORECORD",
        copy("DM", 3, USUBJID="D", NOINFRSN=""),
        *("DM", 4, "USUBJID", "D", W),
    ),
]

WHOLE_FILE_FAULTS = [
    Fault("RECORDDUPLICATE", copy("CM", 2), "CM", 3, "", "", W),
    Fault("BLANKSAROUND", cell("AE", 2, "AETERM", "Nausea "), "AE", 2, "AETERM", "Nausea ", "note"),
    Fault(
        "NONPRINTING",
        cell("AE", 2, "AETERM", "Nau\u200bsea"),
        *("AE", 2, "AETERM", "Nau\u200bsea", W),
    ),
    Fault("SIGNLOST", cell("AE", 2, "AETERM", "\ufffdbel"), "AE", 2, "AETERM", "\ufffdbel", W),
    Fault("COLUMNBLANK", add_column("AE", "AEBODSYS", ""), "AE", None, "AEBODSYS", "", "note"),
    Fault("COLUMNMISSPELT", rename("PC", "PCTPTNUM", "PC_TPTNM"), "PC", None, "PC_TPTNM", "", W),
    Fault(
        "SUBJECTLOOKALIKE",
        cells(*(("PC", row, "USUBJID", "\uff22") for row in (4, 5))),
        *("PC", 4, "USUBJID", "\uff22", W),
    ),
    Fault("TESTLOOKALIKE", cell("LB", 3, "LBTESTCD", "il6"), "LB", 3, "LBTESTCD", "il6", W),
    Fault(
        "SITECOUNTRY",
        cells(
            *(("DM", row, "SITEID", "01") for row in (1, 2)),
            *(("DM", row, "COUNTRY", name) for row, name in ((1, "CHN"), (2, "USA"))),
        ),
        *("DM", None, "COUNTRY", "CHN (1), USA (1)", W),
    ),
    Fault("RESULTFROZEN", freeze, "LB", None, "LBORRES", "5", W),
]

FOLLOWS = {
    # A copy of a record has a rule of its own beside that of the domain.
    "SUBJECTDUPLICATE": {"RECORDDUPLICATE"},
    "DOSEDUPLICATE": {"RECORDDUPLICATE"},
    "LOTDUPLICATE": {"RECORDDUPLICATE"},
    "SAMPLEDUPLICATE": {"RECORDDUPLICATE"},
    # A scale that is taken away leaves a blank column.
    "SCALEMISSING": {"COLUMNBLANK"},
    "SCALEUNKNOWN": {"COLUMNBLANK"},
    "SCALELEGACY": {"COLUMNBLANK"},
    "SCALEMIXED": {"COLUMNBLANK"},
    "UNITDECLARED": {"UNITMIXED"},
    "SUBJECTLOOKALIKE": {"SUBJECTUNKNOWN", "CKMISSING"},
    "TESTLOOKALIKE": {"TESTNOTDECLARED"},
    "VISITORDER": {"TIMECONTRADICTS"},
}

_PRODUCT = "test_crossdomain.py::test_what_the_guideline_asks_of_the_product_is_a_warning"
SINGLE = {
    "CKONEMETHOD": _PRODUCT,
    "COEXPRESSEDADA": _PRODUCT,
    "COEXPRESSEDASSAY": _PRODUCT,
    "UNITMIXED": "test_crossdomain.py::test_a_test_in_two_units_is_a_note_with_both",
    "TESTNEVER": "test_crossdomain.py::test_a_declared_assay_without_any_record_is_a_warning",
    "ASSAYNOLLOQ": "test_crossdomain.py::test_an_assay_of_kinetics_without_a_limit_is_a_warning",
    "CUTOFFCONSENT": "test_crossdomain.py::test_consents_after_the_cut_off_are_counted",
}
