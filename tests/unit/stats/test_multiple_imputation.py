from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from celldossier.stats.combined_profiles import estimate_clip
from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.multiple_imputation import (
    estimate_pooled_logistic,
    fit_each_imputation,
    pool_estimates,
)

Vector = NDArray[np.float64]

RNG = np.random.default_rng(20131220)
X = RNG.normal(10, 2, (40, 2))
Y = (RNG.random(40) < 1 / (1 + np.exp(11 - X[:, 0]))).astype(float)
NAMES = ["x0", "x1"]
MISSING = np.arange(40) % 4 == 0


def imputed(count: int) -> list[Vector]:
    """Copies of X in which a quarter of the first predictor was drawn anew."""
    rng = np.random.default_rng(5)
    copies = []
    for _ in range(count):
        copy = X.copy()
        copy[MISSING, 0] = rng.normal(10, 2, int(MISSING.sum()))
        copies.append(copy)
    return copies


def test_rubins_rules_and_the_degrees_of_freedom_equal_a_hand_calculation() -> None:
    found = pool_estimates("x", [1.0, 3.0], [1.0, 1.0], complete_df=9)
    # Within 1, between 2, total 1 + 1.5 x 2 = 4, share 3/4; 1 / 0.75^2 = 16/9 and
    # 10/12 x 9 x 1/4 = 15/8 degrees of freedom, together 240/263.
    assert (found.estimate, found.se) == (2.0, 2.0)
    assert found.df == pytest.approx(240 / 263, rel=1e-12)
    assert found.missing_information == pytest.approx((3 + 2 / (240 / 263 + 3)) / 4, rel=1e-12)
    large = pool_estimates("x", [1.0, 3.0], [1.0, 1.0])
    assert large.df == pytest.approx(16 / 9, rel=1e-12)


def test_one_degree_of_freedom_has_the_interval_of_cauchy() -> None:
    # Share 1 where nothing varies within: m - 1 = 1 degree of freedom, a Cauchy variable.
    found = pool_estimates("x", [1.0, 3.0], [1e-30, 1e-30])
    quantile = math.tan(math.pi * 0.475)
    assert found.df == pytest.approx(1.0)
    assert found.high - found.estimate == pytest.approx(math.sqrt(3) * quantile, rel=1e-9)
    expected = 1 - 2 * math.atan(2 / math.sqrt(3)) / math.pi
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_pooling_equal_imputations_gives_the_single_fit() -> None:
    single = estimate_logistic(Y, X, NAMES, "ML")
    pooled = estimate_pooled_logistic(Y, [X, X, X], NAMES)
    assert (pooled.n, pooled.events, pooled.imputations) == (40, int(Y.sum()), 3)
    assert (pooled.method, pooled.reason) == ("ML", "")
    assert [term.name for term in pooled.coefficients] == ["x0", "x1", "(Intercept)"]
    for term in pooled.coefficients:
        assert term.estimate == pytest.approx(single.coefficient(term.name).estimate, rel=1e-12)
        assert term.se == pytest.approx(single.coefficient(term.name).se, rel=1e-12)
        assert term.df == pytest.approx(38 / 40 * 37, rel=1e-12)


def test_missing_values_widen_the_interval() -> None:
    copies = imputed(5)
    pooled = estimate_pooled_logistic(Y, copies, NAMES).coefficient("x0")
    fits = fit_each_imputation(Y, copies, NAMES, "ML")
    estimates = [fit.coefficient("x0").estimate for fit in fits]
    variances = [fit.coefficient("x0").se ** 2 for fit in fits]
    assert pooled.estimate == pytest.approx(np.mean(estimates), rel=1e-12)
    total = np.mean(variances) + 1.2 * np.var(estimates, ddof=1)
    assert pooled.se == pytest.approx(math.sqrt(total), rel=1e-12)
    assert pooled.df < 38 / 40 * 37
    assert 0 < pooled.missing_information < 1


def test_a_single_imputation_has_an_estimate_and_a_reason() -> None:
    term = estimate_pooled_logistic(Y, [X], NAMES).coefficient("x0")
    assert term.reason == "FEWIMPUT"
    single = estimate_logistic(Y, X, NAMES, "ML").coefficient("x0")
    assert term.estimate == pytest.approx(single.estimate, rel=1e-12)
    assert np.isnan([term.se, term.low, term.high, term.p, term.df]).all()


@pytest.mark.parametrize("count", [1, 3])
def test_clip_of_equal_imputations_gives_the_limits_of_the_single_profile(count: int) -> None:
    single = estimate_logistic(Y, X, NAMES, "FIRTH", level=0.9)
    pooled = estimate_clip(Y, [X] * count, NAMES, level=0.9)
    assert (pooled.method, pooled.reason, pooled.imputations) == ("FIRTH", "", count)
    for name in NAMES:
        found, expected = pooled.coefficient(name), single.coefficient(name)
        for item in ("estimate", "low", "high", "p"):
            assert getattr(found, item) == pytest.approx(getattr(expected, item), rel=1e-6), item
        assert math.isnan(found.se) and not found.reason


def test_clip_of_separated_data_is_finite_and_equals_the_single_profile() -> None:
    x = np.arange(20.0)
    y = (x >= 10).astype(float)
    single = estimate_logistic(y, x * 1e3, ["x"], "FIRTH").coefficient("x")
    pooled = estimate_clip(y, [x * 1e3, x * 1e3], ["x"])
    assert pooled.separation
    found = pooled.coefficient("x")
    assert found.low == pytest.approx(single.low, rel=1e-5)
    assert found.high == pytest.approx(single.high, rel=1e-5)


def profile_function(x: Vector, values: Vector) -> Vector:
    """Distribution function of one profile, by another way: scalar search of the intercept.

    The penalty is written out for one predictor, the intercept found by golden section
    and parabolas, the maximum by the simplex: nothing of it is shared with the package.
    """
    from scipy.optimize import minimize, minimize_scalar
    from scipy.stats import norm

    z = x - x.mean()

    def negative(intercept: float, slope: float) -> float:
        p = 1 / (1 + np.exp(-(intercept + slope * z)))
        w = p * (1 - p)
        information = w.sum() * (w * z * z).sum() - (w * z).sum() ** 2
        loglike = float((Y * np.log(p) + (1 - Y) * np.log(1 - p)).sum())
        return -loglike - 0.5 * math.log(information)

    best = minimize(
        lambda point: negative(point[0], point[1]),
        [0.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 2000},
    )
    result = []
    for value in values:
        held = minimize_scalar(
            negative, bracket=(-1.0, 1.0), args=(float(value),), options={"xtol": 1e-10}
        )
        root = math.sqrt(max(0.0, 2 * (held.fun - best.fun)))
        result.append(norm.cdf(math.copysign(root, value - best.x[1])))
    return np.array(result)


def test_clip_limits_are_where_averaged_profiles_of_a_second_method_reach_their_shares() -> None:
    copies = [copy[:, 0] for copy in imputed(3)]
    pooled = estimate_clip(Y, copies, ["x"]).coefficient("x")
    points = np.array([pooled.low, 0.0, pooled.high])
    below, at_zero, above = np.mean([profile_function(x, points) for x in copies], axis=0)
    assert below == pytest.approx(0.025, abs=1e-7)
    assert above == pytest.approx(0.975, abs=1e-7)
    assert pooled.p == pytest.approx(2 * min(at_zero, 1 - at_zero), rel=1e-5)
    # The whole function on a grid, read off without knowing the limits.
    grid = np.linspace(pooled.low - 0.2, pooled.high + 0.2, 41)
    average = np.mean([profile_function(x, grid) for x in copies], axis=0)
    assert (np.diff(average) > 0).all()
    low, high = np.interp([0.025, 0.975], average, grid)
    assert low == pytest.approx(pooled.low, abs=0.01)
    assert high == pytest.approx(pooled.high, abs=0.01)
    # Imputations that disagree are less sure than the profile of any one of them on average.
    single = [estimate_logistic(Y, x, ["x"], "FIRTH").coefficient("x") for x in copies]
    assert pooled.high - pooled.low > np.mean([term.high - term.low for term in single])


def test_clip_of_two_opposite_imputations_is_symmetric() -> None:
    x = X[:, 0] - X[:, 0].mean()
    found = estimate_clip(Y, [x, -x], ["x"]).coefficient("x")
    assert found.estimate == pytest.approx(0.0, abs=1e-9)
    assert found.low == pytest.approx(-found.high, rel=1e-7)
    assert found.p == pytest.approx(1.0, abs=1e-9)


def test_the_unit_and_the_order_of_imputations_leave_clip() -> None:
    copies = imputed(3)
    first = estimate_clip(Y, copies, NAMES, tested=["x0"])
    second = estimate_clip(Y, [copy * 1e4 for copy in copies[::-1]], NAMES, tested=["x0"])
    for item in ("estimate", "low", "high"):
        found = getattr(second.coefficient("x0"), item) * 1e4
        assert found == pytest.approx(getattr(first.coefficient("x0"), item), rel=1e-6)
    assert math.isnan(first.coefficient("x1").low)
    assert math.isfinite(first.coefficient("x1").estimate)


def test_what_cannot_be_pooled_has_its_reason() -> None:
    constant = X.copy()
    constant[:, 0] = 3.0
    for pooled in (
        estimate_clip(Y, [X, constant], NAMES),
        estimate_pooled_logistic(Y, [X, constant], NAMES),
    ):
        assert (pooled.reason, pooled.coefficients) == ("CONSTANT", ())
    assert estimate_clip(0 * Y, [X], NAMES).reason == "NOEVENT"
    separated = X.copy()
    separated[:, 0] = Y + 0.01 * X[:, 1]
    refused = estimate_pooled_logistic(Y, [X, separated], NAMES)
    assert refused.reason == "SEPAR" and refused.separation
    assert not estimate_clip(Y, [X, separated], NAMES).reason


def test_no_imputation_and_unequal_lists_are_errors() -> None:
    with pytest.raises(ValueError, match="no imputation"):
        estimate_clip(Y, [], NAMES)
    for variances in ([1.0], [1.0, 0.0], [1.0, math.nan]):
        with pytest.raises(ValueError, match="positive variances are needed"):
            pool_estimates("x", [1.0, 2.0], variances)


def test_a_mirrored_predictor_has_the_mirrored_limits_and_the_same_p_in_clip() -> None:
    copies = [copy[:, 0] for copy in imputed(2)]
    found = estimate_clip(Y, copies, ["x"]).coefficient("x")
    other = estimate_clip(Y, [-copy for copy in copies], ["x"]).coefficient("x")
    assert (other.low, other.high) == pytest.approx((-found.high, -found.low), rel=1e-6)
    assert other.p == pytest.approx(found.p, rel=1e-6)
