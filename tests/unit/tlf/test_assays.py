"""Tables and figure of two assays of the cells, from results of the stage."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from two_assays import make_subjects, make_two_assays

from celldossier.cellular_kinetics.assay_pairs import derive_adpair
from celldossier.cellular_kinetics.concordance import summarise_concordance
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.language import Language
from celldossier.tlf.figures_assays import draw_assay_comparison
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_assays import draw_assay_concordance, draw_assay_ratio


@pytest.fixture(scope="module")
def adpair() -> pd.DataFrame:
    adpc = make_two_assays()
    return derive_adpair(adpc, make_subjects(adpc), CellularKineticsSettings())


def context(adpair: pd.DataFrame, settings: dict[str, Any], language: str = "en") -> Context:
    kinetics = CellularKineticsSettings()
    results, curves = summarise_concordance(adpair, kinetics.concordance)
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([results]),
        curves=curves,
        dataset={"ADPAIR": adpair}.__getitem__,
        settings={**settings, "cellular_kinetics": kinetics.model_dump(mode="json")},
    )


def test_the_table_of_agreement_prints_counts_slopes_and_limits_with_their_unit(
    adpair: pd.DataFrame, settings: dict[str, Any]
) -> None:
    table = draw_assay_concordance(context(adpair, settings))
    assert isinstance(table, Table)
    rows = {row.cells[0].text: row.cells[-1] for row in table.rows}
    assert rows["Paired results, n"].text == "36"
    assert rows["Paired results, n"].value_ids == (
        "cellular_kinetics.concordance/FLOW/PCR/n_pairs",
    )
    unit = "(cells/µL per copies/µg)"
    assert sum(label.endswith(unit) for label in rows) == 3
    slope = rows["Deming regression of logarithms: slope (95% CI)"].text
    assert 0.5 < float(slope.split(" ")[0]) < 1.2
    assert table.subjects == 12


def test_both_languages_print_the_same_values_in_tables_and_figure(
    adpair: pd.DataFrame, settings: dict[str, Any]
) -> None:
    for draw in (draw_assay_concordance, draw_assay_ratio):
        tables = [draw(context(adpair, settings, language)) for language in ("en", "zh")]
        cells = []
        for table in tables:
            assert isinstance(table, Table)
            cells.append(
                [(c.text, c.value_ids) for row in table.rows for c in row.cells if c.value_ids]
            )
        assert cells[0] == cells[1] and cells[0]
    figures = [draw_assay_comparison(context(adpair, settings, name)) for name in ("en", "zh")]
    assert isinstance(figures[0], Figure) and isinstance(figures[1], Figure)
    assert figures[0].value_ids == figures[1].value_ids
    pd.testing.assert_frame_equal(figures[0].data, figures[1].data)


def test_the_figure_shows_each_pair_once_with_discordant_ones_at_their_limit(
    adpair: pd.DataFrame, settings: dict[str, Any]
) -> None:
    figure = draw_assay_comparison(context(adpair, settings))
    assert isinstance(figure, Figure)
    points = figure.data[figure.data["USUBJID"].notna()]
    assert len(points) == len(adpair) == 36
    below = points[points["AGREECAT"] == "FIRST"]
    assert len(below) and set(below["VALUE2"]) == {1.0}
    scatter = figure.pages[0].axes[0]
    drawn = sum(len(line.get_xdata()) for line in scatter.lines if line.get_linestyle() == "None")
    assert drawn == 36
    lines = figure.data["CURVE"].dropna().unique()
    assert "cellular_kinetics.concordance/FLOW/PCR" in lines
    assert (scatter.get_xscale(), scatter.get_yscale()) == ("log", "log")


def test_without_a_second_assay_nothing_is_shown_and_the_reason_is_named(
    settings: dict[str, Any],
) -> None:
    empty = context(empty_dataset("ADPAIR"), settings)
    for draw in (draw_assay_concordance, draw_assay_ratio, draw_assay_comparison):
        shown = draw(empty)
        assert isinstance(shown, NotShown) and shown.reason == "NOTPAIRED"
