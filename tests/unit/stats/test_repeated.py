"""Ratios within subjects, against textbook formulas and ordinary least squares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from celldossier.stats.repeated import estimate_mean_ratio, estimate_trend


def test_the_mean_ratio_is_the_paired_t_interval_of_the_logarithms():
    first, later = np.array([10.0, 20.0, 5.0, 8.0]), np.array([12.0, 30.0, 4.0, 16.0])
    found = estimate_mean_ratio(later / first)
    test = stats.ttest_rel(np.log(later), np.log(first))
    interval = test.confidence_interval(0.90)
    assert math.log(found.ratio) == pytest.approx(np.log(later / first).mean(), rel=1e-12)
    assert math.log(found.low) == pytest.approx(interval.low, rel=1e-12)
    assert math.log(found.high) == pytest.approx(interval.high, rel=1e-12)
    assert found.p == pytest.approx(test.pvalue, rel=1e-12)
    assert (found.subjects, found.values) == (4, 4)


@pytest.mark.parametrize(
    ("ratios", "ratio", "reason"),
    [([], math.nan, "FEWSUBJ"), ([0.0, math.nan], math.nan, "FEWSUBJ"), ([2.0], 2.0, "FEWSUBJ"),
     ([3.0, 3.0, 3.0], 3.0, "CONSTANT")],
)  # fmt: skip
def test_a_mean_ratio_without_an_interval_says_why(ratios, ratio, reason):
    found = estimate_mean_ratio(ratios)
    assert found.ratio == pytest.approx(ratio, nan_ok=True)
    assert math.isnan(found.low) and found.reason == reason


def test_the_trend_is_least_squares_with_the_subject_as_factor():
    rng = np.random.default_rng(20261126)
    subject = np.repeat(["A", "B", "C", "D"], [4, 2, 3, 1])
    position = np.array([2, 3, 4, 5, 2, 4, 2, 3, 4, 2], dtype=float)
    values = np.exp(rng.normal(size=10) + 0.3 * position)
    values[1] = math.nan
    found = estimate_trend(values, position, subject)
    used = np.isfinite(values) & (subject != "D")
    design = np.column_stack(
        [position[used], *(subject[used] == name for name in ("A", "B", "C"))]
    ).astype(float)
    y = np.log(values[used])
    solution, rest, _, _ = np.linalg.lstsq(design, y, rcond=None)
    df = used.sum() - 4
    se = math.sqrt(rest[0] / df * np.linalg.inv(design.T @ design)[0, 0])
    half = stats.t.ppf(0.95, df) * se
    assert math.log(found.ratio) == pytest.approx(solution[0], rel=1e-10)
    assert math.log(found.low) == pytest.approx(solution[0] - half, rel=1e-10)
    assert math.log(found.high) == pytest.approx(solution[0] + half, rel=1e-10)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(solution[0] / se), df), rel=1e-10)
    assert (found.subjects, found.values) == (3, 8)


def test_levels_of_subjects_do_not_enter_the_trend():
    position = np.tile([2.0, 3.0, 4.0], 2)
    values = np.array([1.0, 2.5, 3.0, 100.0, 190.0, 480.0])
    subject = np.repeat(["A", "B"], 3)
    found = estimate_trend(values, position, subject)
    other = estimate_trend(values * np.repeat([7.0, 0.01], 3), position, subject)
    assert other.ratio == pytest.approx(found.ratio, rel=1e-12)
    assert other.low == pytest.approx(found.low, rel=1e-12)


def test_a_doubling_at_each_dose_is_a_ratio_of_two_without_an_interval():
    found = estimate_trend([2.0, 4.0, 8.0, 3.0, 6.0], [2, 3, 4, 2, 3], ["A"] * 3 + ["B"] * 2)
    assert found.ratio == pytest.approx(2.0) and found.reason == "CONSTANT"


@pytest.mark.parametrize(
    ("values", "position", "subject"),
    [([], [], []), ([1.0], [2], ["A"]), ([1.0, 2.0], [2, 2], ["A", "A"]), ([0.0], [2], ["A"])],
)
def test_without_repeated_values_there_is_no_trend(values, position, subject):
    found = estimate_trend(values, position, subject)
    assert math.isnan(found.ratio) and found.reason == "FEWSUBJ"
    assert found.subjects == 0


def test_one_subject_with_two_values_has_a_ratio_and_no_interval():
    found = estimate_trend([1.0, 3.0], [2, 3], ["A", "A"])
    assert found.ratio == pytest.approx(3.0)
    assert math.isnan(found.low) and found.reason == "FEWSUBJ"
