from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats import trend


def exact_by_listing(events: list[int], sizes: list[int], scores: list[int]) -> float:
    """The exact p by listing every table with both margins."""
    cases = sum(events)
    expected = cases * np.dot(sizes, scores) / sum(sizes)
    seen = abs(np.dot(events, scores) - expected)
    near, everything = 0, 0
    for table in itertools.product(*(range(size + 1) for size in sizes)):
        if sum(table) != cases:
            continue
        ways = math.prod(math.comb(n, r) for n, r in zip(sizes, table, strict=True))
        everything += ways
        if abs(np.dot(table, scores) - expected) >= seen - 1e-9:
            near += ways
    return near / everything


def test_the_malformations_of_agresti_are_reproduced() -> None:
    # Agresti A, Categorical Data Analysis, alcohol and infant malformation: M^2 = 6.57, p = 0.01.
    events, without = np.array([48, 38, 5, 1, 1]), np.array([17066, 14464, 788, 126, 37])
    found = trend.test_cochran_armitage(events, events + without, [0, 0.5, 1.5, 4, 7])
    assert found.method == "ASYMPTOTIC"
    assert round(found.z**2, 2) == 6.57
    assert round(found.p, 3) == 0.010
    # Scores in whole numbers have the same deviate; sparse upper groups move the exact p.
    whole = trend.test_cochran_armitage(events, events + without, [0, 1, 3, 8, 14])
    assert (whole.method, whole.z) == ("EXACT", pytest.approx(found.z, rel=1e-12))
    assert whole.p_asymptotic == pytest.approx(found.p, rel=1e-10)
    assert whole.p > whole.p_asymptotic


def test_the_deviate_agrees_with_the_linear_by_linear_test_of_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import Table

    events, sizes = np.array([2, 5, 9, 8]), np.array([14, 16, 20, 11])
    scores = np.array([1.0, 2.5, 4.0, 7.0])
    found = trend.test_cochran_armitage(events, sizes, scores)
    other = Table(np.column_stack([sizes - events, events])).test_ordinal_association(
        row_scores=scores, col_scores=np.array([0.0, 1.0])
    )
    n = sizes.sum()
    # That of statsmodels has the variance given both margins: n - 1 in the place of n.
    assert found.z == pytest.approx(float(other.zscore) * math.sqrt(n / (n - 1)), rel=1e-10)


@pytest.mark.parametrize(
    ("events", "sizes"), [([1, 2, 4], [5, 6, 5]), ([0, 0, 2], [3, 6, 8]), ([3, 1, 2], [3, 7, 9])]
)
def test_the_exact_p_agrees_with_a_list_of_all_tables(events: list[int], sizes: list[int]) -> None:
    found = trend.test_cochran_armitage(events, sizes)
    assert found.method == "EXACT"
    assert found.p == pytest.approx(exact_by_listing(events, sizes, [1, 2, 3]), rel=1e-9)


def test_two_groups_give_the_exact_test_of_fisher() -> None:
    # Both sum the tables at least as far from the expectation here, the margins being equal.
    from scipy.stats import fisher_exact

    found = trend.test_cochran_armitage([2, 8], [12, 12])
    assert found.p == pytest.approx(float(fisher_exact([[2, 10], [8, 4]]).pvalue), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=5),
    shift=st.integers(-5, 5),
    factor=st.integers(1, 4),
)
def test_only_the_distances_of_the_scores_matter(
    rows: list[tuple[int, int]], shift: int, factor: int
) -> None:
    events = [a for a, _ in rows]
    sizes = [a + b for a, b in rows]
    first = trend.test_cochran_armitage(events, sizes)
    other = trend.test_cochran_armitage(events, sizes, shift + factor * np.arange(1, len(rows) + 1))
    turned = trend.test_cochran_armitage(events[::-1], sizes[::-1])
    assert other.reason == first.reason == turned.reason
    if first.reason:
        assert math.isnan(first.p) and math.isnan(first.z)
        return
    assert 0 < first.p <= 1
    assert other.p == pytest.approx(first.p, rel=1e-9)
    assert turned.z == pytest.approx(-first.z, abs=1e-12)
    assert turned.p == pytest.approx(first.p, rel=1e-9)


@pytest.mark.parametrize(
    ("events", "sizes", "scores", "reason"),
    [
        ([3], [9], None, "ONELEVEL"),
        ([3, 0], [9, 0], None, "ONELEVEL"),
        ([0, 0, 0], [4, 5, 6], None, "NOEVENT"),
        ([4, 5], [4, 5], None, "ALLEVENT"),
        ([1, 2], [4, 5], [2.0, 2.0], "CONSTANT"),
    ],
)
def test_no_trend_without_two_groups_and_both_outcomes(
    events: list[int], sizes: list[int], scores: list[float] | None, reason: str
) -> None:
    found = trend.test_cochran_armitage(events, sizes, scores)
    assert (found.reason, found.method) == (reason, "")
    assert math.isnan(found.z) and math.isnan(found.p)


def test_impossible_counts_are_an_error() -> None:
    with pytest.raises(ValueError, match="more events than subjects"):
        trend.test_cochran_armitage([5, 1], [4, 4])
    with pytest.raises(ValueError, match="each group needs"):
        trend.test_cochran_armitage([1, 1], [4, 4], [1.0])
