from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from celldossier.stats.rank_correlation import estimate_rank_correlation

RNG = np.random.default_rng(20000301)


def test_coefficient_and_p_agree_with_scipy_also_with_ties() -> None:
    first = RNG.integers(0, 6, 40).astype(float)
    second = first + RNG.normal(0, 3, 40).round()
    found = estimate_rank_correlation(first, second)
    other = spearmanr(first, second)
    assert (found.n, found.reason) == (40, "")
    assert found.rho == pytest.approx(float(other.statistic), rel=1e-12)
    assert found.p == pytest.approx(float(other.pvalue), rel=1e-9)


def test_the_interval_is_that_of_bonett_and_wright() -> None:
    # By hand: rho = 0.6 of ranks 1..5 against 2, 1, 4, 3, 5 is 0.8; n = 5.
    found = estimate_rank_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.95)
    assert found.rho == pytest.approx(0.8, rel=1e-12)
    half = 1.959963984540054 * math.sqrt((1 + 0.8**2 / 2) / 2)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.8) - half), rel=1e-9)
    assert found.high == pytest.approx(math.tanh(math.atanh(0.8) + half), rel=1e-9)


@pytest.mark.slow
def test_the_interval_covers_the_true_coefficient() -> None:
    # Of a bivariate normal with r = 0.5: 6 / pi asin(r / 2).
    truth, covered, runs = 6 / math.pi * math.asin(0.25), 0, 2000
    for _ in range(runs):
        x = RNG.normal(size=30)
        y = 0.5 * x + math.sqrt(0.75) * RNG.normal(size=30)
        found = estimate_rank_correlation(x, y)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / runs <= 0.97


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(
        st.tuples(st.floats(0.01, 1e3), st.floats(0.01, 1e3)), min_size=4, max_size=20, unique=True
    ),
    unit=st.floats(1e-3, 1e3),
)
def test_only_the_ranks_matter_and_the_order_of_rows_does_not(
    values: list[tuple[float, float]], unit: float
) -> None:
    first, second = np.array(values).T
    found = estimate_rank_correlation(first, second)
    # A power of two changes no two values into equal ones.
    logs = estimate_rank_correlation(first * 2 ** round(math.log2(unit)), second)
    turned = estimate_rank_correlation(first[::-1], second[::-1])
    swapped = estimate_rank_correlation(second, first)
    for other in (logs, turned, swapped):
        assert other.reason == found.reason
        assert other.rho == pytest.approx(found.rho, rel=1e-9, abs=1e-12, nan_ok=True)
        assert other.p == pytest.approx(found.p, rel=1e-6, nan_ok=True)
    if not found.reason:
        assert -1 <= found.low <= found.rho <= found.high <= 1


@pytest.mark.parametrize(
    ("first", "second", "reason", "rho"),
    [
        ([], [], "FEWSUBJ", math.nan),
        ([1.0, 2.0, math.nan], [1.0, 2.0, 3.0], "FEWSUBJ", math.nan),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0], "CONSTANT", math.nan),
        ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], "NOLIMIT", 1.0),
        ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], "NOLIMIT", -1.0),
        ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], "FEWSUBJ", 0.5),
    ],
)
def test_what_cannot_be_computed_has_its_reason(
    first: list[float], second: list[float], reason: str, rho: float
) -> None:
    found = estimate_rank_correlation(first, second)
    assert found.reason == reason
    assert found.rho == pytest.approx(rho, nan_ok=True)
    assert math.isnan(found.low) and math.isnan(found.high)
