"""Isotonic estimates, the selected dose, posterior probabilities of a rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import beta
from sklearn.isotonic import IsotonicRegression

from celldossier.stats.escalation_estimates import (
    estimate_exceedance,
    estimate_isotonic_rates,
    estimate_rate,
    fit_isotonic,
    select_mtd,
)


def make_levels(least: int, most: int) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    """Toxicities and subjects of so many levels."""
    pair = st.tuples(st.integers(0, 12), st.floats(0, 1))
    return st.lists(pair, min_size=least, max_size=most).map(
        lambda pairs: ([round(n * share) for n, share in pairs], [n for n, _ in pairs])
    )


@given(make_levels(1, 7))
@settings(max_examples=150, deadline=None)
def test_the_isotonic_estimates_are_those_of_scikit_learn(counts):
    y, n = (np.array(part) for part in counts)
    found = estimate_isotonic_rates(y, n)
    assert np.isnan(found[n == 0]).all()
    if (n > 0).any():
        size = n[n > 0] + 0.1
        p = (y[n > 0] + 0.05) / size
        weight = size**2 * (size + 1) / ((y[n > 0] + 0.05) * (n[n > 0] - y[n > 0] + 0.05))
        expected = IsotonicRegression().fit_transform(np.arange(len(p)), p, sample_weight=weight)
        assert_allclose(found[n > 0], expected, rtol=1e-9)


def test_two_levels_in_the_wrong_order_are_their_weighted_mean():
    assert fit_isotonic([0.4, 0.1, 0.6], [1.0, 3.0, 1.0]) == pytest.approx([0.175, 0.175, 0.6])


@given(st.lists(make_levels(3, 3), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_many_trials_at_once_give_what_each_gives_alone(trials):
    y, n = (np.array([trial[part] for trial in trials]) for part in (0, 1))
    alone = [int(select_mtd(y[i], n[i], 0.3)[0]) for i in range(len(trials))]
    assert select_mtd(y, n, 0.3).tolist() == alone


def test_the_selected_dose_is_that_of_the_published_example():
    # Yan et al. (2019), page 15, select.mtd of the R package BOIN: dose 3.
    assert select_mtd([0, 0, 4, 4, 0], [3, 3, 15, 9, 0], 0.3)[0] == 2
    # Of the tests of the R package escalation, beside BOIN: dose 2 after 0/0, 1/3, 0/0, 0/0, 3/3.
    out = [False, False, False, False, True]
    assert select_mtd([0, 1, 0, 0, 3], [0, 3, 0, 0, 3], 0.3, out)[0] == 1


def test_of_equal_estimates_the_highest_below_and_the_lowest_above_the_target():
    assert select_mtd([0, 0, 0], [3, 3, 3], 0.3)[0] == 2
    assert select_mtd([3, 3, 3], [3, 3, 3], 0.3)[0] == 0


def test_no_dose_is_selected_where_all_given_ones_are_eliminated():
    assert select_mtd([3, 0], [3, 0], 0.3, [True, False])[0] == -1
    assert select_mtd([0, 0], [0, 0], 0.3)[0] == -1


@given(st.integers(0, 20), st.floats(0, 1), st.floats(0.1, 0.4), st.floats(0.01, 0.2))
@settings(max_examples=60, deadline=None)
def test_the_probabilities_of_the_intervals_are_those_of_the_beta_distribution(n, share, low, wide):
    y = round(n * share)
    found = estimate_rate(y, n, (low, low + wide))
    posterior = beta(1 + y, 1 + n - y)
    assert found.under + found.within + found.over == pytest.approx(1)
    assert found.under == pytest.approx(posterior.cdf(low), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(posterior.interval(0.95))
    assert found.mean == pytest.approx((1 + y) / (2 + n))
    assert estimate_exceedance(y, n, low) == pytest.approx(1 - found.under)
