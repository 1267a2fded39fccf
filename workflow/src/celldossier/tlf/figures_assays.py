"""Figure of two assays in the same samples: one against the other, and their ratio (F31)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.terms.language import print_unit
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import axis_title, place_axes, plain, use_day_axis, use_log_axis
from celldossier.tlf.figures_data import select_curve, show_pairs
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import GREY, LINES, PAGE_WIDTH, PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_assays import list_pairs, pair_names

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.typing import FillStyleType

SERIES = ("deming", "passing_bablok")

LABELLED_DECADES = 5
"""Most decades of a horizontal axis that are all labelled."""


@in_figure_style
def draw_assay_comparison(context: Context) -> Figure | NotShown:
    """Each pair of assays on a page: both results on log axes, and the ratio over time (F31).

    A result below its limit stands at the limit, as an open symbol. There is no line of
    identity: the two assays have different units.
    """
    pairs = list_pairs(context)
    samples = context.dataset("ADPAIR")
    pages: list[MatplotlibFigure] = []
    data: list[pd.DataFrame] = []
    value_ids: list[str] = []
    subjects = 0
    for place in pairs:
        points = samples[
            (samples["PARAMCD1"] == place.analyte) & (samples["PARAMCD2"] == place.variable)
        ]
        points = show_pairs(points)
        if points.empty:
            continue
        lines = select_curve(
            context, f"cellular_kinetics.concordance/{place.variable}/{place.analyte}", "fit"
        )
        ratio = select_curve(
            context, f"cellular_kinetics.assay_ratio/{place.variable}/{place.analyte}", "summary"
        )
        page, printed = _draw_page(context, place, points, lines, ratio)
        pages.append(page)
        value_ids += printed
        subjects = max(subjects, int(points["USUBJID"].nunique()))
        data += [_points_data(points), _curves_data(lines, place), _curves_data(ratio, place)]
    if not pages:
        return NotShown("NOTPAIRED")
    return Figure(
        pages=tuple(pages),
        data=pd.concat(data, ignore_index=True),
        subjects=subjects,
        value_ids=tuple(value_ids),
        footnotes=(context.language.text("figure.note.assays"),),
        analytes=tuple(dict.fromkeys(code for p in pairs for code in (p.analyte, p.variable))),
        alternative_text=context.language.text("figure.assays.alternative", total=subjects),
    )


def _draw_page(
    context: Context, place: Place, points: pd.DataFrame, lines: pd.DataFrame, ratio: pd.DataFrame
) -> tuple[MatplotlibFigure, list[str]]:
    text = context.language.text
    height, left, gap, foot, top = 96.0, 15.0, 19.0, 12.0, 21.0
    wide = (PAGE_WIDTH - left - gap - 3) / 2
    figure = new_figure(height, layout=None)
    scatter = place_axes(figure, left, foot, wide, height - foot - top)
    over_time = place_axes(figure, left + wide + gap, foot, wide, height - foot - top)
    _draw_scatter(scatter, points, lines)
    head = points.iloc[0]
    for axis, code, unit in (
        (scatter.xaxis, place.analyte, head["AVALU1"]),
        (scatter.yaxis, place.variable, head["AVALU2"]),
    ):
        axis.set_label_text(axis_title(analyte_label(context, code), unit))
    title, printed = _slopes(context, place)
    scatter.set_title(title)
    _draw_ratio(over_time, points, ratio, wide)
    over_time.set_xlabel(text("figure.days"))
    over_time.set_ylabel(plain(print_unit(head["RATIOU"])))
    over_time.set_title(plain(text("assay.ratio_of", **pair_names(context, place))))
    figure.legend(
        handles=_legend(context, place, points, lines),
        loc="upper center",
        ncols=3,
        borderaxespad=0.2,
    )
    return figure, printed


def _slopes(context: Context, place: Place) -> tuple[str, list[str]]:
    """The numbers above the scatter: pairs, rank correlation and the slope of Deming."""
    printer = Printer(context.results, context.language)
    fit = place.of("cellular_kinetics.concordance_fit")
    cells = [
        printer.cell(place, "{}", ("n_used", "count")),
        printer.cell(fit, "{}", ("rho", "fixed2")),
        printer.cell(fit, "{}", ("deming_slope", "fixed2")),
    ]
    names = ("pairs", "rho", "slope")
    values = {name: cell.text for name, cell in zip(names, cells, strict=True)}
    title = plain(context.language.text("figure.assays.head", **values))
    return title, [value for cell in cells for value in cell.value_ids]


def _draw_scatter(axes: Axes, points: pd.DataFrame, lines: pd.DataFrame) -> None:
    used = points["AGREECAT"] == "BOTH"
    style: dict[str, Any] = {"linestyle": "none", "markersize": 2.6, "markeredgewidth": 0.5}
    both = points[used]
    axes.plot(both["SHOWN1"], both["SHOWN2"], "o", color=GREY, alpha=0.55, **style)
    for category, marker, colour in (
        ("FIRST", "v", PALETTE[1]),
        ("SECOND", "<", PALETTE[3]),
        ("NEITHER", "s", "#555555"),
    ):
        own = points[points["AGREECAT"] == category]
        axes.plot(own["SHOWN1"], own["SHOWN2"], marker, color=colour, fillstyle="none", **style)
    limit: dict[str, Any] = {"color": "#555555", "linewidth": 0.6, "linestyle": ":"}
    for value in sorted(points["ALLOQ1"].dropna().unique()):
        axes.axvline(value, **limit)
    for value in sorted(points["ALLOQ2"].dropna().unique()):
        axes.axhline(value, **limit)
    for place, series in enumerate(SERIES):
        own = lines[lines["series"] == series]
        axes.plot(own["x"], own["y"], color=_colour(place), linestyle=LINES[place], linewidth=1.3)
    use_log_axis(axes, float(points["SHOWN2"].min()), float(points["SHOWN2"].max()))
    use_log_abscissa(axes, points["SHOWN1"])


def use_log_abscissa(axes: Axes, values: pd.Series) -> None:
    """Horizontal log axis with whole decades labelled, every other one where they are many."""
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = np.log10(values.min()), np.log10(values.max())
    room = 0.04 * max(high - low, 1.0)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (low - room), 10 ** (high + room))
    step = 1 if high - low <= LABELLED_DECADES else 2
    axes.xaxis.set_major_locator(LogLocator(base=10.0**step))
    axes.xaxis.set_minor_locator(NullLocator())


def _draw_ratio(axes: Axes, points: pd.DataFrame, ratio: pd.DataFrame, width: float) -> None:
    used = points[points["ANL01FL"] == "Y"]
    end = float(points["AFRLT"].max())
    axes.plot(
        used["AFRLT"], used["RATIO"], "o", linestyle="none", color=GREY, alpha=0.45, markersize=2
    )
    # The line is broken where the stage gives no mean.
    spread = np.vstack([ratio["y"] - ratio["low"], ratio["high"] - ratio["y"]])
    axes.errorbar(
        ratio["x"],
        ratio["y"],
        yerr=np.nan_to_num(spread),
        color=PALETTE[0],
        marker="o",
        markersize=3.2,
        elinewidth=0.8,
        capsize=1.6,
        linewidth=1.1,
    )
    use_day_axis(axes, end, width, "sqrt")
    if len(used):
        use_log_axis(axes, float(used["RATIO"].min()), float(used["RATIO"].max()))


def _colour(place: int) -> str:
    return (PALETTE[0], PALETTE[6])[place]


def _legend(
    context: Context, place: Place, points: pd.DataFrame, lines: pd.DataFrame
) -> list[Artist]:
    from matplotlib.lines import Line2D

    text, names = context.language.text, pair_names(context, place)
    handles: list[Artist] = []
    marks: tuple[tuple[str, str, str, FillStyleType], ...] = (
        ("BOTH", "o", GREY, "full"),
        ("FIRST", "v", PALETTE[1], "none"),
        ("SECOND", "<", PALETTE[3], "none"),
        ("NEITHER", "s", "#555555", "none"),
    )
    for category, marker, colour, full in marks:
        if (points["AGREECAT"] == category).any():
            handles.append(
                Line2D(
                    [],
                    [],
                    color=colour,
                    marker=marker,
                    linestyle="none",
                    markersize=4,
                    fillstyle=full,
                    label=plain(text(f"figure.assays.{category}", **names)),
                )
            )
    for number, series in enumerate(SERIES):
        if (lines["series"] == series).any():
            handles.append(
                Line2D(
                    [],
                    [],
                    color=_colour(number),
                    linestyle=LINES[number],
                    linewidth=1.3,
                    label=text(f"figure.assays.{series}"),
                )
            )
    handles.append(
        Line2D([], [], color="#555555", linestyle=":", linewidth=0.8, label=text("figure.lloq"))
    )
    return handles


def _points_data(points: pd.DataFrame) -> pd.DataFrame:
    columns = ["PAIRCD", "USUBJID", "AFRLT", "NFRLT", "SHOWN1", "AVALU1", "SHOWN2", "AVALU2"]
    kept = points[[*columns, "AGREECAT", "ANL01FL", "RATIO", "RATIOU"]]
    return kept.rename(columns={"AFRLT": "DAY", "SHOWN1": "VALUE1", "SHOWN2": "VALUE2"})


def _curves_data(curve: pd.DataFrame, place: Place) -> pd.DataFrame:
    names = {
        "series": "SERIES",
        "x": "X",
        "y": "Y",
        "low": "LOW",
        "high": "HIGH",
        "n": "N",
        "x_unit": "XU",
        "y_unit": "YU",
    }
    shown = curve[["curve_id", *names]].rename(columns={**names, "curve_id": "CURVE"})
    return shown.assign(PAIRCD=f"{place.analyte}-{place.variable}")
