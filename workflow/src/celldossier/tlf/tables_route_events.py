"""Adverse events of the route of administration, kinetics by route (table 65c)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.terms.route_events import route_events
from celldossier.tlf.cells import Place, Printer, heading, median_range
from celldossier.tlf.labels import (
    analyte_label,
    level_label,
    parameter_label,
    unit_label,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

ROUTE = "dose_exploration.route"
EVENT = "dose_exploration.route_event"
KINETICS = "dose_exploration.route_kinetics"
STATS = ("all", "early", "severe")


def draw_route_events(context: Context) -> Table | NotShown:
    """Events of each route, zero included, and below them the kinetics of several routes."""
    language = context.language
    routes = natural_order(context.results.levels(ROUTE, "route"))
    if not routes:
        return NotShown("NODATA")
    printer = Printer(context.results, language)
    rows: list[Row] = []
    for kind in ("systemic", "local"):
        of_kind = {code: event for code, event in route_events().items() if event.kind == kind}
        body = [
            Row(
                (
                    Cell(language.label({"en": event.en, "zh": event.zh})),
                    *(cell for route in routes for cell in _cells(printer, code, route)),
                ),
                indent=1,
            )
            for code, event in of_kind.items()
            if any(printer.exists(_place(code, route)) for route in routes)
        ]
        if body:
            rows.append(heading(language.text(f"route.kind.{kind}")))
            rows.extend(body)
    if len(routes) > 1:
        rows.extend(_kinetics_rows(context, printer, routes))
    columns = [Column(language.text("column.route_event"), align="left", width="34%")]
    for route in routes:
        n = printer.cell(Place(ROUTE, "ROUTE", by={"route": route}), "{}", ("n_subjects", "count"))
        name = level_label(language, "route", route)
        group = language.text("column.group_n", group=name, n=n.text)
        columns += [
            Column(language.text(f"column.route.{stat}"), group=group, value_ids=n.value_ids)
            for stat in STATS
        ]
    notes = []
    if len(routes) == 1:
        name = level_label(language, "route", routes[0])
        notes.append(language.text("footnote.one_route", route=name))
    if "MIXED" in routes:
        notes.append(language.text("footnote.mixed_routes"))
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes))


def _place(code: str, route: str) -> Place:
    return Place(EVENT, code, by={"route": route})


def _cells(printer: Printer, code: str, route: str) -> list[Cell]:
    place = _place(code, route)
    if not printer.exists(place):
        return [printer.blank()] * len(STATS)
    return [
        printer.cell(place, "{} ({})", ("n", "count"), ("pct", "fixed1")),
        printer.cell(place, "{}", ("n_early", "count")),
        printer.cell(place, "{}", ("n_severe", "count")),
    ]


def _kinetics_rows(context: Context, printer: Printer, routes: list[str]) -> list[Row]:
    language = context.language
    settings = context.settings["dose_exploration"]
    analyte = settings["analyte"]
    title = language.text("route.kinetics", analyte=analyte_label(context, analyte))
    rows = [heading(title)]
    for parameter in settings["route_events"]["parameters"]:
        cells = []
        units = set()
        for route in routes:
            place = Place(KINETICS, parameter, analyte, {"route": route})
            units.add(printer.value(place, "geomean").unit)
            if parameter.startswith("TMAX"):
                block = printer.cell(place, "{} ({}, {})", *median_range())
            else:
                block = printer.cell(
                    place, "{} ({})", ("geomean", "significant"), ("gcv", "fixed1")
                )
            cells += [block, printer.cell(place, "{}", ("n", "count")), printer.blank()]
        unit = units.pop() if len(units) == 1 else ""
        label = with_unit(parameter_label(parameter, language), unit_label(language, unit))
        rows.append(Row((Cell(label), *cells), indent=1))
    return rows
