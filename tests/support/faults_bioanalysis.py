"""Faults of assay versions, analytical runs and samples."""

from __future__ import annotations

from typing import Any

from fault_cases import Fault, Spoil
from small_study import BIOANALYSIS, SmallStudy, to_table

from celldossier.settings.bioanalysis import BioanalysisSettings

DAYS = (
    *(("A", "2024-03-01"), ("A", "2024-03-08"), ("A", "2024-03-29")),
    *(("B", "2024-04-01"), ("B", "2024-04-11")),
)
"""Samples of PC in the small study: subject and day of collection."""


def trace_samples(study: SmallStudy) -> None:
    """Give the study versions of an assay, runs, and the events of its samples, without fault."""
    known = BIOANALYSIS.model_dump(mode="json")["assays"]
    versions = [
        {"version": "1", "valid_from": "2024-01-01", "valid_until": "2024-12-31"},
        {"version": "2", "lloq": 25, "valid_from": "2024-06-01", "laboratory": "LAB B"},
    ]
    shared: dict[str, Any] = {
        **{"lloq": 50, "uloq": 100000, "laboratory": "LAB A"},
        **{"stability_days": 31, "versions": versions},
    }
    assays = [own | (shared if own["analyte"] == "PCR" else {}) for own in known]
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": assays})
    events = []
    for row, (subject, day) in enumerate(DAYS, start=1):
        study.set("PC", row, "PCASSAYV", "1")
        study.set("PC", row, "PCNAM", "LAB A")
        study.set("PC", row, "PCREFID", f"S{row}")
        study.set("PC", row, "PCRUNID", f"R{1 + (row > 3)}")
        month = "04" if row < 4 else "05"
        for event, when in (
            ("COLLECTED", f"{day}T10:00"),
            ("RECEIVED", day[:8] + f"{int(day[8:]) + 1:02}"),
            ("ANALYSED", f"2024-{month}-0{1 + (row > 3)}"),
            ("REPORTED", f"2024-{month}-20"),
        ):
            events.append(
                {
                    **{"USUBJID": subject, "BEREFID": f"S{row}", "BETERM": event},
                    **{"BESPEC": "BLOOD", "BESTDTC": when},
                }
            )
    runs = [
        {
            **{"RUNID": name, "TESTCD": "CARPCR", "ASSAYV": "1", "LAB": "LAB A"},
            **{"RUNDTC": day, "KITLOT": "K1", "STATUS": "ACCEPTED"},
            **{"CALPASS": "7", "CALTOT": "8", "QCPASS": "6", "QCTOT": "6"},
        }
        for name, day in (("R1", "2024-04-01"), ("R2", "2024-05-02"))
    ]
    for domain, records in (("BE", events), ("RUNS", runs)):
        study.tables[domain] = to_table(records)
        study.sources[domain] = {"file": f"{domain.lower()}.csv"}


def traced(*places: tuple[str, int, str, str], drop: tuple[int, ...] = ()) -> Spoil:
    """A fault of a study with runs and samples; `drop` takes records of BE out."""

    def spoil(study: SmallStudy) -> None:
        trace_samples(study)
        for place in places:
            study.set(*place)
        table = study.tables["BE"].drop(index=list(drop))
        table.index = type(study.tables["BE"].index)(1, len(table) + 1, name="row")
        study.tables["BE"] = table

    return spoil


def bridge_without_pairs(study: SmallStudy) -> None:
    """Bridging is declared, and no sample was measured again."""
    trace_samples(study)
    assays = study.bioanalysis.model_dump(mode="json")["assays"]
    bridge = {"from_version": "1", "to_version": "2", "specimens": ["DNA"]}
    assays[0]["bridging"] = [bridge]
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": assays})


def everywhere(column: str, value: str) -> tuple[tuple[str, int, str, str], ...]:
    """The value in each record of PC."""
    return tuple(("PC", row, column, value) for row in range(1, 6))


WHOLE_FILE_FAULTS = [
    Fault(
        "ASSAYVERSION",
        traced(*everywhere("PCASSAYV", "3")),
        *("PC", None, "PCASSAYV", "3", "warning"),
    ),
    Fault(
        "ASSAYLAB",
        traced(*everywhere("PCNAM", "LAB C")),
        *("PC", None, "PCNAM", "LAB C", "warning"),
    ),
    Fault(
        "ASSAYLIMIT",
        traced(*everywhere("PCULOQ", "90000")),
        *("PC", None, "PCULOQ", "90000", "warning"),
    ),
    Fault(
        "BRIDGEUNPAIRED",
        bridge_without_pairs,
        *("PC", None, "PCSPEC", "DNA", "warning"),
    ),
    Fault(
        "ASSAYDATES",
        traced(("RUNS", 2, "RUNDTC", "2023-12-30")),
        *("RUNS", 2, "RUNDTC", "2023-12-30", "warning"),
    ),
    Fault(
        "ASSAYRANGE",
        traced(("PC", 5, "PCULOQ", "300000"), ("PC", 5, "PCORRES", "200000")),
        *("PC", 5, "PCORRES", "200000", "warning"),
    ),
    Fault(
        "RUNREJECTED",
        traced(("RUNS", 2, "STATUS", "REJECTED"), ("PC", 4, "PCRUNID", "R1")),
        *("PC", 5, "PCRUNID", "R2"),
    ),
    Fault("RUNUNKNOWN", traced(("PC", 2, "PCRUNID", "R9")), "PC", 2, "PCRUNID", "R9", "warning"),
    Fault(
        "REPEATUNKNOWN",
        traced(("RUNS", 2, "REPEATOF", "R9")),
        *("RUNS", 2, "REPEATOF", "R9", "warning"),
    ),
    Fault(
        "SAMPLEDATE",
        traced(("BE", 5, "BESTDTC", "2024-03-07T10:00")),
        *("PC", 2, "PCDTC", "2024-03-08T10:00", "warning"),
    ),
    Fault("SAMPLEORDER", traced(("BE", 7, "BESTDTC", "2024-03-08")), "BE", 5, "BEREFID", "S2"),
    Fault(
        "STABILITYEXCEEDED",
        traced(("BE", 7, "BESTDTC", "2024-04-15")),
        *("BE", 5, "BEREFID", "S2", "warning"),
    ),
    Fault(
        "SAMPLENOTREPORTED",
        traced(("BE", 7, "BEREFID", "S9"), ("BE", 7, "BETERM", "LOST")),
        *("BE", 7, "BEREFID", "S9", "warning"),
    ),
    Fault(
        "SAMPLENORESULT",
        traced(("BE", 8, "BEREFID", "S9")),
        *("BE", 8, "BEREFID", "S9", "warning"),
    ),
    Fault("RESULTNOTRECEIVED", traced(drop=(6,)), "PC", 2, "PCREFID", "S2", "warning"),
    Fault(
        "RESULTNOSAMPLE",
        traced(drop=(5, 6, 7, 8)),
        *("PC", 2, "PCREFID", "S2", "warning"),
    ),
]

FOLLOWS = {
    # A result can lie outside the declared range only where the record has another limit.
    "ASSAYRANGE": {"ASSAYLIMIT"},
}
