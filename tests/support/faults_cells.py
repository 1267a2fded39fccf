"""Faults of cells."""

from __future__ import annotations

from fault_cases import Fault, cell

FAULTS = [
    Fault("VALUEMISSING", cell("AE", 1, "AEDECOD", ""), "AE", 1, "AEDECOD", ""),
    Fault("NOTINCODELIST", cell("DM", 2, "SEX", "male"), "DM", 2, "SEX", "male"),
    Fault("TEXTINNUMERIC", cell("DM", 1, "AGE", "45 y"), "DM", 1, "AGE", "45 y"),
    Fault("TEXTINNUMERIC", cell("PC", 2, "PCORRES", "1,200"), "PC", 2, "PCORRES", "1,200"),
    Fault("DATEUNPARSABLE", cell("PC", 2, "PCDTC", "08MAR2024"), "PC", 2, "PCDTC", "08MAR2024"),
    Fault(
        "DATEUNPARSABLE", cell("AE", 4, "AEENDTC", "2024-02-30"), "AE", 4, "AEENDTC", "2024-02-30"
    ),
    Fault("DATEPARTIAL", cell("AE", 4, "AEENDTC", "2024"), "AE", 4, "AEENDTC", "2024", "warning"),
    Fault(
        "ENDBEFORESTART", cell("AE", 1, "AEENDTC", "2024-03-02"), "AE", 1, "AEENDTC", "2024-03-02"
    ),
]

FOLLOWS = {
    # A subject that is left out is not in DM.
    "NOTINCODELIST": {"SUBJECTUNKNOWN", "LOTSUBJECT"},
}
