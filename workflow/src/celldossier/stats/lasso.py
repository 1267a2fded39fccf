"""Predictors that the path of the lasso selects (path of scikit-learn, by least angles)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Signs = NDArray[np.int8]


def select_first(outcome: Vector, predictors: Vector, entering: int) -> Signs:
    """Signs of the first predictors that enter the path of the lasso; 0 for the others.

    The path is followed until so many are in it; one that left it on the way is not
    selected.

    Parameters
    ----------
    outcome
        Outcome, shape (n,).
    predictors
        Predictors, shape (n, k).
    entering
        How many are to enter.

    Returns
    -------
    numpy.ndarray
        -1, 0 or 1 for each predictor, shape (k,).
    """

    def choose(coefficients: Vector, residuals: Vector) -> int:
        counts = (coefficients != 0).sum(axis=0)
        reached = np.flatnonzero(counts >= entering)
        return int(reached[0]) if reached.size else int(counts.argmax())

    # A step adds or drops one predictor, so that some more steps than predictors are enough.
    return _select(outcome, predictors, 2 * entering + 4, choose)


def select_by_bic(outcome: Vector, predictors: Vector) -> Signs:
    """Signs of the coefficients where the Bayesian information criterion is least.

    Parameters
    ----------
    outcome
        Outcome, shape (n,).
    predictors
        Predictors, shape (n, k).

    Returns
    -------
    numpy.ndarray
        -1, 0 or 1 for each predictor, shape (k,).

    References
    ----------
    Zou H, Hastie T, Tibshirani R (2007), Ann Stat 35:2173-2192 (the number of parameters of a
    lasso is that of its coefficients other than 0).
    """
    n = outcome.size

    def choose(coefficients: Vector, residuals: Vector) -> int:
        counts = (coefficients != 0).sum(axis=0)
        # With nearly as many parameters as subjects the criterion falls without end.
        usable = counts <= n // 2
        criterion = n * np.log(np.maximum(residuals, 1e-300) / n) + math.log(n) * counts
        return int(np.where(usable, criterion, np.inf).argmin())

    return _select(outcome, predictors, min(2 * predictors.shape[1] + 4, n // 2), choose)


def _select(
    outcome: Vector, predictors: Vector, steps: int, choose: Callable[[Vector, Vector], int]
) -> Signs:
    """Signs at the knot of the path that `choose` takes from coefficients and squares."""
    from sklearn.linear_model import lars_path_gram

    signs = np.zeros(predictors.shape[1], dtype=np.int8)
    y = outcome - outcome.mean()
    centred = predictors - predictors.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    varying = np.flatnonzero(scale > 1e-9 * np.maximum(1.0, np.abs(predictors).max(axis=0)))
    if not varying.size or float(y @ y) <= 0:
        return signs
    x = centred[:, varying] / scale[varying]
    with warnings.catch_warnings():
        # The path warns where it drops a predictor that the others determine: its aim here.
        warnings.simplefilter("ignore")
        _, _, path = lars_path_gram(
            Xy=x.T @ y, Gram=x.T @ x, n_samples=y.size, method="lasso", max_iter=steps
        )
    residuals = ((y[:, None] - x @ path) ** 2).sum(axis=0)
    knot = choose(path, residuals)
    signs[varying] = np.sign(path[:, knot]).astype(np.int8)
    return signs
