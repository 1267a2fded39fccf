"""Figure of calibration: observed rates against predicted probabilities (F56b)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import outside_legend, plain
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import endpoint_label, metric_label, percent
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_sensitivity import primary_pairs

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

EVALUATION = "exposure_response.evaluation"
CALIBRATION = "exposure_response.calibration"
ACROSS = 3


@in_figure_style
def draw_calibration(context: Context) -> Figure | NotShown:
    """Observed rates of groups by predicted probability, a panel a primary model.

    The line is the calibration that the bootstrap expects among other subjects.
    """
    pairs = primary_pairs(context, EVALUATION)
    curves = {pair: select_curve(context, f"{CALIBRATION}/{pair[0]}/{pair[1]}") for pair in pairs}
    shown = [pair for pair in pairs if len(curves[pair])]
    if not shown:
        return NotShown(_reason(context, pairs))
    rows = math.ceil(len(shown) / ACROSS)
    figure = new_figure(66 * rows + 12)
    grid = figure.subplots(rows, ACROSS, squeeze=False, sharey=True)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    value_ids: list[str] = []
    printer = Printer(context.results, context.language)
    for axes, pair in zip(grid.flat, shown, strict=False):
        value_ids += _draw_panel(axes, context, printer, pair, curves[pair])
    text = context.language.text
    for position in range(rows):
        grid[position, 0].set_ylabel(text("figure.observed_share"))
    outside_legend(figure, _legend(context), columns=3)
    names = context.language.text("label.sentence_separator").join(
        _title(context, pair) for pair in shown
    )
    return Figure(
        pages=(figure,),
        data=pd.concat([_data(pair, curves[pair]) for pair in shown], ignore_index=True),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(value_ids)),
        footnotes=(text("figure.note.calibration"),),
        analytes=(exposure_analyte(context),),
        alternative_text=text("figure.calibration.alternative", models=names),
    )


def _reason(context: Context, pairs: list[tuple[str, str]]) -> str:
    """Why the first primary model was not evaluated."""
    rows = context.results.select(EVALUATION)
    notes = [code for code in rows.loc[rows["stat_name"] == "auc", "note_code"] if code]
    return str(notes[0]) if pairs and notes else "NOTCOLL"


def _title(context: Context, pair: tuple[str, str]) -> str:
    return plain(
        context.language.text(
            "label.endpoint_on_metric",
            endpoint=endpoint_label(context, pair[0]),
            metric=metric_label(context.language, pair[1]),
        )
    )


def _draw_panel(
    axes: Axes, context: Context, printer: Printer, pair: tuple[str, str], curve: pd.DataFrame
) -> tuple[str, ...]:
    observed, line = curve[curve["kind"] == "observed"], curve[curve["kind"] == "fit"]
    axes.plot([0, 1], [0, 1], color="#8A8A8A", linewidth=0.8, linestyle="--")
    axes.plot(line["x"], line["y"], color=PALETTE[0], linewidth=1.4)
    y = observed["y"].to_numpy()
    spread = np.vstack([y - observed["low"].to_numpy(), observed["high"].to_numpy() - y])
    axes.errorbar(
        observed["x"], y, yerr=spread, fmt="o", color=PALETTE[1], markersize=4, elinewidth=0.9,
        capsize=2.5,
    )  # fmt: skip
    for x, height, n in zip(observed["x"], observed["high"], observed["n"], strict=True):
        axes.annotate(
            f"{n:.0f}", (x, height), xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize=SMALL, color=PALETTE[1],
        )  # fmt: skip
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.13)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axes.set_xticks(ticks, labels=["0", "0.25", "0.5", "0.75", "1"])
    axes.set_yticks(ticks, labels=["0", "0.25", "0.5", "0.75", "1"])
    axes.set_xlabel(context.language.text("figure.predicted_probability"))
    place = Place(
        EVALUATION,
        pair[0],
        exposure_analyte(context),
        {
            "metric": pair[1],
            "adjustment": str(context.settings["exposure_response"]["primary_adjustment"]),
            "population": "PRIMARY",
        },
    )
    counts = printer.cell(place, "{}/{}", ("events", "count"), ("n", "count"))
    slope = printer.cell(place, "{}", ("slope_corrected", "fixed2"))
    head = context.language.text("figure.calibration_head", counts=counts.text, slope=slope.text)
    axes.set_title(f"{_title(context, pair)}\n{plain(head)}", fontsize=SMALL, linespacing=1.3)
    return (*counts.value_ids, *slope.value_ids)


def _data(pair: tuple[str, str], curve: pd.DataFrame) -> pd.DataFrame:
    names = {"series": "SERIES", "x": "PREDICTED", "y": "OBSERVED", "low": "LOW", "high": "HIGH"}
    columns = [*names, "n"]
    data = curve[columns].rename(columns={**names, "n": "N"})
    return data.assign(ENDPOINT=pair[0], METRIC=pair[1])[
        ["ENDPOINT", "METRIC", *names.values(), "N"]
    ]


def _legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    level = percent(context.settings["exposure_response"]["confidence_level"])
    return [
        Line2D(
            [], [], color=PALETTE[1], marker="o", markersize=4, linewidth=0.9,
            label=text("figure.observed_group", level=level),
        ),
        Line2D([], [], color=PALETTE[0], linewidth=1.4, label=text("figure.calibration_line")),
        Line2D(
            [], [], color="#8A8A8A", linewidth=0.8, linestyle="--",
            label=text("figure.ideal_calibration"),
        ),
    ]  # fmt: skip
