"""Sensitivity of the ratios: without a distribution, matched, and weighted by overlap."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from comparability_given import (
    ANALYTE,
    ASSAY_1,
    ASSAY_2,
    BOTH,
    make_lots,
    make_parameters,
    make_samples,
    make_sources,
    make_study,
    make_subjects,
    read_number,
    read_word,
)

from celldossier.comparability.gate import check_gates
from celldossier.comparability.profiles import summarise_profiles
from celldossier.comparability.sensitivity import make_design, summarise_sensitivity
from celldossier.comparability.study import BridgeUse, Study
from celldossier.results import AnalysisResults, ResultCollector

N = 20
BURDEN = [-1 + 0.1 * k for k in range(N)] + [-0.6 + 0.1 * k for k in range(N)]
"""Tumour burden: the second group lies 0.4 higher, and both overlap."""

NOISE = [0.1 * math.sin(7 * k) for k in range(2 * N)]
EXPOSURE = [1000 * math.exp(0.7 * b + e) for b, e in zip(BURDEN, NOISE, strict=True)]
MARGIN = {"parameter": "CMAX", "lower": 0.5, "upper": 2, "justification": BOTH}


def make(after: dict[str, Any] = ASSAY_1, **settings: Any) -> Study:
    sources = make_sources(
        adsl=make_subjects(2 * N, LTBURDZ=BURDEN),
        adpq=make_lots("A" * N + "B" * N),
        adpc=make_samples(*[ASSAY_1] * N, *[after] * N).assign(AVALU="copies/ug"),
        adpp=make_parameters(CMAX=EXPOSURE),
    )
    given = {"metrics": ("CMAX",), "adjust_for": ("LTBURDZ",), "margins": [MARGIN]}
    return make_study(sources, **(given | settings))


def summarise(study: Study) -> AnalysisResults:
    out = ResultCollector("comparability")
    summarise_sensitivity(study, check_gates(study), out)
    return AnalysisResults([out.frame()])


@pytest.fixture(scope="module")
def results() -> AnalysisResults:
    return summarise(make())


def by(model: str, approach: str = "ASIS") -> dict[str, str]:
    return {"approach": approach, "group": "B", "model": model}


@pytest.mark.parametrize("model", ["MATCHED", "OVERLAP"])
def test_a_burden_that_went_with_the_process_is_balanced(
    results: AnalysisResults, model: str
) -> None:
    balance = {"group": "B", "model": model, "level": "-"}
    before = read_number(results, "balance", "LTBURDZ", "before", **balance)
    after = read_number(results, "balance", "LTBURDZ", "after", **balance)
    assert before == pytest.approx(0.4 / np.std(BURDEN[:N], ddof=1))
    assert abs(after) < 0.2
    # The effect of the burden, exp(0.7 * 0.4) = 1.32, is gone from the ratio.
    gmr = read_number(results, "sensitivity", "CMAX", "gmr", ANALYTE, **by(model))
    assert gmr == pytest.approx(1, abs=0.1)
    assert read_word(results, "sensitivity", "CMAX", "verdict", ANALYTE, **by(model)) == "WITHIN"


def test_the_shift_is_the_median_of_all_ratios_and_is_not_adjusted(
    results: AnalysisResults,
) -> None:
    values = np.array(EXPOSURE)
    expected = np.exp(np.median(np.log(values[N:])[:, None] - np.log(values[:N])))
    found = read_number(results, "sensitivity", "CMAX", "gmr", ANALYTE, **by("SHIFT"))
    assert found == pytest.approx(expected)
    assert found == pytest.approx(1.32, abs=0.1)


@pytest.mark.parametrize("model", ["SHIFT", "MATCHED", "OVERLAP"])
def test_a_closed_gate_and_a_missing_margin_leave_no_verdict(model: str) -> None:
    closed = summarise(make(ASSAY_2))
    word = read_word(closed, "sensitivity", "CMAX", "verdict", ANALYTE, **by(model))
    assert word == "ASSAYDIFF"
    bare = summarise(make(margins=[]))
    word = read_word(bare, "sensitivity", "CMAX", "verdict", ANALYTE, **by(model))
    assert word == "NOMARGIN"


def test_through_a_bridge_a_shift_has_no_verdict_since_its_interval_lacks_that_error() -> None:
    study = make(ASSAY_2)
    bridge = BridgeUse(ANALYTE, "1", "2", 1.3, 0.1, 19.0)
    parameters = study.parameters.assign(APPROACH="BRIDGED")
    bridged = replace(study, parameters=parameters, bridges={ANALYTE: (bridge,)})
    results = summarise(bridged)
    word = read_word(results, "sensitivity", "CMAX", "verdict", ANALYTE, **by("SHIFT", "BRIDGED"))
    assert word == "NOBRGERR"
    place = by("MATCHED", "BRIDGED")
    assert read_number(results, "sensitivity", "CMAX", "se_bridge", ANALYTE, **place) == (
        pytest.approx(0.1)
    )


def test_without_a_covariate_nobody_is_matched() -> None:
    study = make(adjust_for=("AGE",))
    assert make_design(study, "B") is None
    results = summarise(study)
    assert results.levels("comparability.sensitivity", "model") == ["SHIFT"]


def test_subjects_without_a_covariate_are_not_matched() -> None:
    study = make()
    missing = study.subjects.assign(LTBURDZ=[math.nan, *BURDEN[1:]])
    design = make_design(replace(study, subjects=missing), "B")
    assert design is not None
    assert 0 not in design.rows and design.rows.size == 2 * N - 1


def test_profiles_hold_results_below_the_limit_at_the_limit() -> None:
    study = make()
    adpc = study.sources.adpc.assign(
        AFRLT=7.1, NFRLT=7.0, DOSENO=1, AVAL=[math.nan] * 11 + [100.0] * 29,
        BLQFL=["Y"] * 11 + ["N"] * 29,
    )  # fmt: skip
    out = ResultCollector("comparability")
    summarise_profiles(replace(study, sources=replace(study.sources, adpc=adpc)), out)
    results = AnalysisResults([out.frame()])
    day = {"group": "A", "day": "7"}
    assert read_number(results, "profile", "AVAL", "median", ANALYTE, **day) == 50
    assert read_number(results, "profile", "AVAL", "n", ANALYTE, **day) == N
    day = {"group": "B", "day": "7"}
    assert read_number(results, "profile", "AVAL", "median", ANALYTE, **day) == 100


def test_groups_that_the_covariates_tell_apart_say_so() -> None:
    apart = [-1 + 0.01 * k for k in range(N)] + [1 + 0.01 * k for k in range(N)]
    study = make()
    far = replace(study, subjects=study.subjects.assign(LTBURDZ=apart))
    results = summarise(far)
    for model in ("MATCHED", "OVERLAP"):
        word = read_word(results, "sensitivity", "CMAX", "gmr", ANALYTE, **by(model))
        assert word == "POSITIV"
