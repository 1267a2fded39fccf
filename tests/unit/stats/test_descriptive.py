"""The statistic block against values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from celldossier.stats.descriptive import BLOCK, describe, geometric_sd, mean_interval


def test_the_block_of_a_small_sample_is_that_worked_by_hand():
    found = describe([1.0, math.nan, 4.0, 2.0, 0.0])
    assert tuple(found) == BLOCK
    # Logarithms of the positive values: 0, ln 2, 2 ln 2, with variance ln(2)^2.
    assert found == pytest.approx(
        {
            "n": 4,
            "geomean": 2,
            "gcv": 100 * math.sqrt(math.exp(math.log(2) ** 2) - 1),
            "mean": 7 / 4,
            "sd": math.sqrt(35 / 12),
            "median": 1.5,
            "q1": 0.75,
            "q3": 2.5,
            "min": 0,
            "max": 4,
        }
    )
    assert geometric_sd([1.0, math.nan, 4.0, 2.0, 0.0]) == pytest.approx(2)


PLACES = ("mean", "median", "q1", "q3", "min", "max")


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([], {"n": 0}),
        ([math.nan], {"n": 0}),
        (
            [3.0],
            dict.fromkeys(("geomean", *PLACES), 3) | {"n": 1},
        ),
        ([-1.0], dict.fromkeys(PLACES, -1) | {"n": 1}),
    ],
)
def test_what_a_sample_is_too_small_for_is_missing(values, known):
    expected = {name: known.get(name, math.nan) for name in BLOCK}
    assert describe(values) == pytest.approx(expected, nan_ok=True)
    assert math.isnan(geometric_sd(values))


def test_two_values_have_a_spread():
    found = describe([1.0, math.e])
    assert found["gcv"] == pytest.approx(100 * math.sqrt(math.exp(0.5) - 1))
    assert found["sd"] == pytest.approx((math.e - 1) / math.sqrt(2))
    assert geometric_sd([1.0, math.e]) == pytest.approx(math.exp(math.sqrt(0.5)))


def test_the_interval_of_a_mean_is_that_of_student():
    from scipy.stats import t

    values = np.array([2.0, 4.0, 9.0])
    half = t.ppf(0.975, 2) * math.sqrt(13 / 3)
    assert mean_interval([*values, math.nan]) == pytest.approx((5 - half, 5 + half))
    assert mean_interval(values, 0.5) == pytest.approx(
        (5 - t.ppf(0.75, 2) * math.sqrt(13 / 3), 5 + t.ppf(0.75, 2) * math.sqrt(13 / 3))
    )
    assert mean_interval([2.0, 4.0]) == pytest.approx((3 - t.ppf(0.975, 1), 3 + t.ppf(0.975, 1)))
    assert np.isnan(mean_interval([2.0])).all()
