"""What varies by rounding only is constant, in whatever unit; what varies a little more is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from celldossier.stats.count_models import estimate_count_model
from celldossier.stats.cox import estimate_cox
from celldossier.stats.emax import estimate_emax
from celldossier.stats.linear_model import estimate_linear
from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.ordinal import estimate_proportional_odds
from celldossier.stats.power_model import estimate_power_model
from celldossier.stats.ratio import estimate_slope_ratio
from celldossier.stats.trend import test_cochran_armitage as cochran_armitage

N = 24
RNG = np.random.default_rng(20261127)
TIME, EVENT = RNG.exponential(30, N), np.arange(N) % 3 > 0
COUNT, GRADE = RNG.poisson(3, N), np.arange(N) % 3
BINARY, VALUE = (np.arange(N) % 2).astype(float), RNG.lognormal(1, 0.5, N)
OTHER = RNG.normal(0, 1, N)
# The same amount from two sums: 0.3 and 0.1 + 0.2 differ by rounding only.
ROUNDED = np.where(RNG.permutation(N) % 2 == 0, 0.3, 0.1 + 0.2)

FITS: dict[str, Callable[[np.ndarray], str]] = {
    "counts": lambda x: estimate_count_model(COUNT, TIME, x, ["x"], "POISSON").reason,
    "Cox": lambda x: estimate_cox(TIME, EVENT, x[:, None], ["x"]).reason,
    "Emax, covariate": lambda x: estimate_emax(VALUE, TIME, "CONTINUOUS", x).reason,
    "linear": lambda x: estimate_linear(VALUE, [x[:, None]], ["x"]).reason,
    "logistic": lambda x: estimate_logistic(BINARY, x[:, None], ["x"], "ML").reason,
    "proportional odds": lambda x: estimate_proportional_odds(GRADE, x[:, None], ["x"]).reason,
    "ratio of a step": lambda x: estimate_slope_ratio(VALUE, x, float(np.ptp(x))).reason,
    "trend": lambda x: cochran_armitage(np.ones(N), np.full(N, 2), x).reason,
    "linear, outcome": lambda x: estimate_linear(x, [OTHER[:, None]], ["x"]).reason,
    "Emax, outcome": lambda x: estimate_emax(x, TIME, "CONTINUOUS").reason,
}


@pytest.mark.parametrize("unit", [1.0, 1e9])
@pytest.mark.parametrize("name", FITS)
def test_what_varies_by_rounding_only_is_constant(name: str, unit: float) -> None:
    assert FITS[name](ROUNDED * unit) == "CONSTANT"


@pytest.mark.parametrize("name", FITS)
def test_a_millionth_of_the_value_is_more_than_rounding(name: str) -> None:
    assert FITS[name](1e6 + OTHER) != "CONSTANT"
    assert FITS[name](1 + 1e-6 * OTHER) != "CONSTANT"


@pytest.mark.parametrize("unit", [1.0, 1e9])
def test_doses_that_differ_by_rounding_are_one_dose(unit: float) -> None:
    assert estimate_power_model(VALUE, ROUNDED * unit).reason == "ONELEVEL"
    assert estimate_power_model(VALUE, (1 + 1e-6 * OTHER) * unit).reason == "NARROW"
