"""The change of the PCR assay, the twin in which tocilizumab acts, and the handling of samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.simulation.assays import draw_bridging, report_results
from celldossier.simulation.cellular_immunity import draw_cellular_response
from celldossier.simulation.chemistry import draw_homeostatic
from celldossier.simulation.draw import DrawnStudy, draw_study
from celldossier.simulation.kinetics import KineticParameters, compute_concentrations
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.study import simulate_study

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
WITHIN = 3.5


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(STUDIES / "CTX-101" / f"{name}.csv", dtype=str, keep_default_na=False)


def share_is(found: np.ndarray, planted: float) -> bool:
    error = np.sqrt(planted * (1 - planted) / found.size)
    return bool(abs(found.mean() - planted) < WITHIN * error)


def test_bridging_samples_differ_by_1_30_with_a_slope_of_1(
    large: DrawnStudy, ctx101: StudySpecification
) -> None:
    content = ctx101.resized(40000).model_dump()
    content["assay_change"] |= {"bridging_subjects": 8000}
    times = large.times_of(ctx101.sampling.days)
    latent = compute_concentrations(large.parameters, times)
    vcn = large.infused["VCN"].to_numpy(dtype=float)
    found = draw_bridging(
        StudySpecification.model_validate(content), latent, large.sampled, large.second_assay, vcn
    )
    assert found.rows.size == 24000
    assert not large.second_assay[found.rows].any()
    level = np.log(latent[found.rows, found.columns])
    usual = level < np.log(100000)  # above it blood cannot hold more copies
    ratio = (np.log(found.results) - level)[usual]
    error = ratio.std() / np.sqrt(ratio.size)
    assert ratio.mean() == pytest.approx(np.log(1.30), abs=WITHIN * error)
    assert error < 0.004
    slope, _ = np.polyfit(level[usual], np.log(found.results[usual]), 1)
    assert slope == pytest.approx(1.0, abs=WITHIN * error / level[usual].std())


def test_the_second_assay_measures_those_infused_last(large: DrawnStudy) -> None:
    second = large.second_assay
    assert second.sum() == round(large.infused.shape[0] / 3)
    assert large.infusion[second].min() >= large.infusion[~second].max()


def test_what_the_second_assay_reports_is_1_30_of_the_first(ctx101: StudySpecification) -> None:
    values, vcn = np.array([[100.0, 1e6], [100.0, 1e6]]), np.array([3.0, 3.0])
    found = report_results(ctx101, values, np.array([False, True]), vcn)
    assert found[0].tolist() == [100.0, 1e6]
    assert found[1, 0] == 130.0
    assert found[1, 1] <= 0.95 * 3.0 / 6.6e-6  # no more copies than the cells can hold


def test_ctx101_names_the_assay_of_each_sample() -> None:
    pc = read("pc")
    pcr = pc[pc["PCTESTCD"] == "CARPCR"]
    methods = pcr.groupby("PCASSAYV")[["PCMETHOD", "PCNAM", "PCLLOQ"]].agg(set)
    assert methods.loc["1"].tolist() == [{"QPCR"}, {"CENTRAL LAB A"}, {"50"}]
    assert methods.loc["2"].tolist() == [{"DDPCR"}, {"CENTRAL LAB C"}, {"25"}]
    blood = pcr[pcr["PCSPEC"] == "BLOOD"]
    assert (blood.groupby("USUBJID")["PCASSAYV"].nunique() == 1).all()
    assert not blood.duplicated(["USUBJID", "PCDTC"]).any()
    bridging = pcr[pcr["PCSPEC"] == "DNA"]
    assert (len(bridging), bridging["USUBJID"].nunique()) == (60, 20)
    pairs = bridging.merge(blood, on=["USUBJID", "PCDTC"], suffixes=("_2", "_1"))
    assert len(pairs) == 60
    assert (pairs["PCASSAYV_2"] == "2").all() and (pairs["PCASSAYV_1"] == "1").all()
    known = pairs[(pairs["PCORRES_1"] != "BLQ") & (pairs["PCORRES_2"] != "BLQ")]
    logs = np.log(known["PCORRES_2"].astype(float) / known["PCORRES_1"].astype(float))
    error = logs.std() / np.sqrt(len(logs))
    assert 0.06 < error < 0.12  # truth_ctx101.md: the SE of ln factor is .10
    assert logs.mean() == pytest.approx(np.log(1.30), abs=2.5 * error)


def one_subject() -> KineticParameters:
    one = np.ones(1)
    return KineticParameters(
        cmax=24000 * one,
        lag=2 * one,
        growth_time=8 * one,
        fold=400 * one,
        alpha=0.16 * one,
        beta=0.0045 * one,
        fb=0.012 * one,
        distribution_level=0 * one,
        distribution_rate=1.7,
        non_expander=np.zeros(1, dtype=bool),
        antibody_onset=np.inf * one,
        antibody_alpha_factor=1.5,
    )


def test_growth_goes_on_faster_after_tocilizumab_and_decline_starts_from_the_level_reached() -> (
    None
):
    rate = np.log(400) / 8
    plain, changed = one_subject(), replace(one_subject(), growth_changes=((np.array([6.0]), 1.2),))
    days = np.array([[1.0, 4.0, 6.0, 8.0, 10.0, 20.0]])
    ratio = compute_concentrations(changed, days)[0] / compute_concentrations(plain, days)[0]
    # Unchanged until day 6; then rho x 1.2: a fifth of rho more for two and for four days.
    gain = [1, 1, 1, np.exp(0.2 * rate * 2), np.exp(0.2 * rate * 4), np.exp(0.2 * rate * 4)]
    assert ratio == pytest.approx(gain)
    # Continuous at the start of the drug and at the peak.
    near = compute_concentrations(changed, np.array([[6 - 1e-9, 6 + 1e-9, 10 - 1e-9, 10 + 1e-9]]))
    assert near[0, 0] == pytest.approx(near[0, 1]) and near[0, 2] == pytest.approx(near[0, 3])


@pytest.mark.parametrize(("start", "gain_days"), [(np.nan, 0.0), (0.5, 8.0), (15.0, 0.0)])
def test_a_drug_acts_between_the_lag_and_the_peak_alone(start: float, gain_days: float) -> None:
    changed = replace(one_subject(), growth_changes=((np.array([start]), 1.2),))
    peak = np.array([[10.0]])
    ratio = compute_concentrations(changed, peak) / compute_concentrations(one_subject(), peak)
    assert ratio[0, 0] == pytest.approx(np.exp(0.2 * np.log(400) / 8 * gain_days))


def test_in_the_twin_only_those_treated_before_the_peak_differ(ctx101: StudySpecification) -> None:
    content = ctx101.model_dump()
    content["rescue"] |= {"tocilizumab_on_growth": 1.2}
    twin, base = draw_study(StudySpecification.model_validate(content)), draw_study(ctx101)
    assert np.array_equal(twin.crs.grade, base.crs.grade)
    day = base.rescue.tocilizumab_day
    early = day < base.parameters.peak_time
    higher = (twin.measured.pcr > base.measured.pcr).any(axis=1)
    assert not higher[~early].any()
    # Those whose sampled times all lie before the drug or at the ceiling may not differ.
    assert higher[early].mean() > 0.9


def test_a_cellular_response_is_as_frequent_as_planted(
    large: DrawnStudy, ctx101: StudySpecification
) -> None:
    onset = large.antibodies.onset
    found = draw_cellular_response(ctx101.reseeded(7), onset)
    emergent = np.isfinite(onset)
    assert share_is(found.present[emergent], 0.60)
    assert share_is(found.present[~emergent], 0.10)
    assert np.array_equal(found.onset[found.present & emergent], onset[found.present & emergent])


def test_rare_events_are_as_frequent_as_planted(large: DrawnStudy) -> None:
    severe = large.crs.grade >= 3
    alive = ~(large.course.death_day < 28)
    hlh = large.special.hlh.grade > 0
    assert share_is(hlh[severe & alive], 0.10)
    assert share_is(hlh[~severe & alive], 0.01)
    assert share_is(large.special.malignancy.grade > 0, 0.015)
    prolonged = large.special.prolonged_cytopenia(large.last_day)
    assert 0.1 < prolonged.mean() < 0.35


def test_interleukins_at_infusion_are_raised_and_unrelated_to_the_kinetics(
    large: DrawnStudy, ctx101: StudySpecification
) -> None:
    found = draw_homeostatic(ctx101.reseeded(7), large.times_of((-7.0, 0.0, 7.0)))
    for code in ("IL7", "IL15"):
        values = np.log(found[code])
        assert values[:, 1].mean() > values[:, 0].mean() + 1
        correlation = np.corrcoef(values[:, 1], np.log(large.parameters.cmax))[0, 1]
        assert abs(correlation) < WITHIN / np.sqrt(len(values))


@pytest.mark.slow
def test_markers_before_the_infusion_know_nothing_of_the_peak_that_follows(
    ctx101: StudySpecification,
) -> None:
    raw = simulate_study(ctx101.resized(2000)).raw
    lb, pc = raw["lb"], raw["pc"]
    car = pc[(pc["PCTESTCD"] == "CARPCR") & (pc["PCORRES"] != "BLQ")]
    peak = np.log(car["PCORRES"].astype(float).groupby(car["USUBJID"]).max())
    for code in ("IL6", "CRP", "FERRITIN"):
        own = lb[(lb["LBTESTCD"] == code) & (lb["LBTPTNUM"].astype(float) <= 0)]
        own = own[own["LBORRES"] != "BLQ"].set_index("USUBJID")["LBORRES"].astype(float)
        both = pd.concat([np.log(own.groupby(level=0).last()), peak], axis=1).dropna()
        assert abs(both.corr().iloc[0, 1]) < WITHIN / np.sqrt(len(both)), code


@pytest.mark.slow
def test_delayed_processing_raises_il6_by_1_6_and_nothing_else(ctx101: StudySpecification) -> None:
    content = ctx101.resized(4000).model_dump()
    content["handling"] |= {"delayed_share": 0.5, "il6_factor": 1.6}
    content["survival"] |= {"early_hazard": 0.0}
    lb = simulate_study(StudySpecification.model_validate(content)).raw["lb"]
    assert set(lb.loc[lb["LBSPCCND"] != "", "LBTESTCD"]) == {
        "IL6", "IFNG", "FERRITIN", "IL7", "IL15", "IL2", "IL10", "TNF", "TGFB1", "GZMB", "PRF1"
    }  # fmt: skip
    for code, planted in (("IL6", 1.6), ("IFNG", 1.0), ("FERRITIN", 1.0), ("IL15", 1.0)):
        own = lb[(lb["LBTESTCD"] == code) & (lb["LBTPTNUM"] == "0") & (lb["LBORRES"] != "BLQ")]
        logs, late = np.log(own["LBORRES"].astype(float)), own["LBSPCCND"] != ""
        error = logs.std() * np.sqrt(1 / late.sum() + 1 / (~late).sum())
        difference = logs[late].mean() - logs[~late].mean()
        assert difference == pytest.approx(np.log(planted), abs=WITHIN * error), code


def test_lots_and_subjects_of_ctx101_carry_what_the_covariates_need() -> None:
    lots, dm, lb = read("lots"), read("dm"), read("lb")
    parts = lots[["TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT", "TEFFPCT"]].astype(float)
    assert (parts.sum(axis=1) <= 100).all() and (parts.sum(axis=1) > 95).all()
    assert set(lots["RELSTAT"]) == {"RELEASED", "REJECTED"}
    assert ((lots["RELSTAT"] == "REJECTED") == (lots["RELDTC"] == "")).all()
    assert (lots[["EXPFOLD", "POTENCY"]].astype(float) > 0).all(axis=None)
    for column in ("PRTARG", "EXTRAMED", "HEPGRP", "RENGRP", "ETHNIC"):
        assert dm[column].nunique() >= 2, column
    infused = set(dm.loc[dm["RFXSTDTC"] != "", "USUBJID"])
    for code in ("LDH", "CREAT", "ALT", "AST", "BILI", "IL7", "IL15", "WBC", "CD19B"):
        own = lb[(lb["LBTESTCD"] == code) & (lb["LBTPTNUM"].astype(float) <= 0)]
        assert set(own["USUBJID"]) == infused, code
