"""Parameters of markers: hand-made courses, bounds by censored results, and handlings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from marker_courses import derive, make_medication, make_samples, make_sources, row_of, value_of

from celldossier.datasets import conform

COURSE = [(-1, 10.0), (1, 20.0), (3, 80.0), (7, 40.0), (14, 8.0), (28, 10.0)]


def parameters_of(samples, marker="IFNG", sources=None, columns=None, **settings):
    rows = make_samples(marker, samples, **(columns or {}))
    return derive(make_sources(rows, **(sources or {})), **settings)


def test_a_rise_has_peak_fold_largest_rise_and_first_response():
    adpdp = parameters_of(COURSE, columns={"ANRHI": 15.0})
    expected = {
        "PDBASE": 10,
        "PDPEAK": 80,
        "PDTPEAK": 3,
        "PDFOLD": 8,
        "PDCHG": 70,
        "PDTRISE": 1,
        "PDTREC": 14,
        "PDRECDUR": 11,
        "PDLAST": 10,
        "PDTLAST": 28,
        "PDNSAM": 5,
    }
    assert {code: value_of(adpdp, code) for code in expected} == expected
    assert row_of(adpdp, "PDPEAK")["FLAG"] == "OVERULN"
    assert not {"PDNADIR", "PDBEST"} & set(adpdp["PARAMCD"])


def test_areas_of_a_hand_made_course():
    adpdp = parameters_of([(0, 10.0), (7, 30.0), (14, 10.0), (21, 0.0), (28, 10.0)])
    assert value_of(adpdp, "PDAO28") == 140
    assert value_of(adpdp, "PDAU28") == 70
    assert value_of(adpdp, "PDAUC28") == 280 + 140 - 70
    assert row_of(adpdp, "PDAO28")["AVALU"] == "d*pg/mL"


def test_a_fall_has_nadir_and_recovers_to_within_its_factor_of_the_baseline():
    course = [(0, 6.0), (7, 0.6), (14, 2.0), (21, 3.9), (28, 4.5), (60, 5.0)]
    adpdp = parameters_of(course, "NEUT")
    expected = {"PDNADIR": 0.6, "PDTNAD": 7, "PDNADPCT": -90, "PDTREC": 28, "PDRECDUR": 21}
    for code, value in expected.items():
        assert value_of(adpdp, code) == pytest.approx(value), code
    line = parameters_of(course, "NEUT", recovery_timing="interpolated")
    # 4.0 is met on the line from 3.9 on day 21 to 4.5 on day 28.
    assert value_of(line, "PDTREC") == pytest.approx(21 + 7 * 0.1 / 0.6)


def test_recovery_to_a_threshold_that_lasts():
    rule = {
        "marker": "PLAT",
        "recovery": {"criterion": "absolute", "threshold": 50, "consecutive": 2},
        "beyond": 50,
    }
    course = [(0, 150.0), (7, 20.0), (14, 55.0), (21, 40.0), (28, 60.0), (60, 90.0)]
    adpdp = parameters_of(course, "PLAT", rules=[rule])
    assert value_of(adpdp, "PDTREC") == 28
    # Days below 50: 7 x 30/130, 7 x 30/35, 7 x 10/15 and 7 x 10/20.
    days = 7 * (30 / 130 + 30 / 35 + 10 / 15 + 10 / 20)
    assert value_of(adpdp, "PDDUR") == pytest.approx(days)


def test_no_recovery_is_censored_at_the_last_sample():
    row = row_of(parameters_of([(0, 5.0), (7, 80.0), (28, 60.0)]), "PDTREC")
    assert row["AVAL"] == 28 and "PDCENS" in row["FLAG"].split(";")


def test_a_marker_that_never_left_its_limits_recovers_from_nothing():
    row = row_of(parameters_of([(0, 5.0), (7, 6.0), (28, 5.0)]), "PDTREC")
    assert np.isnan(row["AVAL"]) and row["PPREASND"] == "PDNEVER"


def test_a_marker_that_may_do_both_recovers_from_its_larger_departure():
    fell = parameters_of([(0, 10.0), (7, 15.1), (14, 1.0), (28, 9.0)], "HGF")
    rose = parameters_of([(0, 10.0), (7, 80.0), (14, 5.0), (28, 9.0)], "HGF")
    assert value_of(fell, "PDTREC") == 28 and value_of(rose, "PDTREC") == 14


def test_a_marker_below_its_limit_throughout_left_no_limits():
    course = [(0, "<2"), (7, "<2"), (28, "<2")]
    for marker in ("CD19B", "HGF"):
        row = row_of(parameters_of(course, marker), "PDTREC")
        assert np.isnan(row["AVAL"]) and row["PPREASND"] == "PDNEVER", marker


def test_a_sample_of_the_day_of_infusion_that_is_planned_after_it_is_no_baseline():
    # Without a time of day both count as day 0; ADPD tells them apart by the plan.
    course = [(-7, 10.0), (0, 90.0), (7, 20.0), (28, 10.0)]
    columns = {"NFRLT": [-7, 4 / 24, 7, 28], "ABLFL": ["Y", "N", "N", "N"]}
    adpdp = parameters_of(course, columns=columns)
    expected = {"PDBASE": 10, "PDPEAK": 90, "PDTPEAK": 0, "PDFOLD": 9, "PDNSAM": 3}
    assert {code: value_of(adpdp, code) for code in expected} == expected


def test_of_two_results_of_one_time_the_baseline_is_that_of_adpd():
    columns = {"ABLFL": ["N", "Y", "N", "N"]}
    adpdp = parameters_of([(0, 9.0), (0, 5.0), (7, 50.0), (28, 5.0)], columns=columns)
    row = row_of(adpdp, "PDBASE")
    assert row["AVAL"] == 5 and row["FLAG"] == ""
    assert value_of(adpdp, "PDFOLD") == 10


def test_a_baseline_below_the_limit_gives_a_fold_of_at_least():
    row = row_of(parameters_of([(0, "<2"), (3, 80.0), (28, 3.0)]), "PDFOLD")
    assert row["AVAL"] == 40 and row["FLAG"] == "ATLEAST;BASBLQ"


def test_a_peak_below_the_limit_gives_a_fold_of_at_most():
    adpdp = parameters_of([(0, 8.0), (3, "<2"), (28, "<2")])
    fold, peak = row_of(adpdp, "PDFOLD"), row_of(adpdp, "PDPEAK")
    assert fold["AVAL"] == 0.25 and fold["FLAG"] == "ATMOST"
    assert peak["AVAL"] == 1 and peak["FLAG"] == "VALBLQ"


def test_with_both_below_the_limit_there_is_no_fold():
    row = row_of(parameters_of([(0, "<2"), (3, "<2"), (28, "<2")]), "PDFOLD")
    assert np.isnan(row["AVAL"]) and row["PPREASND"] == "PDBOUND" and row["FLAG"] == ""


def test_a_peak_above_the_upper_limit_is_at_least_that():
    columns = {"ALQFL": ["N", "Y", "N"], "AULOQ": 500.0}
    adpdp = parameters_of([(0, 5.0), (3, np.nan), (28, 6.0)], columns=columns)
    for code, value in {"PDPEAK": 500, "PDFOLD": 100, "PDCHG": 495}.items():
        row = row_of(adpdp, code)
        assert row["AVAL"] == value and "ATLEAST" in row["FLAG"].split(";"), code


def test_a_limit_gives_a_certain_time_of_response_only():
    # 3 is not twice a baseline that may be just below 2; 4 is.
    adpdp = parameters_of([(0, "<2"), (1, 3.0), (3, 4.0), (28, 3.0)])
    assert value_of(adpdp, "PDTRISE") == 3


def test_interleukin_6_after_tocilizumab_stands_apart():
    course = [(0, 10.0), (3, 80.0), (5, 900.0), (28, 40.0)]
    given = {"ADCM": make_medication("TOCILIZUMAB", 4.0)}
    adpdp = parameters_of(course, "IL6", given)
    expected = {"PDPEAK": 80, "PDPEAKX": 900, "PDPEAKA": 900, "PDNAPART": 2, "PDFOLDA": 90}
    assert {code: value_of(adpdp, code) for code in expected} == expected
    assert row_of(adpdp, "PDAUC28")["PPREASND"] == "UNCOVERD"
    kept = parameters_of(
        course, "IL6", given, rules=[{"marker": "IL6", "after_medication": "keep"}]
    )
    assert value_of(kept, "PDPEAK") == 900
    other = parameters_of(course, "IFNG", given)
    assert value_of(other, "PDPEAK") == 900


@pytest.mark.parametrize(
    ("handling", "peak", "moved"), [("keep", 90, 5), ("exclude", 30, 4), ("apart", 30, 4)]
)
def test_samples_of_flagged_condition_are_handled_as_set(handling, peak, moved):
    course = [(-3, 4.0), (0, 5.0), (3, 90.0), (7, 30.0), (28, 4.0)]
    flagged = {"CONDFL": ["N", "Y", "Y", "N", "N"]}
    rule = {"marker": "HGF", "flagged": handling}
    adpdp = parameters_of(course, "HGF", columns=flagged, rules=[rule])
    assert value_of(adpdp, "PDPEAK") == peak
    base = row_of(adpdp, "PDBASE")
    assert base["AVAL"] == moved and (base["FLAG"] == "BASMOVED") == (moved == 4)
    assert ("PDPEAKX" in set(adpdp["PARAMCD"])) == (handling == "apart")


def test_the_course_ends_with_a_new_therapy_and_an_area_beyond_it_is_not_given():
    given = {"ADCM": make_medication("NEW_THERAPY", 10.0)}
    adpdp = parameters_of([(0, 5.0), (3, 9.0), (9, 7.0), (14, 900.0), (28, 5.0)], sources=given)
    assert value_of(adpdp, "PDPEAK") == 9
    assert row_of(adpdp, "PDAUC28")["PPREASND"] == "CENSORED"


def test_planned_repeat_doses_do_not_end_the_course_but_a_retreatment_does():
    def infused(kind):
        row = {"STUDYID": "S", "USUBJID": "S-1", "DOSETYPE": kind, "AFRLT": 7.0}
        return {"ADEX": pd.DataFrame([row])}

    course = [(0, 5.0), (3, 9.0), (8, 50.0)]
    assert value_of(parameters_of(course, sources=infused("REPEAT")), "PDPEAK") == 50
    assert value_of(parameters_of(course, sources=infused("RETREATMENT")), "PDPEAK") == 9


def test_scores_have_best_change_and_response_by_the_least_important_difference():
    course = [(0, 60.0), (28, 55.0), (84, 38.0), (168, 40.0)]
    adpdp = parameters_of(course, "VASPAIN", rules=[{"marker": "VASPAIN", "mcid": 20}])
    expected = {"PDBEST": -22, "PDTBEST": 84, "PDRESP": 1, "PDTRSP": 84, "PDCHGLST": -20}
    assert {code: value_of(adpdp, code) for code in expected} == expected
    assert "PDFOLD" not in set(adpdp["PARAMCD"])
    strict = parameters_of(course, "VASPAIN", rules=[{"marker": "VASPAIN", "mcid": 30}])
    assert value_of(strict, "PDRESP") == 0
    assert row_of(strict, "PDTRSP")["PPREASND"] == "NOTREACH"


def test_a_best_change_in_the_last_sample_is_marked_so():
    course = [(0, 60.0), (28, 40.0), (84, 20.0)]
    for code in ("PDBEST", "PDTBEST"):
        assert row_of(parameters_of(course, "VASPAIN"), code)["FLAG"] == "ATLAST"
        assert not row_of(parameters_of([*course, (168, 30.0)], "VASPAIN"), code)["FLAG"]


def test_nothing_is_lost_a_missing_baseline_or_course_has_its_reason():
    no_base = parameters_of([(3, 80.0), (28, 6.0)])
    assert value_of(no_base, "PDPEAK") == 80
    for code in ("PDBASE", "PDFOLD", "PDCHG", "PDAUC28"):
        assert row_of(no_base, code)["PPREASND"] == "NOPDBASE", code
    no_course = parameters_of([(-1, 80.0)])
    for code in ("PDPEAK", "PDTPEAK", "PDFOLD", "PDAUC28", "PDTREC", "PDLAST"):
        assert row_of(no_course, code)["PPREASND"] == "NOPDPOST", code


def test_the_markers_of_the_settings_alone_are_analysed():
    rows = [make_samples(marker, COURSE) for marker in ("IFNG", "IL2")]
    adpdp = derive(make_sources(pd.concat(rows)), markers=["IL2"])
    assert set(adpdp["PARCAT1"]) == {"IL2"}


def test_every_marker_without_an_entry_is_continuous_and_may_do_both():
    adpdp = parameters_of(COURSE, "UNHEARD")
    assert value_of(adpdp, "PDPEAK") == 80 and value_of(adpdp, "PDNADIR") == 8
    conform(adpdp, "ADPDP")


def test_a_change_from_a_baseline_above_the_limit_is_at_most_that():
    columns = {"ALQFL": ["Y", "N", "N"], "AULOQ": 500.0}
    adpdp = parameters_of([(0, np.nan), (7, 100.0), (28, 400.0)], "CD19B", columns=columns)
    for code in ("PDNADCHG", "PDNADPCT"):
        assert "ATMOST" in row_of(adpdp, code)["FLAG"].split(";"), code
    assert value_of(adpdp, "PDNADCHG") == -400


@pytest.mark.parametrize(
    ("above", "over", "under"),
    [
        ("NNN", "", ""),
        # The true baseline is higher: more lies under it.
        ("YNN", "", "ATLEAST"),
        # The true sample is higher: more lies over the baseline, less under it.
        ("NYN", "ATLEAST", "ATMOST"),
    ],
)
def test_areas_about_the_baseline_are_bounds_where_one_side_is_above_its_limit(above, over, under):
    columns = {"ALQFL": list(above), "AULOQ": 500.0}
    course = [(0, 500.0), (7, 500.0), (28, 100.0)]
    adpdp = parameters_of(course, "CD19B", columns=columns)
    for code, bound in (("PDAO28", over), ("PDAU28", under)):
        flags = set(row_of(adpdp, code)["FLAG"].split(";"))
        assert flags & {"ATLEAST", "ATMOST"} == ({bound} if bound else set()), code
        assert np.isfinite(value_of(adpdp, code))


def test_with_baseline_and_a_sample_above_their_limit_areas_about_the_baseline_are_not_known():
    columns = {"ALQFL": ["Y", "Y", "N"], "AULOQ": 500.0}
    adpdp = parameters_of([(0, 500.0), (7, 500.0), (28, 100.0)], "CD19B", columns=columns)
    for code in ("PDAO28", "PDAU28"):
        row = row_of(adpdp, code)
        assert np.isnan(row["AVAL"]) and row["PPREASND"] == "PDBOUND"
    assert "ATLEAST" in row_of(adpdp, "PDAUC28")["FLAG"].split(";")


def test_a_sample_at_the_time_of_tocilizumab_is_before_it_and_an_earlier_course_is_none():
    course = [(0, 10.0), (3, 80.0), (4, 90.0), (28, 40.0)]
    given = {"ADCM": make_medication("TOCILIZUMAB", 4.0)}
    assert value_of(parameters_of(course, "IL6", given), "PDPEAK") == 90
    earlier = {"ADCM": make_medication("TOCILIZUMAB", -5.0)}
    assert value_of(parameters_of(course, "IL6", earlier), "PDNAPART") == 0
