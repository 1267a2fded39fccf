"""Figures of the cellular kinetics: all profiles of a group, and their summaries (F20 to F23)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.figures_axes import (
    axis_title,
    place_axes,
    plain,
    regular_grid,
    share_ticks,
    text_width,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import (
    primary_analyte,
    read_samples,
    select_curve,
    series_level,
)
from celldossier.tlf.figures_individual import draw_individual_profiles
from celldossier.tlf.labels import analyte_label, assays, level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    GREY,
    LINES,
    MARKERS,
    PAGE_WIDTH,
    PALETTE,
    SMALL,
    in_figure_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

__all__ = [
    "draw_individual_profiles",
    "draw_mean_profile",
    "draw_profile_by_response",
    "draw_spaghetti",
]

EARLY = 28.0
"""End of the early panel, days: expansion and the window of AUC0-28d."""

RESPONSE_ORDER = ("RESPONDER", "NONRESPONDER", "UNKNOWN")


@in_figure_style
def draw_spaghetti(context: Context) -> Figure | NotShown:
    """All profiles of one analyte, by indication and dose, with the median of the dose (F21).

    The upper rows show days 0 to 28, the lower ones the whole follow-up.
    Options: ``analyte`` (the primary one of the config).
    """
    analyte = primary_analyte(context)
    samples = read_samples(context, [analyte])
    samples = samples[samples["SHOWN"].notna()]
    if samples.empty:
        return NotShown("NOTCOLL")
    # As in the summaries of the same figure, a result below LLOQ is shown at half of it.
    below = samples["BLQFL"] == "Y"
    samples = samples.assign(SHOWN=samples["SHOWN"].where(~below, samples["ALLOQ"] / 2))
    groups = context.dataset("ADSL")[["USUBJID", "INDIC", "TRT01A"]]
    samples = samples.merge(groups, on="USUBJID", how="left", validate="many_to_one")
    indications = natural_order(samples["INDIC"].unique())
    doses = natural_order(samples["TRT01A"].unique())
    median = select_curve(context, f"cellular_kinetics.profile_median/{analyte}", "summary")
    end = float(samples["AFRLT"].max())
    limits = (float(samples["SHOWN"].min()), float(samples["SHOWN"].max()))
    windows = [EARLY, end] if end > EARLY * 1.2 else [end]
    row_height = max(36.0, min(55.0, 180.0 / (len(indications) * len(windows))))
    figures = []
    # Rows of all windows on one page as long as they fit.
    together = len(indications) * len(windows) * row_height <= 190
    for page in [windows] if together else [[window] for window in windows]:
        rows = [(window, indication) for window in page for indication in indications]
        figure = new_figure(row_height * len(rows) + 14, layout=None)
        grid = regular_grid(figure, len(rows), len(doses))
        for axes_row, (window, indication) in zip(grid, rows, strict=True):
            for axes, dose in zip(axes_row, doses, strict=True):
                cell = samples[(samples["INDIC"] == indication) & (samples["TRT01A"] == dose)]
                _draw_lines(axes, cell, _median_of(median, indication, dose))
                use_day_axis(axes, window, 170 / len(doses) - 8)
                use_log_axis(axes, *limits)
                share_ticks(axes, bottom=True, left=axes is axes_row[0])
                axes.set_title(_panel_title(context, indication, dose, cell))
        title = axis_title(analyte_label(context, analyte), samples["AVALU"].iloc[0])
        height = row_height * len(rows) + 14
        figure.text(0.5, 2.0 / height, context.language.text("figure.days"), ha="center")
        figure.text(0.012, 0.5, title, rotation=90, ha="left", va="center")
        figure.legend(
            handles=_spaghetti_legend(context), loc="upper center", ncols=3, borderaxespad=0.2
        )
        figures.append(figure)
    subjects = int(samples["USUBJID"].nunique())
    columns = ["USUBJID", "INDIC", "TRT01A", "PARAMCD", "AFRLT", "SHOWN", "AVALU", "BLQFL", "ALLOQ"]
    data = samples[columns].rename(columns={"AFRLT": "DAY", "SHOWN": "VALUE"})
    return Figure(
        pages=tuple(figures),
        data=pd.concat([data, _curve_data(median)], ignore_index=True),
        subjects=subjects,
        footnotes=(context.language.text("figure.note.blq_half_lloq"),),
        analytes=(analyte,),
        alternative_text=context.language.text("figure.spaghetti.alternative", total=subjects),
    )


def _median_of(median: pd.DataFrame, indication: str, dose: str) -> pd.DataFrame:
    """The median of indication and dose where the stage has one, else of the dose."""
    for series in (f"dose={dose}/indication={indication}", f"dose={dose}"):
        rows = median[median["series"] == series]
        if len(rows):
            return rows
    return median.iloc[:0]


def _panel_title(context: Context, indication: str, dose: str, cell: pd.DataFrame) -> str:
    names = (
        level_label(context.language, "indication", indication),
        level_label(context.language, "dose", dose),
    )
    name = context.language.text("label.list_separator").join(names)
    return plain(f"{name} (n = {cell['USUBJID'].nunique()})")


def _draw_lines(axes: Axes, cell: pd.DataFrame, median: pd.DataFrame) -> None:
    from matplotlib.collections import LineCollection

    lines = [part[["AFRLT", "SHOWN"]].to_numpy() for _, part in cell.groupby("USUBJID")]
    axes.add_collection(LineCollection(lines, colors=GREY, linewidths=0.45, alpha=0.7))
    for lloq in sorted(cell["ALLOQ"].dropna().unique()):
        axes.axhline(lloq, color="#555555", linewidth=0.6, linestyle=":")
    axes.plot(median["x"], median["y"], color=PALETTE[1], linewidth=1.5)


def _spaghetti_legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    return [
        Line2D([], [], color=GREY, linewidth=0.6, label=text("figure.spaghetti.subject")),
        Line2D([], [], color=PALETTE[1], linewidth=1.5, label=text("figure.spaghetti.median")),
        Line2D([], [], color="#555555", linestyle=":", linewidth=0.8, label=text("figure.lloq")),
    ]


@in_figure_style
def draw_mean_profile(context: Context) -> Figure | NotShown:
    """Geometric mean times and divided by the geometric SD, by dose (F22).

    Options: ``analytes`` (all of the config that have a curve).
    """
    return _draw_summary(context, "dose")


@in_figure_style
def draw_profile_by_response(context: Context) -> Figure | NotShown:
    """As `draw_mean_profile`, by best response (F23)."""
    return _draw_summary(context, "response")


def _draw_summary(context: Context, key: str) -> Figure | NotShown:
    named = context.options.get("analytes") or [a["analyte"] for a in assays(context, "CK")]
    curves: dict[str, pd.DataFrame] = {}
    for analyte in named:
        points = select_curve(context, f"cellular_kinetics.profile/{analyte}", "summary")
        points = points.assign(level=[series_level(name, key) or "" for name in points["series"]])
        points = points[points["level"] != ""]
        if points["y"].notna().any():
            curves[analyte] = points
    if not curves:
        return NotShown("NOTCOLL")
    found = {level for points in curves.values() for level in points["level"]}
    levels = [level for level in RESPONSE_ORDER if level in found]
    levels += natural_order(found - set(levels))
    end = max(float(points["x"].max()) for points in curves.values())
    windows = [EARLY, end] if end > EARLY * 1.2 else [end]
    names = [plain(level_label(context.language, key, level)) for level in levels]
    figure = _draw_summary_page(context, curves, levels, names, windows)
    data = pd.concat(
        [_curve_data(points).assign(PARAMCD=analyte) for analyte, points in curves.items()],
        ignore_index=True,
    )
    largest = {
        level: max(p.loc[p["level"] == level, "n"].max() for p in curves.values())
        for level in levels
    }
    return Figure(
        pages=(figure,),
        data=data,
        subjects=int(sum(value for value in largest.values() if not math.isnan(value))),
        footnotes=(context.language.text("figure.note.geometric_profile"),),
        analytes=tuple(curves),
        alternative_text=context.language.text(f"figure.mean_profile.alternative_{key}"),
    )


def _draw_summary_page(
    context: Context,
    curves: dict[str, pd.DataFrame],
    levels: Sequence[str],
    names: Sequence[str],
    windows: Sequence[float],
) -> MatplotlibFigure:
    """A row of panels for each analyte: the first weeks, and the follow-up from there on."""
    head, plot, strip, foot, top, bottom = 7.0, 52.0, 3.2 * len(levels) + 1, 6.0, 7.0, 6.0
    block = head + plot + strip + foot
    height = top + bottom + block * len(curves)
    figure = new_figure(height, layout=None)
    left = max(14.0, 3.0 + max(text_width(name, 7.5) for name in names))
    across, right = 6.0, 3.0
    free = PAGE_WIDTH - left - right - across * (len(windows) - 1)
    widths = [free * 0.6, free * 0.4] if len(windows) == 2 else [free]
    for place, (analyte, points) in enumerate(curves.items()):
        floor = height - top - (place + 1) * block + foot
        for column, (window, width) in enumerate(zip(windows, widths, strict=True)):
            start = left + column * (widths[0] + across)
            early = column == 0 and len(windows) == 2
            begin = EARLY if column else 0.0
            # The last day of the first panel opens the second, so that the course can be followed.
            shown = points[points["x"] <= EARLY] if early else points[points["x"] >= begin]
            upper = place_axes(figure, start, floor + strip + 1, width, plot - 1)
            _draw_points(upper, shown, levels, window - begin)
            _use_axis_of_all(upper, points)
            use_day_axis(upper, window, width, start=begin)
            share_ticks(upper, bottom=False, left=column == 0)
            lower = place_axes(figure, start, floor, width, strip)
            counted = shown if column == 0 else points[points["x"] > EARLY]
            use_day_axis(lower, window, width, start=begin)
            heads = names if column == 0 else ()
            _draw_counts(lower, counted, levels, heads, width / (window - begin))
            if column == 0:
                title = axis_title(analyte_label(context, analyte), points["y_unit"].iloc[0])
                upper.set_title(title)
    figure.text(0.5, 1.5 / height, context.language.text("figure.days"), ha="center")
    figure.legend(
        handles=_group_handles(names), loc="upper center", ncols=len(names), borderaxespad=0.2
    )
    return figure


def _draw_points(axes: Axes, points: pd.DataFrame, levels: Sequence[str], span: float) -> None:
    """Means with spreads; a line is broken where the stage gives no mean.

    Groups stand a little apart, so that their bars do not hide another's.
    """
    for place, level in enumerate(levels):
        rows = points[points["level"] == level]
        shift = (place - (len(levels) - 1) / 2) * 0.008 * span
        y = rows["y"].to_numpy()
        spread = np.vstack([y - rows["low"].to_numpy(), rows["high"].to_numpy() - y])
        axes.errorbar(
            rows["x"].to_numpy() + shift,
            y,
            yerr=np.nan_to_num(spread),
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            linestyle=LINES[place % len(LINES)],
            elinewidth=0.6,
            capsize=1.5,
            capthick=0.6,
            linewidth=1.1,
        )


def _use_axis_of_all(axes: Axes, points: pd.DataFrame) -> None:
    values = points[["y", "low", "high"]].to_numpy()
    positive = values[np.isfinite(values) & (values > 0)]
    use_log_axis(axes, float(positive.min()), float(positive.max()))


def _draw_counts(
    axes: Axes,
    points: pd.DataFrame,
    levels: Sequence[str],
    names: Sequence[str],
    scale: float,
) -> None:
    """Number quantifiable below the axis, one line a group; `scale` in mm a day."""
    axes.grid(False)
    axes.set_facecolor("none")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_ylim(len(levels) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), labels=list(names))
    axes.tick_params(axis="both", length=0)
    for place, level in enumerate(levels):
        rows = points[(points["level"] == level) & points["n"].notna()]
        last = math.inf
        # From the right: at the left end the early samples of one day would print over each other.
        for x, n in sorted(zip(rows["x"], rows["n"], strict=True), reverse=True):
            if (last - x) * scale * 0.94 >= 3.4:
                axes.text(
                    x,
                    place,
                    f"{n:.0f}",
                    fontsize=SMALL,
                    ha="center",
                    va="center",
                    color=PALETTE[place % len(PALETTE)],
                )
                last = x


def _group_handles(names: Sequence[str]) -> list[Artist]:
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [],
            [],
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            linestyle=LINES[place % len(LINES)],
            label=name,
        )
        for place, name in enumerate(names)
    ]


def _curve_data(points: pd.DataFrame) -> pd.DataFrame:
    names = {"series": "SERIES", "x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH"}
    names |= {"n": "N", "y_unit": "AVALU"}
    return points[list(names)].rename(columns=names)
