"""Definitions of the parameters of cells (25a) and markers (43b), from their registries."""

from __future__ import annotations

import re

from celldossier.terms.language import Language
from celldossier.terms.parameters import find_parameter, order_parameters
from celldossier.terms.pd_parameters import find_pd_parameter, order_pd_parameters
from celldossier.tlf.cells import text_cells
from celldossier.tlf.labels import parameter_label, parameter_name
from celldossier.tlf.model import Column, Context, NotShown, Row, Table

_GUIDELINE = re.compile(r"^guideline lines (?P<lines>[0-9-]+)$")
_RULE = re.compile(r"^rule (?P<rule>R[0-9]+)$")
_SETTING = re.compile(r"^setting (?P<key>[a-z_.]+)$")
CONVENTION = "convention"


def draw_nca_definitions(context: Context) -> Table | NotShown:
    """One row a parameter of the study, in the order of the registry.

    Names, unit rule, formula and source are those of ``resources/terms/nca_parameters.yaml``.
    """
    parameters = context.dataset("ADPP")
    if parameters.empty:
        return NotShown("NOTCOLL")
    language = context.language
    rows = []
    for code in order_parameters(parameters["PARAMCD"].unique()):
        entry = find_parameter(code)
        rows.append(
            Row(
                text_cells(
                    (
                        parameter_label(code, language),
                        parameter_name(code, language),
                        code,
                        entry.cdisc or language.text("label.blank"),
                        language.text(f"unit_rule.{entry.unit}"),
                        language.label({"en": entry.formula, "zh": entry.formula_zh}),
                        describe_source(entry.source, language),
                    )
                )
            )
        )
    columns = (
        Column(language.text("column.symbol"), align="left", width="10%"),
        Column(language.text("column.name"), align="left", width="20%"),
        Column(language.text("column.code"), align="left", width="9%"),
        Column(language.text("column.cdisc_code"), align="left", width="8%"),
        Column(language.text("column.unit_rule"), align="left", width="9%"),
        Column(language.text("column.definition"), align="left", width="26%"),
        Column(language.text("column.source"), align="left", width="18%"),
    )
    return Table(columns, tuple(rows), int(parameters["USUBJID"].nunique()))


def draw_pd_definitions(context: Context) -> Table | NotShown:
    """One row a parameter of the markers of the study, in the order of the registry.

    Names, unit rule, formula and source are those of ``resources/terms/pd_parameters.yaml``.
    """
    parameters = context.dataset("ADPDP")
    if parameters.empty:
        return NotShown("NOTCOLL")
    language = context.language
    rows = []
    for code in order_pd_parameters(parameters["PARAMCD"].unique()):
        entry = find_pd_parameter(code)
        rows.append(
            Row(
                text_cells(
                    (
                        entry.symbol,
                        language.label({"en": entry.en, "zh": entry.zh}),
                        code,
                        language.text(f"unit_rule.{entry.unit}"),
                        language.label({"en": entry.formula, "zh": entry.formula_zh}),
                        describe_source(entry.source, language),
                    )
                )
            )
        )
    columns = (
        Column(language.text("column.symbol"), align="left", width="12%"),
        Column(language.text("column.name"), align="left", width="20%"),
        Column(language.text("column.code"), align="left", width="10%"),
        Column(language.text("column.unit_rule"), align="left", width="10%"),
        Column(language.text("column.definition"), align="left", width="30%"),
        Column(language.text("column.source"), align="left", width="18%"),
    )
    return Table(columns, tuple(rows), int(parameters["USUBJID"].nunique()))


def describe_source(source: str, language: Language) -> str:
    """The source of a definition in the words of the language."""
    parts = []
    for part in source.split("; "):
        guideline, rule = _GUIDELINE.match(part), _RULE.match(part)
        setting = _SETTING.match(part)
        if guideline:
            parts.append(language.text("source.guideline", lines=guideline["lines"]))
        elif rule:
            parts.append(language.text("source.rule", rule=rule["rule"]))
        elif setting:
            parts.append(language.text("source.setting", name=setting["key"]))
        elif part == CONVENTION:
            parts.append(language.text("source.convention"))
        else:
            # Names of standards and papers are the same in both.
            parts.append(part)
    return language.text("label.sentence_separator").join(parts)
