"""Tables of sensitivity: each primary model in other ways (57), and without each study (57a)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from celldossier.tlf.cells import Place, heading
from celldossier.tlf.exposure_models import exposure_analyte, fitted_model
from celldossier.tlf.fields import Field, Reader, estimate, head_fields, read_cells, stat
from celldossier.tlf.labels import analyte_label, endpoint_label, level_label, metric_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

LOGISTIC = "exposure_response.logistic"
SENSITIVITY = "exposure_response.sensitivity"
LEAVE_OUT = "exposure_response.leave_out"
RATIO = "exposure_response.ratio_by_response"
OF_THE_PLAN = (
    "PRIMARY", "UNKNOWN_EXCLUDED", "UNKNOWN_NONRESPONDER", "CONCURRENT_CRS", "BLQ_HALF_LLOQ",
)  # fmt: skip
IN_OTHER_WAYS = (
    "RANK", "OTHER_ANALYTE", "OUTLIER_REMOVED", "DOSE_IN_WINDOW", "STRATIFIED_SITEID",
    "STRATIFIED_MFGSITE",
)  # fmt: skip


def draw_sensitivity(context: Context) -> Table | NotShown:
    """Each primary model, and beside it the sensitivity analyses of the same question."""
    pairs = primary_pairs(context, SENSITIVITY)
    if not pairs:
        return NotShown("NOTCOLL")
    language, analyte = context.language, exposure_analyte(context)
    reader = Reader.of(context)
    adjustment = str(context.settings["exposure_response"]["primary_adjustment"])
    fields = _fields("column.odds_ratio_as_stated", ("18%", "13%"))
    rows: list[Row] = []
    for endpoint, metric in pairs:
        rows.append(heading(pair_label(context, endpoint, metric)))
        place = Place(LOGISTIC, endpoint, analyte, {"metric": metric, "adjustment": adjustment})
        for population in (*OF_THE_PLAN, *IN_OTHER_WAYS):
            analysis = LOGISTIC if population in OF_THE_PLAN else SENSITIVITY
            row = place.of(analysis).within(population=population)
            if reader.printer.exists(row):
                rows.append(_model_row(reader, fields, row, population))
            if population == "BLQ_HALF_LLOQ":
                rows += _landmark_rows(reader, fields, endpoint, adjustment)
            if population == "RANK":
                rows += _wilcoxon_row(reader, endpoint, metric)
    columns = (
        Column(language.text("column.analysis"), align="left", width="46%"),
        *head_fields(context, fields),
    )
    return Table(columns, tuple(rows), reader.printer.subjects, analytes=(analyte,))


def draw_leave_out(context: Context) -> Table | NotShown:
    """Each primary model without each study, site and indication in turn."""
    pairs = primary_pairs(context, LEAVE_OUT)
    if not pairs:
        return NotShown("NOTCOLL")
    language, analyte = context.language, exposure_analyte(context)
    reader = Reader.of(context)
    adjustment = str(context.settings["exposure_response"]["primary_adjustment"])
    selected = context.results.select(LEAVE_OUT)
    fields = _fields("column.odds_ratio", ("20%", "12%"))
    rows: list[Row] = []
    for endpoint, metric in pairs:
        rows.append(heading(pair_label(context, endpoint, metric)))
        by = {"metric": metric, "adjustment": adjustment, "population": "PRIMARY"}
        nobody = Cell("0")
        whole = Place(LOGISTIC, endpoint, analyte, by)
        label = Cell(level_label(language, "population", "PRIMARY"))
        rows.append(Row((label, nobody, *read_cells(reader, fields, whole))))
        if not math.isfinite(reader.printer.value(whole, "or").number):
            continue  # refused with all subjects, and so without some of them
        of_pair = selected[(selected["variable"] == endpoint) & (selected["level3"] == metric)]
        found = dict.fromkeys(zip(of_pair["level1"], of_pair["level2"], strict=True))
        for factor, level in sorted(found, key=lambda key: (_order(context, key[0]), key[1])):
            place = Place(
                LEAVE_OUT, endpoint, analyte, {"metric": metric, "factor": factor, "level": level}
            )
            text = language.text(
                "label.without_level",
                factor=level_label(language, "factor", factor),
                level=level_label(language, factor, level),
            )
            left = reader.printer.cell(place, "{}", ("n_left_out", "count"))
            rows.append(Row((Cell(text), left, *read_cells(reader, fields, place)), indent=1))
    columns = (
        Column(language.text("column.left_out"), align="left", width="34%"),
        Column(language.text("column.n_left_out"), width="11%"),
        *head_fields(context, fields),
    )
    return Table(columns, tuple(rows), reader.printer.subjects, analytes=(analyte,))


def primary_pairs(context: Context, analysis: str) -> list[tuple[str, str]]:
    """Primary pairs of endpoint and metric that an analysis has, in the order of the settings."""
    found = set(context.results.select(analysis)["variable"])
    pairs = context.settings["exposure_response"]["primary"]
    return [(str(p["endpoint"]), str(p["metric"])) for p in pairs if p["endpoint"] in found]


def pair_label(context: Context, endpoint: str, metric: str) -> str:
    """Endpoint and metric of a model in words."""
    return context.language.text(
        "label.endpoint_on_metric",
        endpoint=endpoint_label(context, endpoint),
        metric=metric_label(context.language, metric),
    )


def _order(context: Context, factor: str) -> int:
    order = [str(v) for v in context.settings["exposure_response"]["evaluation"]["leave_out"]]
    return order.index(factor) if factor in order else len(order)


def _fields(ratio: str, widths: tuple[str, str]) -> tuple[Field, ...]:
    """The columns of a model, with the head of its ratio, and the widths of ratio and model."""
    return (
        Field("statistic.n", stat("n", "count"), "7%"),
        Field("statistic.events", stat("events", "count"), "8%"),
        Field(ratio, estimate("or"), widths[0]),
        Field("statistic.p", stat("p", "p"), "8%"),
        Field("column.model", fitted_model, widths[1]),
    )


def _model_row(reader: Reader, fields: Sequence[Field], place: Place, population: str) -> Row:
    context = reader.context
    label = level_label(context.language, "population", population)
    if population == "OTHER_ANALYTE":
        code = str(context.settings["exposure_response"]["sensitivity"]["other_analyte"])
        label = context.language.text("label.other_analyte", analyte=analyte_label(context, code))
    return Row((Cell(label), *read_cells(reader, fields, place)), indent=1)


def _landmark_rows(
    reader: Reader, fields: Sequence[Field], endpoint: str, adjustment: str
) -> Iterable[Row]:
    context = reader.context
    for day in context.settings["exposure_response"]["landmarks"]:
        by = {"metric": f"CLD{day}", "adjustment": adjustment, "population": "LANDMARK"}
        place = Place(LOGISTIC, endpoint, exposure_analyte(context), by)
        if reader.printer.exists(place):
            label = Cell(context.language.text("label.landmark_day", day=f"{day:g}"))
            yield Row((label, *read_cells(reader, fields, place)), indent=1)


def _wilcoxon_row(reader: Reader, endpoint: str, metric: str) -> Iterable[Row]:
    """The rank test without adjustment, of all subjects with outcome and exposure."""
    context, printer = reader.context, reader.printer
    by = {"endpoint": endpoint, "population": "PRIMARY"}
    place = Place(RATIO, metric, exposure_analyte(context), by)
    if not printer.exists(place, "p_wilcoxon"):
        return
    test = printer.value(place, "p_wilcoxon")
    events = printer.cell(place, "{}", ("n_event", "count"))
    blank = printer.blank()
    yield Row(
        (
            Cell(context.language.text("label.wilcoxon")),
            Cell(f"{test.n:.0f}", (test.value_id,)),
            events,
            blank,
            printer.cell(place, "{}", ("p_wilcoxon", "p")),
            blank,
        ),
        indent=1,
    )
