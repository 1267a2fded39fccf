"""Cut points of antibody assays: closed forms, hand-made sets and false positive rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from celldossier.stats import cut_points
from celldossier.stats.cut_points import CutPointRules, estimate_cut_point

OWN = CutPointRules(0.05, "parametric", log_scale=False)
NORMAL = stats.norm.ppf((np.arange(1, 61) - 0.5) / 60)
"""60 values that no test tells from a normal distribution."""


def test_a_normal_sample_has_mean_and_1_645_sd() -> None:
    found = estimate_cut_point(100 + 10 * NORMAL, CutPointRules(0.05, log_scale=False))
    sd = 10 * math.sqrt(np.sum(NORMAL**2) / 59)
    assert found.rule == "parametric"
    assert found.reason == "NORMAL"
    assert found.value == pytest.approx(100 + 1.6448536 * sd)


def test_the_confirmatory_tier_takes_2_326_sd() -> None:
    found = estimate_cut_point(NORMAL, CutPointRules(0.01, "parametric", log_scale=False))
    assert found.value == pytest.approx(2.3263479 * math.sqrt(np.sum(NORMAL**2) / 59))


def test_signals_are_analysed_as_logarithms_unless_one_is_not_positive() -> None:
    signals = np.exp(5 + 0.2 * NORMAL)
    found = estimate_cut_point(signals, CutPointRules(0.05, "parametric"))
    assert found.scale == "LOG"
    assert math.log(found.value) == pytest.approx(5 + 0.2 * 1.6448536 * NORMAL.std(ddof=1))
    assert estimate_cut_point(signals - signals.min(), CutPointRules(0.05)).scale == "OWN"


def test_the_robust_rule_takes_median_and_scaled_mad() -> None:
    # Median 10; absolute deviations 0, 1, 1, 2, 90: their median is 1.
    rules = CutPointRules(0.05, "robust", log_scale=False, passes=0, fewest=5)
    found = estimate_cut_point([8, 9, 10, 11, 100], rules)
    assert found.value == pytest.approx(10 + 1.6448536 * 1.4826)
    assert found.reason == "DECLARED"


def test_the_percentile_stands_at_rank_n_plus_1() -> None:
    rules = CutPointRules(0.05, "nonparametric", log_scale=False)
    # Rank 0.95 x 40 = 38 of 39; rank 0.95 x 30 = 28.5 of 29.
    assert estimate_cut_point(np.arange(1, 40), rules).value == pytest.approx(38)
    assert estimate_cut_point(np.arange(1, 30), rules).value == pytest.approx(28.5)


def test_a_percentile_beyond_the_sample_is_not_given() -> None:
    rules = CutPointRules(0.01, "nonparametric", log_scale=False)
    short, enough = (estimate_cut_point(np.arange(n), rules) for n in (98, 99))
    assert (short.missing, math.isnan(short.value)) == ("FEWTAIL", True)
    assert enough.value == pytest.approx(98)


@pytest.mark.parametrize(
    ("values", "missing"), [(np.arange(19.0), "FEWVAL"), (np.ones(30), "NOSPREAD")]
)
def test_too_few_or_equal_values_have_no_cut_point(values: np.ndarray, missing: str) -> None:
    assert estimate_cut_point(values, OWN).missing == missing


def test_the_rule_follows_normality_and_skewness() -> None:
    rules = CutPointRules(0.05)
    assert cut_points.choose_rule(0.05, 3.0, rules) == ("parametric", "NORMAL")
    assert cut_points.choose_rule(0.049, -1.0, rules) == ("robust", "SYMMETRIC")
    assert cut_points.choose_rule(0.049, 1.01, rules) == ("nonparametric", "SKEWED")


def test_a_skewed_sample_is_cut_at_its_percentile() -> None:
    skewed = stats.expon.ppf((np.arange(1, 100) - 0.5) / 99)
    found = estimate_cut_point(skewed, CutPointRules(0.05, log_scale=False, passes=0))
    assert (found.rule, found.reason) == ("nonparametric", "SKEWED")
    assert found.value == pytest.approx(np.sort(skewed)[94])
    # 60 of them are too few for 1%: no cut point rather than one that several percent exceed.
    few = stats.expon.ppf((np.arange(1, 61) - 0.5) / 60)
    assert estimate_cut_point(few, CutPointRules(0.01, log_scale=False)).missing == "FEWTAIL"


def test_outliers_go_pass_by_pass_and_no_further_than_declared() -> None:
    # Quartiles 4 and 12, fences -8 and 24 at 1.5; without 1000 again, then 25 lies outside.
    values = [*range(1, 16), 24.5, 1000]
    once, passes = cut_points.drop_outliers(values, 1.5, 1)
    assert (list(once), passes) == ([*range(1, 16), 24.5], 1)
    again, passes = cut_points.drop_outliers(values, 1.5, 5)
    assert (list(again), passes) == ([*range(1, 16)], 2)
    none, passes = cut_points.drop_outliers(values, 1.5, 0)
    assert (len(none), passes) == (17, 0)


def test_the_parametric_bound_is_the_tolerance_limit_of_the_nist_handbook() -> None:
    # 43 values, 90% above the limit with 99% confidence: NIST/SEMATECH e-Handbook, 7.2.6.3,
    # gives k = 1.8752 by Natrella's approximation, which is off by less than 0.1% there.
    values = stats.norm.ppf((np.arange(1, 44) - 0.5) / 43)
    bound = cut_points.estimate_lower_bound(values, "parametric", 0.90, 0.99)
    assert -bound / values.std(ddof=1) == pytest.approx(1.8752, rel=1e-3)


def test_the_nonparametric_bound_is_an_order_statistic() -> None:
    # n = 22: P(Bin(22, 0.95) >= 20) = 0.905, >= 21 = 0.698.
    bound = cut_points.estimate_lower_bound(np.arange(1, 23), "nonparametric", 0.05, 0.90)
    assert bound == 20


@pytest.mark.parametrize("rule", ["parametric", "robust", "nonparametric"])
def test_false_positive_rate_and_bound_hold_in_simulation(rule: cut_points.Rule) -> None:
    draws, n = 2000, 99
    sample = np.random.default_rng(8).normal(size=(draws, n))
    rates = np.array(
        [stats.norm.sf(cut_points.estimate_quantile(each, rule, 0.05)) for each in sample]
    )
    error = rates.std(ddof=1) / math.sqrt(draws)
    # The rank rule is unbiased; plug-in normal quantiles exceed 5% by a term of order 1/n.
    bias = 0.0 if rule == "nonparametric" else 0.006
    assert -4 * error < rates.mean() - 0.05 < bias + 4 * error
    bounds = [cut_points.estimate_lower_bound(each, rule, 0.05, 0.90) for each in sample]
    held = np.mean(stats.norm.sf(bounds) >= 0.05)
    assert held > 0.90 - 4 * math.sqrt(0.09 / draws) - (0.03 if rule == "robust" else 0)


def test_runs_decide_between_fixed_floating_and_dynamic() -> None:
    run = NORMAL[::3]
    names = ["A"] * 20 + ["B"] * 20
    same = cut_points.compare_runs([*run, *(run + 0.1)], names, 0.05)
    assert (same.form, same.n_runs) == ("FIXED", 2)
    moved = cut_points.compare_runs([*run, *(run + 2)], names, 0.05)
    assert moved.form == "FLOATING"
    assert moved.p_means == pytest.approx(stats.ttest_ind(run, run + 2).pvalue)
    assert cut_points.compare_runs([*run, *(run * 5)], names, 0.05).form == "DYNAMIC"


def test_runs_of_two_results_are_not_compared() -> None:
    found = cut_points.compare_runs([1, 2, 3, 4, 5], ["A", "A", "A", "B", "B"], 0.05)
    assert (found.form, found.n_runs) == ("", 1)


@given(
    st.lists(st.floats(1, 1000), min_size=25, max_size=60),
    st.floats(0.01, 100),
    st.sampled_from(["parametric", "robust", "nonparametric"]),
)
@settings(max_examples=60, deadline=None)
def test_a_cut_point_scales_with_the_signal_and_knows_no_order(
    values: list[float], factor: float, rule: cut_points.Rule
) -> None:
    rules = CutPointRules(0.05, rule, passes=0)
    found = estimate_cut_point(values, rules)
    if found.missing:
        return
    scaled = estimate_cut_point(np.asarray(values) * factor, rules)
    shuffled = estimate_cut_point(np.random.default_rng(1).permutation(values), rules)
    assert scaled.value == pytest.approx(found.value * factor, rel=1e-6)
    assert scaled.bound == pytest.approx(found.bound * factor, rel=1e-6)
    assert shuffled.value == pytest.approx(found.value, rel=1e-9)
    assert found.bound <= found.value * (1 + 1e-9)
