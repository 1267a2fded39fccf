"""Reviewed lambda-z windows (R18): points in or out by decision, with the same gates."""

from __future__ import annotations

from math import exp, log, nan

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.window_decisions import check_windows, split_windows
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

PROFILE = (
    *((0, "BLQ"), (7, 800.0), (10, 9000.0), (14, 4000.0), (21, 1500.0), (28, 600.0), (60, 300.0)),
    *((90, 450.0), (120, 90.0), (150, "BLQ")),
)
PICKED = {"subject": "S1", "analyte": "PCR", "dose": "", "use": "IN", "points": "14; 21; 28"}
WHO = {"reason": "re-expansion on day 90", "author": "NN", "date": "2025-12-20"}


def make_table(*rows):
    named = [{"id": f"W{number}", **WHO, **PICKED, **row} for number, row in enumerate(rows, 1)]
    return pd.DataFrame(named)


def make_samples(points=PROFILE, **columns):
    frame = pd.DataFrame(
        {
            "USUBJID": "S1",
            "ANALYTE": "PCR",
            "NTIME": [float(time) for time, _ in points],
            "TIME": [time + 0.04 if time else -0.1 for time, _ in points],
            "CONC": [value if isinstance(value, float) else nan for _, value in points],
            "BLQ": [int(value == "BLQ") for _, value in points],
            "LLOQ": 50.0,
        }
    )
    return frame.assign(**columns)


def estimate(*rows, samples=None, **settings):
    values = {"peak_from": 0, **settings}
    return estimate_nca(
        make_samples() if samples is None else samples,
        CellularKineticsSettings.model_validate(values),
        windows=check_windows(make_table(*rows)) if rows else None,
    )


def answers(result):
    return result.parameters.set_index("PARAMCD")


def faults_of(*rows, **options):
    with pytest.raises(InputDataError) as caught:
        estimate(*rows, **options)
    return caught.value.faults


def test_points_in_are_the_window():
    found = answers(estimate({}))
    times = np.array([14.04, 21.04, 28.04])
    slope, intercept = np.polyfit(times, np.log([4000, 1500, 600]), 1)
    assert found.loc["LAMZ", "AVAL"] == pytest.approx(-slope, rel=1e-12)
    assert found.loc[["LAMZLL", "LAMZUL", "LAMZNPT"], "AVAL"].tolist() == [14.04, 28.04, 3.0]
    residual = np.log([4000, 1500, 600]) - intercept - slope * times
    total = np.log([4000, 1500, 600]).var() * 3
    r2 = 1 - (residual**2).sum() / total
    assert found.loc["R2ADJ", "AVAL"] == pytest.approx(1 - (1 - r2) * 2, rel=1e-9)
    flagged = found[found["FLAG"].str.contains("LZREV")].index
    assert {"LAMZ", "LAMZHL", "LAMZRAW", "R2ADJ", "LAMZSPN", "AUCIFO"} <= set(flagged)
    assert "AUC28" not in flagged and "CMAX" not in flagged


def test_the_area_to_infinity_and_the_listing_follow_the_reviewed_window():
    result = estimate({})
    found = answers(result)
    expected = found.loc["AUCLST", "AVAL"] + 90.0 / found.loc["LAMZ", "AVAL"]
    assert found.loc["AUCIFO", "AVAL"] == pytest.approx(expected, rel=1e-12)
    assert result.lambda_z[["REVFL", "GATE"]].to_numpy().tolist() == [["Y", "PASS"]]
    rows = result.dispositions.set_index("NTIME")
    assert rows.index[rows["LZFL"] == "Y"].tolist() == [14.0, 21.0, 28.0]
    assert rows.index[rows["LZREV"] == "IN"].tolist() == [14.0, 21.0, 28.0]


def test_points_out_are_left_to_the_automatic_choice_among_the_others():
    result = estimate({"use": "OUT", "points": "60; 90; 120"})
    picked = answers(estimate({}))
    found = answers(result)
    assert found.loc["LAMZ", "AVAL"] == pytest.approx(picked.loc["LAMZ", "AVAL"], rel=1e-12)
    assert found.loc["LAMZUL", "AVAL"] == 28.04
    rows = result.dispositions.set_index("NTIME")
    assert rows.index[rows["LZREV"] == "OUT"].tolist() == [60.0, 90.0, 120.0]
    # They are left out of the regression only.
    assert found.loc["TLST", "AVAL"] == 120.04 and (rows.loc[[60.0, 90.0], "USED"] == "Y").all()


def test_without_a_decision_nothing_is_flagged():
    result = estimate()
    assert not result.parameters["FLAG"].str.contains("LZ").any()
    assert result.lambda_z["REVFL"].tolist() == ["N"]
    assert set(result.dispositions["LZREV"]) == {""}


def test_a_reviewed_window_passes_the_same_gates():
    short = answers(estimate({"points": "14; 21; 28"}, lambda_z={"min_span": 10}))
    assert short.loc["LAMZ", "REASND"] == "SPANLOW"
    assert short.loc["LAMZRAW", "FLAG"] == "SPANLOW;LZREV"
    loose = answers(estimate({"points": "28; 60; 90"}))
    assert loose.loc["LAMZ", "REASND"] == "R2LOW"


def test_a_reviewed_window_that_rises_has_no_rate():
    points = (*PROFILE[:3], (14, 100.0), (21, 200.0), (28, 400.0))
    found = estimate({}, samples=make_samples(points))
    assert answers(found).loc["LAMZ", "REASND"] == "NOLAMZ"
    assert not (found.dispositions["LZFL"] == "Y").any()


def test_the_peak_may_be_a_point_and_is_flagged():
    found = answers(estimate({"points": "10; 14; 21"}))
    assert found.loc["LAMZ", "FLAG"] == "LZREV;LZPEAK"
    assert found.loc["LAMZLL", "AVAL"] == 10.04


def test_a_point_may_be_named_by_its_actual_time_as_far_as_it_is_written():
    by_nominal = answers(estimate({}))
    for points in ("14.04; 21.04; 28.04", "14.0; 21.0; 28.0", "14; 21; 28"):
        pd.testing.assert_frame_equal(answers(estimate({"points": points})), by_nominal)
    untimed = make_samples().drop(columns="NTIME")
    found = answers(estimate({"points": "14.04; 21.0; 28"}, samples=untimed))
    assert found.loc["LAMZ", "AVAL"] == by_nominal.loc["LAMZ", "AVAL"]
    assert "no sample at time 14.5" in faults_of({"points": "14.5; 21; 28"})[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"subject": "S9"}, "there is no such profile"),
        ({"analyte": "FLOW"}, "there is no such profile"),
        ({"dose": "2"}, "there is no such profile"),
        ({"points": "14; 21; 35"}, "no sample at time 35"),
        ({"points": "14; 21; 28; 150"}, "time 150 is below the limit"),
        ({"points": "7; 14; 21; 28"}, "time 7 lies before the peak"),
        ({"points": "0; 14; 21; 28"}, "below the limit"),
        ({"points": "14; 21"}, "2 points can be used; a regression needs 3"),
        ({"use": "OUT", "points": "10"}, "does not use the peak"),
    ],
)
def test_a_decision_that_does_not_fit_the_data_is_an_error(row, words):
    faults = faults_of(row)
    assert any(words in fault for fault in faults)
    assert all("W1" in fault and "S" in fault for fault in faults)


def test_all_faults_are_told_at_once():
    faults = faults_of({"points": "14; 21; 35; 150"}, {"subject": "S9"})
    assert len(faults) == 4


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"reason": " "}], "reason is blank"),
        ([{"author": ""}], "author is blank"),
        ([{"use": "MAYBE"}], "must be IN or OUT"),
        ([{"dose": "one"}], "not a whole number"),
        ([{"points": "14; day 21; 28"}], "'day 21' is no time"),
        ([{"points": "14; 21; 14"}], "stands twice"),
        ([{}, {"use": "OUT", "points": "90"}], "W1, W2; IN and OUT"),
        ([{}, {"points": "21; 28; 60"}], "a profile has one"),
    ],
)
def test_a_decision_in_a_wrong_form_is_an_error(rows, words):
    with pytest.raises(InputDataError) as caught:
        check_windows(make_table(*rows))
    assert any(words in fault for fault in caught.value.faults)


def test_missing_columns_are_named():
    with pytest.raises(InputDataError) as caught:
        check_windows(make_table({}).drop(columns=["points", "author"]))
    assert len(caught.value.faults) == 2


def test_other_profiles_keep_their_automatic_window():
    other = make_samples().assign(USUBJID="S2")
    both = pd.concat([make_samples(), other], ignore_index=True)
    found = estimate({}, samples=both).as_text().parameters
    alone = estimate(samples=other).as_text().parameters
    second = found[found["USUBJID"] == "S2"].reset_index(drop=True)
    pd.testing.assert_frame_equal(second, alone)


def test_a_window_of_one_of_several_doses_names_it():
    second = make_samples()
    second[["TIME", "NTIME"]] += 200
    course = pd.concat(
        [make_samples(DOSENO=1, DOSETIME=0.0), second.assign(DOSENO=2, DOSETIME=200.0)],
        ignore_index=True,
    )
    found = estimate({"dose": "2"}, samples=course).parameters.set_index(["DOSENO", "PARAMCD"])
    assert found.loc[(2, "LAMZ"), "FLAG"] == "LZREV"
    assert "LZREV" not in found.loc[(1, "LAMZ"), "FLAG"]
    assert found.loc[(2, "LAMZLL"), "AVAL"] == pytest.approx(14.04)
    assert "several doses: name the dose" in faults_of({}, samples=course)[0]


def test_in_a_study_a_window_without_a_dose_is_of_the_course():
    windows = check_windows(make_table({}, {"dose": "2"}))
    course, doses = split_windows(windows, repeated=True)
    assert course["ID"].tolist() == ["W1"] and doses["ID"].tolist() == ["W2"]
    assert split_windows(windows, repeated=False) == (windows, None)


def test_areas_without_early_samples_take_the_reviewed_rate_too():
    points = (
        (0, "BLQ"),
        (0.5, 900.0),
        (7, 800.0),
        (10, 700.0),
        (14, 200.0),
        (16, 120.0),
        (18, 80.0),
    )
    rule = {"peak_from": 1, "max_extrapolation": 100}
    row = {"points": "10; 14; 18"}
    found = answers(estimate(row, samples=make_samples(points), **rule))
    plain = answers(estimate(samples=make_samples(points), **rule))
    ours, rate = found.loc["AUC28XE", "AVAL"], found.loc["LAMZRAW", "AVAL"]
    tail = 80.0 * (1 - exp(-rate * (28 - 18.04))) / rate
    old_rate = plain.loc["LAMZRAW", "AVAL"]
    old = 80.0 * (1 - exp(-old_rate * (28 - 18.04))) / old_rate
    assert ours - plain.loc["AUC28XE", "AVAL"] == pytest.approx(tail - old, rel=1e-9, abs=1e-9)
    assert ours != plain.loc["AUC28XE", "AVAL"]
    assert log(2) / rate == pytest.approx(found.loc["LAMZHLR", "AVAL"])


def test_among_several_times_within_the_rounding_the_very_one_is_meant():
    points = ((0, 900.0), (1, 800.0), (1.5, 700.0), (2, 600.0), (3, 400.0), (7, 100.0))
    samples = make_samples(points).drop(columns="NTIME")
    samples = samples.assign(TIME=[float(time) for time, _ in points])
    found = estimate({"use": "OUT", "points": "2"}, samples=samples).as_text()
    listed = found.dispositions.set_index("TIME")["LZREV"]
    assert listed[listed == "OUT"].index.tolist() == [2.0]


def test_an_area_that_a_reviewed_rate_extrapolates_is_flagged():
    points = ((0, 900.0), (1, 800.0), (2, 600.0), (3, 400.0), (7, 100.0), (14, 60.0))
    found = answers(
        estimate(
            {"use": "OUT", "points": "2"},
            samples=make_samples(points),
            partial_areas=[[0, 7], [0, 28]],
        ).as_text()
    )
    assert found.loc["AUC28PE", "AVAL"] > 0
    assert found.loc["AUC28", "FLAG"] == found.loc["AUC28PE", "FLAG"] == "EXTRAP;LZREV"
    assert found.loc["AUC7", "FLAG"] == ""
