"""Figures of the target cells beside the product's cells, and of the subsets (F41, F47)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from celldossier.tlf.figures_axes import (
    axis_title,
    place_axes,
    plain,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import curve_data, select_curve
from celldossier.tlf.labels import analyte_label, level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import GREY, PAGE_WIDTH, PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_target_cells import recovery_limit

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COURSE = "pharmacodynamics.target_cells_course"
KINETICS = "pharmacodynamics.target_cells_kinetics"
SUBSETS = "pharmacodynamics.subsets_course"
PANELS = ("total", "RESPONDER", "NONRESPONDER")
LEAST = 3
"""Subjects below which a group has no panel."""


@in_figure_style
def draw_target_cell_course(context: Context) -> Figure | NotShown:
    """Median of the product's cells (left axis) and of the target cells (right axis) by day (F41).

    A panel for all subjects and for each group of response with subjects enough.
    """
    settings = context.settings["pharmacodynamics"]
    marker, analyte = settings["target_cells"]["marker"], settings["analyte"]
    if not marker:
        return NotShown("NOTAPPL")
    cells = select_curve(context, f"{COURSE}/{marker}")
    product = select_curve(context, f"{KINETICS}/{analyte}")
    if cells.empty or product.empty:
        return NotShown("NOTCOLL")
    series = [
        name
        for name in PANELS
        if cells.loc[cells["series"] == name, "n"].max() >= LEAST
        and (product["series"] == name).any()
    ]
    if not series:
        return NotShown("FEWSUBJ")
    cells, product = (rows[rows["series"].isin(series)] for rows in (cells, product))
    top, panel, gap, bottom, left, right = 13.0, 44.0, 7.0, 11.0, 17.0, 17.0
    figure = new_figure(top + bottom + len(series) * panel + (len(series) - 1) * gap, layout=None)
    wide = PAGE_WIDTH - left - right
    end = max(float(rows["x"].max()) for rows in (cells, product))
    text = context.language.text
    for place, name in enumerate(series):
        up = bottom + (len(series) - 1 - place) * (panel + gap)
        axes = place_axes(figure, left, up, wide, panel)
        other = axes.twinx()
        for own, data, colour, sign, style in (
            (axes, product, PALETTE[0], "o", "-"),
            (other, cells, PALETTE[1], "s", "--"),
        ):
            _draw_course(own, data[data["series"] == name], colour, sign, style)
            use_log_axis(own, *_positive_range(data))
            own.tick_params(axis="y", colors=colour, which="both")
        for limit in _limits(context):
            other.axhline(limit, color=PALETTE[1], linewidth=0.7, linestyle=":")
        use_day_axis(axes, end, wide, "sqrt")
        count = int(cells.loc[cells["series"] == name, "n"].max())
        title = text("label.total") if name == "total" else _response(context, name)
        axes.set_title(plain(text("column.group_n", group=title, n=count)))
        axes.set_ylabel(_title(context, analyte, product), color=PALETTE[0])
        other.set_ylabel(_title(context, marker, cells), color=PALETTE[1])
        other.grid(False)
        if name == series[-1]:
            axes.set_xlabel(text("figure.days"))
        else:
            axes.tick_params(axis="x", labelbottom=False)
    figure.legend(handles=_legend(context, analyte, marker), loc="upper center", ncols=3)
    both = [curve_data(rows).assign(ANALYTE=code) for code, rows in _named(context, cells, product)]
    total = int(cells.loc[cells["series"] == series[0], "n"].max())
    return Figure(
        pages=(figure,),
        data=pd.concat(both, ignore_index=True),
        subjects=total,
        footnotes=(text("figure.note.target_course"),),
        analytes=(analyte, marker),
        alternative_text=text(
            "figure.target_course.alternative",
            analyte=analyte_label(context, analyte),
            marker=analyte_label(context, marker),
            total=total,
        ),
    )


def _named(
    context: Context, cells: pd.DataFrame, product: pd.DataFrame
) -> list[tuple[str, pd.DataFrame]]:
    settings = context.settings["pharmacodynamics"]
    return [(settings["analyte"], product), (settings["target_cells"]["marker"], cells)]


def _response(context: Context, level: str) -> str:
    return level_label(context.language, "response", level)


def _title(context: Context, code: str, rows: pd.DataFrame) -> str:
    return axis_title(analyte_label(context, code), str(rows["y_unit"].iloc[0]))


def _limits(context: Context) -> list[float]:
    settings = context.settings["pharmacodynamics"]["target_cells"]
    limits = {float(settings["threshold"]), recovery_limit(settings)}
    return sorted(limit for limit in limits if limit > 0)


def _positive_range(rows: pd.DataFrame) -> tuple[float, float]:
    """Range of all that is drawn on a logarithmic axis."""
    values = pd.concat([rows["low"], rows["y"], rows["high"]])
    values = values[values > 0]
    return (float(values.min()), float(values.max())) if len(values) else (1.0, 10.0)


def _draw_course(axes: Axes, rows: pd.DataFrame, colour: str, sign: str, style: str) -> None:
    shown = rows[rows["y"] > 0]
    axes.fill_between(
        shown["x"],
        shown["low"].where(shown["low"] > 0),
        shown["high"],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )
    axes.plot(shown["x"], shown["y"], color=colour, marker=sign, markersize=3, linestyle=style)


def _legend(context: Context, analyte: str, marker: str) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    return [
        Line2D(
            [],
            [],
            color=PALETTE[0],
            marker="o",
            markersize=3,
            label=plain(analyte_label(context, analyte)),
        ),
        Line2D(
            [],
            [],
            color=PALETTE[1],
            marker="s",
            markersize=3,
            linestyle="--",
            label=plain(analyte_label(context, marker)),
        ),
        Line2D(
            [],
            [],
            color=PALETTE[1],
            linewidth=0.7,
            linestyle=":",
            label=text("figure.target_course.limit"),
        ),
    ]


@in_figure_style
def draw_subset_course(context: Context) -> Figure | NotShown:
    """Median and quartiles of each subset and of the CD4 to CD8 ratio by planned day (F47)."""
    settings = context.settings["pharmacodynamics"]["target_cells"]
    curves = {code: select_curve(context, f"{SUBSETS}/{code}") for code in settings["subsets"]}
    curves["RATIO"] = select_curve(context, f"{SUBSETS}/RATIO")
    curves = {code: rows for code, rows in curves.items() if len(rows)}
    if not curves:
        return NotShown("NOTCOLL")
    text = context.language.text
    columns = min(2, len(curves))
    lines = math.ceil(len(curves) / columns)
    left, between, panel, gap, bottom, top = 16.0, 20.0, 40.0, 12.0, 11.0, 7.0
    figure = new_figure(top + bottom + lines * panel + (lines - 1) * gap, layout=None)
    wide = (PAGE_WIDTH - left - 3 - (columns - 1) * between) / columns
    end = max(float(rows["x"].max()) for rows in curves.values())
    for place, (code, rows) in enumerate(curves.items()):
        row, column = divmod(place, columns)
        axes = place_axes(
            figure,
            left + column * (wide + between),
            bottom + (lines - 1 - row) * (panel + gap),
            wide,
            panel,
        )
        axes.fill_between(
            rows["x"], rows["low"], rows["high"], color=PALETTE[0], alpha=0.18, linewidth=0
        )
        axes.plot(rows["x"], rows["y"], color=PALETTE[0], marker="o", markersize=3)
        if code == "RATIO":
            axes.axhline(1, color=GREY, linewidth=0.7, linestyle=":")
        axes.set_title(plain(_subset_name(context, code)))
        axes.set_ylabel(axis_title(text("figure.subset.value"), str(rows["y_unit"].iloc[0])))
        axes.set_ylim(bottom=0)
        use_day_axis(axes, end, wide, "sqrt")
        if row == lines - 1 or place + columns >= len(curves):
            axes.set_xlabel(text("figure.days"))
    data = [curve_data(rows).assign(ANALYTE=code) for code, rows in curves.items()]
    total = int(max(rows["n"].max() for rows in curves.values()))
    return Figure(
        pages=(figure,),
        data=pd.concat(data, ignore_index=True),
        subjects=total,
        footnotes=(text("figure.note.subset_course"),),
        analytes=tuple(code for code in curves if code != "RATIO"),
        alternative_text=text("figure.subset_course.alternative", total=total),
    )


def _subset_name(context: Context, code: str) -> str:
    if code != "RATIO":
        return analyte_label(context, code)
    names = context.settings["pharmacodynamics"]["target_cells"]["ratio"]
    first, second = (analyte_label(context, name) for name in names)
    return context.language.text("subset.ratio", numerator=first, denominator=second)
