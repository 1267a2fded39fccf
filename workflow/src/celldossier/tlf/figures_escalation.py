"""Course of the dose escalation: cohorts, their levels and toxicities, and the rule (F12)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import plain
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_escalation import (
    COHORT,
    REPLAY,
    list_designs,
    list_doses,
    why_not_shown,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

KINDS = {
    "AGREE": ("o", PALETTE[0]),
    "ABOVE": ("s", PALETTE[1]),
    "BELOW": ("^", PALETTE[2]),
    "ENDED": ("D", PALETTE[3]),
    "NORULE": ("X", "#6B6B6B"),
}
"""Symbol and colour of a step, by how it compares with the rule."""

GROUPS = {
    **dict.fromkeys(("SKIPPED", "ESCALATED", "STAYEDUP", "WENTON"), "ABOVE"),
    **dict.fromkeys(("STAYED", "WENTDOWN"), "BELOW"),
}

MOST_NAMED = 12
"""Cohorts whose names fit below the axis; of more, their numbers."""


@in_figure_style
def draw_escalation_course(context: Context) -> Figure | NotShown:
    """Each cohort at its level, with DLTs over evaluable subjects and the decision of the rule."""
    reason = why_not_shown(context, COHORT)
    if reason:
        return NotShown(reason)
    steps, value_ids, subjects = _read_steps(context)
    levels = list_doses(context, "ESCALATION")
    text = context.language.text
    figure = new_figure(62 + 16 * len(levels))
    axes = figure.subplots()
    place = {level: number for number, level in enumerate(levels)}
    heights = [place[level] for level in steps["LEVEL"]]
    positions = range(1, len(steps) + 1)
    axes.step(list(positions), heights, where="mid", color="#B0B0B0", linewidth=1.0, zorder=1)
    for x, y, row in zip(positions, heights, steps.to_dict("records"), strict=True):
        _draw_step(axes, x, y, row)
    names = steps["NAME"] if len(steps) <= MOST_NAMED else steps["COHORT"]
    axes.set_xticks(list(positions), [plain(name).replace(" ", "\n", 1) for name in names])
    axes.set_yticks(range(len(levels)), [level_label(context.language, "dose", d) for d in levels])
    axes.set_xlim(0.5, len(steps) + 0.5)
    axes.set_ylim(-0.65, len(levels) - 0.35)
    axes.set_xlabel(text("figure.escalation.cohort"))
    axes.set_ylabel(text("column.dose_level"))
    axes.grid(visible=True, axis="y", color="#E2E2E2", linewidth=0.5)
    figure.legend(
        handles=_legend(context, steps), loc="outside upper center", ncols=3, borderaxespad=0.2
    )
    return Figure(
        pages=(figure,),
        data=steps,
        subjects=subjects,
        value_ids=tuple(value_ids),
        footnotes=(text("figure.note.escalation", design=list_designs(context)[0]),),
        alternative_text=text("figure.escalation.alternative", cohorts=len(steps)),
    )


def _read_steps(context: Context) -> tuple[pd.DataFrame, list[str], int]:
    """What the figure prints of each cohort, and the identifiers of it."""
    printer = Printer(context.results, context.language)
    design = list_designs(context)[0]
    rows, value_ids = [], []
    for cohort in natural_order(context.results.levels(COHORT, "cohort")):
        at = Place(COHORT, by={"cohort": cohort})
        step = Place(REPLAY, by={"basis": "EVALUABLE", "cohort": cohort, "design": design})
        values = {
            "NAME": printer.value(at, "name"),
            "LEVEL": printer.value(at, "level"),
            "DLTS": printer.value(at, "n_dlt"),
            "EVALUABLE": printer.value(at, "n_evaluable"),
            "INFUSED": printer.value(at, "n_infused"),
            "DECISION": printer.value(step, "decision"),
            "OUTCOME": printer.value(step, "outcome"),
        }
        value_ids += [value.value_id for value in values.values()]
        rows.append(
            {"COHORT": cohort, **{k: v.text or v.number for k, v in values.items()}}
            | {"DECISION": values["DECISION"].text}
        )
    frame = pd.DataFrame(rows)
    return frame, value_ids, int(frame["INFUSED"].sum())


def _draw_step(axes: Axes, x: int, y: int, row: Mapping[Hashable, Any]) -> None:
    outcome = str(row["OUTCOME"])
    marker, color = KINDS[GROUPS.get(outcome, outcome)]
    axes.plot(x, y, marker, color=color, markersize=15, markeredgewidth=0, zorder=2)
    counts = f"{row['DLTS']:.0f}/{row['EVALUABLE']:.0f}"
    axes.annotate(
        counts,
        (x, y),
        xytext=(0, 12),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=SMALL + 0.5,
        zorder=3,
    )
    axes.text(
        x,
        y,
        str(row["DECISION"]) or "–",
        ha="center",
        va="center_baseline",
        color="white",
        fontsize=SMALL,
        zorder=3,
    )


def _legend(context: Context, steps: pd.DataFrame) -> list[Artist]:
    from matplotlib.lines import Line2D

    shown = {GROUPS.get(str(outcome), str(outcome)) for outcome in steps["OUTCOME"]}
    return [
        Line2D(
            [],
            [],
            marker=marker,
            color=color,
            linestyle="none",
            markersize=7,
            label=plain(context.language.text(f"figure.escalation.{kind}")),
        )
        for kind, (marker, color) in KINDS.items()
        if kind in shown
    ]
