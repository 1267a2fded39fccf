"""Tables of the special considerations, drawn in both languages from results of the stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from special_given import special_results, special_sources

from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.terms.language import Language
from celldossier.tlf.figures_lymphodepletion import draw_depth_exposure
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_age_groups import draw_age_groups
from celldossier.tlf.tables_concomitant import draw_concomitant_exposure
from celldossier.tlf.tables_gene_modification import draw_gene_modification
from celldossier.tlf.tables_lymphodepletion_exposure import draw_lymphodepletion_exposure


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


@pytest.mark.parametrize(
    ("language", "count", "third", "dose"),
    [
        (
            "en",
            "Lymphocytes at Infusion",
            "Lymphocytes at Infusion, lowest third: 0.0100–0.0400 (10⁹/L)",
            "Cyclophosphamide: Dose Intensity Relative to Plan",
        ),
        (
            "zh",
            "输注时淋巴细胞计数",
            "输注时淋巴细胞计数，最低三分位组：0.0100–0.0400 (10⁹/L)",
            "环磷酰胺：相对剂量强度",
        ),
    ],
)
def test_lymphodepletion_stands_by_correlation_regimen_and_third(
    results: pd.DataFrame,
    settings: dict[str, Any],
    language: str,
    count: str,
    third: str,
    dose: str,
) -> None:
    table = draw_lymphodepletion_exposure(make_context(results, settings, language))
    rows = texts(table)
    assert rows[count][0] == "12"
    assert rows[count][1].startswith("-0.")
    # Geometric means 670.0 of 800, 900, 700, 400 and 218.2 of 420, 200, 150, 180.
    assert rows[third][3].startswith("3.07 (")
    # A constant intensity has no correlation.
    assert rows[dose][:2] == ["12", "NC"]
    assert table.subjects == 12


@pytest.mark.parametrize(("product", "reason"), [("car_t", "NOTCOLL"), ("stem", "NOTCLASS")])
def test_without_lymphodepletion_table_and_figure_say_why(
    results: pd.DataFrame, settings: dict[str, Any], product: str, reason: str
) -> None:
    none = results.loc[~results["analysis_id"].str.contains(".ld_", regex=False)]
    study = settings["study"] | {"product": {"product_class": product}}
    context = make_context(none, settings | {"study": study})
    assert draw_lymphodepletion_exposure(context) == NotShown(reason)
    assert draw_depth_exposure(context) == NotShown(reason)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_of_depth_has_a_panel_a_measure_and_metric(
    results: pd.DataFrame, settings: dict[str, Any], language: str
) -> None:
    sources = special_sources()
    datasets = {"ADSL": sources.adsl, "ADPP": sources.adpp}
    context = replace(make_context(results, settings, language), dataset=datasets.__getitem__)
    figure = draw_depth_exposure(context)
    assert isinstance(figure, Figure)
    assert len(figure.pages[0].axes) == 4
    assert len(figure.data) == 4 * 12
    assert any(value_id.endswith("/rho") for value_id in figure.value_ids)
    # The nadir is the same in all: no correlation, and the figure says so.
    assert figure.reasons == ("CONSTANT",)


@pytest.mark.parametrize(
    ("language", "year", "follow_up", "malignancy", "virus"),
    [
        ("en", "Year 2", "2.2 person-years", "Secondary malignancy", "Replication-competent virus"),
        ("zh", "第2年", "2.2人年", "继发恶性肿瘤", "检出可复制型病毒"),
    ],
)
def test_follow_up_stands_by_year_and_what_was_not_collected_says_so(
    results: pd.DataFrame,
    settings: dict[str, Any],
    language: str,
    year: str,
    follow_up: str,
    malignancy: str,
    virus: str,
) -> None:
    product = settings["study"]["product"] | {"gene_modified": True}
    settings = settings | {"study": settings["study"] | {"product": product}}
    table = draw_gene_modification(make_context(results, settings, language))
    rows = texts(table)
    # Six subjects of 500 days: 6 x (500 - 365.25) / 365.25 years.
    assert rows[year][0] == "6"
    assert rows[year][1].startswith(follow_up)
    assert rows[malignancy][1].startswith("0/12 (0.0)")
    tested = next(cells for label, cells in rows.items() if label.startswith(virus))
    assert tested == ["NC", "NC"]


def test_cells_that_are_not_modified_have_no_table(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    product = settings["study"]["product"] | {"gene_modified": False}
    settings = settings | {"study": settings["study"] | {"product": product}}
    assert draw_gene_modification(make_context(results, settings)) == NotShown("NOTGENE")


@pytest.mark.parametrize(
    ("language", "before", "after", "never", "reference"),
    [
        ("en", "Before the peak", "At or after the peak", "Not given", "reference"),
        ("zh", "峰值前", "峰值时或峰值后", "未使用", "参照"),
    ],
)
def test_medicines_stand_by_their_timing_and_the_never_treated_are_the_reference(
    results: pd.DataFrame,
    settings: dict[str, Any],
    language: str,
    before: str,
    after: str,
    never: str,
    reference: str,
) -> None:
    rows = texts(draw_concomitant_exposure(make_context(results, settings, language)))
    # Geometric means 795.8 of three before; the one after is listed and has no ratio.
    assert rows[before][:2] == ["3", "796 (13)"]
    assert rows[after][:3] == ["1", "[400]", "NC"]
    assert rows[never][0] == "8"
    assert rows[never][2] == reference
    assert next(iter(rows)).endswith("-5.5 (-7.0, 1.0) d")


def test_medicines_that_were_not_collected_have_no_table(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    none = results.loc[~results["analysis_id"].str.contains(".cm_", regex=False)]
    assert draw_concomitant_exposure(make_context(none, settings)) == NotShown("NOTCOLL")
    count = results.loc[results["variable"] == "CMCLASS"].assign(value=0.0)
    assert draw_concomitant_exposure(make_context(count, settings)) == NotShown("NODATA")
