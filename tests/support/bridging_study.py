"""Samples of two versions of an assay: the pairs that bridge them, and the courses of subjects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from kinetics_study import COURSES, make_adpc

from celldossier.datasets import conform

FACTOR = 1.30
VERSIONS = {"S1": "1", "S2": "1", "S3": "2", "S4": "1", "S5": "2"}
LIMITS = {"1": 50.0, "2": 25.0}


def make_adbrg(
    subjects: int = 20,
    factor: float = FACTOR,
    slope: float = 1.0,
    noise: float = 0.2,
    seed: int = 5,
) -> pd.DataFrame:
    """Three samples a subject, of which the second version finds factor times the first."""
    rng = np.random.default_rng(11)
    rows = []
    for number in range(subjects):
        for day in (7.0, 14.0, 28.0):
            first = float(np.exp(rng.normal(7 - day / 14, 1.5)))
            # About 1000 copies/ug both lines meet, whatever the slope.
            second = factor * 1000 * (first / 1000) ** slope * np.exp(rng.normal(0, noise))
            rows.append((f"B{number:02d}", day, first, float(second)))
    frame = pd.DataFrame(rows, columns=["USUBJID", "AFRLT", "AVAL1", "AVAL2"])
    above = (frame["AVAL1"] >= LIMITS["1"]) & (frame["AVAL2"] >= LIMITS["2"])
    return conform(
        frame.assign(
            STUDYID="T",
            PARAMCD="PCR",
            NFRLT=frame["AFRLT"],
            AVALU="copies/ug",
            **{f"ASSAYV{side}": str(side) for side in (1, 2)},
            **{f"PCSPEC{side}": name for side, name in ((1, "BLOOD"), (2, "DNA"))},
            **{f"ALLOQ{side}": LIMITS[str(side)] for side in (1, 2)},
            **{f"SRCFILE{side}": "pc.csv" for side in (1, 2)},
            SRCROW1=np.arange(len(frame)) + 1,
            SRCROW2=np.arange(len(frame)) + 1001,
            AVAL1=frame["AVAL1"].where(frame["AVAL1"] >= LIMITS["1"]),
            AVAL2=frame["AVAL2"].where(frame["AVAL2"] >= LIMITS["2"]),
            BLQFL1=np.where(frame["AVAL1"] < LIMITS["1"], "Y", "N"),
            BLQFL2=np.where(frame["AVAL2"] < LIMITS["2"], "Y", "N"),
            ALQFL1="N",
            ALQFL2="N",
            ANL01FL=np.where(above, "Y", "N"),
            BRGXRS=np.where(above, "", "PAIRBLQ"),
            RATIO=(frame["AVAL2"] / frame["AVAL1"]).where(above),
        ),
        "ADBRG",
    )


def make_versions(
    versions: dict[str, str] | None = None, courses: dict[str, tuple[object, ...]] | None = None
) -> pd.DataFrame:
    """ADPC of the kinetics study, each subject by one version of the assay."""
    adpc = make_adpc({**COURSES, **(courses or {})})
    version = adpc["USUBJID"].map(VERSIONS if versions is None else versions)
    limits = version.map(LIMITS).fillna(10.0)
    return adpc.assign(
        PCASSAYV=version, PCMETHOD="METHOD " + version, PCNAM="LAB " + version, ALLOQ=limits
    )
