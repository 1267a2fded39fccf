"""Grades of CRS and ICANS after ASTCT 2019, over every combination of their components."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from celldossier.study_data.astct import grade_crs, grade_icans, grade_value, read_components

NO_TREATMENT = pd.DataFrame({"USUBJID": [], "ADY": []})
CRITERIA = read_components()

# The table of Lee 2019 once more, in words of this test: what a complete day is graded.
PRESSORS = {0: 0, 1: 3, 2: 4, 3: 4}
OXYGEN = {"NONE": 0, "LOW FLOW": 2, "HIGH FLOW": 3, "POSITIVE PRESSURE": 4}
AROUSAL = {"AWAKE": 0, "VOICE": 2, "TACTILE": 3, "UNAROUSABLE": 4}
SEIZURES = {"NONE": 0, "RESOLVED": 3, "PROLONGED": 4}
WEAKNESS = {"NONE": 0, "FOCAL WEAKNESS": 4}
OEDEMA = {"NONE": 0, "FOCAL": 3, "DIFFUSE": 4}


def table_of_crs(fever, hypotension, pressors, vasopressin, oxygen):
    if not fever:
        return 0
    pressure = max(2 if hypotension == "Y" else 0, PRESSORS[pressors])
    if vasopressin == "Y":
        pressure = max(pressure, 3)
    return max(1, pressure, OXYGEN[oxygen])


def table_of_ice(score, arousal):
    if score == 0:
        return 4 if arousal == "UNAROUSABLE" else 3
    return 3 if score <= 2 else 2 if score <= 6 else 1 if score <= 9 else 0


def table_of_icans(score, arousal, seizure, motor, oedema):
    return max(
        table_of_ice(score, arousal),
        AROUSAL[arousal],
        SEIZURES[seizure],
        WEAKNESS[motor],
        OEDEMA[oedema],
    )


def points(event, component, value):
    """Grade of a category as FA gives it; NaN where it was not recorded."""
    return np.nan if value is None else float(CRITERIA[event][component]["values"][value])


def make_crs_days(rows):
    """Days of CRS, each of a subject of its own."""
    frame = pd.DataFrame(rows, columns=["fever", "hypotension", "pressors", "vasopressin", "o2"])
    return pd.DataFrame(
        {
            "USUBJID": [f"S{number}" for number in range(len(frame))],
            "ADY": 1.0,
            "FEVER": [np.nan if x is None else float(x) for x in frame["fever"]],
            "HYPOTENS": [points("CRS", "HYPOTENS", x) for x in frame["hypotension"]],
            "VASOPRES": grade_value(
                "CRS", "VASOPRES", pd.to_numeric(frame["pressors"]).astype(float)
            ),
            "VASOPSIN": [points("CRS", "VASOPSIN", x) for x in frame["vasopressin"]],
            "OXYGEN": [points("CRS", "OXYGEN", x) for x in frame["o2"]],
            "DEATH": np.nan,
        }
    )


def make_icans_days(rows, age=40.0):
    frame = pd.DataFrame(rows, columns=["ice", "conscious", "seizure", "motor", "oedema"])
    texts = {"CONSC": "conscious", "SEIZURE": "seizure", "MOTOR": "motor", "EDEMA": "oedema"}
    return pd.DataFrame(
        {
            "USUBJID": [f"S{number}" for number in range(len(frame))],
            "ADY": 1.0,
            "AGE": age,
            "ICE": pd.to_numeric(frame["ice"]).astype(float),
            "CAPD": np.nan,
            **{
                name: [points("ICANS", name, x) for x in frame[column]]
                for name, column in texts.items()
            },
            "DEATH": np.nan,
        }
    )


def expect(possible):
    """Grade, upper bound and reason of a day that can be of several grades."""
    low, high = min(possible), max(possible)
    if low == high:
        return (low, high, "")
    return (low if low else None, high, "PARTGRADE")


def read(graded):
    cells = zip(graded["grade"], graded["high"], graded["reason"], strict=True)
    return [(None if grade != grade else grade, high, reason) for grade, high, reason in cells]


def test_crs_is_graded_as_the_table_says_for_every_day_with_fever():
    rows = list(
        itertools.product([1], ["N", "Y", None], [0, 1, 2, 3, None], ["N", "Y"], [*OXYGEN, None])
    )
    wanted = []
    for _, hypotension, pressors, vasopressin, oxygen in rows:
        # No hypotension needs no vasopressor: its number need not be asked for.
        numbers = [pressors] if pressors is not None else [0] if hypotension == "N" else PRESSORS
        wanted.append(
            expect(
                [
                    table_of_crs(True, h, p, vasopressin, o)
                    for h in ([hypotension] if hypotension else ["N", "Y"])
                    for p in numbers
                    for o in ([oxygen] if oxygen else OXYGEN)
                ]
            )
        )
    assert len(rows) == 150
    assert read(grade_crs(make_crs_days(rows), NO_TREATMENT)) == wanted


def test_icans_is_graded_as_the_table_says_for_every_day():
    rows = list(
        itertools.product(
            [*range(11), None],
            [*AROUSAL, None],
            [*SEIZURES, None],
            [*WEAKNESS, None],
            [*OEDEMA, None],
        )
    )
    wanted = [
        expect(
            [
                table_of_icans(*day)
                for day in itertools.product(
                    [ice] if ice is not None else range(11),
                    [conscious] if conscious else AROUSAL,
                    [seizure] if seizure else SEIZURES,
                    [motor] if motor else WEAKNESS,
                    [oedema] if oedema else OEDEMA,
                )
            ]
        )
        for ice, conscious, seizure, motor, oedema in rows
    ]
    assert len(rows) == 2880
    assert read(grade_icans(make_icans_days(rows))) == wanted


@pytest.mark.parametrize(
    ("capd", "conscious", "grade"),
    [
        (0, "AWAKE", 0),
        (1, "AWAKE", 1),
        (8, "AWAKE", 1),
        (8, "VOICE", 2),
        (9, "AWAKE", 3),
        (32, "TACTILE", 3),
        (5, "UNAROUSABLE", 4),
    ],
)
def test_children_below_12_years_are_graded_by_capd(capd, conscious, grade):
    days = make_icans_days([[10, conscious, "NONE", "NONE", "NONE"]] * 2)
    days["CAPD"] = float(capd)
    days["AGE"] = [11.9, 12.0]
    # At 12 years the ICE score counts, here 10.
    older = AROUSAL[conscious]
    assert grade_icans(days)["grade"].tolist() == [grade, older]


def test_the_ice_score_of_a_child_does_not_grade():
    days = make_icans_days([[0, "AWAKE", "NONE", "NONE", "NONE"]], age=8.0)
    assert read(grade_icans(days)) == [(None, 3.0, "PARTGRADE")]


def test_published_cases():
    # PMC8021214: fever, one vasopressor and low-flow oxygen. pn.bmj.com: ICE 3 with a seizure.
    crs = grade_crs(make_crs_days([[1, "Y", 1, "N", "LOW FLOW"]]), NO_TREATMENT)
    assert crs["grade"].tolist() == [3]
    rows = [
        [3, "AWAKE", "RESOLVED", "NONE", "NONE"],
        [0, "AWAKE", "NONE", "NONE", "NONE"],
        [0, "UNAROUSABLE", "NONE", "NONE", "NONE"],
    ]
    assert grade_icans(make_icans_days(rows))["grade"].tolist() == [3, 3, 4]


def course(*days, treatment=(), gap=0):
    """Grades and reasons of a course of CRS: (day, fever, oxygen) of one subject."""
    frame = make_crs_days([[fever, "N", 0, "N", oxygen] for _, fever, oxygen in days])
    frame = frame.assign(USUBJID="S", ADY=[float(day) for day, _, _ in days])
    given = pd.DataFrame({"USUBJID": "S", "ADY": [float(day) for day in treatment]})
    graded = grade_crs(frame, given, gap)
    return [(grade, reason) for grade, _, reason in read(graded)]


def test_hypoxia_without_fever_is_no_crs_before_treatment():
    days = ((1, 1, "NONE"), (2, 0, "HIGH FLOW"), (3, 0, "NONE"))
    assert course(*days) == [(1, ""), (0, "NOFEVER"), (0, "")]


@pytest.mark.parametrize(("treatment", "grade"), [([1], 3), ([2], 3), ([0], 0), ([3], 0)])
def test_fever_is_not_required_once_it_was_there_and_was_treated(treatment, grade):
    days = ((1, 1, "NONE"), (2, 0, "HIGH FLOW"))
    assert course(*days, treatment=treatment)[1][0] == grade


def test_a_new_course_needs_fever_again():
    days = ((1, 1, "NONE"), (2, 0, "NONE"), (3, 0, "LOW FLOW"), (9, 0, "LOW FLOW"))
    assert [grade for grade, _ in course(*days, treatment=[1])] == [1, 0, 0, 0]
    # One calm day does not end it then, and the days that nobody recorded never do.
    assert [grade for grade, _ in course(*days, treatment=[1], gap=1)] == [1, 0, 2, 2]


def test_a_day_that_nobody_recorded_does_not_end_a_course():
    assert course((2, 1, "NONE"), (4, 0, "HIGH FLOW"), treatment=[2])[1] == (3, "")
    calm = course((2, 1, "NONE"), (3, 0, "NONE"), (4, 0, "HIGH FLOW"), treatment=[2])
    assert calm[2] == (0, "NOFEVER")
    # A row without any component says no more than none.
    frame = make_crs_days([[1, *("N", 0, "N", "NONE")], [None] * 5, [0, "N", 0, "N", "HIGH FLOW"]])
    frame = frame.assign(USUBJID="S", ADY=[2.0, 3.0, 4.0])
    given = pd.DataFrame({"USUBJID": ["S"], "ADY": [2.0]})
    assert grade_crs(frame, given)["grade"].iloc[2] == 3


@pytest.mark.parametrize(("day", "grade"), [(62, 2), (63, 0)])
def test_no_course_lasts_beyond_60_days_unseen(day, grade):
    assert course((2, 1, "NONE"), (day, 0, "LOW FLOW"), treatment=[2])[1][0] == grade


def test_the_treatment_of_another_subject_does_not_count():
    frame = make_crs_days([[1, "N", 0, "N", "NONE"], [0, "N", 0, "N", "LOW FLOW"]])
    frame = frame.assign(USUBJID="S", ADY=[1.0, 2.0])
    other = pd.DataFrame({"USUBJID": ["T"], "ADY": [1.0]})
    assert grade_crs(frame, other)["grade"].tolist() == [1, 0]


def test_fever_that_was_not_recorded_is_neither_there_nor_absent():
    rows = [[None, "N", 0, "N", "LOW FLOW"], [None, "N", 0, "N", "NONE"]]
    graded = read(grade_crs(make_crs_days(rows), NO_TREATMENT))
    # At its best there was no fever, and then the oxygen was no sign of CRS.
    assert graded == [(None, 2.0, "NOFEVCMP"), (None, 1.0, "PARTGRADE")]


def test_death_from_the_event_is_grade_5_whatever_else_was_recorded():
    crs = make_crs_days([[None, None, None, None, None]]).assign(DEATH=5.0)
    icans = make_icans_days([[10, None, None, None, None]]).assign(DEATH=5.0)
    assert read(grade_crs(crs, NO_TREATMENT)) == [(5.0, 5.0, "")]
    assert read(grade_icans(icans)) == [(5.0, 5.0, "")]
