"""Doses: what time zero needs of EX, and the dataset ADEX."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.dosing import DoseBasis, DosingSettings
from celldossier.study_data.amounts import (
    SHORT,
    Body,
    count_cells,
    derive_amounts,
    find_window,
    is_count,
    is_in_window,
)
from celldossier.study_data.domain import Domain
from celldossier.study_data.infusions import classify_infusions
from celldossier.study_data.parsing import Dates
from celldossier.study_data.samples import flag, nominal_days
from celldossier.study_data.subjects import Subjects, check_consent
from celldossier.study_data.units import UnitTable
from celldossier.terms.study_terms import CELL_PRODUCT, CELLS


def check_infusions(ex: Domain, subjects: Subjects) -> pd.DataFrame:
    """Check what time zero needs, and list the infusions of the cell product.

    Returns
    -------
    DataFrame
        ``USUBJID``, ``time`` (datetime64), ``has_time``, ``text``, ``offset`` (timedelta) of each
        infusion with a full date.
    """
    check_consent(ex, subjects, "EXSTDTC", "DOSEBEFORECONSENT")
    start = ex.dates["EXSTDTC"]
    cells = ex.frame["EXCAT"] == CELL_PRODUCT
    partial = ex.active & cells & start.partial
    ex.report("DOSEDATEPARTIAL", partial, "EXSTDTC")
    ex.exclude(partial, "BADDATE", ex.frame["EXSTDTC"])
    infused = ex.active & cells & start.known
    ex.report("DOSETIMEMISSING", infused & ~start.has_time, "EXSTDTC")
    infusions = pd.DataFrame(
        {
            "USUBJID": ex.subject[infused],
            "time": start.time[infused],
            "has_time": start.has_time[infused],
            "text": start.text[infused],
            "offset": start.offset[infused],
        }
    )
    if ex.usable and subjects.complete and len(ex.frame) and infusions.empty:
        ex.report_file("NOINFUSEDSUBJECT")
    return infusions


def derive_adex(
    ex: Domain,
    lots: Domain,
    subjects: Subjects,
    settings: DosingSettings,
    basis: DoseBasis,
) -> pd.DataFrame:
    """Dataset ADEX: one record an administration, indexed as the records of EX.

    Lymphodepletion keeps the dose and unit of its record; the amounts of cells, the kind
    of infusion and the course are those of the cell product only.

    Parameters
    ----------
    basis
        Which cells EXDOSE counts.
    """
    start, end = ex.dates["EXSTDTC"], ex.dates["EXENDTC"]
    dose, planned = ex.number("EXDOSE"), ex.number("EXPDOSE")
    cells = ex.frame["EXCAT"] == CELL_PRODUCT
    infusions = ex.active & cells
    unit = read_units(ex)
    body = find_body(ex, subjects)
    planned_day = nominal_days(ex, subjects.time)
    amounts = derive_amounts(
        ex,
        lots,
        infusions,
        unit=unit,
        arm=subjects.of(ex.subject, "arm").fillna(""),
        body=body,
        basis=basis,
        settings=settings,
    )
    # Only now: each amount was brought to cells from the unit of its record.
    dose, planned, unit = unify_doses(dose, planned, unit, infusions, body)
    ratio = (dose / planned).where(planned > 0)
    in_window = flag(is_in_window(ratio, find_window(basis, settings)))
    frame = pd.DataFrame(
        {
            "USUBJID": ex.subject,
            "EXCAT": ex.frame["EXCAT"],
            "EXTRT": ex.frame["EXTRT"],
            **classify_infusions(ex, infusions, planned_day, settings),
            "DOSEA": dose,
            "DOSEP": planned,
            "DOSEU": unit,
            "DOSEBAS": pd.Series(SHORT[basis], index=dose.index).where(cells, ""),
            **amounts,
            **_relate_to_body(dose, planned, unit, cells, body),
            "DOSERAT": ratio,
            "DOSEDEV": 100 * (ratio - 1),
            "INWINFL": in_window.where(ratio.notna(), ""),
            "EXDURM": measure_minutes(start, end),
            "EXDOSFRQ": ex.text("EXDOSFRQ"),
            "ROUTE": ex.frame["EXROUTE"],
            "LOTID": ex.frame["EXLOT"],
            "EPOCH": ex.frame["EPOCH"],
            "EXPLFL": ex.frame["EXPLFL"],
            "ADTM": start.text,
            "AENDTM": end.text,
            "AFRLT": subjects.days(start, ex.subject),
            "NFRLT": planned_day,
            **ex.trace,
        }
    )[ex.active]
    return frame.assign(**_sum_doses(frame))


def read_units(ex: Domain) -> pd.Series:
    """Unit of each dose, normalised."""
    return UnitTable().normalise(ex.frame["EXDOSU"]).astype(str)


def unify_doses(
    dose: pd.Series, planned: pd.Series, unit: pd.Series, infusions: pd.Series, body: Body
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Doses of the cell product in one unit: as they are, or in 10^6 cells where units differ.

    Dosing by weight bands gives cells/kg below a weight and cells above it, and both have
    a common unit. Where any unit cannot be brought to cells, all stay as they are.

    Returns
    -------
    tuple
        Actual and planned dose, and their unit; a dose whose subject has no weight is NaN.
    """
    units = unit[infusions].unique()
    if len(units) < 2 or not all(is_count(text) for text in units):
        return dose, planned, unit
    given, wanted = (count_cells(amount, unit, body)[0] for amount in (dose, planned))
    return (
        dose.mask(infusions, given),
        planned.mask(infusions, wanted),
        unit.mask(infusions, CELLS),
    )


def find_body(ex: Domain, subjects: Subjects) -> Body:
    """Baseline weight and body surface area of each record's subject."""
    return Body(subjects.of(ex.subject, "weight"), subjects.of(ex.subject, "area"))


def measure_minutes(start: Dates, end: Dates) -> pd.Series:
    """Duration in minutes; NaN where either has no time of day or the end lies before the start."""
    minutes = (end.time - start.time).dt.total_seconds() / 60
    return minutes.where(start.has_time & end.has_time & (minutes >= 0)).astype("float64")


def _relate_to_body(
    dose: pd.Series, planned: pd.Series, unit: pd.Series, cells: pd.Series, body: Body
) -> dict[str, pd.Series]:
    """Dose as recorded, per kg and per m2, each with its unit.

    A dose in mg/m2 over kilograms would mean nothing: only the cell product has them. A
    dose that is already per kg or per m2 is not divided once more.
    """
    own_kg, own_m2 = unit.str.endswith("/kg"), unit.str.endswith("/m2")
    # Cells of a dose per body, in its own unit without the body.
    size = body.weight.where(own_kg, body.area.where(own_m2, 1.0))
    plain = unit.str.replace(r"/(kg|m2)$", "", regex=True)
    result: dict[str, pd.Series] = {}
    for prefix, amount in (("DOSE", dose), ("DOSP", planned)):
        absolute = amount * size.where(size > 0)
        result[f"{prefix}KG"] = amount.where(own_kg, body.per_kg(absolute)).where(cells)
        result[f"{prefix}M2"] = amount.where(own_m2, body.per_m2(absolute)).where(cells)
    for name in ("KG", "M2"):
        known = result[f"DOSE{name}"].notna() | result[f"DOSP{name}"].notna()
        suffix = {"KG": "/kg", "M2": "/m2"}[name]
        result[f"DOSE{name}U"] = (plain + suffix).where(known, "")
    return result


def _sum_doses(adex: pd.DataFrame) -> dict[str, pd.Series]:
    """Sums over fractions, course and all infusions so far; NaN where an amount is not known.

    The sum of a course leaves unplanned infusions out, the cumulative dose does not. Doses
    in different units have no sum.
    """
    cells = adex[adex["DOSETYPE"] != ""].sort_values(["USUBJID", "DOSENO"], kind="stable")
    mixed = cells.groupby("USUBJID")["DOSEU"].transform("nunique") > 1
    dose, planned = cells["DOSEA"].mask(mixed), cells["DOSEP"].mask(mixed)
    within = cells["DOSETYPE"] != "UNPLANNED"
    course = [cells["USUBJID"], cells["COURSE"]]
    one = [*course, cells["PDOSENO"].fillna(0.0)]

    def add(values: pd.Series, keys: list[pd.Series]) -> pd.Series:
        unknown = (values.isna() & within).groupby(keys).transform("any")
        return values.where(within, 0.0).groupby(keys).transform("sum").mask(unknown)

    def cumulate(values: pd.Series) -> pd.Series:
        unknown = values.isna().groupby(cells["USUBJID"]).cummax()
        return values.fillna(0.0).groupby(cells["USUBJID"]).cumsum().mask(unknown)

    given, wanted = add(dose, one).where(within), add(planned, one).where(within)
    sums = {
        "NFRAC": within.groupby(one).transform("sum").where(within),
        "DOSESUM": given,
        "DOSPSUM": wanted,
        "SUMRAT": given / wanted.where(wanted > 0),
        "COURDOSE": add(dose, course),
        "CUMDOSE": cumulate(dose),
    }
    return {name: values.reindex(adex.index).astype("float64") for name, values in sums.items()}
