"""Tables of the special considerations, drawn in both languages from results of the stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from special_given import special_results

from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.terms.language import Language
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_age_groups import draw_age_groups


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return special_results()


def make_context(
    results: pd.DataFrame, settings: Mapping[str, Any], language: str = "en"
) -> Context:
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([results]),
        curves=empty_dataset("CURVES"),
        dataset=empty_dataset,
        settings=settings,
        options={},
    )


def texts(table: Table | NotShown) -> dict[str, list[str]]:
    """Cells of each row by its label; the label of a row that spans the table is its text."""
    assert isinstance(table, Table)
    return {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in table.rows}


@pytest.mark.parametrize(
    ("language", "ratio", "outcome"),
    [
        ("en", "Ratio to adults (CI)", "CRS, any grade"),
        ("zh", "与成人组之比（CI）", "CRS（任何级别）"),
    ],
)
def test_age_groups_stand_from_the_youngest_and_the_adults_are_the_reference(
    results: pd.DataFrame, settings: dict[str, Any], language: str, ratio: str, outcome: str
) -> None:
    table = draw_age_groups(make_context(results, settings, language))
    assert isinstance(table, Table)
    heads = [column.label.replace("（N=", " (N = ").replace("）", ")") for column in table.columns]
    assert heads[1:] == ["<12 (N = 0)", "12-17 (N = 3)", "18-64 (N = 6)", "≥65 (N = 3)"]
    rows = texts(table)
    # Geometric means 795.8 of three and 397.9 of six.
    assert rows[ratio][1].startswith("2.00 (")
    assert rows[ratio][2] in ("reference", "参照")
    assert rows[outcome] == ["NC", "1/3 (33.3) [0.8, 90.6]", "0/6 (0.0) [0.0, 45.9]",
                             "0/3 (0.0) [0.0, 70.8]"]  # fmt: skip
    assert table.subjects == 12


def test_without_infused_subjects_there_is_no_table_of_age(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    none = results.assign(value=results["value"].where(results["variable"] != "AGE", 0.0))
    assert draw_age_groups(make_context(none, settings)) == NotShown("NODATA")
