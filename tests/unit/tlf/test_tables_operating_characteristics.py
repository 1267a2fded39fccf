"""Table 12a: what designs select and whom they treat, by scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from characteristics_study import characteristics_settings, make_characteristics
from table_texts import heads, texts

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_operating_characteristics import draw_operating_characteristics

Draw = Callable[..., Context]


def draw(context_for: Draw, settings: dict[str, Any], language: str = "en") -> Table:
    asked = characteristics_settings().model_dump(mode="json")
    context = context_for(make_characteristics(), {**settings, "dose_exploration": asked}, language)
    table = draw_operating_characteristics(context)
    assert isinstance(table, Table)
    return table


def test_a_scenario_has_its_name_its_rates_and_a_row_a_design(
    context_for: Draw, settings: dict[str, Any]
) -> None:
    table = draw(context_for, settings)
    rows = texts(table)
    assert rows[0] == ["Scenario 1: as in another study"]
    assert rows[1][:3] == ["True rate of dose-limiting toxicity, %", "10.0 *", "40.0"]
    assert rows[2][:3] == ["True rate of response, %", "50.0", "50.0"]
    assert [row[0] for row in rows[3:5]] == ["BOIN", "3+3"]
    assert rows[5] == ["Scenario 2: maximum tolerated dose (MTD) at level 1"]
    assert [row[0] for row in rows if len(row) == 1][3:] == [
        "Scenario 4: target between levels 1 and 2",
        "Scenario 5: every level too toxic",
        "Scenario 6: every level safe",
    ]
    # No level of the scenario in which all are too toxic is marked.
    toxic = rows[rows.index(["Scenario 5: every level too toxic"]) + 1]
    assert "*" not in "".join(toxic)
    assert "200 trials" in table.footnotes[0] and "at most 3.5 percentage" in table.footnotes[0]


def test_a_cell_holds_the_share_that_selects_a_level_and_its_mean_subjects(
    context_for: Draw, settings: dict[str, Any]
) -> None:
    table = draw(context_for, settings)
    results = AnalysisResults([make_characteristics()])
    place = ("dose_exploration.oc_selection", "", "")
    by = {"scenario": "1", "design": "BOIN", "level": "2"}
    numbers = [results.find(*place, by, stat) for stat in ("selected", "subjects")]
    expected = [f"{value.number:.1f}" for value in numbers if value]
    assert texts(table)[3][2] == f"{expected[0]} ({expected[1]})"
    # Responders only where the scenario gives efficacy.
    last = heads(table).index("Mean responders")
    assert texts(table)[3][last] not in ("–", "NC") and texts(table)[7][last] == "–"


def test_both_languages_print_the_same_numbers(context_for: Draw, settings: dict[str, Any]) -> None:
    english, chinese = (draw(context_for, settings, code) for code in ("en", "zh"))
    assert texts(chinese)[0] == ["情景1：同其他研究"]
    for one, other in zip(english.rows, chinese.rows, strict=True):
        assert [cell.value_ids for cell in one.cells] == [cell.value_ids for cell in other.cells]


def test_a_study_without_a_design_has_none(context_for: Draw, settings: dict[str, Any]) -> None:
    nothing = ResultCollector("dose_exploration").frame()
    assert draw_operating_characteristics(context_for(nothing, settings)) == NotShown("NODESIGN")
