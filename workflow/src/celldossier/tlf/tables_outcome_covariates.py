"""Tables of the covariates of outcomes: one at a time (72c), all in one model (72d)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.covariate_labels import (
    contrast_label,
    covariate_name,
    group_label,
    order_covariates,
)
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.labels import endpoint_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_covariates import missing_cell, read_tools, word_cell

OUTCOME = "exposure_response.covariate_outcome"
OUTCOME_MODEL = "exposure_response.covariate_outcome_model"
OUTCOME_MISSING = "exposure_response.covariate_outcome_missing"


def draw_outcome_covariates(context: Context) -> Table | NotShown:
    """Covariates of each outcome, one at a time: alone, and beside the exposure (72c)."""
    language, analyte, printer = read_tools(context)
    rows = _outcome_rows(context, printer, ("TOTAL", "WITH_EXPOSURE"), _outcome_cells)
    if not rows:
        return NotShown("NOTCOLL")
    columns = [Column(language.text("column.contrast"), align="left", width="30%")]
    for model in ("TOTAL", "WITH_EXPOSURE"):
        group = language.text(f"level.covariate_model.{model}")
        columns += [
            Column(language.text("column.events_n"), group=group),
            Column(language.text("column.ratio_ci"), group=group, width="17%"),
            Column(language.text("statistic.p"), group=group),
            Column(language.text("statistic.q"), group=group),
        ]
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=(analyte,))


def draw_outcome_models(context: Context) -> Table | NotShown:
    """Full model of each outcome, without and with the exposure; missing values (72d)."""
    language, analyte, printer = read_tools(context)
    models = ("FULL", "FULL_WITH_EXPOSURE")
    rows = _outcome_rows(context, printer, models, _full_outcome_cells)
    if not rows:
        return NotShown("NOTCOLL")
    columns = [Column(language.text("column.contrast"), align="left", width="24%")]
    for model in models:
        group = language.text(f"level.covariate_model.{model}")
        columns += [
            Column(language.text("column.n_missing"), group=group),
            Column(language.text("column.ratio_ci"), group=group, width="14%"),
            Column(language.text("statistic.q"), group=group),
            Column(language.text("column.complete_ratio"), group=group, width="14%"),
        ]
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=(analyte,))


def _outcome_rows(
    context: Context,
    printer: Printer,
    models: tuple[str, str],
    draw: Callable[[Printer, Place], list[Cell]],
) -> list[Row]:
    """Rows of all endpoints: the endpoint, its groups of covariates, and their terms."""
    language, analyte, _ = read_tools(context)
    selected = context.results.select(OUTCOME)
    selected = selected[(selected["stat_name"] == "ratio") & selected["level3"].isin(models)]
    declared = [str(code) for code in context.settings["exposure_response"]["endpoints"]]
    rows: list[Row] = []
    for endpoint in [code for code in declared if code in set(selected["variable"])]:
        own = selected[selected["variable"] == endpoint]
        rows.append(heading(_outcome_heading(context, printer, endpoint, models)))
        for group, names in order_covariates(context, set(own["level1"])):
            rows.append(heading(group_label(language, group)))
            for name in names:
                for level in natural_order(own.loc[own["level1"] == name, "level2"].unique()):
                    by = {"covariate": name, "level": level}
                    place = Place(OUTCOME, endpoint, analyte, by)
                    label = covariate_name(language, name)
                    shown: tuple[str, ...] = ()
                    cells: list[Cell] = []
                    for model in models:
                        own_place = place.within(model=model)
                        cells += draw(printer, own_place)
                        if not shown and printer.exists(own_place, "ratio"):
                            label, shown = contrast_label(language, printer, own_place, name, level)
                    rows.append(Row((Cell(label, shown), *cells), indent=1))
    return rows


def _outcome_heading(
    context: Context, printer: Printer, endpoint: str, models: tuple[str, str]
) -> Cell:
    label = endpoint_label(context, endpoint)
    if not models[0].startswith("FULL"):
        return Cell(label)
    analyte = exposure_analyte(context)
    identifiers: list[str] = []
    reasons: list[str] = []
    texts: dict[str, str] = {}
    for key, model in zip(("full", "both"), models, strict=True):
        place = Place(OUTCOME_MODEL, endpoint, analyte, {"model": model})
        verdict = word_cell(context, printer, place, "verdict")
        for stat, form in (
            ("n", "count"),
            ("events", "count"),
            ("events_per_parameter", "fixed1"),
            ("imputations", "count"),
        ):
            cell = printer.cell(place, "{}", (stat, form))
            texts[f"{key}_{stat}"] = cell.text
            identifiers += cell.value_ids
            reasons += cell.reasons
        texts[f"{key}_verdict"] = verdict.text
        identifiers += verdict.value_ids
    text = context.language.text("label.outcome_models", endpoint=label, **texts)
    return Cell(text, tuple(identifiers), tuple(dict.fromkeys(reasons)))


def _ratio_cell(printer: Printer, place: Place, suffix: str = "") -> Cell:
    ratio = printer.interval(place, "ratio", suffix=suffix)
    measure = printer.value(place, "measure")
    return replace(ratio, value_ids=(*ratio.value_ids, measure.value_id))


def _outcome_cells(printer: Printer, place: Place) -> list[Cell]:
    if not printer.exists(place, "ratio"):
        return [printer.blank()] * 4
    return [
        printer.cell(place, "{}/{}", ("events", "count"), ("n", "count")),
        _ratio_cell(printer, place),
        printer.cell(place, "{}", ("p", "p")),
        printer.cell(place, "{}", ("q", "p")),
    ]


def _full_outcome_cells(printer: Printer, place: Place) -> list[Cell]:
    if not printer.exists(place, "ratio"):
        return [printer.blank()] * 4
    kept = {key: place.by[key] for key in ("covariate", "model")}
    missing = Place(OUTCOME_MISSING, place.variable, place.analyte, kept)
    return [
        missing_cell(printer, missing),
        _ratio_cell(printer, place),
        printer.cell(place, "{}", ("q", "p")),
        _ratio_cell(printer, place, "_complete")
        if printer.exists(place, "ratio_complete")
        else printer.blank(),
    ]
