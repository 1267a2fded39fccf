"""Dates on the clock of the place, and the data cut-off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import small_study
from dateutil import tz
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import make_study

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.parsing import days_since, parse_dates

BERLIN = "Europe/Berlin"


def parse(texts, zone=""):
    text = pd.Series(texts)
    return parse_dates(text, pd.Series(zone, index=text.index))


def by_row(frame):
    return frame.set_index("SRCROW").sort_index()


# --- clocks ---


@pytest.mark.parametrize(
    ("text", "zone", "local"),
    [
        ("2024-07-01T10:00Z", BERLIN, "2024-07-01T12:00"),
        ("2024-01-15T10:00Z", BERLIN, "2024-01-15T11:00"),
        ("2024-07-01T10:00-0500", BERLIN, "2024-07-01T17:00"),
        ("2024-03-01T23:30+00:00", "Asia/Shanghai", "2024-03-02T07:30"),
        ("2024-03-01T10:00:15Z", "Asia/Shanghai", "2024-03-01T18:00:15"),
        ("2024-03-01T10:00", "Asia/Shanghai", "2024-03-01T10:00"),
    ],
)
def test_a_time_with_an_offset_is_brought_to_the_clock_of_the_place(text, zone, local):
    dates = parse([text], zone)
    assert dates.text.tolist() == [local]
    assert not dates.bad.any() and dates.has_time.all()


def test_an_offset_without_a_declared_zone_cannot_be_placed():
    dates = parse(["2024-03-01T10:00Z", "2024-03-01T10:00"])
    assert dates.unplaced.tolist() == dates.bad.tolist() == [True, False]


def test_times_that_a_change_of_the_clock_makes_unsure_are_marked():
    dates = parse(
        ["2024-10-27T02:30", "2024-10-27T02:30+01:00", "2024-03-31T02:30", "2024-10-27"], BERLIN
    )
    assert dates.ambiguous.tolist() == [True, False, False, False]
    assert dates.skipped.tolist() == [False, False, True, False]
    # Of two equal times the first is taken, in summer time.
    assert dates.offset.tolist()[:2] == [timedelta(hours=2), timedelta(hours=1)]


def test_days_that_passed_are_right_across_a_change_of_the_clock():
    dates = parse(["2024-03-30T10:00", "2024-03-31T10:00", "2024-03-31"], BERLIN)
    zero = pd.Series(dates.time[0], index=range(3))
    offset = pd.Series(dates.offset[0], index=range(3))
    # The clock was set forward in that night: 23 hours passed.
    assert days_since(dates, zero, offset).round(9).tolist() == [0, round(23 / 24, 9), 1]


@settings(max_examples=60, deadline=None)
@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)).map(
        lambda time: time.replace(second=0, microsecond=0)
    ),
    hours=st.floats(0, 2000),
    zone=st.sampled_from([BERLIN, "Asia/Shanghai", "America/New_York", "Australia/Sydney"]),
)
def test_elapsed_time_agrees_with_an_independent_library_in_any_zone(moment, hours, zone):
    end = (moment + timedelta(hours=hours)).replace(second=0, microsecond=0)
    there = tz.gettz(zone)
    utc = [m.replace(tzinfo=UTC) for m in (moment, end)]
    local = [m.astimezone(there) for m in utc]
    dates = parse([f"{m:%Y-%m-%dT%H:%M}Z" for m in (moment, end)], zone)
    assert dates.text.tolist() == [f"{m:%Y-%m-%dT%H:%M}" for m in local]
    days = days_since(dates, *(pd.Series(x[0], index=[0, 1]) for x in (dates.time, dates.offset)))
    assert abs(days[1] - (end - moment).total_seconds() / 86400) < 1e-9


def test_a_site_may_lie_in_a_zone_of_its_own():
    study = make_study()
    study.options["time"] = {
        "time_zone": "Asia/Shanghai",
        "site_time_zones": {"02": "America/New_York"},
    }
    study.set("DM", 1, "SITEID", "01")
    study.set("DM", 2, "SITEID", "02")
    study.set("PC", 2, "PCDTC", "2024-03-08T02:00Z")
    study.set("PC", 5, "PCDTC", "2024-04-11T16:00Z")
    data = study.derive()
    adpc = by_row(data.datasets["ADPC"])
    assert data.errors == 0
    assert adpc.loc[[2, 5], "ADTM"].tolist() == ["2024-03-08T10:00", "2024-04-11T12:00"]
    assert adpc.loc[[2, 5], "AFRLT"].tolist() == [7, 10]


def test_midnight_stands_for_an_infusion_without_time_of_day_in_any_zone():
    study = make_study()
    study.options["time"] = {"time_zone": "Asia/Shanghai"}
    study.set("EX", 2, "EXSTDTC", "2024-03-01")
    adpc = by_row(study.derive().datasets["ADPC"])
    assert adpc.loc[2, "AFRLT"] == 7 + 10 / 24


def test_an_unknown_zone_is_refused():
    with pytest.raises(ValueError, match="IANA time zone"):
        StudyDataSettings.model_validate(
            {
                "root": "raw",
                "sources": {"DM": {"file": "d"}, "EX": {"file": "e"}},
                "time": {"site_time_zones": {"01": "Mars/Olympus"}},
            }
        )


# --- cut-off (the small study's is 2024-12-31) ---


def test_the_cut_off_filters_every_domain_by_one_rule(study):
    late = "2025-01-01"
    study.set("RS", 4, "RSDTC", late)
    study.set("PC", 5, "PCDTC", f"{late}T10:00")
    study.set("AE", 3, "AESTDTC", "2025-01")
    study.set("CM", 2, "CMSTDTC", late)
    study.set("LOTS", 2, "MFGDTC", late)
    study.set("IS", 5, "ISDTC", late)
    study.set("LB", 3, "LBDTC", "2024-12-31T23:59")
    data = study.derive()
    assert data.errors == 0
    excluded = data.exclusions[["domain", "row", "reason"]].to_numpy().tolist()
    assert sorted(excluded) == [
        ["AE", 3, "AFTERCUTOFF"],
        ["CM", 2, "AFTERCUTOFF"],
        ["IS", 5, "AFTERCUTOFF"],
        ["LOTS", 2, "AFTERCUTOFF"],
        ["PC", 5, "AFTERCUTOFF"],
        ["RS", 4, "AFTERCUTOFF"],
    ]
    notes = data.findings[data.findings["rule_id"] == "AFTERCUTOFF"]
    assert notes["severity"].unique().tolist() == ["note"]
    assert sorted(notes["domain"]) == ["AE", "CM", "IS", "LOTS", "PC", "RS"]


def test_what_happened_after_the_cut_off_is_not_yet_known(study):
    study.set("DM", 2, "DTHDTC", "2025-01-10")
    study.set("AE", 4, "AEENDTC", "2025-02-01")
    data = study.derive()
    adsl = data.datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["B", "DTHDTC"] == "" and adsl["DTHDY"].isna().all()
    assert by_row(data.datasets["ADAE"]).loc[4, "AENDTM"] == ""
    notes = data.findings[data.findings["rule_id"] == "OPENATCUTOFF"]
    assert sorted(notes["column"]) == ["AEENDTC", "DTHDTC"]


def test_an_infusion_after_the_cut_off_has_not_taken_place(study):
    study.set("EX", 3, "EXSTDTC", "2025-01-02T12:00")
    data = study.derive()
    adsl = data.datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["B", ["SAFFL", "NSAFRSN"]].tolist() == ["N", "NOTINFUSED"]


def test_a_subject_who_consents_after_the_cut_off_is_not_yet_in_the_study(study):
    study.set("DM", 3, "RFICDTC", "2025-01-02")
    study.repeat("CM", 2, {"USUBJID": "C"})
    data = study.derive()
    assert data.errors == 0
    assert data.datasets["ADSL"]["USUBJID"].tolist() == ["A", "B"]
    assert dict(zip(data.exclusions["domain"], data.exclusions["reason"], strict=True)) == {
        "CM": "NOTSELECTED",
        "DM": "AFTERCUTOFF",
        "DS": "NOTSELECTED",
    }


def test_a_study_may_keep_what_lies_after_the_cut_off(study):
    study.options["time"] = {"cutoff": "keep"}
    study.set("RS", 4, "RSDTC", "2025-01-01")
    data = study.derive()
    assert data.exclusions.empty
    assert by_row(data.datasets["ADRS"].query("PARAMCD == 'OVR'")).loc[4, "AFRLT"] == 306


def test_a_year_typed_wrong_is_an_error_and_no_reason_of_the_cut_off(study):
    study.set("RS", 4, "RSDTC", "2204-09-01")
    data = study.derive()
    assert data.exclusions[["row", "reason"]].to_numpy().tolist() == [[4, "BADDATE"]]
    assert data.findings.iloc[0][["rule_id", "severity"]].tolist() == ["DATEIMPLAUSIBLE", "error"]


def test_a_birth_may_lie_a_life_before_the_study_and_may_be_a_year_only():
    study = make_study()
    study.set("DM", 1, "BRTHDTC", "1942")
    study.set("DM", 3, "BRTHDTC", "1779-05-01")
    findings = study.derive().findings
    births = findings[findings["column"] == "BRTHDTC"]
    assert births[["rule_id", "row"]].to_numpy().tolist() == [["DATEIMPLAUSIBLE", 3.0]]


# --- times that count from the infusion ---


def relate_hours(study, hours):
    study.options["time"] = {"time_zone": BERLIN}
    study.sources["PC"]["relative_time"] = {"PCDTC": {"column": "HRS", "unit": "hours"}}
    study.tables["PC"] = study.tables["PC"].drop(columns="PCDTC").assign(HRS=hours)
    data = study.derive()
    return data, by_row(data.datasets["ADPC"])


def test_hours_since_the_infusion_pass_whatever_the_clock_does(study):
    # In Berlin the clock was set forward on 2024-03-31 and back on 2024-10-27.
    study.set("EX", 2, "EXSTDTC", "2024-03-30T10:00")
    study.set("EX", 2, "EXENDTC", "")
    _, adpc = relate_hours(study, ["-1", "48", "672", "-1", "240"])
    assert (adpc["AFRLT"] * 24).round(6).tolist() == [-1, 48, 672, -1, 240]
    assert adpc["ADTM"].iloc[1] == "2024-04-01T11:00"


def test_an_infusion_with_an_offset_is_a_zero_to_count_from(study):
    for row in (2, 3):
        study.set("EX", row, "EXENDTC", "")
    study.set("EX", 2, "EXSTDTC", "2024-03-01T10:00+01:00")
    # The second of the two times 02:30 of that night.
    study.set("EX", 3, "EXSTDTC", "2024-10-27T02:30+01:00")
    data, adpc = relate_hours(study, ["-1", "168", "672", "-1", "24"])
    assert not data.findings["rule_id"].isin(["RELATIVETIMELOST", "RELATIVETIMEBAD"]).any()
    assert (adpc["AFRLT"] * 24).round(6).tolist() == [-1, 168, 672, -1, 24]
    assert adpc["ADTM"].tolist()[3:] == ["2024-10-27T02:30", "2024-10-28T02:30"]


# --- what a date may be ---


def test_the_hour_alone_is_a_time_of_day():
    dates = parse(["2024-03-08T10", "2024-03-08T10+01:00", "2024-03-08T24", "2024-03-08T1"], BERLIN)
    assert dates.time.dt.hour.fillna(-1).tolist() == [10, 10, -1, -1]
    assert dates.has_time.tolist() == [True, True, False, False]
    assert dates.bad.tolist() == [False, False, True, True]


def test_an_offset_beyond_14_hours_is_none():
    dates = parse(["2024-03-08T10:00+14:00", "2024-03-08T10:00+15:00"], BERLIN)
    assert dates.bad.tolist() == [False, True]


def derive_by(monkeypatch, study, cutoff):
    monkeypatch.setattr(
        small_study, "STUDY", small_study.STUDY.model_copy(update={"data_cutoff": cutoff})
    )
    return study.derive()


def test_a_partial_date_lies_after_the_cut_off_only_if_all_its_days_do(study, monkeypatch):
    study.set("AE", 1, "AESTDTC", "2024-12")
    study.set("AE", 1, "AEENDTC", "")
    study.set("AE", 2, "AESTDTC", "2025-01")
    study.set("AE", 4, "AEENDTC", "2024-12")
    data = derive_by(monkeypatch, study, date(2024, 12, 15))
    excluded = data.exclusions[data.exclusions["domain"] == "AE"]
    assert excluded[["row", "reason"]].to_numpy().tolist() == [[2, "AFTERCUTOFF"]]
    adae = by_row(data.datasets["ADAE"])
    assert adae.loc[4, "AENDTM"] == "2024-12-15"


def test_a_partial_date_is_implausible_only_if_all_its_days_are(study, monkeypatch):
    # Two years after the cut-off is 2026-12-15.
    study.options["time"] = {"cutoff": "keep"}
    study.set("AE", 1, "AEENDTC", "2026-12")
    study.set("AE", 4, "AEENDTC", "2027-01")
    data = derive_by(monkeypatch, study, date(2024, 12, 15))
    found = data.findings[data.findings["rule_id"] == "DATEIMPLAUSIBLE"]
    assert found["row"].tolist() == [4]


@pytest.mark.parametrize(
    "options",
    [
        {"time": {"years_after_cutoff": 1000}},
        {"safety": {"episode_gap_days": 10**400}},
        {"dosing": {"dlt_period": 1e12}},
    ],
)
def test_a_setting_that_no_calendar_can_hold_is_refused(options):
    values = {"root": "r", "sources": {"DM": {"file": "d"}, "EX": {"file": "e"}}, **options}
    with pytest.raises(ValueError, match="less than or equal"):
        StudyDataSettings.model_validate(values)
