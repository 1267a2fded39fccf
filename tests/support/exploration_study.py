"""Made-up subjects for the parts of dose exploration: three levels, every dataset of the stage."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.dose_exploration.study import Sources, Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings

FLAGS = ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL")
PLANNED = {"DL1": 50.0, "DL2": 150.0, "DL3": 450.0}
REQUIRED = {
    "EXTRT": "CELLS", "ADTM": "2026-01-01T08:00", "SRCDOM": "X", "SRCFILE": "x.csv",
    "AETERM": "T", "AEDECOD": "T", "ASTDTM": "2026-01-02",
    "PARAM": "P", "PARAMN": 1, "PROFTYP": "COURSE", "DOSENO": 1, "EPISODE": 1,
    "ALQFL": "N", "NEPISOD": 1, "WORSTFL": "Y", "NRECORD": 1, "ONGOFL": "N",
    "EXCAT": "CELL PRODUCT", "DOSETYPE": "FIRST", "DOSEU": "10^6 cells", "TRTEMFL": "Y",
}  # fmt: skip


def make_rows(name: str, rows: list[dict[str, Any]], study: str = "S") -> pd.DataFrame:
    """A dataset of those rows; what they leave out and the dataset needs is made up."""
    frame = pd.DataFrame(rows)
    columns = empty_dataset(name).columns
    rows_of_file = range(1, len(frame) + 1)
    for column, value in {**REQUIRED, "STUDYID": study, "SRCROW": rows_of_file}.items():
        if column in columns and column not in frame:
            frame[column] = value
    return conform(frame, name) if rows else empty_dataset(name)


def make_subjects(levels: list[str], study: str = "S") -> tuple[pd.DataFrame, pd.DataFrame]:
    """ADSL and ADEX of subjects A001, A002, ... of those dose levels, one infusion each."""
    names = [f"A{number:03d}" for number in range(1, len(levels) + 1)]
    adsl = make_rows(
        "ADSL",
        [
            {"USUBJID": name, "TRT01A": level, "FUDUR": 100.0, **dict.fromkeys(FLAGS, "Y")}
            for name, level in zip(names, levels, strict=True)
        ],
        study,
    )
    adex = make_rows(
        "ADEX",
        [
            {
                "USUBJID": name, "DOSEP": PLANNED[level], "DOSEA": PLANNED[level], "AFRLT": 0.0,
                "DOSESUM": PLANNED[level], "DOSPSUM": PLANNED[level], "COURSE": 1, "PDOSENO": 1,
                "DOSETGP": PLANNED[level], "DOSEVIA": 2 * PLANNED[level],
                "DOSETOT": 2.5 * PLANNED[level], "LOTID": f"L{name}", "ROUTE": "INTRAVENOUS",
            }
            for name, level in zip(names, levels, strict=True)
        ],
        study,
    )  # fmt: skip
    return adsl, adex


def make_study(settings: dict[str, Any] | None = None, **datasets: pd.DataFrame) -> Study:
    """The stage's study of those datasets, the others empty."""
    names = [field.name for field in fields(Sources)]
    sources = Sources(**{n: datasets.get(n, empty_dataset(n.upper())) for n in names})
    return Study(sources, DoseExplorationSettings.model_validate(settings or {}))


def run_part(part: Any, study: Study) -> AnalysisResults:
    """Results of one part of the stage."""
    out = ResultCollector("dose_exploration")
    assert part(study, out) == []
    return AnalysisResults([out.frame()])


def read(values: AnalysisResults, analysis: str, variable: str, stat: str, **by: str) -> Any:
    """A statistic: its text or its number; None where no stage has computed it."""
    found = values.find(f"dose_exploration.{analysis}", variable, "", by, stat)
    return None if found is None else found.text or found.number


def note(values: AnalysisResults, analysis: str, variable: str, stat: str, **by: str) -> str:
    """The reason code of a statistic."""
    found = values.find(f"dose_exploration.{analysis}", variable, "", by, stat)
    assert found is not None and not found.text and np.isnan(found.number)
    return found.note_code
