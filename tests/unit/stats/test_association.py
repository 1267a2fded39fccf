"""Rank tests: their exact range, ties by formula, and values left out; the area under the curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from celldossier.stats import association
from celldossier.stats.association import area_under_curve
from celldossier.stats.discrimination import compare_scores

FIRST, SECOND = np.array([0.0, 0.0, 3.0, 8.0, 5.0]), np.array([0.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("a", "b", "method"), [(49, 49, "exact"), (50, 3, "asymptotic"), (3, 50, "asymptotic")]
)
def test_the_exact_distribution_is_used_below_fifty_values_a_group(a, b, method):
    found = association.test_wilcoxon(2.0 * np.arange(a), 2.0 * np.arange(b) + 1)
    assert found.method == f"Wilcoxon, {method}"
    assert found.n == a + b


def test_ties_have_the_normal_deviate_with_both_corrections():
    found = association.test_wilcoxon(FIRST, SECOND)
    u = sum((x > y) + (x == y) / 2 for x in FIRST for y in SECOND)
    # Three zeros are the only ties: t^3 - t = 24. N = 9.
    sd = math.sqrt(5 * 4 / 12 * (10 - 24 / (9 * 8)))
    assert (found.statistic, found.method) == (u, "Wilcoxon, asymptotic")
    assert found.p == pytest.approx(2 * norm.sf((abs(u - 10) - 0.5) / sd))


def test_missing_values_are_left_out_of_the_rank_tests():
    a, b = np.array([1.3, math.nan, 5.2, 7.7]), np.array([0.4, 2.2, math.nan])
    found = association.test_wilcoxon(a, b)
    assert found == association.test_wilcoxon(a[[0, 2, 3]], b[:2])
    assert found.n == 5
    values, groups = np.array([3.0, 1.0, math.nan, 4.0, 6.0]), np.array([1, 0, 0, math.nan, 2])
    trend = association.test_jonckheere(values, groups)
    assert trend == association.test_jonckheere(values[[0, 1, 4]], groups[[0, 1, 4]])
    assert (trend.n, trend.reason) == (3, "")


@pytest.mark.parametrize(("a", "b"), [([], [1.0, 2.0]), ([1.0, 2.0], []), ([math.nan], [1.0])])
def test_a_group_without_values_has_no_rank_test(a, b):
    found = association.test_wilcoxon(a, b)
    assert (found.reason, found.n) == ("FEWSUBJ", len(b) + len(a) - np.isnan(a).sum())
    assert math.isnan(found.p) and math.isnan(found.statistic)


def test_jonckheere_of_two_groups_is_the_deviate_of_wilcoxon():
    values, groups = np.array([1.0, 7.0, 3.0, 9.0, 4.0, 8.0]), np.array([0, 0, 0, 5, 5, 5])
    found = association.test_jonckheere(values, groups)
    # 8 of the 9 pairs rise; variance n1 n2 (N + 1) / 12.
    z = (8 - 4.5) / math.sqrt(9 * 7 / 12)
    assert found.statistic == pytest.approx(z)
    assert found.p == pytest.approx(2 * norm.sf(z))
    assert association.test_jonckheere([1.0, 2.0], [0, 1]).reason == "FEWSUBJ"


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_scores_that_differ_by_rounding_are_ties_and_others_are_not(scale):
    equal, apart = [0.3 * scale, (0.1 + 0.2) * scale], [0.3 * scale, (0.3 - 1e-9) * scale]
    assert area_under_curve([0, 1], equal) == area_under_curve([1, 0], equal) == 0.5
    assert area_under_curve([1, 0], apart) == 1.0
    first, second = (np.array([[score]]) for score in equal)
    assert compare_scores(first, second)[0, 0, 0] == 0.5
    first, second = (np.array([[score]]) for score in apart)
    assert compare_scores(first, second)[0, 0, 0] == 1.0
    assert compare_scores(second, first)[0, 0, 0] == 0.0
