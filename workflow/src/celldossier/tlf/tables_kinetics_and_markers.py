"""Markers against the cells: parameters (49, 49f), order, lags, loops (49c to 49e), doses (36a)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from celldossier.terms.exposure_metrics import metric_label
from celldossier.terms.pd_parameters import find_pd_parameter
from celldossier.tlf.cells import Place, heading
from celldossier.tlf.fields import (
    Field,
    Reader,
    Reading,
    estimate,
    head_fields,
    read_cells,
    read_row,
    stat,
    stats,
    word,
)
from celldossier.tlf.labels import analyte_label, percent, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

STAGE = "pharmacodynamics"
MATRIX, EMAX, ORDER = f"{STAGE}.matrix", f"{STAGE}.marker_emax", f"{STAGE}.peak_order"
LAG, BEST, LOOP = f"{STAGE}.lag_within", f"{STAGE}.lag_best", f"{STAGE}.loop"
SIGNS = ("ABSOLUTE", "POSITIVE", "NEGATIVE")


def related_analyte(context: Context) -> str:
    """Analyte of the cells to which the markers are related."""
    return str(context.settings[STAGE]["analyte"])


def related_markers(context: Context, analysis: str) -> list[str]:
    """Markers of an analysis, in the order of the declared assays, then any others."""
    found = set(context.results.select(analysis)["variable"])
    declared = [str(assay["analyte"]) for assay in context.settings["bioanalysis"]["assays"]]
    ordered = [code for code in dict.fromkeys(declared) if code in found]
    return ordered + sorted(found - set(ordered))


def marker_parameter_label(context: Context, code: str) -> str:
    """Name of a parameter of a marker."""
    parameter = find_pd_parameter(code)
    return context.language.label({"en": parameter.en, "zh": parameter.zh})


def markers_level(context: Context) -> str:
    """Confidence level of the comparisons with the cells, percent."""
    return percent(context.settings[STAGE]["kinetics"]["confidence_level"])


def _marker(reader: Reader, place: Place) -> Cell:
    return Cell(analyte_label(reader.context, place.variable))


def _part(name: str) -> Reading:
    """Number of subjects with its share, of nobody only the number."""
    number, share = (f"n_{name}", "count"), (f"pct_{name}", "fixed1")

    def read(reader: Reader, place: Place) -> Cell:
        printer = reader.printer
        if printer.value(place, "n").number > 0:
            return printer.cell(place, "{} ({})", number, share)
        return printer.cell(place, "{}", number)

    return read


_P, _Q = Field("statistic.p", stat("p", "p")), Field("statistic.q", stat("q", "p"))


def _table(reader: Reader, fields: Sequence[Field], rows: Sequence[Row]) -> Table:
    """The rows below the heads, which may name the confidence level."""
    return Table(
        head_fields(reader.context, fields, level=markers_level(reader.context)),
        tuple(rows),
        reader.printer.subjects,
        analytes=(related_analyte(reader.context),),
    )


def draw_marker_matrix(context: Context) -> Table | NotShown:
    """Rank correlations of the parameters of the cells and of the markers (49)."""
    markers = related_markers(context, MATRIX)
    if not markers:
        return NotShown("NOTCOLL")
    language, analyte = context.language, related_analyte(context)
    metrics = [str(code) for code in context.settings[STAGE]["kinetics"]["metrics"]]
    parameters = [str(code) for code in context.settings[STAGE]["kinetics"]["parameters"]]
    fields = (
        Field("statistic.n", stat("n", "count")),
        Field("column.rho_ci", estimate("rho", "fixed2")),
        _Q,
    )
    reader = Reader.of(context)
    blanks = [reader.printer.blank()] * len(fields)
    rows: list[Row] = []
    for code in markers:
        rows.append(heading(analyte_label(context, code)))
        for parameter in parameters:
            places = [
                Place(MATRIX, code, analyte, {"metric": metric, "parameter": parameter})
                for metric in metrics
            ]
            shown = [reader.printer.exists(place) for place in places]
            if not any(shown):
                continue
            cells = [Cell(marker_parameter_label(context, parameter))]
            for place, is_shown in zip(places, shown, strict=True):
                cells += read_cells(reader, fields, place) if is_shown else blanks
            rows.append(Row(tuple(cells), indent=1))
    heads = head_fields(context, fields, level=markers_level(context))
    columns = (
        Column(language.text("column.marker_parameter"), align="left", width="22%"),
        *(
            replace(head, group=metric_label(language, metric))
            for metric in metrics
            for head in heads
        ),
    )
    return Table(columns, tuple(rows), reader.printer.subjects, analytes=(analyte,))


def draw_marker_emax(context: Context) -> Table | NotShown:
    """Emax and log-linear models of the peak of each marker over one parameter (49f)."""
    language, text = context.language, context.language.text
    metric = str(context.settings[STAGE]["kinetics"]["emax_metric"])
    line, curve, criterion = "level.supported.LOG_LINEAR", "level.supported.EMAX", "column.aicc"
    fields = (
        Field("column.marker", _marker, "16%", align="left"),
        Field("column.n_below", stats("{} ({})", ("n", "count"), ("n_below", "count"))),
        Field("column.ratio_of", estimate("ratio"), "18%", line),
        Field("statistic.r2", stat("r_squared", "fixed2"), group=line),
        Field("statistic.q", stat("q", "p"), group=line),
        Field("column.e0", stat("e0"), group=curve),
        Field("column.emax", stat("emax"), group=curve),
        Field("column.ec50", estimate("ec50"), "18%", curve),
        Field(line, stat("aicc_linear", "fixed1"), group=criterion),
        Field(curve, stat("aicc", "fixed1"), group=criterion),
        Field("column.supported", word("supported", "supported")),
    )
    places = _places(context, EMAX, metric=metric)
    if not places:
        return NotShown("NOTCOLL")
    reader = Reader.of(context)
    rows = [read_row(reader, fields, place) for place in places]
    units = [reader.printer.value(place, "ec50").unit for place in places]
    unit = next((unit for unit in reversed(units) if unit), "")
    label = text("column.ec50")
    columns = tuple(
        replace(column, label=with_unit(label, unit)) if column.label == label else column
        for column in head_fields(context, fields, metric=metric_label(language, metric))
    )
    return Table(
        columns, tuple(rows), reader.printer.subjects, analytes=(related_analyte(context),)
    )


def draw_peak_order(context: Context) -> Table | NotShown:
    """Which came first, the peak of the cells or that of each marker (49c)."""
    peak, days = "column.peak_of_marker", "column.median_day"
    fields = (
        Field("column.marker", _extreme, "18%", align="left"),
        Field("statistic.n", stat("n", "count")),
        Field("column.peak_not_used", stats("{} / {}", ("n_few", "count"), ("n_outside", "count"))),
        *(
            Field(f"column.peak_{name}", _part(name), group=peak)
            for name in ("before", "same", "after")
        ),
        Field("column.peak_last", stat("n_last", "count")),
        Field("column.cells", stat("cells", "fixed1"), group=days),
        Field("column.marker", stat("marker", "fixed1"), group=days),
        Field("column.peak_difference", estimate("difference", "fixed1"), "16%"),
        _P,
        _Q,
    )
    return _row_a_marker(context, fields, _places(context, ORDER))


def _extreme(reader: Reader, place: Place) -> Cell:
    """The marker, and whether its maximum or its minimum is its peak."""
    extreme = reader.printer.value(place, "extreme")
    marker = analyte_label(reader.context, place.variable)
    text = reader.context.language.text(f"marker.extreme.{extreme.text}", marker=marker)
    return Cell(text, (extreme.value_id,))


def draw_marker_lags(context: Context) -> Table | NotShown:
    """Correlations within subjects at the same time and at the lags of the largest ones (49d)."""
    places = _places(context, LAG, lag="0")
    if not places:
        return NotShown("NOTCOLL")
    # Of a single lag the largest correlation says nothing new.
    signs = SIGNS if len(context.settings[STAGE]["kinetics"]["lags"]) > 1 else ()
    fields = (
        Field("column.lag_at", _lag_name, "30%", align="left"),
        Field("column.lag_days", _lag, "20%"),
        Field("statistic.n", stat("n", "count")),
        Field("column.rho_ci", estimate("rho", "fixed2"), "22%"),
        _P,
        _Q,
    )
    reader = Reader.of(context)
    rows: list[Row] = []
    for same in places:
        rows.append(heading(analyte_label(context, same.variable)))
        together = reader.printer.exists(same)
        if together:
            rows.append(read_row(reader, fields, same, indent=1))
        for sign in signs:
            place = Place(BEST, same.variable, same.analyte, {"sign": sign})
            if together and math.isnan(reader.printer.value(place, "lag").number):
                continue
            rows.append(read_row(reader, fields, place, indent=1))
    return _table(reader, fields, rows)


def _lag_name(reader: Reader, place: Place) -> Cell:
    name = "same_time" if place.analysis == LAG else place.by["sign"]
    return Cell(reader.context.language.text(f"lag.{name}"))


def _lag(reader: Reader, place: Place) -> Cell:
    if place.analysis == LAG:
        return Cell(place.by["lag"])
    return reader.printer.interval(place, "lag", "integer")


def draw_marker_loops(context: Context) -> Table | NotShown:
    """Direction and area of the loops of each marker over the cells (49e)."""
    quartiles = (("median", "fixed2"), ("q1", "fixed2"), ("q3", "fixed2"))
    area = "column.loop_area"
    fields = (
        Field("column.marker", _marker, "18%", align="left"),
        Field("column.n_few", stats("{} ({})", ("n", "count"), ("n_few", "count"))),
        *(
            Field(f"column.loop_{name}", _part(name), group="column.loop_direction")
            for name in ("clockwise", "counter", "unclear")
        ),
        Field("column.median_quartiles", stats("{} ({}, {})", *quartiles), "16%", area),
        Field("column.hodges_lehmann", estimate("centre", "fixed2"), "16%", area),
        _P,
        _Q,
    )
    return _row_a_marker(context, fields, _places(context, LOOP))


def _places(context: Context, analysis: str, **by: str) -> list[Place]:
    """Where the results of each marker stand."""
    analyte = related_analyte(context)
    return [Place(analysis, code, analyte, by) for code in related_markers(context, analysis)]


def _row_a_marker(
    context: Context, fields: Sequence[Field], places: Sequence[Place]
) -> Table | NotShown:
    if not places:
        return NotShown("NOTCOLL")
    reader = Reader.of(context)
    return _table(reader, fields, [read_row(reader, fields, place) for place in places])
