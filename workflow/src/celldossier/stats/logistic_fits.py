"""Iterations behind the logistic regression: maximum likelihood and Firth's penalty.

Both take standardised predictors; whoever calls them has turned warnings into errors,
so that none is lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.likelihood import ProfileError, likelihood_ratio_p, profile_limits
from celldossier.stats.penalised_likelihood import PenalisedProfile, expit

if TYPE_CHECKING:
    from firthmodels import FirthLogisticRegression
    from statsmodels.discrete.discrete_model import Logit

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """Estimates on the scale of the fit: slopes, then the intercept."""

    params: Vector
    covariance: Vector
    limits: list[tuple[float, float]]
    p: list[float]
    loglike: float


def fit_maximum_likelihood(y: Vector, z: Vector, wanted: Sequence[int], level: float) -> Estimates:
    """Estimates by statsmodels' likelihood, limits and tests of the wanted coefficients.

    Parameters
    ----------
    y, z
        Outcome, shape (n,), and standardised predictors, shape (n, k).
    wanted
        Positions of the coefficients whose limits and p are wanted; k is the intercept.
    level
        Confidence level.

    Raises
    ------
    ProfileError
        If an iteration does not end.
    """
    from statsmodels.discrete.discrete_model import Logit

    model = Logit(y, np.column_stack([z, np.ones(y.size)]))
    start = np.zeros(z.shape[1] + 1)
    params = _maximise(model, start, fixed=None)
    maximum = float(model.loglike(params))
    covariance = np.linalg.inv(-model.hessian(params))
    limits, p_values = [], []
    for j in wanted:

        def profile(value: float, j: int = j) -> float:
            point = params.copy()
            point[j] = value
            return float(model.loglike(_maximise(model, point, fixed=j)))

        se = math.sqrt(covariance[j, j])
        limits.append(profile_limits(profile, float(params[j]), se, maximum, level))
        p_values.append(likelihood_ratio_p(maximum, profile(0.0)))
    return Estimates(params, covariance, limits, p_values, maximum)


def _maximise(model: Logit, start: Vector, fixed: int | None) -> Vector:
    """Newton's method with step halving on the concave log likelihood of statsmodels."""
    with np.errstate(over="ignore", divide="ignore"):
        return _newton(model, start, fixed)


def _newton(model: Logit, start: Vector, fixed: int | None) -> Vector:
    params = start.copy()
    free = np.array([j for j in range(params.size) if j != fixed], dtype=int)
    value = float(model.loglike(params))
    for _ in range(200):
        # Newton may overshoot to probabilities of 0; the halving below brings it back.
        score = model.score(params)[free]
        step = np.linalg.solve(-model.hessian(params)[np.ix_(free, free)], score)
        decrement = float(score @ step)
        trial = params.copy()
        trial[free] += step
        if decrement < 1e-12 * max(1.0, abs(value)):
            # The last step squares an error that is below 1e-6 standard errors already.
            return trial
        while (trial_value := float(model.loglike(trial))) < value:
            step = step / 2
            if float(np.abs(step).max()) < 1e-14:
                raise ProfileError("the likelihood does not rise along Newton's step")
            trial = params.copy()
            trial[free] += step
        params, value = trial, trial_value
    raise ProfileError("Newton's method did not end in 200 steps")


TOLERANCES = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
"""Gradients at which a Firth iteration ends: where rounding forbids the first, the next.

The last one is that of logistf.
"""


def fit_firth(y: Vector, z: Vector, wanted: Sequence[int], level: float) -> Estimates:
    """Estimates by firthmodels, limits and tests of the wanted coefficients.

    Parameters are those of `fit_maximum_likelihood`. Limits and test are held to the
    profile, and made from it where firthmodels has none; NaN where that fails too.

    Raises
    ------
    ProfileError
        If the estimates do not converge at any tolerance.
    """
    models = _firth_models(y, z)
    best = next(models, None)
    if best is None:
        raise ProfileError("the penalised likelihood was not maximised at any tolerance")
    fitted = [best]
    params = np.append(best.coef_, float(best.intercept_))
    design = np.column_stack([z, np.ones(y.size)])
    weight = expit(design @ params)
    covariance = np.asarray(
        np.linalg.inv(design.T @ (design * (weight * (1 - weight))[:, None])), dtype=float
    )
    limits, p_values = [], []
    for j in wanted:
        low = high = p = math.nan
        position = 0
        while math.isnan(p):
            if position == len(fitted):
                # The limits did not converge so tightly: the next, looser fit.
                looser = next(models, None)
                if looser is None:
                    break
                fitted.append(looser)
            model, position = fitted[position], position + 1
            with suppress(UserWarning):
                interval = model.conf_int(
                    alpha=1 - level, method="pl", features=[j], max_iter=100, tol=10 * model.gtol
                )[j]
                low, high = float(interval[0]), float(interval[1])
                p = float(model.lrt([j]).lrt_pvalues_[j])
        se = math.sqrt(covariance[j, j])
        low, high, p = _hold_to_profile(y, design, params, j, (low, high, p), se, level)
        limits.append((low, high))
        p_values.append(p)
    return Estimates(params, covariance, limits, p_values, float(best.loglik_))


def _hold_to_profile(
    y: Vector,
    design: Vector,
    params: Vector,
    position: int,
    found: tuple[float, float, float],
    se: float,
    level: float,
) -> tuple[float, float, float]:
    """Limits and p of firthmodels where they are those of the profile, else the profile's own.

    Its iteration from the estimate may end at the limit of the other side, or beside the
    profile where the likelihood has several maxima. All are NaN where the estimate is
    only one of these: no interval belongs to it.
    """
    from scipy.special import chdtri

    low, high, p = found
    target = float(chdtri(1, 1 - level))
    try:
        profile = PenalisedProfile(y, design, params, position)
        estimate, maximum = float(params[position]), profile.maximum
        null = likelihood_ratio_p(maximum, profile.loglike(0.0))

        def hold(low: float, high: float) -> bool:
            return low < estimate < high and all(
                abs(2 * (maximum - profile.loglike(limit)) - target) < 1e-4 for limit in (low, high)
            )

        if not hold(low, high):
            low, high = profile_limits(profile.loglike, estimate, se, maximum, level)
            if not hold(low, high):
                raise ProfileError("the profile jumps over its limit")
    except (Warning, ArithmeticError, np.linalg.LinAlgError):
        return math.nan, math.nan, math.nan
    return low, high, p if math.isclose(p, null, rel_tol=1e-4) else null


def _firth_models(y: Vector, z: Vector) -> Iterator[FirthLogisticRegression]:
    """Converged fits, from the tightest tolerance to the loosest, each when it is needed."""
    from firthmodels import FirthLogisticRegression

    for tolerance in TOLERANCES:
        model = FirthLogisticRegression(
            backend="numpy", max_iter=100, gtol=tolerance, xtol=tolerance
        )
        with suppress(UserWarning):  # firthmodels' ConvergenceWarning, raised as an error
            yield model.fit(z, y.astype(int))
