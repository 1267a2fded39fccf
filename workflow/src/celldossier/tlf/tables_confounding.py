"""Table of tumour burden and indication beside the exposure (68)."""

from __future__ import annotations

import math

from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_sensitivity import pair_label, primary_pairs

CONFOUNDING = "exposure_response.confounding"
INTERACTION = "exposure_response.interaction"
LEVEL = "exposure_response.interaction_level"
SENSITIVITY = "exposure_response.sensitivity"


def draw_confounding(context: Context) -> Table | NotShown:
    """Coefficient without and with tumour burden, interactions, and the ratio to burden."""
    pairs = primary_pairs(context, CONFOUNDING)
    if not pairs:
        return NotShown("NOTCOLL")
    language, analyte = context.language, exposure_analyte(context)
    printer = Printer(context.results, language)
    rows: list[Row] = []
    subjects = 0
    for endpoint, metric in pairs:
        rows.append(heading(pair_label(context, endpoint, metric)))
        place = Place(CONFOUNDING, endpoint, analyte, {"metric": metric})
        # Models that were refused are no evidence.
        if math.isfinite(printer.value(place, "or_adjusted").number):
            subjects = max(subjects, int(printer.value(place, "n").number))
        rows += [_term_row(printer, context, place, s) for s in ("unadjusted", "adjusted")]
        rows.append(_change_row(printer, context, place))
        rows.append(_term_row(printer, context, place, "burden"))
        for modifier in context.settings["exposure_response"]["confounding"]["modifiers"]:
            test = place.of(INTERACTION).within(modifier=str(modifier))
            if printer.exists(test):
                rows += _interaction_rows(printer, context, test, str(modifier))
        by = {"metric": metric, "adjustment": "UNADJUSTED", "population": "PER_BURDEN"}
        ratio = Place(SENSITIVITY, endpoint, analyte, by)
        if printer.exists(ratio):
            text = language.text("label.exposure_to_burden")
            rows.append(_row(printer, context, ratio, text, ""))
    columns = (
        Column(language.text("column.term"), align="left", width="46%"),
        Column(language.text("statistic.n"), width="7%"),
        Column(language.text("statistic.events"), width="8%"),
        Column(language.text("column.coefficient"), width="12%"),
        Column(language.text("column.odds_ratio_as_stated"), width="18%"),
        Column(language.text("statistic.p"), width="9%"),
    )
    return Table(columns, tuple(rows), subjects, analytes=(analyte,))


def _row(printer: Printer, context: Context, place: Place, text: str, suffix: str) -> Row:
    coefficient = (
        printer.cell(place, "{}", (f"log_or{suffix}", "fixed3"))
        if printer.exists(place, f"log_or{suffix}")
        else printer.blank()
    )
    has_p = printer.exists(place, f"p{suffix}")
    return Row(
        (
            Cell(text),
            printer.cell(place, "{}", ("n", "count")),
            printer.cell(place, "{}", ("events", "count")),
            coefficient,
            printer.interval(place, "or", suffix=suffix),
            printer.cell(place, "{}", (f"p{suffix}", "p")) if has_p else printer.blank(),
        ),
        indent=1,
    )


def _term_row(printer: Printer, context: Context, place: Place, suffix: str) -> Row:
    text = context.language.text(f"label.confounding.{suffix}")
    return _row(printer, context, place, text, f"_{suffix}")


def _change_row(printer: Printer, context: Context, place: Place) -> Row:
    blank = printer.blank()
    change = printer.cell(place, "{}%", ("percent_change", "fixed1"))
    text = context.language.text("label.confounding.change")
    return Row((Cell(text), blank, blank, change, blank, blank), indent=1)


def _interaction_rows(printer: Printer, context: Context, test: Place, modifier: str) -> list[Row]:
    """The test of the interaction, then the odds ratio at each value of the modifier."""
    language = context.language
    blank = printer.blank()
    rows = [
        Row(
            (
                Cell(language.text(f"label.interaction.{modifier}")),
                printer.cell(test, "{}", ("n", "count")),
                printer.cell(test, "{}", ("events", "count")),
                blank,
                printer.interval(test, "ratio"),
                printer.cell(test, "{}", ("p", "p")),
            ),
            indent=1,
        )
    ]
    selected = context.results.select(LEVEL)
    selected = selected[
        (selected["variable"] == test.variable)
        & (selected["level2"] == test.by["metric"])
        & (selected["level3"] == modifier)
    ]
    levels = sorted(set(selected["level1"]))
    if modifier == "LTBURDZ":
        levels = sorted(levels, key=lambda level: float(level.removeprefix("Q")))
    for level in levels:
        place = test.of(LEVEL).within(level=level)
        if modifier == "LTBURDZ":
            at = printer.cell(place, "{}", ("at", "fixed2"))
            text = language.text(
                "label.at_quantile", quantile=level.removeprefix("Q"), value=at.text
            )
            label = Cell(text, at.value_ids)
        else:
            label = Cell(
                language.text("label.in_level", level=level_label(language, modifier, level))
            )
        row = _row(printer, context, place, "", "")
        rows.append(Row((label, *row.cells[1:]), indent=2))
    return rows
