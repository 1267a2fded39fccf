"""Profiles of single subjects, a panel each (shell F20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from celldossier.terms.language import print_unit
from celldossier.tlf.figures_axes import (
    fitting_columns,
    place_axes,
    plain,
    share_ticks,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import read_samples
from celldossier.tlf.figures_events import (
    EVENT_KINDS,
    LANE_GAP,
    LANE_HEIGHT,
    draw_lanes,
    draw_through,
    event_handles,
    lanes_of,
    read_events,
)
from celldossier.tlf.figures_panel import (
    draw_fit,
    draw_peak,
    draw_profile,
    profile_handles,
    read_fits,
    read_peaks,
)
from celldossier.tlf.labels import assays
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    PAGE_HEIGHT,
    PAGE_WIDTH,
    SMALL,
    in_figure_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure as MatplotlibFigure

GRIDS = {1: (1, 1), 2: (2, 1), 4: (2, 2), 6: (3, 2), 12: (4, 3)}
"""Rows and columns of panels by the number of subjects on a page."""

HEIGHT = PAGE_HEIGHT - 17.0
"""Height of a full page, mm: this figure has more footnotes than others."""

LEFT, RIGHT, TOP = 15.0, 3.0, 1.0
"""Margins of a page, mm."""

AXIS_TITLE, LEGEND_ROW = 13.0, 3.6
"""Room of the days and their title below the panels, and of a row of the legend, mm."""

HEAD, GAP, BETWEEN = 4.0, 1.2, 4.0
"""Height of a panel's head, gap of its rows, distance of two panels, mm."""

TALLEST = 120.0
"""Largest height of a panel, mm: a page a subject leaves the rest of its page free."""


@dataclass(frozen=True)
class _Study:
    """What all panels share.

    Attributes
    ----------
    limits
        Lowest and highest value shown, by analyte: all subjects have the same axis.
    kinds, lanes
        Kinds of events that any subject has, and the lines for them above a profile.
    bottom
        Margin below the panels, mm: the axis title and the legend, alike on all pages.
    """

    context: Context
    analytes: Sequence[str]
    limits: Mapping[str, tuple[float, float]]
    units: Mapping[str, str]
    end: float
    kinds: frozenset[str]
    lanes: Sequence[str]
    grid: tuple[int, int]
    bottom: float = 0.0


@dataclass(frozen=True)
class _Subject:
    """One panel: what it shows of its subject."""

    head: str
    samples: pd.DataFrame
    events: pd.DataFrame | None
    peaks: pd.DataFrame | None
    fits: pd.DataFrame | None


@in_figure_style
def draw_individual_profiles(context: Context) -> Figure | NotShown:
    """Individual profiles, each analyte on axes of its own, with the events above them (F20).

    How many subjects stand on a page and how many pages the report prints are settings
    (`cellular_kinetics.figures`); all subjects have a page. Option: ``analytes`` (list of
    codes; all of the config that have data).
    """
    samples = read_samples(context)
    named = context.options.get("analytes") or [assay["analyte"] for assay in assays(context, "CK")]
    analytes = [code for code in named if (samples["PARAMCD"] == code).any()]
    samples = samples[samples["PARAMCD"].isin(analytes) & samples["SHOWN"].notna()]
    if samples.empty:
        return NotShown("NOTCOLL")
    subjects = sorted(samples["USUBJID"].unique())
    events = read_events(context)
    events = events[events["USUBJID"].isin(subjects)]
    peaks = read_peaks(context, samples)
    fits = read_fits(context, analytes)
    rules = context.settings["cellular_kinetics"]["figures"]
    study = _Study(
        context=context,
        analytes=analytes,
        limits={
            str(code): (float(part[["SHOWN", "ALLOQ"]].min().min()), float(part["SHOWN"].max()))
            for code, part in samples.groupby("PARAMCD")
        },
        units={str(code): str(part["AVALU"].iloc[0]) for code, part in samples.groupby("PARAMCD")},
        end=float(samples["AFRLT"].max()),
        kinds=frozenset(events.loc[events["DAY"] <= samples["AFRLT"].max(), "KIND"].astype(str)),
        lanes=lanes_of(events),
        grid=GRIDS[int(rules["panels"])],
    )
    handles = _legend_handles(study)
    rows = -(-len(handles) // fitting_columns(handles, SMALL))
    study = replace(study, bottom=AXIS_TITLE + LEGEND_ROW * rows)
    panels = _make_panels(context, subjects, samples, events, peaks, fits)
    per_page = int(rules["panels"])
    pages = [
        _draw_page(study, panels[start : start + per_page])
        for start in range(0, len(panels), per_page)
    ]
    printed = min(int(rules["report_pages"]), len(pages))
    return Figure(
        pages=tuple(pages),
        data=_shown_data(samples, events, peaks, fits),
        subjects=len(subjects),
        footnotes=_footnotes(study, events, len(subjects), printed * per_page),
        analytes=tuple(analytes),
        alternative_text=context.language.text(
            "figure.individual.alternative", total=len(subjects)
        ),
        printed=printed,
    )


def _make_panels(
    context: Context,
    subjects: Sequence[str],
    samples: pd.DataFrame,
    events: pd.DataFrame,
    peaks: pd.DataFrame,
    fits: pd.DataFrame,
) -> list[_Subject]:
    doses = context.dataset("ADSL").set_index("USUBJID")["TRT01A"]
    parts = [
        {str(key): part for key, part in frame.groupby("USUBJID")}
        for frame in (samples, events, peaks, fits)
    ]
    panels = []
    for subject in subjects:
        dose = str(doses.get(subject, ""))
        head = f"{subject}  {dose}" if dose else subject
        mine, *others = (part.get(subject) for part in parts)
        assert mine is not None
        panels.append(_Subject(head, mine, *others))
    return panels


def _footnotes(study: _Study, events: pd.DataFrame, subjects: int, printed: int) -> tuple[str, ...]:
    text = study.context.language.text
    notes = ["sqrt_time", "blq_at_lloq", "peak_and_fit"]
    found = [text(f"figure.note.{name}") for name in notes]
    if "CRS" in study.lanes or "ICANS" in study.lanes:
        found.append(text("figure.note.episodes"))
    if subjects > printed:
        found.append(text("figure.note.printed_subjects", shown=printed, total=subjects))
    if (events["DAY"] > study.end).any():
        found.append(text("figure.note.later_events", day=f"{study.end:.0f}"))
    return tuple(found)


def _shown_data(
    samples: pd.DataFrame, events: pd.DataFrame, peaks: pd.DataFrame, fits: pd.DataFrame
) -> pd.DataFrame:
    """Samples, events, peaks and windows of the regressions, one row each."""
    points = samples[["USUBJID", "PARAMCD", "AFRLT", "SHOWN", "AVALU", "BLQFL", "ALLOQ"]]
    points = points.rename(columns={"AFRLT": "DAY", "SHOWN": "VALUE"}).assign(KIND="SAMPLE")
    marks = events.assign(KIND=events["KIND"].astype(str))
    tops = peaks.rename(columns={"TMAX": "DAY", "SHOWN": "VALUE"}).assign(KIND="PEAK")
    lines = fits.rename(columns={"LAMZLL": "DAY", "LAMZUL": "END"}).assign(KIND="TERMINAL")
    both = pd.concat([points, marks, tops, lines], ignore_index=True)
    order = ["USUBJID", "KIND", "PARAMCD", "DAY", "END", "VALUE", "AVALU", "BLQFL", "ALLOQ"]
    order += ["GRADE", "LAMZ", "LAMZICPT", "GATE"]
    both = both.reindex(columns=order)
    texts = ["PARAMCD", "AVALU", "BLQFL", "GATE"]
    both[texts] = both[texts].fillna("")
    return both.sort_values(order[:4], kind="stable", ignore_index=True)


def _draw_page(study: _Study, panels: Sequence[_Subject]) -> MatplotlibFigure:
    rows_in_grid, columns = study.grid
    rows = -(-len(panels) // columns)
    cell_height = min((HEIGHT - TOP - study.bottom) / rows_in_grid, TALLEST)
    height = rows * cell_height + TOP + study.bottom
    width = (PAGE_WIDTH - LEFT - RIGHT - (columns - 1) * BETWEEN) / columns
    figure = new_figure(height, layout=None)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        left = LEFT + column * (width + BETWEEN)
        top = height - TOP - row * cell_height - HEAD
        # The lowest panel of its column carries the days.
        lowest = number + columns >= len(panels)
        room = cell_height - HEAD - BETWEEN / 2
        _draw_subject(figure, study, panel, (left, top, width, room), lowest, column == 0)
        figure.text(
            left / PAGE_WIDTH, (top + 0.8) / height, plain(panel.head), fontsize=SMALL, va="bottom"
        )
    text = study.context.language.text
    figure.text(0.5, (study.bottom - 7.5) / height, text("figure.days"), ha="center", va="center")
    handles = _legend_handles(study)
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=fitting_columns(handles, SMALL),
        borderaxespad=0.2,
        fontsize=SMALL,
        handletextpad=0.5,
        labelspacing=0.3,
        columnspacing=1.2,
    )
    return figure


def _draw_subject(
    figure: MatplotlibFigure,
    study: _Study,
    panel: _Subject,
    place: tuple[float, float, float, float],
    lowest: bool,
    first: bool,
) -> None:
    """The lanes of events, then one axes an analyte; `place` is left, top, width, height in mm."""
    left, top, width, room = place
    text = study.context.language.text
    names = [text(f"figure.lane.{lane}") for lane in study.lanes] if first else []
    if study.lanes:
        strip = LANE_HEIGHT * len(study.lanes) + LANE_GAP
        top, room = top - strip, room - strip
    row_height = room / len(study.analytes) - GAP
    for number, analyte in enumerate(study.analytes):
        bottom = top - (number + 1) * row_height - number * GAP
        axes = place_axes(figure, left, bottom, width, row_height)
        draw_profile(axes, _of(panel.samples, analyte), number, study.end)
        draw_fit(axes, _of(panel.fits, analyte))
        draw_peak(axes, _of(panel.peaks, analyte))
        low, high = study.limits[analyte]
        use_log_axis(axes, low / 1.3, high * 1.3)
        draw_through(axes, panel.events, study.end)
        use_day_axis(axes, study.end, width, "sqrt")
        if number == 0:
            draw_lanes(axes, panel.events, study.lanes, study.end, row_height, names)
        is_last = lowest and number == len(study.analytes) - 1
        share_ticks(axes, bottom=is_last, left=first)
        if is_last or first:
            axes.tick_params(axis="both", labelsize=SMALL, pad=1.5)
        if first:
            label = f"{analyte}\n{print_unit(study.units[analyte])}"
            axes.set_ylabel(label, fontsize=SMALL, labelpad=1)
            axes.yaxis.set_label_coords(-9.5 / width, 0.5)


def _of(frame: pd.DataFrame | None, analyte: str) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame(columns=["PARAMCD", "TMAX", "SHOWN"])
    return frame[frame["PARAMCD"] == analyte]


def _legend_handles(study: _Study) -> list[Artist]:
    text = study.context.language.text
    labels = {kind: text(f"figure.event.{kind}") for kind in EVENT_KINDS}
    return [
        *profile_handles(study.context, study.analytes),
        *event_handles(labels, study.kinds),
    ]
