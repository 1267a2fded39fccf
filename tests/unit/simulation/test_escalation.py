"""The dose escalation: cohorts, their order in time, and decisions that a replay finds again."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.simulation.escalation import compute_boundaries, is_excessive, run_escalation
from celldossier.simulation.specification import StudySpecification

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
LEVELS = ["DL1", "DL2", "DL3"]


@pytest.fixture(scope="module")
def dm() -> pd.DataFrame:
    return pd.read_csv(STUDIES / "CTX-101" / "dm.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def cohorts() -> list[dict]:
    return json.loads((STUDIES / "CTX-101" / "truth.json").read_text("utf-8"))["cohorts"]


def test_the_boundaries_are_those_of_the_published_design() -> None:
    # Liu and Yuan 2015, default under- and overdosing of 0.6 and 1.4 times the target.
    assert compute_boundaries(0.30) == pytest.approx((0.236, 0.359), abs=6e-4)
    assert compute_boundaries(0.25) == pytest.approx((0.197, 0.298), abs=6e-4)


def test_three_of_three_closes_a_level_and_two_of_three_does_not() -> None:
    assert is_excessive(3, 3, 0.30)
    assert not is_excessive(3, 2, 0.30)
    assert is_excessive(6, 4, 0.30)
    assert not is_excessive(2, 2, 0.30)


def test_a_replay_from_the_raw_files_finds_the_same_levels(dm, cohorts) -> None:
    """Counts of AE and DM, and the boundaries 0.236 and 0.359, written down once more."""
    ae = pd.read_csv(STUDIES / "CTX-101" / "ae.csv", dtype=str, keep_default_na=False)
    toxic = set(ae.loc[ae["AEDLT"] == "Y", "USUBJID"])
    treated, count = dict.fromkeys(LEVELS, 0), dict.fromkeys(LEVELS, 0)
    level, closed = 0, 3
    for number, stated in enumerate(cohorts, start=1):
        own = dm[dm["COHORT"] == f"COHORT {number}"]
        assert set(own["USUBJID"]) == set(stated["subjects"]) and len(own) == 3
        assert set(own["ARMCD"]) == {LEVELS[level]} == {stated["level"]}
        assert (own["PART"] == "ESCALATION").all()
        found = sum(subject in toxic for subject in own["USUBJID"])
        assert found == stated["dose_limiting"]
        treated[LEVELS[level]] += 3
        count[LEVELS[level]] += found
        rate = count[LEVELS[level]] / treated[LEVELS[level]]
        if count[LEVELS[level]] == 3 and treated[LEVELS[level]] == 3:
            closed = level
        if rate <= 0.236 and level + 1 < min(closed, 3):
            expected = "E"
        elif rate >= 0.359 and level > 0:
            expected = "D"
        else:
            expected = "S"
        assert stated["decision"] == expected
        level += {"E": 1, "S": 0, "D": -1}[expected]
    assert len(cohorts) == 6


def test_a_cohort_begins_when_the_last_one_has_been_observed_for_28_days(dm, cohorts) -> None:
    infused = dm[dm["RFXSTDTC"] != ""].assign(day=lambda f: pd.to_datetime(f["RFXSTDTC"]))
    days = infused.groupby("COHORT")["day"].agg(["min", "max"])
    order = [f"COHORT {number}" for number in range(1, len(cohorts) + 1)]
    gaps = days["min"].loc[order].to_numpy()[1:] - days["max"].loc[order].to_numpy()[:-1]
    assert (gaps >= np.timedelta64(28, "D")).all()
    expansion = infused.loc[infused["PART"] == "EXPANSION", "day"]
    assert (expansion >= days["max"].loc[order[-1]] + pd.Timedelta(days=28)).all()


def test_the_first_cohort_is_adult(dm) -> None:
    assert (dm.loc[dm["COHORT"] == "COHORT 1", "AGE"].astype(int) >= 18).all()


def test_escalation_finds_each_decision_over_many_seeds(ctx101: StudySpecification) -> None:
    runs = [run_escalation(ctx101.reseeded(seed)) for seed in range(300)]
    decisions = {cohort.decision for run in runs for cohort in run}
    assert decisions >= {"E", "S", "D"}
    for run in runs:
        for before, after in pairwise(run):
            assert after.level - before.level == {"E": 1, "S": 0, "D": -1}[before.decision]
    # The rate of toxicity on the top level is the planted one, whatever the path.
    top = [cohort for run in runs for cohort in run if cohort.level == 2]
    rate = sum(cohort.toxicities for cohort in top) / (3 * len(top))
    assert rate == pytest.approx(0.35, abs=3.5 * np.sqrt(0.35 * 0.65 / (3 * len(top))))
