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
from celldossier.stats.logistic import Coefficient, detect_separation, estimate_logistic

if TYPE_CHECKING:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class OrdinalFit:
    """A proportional odds model, or the reason why there is none.

    Slopes are log odds of a higher grade per unit of the predictor, common to all
    cuts. `reason`: ``FEWSUBJ``, ``TWOLEVEL`` (fewer than three grades occur: a binary
    model is the right one), ``CONSTANT``, ``SEPAR``, ``NOCONV``.
    """

    n: int
    levels: tuple[float, ...]
    reason: str = ""
    coefficients: tuple[Coefficient, ...] = ()
    """Slopes, then the thresholds, named ``low|high``."""
    loglike: float = math.nan


@dataclass(frozen=True)
class BrantTest:
    """Test of equal slopes over the cuts of an ordinal outcome."""

    chi_squared: float
    df: int
    p: float
    levels: tuple[float, ...]
    """Lowest grade of each group of grades, after sparse grades were joined."""
    reason: str = ""


def estimate_proportional_odds(
    outcome: ArrayLike, predictors: ArrayLike, names: Sequence[str], level: float = 0.95
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

    References
    ----------
    McCullagh P (1980). J R Stat Soc B 42:109-142; parameterised as in MASS ``polr``:
    logit P(Y <= j) = threshold_j - x slope.
    """
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    y = np.asarray(outcome, dtype=float)
    x = np.asarray(predictors, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    if np.isnan(y).any() or np.isnan(x).any():
        raise ValueError("an ordinal model takes complete rows")
    levels = tuple(float(v) for v in np.unique(y))
    empty = OrdinalFit(y.size, levels)
    k = x.shape[1]
    if y.size <= k + len(levels):
        return replace(empty, reason="FEWSUBJ")
    if len(levels) < 3:
        return replace(empty, reason="TWOLEVEL")
    if (np.ptp(x, axis=0) <= 1e-12 * np.maximum(1.0, np.abs(x).max(axis=0))).any():
        return replace(empty, reason="CONSTANT")
    if all(detect_separation(y >= cut, x) for cut in levels[1:]):
        # Each cut separated in the common direction: the common slope has no maximum.
        return replace(empty, reason="SEPAR")
    centre, scale = x.mean(axis=0), x.std(axis=0)
    codes = np.searchsorted(np.array(levels), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = OrderedModel(codes, (x - centre) / scale, distr="logit")
            params = _maximise(model, np.asarray(model.start_params, dtype=float), None)
            covariance = np.asarray(np.linalg.inv(_information(model, params)), dtype=float)
            slopes = [
                _slope(model, params, covariance, j, names[j], float(scale[j]), level)
                for j in range(k)
            ]
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(empty, reason="NOCONV")
    cuts = _thresholds(params[k:]) + float(params[:k] @ (centre / scale))
    # Each threshold moves with the slopes, the first threshold and its increments.
    jacobian = np.zeros((len(cuts), params.size))
    jacobian[:, :k] = centre / scale
    jacobian[:, k] = 1.0
    for position, increment in enumerate(np.exp(params[k + 1 :]), start=1):
        jacobian[position:, k + position] = increment
    se = np.sqrt(np.diag(jacobian @ covariance @ jacobian.T))
    thresholds = [
        Coefficient(f"{levels[i]:g}|{levels[i + 1]:g}", float(cut), float(se[i]))
        for i, cut in enumerate(cuts)
    ]
    return OrdinalFit(
        y.size, levels, coefficients=(*slopes, *thresholds), loglike=float(model.loglike(params))
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


def test_proportional_odds(
    outcome: ArrayLike, predictors: ArrayLike, min_per_side: int = 5
) -> BrantTest:
    """Brant's Wald test that the slopes are the same at all cuts.

    Sparse grades are joined with the next lower one until each cut has at least
    `min_per_side` subjects on either side: a cut with two events has no slope
    worth comparing.

    Parameters
    ----------
    outcome
        Ordered grade as a number, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    min_per_side
        Least number of subjects on either side of a cut.

    Returns
    -------
    BrantTest
        p is NaN with ``TWOLEVEL`` where fewer than two cuts are left, with
        ``SEPAR`` or ``NOCONV`` where a cut has no maximum likelihood fit.

    References
    ----------
    Brant R (1990). Biometrics 46:1171-1178.
    """
    from scipy.special import chdtrc

    y = np.asarray(outcome, dtype=float)
    x = np.asarray(predictors, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    cuts: list[float] = []
    for cut in np.unique(y)[1:]:
        above = int((y >= cut).sum())
        below = y.size - above
        between = above if not cuts else int(((y >= cuts[-1]) & (y < cut)).sum())
        # A cut that no subject divides from the one before says the same again.
        if above >= min_per_side and below >= min_per_side and between > 0:
            cuts.append(float(cut))
    levels = (float(y.min()), *cuts) if y.size else ()
    k = x.shape[1]
    df = (len(cuts) - 1) * k
    if len(cuts) < 2:
        return BrantTest(math.nan, 0, math.nan, levels, "TWOLEVEL")
    names = [f"x{j}" for j in range(k)]
    z = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    design = np.column_stack([np.ones(y.size), z])
    slopes, probabilities = [], []
    for cut in cuts:
        fit = estimate_logistic(
            (y >= cut).astype(float), z, names, "ML", keep_firth_when_separated=False, tested=[]
        )
        if fit.reason or fit.fitted is None:
            return BrantTest(math.nan, df, math.nan, levels, fit.reason)
        slopes.append(np.array([item.estimate for item in fit.coefficients[:-1]]))
        probabilities.append(fit.fitted)
    covariance = _joint_covariance(design, probabilities)
    contrast = np.kron(
        np.column_stack([np.ones((len(cuts) - 1, 1)), -np.eye(len(cuts) - 1)]), np.eye(k)
    )
    difference = contrast @ np.concatenate(slopes)
    try:
        statistic = float(
            difference @ np.linalg.solve(contrast @ covariance @ contrast.T, difference)
        )
    except np.linalg.LinAlgError:
        return BrantTest(math.nan, df, math.nan, levels, "NOCONV")
    return BrantTest(statistic, df, float(chdtrc(df, statistic)), levels)


def _joint_covariance(design: Vector, probabilities: Sequence[Vector]) -> Vector:
    """Covariance of the slopes of all cuts together (Brant 1990, section 2)."""
    k = design.shape[1] - 1
    inverse = [np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None])) for p in probabilities]
    joint = np.zeros((len(probabilities) * k, len(probabilities) * k))
    for a, p_low in enumerate(probabilities):
        for b, p_high in enumerate(probabilities):
            if b < a:
                continue
            # P(Y >= upper cut) is contained in P(Y >= lower cut).
            weight = p_high * (1 - p_low)
            block = (inverse[a] @ (design.T @ (design * weight[:, None])) @ inverse[b])[1:, 1:]
            joint[a * k : (a + 1) * k, b * k : (b + 1) * k] = block
            joint[b * k : (b + 1) * k, a * k : (a + 1) * k] = block.T
    return joint
