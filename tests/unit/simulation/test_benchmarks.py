"""The benchmark of the simulated truth runs, and finds what is planted where it is plain."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "simulated_truth.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    specification = importlib.util.spec_from_file_location("simulated_truth", SCRIPT)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["simulated_truth"] = module
    specification.loader.exec_module(module)
    return module


def test_a_few_replicates_cover_the_truth_as_often_as_chance_allows(benchmark: ModuleType) -> None:
    tables = benchmark.run_replicates(12, seed=4000, subjects=None)
    counted = tables["estimates"].set_index("effect")
    assert (counted["replicates"] == 12).all()
    # Fewer than 7 of 12 intervals of 95 % would be met once in 400,000 effects.
    assert (counted["coverage"] >= 7 / 12).all()
    strong = counted.loc["CRS grade 2 or above: doubling of Cmax"]
    assert strong["claimed"] == 1.0
    nulls = counted[counted["truth"] == 0]
    assert len(nulls) == 5 and (nulls["claimed"] <= 5 / 12).all()
    described = tables["described"].set_index("quantity")["mean"]
    assert described["naive Cmax ratio, tocilizumab given or not"] > 1.7


def test_the_table_is_written_in_markdown(benchmark: ModuleType) -> None:
    tables = benchmark.run_replicates(1, seed=1, subjects=60)
    text = benchmark.write_table(tables["verdicts"])
    assert text.splitlines()[0] == "| verdict | rate |"
    assert len(text.splitlines()) == 2 + len(tables["verdicts"])
