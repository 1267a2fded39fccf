"""Checks of the doses of the cell product: amounts, plan, course of time, lots."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.dosing import BASES, DoseBasis
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.amounts import SHORT, find_window, read_recorded
from celldossier.study_data.domain import Domain
from celldossier.study_data.exposure import read_units
from celldossier.study_data.findings import format_number
from celldossier.study_data.parsing import is_before
from celldossier.study_data.repeats import find_repeats
from celldossier.study_data.subjects import Subjects
from celldossier.terms.study_terms import CELL_PRODUCT, CELLS

BASIS_TOLERANCE = 0.01
"""Difference of EXDOSE and the amount of its basis that is rounding, ratio."""


def check_doses(
    ex: Domain,
    adex: pd.DataFrame,
    lots: Domain,
    subjects: Subjects,
    settings: StudyDataSettings,
    basis: DoseBasis,
) -> None:
    """Check the doses of the cell product against plan, list of lots and each other.

    Parameters
    ----------
    adex
        From `derive_adex`, indexed as the records of EX.
    """
    cells = ex.active & (ex.frame["EXCAT"] == CELL_PRODUCT)
    of = adex.reindex(ex.frame.index)
    _check_amounts(ex, cells, of, settings, basis)
    _check_windows(ex, cells, of, settings, basis)
    _check_times(ex, cells, of, settings)
    _check_release(ex, cells, subjects)
    if lots.usable and lots.collected:
        _check_lots(ex, cells, lots, settings)


def _check_amounts(
    ex: Domain,
    cells: pd.Series,
    of: pd.DataFrame,
    settings: StudyDataSettings,
    basis: DoseBasis,
) -> None:
    """Doses that cannot be, contradict each other, or were computed."""
    dose = ex.number("EXDOSE")
    ex.report("DOSENOTPOSITIVE", cells & ~(dose > 0), "EXDOSE")
    _check_units(ex, cells, of, settings, basis)
    plan = ex.number("EXPDOSE")
    if plan[cells].notna().any():
        ex.report("PLANNEDDOSEMISSING", cells & plan.isna() & (of["EXPLFL"] != "N"), "EXPDOSE")
    pairs: tuple[tuple[DoseBasis, DoseBasis], ...] = (
        ("transgene_positive", "viable"),
        ("viable", "total"),
        ("transgene_positive", "total"),
    )
    for smaller, larger in pairs:
        part, whole = of[f"DOSE{SHORT[smaller]}"], of[f"DOSE{SHORT[larger]}"]
        apart = cells & (part > whole * (1 + BASIS_TOLERANCE))
        # Between total and transgene-positive only where viable cells do not tell it already.
        if smaller == "transgene_positive" and larger == "total":
            apart = apart & of["DOSEVIA"].isna()
        ex.report("DOSECONTRADICTION", apart, "EXDOSE", smaller=part, larger=whole, cells=larger)
    own = read_recorded(ex)[basis]
    counted = of["DOSEA"].where(of["DOSEU"] == CELLS)
    differs = cells & (dose > 0) & ((counted / own - 1).abs() > BASIS_TOLERANCE)
    ex.report("DOSEBASIS", differs, "EXDOSE", amount=own, cells=basis)
    for name in BASES:
        derived = cells & (of[f"DTYP{SHORT[name]}"] == "LOT")
        ex.report("DOSEDERIVED", derived, "EXLOT", cells=name, amount=of[f"DOSE{SHORT[name]}"])
    low, high = settings.dosing.plausible_dose_per_kg
    per_kg = of[f"DOS{SHORT[basis]}KG"]
    ex.report(
        "DOSEPERKG",
        cells & ((per_kg < low) | (per_kg > high)) & (dose > 0),
        "EXDOSE",
        dose=per_kg.round(6),
        low=format_number(low),
        high=format_number(high),
    )


def _check_units(
    ex: Domain,
    cells: pd.Series,
    of: pd.DataFrame,
    settings: StudyDataSettings,
    basis: DoseBasis,
) -> None:
    """Doses in several units, and doses per body whose body is not known.

    That units differ is no fault by itself (weight bands, 10^8 and 10^6 cells); it is one
    where a unit counts no cells, or the amount that the unit makes of the dose cannot be.
    """
    unit, dose = read_units(ex), ex.number("EXDOSE")
    amount = of[f"DOSE{SHORT[basis]}"]
    per_body = cells & unit.str.contains(r"/(?:kg|m2)$") & (dose > 0)
    ex.report("DOSENOBODY", per_body & amount.isna(), "EXDOSU")
    if unit[cells].nunique() < 2:
        return
    common = unit[cells].mode().iloc[0]
    low, high = settings.dosing.plausible_dose_per_kg
    # Of the dose as it is given, which recorded amounts of cells may contradict.
    weight = of[f"DOSE{SHORT[basis]}"] / of[f"DOS{SHORT[basis]}KG"]
    per_kg = of["DOSEA"] / weight
    converted = cells & (of["DOSEU"] == CELLS)
    odd = ~converted | (per_kg < low) | (per_kg > high)
    ex.report("DOSEUNITMIXED", cells & (unit != common) & odd & (dose > 0), "EXDOSU", unit=common)
    brought = converted & (unit != CELLS) & ~odd
    ex.report("DOSECONVERTED", brought, "EXDOSU", amount=of["DOSEA"], dose=ex.frame["EXDOSE"])


def _check_windows(
    ex: Domain,
    cells: pd.Series,
    of: pd.DataFrame,
    settings: StudyDataSettings,
    basis: DoseBasis,
) -> None:
    """Actual over planned dose outside the window, in the dose and in the other bases."""
    for name in BASES:
        short = SHORT[name]
        rule, ratio, flag = "DOSEWINDOWBASIS", of[f"RAT{short}"], of[f"WIN{short}FL"]
        if name == basis:
            rule, ratio, flag = "DOSEWINDOW", of["DOSERAT"], of["INWINFL"]
        low, high = find_window(name, settings.dosing)
        ex.report(
            rule,
            cells & (flag == "N") & (ex.number("EXDOSE") > 0),
            "EXDOSE",
            ratio=ratio.round(3),
            low=format_number(low),
            high=format_number(high),
            cells=name,
            amount=of[f"DOSE{short}"],
        )


def _check_times(
    ex: Domain, cells: pd.Series, of: pd.DataFrame, settings: StudyDataSettings
) -> None:
    """Infusions against each other and against their planned days."""
    start = ex.dates["EXSTDTC"]
    twice = find_repeats(ex, cells & start.known, [ex.subject, start.time])
    twice.report(ex, "DOSEDUPLICATE", "EXSTDTC")
    others = cells & start.known & ~twice.again
    same_day = find_repeats(ex, others, [ex.subject, start.time.dt.floor("D")])
    same_day.report(ex, "DOSESAMEDAY", "EXSTDTC")
    hours = of["EXDURM"] / 60
    limit = settings.dosing.longest_infusion
    long = cells & (hours > limit)
    ex.report("INFUSIONLONG", long, "EXENDTC", hours=hours.round(2), limit=format_number(limit))
    ex.report("DOSEUNPLANNED", cells & (of["DOSETYPE"] == "UNPLANNED"), "EXSTDTC")
    planned = of["NFRLT"]
    if settings.dosing.planned_days:
        planned = planned.fillna(_nearest(of["AFRLT"], settings.dosing.planned_days))
    deviation = (of["AFRLT"] - planned).abs()
    in_plan = of["DOSETYPE"].isin(["SPLIT", "REPEAT"])
    ex.report(
        "DOSEINTERVAL",
        cells & in_plan & (deviation.round() > settings.dosing.planned_day_tolerance),
        "EXSTDTC",
        planned=planned,
        actual=of["AFRLT"].round(2),
    )


def _nearest(day: pd.Series, planned: tuple[float, ...]) -> pd.Series:
    return day.map(lambda d: min(planned, key=lambda p: abs(p - d)), na_action="ignore")


def _check_release(ex: Domain, cells: pd.Series, subjects: Subjects) -> None:
    status = subjects.of(ex.subject, "status").fillna("")
    not_released = ~subjects.of(ex.subject, "released").eq(True) & (status != "")
    ex.report("NOTRELEASEDINFUSED", cells & not_released, "EXLOT", value=status)


def _check_lots(ex: Domain, cells: pd.Series, lots: Domain, settings: StudyDataSettings) -> None:
    """Each infusion against the lot it came from."""
    lot = ex.frame["EXLOT"]
    listed = pd.DataFrame(
        {
            "subject": lots.subject,
            "status": lots.frame["RELSTAT"],
            "made": lots.dates["MFGDTC"].time,
            "made_text": lots.dates["MFGDTC"].text,
            "released": lots.dates["RELDTC"].time,
            "released_text": lots.dates["RELDTC"].text,
        }
    )[lots.active]
    listed.index = pd.Index(lots.frame["LOTID"][lots.active])
    own = listed[~listed.index.duplicated()].reindex(lot).set_index(ex.frame.index)
    known = lot.isin(listed.index)
    ex.report("LOTMISSING", cells & (lot == ""), "EXLOT")
    ex.report("LOTUNKNOWN", cells & (lot != "") & ~known, "EXLOT")
    owner = own["subject"].fillna("")
    ex.report(
        "LOTOTHERSUBJECT", cells & (owner != "") & (owner != ex.subject), "EXLOT", owner=owner
    )
    start = ex.dates["EXSTDTC"]
    by_day = pd.Series(False, index=start.time.index)
    for rule, name in (("DOSEBEFOREMADE", "made"), ("DOSEBEFORERELEASE", "released")):
        early = cells & is_before(start, own[name], by_day)
        ex.report(rule, early, "EXSTDTC", lot=lot, date=own[f"{name}_text"])
    status = own["status"].fillna("")
    withheld = cells & (status != "") & ~status.isin(settings.released_statuses)
    undated = cells & known & (status == "") & own["released"].isna()
    ex.report("LOTNOTRELEASED", withheld, "EXLOT", status=status)
    if lots.dates["RELDTC"].known.any():
        ex.report("LOTNOTRELEASED", undated, "EXLOT", status="")
    if settings.dosing.shelf_life is not None:
        age = (start.time.dt.floor("D") - own["made"].dt.floor("D")).dt.days.astype("float64")
        expired = cells & (age > settings.dosing.shelf_life)
        limit = format_number(settings.dosing.shelf_life)
        ex.report("LOTEXPIRED", expired, "EXLOT", age=age, limit=limit)
