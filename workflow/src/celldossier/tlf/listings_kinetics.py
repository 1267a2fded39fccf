"""Listing of the parameters of cellular kinetics, one row a subject (shell 38)."""

from __future__ import annotations

import pandas as pd

from celldossier.terms.language import Language, format_count, format_significant
from celldossier.terms.parameters import find_parameter
from celldossier.tlf.labels import variable_label, with_unit
from celldossier.tlf.listings import EXCERPT_ROWS
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

LOWER_BOUND = "PEAKLAST"
"""Flag of a peak at the last sample: the value is printed as a lower bound (rule R10)."""
BOUNDED = ("CMAX", "TMAX")
REVIEWED = "LZREV"
"""Flag of a parameter whose terminal window was set by review: the value is marked (rule R18)."""
MARK = "†"


def draw_nca_listing(context: Context) -> Table | NotShown:
    """Individual parameters with window, points, adjusted R squared and why a value is missing.

    One analyte is printed (the primary one of the kinetics settings) and the first
    subjects only; the CSV beside it holds every parameter of every analyte.

    Notes
    -----
    Option ``parameters``: codes of the parameter registry, in the order of the columns.
    """
    parameters = context.dataset("ADPP")
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    rows = parameters[parameters["PARCAT1"] == analyte]
    if rows.empty:
        return NotShown("NOTCOLL" if parameters.empty else "NODATA")
    declared = context.options["parameters"]
    codes = [code for code in declared if code in set(rows["PARAMCD"])]
    units = rows.drop_duplicates("PARAMCD").set_index("PARAMCD")["AVALU"]
    language = context.language
    missing = language.text("label.not_calculated")
    several = bool((rows["PROFTYP"] == "DOSE").any())
    columns = (
        Column(variable_label(language, "ADPP", "USUBJID"), align="left", width="12%"),
        Column(variable_label(language, "ADPP", "TRT01A"), align="left", width="7%"),
        *([Column(language.text("column.planned_dose"), align="left")] if several else []),
        *(Column(with_unit(find_parameter(code).symbol, units[code])) for code in codes),
    )
    profiles = rows.groupby(["USUBJID", "TRT01A", "PROFTYP", "DOSENO"], sort=True)
    body = tuple(
        Row(
            (
                *(Cell(subject), Cell(level)),
                *([_profile_cell(language, kind, dose)] if several else []),
                *_parameter_cells(profile, codes, missing),
            )
        )
        for (subject, level, kind, dose), profile in list(profiles)[:EXCERPT_ROWS]
    )
    notes = []
    if profiles.ngroups > EXCERPT_ROWS:
        notes.append(language.text("footnote.excerpt", shown=EXCERPT_ROWS, rows=profiles.ngroups))
    if any(cell.text.startswith("≥") for row in body for cell in row.cells):
        reason = language.reason(LOWER_BOUND)
        notes.append(language.text("footnote.lower_bound", reason=reason))
    if any(cell.text.endswith(MARK) for row in body for cell in row.cells):
        notes.append(language.text("footnote.reviewed_window", mark=MARK))
    return Table(
        columns,
        body,
        int(rows["USUBJID"].nunique()),
        tuple(notes),
        full=parameters,
        analytes=(analyte,),
    )


def _profile_cell(language: Language, kind: str, dose: int) -> Cell:
    """The number of the dose, or that the profile is the whole course."""
    return Cell(language.text("label.course") if kind == "COURSE" else str(dose))


def _parameter_cells(profile: pd.DataFrame, codes: list[str], missing: str) -> list[Cell]:
    """One cell a parameter: its value ("≥" if a bound, "†" if reviewed), or why it is missing."""
    by_code = {record["PARAMCD"]: record for record in profile.to_dict("records")}
    cells = []
    for code in codes:
        record = by_code.get(code)
        if record is None:
            cells.append(Cell("–"))
        elif pd.isna(record["AVAL"]):
            cells.append(Cell(missing, reasons=(record["PPREASND"],)))
        else:
            flags = record["FLAG"].split(";")
            bound = "≥" if code in BOUNDED and LOWER_BOUND in flags else ""
            counted = find_parameter(code).unit == "count"
            text = (format_count if counted else format_significant)(record["AVAL"])
            cells.append(Cell(f"{bound}{text}{MARK if REVIEWED in flags else ''}"))
    return cells
