"""What the stage reads, and the exposure of each subject that all its topics compare."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from celldossier.settings.persistence import LANDMARKS, Landmark
from celldossier.settings.special_considerations import SpecialConsiderationsSettings

KEY = ["STUDYID", "USUBJID"]
COURSE = "COURSE"
"""Profile of the whole course (ADPP.PROFTYP)."""


@dataclass(frozen=True)
class Sources:
    """Datasets of earlier stages, each after its specification."""

    adsl: pd.DataFrame
    adpp: pd.DataFrame
    adrs: pd.DataFrame
    adae: pd.DataFrame
    adaesi: pd.DataFrame
    adld: pd.DataFrame
    adpc: pd.DataFrame
    adpd: pd.DataFrame
    adpq: pd.DataFrame
    adcm: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """The infused subjects with their exposure.

    Attributes
    ----------
    subjects
        ADSL of the infused subjects (SAFFL = Y), with a column for each metric: NaN for a
        subject without a value or outside the kinetics population.
    units
        Unit of each metric, blank where no subject has a value.
    analyte
        Primary analyte of the kinetics.
    landmarks
        Days at which persistence is counted, from the settings of the kinetics.
    """

    sources: Sources
    settings: SpecialConsiderationsSettings
    analyte: str
    subjects: pd.DataFrame
    units: dict[str, str]
    landmarks: tuple[Landmark, ...]


def read_study(
    sources: Sources,
    settings: SpecialConsiderationsSettings,
    analyte: str,
    landmarks: tuple[Landmark, ...] = LANDMARKS,
) -> Study:
    """Put the exposure of the whole course beside each infused subject."""
    adsl, adpp = sources.adsl, sources.adpp
    subjects = adsl.loc[adsl["SAFFL"] == "Y"].reset_index(drop=True)
    places = pd.MultiIndex.from_frame(subjects[KEY])
    course = adpp.loc[(adpp["PARCAT1"] == analyte) & (adpp["PROFTYP"] == COURSE)]
    units: dict[str, str] = {}
    for metric in settings.metrics:
        rows = course.loc[course["PARAMCD"] == metric]
        known = rows.loc[rows["AVAL"].notna(), "AVALU"]
        units[metric] = str(known.iloc[0]) if len(known) else ""
        values = rows.set_index(KEY)["AVAL"].reindex(places).to_numpy(dtype=float)
        subjects[metric] = pd.Series(values).where(subjects["PKFL"] == "Y")
    return Study(sources, settings, analyte, subjects, units, landmarks)
