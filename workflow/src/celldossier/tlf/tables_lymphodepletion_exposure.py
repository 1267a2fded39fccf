"""Exposure by drugs, doses and depth of lymphodepletion (table 86)."""

from __future__ import annotations

from celldossier.settings.study import IMMUNE_CLASSES
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading, interval
from celldossier.tlf.labels import level_label, metric_label, percent, variable_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_lymphodepletion import regimen_label

COUNT = "special_considerations.ld_count"
CORRELATION = "special_considerations.ld_correlation"
REGIMEN = "special_considerations.ld_regimen"
TERTILE = "special_considerations.ld_tertile"
RANGE = "special_considerations.ld_tertile_range"
DEPTHS = ("ALCINF", "ALCNAD", "ALCDEPL", "IL15INF")
GROUPED = ("ALCINF", "ALCNAD")
DOSES = ("LDTOTA", "LDRATIO")
TERTILES = ("T1", "T2", "T3")


def draw_lymphodepletion_exposure(context: Context) -> Table | NotShown:
    """A block a metric: correlations, then exposure by regimen and by third of depth."""
    language = context.language
    printer = Printer(context.results, language)
    if lymphodepletion_missing(context, printer):
        return NotShown(lymphodepletion_missing(context, printer))
    rules = context.settings["special_considerations"]
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    rows: list[Row] = []
    few = False
    for metric in rules["metrics"]:
        groups = _group_places(context, metric, analyte)
        unit = next((printer.value(p, "geomean").unit for _, p in groups if printer.exists(p)), "")
        rows.append(heading(with_unit(metric_label(language, metric), unit)))
        rows += _correlation_rows(context, printer, metric, analyte)
        for label, place in groups:
            few = few or printer.few(place)
            rows.append(_group_row(context, printer, label, place))
    columns = (
        Column(language.text("column.characteristic"), align="left", width="36%"),
        Column(language.text("statistic.n"), width="7%"),
        Column(language.text("column.rho_ci", level=percent(rules["confidence_level"]))),
        Column(language.text("statistic.geomean_gcv")),
        Column(
            language.text("special.ratio_ci", level=percent(rules["ratio_confidence_level"])),
        ),
    )
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), (analyte,))


def lymphodepletion_missing(context: Context, printer: Printer) -> str:
    """Why exposure cannot be related to lymphodepletion; blank where it can."""
    count = Place(COUNT, "LDFL")
    if printer.exists(count) and printer.value(count, "n").number > 0:
        return ""
    product_class = context.settings["study"]["product"]["product_class"]
    return "NOTCOLL" if product_class in IMMUNE_CLASSES else "NOTCLASS"


def _correlation_rows(context: Context, printer: Printer, metric: str, analyte: str) -> list[Row]:
    language = context.language
    drugs = natural_order(context.results.levels(CORRELATION, "drug"))
    measures: list[tuple[str, Place]] = [
        (
            variable_label(language, "ADSL", depth),
            Place(CORRELATION, depth, analyte, {"metric": metric}),
        )
        for depth in DEPTHS
    ]
    measures += [
        (
            language.text(
                "special.measure_of_drug",
                drug=level_label(language, "drug", drug),
                measure=variable_label(language, "ADLD", dose),
            ),
            Place(CORRELATION, dose, analyte, {"metric": metric, "drug": drug}),
        )
        for drug in drugs
        for dose in DOSES
    ]
    return [
        Row(
            (
                Cell(label),
                printer.cell(place, "{}", ("n", "count")),
                printer.interval(place, "rho", "fixed2"),
                printer.blank(),
                printer.blank(),
            ),
            indent=1,
        )
        for label, place in measures
    ]


def _group_places(context: Context, metric: str, analyte: str) -> list[tuple[Cell, Place]]:
    """Label and place of each regimen and of each third of depth."""
    language = context.language
    printer = Printer(context.results, language)
    places: list[tuple[Cell, Place]] = []
    for regimen in natural_order(context.results.levels(REGIMEN, "regimen")):
        name = language.text("ld.none") if regimen == "NONE" else regimen_label(language, regimen)
        places.append((Cell(name), Place(REGIMEN, metric, analyte, {"regimen": regimen})))
    for depth in GROUPED:
        for tertile in TERTILES:
            ends = Place(RANGE, depth, by={"tertile": tertile})
            shown = printer.cell(ends, "{}–{}", ("min", "significant"), ("max", "significant"))
            label = language.text(
                f"special.third.{tertile}",
                measure=variable_label(language, "ADSL", depth),
                span=with_unit(shown.text, printer.value(ends, "min").unit),
            )
            by = {"depth": depth, "tertile": tertile}
            cell = Cell(label, shown.value_ids, shown.reasons)
            places.append((cell, Place(TERTILE, metric, analyte, by)))
    return places


def _group_row(context: Context, printer: Printer, label: Cell, place: Place) -> Row:
    ratio = (
        printer.cell(place, "{} ({}, {})", *interval("gmr", "ratio"))
        if printer.exists(place, "gmr")
        else Cell(context.language.text("label.reference_level"))
    )
    return Row(
        (
            label,
            printer.cell(place, "{}", ("n", "count")),
            printer.blank(),
            printer.geomean(place),
            ratio,
        ),
        indent=1,
    )
