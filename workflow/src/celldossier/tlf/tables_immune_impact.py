"""What antibodies go with: exposure by ADA at baseline (79a), ratio of two assays (79b)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.terms.parameters import order_parameters
from celldossier.tlf.cells import Place, Printer, heading, sentence_cell
from celldossier.tlf.fields import Field, Reader, estimate, geomean, head_fields, read_row, stat
from celldossier.tlf.labels import analyte_label, parameter_label, percent, target_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

INCIDENCE = "immunogenicity.incidence"
EXPOSURE = "immunogenicity.baseline_exposure"
RATIO, CHANGE = "immunogenicity.assay_ratio", "immunogenicity.ratio_change"
STATES = ("WITHOUT", "WITH")


def draw_exposure_by_baseline_ada(context: Context) -> Table | NotShown:
    """Geometric means with and without ADA at baseline, and their ratio."""
    targets = _targets(context)
    if not targets:
        return NotShown("NOTCOLL")
    rows_of = context.results.select(EXPOSURE)
    if rows_of.empty:
        return NotShown("NODATA")
    language, reader = context.language, Reader.of(context)
    positive, negative = "column.ada_positive_baseline", "column.ada_negative_baseline"
    fields = (
        Field("column.parameter_unit", _parameter_name, "30%", align="left"),
        Field("statistic.n", stat("n_positive", "count"), "7%", positive),
        Field("statistic.geomean_gcv", geomean("_positive"), group=positive),
        Field("statistic.n", stat("n_negative", "count"), "7%", negative),
        Field("statistic.geomean_gcv", geomean("_negative"), group=negative),
        Field("column.gmr_ada", estimate("gmr"), "19%"),
    )
    rows: list[Row] = []
    analytes = natural_order(context.results.levels(EXPOSURE, "measured"))
    for target in targets:
        rows.append(heading(language.text("label.ada_target", target=_name(context, target))))
        found = rows_of.loc[rows_of["analyte"] == target, "variable"]
        for analyte in analytes:
            for code in order_parameters(found.unique()):
                place = Place(EXPOSURE, code, target, {"measured": analyte})
                if reader.printer.exists(place, "gmr"):
                    rows.append(read_row(reader, fields, place, indent=1))
    level = percent(context.settings["immunogenicity"]["impact"]["confidence_level"])
    columns = head_fields(context, fields, level=level)
    return Table(columns, tuple(rows), reader.printer.subjects, (), tuple(analytes))


def draw_assay_ratio_by_ada(context: Context) -> Table | NotShown:
    """Ratio of two assays by nominal day and state, and its change with the onset of ADA.

    The table holds as many subjects as have results in both states: they alone bear on it.
    """
    if not _targets(context):
        return NotShown("NOTCOLL")
    changes = context.results.select(CHANGE)
    if changes.empty:
        return NotShown("NOTPAIRED")
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    subjects = 0
    analytes: list[str] = []
    places = changes[["analyte", "level1"]].drop_duplicates()
    for target, pair in places.itertuples(index=False, name=None):
        place = Place(CHANGE, "RATIO", str(target), {"pair": str(pair)})
        subjects = max(subjects, int(printer.value(place, "n").number))
        first, second = str(pair).split("-", 1)
        analytes += [code for code in (first, second) if code not in analytes]
        rows.append(heading(language.text("label.ada_target", target=_name(context, str(target)))))
        rows.append(heading(_pair_name(context, first, second)))
        rows += _day_rows(context, printer, place)
        rows.append(heading(_change_cell(context, printer, place)))
    states = [language.text(f"column.ada_{state.lower()}") for state in STATES]
    columns = [Column(language.text("column.nominal_day"), align="left", width="20%")]
    for state in states:
        columns.append(Column(language.text("statistic.n"), group=state, width="10%"))
        columns.append(Column(language.text("statistic.geomean_gcv"), group=state))
    return Table(tuple(columns), tuple(rows), subjects, (), tuple(analytes))


def _targets(context: Context) -> list[str]:
    """Targets of the antibodies; a study with one may leave it blank."""
    return sorted(set(context.results.select(INCIDENCE)["analyte"]))


def _name(context: Context, target: str) -> str:
    return target_label(context, target)


def _parameter_name(reader: Reader, place: Place) -> Cell:
    context = reader.context
    units = [
        reader.printer.value(place, f"geomean_{name}").unit for name in ("positive", "negative")
    ]
    label = context.language.text(
        "label.parameter_of",
        parameter=parameter_label(place.variable, context.language),
        analyte=analyte_label(context, place.by["measured"]),
    )
    return Cell(with_unit(label, next((unit for unit in units if unit), "")))


def _pair_name(context: Context, first: str, second: str) -> str:
    rows = context.results.select(RATIO)
    units = rows.loc[rows["stat_name"] == "geomean", "unit"]
    names = {"first": analyte_label(context, first), "second": analyte_label(context, second)}
    label = context.language.text("assay.ratio_of", **names)
    return with_unit(label, next((unit for unit in units if unit), ""))


def _day_rows(context: Context, printer: Printer, change: Place) -> list[Row]:
    """A row for each nominal day with a ratio in either state."""
    rows = []
    for day in natural_order(context.results.levels(RATIO, "time")):
        cells: list[Cell] = []
        for state in STATES:
            place = change.of(RATIO).within(ada=state, time=day)
            if printer.exists(place):
                cells += [printer.cell(place, "{}", ("n", "count")), printer.geomean(place)]
            else:
                cells += [printer.blank(), printer.blank()]
        if any(cell.value_ids for cell in cells):
            rows.append(Row((Cell(day), *cells), indent=1))
    return rows


def _change_cell(context: Context, printer: Printer, place: Place) -> Cell:
    counts = {
        name: printer.cell(place, "{}", (stat_name, "count"))
        for name, stat_name in (("n", "n"), ("lost", "n_lost"), ("unknown", "n_unknown"))
    }
    level = percent(context.settings["immunogenicity"]["impact"]["confidence_level"])
    return sentence_cell(
        context.language,
        "label.ratio_change_ada",
        counts
        | {"ratio": printer.interval(place, "ratio"), "p": printer.cell(place, "{}", ("p", "p"))},
        level=level,
    )
