"""Tables of cellular kinetics: concentrations by time (24), NCA parameters (25 to 28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.terms.parameters import order_parameters
from celldossier.tlf.cells import Place, Printer, footnote_if
from celldossier.tlf.labels import (
    analyte_label,
    analytes_in,
    general_code,
    is_median_only,
    level_label,
    parameter_label,
    parameter_name,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

SUMMARY = "cellular_kinetics.summary"
REASONS = "cellular_kinetics.reasons"
SENSITIVITY = "cellular_kinetics.summary_sensitivity"
RATIO = "cellular_kinetics.ratio_by_response"
CONCENTRATION = "cellular_kinetics.concentration"

_STATISTICS = (
    ("geomean", "significant"),
    ("gcv", "integer"),
    ("mean", "significant"),
    ("sd", "significant"),
    ("median", "significant"),
    ("min", "significant"),
    ("max", "significant"),
)
_RESPONSES = ("RESPONDER", "NONRESPONDER", "UNKNOWN")


@dataclass(frozen=True)
class _Group:
    """One column of a table by group: its head and its place in the results."""

    label: str
    by: dict[str, str]


def draw_concentrations(context: Context) -> Table | NotShown:
    """Descriptive statistics of the concentrations at each nominal time, analyte by analyte."""
    language = context.language
    analytes = analytes_in(context, CONCENTRATION)
    if not analytes:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        visits = _visits(context, analyte)
        unit = printer.value(_visit_place(analyte, visits[0]), "n").unit or _unit(context, analyte)
        rows.append(_heading(with_unit(analyte_label(context, analyte), unit)))
        for visit in visits:
            place = _visit_place(analyte, visit)
            few = few or printer.few(place)
            cells = [
                Cell(visit),
                printer.cell(place, "{}", ("n", "count")),
                printer.cell(place, "{}", ("n_blq", "count")),
                *_statistic_cells(printer, place, median_only=False),
            ]
            rows.append(Row(tuple(cells)))
    columns = (
        Column(language.text("column.nominal_day"), align="left"),
        Column(language.text("statistic.n")),
        Column(language.text("statistic.n_blq")),
        *(Column(language.text(f"statistic.{stat}")) for stat, _ in _STATISTICS),
    )
    return Table(
        columns,
        tuple(rows),
        printer.subjects,
        tuple(footnote_if(few, language, "footnote.few_values")),
        tuple(analytes),
    )


def draw_nca_parameters(context: Context) -> Table | NotShown:
    """NCA parameters by analyte: all subjects, or one column a dose level, response, indication.

    The option ``by`` is ``total``, ``dose``, ``response`` or ``indication``; the option
    ``parameters`` lists the registry codes to show, ``AUC#`` for every partial area, and
    ``ratios`` those whose ratio of responders to non-responders is shown.
    """
    analytes = analytes_in(context, SUMMARY)
    if not analytes:
        return NotShown("NOTCOLL")
    by = str(context.options.get("by", "total"))
    if by == "total":
        return _parameters_total(context, analytes)
    groups = _groups(context, by)
    if not groups:
        return NotShown("NODATA")
    return _parameters_by_group(context, analytes, groups, with_ratio=by == "response")


def _parameters_total(context: Context, analytes: Sequence[str]) -> Table:
    """One row a parameter, one column a statistic; why values are missing below each parameter."""
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        rows.append(_heading(analyte_label(context, analyte)))
        for code in _parameters(context, analyte):
            place = Place(SUMMARY, code, analyte)
            few = few or printer.few(place)
            cells = [
                Cell(_parameter_label(language, printer, place)),
                printer.cell(place, "{}", ("n", "count")),
                printer.cell(place, "{}", ("n_nc", "count")),
                *_statistic_cells(printer, place, median_only=is_median_only(code)),
            ]
            rows.append(Row(tuple(cells)))
            rows.extend(_all_blq_rows(language, printer, place))
            rows.extend(_reason_rows(context, printer, code, analyte))
            if code == "CMAX" and printer.exists(place.of(SENSITIVITY)):
                rows.append(_half_lloq_row(language, printer, place.of(SENSITIVITY)))
    columns = (
        Column(language.text("column.parameter_unit"), align="left", width="36%"),
        Column(language.text("statistic.n")),
        Column(language.text("statistic.n_nc")),
        *(Column(language.text(f"statistic.{stat}")) for stat, _ in _STATISTICS),
    )
    notes = [*_abbreviations(context, analytes), *_few_note(context, few)]
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def _parameters_by_group(
    context: Context, analytes: Sequence[str], groups: Sequence[_Group], with_ratio: bool
) -> Table:
    """Three rows a parameter, one column a group, the ratio of the groups last."""
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        rows.append(_heading(analyte_label(context, analyte)))
        for code in _parameters(context, analyte):
            places = [Place(SUMMARY, code, analyte, group.by) for group in groups]
            few = few or any(printer.few(place) for place in places)
            lines = [("n", [printer.cell(place, "{}", ("n", "count")) for place in places])]
            if not is_median_only(code):
                lines.append(("geomean_gcv", [_geomean_cell(printer, place) for place in places]))
            lines.append(("median_range", [_median_cell(printer, place, code) for place in places]))
            for line, (statistic, cells) in enumerate(lines):
                label = _parameter_label(language, printer, Place(SUMMARY, code, analyte))
                head = (Cell("" if line else label), Cell(language.text(f"statistic.{statistic}")))
                tail: tuple[Cell, ...] = ()
                if with_ratio:
                    is_place = statistic == "geomean_gcv"
                    tail = (_ratio_cell(context, printer, code, analyte) if is_place else Cell(""),)
                rows.append(Row((*head, *cells, *tail)))
    columns = [
        Column(language.text("column.parameter_unit"), align="left", width="20%"),
        Column(language.text("column.statistic"), align="left", width="16%"),
        *(Column(group.label) for group in groups),
    ]
    if with_ratio:
        columns.append(Column(language.text("column.gmr_response"), width="16%"))
    notes = [*_abbreviations(context, analytes), *_few_note(context, few)]
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def _statistic_cells(printer: Printer, place: Place, *, median_only: bool) -> list[Cell]:
    """Cells of the statistic columns; fewer than three values are listed in the first of them."""
    if printer.few(place):
        return [printer.listed(place), *[printer.blank()] * (len(_STATISTICS) - 1)]
    return [
        printer.blank()
        if median_only and stat not in ("median", "min", "max")
        else printer.cell(place, "{}", (stat, form))
        for stat, form in _STATISTICS
    ]


def _geomean_cell(printer: Printer, place: Place) -> Cell:
    if printer.few(place):
        return printer.listed(place)
    return printer.cell(place, "{} ({})", ("geomean", "significant"), ("gcv", "integer"))


def _median_cell(printer: Printer, place: Place, code: str) -> Cell:
    if printer.few(place):
        # The values stand once: in this row where there is no geometric mean.
        return printer.listed(place) if is_median_only(code) else printer.blank()
    forms = [(stat, "significant") for stat in ("median", "min", "max")]
    return printer.cell(place, "{} ({}, {})", *forms)


def _ratio_cell(context: Context, printer: Printer, code: str, analyte: str) -> Cell:
    """Ratio of responders to non-responders, of the parameters that the declaration names."""
    place = Place(RATIO, code, analyte)
    wanted = context.options.get("ratios")
    is_wanted = not isinstance(wanted, list) or general_code(code) in wanted
    if not is_wanted or not printer.exists(place, "gmr"):
        return printer.blank()
    forms = [(stat, "significant") for stat in ("gmr", "gmr_low", "gmr_high")]
    return printer.cell(place, "{} ({}, {})", *forms)


def _reason_rows(context: Context, printer: Printer, code: str, analyte: str) -> list[Row]:
    """Indented rows below a parameter: how many values are missing for which reason."""
    rows = context.results.select(REASONS)
    rows = rows[(rows["variable"] == code) & (rows["analyte"] == analyte)]
    total = rows[(rows["group1"] == "reason") & (rows["group2"] == "")]
    cells = []
    for reason in sorted(set(total["level1"])):
        place = Place(REASONS, code, analyte, {"reason": reason})
        count = printer.cell(place, "{}", ("n", "count"))
        words = context.language.reason(reason)
        cells.append(Row((Cell(words), Cell(""), count, *[Cell("")] * len(_STATISTICS)), indent=1))
    return cells


def _all_blq_rows(language: Language, printer: Printer, place: Place) -> list[Row]:
    """Subjects never quantifiable: in n with the value 0, but not in the geometric mean (R10)."""
    if not printer.exists(place, "n_blq") or printer.value(place, "n_blq").number == 0:
        return []
    counts = (printer.cell(place, "{}", ("n_blq", "count")), Cell(""))
    blanks = [Cell("")] * len(_STATISTICS)
    return [Row((Cell(language.text("label.all_blq")), *counts, *blanks), indent=1)]


def _half_lloq_row(language: Language, printer: Printer, place: Place) -> Row:
    """CMAX with all-BLQ subjects at half the limit of quantitation instead of 0."""
    label = language.text("label.half_lloq", parameter=_parameter_label(language, printer, place))
    counts = [printer.cell(place, "{}", (stat, "count")) for stat in ("n", "n_nc")]
    statistics = _statistic_cells(printer, place, median_only=False)
    return Row((Cell(label), *counts, *statistics), indent=1)


def _groups(context: Context, by: str) -> list[_Group]:
    """Columns by group, and for doses and indications the total last."""
    language = context.language
    levels = natural_order(context.results.levels(SUMMARY, by))
    if by == "response":
        levels = [level for level in _RESPONSES if level in levels]
    groups = [_Group(level_label(language, by, level), {by: level}) for level in levels]
    if groups and by != "response":
        groups.append(_Group(language.text("label.total"), {}))
    return groups


def _parameters(context: Context, analyte: str) -> list[str]:
    """Parameters of the analyte that the declaration wants, in the order of the registry."""
    rows = context.results.select(SUMMARY)
    found = set(rows.loc[rows["analyte"] == analyte, "variable"])
    wanted = context.options.get("parameters")
    if isinstance(wanted, list):
        found = {code for code in found if general_code(code) in wanted}
    return order_parameters(found)


def _parameter_label(language: Language, printer: Printer, place: Place) -> str:
    return with_unit(parameter_label(place.variable, language), printer.value(place, "median").unit)


def _abbreviations(context: Context, analytes: Sequence[str]) -> list[str]:
    """What the symbols mean, in the order of the rows."""
    language = context.language
    codes = order_parameters({code for a in analytes for code in _parameters(context, a)})
    pairs = [
        language.text(
            "label.abbreviation",
            symbol=parameter_label(code, language),
            name=parameter_name(code, language),
        )
        for code in codes
    ]
    return [language.text("label.sentence_separator").join(pairs)]


def _few_note(context: Context, few: bool) -> Sequence[str]:
    return footnote_if(few, context.language, "footnote.few_values")


def _visits(context: Context, analyte: str) -> list[str]:
    rows = context.results.select(CONCENTRATION)
    rows = rows[(rows["analyte"] == analyte) & (rows["group1"] == "visit") & (rows["group2"] == "")]
    return natural_order(set(rows["level1"]))


def _visit_place(analyte: str, visit: str) -> Place:
    return Place(CONCENTRATION, "CONC", analyte, {"visit": visit})


def _unit(context: Context, analyte: str) -> str:
    declared = context.settings["bioanalysis"]["assays"]
    return next((a["unit"] for a in declared if a["analyte"] == analyte), "")


def _heading(text: str) -> Row:
    return Row((Cell(text),), kind="heading")
