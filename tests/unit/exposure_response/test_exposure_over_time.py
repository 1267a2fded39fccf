"""Exposure so far: it looks back only, and its area is that of the kinetics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from survival_study import make_samples, make_sources, prepare

from celldossier.exposure_response import time_to_event
from celldossier.exposure_response.exposure_over_time import (
    Profile,
    accumulate_area,
    derive_intervals,
    expose_at,
    find_first_known,
    read_profiles,
)
from celldossier.exposure_response.survival_rows import select_rows
from celldossier.settings.survival_models import SurvivalModels

PROFILE = Profile(np.array([1.0, 7.0, 14.0, 28.0]), np.array([10.0, 100.0, 400.0, 50.0]))
METRICS = ("CURRENT", "CMAXRUN", "AUCRUN")


def test_a_value_counts_from_a_day_after_its_sample_until_the_next() -> None:
    found = expose_at(
        PROFILE, "CURRENT", np.array([1.0, 1.9, 2.0, 7.9, 8.0, 228.0, 229.1]), SurvivalModels()
    )
    assert np.isnan(found[:2]).all()
    assert found[2:6].tolist() == [10, 10, 100, 50]
    # It stands for 200 days at most.
    assert math.isnan(found[6])
    assert expose_at(PROFILE, "CURRENT", np.array([229.0]), SurvivalModels()).tolist() == [50]


def test_the_highest_so_far_does_not_fall() -> None:
    found = expose_at(PROFILE, "CMAXRUN", np.array([2.0, 8.0, 15.0, 29.0, 500.0]), SurvivalModels())
    assert found.tolist() == [10, 100, 400, 400, 400]


def test_the_area_so_far_is_linear_up_and_logarithmic_down() -> None:
    down = (400 - 50) * 14 / math.log(8)
    expected = [5.0, 5 + 55 * 6, 335 + 250 * 7, 2085 + down]
    assert accumulate_area(PROFILE, 28) == pytest.approx(expected)


def test_the_area_ends_on_its_day_between_two_samples() -> None:
    # Halfway in time a log-linear fall is at the geometric mean.
    at = math.sqrt(400 * 50)
    expected = 2085 + (400 - at) * 7 / math.log(400 / at)
    assert accumulate_area(PROFILE, 21)[-1] == pytest.approx(expected)
    assert accumulate_area(PROFILE, 14)[-1] == pytest.approx(2085)


def test_interpolation_is_a_setting_that_looks_ahead() -> None:
    options = SurvivalModels(interpolation="LINUPLOGDOWN", lag=0)
    found = expose_at(PROFILE, "CURRENT", np.array([4.0, 21.0, 28.0, 40.0]), options)
    assert found == pytest.approx([55, math.sqrt(400 * 50), 50, 50])


def test_a_profile_of_one_or_two_samples_is_interpolated_as_far_as_it_goes() -> None:
    options = SurvivalModels(interpolation="LINUPLOGDOWN", lag=0)
    two = Profile(np.array([2.0, 6.0]), np.array([10.0, 50.0]))
    found = expose_at(two, "CURRENT", np.array([1.0, 2.0, 3.0, 6.0, 9.0]), options)
    assert math.isnan(found[0]) and found[1:].tolist() == [10, 20, 50, 50]
    one = Profile(np.array([2.0]), np.array([10.0]))
    assert expose_at(one, "CURRENT", np.array([2.0, 9.0]), options).tolist() == [10, 10]


def test_the_area_under_a_flat_stretch_is_that_of_a_rectangle() -> None:
    flat = Profile(np.array([1.0, 5.0, 8.0]), np.array([20.0, 20.0, 20.0]))
    assert accumulate_area(flat, 28).tolist() == [10, 90, 150]


@given(st.lists(st.floats(1, 1e5), min_size=3, max_size=8), st.floats(0, 60), st.data())
def test_the_future_changes_nothing(values: list[float], day: float, data) -> None:
    time = np.cumsum(np.arange(1.0, len(values) + 1))
    seen = time <= day - 1
    other = np.where(seen, values, data.draw(st.floats(1, 1e6)))
    for metric in METRICS:
        one, two = (
            expose_at(Profile(time, np.asarray(v)), metric, np.array([day]), SurvivalModels())
            for v in (values, other)
        )
        assert one == pytest.approx(two, nan_ok=True, rel=1e-12)


def test_a_result_below_the_limit_enters_as_half_of_it_and_none_before_the_infusion() -> None:
    adpc = make_samples(["S-0000"], np.array([[0.0, 80.0, 0.0]]), [99.0], (-1.0, 2.0, 5.0))
    profiles = read_profiles(prepare(make_sources([9.0], [True], {"AUC28": [1.0]}, adpc=adpc)))
    profile = profiles[("S", "S-0000")]
    assert profile.time.tolist() == [2, 5] and profile.value.tolist() == [80, 25]
    # The sample at the time of the infusion was taken before it; of two results of one time the
    # later record stands.
    adpc = make_samples(["S-0000"], np.array([[70.0, 80.0, 90.0]]), [99.0], (0.0, 2.0, 2.0))
    sources = make_sources([9.0], [True], {"AUC28": [1.0]}, adpc=adpc)
    profile = read_profiles(prepare(sources))[("S", "S-0000")]
    assert profile.time.tolist() == [2] and profile.value.tolist() == [90]


def test_rows_hold_the_value_of_each_event_time_and_join_where_it_stays() -> None:
    days = (1.0, 10.0, 40.0)
    course = np.array([[10.0, 20.0, 40.0]] * 3)
    names = ["S-0000", "S-0001", "S-0002"]
    adpc = make_samples(names, course, [99.0] * 3, days)
    sources = make_sources([5, 30, 60], [True, True, True], {"AUC28": [1.0, 2, 3]}, adpc=adpc)
    study = prepare(sources)
    cell = next(c for c in time_to_event.plan_cells(study) if c.metric == "CURRENT")
    rows = select_rows(study, cell, first_sample=find_first_known(study))
    cut = derive_intervals(study, cell, rows)
    found = sorted(
        zip(
            cut.place.tolist(),
            cut.start.tolist(),
            cut.stop.tolist(),
            cut.event.tolist(),
            cut.value.tolist(),
            strict=True,
        )
    )
    low = -math.inf
    assert found == [
        (0, low, 5, True, 10),
        (1, low, 5, False, 10),
        (1, 5, 30, True, 20),
        (2, low, 5, False, 10),
        (2, 5, 30, False, 20),
        (2, 30, 60, True, 40),
    ]


def test_the_clock_of_a_response_begins_at_its_origin_and_the_samples_at_the_infusion() -> None:
    # A response on day 30 that lasts 5 days ends on day 35, one of 15 days on day 45.
    adpc = make_samples(
        ["S-0000", "S-0001"], np.array([[10.0, 40.0]] * 2), [99.0] * 2, (10.0, 40.0)
    )
    sources = make_sources(
        [5, 15], [True, True], {"AUC28": [1.0, 2]}, endpoints={"DOR": 30.0}, adpc=adpc
    )
    study = prepare(sources, endpoints=["DOR"])
    cell = next(c for c in time_to_event.plan_cells(study) if c.metric == "CURRENT")
    cut = derive_intervals(
        study, cell, select_rows(study, cell, first_sample=find_first_known(study))
    )
    found = zip(cut.place.tolist(), cut.stop.tolist(), cut.value.tolist(), strict=True)
    assert sorted(found) == [(0, 5, 10), (1, 5, 10), (1, 15, 40)]


def test_events_after_the_last_sample_has_aged_are_counted_as_left_out() -> None:
    course, until = np.full((12, 2), 9.0) * np.arange(1, 13)[:, None], [99.0] * 12
    adpc = make_samples([f"S-{i:04d}" for i in range(12)], course, until, (1.0, 20.0))
    time = [*range(30, 40), 400, 500]
    sources = make_sources(time, [True] * 12, {"AUC28": [1.0] * 12}, adpc=adpc)
    study = prepare(sources)
    cell = next(c for c in time_to_event.plan_cells(study) if c.metric == "CURRENT")
    result = time_to_event.run_cell(study, cell, find_first_known(study))
    assert result.events == 10 and result.rows.counts["events_noexposure"] == 2


def test_who_leaves_before_the_first_sample_has_no_exposure() -> None:
    adpc = make_samples(["S-0000", "S-0001"], np.full((2, 1), 9.0), [99.0] * 2, (3.0,))
    study = prepare(make_sources([3, 30], [True, True], {"AUC28": [1.0, 2]}, adpc=adpc))
    cell = next(c for c in time_to_event.plan_cells(study) if c.metric == "CURRENT")
    rows = select_rows(study, cell, first_sample=find_first_known(study))
    assert rows.stop.tolist() == [30] and rows.counts["n_noexposure"] == 1
