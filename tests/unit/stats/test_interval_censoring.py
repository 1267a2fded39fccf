from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from celldossier.stats import interval_censoring
from celldossier.stats.interval_censoring import estimate_turnbull
from celldossier.stats.survival import estimate_quantile, estimate_survival

COSMESIS = Path(__file__).parents[2] / "reference" / "stats" / "input_cosmesis.csv"
Floats = NDArray[np.float64]


def inspect(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Intervals between the visits of each subject, some event times exact."""
    time = rng.exponential(30, n)
    visits = np.sort(np.abs(rng.normal(np.arange(7, 100, 14), 3, (n, 7))), axis=1)
    edges = np.column_stack([np.zeros(n), visits, np.full(n, math.inf)])
    place = (edges < time[:, None]).sum(axis=1)
    rows = np.arange(n)
    exact = rng.random(n) < 0.1
    return (
        np.where(exact, time, edges[rows, place - 1]),
        np.where(exact, time, edges[rows, place]),
    )


def test_the_breast_cosmesis_data_have_their_published_masses() -> None:
    """Radiotherapy arm of Finkelstein and Wolfe (1985), Biometrics 41:933-945."""
    data = pd.read_csv(COSMESIS).fillna(math.inf)
    assert len(data) == 46
    curve = estimate_turnbull(data["left"], data["right"])
    published = [0.0463, 0.0334, 0.0887, 0.0708, 0.0926, 0.0818, 0.1209, 0.4656]
    assert np.abs(curve.mass - published).max() < 6e-5
    classes = [(4, 5), (6, 7), (7, 8), (11, 12), (24, 25), (33, 34), (38, 40), (46, 48)]
    assert list(zip(curve.left, curve.right, strict=True)) == classes
    assert curve.quantile() == (38, 40)
    below, above = curve.survival(39)
    assert (below, above) == pytest.approx((0.4656, 0.5864), abs=1e-4)
    assert curve.survival(42)[0] == curve.survival(42)[1]


@pytest.mark.parametrize("seed", range(40))
def test_the_estimate_meets_the_conditions_of_the_maximum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = inspect(rng, int(rng.integers(1, 90)))
    curve = estimate_turnbull(low, high)
    assert curve.violation < 1e-8
    assert curve.mass.sum() == pytest.approx(1, abs=1e-12)
    # The conditions anew, from the intervals alone: a class that is used has derivative n.
    exact = curve.left == curve.right
    inside = (high[:, None] >= curve.right) & (
        (low[:, None] <= curve.left)
        & ~(exact & (low[:, None] == curve.left) & (low < high)[:, None])
    )
    density = inside @ curve.mass
    assert (density > 0).all()
    assert (inside / density[:, None]).sum(axis=0) == pytest.approx(low.size, rel=1e-7)
    # No other distribution over any times does better.
    points = np.unique(np.concatenate([low, high[np.isfinite(high)]])) + 1e-9
    holds = (low[:, None] < points) & (points <= high[:, None])
    assert ((holds / density[:, None]).sum(axis=0) <= low.size * (1 + 1e-7)).all()


def test_right_censored_data_give_kaplan_meier() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        time = np.ceil(rng.exponential(10, 40))
        event = rng.random(40) < 0.6
        event[np.argmax(time)] = True
        curve = estimate_turnbull(time, np.where(event, time, math.inf))
        expected = estimate_survival(time, event)
        for place, at in enumerate(expected.time):
            assert curve.survival(at) == pytest.approx((expected.survival[place],) * 2, abs=1e-9)


def test_the_median_lies_between_those_of_either_end() -> None:
    for seed in range(10):
        low, high = inspect(np.random.default_rng(100 + seed), 60)
        event = np.isfinite(high)
        first, last = estimate_turnbull(low, high).quantile()
        early = estimate_quantile(estimate_survival(low, event)).value
        late = estimate_quantile(estimate_survival(np.where(event, high, low), event)).value
        assert early <= last and first <= late


def test_a_later_event_can_only_raise_the_curve() -> None:
    low, high = inspect(np.random.default_rng(9), 50)
    curve, later = estimate_turnbull(low, high), estimate_turnbull(low + 5, high + 5)
    assert later.left == pytest.approx(curve.left + 5)
    assert later.mass == pytest.approx(curve.mass, abs=1e-7)


def test_a_median_that_is_not_reached_is_missing() -> None:
    curve = estimate_turnbull([0, 10, 10, 12], [5, math.inf, math.inf, math.inf])
    assert all(map(math.isnan, curve.quantile()))
    assert curve.quantile(0.25) == (0, 5)
    assert curve.survival(3) == (0.75, 1.0)


def test_nobody_gives_an_empty_curve_and_impossible_intervals_are_refused() -> None:
    assert estimate_turnbull([], []).n == 0
    for low, high in (([3], [2]), ([math.nan], [2]), ([math.inf], [math.inf])):
        with pytest.raises(ValueError, match="an interval starts"):
            estimate_turnbull(low, high)


@pytest.mark.parametrize("heavy", [1, 3])
def test_the_iteration_ends_where_no_mass_can_raise_the_likelihood(monkeypatch, heavy) -> None:
    # Intervals that do not overlap: the shares are the maximum, which the first steps reach.
    def go_on(*given: object) -> None:
        raise AssertionError("The maximum was left for a further step.")

    monkeypatch.setattr(interval_censoring, "_newton_target", go_on)
    left = np.array([0.0] * heavy + [2.0, 4.0])
    curve = estimate_turnbull(left, left + 1)
    assert curve.mass == pytest.approx(np.array([heavy, 1, 1]) / (heavy + 2))
