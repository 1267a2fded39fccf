"""Faults of dates, clocks and the data cut-off."""

from __future__ import annotations

from fault_cases import Fault, Spoil, cell
from small_study import SmallStudy


def with_time(spoil: Spoil, **options: object) -> Spoil:
    """A fault that needs a setting of the part `study_data.time`."""

    def spoil_and_set(study: SmallStudy) -> None:
        study.options["time"] = options
        spoil(study)

    return spoil_and_set


FAULTS = [
    Fault(
        "DATEIMPLAUSIBLE", cell("AE", 4, "AEENDTC", "2204-05-01"), "AE", 4, "AEENDTC", "2204-05-01"
    ),
    Fault("DATEIMPLAUSIBLE", cell("CM", 2, "CMENDTC", "1900"), "CM", 2, "CMENDTC", "1900"),
    Fault(
        "TIMEZONEUNDECLARED",
        cell("PC", 2, "PCDTC", "2024-03-08T10:00+08:00"),
        *("PC", 2, "PCDTC", "2024-03-08T10:00+08:00"),
    ),
]


def give_visit_day_zero(study: SmallStudy) -> None:
    """Give a marker the planned day 0, which SDTM does not have."""
    study.set("LB", 4, "VISITDY", "0")


BERLIN = {"time_zone": "Europe/Berlin"}
WHOLE_FILE_FAULTS = [
    Fault(
        "AFTERCUTOFF",
        cell("RS", 4, "RSDTC", "2025-01-01"),
        *("RS", None, "RSDTC", "", "note"),
    ),
    Fault(
        "OPENATCUTOFF",
        cell("AE", 4, "AEENDTC", "2025-01"),
        *("AE", None, "AEENDTC", "", "note"),
    ),
    Fault(
        "DATEAFTERCUTOFF",
        with_time(cell("RS", 4, "RSDTC", "2025-01-01"), cutoff="keep"),
        *("RS", None, "RSDTC", "", "warning"),
    ),
    Fault(
        "TIMEAMBIGUOUS",
        with_time(cell("LB", 5, "LBDTC", "2024-10-27T02:30"), **BERLIN),
        *("LB", 5, "LBDTC", "2024-10-27T02:30", "warning"),
    ),
    Fault(
        "TIMESKIPPED",
        with_time(cell("LB", 4, "LBDTC", "2024-03-31T02:30"), **BERLIN),
        *("LB", 4, "LBDTC", "2024-03-31T02:30", "warning"),
    ),
    Fault("DAYZERO", give_visit_day_zero, "LB", 4, "VISITDY", "0", "warning"),
    Fault(
        "SAMPLEWINDOW",
        with_time(
            cell("PC", 2, "PCDTC", "2024-03-09T11:00"),
            windows=[{"day": 7, "early": 1, "late": 1}],
        ),
        *("PC", 2, "PCDTC", "2024-03-09T11:00", "warning"),
    ),
]

FOLLOWS = {"OPENATCUTOFF": {"DATEPARTIAL"}}
"""A partial end after the cut-off is named as partial too."""
