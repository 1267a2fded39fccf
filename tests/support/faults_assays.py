"""Faults of units, specimens and assays."""

from __future__ import annotations

from typing import Any

from fault_cases import Fault, Spoil, cells
from small_study import BIOANALYSIS, SmallStudy

from celldossier.settings.bioanalysis import BioanalysisSettings


def with_assays(spoil: Spoil, *declared: dict[str, Any], **changes: dict[str, Any]) -> Spoil:
    """A fault that needs further assays, or other settings of those that there are."""

    def spoil_and_set(study: SmallStudy) -> None:
        known = [
            {**own, **changes.get(own["analyte"], {})}
            for own in BIOANALYSIS.model_dump(mode="json")["assays"]
        ]
        study.bioanalysis = BioanalysisSettings.model_validate({"assays": [*known, *declared]})
        spoil(study)

    return spoil_and_set


FAULTS = [
    Fault(
        "COPIESIMPLAUSIBLE",
        cells(("PC", 5, "PCORRES", "1600000"), ("PC", 5, "PCULOQ", "")),
        *("PC", 5, "PCORRES", "1600000"),
    ),
]

WHOLE_FILE_FAULTS = [
    Fault(
        "UNITDECLARED",
        with_assays(
            cells(("LB", 3, "LBORRESU", "IU/mL"), ("LB", 3, "LBORRES", "8")),
            IL6={"declared_factors": {"IU/mL": 10}},
        ),
        *("LB", None, "LBORRESU", "IU/mL", "note"),
    ),
    Fault(
        "SPECIMENFLAGGED",
        cells(("LB", 3, "LBSPCCND", "HEMOLYZED")),
        *("LB", None, "LBSPCCND", "HEMOLYZED", "note"),
    ),
    # The second subject of the study alone has the other limit, and the other laboratory.
    Fault(
        "LLOQCHANGE",
        cells(("PC", 4, "PCLLOQ", "25"), ("PC", 5, "PCLLOQ", "25")),
        *("PC", None, "", "", "warning"),
    ),
    Fault(
        "LLOQCHANGESUBJECT",
        cells(("PC", 5, "PCLLOQ", "25")),
        *("PC", None, "", "", "warning"),
    ),
    Fault(
        "ASSAYCHANGE",
        cells(*(("PC", row, "PCASSAYV", "1" if row < 4 else "2") for row in range(1, 6))),
        *("PC", None, "", "", "warning"),
    ),
    Fault(
        "ASSAYCHANGESUBJECT",
        cells(*(("PC", row, "PCNAM", "LAB A" if row < 5 else "LAB B") for row in range(1, 6))),
        *("PC", None, "", "", "warning"),
    ),
]

FOLLOWS = {
    # The limit is converted with the result.
    "UNITDECLARED": {"LLOQCHANGE"},
    # What changes within a subject changes within the study.
    "LLOQCHANGESUBJECT": {"LLOQCHANGE"},
    "ASSAYCHANGESUBJECT": {"ASSAYCHANGE"},
}

SINGLE = {
    "CELLSASSUMED": (
        "test_cell_conversion.py::test_the_assumption_of_a_conversion_is_printed_as_a_finding"
    ),
    "CELLSNOTCONVERTED": (
        "test_cell_conversion.py::test_without_a_count_or_a_copy_number_nothing_is_converted"
    ),
}
