"""Baseline covariates of ADSL that are derived: groups, laboratory, organ function, product."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.datasets import read_specification
from celldossier.settings.baseline import BaselineSettings
from celldossier.study_data.organ_function import (
    UMOL_PER_MG,
    estimate_clearance,
    estimate_gfr,
    group_hepatic,
    group_renal,
    remove_indexing,
)
from celldossier.study_data.units import UnitTable, fold_unit

OF_LOT = (
    *("VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT", "TEFFPCT"),
    *("EXPFOLD", "CULTDAYS", "VEINVEIN"),
)
"""Attributes of the first lot that ADSL takes over under their own name."""


def group_age(age: pd.Series) -> pd.Series:
    """Age group; "" where the age is not known."""
    groups = np.select([age < 18, age < 65, age >= 65], ["<18", "18-64", ">=65"], default="")
    return pd.Series(groups, index=age.index, dtype=object)


def group_paediatric_age(age: pd.Series) -> pd.Series:
    """Age group of ICH E11 (newborns with infants), adults as one; "" where not known."""
    rules = [age < 2, age < 12, age < 18, age >= 18]
    groups = np.select(rules, ["<2", "2-11", "12-17", ">=18"], default="")
    return pd.Series(groups, index=age.index, dtype=object)


def group_region(country: pd.Series, chinese: tuple[str, ...]) -> pd.Series:
    """CHINA or OTHER by country; "" where blank."""
    names = {name.casefold() for name in chinese}
    region = np.where(country.str.casefold().isin(names), "CHINA", "OTHER")
    return pd.Series(region, index=country.index, dtype=object).where(country != "", "")


def group_by_median(values: pd.Series, within: list[pd.Series]) -> pd.Series:
    """HIGH above the median of the group, else LOW; "" without value or in a group of one."""
    groups = values.groupby(within)
    known = groups.transform("count") > 1
    level = np.where(values > groups.transform("median"), "HIGH", "LOW")
    return pd.Series(level, index=values.index, dtype=object).where(values.notna() & known, "")


def derive_laboratory(
    usubjid: pd.Series, adpd: pd.DataFrame, settings: BaselineSettings
) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Baseline laboratory values in the unit of their variable, and over the upper limit.

    Returns
    -------
    tuple of dict of Series
        By variable, aligned with `usubjid`: values; multiples of the upper limit of
        normal. NaN where no baseline, unit without conversion, or limit is known.
    """
    units = {name: variable.unit for name, variable in read_specification("ADSL").variables.items()}
    baseline = adpd[(adpd["ABLFL"] == "Y") & adpd["AVAL"].notna()]
    baseline = baseline.sort_values(["AFRLT", "SRCROW"], kind="stable")
    values: dict[str, pd.Series] = {}
    multiples: dict[str, pd.Series] = {}
    for name, analyte in settings.laboratory.items():
        rows = baseline[baseline["PARAMCD"] == analyte].drop_duplicates("USUBJID", keep="last")
        rows = rows.set_index("USUBJID")
        factor = rows["AVALU"].map(
            {unit: _find_factor(name, unit, units[name]) for unit in rows["AVALU"].unique()}
        )
        value = rows["AVAL"] * factor.astype("float64")
        values[name] = usubjid.map(value).astype("float64")
        multiple = rows["AVAL"] / rows["ANRHI"].where(rows["ANRHI"] > 0)
        multiples[name] = usubjid.map(multiple).astype("float64")
    return values, multiples


def _find_factor(variable: str, unit: str, target: str) -> float:
    """Factor to the unit of the variable; molar units only of substances of known molar mass."""
    if variable in UMOL_PER_MG and fold_unit(unit) == "umol/l" and target == "mg/dL":
        return 1 / UMOL_PER_MG[variable]
    return UnitTable().factor(unit, target)


def derive_organ_function(
    frame: pd.DataFrame, multiples: Mapping[str, pd.Series], settings: BaselineSettings
) -> dict[str, pd.Series]:
    """Renal and hepatic function: measures, groups, and whether a group was given or derived.

    Parameters
    ----------
    frame
        AGE, SEX, WTBL, BSABL, CREATBL (mg/dL), and HEPGRP, RENGRP as given.
    """
    gfr = estimate_gfr(frame["CREATBL"], frame["AGE"], frame["SEX"])
    clearance = estimate_clearance(frame["CREATBL"], frame["AGE"], frame["WTBL"], frame["SEX"])
    absolute = remove_indexing(gfr, frame["BSABL"])
    measures = {
        "ckd_epi_2021": absolute,
        "ckd_epi_2021_indexed": gfr,
        "cockcroft_gault": clearance,
    }
    none = pd.Series(np.nan, index=frame.index)
    found = {
        "RENGRP": group_renal(measures[settings.renal_measure]),
        "HEPGRP": group_hepatic(multiples.get("BILIBL", none), multiples.get("ASTBL", none)),
    }
    columns = {"EGFRBL": gfr, "EGFRABL": absolute, "CRCLBL": clearance}
    for name, group in found.items():
        given = frame[name] != ""
        source = np.select([given, group != ""], ["GIVEN", "DERIVED"], "")
        columns[name] = frame[name].where(given, group)
        columns[f"{name}S"] = pd.Series(source, index=frame.index, dtype=object)
    return columns


def derive_product(lot: pd.Series, adpq: pd.DataFrame) -> dict[str, pd.Series]:
    """Attributes of the lot of the first infusion, aligned with `lot`."""
    lots = adpq.drop_duplicates("LOTID").set_index("LOTID")
    columns: dict[str, pd.Series] = {name: lot.map(lots[name]).astype("float64") for name in OF_LOT}
    for name, origin in (("PROCESS", "PROCESS"), ("MFGSITE", "SITE")):
        columns[name] = lot.map(lots[origin]).fillna("").astype(object)
    return columns
