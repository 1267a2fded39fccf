"""Renal and hepatic function at baseline, by published formulas and groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.terms.study_terms import ADULT

STANDARD_SURFACE = 1.73
"""Body surface area that estimated GFR is indexed to, m2."""

UMOL_PER_MG = {"CREATBL": 88.4, "BILIBL": 17.1}
"""Micromoles a litre in one milligram a decilitre of creatinine, bilirubin (molar masses 113.1
and 584.7 g/mol, rounded as clinical laboratories do)."""


def estimate_gfr(creatinine: pd.Series, age: pd.Series, sex: pd.Series) -> pd.Series:
    """Estimated GFR of adults, mL/min/1.73 m2, by CKD-EPI 2021 without race.

    142 min(S/k, 1)^a max(S/k, 1)^-1.200 0.9938^age, times 1.012 for women; k 0.7 and a
    -0.241 for women, 0.9 and -0.302 for men (Inker et al., N Engl J Med 2021;385:1737; National
    Kidney Foundation, kidney.org/ckd-epi-creatinine-equation-2021).

    Parameters
    ----------
    creatinine
        Serum creatinine, mg/dL, standardised to IDMS.
    age
        Years; below 18 the formula does not hold and the value is NaN.
    sex
        F or M; NaN for others.
    """
    female = sex == "F"
    ratio: pd.Series = creatinine.where(creatinine > 0) / np.where(female, 0.7, 0.9)
    exponent = np.where(female, -0.241, -0.302)
    value: pd.Series = (
        142
        * np.minimum(ratio, 1) ** exponent
        * np.maximum(ratio, 1) ** -1.2
        * 0.9938**age
        * np.where(female, 1.012, 1.0)
    )
    return value.where((age >= ADULT) & sex.isin(["F", "M"])).astype("float64")


def remove_indexing(gfr: pd.Series, surface: pd.Series) -> pd.Series:
    """Estimated GFR of the person, mL/min, from that for 1.73 m2 and the body surface area, m2.

    What eliminates a product is the GFR of the person; NIDDK, Determining Drug Dosing in Adults
    with Chronic Kidney Disease: multiplied by the surface area over 1.73 m2.
    """
    return (gfr * surface.where(surface > 0) / STANDARD_SURFACE).astype("float64")


def estimate_clearance(
    creatinine: pd.Series, age: pd.Series, weight: pd.Series, sex: pd.Series
) -> pd.Series:
    """Creatinine clearance of adults, mL/min, by Cockcroft and Gault.

    (140 - age) weight / (72 S), times 0.85 for women (Nephron 1976;16:31); S in mg/dL,
    weight in kg.
    """
    positive = creatinine.where(creatinine > 0)
    value = (140 - age) * weight.where(weight > 0) / (72 * positive)
    value = value * np.where(sex == "F", 0.85, 1.0)
    return value.where((age >= ADULT) & sex.isin(["F", "M"])).astype("float64")


def group_renal(value: pd.Series) -> pd.Series:
    """Renal function group by GFR or creatinine clearance, mL/min; "" where not known.

    From 90 NORMAL, 60 MILD, 30 MODERATE, 15 SEVERE, below FAILURE (FDA, Pharmacokinetics in
    Patients with Impaired Renal Function, guidance of March 2024, draft of September 2020).
    The same limits part the stages of KDIGO, which are of the GFR for 1.73 m2.
    """
    levels = ["NORMAL", "MILD", "MODERATE", "SEVERE", "FAILURE"]
    rules = [value >= 90, value >= 60, value >= 30, value >= 15, value < 15]
    return pd.Series(np.select(rules, levels, ""), index=value.index, dtype=object)


def group_hepatic(bilirubin: pd.Series, ast: pd.Series) -> pd.Series:
    """Hepatic function group of the NCI Organ Dysfunction Working Group; "" where not known.

    NORMAL: both at most the upper limit of normal. MILD: bilirubin at most it and AST above,
    or bilirubin above it up to 1.5 times. MODERATE: bilirubin above 1.5 to 3 times, SEVERE:
    above 3 times, whatever AST (Patel et al., Clin Cancer Res 2004;10:6591).

    Parameters
    ----------
    bilirubin, ast
        Multiples of the upper limit of normal.
    """
    rules = [
        bilirubin > 3,
        bilirubin > 1.5,
        bilirubin > 1,
        (bilirubin <= 1) & (ast > 1),
        (bilirubin <= 1) & (ast <= 1),
    ]
    levels = ["SEVERE", "MODERATE", "MILD", "MILD", "NORMAL"]
    return pd.Series(np.select(rules, levels, ""), index=bilirubin.index, dtype=object)
