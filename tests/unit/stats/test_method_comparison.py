from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from celldossier.stats.agreement import estimate_agreement
from celldossier.stats.method_comparison import estimate_deming, estimate_rank_correlation
from celldossier.stats.passing_bablok import MAX_PAIRS, estimate_passing_bablok

Floats = NDArray[np.float64]


def simulate(
    rng: np.random.Generator, subjects: int, most: int, slope: float = 0.7
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Pairs whose errors are partly of the subject, the ratio of variances 1 / slope^2."""
    subject = np.repeat(np.arange(subjects), rng.integers(1, most + 1, subjects))
    n = subject.size
    true = rng.normal(0, 1.5, subjects)[subject] + rng.normal(0, 1, n)
    errors = [rng.normal(0, 0.4, n) + rng.normal(0, 0.25, subjects)[subject] for _ in range(2)]
    return true + errors[0], 1 + slope * (true + errors[1]), subject


def test_a_line_without_errors_is_found_by_both_regressions() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0, 9.0])
    for fit in (estimate_deming(x, 3 - 2 * x), estimate_passing_bablok(x, 3 - 2 * x)):
        assert fit.slope.value == pytest.approx(-2, rel=1e-12)
        assert fit.intercept.value == pytest.approx(3, rel=1e-12)


def test_exchanged_methods_give_the_reciprocal_slope() -> None:
    x, y, subject = simulate(np.random.default_rng(1), 30, 4)
    for ratio in (0.3, 1.0, 2.5):
        there = estimate_deming(x, y, subject, error_ratio=ratio)
        back = estimate_deming(y, x, subject, error_ratio=1 / ratio)
        assert there.slope.value * back.slope.value == pytest.approx(1, rel=1e-10)
    there, back = (estimate_passing_bablok(*pair, subject) for pair in ((x, y), (y, x)))
    assert there.slope.value * back.slope.value == pytest.approx(1, rel=2e-4)


def test_another_unit_of_a_method_scales_the_passing_bablok_slope_and_its_limits() -> None:
    x, y, subject = simulate(np.random.default_rng(2), 25, 5)
    for labels in (subject, None):
        plain = estimate_passing_bablok(x, y, labels).slope
        scaled = estimate_passing_bablok(x, -8 * y, labels).slope
        assert scaled.value == pytest.approx(-8 * plain.value, rel=1e-12)
        assert (scaled.low, scaled.high) == pytest.approx((-8 * plain.high, -8 * plain.low))


def test_the_passing_bablok_slope_is_the_median_of_the_absolute_slopes() -> None:
    x = np.array([1.0, 1.0, 2.0, 3.0, 5.0])
    y = np.array([1.0, 1.0, 2.5, 3.0, 4.0])
    # Of the 10 pairs of points the two equal ones have no slope; 9 are left, sorted by hand.
    slopes = [1.5, 1.5, 1.0, 1.0, 0.75, 0.75, 0.5, 0.5, 0.5]
    found = estimate_passing_bablok(x, y)
    assert found.slope.value == np.median(slopes)
    assert found.intercept.value == np.median(y - found.slope.value * x)


@pytest.mark.parametrize("subjects", [12, 40])
def test_limits_over_subjects_cover_the_slope_where_those_over_pairs_do_not(subjects: int) -> None:
    rng = np.random.default_rng(3)
    covered = dict.fromkeys(["deming", "passing_bablok", "pairs"], 0)
    for _ in range(200):
        x, y, subject = simulate(rng, subjects, 10)
        fits = {
            "deming": estimate_deming(x, y, subject, error_ratio=1 / 0.49),
            "passing_bablok": estimate_passing_bablok(x, y, subject),
            "pairs": estimate_passing_bablok(x, y),
        }
        for name, fit in fits.items():
            covered[name] += fit.slope.low <= 0.7 <= fit.slope.high
    # 200 trials at 95 % give 178 or fewer once in 1,500.
    assert covered["deming"] >= 179
    assert covered["passing_bablok"] >= 179
    assert covered["pairs"] < 179


def test_limits_of_deming_are_those_of_the_jackknife_with_two_degrees_of_freedom_less() -> None:
    x = np.array([1.0, 2.0, 3.5, 4.0, 5.5, 7.0, 8.0])
    y = np.array([1.3, 1.9, 3.9, 4.4, 5.1, 7.6, 8.8])
    left_out = [estimate_deming(np.delete(x, at), np.delete(y, at)).slope.value for at in range(7)]
    se = np.sqrt(6 / 7 * np.sum((left_out - np.mean(left_out)) ** 2))
    slope = estimate_deming(x, y).slope
    assert slope.se == pytest.approx(se)
    assert slope.high - slope.value == pytest.approx(stats.t.ppf(0.975, 5) * se)


def test_unequal_numbers_of_pairs_weigh_the_variance_within_by_their_harmonic_mean() -> None:
    # Bland and Altman (1999), 5.3: of the means plus (1 - 1/h) of the spread within.
    difference = np.array([1.0, 2.0, 4.0, 0.0, 1.0, 5.0, 3.0, 3.5, 2.5, 8.0])
    subject = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
    means = [1.0, 3.0, 2.0, 4.25]
    inside = (2.0 + 14.0 + 19.25) / (10 - 4)
    total = np.var(means, ddof=1) + (1 - (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4) * inside
    found = estimate_agreement(difference, subject)
    assert found.within == pytest.approx(inside)
    assert found.bias.value == pytest.approx(np.mean(means))
    spread = 1.959963984540054 * np.sqrt(total)
    assert found.upper.value == pytest.approx(np.mean(means) + spread)
    assert found.lower.value == pytest.approx(np.mean(means) - spread)


def test_limits_of_single_pairs_are_the_order_statistics_of_passing_and_bablok() -> None:
    x, y, _ = simulate(np.random.default_rng(4), 40, 1)
    i, j = np.triu_indices(40, 1)
    slopes = np.sort(np.abs((y[j] - y[i]) / (x[j] - x[i])))
    width = stats.norm.ppf(0.975) * math.sqrt(40 * 39 * 85 / 18)
    first = round((slopes.size - width) / 2)
    found = estimate_passing_bablok(x, y).slope
    assert (found.low, found.high) == (slopes[first - 1], slopes[slopes.size - first])


def test_limits_of_the_slope_are_where_the_test_of_kendall_turns() -> None:
    x, y, _ = simulate(np.random.default_rng(5), 60, 1)
    found = estimate_passing_bablok(x, y).slope
    for slope, rejected in (
        (found.low * 0.97, True),
        (found.low * 1.03, False),
        (found.high * 0.97, False),
        (found.high * 1.03, True),
    ):
        p = stats.kendalltau(y - slope * x, y + slope * x, method="asymptotic").pvalue
        assert (p < 0.05) == rejected


def test_limits_over_subjects_are_where_the_jackknife_of_tau_turns() -> None:
    x, y, subject = simulate(np.random.default_rng(11), 14, 4)

    def tau(slope: float, rest: NDArray[np.bool_]) -> float:
        u, v = (y - slope * x)[rest], (y + slope * x)[rest]
        i, j = np.triu_indices(u.size, 1)
        return float((np.sign(u[j] - u[i]) * np.sign(v[j] - v[i])).mean())

    def rejected(slope: float) -> bool:
        left_out = np.array([tau(slope, subject != group) for group in range(14)])
        variance = 13 / 14 * ((left_out - left_out.mean()) ** 2).sum()
        everybody = np.ones(x.size, dtype=bool)
        return bool(abs(tau(slope, everybody)) > stats.t.ppf(0.975, 12) * math.sqrt(variance))

    found = estimate_passing_bablok(x, y, subject).slope
    for limit, outside in ((found.low, 1 - 1e-9), (found.high, 1 + 1e-9)):
        assert rejected(limit * outside) and not rejected(limit * (2 - outside))


def test_few_pairs_constant_methods_and_too_many_pairs_have_their_reason() -> None:
    few = estimate_deming([1, 2, 3], [1, 2, 4], ["A", "A", "B"])
    assert (few.reason, few.n, few.n_subjects) == ("FEWSUBJ", 3, 2)
    assert math.isnan(few.slope.value)
    for x, y in (([2, 2, 2, 2], [1, 2, 3, 4]), ([1, 2, 3, 4], [5, 5, 5, 5])):
        assert estimate_deming(x, y).reason == "CONSTANT"
        assert estimate_passing_bablok(x, y).reason == "CONSTANT"
    many = np.arange(MAX_PAIRS + 1)
    assert estimate_passing_bablok(many, many).reason == "MANYPAIR"


def test_a_missing_result_is_refused() -> None:
    for estimate in (estimate_deming, estimate_passing_bablok, estimate_rank_correlation):
        with pytest.raises(ValueError, match="two finite results"):
            estimate([1, 2, math.nan], [1, 2, 3])
    with pytest.raises(ValueError, match="its subject"):
        estimate_deming([1, 2, 3], [1, 2])


def test_agreement_of_single_pairs_is_that_of_bland_and_altman() -> None:
    d = np.array([-1.0, 0.5, 2.0, 0.0, 1.0, -0.5, 3.0])
    found = estimate_agreement(d)
    mean, sd = d.mean(), d.std(ddof=1)
    z, t = stats.norm.ppf(0.975), stats.t.ppf(0.975, 6)
    assert found.bias.value == pytest.approx(mean)
    assert found.bias.high - mean == pytest.approx(t * sd / math.sqrt(7))
    assert found.lower.value == pytest.approx(mean - z * sd)
    assert found.between == pytest.approx(sd**2)
    assert math.isnan(found.within)
    # Zou (2013), with one pair a subject: limits of the variance are those of chi-squared.
    most = sd * math.sqrt(6 / stats.chi2.ppf(0.025, 6))
    outer = math.hypot(t * sd / math.sqrt(7), z * (most - sd))
    assert found.upper.high == pytest.approx(found.upper.value + outer)


def test_variance_components_of_equal_groups_are_those_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(6)
    d = rng.normal(0, 1, (9, 1)) + rng.normal(0, 0.5, (9, 4))
    found = estimate_agreement(d.ravel(), np.repeat(np.arange(9), 4))
    within = d.var(axis=1, ddof=1).mean()
    of_groups = 4 * d.mean(axis=1).var(ddof=1)
    assert found.within == pytest.approx(within)
    assert found.between == pytest.approx((of_groups - within) / 4)
    half = stats.norm.ppf(0.975) * math.sqrt(found.within + found.between)
    assert found.upper.value - found.bias.value == pytest.approx(half)


def test_limits_of_agreement_cover_theirs_where_subjects_repeat() -> None:
    rng = np.random.default_rng(7)
    covered = np.zeros(3)
    upper = 0.3 + stats.norm.ppf(0.975)
    for _ in range(500):
        subject = np.repeat(np.arange(20), rng.integers(1, 7, 20))
        d = 0.3 + rng.normal(0, 0.6, 20)[subject] + rng.normal(0, 0.8, subject.size)
        found = estimate_agreement(d, subject)
        covered += [
            found.bias.low <= 0.3 <= found.bias.high,
            found.lower.low <= 0.6 - upper <= found.lower.high,
            found.upper.low <= upper <= found.upper.high,
        ]
    assert (covered >= 458).all()


def test_agreement_of_one_subject_or_of_equal_differences_has_no_limits() -> None:
    alone = estimate_agreement([1.0, 2.0], ["A", "A"])
    assert (alone.bias.value, alone.reason) == (1.5, "FEWSUBJ")
    same = estimate_agreement([1.0, 1.0, 1.0])
    assert same.reason == "CONSTANT" and math.isnan(same.upper.value)


def test_the_rank_correlation_is_that_of_scipy_and_its_limits_rest_on_subjects() -> None:
    x, y, subject = simulate(np.random.default_rng(8), 30, 5)
    found = estimate_rank_correlation(x, y, subject)
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-12)
    assert found.low < found.rho < found.high
    # A copy of each pair tells nothing new: neither the estimate nor the limits move.
    twice = estimate_rank_correlation(np.tile(x, 2), np.tile(y, 2), np.tile(subject, 2))
    assert (twice.low, twice.high) == pytest.approx((found.low, found.high), rel=1e-9)


def test_three_subjects_have_a_line_with_limits_of_one_degree_of_freedom() -> None:
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.5, 3.5])
    fit = estimate_deming(x, y)
    left_out = [estimate_deming(np.delete(x, at), np.delete(y, at)) for at in range(3)]
    assert [one.reason for one in left_out] == ["FEWSUBJ"] * 3
    # Through two points there is one line: its slope is theirs.
    slopes = np.array([(y[j] - y[i]) / (x[j] - x[i]) for i, j in ((1, 2), (0, 2), (0, 1))])
    se = np.sqrt(2 / 3 * ((slopes - slopes.mean()) ** 2).sum())
    assert (fit.reason, fit.slope.se) == ("", pytest.approx(se))
    assert fit.slope.high - fit.slope.value == pytest.approx(stats.t.ppf(0.975, 1) * se)


def test_exchanged_methods_give_the_reciprocal_limits_over_subjects() -> None:
    x, y, subject = simulate(np.random.default_rng(8), 30, 4)
    there, back = (estimate_passing_bablok(*pair, subject).slope for pair in ((x, y), (y, x)))
    assert there.low * back.high == pytest.approx(1, rel=1e-12)
    assert there.high * back.low == pytest.approx(1, rel=1e-12)


def test_three_pairs_of_two_subjects_have_a_rank_correlation_without_limits() -> None:
    found = estimate_rank_correlation([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], ["A", "A", "B"])
    # 1 - 6 (0 + 1 + 1) / (3 x 8)
    assert (found.rho, found.reason, found.n) == (pytest.approx(0.5), "FEWSUBJ", 3)
    assert math.isnan(found.low) and math.isnan(found.high)
