"""Probabilities that a logistic model predicts for a group of subjects, with delta intervals.

Averaging the predicted probability over the subjects' own covariates, with the exposure
set to one value for all, gives the marginal (standardised) probability at that exposure.
It is not the probability at the mean covariates: the logistic curve is not straight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.logistic import LogisticFit
from celldossier.stats.penalised_likelihood import expit
from celldossier.stats.predictors import set_exposure

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class StandardisedProbability:
    """Mean probability over subjects, a value for each setting of the exposure."""

    probability: Vector
    se: Vector
    """Standard error of the logit of the mean probability."""
    low: Vector
    high: Vector


def predict_standardised(
    fit: LogisticFit, exposure: ArrayLike, covariates: ArrayLike, level: float = 0.95
) -> StandardisedProbability:
    """Mean predicted probability with the first predictor set, the others as observed.

    Parameters
    ----------
    fit
        A fitted model whose first predictor is the exposure.
    exposure
        Values to which the exposure is set for every subject, shape (m,).
    covariates
        The other predictors of the subjects averaged over, shape (n, k - 1); with none the
        result is that of `predict_probability`.
    level
        Confidence level of the pointwise interval.

    Notes
    -----
    The interval is that of the delta method on the logit of the mean, from the covariance of
    the coefficients; the subjects' covariates are taken as given, so that it speaks of
    these subjects. Predictions after Firth's penalty have the intercept of FLIC or FLAC.

    References
    ----------
    Lane PW, Nelder JA (1982), Biometrics 38:613-621 (marginal standardisation); Graubard BI,
    Korn EL (1999), Biometrics 55:652-659 (predictive margins and their variance).
    """
    return average_predictions(fit, set_exposure(exposure, covariates), level)


def average_predictions(
    fit: LogisticFit, predictors: ArrayLike, level: float = 0.95
) -> StandardisedProbability:
    """Mean predicted probability of each of several sets of subjects.

    Parameters
    ----------
    fit
        A fitted model.
    predictors
        Predictors, shape (m, n, k): m sets of n subjects.
    level
        Confidence level.
    """
    from scipy.special import ndtri

    if fit.reason or fit.covariance is None:
        raise ValueError(f"there is no fit to predict from ({fit.reason})")
    x = np.asarray(predictors, dtype=float)
    slopes = np.array([item.estimate for item in fit.coefficients[:-1]])
    if x.ndim != 3 or x.shape[2] != slopes.size or x.shape[1] == 0:
        raise ValueError(f"predictors of shape (sets, subjects, {slopes.size}), not {x.shape}")
    probability = expit(x @ slopes + fit.flic_intercept)
    weight = probability * (1 - probability)
    mean = probability.mean(axis=1)
    design = np.concatenate([x, np.ones((*x.shape[:2], 1))], axis=2)
    gradient = np.einsum("ij,ijk->ik", weight, design) / x.shape[1]
    variance = np.einsum("ij,jk,ik->i", gradient, fit.covariance, gradient)
    # On the logit scale no limit leaves 0 to 1, and one set of equals is predict_probability.
    # A mean of exactly 0 or 1, beyond floating-point numbers, has no logit.
    inside = (mean > 0) & (mean < 1)
    spread = np.where(inside, mean * (1 - mean), math.nan)
    se = np.sqrt(np.maximum(variance, 0.0)) / spread
    logit = np.log(np.where(inside, mean, math.nan)) - np.log1p(-np.where(inside, mean, math.nan))
    half = float(ndtri(0.5 + level / 2)) * se
    return StandardisedProbability(mean, se, expit(logit - half), expit(logit + half))
