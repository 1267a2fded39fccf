"""Exposure in groups: by grade of an adverse event (F60), by covariate (F72)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import (
    axis_title,
    jitter,
    place_axes,
    plain,
    short_number,
    text_width,
    use_log_axis,
)
from celldossier.tlf.labels import level_label, parameter_symbol, unit_label, with_unit
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PAGE_WIDTH, PALETTE, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EQUIVALENCE = (0.8, 1.25)
"""Shaded band of the forest: a help for the eye, no decision rule."""


@in_figure_style
def draw_exposure_by_grade(context: Context) -> Figure | NotShown:
    """Exposure by worst grade, each subject and the quartiles of each grade (F60).

    Options: ``endpoint`` (CRSGR, a variable of ADER), ``metric`` (CMAX).
    """
    endpoint = str(context.options.get("endpoint", "CRSGR"))
    metric = str(context.options.get("metric", "CMAX"))
    analyte = str(context.settings["exposure_response"]["analyte"])
    subjects = context.dataset("ADER")
    subjects = subjects[(subjects["ERFL"] == "Y") & subjects[endpoint].notna()]
    subjects = subjects[subjects[metric].notna()].sort_values("USUBJID", kind="stable")
    shown = subjects[subjects[metric] > 0]
    if shown.empty:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, context.language)
    summary = Place("exposure_response.grade_summary", metric, analyte, {"endpoint": endpoint})
    grades = natural_order(f"{grade:g}" for grade in subjects[endpoint].unique())
    figure = new_figure(95)
    axes = figure.subplots()
    boxes: list[dict[str, Any]] = []
    labels: list[str] = []
    value_ids: list[str] = []
    unit = ""
    for place, grade in enumerate(grades):
        block = summary.within(grade=grade)
        count = printer.cell(block, "{}", ("n", "count"))
        name = context.language.text("figure.grade", grade=grade)
        labels.append(f"{plain(name)}\nn = {count.text}")
        value_ids += count.value_ids
        unit = printer.value(block, "median").unit or unit
        if not printer.few(block):
            boxes.append(_box(printer, block, place))
        values = shown.loc[shown[endpoint] == float(grade), metric].to_numpy(dtype=float)
        axes.scatter(
            place + jitter(values.size, 0.22),
            values,
            s=9,
            color=PALETTE[0],
            alpha=0.65,
            linewidths=0,
            zorder=3,
        )
    low, high = float(shown[metric].min()), float(shown[metric].max())
    _draw_boxes(axes, boxes, low)
    use_log_axis(axes, low, high)
    axes.set_xticks(range(len(grades)), labels=labels)
    axes.set_xlim(-0.6, len(grades) - 0.4)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(context.language.text(f"figure.worst_grade.{endpoint}"))
    axes.set_ylabel(axis_title(parameter_symbol(metric), unit))
    trend = Place("exposure_response.grade_trend", metric, analyte, {"endpoint": endpoint})
    if printer.exists(trend, "p"):
        p = printer.cell(trend, "{}", ("p", "p"))
        if not p.reasons:
            equal = p.text if p.text.startswith("<") else f"= {p.text}"
            axes.set_title(context.language.text("figure.trend_p", p=equal))
            value_ids += p.value_ids
    footnotes = [context.language.text("figure.note.boxes")]
    if len(shown) < len(subjects):
        footnotes.append(
            context.language.text("figure.note.never_quantifiable", n=len(subjects) - len(shown))
        )
    data = subjects[["USUBJID", endpoint, metric]].rename(
        columns={endpoint: "GRADE", metric: "VALUE"}
    )
    return Figure(
        pages=(figure,),
        data=data.assign(ENDPOINT=endpoint, METRIC=metric, UNIT=unit).reset_index(drop=True),
        subjects=len(subjects),
        value_ids=tuple(value_ids),
        footnotes=tuple(footnotes),
        analytes=(analyte,),
        alternative_text=context.language.text(
            "figure.by_grade.alternative",
            metric=parameter_symbol(metric),
            event=context.language.text(f"figure.worst_grade.{endpoint}"),
        ),
    )


def _box(printer: Printer, block: Place, place: int) -> dict[str, Any]:
    names = {"med": "median", "q1": "q1", "q3": "q3", "whislo": "min", "whishi": "max"}
    box = {key: printer.value(block, stat).number for key, stat in names.items()}
    return {**box, "fliers": [], "position": place}


def _draw_boxes(axes: Axes, boxes: Sequence[dict[str, Any]], low: float) -> None:
    """Boxes of the stage's quartiles; whiskers to minimum and maximum.

    A minimum of 0 (never quantifiable) has no place on a log axis: the whisker
    then ends at the lowest value shown.
    """
    if not boxes:
        return
    clipped = [
        {
            **box,
            **{key: max(float(box[key]), low) for key in ("med", "q1", "q3", "whislo", "whishi")},
        }
        for box in boxes
    ]
    line = {"color": "#333333", "linewidth": 0.9}
    axes.bxp(
        clipped,
        positions=[box["position"] for box in clipped],
        widths=0.55,
        showfliers=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": PALETTE[1], "linewidth": 1.6},
        manage_ticks=False,
    )


@dataclass(frozen=True)
class ForestRow:
    """A row of the forest; a heading has a label only."""

    label: str
    indent: bool = False
    counts: str = ""
    ratio: str = ""
    point: tuple[float, float, float] | None = None


@in_figure_style
def draw_covariate_forest(context: Context) -> Figure | NotShown:
    """Geometric mean ratios of exposure by covariate, with their 90 % CI (F72).

    Options: ``metric`` (AUC28).
    """
    metric = str(context.options.get("metric", "AUC28"))
    settings = context.settings["exposure_response"]
    analyte = str(settings["analyte"])
    printer = Printer(context.results, context.language)
    table = context.results.select("exposure_response.covariate_forest")
    table = table[(table["variable"] == metric) & (table["stat_name"] == "gmr")]
    if table.empty:
        return NotShown("NOTCOLL")
    place = Place("exposure_response.covariate_forest", metric, analyte)
    rows: list[ForestRow] = []
    value_ids: list[str] = []
    reasons: list[str] = []
    lines: list[dict[str, object]] = []
    # The order is that of the config; keys of the results are sorted: covariate, level.
    declared = [str(item["variable"]) for item in settings["covariates"]]
    for covariate in dict.fromkeys([*declared, *table["level1"]]):
        levels = natural_order(table.loc[table["level1"] == covariate, "level2"])
        continuous = len(levels) == 1 and printer.exists(
            place.within(covariate=covariate, level=levels[0]), "x_low"
        )
        if levels and not continuous:
            rows.append(_heading(context, printer, place, covariate, levels[0], value_ids))
        for level in levels:
            cell = place.within(covariate=covariate, level=level)
            ratio = printer.cell(
                cell,
                "{} ({}–{})",
                ("gmr", "significant"),
                ("gmr_low", "significant"),
                ("gmr_high", "significant"),
            )
            label = _level_text(context, printer, cell, covariate, level, continuous, value_ids)
            count = printer.cell(cell, "{}", ("n", "count"))
            if not continuous:
                count = printer.cell(cell, "{}/{}", ("n", "count"), ("n_reference", "count"))
            value_ids += [*count.value_ids, *ratio.value_ids]
            reasons += ratio.reasons
            numbers = [printer.value(cell, s).number for s in ("gmr", "gmr_low", "gmr_high")]
            point = (numbers[0], numbers[1], numbers[2]) if not math.isnan(numbers[0]) else None
            rows.append(ForestRow(label, not continuous, count.text, ratio.text, point))
            lines.append(
                {"METRIC": metric, "COVARIATE": covariate, "LEVEL": level}
                | dict(zip(("GMR", "LOW", "HIGH"), numbers, strict=True))
                | {"N": printer.value(cell, "n").number}
            )
    level = f"{100 * float(settings['ratio_confidence_level']):g}"
    heads = (
        context.language.text("figure.forest.covariate"),
        context.language.text("figure.forest.n"),
        context.language.text("figure.forest.ratio", level=level),
    )
    title = context.language.text("figure.forest.axis", metric=parameter_symbol(metric))
    return Figure(
        pages=(_draw_forest(rows, heads, title),),
        data=pd.DataFrame(lines),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(value_ids)),
        footnotes=(context.language.text("figure.note.forest"),),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(reasons)),
        alternative_text=context.language.text(
            "figure.forest.alternative", metric=parameter_symbol(metric)
        ),
    )


def _covariate_name(context: Context, covariate: str) -> str:
    variables = read_specification("ADER").variables
    if covariate not in variables:
        return covariate
    variable = variables[covariate]
    name = variable.zh if context.language.code == "zh" else variable.en
    return with_unit(name, unit_label(context.language, variable.unit))


def _heading(
    context: Context,
    printer: Printer,
    place: Place,
    covariate: str,
    level: str,
    value_ids: list[str],
) -> ForestRow:
    name = _covariate_name(context, covariate)
    cell = place.within(covariate=covariate, level=level)
    if not printer.exists(cell, "reference"):
        return ForestRow(name)
    reference = printer.value(cell, "reference")
    value_ids.append(reference.value_id)
    word = level_label(context.language, covariate, reference.text)
    return ForestRow(context.language.text("figure.forest.reference", name=name, level=word))


def _level_text(
    context: Context,
    printer: Printer,
    cell: Place,
    covariate: str,
    level: str,
    continuous: bool,
    value_ids: list[str],
) -> str:
    if not continuous:
        return level_label(context.language, covariate, level)
    low, high = printer.value(cell, "x_low"), printer.value(cell, "x_high")
    value_ids += [low.value_id, high.value_id]
    return context.language.text(
        "figure.forest.continuous",
        name=_covariate_name(context, covariate),
        low=short_number(low.number),
        high=short_number(high.number),
    )


def _draw_forest(rows: Sequence[ForestRow], heads: tuple[str, str, str], title: str) -> Any:
    """Three columns of text as wide as their words need, and the ratios between them."""
    pitch, top, bottom, edge, space, indent = 4.6, 8.0, 12.0, 1.0, 3.0, 3.0
    height = pitch * len(rows) + top + bottom
    figure = new_figure(height, layout=None)
    names = max(
        text_width(plain(row.label), 7.5) + indent * row.indent
        for row in [*rows, ForestRow(heads[0])]
    )
    counts = max(text_width(text, 7.5) for text in [heads[1], *(row.counts for row in rows)])
    ratios = max(text_width(text, 7.5) for text in [heads[2], *(row.ratio for row in rows)])
    left = edge + names + space + counts + space
    right = space + ratios + edge
    axes = place_axes(figure, left, bottom, PAGE_WIDTH - left - right, pitch * len(rows))
    _draw_ratios(axes, rows)
    axes.set_xlabel(title)
    words: list[tuple[float, float, str, str]] = []
    above = height - top + 2.0
    columns = (edge, edge + names + space + counts, PAGE_WIDTH - edge - ratios)
    for x, word, align in zip(columns, heads, ("left", "right", "left"), strict=True):
        words.append((x, above, word, align))
    for place, row in enumerate(rows):
        y = height - top - pitch * (place + 0.5)
        words.append((edge + indent * row.indent, y, plain(row.label), "left"))
        words.append((columns[1], y, row.counts, "right"))
        words.append((columns[2], y, row.ratio, "left"))
    for x, y, word, align in words:
        if word:
            figure.text(x / PAGE_WIDTH, y / height, word, ha=align, va="center", fontsize=7.5)
    return figure


def _draw_ratios(axes: Axes, rows: Sequence[ForestRow]) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.axvspan(*EQUIVALENCE, color="#000000", alpha=0.06, linewidth=0)
    axes.axvline(1, color="#333333", linewidth=0.7)
    limits = [*EQUIVALENCE]
    for place, row in enumerate(rows):
        if row.point is None:
            continue
        ratio, low, high = row.point
        axes.hlines(place, low, high, color=PALETTE[0], linewidth=1.1)
        axes.plot([ratio], [place], "s", color=PALETTE[0], markersize=3.6)
        limits += [low, high]
    axes.set_xscale("log")
    bottom, top = min(limits) / 1.1, max(limits) * 1.1
    axes.set_xlim(bottom, top)
    ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if bottom <= t <= top]
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
