"""Groups of the kinetics: levels of the subjects, summaries that add up, ratios, early peaks."""

from __future__ import annotations

from math import exp, log, nan, sqrt

import numpy as np
import pandas as pd
import pytest
from kinetics_study import COURSES, analyse, make_adpc, make_adrs, make_adsl
from pydantic import ValidationError

from celldossier.cellular_kinetics.levels import age_band, derive_subject_levels
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.kinetics_summaries import GROUPINGS, KineticsSummaries
from celldossier.stats import heterogeneity

PROCESSES = ["A", "A", "B", "B", ""]
STRATA = {
    "PROCESS": PROCESSES,
    "REGION1": ["CHINA", "CHINA", "OTHER", "OTHER", "CHINA"],
    "AGE": [17.9, 18.0, 64.9, 65.0, nan],
    "HEPGRP": ["NORMAL", "MILD", "NORMAL", "NORMAL", "NORMAL"],
}


def results_of(**arguments) -> AnalysisResults:
    return AnalysisResults([analyse(**arguments).results])


def stat(results, analysis, variable, name, **by):
    value = results.find(f"cellular_kinetics.{analysis}", variable, "PCR", by, name)
    assert value is not None, (analysis, variable, name, by)
    return value


@pytest.fixture(scope="module")
def strata() -> AnalysisResults:
    return results_of(adsl=make_adsl(**STRATA))


def test_levels_are_those_of_the_subject_and_unknown_where_only_some_are_known():
    levels = derive_subject_levels(make_adsl(**STRATA), make_adrs())
    assert set(levels) == set(GROUPINGS)
    assert levels["process"].tolist() == ["A", "A", "B", "B", "UNKNOWN"]
    assert levels["age"].tolist() == ["<18", "18-64", "18-64", ">=65", "UNKNOWN"]
    assert levels["study"].unique().tolist() == ["T"]
    # Renal function was collected of nobody: there is nothing to group.
    assert levels["renal"].unique().tolist() == [""]


def test_age_bands_are_those_of_the_settings():
    ages = pd.Series([1.9, 2, 11.9, 12, 17, 18, nan])
    assert age_band(ages, (2, 12, 18)).tolist() == [
        "<2", "2-11", "2-11", "12-17", "12-17", ">=18", "",
    ]  # fmt: skip
    levels = derive_subject_levels(
        make_adsl(AGE=17.0), make_adrs(), KineticsSummaries(age_bands=(17, 18))
    )
    assert levels["age"].unique().tolist() == ["17"]


@pytest.mark.parametrize(
    "settings",
    [
        {"groupings": ["dose", "dose"]},
        {"groupings": ["colour"]},
        {"age_bands": []},
        {"age_bands": [65, 18]},
        {"reference_levels": {"response": "RESPONDER"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValidationError):
        KineticsSummaries.model_validate(settings)


def test_the_groups_of_each_grouping_add_up_to_all_subjects(strata):
    rows = strata.select("cellular_kinetics.summary")
    counts = rows[rows["stat_name"].isin(["n", "n_nc"])]
    total = counts[counts["group1"] == ""].groupby("variable")["value"].sum()
    assert (total == len(COURSES)).all()
    single = counts[(counts["group1"] != "") & (counts["group2"] == "")]
    assert set(single["group1"]) == set(GROUPINGS) - {"renal"}
    for key, part in single.groupby("group1"):
        pd.testing.assert_series_equal(
            part.groupby("variable")["value"].sum(), total, check_names=False, obj=str(key)
        )


def test_reasons_are_counted_in_each_group_also_where_they_do_not_occur(strata):
    assert stat(strata, "reasons", "TMAX", "n", reason="BLQALL", process="B").number == 1
    assert stat(strata, "reasons", "TMAX", "n", reason="BLQALL", process="A").number == 0
    assert stat(strata, "summary", "TMAX", "n_nc", process="B").number == 1


def test_only_the_groupings_of_the_settings_are_made():
    results = results_of(adsl=make_adsl(**STRATA), summaries={"groupings": ["region"]})
    rows = results.select("cellular_kinetics.summary")
    assert set(rows["group1"]) == {"", "region"}
    assert results.select("cellular_kinetics.ratio_by_response").empty
    assert set(results.select("cellular_kinetics.ratio")["group1"]) == {"region"}


def test_each_level_is_compared_with_the_largest_group(strata):
    gmr = stat(strata, "ratio", "CMAX", "gmr", region="OTHER")
    china = (8000 * 2000 * 900) ** (1 / 3)
    # S4 of the other regions was never quantifiable: it has no logarithm.
    assert gmr.number == pytest.approx(32000 / china)
    assert stat(strata, "ratio", "CMAX", "n_test", region="OTHER").number == 1
    assert stat(strata, "ratio", "CMAX", "n_reference", region="OTHER").number == 3
    assert stat(strata, "ratio", "CMAX", "gmr_low", region="OTHER").note_code == "FEWSUBJ"
    assert stat(strata, "ratio", "CMAX", "reference", region="OTHER").text == "CHINA"
    assert strata.find("cellular_kinetics.ratio", "CMAX", "PCR", {"region": "CHINA"}, "gmr") is None


def test_a_named_reference_turns_the_ratio_round_with_its_interval():
    adsl = make_adsl(REGION1=["CHINA", "OTHER", "OTHER", "CHINA", "CHINA"])
    largest = results_of(adsl=adsl)
    named = results_of(adsl=adsl, summaries={"reference_levels": {"region": "OTHER"}})
    first, second = (
        [stat(results, "ratio", "AUC28", name, region=level).number for name in names]
        for results, level, names in (
            (largest, "OTHER", ("gmr", "gmr_low", "gmr_high")),
            (named, "CHINA", ("gmr", "gmr_high", "gmr_low")),
        )
    )
    np.testing.assert_allclose(first, [1 / value for value in second])


def test_a_reference_in_which_nobody_is_leaves_the_ratios_empty_with_the_reason():
    settings = {"reference_levels": {"region": "MARS"}}
    results = results_of(adsl=make_adsl(**STRATA), summaries=settings)
    for level in ("CHINA", "OTHER"):
        gmr = stat(results, "ratio", "CMAX", "gmr", region=level)
        assert np.isnan(gmr.number) and gmr.note_code == "NOREFLEV"


def test_subjects_of_unknown_level_are_compared_with_nobody(strata):
    rows = strata.select("cellular_kinetics.ratio")
    assert "UNKNOWN" not in set(rows["level1"]) | set(rows["value_text"])
    assert len(rows)


def test_all_levels_at_once_are_compared_by_welchs_analysis_of_variance():
    adsl = make_adsl(REGION1=["CHINA", "OTHER", "OTHER", "CHINA", "CHINA"])
    found = stat(results_of(adsl=adsl), "heterogeneity", "CMAX", "p", grouping="region")
    expected = heterogeneity.test_welch([(8000.0, 900.0), (2000.0, 32000.0)])
    assert found.number == pytest.approx(expected.p) and found.n == 4


def test_a_grouping_of_one_level_is_summarised_and_not_compared(strata):
    assert stat(strata, "summary", "CMAX", "n", study="T").number == 5
    assert strata.levels("cellular_kinetics.ratio", "study") == []


EARLY = 0.04


def with_early_peak(day: float = EARLY) -> pd.DataFrame:
    """S1 with a sample an hour after the infusion that is higher than any other."""
    adpc = make_adpc()
    row = adpc[(adpc["USUBJID"] == "S1") & (adpc["NFRLT"] == 10)].assign(
        AVAL=90000.0, AVALC="90000", AFRLT=day, NFRLT=day, SRCROW=900
    )
    return pd.concat([adpc, row], ignore_index=True)


def test_the_peak_of_all_samples_stands_beside_the_peak_without_early_ones():
    adpp = analyse(adpc=with_early_peak()).adpp
    found = adpp[adpp["USUBJID"] == "S1"].set_index("PARAMCD")["AVAL"]
    assert found[["CMAX", "CMAXALL", "TMAXALL"]].tolist() == [8000.0, 90000.0, EARLY]
    assert found["TMAX"] == pytest.approx(10.125)
    others = adpp[adpp["USUBJID"] != "S1"].pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    pd.testing.assert_series_equal(others["CMAX"], others["CMAXALL"], check_names=False)


def test_the_peak_of_all_samples_is_the_peak_with_peak_from_0():
    whole = analyse(adpc=with_early_peak()).adpp
    zero = analyse(adpc=with_early_peak(), peak_from=0).adpp
    assert not zero["PARAMCD"].isin(["CMAXALL", "TMAXALL"]).any()
    for code in ("CMAX", "TMAX"):
        columns = ["USUBJID", "AVAL", "AVALU", "FLAG", "PPREASND"]
        first = whole.loc[whole["PARAMCD"] == f"{code}ALL", columns]
        second = zero.loc[zero["PARAMCD"] == code, columns]
        pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))


def test_the_summary_of_the_peak_of_all_samples_is_of_the_same_subjects():
    results = results_of(adpc=with_early_peak())
    values = (90000.0, 2000.0, 32000.0, 900.0)
    found = stat(results, "summary", "CMAXALL", "geomean")
    assert found.number == pytest.approx(exp(sum(map(log, values)) / 4))
    assert stat(results, "summary", "CMAXALL", "n_blq").number == 1
    by = {"response": "RESPONDER"}
    assert stat(results, "summary", "CMAXALL", "geomean", **by).number == pytest.approx(
        sqrt(90000 * 32000)
    )


def test_without_best_responses_there_is_no_grouping_by_response():
    levels = derive_subject_levels(make_adsl(), empty_dataset("ADRS"))
    assert levels["response"].unique().tolist() == [""]
    unknown = derive_subject_levels(make_adsl(), make_adrs(dict.fromkeys(COURSES, "")))
    assert unknown["response"].unique().tolist() == ["UNKNOWN"]
