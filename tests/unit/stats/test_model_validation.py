"""Refits, optimism, influence and calibration against loops and statsmodels."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from celldossier.stats import calibration, model_validation
from celldossier.stats.discrimination import estimate_area_under_curve
from celldossier.stats.logistic import Method, estimate_logistic
from celldossier.stats.logistic_refits import refit_logistic
from celldossier.stats.model_validation import estimate_influence, estimate_optimism


def draw(n: int, seed: int, slope: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(14, 1.5, n), rng.normal(size=n)])
    p = 1 / (1 + np.exp(-slope * (x[:, 0] - 14.5) - 0.3 * x[:, 1]))
    return (rng.random(n) < p).astype(float), x


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_a_refit_is_the_fit_of_the_rows_repeated(method: Method) -> None:
    y, x = draw(60, 2)
    counts = np.random.default_rng(4).multinomial(60, np.full(60, 1 / 60), size=15).astype(float)
    refits = refit_logistic(y, x, counts, method)
    for row, count in enumerate(counts.astype(int)):
        fit = estimate_logistic(
            np.repeat(y, count), np.repeat(x, count, axis=0), ["a", "b"], method, tested=[]
        )
        expected = [item.estimate for item in fit.coefficients[:-1]] + [fit.flic_intercept]
        assert refits.params[row] == pytest.approx(expected, abs=1e-6)
        assert bool(refits.penalised[row]) == (fit.method == "FIRTH")


def test_a_separated_refit_gives_way_to_firth_as_the_model_does() -> None:
    y = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1], dtype=float)
    x = np.arange(10.0)
    counts = np.ones((2, 10))
    counts[1, 4] = 0  # without this subject the two outcomes no longer overlap
    refits = refit_logistic(y, x, counts, "ML")
    assert refits.penalised.tolist() == [False, True]
    kept = counts[1] == 1
    fit = estimate_logistic(y[kept], x[kept], ["x"], "ML", tested=[])
    assert fit.separation
    assert refits.params[1, 0] == pytest.approx(fit.coefficients[0].estimate, abs=1e-5)


def test_quasi_separated_refits_are_found_too() -> None:
    y = np.array([0, 0, 0, 1, 0, 1, 1, 1], dtype=float)
    x = np.array([1, 2, 3, 3, 3, 4, 5, 6], dtype=float)
    assert refit_logistic(y, x, np.ones((1, 8)), "ML").penalised[0]


def test_a_refit_without_both_outcomes_is_no_fit() -> None:
    y, x = draw(30, 1)
    refits = refit_logistic(y, x, np.vstack([y, 1 - y, np.zeros(30)]), "FIRTH")
    assert not refits.fitted.any()
    assert np.isnan(refits.params).all()


def test_a_refit_with_a_predictor_that_no_longer_varies_is_no_fit() -> None:
    y, x = draw(40, 6)
    x[:, 1] = 0
    x[0, 1] = 1
    counts = np.ones((1, 40))
    counts[0, 0] = 0
    assert not refit_logistic(y, x, counts, "FIRTH").fitted[0]


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_optimism_is_that_of_a_loop_over_resamples(method: Method) -> None:
    y, x = draw(50, 9)
    found = estimate_optimism(y, x, method, 12, 77)
    draws = np.random.default_rng(77).multinomial(50, np.full(50, 1 / 50), size=12)
    differences = []
    for count in draws:
        rows = np.repeat(np.arange(50), count)
        fit = estimate_logistic(y[rows], x[rows], ["a", "b"], method, tested=[])
        slopes = np.array([item.estimate for item in fit.coefficients[:-1]])
        linear = x @ slopes + fit.flic_intercept
        both = [_indices(y[rows], linear[rows]), _indices(y, linear)]
        differences.append({name: both[0][name] - both[1][name] for name in both[0]})
    assert found.failed == 0
    for name in model_validation.INDICES:
        optimism = np.mean([each[name] for each in differences])
        assert found.apparent[name] - found.corrected[name] == pytest.approx(optimism, abs=1e-6)


def _indices(y: np.ndarray, linear: np.ndarray) -> dict[str, float]:
    p = 1 / (1 + np.exp(-linear))
    intercept, slope = sm.Logit(y, sm.add_constant(linear)).fit(disp=0, method="newton").params
    return {
        "auc": float(roc_auc_score(y, linear)),
        "brier": float(((y - p) ** 2).mean()),
        "intercept": float(intercept),
        "slope": float(slope),
    }


def test_a_model_of_noise_is_optimistic_and_the_bootstrap_says_so() -> None:
    rng = np.random.default_rng(12)
    y, x = (rng.random(60) < 0.4).astype(float), rng.normal(size=(60, 4))
    found = estimate_optimism(y, x, "ML", 200, 1)
    assert found.apparent["slope"] == pytest.approx(1, abs=1e-6)
    assert found.apparent["intercept"] == pytest.approx(0, abs=1e-6)
    assert found.corrected["slope"] < 0.7
    assert found.corrected["auc"] < found.apparent["auc"] - 0.03
    assert found.corrected["brier"] > found.apparent["brier"]


def test_resamples_without_both_outcomes_are_counted_as_failed() -> None:
    rng = np.random.default_rng(5)
    y = np.zeros(20)
    y[3] = 1
    found = estimate_optimism(y, rng.normal(size=20), "FIRTH", 100, 3)
    # A subject is missing from a resample with probability (1 - 1/20)^20 = 0.36.
    assert 20 <= found.failed <= 55


def test_the_same_seed_gives_the_same_optimism_and_500_resamples_take_seconds() -> None:
    y, x = draw(120, 21)
    start = time.process_time()
    one = estimate_optimism(y, x, "FIRTH", 500, 8)
    assert time.process_time() - start < 5
    assert one == estimate_optimism(y, x, "FIRTH", 500, 8)
    assert one != estimate_optimism(y, x, "FIRTH", 500, 9)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_influence_is_the_change_without_each_subject(method: Method) -> None:
    y, x = draw(40, 30)
    fit = estimate_logistic(y, x, ["a", "b"], method, tested=[])
    found = estimate_influence(y, x, ["a", "b"], fit, "a")
    for subject in (0, 7, 39):
        kept = np.arange(40) != subject
        without = estimate_logistic(y[kept], x[kept], ["a", "b"], method, tested=[])
        expected = without.coefficients[0].estimate
        assert found.estimates[subject] == pytest.approx(expected, abs=1e-6)
        change = fit.coefficients[0].estimate - expected
        assert found.dfbetas[subject] == pytest.approx(change / fit.coefficients[0].se, abs=1e-5)
    assert (found.displacement >= 0).all()


def test_an_outlying_subject_is_the_most_influential() -> None:
    y, x = draw(60, 31)
    x[10], y[10] = [20.0, 0.0], 0.0
    fit = estimate_logistic(y, x, ["a", "b"], "ML", tested=[])
    found = estimate_influence(y, x, ["a", "b"], fit, "a")
    assert int(np.abs(found.dfbetas).argmax()) == 10
    assert int(found.displacement.argmax()) == 10
    assert int(np.abs(found.deviance).argmax()) == 10


def test_delongs_interval_covers_the_area_as_often_as_it_says() -> None:
    """Two normal scores one standard deviation apart: the area is Phi(1 / sqrt 2) = 0.7602."""
    rng = np.random.default_rng(40)
    y = np.repeat([0.0, 1.0], [40, 30])
    covered = 0
    for _ in range(400):
        found = estimate_area_under_curve(y, rng.normal(size=70) + y)
        covered += found.low <= 0.76025 <= found.high
    assert 365 <= covered <= 395


def test_an_area_of_one_has_no_interval() -> None:
    found = estimate_area_under_curve([0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0])
    assert (found.area, found.reason) == (1.0, "CONSTANT")
    assert math.isnan(found.low)
    assert estimate_area_under_curve([0, 0, 1], [1.0, 2.0, 3.0]).reason == "FEWSUBJ"


def test_the_goodness_of_fit_keeps_its_level_and_sees_a_missing_square() -> None:
    rng = np.random.default_rng(50)
    rejected = {"null": 0, "square": 0}
    for _ in range(200):
        x = rng.normal(size=120)
        for name, linear in (("null", 0.3 + x), ("square", 1.5 - 1.5 * x**2)):
            y = (rng.random(120) < 1 / (1 + np.exp(-linear))).astype(float)
            fit = estimate_logistic(y, x, ["x"], "ML", tested=[])
            assert fit.fitted is not None
            rejected[name] += calibration.test_goodness_of_fit(y, fit.fitted, x).p < 0.05
    assert 2 <= rejected["null"] <= 20
    assert rejected["square"] > 100


def test_cumulative_residuals_keep_their_level_and_see_a_missing_square() -> None:
    rng = np.random.default_rng(60)
    rejected = {"null": 0, "square": 0}
    for _ in range(150):
        x = rng.normal(size=100)
        for name, linear in (("null", 0.3 + x), ("square", 1.0 - 1.5 * x**2)):
            y = (rng.random(100) < 1 / (1 + np.exp(-linear))).astype(float)
            fit = estimate_logistic(y, x, ["x"], "ML", tested=[])
            p = model_validation.test_functional_form(y, fit, x, 0, 200, 1)[1]
            rejected[name] += p < 0.05
    assert 1 <= rejected["null"] <= 17
    assert rejected["square"] > 120


def test_groups_hold_every_subject_once_and_equal_predictions_together() -> None:
    y, _ = draw(50, 70)
    p = np.round(np.random.default_rng(71).random(50), 1) * 0.9 + 0.05
    groups = calibration.summarise_groups(y, p, 4)
    assert sum(group.n for group in groups) == 50
    assert sum(group.events for group in groups) == y.sum()
    for first, second in pairwise(groups):
        assert first.predicted_high < second.predicted_low
    for group in groups:
        assert group.low <= group.observed <= group.high


def test_a_fit_is_calibrated_on_its_own_subjects_and_a_shrunken_one_is_not() -> None:
    y, x = draw(100, 80)
    fit = estimate_logistic(y, x, ["a", "b"], "ML", tested=[])
    assert fit.fitted is not None
    own = calibration.estimate_calibration(y, fit.fitted)
    assert (own.intercept, own.slope) == pytest.approx((0, 1), abs=1e-6)
    linear = np.log(fit.fitted / (1 - fit.fitted))
    half = calibration.estimate_calibration(y, 1 / (1 + np.exp(-linear / 2)))
    assert half.slope == pytest.approx(2, abs=1e-6)
    assert half.slope_low < 2 < half.slope_high


def test_an_outcome_without_events_has_no_calibration() -> None:
    assert calibration.estimate_calibration(np.zeros(5), np.full(5, 0.2)).reason == "NOEVENT"
    assert calibration.estimate_calibration(np.ones(5), np.full(5, 0.2)).reason == "ALLEVENT"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 40))
def test_the_score_of_everyone_alike_is_that_of_the_rate(seed: int, n: int) -> None:
    y = (np.random.default_rng(seed).random(n) < 0.5).astype(float)
    if not 0 < y.sum() < n:
        return
    found = calibration.estimate_calibration(y, np.full(n, y.mean()))
    assert found.brier_scaled == pytest.approx(0, abs=1e-12)
    assert found.intercept == pytest.approx(0, abs=1e-9)
    assert found.reason == "CONSTANT"


def test_the_shift_to_a_rate_of_equal_predictions_is_a_difference_of_log_odds() -> None:
    outcome = np.array([[1.0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0]])
    linear = np.repeat([[2.0], [-1.0], [0.0]], 4, axis=1)
    weights = np.array([[1.0, 1, 1, 1], [1, 1, 1, 1], [3, 3, 1, 1]])
    rates = np.array([1 / 4, 3 / 4, 6 / 8])
    found = calibration.shift_to_rate(outcome, linear, weights)
    assert found == pytest.approx(np.log(rates / (1 - rates)) - linear[:, 0])
    assert calibration.shift_to_rate(outcome[:2], linear[:2]) == pytest.approx(found[:2])
