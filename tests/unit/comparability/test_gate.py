"""No verdict where the assay differs between the groups, unless a bridge explains all of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from bridging_study import make_adbrg
from comparability_given import (
    ANALYTE,
    ASSAY_1,
    ASSAY_2,
    make_lots,
    make_samples,
    make_settings,
    make_sources,
    make_study,
    make_subjects,
    read_number,
    read_word,
)

from celldossier.cellular_kinetics.bridging import Scaled, estimate_bridges
from celldossier.cellular_kinetics.bridging_results import summarise_bridging
from celldossier.comparability.gate import Gate, check_assay, read_samples
from celldossier.comparability.stage import compare_groups
from celldossier.comparability.study import BridgeUse, read_bridges
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.bridging import BridgeRules

BRIDGE = BridgeUse(ANALYTE, "1", "2", 1.30, 0.10, 19.0)


def check(
    *assays: dict[str, Any], bridges: tuple[BridgeUse, ...] = (), largest: float = 0.05
) -> Gate:
    """Gate of a study whose first half of subjects are of process A, the others of B."""
    half = len(assays) // 2
    sources = make_sources(
        adsl=make_subjects(len(assays)),
        adpq=make_lots("A" * half + "B" * (len(assays) - half)),
        adpc=make_samples(*assays),
    )
    return check_assay(read_samples(make_study(sources), ANALYTE), "A", "B", largest, bridges)


def test_one_assay_opens_the_gate() -> None:
    gate = check(ASSAY_1, ASSAY_1, ASSAY_1, ASSAY_1)
    assert (gate.state, gate.reason) == ("OPEN", "")
    assert set(gate.aspects.values()) == {"SAME"}
    assert set(gate.distances.values()) == {0}


@pytest.mark.parametrize(
    ("aspect", "change"),
    [
        ("METHOD", {"PCMETHOD": "DDPCR"}),
        ("VERSION", {"PCASSAYV": "2"}),
        ("LABORATORY", {"PCNAM": "LAB C"}),
        ("LLOQ", {"ALLOQ": 25.0}),
    ],
)
def test_one_aspect_that_differs_closes_the_gate(aspect: str, change: dict[str, Any]) -> None:
    after = {**ASSAY_1, **change}
    gate = check(ASSAY_1, ASSAY_1, after, after)
    assert (gate.state, gate.reason) == ("CLOSED", "ASSAYDIFF")
    assert [name for name, state in gate.aspects.items() if state == "DIFFERENT"] == [aspect]
    assert gate.distances[aspect] == 1


def test_the_same_mixture_of_assays_on_both_sides_is_no_difference() -> None:
    assert check(ASSAY_1, ASSAY_2, ASSAY_1, ASSAY_2).state == "OPEN"


@pytest.mark.parametrize(("largest", "state"), [(0.24, "CLOSED"), (0.26, "OPEN")])
def test_a_mixture_that_differs_by_more_than_the_limit_closes_it(
    largest: float, state: str
) -> None:
    before = [ASSAY_1, ASSAY_1, ASSAY_1, ASSAY_2]
    after = [ASSAY_1, ASSAY_1, ASSAY_2, ASSAY_2]
    assert check(*before, *after, largest=largest).state == state


def test_a_bridge_of_the_versions_opens_it_for_bridged_concentrations() -> None:
    gate = check(ASSAY_1, ASSAY_1, ASSAY_2, ASSAY_2, bridges=(BRIDGE,))
    assert (gate.state, gate.reason) == ("BRIDGED", "")


def test_a_bridge_that_depends_on_the_level_keeps_it_closed() -> None:
    bent = replace(BRIDGE, reason="BRIDGELEVEL")
    gate = check(ASSAY_1, ASSAY_1, ASSAY_2, ASSAY_2, bridges=(bent,))
    assert (gate.state, gate.reason) == ("CLOSED", "BRIDGELEVEL")


@pytest.mark.parametrize(
    "after",
    [
        {**ASSAY_2, "PCASSAYV": "3"},
        {**ASSAY_1, "PCNAM": "LAB C"},
        {**ASSAY_1, "ALLOQ": 25.0},
    ],
    ids=["a version that is not bridged", "a laboratory", "a limit"],
)
def test_a_bridge_does_not_explain_what_it_did_not_compare(after: dict[str, Any]) -> None:
    gate = check(ASSAY_1, ASSAY_1, after, after, bridges=(BRIDGE,))
    assert (gate.state, gate.reason) == ("CLOSED", "ASSAYDIFF")


def test_an_assay_of_which_nothing_is_recorded_closes_it() -> None:
    gate = check({}, {}, {}, {})
    assert (gate.state, gate.reason) == ("CLOSED", "ASSAYUNK")
    assert set(gate.aspects.values()) == {"NOTREC"}


def test_a_version_that_one_side_does_not_record_closes_it() -> None:
    silent = {**ASSAY_1, "PCASSAYV": ""}
    gate = check(ASSAY_1, ASSAY_1, silent, silent)
    assert gate.aspects["VERSION"] == "DIFFERENT"
    assert gate.state == "CLOSED"


def test_the_gate_stands_in_the_results_with_its_levels() -> None:
    sources = make_sources(
        adsl=make_subjects(3), adpq=make_lots("AAB"), adpc=make_samples(ASSAY_1, ASSAY_1, ASSAY_2)
    )
    results = AnalysisResults([compare_groups(sources, make_settings(), ANALYTE).results])
    assert read_word(results, "assay", "ALLOQ", "levels", ANALYTE, group="A") == "50 (2)"
    assert read_word(results, "assay", "PCNAM", "levels", ANALYTE, group="B") == "LAB C (1)"
    assert read_word(results, "assay_gate", "PCASSAYV", "reason", ANALYTE, group="B") == "ASSAYDIFF"
    assert read_number(results, "assay_aspect", "PCNAM", "distance", ANALYTE, group="B") == 1


def test_subjects_outside_the_kinetics_set_say_nothing_about_the_assay() -> None:
    sources = make_sources(
        adsl=make_subjects(3, PKFL=["Y", "N", "Y"]),
        adpq=make_lots("AAB"),
        adpc=make_samples(ASSAY_1, ASSAY_2, ASSAY_1),
    )
    samples = read_samples(make_study(sources), ANALYTE)
    assert check_assay(samples, "A", "B", 0.05).state == "OPEN"


@pytest.mark.parametrize(
    ("verdict", "reason"), [("FACTOR", ""), ("LEVEL", "BRIDGELEVEL"), ("UNKNOWN", "FEWSUBJ")]
)
def test_bridges_are_read_from_the_results_of_the_kinetics(verdict: str, reason: str) -> None:
    out = ResultCollector("cellular_kinetics")
    place = {"dataset": "ADBRG", "variable": "CONC", "analyte": ANALYTE, "by": {"version": "1"}}
    out.add("bridge", {"n": 20.0, "target": "2"}, **place)
    known = verdict != "UNKNOWN"
    numbers = {"ratio": 1.3, "se": 0.1, "df": 19.0, "slope_low": 0.9 if known else math.nan}
    notes = {} if known else {"slope_low": "FEWSUBJ"}
    out.add("bridge_fit", {**numbers, "verdict": verdict}, notes=notes, **place)
    assert read_bridges(out.frame()) == {ANALYTE: (replace(BRIDGE, reason=reason),)}


def test_without_bridges_there_are_none() -> None:
    assert read_bridges(empty_dataset("ARD")) == {}


def test_the_bridge_of_the_kinetics_is_found_under_its_own_names() -> None:
    adbrg = make_adbrg()
    bridges = estimate_bridges(adbrg, BridgeRules())
    none = Scaled(empty_dataset("ADPC"), empty_dataset("ADPC"))
    made = summarise_bridging(adbrg, bridges, none, empty_dataset("ADPC"), pd.Index([]))
    (found,) = read_bridges(made)[ANALYTE]
    assert (found.first, found.second, found.reason) == ("1", "2", "")
    assert found.ratio == pytest.approx(1.30, rel=0.1)
    assert found.df == 19 and 0 < found.se < 0.1
    bent = make_adbrg(slope=1.5)
    made = summarise_bridging(
        bent, estimate_bridges(bent, BridgeRules()), none, empty_dataset("ADPC"), pd.Index([])
    )
    assert read_bridges(made)[ANALYTE][0].reason == "BRIDGELEVEL"
