"""Tables of the target cells and of the lymphocyte subsets (T40, T47)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celldossier.terms.language import print_unit
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import analyte_label, level_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

CELLS = "pharmacodynamics.target_cells"
SUBSETS = "pharmacodynamics.subsets"
BASELINE = "BASELINE"
EXPOSURES = ("LOW", "HIGH")


def draw_target_cells(context: Context) -> Table | NotShown:
    """Loss and recovery of the target cells: all, dose levels, halves of exposure (T40)."""
    language, results = context.language, context.results
    settings: Mapping[str, Any] = context.settings["pharmacodynamics"]["target_cells"]
    marker = settings["marker"]
    if not marker:
        return NotShown("NOTAPPL")
    printer = Printer(results, language)
    total = Place(CELLS, marker)
    if not printer.exists(total):
        return NotShown("NOTCOLL")
    doses = natural_order(results.levels(CELLS, "dose"))
    exposures = [level for level in EXPOSURES if level in results.levels(CELLS, "exposure")]
    groups: list[dict[str, str]] = [{}, *({"dose": dose} for dose in doses)]
    groups += [{"exposure": level} for level in exposures]
    places = [Place(CELLS, marker, "", group) for group in groups]
    rows = [*_course_rows(context, printer, places), *_visit_rows(context, printer, places)]
    columns = [
        Column(language.text("column.statistic"), align="left", width="30%"),
        Column(language.text("label.total")),
    ]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    head = language.text("target.column.exposure", metric=settings["exposure"])
    columns += [Column(language.text(f"target.exposure.{e}"), group=head) for e in exposures]
    visit = next(p for p in _visit_places(context, places[0]) if printer.exists(p))
    return Table(
        tuple(columns),
        tuple(rows),
        printer.subjects,
        (_definition(context, settings, printer.value(visit, "median").unit),),
        (marker,),
    )


def recovery_limit(settings: Mapping[str, Any]) -> float:
    """Limit of the recovery; that of the loss where the study gives no other."""
    limit = settings["recovered"]
    return float(settings["threshold"] if limit is None else limit)


def _definition(context: Context, settings: Mapping[str, Any], unit: str) -> str:
    return context.language.text(
        f"target.note.{settings['direction']}",
        marker=analyte_label(context, settings["marker"]),
        threshold=f"{settings['threshold']:g}",
        recovered=f"{recovery_limit(settings):g}",
        unit=print_unit(unit),
        consecutive=settings["consecutive"],
        washout=f"{settings['washout']:g}",
        drugs=context.language.text("label.list_separator").join(
            name.lower() for name in settings["depleting"]
        ),
    )


def _row(label: str, cells: Sequence[Cell], indent: int = 0) -> Row:
    return Row((Cell(label), *cells), indent=indent)


def _course_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    text = context.language.text
    share = "{} ({})"

    def counted(name: str, *, indent: int = 1) -> Row:
        cells = [
            printer.cell(p, share, (f"n_{name}", "count"), (f"pct_{name}", "fixed1"))
            for p in places
        ]
        return _row(text(f"target.{name}"), cells, indent)

    def number(name: str, indent: int = 1) -> Row:
        cells = [printer.cell(p, "{}", (name, "count")) for p in places]
        return _row(text(f"target.{name}"), cells, indent)

    onset = [place.of(f"{CELLS}_onset") for place in places]
    first = [printer.median(p, "fixed1") for p in onset]
    duration = [printer.interval(p.of(f"{CELLS}_duration"), "median", "fixed1") for p in places]
    return [
        number("n", 0),
        number("n_base"),
        counted("low"),
        number("n_low_drug", 2),
        counted("onset"),
        _row(text("target.first_day"), first, 2),
        counted("never"),
        number("n_lost", 0),
        counted("recovered"),
        counted("ongoing"),
        number("n_again"),
        _row(text("target.duration"), duration, 1),
    ]


def _visits(context: Context) -> list[str]:
    found = natural_order(context.results.levels(f"{CELLS}_visit", "visit"))
    return [v for v in (BASELINE,) if v in found] + [v for v in found if v != BASELINE]


def _visit_places(context: Context, place: Place) -> list[Place]:
    return [place.of(f"{CELLS}_visit").within(visit=visit) for visit in _visits(context)]


def _visit_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    text = context.language.text
    rows = [heading(text("target.by_visit"))]
    shares = (("n_found", "count"), ("n", "count"), ("pct", "fixed1"))
    middle = tuple((stat, "significant") for stat in ("median", "q1", "q3"))
    for visit in _visits(context):
        own = [place.of(f"{CELLS}_visit").within(visit=visit) for place in places]

        def print_each(pattern: str, *stats: tuple[str, str], own: list[Place] = own) -> list[Cell]:
            return [
                printer.cell(p, pattern, *stats) if printer.exists(p) else printer.blank()
                for p in own
            ]

        rows.append(_row(visit_label(context, visit), print_each("{}/{} ({})", *shares)))
        if visit != BASELINE:
            rows.append(_row(text("target.low_then"), print_each("{}", ("n_low", "count")), 1))
        label = text("target.count_middle")
        rows.append(_row(label, print_each("{} ({}, {})", *middle), 1))
    return rows


def visit_label(context: Context, visit: str) -> str:
    """Words for a visit: baseline, the planned day, or the name that the study gives it."""
    if visit == BASELINE:
        return context.language.text("label.baseline_visit")
    if visit.replace(".", "", 1).lstrip("-").isdigit():
        return context.language.text("label.planned_day", day=visit)
    unscheduled = visit.upper() == "UNSCHEDULED"
    return context.language.text("label.unscheduled") if unscheduled else visit


def draw_lymphocyte_subsets(context: Context) -> Table | NotShown:
    """Subsets by visit with change and percent of the parent; CD4 to CD8 in blood and product."""
    language, results = context.language, context.results
    settings = context.settings["pharmacodynamics"]["target_cells"]
    printer = Printer(results, language)
    found = set(results.select(SUBSETS)["analyte"])
    ratio = f"{SUBSETS}_ratio"
    product = Place(f"{SUBSETS}_product", "CD4CD8")
    if not found and results.select(ratio).empty and not printer.exists(product):
        return NotShown("NOTCOLL")
    rows: list[Row] = []
    few = False
    for code in (code for code in settings["subsets"] if code in found):
        own, listed = _subset_rows(context, printer, SUBSETS, code, analyte_label(context, code))
        rows, few = [*rows, *own], few or listed
    if len(results.select(ratio)):
        names = [analyte_label(context, code) for code in settings["ratio"]]
        title = language.text("subset.ratio", numerator=names[0], denominator=names[1])
        own, listed = _subset_rows(context, printer, ratio, "RATIO", title)
        rows, few = [*rows, *own], few or listed
    if printer.exists(product):
        rows.append(heading(language.text("subset.product")))
        blank = printer.blank()
        cells = [
            Cell(language.text("subset.lots")),
            printer.cell(product, "{}", ("n", "count")),
            blank,
            *_values(printer, product),
            blank,
            blank,
        ]
        rows.append(Row(tuple(cells), indent=1))
    columns = [Column(language.text("subset.column.visit"), align="left", width="20%")]
    columns += [
        Column(language.text(key))
        for key in (
            *("statistic.n", "subset.column.without", "statistic.mean_sd"),
            *("statistic.median_range", "column.trend_change_median", "subset.column.parent"),
        )
    ]
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes), tuple(sorted(found)))


def _subset_rows(
    context: Context, printer: Printer, analysis: str, code: str, title: str
) -> tuple[list[Row], bool]:
    """A heading with the unit and a row a visit; whether a cell lists its values."""
    results = context.results
    visits = natural_order(results.levels(analysis, "visit"))
    visits = [v for v in (BASELINE,) if v in visits] + [v for v in visits if v != BASELINE]
    without = "n_without" if analysis.endswith("_ratio") else "n_blq"
    rows: list[Row] = []
    few = False
    for visit in visits:
        value, change, parent = (
            Place(analysis, name, code, {"visit": visit}) for name in ("VALUE", "CHG", "PARENT")
        )
        if not printer.exists(value):
            continue
        if not rows:
            unit = printer.value(value, "median").unit
            rows.append(heading(with_unit(title, unit)))
        few = few or printer.few(value)
        cells = [
            Cell(visit_label(context, visit)),
            printer.cell(value, "{}", ("n", "count")),
            printer.cell(value, "{}", (without, "count")),
            *_values(printer, value),
            _middle(printer, change),
            _middle(printer, parent),
        ]
        rows.append(Row(tuple(cells), indent=1))
    return rows, few


def _values(printer: Printer, place: Place) -> list[Cell]:
    """Mean (SD) and median (range); few values are listed."""
    if printer.few(place):
        return [printer.listed(place), printer.blank()]
    spread = (("mean", "significant"), ("sd", "significant"))
    return [printer.cell(place, "{} ({})", *spread), _middle(printer, place)]


def _middle(printer: Printer, place: Place) -> Cell:
    if not printer.exists(place):
        return printer.blank()
    return printer.median(place)
