"""Markers of the disease: the best change lies before progression and a new therapy."""

from __future__ import annotations

import pytest
from pharmacodynamics_given import make_study, run, samples

from celldossier.pharmacodynamics.disease_markers import collect_disease_markers

PLACE = "pharmacodynamics.disease"
COURSES = {
    # -75% at day 84, after progression at day 56 (-50% then, found in a scan two days later).
    "a": {-5: 1000.0, 28: 700.0, 58: 500.0, 84: 250.0},
    # Only grows; the scan of the progression counts.
    "b": {-5: 400.0, 28: 600.0},
    # -90%, then a new therapy at day 40 and -100%.
    "c": {-5: 1000.0, 28: 100.0, 56: 0.0},
    # Not measurable at baseline, not at all, and only before the infusion.
    "d": {-5: 0.0, 28: 10.0},
    "e": {28: 10.0},
    "f": {-5: 100.0},
    # Measured only after a new therapy.
    "g": {-5: 100.0, 56: 10.0},
}


@pytest.fixture(scope="module")
def outcome():
    rows = [row for n, c in COURSES.items() for row in samples(n, "SPD", "mm2", c)]
    progression = {"PARAMCD": "OVR", "EVENTCD": "PROGRESSION", "AVALC": "PD"}
    response = {"PARAMCD": "BOR", "AVALC": "PR", "RESPFL": "Y"}
    residual = {"PARAMCD": "MRD", "AFRLT": 28.0, "AVISIT": "DAY 28"}
    adrs = [
        {"USUBJID": "a", "AFRLT": 56.0, **progression},
        {"USUBJID": "b", "AFRLT": 28.0, **progression},
        {"USUBJID": "a", **response},
        {"USUBJID": "c", **response},
        {"USUBJID": "b", "PARAMCD": "BOR", "AVALC": "PD", "RESPFL": "N"},
        {"USUBJID": "a", "AVALC": "NEGATIVE", **residual},
        {"USUBJID": "b", "AVALC": "POSITIVE", **residual},
        {"USUBJID": "a", "PARAMCD": "MRDNEG", "AVALC": "Y"},
        {"USUBJID": "b", "PARAMCD": "MRDNEG", "AVALC": "N"},
    ]
    adcm = [{"USUBJID": n, "CMCLASS": "NEW_THERAPY", "ASTDY": 40.0} for n in ("c", "g")]
    study = make_study({}, rows, [{"USUBJID": n} for n in COURSES], adrs=adrs, adcm=adcm)
    return run(collect_disease_markers, study)


def value(results, analysis, stat, variable="SPD", **by):
    found = results.find(analysis, variable, "", by, stat)
    assert found is not None, (analysis, stat, by)
    return found.number


def best(curves):
    return {row["series"]: row["y"] for row in curves if row["curve_id"] == f"{PLACE}_best/SPD"}


def test_the_best_change_is_before_progression_and_new_therapy(outcome):
    assert best(outcome[1]) == pytest.approx({"a": -50.0, "b": 50.0, "c": -90.0})


def test_who_is_not_evaluable_is_counted_by_reason(outcome):
    counts = {
        stat: value(outcome[0], PLACE, stat)
        for stat in (
            *("n_set", "n_evaluable", "n_nopdbase", "n_basezero", "n_nopdpost", "n_nocounted"),
        )
    }
    assert list(counts.values()) == [7, 3, 1, 1, 1, 1]
    assert counts["n_set"] == sum(list(counts.values())[1:])


def test_bars_run_from_the_worst_to_the_best_change(outcome):
    bars = [row for row in outcome[1] if row["curve_id"] == f"{PLACE}_best/SPD"]
    assert [row["series"] for row in sorted(bars, key=lambda row: row["x"])] == ["b", "a", "c"]


def test_responders_are_summarised_beside_all(outcome):
    assert value(outcome[0], f"{PLACE}_best", "n") == 3
    assert value(outcome[0], f"{PLACE}_best", "n", response="RESPONDER") == 2
    assert value(outcome[0], f"{PLACE}_best", "n_below_half") == 2
    assert value(outcome[0], f"{PLACE}_visit", "median", visit="28") == pytest.approx(-30.0)


def test_a_result_below_its_limit_is_at_least_so_deep_a_fall():
    rows = samples("a", "SBCMA", "ng/mL", {-5: 100.0, 28: None}, limit=2.0)
    results, curves = run(collect_disease_markers, make_study({}, rows, [{"USUBJID": "a"}]))
    assert value(results, f"{PLACE}_best", "n_limit", variable="SBCMA") == 1
    bar = next(row for row in curves if row["curve_id"] == f"{PLACE}_best/SBCMA")
    assert bar["y"] == pytest.approx(-98.0) and bar["high"] == pytest.approx(-98.0)


def test_the_course_of_each_subject_starts_at_no_change(outcome):
    starts = [r["y"] for r in outcome[1] if r["curve_id"] == f"{PLACE}_course/SPD" and r["x"] == 0]
    assert starts == [0.0, 0.0, 0.0]


def test_residual_disease_is_counted_by_visit_and_over_all(outcome):
    assert value(outcome[0], "pharmacodynamics.residual", "n_found", "MRD", visit="DAY 28") == 1
    assert value(outcome[0], "pharmacodynamics.residual_best", "pct", "MRD") == 50.0


def test_a_study_without_such_a_marker_has_no_results():
    results, curves = run(collect_disease_markers, make_study({}, [], [{"USUBJID": "a"}]))
    assert results.frame.empty and curves == []


def test_a_baseline_above_its_limit_makes_the_fall_a_bound():
    rows = samples("a", "SBCMA", "ng/mL", {-5: 400.0, 28: 100.0}, limit=1.0)
    rows[0] |= {"ALQFL": "Y", "AULOQ": 400.0}
    results, curves = run(collect_disease_markers, make_study({}, rows, [{"USUBJID": "a"}]))
    assert value(results, f"{PLACE}_best", "n_limit", "SBCMA") == 1
    bars = [row for row in curves if row["curve_id"] == f"{PLACE}_best/SBCMA"]
    assert [(row["y"], row["high"]) for row in bars] == [(-75.0, -75.0)]


def test_a_result_above_its_limit_against_such_a_baseline_says_nothing():
    rows = samples("a", "SBCMA", "ng/mL", {-5: 400.0, 28: 400.0, 56: 200.0}, limit=1.0)
    for row in rows[:2]:
        row |= {"ALQFL": "Y", "AULOQ": 400.0}
    results = run(collect_disease_markers, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert results.find(f"{PLACE}_visit", "SBCMA", "", {"visit": "28"}, "n") is None
    assert value(results, f"{PLACE}_visit", "n", "SBCMA", visit="56") == 1
