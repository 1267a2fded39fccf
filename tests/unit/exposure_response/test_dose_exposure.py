from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dose_study import make_dose_study, with_doses

from celldossier.exposure_response.dose_exposure import collect_dose_exposure
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector

STUDY = make_dose_study()
DOSE = "DOSETGP"


def collect(study: Study) -> tuple[AnalysisResults, pd.DataFrame]:
    out = ResultCollector("exposure_response")
    curves = pd.DataFrame(collect_dose_exposure(study, out))
    return AnalysisResults([out.frame()]), curves


def block(
    results: AnalysisResults,
    metric: str = "CMAX",
    analysis: str = "ALL",
    level: str = "ALL",
    dose: str = DOSE,
) -> dict[str, Any]:
    rows = results.select("exposure_response.dose_exposure")
    rows = rows[
        (rows["variable"] == metric)
        & (rows["level1"] == analysis)
        & (rows["level2"] == dose)
        & (rows["level3"] == level)
    ]
    return {
        row["stat_name"]: row["value_text"] or row["value"] for row in rows.to_dict("records")
    } | {f"{row['stat_name']}:note": row["note_code"] for row in rows.to_dict("records")}


def test_the_slope_is_that_of_least_squares_and_the_rank_correlation_that_of_scipy() -> None:
    from scipy.stats import linregress, spearmanr

    results, _ = collect(STUDY)
    ader = STUDY.ader
    for metric in ("CMAX", "AUC28"):
        found = block(results, metric)
        other = linregress(np.log(ader[DOSE]), np.log(ader[metric]))
        assert found["slope"] == pytest.approx(other.slope, rel=1e-9)
        assert found["slope_se"] == pytest.approx(other.stderr, rel=1e-9)
        assert found["p_zero"] == pytest.approx(other.pvalue, rel=1e-6)
        assert found["r2"] == pytest.approx(other.rvalue**2, rel=1e-9)
        rank = spearmanr(ader[DOSE], ader[metric])
        assert found["rho"] == pytest.approx(rank.statistic, rel=1e-12)
        assert found["rho_p"] == pytest.approx(rank.pvalue, rel=1e-9)
        assert found["dose_ratio"] == pytest.approx(ader[DOSE].max() / ader[DOSE].min())
        assert found["rdnm"] == pytest.approx(found["dose_ratio"] ** (found["slope"] - 1))


def test_a_planted_slope_is_covered_as_often_as_the_level_says() -> None:
    few = {"metrics": ["CMAX"], "primary": [], "endpoints": ["CRSGE2"]}
    options = {"metrics": [DOSE], "sensitivities": []}
    study = make_dose_study(n=60, settings={**few, "dose_exposure": options})
    rng, ader = np.random.default_rng(20261126), study.ader
    covered, proportional = 0, 0
    for _ in range(200):
        noise = 0.35 * ader["LTBURDZ"] + rng.normal(0, 1, len(ader))
        cmax = np.exp(9 + 0.10 * np.log(ader[DOSE]) + noise)
        found = block(collect(replace(study, ader=ader.assign(CMAX=cmax)))[0])
        covered += found["slope_low"] <= 0.10 <= found["slope_high"]
        proportional += found["verdict"] == "PROPORTIONAL"
    # 90 % of 200 within three standard errors of a binomial.
    assert 167 <= covered <= 193
    assert proportional == 0


@pytest.mark.parametrize(
    ("slope", "noise", "verdict"),
    [(1.0, 0.01, "PROPORTIONAL"), (0.0, 0.01, "INDEPENDENT"), (0.5, 0.01, "LESS"),
     (1.5, 0.01, "MORE"), (1.0, 3.0, "INCONCLUSIVE")],
)  # fmt: skip
def test_the_verdict_follows_from_what_was_planted(
    slope: float, noise: float, verdict: str
) -> None:
    rng = np.random.default_rng(3)
    ader = STUDY.ader
    exposure = np.exp(5 + slope * np.log(ader[DOSE]) + rng.normal(0, noise, len(ader)))
    results, _ = collect(replace(STUDY, ader=ader.assign(CMAX=exposure)))
    assert block(results)["verdict"] == verdict


def test_units_row_order_and_names_change_no_slope() -> None:
    first, _ = collect(STUDY)
    order = np.random.default_rng(8).permutation(len(STUDY.ader))
    ader = STUDY.ader.iloc[order].reset_index(drop=True)
    names = {"TRT01A": "X" + ader["TRT01A"], "USUBJID": "Z" + ader["USUBJID"]}
    changed = ader.assign(**{DOSE: 1e6 * ader[DOSE], "CMAX": ader["CMAX"] / 7}, **names)
    second, _ = collect(replace(STUDY, ader=changed))
    for analysis in ("ALL", "TUMOUR_BURDEN"):
        one, other = block(first, analysis=analysis), block(second, analysis=analysis)
        for name in ("slope", "slope_low", "slope_high", "p_one", "rdnm", "r2"):
            assert other[name] == pytest.approx(one[name], rel=1e-8), name
        assert other["verdict"] == one["verdict"]
    assert block(second)["rho"] == pytest.approx(block(first)["rho"], rel=1e-12)


def test_every_subject_is_used_or_left_out_with_a_reason() -> None:
    ader = STUDY.ader.copy()
    ader.loc[0, DOSE] = np.nan
    ader.loc[[1, 2], "CMAX"] = np.nan
    ader.loc[[3, 4, 5], "CMAX"] = 0.0
    ader.loc[6, "LTBURDZ"] = np.nan
    ader.loc[7, "ERFL"] = "N"
    results, _ = collect(replace(STUDY, ader=ader))
    for analysis, covariate in (("ALL", 0), ("TUMOUR_BURDEN", 1)):
        found = block(results, analysis=analysis)
        counts = [found[f"n_{why}"] for why in ("nodose", "noexposure", "blq", "nocovariate")]
        assert counts == [1, 2, 3, covariate]
        assert found["n_er"] == 89 == found["n"] + sum(counts)
    # A rank needs no logarithm: those never quantifiable are the lowest.
    assert block(results)["n_rank"] == block(results)["n"] + 3


def test_studies_and_indications_have_slopes_of_their_own_and_a_test_of_one() -> None:
    results, curves = collect(make_dose_study(trials=("A", "B")))
    whole = block(results)
    parts = [block(results, analysis="STUDYID", level=name) for name in ("A", "B")]
    assert whole["n_studies"] == 2 and whole["n"] == sum(part["n"] for part in parts)
    assert min(p["slope"] for p in parts) <= whole["slope"] <= max(p["slope"] for p in parts)
    tests = results.select("exposure_response.dose_exposure_test")
    for analysis in ("STUDYID", "INDIC"):
        rows = tests[(tests["level1"] == analysis) & (tests["variable"] == "CMAX")]
        found = rows.set_index("stat_name")["value"]
        assert found["df"] == 1 and found["n_levels"] == 2 and 0 < found["p"] <= 1
    line = curves[curves["curve_id"] == f"exposure_response.dose_exposure/CMAX/{DOSE}"]
    assert set(line["series"]) == {"A", "B"}
    # One study has no comparison of studies.
    single = collect(STUDY)[0].select("exposure_response.dose_exposure")
    assert "STUDYID" not in set(single["level1"])


def test_the_line_and_its_band_belong_to_the_slope() -> None:
    results, curves = collect(STUDY)
    found = block(results)
    line = curves[curves["curve_id"] == f"exposure_response.dose_exposure/CMAX/{DOSE}"]
    slopes = np.diff(np.log(line["y"])) / np.diff(np.log(line["x"]))
    assert slopes == pytest.approx(found["slope"], rel=1e-6)
    assert (line["low"] < line["y"]).all() and (line["y"] < line["high"]).all()
    assert [line["x"].min(), line["x"].max()] == pytest.approx(
        [found["dose_min"], found["dose_max"]]
    )
    same = curves[curves["curve_id"] == f"exposure_response.dose_proportional/CMAX/{DOSE}"]
    assert np.diff(np.log(same["y"])) == pytest.approx(np.diff(np.log(same["x"])))


def unit_mixed(study: Study) -> Study:
    adex = study.sources.adex
    units = np.where(np.arange(len(adex)) % 2, "mg", "10^6 cells")
    return with_doses(replace(study, sources=replace(study.sources, adex=adex.assign(DOSEU=units))))


@pytest.mark.parametrize(
    ("change", "analysis", "reason"),
    [
        (lambda ader: ader.assign(DOSEA=100.0), "ALL", "ONELEVEL"),
        (lambda ader: ader.assign(DOSEA=np.nan), "ALL", "NOTCOLL"),
        (lambda ader: ader.assign(CMAX=0.0), "ALL", "FEWSUBJ"),
        (lambda ader: ader.assign(CMAX=5.0), "ALL", "CONSTANT"),
        (lambda ader: ader.iloc[:2], "ALL", "FEWSUBJ"),
        (lambda ader: ader.iloc[:0], "ALL", "NOTCOLL"),
        (lambda ader: ader.assign(LTBURDZ=np.nan), "TUMOUR_BURDEN", "NOCOVAR"),
        (lambda ader: ader.assign(LTBURDZ=3 * np.log(ader["DOSEA"])), "TUMOUR_BURDEN", "COLLIN"),
        (lambda ader: ader.assign(DOSEA=100 + ader["DOSEA"] / 1e4), "ALL", "NARROW"),
    ],
)
def test_what_cannot_be_estimated_has_its_reason(change: Any, analysis: str, reason: str) -> None:
    study = make_dose_study(settings={"dose_exposure": {"metrics": ["DOSEA"]}})
    results, _ = collect(replace(study, ader=change(study.ader)))
    found = block(results, analysis=analysis, dose="DOSEA")
    assert found["verdict:note"] == reason
    if reason == "NARROW":
        assert found["verdict"] == "INCONCLUSIVE" and math.isfinite(found["slope_low"])
    else:
        assert math.isnan(found["verdict"]) and math.isnan(found["slope_low"])
        assert found["slope_low:note"] == reason


def test_doses_in_different_units_are_not_related_to_anything() -> None:
    study = unit_mixed(make_dose_study(settings={"dose_exposure": {"metrics": ["DOSEA"]}}))
    results, curves = collect(study)
    assert block(results, dose="DOSEA")["slope:note"] == "MIXUNIT"
    assert curves.empty


def test_three_subjects_give_a_slope_and_an_interval() -> None:
    results, _ = collect(replace(STUDY, ader=STUDY.ader.iloc[:3]))
    found = block(results)
    assert found["n"] == 3 and math.isfinite(found["slope_low"])
    assert found["rho_low:note"] in ("FEWSUBJ", "NOLIMIT")
