from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.count_models import check_overdispersion, estimate_count_model

RNG = np.random.default_rng(20130401)
N = 90
EXPOSURE = RNG.normal(12, 1.6, N)
AGE = RNG.normal(50, 12, N)
TIME = RNG.uniform(40, 400, N)
RATE = np.exp(-5.0 + 0.20 * (EXPOSURE - 12) + 0.01 * (AGE - 50))
POISSON = RNG.poisson(RATE * TIME)
OVERDISPERSED = RNG.poisson(RATE * TIME * RNG.gamma(1 / 0.8, 0.8, N))
X = np.column_stack([EXPOSURE, AGE])
NAMES = ["exposure", "age"]


def test_the_poisson_model_equals_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    design = np.column_stack([X, np.ones(N)])
    other = sm.GLM(POISSON, design, family=sm.families.Poisson(), offset=np.log(TIME)).fit(
        tol=1e-12
    )
    fit = estimate_count_model(POISSON, TIME, X, NAMES, "POISSON")
    assert (fit.n, fit.total, fit.reason) == (N, POISSON.sum(), "")
    assert [item.estimate for item in fit.coefficients] == pytest.approx(other.params, rel=1e-7)
    assert [item.se for item in fit.coefficients] == pytest.approx(other.bse, rel=1e-7)
    assert fit.loglike == pytest.approx(other.llf, rel=1e-10)
    null = sm.GLM(POISSON, design[:, 1:], family=sm.families.Poisson(), offset=np.log(TIME)).fit(
        tol=1e-12
    )
    from scipy.stats import chi2

    assert fit.coefficient("exposure").p == pytest.approx(
        chi2.sf(2 * (other.llf - null.llf), 1), rel=1e-6
    )


def test_the_limits_of_the_profile_are_where_the_likelihood_has_fallen_by_the_quantile() -> None:
    import statsmodels.api as sm
    from scipy.stats import chi2

    fit = estimate_count_model(POISSON, TIME, X, NAMES, "POISSON")
    slope = fit.coefficient("exposure")
    for limit in (slope.low, slope.high):
        held = sm.GLM(
            POISSON,
            np.column_stack([AGE, np.ones(N)]),
            family=sm.families.Poisson(),
            offset=np.log(TIME) + limit * EXPOSURE,
        ).fit(tol=1e-12)
        assert 2 * (fit.loglike - held.llf) == pytest.approx(chi2.isf(0.05, 1), rel=1e-6)


def test_the_negative_binomial_model_equals_that_of_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    design = np.column_stack([X, np.ones(N)])
    fit = estimate_count_model(OVERDISPERSED, TIME, X, NAMES, "NEGBIN")
    model = NegativeBinomial(OVERDISPERSED, design, loglike_method="nb2", offset=np.log(TIME))
    start = [*(item.estimate for item in fit.coefficients), fit.alpha]
    other = model.fit(start_params=start, method="bfgs", gtol=1e-9, disp=0)
    assert fit.loglike == pytest.approx(other.llf, rel=1e-9)
    assert fit.loglike >= other.llf - 1e-8
    assert [item.estimate for item in fit.coefficients] == pytest.approx(
        other.params[:-1], abs=1e-5
    )
    assert fit.alpha == pytest.approx(other.params[-1], rel=1e-4)
    # The score of statsmodels' likelihood vanishes at our estimate.
    assert np.abs(model.score(np.array(start)))[:1].max() < 1e-3


def test_one_binary_covariate_gives_the_ratio_of_the_two_rates() -> None:
    group = (np.arange(N) % 2).astype(float)
    fit = estimate_count_model(POISSON, TIME, group, ["group"], "POISSON")
    rates = [POISSON[group == g].sum() / TIME[group == g].sum() for g in (0, 1)]
    slope = fit.coefficient("group")
    assert math.exp(slope.estimate) == pytest.approx(rates[1] / rates[0], rel=1e-10)
    totals = [POISSON[group == g].sum() for g in (0, 1)]
    assert slope.se == pytest.approx(math.sqrt(1 / totals[0] + 1 / totals[1]), rel=1e-8)
    assert slope.low < slope.estimate < slope.high


def test_a_negative_binomial_with_equal_means_has_the_rate_as_closed_form() -> None:
    group = np.repeat([0.0, 1.0], 20)
    counts = RNG.negative_binomial(1.2, 0.3, 40)
    fit = estimate_count_model(counts, np.ones(40), group, ["group"], "NEGBIN")
    means = [counts[group == g].mean() for g in (0, 1)]
    # With equal follow-up the maximum likelihood means are the observed ones for any alpha.
    assert fit.alpha > 0
    assert fit.coefficient("group").estimate == pytest.approx(
        math.log(means[1] / means[0]), abs=1e-8
    )


def test_overdispersion_is_found_where_it_is_and_not_where_it_is_not() -> None:
    found = check_overdispersion(OVERDISPERSED, TIME, X, NAMES)
    assert found.p < 1e-4
    assert found.pearson > 1.5
    assert found.alpha == pytest.approx(0.8, abs=0.5)
    assert check_overdispersion(POISSON, TIME, X, NAMES).p > 0.05
    constant = check_overdispersion(np.full(N, 2), np.ones(N), X, NAMES)
    assert (constant.p, constant.alpha, constant.reason) == (1.0, 0.0, "")
    assert constant.pearson < 1e-10


def test_the_test_of_overdispersion_keeps_its_level_under_poisson() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, 60)
    rejected = [
        check_overdispersion(rng.poisson(2.0, 60), np.ones(60), x, ["x"]).p < 0.05
        for _ in range(200)
    ]
    assert 0.005 <= np.mean(rejected) <= 0.09


@pytest.mark.parametrize("distribution", ["POISSON", "NEGBIN"])
@pytest.mark.parametrize(
    ("counts", "predictors", "reason"),
    [
        (np.zeros(20), np.arange(20.0), "NOEVENT"),
        (np.ones(20), np.full(20, 3.0), "CONSTANT"),
        (np.zeros(0), np.zeros(0), "NOSUBJ"),
        # One event, and it lies at the highest exposure: the slope has no finite estimate.
        (np.eye(20)[-1], np.arange(20.0), "SEPAR"),
        (np.arange(3.0), np.column_stack([[1.0, 2, 4], [2.0, 4, 8]]), "COLLIN"),
    ],
)
def test_data_that_carry_no_model_give_a_reason(
    distribution: str, counts: np.ndarray, predictors: np.ndarray, reason: str
) -> None:
    names = ["a"] if predictors.ndim == 1 else ["a", "b"]
    fit = estimate_count_model(
        counts,
        np.ones(len(counts)),
        predictors,
        names,
        distribution,  # type: ignore[arg-type]
    )
    assert fit.reason == reason
    assert fit.coefficients == ()
    assert check_overdispersion(counts, np.ones(len(counts)), predictors, names).reason == reason


def test_one_event_within_the_exposures_gives_finite_limits() -> None:
    fit = estimate_count_model(np.eye(20)[8], np.ones(20), np.arange(20.0), ["x"], "POISSON")
    slope = fit.coefficient("x")
    assert fit.reason == ""
    assert np.isfinite([slope.low, slope.estimate, slope.high, slope.p]).all()


def test_counts_that_are_no_counts_are_an_error() -> None:
    with pytest.raises(ValueError, match="whole counts"):
        estimate_count_model([0.5, 1], [1, 1], [1, 2], ["x"], "POISSON")
    with pytest.raises(ValueError, match="whole counts"):
        estimate_count_model([1, 1], [0, 1], [1, 2], ["x"], "POISSON")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.05, 20), st.sampled_from([0.0, 0.6]))
def test_shift_scale_and_unit_of_time_change_the_estimates_as_they_must(
    seed: int, shift: float, scale: float, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, 40)
    time = rng.uniform(1, 5, 40)
    mean = np.exp(0.3 * x) * time
    counts = rng.poisson(mean * rng.gamma(1 / spread, spread, 40) if spread else mean)
    for distribution in ("POISSON", "NEGBIN"):
        one = estimate_count_model(counts, time, x, ["x"], distribution)  # type: ignore[arg-type]
        two = estimate_count_model(
            counts,
            time * 7,
            shift + scale * x,
            ["x"],
            distribution,  # type: ignore[arg-type]
        )
        a, b = one.coefficient("x"), two.coefficient("x")
        assert b.estimate * scale == pytest.approx(a.estimate, abs=1e-5)
        assert b.low * scale == pytest.approx(a.low, abs=1e-4)
        assert b.p == pytest.approx(a.p, abs=1e-4)
        assert a.low < a.estimate < a.high


def test_the_dispersion_is_the_maximum_of_the_likelihood_at_the_observed_means() -> None:
    from scipy.optimize import minimize_scalar
    from scipy.stats import nbinom

    group = np.repeat([0.0, 1.0], 15)
    counts = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 11] * 2) + np.repeat([0, 3], 15)
    mean = np.repeat([counts[:15].mean(), counts[15:].mean()], 15)
    other = minimize_scalar(
        lambda log_alpha: (
            -nbinom.logpmf(counts, math.exp(-log_alpha), 1 / (1 + math.exp(log_alpha) * mean)).sum()
        ),
        bounds=(-10, 3),
        method="bounded",
        options={"xatol": 1e-10},
    )
    fit = estimate_count_model(counts, np.ones(30), group, ["group"], "NEGBIN", tested=())
    assert 0.05 < fit.alpha < 0.9
    assert fit.alpha == pytest.approx(math.exp(other.x), rel=1e-5)
    assert fit.loglike == pytest.approx(-other.fun, rel=1e-9)


def test_one_degree_of_freedom_is_enough_for_the_pearson_ratio() -> None:
    counts, group = np.array([2, 6, 9]), np.array([0.0, 0.0, 1.0])
    found = check_overdispersion(counts, np.ones(3), group, ["group"])
    # Means 4 and 9; the first group leaves (4 + 4) / 4 with one degree of freedom.
    assert (found.pearson, found.reason) == (pytest.approx(2), "")
