"""Tables of exposure and the time to an event: Cox models (59), groups of exposure (59b)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import format_significant
from celldossier.terms.parameters import parameter_unit
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import (
    ADJUSTMENTS,
    PLAN,
    corrected,
    exposure_analyte,
    exposure_unit,
    fitted_subjects,
    list_option,
    metric_name,
    tested,
)
from celldossier.tlf.fields import (
    Field,
    Reader,
    Reading,
    at,
    estimate,
    head_fields,
    level,
    read_cells,
    read_row,
    stat,
    stats,
    word,
)
from celldossier.tlf.labels import endpoint_label, level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COX = "exposure_response.cox"
TIMEDEP = "exposure_response.cox_timedep"
LOG_RANK = "exposure_response.log_rank"
GROUPS = "exposure_response.survival_groups"
AT = "exposure_response.survival_at"

MODELS = {COX: "COX", TIMEDEP: "COX_TIMEDEP"}
PARTS = (
    (COX, "PRIMARY"),
    (COX, "BLQ_HALF_LLOQ"),
    (TIMEDEP, "PRIMARY"),
    (COX, "NO_LANDMARK"),
)
"""Analyses and populations, in the order of the table; the biased one last."""


def draw_cox_models(context: Context) -> Table | NotShown:
    """Hazard ratio per doubling of each metric, by endpoint and analysis (T59).

    The option ``endpoints`` lists the codes of the endpoints.
    """
    wanted = list_option(context, "endpoints")
    models = [place for place in find_models(context) if place.variable in wanted]
    if not models:
        return NotShown("NOTAPPL")
    reader = Reader.of(context)
    printer = reader.printer
    if not any(printer.value(place, "n").number > 0 for place in models):
        return NotShown("NOTCOLL")
    fields = (
        Field("column.metric", metric_name, "13%", align="left"),
        Field("column.adjustment", level("adjustment"), "10%", align="left"),
        Field("column.before_landmark", _before_landmark, "9%"),
        Field("statistic.n", stat("n", "count"), "5%"),
        Field(
            "column.events_competing",
            stats("{} ({})", ("events", "count"), ("n_competing", "count")),
            "9%",
        ),
        Field("column.hazard_ratio", corrected("hr", "MONOTFIX", _is_monotone), "15%"),
        Field("statistic.p", stat("p", "p"), "6%"),
        Field("statistic.q", _q, "6%"),
        Field("column.p_proportional_hazards", stat("ph_p", "p"), "8%"),
        Field(
            "column.concordance",
            stats("{} ({})", ("concordance", "fixed2"), ("concordance_se", "fixed2")),
            "9%",
        ),
        Field("column.model", at(planned, word("model", "method")), "10%"),
    )
    metrics = _metrics(context)
    rows: list[Row] = []
    for endpoint in [code for code in wanted if any(m.variable == code for m in models)]:
        for analysis, population in PARTS:
            part = [
                place
                for place in models
                if (place.variable, place.analysis, place.by["population"])
                == (endpoint, analysis, population)
            ]
            # An analysis that no subject asks for stands in the plan alone.
            if all(printer.value(place, "hr").note_code == "NOBLQALL" for place in part):
                continue
            part.sort(
                key=lambda place: (
                    _rank(place.by["metric"], metrics),
                    _rank(place.by["adjustment"], ADJUSTMENTS),
                )
            )
            rows.append(_heading(context, printer, part))
            rows += [read_row(reader, fields, place, indent=1) for place in part]
    subjects = fitted_subjects(printer, models, "hr")
    columns = head_fields(context, fields)
    return Table(columns, tuple(rows), subjects, analytes=(exposure_analyte(context),))


def draw_survival_groups(context: Context) -> Table | NotShown:
    """Median and survival at some times, by half and tertile of the exposure (T59b).

    Options: ``endpoints`` and ``metrics``, their codes.
    """
    text = context.language.text
    analyte = exposure_analyte(context)
    wanted, metrics = list_option(context, "endpoints"), list_option(context, "metrics")
    known = context.results.select(GROUPS)
    months = context.settings["exposure_response"]["time_to_event"]["curve_months"]
    fields = (
        Field("column.survival_group", _group, "29%", align="left"),
        Field("statistic.n", stat("n", "count"), "5%"),
        Field("statistic.events", stat("events", "count"), "9%"),
        Field("column.median_days", estimate("median", "integer"), "18%"),
    )
    later = [_survival_at(f"M{month:g}") for month in months]
    reader = Reader.of(context)
    rows: list[Row] = []
    for endpoint in wanted:
        for metric in metrics:
            own = known[(known["variable"] == endpoint) & (known["level2"] == metric)]
            for split in ("HALF", "TERTILE"):
                levels = sorted(set(own.loc[own["level3"] == split, "level1"]))
                base = Place(GROUPS, endpoint, analyte, {"metric": metric, "split": split})
                if levels:
                    rows.append(_split_heading(context, reader.printer, base))
                for group in levels:
                    place = base.within(group=group)
                    shares = (read(reader, place) for read in later)
                    rows.append(Row((*read_cells(reader, fields, place), *shares), indent=1))
    if not rows:
        return NotShown("FEWSUBJ" if len(context.results.select(LOG_RANK)) else "NOTAPPL")
    columns = (
        *head_fields(context, fields),
        *(
            Column(
                text("column.month_number", month=f"{month:g}"),
                group=text("column.free_of_event"),
                width="13%",
            )
            for month in months
        ),
    )
    return Table(columns, tuple(rows), reader.printer.subjects, analytes=(analyte,))


def find_models(context: Context) -> list[Place]:
    """All Cox models of the results; their keys are adjustment, metric and population."""
    found = []
    for analysis in MODELS:
        rows = context.results.select(analysis)
        keys = zip(rows["variable"], rows["level1"], rows["level2"], rows["level3"], strict=True)
        found += [
            Place(
                analysis,
                endpoint,
                exposure_analyte(context),
                {"metric": metric, "adjustment": adjustment, "population": population},
            )
            for endpoint, adjustment, metric, population in sorted(set(keys))
        ]
    return found


def planned(place: Place) -> Place:
    """The same model in the plan, which has models of all kinds."""
    return place.of(PLAN).within(model=MODELS[place.analysis])


def _survival_at(time: str) -> Reading:
    return at(lambda place: place.of(AT).within(time=time), estimate("survival", "integer"))


def _group(reader: Reader, place: Place) -> Cell:
    """Name of a group with the range of its exposure."""
    language = reader.context.language
    ends = [reader.printer.value(place, name) for name in ("exposure_min", "exposure_max")]
    low, high = (format_significant(end.number) for end in ends)
    label = language.text(
        "label.group_range",
        group=level_label(language, "exposure_group", place.by["group"]),
        low=low,
        high=high,
    )
    return Cell(label, tuple(end.value_id for end in ends))


def _before_landmark(reader: Reader, place: Place) -> Cell:
    """Who left the analysis before the landmark, where there is one."""
    if place.by["population"] == "NO_LANDMARK" or place.analysis != COX:
        return reader.printer.blank()
    return reader.printer.cell(place, "{} ({})", ("n_before", "count"), ("events_before", "count"))


def _is_monotone(printer: Printer, place: Place) -> bool:
    return printer.value(place, "monotone").number == 1


def _q(reader: Reader, place: Place) -> Cell:
    return tested(MODELS[place.analysis])(reader, place)


def _metrics(context: Context) -> list[str]:
    settings = context.settings["exposure_response"]
    return [*settings["metrics"], "CLD3", "CLD7", *settings["time_to_event"]["time_dependent"]]


def _rank(item: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(item) if item in order else len(order), item)


def _heading(context: Context, printer: Printer, part: Sequence[Place]) -> Row:
    """Endpoint and analysis, with the landmark where there is one."""
    language = context.language
    values = [printer.value(planned(place), "landmark") for place in part]
    landmarks = dict.fromkeys(value.text for value in values if value.text != "NONE")
    first = part[0]
    population = "TIME_DEPENDENT" if first.analysis == TIMEDEP else first.by["population"]
    analysis = level_label(language, "survival_population", population)
    if landmarks:
        separator = language.text("label.list_separator")
        analysis = language.text(
            "label.survival_landmark", analysis=analysis, landmark=separator.join(landmarks)
        )
    label = language.text(
        "label.endpoint_analysis",
        endpoint=endpoint_label(context, first.variable),
        analysis=analysis,
    )
    ids = tuple(value.value_id for value in values if value.text != "NONE")
    return heading(Cell(label, ids))


def _split_heading(context: Context, printer: Printer, base: Place) -> Row:
    """Endpoint, metric and split with the log-rank test and who left before the landmark."""
    language = context.language
    metric, split = base.by["metric"], base.by["split"]
    unit = "" if metric.startswith("CLD") else parameter_unit(metric, "d", exposure_unit(context))
    test = base.of(LOG_RANK)
    p = printer.cell(test, "{}", ("p", "p"))
    before = printer.cell(test, "{}", ("n_before", "count"))
    label = language.text(
        "label.survival_split",
        endpoint=endpoint_label(context, base.variable),
        metric=with_unit(metric_label(language, metric), unit),
        split=level_label(language, "split", split),
        p=p.text,
        before=before.text,
    )
    return heading(Cell(label, (*p.value_ids, *before.value_ids), p.reasons))
