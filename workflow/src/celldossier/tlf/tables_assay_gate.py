"""Whether the samples before and after a change were measured by one assay (table 80e)."""

from __future__ import annotations

from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.comparability_parts import (
    GATE,
    comparison_name,
    group_name,
    list_analytes,
    list_groups,
    nothing_compared,
)
from celldossier.tlf.labels import analyte_label, variable_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

ASSAY = "comparability.assay"
ASPECT = "comparability.assay_aspect"
ASPECTS = ("PCMETHOD", "PCASSAYV", "PCNAM", "ALLOQ")


def draw_assay_gate(context: Context) -> Table | NotShown:
    """A block an analyte: levels of each aspect by group, and whether a verdict may be given."""
    language = context.language
    text, printer = language.text, Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    groups = list_groups(context, printer)
    rows: list[Row] = []
    for analyte in list_analytes(context):
        rows.append(heading(analyte_label(context, analyte)))
        for aspect in ASPECTS:
            cells = [Cell(variable_label(language, "ADPC", aspect))]
            for group in groups:
                place = Place(ASSAY, aspect, analyte, {"group": group})
                cells.append(printer.cell(place, "{}", ("levels", "significant")))
            for group in groups[1:]:
                place = Place(ASPECT, aspect, analyte, {"group": group})
                state = printer.value(place, "state")
                cells.append(Cell(text(f"change.aspect.{state.text}"), (state.value_id,)))
            rows.append(Row(tuple(cells), indent=1))
        cells = [Cell(text("change.gate")), *[printer.blank()] * len(groups)]
        cells += [_gate(context, printer, analyte, group) for group in groups[1:]]
        rows.append(Row(tuple(cells), indent=1))
    by = context.settings["comparability"]["by"]
    columns = [Column(text("change.aspect"), align="left", width="22%")]
    columns += [
        Column(text("change.samples_of", group=group_name(language, group, by))) for group in groups
    ]
    columns += [Column(comparison_name(context, group, groups[0])) for group in groups[1:]]
    return Table(tuple(columns), tuple(rows), printer.subjects, (), tuple(list_analytes(context)))


def _gate(context: Context, printer: Printer, analyte: str, group: str) -> Cell:
    """Open, bridged, or closed and why."""
    language = context.language
    place = Place(GATE, "PCASSAYV", analyte, {"group": group})
    state = printer.value(place, "state")
    if not printer.exists(place, "reason"):
        return Cell(language.text(f"change.gate.{state.text}"), (state.value_id,))
    reason = printer.value(place, "reason")
    return Cell(
        language.text("change.gate.CLOSED", reason=language.reason(reason.note_code)),
        (state.value_id, reason.value_id),
    )
