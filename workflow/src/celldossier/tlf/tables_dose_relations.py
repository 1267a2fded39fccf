"""Tables of dose against exposure (17) and of outcome against dose (67, 67a)."""

from __future__ import annotations

import math

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading, interval, level_cell
from celldossier.tlf.exposure_models import exposure_analyte, q_cell
from celldossier.tlf.labels import (
    endpoint_label,
    level_label,
    metric_label,
    percent,
    variable_label,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

EXPOSURE = "exposure_response.dose_exposure"
COMMON_SLOPE = "exposure_response.dose_exposure_test"
RESPONSE = "exposure_response.dose_response"
RATE = "exposure_response.dose_rate"
TREND = "exposure_response.dose_trend"
MULTIPLICITY = "exposure_response.multiplicity"

LEFT_OUT = ("nodose", "noexposure", "blq")
"""Why a subject is not in a power model: no dose, no exposure, never quantifiable."""

UNADJUSTED, EXPOSED = "UNADJUSTED", "EXPOSURE"
"""Levels of the key `adjustment`."""

_MODELS = {"OR": "LOGISTIC", "HR": "COX"}
_ANALYSES = ("ALL", "TUMOUR_BURDEN", "STUDYID", "INDIC")
_REGION = (("region_low", "fixed3"), ("region_high", "fixed3"))


def dose_label(language: Language, metric: str, unit: str) -> str:
    """Label of a dose metric with its unit."""
    return with_unit(variable_label(language, "ADER", metric), unit)


def draw_dose_exposure(context: Context) -> Table | NotShown:
    """Power model and rank correlation of each exposure metric against each dose metric.

    Below the first dose metric stand the sensitivity analyses.
    """
    language = context.language
    settings = context.settings["exposure_response"]
    analyte = exposure_analyte(context)
    printer = Printer(context.results, language)
    selected = context.results.select(EXPOSURE)
    # Keys are sorted by name: analysis, dose_metric, level.
    found = set(zip(selected["level2"], selected["level1"], selected["level3"], strict=True))
    metrics = [m for m in settings["metrics"] if m in set(selected["variable"])]
    rows: list[Row] = []
    for dose in settings["dose_exposure"]["metrics"]:
        parts = [key for key in found if key[0] == dose]
        if not parts:
            continue
        first = Place(EXPOSURE, metrics[0], analyte, _by(dose, "ALL", "ALL"))
        unit = printer.value(first, "dose_min").unit
        rows.append(heading(dose_label(language, dose, unit)))
        for analysis in _ANALYSES:
            levels = natural_order(key[2] for key in parts if key[1] == analysis)
            for metric in metrics if levels else ():
                for level in levels:
                    place = Place(EXPOSURE, metric, analyte, _by(dose, analysis, level))
                    rows.append(_model_row(printer, language, place))
                test = Place(
                    COMMON_SLOPE, metric, analyte, {"analysis": analysis, "dose_metric": dose}
                )
                if printer.exists(test):
                    rows.append(_test_row(printer, language, test))
    if not rows:
        return NotShown("NOTCOLL")
    text = language.text
    level = percent(settings["dose_exposure"]["confidence_level"])
    rank_level = percent(settings["dose_exposure"]["rank_confidence_level"])
    columns = (
        Column(text("column.metric"), align="left", width="8%"),
        Column(text("column.analysis"), align="left", width="11%"),
        Column(text("statistic.n"), width="4%"),
        Column(text("column.dose_left_out"), width="7%"),
        Column(text("column.dose_range"), width="7.5%"),
        Column(text("column.slope_ci", level=level), width="11%"),
        Column(text("column.slope_region"), width="6.5%"),
        Column(text("column.p_slope_zero"), width="5.8%"),
        Column(text("column.p_slope_one"), width="5.8%"),
        Column(text("column.rdnm_ci", level=level), width="10.4%"),
        Column(text("statistic.r2"), width="4%"),
        Column(text("column.spearman_ci", level=rank_level), width="10%"),
        Column(text("column.verdict"), align="left", width="9%"),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=(analyte,))


def _by(dose: str, analysis: str, level: str) -> dict[str, str]:
    return {"analysis": analysis, "dose_metric": dose, "level": level}


def _analysis_label(language: Language, analysis: str, level: str) -> str:
    if analysis in ("STUDYID", "INDIC"):
        return level_label(language, analysis.lower(), level)
    return level_label(language, "dose_analysis", analysis)


def _model_row(printer: Printer, language: Language, place: Place) -> Row:
    blank = printer.blank()
    by = place.by
    ranked = printer.exists(place, "rho")
    verdict = printer.value(place, "verdict")
    if verdict.text:
        label = level_label(language, "dose_verdict", verdict.text)
        reasons = (verdict.note_code,) if verdict.note_code else ()
        judged = Cell(label, (verdict.value_id,), reasons)
    else:
        judged = printer.cell(place, "{}", ("verdict", "fixed2"))
    return Row(
        (
            Cell(metric_label(language, place.variable)),
            Cell(_analysis_label(language, by["analysis"], by["level"])),
            printer.cell(place, "{}", ("n", "count")),
            printer.cell(
                place,
                "{}/{}/{}",
                *((f"n_{why}", "count") for why in ("nodose", "noexposure", "blq")),
            ),
            printer.cell(place, "{}–{}", ("dose_min", "significant"), ("dose_max", "significant")),
            printer.interval(place, "slope", "fixed2"),
            printer.cell(place, "{}, {}", *_REGION),
            printer.cell(place, "{}", ("p_zero", "p")),
            printer.cell(place, "{}", ("p_one", "p")),
            printer.interval(place, "rdnm", "fixed2"),
            printer.cell(place, "{}", ("r2", "fixed2")),
            printer.cell(place, "{} ({}, {}), p {}", *interval("rho", "fixed2"), ("rho_p", "p"))
            if ranked
            else blank,
            judged,
        )
    )


def _test_row(printer: Printer, language: Language, place: Place) -> Row:
    """The test of one slope stands where the slopes are; the other columns are empty."""
    blank = printer.blank()
    label = level_label(language, "common_slope", place.by["analysis"])
    result = printer.cell(
        place,
        "F({}, {}) = {}, p {}",
        ("df", "count"),
        ("df_residual", "count"),
        ("f", "fixed2"),
        ("p", "p"),
    )
    cells = (
        Cell(metric_label(language, place.variable)),
        Cell(label),
        printer.cell(place, "{}", ("n", "count")),
        blank,
        blank,
        result,
    )
    return Row((*cells, *[blank] * 7))


def draw_dose_response(context: Context) -> Table | NotShown:
    """Odds or hazard ratio per doubling of each dose metric, alone and beside the exposure."""
    language = context.language
    settings = context.settings["exposure_response"]
    analyte = exposure_analyte(context)
    printer = Printer(context.results, language)
    selected = context.results.select(RESPONSE)
    found = set(selected["variable"])
    # Keys are sorted by name: adjustment, metric.
    adjusted = "EXPOSURE" in set(selected["level1"])
    rows: list[Row] = []
    subjects = 0
    for endpoint in (code for code in settings["endpoints"] if code in found):
        for position, dose in enumerate(settings["dose_response"]["metrics"]):
            place = Place(RESPONSE, endpoint, analyte, {"metric": dose, "adjustment": UNADJUSTED})
            measure = printer.value(place, "measure")
            if not position:
                name = level_label(language, "measure", measure.text)
                text = language.text(
                    "label.endpoint_measure", endpoint=endpoint_label(context, endpoint), name=name
                )
                rows.append(heading(Cell(text, (measure.value_id,))))
            if math.isfinite(printer.value(place, "ratio").number):
                subjects = max(subjects, int(printer.value(place, "n").number))
            unit = printer.value(place, "dose_min").unit
            cells = [Cell(dose_label(language, dose, unit))]
            cells += _ratio_cells(printer, language, place)
            cells.insert(4, _q_cell(printer, place, measure.text))
            if adjusted:
                beside = Place(RESPONSE, endpoint, analyte, {"metric": dose, "adjustment": EXPOSED})
                metric = printer.value(beside, "exposure_metric")
                cells.append(Cell(metric_label(language, metric.text), (metric.value_id,)))
                cells += _ratio_cells(printer, language, beside)
            rows.append(Row(tuple(cells)))
    if not rows:
        return NotShown("NOTCOLL")
    return Table(_response_columns(context, adjusted), tuple(rows), subjects, analytes=(analyte,))


def _response_columns(context: Context, adjusted: bool) -> tuple[Column, ...]:
    text = context.language.text
    level = percent(context.settings["exposure_response"]["confidence_level"])
    alone, beside = text("column.dose_alone"), text("column.dose_beside_exposure")
    columns = [
        Column(text("column.dose_metric"), align="left", width="17%"),
        Column(text("column.events_n"), group=alone, width="7%"),
        Column(text("column.per_doubling_ci", level=level), group=alone, width="14%"),
        Column(text("statistic.p"), group=alone, width="6%"),
        Column(text("statistic.q"), group=alone, width="6%"),
        Column(text("column.model"), group=alone, width="8%"),
    ]
    if adjusted:
        columns += [
            Column(text("column.metric"), group=beside, width="8%"),
            Column(text("column.events_n"), group=beside, width="7%"),
            Column(text("column.per_doubling_ci", level=level), group=beside, width="14%"),
            Column(text("statistic.p"), group=beside, width="6%"),
            Column(text("column.model"), group=beside, width="7%"),
        ]
    return tuple(columns)


def _ratio_cells(printer: Printer, language: Language, place: Place) -> list[Cell]:
    """Events and subjects, ratio (CI), p, model."""
    method = printer.value(place, "method")
    model = level_cell(language, "model", method)
    if printer.exists(place, "ph_p") and method.text != "NONE":
        hazards = printer.cell(place, "{}", ("ph_p", "p"))
        text = language.text("label.model_hazards", model=model.text, p=hazards.text)
        model = Cell(text, (*model.value_ids, *hazards.value_ids), hazards.reasons)
    return [
        printer.cell(place, "{}/{}", ("events", "count"), ("n", "count")),
        printer.interval(place, "ratio"),
        printer.cell(place, "{}", ("p", "p")),
        model,
    ]


def _q_cell(printer: Printer, place: Place, measure: str) -> Cell:
    by = {**place.by, "population": "DOSE", "model": _MODELS[measure]}
    tested = Place(MULTIPLICITY, place.variable, place.analyte, by)
    return q_cell(printer, tested)


def draw_dose_rates(context: Context) -> Table | NotShown:
    """Rate of each binary endpoint at each dose level, with the test of a trend."""
    language = context.language
    settings = context.settings["exposure_response"]
    analyte = exposure_analyte(context)
    printer = Printer(context.results, language)
    selected = context.results.select(RATE)
    if selected.empty:
        return NotShown("NOTCOLL")
    ordered = sorted(
        (printer.value(Place(RATE, code, analyte, {"dose": dose}), "order").number, dose)
        for code, dose in {*zip(selected["variable"], selected["level1"], strict=True)}
    )
    doses = list(dict.fromkeys(dose for _, dose in ordered))
    rows = []
    for endpoint in (code for code in settings["endpoints"] if code in set(selected["variable"])):
        cells = [Cell(endpoint_label(context, endpoint))]
        for dose in doses:
            place = Place(RATE, endpoint, analyte, {"dose": dose})
            counted = printer.cell(place, "{}/{}", ("events", "count"), ("n", "count"))
            rate = printer.interval(place, "pct", "fixed1")
            cells += [counted, rate]
        trend = Place(TREND, endpoint, analyte)
        cells.append(printer.cell(trend, "{}", ("z", "fixed2")))
        cells.append(printer.cell(trend, "{}", ("p", "p")))
        rows.append(Row(tuple(cells)))
    text = language.text
    level = percent(settings["confidence_level"])
    columns = [Column(text("column.endpoint"), align="left", width="22%")]
    for dose in doses:
        group = level_label(language, "dose", dose)
        columns.append(Column(text("column.events_n"), group=group))
        columns.append(Column(text("column.rate_ci", level=level), group=group))
    columns.append(Column(text("column.z_trend"), width="7%"))
    columns.append(Column(text("column.p_trend"), width="7%"))
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=(analyte,))
