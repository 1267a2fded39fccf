"""Tables of best response and of time to event: what they print, and what they leave out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from outcome_results import add_responses, add_times
from table_texts import texts

from celldossier.results import ResultCollector
from celldossier.settings.efficacy import EfficacySettings
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_outcomes import draw_best_response, draw_time_to_event

ContextFor = Callable[..., Context]
INDICATIONS = ({"indication": "ALL"}, {"indication": "NHL"}, {})


@pytest.fixture(scope="module")
def efficacy() -> dict[str, Any]:
    rule = {"analyte": "NEUT", "at_least": 1.0, "unit": "10^9/L", "consecutive": 2}
    settings = EfficacySettings.model_validate(
        {
            "response_order": ["GOOD", "BAD"],
            "responder_categories": ["GOOD"],
            "time_to_event": {"recoveries": {"NEUTREC": rule}},
        }
    )
    return {"study_data": {"efficacy": settings.model_dump(mode="json")}}


@pytest.fixture
def responses() -> pd.DataFrame:
    out = ResultCollector("study_data")
    categories = dict.fromkeys(("CR", "CRh", "CRi", "PR", "NR", "PD", "RELAPSE", "NE"), 0)
    add_responses(out, "ALL", "ALL", **{**categories, "CR": 3, "NR": 2})
    add_responses(out, "SKIN X", "OWN", GOOD=3, BAD=2, NE=0, UNKNOWN=0)
    return out.frame()


def test_best_response_shows_the_categories_of_each_indication_in_order(
    context_for: ContextFor,
    responses: pd.DataFrame,
    settings: dict[str, Any],
    efficacy: dict[str, Any],
) -> None:
    table = draw_best_response(context_for(responses, {**settings, **efficacy}))
    rows = texts(table)
    labels = [row[0] for row in rows]
    assert labels == [
        "ALL",
        "Infused subjects, n",
        "Response-evaluable subjects, n",
        "Best response (Remission of acute lymphoblastic leukaemia), n (%)",
        "CR: Complete remission",
        "CRh: Complete remission with partial haematologic recovery",
        "CRi: Complete remission with incomplete blood count recovery",
        "PR: Partial remission",
        "NR: No response",
        "PD: Progressive disease",
        "RELAPSE: Relapsed disease",
        "NE: Not evaluable",
        "no response assessment that counts",
        "Objective response of infused, n/N (%) [95% CI]",
        "Objective response of response-evaluable, n/N (%) [95% CI]",
        "SKIN X",
        "Infused subjects, n",
        "Response-evaluable subjects, n",
        "Best response (categories of the study), n (%)",
        "GOOD",
        "BAD",
        "NE",
        "UNKNOWN",
        "no response assessment that counts",
        "Response of infused, n/N (%) [95% CI]",
        "Response of response-evaluable, n/N (%) [95% CI]",
        "All indications",
        "Infused subjects, n",
        "Response-evaluable subjects, n",
        "Objective response of infused, n/N (%) [95% CI]",
        "Objective response of response-evaluable, n/N (%) [95% CI]",
    ]
    assert rows[4][1:] == ["3 (50.0)"] * 3
    assert rows[13][-1] == "3/6 (50.0) [11.8, 88.2]"
    assert isinstance(table, Table) and table.subjects == 6


def test_response_that_was_not_collected_says_so(
    context_for: ContextFor, settings: dict[str, Any]
) -> None:
    out = ResultCollector("study_data")
    notes = dict.fromkeys(("n", "n_evaluable"), "NOTCOLL")
    out.add(
        "response_subjects", dict.fromkeys(notes, math.nan), dataset="ADRS", variable="BOR",
        notes=notes,
    )  # fmt: skip
    assert draw_best_response(context_for(out.frame(), settings)) == NotShown("NOTCOLL")


def draw_times(
    context_for: ContextFor, settings: dict[str, Any], *endpoints: str, **more: float
) -> Table | NotShown:
    out = ResultCollector("study_data")
    for by in INDICATIONS:
        add_times(out, endpoints[0], by, **more)
    options = {"endpoints": list(endpoints)}
    return draw_time_to_event(context_for(out.frame(), settings, **options))


def test_time_to_event_shows_counts_reasons_and_estimates(
    context_for: ContextFor, settings: dict[str, Any], efficacy: dict[str, Any]
) -> None:
    table = draw_times(context_for, {**settings, **efficacy}, "DOR", "PFS")
    assert isinstance(table, Table)
    assert [column.label for column in table.columns] == ["Endpoint", "ALL", "NHL", "All"]
    rows = texts(table)
    assert [row[0] for row in rows] == [
        "Duration of response",
        "Subjects in the analysis, n",
        "not in the analysis: no response, n",
        "Event, n (%)",
        "Progression of disease",
        "Death",
        "Censored, n (%)",
        "no event by the end of the data",
        "death before the event",
        "Kaplan-Meier median, months",
        "95% CI",
        "Without event at 3 months, % (95% CI) [at risk]",
        "Without event at 12 months, % (95% CI) [at risk]",
        "Median follow-up (reverse Kaplan-Meier), months",
        "95% CI",
    ]
    assert [rows[i][-1] for i in (1, 3, 9, 10, 11)] == [
        *("8", "5 (62.5)", "5.2", "(2.0, NC)", "60.9 (51.3, 69.1) [4]"),
    ]
    reasons = {code for row in table.rows for cell in row.cells for code in cell.reasons}
    assert reasons == {"NOTREACH"}
    assert table.subjects == 8 and table.footnotes == ()


def test_competing_events_and_cumulative_incidence_stand_beside_the_estimate(
    context_for: ContextFor, settings: dict[str, Any], efficacy: dict[str, Any]
) -> None:
    incidence = {"incidence": 30.0, "incidence_low": 20.0, "incidence_high": 41.0}
    table = draw_times(context_for, {**settings, **efficacy}, "NEUTREC", **incidence)
    assert isinstance(table, Table)
    rows = {row[0]: row[-1] for row in texts(table)}
    competing = "of the censored, competing event: Haematopoietic stem cell transplantation, n (%)"
    assert rows[competing] == "3 (37.5)"
    assert rows["Cumulative incidence at 3 months, % (95% CI)"] == "30.0 (20.0, 41.0)"
    assert not any(label.startswith("Median follow-up") for label in rows)
    # The criterion of a recovery stands below its table.
    assert len(table.footnotes) == 1
    assert "NEUT of at least 1 10⁹/L in 2 consecutive" in table.footnotes[0]


def test_an_endpoint_that_does_not_apply_is_not_called_not_collected(
    context_for: ContextFor, settings: dict[str, Any]
) -> None:
    nothing = ResultCollector("none").frame()
    context = context_for(nothing, settings, endpoints=["OS", "PFS"])
    assert draw_time_to_event(context) == NotShown("NOTAPPL")
    out = ResultCollector("study_data")
    counts = ("n_infused", "n", "n_events", "pct_events", "n_censored", "pct_censored")
    out.add(
        "time_to_event", dict.fromkeys(counts, math.nan), dataset="ADTTE", variable="PFS",
        notes=dict.fromkeys(counts, "NOTCOLL"),
    )  # fmt: skip
    context = context_for(out.frame(), settings, endpoints=["OS", "PFS"])
    assert draw_time_to_event(context) == NotShown("NOTCOLL")
