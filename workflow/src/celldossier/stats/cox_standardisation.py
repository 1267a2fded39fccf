"""Mean survival of the subjects of a Cox model with their exposure set, with delta intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.cox_diagnostics import likelihood_steps
from celldossier.stats.cox_likelihood import Vector
from celldossier.stats.cox_results import CoxFit


@dataclass(frozen=True)
class MeanSurvival:
    """Mean survival at each of the times, with limits by log(-log); NaN where it is 0 or 1."""

    time: Vector
    survival: Vector
    se: Vector
    """Standard error of the mean survival."""
    low: Vector
    high: Vector


def predict_mean_survival(
    fit: CoxFit, exposure: float, times: ArrayLike, level: float = 0.95
) -> MeanSurvival:
    """Mean over the subjects of the fit of their survival, the first covariate set.

    Parameters
    ----------
    fit
        A fitted model (not with exact ties) with a row a subject.
    exposure
        Value of the first covariate for every subject; the others stay as observed, and so
        does the stratum.
    times
        Times on the clock of the fit. Where all rows begin late (a landmark), the survival is
        that of subjects who have come to the landmark.
    level
        Confidence level.

    Notes
    -----
    The variance is that of `predict_survival` carried to the mean: of the increments of the
    baseline hazard, independent over event times and strata, and of the coefficients. The
    covariates are taken as given.

    References
    ----------
    Makuch RW (1982), J Chronic Dis 35:437-443 (direct adjustment); variance as Tsiatis AA
    (1981), Ann Stat 9:93-108, for a weighted sum of subjects.
    """
    from scipy.special import ndtri

    data, steps = likelihood_steps(fit)
    if fit.ties == "EXACT" or fit.covariance is None:
        raise ValueError("there is no baseline hazard with exact ties")
    at = np.asarray(times, dtype=float)
    x = data.covariates.copy()
    x[:, 0] = exposure
    linear = x @ fit.estimates
    survival, gradient = np.zeros(at.size), np.zeros((at.size, x.shape[1]))
    baseline = np.zeros(at.size)
    n = x.shape[0]
    step_time = data.sets.time[steps.place]
    step_stratum = data.sets.stratum[steps.place]
    for stratum in np.unique(data.stratum):
        member = data.stratum == stratum
        ours = step_stratum == stratum
        before = step_time[ours][None, :] <= at[:, None]
        # Hazard of each event time over each subject, 1 / sum of the risk set times exp(x b).
        log_increment = -steps.log_total[ours]
        hazard = np.exp(linear[member][:, None] + log_increment[None, :])
        cumulative = before.astype(float) @ hazard.T
        own = np.exp(-cumulative)
        survival += own.sum(axis=1) / n
        # Weight of an event time in the variance: mean of S exp(x b) / S0 over the subjects.
        weight = own @ hazard / n
        baseline += (before * weight**2).sum(axis=1)
        weighted = np.einsum("tm,mk->tk", own * cumulative, x[member]) / n
        gradient += weighted - (before * weight) @ steps.mean[ours]
    variance = baseline + np.einsum("ij,jk,ik->i", gradient, fit.covariance, gradient)
    se = np.sqrt(variance)
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, math.nan)
    width = float(ndtri(0.5 + level / 2)) * se / (s * -np.log(s))
    with np.errstate(over="ignore"):
        low, high = s ** np.exp(width), s ** np.exp(-width)
    return MeanSurvival(at, survival, se, low, high)
