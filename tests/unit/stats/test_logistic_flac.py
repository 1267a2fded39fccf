from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats import logistic_flac
from celldossier.stats.likelihood import ProfileError
from celldossier.stats.logistic import estimate_logistic, predict_probability
from celldossier.stats.logistic_flac import estimate_flac

RNG = np.random.default_rng(20170403)
X = RNG.normal(0, 1, (30, 2))
Y = (RNG.random(30) < 1 / (1 + np.exp(1.5 - X[:, 0]))).astype(float)
NAMES = ["x0", "x1"]


def test_flac_equals_a_weighted_model_of_the_augmented_data() -> None:
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    firth = estimate_logistic(Y, X, NAMES, "FIRTH")
    design = np.column_stack([X, np.ones(30)])
    p = 1 / (1 + np.exp(-(design @ [item.estimate for item in firth.coefficients])))
    root = design * np.sqrt(p * (1 - p))[:, None]
    leverage = np.diag(root @ np.linalg.inv(root.T @ root) @ root.T)
    # As published: the observed rows, and two copies that are marked, one with the other outcome.
    augmented = np.vstack([design, design, design])
    marked = np.repeat([0.0, 1.0, 1.0], 30)
    other = GLM(
        np.concatenate([Y, Y, 1 - Y]),
        np.column_stack([augmented, marked]),
        family=Binomial(),
        freq_weights=np.concatenate([np.ones(30), leverage / 2, leverage / 2]),
    ).fit(tol=1e-13)
    fit = estimate_flac(Y, X, NAMES)
    assert (fit.method, fit.reason, fit.n, fit.events) == ("FLAC", "", 30, int(Y.sum()))
    assert [item.name for item in fit.coefficients] == ["x0", "x1", "(Intercept)"]
    assert [item.estimate for item in fit.coefficients] == pytest.approx(other.params[:3], rel=1e-7)
    assert fit.fitted == pytest.approx(other.fittedvalues[:30], rel=1e-7)


def test_the_mean_prediction_of_flac_is_the_observed_rate() -> None:
    fit = estimate_flac(Y, X, NAMES)
    assert fit.fitted is not None
    assert fit.fitted.sum() == pytest.approx(Y.sum(), rel=1e-10)
    # Firth's own predictions are drawn towards one half, here upwards.
    firth = estimate_logistic(Y, X, NAMES, "FIRTH")
    linear = X @ [item.estimate for item in firth.coefficients[:-1]]
    drawn = 1 / (1 + np.exp(-(linear + firth.coefficients[-1].estimate)))
    assert drawn.sum() > Y.sum() + 0.1


def test_predictions_of_flac_are_its_fitted_values_and_have_a_band() -> None:
    fit = estimate_flac(Y, X, NAMES)
    p, low, high = predict_probability(fit, X)
    assert fit.fitted is not None
    assert p == pytest.approx(fit.fitted, rel=1e-9)
    assert (low < p).all() and (p < high).all()


@settings(max_examples=10, deadline=None)
@given(factor=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3))
def test_units_of_a_predictor_leave_the_predictions(factor: float, shift: float) -> None:
    first, second = estimate_flac(Y, X, NAMES), estimate_flac(Y, X * factor + shift, NAMES)
    assert second.fitted == pytest.approx(first.fitted, rel=1e-5)


def test_separated_data_have_finite_predictions() -> None:
    x = np.arange(20.0)
    fit = estimate_flac((x >= 10).astype(float), x * 1e6, ["x"])
    assert fit.separation and not fit.reason
    p, low, high = predict_probability(fit, x * 1e6)
    assert np.isfinite([p, low, high]).all()
    assert p.sum() == pytest.approx(10, rel=1e-9)


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        ([0, 0, 0], [1.0, 2.0, 3.0], "NOEVENT"),
        ([0, 1, 0], [2.0, 2.0, 2.0], "CONSTANT"),
    ],
)
def test_what_firth_refuses_flac_refuses(y: list[int], x: list[float], reason: str) -> None:
    fit = estimate_flac(y, x, ["x"])
    assert (fit.method, fit.reason, fit.coefficients) == ("FLAC", reason, ())


def test_the_covariance_is_the_inverse_information_of_the_original_rows() -> None:
    fit = estimate_flac(Y, X, NAMES)
    assert fit.fitted is not None
    design = np.column_stack([X, np.ones(30)])
    weight = fit.fitted * (1 - fit.fitted)
    expected = np.linalg.inv(design.T @ (design * weight[:, None]))
    assert fit.covariance == pytest.approx(expected, rel=1e-8)
    assert [item.se for item in fit.coefficients] == pytest.approx(np.sqrt(np.diag(expected)))


def test_a_weighted_likelihood_that_has_no_maximum_leaves_flac_without_estimates(
    monkeypatch,
) -> None:
    def fail(*given: object) -> None:
        raise ProfileError("the likelihood does not rise along Newton's step")

    monkeypatch.setattr(logistic_flac, "_maximise_weighted", fail)
    fit = logistic_flac.estimate_flac(Y, X, NAMES)
    assert (fit.method, fit.reason, fit.coefficients) == ("FLAC", "NOCONV", ())
