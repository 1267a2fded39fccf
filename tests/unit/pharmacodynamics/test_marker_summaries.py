"""Summaries of the parameters of markers, values by nominal day, and samples set apart."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from marker_courses import make_medication, make_samples, make_sources

from celldossier.pharmacodynamics.marker_summaries import summarise_markers
from celldossier.pharmacodynamics.parameters import derive_adpdp
from celldossier.pharmacodynamics.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings

COURSES = {
    "S-1": [(0, 10.0), (3, 80.0), (28, 20.0)],
    "S-2": [(0, "<2"), (3, 20.0), (28, "<2")],
    "S-3": [(0, 4.0), (3, 40.0), (28, 4.0)],
    "S-4": [(0, 10.0), (3, 20.0), (28, 12.0)],
}


def summarise(adpd, frames=None, **parameters):
    sources = make_sources(adpd, **(frames or {}))
    settings = PharmacodynamicsSettings.model_validate({"parameters": parameters})
    out = ResultCollector("pharmacodynamics")
    study = Study(sources, settings, derive_adpdp(sources, settings))
    curves = summarise_markers(study, out)
    return AnalysisResults([out.frame()]), pd.DataFrame(curves)


@pytest.fixture(scope="module")
def interferon():
    rows = [
        make_samples("IFNG", course, subject=subject, ANRHI=15.0)
        for subject, course in COURSES.items()
    ]
    return summarise(pd.concat(rows, ignore_index=True))


def read(results, analysis, variable, stat, marker="IFNG", **by):
    found = results.find(f"pharmacodynamics.{analysis}", variable, marker, by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found.text or found.number


def test_a_parameter_is_summarised_in_all_and_by_dose_level(interferon):
    results, _ = interferon
    peaks = [80, 20, 40, 20]
    mean = math.exp(sum(map(math.log, peaks)) / 4)
    assert read(results, "marker", "PDPEAK", "geomean") == pytest.approx(mean)
    assert read(results, "marker", "PDPEAK", "n", dose="DL1") == 2
    assert read(results, "marker", "PDPEAK", "values", dose="DL1") == "40; 80"
    assert read(results, "marker", "PDPEAK", "n_over") == 4


def test_bounds_and_results_below_the_limit_are_counted(interferon):
    results, _ = interferon
    assert read(results, "marker", "PDFOLD", "n_atleast") == 1
    assert read(results, "marker", "PDBASE", "n_blq") == 1
    assert read(results, "marker_value", "VALUE", "n_blq", visit="28") == 1


def test_recovery_is_a_kaplan_meier_median_of_those_who_left_the_limits(interferon):
    results, _ = interferon
    # 20, "<2", 4 and 12 on day 28: one of four is still above 15.
    assert read(results, "marker_return", "PDTREC", "n") == 4
    assert read(results, "marker_return", "PDTREC", "n_event") == 3
    assert read(results, "marker_return", "PDTREC", "median") == 28


def test_why_values_are_missing_is_counted():
    results, _ = summarise(make_samples("IFNG", [(3, 5.0), (28, 6.0)]))
    assert read(results, "marker_reason", "PDFOLD", "n", reason="NOPDBASE") == 1


def test_the_curve_holds_medians_at_nominal_days_with_the_baseline_at_day_0(interferon):
    _, curves = interferon
    total = curves[curves["curve_id"] == "pharmacodynamics.marker_median/IFNG"]
    total = total[total["series"] == "total"].set_index("x")
    assert sorted(total.index) == [0, 3, 28]
    assert total.loc[3, "y"] == 30 and total.loc[3, "low"] == 20 and total.loc[3, "high"] == 50


def test_samples_after_tocilizumab_are_in_no_median_but_counted_by_cause():
    adpd = make_samples("IL6", [(0, 5.0), (3, 60.0), (7, 900.0), (28, 9.0)])
    given = {"ADCM": make_medication("TOCILIZUMAB", 4.0)}
    results, curves = summarise(adpd, given)
    assert read(results, "marker_apart", "PDPEAKX", "n_samples", "IL6", cause="TOCILIZUMAB") == 2
    assert read(results, "marker_apart", "PDPEAKX", "max", "IL6", cause="TOCILIZUMAB") == 900
    assert results.find("pharmacodynamics.marker_value", "VALUE", "IL6", {"visit": "7"}) is None
    single = curves[curves["kind"] == "observed"]
    assert list(zip(single["x"], single["y"], strict=True)) == [(7, 900), (28, 9)]


def test_scores_have_mean_changes_with_limits_and_responders():
    courses = {"S-1": (60, 40), "S-2": (60, 30), "S-3": (60, 50)}
    rows = [make_samples("VASPAIN", [(0, a), (28, b)], subject=s) for s, (a, b) in courses.items()]
    results, curves = summarise(
        pd.concat(rows, ignore_index=True), rules=[{"marker": "VASPAIN", "mcid": 20}]
    )
    assert read(results, "marker_response", "PDRESP", "n_found", "VASPAIN") == 2
    assert read(results, "marker_change", "CHANGE", "median", "VASPAIN", visit="28") == -20
    # Mean -20, SD 10, t(2, 0.975) = 4.302653.
    half = 4.302653 * 10 / math.sqrt(3)
    low = read(results, "marker_change_mean", "CHANGE", "low", "VASPAIN", visit="28")
    assert low == pytest.approx(-20 - half, abs=1e-5)
    assert set(curves["curve_id"]) >= {"pharmacodynamics.marker_change/VASPAIN"}


def test_a_marker_in_several_places_is_summarised_in_each():
    rows = [
        make_samples("CARTVOL", [(0, 10.0), (28, value)], ASPEC="", ALOC=place)
        for place, value in (("LEFT", 11.0), ("RIGHT", 12.0))
    ]
    results, _ = summarise(pd.concat(rows, ignore_index=True))
    assert read(results, "marker", "PDPEAK", "max", "CARTVOL", series="LEFT") == 11
    assert read(results, "marker", "PDPEAK", "max", "CARTVOL", series="RIGHT") == 12


def test_what_platelets_release_has_changes_beside_markers_of_tissue_only():
    factor = make_samples("TGFB1", [(0, 10.0), (28, 11.0)])
    alone, _ = summarise(factor)
    assert not len(alone.select("pharmacodynamics.marker_change"))
    score = make_samples("VASPAIN", [(0, 50.0), (28, 40.0)])
    both, _ = summarise(pd.concat([factor, score], ignore_index=True))
    assert set(both.select("pharmacodynamics.marker_change")["analyte"]) == {"TGFB1", "VASPAIN"}


def test_without_an_upper_limit_of_normal_nobody_is_counted_as_above_it():
    results, _ = summarise(make_samples("IFNG", [(0, 10.0), (3, 80.0), (28, 20.0)]))
    place = ("pharmacodynamics.marker", "PDPEAK", "IFNG", {})
    assert results.find(*place, "n_over") is None
    assert results.find(*place, "n_last") is not None
