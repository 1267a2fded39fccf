"""Grades of CRS and ICANS derived from their components, beside the reported ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohort_study import components, date, derive, derive_outcomes, give, make_cohort, report


def test_the_grade_of_the_components_takes_the_place_of_the_reported_one():
    fa = [*components("S", 2, "39.0", "HIGH FLOW"), *components("S", 3, "38.2", "NONE")]
    data = derive(["S"], fa=fa, ae=[report("S", 1, 2, 4)])
    row = data.datasets["ADAE"].iloc[0]
    assert (row["AETOXGRN"], row["ATOXGRN"], row["GRADSRC"]) == (1, 3, "REDERIVED")
    assert "GRADEDIFFERS" in set(data.findings["rule_id"])
    assert data.datasets["ADAESI"][["ATOXGRN", "AETOXGRN"]].to_numpy().tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("reported", "grade", "source"), [(3, 3, "REPORTED"), (2, 2, "REDERIVED"), (1, 2, "REDERIVED")]
)
def test_incomplete_components_only_raise_a_reported_grade(reported, grade, source):
    # Low-flow oxygen is grade 2; with hypotension, the number of vasopressors is not known.
    fa = components("S", 2, "39.0", "LOW FLOW", hypotension="Y")
    row = derive(["S"], fa=fa, ae=[report("S", reported, 2, 4)]).datasets["ADAE"].iloc[0]
    assert (row["ATOXGRN"], row["GRADSRC"], row["GRADRSN"]) == (grade, source, "PARTGRADE")


@pytest.mark.parametrize(
    ("graded", "grade", "source", "reason"),
    [
        # A calm last day says nothing of the three before it.
        ([5], 3, "REPORTED", "PARTGRADE"),
        ([2, 4, 5], 3, "REPORTED", "PARTGRADE"),
        ([2, 3, 4, 5], 0, "REDERIVED", ""),
    ],
)
def test_a_day_of_the_event_that_was_not_graded_leaves_the_reported_grade(
    graded, grade, source, reason
):
    fa = [row for day in graded for row in components("S", day, "36.8", "NONE")]
    data = derive(["S"], fa=fa, ae=[report("S", 3, 2, 5)])
    row = data.datasets["ADAE"].iloc[0]
    assert (row["ATOXGRN"], row["GRADSRC"], row["GRADRSN"]) == (grade, source, reason)
    assert ("GRADEDIFFERS" in set(data.findings["rule_id"])) == (reason == "")


def test_days_that_are_graded_higher_raise_a_report_with_open_days():
    fa = components("S", 3, "39.0", "HIGH FLOW")
    row = derive(["S"], fa=fa, ae=[report("S", 1, 2, 5)]).datasets["ADAE"].iloc[0]
    assert (row["ATOXGRN"], row["GRADSRC"], row["GRADRSN"]) == (3, "REDERIVED", "PARTGRADE")


def test_without_a_report_open_days_leave_the_grade_empty_and_not_0():
    calm = components("S", 5, "36.8", "NONE")
    row = derive(["S"], fa=calm, ae=[report("S", "", 2, 5)]).datasets["ADAE"].iloc[0]
    assert np.isnan(row["ATOXGRN"]) and (row["GRADSRC"], row["GRADRSN"]) == ("", "PARTGRADE")
    penn = report("S", 3, 2, 5, AESCAT="Penn")
    row = derive(["S"], fa=calm, ae=[penn]).datasets["ADAE"].iloc[0]
    assert np.isnan(row["ATOXGRN"]) and row["GRADRSN"] == "LEGACYSCALE"


def test_a_day_of_the_episode_outside_the_report_counts_for_it():
    fa = [row for day in (2, 3) for row in components("S", day, "38.5", "NONE")]
    fa += components("S", 4, "39.0", "HIGH FLOW")
    row = derive(["S"], fa=fa, ae=[report("S", 1, 2, 3)]).datasets["ADAE"].iloc[0]
    assert (row["ATOXGRN"], row["GRADSRC"], row["GRADRSN"]) == (3, "REDERIVED", "")


@pytest.mark.parametrize(
    ("recorded", "grade", "source"),
    [
        # ICE 5 is grade 2 at least, and 4 at most where nothing else was asked for.
        (4, 4, "RECORDED DAILY"),
        (2, 2, "RECORDED DAILY"),
        (1, 2, "REDERIVED"),
        (5, 2, "REDERIVED"),
    ],
)
def test_a_recorded_grade_that_the_components_allow_is_taken(recorded, grade, source):
    ice = {"USUBJID": "S", "FAOBJ": "ICANS", "FATESTCD": "ICE", "FAORRES": "5", "FADTC": date(3)}
    grades = {**ice, "FATESTCD": "GRADE", "FAORRES": str(recorded), "FASCAT": "ASTCT 2019"}
    adfa = derive(["S"], fa=[ice, grades]).datasets["ADFA"]
    day = adfa[adfa["PARAMCD"] == "ASTCTGR"].iloc[0]
    wanted = (grade, 4 if source == "REDERIVED" else grade, recorded)
    assert (day["AVAL"], day["ATOXHI"], day["ATOXRECN"]) == wanted
    reason = "PARTGRADE" if source == "REDERIVED" else ""
    assert (day["GRADSRC"], day["GRADRSN"]) == (source, reason)


@pytest.mark.parametrize("recorded", ["1", "3"])
def test_complete_components_overrule_the_recorded_grade(recorded):
    fa = components("S", 2, "39.0", "NONE")
    grade = {**fa[0], "FATESTCD": "GRADE", "FAORRES": recorded, "FASCAT": "ASTCT 2019"}
    day = derive(["S"], fa=[*fa, grade]).datasets["ADFA"].set_index("PARAMCD").loc["ASTCTGR"]
    assert (day["AVAL"], day["GRADSRC"]) == (1, "REDERIVED")


def test_fever_of_another_cause_is_no_fever_of_crs():
    fa = components("S", 2, "39.0", "NONE")
    other = {**fa[0], "FATESTCD": "FEVER", "FAORRES": "N"}
    adfa = derive(["S"], fa=[*fa, other]).datasets["ADFA"]
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "AVAL"].tolist() == [0]


@pytest.mark.parametrize(("value", "celsius", "grade"), [("100.4", 38.0, 1), ("100.3", 37.94, 0)])
def test_100_4_fahrenheit_is_fever(value, celsius, grade):
    fa = components("S", 2, value, "NONE")
    fa[0]["FAORRESU"] = "F"
    adfa = derive(["S"], fa=fa).datasets["ADFA"].set_index("PARAMCD")["AVAL"]
    assert (adfa["TEMP"], adfa["ASTCTGR"]) == (celsius, grade)


def test_signs_without_any_record_of_fever_leave_the_reported_grade():
    fa = components("S", 2, "", "LOW FLOW")
    datasets = derive(["S"], fa=fa, ae=[report("S", 1, 2, 2)]).datasets
    day = datasets["ADFA"].set_index("PARAMCD").loc["ASTCTGR"]
    assert np.isnan(day["AVAL"]) and (day["ATOXHI"], day["GRADRSN"]) == (2, "NOFEVCMP")
    row = datasets["ADAE"].iloc[0]
    assert (row["ATOXGRN"], row["GRADSRC"], row["GRADRSN"]) == (1, "REPORTED", "PARTGRADE")


def test_an_event_that_ended_before_the_infusion_is_not_emergent_whatever_its_start():
    # A start that is not completed may be any day of 2024; the infusion is on the first of March.
    ended = report("S", 1, 0, -2, term="Nausea", AESTDTC="2024")
    goes_on = report("S", 1, 0, 2, term="Headache", AESTDTC="2024")
    # Start and end contradict each other: a finding says so, and the end counts.
    before = report("S", 1, 0, -2, term="Rash", AESTDTC="2024-03", AEENDTC="2024-02")
    study = make_cohort(["S"], ae=[ended, goes_on, before])
    study.options["time"] = {"partial_dates": {"event_start": "none"}}
    adae = study.derive().datasets["ADAE"].set_index("AEDECOD")
    assert adae["TRTEMFL"].to_dict() == {"Nausea": "N", "Headache": "Y", "Rash": "N"}


def test_a_day_completed_from_a_partial_date_gives_no_duration():
    whole = derive(["S"], ae=[report("S", 2, 2, 5)]).datasets["ADAESI"].iloc[0]
    assert (whole["ADURN"], whole["ADURRSN"]) == (4, "")
    assert (whole["ASTDTF"], whole["AENDTF"]) == ("", "")
    end = derive(["S"], ae=[report("S", 2, 2, 5, AEENDTC="2024-03")]).datasets["ADAESI"].iloc[0]
    assert np.isnan(end["ADURN"]) and (end["ADURRSN"], end["ONGOFL"]) == ("PARTDATE", "N")
    assert (end["ASTDTF"], end["AENDTF"], end["AENDY"]) == ("", "D", 30)
    start = derive(["S"], ae=[report("S", 2, 2, 5, AESTDTC="2024-03")]).datasets["ADAESI"].iloc[0]
    assert np.isnan(start["ADURN"]) and (start["ASTDTF"], start["AENDTF"]) == ("D", "")


def test_a_full_date_of_the_same_episode_takes_the_place_of_a_completed_one():
    ends = [report("S", 2, 2, 5, AEENDTC="2024-03"), report("S", 1, 4, 35)]
    row = derive(["S"], ae=ends).datasets["ADAESI"].iloc[0]
    assert (row["AENDTF"], row["ADURN"], row["ADURRSN"]) == ("", 34, "")


def test_an_episode_that_ends_with_a_death_of_unknown_day_has_no_duration():
    study = make_cohort(["S"], ae=[report("S", 2, 3)], dm={"DTHDTC": "2024-03"})
    row = study.derive().datasets["ADAESI"].iloc[0]
    assert row["AENDTF"] == "D" and np.isnan(row["ADURN"]) and row["ADURRSN"] == "PARTDATE"


def test_a_day_without_components_is_not_of_grade_0():
    adfa = derive(["S"], fa=components("S", 2, "39.0", "NONE")).datasets["ADFA"]
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "ADY"].tolist() == [2]
    blank = components("S", 2, "37.0", "")
    adfa = derive(["S"], fa=blank).datasets["ADFA"]
    # No fever: no CRS, though oxygen is not known.
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "AVAL"].tolist() == [0]
    adfa = derive(["S"], fa=components("S", 2, "", "NONE")).datasets["ADFA"]
    row = adfa[adfa["PARAMCD"] == "ASTCTGR"].iloc[0]
    assert np.isnan(row["AVAL"]) and row["GRADRSN"] == "PARTGRADE" and row["ATOXHI"] == 1


def test_tocilizumab_lets_crs_go_on_without_fever():
    fa = [*components("S", 2, "39.0", "NONE"), *components("S", 3, "36.8", "LOW FLOW")]
    cm = [give("S", "TOCILIZUMAB", 2)]
    with_drug = derive(["S"], fa=fa, cm=cm).datasets["ADAESI"]
    without = derive(["S"], fa=fa).datasets["ADAESI"]
    assert with_drug["ATOXGRN"].tolist() == [2] and without["ATOXGRN"].tolist() == [1]
    assert with_drug["TOCIDY"].tolist() == [2] and without["TOCIDY"].isna().all()


def test_the_trace_of_each_grade_leads_to_a_record_of_its_day():
    data = derive(["S"], fa=[*components("S", 2, "39.0", "NONE"), *components("S", 3, "39", "")])
    adfa = data.datasets["ADFA"]
    grades = adfa[adfa["PARAMCD"] == "ASTCTGR"]
    collected = adfa[adfa["DTYPE"] == ""].set_index("SRCROW")["ADY"]
    assert grades["ADY"].tolist() == collected.loc[grades["SRCROW"]].tolist()
    assert data.accounting.set_index("domain").loc["FA", "records_used"] == 5


def test_a_grade_of_another_scale_is_left_empty_with_its_reason():
    event = report("S", 3, 2, 4, AESCAT="Penn grading scale")
    data = derive(["S"], ae=[event])
    row = data.datasets["ADAE"].iloc[0]
    assert np.isnan(row["ATOXGRN"])
    assert (row["AETOXGRN"], row["GRADRSN"], row["AESCAT"]) == (3, "LEGACYSCALE", "PENN")
    assert data.errors == 0
    assert np.isnan(derive_outcomes(data.datasets).loc["S", "CRSGR"])


def test_a_legacy_grade_with_components_is_derived_anew():
    event = report("S", 3, 2, 2, AESCAT="Lee 2014")
    data = derive(["S"], fa=components("S", 2, "39.0", "LOW FLOW"), ae=[event])
    row = data.datasets["ADAE"].iloc[0]
    assert (row["ATOXGRN"], row["GRADSRC"], row["GRADRSN"]) == (2, "REDERIVED", "")
    assert not {"SCALELEGACY", "GRADEDIFFERS"} & set(data.findings["rule_id"])


def test_the_named_scale_counts_and_several_are_then_no_error():
    events = [report("S", 3, 2, 4, AESCAT="Penn"), report("T", 2, 2, 4)]
    data = derive(["S", "T"], ae=events, grading_scale="PENN")
    grades = data.datasets["ADAE"].set_index("USUBJID")["ATOXGRN"]
    assert grades["S"] == 3 and np.isnan(grades["T"])
    assert data.errors == 0
    assert derive(["S", "T"], ae=events).errors == 1


def test_ctcae_grades_of_other_events_have_no_part_in_it():
    events = [report("S", 3, 2, 4), report("S", 3, 2, 4, term="Nausea", AESCAT="CTCAE 5.0")]
    data = derive(["S"], ae=events)
    assert not data.findings["rule_id"].str.startswith("SCALE").any()
    assert data.datasets["ADAE"]["ATOXGRN"].tolist() == [3, 3]


def find_runs(grades):
    """Runs of days of grade 1 or more, by a plain walk over the days of one subject."""
    runs, current = [], []
    for day in range(int(grades.index.max()) + 1):
        grade = grades.get(day, np.nan)
        if grade >= 1:
            current.append((day, grade))
        elif current:
            runs.append(current)
            current = []
    return [*runs, current] if current else runs


def test_a_published_set_of_daily_grades_agrees_with_a_plain_calculation(shared_folder):
    raw = pd.read_csv(shared_folder / "data" / "nulisa_lbcl80" / "swimmer_plot_data.csv")
    raw["ID"] = raw["ID"].str.strip()
    subjects = sorted(raw["ID"].unique())
    assert len(subjects) == 80
    fa = [
        {
            "USUBJID": row["ID"],
            "FAOBJ": event,
            "FATESTCD": "GRADE",
            "FAORRES": "" if pd.isna(row[column]) else f"{row[column]:g}",
            "FASCAT": "ASTCT 2019",
            "FADTC": date(int(row["therapy_day"])),
        }
        for event, column in (("CRS", "crs_grade"), ("ICANS", "icans_grade"))
        for row in raw.to_dict("records")
    ]
    datasets = derive(subjects, fa=fa).datasets
    adaesi, outcomes = datasets["ADAESI"], derive_outcomes(datasets)
    episodes = 0
    for event, column in (("CRS", "crs_grade"), ("ICANS", "icans_grade")):
        variable, onset = ("CRSGR", "CRSONDY") if event == "CRS" else ("ICANSGR", "ICANONDY")
        for subject in subjects:
            # One subject has a day twice, once without grades.
            own = raw[raw["ID"] == subject].groupby("therapy_day")[column].max()
            runs = find_runs(own)
            found = adaesi[(adaesi["USUBJID"] == subject) & (adaesi["AESI"] == event)]
            assert found["ATOXGRN"].tolist() == [max(g for _, g in run) for run in runs]
            assert found["ASTDY"].tolist() == [run[0][0] for run in runs]
            assert found["ADURN"].tolist() == [len(run) for run in runs]
            last = own.dropna().index.max()
            assert found["ONGOFL"].tolist() == ["Y" if run[-1][0] == last else "N" for run in runs]
            assert outcomes.loc[subject, variable] == max([g for r in runs for _, g in r] or [0])
            assert not runs or outcomes.loc[subject, onset] == runs[0][0][0]
            episodes += len(runs)
    assert episodes == len(adaesi) > 80
