"""Operating characteristics of dose escalation designs, by simulation over all trials at once.

Each subject has a tolerance, uniform on 0..1, and shows a dose-limiting toxicity (DLT) at a dose
whose true rate is above it. All designs meet the same tolerances in the same order, so that they
are compared on the same subjects; the tolerances of a scenario follow from the seed and its
number alone, whichever designs and scenarios are simulated beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.escalation_designs import (
    DecisionTable,
    DesignName,
    DesignOptions,
    make_decision_table,
)
from celldossier.stats.escalation_estimates import select_mtd
from celldossier.stats.escalation_rules import DE_ESCALATE, ELIMINATE, ESCALATE

Tolerances = NDArray[np.float64]
Counts = NDArray[np.int64]

COHORT_OF_3PLUS3 = 3
MOST_OF_3PLUS3 = 6
"""Subjects of a cohort and of a dose in 3+3."""

NONE = -1
"""No dose: none selected, or none of the true rates is acceptable."""


@dataclass(frozen=True)
class TrialRules:
    """What a trial does beside the decisions of its design.

    Parameters
    ----------
    cohort_size, cohorts
        Subjects of a cohort, and cohorts at which the trial ends. 3+3 has cohorts of three and
        ends by its own rule.
    start
        Index of the first dose level.
    stop_at
        The trial ends where the next cohort would be given a dose that has so many subjects; none
        for no such rule. Not of 3+3.
    fill_last
        3+3: whether the dose below the first eliminated one is filled up to six subjects before
        it is declared. The highest level is declared with those it has.
    """

    cohort_size: int = 3
    cohorts: int = 12
    start: int = 0
    stop_at: int | None = None
    fill_last: bool = True


@dataclass(frozen=True, eq=False)
class Trials:
    """Simulated trials of one design in one scenario.

    Attributes
    ----------
    n, events
        Subjects and DLTs, one row a trial, one column a dose level.
    selected
        Index of the dose level declared the maximum tolerated dose; -1 for none.
    stopped
        Whether the trial ended because the lowest level was too toxic.
    """

    n: Counts
    events: Counts
    selected: Counts
    stopped: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Characteristics:
    """Operating characteristics; shares lie between 0 and 1.

    Attributes
    ----------
    selected, subjects, events
        Share of trials that select each level, and mean subjects and DLTs of each level.
    none, correct, above
        Share of trials that select no level; the right one (none, where every level is too
        toxic); a level above it.
    overdosed
        Share of trials with more than the share asked for of their subjects above the MTD.
    at_mtd, above_mtd
        Share of all subjects at the MTD and above it.
    size, toxicities
        Mean subjects and DLTs of a trial.
    stopped
        Share of trials that ended because the lowest level was too toxic.
    """

    selected: NDArray[np.float64]
    subjects: NDArray[np.float64]
    events: NDArray[np.float64]
    none: float
    correct: float
    above: float
    overdosed: float
    at_mtd: float
    above_mtd: float
    size: float
    toxicities: float
    stopped: float


def draw_tolerances(trials: int, subjects: int, seed: int, scenario: int) -> Tolerances:
    """Tolerances of the subjects (rows, in order of entry) of all trials (columns).

    More subjects leave those before them as they are.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(scenario,))
    return np.random.default_rng(sequence).random((subjects, trials))


def count_subjects(rules: TrialRules, levels: int) -> int:
    """Largest number of subjects of a trial of any design."""
    return max(rules.cohort_size * rules.cohorts, MOST_OF_3PLUS3 * levels)


def make_table(
    design: DesignName, target: float, rules: TrialRules, options: DesignOptions | None = None
) -> DecisionTable:
    """Decision table that reaches as far as a trial can."""
    if design in ("3+3", "3+3H"):
        return make_decision_table(design, target, MOST_OF_3PLUS3, options)
    return make_decision_table(design, target, rules.cohort_size * rules.cohorts, options)


def simulate_trials(
    table: DecisionTable, rates: Sequence[float], rules: TrialRules, tolerances: Tolerances
) -> Trials:
    """All trials of a design under true rates of toxicity.

    Parameters
    ----------
    table
        Decisions of the design, from `make_table`.
    rates
        True rates of DLT of the dose levels, ascending.
    tolerances
        From `draw_tolerances`, of at least `count_subjects` subjects.

    References
    ----------
    Liu S, Yuan Y (2015), J R Stat Soc C 64:507-523, and the function get.oc of the R package
    BOIN: a cohort escalates, stays or goes back by one level, never to an eliminated one; the
    dose with the isotonic estimate nearest to the target is selected. Storer BE (1989),
    Biometrics 45:925-937; Lin Y, Shih WJ (2001), Biostatistics 2:203-215 (3+3).
    """
    if not 0 <= rules.start < len(rates):
        raise ValueError("the trial starts at a level that the scenario does not have")
    is_3plus3 = table.design in ("3+3", "3+3H")
    size = COHORT_OF_3PLUS3 if is_3plus3 else rules.cohort_size
    cohorts = MOST_OF_3PLUS3 // size * len(rates) if is_3plus3 else rules.cohorts
    course = _Course(tolerances.shape[1], len(rates), rules.start)
    for cohort in range(cohorts):
        if not course.running.size:
            break
        entering = tolerances[cohort * size : (cohort + 1) * size]
        n, y = course.treat(entering, np.asarray(rates, dtype=float), size)
        if is_3plus3:
            _move_by_3plus3(course, table, n, y, rules)
        else:
            _move_by_table(course, table, n, y, rules)
    selected = (
        course.declared
        if is_3plus3
        else select_mtd(course.events, course.n, table.target, course.eliminated)
    )
    return Trials(course.n, course.events, np.where(course.stopped, NONE, selected), course.stopped)


class _Course:
    """State of all trials while they run."""

    def __init__(self, trials: int, levels: int, start: int) -> None:
        self.n = np.zeros((trials, levels), dtype=np.int64)
        self.events = np.zeros((trials, levels), dtype=np.int64)
        self.eliminated = np.zeros((trials, levels), dtype=bool)
        self.stopped = np.zeros(trials, dtype=bool)
        self.declared = np.full(trials, NONE, dtype=np.int64)
        self.running = np.arange(trials)
        self.level = np.full(trials, start, dtype=np.int64)

    def treat(
        self, entering: Tolerances, rates: NDArray[np.float64], size: int
    ) -> tuple[Counts, Counts]:
        """Give the next cohort its level; subjects and DLTs of that level so far."""
        here, level = self.running, self.level
        self.n[here, level] += size
        self.events[here, level] += (entering[:, here] < rates[level]).sum(axis=0)
        return self.n[here, level], self.events[here, level]

    def eliminate(self, which: NDArray[np.bool_]) -> None:
        """Close the levels of these of the running trials, and all levels above them."""
        levels = np.arange(self.n.shape[1])
        self.eliminated[self.running[which]] |= levels >= self.level[which][:, None]

    def next_eliminated(self) -> NDArray[np.bool_]:
        """Whether there is a next level that is eliminated, of the running trials."""
        highest = self.n.shape[1] - 1
        above = np.minimum(self.level + 1, highest)
        return (self.level < highest) & self.eliminated[self.running, above]

    def go(self, level: Counts, ended: NDArray[np.bool_]) -> None:
        """Move the running trials to their next level; some end."""
        self.running, self.level = self.running[~ended], level[~ended]


def _move_by_table(
    course: _Course, table: DecisionTable, n: Counts, y: Counts, rules: TrialRules
) -> None:
    codes = table.codes[n, y]
    course.eliminate(codes == ELIMINATE)
    lowest = course.level == 0
    too_toxic = lowest & (table.stops_lowest[n, y] | (codes == ELIMINATE))
    course.stopped[course.running[too_toxic]] = True
    up = (codes == ESCALATE) & (course.level < course.n.shape[1] - 1) & ~course.next_eliminated()
    down = np.isin(codes, (DE_ESCALATE, ELIMINATE)) & ~lowest
    level = course.level + up - down
    full = np.zeros_like(lowest)
    if rules.stop_at is not None:
        full = course.n[course.running, level] >= rules.stop_at
    course.go(level, too_toxic | full)


def _move_by_3plus3(
    course: _Course, table: DecisionTable, n: Counts, y: Counts, rules: TrialRules
) -> None:
    codes = table.codes[n, y]
    toxic = codes == ELIMINATE
    course.eliminate(toxic)
    too_toxic = toxic & (course.level == 0)
    course.stopped[course.running[too_toxic]] = True
    tolerated = codes == ESCALATE
    bounded = course.next_eliminated()
    highest = course.level == course.n.shape[1] - 1
    full = n >= MOST_OF_3PLUS3
    # A tolerated level below an eliminated one is the MTD; three subjects may be too few for it.
    declared = tolerated & (highest | (bounded & (full | (not rules.fill_last))))
    level = course.level + (tolerated & ~highest & ~bounded) - (toxic & ~too_toxic)
    # Going back: a level that has all its subjects was tolerated before.
    before = course.n[course.running, level]
    back = toxic & ~too_toxic & (before > 0)
    enough = back & ((before >= MOST_OF_3PLUS3) | (not rules.fill_last))
    found = declared | enough
    course.declared[course.running[found]] = level[found]
    course.go(level, too_toxic | found)


def find_true_mtd(rates: ArrayLike, target: float, high: float) -> int:
    """Index of the true MTD: the rate nearest to the target of those up to target + high.

    Of equally near rates the lower dose; -1 where every rate is higher.

    Parameters
    ----------
    rates
        True rates of dose-limiting toxicity of ascending levels, shape (levels,).
    target, high
        Target rate, and how far above it a rate may lie.
    """
    values = np.asarray(rates, dtype=float)
    allowed = values <= target + high + 1e-9
    if not allowed.any():
        return NONE
    return int(np.where(allowed, np.abs(values - target), np.inf).round(9).argmin())


def summarise_trials(trials: Trials, mtd: int, overdose_share: float) -> Characteristics:
    """Operating characteristics of simulated trials.

    Parameters
    ----------
    mtd
        Index of the true MTD, -1 where every level is too toxic; all levels are above it then.
    overdose_share
        Share of the subjects of a trial above the MTD beyond which it counts as overdosed.
    """
    levels = np.arange(trials.n.shape[1])
    total = trials.n.sum(axis=1)
    over = trials.n[:, mtd + 1 :].sum(axis=1)
    at = trials.n[:, mtd].sum() if mtd != NONE else 0
    return Characteristics(
        selected=(trials.selected[:, None] == levels).mean(axis=0),
        subjects=trials.n.mean(axis=0),
        events=trials.events.mean(axis=0),
        none=float((trials.selected == NONE).mean()),
        correct=float((trials.selected == mtd).mean()),
        above=float((trials.selected > mtd).mean()),
        overdosed=float((over > overdose_share * total + 1e-9).mean()),
        at_mtd=float(at / total.sum()),
        above_mtd=float(over.sum() / total.sum()),
        size=float(total.mean()),
        toxicities=float(trials.events.sum(axis=1).mean()),
        stopped=float(trials.stopped.mean()),
    )
