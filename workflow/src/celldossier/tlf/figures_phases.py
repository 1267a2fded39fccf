"""Measured concentrations and the fitted phases of some subjects (F29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.terms.language import format_fixed
from celldossier.tlf.figures_axes import (
    axis_title,
    plain,
    regular_grid,
    share_ticks,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import primary_analyte, read_samples, select_curve
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PALETTE,
    SMALL,
    in_figure_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COLUMNS, ROWS = 3, 4
"""Panels of the page."""


@in_figure_style
def draw_phase_fits(context: Context) -> Figure | NotShown:
    """Twelve subjects at even ranks of the residual SD, from the closest to the loosest fit (F29).

    Options: ``analyte`` (the primary one of the config).
    """
    analyte = primary_analyte(context)
    phases = context.dataset("ADPH")
    fitted = phases[
        (phases["PARCAT1"] == analyte) & (phases["PHASEN"] == 1) & (phases["PATTERN"] != "")
    ]
    fitted = fitted.drop_duplicates("USUBJID")
    if fitted.empty:
        return NotShown("NOTCOLL" if phases.empty else "NODATA")
    samples = read_samples(context, [analyte])
    samples = samples[samples["SHOWN"].notna() & (samples["AFRLT"] > 0)]
    lines = select_curve(context, f"cellular_kinetics.phases/{analyte}", "fit")
    shown = choose_by_spread(fitted, COLUMNS * ROWS)
    samples = samples[samples["USUBJID"].isin(shown["USUBJID"])]
    lines = lines[lines["series"].isin(shown["USUBJID"])]
    end = float(samples["AFRLT"].max())
    values = pd.concat([samples["SHOWN"], lines["y"]])
    limits = float(values.min()) / 1.3, float(values.max()) * 1.3
    rows = -(-len(shown) // COLUMNS)
    height = PAGE_HEIGHT if rows == ROWS else 28 + rows * 45.0
    figure = new_figure(height, layout=None)
    grid = regular_grid(figure, rows, COLUMNS, left=17.0, top=17.0, bottom=13.0, down=7.0)
    width = (PAGE_WIDTH - 20.0 - 8.0) / COLUMNS
    places = [axes for axes_row in grid for axes in axes_row]
    for number, axes in enumerate(places):
        if number >= len(shown):
            axes.set_axis_off()
            continue
        subject = shown.iloc[number]
        name = subject["USUBJID"]
        _draw_panel(axes, samples[samples["USUBJID"] == name], lines[lines["series"] == name])
        use_log_axis(axes, *limits)
        use_day_axis(axes, end, width, "sqrt")
        lowest = number + COLUMNS >= len(shown)
        share_ticks(axes, bottom=lowest, left=number % COLUMNS == 0)
        axes.tick_params(axis="both", labelsize=SMALL, pad=1.5)
        head = context.language.text(
            "figure.phases.head",
            subject=name,
            pattern=subject["PATTERN"],
            spread=format_fixed(subject["RESSD"], 2),
        )
        axes.set_title(plain(head), fontsize=SMALL, pad=2, loc="left")
    figure.text(0.5, 2.5 / height, context.language.text("figure.days"), ha="center")
    title = axis_title(analyte_label(context, analyte), samples["AVALU"].iloc[0])
    figure.text(0.012, 0.5, title, rotation=90, ha="left", va="center")
    figure.legend(handles=_legend(context), loc="upper center", ncols=3, borderaxespad=0.2)
    text = context.language.text
    return Figure(
        pages=(figure,),
        data=_shown_data(samples, lines),
        subjects=len(fitted),
        footnotes=(
            text("figure.note.phases", shown=len(shown), total=len(fitted)),
            text("figure.note.sqrt_time"),
            text("figure.note.blq_at_lloq"),
        ),
        analytes=(analyte,),
        alternative_text=text("figure.phases.alternative", shown=len(shown), total=len(fitted)),
    )


def choose_by_spread(fitted: pd.DataFrame, most: int) -> pd.DataFrame:
    """Subjects at even ranks of the residual SD, the least and the greatest among them."""
    ordered = fitted.sort_values(["RESSD", "USUBJID"], kind="stable", ignore_index=True)
    ranks = np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int)
    return ordered.iloc[ranks].reset_index(drop=True)


def _draw_panel(axes: Axes, samples: pd.DataFrame, line: pd.DataFrame) -> None:
    below = (samples["BLQFL"] == "Y").to_numpy()
    days, values = samples["AFRLT"].to_numpy(), samples["SHOWN"].to_numpy()
    for day in line["x"].iloc[1:-1]:
        axes.axvline(day, color="#555555", linewidth=0.6, linestyle="--")
    for lloq in sorted(samples["ALLOQ"].dropna().unique()):
        axes.axhline(lloq, color="#555555", linewidth=0.6, linestyle=":")
    # Straight on the time axis of days, so many points on the one of its root.
    x = np.unique(np.concatenate([line["x"], np.linspace(line["x"].min(), line["x"].max(), 200)]))
    y = np.exp(np.interp(x, line["x"], np.log(line["y"])))
    axes.plot(x, y, color=PALETTE[1], linewidth=1.0)
    axes.plot(days[~below], values[~below], "o", color=PALETTE[0], markersize=2.6)
    axes.plot(
        days[below],
        values[below],
        "o",
        markerfacecolor="white",
        markeredgecolor=PALETTE[0],
        markeredgewidth=0.6,
        markersize=2.6,
        linestyle="none",
    )


def _legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    sample, below = text("figure.phases.sample"), text("figure.below_lloq")
    dot = Line2D([], [], color=PALETTE[0], marker="o", linestyle="none", label=sample)
    ring = Line2D([], [], color=PALETTE[0], marker="o", linestyle="none", label=below)
    ring.set_markerfacecolor("white")
    return [
        dot,
        ring,
        Line2D([], [], color=PALETTE[1], linewidth=1.0, label=text("figure.phases.fit")),
        Line2D([], [], color="#555555", linestyle="--", label=text("figure.phases.boundary")),
        Line2D([], [], color="#555555", linestyle=":", linewidth=0.8, label=text("figure.lloq")),
    ]


def _shown_data(samples: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    points = samples[["USUBJID", "PARAMCD", "AFRLT", "SHOWN", "AVALU", "BLQFL", "ALLOQ"]]
    points = points.rename(columns={"AFRLT": "DAY", "SHOWN": "VALUE"}).assign(KIND="SAMPLE")
    knots = lines.rename(columns={"series": "USUBJID", "x": "DAY", "y": "VALUE", "y_unit": "AVALU"})
    knots = knots[["USUBJID", "DAY", "VALUE", "AVALU"]].assign(KIND="KNOT", PARAMCD="", BLQFL="")
    both = pd.concat([points, knots], ignore_index=True)
    order = ["USUBJID", "KIND", "PARAMCD", "DAY", "VALUE", "AVALU", "BLQFL", "ALLOQ"]
    return both[order].sort_values(order[:4], kind="stable", ignore_index=True)
