"""Tables of exposure-response: plan (51), ratios (52), logistic (56) and ordinal models (62)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from celldossier.terms.parameters import parameter_unit
from celldossier.tlf.cells import Place, Printer, footnote_if
from celldossier.tlf.labels import endpoint_label, level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

PLAN = "exposure_response.plan"
LOGISTIC = "exposure_response.logistic"
MULTIPLICITY = "exposure_response.multiplicity"
RATIO = "exposure_response.ratio_by_response"
ORDINAL = "exposure_response.ordinal"
CUMULATIVE = "exposure_response.cumulative"

_METRICS = ("AUC28", "CMAX", "CMAXTMAX", "CLD3", "CLD7", "DOSEA")
_ADJUSTMENTS = ("UNADJUSTED", "TUMOUR_BURDEN", "FULL")
_POPULATIONS = (
    "PRIMARY", "UNKNOWN_EXCLUDED", "UNKNOWN_NONRESPONDER", "BLQ_HALF_LLOQ", "LANDMARK",
)  # fmt: skip
_OR = (("or", "significant"), ("or_low", "significant"), ("or_high", "significant"))


def draw_analysis_plan(context: Context) -> Table | NotShown:
    """Endpoint by metric and population; the adjustments are the columns, each with its role."""
    language = context.language
    keys = _keys(context, PLAN)
    if not keys:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    analyte = _analyte(context)
    adjustments = _ordered({key[2] for key in keys}, _ADJUSTMENTS)
    rows: list[Row] = []
    for endpoint in _ordered({key[0] for key in keys}, _endpoints(context)):
        of_endpoint = [key for key in keys if key[0] == endpoint]
        first = _place(PLAN, analyte, of_endpoint[0])
        family = level_label(language, "family", printer.value(first, "family").text)
        heading = language.text(
            "label.endpoint_family", endpoint=endpoint_label(language, endpoint), family=family
        )
        rows.append(Row((Cell(heading, (printer.value(first, "family").value_id,)),), "heading"))
        pairs = {(key[3], key[1]) for key in of_endpoint}
        for population in _ordered({pair[0] for pair in pairs}, _POPULATIONS):
            for metric in _ordered({p[1] for p in pairs if p[0] == population}, _METRICS):
                cells = [
                    _plan_cell(printer, context, analyte, (endpoint, metric, each, population))
                    for each in adjustments
                ]
                label = level_label(language, "population", population)
                rows.append(Row((Cell(metric_label(language, metric)), Cell(label), *cells)))
    columns = (
        Column(language.text("column.metric"), align="left", width="13%"),
        Column(language.text("column.analysis"), align="left", width="33%"),
        *(
            Column(
                level_label(language, "adjustment", each),
                group=language.text("column.adjustment_role"),
                align="left",
            )
            for each in adjustments
        ),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=(analyte,))


def draw_exposure_ratio(context: Context) -> Table | NotShown:
    """Geometric means of the exposure with and without the event, their ratio, and a rank test.

    The option ``endpoints`` lists their codes.
    """
    language = context.language
    analyte = _analyte(context)
    selected = context.results.select(RATIO)
    wanted = _option(context, "endpoints")
    metrics = _ordered(set(selected["variable"]), _METRICS)
    printer = Printer(context.results, language)
    rows: list[Row] = []
    few = False
    for endpoint in wanted:
        of_endpoint = selected[
            (selected["group1"] == "endpoint") & (selected["level1"] == endpoint)
        ]
        for population in _ordered(set(of_endpoint["level2"]), _POPULATIONS):
            heading = language.text(
                "label.endpoint_analysis",
                endpoint=endpoint_label(language, endpoint),
                analysis=level_label(language, "population", population),
            )
            rows.append(Row((Cell(heading),), "heading"))
            for metric in metrics:
                by = {"endpoint": endpoint, "population": population}
                place = Place(RATIO, metric, analyte, by)
                few = few or any(printer.few(place, each) for each in ("_event", "_noevent"))
                unit = parameter_unit(metric, "d", _conc_unit(context, analyte))
                cells = [Cell(with_unit(metric_label(language, metric), unit))]
                for suffix in ("_event", "_noevent"):
                    cells.append(printer.cell(place, "{}", (f"n{suffix}", "count")))
                    cells.append(_group_cell(printer, place, suffix))
                forms = [(stat, "significant") for stat in ("gmr", "gmr_low", "gmr_high")]
                cells.append(printer.cell(place, "{} ({}, {})", *forms))
                cells.append(printer.cell(place, "{}", ("p_wilcoxon", "p")))
                rows.append(Row(tuple(cells)))
    if not rows:
        return NotShown("NOTCOLL")
    event, noevent = language.text("column.with_event"), language.text("column.without_event")
    n, geomean = language.text("statistic.n"), language.text("statistic.geomean_gcv")
    columns = (
        Column(language.text("column.metric"), align="left", width="24%"),
        Column(n, group=event, width="8%"),
        Column(geomean, group=event),
        Column(n, group=noevent, width="8%"),
        Column(geomean, group=noevent),
        Column(language.text("column.gmr"), width="18%"),
        Column(language.text("column.p_wilcoxon"), width="12%"),
    )
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), (analyte,))


def draw_logistic_models(context: Context) -> Table | NotShown:
    """Odds ratio per doubling of each metric, by analysis and adjustment.

    The option ``endpoints`` lists the codes of the binary endpoints.
    """
    language = context.language
    analyte = _analyte(context)
    wanted = _option(context, "endpoints")
    keys = [key for key in _keys(context, LOGISTIC) if key[0] in wanted]
    if not keys:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    subjects = _fitted_subjects(printer, [_place(LOGISTIC, analyte, key) for key in keys])
    rows: list[Row] = []
    for endpoint in _ordered({key[0] for key in keys}, wanted):
        of_endpoint = [key for key in keys if key[0] == endpoint]
        for population in _ordered({key[3] for key in of_endpoint}, _POPULATIONS):
            heading = language.text(
                "label.endpoint_analysis",
                endpoint=endpoint_label(language, endpoint),
                analysis=level_label(language, "population", population),
            )
            rows.append(Row((Cell(heading),), "heading"))
            models = [key for key in of_endpoint if key[3] == population]
            for metric in _ordered({key[1] for key in models}, _METRICS):
                for adjustment in _ordered({k[2] for k in models if k[1] == metric}, _ADJUSTMENTS):
                    key = (endpoint, metric, adjustment, population)
                    rows.append(_logistic_row(printer, context, analyte, key))
    columns = (
        Column(language.text("column.metric"), align="left", width="13%"),
        Column(language.text("column.adjustment"), align="left", width="13.5%"),
        Column(language.text("statistic.n"), width="5.5%"),
        Column(language.text("statistic.events"), width="7.5%"),
        Column(language.text("column.odds_ratio"), width="17%"),
        Column(language.text("statistic.p"), width="7%"),
        Column(language.text("statistic.q"), width="7%"),
        Column(language.text("statistic.auc_roc"), width="6.5%"),
        Column(language.text("column.role"), width="10%"),
        Column(language.text("column.model"), width="13%"),
    )
    return Table(columns, tuple(rows), subjects, analytes=(analyte,))


def draw_ordinal_models(context: Context) -> Table | NotShown:
    """Proportional odds model of a grade, its test, and the separate model of each cut.

    The option ``grade`` is the variable of ADER with the highest grade.
    """
    language = context.language
    analyte = _analyte(context)
    grade = str(context.options["grade"])
    selected = context.results.select(ORDINAL)
    selected = selected[selected["variable"] == grade]
    if selected.empty:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    blank = printer.blank()
    rows: list[Row] = []
    places: list[Place] = []
    # Keys are sorted by name: group1 is the adjustment, group2 the metric.
    for metric in _ordered(set(selected["level2"]), _METRICS):
        of_metric = selected[selected["level2"] == metric]
        for adjustment in _ordered(set(of_metric["level1"]), _ADJUSTMENTS):
            place = Place(ORDINAL, grade, analyte, {"adjustment": adjustment, "metric": metric})
            places.append(place)
            verdict = printer.value(place, "po_verdict")
            heading = language.text(
                "label.metric_adjustment",
                metric=metric_label(language, metric),
                adjustment=level_label(language, "adjustment", adjustment),
            )
            rows.append(Row((Cell(heading),), "heading"))
            rows.append(
                Row(
                    (
                        Cell(language.text("label.proportional_odds")),
                        *_model_cells(printer, place),
                        printer.cell(place, "{}", ("po_p", "p")),
                        Cell(
                            level_label(language, "po_verdict", verdict.text), (verdict.value_id,)
                        ),
                    )
                )
            )
            for cut in _cuts(context, grade):
                cumulative = place.of(CUMULATIVE).within(grade=cut)
                places.append(cumulative)
                label = language.text("label.cut", grade=cut.removeprefix("GE"))
                rows.append(
                    Row((Cell(label), *_model_cells(printer, cumulative), blank, blank), indent=1)
                )
    columns = (
        Column(language.text("column.model"), align="left", width="28%"),
        Column(language.text("statistic.n")),
        Column(language.text("statistic.events")),
        Column(language.text("column.odds_ratio"), width="22%"),
        Column(language.text("statistic.p")),
        Column(language.text("column.p_proportional_odds")),
        Column(language.text("column.proportional_odds")),
    )
    subjects = _fitted_subjects(printer, places)
    return Table(columns, tuple(rows), subjects, analytes=(analyte,))


_Key = tuple[str, str, str, str]
"""Endpoint, metric, adjustment, population: one model of the plan."""


def _place(analysis: str, analyte: str, key: _Key) -> Place:
    endpoint, metric, adjustment, population = key
    by = {"metric": metric, "adjustment": adjustment, "population": population}
    return Place(analysis, endpoint, analyte, by)


def _keys(context: Context, analysis: str) -> list[_Key]:
    """Models of an analysis, sorted; its keys are adjustment, metric and population, by name."""
    rows = context.results.select(analysis)
    return sorted(
        set(zip(rows["variable"], rows["level2"], rows["level1"], rows["level3"], strict=True))
    )


def _plan_cell(printer: Printer, context: Context, analyte: str, key: _Key) -> Cell:
    """Role and model of a cell of the plan, or why it was not run."""
    place = _place(PLAN, analyte, key)
    if not printer.exists(place, "role"):
        return printer.blank()
    printer.cell(_place(LOGISTIC, analyte, key), "{}", ("n_er", "count"))
    language = context.language
    role, model = printer.value(place, "role"), printer.value(place, "model")
    text = language.text(
        "label.role_model",
        role=level_label(language, "role", role.text),
        model=level_label(language, "model", model.text),
    )
    value_ids = [role.value_id, model.value_id]
    reasons: tuple[str, ...] = ()
    if printer.exists(place, "reason"):
        reason = printer.value(place, "reason")
        value_ids.append(reason.value_id)
        reasons = (reason.text,)
    return Cell(text, tuple(value_ids), reasons)


def _logistic_row(printer: Printer, context: Context, analyte: str, key: _Key) -> Row:
    language = context.language
    place = _place(LOGISTIC, analyte, key)
    plan = place.of(PLAN)
    role, model = printer.value(plan, "role"), printer.value(plan, "model")
    n, events, odds, p = _model_cells(printer, place)
    if printer.value(place, "separation").number == 1:
        odds = replace(odds, reasons=("SEPARFIX",))
    return Row(
        (
            Cell(metric_label(language, key[1])),
            Cell(level_label(language, "adjustment", key[2])),
            n,
            events,
            odds,
            p,
            _q_cell(printer, place.of(MULTIPLICITY)),
            printer.cell(place, "{}", ("auc_roc", "fixed2")),
            Cell(level_label(language, "role", role.text), (role.value_id,)),
            Cell(level_label(language, "model", model.text), (model.value_id,)),
        )
    )


def _fitted_subjects(printer: Printer, places: Iterable[Place]) -> int:
    """Subjects of the largest model that was fitted: refused models are no evidence."""
    return max(
        (
            int(printer.value(place, "n").number)
            for place in places
            if math.isfinite(printer.value(place, "or").number)
        ),
        default=0,
    )


def _model_cells(printer: Printer, place: Place) -> tuple[Cell, Cell, Cell, Cell]:
    """n, events, odds ratio (CI), p."""
    return (
        printer.cell(place, "{}", ("n", "count")),
        printer.cell(place, "{}", ("events", "count")),
        printer.cell(place, "{} ({}, {})", *_OR),
        printer.cell(place, "{}", ("p", "p")),
    )


def _q_cell(printer: Printer, place: Place) -> Cell:
    """False discovery rate of a model; a sensitivity analysis repeats a question and has none."""
    q = printer.value(place, "q")
    if q.note_code == "SENSANAL":
        return replace(printer.blank(), value_ids=(q.value_id,))
    return printer.cell(place, "{}", ("q", "p"))


def _group_cell(printer: Printer, place: Place, suffix: str) -> Cell:
    if printer.few(place, suffix):
        return printer.listed(place, suffix=suffix)
    forms = ((f"geomean{suffix}", "significant"), (f"gcv{suffix}", "integer"))
    return printer.cell(place, "{} ({})", *forms)


def _cuts(context: Context, grade: str) -> list[str]:
    rows = context.results.select(CUMULATIVE)
    rows = rows[rows["variable"] == grade]
    return sorted(set(rows["level2"]))


def _option(context: Context, name: str) -> list[str]:
    value = context.options[name]
    if not isinstance(value, list):
        raise TypeError(f"the option {name} is a list of codes, not {value!r}")
    return [str(item) for item in value]


def _ordered(found: Iterable[str], order: Iterable[str]) -> list[str]:
    """Those that were found, in the order given; the others after them by name."""
    remaining = set(found)
    ordered = [each for each in order if each in remaining]
    return ordered + sorted(remaining - set(ordered))


def _endpoints(context: Context) -> list[str]:
    return [str(code) for code in context.settings["exposure_response"]["endpoints"]]


def _analyte(context: Context) -> str:
    return str(context.settings["exposure_response"]["analyte"])


def _conc_unit(context: Context, analyte: str) -> str:
    declared = context.settings["bioanalysis"]["assays"]
    return next((str(a["unit"]) for a in declared if a["analyte"] == analyte), "")
