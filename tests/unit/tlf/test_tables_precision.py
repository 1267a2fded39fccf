"""Tables 81 and 81a: what the numbers of subjects can tell of exposure and events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from precision_study import make_precision_results
from table_texts import heads, texts

from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_precision import draw_event_precision, draw_exposure_precision

Draw = Callable[..., Context]


@pytest.fixture
def context(context_for: Draw, settings: dict[str, Any]) -> Draw:
    def make(language: str = "en", **precision: object) -> Context:
        asked = DoseExplorationSettings.model_validate({"precision": precision})
        return context_for(
            make_precision_results(**precision),
            {**settings, "dose_exploration": asked.model_dump(mode="json")},
            language,
        )

    return make


def test_exposure_has_a_row_a_level_at_the_obtained_and_the_planned_number(context: Draw) -> None:
    table = draw_exposure_precision(context(planned_by_dose={"DL1": 9}))
    assert isinstance(table, Table) and table.subjects == 6 and table.footnotes == ()
    assert [row[0] for row in texts(table)] == [
        *("AUC0-28d (copies/µg)", "DL1", "DL2", "All"),
        *("Cmax (copies/µg)", "DL1", "DL2", "All"),
    ]
    # exp(2 x 3.1824 x 0.8948 / 2) and exp(2 x 2.3060 x 0.8948 / 3), ln 2 apart: sd 0.8948.
    assert texts(table)[1][1:7] == [
        *("4", "28.3 (6.81, 117)", "0.89 (2.61)", "17.2 (>1000)"),
        *("9", "3.96 (55.5)"),
    ]
    two = table.rows[2].cells
    assert [two[place].text for place in (1, 4)] == ["2", "NC"] and two[4].reasons == ("FEWVAL",)


def test_without_planned_numbers_their_columns_are_left_out_and_that_is_said(context: Draw) -> None:
    for draw in (draw_exposure_precision, draw_event_precision):
        table = draw(context())
        assert isinstance(table, Table)
        assert table.footnotes == ("No planned number of subjects is declared in the config.",)
        assert all("planned" not in text for row in texts(table) for text in row)
        assert all("planned" not in head for head in heads(table))


def test_events_have_chance_width_and_the_rate_that_silence_allows(context: Draw) -> None:
    table = draw_event_precision(context(planned_total=20, event_rates=[0.1, 0.2]))
    rows = texts(table)
    assert [row[0] for row in rows[:5]] == ["At the number obtained", "DL1", "DL2", "All",
                                            "At the planned number"]  # fmt: skip
    # Seven subjects: 1 - 0.05^(1/7) and 1 - 0.9^7.
    assert rows[3][1:4] == ["7", "34.8", "52.2"]
    assert rows[5][1:4] == ["NC", "NC", "NC"] and rows[7][1:4] == ["20", "13.9", "87.8"]
    assert rows[-1][3::2] == ["29", "14"]


def test_nothing_is_drawn_where_no_subject_has_a_value(
    context_for: Draw, settings: dict[str, Any]
) -> None:
    nothing = ResultCollector("dose_exploration").frame()
    context = context_for(nothing, settings)
    assert draw_exposure_precision(context) == NotShown("NOTCOLL")
    assert draw_event_precision(context) == NotShown("NOTCOLL")
