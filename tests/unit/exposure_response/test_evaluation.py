"""Evaluation and sensitivity analyses of the primary models."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rescue_study import make_rescue_study, make_settings
from sklearn.metrics import roc_auc_score

from celldossier.datasets import conform
from celldossier.exposure_response import sensitivity
from celldossier.exposure_response.evaluation import (
    collect_evaluation,
    restricted_cubic_term,
    run_evaluated,
)
from celldossier.exposure_response.leave_out import collect_leave_out
from celldossier.exposure_response.ordinal_evaluation import collect_ordinal_evaluation
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.evaluation import EvaluationSettings
from celldossier.stats.logistic import estimate_logistic

MODEL = {"metric": "CMAX", "adjustment": "TUMOUR_BURDEN", "population": "PRIMARY"}


def collect(study: Study) -> tuple[AnalysisResults, list[dict[str, object]]]:
    out = ResultCollector("exposure_response")
    results = run_evaluated(study)
    curves = collect_evaluation(study, results, out)
    collect_leave_out(study, results, out)
    sensitivity.run_cells(study, sensitivity.plan_cells(study), out)
    return AnalysisResults([out.frame()]), curves


@pytest.fixture(scope="module")
def study() -> Study:
    return make_rescue_study(n=120, seed=11)


@pytest.fixture(scope="module")
def collected(study):
    return collect(study)


@pytest.fixture(scope="module")
def values(collected) -> AnalysisResults:
    return collected[0]


def find(values: AnalysisResults, analysis: str, endpoint: str, stat: str, **by: str):
    found = values.find(f"exposure_response.{analysis}", endpoint, "PCR", by, stat)
    assert found is not None, (analysis, endpoint, stat, by)
    return found


def test_the_area_is_that_of_scikit_learn_and_optimism_takes_something_off(study, values) -> None:
    ader = study.ader
    design = np.column_stack([np.log2(ader["CMAX"]), ader["LTBURDZ"]])
    event = (ader["CRSGR"] >= 2).astype(float).to_numpy()
    fit = estimate_logistic(event, design, ["x", "z"], "ML", tested=[])
    area = find(values, "evaluation", "CRSGE2", "auc", **MODEL).number
    assert area == pytest.approx(roc_auc_score(event, fit.fitted), abs=1e-9)
    brier = find(values, "evaluation", "CRSGE2", "brier", **MODEL).number
    assert brier == pytest.approx(float(((event - fit.fitted) ** 2).mean()), abs=1e-9)
    assert find(values, "evaluation", "CRSGE2", "auc_corrected", **MODEL).number < area
    assert find(values, "evaluation", "CRSGE2", "brier_corrected", **MODEL).number > brier
    assert find(values, "evaluation", "CRSGE2", "slope", **MODEL).number == pytest.approx(1)
    assert find(values, "evaluation", "CRSGE2", "slope_corrected", **MODEL).number < 1


def test_the_subject_that_does_not_fit_is_named() -> None:
    ordinary = make_rescue_study(n=120, seed=11)
    ader = ordinary.ader.copy()
    row = int(ader["CMAX"].idxmax())
    # The greatest exposure of all, without any toxicity.
    ader.loc[row, ["CMAX", "CRSGR"]] = [1e8, 0.0]
    aderend = ordinary.aderend.copy()
    name = ader.loc[row, "USUBJID"]
    aderend.loc[(aderend["USUBJID"] == name) & (aderend["PARAMCD"] == "CRSGE2"), "AVAL"] = 0.0
    values, _ = collect(replace(ordinary, ader=ader, aderend=aderend))
    listed = find(values, "evaluation", "CRSGE2", "influential", **MODEL).text
    assert listed.startswith(name)
    assert find(values, "evaluation", "CRSGE2", "deviance_subject", **MODEL).text == name
    number = find(values, "evaluation", "CRSGE2", "n_influential", **MODEL).number
    assert number == len(listed.split(";"))
    # Without this subject the odds ratio is the largest of all that leave one out.
    assert f"{find(values, 'evaluation', 'CRSGE2', 'or_max', **MODEL).number:.3g}" in listed


def test_groups_and_points_of_the_figure_are_the_same_subjects(study, collected) -> None:
    values, curves = collected
    rows = values.select("exposure_response.calibration_group")
    counts = rows[(rows["variable"] == "CRSGE2") & (rows["stat_name"] == "n")]["value"]
    assert counts.sum() == len(study.ader)
    points = [
        row for row in curves
        if row["curve_id"] == "exposure_response.calibration/CRSGE2/CMAX"
        and row["kind"] == "observed"
    ]  # fmt: skip
    assert sorted(p["n"] for p in points) == sorted(counts)
    line = [row for row in curves if row["kind"] == "fit"]
    assert all(0 < row["y"] < 1 for row in line)


def test_a_relation_that_bends_is_seen_by_the_spline() -> None:
    straight = make_rescue_study(n=300, seed=5)
    x = np.log2(straight.ader["CMAX"].to_numpy())
    z = (x - x.mean()) / x.std()
    rng = np.random.default_rng(8)
    bent = (rng.random(300) < 1 / (1 + np.exp(-(1.5 - 2 * z**2)))).astype(float)
    aderend = straight.aderend.copy()
    aderend.loc[aderend["PARAMCD"] == "CRSGE2", "AVAL"] = bent
    place = ("evaluation", "CRSGE2", "linearity_p")
    assert find(collect(straight)[0], *place, **MODEL).number > 0.01
    found, _ = collect(replace(straight, aderend=aderend))
    assert find(found, *place, **MODEL).number < 1e-4
    assert find(found, "evaluation", "CRSGE2", "residual_p", **MODEL).number < 0.05


def test_the_spline_term_is_cubic_between_and_straight_beyond_the_knots() -> None:
    x = np.linspace(0, 10, 201)
    term = restricted_cubic_term(x, (0.2, 0.5, 0.8))
    assert term is not None
    assert (term[x < 2] == 0).all()
    beyond = np.diff(term[x > 8.1], 2)
    assert np.abs(beyond).max() < 1e-9
    assert restricted_cubic_term(np.repeat([1.0, 2.0], 50), (0.1, 0.3, 0.4)) is None


def test_a_penalised_model_has_no_test_that_is_not_defined_for_it() -> None:
    few = make_rescue_study(n=60, seed=13, settings=make_settings(firth_below=1000))
    values, _ = collect(few)
    assert find(values, "evaluation", "CRSGE2", "model", **MODEL).text == "FIRTH"
    for stat in ("gof_p", "residual_p"):
        assert find(values, "evaluation", "CRSGE2", stat, **MODEL).note_code == "PENALFIT"
    assert find(values, "evaluation", "CRSGE2", "auc_corrected", **MODEL).number > 0.5


def test_a_refused_model_is_evaluated_with_its_reason() -> None:
    nobody = make_rescue_study(n=60, seed=13, ICANSGR=0.0)
    values, _ = collect(nobody)
    for stat in ("auc", "slope_corrected", "gof_p", "or_min"):
        assert find(values, "evaluation", "ICANSGE2", stat, **MODEL).note_code == "NOEVENT"
    by = {"metric": "CMAX", "factor": "SITEID", "level": "01"}
    assert find(values, "leave_out", "ICANSGE2", "or", **by).note_code == "NOEVENT"


def test_without_a_site_the_model_is_that_of_the_other_subjects(study, values) -> None:
    site = study.sources.adsl.set_index(KEY)["SITEID"]
    kept = (site.reindex(pd.MultiIndex.from_frame(study.ader[KEY])) != "01").to_numpy()
    ader = study.ader[kept]
    design = np.column_stack([np.log2(ader["CMAX"]), ader["LTBURDZ"]])
    fit = estimate_logistic((ader["CRSGR"] >= 2).astype(float), design, ["x", "z"], "ML")
    by = {"metric": "CMAX", "factor": "SITEID", "level": "01"}
    found = find(values, "leave_out", "CRSGE2", "or", **by).number
    assert math.log(found) == pytest.approx(fit.coefficients[0].estimate, abs=1e-7)
    left = find(values, "leave_out", "CRSGE2", "n_left_out", **by).number
    assert left == (~kept).sum()
    alone = {"metric": "CMAX", "factor": "STUDYID", "level": "S"}
    assert find(values, "leave_out", "CRSGE2", "or", **alone).note_code == "ONELEVEL"


def test_a_cut_of_the_grades_is_judged_where_it_has_enough_events(study) -> None:
    out = ResultCollector("exposure_response")
    collect_ordinal_evaluation(study, out)
    values = AnalysisResults([out.frame()])
    by = {"metric": "CMAX", "adjustment": "TUMOUR_BURDEN"}
    event = (study.ader["CRSGR"] >= 2).to_numpy()
    area = find(values, "ordinal_cut", "CRSGR", "auc", grade="GE2", **by).number
    assert 0.6 < area < 0.95
    share = find(values, "ordinal_cut", "CRSGR", "pct", grade="GE2", **by).number
    assert share == pytest.approx(100 * event.mean())
    low, whole, high = (
        find(values, "ordinal_influence", "CRSGR", stat, **by).number
        for stat in ("or_min", "or", "or_max")
    )
    assert low < whole < high


def sensitivity_of(values: AnalysisResults, population: str, stat: str, **by: str):
    place = {**MODEL, "population": population, **by}
    return find(values, "sensitivity", "CRSGE2", stat, **place)


def test_without_outliers_the_subjects_far_from_the_median_are_gone() -> None:
    study = make_rescue_study(n=100, seed=17)
    ader = study.ader.copy()
    ader.loc[:1, "CMAX"] = [1e-3, 1e12]
    values, _ = collect(replace(study, ader=ader))
    assert sensitivity_of(values, "OUTLIER_REMOVED", "n").number == 98
    assert sensitivity_of(values, "OUTLIER_REMOVED", "n_primary").number == 100
    assert sensitivity_of(values, "OUTLIER_REMOVED", "or").number > 1


def test_where_nobody_is_far_off_the_analysis_says_so(values) -> None:
    assert sensitivity_of(values, "OUTLIER_REMOVED", "or").note_code == "NOOUTLIER"


def test_subjects_dosed_outside_the_window_are_left_out() -> None:
    study = make_rescue_study(n=100, seed=19)
    keys = study.ader[["STUDYID", "USUBJID"]]
    adex = keys.assign(
        EXCAT="CELL PRODUCT", EXTRT="CELLS", DOSENO=1, DOSETYPE="", AFRLT=0.0, SRCDOM="EX",
        SRCROW=np.arange(1, 101), ADTM="2026-01-01T08:00", INWINFL=["N", *["Y"] * 98, ""],
    )  # fmt: skip
    # Of a later infusion that is no planned one the window says nothing.
    later = adex.iloc[[5]].assign(DOSENO=2, DOSETYPE="RETREATMENT", INWINFL="N", SRCROW=200)
    adex = conform(pd.concat([adex, later], ignore_index=True), "ADEX")
    values, _ = collect(replace(study, sources=replace(study.sources, adex=adex)))
    assert sensitivity_of(values, "DOSE_IN_WINDOW", "n").number == 99
    assert sensitivity_of(values, "DOSE_IN_WINDOW", "or").number > 1
    inside = replace(study.sources, adex=adex.assign(INWINFL="Y"))
    values, _ = collect(replace(study, sources=inside))
    assert sensitivity_of(values, "DOSE_IN_WINDOW", "or").note_code == "NOOUTDOSE"
    nothing = replace(study.sources, adex=adex.assign(INWINFL=""))
    values, _ = collect(replace(study, sources=nothing))
    assert sensitivity_of(values, "DOSE_IN_WINDOW", "or").note_code == "NODOSEWIN"


def test_ranks_hold_subjects_that_were_never_quantifiable() -> None:
    study = make_rescue_study(n=100, seed=19)
    ader = study.ader.copy()
    ader.loc[:4, "CMAX"] = 0.0
    values, _ = collect(replace(study, ader=ader))
    assert sensitivity_of(values, "RANK", "n").number == 100
    assert sensitivity_of(values, "RANK", "n_primary").number == 95
    # Ranks do not change where every exposure is raised to a power.
    powered = ader.assign(CMAX=ader["CMAX"] ** 3)
    again, _ = collect(replace(study, ader=powered))
    assert sensitivity_of(again, "RANK", "or").number == pytest.approx(
        sensitivity_of(values, "RANK", "or").number, rel=1e-9
    )


def test_strata_are_compared_within_and_one_site_is_no_stratum(values) -> None:
    found = sensitivity_of(values, "STRATIFIED_SITEID", "or")
    assert found.number > 1
    assert sensitivity_of(values, "STRATIFIED_SITEID", "model").text == "CONDITIONAL"
    assert sensitivity_of(values, "STRATIFIED_MFGSITE", "or").note_code == "ONELEVEL"


def test_a_site_that_carries_the_outcome_does_not_carry_the_stratified_ratio() -> None:
    rng = np.random.default_rng(23)
    n = 300
    site = np.where(np.arange(n) % 2 == 0, "01", "02")
    shift = np.where(site == "01", 1.5, -1.5)
    # Exposure and toxicity differ between the sites; within a site they are unrelated.
    peak = np.exp(9 + shift + rng.normal(0, 0.7, n))
    toxic = rng.random(n) < 1 / (1 + np.exp(-shift))
    mixed = make_rescue_study(n=n, seed=2, CMAX=peak, CRSGR=np.where(toxic, 2.0, 0.0), SITEID=site)
    values, _ = collect(mixed)
    plain = estimate_logistic(toxic.astype(float), np.log2(peak), ["x"], "ML")
    assert plain.coefficients[0].low > 0.2
    low, high = (
        sensitivity_of(values, "STRATIFIED_SITEID", stat).number for stat in ("or_low", "or_high")
    )
    assert low < 1 < high


def test_the_ratio_to_burden_divides_by_it(study, values) -> None:
    ader = study.ader
    ratio = np.log2(ader["CMAX"]) - np.log2(np.exp(ader["LTBURDZ"]))
    fit = estimate_logistic((ader["CRSGR"] >= 2).astype(float), ratio, ["x"], "ML")
    found = sensitivity_of(values, "PER_BURDEN", "or", adjustment="UNADJUSTED")
    assert math.log(found.number) == pytest.approx(fit.coefficients[0].estimate, abs=1e-7)


def test_another_analyte_that_was_not_measured_says_so(values) -> None:
    assert sensitivity_of(values, "OTHER_ANALYTE", "or").note_code == "NOTCOLL"


def test_no_model_has_an_indicator_of_subjects_below_the_limit(study) -> None:
    out = ResultCollector("exposure_response")
    output = sensitivity.run_cells(study, sensitivity.plan_cells(study), out)
    names = {name for outcome in output.outcomes for name in outcome.covariates}
    assert names <= {"LTBURDZ"}


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(study) -> None:
    light = EvaluationSettings(resamples=60, residual_draws=100)
    other = light.model_copy(update={"seed": 1})
    frames = []
    for chosen in (light, light, other):
        out = ResultCollector("exposure_response")
        changed = replace(study, settings=make_settings(evaluation=chosen))
        collect_evaluation(changed, run_evaluated(changed), out)
        frames.append(out.frame())
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert not frames[0]["value"].equals(frames[2]["value"])


def test_all_models_are_evaluated_on_demand(study) -> None:
    light = EvaluationSettings(models="ALL", resamples=50, residual_draws=100)
    changed = replace(study, settings=make_settings(evaluation=light))
    out = ResultCollector("exposure_response")
    start = time.process_time()
    collect_evaluation(changed, run_evaluated(changed), out)
    assert time.process_time() - start < 15
    rows = AnalysisResults([out.frame()]).select("exposure_response.evaluation")
    models = set(zip(rows["variable"], rows["level1"], rows["level2"], rows["level3"], strict=True))
    assert ("CRSGE2", "UNADJUSTED", "AUC28", "PRIMARY") in models
    assert len(models) > 10


def test_nothing_is_infinite_and_every_gap_has_a_reason(values) -> None:
    frame = values.frame
    assert not np.isinf(frame["value"].to_numpy(dtype=float)).any()
    empty = frame["value"].isna() & (frame["value_text"] == "")
    assert (frame.loc[empty, "note_code"] != "").all()
