from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from celldossier.stats import power_model

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def example() -> dict[str, float]:
    rows = pd.read_csv(HERE / "answers_power_model.csv")
    return dict(zip(rows["statistic"], rows["value"].astype(float), strict=True))


def test_the_critical_region_is_that_of_smith(example: dict[str, float]) -> None:
    low, high = power_model.derive_critical_region(example["dose_ratio"])
    assert low == pytest.approx(example["region_lo"], abs=5e-4)
    assert high == pytest.approx(example["region_hi"], abs=5e-4)


def test_the_dose_normalised_ratio_and_its_interval_are_those_of_smith(
    example: dict[str, float],
) -> None:
    r = example["dose_ratio"]
    found = [
        power_model.derive_normalised_ratio(example[name], r)
        for name in ("slope", "ci_lo", "ci_hi")
    ]
    # The limits of the slope are printed to 5e-4, which moves the ratio by its ln(10)-fold.
    for value, name in zip(found, ("rdnm", "rdnm_lo", "rdnm_hi"), strict=True):
        assert value == pytest.approx(example[name], abs=5e-4 * (1 + 2.303 * value)), name


def test_the_example_of_smith_is_less_than_proportional(example: dict[str, float]) -> None:
    interval = (example["ci_lo"], example["ci_hi"])
    assert power_model.judge_proportionality(*interval, example["dose_ratio"]) == "LESS"
    # The same interval would show proportionality over a doubling, and nothing over a tripling.
    assert power_model.judge_proportionality(*interval, 2.0) == "PROPORTIONAL"
    assert power_model.judge_proportionality(*interval, 3.0) == "INCONCLUSIVE"
    assert power_model.derive_maximal_ratio(*interval) == pytest.approx(1.25 ** (1 / 0.321))
