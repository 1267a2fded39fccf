"""What a sample size can tell, against closed forms, scipy.stats, statsmodels and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from celldossier.stats.precision import (
    chance_of_event,
    chance_of_factor,
    expected_width,
    interval_factor,
    largest_silent_rate,
    size_for_event,
    size_for_factor,
    upper_limit_of_sd,
)


def test_the_factor_is_that_of_the_t_interval_of_the_logarithms() -> None:
    from scipy.stats import t

    logs = np.log([3.0, 5.0, 9.0, 4.0, 30.0])
    low, high = t.interval(0.95, 4, loc=logs.mean(), scale=logs.std(ddof=1) / math.sqrt(5))
    factor = interval_factor(logs.std(ddof=1), 5)
    assert factor == pytest.approx(math.exp(high - logs.mean()), rel=1e-12)
    assert factor**2 == pytest.approx(math.exp(high - low), rel=1e-12)
    assert math.isnan(interval_factor(1.0, 1))


def test_the_upper_limit_of_the_deviation_covers_the_truth_as_often_as_it_says() -> None:
    from scipy.stats import chi2

    assert upper_limit_of_sd(2.0, 11) == pytest.approx(2 * math.sqrt(11 / chi2.ppf(0.05, 11)))
    rng = np.random.default_rng(7)
    found = rng.normal(0, 1.3, (20_000, 6)).std(axis=1, ddof=1)
    assert math.isnan(upper_limit_of_sd(1.0, 0))
    ratio = upper_limit_of_sd(1.0, 5)
    covered = (found * ratio >= 1.3).mean()
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 20_000))


@pytest.mark.parametrize(("sd", "factor"), [(0.3, 1.4), (0.8, 1.4), (1.2, 2.0)])
def test_the_assured_size_gives_narrow_limits_in_the_promised_share_of_studies(
    sd: float, factor: float
) -> None:
    n = size_for_factor(sd, factor, assurance=0.8)
    assert n is not None
    rng = np.random.default_rng(3)

    def share(size: int) -> float:
        found = rng.normal(0, sd, (20_000, size)).std(axis=1, ddof=1)
        return float((found * math.log(interval_factor(1.0, size)) <= math.log(factor)).mean())

    error = 4 * math.sqrt(0.16 / 20_000)
    assert share(n) >= 0.8 - error
    assert share(n - 1) < 0.8 + error
    assert share(n) == pytest.approx(chance_of_factor(sd, n, factor), abs=error)


@given(st.floats(0.05, 2.5), st.floats(1.05, 5.0))
def test_a_size_is_the_smallest_that_gives_the_precision(sd: float, factor: float) -> None:
    n = size_for_factor(sd, factor)
    assert n is not None
    assert interval_factor(sd, n) <= factor
    assert n == 2 or interval_factor(sd, n - 1) > factor
    assured = size_for_factor(sd, factor, assurance=0.8)
    assert assured is not None
    assert chance_of_factor(sd, assured, factor) >= 0.8
    assert assured == 2 or chance_of_factor(sd, assured - 1, factor) < 0.8


def test_a_size_cannot_be_asked_for_without_a_spread_or_an_aim() -> None:
    assert size_for_factor(0.0, 1.4) == 2
    for sd, factor in ((-1.0, 2.0), (1.0, 1.0)):
        with pytest.raises(ValueError, match="factor"):
            size_for_factor(sd, factor)
    assert size_for_factor(10.0, 1.0001) is None


def test_the_chance_of_an_event_is_one_less_the_chance_of_none() -> None:
    from scipy.stats import binom

    for rate, n in ((0.01, 24), (0.2, 6), (0.4, 120), (1e-9, 3)):
        assert chance_of_event(rate, n) == pytest.approx(binom.sf(0, n, rate), rel=1e-9)
    assert chance_of_event(1.0, 1) == 1 and chance_of_event(0.3, 0) == 0


def test_the_rule_of_three_holds_for_the_largest_rate_without_events() -> None:
    # Hanley and Lippman-Hand (1983), exact upper limits of the one-sided 95 % interval.
    assert 100 * largest_silent_rate(10) == pytest.approx(25.9, abs=0.05)
    assert largest_silent_rate(1000) == pytest.approx(3 / 1000, rel=0.01)
    # At that rate, seeing none has a chance of exactly 5 %.
    assert 1 - chance_of_event(largest_silent_rate(17), 17) == pytest.approx(0.05, rel=1e-12)
    assert math.isnan(largest_silent_rate(0))


@given(st.floats(0.001, 0.999), st.floats(0.5, 0.99))
def test_the_size_for_an_event_is_the_smallest(rate: float, chance: float) -> None:
    n = size_for_event(rate, chance)
    assert chance_of_event(rate, n) >= chance - 1e-12
    assert n == 1 or chance_of_event(rate, n - 1) < chance


def test_known_sizes_for_one_event() -> None:
    # ln 0.05 / ln(1 - p), rounded up.
    assert [size_for_event(p, 0.95) for p in (0.01, 0.05, 0.1, 0.5)] == [299, 59, 29, 5]


@pytest.mark.parametrize(("ours", "theirs"), [("clopper_pearson", "beta"), ("wilson", "wilson")])
def test_the_expected_width_is_the_mean_width_over_the_binomial(ours: str, theirs: str) -> None:
    from scipy.stats import binom
    from statsmodels.stats.proportion import proportion_confint

    for rate, n, level in ((0.05, 24, 0.95), (0.3, 7, 0.9), (0.4, 1, 0.95)):
        events = np.arange(n + 1)
        low, high = proportion_confint(events, n, 1 - level, method=theirs)
        mean = binom.pmf(events, n, rate) @ (high - low)
        assert expected_width(rate, n, ours, level) == pytest.approx(mean, rel=1e-9)
    assert math.isnan(expected_width(0.1, 0, ours))
