"""Time of the operating characteristics of six designs, beside a plain loop over trials.

``python benchmarks/dose_escalation.py --trials 10000`` simulates eight scenarios of five dose
levels (three subjects a cohort, 12 cohorts) for six designs with `celldossier.stats`, and so many
trials of BOIN in one scenario subject by subject and decision by decision, as programs without
arrays do. Both meet the same tolerances, and the loop must give the same trials. The figure to
compare is the ratio of the CPU times of a trial, taken in one run.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.escalation_designs import DecisionTable, DesignName
from celldossier.stats.escalation_estimates import select_mtd
from celldossier.stats.escalation_rules import DE_ESCALATE, ELIMINATE, ESCALATE
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

DESIGNS: tuple[DesignName, ...] = ("BOIN", "mTPI", "mTPI-2", "keyboard", "i3+3", "3+3")
TARGET = 0.30
LEVELS = 5
RULES = TrialRules(cohort_size=3, cohorts=12)
SEED = 20261126


def make_scenarios() -> list[list[float]]:
    """Eight curves of logistic form: the MTD at each level, all toxic, all safe, one between."""
    middle = math.log(TARGET / (1 - TARGET))
    places = [*range(LEVELS), -1, LEVELS + 1, 1.5]
    return [
        [1 / (1 + math.exp(-middle - 0.9 * (level - place))) for level in range(LEVELS)]
        for place in places
    ]


def simulate_plainly(
    table: DecisionTable, rates: list[float], rules: TrialRules, tolerances: NDArray[np.float64]
) -> Trials:
    """The trials of a design other than 3+3, one by one."""
    n = np.zeros((tolerances.shape[1], len(rates)), dtype=np.int64)
    events, selected = np.zeros_like(n), np.zeros(len(n), dtype=np.int64)
    stopped = np.zeros(len(n), dtype=bool)
    for trial in range(len(n)):
        level, closed = rules.start, len(rates)
        for cohort in range(rules.cohorts):
            for subject in range(cohort * rules.cohort_size, (cohort + 1) * rules.cohort_size):
                n[trial, level] += 1
                events[trial, level] += int(tolerances[subject, trial] < rates[level])
            code = int(table.codes[n[trial, level], events[trial, level]])
            if code == ELIMINATE:
                closed = min(closed, level)
            if level == 0 and table.stops_lowest[n[trial, 0], events[trial, 0]]:
                stopped[trial] = True
                break
            if code == ESCALATE and level + 1 < closed:
                level += 1
            elif code in (DE_ESCALATE, ELIMINATE) and level > 0:
                level -= 1
            if rules.stop_at and n[trial, level] >= rules.stop_at:
                break
        out = np.arange(len(rates)) >= closed
        chosen = int(select_mtd(events[trial], n[trial], table.target, out)[0])
        selected[trial] = -1 if stopped[trial] else chosen
    return Trials(n, events, selected, stopped)


def time_arrays(trials: int) -> float:
    """CPU seconds of all scenarios and designs, draws and summaries among them."""
    started = time.process_time()
    for scenario, rates in enumerate(make_scenarios()):
        tolerances = draw_tolerances(trials, count_subjects(RULES, LEVELS), SEED, scenario)
        mtd = find_true_mtd(rates, TARGET, 0.05)
        for design in DESIGNS:
            table = make_table(design, TARGET, RULES)
            summarise_trials(simulate_trials(table, rates, RULES, tolerances), mtd, 0.6)
    return time.process_time() - started


def time_both(trials: int) -> tuple[float, float]:
    """CPU seconds of BOIN in the third scenario: as arrays, and as a plain loop."""
    rates = make_scenarios()[2]
    tolerances = draw_tolerances(trials, count_subjects(RULES, LEVELS), SEED, 2)
    table = make_table("BOIN", TARGET, RULES)
    started = time.process_time()
    ours = simulate_trials(table, rates, RULES, tolerances)
    between = time.process_time()
    plain = simulate_plainly(table, rates, RULES, tolerances)
    ended = time.process_time()
    if not ((ours.n == plain.n).all() and (ours.selected == plain.selected).all()):
        raise SystemExit("the two simulations differ")
    return between - started, ended - between


def main() -> None:
    """Print the times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    options = parser.parse_args()
    time_arrays(100)  # imports and first calls
    seconds = time_arrays(options.trials)
    count = len(make_scenarios()) * len(DESIGNS)
    print(f"{options.trials} trials x {len(DESIGNS)} designs x {len(make_scenarios())} scenarios:")
    print(
        f"  arrays  {seconds:8.2f} s CPU, {1e6 * seconds / count / options.trials:8.2f} us a trial"
    )
    ours, plain = time_both(options.trials)
    print(f"{options.trials} trials of BOIN in one scenario, without draws and summaries:")
    print(f"  arrays  {ours:8.2f} s CPU, {1e6 * ours / options.trials:8.2f} us a trial")
    print(f"  loop    {plain:8.2f} s CPU, {1e6 * plain / options.trials:8.2f} us a trial")
    print(f"  ratio   {plain / ours:8.0f}")


if __name__ == "__main__":
    main()
