from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats import power_model
from celldossier.stats.power_model import PowerModel, estimate_power_model

RNG = np.random.default_rng(20000917)
DOSE = np.repeat([0.5, 1.0, 2.0, 4.0], 6)
EXPOSURE = np.exp(3 + 0.8 * np.log(DOSE) + RNG.normal(0, 0.4, DOSE.size))
STUDY = np.tile(["A", "A", "B"], 8)


def made(
    slope: float, doses: tuple[float, ...] = (1.0, 3.0, 10.0), noise: float = 0.1
) -> PowerModel:
    """A model of six subjects a dose whose residuals cancel: the slope is the one given."""
    dose = np.repeat(doses, 6)
    residual = np.tile([-noise, noise, -noise, noise, -noise, noise], len(doses))
    return estimate_power_model(np.exp(2 + slope * np.log(dose) + residual), dose)


def test_the_model_equals_ordinary_least_squares() -> None:
    from statsmodels.regression.linear_model import OLS

    x = np.log(DOSE)
    other = OLS(np.log(EXPOSURE), np.column_stack([np.ones(x.size), x])).fit()
    fit = estimate_power_model(EXPOSURE, DOSE)
    assert (fit.n, fit.n_left_out, fit.n_studies, fit.df, fit.reason) == (24, 0, 1, 22, "")
    assert [fit.intercept, fit.slope] == pytest.approx(other.params, rel=1e-10)
    assert fit.se == pytest.approx(other.bse[1], rel=1e-10)
    assert [fit.low, fit.high] == pytest.approx(other.conf_int(0.10)[1], rel=1e-10)
    assert fit.p_zero == pytest.approx(other.pvalues[1], rel=1e-8)
    assert fit.p_one == pytest.approx(float(other.t_test(([[0, 1]], [1.0])).pvalue), rel=1e-8)
    assert fit.r_squared == pytest.approx(other.rsquared, rel=1e-10)


def test_studies_with_one_slope_equal_least_squares_with_an_intercept_each() -> None:
    from statsmodels.regression.linear_model import OLS

    exposure = EXPOSURE * np.where(STUDY == "B", 5.0, 1.0)
    x, b = np.log(DOSE), (STUDY == "B").astype(float)
    design = np.column_stack([np.ones(x.size), b, x])
    other = OLS(np.log(exposure), design).fit()
    fit = estimate_power_model(exposure, DOSE, STUDY)
    assert (fit.n_studies, fit.df) == (2, 21)
    assert math.isnan(fit.intercept)
    assert fit.slope == pytest.approx(other.params[2], rel=1e-10)
    assert fit.se == pytest.approx(other.bse[2], rel=1e-10)
    assert fit.r_squared == pytest.approx(other.rsquared, rel=1e-10)
    assert fit.p_one == pytest.approx(float(other.t_test(([[0, 0, 1]], [1.0])).pvalue), rel=1e-8)
    # A factor between studies is taken up by their intercepts, whatever it is.
    assert estimate_power_model(EXPOSURE, DOSE, STUDY).slope == pytest.approx(fit.slope)

    separate = OLS(np.log(exposure), np.column_stack([design, b * x])).fit()
    statistic, p, df = separate.compare_f_test(other)
    found = power_model.test_common_slope(exposure, DOSE, STUDY)
    assert (found.df, found.df_residual, found.reason) == (int(df), 20, "")
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert found.p == pytest.approx(p, rel=1e-8)


def test_the_dose_ratio_of_several_studies_is_the_widest_within_one() -> None:
    dose = np.array([1.0, 2.0, 1.5, 2.0, 10.0, 30.0, 20.0, 10.0])
    exposure = np.array([1.0, 2.5, 1.2, 1.8, 9.0, 31.0, 18.0, 12.0])
    study = np.repeat(["A", "B"], 4)
    assert estimate_power_model(exposure, dose).dose_ratio == pytest.approx(30)
    assert estimate_power_model(exposure, dose, study).dose_ratio == pytest.approx(3)


@pytest.mark.parametrize(
    ("slope", "noise", "verdict"),
    [
        (1.0, 0.05, "PROPORTIONAL"),
        (0.0, 0.05, "INDEPENDENT"),
        (0.5, 0.05, "LESS"),
        (-0.5, 0.05, "LESS"),
        (1.5, 0.05, "MORE"),
        (1.0, 1.5, "INCONCLUSIVE"),
        (0.0, 5.0, "INCONCLUSIVE"),
        (0.9, 0.2, "INCONCLUSIVE"),
    ],
)
def test_the_verdict_follows_from_the_interval(slope: float, noise: float, verdict: str) -> None:
    fit = made(slope, noise=noise)
    assert fit.slope == pytest.approx(slope, abs=1e-12)
    assert (fit.verdict, fit.reason) == (verdict, "")


def test_a_slope_that_is_not_significant_is_not_called_independent_of_the_dose() -> None:
    fit = made(0.0, noise=0.8)
    assert fit.p_zero == pytest.approx(1.0)
    assert fit.high < fit.region[0]
    # Less than proportional is shown; no dependence on the dose is not.
    assert fit.verdict == "LESS"


def test_a_flat_exposure_over_a_wide_range_has_no_interval() -> None:
    fit = estimate_power_model([5.0, 5.0, 5.0, 5.0], [1.0, 1.0, 10.0, 10.0])
    assert (fit.reason, fit.verdict) == ("CONSTANT", "INCONCLUSIVE")
    assert fit.slope == pytest.approx(0.0, abs=1e-14)
    assert math.isnan(fit.low) and math.isnan(fit.p_one)
    line = estimate_power_model([1.0, 2.0, 4.0, 8.0], [1.0, 2.0, 4.0, 8.0])
    assert (line.reason, line.slope) == ("CONSTANT", pytest.approx(1.0))


def test_doses_that_are_too_close_tell_nothing() -> None:
    fit = made(1.0, doses=(1.0, 1.2, 1.5625), noise=0.001)
    assert (fit.verdict, fit.reason) == ("INCONCLUSIVE", "NARROW")
    # The estimate stands all the same, and with it the overlap of the two regions.
    assert fit.low < 1 < fit.high
    flat = power_model.derive_critical_region(fit.dose_ratio, around=0.0)
    assert fit.region[0] <= flat[1] * (1 + 1e-12)
    wider = made(1.0, doses=(1.0, 1.2, 1.6), noise=0.001)
    assert (wider.verdict, wider.reason) == ("PROPORTIONAL", "")


@pytest.mark.parametrize(
    ("exposure", "dose", "study", "reason"),
    [
        ([], [], None, "FEWSUBJ"),
        ([1.0, 2.0], [1.0, 2.0], None, "FEWSUBJ"),
        ([1.0, 2.0, 0.0, math.nan], [1.0, 2.0, 3.0, 3.0], None, "FEWSUBJ"),
        ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], None, "ONELEVEL"),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 5.0, 5.0], ["A", "A", "B", "B"], "DOSESTDY"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], ["A", "A", "B"], "FEWSUBJ"),
    ],
)
def test_what_cannot_be_computed_has_its_reason(
    exposure: list[float], dose: list[float], study: list[str] | None, reason: str
) -> None:
    fit = estimate_power_model(exposure, dose, study)
    assert (fit.reason, fit.verdict) == (reason, "INCONCLUSIVE")
    numbers = (fit.se, fit.low, fit.high, fit.p_zero, fit.p_one, fit.maximal_ratio)
    assert np.isnan(numbers).all()


def test_rows_without_a_logarithm_are_counted() -> None:
    fit = estimate_power_model(
        [*EXPOSURE, 0.0, math.nan, 3.0, -1.0], [*DOSE, 1.0, 1.0, math.nan, 1.0]
    )
    assert (fit.n, fit.n_left_out) == (24, 4)
    assert fit.slope == pytest.approx(estimate_power_model(EXPOSURE, DOSE).slope, rel=1e-12)


@pytest.mark.parametrize(
    ("exposure", "dose", "study", "reason"),
    [
        ([1.0, 2.0, 3.0, 5.0], [1.0, 2.0, 3.0, 3.0], ["A", "A", "B", "B"], "ONELEVEL"),
        ([1.0, 2.0, 3.0, 5.0], [1.0, 2.0, 3.0, 4.0], ["A", "A", "B", "B"], "FEWSUBJ"),
        ([1.0, 2.0, 3.0, 2.0, 4.0, 6.0], [1.0, 2.0, 3.0] * 2, list("AAABBB"), "CONSTANT"),
    ],
)
def test_a_common_slope_that_cannot_be_tested_has_its_reason(
    exposure: list[float], dose: list[float], study: list[str], reason: str
) -> None:
    found = power_model.test_common_slope(exposure, dose, study)
    assert found.reason == reason and math.isnan(found.p)


@settings(max_examples=50, deadline=None)
@given(
    r=st.floats(1.01, 1e4),
    low=st.floats(-2.0, 3.0),
    width=st.floats(0.01, 2.0),
)
def test_the_region_means_a_normalised_ratio_within_its_limits(
    r: float, low: float, width: float
) -> None:
    region = power_model.derive_critical_region(r)
    edges = [power_model.derive_normalised_ratio(edge, r) for edge in region]
    assert edges == pytest.approx([0.80, 1.25], rel=1e-9)
    # At the maximal ratio the interval touches the region; within it, it lies inside.
    widest = power_model.derive_maximal_ratio(low, low + width)
    inner, outer = widest**0.99, widest**1.01
    for ratio, inside in ((inner, True), (outer, False)):
        a, b = power_model.derive_critical_region(ratio)
        assert (a <= low and low + width <= b) is inside


@settings(max_examples=20, deadline=None)
@given(unit=st.floats(1e-6, 1e6), dose_unit=st.floats(1e-6, 1e6))
def test_units_leave_slope_and_verdict(unit: float, dose_unit: float) -> None:
    first = estimate_power_model(EXPOSURE, DOSE)
    second = estimate_power_model(EXPOSURE * unit, DOSE * dose_unit)
    for name in ("slope", "low", "high", "p_zero", "p_one", "dose_ratio", "normalised_ratio"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), rel=1e-6)
    assert second.verdict == first.verdict


def test_a_region_needs_a_range_of_doses_and_limits_around_one() -> None:
    with pytest.raises(ValueError, match="no critical region"):
        power_model.derive_critical_region(1.0)
    with pytest.raises(ValueError, match="no critical region"):
        power_model.derive_critical_region(10.0, (1.1, 1.25))
    with pytest.raises(ValueError, match="are no pairs"):
        estimate_power_model([1.0, 2.0], [1.0])


def test_a_maximal_ratio_beyond_all_numbers_is_empty_with_a_reason() -> None:
    fit = made(1.0, noise=1e-7)
    assert math.isnan(fit.maximal_ratio)
    assert (fit.reason, fit.verdict) == ("OVERFLOW", "PROPORTIONAL")


def test_one_degree_of_freedom_is_enough_for_the_test_of_a_common_slope() -> None:
    # Study A through three doses with residuals 1, -2, 1 times e; study B exactly through two.
    e = 0.1
    logs = np.array([e, 1 - 2 * e, 2 + e, 0.0, 3.0])
    found = power_model.test_common_slope(
        np.exp(logs), np.exp([0.0, 1, 2, 0, 1]), ["A", "A", "A", "B", "B"]
    )
    # Slopes 1 and 3; common slope (2 * 1 + 0.5 * 3) / 2.5, sum of squares between them 1.6.
    assert (found.df, found.df_residual, found.reason) == (1, 1, "")
    assert found.statistic == pytest.approx(1.6 / (6 * e**2))


def test_an_interval_that_touches_a_region_lies_in_it_and_is_not_outside() -> None:
    low, high = power_model.derive_critical_region(10.0)
    flat = power_model.derive_critical_region(10.0, around=0.0)
    judge = power_model.judge_proportionality
    assert judge(low, high, 10.0) == "PROPORTIONAL"
    assert judge(*flat, 10.0) == "INDEPENDENT"
    assert judge(low - 0.1, low, 10.0) == judge(high, high + 0.1, 10.0) == "INCONCLUSIVE"
    assert judge(low - 0.2, low - 0.1, 10.0) == "LESS"
    assert judge(high + 0.1, high + 0.2, 10.0) == "MORE"
    assert judge(1.0, 1.0, 1.25 / 0.80) == "INCONCLUSIVE"
