"""Tables of comparability, drawn in both languages from results of the stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from comparability_given import comparability_results, comparability_settings
from matplotlib.figure import Figure as MatplotlibFigure

from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.terms.language import Language
from celldossier.tlf import figures_comparability
from celldossier.tlf.figures_comparability import draw_profiles_by_group, draw_ratio_forest
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_assay_gate import draw_assay_gate
from celldossier.tlf.tables_comparability import draw_kinetics_verdicts, draw_sensitivity
from celldossier.tlf.tables_comparability_attributes import draw_attributes
from celldossier.tlf.tables_side_by_side import draw_side_by_side

ALL = (
    draw_kinetics_verdicts,
    draw_sensitivity,
    draw_attributes,
    draw_side_by_side,
    draw_assay_gate,
)


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return comparability_results()


def make_context(
    results: pd.DataFrame, settings: Mapping[str, Any], language: str = "en", **own: Any
) -> Context:
    rules = comparability_settings(**own).model_dump(mode="json")
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([results]),
        curves=empty_dataset("CURVES"),
        dataset=empty_dataset,
        settings={**settings, "comparability": rules},
        options={},
    )


def texts(table: Table | NotShown) -> dict[str, list[str]]:
    assert isinstance(table, Table)
    return {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in table.rows}


@pytest.mark.parametrize(
    ("language", "within", "closed"),
    [
        ("en", "the 90% CI lies within the sponsor's margin",
         "the assay differs between the groups, no verdict"),
        ("zh", "90% CI位于申办者设定的界值内", "组间检测方法不同，不作判定"),
    ],
)  # fmt: skip
def test_a_verdict_names_the_interval_and_the_margin_and_never_comparable(
    results: pd.DataFrame, settings: dict[str, Any], language: str, within: str, closed: str
) -> None:
    table = draw_kinetics_verdicts(make_context(results, settings, language))
    assert isinstance(table, Table)
    verdicts = [row.cells[-1].text for row in table.rows if row.kind == "body"]
    # FLOW is of one assay, PCR of two without a bridge.
    first = {"en": "Primary: ", "zh": "主要分析："}[language]
    assert first + within in verdicts and first + closed in verdicts
    # The adjusted ratio is the primary one; the other one is said to be a sensitivity analysis.
    roles = [text.startswith(first) for text in verdicts]
    assert roles == [False, True] * (len(roles) // 2)
    everything = " ".join(cell.text for row in table.rows for cell in row.cells)
    assert "comparable" not in everything and "具有可比性" not in everything
    # The reason of the margin stands below its verdicts.
    assert any("a reason" in note or "理由" in note for note in table.footnotes)


def test_without_a_margin_the_verdict_says_so(settings: dict[str, Any]) -> None:
    bare = comparability_results(margins=[])
    table = draw_kinetics_verdicts(make_context(bare, settings, margins=[]))
    assert isinstance(table, Table)
    verdicts = {row.cells[-1].text for row in table.rows if row.kind == "body"}
    assert {"Primary: no margin was set", "Sensitivity: no margin was set"} <= verdicts
    assert not any("lie" in verdict for verdict in verdicts)


def test_each_cell_of_the_side_by_side_holds_its_number(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    table = draw_side_by_side(make_context(results, settings))
    assert isinstance(table, Table)
    assert [column.label for column in table.columns[1:3]] == ["A (N = 6)", "B (N = 6)"]
    rows = texts(table)
    peak = next(cells for label, cells in rows.items() if label.startswith("Cmax"))
    assert peak[0].endswith("[6]") and peak[1].endswith("[6]")
    crs = rows["CRS, any grade"]
    assert crs[0].startswith("3/6 (50.0)") and crs[1].startswith("1/6 (16.7)")
    assert crs[2].startswith("-33.3 (")
    assert crs[3].startswith("0.333 (")


def test_the_planted_attribute_stands_with_its_difference_and_ranges(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    table = draw_attributes(make_context(results, settings))
    assert isinstance(table, Table)
    # A heading, the contrast and two ranges of each attribute; transduction is the first.
    head, contrast, tolerance, quality = table.rows[:4]
    assert head.cells[0].text == "Transduction Efficiency (%)"
    assert contrast.cells[0].text == "B / A: difference of means"
    assert contrast.cells[3].text.startswith("-10.0 (")
    assert tolerance.cells[0].text.startswith("tolerance interval")
    assert quality.cells[2].text.startswith("0/6 (0.0)")


def test_the_gate_shows_the_levels_and_why_it_is_closed(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    table = draw_assay_gate(make_context(results, settings))
    assert isinstance(table, Table)
    gates = [row.cells for row in table.rows if row.cells[0].text == "Assay gate"]
    assert [cells[-1].text for cells in gates] == [
        "closed: the assay differs between the groups, no verdict",
        "passed: no difference recorded",
    ]
    version = next(row for row in table.rows if row.cells[0].text == "Assay Version")
    assert [cell.text for cell in version.cells[1:]] == ["1 (6)", "2 (6)", "differs"]


def test_the_sensitivity_ends_with_the_balance_of_the_covariates(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    table = draw_sensitivity(make_context(results, settings))
    assert isinstance(table, Table)
    labels = [row.cells[0].text for row in table.rows]
    assert "Actual Dose: B / A, overlap weights" in labels
    change = table.rows[labels.index("Actual Dose: B / A, overlap weights")].cells[2].text
    assert change.endswith("→ 0.00") or change.endswith("→ -0.00")


def test_the_gate_counts_subjects_and_not_samples(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    table = draw_assay_gate(make_context(results, settings))
    assert isinstance(table, Table) and table.subjects == 6


@pytest.mark.parametrize("draw", ALL, ids=lambda draw: draw.__name__)
def test_both_languages_print_the_same_values(
    results: pd.DataFrame, settings: dict[str, Any], draw: Any
) -> None:
    found = []
    for language in ("en", "zh"):
        table = draw(make_context(results, settings, language))
        assert isinstance(table, Table) and table.subjects > 0
        found.append([cell.value_ids for row in table.rows for cell in row.cells])
    assert found[0] == found[1] and any(found[0])


@pytest.mark.parametrize("draw", ALL, ids=lambda draw: draw.__name__)
def test_without_a_change_there_is_no_table(settings: dict[str, Any], draw: Any) -> None:
    none = comparability_results(by="", reference="")
    assert draw(make_context(none, settings, by="", reference="")) == NotShown("NOCHANGE")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_forest_holds_each_ratio_and_the_margin(
    results: pd.DataFrame, settings: dict[str, Any], language: str
) -> None:
    figure = draw_ratio_forest(make_context(results, settings, language))
    assert isinstance(figure, Figure)
    peak = figure.data[(figure.data["PARAMCD"] == "CMAX") & (figure.data["MODEL"] == "UNADJUSTED")]
    assert peak["GMR"].tolist() == pytest.approx([1, 1])
    assert peak["MARGIN_UPPER"].tolist() == [2, 2]
    assert set(figure.data["MODEL"]) == {"UNADJUSTED", "ADJUSTED"}
    # CMAX has a margin and AUC28 none: the band of one is not drawn behind the other.
    assert len(figure.pages) == 2 and len(figure.footnotes) == 4
    roles = figure.data.set_index("MODEL")["ROLE"]
    assert set(roles["ADJUSTED"]) == {"PRIMARY"} and set(roles["UNADJUSTED"]) == {"SENSITIVITY"}
    assert figure.subjects == 12


def test_no_band_stands_behind_a_ratio_that_may_get_no_verdict(
    results: pd.DataFrame, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[list[str], object]] = []

    def note_page(rows: Any, heads: Any, title: Any, kinds: Any, band: object) -> MatplotlibFigure:
        drawn.append(([row.label for row in rows if row.heading], band))
        return MatplotlibFigure()

    monkeypatch.setattr(figures_comparability, "draw_forest_page", note_page)
    draw_ratio_forest(make_context(results, settings))
    banded = [names for names, band in drawn if band]
    # PCR was measured by two assays without a bridge, FLOW by one.
    assert len(banded) == 1 and len(banded[0]) == 1 and "PCR" not in banded[0][0]


def test_the_table_names_the_covariates_and_the_bridge(settings: dict[str, Any]) -> None:
    rows = comparability_results()
    bridged = rows["value_id"].str.startswith("comparability.ratio/CMAX/FLOW") & (
        rows["stat_name"] == "se_bridge"
    )
    rows.loc[bridged, "value"] = 0.1
    table = draw_kinetics_verdicts(make_context(rows, settings))
    assert isinstance(table, Table)
    assert any(note.startswith("Adjusted for: ") for note in table.footnotes)
    on_bridge = [row.cells[-1].text for row in table.rows if "bridge" in row.cells[-1].text]
    assert len(on_bridge) == 2 and all("of the bridge alone 0.1" in text for text in on_bridge)


def test_the_profiles_are_medians_of_each_group(
    results: pd.DataFrame, settings: dict[str, Any]
) -> None:
    figure = draw_profiles_by_group(make_context(results, settings))
    assert isinstance(figure, Figure)
    assert figure.data[["PARAMCD", "GROUP", "VALUE", "N"]].to_numpy().tolist() == [
        [analyte, group, 100.0, 6.0] for analyte in ("FLOW", "PCR") for group in "AB"
    ]


@pytest.mark.parametrize("draw", [draw_ratio_forest, draw_profiles_by_group])
def test_without_a_change_there_is_no_figure(settings: dict[str, Any], draw: Any) -> None:
    none = comparability_results(by="", reference="")
    assert draw(make_context(none, settings, by="", reference="")) == NotShown("NOCHANGE")
