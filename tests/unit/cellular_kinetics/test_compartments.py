"""Compartments: pairs with the central one, ratios, peaks, and courses that are never mixed."""

from __future__ import annotations

from math import exp, isnan, log

import numpy as np
import pandas as pd
import pytest
from compartment_samples import SAMPLES, make_images, make_samples
from kinetics_study import analyse, make_adex, make_adpc, make_adsl

from celldossier.cellular_kinetics.compartment_summaries import summarise_compartments
from celldossier.cellular_kinetics.compartments import derive_adtiss
from celldossier.datasets import empty_dataset
from celldossier.errors import InputDataError
from celldossier.results import AnalysisResults
from celldossier.settings.compartments import CompartmentRules


def derive(adpc=None, adpd=None, adsl=None, adex=None, **rules):
    return derive_adtiss(
        make_samples() if adpc is None else adpc,
        empty_dataset("ADPD") if adpd is None else adpd,
        make_adsl() if adsl is None else adsl,
        make_adex() if adex is None else adex,
        CompartmentRules.model_validate(rules),
    )


def row(adtiss, subject, day, compartment="BONE MARROW"):
    rows = adtiss[(adtiss["USUBJID"] == subject) & (adtiss["AFRLT"] == day)]
    rows = rows[rows["COMPART"] == compartment]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture(scope="module")
def adtiss():
    return derive()


@pytest.fixture(scope="module")
def results(adtiss):
    return AnalysisResults([summarise_compartments(adtiss)])


def stat(results, analysis, variable, name, **by):
    by = {"compartment": "BONE MARROW", **by}
    value = results.find(f"cellular_kinetics.{analysis}", variable, "PCR", by, name)
    assert value is not None, (analysis, variable, name, by)
    return value


def test_each_sample_of_another_compartment_is_there_once_with_the_central_ones_of_its_subject(
    adtiss,
):
    # Archived DNA is no compartment, and S4 has blood alone.
    assert len(adtiss) == len(SAMPLES) - 2
    assert set(adtiss["COMPART"]) == {"BLOOD", "BONE MARROW"}
    assert "S4" not in set(adtiss["USUBJID"])
    assert (adtiss["CENTFL"] == "Y").equals(adtiss["COMPART"] == "BLOOD")


def test_a_ratio_is_to_the_nearest_central_sample_and_of_two_as_near_to_the_earlier(adtiss):
    near = row(adtiss, "S1", 7.25)
    assert near[["PAIRTIME", "PAIRDIFF", "RATIO"]].tolist() == [7.0, 0.25, 0.5]
    between = row(adtiss, "S1", 28.0)
    assert between[["PAIRTIME", "PAIRVAL", "RATIO"]].tolist() == [27.0, 400.0, 4.0]


@pytest.mark.parametrize(
    ("subject", "day", "reason"),
    [
        ("S2", 7.0, "SITEBLQ"),
        ("S2", 28.0, "NOPAIR"),
        ("S3", 7.0, "CENTBLQ"),
        ("S3", 28.0, "BOTHBLQ"),
    ],
)
def test_a_pair_that_gives_no_ratio_says_why_and_nothing_is_put_in(adtiss, subject, day, reason):
    found = row(adtiss, subject, day)
    assert found["RATIORSN"] == reason and isnan(found["RATIO"])


def test_a_record_without_a_result_is_kept_and_not_analysed(adtiss):
    missing = row(adtiss, "S3", 60.0)
    assert missing[["ANL01FL", "ANLRSN", "RATIORSN"]].tolist() == ["N", "MISSING", ""]


def test_the_window_of_a_pair_is_a_setting():
    assert row(derive(pair_window=0.2), "S1", 7.25)["RATIORSN"] == "NOPAIR"
    assert row(derive(pair_window=21), "S2", 28.0)["RATIO"] == 900 / 200


@pytest.mark.parametrize("hours", [1, 2, 5, 7, 11, 23])
def test_a_partner_just_at_the_end_of_the_window_counts_whatever_the_rounding(hours):
    adpc = make_samples()
    first, second = (day + hours / 24 for day in (15, 16))
    adpc = adpc[adpc["USUBJID"] == "S1"].assign(AFRLT=second)
    central = adpc[adpc["PCSPEC"] == "BLOOD"].head(1).assign(AFRLT=first, AVAL=100.0, BLQFL="N")
    site = adpc[adpc["PCSPEC"] == "BONE MARROW"].head(1).assign(AVAL=50.0, BLQFL="N")
    found = derive(pd.concat([central, site], ignore_index=True), pair_window=1)
    assert row(found, "S1", second)["RATIO"] == 0.5


def test_the_central_compartment_is_a_setting():
    turned = derive(central=["BONE MARROW"])
    assert row(turned, "S1", 7.0, "BLOOD")["RATIO"] == 2.0
    assert set(turned.loc[turned["CENTFL"] == "Y", "COMPART"]) == {"BONE MARROW"}


def test_samples_of_subjects_not_infused_and_after_an_unplanned_infusion_are_not_counted():
    again = {"USUBJID": "S1", "DOSENO": 2, "DOSETYPE": "UNPLANNED", "AFRLT": 20.0}
    changed = derive(adsl=make_adsl(SAFFL=["Y", "N", "Y", "Y", "Y"]), adex=make_adex(again))
    reasons = changed[changed["USUBJID"].isin(["S1", "S2"])].groupby("ANLRSN").size().to_dict()
    assert reasons == {"": 2, "AFTREINF": 3, "NOTINFUSED": 3}


def test_images_of_named_markers_are_compartments_without_a_ratio():
    images = make_images(
        ("S1", "SIGNAL", "LIVER", 1.0, 2.0),
        ("S1", "SIGNAL", "KNEE JOINT", 1.0, 90.0),
        ("S1", "SIGNAL", "KNEE JOINT", 7.0, 95.0),
        ("S1", "VOLUME", "KNEE JOINT", 1.0, 3000.0),
    )
    assert derive(adpc=make_samples(SAMPLES[-2:-1]), adpd=images).empty
    found = derive(adpc=make_samples(SAMPLES[-2:-1]), adpd=images, imaging=["SIGNAL"])
    assert found[["COMPART", "COMPTYP", "RATIORSN"]].to_numpy().tolist() == [
        ["KNEE JOINT", "IMAGE", ""], ["KNEE JOINT", "IMAGE", ""], ["LIVER", "IMAGE", ""],
    ]  # fmt: skip
    results = AnalysisResults([summarise_compartments(found)])
    peak = results.find(
        "cellular_kinetics.compartment_peak", "TMAX", "SIGNAL", {"compartment": "KNEE JOINT"}, "max"
    )
    assert peak.number == 7.0
    assert results.select("cellular_kinetics.compartment_ratio").empty


def test_several_units_of_one_analyte_are_an_error():
    adpc = make_samples()
    adpc.loc[adpc["PCSPEC"] == "BONE MARROW", "AVALU"] = "cells/uL"
    with pytest.raises(InputDataError, match="cells/uL, copies/ug"):
        derive(adpc=adpc)


def test_where_only_blood_was_sampled_there_is_nothing():
    adtiss = derive(adpc=make_samples([sample for sample in SAMPLES if sample[1] == "BLOOD"]))
    assert adtiss.empty and summarise_compartments(adtiss).empty


def test_counts_and_geometric_means_are_those_of_the_samples_of_a_visit(results):
    assert stat(results, "compartment", "CONC", "n", visit="7").number == 3
    assert stat(results, "compartment", "CONC", "n_quant", visit="7").number == 2
    geomean = stat(results, "compartment", "CONC", "geomean", visit="7")
    assert geomean.number == pytest.approx((500 * 80) ** 0.5)
    assert stat(results, "compartment", "CONC", "n_blq", visit="28").number == 1
    assert stat(results, "compartment_subjects", "", "n").number == 3
    assert stat(results, "compartment_subjects", "", "n_samples").number == 6


def test_every_sample_is_in_a_ratio_or_counted_with_its_reason(results, adtiss):
    counts = [
        stat(results, "compartment_ratio", "RATIO", f"n_{name}").number
        for name in ("nopair", "siteblq", "centblq", "bothblq")
    ]
    assert counts == [1, 1, 1, 1]
    by_visit = [
        stat(results, "compartment_ratio", "RATIO", name, visit=visit).number
        for visit in ("7", "28")
        for name in ("n", "n_nopair", "n_siteblq", "n_centblq", "n_bothblq")
    ]
    marrow = adtiss[(adtiss["CENTFL"] == "N") & (adtiss["ANL01FL"] == "Y")]
    assert sum(by_visit) == len(marrow)


def test_over_all_visits_each_subject_counts_once(results):
    ratio = stat(results, "compartment_ratio", "RATIO", "geomean")
    assert ratio.n == 1 and ratio.number == pytest.approx(exp((log(0.5) + log(4)) / 2))


def test_the_peak_is_the_highest_result_of_each_subject_with_its_time(results):
    assert stat(results, "compartment_peak", "CMAX", "geomean").number == pytest.approx(
        (1600 * 900 * 80) ** (1 / 3)
    )
    assert stat(results, "compartment_peak", "TMAX", "median").number == 28.0
    assert stat(results, "compartment_peak", "TMAX", "min").number == 7.0


def test_the_order_of_the_records_has_no_influence(adtiss):
    shuffled = make_samples().sample(frac=1, random_state=3).reset_index(drop=True)
    pd.testing.assert_frame_equal(derive(adpc=shuffled), adtiss)


def test_other_compartments_change_no_parameter_and_no_summary_of_the_kinetics():
    marrow = make_adpc(PCSPEC="BONE MARROW", ANL01FL="N")
    both, alone = analyse(adpc=pd.concat([make_adpc(), marrow], ignore_index=True)), analyse()
    for name in ("adpp", "adlz", "adnca"):
        pd.testing.assert_frame_equal(getattr(both, name), getattr(alone, name))
    ours = both.results["analysis_id"].str.startswith("cellular_kinetics.compartment")
    assert ours.any()
    pd.testing.assert_frame_equal(both.results[~ours].reset_index(drop=True), alone.results)


def test_two_compartments_in_one_course_are_an_error_and_two_names_of_blood_are_not():
    marrow = make_adpc(PCSPEC="BONE MARROW")
    with pytest.raises(InputDataError, match="BLOOD, BONE MARROW"):
        analyse(adpc=pd.concat([make_adpc(), marrow], ignore_index=True))
    names = make_adpc()
    names.loc[names["NFRLT"] > 10, "PCSPEC"] = "WHOLE BLOOD"
    pd.testing.assert_series_equal(analyse(adpc=names).adpp["AVAL"], analyse().adpp["AVAL"])


def test_of_a_site_alone_the_distribution_is_given_though_no_kinetics_were_analysed():
    adpc = make_samples().assign(ANL01FL="N")
    output = analyse(adpc=adpc)
    assert output.adpp.empty and len(output.adtiss) == 13
    assert np.isfinite(
        output.results.loc[output.results["stat_name"] == "n_samples", "value"]
    ).all()
    assert set(output.curves["curve_id"]) == {"cellular_kinetics.compartment/PCR"}
