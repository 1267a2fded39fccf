"""Exposure in groups: by grade of an adverse event (F60)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import axis_title, jitter, plain, use_log_axis
from celldossier.tlf.figures_boxes import Box, draw_boxes, read_box
from celldossier.tlf.labels import equal_to, parameter_symbol
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, in_figure_style, new_figure


@in_figure_style
def draw_exposure_by_grade(context: Context) -> Figure | NotShown:
    """Exposure by worst grade, each subject and the quartiles of each grade (F60).

    Options: ``endpoint`` (CRSGR, a variable of ADER), ``metric`` (CMAX).
    """
    endpoint = str(context.options.get("endpoint", "CRSGR"))
    metric = str(context.options.get("metric", "CMAX"))
    analyte = exposure_analyte(context)
    subjects = context.dataset("ADER")
    subjects = subjects[(subjects["ERFL"] == "Y") & subjects[endpoint].notna()]
    subjects = subjects[subjects[metric].notna()].sort_values("USUBJID", kind="stable")
    shown = subjects[subjects[metric] > 0]
    if shown.empty:
        return NotShown("NOTCOLL")
    if endpoint not in context.results.levels("exposure_response.grade_summary", "endpoint"):
        return NotShown("NOTASKED")
    printer = Printer(context.results, context.language)
    summary = Place("exposure_response.grade_summary", metric, analyte, {"endpoint": endpoint})
    grades = natural_order(f"{grade:g}" for grade in subjects[endpoint].unique())
    figure = new_figure(95)
    axes = figure.subplots()
    boxes: list[Box] = []
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
            boxes.append(read_box(printer, block, place))
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
    # A minimum of 0 (never quantifiable) has no place on a log axis.
    draw_boxes(axes, boxes, low)
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
            axes.set_title(context.language.text("figure.trend_p", p=equal_to(p.text)))
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
