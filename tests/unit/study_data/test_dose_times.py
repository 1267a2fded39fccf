"""Times in relation to the doses: current dose, pre-dose samples, windows, planned days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import make_study

from celldossier.study_data.dose_times import relate_to_doses
from celldossier.study_data.samples import count_days


def by_row(frame):
    return frame.set_index("SRCROW").sort_index()


DOSES = pd.DataFrame(
    {
        "USUBJID": ["A", "A", "A"],
        "DOSENO": [1.0, 2.0, 3.0],
        "start": [0.0, 7.2, 14.1],
        "day": [0.0, 7.0, 14.0],
        "planned": [0.0, 7.0, 14.0],
    }
)


def relate(actual, nominal, timed=True, window=1.0, doses=DOSES):
    times = pd.DataFrame({"actual": [actual], "nominal": [nominal], "timed": [timed]})
    found = relate_to_doses(pd.Series(["A"]), times, doses, window)
    return found.iloc[0].round(9).tolist()


@pytest.mark.parametrize(
    ("actual", "nominal", "dose"),
    [
        (-14, -14, 1),
        (-0.1, 0, 1),
        (0, 0, 1),
        (3, 3, 1),
        # The trough of dose 1 is the pre-dose sample of dose 2.
        (7.15, 7, 2),
        (6.3, 7, 2),
        (6.3, np.nan, 2),
        # A day too early for a pre-dose sample, or planned for another day.
        (6.1, 7, 1),
        (6.3, 6, 1),
        # At the start of the infusion, and after it although planned before it.
        (7.2, 7, 2),
        (7.3, 7, 2),
        (13.9, 14, 3),
        (200, 200, 3),
    ],
)
def test_a_sample_belongs_to_the_last_infusion_or_as_pre_dose_sample_to_the_next(
    actual, nominal, dose
):
    number, since, planned = relate(actual, nominal)
    assert number == dose
    assert since == round(actual - DOSES["start"][dose - 1], 9)
    assert planned == nominal - DOSES["planned"][dose - 1] or np.isnan(nominal)


def test_a_sample_dated_to_the_day_is_held_against_the_day_of_the_infusion():
    assert relate(7.0, 7, timed=False) == [2, 0, 0]
    assert relate(6.0, 6, timed=False) == [1, 6, 6]


def test_without_a_planned_time_of_the_dose_the_window_alone_decides():
    doses = DOSES.assign(planned=[0.0, np.nan, np.nan])
    assert relate(6.5, 3, doses=doses)[0] == 2
    assert np.isnan(relate(8, 8, doses=doses)[2])


@settings(max_examples=60, deadline=None)
@given(
    times=st.lists(st.integers(-300, 600).map(lambda n: n / 10), min_size=1, max_size=12),
    starts=st.lists(
        st.integers(10, 500).map(lambda n: n / 10), min_size=0, max_size=4, unique=True
    ),
    seed=st.integers(0, 100),
)
def test_the_current_dose_agrees_with_a_search_by_hand_in_any_order(times, starts, seed):
    starts = [0.0, *sorted(starts)]
    doses = pd.DataFrame(
        {"USUBJID": "A", "DOSENO": np.arange(1.0, len(starts) + 1), "start": starts}
    ).assign(day=starts, planned=starts)
    samples = pd.DataFrame({"actual": times, "nominal": np.nan, "timed": True})
    samples = samples.sample(frac=1, random_state=seed)
    found = relate_to_doses(pd.Series("A", index=samples.index), samples, doses, 0.0)
    for place, time in samples["actual"].items():
        given_before = [number for number, start in enumerate(starts, 1) if start <= time]
        assert found.loc[place, "DOSENO"] == max(given_before, default=1)


def test_samples_of_repeat_doses_count_from_their_dose(study):
    study.repeat("EX", 2, {"EXSTDTC": "2024-03-08T15:00", "EXENDTC": "", "EXTPTNUM": "7"})
    study.set("EX", 2, "EXTPTNUM", "0")
    study.set("LB", 3, "LBDTC", "2024-03-08")
    datasets = study.derive().datasets
    adpc = by_row(datasets["ADPC"])
    # Sample 2, of 2024-03-08T10:00 and planned for day 7, is the pre-dose sample of dose 2.
    assert adpc.loc[[1, 2, 3], "DOSENO"].tolist() == [1, 2, 2]
    assert adpc.loc[[1, 2, 3], "ARRLT"].round(6).tolist() == [-0.041667, -0.208333, 21.041667]
    assert adpc.loc[[1, 2, 3], "NRRLT"].tolist() == [0, 0, 21]
    assert adpc.loc[3, "TIMEDEV"] == pytest.approx(21.041667 - 21, abs=1e-6)
    assert adpc.loc[[4, 5], "DOSENO"].tolist() == [1, 1]
    assert by_row(datasets["ADPD"]).loc[3, ["DOSENO", "ARRLT"]].tolist() == [2, 0]
    assert by_row(datasets["ADEX"])["NFRLT"].fillna(-1).tolist() == [-1, 0, -1, 7]


def test_nominal_times_may_count_from_the_current_dose(study):
    study.repeat("EX", 2, {"EXSTDTC": "2024-03-08T15:00", "EXENDTC": "", "EXTPTNUM": "7"})
    study.sources["PC"]["nominal_time_reference"] = "current_dose"
    study.set("PC", 2, "PCTPTNUM", "0")
    study.set("PC", 3, "PCTPTNUM", "21")
    adpc = by_row(study.derive().datasets["ADPC"])
    assert adpc.loc[[1, 2, 3], "NFRLT"].tolist() == [0, 7, 28]
    assert adpc.loc[[1, 2, 3], "NRRLT"].tolist() == [0, 0, 21]
    assert adpc.loc[[1, 2, 3], "DOSENO"].tolist() == [1, 2, 2]


def test_windows_flag_and_find_what_lies_outside(study):
    study.options["time"] = {
        "windows": [
            {"day": 7, "early": 1, "late": 1},
            {"day": 10, "until": 20, "early": 12, "late": 12, "unit": "hours"},
            {"day": 21, "until": 400, "early": 0, "late": 1, "unit": "percent"},
        ]
    }
    study.set("PC", 2, "PCDTC", "2024-03-09T10:00")
    data = study.derive()
    adpc = by_row(data.datasets["ADPC"])
    # Exactly a day late is inside; 6 h late is within 1 % of 28 d; no window holds for day 0.
    assert adpc["WINFL"].tolist() == ["", "Y", "Y", "", "Y"]
    study.set("PC", 3, "PCDTC", "2024-03-29T17:00")
    data = study.derive()
    assert by_row(data.datasets["ADPC"])["WINFL"].tolist() == ["", "Y", "N", "", "Y"]
    found = data.findings[data.findings["rule_id"] == "SAMPLEWINDOW"]
    assert found[["row", "severity"]].to_numpy().tolist() == [[3, "warning"]]
    assert "0.292 d" in found["message_en"].iloc[0]


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("sdtm", [-2, -1, None, 0, 1]),
        ("day_zero", [-2, -1, 0, 1, 2]),
        ("day_one", [-3, -2, -1, 0, 1]),
    ],
)
def test_planned_days_are_counted_by_their_convention(convention, expected):
    days = count_days(pd.Series([-2.0, -1, 0, 1, 2]), convention)
    assert [None if np.isnan(day) else day for day in days] == expected


def test_a_source_may_count_its_days_in_its_own_way(study):
    study.options["time"] = {"visit_day_convention": "day_one"}
    study.sources["LB"]["visit_day_convention"] = "day_zero"
    study.set("LB", 3, "VISITDY", "4")
    study.set("IS", 2, "VISITDY", "29")
    datasets = study.derive().datasets
    assert by_row(datasets["ADPD"]).loc[3, "NFRLT"] == 4
    assert by_row(datasets["ADAB"]).loc[2, "NFRLT"] == 28


# --- what must change nothing ---


def shift(study, days):
    """Move every date of the study."""
    for name, table in study.tables.items():
        for column in [c for c in table.columns if c.endswith("DTC")]:
            full = table[column].str.len() >= 10
            moved = pd.to_datetime(table[column].where(full), format="ISO8601")
            moved = moved + pd.Timedelta(days=days)
            text = moved.dt.strftime("%Y-%m-%dT%H:%M")
            text = text.where(table[column].str.contains("T"), text.str[:10])
            study.tables[name] = study.tables[name].assign(
                **{column: text.where(full, table[column])}
            )


@settings(max_examples=4, deadline=None)
@given(days=st.integers(-300, 180))
def test_shifting_all_dates_changes_no_day(days):
    plain, moved = make_study(), make_study()
    for study in (plain, moved):
        study.options["time"] = {"cutoff": "keep"}
        study.set("AE", 2, "AESTDTC", "")
        study.set("AE", 3, "AESTDTC", "")
    shift(moved, days)
    first, second = plain.derive().datasets, moved.derive().datasets
    for name in ("ADPC", "ADPD", "ADAB", "ADAE", "ADRS", "ADCM", "ADEX"):
        dates = [c for c in first[name].columns if c.endswith("DTM")]
        pd.testing.assert_frame_equal(
            by_row(first[name]).drop(columns=dates), by_row(second[name]).drop(columns=dates)
        )


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_rows_changes_nothing(seed):
    plain, mixed = make_study(), make_study()
    for name, table in mixed.tables.items():
        mixed.tables[name] = table.sample(frac=1, random_state=seed)
    first, second = plain.derive(), mixed.derive()
    for name, frame in first.datasets.items():
        pd.testing.assert_frame_equal(frame, second.datasets[name])
    pd.testing.assert_frame_equal(first.findings, second.findings)
