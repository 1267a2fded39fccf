"""Ratios of geometric means: defaults, counts, and what cannot be estimated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import linregress, t

from celldossier.stats.ratio import estimate_level_ratios, estimate_ratio, estimate_slope_ratio

VALUES = np.array([3.0, 8.0, 5.0, 21.0, 13.0, 2.0, 7.0, 40.0])
LEVELS = np.array(list("AAABBBCC"))
AGE = np.array([31.0, 44.0, 52.0, 60.0, 61.0, 25.0, 39.0, 70.0])


def test_where_no_level_is_asked_for_the_intervals_are_those_of_90_percent():
    assert estimate_ratio(VALUES[:5], VALUES[5:]) == estimate_ratio(VALUES[:5], VALUES[5:], 0.90)
    assert estimate_level_ratios(VALUES, LEVELS, "A") == estimate_level_ratios(
        VALUES, LEVELS, "A", 0.90
    )
    assert estimate_slope_ratio(VALUES, AGE, 10) == estimate_slope_ratio(VALUES, AGE, 10, 0.90)


def test_the_counts_are_those_of_the_level_and_of_the_reference():
    found = estimate_level_ratios(VALUES, LEVELS, "C")
    assert {name: (one.n_test, one.n_reference) for name, one in found.items()} == {
        "A": (3, 2),
        "B": (3, 2),
    }
    slope = estimate_slope_ratio(VALUES, AGE, 10)
    assert (slope.n_test, slope.n_reference) == (8, 8)


def test_a_reference_that_does_not_occur_is_an_error():
    with pytest.raises(ValueError, match="does not occur"):
        estimate_level_ratios(VALUES, LEVELS, "D")


@pytest.mark.parametrize(
    ("values", "reason"), [([2.0, 6.0], "FEWSUBJ"), ([2.0, 2.0, 6.0, 6.0], "CONSTANT")]
)
def test_levels_without_variation_within_have_a_ratio_and_no_interval(values, reason):
    levels = np.repeat(["A", "B"], len(values) // 2)
    found = estimate_level_ratios(values, levels, "A")["B"]
    assert found.ratio == pytest.approx(3)
    assert found.reason == reason
    assert np.isnan([found.low, found.high, found.p]).all()


def test_a_level_of_one_subject_has_the_interval_of_the_pooled_variance():
    found = estimate_level_ratios([2.0, 8.0, 4.0], ["A", "A", "B"], "A")["B"]
    # ln 2 and ln 8 differ by 2 ln 2 from each other: variance 2 ln(2)^2 with one degree.
    half = t.ppf(0.95, 1) * math.sqrt(2 * math.log(2) ** 2 * (1 + 1 / 2))
    assert (found.ratio, found.reason) == (pytest.approx(1), "")
    assert math.log(found.high) == pytest.approx(half)


def test_the_slope_of_three_subjects_has_one_degree_of_freedom():
    found = estimate_slope_ratio(VALUES[:3], AGE[:3], 10)
    line = linregress(AGE[:3], np.log(VALUES[:3]))
    assert found.p == pytest.approx(line.pvalue)
    assert math.log(found.low) == pytest.approx(10 * (line.slope - t.ppf(0.95, 1) * line.stderr))
    assert estimate_slope_ratio(VALUES[:2], AGE[:2], 10).reason == "FEWSUBJ"


def test_a_step_down_is_the_inverse_of_the_step_up():
    up, down = estimate_slope_ratio(VALUES, AGE, 10), estimate_slope_ratio(VALUES, AGE, -10)
    assert (down.ratio, down.low, down.high) == pytest.approx(
        (1 / up.ratio, 1 / up.high, 1 / up.low)
    )
    assert down.p == pytest.approx(up.p)
    assert estimate_slope_ratio(VALUES, AGE, 0).reason == "CONSTANT"


def test_values_that_do_not_vary_have_the_ratio_of_one_and_no_interval():
    found = estimate_slope_ratio(np.ones(8), AGE, 10)
    assert (found.ratio, found.reason) == (1, "CONSTANT")
    assert math.isnan(found.low)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_unit_of_the_covariate_does_not_matter(unit):
    first, other = (
        estimate_slope_ratio(VALUES, AGE, 10),
        estimate_slope_ratio(VALUES, AGE * unit, 10 * unit),
    )
    assert (other.ratio, other.low, other.p) == pytest.approx((first.ratio, first.low, first.p))


def test_groups_of_two_have_the_interval_of_welch_and_smaller_ones_none():
    found = estimate_ratio([2.0, 8.0], [1.0, 16.0])
    # Variances of the means: ln(2)^2 and 4 ln(2)^2; df = 25 / (1 + 16).
    half = t.ppf(0.95, 25 / 17) * math.sqrt(5) * math.log(2)
    assert (found.ratio, math.log(found.high)) == (pytest.approx(1), pytest.approx(half))
    one = estimate_ratio([2.0, 8.0], [1.0])
    assert (one.ratio, one.reason) == (pytest.approx(4), "FEWSUBJ")
    assert math.isnan(one.low)
    assert math.isnan(estimate_ratio([2.0], []).ratio)
    # Where one group varies, the interval rests on it alone.
    assert estimate_ratio([2.0, 8.0], [4.0, 4.0]).reason == ""


def test_a_ratio_or_an_interval_without_a_number_says_so() -> None:
    # Two subjects a group: the t quantile of one degree of freedom carries the limit out of range.
    wide = estimate_ratio([1e-150, 1e150], [1e-150, 1e150], 0.99)
    steep = estimate_slope_ratio([1.0, 2.0, 4.0, 8.1], [0.0, 1.0, 2.0, 3.0], 1e6)
    for found in (wide, steep):
        assert found.reason == "OVERFLOW"
        assert np.isnan([found.ratio, found.low, found.high]).all()


# Clayton D, Leslie A (1981), J Int Med Res 9:470-477, AUC of erythromycin as two groups: data set
# P1 of Fuglsang A, Schuetz H, Labes D (2015), AAPS J 17:400-404; P2 is without the first five of
# the reference. Their 90 % intervals in percent, of equal and of unequal variances.
TEST = [2.52, 8.87, 0.79, 1.68, 6.95, 1.05, 0.99, 5.60, 3.16]
REFERENCE = [4.98, 7.14, 1.81, 7.34, 4.25, 6.66, 4.76, 7.16, 5.52]


@pytest.mark.parametrize(
    ("skipped", "variance", "published"),
    [
        (0, "EQUAL", (48.58, 27.15, 86.94)),
        (0, "UNEQUAL", (48.58, 26.78, 88.14)),
        (5, "EQUAL", (41.99, 18.26, 96.59)),
        (5, "UNEQUAL", (41.99, 23.71, 74.38)),
    ],
)
def test_ratios_are_those_of_the_reference_data_of_parallel_groups(skipped, variance, published):
    found = estimate_ratio(TEST, REFERENCE[skipped:], 0.90, variance)
    assert (100 * found.ratio, 100 * found.low, 100 * found.high) == pytest.approx(
        published, abs=5.1e-3
    )


@pytest.mark.parametrize("variance", ["EQUAL", "UNEQUAL"])
def test_error_and_degrees_of_freedom_give_the_interval_and_sd_is_the_pooled_one(variance):
    found = estimate_ratio(TEST, REFERENCE[5:], 0.95, variance)
    half = t.ppf(0.975, found.df) * found.se
    assert math.log(found.high / found.ratio) == pytest.approx(half)
    a, b = np.log(TEST), np.log(REFERENCE[5:])
    squares = 8 * a.var(ddof=1) + 3 * b.var(ddof=1)
    assert found.sd == pytest.approx(math.sqrt(squares / 11))
    assert math.isnan(estimate_ratio([2.0], [3.0]).se)
