from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.hysteresis import estimate_loop, signed_area

TURN = np.linspace(0, 2 * math.pi, 2001)[:-1]


def test_the_area_of_a_triangle_is_half_base_times_height_with_the_sign_of_its_turn() -> None:
    assert signed_area([0, 4, 0], [0, 0, 3]) == pytest.approx(6.0)
    assert signed_area([0, 0, 4], [0, 3, 0]) == pytest.approx(-6.0)


def test_the_area_of_an_ellipse_is_pi_times_its_half_axes() -> None:
    area = signed_area(5 + 3 * np.cos(TURN), 2 * np.sin(TURN))
    assert area == pytest.approx(math.pi * 6, rel=1e-5)


def test_an_effect_that_comes_later_turns_counterclockwise_and_an_earlier_one_clockwise() -> None:
    day = np.arange(29.0)
    cells, later, earlier = (np.exp(-(((day - peak) / 5) ** 2)) for peak in (10, 14, 6))
    assert estimate_loop(day, cells, later).area > 0.2
    assert estimate_loop(day, cells, earlier).area < -0.2
    assert estimate_loop(day, cells, 3 * cells + 1).area == pytest.approx(0, abs=1e-12)


def test_stretched_axes_give_a_quarter_of_pi_for_every_ellipse() -> None:
    found = estimate_loop(TURN, 1e4 * np.cos(TURN), 7 + 1e-3 * np.sin(TURN))
    assert found.area == pytest.approx(math.pi / 4, rel=1e-4)


def test_a_figure_of_eight_has_parts_that_cancel() -> None:
    assert signed_area(np.sin(TURN), np.sin(2 * TURN)) == pytest.approx(0, abs=1e-9)


def test_few_points_and_a_constant_have_a_reason() -> None:
    assert estimate_loop([0, 1], [1, 2], [1, 2]).reason == "FEWPOINT"
    assert estimate_loop([0, 1, 2, 3], [1, 2, 3, math.nan], [1, 2, 3, 4], 4).reason == "FEWPOINT"
    assert estimate_loop([0, 1, 2], [1, 2, 3], [5, 5, 5]).reason == "CONSTANT"


@settings(max_examples=40, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=3, max_size=12),
    move=st.integers(-9, 9),
)
def test_moved_stretched_and_shuffled_points_are_the_same_loop(
    points: list[tuple[int, int]], move: int
) -> None:
    x, y = np.array(points, dtype=float).T
    time = np.arange(x.size, dtype=float)
    base = estimate_loop(time, x, y)
    other = estimate_loop(time[::-1] + move, (3 * x + move)[::-1], (y - move)[::-1])
    assert base.reason == other.reason
    if not base.reason:
        assert base.area == pytest.approx(other.area, abs=1e-9)
        assert estimate_loop(-time, x, y).area == pytest.approx(-base.area, abs=1e-9)
