from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from celldossier.errors import ConfigError
from celldossier.exposure_response.ader import derive_ader
from celldossier.exposure_response.binary import run_cell
from celldossier.exposure_response.covariates import collect_forest
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.observed import assign_bins
from celldossier.exposure_response.plan import make_plan, select_subjects
from celldossier.exposure_response.stage import ExposureResponse, analyse_exposure_response
from celldossier.io.resources import read_resource
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.exposure_response import Covariate, ExposureResponseSettings
from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.ratio import estimate_ratio

SETTINGS = ExposureResponseSettings()
LIGHT = ExposureResponseSettings.model_validate(
    {
        "metrics": ["CMAX"],
        "endpoints": ["CRSGE2", "ICANSGE2"],
        "primary": [{"endpoint": "CRSGE2", "metric": "CMAX"}],
        "adjustments": ["TUMOUR_BURDEN", "UNADJUSTED"],
        "landmarks": [],
        "forest_metrics": ["CMAX"],
        "covariates": [{"variable": "SEX", "kind": "categorical"}],
    }
)
COUNTS = ("n_nooutcome", "n_onset", "n_noexposure", "n_blq", "n_nocovariate")


@pytest.fixture(scope="module")
def output(study) -> ExposureResponse:
    return analyse_exposure_response(**study.frames(), settings=SETTINGS)


@pytest.fixture(scope="module")
def values(output: ExposureResponse) -> AnalysisResults:
    return AnalysisResults([output.results])


def number(values: AnalysisResults, analysis: str, variable: str, stat: str, **by: str) -> float:
    found = values.find(f"exposure_response.{analysis}", variable, "PCR", by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found.number


PRIMARY = {"metric": "CMAX", "adjustment": "TUMOUR_BURDEN", "population": "PRIMARY"}


def test_the_odds_ratio_is_per_doubling_and_adjusted(output, values) -> None:
    ader = output.ader
    design = np.column_stack([np.log2(ader["CMAX"]), ader["LTBURDZ"]])
    event = (ader["CRSGR"] >= 2).astype(float)
    model = values.find("exposure_response.logistic", "CRSGE2", "PCR", PRIMARY, "model")
    assert model is not None
    fit = estimate_logistic(event, design, ["x", "b"], model.text)
    assert number(values, "logistic", "CRSGE2", "or", **PRIMARY) == pytest.approx(
        math.exp(fit.coefficient("x").estimate), rel=1e-12
    )
    assert number(values, "logistic", "CRSGE2", "events", **PRIMARY) == event.sum()


def test_every_subject_is_used_or_counted_with_its_reason(output, values) -> None:
    for cell in make_plan(SETTINGS, read_endpoints(SETTINGS.endpoints)):
        parts = [number(values, "logistic", cell.endpoint.code, s, **cell.by) for s in COUNTS]
        n = number(values, "logistic", cell.endpoint.code, "n", **cell.by)
        assert n + sum(parts) == number(values, "logistic", cell.endpoint.code, "n_er", **cell.by)


def test_every_cell_of_the_plan_is_run_or_refused_with_a_known_reason(values) -> None:
    known = read_resource("terms", "reason_codes.yaml")
    plan = values.select("exposure_response.plan")
    status = plan.loc[plan["stat_name"] == "status", "value_text"].value_counts()
    reasons = plan.loc[plan["stat_name"] == "reason", "value_text"]
    assert status["REFUSED"] == len(reasons) and status["RUN"] > 20
    assert set(reasons) <= set(known)
    notes = set(values.frame["note_code"]) - {""}
    assert notes <= set(known)


def test_the_unknown_are_non_responders_first_and_left_out_second(values) -> None:
    by = {"metric": "AUC28", "adjustment": "UNADJUSTED"}
    first = number(values, "logistic", "OBJRESP", "n", population="PRIMARY", **by)
    second = number(values, "logistic", "OBJRESP", "n", population="UNKNOWN_EXCLUDED", **by)
    assert (first, second) == (60, 54)


def test_a_landmark_model_has_only_subjects_without_an_onset_until_their_sample(output) -> None:
    ader = output.ader
    (endpoint,) = read_endpoints(["CRSGE2"])
    cells = [c for c in make_plan(SETTINGS, [endpoint]) if c.metric == "CLD3"]
    chosen = select_subjects(ader, cells[0], SETTINGS)
    free = ~(ader["CRSONDY"] <= 3.05)
    assert chosen.event.size == free.sum() < len(ader)
    assert chosen.counts["n_onset"] == len(ader) - free.sum()
    assert chosen.exposure == pytest.approx(np.log2(ader.loc[free, "CLD3"]))


def test_fewer_than_eight_events_are_descriptive_with_fisher_only(study) -> None:
    adae = study.adae.assign(ATOXGRN=1)
    adae.loc[adae.index[:5], "ATOXGRN"] = 3
    values = AnalysisResults(
        [analyse_exposure_response(**study.change(adae=adae).frames(), settings=LIGHT).results]
    )
    by = {"metric": "CMAX", "population": "PRIMARY"}
    model = values.find("exposure_response.logistic", "CRSGE2", "PCR", PRIMARY, "or")
    assert model is not None and math.isnan(model.number) and model.note_code == "FEWEVENT"
    assert 0 < number(values, "fisher", "CRSGE2", "p", **by) <= 1
    assert number(values, "fisher", "CRSGE2", "n_high", **by) == 30
    none = values.find("exposure_response.logistic", "ICANSGE2", "PCR", PRIMARY, "or")
    assert none is not None and none.note_code == "NOEVENT"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda ader: ader.assign(LTBURDZ=math.nan), "NOCOVAR"),
        (lambda ader: ader.assign(CMAX=math.nan), "NOSUBJ"),
        (lambda ader: ader.assign(LTBURDZ=np.log(ader["CMAX"])), "COLLIN"),
        (lambda ader: ader.assign(CMAX=500.0), "CONSTANT"),
        (lambda ader: ader.assign(CRSGR=math.nan, CMAX=math.nan), "NOTCOLL"),
        (lambda ader: ader.assign(CRSGR=math.nan), "NOTCOLL"),
        (lambda ader: ader.assign(CRSGR=4.0), "ALLEVENT"),
        (lambda ader: ader.assign(CRSGR=np.where(np.arange(60) < 9, 3.0, 0.0)), "EPPLOW"),
    ],
)
def test_a_model_that_cannot_be_is_refused_with_its_reason(output, change, reason) -> None:
    (endpoint,) = read_endpoints(["CRSGE2"])
    cell = next(c for c in make_plan(SETTINGS, [endpoint]) if c.by == PRIMARY)
    assert run_cell(output.ader, cell, SETTINGS).fit is not None
    result = run_cell(change(output.ader), cell, SETTINGS)
    assert result.fit is None and result.reason == reason and math.isnan(result.p)


def test_separated_data_keep_firth_and_say_so(study, output) -> None:
    cmax = output.ader.set_index("USUBJID")["CMAX"]
    high = cmax.index[cmax > cmax.median()]
    adae = study.adae.iloc[:1].loc[lambda d: d.index.repeat(len(high))].reset_index(drop=True)
    adae = adae.assign(USUBJID=high, ATOXGRN=3, SRCROW=np.arange(1, len(high) + 1))
    values = AnalysisResults(
        [analyse_exposure_response(**study.change(adae=adae).frames(), settings=LIGHT).results]
    )
    found = values.find("exposure_response.logistic", "CRSGE2", "PCR", PRIMARY, "or")
    assert found is not None and found.note_code == "SEPARFIX" and math.isfinite(found.number)
    assert number(values, "logistic", "CRSGE2", "separation", **PRIMARY) == 1
    assert math.isfinite(number(values, "logistic", "CRSGE2", "or_high", **PRIMARY))


def test_the_never_quantifiable_enter_the_sensitivity_analysis_only(study) -> None:
    adpp = study.adpp.copy()
    never = adpp["USUBJID"].isin(["S-010", "S-011"])
    adpp.loc[never, "AVAL"] = adpp.loc[never, "PARAMCD"].map(
        {"CMAX": 0.0, "AUC28": 0.0, "CMAXTMAX": math.nan}
    )
    values = AnalysisResults(
        [analyse_exposure_response(**study.change(adpp=adpp).frames(), settings=LIGHT).results]
    )
    sensitivity = {**PRIMARY, "population": "BLQ_HALF_LLOQ"}
    assert number(values, "logistic", "CRSGE2", "n", **PRIMARY) == 58
    assert number(values, "logistic", "CRSGE2", "n_blq", **PRIMARY) == 2
    assert number(values, "logistic", "CRSGE2", "n", **sensitivity) == 60
    assert math.isfinite(number(values, "logistic", "CRSGE2", "or", **sensitivity))


def test_q_values_stay_within_the_family_and_leave_sensitivity_analyses_out(values) -> None:
    rows = values.select("exposure_response.multiplicity")
    wide = rows.pivot_table(
        index=["variable", "level1", "level2", "level3"], columns="stat_name", values="value"
    )
    assert (wide["q"].dropna() >= wide["p"][wide["q"].notna()] - 1e-15).all()
    by = {"metric": "CLD3", "adjustment": "UNADJUSTED", "population": "LANDMARK"}
    found = values.find("exposure_response.multiplicity", "CRSGE2", "PCR", by, "q")
    assert found is not None and found.note_code in ("SENSANAL", "FEWEVENT")
    text = values.find("exposure_response.multiplicity", "CRSGE2", "PCR", PRIMARY, "prespecified")
    assert text is not None and text.text == "Y"


def test_bins_shrink_until_each_holds_enough_subjects() -> None:
    x = np.arange(60.0)
    assert assign_bins(x, 4, 10)[1] == 4
    assert assign_bins(x[:35], 4, 10)[1] == 3
    assert assign_bins(x[:25], 4, 10)[1] == 2
    assert assign_bins(x[:15], 4, 10)[1] == 0
    group, k = assign_bins(np.repeat([1.0, 2.0], 20), 4, 10)
    assert k == 2 and (group == np.repeat([0, 1], 20)).all()


def test_observed_rates_add_up_to_the_subjects_and_events_of_the_model(values) -> None:
    bins = [f"Q{i}" for i in range(1, 5)]
    assert number(values, "quartiles", "CRSGE2", "bins", metric="CMAX") == 4
    for stat in ("n", "events"):
        parts = [number(values, "quartiles", "CRSGE2", stat, metric="CMAX", bin=b) for b in bins]
        whole = number(
            values, "logistic", "CRSGE2", stat, **{**PRIMARY, "adjustment": "UNADJUSTED"}
        )
        assert sum(parts) == whole


def test_the_curve_is_the_unadjusted_model_with_its_band(output) -> None:
    curve = output.curves.query("curve_id == 'exposure_response.probability/CRSGE2/CMAX'")
    fit, observed = curve[curve["kind"] == "fit"], curve[curve["kind"] == "observed"]
    assert len(fit) == 101 and len(observed) == 4
    assert fit["x"].min() == pytest.approx(np.log2(output.ader["CMAX"].min()))
    for rows in (fit, observed):
        assert ((rows["low"] <= rows["y"]) & (rows["y"] <= rows["high"])).all()
        assert rows[["low", "high"]].stack().between(0, 1).all()
    assert fit["y"].is_monotonic_increasing and set(curve["x_unit"]) == {"log2(copies/ug)"}


def test_the_ratio_by_response_is_with_the_event_over_without(output, values) -> None:
    ader = output.ader
    by = {"endpoint": "CRSGE2", "population": "PRIMARY"}
    expected = estimate_ratio(
        ader.loc[ader["CRSGR"] >= 2, "CMAX"], ader.loc[ader["CRSGR"] < 2, "CMAX"], 0.90
    )
    assert number(values, "ratio_by_response", "CMAX", "gmr", **by) == expected.ratio
    assert number(values, "ratio_by_response", "CMAX", "gmr_high", **by) == expected.high
    assert expected.ratio > 1


def test_grades_with_fewer_than_three_subjects_list_their_values(study) -> None:
    adae = study.adae.assign(ATOXGRN=1)
    adae.loc[adae.index[:2], "ATOXGRN"] = 4
    values = AnalysisResults(
        [analyse_exposure_response(**study.change(adae=adae).frames(), settings=LIGHT).results]
    )
    by = {"endpoint": "CRSGR", "grade": "4"}
    found = values.find("exposure_response.grade_summary", "CMAX", "PCR", by, "values")
    assert found is not None and found.text.count(";") == 1
    assert (
        values.find(
            "exposure_response.grade_summary", "CMAX", "PCR", {**by, "grade": "1"}, "values"
        )
        is None
    )


def test_the_ordinal_model_stands_with_its_test_and_separate_fits(values) -> None:
    by = {"metric": "CMAX", "adjustment": "UNADJUSTED"}
    assert number(values, "ordinal", "CRSGR", "or", **by) > 1
    assert 0 < number(values, "ordinal", "CRSGR", "po_p", **by) <= 1
    verdict = values.find("exposure_response.ordinal", "CRSGR", "PCR", by, "po_verdict")
    assert verdict is not None and verdict.text in ("NOT_REJECTED", "REJECTED")
    for cut in ("GE1", "GE2"):
        assert number(values, "cumulative", "CRSGR", "or", grade=cut, **by) > 1
    none = values.find("exposure_response.ordinal", "ICANSGR", "PCR", by, "or")
    assert none is not None and none.note_code == "TWOLEVEL"


def test_the_forest_compares_each_level_with_the_most_frequent_one(output, values) -> None:
    ader = output.ader
    by = {"covariate": "SEX", "level": "F"}
    female = np.log(ader.loc[ader["SEX"] == "F", "CMAX"]).mean()
    male = np.log(ader.loc[ader["SEX"] == "M", "CMAX"]).mean()
    assert number(values, "covariate_forest", "CMAX", "gmr", **by) == pytest.approx(
        math.exp(female - male), rel=1e-12
    )
    assert number(values, "covariate_forest", "CMAX", "n", **by) == (ader["SEX"] == "F").sum()
    alone = {"covariate": "PROCESS", "level": "A"}
    found = values.find("exposure_response.covariate_forest", "CMAX", "PCR", alone, "gmr")
    assert found is not None and found.note_code == "ONELEVEL"
    absent = {"covariate": "TARGBL", "level": "P90_VS_P10"}
    found = values.find("exposure_response.covariate_forest", "CMAX", "PCR", absent, "gmr")
    assert found is not None and found.note_code == "NOTCOLL"


def test_a_level_with_fewer_than_three_subjects_has_no_ratio(study) -> None:
    adsl = study.adsl.copy()
    adsl.loc[adsl.index[:2], "SEX"] = "U"
    values = AnalysisResults(
        [analyse_exposure_response(**study.change(adsl=adsl).frames(), settings=LIGHT).results]
    )
    by = {"covariate": "SEX", "level": "U"}
    found = values.find("exposure_response.covariate_forest", "CMAX", "PCR", by, "gmr")
    assert found is not None and found.note_code == "FEWLEVEL"
    assert number(values, "covariate_forest", "CMAX", "n", **by) == 2


def test_the_ratio_of_rescue_medication_always_carries_its_caveat(values) -> None:
    for metric in SETTINGS.metrics:
        for stat in ("gmr", "gmr_low", "gmr_high"):
            by = {"term": "TOCILIZUMAB"}
            found = values.find("exposure_response.rescue_ratio", metric, "PCR", by, stat)
            assert found is not None and found.note_code == "CONFOUND" and found.number > 0


def test_the_order_of_the_rows_changes_nothing(study) -> None:
    shuffled = {
        name: frame.sample(frac=1, random_state=3) for name, frame in study.frames().items()
    }
    first = analyse_exposure_response(**study.frames(), settings=LIGHT)
    again = analyse_exposure_response(**shuffled, settings=LIGHT)
    pd.testing.assert_frame_equal(again.ader, first.ader)
    pd.testing.assert_frame_equal(again.results, first.results, rtol=1e-6)


def test_a_study_without_any_outcome_gives_reasons_and_no_curve(study) -> None:
    bare = study.change(
        adae=study.adae.iloc[:0], adrs=study.adrs.iloc[:0], adcm=study.adcm.iloc[:0]
    )
    found = analyse_exposure_response(**bare.frames(), settings=SETTINGS)
    assert found.curves.empty
    reasons = found.results.query("stat_name == 'reason'")["value_text"]
    assert set(reasons) == {"NOTCOLL"}


def test_two_metrics_never_share_a_model() -> None:
    with pytest.raises(ValidationError, match="collinear"):
        ExposureResponseSettings(full_adjustment=("LTBURDZ", "AUC28"))


def test_unknown_endpoints_and_covariates_are_errors_of_the_config(study) -> None:
    with pytest.raises(ConfigError, match="CRSGE9"):
        read_endpoints(["OBJRESP", "CRSGE9"])
    settings = ExposureResponseSettings(
        covariates=(
            Covariate(variable="HAIR", kind="categorical"),
            Covariate(variable="SEX", kind="continuous"),
        )
    )
    ader = derive_ader(**study.frames(), settings=settings)
    with pytest.raises(ConfigError) as error:
        collect_forest(ader, settings, ResultCollector("exposure_response"))
    assert len(error.value.faults) == 2
