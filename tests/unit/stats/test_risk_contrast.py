"""Differences and ratios of two risks against published examples and the likelihood itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import binom, norm
from statsmodels.stats.proportion import confint_proportions_2indep

from celldossier.stats.risk_contrast import (
    constrained_by_difference,
    constrained_by_ratio,
    estimate_risk_difference,
    estimate_risk_ratio,
)

# Newcombe RG (1998), Stat Med 17:873-890, table II: events and subjects of both groups, the
# limits of method 10 (hybrid score) and of method 6 (Miettinen and Nurminen), 95 %.
TABLE_II = [
    ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406)),
    ((6, 7, 2, 7), (0.0582, 0.8062), (0.0342, 0.8534)),
    ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933)),
    ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844)),
    ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879)),
    ((10, 10, 0, 20), (0.6791, 1.0000), (0.7156, 1.0000)),
    ((10, 10, 0, 10), (0.6075, 1.0000), (0.6636, 1.0000)),
]
COUNTS = st.tuples(
    st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)
).map(lambda c: (c[0], c[0] + c[1], c[2], c[2] + c[3]))
"""Events and subjects of two groups, empty ones too."""


@pytest.mark.parametrize(("counts", "hybrid", "score"), TABLE_II)
def test_differences_are_those_of_newcombes_table(
    counts: tuple[int, ...], hybrid: tuple[float, float], score: tuple[float, float]
) -> None:
    found = estimate_risk_difference(*counts)
    assert (found.low, found.high) == pytest.approx(hybrid, abs=5.1e-5)
    assert found == estimate_risk_difference(*counts, 0.95, "NEWCOMBE")
    found = estimate_risk_difference(*counts, method="MIETTINEN_NURMINEN")
    assert (found.low, found.high) == pytest.approx(score, abs=5.1e-5)


def test_differences_of_a_trial_are_those_that_sas_publishes() -> None:
    # PROC FREQ in Garner W (2016), Western Users of SAS Software, paper 127: 84/101 and 89/105.
    counts = (84, 101, 89, 105)
    hybrid = estimate_risk_difference(*counts)
    assert (hybrid.low, hybrid.high) == pytest.approx((-0.1177, 0.0851), abs=5.1e-5)
    score = estimate_risk_difference(*counts, method="MIETTINEN_NURMINEN")
    assert (score.low, score.high) == pytest.approx((-0.1191, 0.0860), abs=5.1e-5)


@pytest.mark.parametrize(
    ("counts", "limits"),
    [
        ((24, 73, 53, 65), (0.280, 0.560)),
        ((29, 55, 11, 11), (0.397, 0.742)),
        ((7, 18, 1, 18), (1.296, 42.544)),
    ],
)
def test_ratios_are_those_of_fagerland_and_newcombe(
    counts: tuple[int, ...], limits: tuple[float, float]
) -> None:
    # Fagerland MW, Newcombe RG (2013), Stat Med 32:2823-2836 (score interval of Miettinen and
    # Nurminen), as the tests of the R package ratesci hold them.
    found = estimate_risk_ratio(*counts)
    assert (found.low, found.high) == pytest.approx(limits, abs=5.1e-4)


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.floats(0.6, 0.99))
def test_the_hybrid_interval_is_that_of_statsmodels(counts: tuple[int, ...], level: float) -> None:
    assume(counts[1] > 0 and counts[3] > 0)
    found = estimate_risk_difference(*counts, level)
    limits = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1 - level)
    assert (found.low, found.high) == pytest.approx(limits, abs=1e-9)


def _loglike(risk: float, events: int, n: int) -> float:
    return float(xlogy(events, risk) + xlog1py(n - events, -risk))


@settings(max_examples=80, deadline=None)
@given(COUNTS, st.floats(-0.98, 0.98), st.floats(0.05, 20))
def test_the_risks_under_a_contrast_are_the_most_likely_ones(
    counts: tuple[int, ...], delta: float, ratio: float
) -> None:
    x, n, y, m = counts
    assume(n > 0 and m > 0)
    one, other = constrained_by_difference(x, n, y, m, delta)
    assert one - other == pytest.approx(delta, abs=1e-12)
    best = minimize_scalar(
        lambda q: -_loglike(q + delta, x, n) - _loglike(q, y, m),
        bounds=(max(0.0, -delta), min(1.0, 1 - delta)),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert _loglike(one, x, n) + _loglike(other, y, m) >= -best.fun - 1e-6
    one, other = constrained_by_ratio(x, n, y, m, ratio)
    assert one == pytest.approx(ratio * other, abs=1e-12)
    best = minimize_scalar(
        lambda q: -_loglike(ratio * q, x, n) - _loglike(q, y, m),
        bounds=(0.0, min(1.0, 1 / ratio)),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert _loglike(one, x, n) + _loglike(other, y, m) >= -best.fun - 1e-6


@settings(max_examples=80, deadline=None)
@given(COUNTS)
def test_a_limit_is_where_the_score_reaches_its_quantile(counts: tuple[int, ...]) -> None:
    x, n, y, m = counts
    assume(n > 0 and m > 0)
    found = estimate_risk_difference(*counts, 0.90, "MIETTINEN_NURMINEN")
    for limit, end in ((found.low, -1.0), (found.high, 1.0)):
        assert found.low <= found.estimate + 1e-9 and found.estimate <= found.high + 1e-9
        if limit != end and abs(limit - found.estimate) > 1e-6:
            one, other = constrained_by_difference(x, n, y, m, limit)
            variance = (one * (1 - one) / n + other * (1 - other) / m) * (n + m) / (n + m - 1)
            score = (found.estimate - limit) / math.sqrt(variance)
            assert abs(score) == pytest.approx(norm.ppf(0.95), rel=1e-5)


@settings(max_examples=80, deadline=None)
@given(COUNTS, st.sampled_from(["NEWCOMBE", "MIETTINEN_NURMINEN"]))
def test_swapping_groups_turns_differences_about_and_inverts_ratios(
    counts: tuple[int, ...], method: str
) -> None:
    x, n, y, m = counts
    there = estimate_risk_difference(x, n, y, m, method=method)
    back = estimate_risk_difference(y, m, x, n, method=method)
    assert (back.estimate, back.low, back.high) == pytest.approx(
        (-there.estimate, -there.high, -there.low), abs=1e-7, nan_ok=True
    )
    # No event in place of the event: the difference changes its sign alone.
    absent = estimate_risk_difference(n - x, n, m - y, m, method=method)
    assert (absent.low, absent.high) == pytest.approx(
        (-there.high, -there.low), abs=1e-7, nan_ok=True
    )
    if x > 0 and y > 0:
        ratio, inverse = estimate_risk_ratio(x, n, y, m), estimate_risk_ratio(y, m, x, n)
        assert (inverse.estimate, inverse.low, inverse.high) == pytest.approx(
            (1 / ratio.estimate, 1 / ratio.high, 1 / ratio.low), rel=1e-7
        )


def test_the_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """All results of two groups, weighted by their chance: mean over a grid of true risks."""
    n, m = 12, 9
    tables = [(x, n, y, m) for x in range(n + 1) for y in range(m + 1)]
    found = {
        method: [estimate_risk_difference(*table, method=method) for table in tables]
        for method in ("NEWCOMBE", "MIETTINEN_NURMINEN")
    }
    ratios = [estimate_risk_ratio(*table) for table in tables]
    held: dict[str, list[float]] = {"NEWCOMBE": [], "MIETTINEN_NURMINEN": [], "ratio": []}
    for p in (0.15, 0.3, 0.5, 0.8):
        for q in (0.2, 0.4, 0.7):
            chance = [binom.pmf(x, n, p) * binom.pmf(y, m, q) for x, _, y, _ in tables]
            for method, ones in found.items():
                inside = [one.low <= p - q <= one.high for one in ones]
                held[method].append(float(np.dot(chance, inside)))
            # No event at all contradicts no ratio.
            inside = [not one.low > p / q and not one.high < p / q for one in ratios]
            held["ratio"].append(float(np.dot(chance, inside)))
    for name, shares in held.items():
        assert np.mean(shares) == pytest.approx(0.95, abs=0.02), name
        assert min(shares) > 0.91, name


def test_what_cannot_be_estimated_says_why() -> None:
    empty = estimate_risk_difference(0, 0, 3, 10)
    assert (empty.reason, empty.risk_reference) == ("NOGROUP", 0.3)
    assert np.isnan([empty.estimate, empty.low, empty.high, empty.risk_test]).all()
    assert estimate_risk_ratio(3, 10, 0, 0).reason == "NOGROUP"
    none = estimate_risk_ratio(0, 10, 0, 12)
    assert (none.reason, math.isnan(none.low)) == ("NOEVENT", True)
    bound = estimate_risk_ratio(5, 10, 0, 12)
    assert bound.reason == "NOREFEVT"
    assert np.isnan([bound.estimate, bound.high]).all()
    assert bound.low == pytest.approx(1 / estimate_risk_ratio(0, 12, 5, 10).high)
    zero = estimate_risk_ratio(0, 12, 5, 10)
    assert (zero.estimate, zero.low, zero.reason) == (0, 0, "")


@pytest.mark.parametrize("counts", [(4, 3, 1, 5), (1, 5, 4, 3), (-1, 3, 1, 5), (1, 0, 1, 5)])
def test_impossible_counts_are_an_error(counts: tuple[int, ...]) -> None:
    for estimate in (estimate_risk_difference, estimate_risk_ratio):
        with pytest.raises(ValueError, match="impossible"):
            estimate(*counts)


def test_groups_of_thousands_have_the_interval_of_the_normal_distribution() -> None:
    counts = (30_000, 100_000, 20_000, 100_000)
    se = math.sqrt(0.3 * 0.7 / 1e5 + 0.2 * 0.8 / 1e5)
    for method in ("NEWCOMBE", "MIETTINEN_NURMINEN"):
        found = estimate_risk_difference(*counts, method=method)
        assert found.low == pytest.approx(0.1 - norm.ppf(0.975) * se, abs=5e-6)
    ratio = estimate_risk_ratio(*counts)
    log_se = math.sqrt(0.7 / 30_000 + 0.8 / 20_000)
    assert math.log(ratio.high) == pytest.approx(math.log(1.5) + norm.ppf(0.975) * log_se, abs=1e-5)


@pytest.mark.parametrize(
    "counts",
    [(1, 1, 1, 1_000_000), (1, 1_000_000, 1, 1), (999_999, 1_000_000, 2, 3), (0, 5, 1, 100_000)],
)
def test_ratios_of_extreme_counts_have_limits_where_the_score_reaches_its_quantile(
    counts: tuple[int, ...],
) -> None:
    x, n, y, m = counts
    found = estimate_risk_ratio(*counts)
    assert found.low <= found.estimate <= found.high
    for limit in (found.low, found.high):
        if limit > 0:
            one, other = constrained_by_ratio(x, n, y, m, limit)
            variance = one * (1 - one) / n + limit**2 * other * (1 - other) / m
            variance *= (n + m) / (n + m - 1)
            score = (x / n - limit * y / m) / math.sqrt(variance)
            assert abs(score) == pytest.approx(norm.ppf(0.975), rel=1e-4)
