"""Amounts of cells: total, viable and transgene-positive, planned and given, per kg and per m2.

Amounts are in 10^6 cells. The amount that EX.EXDOSE counts (`study_data.dosing.dose_basis`)
is EXDOSE itself where its own column is blank. A dose per body weight or surface is brought
to cells by the baseline weight or surface. The others come from the lot only where
`missing_amounts` is from_lot: viability is taken as viable over total cells, transduction as
transgene-positive over viable cells. How an amount came about stands in DTYPTOT, DTYPVIA,
DTYPTGP: blank as recorded, EXDOSE, WEIGHT, SURFACE, LOT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.settings.dosing import BASES, BASIS_OF_CODE, DoseBasis, DosingSettings
from celldossier.settings.study import Product
from celldossier.study_data.domain import Domain
from celldossier.study_data.units import UnitTable
from celldossier.terms.study_terms import CELLS

SHORT: Mapping[DoseBasis, str] = {basis: code for code, basis in BASIS_OF_CODE.items()}
"""Part of a variable's name that stands for a basis."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Body:
    """Baseline weight (kg) and body surface area (m2) of each record's subject."""

    weight: pd.Series
    area: pd.Series

    def per_kg(self, amounts: pd.Series) -> pd.Series:
        """Amounts over weight; NaN where it is not above 0."""
        return amounts / self.weight.where(self.weight > 0)

    def per_m2(self, amounts: pd.Series) -> pd.Series:
        """Amounts over body surface area; NaN where it is not above 0."""
        return amounts / self.area.where(self.area > 0)


def is_in_window(ratio: pd.Series, window: tuple[float, float]) -> pd.Series:
    """Whether actual over planned dose lies in the window, limits included.

    2.4 over 3 is 0.7999999999999999 in binary numbers: rounding must not put a dose out
    that lies at the limit.
    """
    low, high = window
    return (ratio >= low * (1 - ROUNDING)) & (ratio <= high * (1 + ROUNDING))


def find_basis(settings: DosingSettings, product: Product) -> DoseBasis:
    """Which cells EX.EXDOSE counts."""
    return settings.dose_basis or ("transgene_positive" if product.gene_modified else "viable")


def find_window(basis: DoseBasis, settings: DosingSettings) -> tuple[float, float]:
    """Window of actual over planned dose of a basis."""
    return settings.basis_windows.get(basis, settings.dose_window)


def is_count(unit: str) -> bool:
    """Whether a unit counts cells, as such or per body weight or surface."""
    table = UnitTable()
    return any(table.factor(unit, CELLS + body) > 0 for body in ("", "/kg", "/m2"))


def count_cells(dose: pd.Series, unit: pd.Series, body: Body) -> tuple[pd.Series, pd.Series]:
    """Cells (10^6) that a dose means, and how: EXDOSE, WEIGHT, SURFACE; NaN and "" elsewhere."""
    table = UnitTable()
    cells = pd.Series(np.nan, index=dose.index, dtype="float64")
    how = pd.Series("", index=dose.index, dtype=object)
    ways = (
        (CELLS, pd.Series(1.0, index=dose.index), "EXDOSE"),
        (f"{CELLS}/kg", body.weight.where(body.weight > 0), "WEIGHT"),
        (f"{CELLS}/m2", body.area.where(body.area > 0), "SURFACE"),
    )
    for target, size, name in ways:
        factors = {text: table.factor(text, target) for text in unit.unique()}
        found = dose * unit.map(factors).astype("float64") * size
        how = how.mask(cells.isna() & found.notna(), name)
        cells = cells.fillna(found)
    return cells, how


def derive_amounts(
    ex: Domain,
    lots: Domain,
    infusions: pd.Series,
    *,
    unit: pd.Series,
    arm: pd.Series,
    body: Body,
    basis: DoseBasis,
    settings: DosingSettings,
) -> pd.DataFrame:
    """Amounts of each infusion by basis, held against the plan.

    Parameters
    ----------
    infusions
        Which records are infusions of the cell product; the others stay empty.
    unit, arm
        Unit of EXDOSE, normalised; planned arm of the subject.

    Returns
    -------
    DataFrame
        For each basis XXX (TOT, VIA, TGP): ``DOSEXXX`` given, ``PDOSXXX`` planned (10^6
        cells), ``DTYPXXX``, ``DOSXXXKG``, ``DOSXXXM2``, ``RATXXX``, ``WINXXXFL``.
    """
    given, how = _read_amounts(ex, unit, body, basis)
    if settings.missing_amounts == "from_lot":
        _fill_from_lots(ex, lots, given, how)
    planned, _ = count_cells(ex.number("EXPDOSE"), unit, body)
    columns: dict[str, pd.Series] = {}
    for name in BASES:
        short = SHORT[name]
        amount = given[name].where(infusions)
        plan = planned.copy() if name == basis else pd.Series(np.nan, index=planned.index)
        wanted = {of: amounts.get(name) for of, amounts in settings.planned_amounts.items()}
        plan = plan.fillna(arm.map(wanted).astype("float64")).where(infusions)
        ratio = amount / plan.where(plan > 0)
        inside = np.where(is_in_window(ratio, find_window(name, settings)), "Y", "N")
        flag = pd.Series(inside, index=ratio.index, dtype=object).where(ratio.notna(), "")
        columns |= {
            f"DOSE{short}": amount,
            f"PDOS{short}": plan,
            f"DTYP{short}": how[name].where(infusions & amount.notna(), ""),
            f"DOS{short}KG": body.per_kg(amount),
            f"DOS{short}M2": body.per_m2(amount),
            f"RAT{short}": ratio,
            f"WIN{short}FL": flag,
        }
    return pd.DataFrame(columns)


def read_recorded(ex: Domain) -> dict[DoseBasis, pd.Series]:
    """Amounts that EX gives in columns of their own, 10^6 cells."""
    return {name: ex.number(f"EXDOS{SHORT[name]}") for name in BASES}


def _read_amounts(
    ex: Domain, unit: pd.Series, body: Body, basis: DoseBasis
) -> tuple[dict[DoseBasis, pd.Series], dict[DoseBasis, pd.Series]]:
    given = read_recorded(ex)
    how = {name: pd.Series("", index=ex.frame.index, dtype=object) for name in BASES}
    cells, way = count_cells(ex.number("EXDOSE"), unit, body)
    how[basis] = way.where(given[basis].isna(), "")
    given[basis] = given[basis].fillna(cells)
    return given, how


def _fill_from_lots(
    ex: Domain,
    lots: Domain,
    given: dict[DoseBasis, pd.Series],
    how: dict[DoseBasis, pd.Series],
) -> None:
    """Fill what is missing by viability and transduction of the lot, from the nearest basis."""
    listed = pd.DataFrame(
        {name: lots.number(name) for name in ("VIABPCT", "TRANSPCT")}, index=lots.frame.index
    )[lots.active]
    listed.index = pd.Index(lots.frame["LOTID"][lots.active])
    listed = listed[~listed.index.duplicated()].reindex(ex.frame["EXLOT"])
    shares = listed.set_index(ex.frame.index) / 100
    shares = shares.where((shares > 0) & (shares <= 1))
    viability, transduction = shares["VIABPCT"], shares["TRANSPCT"]
    steps: tuple[tuple[DoseBasis, DoseBasis, pd.Series], ...] = (
        ("viable", "total", viability),
        ("viable", "transgene_positive", 1 / transduction),
        ("transgene_positive", "viable", transduction),
        ("total", "viable", 1 / viability),
    )
    for target, origin, factor in steps:
        found = given[origin] * factor
        new = given[target].isna() & found.notna()
        how[target] = how[target].mask(new, "LOT")
        given[target] = given[target].fillna(found)
