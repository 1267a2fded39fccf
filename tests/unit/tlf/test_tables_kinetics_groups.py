"""Tables of NCA parameters by group: columns, ratios, what is said of a grouping not shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from table_texts import texts

from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_kinetics import draw_nca_parameters
from celldossier.tlf.tables_kinetics_groups import order_group_levels

ContextFor = Callable[..., Context]
Draw = Callable[..., Table | NotShown]


@pytest.fixture
def draw(
    context_for: ContextFor, stage_results: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> Draw:
    def draw_with(results: pd.DataFrame | None = None, **options: Any) -> Table | NotShown:
        frame = stage_results["cellular_kinetics"] if results is None else results
        return draw_nca_parameters(context_for(frame, settings, **options))

    return draw_with


def block_of(table: Table | NotShown, head: str) -> list[list[str]]:
    """The rows of the first parameter of that name."""
    rows = texts(table)
    start = next(place for place, row in enumerate(rows) if row[0] == head)
    end = next((place for place in range(start + 1, len(rows)) if rows[place][0]), len(rows))
    return rows[start:end]


def test_levels_stand_in_their_own_order_and_unknown_last(draw: Draw) -> None:
    for by, names in (
        ("age", ["<18", "18-64", "≥65", "Unknown", "All"]),
        ("hepatic", ["Normal", "Mild impairment", "All"]),
        ("renal", ["Normal", "Severe impairment", "All"]),
        ("region", ["China", "Other regions", "All"]),
        ("process", ["A", "B", "All"]),
    ):
        table = draw(by=by, levels=2)
        assert isinstance(table, Table)
        assert [column.label for column in table.columns][2:] == names
    bands = ["18-64", "<2", "2-11", "12-17", ">=65", "<18", "18"]
    assert order_group_levels("age", bands) == ["<2", "2-11", "12-17", "<18", "18", "18-64", ">=65"]


def test_a_ratio_stands_below_the_geometric_mean_of_its_level(draw: Draw) -> None:
    table = draw(by="age", heterogeneity=True, ratios=["CMAX"])
    rows = block_of(table, "Cmax (copies/µg)")
    assert [row[1] for row in rows] == [
        "n", "Geo. mean (CV%)", "Ratio (90% CI)", "Median (min., max.)",
    ]  # fmt: skip
    assert rows[2][2:] == [
        "2.50 (1.25, 5.00)", "reference", "0.800 (0.400, 1.60)", "–", "–", "",
    ]  # fmt: skip
    assert [row[-1] for row in rows] == ["", "0.250", "", ""]
    assert isinstance(table, Table)
    assert table.columns[-1].group == "Heterogeneity, p"
    # What no stage compares has no row of dashes.
    assert "Ratio (90% CI)" not in [row[1] for row in block_of(table, "AUC0-28d (d·copies/µg)")]


def test_ratios_that_the_declaration_does_not_name_are_not_shown(draw: Draw) -> None:
    rows = block_of(draw(by="age", heterogeneity=True, ratios=["AUC#"]), "Cmax (copies/µg)")
    assert [row[1] for row in rows] == ["n", "Geo. mean (CV%)", "Median (min., max.)"]
    assert rows[1][-1] == "–"


def test_rows_are_those_of_the_declaration_with_missing_values_by_reason(draw: Draw) -> None:
    statistics = ["counts", "geomean_gcv", "mean_sd", "median_range", "quartiles"]
    table = draw(by="process", statistics=statistics, reasons=True)
    rows = block_of(table, "Tmax (d)")
    assert rows[0][2:] == ["3 / 0 / 0"] * 3
    assert [row[1] for row in rows[1:]] == ["Median (min., max.)", "Q1, Q3"]
    rows = texts(table)
    at = rows.index(block_of(table, "t1/2 (d)")[0])
    assert [row[1] for row in rows[at : at + 5]] == [
        "n / not calculable / all BLQ", "Geo. mean (CV%)", "Mean (SD)", "Median (min., max.)",
        "Q1, Q3",
    ]  # fmt: skip
    assert rows[at + 5] == [
        "adjusted R squared of the terminal regression below its limit", "", "2", "2", "2",
    ]  # fmt: skip


def test_several_groupings_stand_side_by_side_and_one_of_one_level_is_named(draw: Draw) -> None:
    table = draw(by=["study", "indication", "region", "process"])
    assert isinstance(table, Table)
    heads = [(column.group, column.label) for column in table.columns][2:]
    assert heads == [
        ("Region", "China"), ("Region", "Other regions"),
        ("Manufacturing process", "A"), ("Manufacturing process", "B"), ("", "All"),
    ]  # fmt: skip
    assert table.footnotes[:2] == (
        "Study: all subjects are of one level (S).",
        "Indication: all subjects are of one level (NHL).",
    )


def test_where_every_grouping_has_one_level_the_table_of_all_subjects_remains(draw: Draw) -> None:
    table = draw(by=["study", "indication"], heterogeneity=True)
    assert isinstance(table, Table)
    assert [column.label for column in table.columns][2:] == ["All"]


def test_a_grouping_that_is_not_there_is_named_with_its_reason(
    draw: Draw, stage_results: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> None:
    assert draw(by="study", levels=2) == NotShown("ONELEVEL")
    frame = stage_results["cellular_kinetics"]
    without = frame[frame["group1"] != "region"]
    assert draw(results=without, by="region") == NotShown("NOTCOLL")
    settings["cellular_kinetics"]["summaries"]["groupings"] = ["dose", "study"]
    assert draw(by="region") == NotShown("NOGRPASK")
    table = draw(by=["study", "region"])
    assert isinstance(table, Table)
    assert table.footnotes[1] == "Region: not among the groupings that the settings ask for."
