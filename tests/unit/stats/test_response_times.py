"""Times of a response: first passage, return within limits, time beyond a limit."""

from __future__ import annotations

import numpy as np
import pytest

from celldossier.stats.response_times import estimate_time_beyond, find_first, find_return


def returns(time, value, start, high=np.inf, low=-np.inf, consecutive=1, interpolated=False):
    found = find_return(
        np.array([time], float),
        np.array([value], float),
        np.array([start]),
        np.array([low], float),
        np.array([high], float),
        np.array([consecutive]),
        interpolated=np.array([interpolated]),
    )
    return float(found.time[0]), bool(found.censored[0]), bool(found.never[0])


def test_a_rise_returns_at_the_first_sample_at_or_below_the_limit():
    assert returns([1, 3, 7, 14], [50, 90, 20, 9], 1, high=20) == (7.0, False, False)


def test_an_interpolated_return_lies_where_the_line_crosses_the_limit():
    # 90 on day 3, 20 on day 7: 40 is met 50/70 of the way.
    time, censored, _ = returns([1, 3, 7], [50, 90, 20], 1, high=40, interpolated=True)
    assert time == pytest.approx(3 + 4 * 50 / 70) and not censored


def test_a_return_that_does_not_last_is_none():
    course = [1, 3, 7, 14, 21, 28], [50, 90, 20, 60, 15, 12]
    assert returns(*course, 1, high=20, consecutive=2) == (21.0, False, False)
    assert returns(*course, 1, high=20, consecutive=3) == (28.0, True, False)


def test_without_a_return_the_series_is_censored_at_its_last_sample():
    assert returns([1, 3, 7], [50, 90, 60], 1, high=20) == (7.0, True, False)


def test_a_peak_within_the_limit_has_nothing_to_return_from():
    time, censored, never = returns([1, 3], [5, 8], 1, high=20)
    assert np.isnan(time) and not censored and never


def test_a_fall_returns_from_below():
    assert returns([1, 3, 7], [2, 0.2, 3], 1, low=1.5) == (7.0, False, False)


def test_the_first_passage_is_at_the_first_sample_at_or_beyond_a_limit():
    time = np.array([[1.0, 2, 3], [1, 2, np.nan]])
    value = np.array([[1.0, 4, 8], [1, 1, np.nan]])
    found = find_first(time, value, np.full(2, -np.inf), np.full(2, 4.0))
    assert found[0] == 2 and np.isnan(found[1])


def test_time_beyond_a_limit_counts_the_parts_of_the_lines_beyond_it():
    time = np.array([[0.0, 10, 20]])
    value = np.array([[0.0, 10, 0]])
    above = estimate_time_beyond(time, value, np.array([5.0]), np.array([1.0]))
    below = estimate_time_beyond(time, value, np.array([5.0]), np.array([-1.0]))
    assert above[0] == 10 and below[0] == 10
    assert np.isnan(estimate_time_beyond(time, value, np.array([np.nan]), np.array([1.0]))[0])
    assert estimate_time_beyond(time, value, np.array([10.0]), np.array([1.0]))[0] == 0


def test_a_series_that_starts_at_its_peak_returns_like_any_other():
    assert returns([1, 3, 7], [90, 20, 9], 0, high=20) == (3.0, False, False)


def test_without_a_peak_there_is_neither_a_return_nor_a_reason():
    time, censored, never = returns([1, 3, 7], [90, 20, 9], -1, high=20)
    assert np.isnan(time) and not censored and not never


def test_a_series_that_ends_before_the_others_is_censored_at_its_own_last_sample():
    assert returns([1, 3, 7, np.nan], [50, 90, 60, np.nan], 1, high=20) == (7.0, True, False)
