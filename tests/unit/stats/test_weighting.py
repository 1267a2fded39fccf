"""Inverse-probability weighting against closed forms and a second method."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.weighting import (
    effective_size,
    estimate_treatment_weights,
    estimate_weighted_ratio,
    overlap_weights,
    standardised_difference,
)


def draw(n: int, seed: int, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A confounder of 0 and 1, treatment that depends on it, exposure that depends on it."""
    rng = np.random.default_rng(seed)
    confounder = (rng.random(n) < 0.5).astype(float)
    treated = (rng.random(n) < np.where(confounder == 1, 0.8, 0.2)).astype(float)
    exposure = np.exp(8 + 1.5 * confounder + effect * treated + rng.normal(0, 0.7, n))
    return confounder, treated, exposure


@pytest.mark.parametrize("seed", range(5))
def test_with_one_binary_confounder_weighting_is_standardisation(seed: int) -> None:
    confounder, treated, exposure = draw(80, seed, effect=0.4)
    found = estimate_treatment_weights(treated, confounder, ["confounder"])
    assert found.weights is not None
    ratio = estimate_weighted_ratio(exposure, treated, found.weights).ratio
    standardised = sum(
        (confounder == level).mean()
        * (
            np.log(exposure[(confounder == level) & (treated == 1)]).mean()
            - np.log(exposure[(confounder == level) & (treated == 0)]).mean()
        )
        for level in (0.0, 1.0)
    )
    assert math.log(ratio) == pytest.approx(standardised, abs=1e-9)


def test_the_confounder_is_balanced_by_the_weights_and_was_not_before() -> None:
    confounder, treated, _ = draw(200, 3)
    weights = estimate_treatment_weights(treated, confounder, ["confounder"]).weights
    before = standardised_difference(confounder, treated)
    assert before > 1.0
    assert standardised_difference(confounder, treated, weights) == pytest.approx(0, abs=1e-9)


def test_the_standardised_difference_is_that_written_out() -> None:
    x, a, w = [1.0, 2.0, 4.0, 3.0, 5.0], [1, 1, 1, 0, 0], [1.0, 1.0, 2.0, 3.0, 1.0]
    spread = math.sqrt((7 / 3 + 2.0) / 2)
    assert standardised_difference(x, a) == pytest.approx((7 / 3 - 4) / spread)
    assert standardised_difference(x, a, w) == pytest.approx((11 / 4 - 3.5) / spread)


def test_stabilised_weights_add_up_to_each_group() -> None:
    confounder, treated, _ = draw(100, 1)
    weights = estimate_treatment_weights(treated, confounder, ["confounder"]).weights
    assert weights is not None
    for side in (0.0, 1.0):
        assert weights[treated == side].sum() == pytest.approx((treated == side).sum())


def test_a_covariate_that_tells_the_groups_apart_is_refused() -> None:
    treated = np.repeat([0.0, 1.0], 10)
    found = estimate_treatment_weights(treated, np.arange(20.0), ["grade"])
    assert found.reason == "POSITIV"
    assert found.weights is None


@pytest.mark.parametrize("treated", [np.zeros(8), np.ones(8), np.array([])])
def test_one_group_alone_is_refused(treated: np.ndarray) -> None:
    found = estimate_treatment_weights(treated, np.arange(float(treated.size)), ["grade"])
    assert found.reason == "FEWSUBJ"


def test_truncation_counts_the_weights_that_it_changes() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=200)
    treated = (rng.random(200) < 1 / (1 + np.exp(-2 * x))).astype(float)
    plain = estimate_treatment_weights(treated, x, ["x"])
    cut = estimate_treatment_weights(treated, x, ["x"], truncation=0.05)
    assert plain.weights is not None and cut.weights is not None
    assert cut.truncated == 20
    assert cut.weights.max() == pytest.approx(np.quantile(plain.weights, 0.95))
    assert effective_size(cut.weights) > effective_size(plain.weights)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40))
def test_the_effective_size_lies_between_one_and_the_number_of_subjects(
    weights: list[float],
) -> None:
    assert 1 - 1e-9 <= effective_size(weights) <= len(weights) * (1 + 1e-9)


def test_equal_weights_keep_the_effective_size() -> None:
    assert effective_size(np.full(17, 3.3)) == pytest.approx(17)
    assert effective_size([]) == 0


def test_the_robust_interval_is_that_of_statsmodels() -> None:
    confounder, treated, exposure = draw(60, 11, effect=0.3)
    weights = estimate_treatment_weights(treated, confounder, ["confounder"]).weights
    assert weights is not None
    found = estimate_weighted_ratio(exposure, treated, weights, 0.90)
    other = sm.WLS(np.log(exposure), sm.add_constant(treated), weights=weights).fit(
        cov_type="HC1", use_t=True
    )
    assert math.log(found.ratio) == pytest.approx(other.params[1], abs=1e-10)
    assert found.se == pytest.approx(other.bse[1], rel=1e-9)
    low, high = other.conf_int(0.10)[1]
    assert [math.log(found.low), math.log(found.high)] == pytest.approx([low, high], abs=1e-9)
    assert found.p == pytest.approx(other.pvalues[1], rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 1000))
def test_the_unit_of_the_exposure_does_not_change_the_ratio(seed: int, factor: float) -> None:
    _, treated, exposure = draw(40, seed)
    if not 2 <= treated.sum() <= 38:
        return
    weights = np.random.default_rng(seed).uniform(0.2, 3, 40)
    one = estimate_weighted_ratio(exposure, treated, weights)
    two = estimate_weighted_ratio(exposure * factor, treated, weights)
    assert two.ratio == pytest.approx(one.ratio, rel=1e-9)
    assert two.high == pytest.approx(one.high, rel=1e-9)


def test_weighting_takes_away_what_a_measured_confounder_adds() -> None:
    """Rates over 200 draws without an effect: naive far from 1, weighted near it."""
    naive, weighted, covered = [], [], 0
    for seed in range(200):
        confounder, treated, exposure = draw(120, 1000 + seed)
        found = estimate_treatment_weights(treated, confounder, ["confounder"])
        assert found.weights is not None
        ratio = estimate_weighted_ratio(exposure, treated, found.weights, 0.90)
        naive.append(estimate_weighted_ratio(exposure, treated, np.ones(120)).ratio)
        weighted.append(ratio.ratio)
        covered += ratio.low <= 1 <= ratio.high
    assert np.exp(np.mean(np.log(naive))) > 2.0
    assert np.exp(np.mean(np.log(weighted))) == pytest.approx(1.0, abs=0.05)
    assert covered >= 170  # 90 %, and too wide rather than too narrow


def test_groups_too_small_or_without_spread_have_no_interval() -> None:
    assert estimate_weighted_ratio([1.0, 2.0, 3.0], [1, 0, 0], [1, 1, 1]).reason == "FEWSUBJ"
    constant = estimate_weighted_ratio([4.0, 4.0, 2.0, 2.0], [1, 1, 0, 0], np.ones(4))
    assert constant.reason == "CONSTANT"
    assert constant.ratio == pytest.approx(2.0)
    assert math.isnan(constant.low)


def test_overlap_weights_balance_the_covariates_of_the_model_exactly() -> None:
    random = np.random.default_rng(12)
    held = random.normal(0, 1, (80, 2))
    treated = (random.random(80) < 1 / (1 + np.exp(-1.5 * held[:, 0] + 1))).astype(float)
    fit = estimate_treatment_weights(treated, held, ["BURDEN", "AGE"])
    assert fit.probability is not None
    weights = overlap_weights(treated, fit.probability)
    assert ((weights > 0) & (weights < 1)).all()
    for column in held.T:
        assert abs(standardised_difference(column, treated)) > 0.01
        assert standardised_difference(column, treated, weights) == pytest.approx(0, abs=1e-7)
    # Swapping the groups leaves the weights; both groups have the same sum.
    assert overlap_weights(1 - treated, 1 - fit.probability) == pytest.approx(weights)
    assert weights[treated == 1].sum() == pytest.approx(weights[treated == 0].sum())
