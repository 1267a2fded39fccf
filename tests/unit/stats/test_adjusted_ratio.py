"""Ratios at equal covariates and with random clusters: other programs, closed forms, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from celldossier.stats.adjusted_ratio import estimate_adjusted_ratio, estimate_clustered_ratio
from celldossier.stats.ratio import estimate_ratio


def _study(random: np.random.Generator, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exposures of two processes whose subjects differ in burden, and a second covariate."""
    group = np.arange(n) % 3 == 0
    held = np.column_stack([random.normal(group * 0.8, 1), random.normal(60, 10, n)])
    noise = random.normal(0, np.where(group, 0.9, 0.4))
    return np.exp(2 + math.log(0.7) * group + 0.5 * held[:, 0] + noise), group, held


def _design(group: np.ndarray, held: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(group.size), group, held])


@pytest.mark.parametrize("variance", ["UNEQUAL", "EQUAL"])
def test_without_covariates_it_is_the_ratio_of_two_groups(variance: str) -> None:
    values, group, _ = _study(np.random.default_rng(1))
    found = estimate_adjusted_ratio(values, group, None, 0.95, variance)
    plain = estimate_ratio(values[group], values[~group], 0.95, variance)
    for name in ("ratio", "low", "high", "p", "se", "df", "sd", "n_test", "n_reference"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-10), name


def test_a_group_of_two_has_the_interval_of_welch_and_one_subject_none() -> None:
    found = estimate_adjusted_ratio([2.0, 8.0, 1.0, 16.0], [1, 1, 0, 0])
    plain = estimate_ratio([2.0, 8.0], [1.0, 16.0])
    assert (found.low, found.df) == pytest.approx((plain.low, plain.df))
    assert estimate_adjusted_ratio([2.0, 1.0, 16.0, 3.0], [1, 0, 0, 0]).reason == "FEWSUBJ"


def test_the_errors_are_those_of_statsmodels() -> None:
    values, group, held = _study(np.random.default_rng(2))
    fit = sm.OLS(np.log(values), _design(group, held)).fit()
    classical = estimate_adjusted_ratio(values, group, held, 0.90, "EQUAL")
    assert math.log(classical.ratio) == pytest.approx(fit.params[1], rel=1e-10)
    assert np.log([classical.low, classical.high]) == pytest.approx(fit.conf_int(0.10)[1], rel=1e-9)
    assert (classical.p, classical.df) == pytest.approx((fit.pvalues[1], fit.df_resid), rel=1e-8)
    assert classical.sd == pytest.approx(math.sqrt(fit.mse_resid), rel=1e-10)
    robust = estimate_adjusted_ratio(values, group, held)
    assert robust.se == pytest.approx(fit.HC2_se[1], rel=1e-10)
    assert robust.ratio == pytest.approx(classical.ratio, rel=1e-12)


def test_the_degrees_of_freedom_are_twice_the_squared_mean_over_the_variance_of_the_error() -> None:
    """Squared errors of simulated studies, whose groups have the variances that were found."""
    values, group, held = _study(np.random.default_rng(5), 15)
    found = estimate_adjusted_ratio(values, group, held)
    design = _design(group, held)
    hat = design @ np.linalg.solve(design.T @ design, design.T)
    free = 1 - np.diag(hat)
    left = np.log(values) - hat @ np.log(values)
    own = [float((left[side] ** 2).sum() / free[side].sum()) for side in (~group, group)]
    random = np.random.default_rng(6)
    noise = random.normal(0, 1, (100_000, group.size)) * np.sqrt(np.where(group, own[1], own[0]))
    weight = np.linalg.solve(design.T @ design, design.T)[1]
    squares = ((noise - noise @ hat) ** 2) @ (weight**2 / free)
    assert found.df == pytest.approx(2 * squares.mean() ** 2 / squares.var(), rel=0.03)


def test_the_interval_holds_the_truth_where_the_unadjusted_one_does_not() -> None:
    random = np.random.default_rng(7)
    studies = [_study(random, 24) for _ in range(400)]
    adjusted = [estimate_adjusted_ratio(*study) for study in studies]
    held = np.mean([one.low <= 0.7 <= one.high for one in adjusted])
    assert held == pytest.approx(0.90, abs=0.045)
    plain = [estimate_adjusted_ratio(values, group) for values, group, _ in studies]
    assert np.mean([one.low <= 0.7 <= one.high for one in plain]) < 0.85
    # Two studies: the covariate takes away the bias and much of the width.
    assert np.exp(np.mean([math.log(one.ratio) for one in adjusted])) == pytest.approx(
        0.7, rel=0.05
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.floats(1e-6, 1e6), st.floats(1e-4, 1e4), st.booleans())
def test_units_and_order_do_not_matter_and_swapping_groups_inverts_the_ratio(
    seed: int, unit: float, scale: float, equal: bool
) -> None:
    values, group, held = _study(np.random.default_rng(3), 18)
    variance = "EQUAL" if equal else "UNEQUAL"
    first = estimate_adjusted_ratio(values, group, held, 0.90, variance)
    order = np.random.default_rng(seed).permutation(values.size)
    moved = held[order] * [scale, 1] + [7, -3]
    other = estimate_adjusted_ratio(values[order] * unit, group[order], moved, 0.90, variance)
    swapped = estimate_adjusted_ratio(values, ~group, held, 0.90, variance)
    for name in ("ratio", "low", "high", "p", "se", "df", "sd"):
        assert getattr(other, name) == pytest.approx(getattr(first, name), rel=1e-6), name
    assert (swapped.ratio, swapped.low, swapped.high) == pytest.approx(
        (1 / first.ratio, 1 / first.high, 1 / first.low)
    )


def test_rows_without_a_logarithm_or_a_covariate_are_left_out_and_not_counted() -> None:
    values, group, held = _study(np.random.default_rng(4), 20)
    values[0], values[1], held[2, 1] = 0.0, math.nan, math.nan
    found = estimate_adjusted_ratio(values, group, held)
    rest = estimate_adjusted_ratio(values[3:], group[3:], held[3:])
    assert found == rest
    assert (found.n_test, found.n_reference) == (int(group[3:].sum()), int((~group[3:]).sum()))


def test_what_cannot_be_estimated_says_why() -> None:
    values, group, held = _study(np.random.default_rng(8), 12)
    ones = [
        estimate_adjusted_ratio(values, np.zeros(12)),
        estimate_adjusted_ratio(values[:4], [1, 0, 0, 1], held[:4]),
        estimate_adjusted_ratio(values, group, np.column_stack([held, 2 * held[:, 0]])),
        estimate_adjusted_ratio(values, group, group),
        estimate_adjusted_ratio(values, group, np.ones(12)),
        estimate_adjusted_ratio(np.where(group, 2.0, 8.0), group),
    ]
    assert [one.reason for one in ones] == ["FEWSUBJ"] * 2 + ["COLLIN"] * 3 + ["CONSTANT"]
    assert all(math.isnan(one.low) for one in ones)
    assert ones[-1].ratio == pytest.approx(0.25)
    # A covariate of one subject fits that subject whatever its value.
    alone = np.arange(12) == 3
    own = estimate_adjusted_ratio(values, group, alone)
    assert (own.reason, math.isnan(own.low)) == ("FEWSUBJ", True)
    assert estimate_adjusted_ratio(values, group, alone, variance="EQUAL").reason == ""
    with pytest.raises(ValueError, match="0 or 1"):
        estimate_adjusted_ratio(values, np.full(12, 2))


DONORS = np.repeat(np.arange(8), 5)
EFFECTS = np.array([0.9, -0.7, 0.3, -0.4, 1.1, -0.2, -0.9, 0.5])


def test_clusters_within_groups_are_tested_as_the_means_of_clusters_are() -> None:
    random = np.random.default_rng(9)
    logs = EFFECTS[DONORS] + random.normal(0, 0.3, 40)
    group = DONORS < 3
    found = estimate_clustered_ratio(np.exp(logs), group, DONORS)
    means = logs.reshape(8, 5).mean(axis=1)
    difference = means[:3].mean() - means[3:].mean()
    pooled = (2 * means[:3].var(ddof=1) + 4 * means[3:].var(ddof=1)) / 6
    se = math.sqrt(pooled * (1 / 3 + 1 / 5))
    assert (math.log(found.ratio), found.se, found.df) == pytest.approx(
        (difference, se, 6), rel=1e-5
    )
    assert math.log(found.high) == pytest.approx(difference + t.ppf(0.95, 6) * se, rel=1e-5)
    assert (found.n_test, found.n_reference, found.reason) == (15, 25, "")
    # Subjects as if they were independent would have a far narrower interval.
    assert found.se > 1.5 * estimate_adjusted_ratio(np.exp(logs), group).se


def test_groups_within_clusters_are_tested_as_pairs_are() -> None:
    random = np.random.default_rng(10)
    donors, group = np.repeat(np.arange(8), 2), np.tile([True, False], 8)
    logs = EFFECTS[donors] + 0.4 * group + random.normal(0, 0.2, 16)
    found = estimate_clustered_ratio(np.exp(logs), group, donors.astype(str))
    pairs = logs[::2] - logs[1::2]
    se = pairs.std(ddof=1) / math.sqrt(8)
    assert (math.log(found.ratio), found.se, found.df) == pytest.approx(
        (pairs.mean(), se, 7), rel=1e-5
    )


def test_with_covariates_it_is_the_mixed_model_of_statsmodels() -> None:
    random = np.random.default_rng(11)
    group, held = DONORS % 2 == 0, random.normal(0, 1, 40)
    logs = EFFECTS[DONORS] + 0.5 * held + random.normal(0, 0.4, 40)
    found = estimate_clustered_ratio(np.exp(logs), group, DONORS, held)
    fit = sm.MixedLM(logs, _design(group, held), groups=DONORS).fit(reml=True)
    assert math.log(found.ratio) == pytest.approx(fit.params[1], rel=1e-3)
    assert found.se == pytest.approx(fit.bse[1], rel=1e-3)
    total = math.sqrt(float(fit.cov_re[0, 0]) + fit.scale)
    assert found.sd == pytest.approx(total, rel=1e-3)
    assert found.df == 6


def test_clusters_that_add_nothing_are_told_and_leave_the_ratio() -> None:
    # Every donor has the same mean: nothing is left for a variance between donors.
    logs = np.tile([0.1, -0.1, 0.3, -0.3, 0.0], 8) + np.where(DONORS < 3, 0.2, 0.0)
    found = estimate_clustered_ratio(np.exp(logs), DONORS < 3, DONORS)
    assert found.reason == "SINGULAR"
    assert math.log(found.ratio) == pytest.approx(0.2)
    assert found.low < found.ratio < found.high


def test_clusters_of_one_subject_each_are_refused() -> None:
    values, group, held = _study(np.random.default_rng(12), 12)
    assert estimate_clustered_ratio(values, group, np.arange(12)).reason == "FEWSUBJ"
    assert estimate_clustered_ratio(values, np.ones(12), DONORS[:12]).reason == "FEWSUBJ"
    assert estimate_clustered_ratio(values, group, DONORS[:12], np.ones(12)).reason == "COLLIN"
    with pytest.raises(ValueError, match="its cluster"):
        estimate_clustered_ratio(values, group, DONORS)
    # A row that is left out takes its cluster with it.
    values, group, donors = np.append(values, 0.0), np.append(group, 1), np.arange(13) // 2
    assert estimate_clustered_ratio(values, group, donors, np.append(held[:, 0], 1)) == (
        estimate_clustered_ratio(values[:12], group[:12], donors[:12], held[:, 0])
    )


def test_a_ratio_without_a_number_says_so() -> None:
    far = [1e200, 1e210, 1e-200, 1e-210]
    for values in (far, [1e200, 1e200, 1e-200, 1e-200]):
        found = estimate_adjusted_ratio(values, [1, 1, 0, 0])
        assert found.reason == "OVERFLOW"
        assert np.isnan([found.ratio, found.low, found.high]).all()
