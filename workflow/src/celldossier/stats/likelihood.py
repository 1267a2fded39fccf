"""Profile likelihood limits of one parameter, by root-finding on the deviance."""

from __future__ import annotations

import math
from collections.abc import Callable


class ProfileError(ArithmeticError):
    """The profile could not be followed to the limit."""


def profile_limits(
    profile: Callable[[float], float],
    estimate: float,
    se: float,
    maximum: float,
    level: float = 0.95,
) -> tuple[float, float]:
    """Values at which the profile log likelihood falls by half the chi-squared quantile.

    Parameters
    ----------
    profile
        Log likelihood, maximised over all other parameters, at a value of this one.
    estimate, se
        Maximum likelihood estimate and its Wald standard error (the first step).
    maximum
        Log likelihood at the estimate.
    level
        Confidence level.

    Raises
    ------
    ProfileError
        If no limit is found within 50 standard errors of the estimate.

    References
    ----------
    Venzon DJ, Moolgavkar SH (1988). Appl Stat 37:87-94 (definition; the root is
    bracketed by steps of one standard error and found by Brent's method).
    """
    from scipy.optimize import brentq
    from scipy.special import chdtri

    target = maximum - float(chdtri(1, 1 - level)) / 2

    def excess(value: float) -> float:
        return profile(value) - target

    limits = []
    for direction in (-1, 1):
        inner, outer = estimate, estimate
        for step in range(1, 51):
            outer = estimate + direction * step * se
            if excess(outer) < 0:
                break
            inner = outer
        else:
            raise ProfileError(f"no limit within 50 standard errors of {estimate:g}")
        limits.append(
            float(brentq(excess, inner, outer, xtol=1e-10 * max(1.0, abs(se)), rtol=1e-12))
        )
    return limits[0], limits[1]


def likelihood_ratio_p(maximum: float, restricted: float, df: int = 1) -> float:
    """P value of the likelihood ratio test of a restricted against a full model."""
    from scipy.special import chdtrc

    return float(chdtrc(df, max(0.0, 2 * (maximum - restricted)))) if df > 0 else math.nan
