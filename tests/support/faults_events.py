"""Faults of events and medication."""

from __future__ import annotations

from fault_cases import Fault, cell

FAULTS = [
    Fault("GRADERANGE", cell("AE", 4, "AETOXGR", "6"), "AE", 4, "AETOXGR", "6"),
    Fault("GRADERANGE", cell("AE", 4, "AETOXGR", "2.5"), "AE", 4, "AETOXGR", "2.5"),
    Fault(
        "GRADEMISSING",
        cell("AE", 1, "AETOXGR", ""),
        *("AE", 1, "AETOXGR", "Cytokine release syndrome", "warning"),
    ),
]
