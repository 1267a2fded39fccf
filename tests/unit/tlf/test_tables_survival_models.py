"""Tables of the Cox models and of the groups of exposure (59, 59b)."""

from __future__ import annotations

import pandas as pd
import pytest
from survival_study import make_survival_results

from celldossier.tlf.model import NotShown, Table
from celldossier.tlf.tables_survival_models import draw_cox_models, draw_survival_groups


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return make_survival_results("PFS", "PERSIST")[0]


def headings(table: Table) -> list[str]:
    return [row.cells[0].text for row in table.rows if row.kind == "heading"]


def test_each_analysis_has_its_heading_and_the_biased_one_comes_last(
    results, settings, context_for
) -> None:
    table = draw_cox_models(context_for(results, settings, endpoints=["PFS"]))
    assert isinstance(table, Table)
    # Nobody was never quantifiable: that sensitivity analysis stands in the plan alone.
    assert headings(table) == [
        "Progression-free survival: from the landmark (D28)",
        "Progression-free survival: exposure that changes with time (sensitivity)",
        "Progression-free survival: without landmark, biased by immortal time "
        "(for comparison only)",
    ]


def test_a_row_prints_the_ratio_of_its_model_and_who_left_before_the_landmark(
    results, settings, context_for
) -> None:
    context = context_for(results, settings, endpoints=["PFS"])
    table = draw_cox_models(context)
    first = table.rows[1].cells
    by = {"metric": "AUC28", "adjustment": "UNADJUSTED", "population": "PRIMARY"}

    def value(stat: str):
        return context.results.find("exposure_response.cox", "PFS", "PCR", by, stat)

    assert first[0].text == "AUC0-28d" and first[1].text == "unadjusted"
    assert first[2].text == f"{value('n_before').number:g} ({value('events_before').number:g})"
    assert first[4].text == f"{value('events').number:g} ({value('n_competing').number:g})"
    assert first[5].value_ids == tuple(value(s).value_id for s in ("hr", "hr_low", "hr_high"))
    assert first[5].text.startswith(f"{value('hr').number:.3f} (")
    # Models for comparison have no q: they repeat a question.
    assert table.rows[-1].cells[7].text == "–"


def test_a_refused_model_prints_its_reason_and_no_number(results, settings, context_for) -> None:
    table = draw_cox_models(context_for(results, settings, endpoints=["PERSIST"]))
    body = [row for row in table.rows if row.kind == "body"]
    refused = [row for row in body if "CIRCULAR" in row.cells[5].reasons]
    assert len(refused) == 6
    assert {row.cells[5].text for row in refused} == {"NC"}
    assert {row.cells[-1].text for row in refused} == {"not fitted"}


def test_groups_print_their_range_their_median_and_the_log_rank_test(
    results, settings, context_for
) -> None:
    context = context_for(results, settings, endpoints=["PFS"], metrics=["AUC28"])
    table = draw_survival_groups(context)
    assert isinstance(table, Table)
    assert [row.kind for row in table.rows] == ["heading", "body", "body"] + ["heading"] + [
        "body"
    ] * 3
    assert "log-rank p" in headings(table)[0] and "d·copies/µg" in headings(table)[0]
    assert table.rows[1].cells[0].text.startswith("Lower half: ")
    halves = [int(row.cells[1].text) for row in table.rows[1:3]]
    thirds = [int(row.cells[1].text) for row in table.rows[4:]]
    assert sum(halves) == sum(thirds) == table.subjects


def test_a_study_without_the_endpoint_has_no_table(results, settings, context_for) -> None:
    context = context_for(results, settings, endpoints=["OS"], metrics=["AUC28"])
    assert draw_cox_models(context) == NotShown("NOTAPPL")
