"""FLAC: Firth's logistic regression with added covariate, for predicted probabilities.

Firth's penalty equals half a leverage of pseudo-data with either outcome, and so pulls
predictions towards one half. FLAC tells the pseudo-data from the observed rows by a
covariate of its own: the mean prediction is then the observed rate. FLIC, the other
correction, is the intercept of `estimate_logistic` under Firth.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.association import area_under_curve
from celldossier.stats.likelihood import ProfileError
from celldossier.stats.logistic import INTERCEPT, Coefficient, LogisticFit, estimate_logistic
from celldossier.stats.penalised_likelihood import derive_leverage, expit
from celldossier.stats.predictors import as_columns, standardise

Vector = NDArray[np.float64]
FLAC = "FLAC"


def estimate_flac(outcome: ArrayLike, predictors: ArrayLike, names: Sequence[str]) -> LogisticFit:
    """Fit a logistic model for prediction by FLAC.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    names
        Names of the k predictors.

    Returns
    -------
    LogisticFit
        With the estimates and the fitted probabilities of the observed rows, ready for
        `predict_probability`; reasons as of `estimate_logistic` under Firth. It has no
        intervals and no tests of coefficients: those of Firth's fit belong to the model.
        The covariance is the inverse Fisher information of the observed rows at the
        estimate, as for Firth (logistf takes that of the augmented data).

    References
    ----------
    Puhr R, Heinze G, Nold M, Lusa L, Geroldinger A (2017), Stat Med 36:2302-2317.
    """
    firth = estimate_logistic(outcome, predictors, names, "FIRTH", tested=[])
    if firth.reason:
        return replace(firth, method=FLAC)
    y, x = np.asarray(outcome, dtype=float), as_columns(predictors)
    z, centre, scale = standardise(x)
    ones = np.ones((y.size, 1))
    design = np.hstack([z, ones])
    slopes = np.array([item.estimate for item in firth.coefficients[:-1]])
    linear = x @ slopes + firth.coefficients[-1].estimate
    empty = replace(
        LogisticFit(firth.n, firth.events, FLAC), separation=firth.separation, reason="NOCONV"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            leverage = derive_leverage(design, expit(linear))
            # Half a leverage with either outcome is one leverage with the outcome 1/2.
            params = _maximise_weighted(
                np.concatenate([y, np.full(y.size, 0.5)]),
                np.vstack([np.hstack([design, 0 * ones]), np.hstack([design, ones])]),
                np.concatenate([np.ones(y.size), leverage]),
            )[:-1]
            fitted = expit(design @ params)
            covariance = np.linalg.inv(design.T @ (design * (fitted * (1 - fitted))[:, None]))
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return empty
    back = np.diag(np.append(1 / scale, 1.0))
    back[-1, :-1] = -centre / scale
    params, covariance = back @ params, back @ covariance @ back.T
    se = np.sqrt(np.diag(covariance))
    return replace(
        empty,
        reason="",
        coefficients=tuple(
            Coefficient(name, float(value), float(error))
            for name, value, error in zip((*names, INTERCEPT), params, se, strict=True)
        ),
        covariance=covariance,
        fitted=fitted,
        flic_intercept=float(params[-1]),
        auc=area_under_curve(y, x @ params[:-1]),
    )


def _maximise_weighted(y: Vector, design: Vector, weight: Vector) -> Vector:
    """Newton's method with step halving; an outcome may be a share between 0 and 1."""

    def loglike(params: Vector) -> float:
        linear = design @ params
        return float(weight @ (y * linear - np.logaddexp(0.0, linear)))

    params = np.zeros(design.shape[1])
    value = loglike(params)
    for _ in range(200):
        p = expit(design @ params)
        score = design.T @ (weight * (y - p))
        step = np.linalg.solve(design.T @ (design * (weight * p * (1 - p))[:, None]), score)
        if float(score @ step) < 1e-12 * max(1.0, abs(value)):
            # The last step squares an error that is below 1e-6 standard errors already.
            return np.asarray(params + step, dtype=float)
        while (trial_value := loglike(params + step)) < value:
            step = step / 2
            if float(np.abs(step).max()) < 1e-14:
                raise ProfileError("the likelihood does not rise along Newton's step")
        params, value = params + step, trial_value
    raise ProfileError("Newton's method did not end in 200 steps")
