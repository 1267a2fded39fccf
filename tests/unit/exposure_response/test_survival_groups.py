"""Curves by exposure: groups, their start, what is read off them, and the log-rank test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import CensoredData, logrank
from survival_study import draw_times, make_sources, prepare

from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_groups import collect_groups
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.stats.survival import estimate_at, estimate_quantile, estimate_survival
from celldossier.terms.study_terms import DAYS_PER_MONTH

N = 90
LOG2 = np.random.default_rng(2).normal(17, 1.5, N)
TIME, EVENT = draw_times(LOG2, 0.7, 9)
SOURCES = make_sources(TIME, EVENT, {"AUC28": 2**LOG2, "CMAX": 2**LOG2})
USED = TIME > 28
HIGH = np.median(LOG2[USED]) < LOG2


def collect(study: Study) -> tuple[AnalysisResults, pd.DataFrame]:
    out = ResultCollector("exposure_response")
    curves = collect_groups(study, study.endpoints[0], out)
    return AnalysisResults([out.frame()]), pd.DataFrame(curves)


def find(results: AnalysisResults, analysis: str, stat: str, **by: str):
    by = {"metric": "AUC28", "split": "HALF", **by}
    endpoint = results.select("exposure_response.log_rank")["variable"].iloc[0]
    return results.find(f"exposure_response.{analysis}", endpoint, "PCR", by, stat)


def test_halves_are_those_at_risk_at_the_landmark_and_the_test_is_that_of_scipy() -> None:
    results, _ = collect(prepare(SOURCES))

    def censored(own: np.ndarray) -> CensoredData:
        own = own & USED
        return CensoredData(uncensored=TIME[own & EVENT], right=TIME[own & ~EVENT])

    other = logrank(censored(HIGH), censored(~HIGH))
    assert find(results, "log_rank", "chisq").number == pytest.approx(other.statistic**2)
    assert find(results, "log_rank", "n_before").number == (~USED).sum() > 0
    assert find(results, "log_rank", "events_before").number == (~USED & EVENT).sum()
    for level, own in (("H1", ~HIGH & USED), ("H2", HIGH & USED)):
        assert find(results, "survival_groups", "n", group=level).number == own.sum()
        assert find(results, "survival_groups", "events", group=level).number == EVENT[own].sum()
        ends = 2 ** LOG2[own]
        for stat, value in (("exposure_min", ends.min()), ("exposure_max", ends.max())):
            found = find(results, "survival_groups", stat, group=level)
            assert found.number == pytest.approx(value) and found.unit == "d*copies/ug"


def test_median_and_survival_are_those_of_the_curve_from_the_landmark() -> None:
    results, curves = collect(prepare(SOURCES))
    own = HIGH & USED
    curve = estimate_survival(TIME[own], EVENT[own])
    median, half_year = estimate_quantile(curve), estimate_at(curve, 6 * DAYS_PER_MONTH)
    for stat, value in (("median", median.value), ("median_low", median.low)):
        assert find(results, "survival_groups", stat, group="H2").number == value
    found = find(results, "survival_at", "survival", group="H2", time="M6")
    assert found.number == pytest.approx(100 * half_year.value)
    at_risk = find(results, "survival_at_risk", "n", group="H2", day="D180").number
    assert at_risk == (TIME[own] >= 180).sum()
    assert find(results, "survival_at_risk", "n", group="H2", day="D28").number == own.sum()
    drawn = curves[
        (curves["curve_id"] == "exposure_response.survival/PFS/AUC28/HALF")
        & (curves["series"] == "H2")
    ]
    assert drawn["x"].iloc[0] == 28 and drawn["y"].iloc[0] == 100
    assert drawn["y"].iloc[1:].to_numpy() == pytest.approx(100 * curve.survival)


def test_a_subject_that_was_never_quantifiable_is_in_the_lowest_group() -> None:
    values = np.where(np.arange(N) < 10, 0.0, 2**LOG2)
    results, _ = collect(prepare(make_sources(TIME, EVENT, {"AUC28": values, "CMAX": values})))
    assert find(results, "survival_groups", "exposure_min", group="H1").number == 0
    assert find(results, "log_rank", "n").number == USED.sum()


def test_curves_begin_when_enough_of_each_group_are_under_observation() -> None:
    # One by one they enter; an event that meets one subject would end the curve of its group.
    data = {"AUC28": 2**LOG2, "CMAX": 2**LOG2}
    sources = make_sources(TIME + 60, EVENT, data, endpoints={"DOR": 0.0})
    begin = pd.Timestamp("2026-01-01") - pd.to_timedelta(np.arange(N), unit="D")
    end = begin + pd.to_timedelta(TIME + 60, unit="D")
    adtte = sources.adtte.assign(STARTDT=begin.strftime("%Y-%m-%d"), ADT=end.strftime("%Y-%m-%d"))
    results, curves = collect(prepare(replace(sources, adtte=adtte), endpoints=["DOR"]))
    start = [find(results, "survival_groups", "begin", group=g).number for g in ("H1", "H2")]
    assert start[0] == start[1] > 28
    # Who is at risk is told from there on, though others enter later.
    assert start[0] < 60
    assert find(results, "survival_at_risk", "n", group="H1", day="D28") is None
    entry, leave = 28.0 + np.arange(N), TIME + 60
    counts = [
        find(results, "survival_at_risk", "n", group=g, day="D60").number for g in ("H1", "H2")
    ]
    assert sum(counts) == ((entry <= 60) & (leave >= 60) & (leave > entry)).sum()
    assert curves.groupby(["curve_id", "series"])["n"].first().min() >= 5
    together, _ = collect(prepare(sources, endpoints=["DOR"]))
    assert find(together, "survival_groups", "begin", group="H1").number == 28


def test_with_few_subjects_there_is_a_reason_and_no_curve() -> None:
    sources = make_sources(TIME[:12], EVENT[:12], {"AUC28": 2 ** LOG2[:12]})
    results, curves = collect(prepare(sources))
    assert curves.empty
    assert find(results, "log_rank", "p").note_code == "FEWSUBJ"


def test_times_of_other_endpoints_are_days_and_what_cannot_be_read_says_why() -> None:
    sources = make_sources(
        np.minimum(TIME, 50), EVENT, {"AUC28": 2**LOG2, "CMAX": 2**LOG2}, endpoints={"PLATREC": 0.0}
    )
    study = prepare(sources, endpoints=["PLATREC"], time_to_event={"early_endpoints": []})
    results, _ = collect(study)
    assert find(results, "survival_at", "survival", group="H1", time="D14").note_code == "NOTAPPL"
    assert find(results, "survival_at", "survival", group="H1", time="D60").note_code == "BEYONDFU"
