"""Times in relation to the doses: current dose, pre-dose samples, windows, planned days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import make_study

from celldossier.study_data.dose_times import relate_to_doses
from celldossier.study_data.hours import place_in_day
from celldossier.study_data.samples import count_days
from celldossier.study_data.subjects import Subjects


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
    assert planned == pytest.approx(nominal - DOSES["planned"][dose - 1], nan_ok=True)


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


@pytest.mark.slow
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


@pytest.mark.slow
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


# --- samples whose hour is not known ---


def list_rows(data, rule):
    return data.findings.loc[data.findings["rule_id"] == rule, "row"].tolist()


def test_a_kinetics_sample_without_time_keeps_its_day_and_takes_the_hour_of_the_plan(study):
    study.set("PC", 3, "PCDTC", "2024-04-20")
    study.set("PC", 2, "PCDTC", "2024-03-08")
    data = study.derive()
    adpc = by_row(data.datasets["ADPC"])
    # Planned for day 28, taken on day 50: the date holds, and contradicts the plan.
    assert adpc.loc[[2, 3], "AFRLT"].tolist() == [7, 50]
    assert adpc.loc[[2, 3], "TIMEDEV"].tolist() == [0, 22]
    assert list_rows(data, "TIMECONTRADICTS") == [3]
    found = data.findings[data.findings["rule_id"] == "TIMEFROMNOMINAL"]
    assert found["row"].tolist() == [2, 3]
    assert "(28 d) it counts as 50 d" in found["message_en"].iloc[1]
    assert "按50 d计" in found["message_zh"].iloc[1]


@pytest.mark.parametrize("date", ["", "2024-03"])
def test_without_a_full_date_the_nominal_time_alone_holds(study, date):
    study.set("PC", 3, "PCDTC", date)
    study.tables["PC"].loc[3, "PCTPTNUM"] = "28.25"
    assert by_row(study.derive().datasets["ADPC"]).loc[3, "AFRLT"] == 28.25


def test_a_date_after_a_delayed_dose_belongs_to_that_dose(study):
    study.repeat("EX", 2, {"EXSTDTC": "2024-03-11T15:00", "EXENDTC": "", "EXTPTNUM": "7"})
    study.set("EX", 2, "EXTPTNUM", "0")
    # Planned four hours after dose 2 of day 7, which was given on day 10.
    study.set("PC", 2, "PCTPTNUM", str(7 + 4 / 24))
    study.set("PC", 2, "PCDTC", "2024-03-11")
    # Planned before it, on its day.
    study.set("PC", 3, "PCTPTNUM", "7")
    study.set("PC", 3, "PCDTC", "2024-03-11")
    adpc = by_row(study.derive().datasets["ADPC"])
    assert adpc.loc[[2, 3], "DOSENO"].tolist() == [2, 2]
    assert adpc.loc[[2, 3], "ARRLT"].round(6).tolist() == [round(4 / 24, 6), 0]


PLACED = [
    # Time zero at 10:00; the day, the plan, and where the sample is put.
    (28, 28.0, 28.0),
    (29, 28.25, 29.25),
    (27, 28.25, 27.25),
    (-1, 0.0, -1.0),
    (0, -0.04, -0.04),
    (0, 0.25, 0.25),
    # 20:00 of the evening before, dated on the day of the infusion: before it, not after.
    (0, -14 / 24, -10 / 24),
    # 22:48 of day 6, dated on the day of the infusion: after it, not before.
    (0, 6 + 12.8 / 24, 12.8 / 24),
    (0, 6.9, 14 / 24),
    (3, np.nan, 3.0),
]


@pytest.mark.parametrize(("day", "nominal", "expected"), PLACED)
def test_the_plan_gives_the_hour_and_never_another_day(day, nominal, expected):
    zero = pd.Timestamp("2024-03-01T10:00")
    frame = pd.DataFrame({"zero": [zero]}, index=["A"])
    subjects = Subjects(frame, True, doses=DOSES.iloc[:1])
    one = pd.Series(["A"])
    placed = place_in_day(one, pd.Series([float(day)]), pd.Series([nominal]), subjects)
    assert placed.round(9).tolist() == [round(expected, 9)]


@settings(max_examples=200, deadline=None)
@given(
    day=st.integers(-30, 400),
    nominal=st.floats(-30, 400, allow_nan=False),
    hour=st.integers(0, 1439),
)
def test_a_placed_sample_lies_in_the_day_of_its_date_and_on_its_side_of_the_dose(
    day, nominal, hour
):
    zero = pd.Timestamp("2024-03-01") + pd.Timedelta(minutes=hour)
    frame = pd.DataFrame({"zero": [zero]}, index=["A"])
    subjects = Subjects(frame, True, doses=DOSES.iloc[:1])
    one = pd.Series(["A"])
    placed = place_in_day(one, pd.Series([float(day)]), pd.Series([nominal]), subjects)[0]
    share = hour / 1440
    assert day - share - 1e-6 <= placed <= day - share + 1 + 1e-6
    if day == 0:
        assert placed <= 0 if nominal <= 0 else placed > 0


def test_where_the_infusion_has_no_time_samples_of_its_day_are_placed_by_their_plan(study):
    for row, date in ((2, "2024-03-01"), (3, "2024-04-01")):
        study.set("EX", row, "EXSTDTC", date)
        study.set("EX", row, "EXENDTC", "")
    study.set("PC", 1, "PCORRES", "300")
    study.set("PC", 4, "PCTPTNUM", "0.25")
    data = study.derive()
    adpc = by_row(data.datasets["ADPC"])
    assert adpc.loc[[1, 4], "AFRLT"].tolist() == [0, 0.25]
    assert adpc["ABLFL"].tolist() == ["Y", "N", "N", "N", "N"]
    # Samples of other days count from 00:00 of the day of the infusion, as its finding says.
    assert adpc.loc[2, "AFRLT"] == pytest.approx(7 + 10 / 24)
    adab = by_row(data.datasets["ADAB"])
    assert adab.loc[[1, 5], "AFRLT"].tolist() == [0, 0]
    assert adab.loc[[1, 5], "ABLFL"].tolist() == ["Y", "Y"]
    assert data.datasets["ADSL"].set_index("USUBJID").loc["A", "IMFL"] == "Y"
    assert list_rows(data, "PREDOSEQUANTIFIABLE") == [1]
    found = data.findings[data.findings["rule_id"] == "INFUSIONHOURUNKNOWN"]
    assert found[["domain", "row"]].to_numpy().tolist() == [
        *(["PC", 1], ["PC", 4], ["IS", 1], ["IS", 5])
    ]


def test_a_sample_planned_after_the_infusion_is_no_baseline(study):
    study.set("LB", 1, "LBTPTNUM", "-1")
    study.set("LB", 2, "LBTPTNUM", "0.17")
    study.set("LB", 2, "LBORRES", "60")
    study.set("PC", 2, "PCDTC", "2024-03-01T10:00")
    study.set("PC", 2, "PCTPTNUM", "0.04")
    data = study.derive()
    adpd = by_row(data.datasets["ADPD"])
    # Dated to the day of the infusion, planned four hours after it.
    assert adpd.loc[[1, 2], "ABLFL"].tolist() == ["Y", "N"]
    assert adpd.loc[[2, 3], "BASE"].tolist() == [5, 5]
    assert adpd.loc[2, "CHG"] == 55 and np.isnan(adpd.loc[1, "CHG"])
    # At time zero itself, planned an hour after it.
    adpc = by_row(data.datasets["ADPC"])
    assert adpc.loc[2, ["AFRLT", "ABLFL"]].tolist() == [0, "N"]
    assert adpc.loc[1, "ABLFL"] == "Y"
    assert list_rows(data, "PREDOSEQUANTIFIABLE") == []
