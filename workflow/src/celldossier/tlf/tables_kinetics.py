"""Tables of cellular kinetics: concentrations by time (24), NCA parameters (25 to 28)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.kinetics_parameters import (
    REASONS,
    STATISTICS,
    SUMMARY,
    abbreviations,
    few_note,
    is_median_only,
    parameter_head,
    parameters_shown,
    reasons_of,
    statistic_cells,
)
from celldossier.tlf.labels import analyte_label, analytes_in, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_kinetics_groups import draw_parameters_by_group

SENSITIVITY = "cellular_kinetics.summary_sensitivity"
CONCENTRATION = "cellular_kinetics.concentration"


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
        rows.append(heading(with_unit(analyte_label(context, analyte), unit)))
        for visit in visits:
            place = _visit_place(analyte, visit)
            few = few or printer.few(place)
            cells = [
                Cell(visit),
                printer.cell(place, "{}", ("n", "count")),
                printer.cell(place, "{}", ("n_blq", "count")),
                *statistic_cells(printer, place, median_only=False),
            ]
            rows.append(Row(tuple(cells)))
    columns = (
        Column(language.text("column.nominal_day"), align="left"),
        Column(language.text("statistic.n")),
        Column(language.text("statistic.n_blq")),
        *(Column(language.text(f"statistic.{stat}")) for stat, _ in STATISTICS),
    )
    return Table(
        columns,
        tuple(rows),
        printer.subjects,
        tuple(few_note(context, few)),
        tuple(analytes),
    )


def draw_nca_parameters(context: Context) -> Table | NotShown:
    """NCA parameters by analyte: all subjects, or one column a level of a grouping or of several.

    The option ``by`` is ``total`` or what `draw_parameters_by_group` takes; the option
    ``parameters`` lists the registry codes to show, ``AUC#`` for every partial area.
    """
    analytes = analytes_in(context, SUMMARY)
    if not analytes:
        return NotShown("NOTCOLL")
    if context.options.get("by", "total") == "total":
        return _parameters_total(context, analytes)
    return draw_parameters_by_group(context, analytes)


def _parameters_total(context: Context, analytes: Sequence[str]) -> Table:
    """One row a parameter, one column a statistic; why values are missing below each parameter."""
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        rows.append(heading(analyte_label(context, analyte)))
        for code in parameters_shown(context, analyte):
            place = Place(SUMMARY, code, analyte)
            few = few or printer.few(place)
            cells = [
                Cell(parameter_head(language, printer, place)),
                printer.cell(place, "{}", ("n", "count")),
                printer.cell(place, "{}", ("n_nc", "count")),
                *statistic_cells(printer, place, median_only=is_median_only(code)),
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
        *(Column(language.text(f"statistic.{stat}")) for stat, _ in STATISTICS),
    )
    notes = [*abbreviations(context, analytes), *few_note(context, few)]
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def _reason_rows(context: Context, printer: Printer, code: str, analyte: str) -> list[Row]:
    """Indented rows below a parameter: how many values are missing for which reason."""
    cells = []
    for reason in reasons_of(context, code, analyte):
        place = Place(REASONS, code, analyte, {"reason": reason})
        count = printer.cell(place, "{}", ("n", "count"))
        words = context.language.reason(reason)
        cells.append(Row((Cell(words), Cell(""), count, *[Cell("")] * len(STATISTICS)), indent=1))
    return cells


def _all_blq_rows(language: Language, printer: Printer, place: Place) -> list[Row]:
    """Subjects never quantifiable: in n with the value 0, but not in the geometric mean (R10)."""
    if not printer.exists(place, "n_blq") or printer.value(place, "n_blq").number == 0:
        return []
    counts = (printer.cell(place, "{}", ("n_blq", "count")), Cell(""))
    blanks = [Cell("")] * len(STATISTICS)
    return [Row((Cell(language.text("label.all_blq")), *counts, *blanks), indent=1)]


def _half_lloq_row(language: Language, printer: Printer, place: Place) -> Row:
    """CMAX with all-BLQ subjects at half the limit of quantitation instead of 0."""
    label = language.text("label.half_lloq", parameter=parameter_head(language, printer, place))
    counts = [printer.cell(place, "{}", (stat, "count")) for stat in ("n", "n_nc")]
    statistics = statistic_cells(printer, place, median_only=False)
    return Row((Cell(label), *counts, *statistics), indent=1)


def _visits(context: Context, analyte: str) -> list[str]:
    rows = context.results.select(CONCENTRATION)
    rows = rows[(rows["analyte"] == analyte) & (rows["group1"] == "visit") & (rows["group2"] == "")]
    return natural_order(set(rows["level1"]))


def _visit_place(analyte: str, visit: str) -> Place:
    return Place(CONCENTRATION, "CONC", analyte, {"visit": visit})


def _unit(context: Context, analyte: str) -> str:
    declared = context.settings["bioanalysis"]["assays"]
    return next((a["unit"] for a in declared if a["analyte"] == analyte), "")
