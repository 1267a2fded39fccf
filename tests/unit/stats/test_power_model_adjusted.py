from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.power_model import estimate_power_model
from celldossier.stats.power_model_curve import predict_power_curves

RNG = np.random.default_rng(20151126)
DOSE = np.repeat([50.0, 150.0, 450.0], 10) * np.exp(RNG.normal(0, 0.1, 30))
BURDEN = RNG.normal(0, 1, 30)
EXPOSURE = np.exp(9 + 0.1 * np.log(DOSE) + 0.35 * BURDEN + RNG.normal(0, 0.8, 30))
STUDY = np.tile(["A", "B", "B"], 10)


def test_an_adjusted_slope_equals_that_of_the_whole_linear_model() -> None:
    from statsmodels.regression.linear_model import OLS

    age = RNG.uniform(20, 80, 30)
    x = np.log(DOSE)
    design = np.column_stack([np.ones(30), STUDY == "B", x, BURDEN, age]).astype(float)
    other = OLS(np.log(EXPOSURE), design).fit()
    fit = estimate_power_model(EXPOSURE, DOSE, STUDY, covariates=np.column_stack([BURDEN, age]))
    assert (fit.n, fit.df, fit.reason) == (30, 25, "")
    assert fit.slope == pytest.approx(other.params[2], rel=1e-9)
    assert fit.se == pytest.approx(other.bse[2], rel=1e-9)
    assert [fit.low, fit.high] == pytest.approx(other.conf_int(0.10)[2], rel=1e-9)
    assert fit.r_squared == pytest.approx(other.rsquared, rel=1e-9)
    assert math.isnan(fit.intercept)


def test_a_row_without_its_covariate_is_left_out_and_counted() -> None:
    burden = BURDEN.copy()
    burden[[3, 17]] = math.nan
    kept = ~np.isnan(burden)
    fit = estimate_power_model(EXPOSURE, DOSE, covariates=burden)
    assert (fit.n, fit.n_left_out) == (28, 2)
    other = estimate_power_model(EXPOSURE[kept], DOSE[kept], covariates=burden[kept])
    assert fit.slope == pytest.approx(other.slope, rel=1e-12)


def test_a_covariate_that_is_the_dose_leaves_no_slope() -> None:
    fit = estimate_power_model(EXPOSURE, DOSE, covariates=3 * np.log(DOSE) - 2)
    assert fit.reason == "COLLIN" and math.isnan(fit.slope)


def test_a_constant_covariate_changes_nothing() -> None:
    plain = estimate_power_model(EXPOSURE, DOSE)
    same = estimate_power_model(EXPOSURE, DOSE, covariates=np.full(30, 7.0))
    assert same == plain


@settings(max_examples=20, deadline=None)
@given(unit=st.floats(1e-5, 1e5), shift=st.floats(-1e3, 1e3))
def test_the_unit_and_origin_of_a_covariate_do_not_matter(unit: float, shift: float) -> None:
    first = estimate_power_model(EXPOSURE, DOSE, covariates=BURDEN)
    other = estimate_power_model(EXPOSURE, DOSE, covariates=unit * BURDEN + shift)
    assert other.slope == pytest.approx(first.slope, rel=1e-6)
    assert other.se == pytest.approx(first.se, rel=1e-6)


def test_the_order_of_rows_and_the_names_of_studies_do_not_matter() -> None:
    order = RNG.permutation(30)
    first = estimate_power_model(EXPOSURE, DOSE, STUDY, covariates=BURDEN)
    other = estimate_power_model(
        EXPOSURE[order],
        DOSE[order],
        np.where(STUDY == "A", "Z", "Y")[order],
        covariates=BURDEN[order],
    )
    for name in ("slope", "se", "low", "high", "r_squared", "normalised_ratio"):
        assert getattr(other, name) == pytest.approx(getattr(first, name), rel=1e-9)
    assert other.verdict == first.verdict


def test_the_band_of_the_mean_equals_that_of_least_squares() -> None:
    from statsmodels.regression.linear_model import OLS

    x = np.log(DOSE)
    for study in (None, STUDY):
        named = np.full(30, "") if study is None else STUDY
        columns = [named == name for name in np.unique(named)]
        other = OLS(np.log(EXPOSURE), np.column_stack([*columns, x]).astype(float)).fit()
        curves = predict_power_curves(EXPOSURE, DOSE, study, 0.90, points=7)
        assert sum(curve.n for curve in curves) == 30
        for position, curve in enumerate(curves):
            at = np.zeros((7, len(columns) + 1))
            at[:, position] = 1
            at[:, -1] = curve.ln_dose
            band = other.get_prediction(at).summary_frame(alpha=0.10)
            assert curve.ln_mean == pytest.approx(band["mean"].to_numpy(), rel=1e-9)
            assert curve.ln_low == pytest.approx(band["mean_ci_lower"].to_numpy(), rel=1e-9)
            assert curve.ln_high == pytest.approx(band["mean_ci_upper"].to_numpy(), rel=1e-9)
            own = x[named == np.unique(named)[position]]
            assert (curve.ln_dose[0], curve.ln_dose[-1]) == (own.min(), own.max())
            # The line of proportionality crosses the fit at the means of the study.
            crossing = np.interp(own.mean(), curve.ln_dose, curve.ln_mean - curve.ln_proportional)
            assert crossing == pytest.approx(0.0, abs=1e-9)
            assert np.diff(curve.ln_proportional) == pytest.approx(np.diff(curve.ln_dose))


def test_a_line_is_drawn_only_where_the_study_gave_several_doses() -> None:
    exposure, dose = [1.0, 2.0, 3.0, 7.0, 5.0], [1.0, 2.0, 3.0, 9.0, 9.0]
    assert [c.study for c in predict_power_curves(exposure, dose, list("AAABB"))] == ["A"]
    assert predict_power_curves(exposure, [2.0] * 5) == []
    assert predict_power_curves(exposure, [1.0, 1.0, 1.0, 9.0, 9.0], list("AAABB")) == []
    assert predict_power_curves([1.0, 2.0, 0.0], [1.0, 2.0, 3.0]) == []
    few = predict_power_curves([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], ["A", "A", "B"])
    assert np.isnan(few[0].ln_low).all() and np.isfinite(few[0].ln_mean).all()
