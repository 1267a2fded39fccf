"""Benefit and risk over one axis of exposure, with the exposure of each dose level (F83)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import (
    axis_title,
    fitting_columns,
    jitter,
    outside_legend,
    plain,
    use_log2_axis,
)
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import endpoint_label, level_label, metric_label, percent
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import LINES, PALETTE, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

CURVE = "exposure_response.benefit_risk"
DOSES = "exposure_response.exposure_by_dose"


@in_figure_style
def draw_benefit_risk(context: Context) -> Figure | NotShown:
    """Probability of wanted and unwanted endpoints over log2 exposure (F83).

    Below stands the exposure that was observed at each dose level. Options: ``metric``
    (CMAX), ``endpoints`` (codes, those of the settings are shown).
    """
    text = context.language.text
    settings = context.settings["exposure_response"]
    metric = str(context.options["metric"])
    analyte = exposure_analyte(context)
    if metric not in settings["metrics"]:
        return NotShown("NOGRPASK")
    wanted = [str(code) for code in context.options["endpoints"] if code in settings["endpoints"]]
    curve = select_curve(context, f"{CURVE}/{metric}")
    shown = [code for code in wanted if (curve["series"] == code).any()]
    printer = Printer(context.results, context.language)
    place = Place(
        "exposure_response.logistic",
        analyte=analyte,
        by={
            "metric": metric,
            "adjustment": settings["primary_adjustment"],
            "population": "PRIMARY",
        },
    )
    # A fitted model without a curve has no reason of its own: its metric is not predicted.
    refused = {
        code: printer.value(_of_endpoint(place, code), "or").note_code or "NOGRPASK"
        for code in wanted
        if code not in shown and printer.exists(_of_endpoint(place, code), "or")
    }
    if not shown:
        return NotShown(next(iter(refused.values()), "NOTCOLL" if wanted else "NOENDPT"))
    curve = curve[curve["series"].isin(shown)]
    unit = str(curve["x_unit"].iloc[0]).removeprefix("log2(").removesuffix(")")
    subjects = context.dataset("ADER")
    subjects = subjects[(subjects["ERFL"] == "Y") & subjects[metric].notna()]
    subjects = subjects.sort_values("USUBJID", kind="stable")
    doses = natural_order(set(subjects["TRT01A"]) - {""})
    figure = new_figure(104 + 9 * len(doses))
    above, below = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [78, 9 * len(doses) + 4]}
    )
    handles, value_ids = _draw_curves(above, context, printer, curve, shown, place)
    positive = subjects[subjects[metric] > 0]
    value_ids += _draw_doses(below, context, printer, positive, doses, metric, analyte)
    exposure = np.log2(positive[metric].to_numpy(dtype=float))
    ends = np.concatenate([exposure, curve["x"].to_numpy()])
    use_log2_axis(below, float(ends.min()), float(ends.max()))
    title = axis_title(metric_label(context.language, metric), unit)
    below.set_xlabel(text("figure.log2_scale", title=title))
    above.set_ylabel(text("figure.probability"))
    outside_legend(figure, handles, columns=fitting_columns(handles, 7.5, most=2))
    return Figure(
        pages=(figure,),
        data=_data(curve, positive, metric, unit),
        subjects=int(curve["n"].max()),
        value_ids=tuple(dict.fromkeys(value_ids)),
        footnotes=_notes(context, refused, len(subjects) - len(positive)),
        analytes=(analyte,),
        alternative_text=text(
            "figure.benefit_risk.alternative",
            metric=metric_label(context.language, metric),
            endpoints=text("label.list_separator").join(
                endpoint_label(context, code) for code in shown
            ),
        ),
    )


def _notes(context: Context, refused: Mapping[str, str], never: int) -> tuple[str, ...]:
    """How the curves were made, which are missing and why, and who has no place on the axis.

    Parameters
    ----------
    refused
        Reason code of each endpoint without a curve.
    never
        Number of subjects who were never quantifiable.
    """
    text, settings = context.language.text, context.settings["exposure_response"]
    notes = [
        text(
            "figure.note.benefit_risk",
            adjustment=text(f"figure.adjustment.{settings['primary_adjustment']}"),
            level=percent(settings["confidence_level"]),
            covariates=text(
                f"footnote.predicted_covariates.{settings['predictions']['covariates']}"
            ),
        )
    ]
    notes += [
        text(
            "figure.note.no_curve",
            endpoint=endpoint_label(context, code),
            reason=context.language.reason(reason),
        )
        for code, reason in refused.items()
    ]
    if never:
        notes.append(text("figure.note.never_quantifiable", n=never))
    return tuple(notes)


def _of_endpoint(place: Place, endpoint: str) -> Place:
    return Place(place.analysis, endpoint, place.analyte, place.by)


def _draw_curves(
    axes: Axes,
    context: Context,
    printer: Printer,
    curve: pd.DataFrame,
    shown: Sequence[str],
    place: Place,
) -> tuple[list[Artist], list[str]]:
    """A line and a band for each endpoint; n and events stand in the legend."""
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    value_ids: list[str] = []
    for number, endpoint in enumerate(shown):
        points = curve[curve["series"] == endpoint]
        look: dict[str, Any] = {
            "color": PALETTE[number % len(PALETTE)],
            "linestyle": LINES[number % len(LINES)],
            "linewidth": 1.5,
        }
        axes.fill_between(
            points["x"],
            points["low"],
            points["high"],
            color=look["color"],
            alpha=0.1,
            linewidth=0,
        )
        axes.plot(points["x"], points["y"], **look)
        counts = [
            printer.cell(_of_endpoint(place, endpoint), "{}", (stat, "count"))
            for stat in ("n", "events")
        ]
        label = context.language.text(
            "figure.benefit_risk.series",
            endpoint=endpoint_label(context, endpoint),
            n=counts[0].text,
            events=counts[1].text,
        )
        handles.append(Line2D([], [], label=plain(label), **look))
        value_ids += [identifier for cell in counts for identifier in cell.value_ids]
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "0.25", "0.5", "0.75", "1"])
    return handles, value_ids


def _draw_doses(
    axes: Axes,
    context: Context,
    printer: Printer,
    subjects: pd.DataFrame,
    doses: Sequence[str],
    metric: str,
    analyte: str,
) -> list[str]:
    """Each subject's exposure by dose level, with the quartiles and the median of the level."""
    value_ids: list[str] = []
    labels: list[str] = []
    for row, dose in enumerate(doses):
        block = Place(DOSES, metric, analyte, {"dose": dose})
        count = printer.cell(block, "{}", ("n", "count"))
        labels.append(f"{plain(level_label(context.language, 'dose', dose))} (n = {count.text})")
        value_ids += count.value_ids
        x = np.log2(subjects.loc[subjects["TRT01A"] == dose, metric].to_numpy(dtype=float))
        axes.scatter(
            x, row + jitter(x.size, 0.26), s=7, color=PALETTE[0], alpha=0.55, linewidths=0, zorder=3
        )
        if not printer.few(block):
            quartiles = [printer.value(block, stat).number for stat in ("q1", "median", "q3")]
            if min(quartiles) > 0:
                low, middle, high = np.log2(quartiles)
                axes.plot(
                    [low, high, high, low, low],
                    [row - 0.36, row - 0.36, row + 0.36, row + 0.36, row - 0.36],
                    color="#333333",
                    linewidth=0.9,
                )
                axes.plot(
                    [middle, middle], [row - 0.36, row + 0.36], color=PALETTE[1], linewidth=1.6
                )
    axes.set_yticks(range(len(doses)), labels=labels)
    axes.set_ylim(len(doses) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
    return value_ids


def _data(curve: pd.DataFrame, subjects: pd.DataFrame, metric: str, unit: str) -> pd.DataFrame:
    names = {"series": "SERIES", "x": "LOG2X", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N"}
    lines = curve[list(names)].rename(columns=names).assign(USUBJID="", DOSE="")
    points = pd.DataFrame(
        {
            "SERIES": "subject",
            "USUBJID": subjects["USUBJID"],
            "DOSE": subjects["TRT01A"],
            "LOG2X": np.log2(subjects[metric].to_numpy(dtype=float)),
        }
    )
    both = pd.concat([lines, points], ignore_index=True).assign(METRIC=metric, UNIT=unit)
    return both[["METRIC", "UNIT", "SERIES", "USUBJID", "DOSE", *list(names.values())[1:]]]
