"""Subjects with courses of known phases: ADPH, the summaries of it, and the samples behind it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.phase_datasets import (
    derive_adph,
    derive_phases,
    draw_phase_lines,
)
from celldossier.cellular_kinetics.phase_summaries import add_phases
from celldossier.datasets import conform
from celldossier.results import ResultCollector
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

DAYS = np.array([0.04, 1, 3, 5, 7, 9, 11, 14, 21, 28, 60, 90, 180, 270, 360])
COURSES = {
    "E": ([0.04, 360], [60, 90000]),
    "EC": ([0.04, 14, 360], [60, 90000, 70]),
    "DECP": ([0.04, 3, 9, 28, 360], [2000, 60, 24000, 400, 150]),
    "": ([0.04, 360], [1, 1]),
}
"""Sequence of phases: knots and levels of a course that has it; the last is never quantifiable."""

PATTERNS = ("DECP", "DECP", "EC", "DECP", "E", "")
UNITS = {"PCR": "copies/ug", "FLOW": "cells/uL"}
LEVELS = pd.DataFrame(
    {
        "USUBJID": [f"S-{number:03d}" for number in range(1, 7)],
        "dose": ["DL1", "DL1", "DL2", "DL2", "DL2", "DL2"],
        "indication": "NHL",
        "response": ["RESPONDER", "NONRESPONDER", "UNKNOWN"] * 2,
    }
).set_index("USUBJID")


@lru_cache(maxsize=1)
def make_samples() -> pd.DataFrame:
    """Concentrations of six subjects by two analytes, in the form of `estimate_nca`."""
    parts = []
    for analyte, unit in UNITS.items():
        for subject, pattern in zip(LEVELS.index, PATTERNS, strict=True):
            knots, levels = COURSES[pattern]
            conc = np.exp(np.interp(DAYS, knots, np.log(levels)))
            part = pd.DataFrame({"TIME": DAYS, "CONC": conc, "LLOQ": 50.0})
            below = part["CONC"] < 50
            part = part.assign(BLQ=below.astype(int), CONC=part["CONC"].where(~below))
            parts.append(part.assign(USUBJID=subject, ANALYTE=analyte, CONCU=unit))
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=1)
def make_adph() -> pd.DataFrame:
    """Dataset ADPH of those subjects."""
    phases = derive_phases(make_samples(), CellularKineticsSettings())
    profiles = make_samples()[["USUBJID"]].drop_duplicates().assign(STUDYID="S")
    adsl = LEVELS.reset_index()[["USUBJID", "dose"]].rename(columns={"dose": "TRT01A"})
    return derive_adph(phases, profiles, adsl)


def make_phase_lines() -> pd.DataFrame:
    """The fitted lines, as curves."""
    return draw_phase_lines(make_adph())


def make_adpc() -> pd.DataFrame:
    """Dataset ADPC of those samples."""
    samples = make_samples()
    return conform(
        pd.DataFrame(
            {
                "STUDYID": "S",
                "USUBJID": samples["USUBJID"],
                "PARAMCD": samples["ANALYTE"],
                "PARAM": samples["ANALYTE"],
                "AVAL": samples["CONC"],
                "AVALU": samples["CONCU"],
                "BLQFL": np.where(samples["BLQ"] == 1, "Y", "N"),
                "ALQFL": "N",
                "ALLOQ": samples["LLOQ"],
                "AFRLT": samples["TIME"],
                "ANL01FL": "Y",
                "SRCDOM": "PC",
                "SRCROW": range(1, len(samples) + 1),
            }
        ),
        "ADPC",
    )


def add_phase_counts(out: ResultCollector) -> None:
    """Add the counts of sequences and of missing phases of those subjects."""
    add_phases(out, make_adph(), LEVELS)
