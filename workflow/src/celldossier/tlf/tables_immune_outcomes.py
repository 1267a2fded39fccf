"""Outcomes after antibodies: landmark comparison and CRS at a further infusion (table 79c)."""

from __future__ import annotations

from celldossier.io.resources import read_resource
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import percent, target_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

INCIDENCE = "immunogenicity.incidence"
LANDMARK, CRS = "immunogenicity.landmark", "immunogenicity.reinfusion_crs"
STATES = ("WITHOUT", "WITH")


def draw_outcomes_by_ada(context: Context) -> Table | NotShown:
    """Each endpoint from each landmark by the status known at it, then CRS.

    The table holds as many subjects as had emergent ADA by a landmark or an infusion: they alone
    bear on it.
    """
    targets = sorted(set(context.results.select(INCIDENCE)["analyte"]))
    if not targets:
        return NotShown("NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    subjects = 0
    for target in targets:
        name = target_label(context, target)
        rows.append(heading(language.text("label.ada_target", target=name)))
        for place in _landmarks(context, target):
            rows.append(_landmark_row(context, printer, place))
            subjects = max(subjects, int(printer.value(place, "n_with").number))
        place = Place(CRS, "CRS", target)
        if printer.exists(place):
            rows.append(_crs_row(context, printer, place))
            with_ada = printer.value(place.within(ada="WITH"), "denominator").number
            subjects = max(subjects, int(with_ada))
    level = percent(context.settings["immunogenicity"]["impact"]["confidence_level"])
    columns = [Column(language.text("column.outcome_landmark"), align="left", width="26%")]
    for state in STATES:
        group = language.text(f"column.ada_known_{state.lower()}")
        columns.append(Column(language.text("column.n_events"), group=group, width="10%"))
        columns.append(Column(language.text("column.median_or_share", level=level), group=group))
    columns += [
        Column(language.text("column.hr_ada", level=level), width="15%"),
        Column(language.text("statistic.p"), width="7%"),
        Column(language.text("column.ada_unknown"), width="8%"),
    ]
    return Table(tuple(columns), tuple(rows), subjects)


def _landmarks(context: Context, target: str) -> list[Place]:
    """Places of the endpoints, in the order of the registry, and of their landmarks."""
    rows = context.results.select(LANDMARK)
    rows = rows.loc[rows["analyte"] == target]
    return [
        Place(LANDMARK, code, target, {"landmark": day})
        for code in read_resource("terms", "efficacy_parameters.yaml")["endpoints"]
        for day in natural_order(set(rows.loc[rows["variable"] == code, "level1"]))
    ]


def _landmark_row(context: Context, printer: Printer, place: Place) -> Row:
    endpoint = read_resource("terms", "efficacy_parameters.yaml")["endpoints"][place.variable]
    label = context.language.text(
        "label.outcome_from_day",
        endpoint=context.language.label(endpoint),
        day=place.by["landmark"],
    )
    cells: list[Cell] = []
    for state in STATES:
        name = state.lower()
        counts = ((f"n_{name}", "count"), (f"events_{name}", "count"))
        median = tuple(
            (f"{stat}_{name}", "integer") for stat in ("median", "median_low", "median_high")
        )
        cells += [
            printer.cell(place, "{} ({})", *counts),
            printer.cell(place, "{} ({}, {})", *median),
        ]
    return Row(
        (
            Cell(label),
            *cells,
            printer.interval(place, "hr", "ratio"),
            printer.cell(place, "{}", ("p", "p")),
            printer.cell(place, "{}", ("n_unknown", "count")),
        ),
        indent=1,
    )


def _crs_row(context: Context, printer: Printer, place: Place) -> Row:
    """CRS after a further infusion; nobody may have had one."""
    label = Cell(context.language.text("label.crs_further_infusion"))
    if printer.value(place, "n").number == 0:
        none = printer.cell(
            place, context.language.text("label.no_further_infusion"), ("n", "count")
        )
        return Row((label, none, *[printer.blank()] * 6), indent=1)
    cells: list[Cell] = []
    shares = tuple((name, "fixed1") for name in ("pct", "ci_low", "ci_high"))
    for state in STATES:
        here = place.within(ada=state)
        cells += [
            printer.cell(here, "{} ({})", ("denominator", "count"), ("n", "count")),
            printer.cell(here, "{}% ({}, {})", *shares),
        ]
    return Row(
        (
            label,
            *cells,
            printer.blank(),
            printer.cell(place, "{}", ("p", "p")),
            printer.cell(place, "{}", ("n_unknown", "count")),
        ),
        indent=1,
    )
