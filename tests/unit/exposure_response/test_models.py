from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from celldossier.errors import ConfigError
from celldossier.exposure_response import grades
from celldossier.exposure_response.ader import derive_ader
from celldossier.exposure_response.binary import plan_cells
from celldossier.exposure_response.binary_fits import run_cell
from celldossier.exposure_response.covariates import collect_forest
from celldossier.exposure_response.endpoint_values import derive_endpoints
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.observed import assign_bins
from celldossier.exposure_response.plan import ModelOutcome, PlanCell, Selection, select_subjects
from celldossier.exposure_response.plan_results import collect_multiplicity
from celldossier.exposure_response.stage import (
    ExposureResponse,
    analyse_exposure_response,
    prepare_study,
)
from celldossier.exposure_response.study import Sources
from celldossier.io.resources import read_resource
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.covariates import Covariate, CovariateModels
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.association import test_jonckheere as jonckheere
from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.ratio import estimate_ratio

NAMES = tuple(field.name for field in fields(Sources))
SETTINGS = ExposureResponseSettings(
    # Fewer samples than a study takes: these tests are of other things.
    covariate_models=CovariateModels(bootstrap_samples=50, selection_pairs=10)
)
LIGHT = ExposureResponseSettings.model_validate(
    {
        "metrics": ["CMAX"],
        "endpoints": ["CRSGE2", "ICANSGE2", "CRSGR", "ICANSGR"],
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
    return analyse_exposure_response(study.sources, SETTINGS)


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


def test_every_subject_is_used_or_counted_with_its_reason(study, values) -> None:
    for cell in plan_cells(prepare_study(study.sources, SETTINGS)):
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


def test_a_landmark_model_has_only_subjects_without_an_onset_until_their_sample(
    study, output
) -> None:
    ader = output.ader
    prepared = prepare_study(study.sources, SETTINGS)
    cells = [c for c in plan_cells(prepared) if (c.endpoint.code, c.metric) == ("CRSGE2", "CLD3")]
    chosen = select_subjects(prepared, cells[0])
    free = ~(ader["CRSONDY"] <= 3.05)
    assert chosen.event.size == free.sum() < len(ader)
    assert chosen.counts["n_onset"] == len(ader) - free.sum()
    assert chosen.exposure == pytest.approx(np.log2(ader.loc[free, "CLD3"]))


def test_fewer_than_eight_events_are_descriptive_with_fisher_only(study) -> None:
    adae = study.adae.assign(ATOXGRN=1)
    adae.loc[adae.index[:5], "ATOXGRN"] = 3
    values = AnalysisResults([analyse_exposure_response(study.change(adae=adae), LIGHT).results])
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
def test_a_model_that_cannot_be_is_refused_with_its_reason(study, change, reason) -> None:
    prepared = prepare_study(study.sources, SETTINGS)
    cells = plan_cells(prepared)
    cell = next(c for c in cells if c.endpoint.code == "CRSGE2" and c.by == PRIMARY)
    assert run_cell(prepared, cell).fit is not None
    ader = change(prepared.ader)
    aderend = derive_endpoints(study.sources, ader, prepared.endpoints)
    result = run_cell(replace(prepared, ader=ader, aderend=aderend), cell)
    assert result.fit is None and result.reason == reason and math.isnan(result.outcome.p)


def test_separated_data_keep_firth_and_say_so(study, output) -> None:
    cmax = output.ader.set_index("USUBJID")["CMAX"]
    high = cmax.index[cmax > cmax.median()]
    adae = study.adae.iloc[:1].loc[lambda d: d.index.repeat(len(high))].reset_index(drop=True)
    adae = adae.assign(USUBJID=high, ATOXGRN=3, SRCROW=np.arange(1, len(high) + 1))
    values = AnalysisResults([analyse_exposure_response(study.change(adae=adae), LIGHT).results])
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
    values = AnalysisResults([analyse_exposure_response(study.change(adpp=adpp), LIGHT).results])
    sensitivity = {**PRIMARY, "population": "BLQ_HALF_LLOQ"}
    assert number(values, "logistic", "CRSGE2", "n", **PRIMARY) == 58
    assert number(values, "logistic", "CRSGE2", "n_blq", **PRIMARY) == 2
    assert number(values, "logistic", "CRSGE2", "n", **sensitivity) == 60
    assert math.isfinite(number(values, "logistic", "CRSGE2", "or", **sensitivity))


def test_q_values_stay_within_the_family_and_leave_sensitivity_analyses_out(values) -> None:
    rows = values.select("exposure_response.multiplicity")
    wide = rows.pivot_table(
        index=["variable", "level1", "level2", "level3", "level4"],
        columns="stat_name",
        values="value",
    )
    assert (wide["q"].dropna() >= wide["p"][wide["q"].notna()] - 1e-15).all()
    by = {
        "metric": "CLD3", "adjustment": "UNADJUSTED", "population": "LANDMARK", "model": "LOGISTIC"
    }  # fmt: skip
    found = values.find("exposure_response.multiplicity", "CRSGE2", "PCR", by, "q")
    assert found is not None and found.note_code in ("SENSANAL", "FEWEVENT")
    by = PRIMARY | {"model": "LOGISTIC"}
    text = values.find("exposure_response.multiplicity", "CRSGE2", "PCR", by, "prespecified")
    assert text is not None and text.text == "Y"


def test_bins_shrink_until_each_holds_enough_subjects() -> None:
    x = np.arange(60.0)
    assert assign_bins(x, 4, 10)[1] == 4
    assert assign_bins(x[:40], 4, 10)[1] == 4 and assign_bins(x[:39], 4, 10)[1] == 3
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


def test_the_rate_of_a_group_is_that_of_its_subjects_and_is_drawn_at_their_median(
    output, values
) -> None:
    ader = output.ader
    group, _ = assign_bins(np.log2(ader["CMAX"].to_numpy()), 4, 10)
    curve = output.curves.query("curve_id == 'exposure_response.probability/CRSGE2/CMAX'")
    drawn = curve[curve["kind"] == "observed"].sort_values("x")
    for place in range(4):
        own = ader[group == place]
        events = int((own["CRSGR"] >= 2).sum())
        by = {"metric": "CMAX", "bin": f"Q{place + 1}"}
        found = {
            stat: number(values, "quartiles", "CRSGE2", stat, **by)
            for stat in ("n", "pct", "ci_low", "ci_high", "exposure_min", "exposure_max")
        }
        limits = clopper_pearson(events, len(own))
        ends = own["CMAX"].min(), own["CMAX"].max()
        expected = [len(own), *(100 * v for v in (events / len(own), *limits)), *ends]
        assert list(found.values()) == pytest.approx(expected)
        point = drawn.iloc[place]
        assert point["x"] == pytest.approx(np.log2(own["CMAX"]).median())
        assert [point["y"], point["low"], point["high"]] == pytest.approx(
            [events / len(own), *limits]
        )


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
    for suffix, own in (("event", ader["CRSGR"] >= 2), ("noevent", ader["CRSGR"] < 2)):
        for stat, value in (("n", own.sum()), ("median", ader.loc[own, "CMAX"].median())):
            name = f"{stat}_{suffix}"
            assert number(values, "ratio_by_response", "CMAX", name, **by) == pytest.approx(value)


def test_each_grade_has_its_subjects_and_the_trend_is_over_all_of_them(output, values) -> None:
    ader = output.ader.dropna(subset=["CRSGR", "CMAX"])
    for grade, own in ader.groupby("CRSGR")["CMAX"]:
        by = {"endpoint": "CRSGR", "grade": f"{grade:g}"}
        assert number(values, "grade_summary", "CMAX", "n", **by) == len(own)
        assert number(values, "grade_summary", "CMAX", "median", **by) == own.median()
    by = {"endpoint": "CRSGR"}
    expected = jonckheere(ader["CMAX"], ader["CRSGR"])
    assert number(values, "grade_trend", "CMAX", "n", **by) == len(ader)
    assert number(values, "grade_trend", "CMAX", "z", **by) == expected.statistic > 0
    # Over the metrics and grades the rate of false discoveries is held: q is at least p.
    p, q = (number(values, "grade_trend", "CMAX", stat, **by) for stat in ("p", "q"))
    assert p == expected.p and p <= q <= 1


def test_grades_with_fewer_than_three_subjects_list_their_values(study) -> None:
    adae = study.adae.assign(ATOXGRN=1)
    adae.loc[adae.index[:2], "ATOXGRN"] = 4
    values = AnalysisResults([analyse_exposure_response(study.change(adae=adae), LIGHT).results])
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
    p = number(values, "ordinal", "CRSGR", "po_p", **by)
    verdict = values.find("exposure_response.ordinal", "CRSGR", "PCR", by, "po_verdict")
    rejected = p < SETTINGS.proportional_odds_alpha
    assert verdict is not None and verdict.text == ("REJECTED" if rejected else "NOT_REJECTED")
    for cut in ("GE1", "GE2"):
        assert number(values, "cumulative", "CRSGR", "or", grade=cut, **by) > 1
    none = values.find("exposure_response.ordinal", "ICANSGR", "PCR", by, "or")
    assert none is not None and none.note_code == "TWOLEVEL"


def test_a_model_of_grades_keeps_the_rules_of_the_plan(study, values) -> None:
    by = {"metric": "CMAX", "adjustment": "TUMOUR_BURDEN"}
    left_out = ("n_nooutcome", "n_onset", "n_noexposure", "n_blq", "n_nocovariate", "n")
    counts = [number(values, "ordinal", "CRSGR", name, **by) for name in left_out]
    assert sum(counts) == number(values, "ordinal", "CRSGR", "n_er", **by) == 60
    settings = ExposureResponseSettings()
    event = np.repeat([0.0, 1.0, 2.0], [40, 5, 4])
    exposure = np.linspace(1, 9, event.size)
    burden = pd.DataFrame({"LTBURDZ": np.cos(np.arange(event.size))})
    chosen = Selection(event, exposure, burden, {})
    # Nine subjects outside the most frequent grade, two slopes.
    assert grades.refuse_grades(chosen, settings) == "EPPLOW"
    more = replace(chosen, event=np.repeat([0.0, 1.0, 2.0], [39, 6, 4]))
    assert grades.refuse_grades(more, settings) == ""
    same = replace(more, covariates=pd.DataFrame({"LTBURDZ": exposure + 0.1 * event}))
    assert grades.refuse_grades(same, settings) == "COLLIN"


def test_one_model_under_two_names_is_one_test_of_its_family() -> None:
    endpoint = read_endpoints(LIGHT)[0]

    def outcome(adjustment: str, covariates: tuple[str, ...], p: float) -> ModelOutcome:
        cell = PlanCell(endpoint, "CMAX", "LOGISTIC", adjustment, "PRIMARY", "SECONDARY")
        return ModelOutcome(cell, "ML", covariates, 40, 20.0, p)

    out = ResultCollector("exposure_response")
    three = [
        outcome("UNADJUSTED", (), 0.04),
        outcome("TUMOUR_BURDEN", ("LTBURDZ",), 0.01),
        # Age and indication are missing or the same in all.
        outcome("FULL", ("LTBURDZ",), 0.01),
    ]
    collect_multiplicity(three, "PCR", out)
    q = out.frame().query("stat_name == 'q'")["value"].tolist()
    assert sorted(q) == pytest.approx([0.02, 0.02, 0.04])


def test_a_primary_pair_that_no_model_would_answer_is_an_error_of_the_config() -> None:
    with pytest.raises(ValidationError, match="early"):
        ExposureResponseSettings(primary=({"endpoint": "NEUTREC", "metric": "CMAX"},))


def test_a_model_without_a_test_says_so_and_not_that_it_is_a_sensitivity(study) -> None:
    cell = PlanCell(
        read_endpoints(LIGHT)[0], "CMAX", "EMAX", "UNADJUSTED", "PRIMARY", "SENSITIVITY"
    )
    out = ResultCollector("exposure_response")
    collect_multiplicity([ModelOutcome(cell, "EMAX_ML", (), 40, 20.0, math.nan)], "PCR", out)
    notes = out.frame().set_index("stat_name")["note_code"]
    assert notes["p"] == "NOTEST" and notes["q"] == "SENSANAL"


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
    values = AnalysisResults([analyse_exposure_response(study.change(adsl=adsl), LIGHT).results])
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
    shuffled = Sources(
        **{name: getattr(study, name).sample(frac=1, random_state=3) for name in NAMES}
    )
    first = analyse_exposure_response(study.sources, LIGHT)
    again = analyse_exposure_response(shuffled, LIGHT)
    pd.testing.assert_frame_equal(again.ader, first.ader)
    pd.testing.assert_frame_equal(again.results, first.results, rtol=1e-6)


def test_a_study_without_any_outcome_gives_reasons_and_no_curve(study) -> None:
    bare = study.change(
        adae=study.adae.iloc[:0], adrs=study.adrs.iloc[:0], adcm=study.adcm.iloc[:0]
    )
    found = analyse_exposure_response(bare, SETTINGS)
    assert found.curves.empty
    plan = found.results[found.results["analysis_id"] == "exposure_response.plan"]
    reasons = plan.query("stat_name == 'reason'")["value_text"]
    assert set(reasons) == {"NOTCOLL"}


def test_two_metrics_never_share_a_model() -> None:
    with pytest.raises(ValidationError, match="collinear"):
        ExposureResponseSettings(full_adjustment=("LTBURDZ", "AUC28"))


@pytest.mark.parametrize(
    "given",
    [
        {"full_adjustment": ("LTBURDZ", "CRSGR")},
        {"full_adjustment": ("LTBURDZ", "TOCIFL")},
        {"subgroups": {"variables": [{"variable": "STERFL"}]}},
    ],
)
def test_what_follows_the_infusion_neither_adjusts_nor_divides(given) -> None:
    with pytest.raises(ValidationError, match="known only after the infusion"):
        ExposureResponseSettings.model_validate(given)


def test_unknown_endpoints_and_covariates_are_errors_of_the_config(study) -> None:
    with pytest.raises(ConfigError, match="CRSGE9"):
        read_endpoints(ExposureResponseSettings(endpoints=("OBJRESP", "CRSGE9")))
    with pytest.raises(ValidationError, match="HAIR"):
        ExposureResponseSettings(covariates=(Covariate(variable="HAIR", kind="categorical"),))
    settings = ExposureResponseSettings(
        covariates=(
            Covariate(variable="RACE", kind="continuous"),
            Covariate(variable="SEX", kind="continuous"),
        )
    )
    ader = derive_ader(study.sources, settings)
    with pytest.raises(ConfigError) as error:
        collect_forest(ader, settings, ResultCollector("exposure_response"))
    assert len(error.value.faults) == 2


def test_icans_is_also_modelled_beside_the_grade_of_crs_of_the_same_subject(study) -> None:
    adae = pd.concat(
        [study.adae, study.adae.iloc[::2].assign(AESI="ICANS", SRCROW=lambda d: d["SRCROW"] + 500)]
    )
    prepared = prepare_study(study.change(adae=adae), SETTINGS)
    cells = [c for c in plan_cells(prepared) if c.population == "CONCURRENT_CRS"]
    assert {c.endpoint.code for c in cells} == {"ICANSGE1", "ICANSGE2", "ICANSGE3"}
    assert {(c.adjustment, c.role) for c in cells} == {("TUMOUR_BURDEN", "SENSITIVITY")}
    chosen = select_subjects(prepared, cells[0])
    assert list(chosen.covariates) == ["LTBURDZ", "CRSGR"]
