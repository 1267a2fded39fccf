"""Probability of each grade after a proportional odds model, with delta intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.ordinal import OrdinalFit
from celldossier.stats.penalised_likelihood import expit
from celldossier.stats.predictors import set_exposure

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class GradeProbability:
    """Mean probability of each grade, a row for each setting of the exposure."""

    levels: tuple[float, ...]
    probability: Vector
    """Shape (m, grades); each row adds up to 1."""
    low: Vector
    high: Vector


def predict_grades(
    fit: OrdinalFit, exposure: ArrayLike, covariates: ArrayLike, level: float = 0.95
) -> GradeProbability:
    """Mean probability of each grade with the first predictor set, the others as observed.

    Parameters
    ----------
    fit
        A fitted model whose first predictor is the exposure.
    exposure
        Values to which the exposure is set for every subject, shape (m,).
    covariates
        The other predictors of the subjects averaged over, shape (n, k - 1).
    level
        Confidence level of the pointwise interval, which is that of the delta method on the
        logit of the mean.

    References
    ----------
    Agresti A (2010), Analysis of Ordinal Categorical Data, 2nd ed., 3.3; standardised as in
    `standardisation.predict_standardised`.
    """
    from scipy.special import ndtri

    if fit.reason or fit.covariance is None:
        raise ValueError(f"there is no fit to predict from ({fit.reason})")
    design = set_exposure(exposure, covariates)
    (settings, subjects, k), grades = design.shape, len(fit.levels)
    estimates = np.array([item.estimate for item in fit.coefficients])
    linear = (design @ estimates[:k])[:, :, None]
    # Probability of at most each grade, 0 below the lowest one and 1 for the highest.
    at_most = np.zeros((*linear.shape[:2], grades + 1))
    at_most[:, :, 1:-1] = expit(estimates[k:] - linear)
    at_most[:, :, -1] = 1.0
    density = at_most * (1 - at_most)
    mean = np.diff(at_most, axis=2).mean(axis=1)
    # Gradient of the mean of at_most by the slopes and the thresholds, then their differences.
    gradient = np.zeros((settings, grades + 1, estimates.size))
    gradient[:, :, :k] = -np.einsum("ijg,ijk->igk", density, design) / subjects
    for cut in range(1, grades):
        gradient[:, cut, k + cut - 1] = density[:, :, cut].mean(axis=1)
    step = np.diff(gradient, axis=1)
    variance = np.einsum("igk,kl,igl->ig", step, fit.covariance, step)
    inside = (mean > 0) & (mean < 1)
    p = np.where(inside, mean, math.nan)
    half = float(ndtri(0.5 + level / 2)) * np.sqrt(np.maximum(variance, 0.0)) / (p * (1 - p))
    logit = np.log(p) - np.log1p(-p)
    return GradeProbability(fit.levels, mean, expit(logit - half), expit(logit + half))
