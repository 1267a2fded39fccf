"""Table of cells that no marker tells from the subject's own: trend from baseline (shell 37)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading, median_range
from celldossier.tlf.labels import analyte_label, analytes_in, level_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

TREND = "cellular_kinetics.trend"

_SPREAD = (("mean", "significant"), ("sd", "significant"))
_GEOMETRIC = (("geomean", "significant"), ("gcv", "integer"))


def draw_trend(context: Context) -> Table | NotShown:
    """Concentration, change and fold of baseline by nominal day: all subjects, then each dose."""
    language = context.language
    analytes = analytes_in(context, TREND)
    if not analytes:
        declared = context.settings["cellular_kinetics"]["no_specific_marker"]
        return NotShown("NOBASE" if declared else "HASMARK")
    printer = Printer(context.results, language)
    doses = natural_order(context.results.levels(TREND, "dose"))
    groups = [{}, *({"dose": dose} for dose in doses)]
    visits = natural_order(context.results.levels(TREND, "visit"))
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        found = (Place(TREND, "CONC", analyte, {"visit": visit}) for visit in visits)
        unit = next(printer.value(p, "median").unit for p in found if printer.exists(p))
        rows.append(heading(with_unit(analyte_label(context, analyte), unit)))
        for by in groups:
            label = (
                level_label(language, "dose", by["dose"]) if by else language.text("label.total")
            )
            rows.append(heading(label))
            for visit in visits:
                place = Place(TREND, "CONC", analyte, {"visit": visit, **by})
                if not printer.exists(place):
                    continue
                few = few or printer.few(place)
                rows.append(Row(tuple(_cells(printer, analyte, visit, by)), indent=1))
    columns = (
        Column(language.text("column.nominal_day"), align="left", width="14%"),
        Column(language.text("statistic.n")),
        Column(language.text("statistic.n_blq")),
        *(
            Column(language.text(f"column.trend_{name}"))
            for name in ("concentration", "change_mean", "change_median", "fold", "fold_median")
        ),
    )
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def _cells(printer: Printer, analyte: str, visit: str, by: dict[str, str]) -> list[Cell]:
    levels = {"visit": visit, **by}
    conc, change, fold = (Place(TREND, name, analyte, levels) for name in ("CONC", "CHG", "FOLD"))
    cells = [Cell(visit), *(printer.cell(conc, "{}", (stat, "count")) for stat in ("n", "n_blq"))]
    if printer.few(conc):
        listed = [printer.listed(place) for place in (conc, change, fold)]
        return [*cells, listed[0], listed[1], printer.blank(), listed[2], printer.blank()]
    return [
        *cells,
        printer.cell(conc, "{} ({})", *_SPREAD),
        printer.cell(change, "{} ({})", *_SPREAD),
        printer.cell(change, "{} ({}, {})", *median_range()),
        printer.cell(fold, "{} ({})", *_GEOMETRIC),
        printer.cell(fold, "{} ({}, {})", *median_range()),
    ]
