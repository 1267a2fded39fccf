"""A small study in text form, clean; tests spoil it in one place and look at what is found."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pandas as pd

from celldossier.io.decisions import DecisionFile
from celldossier.io.tables import RawDomain
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.study import StudySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.stage import StudyData, derive_study_data

WORD = {"en": "x", "zh": "x"}
STUDY = StudySettings.model_validate(
    {
        "id": "S1",
        "title": WORD,
        "sponsor": WORD,
        "data_cutoff": "2024-12-31",
        "product": {
            "name": "X",
            "product_class": "car_t",
            "gene_modified": True,
            "source": "autologous",
            "route": "systemic",
            "description": WORD,
        },
        "trials": [
            {
                "id": "S1",
                "phase": "1",
                **dict.fromkeys(
                    ("design", "population", "lymphodepletion", "dose_levels", "matrices"), WORD
                ),
                "schedule": WORD,
            }
        ],
    }
)


def assay(analyte: str, domain: str, code: str, unit: str, **more: Any) -> dict[str, Any]:
    """One assay of the small study."""
    words = {"label": WORD, "platform": WORD, "matrix": WORD}
    return {"analyte": analyte, "domain": domain, "test_codes": [code], "unit": unit} | words | more


BIOANALYSIS = BioanalysisSettings.model_validate(
    {
        "assays": [
            assay("PCR", "CK", "CARPCR", "copies/ug"),
            assay("IL6", "PD", "IL6", "pg/mL"),
            assay("ADA", "ADA", "ADA_BAB", "titer"),
        ]
    }
)

RECORDS: dict[str, list[dict[str, str]]] = {
    "DM": [
        # Two infused subjects, and one whose product failed.
        {
            "USUBJID": "A",
            "RFICDTC": "2024-01-02",
            "DTHDTC": "",
            "AGE": "45",
            "SEX": "F",
            "HTBL": "170",
            "WTBL": "70",
            "INDIC": "ALL",
            "TBURDBL": "10",
            "TBURDU": "%",
            "ARM": "DL1",
            "LEUKDTC": "2024-01-05",
            "MFGSTAT": "RELEASED",
            "NOINFRSN": "",
        },
        {
            "USUBJID": "B",
            "RFICDTC": "2024-02-02",
            "DTHDTC": "2024-06-10",
            "AGE": "17",
            "SEX": "M",
            "HTBL": "160",
            "WTBL": "50",
            "INDIC": "ALL",
            "TBURDBL": "40",
            "TBURDU": "%",
            "ARM": "DL2",
            "LEUKDTC": "2024-02-05",
            "MFGSTAT": "RELEASED",
            "NOINFRSN": "",
        },
        {
            "USUBJID": "C",
            "RFICDTC": "2024-02-02",
            "DTHDTC": "",
            "AGE": "65",
            "SEX": "M",
            "HTBL": "180",
            "WTBL": "80",
            "INDIC": "NHL",
            "TBURDBL": "1200",
            "TBURDU": "mm2",
            "ARM": "DL2",
            "LEUKDTC": "2024-02-05",
            "MFGSTAT": "FAILED",
            "NOINFRSN": "MANUFACTURING FAILURE",
        },
    ],
    "EX": [
        {
            "USUBJID": subject,
            "EXCAT": category,
            "EXTRT": treatment,
            "EXDOSE": dose,
            "EXDOSU": unit,
            "EXPDOSE": planned,
            "EXLOT": lot,
            "EXPLFL": "Y",
            "EXSTDTC": start,
            "EXENDTC": end,
        }
        for subject, category, treatment, dose, unit, planned, lot, start, end in (
            ("A", "LYMPHODEPLETION", "FLU", "30", "mg/m2", "30", "", "2024-02-26", "2024-02-26"),
            (
                *("A", "CELL PRODUCT", "X", "98", "10^6 cells", "100", "L1"),
                *("2024-03-01T10:00", "2024-03-01T10:20"),
            ),
            (
                *("B", "CELL PRODUCT", "X", "210", "10^6 cells", "200", "L2"),
                *("2024-04-01T12:00", "2024-04-01T12:30"),
            ),
        )
    ],
    "PC": [
        {
            "USUBJID": subject,
            "PCTESTCD": "CARPCR",
            "PCORRES": result,
            "PCORRESU": "copies/µg DNA",
            "PCLLOQ": "50",
            "PCULOQ": "100000",
            "PCSPEC": "BLOOD",
            "PCTPTNUM": day,
            "PCDTC": date,
        }
        for subject, result, day, date in (
            ("A", "BLQ", "0", "2024-03-01T09:00"),
            ("A", "1200", "7", "2024-03-08T10:00"),
            ("A", "<50", "28", "2024-03-29T16:00"),
            ("B", "BLQ", "0", "2024-04-01T08:00"),
            ("B", "35000", "10", "2024-04-11T12:00"),
        )
    ],
    "LB": [
        {
            "USUBJID": subject,
            "LBTESTCD": "IL6",
            "LBORRES": result,
            "LBORRESU": unit,
            "LBLLOQ": limit,
            "LBORNRHI": high,
            "LBDTC": date,
        }
        for subject, result, unit, limit, high, date in (
            ("A", "5", "pg/mL", "1", "7", "2024-02-25T08:00"),
            ("A", "6", "pg/mL", "1", "7", "2024-03-01"),
            ("A", "80", "pg/mL", "1", "7", "2024-03-05T08:00"),
            ("B", "0.002", "ng/mL", "0.001", "0.007", "2024-03-31T08:00"),
            ("B", "BLQ", "pg/mL", "1", "7", "2024-04-03T08:00"),
        )
    ],
    "IS": [
        {
            "USUBJID": subject,
            "ISTESTCD": "ADA_BAB",
            "ISBDAGNT": "CAR",
            "ISCAT": tier,
            "ISORRES": result,
            "ISDTC": date,
        }
        for subject, tier, result, date in (
            ("A", "SCREENING", "NEGATIVE", "2024-03-01T08:00"),
            ("A", "SCREENING", "Positive", "2024-03-29T08:00"),
            ("A", "CONFIRMATORY", "POSITIVE", "2024-03-29T08:00"),
            ("A", "TITER", "1:160", "2024-03-29T08:00"),
            ("B", "SCREENING", "NEGATIVE", "2024-04-01T08:00"),
        )
    ],
    "AE": [
        {
            "USUBJID": subject,
            "AETERM": term,
            "AEDECOD": term,
            "AETOXGR": grade,
            "AESCAT": "ASTCT 2019" if term.startswith("Cytokine") else "CTCAE 5.0",
            "AESTDTC": start,
            "AEENDTC": end,
        }
        for subject, term, grade, start, end in (
            ("A", "Cytokine release syndrome", "2", "2024-03-03T22:00", "2024-03-06"),
            ("A", "Nausea", "1", "2024-02", ""),
            ("A", "Headache", "1", "2024-03", ""),
            ("B", "Anaemia", "3", "2024-04-01", "2024-05-01"),
        )
    ],
    "FA": [
        {
            "USUBJID": "A",
            "FAOBJ": event,
            "FATESTCD": component,
            "FAORRES": result,
            "FAORRESU": unit,
            "FASCAT": "",
            "FADTC": date,
        }
        for event, component, result, unit, date in (
            ("CRS", "TEMP", "38.9", "C", "2024-03-03T22:00"),
            ("CRS", "HYPOTENS", "N", "", "2024-03-03T22:00"),
            ("CRS", "OXYGEN", "LOW FLOW", "", "2024-03-03T22:00"),
            ("CRS", "TEMP", "99.0", "F", "2024-03-04T08:00"),
            ("CRS", "HYPOTENS", "N", "", "2024-03-04T08:00"),
            ("CRS", "OXYGEN", "NONE", "", "2024-03-04T08:00"),
            ("ICANS", "ICE", "10", "", "2024-03-05T08:00"),
        )
    ],
    "RS": [
        {"USUBJID": subject, "RSTESTCD": "OVRLRESP", "RSSTRESC": category, "RSDTC": date}
        for subject, category, date in (
            ("A", "CR", "2024-02-20"),
            ("A", "SD", "2024-03-29"),
            ("A", "PR", "2024-06-01"),
            ("A", "PD", "2024-09-01"),
            ("B", "NE", "2024-04-29"),
        )
    ],
    "DS": [
        {"USUBJID": subject, "DSDECOD": term, "DSTERM": term.lower(), "DSSTDTC": date}
        for subject, term, date in (
            ("A", "COMPLETED", "2024-12-01"),
            ("B", "DEATH", "2024-06-10"),
            ("C", "WITHDRAWAL BY SUBJECT", "2024-03-01"),
        )
    ],
    "CM": [
        {
            "USUBJID": "A",
            "CMTRT": "Actemra",
            "CMDECOD": "Tocilizumab",
            "CMSTDTC": "2024-03-04T01:00",
        },
        {"USUBJID": "B", "CMTRT": "Paracetamol", "CMDECOD": "PARACETAMOL", "CMSTDTC": "2024-04-02"},
    ],
    "LOTS": [
        {
            "LOTID": lot,
            "USUBJID": subject,
            "PROCESS": process,
            "VCN": copies,
            "MFGDTC": made,
            "RELDTC": released,
            "RELSTAT": "RELEASED",
        }
        for lot, subject, process, copies, made, released in (
            ("L1", "A", "P1", "2.5", "2024-01-20", "2024-02-10"),
            ("L2", "B", "P2", "3", "2024-02-20", "2024-03-10"),
        )
    ],
}


def to_table(records: list[dict[str, str]]) -> pd.DataFrame:
    """Records as a raw table, rows counted from 1."""
    index = pd.RangeIndex(1, len(records) + 1, name="row")
    return pd.DataFrame(records, index=index, dtype=object).fillna("")


RUNS: OrderedDict[str, StudyData] = OrderedDict()
"""Results of the latest runs of the stage, by all that they depend on."""
RUNS_KEPT = 50


@dataclass
class SmallStudy:
    """The raw tables of a study, to be spoilt; `derive` runs the stage on them."""

    tables: dict[str, pd.DataFrame]
    sources: dict[str, dict[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)
    bioanalysis: BioanalysisSettings = BIOANALYSIS
    decisions: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def decide(self, file: str, **cells: str) -> None:
        """Add a decision to one of the files of decisions, complete unless cells say otherwise."""
        number = sum(len(rows) for rows in self.decisions.values()) + 1
        given = {"id": f"D{number}", "reason": "as agreed", "author": "NN", "date": "2025-01-07"}
        self.decisions.setdefault(file, []).append({**given, **cells})

    def set(self, domain: str, row: int, column: str, value: str) -> None:
        """Write one cell; the row is counted from 1."""
        table = self.tables[domain].copy()
        if column not in table.columns:
            table[column] = ""
        table.loc[row, column] = value
        self.tables[domain] = table

    def repeat(self, domain: str, row: int, changes: Mapping[str, str] | None = None) -> int:
        """Add a copy of a row with changes; gives its number."""
        table = self.tables[domain]
        number = len(table) + 1
        copy = table.loc[[row]].assign(**dict(changes or {}))
        copy.index = pd.Index([number], name="row")
        self.tables[domain] = pd.concat([table, copy]).fillna("")
        return number

    def drop(self, domain: str, column: str) -> None:
        """Remove a column."""
        self.tables[domain] = self.tables[domain].drop(columns=column)

    def empty(self, domain: str) -> None:
        """Remove all rows."""
        self.tables[domain] = self.tables[domain].iloc[:0]

    def remove(self, domain: str) -> None:
        """Make the study one that did not collect the domain."""
        del self.tables[domain], self.sources[domain]

    @property
    def settings(self) -> StudyDataSettings:
        """Section study_data of the small study."""
        return StudyDataSettings.model_validate(
            {"root": "raw", "sources": self.sources, **self.options}
        )

    def derive(
        self,
        faults: Mapping[str, str] | None = None,
        replaced: Mapping[str, tuple[RawDomain, ...]] | None = None,
    ) -> StudyData:
        """Run the stage.

        `faults` names domains whose file could not be read, and why; `replaced` gives what
        was read of a domain in place of its table. The same study has the same result: a run
        that another test of the process asked for is not repeated.
        """
        if replaced:
            return self.derive_afresh(faults or {}, replaced)
        key = self._content(faults or {})
        if key not in RUNS:
            RUNS[key] = self.derive_afresh(faults or {}, {})
            while len(RUNS) > RUNS_KEPT:
                RUNS.popitem(last=False)
        RUNS.move_to_end(key)
        return copy.deepcopy(RUNS[key])

    def _content(self, faults: Mapping[str, str]) -> str:
        """All that a run depends on, as text."""
        tables = {
            name: [list(table.columns), list(table.index), table.to_numpy().tolist()]
            for name, table in self.tables.items()
        }
        settings = [part.model_dump(mode="json") for part in (self.settings, self.bioanalysis)]
        return json.dumps(
            [tables, self.sources, settings, STUDY.model_dump(mode="json"), self.decisions, faults],
            default=repr,
        )

    def derive_afresh(
        self,
        faults: Mapping[str, str] = MappingProxyType({}),
        replaced: Mapping[str, tuple[RawDomain, ...]] = MappingProxyType({}),
    ) -> StudyData:
        """Run the stage, even if it ran on the same before; for tests of the stage itself."""
        raw = {
            name: (
                RawDomain(
                    name,
                    self.sources[name]["file"],
                    None if name in faults else table,
                    faults.get(name, ""),
                ),
            )
            for name, table in self.tables.items()
            if name not in replaced
        }
        files = [
            DecisionFile(name, to_table(rows).fillna("")) for name, rows in self.decisions.items()
        ]
        return derive_study_data({**raw, **replaced}, self.settings, self.bioanalysis, STUDY, files)


def make_study() -> SmallStudy:
    """Make a fresh copy of the small study."""
    return SmallStudy(
        tables={name: to_table(records) for name, records in RECORDS.items()},
        sources={name: {"file": f"{name.lower()}.csv"} for name in RECORDS},
    )


IDENTIFIERS = ("USUBJID", "LOTID", "EXLOT")


@dataclass
class ManyStudies:
    """Many copies of the small study in one, each with identifiers of its own.

    One run of the stage then serves many tests.
    """

    parts: list[SmallStudy]

    @property
    def offsets(self) -> list[dict[str, int]]:
        """Rows that stand before each copy, by domain."""
        before: list[dict[str, int]] = []
        total = dict.fromkeys(RECORDS, 0)
        for part in self.parts:
            before.append(dict(total))
            total = {name: total[name] + len(part.tables[name]) for name in RECORDS}
        return before

    def name(self, number: int, identifier: str) -> str:
        """Identifier of a subject or lot in a copy; a blank stays blank."""
        return f"{identifier}-{number}" if identifier else ""

    def merge(self) -> SmallStudy:
        """All copies as one study."""
        study = make_study()
        for domain in RECORDS:
            tables = []
            for number, part in enumerate(self.parts):
                table = part.tables[domain]
                own = [column for column in IDENTIFIERS if column in table.columns]
                renamed = {
                    column: [self.name(number, text) for text in table[column]] for column in own
                }
                tables.append(table.assign(**renamed))
            merged = pd.concat(tables).fillna("")
            merged.index = pd.RangeIndex(1, len(merged) + 1, name="row")
            study.tables[domain] = merged
        return study
