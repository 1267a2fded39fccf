"""Clinical chemistry, leukocytes, IL-7 and IL-15, and late processing of serum.

Beside the markers of :mod:`celldossier.simulation.laboratory`. None of them has an
effect on the kinetics of the cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.records import round_significant
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

CHEMISTRY = ("LDH", "CREAT", "ALT", "AST", "BILI")
ULN_AST, ULN_BILI = 40.0, 20.5  # U/L, umol/L
DELAYED = "DELAYED PROCESSING"

# Interleukins that lymphodepletion raises: median and ln SD before it, ln fold and its SD
# on the day of infusion, days until half of the rise is gone.
HOMEOSTATIC = {
    "IL7": (8.0, 0.45, 1.1, 0.35, 6.0),
    "IL15": (4.0, 0.45, 1.7, 0.45, 3.5),
}


def draw_chemistry(
    spec: StudySpecification, infused: pd.DataFrame, times: Array
) -> dict[str, Array]:
    """Chemistry at the visits; the first one (screening) is the value of the subject."""
    rng = open_stream(spec.seed, "chemistry")
    results = {}
    for code in CHEMISTRY:
        noise = np.exp(0.10 * rng.standard_normal(times.shape))
        noise[:, 0] = 1.0
        results[code] = infused[code].to_numpy(dtype=float)[:, np.newaxis] * noise
    return results


def draw_homeostatic(spec: StudySpecification, times: Array) -> dict[str, Array]:
    """IL-7 and IL-15: low at screening, high at infusion, then falling."""
    rng = open_stream(spec.seed, "homeostatic")
    n = times.shape[0]
    results = {}
    for code, (median, spread, fold, fold_sd, half_life) in HOMEOSTATIC.items():
        base = median * np.exp(spread * rng.standard_normal((n, 1)))
        rise = fold + fold_sd * rng.standard_normal((n, 1))
        left = np.where(times < -5, 0.0, np.exp(-np.log(2) * np.maximum(times, 0) / half_life))
        noise = np.exp(0.15 * rng.standard_normal(times.shape))
        results[code] = base * np.exp(rise * left) * noise
    return results


def draw_delays(spec: StudySpecification, shape: tuple[int, ...]) -> Flags:
    """Mark the visits at which the serum tube was processed late."""
    rng = open_stream(spec.seed, "handling")
    delayed: Flags = rng.uniform(size=shape) < spec.handling.delayed_share
    return delayed


def group_hepatic(subjects: pd.DataFrame) -> NDArray[np.str_]:
    """Hepatic function by the NCI Organ Dysfunction Working Group: bilirubin and AST."""
    ratio = subjects["BILI"].to_numpy(dtype=float) / ULN_BILI
    raised = subjects["AST"].to_numpy(dtype=float) > ULN_AST
    return np.select(
        [ratio > 3, ratio > 1.5, (ratio > 1) | raised],
        ["SEVERE", "MODERATE", "MILD"],
        default="NORMAL",
    )


def group_renal(subjects: pd.DataFrame) -> NDArray[np.str_]:
    """Renal function by estimated clearance, mL/min: 90, 60 and 30 part the groups.

    Cockcroft and Gault for adults, Schwartz (bedside, 0.413) for minors; creatinine in
    umol/L (88.4 to the mg/dL).
    """
    age = subjects["AGE"].to_numpy(dtype=float)
    mg = subjects["CREAT"].to_numpy(dtype=float) / 88.4
    weight = subjects["WEIGHT"].to_numpy(dtype=float)
    female = np.where(subjects["SEX"] == "F", 0.85, 1.0)
    adult = (140 - age) * weight / (72 * mg) * female
    minor = 0.413 * subjects["HEIGHT"].to_numpy(dtype=float) / mg
    clearance = np.where(age < 18, minor, adult)
    return np.select(
        [clearance < 30, clearance < 60, clearance < 90],
        ["SEVERE", "MODERATE", "MILD"],
        default="NORMAL",
    )


def add_leukocytes(neutrophils: Array, lymphocytes: Array) -> Array:
    """Leukocytes, 10^9/L: neutrophils, lymphocytes, and monocytes (8 % of neutrophils)."""
    return 1.08 * round_significant(neutrophils, 4) + round_significant(lymphocytes, 4)
