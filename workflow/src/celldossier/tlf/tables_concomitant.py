"""Exposure by concomitant medicine and its timing relative to the peak (table 88)."""

from __future__ import annotations

from celldossier.io.resources import read_resource
from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, interval, median_range, sentence_cell
from celldossier.tlf.labels import metric_label, percent, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COUNT = Place("special_considerations.cm_count", "CMCLASS")
TIMING = "special_considerations.cm_timing"
EXPOSURE = "special_considerations.cm_exposure"
LEVELS = ("BEFORE", "AFTER", "NEVER")


def draw_concomitant_exposure(context: Context) -> Table | NotShown:
    """A block a medicine: those who began it before the peak, at or after it, and never."""
    language = context.language
    printer = Printer(context.results, language)
    if not printer.exists(COUNT, "n_classes") or printer.value(COUNT, "n_classes").note_code:
        return NotShown("NOTCOLL")
    medicines = natural_order(context.results.levels(TIMING, "medication"))
    if not medicines:
        return NotShown("NODATA")
    rules = context.settings["special_considerations"]
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    rows: list[Row] = []
    few = False
    for name in medicines:
        timing = Place(TIMING, "ASTDY", analyte, {"medication": name})
        rows.append(Row((_heading(language, printer, name, timing),), "heading"))
        for level in LEVELS:
            cells = [
                Cell(language.text(f"special.timing.{level}")),
                printer.cell(timing, "{}", (f"n_{level.lower()}", "count")),
            ]
            for metric in rules["metrics"]:
                by = {"medication": name, "timing": level}
                place = Place(EXPOSURE, metric, analyte, by)
                few = few or printer.few(place)
                cells.append(printer.geomean(place))
                cells.append(
                    printer.cell(place, "{} ({}, {})", *interval("gmr", "ratio"))
                    if level != "NEVER"
                    else Cell(language.text("label.reference_level"))
                )
            rows.append(Row(tuple(cells), indent=1))
        if printer.value(timing, "n_unknown").number > 0:
            count = printer.cell(timing, "{}", ("n_unknown", "count"))
            blanks = [printer.blank()] * (2 * len(rules["metrics"]))
            label = Cell(language.text("special.timing.UNKNOWN"))
            rows.append(Row((label, count, *blanks), indent=1))
    columns = [
        Column(language.text("special.timing"), align="left", width="24%"),
        Column(language.text("statistic.n"), width="6%"),
    ]
    level = percent(rules["ratio_confidence_level"])
    for metric in rules["metrics"]:
        unit = next(
            value.unit
            for name in medicines
            for value in [
                printer.value(
                    Place(EXPOSURE, metric, analyte, {"medication": name, "timing": "NEVER"}),
                    "geomean",
                )
            ]
        )
        above = with_unit(metric_label(language, metric), unit)
        columns.append(Column(language.text("statistic.geomean_gcv"), group=above))
        columns.append(Column(language.text("special.ratio_ci", level=level), group=above))
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes), (analyte,))


def medicine_label(language: Language, name: str) -> str:
    """Words of a class of medicines; a class or a name of the study's own as it writes it."""
    known = read_resource("terms", "medication_classes.yaml")["classes"]
    return language.label(known[name]) if name in known else name


def _heading(language: Language, printer: Printer, name: str, timing: Place) -> Cell:
    if printer.value(timing, "n").number == 0:
        return Cell(medicine_label(language, name))
    return sentence_cell(
        language,
        "special.medicine_timing",
        {"distance": printer.cell(timing, "{} ({}, {})", *median_range("fixed1"))},
        medicine=medicine_label(language, name),
    )
