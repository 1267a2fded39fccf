from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.stats.discrete_hazard import (
    derive_current_value,
    derive_days_at_risk,
    make_baseline,
)
from celldossier.stats.logistic import estimate_logistic

NAN = math.nan


def test_each_subject_has_a_row_for_each_day_until_the_onset_or_the_end() -> None:
    rows = derive_days_at_risk([2.4, NAN, 3.0, 9.0], [28, 2.9, 28, 28], 4)
    days = {who: rows.day[rows.subject == who].tolist() for who in range(4)}
    # Onset on day 2.4 lies in day 3; a day that was not seen to its end is not at risk; an onset
    # at the end of day 3 is of day 3; one after the window is not seen.
    assert days == {0: [1, 2, 3], 1: [1, 2], 2: [1, 2, 3], 3: [1, 2, 3, 4]}
    events = [(int(w), float(d)) for w, d in zip(rows.subject, rows.day, strict=True)]
    at = [pair for pair, event in zip(events, rows.event, strict=True) if event == 1]
    assert at == [(0, 3.0), (2, 3.0)]


def test_an_onset_before_the_infusion_or_without_follow_up_leaves_no_row() -> None:
    rows = derive_days_at_risk([-1.0, 0.0, NAN], [28, 28, NAN], 3)
    assert rows.subject.tolist() == [1]
    assert rows.event.tolist() == [1]
    empty = derive_days_at_risk([], [], 14)
    assert empty.day.size == 0


def test_the_exposure_of_a_day_is_the_latest_before_its_start_and_never_later() -> None:
    rows = derive_days_at_risk([NAN, NAN], [5, 2], 5)
    value, time = derive_current_value(
        rows, [0, 0, 0, 1], [0.98, 3.0, 3.2, 0.5], [10.0, 30.0, 32.0, 7.0], 10
    )
    # Day 4 starts at 3.0: the sample of 3.0 counts, that of 3.2 does not yet.
    assert np.nan_to_num(value, nan=-1).tolist() == [-1, 10, 10, 30, 32, -1, 7]
    assert np.nan_to_num(time, nan=-1).tolist() == [-1, 0.98, 0.98, 3.0, 3.2, -1, 0.5]


def test_a_sample_that_is_too_old_stands_for_no_day() -> None:
    rows = derive_days_at_risk([NAN], [6], 6)
    value, _ = derive_current_value(rows, [0], [0.5], [3.0], 2.0)
    assert np.isnan(value).tolist() == [True, False, False, True, True, True]


def test_samples_without_a_time_or_a_value_are_left_out() -> None:
    rows = derive_days_at_risk([NAN], [3], 3)
    value, _ = derive_current_value(rows, [0, 0, 0], [0.1, NAN, 0.3], [5.0, 6.0, NAN], 9)
    assert np.nan_to_num(value, nan=-1).tolist() == [-1, 5, 5]
    nothing, _ = derive_current_value(rows, [], [], [], 9)
    assert np.isnan(nothing).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_no_exposure_is_measured_at_or_after_the_onset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    onset = np.where(rng.uniform(size=n) < 0.6, rng.uniform(0, 14, n), NAN)
    follow_up = rng.uniform(0, 20, n)
    rows = derive_days_at_risk(onset, follow_up, 10)
    who = rng.integers(0, n, 60)
    when = rng.uniform(-3, 14, 60).round(int(rng.integers(0, 3)))
    value, time = derive_current_value(rows, who, when, np.exp(when), 30)
    has = ~np.isnan(value)
    assert (time[has] <= rows.day[has] - 1).all()
    events = has & (rows.event == 1)
    assert (time[events] < onset[rows.subject[events]]).all()
    assert value[has] == pytest.approx(np.exp(time[has]))
    # The slow answer: the greatest time at or before the start, subject by subject.
    for row in range(rows.day.size):
        mine = when[(who == rows.subject[row]) & (when <= rows.day[row] - 1)]
        if mine.size:
            assert time[row] == mine.max()
        else:
            assert not has[row]
    assert (
        rows.event.sum() == ((np.ceil(onset) <= 10) & (onset <= follow_up) & ~np.isnan(onset)).sum()
    )


def test_the_baseline_has_the_columns_that_were_asked_for() -> None:
    day = np.tile(np.arange(1.0, 15), 10)
    event = (np.arange(day.size) % 9 == 0).astype(float)
    for df in (1, 2, 3):
        basis = make_baseline(day, event, df, "POLYNOMIAL")
        assert basis.shape == (day.size, df)
        gram = basis.T @ basis / day.size
        assert gram == pytest.approx(np.eye(df), abs=1e-10)
        assert basis.sum(axis=0) == pytest.approx(np.zeros(df), abs=1e-8)
    spline = make_baseline(day, event, 3, "SPLINE")
    assert spline.shape == (day.size, 3)
    # A restricted spline is straight beyond its outer knots: second differences vanish there.
    knots = np.unique(np.quantile(day[event == 1], np.linspace(0.05, 0.95, 4)))
    late = np.arange(knots[-1], knots[-1] + 4)
    from celldossier.stats.discrete_hazard import _restricted_cubic

    assert np.diff(_restricted_cubic(late, knots), 2, axis=0) == pytest.approx(
        np.zeros((2, 2)), abs=1e-10
    )
    assert make_baseline(np.ones(5), np.ones(5), 3, "SPLINE").shape == (5, 0)


def simulate(
    rng: np.random.Generator, n: int, log_or: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Onsets by a daily hazard on current ln C, C rising to a peak that is the subject's own."""
    peak = rng.normal(10.0, 1.6, n)
    rate = peak / 10.0
    days = np.arange(14)
    # log2 C at the start of each day, from the infusion on.
    log2_c = 5 + np.minimum(days[None, :], 10) * rate[:, None] * (peak[:, None] - 5) / 10
    baseline = -3.2 - 0.05 * (days - 5) ** 2
    linear = baseline[None, :] + log_or * (log2_c - 9)
    drawn = rng.uniform(size=linear.shape) < 1 / (1 + np.exp(-linear))
    first = np.where(drawn.any(axis=1), drawn.argmax(axis=1) + 0.5, NAN)
    return first, log2_c, days.astype(float), peak


def hazard(onset: np.ndarray, log2_c: np.ndarray, days: np.ndarray) -> tuple[float, float, float]:
    n = onset.size
    rows = derive_days_at_risk(onset, np.full(n, 14.0), 14)
    who = np.repeat(np.arange(n), days.size)
    value, _ = derive_current_value(rows, who, np.tile(days, n), log2_c.ravel(), 1)
    basis = make_baseline(rows.day, rows.event, 2, "POLYNOMIAL")
    fit = estimate_logistic(
        rows.event,
        np.column_stack([value, basis]),
        ["exposure", "a", "b"],
        "ML",
        tested=["exposure"],
    )
    slope = fit.coefficient("exposure")
    return slope.estimate, slope.low, slope.high


def test_under_a_null_area_up_to_onset_makes_a_false_effect_and_the_hazard_does_not() -> None:
    rng = np.random.default_rng(1408)
    ratios, covered, repeats = [], 0, 60
    for _ in range(repeats):
        onset, log2_c, days, _ = simulate(rng, 120, 0.0)
        event = (~np.isnan(onset)).astype(float)
        until = np.where(np.isnan(onset), 14.0, onset)
        # Area up to onset: a subject with the event is measured for a shorter time.
        seen = days[None, :] < until[:, None]
        area = np.log2((2**log2_c * seen).sum(axis=1))
        naive = estimate_logistic(event, area, ["area"], "ML", tested=["area"])
        ratios.append(math.exp(naive.coefficient("area").estimate))
        _, low, high = hazard(onset, log2_c, days)
        covered += low <= 0 <= high
    # The false effect: an odds ratio per doubling far below 1 in each of the samples.
    assert np.median(ratios) < 0.6
    assert max(ratios) < 0.85
    assert covered >= 53  # 57 are expected; fewer than 53 has a chance below 2 %


def test_a_planted_effect_on_the_current_concentration_is_recovered() -> None:
    rng = np.random.default_rng(1506)
    truth, repeats = 0.35, 60
    found = [hazard(*simulate(rng, 120, truth)[:3]) for _ in range(repeats)]
    assert np.mean([one[0] for one in found]) == pytest.approx(truth, abs=0.04)
    assert sum(low <= truth <= high for _, low, high in found) >= 53
    assert sum(low > 0 for _, low, _ in found) >= 45


def test_the_spline_spans_that_of_harrell_written_out() -> None:
    day = np.tile(np.arange(1.0, 15), 10)
    event = (np.arange(day.size) % 9 == 0).astype(float)
    basis = make_baseline(day, event, 3, "SPLINE")
    a, b, c, d = np.quantile(day[event == 1], [0.05, 0.35, 0.65, 0.95])

    def column(knot: float) -> np.ndarray:
        part = [np.clip(day - at, 0, None) ** 3 for at in (knot, c, d)]
        return np.asarray(part[0] - part[1] * (d - knot) / (d - c) + part[2] * (c - knot) / (d - c))

    harrell = np.column_stack([np.ones(day.size), day, column(a), column(b)])
    ours = np.column_stack([np.ones(day.size), basis])
    for one, other in ((harrell, ours), (ours, harrell)):
        rest = one - other @ np.linalg.lstsq(other, one, rcond=None)[0]
        assert np.abs(rest).max() < 1e-8 * np.abs(one).max()
