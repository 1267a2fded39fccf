"""Matched pairs: a hand-made case, what greedy pairs promise, balance and bias taken away."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.matching import Matching, estimate_matched_ratio, match_pairs
from celldossier.stats.weighting import standardised_difference

NAMES = ["LTBURD", "AGE"]


def _study(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test subjects have the larger burden, which raises the exposure; the true ratio is 0.8."""
    random = np.random.default_rng(seed)
    held = np.column_stack([random.normal(0, 1, n), random.normal(60, 10, n)])
    group = random.random(n) < 1 / (1 + np.exp(1.0 - 0.9 * held[:, 0]))
    values = np.exp(3 + math.log(0.8) * group + 0.7 * held[:, 0] + random.normal(0, 0.5, n))
    return values, group, held


def _logit(group: np.ndarray, held: np.ndarray) -> np.ndarray:
    fit = estimate_logistic(group.astype(float), held, NAMES[: held.shape[1]], "ML")
    return held @ [item.estimate for item in fit.coefficients[:-1]]


def test_pairs_of_a_hand_made_case() -> None:
    # One covariate, so that the logit has its order. Test: rows 0, 3, 6.
    burden = np.array([1.00, 1.05, 1.30, 2.00, 2.10, 0.20, 3.50, 1.02])
    group = np.array([1, 0, 0, 1, 0, 0, 1, 0])
    found = match_pairs(group, burden, ["LTBURD"])
    # The subject at 3.50 has nobody near; 2.00 takes 2.10, and 1.00 takes 1.02, not 1.05.
    assert found.pairs.tolist() == [[0, 7], [3, 4]]
    assert (found.n_test, found.n_reference, found.reason) == (3, 5, "")
    wide = match_pairs(group, burden, ["LTBURD"], 100)
    # Hardest first: 3.50 takes 2.10 before 2.00 may, which is left with 1.30.
    assert wide.pairs.tolist() == [[0, 7], [3, 2], [6, 4]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5000), st.sampled_from([0.1, 0.2, 1.0]))
def test_pairs_are_disjoint_within_the_caliper_and_nobody_free_was_nearer(
    seed: int, caliper: float
) -> None:
    _, group, held = _study(seed, 40)
    found = match_pairs(group, held, NAMES, caliper)
    if found.reason:
        assert found.reason in {"NOMATCH", "POSITIV", "FEWSUBJ"}
        return
    logit, pairs = _logit(group, held), found.pairs
    variances = [logit[side].var(ddof=1) for side in (group, ~group)]
    assert found.caliper == pytest.approx(caliper * math.sqrt(sum(variances) / 2), rel=1e-5)
    assert np.unique(pairs).size == pairs.size
    assert group[pairs[:, 0]].all() and not group[pairs[:, 1]].any()
    assert (np.abs(np.diff(logit[pairs], axis=1)) <= found.caliper + 1e-6).all()
    # Those who stayed alone: no two of them would fit, and no pair had a nearer one of them.
    alone = np.setdiff1d(np.arange(group.size), pairs)
    tests, references = alone[group[alone]], alone[~group[alone]]
    if tests.size and references.size:
        apart = np.abs(logit[tests][:, None] - logit[references])
        assert apart.min() > found.caliper - 1e-6
    fewer = 0 if group.sum() <= (~group).sum() else 1
    left = references if fewer == 0 else tests
    for pair in pairs:
        if left.size:
            nearest = np.abs(logit[left] - logit[pair[fewer]]).min()
            assert abs(logit[pair[0]] - logit[pair[1]]) <= nearest + 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5000), st.floats(1e-3, 1e3), st.integers(0, 100))
def test_order_units_and_the_names_of_the_groups_do_not_matter(
    seed: int, unit: float, other: int
) -> None:
    values, group, held = _study(seed, 40)
    found = match_pairs(group, held, NAMES)
    order = np.random.default_rng(other).permutation(group.size)
    moved = match_pairs(group[order], held[order] * [unit, 1] + [3, -7], NAMES)
    assert moved.reason == found.reason
    assert {tuple(order[pair]) for pair in moved.pairs} == {tuple(pair) for pair in found.pairs}
    if group.sum() != (~group).sum():
        swapped = match_pairs(~group, held, NAMES)
        assert {tuple(pair) for pair in swapped.pairs[:, ::-1]} == {
            tuple(pair) for pair in found.pairs
        }
        ratio, back = (
            estimate_matched_ratio(values, found),
            estimate_matched_ratio(values, swapped),
        )
        if ratio.reason == "":
            assert (back.ratio, back.low, back.high) == pytest.approx(
                (1 / ratio.ratio, 1 / ratio.high, 1 / ratio.low)
            )


def test_matching_takes_away_the_imbalance_and_the_bias_that_came_of_it() -> None:
    naive, matched, held, before, after = [], [], [], [], []
    for seed in range(150):
        values, group, covariates = _study(seed, 120)
        found = match_pairs(group, covariates, NAMES)
        ratio = estimate_matched_ratio(values, found)
        logs = np.log(values)
        naive.append(logs[group].mean() - logs[~group].mean())
        matched.append(math.log(ratio.ratio))
        held.append(ratio.low <= 0.8 <= ratio.high)
        before.append(found.balance[0].before)
        after.append(found.balance[0].after)
    assert np.exp(np.mean(naive)) > 1.2
    assert np.exp(np.mean(matched)) == pytest.approx(0.8, abs=0.04)
    assert np.mean(held) == pytest.approx(0.90, abs=0.07)
    assert np.mean(before) > 0.7
    assert abs(np.mean(after)) < 0.1


def test_the_balance_is_the_standardised_difference_of_the_pairs_on_the_scale_before() -> None:
    _, group, held = _study(3)
    found = match_pairs(group, held, NAMES)
    assert [one.name for one in found.balance] == NAMES
    for one, column in zip(found.balance, held.T, strict=True):
        spread = math.sqrt((column[group].var(ddof=1) + column[~group].var(ddof=1)) / 2)
        inside = column[found.pairs]
        assert one.after == pytest.approx((inside[:, 0] - inside[:, 1]).mean() / spread)
        assert one.before == standardised_difference(column, group)


def test_the_ratio_of_pairs_is_the_paired_t_test() -> None:
    values, group, held = _study(4)
    found = match_pairs(group, held, NAMES)
    missing = values.copy()
    missing[found.pairs[0, 0]], missing[found.pairs[1, 1]] = 0.0, math.nan
    ratio = estimate_matched_ratio(missing, found, 0.95)
    a, b = np.log(values[found.pairs[2:]]).T
    test = ttest_rel(a, b)
    interval = test.confidence_interval(0.95)
    assert np.log([ratio.low, ratio.high]) == pytest.approx([interval.low, interval.high])
    assert (ratio.p, ratio.df) == pytest.approx((test.pvalue, len(found.pairs) - 3))
    assert ratio.n_test == ratio.n_reference == len(found.pairs) - 2
    assert ratio.sd == pytest.approx(math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))


def test_what_cannot_be_matched_says_why() -> None:
    values, group, held = _study(5)
    assert match_pairs(np.ones(60), held, NAMES).reason == "FEWSUBJ"
    apart = match_pairs(group, np.column_stack([held[:, 0], group * 10.0]), NAMES)
    assert (apart.reason, apart.pairs.shape, apart.balance) == ("POSITIV", (0, 2), ())
    refused = estimate_matched_ratio(values, apart)
    assert (refused.reason, refused.n_test, math.isnan(refused.ratio)) == ("POSITIV", 0, True)
    none = match_pairs(group, held, NAMES, 1e-9)
    assert (none.reason, len(none.pairs)) == ("NOMATCH", 0)
    assert match_pairs(group, np.ones(60), ["SEX"]).reason == "CONSTANT"
    with pytest.raises(ValueError, match="above 0"):
        match_pairs(group, held, NAMES, 0)


def test_one_pair_has_a_ratio_and_equal_pairs_have_no_interval() -> None:
    one = Matching(1, 1, np.array([[0, 1]]))
    found = estimate_matched_ratio([6.0, 2.0], one)
    assert (found.ratio, found.reason) == (pytest.approx(3), "FEWSUBJ")
    two = Matching(2, 2, np.array([[0, 1], [2, 3]]))
    equal = estimate_matched_ratio([6.0, 2.0, 30.0, 10.0], two)
    assert (equal.ratio, equal.reason) == (pytest.approx(3), "CONSTANT")
    assert math.isnan(equal.low)
    assert estimate_matched_ratio([6.0, 0.0, 0.0, 1.0], two).reason == "FEWSUBJ"
