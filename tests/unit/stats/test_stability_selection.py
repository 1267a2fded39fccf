"""Stability selection: held against closed forms, the optimality conditions and null data.

No program of stability selection lies with the project, so that there is no outside
reference; the path itself is that of scikit-learn.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.lasso import select_by_bic, select_first
from celldossier.stats.stability_selection import (
    bound_false_selections,
    estimate_inclusion,
    estimate_stability,
)


def orthonormal(n: int, k: int, seed: int = 1) -> np.ndarray:
    """Columns of mean 0 that are orthogonal and of length 1."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, k))
    return np.linalg.qr(x - x.mean(axis=0))[0]


def names(k: int) -> list[str]:
    return [f"X{j}" for j in range(k)]


def test_on_an_orthonormal_design_the_first_to_enter_are_those_of_largest_correlation() -> None:
    x = orthonormal(50, 8)
    slopes = np.array([0.2, -3.0, 1.0, 0.1, 2.0, -0.5, 0.05, 0.7])
    signs = select_first(x @ slopes, x, 4)
    assert signs.tolist() == [0, -1, 1, 0, 1, 0, 0, 1]


def test_on_an_orthonormal_design_the_criterion_is_that_of_soft_thresholding() -> None:
    x = orthonormal(40, 6)
    random = np.random.default_rng(3)
    y = x @ np.array([2.0, 1.2, -0.9, 0.3, 0.2, 0.1]) + 0.1 * random.standard_normal(40)
    y = y - y.mean()
    raw = x.T @ y

    def criterion(penalty: float) -> tuple[float, np.ndarray]:
        beta = np.sign(raw) * np.maximum(np.abs(raw) - penalty, 0)
        rss = float(((y - x @ beta) ** 2).sum())
        return 40 * math.log(rss / 40) + math.log(40) * int((beta != 0).sum()), beta

    knots = [*np.abs(raw), 0.0]
    best = min((criterion(penalty) for penalty in knots), key=lambda item: item[0])[1]
    assert select_by_bic(y, x).tolist() == np.sign(best).astype(int).tolist()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), entering=st.integers(1, 5))
def test_the_selected_satisfy_the_optimality_conditions_of_the_lasso(
    seed: int, entering: int
) -> None:
    """At the knot the selected share one absolute correlation, which no other exceeds."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((60, 12)) @ random.standard_normal((12, 12))
    y = random.standard_normal(60) + x[:, 0]
    chosen = select_first(y, x, entering) != 0
    assert chosen.sum() == entering
    z = (x - x.mean(axis=0)) / np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=0))
    y = y - y.mean()
    signs = select_first(y, x, entering)[chosen]
    active = z[:, chosen]
    # With the active set and its signs fixed, beta(penalty) is linear; the selection holds
    # if some penalty gives these signs and no larger correlation outside.
    inverse = np.linalg.inv(active.T @ active)
    full, slope = inverse @ (active.T @ y), inverse @ signs

    def holds(penalty: float) -> bool:
        beta = full - penalty * slope
        rest = np.abs(z[:, ~chosen].T @ (y - active @ beta))
        return bool((beta * signs > -1e-9).all() and (rest <= penalty * (1 + 1e-9)).all())

    largest = float(np.abs(z.T @ y).max())
    assert any(holds(penalty) for penalty in np.linspace(0, largest, 4001)) or any(
        # The interval of penalties may be narrow: its ends are where a coefficient or a
        # correlation outside reaches its limit.
        holds(penalty * (1 + 1e-12))
        for penalty in _critical(z, chosen, y, full, slope, active)
    )


def _critical(
    z: np.ndarray,
    chosen: np.ndarray,
    y: np.ndarray,
    full: np.ndarray,
    slope: np.ndarray,
    active: np.ndarray,
) -> list[float]:
    ends = list(full / np.where(slope == 0, np.nan, slope))
    a = z[:, ~chosen].T @ (y - active @ full)
    b = z[:, ~chosen].T @ (active @ slope)
    for sign in (1, -1):
        # a + penalty * b = sign * penalty
        ends += list(a / np.where(np.abs(sign - b) < 1e-12, np.nan, sign - b))
    finite = sorted(end for end in ends if np.isfinite(end) and end > 0)
    return [*finite, *((p + q) / 2 for p, q in itertools.pairwise(finite))]


def test_a_clear_predictor_is_selected_and_the_rest_is_not() -> None:
    random = np.random.default_rng(5)
    x = random.standard_normal((120, 30))
    y = 0.9 * x[:, 7] - 0.9 * x[:, 2] + 0.5 * random.standard_normal(120)
    found = estimate_stability(y, x, names(30), entering=4, threshold=0.75, pairs=50, seed=2)
    assert [name for name, hit in zip(found.names, found.selected, strict=True) if hit] == [
        "X2",
        "X7",
    ]
    assert found.frequency[7] == 1.0 and found.positive[7] == 1.0
    assert found.positive[2] == 0.0
    assert sum(found.frequency) == pytest.approx(4.0)
    assert all(s <= f + 1e-12 for s, f in zip(found.simultaneous, found.frequency, strict=True))


def test_null_data_keep_the_bound_of_the_false_selections() -> None:
    """Mean number of selections over data without any relation, fixed seed."""
    counts, bound = [], math.nan
    for seed in range(60):
        random = np.random.default_rng(seed)
        x, y = random.standard_normal((60, 20)), random.standard_normal(60)
        found = estimate_stability(y, x, names(20), entering=4, threshold=0.7, pairs=25, seed=seed)
        counts.append(sum(found.selected))
        bound = found.bound
    assert bound == pytest.approx(16 / (0.4 * 20))
    assert 0 < np.mean(counts) <= bound


def test_the_bound_is_that_of_the_paper() -> None:
    # Meinshausen and Buehlmann, theorem 1
    assert bound_false_selections(100, 10, 0.9) == pytest.approx(100 / (0.8 * 100))


def test_the_same_seed_gives_the_same_selection_and_a_scale_changes_nothing() -> None:
    random = np.random.default_rng(8)
    x, y = random.standard_normal((50, 6)), random.standard_normal(50)
    rules = {"entering": 2, "threshold": 0.6, "pairs": 20, "seed": 4}
    first = estimate_stability(y, x, names(6), **rules)  # type: ignore[arg-type]
    again = estimate_stability(y * 7 + 3, x * [1, 10, 1e3, 1, 1e-3, 5], names(6), **rules)  # type: ignore[arg-type]
    assert first.frequency == again.frequency and first.selected == again.selected
    np.testing.assert_equal(first.positive, again.positive)


def test_few_subjects_and_constant_values_have_a_reason() -> None:
    rules = {"entering": 2, "threshold": 0.6, "pairs": 5, "seed": 1}
    few = estimate_stability([1.0, 2, 3], np.eye(3), names(3), **rules)  # type: ignore[arg-type]
    assert few.reason == "FEWSUBJ" and math.isnan(few.frequency[0])
    flat = estimate_stability(np.ones(30), np.arange(60.0).reshape(30, 2), names(2), **rules)  # type: ignore[arg-type]
    assert flat.reason == "CONSTANT"
    none = estimate_stability(np.arange(30.0), np.ones((30, 2)), names(2), **rules)  # type: ignore[arg-type]
    assert none.reason == "NOCOVAR"
    assert estimate_inclusion([1.0, 2], np.eye(2), names(2), samples=5, seed=1).reason == "FEWSUBJ"


def test_a_constant_predictor_is_never_selected() -> None:
    random = np.random.default_rng(9)
    x = random.standard_normal((40, 4))
    x[:, 2] = 3.0
    y = random.standard_normal(40)
    found = estimate_stability(y, x, names(4), entering=3, threshold=0.6, pairs=10, seed=1)
    assert found.frequency[2] == 0 and math.isnan(found.positive[2])


def test_the_inclusion_of_a_clear_predictor_is_near_one() -> None:
    random = np.random.default_rng(11)
    x = random.standard_normal((100, 10))
    y = x[:, 1] + 0.7 * random.standard_normal(100)
    found = estimate_inclusion(y, [x, x], names(10), samples=60, seed=3)
    assert found.frequency[1] == 1.0 and found.positive[1] == 1.0
    assert np.median(found.frequency) < 0.7


def test_a_mirrored_predictor_has_the_mirrored_share_of_positive_signs() -> None:
    random = np.random.default_rng(12)
    x, y = random.standard_normal((40, 5)), random.standard_normal(40)
    rules = {"entering": 2, "threshold": 0.6, "pairs": 30, "seed": 4}
    first = estimate_stability(y, x, names(5), **rules)  # type: ignore[arg-type]
    other = estimate_stability(y, -x, names(5), **rules)  # type: ignore[arg-type]
    assert min(first.frequency) > 0 and max(first.frequency) < 1
    assert other.frequency == first.frequency
    assert np.array(first.positive) + np.array(other.positive) == pytest.approx(np.ones(5))
    assert min(first.positive) >= 0 and max(first.positive) <= 1


def test_a_predictor_in_a_small_unit_is_not_lost_beside_one_in_a_large_unit() -> None:
    random = np.random.default_rng(13)
    x, y = random.standard_normal((40, 3)), random.standard_normal(40)
    for select in (lambda x: select_first(y, x, 2), lambda x: select_by_bic(y, x)):
        assert (select(x) == select(x * [1e12, 1.0, 1e-6])).all()
    assert np.count_nonzero(select_first(y, x * [1e12, 1.0, 1e-6], 3)) == 3
