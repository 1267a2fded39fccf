from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import conform
from celldossier.exposure_response.event_features import collect_event_features
from celldossier.exposure_response.plan import ModelOutcome, PlanCell
from celldossier.exposure_response.plan_summary import collect_plan_summary
from celldossier.exposure_response.stage import prepare_study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings

SETTINGS = ExposureResponseSettings.model_validate(
    {"metrics": ["CMAX"], "endpoints": ["CRSGE2"], "primary": [], "bins": 3}
)


def make_episodes(study) -> pd.DataFrame:
    """An episode for each subject with CRS: the first has no end, the second was treated."""
    ader = prepare_study(study.sources, SETTINGS).ader
    had = ader.loc[ader["CRSGR"] > 0].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "STUDYID": had["STUDYID"],
            "USUBJID": had["USUBJID"],
            "AESI": "CRS",
            "EPISODE": 1,
            "NEPISOD": 1,
            "WORSTFL": "Y",
            "NRECORD": 1,
            "ATOXGRN": had["CRSGR"],
            "ASTDY": had["CRSONDY"],
            "ADURN": 4.0 + np.arange(len(had)) % 5,
            "ONGOFL": np.where(np.arange(len(had)) == 0, "Y", "N"),
            "TOCIDY": np.where(np.arange(len(had)) == 1, 3.0, np.nan),
            "SRCDOM": "AE",
            "SRCROW": np.arange(1, len(had) + 1),
        }
    )
    return conform(frame, "ADAESI")


@pytest.fixture(scope="module")
def ran(study) -> tuple[pd.DataFrame, AnalysisResults]:
    data = prepare_study(study.change(adaesi=make_episodes(study)), SETTINGS)
    out = ResultCollector("exposure_response")
    collect_event_features(data, out)
    return data.ader, AnalysisResults([out.frame()])


def value(values: AnalysisResults, stat: str, level: str, event: str = "CRS") -> Any:
    by = {"metric": "CMAX", "bin": level}
    found = values.find("exposure_response.event_features", event, "PCR", by, stat)
    assert found is not None, (stat, level)
    return found


def test_the_groups_hold_every_subject_once_and_their_events(ran) -> None:
    ader, values = ran
    for stat in ("n", "n_known", "n_event", "n_grade2", "onset_unknown", "duration_unknown"):
        parts = [value(values, stat, level).number for level in ("T1", "T2", "T3")]
        assert sum(parts) == value(values, stat, "ALL").number, stat
    assert value(values, "n", "ALL").number == len(ader)
    assert value(values, "n_event", "ALL").number == (ader["CRSGR"] > 0).sum()


def test_the_extremes_of_a_group_are_those_of_its_subjects(ran) -> None:
    ader, values = ran
    had = ader.loc[ader["CRSGR"] > 0]
    exposure, onset = ader["CMAX"], had["CRSONDY"]
    assert value(values, "exposure_min", "ALL").number == exposure.min()
    assert value(values, "exposure_max", "ALL").number == exposure.max()
    assert value(values, "onset_min", "ALL").number == onset.min() < onset.max()
    assert value(values, "onset_max", "ALL").number == onset.max()
    assert value(values, "onset_median", "ALL").number == onset.median()
    # Durations are 4 to 8 days; the first of them, of 4, goes on.
    ends = [value(values, f"duration_{stat}", "ALL").number for stat in ("min", "max")]
    assert ends == [4, 8] and value(values, "duration_n", "ALL").number == len(had) - 1
    # The groups follow one another in exposure.
    highest = [value(values, "exposure_max", f"T{i}").number for i in (1, 2)]
    lowest = [value(values, "exposure_min", f"T{i}").number for i in (2, 3)]
    assert highest[0] < lowest[0] and highest[1] < lowest[1]
    for grade in (1, 2, 3, 4, 5):
        count = (ader["CRSGR"] == grade).sum()
        assert value(values, f"n_grade{grade}", "ALL").number == count
        share = 100 * count / ader["CRSGR"].notna().sum()
        assert value(values, f"pct_grade{grade}", "ALL").number == pytest.approx(share)


def test_a_treatment_after_the_window_of_events_is_none_of_theirs(study) -> None:
    for day, treated in ((SETTINGS.event_window, 1), (SETTINGS.event_window + 1, 0)):
        episodes = make_episodes(study)
        episodes["ASTDY"] = episodes["ASTDY"].mask(episodes["TOCIDY"].notna(), float(day))
        data = prepare_study(study.change(adaesi=episodes), SETTINGS)
        out = ResultCollector("exposure_response")
        collect_event_features(data, out)
        assert value(AnalysisResults([out.frame()]), "n_toci", "ALL").number == treated


def test_a_share_is_of_the_subjects_with_a_known_grade(ran) -> None:
    ader, values = ran
    expected = 100 * (ader["CRSGR"] > 0).sum() / ader["CRSGR"].notna().sum()
    assert value(values, "pct_event", "ALL").number == pytest.approx(expected)


def test_an_episode_that_goes_on_is_in_no_median(ran, study) -> None:
    _, values = ran
    episodes = make_episodes(study)
    over = episodes.loc[episodes["ONGOFL"] == "N", "ADURN"]
    assert value(values, "duration_unknown", "ALL").number == 1
    assert value(values, "duration_median", "ALL").number == over.median()
    assert value(values, "duration_median", "ALL").unit == "d"


def test_treatment_is_counted_among_subjects_with_the_event(ran) -> None:
    ader, values = ran
    assert value(values, "n_toci", "ALL").number == 1
    share = 100 / (ader["CRSGR"] > 0).sum()
    assert value(values, "pct_toci", "ALL").number == pytest.approx(share)


def test_an_event_that_nobody_had_or_nobody_looked_for_says_so(ran) -> None:
    _, values = ran
    median = value(values, "onset_median", "ALL", "ICANS")
    assert math.isnan(median.number) and median.note_code in {"NOEVENT", "NOTCOLL"}


def test_the_summary_counts_every_model_of_the_plan_once(study) -> None:
    data = prepare_study(study.sources, SETTINGS)
    cell = PlanCell(data.endpoints[0], "CMAX", "LOGISTIC", "UNADJUSTED", "PRIMARY", "SECONDARY")
    other = PlanCell(data.endpoints[0], "CMAX", "COX", "UNADJUSTED", "PRIMARY", "SENSITIVITY")
    outcomes = [
        ModelOutcome(cell, "ML", (), 60, 20.0, 0.1),
        ModelOutcome(cell, "NONE", (), 60, 2.0, math.nan, "FEWEVENT"),
        ModelOutcome(other, "COX", (), 60, 20.0, 0.2),
    ]
    out = ResultCollector("exposure_response")
    collect_plan_summary(outcomes, "PCR", out)
    values = AnalysisResults([out.frame()])

    def count(stat: str, endpoint: str = "", **by: str) -> float:
        found = values.find("exposure_response.plan_summary", endpoint, "PCR", by, stat)
        assert found is not None
        return found.number

    assert [count(f"n_{each}") for each in ("planned", "run", "refused")] == [3, 2, 1]
    assert [count(f"n_{each}", "CRSGE2") for each in ("planned", "refused")] == [3, 1]
    assert [count("n_planned", model=model) for model in ("LOGISTIC", "COX")] == [2, 1]
    assert count("n_sensitivity") == 1
