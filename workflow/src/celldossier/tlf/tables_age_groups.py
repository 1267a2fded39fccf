"""Exposure and outcomes by age group, and the exponent of body weight (table 85)."""

from __future__ import annotations

from celldossier.tlf.cells import Place, Printer, footnote_if, heading, interval, sentence_cell
from celldossier.tlf.labels import metric_label, percent, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COUNT = "special_considerations.age_count"
EXPOSURE = "special_considerations.age_exposure"
OUTCOME = "special_considerations.age_outcome"
WEIGHT = "special_considerations.weight_exponent"
OUTCOMES = ("RESPONSE", "CRS", "CRSGE3", "ICANS", "ICANSGE3")


def draw_age_groups(context: Context) -> Table | NotShown:
    """Exposure, its ratio to the adults, and outcomes: a column an age group."""
    language = context.language
    printer = Printer(context.results, language)
    rules = context.settings["special_considerations"]
    # The results stand in the order of their identifiers; groups begin with the youngest.
    found = sorted(context.results.levels(COUNT, "agegr"), key=_youngest)
    groups = [{"agegr": level} for level in found]
    if not any(printer.value(Place(COUNT, "AGE", by=by), "n").number > 0 for by in groups):
        return NotShown("NODATA")
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    rows: list[Row] = []
    few = False
    for metric in rules["metrics"]:
        places = [Place(EXPOSURE, metric, analyte, by) for by in groups]
        units = {printer.value(place, "geomean").unit for place in places}
        rows.append(heading(with_unit(metric_label(language, metric), next(iter(units)))))
        rows.append(_row(language.text("statistic.n"), [_count(printer, p) for p in places]))
        cells = [printer.geomean(place) for place in places]
        few = few or any(printer.few(place) for place in places)
        rows.append(_row(language.text("statistic.geomean_gcv"), cells))
        rows.append(
            _row(
                language.text("special.ratio_to_adults"),
                [
                    printer.cell(place, "{} ({}, {})", *interval("gmr", "ratio"))
                    if printer.exists(place, "gmr")
                    else Cell(language.text("label.reference_level"))
                    for place in places
                ],
            )
        )
    rows.append(
        heading(language.text("special.outcomes", level=percent(rules["confidence_level"])))
    )
    for name in OUTCOMES:
        places = [Place(OUTCOME, name, by=by) for by in groups]
        rows.append(
            _row(language.text(f"special.{name}"), [_share(printer, place) for place in places])
        )
    rows.append(heading(language.text("special.weight")))
    for metric in rules["metrics"]:
        rows.append(heading(_weight_cell(context, printer, Place(WEIGHT, metric, analyte))))
    columns = [Column(language.text("column.characteristic"), align="left", width="26%")]
    for by in groups:
        n = printer.cell(Place(COUNT, "AGE", by=by), "{}", ("n", "count"))
        group = by["agegr"].replace(">=", "≥")
        columns.append(
            Column(
                language.text("column.group_n", group=group, n=n.text),
                group=language.text("column.age_years"),
                value_ids=n.value_ids,
            )
        )
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes), (analyte,))


def _youngest(level: str) -> tuple[float, bool]:
    """Place of a group of `name_age_groups`: its first age; below the first limit first."""
    first = level.split(",")[0].lstrip("<>=").split("-")[0]
    return float(first), not level.startswith("<")


def _row(label: str, cells: list[Cell]) -> Row:
    return Row((Cell(label), *cells), indent=1)


def _count(printer: Printer, place: Place) -> Cell:
    return printer.cell(place, "{}", ("n", "count"))


def _share(printer: Printer, place: Place) -> Cell:
    if printer.value(place, "denominator").number == 0:
        return printer.cell(place, "{}", ("pct", "fixed1"))
    return printer.cell(
        place,
        "{}/{} ({}) [{}, {}]",
        ("n", "count"),
        ("denominator", "count"),
        ("pct", "fixed1"),
        ("ci_low", "fixed1"),
        ("ci_high", "fixed1"),
    )


def _weight_cell(context: Context, printer: Printer, place: Place) -> Cell:
    """The exponent of weight with its limits, or why weights carry none."""
    rules = context.settings["special_considerations"]
    return sentence_cell(
        context.language,
        "special.weight_exponent",
        {
            "n": printer.cell(place, "{}", ("n", "count")),
            "span": printer.cell(
                place, "{}–{} kg", ("weight_min", "fixed1"), ("weight_max", "fixed1")
            ),
            "exponent": printer.interval(place, "exponent", "fixed2"),
        },
        metric=metric_label(context.language, place.variable),
        level=percent(rules["confidence_level"]),
    )
