"""Hodges and Lehmann's shift of logarithms: a published example and the test that it inverts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from celldossier.stats.shift_ratio import estimate_shift_ratio

# Permeability constants of the human chorioamnion, Hollander and Wolfe (1973), section 4.1: at
# term, and at 12 to 26 weeks.
TERM = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
EARLY = np.array([1.15, 0.88, 0.90, 0.74, 1.21])


def test_estimate_interval_and_p_are_those_of_hollander_and_wolfe() -> None:
    # As wilcox.test of R has it too: shift 0.305, 95 % from -0.15 to 0.76, p 0.2544.
    found = estimate_shift_ratio(np.exp(TERM), np.exp(EARLY), 0.95)
    assert np.log([found.ratio, found.low, found.high]) == pytest.approx([0.305, -0.15, 0.76])
    assert found.p == pytest.approx(0.2544122544, abs=1e-9)
    assert (found.n_test, found.n_reference) == (10, 5)


@pytest.mark.parametrize(("n", "m", "level"), [(14, 9, 0.90), (9, 14, 0.95), (5, 6, 0.90)])
def test_the_interval_holds_the_ratios_that_the_exact_test_does_not_reject(
    n: int, m: int, level: float
) -> None:
    random = np.random.default_rng(n)
    a, b = random.lognormal(0.4, 1, n), random.lognormal(0, 1, m)
    found = estimate_shift_ratio(a, b, level)
    for limit, inside in ((found.low, 1 + 1e-9), (found.high, 1 - 1e-9)):
        assert mannwhitneyu(a / (limit * inside), b, method="exact").pvalue > 1 - level
        assert mannwhitneyu(a / (limit / inside), b, method="exact").pvalue <= 1 - level


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 60), st.integers(4, 60), st.floats(1e-6, 1e6))
def test_swapping_inverts_a_unit_scales_and_a_power_follows(
    seed: int, n: int, m: int, unit: float
) -> None:
    random = np.random.default_rng(seed)
    a, b = random.lognormal(0, 1, n), random.lognormal(0, 1, m)
    found, back = estimate_shift_ratio(a, b), estimate_shift_ratio(b, a)
    assert (back.ratio, back.low, back.high, back.p) == pytest.approx(
        (1 / found.ratio, 1 / found.high, 1 / found.low, found.p)
    )
    assert estimate_shift_ratio(random.permutation(a), b).low == found.low
    scaled = estimate_shift_ratio(unit * a, unit * b)
    assert (scaled.ratio, scaled.low) == pytest.approx((found.ratio, found.low), rel=1e-9)
    assert estimate_shift_ratio(unit * a, b).high == pytest.approx(unit * found.high, rel=1e-9)
    assert estimate_shift_ratio(a**2, b**2).ratio == pytest.approx(found.ratio**2, rel=1e-9)


def test_tied_values_and_large_groups_keep_the_level() -> None:
    random = np.random.default_rng(8)
    # Rounded to whole numbers the interval is wider, as it ends on values that occur.
    for n, places, most in ((25, 0, 1.0), (60, 6, 0.95)):
        held = 0
        for _ in range(300):
            a, b = (np.exp(random.normal(mean, 3, n).round(places)) for mean in (1, 0))
            found = estimate_shift_ratio(a, b)
            held += found.low <= math.e * (1 + 1e-9) and found.high >= math.e * (1 - 1e-9)
        assert 0.85 < held / 300 <= most


def test_tied_values_have_the_order_statistics_of_the_corrected_variance() -> None:
    """Hollander and Wolfe, section 4.1: the variance of the rank sum less that of its ties."""
    a, b = np.repeat([1.0, 2.0, 3.0, 5.0], [6, 9, 3, 7]), np.repeat([1.0, 2.0, 4.0], [8, 4, 5])
    found = estimate_shift_ratio(a, b, 0.95)
    ranks = np.unique(np.concatenate([a, b]), return_counts=True)[1]
    n, m, size = 25, 17, 42
    lost = sum(int(t) * (int(t) ** 2 - 1) for t in ranks) / (size * (size - 1))
    variance = n * m / 12 * (size + 1 - lost)
    count = math.floor(n * m / 2 - norm.ppf(0.975) * math.sqrt(variance))
    differences = sorted(math.log(x / y) for x in a for y in b)
    assert math.log(found.low) == pytest.approx(differences[count - 1])
    assert math.log(found.high) == pytest.approx(differences[n * m - count])
    assert found.p == pytest.approx(mannwhitneyu(a, b, method="asymptotic").pvalue)
    # All values different: the limits of many are those that scipy's test does not reject.
    random = np.random.default_rng(5)
    a, b = random.lognormal(0.2, 1, 55), random.lognormal(0, 1, 52)
    found = estimate_shift_ratio(a, b)
    asked = {"method": "asymptotic", "use_continuity": False}
    for limit, inside in ((found.low, 1 + 1e-9), (found.high, 1 - 1e-9)):
        assert mannwhitneyu(a / (limit * inside), b, **asked).pvalue >= 0.0985
        assert mannwhitneyu(a / (limit / inside), b, **asked).pvalue <= 0.1


def test_at_the_border_of_the_exact_distribution_both_ways_agree() -> None:
    random = np.random.default_rng(2)
    a, b = random.lognormal(0.3, 1, 49), random.lognormal(0, 1, 49)
    exact = estimate_shift_ratio(a, b)
    # One value more carries it over to the normal approximation.
    normal = estimate_shift_ratio(np.append(a, np.median(a) * 1.0001), b)
    assert np.log([normal.low, normal.high]) == pytest.approx(
        np.log([exact.low, exact.high]), abs=0.03
    )


def test_groups_too_small_for_the_level_have_a_ratio_and_no_interval() -> None:
    found = estimate_shift_ratio([2.0, 8.0], [1.0, 4.0, 0.0, math.nan])
    assert (found.n_test, found.n_reference) == (2, 2)
    # Median of 2, 0.5, 8 and 2; the least p of two against two is 1 / 3.
    assert (found.ratio, found.reason) == (pytest.approx(2), "FEWSUBJ")
    assert math.isnan(found.low)
    widest = estimate_shift_ratio([2.0, 8.0], [1.0, 4.0], 2 / 3 - 1e-9)
    assert (widest.low, widest.high) == pytest.approx((0.5, 8))
    none = estimate_shift_ratio([1.0], [0.0])
    assert (none.reason, math.isnan(none.ratio), math.isnan(none.p)) == ("FEWSUBJ", True, True)


def test_a_ratio_without_a_number_says_so() -> None:
    found = estimate_shift_ratio([1e200, 1e210], [1e-200, 1e-210])
    assert (found.reason, math.isnan(found.ratio)) == ("OVERFLOW", True)
