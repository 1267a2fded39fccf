"""Ordinal regression: the proportional odds model, and the test of its assumption."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.likelihood import ProfileError, likelihood_ratio_p, profile_limits
from celldossier.stats.logistic import (
    Coefficient,
    detect_collinearity,
    detect_separation,
)
from celldossier.stats.predictors import as_columns, is_constant, standardise

if TYPE_CHECKING:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class OrdinalFit:
    """A proportional odds model, or the reason why there is none.

    Slopes are log odds of a higher grade per unit of the predictor, common to all
    cuts. `reason`: ``FEWSUBJ``, ``TWOLEVEL`` (fewer than three grades occur: a binary
    model is the right one), ``CONSTANT``, ``COLLIN``, ``SEPAR``, ``NOCONV``.
    """

    n: int
    levels: tuple[float, ...]
    reason: str = ""
    coefficients: tuple[Coefficient, ...] = ()
    """Slopes, then the thresholds, named ``low|high``."""
    loglike: float = math.nan
    covariance: Vector | None = None
    """Covariance of the coefficients, in their order."""


def predict_cumulative(fit: OrdinalFit, predictors: ArrayLike) -> Vector:
    """Probability of each grade or a higher one, for each grade but the lowest.

    Parameters
    ----------
    fit
        A fitted model.
    predictors
        Predictors, shape (m, k).

    Returns
    -------
    numpy.ndarray
        Shape (m, number of grades - 1).
    """
    from scipy.special import expit

    x = as_columns(predictors)
    estimates = np.array([item.estimate for item in fit.coefficients])
    slopes, thresholds = estimates[: x.shape[1]], estimates[x.shape[1] :]
    return np.asarray(expit((x @ slopes)[:, None] - thresholds), dtype=float)


def estimate_proportional_odds(
    outcome: ArrayLike,
    predictors: ArrayLike,
    names: Sequence[str],
    level: float = 0.95,
    tested: Sequence[str] | None = None,
) -> OrdinalFit:
    """Proportional odds (cumulative logit) model with profile likelihood intervals.

    Parameters
    ----------
    outcome
        Ordered grade as a number, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    names
        Names of the k predictors.
    level
        Confidence level.
    tested
        Predictors whose interval and test are wanted; None: all of them.

    References
    ----------
    McCullagh P (1980). J R Stat Soc B 42:109-142; parameterised as in MASS ``polr``:
    logit P(Y <= j) = threshold_j - x slope.
    """
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    y = np.asarray(outcome, dtype=float)
    x = as_columns(predictors)
    if np.isnan(y).any() or np.isnan(x).any():
        raise ValueError("an ordinal model takes complete rows")
    levels = tuple(float(v) for v in np.unique(y))
    empty = OrdinalFit(y.size, levels)
    k = x.shape[1]
    if y.size <= k + len(levels):
        return replace(empty, reason="FEWSUBJ")
    if len(levels) < 3:
        return replace(empty, reason="TWOLEVEL")
    if is_constant(x):
        return replace(empty, reason="CONSTANT")
    if detect_collinearity(x):
        return replace(empty, reason="COLLIN")
    if all(detect_separation(y >= cut, x) for cut in levels[1:]):
        # Each cut separated in the common direction: the common slope has no maximum.
        return replace(empty, reason="SEPAR")
    z, centre, scale = standardise(x)
    codes = np.searchsorted(np.array(levels), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = OrderedModel(codes, z, distr="logit")
            params = _maximise(model, np.asarray(model.start_params, dtype=float), None)
            covariance = np.asarray(np.linalg.inv(_information(model, params)), dtype=float)
            slopes = [
                _slope(model, params, covariance, j, name, float(scale[j]), level)
                if tested is None or name in tested
                else Coefficient(
                    name, float(params[j] / scale[j]), math.sqrt(covariance[j, j]) / float(scale[j])
                )
                for j, name in enumerate(names)
            ]
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(empty, reason="NOCONV")
    cuts = _thresholds(params[k:]) + float(params[:k] @ (centre / scale))
    # Each threshold moves with the slopes, the first threshold and its increments.
    jacobian = np.zeros((params.size, params.size))
    jacobian[:k, :k] = np.diag(1 / scale)
    jacobian[k:, :k] = centre / scale
    jacobian[k:, k] = 1.0
    for position, increment in enumerate(np.exp(params[k + 1 :]), start=1):
        jacobian[k + position :, k + position] = increment
    back = jacobian @ covariance @ jacobian.T
    se = np.sqrt(np.diag(back))[k:]
    thresholds = [
        Coefficient(f"{levels[i]:g}|{levels[i + 1]:g}", float(cut), float(se[i]))
        for i, cut in enumerate(cuts)
    ]
    return OrdinalFit(
        y.size,
        levels,
        coefficients=(*slopes, *thresholds),
        loglike=float(model.loglike(params)),
        covariance=np.asarray(back, dtype=float),
    )


def _slope(
    model: OrderedModel,
    params: Vector,
    covariance: Vector,
    j: int,
    name: str,
    scale: float,
    level: float,
) -> Coefficient:
    nearest = params

    def profile(value: float) -> float:
        nonlocal nearest
        start = nearest.copy()
        start[j] = value
        # The maximum at the last value is a better start than that of the whole model.
        nearest = _maximise(model, start, j)
        return float(model.loglike(nearest))

    maximum, se = float(model.loglike(params)), math.sqrt(covariance[j, j])
    low, high = profile_limits(profile, float(params[j]), se, maximum, level)
    p = likelihood_ratio_p(maximum, profile(0.0))
    return Coefficient(name, float(params[j] / scale), se / scale, low / scale, high / scale, p)


def _score(model: OrderedModel, params: Vector) -> Vector:
    """Gradient of the log likelihood; that of statsmodels is numerical and not exact enough."""
    from scipy.special import expit

    x, y = np.asarray(model.exog, dtype=float), np.asarray(model.endog, dtype=int)
    k = x.shape[1]
    thresholds = np.concatenate([[-np.inf], _thresholds(params[k:]), [np.inf]])
    linear = x @ params[:k]
    upper, lower = expit(thresholds[y + 1] - linear), expit(thresholds[y] - linear)
    density_upper, density_lower = upper * (1 - upper), lower * (1 - lower)
    inverse = 1 / (upper - lower + 1e-20)
    by_threshold = np.array(
        [
            (inverse * (density_upper * (y == j) - density_lower * (y == j + 1))).sum()
            for j in range(thresholds.size - 2)
        ]
    )
    # Threshold j is the first one plus exp of the increments up to j.
    by_parameter = np.cumsum(by_threshold[::-1])[::-1].copy()
    by_parameter[1:] *= np.exp(params[k + 1 :])
    by_slope = -(x * (inverse * (density_upper - density_lower))[:, None]).sum(axis=0)
    return np.concatenate([by_slope, by_parameter])


def _thresholds(parameters: Vector) -> Vector:
    """Thresholds from the parameters of OrderedModel: the first, then log increments."""
    return np.cumsum(np.append(parameters[0], np.exp(parameters[1:])))


def _information(model: OrderedModel, params: Vector) -> Vector:
    """Observed information, by central differences of the exact score."""
    columns = []
    for j in range(params.size):
        step = np.zeros(params.size)
        step[j] = 1e-5 * max(1.0, abs(params[j]))
        columns.append(
            (_score(model, params - step) - _score(model, params + step)) / (2 * step[j])
        )
    information = np.array(columns)
    return np.asarray((information + information.T) / 2, dtype=float)


def _maximise(model: OrderedModel, start: Vector, fixed: int | None) -> Vector:
    """Maximum of the log likelihood of an OrderedModel over all but one parameter."""
    from scipy.optimize import minimize

    free = np.array([j for j in range(start.size) if j != fixed], dtype=int)

    def fill(values: Vector) -> Vector:
        point = start.copy()
        point[free] = values
        return point

    found = minimize(
        lambda values: -float(model.loglike(fill(values))),
        start[free],
        jac=lambda values: -_score(model, fill(values))[free],
        method="BFGS",
        options={"gtol": 1e-8},
    )
    # The line search gives up at the last digits of the likelihood; that is near enough.
    if not found.success and float(np.abs(found.jac).max()) > 1e-4:
        raise ProfileError("the ordinal likelihood was not maximised")
    return fill(np.asarray(found.x, dtype=float))
