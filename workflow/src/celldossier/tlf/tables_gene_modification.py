"""Vector, expression of the gene, and long-term follow-up of a gene-modified product (T87)."""

from __future__ import annotations

from celldossier.terms.language import print_unit
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading, sentence_cell
from celldossier.tlf.labels import (
    analyte_label,
    metric_label,
    percent,
    variable_label,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

STAGE = "special_considerations"
LOT_ATTRIBUTES = ("VCN", "TRANSPCT")
SECONDARY = Place(f"{STAGE}.secondary_malignancy", "SECONDMALIG")


def draw_gene_modification(context: Context) -> Table | NotShown:
    """Lots, expression at the landmarks, years of follow-up, tests of the vector."""
    if not context.settings["study"]["product"]["gene_modified"]:
        return NotShown("NOTGENE")
    if not context.results.levels(f"{STAGE}.follow_up", "year"):
        return NotShown("NODATA")
    language = context.language
    printer = Printer(context.results, language)
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    expressed = next(iter(context.results.analytes(f"{STAGE}.expression")), "")
    rows = [
        heading(language.text("special.lots")),
        *_lot_rows(context, printer, analyte),
        heading(
            language.text(
                "special.expression",
                analyte=analyte_label(context, expressed) if expressed else "",
            )
            if expressed
            else language.text("special.expression_none")
        ),
        *_expression_rows(context, printer, expressed),
        heading(language.text("special.follow_up")),
        *_year_rows(context, printer, analyte),
        heading(language.text("special.vector_safety")),
        *[
            Row((Cell(language.text(f"special.{name}")), *_rate(printer, place)), indent=1)
            for name, place in (
                ("SECONDMALIG", SECONDARY),
                ("RCV", Place(f"{STAGE}.vector_test", "RCV")),
                ("INTEGRATION", Place(f"{STAGE}.vector_test", "INTEGRATION")),
            )
        ],
    ]
    rows += _unjudged_rows(context, printer)
    columns = (
        Column(language.text("column.characteristic"), align="left", width="38%"),
        Column(language.text("statistic.n"), width="10%"),
        Column(language.text("special.result"), align="left"),
    )
    analytes = (analyte, *((expressed,) if expressed and expressed != analyte else ()))
    return Table(columns, tuple(rows), printer.subjects, (), analytes)


def _lot_rows(context: Context, printer: Printer, analyte: str) -> list[Row]:
    language, rules = context.language, context.settings["special_considerations"]
    rows = []
    for name in LOT_ATTRIBUTES:
        label = variable_label(language, "ADPQ", name)
        place = Place(f"{STAGE}.lot_attribute", name)
        unit = printer.value(place, "median").unit
        count = printer.cell(place, "{}", ("n", "count"))
        rows.append(Row((Cell(with_unit(label, unit)), count, printer.median(place)), indent=1))
        for metric in rules["metrics"]:
            related = Place(f"{STAGE}.lot_correlation", name, analyte, {"metric": metric})
            text = language.text(
                "special.rho_of",
                measure=label,
                metric=metric_label(language, metric),
                level=percent(rules["confidence_level"]),
            )
            count = printer.cell(related, "{}", ("n", "count"))
            rows.append(
                Row((Cell(text), count, printer.interval(related, "rho", "fixed2")), indent=2)
            )
    return rows


def _expression_rows(context: Context, printer: Printer, analyte: str) -> list[Row]:
    language, analysis = context.language, f"{STAGE}.expression"
    if not analyte:
        place = Place(analysis, "EXPRESSION")
        none = printer.cell(place, "{}", ("n", "count"))
        return [Row((Cell(language.text("special.quantifiable")), none, printer.blank()), indent=1)]
    rows = []
    for landmark in context.settings["cellular_kinetics"]["persistence"]["landmarks"]:
        place = Place(analysis, "EXPRESSION", analyte, {"landmark": landmark["label"]})
        result = (
            sentence_cell(
                language,
                "special.expression_at",
                {
                    "share": _share(printer, place, "n_quantifiable", "n"),
                    "median": printer.cell(
                        place, "{} ({}, {})",
                        ("median", "significant"), ("min", "significant"), ("max", "significant"),
                    ),
                },
                unit=print_unit(printer.value(place, "median").unit),
            )
            if printer.value(place, "n").number > 0
            else printer.cell(place, "{}", ("pct", "fixed1"))
        )  # fmt: skip
        count = printer.cell(place, "{}", ("n", "count"))
        rows.append(Row((Cell(str(landmark["label"])), count, result), indent=1))
    return rows


def _year_rows(context: Context, printer: Printer, analyte: str) -> list[Row]:
    language, analysis = context.language, f"{STAGE}.follow_up"
    rows = []
    for year in natural_order(context.results.levels(analysis, "year")):
        place = Place(analysis, "FUDUR", analyte, {"year": year})
        result = sentence_cell(
            language,
            "special.year_result",
            {
                "years": printer.cell(place, "{}", ("person_years", "fixed1")),
                "found": printer.cell(
                    place, "{}/{}", ("n_quantifiable", "count"), ("n_sampled", "count")
                ),
                "deaths": printer.cell(place, "{}", ("n_deaths", "count")),
                "secondary": printer.cell(place, "{}", ("n_secondary", "count")),
            },
        )
        count = printer.cell(place, "{}", ("n", "count"))
        rows.append(Row((Cell(language.text("special.year", year=year)), count, result), indent=1))
    return rows


def _unjudged_rows(context: Context, printer: Printer) -> list[Row]:
    """Results of the tests of the vector that say neither positive nor negative, where any."""
    rows = []
    for name in ("RCV", "INTEGRATION"):
        place = Place(f"{STAGE}.vector_unjudged", name)
        if printer.exists(place) and printer.value(place, "n").number > 0:
            label = context.language.text(
                "special.vector_unjudged", test=context.language.text(f"special.{name}")
            )
            count = printer.cell(place, "{}", ("n", "count"))
            rows.append(Row((Cell(label), count, printer.blank()), indent=1))
    return rows


def _rate(printer: Printer, place: Place) -> tuple[Cell, Cell]:
    """Those looked at, and those with the event; one reason where it was not collected."""
    count = printer.cell(place, "{}", ("denominator", "count"))
    return count, _share(printer, place, "n", "denominator")


def _share(printer: Printer, place: Place, events: str, total: str) -> Cell:
    return printer.cell(
        place,
        "{}/{} ({}) [{}, {}]",
        (events, "count"),
        (total, "count"),
        ("pct", "fixed1"),
        ("ci_low", "fixed1"),
        ("ci_high", "fixed1"),
    )
