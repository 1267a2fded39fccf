"""The parameter registry: every entry has what a reader asks of a parameter, in both languages."""

from __future__ import annotations

import re

import pytest

from celldossier.terms.language import Language
from celldossier.terms.parameters import find_parameter, parameter_unit, read_parameters
from celldossier.tlf.labels import parameter_name
from celldossier.tlf.tables_definitions import describe_source

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", read_parameters())
def test_every_parameter_has_names_unit_formula_and_source_in_both_languages(code):
    entry = find_parameter(code.replace("#", "28"))
    assert entry.en and not CHINESE.search(entry.en)
    assert CHINESE.search(entry.zh)
    assert entry.symbol and entry.source
    assert entry.formula and not CHINESE.search(entry.formula)
    # A formula may be of codes alone; what the English says in words the Chinese does too.
    words = re.search(r"\b[a-z]{3,}", entry.formula)
    assert entry.formula_zh and bool(CHINESE.search(entry.formula_zh)) >= bool(words)
    rules = re.compile(r"R[0-9]+")
    assert rules.findall(entry.formula) == rules.findall(entry.formula_zh)
    assert parameter_unit(code.replace("#", "28"), "d", "copies/ug") or entry.unit in (
        "count",
        "none",
    )
    for language in (Language("en"), Language("zh")):
        assert language.text(f"unit_rule.{entry.unit}")


@pytest.mark.parametrize("code", read_parameters())
def test_a_source_is_a_line_of_the_guideline_a_rule_cdisc_or_a_paper(code):
    source = find_parameter(code.replace("#", "28")).source
    for part in source.split("; "):
        assert re.match(
            r"(guideline lines [0-9]+-[0-9]+|rule R[0-9]+|CDISC PKPARMCD( C[0-9]+)?|.+ [0-9]{4})$",
            part,
        ), part
    assert "guideline" not in describe_source(source, Language("zh"))


def test_the_codes_of_cdisc_are_named_once():
    codes = [entry.cdisc for entry in read_parameters().values() if entry.cdisc]
    assert len(set(codes)) == len(codes)
    for code, entry in read_parameters().items():
        assert bool(entry.cdisc) == ("CDISC" in entry.source), code


def test_names_hold_the_end_of_a_partial_area():
    assert "28" in parameter_name("AUC28", Language("en"))
