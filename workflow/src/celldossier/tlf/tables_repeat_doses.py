"""Table of the parameters after each of several doses (shell 36)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import (
    analyte_label,
    analytes_in,
    is_median_only,
    parameter_label,
    parameter_name,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

BY_DOSE = "cellular_kinetics.by_dose"
ACCUMULATION = "cellular_kinetics.accumulation"
TREND = "cellular_kinetics.dose_trend"

PARAMETERS = ("CMAX", "TMAX", "CTROUGH", "AUCTAU", "CAVG", "PTF")
RATIOS = ("ARAUC", "ARCMAX")


def draw_repeat_doses(context: Context) -> Table | NotShown:
    """Parameters by planned dose, accumulation to dose 1, and the change from dose to dose.

    One block an analyte: a row a dose, and below them the ratio per dose of what is constant
    at steady state.
    """
    language = context.language
    analytes = analytes_in(context, BY_DOSE)
    if not analytes:
        return NotShown("ONEDOSE")
    printer = Printer(context.results, language)
    doses = natural_order(context.results.levels(BY_DOSE, "pdose"))
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        first = Place(BY_DOSE, "CMAX", analyte, {"pdose": doses[0]})
        unit = printer.value(first, "median").unit
        rows.append(heading(with_unit(analyte_label(context, analyte), unit)))
        for dose in doses:
            place = Place(BY_DOSE, "CMAX", analyte, {"pdose": dose})
            few = few or printer.few(place)
            rows.append(Row(tuple(_dose_cells(printer, analyte, dose))))
        rows.append(Row(tuple(_trend_cells(printer, language, analyte))))
    columns = (
        Column(language.text("column.planned_dose"), align="left", width="12%"),
        Column(language.text("statistic.n"), width="5%"),
        *(Column(header) for header in _headers(language)),
        *(Column(parameter_label(code, language)) for code in RATIOS),
    )
    notes = [_abbreviations(language), *footnote_if(few, language, "footnote.few_values")]
    planned = context.settings["cellular_kinetics"]["dosing_interval"]
    if planned is not None:
        notes.append(language.text("footnote.protocol_interval", days=f"{planned:g}"))
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def _headers(language: Language) -> list[str]:
    headers = []
    for code in PARAMETERS:
        headers.append(parameter_label(code, language))
        if code == "CTROUGH":
            headers.append(language.text("column.trough_blq"))
    return headers


def _dose_cells(printer: Printer, analyte: str, dose: str) -> list[Cell]:
    """A row: number of the dose, subjects, one cell a parameter, ratios to dose 1."""
    by = {"pdose": dose}
    cells = [Cell(dose), printer.cell(Place(BY_DOSE, "CMAX", analyte, by), "{}", ("n", "count"))]
    for code in PARAMETERS:
        place = Place(BY_DOSE, code, analyte, by)
        show = printer.median if is_median_only(code) else printer.geomean
        cells.append(show(place))
        if code == "CTROUGH":
            cells.append(printer.cell(place, "{}", ("n_blq", "count")))
    for code in RATIOS:
        place = Place(ACCUMULATION, code, analyte, by)
        exists = printer.exists(place)
        cells.append(printer.interval(place, "gmr") if exists else printer.blank())
    return cells


def _trend_cells(printer: Printer, language: Language, analyte: str) -> list[Cell]:
    """The row of the ratio from dose to dose, below the parameters that it is of."""
    cells = [Cell(language.text("label.ratio_per_dose")), printer.blank()]
    for code in PARAMETERS:
        place = Place(TREND, code, analyte)
        exists = printer.exists(place)
        cells.append(printer.interval(place, "gmr") if exists else printer.blank())
        if code == "CTROUGH":
            cells.append(printer.blank())
    return [*cells, *[printer.blank()] * len(RATIOS)]


def _abbreviations(language: Language) -> str:
    codes: Sequence[str] = (*PARAMETERS, *RATIOS)
    pairs = [
        language.text(
            "label.abbreviation",
            symbol=parameter_label(code, language),
            name=parameter_name(code, language),
        )
        for code in codes
    ]
    return language.text("label.sentence_separator").join(pairs)
