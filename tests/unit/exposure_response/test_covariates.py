"""Covariates of exposure and of outcomes: models, selection, imputation, and their refusals."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.datasets import conform
from celldossier.errors import ConfigError
from celldossier.exposure_response.covariate_design import make_covariate_design
from celldossier.exposure_response.covariate_exposure import collect_covariate_models
from celldossier.exposure_response.covariate_outcomes import collect_outcome_covariates
from celldossier.exposure_response.covariate_product import collect_product_exposure
from celldossier.exposure_response.covariate_variables import derive_covariates
from celldossier.exposure_response.covariates import collect_forest
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.covariates import Covariate, CovariateModels
from celldossier.settings.exposure_response import ExposureResponseSettings

RULES = CovariateModels(
    full_model=("AGE", "SEX", "WTBL", "INDIC", "LTBURDZ"),
    selection=("AGE", "SEX", "WTBL", "INDIC", "LTBURDZ", "TCMPCT"),
    outcome_full_model=("AGE", "LTBURDZ"),
    product_attributes=("TCMPCT", "VCN"),
    product_adjustment=("LTBURDZ",),
    min_subjects_per_parameter=8,
    bootstrap_samples=60,
    selection_pairs=20,
)
COVARIATES = (
    *(Covariate(variable=v, kind="continuous") for v in ("AGE", "WTBL", "LTBURDZ", "TCMPCT")),
    *(Covariate(variable=v, kind="categorical") for v in ("SEX", "INDIC", "PROCESS")),
    Covariate(variable="VCN", kind="continuous"),
)
SETTINGS = ExposureResponseSettings.model_validate(
    {
        "metrics": ["CMAX"],
        "endpoints": ["OBJRESP", "CRSGE2", "ICANSGE2"],
        "primary": [
            {"endpoint": "CRSGE2", "metric": "CMAX"},
            {"endpoint": "ICANSGE2", "metric": "CMAX"},
        ],
        "ordinal_metrics": [],
        "forest_metrics": ["CMAX"],
        "covariates": COVARIATES,
        "covariate_models": RULES,
    }
)


def run(study: Study) -> AnalysisResults:
    out = ResultCollector("exposure_response")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collect_forest(study.ader, study.settings, out)
        collect_covariate_models(study, out)
        collect_product_exposure(study, out)
        collect_outcome_covariates(study, out)
    return AnalysisResults([out.frame()])


@pytest.fixture(scope="module")
def prepared(study) -> Study:  # type: ignore[no-untyped-def]
    return prepare_study(study.sources, SETTINGS)


@pytest.fixture(scope="module")
def values(prepared: Study) -> AnalysisResults:
    return run(prepared)


def changed(prepared: Study, **columns: object) -> Study:
    """The study with other values in ADER."""
    return replace(prepared, ader=prepared.ader.assign(**columns))


def value(values: AnalysisResults, analysis: str, variable: str, stat: str, **by: str):  # type: ignore[no-untyped-def]
    found = values.find(f"exposure_response.{analysis}", variable, "PCR", by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found


STEP = {"level": "P90_VS_P10"}


def test_the_full_model_is_least_squares_of_all_covariates_at_once(prepared, values) -> None:
    import statsmodels.api as sm

    ader = prepared.ader
    x = pd.DataFrame(
        {
            "AGE": ader["AGE"],
            "SEX": (ader["SEX"] == "F") * 1.0,
            "WTBL": ader["WTBL"],
            "INDIC": (ader["INDIC"] == "ALL") * 1.0,
            "LTBURDZ": ader["LTBURDZ"],
        }
    )
    fit = sm.OLS(np.log(ader["CMAX"]), sm.add_constant(x)).fit()
    step = float(np.subtract(*np.quantile(ader["LTBURDZ"], [0.9, 0.1])))
    found = value(values, "covariate_full", "CMAX", "gmr", covariate="LTBURDZ", **STEP)
    assert found.number == pytest.approx(math.exp(fit.params["LTBURDZ"] * step), rel=1e-9)
    low, high = fit.conf_int(0.1).loc["LTBURDZ"]
    for stat, limit in (("gmr_low", low), ("gmr_high", high)):
        found = value(values, "covariate_full", "CMAX", stat, covariate="LTBURDZ", **STEP)
        assert found.number == pytest.approx(math.exp(limit * step), rel=1e-8)
    found = value(values, "covariate_full", "CMAX", "p", covariate="SEX", level="F")
    assert found.number == pytest.approx(fit.pvalues["SEX"], rel=1e-8)
    assert value(values, "covariate_model", "CMAX", "verdict").text == "IN_MODEL"
    assert value(values, "covariate_model", "CMAX", "imputations").number == 0


def test_tumour_burden_is_selected_most_often_and_the_bound_is_kept(values) -> None:
    rows = values.select("exposure_response.covariate_selection")
    frequency = rows[rows["stat_name"] == "frequency"].set_index("level1")["value"]
    assert frequency.idxmax() == "LTBURDZ"
    assert value(values, "covariate_selection", "CMAX", "sign", covariate="LTBURDZ", **STEP).text
    assert value(values, "covariate_selection_rule", "CMAX", "bound").number <= 1 + 1e-9


def test_a_missing_covariate_is_imputed_and_the_complete_cases_stand_beside(prepared) -> None:
    weight = prepared.ader["WTBL"].copy()
    weight.iloc[:12] = np.nan
    values = run(changed(prepared, WTBL=weight))
    assert (
        value(values, "covariate_missing", "CMAX", "handling", covariate="WTBL").text == "IMPUTED"
    )
    assert value(values, "covariate_missing", "CMAX", "n_missing", covariate="WTBL").number == 12
    assert value(values, "covariate_model", "CMAX", "imputations").number == 20  # 20 % of 60
    full = value(values, "covariate_full", "CMAX", "gmr", covariate="LTBURDZ", **STEP).number
    complete = value(
        values, "covariate_full", "CMAX", "gmr_complete", covariate="LTBURDZ", **STEP
    ).number
    assert full != complete
    alone = run(replace(prepared, ader=prepared.ader.iloc[12:]))
    slope = math.log(
        value(alone, "covariate_full", "CMAX", "gmr", covariate="LTBURDZ", **STEP).number
    )
    steps = [
        float(np.subtract(*np.quantile(rows["LTBURDZ"], [0.9, 0.1])))
        for rows in (prepared.ader, prepared.ader.iloc[12:])
    ]
    assert math.log(complete) == pytest.approx(slope * steps[0] / steps[1], rel=1e-9)


def test_what_was_not_collected_or_is_mostly_missing_is_left_out_with_its_reason(prepared) -> None:
    weight = prepared.ader["WTBL"].where(np.arange(60) > 40)
    values = run(changed(prepared, WTBL=weight, SEX=""))
    for name, reason in (("WTBL", "MUCHMISS"), ("SEX", "NOTCOLL")):
        where = {"covariate": name}
        assert value(values, "covariate_missing", "CMAX", "handling", **where).text == "LEFT_OUT"
        assert value(values, "covariate_missing", "CMAX", "reason", **where).text == reason
    assert value(values, "covariate_model", "CMAX", "n").number == 60


def test_too_few_subjects_per_parameter_give_no_full_model(prepared) -> None:
    values = run(replace(prepared, ader=prepared.ader.iloc[:35]))
    assert value(values, "covariate_model", "CMAX", "verdict").text == "REFUSED"
    found = value(values, "covariate_full", "CMAX", "gmr", covariate="AGE", **STEP)
    assert math.isnan(found.number) and found.note_code == "SPPLOW"


def test_linearly_dependent_covariates_are_refused_and_close_ones_are_marked(prepared) -> None:
    same = run(changed(prepared, WTBL=2 * prepared.ader["AGE"] + 1))
    found = value(same, "covariate_full", "CMAX", "gmr", covariate="AGE", **STEP)
    assert math.isnan(found.number) and found.note_code == "COLLIN"
    noise = np.random.default_rng(1).normal(size=60)
    close = run(changed(prepared, WTBL=prepared.ader["AGE"] + noise))
    assert value(close, "covariate_model", "CMAX", "verdict").text == "COLLINEAR"
    assert value(close, "covariate_full", "CMAX", "vif", covariate="AGE", **STEP).number > 5


def outcomes(prepared: Study, firth_below: float) -> AnalysisResults:
    """The covariates of the outcomes alone, with the penalty below so many events a slope."""
    settings = prepared.settings.model_copy(update={"firth_below": firth_below})
    out = ResultCollector("exposure_response")
    collect_outcome_covariates(replace(prepared, settings=settings), out)
    return AnalysisResults([out.frame()])


def test_the_outcome_of_a_covariate_alone_and_beside_the_exposure_agree_with_statsmodels(
    prepared,
) -> None:
    import statsmodels.api as sm

    ader = prepared.ader
    event = (ader["CRSGR"] >= 2) * 1.0
    step = float(np.subtract(*np.quantile(ader["LTBURDZ"], [0.9, 0.1])))
    where = {"covariate": "LTBURDZ", **STEP}
    values = outcomes(prepared, firth_below=0)
    for model, columns in (
        ("TOTAL", [ader["LTBURDZ"]]),
        ("WITH_EXPOSURE", [ader["LTBURDZ"], np.log2(ader["CMAX"])]),
    ):
        method = value(values, "covariate_outcome", "CRSGE2", "model", model=model, **where).text
        found = value(values, "covariate_outcome", "CRSGE2", "ratio", model=model, **where)
        assert method == "ML"
        fit = sm.Logit(event, sm.add_constant(np.column_stack(columns))).fit(disp=0)
        assert found.number == pytest.approx(math.exp(fit.params.iloc[1] * step), rel=1e-6)
        assert (
            value(values, "covariate_outcome", "CRSGE2", "measure", model=model, **where).text
            == "OR"
        )


def test_q_is_adjusted_within_the_family_and_the_model(values) -> None:
    from celldossier.stats.multiplicity import benjamini_hochberg

    rows = values.select("exposure_response.covariate_outcome")
    own = rows[(rows["level3"] == "TOTAL") & (rows["stat_name"].isin(["p", "q"]))]
    wide = own.pivot_table(
        index=["variable", "level1", "level2"], columns="stat_name", values="value", dropna=False
    )
    assert wide["q"].to_numpy() == pytest.approx(
        benjamini_hochberg(wide["p"].to_numpy()), nan_ok=True
    )


def test_an_outcome_with_too_few_events_is_descriptive_only(values) -> None:
    # Nobody has ICANS in this study.
    by = {"covariate": "AGE", **STEP, "model": "TOTAL"}
    found = value(values, "covariate_outcome", "ICANSGE2", "ratio", **by)
    assert math.isnan(found.number) and found.note_code == "NOEVENT"
    assert value(values, "covariate_outcome_model", "ICANSGE2", "verdict", model="FULL").text == (
        "REFUSED"
    )


def test_events_per_parameter_below_the_limit_refuse_the_full_model_alone(prepared) -> None:
    strict = SETTINGS.model_copy(update={"min_events_per_parameter": 20.0})
    values = run(replace(prepared, settings=strict))
    by = {"covariate": "AGE", **STEP}
    full = value(values, "covariate_outcome", "CRSGE2", "ratio", model="FULL", **by)
    assert math.isnan(full.number) and full.note_code == "EPPLOW"
    alone = value(values, "covariate_outcome", "CRSGE2", "ratio", model="TOTAL", **by)
    assert math.isfinite(alone.number)


@pytest.mark.parametrize(("firth_below", "pooled"), [(0, "ML_RUBIN"), (10, "FIRTH_CLIP")])
def test_missing_covariates_of_an_outcome_are_pooled_and_few_events_by_combined_profiles(
    prepared, firth_below: float, pooled: str
) -> None:
    burden = prepared.ader["LTBURDZ"].where(np.arange(60) >= 6)
    values = outcomes(changed(prepared, LTBURDZ=burden), firth_below)
    by = {"covariate": "AGE", **STEP, "model": "FULL"}
    method = value(values, "covariate_outcome", "CRSGE2", "model", **by).text
    assert method == pooled
    for stat in ("ratio", "ratio_low", "ratio_high", "p"):
        assert math.isfinite(value(values, "covariate_outcome", "CRSGE2", stat, **by).number)


def timed(study, rows: int = 60) -> Study:  # type: ignore[no-untyped-def]
    """The study with overall survival: hazard rises with tumour burden."""
    rng = np.random.default_rng(4)
    adsl = study.adsl
    days = np.ceil(rng.exponential(300 * np.exp(-0.8 * adsl["LTBURDZ"].to_numpy())))
    ended = np.minimum(days, 500.0)
    adtte = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": adsl["USUBJID"],
            "PARAMCD": "OS",
            "PARAM": "Overall survival",
            "STARTDT": "2026-01-01",
            "AVAL": ended,
            "AVALU": "d",
            "CNSR": (days > 500) * 1.0,
            "SRCDOM": "DM",
            "SRCROW": 1,
        }
    )
    rules = RULES.model_copy(update={"outcome_endpoints": ("OS",)})
    settings = SETTINGS.model_copy(
        update={"endpoints": (*SETTINGS.endpoints, "OS"), "covariate_models": rules}
    )
    return prepare_study(study.change(adtte=conform(adtte, "ADTTE")), settings)


def test_a_time_to_event_has_hazard_ratios_and_the_exposure_starts_at_the_landmark(study) -> None:
    from statsmodels.duration.hazard_regression import PHReg

    prepared = timed(study)
    values = run(prepared)
    by = {"covariate": "LTBURDZ", **STEP}
    times = prepared.aderend.query("PARAMCD == 'OS'")
    fit = PHReg(
        times["AVAL"].to_numpy(),
        prepared.ader[["LTBURDZ"]].to_numpy(),
        status=1 - times["CNSR"].to_numpy(),
        ties="efron",
    ).fit()
    step = float(np.subtract(*np.quantile(prepared.ader["LTBURDZ"], [0.9, 0.1])))
    found = value(values, "covariate_outcome", "OS", "ratio", model="TOTAL", **by)
    assert found.number == pytest.approx(math.exp(fit.params[0] * step), rel=1e-5)
    assert value(values, "covariate_outcome", "OS", "measure", model="TOTAL", **by).text == "HR"
    later = value(values, "covariate_outcome", "OS", "n", model="WITH_EXPOSURE", **by)
    assert later.number == (times["AVAL"] > 28).sum() < 60


def test_an_endpoint_that_has_no_model_of_covariates_is_an_error_of_the_config(prepared) -> None:
    rules = RULES.model_copy(update={"outcome_endpoints": ("CRSGR", "PFS")})
    settings = SETTINGS.model_copy(update={"covariate_models": rules})
    with pytest.raises(ConfigError) as error:
        collect_outcome_covariates(
            replace(prepared, settings=settings), ResultCollector("exposure_response")
        )
    assert len(error.value.faults) == 2


@pytest.mark.parametrize("case", ["three", "constant", "never quantifiable", "nobody"])
def test_hopeless_data_have_reasons_and_no_number(prepared, case: str) -> None:
    ader = prepared.ader
    study = {
        "three": replace(prepared, ader=ader.iloc[:3]),
        "constant": changed(prepared, CMAX=100.0),
        "never quantifiable": changed(prepared, CMAX=0.0),
        "nobody": changed(prepared, ERFL="N"),
    }[case]
    values = run(study)
    rows = values.frame[values.frame["stat_name"].isin(["gmr", "frequency", "boot_low"])]
    together = rows[rows["analysis_id"] != "exposure_response.covariate_forest"]
    assert together["value"].isna().all() and (together["note_code"] != "").all()
    assert np.isfinite(values.frame["value"].dropna()).all()


def test_the_order_of_the_subjects_changes_no_estimate(prepared) -> None:
    shuffled = prepared.ader.sample(frac=1, random_state=2)
    again = run(replace(prepared, ader=shuffled.sort_values("USUBJID", kind="stable")))
    first = run(prepared)
    pd.testing.assert_frame_equal(first.frame, again.frame)


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.01, 100), seed=st.integers(0, 50))
def test_the_unit_of_a_covariate_changes_no_step_ratio(factor: float, seed: int) -> None:
    """A ratio from P10 to P90 is of the subjects, not of the unit of measurement."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({"AGE": random.lognormal(size=30), "WTBL": random.normal(70, 9, 30)})
    outcome = [random.normal(size=30)]
    items = tuple(
        Covariate(variable=name, kind="continuous", scale=scale)  # type: ignore[arg-type]
        for name, scale in (("AGE", "log"), ("WTBL", "linear"))
    )
    designs = [
        make_covariate_design(frame, items, {}, outcome, 3, RULES)
        for frame in (rows, rows * factor)
    ]
    slopes = []
    for design in designs:
        x = np.column_stack([np.ones(30), design.matrices[0]])
        beta = np.linalg.lstsq(x, outcome[0], rcond=None)[0][1:]
        slopes.append([b * term.step for b, term in zip(beta, design.terms, strict=True)])
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)


def test_a_rare_level_keeps_its_column_and_has_no_estimate(prepared) -> None:
    sex = prepared.ader["SEX"].copy()
    sex.iloc[:2] = "U"
    values = run(changed(prepared, SEX=sex))
    found = value(values, "covariate_full", "CMAX", "gmr", covariate="SEX", level="U")
    assert math.isnan(found.number) and found.note_code == "FEWLEVEL"
    assert value(values, "covariate_model", "CMAX", "parameters").number == 6


def lots(**columns: object) -> pd.DataFrame:
    base = {"STUDYID": "S", "LOTID": ["L1", "L2", "L3"], "SRCDOM": "LOTS", "SRCROW": [1, 2, 3]}
    return conform(pd.DataFrame({**base, **columns}), "ADPQ")


def doses(given: list[tuple[str, str, float, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(given, columns=["USUBJID", "LOTID", "DOSEA", "DOSETYPE"])
    frame = frame.assign(STUDYID="S", EXCAT="CELL PRODUCT", EXTRT="CELLS", ADTM="2026-01-01T08:00")
    frame = frame.assign(SRCDOM="EX", SRCROW=np.arange(1, len(frame) + 1), DOSENO=1)
    return conform(frame, "ADEX")


def test_the_lots_of_a_course_are_pooled_by_dose_and_a_gap_leaves_no_mean(study) -> None:
    subjects = study.adsl.iloc[:3]
    one, two, three = subjects["USUBJID"]
    adex = doses(
        [
            (one, "L1", 10.0, "FIRST"),
            (one, "L2", 30.0, "REPEAT"),
            (one, "L3", 50.0, "RETREATMENT"),
            (two, "L1", 10.0, "FIRST"),
            (two, "L3", 10.0, "REPEAT"),
            (three, "L2", math.nan, "FIRST"),
        ]
    )
    adpq = lots(VCN=[2.0, 4.0, math.nan], PROCESS=["A", "B", "A"])
    found = derive_covariates(subjects, adex, adpq)
    assert found["VCN"].iloc[0] == pytest.approx((10 * 2 + 30 * 4) / 40)
    assert math.isnan(found["VCN"].iloc[1])  # of lot 3 it is not known
    assert found["VCN"].iloc[2] == 4.0  # one lot: no weight is needed
    assert found["PROCESS"].tolist() == ["SEVERAL", "A", "B"]
    assert found["NLOTS"].tolist() == [2, 2, 1]


def test_the_depth_of_lymphodepletion_is_that_at_the_infusion(study) -> None:
    subjects = study.adsl.iloc[:2].assign(ALCPRELD=[1.0, 0.0], ALCINF=[0.1, 0.1])
    found = derive_covariates(subjects, study.adex, study.adpq)
    assert found["ALCDPINF"].iloc[0] == pytest.approx(90)
    assert math.isnan(found["ALCDPINF"].iloc[1])
