"""Figure of the duration of quantifiability in the groups of several groupings (F35a)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place
from celldossier.tlf.figures_axes import place_axes, plain, text_width, use_day_axis
from celldossier.tlf.figures_data import select_curve, series_level
from celldossier.tlf.figures_persistence import count_at_risk
from celldossier.tlf.labels import analyte_label, level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    LINES,
    PAGE_WIDTH,
    PALETTE,
    SMALL,
    in_figure_style,
    new_figure,
)
from celldossier.tlf.tables_persistence import (
    COUNTS,
    MAIN,
    RESPONSES,
    landmarks,
    persistence_analyte,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

ROW = 3.6
"""Height of a line of numbers at risk, mm."""


@in_figure_style
def draw_persistence_groups(context: Context) -> Figure | NotShown:
    """Kaplan-Meier of the groups with subjects enough, numbers at risk below (F35a).

    Options: ``by``, the groupings, a panel each (dose, response).
    """
    analyte = persistence_analyte(context)
    if not analyte:
        return NotShown("NOTAPPL")
    curve = select_curve(context, f"cellular_kinetics.persistence_km/{analyte}")
    panels: dict[str, dict[str, pd.DataFrame]] = {}
    named = context.options.get("by", ["dose", "response"])
    for key in [str(name) for name in named] if isinstance(named, list) else []:
        levels = [series_level(series, key) for series in curve["series"].unique()]
        ordered = natural_order({level for level in levels if level is not None})
        if key == "response":
            ordered = [level for level in RESPONSES if level in ordered]
        own = {level: curve[curve["series"] == f"{key}={level}"] for level in ordered}
        # One group alone is the whole study, or is compared with nothing.
        if len(own) > 1:
            panels[key] = own
    if not panels:
        return NotShown("FEWSUBJ")
    figure, printed = _draw_page(context, analyte, panels)
    data = [
        rows.assign(GROUP=key, LEVEL=level)
        for key, own in panels.items()
        for level, rows in own.items()
    ]
    names = {"x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N"}
    subjects = max(int(sum(rows["n"].max() for rows in own.values())) for own in panels.values())
    text = context.language.text
    return Figure(
        pages=(figure,),
        data=pd.concat(data, ignore_index=True)[["GROUP", "LEVEL", *names]].rename(columns=names),
        subjects=subjects,
        value_ids=tuple(printed),
        footnotes=(text("figure.note.persistence_groups"),),
        analytes=(analyte,),
        alternative_text=text(
            "figure.persistence_groups.alternative",
            analyte=analyte_label(context, analyte),
            total=subjects,
        ),
    )


def _draw_page(
    context: Context, analyte: str, panels: dict[str, dict[str, pd.DataFrame]]
) -> tuple[MatplotlibFigure, list[str]]:
    """A panel a grouping; each has the names of its groups beside their numbers at risk."""
    text = context.language.text
    names = {
        key: {level: plain(level_label(context.language, key, level)) for level in own}
        for key, own in panels.items()
    }
    margin = 9.0 + max(text_width(n, SMALL) for own in names.values() for n in own.values())
    margin = max(margin, 17.0)
    strip = ROW * (1 + max(len(own) for own in panels.values()))
    tall, axis, top = 56.0, 11.0, 7.0
    figure = new_figure(top + tall + axis + strip, layout=None)
    wide = (PAGE_WIDTH - 3) / len(panels) - margin
    printed: list[str] = []
    for place, (key, own) in enumerate(panels.items()):
        left = margin + place * (margin + wide)
        axes = place_axes(figure, left, strip + axis, wide, tall)
        end = max(float(rows["x"].max()) for rows in own.values())
        for number, (level, rows) in enumerate(own.items()):
            axes.step(
                rows["x"],
                rows["y"],
                where="post",
                color=PALETTE[number % len(PALETTE)],
                linestyle=LINES[number % len(LINES)],
                linewidth=1.3,
                label=names[key][level],
            )
        use_day_axis(axes, end, wide, "sqrt")
        axes.set_ylim(-3, 103)
        axes.set_ylabel(text("figure.persistence.share"))
        axes.set_xlabel(text("figure.days"))
        axes.set_title(text(f"persistence.column.{key}"))
        axes.legend(loc="lower left")
        numbers = place_axes(figure, left, 0.5, wide, strip)
        use_day_axis(numbers, end, wide, "sqrt")
        numbers.set_axis_off()
        numbers.set_ylim(strip, 0)
        heading = text("figure.persistence.at_risk")
        numbers.text(0, ROW * 0.5, heading, va="center", ha="center", fontsize=SMALL)
        marks = [mark for mark in landmarks(context) if mark["day"] <= end * 1.02]
        for number, level in enumerate(own):
            base = Place(COUNTS, MAIN, analyte, {key: level})
            height = ROW * (number + 1.5)
            for day, cell in count_at_risk(context, base, marks):
                numbers.text(day, height, cell.text, ha="center", va="center", fontsize=SMALL)
                printed += cell.value_ids
            numbers.annotate(
                names[key][level],
                (0, height),
                xytext=(-12, 0),
                textcoords="offset points",
                xycoords=("axes fraction", "data"),
                ha="right",
                va="center",
                fontsize=SMALL,
                color=PALETTE[number % len(PALETTE)],
                annotation_clip=False,
            )
    return figure, printed
