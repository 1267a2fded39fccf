"""Linear models: held against statsmodels, closed forms and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.linear_model import (
    check_collinearity,
    estimate_bootstrap,
    estimate_linear,
)


def data(n: int = 40, k: int = 3, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, k)) * 10.0 ** np.arange(k) + 5
    return x[:, 0] * 0.5 + random.standard_normal(n), x


def test_estimates_intervals_and_p_are_those_of_statsmodels() -> None:
    import statsmodels.api as sm

    y, x = data()
    fit = estimate_linear(y, [x], ["A", "B", "C"], 0.9)
    reference = sm.OLS(y, sm.add_constant(x)).fit()
    for j, item in enumerate(fit.coefficients, start=1):
        low, high = reference.conf_int(0.1)[j]
        assert item.estimate == pytest.approx(reference.params[j], rel=1e-9)
        assert item.se == pytest.approx(reference.bse[j], rel=1e-9)
        assert (item.low, item.high) == pytest.approx((low, high), rel=1e-8)
        assert item.p == pytest.approx(reference.pvalues[j], rel=1e-8)
    assert fit.r_squared == pytest.approx(reference.rsquared, rel=1e-9)


def test_inflation_factors_are_those_of_the_regressions_on_the_others() -> None:
    _, x = data(60, 4, 2)
    x[:, 3] = x[:, 0] + 0.3 * x[:, 3] / 1000
    found = check_collinearity(x)
    for j in range(4):
        others = np.delete(x, j, axis=1)
        share = estimate_linear(x[:, j], [others], ["A", "B", "C"]).r_squared
        assert found.inflation[j] == pytest.approx(1 / (1 - share), rel=1e-7)
    assert found.rank == 5


def test_orthogonal_predictors_have_a_condition_number_of_one() -> None:
    x = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    found = check_collinearity(x)
    assert found.condition == pytest.approx(1.0)
    assert found.inflation == pytest.approx((1.0, 1.0))


def test_two_predictors_of_known_correlation_have_the_closed_form_condition_number() -> None:
    random = np.random.default_rng(4)
    q = np.linalg.qr(random.standard_normal((30, 2)) - 0.0)[0]
    q = q - q.mean(axis=0)
    q = np.linalg.qr(q)[0]
    rho = 0.8
    x = np.column_stack([q[:, 0], rho * q[:, 0] + math.sqrt(1 - rho**2) * q[:, 1]])
    assert check_collinearity(x).condition == pytest.approx(math.sqrt((1 + rho) / (1 - rho)))


def test_dependent_constant_and_too_many_predictors_are_refused() -> None:
    y, x = data()
    assert estimate_linear(y, [np.column_stack([x, x[:, 0] * 2])], list("ABCD")).reason == "COLLIN"
    assert estimate_linear(y, [np.column_stack([x, y * 0])], list("ABCD")).reason == "CONSTANT"
    assert estimate_linear(y[:4], [x[:4]], list("ABC")).reason == "FEWSUBJ"
    assert estimate_linear(y * 0, [x], list("ABC")).reason == "CONSTANT"


def test_equal_imputations_give_the_estimate_of_one_and_pooled_rules_widen_with_differences() -> (
    None
):
    y, x = data()
    one = estimate_linear(y, [x], list("ABC")).coefficients[0]
    same = estimate_linear(y, [x, x, x], list("ABC")).coefficients[0]
    assert same.estimate == pytest.approx(one.estimate)
    assert same.se == pytest.approx(one.se)
    other = x + np.random.default_rng(3).standard_normal(x.shape)
    spread = estimate_linear(y, [x, other], list("ABC")).coefficients[0]
    assert spread.missing_information > 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.floats(0.01, 100))
def test_the_scale_of_a_predictor_changes_its_slope_alone(seed: int, factor: float) -> None:
    y, x = data(30, 2, seed)
    first = estimate_linear(y, [x], ["A", "B"])
    scaled = estimate_linear(y, [x * [factor, 1]], ["A", "B"])
    assert scaled.coefficients[0].estimate * factor == pytest.approx(
        first.coefficients[0].estimate, rel=1e-6
    )
    assert scaled.coefficients[1].p == pytest.approx(first.coefficients[1].p, rel=1e-6)


def test_the_bootstrap_interval_is_near_the_one_of_the_model_and_is_repeatable() -> None:
    y, x = data(150, 2, 6)
    model = estimate_linear(y, [x], ["A", "B"], 0.9).coefficients[0]
    first = estimate_bootstrap(y, [x], samples=400, seed=3, level=0.9)
    assert first == estimate_bootstrap(y, [x], samples=400, seed=3, level=0.9)
    assert first.used == 400
    assert first.high[0] - first.low[0] == pytest.approx(model.high - model.low, rel=0.2)
    assert first.low[0] == pytest.approx(model.low, abs=0.3 * model.se)


def test_a_level_that_most_samples_lack_leaves_the_bootstrap_without_interval() -> None:
    y, _ = data(20)
    x = np.zeros((20, 1))
    x[0] = 1.0
    found = estimate_bootstrap(y, [x], samples=100, seed=1)
    assert found.reason == "NOCONV" and math.isnan(found.low[0])


@pytest.mark.parametrize(("members", "reason"), [(2, "NOCONV"), (3, "")])
def test_a_bootstrap_interval_takes_nine_samples_in_ten(members: int, reason: str) -> None:
    # A sample of 40 lacks a level of m subjects with probability (1 - m/40)^40: 12.9 % for
    # two, 4.4 % for three.
    y, _ = data(40)
    level = (np.arange(40) < members).astype(float)[:, None]
    found = estimate_bootstrap(y, [level], samples=1000, seed=1)
    assert found.reason == reason
    assert 1 - found.used / found.samples == pytest.approx((1 - members / 40) ** 40, abs=0.03)


def test_nine_samples_of_ten_are_enough_for_a_bootstrap_interval() -> None:
    y, _ = data(20)
    level = (np.arange(20) < 2).astype(float)[:, None]
    # A sample lacks the level with probability (18/20)^20 = 0.12: some seed loses just one.
    tries = (estimate_bootstrap(y, [level], samples=10, seed=seed) for seed in range(50))
    found = next(one for one in tries if one.used == 9)
    assert found.reason == "" and found.low[0] < found.high[0]


def test_the_unit_of_a_predictor_is_that_of_its_bootstrap_limits() -> None:
    y, x = data()
    first = estimate_bootstrap(y, [x], samples=40, seed=3)
    other = estimate_bootstrap(y, [x * [1.0, 1000.0, 1.0]], samples=40, seed=3)
    for limits, changed in ((first.low, other.low), (first.high, other.high)):
        assert changed == pytest.approx(np.array(limits) / [1.0, 1000.0, 1.0])


def test_nothing_is_missing_where_there_is_one_data_set() -> None:
    y, x = data()
    fit = estimate_linear(y, [x], ["a", "b", "c"])
    assert [item.missing_information for item in fit.coefficients] == [0, 0, 0]
