"""Part `study_data.baseline`: baseline covariates and the rules that derive them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Code, Section

LaboratoryVariable = Literal[
    "CRPBL", "FERRBL", "LDHBL", "PLATBL", "IL6BL", "CREATBL", "ALTBL", "ASTBL", "BILIBL"
]


class BaselineSettings(Section):
    """Baseline covariates of ADSL (guideline lines 305 to 312)."""

    laboratory: dict[LaboratoryVariable, Code] = Field(
        {
            "CRPBL": "CRP",
            "FERRBL": "FERRITIN",
            "LDHBL": "LDH",
            "PLATBL": "PLAT",
            "IL6BL": "IL6",
            "CREATBL": "CREAT",
            "ALTBL": "ALT",
            "ASTBL": "AST",
            "BILIBL": "BILI",
        },
        description=(
            "Variable of ADSL: analyte (domain PD of `bioanalysis`) whose baseline it takes, "
            "brought to the unit of the variable."
        ),
    )
    chinese_countries: tuple[str, ...] = Field(
        ("CHN", "CN", "CHINA", "HKG", "MAC", "TWN"),
        description=(
            "Values of DM.COUNTRY that make REGION1 = CHINA, in any case of letters; any other "
            "gives OTHER."
        ),
    )
    renal_measure: Literal["ckd_epi_2021", "ckd_epi_2021_indexed", "cockcroft_gault"] = Field(
        "ckd_epi_2021",
        description=(
            "Measure of the renal function group of adults where DM.RENGRP is blank: estimated "
            "GFR by CKD-EPI 2021 of the person (mL/min, which needs weight and height) or indexed "
            "to 1.73 m2, or creatinine clearance by Cockcroft and Gault (mL/min)."
        ),
    )
