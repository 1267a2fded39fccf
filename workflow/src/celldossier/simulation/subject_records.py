"""Columns of raw files that every kind of study writes alike: subjects, arms, shared lots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from celldossier.simulation.background import ArmLevel
from celldossier.simulation.records import format_dates, format_datetimes, format_fixed

Columns = dict[str, Any]


def identify_subjects(subjects: pd.DataFrame, infusion: str) -> Columns:
    """Identifiers, dates, demographics and body size of ``dm.csv``.

    Parameters
    ----------
    subjects
        With the internal columns of a drawn study.
    infusion
        The column with the start of the first infusion.
    """
    return {
        **{name: subjects[name] for name in ("USUBJID", "SUBJID", "SITEID")},
        "RFICDTC": format_datetimes(subjects["CONSENT"].to_numpy().astype("datetime64[m]")),
        "RFXSTDTC": format_datetimes(subjects[infusion].to_numpy().astype("datetime64[m]")),
        "AGE": subjects["AGE"].astype(str),
        "AGEU": "YEARS",
        **{name: subjects[name] for name in ("SEX", "RACE", "COUNTRY")},
        "ETHNIC": subjects.get("ETHNIC", "NOT HISPANIC OR LATINO"),
        "HTBL": format_fixed(subjects["HEIGHT"], 1),
        "WTBL": format_fixed(subjects["WEIGHT"], 1),
    }


def place_in_arms(subjects: pd.DataFrame, levels: Sequence[ArmLevel], cells: str) -> Columns:
    """Arm, cohort and part of ``dm.csv`` where the escalation has one cohort a level.

    Parameters
    ----------
    cells
        What a dose counts, for the name of the arm: viable cells.
    """
    level = subjects["LEVEL"].to_numpy()
    codes = np.array([arm.code for arm in levels])
    names = np.array([f"{arm.code}: {arm.planned:g} x 10^6 {cells}" for arm in levels])
    escalation = subjects["ESCALATION"].to_numpy(dtype=bool)
    return {
        "ARMCD": codes[level],
        "ARM": names[level],
        "COHORT": np.where(escalation, np.char.add("ESC-", codes[level]), "EXPANSION"),
        "PART": np.where(escalation, "ESCALATION", "EXPANSION"),
    }


def describe_shared_lots(lots: pd.DataFrame) -> Columns:
    """Columns of ``lots.csv`` of an allogeneic product, whose lots have no subject."""
    return {
        "USUBJID": "",
        "LOTID": lots["LOTID"],
        "DONORID": lots["DONORID"],
        "PROCESS": "A",
        "SITE": "SHANGHAI",
        "MFGDTC": format_dates(lots["MADE"].to_numpy().astype("datetime64[m]")),
        "RELDTC": format_dates(lots["RELEASED"].to_numpy().astype("datetime64[m]")),
        "RELSTAT": "RELEASED",
        "VIABPCT": format_fixed(lots["VIABILITY"], 1),
        "EXPFOLD": format_fixed(lots["EXPANSION"], 0),
        "POTENCY": format_fixed(lots["POTENCY"], 1),
        "POTENCU": "%",
        "CULTDAYS": format_fixed(lots["CULTURE"], 0),
    }
