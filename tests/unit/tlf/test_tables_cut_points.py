"""Table of cut points and sensitivity, from results of the stage."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from antibody_courses import course, make_adab
from cut_points_given import NORMAL, make_signals
from scipy import stats

from celldossier.datasets import empty_dataset
from celldossier.immunogenicity.cut_points_summary import summarise_cut_points
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.cut_points import CutPointSettings
from celldossier.terms.language import Language
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_cut_points import draw_cut_points

SIGNALS = [
    *make_signals("CONFIRMATORY", "%", 10 + 5 * NORMAL),
    *make_signals("SCREENING", "MFI", np.exp(6 + 0.3 * NORMAL)),
]


def draw(
    records: list[dict[str, Any]],
    settings: dict[str, Any],
    language: str = "en",
    assay: dict[str, Any] | None = None,
    **rules: Any,
) -> Table | NotShown:
    own = copy.deepcopy(settings)
    cut_points = CutPointSettings(**rules)
    own["immunogenicity"]["cut_points"] = cut_points.model_dump(mode="json")
    own["bioanalysis"]["assays"][-1] |= {"test_codes": ["ADA_BAB"], **(assay or {})}
    out = ResultCollector("immunogenicity")
    if records:
        summarise_cut_points(make_adab(records), cut_points, out)
    return draw_cut_points(
        Context(
            language=Language("zh" if language == "zh" else "en"),
            results=AnalysisResults([out.frame()]),
            curves=empty_dataset("CURVES"),
            dataset={}.__getitem__,
            settings=own,
        )
    )


def body(table: Table | NotShown) -> list[dict[str, str]]:
    assert isinstance(table, Table)
    heads = [column.label for column in table.columns]
    return [
        dict(zip(heads, (cell.text for cell in row.cells), strict=True))
        for row in table.rows
        if row.kind == "body"
    ]


def test_each_tier_shows_its_cut_point_with_rule_reason_and_form(settings: dict[str, Any]) -> None:
    table = draw(SIGNALS, settings, assay={"sensitivity": 25.0, "positive_control": "anti-FMC63"})
    assert isinstance(table, Table)
    screening, confirmatory = body(table)
    assert screening["Tier"] == "Screening (MFI)"
    assert confirmatory["Tier"] == "Confirmatory (%)"
    expected = np.exp(6 + 0.3 * stats.norm.ppf(0.95) * NORMAL.std(ddof=1))
    assert float(screening["Cut point"]) == pytest.approx(expected, rel=0.005)
    assert screening["Rule and its reason"] == "parametric, logarithms: normal by the test"
    assert confirmatory["Rule and its reason"].startswith("parametric, own scale")
    assert screening["Between runs (p of means; p of variances)"].startswith("fixed (")
    assert screening["Sensitivity, ng/mL"] == "25"
    assert table.subjects == 40
    assert "positive control: anti-FMC63" in table.rows[0].cells[0].text


def test_without_raw_signals_the_table_says_so(settings: dict[str, Any]) -> None:
    table = draw(course("A", (0, "NEGATIVE", None)), settings)
    assert isinstance(table, Table)
    reasons = [row.cells for row in table.rows if row.kind == "body"]
    assert len(reasons) == 2
    for cells in reasons:
        codes = [code for cell in cells for code in cell.reasons]
        assert codes == ["NOSIGNAL", "NOSENSIT"]


def test_too_few_samples_leave_no_rule_and_no_text_of_none(settings: dict[str, Any]) -> None:
    (row, _) = body(draw(make_signals("SCREENING", "MFI", np.exp(NORMAL[:10])), settings))
    assert row["Cut point"] == row["Rule and its reason"] == "NC"


def test_the_bound_has_a_column_where_the_study_asks_for_it(settings: dict[str, Any]) -> None:
    assert "Lower 90% bound" not in body(draw(SIGNALS, settings))[0]
    row = body(draw(SIGNALS, settings, lower_bound=True))[0]
    assert float(row["Lower 90% bound"]) < float(row["Cut point"])


def test_both_languages_print_the_same_values(settings: dict[str, Any]) -> None:
    english, chinese = (draw(SIGNALS, settings, each) for each in ("en", "zh"))
    assert isinstance(english, Table)
    assert isinstance(chinese, Table)
    values = [
        [[cell.value_ids for cell in row.cells] for row in table.rows]
        for table in (english, chinese)
    ]
    assert values[0] == values[1]
    assert chinese.rows[1].cells[0].text == "筛选检测 (MFI)"


def test_a_study_without_antibodies_has_no_such_table(settings: dict[str, Any]) -> None:
    assert draw([], settings) == NotShown("NOTCOLL")
