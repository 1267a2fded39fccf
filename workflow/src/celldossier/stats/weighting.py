"""Inverse-probability weighting of two groups that differ in what led to their treatment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.logistic import estimate_logistic

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class TreatmentWeights:
    """Stabilised weights, or the reason why there are none.

    `reason`: ``FEWSUBJ`` (one group is empty), ``POSITIV`` (the covariates tell the groups
    apart, a probability of treatment is 0 or 1), else that of the logistic model.
    """

    reason: str = ""
    probability: Vector | None = None
    """Probability of treatment given the covariates, shape (n,)."""
    weights: Vector | None = None
    """Shape (n,), after truncation."""
    truncated: int = 0
    """How many weights were truncated."""


@dataclass(frozen=True)
class WeightedRatio:
    """Weighted ratio of geometric means with its interval; NaN with a reason."""

    ratio: float
    low: float
    high: float
    p: float
    se: float
    """Robust standard error of ln ratio."""
    reason: str = ""


def estimate_treatment_weights(
    treated: ArrayLike, covariates: ArrayLike, names: Sequence[str], truncation: float = 0.0
) -> TreatmentWeights:
    """Stabilised inverse-probability-of-treatment weights of a logistic model.

    P(A = a) / P(A = a | L): the share of the treatment that a subject had, over its
    probability given the covariates, by maximum likelihood.

    Parameters
    ----------
    treated
        0 or 1, shape (n,).
    covariates
        What led to the treatment, shape (n, k); no missing values.
    names
        Names of the k covariates.
    truncation
        Share of the weights at either end that is set to the quantile there; 0: none.

    References
    ----------
    Robins JM, Hernan MA, Brumback B (2000), Epidemiology 11:550-560; truncation: Cole SR,
    Hernan MA (2008), Am J Epidemiol 168:656-664.
    """
    a = np.asarray(treated, dtype=float)
    if a.size == 0 or a.min() == a.max():
        return TreatmentWeights("FEWSUBJ")
    fit = estimate_logistic(a, covariates, names, "ML", keep_firth_when_separated=False, tested=[])
    if fit.reason or fit.fitted is None:
        return TreatmentWeights("POSITIV" if fit.reason == "SEPAR" else fit.reason)
    share = float(a.mean())
    had = np.where(a == 1, fit.fitted, 1 - fit.fitted)
    weights = np.where(a == 1, share, 1 - share) / had
    truncated = 0
    if truncation > 0:
        low, high = np.quantile(weights, [truncation, 1 - truncation])
        truncated = int(((weights < low) | (weights > high)).sum())
        weights = np.clip(weights, low, high)
    return TreatmentWeights("", fit.fitted, weights, truncated)


def overlap_weights(treated: ArrayLike, probability: ArrayLike) -> Vector:
    """Weights of the subjects who might have had either treatment.

    One less the probability of the treatment that a subject had: nobody weighs more than 1, and
    with the probabilities of a logistic model by maximum likelihood the weighted means of its
    covariates are equal in both groups.

    Parameters
    ----------
    treated
        0 or 1, shape (n,).
    probability
        Probability of treatment, as in `TreatmentWeights`, shape (n,).

    References
    ----------
    Li F, Morgan KL, Zaslavsky AM (2018), J Am Stat Assoc 113:390-400.
    """
    a, p = np.asarray(treated, dtype=float), np.asarray(probability, dtype=float)
    return np.where(a == 1, 1 - p, p)


def effective_size(weights: ArrayLike) -> float:
    """Effective sample size of weighted subjects: (sum w)^2 / sum w^2; 0 for none.

    Parameters
    ----------
    weights
        Weights of the subjects, not all 0, shape (n,).

    References
    ----------
    Kish L (1965). Survey Sampling. Wiley, section 11.7.
    """
    w = np.asarray(weights, dtype=float)
    return float(w.sum() ** 2 / (w**2).sum()) if w.size else 0.0


def standardised_difference(
    values: ArrayLike, treated: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Difference of the (weighted) means over the standard deviation before weighting.

    Parameters
    ----------
    values
        A covariate, shape (n,).
    treated
        0 or 1, shape (n,).
    weights
        Shape (n,); None: all 1.

    Returns
    -------
    float
        Treated minus not treated; NaN where neither group varies or one has fewer than two.

    References
    ----------
    Austin PC, Stuart EA (2015). Stat Med 34:3661-3679: the denominator is the root of the
    mean of both unweighted variances, so that before and after share one scale.
    """
    x, a = np.asarray(values, dtype=float), np.asarray(treated, dtype=float) == 1
    w = np.ones(x.size) if weights is None else np.asarray(weights, dtype=float)
    if min(a.sum(), (~a).sum()) < 2:
        return math.nan
    spread = math.sqrt(float(x[a].var(ddof=1) + x[~a].var(ddof=1)) / 2)
    if spread <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return math.nan
    return float(np.average(x[a], weights=w[a]) - np.average(x[~a], weights=w[~a])) / spread


def estimate_weighted_ratio(
    values: ArrayLike, treated: ArrayLike, weights: ArrayLike, level: float = 0.90
) -> WeightedRatio:
    """Weighted ratio of geometric means, treated over not treated, with a robust interval.

    Weighted regression of ln values on the treatment; sandwich variance with the
    correction n / (n - 2) and n - 2 degrees of freedom. Weights count as known: where they
    come from a correct model of the treatment, the interval is too wide rather than too
    narrow.

    Parameters
    ----------
    values
        Positive values, shape (n,).
    treated
        0 or 1, shape (n,).
    weights
        Shape (n,).
    level
        Confidence level.

    Returns
    -------
    WeightedRatio
        ``FEWSUBJ`` where a group has fewer than two, ``CONSTANT`` where neither varies.

    References
    ----------
    White H (1980), Econometrica 48:817-838; MacKinnon JG, White H (1985), J Econom
    29:305-325 (HC1); Hernan MA, Robins JM (2020), Causal Inference: What If, chapter 12.
    """
    from scipy.special import stdtr, stdtrit

    y, a = np.log(np.asarray(values, dtype=float)), np.asarray(treated, dtype=float) == 1
    w = np.asarray(weights, dtype=float)
    nan, n = math.nan, y.size
    if min(a.sum(), (~a).sum()) < 2:
        return WeightedRatio(nan, nan, nan, nan, nan, "FEWSUBJ")
    means = [float(np.average(y[side], weights=w[side])) for side in (a, ~a)]
    difference = means[0] - means[1]
    # The sandwich of this design is a sum over both groups.
    variance = sum(
        float((w[side] ** 2 * (y[side] - mean) ** 2).sum()) / float(w[side].sum()) ** 2
        for side, mean in zip((a, ~a), means, strict=True)
    )
    variance *= n / (n - 2)
    if variance <= 1e-24:
        return WeightedRatio(math.exp(difference), nan, nan, nan, nan, "CONSTANT")
    se = math.sqrt(variance)
    half = float(stdtrit(n - 2, 0.5 + level / 2)) * se
    p = float(2 * stdtr(n - 2, -abs(difference) / se))
    return WeightedRatio(
        math.exp(difference), math.exp(difference - half), math.exp(difference + half), p, se
    )
