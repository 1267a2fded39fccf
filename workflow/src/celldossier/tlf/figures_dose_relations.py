"""Figure of exposure against dose on log axes, with the power model (F18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.terms.study_terms import RESPONSE_GROUPS, UNKNOWN
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import (
    axis_title,
    outside_legend,
    plain,
    use_log2_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import level_label, metric_label, percent
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import LINES, MARKERS, PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_dose_relations import EXPOSURE, dose_label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

RESPONSES = (*RESPONSE_GROUPS.values(), UNKNOWN, "")
COLUMNS = 2
REFERENCE_COLOUR = "#555555"


@in_figure_style
def draw_dose_exposure_plot(context: Context) -> Figure | NotShown:
    """Exposure of each subject against the dose given, a panel for each metric (F18).

    Subjects by response; the line of the power model with the band of its mean; a line of
    slope 1 for comparison. The dose is the first one of the settings.
    """
    settings = context.settings["exposure_response"]
    analyte, metrics = exposure_analyte(context), list(settings["metrics"])
    dose = str(settings["dose_exposure"]["metrics"][0])
    printer = Printer(context.results, context.language)
    places = [
        Place(EXPOSURE, metric, analyte, {"analysis": "ALL", "dose_metric": dose, "level": "ALL"})
        for metric in metrics
    ]
    places = [place for place in places if printer.exists(place)]
    shown = [place for place in places if printer.value(place, "n").number > 0]
    if not shown:
        reason = printer.value(places[0], "slope").note_code if places else "NOTCOLL"
        return NotShown(reason)
    across = min(COLUMNS, len(shown))
    down = -(-len(shown) // across)
    figure = new_figure(min(72 * down + 16, 200))
    grid = figure.subplots(down, across, squeeze=False)
    panels = list(grid.flat)
    data: list[pd.DataFrame] = []
    value_ids: list[str] = []
    reasons: list[str] = []
    for axes, place in zip(panels, shown, strict=False):
        part, printed, why = _draw_panel(axes, context, place, dose)
        data.append(part)
        value_ids += printed
        reasons += why
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    everything = pd.concat(data, ignore_index=True)
    outside_legend(figure, _legend(context, everything), columns=3)
    return Figure(
        pages=(figure,),
        data=everything,
        subjects=max(int(printer.value(place, "n").number) for place in shown),
        value_ids=tuple(value_ids),
        footnotes=(context.language.text("figure.note.dose_exposure"),),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(reasons)),
        alternative_text=context.language.text(
            "figure.dose_exposure.alternative",
            dose=dose_label(context.language, dose, ""),
        ),
    )


def _draw_panel(
    axes: Axes, context: Context, place: Place, dose: str
) -> tuple[pd.DataFrame, list[str], list[str]]:
    metric = place.variable
    points = _points(context, metric, dose)
    line = select_curve(context, f"{EXPOSURE}/{metric}/{dose}")
    proportional = select_curve(context, f"exposure_response.dose_proportional/{metric}/{dose}")
    for response, marker, colour in zip(RESPONSES, MARKERS, PALETTE, strict=False):
        own = points[points["RESPONSE"] == response]
        axes.plot(
            np.log2(own["DOSE"]),
            own["VALUE"],
            marker,
            color=colour,
            markersize=3.2,
            alpha=0.7,
            linestyle="none",
            markeredgewidth=0,
        )
    low, high = float(points["VALUE"].min()), float(points["VALUE"].max())
    for series in dict.fromkeys(line["series"]):
        own = line[line["series"] == series]
        x = np.log2(own["x"])
        axes.fill_between(x, own["low"], own["high"], color="#000000", alpha=0.13, linewidth=0)
        axes.plot(x, own["y"], color="#000000", linewidth=1.4)
        same = proportional[proportional["series"] == series]
        axes.plot(
            np.log2(same["x"]), same["y"], color=REFERENCE_COLOUR, linewidth=1.0, linestyle=LINES[1]
        )
    use_log_axis(axes, low, high)
    ends = np.log2(points["DOSE"])
    # One dose alone still needs an axis around it.
    room = 0.5 if float(np.ptp(ends)) < 1e-9 else 0.0
    use_log2_axis(axes, float(ends.min()) - room, float(ends.max()) + room, 6)
    printer = Printer(context.results, context.language)
    unit = printer.value(place, "dose_min").unit
    axes.set_xlabel(axis_title(dose_label(context.language, dose, unit)), fontsize=SMALL)
    y_unit = str(line["y_unit"].iloc[0]) if len(line) else ""
    axes.set_ylabel(axis_title(metric_label(context.language, metric), y_unit))
    title, printed, reasons = _head(printer, context, place)
    axes.set_title(title, fontsize=SMALL, linespacing=1.3)
    curve = line.rename(
        columns={"x": "DOSE", "y": "VALUE", "low": "LOW", "high": "HIGH", "series": "STUDYID"}
    )[["STUDYID", "DOSE", "VALUE", "LOW", "HIGH"]]
    parts = [curve.assign(SERIES="fit", USUBJID="", RESPONSE=""), points.assign(SERIES="subject")]
    both = pd.concat(parts, ignore_index=True).assign(METRIC=metric, DOSEMET=dose)
    order = ["METRIC", "DOSEMET", "SERIES", "STUDYID", "USUBJID", "RESPONSE"]
    return both[[*order, "DOSE", "VALUE", "LOW", "HIGH"]], printed, reasons


def _points(context: Context, metric: str, dose: str) -> pd.DataFrame:
    """Subjects of the model: the E-R population with dose and exposure above 0."""
    rows = context.dataset("ADER")
    rows = rows[(rows["ERFL"] == "Y") & (rows[metric] > 0) & (rows[dose] > 0)]
    names = {"RESPGRP": "RESPONSE", dose: "DOSE", metric: "VALUE"}
    points = rows[["STUDYID", "USUBJID", *names]].rename(columns=names)
    return points.sort_values(["STUDYID", "USUBJID"], kind="stable", ignore_index=True)


def _head(printer: Printer, context: Context, place: Place) -> tuple[str, list[str], list[str]]:
    """The numbers above a panel: subjects, slope with its interval, R squared, verdict."""
    cells = {
        "n": printer.cell(place, "{}", ("n", "count")),
        "slope": printer.interval(place, "slope", "fixed2"),
        "r2": printer.cell(place, "{}", ("r2", "fixed2")),
    }
    settings = context.settings["exposure_response"]["dose_exposure"]
    level = percent(settings["confidence_level"])
    verdict = printer.value(place, "verdict")
    judged = (
        level_label(context.language, "dose_verdict", verdict.text)
        if verdict.text
        else context.language.text("label.not_calculated")
    )
    text = context.language.text(
        "figure.dose_exposure.head",
        level=level,
        verdict=judged,
        **{name: cell.text for name, cell in cells.items()},
    )
    value_ids = [v for cell in cells.values() for v in cell.value_ids] + [verdict.value_id]
    reasons = [code for cell in cells.values() for code in cell.reasons]
    if verdict.note_code:
        reasons.append(verdict.note_code)
    return "\n".join(plain(part) for part in text.split(" | ")), value_ids, reasons


def _legend(context: Context, data: pd.DataFrame) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = context.language.text
    settings = context.settings["exposure_response"]["dose_exposure"]
    level = percent(settings["confidence_level"])
    present = set(data.loc[data["SERIES"] == "subject", "RESPONSE"])
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            markersize=4,
            linestyle="none",
            label=level_label(context.language, "response", response or "NOT_COLLECTED"),
        )
        for response, marker, colour in zip(RESPONSES, MARKERS, PALETTE, strict=False)
        if response in present
    ]
    if (data["SERIES"] == "fit").any():
        handles += [
            Line2D([], [], color="#000000", linewidth=1.4, label=text("figure.power_model")),
            Patch(facecolor="#000000", alpha=0.13, label=text("figure.band", level=level)),
            Line2D(
                [],
                [],
                color=REFERENCE_COLOUR,
                linewidth=1.0,
                linestyle=LINES[1],
                label=text("figure.proportional"),
            ),
        ]
    return handles
