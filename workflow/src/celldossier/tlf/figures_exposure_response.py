"""Figures of exposure and response: probability of an event over exposure (F53 to F55, F61)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import axis_title, outside_legend, plain, use_log2_axis
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.figures_exposure_groups import draw_covariate_forest, draw_exposure_by_grade
from celldossier.tlf.labels import parameter_symbol
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, SMALL, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = [
    "draw_covariate_forest",
    "draw_event_probability",
    "draw_exposure_by_grade",
    "draw_probability",
]

PROBABILITY = "exposure_response.probability"


@dataclass(frozen=True)
class Relation:
    """One endpoint over one metric: its curves, points, and the texts printed with it.

    Attributes
    ----------
    points
        USUBJID, X (log2 exposure) and EVENT of the subjects of the model.
    head, ratios
        Texts printed in the figure: the numbers of subjects and events, and the odds
        ratio of each adjustment.
    """

    endpoint: str
    metric: str
    curve: pd.DataFrame
    points: pd.DataFrame
    head: str
    ratios: tuple[str, ...]
    value_ids: tuple[str, ...]
    reasons: tuple[str, ...]
    subjects: int

    @property
    def unit(self) -> str:
        """Unit of the exposure; the curves state it as log2(unit)."""
        units = self.curve["x_unit"]
        return str(units.iloc[0]).removeprefix("log2(").removesuffix(")") if len(units) else ""


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
        analytes=(str(context.settings["exposure_response"]["analyte"]),),
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


def read_relation(context: Context, endpoint: str, metric: str) -> Relation | NotShown:
    """Curves, points and printed texts of an endpoint over a metric.

    Returns
    -------
    Relation or NotShown
        NotShown with the reason code of the stage where there is nothing to draw.
    """
    settings = context.settings["exposure_response"]
    analyte = str(settings["analyte"])
    population = "LANDMARK" if metric.startswith("CLD") else "PRIMARY"
    model = Place(
        "exposure_response.logistic",
        endpoint,
        analyte,
        {"metric": metric, "population": population},
    )
    printer = Printer(context.results, context.language)
    plain_model = model.within(adjustment="UNADJUSTED")
    if not printer.exists(plain_model):
        return NotShown("NOTCOLL")
    curve = select_curve(context, f"{PROBABILITY}/{endpoint}/{metric}")
    if curve.empty:
        return NotShown(printer.value(plain_model, "or").note_code or "FEWSUBJ")
    counted = [printer.cell(plain_model, "{}", (stat, "count")) for stat in ("n", "events")]
    text = context.language.text
    head = text(
        "figure.odds_ratio_head",
        level=f"{100 * float(settings['confidence_level']):g}",
        n=counted[0].text,
        events=counted[1].text,
    )
    value_ids = [identifier for cell in counted for identifier in cell.value_ids]
    reasons: list[str] = []
    adjustments = [a for a in ("UNADJUSTED", "TUMOUR_BURDEN") if a in settings["adjustments"]]
    ratios = []
    for adjustment in adjustments:
        place = model.within(adjustment=adjustment)
        cell = printer.cell(
            place,
            "{} ({}–{})",
            ("or", "significant"),
            ("or_low", "significant"),
            ("or_high", "significant"),
        )
        ratios.append(f"{text(f'figure.adjustment.{adjustment}')} {cell.text}")
        value_ids += cell.value_ids
        reasons += cell.reasons
    bins = curve[curve["kind"] == "observed"].reset_index(drop=True)
    names = _bin_levels(context, endpoint, analyte, metric)
    if len(names) == len(bins):
        counts = [
            printer.cell(
                Place(
                    "exposure_response.quartiles",
                    endpoint,
                    analyte,
                    {"metric": metric, "bin": name},
                ),
                "{}/{}",
                ("events", "count"),
                ("n", "count"),
            )
            for name in names
        ]
        value_ids += [v for cell in counts for v in cell.value_ids]
        curve = curve.assign(label="")
        curve.loc[curve["kind"] == "observed", "label"] = [cell.text for cell in counts]
    return Relation(
        endpoint,
        metric,
        curve,
        _read_points(context, endpoint, metric),
        plain(head),
        tuple(plain(ratio) for ratio in ratios),
        tuple(value_ids),
        tuple(dict.fromkeys(reasons)),
        int(printer.subjects),
    )


def _bin_levels(context: Context, endpoint: str, analyte: str, metric: str) -> list[str]:
    """Names of the exposure groups, from the lowest exposure up."""
    rows = context.results.select("exposure_response.quartiles")
    rows = rows[
        (rows["variable"] == endpoint)
        & (rows["analyte"] == analyte)
        & (rows["group1"] == "bin")
        & (rows["level2"] == metric)
        & (rows["stat_name"] == "n")
    ]
    return sorted(rows["level1"])


def _read_points(context: Context, endpoint: str, metric: str) -> pd.DataFrame:
    """Exposure and event of each subject, by the rules of the unadjusted model.

    The endpoint's rule is that of ``resources/terms/endpoints.yaml``. For a landmark
    only subjects without an onset until it and until their sample are left.
    """
    rule = read_resource("terms", "endpoints.yaml")[endpoint]
    subjects = context.dataset("ADER")
    subjects = subjects[(subjects["ERFL"] == "Y") & (subjects[metric] > 0)]
    value = subjects[rule["variable"]]
    event = (value >= rule["at_least"]).astype(float).where(value.notna())
    unknown = context.settings["exposure_response"]["unknown_response"][0]
    if rule["variable"] == "OBJRESP" and unknown == "NONRESPONDER":
        event = event.mask(subjects["RESPGRP"] == "UNKNOWN", 0.0)
    kept = event.notna()
    if metric.startswith("CLD"):
        latest = np.fmax(subjects[f"{metric}DY"].to_numpy(), float(metric.removeprefix("CLD")))
        kept &= ~(subjects[rule["onset"]].to_numpy() <= latest)
    points = pd.DataFrame(
        {
            "USUBJID": subjects["USUBJID"],
            "X": np.log2(subjects[metric].to_numpy(dtype=float)),
            "EVENT": event,
        }
    )
    points = points[np.asarray(kept, dtype=bool)]
    return points.sort_values("USUBJID", kind="stable", ignore_index=True)


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
    return context.language.label(read_resource("terms", "endpoints.yaml")[relation.endpoint])


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
    level = f"{100 * float(context.settings['exposure_response']['confidence_level']):g}"
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
