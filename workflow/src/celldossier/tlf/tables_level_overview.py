"""Overview by dose level: doses, toxicity, events, exposure, marker peaks, response (82)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from celldossier.terms.language import Language
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import analyte_label, parameter_symbol, variable_label, with_unit
from celldossier.tlf.model import Cell, Context, NotShown, Row, Table
from celldossier.tlf.tables_dose_levels import (
    EXPOSURE,
    LEVEL,
    level_columns,
    level_settings,
    order_doses,
    percent_level,
)
from celldossier.tlf.tables_safety import event_label

DOSE = "dose_exploration.dose"

Groups = Sequence[Mapping[str, str]]


def draw_level_overview(context: Context) -> Table | NotShown:
    """Doses, toxicity, events, exposure, marker peaks and response by dose level (82)."""
    language = context.language
    printer = Printer(context.results, language)
    doses = order_doses(context)
    if not doses:
        return NotShown("NOTCOLL")
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    settings = level_settings(context)
    analyte = str(context.settings["dose_exploration"]["analyte"])
    few: list[bool] = []
    rows = [
        _heading(language, "doses"),
        _row(
            language.text("overview.subjects"),
            [
                printer.cell(Place("dose_exploration.overview", "SUBJECTS", by=by), "{}", _COUNT)
                for by in groups
            ],
        ),
        *_dose_rows(printer, language, groups, few),
        _heading(language, "dlt"),
        _rate_row(
            printer,
            language.text("overview.dlt"),
            [Place("dose_exploration.overview_dlt", "DLT", by=by) for by in groups],
        ),
        _heading(language, "events"),
    ]
    for event in settings["events"]:
        for grade in ("ANY", "SEVERE"):
            words = language.text(
                f"overview.grade.{grade}",
                event=event_label(language, event),
                grade=settings["severe_from"],
            )
            places = [
                Place("dose_exploration.overview_event", event, by={**by, "grade": grade})
                for by in groups
            ]
            rows.append(_rate_row(printer, words, places))
    rows.append(
        Row(
            (Cell(language.text("overview.exposure", analyte=analyte_label(context, analyte))),),
            kind="heading",
        )
    )
    for metric in settings["metrics"]:
        places = [Place(EXPOSURE, metric, analyte, {**by, "population": "ALL"}) for by in groups]
        rows += _geometric_rows(printer, language, parameter_symbol(metric), places, few)
    if settings["markers"]:
        rows.append(_heading(language, "markers"))
    for marker in settings["markers"]:
        places = [Place("dose_exploration.overview_marker", marker, by=by) for by in groups]
        rows += _geometric_rows(printer, language, analyte_label(context, marker), places, few)
    rows.append(_heading(language, "response"))
    places = [Place("dose_exploration.overview_rate", "ORR", by=by) for by in groups]
    rows.append(_rate_row(printer, language.text("overview.response"), places))
    columns = level_columns(language, doses, language.text("column.quantity"), "30%")
    notes = [language.text("overview.note", level=percent_level(context))]
    notes += footnote_if(any(few), language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), analytes=(analyte,))


_COUNT = ("n", "count")


def _heading(language: Language, part: str) -> Row:
    return heading(language.text(f"overview.{part}.heading"))


def _row(label: str, cells: Sequence[Cell]) -> Row:
    return Row((Cell(label), *cells), indent=1)


def _rate_row(printer: Printer, label: str, places: Sequence[Place]) -> Row:
    """Subjects with the outcome, of how many, percent and its interval."""
    stats = (_COUNT, ("denominator", "count"), ("pct", "fixed1"))
    ends = (("ci_low", "fixed1"), ("ci_high", "fixed1"))
    cells = [
        printer.cell(place, "{} / {} ({}) [{}, {}]", *stats, *ends)
        if printer.value(place, "denominator").number != 0
        else printer.cell(place, "{} / {}", *stats[:2])
        for place in places
    ]
    return _row(label, cells)


def _dose_rows(printer: Printer, language: Language, groups: Groups, few: list[bool]) -> list[Row]:
    """Planned dose, planned doses given, and the cells that were given over all of them."""
    planned = []
    given = []
    unit = ""
    for by in groups:
        if not by:
            planned.append(printer.blank())
            given.append(printer.blank())
            continue
        place = Place(LEVEL, "DOSEP", by=by)
        unit = printer.value(place, "planned").unit or unit
        planned.append(printer.cell(place, "{}", ("planned", "significant")))
        span = tuple((stat, "count") for stat in ("min", "max"))
        given.append(
            printer.cell(Place(LEVEL, "PLANNED", by=by), "{} ({}, {})", ("median", "fixed1"), *span)
        )
    cells = "DOSETGP" if printer.value(Place(DOSE, "DOSETGP"), "n").number else "DOSEVIA"
    places = [Place(DOSE, cells, by=by) for by in groups]
    label = variable_label(language, "ADEX", cells)
    return [
        _row(with_unit(language.text("overview.planned"), unit), planned),
        _row(language.text("overview.given"), given),
        *_geometric_rows(printer, language, label, places, few),
    ]


def _geometric_rows(
    printer: Printer,
    language: Language,
    label: str,
    places: Sequence[Place],
    few: list[bool],
) -> list[Row]:
    """One row: geometric mean, geometric CV and n; one or two values are listed."""
    known = [place for place in places if printer.exists(place)]
    unit = next((u for u in (printer.value(p, "median").unit for p in known) if u), "")
    cells = []
    for place in places:
        if place not in known:
            # The study asks for no doses by level.
            cells.append(printer.blank())
        elif printer.few(place):
            few.append(True)
            cells.append(printer.listed(place))
        else:
            stats = (("geomean", "significant"), ("gcv", "integer"), _COUNT)
            cells.append(printer.cell(place, "{} ({}) [{}]", *stats))
    name = language.text("overview.geometric", label=with_unit(label, unit))
    return [_row(name, cells)]
