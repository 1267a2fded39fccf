from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pharmacodynamics_given import run
from related_given import SUBJECTS, make_related_study, make_repeated_study
from scipy.stats import spearmanr

from celldossier.pharmacodynamics.exposure_and_markers import relate_parameters
from celldossier.pharmacodynamics.hysteresis import describe_loops
from celldossier.pharmacodynamics.lagged_correlation import relate_over_time
from celldossier.pharmacodynamics.markers_by_dose import describe_doses
from celldossier.pharmacodynamics.markers_by_grade import compare_grades, find_grades
from celldossier.pharmacodynamics.peak_sequence import order_peaks
from celldossier.pharmacodynamics.related_samples import relate_samples, select_rules
from celldossier.pharmacodynamics.study import Study
from celldossier.results import AnalysisResults

STAGE = "pharmacodynamics"


@pytest.fixture(scope="module")
def study() -> Study:
    return make_related_study()


def number(results: AnalysisResults, analysis: str, marker: str, stat: str, **by: str) -> float:
    analyte = "" if analysis.startswith("grade") else "PCR"
    found = results.find(f"{STAGE}.{analysis}", marker, analyte, by, stat)
    assert found is not None, (analysis, marker, by, stat)
    return found.number


def test_each_marker_correlates_best_with_the_cells_at_the_lag_it_was_made_with(
    study: Study,
) -> None:
    results, curves = run(relate_over_time, study)
    for marker, lag in (("IFNG", -4), ("CRP", -2)):
        best = {"sign": "POSITIVE"}
        assert number(results, "lag_best", marker, "lag", **best) == lag
        assert number(results, "lag_best", marker, "rho", **best) == pytest.approx(1)
        assert number(results, "lag_within", marker, "rho", lag=f"{lag}") == pytest.approx(1)
        assert number(results, "lag_within", marker, "gap", lag=f"{lag}") == lag
        assert number(results, "lag_within", marker, "n", lag="0") == SUBJECTS
    lines = pd.DataFrame(curves)
    assert set(lines["x"]) == {-4, -2, 0, 2, 4}


def test_days_that_match_the_lag_correlate_between_subjects(study: Study) -> None:
    results, _ = run(relate_over_time, study)
    at = {"cell_day": "9", "marker_day": "5"}
    related = next(each for each in relate_samples(study) if each.code == "IFNG")
    cells = related.cells.query("DAY == 9").set_index("USUBJID")["VALUE"]
    marker = related.samples.query("DAY == 5").set_index("USUBJID")["VALUE"]
    expected = spearmanr(cells, marker.reindex(cells.index)).statistic
    assert number(results, "lag_between", "IFNG", "rho", **at) == pytest.approx(expected)
    days = results.levels(f"{STAGE}.lag_between", "marker_day")
    assert "1" in days and results.find(
        f"{STAGE}.lag_between", "IFNG", "PCR", {"cell_day": "21", "marker_day": "1"}
    ) is None  # fmt: skip


def test_q_values_are_of_all_markers_and_lags(study: Study) -> None:
    frame = run(relate_over_time, study)[0].select(f"{STAGE}.lag_within")
    p = frame[frame["stat_name"] == "p"].set_index(["variable", "level1"])["value"].dropna()
    q = frame[frame["stat_name"] == "q"].set_index(["variable", "level1"])["value"].dropna()
    assert set(p.index) == set(q.index) and (q >= p - 1e-15).all()
    assert q.max() == pytest.approx(p.max())


def test_earlier_markers_make_clockwise_loops_and_later_ones_the_other_way() -> None:
    for shift, clockwise, counter in ((-4.0, SUBJECTS, 0), (4.0, 0, SUBJECTS)):
        results, curves = run(describe_loops, make_related_study({"IFNG": shift}))
        assert number(results, "loop", "IFNG", "n_clockwise") == clockwise
        assert number(results, "loop", "IFNG", "n_counter") == counter
        assert number(results, "loop", "IFNG", "p") == pytest.approx(2 / 2**SUBJECTS)
        assert (number(results, "loop", "IFNG", "centre") < 0) == (shift < 0)
    ids = {str(row["curve_id"]) for row in curves}
    assert f"{STAGE}.loop/IFNG" in ids and f"{STAGE}.loop_subject/IFNG/S-01" in ids


def test_the_order_of_peaks_counts_each_subject_once_and_gives_the_difference(
    study: Study,
) -> None:
    results, curves = run(order_peaks, study)
    for marker, where, difference in (("IFNG", "before", -4), ("CD19B", "after", 8)):
        assert number(results, "peak_order", marker, f"n_{where}") == SUBJECTS
        assert number(results, "peak_order", marker, f"pct_{where}") == 100
        assert number(results, "peak_order", marker, "difference") == difference
        assert number(results, "peak_order", marker, "p") == pytest.approx(2 / 2**SUBJECTS)
    extreme = results.find(f"{STAGE}.peak_order", "CD19B", "PCR", {}, "extreme")
    assert extreme is not None and extreme.text == "NADIR"
    assert len([row for row in curves if str(row["curve_id"]).endswith("/IFNG")]) == SUBJECTS


def test_peaks_of_the_same_sample_have_no_order_and_the_reason_is_given() -> None:
    results, _ = run(order_peaks, make_related_study({"IFNG": 0.0}))
    assert number(results, "peak_order", "IFNG", "n_same") == SUBJECTS
    p = results.find(f"{STAGE}.peak_order", "IFNG", "PCR", {}, "p")
    assert p is not None and math.isnan(p.number) and p.note_code == "CONSTANT"


def test_a_peak_of_the_cells_after_the_window_of_the_marker_is_not_compared(study: Study) -> None:
    adpp = study.sources.adpp.copy()
    late = (adpp["PARAMCD"] == "TMAX") & (adpp["USUBJID"] == "S-01")
    adpp.loc[late, "AVAL"] = 84.0
    results, _ = run(order_peaks, replace(study, sources=replace(study.sources, adpp=adpp)))
    assert number(results, "peak_order", "IFNG", "n") == SUBJECTS - 1
    assert number(results, "peak_order", "IFNG", "n_outside") == 1


def test_samples_after_tocilizumab_do_not_enter_for_interleukin_6_alone() -> None:
    study = make_related_study({"IL6": -4.0}, tocilizumab=8.0, markers=["IL6", "IFNG"])
    days = {each.code: each.samples["TIME"].max() for each in relate_samples(study)}
    assert days == {"IL6": 7.0, "IFNG": 21.0}


def test_the_matrix_is_of_spearman_over_subjects_with_its_number(study: Study) -> None:
    results, _ = run(relate_parameters, study)
    by = {"metric": "CMAX", "parameter": "PDPEAK"}
    peaks = study.adpdp.query("PARCAT1 == 'IFNG' and PARAMCD == 'PDPEAK'")["AVAL"]
    cells = study.sources.adpp.query("PARAMCD == 'CMAX'")["AVAL"]
    expected = spearmanr(cells, peaks)
    assert number(results, "matrix", "IFNG", "rho", **by) == pytest.approx(expected.statistic)
    assert number(results, "matrix", "IFNG", "p", **by) == pytest.approx(expected.pvalue)
    assert number(results, "matrix", "IFNG", "n", **by) == SUBJECTS


def test_the_models_of_the_peaks_tell_a_power_law_from_an_emax_curve(study: Study) -> None:
    results, _ = run(relate_parameters, study)
    by = {"metric": "CMAX"}
    # Peaks of CRP rise by 1.02 where the cells rise by 1.3: an exponent of ln 1.02 / ln 1.3.
    ratio = 2 ** (math.log(1.02) / math.log(1.3))
    assert number(results, "marker_emax", "CRP", "ratio", **by) == pytest.approx(ratio, rel=1e-6)
    assert number(results, "marker_emax", "CRP", "r_squared", **by) == pytest.approx(1)
    # B cells fall: their peak is no effect.
    assert "CD19B" not in set(results.select(f"{STAGE}.marker_emax")["variable"])


def test_peaks_rise_with_the_grade_and_a_subject_without_the_event_has_grade_0(
    study: Study,
) -> None:
    results, curves = run(compare_grades, study)
    assert number(results, "grade_peak_trend", "IFNG", "n", event="CRS") == SUBJECTS
    assert number(results, "grade_peak_trend", "IFNG", "p", event="CRS") < 0.001
    assert number(results, "grade_peak_trend", "CRP", "p", event="CRS") > 0.05
    for grade in ("0", "1", "2", "3"):
        assert number(results, "grade_peak", "IFNG", "n", event="CRS", grade=grade) == 3
    assert results.levels(f"{STAGE}.grade_peak", "event") == ["CRS"]
    assert len(curves) == 2 * SUBJECTS


def test_without_the_event_a_short_follow_up_leaves_the_grade_open(study: Study) -> None:
    adsl = study.sources.adsl.copy()
    adsl.loc[adsl["USUBJID"].isin(["S-01", "S-02"]), "FUDUR"] = 10.0
    short = replace(study, sources=replace(study.sources, adsl=adsl))
    grades = find_grades(short, "CRS").set_index("USUBJID")["GRADE"]
    assert math.isnan(grades["S-01"]) and grades["S-02"] == 1 and grades["S-05"] == 0
    results, _ = run(compare_grades, short)
    assert number(results, "grade_peak_trend", "IFNG", "n_unwatched", event="CRS") == 1


def test_an_event_whose_start_is_not_known_leaves_the_grade_open(study: Study) -> None:
    adaesi = study.sources.adaesi.copy()
    adaesi.loc[adaesi["USUBJID"] == "S-03", "ASTDY"] = math.nan
    grades = find_grades(replace(study, sources=replace(study.sources, adaesi=adaesi)), "CRS")
    assert math.isnan(grades.set_index("USUBJID")["GRADE"]["S-03"])


def test_repeated_doses_have_their_markers_beside_the_cells_and_a_trend() -> None:
    results, _ = run(describe_doses, make_repeated_study())
    second = {"pdose": "2"}
    assert number(results, "marker_by_dose", "CRP", "n_before", **second) == 4
    assert number(results, "marker_by_dose", "CRP", "cmax", **second) == 200
    assert number(results, "marker_by_dose", "CRP", "ctrough", **second) == 10
    assert number(results, "marker_by_dose", "CRP", "before_median", **second) == pytest.approx(
        20 * 0.9**2 + 1.5
    )
    # The highest from the dose to the next: 80 and the subject's own level.
    assert number(results, "marker_by_dose", "CRP", "after_median", **second) == 81.5
    # The sample before the next dose still belongs to the interval.
    assert number(results, "marker_by_dose", "CRP", "samples", **second) == 3
    assert 0.9 < number(results, "marker_trend", "CRP", "ratio") < 0.95


def test_one_dose_each_gives_no_analysis_by_dose(study: Study) -> None:
    results, _ = run(describe_doses, study)
    assert results.frame.empty


def test_without_cells_or_markers_there_is_nothing_and_no_error(study: Study) -> None:
    empty = replace(study.sources, adpc=study.sources.adpc.iloc[:0], adpp=study.sources.adpp[:0])
    for part in (relate_over_time, describe_loops, order_peaks):
        assert run(part, replace(study, sources=empty))[0].frame.empty


def test_markers_are_those_of_the_classes_in_their_order_unless_named() -> None:
    study = make_related_study(markers=[])
    assert list(select_rules(study)) == ["IFNG", "CRP", "CD19B"]
    named = make_related_study(markers=["CRP", "IFNG", "NOSUCH"])
    assert list(select_rules(named)) == ["CRP", "IFNG"]


def test_peaks_half_a_day_apart_are_of_one_sample_and_who_has_few_is_counted_once(
    study: Study,
) -> None:
    adpp = study.sources.adpp.copy()
    # Interferon gamma peaks four days before the cells did.
    adpp.loc[adpp["PARAMCD"] == "TMAX", "AVAL"] -= 3.5
    results, _ = run(order_peaks, replace(study, sources=replace(study.sources, adpp=adpp)))
    assert number(results, "peak_order", "IFNG", "n_same") == SUBJECTS
    adpp.loc[adpp["PARAMCD"] == "TMAX", "AVAL"] = 84.0
    few = replace(make_related_study(peak_samples=99), sources=replace(study.sources, adpp=adpp))
    results, _ = run(order_peaks, few)
    assert number(results, "peak_order", "IFNG", "n_few") == SUBJECTS
    assert number(results, "peak_order", "IFNG", "n_outside") == 0


def test_an_event_after_its_window_is_none_and_peaks_after_the_onset_are_counted(
    study: Study,
) -> None:
    results, _ = run(compare_grades, study)
    # Onset on day 4, peaks of interferon gamma on days 5, 7 and 9; no event in every fourth.
    assert number(results, "grade_peak_trend", "IFNG", "n_after", event="CRS") == 9
    adaesi = study.sources.adaesi.copy()
    adaesi.loc[adaesi["USUBJID"] == "S-03", "ASTDY"] = 60.0
    late = replace(study, sources=replace(study.sources, adaesi=adaesi))
    assert find_grades(late, "CRS").set_index("USUBJID")["GRADE"]["S-03"] == 0


def test_an_old_sample_does_not_stand_for_the_time_before_a_dose() -> None:
    study = make_repeated_study()
    adpd = study.sources.adpd
    # Without the sample before dose 2 the last one is four days older.
    kept = adpd[~((adpd["USUBJID"] == "S-01") & (adpd["NFRLT"] == 7) & (adpd["AFRLT"] < 7))]
    results, _ = run(describe_doses, replace(study, sources=replace(study.sources, adpd=kept)))
    assert number(results, "marker_by_dose", "CRP", "n_before", pdose="2") == 3


def test_the_nominal_day_ends_the_samples_and_a_result_above_the_limit_ranks_highest() -> None:
    study = make_related_study(until=21)
    adpd = study.sources.adpd.copy()
    last = (adpd["PARAMCD"] == "IFNG") & (adpd["USUBJID"] == "S-01") & (adpd["NFRLT"] == 21)
    adpd.loc[last, ["AFRLT", "ALQFL"]] = [21.2, "Y"]
    given = replace(study, sources=replace(study.sources, adpd=adpd))
    related = {each.code: each for each in relate_samples(given)}["IFNG"].samples
    mine = related[related["USUBJID"] == "S-01"].iloc[-1]
    assert mine["TIME"] == 21.2 and mine["RANKED"] == math.inf


def test_the_model_that_the_peaks_were_made_with_is_supported(study: Study) -> None:
    exposure = study.sources.adpp[study.sources.adpp["PARAMCD"] == "CMAX"]
    cells = exposure.set_index("USUBJID")["AVAL"]
    noise = pd.Series([1.01, 0.99] * (SUBJECTS // 2), index=cells.index)
    peaks = {
        "IFNG": noise * np.exp(1 + 3 * cells / (2000 + cells)),
        "CRP": noise * cells**0.7,
    }
    adpdp = study.adpdp.copy()
    for code, values in peaks.items():
        rows = (adpdp["PARCAT1"] == code) & (adpdp["PARAMCD"] == "PDPEAK")
        adpdp.loc[rows, "AVAL"] = adpdp.loc[rows, "USUBJID"].map(values)
    results, _ = run(relate_parameters, replace(study, adpdp=adpdp))
    for code, wanted in (("IFNG", "EMAX"), ("CRP", "LOG_LINEAR")):
        found = results.find(f"{STAGE}.marker_emax", code, "PCR", {"metric": "CMAX"}, "supported")
        assert found is not None and found.text == wanted, code
