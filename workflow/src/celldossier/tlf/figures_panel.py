"""A panel of the individual profiles: course, limit, peak and terminal regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.tlf.figures_axes import plain
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context
from celldossier.tlf.style import MARKERS, PALETTE

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

RING: dict[str, Any] = {
    "markerfacecolor": "none",
    "markeredgecolor": "#000000",
    "markeredgewidth": 0.7,
    "markersize": 5.5,
    "linestyle": "none",
    "zorder": 3,
}
"""Symbol round the sample of the peak."""


def read_peaks(context: Context, samples: pd.DataFrame) -> pd.DataFrame:
    """The sample at the TMAX of each profile: USUBJID, PARAMCD, TMAX, SHOWN."""
    found = context.dataset("ADPP")
    found = found[(found["PARAMCD"] == "TMAX") & (found["PROFTYP"] == "COURSE")]
    found = found.loc[found["AVAL"].notna(), ["USUBJID", "PARCAT1", "AVAL"]]
    found = found.rename(columns={"PARCAT1": "PARAMCD", "AVAL": "TMAX"})
    both = samples.merge(found, on=["USUBJID", "PARAMCD"])
    # The same number by two ways of the files: equal but for rounding.
    return both.loc[
        (both["AFRLT"] - both["TMAX"]).abs() < 1e-6, ["USUBJID", "PARAMCD", "TMAX", "SHOWN"]
    ]


def read_fits(context: Context, analytes: Sequence[str]) -> pd.DataFrame:
    """The terminal regression of each course: window, rate, intercept, and its gate."""
    found = context.dataset("ADLZ")
    found = found[(found["PROFTYP"] == "COURSE") & found["LAMZ"].notna()]
    found = found.rename(columns={"PARCAT1": "PARAMCD"})
    columns = ["USUBJID", "PARAMCD", "LAMZ", "LAMZICPT", "LAMZLL", "LAMZUL", "GATE"]
    return found.loc[found["PARAMCD"].isin(list(analytes)), columns]


def draw_profile(axes: Axes, samples: pd.DataFrame, number: int, end: float) -> None:
    """The course of one analyte: filled symbols, open ones at the limit where below it."""
    color, marker = PALETTE[number], MARKERS[number]
    below = (samples["BLQFL"] == "Y").to_numpy()
    days, values = samples["AFRLT"].to_numpy(), samples["SHOWN"].to_numpy()
    _draw_limit(axes, samples, end)
    # One line for the course and its filled symbols: of 240 profiles each artist counts.
    axes.plot(
        days,
        values,
        color=color,
        linewidth=0.8,
        marker=marker,
        markersize=2.4,
        markevery=np.flatnonzero(~below).tolist(),
    )
    if below.any():
        axes.plot(
            days[below],
            values[below],
            marker,
            markerfacecolor="white",
            markeredgecolor=color,
            markeredgewidth=0.6,
            markersize=2.6,
            linestyle="none",
        )


def _draw_limit(axes: Axes, samples: pd.DataFrame, end: float) -> None:
    """The limit of each record: a line, with steps between samples where it changed."""
    known = samples[samples["ALLOQ"].notna()]
    look: dict[str, Any] = {"color": "#555555", "linewidth": 0.6, "linestyle": ":"}
    limits = known["ALLOQ"].to_numpy()
    if len(set(limits)) == 1:
        axes.axhline(limits[0], **look)
    elif len(limits):
        days = np.append(known["AFRLT"].to_numpy(), end)
        axes.step(days, np.append(limits, limits[-1]), where="mid", **look)


def draw_fit(axes: Axes, fits: pd.DataFrame) -> None:
    """The terminal regression over its window, broken where it fails the quality limits."""
    for fit in fits.to_dict("records"):
        days = np.linspace(fit["LAMZLL"], fit["LAMZUL"], 30)
        line = "-" if fit["GATE"] == "PASS" else (0, (2, 1.2))
        values = np.exp(fit["LAMZICPT"] - fit["LAMZ"] * days)
        axes.plot(days, values, color="#000000", linewidth=1.1, linestyle=line, zorder=2.5)


def draw_peak(axes: Axes, peaks: pd.DataFrame) -> None:
    """A ring round the sample of the peak."""
    if len(peaks):
        axes.plot(peaks["TMAX"], peaks["SHOWN"], "o", **RING)


def profile_handles(context: Context, analytes: Sequence[str]) -> list[Artist]:
    """Entries of the legend: the analytes, and what every panel may show of them."""
    from matplotlib.lines import Line2D

    text = context.language.text
    handles: list[Artist] = []
    for number, analyte in enumerate(analytes):
        color, marker = PALETTE[number], MARKERS[number]
        name = f"{analyte}: {analyte_label(context, analyte)}"
        handles.append(Line2D([], [], color=color, marker=marker, linewidth=0.8, label=plain(name)))
    hollow: dict[str, Any] = {"color": "#333333", "markerfacecolor": "white", "linestyle": "none"}
    dotted: dict[str, Any] = {"color": "#555555", "linestyle": ":", "linewidth": 0.8}
    return [
        *handles,
        Line2D([], [], marker="o", label=text("figure.below_lloq"), **hollow),
        Line2D([], [], label=text("figure.lloq"), **dotted),
        Line2D([], [], marker="o", label=text("figure.peak"), **RING),
        Line2D([], [], color="#000000", linewidth=1.1, label=text("figure.terminal_line")),
    ]
