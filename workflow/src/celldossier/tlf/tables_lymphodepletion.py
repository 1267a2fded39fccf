"""Lymphodepletion: drugs, doses, deviations, depth, cytokines at infusion (table 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from celldossier.settings.study import IMMUNE_CLASSES
from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.blocks import block_rows, count_row
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import level_label, unit_label, variable_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COUNTS = "study_data.lymphodepletion"
DRUG = f"{COUNTS}_drug"
DOSE = f"{COUNTS}_dose"
DEPTH = f"{COUNTS}_depth"
DRUG_SEPARATOR = " + "

_SHARE = (("n", "count"), ("pct", "fixed1"))
_JUDGED = (("n", "count"), ("n_judged", "count"), ("pct", "fixed1"))
_DEPTHS: tuple[tuple[str, str, tuple[tuple[str, str, bool], ...]], ...] = (
    # Heading, key of the analyte in the settings, and rows: variable, format, mean and SD shown.
    (
        "lymphocytes",
        "lymphocytes",
        (
            ("ALCPRELD", "fixed2", True),
            ("ALCINF", "fixed3", True),
            ("ALCNAD", "fixed3", True),
            ("ALCNADY", "fixed1", False),
            ("ALCDEPL", "fixed1", True),
        ),
    ),
    (
        "leukocytes",
        "leukocytes",
        (
            ("WBCPRELD", "fixed2", True),
            ("WBCINF", "fixed2", True),
            ("WBCNAD", "fixed2", True),
            ("WBCNADY", "fixed1", False),
        ),
    ),
    ("cytokines", "il7", (("IL7INF", "fixed1", True),)),
    ("cytokines", "il15", (("IL15INF", "fixed1", True),)),
)


def draw_lymphodepletion(context: Context) -> Table | NotShown:
    """Regimen, drugs, doses, deviations and depth of lymphodepletion, by dose level and in all."""
    language = context.language
    printer = Printer(context.results, language)
    given = Place(COUNTS, "LDFL")
    if not printer.exists(given) or math.isnan(printer.value(given, "n").number):
        product_class = context.settings["study"]["product"]["product_class"]
        return NotShown("NOTCOLL") if product_class in IMMUNE_CLASSES else NotShown("NOTCLASS")
    doses = natural_order(context.results.levels(COUNTS, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows = _regimen_rows(context, printer, groups)
    block, few = block_rows(
        printer,
        language,
        _label(language, printer, "LDINFDY"),
        [Place(DEPTH, "LDINFDY", by=by) for by in groups],
        "integer",
        spread=False,
    )
    rows.extend(block)
    for drug in natural_order(context.results.levels(DRUG, "drug")):
        block, listed = _drug_rows(context, printer, drug, groups)
        rows.extend(block)
        few = few or listed
    block, listed, analytes = _depth_rows(context, printer, groups)
    rows.extend(block)
    rows.extend(_later_rows(printer, language, [Place(COUNTS, "LDNO", by=by) for by in groups]))
    notes = footnote_if(few or listed, language, "footnote.few_values")
    columns = _columns(language, printer, groups)
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def regimen_label(language: Language, regimen: str) -> str:
    """Words of a regimen: its drugs in the language."""
    drugs = [level_label(language, "drug", drug) for drug in regimen.split(DRUG_SEPARATOR)]
    return DRUG_SEPARATOR.join(drugs)


def _columns(
    language: Language, printer: Printer, groups: Sequence[dict[str, str]]
) -> tuple[Column, ...]:
    columns = [Column(language.text("column.characteristic"), align="left", width="33%")]
    for by in groups:
        n = printer.cell(Place(COUNTS, "LDFL", by=by), "{}", ("n_infused", "count"))
        group = level_label(language, "dose", by["dose"]) if by else language.text("label.total")
        head = language.text("column.group_n", group=group, n=n.text)
        above = language.text("column.dose_level") if by else ""
        columns.append(Column(head, group=above, value_ids=n.value_ids))
    return tuple(columns)


def _label(language: Language, printer: Printer, variable: str) -> str:
    unit = unit_label(language, printer.value(Place(DEPTH, variable), "median").unit)
    return with_unit(variable_label(language, "ADSL", variable), unit)


def _regimen_rows(
    context: Context, printer: Printer, groups: Sequence[dict[str, str]]
) -> list[Row]:
    """The regimens with their subjects, those without any, and those with a deviation."""
    language = context.language
    regimens = context.results.levels(COUNTS, "regimen")
    rows = [Row((Cell(language.text("ld.regimen")), *[Cell("")] * len(groups)))]
    for regimen in natural_order(regimens):
        places = [Place(COUNTS, "LDREG", by={**by, "regimen": regimen}) for by in groups]
        label = regimen_label(language, regimen)
        rows.append(count_row(printer, label, places, "{} ({})", *_SHARE, indent=1))
    places = [Place(COUNTS, "LDOMFL", by=by) for by in groups]
    label = language.text("ld.none")
    rows.append(count_row(printer, label, places, "{} ({})", *_SHARE, indent=1))
    places = [Place(COUNTS, "LDDEVFL", by=by) for by in groups]
    label = language.text("ld.deviation")
    rows.append(count_row(printer, label, places, "{}/{} ({})", *_JUDGED))
    return rows


def _drug_rows(
    context: Context, printer: Printer, drug: str, groups: Sequence[dict[str, str]]
) -> tuple[list[Row], bool]:
    """One drug: subjects, omission, deviation, then dose of a day, total, days, intensity."""
    language = context.language
    places = [Place(DRUG, "LDTRT", by={**by, "drug": drug}) for by in groups]
    rows = [heading(level_label(language, "drug", drug))]
    counts = (
        ("ld.given", "{} ({})", _SHARE),
        ("ld.omitted", "{}", (("n_omitted", "count"),)),
        (
            "ld.drug_deviation",
            "{}/{} ({})",
            (("n_deviating", "count"), ("n_judged", "count"), ("pct_deviating", "fixed1")),
        ),
    )
    for key, pattern, stats in counts:
        rows.append(count_row(printer, language.text(key), places, pattern, *stats))
    if printer.value(places[-1], "n_nodose").number > 0:
        label = language.text("ld.nodose")
        rows.append(count_row(printer, label, places, "{}", ("n_nodose", "count")))
    blocks: list[tuple[str, dict[str, str], str, bool]] = [
        (variable, {"unit": unit}, "significant", True)
        for unit in context.results.levels(DOSE, "unit")
        for variable in ("LDDOSED", "LDTOTA")
        if printer.exists(Place(DOSE, variable, by={"drug": drug, "unit": unit}))
    ]
    blocks += [("LDDAYS", {}, "integer", False), ("LDRATIO", {}, "fixed2", False)]
    few = False
    for variable, level, form, spread in blocks:
        within = [Place(DOSE, variable, by={**by, "drug": drug, **level}) for by in groups]
        unit = unit_label(language, printer.value(within[-1], "median").unit)
        label = with_unit(variable_label(language, "ADLD", variable), unit)
        block, listed = block_rows(printer, language, label, within, form, spread=spread)
        rows.extend(block)
        few = few or listed
    return rows, few


def _depth_rows(
    context: Context, printer: Printer, groups: Sequence[dict[str, str]]
) -> tuple[list[Row], bool, list[str]]:
    """Cell counts and cytokines, and the analytes that they are."""
    language = context.language
    names = context.settings["study_data"]["dosing"]["lymphodepletion"]
    declared = {assay["analyte"] for assay in context.settings["bioanalysis"]["assays"]}
    rows: list[Row] = []
    few = False
    analytes: list[str] = []
    shown_group = ""
    for group, key, variables in _DEPTHS:
        if group != shown_group:
            shown_group = group
            rows.append(heading(language.text(f"ld.heading.{group}")))
        if names[key] in declared:
            analytes.append(names[key])
        for variable, form, spread in variables:
            places = [Place(DEPTH, variable, by=by) for by in groups]
            label = _label(language, printer, variable)
            block, listed = block_rows(printer, language, label, places, form, spread=spread)
            rows.extend(block)
            few = few or listed
    return rows, few, analytes


def _later_rows(printer: Printer, language: Language, places: Sequence[Place]) -> list[Row]:
    """Lymphodepletion of later infusions, and of none; left out where there is neither."""
    rows = [
        (key, pattern, stats)
        for key, pattern, stats in (
            ("ld.later", "{} ({})", _SHARE),
            ("ld.courses", "{}", (("n_courses", "count"),)),
            ("ld.after_last", "{}", (("n_afterlast", "count"),)),
        )
        if printer.value(places[-1], stats[0][0]).number > 0
    ]
    if not rows:
        return []
    title = heading(language.text("ld.heading.later"))
    return [title] + [
        count_row(printer, language.text(key), places, pattern, *stats)
        for key, pattern, stats in rows
    ]
