"""Table of the change from baseline of cells without a specific marker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from table_texts import texts

from celldossier.results import ResultCollector
from celldossier.terms.language import Language
from celldossier.tlf.footnotes import assay_footnotes
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_trend import draw_trend

ContextFor = Callable[..., Context]


@pytest.fixture
def table(
    context_for: ContextFor, stage_results: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> Table:
    drawn = draw_trend(context_for(stage_results["cellular_kinetics"], settings))
    assert isinstance(drawn, Table)
    return drawn


def test_each_analyte_has_all_subjects_and_each_dose_by_day(table: Table) -> None:
    first = [row[0] for row in texts(table)]
    block = ["All", "0", "28", "DL1", "0", "28"]
    assert first == ["PCR label (copies/µg)", *block, "FLOW label (cells/µL)", *block]


def test_a_day_has_concentration_change_and_fold(table: Table) -> None:
    row = texts(table)[2]
    assert row == [
        *("0", "3", "0", "10.0 (2.00)", "10.0 (2.00)", "10.0 (8.00, 12.0)"),
        *("9.86 (21)", "10.0 (8.00, 12.0)"),
    ]
    assert len(row) == len(table.columns)


def test_fewer_than_three_values_are_listed(table: Table) -> None:
    row = texts(table)[3]
    assert row == ["28", "2", "0", "[20.0; 40.0]", "[20.0; 40.0]", "–", "[20.0; 40.0]", "–"]
    assert any("Fewer than three" in note for note in table.footnotes)


def test_without_such_an_analyte_the_table_says_why(
    context_for: ContextFor, settings: dict[str, Any]
) -> None:
    empty = ResultCollector("cellular_kinetics").frame()
    assert draw_trend(context_for(empty, settings)) == NotShown("HASMARK")
    named = {**settings["cellular_kinetics"], "no_specific_marker": ["PCR"]}
    declared = context_for(empty, {**settings, "cellular_kinetics": named})
    assert draw_trend(declared) == NotShown("NOBASE")


def test_every_table_of_such_an_analyte_says_that_its_parameters_are_changes(
    settings: dict[str, Any],
) -> None:
    named = {**settings["cellular_kinetics"], "no_specific_marker": ["PCR"]}
    for language in ("en", "zh"):
        words = Language("zh" if language == "zh" else "en")
        plain = assay_footnotes(["PCR", "FLOW"], words, settings)
        told = assay_footnotes(["PCR", "FLOW"], words, {**settings, "cellular_kinetics": named})
        assert told[:-1] == plain
        assert "R24" in told[-1]
