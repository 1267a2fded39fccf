"""Operating characteristics of a study's designs: scenarios, rules from the settings, results."""

from __future__ import annotations

import pytest
from characteristics_study import make_characteristics
from pydantic import ValidationError

from celldossier.dose_exploration.operating_characteristics import read_rules
from celldossier.dose_exploration.scenarios import list_scenarios
from celldossier.results import AnalysisResults
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.operating_characteristics import (
    OperatingCharacteristicsSettings,
    Scenario,
)
from celldossier.stats.escalation_simulation import find_true_mtd

DEFAULT = OperatingCharacteristicsSettings()


@pytest.mark.parametrize("levels", [1, 2, 3, 5, 6])
def test_default_scenarios_have_the_target_at_each_level(levels: int) -> None:
    scenarios = list_scenarios(DEFAULT, levels, 0.3)
    kinds = [scenario.kind for scenario in scenarios]
    assert kinds == [*["LEVEL"] * levels, *["BETWEEN"] * (levels > 1), "TOXIC", "SAFE"]
    for scenario in scenarios:
        assert list(scenario.toxicity) == sorted(scenario.toxicity)
        mtd = find_true_mtd(scenario.toxicity, 0.3, 0.05) + 1
        expected = {"TOXIC": 0, "SAFE": levels}.get(scenario.kind, scenario.place)
        assert mtd == expected
        if scenario.kind == "LEVEL":
            assert scenario.toxicity[scenario.place - 1] == pytest.approx(0.3)


def test_the_odds_rise_by_the_ratio_from_level_to_level() -> None:
    settings = OperatingCharacteristicsSettings(odds_ratio=4)
    rates = list_scenarios(settings, 3, 0.2)[1].toxicity
    # Odds of 0.2 are 1/4: 1/16 below and 1 above.
    assert rates == pytest.approx((1 / 17, 0.2, 0.5), abs=1e-4)
    # All too toxic from one step above the target on; safe up to two below it, odds of 1/64.
    toxic, safe = list_scenarios(settings, 3, 0.2)[-2:]
    assert toxic.toxicity[0] == pytest.approx(0.5, abs=1e-4)
    assert safe.toxicity[-1] == pytest.approx(1 / 65, abs=1e-4)


def test_scenarios_of_the_study_come_first_and_can_stand_alone() -> None:
    own = Scenario(name={"en": "as in rats", "zh": "x"}, toxicity=(0.1, 0.4))
    both = OperatingCharacteristicsSettings(scenarios=(own,))
    assert [s.kind for s in list_scenarios(both, 2, 0.3)][:2] == ["STUDY", "LEVEL"]
    alone = OperatingCharacteristicsSettings(scenarios=(own,), default_scenarios=False)
    assert [s.toxicity for s in list_scenarios(alone, 2, 0.3)] == [(0.1, 0.4)]


def test_rates_that_fall_or_do_not_agree_are_refused() -> None:
    name = {"en": "a", "zh": "a"}
    with pytest.raises(ValidationError, match="fall"):
        Scenario(name=name, toxicity=(0.4, 0.1))
    with pytest.raises(ValidationError, match="differ in their number"):
        Scenario(name=name, toxicity=(0.1, 0.4), efficacy=(0.5,))


def test_a_trial_follows_the_escalation_unless_it_has_settings_of_its_own() -> None:
    settings = DoseExplorationSettings.model_validate(
        {"escalation": {"cohort_size": 4, "max_total": 30, "max_at_dose": 8}}
    )
    rules = read_rules(settings)
    assert (rules.cohort_size, rules.cohorts, rules.start, rules.stop_at) == (4, 7, 0, 8)
    own = settings.model_dump() | {
        "operating_characteristics": {"cohort_size": 2, "cohorts": 9, "start_level": 2}
    }
    rules = read_rules(DoseExplorationSettings.model_validate(own))
    assert (rules.cohort_size, rules.cohorts, rules.start) == (2, 9, 1)
    assert read_rules(DoseExplorationSettings()).cohorts == 12


def test_each_design_has_its_shares_in_each_scenario() -> None:
    results = AnalysisResults([make_characteristics()])
    assert results.levels("dose_exploration.oc_scenario", "scenario") == list("123456")
    assert results.levels("dose_exploration.oc", "design") == ["3+3", "BOIN"]
    for scenario in "123456":
        for design in ("3+3", "BOIN"):
            by = {"scenario": scenario, "design": design}

            def share(stat: str, by: dict[str, str] = by, **level: str) -> float:
                analysis = "oc_selection" if level else "oc"
                found = results.find(f"dose_exploration.{analysis}", "", "", {**by, **level}, stat)
                assert found is not None
                return found.number

            selected = sum(share("selected", level=level) for level in "12")
            assert selected + share("none") == pytest.approx(100)
            assert sum(share("subjects", level=level) for level in "12") == pytest.approx(
                share("size")
            )


def test_responders_are_counted_where_efficacy_is_given() -> None:
    results = AnalysisResults([make_characteristics()])
    by = {"scenario": "1", "design": "BOIN"}
    found = results.find("dose_exploration.oc", "", "", by, "responders")
    size = results.find("dose_exploration.oc", "", "", by, "size")
    assert found is not None and size is not None
    assert found.number == pytest.approx(0.5 * size.number)
    assert (
        results.find("dose_exploration.oc", "", "", {**by, "scenario": "2"}, "responders") is None
    )


def test_the_same_settings_give_the_same_results_whatever_is_compared() -> None:
    both, alone = make_characteristics(), make_characteristics(designs=["BOIN"])
    boin = both[both["value_id"].str.contains("design=BOIN")].reset_index(drop=True)
    expected = alone[alone["value_id"].str.contains("design=BOIN")].reset_index(drop=True)
    assert boin.equals(expected)


def test_nothing_is_simulated_without_a_design() -> None:
    assert make_characteristics(design=None).empty
