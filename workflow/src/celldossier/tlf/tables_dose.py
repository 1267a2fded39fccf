"""Table of planned and actual doses (14)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if
from celldossier.tlf.labels import level_label, variable_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

DOSE = "dose_exploration.dose"

_VARIABLES = (
    *("DOSEP", "DOSEA", "DOSERAT", "DOSEKG", "DOSEM2"),
    *("DOSETOT", "DOSEVIA", "DOSETGP", "COPIES"),
)


def draw_dose_accountability(context: Context) -> Table | NotShown:
    """Doses given against the planned ones, by dose level, and how many were in the window."""
    language = context.language
    printer = Printer(context.results, language)
    variables = set(context.results.select(DOSE)["variable"])
    if not variables:
        return NotShown("NOTCOLL")
    doses = natural_order(context.results.levels(DOSE, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    few = False
    for variable in (name for name in _VARIABLES if name in variables):
        places = [Place(DOSE, variable, by=by) for by in groups]
        unit = printer.value(places[-1], "median").unit
        dataset = "ADDA" if variable == "COPIES" else "ADEX"
        label = with_unit(variable_label(language, dataset, variable), unit)
        if printer.value(places[-1], "n").number == 0:
            # Nothing known in all: one row says why.
            cells = [printer.cell(place, "{}", ("geomean", "significant")) for place in places]
            rows.append(Row((Cell(label), *cells)))
            continue
        counts = [printer.cell(place, "{}", ("n", "count")) for place in places]
        rows.append(Row((Cell(language.text("label.count_of", label=label)), *counts)))
        few = few or any(printer.few(place) for place in places)
        lines = (
            ("geomean_gcv", "{} ({})", (("geomean", "significant"), ("gcv", "integer"))),
            (
                "median_range",
                "{} ({}, {})",
                tuple((stat, "significant") for stat in ("median", "min", "max")),
            ),
        )
        for statistic, pattern, stats in lines:
            cells = []
            for place in places:
                if printer.few(place):
                    is_first = statistic == "geomean_gcv"
                    cells.append(printer.listed(place) if is_first else printer.blank())
                else:
                    cells.append(printer.cell(place, pattern, *stats))
            rows.append(Row((Cell(language.text(f"statistic.{statistic}")), *cells), indent=1))
    rows.extend(_window_rows(printer, language, [Place(DOSE, "INWINFL", by=by) for by in groups]))
    columns = [Column(language.text("column.quantity"), align="left", width="36%")]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    columns.append(Column(language.text("label.total")))
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes))


def _window_rows(printer: Printer, language: Language, places: Sequence[Place]) -> list[Row]:
    """Subjects whose dose lay in the pre-specified window, outside it, or had none."""
    within = [
        printer.cell(place, "{} ({})", ("n_inwindow", "count"), ("pct_inwindow", "fixed1"))
        for place in places
    ]
    rows = [Row((Cell(language.text("statistic.n_inwindow")), *within))]
    for stat in ("n_outwindow", "n_nowindow"):
        cells = [printer.cell(place, "{}", (stat, "count")) for place in places]
        rows.append(Row((Cell(language.text(f"statistic.{stat}")), *cells)))
    return rows
