"""Operating characteristics of BOIN and 3+3 are those of two programs in R.

BOIN was simulated there, 3+3 enumerated: differences are held to four standard errors of both
simulations together, or of ours alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats.escalation_designs import DesignOptions
from celldossier.stats.escalation_simulation import (
    TrialRules,
    count_subjects,
    draw_tolerances,
    make_table,
    simulate_trials,
    summarise_trials,
)

HERE = Path(__file__).parent
BOIN = pd.read_csv(HERE / "answers_boin_characteristics.csv")
EXACT = pd.read_csv(HERE / "answers_3plus3.csv")
TRIALS = 20_000
ERRORS = 4


def near(ours: object, theirs: object, deviation: object, trials: float) -> bool:
    """Whether all differ by at most four standard errors; a share of 1e-4 for the empty ones."""
    allowed = ERRORS * np.asarray(deviation) * np.sqrt(1 / TRIALS + 1 / trials) + 1e-4
    return bool((np.abs(np.asarray(ours) - np.asarray(theirs)) <= allowed).all())


@pytest.mark.parametrize("case", list(dict.fromkeys(BOIN["case"])))
def test_boin_selects_and_treats_as_the_r_package_simulates(case: str) -> None:
    rows = BOIN.loc[BOIN["case"] == case]
    first = rows.iloc[0]
    rules = TrialRules(
        int(first["cohortsize"]), int(first["ncohort"]), int(first["startdose"]) - 1, None
    )
    options = DesignOptions(offset=0.05 if first["extrasafe"] else None)
    table = make_table("BOIN", float(first["target"]), rules, options)
    tolerances = draw_tolerances(TRIALS, count_subjects(rules, len(rows)), 2026, 0)
    trials = simulate_trials(table, rows["p_true"].tolist(), rules, tolerances)
    found = summarise_trials(trials, 0, 0.6)
    theirs = float(first["ntrial"])
    selected = rows["selpercent"].to_numpy() / 100
    assert near(found.selected, selected, np.sqrt(selected * (1 - selected)), theirs)
    none = first["percentstop"] / 100
    assert near(found.none, none, np.sqrt(none * (1 - none)), theirs)
    assert near(found.subjects, rows["npatients"], trials.n.std(axis=0), theirs)
    assert near(found.events, rows["ntox"], trials.events.std(axis=0), theirs)
    assert near(found.size, first["totaln"], trials.n.sum(axis=1).std(), theirs)
    assert near(found.toxicities, first["totaltox"], trials.events.sum(axis=1).std(), theirs)


@pytest.mark.parametrize("only_up", [False, True])
@pytest.mark.parametrize("case", list(dict.fromkeys(EXACT["case"])))
def test_3plus3_selects_and_treats_as_all_its_courses_together(case: str, only_up: bool) -> None:
    rows = EXACT.loc[(EXACT["case"] == case) & (EXACT["escalation_only"] == only_up)]
    rates = rows["p_true"].dropna().tolist()
    rules = TrialRules(fill_last=not only_up)
    tolerances = draw_tolerances(TRIALS, count_subjects(rules, len(rates)), 2026, 1)
    trials = simulate_trials(make_table("3+3", 0.3, rules), rates, rules, tolerances)
    found = summarise_trials(trials, 0, 0.6)
    chance = rows["selected"].to_numpy()
    spread = np.sqrt(chance * (1 - chance))
    assert near([found.none, *found.selected], chance, spread, np.inf)
    assert near(found.subjects, rows["npatients"].iloc[1:], trials.n.std(axis=0), np.inf)
    assert near(found.events, rows["ntox"].iloc[1:], trials.events.std(axis=0), np.inf)
    assert near(found.size, rows["totaln"].iloc[0], trials.n.sum(axis=1).std(), np.inf)


def test_the_answers_cover_six_cases_of_boin_and_three_of_3plus3() -> None:
    assert BOIN["case"].nunique() == 6 and EXACT["case"].nunique() == 3
    sums = EXACT.groupby(["case", "escalation_only"])["selected"].sum()
    assert sums.to_numpy() == pytest.approx(1, abs=1e-9)
