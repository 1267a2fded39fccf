"""Ranges of reference lots: published tolerance factors, promises kept in simulation, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, nct, norm

from celldossier.stats.quality_range import (
    LotRange,
    count_inside,
    estimate_quality_range,
    estimate_tolerance_interval,
)
from celldossier.stats.tolerance import one_sided_factor, two_sided_factor


@pytest.mark.parametrize(
    ("n", "factors"),
    [
        (4, (5.37, 6.34, 8.22)),
        (5, (4.29, 5.08, 6.60)),
        (8, (3.16, 3.75, 4.89)),
        (10, (2.86, 3.39, 4.44)),
        (20, (2.32, 2.76, 3.62)),
        (60, (1.96, 2.34, 3.07)),
    ],
)
def test_two_sided_factors_are_the_published_ones(n: int, factors: tuple[float, ...]) -> None:
    # Berthouex PM, Brown LC (2002), Statistics for Environmental Engineers, table 21.1:
    # confidence 95 %, shares of 90, 95 and 99 %.
    found = [two_sided_factor(n, share, 0.95) for share in (0.90, 0.95, 0.99)]
    assert found == pytest.approx(factors, abs=5.1e-3)


def test_factors_are_those_of_the_handbook_of_nist() -> None:
    # NIST/SEMATECH e-Handbook 7.2.6.3: 43 values, share 90 %, confidence 99 %. Its two-sided 2.217
    # is Howe's approximation sqrt(z^2 (n - 1) (1 + 1/n) / chi2), below the exact factor.
    howe = math.sqrt(norm.ppf(0.95) ** 2 * 42 * (1 + 1 / 43) / chi2.ppf(0.01, 42))
    assert howe == pytest.approx(2.217, abs=5e-4)
    assert two_sided_factor(43, 0.90, 0.99) == pytest.approx(howe, rel=3e-3)
    # One-sided 1.8752 there is an approximation too; the exact 1.8740 stands beside it.
    assert one_sided_factor(43, 0.90, 0.99) == pytest.approx(1.8740, abs=5e-5)


@pytest.mark.parametrize(
    ("n", "coverage", "confidence"), [(6, 0.8, 0.9), (2, 0.95, 0.05), (3, 0.5, 0.999)]
)
def test_a_factor_keeps_its_promise(n: int, coverage: float, confidence: float) -> None:
    random = np.random.default_rng(1)
    x = random.normal(0, 1, (40_000, n))
    k = two_sided_factor(n, coverage, confidence)
    low, high = (x.mean(1) + sign * k * x.std(1, ddof=1) for sign in (-1, 1))
    allowed = 4 * math.sqrt(confidence * (1 - confidence) / 40_000)
    held = np.mean(norm.cdf(high) - norm.cdf(low) >= coverage)
    assert held == pytest.approx(confidence, abs=allowed)
    upper = x.mean(1) + one_sided_factor(n, coverage, confidence) * x.std(1, ddof=1)
    assert np.mean(norm.cdf(upper) >= coverage) == pytest.approx(confidence, abs=allowed)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 200), st.floats(0.5, 0.99), st.floats(0.55, 0.99))
def test_factors_rise_with_share_and_confidence_and_fall_with_the_sample(
    n: int, coverage: float, confidence: float
) -> None:
    factor = two_sided_factor(n, coverage, confidence)
    assert factor < two_sided_factor(n, coverage + 0.005, confidence)
    assert factor < two_sided_factor(n, coverage, confidence + 0.005)
    assert two_sided_factor(n + 1, coverage, confidence) < factor
    # Two one-sided limits of half the tails hold the middle as well, with less confidence.
    assert factor > one_sided_factor(n, coverage, confidence)


def test_a_large_sample_has_the_quantile_of_the_normal_distribution() -> None:
    assert two_sided_factor(1_000_000, 0.95, 0.5) == pytest.approx(norm.ppf(0.975), abs=1e-5)
    assert one_sided_factor(50, 0.9, 0.3) == pytest.approx(
        nct.ppf(0.3, 49, norm.ppf(0.9) * math.sqrt(50)) / math.sqrt(50)
    )


@pytest.mark.parametrize("arguments", [(1, 0.9, 0.9), (5, 1.0, 0.9), (5, 0.9, 0.0)])
def test_impossible_factors_are_an_error(arguments: tuple[int, float, float]) -> None:
    for factor in (one_sided_factor, two_sided_factor):
        with pytest.raises(ValueError, match="between 0 and 1"):
            factor(*arguments)


LOTS = [38.0, 45.5, 41.2, 52.9, 47.1, 44.0, math.nan, 39.8]


def test_limits_are_the_mean_and_the_factor_times_the_deviation() -> None:
    x = np.array(LOTS)[~np.isnan(LOTS)]
    found = estimate_quality_range(LOTS, 2.5)
    assert (found.n, found.factor) == (7, 2.5)
    assert (found.low, found.centre, found.high) == pytest.approx(
        (x.mean() - 2.5 * x.std(ddof=1), x.mean(), x.mean() + 2.5 * x.std(ddof=1))
    )
    tolerance = estimate_tolerance_interval(LOTS, 0.90, 0.80)
    assert tolerance.factor == two_sided_factor(7, 0.90, 0.80)
    assert tolerance.high == pytest.approx(x.mean() + tolerance.factor * x.std(ddof=1))
    assert estimate_quality_range(LOTS) == estimate_quality_range(LOTS, 3.0)
    assert estimate_tolerance_interval(LOTS) == estimate_tolerance_interval(LOTS, 0.95, 0.95)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(1, 100), min_size=3, max_size=12),
    st.floats(0.01, 100),
    st.randoms(use_true_random=False),
)
def test_units_and_order_of_lots_do_not_matter(values: list[float], unit: float, random) -> None:
    shuffled = random.sample(values, len(values))
    for log_scale in (False, True):
        first = estimate_quality_range(values, 3.0, log_scale)
        other = estimate_quality_range([unit * value for value in shuffled], 3.0, log_scale)
        assert (other.n, other.reason) == (first.n, first.reason)
        if not first.reason:
            scale = max(abs(first.low), abs(first.high))
            assert (other.low / unit, other.high / unit) == pytest.approx(
                (first.low, first.high), abs=1e-9 * scale, rel=1e-9
            )
    logs = estimate_quality_range(values, 2.0, True)
    plain = estimate_quality_range(np.log(values), 2.0)
    if not logs.reason and not plain.reason:
        assert np.log([logs.low, logs.centre, logs.high]) == pytest.approx(
            [plain.low, plain.centre, plain.high], abs=1e-9
        )


def test_lots_inside_are_counted_with_the_limits_and_have_an_exact_interval() -> None:
    limits = LotRange(7, 3.0, 40.0, 30.0, 50.0)
    found = count_inside([30.0, 50.0, 29.99, 42.0, math.nan, 61.0], limits)
    assert (found.n, found.n_inside, found.share) == (5, 3, 0.6)
    # Clopper-Pearson limits of 3 of 5, binom.test of R.
    assert (found.low, found.high) == pytest.approx((0.1466328, 0.9472550), abs=1e-6)
    every = count_inside([40.0] * 10, limits, 0.90)
    assert (every.share, every.high) == (1.0, 1.0)
    assert every.low == pytest.approx(0.05 ** (1 / 10))


@pytest.mark.parametrize(
    ("values", "log_scale", "reason"),
    [
        ([], False, "FEWVAL"),
        ([4.0], False, "FEWVAL"),
        ([4.0, 4.0, 4.0], False, "CONSTANT"),
        ([0.1 + 0.2, 0.3], True, "CONSTANT"),
        ([4.0, 0.0, 3.0], True, "NOLOG"),
    ],
)
def test_what_cannot_be_estimated_says_why(
    values: list[float], log_scale: bool, reason: str
) -> None:
    for found in (
        estimate_quality_range(values, 3.0, log_scale),
        estimate_tolerance_interval(values, log_scale=log_scale),
    ):
        assert (found.reason, math.isnan(found.low), math.isnan(found.high)) == (reason, True, True)
        inside = count_inside([1.0, 2.0], found)
        assert (inside.n, inside.reason, math.isnan(inside.share)) == (2, reason, True)


def test_small_numbers_that_differ_are_not_constant() -> None:
    found = estimate_quality_range([1e-15, 2e-15, 3e-15], 2.0)
    assert (found.reason, found.low, found.high) == (
        "",
        pytest.approx(0, abs=1e-20),
        pytest.approx(4e-15),
    )


def test_no_test_lot_has_no_share_and_a_factor_lies_above_0() -> None:
    none = count_inside([math.nan], estimate_quality_range(LOTS))
    assert (none.n, none.reason, math.isnan(none.share)) == (0, "FEWVAL", True)
    with pytest.raises(ValueError, match="above 0"):
        estimate_quality_range(LOTS, 0.0)
