"""Exposure by dose level and its overlap between neighbours (19)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.terms.language import format_fixed
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import (
    axis_title,
    jitter,
    plain,
    use_log_axis,
)
from celldossier.tlf.figures_boxes import Box, draw_boxes, read_box
from celldossier.tlf.labels import level_label, parameter_symbol
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_dose_levels import (
    COEFFICIENT,
    EXPOSURE,
    find_pairs,
    level_settings,
    order_doses,
    percent_level,
    shown_metrics,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_figure_style
def draw_exposure_overlap_plot(context: Context) -> Figure | NotShown:
    """Exposure of each level, and the overlap coefficient between neighbours (19)."""
    text = context.language.text
    printer = Printer(context.results, context.language)
    metrics = shown_metrics(context, printer)
    doses = order_doses(context)
    if not metrics:
        return NotShown("NOTCOLL")
    if len(doses) < 2:
        return NotShown("ONEDLVL")
    settings = level_settings(context)
    analyte = str(context.settings["dose_exploration"]["analyte"])
    subjects = _read_exposures(context, metrics, analyte)
    # Without a value above 0 there is no logarithmic axis.
    above = set(subjects.loc[subjects["VALUE"] > 0, "METRIC"])
    metrics = [metric for metric in metrics if metric in above]
    if not metrics:
        return NotShown("NOPOSEXP")
    figure = new_figure(95 if len(metrics) < 3 else 190)
    panels = figure.subplots(
        math.ceil(len(metrics) / 2), min(2, len(metrics)), squeeze=False
    ).ravel()
    value_ids: list[str] = []
    for axes, metric in zip(panels, metrics, strict=False):
        rows = subjects.loc[subjects["METRIC"] == metric]
        value_ids += _draw_levels(axes, context, printer, rows, metric, doses, analyte)
    for axes in panels[len(metrics) :]:
        axes.set_axis_off()
    below = int((subjects["VALUE"] <= 0).sum())
    notes = [
        text("figure.note.level_boxes"),
        text(
            f"figure.note.overlap.{settings['overlap']['estimators'][0]}",
            level=percent_level(context),
        ),
    ]
    if below:
        notes.append(text("figure.note.level_notabove", n=below))
    return Figure(
        pages=(figure,),
        data=subjects,
        subjects=int(subjects["USUBJID"].nunique()),
        value_ids=tuple(dict.fromkeys(value_ids)),
        footnotes=tuple(notes),
        analytes=(analyte,),
        alternative_text=text(
            "figure.overlap.alternative",
            metrics=text("label.list_separator").join(parameter_symbol(m) for m in metrics),
        ),
    )


def _read_exposures(context: Context, metrics: Sequence[str], analyte: str) -> pd.DataFrame:
    adpp, adsl = context.dataset("ADPP"), context.dataset("ADSL")
    rows = adpp.loc[
        (adpp["PARCAT1"] == analyte)
        & (adpp["PROFTYP"] == "COURSE")
        & adpp["PARAMCD"].isin(list(metrics))
        & adpp["AVAL"].notna(),
        ["USUBJID", "PARAMCD", "AVAL", "AVALU"],
    ]
    levels = adsl.loc[adsl["SAFFL"] == "Y", ["USUBJID", "TRT01A"]]
    rows = rows.merge(levels, on="USUBJID", how="inner")
    names = {"PARAMCD": "METRIC", "AVAL": "VALUE", "AVALU": "UNIT"}
    return rows.rename(columns=names).sort_values(
        ["METRIC", "TRT01A", "USUBJID"], kind="stable", ignore_index=True
    )


def _draw_levels(
    axes: Axes,
    context: Context,
    printer: Printer,
    rows: pd.DataFrame,
    metric: str,
    doses: Sequence[str],
    analyte: str,
) -> list[str]:
    """Points and boxes of each level on a log axis; what has no logarithm stands at its foot."""
    positive = rows.loc[rows["VALUE"] > 0, "VALUE"]
    low, high = float(positive.min()), float(positive.max())
    room = (high / low) ** 0.22
    use_log_axis(axes, low / (1.6 if (rows["VALUE"] <= 0).any() else 1.0), high * room)
    foot = axes.get_ylim()[0] * 1.15
    labels: list[str] = []
    value_ids: list[str] = []
    boxes: list[Box] = []
    for place, dose in enumerate(doses):
        block = Place(EXPOSURE, metric, analyte, {"dose": dose, "population": "ALL"})
        count = printer.cell(block, "{}", ("n", "count"))
        value_ids += count.value_ids
        labels.append(f"{plain(level_label(context.language, 'dose', dose))}\nn = {count.text}")
        values = rows.loc[rows["TRT01A"] == dose, "VALUE"].to_numpy(dtype=float)
        x = place + jitter(values.size, 0.2)
        above = values > 0
        look: dict[str, Any] = {"s": 9, "linewidths": 0.6, "zorder": 3}
        axes.scatter(x[above], values[above], color=PALETTE[0], alpha=0.55, **look)
        axes.scatter(
            x[~above],
            np.full((~above).sum(), foot),
            facecolors="white",
            edgecolors=PALETTE[0],
            **look,
        )
        if not printer.few(block) and printer.value(block, "n").number:
            boxes.append(read_box(printer, block, place))
    draw_boxes(axes, boxes, foot)
    for place, pair in enumerate(find_pairs(context)):
        value_ids += _draw_coefficient(axes, context, printer, metric, analyte, pair, place)
    axes.set_xticks(range(len(doses)), labels=labels)
    axes.set_xlim(-0.6, len(doses) - 0.4)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel(axis_title(parameter_symbol(metric), str(rows["UNIT"].iloc[0])))
    return value_ids


def _draw_coefficient(
    axes: Axes,
    context: Context,
    printer: Printer,
    metric: str,
    analyte: str,
    pair: tuple[str, str],
    place: int,
) -> list[str]:
    """A bracket over two neighbours with the overlap of the main estimator and its interval."""
    estimator = str(level_settings(context)["overlap"]["estimators"][0])
    by = {"lower": pair[0], "higher": pair[1], "estimator": estimator}
    block = Place(COEFFICIENT, metric, analyte, by)
    if not printer.exists(block, "ovl") or math.isnan(printer.value(block, "ovl").number):
        return []
    exact = estimator == "NORMAL_EQUAL" and math.isfinite(printer.value(block, "exact_low").number)
    ends = ("exact_low", "exact_high") if exact else ("ci_low", "ci_high")
    values = [printer.value(block, stat) for stat in ("ovl", *ends)]
    numbers = [format_fixed(value.number, 2) for value in values]
    top = axes.get_ylim()[1]
    bottom = axes.get_ylim()[0]
    y = top * (bottom / top) ** 0.07
    axes.plot([place + 0.08, place + 0.92], [y, y], color="#555555", linewidth=0.8)
    axes.annotate(
        context.language.text("figure.overlap.label", value=numbers[0])
        + f"\n[{numbers[1]}, {numbers[2]}]",
        (place + 0.5, y),
        xytext=(0, -2),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=SMALL,
    )
    return [value.value_id for value in values]
