"""Ratios of the kinetics before and after a change, held against the margins (tables 80, 80d)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.tlf.cells import Place, Printer, heading, interval
from celldossier.tlf.comparability_parts import (
    RATIO,
    adjustment_notes,
    comparison_name,
    levels,
    list_analytes,
    list_approaches,
    list_groups,
    margin_cell,
    margin_notes,
    nothing_compared,
    parameter_heading,
    shown_or_blank,
    verdict_cell,
)
from celldossier.tlf.labels import variable_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

MODELS = ("UNADJUSTED", "ADJUSTED")
SENSITIVITY = "comparability.sensitivity"
SENSITIVE = ("SHIFT", "MATCHED", "OVERLAP")
BALANCE = "comparability.balance"
DOSE = "DOSEA"
"""Covariate that is of ADEX; the others are of ADSL."""


def draw_kinetics_verdicts(context: Context) -> Table | NotShown:
    """A block a parameter: each comparison by approach and model, with its verdict."""
    printer = Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    rows = _blocks(context, printer, RATIO, MODELS, sizes=True)
    if not rows:
        return NotShown("NODATA")
    analytes = tuple(list_analytes(context))
    columns = _columns(context, sizes=True)
    notes = (*adjustment_notes(context), *margin_notes(context))
    return Table(columns, tuple(rows), printer.subjects, notes, analytes)


def draw_sensitivity(context: Context) -> Table | NotShown:
    """The same ratios by other means, and how far matching and weighting balance covariates."""
    printer = Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    rows = _blocks(context, printer, SENSITIVITY, SENSITIVE, sizes=False)
    if not rows:
        return NotShown("NODATA")
    rows += _balance(context, printer)
    analytes = tuple(list_analytes(context))
    return Table(_columns(context, sizes=False), tuple(rows), printer.subjects, (), analytes)


def _columns(context: Context, *, sizes: bool) -> tuple[Column, ...]:
    text, words = context.language.text, levels(context)
    columns = [
        Column(text("change.comparison"), align="left", width="24%"),
        Column(text("change.n_both"), width="8%"),
        Column(text("change.ratio", **words), width="16%"),
        Column(text("change.margin"), width="8%"),
        Column(text("change.p_tost"), width="7%"),
        Column(text("change.probability"), width="8%"),
    ]
    if sizes:
        columns.append(Column(text("change.n_needed"), width="9%"))
    columns.append(Column(text("change.verdict"), align="left"))
    return tuple(columns)


def _blocks(
    context: Context, printer: Printer, analysis: str, models: Sequence[str], *, sizes: bool
) -> list[Row]:
    """A heading and the rows of each analyte and parameter that was compared."""
    reference, *changed = list_groups(context, printer)
    rows: list[Row] = []
    for analyte in list_analytes(context):
        for parameter in context.settings["comparability"]["metrics"]:
            places = [
                Place(analysis, parameter, analyte, {"approach": a, "group": g, "model": m})
                for g in changed
                for a in list_approaches(context, analyte)
                for m in models
            ]
            block = [
                _row(context, printer, place, reference, sizes=sizes)
                for place in places
                if printer.exists(place, "gmr")
            ]
            if block:
                rows += [heading(parameter_heading(context, parameter, analyte)), *block]
    return rows


def _row(context: Context, printer: Printer, place: Place, reference: str, *, sizes: bool) -> Row:
    text, by = context.language.text, place.by
    name = text(
        "change.row",
        comparison=comparison_name(context, by["group"], reference),
        approach=text(f"change.approach.{by['approach']}"),
        model=text(f"change.model.{by['model']}"),
    )
    cells = [
        Cell(name),
        printer.cell(place, "{}; {}", ("n_test", "count"), ("n_reference", "count")),
        printer.cell(place, "{} ({}, {})", *interval("gmr", "ratio")),
        margin_cell(printer, place),
        shown_or_blank(printer, place, "p_tost", "p"),
        shown_or_blank(printer, place, "probability", "fixed1"),
    ]
    if sizes:
        needed = (("n_needed_test", "count"), ("n_needed_reference", "count"))
        bare = printer.value(place, "n_needed_test").note_code == "NOMARGIN"
        cells.append(printer.blank() if bare else printer.cell(place, "{} + {}", *needed))
    cells.append(_verdict(context, printer, place))
    return Row(tuple(cells), indent=1)


def _verdict(context: Context, printer: Printer, place: Place) -> Cell:
    """The verdict, whether it is the primary one, and the bridge on which it stands."""
    text, cell = context.language.text, verdict_cell(context, printer, place)
    value_ids = cell.value_ids
    words = cell.text
    # The shift of Hodges and Lehmann has no standard error, and no verdict on a bridge.
    on_bridge = printer.exists(place, "se_bridge") and printer.value(place, "se_bridge").number
    if on_bridge and not printer.value(place, "verdict").note_code:
        se, bridge = (
            printer.cell(place, "{}", (stat, "significant")) for stat in ("se", "se_bridge")
        )
        words = text("change.on_bridge", verdict=words, se=se.text, bridge=bridge.text)
        value_ids = (*value_ids, *se.value_ids, *bridge.value_ids)
    if printer.exists(place, "role"):
        role = printer.value(place, "role")
        words = text(f"change.role.{role.text}", verdict=words)
        value_ids = (*value_ids, role.value_id)
    return Cell(words, value_ids)


def _balance(context: Context, printer: Printer) -> list[Row]:
    """Standardised difference of each covariate before, and after matching or weighting."""
    text = context.language.text
    table = context.results.select(BALANCE)
    rows: list[Row] = []
    if table.empty:
        return rows
    reference = list_groups(context, printer)[0]
    first = table.loc[table["stat_name"] == "before"]
    keys = zip(first["variable"], first["level1"], first["level2"], first["level3"], strict=True)
    for variable, group, level, model in keys:
        place = Place(BALANCE, variable, by={"group": group, "level": level, "model": model})
        label = variable_label(context.language, "ADEX" if variable == DOSE else "ADSL", variable)
        name = text(
            "change.balance_row",
            comparison=comparison_name(context, group, reference),
            covariate=label if level == "-" else f"{label}: {level}",
            model=text(f"change.model.{model}"),
        )
        change = printer.cell(place, "{} → {}", ("before", "fixed2"), ("after", "fixed2"))
        blanks = [printer.blank()] * 4
        rows.append(Row((Cell(name), printer.blank(), change, *blanks), indent=1))
    return [heading(text("change.balance")), *rows]
