"""Test of several coefficients of a logistic model together, such as an interaction."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.logistic import Method, estimate_logistic
from celldossier.stats.penalised_likelihood import maximise_penalised
from celldossier.stats.predictors import standardise


@dataclass(frozen=True)
class JointTest:
    """Likelihood ratio test; p is NaN with a reason where there is no fit."""

    chi_squared: float
    df: int
    p: float
    method: str
    reason: str = ""


def test_jointly(
    outcome: ArrayLike, predictors: ArrayLike, tested: Sequence[int], method: Method
) -> JointTest:
    """Likelihood ratio test that the tested coefficients are all 0.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    tested
        Positions of the tested predictors.
    method
        ``ML``: likelihoods of the models with and without them; ``FIRTH`` (and separated
        data): penalised likelihoods of the whole model with them free and held at 0.

    References
    ----------
    Heinze G, Schemper M (2002), Stat Med 21:2409-2419, for several coefficients as in
    logistf's ``logistftest``: the penalty is that of the whole model on both sides.
    """
    from scipy.special import chdtrc

    y, x = np.asarray(outcome, dtype=float), np.asarray(predictors, dtype=float)
    names = [f"x{j}" for j in range(x.shape[1])]
    df = len(tested)
    fit = estimate_logistic(y, x, names, method, tested=[])
    empty = JointTest(math.nan, df, math.nan, fit.method, fit.reason)
    if fit.reason:
        return empty
    if fit.method == "ML":
        kept = [j for j in range(x.shape[1]) if j not in set(tested)]
        smaller = _loglike(y, x[:, kept])
        larger = fit.loglike
    else:
        design = np.column_stack([standardise(x)[0], np.ones(y.size)])
        start = np.zeros(design.shape[1])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                larger = maximise_penalised(y, design, start)[1]
                smaller = maximise_penalised(y, design, start, list(tested))[1]
            except (Warning, ArithmeticError, np.linalg.LinAlgError):
                return JointTest(math.nan, df, math.nan, fit.method, "NOCONV")
    # The smaller model cannot be likelier; what rounding leaves below 0 is 0.
    statistic = max(2 * (larger - smaller), 0.0)
    if math.isnan(statistic):
        return JointTest(math.nan, df, math.nan, fit.method, "NOCONV")
    return JointTest(statistic, df, float(chdtrc(df, statistic)), fit.method)


def _loglike(y: np.ndarray[tuple[int], np.dtype[np.float64]], x: ArrayLike) -> float:
    """Maximum log likelihood; that of the intercept alone where there is no predictor."""
    z = np.asarray(x, dtype=float)
    if z.shape[1] == 0:
        p = y.mean()
        return float(y.sum() * math.log(p) + (y.size - y.sum()) * math.log1p(-p))
    names = [f"x{j}" for j in range(z.shape[1])]
    return estimate_logistic(y, z, names, "ML", tested=[]).loglike
