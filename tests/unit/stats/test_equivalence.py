"""Two one-sided tests, their power and the sizes that they need, against published answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi, norm, t
from scipy.stats import ttest_ind as t_test
from statsmodels.stats.weightstats import ttost_ind

from celldossier.stats import equivalence
from celldossier.stats.equivalence import power_of_equivalence, size_for_equivalence

LN_MARGIN = (math.log(0.8), math.log(1.25))


def _sd(cv: float) -> float:
    """Standard deviation of logarithms of a coefficient of variation."""
    return math.sqrt(math.log(1 + cv**2))


def test_the_two_tests_are_those_of_statsmodels() -> None:
    random = np.random.default_rng(2)
    a, b = random.normal(0.1, 0.2, 14), random.normal(0, 0.2, 11)
    p, first, second = ttost_ind(a, b, *LN_MARGIN)
    pooled = (13 * a.var(ddof=1) + 10 * b.var(ddof=1)) / 23
    se = math.sqrt(pooled * (1 / 14 + 1 / 11))
    found = equivalence.test_equivalence(float(a.mean() - b.mean()), se, 23, *LN_MARGIN)
    assert (found.p, found.p_lower, found.p_upper) == pytest.approx(
        (p, first[1], second[1]), rel=1e-10
    )
    interval = t_test(a, b).confidence_interval(0.90)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@settings(max_examples=80, deadline=None)
@given(st.floats(-1, 1), st.floats(0.01, 1), st.integers(1, 200), st.floats(0.5, 0.99))
def test_the_interval_lies_within_where_both_tests_reject_and_swapping_mirrors(
    estimate: float, se: float, df: int, level: float
) -> None:
    found = equivalence.test_equivalence(estimate, se, df, -0.5, 0.7, level)
    assert found.within == (found.low >= -0.5 and found.high <= 0.7)
    alpha = (1 - level) / 2
    if abs(found.p - alpha) > 1e-9:
        assert found.within == (found.p < alpha)
    # One-sided p of both sides leave the posterior mass between the margins.
    mass = t.cdf((0.7 - estimate) / se, df) - t.cdf((-0.5 - estimate) / se, df)
    assert found.probability == pytest.approx(mass, abs=1e-12)
    swapped = equivalence.test_equivalence(-estimate, se, df, -0.7, 0.5, level)
    assert (swapped.low, swapped.high, swapped.p_lower) == pytest.approx(
        (-found.high, -found.low, found.p_upper)
    )
    assert (swapped.within, swapped.p) == (found.within, pytest.approx(found.p))


def test_an_error_that_is_known_has_the_normal_interval() -> None:
    found = equivalence.test_equivalence(0.1, 0.2, math.inf, -0.5, 0.5, 0.95)
    assert (found.low, found.high) == pytest.approx((0.1 - 1.959964 * 0.2, 0.1 + 1.959964 * 0.2))
    assert found.p == pytest.approx(norm.sf(2))
    near = equivalence.test_equivalence(0.1, 0.2, 1e9, -0.5, 0.5, 0.95)
    assert near.probability == pytest.approx(found.probability, rel=1e-6)


@pytest.mark.parametrize(
    ("estimate", "se", "df", "reason"),
    [
        (math.nan, 0.1, 3, "NOVALUE"),
        (0.1, math.nan, 3, "NOVALUE"),
        (0.1, 0.0, 3, "CONSTANT"),
        (0.1, 0.1, 0, "FEWSUBJ"),
        (0.1, 0.1, math.nan, "FEWSUBJ"),
    ],
)
def test_what_cannot_be_tested_says_why(estimate: float, se: float, df: float, reason: str) -> None:
    found = equivalence.test_equivalence(estimate, se, df, -1, 1)
    assert (found.reason, found.within) == (reason, False)
    assert np.isnan([found.low, found.high, found.p, found.probability]).all()


def test_a_margin_that_does_not_rise_is_an_error() -> None:
    with pytest.raises(ValueError, match="not below"):
        equivalence.test_equivalence(0, 1, 5, 0.2, 0.2)


def test_power_of_a_parallel_design_is_that_which_powertost_publishes() -> None:
    # README of the R package PowerTOST (Labes, Schuetz, Lang): power.TOST(CV = 0.35,
    # n = c(52, 49), design = "parallel"), true ratio 0.95, margin 0.80 to 1.25: 0.8011186.
    found = power_of_equivalence(_sd(0.35), 0.95, 0.8, 1.25, 52, 49)
    assert found == pytest.approx(0.8011186, abs=5e-8)


def test_power_is_owens_integral_and_the_share_of_simulated_studies() -> None:
    sd, ratio, n = 0.6, 1.1, (9, 14)
    error, df = sd * math.sqrt(1 / n[0] + 1 / n[1]), sum(n) - 2
    reach = t.ppf(0.95, df)

    def inside(q: float) -> float:
        low = math.log(0.5) + reach * error * q
        high = math.log(2) - reach * error * q
        if high <= low:
            return 0.0
        density = chi.pdf(q * math.sqrt(df), df) * math.sqrt(df)
        centre = math.log(ratio)
        return density * (norm.cdf((high - centre) / error) - norm.cdf((low - centre) / error))

    exact = quad(inside, 0, 4, epsabs=1e-12, limit=400, points=[math.log(2) / reach / error])[0]
    assert power_of_equivalence(sd, ratio, 0.5, 2, *n) == pytest.approx(exact, abs=1e-9)
    random = np.random.default_rng(6)
    difference = random.normal(math.log(ratio), error, 200_000)
    half = reach * error * np.sqrt(random.chisquare(df, 200_000) / df)
    share = np.mean((difference - half >= math.log(0.5)) & (difference + half <= math.log(2)))
    assert share == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 200_000))


@pytest.mark.parametrize(
    ("lower", "approximate", "exact"),
    [(0.8, 468, 468), (0.7, 183, 184), (0.5, 49, 50), (1 / 3, 20, 20)],
)
def test_sizes_for_cell_therapy_are_those_of_the_normal_approximation_or_one_more(
    lower: float, approximate: int, exact: int
) -> None:
    # Geometric CV 170 %, true ratio 1, 80 % power: n = 2 (sd (1.6449 + 1.2816) / ln margin)^2,
    # which takes the variance for known (Chow SC, Shao J, Wang H, section 3.2.3).
    sd = _sd(1.7)
    quantiles = norm.ppf(0.95) + norm.ppf(0.9)
    assert math.ceil(2 * (sd * quantiles / math.log(lower)) ** 2) == approximate
    assert size_for_equivalence(sd, 1, lower, 1 / lower).n_reference == exact
    assert power_of_equivalence(sd, 1, lower, 1 / lower, exact - 1, exact - 1) < 0.8


def test_a_size_is_the_first_that_reaches_the_power_and_keeps_its_allocation() -> None:
    found = size_for_equivalence(0.8, 1.1, 0.5, 2, 0.9, 0.90, 2.0)
    assert found.n_test == 2 * found.n_reference
    one_less = power_of_equivalence(0.8, 1.1, 0.5, 2, found.n_test - 2, found.n_reference - 1)
    assert one_less < 0.9 <= found.power
    assert found.power == power_of_equivalence(0.8, 1.1, 0.5, 2, found.n_test, found.n_reference)
    # The smaller group is not below two, and a third of twelve is four.
    fewer = size_for_equivalence(0.8, 1, 0.5, 2, allocation=1 / 3)
    assert fewer.n_test == math.ceil(fewer.n_reference / 3 - 1e-9)
    assert size_for_equivalence(0.01, 1, 0.5, 2, allocation=0.1).n_test == 2
    # A size between two powers of two, and one at them.
    for sd in np.linspace(0.2, 1.2, 12):
        size = size_for_equivalence(sd, 1, 0.5, 2).n_reference
        assert power_of_equivalence(sd, 1, 0.5, 2, size, size) >= 0.8
        assert size == 2 or power_of_equivalence(sd, 1, 0.5, 2, size - 1, size - 1) < 0.8
    least = size_for_equivalence(0.01, 1, 0.5, 2)
    assert (least.n_test, least.n_reference, least.power) == (2, 2, pytest.approx(1))


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 1.5), st.floats(0.6, 1.6), st.integers(2, 60), st.integers(2, 60))
def test_power_is_the_same_with_groups_and_margins_swapped_and_rises_with_the_margin(
    sd: float, ratio: float, first: int, second: int
) -> None:
    power = power_of_equivalence(sd, ratio, 0.5, 1.8, first, second)
    swapped = power_of_equivalence(sd, 1 / ratio, 1 / 1.8, 2, second, first)
    assert swapped == pytest.approx(power, abs=1e-11)
    assert 0 <= power <= power_of_equivalence(sd, ratio, 0.45, 1.9, first, second) + 1e-12


def test_at_the_margin_the_chance_is_at_most_the_level_of_one_test() -> None:
    at_margin = [power_of_equivalence(0.5, 2, 0.5, 2, n, n) for n in (3, 10, 100, 1000)]
    assert (np.diff(at_margin) > -1e-12).all()
    assert at_margin[-1] == pytest.approx(0.05, abs=1e-9)


def test_no_size_is_given_where_none_is_enough() -> None:
    outside = size_for_equivalence(1, 2.0, 0.5, 2)
    assert (outside.reason, outside.n_test, math.isnan(outside.power)) == ("OUTMARG", 0, True)
    assert size_for_equivalence(2, 1.24999, 0.8, 1.25).reason == "MANYSUBJ"
    assert math.isnan(power_of_equivalence(1, 1, 0.5, 2, 1, 1))
    assert math.isnan(power_of_equivalence(1, 1, 0.5, 2, 0, 9))
    assert 0.3 < power_of_equivalence(0.1, 1, 0.5, 2, 1, 2) < 1
    for wrong in ({"sd": 0}, {"ratio": 0.0}, {"lower": 2.0}, {"lower": 0.0}):
        asked = {"sd": 1.0, "ratio": 1.0, "lower": 0.5, "upper": 2.0} | wrong
        with pytest.raises(ValueError, match="above 0"):
            power_of_equivalence(**asked, n_test=5, n_reference=5)
    for wrong in ({"sd": 0}, {"lower": 3.0}, {"power": 1.0}, {"allocation": 0}):
        given_ = {"sd": 1.0, "ratio": 1.0, "lower": 0.5, "upper": 2.0} | wrong
        with pytest.raises(ValueError, match="above 0"):
            size_for_equivalence(**given_)
