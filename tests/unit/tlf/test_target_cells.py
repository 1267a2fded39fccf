"""Tables and figures of target cells, subsets, cytopenias and markers of the disease."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from pharmacodynamics_given import make_study, samples
from table_texts import texts

from celldossier.datasets import conform
from celldossier.pharmacodynamics.stage import analyse_pharmacodynamics
from celldossier.results import AnalysisResults
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings
from celldossier.terms.language import Language
from celldossier.tlf.figures_disease import draw_spider, draw_waterfall
from celldossier.tlf.figures_target_cells import draw_subset_course, draw_target_cell_course
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_disease import draw_disease_markers
from celldossier.tlf.tables_haematology import draw_cytopenias
from celldossier.tlf.tables_target_cells import draw_lymphocyte_subsets, draw_target_cells

SETTINGS = {
    "target_cells": {"threshold": 10, "recovered": 100, "min_subjects": 2},
    "haematology": {"counts": {"NEUT": "NEUT"}, "min_subjects": 2},
}
DRAWINGS = (
    draw_target_cells,
    draw_lymphocyte_subsets,
    draw_cytopenias,
    draw_disease_markers,
    draw_target_cell_course,
    draw_subset_course,
    draw_waterfall,
    draw_spider,
)
SUBJECTS = ("a", "b", "c", "d")


def markers() -> list[dict[str, object]]:
    """Four subjects, the same days, values that differ by their place."""
    rows: list[dict[str, object]] = []
    for place, name in enumerate(SUBJECTS):
        share = 1 + place / 10
        rows += samples(name, "CD19B", "cells/uL", {0: 90.0 * share, 28: None, 60: 100.0}, 1.0)
        rows += samples(name, "CD4", "cells/uL", {0: 100 * share, 28: 40.0}, 1.0)
        rows += samples(name, "CD8", "cells/uL", {0: 50.0, 28: 80 * share}, 1.0)
        rows += samples(name, "NEUT", "10^9/L", {0: 3.0, 7: 0.3 * share, 14: 2.0, 28: 3.0})
        # 250% of growth is cut at 100 in the figures.
        size = {0: 1000.0, 28: 3500.0 if place == 3 else 500.0 * share}
        rows += samples(name, "SPD", "mm2", size)
    return rows


def make_context(
    adpd: list[dict[str, object]],
    code: str = "en",
    settings: Mapping[str, Any] = SETTINGS,
) -> Context:
    response = {"PARAMCD": "BOR", "RSVOCAB": "LUGANO2014"}
    adrs = [
        {"USUBJID": name, "AVALC": best, "RESPFL": flag, **response}
        for name, best, flag in (("a", "CR", "Y"), ("b", "PR", "Y"), ("c", "PR", "Y"))
    ]
    cells = [
        {
            **{"STUDYID": "S", "USUBJID": name, "PARAMCD": "PCR", "ANL01FL": "Y"},
            **{"AVAL": 100.0 * day, "AVALU": "copies/ug", "BLQFL": "N"},
            **{"AFRLT": day, "NFRLT": day},
        }
        for name in SUBJECTS
        for day in (1.0, 7.0, 28.0)
    ]
    subjects = [{"USUBJID": name, "CD4CD8": 1.5} for name in SUBJECTS]
    study = make_study(settings, adpd, subjects, adrs=adrs, adpc=cells)
    made = analyse_pharmacodynamics(study.sources, study.settings)
    effective = PharmacodynamicsSettings.model_validate(settings).model_dump(mode="json")
    return Context(
        language=Language(code),  # type: ignore[arg-type]
        results=AnalysisResults([made.results]),
        curves=made.curves if len(made.curves) else conform(pd.DataFrame(), "CURVES"),
        dataset=lambda name: {"ADRS": study.sources.adrs}[name],
        settings={"pharmacodynamics": effective, "bioanalysis": {"assays": []}},
    )


@pytest.fixture(scope="module")
def context() -> Context:
    return make_context(markers())


@pytest.fixture(scope="module")
def chinese_context() -> Context:
    return make_context(markers(), "zh")


@pytest.fixture(scope="module")
def empty_context() -> Context:
    return make_context([], settings={})


def find(table: Table, start: str) -> list[str]:
    rows = [row for row in texts(table) if row[0].startswith(start)]
    assert rows, start
    return rows[0]


def draw(drawing: Any, context: Context) -> Any:
    drawn = drawing(context)
    assert isinstance(drawn, Table | Figure), drawn
    return drawn


def test_target_cells_are_counted_by_visit_and_dose_level(context: Context) -> None:
    table = draw(draw_target_cells, context)
    assert [column.label for column in table.columns] == ["Statistic", "All", "DL1"]
    assert find(table, "first lost")[1:] == ["4 (100.0)", "4 (100.0)"]
    assert find(table, "Day 28")[1:] == ["4/4 (100.0)", "4/4 (100.0)"]
    assert "100 cells/µL in 2 consecutive samples" in table.footnotes[0]


def test_subsets_have_change_percent_and_the_ratio_of_blood_and_product(context: Context) -> None:
    table = draw(draw_lymphocyte_subsets, context)
    first = [row[0] for row in texts(table)]
    assert "CD4 to CD8 ratio in blood" in first and "Lots given" in first
    assert find(table, "Lots given")[4] == "1.50 (1.50, 1.50)"
    assert find(table, "Baseline")[4] == "115 (100, 130)"


def test_cytopenias_have_the_grades_that_are_known(context: Context) -> None:
    table = draw(draw_cytopenias, context)
    assert find(table, "worst grade 0 or 1")[1] == "0 (0.0)"
    assert find(table, "worst grade 4")[1] == "4 (100.0)"
    assert find(table, "duration, Kaplan-Meier")[1] == "7.0 (NC, NC)"
    labels = [row[0] for row in texts(table)]
    assert not any(label.startswith("from the infusion") for label in labels)


def test_a_count_in_a_unit_without_limits_is_named_below_the_table() -> None:
    rows = samples("a", "PLAT", "per field", {0: 110.0, 7: 40.0})
    both = {"haematology": {"counts": {"NEUT": "NEUT", "PLAT": "PLAT"}, "min_subjects": 2}}
    table = draw(draw_cytopenias, make_context([*markers(), *rows], settings=both))
    assert any("PLAT in the unit per field has no grades" in note for note in table.footnotes)
    assert draw_cytopenias(make_context(rows, settings=both)) == NotShown("BADUNIT")


def test_the_table_of_the_disease_has_reasons_visits_and_the_best_change(context: Context) -> None:
    table = draw(draw_disease_markers, context)
    assert find(table, "evaluable for")[1] == "4"
    assert find(table, "Best change")[3] == "-42.5 (-50.0, 250)"
    assert find(table, "Responder")[1] == "3"


def test_the_waterfall_runs_from_growth_to_fall_with_the_best_response(context: Context) -> None:
    figure = draw(draw_waterfall, context)
    assert figure.data["USUBJID"].tolist() == ["d", "c", "b", "a"]
    assert figure.data["RESPONSE"].tolist() == ["", "PR", "PR", "CR"]
    axes = figure.pages[0].axes[0]
    assert [bar.get_height() for bar in axes.patches] == [100.0, -40.0, -45.0, -50.0]
    assert [text.get_text() for text in axes.texts] == ["250"]
    assert figure.footnotes[1] == "SPD: 4/4 subjects shown."


def test_the_spider_plot_starts_each_subject_at_no_change(context: Context) -> None:
    data = draw(draw_spider, context).data
    assert (data.loc[data["DAY"] == 0, "VALUE"] == 0).all()
    assert data["USUBJID"].nunique() == 4


def test_both_cells_of_the_course_have_axes_of_their_own(context: Context) -> None:
    figure = draw(draw_target_cell_course, context)
    # All subjects and the three responders; one subject without a response has no panel.
    assert len(figure.pages[0].axes) == 4
    assert set(figure.data["ANALYTE"]) == {"PCR", "CD19B"}


def test_each_subset_and_the_ratio_have_a_panel(context: Context) -> None:
    figure = draw(draw_subset_course, context)
    titles = [axes.get_title(loc="left") for axes in figure.pages[0].axes]
    assert titles == ["CD4", "CD8", "CD4 to CD8 ratio in blood"]


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.__name__)
def test_both_languages_print_the_same_values(
    drawing: Any, context: Context, chinese_context: Context
) -> None:
    english, chinese = draw(drawing, context), draw(drawing, chinese_context)
    if isinstance(english, Table):
        pairs = zip(english.rows, chinese.rows, strict=True)
        for one, two in pairs:
            assert [c.value_ids for c in one.cells] == [c.value_ids for c in two.cells]
    else:
        assert english.value_ids == chinese.value_ids
        pd.testing.assert_frame_equal(english.data, chinese.data)


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.__name__)
def test_a_study_without_the_data_says_so(drawing: Any, empty_context: Context) -> None:
    drawn = drawing(empty_context)
    if drawing is draw_lymphocyte_subsets:
        # The ratio in the product is known without a sample.
        assert isinstance(drawn, Table)
    else:
        assert drawn == NotShown("NOTCOLL")


def test_a_product_against_no_cell_in_blood_has_no_loss_of_target_cells() -> None:
    context = make_context(markers(), settings={"target_cells": {"marker": ""}})
    assert draw_target_cells(context) == NotShown("NOTAPPL")
    assert draw_target_cell_course(context) == NotShown("NOTAPPL")
