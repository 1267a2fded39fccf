"""Figure of the same samples by two versions of an assay, with the bridge between them (F80a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_assays import use_log_abscissa
from celldossier.tlf.figures_axes import axis_title, place_axes, plain, use_log_axis
from celldossier.tlf.figures_data import select_curve, show_pairs
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import GREY, LINES, PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_bridging import FIT, list_bridged_analytes, list_bridges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

SERIES = ("factor", "deming")
"""Lines of the figure: one factor at all levels, and the regression."""

SIDE, LEFT, FOOT, TOP = 92.0, 39.0, 12.0, 17.0
"""Length of an axis, and margins of the page, mm."""


@in_figure_style
def draw_assay_bridge(context: Context) -> Figure | NotShown:
    """Each bridge on a page: results of both versions on log axes, and its lines (F80a).

    A result below its limit stands at the limit, as an open symbol.
    """
    samples = context.dataset("ADBRG")
    pages: list[MatplotlibFigure] = []
    data: list[pd.DataFrame] = []
    value_ids: list[str] = []
    analytes: dict[str, None] = {}
    subjects = 0
    for analyte in list_bridged_analytes(context):
        for place in list_bridges(context, analyte):
            points = samples[
                (samples["PARAMCD"] == analyte) & (samples["ASSAYV1"] == place.by["version"])
            ]
            points = show_pairs(points)
            if points.empty:
                continue
            curve = f"cellular_kinetics.bridge/{analyte}/{place.by['version']}"
            lines = select_curve(context, curve, "fit")
            page, printed = _draw_page(context, place, points, lines)
            pages.append(page)
            value_ids += printed
            subjects = max(subjects, int(points["USUBJID"].nunique()))
            data += [_points_data(points), _lines_data(lines, place)]
            analytes[analyte] = None
    if not pages:
        return NotShown("NOBRIDGE" if list_bridged_analytes(context) else "ONEVERSN")
    return Figure(
        pages=tuple(pages),
        data=pd.concat(data, ignore_index=True),
        subjects=subjects,
        value_ids=tuple(value_ids),
        footnotes=(context.language.text("figure.note.bridge"),),
        analytes=tuple(analytes),
        alternative_text=context.language.text("figure.bridge.alternative", total=subjects),
    )


def _draw_page(
    context: Context, place: Place, points: pd.DataFrame, lines: pd.DataFrame
) -> tuple[MatplotlibFigure, list[str]]:
    figure = new_figure(SIDE + FOOT + TOP, layout=None)
    axes = place_axes(figure, LEFT, FOOT, SIDE, SIDE)
    _draw_points(axes, points)
    shown = pd.concat([points["SHOWN1"], points["SHOWN2"], lines["y"]])
    low, high = float(shown.min()), float(shown.max())
    axes.plot([low, high], [low, high], color="#555555", linewidth=0.8)
    for number, series in enumerate(SERIES):
        own = lines[lines["series"] == series]
        axes.plot(own["x"], own["y"], color=_colour(number), linestyle=LINES[number], linewidth=1.3)
    limit: dict[str, Any] = {"color": "#555555", "linewidth": 0.6, "linestyle": ":"}
    for value in sorted(points["ALLOQ1"].dropna().unique()):
        axes.axvline(value, **limit)
    for value in sorted(points["ALLOQ2"].dropna().unique()):
        axes.axhline(value, **limit)
    # Both axes hold the same range, so that the line of identity is the diagonal.
    use_log_axis(axes, low, high)
    use_log_abscissa(axes, pd.Series([low, high]))
    axes.set_xlim(axes.get_ylim())
    head, text = points.iloc[0], context.language.text
    for axis, side in ((axes.xaxis, 1), (axes.yaxis, 2)):
        label = text(
            "figure.bridge.axis",
            analyte=analyte_label(context, place.analyte),
            version=head[f"ASSAYV{side}"],
        )
        axis.set_label_text(axis_title(label, head["AVALU"]))
    title, printed = _title(context, place)
    axes.set_title(title)
    figure.legend(
        handles=_legend(context, points, lines), loc="upper center", ncols=3, borderaxespad=0.2
    )
    return figure, printed


def _draw_points(axes: Axes, points: pd.DataFrame) -> None:
    style: dict[str, Any] = {"linestyle": "none", "markersize": 3.0, "markeredgewidth": 0.6}
    used = points["ANL01FL"] == "Y"
    axes.plot(points["SHOWN1"][used], points["SHOWN2"][used], "o", color=GREY, alpha=0.7, **style)
    other = points[~used]
    axes.plot(other["SHOWN1"], other["SHOWN2"], "s", color=PALETTE[1], fillstyle="none", **style)


def _title(context: Context, place: Place) -> tuple[str, list[str]]:
    """The numbers above the panel: pairs, ratio and slope."""
    printer = Printer(context.results, context.language)
    fit = place.of(FIT)
    cells = {
        "pairs": printer.cell(place, "{}", ("n_used", "count")),
        "ratio": printer.interval(fit, "ratio", "fixed2"),
        "slope": printer.interval(fit, "slope", "fixed2"),
    }
    values = {name: cell.text for name, cell in cells.items()}
    title = plain(context.language.text("figure.bridge.head", **values))
    return title, [value for cell in cells.values() for value in cell.value_ids]


def _colour(place: int) -> str:
    return (PALETTE[0], PALETTE[2])[place]


def _legend(context: Context, points: pd.DataFrame, lines: pd.DataFrame) -> list[Any]:
    from matplotlib.lines import Line2D

    text = context.language.text
    used = points["ANL01FL"] == "Y"
    handles = []
    if used.any():
        label = text("figure.bridge.used")
        handles.append(
            Line2D([], [], color=GREY, marker="o", linestyle="none", markersize=4, label=label)
        )
    if not used.all():
        handles.append(
            Line2D(
                [],
                [],
                color=PALETTE[1],
                marker="s",
                linestyle="none",
                markersize=4,
                fillstyle="none",
                label=text("figure.bridge.unused"),
            )
        )
    for number, series in enumerate(SERIES):
        if (lines["series"] == series).any():
            label = text(f"figure.bridge.{series}")
            handles.append(
                Line2D([], [], color=_colour(number), linestyle=LINES[number], label=label)
            )
    handles += [
        Line2D([], [], color="#555555", linewidth=0.8, label=text("figure.bridge.identity")),
        Line2D([], [], color="#555555", linestyle=":", linewidth=0.8, label=text("figure.lloq")),
    ]
    return handles


def _points_data(points: pd.DataFrame) -> pd.DataFrame:
    columns = ["PARAMCD", "USUBJID", "ASSAYV1", "ASSAYV2", "AFRLT", "SHOWN1", "SHOWN2", "AVALU"]
    kept = points[[*columns, "ANL01FL", "BRGXRS", "RATIO"]]
    return kept.rename(columns={"AFRLT": "DAY", "SHOWN1": "VALUE1", "SHOWN2": "VALUE2"})


def _lines_data(lines: pd.DataFrame, place: Place) -> pd.DataFrame:
    names = {"curve_id": "CURVE", "series": "SERIES", "x": "X", "y": "Y", "n": "N"}
    shown = lines[list(names)].rename(columns=names)
    return shown.assign(PARAMCD=place.analyte, ASSAYV1=place.by["version"])
