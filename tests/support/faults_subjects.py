"""Faults of subjects."""

from __future__ import annotations

from fault_cases import Fault, cell, copy
from small_study import SmallStudy

FAULTS = [
    Fault("SUBJECTDUPLICATE", copy("DM", 1), "DM", 4, "USUBJID", "A"),
    Fault("SUBJECTUNKNOWN", cell("PC", 5, "USUBJID", "Z"), "PC", 5, "USUBJID", "Z"),
    Fault("CONSENTMISSING", cell("DM", 3, "RFICDTC", ""), "DM", 3, "RFICDTC", "", "warning"),
    Fault("AGERANGE", cell("DM", 1, "AGE", "450"), "DM", 1, "AGE", "450", "warning"),
    Fault("WEIGHTRANGE", cell("DM", 1, "WTBL", "1.7"), "DM", 1, "WTBL", "1.7", "warning"),
    Fault("HEIGHTRANGE", cell("DM", 1, "HTBL", "1.7"), "DM", 1, "HTBL", "1.7", "warning"),
    Fault(
        "HEALTHYSUBJECT",
        cell("DM", 2, "INDIC", "Healthy volunteer"),
        *("DM", 2, "INDIC", "Healthy volunteer", "warning"),
    ),
    Fault(
        "HEALTHYSUBJECT",
        cell("DM", 2, "INDIC", "健康志愿者"),
        "DM",
        2,
        "INDIC",
        "健康志愿者",
        "warning",
    ),
    Fault("BURDENNOTPOSITIVE", cell("DM", 1, "TBURDBL", "0"), "DM", 1, "TBURDBL", "0", "warning"),
    Fault(
        "DEATHBEFOREDOSE", cell("DM", 2, "DTHDTC", "2024-03-31"), "DM", 2, "DTHDTC", "2024-03-31"
    ),
]


def flag_healthy(study: SmallStudy) -> None:
    """Flag the second subject as a healthy volunteer, the others as patients."""
    flags = ["Y" if number == 1 else "N" for number in range(len(study.tables["DM"]))]
    study.tables["DM"] = study.tables["DM"].assign(HLTSUBJI=flags, INDIC="HEALTHY VOLUNTEER")


WHOLE_FILE_FAULTS = [
    Fault("HEALTHYSUBJECT", flag_healthy, "DM", 2, "HLTSUBJI", "Y", "warning"),
]

FOLLOWS = {
    # A minor whose indication is of no adult.
    "HEALTHYSUBJECT": {"MINORSBEFOREADULTS"},
    # A subject whose only samples are not used has none.
    "SUBJECTUNKNOWN": {"CKMISSING"},
}
