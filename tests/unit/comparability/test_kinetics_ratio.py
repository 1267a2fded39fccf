"""Ratios of the kinetics before and after the change, and when they get a verdict."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from comparability_given import (
    ANALYTE,
    ASSAY_1,
    ASSAY_2,
    BOTH,
    make_lots,
    make_parameters,
    make_samples,
    make_settings,
    make_sources,
    make_study,
    make_subjects,
    read_number,
    read_word,
)

from celldossier.comparability.bridge_error import bridge_error
from celldossier.comparability.gate import check_gates
from celldossier.comparability.kinetics import list_comparisons, summarise_exposure, summarise_times
from celldossier.comparability.kinetics_ratio import summarise_ratios
from celldossier.comparability.stage import compare_groups
from celldossier.comparability.study import BridgeUse, Study, read_study
from celldossier.errors import ConfigError
from celldossier.results import AnalysisResults, ResultCollector

LOGS = [-0.3, -0.1, 0.0, 0.1, 0.3]
"""Logarithms of a group: mean 0, variance 0.05."""

VARIANCE = 0.05
T90 = {8: 1.8595480375308981}
MARGIN = {"parameter": "CMAX", "lower": 0.5, "upper": 2, "justification": BOTH}


def exposure(factor: float, level: float = 1000.0) -> list[float]:
    """Five values before and five after, the same but for a factor."""
    return [level * math.exp(x) for x in LOGS] + [level * factor * math.exp(x) for x in LOGS]


def make(
    factor: float = 1.0,
    after: dict[str, Any] = ASSAY_1,
    bridges: dict[str, tuple[BridgeUse, ...]] | None = None,
    bridged: float | None = None,
    subjects: dict[str, list[Any]] | None = None,
    lots: dict[str, list[Any]] | None = None,
    **settings: Any,
) -> Study:
    """Five subjects of process A by assay 1, five of B by the assay `after`."""
    adpp = make_parameters(CMAX=exposure(factor))
    rates = make_parameters(unit="1/d", EXPRATE=[0.5 + 0.1 * (k % 5) for k in range(10)])
    sources = make_sources(
        adsl=make_subjects(10, **(subjects or {})),
        adpq=make_lots("A" * 5 + "B" * 5, **(lots or {})),
        adpc=make_samples(*[ASSAY_1] * 5, *[after] * 5).assign(AVALU="copies/ug"),
        adpp=pd.concat([adpp, rates]),
    )
    if bridged is not None:
        parts = [
            pd.concat([make_parameters(CMAX=exposure(bridged)), rates]).assign(APPROACH=approach)
            for approach in ("BRIDGED", "HIGHLLOQ")
        ]
        sources = replace(sources, adppb=pd.concat(parts))
    base = make_study(sources, metrics=("CMAX", "EXPRATE"), **{"adjust_for": (), **settings})
    return read_study(sources, base.settings, ANALYTE, bridges)


def summarise(study: Study) -> AnalysisResults:
    out = ResultCollector("comparability")
    gates = check_gates(study)
    summarise_exposure(study, gates, out)
    summarise_ratios(study, gates, out)
    return AnalysisResults([out.frame()])


def number(results: AnalysisResults, stat: str, approach: str = "ASIS", **other: str) -> float:
    variable, model = other.get("variable", "CMAX"), other.get("model", "UNADJUSTED")
    by = {"approach": approach, "group": "B", "model": model}
    return read_number(results, "ratio", variable, stat, ANALYTE, **by)


def word(results: AnalysisResults, stat: str, approach: str = "ASIS", **other: str) -> str:
    variable, model = other.get("variable", "CMAX"), other.get("model", "UNADJUSTED")
    by = {"approach": approach, "group": "B", "model": model}
    return read_word(results, "ratio", variable, stat, ANALYTE, **by)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, "WITHIN"), (1.5, "WITHIN"), (1.9, "NOTWITHIN"), (0.4, "NOTWITHIN")],
)
def test_a_ratio_with_its_interval_is_held_against_the_margin(factor: float, verdict: str) -> None:
    results = summarise(make(factor, margins=[MARGIN]))
    # Equal sizes and variances: 8 degrees of freedom, se = sqrt(2 * 0.05 / 5).
    half = T90[8] * math.sqrt(2 * VARIANCE / 5)
    assert number(results, "gmr") == pytest.approx(factor)
    assert number(results, "gmr_low") == pytest.approx(factor * math.exp(-half))
    assert number(results, "gmr_high") == pytest.approx(factor * math.exp(half))
    assert word(results, "verdict") == verdict
    assert (number(results, "p_tost") <= 0.05) == (verdict == "WITHIN")


def test_without_a_margin_there_is_a_ratio_and_no_verdict() -> None:
    results = summarise(make())
    assert number(results, "gmr") == pytest.approx(1)
    for stat in ("verdict", "p_tost", "probability", "margin_lower", "n_needed_test"):
        assert word(results, stat) == "NOMARGIN"


def test_a_closed_gate_leaves_the_ratio_and_takes_the_verdict() -> None:
    results = summarise(make(after=ASSAY_2, margins=[MARGIN]))
    assert number(results, "gmr") == pytest.approx(1)
    for stat in ("verdict", "p_tost", "probability"):
        assert word(results, stat) == "ASSAYDIFF"
    assert number(results, "margin_upper") == 2


def test_a_bridge_gives_the_verdict_to_bridged_concentrations_alone() -> None:
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0)
    study = make(1.3, ASSAY_2, {ANALYTE: (bridge,)}, bridged=1.0, margins=[MARGIN])
    results = summarise(study)
    assert word(results, "verdict") == "ASSAYDIFF"
    assert word(results, "verdict", "BRIDGED") == "WITHIN"
    assert word(results, "verdict", "HIGHLLOQ") == "WITHIN"
    assert number(results, "gmr", "BRIDGED") == pytest.approx(1)


def test_the_error_of_the_bridge_is_in_the_interval() -> None:
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0)
    results = summarise(make(1.3, ASSAY_2, {ANALYTE: (bridge,)}, bridged=1.0, margins=[MARGIN]))
    own = 2 * VARIANCE / 5
    # SE^2 = SE_GMR^2 + SE_bridge^2; degrees of freedom after Satterthwaite.
    total = own + 0.1**2
    assert number(results, "se", "BRIDGED") == pytest.approx(math.sqrt(total))
    assert number(results, "se_bridge", "BRIDGED") == pytest.approx(0.1)
    assert number(results, "se") == pytest.approx(math.sqrt(own))
    # A rate does not hold the factor of the assay, and so not its error.
    same = number(results, "se", "BRIDGED", variable="EXPRATE")
    assert same == pytest.approx(number(results, "se", variable="EXPRATE"))


def test_a_group_measured_half_by_each_version_holds_half_of_the_error() -> None:
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0)
    study = make(1.3, ASSAY_2, {ANALYTE: (bridge,)}, bridged=1.0)
    adpc = study.sources.adpc
    again = adpc.loc[adpc["PCASSAYV"] == "2"].assign(PCASSAYV="1")
    half = pd.concat([adpc, again], ignore_index=True)
    mixed = replace(study, sources=replace(study.sources, adpc=half))
    one = next(c for c in list_comparisons(study, check_gates(study)) if c.approach == "BRIDGED")
    assert bridge_error(study, one) == [(pytest.approx(0.1), 19.0)]
    assert bridge_error(mixed, one) == [(pytest.approx(0.05), 19.0)]


def test_a_bridge_that_depends_on_the_level_gives_no_verdict() -> None:
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0, "BRIDGELEVEL")
    results = summarise(make(1.3, ASSAY_2, {ANALYTE: (bridge,)}, bridged=1.0, margins=[MARGIN]))
    assert {word(results, "verdict", a) for a in ("ASIS", "BRIDGED", "HIGHLLOQ")} == {"BRIDGELEVEL"}


def test_where_the_assay_is_the_same_nothing_is_bridged() -> None:
    results = summarise(make(bridged=1.0, margins=[MARGIN]))
    assert results.levels("comparability.ratio", "approach") == ["ASIS"]


def test_the_number_needed_is_that_of_the_observed_variability() -> None:
    # science.md C4: geometric CV 170 %, margin 0.50 to 2.00, power 80 %: 49 a group by the
    # normal approximation; one more by the exact one.
    sd = math.sqrt(math.log(1 + 1.7**2))
    size = sd * math.sqrt(3) / 2
    values = [1000 * math.exp(sign * size) for sign in (1, -1, 1, -1)] * 2
    sources = make_sources(
        adsl=make_subjects(8), adpq=make_lots("AAAABBBB"), adpc=make_samples(*[ASSAY_1] * 8),
        adpp=make_parameters(CMAX=values),
    )  # fmt: skip
    study = make_study(sources, metrics=("CMAX",), margins=[MARGIN], adjust_for=())
    results = summarise(study)
    assert number(results, "sd") == pytest.approx(sd)
    assert number(results, "n_needed_test") == number(results, "n_needed_reference") == 50


def test_a_burden_that_went_with_the_process_is_held_equal() -> None:
    # Exposure is that of the burden alone, and the second group has a higher one.
    burden = [-1.0, -0.5, 0, 0.5, 1, 0, 0.5, 1, 1.5, 2]
    noise = [0.05, -0.05, 0.02, -0.04, 0.02, -0.02, 0.04, -0.02, 0.05, -0.05]
    values = [1000 * math.exp(0.7 * b + e) for b, e in zip(burden, noise, strict=True)]
    sources = make_sources(
        adsl=make_subjects(10, LTBURDZ=burden), adpq=make_lots("A" * 5 + "B" * 5),
        adpc=make_samples(*[ASSAY_1] * 10), adpp=make_parameters(CMAX=values),
    )  # fmt: skip
    study = make_study(sources, metrics=("CMAX",), adjust_for=("LTBURDZ", "AGE"))
    results = summarise(study)
    assert number(results, "gmr") == pytest.approx(math.exp(0.7), rel=0.02)
    assert number(results, "gmr", model="ADJUSTED") == pytest.approx(1, abs=0.08)
    # AGE was not collected: it is named among none of those that were held equal.
    assert word(results, "covariates", model="ADJUSTED") == "LTBURDZ"


def test_lots_that_share_a_donor_are_a_random_effect() -> None:
    donors = ["D1", "D1", "D2", "D2", "D3", "D1", "D2", "D3", "D3", "D4"]
    study = make(lots={"DONORID": donors}, adjust_for=("LTBURDZ",))
    results = summarise(study)
    assert word(results, "cluster", model="ADJUSTED") == "DONORID"
    alone = make(lots={"DONORID": [f"D{k}" for k in range(10)]}, adjust_for=("LTBURDZ",))
    assert word(summarise(alone), "cluster", model="ADJUSTED") == "NOCLUSTER"


def test_donors_are_a_random_effect_without_covariates_too() -> None:
    donors = ["D1", "D1", "D2", "D2", "D3", "D4", "D4", "D5", "D5", "D6"]
    results = summarise(make(lots={"DONORID": donors}))
    assert word(results, "cluster") == "DONORID"
    alone = summarise(make())
    assert word(alone, "cluster") == "NOCLUSTER"


def test_one_donor_a_group_gives_no_verdict() -> None:
    # Ten subjects, but two donors: what differs may be the donors alone.
    results = summarise(make(lots={"DONORID": ["D1"] * 5 + ["D2"] * 5}, margins=[MARGIN]))
    assert word(results, "verdict") == word(results, "gmr") == "FEWSUBJ"


@pytest.mark.parametrize(
    ("chosen", "primary"),
    [("", "ADJUSTED"), ("adjusted", "ADJUSTED"), ("unadjusted", "UNADJUSTED")],
)
def test_the_primary_ratio_is_that_of_the_settings(chosen: str, primary: str) -> None:
    burden = {"LTBURDZ": [0.1, -0.2, 0.3, 0.2, -0.1] * 2}
    study = make(subjects=burden, adjust_for=("LTBURDZ",), primary_model=chosen, margins=[MARGIN])
    results = summarise(study)
    for model in ("ADJUSTED", "UNADJUSTED"):
        role = "PRIMARY" if model == primary else "SENSITIVITY"
        assert word(results, "role", model=model) == role


def test_through_a_bridge_the_bridged_ratio_is_the_primary_one() -> None:
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0)
    results = summarise(make(1.3, ASSAY_2, {ANALYTE: (bridge,)}, bridged=1.0, margins=[MARGIN]))
    roles = {a: word(results, "role", a) for a in ("ASIS", "BRIDGED", "HIGHLLOQ")}
    assert roles == {"ASIS": "SENSITIVITY", "BRIDGED": "PRIMARY", "HIGHLLOQ": "SENSITIVITY"}


def test_an_adjusted_ratio_without_a_covariate_is_none() -> None:
    results = summarise(make(adjust_for=("LTBURDZ",), margins=[MARGIN]))
    assert word(results, "gmr", model="ADJUSTED") == "NOCOVAR"
    assert word(results, "verdict", model="ADJUSTED") == "NOCOVAR"
    assert number(results, "n_test", model="ADJUSTED") == 5


def test_concentrations_without_a_unit_keep_the_error_of_the_bridge() -> None:
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0)
    study = make(1.3, ASSAY_2, {ANALYTE: (bridge,)}, bridged=1.0)
    bare = replace(study, sources=replace(study.sources, adpc=study.sources.adpc.assign(AVALU="")))
    one = next(c for c in list_comparisons(bare, check_gates(bare)) if c.approach == "BRIDGED")
    assert bridge_error(bare, one) == [(pytest.approx(0.1), 19.0)]


@pytest.mark.parametrize(
    "settings",
    [
        {"metrics": ("CMX",)},
        {"times": ("TMX",)},
        {"by": "LOTS", "reference": "", "changed_lots": ("L06", "L99")},
    ],
)
def test_a_name_that_is_not_there_is_a_fault_of_the_config(settings: dict[str, Any]) -> None:
    sources = make_sources(adsl=make_subjects(10), adpq=make_lots("A" * 5 + "B" * 5))
    with pytest.raises(ConfigError, match=r"CMX|TMX|L99"):
        make_study(sources, **settings)


def test_a_study_without_infused_subjects_compares_its_lots() -> None:
    sources = make_sources(adsl=make_subjects(1).iloc[:0], adpq=make_lots("AAABBB"))
    found = compare_groups(sources, make_settings(), ANALYTE).results
    results = AnalysisResults([found])
    assert read_number(results, "group_count", "LOTID", group="B") == 3


def test_values_of_zero_are_counted_and_are_in_no_ratio() -> None:
    study = make()
    adpp = study.parameters.copy()
    first = (adpp["PARAMCD"] == "CMAX") & (adpp["USUBJID"] == "S-01")
    adpp.loc[first, "AVAL"] = 0.0
    results = summarise(replace(study, parameters=adpp))
    assert number(results, "n_reference") == 4
    by = {"approach": "ASIS", "group": "A"}
    assert read_number(results, "exposure", "CMAX", "n_zero", ANALYTE, **by) == 1
    assert read_number(results, "exposure", "CMAX", "n", ANALYTE, **by) == 5


def test_few_subjects_have_a_reason_and_no_ratio() -> None:
    results = summarise(make(margins=[MARGIN], min_per_group=6))
    for stat in ("gmr", "gmr_low", "verdict", "n_needed_test"):
        assert word(results, stat) == "FEWSUBJ"
    assert number(results, "n_test") == 5


def test_times_are_compared_by_the_median_of_all_ratios() -> None:
    days = [8.0, 9, 10, 11, 12]
    sources = make_sources(
        adsl=make_subjects(10), adpq=make_lots("A" * 5 + "B" * 5),
        adpc=make_samples(*[ASSAY_1] * 10),
        adpp=make_parameters(unit="d", TMAX=[*days, *(2 * day for day in days)]),
    )  # fmt: skip
    study = make_study(sources, metrics=("CMAX",), times=("TMAX",))
    out = ResultCollector("comparability")
    summarise_times(study, check_gates(study), out)
    results = AnalysisResults([out.frame()])
    by = {"approach": "ASIS", "group": "B"}
    assert read_number(results, "time_ratio", "TMAX", "ratio", ANALYTE, **by) == pytest.approx(2)
    low = read_number(results, "time_ratio", "TMAX", "ratio_low", ANALYTE, **by)
    assert 1 < low < 2
