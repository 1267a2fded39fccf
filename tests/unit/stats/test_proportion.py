"""Intervals of a proportion at their ends in closed form; impossible requests; q values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from celldossier.stats import proportion
from celldossier.stats.multiplicity import adjust_within_families, benjamini_hochberg
from celldossier.stats.proportion import clopper_pearson, wilson

Z = 1.959963984540054
fisher = proportion.test_fisher


@pytest.mark.parametrize("n", [1, 7, 40])
def test_none_and_all_have_their_closed_limits(n):
    assert clopper_pearson(0, n) == (0, pytest.approx(1 - 0.025 ** (1 / n)))
    assert clopper_pearson(n, n) == (pytest.approx(0.025 ** (1 / n)), 1)
    assert wilson(0, n) == (0, pytest.approx(Z**2 / (n + Z**2)))
    assert wilson(n, n) == (pytest.approx(n / (n + Z**2)), 1)


def test_the_score_interval_is_where_the_score_test_is_at_its_limit():
    for limit in wilson(9, 30, 0.90):
        deviate = (0.3 - limit) / math.sqrt(limit * (1 - limit) / 30)
        assert abs(deviate) == pytest.approx(1.6448536269514722)


@pytest.mark.parametrize("interval", [clopper_pearson, wilson])
def test_impossible_counts_and_levels_are_refused(interval):
    for events, n in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="impossible"):
            interval(events, n)
    for level in (0.0, 1.0, 95.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            interval(1, 3, level)


def test_the_lady_tasting_tea_has_the_published_test():
    # R, help page of fisher.test: p = 0.4857, conditional odds ratio 6.408309.
    found = fisher([[3, 1], [1, 3]])
    assert found.p == pytest.approx(34 / 70)
    assert found.odds_ratio == pytest.approx(6.408309, rel=1e-5)
    # At each limit the tail of the noncentral hypergeometric distribution holds 2.5 %.
    ways = np.array([1.0, 16.0, 36.0, 16.0, 1.0])
    at_low, at_high = (ways * odds ** np.arange(5) for odds in (found.low, found.high))
    assert at_low[3:].sum() / at_low.sum() == pytest.approx(0.025)
    assert at_high[:4].sum() / at_high.sum() == pytest.approx(0.025)
    assert found == fisher([[3, 1], [1, 3]], 0.95)


def test_an_empty_cell_leaves_one_side_open():
    none = fisher([[0, 5], [4, 3]])
    assert (none.odds_ratio, none.low) == (0, 0) and math.isfinite(none.high)
    every = fisher([[5, 0], [3, 4]])
    assert (every.odds_ratio, every.high) == (math.inf, math.inf) and every.low > 0


@pytest.mark.parametrize("table", [[[1, 2, 3], [4, 5, 6]], [[1, -1], [2, 3]], [1, 2]])
def test_what_is_no_table_of_two_by_two_counts_is_refused(table):
    with pytest.raises(ValueError, match="2 x 2"):
        fisher(table)


def test_q_values_need_p_values_and_families():
    for outside in (-0.1, 1.1):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            benjamini_hochberg([0.2, outside])
    with pytest.raises(ValueError, match="needs its family"):
        adjust_within_families([0.1, 0.2], ["A"])
    assert np.isnan(benjamini_hochberg([math.nan, math.nan])).all()
    assert benjamini_hochberg([0.0, 1.0]).tolist() == [0.0, 1.0]
