"""The truth study of antibodies, in small and with a fixed seed.

The rates themselves need many replicates and stand in benchmarks/README.md; here the estimates of
one replicate must come out as they did, and must be those of the stage.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.assay_pairs import derive_adpair
from celldossier.immunogenicity.impact import summarise_assay_ratio
from celldossier.results import AnalysisResults, ResultCollector

FOLDER = Path(__file__).parents[3] / "benchmarks" / "immunogenicity"
SEED, SUBJECTS = 1, 90


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    sys.path.insert(0, str(FOLDER))
    try:
        import antibody_effects

        yield antibody_effects
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("antibody_effects", "drawn_samples"):
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def counted(benchmark: ModuleType) -> tuple[pd.DataFrame, pd.DataFrame]:
    return benchmark.run_replicates(1, seed=SEED, subjects=SUBJECTS)


MEANS = {
    ("flow to PCR after onset", "stage: ratio_change"): -0.24837,
    ("flow to PCR after onset, no loss planted", "stage: ratio_change"): 0.13843,
    ("PCR level after onset", "oracle: PCR over latent level"): 0.26411,
    ("PCR level after onset", "naive: PCR itself"): -0.01151,
    ("decay after onset, 1/d", "naive: line broken at the onset seen"): -0.00177,
    (
        "slope of day 14 to 28, 1/d",
        "naive: antibodies seen at day 28 or not (Welch)",
    ): -0.02907,
    ("ADA at baseline: CMAX", "stage: baseline_exposure"): 0.31606,
    ("ADA at baseline: AUC28", "stage: baseline_exposure"): 0.36035,
}
"""Of the replicate, on the ln scale or per day."""


def test_the_estimates_of_a_fixed_seed_come_out_again(
    counted: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    table, _ = counted
    assert (table["estimated"] == 1).all()
    found = table.set_index(["effect", "estimator"])["mean"].to_dict()
    assert found == pytest.approx(MEANS, abs=1e-4)


def test_the_status_of_each_evaluable_subject_is_the_planted_one(
    counted: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    described = counted[1].set_index("quantity")["mean"]
    assert described["evaluable, % of infused"] == pytest.approx(100 * 86 / SUBJECTS)
    for name, share in (("positive at baseline", 60), ("induced", 12), ("boosted", 8)):
        # Shares are met to the subject, of 86 who are evaluable.
        assert described[f"{name}, planted, % of evaluable"] == pytest.approx(share, abs=50 / 86)
        assert described[f"{name}, found of those who have it, %"] == 100
        assert described[f"{name}, found of those who do not, %"] == 0


def test_little_is_left_of_the_planted_decay_after_the_onset_is_seen(
    counted: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    table, described = counted
    means = described.set_index("quantity")["mean"]
    left = [
        means[f"latent level with over without the planted decay, day {day}"]
        for day in (28, 60, 90)
    ]
    assert left == sorted(left) and left[0] < 0.75 and left[2] > 0.85
    line = table.loc[table["effect"] == "decay after onset, 1/d"].iloc[0]
    assert line["truth"] == pytest.approx(-0.08) and line["coverage"] == 0


def test_the_stage_itself_gives_the_estimate_of_the_ratio(benchmark: ModuleType) -> None:
    specification = benchmark.read_truth(SUBJECTS).reseeded(SEED)
    found = benchmark.read_study(benchmark.draw_study(specification), specification)
    estimate = next(benchmark.estimate_ratios(found, specification))
    adpair = derive_adpair(
        benchmark.quantify(found.samples, "RESULT"), found.adsl, benchmark.KINETICS
    )
    out = ResultCollector("immunogenicity")
    summarise_assay_ratio(found.spells, adpair, benchmark.SETTINGS.impact, out)
    results = AnalysisResults([out.frame()])
    for name, expected in (("ratio", estimate.value), ("ratio_low", estimate.low)):
        value = results.find(
            "immunogenicity.ratio_change", "RATIO", "CD19 CAR", {"pair": "PCR-FLOW"}, name
        )
        assert value is not None
        assert math.log(value.number) == pytest.approx(expected, rel=1e-9)


def test_rates_are_of_the_estimates_that_were_made(benchmark: ModuleType) -> None:
    make = benchmark.Estimate
    rows = [
        make("E", "e", -1.0, -1.1, -1.5, -0.5),  # holds the truth, claims an effect
        make("E", "e", -1.0, 0.1, -0.5, 0.5),  # neither
        make("E", "e", -1.0),  # refused
    ]
    row = benchmark.count_estimates(rows).iloc[0]
    assert (row["estimated"], row["replicates"]) == (2, 3)
    assert (row["coverage"], row["claimed"]) == (0.5, 0.5)
    assert row["mean"] == pytest.approx(np.mean([-1.1, 0.1]))
    refused = benchmark.count_estimates([*rows, make("R", "r", 0.0)]).iloc[-1]
    assert (refused["effect"], refused["estimated"], refused["replicates"]) == ("R", 0, 1)
    line = benchmark.write_estimates(benchmark.count_estimates(rows)).splitlines()[-1]
    assert "0.500 ± 0.354" in line and line.endswith("2/3 |")
