"""Statistics that every stage reports in one way."""

from __future__ import annotations

import math

import pytest

from celldossier.results import SHARE_UNITS, describe_share


def test_a_share_has_its_exact_interval_in_percent_and_none_without_a_denominator() -> None:
    # Closed form of Clopper and Pearson for no event: the upper limit is 1 - (alpha / 2)^(1 / n).
    none = describe_share(0, 10, 0.95)
    assert (none["n"], none["denominator"], none["pct"], none["ci_low"]) == (0, 10, 0, 0)
    assert none["ci_high"] == pytest.approx(100 * (1 - 0.025**0.1))
    assert describe_share(3, 4)["pct"] == 75
    assert math.isnan(describe_share(0, 0)["pct"])
    assert set(SHARE_UNITS) == set(none) - {"n", "denominator"}
