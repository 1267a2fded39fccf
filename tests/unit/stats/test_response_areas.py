"""Areas over and under a baseline are those of the straight lines between the samples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from celldossier.stats.response_areas import estimate_response_areas

courses = st.lists(st.tuples(st.floats(0.1, 9), st.floats(-50, 50)), min_size=1, max_size=8)


def areas(time, value, base, end):
    found = estimate_response_areas(
        np.array([time], float), np.array([value], float), np.array([base], float), end
    )
    return tuple(float(part[0]) for part in (found.total, found.over, found.under))


def test_a_triangle_over_the_baseline_has_half_its_base_times_its_height():
    assert areas([0, 7, 14], [10, 30, 10], 10, 14) == (280.0, 140.0, 0.0)


def test_a_line_that_crosses_the_baseline_is_split_at_the_crossing():
    # From 6 over to 2 under in 8 days: it crosses on day 6; triangles of 18 and 2.
    assert areas([0, 8], [16, 8], 10, 8) == (96.0, 18.0, 2.0)


def test_the_area_ends_at_its_end_on_the_line_to_the_next_sample():
    assert areas([0, 10], [0, 10], 0, 4) == (8.0, 8.0, 0.0)


def test_the_last_value_is_held_to_the_end():
    assert areas([0, 2], [1, 3], 1, 5) == (4.0 + 9.0, 2.0 + 6.0, 0.0)


def test_two_results_of_one_time_are_a_step():
    assert areas([0, 2, 2, 4], [1, 1, 5, 5], 1, 4) == (12.0, 8.0, 0.0)


def test_series_do_not_touch_each_other():
    time = np.array([[0, 1, np.nan], [0, 2, 4]])
    value = np.array([[5, 9, np.nan], [1, 3, 1]])
    found = estimate_response_areas(time, value, np.array([5.0, 1.0]), 4)
    assert found.over.tolist() == [2 + 12, 4]
    assert found.last.tolist() == [1, 4]


@given(course=courses, base=st.floats(-20, 20), share=st.floats(0.1, 1.4))
def test_the_areas_are_the_integrals_of_the_interpolated_change(course, base, share):
    time = np.r_[0, np.cumsum([step for step, _ in course])]
    value = np.r_[base, [level for _, level in course]]
    end = float(time[-1] * share)
    total, over, under = areas(time, value, base, end)

    def change(day):
        return np.interp(day, time, value) - base

    # The kinks of the positive part too, so that quad meets none within an interval.
    cuts = [t for t in time if t < end]
    for t0, t1, v0, v1 in zip(time, time[1:], value - base, value[1:] - base, strict=False):
        if v0 * v1 < 0:
            cuts.append(t0 + (t1 - t0) * v0 / (v0 - v1))
    cuts = sorted({min(max(cut, 0.0), end) for cut in cuts} | {0.0, end})
    pieces = list(pairwise(cuts))
    positive = sum(quad(lambda day: max(change(day), 0), a, b)[0] for a, b in pieces)
    negative = sum(quad(lambda day: max(-change(day), 0), a, b)[0] for a, b in pieces)
    assert over == pytest.approx(positive, rel=1e-6, abs=1e-6)
    assert under == pytest.approx(negative, rel=1e-6, abs=1e-6)
    assert total - base * end == pytest.approx(over - under, rel=1e-9, abs=1e-7)
