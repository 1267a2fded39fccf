"""The whole stage on data that break models: each cell gives a result or a reason code.

Every family of models that the stage knows is run. Warnings are errors, nothing is infinite, and
each number that is missing has a code that the terms explain.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from markers_study import add_markers

from celldossier.datasets import conform
from celldossier.exposure_response.stage import ExposureResponse, analyse_exposure_response
from celldossier.exposure_response.study import Sources
from celldossier.io.resources import read_resource
from celldossier.results import AnalysisResults, Value
from celldossier.settings.exposure_response import ExposureResponseSettings

SETTINGS = ExposureResponseSettings.model_validate(
    {
        # One endpoint of each kind and source at least.
        "endpoints": [
            *("OBJRESP", "CRSGE2", "CRSGR", "CYTOPENIA", "NINFECT", "CRSRES", "PFS"),
            *("IL6PEAK", "IL6RPT"),
        ],
        "emax": {
            "pairs": [
                {"endpoint": "IL6PEAK", "metric": "CMAX"},
                {"endpoint": "CRSGE2", "metric": "CMAX", "sigmoid": True},
            ]
        },
        "biomarkers": {"metrics": ["CMAX"]},
        "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"],
        "metrics": ["CMAX", "AUC28"],
        "primary": [
            {"endpoint": "CRSGE2", "metric": "CMAX"},
            {"endpoint": "OBJRESP", "metric": "AUC28"},
        ],
        "forest_metrics": ["CMAX"],
        # What is repeated is repeated less often.
        "covariate_models": {"selection_pairs": 10, "bootstrap_samples": 100, "max_imputations": 5},
    }
)


def add_survival(sources: Sources) -> Sources:
    """Progression-free and overall survival, which the small study does not have."""
    n = len(sources.adsl)
    rng = np.random.default_rng(11)
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "STUDYID": "S",
                    "USUBJID": sources.adsl["USUBJID"],
                    "PARAMCD": code,
                    "PARAM": code,
                    "AVAL": 20 + np.ceil(rng.exponential(200, n)),
                    "AVALU": "d",
                    "CNSR": (rng.random(n) < 0.4).astype(int),
                    "EVENTCD": "DEATH",
                    "SRCDOM": "RS",
                    "SRCROW": np.arange(1, n + 1),
                }
            )
            for code in ("PFS", "OS")
        ],
        ignore_index=True,
    )
    return replace(sources, adtte=conform(rows, "ADTTE"))


def set_crs(sources: Sources, grade: np.ndarray) -> Sources:
    """Give each subject a worst grade of CRS; somebody has another event, so that all count."""
    who = sources.adsl["USUBJID"].to_numpy()
    events = np.flatnonzero(grade > 0)
    other = pd.DataFrame(
        {
            "USUBJID": [who[0]],
            "AETERM": "HEADACHE",
            "AEDECOD": "Headache",
            "AESI": "",
            "ATOXGRN": 1.0,
            "ASTDY": 2.0,
        }
    )
    rows = pd.DataFrame(
        {
            "USUBJID": who[events],
            "AETERM": "CRS",
            "AEDECOD": "Cytokine release syndrome",
            "AESI": "CRS",
            "ATOXGRN": grade[events].astype(float),
            "ASTDY": 1.0 + events % 9,
        }
    )
    both = pd.concat([rows, other], ignore_index=True).assign(
        STUDYID="S", ASTDTM="2026-01-05", TRTEMFL="Y", SRCDOM="AE"
    )
    both["SRCROW"] = np.arange(1, len(both) + 1)
    return replace(sources, adae=conform(both, "ADAE"))


def set_event(sources: Sources, has_event: np.ndarray) -> Sources:
    """Let CRS, response, progression and death befall the same subjects."""
    sources = set_crs(sources, np.where(has_event, 3, 0))
    who = sources.adsl["USUBJID"][has_event]
    adrs, adtte = sources.adrs.copy(), sources.adtte.copy()
    adrs["RESPFL"] = np.where(adrs["USUBJID"].isin(who), "Y", "N")
    adrs["AVALC"] = np.where(adrs["RESPFL"] == "Y", "CR", "PD")
    adtte["CNSR"] = np.where(adtte["USUBJID"].isin(who), 0, 1)
    adtte["AVAL"] = np.where(adtte["CNSR"] == 0, 40.0 + np.arange(len(adtte)), 300.0)
    return replace(sources, adrs=adrs, adtte=adtte)


def set_exposure(sources: Sources, value: float) -> Sources:
    """Give all subjects the same exposure."""
    adpp, adpc = sources.adpp.assign(AVAL=value), sources.adpc.copy()
    adpc["AVAL"] = value
    if value == 0:
        adpc["AVAL"], adpc["BLQFL"] = np.nan, "Y"
    return replace(sources, adpp=adpp, adpc=adpc)


def read_cmax(sources: Sources) -> np.ndarray:
    rows = sources.adpp[sources.adpp["PARAMCD"] == "CMAX"].set_index("USUBJID")["AVAL"]
    return rows.reindex(sources.adsl["USUBJID"]).to_numpy(dtype=float)


def separate(sources: Sources) -> Sources:
    cmax = read_cmax(sources)
    return set_event(sources, cmax > float(np.median(cmax)))


def keep_three(sources: Sources) -> Sources:
    kept = set(sources.adsl["USUBJID"][:3])
    return replace(
        sources,
        **{
            name: frame[frame["USUBJID"].isin(kept)].reset_index(drop=True)
            for name, frame in vars(sources).items()
            if "USUBJID" in frame
        },
    )


def set_burden(sources: Sources, values: object) -> Sources:
    return replace(sources, adsl=sources.adsl.assign(LTBURDZ=values))


CASES: dict[str, Callable[[Sources], Sources]] = {
    "separation": separate,
    "one event": lambda sources: set_event(sources, np.arange(len(sources.adsl)) == 7),
    "zero events": lambda sources: set_event(sources, np.zeros(len(sources.adsl), dtype=bool)),
    "all events": lambda sources: set_event(sources, np.ones(len(sources.adsl), dtype=bool)),
    "constant exposure": lambda sources: set_exposure(sources, 5000.0),
    "all BLQ": lambda sources: set_exposure(sources, 0.0),
    "three subjects": keep_three,
    "covariate missing": lambda sources: set_burden(sources, np.nan),
    "covariate known in four": lambda sources: set_burden(
        sources, np.where(np.arange(len(sources.adsl)) < 4, np.arange(len(sources.adsl)), np.nan)
    ),
    "covariate collinear": lambda sources: set_burden(sources, np.log2(read_cmax(sources))),
}

EXPECTED = {
    "one event": {"FEWEVENT"},
    "zero events": {"NOEVENT"},
    "all events": {"ALLEVENT"},
    "constant exposure": {"CONSTANT"},
    "all BLQ": {"NOSUBJ"},
    "covariate missing": {"NOCOVAR"},
    "covariate collinear": {"COLLIN"},
}
"""Reasons with which the burden-adjusted logistic model of CRS by CMAX is refused."""


Run = Callable[[str], ExposureResponse]


@pytest.fixture(scope="module")
def run(study) -> Run:
    @cache
    def analyse(name: str) -> ExposureResponse:
        sources = CASES[name](add_markers(add_survival(study.sources)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return analyse_exposure_response(sources, SETTINGS)

    return analyse


def find(output: ExposureResponse, analysis: str, statistic: str, **more: str) -> Value:
    """A statistic of the burden-adjusted primary cell of CRS by CMAX."""
    by = {"metric": "CMAX", "adjustment": "TUMOUR_BURDEN", "population": "PRIMARY", **more}
    found = AnalysisResults([output.results]).find(
        f"exposure_response.{analysis}", "CRSGE2", "PCR", by, statistic
    )
    assert found is not None
    return found


@pytest.mark.parametrize("name", CASES)
def test_each_cell_of_the_plan_is_run_or_refused_with_a_known_reason(name: str, run: Run) -> None:
    output = run(name)
    codes = read_resource("terms", "reason_codes.yaml")
    plan = output.results[output.results["analysis_id"] == "exposure_response.plan"]
    status = plan[plan["stat_name"] == "status"]
    refused = plan[plan["stat_name"] == "reason"]
    assert len(status) > 30 and set(status["value_text"]) <= {"RUN", "REFUSED"}
    assert (status["value_text"] == "REFUSED").sum() == len(refused)
    assert set(refused["value_text"]) <= set(codes)
    if name in EXPECTED:
        assert {find(output, "plan", "reason", model="LOGISTIC").text} == EXPECTED[name]


@pytest.mark.parametrize("name", CASES)
def test_a_number_is_finite_or_has_a_reason(name: str, run: Run) -> None:
    output = run(name)
    codes = read_resource("terms", "reason_codes.yaml")
    results = output.results
    assert not np.isinf(results["value"]).any()
    assert set(results["note_code"]) - {""} <= set(codes)
    empty = results[results["value"].isna() & (results["value_text"] == "")]
    without = empty[empty["note_code"] == ""]
    assert without.empty, without[["analysis_id", "variable", "stat_name"]].drop_duplicates()


@pytest.mark.parametrize("name", CASES)
def test_curves_are_finite(name: str, run: Run) -> None:
    numbers = run(name).curves.select_dtypes("number")
    assert not np.isinf(numbers.to_numpy(dtype=float)).any()


def test_separated_data_give_a_finite_odds_ratio_by_firth(run: Run) -> None:
    output = run("separation")
    assert find(output, "logistic", "model").text == "FIRTH"
    assert find(output, "logistic", "separation").number == 1
    low, ratio, high = (
        find(output, "logistic", f"or{end}").number for end in ("_low", "", "_high")
    )
    assert 1 < low < ratio < high < np.inf
    assert find(output, "logistic", "or").note_code == "SEPARFIX"
