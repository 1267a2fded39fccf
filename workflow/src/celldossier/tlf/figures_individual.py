"""Profiles of single subjects, one panel each (shell F20)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from celldossier.terms.language import print_unit
from celldossier.tlf.figures_axes import place_axes, plain, share_ticks, use_day_axis, use_log_axis
from celldossier.tlf.figures_data import (
    EVENT_KINDS,
    number_of_pages,
    read_events,
    read_samples,
)
from celldossier.tlf.labels import analyte_label, assays
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    MARKERS,
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
    from matplotlib.figure import Figure as MatplotlibFigure

COLUMNS, ROWS = 3, 4
"""Panels of a page: twelve subjects."""

LEFT, RIGHT, TOP, BOTTOM = 15.0, 3.0, 1.0, 23.0
"""Margins of a page, mm; the bottom one holds the axis title and the legend."""

HEAD, GAP, BETWEEN = 4.0, 1.2, 4.0
"""Height of a panel's head, gap of its rows, distance of two panels, mm."""

EVENT_LOOKS: dict[str, tuple[str, str, int]] = {
    "CRS": ("v", "#D55E00", 0),
    "TOCILIZUMAB": ("^", "#0072B2", 1),
    "STEROID": ("D", "#009E73", 2),
    "REINFUSION": ("P", "#CC79A7", 0),
    "RELAPSE": ("s", "#000000", 0),
    "DEATH": ("X", "#000000", 1),
}
"""Symbol, colour and line above the curve of each kind of event."""


@in_figure_style
def draw_individual_profiles(context: Context) -> Figure | NotShown:
    """Individual profiles, each analyte on axes of its own (F20).

    Options: ``analytes`` (list of codes; all of the config that have data),
    ``pages`` (largest number of printed pages, 2). The data hold all subjects.
    """
    samples = read_samples(context)
    named = context.options.get("analytes") or [assay["analyte"] for assay in assays(context, "CK")]
    analytes = [code for code in named if (samples["PARAMCD"] == code).any()]
    samples = samples[samples["PARAMCD"].isin(analytes) & samples["SHOWN"].notna()]
    if samples.empty:
        return NotShown("NOTCOLL")
    events = read_events(context)
    subjects = sorted(samples["USUBJID"].unique())
    events = events[events["USUBJID"].isin(subjects)]
    per_page = COLUMNS * ROWS
    pages = number_of_pages(len(subjects), per_page, int(context.options.get("pages", 2)))
    doses = context.dataset("ADSL").set_index("USUBJID")["TRT01A"]
    limits = {
        str(code): (float(part[["SHOWN", "ALLOQ"]].min().min()), float(part["SHOWN"].max()))
        for code, part in samples.groupby("PARAMCD")
    }
    by_subject = {key: part for key, part in samples.groupby("USUBJID")}
    events_of = {key: part for key, part in events.groupby("USUBJID")}
    end = float(samples["AFRLT"].max())
    figures = []
    for page in range(pages):
        shown = subjects[page * per_page : (page + 1) * per_page]
        figures.append(
            _draw_page(
                context,
                [
                    (key, str(doses.get(key, "")), by_subject[key], events_of.get(key))
                    for key in shown
                ],
                analytes,
                limits,
                end,
            )
        )
    text = context.language.text
    footnotes = [text("figure.note.sqrt_time"), text("figure.note.blq_at_lloq")]
    if len(subjects) > pages * per_page:
        footnotes.append(
            text("figure.note.first_subjects", shown=pages * per_page, total=len(subjects))
        )
    if (events["DAY"] > end).any():
        footnotes.append(text("figure.note.later_events", day=f"{end:.0f}"))
    return Figure(
        pages=tuple(figures),
        data=_shown_data(samples, events),
        subjects=len(subjects),
        footnotes=tuple(footnotes),
        analytes=tuple(analytes),
        alternative_text=text("figure.individual.alternative", total=len(subjects)),
    )


def _shown_data(samples: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    points = samples[["USUBJID", "PARAMCD", "AFRLT", "SHOWN", "AVALU", "BLQFL", "ALLOQ"]]
    points = points.rename(columns={"AFRLT": "DAY", "SHOWN": "VALUE"}).assign(KIND="SAMPLE")
    marks = events.assign(KIND=events["KIND"].astype(str), PARAMCD="", AVALU="", BLQFL="")
    both = pd.concat([points, marks], ignore_index=True)
    order = ["USUBJID", "KIND", "PARAMCD", "DAY", "VALUE", "AVALU", "BLQFL", "ALLOQ"]
    return both[order].sort_values(order[:4], kind="stable", ignore_index=True)


Panel = tuple[str, str, pd.DataFrame, pd.DataFrame | None]


def _draw_page(
    context: Context,
    panels: Sequence[Panel],
    analytes: Sequence[str],
    limits: dict[str, tuple[float, float]],
    end: float,
) -> MatplotlibFigure:
    rows = -(-len(panels) // COLUMNS)
    cell_height = (PAGE_HEIGHT - TOP - BOTTOM) / ROWS
    height = rows * cell_height + TOP + BOTTOM
    width = (PAGE_WIDTH - LEFT - RIGHT - (COLUMNS - 1) * BETWEEN) / COLUMNS
    row_height = (cell_height - HEAD - BETWEEN / 2) / len(analytes) - GAP
    figure = new_figure(height, layout=None)
    for number, (subject, dose, samples, events) in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        left = LEFT + column * (width + BETWEEN)
        top = height - TOP - row * cell_height - HEAD
        # The lowest panel of its column carries the days.
        lowest = number + COLUMNS >= len(panels)
        for place, analyte in enumerate(analytes):
            bottom = top - (place + 1) * row_height - place * GAP
            axes = place_axes(figure, left, bottom, width, row_height)
            _draw_panel(axes, samples[samples["PARAMCD"] == analyte], analytes.index(analyte))
            use_log_axis(axes, limits[analyte][0] / 1.3, limits[analyte][1] * 1.3)
            if place == 0:
                _draw_events(axes, events, end)
            use_day_axis(axes, end, width, "sqrt")
            share_ticks(axes, bottom=lowest and place == len(analytes) - 1, left=column == 0)
            axes.tick_params(axis="both", labelsize=SMALL, pad=1.5)
            if column == 0:
                unit = samples.loc[samples["PARAMCD"] == analyte, "AVALU"]
                label = print_unit(unit.iloc[0]) if len(unit) else ""
                axes.set_ylabel(f"{analyte}\n{label}", fontsize=SMALL, labelpad=1)
                axes.yaxis.set_label_coords(-9.5 / width, 0.5)
        head = f"{subject}  {dose}" if dose else subject
        figure.text(
            left / PAGE_WIDTH, (top + 0.8) / height, plain(head), fontsize=SMALL, va="bottom"
        )
    figure.text(0.5, 16 / height, context.language.text("figure.days"), ha="center", va="center")
    seen = {kind for *_, events in panels if events is not None for kind in events["KIND"]}
    figure.legend(
        handles=_legend_handles(context, analytes, seen),
        loc="lower center",
        ncols=3 if len(analytes) < 2 else 4,
        borderaxespad=0.2,
        fontsize=SMALL,
        handletextpad=0.5,
        labelspacing=0.3,
    )
    return figure


def _draw_panel(axes: Axes, samples: pd.DataFrame, number: int) -> None:
    color, marker = PALETTE[number], MARKERS[number]
    below = (samples["BLQFL"] == "Y").to_numpy()
    days, values = samples["AFRLT"].to_numpy(), samples["SHOWN"].to_numpy()
    for lloq in sorted(samples["ALLOQ"].dropna().unique()):
        axes.axhline(lloq, color="#555555", linewidth=0.6, linestyle=":")
    axes.plot(days, values, color=color, linewidth=0.8)
    axes.plot(days[~below], values[~below], marker, color=color, markersize=2.4, linestyle="none")
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


def _draw_events(axes: Axes, events: pd.DataFrame | None, end: float) -> None:
    """Marks in head-room above the curve, three lines of them, so that near ones do not hide."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.36)
    if events is None:
        return
    for kind, day in zip(events["KIND"], events["DAY"], strict=True):
        if day > end:
            continue
        marker, color, line = EVENT_LOOKS[kind]
        axes.axvline(day, ymax=0.72, color=color, linewidth=0.4, alpha=0.5)
        axes.plot(
            [day],
            [0.96 - 0.1 * line],
            marker,
            color=color,
            markersize=3,
            markeredgewidth=0,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )


def _legend_handles(context: Context, analytes: Sequence[str], seen: set[str]) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    handles: list[Artist] = []
    for number, analyte in enumerate(analytes):
        color, marker = PALETTE[number], MARKERS[number]
        name = f"{analyte}: {analyte_label(context, analyte)}"
        handles.append(Line2D([], [], color=color, marker=marker, linewidth=0.8, label=plain(name)))
    handles.append(
        Line2D(
            [],
            [],
            color="#333333",
            marker="o",
            markerfacecolor="white",
            linestyle="none",
            label=text("figure.below_lloq"),
        )
    )
    handles.append(
        Line2D([], [], color="#555555", linestyle=":", linewidth=0.8, label=text("figure.lloq"))
    )
    for kind in EVENT_KINDS:
        if kind in seen:
            marker, color, _ = EVENT_LOOKS[kind]
            handles.append(
                Line2D(
                    [],
                    [],
                    color=color,
                    marker=marker,
                    linestyle="none",
                    markeredgewidth=0,
                    label=text(f"figure.event.{kind}"),
                )
            )
    return handles
