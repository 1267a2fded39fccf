from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from pydantic import ValidationError
from scipy.stats import chi2

from celldossier.errors import ConfigError
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.subgroups import collect_subgroups
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.logistic import estimate_logistic

SETTINGS: dict[str, Any] = {
    "metrics": ["CMAX"],
    "endpoints": ["CRSGE2"],
    "primary": [{"endpoint": "CRSGE2", "metric": "CMAX"}],
    "firth_below": 0,
    "min_events_per_parameter": 1,
    "subgroups": {
        "adjustment": "UNADJUSTED",
        "min_events": 3,
        "variables": [
            {"variable": "TRT01A"},
            {"variable": "LTBURDZ", "split": "MEDIAN"},
            {"variable": "AGEGR1"},
            {"variable": "SEX"},
        ],
    },
}


def run(sources, **changes: Any) -> tuple[Study, AnalysisResults]:
    study = prepare_study(sources, ExposureResponseSettings.model_validate({**SETTINGS, **changes}))
    out = ResultCollector("exposure_response")
    collect_subgroups(study, out)
    return study, AnalysisResults([out.frame()])


@pytest.fixture(scope="module")
def ran(study) -> tuple[Study, AnalysisResults]:
    return run(study.sources)


def value(values: AnalysisResults, analysis: str, stat: str, **by: str) -> Any:
    found = values.find(
        f"exposure_response.{analysis}", "CRSGE2", "PCR", {"metric": "CMAX", **by}, stat
    )
    assert found is not None, (analysis, stat, by)
    return found


def test_the_odds_ratio_of_a_level_is_that_of_its_subjects(ran) -> None:
    study, values = ran
    rows = study.ader[study.ader["TRT01A"] == "DL1"]
    event = (rows["CRSGR"] >= 2).astype(float)
    fit = estimate_logistic(event, np.log2(rows["CMAX"]), ["x"], "ML").coefficient("x")
    for stat, expected in (("or", fit.estimate), ("or_low", fit.low), ("or_high", fit.high)):
        found = value(values, "subgroup", stat, subgroup="TRT01A", level="DL1").number
        assert found == pytest.approx(math.exp(expected), rel=1e-9)


def test_the_interaction_is_the_likelihood_ratio_test_of_statsmodels(ran) -> None:
    study, values = ran
    x, ader = np.log2(study.ader["CMAX"]), study.ader
    high = (ader["LTBURDZ"] > ader["LTBURDZ"].median()).astype(float)
    event = (ader["CRSGR"] >= 2).astype(float)
    full = sm.Logit(event, sm.add_constant(np.column_stack([x, high, x * high]))).fit(disp=0)
    part = sm.Logit(event, sm.add_constant(np.column_stack([x, high]))).fit(disp=0)
    statistic = 2 * (full.llf - part.llf)
    found = value(values, "subgroup_interaction", "p", subgroup="LTBURDZ").number
    assert found == pytest.approx(chi2.sf(statistic, 1), rel=1e-5)


def test_the_halves_of_a_number_hold_every_subject_once(ran) -> None:
    study, values = ran
    sizes = [
        value(values, "subgroup", "n", subgroup="LTBURDZ", level=level).number
        for level in ("LOW", "HIGH")
    ]
    assert sum(sizes) == (study.ader["ERFL"] == "Y").sum()
    cut = value(values, "subgroup_interaction", "cut", subgroup="LTBURDZ").number
    assert cut == pytest.approx(study.ader["LTBURDZ"].median())


def test_one_level_alone_has_no_test_of_interaction(ran) -> None:
    _, values = ran
    assert value(values, "subgroup_interaction", "p", subgroup="AGEGR1").note_code == "ONESUBGR"


def test_a_level_with_few_events_is_listed_with_its_reason(study) -> None:
    sex = ["F", "F", "F", "F", *["M"] * (len(study.adsl) - 4)]
    _, values = run(study.change(adsl=study.adsl.assign(SEX=sex)))
    assert value(values, "subgroup", "or", subgroup="SEX", level="F").note_code in {
        "FEWEVENT", "NOEVENT", "ALLEVENT",
    }  # fmt: skip
    assert value(values, "subgroup", "n", subgroup="SEX", level="F").number == 4
    assert value(values, "subgroup_interaction", "p", subgroup="SEX").note_code == "ONESUBGR"


def test_a_test_that_the_events_do_not_carry_is_refused(study) -> None:
    _, values = run(study.sources, min_events_per_parameter=50)
    assert value(values, "subgroup_interaction", "p", subgroup="TRT01A").note_code == "EPPLOW"


def test_unknown_levels_are_counted_and_in_no_subgroup(study) -> None:
    sex = study.adsl["SEX"].where(study.adsl.index > 2, "")
    _, values = run(study.change(adsl=study.adsl.assign(SEX=sex)))
    assert value(values, "subgroup_interaction", "n_unknown", subgroup="SEX").number == 3
    total = sum(
        value(values, "subgroup", "n", subgroup="SEX", level=level).number for level in ("F", "M")
    )
    assert total == len(study.adsl) - 3


def test_q_values_are_of_all_tests_of_interaction_of_the_family(ran) -> None:
    _, values = ran
    rows = values.select("exposure_response.subgroup_interaction")
    p = rows.loc[rows["stat_name"] == "p", "value"].dropna().to_numpy()
    q = rows.loc[rows["stat_name"] == "q", "value"].dropna().to_numpy()
    assert len(p) == len(q) >= 2 and max(q) == pytest.approx(max(p)) and (q >= p).all()


@pytest.mark.parametrize(
    ("variable", "fault"),
    [
        ({"variable": "NOTHERE"}, "NOTHERE of exposure_response is not"),
        ({"variable": "SEX", "split": "MEDIAN"}, "has no median"),
    ],
)
def test_a_variable_that_cannot_divide_is_an_error(study, variable, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        run(study.sources, subgroups={"variables": [variable]})


def test_a_variable_twice_is_refused() -> None:
    twice = {"variables": [{"variable": "SEX"}, {"variable": "SEX"}]}
    with pytest.raises(ValidationError, match="twice"):
        ExposureResponseSettings.model_validate({**SETTINGS, "subgroups": twice})
