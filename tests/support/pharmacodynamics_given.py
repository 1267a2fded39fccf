"""A made-up study for the pharmacodynamics: a few subjects, their samples, drugs and responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from celldossier.datasets import empty_dataset, read_specification
from celldossier.pharmacodynamics.study import Sources, Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings

Rows = Sequence[Mapping[str, object]]


def fill_dataset(name: str, rows: Rows) -> pd.DataFrame:
    """Rows as a frame with all variables of the dataset; what is not given is blank."""
    variables = read_specification(name).variables
    frame = pd.DataFrame([dict(row) for row in rows]).reindex(columns=list(variables))
    for column, variable in variables.items():
        if variable.type == "text":
            frame[column] = frame[column].fillna("").astype(object)
        else:
            frame[column] = frame[column].astype("float64")
    return frame


def samples(
    subject: str,
    marker: str,
    unit: str,
    course: Mapping[float, float | None],
    limit: float = np.nan,
) -> list[dict[str, object]]:
    """Results by day; None is below `limit`. A day of 0 or before is the baseline."""
    rows = []
    for day, value in course.items():
        rows.append(
            {
                "STUDYID": "S",
                "USUBJID": subject,
                "PARAMCD": marker,
                "ASPEC": "BLOOD",
                "AVAL": np.nan if value is None else value,
                "AVALU": unit,
                "BLQFL": "Y" if value is None else "N",
                "ALLOQ": limit,
                "AFRLT": day,
                "NFRLT": day,
                "ADTM": f"day {day}",
                "ABLFL": "Y" if day <= 0 else "N",
            }
        )
    return rows


def make_study(settings: Mapping[str, Any], adpd: Rows, subjects: Rows, **datasets: Rows) -> Study:
    """A study of these samples; `datasets` by lower-case name, such as ``adcm``."""
    names = ("adex", "adpc", "adpp", "adcm", "adae", "adaesi", "adrs", "adtte")
    frames = {
        name: fill_dataset(name.upper(), datasets[name])
        if name in datasets
        else empty_dataset(name.upper())
        for name in names
    }
    adsl = fill_dataset(
        "ADSL", [{"STUDYID": "S", "SAFFL": "Y", "TRT01A": "DL1", **row} for row in subjects]
    )
    sources = Sources(adsl=adsl, adpd=fill_dataset("ADPD", adpd), **frames)
    return Study(sources, PharmacodynamicsSettings.model_validate(settings), empty_dataset("ADPDP"))


def run(part: Any, study: Study) -> tuple[AnalysisResults, list[dict[str, object]]]:
    """Results and curves of one part of the stage."""
    out = ResultCollector("pharmacodynamics")
    curves = part(study, out)
    return AnalysisResults([out.frame()]), curves
