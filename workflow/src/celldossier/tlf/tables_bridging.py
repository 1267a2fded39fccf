"""Table of the bridge between the versions of an assay (80a)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import analyte_label, percent, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

VERSION = "cellular_kinetics.assay_version"
BRIDGE = "cellular_kinetics.bridge"
FIT = "cellular_kinetics.bridge_fit"
USE = "cellular_kinetics.bridge_use"
VARIABLE = "CONC"


def list_bridges(context: Context, analyte: str) -> list[Place]:
    """The bridges of an analyte, by the version that is bridged."""
    rows = context.results.select(BRIDGE)
    versions = natural_order(set(rows.loc[rows["analyte"] == analyte, "level1"]))
    place = Place(BRIDGE, VARIABLE, analyte)
    return [place.within(version=version) for version in versions]


def list_bridged_analytes(context: Context) -> list[str]:
    """Analytes that several versions measured, or whose samples two versions measured."""
    return sorted({code for name in (VERSION, BRIDGE) for code in context.results.analytes(name)})


def draw_assay_bridging(context: Context) -> Table | NotShown:
    """Versions of each assay, the pairs and the estimates of each bridge, and its use."""
    text, printer = context.language.text, Printer(context.results, context.language)
    analytes = list_bridged_analytes(context)
    if not analytes:
        return NotShown("ONEVERSN")
    rows: list[Row] = []
    for analyte in analytes:
        rows.append(heading(analyte_label(context, analyte)))
        rows.extend(_version_rows(context, printer, analyte))
        bridges = list_bridges(context, analyte)
        for place in bridges:
            rows.extend(_bridge_rows(context, printer, place))
        if not bridges:
            rows.append(_row(text("bridge.verdict"), Cell(text("bridge.verdict.NONE"))))
        rows.extend(_use_rows(context, printer, analyte))
    columns = (
        Column(text("column.statistic"), align="left", width="58%"),
        Column(text("column.value"), width="42%"),
    )
    return Table(columns, tuple(rows), printer.subjects, (), tuple(analytes))


def _version_rows(context: Context, printer: Printer, analyte: str) -> list[Row]:
    """What each version measured, and its limit as it is and on the scale."""
    text = context.language.text
    found = context.results.select(VERSION)
    versions = natural_order(set(found.loc[found["analyte"] == analyte, "level1"]))
    rows: list[Row] = []
    for version in versions:
        place = Place(VERSION, VARIABLE, analyte).within(version=version)
        unit = printer.value(place, "lloq").unit
        rows += [
            _row(
                text("bridge.version", version=version or text("label.missing")),
                printer.cell(place, "{}; {}", ("method", "count"), ("laboratory", "count")),
            ),
            _row(
                text("bridge.subjects"),
                printer.cell(place, "{}; {}", ("n", "count"), ("n_samples", "count")),
                indent=1,
            ),
            *(
                _row(
                    with_unit(text(f"bridge.{stat}"), unit),
                    printer.cell(place, "{}", (stat, "significant")),
                    indent=1,
                )
                for stat in ("lloq", "lloq_scaled")
            ),
        ]
    return rows


def _bridge_rows(context: Context, printer: Printer, place: Place) -> list[Row]:
    text = context.language.text
    names = {
        "first": place.by["version"],
        "second": printer.value(place, "target").text,
        "level": percent(context.settings["cellular_kinetics"]["bridging"]["confidence_level"]),
    }
    head = printer.cell(place, "{} ({})", ("n_pairs", "count"), ("n", "count"))
    rows = [
        _row(text("bridge.pairs", **names), head),
        _row(text("bridge.used"), printer.cell(place, "{}", ("n_used", "count")), indent=1),
    ]
    for stat in ("n_pairblq", "n_alq", "n_unpaired"):
        if printer.value(place, stat).number > 0:
            cell = printer.cell(place, "{}", (stat, "count"))
            rows.append(_row(text(f"bridge.{stat}"), cell, indent=1))
    fit = place.of(FIT)
    verdict = printer.value(fit, "verdict")
    rows += [
        _row(text("bridge.ratio", **names), printer.interval(fit, "ratio", "fixed2"), indent=1),
        _row(text("bridge.slope", **names), printer.interval(fit, "slope", "fixed2"), indent=1),
        _row(
            text("bridge.verdict"),
            Cell(text(f"bridge.verdict.{verdict.text}"), (verdict.value_id,)),
            indent=1,
        ),
    ]
    return rows


def _use_rows(context: Context, printer: Printer, analyte: str) -> list[Row]:
    place = Place(USE, VARIABLE, analyte)
    if not printer.exists(place, "n_target"):
        return []
    text = context.language.text
    counts = [
        _row(text(f"bridge.{stat}"), printer.cell(place, "{}", (stat, "count")))
        for stat in ("n_target", "n_bridged", "n_left")
    ]
    limit = printer.cell(place, "{}", ("lloq_high", "significant"))
    unit = printer.value(place, "lloq_high").unit
    return [*counts, _row(with_unit(text("bridge.lloq_high"), unit), limit)]


def _row(label: str, cell: Cell, indent: int = 0) -> Row:
    return Row((Cell(label), cell), indent=indent)
