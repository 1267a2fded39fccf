"""Peaks of the markers by the worst grade of an adverse event (F46)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.terms.language import format_count
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import (
    axis_title,
    jitter,
    outside_legend,
    plain,
    use_log_axis,
)
from celldossier.tlf.figures_boxes import MEDIAN, Box, draw_boxes, read_box
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import analyte_label, equal_to
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_kinetics_and_markers import STAGE, related_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRADE, GRADE_TREND = f"{STAGE}.grade_peak", f"{STAGE}.grade_peak_trend"
GRADES_PER_PAGE = 4


@in_figure_style
def draw_marker_by_grade(context: Context) -> Figure | NotShown:
    """Peak of each marker by the worst grade of each event, four markers a page (F46)."""
    results = context.results
    events = [e for e in ("CRS", "ICANS") if e in results.levels(GRADE_TREND, "event")]
    markers = related_markers(context, GRADE_TREND)
    if not events or not markers:
        return NotShown("NOTCOLL")
    printer = Printer(results, context.language)
    pages, parts, value_ids = [], [], []
    for start in range(0, len(markers), GRADES_PER_PAGE):
        chosen = markers[start : start + GRADES_PER_PAGE]
        figure = new_figure(12 + 47.0 * len(chosen))
        grid = figure.subplots(len(chosen), len(events), squeeze=False)
        for line, code in enumerate(chosen):
            for column, event in enumerate(events):
                points = select_curve(context, f"{GRADE}/{code}/{event}")
                value_ids += _draw_grades(context, printer, grid[line][column], code, event, points)
                parts.append(
                    pd.DataFrame({"MARKER": code, "EVENT": event, "USUBJID": points["series"],
                                  "GRADE": points["x"], "VALUE": points["y"],
                                  "UNIT": points["y_unit"]})
                )  # fmt: skip
        outside_legend(figure, _grade_legend(context), columns=2)
        pages.append(figure)
    text = context.language.text
    notes, unknown_ids = _note_unknown_grades(context, printer, events, markers)
    return Figure(
        pages=tuple(pages),
        data=pd.concat(parts, ignore_index=True),
        subjects=printer.subjects,
        value_ids=(*value_ids, *unknown_ids),
        footnotes=(text("figure.note.boxes"), *notes),
        alternative_text=text("figure.marker_by_grade.alternative"),
    )


def _note_unknown_grades(
    context: Context, printer: Printer, events: Sequence[str], markers: Sequence[str]
) -> tuple[list[str], list[str]]:
    """A footnote for each event with subjects whose grade is not known, and its identifier.

    The number is that of the marker with the most of them: each marker has its own subjects.
    """
    text = context.language.text
    notes: list[str] = []
    value_ids: list[str] = []
    for event in events:
        blocks = [Place(GRADE_TREND, code, "", {"event": event}) for code in markers]
        found = [printer.value(b, "n_unwatched") for b in blocks if printer.exists(b)]
        most = max(found, key=lambda value: value.number)
        if most.number > 0:
            grade = text(f"figure.worst_grade.{event}GR")
            notes.append(text("figure.note.open_grades", grade=grade, n=format_count(most.number)))
            value_ids.append(most.value_id)
    return notes, value_ids


def _draw_grades(
    context: Context, printer: Printer, axes: Axes, code: str, event: str, points: pd.DataFrame
) -> list[str]:
    """One panel; gives the identifiers of what it prints."""
    text = context.language.text
    value_ids: list[str] = []
    if points.empty:
        # Nobody has both the marker and a known grade.
        axes.set_axis_off()
        return value_ids
    found = natural_order(f"{grade:g}" for grade in points["x"].unique())
    labels: list[str] = []
    boxes: list[Box] = []
    for position, grade in enumerate(found):
        block = Place(GRADE, code, "", {"event": event, "grade": grade})
        count = printer.cell(block, "{}", ("n", "count"))
        value_ids += count.value_ids
        labels.append(f"{grade}\nn = {count.text}")
        values = points.loc[points["x"] == float(grade), "y"].to_numpy(dtype=float)
        axes.scatter(
            position + jitter(values.size, 0.22), values,
            s=7, color=PALETTE[0], alpha=0.6, linewidths=0, zorder=3,
        )  # fmt: skip
        if not printer.few(block):
            boxes.append(read_box(printer, block, position))
    draw_boxes(axes, boxes)
    if (points["y"] > 0).all():
        use_log_axis(axes, float(points["y"].min()), float(points["y"].max()))
    trend = Place(GRADE_TREND, code, "", {"event": event})
    p, q = (printer.cell(trend, "{}", (stat, "p")) for stat in ("p", "q"))
    value_ids += [*p.value_ids, *q.value_ids]
    head = text("figure.grade_trend", p=equal_to(p.text), q=equal_to(q.text))
    axes.set_title(plain(head) if not p.reasons else "", fontsize=SMALL)
    axes.set_xticks(range(len(found)), labels=labels, fontsize=SMALL)
    axes.set_xlim(-0.6, len(found) - 0.4)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(text(f"figure.worst_grade.{event}GR"))
    axes.set_ylabel(axis_title(analyte_label(context, code), str(points["y_unit"].iloc[0])))
    return value_ids


def _grade_legend(context: Context) -> list[Any]:
    from matplotlib.lines import Line2D

    text = context.language.text
    return [
        Line2D(
            [], [], color=PALETTE[0], marker="o", linestyle="none", markersize=3.5,
            label=text("figure.subject"),
        ),
        Line2D([], [], label=text("figure.median"), **MEDIAN),
    ]  # fmt: skip
