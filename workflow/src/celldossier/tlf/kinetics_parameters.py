"""What the tables of NCA parameters share: which parameters, their names, cells of a block."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import Language
from celldossier.terms.parameters import order_parameters
from celldossier.tlf.cells import Place, Printer, footnote_if
from celldossier.tlf.labels import (
    general_code,
    is_median_only,
    parameter_label,
    parameter_name,
    with_unit,
)
from celldossier.tlf.model import Cell, Context

SUMMARY = "cellular_kinetics.summary"
REASONS = "cellular_kinetics.reasons"

STATISTICS = (
    ("geomean", "significant"),
    ("gcv", "integer"),
    ("mean", "significant"),
    ("sd", "significant"),
    ("median", "significant"),
    ("q1", "significant"),
    ("q3", "significant"),
    ("min", "significant"),
    ("max", "significant"),
)
"""Columns of a table with a column a statistic, and their formats."""

ORDERED = ("median", "q1", "q3", "min", "max")
"""Statistics of a parameter that has no geometric mean, such as a time."""


def parameters_shown(context: Context, analyte: str) -> list[str]:
    """Parameters of the analyte that the declaration wants, in the order of the registry."""
    rows = context.results.select(SUMMARY)
    found = set(rows.loc[rows["analyte"] == analyte, "variable"])
    wanted = context.options.get("parameters")
    if isinstance(wanted, list):
        found = {code for code in found if general_code(code) in wanted}
    return order_parameters(found)


def parameter_head(language: Language, printer: Printer, place: Place) -> str:
    """Name of a parameter with the unit of its values."""
    return with_unit(parameter_label(place.variable, language), printer.value(place, "median").unit)


def statistic_cells(printer: Printer, place: Place, *, median_only: bool) -> list[Cell]:
    """Cells of the statistic columns; fewer than three values are listed in the first of them."""
    if printer.few(place):
        return [printer.listed(place), *[printer.blank()] * (len(STATISTICS) - 1)]
    return [
        printer.blank()
        if median_only and stat not in ORDERED
        else printer.cell(place, "{}", (stat, form))
        for stat, form in STATISTICS
    ]


def reasons_of(context: Context, code: str, analyte: str) -> list[str]:
    """Reasons for which values of the parameter are missing, in the order of their codes."""
    rows = context.results.select(REASONS)
    rows = rows[(rows["variable"] == code) & (rows["analyte"] == analyte)]
    total = rows[(rows["group1"] == "reason") & (rows["group2"] == "")]
    return sorted(set(total["level1"]))


def abbreviations(context: Context, analytes: Sequence[str]) -> list[str]:
    """What the symbols mean, in the order of the rows."""
    language = context.language
    codes = order_parameters({code for a in analytes for code in parameters_shown(context, a)})
    pairs = [
        language.text(
            "label.abbreviation",
            symbol=parameter_label(code, language),
            name=parameter_name(code, language),
        )
        for code in codes
    ]
    return [language.text("label.sentence_separator").join(pairs)]


def few_note(context: Context, few: bool) -> Sequence[str]:
    """The footnote on values that are listed, where there are such."""
    return footnote_if(few, context.language, "footnote.few_values")


__all__ = [
    "ORDERED",
    "REASONS",
    "STATISTICS",
    "SUMMARY",
    "abbreviations",
    "few_note",
    "is_median_only",
    "parameter_head",
    "parameters_shown",
    "reasons_of",
    "statistic_cells",
]
