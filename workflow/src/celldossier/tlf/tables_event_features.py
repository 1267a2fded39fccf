"""Table of CRS and ICANS in groups of exposure (T64)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.labels import level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_safety import event_label

FEATURES = "exposure_response.event_features"
EVENTS = ("CRS", "ICANS")
GRADES = (1, 2, 3, 4, 5)
TREATMENTS = ("toci", "steroid")


def draw_event_features(context: Context) -> Table | NotShown:
    """Grade, onset, duration and treatment of CRS and ICANS, a group of exposure a column.

    The option ``metric`` is the exposure metric.
    """
    language, text = context.language, context.language.text
    analyte = exposure_analyte(context)
    metric = str(context.options["metric"])
    found = context.results.select(FEATURES)
    # Keys of the results are sorted by name: bin, metric.
    bins = sorted(set(found.loc[found["level2"] == metric, "level1"]) - {"ALL"})
    if found.empty or metric not in set(found["level2"]):
        return NotShown("NOGRPASK")
    printer = Printer(context.results, language)
    levels = [*bins, "ALL"]
    rows: list[Row] = []
    for event in EVENTS:
        places = [
            Place(FEATURES, event, analyte, {"metric": metric, "bin": level}) for level in levels
        ]
        rows.append(heading(event_label(language, event)))
        rows += _event_rows(context, printer, places)
    first = Place(FEATURES, EVENTS[0], analyte, {"metric": metric})
    unit = printer.value(first.within(bin="ALL"), "exposure_min").unit
    title = with_unit(metric_label(language, metric), unit)
    columns = [Column("", align="left", width="30%")]
    for level in levels:
        place = first.within(bin=level)
        span = printer.cell(
            place, "{}–{}", ("exposure_min", "significant"), ("exposure_max", "significant")
        )
        label = text(
            "label.exposure_point", name=level_label(language, "bin", level), value=span.text
        )
        columns.append(
            Column(
                label, group=text("column.exposure_group", metric=title), value_ids=span.value_ids
            )
        )
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=(analyte,))


def _event_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    text = context.language.text
    shown_grades = [
        grade
        for grade in GRADES
        if grade < 5 or any(printer.value(place, "n_grade5").number > 0 for place in places)
    ]
    lines: list[tuple[str, str, tuple[tuple[str, str], ...], int]] = [
        (text("label.features.known"), "{}/{}", (("n_known", "count"), ("n", "count")), 0),
        (
            text("label.features.event"),
            "{} ({})",
            (("n_event", "count"), ("pct_event", "fixed1")),
            0,
        ),
        *(
            (
                text("label.features.grade", grade=grade),
                "{} ({})",
                ((f"n_grade{grade}", "count"), (f"pct_grade{grade}", "fixed1")),
                1,
            )
            for grade in shown_grades
        ),
    ]
    for what in ("onset", "duration"):
        block = tuple((f"{what}_{stat}", "fixed1") for stat in ("median", "min", "max"))
        lines += [
            (text(f"label.features.{what}"), "{} ({}, {})", block, 0),
            (text("label.features.unknown"), "{}", ((f"{what}_unknown", "count"),), 1),
        ]
    lines += [
        (
            text(f"label.features.{name}"),
            "{} ({})",
            ((f"n_{name}", "count"), (f"pct_{name}", "fixed1")),
            0,
        )
        for name in TREATMENTS
    ]
    return [
        Row(
            (Cell(label), *(printer.cell(place, pattern, *stats) for place in places)),
            indent=indent,
        )
        for label, pattern, stats, indent in lines
    ]
