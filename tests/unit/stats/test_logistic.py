from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats import logistic_fits
from celldossier.stats.logistic import (
    choose_method,
    detect_separation,
    estimate_logistic,
    odds_ratio,
    predict_probability,
)

RNG = np.random.default_rng(20231123)
X = RNG.normal(12, 2, 60)
Y = (RNG.random(60) < 1 / (1 + np.exp(-(X - 12)))).astype(float)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
@settings(max_examples=10, deadline=None)
@given(factor=st.floats(1e-6, 1e6))
def test_scaling_a_metric_leaves_the_odds_ratio_per_doubling(method: str, factor: float) -> None:
    exposure = 2.0**X
    first = estimate_logistic(Y, np.log2(exposure), ["x"], method)
    second = estimate_logistic(Y, np.log2(exposure * factor), ["x"], method)
    for name in ("estimate", "se", "low", "high", "p"):
        found = getattr(second.coefficient("x"), name)
        assert found == pytest.approx(getattr(first.coefficient("x"), name), rel=1e-6)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(60)))
def test_the_order_of_the_rows_does_not_matter(method: str, order: list[int]) -> None:
    first = estimate_logistic(Y, X, ["x"], method).coefficient("x")
    second = estimate_logistic(Y[order], X[order], ["x"], method).coefficient("x")
    for name in ("estimate", "se", "low", "high", "p"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), rel=1e-7)


def test_a_two_by_two_table_gives_its_odds_ratio() -> None:
    x = np.repeat([1.0, 1.0, 0.0, 0.0], [8, 2, 5, 15])
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [8, 2, 5, 15])
    slope = estimate_logistic(y, x, ["x"], "ML").coefficient("x")
    assert slope.estimate == pytest.approx(math.log(8 * 15 / (2 * 5)), rel=1e-10)
    assert slope.se == pytest.approx(math.sqrt(1 / 8 + 1 / 2 + 1 / 5 + 1 / 15), rel=1e-8)


def test_firth_of_a_two_by_two_table_adds_half_to_each_cell() -> None:
    # Firth 1993: with a saturated model the penalty is half a subject in each cell.
    x = np.repeat([1.0, 0.0, 0.0], [10, 3, 17])
    y = np.repeat([1.0, 1.0, 0.0], [10, 3, 17])
    fit = estimate_logistic(y, x, ["x"], "FIRTH")
    assert fit.separation
    expected = math.log((10.5 * 17.5) / (0.5 * 3.5))
    assert fit.coefficient("x").estimate == pytest.approx(expected, rel=1e-7)
    assert 0 < fit.coefficient("x").low < fit.coefficient("x").high < math.inf


def test_separated_data_never_give_an_infinite_odds_ratio() -> None:
    x = np.arange(20.0)
    y = (x >= 10).astype(float)
    assert detect_separation(y, x)
    fit = estimate_logistic(y, x * 1e6, ["x"], "ML")
    assert fit.method == "FIRTH" and fit.separation and not fit.reason
    assert math.isfinite(fit.coefficient("x").estimate)
    assert fit.coefficient("x").low > 0
    p, low, high = predict_probability(fit, x * 1e6)
    assert np.isfinite([p, low, high]).all()


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        ([], np.empty((0, 1)), "NOSUBJ"),
        ([0, 0, 0], [[1.0], [2.0], [3.0]], "NOEVENT"),
        ([1, 1, 1], [[1.0], [2.0], [3.0]], "ALLEVENT"),
        ([0, 1, 0], [[7.1], [7.1], [7.1]], "CONSTANT"),
        ([0, 1, 0, 1], [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]], "COLLIN"),
        ([0, 1], [[1.0, 2.0], [2.0, 3.0]], "COLLIN"),
    ],
)
def test_what_has_no_estimate_says_why(
    y: list[float], x: list[list[float]], reason: str, recwarn: pytest.WarningsRecorder
) -> None:
    x = np.asarray(x)
    names = [f"x{j}" for j in range(x.shape[1])]
    for method in ("ML", "FIRTH"):
        fit = estimate_logistic(y, x, names, method)
        assert fit.reason == reason and fit.coefficients == () and not fit.separation
    assert not list(recwarn)


def test_a_firth_fit_that_does_not_converge_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    from celldossier.stats import logistic_fits

    monkeypatch.setattr(logistic_fits, "TOLERANCES", (1e-300,))
    fit = estimate_logistic(Y, X, ["x"], "FIRTH")
    assert fit.reason == "NOCONV" and fit.coefficients == ()


def test_missing_values_and_other_outcomes_are_not_taken() -> None:
    with pytest.raises(ValueError, match="complete rows"):
        estimate_logistic([0, 1, 1], [1.0, math.nan, 2.0], ["x"], "ML")
    with pytest.raises(ValueError, match="0 or 1"):
        estimate_logistic([0, 1, 2], [1.0, 3.0, 2.0], ["x"], "ML")


@pytest.mark.parametrize(
    ("events", "n", "slopes", "method"),
    [(10, 100, 1, "ML"), (9, 100, 1, "FIRTH"), (91, 100, 1, "FIRTH"), (19, 60, 2, "FIRTH")],
)
def test_the_method_follows_from_the_rarer_outcome_per_slope(
    events: int, n: int, slopes: int, method: str
) -> None:
    assert choose_method(events, n, slopes, 10) == method


def test_the_area_under_the_curve_is_that_of_the_linear_predictor() -> None:
    fit = estimate_logistic(Y, X, ["x"], "ML")
    pairs = [(a, b) for a in X[Y == 1] for b in X[Y == 0]]
    expected = sum(a > b for a, b in pairs) / len(pairs)
    assert fit.auc == pytest.approx(expected, rel=1e-12)


def test_the_intercept_interval_belongs_to_the_predictors_as_given() -> None:
    plain = estimate_logistic(Y, X, ["x"], "ML", intercept_interval=True)
    moved = estimate_logistic(Y, X - 12, ["x"], "ML", intercept_interval=True)
    assert moved.coefficient("x").low == pytest.approx(plain.coefficient("x").low, rel=1e-8)
    assert moved.coefficient("(Intercept)").low != plain.coefficient("(Intercept)").low
    half = (plain.coefficient("(Intercept)").high - plain.coefficient("(Intercept)").low) / 2
    assert half == pytest.approx(1.96 * plain.coefficient("(Intercept)").se, rel=0.1)
    # Where it is not asked for there is none.
    assert math.isnan(estimate_logistic(Y, X, ["x"], "ML").coefficients[-1].low)


def test_an_odds_ratio_beyond_the_range_of_numbers_is_missing_not_infinite() -> None:
    assert odds_ratio(math.log(2)) == pytest.approx(2)
    assert math.isnan(odds_ratio(1e4)) and odds_ratio(-1e4) == 0
    assert math.isnan(odds_ratio(math.nan))


def test_a_profile_limit_of_firth_lies_on_its_own_side_and_on_the_profile() -> None:
    # firthmodels 0.8.2 gives the lower limit of the first slope, -0.192, for the upper one too.
    from scipy.optimize import minimize
    from scipy.special import expit

    first = [0.3, 1.6, 0.2, -1.2, 0.3, -0.8, 0.5, -1.1, 1.3, 0.9, -0.7, -1.3]
    second = [0.5, 1.3, 0.4, -0.4, 0.8, -0.8, 0.7, 0.3, 0.0, 1.0, -0.4, -1.1]
    y = np.array([1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0])
    fit = estimate_logistic(y, np.column_stack([first, second]), ["a", "b"], "FIRTH")
    design = np.column_stack([first, second, np.ones(12)])

    def negative(params: list[float]) -> float:
        linear = design @ params
        weight = expit(linear) * expit(-linear)
        sign, log = np.linalg.slogdet(design.T @ (design * weight[:, None]))
        if sign <= 0:
            return math.inf
        return float(np.logaddexp(0, np.where(y == 1, -linear, linear)).sum() - log / 2)

    def deviance(position: int, value: float) -> float:
        """Twice the fall of the likelihood, by the simplex from several starts."""
        lowest = [
            minimize(
                lambda rest: negative(np.insert(rest, position, value).tolist()),
                np.delete(start, position),
                method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000},
            ).fun
            for start in ([2.0, 0.3, -0.5], [20.0, 5.0, -5.0], [36.0, -26.0, 7.0])
        ]
        estimates = [item.estimate for item in fit.coefficients]
        return 2 * (min(lowest) - negative(estimates))

    for position, name in enumerate(("a", "b")):
        term = fit.coefficient(name)
        assert term.low < term.estimate < term.high
        for limit in (term.low, term.high):
            assert deviance(position, limit) == pytest.approx(3.8414588, abs=1e-4)


def test_p_of_maximum_likelihood_is_that_of_the_likelihood_ratio() -> None:
    from scipy.stats import chi2
    from statsmodels.discrete.discrete_model import Logit

    other = RNG.normal(0, 1, 60)
    fit = estimate_logistic(Y, np.column_stack([X, other]), ["x", "other"], "ML")
    one = np.ones(60)
    full = Logit(Y, np.column_stack([one, X, other])).fit(disp=0)
    for name, rest in (("x", other), ("other", X)):
        null = Logit(Y, np.column_stack([one, rest])).fit(disp=0)
        p = chi2.sf(2 * (full.llf - null.llf), 1)
        assert fit.coefficient(name).p == pytest.approx(p, rel=1e-6)


def test_a_p_of_firth_that_is_not_that_of_the_profile_gives_way_to_it(monkeypatch) -> None:
    fit = estimate_logistic(Y, X, ["x"], "FIRTH")
    true = fit.coefficients[0].p
    hold = logistic_fits._hold_to_profile

    def spoil(y, design, params, position, found, se, level):
        low, high, p = found
        return hold(y, design, params, position, (low, high, 1.01 * p), se, level)

    monkeypatch.setattr(logistic_fits, "_hold_to_profile", spoil)
    other = estimate_logistic(Y, X, ["x"], "FIRTH")
    assert other.coefficients[0].p == pytest.approx(true, rel=2e-4)
