from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from celldossier.stats.paired_differences import estimate_hodges_lehmann, sign_test

BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
"""Hamilton depression scale factor IV, Hollander and Wolfe (1973), table 3.1."""


def test_estimate_and_interval_are_those_of_hollander_and_wolfe() -> None:
    found = estimate_hodges_lehmann(AFTER - BEFORE, 0.96)
    assert found.estimate == pytest.approx(-0.46, abs=1e-9)
    assert (found.low, found.high) == (pytest.approx(-0.786), pytest.approx(-0.010))


def test_the_interval_holds_the_shifts_that_the_signed_rank_test_does_not_reject() -> None:
    random = np.random.default_rng(4)
    d = random.normal(0.4, 1, 14)
    found = estimate_hodges_lehmann(d, 0.95)
    for limit, inside in ((found.low, 1e-9), (found.high, -1e-9)):
        assert wilcoxon(d - limit - inside, method="exact").pvalue > 0.05
        assert wilcoxon(d - limit + inside, method="exact").pvalue <= 0.05


def test_tied_differences_take_the_normal_approximation_and_keep_their_level() -> None:
    random = np.random.default_rng(8)
    held = 0
    for _ in range(400):
        d = random.normal(2, 3, 40).round()
        found = estimate_hodges_lehmann(d)
        held += found.low <= 2 <= found.high
    assert held / 400 >= 0.93


def test_five_differences_are_too_few_for_ninety_five_percent() -> None:
    found = estimate_hodges_lehmann([1.0, 2.0, 3.5, 4.1, 5.2])
    # The eighth of the fifteen means of two, that of 1.0 and 5.2.
    assert found.estimate == pytest.approx(3.1)
    assert (found.reason, math.isnan(found.low)) == ("FEWSUBJ", True)
    assert estimate_hodges_lehmann([]).reason == "FEWSUBJ"
    # The whole range misses the centre on one side with the chance 1 / 32.
    widest = estimate_hodges_lehmann([1.0, 2.0, 3.5, 4.1, 5.2], 1 - 2 / 32)
    assert (widest.low, widest.high) == (1.0, 5.2)


def test_the_sign_test_is_binomial_with_the_chance_of_one_half() -> None:
    # Nine of ten: 2 (1 + 10) / 1024.
    assert sign_test(9, 1) == pytest.approx(22 / 1024)
    assert sign_test(4, 4) == 1.0
    assert math.isnan(sign_test(0, 0))


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(st.integers(-1000, 1000), min_size=6, max_size=20, unique=True),
    move=st.integers(-100, 100),
)
def test_a_shift_moves_estimate_and_limits_and_the_sign_turns_them(
    values: list[int], move: int
) -> None:
    # From 500 on no two differ in sign only, so that both take the exact distribution.
    d = np.array(values, dtype=float) + 5000
    base, moved = estimate_hodges_lehmann(d), estimate_hodges_lehmann(d + move)
    assert moved.estimate == pytest.approx(base.estimate + move)
    assert (moved.low, moved.high) == pytest.approx((base.low + move, base.high + move))
    turned = estimate_hodges_lehmann(-d)
    assert (turned.low, turned.high) == pytest.approx((-base.high, -base.low))


@pytest.mark.parametrize(("replaced", "left_out"), [(14.0, 21), (13.0, 20), (0.0, 20)])
def test_a_tie_or_a_zero_takes_the_normal_quantile_also_in_a_small_sample(
    replaced: float, left_out: int
) -> None:
    # Of 14 differences of distinct sizes the exact interval leaves out 21 means at each end;
    # 14 * 15 / 4 - 1.96 sqrt(14 * 15 * 29 / 24) = 21.3 of the normal one stands for 20 and one.
    d = np.append(np.arange(1.0, 14.0) * np.where(np.arange(13) % 4 == 0, -1, 1), replaced)
    averages = np.sort([(d[i] + d[j]) / 2 for i in range(14) for j in range(i, 14)])
    found = estimate_hodges_lehmann(d)
    assert (found.low, found.high) == (averages[left_out], averages[-1 - left_out])
