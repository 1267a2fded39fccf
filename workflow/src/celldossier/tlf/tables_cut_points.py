"""Cut points and sensitivity of the antibody assays (table 78b)."""

from __future__ import annotations

import pandas as pd

from celldossier.results.analysis_results import GROUPS
from celldossier.settings.bioanalysis import Assay
from celldossier.tlf.cells import Place, given_cell, heading
from celldossier.tlf.fields import Field, Reader, Reading, head_fields, read_row, stat, stats, where
from celldossier.tlf.labels import level_label, reason_label, target_label, unit_label, with_unit
from celldossier.tlf.model import Cell, Context, NotShown, Row, Table

CUT_POINTS = "immunogenicity.cut_points"
TIERS = ("SCREENING", "CONFIRMATORY")
_SAMPLES = (("n", "count"), ("n_outliers", "count"), ("n_positive", "count"))
NOT_GIVEN = "NOSENSIT"
"""Reason code of a sensitivity that the settings do not give."""


def draw_cut_points(context: Context) -> Table | NotShown:
    """Cut points by test, target and tier: samples, rule and its reason, fixed or floating."""
    selected = context.results.select(CUT_POINTS)
    places = list_places(selected)
    if not places:
        return NotShown("NOTCOLL")
    reader = Reader.of(context)
    assays = _assays_by_test(context)
    fields = _fields(assays, bounded=bool((selected["stat_name"] == "bound").any()))
    rows: list[Row] = []
    shown: tuple[str, str] | None = None
    for place in places:
        if shown != (place.variable, place.analyte):
            shown = (place.variable, place.analyte)
            rows.append(_test_heading(context, place, assays.get(place.variable)))
        rows.append(read_row(reader, fields, place))
    rules = context.settings["immunogenicity"]["cut_points"]
    columns = head_fields(context, fields, level=f"{rules['bound_confidence']:.0%}")
    return Table(columns, tuple(rows), reader.printer.subjects)


def list_places(selected: pd.DataFrame) -> list[Place]:
    """Places of the rows of the analysis: by test and target, screening first."""
    places: dict[tuple[object, ...], Place] = {}
    for row in selected.to_dict("records"):
        by = {
            str(row[f"group{i}"]): str(row[f"level{i}"])
            for i in range(1, GROUPS + 1)
            if row[f"group{i}"]
        }
        key = (
            *(row["variable"], row["analyte"], TIERS.index(by["tier"])),
            *(by.get("version", ""), by.get("unit", "")),
        )
        places[key] = Place(CUT_POINTS, str(row["variable"]), str(row["analyte"]), by)
    return [places[key] for key in sorted(places)]


def _fields(assays: dict[str, Assay], *, bounded: bool) -> tuple[Field, ...]:
    bound = Field("column.cut_point_bound", where("bound", stat("bound")))
    return (
        Field("column.tier", _read_tier, "15%", align="left"),
        Field(
            "column.naive_samples",
            where("n_outliers", stats("{} ({}; {})", *_SAMPLES)),
        ),
        Field(
            "column.normality",
            where("shapiro_p", stats("{}; {}", ("shapiro_p", "p"), ("skewness", "fixed2"))),
        ),
        Field("column.cut_point_rule", where("rule", _read_rule), "20%", align="left"),
        Field("column.false_positive", where("false_positive", stat("false_positive", "fixed1"))),
        Field("column.cut_point", stat("cut_point")),
        *((bound,) if bounded else ()),
        Field("column.above_cut_point", where("n_above", stat("n_above", "count"))),
        Field("column.cut_point_form", where("form", _read_form)),
        Field("column.sensitivity", _read_sensitivity(assays)),
    )


def _read_tier(reader: Reader, place: Place) -> Cell:
    """Tier with the unit of its signals, and the version of the assay where it is known."""
    language = reader.context.language
    tier = level_label(language, "tier", place.by["tier"])
    name = with_unit(tier, unit_label(language, place.by.get("unit", "")))
    separator = language.text("label.sentence_separator")
    return Cell(separator.join(text for text in (name, place.by.get("version", "")) if text))


def _read_rule(reader: Reader, place: Place) -> Cell:
    """The rule, the scale, and why the rule."""
    language = reader.context.language
    rule = reader.printer.value(place, "rule")
    if not rule.text:
        return reader.printer.cell(place, "{}", ("rule", "count"))
    scale, reason = (reader.printer.value(place, name) for name in ("scale", "reason"))
    text = language.text(
        "cutpoint.rule",
        rule=level_label(language, "cut_point_rule", rule.text),
        scale=level_label(language, "cut_point_scale", scale.text),
        reason=level_label(language, "cut_point_reason", reason.text),
    )
    return Cell(text, (rule.value_id, scale.value_id, reason.value_id))


def _read_form(reader: Reader, place: Place) -> Cell:
    """Fixed, floating or dynamic, with the p of means and variances between runs."""
    form = reader.printer.value(place, "form")
    if not form.text:
        return reader.printer.cell(place, "{}", ("form", "count"))
    tests = reader.printer.cell(place, "{}; {}", ("p_means", "p"), ("p_variances", "p"))
    name = level_label(reader.context.language, "cut_point_form", form.text)
    return Cell(f"{name} ({tests.text})", (form.value_id, *tests.value_ids), tests.reasons)


def _read_sensitivity(assays: dict[str, Assay]) -> Reading:
    def read(reader: Reader, place: Place) -> Cell:
        assay = assays.get(place.variable)
        if assay is None or assay.sensitivity is None:
            return Cell(given_cell(reader.context.language, "").text, (), (NOT_GIVEN,))
        return Cell(f"{assay.sensitivity:g}")

    return read


def _assays_by_test(context: Context) -> dict[str, Assay]:
    declared = [Assay.model_validate(each) for each in context.settings["bioanalysis"]["assays"]]
    return {code: assay for assay in declared if assay.domain == "ADA" for code in assay.test_codes}


def _test_heading(context: Context, place: Place, assay: Assay | None) -> Row:
    """Target and test; method and positive control where the settings give them."""
    language = context.language
    words = {"target": target_label(context, place.analyte), "test": place.variable}
    if assay is None:
        return heading(language.text("cutpoint.test", **words))
    control = assay.positive_control or reason_label(language, NOT_GIVEN)
    platform = language.label(assay.platform.model_dump())
    return heading(language.text("cutpoint.assay", **words, platform=platform, control=control))
