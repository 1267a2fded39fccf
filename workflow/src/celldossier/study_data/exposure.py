"""Doses: checks of EX and the dataset ADEX."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.samples import flag, nominal_days
from celldossier.study_data.subjects import Subjects, check_consent
from celldossier.study_data.units import UnitTable

CELL_PRODUCT = "CELL PRODUCT"
ROUNDING = 1e-9


def check_infusions(ex: Domain, subjects: Subjects) -> pd.DataFrame:
    """Check what time zero needs, and list the infusions of the cell product.

    Returns
    -------
    DataFrame
        ``USUBJID``, ``time`` (datetime64), ``text``, ``offset`` (timedelta) of each infusion
        with a full date.
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
            "text": start.text[infused],
            "offset": start.offset[infused],
        }
    )
    if ex.usable and subjects.complete and len(ex.frame) and infusions.empty:
        ex.report_file("NOINFUSEDSUBJECT")
    return infusions


def check_doses(ex: Domain, lots: Domain, subjects: Subjects, settings: StudyDataSettings) -> None:
    """Check the doses of the cell product against plan, list of lots and each other."""
    start = ex.dates["EXSTDTC"]
    cells = ex.active & (ex.frame["EXCAT"] == CELL_PRODUCT)
    rows = ex.frame["SRCROW"]
    first = rows.where(cells).groupby([ex.subject, start.time]).transform("min")
    again = cells & start.known & (rows != first)
    ex.report("DOSEDUPLICATE", again, "EXSTDTC", first=first)
    dose = ex.numbers["EXDOSE"]
    ex.report("DOSENOTPOSITIVE", cells & ~(dose > 0), "EXDOSE")
    ratio = dose / ex.numbers["EXPDOSE"]
    low, high = settings.dosing.dose_window
    outside = cells & (dose > 0) & ratio.notna() & ~is_in_window(ratio, settings.dosing.dose_window)
    ex.report(
        "DOSEWINDOW",
        outside,
        "EXDOSE",
        ratio=ratio.round(3),
        low=format_number(low),
        high=format_number(high),
    )
    if cells.any():
        units = UnitTable().normalise(ex.frame["EXDOSU"], ex.source)
        common = units[cells].iloc[0]
        ex.report("DOSEUNITMIXED", cells & (units != common), "EXDOSU", unit=common)
    status = subjects.of(ex.subject, "status").fillna("")
    not_released = ~subjects.of(ex.subject, "released").eq(True) & (status != "")
    ex.report("NOTRELEASEDINFUSED", cells & not_released, "EXLOT", value=status)
    if lots.usable and lots.collected:
        lot = ex.frame["EXLOT"]
        known = lot.isin(lots.frame["LOTID"][lots.active])
        ex.report("LOTUNKNOWN", cells & (lot != "") & ~known, "EXLOT")


def is_in_window(ratio: pd.Series, window: tuple[float, float]) -> pd.Series:
    """Whether actual over planned dose lies in the window, limits included.

    2.4 over 3 is 0.7999999999999999 in binary numbers: rounding must not put a dose out
    that lies at the limit.
    """
    low, high = window
    return (ratio >= low * (1 - ROUNDING)) & (ratio <= high * (1 + ROUNDING))


def derive_adex(
    ex: Domain, subjects: Subjects, weights: pd.Series, settings: StudyDataSettings
) -> pd.DataFrame:
    """Dataset ADEX: one record an administration.

    Parameters
    ----------
    weights
        Baseline body weight in kg, by USUBJID.
    """
    used = ex.active
    start, end = ex.dates["EXSTDTC"], ex.dates["EXENDTC"]
    dose, planned = ex.numbers["EXDOSE"], ex.numbers["EXPDOSE"]
    cells = ex.frame["EXCAT"] == CELL_PRODUCT
    weight = pd.Series(weights.reindex(ex.subject).to_numpy(), index=ex.frame.index)
    ratio = (dose / planned).where(planned > 0)
    in_window = flag(is_in_window(ratio, settings.dosing.dose_window))
    order = start.time.where(used & cells).groupby(ex.subject).rank(method="first")
    frame = pd.DataFrame(
        {
            "USUBJID": ex.subject,
            "EXCAT": ex.frame["EXCAT"],
            "EXTRT": ex.frame["EXTRT"],
            "DOSENO": order,
            "DOSEA": dose,
            "DOSEP": planned,
            "DOSEU": UnitTable().normalise(ex.frame["EXDOSU"], ex.source),
            "DOSETOT": ex.numbers["EXDOSTOT"],
            "DOSEVIA": ex.numbers["EXDOSVIA"],
            # A dose in mg/m2 over kilograms would mean nothing.
            "DOSEKG": (dose / weight).where(cells & (weight > 0)),
            "DOSERAT": ratio,
            "INWINFL": in_window.where(ratio.notna(), ""),
            "ROUTE": ex.frame["EXROUTE"],
            "LOTID": ex.frame["EXLOT"],
            "ADTM": start.text,
            "AENDTM": end.text,
            "AFRLT": subjects.days(start, ex.subject),
            "NFRLT": nominal_days(ex, subjects.time),
            **ex.trace,
        }
    )
    return frame[used].reset_index(drop=True)
