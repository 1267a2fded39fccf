"""Simulated trials: closed forms of 3+3, a plain loop for the others, seeds and order."""

from __future__ import annotations

import importlib.util
import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from celldossier.io.resources import shared_path
from celldossier.stats.escalation_designs import DesignName, DesignOptions
from celldossier.stats.escalation_simulation import (
    TrialRules,
    Trials,
    count_subjects,
    draw_tolerances,
    find_true_mtd,
    make_table,
    simulate_trials,
    summarise_trials,
)

DESIGNS: tuple[DesignName, ...] = ("BOIN", "mTPI", "mTPI-2", "keyboard", "i3+3")
RATES = [0.1, 0.2, 0.35, 0.5]
TRIALS = 20_000


def run(
    design: DesignName, rates: list[float], rules: TrialRules, trials: int = TRIALS, seed: int = 4
) -> Trials:
    tolerances = draw_tolerances(trials, count_subjects(rules, len(rates)), seed, 0)
    return simulate_trials(make_table(design, 0.3, rules), rates, rules, tolerances)


def lin_and_shih(rates: list[float], fills: bool) -> np.ndarray:
    """Chances that no dose, dose 1, ..., the highest is the MTD, after Lin and Shih (2001)."""
    up_at_once = [binom.pmf(0, 3, p) for p in rates]
    up_at_six = [binom.pmf(1, 3, p) * binom.pmf(0, 3, p) for p in rates]
    up = [a + b for a, b in zip(up_at_once, up_at_six, strict=True)]
    # Filled up to six when coming from above: at most one DLT in all, or too many.
    held = [
        q * (binom.cdf(1, 3, p) if fills else 1) for q, p in zip(up_at_once, rates, strict=True)
    ]
    failed = [q - h for q, h in zip(up_at_once, held, strict=True)]
    chances = np.zeros(len(rates) + 1)
    for toxic in range(len(rates)):
        reach = math.prod(up[:toxic]) * (1 - up[toxic])
        # `reach` counts all ways up; each level on the way down has its own share of them.
        below = 1.0
        for level in range(toxic - 1, -1, -1):
            chances[level + 1] += reach * below * (up_at_six[level] + held[level]) / up[level]
            below *= failed[level] / up[level]
        chances[0] += reach * below
    chances[-1] += math.prod(up)
    return chances


@pytest.mark.parametrize("fills", [True, False])
@pytest.mark.parametrize(
    "rates", [RATES, [0.02, 0.05, 0.08], [0.4, 0.5, 0.6, 0.7], [0.3], [0.0, 1.0]]
)
def test_3plus3_selects_as_its_closed_form_says(rates: list[float], fills: bool) -> None:
    expected = lin_and_shih(rates, fills)
    assert expected.sum() == pytest.approx(1)
    found = summarise_trials(run("3+3", rates, TrialRules(fill_last=fills)), 0, 0.6)
    error = np.sqrt(expected * (1 - expected) / TRIALS)
    assert (np.abs([found.none, *found.selected] - expected) <= 4 * error + 1e-12).all()


def test_3plus3_stops_at_the_lowest_dose_as_often_as_it_must() -> None:
    trials = run("3+3", RATES, TrialRules())
    assert (trials.stopped == (trials.selected == -1)).all()
    assert trials.n.max() == 6 and set(np.unique(trials.n)) == {0, 3, 6}
    # A dose that is selected below another one had six subjects with at most one DLT.
    lower = (trials.selected >= 0) & (trials.selected < len(RATES) - 1)
    at = (np.flatnonzero(lower), trials.selected[lower])
    assert (trials.n[at] == 6).all() and (trials.events[at] <= 1).all()


def load_benchmark() -> ModuleType:
    """The benchmark, whose trials run one by one and decision by decision."""
    path = shared_path("benchmarks", "dose_escalation.py")
    specification = importlib.util.spec_from_file_location("dose_escalation_benchmark", path)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


BENCHMARK = load_benchmark()


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(
    "rules",
    [
        TrialRules(3, 10),
        TrialRules(1, 20, start=1),
        TrialRules(4, 9, start=2, stop_at=12),
    ],
)
def test_each_trial_is_that_of_a_plain_loop(design: DesignName, rules: TrialRules) -> None:
    options = DesignOptions(offset=0.05 if rules.start else None)
    table = make_table(design, 0.3, rules, options)
    tolerances = draw_tolerances(60, count_subjects(rules, len(RATES)), 11, 0)
    found = simulate_trials(table, RATES, rules, tolerances)
    plain = BENCHMARK.simulate_plainly(table, RATES, rules, tolerances)
    assert (found.n == plain.n).all() and (found.events == plain.events).all()
    assert (found.selected == plain.selected).all() and (found.stopped == plain.stopped).all()


def test_the_benchmark_gives_both_times_and_their_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["dose_escalation.py", "--trials", "50"])
    BENCHMARK.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "50 trials x 6 designs x 8 scenarios:"
    assert [line.split()[0] for line in lines] == ["50", "arrays", "50", "arrays", "loop", "ratio"]


def test_a_scenario_is_the_same_whatever_is_simulated_beside_it() -> None:
    few, many = (draw_tolerances(50, subjects, 7, 3) for subjects in (18, 60))
    assert (few == many[:18]).all()
    assert not (draw_tolerances(50, 18, 7, 2) == few).any()
    assert not (draw_tolerances(50, 18, 8, 3) == few).any()
    again = run("BOIN", RATES, TrialRules(), 200)
    run("mTPI", RATES, TrialRules(), 200)
    assert (run("BOIN", RATES, TrialRules(), 200).n == again.n).all()


def test_a_dose_more_toxic_is_never_selected_higher_by_the_same_subjects_of_3plus3() -> None:
    safer, riskier = (
        run("3+3", rates, TrialRules(), 3000) for rates in (RATES, [0.2, 0.3, 0.5, 0.7])
    )
    assert riskier.selected.mean() < safer.selected.mean()
    assert riskier.stopped.mean() > safer.stopped.mean()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=6).map(sorted),
    st.sampled_from([*DESIGNS, "3+3", "3+3H"]),
    st.integers(1, 4),
    st.data(),
)
def test_subjects_and_shares_add_up(
    rates: list[float], design: DesignName, size: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(rates) - 1))
    rules = TrialRules(size, 6, start, stop_at=data.draw(st.sampled_from([None, 6])))
    trials = run(design, rates, rules, 40)
    assert (trials.events <= trials.n).all()
    assert trials.n.sum(axis=1).max() <= count_subjects(rules, len(rates))
    # No level is skipped going up: between the first level and the highest none is empty.
    for row in trials.n > 0:
        given_levels = np.flatnonzero(row)
        assert (np.diff(given_levels) == 1).all() and row[start]
    # A level is selected only if it was given.
    chosen = trials.selected >= 0
    assert (trials.n[np.flatnonzero(chosen), trials.selected[chosen]] > 0).all()
    found = summarise_trials(trials, find_true_mtd(rates, 0.3, 0.05), 0.6)
    assert found.none + found.selected.sum() == pytest.approx(1)
    assert found.size == pytest.approx(found.subjects.sum())
    assert found.stopped <= found.none + 1e-12
    assert 0 <= found.at_mtd + found.above_mtd <= 1 + 1e-12


def test_without_toxicity_all_escalate_and_with_it_all_stop() -> None:
    for design in (*DESIGNS, "3+3"):
        free = summarise_trials(run(design, [0.0] * 4, TrialRules(3, 4), 20), 3, 0.6)
        assert free.selected[3] == 1 and free.correct == 1 and free.toxicities == 0
        certain = summarise_trials(run(design, [1.0] * 4, TrialRules(3, 4), 20), -1, 0.6)
        assert certain.none == certain.stopped == certain.correct == 1
        assert certain.size == 3 and certain.overdosed == 1 and certain.above_mtd == 1


def test_the_true_mtd_is_the_nearest_acceptable_rate() -> None:
    assert find_true_mtd([0.1, 0.28, 0.33], 0.3, 0.05) == 1
    assert find_true_mtd([0.1, 0.25, 0.40], 0.3, 0.05) == 1
    assert find_true_mtd([0.05, 0.1], 0.3, 0.05) == 1
    assert find_true_mtd([0.35, 0.5], 0.3, 0.05) == 0
    assert find_true_mtd([0.36, 0.5], 0.3, 0.05) == -1
    # Of two equally near the lower.
    assert find_true_mtd([0.25, 0.35], 0.3, 0.05) == 0


def test_overdosing_counts_the_subjects_of_a_trial_above_the_mtd() -> None:
    n = np.array([[3, 3, 6], [6, 6, 0], [3, 0, 0]])
    trials = Trials(n, np.zeros_like(n), np.array([2, 1, 0]), np.zeros(3, dtype=bool))
    found = summarise_trials(trials, 0, 0.6)
    assert found.overdosed == pytest.approx(1 / 3)
    # 9 of 12 are three quarters: not more than that.
    assert summarise_trials(trials, 0, 0.75).overdosed == 0
    assert summarise_trials(trials, 0, 0.74).overdosed == pytest.approx(1 / 3)
    assert found.above_mtd == pytest.approx(15 / 27) and found.at_mtd == pytest.approx(12 / 27)
    assert found.above == pytest.approx(2 / 3) and found.correct == pytest.approx(1 / 3)


def test_a_start_that_the_scenario_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="starts at a level"):
        run("BOIN", [0.1], TrialRules(start=1), 5)
