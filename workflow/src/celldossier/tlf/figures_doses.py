"""The doses given by dose level, with the pre-specified windows (15)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.terms.study_terms import CELL_PRODUCT, NOT_PLANNED
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import axis_title, jitter, outside_legend, plain, use_log_axis
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_dose_levels import LEVEL, order_doses

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@in_figure_style
def draw_dose_strip(context: Context) -> Figure | NotShown:
    """Every planned dose that was given, by level, with the windows of all levels (15)."""
    text = context.language.text
    doses = order_doses(context)
    given = _read_doses(context)
    if given.empty:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, context.language)
    bounds = {
        level: [
            printer.value(Place(LEVEL, "DOSEP", by={"dose": level}), stat).number
            for stat in ("planned", "window_low", "window_high")
        ]
        for level in doses
    }
    if given["DOSEU"].nunique() != 1:
        return NotShown("MIXUNIT")
    figure = new_figure(98)
    axes = figure.subplots()
    _draw_windows(axes, doses, bounds)
    labels: list[str] = []
    value_ids: list[str] = []
    for place, level in enumerate(doses):
        mine = given.loc[given["TRT01A"] == level]
        _draw_given(axes, mine, place)
        block = Place(LEVEL, "DOSESUM", by={"dose": level})
        cells = {
            stat: printer.cell(block, "{}", (stat, "count"))
            for stat in ("n", "n_subjects", "n_subj_nearer", "n_subj_othwin")
        }
        numbers = {stat: cell.text for stat, cell in cells.items()}
        name = plain(level_label(context.language, "dose", level))
        labels.append(f"{name}\n{text('figure.dose_strip.counts', **numbers)}")
        value_ids += [i for cell in cells.values() for i in cell.value_ids]
    ends = [x for level in doses for x in bounds[level] if math.isfinite(x)]
    values = [*given["DOSESUM"], *ends]
    use_log_axis(axes, min(values), max(values))
    axes.set_xticks(range(len(doses)), labels=labels)
    axes.set_xlim(-0.55, len(doses) - 0.45)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel(axis_title(text("figure.dose_strip.axis"), str(given["DOSEU"].iloc[0])))
    outside_legend(figure, _strip_handles(context), columns=2)
    return Figure(
        pages=(figure,),
        data=given.reset_index(drop=True),
        subjects=int(given["USUBJID"].nunique()),
        value_ids=tuple(value_ids),
        footnotes=(text("figure.note.dose_strip"),),
        alternative_text=text("figure.dose_strip.alternative", n=len(given)),
    )


def _read_doses(context: Context) -> pd.DataFrame:
    """One row a planned dose of the first course, fractions of a split dose as one."""
    rows = context.dataset("ADEX")
    rows = rows.loc[(rows["EXCAT"] == CELL_PRODUCT) & ~rows["DOSETYPE"].isin(NOT_PLANNED)]
    # One fraction outside its window puts the dose outside.
    flags = rows.assign(OUT=rows["INWINFL"] == "N", IN=rows["INWINFL"] == "Y")
    keys = ["STUDYID", "USUBJID", "COURSE", "PDOSENO"]
    both = flags.groupby(keys).agg(OUT=("OUT", "any"), IN=("IN", "all")).reset_index()
    rows = rows.drop_duplicates(keys)[[*keys, "DOSESUM", "DOSPSUM", "DOSEU"]].merge(both, on=keys)
    adsl = context.dataset("ADSL")
    adsl = adsl.loc[(adsl["SAFFL"] == "Y") & (adsl["TRT01A"] != ""), ["USUBJID", "TRT01A"]]
    rows = rows.loc[rows["DOSESUM"] > 0].merge(adsl, on="USUBJID", how="inner")
    rows["INWINFL"] = np.select([rows["OUT"], rows["IN"]], ["N", "Y"], "")
    columns = ["USUBJID", "TRT01A", "PDOSENO", "DOSESUM", "DOSPSUM", "DOSEU", "INWINFL"]
    return rows[columns].sort_values(["TRT01A", "USUBJID", "PDOSENO"], kind="stable")


def _draw_windows(axes: Axes, doses: Sequence[str], bounds: dict[str, list[float]]) -> None:
    """The window of each level: dark at its place, light over the others, shared parts hatched."""
    from matplotlib.patches import Rectangle

    known = [level for level in doses if all(math.isfinite(x) for x in bounds[level])]
    for place, level in enumerate(doses):
        if level not in known:
            continue
        planned, low, high = bounds[level]
        color = PALETTE[place % len(PALETTE)]
        axes.axhspan(low, high, color=color, alpha=0.07, linewidth=0, zorder=0.6)
        box = Rectangle((place - 0.4, low), 0.8, high - low, color=color, alpha=0.22, linewidth=0)
        axes.add_patch(box)
        axes.plot([place - 0.4, place + 0.4], [planned] * 2, color=color, linewidth=1.2)
    for number, level in enumerate(known):
        for other in known[number + 1 :]:
            low, high = (
                max(bounds[level][1], bounds[other][1]),
                min(bounds[level][2], bounds[other][2]),
            )
            if low < high:
                axes.axhspan(low, high, facecolor="none", edgecolor="#555555", hatch="///", lw=0)


def _draw_given(axes: Axes, rows: pd.DataFrame, place: int) -> None:
    """Points within their window filled, outside open, not judged as crosses."""
    x = place + jitter(len(rows), 0.3)
    y = rows["DOSESUM"].to_numpy(dtype=float)
    flag = rows["INWINFL"].to_numpy()
    look: dict[str, Any] = {"linestyle": "none", "markersize": 3.2, "zorder": 3}
    inside, outside, open_ = flag == "Y", flag == "N", flag == ""
    axes.plot(x[inside], y[inside], "o", color="#333333", alpha=0.6, markeredgewidth=0, **look)
    axes.plot(
        x[outside], y[outside], "D", markerfacecolor="white", markeredgecolor=PALETTE[1], **look
    )
    axes.plot(x[open_], y[open_], "x", color="#333333", **look)


def _strip_handles(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = context.language.text
    dot: dict[str, Any] = {"linestyle": "none", "markersize": 4}
    return [
        Line2D([], [], marker="o", color="#333333", label=text("figure.dose_strip.inside"), **dot),
        Line2D(
            [], [], marker="D", markerfacecolor="white", markeredgecolor=PALETTE[1],
            label=text("figure.dose_strip.outside"), **dot,
        ),
        Patch(color=PALETTE[0], alpha=0.3, label=text("figure.dose_strip.window")),
        Patch(
            facecolor="none", edgecolor="#555555", hatch="///",
            label=text("figure.dose_strip.shared"),
        ),
    ]  # fmt: skip
