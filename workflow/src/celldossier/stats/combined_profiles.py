"""CLIP: intervals under Firth's penalty over multiply imputed predictors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.likelihood import ProfileError
from celldossier.stats.logistic import LogisticFit
from celldossier.stats.multiple_imputation import (
    PooledCoefficient,
    PooledFit,
    fit_each_imputation,
    summarise_fits,
)
from celldossier.stats.penalised_likelihood import PenalisedProfile
from celldossier.stats.predictors import as_columns, standardise

Vector = NDArray[np.float64]


def estimate_clip(
    outcome: ArrayLike,
    imputed: Sequence[ArrayLike],
    names: Sequence[str],
    level: float = 0.95,
    tested: Sequence[str] | None = None,
) -> PooledFit:
    """Firth's logistic regression with intervals by combined likelihood profiles (CLIP).

    The penalised profile of each imputation is read as a distribution function, the
    standard normal one at the signed root of the deviance; the functions are averaged,
    and a limit is where the average is (1 - level) / 2 or the rest. p is twice the
    smaller tail of the average beyond 0, the estimate the mean of the estimates.

    There is no outside reference: no answer of logistf's ``CLIP.confint`` lies with the
    project. The tests hold it against the limits of a single data set, which identical
    imputations must give, and against averages of profiles made by a second method.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,), the same in all imputations.
    imputed
        Predictors of each imputation, shape (n, k).
    names
        Names of the k predictors.
    level
        Confidence level.
    tested
        Predictors whose interval and test are wanted; None: all of them.

    Returns
    -------
    PooledFit
        Slopes only; a slope without standard error, which CLIP does not use.

    References
    ----------
    Heinze G, Ploner M, Beyea J (2013), Stat Med 32:5062-5076.
    """
    fits = fit_each_imputation(outcome, imputed, names, "FIRTH")
    pooled = summarise_fits(fits, "FIRTH")
    if pooled.reason:
        return pooled
    y = np.asarray(outcome, dtype=float)
    coefficients = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for j, name in enumerate(names):
            terms = [fit.coefficients[j] for fit in fits]
            estimates = [term.estimate for term in terms]
            estimate = float(np.mean(estimates))
            if tested is not None and name not in tested:
                coefficients.append(PooledCoefficient(name, estimate))
                continue
            try:
                profiles = [
                    _profile(y, as_columns(x), fit, j) for x, fit in zip(imputed, fits, strict=True)
                ]
                se = float(np.mean([term.se for term in terms]))
                low, high, p = _combine(profiles, estimates, se, level)
            except (Warning, ArithmeticError, np.linalg.LinAlgError):
                coefficients.append(PooledCoefficient(name, estimate, reason="NOCONV"))
                continue
            coefficients.append(PooledCoefficient(name, estimate, low=low, high=high, p=p))
    return replace(pooled, coefficients=tuple(coefficients))


@dataclass(frozen=True)
class _Profile:
    """Penalised profile of one slope in one imputation, as a distribution function."""

    likelihood: PenalisedProfile
    scale: float

    def deviate(self, value: float) -> float:
        """Signed root of the deviance at a value of the slope."""
        held = value * self.scale
        deviance = 2 * (self.likelihood.maximum - self.likelihood.loglike(held))
        best = float(self.likelihood.estimate[self.likelihood.position])
        return math.copysign(math.sqrt(max(0.0, deviance)), held - best)


def _profile(y: Vector, x: Vector, fit: LogisticFit, position: int) -> _Profile:
    z, centre, scale = standardise(x)
    design = np.column_stack([z, np.ones(y.size)])
    slopes = np.array([item.estimate for item in fit.coefficients[:-1]])
    intercept = fit.coefficients[-1].estimate + float(slopes @ centre)
    estimate = np.append(slopes * scale, intercept)
    return _Profile(PenalisedProfile(y, design, estimate, position), float(scale[position]))


def _combine(
    profiles: Sequence[_Profile], estimates: Sequence[float], se: float, level: float
) -> tuple[float, float, float]:
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def tail(value: float, side: int, thorough: bool) -> float:
        for profile in profiles:
            profile.likelihood.thorough = thorough
        # Each tail is summed by itself: 1 - F has lost the digits of a small one.
        return float(np.mean([ndtr(-side * profile.deviate(value)) for profile in profiles]))

    limits, share = [], (1 - level) / 2
    # At the farthest estimate of the other side the tail holds one half or more.
    for side, start in ((-1, max(estimates)), (1, min(estimates))):
        # Thorough searches are dear: they check the limit, and look for it where it fails.
        for thorough in (False, True):

            def excess(value: float, side: int = side, thorough: bool = thorough) -> float:
                return tail(value, side, thorough) - share

            inner, outer = _bracket(excess, start, side * se)
            limit = float(brentq(excess, inner, outer, xtol=1e-11 * se, rtol=1e-12))
            if abs(tail(limit, side, True) - share) < 1e-7:
                break
        else:
            raise ProfileError("the combined profile jumps over its limit")
        limits.append(limit)
    p = min(1.0, 2 * min(tail(0.0, -1, True), tail(0.0, 1, True)))
    return limits[0], limits[1], p


def _bracket(excess: Callable[[float], float], start: float, step: float) -> tuple[float, float]:
    """Two neighbouring steps between which the tail falls below its share."""
    inner = start
    for count in range(1, 101):
        outer = start + count * step
        if excess(outer) < 0:
            return inner, outer
        inner = outer
    raise ProfileError(f"no limit within 100 standard errors of {start:g}")
