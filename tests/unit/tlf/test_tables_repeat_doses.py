"""Table of the parameters after each of several doses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from table_texts import texts

from celldossier.results import ResultCollector
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_repeat_doses import draw_repeat_doses

ContextFor = Callable[..., Context]


@pytest.fixture
def table(
    context_for: ContextFor, stage_results: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> Table:
    drawn = draw_repeat_doses(context_for(stage_results["cellular_kinetics"], settings))
    assert isinstance(drawn, Table)
    return drawn


def test_each_analyte_has_a_row_a_dose_and_the_ratio_per_dose_below(table: Table) -> None:
    rows = texts(table)
    assert [row[0] for row in rows] == [
        *("PCR label (copies/µg)", "1", "2", "Ratio per dose (90% CI)"),
        *("FLOW label (cells/µL)", "1", "2", "Ratio per dose (90% CI)"),
    ]
    assert {len(row) for row in rows if len(row) > 1} == {len(table.columns)}


def test_a_row_holds_the_statistics_of_its_dose(table: Table) -> None:
    head = [column.label for column in table.columns]
    first, second, trend = texts(table)[1:4]
    assert second[head.index("Cmax")] == "20.0 (79)"
    assert second[head.index("Tmax")] == "20.0 (10.0, 40.0)"
    assert second[head.index("Rac(Cmax)")] == "1.25 (0.900, 1.70)"
    # No accumulation to itself, and no trough before the first dose that is quantifiable.
    assert first[head.index("Rac(Cmax)")] == "–"
    assert first[head.index("Ctrough")] == "NC" and first[head.index("Troughs BLQ, n")] == "3"
    assert trend[head.index("Cmax")] == "1.25 (0.900, 1.70)" and trend[head.index("PTF")] == "–"


def test_the_interval_of_the_protocol_is_named_where_there_is_one(
    context_for: ContextFor, stage_results: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> None:
    results = stage_results["cellular_kinetics"]
    rules = {**settings["cellular_kinetics"], "dosing_interval": 7.0}
    drawn = draw_repeat_doses(context_for(results, {**settings, "cellular_kinetics": rules}))
    assert isinstance(drawn, Table)
    assert "Dosing interval of the protocol: 7 d." in drawn.footnotes
    plain = draw_repeat_doses(context_for(results, settings))
    assert isinstance(plain, Table) and not any("protocol: " in note for note in plain.footnotes)


def test_a_study_of_single_doses_has_no_table(
    context_for: ContextFor, settings: dict[str, Any]
) -> None:
    empty = ResultCollector("cellular_kinetics").frame()
    assert draw_repeat_doses(context_for(empty, settings)) == NotShown("ONEDOSE")
