"""Tumour burden, interactions and rescue medication, on studies with planted confounding."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from rescue_study import make_rescue_study, make_settings

from celldossier.errors import ConfigError
from celldossier.exposure_response import interaction
from celldossier.exposure_response.confounding import collect_confounding
from celldossier.exposure_response.rescue_medication import collect_rescue_medication
from celldossier.exposure_response.rescue_weighting import collect_rescue_weighting
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.confounding import ConfoundingSettings, RescueMedication

TOCI = {"term": "TOCILIZUMAB"}


def collect(study: Study, *parts) -> AnalysisResults:
    out = ResultCollector("exposure_response")
    for part in parts:
        part(study, out)
    return AnalysisResults([out.frame()])


def run_interactions(study: Study, out: ResultCollector) -> None:
    interaction.run_cells(study, interaction.plan_cells(study), out)


def find(values: AnalysisResults, analysis: str, variable: str, stat: str, **by: str):
    found = values.find(f"exposure_response.{analysis}", variable, "PCR", by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found


def weighted(values: AnalysisResults, stat: str, population: str = "CRS", metric: str = "CMAX"):
    return find(values, "weighted_ratio", metric, stat, population=population, **TOCI)


@pytest.fixture(scope="module")
def study() -> Study:
    return make_rescue_study(n=200, seed=4)


@pytest.fixture(scope="module")
def values(study) -> AnalysisResults:
    return collect(
        study,
        collect_confounding,
        run_interactions,
        collect_rescue_medication,
        collect_rescue_weighting,
    )


def fit(event, *columns):
    design = sm.add_constant(np.column_stack(columns))
    return sm.Logit(np.asarray(event), design).fit(disp=0, method="newton", tol=1e-12)


def test_the_coefficient_without_and_with_burden_is_that_of_statsmodels(study, values) -> None:
    ader = study.ader
    x, burden = np.log2(ader["CMAX"]), ader["LTBURDZ"]
    event = ader["CRSGR"] >= 2
    plain, both = fit(event, x), fit(event, x, burden)
    by = {"metric": "CMAX"}
    got = {
        suffix: find(values, "confounding", "CRSGE2", f"log_or_{suffix}", **by).number
        for suffix in ("unadjusted", "adjusted", "burden")
    }
    assert got["unadjusted"] == pytest.approx(plain.params[1], abs=1e-6)
    assert got["adjusted"] == pytest.approx(both.params[1], abs=1e-6)
    assert got["burden"] == pytest.approx(both.params[2], abs=1e-6)
    change = find(values, "confounding", "CRSGE2", "percent_change", **by).number
    expected = 100 * (both.params[1] - plain.params[1]) / plain.params[1]
    assert change == pytest.approx(expected, abs=1e-4)


def test_a_coefficient_near_zero_has_no_percentage() -> None:
    seen = set()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        # Response without any relation to the exposure.
        flat = make_rescue_study(n=200, seed=9, OBJRESP=(rng.random(200) < 0.5).astype(float))
        found = collect(flat, collect_confounding)
        change = find(found, "confounding", "OBJRESP", "percent_change", metric="AUC28")
        seen.add(change.note_code)
        assert change.note_code == ("NEARZERO" if math.isnan(change.number) else "")
    assert "NEARZERO" in seen


def test_the_odds_ratio_at_a_burden_is_that_of_the_interaction_model(study, values) -> None:
    ader = study.ader
    x, burden = np.log2(ader["CMAX"]), ader["LTBURDZ"]
    model = fit(ader["CRSGR"] >= 2, x - x.mean(), burden, (x - x.mean()) * burden)
    by = {"metric": "CMAX", "modifier": "LTBURDZ"}
    ratio = find(values, "interaction", "CRSGE2", "ratio", **by).number
    assert math.log(ratio) == pytest.approx(model.params[3], abs=1e-6)
    null = fit(ader["CRSGR"] >= 2, x, burden)
    from scipy.stats import chi2

    p = chi2.sf(2 * (model.llf - null.llf), 1)
    assert find(values, "interaction", "CRSGE2", "p", **by).number == pytest.approx(p, rel=1e-5)
    for quantile in (0.1, 0.5, 0.9):
        at = float(np.quantile(burden, quantile))
        level = f"Q{100 * quantile:g}"
        place = {**by, "level": level}
        assert find(values, "interaction_level", "CRSGE2", "at", **place).number == pytest.approx(
            at
        )
        odds = find(values, "interaction_level", "CRSGE2", "or", **place).number
        expected = model.params[1] + at * model.params[3]
        assert math.log(odds) == pytest.approx(expected, abs=1e-6)


def test_the_odds_ratio_in_an_indication_is_that_of_the_interaction_model(study, values) -> None:
    ader = study.ader
    x, burden = np.log2(ader["CMAX"]), ader["LTBURDZ"]
    leukaemia = (ader["INDIC"] == "ALL").astype(float)
    event = ader["ICANSGR"] >= 2
    model = fit(event, x - x.mean(), burden, leukaemia, (x - x.mean()) * leukaemia)
    by = {"metric": "CMAX", "modifier": "INDIC"}
    odds = {
        level: find(values, "interaction_level", "ICANSGE2", "or", level=level, **by).number
        for level in ("ALL", "NHL")
    }
    assert math.log(odds["NHL"]) == pytest.approx(model.params[1], abs=1e-5)
    assert math.log(odds["ALL"]) == pytest.approx(model.params[1] + model.params[4], abs=1e-5)
    # Planted: a relation in ALL and none in NHL.
    low = find(values, "interaction_level", "ICANSGE2", "or_low", level="ALL", **by).number
    assert low > 1 and 0.7 < odds["NHL"] < 1.4
    n = [
        find(values, "interaction_level", "ICANSGE2", "n", level=level, **by).number
        for level in ("ALL", "NHL")
    ]
    assert sum(n) == len(ader)


def test_a_study_of_one_indication_says_so() -> None:
    alone = make_rescue_study(n=120, seed=3, INDIC="ALL")
    found = collect(alone, run_interactions)
    by = {"metric": "CMAX", "modifier": "INDIC"}
    for stat in ("ratio", "ratio_low", "p"):
        assert find(found, "interaction", "CRSGE2", stat, **by).note_code == "ONELEVEL"
    level = find(found, "interaction_level", "CRSGE2", "or", level="ALL", **by)
    assert level.note_code == "ONELEVEL"


def test_three_indications_are_tested_together() -> None:
    names = np.array(["ALL", "NHL", "MM"])[np.arange(300) % 3]
    three = make_rescue_study(n=300, seed=3, INDIC=names)
    found = collect(three, run_interactions)
    by = {"metric": "CMAX", "modifier": "INDIC"}
    assert find(found, "interaction", "CRSGE2", "ratio", **by).note_code == "SEVLEVELS"
    assert 0 < find(found, "interaction", "CRSGE2", "p", **by).number < 1
    for level in ("ALL", "NHL", "MM"):
        place = {**by, "level": level}
        assert find(found, "interaction_level", "CRSGE2", "or", **place).number > 0


def test_the_naive_ratio_is_large_without_an_effect_and_the_weighted_one_is_near_one() -> None:
    """Rates over 16 studies: the medication has no effect on exposure in any of them."""
    naive, weighted_ratios, covered, refused = [], [], 0, 0
    for seed in range(16):
        found = collect(
            make_rescue_study(n=250, seed=100 + seed),
            collect_rescue_weighting,
            collect_rescue_medication,
        )
        naive.append(math.log(find(found, "rescue_ratio", "CMAX", "gmr", **TOCI).number))
        ratio = weighted(found, "gmr")
        if ratio.note_code:
            refused += 1
            continue
        weighted_ratios.append(math.log(ratio.number))
        low, high = weighted(found, "gmr_low").number, weighted(found, "gmr_high").number
        covered += low <= 1 <= high
    assert math.exp(np.mean(naive)) > 1.8
    assert refused < 8
    # What is left is exposure that led to the grade: smaller by far, not always 1.
    assert 0.75 < math.exp(np.mean(weighted_ratios)) < 1.33
    assert covered >= 0.7 * len(weighted_ratios)


def test_every_ratio_without_weights_carries_its_caveat(values) -> None:
    for metric in ("AUC28", "CMAX"):
        for stat in ("gmr", "gmr_low", "gmr_high"):
            assert find(values, "rescue_ratio", metric, stat, **TOCI).note_code == "CONFOUND"
        for stat in ("naive", "naive_low", "naive_high"):
            assert weighted(values, stat, metric=metric).note_code == "CONFOUND"


def test_subjects_by_grade_add_up_to_all(study, values) -> None:
    grades = [f"{g:g}" for g in sorted(study.ader["CRSGR"].unique())]
    for suffix in ("given", "without"):
        parts = [
            find(values, "rescue_by_grade", "CMAX", f"n_{suffix}", grade=g, **TOCI).number
            for g in grades
        ]
        total = find(values, "rescue_ratio", "CMAX", f"n_{suffix}", **TOCI).number
        assert sum(parts) == total


def test_a_medication_that_nobody_had_gives_reasons(values) -> None:
    by = {"term": "STEROID"}
    assert find(values, "rescue_ratio", "CMAX", "gmr", **by).note_code == "FEWSUBJ"
    place = {"population": "CRS", **by}
    assert find(values, "weighted_ratio", "CMAX", "gmr", **place).note_code == "FEWSUBJ"
    course = values.find(
        "exposure_response.rescue_course", "STEROID", "PCR", {"event": "TO_PEAK"}, "median"
    )
    assert course is not None and course.note_code == "NOGROUP"


def test_the_first_dose_is_timed_against_onset_and_peak(values) -> None:
    for event, sign in (("FROM_ONSET", 1.0), ("TO_PEAK", None)):
        place = ("exposure_response.rescue_course", "TOCILIZUMAB", "PCR", {"event": event})
        median = values.find(*place, "median")
        assert median is not None
        if sign is not None:
            assert median.number == pytest.approx(1.0)  # planted: a day after the onset
        else:
            assert 2 < median.number < 9  # the peak is on day 10
        counts = [values.find(*place, stat) for stat in ("n_given", "n", "n_unknown")]
        assert counts[0].number == counts[1].number + counts[2].number


def test_a_grade_that_is_always_treated_is_refused_and_left_out_of_the_overlap() -> None:
    always = make_rescue_study(n=200, seed=6, treated_by_grade=(0, 0.3, 0.5, 0.6, 1.0))
    assert (always.ader["CRSGR"] == 4).sum() > 5
    found = collect(always, collect_rescue_weighting)
    for stat in ("gmr", "gmr_low", "p", "weight_max", "ess"):
        assert weighted(found, stat).note_code == "POSITIV"
    overlap = weighted(found, "gmr", "CRS_OVERLAP")
    assert overlap.note_code == "" and overlap.number > 0
    left_out = weighted(found, "n_grade", "CRS_OVERLAP").number
    assert left_out == (always.ader["CRSGR"] == 4).sum()


def test_a_grade_that_is_never_treated_is_refused_too() -> None:
    never = make_rescue_study(n=200, seed=6, treated_by_grade=(0, 0.0, 0.5, 0.6, 0.8))
    assert weighted(collect(never, collect_rescue_weighting), "gmr").note_code == "POSITIV"


def test_only_subjects_with_crs_are_compared_and_all_are_accounted_for(study, values) -> None:
    for population in ("CRS", "CRS_OVERLAP"):
        parts = ("n_given", "n_without", "n_unknown_treatment", "n_noexposure", "n_nocovariate",
                 "n_grade")  # fmt: skip
        total = weighted(values, "n_crs", population).number
        assert total == (study.ader["CRSGR"] >= 1).sum()
        assert total == sum(weighted(values, stat, population).number for stat in parts)


def test_too_small_an_effective_size_is_refused(study) -> None:
    strict = make_settings(confounding=ConfoundingSettings(min_effective_size=60))
    found = collect(make_rescue_study(n=200, seed=4, settings=strict), collect_rescue_weighting)
    assert weighted(found, "gmr").note_code == "ESSLOW"
    # The weights and the size that refused it are printed.
    assert weighted(found, "ess_given").number < 60
    assert weighted(found, "weight_max").number > 1


def test_weights_balance_the_covariates(values) -> None:
    rows = values.select("exposure_response.weight_balance")
    rows = rows[(rows["variable"] == "CMAX") & (rows["level2"] == "CRS")]
    table = rows.pivot(index="level1", columns="stat_name", values="value").abs()
    assert table["smd_before"].max() > 0.5
    assert table["smd_after"].max() < 0.25


def test_a_covariate_that_is_an_exposure_or_unknown_is_an_error_of_the_config() -> None:
    for name, message in (("CMAX", "is an exposure"), ("NOTHING", "not a variable of ADER")):
        rescue = (RescueMedication(medication="TOCILIZUMAB", covariates=(name,)),)
        wrong = make_settings(confounding=ConfoundingSettings(rescue=rescue))
        with pytest.raises(ConfigError, match=message):
            collect(make_rescue_study(n=60, settings=wrong), collect_rescue_weighting)


def test_medication_that_was_not_collected_gives_reasons() -> None:
    bare = make_rescue_study(n=100, seed=2, TOCIFL="", STERFL="")
    found = collect(bare, collect_rescue_medication, collect_rescue_weighting)
    assert find(found, "rescue_ratio", "CMAX", "gmr", **TOCI).note_code == "NOTCOLL"
    assert weighted(found, "gmr").note_code == "NOTCOLL"


def test_two_subjects_given_the_medication_make_no_ratio() -> None:
    study = make_rescue_study(n=80, seed=6, settings=make_settings())
    flag = study.ader["TOCIFL"].where(study.ader["TOCIFL"] != "Y", "N").to_numpy(copy=True)
    positive = np.flatnonzero((study.ader["ERFL"] == "Y") & (study.ader["CMAX"] > 0))
    flag[positive[:2]] = "Y"
    out = ResultCollector("exposure_response")
    collect_rescue_medication(replace(study, ader=study.ader.assign(TOCIFL=flag)), out)
    values = AnalysisResults([out.frame()])
    assert find(values, "rescue_ratio", "CMAX", "n_given", **TOCI).number == 2
    for stat in ("gmr", "gmr_low", "gmr_high"):
        assert find(values, "rescue_ratio", "CMAX", stat, **TOCI).note_code == "FEWSUBJ"


def test_nothing_is_infinite_and_every_gap_has_a_reason(values) -> None:
    frame = values.frame
    assert not np.isinf(frame["value"].to_numpy(dtype=float)).any()
    empty = frame["value"].isna() & (frame["value_text"] == "")
    assert (frame.loc[empty, "note_code"] != "").all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"burden_quantiles": (0.9, 0.1)},
        {"burden_quantiles": (0.0, 0.5)},
        {"rescue": (RescueMedication(medication="STEROID", covariates=()),) * 2},
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"burden_quantiles|rescue"):
        ConfoundingSettings(**wrong)


def test_the_order_of_the_rows_changes_nothing(study) -> None:
    from dataclasses import replace

    order = np.random.default_rng(1).permutation(len(study.ader))
    shuffled = replace(
        study,
        ader=study.ader.iloc[order].reset_index(drop=True),
        aderend=study.aderend.sample(frac=1, random_state=1),
    )
    parts = (collect_confounding, run_interactions, collect_rescue_weighting)
    first, again = collect(study, *parts).frame, collect(shuffled, *parts).frame
    pd.testing.assert_frame_equal(again, first, rtol=1e-6)
