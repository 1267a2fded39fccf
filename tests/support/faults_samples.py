"""Faults of samples."""

from __future__ import annotations

from fault_cases import Fault, cell, copy

FAULTS = [
    Fault("TESTUNMAPPED", cell("PC", 2, "PCTESTCD", "CARX"), "PC", 2, "PCTESTCD", "CARX"),
    Fault("TESTUNMAPPED", cell("IS", 5, "ISTESTCD", "NAB"), "IS", 5, "ISTESTCD", "NAB"),
    Fault(
        "TESTNOTDECLARED", cell("LB", 3, "LBTESTCD", "ALT"), "LB", 3, "LBTESTCD", "ALT", "warning"
    ),
    Fault("UNITUNKNOWN", cell("PC", 2, "PCORRESU", "cp"), "PC", 2, "PCORRESU", "cp"),
    Fault("UNITWRONG", cell("PC", 2, "PCORRESU", "cells/uL"), "PC", 2, "PCORRESU", "cells/uL"),
    Fault("UNITWRONG", cell("PC", 2, "PCORRESU", "copies/mL"), "PC", 2, "PCORRESU", "copies/mL"),
    Fault("RESULTUNMAPPED", cell("PC", 3, "PCORRES", "ND"), "PC", 3, "PCORRES", "ND"),
    Fault("RESULTUNMAPPED", cell("IS", 1, "ISORRES", "0.21"), "IS", 1, "ISORRES", "0.21"),
    Fault("RESULTNEGATIVE", cell("PC", 2, "PCORRES", "-3"), "PC", 2, "PCORRES", "-3"),
    Fault("RESULTMISSING", cell("PC", 2, "PCORRES", ""), "PC", 2, "PCORRES", "", "warning"),
    Fault("LLOQMISSING", cell("PC", 1, "PCLLOQ", ""), "PC", 1, "PCORRES", "BLQ"),
    Fault("LLOQCONFLICT", cell("PC", 3, "PCORRES", "<90"), "PC", 3, "PCORRES", "<90", "warning"),
    Fault("LLOQCONFLICT", cell("PC", 3, "PCORRES", "<25"), "PC", 3, "PCORRES", "<25", "warning"),
    Fault("BELOWLLOQ", cell("PC", 2, "PCORRES", "12"), "PC", 2, "PCORRES", "12"),
    Fault("ABOVEULOQ", cell("PC", 5, "PCORRES", "2e5"), "PC", 5, "PCORRES", "2e5", "warning"),
    Fault("ABOVEULOQ", cell("LB", 3, "LBORRES", ">70"), "LB", 3, "LBORRES", ">70", "warning"),
    Fault("ABOVEULOQ", cell("IS", 4, "ISORRES", ">1:80"), "IS", 4, "ISORRES", ">1:80", "warning"),
    Fault(
        "ULOQCONFLICT", cell("PC", 5, "PCORRES", ">5000"), "PC", 5, "PCORRES", ">5000", "warning"
    ),
    Fault("SAMPLEDUPLICATE", copy("PC", 2, PCORRES="900"), "PC", 6, "PCDTC", "2024-03-08T10:00"),
    Fault("SAMPLEDUPLICATE", copy("RS", 3), "RS", 6, "RSDTC", "2024-06-01"),
    Fault(
        "SAMPLEBEFORECONSENT",
        cell("PC", 1, "PCDTC", "2024-01-01T09:00"),
        *("PC", 1, "PCDTC", "2024-01-01T09:00"),
    ),
    Fault(
        "ROUTINEBEFORECONSENT",
        cell("RS", 1, "RSDTC", "2023-12-28"),
        *("RS", 1, "RSDTC", "2023-12-28", "warning"),
    ),
    Fault(
        "TIMEFROMNOMINAL",
        cell("PC", 2, "PCDTC", "2024-03-08"),
        *("PC", 2, "PCDTC", "2024-03-08", "warning"),
    ),
    Fault("TIMEMISSING", cell("LB", 3, "LBDTC", ""), "LB", 3, "LBDTC", "", "warning"),
    Fault("TIMEMISSING", cell("CM", 1, "CMSTDTC", ""), "CM", 1, "CMSTDTC", "", "warning"),
    Fault(
        "PREDOSEQUANTIFIABLE", cell("PC", 4, "PCORRES", "70"), "PC", 4, "PCORRES", "70", "warning"
    ),
]

FOLLOWS = {
    # Whatever the limit, such a result lies above it.
    "ULOQCONFLICT": {"ABOVEULOQ"},
    # A screening result that is not read leaves no baseline.
    "RESULTUNMAPPED": {"ADABASELINE"},
}

SINGLE = {
    "CKMISSING": "test_findings.py::test_an_infused_subject_without_concentration_is_a_warning",
    "ADABASELINE": "test_findings.py::test_antibody_results_without_a_baseline_are_a_warning",
    "LLOQFROMCONFIG": "test_findings.py::test_the_limit_of_the_assay_stands_in_with_a_note",
}
