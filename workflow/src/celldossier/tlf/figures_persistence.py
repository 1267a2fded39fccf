"""Figure of the duration of quantifiability: Kaplan-Meier, Turnbull, competing events (F35)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import place_axes, plain, use_day_axis
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Cell, Context, Figure, NotShown
from celldossier.tlf.style import PAGE_WIDTH, PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_persistence import COUNTS, MAIN, landmarks, persistence_analyte

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

CURVES = ("km", "turnbull", "early", "late")


@in_figure_style
def draw_persistence_curve(context: Context) -> Figure | NotShown:
    """Share still quantifiable with numbers at risk, and the cumulative incidence of loss.

    Left: Kaplan-Meier with its confidence limits, and the bounds of Turnbull's estimate. Right:
    Aalen-Johansen with the loss at the left and at the right end of its interval.
    """
    analyte = persistence_analyte(context)
    if not analyte:
        return NotShown("NOTAPPL")
    curves = {
        name: _total(select_curve(context, f"cellular_kinetics.persistence_{name}/{analyte}"))
        for name in CURVES
    }
    if any(rows.empty for rows in curves.values()):
        return NotShown("FEWSUBJ")
    text = context.language.text
    height, left, gap, top, axis, strip = 92.0, 17.0, 17.0, 15.0, 12.0, 8.0
    wide = (PAGE_WIDTH - left - gap - 3) / 2
    tall = height - top - axis - strip
    figure = new_figure(height, layout=None)
    upper = place_axes(figure, left, strip + axis, wide, tall)
    other = place_axes(figure, left + wide + gap, strip + axis, wide, tall)
    _draw_survival(upper, curves["km"], curves["turnbull"])
    _draw_incidence(other, curves["early"], curves["late"])
    for axes, names, title in (
        (upper, ("km", "turnbull"), "figure.persistence.share"),
        (other, ("early", "late"), "figure.persistence.loss"),
    ):
        end = max(float(curves[name]["x"].max()) for name in names)
        use_day_axis(axes, end, wide, "sqrt")
        axes.set_ylim(-3, 103)
        axes.set_ylabel(text(title))
        axes.set_xlabel(text("figure.days"))
    numbers = place_axes(figure, left, 1.0, wide, strip - 2)
    end = max(float(curves[name]["x"].max()) for name in ("km", "turnbull"))
    use_day_axis(numbers, end, wide, "sqrt")
    marks = [mark for mark in landmarks(context) if mark["day"] <= end * 1.02]
    printed = _draw_at_risk(context, numbers, analyte, marks)
    figure.legend(handles=_legend(context), loc="upper center", ncols=2, borderaxespad=0.2)
    subjects = int(curves["km"]["n"].max())
    return Figure(
        pages=(figure,),
        data=pd.concat(
            [_data(rows).assign(CURVE=name) for name, rows in curves.items()], ignore_index=True
        ),
        subjects=subjects,
        value_ids=tuple(printed),
        footnotes=(text("figure.note.persistence"),),
        analytes=(analyte,),
        alternative_text=text(
            "figure.persistence.alternative",
            analyte=analyte_label(context, analyte),
            total=subjects,
        ),
    )


def _total(curve: pd.DataFrame) -> pd.DataFrame:
    return curve[curve["series"] == "total"].sort_values("x", kind="stable", ignore_index=True)


def _draw_survival(axes: Axes, km: pd.DataFrame, turnbull: pd.DataFrame) -> None:
    axes.fill_between(
        turnbull["x"],
        turnbull["low"],
        turnbull["high"],
        step="post",
        color=PALETTE[5],
        alpha=0.35,
        linewidth=0,
    )
    for bound in ("low", "high"):
        axes.step(turnbull["x"], turnbull[bound], where="post", color=PALETTE[5], linewidth=0.8)
    axes.step(km["x"], km["y"], where="post", color=PALETTE[0], linewidth=1.4)
    for limit in ("low", "high"):
        axes.step(km["x"], km[limit], where="post", color=PALETTE[0], linewidth=0.7, linestyle="--")


def _draw_incidence(axes: Axes, early: pd.DataFrame, late: pd.DataFrame) -> None:
    for rows, colour, outer in ((early, PALETTE[1], "high"), (late, PALETTE[2], "low")):
        axes.step(rows["x"], rows["y"], where="post", color=colour, linewidth=1.4)
        axes.step(rows["x"], rows[outer], where="post", color=colour, linewidth=0.7, linestyle="--")


def count_at_risk(
    context: Context, base: Place, marks: list[dict[str, Any]]
) -> list[tuple[float, Cell]]:
    """Subjects at risk at the infusion and at the landmarks: day and printed number."""
    printer = Printer(context.results, context.language)
    cells = [(0.0, printer.cell(base, "{}", ("n", "count")))]
    for mark in marks:
        at = base.of(f"{COUNTS}_survival").within(landmark=mark["label"])
        cells.append((float(mark["day"]), printer.cell(at, "{}", ("n_at_risk", "count"))))
    return cells


def _draw_at_risk(
    context: Context, axes: Axes, analyte: str, marks: list[dict[str, Any]]
) -> list[str]:
    """Numbers at risk at the landmarks; gives the identifiers of what it prints."""
    axes.set_axis_off()
    axes.set_ylim(0, 1)
    cells = count_at_risk(context, Place(COUNTS, MAIN, analyte), marks)
    for day, cell in cells:
        axes.text(day, 0.1, cell.text, ha="center", va="bottom", fontsize=SMALL)
    # The title stands above the numbers, from the left edge of the axes on.
    axes.text(
        0.0,
        0.65,
        plain(context.language.text("figure.persistence.at_risk")),
        transform=axes.transAxes,
        ha="left",
        va="bottom",
        fontsize=SMALL,
    )
    return [value for _, cell in cells for value in cell.value_ids]


def _legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = context.language.text
    return [
        Line2D([], [], color=PALETTE[0], linewidth=1.4, label=text("figure.persistence.km")),
        Patch(facecolor=PALETTE[5], alpha=0.5, label=text("figure.persistence.turnbull")),
        Line2D([], [], color=PALETTE[1], linewidth=1.4, label=text("figure.persistence.early")),
        Line2D([], [], color=PALETTE[2], linewidth=1.4, label=text("figure.persistence.late")),
    ]


def _data(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N"}
    return rows[list(names)].rename(columns=names)
