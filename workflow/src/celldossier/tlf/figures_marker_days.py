"""Correlation between subjects of the cells on one day and a marker on another (F49b)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import FORMATS
from celldossier.tlf.figures_axes import plain
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_kinetics_and_markers import STAGE, related_analyte, related_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

BETWEEN = f"{STAGE}.lag_between"
PER_ROW, PER_PAGE = 2, 6
NOTED = 0.05
"""Adjusted p value below which a coefficient has an asterisk."""


@in_figure_style
def draw_marker_days(context: Context) -> Figure | NotShown:
    """A panel a marker: days of the cells down, days of the marker across (F49b)."""
    cells = _read(context)
    if cells.empty:
        return NotShown("NOTCOLL")
    markers = [code for code in related_markers(context, BETWEEN) if code in set(cells["MARKER"])]
    text = context.language.text
    pages = []
    for start in range(0, len(markers), PER_PAGE):
        chosen = markers[start : start + PER_PAGE]
        columns = min(PER_ROW, len(chosen))
        lines = math.ceil(len(chosen) / columns)
        figure = new_figure(16 + 58.0 * lines)
        grid = figure.subplots(lines, columns, squeeze=False)
        for axes in grid.flat[len(chosen) :]:
            axes.set_axis_off()
        for axes, code in zip(grid.flat, chosen, strict=False):
            image = _draw_panel(axes, cells.loc[cells["MARKER"] == code])
            axes.set_title(plain(analyte_label(context, code)), fontsize=SMALL + 0.5)
            axes.set_xlabel(text("figure.day_of_marker"))
            axes.set_ylabel(text("figure.day_of_cells"))
        bar = figure.colorbar(image, ax=grid, location="top", fraction=0.03, aspect=50)
        bar.set_label(text("figure.rho_between"))
        pages.append(figure)
    return Figure(
        pages=tuple(pages),
        data=cells.drop(columns="VALUEID"),
        subjects=int(cells["N"].max()),
        value_ids=tuple(cells["VALUEID"]),
        footnotes=(text("figure.note.marker_days"),),
        analytes=(related_analyte(context),),
        alternative_text=text("figure.marker_days.alternative"),
    )


def _read(context: Context) -> pd.DataFrame:
    """MARKER, CELLDAY, MARKERDAY, N, RHO, Q and the identifier of RHO, coefficients that exist."""
    rows = context.results.select(BETWEEN)
    keys = ["variable", "level1", "level2"]
    wide = rows.pivot(index=keys, columns="stat_name", values="value").reset_index()
    if wide.empty:
        return pd.DataFrame(columns=["MARKER"])
    ids = rows.loc[rows["stat_name"] == "rho", [*keys, "value_id"]]
    both = wide.merge(ids, on=keys)
    both = both.loc[both["rho"].notna()]
    # Grouping variables are in the order of their names: cell_day, marker_day.
    return pd.DataFrame(
        {
            "MARKER": both["variable"],
            "CELLDAY": both["level1"],
            "MARKERDAY": both["level2"],
            "N": both["n"],
            "RHO": both["rho"],
            "Q": both["q"],
            "VALUEID": both["value_id"],
        }
    )


def _draw_panel(axes: Axes, cells: pd.DataFrame) -> AxesImage:
    down, across = natural_order(set(cells["CELLDAY"])), natural_order(set(cells["MARKERDAY"]))
    field = np.full((len(down), len(across)), np.nan)
    for day, other, rho, q in zip(
        cells["CELLDAY"], cells["MARKERDAY"], cells["RHO"], cells["Q"], strict=True
    ):
        row, column = down.index(day), across.index(other)
        field[row, column] = rho
        axes.text(
            column, row, FORMATS["fixed1"](rho) + ("*" if q < NOTED else ""),
            ha="center", va="center", fontsize=SMALL - 1,
            color="white" if abs(rho) > 0.6 else "#222222",
        )  # fmt: skip
    image = axes.imshow(field, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(range(len(across)), labels=across, fontsize=SMALL)
    axes.set_yticks(range(len(down)), labels=down, fontsize=SMALL)
    axes.grid(visible=False)
    return image
