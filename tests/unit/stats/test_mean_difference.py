"""Welch's difference of means against the answer of R, and where there is none."""

from __future__ import annotations

import math

import pytest

from celldossier.stats.mean_difference import estimate_difference

FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
"""Extra sleep, h, of the two drugs of Student (1908): dataset `sleep` of R."""


def test_the_difference_is_that_of_t_test_of_r() -> None:
    # R 4.3, t.test(extra ~ group, sleep): t = -1.8608, df = 17.776, p = 0.07939.
    found = estimate_difference(FIRST, SECOND)
    assert found.estimate == pytest.approx(-1.58)
    assert found.df == pytest.approx(17.776, abs=5e-4)
    assert found.p == pytest.approx(0.07939, abs=5e-6)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    assert (found.n_test, found.n_reference, found.reason) == (10, 10, "")


def test_missing_values_are_not_counted() -> None:
    found = estimate_difference([*FIRST, math.nan], [math.nan, *SECOND])
    assert found == estimate_difference(FIRST, SECOND)


@pytest.mark.parametrize(
    ("test", "reference", "estimate", "reason"),
    [
        ([], [1.0], math.nan, "FEWSUBJ"),
        ([3.0], [1.0, 2.0], 1.5, "FEWSUBJ"),
        ([0.1 + 0.2] * 3, [0.3] * 3, 0.0, "CONSTANT"),
    ],
)
def test_too_little_has_a_reason_and_no_interval(
    test: list[float], reference: list[float], estimate: float, reason: str
) -> None:
    found = estimate_difference(test, reference)
    assert found.estimate == pytest.approx(estimate, abs=1e-12, nan_ok=True)
    assert math.isnan(found.low) and math.isnan(found.se)
    assert found.reason == reason
