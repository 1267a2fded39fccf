"""The bridge between two versions of an assay: planted factors, subjects as clusters, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from celldossier.stats.bridging import combine_bridge_error, estimate_bridge

SUBJECTS = np.repeat(np.arange(20), 3)


def _simulate(random: np.random.Generator, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """20 subjects of 3 times; factor 1.30 at 1,000 copies, subjects of their own factors."""
    level = random.normal(7, 1.5, SUBJECTS.size)
    own = random.normal(0, 0.15, 20)[SUBJECTS]
    first = level + random.normal(0, 0.1, level.size)
    second = (
        math.log(1000 * 1.30)
        + slope * (level - math.log(1000))
        + own
        + random.normal(0, 0.1, level.size)
    )
    return np.exp(first), np.exp(second)


def test_a_planted_factor_lies_in_the_interval_as_often_as_it_says_and_the_slope_holds_1() -> None:
    random = np.random.default_rng(130)
    found = [estimate_bridge(*_simulate(random), SUBJECTS) for _ in range(300)]
    assert np.mean([one.low <= 1.30 <= one.high for one in found]) == pytest.approx(0.95, abs=0.038)
    assert np.mean([one.level_dependent for one in found]) == pytest.approx(0.05, abs=0.038)
    assert np.exp(np.mean([math.log(one.ratio) for one in found])) == pytest.approx(1.30, rel=0.01)
    assert {(one.n, one.n_subjects, one.df) for one in found} == {(60, 20, 19.0)}


def test_a_factor_that_changes_with_the_level_is_told() -> None:
    random = np.random.default_rng(7)
    found = [estimate_bridge(*_simulate(random, slope=0.8), SUBJECTS) for _ in range(50)]
    assert np.mean([one.level_dependent and not one.usable for one in found]) > 0.95
    assert np.mean([one.slope.value for one in found]) == pytest.approx(0.8, abs=0.02)


def test_the_error_is_that_of_statsmodels_with_clusters() -> None:
    random = np.random.default_rng(3)
    keep = random.random(SUBJECTS.size) < 0.7
    first, second = (values[keep] for values in _simulate(random))
    found = estimate_bridge(first, second, SUBJECTS[keep], 0.90)
    fit = sm.OLS(np.log(second / first), np.ones(first.size)).fit(
        cov_type="cluster", cov_kwds={"groups": SUBJECTS[keep], "df_correction": True}, use_t=True
    )
    # statsmodels: G / (G - 1) (n - 1) / (n - k), and so the same for an intercept alone.
    assert found.se == pytest.approx(float(fit.bse[0]), rel=1e-10)
    assert np.log([found.low, found.high]) == pytest.approx(fit.conf_int(0.10)[0], rel=1e-9)


def test_as_many_pairs_each_give_the_t_interval_of_the_means_of_subjects() -> None:
    first, second = _simulate(np.random.default_rng(9))
    found = estimate_bridge(first, second, SUBJECTS)
    means = np.log(second / first).reshape(20, 3).mean(axis=1)
    half = t.ppf(0.975, 19) * means.std(ddof=1) / math.sqrt(20)
    assert math.log(found.ratio) == pytest.approx(means.mean(), rel=1e-12)
    assert math.log(found.high) == pytest.approx(means.mean() + half, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_units_order_and_names_move_nothing_but_the_factor(a: float, b: float, seed: int) -> None:
    first, second = _simulate(np.random.default_rng(5))
    plain = estimate_bridge(first, second, SUBJECTS)
    order = np.random.default_rng(seed).permutation(first.size)
    names = np.array([f"S{100 - subject}" for subject in SUBJECTS])
    moved = estimate_bridge(a * first[order], b * second[order], names[order])
    assert moved.ratio == pytest.approx(plain.ratio * b / a, rel=1e-9)
    assert (moved.se, moved.df) == pytest.approx((plain.se, plain.df), rel=1e-9)
    assert (moved.slope.value, moved.slope.se) == pytest.approx(
        (plain.slope.value, plain.slope.se), rel=1e-7
    )


def test_swapping_the_versions_inverts_ratio_interval_and_slope() -> None:
    first, second = _simulate(np.random.default_rng(11))
    there, back = estimate_bridge(first, second, SUBJECTS), estimate_bridge(second, first, SUBJECTS)
    assert (back.ratio, back.low, back.high) == pytest.approx(
        (1 / there.ratio, 1 / there.high, 1 / there.low)
    )
    assert back.slope.value == pytest.approx(1 / there.slope.value)


def test_what_cannot_be_estimated_says_why() -> None:
    none = estimate_bridge([], [], [])
    assert (none.reason, none.slope_reason, none.usable) == ("FEWSUBJ", "FEWSUBJ", False)
    one = estimate_bridge([10.0, 40.0, 90.0], [13.0, 50.0, 119.0], ["A"] * 3)
    assert (one.reason, one.slope_reason) == ("FEWSUBJ", "FEWSUBJ")
    assert one.ratio == pytest.approx((1.3 * 1.25 * 119 / 90) ** (1 / 3))
    assert math.isnan(one.low)
    two = estimate_bridge([10.0, 40.0], [13.0, 50.0], ["A", "B"])
    assert (two.reason, two.slope_reason, two.df, two.usable) == ("", "FEWSUBJ", 1.0, False)
    level = estimate_bridge([10.0] * 4, [13.0, 14.0, 12.0, 13.5], list("ABCD"))
    assert (level.reason, level.slope_reason) == ("", "CONSTANT")


def test_pairs_of_one_ratio_have_no_interval_and_a_slope_of_1_that_depends_on_no_level() -> None:
    first = np.array([10.0, 44.0, 310.0, 2700.0, 18.0])
    found = estimate_bridge(first, 1.3 * first, list("AABCD"))
    assert (found.reason, found.level_dependent, found.usable) == ("CONSTANT", False, False)
    assert (found.ratio, found.slope.value) == pytest.approx((1.3, 1.0))
    assert np.isnan([found.low, found.se, found.df]).all()


def test_a_result_of_0_is_refused() -> None:
    for first, second in (([1.0, 0.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 2.0])):
        with pytest.raises(ValueError, match="above 0"):
            estimate_bridge(first, second, ["A", "B"])


def test_a_ratio_or_an_interval_without_a_number_says_so() -> None:
    far = estimate_bridge([1e-300, 1e-300], [1e300, 1e299], ["A", "B"])
    # One degree of freedom carries the limit out of the range of numbers, not the ratio.
    wide = estimate_bridge([1.0, 1.0], [1e100, 1e-100], ["A", "B"])
    for found in (far, wide):
        assert (found.reason, found.usable) == ("OVERFLOW", False)
        assert np.isnan([found.ratio, found.low, found.high, found.se, found.df]).all()


def test_both_errors_add_up_and_the_degrees_of_freedom_are_those_of_satterthwaite() -> None:
    found = combine_bridge_error(0.3, 0.4, 10, 19)
    assert found.se == pytest.approx(0.5)
    assert found.df == pytest.approx(0.5**4 / (0.3**4 / 10 + 0.4**4 / 19))
    # Welch's problem in its parts: the variance of each mean with its degrees of freedom.
    alone = combine_bridge_error(0.3, 0.0, 10, 19)
    assert (alone.se, alone.df) == pytest.approx((0.3, 10))
    assert combine_bridge_error(0.4, 0.3, 19, 10) == found
    assert math.isinf(combine_bridge_error(0.0, 0.0, 10, 19).df)
    assert combine_bridge_error(1e-170, 1e-170, 10, 10).df == pytest.approx(20)
    with pytest.raises(ValueError, match="not negative"):
        combine_bridge_error(-0.1, 0.2, 3, 3)


def test_a_ratio_over_a_bridge_holds_the_truth_as_often_as_it_says() -> None:
    """Groups measured by two versions, the second carried over: the errors of both count."""
    random = np.random.default_rng(21)
    held = 0
    for _ in range(200):
        bridge = estimate_bridge(*_simulate(random), SUBJECTS)
        test, reference = random.normal(math.log(1.3), 0.1, 15), random.normal(0, 0.1, 15)
        difference = test.mean() - reference.mean() - math.log(bridge.ratio)
        groups = math.sqrt((test.var(ddof=1) + reference.var(ddof=1)) / 15)
        error = combine_bridge_error(groups, bridge.se, 28, bridge.df)
        held += abs(difference) <= t.ppf(0.95, error.df) * error.se
    assert held / 200 == pytest.approx(0.90, abs=0.06)
