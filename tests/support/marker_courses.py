"""Made-up courses of markers, as earlier stages hand them to pharmacodynamics."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.pharmacodynamics.parameters import derive_adpdp
from celldossier.pharmacodynamics.study import Sources
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings

NAMES = tuple(field.name.upper() for field in fields(Sources))

Sample = tuple[float, float | str]
"""Day, and a number or "<" and the limit."""


def make_samples(
    marker: str, samples: list[Sample], *, subject: str = "S-1", **columns: Any
) -> pd.DataFrame:
    """Records of ADPD of one series; the last at or before day 0 is the baseline."""
    below = [isinstance(value, str) for _, value in samples]
    number = [np.nan if isinstance(value, str) else value for _, value in samples]
    limit = [float(value[1:]) if isinstance(value, str) else np.nan for _, value in samples]
    day = np.array([day for day, _ in samples], dtype=float)
    before = np.flatnonzero(day <= 0)
    base = np.zeros(len(day), dtype=bool)
    base[before[-1:]] = True
    return pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": subject,
            "PARAMCD": marker,
            "PARAM": marker,
            "ASPEC": "SERUM",
            "ALOC": "",
            "CONDFL": "",
            "ANRHI": np.nan,
            "AVAL": number,
            "AVALU": "pg/mL",
            "BLQFL": np.where(below, "Y", "N"),
            "ALLOQ": limit,
            "ALQFL": "N",
            "AULOQ": np.nan,
            "AFRLT": day,
            "NFRLT": day,
            "ABLFL": np.where(base, "Y", "N"),
            "SRCDOM": "LB",
            "SRCROW": np.arange(1, len(day) + 1),
            **columns,
        }
    )


def make_sources(adpd: pd.DataFrame, **frames: pd.DataFrame) -> Sources:
    """Sources with these samples; each of their subjects is in ADSL, none has died."""
    subjects = adpd["USUBJID"].unique()
    level = [f"DL{1 + number % 2}" for number in range(len(subjects))]
    adsl = pd.DataFrame({"STUDYID": "S", "USUBJID": subjects, "TRT01A": level, "PDFL": "Y"})
    adsl["DTHDY"] = np.nan
    for column in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "IMFL", "ERFL"):
        adsl[column] = "Y"
    given = {"ADSL": conform(adsl, "ADSL"), "ADPD": adpd, **frames}
    sets = {name: given.get(name) for name in NAMES}
    return Sources(
        **{
            name.lower(): empty_dataset(name) if frame is None else frame
            for name, frame in sets.items()
        }
    )


def make_medication(medicine: str, day: float, subject: str = "S-1") -> pd.DataFrame:
    """ADCM with one medication that starts on that day."""
    row = {"STUDYID": "S", "USUBJID": subject, "CMTRT": medicine, "CMCLASS": medicine}
    return pd.DataFrame([{**row, "ASTDY": day, "SRCDOM": "CM", "SRCROW": 1}])


def derive(sources: Sources, **parameters: Any) -> pd.DataFrame:
    """ADPDP with these settings of the parameters."""
    settings = PharmacodynamicsSettings.model_validate({"parameters": parameters})
    return derive_adpdp(sources, settings)


def row_of(adpdp: pd.DataFrame, code: str, subject: str = "S-1") -> pd.Series:
    """The one row of a parameter of a subject."""
    rows = adpdp[(adpdp["PARAMCD"] == code) & (adpdp["USUBJID"] == subject)]
    assert len(rows) == 1, code
    return rows.iloc[0]


def value_of(adpdp: pd.DataFrame, code: str, subject: str = "S-1") -> float:
    """Value of a parameter of a subject."""
    return float(row_of(adpdp, code, subject)["AVAL"])
