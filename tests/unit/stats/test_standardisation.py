from __future__ import annotations

import math

import numpy as np
import pytest

from celldossier.stats.logistic import estimate_logistic, predict_probability
from celldossier.stats.logistic_flac import estimate_flac
from celldossier.stats.ordinal import estimate_proportional_odds
from celldossier.stats.ordinal_prediction import predict_grades
from celldossier.stats.standardisation import average_predictions, predict_standardised

RNG = np.random.default_rng(20241126)
X, Z = RNG.normal(14, 2, 90), RNG.normal(0, 1, 90)
Y = (RNG.random(90) < 1 / (1 + np.exp(-(0.5 * (X - 14) + Z)))).astype(float)
GRADE = np.digitize(0.5 * (X - 14) + RNG.logistic(size=90), [-1.0, 0.5, 1.5]).astype(float)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_without_covariates_it_is_the_prediction_of_the_model(method: str) -> None:
    fit = estimate_logistic(Y, X, ["x"], method, tested=[])
    at = np.array([11.0, 14.0, 17.0])
    found = predict_standardised(fit, at, np.empty((90, 0)))
    for ours, theirs in zip(
        (found.probability, found.low, found.high), predict_probability(fit, at), strict=True
    ):
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_a_saturated_model_gives_the_weighted_mean_of_the_observed_rates() -> None:
    # Two strata by two exposures with an interaction: direct standardisation by hand.
    counts = {(0, 0): (3, 20), (1, 0): (9, 15), (0, 1): (8, 16), (1, 1): (14, 19)}
    rows = [(a, s, e) for (a, s), (k, n) in counts.items() for e in [1] * k + [0] * (n - k)]
    a, s, y = np.array(rows, dtype=float).T
    fit = estimate_logistic(y, np.column_stack([a, s, a * s]), ["a", "s", "as"], "ML", tested=[])
    sets = [np.column_stack([np.full(s.size, v), s, v * s]) for v in (0.0, 1.0)]
    found = average_predictions(fit, sets)
    for place, exposure in enumerate((0, 1)):
        mean = variance = 0.0
        for stratum in (0, 1):
            k, n = counts[exposure, stratum]
            share = float((s == stratum).mean())
            mean += share * k / n
            variance += share**2 * k / n * (1 - k / n) / n
        assert found.probability[place] == pytest.approx(mean, rel=1e-10)
        se = math.sqrt(variance) / (mean * (1 - mean))
        assert found.se[place] == pytest.approx(se, rel=1e-6)


@pytest.mark.parametrize("fit", ["FIRTH", "FLAC"])
def test_the_delta_interval_agrees_with_draws_of_the_coefficients(fit: str) -> None:
    design, names = np.column_stack([X, Z]), ["x", "z"]
    model = (
        estimate_flac(Y, design, names)
        if fit == "FLAC"
        else estimate_logistic(Y, design, names, "FIRTH", tested=[])
    )
    found = predict_standardised(model, [12.0, 15.0], Z[:, None])
    centre = np.array([item.estimate for item in model.coefficients])
    centre[-1] = model.flic_intercept
    draws = RNG.multivariate_normal(centre, model.covariance, size=40_000)
    for place, x in enumerate((12.0, 15.0)):
        linear = draws[:, [0]] * x + draws[:, [1]] * Z + draws[:, [2]]
        mean = (1 / (1 + np.exp(-linear))).mean(axis=1)
        low, high = np.quantile(np.log(mean / (1 - mean)), [0.025, 0.975])
        ours = [float(np.log(p / (1 - p))) for p in (found.low[place], found.high[place])]
        assert ours == pytest.approx([low, high], abs=0.03)


def test_firth_and_flac_predict_the_observed_rate_on_average() -> None:
    design, names = np.column_stack([X, Z]), ["x", "z"]
    for model in (
        estimate_logistic(Y, design, names, "FIRTH", tested=[]),
        estimate_flac(Y, design, names),
    ):
        own = average_predictions(model, design[None, :, :])
        assert own.probability[0] == pytest.approx(Y.mean(), rel=1e-9)


def test_a_refused_model_predicts_nothing() -> None:
    fit = estimate_logistic(np.zeros(9), np.arange(9.0), ["x"], "FIRTH")
    with pytest.raises(ValueError, match="NOEVENT"):
        predict_standardised(fit, [1.0], np.empty((9, 0)))


def test_probabilities_beyond_floating_point_have_no_interval() -> None:
    fit = estimate_logistic(Y, X, ["x"], "ML", tested=[])
    found = predict_standardised(fit, [1e6], np.empty((90, 0)))
    assert found.probability[0] == 1 and math.isnan(found.low[0]) and math.isnan(found.high[0])


def test_the_grades_add_up_and_their_limits_hold_them() -> None:
    fit = estimate_proportional_odds(GRADE, np.column_stack([X, Z]), ["x", "z"])
    found = predict_grades(fit, np.linspace(10, 18, 9), Z[:, None])
    assert found.probability.sum(axis=1) == pytest.approx(np.ones(9), rel=1e-12)
    assert (found.low < found.probability).all() and (found.probability < found.high).all()


def test_two_grades_above_a_cut_are_the_logistic_probability_at_the_thresholds() -> None:
    # P(Y >= g) at x is expit(slope x - threshold): the sum of the grades from g up.
    fit = estimate_proportional_odds(GRADE, X, ["x"])
    found = predict_grades(fit, [13.0], np.empty((90, 0)))
    slope, thresholds = fit.coefficients[0].estimate, fit.coefficients[1:]
    for place, threshold in enumerate(thresholds, start=1):
        above = 1 / (1 + math.exp(threshold.estimate - slope * 13.0))
        assert found.probability[0, place:].sum() == pytest.approx(above, rel=1e-12)
