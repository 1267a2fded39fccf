"""Events beside the individual profiles: episodes as bars with their grade, others as marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.tlf.model import Context
from celldossier.tlf.style import SMALL

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

RELAPSE_CATEGORIES = ("PD", "PMD", "RELAPSE")
"""Assessments that mark a relapse or progression on a profile."""

EPISODES = ("CRS", "ICANS")
"""Events of special interest that are bars from their onset to their end."""

RESCUE = ("TOCILIZUMAB", "SILTUXIMAB", "ANAKINRA", "STEROID")
"""Classes of medication that are marked at each start after the infusion."""

COURSE = ("REINFUSION", "RELAPSE", "NEWTHERAPY", "DEATH")
"""What befell the disease, the product or the subject."""

EVENT_KINDS = (*EPISODES, *RESCUE, *COURSE)
"""Events of the individual profiles, in the order of the legend."""

LANES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CRS", ("CRS",)),
    ("ICANS", ("ICANS",)),
    ("RESCUE", RESCUE),
    ("COURSE", COURSE),
)
"""Lines above a profile, from above, and the events in each."""

LANE_HEIGHT = 2.7
"""Height of a lane, mm: holds a digit of the smallest size."""

LANE_GAP = 1.6
"""Distance of the lanes from the profile, mm: half of the label of its uppermost tick."""

SHORTEST = 0.4
"""Shortest bar of an episode, days."""

LOOKS: dict[str, tuple[str, str]] = {
    "CRS": ("_", "#D55E00"),
    "ICANS": ("_", "#56B4E9"),
    "TOCILIZUMAB": ("^", "#0072B2"),
    "SILTUXIMAB": ("<", "#0072B2"),
    "ANAKINRA": ("v", "#CC79A7"),
    "STEROID": ("D", "#009E73"),
    "REINFUSION": ("P", "#E69F00"),
    "RELAPSE": ("s", "#000000"),
    "NEWTHERAPY": (">", "#555555"),
    "DEATH": ("X", "#000000"),
}
"""Symbol and colour of each kind of event."""

THROUGH = ("RELAPSE", "NEWTHERAPY", "REINFUSION", "DEATH")
"""Events whose day is a thin line through the profile as well."""


def read_events(context: Context) -> pd.DataFrame:
    """Events of each subject, in the order of `EVENT_KINDS` and of their days.

    Returns
    -------
    pandas.DataFrame
        USUBJID, KIND, DAY; of an episode also END (its last day, infinite where it went on,
        DAY where its end is not known) and GRADE (NaN where not known). Of relapse and new therapy
        the first is kept, of the others each.
    """
    episodes = context.dataset("ADAESI")
    episodes = episodes[episodes["AESI"].isin(EPISODES) & episodes["ASTDY"].notna()]
    ends = episodes["AENDY"].where(episodes["ONGOFL"] != "Y", np.inf).fillna(episodes["ASTDY"])
    drugs, doses = context.dataset("ADCM"), context.dataset("ADEX")
    responses, subjects = context.dataset("ADRS"), context.dataset("ADSL")
    relapse = responses[
        (responses["PARAMCD"] == "OVR") & responses["AVALC"].isin(RELAPSE_CATEGORIES)
    ]
    again = doses[(doses["EXCAT"] == "CELL PRODUCT") & (doses["DOSENO"] >= 2)]
    later = drugs[drugs["ASTDY"] >= 0]
    parts = [
        pd.DataFrame(
            {
                "USUBJID": episodes["USUBJID"],
                "KIND": episodes["AESI"],
                "DAY": episodes["ASTDY"],
                "END": ends,
                "GRADE": episodes["ATOXGRN"].astype("float64"),
            }
        ),
        *(_days(kind, later[later["CMCLASS"] == kind], "ASTDY") for kind in RESCUE),
        _days("REINFUSION", again, "AFRLT"),
        _days("RELAPSE", relapse, "AFRLT", first=True),
        _days("NEWTHERAPY", later[later["CMCLASS"] == "NEW_THERAPY"], "ASTDY", first=True),
        _days("DEATH", subjects, "DTHDY"),
    ]
    events = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    events = events.reindex(columns=["USUBJID", "KIND", "DAY", "END", "GRADE"])
    events["KIND"] = pd.Categorical(events["KIND"], EVENT_KINDS, ordered=True)
    return events.sort_values(["USUBJID", "KIND", "DAY"], kind="stable", ignore_index=True)


def _days(kind: str, rows: pd.DataFrame, variable: str, first: bool = False) -> pd.DataFrame:
    days = rows.loc[rows[variable].notna(), ["USUBJID", variable]]
    days = days.rename(columns={variable: "DAY"}).sort_values(["USUBJID", "DAY"], kind="stable")
    if first:
        days = days.drop_duplicates("USUBJID")
    return days.assign(KIND=kind)


def lanes_of(events: pd.DataFrame) -> list[str]:
    """Lanes that a study needs: those of which any subject has an event."""
    found = set(events["KIND"])
    return [name for name, kinds in LANES if found & set(kinds)]


def draw_lanes(
    axes: Axes,
    events: pd.DataFrame | None,
    lanes: Sequence[str],
    end: float,
    height: float,
    names: Sequence[str] = (),
) -> None:
    """The lanes of one subject above the axes of its uppermost profile.

    They are drawn on those axes, outside their frame: axes of their own would take a
    third of the time of a page.

    Parameters
    ----------
    end
        Last day of the axis; an episode that goes on reaches it.
    height
        Height of the axes, mm.
    names
        Names of the lanes, for the first panel of a row.
    """
    transform = axes.get_xaxis_transform()
    kinds = dict(LANES)
    for place, lane in enumerate(lanes):
        level = 1 + (LANE_GAP + (len(lanes) - place - 0.5) * LANE_HEIGHT) / height
        if names:
            axes.text(
                -0.01, level, names[place], fontsize=SMALL, ha="right", va="center",
                transform=axes.transAxes,
            )  # fmt: skip
        if events is None:
            continue
        rows = events[events["KIND"].isin(kinds[lane]) & (events["DAY"] <= end)]
        for event in rows.to_dict("records"):
            marker, color = LOOKS[str(event["KIND"])]
            look: dict[str, Any] = {"color": color, "transform": transform, "clip_on": False}
            if event["KIND"] not in EPISODES:
                axes.plot(
                    [event["DAY"]], [level], marker, markersize=3.4, markeredgewidth=0, **look
                )
                continue
            last = max(min(float(event["END"]), end * 1.03), event["DAY"] + SHORTEST)
            axes.plot(
                [event["DAY"], last], [level] * 2, linewidth=3.2, solid_capstyle="butt", **look
            )
            grade = "?" if np.isnan(event["GRADE"]) else f"{event['GRADE']:.0f}"
            # The blank keeps the digit off the bar.
            axes.text(
                last, level, f" {grade}", fontsize=SMALL, va="center", ha="left",
                transform=transform,
            )  # fmt: skip


def draw_through(axes: Axes, events: pd.DataFrame | None, end: float) -> None:
    """Thin lines through a profile at the days that change its meaning."""
    if events is None:
        return
    rows = events[events["KIND"].isin(THROUGH) & (events["DAY"] <= end)]
    for kind, day in zip(rows["KIND"], rows["DAY"], strict=True):
        axes.axvline(day, color=LOOKS[kind][1], linewidth=0.5, alpha=0.6, zorder=0.8)


def event_handles(labels: Mapping[str, str], seen: AbstractSet[str]) -> list[Artist]:
    """Entries of the legend for the kinds that a study has, in their order."""
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    for kind in EVENT_KINDS:
        if kind not in seen:
            continue
        marker, color = LOOKS[kind]
        look: dict[str, Any] = {"color": color, "label": labels[kind]}
        if kind in EPISODES:
            handles.append(Line2D([], [], linewidth=3.2, solid_capstyle="butt", **look))
        else:
            handles.append(
                Line2D([], [], marker=marker, linestyle="none", markeredgewidth=0, **look)
            )
    return handles
