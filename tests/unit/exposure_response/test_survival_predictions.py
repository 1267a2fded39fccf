"""Predicted probability to be free of an event, from the stage's own Cox models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from survival_study import draw_times, make_sources, prepare

from celldossier.exposure_response import time_to_event
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.terms.study_terms import DAYS_PER_MONTH

N = 120
LOG2 = np.random.default_rng(29).normal(17, 1.5, N)
TIME, EVENT = draw_times(LOG2, 0.7, 5)
SOURCES = make_sources(
    TIME, EVENT, {"AUC28": 2**LOG2}, burden=np.random.default_rng(30).normal(size=N)
)


def collect(**settings: Any) -> tuple[Study, AnalysisResults]:
    study = prepare(SOURCES, **settings)
    out = ResultCollector("exposure_response")
    time_to_event.run_cells(study, time_to_event.plan_cells(study), out)
    return study, AnalysisResults([out.frame()])


@pytest.fixture(scope="module")
def ran() -> tuple[Study, AnalysisResults]:
    return collect(predictions={"metrics": ["AUC28"], "survival_months": [0.5, 3, 6, 600]})


def value(values: AnalysisResults, at: str, month: str, stat: str = "pct") -> Any:
    by = {"metric": "AUC28", "adjustment": "UNADJUSTED", "at": at, "month": month}
    found = values.find("exposure_response.predicted_survival", "PFS", "PCR", by, stat)
    assert found is not None, (at, month, stat)
    return found


def test_a_higher_exposure_with_a_lower_hazard_is_predicted_to_stay_free_longer(ran) -> None:
    _, values = ran
    shares = [value(values, at, "M6").number for at in ("P10", "P50", "P90")]
    assert shares == sorted(shares) and 0 < shares[0] < shares[-1] < 100
    assert value(values, "P50", "M3").number > value(values, "P50", "M6").number
    low, high = (value(values, "P50", "M6", stat).number for stat in ("ci_low", "ci_high"))
    assert low < shares[1] < high


def test_the_prediction_is_near_the_share_that_was_observed_at_that_exposure(ran) -> None:
    _, values = ran
    middle = np.abs(LOG2 - np.median(LOG2)) < 0.5
    # Everybody was observed to the event or beyond the time looked at, or is left out.
    known = middle & (EVENT | (TIME > 3 * DAYS_PER_MONTH)) & (TIME > 28)
    observed = 100 * float((TIME[known] > 3 * DAYS_PER_MONTH).mean())
    low, high = (value(values, "P50", "M3", stat).number for stat in ("ci_low", "ci_high"))
    room = 100 * 2 * math.sqrt(0.25 / known.sum())
    assert low - room < observed < high + room


def test_nothing_is_predicted_before_the_landmark_or_beyond_the_follow_up(ran) -> None:
    _, values = ran
    assert value(values, "P50", "M0.5").note_code == "BEFLANDM"
    assert value(values, "P50", "M600").note_code == "NOFOLLOW"


def test_a_refused_model_predicts_nothing_and_says_why() -> None:
    _, values = collect(
        min_events=10_000, predictions={"metrics": ["AUC28"], "survival_months": [6]}
    )
    assert value(values, "P50", "M6").note_code == "FEWEVENT"
