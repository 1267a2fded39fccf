from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats import association, proportion
from celldossier.stats.likelihood import ProfileError, profile_limits
from celldossier.stats.multiplicity import adjust_within_families, benjamini_hochberg
from celldossier.stats.ratio import estimate_level_ratios, estimate_ratio, estimate_slope_ratio

RNG = np.random.default_rng(11)


def test_the_ratio_is_welch_on_logarithms() -> None:
    from scipy.stats import ttest_ind

    a, b = RNG.lognormal(2, 1.2, 14), RNG.lognormal(1.2, 0.6, 9)
    found = estimate_ratio(a, b, 0.90)
    welch = ttest_ind(np.log(a), np.log(b), equal_var=False)
    interval = welch.confidence_interval(0.90)
    assert found.ratio == pytest.approx(np.exp(np.log(a).mean() - np.log(b).mean()), rel=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(interval)), rel=1e-10)
    assert found.p == pytest.approx(welch.pvalue, rel=1e-10)


def test_a_published_pair_of_geometric_means_gives_its_ratio() -> None:
    # Tisagenlecleucel label: Cmax 34,700 in responders, 20,000 in non-responders.
    found = estimate_ratio([34700 / 2, 34700 * 2], [20000 / 3, 20000 * 3])
    assert found.ratio == pytest.approx(1.735, rel=1e-12)


def test_zeros_and_missing_values_have_no_logarithm_and_are_not_counted() -> None:
    found = estimate_ratio([1.0, 4.0, 0.0, math.nan], [1.0, 1.0, 2.0])
    assert (found.n_test, found.n_reference) == (2, 3)


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ([], [1.0, 2.0], "FEWSUBJ"),
        ([3.0], [1.0, 2.0], "FEWSUBJ"),
        ([2.0, 2.0], [1.0, 1.0], "CONSTANT"),
    ],
)
def test_a_ratio_without_interval_says_why(a: list[float], b: list[float], reason: str) -> None:
    found = estimate_ratio(a, b)
    assert found.reason == reason and math.isnan(found.low)


def test_level_ratios_are_those_of_the_analysis_of_variance() -> None:
    from statsmodels.regression.linear_model import OLS

    levels = np.array(["A"] * 8 + ["B"] * 6 + ["C"] * 5)
    values = RNG.lognormal(1, 1, 19)
    found = estimate_level_ratios(values, levels, "B", 0.90)
    design = np.column_stack([np.ones(19), levels == "A", levels == "C"]).astype(float)
    model = OLS(np.log(values), design).fit()
    for position, level in ((1, "A"), (2, "C")):
        assert np.log(found[level].ratio) == pytest.approx(model.params[position], rel=1e-9)
        interval = model.conf_int(0.10)[position]
        assert np.log([found[level].low, found[level].high]) == pytest.approx(interval, rel=1e-9)
        assert found[level].p == pytest.approx(model.pvalues[position], rel=1e-9)


def test_a_slope_ratio_is_that_of_linear_regression() -> None:
    from scipy.stats import linregress, t

    x, values = RNG.normal(50, 12, 25), RNG.lognormal(1, 1, 25)
    found = estimate_slope_ratio(values, x, 30, 0.90)
    line = linregress(x, np.log(values))
    half = t.ppf(0.95, 23) * line.stderr * 30
    assert np.log(found.ratio) == pytest.approx(30 * line.slope, rel=1e-9)
    assert np.log(found.high) == pytest.approx(30 * line.slope + half, rel=1e-9)
    assert found.p == pytest.approx(line.pvalue, rel=1e-9)
    assert estimate_slope_ratio(values, np.full(25, 0.1), 1).reason == "CONSTANT"


def test_the_exact_wilcoxon_is_the_share_of_all_arrangements() -> None:
    a, b = [1.3, 5.2, 7.7, 9.1], [0.4, 2.2, 3.1]
    values = a + b
    sums = []
    for chosen in itertools.combinations(range(7), 4):
        rest = [values[i] for i in range(7) if i not in chosen]
        sums.append(sum(values[i] > other for i in chosen for other in rest))
    seen = sum(x > y for x in a for y in b)
    middle = 4 * 3 / 2
    expected = sum(abs(u - middle) >= abs(seen - middle) for u in sums) / len(sums)
    found = association.test_wilcoxon(a, b)
    assert found.statistic == seen and found.method.endswith("exact")
    assert found.p == pytest.approx(expected, rel=1e-12)


def test_wilcoxon_with_ties_is_not_exact() -> None:
    found = association.test_wilcoxon([0.0, 0.0, 3.0, 8.0], [0.0, 1.0, 2.0, 4.0])
    assert found.method.endswith("asymptotic") and 0 < found.p <= 1
    assert association.test_wilcoxon([2.0, 2.0], [2.0]).reason == "CONSTANT"


@pytest.mark.parametrize("ties", [False, True])
def test_jonckheere_equals_kendall_with_ties(ties: bool) -> None:
    from scipy.stats import kendalltau

    groups = np.repeat([0, 1, 2, 4], [9, 7, 6, 3])
    values = RNG.normal(groups * 0.3, 1)
    if ties:
        values = np.round(values)
    found = association.test_jonckheere(values, groups)
    tau = kendalltau(values, groups, method="asymptotic")
    assert found.p == pytest.approx(tau.pvalue, rel=1e-9)
    assert np.sign(found.statistic) == np.sign(tau.statistic)


def test_jonckheere_of_one_group_is_refused() -> None:
    assert association.test_jonckheere([1.0, 2.0, 3.0], [0, 0, 0]).reason == "FEWSUBJ"
    assert association.test_jonckheere([2.0, 2.0, 2.0], [0, 1, 1]).reason == "CONSTANT"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_are_those_of_scipy(p_values: list[float]) -> None:
    from scipy.stats import false_discovery_control

    q = benjamini_hochberg(p_values)
    assert q == pytest.approx(false_discovery_control(p_values), rel=1e-12)


def test_a_test_that_was_not_made_does_not_count_in_its_family() -> None:
    q = adjust_within_families([0.01, math.nan, 0.04, 0.03], ["A", "A", "A", "B"])
    assert q[[0, 2, 3]] == pytest.approx([0.02, 0.04, 0.03])
    assert math.isnan(q[1])


@pytest.mark.parametrize("n", [5, 12])
def test_clopper_pearson_covers_at_least_its_level(n: int) -> None:
    from scipy.stats import binom

    limits = [proportion.clopper_pearson(x, n) for x in range(n + 1)]
    for p in np.linspace(0.02, 0.98, 49):
        inside = [low <= p <= high for low, high in limits]
        assert binom.pmf(range(n + 1), n, p)[inside].sum() >= 0.95


def test_an_interval_of_nobody_is_missing_and_impossible_counts_are_refused() -> None:
    assert all(math.isnan(v) for v in proportion.clopper_pearson(0, 0))
    assert all(math.isnan(v) for v in proportion.wilson(0, 0))
    with pytest.raises(ValueError, match="impossible"):
        proportion.clopper_pearson(3, 2)


def test_the_area_under_the_curve_counts_ties_half() -> None:
    assert association.area_under_curve([1, 1, 0, 0], [2.0, 1.0, 1.0, 0.0]) == 0.875
    assert math.isnan(association.area_under_curve([1, 1], [2.0, 1.0]))


def test_a_profile_without_limit_is_an_error_not_a_number() -> None:
    low, high = profile_limits(lambda v: -((v - 2) ** 2) / 2, 2.0, 1.0, 0.0)
    assert (low, high) == pytest.approx((2 - 1.959963984540054, 2 + 1.959963984540054), rel=1e-9)
    with pytest.raises(ProfileError):
        profile_limits(lambda v: 0.0, 2.0, 1.0, 0.0)
