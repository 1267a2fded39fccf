from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.emax import estimate_emax, predict_emax

RNG = np.random.default_rng(8000)
EXPOSURE = np.exp(RNG.normal(math.log(100), 1.4, 150))
AGE = RNG.normal(0, 1, 150)


def effect(exposure: np.ndarray, ec50: float, hill: float = 1.0) -> np.ndarray:
    return np.asarray(exposure**hill / (ec50**hill + exposure**hill))


RESPONSE = 5 + 10 * effect(EXPOSURE, 80) + 0.5 * AGE + RNG.normal(0, 0.8, 150)


def test_the_continuous_model_equals_nonlinear_least_squares() -> None:
    from scipy.optimize import curve_fit

    def model(
        data: np.ndarray, e0: float, emax: float, log_ec50: float, slope: float
    ) -> np.ndarray:
        return np.asarray(e0 + emax * effect(data[0], math.exp(log_ec50)) + slope * data[1])

    found = estimate_emax(RESPONSE, EXPOSURE, "CONTINUOUS", AGE)
    other, covariance = curve_fit(
        model, np.array([EXPOSURE, AGE]), RESPONSE, [4, 8, 4.0, 0], ftol=1e-14, xtol=1e-14
    )
    assert found.reason == ""
    ours = [found.e0, found.emax, math.log(found.ec50), found.covariates[0]]
    assert ours == pytest.approx(other, rel=1e-5)
    rest = RESPONSE - model(np.array([EXPOSURE, AGE]), *other)
    assert found.sd_residual == pytest.approx(math.sqrt(rest @ rest / 146), rel=1e-6)
    # The profile interval is near that of Wald, and takes in the truth.
    half = 1.96 * math.sqrt(covariance[2, 2])
    assert math.log(found.ec50_low) == pytest.approx(other[2] - half, abs=0.25 * half)
    assert math.log(found.ec50_high) == pytest.approx(other[2] + half, abs=0.25 * half)
    assert found.ec50_low < 80 < found.ec50_high
    assert found.aicc < found.aicc_linear


def test_the_binary_model_equals_a_direct_maximum_of_the_likelihood() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(41)
    exposure = np.exp(rng.normal(math.log(100), 1.6, 600))
    logit = -3 + 6 * effect(exposure, 100)
    event = (rng.uniform(size=600) < 1 / (1 + np.exp(-logit))).astype(float)
    found = estimate_emax(event, exposure, "BINARY")
    assert found.reason == ""

    def deficit(p: np.ndarray) -> float:
        linear = p[0] + p[1] * effect(exposure, math.exp(p[2]))
        return float(np.logaddexp(0, np.where(event == 1, -linear, linear)).sum())

    other = minimize(
        deficit, [-2, 5, 4.5], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11}
    )
    assert found.loglike == pytest.approx(-other.fun, abs=1e-7)
    assert [found.e0, found.emax, math.log(found.ec50)] == pytest.approx(other.x, abs=1e-3)
    assert found.ec50_low < 100 < found.ec50_high
    # The limit is where the likelihood, maximised over the rest, has fallen by 3.84 / 2.
    for limit in (found.ec50_low, found.ec50_high):
        held = minimize(
            lambda p, at=limit: deficit(np.array([p[0], p[1], math.log(at)])),
            [found.e0, found.emax],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11},
        )
        assert 2 * (held.fun - other.fun) == pytest.approx(3.8414588, abs=1e-4)
    assert predict_emax(found, [found.ec50])[0] == pytest.approx(found.e0 + found.emax / 2)


def test_a_sigmoid_is_found_and_its_curve_drawn() -> None:
    rng = np.random.default_rng(2)
    exposure = np.exp(rng.normal(math.log(100), 1.2, 200))
    y = 1 + 4 * effect(exposure, 100, 3.0) + rng.normal(0, 0.3, 200)
    found = estimate_emax(y, exposure, "CONTINUOUS", sigmoid=True)
    assert found.reason == ""
    assert found.hill == pytest.approx(3.0, abs=0.6)
    assert found.ec50_low < 100 < found.ec50_high
    plain = estimate_emax(y, exposure, "CONTINUOUS")
    assert found.loglike > plain.loglike
    assert found.aicc < plain.aicc
    middle = predict_emax(found, [found.ec50])[0]
    assert middle == pytest.approx(found.e0 + found.emax / 2)


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        # No effect of the exposure: the profile is flat.
        (RNG.normal(0, 1, 150), "EC50"),
        # The half-maximal exposure lies far above what was observed.
        (effect(EXPOSURE, 1e5) * 500 + RNG.normal(0, 0.3, 150), "EC50OUT"),
    ],
)
def test_what_the_data_do_not_identify_is_refused(y: np.ndarray, reason: str) -> None:
    found = estimate_emax(y, EXPOSURE, "CONTINUOUS")
    assert found.reason.startswith(reason)
    assert math.isnan(found.ec50)
    assert math.isnan(found.emax)
    assert math.isfinite(found.aicc_linear)
    with pytest.raises(ValueError, match="no fit"):
        predict_emax(found, [1.0])


def test_a_log_linear_truth_is_told_by_the_criterion() -> None:
    y = np.log(EXPOSURE) + RNG.normal(0, 0.5, 150)
    found = estimate_emax(y, EXPOSURE, "CONTINUOUS")
    assert found.aicc_linear < found.aicc - 4


@pytest.mark.parametrize("sigmoid", [False, True])
@pytest.mark.parametrize(
    ("event", "exposure", "reason"),
    [
        (np.zeros(30), EXPOSURE[:30], "NOEVENT"),
        (np.ones(30), EXPOSURE[:30], "ALLEVENT"),
        (np.eye(30)[4], np.full(30, 7.0), "CONSTANT"),
        (np.array([0.0, 1.0, 1.0]), EXPOSURE[:3], "FEWSUBJ"),
        (np.zeros(0), np.zeros(0), "NOSUBJ"),
        ((EXPOSURE[:30] > np.median(EXPOSURE[:30])).astype(float), EXPOSURE[:30], "SEPAR"),
    ],
)
def test_data_that_carry_no_model_give_a_reason(
    event: np.ndarray, exposure: np.ndarray, reason: str, sigmoid: bool
) -> None:
    assert estimate_emax(event, exposure, "BINARY", sigmoid=sigmoid).reason == reason


def test_one_event_gives_a_reason_and_no_estimate() -> None:
    for position in (0, 5, 11):
        found = estimate_emax(np.eye(40)[position], EXPOSURE[:40], "BINARY")
        assert found.reason in ("EC50FLAT", "EC50OUT", "SEPAR", "NOCONV")
        assert math.isnan(found.ec50) and math.isnan(found.emax)


def test_collinear_covariates_are_refused() -> None:
    found = estimate_emax(RESPONSE, EXPOSURE, "CONTINUOUS", 3 * np.log(EXPOSURE))
    assert found.reason == "COLLIN"


def test_an_exposure_of_zero_is_an_error() -> None:
    with pytest.raises(ValueError, match="positive exposures"):
        estimate_emax([1.0, 2.0], [0.0, 1.0], "CONTINUOUS")


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(0.1, 50), st.floats(-100, 100))
def test_units_change_the_estimates_as_they_must(unit: float, gain: float, shift: float) -> None:
    one = estimate_emax(RESPONSE, EXPOSURE, "CONTINUOUS", AGE)
    two = estimate_emax(shift + gain * RESPONSE, EXPOSURE * unit, "CONTINUOUS", AGE)
    assert two.ec50 == pytest.approx(one.ec50 * unit, rel=1e-4)
    assert two.ec50_high == pytest.approx(one.ec50_high * unit, rel=1e-4)
    assert two.emax == pytest.approx(one.emax * gain, rel=1e-4)
    assert two.aicc - two.aicc_linear == pytest.approx(one.aicc - one.aicc_linear, abs=1e-4)


# The truth of d_sim_emax as data-raw/d_sim_emax.R of Genentech/BayesERtools sets it: continuous
# E0 5, Emax 10, EC50 4000, residual SD 0.5, cnt_a 0.5; binary E0 -4.5, Emax 5, EC50 8000,
# cnt_a 0.5, bin_d 1; h = 1.


def test_the_simulated_truth_of_a_continuous_response_is_covered(shared_folder: Path) -> None:
    data = pd.read_csv(shared_folder / "data/bayesertools/d_sim_emax.csv")
    found = estimate_emax(data["response_1"], data["exposure"], "CONTINUOUS", data[["cnt_a"]])
    assert found.reason == ""
    assert found.ec50_low < 4000 < found.ec50_high
    assert found.e0 == pytest.approx(5, abs=0.6)
    assert found.emax == pytest.approx(10, abs=0.6)
    assert found.sd_residual == pytest.approx(0.5, abs=0.05)
    assert found.covariates[0] == pytest.approx(0.5, abs=0.04)
    assert found.aicc < found.aicc_linear - 10


def test_the_simulated_truth_of_a_binary_response_is_not_excluded(shared_folder: Path) -> None:
    data = pd.read_csv(shared_folder / "data/bayesertools/d_sim_emax.csv")
    found = estimate_emax(data["response_2"], data["exposure"], "BINARY", data[["cnt_a", "bin_d"]])
    # 300 subjects with 81 non-events do not bound the EC50: it is refused, and the truth is
    # within the likelihood region of all four parameters and the two of the exposure.
    assert found.reason == "EC50FLAT"
    linear = (
        -4.5
        + 5 * effect(data["exposure"].to_numpy(), 8000)
        + 0.5 * data["cnt_a"].to_numpy()
        + data["bin_d"].to_numpy()
    )
    y = data["response_2"].to_numpy()
    truth = -float(np.logaddexp(0, np.where(y == 1, -linear, linear)).sum())
    # Chi-squared with 5 degrees of freedom, 95 %.
    assert 0 <= 2 * (found.loglike - truth) < 11.07


def criterion(loglike: float, parameters: int, n: int) -> float:
    """AICc of Hurvich and Tsai: 2 k n / (n - k - 1) in the place of 2 k."""
    return -2 * loglike + 2 * parameters * n / (n - parameters - 1)


@pytest.mark.parametrize("sigmoid", [False, True])
def test_the_criteria_count_all_parameters_with_the_correction_for_small_samples(sigmoid) -> None:
    from statsmodels.regression.linear_model import OLS

    y, c, age = RESPONSE[:40], EXPOSURE[:40], AGE[:40]
    found = estimate_emax(y, c, "CONTINUOUS", age, sigmoid=sigmoid)
    line = OLS(y, np.column_stack([np.ones(40), np.log(c), age])).fit()
    assert found.loglike_linear == pytest.approx(line.llf)
    # Intercept, two slopes and the standard deviation; E0, Emax, EC50, age, SD and perhaps h.
    assert found.aicc_linear == pytest.approx(criterion(line.llf, 4, 40))
    assert found.aicc == pytest.approx(criterion(found.loglike, 5 + sigmoid, 40))


def test_the_criteria_of_a_binary_outcome_count_no_standard_deviation() -> None:
    from statsmodels.discrete.discrete_model import Logit

    event = (np.median(RESPONSE) < RESPONSE).astype(float)
    event[::4] = 1 - event[::4]
    found = estimate_emax(event, EXPOSURE, "BINARY")
    line = Logit(event, np.column_stack([np.ones(150), np.log(EXPOSURE)])).fit(disp=0)
    assert found.loglike_linear == pytest.approx(line.llf)
    assert found.aicc_linear == pytest.approx(criterion(line.llf, 2, 150))
    assert found.aicc == pytest.approx(criterion(found.loglike, 3, 150))


def test_the_smallest_sample_of_a_fit_has_its_criteria() -> None:
    # n - k - 1 is 1: the correction of four parameters is 2 * 4 * 5.
    found = estimate_emax([1.0, 2.2, 3.1, 3.4, 4.6, 4.4], 2.0 ** np.arange(6), "CONTINUOUS")
    assert found.n == 6 and math.isfinite(found.loglike)
    assert found.aicc == pytest.approx(-2 * found.loglike + 8 + 40)
    assert found.aicc_linear == pytest.approx(-2 * found.loglike_linear + 6 + 12)
