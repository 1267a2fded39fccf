"""Exposure, events and response over the proposed dose range, in three panels (82)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import (
    axis_title,
    fitting_columns,
    outside_legend,
    plain,
    short_number,
    use_log_axis,
)
from celldossier.tlf.labels import analyte_label, level_label, parameter_symbol
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import MARKERS, PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_dose_levels import (
    EXPOSURE,
    LEVEL,
    level_settings,
    order_doses,
    percent_level,
    shown_metrics,
)
from celldossier.tlf.tables_safety import event_label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@in_figure_style
def draw_level_panels(context: Context) -> Figure | NotShown:
    """Exposure, events and response over the planned dose, each with its interval (82)."""
    text = context.language.text
    printer = Printer(context.results, context.language)
    doses = order_doses(context)
    if not doses:
        return NotShown("NOTCOLL")
    settings = level_settings(context)
    analyte = str(context.settings["dose_exploration"]["analyte"])
    places, unit = _dose_places(printer, doses)
    figure = new_figure(86)
    panels = figure.subplots(1, 3)
    records: list[dict[str, object]] = []
    handles: list[Artist] = []
    metrics = shown_metrics(context, printer)
    if metrics:
        block = Place(EXPOSURE, metrics[0], analyte, {"population": "ALL"})
        stats = ("geomean", "ci_low", "ci_high")
        points = _points(printer, block, doses, stats, metrics[0], records)
        low = float(np.nanmin(points)) if np.isfinite(points).any() else 1.0
        high = float(np.nanmax(points)) if np.isfinite(points).any() else 10.0
        _draw_points(panels[0], places, points, 0, 0)
        use_log_axis(panels[0], low, high)
        exposure_unit = printer.value(block, "median").unit
        panels[0].set_ylabel(axis_title(parameter_symbol(metrics[0]), exposure_unit))
    else:
        panels[0].set_axis_off()
    series = [(event, grade) for event in settings["events"][:1] for grade in ("ANY", "SEVERE")]
    rates = ("pct", "ci_low", "ci_high")
    for number, (event, grade) in enumerate(series):
        block = Place("dose_exploration.overview_event", event, by={"grade": grade})
        points = _points(printer, block, doses, rates, f"{event} {grade}", records)
        label = text(
            f"overview.grade.{grade}",
            event=event_label(context.language, event),
            grade=settings["severe_from"],
        )
        handles.append(_draw_points(panels[1], places, points, number, len(series), label))
    block = Place("dose_exploration.overview_rate", "ORR")
    points = _points(printer, block, doses, rates, "ORR", records)
    _draw_points(panels[2], places, points, 0, 0)
    for axes in panels[1:]:
        axes.set_ylim(-3, 103)
    panels[1].set_ylabel(text("figure.level_panels.events"))
    panels[2].set_ylabel(text("figure.level_panels.response"))
    _label_doses(panels, context, doses, places, unit)
    outside_legend(figure, handles, columns=fitting_columns(handles, 7.5, most=2))
    data = pd.DataFrame(records)
    shown = data.dropna(subset=["VALUE"])
    subjects = sum(
        printer.value(Place("dose_exploration.overview", "SUBJECTS", by={"dose": d}), "n").number
        for d in doses
    )
    return Figure(
        pages=(figure,),
        data=data.drop(columns="VALUE_IDS"),
        subjects=int(subjects),
        value_ids=tuple(i for ids in shown["VALUE_IDS"] for i in ids),
        footnotes=(text("figure.note.level_panels", level=percent_level(context)),),
        analytes=(analyte,) if metrics else (),
        alternative_text=text(
            "figure.level_panels.alternative", analyte=analyte_label(context, analyte)
        ),
    )


def _dose_places(printer: Printer, doses: Sequence[str]) -> tuple[list[float], str]:
    """Places of the levels: log10 of the planned dose where all are known and differ."""
    values = [printer.value(Place(LEVEL, "DOSEP", by={"dose": d}), "planned") for d in doses]
    planned = [value.number for value in values]
    if all(math.isfinite(x) and x > 0 for x in planned) and len(set(planned)) == len(planned):
        return [math.log10(x) for x in planned], values[0].unit
    return [float(k) for k in range(len(doses))], ""


def _points(
    printer: Printer,
    block: Place,
    doses: Sequence[str],
    stats: Sequence[str],
    series: str,
    records: list[dict[str, object]],
) -> np.ndarray:
    """Value, lower and upper limit of each level, shape (levels, 3)."""
    rows = []
    for dose in doses:
        values = [printer.value(block.within(dose=dose), stat) for stat in stats]
        rows.append([value.number for value in values])
        records.append(
            {
                "SERIES": series,
                "DOSE": dose,
                "VALUE": values[0].number,
                "LOW": values[1].number,
                "HIGH": values[2].number,
                "N": values[0].n,
                "UNIT": values[0].unit,
                "REASON": values[0].note_code,
                "VALUE_IDS": [value.value_id for value in values],
            }
        )
    return np.array(rows, dtype=float)


def _draw_points(
    axes: Axes,
    places: Sequence[float],
    points: np.ndarray,
    number: int,
    count: int,
    label: str = "",
) -> Artist:
    """Points with bars, those of several series side by side."""
    span = (max(places) - min(places)) or 1.0
    shift = (number - (count - 1) / 2) * 0.05 * span if count else 0.0
    value, low, high = points.T
    container = axes.errorbar(
        np.asarray(places) + shift,
        value,
        yerr=[value - low, high - value],
        fmt=MARKERS[number],
        color=PALETTE[number],
        markersize=4.5,
        linewidth=1.0,
        capsize=2.5,
        label=plain(label),
    )
    from matplotlib.lines import Line2D

    del container
    return Line2D(
        [], [], marker=MARKERS[number], color=PALETTE[number], linewidth=1.0, label=plain(label)
    )


def _label_doses(
    panels: Sequence[Axes],
    context: Context,
    doses: Sequence[str],
    places: Sequence[float],
    unit: str,
) -> None:
    names = [plain(level_label(context.language, "dose", dose)) for dose in doses]
    if unit:
        names = [
            f"{name}\n{short_number(10**place)}" for name, place in zip(names, places, strict=True)
        ]
    room = 0.15 * ((max(places) - min(places)) or 2.0)
    title = context.language.text("figure.level_panels.axis")
    for axes in panels:
        axes.set_xticks(list(places), labels=names)
        axes.set_xlim(min(places) - room, max(places) + room)
        axes.grid(axis="x", visible=False)
    panels[1].set_xlabel(axis_title(title, unit) if unit else title)
