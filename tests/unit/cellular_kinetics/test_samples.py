"""R1, R2, R3, R8: what is taken as a sample, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.samples import check_samples
from celldossier.errors import InputDataError

PROFILE = [(0, "BLQ"), (7, 1000.0), (14, 4000.0), (21, 900.0), (28, 300.0), (60, 80.0)]


def text_frame(**columns):
    base = {
        "USUBJID": ["S1", "S1"],
        "ANALYTE": ["PCR", "PCR"],
        "TIME": ["0", "7"],
        "CONC": ["", "100"],
        "BLQ": ["1", "0"],
        "LLOQ": ["50", "50"],
    }
    return pd.DataFrame({**base, **columns})


def faults_of(frame):
    with pytest.raises(InputDataError) as caught:
        check_samples(frame)
    return caught.value.faults


def test_all_missing_columns_are_named_at_once():
    faults = faults_of(text_frame().drop(columns=["LLOQ", "BLQ"]))
    assert len(faults) == 2
    assert "BLQ" in faults[0] and "LLOQ" in faults[1]


def test_an_input_without_rows_is_refused():
    assert "no rows" in faults_of(text_frame().iloc[:0])[0]


def test_text_in_numeric_columns_is_listed_with_row_and_value():
    faults = faults_of(text_frame(CONC=["", "abc"], TIME=["x", "7"]))
    assert len(faults) == 2
    assert any("Data row 1" in fault and "'x'" in fault and "TIME" in fault for fault in faults)
    assert any("Data row 2" in fault and "'abc'" in fault and "CONC" in fault for fault in faults)


@pytest.mark.parametrize("text", ["NaN", "inf", "NA", "1e999"])
def test_texts_that_numpy_would_take_for_numbers_are_refused(text):
    assert len(faults_of(text_frame(CONC=["", text]))) == 1


def test_many_faults_of_one_kind_are_shown_in_part_and_counted():
    frame = text_frame().iloc[[1] * 50].assign(CONC="abc", TIME=[str(i) for i in range(50)])
    faults = faults_of(frame)
    assert len(faults) == 21
    assert "30 more rows" in faults[-1]


def test_nd_is_refused_until_the_study_says_what_it_means():
    assert "not detected" in faults_of(text_frame(CONC=["", "ND"]))[0]


@pytest.mark.parametrize("text", ["BLQ", "BQL", "<LLOQ", "<50", "< 50", "blq"])
def test_reported_texts_below_the_limit_are_blq(text):
    checked = check_samples(text_frame(CONC=[text, "100"]))
    assert np.isnan(checked["CONC"].iloc[0]) and checked["LLOQ"].iloc[0] == 50


def test_a_reported_limit_fills_a_blank_lloq_and_must_not_differ_from_a_given_one():
    checked = check_samples(text_frame(CONC=["<40", "100"], LLOQ=["", "50"]))
    assert checked["LLOQ"].tolist() == [40.0, 50.0]
    assert "differs" in faults_of(text_frame(CONC=["<40", "100"]))[0]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"CONC": ["60", "100"]}, "CONC is given where BLQ = 1"),
        ({"CONC": ["", "-1"]}, "negative"),
        ({"BLQ": ["1", "2"]}, "neither 0 nor 1"),
        ({"BLQ": ["1", ""]}, "neither 0 nor 1"),
        ({"CONC": ["", "<50"]}, "reported as BLQ where BLQ = 0"),
        ({"LLOQ": ["0", "50"]}, "LLOQ is not above 0"),
        ({"TIME": ["0", ""]}, "TIME is blank"),
        ({"USUBJID": ["S1", ""]}, "USUBJID is blank"),
        ({"ULOQ": ["", "40"]}, "ULOQ is not above LLOQ"),
        ({"CENSTIME": ["20", "25"]}, "several censoring times"),
        ({"CONCU": ["copies/ug", "cells/uL"]}, "several concentration units"),
    ],
)
def test_contradictory_values_are_refused(columns, words):
    faults = faults_of(text_frame(**columns))
    assert len(faults) == 1
    assert words in faults[0]


def test_a_missing_result_may_lack_its_time_and_is_counted(run):
    result = run([*PROFILE, (np.nan, None)])
    missing = result.dispositions[result.dispositions["DISPOS"] == "MISSING"]
    assert missing["USED"].tolist() == ["N"]


def test_a_missing_result_is_no_blq(nca):
    without, given = nca(PROFILE), nca([*PROFILE, (35, None), (42, None)])
    assert np.isnan(given["TBQL"].value)
    assert given["AUCLST"].value == without["AUCLST"].value


def test_a_number_below_the_limit_is_blq_with_a_finding_and_equal_to_it_is_quantifiable(run):
    result = run([(0, "BLQ"), (7, 49.9), (14, 50.0), (21, 60.0)])
    assert result.findings["CODE"].tolist() == ["BELOWLLQ"]
    assert result.findings["ROW"].tolist() == [2]
    assert result.dispositions["DISPOS"].tolist() == ["BLQFIRST", "BLQFIRST", "QUANT", "QUANT"]
    assert result.dispositions["BLQ"].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_a_zero_without_a_limit_is_blq_with_a_finding(run):
    result = run([(0, 0.0), (7, 60.0)], columns={"lloq": np.nan})
    assert result.findings["CODE"].tolist() == ["ZEROCONC"]
    assert result.dispositions["DISPOS"].tolist() == ["BLQFIRST", "QUANT"]


def test_above_the_upper_limit_is_used_as_reported_and_flags_cmax(nca):
    answer = nca(PROFILE, columns={"ULOQ": 3000.0})
    assert answer["CMAX"] == (4000.0, "", "ALQ", "")


def test_two_results_at_one_time_are_an_error_that_lists_all(samples, settings):
    frame = samples([*PROFILE, (7, 1200.0), (21, 800.0)])
    with pytest.raises(InputDataError) as caught:
        estimate_nca(frame, settings())
    assert len(caught.value.faults) == 2
    assert "data rows 2, 7" in caught.value.faults[0]


@pytest.mark.parametrize(("choice", "cmax"), [("first", 4000.0), ("mean", 4500.0), ("max", 5000.0)])
def test_duplicates_are_resolved_as_the_setting_says(run, choice, cmax):
    result = run([*PROFILE, (14, 5000.0)], duplicates=choice)
    values = result.parameters.set_index("PARAMCD")["AVAL"]
    assert values["CMAX"] == cmax
    assert result.findings["CODE"].tolist() == ["DUPREC"]
    assert (result.dispositions["USED"] == "N").sum() == 1


def test_the_mean_of_duplicates_counts_blq_as_zero_and_may_be_blq_itself(run):
    high = run([*PROFILE, (14, "BLQ")], duplicates="mean").parameters.set_index("PARAMCD")
    assert high.loc["CMAX", "AVAL"] == 2000.0
    low = run([(0, "BLQ"), (7, 90.0), (7, "BLQ"), (14, 200.0)], duplicates="mean")
    assert "BLQFIRST" in low.dispositions.loc[low.dispositions["RELTIME"] == 7, "DISPOS"].tolist()


def test_the_last_record_at_or_before_the_dose_is_pre_dose_and_earlier_ones_are_listed(run):
    result = run([(-30, "BLQ"), (-7, "BLQ"), (-0.1, "BLQ"), (7, 1000.0), (14, 500.0)])
    used = result.dispositions
    assert used["DISPOS"].tolist() == ["SCREEN", "SCREEN", "BLQFIRST", "QUANT", "QUANT"]
    assert used["RELTIME"].tolist()[2] == 0.0
    assert result.findings["CODE"].tolist() == ["SCREEN", "SCREEN"]


def test_a_quantifiable_pre_dose_sample_is_kept_with_a_finding(run, nca):
    points = [(-1, 100.0), (10, 1000.0)]
    assert nca(points)["AUCLST"].value == pytest.approx(10 * 1100 / 2, rel=1e-12)
    assert run(points).findings["CODE"].tolist() == ["PREDOSEQ"]


def test_without_a_pre_dose_record_zero_is_put_in_and_flagged(nca):
    answer = nca([(10, 1000.0), (20, 500.0)])
    assert answer["AUCLST"].flag == "START0"
    assert answer["AUCLST"].value == pytest.approx(5000 + 10 * 500 / np.log(2), rel=1e-12)


def test_without_a_pre_dose_record_and_without_zero_areas_are_empty(nca):
    answer = nca([(10, 1000.0), (20, 500.0)], start="none")
    for code in ("AUCLST", "AUC28", "AUCIFO"):
        assert answer[code].reason == "NOSTART"
    assert answer["CMAX"].value == 1000.0


def test_every_row_has_one_disposition_and_the_counts_agree(run):
    points = [(-7, "BLQ"), (0, "BLQ"), (3, None), (7, 900.0), (10, "BLQ"), (14, 5000.0)]
    points += [(21, "BLQ"), (28, 400.0), (60, "BLQ"), (90, "BLQ")]
    dispositions = run(points).dispositions
    assert sorted(dispositions["ROW"]) == list(range(1, 11))
    assert dispositions["USED"].value_counts().to_dict() == {"Y": 7, "N": 3}


def test_the_dose_time_sets_the_clock(nca):
    shifted = [(time + 5, result) for time, result in PROFILE]
    plain, moved = nca(PROFILE), nca(shifted, columns={"DOSETIME": 5.0})
    assert {code: a.value for code, a in moved.items()} == pytest.approx(
        {code: a.value for code, a in plain.items()}, rel=1e-12, nan_ok=True
    )


def test_faults_of_form_and_of_value_are_told_together():
    frame = pd.concat([text_frame(), text_frame()], ignore_index=True).assign(
        TIME=["1", "x", "3", "4"],
        CONC=["-5", "7", "1,5", "10"],
        BLQ=["0", "0", "0", "2"],
    )
    faults = " ".join(faults_of(frame))
    for words in ("'x'", "'1,5'", "CONC is negative (value -5.0)", "BLQ is neither 0 nor 1"):
        assert words in faults
    assert "blank" not in faults


@pytest.mark.parametrize("text", ["<.", "<1.2.3", "<e5"])
def test_a_limit_that_is_no_number_is_refused(text):
    frame = text_frame(CONC=[text, "100"], LLOQ=["", "50"])
    assert repr(text) in " ".join(faults_of(frame))
