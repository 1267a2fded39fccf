"""Mean profiles: geometric mean with its spread, and the number quantifiable (F22, F23, F33)."""

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
    share_ticks,
    text_width,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import curve_data, read_medians, select_curve, series_level
from celldossier.tlf.labels import analyte_label, assays, level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
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

EARLY = 28.0
"""End of the early panel, days: expansion and the window of AUC0-28d."""

DIGIT = 1.4
"""Width of a digit of the smallest size, mm."""

RESPONSE_ORDER = ("RESPONDER", "NONRESPONDER", "UNKNOWN")


@in_figure_style
def draw_mean_profile(context: Context) -> Figure | NotShown:
    """Geometric mean times and divided by the geometric SD, by dose (F22).

    Options: ``analytes`` (all of the config that have a curve), ``statistic`` (geometric,
    or median for the median with quartiles).
    """
    return _draw_summary(context, "dose")


@in_figure_style
def draw_profile_by_response(context: Context) -> Figure | NotShown:
    """As `draw_mean_profile`, by best response (F23)."""
    return _draw_summary(context, "response")


def _draw_summary(context: Context, key: str) -> Figure | NotShown:
    named = context.options.get("analytes") or [a["analyte"] for a in assays(context, "CK")]
    curves: dict[str, pd.DataFrame] = {}
    statistic = str(context.options.get("statistic", "geometric"))
    for analyte in named:
        points = _read_points(context, analyte, statistic)
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
    windows = windows_until(end)
    names = [plain(level_label(context.language, key, level)) for level in levels]
    figure = draw_summary_page(context, curves, levels, names, windows)
    data = pd.concat(
        [curve_data(points).assign(PARAMCD=analyte) for analyte, points in curves.items()],
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
        footnotes=(context.language.text(f"figure.note.{statistic}_profile"),),
        analytes=tuple(curves),
        alternative_text=context.language.text(f"figure.{statistic}_profile.alternative_{key}"),
    )


def _read_points(context: Context, analyte: str, statistic: str) -> pd.DataFrame:
    """Points of the profile, n the number quantifiable, empty where too few are quantifiable."""
    if statistic == "median":
        return read_medians(context, analyte)
    return select_curve(context, f"cellular_kinetics.profile/{analyte}", "summary")


def windows_until(end: float) -> list[float]:
    """Ends of the panels of a course of that many days: the first weeks apart from the rest."""
    return [EARLY, end] if end > EARLY * 1.2 else [end]


def draw_summary_page(
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
        for x, text in _counts_apart(rows, scale * 0.94):
            axes.text(
                x,
                place,
                text,
                fontsize=SMALL,
                ha="center",
                va="center",
                color=PALETTE[place % len(PALETTE)],
            )


def _counts_apart(rows: pd.DataFrame, scale: float) -> list[tuple[float, str]]:
    """Counts that do not print over each other, as places and texts; `scale` in mm a day.

    From the right, since at the left end the early samples of one day are too close. The
    count of a time that has no point gives way to every point, printed or not: beside it, it
    would be read as the count of that point.
    """
    kept: list[tuple[float, str]] = []
    taken: list[tuple[float, str]] = []
    for is_shown in (True, False):
        part = rows[rows["y"].notna() == is_shown].sort_values("x", ascending=False)
        for x, n in zip(part["x"], part["n"], strict=True):
            text = f"{n:.0f}"
            if all(
                abs(x - other) * scale >= DIGIT * (len(text) + len(its)) / 2 + 0.5
                for other, its in (kept if is_shown else taken)
            ):
                kept.append((float(x), text))
            taken.append((float(x), text))
    return kept


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
