"""Components, episodes, events of special interest and rescue medication."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_study import SmallStudy, to_table

from celldossier.datasets import empty_dataset
from celldossier.exposure_response.ader import derive_ader
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.study_data.episodes import number_episodes
from celldossier.study_data.medication import convert_steroids, days_that_mask_fever

INFUSION = pd.Timestamp("2024-03-01")


def make_cohort(subjects, fa=(), ae=(), cm=(), dm=None, **safety):
    """A study of infused subjects with the safety records that a test gives."""
    tables = {
        "DM": [
            {"USUBJID": name, "RFICDTC": "2024-02-01", "ARM": "DL1", "AGE": "40", **(dm or {})}
            for name in subjects
        ],
        "EX": [
            {
                "USUBJID": name,
                "EXCAT": "CELL PRODUCT",
                "EXTRT": "X",
                "EXDOSE": "100",
                "EXDOSU": "10^6 cells",
                "EXSTDTC": INFUSION.date().isoformat(),
            }
            for name in subjects
        ],
        "FA": list(fa),
        "AE": list(ae),
        "CM": list(cm),
    }
    tables = {name: records for name, records in tables.items() if records}
    return SmallStudy(
        tables={name: to_table(records) for name, records in tables.items()},
        sources={name: {"file": f"{name.lower()}.csv"} for name in tables},
        options={"safety": safety},
    )


def date(day):
    return (INFUSION + pd.Timedelta(days=day)).date().isoformat()


def daily(subject, event, grades, scale="ASTCT 2019"):
    """Grades recorded by day, from day 0."""
    return [
        {
            "USUBJID": subject,
            "FAOBJ": event,
            "FATESTCD": "GRADE",
            "FAORRES": str(grade),
            "FASCAT": scale,
            "FADTC": date(day),
        }
        for day, grade in enumerate(grades)
    ]


def report(subject, grade, start, end="", term="Cytokine release syndrome", **more):
    return {
        "USUBJID": subject,
        "AETERM": term,
        "AEDECOD": term,
        "AETOXGR": str(grade),
        "AESCAT": "ASTCT 2019",
        "AESTDTC": date(start),
        "AEENDTC": date(end) if end != "" else "",
        **more,
    }


def give(subject, drug, start, end="", **more):
    ended = date(end) if end != "" else ""
    return {
        "USUBJID": subject,
        "CMTRT": drug,
        "CMDECOD": drug,
        "CMSTDTC": date(start),
        "CMENDTC": ended,
        **more,
    }


def derive(*arguments, **options):
    return make_cohort(*arguments, **options).derive()


def derive_outcomes(datasets):
    """Outcomes of exposure-response, from the datasets of the study."""
    return derive_ader(
        datasets["ADSL"],
        datasets["ADEX"],
        datasets["ADPC"],
        empty_dataset("ADPP"),
        datasets["ADAE"],
        datasets["ADFA"],
        datasets["ADRS"],
        datasets["ADCM"],
        datasets["ADPQ"],
        ExposureResponseSettings.model_validate({"analyte": "PCR"}),
    ).set_index("USUBJID")


# --- episodes ---


@pytest.mark.parametrize(
    ("spans", "gap", "episodes"),
    [
        ([(1, 3), (4, 5)], 0, [1, 1]),  # touch
        ([(1, 3), (3, 5)], 0, [1, 1]),  # overlap
        ([(1, 9), (2, 3), (8, 10)], 0, [1, 1, 1]),  # one inside another
        ([(1, 3), (5, 6)], 0, [1, 2]),
        ([(1, 3), (5, 6)], 1, [1, 1]),
        ([(1, np.nan), (40, 41)], 0, [1, 1]),  # goes on
        ([(5, 6), (1, 3)], 0, [2, 1]),  # in any order of records
        ([(np.nan, 6), (1, 3)], 0, [2, 1]),  # without a start
        ([(2, 2), (2, 2)], 0, [1, 1]),  # ties
    ],
)
def test_spans_of_one_event_are_numbered_by_episode(spans, gap, episodes):
    frame = pd.DataFrame(spans, columns=["first", "last"]).assign(USUBJID="S", AESI="CRS")
    assert number_episodes(frame, gap).tolist() == episodes


def test_episodes_of_other_subjects_and_events_are_counted_apart():
    frame = pd.DataFrame(
        {
            "USUBJID": ["S", "S", "T", "S"],
            "AESI": ["CRS", "ICANS", "CRS", "CRS"],
            "first": [1.0, 1, 1, 9],
            "last": [2.0, 2, 2, 9],
        }
    )
    assert number_episodes(frame, 0).tolist() == [1, 1, 1, 2]


def test_an_episode_counts_both_its_first_and_last_day():
    data = derive(["S"], fa=daily("S", "CRS", [0, 0, 1, 3, 2, 0, 1, 1, 0]))
    adaesi = data.datasets["ADAESI"]
    assert adaesi["EPISODE"].tolist() == [1, 2]
    assert adaesi["ASTDY"].tolist() == [2, 6]
    assert adaesi["AENDY"].tolist() == [4, 7]
    assert adaesi["ADURN"].tolist() == [3, 2]
    assert adaesi["ATOXGRN"].tolist() == [3, 1]
    assert adaesi["WORSTFL"].tolist() == ["Y", "N"]
    assert adaesi["NEPISOD"].tolist() == [2, 2]
    assert set(adaesi["GRADSRC"]) == {"RECORDED DAILY"}


def test_the_gap_of_the_settings_makes_one_episode_of_two():
    data = derive(["S"], fa=daily("S", "CRS", [0, 1, 0, 1, 0]), episode_gap_days=1)
    assert data.datasets["ADAESI"][["ASTDY", "AENDY", "ADURN"]].to_numpy().tolist() == [[1, 3, 3]]


def test_an_event_on_the_last_graded_day_is_ongoing():
    adaesi = derive(["S"], fa=daily("S", "CRS", [0, 1, 2])).datasets["ADAESI"]
    assert adaesi["ONGOFL"].tolist() == ["Y"]
    assert adaesi["ADURRSN"].tolist() == ["NOEND"]
    assert adaesi["AENDY"].isna().all()


def test_a_report_that_goes_on_at_death_ends_there():
    study = make_cohort(["S"], ae=[report("S", 5, 3)], dm={"DTHDTC": date(10)})
    adaesi = study.derive().datasets["ADAESI"]
    row = adaesi.iloc[0]
    assert (row["ATOXGRN"], row["AENDY"], row["ADURN"], row["ADURRSN"]) == (5, 10, 8, "DIED")


def test_the_onset_counts_from_the_infusion_before_it():
    study = make_cohort(["S"], ae=[report("S", 2, 3, 5), report("S", 1, 16, 18)])
    study.repeat("EX", 1, {"EXSTDTC": date(14)})
    adaesi = study.derive().datasets["ADAESI"]
    assert adaesi["DOSENO"].tolist() == [1, 2]
    assert adaesi["ADOSDY"].tolist() == [3, 2]


# --- reported and derived grades ---


def components(subject, day, fever, oxygen, hypotension="N"):
    values = {"TEMP": fever, "HYPOTENS": hypotension, "OXYGEN": oxygen}
    return [
        {
            "USUBJID": subject,
            "FAOBJ": "CRS",
            "FATESTCD": name,
            "FAORRES": value,
            "FADTC": date(day),
        }
        for name, value in values.items()
        if value
    ]


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


# --- scales ---


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


# --- events for exposure-response ---


def test_episodes_known_by_days_alone_are_events_and_outcomes():
    fa = [*daily("S", "CRS", [0, 1, 2, 0, 1, 0]), *daily("T", "CRS", [0, 0, 0])]
    datasets = derive(["S", "T"], fa=fa).datasets
    adae = datasets["ADAE"]
    assert adae[["USUBJID", "AESI", "SRCDOM", "DTYPE"]].drop_duplicates().to_numpy().tolist() == [
        ["S", "CRS", "FA", "EPISODE"]
    ]
    assert adae["EPISODE"].tolist() == [1, 2]
    outcomes = derive_outcomes(datasets)
    assert outcomes["CRSGR"].to_dict() == {"S": 2, "T": 0}
    assert outcomes.loc["S", "CRSONDY"] == 1


def test_days_of_a_reported_event_make_no_second_event():
    fa = daily("S", "CRS", [0, 1, 3, 1, 0])
    reports = [report("S", 2, 1, 2), report("S", 3, 2, 3), report("S", 2, 1, 2)]
    datasets = derive(["S"], fa=fa, ae=reports).datasets
    adae = datasets["ADAE"]
    assert set(adae["SRCDOM"]) == {"AE"} and len(adae) == 3
    # Three reports that overlap or are equal are one episode.
    adaesi = datasets["ADAESI"]
    assert adaesi[["EPISODE", "NRECORD", "ATOXGRN", "ADURN"]].to_numpy().tolist() == [[1, 3, 3, 3]]
    assert derive_outcomes(datasets).loc["S", "CRSGR"] == 3


def test_the_worst_day_belongs_to_the_report_that_covers_it():
    fa = daily("S", "CRS", [0, 3, 0, 0, 0, 1, 0])
    datasets = derive(["S"], fa=fa, ae=[report("S", 3, 1, 1), report("S", 1, 5, 5)]).datasets
    assert datasets["ADAE"].sort_values("ASTDY")["ATOXGRN"].tolist() == [3, 1]


# --- further events of special interest ---


@pytest.mark.parametrize(
    ("term", "system", "grade", "end", "event"),
    [
        ("Neutropenia", "", 4, 40, "CYTOPENIA"),
        ("Neutropenia", "", 4, 28, ""),
        ("Neutropenia", "", 4, "", "CYTOPENIA"),
        ("Neutropenia", "", 2, 40, ""),
        ("Lung infection", "Infections and infestations", 3, 9, "INFECTION"),
        ("Lung infection", "Infections and infestations", 2, 9, ""),
        ("Macrophage activation syndrome", "", 2, 9, "HLH"),
        ("T-cell lymphoma", "Neoplasms", 3, 9, "SECONDMALIG"),
        ("Hypogammaglobulinaemia", "", 1, 9, "HYPOGAMMA"),
        ("Infusion related reaction", "", 1, 9, "HYPERSENS"),
        ("Graft versus host disease", "", 1, 9, "GVHD"),
        ("Nausea", "", 3, 9, ""),
    ],
)
def test_an_event_of_special_interest_is_known_by_term_grade_and_day(
    term, system, grade, end, event
):
    reported = report("S", grade, 3, end, term=term, AEBODSYS=system)
    assert derive(["S"], ae=[reported]).datasets["ADAE"]["AESI"].tolist() == [event]


def test_a_study_replaces_adds_and_turns_off_events():
    events = [
        report("S", 3, 3, 4, term="Sepsis"),
        report("S", 1, 3, 4, term="Anaphylactic reaction"),
        report("S", 1, 3, 4, term="Uveitis"),
    ]
    own = {"INFECTION": (), "UVEITIS": ("uveitis",), "HYPERSENS": ("Rash",)}
    data = derive(["S"], ae=events, events_of_special_interest=own)
    adae = data.datasets["ADAE"].set_index("AEDECOD")["AESI"]
    assert adae.to_dict() == {"Sepsis": "", "Anaphylactic reaction": "", "Uveitis": "UVEITIS"}


# --- medication ---


def test_medication_is_placed_by_the_onset_of_crs():
    cm = [give("S", "TOCILIZUMAB", 1), give("S", "TOCILIZUMAB", 3), give("S", "ANAKINRA", 2)]
    datasets = derive(["S"], ae=[report("S", 2, 2, 5)], cm=cm).datasets
    adcm = datasets["ADCM"].sort_values(["CMDECOD", "ASTDY"])
    assert adcm["CMCLASS"].tolist() == ["ANAKINRA", "TOCILIZUMAB", "TOCILIZUMAB"]
    assert adcm["CRSRELDY"].tolist() == [0, -1, 1]
    assert adcm["CRSRELFL"].tolist() == ["AFTER", "BEFORE", "AFTER"]
    assert adcm["FRSTFL"].tolist() == ["Y", "Y", "N"]
    assert adcm["ICNRELFL"].tolist() == ["", "", ""]
    # The first dose within the episode, not the one before it.
    assert datasets["ADAESI"][["TOCIDY", "ANAKDY"]].to_numpy().tolist() == [[3, 2]]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("Dexamethasone sodium phosphate", "STEROID"),
        ("HYDROCORTISONE SODIUM SUCCINATE", "STEROID"),
        ("Prednisolone acetate", "STEROID"),
        ("NOREPINEPHRINE BITARTRATE", "VASOPRESSOR"),
        ("Noradrenaline acid tartrate", "VASOPRESSOR"),
        ("PHENYLEPHRINE HYDROCHLORIDE", "VASOPRESSOR"),
        ("Tocilizumab-aazg", "TOCILIZUMAB"),
        ("Metamizole sodium", "ANTIPYRETIC"),
        ("SODIUM PHOSPHATE", ""),
        ("Hydrocortisone butyrate", ""),
        ("Vasopressin antagonist", ""),
    ],
)
def test_a_salt_or_an_ester_is_of_the_class_of_its_drug(name, group):
    data = derive(["S"], cm=[give("S", name, 1)])
    assert data.datasets["ADCM"]["CMCLASS"].tolist() == [group]
    near = data.findings["rule_id"].eq("MEDICATIONNEARMISS").sum()
    assert near == (group == "" and name != "SODIUM PHOSPHATE")


def test_a_steroid_that_acts_where_it_is_applied_is_no_near_miss():
    cream = give("S", "HYDROCORTISONE BUTYRATE", 1, CMROUTE="TOPICAL")
    assert "MEDICATIONNEARMISS" not in set(derive(["S"], cm=[cream]).findings["rule_id"])


def test_short_names_of_a_study_are_no_words_of_other_names():
    study = make_cohort(["S"], cm=[give("S", "FLU VACCINE", 1), give("S", "FLU PHOSPHATE", 1)])
    study.options["medication_classes"] = {"LYMPHODEPLETION": ["FLU"]}
    data = study.derive()
    classes = data.datasets["ADCM"].set_index("CMDECOD")["CMCLASS"]
    assert classes.to_dict() == {"FLU VACCINE": "", "FLU PHOSPHATE": "LYMPHODEPLETION"}
    assert "MEDICATIONNEARMISS" not in set(data.findings["rule_id"])


@pytest.mark.parametrize(
    ("steroid", "grade"),
    [
        # Without an end it goes on, through the day after the fever.
        (("DEXAMETHASONE", -10), 2),
        (("DEXAMETHASONE", -10, 1), 0),
        (("DEXAMETHASONE", -10, 4), 2),
        (("DEXAMETHASONE", 1, ""), 2),
    ],
)
def test_an_ongoing_steroid_masks_the_fever_on_each_of_its_days(steroid, grade):
    fa = [*components("S", 2, "39.0", "NONE"), *components("S", 3, "36.8", "LOW FLOW")]
    adfa = derive(["S"], fa=fa, cm=[give("S", *steroid)]).datasets["ADFA"]
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "AVAL"].tolist() == [1, grade]


def test_a_dose_given_once_masks_the_fever_on_its_day_alone():
    fa = [*components("S", 2, "39.0", "NONE"), *components("S", 3, "36.8", "LOW FLOW")]
    once = give("S", "PARACETAMOL", 1, CMDOSFRQ="ONCE")
    adfa = derive(["S"], fa=fa, cm=[once]).datasets["ADFA"]
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "AVAL"].tolist() == [1, 0]


def test_long_term_medication_masks_the_fever_for_60_days():
    adcm = pd.DataFrame(
        {
            "USUBJID": ["S", "T", "U"],
            "CMCLASS": "STEROID",
            "CMDOSFRQ": "",
            "STDAY": [-30.0, 5.0, 7.0],
            "ENDAY": [400.0, np.nan, 9.0],
        }
    )
    spans = days_that_mask_fever(adcm).groupby("USUBJID")["ADY"].agg(["min", "max", "size"])
    assert spans.to_numpy().tolist() == [[0, 60, 61], [5, 65, 61], [7, 9, 3]]


@pytest.mark.parametrize(
    ("drug", "dose", "unit", "frequency", "days", "equivalent", "reason"),
    [
        ("DEXAMETHASONE", 10, "mg", "", 1, 10, ""),
        ("DEXAMETHASONE SODIUM PHOSPHATE", 10, "mg", "", 1, 10, ""),
        ("Methylprednisolone sodium succinate", 40, "mg", "", 1, 7.5, ""),
        ("DEXAMETHASONE", 10, "mg", "Q6H", 2, 80, ""),
        ("METHYLPREDNISOLONE", 1, "g", "ONCE", np.nan, 187.5, ""),
        ("PREDNISONE", 50, "mg", "QD", 3, 22.5, ""),
        ("HYDROCORTISONE", 100, "mg", "BID", 1, 7.5, ""),
        ("DEXAMETHASONE", np.nan, "mg", "", 1, None, "NODOSE"),
        ("DEXAMETHASONE", 2, "mg/kg", "", 1, None, "DOSEUNIT"),
        ("BUDESONIDE", 3, "mg", "", 1, None, "NOEQUIV"),
        ("DEXAMETHASONE", 10, "mg", "QD", np.nan, None, "NODURN"),
        ("DEXAMETHASONE", 10, "mg", "", 3, None, "NOFREQ"),
    ],
)
def test_a_steroid_dose_has_an_equivalent_or_a_reason(
    drug, dose, unit, frequency, days, equivalent, reason
):
    frame = pd.DataFrame(
        {
            "CMDECOD": [drug],
            "CMCLASS": ["STEROID"],
            "CMDOSE": [float(dose)],
            "CMDOSU": [unit],
            "CMDOSFRQ": [frequency],
            "DURDAYS": [float(days)],
        }
    )
    value, why = convert_steroids(frame)
    assert why.tolist() == [reason]
    assert value.isna().all() if equivalent is None else value.iloc[0] == pytest.approx(equivalent)


def test_steroid_doses_add_up_until_one_is_not_known():
    dose = {"CMDOSE": "10", "CMDOSU": "mg"}
    cm = [
        give("S", "DEXAMETHASONE", -3, -3, **dose),
        give("S", "DEXAMETHASONE", 2, 2, **dose),
        give("S", "DEXAMETHASONE", 3, 3, **dose),
        give("S", "DEXAMETHASONE", 4, 4, CMDOSU="mg"),
        give("S", "DEXAMETHASONE", 5, 5, **dose),
        give("S", "DEXAMETHASONE", 6, 6, CMROUTE="TOPICAL", **dose),
    ]
    adcm = derive(["S"], cm=cm).datasets["ADCM"].sort_values("ASTDY")
    assert adcm["DEXEQCUM"].fillna(-1).tolist() == [-1, 10, 20, -1, -1, -1]
    assert adcm["PREDEQ"].iloc[1] == pytest.approx(66.6667, abs=1e-3)
    assert adcm["CMCLASS"].tolist() == ["STEROID"] * 5 + [""]


# --- a published set of daily grades ---


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
