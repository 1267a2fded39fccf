"""Presets of the NCA settings, and the crosswalk between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from celldossier.cellular_kinetics.crosswalk import (
    compare_presets,
    differing_rules,
    settings_of_preset,
    switch_rules,
)
from celldossier.cellular_kinetics.crosswalk_results import derive_adppx, summarise_crosswalk
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.window_decisions import check_windows
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.nca_presets import list_preset_keys, read_presets

COURSE = [(0, "BLQ"), (3, 400.0), (7, 9000.0), (14, 3000.0), (21, 1000.0), (28, 300.0)]


def rules_of(differences):
    """The rules named for each preset and parameter, those that act alone and the others."""
    return {
        (row.PRESET, row.PARAMCD): (row.RULES, row.JOINT)
        for row in differences.itertuples(index=False)
    }


def compare(samples, points, columns=None, **values):
    settings = CellularKineticsSettings.model_validate(
        {"crosswalk": ["phoenix", "pknca"], **values}
    )
    return compare_presets(samples(points, **(columns or {})), settings)


def test_a_preset_fills_the_keys_that_the_config_does_not_give():
    settings = CellularKineticsSettings.model_validate(
        {"preset": "pknca", "lambda_z": {"min_span": 1}, "gate": "before"}
    )
    assert (settings.tail, settings.start, settings.blq.embedded) == ("last", "none", "drop")
    assert (settings.lambda_z.min_r2adj, settings.lambda_z.min_span) == (0, 1)
    assert settings.gate == "before"


def test_the_effective_settings_of_a_preset_say_the_same_when_read_again():
    settings = CellularKineticsSettings.model_validate({"preset": "phoenix"})
    assert CellularKineticsSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_every_key_of_a_preset_is_one_of_the_settings_with_its_rule_and_source():
    for name, preset in read_presets().items():
        assert set(preset.keys) == set(list_preset_keys()), name
        for place, key in preset.keys.items():
            assert key.source and key.rule[0] == "R", place
    assert differing_rules(
        CellularKineticsSettings(), settings_of_preset(CellularKineticsSettings(), "phoenix")
    ) == ("R6", "R9", "R11", "R14", "R17")


@pytest.mark.parametrize("values", [{"preset": "winnonlin"}, {"crosswalk": ["pknca", "pknca"]}])
def test_unknown_presets_and_those_named_twice_are_refused(values):
    with pytest.raises(ValidationError):
        CellularKineticsSettings.model_validate(values)


def test_the_area_rule_is_named_where_the_trapezoids_differ(samples):
    found = rules_of(compare(samples, COURSE).differences)
    assert found[("phoenix", "AUCLST")] == ("R11", "")
    assert ("pknca", "AUCLST") not in found


def test_the_start_is_named_where_there_is_no_predose_record(samples):
    found = rules_of(compare(samples, COURSE[1:]).differences)
    assert found[("pknca", "AUCLST")] == ("R4", "")


def test_the_early_peak_is_named_where_it_lies_in_the_first_day(samples):
    points = [(0, "BLQ"), (0.1, 20000.0), *COURSE[1:]]
    found = rules_of(compare(samples, points).differences)
    assert found[("pknca", "CMAX")] == ("R9", "")


def test_rules_that_act_only_together_are_named_as_such(samples):
    # The gate empties the area to infinity; the trapezoids matter once it has a value.
    points = [(0, "BLQ"), (3, 9000.0), (7, 3000.0), (14, 1000.0), (21, 290.0)]
    crosswalk = compare(samples, points, lambda_z={"min_points": 3, "min_r2adj": 1, "min_span": 9})
    named = rules_of(crosswalk.differences)
    assert named[("phoenix", "AUCIFO")] == ("R17", "R11")


def test_the_rules_named_give_the_value_of_the_preset():
    frame = pd.read_csv(Path(__file__).parents[2] / "reference" / "nca" / "input_cart60.csv")
    settings = CellularKineticsSettings.model_validate({"crosswalk": ["phoenix", "pknca"]})
    differences = compare_presets(frame, settings).differences
    assert len(differences) > 300
    for (preset, *named), rows in differences.groupby(["PRESET", "RULES", "JOINT"]):
        target = settings_of_preset(settings, preset)
        rules = [rule for rule in ";".join(named).split(";") if rule]
        switched = estimate_nca(frame, switch_rules(settings, target, rules)).parameters
        values = switched.set_index(["USUBJID", "PARAMCD"])["AVAL"]
        found = values.reindex(pd.MultiIndex.from_frame(rows[["USUBJID", "PARAMCD"]]))
        np.testing.assert_allclose(found, rows["AVALX"], rtol=1e-9)


def test_a_reviewed_window_is_named_where_it_changes_the_value(samples):
    row = {"id": "W1", "subject": "S1", "analyte": "PCR", "use": "IN", "points": "7;14;21"}
    table = pd.DataFrame([{**row, "reason": "bend", "author": "A", "date": "2026-01-01"}])
    rules = {"peak_from": 0, "lambda_z": {"min_points": 3, "min_r2adj": 0, "min_span": 0}}
    settings = CellularKineticsSettings.model_validate({"crosswalk": ["phoenix"], **rules})
    frame = samples([(0, "BLQ"), (3, 9000.0), (7, 3000.0), (14, 1500.0), (21, 900.0), (28, 100.0)])
    differences = compare_presets(frame, settings, check_windows(table)).differences
    found = rules_of(differences)
    assert found[("phoenix", "LAMZ")] == ("R18", "")
    assert found[("phoenix", "AUCIFO")] == ("R11;R18", "")


def test_a_study_does_not_differ_from_its_own_convention(samples):
    for preset in ("celldossier", "phoenix", "pknca"):
        crosswalk = compare(samples, COURSE, preset=preset, crosswalk=[preset])
        assert crosswalk.differences.empty
        assert len(crosswalk.compared) > 20


def test_without_a_preset_to_compare_with_there_is_nothing(samples):
    crosswalk = compare(samples, COURSE, crosswalk=[])
    assert derive_adppx(crosswalk.differences, samples(COURSE)).empty
    assert summarise_crosswalk(crosswalk.compared, crosswalk.differences, ["S1"]).empty


def test_the_counts_are_those_of_the_dataset(samples):
    crosswalk = compare(samples, COURSE[1:])
    adppx = derive_adppx(crosswalk.differences, samples(COURSE).assign(STUDYID="T"))
    results = AnalysisResults([summarise_crosswalk(crosswalk.compared, adppx, ["S1"])])
    place = ("cellular_kinetics.crosswalk", "AUCLST", "PCR", {"preset": "phoenix"})
    (row,) = adppx[(adppx["PRESET"] == "phoenix") & (adppx["PARAMCD"] == "AUCLST")].itertuples()
    assert results.find(*place, "n_diff").number == 1
    assert results.find(*place, "median").number == row.AVALX / row.AVAL
    lost = ("cellular_kinetics.crosswalk", "AUCLST", "PCR", {"preset": "pknca"})
    assert results.find(*lost, "n_lost").number == 1
    assert results.find(*lost, "median").note_code == "NOVALUE"
    rule = ("cellular_kinetics.crosswalk_rules", "AUCLST", "PCR", {"preset": "pknca", "rule": "R4"})
    assert results.find(*rule, "n").number == 1
    same = ("cellular_kinetics.crosswalk", "TLST", "PCR", {"preset": "pknca"})
    assert (results.find(*same, "n").number, results.find(*same, "n_diff").number) == (1, 0)


def test_limits_of_one_tail_are_a_rule_that_differs(samples):
    points = [(0, "BLQ"), (3, 400.0), (7, 9000.0), (14, 3000.0), (21, 1000.0), (24.5, 300.0)]
    found = compare(samples, points, peak_from=1, end_window=5, crosswalk=["celldossier"])
    rows = rules_of(found.differences)
    assert rows["celldossier", "AUC28"] == ("R14", "")
    assert set(rows.values()) == {("R14", "")}


def test_a_window_that_a_preset_does_not_allow_leaves_those_of_others(samples):
    first = [(0, "BLQ"), (0.2, 9000.0), (0.6, 3000.0), (3, 4000.0), (7, 2000.0), (14, 900.0)]
    first += [(28, 300.0), (60, 60.0)]
    second = [(0, "BLQ"), (7, 5000.0), (10, 4000.0), (14, 2000.0), (21, 900.0), (28, 300.0)]
    second += [(60, 51.0)]
    both = pd.concat([samples(first), samples(second, USUBJID="S2")], ignore_index=True)
    rows = [("W1", "S1", "0.6; 7; 28"), ("W2", "S2", "10; 21; 60")]
    windows = check_windows(
        pd.DataFrame(rows, columns=["id", "subject", "points"]).assign(
            analyte="PCR", use="IN", dose="", reason="seen", author="NN", date="2025-12-20"
        )
    )
    settings = CellularKineticsSettings.model_validate(
        {"crosswalk": ["celldossier"], "peak_from": 0}
    )
    found = compare_presets(both, settings, windows).differences
    rules = found[found["USUBJID"] == "S2"].set_index("PARAMCD")
    assert rules.loc["LAMZ", ["RULES", "JOINT"]].tolist() == ["R18", ""]
