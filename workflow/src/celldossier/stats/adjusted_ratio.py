"""Ratio of geometric means of two groups at equal covariates, or with random clusters.

Without covariates the interval of two groups is Welch's: the variances of two processes are not
taken for equal. With covariates the same idea is the sandwich HC2 with degrees of freedom after
Satterthwaite, whose case of no covariate is Welch's interval to the last digit. HC3 with n - k
degrees of freedom was not taken: it differs from Welch on the same data, and its degrees of
freedom do not know that one of the groups has few subjects.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.linear_model import check_collinearity
from celldossier.stats.mixed_model import estimate_mixed_model
from celldossier.stats.predictors import standardise
from celldossier.stats.ratio import NO_INTERVAL, Ratio, Variance, make_ratio, ratio_from_logs

Vector = NDArray[np.float64]

ROUNDING = 1e-20
"""Share of the sum of squares of the logarithms that is rounding: the model fits exactly."""


def estimate_adjusted_ratio(
    values: ArrayLike,
    test: ArrayLike,
    covariates: ArrayLike | None = None,
    level: float = 0.90,
    variance: Variance = "UNEQUAL",
) -> Ratio:
    """Geometric mean ratio test / reference at equal covariates, by analysis of covariance.

    Parameters
    ----------
    values
        Any positive unit, shape (n,). Rows without a positive value, or with a covariate that
        is NaN, are left out and are not in the counts.
    test
        1 for a subject of the test group, 0 for one of the reference group, shape (n,).
    covariates
        Shape (n, k), on the scale on which they act on ln values (the logarithm of a tumour
        burden; a category, for instance the study, as columns of 0 and 1). None: no covariate.
    level
        Confidence level.
    variance
        ``UNEQUAL``: sandwich HC2, degrees of freedom after Satterthwaite with a variance of each
        group. ``EQUAL``: least squares, n less the number of coefficients.

    Returns
    -------
    Ratio
        ``FEWSUBJ``: a group has fewer than two subjects, no degree of freedom is left, or a
        subject is fitted whatever its value. ``COLLIN``: covariates determine one another, the
        group, or do not vary. ``CONSTANT``: the model fits exactly. `sd` is that within groups at
        equal covariates.

    References
    ----------
    MacKinnon JG, White H (1985), J Econom 29:305-325 (HC2). Lipsitz SR, Ibrahim JG, Parzen M
    (1999), J R Stat Soc D 48:495-506 (degrees of freedom of a t statistic with unequal
    variances).
    """
    logs, group, held = _complete_rows(values, test, covariates)
    n, sizes = logs.size, _count(group)
    refusal = _refuse(group, held)
    if refusal:
        return _no_ratio(sizes, refusal)
    design = np.column_stack([np.ones(n), group, standardise(held)[0]])
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    difference = float(inverse[1] @ (q.T @ logs))
    residuals = logs - q @ (q.T @ logs)
    spread = float(residuals @ residuals)
    if spread <= ROUNDING * max(1.0, float(logs @ logs)):
        return make_ratio(difference, NO_INTERVAL, *sizes, "CONSTANT")
    df = float(n - design.shape[1])
    sd = math.sqrt(spread / df)
    # How much each value weighs in the difference.
    weight = q @ inverse[1]
    if variance == "EQUAL":
        return ratio_from_logs(difference, sd * float(np.linalg.norm(weight)), df, sizes, level, sd)
    remaining = np.eye(n) - q @ q.T
    free = np.diag(remaining)
    if float(free.min()) < 1e-10:
        return make_ratio(difference, NO_INTERVAL, *sizes, "FEWSUBJ")
    share = weight**2 / free
    se = math.sqrt(float(share @ residuals**2))
    # Of each group: what is left of its squares over what is left of its degrees of freedom.
    own = np.where(
        group == 1,
        float(group @ residuals**2) / float(group @ free),
        float((1 - group) @ residuals**2) / float((1 - group) @ free),
    )
    # The variance estimate is a quadratic form of the values; two moments give its chi-square.
    root = np.sqrt(share)[:, None]
    form = root * ((remaining * own) @ remaining) * root.T
    df = float(np.trace(form)) ** 2 / float((form**2).sum())
    return ratio_from_logs(difference, se, df, sizes, level, sd)


def estimate_clustered_ratio(
    values: ArrayLike,
    test: ArrayLike,
    cluster: ArrayLike,
    covariates: ArrayLike | None = None,
    level: float = 0.90,
) -> Ratio:
    """Geometric mean ratio test / reference with a random intercept of each cluster.

    For lots that share a donor, or studies of which there are several; where both occur, the
    donor is the cluster and the study a covariate.

    Parameters
    ----------
    values, test, covariates, level
        As in `estimate_adjusted_ratio`.
    cluster
        Donor (or study) of each subject, shape (n,).

    Returns
    -------
    Ratio
        Restricted maximum likelihood, degrees of freedom as in R's lme. `reason` as in
        `estimate_adjusted_ratio` and `mixed_model.MixedModel`: ``FEWSUBJ`` also where no cluster
        has two subjects or fewer than three clusters; ``SINGULAR`` stands beside numbers: the
        variance of the clusters is estimated as 0. `sd` holds both variances, between clusters
        and within.
    """
    labels = np.asarray(cluster, dtype=object)
    logs, group, held = _complete_rows(values, test, covariates)
    if labels.size != np.asarray(values).size:
        raise ValueError("each value needs its cluster")
    labels = labels[_is_complete(values, covariates)]
    sizes = _count(group)
    refusal = _refuse(group, held)
    if refusal:
        return _no_ratio(sizes, refusal)
    design = np.column_stack([np.ones(logs.size), group, standardise(held)[0]])
    names = ["(Intercept)", "test", *(f"covariate {j}" for j in range(held.shape[1]))]
    fit = estimate_mixed_model(logs, labels, design, names, level=level)
    if not fit.effects:
        return _no_ratio(sizes, fit.reason)
    effect = fit.effect("test")
    sd = math.hypot(fit.sd_intercept, fit.sd_residual)
    found = ratio_from_logs(effect.estimate, effect.se, effect.df, sizes, level, sd)
    return replace(found, reason=found.reason or fit.reason)


def _is_complete(values: ArrayLike, covariates: ArrayLike | None) -> NDArray[np.bool_]:
    x = np.asarray(values, dtype=float)
    complete = x > 0
    if covariates is not None:
        complete = complete & ~np.isnan(_as_matrix(covariates, x.size)).any(axis=1)
    return np.asarray(complete, dtype=bool)


def _as_matrix(covariates: ArrayLike, n: int) -> Vector:
    # Without rows the number of columns cannot be told, and does not matter.
    return np.asarray(covariates, dtype=float).reshape(n, -1 if n else 0)


def _complete_rows(
    values: ArrayLike, test: ArrayLike, covariates: ArrayLike | None
) -> tuple[Vector, Vector, Vector]:
    """Logarithms, group and covariates of the rows in which nothing is missing."""
    x, group = np.asarray(values, dtype=float), np.asarray(test, dtype=float)
    if x.ndim != 1 or x.shape != group.shape or not np.isin(group, (0.0, 1.0)).all():
        raise ValueError("each value needs its group, 0 or 1")
    held = np.empty((x.size, 0)) if covariates is None else _as_matrix(covariates, x.size)
    use = _is_complete(values, covariates)
    return np.log(x[use]), group[use], held[use]


def _count(group: Vector) -> tuple[int, int]:
    return int(group.sum()), int((1 - group).sum())


def _refuse(group: Vector, held: Vector) -> str:
    if min(_count(group)) < 2 or group.size <= held.shape[1] + 2:
        return "FEWSUBJ"
    predictors = np.column_stack([group, held])
    return "COLLIN" if check_collinearity(predictors).rank <= predictors.shape[1] else ""


def _no_ratio(sizes: tuple[int, int], reason: str) -> Ratio:
    return Ratio(math.nan, math.nan, math.nan, math.nan, *sizes, reason)
