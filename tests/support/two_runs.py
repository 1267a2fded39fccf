"""Two hand-made runs: three subjects, a raw file, datasets, results and tables, all in memory."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from celldossier.datasets import conform, read_specification
from celldossier.results import ResultCollector
from celldossier.run_comparison.content import RunContent
from celldossier.run_comparison.inputs import FILE, ROW, SUBJECT

SUBJECTS = ("S-1", "S-2", "S-3")
PEAKS = {"S-1": 100.0, "S-2": 200.0, "S-3": 400.0}


@dataclass
class HandMadeRun:
    """What a run holds, open to change before it is handed on by `content`."""

    name: str = "RUN"
    settings: dict[str, Any] = field(default_factory=dict)
    code: dict[str, str] | None = field(default_factory=dict)
    environment: dict[str, str] | None = field(default_factory=dict)
    inputs: dict[str, str] | None = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    raw: dict[str, pd.DataFrame | None] = field(default_factory=dict)

    def copy(self) -> HandMadeRun:
        """The same run, to be changed by a test."""
        return copy.deepcopy(self)

    def content(self) -> RunContent:
        """The run as the comparison reads it."""

        def raw(domain: str) -> tuple[pd.DataFrame, tuple[str, ...]] | None:
            table = self.raw.get(domain)
            return None if table is None else (table, ("USUBJID", "PCTESTCD", "PCDTC"))

        return RunContent(
            name=self.name,
            version="0",
            commit="",
            settings=self.settings,
            code=self.code,
            environment=self.environment,
            inputs=self.inputs,
            table=lambda place: self.tables.get(place),
            digest=lambda place: digest(self.tables[place]) if place in self.tables else "",
            outputs=tuple(place for place in self.tables if place.startswith("tlf/")),
            raw=raw,
        )


def digest(frame: pd.DataFrame) -> str:
    """Hash of a table, as two files of equal bytes have the same."""
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


def raw_records(peaks: Mapping[str, float]) -> pd.DataFrame:
    """Raw PC records: two of each subject, the peak on day 10."""
    rows = [
        {"USUBJID": subject, "PCTESTCD": "CARPCR", "PCDTC": date, "PCORRES": f"{value:g}"}
        for subject, peak in peaks.items()
        for date, value in (("2024-01-01", 1.0), ("2024-01-10", peak))
    ]
    frame = pd.DataFrame(rows)
    places = {FILE: "pc.csv", ROW: range(1, len(rows) + 1), SUBJECT: frame["USUBJID"]}
    return frame.assign(**places)


def concentrations(raw: pd.DataFrame) -> pd.DataFrame:
    """ADPC of the raw records."""
    first = raw["PCDTC"] == "2024-01-01"
    return conform(
        pd.DataFrame(
            {
                "STUDYID": "S",
                "USUBJID": raw["USUBJID"],
                "PARAMCD": "PCR",
                "PARAM": "CAR",
                "AVAL": raw["PCORRES"].astype(float),
                "AVALC": raw["PCORRES"],
                "AVALU": "copies/ug",
                "BLQFL": "N",
                "ALQFL": "N",
                "AFRLT": first.map({True: 0.0, False: 9.0}),
                "ANL01FL": "Y",
                "SRCDOM": "PC",
                "SRCFILE": raw[FILE],
                "SRCROW": raw[ROW],
            }
        ),
        "ADPC",
    )


def parameters(peaks: Mapping[str, float]) -> pd.DataFrame:
    """ADPP with the peaks."""
    return conform(
        pd.DataFrame(
            {
                "STUDYID": "S",
                "USUBJID": list(peaks),
                "PARCAT1": "PCR",
                "PROFTYP": "COURSE",
                "DOSENO": 1,
                "PARAMCD": "CMAX",
                "PARAM": "Cmax",
                "PARAMN": 1,
                "AVAL": list(peaks.values()),
                "AVALU": "copies/ug",
            }
        ),
        "ADPP",
    )


def results(stage: str, mean: float, n: int) -> pd.DataFrame:
    """Analysis results of a stage: one mean."""
    collector = ResultCollector(stage)
    numbers = {"mean": mean, "geomean": mean}
    collector.add(
        "summary", numbers, dataset="ADPP", variable="CMAX", analyte="PCR", n=n, unit="copies/ug"
    )
    return collector.frame()


def cells(mean: float, n: int) -> pd.DataFrame:
    """Table T25 in print: a head, a mean."""
    value_id = "cellular_kinetics.summary/CMAX/PCR/mean"
    rows = [("0", "1", f"Mean (N = {n})", ""), ("1", "1", f"{mean:.1f}", value_id)]
    return pd.DataFrame(rows, columns=["ROW", "COLUMN", "TEXT", "VALUE_IDS"]).assign(VALUES="")


def make_run(peaks: Mapping[str, float] = PEAKS) -> HandMadeRun:
    """A run of those peaks: every table follows from them."""
    raw = raw_records(peaks)
    mean = sum(peaks.values()) / len(peaks)
    checks = {
        name: pd.DataFrame(columns=list(read_specification(name.upper()).variables), dtype=object)
        for name in ("findings", "exclusions", "accounting", "decisions")
    }
    return HandMadeRun(
        settings={
            "run": {"run": "RUN"},
            "study": {"id": "S"},
            "cellular_kinetics": {"primary_analyte": "PCR", "lambda_z": {"min_r2adj": 0.8}},
            "pharmacodynamics": {"markers": ["IL6"]},
            "study_data": {
                "root": "raw",
                "sources": {"PC": [{"file": "pc.csv", "supplement": []}]},
            },
        },
        code={"stats": "s", "cellular_kinetics": "k", "tlf": "t", "pharmacodynamics": "p"},
        environment={"numpy": "2.0", "python": "3.12"},
        inputs={"raw/pc.csv": digest(raw), "tlfs.yaml": "y"},
        tables={
            "adam/ADPC.parquet": concentrations(raw),
            "adam/ADPP.parquet": parameters(peaks),
            "ard/cellular_kinetics.parquet": results("cellular_kinetics", mean, len(peaks)),
            "ard/pharmacodynamics.parquet": results("pharmacodynamics", 1.0, 3),
            "tlf/en/T25.csv": cells(mean, len(peaks)),
            **{f"checks/{name}.csv": frame for name, frame in checks.items()},
            "report/clause_matrix.csv": pd.DataFrame(
                [{"CLAUSE": "S4.1-1", "STATUS": "addressed", "REASON_EN": "", "REASON_ZH": ""}]
            ),
        },
        raw={"PC": raw},
    )
