"""The truth study of the exposure-response estimators, in small and with fixed seeds.

The rates themselves need 1,000 replicates and stand in benchmarks/README.md; here the counts of 20
replicates must come out as they did.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import empty_dataset
from celldossier.exposure_response.binary import MODEL, plan_cells
from celldossier.exposure_response.binary_fits import EXPOSURE, run_cell
from celldossier.exposure_response.endpoint_values import derive_endpoints
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.study import Sources, Study
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.simulation.draw import DrawnStudy, draw_study

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "exposure_response" / "truth_study.py"
SEEDS = 20

COUNTS = {
    ("CRS grade 2 or above: doubling of Cmax", "logistic, by the rule"): (19, 20),
    ("CRS grade 2 or above: SD of burden", "logistic, by the rule"): (20, 5),
    ("CRS grade 2 or above: doubling of Cmax", "logistic, Firth"): (19, 20),
    ("CRS grade 2 or above: SD of burden", "logistic, Firth"): (20, 5),
    ("CRS grade: doubling of Cmax", "proportional odds"): (18, 20),
    ("ICANS grade 2 or above, ALL: doubling of Cmax", "logistic, by the rule"): (19, 11),
    ("ICANS grade 2 or above, ALL: doubling of Cmax", "logistic, Firth"): (20, 11),
    ("ICANS grade 2 or above, NHL: doubling of Cmax", "logistic, by the rule"): (20, 0),
    ("ICANS grade 2 or above, NHL: doubling of Cmax", "logistic, Firth"): (20, 0),
    ("objective response: doubling of AUC28", "logistic, by the rule"): (18, 13),
    ("objective response: SD of burden", "logistic, by the rule"): (18, 13),
    ("objective response: doubling of AUC28", "logistic, Firth"): (18, 12),
    ("objective response: SD of burden", "logistic, Firth"): (18, 13),
    ("progression-free survival, latent: doubling of AUC28", "Cox"): (18, 11),
    ("progression-free survival, latent: doubling of AUC28", "Cox, Firth"): (18, 11),
    ("progression-free survival, as observed: doubling of AUC28", "Cox"): (18, 11),
    ("progression-free survival, as observed: doubling of AUC28", "Cox, Firth"): (18, 11),
    ("Cmax: ln dose", "power model"): (20, 2),
    ("Cmax: SD of burden", "regression of ln Cmax"): (20, 15),
    ("Cmax: decade of age", "regression of ln Cmax"): (19, 1),
    ("Cmax: 10 kg of weight", "regression of ln Cmax"): (19, 1),
    ("Cmax: process B to A", "ratio of geometric means"): (19, 1),
    ("Cmax: women to men", "ratio of geometric means"): (19, 1),
    ("Cmax, naive: tocilizumab given to not given", "ratio of geometric means"): (0, 20),
    ("Cmax, naive: tocilizumab given to not given, expanders", "ratio of geometric means"): (0, 20),
}
"""Replicates of 20 whose interval holds the truth, and whose interval excludes no effect."""


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    specification = importlib.util.spec_from_file_location("truth_study", SCRIPT)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["truth_study"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def counts(benchmark: ModuleType) -> pd.DataFrame:
    return benchmark.run_replicates(SEEDS, seed=1)


def test_the_counts_of_fixed_seeds_come_out_again(counts: pd.DataFrame) -> None:
    assert (counts["estimated"] == SEEDS).all() and (counts["replicates"] == SEEDS).all()
    found = {
        (row["effect"], row["estimator"]): (
            round(row["coverage"] * SEEDS),
            round(row["claimed"] * SEEDS),
        )
        for row in counts.to_dict("records")
    }
    assert found == COUNTS


def test_the_naive_ratio_is_far_from_one_though_there_is_no_effect(counts: pd.DataFrame) -> None:
    naive = counts[counts["effect"].str.startswith("Cmax, naive")]
    assert (naive["truth"] == 0).all() and len(naive) == 2
    assert np.exp(naive["mean"]).between(2.2, 3.2).all()


def test_the_table_shows_each_rate_with_its_monte_carlo_error(
    benchmark: ModuleType, counts: pd.DataFrame
) -> None:
    lines = benchmark.write_markdown(counts).splitlines()
    assert len(lines) == 2 + len(COUNTS)
    # 19 of 20: sqrt(0.95 0.05 / 20).
    assert "0.950 ± 0.049" in lines[2]


def make_stage(drawn: DrawnStudy, settings: ExposureResponseSettings) -> Study:
    """The drawn subjects as the stage has them, without files in between."""
    infused = drawn.infused
    alive = ~np.isnan(drawn.course.event_day)
    known = alive & drawn.course.assessable
    ader = pd.DataFrame(
        {
            "STUDYID": "CTX-101",
            "USUBJID": infused["USUBJID"].to_numpy(),
            "ERFL": "Y",
            "CMAX": drawn.exposure.cmax,
            "AUC28": np.where(alive, drawn.exposure.auc28, np.nan),
            "LTBURDZ": infused["BURDENZ"].to_numpy(dtype=float),
            "CRSGR": drawn.crs.grade.astype(float),
            "CRSRSN": "",
            "CRSONDY": drawn.crs.onset,
            "OBJRESP": np.where(known, drawn.course.responder, np.nan),
            "RESPGRP": np.where(known, "", "UNKNOWN"),
        }
    )
    sources = Sources(**{name: empty_dataset(name.upper()) for name in Sources.__annotations__})
    endpoints = read_endpoints(settings)
    aderend = derive_endpoints(sources, ader, endpoints)
    return Study(sources, settings, endpoints, ader, aderend, {})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_stage_gives_the_estimates_of_the_study(benchmark: ModuleType, seed: int) -> None:
    settings = ExposureResponseSettings.model_validate(
        {
            "endpoints": ["CRSGE2", "OBJRESP"],
            "metrics": ["CMAX", "AUC28"],
            "primary": [
                {"endpoint": "CRSGE2", "metric": "CMAX"},
                {"endpoint": "OBJRESP", "metric": "AUC28"},
            ],
            "unknown_response": ["EXCLUDED"],
        }
    )
    specification = benchmark.read_specification(benchmark.SPECIFICATION).reseeded(seed)
    drawn = draw_study(specification)
    study = make_stage(drawn, settings)
    metrics = benchmark.read_metrics(drawn)
    estimates = {
        item.effect: item
        for item in benchmark.estimate_odds(drawn, specification, metrics)
        if item.estimator == benchmark.RULE
    }
    cells = [cell for cell in plan_cells(study) if cell.role == "PRIMARY"]
    assert [(cell.endpoint.code, cell.model) for cell in cells] == [
        ("CRSGE2", MODEL),
        ("OBJRESP", MODEL),
    ]
    names = ("CRS grade 2 or above: doubling of Cmax", "objective response: doubling of AUC28")
    for cell, name in zip(cells, names, strict=True):
        result = run_cell(study, cell)
        assert result.fit is not None
        term = result.fit.coefficient(EXPOSURE)
        expected = [estimates[name].value, estimates[name].low, estimates[name].high]
        assert [term.estimate, term.low, term.high] == pytest.approx(expected, rel=1e-9)
