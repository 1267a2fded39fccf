"""Cellular responses of each subject: the samples (L79) and their course over time (F79)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.tlf.figures_axes import fitting_columns, place_axes, plain, use_day_axis
from celldossier.tlf.labels import analyte_label, target_label, with_unit
from celldossier.tlf.listings import list_dataset
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.style import GREY, PAGE_WIDTH, PALETTE, SMALL, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

KEYS = ["ISBDAGNT", "PARAMCD"]
GROUPS = ("RESPONDER", "NONRESPONDER", "UNJUDGED")
"""Subjects by what any sample after the infusion showed; a panel each."""
PANEL, GAP = 70.0, 3.0
"""Height of a panel with its head, and the distance of two beside each other, mm."""
LOOKS: dict[str, dict[str, Any]] = {
    "Y": {"marker": "o", "color": PALETTE[1]},
    "N": {"marker": "o", "markerfacecolor": "white", "color": PALETTE[0]},
    "": {"marker": "D", "markerfacecolor": "#DDDDDD", "color": GREY},
}
"""Symbol of a sample by its verdict (CELLFL); the fill tells them apart without colour."""


def draw_cellular_listing(context: Context) -> Table | NotShown:
    """Readout, control and verdict of each sample; the CSV beside it holds all (L79)."""
    frame = context.dataset("ADIMC")
    if frame.empty:
        return NotShown("NOTCOLL")
    columns = context.options.get("columns")
    return list_dataset(context, frame, "ADIMC", columns if isinstance(columns, list) else None)


@in_figure_style
def draw_cellular_courses(context: Context) -> Figure | NotShown:
    """Readouts of each subject over time, a panel the responders and one the others (F79).

    A row of panels a target and test. Readouts are logarithmic; one of 0 or below its limit
    stands at half of the lowest other of the row.
    """
    samples = context.dataset("ADIMC")
    if samples.empty:
        return NotShown("NOTCOLL")
    read = samples[(samples["AVAL"].notna() | (samples["BLQFL"] == "Y"))]
    read = read[read["CELLDY"].notna()]
    if not (read["AVAL"] > 0).any():
        return NotShown("NOVALUE")
    data = assign_groups(read)
    text = context.language.text
    tests = list(data[KEYS].drop_duplicates().sort_values(KEYS).itertuples(index=False, name=None))
    groups = [name for name in GROUPS if (data["GROUP"] == name).any()]
    height = PANEL * len(tests) + 8.0
    figure = new_figure(height, layout=None)
    start = min(float(data["CELLDY"].min()), 0.0)
    end = max(float(data["CELLDY"].max()), 1.0)
    width = (PAGE_WIDTH - 18.0 - GAP * (len(groups) - 1)) / len(groups)
    for row, key in enumerate(tests):
        own = data[(data["ISBDAGNT"] == key[0]) & (data["PARAMCD"] == key[1])]
        bottom = 11.0 + (len(tests) - 1 - row) * PANEL
        for column, group in enumerate(groups):
            axes = place_axes(figure, 15.0 + column * (width + GAP), bottom, width, PANEL - 16.0)
            _draw_courses(axes, own[own["GROUP"] == group], own["SHOWN"])
            use_day_axis(axes, end, width, "linear", start)
            count = own.loc[own["GROUP"] == group, "USUBJID"].nunique()
            head = text(f"figure.cellular.{group}", n=count)
            if column:
                axes.tick_params(axis="y", labelleft=False)
            else:
                name = with_unit(analyte_label(context, key[1]), str(own["AVALU"].iloc[0]))
                axes.set_ylabel(plain(name))
                head = f"{target_label(context, key[0])}\n{head}"
            axes.set_title(plain(head), fontsize=SMALL, loc="left", pad=2)
    figure.text(0.5, 2.5 / height, text("figure.days"), ha="center")
    handles = [_handle(context, flag) for flag in LOOKS if (data["CELLFL"] == flag).any()]
    columns = fitting_columns(handles, SMALL, 3)
    figure.legend(handles=handles, loc="upper center", ncols=columns, borderaxespad=0.3,
                  handletextpad=0.4, fontsize=SMALL)  # fmt: skip
    subjects = int(data["USUBJID"].nunique())
    shown = ["USUBJID", *KEYS, "GROUP", "CELLDY", "AVAL", "BLQFL", "CONTROL", "CELLFL"]
    return Figure(
        pages=(figure,),
        data=data[shown].sort_values(["USUBJID", *KEYS, "CELLDY"], ignore_index=True),
        subjects=subjects,
        footnotes=(text("figure.note.cellular_course"),),
        alternative_text=text("figure.cellular_course.alternative", total=subjects),
    )


def assign_groups(read: pd.DataFrame) -> pd.DataFrame:
    """The samples with GROUP of their subject and test, and SHOWN, the readout as drawn.

    Parameters
    ----------
    read
        Records of ADIMC with a readout, or below their limit.
    """
    later = (read["ABLFL"] != "Y") & (read["CELLDY"] > 0)
    keys = [read[name] for name in ("USUBJID", *KEYS)]

    def ever(flag: str) -> pd.Series:
        return (later & (read["CELLFL"] == flag)).groupby(keys).transform("any")

    group = np.select([ever("Y"), ever("N")], ["RESPONDER", "NONRESPONDER"], "UNJUDGED")
    positive = read["AVAL"].where(read["AVAL"] > 0)
    lowest = positive.groupby([read[name] for name in KEYS]).transform("min") / 2
    shown = positive.fillna(lowest)
    frame = read.assign(GROUP=group.astype(object), SHOWN=shown)
    return frame[frame["SHOWN"].notna()].reset_index(drop=True)


def _draw_courses(axes: Axes, rows: pd.DataFrame, scale: pd.Series) -> None:
    """Lines of the subjects, and a mark a sample; `scale` holds the readouts of the whole row."""
    for _, course in rows.groupby("USUBJID", sort=True):
        course = course.sort_values("CELLDY", kind="stable")
        axes.plot(course["CELLDY"], course["SHOWN"], color="#BBBBBB", linewidth=0.6, zorder=1)
    for flag, look in LOOKS.items():
        own = rows[rows["CELLFL"] == flag]
        axes.plot(own["CELLDY"], own["SHOWN"], linestyle="none", markersize=3, zorder=2, **look)
    axes.set_yscale("log")
    axes.set_ylim(float(scale.min()) / 1.5, float(scale.max()) * 1.5)


def _handle(context: Context, flag: str) -> Artist:
    from matplotlib.lines import Line2D

    label = context.language.text(f"figure.cellular_mark.{flag or 'UNJUDGED'}")
    return Line2D([], [], linestyle="none", markersize=4, label=label, **LOOKS[flag])
