"""Courses of markers: medians of cytokines over time (F44), mean changes of scores (F50)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.tlf.figures_axes import (
    axis_title,
    fitting_columns,
    plain,
    regular_grid,
    text_width,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import curve_data, select_curve, series_level
from celldossier.tlf.labels import level_label
from celldossier.tlf.marker_series import Series, dose_levels, list_series, medicine_names
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    LINES,
    MARKERS,
    PAGE_WIDTH,
    PALETTE,
    in_figure_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

STAGE = "pharmacodynamics"
ROWS, PANEL = 4, 43.0
"""Rows of panels on a page, and the height of one with its title and axis, mm."""

LINEAR = 60.0
"""Last day up to which the axis is linear; beyond it the first weeks would be too narrow."""

TITLE_SIZE = 8.0

Floats = NDArray[np.float64]

APART = {"AFTER": ("D", PALETTE[5]), "CONDITION": ("x", PALETTE[6])}
"""Symbol and colour of samples that stand apart."""


@in_figure_style
def draw_marker_courses(context: Context) -> Figure | NotShown:
    """Median with quartiles by dose level, log10; samples that stand apart as single symbols.

    Option ``classes``: classes of the markers.
    """
    found = {
        one: select_curve(context, f"{STAGE}.marker_median/{one.curve}")
        for one in list_series(context, context.options["classes"])
    }
    courses = {one: rows for one, rows in found.items() if _rises(rows)}
    if not courses:
        return NotShown("NOTCOLL")
    apart = {one: _read_apart(context, one) for one in courses}
    levels = _levels(context, courses)
    single = pd.concat(apart.values())
    causes = [cause for cause in APART if (single["CAUSE"] == cause).any()]
    after = single.loc[single["CAUSE"] == "AFTER", "curve_id"].str.rsplit("/", n=1).str[-1]
    medicine = medicine_names(context.language, sorted(set(after)))
    pages = _draw_pages(context, courses, levels, causes, apart=apart, medicine=medicine)
    data = [
        curve_data(rows).assign(PARAMCD=one.analyte, KIND="SUMMARY")
        for one, rows in courses.items()
    ] + [curve_data(rows).assign(PARAMCD=one.analyte, KIND="APART") for one, rows in apart.items()]
    return Figure(
        pages=pages,
        data=pd.concat([part for part in data if len(part)], ignore_index=True),
        subjects=_subjects(courses),
        footnotes=_notes(context, causes),
        analytes=tuple({one.analyte: 1 for one in courses}),
        alternative_text=context.language.text("figure.markers.alternative"),
    )


@in_figure_style
def draw_score_course(context: Context) -> Figure | NotShown:
    """Mean change from baseline with its confidence limits, by dose level.

    Option ``classes``: classes of the markers; scores among them are shown.
    """
    found = {
        one: select_curve(context, f"{STAGE}.marker_change/{one.curve}")
        for one in list_series(context, context.options["classes"])
        if one.kind in ("score", "ordinal")
    }
    courses = {one: rows for one, rows in found.items() if rows["x"].nunique() > 1}
    if not courses:
        return NotShown("NOTCOLL")
    pages = _draw_pages(context, courses, _levels(context, courses), [], change=True)
    data = [curve_data(rows).assign(PARAMCD=one.analyte) for one, rows in courses.items()]
    return Figure(
        pages=pages,
        data=pd.concat(data, ignore_index=True),
        subjects=_subjects(courses),
        footnotes=(context.language.text("figure.note.score_course"),),
        analytes=tuple({one.analyte: 1 for one in courses}),
        alternative_text=context.language.text("figure.scores.alternative"),
    )


def _rises(rows: pd.DataFrame) -> bool:
    """Whether a curve has points at several days, and a value that a log axis can show."""
    return bool(len(rows) and rows["x"].nunique() > 1 and (rows["y"] > 0).any())


def _read_apart(context: Context, one: Series) -> pd.DataFrame:
    """Single results that stand apart, with CAUSE: after a medication, or of flagged condition.

    One that is both is shown once, as after the medication.
    """
    prefix = f"{STAGE}.marker_apart/{one.curve}/"
    rows = context.curves[context.curves["curve_id"].str.startswith(prefix)]
    cause = np.where(rows["curve_id"].str.endswith("/CONDITION"), "CONDITION", "AFTER")
    rows = rows.assign(CAUSE=cause).sort_values(["CAUSE", "series", "x"], kind="stable")
    return rows[rows["y"] > 0].drop_duplicates(["series", "x"])


def _levels(context: Context, courses: Mapping[Series, pd.DataFrame]) -> list[str]:
    """Dose levels of the curves; a blank one for all subjects where there are none."""
    found = {series for rows in courses.values() for series in rows["series"]}
    levels = [level for level in dose_levels(context) if f"dose={level}" in found]
    return levels if len(levels) > 1 else [""]


def _draw_pages(
    context: Context,
    courses: Mapping[Series, pd.DataFrame],
    levels: Sequence[str],
    causes: Sequence[str],
    *,
    change: bool = False,
    apart: Mapping[Series, pd.DataFrame] | None = None,
    medicine: str = "",
) -> tuple[MatplotlibFigure, ...]:
    columns = 3 if len(courses) > 4 else 2 if len(courses) > 1 else 1
    series = list(courses)
    step = columns * ROWS
    pages = []
    for first in range(0, len(series), step):
        shown = series[first : first + step]
        lines = math.ceil(len(shown) / columns)
        tall = PANEL if columns == 3 else 56.0
        figure = new_figure(lines * tall + 18, layout=None)
        grid = regular_grid(figure, lines, columns, left=15, across=13, down=14, top=14, bottom=11)
        width = (PAGE_WIDTH - 15 - 3 - 13 * (columns - 1)) / columns
        panels = [axes for row in grid for axes in row]
        for axes, one in zip(panels, shown, strict=False):
            rows = courses[one]
            single = None if apart is None else apart[one]
            _draw_panel(axes, rows, levels, single, change=change)
            end = float(rows["x"].max())
            use_day_axis(axes, end, width, "sqrt" if end > LINEAR else "linear")
            axes.set_title(_title(one, width), fontsize=TITLE_SIZE)
        for axes in panels[len(shown) :]:
            axes.set_axis_off()
        handles = _handles(context, levels, causes, medicine)
        figure.legend(
            handles=handles,
            loc="upper center",
            ncols=fitting_columns(handles, 7.5, 6),
            borderaxespad=0.2,
        )
        height = lines * tall + 18
        figure.text(0.5, 1.5 / height, plain(context.language.text("figure.days")), ha="center")
        pages.append(figure)
    return tuple(pages)


def _draw_panel(
    axes: Axes,
    rows: pd.DataFrame,
    levels: Sequence[str],
    apart: pd.DataFrame | None,
    *,
    change: bool,
) -> None:
    span = float(rows["x"].max())
    for place, level in enumerate(levels):
        name = "total" if not level else None
        mine = [
            series == name if name else series_level(series, "dose") == level
            for series in rows["series"]
        ]
        part = rows[mine]
        y = part["y"].to_numpy()
        spread = np.vstack([y - part["low"].to_numpy(), part["high"].to_numpy() - y])
        axes.errorbar(
            _set_apart(part["x"].to_numpy(), place - (len(levels) - 1) / 2, span),
            y,
            yerr=np.clip(np.nan_to_num(spread), 0, None),
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            markersize=2.6,
            linestyle=LINES[place % len(LINES)],
            elinewidth=0.5,
            capsize=1.2,
            capthick=0.5,
            linewidth=1.0,
        )
    if change:
        axes.axhline(0, color="#555555", linewidth=0.6, linestyle=":")
        return
    values = [rows[["y", "low", "high"]].to_numpy().ravel()]
    if apart is not None and len(apart):
        for cause, (symbol, colour) in APART.items():
            single = apart[apart["CAUSE"] == cause]
            hollow: dict[str, Any] = {"markerfacecolor": "none"} if symbol != "x" else {}
            axes.plot(
                single["x"],
                single["y"],
                symbol,
                color=colour,
                markersize=2.8,
                markeredgewidth=0.6,
                linestyle="none",
                zorder=1.5,
                **hollow,
            )
        values.append(apart["y"].to_numpy())
    every = np.concatenate(values)
    positive = every[np.isfinite(every) & (every > 0)]
    use_log_axis(axes, float(positive.min()), float(positive.max()))


def _set_apart(days: Floats, steps: float, span: float) -> Floats:
    """Days of a group, a little aside so that its bars do not hide another's, on either scale."""
    if span <= LINEAR:
        return np.asarray(days + steps * 0.008 * span)
    moved = np.sqrt(days) + steps * 0.008 * math.sqrt(span)
    return np.asarray(np.sign(moved) * moved**2)


def _title(one: Series, width: float) -> str:
    """Name and unit above a panel; the unit below the name where both are too long for it."""
    title = axis_title(one.label, one.unit)
    name = plain(one.label)
    if text_width(title, TITLE_SIZE) <= width + 6 or not title.startswith(name):
        return title
    return f"{name}\n{title[len(name) :].strip()}"


def _handles(
    context: Context, levels: Sequence[str], causes: Sequence[str], medicine: str
) -> list[Artist]:
    from matplotlib.lines import Line2D

    language = context.language
    handles: list[Artist] = []
    for place, level in enumerate(levels):
        label = level_label(language, "dose", level) if level else language.text("label.total")
        handles.append(
            Line2D(
                [],
                [],
                color=PALETTE[place % len(PALETTE)],
                marker=MARKERS[place % len(MARKERS)],
                linestyle=LINES[place % len(LINES)],
                label=plain(label),
            )
        )
    for cause in causes:
        symbol, colour = APART[cause]
        handles.append(
            Line2D(
                [],
                [],
                color=colour,
                marker=symbol,
                markerfacecolor="none",
                linestyle="none",
                label=language.text(f"figure.markers.{cause}", medicine=medicine),
            )
        )
    return handles


def _notes(context: Context, causes: Sequence[str]) -> tuple[str, ...]:
    text = context.language.text
    notes = [text("figure.note.marker_courses")]
    if causes:
        notes.append(text("figure.note.markers_apart"))
    return tuple(notes)


def _subjects(courses: Mapping[Series, pd.DataFrame]) -> int:
    counts = [rows.loc[rows["series"] == "total", "n"].max() for rows in courses.values()]
    return int(max(count for count in counts if not math.isnan(count)))
