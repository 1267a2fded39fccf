from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from celldossier.stats.lagged_correlation import Series, estimate_lag_profile, pair_by_lag

DAYS = np.arange(1.0, 29.0)
RULES = {"tolerance": 0.4, "min_pairs": 4, "min_subjects": 3, "samples": 100, "seed": 3}


def make_courses(
    subjects: int, shift: float, noise: float = 0.0, seed: int = 1
) -> tuple[Series, Series]:
    """A peak of the cells at another day in each subject, the marker the same `shift` later."""
    random = np.random.default_rng(seed)
    who, day, cells, marker = [], [], [], []
    for subject in range(subjects):
        peak = random.uniform(9, 13)
        who.append(np.full(DAYS.size, float(subject)))
        day.append(DAYS)
        cells.append(-np.abs(DAYS - peak) + noise * random.normal(size=DAYS.size))
        marker.append(-np.abs(DAYS - peak - shift) + noise * random.normal(size=DAYS.size))
    parts = [np.concatenate(part) for part in (who, day, cells, marker)]
    return Series.of(*parts[:3]), Series.of(parts[0], parts[1], parts[3])


@pytest.mark.parametrize("shift", [-5.0, 0.0, 3.0])
def test_a_marker_that_repeats_the_cells_later_has_its_largest_correlation_at_that_lag(
    shift: float,
) -> None:
    cells, marker = make_courses(6, shift)
    found = estimate_lag_profile(cells, marker, range(-7, 8), **RULES)
    best = found.best["POSITIVE"]
    assert best.estimate.lag == shift
    assert best.estimate.rho == pytest.approx(1.0, abs=1e-12)
    assert (best.low, best.high) == (shift, shift)
    assert found.best["ABSOLUTE"].estimate.lag == shift


def test_of_one_subject_the_coefficient_is_that_of_spearman_ties_and_limits_included() -> None:
    random = np.random.default_rng(5)
    x, y = random.integers(0, 6, 20).astype(float), random.normal(size=20)
    x[x == 0] = -np.inf
    y[:3] = np.inf
    first = Series.of(np.zeros(20), np.arange(20), x)
    second = Series.of(np.zeros(20), np.arange(20), y)
    found = estimate_lag_profile(first, second, [0], **{**RULES, "min_subjects": 1}).lags[0]
    finite = [np.where(np.isinf(v), np.sign(v) * 99, v) for v in (x, y)]
    assert found.rho == pytest.approx(float(spearmanr(*finite).statistic), rel=1e-12)


def test_over_subjects_it_is_the_partial_correlation_of_ranks_given_the_subject() -> None:
    # Bland and Altman: the share of the variation within subjects that the regression explains.
    cells, marker = make_courses(5, 1.0, noise=3.0)
    found = estimate_lag_profile(cells, marker, [0], **RULES).lags[0]
    ranks = [
        np.concatenate([rankdata(part.value[part.subject == i]) / 29 for i in range(5)])
        for part in (cells, marker)
    ]
    dummies = np.eye(5)[cells.subject.astype(int)]
    full = sm.OLS(ranks[1], np.column_stack([ranks[0], dummies])).fit()
    null = sm.OLS(ranks[1], dummies).fit()
    share = 1 - full.ssr / null.ssr
    assert found.rho == pytest.approx(np.sign(full.params[0]) * np.sqrt(share), rel=1e-10)


def test_pairs_are_of_one_subject_within_the_tolerance_and_use_no_sample_twice() -> None:
    first = Series.of([1, 1, 1, 2], [0.0, 2.0, 2.6, 5.0], [1, 2, 3, 4])
    second = Series.of([1, 1, 2, 3], [2.3, 4.4, 9.0, 7.0], [1, 2, 3, 4])
    a, b = pair_by_lag(first, second, 2.0, 0.5)
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == [(0, 0), (2, 1)]
    a, b = pair_by_lag(first, second, 0.0, 0.5)
    # 2.0 and 2.6 are as near to 2.3: the earlier one keeps it.
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == [(1, 0)]


def test_a_subject_in_whom_one_series_does_not_vary_is_left_out() -> None:
    cells, marker = make_courses(4, 0.0)
    flat = np.where(marker.subject == 2, -np.inf, marker.value)
    found = estimate_lag_profile(cells, Series.of(marker.subject, marker.time, flat), [0], **RULES)
    assert (found.lags[0].subjects, found.lags[0].rho) == (3, pytest.approx(1.0))


def test_too_few_subjects_give_a_reason_and_no_best_lag() -> None:
    cells, marker = make_courses(2, 0.0)
    found = estimate_lag_profile(cells, marker, [0, 2], **RULES)
    assert (found.best, found.reason) == ({}, "FEWSUBJ")
    assert [each.reason for each in found.lags] == ["FEWSUBJ", "FEWSUBJ"]
    empty = Series.of([], [], [])
    assert estimate_lag_profile(empty, empty, [0], **RULES).reason == "FEWSUBJ"


def test_the_same_seed_gives_the_same_interval_and_another_seed_does_not() -> None:
    cells, marker = make_courses(8, 1.0, noise=4.0)
    runs = [
        estimate_lag_profile(cells, marker, [0], **{**RULES, "seed": seed}).lags[0]
        for seed in (3, 3, 4)
    ]
    assert runs[0] == runs[1]
    assert runs[0].low != runs[2].low
    assert runs[0].low < runs[0].rho < runs[0].high


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), move=st.integers(-50, 50), power=st.sampled_from([0.5, 1, 3]))
def test_rising_transforms_and_a_common_shift_of_time_change_nothing(
    seed: int, move: int, power: float
) -> None:
    cells, marker = make_courses(4, 2.0, noise=2.0, seed=seed)
    base = estimate_lag_profile(cells, marker, [-2, 0, 2], **RULES)
    moved = [
        Series.of(part.subject, part.time + move, np.sign(part.value) * np.abs(part.value) ** power)
        for part in (cells, marker)
    ]
    other = estimate_lag_profile(*moved, [-2, 0, 2], **RULES)
    for left, right in zip(base.lags, other.lags, strict=True):
        assert left.rho == pytest.approx(right.rho, abs=1e-12)
        assert left.pairs == right.pairs


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(4)))
def test_other_numbers_of_the_subjects_leave_the_estimate(seed: int, order: list[int]) -> None:
    cells, marker = make_courses(4, 1.0, noise=2.0, seed=seed)
    base = estimate_lag_profile(cells, marker, [0, 1], **RULES)
    names = np.asarray(order, dtype=float)
    renamed = [
        Series.of(names[part.subject.astype(int)], part.time, part.value)
        for part in (cells, marker)
    ]
    other = estimate_lag_profile(*renamed, [0, 1], **RULES)
    for left, right in zip(base.lags, other.lags, strict=True):
        assert left.rho == pytest.approx(right.rho, abs=1e-12)
        assert left.p == pytest.approx(right.p, rel=1e-9)


def test_swapping_the_series_turns_the_lag_around() -> None:
    cells, marker = make_courses(5, 2.0, noise=1.0)
    there = estimate_lag_profile(cells, marker, [2], **RULES).lags[0]
    back = estimate_lag_profile(marker, cells, [-2], **RULES).lags[0]
    assert there.rho == pytest.approx(back.rho, abs=1e-12)


@pytest.mark.slow
def test_interval_and_test_hold_their_levels() -> None:
    # Normal pairs in 30 subjects of 8 samples, r = 0.5 within; the truth from a large sample.
    random = np.random.default_rng(11)

    def simulate(subjects: int, r: float) -> tuple[Series, Series]:
        who = np.repeat(np.arange(float(subjects)), 8)
        x = random.normal(size=who.size)
        y = r * x + np.sqrt(1 - r**2) * random.normal(size=who.size)
        level = random.normal(size=subjects)[who.astype(int)] * 3
        time = np.tile(np.arange(8.0), subjects)
        return Series.of(who, time, x + level), Series.of(who, time, y - level)

    rules = {**RULES, "samples": 400}
    truth = estimate_lag_profile(*simulate(30_000, 0.5), [0], **{**rules, "samples": 1}).lags[0].rho
    held = rejected = 0
    for seed in range(600):
        found = estimate_lag_profile(*simulate(30, 0.5), [0], **{**rules, "seed": seed}).lags[0]
        held += found.low <= truth <= found.high
        rejected += estimate_lag_profile(*simulate(30, 0.0), [0], **rules).lags[0].p < 0.05
    assert 0.91 <= held / 600 <= 0.975
    assert 0.03 <= rejected / 600 <= 0.075


def test_of_two_second_samples_as_near_the_earlier_one_is_taken_whatever_the_clock() -> None:
    # Hours of a day are no binary fractions: the tie must not be left to the last digit.
    for start in np.arange(0, 400) / 24:
        first = Series.of([1], [start + 7 / 24], [1])
        second = Series.of([1, 1], [start + 3 / 24, start + 11 / 24], [1, 2])
        assert [part.tolist() for part in pair_by_lag(first, second, 0.0, 0.5)] == [[0], [0]]


def test_a_pair_at_the_tolerance_counts_and_one_beyond_it_does_not() -> None:
    first = Series.of([1], [0.1], [1])
    # 0.1 + 0.2 is a little more than 0.3 in binary; one minute more is beyond.
    for at, pairs in ((0.1 + 0.2, 1), (0.3 + 1 / 1440, 0)):
        assert pair_by_lag(first, Series.of([1], [at], [1]), 0.0, 0.2)[0].size == pairs


@pytest.mark.parametrize(("varying", "reason"), [(2, "NOLIMIT"), (3, "")])
def test_more_than_a_tenth_of_draws_without_coefficient_leaves_no_interval(
    varying: int, reason: str
) -> None:
    # A draw of 60 subjects holds none of m of them with probability (1 - m/60)^60:
    # 13.1 % for two, 4.6 % for three.
    cells, marker = make_courses(60, 0.0, noise=3.0)
    flat = np.where(marker.subject < varying, marker.value, 1.0)
    rules = {**RULES, "min_subjects": 2, "samples": 1000}
    found = estimate_lag_profile(cells, Series.of(marker.subject, marker.time, flat), [0], **rules)
    assert (found.lags[0].subjects, found.lags[0].reason) == (varying, reason)
    assert np.isnan(found.lags[0].low) == bool(reason)


def test_p_is_that_of_students_t_of_the_contributions_of_subjects() -> None:
    from scipy.stats import ttest_1samp

    cells, marker = make_courses(5, 4.0, noise=6.0)
    found = estimate_lag_profile(cells, marker, [0], **RULES).lags[0]
    parts = [
        (rankdata(cells.value[cells.subject == i]) / 29 - 0.5)
        @ (rankdata(marker.value[marker.subject == i]) / 29 - 0.5)
        for i in range(5)
    ]
    assert found.p == pytest.approx(ttest_1samp(parts, 0).pvalue, rel=1e-9)


def test_one_subject_has_a_correlation_without_limits_or_test() -> None:
    cells, marker = make_courses(1, 0.0, noise=2.0)
    found = estimate_lag_profile(cells, marker, [0], **{**RULES, "min_subjects": 1}).lags[0]
    assert (found.subjects, found.pairs, found.reason) == (1, 28, "NOLIMIT")
    assert np.isfinite(found.rho) and np.isnan([found.p, found.low, found.high]).all()


def test_the_limits_of_the_best_lag_leave_out_a_tail_on_each_side() -> None:
    # Six subjects in whom the marker follows, three in whom it precedes: a sample of nine
    # subjects has a majority of the three with a chance of P(Bin(9, 1/3) > 4) = 0.145.
    later, earlier = make_courses(6, 2.0), make_courses(3, -2.0, seed=4)
    cells, marker = (
        Series.of(
            np.concatenate([a.subject, b.subject + 6]),
            np.concatenate([a.time, b.time]),
            np.concatenate([a.value, b.value]),
        )
        for a, b in zip(later, earlier, strict=True)
    )
    rules = {**RULES, "samples": 400}
    for level, low in ((0.90, -2.0), (0.50, 2.0)):
        best = estimate_lag_profile(cells, marker, [-2, 2], level=level, **rules).best["POSITIVE"]
        assert (best.estimate.lag, best.low, best.high) == (2.0, low, 2.0)


def test_a_sample_that_lacks_its_time_or_its_value_is_left_out() -> None:
    series = Series.of([1, 1, 1, 2], [0.0, np.nan, 2.0, 3.0], [5.0, 6.0, np.nan, 8.0])
    assert series.subject.tolist() == [1, 2]
    assert series.time.tolist() == [0, 3] and series.value.tolist() == [5, 8]
