"""Faults of reading and mapping, and of studies that are pooled."""

from __future__ import annotations

from fault_cases import Fault, cell
from small_study import SmallStudy


def read_two_forms(study: SmallStudy) -> None:
    """Declare a day-month and a month-day form, and a date that both can read."""
    study.sources["AE"]["dates"] = ["%d/%m/%Y", "%m/%d/%Y"]
    study.set("AE", 4, "AEENDTC", "01/05/2024")


def count_from_infusion(day: str):
    """Give the samples of IL-6 by study day."""

    def spoil(study: SmallStudy) -> None:
        study.tables["LB"] = (
            study.tables["LB"].assign(DAY=["-5", "1", "5", "-1", "3"]).drop(columns="LBDTC")
        )
        study.sources["LB"]["relative_time"] = {
            "LBDTC": {"column": "DAY", "unit": "day", "day_of_infusion": 1}
        }
        study.set("LB", 3, "DAY", day)

    return spoil


def count_from_no_infusion(study: SmallStudy) -> None:
    """Give the time of a medication of a subject without infusion by study day."""
    study.tables["CM"] = study.tables["CM"].assign(DAY="").drop(columns="CMSTDTC")
    study.sources["CM"]["relative_time"] = {"CMSTDTC": {"column": "DAY"}}
    study.set("CM", 2, "USUBJID", "C")
    study.set("CM", 2, "DAY", "3")


def claim_twice(study: SmallStudy) -> None:
    """List a subject under a second study."""
    study.set("DM", 1, "STUDYID", "S1")
    study.repeat("DM", 1, {"STUDYID": "S1X"})
    study.set("DM", 4, "STUDYID", "S1X")


FAULTS = [
    Fault("STUDYDIFFERS", cell("PC", 2, "STUDYID", "S1X"), "PC", 2, "STUDYID", "S1X"),
]

WHOLE_FILE_FAULTS = [
    Fault("DATEAMBIGUOUS", read_two_forms, "AE", 4, "AEENDTC", "01/05/2024"),
    Fault("RELATIVETIMEBAD", count_from_infusion("0"), "LB", 3, "DAY", "0"),
    Fault("RELATIVETIMELOST", count_from_no_infusion, "CM", 2, "DAY", "3"),
    Fault("SUBJECTTWOSTUDIES", claim_twice, "DM", 4, "USUBJID", "A"),
    Fault(
        "STUDYUNDECLARED",
        cell("DM", 3, "STUDYID", "S2"),
        *("DM", 3, "STUDYID", "S2", "warning"),
    ),
]

FOLLOWS = {
    "STUDYDIFFERS": {"STUDYUNDECLARED"},
    "SUBJECTTWOSTUDIES": {"STUDYUNDECLARED"},
    "RELATIVETIMEBAD": {"TIMEMISSING"},
    "RELATIVETIMELOST": {"TIMEMISSING"},
}

SINGLE = {
    "SHAREDMISSING": "test_reading.py::test_a_root_below_the_shared_folder_stays_below_it",
    "FILEENCODING": "test_reading.py::test_a_declared_encoding_that_does_not_fit_is_named",
    "DELIMITERWRONG": "test_reading.py::test_a_wrong_delimiter_is_one_fault",
    "HEADERMISSING": "test_reading.py::test_the_header_may_stand_below_the_first_line",
    "CELLERROR": "test_reading.py::test_an_error_in_a_mapped_cell_is_a_finding",
    "SUPPUNMATCHED": "test_mapping.py::test_supplements_are_joined_by_key_and_accounted_for",
    "SUPPDUPLICATE": "test_mapping.py::test_supplements_are_joined_by_key_and_accounted_for",
    "SUPPNAMETAKEN": "test_mapping.py::test_supplements_are_joined_by_key_and_accounted_for",
}
