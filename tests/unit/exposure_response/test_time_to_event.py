"""Cox models of the stage: truth, immortal time, what leaves them as they are, and refusals."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from survival_study import SAMPLE_DAYS, draw_times, make_samples, make_sources, prepare

from celldossier.datasets import conform
from celldossier.exposure_response import time_to_event
from celldossier.exposure_response.exposure_over_time import find_first_known
from celldossier.exposure_response.plan import PlanCell
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_results import collect_hazard
from celldossier.exposure_response.time_to_event import COX, EXPOSURE, NO_LANDMARK, TIMEDEP
from celldossier.results import AnalysisResults, ResultCollector

RNG = np.random.default_rng(28)
N = 80
LOG2 = RNG.normal(17, 1.5, N)
TIME, EVENT = draw_times(LOG2, 0.7, 3)
BURDEN = RNG.normal(size=N)
SOURCES = make_sources(TIME, EVENT, {"AUC28": 2**LOG2}, burden=BURDEN)


def cell_of(
    study: Study,
    metric: str = "AUC28",
    model: str = COX,
    adjustment: str = "UNADJUSTED",
    population: str = "PRIMARY",
) -> PlanCell:
    return next(
        cell
        for cell in time_to_event.plan_cells(study)
        if (cell.metric, cell.model, cell.adjustment, cell.population)
        == (metric, model, adjustment, population)
    )


def run(study: Study, **named: str) -> time_to_event.HazardResult:
    return time_to_event.run_cell(study, cell_of(study, **named), find_first_known(study))


def slope(result: time_to_event.HazardResult) -> Any:
    assert result.fit is not None, result.reason
    return result.fit.coefficient(EXPOSURE)


def collect(study: Study) -> tuple[AnalysisResults, Any]:
    out = ResultCollector("exposure_response")
    output = time_to_event.run_cells(study, time_to_event.plan_cells(study), out)
    return AnalysisResults([out.frame()]), output


def test_the_planted_hazard_ratio_of_ctx_101_is_met_and_covered_over_samples() -> None:
    # truth_ctx101.md: PFS, hazard ratio per doubling of AUC28 0.85.
    truth, found = math.log(0.85), []
    for seed in range(12):
        log2 = np.random.default_rng(100 + seed).normal(17, 1.6, 200)
        time, event = draw_times(log2, 0.85, 200 + seed)
        found.append(slope(run(prepare(make_sources(time, event, {"AUC28": 2**log2})))))
    covered = sum(item.low < truth < item.high for item in found)
    assert covered >= 10
    z = np.mean([(item.estimate - truth) / item.se for item in found]) * math.sqrt(len(found))
    assert abs(z) < 2.5
    # No association would be as far off as can be told.
    assert np.mean([item.estimate for item in found]) < truth / 2


def make_immortal(n: int = 300, seed: int = 4) -> Study:
    """Cells rise until day 60 or the event, which does not depend on them."""
    rng = np.random.default_rng(seed)
    time = np.ceil(rng.exponential(60, n))
    event = time <= 200
    time = np.minimum(time, 200)
    start = np.exp(rng.normal(0, 0.3, n)) * 100
    days = np.array(SAMPLE_DAYS)
    course = start[:, None] * np.exp(0.1 * np.minimum(days, 60))
    seen = np.where(days <= time[:, None], course, 0)
    names = [f"S-{i:04d}" for i in range(n)]
    cmax, tmax = seen.max(axis=1), days[seen.argmax(axis=1)]
    metrics = {"CMAX": np.where(cmax > 0, cmax, np.nan), "TMAX": tmax}
    sources = make_sources(time, event, metrics, adpc=make_samples(names, course, time))
    return prepare(sources, metrics=["CMAX"], adjustments=["UNADJUSTED"],
                   primary_adjustment="UNADJUSTED")  # fmt: skip


def test_immortal_time_makes_the_naive_model_see_a_relation_that_is_not_there() -> None:
    study = make_immortal()
    naive = slope(run(study, metric="CMAX", population=NO_LANDMARK))
    assert naive.high < math.log(0.8) and naive.p < 1e-6
    for metric in ("CURRENT", "CMAXRUN", "AUCRUN"):
        changing = slope(run(study, metric=metric, model=TIMEDEP))
        assert changing.low < 0 < changing.high, metric


def test_the_landmark_leaves_out_who_cannot_have_the_exposure_yet() -> None:
    # The peak of who is there longer comes later: at the landmark nobody knows it.
    study = make_immortal()
    result = run(study, metric="CMAX")
    counts = result.rows.counts
    time = study.sources.adtte["AVAL"]
    assert counts["n_before"] == (time <= 28).sum() == counts["events_before"]
    assert counts["n_late"] > 0.5 * (time > 28).sum()
    early = replace(cell_of(study, "CMAX"), landmark=60.0)
    at_peak = time_to_event.run_cell(study, early, find_first_known(study))
    found = slope(at_peak)
    assert found.low < 0 < found.high


@pytest.mark.parametrize("metric", ["CMAXSITE", "EXPRATE"])
def test_no_metric_is_used_that_is_known_after_the_landmark_only(metric: str) -> None:
    tmax = np.where(np.arange(N) < 9, 40.0, 10.0)
    sources = make_sources(
        TIME, EVENT, {"AUC28": 2**LOG2, "TMAX": tmax, "EXPRATE": np.linspace(0.5, 2, N)}
    )
    site = pd.DataFrame(
        {
            "STUDYID": "S", "USUBJID": [f"S-{i:04d}" for i in range(N)] * 2, "PARAMCD": "PCR",
            "PARAM": "PCR", "COMPART": "TUMOUR", "COMPTYP": "SPECIMEN", "CENTFL": "N",
            "AFRLT": np.repeat([14.0, 60.0], N), "BLQFL": "N", "ANL01FL": "Y", "AVALU": "x",
            "AVAL": np.concatenate([np.full(N, 50.0), np.where(np.arange(N) < 9, 90.0, 20.0)]),
            "SRCDOM": "PC", "SRCROW": np.arange(2 * N),
        }
    )  # fmt: skip
    study = prepare(
        replace(sources, adtiss=conform(site, "ADTISS")), metrics=["AUC28", metric],
        target_site="TUMOUR",
    )  # fmt: skip
    counts = run(study, metric=metric).rows.counts
    assert counts["n_late"] == int((TIME[:9] > 28).sum()) > 0


def test_the_naive_model_is_never_primary_and_its_alternatives_stand_beside_it() -> None:
    study = prepare(SOURCES, primary=[{"endpoint": "PFS", "metric": "AUC28"}])
    cells = time_to_event.plan_cells(study)
    assert [c.population for c in cells if c.role == "PRIMARY"] == ["PRIMARY"]
    assert {c.role for c in cells if c.population == NO_LANDMARK} == {"SENSITIVITY"}
    assert {c.metric for c in cells if c.model == TIMEDEP} == {"CURRENT", "CMAXRUN", "AUCRUN"}
    assert all(c.landmark == 28 for c in cells if c.model == COX and c.population != NO_LANDMARK)
    off = prepare(SOURCES, time_to_event={"compare_without_landmark": False, "time_dependent": []})
    assert {(c.model, c.population) for c in time_to_event.plan_cells(off)} == {
        (COX, "PRIMARY"), (COX, "BLQ_HALF_LLOQ"),
    }  # fmt: skip


def test_an_area_to_a_later_day_has_that_day_as_its_landmark() -> None:
    study = prepare(SOURCES)
    endpoint = study.endpoints[0]
    assert [
        time_to_event.find_landmark(metric, endpoint, study)
        for metric in ("AUC28", "AUC84", "CMAX", "CLD7")
    ] == [28, 84, 28, 7]


def test_an_early_endpoint_has_the_concentration_of_an_early_landmark() -> None:
    names = [f"S-{i:04d}" for i in range(N)]
    course = 2 ** LOG2[:, None] * np.ones(len(SAMPLE_DAYS)) / 20
    adpc = make_samples(names, course, np.minimum(TIME, 30))
    sources = make_sources(
        np.minimum(TIME, 30), EVENT, {"AUC28": 2**LOG2}, endpoints={"NEUTREC": 0.0}, adpc=adpc
    )
    study = prepare(sources, endpoints=["NEUTREC"])
    cells = [c for c in time_to_event.plan_cells(study) if c.model == COX]
    assert {(c.metric, c.landmark) for c in cells if c.population == "PRIMARY"} == {("CLD7", 7)}
    rows = run(study, metric="CLD7").rows
    assert rows.counts["n_before"] == (TIME <= 7).sum()


def test_a_response_after_the_landmark_enters_at_its_origin_and_one_before_it_late() -> None:
    day = {"AUC28": 2**LOG2}
    early = prepare(make_sources(TIME, EVENT, day, endpoints={"DOR": 20.0}), endpoints=["DOR"])
    late = prepare(make_sources(TIME, EVENT, day, endpoints={"DOR": 60.0}), endpoints=["DOR"])
    first, second = run(early), run(late)
    assert set(first.rows.start) == {8.0} and first.rows.counts["n_before"] == (TIME <= 8).sum()
    assert np.isneginf(second.rows.start).all() and second.rows.counts["n_before"] == 0


def test_a_clock_that_counts_the_first_day_moves_the_landmark_with_it() -> None:
    shifted = SOURCES.adtte.assign(AVAL=SOURCES.adtte["AVAL"] + 1)
    study, later = prepare(SOURCES), prepare(replace(SOURCES, adtte=shifted))
    one, other = run(study), run(later)
    assert one.rows.counts == other.rows.counts
    assert slope(one).estimate == pytest.approx(slope(other).estimate, rel=1e-9)


@pytest.mark.parametrize("metric", ["AUC28", "CMAX"])
def test_subjects_in_are_subjects_used_and_left_out(metric: str) -> None:
    values = 2**LOG2
    values[:4] = [np.nan, np.nan, 0, 0]
    tmax = np.where(np.arange(N) % 7 == 0, 35.0, 10.0)
    burden = np.where(np.arange(N) % 11 == 0, np.nan, BURDEN)
    adtte = SOURCES.adtte.copy()
    adtte.loc[5, ["AVAL", "CNSR"]] = np.nan
    sources = make_sources(TIME, EVENT, {metric: values, "TMAX": tmax}, burden=burden)
    study = prepare(replace(sources, adtte=adtte), metrics=[metric])
    result = run(study, metric=metric, adjustment="TUMOUR_BURDEN")
    counts = result.rows.counts
    left = [name for name in counts if name.startswith("n_") and name != "n_er"]
    assert counts["n_er"] == N == result.rows.stop.size + sum(counts[name] for name in left)
    assert counts["n_blq"] == 2 and counts["n_nooutcome"] == 1 and counts["n_nocovariate"] > 0
    assert (counts["n_late"] > 0) == (metric == "CMAX")


@settings(max_examples=4, deadline=None)
@given(st.floats(0.2, 5), st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_units_of_time_and_exposure_order_and_names_leave_the_ratio(
    unit: float, scale: float, seed: int
) -> None:
    study = prepare(SOURCES)
    base = slope(run(study))
    order = np.random.default_rng(seed).permutation(N)
    other = make_sources(
        TIME[order] * unit, EVENT[order], {"AUC28": 2 ** LOG2[order] * scale}, burden=BURDEN[order]
    )
    later = prepare(other, time_to_event={"landmark": 28 * unit})
    cell = replace(cell_of(later), landmark=28 * unit)
    # Dates have whole days: the clock of fractions of a day is set to 0 by hand.
    found = slope(time_to_event.run_cell(later, cell, find_first_known(later)))
    assert found.estimate == pytest.approx(base.estimate, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((base.low, base.high), rel=1e-5)


def test_strata_have_hazards_of_their_own() -> None:
    from celldossier.stats.cox import estimate_cox

    group = np.where(np.arange(N) % 2, "ALL", "NHL")
    sources = make_sources(TIME, EVENT, {"AUC28": 2**LOG2}, indication=group)
    study = prepare(sources, time_to_event={"stratify_by": "INDIC"}, full_adjustment=["INDIC"],
                    adjustments=["UNADJUSTED", "FULL"])  # fmt: skip
    used = TIME > 28
    expected = estimate_cox(
        TIME[used], EVENT[used], LOG2[used], ["x"], stratum=group[used]
    ).estimates[0]
    assert slope(run(study)).estimate == pytest.approx(expected, rel=1e-9)
    # What makes the strata does not vary within them.
    assert run(study, adjustment="FULL").reason == "NOCOVAR"


def test_few_events_a_slope_choose_firth_beforehand() -> None:
    event = EVENT & (np.cumsum(EVENT & (TIME > 28)) <= 9)
    study = prepare(make_sources(TIME, event, {"AUC28": 2**LOG2}))
    found = run(study)
    assert (found.events, found.fit.method) == (9, "FIRTH")
    assert run(study, adjustment="TUMOUR_BURDEN").reason == "EPPLOW"


def test_a_monotone_likelihood_is_kept_by_firth_and_is_finite() -> None:
    log2 = np.arange(40, dtype=float)
    time = 30 + log2
    study = prepare(make_sources(time, np.full(40, True), {"AUC28": 2**log2}))
    results, output = collect(study)
    place = ("PFS", "PCR", {"metric": "AUC28", "adjustment": "UNADJUSTED", "population": "PRIMARY"})
    ratio = results.find("exposure_response.cox", *place, "hr")
    assert ratio.note_code == "MONOTFIX" and 0 < ratio.number < 1
    high = results.find("exposure_response.cox", *place, "hr_high")
    assert math.isfinite(high.number)
    method = next(o for o in output.outcomes if o.cell.population == "PRIMARY").method
    assert method == "COX_FIRTH"


def refused(reason: str, sources: Any = None, population: str = "PRIMARY", **named: Any) -> None:
    study = prepare(sources if sources is not None else SOURCES)
    result = run(study, population=population, **named)
    assert (result.fit, result.reason) == (None, reason)
    out = ResultCollector("exposure_response")
    outcome = collect_hazard(study, result, out)
    frame = out.frame()
    assert (outcome.method, outcome.reason) == ("NONE", reason)
    assert set(frame.loc[frame["value"].isna(), "note_code"]) == {reason}


def test_what_cannot_be_computed_has_a_reason() -> None:
    one = {"AUC28": 2**LOG2}
    events = np.flatnonzero(EVENT & (TIME > 28))
    refused("NOEVENT", make_sources(TIME, np.full(N, False), one))
    refused("FEWEVENT", make_sources(TIME, np.isin(np.arange(N), events[:1]), one))
    refused("CONSTANT", make_sources(TIME, EVENT, {"AUC28": np.full(N, 7.0)}))
    refused("NOSUBJ", make_sources(TIME, EVENT, {"AUC28": np.zeros(N)}))
    refused("NOSUBJ", make_sources(TIME, EVENT, {"AUC28": np.full(N, np.nan)}))
    refused("FEWEVENT", make_sources(TIME[:3], EVENT[:3], {"AUC28": 2 ** LOG2[:3]}))
    refused("BEFORELM", make_sources(np.full(N, 20.0), EVENT, one))
    refused("NOTCOLL", replace(SOURCES, adtte=SOURCES.adtte.iloc[:0]))
    collinear = make_sources(TIME, EVENT, one, burden=LOG2 + 0.01 * BURDEN)
    refused("COLLIN", collinear, adjustment="TUMOUR_BURDEN")
    missing = make_sources(TIME, EVENT, one, burden=np.full(N, np.nan))
    refused("NOCOVAR", missing, adjustment="TUMOUR_BURDEN")


def test_each_cell_has_its_row_and_each_missing_value_its_reason() -> None:
    names = [f"S-{i:04d}" for i in range(N)]
    adpc = make_samples(names, np.ones((N, len(SAMPLE_DAYS))) * 2 ** LOG2[:, None], TIME)
    sources = make_sources(
        TIME, EVENT, {"AUC28": 2**LOG2, "CMAX": 2**LOG2}, adpc=adpc, burden=BURDEN,
        endpoints={"PFS": 0.0, "DOR": 20.0, "PERSIST": 0.0},
    )  # fmt: skip
    study = prepare(sources, endpoints=["PFS", "DOR", "PERSIST", "OS"], metrics=["AUC28", "CMAX"])
    out = ResultCollector("exposure_response")
    cells = time_to_event.plan_cells(study)
    output = time_to_event.run_cells(study, cells, out)
    assert [o.cell for o in output.outcomes] == cells
    frame = out.frame()
    numbers = frame["value_text"].eq("")
    assert (frame.loc[numbers & frame["value"].isna(), "note_code"] != "").all()
    assert np.isfinite(frame["value"].dropna()).all()
    assert frame["value_id"].is_unique
    circular = [o for o in output.outcomes if o.cell.endpoint.code == "PERSIST"]
    assert {o.reason for o in circular if o.cell.model == TIMEDEP} == {"CIRCULAR"}
    assert {o.reason for o in output.outcomes if o.cell.endpoint.code == "OS"} == {"NOTCOLL"}
    assert pd.DataFrame(output.curves)["curve_id"].nunique() == 12


def test_who_has_a_competing_event_is_counted_and_censored() -> None:
    sources = make_sources(TIME, EVENT, {"AUC28": 2**LOG2}, competing="NEWTHERAPY")
    results, _ = collect(prepare(sources))
    place = {"metric": "AUC28", "adjustment": "UNADJUSTED", "population": "PRIMARY"}
    found = results.find("exposure_response.cox", "PFS", "PCR", place, "n_competing")
    assert found.number == (~EVENT & (TIME > 28)).sum() > 0
