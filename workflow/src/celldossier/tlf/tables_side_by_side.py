"""Kinetics, markers and outcomes before and after a change, side by side (table 80c)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.pd_parameters import find_pd_parameter
from celldossier.tlf.cells import Place, Printer, footnote_if, heading, interval
from celldossier.tlf.comparability_parts import (
    COUNT,
    RATIO,
    comparison_name,
    group_name,
    levels,
    list_analytes,
    list_approaches,
    list_groups,
    nothing_compared,
)
from celldossier.tlf.labels import analyte_label, level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

EXPOSURE = "comparability.exposure"
TIME = "comparability.time_ratio"
MARKER = "comparability.marker"
OUTCOME = "comparability.outcome"
RISK = "comparability.risk"
OUTCOMES = ("RESPONSE", "CRS", "CRSGE3", "ICANS", "ICANSGE3")


def draw_side_by_side(context: Context) -> Table | NotShown:
    """A column a group with N in each cell, then difference and ratio of each changed group."""
    language = context.language
    text, printer = language.text, Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    groups = list_groups(context, printer)
    rows = [
        *_kinetics(context, printer, groups),
        *_markers(context, printer, groups),
        *_outcomes(context, printer, groups),
    ]
    rules, words = context.settings["comparability"], levels(context)
    columns = [Column(text("column.characteristic"), align="left", width="24%")]
    for group in groups:
        n = printer.cell(Place(COUNT, "USUBJID", by={"group": group}), "{}", ("n", "count"))
        name = group_name(language, group, rules["by"])
        label = text("column.group_n", group=name, n=n.text)
        columns.append(Column(label, value_ids=n.value_ids))
    for group in groups[1:]:
        above = comparison_name(context, group, groups[0])
        columns.append(Column(text("change.difference", **words), group=above))
        columns.append(Column(text("change.ratio_head", **words), group=above))
    few = any("[" in cell.text and ";" in cell.text for row in rows for cell in row.cells)
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(
        tuple(columns), tuple(rows), printer.subjects, tuple(notes), tuple(list_analytes(context))
    )


def _kinetics(context: Context, printer: Printer, groups: Sequence[str]) -> list[Row]:
    text, rules = context.language.text, context.settings["comparability"]
    rows: list[Row] = []
    for analyte in list_analytes(context):
        for approach in list_approaches(context, analyte):
            name = text(
                "change.kinetics_of",
                analyte=analyte_label(context, analyte),
                approach=text(f"change.approach.{approach}"),
            )
            rows.append(heading(name))
            for parameter in (*rules["metrics"], *rules["times"]):
                time = parameter in rules["times"]
                places = [
                    Place(EXPOSURE, parameter, analyte, {"approach": approach, "group": group})
                    for group in groups
                ]
                cells = [_block(printer, place, median=time) for place in places]
                for group in groups[1:]:
                    by = {"approach": approach, "group": group}
                    found = (
                        Place(TIME, parameter, analyte, by)
                        if time
                        else Place(RATIO, parameter, analyte, {**by, "model": "UNADJUSTED"})
                    )
                    cells.append(printer.blank())
                    cells.append(_ratio(printer, found, "ratio" if time else "gmr"))
                unit = next((u for p in places if (u := printer.value(p, "median").unit)), "")
                label = with_unit(metric_label(context.language, parameter), unit)
                rows.append(Row((Cell(label), *cells), indent=1))
    return rows


def _markers(context: Context, printer: Printer, groups: Sequence[str]) -> list[Row]:
    text = context.language.text
    rows: list[Row] = []
    for marker in context.settings["comparability"]["markers"]:
        found = context.results.select(MARKER)
        own = found[(found["variable"] == marker["analyte"]) & (found["stat_name"] == "n")]
        own = own[own["level2"] == marker["parameter"]]
        for specimen in sorted(set(own["level3"])):
            by = {"parameter": marker["parameter"], "specimen": specimen}
            places = [Place(MARKER, marker["analyte"], by={**by, "group": g}) for g in groups]
            cells = [_block(printer, place) for place in places]
            for place in places[1:]:
                cells += [printer.blank(), _ratio(printer, place.of(f"{MARKER}_ratio"), "gmr")]
            unit = next((u for p in places if (u := printer.value(p, "median").unit)), "")
            label = text(
                "change.marker",
                marker=analyte_label(context, marker["analyte"]),
                parameter=_parameter_name(context, marker["parameter"]),
                specimen=level_label(context.language, "aspec", specimen),
            )
            rows.append(Row((Cell(with_unit(label, unit)), *cells), indent=1))
    return [heading(text("change.markers")), *rows] if rows else []


def _parameter_name(context: Context, code: str) -> str:
    parameter = find_pd_parameter(code)
    return context.language.label({"en": parameter.en, "zh": parameter.zh})


def _outcomes(context: Context, printer: Printer, groups: Sequence[str]) -> list[Row]:
    text = context.language.text
    rows = [heading(text("change.outcomes", **levels(context)))]
    for name in OUTCOMES:
        places = [Place(OUTCOME, name, by={"group": group}) for group in groups]
        cells = [_share(printer, place) for place in places]
        for place in places[1:]:
            risk = place.of(RISK)
            cells.append(printer.cell(risk, "{} ({}, {})", *interval("rd", "fixed1")))
            cells.append(printer.cell(risk, "{} ({}, {})", *interval("rr", "ratio")))
        rows.append(Row((Cell(text(f"special.{name}")), *cells), indent=1))
    return rows


def _block(printer: Printer, place: Place, *, median: bool = False) -> Cell:
    """Geometric mean (CV, %) or median (range), with n; few values are listed."""
    if printer.few(place):
        return printer.listed(place)
    n = ("n", "count")
    if median:
        stats = (("median", "significant"), ("min", "significant"), ("max", "significant"), n)
        return printer.cell(place, "{} ({}, {}) [{}]", *stats)
    return printer.cell(place, "{} ({}) [{}]", ("geomean", "significant"), ("gcv", "integer"), n)


def _ratio(printer: Printer, place: Place, name: str) -> Cell:
    if not printer.exists(place, name):
        return printer.blank()
    return printer.cell(place, "{} ({}, {})", *interval(name, "ratio"))


def _share(printer: Printer, place: Place) -> Cell:
    if printer.value(place, "pct").note_code:
        return printer.cell(place, "{}", ("pct", "fixed1"))
    stats = (("n", "count"), ("denominator", "count"), ("pct", "fixed1"))
    return printer.cell(
        place, "{}/{} ({}) [{}, {}]", *stats, ("ci_low", "fixed1"), ("ci_high", "fixed1")
    )
