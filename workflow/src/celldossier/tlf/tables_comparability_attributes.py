"""Quality attributes of the lots before and after a change (table 80b)."""

from __future__ import annotations

from celldossier.tlf.cells import Place, Printer, heading, interval
from celldossier.tlf.comparability_parts import (
    COUNT,
    attribute_margin_notes,
    comparison_name,
    group_name,
    levels,
    list_groups,
    margin_cell,
    nothing_compared,
    shown_or_blank,
    verdict_cell,
)
from celldossier.tlf.labels import variable_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

BLOCK = "comparability.attribute"
CONTRAST = "comparability.attribute_contrast"
RANGE = "comparability.attribute_range"
INSIDE = "comparability.attribute_inside"
RANGES = ("TOLERANCE", "QUALITY")


def draw_attributes(context: Context) -> Table | NotShown:
    """A block an attribute: each group, the contrast with its verdict, the ranges of the lots."""
    language = context.language
    text, printer = language.text, Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    rules = context.settings["comparability"]
    reference, *changed = list_groups(context, printer)
    groups = [reference, *changed]
    rows: list[Row] = []
    for attribute in rules["attributes"]:
        block = Place(BLOCK, attribute)
        if not printer.exists(block.within(group=reference)):
            continue
        unit = next(
            (
                value.unit
                for group in groups
                if (value := printer.value(block.within(group=group), "mean")).unit
            ),
            "",
        )
        rows.append(heading(with_unit(variable_label(language, "ADPQ", attribute), unit)))
        for group in changed:
            rows.append(_contrast(context, printer, attribute, group, reference))
        for name in RANGES:
            rows += [_inside(context, printer, attribute, group, name) for group in changed]
    if not rows:
        # Versions of an assay put subjects into groups, and no lots.
        return NotShown("NOLOTGRP" if rules["by"] == "ASSAY" else "NOTCOLL")
    words = levels(context)
    columns = [Column(text("change.comparison"), align="left", width="18%")]
    for group in (reference, "after"):
        if group == reference:
            n = printer.cell(Place(COUNT, "LOTID", by={"group": group}), "{}", ("n", "count"))
            name = group_name(language, group, rules["by"])
            label = text("change.lots_of", group=name, n=n.text)
            columns.append(Column(label, width="14%", value_ids=n.value_ids))
        else:
            columns.append(Column(text("change.lots_after"), width="14%"))
    columns += [
        Column(text("change.contrast", level=words["risk_level"]), width="16%"),
        Column(text("change.interval", level=words["level"]), width="13%"),
        Column(text("change.margin"), width="8%"),
        Column(text("change.p_tost"), width="7%"),
        Column(text("change.verdict"), align="left"),
    ]
    notes = tuple(attribute_margin_notes(context))
    return Table(tuple(columns), tuple(rows), printer.subjects, notes)


def _contrast(
    context: Context, printer: Printer, attribute: str, group: str, reference: str
) -> Row:
    text = context.language.text
    place = Place(CONTRAST, attribute, by={"group": group})
    scale = printer.value(place, "scale").text
    sides = [Place(BLOCK, attribute, by={"group": name}) for name in (reference, group)]
    label = text(f"change.scale.{scale}", comparison=comparison_name(context, group, reference))
    if scale == "ratio":
        cells = [_with_n(printer, side, "geomean", "gcv", "integer") for side in sides]
    else:
        cells = [_with_n(printer, side, "mean", "sd", "significant") for side in sides]
    limits = (("eq_low", "significant"), ("eq_high", "significant"))
    return Row(
        (
            Cell(label),
            *cells,
            printer.cell(place, "{} ({}, {})", *interval("estimate")),
            printer.cell(place, "{}, {}", *limits),
            margin_cell(printer, place),
            shown_or_blank(printer, place, "p_tost", "p"),
            verdict_cell(context, printer, place),
        ),
        indent=1,
    )


def _with_n(printer: Printer, place: Place, centre: str, spread: str, form: str) -> Cell:
    """Mean (SD) or geometric mean (CV, %) with the lots behind it; few values are listed."""
    if printer.few(place):
        return printer.listed(place)
    stats = ((centre, "significant"), (spread, form), ("n", "count"))
    return printer.cell(place, "{} ({}) [{}]", *stats)


def _inside(context: Context, printer: Printer, attribute: str, group: str, name: str) -> Row:
    """The range of the reference lots, and how many lots of a group lie in it."""
    text = context.language.text
    limits = Place(RANGE, attribute, by={"range": name})
    inside = Place(INSIDE, attribute, by={"group": group, "range": name})
    shares = (
        ("n", "count"),
        ("denominator", "count"),
        ("pct", "fixed1"),
        ("ci_low", "fixed1"),
        ("ci_high", "fixed1"),
    )
    label = text(
        f"change.range.{name}",
        group=group_name(context.language, group, context.settings["comparability"]["by"]),
    )
    ends = (("low", "significant"), ("high", "significant"))
    missing = printer.value(inside, "pct").note_code
    share = (
        printer.cell(inside, "{}", ("pct", "fixed1"))
        if missing
        else printer.cell(inside, "{}/{} ({}) [{}, {}]", *shares)
    )
    blanks = [printer.blank()] * 5
    return Row((Cell(label), printer.cell(limits, "{}, {}", *ends), share, *blanks), indent=1)
