"""Samples of two assays of the cells in small made-up studies."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.datasets import conform

DAYS = (0.0, 7.0, 14.0, 28.0)
UNITS = {"PCR": "copies/ug", "FLOW": "cells/uL", "DPCR": "copies/ug"}
LIMITS = {"PCR": 50.0, "FLOW": 1.0, "DPCR": 20.0}


def make_sample(
    subject: str, analyte: str, day: float, value: float, row: int, **variables: object
) -> dict[str, object]:
    """One record of ADPC; a value below the limit is BLQ, NaN is no result."""
    below = value < LIMITS[analyte]
    record: dict[str, object] = {
        "STUDYID": "T",
        "USUBJID": subject,
        "PARAMCD": analyte,
        "PARAM": analyte,
        "PCSPEC": "BLOOD",
        "AVAL": math.nan if below else value,
        "AVALC": "" if math.isnan(value) else "BLQ" if below else f"{value:g}",
        "AVALU": UNITS[analyte],
        "BLQFL": "Y" if below else "N",
        "ALQFL": "N",
        "ALLOQ": LIMITS[analyte],
        "AFRLT": day + 0.02 if day else -0.1,
        "NFRLT": day,
        "ANL01FL": "Y",
        "SRCDOM": "PC",
        "SRCFILE": "pc.csv",
        "SRCROW": row,
    }
    return {**record, **variables}


def make_two_assays(subjects: int = 12, seed: int = 3) -> pd.DataFrame:
    """ADPC of PCR and flow, whose logarithms follow a line of slope 0.8 with scatter."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for number in range(subjects):
        own = rng.normal(0, 0.4)
        for day in DAYS:
            level = rng.normal(7 - day / 14, 1.2) if day else 0.0
            flow = math.exp(0.8 * level - 3.5 + own + rng.normal(0, 0.3)) if day else 0.0
            pcr = math.exp(level) if day else 0.0
            for analyte, value in (("PCR", pcr), ("FLOW", flow)):
                rows.append(make_sample(f"S{number:02d}", analyte, day, value, len(rows) + 1))
    return conform(pd.DataFrame(rows), "ADPC")


def make_subjects(adpc: pd.DataFrame) -> pd.DataFrame:
    """ADSL in which every subject of the samples is in the kinetics set."""
    frame = pd.DataFrame({"USUBJID": sorted(adpc["USUBJID"].unique()), "STUDYID": "T"})
    frame["TRT01A"] = frame["TRT01P"] = "DL1"
    for flag in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        frame[flag] = "Y"
    return conform(frame, "ADSL")
