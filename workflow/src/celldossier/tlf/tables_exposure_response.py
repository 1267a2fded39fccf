"""Tables of exposure-response: ratios (52), logistic (56) and ordinal models (62)."""

from __future__ import annotations

from dataclasses import replace

from celldossier.terms.parameters import parameter_unit
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.exposure_models import (
    ADJUSTMENTS,
    PLAN,
    compared_groups,
    corrected,
    exposure_analyte,
    exposure_unit,
    fitted_subjects,
    list_option,
    metric_name,
    order_codes,
    tested,
)
from celldossier.tlf.fields import (
    Field,
    Reader,
    at,
    estimate,
    head_fields,
    level,
    read_cells,
    read_row,
    stat,
    word,
)
from celldossier.tlf.labels import endpoint_label, level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

LOGISTIC = "exposure_response.logistic"
RATIO = "exposure_response.ratio_by_response"
ORDINAL = "exposure_response.ordinal"
CUMULATIVE = "exposure_response.cumulative"

_METRICS = (
    "AUC28", "AUC84", "CMAX", "CMAXTMAX", "EXPRATE", "CMAXSITE", "CLD3", "CLD7", "DOSEA",
)  # fmt: skip
_POPULATIONS = (
    "PRIMARY", "UNKNOWN_EXCLUDED", "UNKNOWN_NONRESPONDER", "BLQ_HALF_LLOQ", "LANDMARK",
    "CONCURRENT_CRS",
)  # fmt: skip


def draw_exposure_ratio(context: Context) -> Table | NotShown:
    """Geometric means of the exposure with and without the event, their ratio, and a rank test.

    The option ``endpoints`` lists their codes.
    """
    language = context.language
    analyte = exposure_analyte(context)
    selected = context.results.select(RATIO)
    wanted = list_option(context, "endpoints")
    metrics = order_codes(set(selected["variable"]), _METRICS)
    groups = compared_groups(("_event", "column.with_event"), ("_noevent", "column.without_event"))
    fields = (
        Field("column.metric", _metric_with_unit, "24%", align="left"),
        *groups[:-1],
        replace(groups[-1], width="18%"),
        Field("column.p_wilcoxon", stat("p_wilcoxon", "p"), "12%"),
    )
    reader = Reader.of(context)
    rows: list[Row] = []
    few = False
    for endpoint in wanted:
        of_endpoint = selected[
            (selected["group1"] == "endpoint") & (selected["level1"] == endpoint)
        ]
        for population in order_codes(set(of_endpoint["level2"]), _POPULATIONS):
            rows.append(heading(_endpoint_analysis(context, endpoint, population)))
            for metric in metrics:
                by = {"endpoint": endpoint, "population": population}
                place = Place(RATIO, metric, analyte, by)
                few = few or any(reader.printer.few(place, s) for s in ("_event", "_noevent"))
                rows.append(read_row(reader, fields, place))
    if not rows:
        return NotShown("NOTCOLL")
    notes = footnote_if(few, language, "footnote.few_values")
    columns = head_fields(context, fields)
    return Table(columns, tuple(rows), reader.printer.subjects, tuple(notes), (analyte,))


def draw_logistic_models(context: Context) -> Table | NotShown:
    """Odds ratio per doubling of each metric, by analysis and adjustment.

    The option ``endpoints`` lists the codes of the binary endpoints.
    """
    wanted = list_option(context, "endpoints")
    models = [place for place in _models(context) if place.variable in wanted]
    if not models:
        asked = set(wanted) & set(context.settings["exposure_response"]["endpoints"])
        return NotShown("NOTCOLL" if asked else "NOENDPT")
    fields = (
        Field("column.metric", metric_name, "13%", align="left"),
        Field("column.adjustment", level("adjustment"), "13.5%", align="left"),
        Field("statistic.n", stat("n", "count"), "5.5%"),
        Field("statistic.events", stat("events", "count"), "7.5%"),
        Field("column.odds_ratio", corrected("or", "SEPARFIX", _is_separated), "17%"),
        Field("statistic.p", stat("p", "p"), "7%"),
        Field("statistic.q", tested("LOGISTIC"), "7%"),
        Field("statistic.auc_roc", stat("auc_roc", "fixed2"), "6.5%"),
        Field("column.role", at(_planned, word("role", "role")), "10%"),
        Field("column.model", at(_planned, word("model", "method")), "13%"),
    )
    reader = Reader.of(context)
    subjects = fitted_subjects(reader.printer, models, "or")
    rows: list[Row] = []
    for endpoint in order_codes({place.variable for place in models}, wanted):
        own = [place for place in models if place.variable == endpoint]
        for population in order_codes({place.by["population"] for place in own}, _POPULATIONS):
            rows.append(heading(_endpoint_analysis(context, endpoint, population)))
            part = {
                (place.by["metric"], place.by["adjustment"]): place
                for place in own
                if place.by["population"] == population
            }
            rows += [
                read_row(reader, fields, part[metric, adjustment])
                for metric in order_codes({metric for metric, _ in part}, _METRICS)
                for adjustment in order_codes({a for m, a in part if m == metric}, ADJUSTMENTS)
            ]
    columns = head_fields(context, fields)
    return Table(columns, tuple(rows), subjects, analytes=(exposure_analyte(context),))


def draw_ordinal_models(context: Context) -> Table | NotShown:
    """Proportional odds model of a grade, its test, and the separate model of each cut.

    The option ``grade`` is the variable of ADER with the highest grade.
    """
    language = context.language
    analyte = exposure_analyte(context)
    grade = str(context.options["grade"])
    selected = context.results.select(ORDINAL)
    selected = selected[selected["variable"] == grade]
    if selected.empty:
        return NotShown("NOTCOLL")
    fields = (
        Field("statistic.n", stat("n", "count")),
        Field("statistic.events", stat("events", "count")),
        Field("column.odds_ratio", estimate("or"), "22%"),
        Field("statistic.p", stat("p", "p")),
    )
    of_all_grades = (
        Field("column.p_proportional_odds", stat("po_p", "p")),
        Field("column.proportional_odds", word("po_verdict", "po_verdict")),
    )
    reader = Reader.of(context)
    blank = reader.printer.blank()
    rows: list[Row] = []
    places: list[Place] = []
    # Keys are sorted by name: group1 is the adjustment, group2 the metric.
    for metric in order_codes(set(selected["level2"]), _METRICS):
        of_metric = selected[selected["level2"] == metric]
        for adjustment in order_codes(set(of_metric["level1"]), ADJUSTMENTS):
            place = Place(ORDINAL, grade, analyte, {"adjustment": adjustment, "metric": metric})
            places.append(place)
            head = language.text(
                "label.metric_adjustment",
                metric=metric_label(language, metric),
                adjustment=level_label(language, "adjustment", adjustment),
            )
            rows.append(heading(head))
            label = Cell(language.text("label.proportional_odds"))
            rows.append(Row((label, *read_cells(reader, (*fields, *of_all_grades), place))))
            for cut in _cuts(context, grade):
                cumulative = place.of(CUMULATIVE).within(grade=cut)
                places.append(cumulative)
                label = Cell(language.text("label.cut", grade=cut.removeprefix("GE")))
                cells = read_cells(reader, fields, cumulative)
                rows.append(Row((label, *cells, blank, blank), indent=1))
    columns = (
        Column(language.text("column.model"), align="left", width="28%"),
        *head_fields(context, (*fields, *of_all_grades)),
    )
    subjects = fitted_subjects(reader.printer, places, "or")
    return Table(columns, tuple(rows), subjects, analytes=(analyte,))


def _endpoint_analysis(context: Context, endpoint: str, population: str) -> str:
    return context.language.text(
        "label.endpoint_analysis",
        endpoint=endpoint_label(context, endpoint),
        analysis=level_label(context.language, "population", population),
    )


def _metric_with_unit(reader: Reader, place: Place) -> Cell:
    unit = parameter_unit(place.variable, "d", exposure_unit(reader.context))
    return Cell(with_unit(metric_label(reader.context.language, place.variable), unit))


def _models(context: Context) -> list[Place]:
    """Logistic models; their keys are adjustment, metric and population, by name."""
    rows = context.results.select(LOGISTIC)
    keys = zip(rows["variable"], rows["level2"], rows["level1"], rows["level3"], strict=True)
    return [
        Place(
            LOGISTIC,
            endpoint,
            exposure_analyte(context),
            {"metric": metric, "adjustment": adjustment, "population": population},
        )
        for endpoint, metric, adjustment, population in sorted(set(keys))
    ]


def _planned(place: Place) -> Place:
    """The same model in the plan, which has models of all kinds."""
    return place.of(PLAN).within(model="LOGISTIC")


def _is_separated(printer: Printer, place: Place) -> bool:
    return printer.value(place, "separation").number == 1


def _cuts(context: Context, grade: str) -> list[str]:
    rows = context.results.select(CUMULATIVE)
    rows = rows[rows["variable"] == grade]
    return sorted(set(rows["level2"]))
