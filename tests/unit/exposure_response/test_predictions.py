from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from pydantic import ValidationError

from celldossier.errors import ConfigError
from celldossier.exposure_response import grades
from celldossier.exposure_response.binary import plan_cells, run_cells
from celldossier.exposure_response.predictions import list_points
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings

LIGHT: dict[str, Any] = {
    "metrics": ["CMAX"],
    "endpoints": ["CRSGE2", "CRSGE3", "ICANSGE2"],
    "primary": [{"endpoint": "CRSGE2", "metric": "CMAX"}],
    "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"],
    "landmarks": [],
    "all_blq_sensitivity": False,
    "firth_below": 0,
}


def run(given, **changes: Any) -> tuple[Study, AnalysisResults, pd.DataFrame]:
    settings = ExposureResponseSettings.model_validate({**LIGHT, **changes})
    study = prepare_study(given.sources, settings)
    out = ResultCollector("exposure_response")
    curves = run_cells(study, plan_cells(study), out).curves
    return study, AnalysisResults([out.frame()]), pd.DataFrame(curves)


def probability(
    values: AnalysisResults, at: str, adjustment: str = "TUMOUR_BURDEN", endpoint: str = "CRSGE2"
) -> tuple[float, float, float, str]:
    found = [
        values.find(
            "exposure_response.predicted_probability",
            endpoint,
            "PCR",
            {"metric": "CMAX", "adjustment": adjustment, "at": at},
            stat,
        )
        for stat in ("pct", "ci_low", "ci_high")
    ]
    assert all(value is not None for value in found), (endpoint, adjustment, at)
    pct, low, high = (value.number for value in found if value is not None)
    return pct, low, high, found[0].note_code if found[0] else ""


@pytest.fixture(scope="module")
def ran(study) -> tuple[Study, AnalysisResults, pd.DataFrame]:
    return run(study)


def test_the_probability_is_the_mean_over_the_subjects_at_that_exposure(ran) -> None:
    study, values, _ = ran
    ader = study.ader
    x, z = np.log2(ader["CMAX"]), ader["LTBURDZ"]
    event = (ader["CRSGR"] >= 2).astype(float)
    fit = sm.Logit(event, np.column_stack([x, z, np.ones(len(x))])).fit(disp=0, tol=1e-12)
    middle = float(np.median(x))
    expected = fit.predict(np.column_stack([np.full(len(x), middle), z, np.ones(len(x))])).mean()
    pct, low, high, _ = probability(values, "P50")
    assert pct == pytest.approx(100 * expected, rel=1e-7)
    assert low < pct < high


def test_a_dose_level_is_predicted_at_its_geometric_mean_exposure(ran) -> None:
    study, values, _ = ran
    ader = study.ader
    mean = math.exp(np.log(ader.loc[ader["TRT01A"] == "DL1", "CMAX"]).mean())
    point = values.find(
        "exposure_response.predicted_probability",
        "CRSGE2",
        "PCR",
        {"metric": "CMAX", "adjustment": "UNADJUSTED", "at": "DOSE.DL1"},
        "exposure",
    )
    assert point is not None and point.number == pytest.approx(mean, rel=1e-12)
    assert point.unit == study.units["CMAX"]


def test_nothing_is_predicted_outside_the_exposures_that_were_seen(study) -> None:
    unit = prepare_study(study.sources, ExposureResponseSettings.model_validate(LIGHT)).units[
        "CMAX"
    ]
    exposures = [{"metric": "CMAX", "value": value, "unit": unit} for value in (1e-3, 20000, 1e9)]
    _, values, _ = run(study, predictions={"exposures": exposures})
    for at in ("VALUE.0.001", "VALUE.1e+09"):
        pct, low, high, reason = probability(values, at)
        assert reason == "EXPRANGE" and all(math.isnan(v) for v in (pct, low, high))
    assert 0 < probability(values, "VALUE.20000")[0] < 100


def test_the_ends_of_the_range_are_inside_it(study) -> None:
    _, values, _ = run(study, predictions={"quantiles": [0, 1]})
    assert probability(values, "P0")[3] == "" and probability(values, "P100")[3] == ""


def test_a_refused_model_predicts_nothing_and_says_why(ran) -> None:
    _, values, curves = ran
    assert probability(values, "P50", endpoint="ICANSGE2")[3] == "NOEVENT"
    series = curves.loc[curves["curve_id"] == "exposure_response.benefit_risk/CMAX", "series"]
    assert "CRSGE2" in set(series) and "ICANSGE2" not in set(series)


def test_the_curve_passes_through_the_predicted_points(ran) -> None:
    study, values, curves = ran
    curve = curves[
        (curves["curve_id"] == "exposure_response.benefit_risk/CMAX")
        & (curves["series"] == "CRSGE2")
    ]
    x = float(np.log2(study.ader["CMAX"]).median())
    assert np.interp(x, curve["x"], curve["y"]) == pytest.approx(
        probability(values, "P50")[0] / 100, abs=1e-3
    )
    assert curve["x"].min() == pytest.approx(np.log2(study.ader["CMAX"]).min(), rel=1e-12)
    assert curve["x"].max() == pytest.approx(np.log2(study.ader["CMAX"]).max(), rel=1e-12)


@pytest.mark.parametrize("correction", ["FLIC", "FLAC"])
def test_firth_predictions_are_corrected_towards_the_observed_rate(study, correction: str) -> None:
    _, values, _ = run(
        study, firth_below=1000, predictions={"firth_correction": correction, "quantiles": [0.5]}
    )
    plain = probability(run(study, predictions={"quantiles": [0.5]})[1], "P50")[0]
    # With 60 subjects the penalty is small; corrected it is near the maximum likelihood.
    assert probability(values, "P50")[0] == pytest.approx(plain, abs=1.5)
    method = values.frame.loc[values.frame["method"].str.contains(correction), "method"]
    assert len(method) and method.str.contains("delta").all()


def test_reference_covariates_give_the_probability_of_one_subject(study) -> None:
    data, values, _ = run(study, predictions={"covariates": "REFERENCE"})
    x, z = np.log2(data.ader["CMAX"]), data.ader["LTBURDZ"]
    event = (data.ader["CRSGR"] >= 2).astype(float)
    fit = sm.Logit(event, np.column_stack([x, z, np.ones(len(x))])).fit(disp=0, tol=1e-12)
    expected = fit.predict([[float(np.median(x)), float(np.median(z)), 1.0]])[0]
    assert probability(values, "P50")[0] == pytest.approx(100 * expected, rel=1e-7)


def test_an_exposure_of_interest_in_another_unit_is_an_error(study) -> None:
    settings = ExposureResponseSettings.model_validate(
        {
            **LIGHT,
            "predictions": {"exposures": [{"metric": "CMAX", "value": 1, "unit": "cells/uL"}]},
        }
    )
    data = prepare_study(study.sources, settings)
    with pytest.raises(ConfigError, match="cells/uL"):
        list_points(data.ader, "CMAX", settings, data.units)


@pytest.mark.parametrize(
    ("predictions", "fault"),
    [
        ({"metrics": ["AUC28"]}, "AUC28"),
        ({"adjustments": ["FULL"]}, "FULL"),
        ({"quantiles": [1.5]}, "between 0 and 1"),
        ({"quantiles": [0.5, 0.5]}, "twice"),
    ],
)
def test_settings_that_the_section_cannot_follow_are_refused(predictions, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        ExposureResponseSettings.model_validate({**LIGHT, "predictions": predictions})


def test_a_small_dose_level_has_no_mean_exposure(study) -> None:
    adsl = study.adsl.assign(TRT01A=["DL9", "DL9", *["DL1"] * (len(study.adsl) - 2)])
    settings = ExposureResponseSettings.model_validate(LIGHT)
    data = prepare_study(study.change(adsl=adsl), settings)
    points = {p.level: p for p in list_points(data.ader, "CMAX", settings, data.units)}
    assert points["DOSE.DL9"].reason == "FEWLEVEL" and math.isnan(points["DOSE.DL9"].exposure)


def predict_grades(given, **changes: Any) -> tuple[Study, pd.DataFrame]:
    settings = ExposureResponseSettings.model_validate(
        {**LIGHT, "endpoints": ["CRSGE2", "CRSGR"], **changes}
    )
    study = prepare_study(given.sources, settings)
    out = ResultCollector("exposure_response")
    grades.run_cells(study, grades.plan_cells(study), out)
    rows = out.frame()
    return study, rows[rows["analysis_id"] == "exposure_response.predicted_grade"]


def test_the_grades_of_an_exposure_add_up_to_one_hundred(study) -> None:
    data, rows = predict_grades(study, proportional_odds_alpha=1e-9)
    shares = rows[rows["stat_name"] == "pct"]
    assert len(shares) == 2 * 7 * data.ader["CRSGR"].nunique()
    # The keys are sorted by name: adjustment, at, grade, metric.
    total = shares.groupby(["level1", "level2"])["value"].sum()
    assert total.to_numpy() == pytest.approx(np.full(14, 100.0), rel=1e-10)
    high = shares[(shares["level1"] == "UNADJUSTED") & (shares["level3"] == "0")]
    of = high.set_index("level2")["value"]
    assert of["P10"] > of["P50"] > of["P90"]


def test_no_grade_is_predicted_where_proportional_odds_are_rejected(study) -> None:
    _, rows = predict_grades(study, proportional_odds_alpha=1 - 1e-9)
    shares = rows[rows["stat_name"] == "pct"]
    assert len(shares) and shares["value"].isna().all()
    assert set(shares["note_code"]) == {"POREJECT"}
