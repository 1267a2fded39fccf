"""Decision tables of dose escalation designs: published tables, and what holds for all."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from celldossier.settings.dose_escalation import DesignName
from celldossier.stats.escalation_designs import (
    DESIGNS,
    DesignOptions,
    make_decision_table,
)
from celldossier.stats.escalation_rules import ELIMINATE, ESCALATE, UNDEFINED

BAYESIAN = [name for name in DESIGNS if not name.startswith("3+3")]

# Lambda of Liu and Yuan (2015), printed to four digits, with phi1 = 0.6 and phi2 = 1.4 targets.
LAMBDA = {
    0.15: (0.1178, 0.1787),
    0.20: (0.1572, 0.2385),
    0.25: (0.1968, 0.2984),
    0.30: (0.2365, 0.3585),
    0.35: (0.2763, 0.4189),
    0.40: (0.3164, 0.4797),
}


@pytest.mark.parametrize("target", LAMBDA)
def test_the_limits_of_boin_are_the_published_ones(target):
    limits = make_decision_table("BOIN", target, 3).limits
    assert (limits["lambda_e"], limits["lambda_d"]) == pytest.approx(LAMBDA[target], abs=5e-5)


# Target 0.30, interval 0.25 to 0.35, exclusion above 0.95: Ji et al. (2010); Guo et al. (2017),
# whose Figure 3 the R package escalation holds for 3, 6, 9 and 10 subjects.
TABLES = {
    "mTPI": {
        3: "E S D DU",
        6: "E E S S DU DU DU",
        9: "E E S S S DU DU DU DU DU",
        12: "E E E S S S D DU DU DU DU DU DU",
    },
    "mTPI-2": {
        3: "E S D DU",
        6: "E E S D DU DU DU",
        9: "E E E S D DU DU DU DU DU",
        10: "E E E S D D DU DU DU DU DU",
        12: "E E E S S D D DU DU DU DU DU DU",
    },
    "3+3": {3: "E S DU DU", 6: "E E DU DU DU DU DU"},
    "3+3H": {3: "E S DU DU", 6: "E E E DU DU DU DU"},
}


@pytest.mark.parametrize(
    ("design", "n", "expected"),
    [(name, n, row) for name, rows in TABLES.items() for n, row in rows.items()],
)
def test_tables_are_the_published_ones(design, n, expected):
    assert make_decision_table(design, 0.3, 12).letters(n) == expected.split()


# Blume et al. (2015), Clin Trials 12:24-33, Tables 2 and 3 (PMC4344878): (target, half the
# interval), then whether mTPI escalates, stays or leaves the dose after y of n.
@pytest.mark.parametrize(
    ("target", "width", "moves"),
    [
        (0.175, 0.125, {(3, 0): 1, (3, 1): 0, (3, 2): -1, (6, 1): 0, (6, 2): 0, (6, 3): -1}),
        (0.10, 0.05, {(3, 0): 1, (6, 0): 1, (6, 1): 0, (3, 2): -1, (6, 2): -1, (6, 4): -1}),
    ],
)
def test_other_targets_and_intervals_of_mtpi_are_the_published_ones(target, width, moves):
    table = make_decision_table("mTPI", target, 6, DesignOptions(low=width, high=width))
    for (n, y), move in moves.items():
        assert max(int(table.codes[n, y]), -1) == move, (n, y)


@pytest.mark.parametrize(("target", "low", "high"), [(0.3, 0.05, 0.05), (0.25, 0.05, 0.05)])
def test_i3plus3_follows_its_rule_in_integers(target, low, high):
    # In twentieths nothing is rounded: 3 of 10 lies on the upper end of 0.20 to 0.30.
    bottom, top = round(20 * (target - low)), round(20 * (target + high))
    table = make_decision_table("i3+3", target, 20, DesignOptions(low=low, high=high, cutoff=1))
    for n in range(1, 21):
        for y in range(n + 1):
            if 20 * y < bottom * n:
                expected = 1
            elif 20 * y <= top * n or 20 * (y - 1) < bottom * n:
                expected = 0
            else:
                expected = -1
            assert table.codes[n, y] == expected, (n, y)


@given(st.integers(1, 10).map(lambda i: i / 20 + 0.05), st.integers(1, 24), st.integers(2, 5))
@settings(max_examples=60, deadline=None)
def test_the_keyboard_decides_as_its_strongest_whole_key(target, n, half):
    half = min(half / 100, target - 0.001, 1 - target - 0.001)
    whole = [(target - half, target + half)]
    while whole[0][0] - 2 * half >= 0:
        whole.insert(0, (whole[0][0] - 2 * half, whole[0][0]))
    while whole[-1][1] + 2 * half <= 1:
        whole.append((whole[-1][1], whole[-1][1] + 2 * half))
    ours = next(i for i, key in enumerate(whole) if key[0] < target < key[1])
    table = make_decision_table(
        "keyboard", target, n, DesignOptions(low=half, high=half, cutoff=1.0)
    )
    for y in range(n + 1):
        mass = [beta.cdf(b, 1 + y, 1 + n - y) - beta.cdf(a, 1 + y, 1 + n - y) for a, b in whole]
        # Of equal keys the higher one.
        strongest = max(i for i, part in enumerate(mass) if part >= max(mass) - 1e-10)
        expected = int(np.sign(ours - strongest))
        if 0 < ours < len(whole) - 1:
            assert table.codes[n, y] == expected, y


@given(
    st.sampled_from(BAYESIAN),
    st.floats(0.1, 0.5),
    st.integers(1, 30),
    st.floats(0.8, 0.99),
)
@settings(max_examples=60, deadline=None)
def test_more_toxicity_never_calls_for_a_higher_dose(design, target, n, cutoff):
    row = make_decision_table(design, target, n, DesignOptions(cutoff=cutoff)).codes[n]
    assert (np.diff(row[: n + 1].astype(int)) <= 0).all()


@given(st.sampled_from(BAYESIAN), st.floats(0.1, 0.5), st.floats(0.7, 0.99))
@settings(max_examples=30, deadline=None)
def test_a_dose_is_eliminated_where_the_posterior_says_so_and_from_three_subjects_on(
    design, target, cutoff
):
    table = make_decision_table(design, target, 12, DesignOptions(cutoff=cutoff))
    for n in range(1, 13):
        for y in range(n + 1):
            over = beta.sf(target, 1 + y, 1 + n - y) > cutoff and n >= 3
            assert (table.codes[n, y] == ELIMINATE) == over
            assert table.stops_lowest[n, y] == over


def test_the_stricter_rule_stops_at_the_lowest_dose_earlier_and_changes_no_decision():
    plain = make_decision_table("BOIN", 0.3, 30)
    strict = make_decision_table("BOIN", 0.3, 30, DesignOptions(offset=0.05))
    assert (strict.codes == plain.codes).all()
    bounds = strict.boundaries()
    assert (bounds["stop_lowest_if_ge"] <= bounds["eliminate_if_ge"])[2:].all()
    # R package BOIN, extrasafe with offset 0.05: Pr > 0.90 at 4 of 7 but not at 3 of 7.
    assert bounds.set_index("n").loc[7, "stop_lowest_if_ge"] == 4
    assert bounds.set_index("n").loc[7, "eliminate_if_ge"] == 5


def test_counts_without_a_rule_are_undefined():
    table = make_decision_table("3+3", 0.3, 9)
    assert table.decide([0, 4, 3, 12, 3, 3], [0, 1, 4, 0, -1, 0]).tolist() == [
        *([UNDEFINED] * 5),
        1,
    ]


def test_limits_that_do_not_enclose_the_target_are_refused():
    with pytest.raises(ValueError, match="phi1"):
        make_decision_table("BOIN", 0.3, 6, DesignOptions(phi1=0.35))
    with pytest.raises(ValueError, match="low"):
        make_decision_table("mTPI", 0.03, 6)


def test_the_settings_offer_the_designs_that_there_are():
    assert get_args(DesignName) == DESIGNS


@pytest.mark.parametrize("design", ["keyboard", "mTPI-2"])
def test_a_low_target_escalates_although_no_whole_interval_lies_below_it(design):
    # Target 0.10, interval 0.05 to 0.15: below it lies the rest from 0 to 0.05 alone.
    options = DesignOptions(low=0.05, high=0.05)
    codes = make_decision_table(design, 0.10, 30, options).codes
    assert codes[30, 0] == ESCALATE


def test_intervals_that_fill_the_range_leave_no_rest_at_its_ends():
    # Target 0.30, interval 0.2 to 0.4: 0 to 0.2 lies below it, three as wide above.
    edges = np.linspace(0, 1, 6)
    for design in ("keyboard", "mTPI-2"):
        table = make_decision_table(design, 0.30, 12, DesignOptions(low=0.1, high=0.1, cutoff=1.0))
        for y in range(13):
            mass = np.diff(beta.cdf(edges, 1 + y, 13 - y))
            assert table.codes[12, y] == np.sign(1 - mass.argmax()), (design, y)


def test_a_table_names_the_limits_that_it_was_made_with():
    options = DesignOptions(low=0.04, high=0.07)
    for design in ("mTPI", "mTPI-2", "keyboard", "i3+3"):
        limits = make_decision_table(design, 0.25, 3, options).limits
        assert (limits["interval_low"], limits["interval_high"]) == pytest.approx((0.21, 0.32))
