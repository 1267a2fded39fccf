"""R9, R10, R20, R21: peak, expansion, last quantifiable sample and loss of quantifiability."""

from __future__ import annotations

from math import exp, isnan

import numpy as np
import pytest

from celldossier.cellular_kinetics.places import (
    add_samples,
    first_highest,
    first_true,
    last_true,
    pick,
)

COURSE = [(0, "BLQ"), (7, 1000.0), (14, 4000.0), (21, 900.0), (28, 300.0)]


def test_cmax_is_the_first_of_equal_highest_samples(nca):
    answer = nca([*COURSE, (35, 4000.0), (42, 100.0)])
    assert answer["CMAX"].value == 4000.0
    assert answer["TMAX"].value == 14.0
    assert answer["CMAXTMAX"].value == 4000.0 / 14


def test_a_peak_at_the_last_sample_is_flagged(nca):
    answer = nca(COURSE[:3])
    assert answer["CMAX"].flag == answer["TMAX"].flag == "PEAKLAST"
    assert nca([*COURSE[:3], (20, "BLQ")])["CMAX"].flag == ""
    assert nca([*COURSE[1:3]])["CMAX"].flag == "PEAKLAST"


def test_all_blq_gives_zero_exposure_and_empty_times(nca):
    answer = nca([(0, "BLQ"), (7, "BLQ"), (28, "BLQ")])
    for code in ("CMAX", "AUCLST", "AUC28"):
        assert answer[code].value == 0 and answer[code].flag == "BLQALL"
    for code in ("TMAX", "TLST", "CLST", "AUCIFO", "AUCPEO", "TBQL", "LAMZ", "CMAXTMAX", "EXPRATE"):
        assert isnan(answer[code].value) and answer[code].reason == "BLQALL"


def test_all_missing_gives_nothing_at_all(nca):
    answer = nca([(0, None), (7, None)])
    assert {a.reason for a in answer.values()} == {"NOSAMPLE"}
    assert all(isnan(a.value) for a in answer.values())


def test_a_pre_dose_result_alone_is_no_sample_of_the_dose(nca):
    assert {a.reason for a in nca([(0, "BLQ"), (7, None)]).values()} == {"NOSAMPLE"}
    assert {a.reason for a in nca([(0, 500.0)]).values()} == {"NOSAMPLE"}


def test_samples_before_peak_from_do_not_define_the_peak_but_stay_in_the_area(nca):
    points = [(0, "BLQ"), (0.02, 90000.0), (7, 1000.0), (14, 4000.0), (28, 300.0)]
    late, early = nca(points, peak_from=1), nca(points)
    assert late["CMAX"].value == 4000.0 and early["CMAX"].value == 90000.0
    assert late["AUC28"].value == early["AUC28"].value
    without = nca([points[0], *points[2:]])
    assert late["AUC28XE"].value == pytest.approx(without["AUC28"].value, rel=1e-12)
    assert "AUC28XE" not in early


def test_the_nominal_time_decides_what_is_early_where_it_is_given(nca):
    points = [(0, "BLQ"), (0.96, 9000.0), (7, 1000.0), (14, 4000.0)]
    nominal = {"NTIME": [0, 1, 7, 14]}
    assert nca(points, columns=nominal, peak_from=1)["CMAX"].value == 9000.0
    assert nca(points, peak_from=1)["CMAX"].value == 4000.0


def test_without_an_eligible_sample_there_is_no_peak_and_the_overall_maximum_stands_in(nca):
    points = [(0, "BLQ"), (0.5, 5000.0), (7, "BLQ"), (14, "BLQ"), (28, "BLQ")]
    answer = nca(points, peak_from=1)
    for code in ("CMAX", "TMAX", "CMAXTMAX", "EXPRATE", "DOUBT"):
        assert answer[code].reason == "NOPEAK"
    assert answer["TBQL"].value == 7.0
    assert answer["TLST"].value == 0.5
    assert answer["AUC28XE"].value == 0 and answer["AUC28XE"].flag == "BLQALL"


def test_a_peak_at_time_zero_has_no_ratio(nca):
    assert nca([(0, 900.0), (7, 300.0)])["CMAXTMAX"].reason == "TMAXZERO"


def test_expansion_is_the_slope_over_the_rising_points_up_to_the_peak(nca):
    rise = [(t, 100 * exp(0.8 * t)) for t in (3, 5, 7, 10)]
    answer = nca([(0, "BLQ"), (1, 1500.0), *rise, (14, 20000.0)])
    assert answer["EXPRATE"].value == pytest.approx(0.8, rel=1e-12)
    assert answer["DOUBT"].value == pytest.approx(0.8664339756999316, rel=1e-12)


def test_expansion_needs_three_rising_points_and_stops_at_a_blq(nca):
    assert nca([(0, "BLQ"), (5, 100.0), (7, 900.0), (14, 50.0)])["EXPRATE"].reason == "FEWRISE"
    broken = [(0, "BLQ"), (3, 60.0), (5, "BLQ"), (7, 100.0), (10, 900.0), (14, 100.0)]
    assert nca(broken)["EXPRATE"].reason == "FEWRISE"


def test_a_plateau_is_no_rise(nca):
    points = [(0, "BLQ"), (3, 100.0), (5, 100.0), (7, 900.0), (14, 50.0)]
    assert nca(points)["EXPRATE"].reason == "FEWRISE"


def test_the_pre_dose_sample_is_no_point_of_the_expansion(nca):
    assert nca([(0, 60.0), (5, 100.0), (7, 900.0)])["EXPRATE"].reason == "FEWRISE"


def loss_of(run, points):
    result = run(points)
    row = result.persistence.iloc[0]
    tbql = result.parameters.set_index("PARAMCD").loc["TBQL"]
    return row, tbql, result


def test_loss_is_the_first_of_two_consecutive_blq_and_lies_in_an_interval(run):
    points = [*COURSE, (60, "BLQ"), (90, "BLQ"), (120, 200.0)]
    row, tbql, result = loss_of(run, points)
    assert tbql["AVAL"] == 60.0 and tbql["FLAG"] == "REEXPAND"
    assert (row["LOWER"], row["UPPER"], row["STATUS"]) == (28.0, 60.0, "LOSS")
    again = result.findings[result.findings["CODE"] == "REEXPAND"]
    assert again["TIME"].tolist() == [120.0]
    assert result.parameters.set_index("PARAMCD").loc["TLST", "AVAL"] == 120.0


def test_a_single_trailing_blq_is_no_loss_but_censoring_at_the_last_quantifiable(run):
    row, tbql, _ = loss_of(run, [*COURSE, (60, "BLQ")])
    assert tbql["REASND"] == "NOLOSS"
    assert (row["LOWER"], row["STATUS"]) == (28.0, "CENSORED") and isnan(row["UPPER"])


def test_a_missing_result_between_two_blq_leaves_them_consecutive(run):
    row, tbql, _ = loss_of(run, [*COURSE, (60, "BLQ"), (75, None), (90, "BLQ")])
    assert tbql["AVAL"] == 60.0 and row["STATUS"] == "LOSS"


def test_two_blq_before_the_peak_are_no_loss(run):
    points = [(0, 60.0), (1, "BLQ"), (3, "BLQ"), (7, 1000.0), (14, 500.0)]
    assert loss_of(run, points)[1]["REASND"] == "NOLOSS"


def test_never_quantifiable_subjects_are_kept_apart_from_persistence(run):
    row, _, _ = loss_of(run, [(0, "BLQ"), (7, "BLQ"), (14, "BLQ")])
    assert row["STATUS"] == "NEVER" and isnan(row["LOWER"]) and isnan(row["UPPER"])


def test_samples_after_the_censoring_time_are_a_finding(run):
    result = run([*COURSE, (60, 100.0)], columns={"CENSTIME": 30.0})
    assert result.findings[["CODE", "TIME"]].to_numpy().tolist() == [["AFTCENS", 60.0]]


def test_places_in_rows_are_the_first_and_last_that_hold_and_the_first_highest():
    mask = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 1]], dtype=bool)
    assert first_true(mask).tolist() == [1, -1, 0]
    assert last_true(mask).tolist() == [2, -1, 3]
    values = np.array([[9.0, 5.0, 5.0, 7.0], [1.0, 2.0, 3.0, 4.0], [2.0, 8.0, 9.0, 3.0]])
    # Of equal ones the first, and of those alone that the mask names.
    assert first_highest(values, mask).tolist() == [1, -1, 3]
    assert pick(values, np.array([3, 0, 1])).tolist() == [7.0, 1.0, 8.0]
    assert add_samples(values.T).tolist() == [26.0, 10.0, 22.0]
