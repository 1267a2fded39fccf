"""Cells and markers around each of several planned doses (36a)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import analyte_label, parameter_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_kinetics_and_markers import (
    STAGE,
    markers_level,
    related_analyte,
    related_markers,
)

BY_DOSE, TREND = f"{STAGE}.marker_by_dose", f"{STAGE}.marker_trend"


def draw_markers_by_dose(context: Context) -> Table | NotShown:
    """Cells and markers around each of several planned doses, and the change by dose (36a)."""
    markers = related_markers(context, BY_DOSE)
    if not markers:
        return NotShown("ONEDOSE")
    language, printer = context.language, Printer(context.results, context.language)
    analyte = related_analyte(context)
    doses = natural_order(context.results.levels(BY_DOSE, "pdose"))
    rows: list[Row] = []
    for code in markers:
        first = Place(BY_DOSE, code, analyte, {"pdose": doses[0]})
        label = with_unit(analyte_label(context, code), printer.value(first, "after_median").unit)
        rows.append(heading(label))
        for dose in doses:
            place = Place(BY_DOSE, code, analyte, {"pdose": dose})
            if printer.exists(place):
                rows.append(_dose_row(printer, place, dose))
        trend = Place(TREND, code, analyte)
        if printer.exists(trend):
            head = language.text("marker.trend", level=markers_level(context))
            cells = [Cell(head), *[printer.blank()] * 3]
            cells += [printer.cell(trend, "{}", ("n", "count"))]
            cells += [printer.interval(trend, "ratio", "fixed2"), printer.blank()]
            rows.append(Row((*cells, printer.blank(), printer.blank())))
    first = Place(BY_DOSE, markers[0], analyte, {"pdose": doses[0]})
    columns = _dose_columns(context, printer.value(first, "cmax").unit)
    return Table(columns, tuple(rows), printer.subjects, analytes=(analyte,))


def _dose_row(printer: Printer, place: Place, dose: str) -> Row:
    cells = [Cell(dose), printer.cell(place, "{}", ("n", "count"))]
    cells += [printer.cell(place, "{}", (name, "significant")) for name in ("cmax", "ctrough")]
    for name in ("before", "after"):
        ends: Sequence[tuple[str, str]] = [
            (f"{name}_{stat}", "significant") for stat in ("median", "q1", "q3")
        ]
        cells.append(printer.cell(place, "{}", (f"n_{name}", "count")))
        cells.append(printer.cell(place, "{} ({}, {})", *ends))
    cells.append(printer.cell(place, "{}", ("samples", "integer")))
    return Row(tuple(cells), indent=1)


def _dose_columns(context: Context, unit: str) -> tuple[Column, ...]:
    language = context.language
    text = language.text
    cells = with_unit(text("column.cells_median"), unit)
    return (
        Column(text("column.planned_dose"), align="left", width="16%"),
        Column(text("statistic.n")),
        Column(parameter_label("CMAX", language), group=cells),
        Column(parameter_label("CTROUGH", language), group=cells),
        Column(text("statistic.n"), group=text("column.before_dose")),
        Column(text("column.median_quartiles"), group=text("column.before_dose"), width="18%"),
        Column(text("statistic.n"), group=text("column.after_dose")),
        Column(text("column.median_quartiles"), group=text("column.after_dose"), width="18%"),
        Column(text("column.samples_median"), group=text("column.after_dose")),
    )
