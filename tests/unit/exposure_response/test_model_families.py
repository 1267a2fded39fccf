"""Counts, daily hazards, Emax models and markers: from the datasets to the analysis results."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from markers_study import add_markers
from pydantic import ValidationError

from celldossier.datasets import empty_dataset
from celldossier.exposure_response import biomarkers, counts, emax, hazard, repeated_markers
from celldossier.exposure_response.onset import collect_onset_and_peak
from celldossier.exposure_response.plan import FamilyOutput
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Sources, Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings

FAMILIES = (counts, hazard, emax, biomarkers, repeated_markers)
MADE = {
    "endpoints": [
        *("CRSGE1", "CRSGE2", "ICANSGE2", "NINFECT", "CRSDAYS"),
        *("IL6PEAK", "CRPPEAK", "LYMNAD", "IL6RPT", "CRPRPT", "OBJRESP"),
    ],
    "metrics": ["CMAX"],
    "primary": [],
    "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"],
    "biomarkers": {"metrics": ["CMAX"]},
    "forest_metrics": ["CMAX"],
    "emax": {"pairs": [{"endpoint": "IL6PEAK", "metric": "CMAX"}]},
}


@pytest.fixture(scope="module")
def sources(study) -> Sources:
    return add_markers(study.sources)


def prepare(sources: Sources, **changes: object) -> Study:
    return prepare_study(sources, ExposureResponseSettings.model_validate({**MADE, **changes}))


def run(study: Study) -> tuple[AnalysisResults, Mapping[str, FamilyOutput]]:
    out = ResultCollector("exposure_response")
    with warnings.catch_warnings():
        # No text may leak, whatever the data.
        warnings.simplefilter("error")
        outputs = {
            family.MODEL: family.run_cells(study, family.plan_cells(study), out)
            for family in FAMILIES
        }
        collect_onset_and_peak(study, out)
    return AnalysisResults([out.frame()]), outputs


@pytest.fixture(scope="module")
def made(sources: Sources) -> tuple[Study, AnalysisResults, Mapping[str, FamilyOutput]]:
    study = prepare(sources)
    return study, *run(study)


def value(
    results: AnalysisResults, analysis: str, variable: str, stat: str, **by: str
) -> float | str:
    found = results.find(f"exposure_response.{analysis}", variable, "PCR", by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found.text or found.note_code if math.isnan(found.number) else found.number


PLAIN = {"metric": "CMAX", "adjustment": "UNADJUSTED", "population": "PRIMARY"}
AT_RISK = {"metric": "CCURR", "adjustment": "UNADJUSTED", "population": "AT_RISK"}


def test_a_count_is_modelled_over_its_follow_up(made) -> None:
    study, results, _ = made
    values = study.values(next(e for e in study.endpoints if e.code == "NINFECT"))
    assert value(results, "count", "NINFECT", "events", **PLAIN) == values["AVAL"].sum()
    assert value(results, "count", "NINFECT", "follow_up", **PLAIN) == pytest.approx(
        60 * 200 / 365.25
    )
    # Planted: the rate grows by exp(0.3) a doubling.
    low = value(results, "count", "NINFECT", "rr_low", **PLAIN)
    high = value(results, "count", "NINFECT", "rr_high", **PLAIN)
    assert low < math.exp(0.3) < high
    assert value(results, "count", "NINFECT", "model", **PLAIN) == "POISSON"
    assert value(results, "count", "CRSDAYS", "offset", **PLAIN) == "NONE"
    assert value(results, "count", "CRSDAYS", "follow_up", **PLAIN) == "NOTAPPL"


def test_the_distribution_of_a_count_follows_the_setting(sources: Sources) -> None:
    for rule in ("POISSON", "NEGBIN"):
        study = prepare(sources, endpoints=["CRSDAYS"], emax={}, counts={"distribution": rule})
        results, _ = run(study)
        assert value(results, "count", "CRSDAYS", "model", **PLAIN) == rule


def test_the_days_at_risk_add_up(made) -> None:
    study, results, _ = made
    endpoint = next(e for e in study.endpoints if e.code == "CRSGE2")
    n = sum(
        value(results, "hazard", "CRSGE2", stat, **AT_RISK)
        for stat in ("n", "n_nooutcome", "n_onset", "n_noexposure", "n_nocovariate")
    )
    assert n == value(results, "hazard", "CRSGE2", "n_er", **AT_RISK)
    events = sum(
        value(results, "hazard", "CRSGE2", stat, **AT_RISK)
        for stat in ("events", "events_noexposure")
    )
    assert events == study.values(endpoint)["AVAL"].sum()
    # Each subject is at risk to the day of its first onset of any grade, or to the window.
    onset = study.ader["CRSONDY"].to_numpy()
    at_risk = np.where(np.isnan(onset), 28, np.ceil(onset))
    days = sum(
        value(results, "hazard", "CRSGE2", stat, **AT_RISK) for stat in ("days", "days_noexposure")
    )
    assert days == at_risk.sum()


def test_the_exposure_of_a_day_is_that_of_an_earlier_sample(made) -> None:
    study, _, _ = made
    endpoint = next(e for e in study.endpoints if e.code == "CRSGE1")
    chosen = hazard.select_days(study, endpoint, "UNADJUSTED")
    # Samples at 1.05, 3.05, 7.05 and 14.05 days hold CMAX times the day over 100.
    peak = np.log2(study.ader["CMAX"].to_numpy())
    for day, exposure in zip(chosen.day, chosen.exposure, strict=True):
        before = [d for d in (1.0, 3.0, 7.0, 14.0) if d + 0.05 <= day - 1]
        assert np.isclose(exposure, peak + np.log2(before[-1] / 100)).any()


def test_an_area_up_to_the_onset_can_never_be_asked_for() -> None:
    for metric in ("AUCONSET", "AUCONS", "LAMZHL", "CCURR"):
        with pytest.raises(ValidationError):
            ExposureResponseSettings.model_validate({"metrics": [metric]})
        with pytest.raises(ValidationError):
            ExposureResponseSettings.model_validate({"biomarkers": {"metrics": [metric]}})
        with pytest.raises(ValidationError):
            ExposureResponseSettings.model_validate(
                {"emax": {"pairs": [{"endpoint": "OBJRESP", "metric": metric}]}}
            )


def test_the_marker_model_finds_the_planted_slope_and_no_other(made) -> None:
    _, results, _ = made
    low = value(results, "biomarker", "IL6PEAK", "ratio_low", **PLAIN)
    high = value(results, "biomarker", "IL6PEAK", "ratio_high", **PLAIN)
    assert low < math.exp(0.5) < high
    assert low > 1.2
    low = value(results, "biomarker", "CRPPEAK", "ratio_low", **PLAIN)
    high = value(results, "biomarker", "CRPPEAK", "ratio_high", **PLAIN)
    assert low < 1 < high
    assert value(results, "biomarker_rank", "IL6PEAK", "rho_low", metric="CMAX") > 0.3


def test_values_after_tocilizumab_count_in_the_sensitivity_analysis_only(made) -> None:
    study, results, _ = made
    everything = {**PLAIN, "adjustment": "TUMOUR_BURDEN", "population": "ALL_SAMPLES"}
    blocked = value(results, "biomarker", "IL6PEAK", "ratio", **everything)
    kept = {**PLAIN, "adjustment": "TUMOUR_BURDEN"}
    assert blocked > 1.3 * value(results, "biomarker", "IL6PEAK", "ratio", **kept)
    peaks = study.values(next(e for e in study.endpoints if e.code == "IL6PEAK"))["AVAL"]
    repeated = study.values(next(e for e in study.endpoints if e.code == "IL6RPT"))["AVAL"]
    treated = study.ader["TOCIFL"] == "Y"
    assert peaks[treated].max() < 5000
    assert set(repeated[treated]) == {2.0}
    assert set(repeated[~treated]) == {5.0}


def test_a_marker_that_the_study_lacks_is_not_collected(made) -> None:
    _, results, outputs = made
    assert value(results, "biomarker", "LYMNAD", "ratio", **PLAIN) == "NOTCOLL"
    assert all(
        each.reason == "NOTCOLL"
        for each in outputs["LINEAR"].outcomes
        if each.cell.endpoint.code == "LYMNAD"
    )


def test_the_mixed_model_finds_the_planted_slope(made) -> None:
    _, results, _ = made
    low = value(results, "repeated", "IL6RPT", "ratio_low", **PLAIN)
    high = value(results, "repeated", "IL6RPT", "ratio_high", **PLAIN)
    assert low < math.exp(0.5) < high
    assert value(results, "repeated", "CRPRPT", "ratio_low", **PLAIN) < 1
    assert value(results, "repeated", "CRPRPT", "ratio_high", **PLAIN) > 1
    assert value(results, "repeated", "IL6RPT", "change_low", **PLAIN) < 1
    current = {**PLAIN, "metric": "CCURR"}
    assert value(results, "repeated", "IL6RPT", "change", **current) == "NOTAPPL"
    used = value(results, "repeated", "IL6RPT", "values", **current)
    left = value(results, "repeated", "IL6RPT", "values_noexposure", **current)
    assert used + left == value(results, "repeated", "IL6RPT", "values", **PLAIN)


def test_a_marker_below_its_limit_in_most_subjects_has_no_model(sources: Sources) -> None:
    below = sources.adpd["PARAMCD"] == "CRP"
    adpd = sources.adpd.assign(
        AVAL=sources.adpd["AVAL"].mask(below), BLQFL=np.where(below, "Y", "N")
    )
    results, _ = run(prepare(replace(sources, adpd=adpd)))
    assert value(results, "biomarker", "CRPPEAK", "ratio", **PLAIN) == "BLQSHARE"
    assert value(results, "biomarker", "CRPPEAK", "pct_below", **PLAIN) == 100
    assert value(results, "biomarker_rank", "CRPPEAK", "rho", metric="CMAX") == "CONSTANT"
    assert value(results, "repeated", "CRPRPT", "ratio", **PLAIN) == "BLQSHARE"


def test_a_fold_needs_a_baseline_and_a_nadir_is_the_lowest(sources: Sources) -> None:
    rules = [
        {"code": "IL6FOLD", "en": "Fold of IL-6", "zh": "IL-6倍数", "family": "BIOMARKER",
         "kind": "continuous", "marker": "IL6", "statistic": "FOLD"},
        {"code": "CRPNAD", "en": "Nadir of CRP", "zh": "CRP最低值", "family": "BIOMARKER",
         "kind": "continuous", "marker": "CRP", "statistic": "NADIR"},
    ]  # fmt: skip
    first = sources.adpd["USUBJID"] == "S-000"
    adpd = sources.adpd.loc[~(first & (sources.adpd["ABLFL"] == "Y"))].reset_index(drop=True)
    study = prepare(
        replace(sources, adpd=adpd),
        endpoints=["IL6FOLD", "CRPNAD"], custom_endpoints=rules, emax={},
    )  # fmt: skip
    fold = study.values(study.endpoints[0])
    assert fold.loc[0, "REASND"] == "NOPDBASE"
    rows = adpd.loc[(adpd["PARAMCD"] == "IL6") & (adpd["USUBJID"] == "S-001")]
    after = rows.loc[rows["AFRLT"] > 0, "AVAL"].max()
    assert fold.loc[1, "AVAL"] == pytest.approx(after / rows.loc[rows["AFRLT"] < 0, "AVAL"].iloc[0])
    nadir = study.values(study.endpoints[1])
    rows = adpd.loc[(adpd["PARAMCD"] == "CRP") & (adpd["AFRLT"] > 0)]
    assert nadir["AVAL"].tolist() == pytest.approx(
        rows.groupby("USUBJID")["AVAL"].min().reindex(study.ader["USUBJID"]).tolist()
    )


def test_a_marker_is_that_of_one_specimen(sources: Sources) -> None:
    crp = sources.adpd["PARAMCD"] == "CRP"
    other = sources.adpd.loc[crp & (sources.adpd["AFRLT"] == 3)]
    other = other.assign(ASPEC="SYNOVIAL FLUID", AVAL=1e6, SRCROW=other["SRCROW"] + 5000)
    adpd = pd.concat([sources.adpd, other], ignore_index=True)
    rule = {"code": "CRPSYN", "en": "Peak of CRP in joints", "zh": "关节CRP峰值",
            "family": "BIOMARKER", "kind": "continuous", "marker": "CRP", "statistic": "PEAK",
            "specimen": "SYNOVIAL FLUID"}  # fmt: skip
    study = prepare(
        replace(sources, adpd=adpd),
        endpoints=["CRPPEAK", "CRPSYN"], custom_endpoints=[rule], emax={},
    )  # fmt: skip
    assert study.values(study.endpoints[0])["AVAL"].max() < 1e5
    assert set(study.values(study.endpoints[1])["AVAL"]) == {1e6}


def test_the_share_of_onsets_before_the_peak_is_counted(made) -> None:
    study, results, _ = made
    onset = study.ader["CRSONDY"].dropna()
    assert value(results, "onset_peak", "CRS", "n") == onset.size
    assert value(results, "onset_peak", "CRS", "n_before") == (onset < 12).sum()
    assert value(results, "onset_peak", "ICANS", "pct_before") == "NOEVENT"


def test_every_refusal_has_a_known_reason_and_nothing_is_infinite(made) -> None:
    from celldossier.io.resources import read_resource

    known = set(read_resource("terms", "reason_codes.yaml"))
    _, results, outputs = made
    assert set(results.frame["note_code"]) - {""} <= known
    numbers = results.frame["value"].dropna()
    assert np.isfinite(numbers).all()
    for output in outputs.values():
        for outcome in output.outcomes:
            assert (outcome.reason == "") == (outcome.method != "NONE")
            assert outcome.reason in known | {""}
            if outcome.cell.role != "SENSITIVITY":
                assert math.isnan(outcome.p) == bool(outcome.reason)


def shrink(sources: Sources, n: int) -> Sources:
    kept = set(sources.adsl["USUBJID"].iloc[:n])
    return replace(
        sources,
        **{
            name: frame.loc[frame["USUBJID"].isin(kept)].reset_index(drop=True)
            for name, frame in vars(sources).items()
            if "USUBJID" in frame
        },
    )


def constant(sources: Sources) -> Sources:
    peak = sources.adpp["PARAMCD"].isin(["CMAX", "AUC28"])
    return replace(
        sources,
        adpp=sources.adpp.assign(AVAL=sources.adpp["AVAL"].mask(peak, 5000.0)),
        adpc=sources.adpc.assign(AVAL=500.0),
    )


def all_blq(sources: Sources) -> Sources:
    return replace(
        sources,
        adpp=sources.adpp.assign(AVAL=0.0),
        adpc=sources.adpc.assign(AVAL=np.nan, BLQFL="Y"),
    )


def no_event(sources: Sources) -> Sources:
    return replace(
        sources,
        adae=sources.adae.assign(AESI="OTHER"),
        adaesi=empty_dataset("ADAESI"),
    )


def one_event(sources: Sources) -> Sources:
    keep = sources.adae["USUBJID"] == sources.adae["USUBJID"].iloc[0]
    adaesi = sources.adaesi.groupby("AESI").head(1).reset_index(drop=True)
    return replace(
        sources, adae=sources.adae.assign(AESI=np.where(keep, "CRS", "OTHER")), adaesi=adaesi
    )


def without_burden(sources: Sources) -> Sources:
    return replace(sources, adsl=sources.adsl.assign(LTBURDZ=np.nan))


@pytest.mark.parametrize(
    "change",
    [constant, all_blq, no_event, one_event, without_burden]
    + [lambda sources, n=n: shrink(sources, n) for n in (0, 1, 3, 6, 12)],
)
def test_hard_data_give_reasons_and_no_warning(sources: Sources, change) -> None:
    study = prepare(change(sources))
    results, outputs = run(study)
    numbers = results.frame["value"].dropna()
    assert np.isfinite(numbers).all()
    for output in outputs.values():
        for outcome in output.outcomes:
            assert (outcome.reason == "") == (outcome.method != "NONE")


def test_no_metric_that_does_not_vary_has_a_model(sources: Sources) -> None:
    _, outputs = run(prepare(constant(sources)))
    reasons = {
        outcome.reason
        for family in ("COUNT", "LINEAR", "EMAX")
        for outcome in outputs[family].outcomes
        if outcome.cell.endpoint.code != "LYMNAD"
    }
    assert reasons == {"CONSTANT"}


def test_the_plan_does_not_depend_on_the_outcomes(sources: Sources) -> None:
    shuffled = replace(
        sources, adae=sources.adae.sample(frac=1, random_state=3).reset_index(drop=True)
    )
    for family in FAMILIES:
        one = family.plan_cells(prepare(sources))
        two = family.plan_cells(prepare(no_event(shuffled)))
        assert one == two
    assert hazard.plan_cells(prepare(sources, hazard={"run": False})) == []


def test_an_emax_model_is_asked_for_among_the_endpoints_only() -> None:
    with pytest.raises(ValidationError, match="not among the endpoints"):
        ExposureResponseSettings.model_validate(
            {**MADE, "emax": {"pairs": [{"endpoint": "HLH", "metric": "CMAX"}]}}
        )


def test_the_emax_model_says_which_is_better_supported(made) -> None:
    _, results, outputs = made
    by = {"metric": "CMAX", "model": "EMAX"}
    difference = value(results, "emax", "IL6PEAK", "aicc_difference", **by)
    aicc = value(results, "emax", "IL6PEAK", "aicc", **by)
    assert difference == pytest.approx(
        aicc - value(results, "emax", "IL6PEAK", "aicc_linear", **by)
    )
    verdict = value(results, "emax", "IL6PEAK", "supported", **by)
    assert verdict == (
        "NEITHER" if abs(difference) < 2 else "EMAX" if difference < 0 else "LOG_LINEAR"
    )
    assert len(outputs["EMAX"].outcomes) == 1


def test_the_line_of_a_marker_passes_through_the_means(made) -> None:
    study, results, outputs = made
    curve = pd.DataFrame(outputs["LINEAR"].curves)
    curve = curve[curve["curve_id"] == "exposure_response.biomarker/IL6PEAK/CMAX"]
    values = study.values(next(e for e in study.endpoints if e.code == "IL6PEAK"))["AVAL"]
    x = np.log2(study.ader["CMAX"])
    slope = np.polyfit(curve["x"], np.log(curve["y"]), 1)
    assert slope[0] == pytest.approx(
        math.log(value(results, "biomarker", "IL6PEAK", "ratio", **PLAIN)), rel=1e-8
    )
    assert np.polyval(slope, x.mean()) == pytest.approx(np.log(values).mean(), rel=1e-8)
