"""Outcomes after antibodies: only what was known at the landmark divides the subjects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from immune_study import (
    N,
    P,
    make_adab,
    make_adex,
    make_adim,
    make_adsl,
    make_adtte,
    make_crs,
)

from celldossier.immunogenicity.emergence import derive_emergence
from celldossier.immunogenicity.outcomes import (
    find_status,
    summarise_landmarks,
    summarise_reinfusion_crs,
)
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.immune_impact import ImpactSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.cox import estimate_cox

SETTINGS = ImmunogenicitySettings()
IMPACT = ImpactSettings(endpoints=("PFS", "DOR"), landmarks=(35,), min_subjects=2)
INDUCED = [(0, N, None), (28, P, 20)]
LATE = [(0, N, None), (28, N, None), (90, P, 20)]
NEVER = [(0, N, None), (28, N, None)]
UNSEEN = [(0, N, None), (90, P, 20)]
Visits = dict[str, Any]


def landmarks(visits: Visits, endpoints: Any, impact: ImpactSettings = IMPACT) -> AnalysisResults:
    adab = make_adab(visits)
    adim = make_adim(adab, SETTINGS)
    spells = derive_emergence(adab, adim, SETTINGS)
    out = ResultCollector("immunogenicity")
    adsl = make_adsl(sorted(visits))
    summarise_landmarks(spells, adim, make_adtte(endpoints), adsl, impact, out)
    return AnalysisResults([out.frame()])


def number(results: AnalysisResults, endpoint: str, stat: str, landmark: str = "35") -> float:
    found = results.find("immunogenicity.landmark", endpoint, "CAR", {"landmark": landmark}, stat)
    assert found is not None
    return found.number


def test_the_status_is_what_was_known_at_the_landmark() -> None:
    visits = {"A": INDUCED, "B": LATE, "C": NEVER, "D": UNSEEN}
    adab = make_adab(visits)
    spells = derive_emergence(adab, make_adim(adab, SETTINGS), SETTINGS)
    assert find_status(spells, 35) == ["WITH", "WITHOUT", "WITHOUT", ""]
    assert find_status(spells, 95) == ["WITH", "WITH", "WITHOUT", "WITH"]


def test_a_sample_that_leaves_a_boost_open_says_nothing_of_later_days_nor_hides_earlier_ones() -> (
    None
):
    visits = {
        # Not boosted on day 28; what day 90 left open makes the status undetermined at the end.
        "A": [(0, P, 20), (28, P, 40), (90, P, None)],
        # The same up to day 90, and boosted later.
        "B": [(0, P, 20), (28, P, 40), (90, P, None), (180, P, 160)],
        "C": [(0, P, 20), (28, P, None)],
    }
    adab = make_adab(visits)
    adim = make_adim(adab, SETTINGS)
    assert adim["ADASTAT"].tolist() == ["UNDETERMINED", "BOOSTED", "UNDETERMINED"]
    spells = adim[["STUDYID", "USUBJID", "ISBDAGNT"]].merge(
        derive_emergence(adab, adim, SETTINGS), how="left"
    )
    assert find_status(spells, 35) == ["WITHOUT", "WITHOUT", ""]
    assert find_status(spells, 95) == ["", "", ""]
    assert find_status(spells, 200) == ["", "WITH", ""]


def test_only_those_at_risk_at_the_landmark_are_in_it() -> None:
    visits = {"A": INDUCED, "B": INDUCED, "C": NEVER, "D": NEVER, "E": UNSEEN, "F": NEVER}
    times = [
        ("A", "PFS", 0, 100, True),
        ("B", "PFS", 0, 20, True),
        ("C", "PFS", 0, 200, False),
        ("D", "PFS", 0, 35, True),
        ("E", "PFS", 0, 300, False),
        ("F", "PFS", 0, 50, True),
        # In response only after the landmark.
        ("A", "DOR", 40, 100, True),
        ("C", "DOR", 28, 200, False),
    ]
    results = landmarks(visits, times)
    pfs = {
        s: number(results, "PFS", s)
        for s in ("n_with", "n_without", "events_with", "events_without", "n_unknown")
    }
    assert pfs == {
        "n_with": 1, "n_without": 2, "events_with": 1, "events_without": 1, "n_unknown": 1
    }  # fmt: skip
    assert number(results, "PFS", "median_with") == 65
    assert (number(results, "DOR", "n_with"), number(results, "DOR", "n_without")) == (0, 1)
    found = results.find("immunogenicity.landmark", "PFS", "CAR", {"landmark": "35"}, "hr")
    assert found is not None and found.note_code == "FEWSUBJ"
    found = results.find("immunogenicity.landmark", "DOR", "CAR", {"landmark": "35"}, "median_with")
    assert found is not None and found.note_code == "NOGROUP"


def simulate(seed: int, ratio: float, subjects: int = 600) -> tuple[pd.DataFrame, list[Any]]:
    """Exponential times; ADA come at day 28 or 90 in half of those who live to that day.

    Returns
    -------
    tuple
        Spells of the subjects who live to day 28, and the times of all.
    """
    rng = np.random.default_rng(seed)
    spells = []
    times = []
    for index in range(subjects):
        name = f"S{index:03d}"
        end = float(rng.exponential(120))
        onset = float(rng.choice([28, 90])) if rng.uniform() < 0.5 else math.inf
        if end > onset:
            end = onset + (end - onset) / ratio
        if end > 28:
            day = onset if end > onset else math.nan
            spells.append(
                {"STUDYID": "S", "USUBJID": name, "ISBDAGNT": "CAR", "ONSETDY": day, "FIRSTDY": 28,
                 "OPENDY": math.nan}
            )  # fmt: skip
        times.append((name, "PFS", 0, max(1, min(round(end), 400)), end < 400))
    return pd.DataFrame(spells), times


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_hazard_ratio_from_the_landmark_is_recovered(ratio: float) -> None:
    impact = ImpactSettings(endpoints=("PFS",), landmarks=(95,))
    covered = 0
    logs = []
    for seed in range(5):
        spells, times = simulate(seed, ratio)
        adsl = make_adsl(sorted(spells["USUBJID"]))
        out = ResultCollector("immunogenicity")
        summarise_landmarks(spells, spells, make_adtte(times), adsl, impact, out)
        results = AnalysisResults([out.frame()])
        low, high = (number(results, "PFS", s, "95") for s in ("hr_low", "hr_high"))
        covered += low <= ratio <= high
        logs.append(math.log(number(results, "PFS", "hr", "95")))
    assert covered >= 4
    assert math.exp(np.mean(logs)) == pytest.approx(ratio, rel=0.15)


def test_a_comparison_by_status_at_any_time_would_find_a_benefit_where_there_is_none() -> None:
    spells, times = simulate(0, 1.0)
    with_ada = set(spells.loc[spells["ONSETDY"].notna(), "USUBJID"])
    ever = [row[0] in with_ada for row in times]
    naive = estimate_cox(
        [row[3] for row in times],
        [row[4] for row in times],
        np.array(ever, dtype=float)[:, np.newaxis],
        ["ADA"],
    )
    assert naive.coefficient("ADA").high < 0


def crs(
    visits: Visits, infusions: Any, episodes: Any
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    adab = make_adab(visits)
    adim = make_adim(adab, SETTINGS)
    out = ResultCollector("immunogenicity")
    spells = derive_emergence(adab, adim, SETTINGS)
    summarise_reinfusion_crs(spells, adim, make_adex(infusions), make_crs(episodes), IMPACT, out)
    frame: pd.DataFrame = out.frame()
    total = frame[frame["group1"] == ""].set_index("stat_name")["value"].to_dict()
    groups = {
        str(state): part.set_index("stat_name")["value"].to_dict()
        for state, part in frame[frame["group1"] == "ada"].groupby("level1")
    }
    return total, groups


def test_crs_is_counted_after_the_first_further_infusion_with_a_known_status() -> None:
    first, again = (0.0, "FIRST"), (60.0, "REPEAT")
    infusions = {
        "A": [first, again],
        "B": [first, again, (120.0, "REPEAT")],
        "C": [first, (7.0, "REPEAT"), again],
        "D": [first, (7.0, "REPEAT")],
        "E": [first, (0.5, "SPLIT")],
    }
    visits = {"A": INDUCED, "B": INDUCED, "C": NEVER, "D": NEVER, "E": NEVER}
    # After the first infusion, after the second; of B after the third, of C before its status.
    total, groups = crs(visits, infusions, [("A", 1), ("A", 2), ("B", 3), ("C", 2)])
    assert (total["n"], total["n_unknown"]) == (4, 1)
    assert (groups["WITH"]["n"], groups["WITH"]["denominator"]) == (1, 2)
    assert (groups["WITHOUT"]["n"], groups["WITHOUT"]["denominator"]) == (0, 1)
    assert math.isnan(total["p"])


def test_without_a_further_infusion_nobody_is_counted() -> None:
    total, groups = crs({"A": INDUCED}, {"A": [(0.0, "FIRST")]}, [("A", 1)])
    assert total["n"] == 0 and groups["WITH"]["denominator"] == 0
