"""Dose of each cell subset against outcomes (table 16a)."""

from __future__ import annotations

from celldossier.terms.language import print_unit
from celldossier.tlf.cells import Place, Printer, heading, median_range
from celldossier.tlf.labels import (
    endpoint_label,
    metric_label,
    parameter_label,
    unit_label,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

DOSE = "dose_exploration.subset_dose"
OUTCOME = "dose_exploration.subset_outcome"
RATE = "dose_exploration.subset_rate"
FAMILY = "dose_exploration.subset_family"
WHOLE = ("DOSETOT", "DOSEVIA", "DOSETGP")
MODEL = (("estimate", "fixed2"), ("ci_low", "fixed2"), ("ci_high", "fixed2"))


def draw_subset_dose(context: Context) -> Table | NotShown:
    """Each dose: its size, then one row an outcome with models and the groups of its median."""
    language = context.language
    rules = context.settings["dose_exploration"]["subset_dose"]
    printer = Printer(context.results, language)
    metrics = [name for name in (*WHOLE, *rules["subsets"]) if printer.exists(Place(DOSE, name))]
    known = [name for name in metrics if printer.value(Place(DOSE, name), "n").number > 0]
    if not known:
        return NotShown("NOTCOLL")
    adjustments = ["NONE", *(["TUMOUR_BURDEN"] if rules["adjust_for_burden"] else [])]
    outcomes = [*rules["outcomes"], *rules["exposures"]]
    rows: list[Row] = []
    for metric in known:
        rows.append(_head(context, printer, metric))
        rows.extend(
            _outcome_row(context, printer, metric, outcome, adjustments) for outcome in outcomes
        )
    notes = _notes(context, printer, [name for name in metrics if name not in known], adjustments)
    return Table(_columns(context, adjustments), tuple(rows), printer.subjects, tuple(notes))


def _label(context: Context, metric: str) -> str:
    """Name of a dose; a subset is named by itself, its basis stands in the footnote."""
    if metric in WHOLE:
        return metric_label(context.language, metric)
    return context.language.text(f"dose_subset.{metric}")


def _head(context: Context, printer: Printer, metric: str) -> Row:
    language, place = context.language, Place(DOSE, metric)
    size = printer.cell(place, "{} ({}, {})", *median_range())
    share = printer.cell(place, "{}", ("pct", "fixed1"))
    rho = printer.cell(place, "{}", ("rho", "fixed2"))
    words = language.text(
        "dose_subset.head",
        dose=_label(context, metric),
        size=size.text,
        unit=print_unit(unit_label(language, "10^6 cells")),
        share=share.text,
        rho=rho.text,
    )
    return heading(Cell(words, (*size.value_ids, *share.value_ids, *rho.value_ids)))


def _outcome_row(
    context: Context, printer: Printer, metric: str, outcome: str, adjustments: list[str]
) -> Row:
    language = context.language
    binary = outcome in context.settings["dose_exploration"]["subset_dose"]["outcomes"]
    if binary:
        name = endpoint_label(context, outcome)
    else:
        low = Place(RATE, metric, by={"outcome": outcome, "group": "LOW"})
        unit = unit_label(language, printer.value(low, "geomean").unit)
        name = with_unit(parameter_label(outcome, language), unit)
    cells = []
    for group in ("LOW", "HIGH"):
        place = Place(RATE, metric, by={"outcome": outcome, "group": group})
        if binary:
            stats = (("events", "count"), ("n", "count"), ("pct", "fixed1"))
            cells.append(printer.cell(place, "{}/{} ({})", *stats))
        else:
            cells.append(printer.cell(place, "{} [{}]", ("geomean", "significant"), ("n", "count")))
    for adjustment in adjustments:
        place = Place(OUTCOME, metric, by={"outcome": outcome, "adjustment": adjustment})
        cells.append(printer.cell(place, "{} ({}, {})", *MODEL))
        cells.append(printer.cell(place, "{}", ("p", "p")))
        cells.append(printer.cell(place, "{}", ("q", "p")))
    return Row((Cell(name), *cells), indent=1)


def _columns(context: Context, adjustments: list[str]) -> tuple[Column, ...]:
    language = context.language
    level = 100 * context.settings["dose_exploration"]["subset_dose"]["confidence"]
    columns = [Column(language.text("column.subset_outcome"), align="left", width="20%")]
    groups = language.text("column.subset_groups")
    columns += [
        Column(language.text(f"column.subset_group.{group}"), group=groups)
        for group in ("LOW", "HIGH")
    ]
    for adjustment in adjustments:
        group = language.text(f"column.subset_model.{adjustment}")
        columns += [
            Column(language.text("column.subset_ratio", level=f"{level:g}"), group=group),
            Column("p", group=group),
            Column("q", group=group),
        ]
    return tuple(columns)


def _notes(
    context: Context, printer: Printer, absent: list[str], adjustments: list[str]
) -> list[str]:
    language = context.language
    basis = context.settings["dose_exploration"]["subset_dose"]["basis"]
    notes = [language.text("footnote.subset_basis", basis=_label(context, basis))]
    if absent:
        names = language.text("label.list_separator").join(_label(context, n) for n in absent)
        notes.append(language.text("footnote.subsets_not_collected", subsets=names))
    numbers = [
        printer.cell(Place(FAMILY, "P", by={"adjustment": a}), "{}", ("n_tests", "count")).text
        for a in adjustments
    ]
    separator = language.text("label.list_separator")
    notes.append(language.text("footnote.subset_family", tests=separator.join(numbers)))
    return notes
