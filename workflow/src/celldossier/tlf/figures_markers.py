"""Figures of markers over exposure (F49a), and of the onset of events and the peak (F66)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.tlf.cells import Place, Printer, interval
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import (
    axis_title,
    outside_legend,
    plain,
    use_log2_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import endpoint_label, parameter_symbol, percent
from celldossier.tlf.model import Cell, Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

KEY = ["STUDYID", "USUBJID"]
ONSETS = {"CRS": "CRSONDY", "ICANS": "ICANONDY"}
PER_ROW = 2


@in_figure_style
def draw_marker_exposure(context: Context) -> Figure | NotShown:
    """Each marker over log2 of one metric, a panel each, with the unadjusted line (F49a).

    Options: ``metric`` (CMAX).
    """
    metric = str(context.options.get("metric", "CMAX"))
    analyte = exposure_analyte(context)
    printer = Printer(context.results, context.language)
    markers = _markers(context, metric)
    panels = [(code, _points(context, code, metric)) for code in markers]
    panels = [(code, points) for code, points in panels if len(points) > 1]
    if not panels:
        return NotShown("NOTCOLL")
    rows = math.ceil(len(panels) / PER_ROW)
    figure = new_figure(56 * rows + 14)
    grid = figure.subplots(rows, PER_ROW, squeeze=False)
    parts: list[pd.DataFrame] = []
    value_ids: list[str] = []
    reasons: list[str] = []
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (code, points) in zip(grid.flat, panels, strict=False):
        place = Place(
            "exposure_response.biomarker",
            code,
            analyte,
            {"metric": metric, "population": "PRIMARY", "adjustment": "UNADJUSTED"},
        )
        head = _panel_head(context, printer, place)
        value_ids += head.value_ids
        reasons += head.reasons
        curve = select_curve(context, f"exposure_response.biomarker/{code}/{metric}", "fit")
        _draw_panel(axes, points, curve)
        axes.set_title(
            f"{plain(endpoint_label(context, code))}\n{plain(head.text)}", fontsize=SMALL
        )
        axes.set_ylabel(
            axis_title(context.language.text("figure.marker_value"), points.attrs["unit"])
        )
        title = axis_title(parameter_symbol(metric), _metric_unit(context, metric))
        axes.set_xlabel(context.language.text("figure.log2_scale", title=title))
        parts.append(_panel_data(code, metric, points, curve))
    outside_legend(figure, _legend(context), columns=2)
    names = context.language.text("label.list_separator").join(
        endpoint_label(context, code) for code, _ in panels
    )
    return Figure(
        pages=(figure,),
        data=pd.concat(parts, ignore_index=True),
        subjects=max(len(points) for _, points in panels),
        value_ids=tuple(value_ids),
        footnotes=(context.language.text("figure.note.marker_exposure"),),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(reasons)),
        alternative_text=context.language.text(
            "figure.marker_exposure.alternative", markers=names, metric=parameter_symbol(metric)
        ),
    )


def _panel_head(context: Context, printer: Printer, place: Place) -> Cell:
    n = printer.cell(place, "{}", ("n", "count"))
    ratio = printer.cell(place, "{} ({}–{})", *interval("ratio"))
    text = context.language.text("figure.marker_ratio", n=n.text, ratio=ratio.text)
    return Cell(text, (*n.value_ids, *ratio.value_ids), ratio.reasons)


def _draw_panel(axes: Axes, points: pd.DataFrame, curve: pd.DataFrame) -> None:
    below = points["BLQFL"] == "Y"
    axes.plot(
        points.loc[~below, "X"], points.loc[~below, "AVAL"], "o",
        color=PALETTE[0], markersize=2.8, alpha=0.7, linewidth=0,
    )  # fmt: skip
    axes.plot(
        points.loc[below, "X"], points.loc[below, "AVAL"], "v",
        color=PALETTE[1], markersize=3.2, markerfacecolor="none", linewidth=0,
    )  # fmt: skip
    if len(curve):
        axes.fill_between(
            curve["x"], curve["low"], curve["high"], color=PALETTE[0], alpha=0.15, linewidth=0
        )
        axes.plot(curve["x"], curve["y"], color=PALETTE[0], linewidth=1.4)
    use_log_axis(axes, float(points["AVAL"].min()), float(points["AVAL"].max()))
    use_log2_axis(axes, float(points["X"].min()), float(points["X"].max()), 5)


def _panel_data(code: str, metric: str, points: pd.DataFrame, curve: pd.DataFrame) -> pd.DataFrame:
    line = curve[["x", "y", "low", "high"]].rename(
        columns={"x": "LOG2X", "y": "VALUE", "low": "LOW", "high": "HIGH"}
    )
    subjects = points[["USUBJID", "X", "AVAL", "BLQFL"]].rename(
        columns={"X": "LOG2X", "AVAL": "VALUE"}
    )
    both = pd.concat(
        [subjects.assign(SERIES="subject"), line.assign(SERIES="fit", USUBJID="", BLQFL="")],
        ignore_index=True,
    )
    both = both.assign(ENDPOINT=code, METRIC=metric)
    return both[
        ["ENDPOINT", "METRIC", "SERIES", "USUBJID", "LOG2X", "VALUE", "LOW", "HIGH", "BLQFL"]
    ]


def _markers(context: Context, metric: str) -> list[str]:
    """Continuous endpoints that have a model cell of the metric, in the order of the settings."""
    rows = context.results.select("exposure_response.biomarker")
    found = set(rows.loc[rows["level2"] == metric, "variable"])
    order = [str(code) for code in context.settings["exposure_response"]["endpoints"]]
    return [code for code in order if code in found]


def _points(context: Context, code: str, metric: str) -> pd.DataFrame:
    """Exposure and marker of the subjects of the unadjusted model."""
    values = context.dataset("ADEREND")
    values = values.loc[values["PARAMCD"] == code, [*KEY, "AVAL", "AVALU", "BLQFL"]]
    subjects = context.dataset("ADER")[[*KEY, "ERFL", metric]].merge(values, on=KEY)
    kept = (subjects["ERFL"] == "Y") & (subjects[metric] > 0) & (subjects["AVAL"] > 0)
    points = subjects.loc[kept].sort_values("USUBJID", kind="stable", ignore_index=True)
    points = points.assign(X=np.log2(points[metric].to_numpy(dtype=float)))
    points.attrs["unit"] = str(points["AVALU"].iloc[0]) if len(points) else ""
    return points


def _metric_unit(context: Context, metric: str) -> str:
    curves = context.curves
    ours = curves["curve_id"].str.startswith("exposure_response.biomarker/") & curves[
        "curve_id"
    ].str.endswith(f"/{metric}")
    units = curves.loc[ours, "x_unit"]
    return str(units.iloc[0]).removeprefix("log2(").removesuffix(")") if len(units) else ""


def _legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = context.language.text
    level = percent(context.settings["exposure_response"]["confidence_level"])
    return [
        Line2D(
            [], [], color=PALETTE[0], marker="o", linestyle="none", markersize=3.5,
            label=text("figure.subject"),
        ),
        Line2D(
            [], [], color=PALETTE[1], marker="v", markerfacecolor="none", linestyle="none",
            markersize=3.5, label=text("figure.marker_below"),
        ),
        Line2D([], [], color=PALETTE[0], linewidth=1.4, label=text("figure.fitted_line")),
        Patch(facecolor=PALETTE[0], alpha=0.15, label=text("figure.band", level=level)),
    ]  # fmt: skip


@in_figure_style
def draw_onset_peak(context: Context) -> Figure | NotShown:
    """Day of onset against the time of the peak, with the line of identity (F66)."""
    analyte = exposure_analyte(context)
    printer = Printer(context.results, context.language)
    peak = context.dataset("ADPP")
    peak = peak.loc[
        (peak["PARCAT1"] == analyte) & (peak["PROFTYP"] == "COURSE") & (peak["PARAMCD"] == "TMAX"),
        [*KEY, "AVAL"],
    ].drop_duplicates(KEY)
    ader = context.dataset("ADER")
    panels = []
    for event, variable in ONSETS.items():
        points = ader.loc[(ader["ERFL"] == "Y") & ader[variable].notna(), [*KEY, variable]].merge(
            peak, on=KEY
        )
        points = points.dropna().rename(columns={variable: "ONSETDY", "AVAL": "TMAX"})
        if len(points):
            ordered = points.sort_values("USUBJID", kind="stable", ignore_index=True)
            panels.append((event, ordered))
    if not panels:
        return NotShown("NOEVENT")
    figure = new_figure(92)
    grid = figure.subplots(1, len(panels), squeeze=False)
    value_ids: list[str] = []
    parts: list[pd.DataFrame] = []
    for axes, (event, points) in zip(grid.flat, panels, strict=True):
        place = Place("exposure_response.onset_peak", event, analyte)
        counted = printer.cell(place, "{}/{}", ("n_before", "count"), ("n", "count"))
        share = printer.cell(
            place,
            "{} ({}–{})",
            *((stat, "fixed1") for stat in ("pct_before", "ci_low", "ci_high")),
        )
        value_ids += [*counted.value_ids, *share.value_ids]
        end = 1.05 * float(max(points["ONSETDY"].max(), points["TMAX"].max()))
        axes.plot([0, end], [0, end], color="#444444", linewidth=0.9, linestyle="--")
        axes.plot(
            points["TMAX"], points["ONSETDY"], "o",
            color=PALETTE[0], markersize=3.4, alpha=0.7, linewidth=0,
        )  # fmt: skip
        axes.set_xlim(0, end)
        axes.set_ylim(0, end)
        axes.set_aspect("equal")
        axes.set_xlabel(axis_title(parameter_symbol("TMAX"), "d"))
        axes.set_ylabel(axis_title(context.language.text("figure.onset_of", event=event), "d"))
        axes.set_title(
            plain(
                context.language.text("figure.onset_before", counted=counted.text, share=share.text)
            ),
            fontsize=7.5,
        )
        parts.append(points[["USUBJID", "TMAX", "ONSETDY"]].assign(EVENT=event))
    outside_legend(figure, _onset_legend(context), columns=2)
    names = context.language.text("label.list_separator").join(event for event, _ in panels)
    return Figure(
        pages=(figure,),
        data=pd.concat(parts, ignore_index=True),
        subjects=max(len(points) for _, points in panels),
        value_ids=tuple(value_ids),
        footnotes=(context.language.text("figure.note.onset_peak"),),
        analytes=(analyte,),
        alternative_text=context.language.text("figure.onset_peak.alternative", events=names),
    )


def _onset_legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    return [
        Line2D(
            [], [], color=PALETTE[0], marker="o", linestyle="none", markersize=3.5,
            label=text("figure.subject"),
        ),
        Line2D(
            [], [], color="#444444", linewidth=0.9, linestyle="--", label=text("figure.identity")
        ),
    ]  # fmt: skip
