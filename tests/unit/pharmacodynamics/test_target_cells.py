"""Loss of the target cells: hand-made courses with known onset, duration and recovery."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pharmacodynamics_given import make_study, run, samples

from celldossier.pharmacodynamics.samples import exposure_levels
from celldossier.pharmacodynamics.target_cells import collect_target_cells, given_before
from celldossier.settings.target_cells import TargetCellSettings

PLACE = "pharmacodynamics.target_cells"
SETTINGS = {"target_cells": {"threshold": 10, "recovered": 100, "min_subjects": 2}}
NAMES = ["a", "b", "c", "d", "e"]
COURSES = {
    # Lost at day 28, recovered from day 90 on: 62 days.
    "a": {-7: 120.0, 28: None, 60: 50.0, 90: 110.0, 180: 150.0},
    # Lost at baseline; one value over the limit is no recovery: censored at day 90.
    "b": {-7: 9.99, 28: 5.0, 60: 100.0, 90: 40.0, 180: 100.0},
    # At the limit of the loss is not lost.
    "c": {-7: 10.0, 28: 10.0},
    # Lost, recovered, lost again; the first loss counts.
    "d": {-7: 200.0, 28: 1.0, 60: 100.0, 90: 100.0, 180: 1.0},
    # Never sampled after the infusion.
    "e": {-7: 1.0},
}


def value(results, analysis, stat, **by):
    found = results.find(analysis, "CD19B", "", by, stat)
    assert found is not None, (analysis, stat, by)
    return found


@pytest.fixture(scope="module")
def study():
    rows = [
        row
        for name, course in COURSES.items()
        for row in samples(name, "CD19B", "cells/uL", course, limit=1.0)
    ]
    drug = {"USUBJID": "b", "CMDECOD": "Rituximab", "ASTDY": -60.0, "AENDY": -60.0}
    exposure = [
        {"USUBJID": n, "PARAMCD": "AUC28", "PARCAT1": "PCR", "PROFTYP": "COURSE", "AVAL": a}
        for n, a in zip("abcd", (1.0, 2.0, 3.0, 4.0), strict=True)
    ]
    return make_study(SETTINGS, rows, [{"USUBJID": n} for n in NAMES], adcm=[drug], adpp=exposure)


@pytest.fixture(scope="module")
def results(study):
    return run(collect_target_cells, study)[0]


@pytest.mark.parametrize(
    ("stat", "count"),
    [
        ("n", 4),
        ("n_base", 4),
        ("n_low", 1),
        ("n_low_drug", 1),
        ("n_onset", 2),
        ("n_never", 1),
        ("n_lost", 3),
        ("n_recovered", 2),
        ("n_ongoing", 1),
        ("n_again", 1),
    ],
)
def test_each_subject_is_counted_once_by_what_became_of_the_target_cells(results, stat, count):
    assert value(results, PLACE, stat).number == count


def test_the_duration_runs_from_the_first_loss_to_the_first_confirmed_recovery(results):
    # Durations 62 (a), 32 (d), and 90 censored (b, from the infusion): the median is 62.
    assert value(results, f"{PLACE}_duration", "n_event").number == 2
    assert value(results, f"{PLACE}_duration", "median").number == 62
    assert value(results, f"{PLACE}_onset", "median").number == 28


def test_the_subjects_of_a_visit_lost_at_baseline_already_are_told(results):
    assert value(results, f"{PLACE}_visit", "n_found", visit="28").number == 3
    assert value(results, f"{PLACE}_visit", "n_low", visit="28").number == 1
    assert value(results, f"{PLACE}_visit", "n_blq", visit="28").number == 1
    assert value(results, f"{PLACE}_visit", "n", visit="BASELINE").number == 5


def test_the_median_of_the_exposure_splits_the_subjects(results):
    assert value(results, PLACE, "n", exposure="LOW").number == 2
    assert value(results, PLACE, "n_low", exposure="LOW").number == 1
    assert value(results, PLACE, "n_low", exposure="HIGH").number == 0


def test_dose_levels_add_up_to_all_subjects(results):
    assert value(results, PLACE, "n", dose="DL1").number == value(results, PLACE, "n").number


def test_samples_after_a_new_therapy_are_left_out(study):
    drug = {"USUBJID": "a", "CMDECOD": "X", "CMCLASS": "NEW_THERAPY", "ASTDY": 70.0}
    rows = samples("a", "CD19B", "cells/uL", COURSES["a"], limit=1.0)
    later = make_study(SETTINGS, rows, [{"USUBJID": "a"}], adcm=[drug])
    results = run(collect_target_cells, later)[0]
    assert value(results, PLACE, "n_recovered").number == 0
    assert value(results, PLACE, "n_ongoing").number == 1


def test_a_marker_that_rises_when_the_target_is_hit_is_turned_round():
    settings = {"target_cells": {"marker": "X", "direction": "above", "threshold": 10}}
    rows = samples("a", "X", "ng/mL", {0: 5.0, 7: 11.0, 14: 10.0, 21: 10.0})
    results = run(collect_target_cells, make_study(settings, rows, [{"USUBJID": "a"}]))[0]
    found = results.find(PLACE, "X", "", {}, "n_recovered")
    assert found is not None and found.number == 1


def test_the_tables_have_the_planned_days_that_are_asked_for_and_the_curve_has_all() -> None:
    settings = {"target_cells": {**SETTINGS["target_cells"], "days": [60]}}
    rows = samples("a", "CD19B", "cells/uL", COURSES["a"], limit=1.0)
    made = make_study(settings, rows, [{"USUBJID": "a"}])
    results, curves = run(collect_target_cells, made)
    assert results.levels(f"{PLACE}_visit", "visit") == ["60", "BASELINE"]
    assert {row["x"] for row in curves} == {0.0, 28.0, 60.0, 90.0, 180.0}


def test_a_study_without_the_marker_has_no_results():
    results, curves = run(collect_target_cells, make_study(SETTINGS, [], [{"USUBJID": "a"}]))
    assert results.frame.empty and curves == []


def test_a_limit_of_the_recovery_on_the_side_of_the_loss_is_refused():
    with pytest.raises(ValueError, match="side of the loss"):
        TargetCellSettings(threshold=100, recovered=10)


def test_the_curve_holds_the_median_of_each_planned_day(study):
    curves = run(collect_target_cells, study)[1]
    points = {row["x"]: row for row in curves if str(row["curve_id"]).endswith("course/CD19B")}
    # Day 28: half of the limit 0.5, and 5, 10, 1.
    assert points[28.0]["y"] == pytest.approx(3.0)
    assert points[28.0]["n"] == 4


def test_a_sample_of_day_0_that_is_planned_after_the_infusion_counts():
    rows = samples("a", "CD19B", "cells/uL", {-7: 120.0, 0: 5.0, 28: 4.0}, limit=1.0)
    rows[1] |= {"ABLFL": "N", "NFRLT": 0.25}
    results = run(collect_target_cells, make_study(SETTINGS, rows, [{"USUBJID": "a"}]))[0]
    assert value(results, f"{PLACE}_visit", "n_found", visit="0.25").number == 1
    assert value(results, f"{PLACE}_onset", "values").text == "0"


def test_a_visit_that_the_site_calls_baseline_is_none_where_it_follows_the_infusion():
    rows = samples("a", "CD19B", "cells/uL", {1: 5.0, 28: 4.0}, limit=1.0)
    rows[0] |= {"NFRLT": float("nan"), "AVISIT": "BASELINE"}
    results = run(collect_target_cells, make_study(SETTINGS, rows, [{"USUBJID": "a"}]))[0]
    assert value(results, PLACE, "n").number == 1
    assert value(results, PLACE, "n_base").number == 0
    assert value(results, PLACE, "n_onset").number == 1


def test_a_depleting_drug_counts_within_its_washout_before_the_infusion_alone(study):
    drugs = [
        {"USUBJID": name, "CMDECOD": "RITUXIMAB", "ASTDY": start, "AENDY": end}
        for name, start, end in (
            *(("a", -200.0, -180.0), ("b", -300.0, -181.0)),
            *(("c", 30.0, 60.0), ("d", -10.0, float("nan"))),
        )
    ]
    given = make_study(SETTINGS, [], [{"USUBJID": n} for n in NAMES], adcm=drugs)
    assert given_before(given.sources, given.settings.target_cells) == {"a", "d"}


def test_a_subject_at_the_median_exposure_is_in_the_lower_half(study):
    adpp = study.sources.adpp.iloc[:3]
    levels = exposure_levels(replace(study, sources=replace(study.sources, adpp=adpp)), "AUC28")
    assert levels.to_dict() == {"a": "LOW", "b": "LOW", "c": "HIGH"}


def test_a_therapy_before_the_infusion_ends_nothing(study):
    before = [{"USUBJID": n, "CMCLASS": "NEW_THERAPY", "ASTDY": -20.0} for n in NAMES]
    rows = study.sources.adpd.to_dict("records")
    given = make_study(SETTINGS, rows, [{"USUBJID": n} for n in NAMES], adcm=before)
    assert value(run(collect_target_cells, given)[0], PLACE, "n").number == 4
