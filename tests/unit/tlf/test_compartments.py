"""Table and figure of the compartments, from results of the stage."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from compartment_samples import make_samples
from kinetics_study import make_adex, make_adsl

from celldossier.cellular_kinetics.compartment_summaries import (
    draw_compartment_lines,
    summarise_compartments,
)
from celldossier.cellular_kinetics.compartments import derive_adtiss
from celldossier.datasets import conform, empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.compartments import CompartmentRules
from celldossier.terms.language import Language
from celldossier.tlf.figures_compartments import draw_biodistribution
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_compartments import draw_compartments


def context(settings: dict[str, Any], adpc: pd.DataFrame, language: str = "en") -> Context:
    adtiss = derive_adtiss(
        adpc, empty_dataset("ADPD"), make_adsl(), make_adex(), CompartmentRules()
    )
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([summarise_compartments(adtiss)]),
        curves=conform(draw_compartment_lines(adtiss), "CURVES"),
        dataset={}.__getitem__,
        settings=settings,
    )


def table_of(settings: dict[str, Any], language: str = "en") -> Table:
    table = draw_compartments(context(settings, make_samples(), language))
    assert isinstance(table, Table)
    return table


def test_a_block_a_compartment_with_its_days_its_maximum_and_the_central_one_first(
    settings: dict[str, Any],
) -> None:
    rows = [[cell.text for cell in row.cells] for row in table_of(settings).rows]
    assert [row[0] for row in rows] == [
        "PCR label (copies/µg)",
        "Blood: 3 subjects", "7", "28", "Maximum after the infusion", "Time of the maximum (d)",
        "Bone marrow: 3 subjects", "7", "28", "Maximum after the infusion",
        "Time of the maximum (d)",
    ]  # fmt: skip
    marrow = rows[7]
    assert marrow[1:3] == ["3", "2"]
    assert marrow[3:5] == ["200 (209)", "80.0 (0, 500)"]
    # One ratio, and one sample each below the limit in the marrow and in blood.
    assert marrow[5:] == ["1", "[0.500]", "–", "1 / 1 / 0 / 0"]
    assert rows[8][5:] == ["1", "[4.00]", "–", "0 / 0 / 1 / 1"]
    assert rows[2][5:] == ["", "", "", ""]
    assert rows[9][5:] == ["1", "[1.41]", "–", "1 / 1 / 1 / 1"]


def test_both_languages_print_the_same_values(settings: dict[str, Any]) -> None:
    ids = [
        [cell.value_ids for row in table_of(settings, language).rows for cell in row.cells]
        for language in ("en", "zh")
    ]
    assert ids[0] == ids[1] and any(ids[0])
    assert table_of(settings, "zh").rows[6].cells[0].text == "骨髓：3例受试者"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_has_a_line_a_compartment(settings: dict[str, Any], language: str) -> None:
    figure = draw_biodistribution(context(settings, make_samples(), language))
    assert isinstance(figure, Figure) and len(figure.pages) == 1
    assert set(figure.data["SERIES"]) == {"compartment=BLOOD", "compartment=BONE MARROW"}
    labels = [text.get_text() for text in figure.pages[0].legends[0].get_texts()]
    assert labels == (["Blood", "Bone marrow"] if language == "en" else ["血液", "骨髓"])
    drawn = figure.data[figure.data["SERIES"] == "compartment=BONE MARROW"]
    assert drawn["VALUE"].round(0).tolist() == [200.0, 1200.0]


def test_of_blood_alone_neither_is_shown(settings: dict[str, Any]) -> None:
    blood = make_samples()
    blood = blood[blood["PCSPEC"] == "BLOOD"]
    for draw in (draw_compartments, draw_biodistribution):
        assert draw(context(settings, blood)) == NotShown("NOTCOLL")
