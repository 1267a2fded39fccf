"""Episodes of events, and the events that the exposure-response reads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohort_study import daily, date, derive, derive_outcomes, make_cohort, report

from celldossier.study_data.episodes import number_episodes


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
