"""Cytopenias: hand-made courses with known grades and durations, and a slow recount."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pharmacodynamics_given import make_study, run, samples

from celldossier.pharmacodynamics.cytopenias import collect_cytopenias, find_episodes
from celldossier.settings.haematology import HaematologySettings

PLACE = "pharmacodynamics.cytopenia"
SETTINGS = {
    "haematology": {
        "counts": {"NEUT": "NEUT"},
        "lower_limits": {"NEUT": 2.0},
        "confirm": 2,
        "min_subjects": 2,
    }
}
COURSES = {
    # Grade 3 from day 3 (0.99) to day 14, confirmed at 21; 0.5 at day 7 is not grade 4.
    "a": {0: 3.0, 3: 0.99, 7: 0.5, 14: 1.0, 21: 2.0},
    # Grade 3 at baseline, until day 7, confirmed at 14.
    "b": {0: 0.9, 3: 0.49, 7: 1.2, 14: 1.5, 28: 2.0},
    # A single value back is not confirmed: still grade 3 at the last sample.
    "c": {0: 2.5, 7: 0.2, 14: 1.5, 21: 0.8, 28: 0.4},
    # Never worse than grade 2: exactly 1.0.
    "d": {0: 2.0, 7: 1.0, 28: 1.99},
    # Without a sample after the infusion.
    "e": {0: 0.1},
}


@pytest.fixture(scope="module")
def results():
    rows = [row for n, c in COURSES.items() for row in samples(n, "NEUT", "10^9/L", c)]
    events = [
        {"USUBJID": n, "AEDECOD": term, "ATOXGRN": grade, "TRTEMFL": "Y"}
        for n, term, grade in (
            ("a", "Neutropenia", 3.0),
            ("a", "Neutropenia", 2.0),
            ("b", "Neutrophil count decreased", 3.0),
            ("c", "Nausea", 4.0),
            ("d", "Neutropenia", 4.0),
        )
    ]
    # Over before the infusion.
    events.append({"USUBJID": "a", "AEDECOD": "Neutropenia", "ATOXGRN": 4.0, "TRTEMFL": "N"})
    study = make_study(SETTINGS, rows, [{"USUBJID": n} for n in COURSES], adae=events)
    return run(collect_cytopenias, study)[0]


def value(results, analysis, variable, stat, **by):
    found = results.find(analysis, variable, "NEUT", by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found.number


@pytest.mark.parametrize(("grade", "count"), [("0", 0), ("1", 0), ("2", 1), ("3", 1), ("4", 2)])
def test_a_value_at_a_limit_has_the_milder_grade(results, grade, count):
    assert value(results, f"{PLACE}_worst", "GRADE", "n_found", grade=grade) == count
    assert value(results, f"{PLACE}_worst", "GRADE", "n", grade=grade) == 4


def test_the_grade_at_baseline_is_counted_apart(results):
    assert value(results, f"{PLACE}_episodes", "G3", "n_start") == 1
    assert value(results, f"{PLACE}_episodes", "G3", "n_onset") == 2
    assert value(results, f"{PLACE}_episodes", "G4", "n_start") == 0
    assert value(results, f"{PLACE}_episodes", "G4", "n_onset") == 2


def test_the_median_duration_is_that_of_the_hand_made_courses(results):
    # a: 3 to 14, 11 days; c: censored at 28 after 21 days. Kaplan-Meier median 11.
    assert value(results, f"{PLACE}_duration", "G3", "median", start="ONSET") == 11
    assert value(results, f"{PLACE}_duration", "G3", "n_event", start="ONSET") == 1
    assert value(results, f"{PLACE}_duration", "G3", "n", start="BASELINE") == 1
    assert value(results, f"{PLACE}_episodes", "G3", "n_ongoing") == 1


def test_nadir_and_its_day_are_those_after_the_infusion(results):
    assert value(results, f"{PLACE}_nadir", "VALUE", "min") == 0.2
    assert value(results, f"{PLACE}_nadir", "DAY", "median") == pytest.approx(7.0)


def test_prolonged_is_an_episode_from_before_the_day_that_lasts_beyond_it(results):
    # Sampled from day 25 on: b, c, d; only c is below 1.0, since day 7.
    assert value(results, f"{PLACE}_prolonged", "G3", "n") == 3
    assert value(results, f"{PLACE}_prolonged", "G3", "n_found") == 1


def test_a_cytopenia_of_the_next_lymphodepletion_is_not_prolonged():
    rows = samples("a", "NEUT", "10^9/L", {0: 3.0, 7: 0.4, 14: 2.0, 21: 2.0, 35: 0.4})
    results = run(collect_cytopenias, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert value(results, f"{PLACE}_prolonged", "G3", "n_found") == 0
    assert value(results, f"{PLACE}_episodes", "G3", "n_again") == 1


@pytest.mark.parametrize(("day", "grade"), [(0.0, "4"), (5.0, "2")])
def test_a_new_therapy_ends_the_course_unless_it_is_of_the_day_of_infusion(day, grade):
    rows = samples("a", "NEUT", "10^9/L", {0: 3.0, 3: 1.2, 7: 0.4})
    new = [{"USUBJID": "a", "CMCLASS": "NEW_THERAPY", "ASTDY": day}]
    results = run(collect_cytopenias, make_study({}, rows, [{"USUBJID": "a"}], adcm=new))[0]
    assert value(results, f"{PLACE}_worst", "GRADE", "n_found", grade=grade) == 1


def test_a_sample_of_the_first_day_of_the_window_stands_for_the_day_of_prolonged_cytopenia():
    rows = samples("a", "NEUT", "10^9/L", {0: 3.0, 7: 0.4, 25: 0.4})
    results = run(collect_cytopenias, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert value(results, f"{PLACE}_prolonged", "G3", "n") == 1
    assert value(results, f"{PLACE}_prolonged", "G3", "n_found") == 1


def test_grades_of_events_are_held_against_those_of_the_laboratory(results):
    # a 3 and 3; b 4 and 3; c 4 and none; d 2 and 4.
    assert value(results, f"{PLACE}_agreement", "GRADE", "n") == 4
    assert value(results, f"{PLACE}_agreement", "GRADE", "n_agree") == 1
    assert value(results, f"{PLACE}_agreement", "GRADE", "n_lab_higher") == 2
    assert value(results, f"{PLACE}_agreement", "GRADE", "n_event_higher") == 1


def test_without_a_limit_of_normal_grades_0_and_1_are_one_level():
    rows = samples("a", "NEUT", "10^9/L", {0: 3.0, 7: 1.6})
    study = make_study({}, rows, [{"USUBJID": "a"}])
    results = run(collect_cytopenias, study)[0]
    assert value(results, f"{PLACE}_worst", "GRADE", "n_found", grade="UP_TO_1") == 1


def test_haemoglobin_alone_gives_no_grade_4():
    rows = samples("a", "HGB", "g/L", {0: 110.0, 7: 40.0})
    results = run(collect_cytopenias, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert results.find(f"{PLACE}_episodes", "G3", "HGB", {}, "n_onset").number == 1
    assert results.find(f"{PLACE}_episodes", "G4", "HGB", {}, "n_onset") is None


@pytest.mark.parametrize(("value", "grade"), [(6.2, "UP_TO_1"), (6.1, "2"), (4.9, "2"), (4.8, "3")])
def test_haemoglobin_in_mmol_per_l_has_the_limits_that_ctcae_prints_in_that_unit(value, grade):
    rows = samples("a", "HGB", "mmol/L", {0: 8.0, 7: value})
    results = run(collect_cytopenias, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert results.find(f"{PLACE}_worst", "GRADE", "HGB", {"grade": grade}, "n_found").number == 1


def test_a_count_in_another_unit_is_not_graded_and_named():
    rows = samples("a", "PLAT", "per field", {0: 110.0, 7: 40.0})
    results = run(collect_cytopenias, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert set(results.frame["analysis_id"]) == {f"{PLACE}_ungraded"}
    assert results.find(f"{PLACE}_ungraded", "", "PLAT", {}, "n").number == 1
    assert results.find(f"{PLACE}_ungraded", "", "PLAT", {}, "unit").text == "per field"


def frame(courses):
    rows = [(i, d, v) for i, c in enumerate(courses) for d, v in enumerate(c)]
    data = pd.DataFrame(rows, columns=["USUBJID", "DAY", "VALUE"])
    return data.assign(VISIT=np.where(data["DAY"] == 0, "BASELINE", ""))


def test_a_straight_line_between_samples_gives_the_crossing_days():
    one = frame([[2.0, 0.0, 0.0, 2.0, 2.0]])
    found = find_episodes(one, 1.0, HaematologySettings(crossing="linear"))
    assert found.loc[0, "START"] == pytest.approx(0.5)
    assert found.loc[0, "DURATION"] == pytest.approx(2.0)


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=2, max_size=8), min_size=1),
    st.integers(1, 3),
)
def test_the_longer_way_round_gives_the_same_durations(courses, confirm):
    found = find_episodes(frame(courses), 1.0, HaematologySettings(confirm=confirm))
    expected = []
    for who, course in enumerate(courses):
        start = None
        for day, level in enumerate(course):
            if start is None and level < 1.0:
                start = last = day
            elif start is not None and level < 1.0:
                last = day
            run_ = course[day : day + confirm]
            if start is not None and len(run_) == confirm and min(run_) >= 1.0:
                expected.append((who, float(start), float(day - start), 1.0))
                start = None
        if start is not None:
            expected.append((who, float(start), float(last - start), 0.0))
    columns = found[["USUBJID", "START", "DURATION", "EVENT"]]
    assert list(columns.itertuples(index=False, name=None)) == expected
