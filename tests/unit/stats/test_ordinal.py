from __future__ import annotations

import math

import numpy as np
import pytest

from celldossier.stats import brant, ordinal

RNG = np.random.default_rng(7)
X = RNG.normal(0, 1, 150)
LATENT = 1.1 * X + RNG.logistic(size=150)
GRADE = np.digitize(LATENT, [-1, 0.5, 2, 4]).astype(float)


def test_brant_equals_the_closed_form_for_a_binary_predictor() -> None:
    # With a binary predictor each cut is saturated: slopes are differences of empirical
    # logits, and their variance follows from the multinomial by the delta method.
    counts = {0.0: (20, 15, 25), 1.0: (12, 30, 18)}
    x = np.concatenate([np.full(sum(row), value) for value, row in counts.items()])
    y = np.concatenate([np.repeat([0.0, 1.0, 2.0], row) for row in counts.values()])
    difference, variance = 0.0, 0.0
    for value, (a, b, c) in counts.items():
        n = a + b + c
        p1, p2 = (b + c) / n, c / n
        sign = 1 if value == 1.0 else -1
        difference += sign * (math.log(p1 / (1 - p1)) - math.log(p2 / (1 - p2)))
        g1, g2 = 1 / (p1 * (1 - p1)), 1 / (p2 * (1 - p2))
        variance += (
            g1**2 * p1 * (1 - p1) + g2**2 * p2 * (1 - p2) - 2 * g1 * g2 * p2 * (1 - p1)
        ) / n
    found = brant.test_proportional_odds(y, x)
    assert found.df == 1 and found.levels == (0.0, 1.0, 2.0)
    assert found.chi_squared == pytest.approx(difference**2 / variance, rel=1e-8)


def test_brant_rejects_where_the_slope_turns_round() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    low = rng.random(400) < 1 / (1 + np.exp(-1.5 * x))
    high = low & (rng.random(400) < 1 / (1 + np.exp(1.5 * x)))
    found = brant.test_proportional_odds(low.astype(float) + high, x)
    assert found.p < 1e-6


def test_sparse_grades_are_joined_before_the_test_and_named() -> None:
    grade = GRADE.copy()
    grade[grade == 4] = 3
    grade[np.argmax(LATENT)] = 4
    found = brant.test_proportional_odds(grade, X)
    assert found.levels == (0.0, 1.0, 2.0, 3.0)
    assert found.df == 2 and 0 < found.p < 1


def test_two_grades_have_no_proportional_odds_to_test() -> None:
    grade = (GRADE > 1).astype(float)
    assert ordinal.estimate_proportional_odds(grade, X, ["x"]).reason == "TWOLEVEL"
    found = brant.test_proportional_odds(grade, X)
    assert found.reason == "TWOLEVEL" and math.isnan(found.p)


def test_a_profile_limit_of_the_ordinal_model_is_exact() -> None:
    from scipy.optimize import minimize
    from scipy.special import expit

    fit = ordinal.estimate_proportional_odds(GRADE, X, ["x"])
    codes = np.unique(GRADE, return_inverse=True)[1]

    def held(slope: float) -> float:
        def negative(params: np.ndarray) -> float:
            cuts = np.concatenate(
                [[-np.inf], np.cumsum([params[0], *np.exp(params[1:])]), [np.inf]]
            )
            p = expit(cuts[codes + 1] - slope * X) - expit(cuts[codes] - slope * X)
            return -float(np.log(p).sum())

        start = np.array([-1.0, 0.4, 0.4, 0.7])
        return -float(minimize(negative, start, method="BFGS", options={"gtol": 1e-7}).fun)

    for limit in (fit.coefficients[0].low, fit.coefficients[0].high):
        assert held(limit) == pytest.approx(fit.loglike - 3.841458820694124 / 2, abs=1e-7)


def test_the_scale_and_the_place_of_a_predictor_do_not_matter() -> None:
    first = ordinal.estimate_proportional_odds(GRADE, X, ["x"])
    second = ordinal.estimate_proportional_odds(GRADE, 1000 + 50 * X, ["x"])
    assert second.coefficients[0].estimate * 50 == pytest.approx(
        first.coefficients[0].estimate, rel=1e-6
    )
    assert second.coefficients[0].low * 50 == pytest.approx(first.coefficients[0].low, rel=1e-5)
    shift = second.coefficients[0].estimate * 1000
    assert second.coefficients[1].estimate - shift == pytest.approx(
        first.coefficients[1].estimate, rel=1e-5
    )


@pytest.mark.parametrize(
    ("grade", "x", "reason"),
    [
        ([0, 1, 2], [1.0, 2.0, 3.0], "FEWSUBJ"),
        ([0, 1, 2] * 5, [4.0] * 15, "CONSTANT"),
        (np.repeat([0.0, 1.0, 2.0], 6), np.arange(18.0), "SEPAR"),
    ],
)
def test_what_has_no_ordinal_estimate_says_why(
    grade: list[float], x: list[float], reason: str, recwarn: pytest.WarningsRecorder
) -> None:
    fit = ordinal.estimate_proportional_odds(grade, x, ["x"])
    assert fit.reason == reason and fit.coefficients == ()
    assert not list(recwarn)


def test_dependent_predictors_have_no_proportional_odds_estimate_but_a_reason() -> None:
    found = ordinal.estimate_proportional_odds(GRADE, np.column_stack([X, 2 * X + 1]), ["x", "y"])
    assert found.reason == "COLLIN" and found.coefficients == ()


def test_a_slope_that_is_not_tested_has_its_estimate_and_error_alone() -> None:
    x = np.column_stack([X, RNG.normal(size=X.size)])
    all_of_them = ordinal.estimate_proportional_odds(GRADE, x, ["x", "z"])
    one = ordinal.estimate_proportional_odds(GRADE, x, ["x", "z"], tested=["x"])
    assert one.coefficients[0] == all_of_them.coefficients[0]
    plain, tested = one.coefficients[1], all_of_them.coefficients[1]
    assert (plain.estimate, plain.se) == (tested.estimate, tested.se)
    assert math.isnan(plain.low) and math.isnan(plain.p)


def test_predicted_grades_are_those_of_statsmodels() -> None:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    fit = ordinal.estimate_proportional_odds(GRADE, X, ["x"], tested=[])
    codes = np.searchsorted(np.unique(GRADE), GRADE)
    other = OrderedModel(codes, X[:, None], distr="logit").fit(method="bfgs", disp=0, gtol=1e-9)
    grade = np.asarray(other.predict(X[:, None]))
    at_least = grade[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    assert ordinal.predict_cumulative(fit, X) == pytest.approx(at_least, abs=1e-6)


def test_a_cut_with_just_enough_subjects_on_each_side_is_kept() -> None:
    grade = np.repeat([0.0, 1.0, 2.0], [5, 20, 5])
    x = np.random.default_rng(4).normal(size=30)
    assert brant.test_proportional_odds(grade, x).levels == (0, 1, 2)
    assert brant.test_proportional_odds(grade, x, 6).reason == "TWOLEVEL"


def test_a_subject_more_than_coefficients_is_needed() -> None:
    # Two thresholds and a slope beside the lowest of three grades: five subjects at least.
    x = np.array([1.0, 3.0, 2.0, 4.0])
    assert ordinal.estimate_proportional_odds([0, 1, 2, 1], x, ["x"]).reason == "FEWSUBJ"
    more = ordinal.estimate_proportional_odds([0, 1, 2, 1, 0], np.append(x, 5.0), ["x"])
    assert more.reason != "FEWSUBJ"
