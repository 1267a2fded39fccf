"""Faults of subjects."""

from __future__ import annotations

from fault_cases import Fault, cell, copy

FAULTS = [
    Fault("SUBJECTDUPLICATE", copy("DM", 1), "DM", 4, "USUBJID", "A"),
    Fault("SUBJECTUNKNOWN", cell("PC", 5, "USUBJID", "Z"), "PC", 5, "USUBJID", "Z"),
    Fault("CONSENTMISSING", cell("DM", 3, "RFICDTC", ""), "DM", 3, "RFICDTC", "", "warning"),
    Fault("AGERANGE", cell("DM", 1, "AGE", "450"), "DM", 1, "AGE", "450", "warning"),
    Fault("WEIGHTRANGE", cell("DM", 1, "WTBL", "1.7"), "DM", 1, "WTBL", "1.7", "warning"),
    Fault("HEIGHTRANGE", cell("DM", 1, "HTBL", "1.7"), "DM", 1, "HTBL", "1.7", "warning"),
    Fault("BURDENNOTPOSITIVE", cell("DM", 1, "TBURDBL", "0"), "DM", 1, "TBURDBL", "0", "warning"),
    Fault(
        "DEATHBEFOREDOSE", cell("DM", 2, "DTHDTC", "2024-03-31"), "DM", 2, "DTHDTC", "2024-03-31"
    ),
]

FOLLOWS = {
    # A subject whose only samples are not used has none.
    "SUBJECTUNKNOWN": {"CKMISSING"},
}
