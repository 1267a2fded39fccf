"""Tables of rescue medication: description (69), timing (69a), weighting (70), balance (70a)."""

from __future__ import annotations

from dataclasses import replace

from celldossier.terms.covariates import covariate_level
from celldossier.terms.parameters import parameter_unit
from celldossier.tlf.cells import Place, Printer, footnote_if, heading, median_range
from celldossier.tlf.covariate_labels import covariate_name
from celldossier.tlf.exposure_models import compared_groups, exposure_analyte, exposure_unit
from celldossier.tlf.fields import (
    Field,
    Reader,
    estimate,
    head_fields,
    read_cells,
    read_row,
    stat,
    stats,
)
from celldossier.tlf.labels import level_label, metric_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

RATIO, BY_GRADE = "exposure_response.rescue_ratio", "exposure_response.rescue_by_grade"
COURSE = "exposure_response.rescue_course"
WEIGHTED, STRATA = "exposure_response.weighted_ratio", "exposure_response.weight_strata"
BALANCE = "exposure_response.weight_balance"
MEDICATIONS = ("TOCILIZUMAB", "STEROID")
POPULATIONS = ("CRS", "CRS_OVERLAP")
SIDES = (("_given", "column.given"), ("_without", "column.not_given"))
"""Suffix of the statistics of each group, and its head."""


def draw_rescue_description(context: Context) -> Table | NotShown:
    """Exposure with and without rescue medication, in all and by worst grade of CRS."""
    given = _given(context)
    if isinstance(given, NotShown):
        return given
    language, analyte = context.language, exposure_analyte(context)
    *groups, ratio = compared_groups(*SIDES)
    fields = (*groups, replace(ratio, width="21%"))
    reader = Reader.of(context)
    printer = reader.printer
    grades = context.results.levels(BY_GRADE, "grade")
    rows: list[Row] = []
    few = False
    for medication in given:
        for metric in _metrics(context):
            unit = parameter_unit(metric, "d", exposure_unit(context))
            head = language.text(
                "label.medication_metric",
                medication=level_label(language, "medication", medication),
                metric=with_unit(metric_label(language, metric), unit),
            )
            rows.append(heading(head))
            place = Place(RATIO, metric, analyte, {"term": medication})
            label = Cell(language.text("label.all_subjects"))
            rows.append(Row((label, *read_cells(reader, fields, place))))
            for grade in grades:
                within = place.of(BY_GRADE).within(grade=grade)
                if printer.exists(within, "n_given"):
                    label = Cell(language.text("label.crs_grade", grade=grade))
                    few = few or any(printer.few(within, suffix) for suffix, _ in SIDES)
                    rows.append(Row((label, *read_cells(reader, fields, within)), indent=1))
    columns = (
        Column(language.text("column.worst_grade_crs"), align="left", width="26%"),
        *head_fields(context, fields),
    )
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), (analyte,))


def draw_rescue_timing(context: Context) -> Table | NotShown:
    """First dose of the rescue medication against the onset of CRS and against the peak."""
    given = _given(context)
    if isinstance(given, NotShown):
        return given
    language, analyte = context.language, exposure_analyte(context)
    fields = (
        Field("column.interval", _interval_name, "38%", align="left"),
        Field("column.n_given", stat("n_given", "count"), "10%"),
        Field("column.n_known", stat("n", "count"), "10%"),
        Field("column.median_range_days", stats("{} ({}, {})", *median_range("fixed1")), "20%"),
        Field("column.n_positive_interval", stat("n_after", "count"), "11%"),
        Field("column.n_other_interval", stat("n_not_after", "count"), "11%"),
    )
    reader = Reader.of(context)
    rows: list[Row] = []
    for medication in given:
        rows.append(heading(level_label(language, "medication", medication)))
        for event in ("FROM_ONSET", "TO_PEAK"):
            place = Place(COURSE, medication, analyte, {"event": event})
            rows.append(read_row(reader, fields, place, indent=1))
    return Table(head_fields(context, fields), tuple(rows), reader.printer.subjects)


def _interval_name(reader: Reader, place: Place) -> Cell:
    return Cell(reader.context.language.text(f"label.rescue_timing.{place.by['event']}"))


def draw_rescue_weighting(context: Context) -> Table | NotShown:
    """Ratio of exposure without and with weights, among subjects with CRS."""
    given = _given(context)
    if isinstance(given, NotShown):
        return given
    language, analyte = context.language, exposure_analyte(context)
    fields = (
        Field("column.population", _weighting, "22%", align="left"),
        *(Field(head, stat(f"n{suffix}", "count"), "7%", "statistic.n") for suffix, head in SIDES),
        Field("column.gmr_unweighted", estimate("naive"), "16%"),
        Field(
            "column.weights",
            stats("{} – {}", ("weight_min", "fixed2"), ("weight_max", "fixed2")),
            "13%",
        ),
        Field("column.truncated", stat("truncated", "count"), "8%"),
        Field(
            "column.effective_size",
            stats("{} / {}", ("ess_given", "fixed1"), ("ess_without", "fixed1")),
            "11%",
        ),
        Field("column.gmr_weighted", estimate("gmr"), "16%"),
    )
    reader = Reader.of(context)
    rows: list[Row] = []
    subjects = 0
    for medication in given:
        for metric in _metrics(context):
            head = language.text(
                "label.medication_metric",
                medication=level_label(language, "medication", medication),
                metric=metric_label(language, metric),
            )
            rows.append(heading(head))
            for population in POPULATIONS:
                by = {"term": medication, "population": population}
                place = Place(WEIGHTED, metric, analyte, by)
                ratio = reader.printer.value(place, "gmr")
                if ratio.note_code == "ALLOVERL":
                    continue  # every grade overlaps: the row above is this analysis
                row = read_row(reader, fields, place, indent=1)
                if not row.cells[-1].reasons:
                    subjects = max(subjects, int(ratio.n))
                rows.append(row)
    notes = _treatment_models(context, given)
    return Table(head_fields(context, fields), tuple(rows), subjects, tuple(notes), (analyte,))


def _weighting(reader: Reader, place: Place) -> Cell:
    return Cell(level_label(reader.context.language, "weighting", place.by["population"]))


def draw_weight_balance(context: Context) -> Table | NotShown:
    """Treated subjects by grade, and the balance of the covariates before and after weighting."""
    given = _given(context)
    if isinstance(given, NotShown):
        return given
    language, analyte = context.language, exposure_analyte(context)
    printer = Printer(context.results, language)
    metric = _metrics(context)[0] if "CMAX" not in _metrics(context) else "CMAX"
    selected = context.results.select(BALANCE)
    limit = float(
        context.settings["exposure_response"]["confounding"]["max_standardised_difference"]
    )
    blank = printer.blank()
    rows: list[Row] = []
    for medication in given:
        text = level_label(language, "medication", medication)
        rows.append(heading(text))
        for grade in context.results.levels(STRATA, "grade"):
            place = Place(STRATA, metric, analyte, {"term": medication, "grade": grade})
            if not printer.exists(place, "n_given"):
                continue
            counts = [printer.cell(place, "{}", (s, "count")) for s in ("n_given", "n_without")]
            label = Cell(language.text("label.crs_grade", grade=grade))
            rows.append(Row((label, *counts, blank, blank, blank), indent=1))
        for population in POPULATIONS:
            part = selected[
                (selected["variable"] == metric)
                & (selected["level2"] == population)
                & (selected["level3"] == medication)
            ]
            for covariate in dict.fromkeys(part["level1"]):
                by = {"term": medication, "population": population, "covariate": covariate}
                place = Place(BALANCE, metric, analyte, by)
                after = printer.value(place, "smd_after")
                verdict = "BALANCED" if abs(after.number) <= limit else "IMBALANCED"
                name = language.text(
                    "label.covariate_population",
                    covariate=covariate_label(context, covariate),
                    population=level_label(language, "weighting", population),
                )
                rows.append(
                    Row(
                        (
                            Cell(name),
                            blank,
                            blank,
                            printer.cell(place, "{}", ("smd_before", "fixed2")),
                            printer.cell(place, "{}", ("smd_after", "fixed2")),
                            Cell(language.text(f"label.balance.{verdict}"), (after.value_id,)),
                        ),
                        indent=1,
                    )
                )
    n = language.text("statistic.n")
    difference = language.text("column.standardised_difference")
    columns = (
        Column(language.text("column.grade_or_covariate"), align="left", width="42%"),
        Column(language.text("column.given"), group=n),
        Column(language.text("column.not_given"), group=n),
        Column(language.text("column.before_weighting"), group=difference),
        Column(language.text("column.after_weighting"), group=difference),
        Column(language.text("column.balance")),
    )
    shown = language.text("footnote.balance_metric", metric=metric_label(language, metric))
    return Table(
        columns, tuple(rows), printer.subjects, (shown, *_treatment_models(context, given))
    )


def covariate_label(context: Context, name: str) -> str:
    """Words for a column of a design: a variable of ADER, or one of its levels."""
    language = context.language
    variable, _, level = name.partition("=")
    term = f"covariate.{variable}"
    text = language.text(term) if language.has(term) else covariate_name(language, variable)
    if not level:
        return text
    return language.text(
        "label.covariate_level", covariate=text, level=covariate_level(language, variable, level)
    )


def _given(context: Context) -> list[str] | NotShown:
    """Medications that a subject with exposure was given, or why there is none."""
    found = context.results.select(RATIO)
    given = found[(found["stat_name"] == "n_given") & (found["value"] > 0)]
    names = [name for name in MEDICATIONS if name in set(given["level1"])]
    if names:
        return names
    collected = (found.loc[found["stat_name"] == "n_without", "value"] > 0).any()
    return NotShown("NORESCUE" if collected else "NOTCOLL")


def _treatment_models(context: Context, given: list[str]) -> list[str]:
    """What stands in the model of each treatment, by the settings."""
    language = context.language
    declared = context.settings["exposure_response"]["confounding"]["rescue"]
    covariates = {str(item["medication"]): item["covariates"] for item in declared}
    return [
        language.text(
            "footnote.treatment_model",
            medication=level_label(language, "medication", name),
            covariates=language.text("label.list_separator").join(
                covariate_label(context, variable)
                for variable in dict.fromkeys(("CRSGR", *covariates[name]))
            ),
        )
        for name in given
        if name in covariates
    ]


def _metrics(context: Context) -> list[str]:
    return [str(code) for code in context.settings["exposure_response"]["metrics"]]
