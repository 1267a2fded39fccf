"""Table of the markers of the disease and of residual disease (T48)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import print_unit
from celldossier.terms.order import natural_order
from celldossier.terms.study_terms import RESPONSE_GROUPS, UNKNOWN
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import analyte_label, level_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_target_cells import visit_label

DISEASE = "pharmacodynamics.disease"
RESIDUAL = "pharmacodynamics.residual"
REASONS = ("NOPDBASE", "BASEZERO", "NOPDPOST", "NOCOUNTED")
RESPONSES = (*RESPONSE_GROUPS.values(), UNKNOWN)


def disease_markers(context: Context) -> list[str]:
    """Markers of the disease with results, in the order of the settings."""
    found = set(context.results.select(DISEASE)["variable"])
    return [m for m in context.settings["pharmacodynamics"]["disease"]["markers"] if m in found]


def draw_disease_markers(context: Context) -> Table | NotShown:
    """Baseline, percent change by visit, best change by response; residual disease by visit."""
    language = context.language
    printer = Printer(context.results, language)
    markers = disease_markers(context)
    residual = len(context.results.select(f"{RESIDUAL}_best")) > 0
    if not markers and not residual:
        return NotShown("NOTCOLL")
    rows: list[Row] = []
    few = False
    for marker in markers:
        own, listed = _marker_rows(context, printer, marker)
        rows, few = [*rows, *own], few or listed
    if residual:
        rows += _residual_rows(context, printer)
    columns = [Column(language.text("column.statistic"), align="left", width="38%")]
    columns += [
        Column(language.text(key))
        for key in ("statistic.n", "statistic.mean_sd", "statistic.median_range")
    ]
    settings = context.settings["pharmacodynamics"]["disease"]
    notes = [
        language.text(
            f"disease.note.progression_{'ends' if settings['until_progression'] else 'kept'}",
            window=f"{settings['progression_window']:g}",
        ),
        language.text(
            f"disease.note.therapy_{'ends' if settings['until_new_therapy'] else 'kept'}"
        ),
        *footnote_if(few, language, "footnote.few_values"),
    ]
    return Table(
        tuple(columns),
        tuple(rows),
        printer.subjects,
        tuple(notes if markers else notes[2:]),
        tuple(markers),
    )


def _marker_rows(context: Context, printer: Printer, marker: str) -> tuple[list[Row], bool]:
    language = context.language
    text = language.text
    base = Place(f"{DISEASE}_base", marker)
    unit = printer.value(base, "median").unit
    counts = Place(DISEASE, marker)
    rows = [heading(analyte_label(context, marker))]
    shown = ["n_set", "n_evaluable"]
    shown += [
        f"n_{code.lower()}"
        for code in REASONS
        if printer.value(counts, f"n_{code.lower()}").number > 0
    ]
    for position, stat in enumerate(shown):
        label = language.reason(stat[2:].upper()) if position > 1 else text(f"disease.{stat}")
        cells = [printer.cell(counts, "{}", (stat, "count")), printer.blank(), printer.blank()]
        rows.append(Row((Cell(label), *cells), indent=min(position, 1)))
    label = with_unit(text("label.baseline_visit"), unit)
    places = [(label, base, 0)]
    visits = natural_order(context.results.levels(f"{DISEASE}_visit", "visit"))
    own = [v for v in visits if printer.exists(Place(f"{DISEASE}_visit", marker, "", {"visit": v}))]
    for visit in own:
        name = text("disease.change_at", visit=visit_label(context, visit), unit=print_unit("%"))
        places.append((name, Place(f"{DISEASE}_visit", marker, "", {"visit": visit}), 0))
    places.append((text("disease.best"), Place(f"{DISEASE}_best", marker), 0))
    for level in RESPONSES:
        place = Place(f"{DISEASE}_best", marker, "", {"response": level})
        if printer.exists(place) and printer.value(place, "n").number > 0:
            places.append((level_label(language, "response", level), place, 1))
    rows += [_block(printer, *line) for line in places]
    best = Place(f"{DISEASE}_best", marker)
    for stat in ("n_below_half", "n_limit"):
        cells = [printer.cell(best, "{}", (stat, "count")), printer.blank(), printer.blank()]
        rows.append(Row((Cell(text(f"disease.{stat}")), *cells), indent=1))
    return rows, any(printer.few(place) for _, place, _ in places)


def _block(printer: Printer, label: str, place: Place, indent: int) -> Row:
    """One line: n, mean (SD), median (range)."""
    count = printer.cell(place, "{}", ("n", "count"))
    if printer.few(place):
        return Row((Cell(label), count, printer.listed(place), printer.blank()), indent=indent)
    spread = [(stat, "significant") for stat in ("mean", "sd")]
    middle = [(stat, "significant") for stat in ("median", "min", "max")]
    cells: Sequence[Cell] = (
        count,
        printer.cell(place, "{} ({})", *spread),
        printer.cell(place, "{} ({}, {})", *middle),
    )
    return Row((Cell(label), *cells), indent=indent)


def _residual_rows(context: Context, printer: Printer) -> list[Row]:
    text = context.language.text
    rows = [heading(text("disease.residual"))]
    places = [
        (visit_label(context, visit), Place(RESIDUAL, "MRD", "", {"visit": visit}))
        for visit in natural_order(context.results.levels(RESIDUAL, "visit"))
    ]
    places.append((text("disease.residual_best"), Place(f"{RESIDUAL}_best", "MRD")))
    for label, place in places:
        cells = (
            printer.cell(place, "{}", ("n", "count")),
            printer.cell(place, "{} ({})", ("n_found", "count"), ("pct", "fixed1")),
            printer.cell(place, "[{}, {}]", ("pct_low", "fixed1"), ("pct_high", "fixed1")),
        )
        rows.append(Row((Cell(label), *cells), indent=1))
    return rows
