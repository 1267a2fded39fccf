"""Markers against the cells in time: order of peaks, loops and lags (F49)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import (
    axis_title,
    jitter,
    plain,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import GREY, PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_kinetics_and_markers import (
    BEST,
    LAG,
    LOOP,
    ORDER,
    STAGE,
    markers_level,
    related_analyte,
    related_markers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

PER_ROW = 3
INK = "#333333"
ROOM = 3.0
"""Factor that a logarithmic axis reaches beyond the medians of a loop, at least."""

Page = tuple["MatplotlibFigure", pd.DataFrame, list[str]]


@in_figure_style
def draw_kinetics_and_markers(context: Context) -> Figure | NotShown:
    """Days of the peaks, loops of the markers over the cells, correlation over the lag (F49)."""
    printer = Printer(context.results, context.language)
    drawn = {
        "order": _draw_order(context, printer),
        "loops": _draw_loops(context, printer),
        "lags": _draw_lags(context, printer),
    }
    shown = {name: page for name, page in drawn.items() if page is not None}
    pages = list(shown.values())
    if not pages:
        return NotShown("NOTCOLL")
    text = context.language.text
    level = markers_level(context)
    return Figure(
        pages=tuple(page for page, _, _ in pages),
        data=pd.concat([data for _, data, _ in pages], ignore_index=True),
        subjects=printer.subjects,
        value_ids=tuple(value_id for _, _, ids in pages for value_id in ids),
        # A note speaks of a page that is there.
        footnotes=tuple(text(f"figure.note.cells_markers.{name}", level=level) for name in shown),
        analytes=(related_analyte(context),),
        alternative_text=text("figure.kinetics_and_markers.alternative"),
    )


def _draw_order(context: Context, printer: Printer) -> Page | None:
    """A row a marker, a point a subject; the cells above."""
    text = context.language.text
    analyte = related_analyte(context)
    shown = [
        (code, select_curve(context, f"{ORDER}/{code}")) for code in related_markers(context, ORDER)
    ]
    shown = [(code, points) for code, points in shown if len(points)]
    if not shown:
        return None
    widest = max(shown, key=lambda entry: len(entry[1]))
    rows: list[tuple[str, np.ndarray[Any, Any], Place, str]] = [
        (
            text("figure.peak_of_cells", analyte=analyte_label(context, analyte)),
            widest[1]["x"].to_numpy(dtype=float),
            Place(ORDER, widest[0], analyte),
            "cells",
        )
    ]
    shown.sort(key=lambda entry: printer.value(Place(ORDER, entry[0], analyte), "marker").number)
    for code, points in shown:
        place = Place(ORDER, code, analyte)
        extreme = printer.value(place, "extreme").text
        label = text(f"marker.extreme.{extreme}", marker=analyte_label(context, code))
        rows.append((label, points["y"].to_numpy(dtype=float), place, "marker"))
    figure = new_figure(22 + 9.0 * len(rows))
    axes = figure.subplots()
    value_ids: list[str] = []
    for position, (_, days, place, name) in enumerate(rows):
        colour = PALETTE[1] if name == "cells" else PALETTE[0]
        axes.scatter(
            days, position + jitter(days.size, 0.3),
            s=7, color=colour, alpha=0.5, linewidths=0, zorder=2,
        )  # fmt: skip
        ends = [printer.value(place, f"{name}{end}") for end in ("_q1", "", "_q3")]
        low, middle, high = (value.number for value in ends)
        axes.plot([low, high], [position, position], color=INK, linewidth=1.3, zorder=3)
        axes.plot([middle, middle], [position - 0.34, position + 0.34], color=INK, linewidth=1.6)
        value_ids += [value.value_id for value in ends]
    end = max(float(days.max()) for _, days, _, _ in rows)
    use_day_axis(axes, end, 125.0, "sqrt" if end > 60 else "linear")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), labels=[plain(label) for label, *_ in rows])
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(text("figure.days"))
    axes.set_title(plain(text("figure.peak_order")), fontsize=SMALL + 1)
    data = pd.concat(
        [
            pd.DataFrame({"PANEL": "ORDER", "MARKER": code, "SERIES": points["series"],
                          "X": points["x"], "Y": points["y"]})
            for code, points in shown
        ]
    )  # fmt: skip
    return figure, data, value_ids


def _draw_loops(context: Context, printer: Printer) -> Page | None:
    """A panel a marker: median marker over median cells in the order of the days."""
    analyte = related_analyte(context)
    panels = []
    for code in related_markers(context, LOOP):
        points = select_curve(context, f"{LOOP}/{code}")
        if len(points) >= 3:
            panels.append((code, _in_time(points)))
    if not panels:
        return None
    text = context.language.text
    columns = min(PER_ROW, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure = new_figure(14 + 58.0 * lines)
    grid = figure.subplots(lines, columns, squeeze=False)
    parts: list[pd.DataFrame] = []
    value_ids: list[str] = []
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    curves = context.curves
    for axes, (code, points) in zip(grid.flat, panels, strict=False):
        thin = curves.loc[curves["curve_id"].str.startswith(f"{STAGE}.loop_subject/{code}/")]
        _draw_loop(axes, points, thin)
        place = Place(LOOP, code, analyte)
        head = text("figure.loop_head", marker=analyte_label(context, code))
        if printer.value(place, "n").number:
            stats = (("n_clockwise", "count"), ("n", "count"), ("pct_clockwise", "fixed1"))
            share = printer.cell(place, "{}/{} ({}%)", *stats)
            head += "\n" + text("figure.loop_clockwise", share=share.text)
            value_ids += share.value_ids
        axes.set_title(plain(head), fontsize=SMALL)
        axes.set_ylabel(axis_title(analyte_label(context, code), points["y_unit"].iloc[0]))
        axes.set_xlabel(axis_title(analyte_label(context, analyte), points["x_unit"].iloc[0]))
        parts.append(
            pd.DataFrame({"PANEL": "LOOP", "MARKER": code, "SERIES": points["series"],
                          "X": points["x"], "Y": points["y"]})
        )  # fmt: skip
    return figure, pd.concat(parts), value_ids


def _in_time(points: pd.DataFrame) -> pd.DataFrame:
    """Points in the order of their days, which are the series."""
    days = points["series"].astype(float)
    return points.assign(DAY=days).sort_values("DAY", kind="stable", ignore_index=True)


def _draw_loop(axes: Axes, points: pd.DataFrame, thin: pd.DataFrame) -> None:
    from matplotlib.collections import LineCollection

    x, y = points["x"].to_numpy(dtype=float), points["y"].to_numpy(dtype=float)
    segments = [
        _in_time(rows)[["x", "y"]].to_numpy(dtype=float)
        for _, rows in thin.groupby("curve_id", sort=True)
    ]
    axes.add_collection(LineCollection(segments, colors=GREY, linewidths=0.3, alpha=0.3))
    for start, stop in zip(range(x.size - 1), range(1, x.size), strict=True):
        axes.annotate(
            "", xy=(x[stop], y[stop]), xytext=(x[start], y[start]),
            arrowprops={"arrowstyle": "-|>", "color": PALETTE[0], "linewidth": 1.1,
                        "shrinkA": 1.5, "shrinkB": 1.5, "mutation_scale": 6},
        )  # fmt: skip
    axes.plot(x, y, "o", color=PALETTE[0], markersize=3)
    for place, (day, at, height) in enumerate(zip(points["series"], x, y, strict=True)):
        axes.annotate(
            str(day), (at, height), xytext=(2.5, 2.5 if place % 2 == 0 else -7.5),
            textcoords="offset points",
            fontsize=SMALL - 0.5, color=PALETTE[1], zorder=5,
        )  # fmt: skip
    # The axes follow the medians: single subjects range so widely that no loop could be seen.
    for values, everyone, name in ((x, thin["x"], "x"), (y, thin["y"], "y")):
        limits = axes.set_xlim if name == "x" else axes.set_ylim
        if values.min() > 0 and (everyone > 0).all():
            room = max(ROOM, (values.max() / values.min()) ** 0.35)
            low, high = float(values.min()) / room, float(values.max()) * room
            if name == "y":
                use_log_axis(axes, low, high)
            else:
                _use_log_abscissa(axes, low, high)
        else:
            room = max(0.35 * float(np.ptp(values)), 0.5 * float(everyone.std(ddof=0)))
            limits(values.min() - room, values.max() + room)
    axes.tick_params(labelsize=SMALL)


def _use_log_abscissa(axes: Axes, low: float, high: float) -> None:
    """Log10 axis of the cells: labels at decades alone, at least one whole decade."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if math.floor(math.log10(high)) - math.ceil(math.log10(low)) < 1:
        low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_lags(context: Context, printer: Printer) -> Page | None:
    """A panel a marker: correlation within subjects over the lag."""
    analyte = related_analyte(context)
    panels = []
    for code in related_markers(context, LAG):
        points = select_curve(context, f"{LAG}/{code}")
        if len(points) >= 2:
            panels.append((code, points))
    if not panels:
        return None
    text = context.language.text
    columns = min(PER_ROW, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure = new_figure(14 + 50.0 * lines)
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    parts: list[pd.DataFrame] = []
    value_ids: list[str] = []
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (code, points) in zip(grid.flat, panels, strict=False):
        x, y, low, high = (points[name].to_numpy(dtype=float) for name in ("x", "y", "low", "high"))
        axes.fill_between(x, low, high, color=PALETTE[0], alpha=0.18, linewidth=0)
        axes.plot(x, y, "o-", color=PALETTE[0], markersize=3, linewidth=1.2)
        axes.axhline(0, color=INK, linewidth=0.7)
        axes.axvline(0, color=INK, linewidth=0.7, linestyle=":")
        best = Place(BEST, code, analyte, {"sign": "ABSOLUTE"})
        lag = printer.value(best, "lag")
        axes.plot(
            [lag.number], [printer.value(best, "rho").number], "o",
            color=PALETTE[1], markersize=6, markerfacecolor="none", markeredgewidth=1.3,
        )  # fmt: skip
        value_ids.append(lag.value_id)
        axes.set_ylim(-1.03, 1.03)
        axes.set_title(plain(analyte_label(context, code)), fontsize=SMALL + 0.5)
        axes.set_xlabel(text("figure.lag_axis"))
        parts.append(
            pd.DataFrame({"PANEL": "LAG", "MARKER": code, "SERIES": "", "X": x, "Y": y,
                          "LOW": low, "HIGH": high})
        )  # fmt: skip
    for axes in grid[:, 0]:
        axes.set_ylabel(text("figure.rho_within"))
    return figure, pd.concat(parts), value_ids
