"""Tables of covariates: product (71), full model (72a), selection (72b)."""

from __future__ import annotations

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading, level_cell, sentence_cell
from celldossier.tlf.covariate_labels import (
    contrast_label,
    covariate_name,
    group_label,
    order_covariates,
)
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.labels import metric_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

FULL = "exposure_response.covariate_full"
MODEL = "exposure_response.covariate_model"
MISSING = "exposure_response.covariate_missing"
SELECTION = "exposure_response.covariate_selection"
RULE = "exposure_response.covariate_selection_rule"
PRODUCT = "exposure_response.product_exposure"


def draw_product_exposure(context: Context) -> Table | NotShown:
    """Ratio of exposure per standard deviation of each product attribute (71)."""
    language, analyte, printer = read_tools(context)
    selected = context.results.select(PRODUCT)
    if selected.empty:
        return NotShown("NOTCOLL")
    rows: list[Row] = []
    for metric in _metrics(context, set(selected["variable"])):
        rows.append(heading(metric_label(language, metric)))
        # Keys are sorted by name: adjustment, covariate.
        for name in _declared(context, "product_attributes", set(selected["level2"])):
            place = Place(PRODUCT, metric, analyte, {"covariate": name})
            cells = [Cell(covariate_name(language, name))]
            cells.append(
                printer.cell(place.within(adjustment="UNADJUSTED"), "{}", ("sd", "significant"))
            )
            for adjustment in ("UNADJUSTED", "ADJUSTED"):
                own = place.within(adjustment=adjustment)
                cells.append(printer.cell(own, "{}", ("n", "count")))
                cells.append(printer.interval(own, "gmr"))
                cells.append(printer.cell(own, "{}", ("p", "p")))
                cells.append(printer.cell(own, "{}", ("q", "p")))
            rows.append(Row(tuple(cells), indent=1))
    groups = [language.text(f"column.product_{key}") for key in ("unadjusted", "adjusted")]
    columns = (
        Column(language.text("column.attribute"), align="left", width="22%"),
        Column(language.text("statistic.sd")),
        *(
            column
            for group in groups
            for column in (
                Column(language.text("statistic.n"), group=group, width="5%"),
                Column(language.text("column.gmr_per_sd"), group=group, width="18%"),
                Column(language.text("statistic.p"), group=group),
                Column(language.text("statistic.q"), group=group),
            )
        ),
    )
    adjusted = selected[
        (selected["stat_name"] == "covariates") & (selected["level1"] == "ADJUSTED")
    ]
    used = {name for text in adjusted["value_text"] for name in str(text).split("; ")}
    names = [
        covariate_name(language, name, unit=False)
        for name in _declared(context, "product_adjustment", used)
    ]
    separator = language.text("label.list_separator")
    notes = [language.text("footnote.product_attributes")]
    if names:
        text = language.text("footnote.product_adjusted", covariates=separator.join(names))
        notes = [text, *notes]
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), (analyte,))


def draw_covariate_models(context: Context) -> Table | NotShown:
    """Full model of exposure: estimates, bootstrap, collinearity, missing values (72a)."""
    language, analyte, printer = read_tools(context)
    selected = context.results.select(MODEL)
    if selected.empty:
        return NotShown("NOTCOLL")
    full = context.results.select(FULL)
    missing = context.results.select(MISSING)
    rows: list[Row] = []
    subjects = 0
    for metric in _metrics(context, set(selected["variable"])):
        model = Place(MODEL, metric, analyte)
        rows.append(heading(_model_heading(context, printer, model, metric)))
        verdict = printer.value(model, "verdict").text
        if verdict != "REFUSED":
            subjects = max(subjects, int(printer.value(model, "n").number))
        own = full[(full["variable"] == metric) & (full["stat_name"] == "gmr")]
        counted = set(missing.loc[missing["variable"] == metric, "level1"])
        for group, names in order_covariates(context, set(own["level1"]) | counted):
            rows.append(heading(group_label(language, group)))
            for name in names:
                count = missing_cell(printer, Place(MISSING, metric, analyte, {"covariate": name}))
                levels = natural_order(own.loc[own["level1"] == name, "level2"])
                if not levels:
                    rows.append(_left_out(context, printer, metric, name, count))
                for level in levels:
                    by = {"covariate": name, "level": level}
                    place = Place(FULL, metric, analyte, by)
                    rows.append(_full_row(context, printer, place, name, level, count))
    columns = (
        Column(language.text("column.contrast"), align="left", width="27%"),
        Column(language.text("column.n_missing"), width="8%"),
        Column(language.text("column.gmr"), width="16%"),
        Column(language.text("column.bootstrap_interval"), width="12%"),
        Column(language.text("statistic.p"), width="7%"),
        Column(language.text("statistic.q"), width="7%"),
        Column(language.text("column.inflation"), width="7%"),
        Column(language.text("column.complete_case"), width="16%"),
    )
    return Table(columns, tuple(rows), subjects, analytes=(analyte,))


def draw_covariate_selection(context: Context) -> Table | NotShown:
    """Stability selection and bootstrap inclusion of each candidate (72b)."""
    language, analyte, printer = read_tools(context)
    selected = context.results.select(SELECTION)
    if selected.empty:
        rules = context.results.select(RULE)
        reasons = [code for code in rules["note_code"] if code]
        return NotShown(reasons[0] if reasons else "NOTCOLL")
    metrics = _metrics(context, set(selected["variable"]))
    own = selected[selected["stat_name"] == "frequency"]
    rows: list[Row] = []
    heads: list[Cell] = []
    for metric in metrics:
        heads.append(_rule_heading(context, printer, Place(RULE, metric, analyte), metric))
    rows += [heading(head) for head in heads]
    for group, names in order_covariates(context, set(own["level1"])):
        rows.append(heading(group_label(language, group)))
        for name in names:
            for level in natural_order(own.loc[own["level1"] == name, "level2"].unique()):
                by = {"covariate": name, "level": level}
                places = [Place(SELECTION, metric, analyte, by) for metric in metrics]
                known = [place for place in places if printer.exists(place, "frequency")]
                label, shown = contrast_label(language, printer, known[0], name, level)
                cells = [Cell(label, shown)]
                for place in places:
                    if place not in known:
                        cells += [printer.blank()] * 4
                        continue
                    cells.append(printer.cell(place, "{}", ("frequency", "fixed2")))
                    cells.append(printer.cell(place, "{}", ("boot_inclusion", "fixed2")))
                    cells += [
                        word_cell(context, printer, place, stat) for stat in ("sign", "selected")
                    ]
                rows.append(Row(tuple(cells), indent=1))
    columns = (
        Column(language.text("column.contrast"), align="left", width="32%"),
        *(
            Column(language.text(f"column.selection_{key}"), group=metric_label(language, metric))
            for metric in metrics
            for key in ("frequency", "inclusion", "sign", "selected")
        ),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=(analyte,))


def read_tools(context: Context) -> tuple[Language, str, Printer]:
    """Language, analyte of the exposure, and a printer."""
    analyte = exposure_analyte(context)
    return context.language, analyte, Printer(context.results, context.language)


def _metrics(context: Context, found: set[str]) -> list[str]:
    declared = [str(m) for m in context.settings["exposure_response"]["forest_metrics"]]
    return [metric for metric in declared if metric in found]


def _declared(context: Context, key: str, found: set[str]) -> list[str]:
    rules = context.settings["exposure_response"]["covariate_models"]
    return [str(name) for name in rules[key] if name in found]


def word_cell(context: Context, printer: Printer, place: Place, stat: str) -> Cell:
    """A coded text of the results in the words of the language."""
    return level_cell(context.language, f"covariate_{stat}", printer.value(place, stat))


def _model_heading(context: Context, printer: Printer, place: Place, metric: str) -> Cell:
    parts = {
        "n": printer.cell(place, "{}", ("n", "count")),
        "parameters": printer.cell(place, "{}", ("parameters", "count")),
        "condition": printer.cell(place, "{}", ("condition", "fixed1")),
        "inflation": printer.cell(place, "{}", ("max_vif", "fixed1")),
        "imputations": printer.cell(place, "{}", ("imputations", "count")),
        "incomplete": printer.cell(place, "{}", ("n_incomplete", "count")),
        "verdict": word_cell(context, printer, place, "verdict"),
    }
    metric_name = metric_label(context.language, metric)
    return sentence_cell(context.language, "label.covariate_model", parts, metric=metric_name)


def _rule_heading(context: Context, printer: Printer, place: Place, metric: str) -> Cell:
    forms = {
        "n": "count",
        "candidates": "count",
        "entering": "count",
        "halves": "count",
        "threshold": "fixed2",
        "bound": "fixed2",
        "samples": "count",
    }
    parts = {name: printer.cell(place, "{}", (name, form)) for name, form in forms.items()}
    metric_name = metric_label(context.language, metric)
    return sentence_cell(context.language, "label.covariate_selection", parts, metric=metric_name)


def missing_cell(printer: Printer, place: Place) -> Cell:
    """Number of missing values of a covariate of a model; an en dash where it is in none."""
    if not printer.exists(place, "n_missing"):
        return printer.blank()
    return printer.cell(place, "{}", ("n_missing", "count"))


def _left_out(context: Context, printer: Printer, metric: str, name: str, count: Cell) -> Row:
    """A covariate that could not enter the model, with its reason."""
    analyte = exposure_analyte(context)
    place = Place(MISSING, metric, analyte, {"covariate": name})
    reasons: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    if printer.exists(place, "reason"):
        reason = printer.value(place, "reason")
        reasons, identifiers = (reason.text,), (reason.value_id,)
    none = Cell(context.language.text("label.not_calculated"), identifiers, reasons)
    blank = printer.blank()
    label = Cell(covariate_name(context.language, name))
    return Row((label, count, none, blank, blank, blank, blank, blank), indent=1)


def _full_row(
    context: Context, printer: Printer, place: Place, name: str, level: str, count: Cell
) -> Row:
    label, shown = contrast_label(context.language, printer, place, name, level)
    blank = printer.blank()
    fitted = printer.exists(place, "vif")
    return Row(
        (
            Cell(label, shown),
            count,
            printer.interval(place, "gmr"),
            printer.cell(place, "{}, {}", ("boot_low", "significant"), ("boot_high", "significant"))
            if fitted
            else blank,
            printer.cell(place, "{}", ("p", "p")),
            printer.cell(place, "{}", ("q", "p")),
            printer.cell(place, "{}", ("vif", "fixed1")) if fitted else blank,
            printer.interval(place, "gmr", suffix="_complete") if fitted else blank,
        ),
        indent=1,
    )
