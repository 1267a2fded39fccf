from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from celldossier.stats.mixed_model import MixedModel, estimate_mixed_model

RNG = np.random.default_rng(20260105)


def simulated(
    rng: np.random.Generator, n: int = 40, visits: int = 6, slope_sd: float = 0.3
) -> tuple[np.ndarray, ...]:
    """Response, subject, time and a covariate between subjects of a known model."""
    subject = np.repeat(np.arange(n), visits)
    time = np.tile(np.arange(visits, dtype=float), n)
    between = rng.normal(0, 1, n)[subject]
    intercepts, slopes = rng.normal(0, 0.8, n), rng.normal(0, slope_sd, n)
    y = 2 + 0.5 * time + 0.7 * between + intercepts[subject] + slopes[subject] * time
    return y + rng.normal(0, 0.5, y.size), subject, time, between


def fit(y: np.ndarray, subject: np.ndarray, time: np.ndarray, between: np.ndarray) -> MixedModel:
    x = np.column_stack([np.ones(y.size), time, between])
    return estimate_mixed_model(y, subject, x, ["one", "time", "between"], time)


def test_the_likelihood_at_the_estimate_is_that_of_statsmodels_and_none_is_higher() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    y, subject, time, between = simulated(RNG)
    x = np.column_stack([np.ones(y.size), time, between])
    for reml in (True, False):
        found = estimate_mixed_model(y, subject, x, ["one", "time", "between"], time, reml=reml)
        assert found.reason == ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MixedLM(y, x, subject, np.column_stack([np.ones(y.size), time]))
            model.reml = reml
            other = model.fit(reml=reml, method=["bfgs"])
        variance = found.sd_residual**2
        off = found.correlation * found.sd_intercept * found.sd_slope
        cov = np.array([[found.sd_intercept**2, off], [off, found.sd_slope**2]])
        params = MixedLMParams.from_components(
            fe_params=np.array([e.estimate for e in found.effects]), cov_re=cov / variance
        )
        # statsmodels gives the likelihood of a point with the residual variance profiled.
        assert float(model.loglike(params)) == pytest.approx(found.loglike, abs=1e-8)
        assert found.loglike >= other.llf - 1e-8
        assert found.gradient < 1e-6


def test_a_balanced_random_intercept_is_the_analysis_of_variance() -> None:
    n, m = 12, 5
    subject = np.repeat(np.arange(n), m)
    y = 3 + RNG.normal(0, 1.5, n)[subject] + RNG.normal(0, 0.7, n * m)
    found = estimate_mixed_model(y, subject, np.ones((y.size, 1)), ["one"])
    means = y.reshape(n, m).mean(axis=1)
    within = ((y.reshape(n, m) - means[:, None]) ** 2).sum() / (n * (m - 1))
    between = m * means.var(ddof=1)
    assert found.sd_residual**2 == pytest.approx(within, rel=1e-6)
    assert found.sd_intercept**2 == pytest.approx((between - within) / m, rel=1e-6)
    assert found.effect("one").estimate == pytest.approx(y.mean(), rel=1e-12)
    assert found.effect("one").se == pytest.approx(math.sqrt(between / (n * m)), rel=1e-6)


def test_planted_effects_are_covered() -> None:
    rng = np.random.default_rng(11)
    covered = {"time": 0, "between": 0}
    repeats = 200
    for _ in range(repeats):
        found = fit(*simulated(rng, n=25, visits=5))
        for name, truth in (("time", 0.5), ("between", 0.7)):
            effect = found.effect(name)
            covered[name] += effect.low <= truth <= effect.high
    # A count of 200 with 95 % has a standard deviation of 3.1.
    assert all(180 <= count <= 199 for count in covered.values()), covered


def test_a_singular_fit_says_so() -> None:
    rng = np.random.default_rng(3)
    subject = np.repeat(np.arange(10), 4)
    time = np.tile(np.arange(4.0), 10)
    # Equal means of the subjects: less variation between them than chance would leave.
    noise = rng.normal(0, 1, (10, 4))
    y = (noise - noise.mean(axis=1, keepdims=True)).ravel() + 0.2 * time
    x = np.column_stack([np.ones(40), time])
    found = estimate_mixed_model(y, subject, x, ["one", "time"])
    assert found.reason == "SINGULAR"
    assert found.sd_intercept < 1e-3
    assert math.isfinite(found.effect("time").p)


@pytest.mark.parametrize(
    ("subjects", "visits", "reason"), [(2, 5, "FEWSUBJ"), (8, 1, "FEWSUBJ"), (3, 1, "FEWSUBJ")]
)
def test_too_few_subjects_or_values_give_a_reason(subjects: int, visits: int, reason: str) -> None:
    y, subject, _time, between = simulated(RNG, subjects, visits)
    x = np.column_stack([np.ones(y.size), between])
    assert estimate_mixed_model(y, subject, x, ["one", "between"]).reason == reason


def test_constant_and_collinear_data_give_a_reason() -> None:
    y, subject, time, between = simulated(RNG, 8, 4)
    x = np.column_stack([np.ones(y.size), between, 2 * between])
    assert estimate_mixed_model(y, subject, x, ["one", "a", "b"]).reason == "COLLIN"
    x = np.column_stack([np.ones(y.size), time])
    assert estimate_mixed_model(np.ones(y.size), subject, x, ["one", "t"]).reason == "CONSTANT"
    constant = np.full(y.size, 3.0)
    found = estimate_mixed_model(y, subject, np.ones((y.size, 1)), ["one"], constant)
    assert found.reason == "CONSTANT"
    # No residual variation at all: an intercept of each subject explains everything.
    exact = between + 0.5 * time
    assert estimate_mixed_model(exact, subject, x, ["one", "t"]).reason in ("NOCONV", "CONSTANT")


def test_incomplete_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="complete rows"):
        estimate_mixed_model([1, math.nan], ["a", "b"], np.ones((2, 1)), ["one"])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-30, 30), st.floats(0.05, 50))
@example(4146, 0.0128, 19.6, 0.0766)  # far from time 0: no fit before the columns were orthogonal
def test_the_units_of_response_and_time_change_the_estimates_as_they_must(
    seed: int, unit: float, shift: float, scale: float
) -> None:
    y, subject, time, between = simulated(np.random.default_rng(seed), 15, 5)
    one = fit(y, subject, time, between)
    two = fit(y * unit, subject, shift + time * scale, between)
    a, b = one.effect("between"), two.effect("between")
    assert b.estimate == pytest.approx(a.estimate * unit, rel=1e-4, abs=1e-6 * unit)
    assert b.se == pytest.approx(a.se * unit, rel=1e-4)
    assert two.effect("time").estimate * scale == pytest.approx(
        one.effect("time").estimate * unit, rel=1e-4, abs=1e-6 * unit
    )
    if one.reason == two.reason == "":
        assert two.sd_residual == pytest.approx(one.sd_residual * unit, rel=1e-3)
        assert two.sd_slope * scale == pytest.approx(one.sd_slope * unit, rel=1e-2)
