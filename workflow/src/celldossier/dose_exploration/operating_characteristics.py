"""Operating characteristics of the designs in scenarios of true rates, by simulation (S3.2-8).

Nothing where the settings name no design (`escalation.design`). Analyses; scenarios and dose levels
are numbered from 1:

============= =========================== ==========================================================
analysis      by                          statistics
============= =========================== ==========================================================
oc_rules      none                        trials, seed, cohort_size, cohorts, start_level, stop_at,
                                          error
oc_scenario   scenario                    kind, place, mtd (0: every level is too toxic)
oc_level      scenario, level             toxicity, and efficacy where it is given
oc            scenario, design            none, correct, above, overdosed, at_mtd, above_mtd,
                                          stopped, size, toxicities, and responders where efficacy
                                          is given
oc_selection  scenario, design, level     selected, subjects, events
============= =========================== ==========================================================

Shares are percentages of trials, `at_mtd` and `above_mtd` of subjects; subjects, events, size,
toxicities and responders are means of a trial. `error` is the largest standard error of a share
that the simulation leaves. No subject of the study enters.
"""

from __future__ import annotations

import math

from celldossier.dose_exploration.escalation import list_designs, read_options
from celldossier.dose_exploration.escalation_data import order_levels
from celldossier.dose_exploration.scenarios import TrueRates, list_scenarios
from celldossier.dose_exploration.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.stats.escalation_simulation import (
    Characteristics,
    TrialRules,
    count_subjects,
    draw_tolerances,
    find_true_mtd,
    make_table,
    simulate_trials,
    summarise_trials,
)

COHORTS = 12
"""Cohorts of a trial where neither part of the settings says how many."""

METHOD = "simulation"


def summarise_characteristics(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Simulate each design in each scenario; no curves."""
    settings = study.settings
    escalation, asked = settings.escalation, settings.operating_characteristics
    if escalation.design is None:
        return []
    levels = order_levels(study.sources, escalation)
    scenarios = list_scenarios(asked, len(levels), escalation.target)
    if not scenarios:
        return []
    rules = read_rules(settings)
    _add_rules(rules, settings, out)
    for number, scenario in enumerate(scenarios, start=1):
        _simulate(number, scenario, rules, settings, out)
    return []


def read_rules(settings: DoseExplorationSettings) -> TrialRules:
    """What a simulated trial does beside the decisions of its design."""
    escalation, asked = settings.escalation, settings.operating_characteristics
    size = asked.cohort_size or escalation.cohort_size
    allowed = escalation.max_total // size if escalation.max_total else COHORTS
    return TrialRules(
        cohort_size=size,
        cohorts=asked.cohorts or max(1, allowed),
        start=asked.start_level - 1,
        stop_at=escalation.max_at_dose,
        fill_last=asked.fill_last,
    )


def _add_rules(rules: TrialRules, settings: DoseExplorationSettings, out: ResultCollector) -> None:
    asked = settings.operating_characteristics
    out.add(
        "oc_rules",
        {
            "trials": float(asked.trials),
            "seed": float(asked.seed),
            "cohort_size": float(rules.cohort_size),
            "cohorts": float(rules.cohorts),
            "start_level": float(asked.start_level),
            "stop_at": float(rules.stop_at or math.nan),
            # Of a share of a half, the largest there is.
            "error": 50 / math.sqrt(asked.trials),
        },
        dataset="ADSL",
        units={"error": "%"},
        method=METHOD,
    )


def _simulate(
    number: int,
    scenario: TrueRates,
    rules: TrialRules,
    settings: DoseExplorationSettings,
    out: ResultCollector,
) -> None:
    escalation, asked = settings.escalation, settings.operating_characteristics
    mtd = find_true_mtd(scenario.toxicity, escalation.target, escalation.interval[1])
    by = {"scenario": str(number)}
    out.add(
        "oc_scenario",
        {"kind": scenario.kind, "place": float(scenario.place), "mtd": float(mtd + 1)},
        dataset="ADSL",
        by=by,
        method=METHOD,
    )
    for level, rate in enumerate(scenario.toxicity):
        rates = {"toxicity": 100 * rate}
        if scenario.efficacy:
            rates["efficacy"] = 100 * scenario.efficacy[level]
        out.add("oc_level", rates, dataset="ADSL", by={**by, "level": str(level + 1)}, unit="%")
    # A scenario of the study may have fewer levels than the study.
    start = min(rules.start, len(scenario.toxicity) - 1)
    here = TrialRules(rules.cohort_size, rules.cohorts, start, rules.stop_at, rules.fill_last)
    tolerances = draw_tolerances(
        asked.trials, count_subjects(here, len(scenario.toxicity)), asked.seed, number
    )
    for design in asked.designs or list_designs(escalation):
        table = make_table(design, escalation.target, here, read_options(escalation))
        trials = simulate_trials(table, scenario.toxicity, here, tolerances)
        found = summarise_trials(trials, mtd, asked.overdose_share)
        _add_characteristics(found, scenario, {**by, "design": design}, out)


def _add_characteristics(
    found: Characteristics, scenario: TrueRates, by: dict[str, str], out: ResultCollector
) -> None:
    shares = ("none", "correct", "above", "overdosed", "at_mtd", "above_mtd", "stopped")
    statistics = {name: 100 * getattr(found, name) for name in shares}
    statistics |= {"size": found.size, "toxicities": found.toxicities}
    if scenario.efficacy:
        statistics["responders"] = float(found.subjects @ scenario.efficacy)
    out.add(
        "oc",
        statistics,
        dataset="ADSL",
        by=by,
        units=dict.fromkeys(shares, "%"),
        method=METHOD,
    )
    for level in range(len(scenario.toxicity)):
        out.add(
            "oc_selection",
            {
                "selected": 100 * float(found.selected[level]),
                "subjects": float(found.subjects[level]),
                "events": float(found.events[level]),
            },
            dataset="ADSL",
            by={**by, "level": str(level + 1)},
            units={"selected": "%"},
            method=METHOD,
        )
