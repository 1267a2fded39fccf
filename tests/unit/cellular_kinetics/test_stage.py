"""The stage: ADPC to ADNCA, ADPP, ADLZ, analysis results and curves."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, log, nan, sqrt

import numpy as np
import pandas as pd
import pytest
from kinetics_study import (
    COURSES,
    DOSES,
    analyse,
    make_adcm,
    make_adex,
    make_adpc,
    make_adsl,
)

from celldossier.cellular_kinetics.analysis_datasets import derive_censoring
from celldossier.datasets import conform, empty_dataset
from celldossier.errors import InputDataError
from celldossier.results import AnalysisResults


@pytest.fixture(scope="module")
def output():
    return analyse()


@pytest.fixture(scope="module")
def results(output):
    return AnalysisResults([output.results])


def parameter(output, subject, code):
    rows = output.adpp[(output.adpp["USUBJID"] == subject) & (output.adpp["PARAMCD"] == code)]
    assert len(rows) == 1
    return rows.iloc[0]


def found(results, analysis, variable, stat, **by):
    value = results.find(f"cellular_kinetics.{analysis}", variable, "PCR", by, stat)
    assert value is not None, (analysis, variable, stat, by)
    return value


def test_every_analysed_sample_is_in_adnca_once(output):
    adnca = output.adnca
    assert sorted(adnca["SRCROW"]) == sorted(make_adpc()["SRCROW"])
    assert adnca["NCAXRS"].value_counts().to_dict() == {"": 29, "MISSING": 1}


def test_adnca_holds_observed_and_imputed_values_apart(output):
    rows = output.adnca[output.adnca["USUBJID"] == "S5"]
    assert rows["DTYPE"].tolist() == ["BLQFIRST", "", "", "", "", ""]
    assert rows["AVAL"].tolist()[:2] == [0.0, 100.0]
    assert np.isnan(rows["AVAL"].iloc[-1]) and rows["BLQFL"].iloc[-1] == "Y"
    assert rows["MRRLT"].iloc[0] == 0.0 and rows["ARRLT"].iloc[0] == -0.05
    assert rows["DOSEA"].unique().tolist() == [50.0]


def test_a_concentration_put_in_at_the_dose_names_the_infusion_as_its_source():
    adpc = make_adpc()
    without = adpc[~((adpc["USUBJID"] == "S1") & (adpc["NFRLT"] == 0))]
    adnca = analyse(adpc=without).adnca
    row = adnca[adnca["DTYPE"] == "START0"]
    assert row[["USUBJID", "SRCDOM", "SRCROW", "AVAL", "NCAXFL"]].to_numpy().tolist() == [
        ["S1", "EX", 101, 0.0, "N"]
    ]


def test_a_result_without_a_time_is_excluded_with_its_reason_and_kept():
    adpc = make_adpc()
    adpc.loc[(adpc["USUBJID"] == "S1") & (adpc["NFRLT"] == 28), "AFRLT"] = nan
    adpc.loc[(adpc["USUBJID"] == "S4") & (adpc["NFRLT"] == 28), "AFRLT"] = nan
    adnca = analyse(adpc=adpc).adnca
    rows = adnca[adnca["NCAXRS"] == "NOTIME"]
    assert rows[["USUBJID", "BLQFL", "NCAXFL"]].to_numpy().tolist() == [
        ["S1", "N", "Y"],
        ["S4", "Y", "Y"],
    ]
    assert rows["AVAL"].iloc[0] == 250.0


def test_other_specimens_are_not_analysed():
    marrow = make_adpc(PCSPEC="BONE MARROW", ANL01FL="N")
    both = pd.concat([make_adpc(), marrow], ignore_index=True)
    pd.testing.assert_frame_equal(analyse(adpc=both).adpp, analyse().adpp)


def test_the_order_of_the_records_has_no_influence(output):
    shuffled = make_adpc().sample(frac=1, random_state=7).reset_index(drop=True)
    again = analyse(adpc=shuffled)
    for name in ("adnca", "adpp", "adlz", "results", "curves"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(output, name))


def test_without_concentrations_every_dataset_is_empty():
    empty = analyse(adpc=empty_dataset("ADPC"))
    assert [len(getattr(empty, n)) for n in ("adnca", "adpp", "adlz", "results", "curves")] == [
        0
    ] * 5
    assert list(empty.adpp.columns) == list(analyse().adpp.columns)


def test_several_units_of_one_analyte_are_an_error():
    adpc = make_adpc()
    adpc.loc[adpc["USUBJID"] == "S2", "AVALU"] = "copies/uL"
    with pytest.raises(InputDataError, match="copies/uL, copies/ug"):
        analyse(adpc=adpc)


def test_adpp_names_and_numbers_the_parameters_as_the_registry(output):
    row = parameter(output, "S1", "AUC28")
    assert row["PARAM"] == "AUC from 0 to 28 d" and row["AVALU"] == "d*copies/ug"
    assert row["PPSPEC"] == "BLOOD" and row["TRT01A"] == "DL1"
    numbers = output.adpp.drop_duplicates("PARAMCD").set_index("PARAMCD")["PARAMN"]
    assert numbers["CMAX"] == 1 and numbers.is_unique and numbers["TMAX"] == 2


def test_a_value_is_missing_exactly_where_there_is_a_reason(output):
    assert (output.adpp["AVAL"].isna() == (output.adpp["PPREASND"] != "")).all()


def test_a_subject_without_a_sample_of_an_analyte_is_listed_with_a_reason():
    flow = make_adpc({"S1": COURSES["S1"]}, PARAMCD="FLOW", AVALU="cells/uL")
    adpc = conform(pd.concat([make_adpc(), flow], ignore_index=True), "ADPC")
    output = analyse(adpc=adpc)
    found = output.adpp[output.adpp["PARCAT1"] == "FLOW"].set_index(["USUBJID", "PARAMCD"])
    assert set(found.index.get_level_values(0)) == set(COURSES)
    for subject in ("S2", "S3", "S4", "S5"):
        assert np.isnan(found.loc[(subject, "CMAX"), "AVAL"])
        assert found.loc[(subject, "CMAX"), "PPREASND"] == "NOSAMPLE"
        assert found.loc[(subject, "CMAX"), "AVALU"] == "cells/uL"
    # No sample is made up: ADNCA holds what was taken.
    assert set(output.adnca.loc[output.adnca["PARAMCD"] == "FLOW", "USUBJID"]) == {"S1"}


def test_a_subject_outside_the_kinetics_set_is_not_listed_as_missing():
    adsl = make_adsl(PKFL=["Y", "N", "Y", "Y", "Y"])
    flow = make_adpc({"S1": COURSES["S1"]}, PARAMCD="FLOW", AVALU="cells/uL")
    adpc = conform(pd.concat([make_adpc(), flow], ignore_index=True), "ADPC")
    adpp = analyse(adpc=adpc, adsl=adsl).adpp
    assert "S2" not in set(adpp.loc[adpp["PARCAT1"] == "FLOW", "USUBJID"])


def test_the_listing_of_regressions_says_how_the_gates_ended(output):
    gates = output.adlz.set_index("USUBJID")["GATE"]
    assert gates["S4"] == "BLQALL" and gates["S1"] == "PASS"


EVENT = {"USUBJID": "S5", "DOSENO": 2, "DOSETYPE": "REPEAT", "DOSEA": 10.0, "AFRLT": 20.0}


def test_death_before_the_end_of_the_area_empties_it():
    late = make_adpc({**COURSES, "S1": ("BLQ", 1000.0, 8000.0, 4000.0, 1000.0, None)})
    dead = make_adsl(DTHDY=[22.0, nan, nan, nan, nan])
    assert parameter(analyse(adpc=late, adsl=dead), "S1", "AUC28")["PPREASND"] == "CENSORED"
    assert parameter(analyse(adpc=late), "S1", "AUC28")["PPREASND"] == "NOLAMZ"


def test_censoring_is_the_first_of_death_new_therapy_and_unplanned_infusion():
    adex = make_adex({**EVENT, "DOSETYPE": "UNPLANNED"}, {**EVENT, "USUBJID": "S2"})
    adcm = make_adcm(
        {"USUBJID": "S5", "CMCLASS": "NEW_THERAPY", "ASTDY": 15.0},
        {"USUBJID": "S1", "CMCLASS": "NEW_THERAPY", "ASTDY": -15.0},
        {"USUBJID": "S3", "CMCLASS": "STEROID", "ASTDY": 5.0},
    )
    adsl = make_adsl(DTHDY=[nan, nan, nan, 300.0, 200.0])
    assert derive_censoring(adsl, adex, adcm).to_dict() == {"S4": 300.0, "S5": 15.0}
    assert derive_censoring(adsl, adex, make_adcm()).to_dict() == {"S4": 300.0, "S5": 20.0}


def test_a_course_of_planned_infusions_is_flagged_and_not_censored():
    output = analyse(adex=make_adex(EVENT))
    rows = output.adpp[output.adpp["PROFTYP"] == "COURSE"]
    output = replace(output, adpp=rows)
    assert parameter(output, "S5", "CMAX")["FLAG"] == "COURSE"
    assert parameter(output, "S5", "AUC28")["PPREASND"] == ""
    assert parameter(output, "S1", "CMAX")["FLAG"] == ""


def test_the_summary_of_a_dose_level_is_that_of_its_values(results):
    by = {"dose": "DL1"}
    assert found(results, "summary", "CMAX", "n", **by).number == 2
    assert found(results, "summary", "CMAX", "geomean", **by).number == pytest.approx(4000.0)
    spread = log(8000 / 2000) / sqrt(2)
    gcv = found(results, "summary", "CMAX", "gcv", **by)
    assert gcv.number == pytest.approx(100 * sqrt(exp(spread**2) - 1)) and gcv.unit == "%"
    assert found(results, "summary", "CMAX", "values", **by).text == "2000; 8000"


def test_three_values_are_summarised_and_no_longer_listed(results):
    where = ("cellular_kinetics.summary", "CMAX", "PCR", {"dose": "DL2"})
    assert results.find(*where, "n").number == 3
    assert results.find(*where, "values") is None


def test_all_blq_subjects_count_beside_the_geometric_mean(results):
    geomean = found(results, "summary", "CMAX", "geomean")
    assert geomean.number == pytest.approx((8000 * 2000 * 32000 * 900) ** 0.25)
    assert geomean.n == 4
    assert found(results, "summary", "CMAX", "n").number == 5
    assert found(results, "summary", "CMAX", "n_blq").number == 1
    assert found(results, "summary", "CMAX", "min").number == 0


def test_half_of_the_limit_stands_in_for_all_blq_as_a_sensitivity(results):
    value = found(results, "summary_sensitivity", "CMAX", "geomean")
    assert value.number == pytest.approx((8000 * 2000 * 32000 * 900 * 25) ** 0.2)


def test_a_result_reported_as_above_its_limit_flags_the_peak_although_the_number_equals_it():
    adpc = make_adpc(AULOQ=8000.0)
    peak = (adpc["USUBJID"] == "S1") & (adpc["AVAL"] == 8000)
    assert parameter(analyse(adpc=adpc), "S1", "CMAX")["FLAG"] == ""
    adpc.loc[peak, "ALQFL"] = "Y"
    assert parameter(analyse(adpc=adpc), "S1", "CMAX")["FLAG"] == "ALQ"


def test_where_the_limit_changed_the_highest_one_bounds_a_subject_that_is_all_blq():
    adpc = make_adpc()
    changed = (adpc["USUBJID"] == "S4") & (adpc["NFRLT"] == 28)
    adpc.loc[changed, "ALLOQ"] = 100.0
    results = AnalysisResults([analyse(adpc=adpc).results])
    value = found(results, "summary_sensitivity", "CMAX", "geomean")
    assert value.number == pytest.approx((8000 * 2000 * 32000 * 900 * 50) ** 0.2)


def test_missing_values_are_counted_by_reason(results):
    assert found(results, "summary", "TMAX", "n_nc").number == 1
    assert found(results, "reasons", "TMAX", "n", reason="BLQALL").number == 1
    assert found(results, "reasons", "TMAX", "n", reason="BLQALL", dose="DL2").number == 1


def test_every_parameter_has_a_block_in_every_group(output, results):
    rows = results.select("cellular_kinetics.summary")
    counts = rows[rows["stat_name"] == "n"].groupby("variable").size()
    # Total, 2 doses, 1 study, 1 indication, 3 responses, 2 doses by indication.
    assert set(counts) == {10} and set(counts.index) == set(output.adpp["PARAMCD"])
    missing = rows[rows["value"].isna() & (rows["value_text"] == "")]
    assert (missing["note_code"] != "").all() and len(missing)


def test_the_ungated_half_life_stands_beside_the_gated_one(output, results):
    raw = output.adpp[output.adpp["PARAMCD"] == "LAMZHLR"]["AVAL"]
    assert found(results, "ungated", "LAMZHL", "n").number == raw.notna().sum()
    assert found(results, "ungated", "LAMZHL", "geomean").number == pytest.approx(
        exp(np.log(raw.dropna()).mean())
    )


def test_groups_by_response_are_those_of_the_best_response(results):
    for level, count in (("RESPONDER", 2), ("NONRESPONDER", 2), ("UNKNOWN", 1)):
        assert found(results, "summary", "CMAX", "n", response=level).number == count


def test_the_ratio_by_response_is_of_geometric_means_and_needs_two_values_for_its_interval(results):
    gmr = found(results, "ratio_by_response", "CMAX", "gmr")
    assert gmr.number == pytest.approx(sqrt(8000 * 32000) / 2000)
    assert found(results, "ratio_by_response", "CMAX", "n_nonresponder").number == 1
    assert found(results, "ratio_by_response", "CMAX", "gmr_low").note_code == "FEWSUBJ"


def test_what_depends_on_the_length_of_follow_up_is_not_compared_by_response(results):
    compared = set(results.select("cellular_kinetics.ratio_by_response")["variable"])
    assert compared == {"CMAX", "CMAXALL", "CMAXTMAX", "AUC28", "AUC28XE", "EXPRATE", "DOUBT"}


def test_without_responses_nothing_is_grouped_by_response():
    found_results = AnalysisResults([analyse(adrs=empty_dataset("ADRS")).results])
    assert found_results.levels("cellular_kinetics.summary", "response") == []
    assert found_results.select("cellular_kinetics.ratio_by_response").empty


def test_concentrations_by_nominal_time_count_blq_as_zero_and_withhold_few_quantifiable(results):
    by = {"visit": "28"}
    assert found(results, "concentration", "CONC", "n", **by).number == 5
    assert found(results, "concentration", "CONC", "n_blq", **by).number == 2
    mean = found(results, "concentration", "CONC", "mean", **by)
    assert mean.number == pytest.approx((250 + 62.5 + 1000) / 5) and mean.unit == "copies/ug"
    geomean = found(results, "concentration", "CONC", "geomean", **by)
    assert geomean.number == pytest.approx((250 * 62.5 * 1000) ** (1 / 3)) and geomean.n == 3
    first = found(results, "concentration", "CONC", "geomean", visit="0")
    assert first.note_code == "BLQHALF"
    assert found(results, "concentration", "CONC", "n", visit="21").number == 4


def test_half_quantifiable_is_enough_for_a_geometric_mean():
    two = {name: COURSES[name] for name in ("S4", "S5")}
    found_results = AnalysisResults([analyse(adpc=make_adpc(two)).results])
    geomean = found(found_results, "concentration", "CONC", "geomean", visit="7")
    assert geomean.number == pytest.approx(100.0)


def test_subjects_outside_the_kinetics_population_are_in_no_summary():
    adsl = make_adsl(PKFL=["N", "Y", "Y", "Y", "Y"])
    output = analyse(adsl=adsl)
    assert "S1" in set(output.adpp["USUBJID"])
    assert found(AnalysisResults([output.results]), "summary", "CMAX", "n").number == 4


def point(output, curve, series, x):
    rows = output.curves
    rows = rows[(rows["curve_id"] == f"cellular_kinetics.{curve}/PCR")]
    return rows[(rows["series"] == series) & (rows["x"] == x)]


def test_the_mean_profile_is_the_geometric_mean_with_its_spread(output):
    row = point(output, "profile", "dose=DL1", 10.0).iloc[0]
    spread = exp(log(4) / sqrt(2))
    assert (row["y"], row["n"]) == (pytest.approx(4000.0), 2)
    assert (row["low"], row["high"]) == (pytest.approx(4000 / spread), pytest.approx(4000 * spread))
    assert row["y_unit"] == "copies/ug" and row["kind"] == "summary"


def test_a_point_with_fewer_than_half_quantifiable_keeps_its_count_only(output):
    row = point(output, "profile", "total", 0.0).iloc[0]
    assert np.isnan(row["y"]) and row["n"] == 0
    assert point(output, "profile_median", "total", 0.0).empty


def test_the_median_profile_takes_half_of_the_limit_for_blq(output):
    row = point(output, "profile_median", "total", 28.0).iloc[0]
    assert (row["low"], row["y"], row["high"], row["n"]) == (25.0, 62.5, 250.0, 5)


def test_the_series_are_total_and_each_grouping(output):
    assert set(output.curves["series"]) == {
        "total",
        "dose=DL1",
        "dose=DL2",
        "dose=DL1/indication=NHL",
        "dose=DL2/indication=NHL",
        "indication=NHL",
        "response=RESPONDER",
        "response=NONRESPONDER",
        "response=UNKNOWN",
        *("S1", "S2", "S3", "S5"),
    }
    assert (output.curves["y"].dropna() < inf).all()


@pytest.mark.parametrize("kind", ["UNPLANNED", "RETREATMENT"])
def test_a_peak_after_cells_were_given_anew_is_none_of_the_first_course(kind):
    late = make_adpc({**COURSES, "S1": ("BLQ", 1000.0, 2000.0, 4000.0, 9000.0, 500.0)})
    last = late.loc[(late["USUBJID"] == "S1") & (late["AVAL"] == 4000.0), "AFRLT"].iloc[0]
    again = make_adex({**EVENT, "USUBJID": "S1", "DOSETYPE": kind, "AFRLT": last + 0.5})
    output = analyse(adpc=late, adex=again)
    assert parameter(output, "S1", "CMAX")["AVAL"] == 4000.0
    assert parameter(output, "S1", "TLST")["AVAL"] == pytest.approx(last)
    samples = output.adnca[output.adnca["USUBJID"] == "S1"]
    left_out = samples[samples["NCAXRS"] == "AFTREINF"]
    # They stay in the listing, with what was reported.
    assert left_out["AVAL"].tolist() == [9000.0, 500.0]
    assert set(left_out["NCAXFL"]) == {"Y"}
    # A planned repeat dose takes no sample away.
    planned = make_adex({**EVENT, "USUBJID": "S1", "AFRLT": last + 0.5})
    course = analyse(adpc=late, adex=planned).adpp.query("PROFTYP == 'COURSE'")
    assert parameter(replace(output, adpp=course), "S1", "CMAX")["AVAL"] == 9000.0


def test_the_first_rescue_medication_is_placed_by_the_peak():
    peaks = analyse().adpp.query("PARAMCD == 'TMAX'").set_index("USUBJID")["AVAL"]
    adcm = make_adcm(
        {"USUBJID": "S1", "CMCLASS": "TOCILIZUMAB", "ASTDY": peaks["S1"] - 2},
        {"USUBJID": "S1", "CMCLASS": "TOCILIZUMAB", "ASTDY": peaks["S1"] + 5},
        {"USUBJID": "S3", "CMCLASS": "TOCILIZUMAB", "ASTDY": peaks["S3"] + 1},
        {"USUBJID": "S3", "CMCLASS": "STEROID", "ASTDY": -1.0},
    )
    given = AnalysisResults([analyse(adcm=adcm).results])
    values = [
        found(given, "rescue_timing", "TOCILIZUMAB", stat).number
        for stat in ("n", "median", "min", "max", "n_before")
    ]
    assert values == pytest.approx([2, -0.5, -2, 1, 1])
    # A steroid before the infusion is no rescue.
    assert "STEROID" not in set(given.select("cellular_kinetics.rescue_timing")["variable"])


def test_every_profile_has_four_rows_of_phases_each_found_or_with_its_reason(output):
    adph = output.adph
    assert adph.groupby(["USUBJID", "PARCAT1"]).size().unique().tolist() == [4]
    assert ((adph["PHASEFL"] == "Y") == (adph["PHRSN"] == "")).all()
    assert adph["PHSTART"].notna().equals(adph["PHASEFL"] == "Y")
    first = adph[adph["USUBJID"] == "S1"].set_index("PHASE")
    assert first["PATTERN"].unique().tolist() == ["EC"]
    assert adph[adph["USUBJID"] == "S4"]["PHRSN"].unique().tolist() == ["BLQALL"]


def test_the_half_lives_of_the_phases_stand_among_the_parameters_with_their_windows(output):
    # S1 falls from 8,000 on day 10 to 250 on day 28, by a quarter between its last two samples.
    row = output.adph.query("USUBJID == 'S1' and PHASE == 'CONTRACTION'").iloc[0]
    assert parameter(output, "S1", "HLCON")["AVAL"] == row["PHHL"]
    assert parameter(output, "S1", "HLCON")["AVALU"] == "d"
    assert parameter(output, "S1", "HLCONLL")["AVAL"] == row["PHSTART"]
    assert parameter(output, "S1", "HLCONUL")["AVAL"] == row["PHEND"] == pytest.approx(28.125)
    missing = parameter(output, "S1", "HLPER")
    assert np.isnan(missing["AVAL"]) and missing["PPREASND"] == "NOPHASE"
    assert parameter(output, "S5", "HLPER")["PPREASND"] == "BLQBEFOR"
    assert parameter(output, "S1", "PHEXPR")["AVALU"] == "1/d"
    assert parameter(output, "S1", "CNADIR")["AVALU"] == "copies/ug"


def test_each_sample_is_in_the_phase_of_the_interval_that_ends_in_it(output):
    rows = output.adnca[output.adnca["USUBJID"] == "S1"]
    assert rows["PHASE"].tolist() == ["", *["EXPANSION"] * 2, *["CONTRACTION"] * 3]
    assert set(output.adnca.query("USUBJID == 'S4'")["PHASE"]) == {""}


def test_the_counts_of_patterns_and_of_missing_phases_add_up_to_the_subjects(results):
    rows = results.select("cellular_kinetics.phase_pattern")
    total = rows[(rows["stat_name"] == "n") & (rows["group2"] == "")]
    assert total["value"].sum() == len(DOSES)
    assert found(results, "phase_pattern", "PATTERN", "n", pattern="none").number == 1
    by_dose = rows[(rows["stat_name"] == "n") & (rows["group1"] == "dose")]
    assert by_dose["value"].sum() == len(DOSES)
    for phase in ("DISTRIBUTION", "EXPANSION", "CONTRACTION", "PERSISTENCE"):
        missing = found(results, "phase", phase, "n_missing").number
        assert found(results, "phase", phase, "n").number + missing == len(DOSES)
        reasons = results.select("cellular_kinetics.phase_reason")
        reasons = reasons[(reasons["variable"] == phase) & (reasons["group2"] == "")]
        assert reasons["value"].sum() == missing


def test_the_fitted_lines_go_through_the_ends_of_the_phases(output):
    line = output.curves[output.curves["curve_id"] == "cellular_kinetics.phases/PCR"]
    row = output.adph.query("USUBJID == 'S1' and PHASE == 'EXPANSION'").iloc[0]
    points = line[line["series"] == "S1"].set_index("x")["y"]
    assert points[row["PHSTART"]] == row["CSTART"] and points[row["PHEND"]] == row["CEND"]
    assert len(points) == 3


def test_without_a_specific_marker_the_trend_from_baseline_is_summarised():
    courses = {
        "S1": (100.0, 300.0, 400.0, 200.0, 100.0, 50.0),
        "S2": (200.0, 400.0, 800.0, 600.0, 300.0, "BLQ"),
        "S3": (400.0, 400.0, 400.0, 400.0, 800.0, 400.0),
        "S4": ("BLQ", 100.0, 200.0, 100.0, 100.0, 100.0),
        "S5": (100.0, 100.0, 100.0, 200.0, None, 100.0),
    }
    output = analyse(adpc=make_adpc(courses), no_specific_marker=["PCR"])
    rows = output.adnca.set_index(["USUBJID", "NRRLT"])
    assert rows.loc[("S1", 10.0), ["BASE", "CHG", "RCHG"]].tolist() == [100.0, 300.0, 3.0]
    assert rows.loc[("S2", 28.0), "CHG"] == -200.0
    # No baseline, no change; and none is put in (R4 is off).
    assert rows.loc["S4", "CHG"].isna().all()
    assert parameter(output, "S4", "CMAX")["PPREASND"] == "NOBASE"
    assert parameter(output, "S1", "LAMZ")["PPREASND"] == "NOMARKER"
    assert set(output.adph["PHASEFL"]) == {"N"} and set(output.adph["PHRSN"]) == {"NOMARKER"}
    trend = AnalysisResults([output.results])
    change = found(trend, "trend", "CHG", "mean", visit="10")
    assert change.number == pytest.approx((300 + 600 + 0 + 0) / 4) and change.n == 4
    assert found(trend, "trend", "FOLD", "geomean", visit="10").number == pytest.approx(2.0)
    assert found(trend, "trend", "CONC", "n_blq", visit="28").number == 1
    dose = found(trend, "trend", "CHG", "n", visit="10", dose="DL1")
    assert dose.number == 2


def test_with_a_specific_marker_there_is_no_trend(output, results):
    assert output.adnca[["BASE", "CHG", "RCHG"]].isna().all(axis=None)
    assert results.select("cellular_kinetics.trend").empty
