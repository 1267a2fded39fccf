"""Tables of the precision at the sample size: exposure (81) and event rates (81a)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import level_label, parameter_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

EXPOSURE = "dose_exploration.precision_exposure"
SIZE = "dose_exploration.precision_size"
EVENTS = "dose_exploration.precision_events"
SILENT = "dose_exploration.precision_silent"
EVENT_SIZE = "dose_exploration.precision_event_size"

_SILENT = (("n", "count"), ("rate", "fixed1"))
_WIDTHS = (("width_exact", "fixed1"), ("width_wilson", "fixed1"))


def draw_exposure_precision(context: Context) -> Table | NotShown:
    """How narrowly the geometric mean exposure is known, at the numbers obtained and planned."""
    language = context.language
    printer = Printer(context.results, language)
    analytes = context.results.analytes(EXPOSURE)
    rules = context.settings["dose_exploration"]["precision"]
    codes = [
        (code, analyte)
        for analyte in analytes
        for code in rules["parameters"]
        if printer.value(Place(EXPOSURE, code, analyte), "n").number
    ]
    if not codes:
        return NotShown("NOTCOLL")
    groups = _groups(context, EXPOSURE)
    is_planned = any(
        printer.value(Place(EXPOSURE, code, analyte, by), "n_planned").number > 0
        for code, analyte in codes
        for _, by in groups
    )
    rows: list[Row] = []
    for code, analyte in codes:
        unit = printer.value(Place(EXPOSURE, code, analyte), "geomean").unit
        label = with_unit(parameter_label(code, language), unit)
        rows.append(heading(label))
        rows += [
            _exposure_row(printer, label, Place(EXPOSURE, code, analyte, by), rules, is_planned)
            for label, by in groups
        ]
    return Table(
        _exposure_columns(context, rules, is_planned),
        tuple(rows),
        printer.subjects,
        tuple(footnote_if(not is_planned, language, "footnote.no_planned_size")),
        analytes=tuple(analytes),
    )


def draw_event_precision(context: Context) -> Table | NotShown:
    """Chance to see an event of a true rate, and how narrowly its rate would be known."""
    language = context.language
    printer = Printer(context.results, language)
    rules = context.settings["dose_exploration"]["precision"]
    groups = _groups(context, SILENT)
    obtained = Place(SILENT, "EVENT", by={"size": "OBTAINED"})
    if not printer.exists(obtained) or not printer.value(obtained, "n").number:
        return NotShown("NOTCOLL")
    planned = [Place(SILENT, "EVENT", by={"size": "PLANNED", **by}) for _, by in groups]
    is_planned = any(printer.value(place, "n").number > 0 for place in planned)
    rates = [f"{rate:g}" for rate in rules["event_rates"]]
    rows: list[Row] = []
    for size in ("OBTAINED", "PLANNED") if is_planned else ("OBTAINED",):
        rows.append(heading(language.text(f"column.precision_at_{size.lower()}")))
        for label, by in groups:
            silent = Place(SILENT, "EVENT", by={"size": size, **by})
            cells = [Cell(label), *(printer.cell(silent, "{}", stat) for stat in _SILENT)]
            for rate in rates:
                place = silent.of(EVENTS).within(rate=rate)
                cells += [
                    printer.cell(place, "{}", ("chance", "fixed1")),
                    printer.cell(place, "{} ({})", *_WIDTHS),
                ]
            rows.append(Row(tuple(cells), indent=1))
    cells = [Cell(language.text("precision.subjects", chance=100 * rules["event_chance"]))]
    cells += [printer.blank()] * len(_SILENT)
    for rate in rates:
        place = Place(EVENT_SIZE, "EVENT", by={"rate": rate})
        cells += [printer.cell(place, "{}", ("n_needed", "count")), printer.blank()]
    rows.append(Row(tuple(cells)))
    columns = [Column(language.text("column.dose_level"), align="left", width="16%")]
    columns += [Column(language.text(f"column.precision_{name}")) for name in ("n", "silent")]
    for rate in rates:
        head = language.text("column.precision_rate", rate=100 * float(rate))
        columns += [
            Column(language.text(f"column.precision_{name}"), group=head)
            for name in ("chance", "width")
        ]
    notes = footnote_if(not is_planned, language, "footnote.no_planned_size")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes))


def _groups(context: Context, analysis: str) -> list[tuple[str, dict[str, str]]]:
    """Label and place of each dose level, then of all subjects."""
    doses = natural_order(context.results.levels(analysis, "dose"))
    labelled: list[tuple[str, dict[str, str]]] = [
        (level_label(context.language, "dose", dose), {"dose": dose}) for dose in doses
    ]
    return [*labelled, (context.language.text("label.total"), {})]


def _exposure_row(
    printer: Printer, label: str, place: Place, rules: dict[str, Sequence[float]], is_planned: bool
) -> Row:
    cells = [
        Cell(label),
        printer.cell(place, "{}", ("n", "count")),
        printer.cell(
            place,
            "{} ({}, {})",
            *((stat, "significant") for stat in ("geomean", "ci_low", "ci_high")),
        ),
        printer.cell(place, "{} ({})", ("sd", "fixed2"), ("sd_high", "fixed2")),
        printer.cell(place, "{} ({})", ("ratio", "ratio"), ("ratio_high", "ratio")),
    ]
    if is_planned:
        cells += [
            printer.cell(place, "{}", ("n_planned", "count")),
            printer.cell(
                place,
                "{} ({})",
                ("ratio_planned", "ratio"),
                ("ratio_planned_high", "ratio"),
            ),
        ]
    for factor in rules["factors"]:
        aim = place.of(SIZE).within(factor=f"{factor:g}")
        cells.append(printer.cell(aim, "{} ({})", ("n_needed", "count"), ("n_assured", "count")))
    return Row(tuple(cells), indent=1)


def _exposure_columns(
    context: Context, rules: dict[str, Sequence[float]], is_planned: bool
) -> tuple[Column, ...]:
    text = context.language.text
    obtained, planned = (text(f"column.precision_at_{name}") for name in ("obtained", "planned"))
    columns = [Column(text("column.dose_level"), align="left")]
    columns += [
        Column(text(f"column.precision_{name}"), group=obtained, width=width)
        for name, width in (("n", "6%"), ("geomean", "22%"), ("sd", ""), ("ratio", ""))
    ]
    if is_planned:
        columns += [
            Column(text(f"column.precision_{name}"), group=planned) for name in ("n", "ratio")
        ]
    columns += [
        Column(text("column.precision_aim", factor=f"{factor:g}")) for factor in rules["factors"]
    ]
    return tuple(columns)
