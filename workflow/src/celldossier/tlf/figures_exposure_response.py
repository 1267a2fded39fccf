"""Figures of exposure and response: probability of an event over exposure (F53 to F55, F61)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.exposure_relations import Relation, read_relation
from celldossier.tlf.figures_axes import axis_title, outside_legend, plain, use_log2_axis
from celldossier.tlf.labels import endpoint_label, parameter_symbol, percent
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@in_figure_style
def draw_probability(context: Context) -> Figure | NotShown:
    """Probability of one endpoint over log2 of one metric (F53 to F55).

    Fitted curve with its band, observed rates of the exposure groups with
    Clopper-Pearson intervals, and each subject's exposure with and without event.
    Options: ``endpoint`` (OBJRESP), ``metric`` (AUC28).
    """
    endpoint = str(context.options.get("endpoint", "OBJRESP"))
    metric = str(context.options.get("metric", "AUC28"))
    relation = read_relation(context, endpoint, metric)
    if isinstance(relation, NotShown):
        return relation
    # Two of them fit on a page.
    figure = new_figure(80)
    axes = figure.subplots()
    _draw_relation(axes, context, relation)
    axes.set_ylabel(
        context.language.text("figure.probability_of", event=_endpoint(context, relation))
    )
    axes.set_xlabel(_metric_title(context, relation))
    ratios = context.language.text("label.sentence_separator").join(relation.ratios)
    axes.set_title(f"{relation.head}\n{ratios}", fontsize=7.5, linespacing=1.35)
    outside_legend(figure, _legend(context), columns=2)
    return _figure(context, [relation], figure)


@in_figure_style
def draw_event_probability(context: Context) -> Figure | NotShown:
    """Probability of several endpoints over several metrics, a panel each (F61).

    The landmark metrics hold the concentration before any onset. Options:
    ``endpoints`` (CRSGE2, CRSGE3), ``metrics`` (CMAX, CLD3, CLD7).
    """
    endpoints = _names(context.options.get("endpoints", ["CRSGE2", "CRSGE3"]))
    metrics = _names(context.options.get("metrics", ["CMAX", "CLD3", "CLD7"]))
    found = {
        (metric, endpoint): read_relation(context, endpoint, metric)
        for metric in metrics
        for endpoint in endpoints
    }
    shown = {key: item for key, item in found.items() if isinstance(item, Relation)}
    if not shown:
        return next(item for item in found.values() if isinstance(item, NotShown))
    metrics = [m for m in metrics if any((m, e) in shown for e in endpoints)]
    endpoints = [e for e in endpoints if any((m, e) in shown for m in metrics)]
    figure = new_figure(60 * len(metrics) + 12)
    grid = figure.subplots(len(metrics), len(endpoints), squeeze=False, sharey=True)
    for row, metric in zip(grid, metrics, strict=True):
        for axes, endpoint in zip(row, endpoints, strict=True):
            item = found[metric, endpoint]
            if isinstance(item, NotShown):
                axes.set_axis_off()
                continue
            _draw_relation(axes, context, item, most=5)
            axes.set_xlabel(_metric_title(context, item))
            axes.set_title(
                "\n".join([plain(_endpoint(context, item)), item.head, *item.ratios]),
                fontsize=SMALL,
                linespacing=1.3,
            )
        row[0].set_ylabel(context.language.text("figure.probability"))
    outside_legend(figure, _legend(context), columns=2)
    return _figure(context, list(shown.values()), figure)


def _names(option: Any) -> list[str]:
    return [str(name) for name in option]


def _figure(context: Context, relations: Sequence[Relation], figure: Any) -> Figure:
    data = pd.concat([_data(relation) for relation in relations], ignore_index=True)
    texts = dict.fromkeys(
        f"{_endpoint(context, item)}: {_metric(context, item.metric)}" for item in relations
    )
    events = context.language.text("label.sentence_separator").join(texts)
    notes = [context.language.text("figure.note.probability")]
    if any(relation.metric.startswith("CLD") for relation in relations):
        notes.append(context.language.text("figure.note.landmark"))
    return Figure(
        pages=(figure,),
        data=data,
        subjects=max(relation.subjects for relation in relations),
        value_ids=tuple(dict.fromkeys(v for r in relations for v in r.value_ids)),
        footnotes=tuple(notes),
        analytes=(exposure_analyte(context),),
        reasons=tuple(dict.fromkeys(code for r in relations for code in r.reasons)),
        alternative_text=context.language.text("figure.probability.alternative", relations=events),
    )


def _data(relation: Relation) -> pd.DataFrame:
    names = {"series": "SERIES", "x": "LOG2X", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N"}
    curve = relation.curve[list(names)].rename(columns=names).assign(USUBJID="")
    points = pd.DataFrame(
        {
            "SERIES": "subject",
            "USUBJID": relation.points["USUBJID"],
            "LOG2X": relation.points["X"],
            "VALUE": relation.points["EVENT"],
        }
    )
    both = pd.concat([curve, points], ignore_index=True)
    both = both.assign(ENDPOINT=relation.endpoint, METRIC=relation.metric, UNIT=relation.unit)
    order = ["ENDPOINT", "METRIC", "UNIT", "SERIES", "USUBJID", *names.values()]
    return both[list(dict.fromkeys(order))]


def _draw_relation(axes: Axes, context: Context, relation: Relation, most: int = 8) -> None:
    curve, points = relation.curve, relation.points
    fit, observed = curve[curve["kind"] == "fit"], curve[curve["kind"] == "observed"]
    axes.fill_between(fit["x"], fit["low"], fit["high"], color=PALETTE[0], alpha=0.15, linewidth=0)
    axes.plot(fit["x"], fit["y"], color=PALETTE[0], linewidth=1.4)
    y = observed["y"].to_numpy()
    spread = np.vstack([y - observed["low"].to_numpy(), observed["high"].to_numpy() - y])
    axes.errorbar(
        observed["x"],
        y,
        yerr=spread,
        fmt="o",
        color=PALETTE[1],
        markersize=4,
        elinewidth=0.9,
        capsize=2.5,
    )
    axes.set_ylim(-0.1, 1.19)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "0.25", "0.5", "0.75", "1"])
    if "label" in observed:
        for x, label in zip(observed["x"], observed["label"], strict=True):
            axes.text(x, 1.14, label, ha="center", va="center", fontsize=SMALL, color=PALETTE[1])
    for event, low, high in ((1.0, 1.02, 1.07), (0.0, -0.07, -0.02)):
        x = points.loc[points["EVENT"] == event, "X"]
        axes.vlines(x, low, high, color="#444444", linewidth=0.5)
    everything = np.concatenate([points["X"].to_numpy(), curve["x"].to_numpy()])
    use_log2_axis(axes, float(everything.min()), float(everything.max()), most)


def _endpoint(context: Context, relation: Relation) -> str:
    return endpoint_label(context, relation.endpoint)


def _metric(context: Context, metric: str) -> str:
    if metric.startswith("CLD"):
        return context.language.text("figure.concentration_by_day", day=metric.removeprefix("CLD"))
    return parameter_symbol(metric)


def _metric_title(context: Context, relation: Relation) -> str:
    title = axis_title(_metric(context, relation.metric), relation.unit)
    return context.language.text("figure.log2_scale", title=title)


def _legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = context.language.text
    level = percent(context.settings["exposure_response"]["confidence_level"])
    return [
        Line2D([], [], color=PALETTE[0], linewidth=1.4, label=text("figure.fitted")),
        Patch(facecolor=PALETTE[0], alpha=0.15, label=text("figure.band", level=level)),
        Line2D(
            [],
            [],
            color=PALETTE[1],
            marker="o",
            markersize=4,
            linewidth=0.9,
            label=text("figure.observed_rate", level=level),
        ),
        Line2D(
            [],
            [],
            color="#444444",
            linestyle="none",
            marker="|",
            markersize=5,
            label=text("figure.rug"),
        ),
    ]
