"""Welch's analysis of variance on logarithms: published answers and its limits."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose

from celldossier.stats import heterogeneity
from celldossier.stats.ratio import estimate_ratio

# InsectSprays and sleep, datasets of R; oneway.test prints F = 36.065, df = 5.000, 30.043, p =
# 7.999e-12, and F = 3.4626, df = 1.000, 17.776, p = 0.07939.
SPRAYS = (
    (10, 7, 20, 14, 14, 12, 10, 23, 17, 20, 14, 13),
    (11, 17, 21, 11, 16, 14, 17, 17, 19, 21, 7, 13),
    (0, 1, 7, 2, 3, 1, 2, 1, 3, 0, 1, 4),
    (3, 5, 12, 6, 4, 3, 5, 5, 5, 5, 2, 4),
    (3, 5, 3, 5, 3, 6, 1, 1, 3, 2, 6, 4),
    (11, 9, 15, 22, 15, 16, 13, 10, 26, 26, 24, 13),
)
SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)


@pytest.mark.parametrize(
    ("groups", "f", "df", "p"),
    [(SPRAYS, 36.065, (5.0, 30.043), 7.999e-12), (SLEEP, 3.4626, (1.0, 17.776), 0.07939)],
)
def test_the_answers_are_those_of_oneway_test_of_r(groups, f, df, p):
    found = heterogeneity.test_welch([np.exp(group) for group in groups])
    assert_allclose(found.f, f, rtol=2e-5)
    assert_allclose((found.df_between, found.df_within), df, atol=5e-4)
    assert_allclose(found.p, p, rtol=2e-4)
    assert found.reason == "" and found.n == sum(map(len, groups))


def test_of_two_groups_p_is_that_of_their_ratio():
    first, second = (1.0, 2.5, 4.0, 9.0), (3.0, 8.0, 20.0)
    found = heterogeneity.test_welch([first, second])
    assert_allclose(found.p, estimate_ratio(first, second).p, rtol=1e-10)


def test_values_without_a_logarithm_are_left_out():
    found = heterogeneity.test_welch([(1.0, 2.0, 0.0, nan), (3.0, 5.0, -1.0)])
    assert found.n == 4
    assert_allclose(found.p, heterogeneity.test_welch([(1.0, 2.0), (3.0, 5.0)]).p)


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([], "FEWSUBJ"),
        ([(1.0, 2.0, 3.0)], "FEWSUBJ"),
        ([(1.0, 2.0), (3.0,), (0.0, 0.0)], "FEWSUBJ"),
        ([(1.0, 2.0), (3.0, 3.0)], "CONSTANT"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(groups, reason):
    found = heterogeneity.test_welch(groups)
    assert found.reason == reason and isnan(found.p) and isnan(found.f)
