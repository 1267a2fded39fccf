"""Tables of the plan, of all tests, of predictions, and of CRS and ICANS by exposure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pandas as pd
import pytest
from table_texts import heads, texts

from celldossier.exposure_response import sensitivity
from celldossier.settings.confounding import Modifier
from celldossier.terms.endpoints import known_endpoints
from celldossier.terms.language import Language
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_event_features import draw_event_features
from celldossier.tlf.tables_plan import draw_analysis_plan, draw_multiplicity
from celldossier.tlf.tables_predictions import (
    draw_predicted_grades,
    draw_predicted_probability,
    draw_predicted_survival,
)

ContextFor = Callable[..., Context]


@pytest.fixture
def draw(context_for: ContextFor, stage_results: dict[str, pd.DataFrame], settings) -> Any:
    def run(drawing: Callable[[Context], Any], language: str = "en", **options: Any) -> Any:
        results = stage_results["exposure_response"]
        return drawing(context_for(results, settings, language, **options))

    return run


def test_the_plan_counts_its_models_for_each_endpoint_and_in_all(draw) -> None:
    rows = texts(draw(draw_analysis_plan))
    # Seven logistic models, and those of two times to an event.
    assert rows[0] == ["All endpoints: 35 models planned, 29 run, 6 refused"]
    assert ["Objective response (family: efficacy): 3 models planned, 2 run, 1 refused"] in rows


def test_a_refused_model_has_its_reason_and_a_landmark_its_day(draw) -> None:
    table = draw(draw_analysis_plan)
    cells = [cell for row in table.rows for cell in row.cells]
    assert any(cell.reasons == ("FEWEVENT",) and "not fitted" in cell.text for cell in cells)
    assert any("from D3" in cell.text for cell in cells)
    assert any(cell.text == "primary, logistic" for cell in cells)


def test_every_cell_of_the_plan_stands_in_its_table(
    draw, stage_results: dict[str, pd.DataFrame]
) -> None:
    plan = stage_results["exposure_response"]
    plan = plan[plan["analysis_id"] == "exposure_response.plan"]
    printed = {
        v for row in draw(draw_analysis_plan).rows for cell in row.cells for v in cell.value_ids
    }
    assert (
        set(plan.loc[plan["stat_name"].isin(["role", "method", "reason"]), "value_id"]) <= printed
    )


def test_all_tests_but_the_sensitivity_analyses_are_listed_with_p_and_q(draw) -> None:
    table = draw(draw_multiplicity)
    rows = texts(table)
    assert heads(table)[-1] == "Pre-specified"
    body = [row for row in rows if row[0] == "Logistic"]
    # AUC28 of response, CMAX of CRS, ICANS and cytopenia; two sensitivity analyses are left out.
    assert len(body) == 4
    assert body[0][-1] == "yes: tumour burden" and {"<0.001", "0.012"} <= set(body[0])
    assert "NC" in next(row for row in body if row[-1] == "no" and "NC" in row)


def test_an_exposure_out_of_range_and_a_refused_model_print_their_reasons(draw) -> None:
    table = draw(draw_predicted_probability, metric="CMAX")
    assert heads(table)[3:] == ["P10: 4000", "P50: 24000", "DL1: 19000", "1000000000"]
    reasons = {code for row in table.rows for cell in row.cells for code in cell.reasons}
    assert reasons == {"EXPRANGE", "FEWEVENT"}
    assert "44.7 (30.6,\u00a059.7)" in [text for row in texts(table) for text in row]
    assert table.subjects == 99


def test_grades_are_rows_and_rejected_proportional_odds_predict_none(draw) -> None:
    table = draw(draw_predicted_grades, metric="CMAX")
    rows = texts(table)
    assert rows[0] == ["Grade of CRS, unadjusted (n = 99)"]
    assert [row[0] for row in rows[1:4]] == ["Grade 0", "Grade 1", "Grade 2"]
    assert {c for row in table.rows for cell in row.cells for c in cell.reasons} == {
        "EXPRANGE",
        "POREJECT",
    }


def test_months_are_rows_and_a_time_beyond_the_follow_up_says_so(draw) -> None:
    table = draw(draw_predicted_survival, metric="AUC28")
    rows = texts(table)
    assert rows[0] == ["Progression-free survival, unadjusted (n = 88)"]
    assert rows[1][:2] == ["Month 6", "62.0 (48.0,\u00a073.0)"]
    assert rows[2][:2] == ["Month 24", "NC"] and table.subjects == 88


def test_features_stand_by_group_and_an_event_that_nobody_had_says_so(draw) -> None:
    table = draw(draw_event_features, metric="CMAX")
    assert [head.split(":")[0] for head in heads(table)] == ["", "T1", "T2", "T3", "All"]
    rows = texts(table)
    assert ["Cytokine release syndrome"] in rows
    onset = [row for row in rows if row[0].startswith("Onset")]
    assert onset[0][1] == "3.0 (3.0, 3.0)" and onset[1][1] == "NC"


@pytest.mark.parametrize(
    "drawing",
    [
        draw_predicted_probability,
        draw_predicted_grades,
        draw_predicted_survival,
        draw_event_features,
    ],
)
def test_a_metric_that_was_not_asked_for_has_no_table(draw, drawing) -> None:
    assert draw(drawing, metric="EXPRATE") == NotShown("NOGRPASK")


@pytest.mark.parametrize(
    ("drawing", "options"),
    [
        (draw_analysis_plan, {}),
        (draw_multiplicity, {}),
        (draw_predicted_probability, {"metric": "AUC28"}),
        (draw_predicted_grades, {"metric": "CMAX"}),
        (draw_predicted_survival, {"metric": "AUC28"}),
        (draw_event_features, {"metric": "CMAX"}),
    ],
)
def test_both_languages_print_the_same_values(draw, drawing, options) -> None:
    tables = [draw(drawing, language, **options) for language in ("en", "zh")]
    assert all(isinstance(table, Table) for table in tables)
    ids = [[[c.value_ids for c in row.cells] for row in table.rows] for table in tables]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("code", ["en", "zh"])
def test_every_model_and_family_of_the_plan_has_words(code: str) -> None:
    language = Language(code)
    models = {"LOGISTIC", "ORDINAL", "COX", "COX_TIMEDEP", "EMAX", "COUNT", "HAZARD", "LINEAR"}
    models |= {sensitivity.CONDITIONAL, "MIXED"}
    models |= {f"INTERACTION_{name}" for name in get_args(Modifier)}
    families = {rule["family"] for rule in known_endpoints({}).values()}
    methods = {"ML", "FIRTH", "PROPODDS", sensitivity.CONDITIONAL, "COX", "COX_FIRTH", "REML"}
    terms = {f"level.er_model.{name}" for name in models}
    terms |= {f"level.family.{name}" for name in families}
    terms |= {f"level.model.{name}" for name in methods}
    assert not [term for term in sorted(terms) if not language.has(term)]
