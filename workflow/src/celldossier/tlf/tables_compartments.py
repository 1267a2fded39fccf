"""Distribution of the cells: results by compartment and time, and ratios to blood (T33)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import analyte_label, analytes_in, level_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

SUBJECTS = "cellular_kinetics.compartment_subjects"
RESULTS = "cellular_kinetics.compartment"
RATIO = "cellular_kinetics.compartment_ratio"
PEAK = "cellular_kinetics.compartment_peak"

UNSCHEDULED = "UNSCHEDULED"
WITHOUT_RATIO = ("n_siteblq", "n_centblq", "n_bothblq", "n_nopair")
"""Counts of samples without a ratio, in the order of their column."""

_KINDS = ("CENTRAL", "SPECIMEN", "IMAGE")


def draw_compartments(context: Context) -> Table | NotShown:
    """Biodistribution: a block a compartment, one row a nominal day, then the maximum.

    Each analyte has its central compartment first; samples of it are those of subjects
    who have another compartment. A sample without a ratio is counted with the reason.
    """
    language = context.language
    analytes = analytes_in(context, SUBJECTS)
    if not analytes:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    rows: list[Row] = []
    few = False
    ratios = False
    for analyte in analytes:
        compartments = order_compartments(context, analyte)
        unit = printer.value(_first_place(context, analyte, compartments), "median").unit
        rows.append(heading(with_unit(analyte_label(context, analyte), unit)))
        for name in compartments:
            block, is_few = _compartment_rows(context, printer, analyte, name)
            few = few or is_few
            ratios = ratios or printer.exists(Place(RATIO, "RATIO", analyte, {"compartment": name}))
            rows.extend(block)
    text = language.text
    site, ratio = text("column.compartment"), text("column.ratio_to_central")
    columns = (
        Column(text("column.compartment_day"), align="left", width="18%"),
        Column(text("statistic.n"), group=site, width="5%"),
        Column(text("statistic.n_quant"), group=site, width="8%"),
        Column(text("statistic.geomean_gcv"), group=site, width="12%"),
        Column(text("statistic.median_range"), group=site, width="17%"),
        Column(text("column.pairs"), group=ratio, width="5%"),
        Column(text("statistic.geomean_gcv"), group=ratio, width="10%"),
        Column(text("statistic.median_range"), group=ratio, width="13%"),
        Column(text("column.without_ratio"), group=ratio, width="12%"),
    )
    notes = footnote_if(ratios, language, "footnote.compartment_ratio")
    notes = [*notes, *footnote_if(few, language, "footnote.few_values")]
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def order_compartments(context: Context, analyte: str) -> list[str]:
    """Compartments of an analyte: the central one, other specimens, then places of images."""
    rows = context.results.select(SUBJECTS)
    rows = rows[(rows["analyte"] == analyte) & (rows["stat_name"] == "kind")]
    kinds = dict(zip(rows["level1"], rows["value_text"], strict=True))
    names = natural_order(kinds)
    return sorted(names, key=lambda name: _KINDS.index(kinds[name]))


def compartment_label(context: Context, name: str) -> str:
    """Words for a specimen or a place; the study's own text where there is no term."""
    return level_label(context.language, "compartment", name)


def _visits(context: Context, analyte: str, name: str) -> list[str]:
    rows = context.results.select(RESULTS)
    rows = rows[(rows["analyte"] == analyte) & (rows["level1"] == name)]
    visits = natural_order(set(rows["level2"]) - {UNSCHEDULED})
    return visits + [UNSCHEDULED] * (UNSCHEDULED in set(rows["level2"]))


def _first_place(context: Context, analyte: str, compartments: Sequence[str]) -> Place:
    name = compartments[0]
    by = {"compartment": name, "visit": _visits(context, analyte, name)[0]}
    return Place(RESULTS, "CONC", analyte, by)


def _compartment_rows(
    context: Context, printer: Printer, analyte: str, name: str
) -> tuple[list[Row], bool]:
    """Rows of one compartment, and whether a cell lists its values."""
    text = context.language.text
    by = {"compartment": name}
    subjects = Place(SUBJECTS, "", analyte, by)
    count = printer.cell(subjects, "{}", ("n", "count"))
    label = compartment_label(context, name)
    title = Cell(
        text("label.compartment_subjects", compartment=label, n=count.text), count.value_ids
    )
    rows = [Row((title, *[Cell("")] * 8))]
    few = False
    for visit in _visits(context, analyte, name):
        place = Place(RESULTS, "CONC", analyte, {**by, "visit": visit})
        ratio = Place(RATIO, "RATIO", analyte, {**by, "visit": visit})
        day = text("label.unscheduled") if visit == UNSCHEDULED else visit
        cells = [*_count_cells(printer, place), *_summary_cells(printer, place)]
        few = few or printer.few(place) or (printer.exists(ratio) and printer.few(ratio))
        rows.append(Row((Cell(day), *cells, *_ratio_cells(printer, ratio)), indent=1))
    peak, time = (Place(PEAK, code, analyte, by) for code in ("CMAX", "TMAX"))
    ratio = Place(RATIO, "RATIO", analyte, by)
    if printer.exists(peak):
        cells = [*_count_cells(printer, peak), *_summary_cells(printer, peak)]
        head = Cell(text("label.compartment_peak"))
        rows.append(Row((head, *cells, *_ratio_cells(printer, ratio)), indent=1))
        median = printer.median(time)
        counts = printer.cell(time, "{}", ("n", "count"))
        blanks = [Cell("")] * 4
        head = Cell(text("label.compartment_peak_time"))
        rows.append(Row((head, counts, Cell(""), Cell(""), median, *blanks), indent=1))
        few = few or printer.few(peak) or printer.few(time)
    return rows, few


def _count_cells(printer: Printer, place: Place) -> list[Cell]:
    return [printer.cell(place, "{}", (stat, "count")) for stat in ("n", "n_quant")]


def _summary_cells(printer: Printer, place: Place) -> list[Cell]:
    """Geometric mean with CV and median with range; few values are listed in the first."""
    if printer.few(place):
        return [printer.listed(place), printer.blank()]
    return [printer.geomean(place), printer.median(place)]


def _ratio_cells(printer: Printer, place: Place) -> list[Cell]:
    """Cells of the ratio; blank for the central compartment and for images."""
    if not printer.exists(place):
        return [Cell("")] * 4
    pairs = printer.cell(place, "{}", ("n", "count"))
    without = printer.cell(
        place, " / ".join(["{}"] * len(WITHOUT_RATIO)), *((stat, "count") for stat in WITHOUT_RATIO)
    )
    if printer.value(place, "n").number == 0:
        return [pairs, printer.blank(), printer.blank(), without]
    return [pairs, *_summary_cells(printer, place), without]
