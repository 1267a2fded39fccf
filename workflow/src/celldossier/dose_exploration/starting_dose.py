"""First dose in humans, scaled from animals or from a number of active cells (table 9).

Analyses, for tables and templates:

============ ================ ==================== =============================================
analysis     variable         by                   statistics
============ ================ ==================== =============================================
first_dose   PLANNED          none                 dose (10^6 cells), dose_kg, weight, height,
                                                   km, exponent, area_dubois, area_mosteller,
                                                   n_infused
animal_dose  DOSE             animal               dose (10^6 cells/kg), weight, km, factor,
                                                   in_range (Y, N)
human_dose   DOSE             animal, method       dose_kg, dose, start (dose over the safety
                                                   factor), margin (dose over the planned first
                                                   dose), within (planned at most start: Y, N)
active_cells DOSE             benchmark            cells, cells_low, cells_high, share, share_low,
                                                   share_high, n_lots, dose, low, high, within
                                                   (planned dose within low and high: Y, N)
============ ================ ==================== =============================================

Methods: KM (factors of the table), DUBOIS and MOSTELLER (surface of the declared weight and
height), ALLOMETRIC (power of the body weight). None of them knows that cells multiply: the
tables carry the uncertainty that the guideline wants stated (lines 115-125).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.starting_dose import ActiveCells, AnimalStudy, StartingDoseSettings
from celldossier.stats.dose_scaling import (
    scale_by_km,
    scale_by_surface,
    scale_by_weight,
    surface_area_dubois,
    surface_area_mosteller,
)
from celldossier.terms.km_factors import km_factors
from celldossier.terms.study_terms import CELL_PRODUCT

METHODS = ("KM", "DUBOIS", "MOSTELLER", "ALLOMETRIC")
CELLS, CELLS_KG = "10^6 cells", "10^6 cells/kg"


def summarise_starting_dose(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Human equivalents of the declared animal doses, and doses of active cells; no curves."""
    rules = study.settings.starting_dose
    infused = float((study.sources.adsl["SAFFL"] == "Y").sum())
    planned, code = find_first_dose(study.sources.adsl, study.sources.adex, rules)
    _add_first_dose(out, rules, planned, code, infused)
    for animal in rules.animals:
        _add_animal(out, animal, rules, planned, code)
    shares = find_active_shares(study.sources.adpq)
    for benchmark in rules.active_cells:
        _add_active_cells(out, benchmark, shares, planned, code)
    return []


def find_first_dose(
    adsl: pd.DataFrame, adex: pd.DataFrame, rules: StartingDoseSettings
) -> tuple[float, str]:
    """Planned first dose in 10^6 cells: the declared one, else that of the lowest dose level.

    A split dose is one with all its fractions; of a level the median counts, since a split dose
    that was broken off shows a part of its plan only.

    Returns
    -------
    tuple
        The dose, NaN where it is not known, and then the reason code.
    """
    if rules.planned is not None:
        return rules.planned, ""
    first = adex.loc[(adex["EXCAT"] == CELL_PRODUCT) & (adex["DOSETYPE"] == "FIRST")]
    dose = first["DOSEP"].mask(first["NFRAC"] > 1, first["DOSPSUM"])
    levels = adsl.drop_duplicates(KEY)[[*KEY, "TRT01P", "TRT01A"]]
    known = first.assign(DOSE=dose).loc[dose > 0].merge(levels, on=KEY, how="left")
    if known.empty:
        return math.nan, "NOPLAN"
    level = known["TRT01P"].where(known["TRT01P"].fillna("") != "", known["TRT01A"])
    lowest = float(known.groupby(level.fillna(""))["DOSE"].median().min())
    if set(known["DOSEU"]) == {CELLS}:
        return lowest, ""
    if set(known["DOSEU"]) == {CELLS_KG}:
        return lowest * rules.human_weight, ""
    return math.nan, "MIXUNIT"


def scale_animal(animal: AnimalStudy, rules: StartingDoseSettings) -> dict[str, float]:
    """Human equivalent dose by each method, 10^6 cells/kg."""
    factors = km_factors()
    km, weight = factors[animal.species].km, animal.weight or factors[animal.species].weight
    surfaces = {
        "DUBOIS": surface_area_dubois(rules.human_weight, rules.human_height),
        "MOSTELLER": surface_area_mosteller(rules.human_weight, rules.human_height),
    }
    return {
        "KM": scale_by_km(animal.dose, km, factors[rules.human].km),
        **{
            name: scale_by_surface(animal.dose, km, area) / rules.human_weight
            for name, area in surfaces.items()
        },
        "ALLOMETRIC": scale_by_weight(
            animal.dose, weight, rules.human_weight, rules.allometric_exponent
        ),
    }


def find_active_shares(adpq: pd.DataFrame) -> pd.Series:
    """Viability times transduction efficiency of each lot given, from 0 to 1."""
    given = adpq.loc[adpq["INFUSFL"] == "Y"].drop_duplicates(["STUDYID", "LOTID"])
    return (given["VIABPCT"] * given["TRANSPCT"] / 1e4).dropna()


def _add_first_dose(
    out: ResultCollector,
    rules: StartingDoseSettings,
    planned: float,
    code: str,
    infused: float,
) -> None:
    weight, height = rules.human_weight, rules.human_height
    statistics = {
        "dose": planned,
        "dose_kg": planned / weight,
        "weight": weight,
        "height": height,
        "km": km_factors()[rules.human].km,
        "exponent": rules.allometric_exponent,
        "area_dubois": surface_area_dubois(weight, height),
        "area_mosteller": surface_area_mosteller(weight, height),
        "n_infused": infused,
    }
    out.add(
        "first_dose",
        statistics,
        dataset="ADEX",
        variable="PLANNED",
        unit="1",
        units={
            "dose": CELLS,
            "dose_kg": CELLS_KG,
            "weight": "kg",
            "height": "cm",
            "km": "kg/m2",
            "area_dubois": "m2",
            "area_mosteller": "m2",
            "n_infused": "",
        },
        n=infused,
        notes=explain_missing(statistics, code),
    )


def _add_animal(
    out: ResultCollector,
    animal: AnimalStudy,
    rules: StartingDoseSettings,
    planned: float,
    code: str,
) -> None:
    factor = km_factors()[animal.species]
    weight = animal.weight or factor.weight
    inside = factor.range is None or factor.range[0] <= weight <= factor.range[1]
    out.add(
        "animal_dose",
        {
            "dose": animal.dose,
            "weight": weight,
            "km": factor.km,
            "factor": animal.safety_factor,
            "in_range": "Y" if inside else "N",
        },
        dataset="settings",
        variable="DOSE",
        by={"animal": animal.id},
        units={"dose": CELLS_KG, "weight": "kg", "km": "kg/m2", "factor": "1"},
    )
    for method, dose_kg in scale_animal(animal, rules).items():
        dose = dose_kg * rules.human_weight
        start = dose / animal.safety_factor
        statistics: dict[str, float | str] = {
            "dose_kg": dose_kg,
            "dose": dose,
            "start": start,
            "margin": dose / planned,
            "within": math.nan if code else "Y" if planned <= start else "N",
        }
        out.add(
            "human_dose",
            statistics,
            dataset="settings",
            variable="DOSE",
            by={"animal": animal.id, "method": method},
            units={"dose_kg": CELLS_KG, "dose": CELLS, "start": CELLS, "margin": "1"},
            method=method,
            notes=explain_missing(statistics, code),
        )


def _add_active_cells(
    out: ResultCollector,
    benchmark: ActiveCells,
    lots: pd.Series,
    planned: float,
    code: str,
) -> None:
    cells = (benchmark.low or benchmark.cells, benchmark.cells, benchmark.high or benchmark.cells)
    missing = ""
    if benchmark.active_share is not None:
        shares = benchmark.active_share
    elif (lots > 0).any():
        positive = lots[lots > 0]
        shares = (float(positive.min()), float(np.median(positive)), float(positive.max()))
    else:
        shares, missing = (math.nan,) * 3, "NOTCOLL"
    # The fewest cells of the purest product, and the most cells of the poorest.
    low, dose, high = cells[0] / shares[2], cells[1] / shares[1], cells[2] / shares[0]
    unknown = missing or code
    statistics: dict[str, float | str] = {
        "cells": cells[1],
        "cells_low": cells[0],
        "cells_high": cells[2],
        "share": 100 * shares[1],
        "share_low": 100 * shares[0],
        "share_high": 100 * shares[2],
        "n_lots": math.nan if benchmark.active_share is not None else float(lots.size),
        "dose": dose,
        "low": low,
        "high": high,
        "within": math.nan if unknown else "Y" if low <= planned <= high else "N",
    }
    out.add(
        "active_cells",
        statistics,
        dataset="ADPQ" if benchmark.active_share is None else "settings",
        variable="DOSE",
        by={"benchmark": benchmark.id},
        unit=CELLS,
        units={"share": "%", "share_low": "%", "share_high": "%", "n_lots": ""},
        notes=explain_missing(statistics, missing, n_lots="DECLARED", within=unknown),
    )
