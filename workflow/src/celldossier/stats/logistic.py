"""Logistic regression of a binary outcome: maximum likelihood and Firth's penalty.

Predictors are centred and scaled before a fit and the estimates scaled back:
both likelihoods are equivariant to that, and the iterations of neither are sure on
raw exposures. Intervals are profile likelihood intervals, tests likelihood ratio
tests; with the penalty both are of the penalised likelihood.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.association import area_under_curve
from celldossier.stats.logistic_fits import Vector, fit_firth, fit_maximum_likelihood
from celldossier.stats.penalised_likelihood import expit
from celldossier.stats.predictors import as_columns, is_constant, standardise

Method = Literal["ML", "FIRTH"]
INTERCEPT = "(Intercept)"


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of a model: log odds per unit of its predictor.

    An interval and a test that were asked for and are NaN have the reason ``NOCONV``:
    an iteration did not end, or ended above the likelihood of the estimate.
    """

    name: str
    estimate: float
    se: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    reason: str = ""


@dataclass(frozen=True)
class LogisticFit:
    """A fitted logistic model, or the reason why there is none.

    `reason` is blank for a fit; else ``NOSUBJ`` (no complete row), ``NOEVENT``,
    ``ALLEVENT``, ``CONSTANT`` (a predictor does not vary), ``COLLIN`` (predictors
    are linearly dependent), ``SEPAR`` (no maximum likelihood estimate exists), or
    ``NOCONV`` (the iterations did not end).
    """

    n: int
    events: int
    method: str
    separation: bool = False
    reason: str = ""
    coefficients: tuple[Coefficient, ...] = ()
    loglike: float = math.nan
    covariance: Vector | None = None
    """Covariance of the slopes and the intercept, in the order of `coefficients`."""
    fitted: Vector | None = None
    """Fitted probability of each row that was used (Firth: with the FLIC intercept)."""
    flic_intercept: float = math.nan
    """Intercept for predictions: mean fitted probability = observed rate."""
    auc: float = math.nan

    def coefficient(self, name: str) -> Coefficient:
        """The coefficient of that name."""
        return next(item for item in self.coefficients if item.name == name)


def odds_ratio(log_odds: float) -> float:
    """Odds ratio of a log odds; NaN (reason ``OVERFLOW``) outside the range of numbers."""
    return math.exp(log_odds) if log_odds < 700 else math.nan


def choose_method(events: int, n: int, n_slopes: int, firth_below: float) -> Method:
    """Method by event count, before anything is fitted.

    Firth where the rarer outcome has fewer than `firth_below` subjects per slope.
    """
    return "FIRTH" if min(events, n - events) < firth_below * n_slopes else "ML"


def detect_separation(outcome: ArrayLike, predictors: ArrayLike) -> bool:
    """Whether the outcome is separated, completely or quasi-completely, by the predictors.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.

    References
    ----------
    Konis K (2007), DPhil thesis, Oxford: linear programme, as in firthmodels.
    """
    from firthmodels import detect_separation as detect

    y, x = np.asarray(outcome, dtype=float), as_columns(predictors)
    return bool(detect(standardise(x)[0], y.astype(int)).separation)


def detect_collinearity(predictors: ArrayLike) -> bool:
    """Whether predictors that vary, shape (n, k), are linearly dependent, with the intercept."""
    x = as_columns(predictors)
    z, n = np.column_stack([standardise(x)[0], np.ones(x.shape[0])]), x.shape[0]
    return bool(n < z.shape[1] or np.linalg.matrix_rank(z, tol=1e-8 * math.sqrt(n)) < z.shape[1])


def estimate_logistic(
    outcome: ArrayLike,
    predictors: ArrayLike,
    names: Sequence[str],
    method: Method,
    *,
    level: float = 0.95,
    keep_firth_when_separated: bool = True,
    intercept_interval: bool = False,
    tested: Sequence[str] | None = None,
) -> LogisticFit:
    """Fit a logistic model with intercept.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    names
        Names of the k predictors.
    method
        ``ML`` or ``FIRTH``. Where the data are separated, ML gives way to Firth
        (or is refused with ``SEPAR`` if `keep_firth_when_separated` is False).
    level
        Confidence level.
    intercept_interval
        Whether the interval and the test of the intercept are wanted too.
    tested
        Predictors whose interval and test are wanted; None: all of them.

    References
    ----------
    Firth D (1993), Biometrika 80:27-38; Heinze G, Schemper M (2002), Stat Med
    21:2409-2419 (profile penalised likelihood under separation); FLIC, for
    predictions: Puhr R et al. (2017), Stat Med 36:2302-2317.
    """
    y, x = np.asarray(outcome, dtype=float), as_columns(predictors)
    if x.shape != (y.size, len(names)):
        raise ValueError(f"{x.shape[1]} predictors and {len(names)} names for {y.size} rows")
    if np.isnan(x).any() or not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("a logistic model takes complete rows and an outcome of 0 or 1")
    n, events = y.size, int(y.sum())
    empty = LogisticFit(n, events, method)
    refusal = _refuse(y, x)
    if refusal:
        return replace(empty, reason=refusal)
    separated = detect_separation(y, x)
    if separated and method == "ML":
        if not keep_firth_when_separated:
            return replace(empty, separation=True, reason="SEPAR")
        method = "FIRTH"
    engine = fit_firth if method == "FIRTH" else fit_maximum_likelihood
    z, centre, scale = standardise(x)
    wanted = [j for j, name in enumerate(names) if tested is None or name in tested]
    with warnings.catch_warnings():
        # Whatever the iterations complain of is a failed fit; no text may leak.
        warnings.simplefilter("error")
        try:
            found = engine(y, z, wanted, level)
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(empty, method=method, separation=separated, reason="NOCONV")
    back = np.zeros((len(names) + 1, len(names) + 1))
    back[:-1, :-1] = np.diag(1 / scale)
    back[-1, :-1], back[-1, -1] = -centre / scale, 1.0
    params, covariance = back @ found.params, back @ found.covariance @ back.T
    se = np.sqrt(np.diag(covariance))
    slopes = [Coefficient(name, float(params[j]), float(se[j])) for j, name in enumerate(names)]
    for j, (low, high), p in zip(wanted, found.limits, found.p, strict=True):
        failed = "" if np.isfinite([low, high, p]).all() else "NOCONV"
        slopes[j] = replace(
            slopes[j], low=float(low / scale[j]), high=float(high / scale[j]), p=p, reason=failed
        )
    intercept = Coefficient(INTERCEPT, float(params[-1]), float(se[-1]))
    if intercept_interval:
        intercept = _with_interval(intercept, engine, y, x / scale, level)
    linear = x @ params[:-1]
    prediction = _flic(y, linear) if method == "FIRTH" else float(params[-1])
    fitted = expit(linear + prediction)
    return LogisticFit(
        n=n,
        events=events,
        method=method,
        separation=separated,
        coefficients=(*slopes, intercept),
        loglike=found.loglike,
        covariance=covariance,
        fitted=fitted,
        flic_intercept=prediction,
        auc=area_under_curve(y, linear),
    )


def predict_probability(
    fit: LogisticFit, predictors: ArrayLike, level: float = 0.95
) -> tuple[Vector, Vector, Vector]:
    """Probability at new predictors with a pointwise Wald band on the logit scale.

    The covariance is the inverse Fisher information at the estimate; after Firth
    the intercept of the prediction is that of FLIC.

    Parameters
    ----------
    fit
        A fitted model.
    predictors
        Predictors, shape (m, k).

    Returns
    -------
    tuple of numpy.ndarray
        Probability, lower and upper limit, each of shape (m,).
    """
    from scipy.special import ndtri

    if fit.reason or fit.covariance is None:
        raise ValueError(f"there is no fit to predict from ({fit.reason})")
    x = as_columns(predictors)
    slopes = np.array([item.estimate for item in fit.coefficients[:-1]])
    linear = x @ slopes + fit.flic_intercept
    design = np.column_stack([x, np.ones(x.shape[0])])
    half = float(ndtri(0.5 + level / 2)) * np.sqrt(
        np.einsum("ij,jk,ik->i", design, fit.covariance, design)
    )
    return expit(linear), expit(linear - half), expit(linear + half)


def _with_interval(
    intercept: Coefficient, engine: Any, y: Vector, scaled: Vector, level: float
) -> Coefficient:
    # The intercept of centred predictors is another quantity: this fit is not centred.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = engine(y, scaled, [scaled.shape[1]], level)
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(intercept, reason="NOCONV")
    (low, high), p = found.limits[0], found.p[0]
    failed = "" if np.isfinite([low, high, p]).all() else "NOCONV"
    return replace(intercept, low=low, high=high, p=p, reason=failed)


def _refuse(y: Vector, x: Vector) -> str:
    if y.size == 0:
        return "NOSUBJ"
    if y.sum() == 0:
        return "NOEVENT"
    if y.sum() == y.size:
        return "ALLEVENT"
    if is_constant(x):
        return "CONSTANT"
    return "COLLIN" if detect_collinearity(x) else ""


def _flic(y: Vector, linear: Vector) -> float:
    """Intercept at which the fitted probabilities add up to the events, slopes held."""
    from scipy.optimize import brentq

    def excess(intercept: float) -> float:
        return float(expit(linear + intercept).sum() - y.sum())

    centre, width = -float(linear.mean()), 1.0 + float(np.ptp(linear))
    while excess(centre - width) > 0 or excess(centre + width) < 0:
        width *= 2
    return float(brentq(excess, centre - width, centre + width, xtol=1e-13, rtol=1e-13))
