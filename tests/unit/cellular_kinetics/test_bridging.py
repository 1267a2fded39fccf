"""Versions of an assay on one scale before the NCA: the bridge, its verdict, and ADPPB."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from bridging_study import FACTOR, make_adbrg, make_versions
from kinetics_study import analyse, make_adcm, make_adex, make_adsl

from celldossier.cellular_kinetics.analysis_datasets import (
    add_missing_profiles,
    derive_nca_input,
    select_samples,
)
from celldossier.cellular_kinetics.bridging import (
    derive_adppb,
    estimate_bridges,
    scale_samples,
)
from celldossier.cellular_kinetics.bridging_results import draw_bridges, summarise_bridging
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.window_decisions import check_windows
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.bridging import BridgeRules
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.stats.bridging import estimate_bridge

NO_PAIRS = empty_dataset("ADBRG")


def run(
    adpc: pd.DataFrame, adbrg: pd.DataFrame, windows: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, AnalysisResults]:
    """Parameters as measured, ADPPB, and the results of the bridging."""
    settings, adsl = CellularKineticsSettings(), make_adsl()
    samples = select_samples(adpc)
    profiles = add_missing_profiles(samples, adsl)
    given = derive_nca_input(profiles, adsl, make_adex(), make_adcm())
    course = estimate_nca(given, settings, course=True, windows=windows).as_text()
    bridges = estimate_bridges(adbrg, settings.bridging)
    scaled = scale_samples(given, profiles, bridges)
    adppb = derive_adppb(scaled, profiles, course, adsl, settings, windows)
    results = summarise_bridging(adbrg, bridges, scaled, samples, pd.Index(adsl["USUBJID"]))
    measured = course.parameters.set_index(["USUBJID", "PARAMCD"])
    return measured, adppb, AnalysisResults([results])


def of(adppb: pd.DataFrame, approach: str) -> pd.DataFrame:
    return adppb[adppb["APPROACH"] == approach].set_index(["USUBJID", "PARAMCD"])


def find(results: AnalysisResults, analysis: str, stat: str, **by: str) -> float | str:
    value = results.find(f"cellular_kinetics.{analysis}", "CONC", "PCR", by, stat)
    assert value is not None, (analysis, stat)
    return value.text or value.number


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    return make_adbrg()


@pytest.fixture(scope="module")
def bridged(pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, AnalysisResults]:
    return run(make_versions(), pairs)


def factor_of(pairs: pd.DataFrame) -> float:
    return float(np.exp(np.log(pairs["RATIO"].dropna()).mean()))


def test_concentrations_are_bridged_before_the_nca_and_those_of_the_target_stay(
    pairs: pd.DataFrame, bridged: tuple[pd.DataFrame, pd.DataFrame, AnalysisResults]
) -> None:
    measured, adppb, _ = bridged
    own, factor = of(adppb, "BRIDGED"), factor_of(pairs)
    assert factor == pytest.approx(FACTOR, rel=0.1)
    for subject, scale in (("S1", factor), ("S2", factor), ("S3", 1.0), ("S5", 1.0)):
        for code in ("CMAX", "AUC28", "CMAXTMAX"):
            place = (subject, code)
            wanted = measured.loc[place, "AVAL"] * scale
            assert own.loc[place, "AVAL"] == pytest.approx(wanted, rel=1e-12)
        for code in ("TMAX", "TLST", "EXPRATE", "LAMZHL"):
            place = (subject, code)
            assert own.loc[place, "AVAL"] == pytest.approx(
                measured.loc[place, "AVAL"], rel=1e-9, nan_ok=True
            )
            assert own.loc[place, "PPREASND"] == measured.loc[place, "REASND"]
    below = own.loc[("S4", "LAMZHL"), "PPREASND"]
    assert below == measured.loc[("S4", "LAMZHL"), "REASND"] != ""
    assert own["ASSAYV"].groupby("USUBJID").first().tolist() == ["1", "1", "2", "1", "2"]
    assert set(own["SCALEV"]) == {"2"}
    limits = own["ALLOQ"].groupby("USUBJID").first()
    assert limits["S1"] == pytest.approx(50 * factor)
    assert limits["S3"] == 25.0
    assert set(own.loc[("S1", "AUC28"), ["AVALU", "PARAM"]]) >= {"d*copies/ug"}


def test_with_the_highest_limit_a_result_below_it_is_not_quantifiable(
    pairs: pd.DataFrame,
) -> None:
    # 60 of version 2 lies above its own limit of 25, and below 50 of version 1 on its scale.
    low = (*("BLQ", 100.0, 900.0, 500.0), *(100.0, 60.0))
    _, adppb, results = run(make_versions(courses={"S5": low}), pairs)
    highest = 50 * factor_of(pairs)
    assert 60 < highest < 100
    last = {name: of(adppb, name).loc[("S5", "TLST"), "AVAL"] for name in ("BRIDGED", "HIGHLLOQ")}
    assert last == {"BRIDGED": pytest.approx(28.125), "HIGHLLOQ": pytest.approx(21.125)}
    high = of(adppb, "HIGHLLOQ")
    assert high["ALLOQ"].to_numpy() == pytest.approx(highest)
    assert high.loc[("S5", "CMAX"), "AVAL"] == 900.0
    assert high.loc[("S1", "CMAX"), "AVAL"] == pytest.approx(8000 * factor_of(pairs))
    assert find(results, "bridge_use", "lloq_high") == pytest.approx(highest)


def test_counts_factor_slope_and_limits_are_results(
    pairs: pd.DataFrame, bridged: tuple[pd.DataFrame, pd.DataFrame, AnalysisResults]
) -> None:
    results = bridged[2]
    used = pairs[pairs["ANL01FL"] == "Y"]
    assert find(results, "bridge", "n_pairs", version="1") == 60
    assert find(results, "bridge", "n_used", version="1") == len(used) < 60
    assert find(results, "bridge", "n_pairblq", version="1") == 60 - len(used)
    assert find(results, "bridge", "n", version="1") == used["USUBJID"].nunique()
    assert find(results, "bridge", "target", version="1") == "2"
    direct = estimate_bridge(used["AVAL1"], used["AVAL2"], used["USUBJID"])
    for stat, wanted in (
        ("ratio", direct.ratio),
        ("ratio_low", direct.low),
        ("se", direct.se),
        ("df", direct.df),
        ("slope_high", direct.slope.high),
    ):
        assert find(results, "bridge_fit", stat, version="1") == pytest.approx(wanted)
    assert find(results, "bridge_fit", "verdict", version="1") == "FACTOR"
    assert [find(results, "bridge_use", f"n_{name}") for name in ("target", "bridged", "left")] == [
        *(2, 3, 0)
    ]
    versions = [find(results, "assay_version", "n", version=name) for name in "12"]
    assert versions == [3, 2]
    assert find(results, "assay_version", "lloq_scaled", version="2") == 25
    assert find(results, "assay_version", "laboratory", version="1") == "LAB 1"


def test_without_bridging_data_nothing_is_on_one_scale_and_the_reason_is_named() -> None:
    _, adppb, results = run(make_versions(), NO_PAIRS)
    assert len(adppb) and adppb["AVAL"].isna().all()
    assert set(adppb["PPREASND"]) == {"NOBRIDGE"}
    assert set(adppb["SCALEV"]) == {""}
    assert find(results, "bridge_use", "n_left") == 5
    value = results.find("cellular_kinetics.bridge_use", "CONC", "PCR", {}, "lloq_high")
    assert value is not None and value.note_code == "NOBRIDGE"


def test_a_factor_that_depends_on_the_level_is_not_applied() -> None:
    measured, adppb, results = run(make_versions(), make_adbrg(slope=1.6))
    assert find(results, "bridge_fit", "verdict", version="1") == "LEVEL"
    own = of(adppb, "BRIDGED")
    assert set(own.loc["S1", "PPREASND"]) == {"BRIDGELEVEL"}
    assert own.loc["S1", "AVAL"].isna().all()
    # What was measured by the version of the scale needs no factor.
    assert own.loc[("S3", "CMAX"), "AVAL"] == measured.loc[("S3", "CMAX"), "AVAL"]
    assert find(results, "bridge_use", "n_left") == 3


def test_too_few_subjects_are_no_bridge() -> None:
    _, adppb, results = run(make_versions(), make_adbrg(subjects=2))
    assert find(results, "bridge_fit", "verdict", version="1") == "UNKNOWN"
    assert set(of(adppb, "BRIDGED").loc["S1", "PPREASND"]) == {"FEWSUBJ"}


def test_one_sample_of_an_unknown_version_takes_its_profile_off_the_scale(
    pairs: pd.DataFrame,
) -> None:
    adpc = make_versions()
    at = adpc.index[adpc["USUBJID"] == "S3"][2]
    adpc.loc[at, "PCASSAYV"] = "3"
    _, adppb, results = run(adpc, pairs)
    own = of(adppb, "BRIDGED")
    assert set(own.loc["S3", "PPREASND"]) == {"NOBRIDGE"}
    assert set(own.loc["S3", "ASSAYV"]) == {"2;3"}
    assert own.loc[("S1", "CMAX"), "AVAL"] == pytest.approx(8000 * factor_of(pairs))
    assert find(results, "bridge_use", "n_left") == 1
    # Its limits are not those of the scale.
    assert of(adppb, "HIGHLLOQ").loc[("S3", "CMAX"), "PPREASND"] == "NOBRIDGE"


def test_one_version_needs_no_bridge(pairs: pd.DataFrame) -> None:
    _, adppb, results = run(
        make_versions(dict.fromkeys(("S1", "S2", "S3", "S4", "S5"), "1")), pairs
    )
    assert adppb.empty
    assert results.select("cellular_kinetics.assay_version").empty
    # The pairs are told of all the same.
    assert find(results, "bridge", "n_pairs", version="1") == 60


def test_a_reviewed_window_holds_on_the_scale_too_where_its_points_are_there(
    pairs: pd.DataFrame,
) -> None:
    reviewed = {"subject": "S1", "analyte": "PCR", "use": "IN", "points": "14.125;21.125;28.125"}
    told = {"id": "W1", "reason": "r", "author": "a", "date": "2026-01-01"}
    windows = check_windows(pd.DataFrame([{**told, **reviewed}]))
    measured, adppb, _ = run(make_versions(), pairs, windows)
    for approach in ("BRIDGED", "HIGHLLOQ"):
        own = of(adppb, approach).loc["S1"]
        assert own.loc["LAMZHL", "AVAL"] == pytest.approx(measured.loc[("S1", "LAMZHL"), "AVAL"])
        assert own.loc["LAMZNPT", "AVAL"] == 3
    # With the highest limit a point of this one is gone: the automatic choice is taken there.
    low = {"S5": ("BLQ", 100.0, 900.0, 500.0, 100.0, 60.0)}
    windows = check_windows(pd.DataFrame([{**told, **reviewed, "subject": "S5"}]))
    _, adppb, _ = run(make_versions(courses=low), pairs, windows)
    points = {
        name: of(adppb, name).loc[("S5", "LAMZNPT"), "AVAL"] for name in ("BRIDGED", "HIGHLLOQ")
    }
    assert points["BRIDGED"] == 3
    assert of(adppb, "BRIDGED").loc[("S5", "LAMZHL"), "FLAG"].count("LZREV") == 1
    assert "LZREV" not in of(adppb, "HIGHLLOQ").loc[("S5", "LAMZHL"), "FLAG"]


def test_the_lines_of_the_figure_pass_through_the_middle_of_the_pairs(
    pairs: pd.DataFrame,
) -> None:
    bridges = estimate_bridges(pairs, BridgeRules())
    curves = draw_bridges(pairs, bridges)
    assert set(curves["curve_id"]) == {"cellular_kinetics.bridge/PCR/1"}
    used = pairs[pairs["ANL01FL"] == "Y"]
    middle = np.exp(np.log(used[["AVAL1", "AVAL2"]]).mean())
    for series in ("factor", "deming"):
        line = curves[curves["series"] == series]
        at = np.interp(math.log(middle["AVAL1"]), np.log(line["x"]), np.log(line["y"]))
        assert at == pytest.approx(math.log(middle["AVAL2"]))
    assert draw_bridges(NO_PAIRS, []).empty


def test_the_stage_hands_on_the_bridge_and_leaves_adpp_as_it_was(pairs: pd.DataFrame) -> None:
    adpc = make_versions()
    with_bridge, without = analyse(adpc, adbrg=pairs), analyse(adpc)
    pd.testing.assert_frame_equal(with_bridge.adpp, without.adpp)
    assert set(with_bridge.adppb["APPROACH"]) == {"BRIDGED", "HIGHLLOQ"}
    assert set(with_bridge.adppb["PARAMCD"]) <= set(with_bridge.adpp["PARAMCD"])
    assert "cellular_kinetics.bridge_fit/CONC/PCR/version=1/ratio" in AnalysisResults(
        [with_bridge.results]
    )
    assert without.adppb["PPREASND"].unique().tolist() == ["NOBRIDGE"]


def test_of_several_doses_the_course_is_bridged(pairs: pd.DataFrame) -> None:
    # The second dose of S2 has no sample.
    later = [
        {"USUBJID": subject, "DOSENO": 2, "DOSEA": 50.0, "AFRLT": day, "DOSETYPE": "REPEAT"}
        for subject, day in (("S1", 12.0), ("S2", 40.0))
    ]
    output = analyse(make_versions(), adex=make_adex(*later), adbrg=pairs)
    assert set(output.adpp["PROFTYP"]) == {"COURSE", "DOSE"}
    course = output.adpp[output.adpp["PROFTYP"] == "COURSE"].set_index(["USUBJID", "PARAMCD"])
    own = of(output.adppb, "BRIDGED")
    assert own.loc[("S1", "CMAX"), "AVAL"] == pytest.approx(
        course.loc[("S1", "CMAX"), "AVAL"] * factor_of(pairs)
    )
