"""Table of predicted probabilities at exposures and dose levels of interest (T83)."""

from __future__ import annotations

from dataclasses import dataclass

from celldossier.terms.language import format_significant
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import ADJUSTMENTS, exposure_analyte
from celldossier.tlf.labels import endpoint_label, level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

PREDICTED = "exposure_response.predicted_probability"
GRADES = "exposure_response.predicted_grade"
SURVIVAL = "exposure_response.predicted_survival"
_PATTERN = "{} ({},\u00a0{})"
_STATS = (("pct", "fixed1"), ("ci_low", "fixed1"), ("ci_high", "fixed1"))


@dataclass(frozen=True)
class _Grid:
    """What was predicted over one metric: endpoints, adjustments, and exposures in order."""

    endpoints: list[str]
    adjustments: list[str]
    points: list[str]


def draw_predicted_probability(context: Context) -> Table | NotShown:
    """Probability of each endpoint, an exposure of interest a column (T83).

    The option ``metric`` is the exposure metric.
    """
    language, text = context.language, context.language.text
    metric = str(context.options["metric"])
    analyte = exposure_analyte(context)
    grid = _read_grid(context, metric)
    if not grid.endpoints:
        return NotShown("NOGRPASK")
    printer = Printer(context.results, language)
    rows: list[Row] = []
    predicted = 0
    for endpoint in grid.endpoints:
        rows.append(heading(endpoint_label(context, endpoint)))
        for adjustment in grid.adjustments:
            place = Place(
                PREDICTED, endpoint, analyte, {"metric": metric, "adjustment": adjustment}
            )
            first = place.within(at=grid.points[0])
            cells = [
                printer.cell(place.within(at=point), _PATTERN, *_STATS) for point in grid.points
            ]
            if any(not cell.reasons for cell in cells):
                predicted = max(predicted, int(printer.value(first, "n").number))
            counts = [printer.cell(first, "{}", (stat, "count")) for stat in ("n", "events")]
            label = Cell(level_label(language, "adjustment", adjustment))
            rows.append(Row((label, *counts, *cells), indent=1))
    anywhere = Place(
        PREDICTED,
        grid.endpoints[0],
        analyte,
        {"metric": metric, "adjustment": grid.adjustments[0]},
    )
    unit = printer.value(anywhere.within(at=grid.points[0]), "exposure").unit
    columns = (
        Column(text("column.adjustment"), align="left", width="10%"),
        Column(text("statistic.n"), width="4%"),
        Column(text("statistic.events"), width="6%"),
        *(
            _point_column(context, printer, anywhere.within(at=point), point, metric, unit)
            for point in grid.points
        ),
    )
    return Table(columns, tuple(rows), predicted, analytes=(analyte,))


def draw_predicted_grades(context: Context) -> Table | NotShown:
    """Probability of each grade by the proportional odds model (T83b).

    The option ``metric`` is the exposure metric.
    """
    # Keys of the results are sorted by name: adjustment, at, grade, metric.
    return _draw_rows(context, GRADES, "grade", "level4", "level3", "figure.grade")


def draw_predicted_survival(context: Context) -> Table | NotShown:
    """Probability to be free of each event at months of interest, by the Cox model (T83c).

    The option ``metric`` is the exposure metric.
    """
    # Keys of the results are sorted by name: adjustment, at, metric, month.
    return _draw_rows(context, SURVIVAL, "month", "level3", "level4", "label.at_month")


def _draw_rows(
    context: Context, analysis: str, key: str, metric_level: str, key_level: str, label: str
) -> Table | NotShown:
    """Endpoint and adjustment as headings, a level of the key a row, an exposure a column."""
    language, text = context.language, context.language.text
    metric = str(context.options["metric"])
    analyte = exposure_analyte(context)
    grid = _read_grid(context, metric, analysis, metric_level)
    if not grid.endpoints:
        return NotShown("NOGRPASK")
    printer = Printer(context.results, language)
    found = context.results.select(analysis)
    levels = {
        endpoint: natural_order(set(found.loc[found["variable"] == endpoint, key_level]))
        for endpoint in grid.endpoints
    }
    rows: list[Row] = []
    predicted = 0
    for endpoint in grid.endpoints:
        for adjustment in grid.adjustments:
            place = Place(analysis, endpoint, analyte, {"metric": metric, "adjustment": adjustment})
            first = place.within(at=grid.points[0], **{key: levels[endpoint][0]})
            n = printer.cell(first, "{}", ("n", "count"))
            words = text(
                "label.model_of",
                endpoint=endpoint_label(context, endpoint),
                adjustment=level_label(language, "adjustment", adjustment),
                n=n.text,
            )
            rows.append(heading(Cell(words, n.value_ids)))
            for level in levels[endpoint]:
                cells = [
                    printer.cell(place.within(at=point, **{key: level}), _PATTERN, *_STATS)
                    for point in grid.points
                ]
                if any(not cell.reasons for cell in cells):
                    predicted = max(predicted, int(printer.value(first, "n").number))
                name = text(label, **{key: level.removeprefix("M")})
                rows.append(Row((Cell(name), *cells), indent=1))
    head = Place(
        analysis,
        grid.endpoints[0],
        analyte,
        {
            "metric": metric,
            "adjustment": grid.adjustments[0],
            key: levels[grid.endpoints[0]][0],
        },
    )
    unit = printer.value(head.within(at=grid.points[0]), "exposure").unit
    columns = (
        Column("", align="left", width="10%"),
        *(
            _point_column(context, printer, head.within(at=point), point, metric, unit)
            for point in grid.points
        ),
    )
    return Table(columns, tuple(rows), predicted, analytes=(analyte,))


def _read_grid(
    context: Context, metric: str, analysis: str = PREDICTED, metric_level: str = "level3"
) -> _Grid:
    # Keys of the results are sorted by name: adjustment, at, (grade), metric.
    rows = context.results.select(analysis)
    rows = rows[rows[metric_level] == metric]
    declared = [str(code) for code in context.settings["exposure_response"]["endpoints"]]
    found = set(rows["variable"])
    used = set(rows["level1"])
    points = set(rows["level2"])
    return _Grid(
        [code for code in declared if code in found] + sorted(found - set(declared)),
        [each for each in ADJUSTMENTS if each in used],
        [
            point
            for kind in ("P", "DOSE.", "VALUE.")
            for point in natural_order(p for p in points if p.startswith(kind))
        ],
    )


def _point_column(
    context: Context, printer: Printer, place: Place, point: str, metric: str, unit: str
) -> Column:
    """Head of an exposure: what it is, and its value."""
    text = context.language.text
    exposure = printer.value(place, "exposure")
    kind, _, level = point.partition(".")
    group = {"DOSE": "column.at_dose_level", "VALUE": "column.at_exposure"}.get(
        kind, "column.at_quantile"
    )
    name = level_label(context.language, "dose", level) if kind == "DOSE" else kind
    value = format_significant(exposure.number) or text("label.not_calculated")
    label = value if kind == "VALUE" else text("label.exposure_point", name=name, value=value)
    title = with_unit(metric_label(context.language, metric), unit)
    return Column(label, group=text(group, metric=title), value_ids=(exposure.value_id,))
