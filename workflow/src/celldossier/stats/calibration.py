"""Agreement of predicted probabilities with outcomes: recalibration, groups, goodness of fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.penalised_likelihood import expit
from celldossier.stats.predictors import as_columns, standardise
from celldossier.stats.proportion import clopper_pearson

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Logistic recalibration of predicted probabilities; NaN with a reason where there is none."""

    intercept: float
    """Log odds by which the predictions are too low on the whole, slope held at 1."""
    slope: float
    slope_low: float
    slope_high: float
    brier: float
    brier_scaled: float
    """1 - Brier score / that of the observed rate for everyone."""
    reason: str = ""


@dataclass(frozen=True)
class GoodnessOfFit:
    """Test of the unweighted sum of squares; p is NaN with a reason where it cannot be made."""

    sum_of_squares: float
    expected: float
    z: float
    p: float
    reason: str = ""


@dataclass(frozen=True)
class CalibrationGroup:
    """Subjects of similar predicted probability."""

    n: int
    events: int
    predicted: float
    """Mean predicted probability."""
    predicted_low: float
    predicted_high: float
    """Least and greatest predicted probability of the group."""
    observed: float
    low: float
    high: float
    """Clopper-Pearson limits of the observed rate."""


def estimate_calibration(
    outcome: ArrayLike, probability: ArrayLike, level: float = 0.95
) -> Calibration:
    """Calibration in the large, calibration slope, Brier score.

    On the subjects of the fit, intercept and slope of a maximum likelihood model are 0 and
    1 whatever the data: only those of other subjects, or corrected for optimism, tell
    something.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    probability
        Predicted probability, shape (n,).
    level
        Confidence level of the profile likelihood interval of the slope.

    References
    ----------
    Cox DR (1958), Biometrika 45:562-565; Steyerberg EW (2019), Clinical Prediction
    Models, 2nd ed., chapter 15 (calibration in the large, scaled Brier score).
    """
    y, p = np.asarray(outcome, dtype=float), np.asarray(probability, dtype=float)
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    linear = np.log(inside) - np.log1p(-inside)
    brier = float(((y - p) ** 2).mean())
    rate = float(y.mean())
    nan = math.nan
    if rate in (0.0, 1.0):
        return Calibration(nan, nan, nan, nan, brier, nan, "NOEVENT" if rate == 0 else "ALLEVENT")
    scaled = 1 - brier / (rate * (1 - rate))
    fit = estimate_logistic(
        y, linear, ["linear"], "ML", level=level, keep_firth_when_separated=False
    )
    intercept = float(shift_to_rate(y[None], linear[None])[0])
    if fit.reason:
        return Calibration(intercept, nan, nan, nan, brier, scaled, fit.reason)
    slope = fit.coefficient("linear")
    return Calibration(
        intercept, slope.estimate, slope.low, slope.high, brier, scaled, slope.reason
    )


def shift_to_rate(outcome: Vector, linear: Vector, weights: Vector | None = None) -> Vector:
    """Log odds to add so that predictions add up to the events, for m predictions at once.

    Parameters
    ----------
    outcome, linear, weights
        Outcome, log odds and weights of the rows, each of shape (m, n).
    """
    w = np.ones_like(linear) if weights is None else weights
    events = (w * outcome).sum(axis=1)
    width = 40.0 + np.abs(linear).max(axis=1)
    low, high = -width, width.copy()
    for _ in range(64):
        middle = (low + high) / 2
        above = (w * expit(linear + middle[:, None])).sum(axis=1) > events
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return np.asarray((low + high) / 2, dtype=float)


def test_goodness_of_fit(
    outcome: ArrayLike, probability: ArrayLike, predictors: ArrayLike
) -> GoodnessOfFit:
    """Unweighted sum of squares test of a maximum likelihood logistic model.

    It needs no groups, on whose choice the test of Hosmer and Lemeshow depends.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    probability
        Fitted probability, shape (n,).
    predictors
        Predictors of the model, without the intercept, shape (n, k).

    Returns
    -------
    GoodnessOfFit
        ``CONSTANT`` where the variance is 0.

    References
    ----------
    Copas JB (1989), Appl Stat 38:71-80; le Cessie S, van Houwelingen JC (1991), Biometrics
    47:1267-1282; Hosmer DW, Hosmer T, le Cessie S, Lemeshow S (1997), Stat Med 16:965-980
    (the variance by weighted regression of 1 - 2p on the predictors).
    """
    from scipy.special import ndtr

    y, p = np.asarray(outcome, dtype=float), np.asarray(probability, dtype=float)
    x = as_columns(predictors)
    design = np.column_stack([np.ones(y.size), standardise(x)[0]])
    weight = p * (1 - p)
    total, expected = float(((y - p) ** 2).sum()), float(weight.sum())
    root = np.sqrt(weight)
    target = (1 - 2 * p) * root
    coefficients = np.linalg.lstsq(design * root[:, None], target, rcond=None)[0]
    residual = target - (design * root[:, None]) @ coefficients
    variance = float(residual @ residual)
    if variance <= 1e-12 * y.size:
        return GoodnessOfFit(total, expected, math.nan, math.nan, "CONSTANT")
    z = (total - expected) / math.sqrt(variance)
    return GoodnessOfFit(total, expected, z, float(2 * ndtr(-abs(z))))


def summarise_groups(
    outcome: ArrayLike, probability: ArrayLike, groups: int, level: float = 0.95
) -> tuple[CalibrationGroup, ...]:
    """Observed rates in groups of equal size by predicted probability.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    probability
        Predicted probability, shape (n,); equal probabilities stay in one group.
    groups
        Number of groups; fewer where probabilities are equal.
    level
        Confidence level of the observed rates.
    """
    y, p = np.asarray(outcome, dtype=float), np.asarray(probability, dtype=float)
    cuts = np.unique(np.quantile(p, np.arange(1, groups) / groups)) if p.size else np.array([])
    number = np.searchsorted(cuts, p, side="left")
    found = []
    for position in np.unique(number):
        member = number == position
        n, events = int(member.sum()), int(y[member].sum())
        low, high = clopper_pearson(events, n, level)
        among = p[member]
        found.append(
            CalibrationGroup(
                n,
                events,
                float(among.mean()),
                float(among.min()),
                float(among.max()),
                events / n,
                low,
                high,
            )
        )
    return tuple(found)
