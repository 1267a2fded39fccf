"""Logistic regression of a binary outcome: maximum likelihood and Firth's penalty.

Predictors are centred and scaled before a fit and the estimates scaled back:
both likelihoods are equivariant to that, and the iterations of neither are sure on
raw exposures. Intervals are profile likelihood intervals, tests likelihood ratio
tests; with the penalty both are of the penalised likelihood.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.association import area_under_curve
from celldossier.stats.likelihood import ProfileError, likelihood_ratio_p, profile_limits

if TYPE_CHECKING:
    from firthmodels import FirthLogisticRegression
    from statsmodels.discrete.discrete_model import Logit

Method = Literal["ML", "FIRTH"]
INTERCEPT = "(Intercept)"
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of a model: log odds per unit of its predictor.

    An interval and a test that were asked for and are NaN have the reason ``NOCONV``:
    an iteration did not end.
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


def choose_method(events: int, n: int, n_slopes: int, firth_below: float) -> Method:
    """Method by event count, before anything is fitted.

    Firth where the rarer outcome has fewer than `firth_below` subjects per slope.
    """
    return "FIRTH" if min(events, n - events) < firth_below * n_slopes else "ML"


def detect_separation(outcome: ArrayLike, predictors: ArrayLike) -> bool:
    """Whether the outcome is separated, completely or quasi-completely, by the predictors.

    References
    ----------
    Konis K (2007), DPhil thesis, Oxford: linear programme, as in firthmodels.
    """
    from firthmodels import detect_separation as detect

    y, x = np.asarray(outcome, dtype=float), _matrix(predictors)
    return bool(detect(_standardise(x)[0], y.astype(int)).separation)


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
    y, x = np.asarray(outcome, dtype=float), _matrix(predictors)
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
    engine = _fit_firth if method == "FIRTH" else _fit_ml
    z, centre, scale = _standardise(x)
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
    fitted = _expit(linear + prediction)
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
    x = _matrix(predictors)
    slopes = np.array([item.estimate for item in fit.coefficients[:-1]])
    linear = x @ slopes + fit.flic_intercept
    design = np.column_stack([x, np.ones(x.shape[0])])
    half = float(ndtri(0.5 + level / 2)) * np.sqrt(
        np.einsum("ij,jk,ik->i", design, fit.covariance, design)
    )
    return _expit(linear), _expit(linear - half), _expit(linear + half)


@dataclass(frozen=True)
class _Estimates:
    """Estimates on the scale of the fit: slopes, then the intercept."""

    params: Vector
    covariance: Vector
    limits: list[tuple[float, float]]
    p: list[float]
    loglike: float


def _fit_ml(y: Vector, z: Vector, wanted: Sequence[int], level: float) -> _Estimates:
    from statsmodels.discrete.discrete_model import Logit

    model = Logit(y, np.column_stack([z, np.ones(y.size)]))
    start = np.zeros(z.shape[1] + 1)
    params = _maximise(model, start, fixed=None)
    maximum = float(model.loglike(params))
    covariance = np.linalg.inv(-model.hessian(params))
    limits, p_values = [], []
    for j in wanted:

        def profile(value: float, j: int = j) -> float:
            point = params.copy()
            point[j] = value
            return float(model.loglike(_maximise(model, point, fixed=j)))

        se = math.sqrt(covariance[j, j])
        limits.append(profile_limits(profile, float(params[j]), se, maximum, level))
        p_values.append(likelihood_ratio_p(maximum, profile(0.0)))
    return _Estimates(params, covariance, limits, p_values, maximum)


def _maximise(model: Logit, start: Vector, fixed: int | None) -> Vector:
    """Newton's method with step halving on the concave log likelihood of statsmodels."""
    with np.errstate(over="ignore", divide="ignore"):
        return _newton(model, start, fixed)


def _newton(model: Logit, start: Vector, fixed: int | None) -> Vector:
    params = start.copy()
    free = np.array([j for j in range(params.size) if j != fixed], dtype=int)
    value = float(model.loglike(params))
    for _ in range(200):
        # Newton may overshoot to probabilities of 0; the halving below brings it back.
        score = model.score(params)[free]
        step = np.linalg.solve(-model.hessian(params)[np.ix_(free, free)], score)
        decrement = float(score @ step)
        trial = params.copy()
        trial[free] += step
        if decrement < 1e-12 * max(1.0, abs(value)):
            # The last step squares an error that is below 1e-6 standard errors already.
            return trial
        while (trial_value := float(model.loglike(trial))) < value:
            step = step / 2
            if float(np.abs(step).max()) < 1e-14:
                raise ProfileError("the likelihood does not rise along Newton's step")
            trial = params.copy()
            trial[free] += step
        params, value = trial, trial_value
    raise ProfileError("Newton's method did not end in 200 steps")


TOLERANCES = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
"""Gradients at which a Firth iteration ends: where rounding forbids the first, the next.

The last one is that of logistf.
"""


def _fit_firth(y: Vector, z: Vector, wanted: Sequence[int], level: float) -> _Estimates:
    models = _firth_models(y, z)
    best = next(models, None)
    if best is None:
        raise ProfileError("the penalised likelihood was not maximised at any tolerance")
    fitted = [best]
    params = np.append(best.coef_, float(best.intercept_))
    design = np.column_stack([z, np.ones(y.size)])
    weight = _expit(design @ params)
    covariance = np.asarray(
        np.linalg.inv(design.T @ (design * (weight * (1 - weight))[:, None])), dtype=float
    )
    limits, p_values = [], []
    for j in wanted:
        low = high = p = math.nan
        position = 0
        while math.isnan(p):
            if position == len(fitted):
                # The limits did not converge so tightly: the next, looser fit.
                looser = next(models, None)
                if looser is None:
                    break
                fitted.append(looser)
            model, position = fitted[position], position + 1
            with suppress(UserWarning):
                interval = model.conf_int(
                    alpha=1 - level, method="pl", features=[j], max_iter=100, tol=10 * model.gtol
                )[j]
                low, high = float(interval[0]), float(interval[1])
                p = float(model.lrt([j]).lrt_pvalues_[j])
        limits.append((low, high))
        p_values.append(p)
    return _Estimates(params, covariance, limits, p_values, float(best.loglik_))


def _firth_models(y: Vector, z: Vector) -> Iterator[FirthLogisticRegression]:
    """Converged fits, from the tightest tolerance to the loosest, each when it is needed."""
    from firthmodels import FirthLogisticRegression

    for tolerance in TOLERANCES:
        model = FirthLogisticRegression(
            backend="numpy", max_iter=100, gtol=tolerance, xtol=tolerance
        )
        with suppress(UserWarning):  # firthmodels' ConvergenceWarning, raised as an error
            yield model.fit(z, y.astype(int))


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


def _matrix(predictors: ArrayLike) -> Vector:
    x = np.asarray(predictors, dtype=float)
    return x[:, None] if x.ndim == 1 else x


def _standardise(x: Vector) -> tuple[Vector, Vector, Vector]:
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return (x - centre) / scale, centre, scale


def _refuse(y: Vector, x: Vector) -> str:
    if y.size == 0:
        return "NOSUBJ"
    if y.sum() == 0:
        return "NOEVENT"
    if y.sum() == y.size:
        return "ALLEVENT"
    limit = 1e-12 * np.maximum(1.0, np.abs(x).max(axis=0))
    if (np.ptp(x, axis=0) <= limit).any():
        return "CONSTANT"
    z = np.column_stack([_standardise(x)[0], np.ones(y.size)])
    if y.size < z.shape[1] or np.linalg.matrix_rank(z, tol=1e-8 * math.sqrt(y.size)) < z.shape[1]:
        return "COLLIN"
    return ""


def _expit(values: Vector) -> Vector:
    from scipy.special import expit

    return np.asarray(expit(values), dtype=float)


def _flic(y: Vector, linear: Vector) -> float:
    """Intercept at which the fitted probabilities add up to the events, slopes held."""
    from scipy.optimize import brentq

    def excess(intercept: float) -> float:
        return float(_expit(linear + intercept).sum() - y.sum())

    centre, width = -float(linear.mean()), 1.0 + float(np.ptp(linear))
    while excess(centre - width) > 0 or excess(centre + width) < 0:
        width *= 2
    return float(brentq(excess, centre - width, centre + width, xtol=1e-13, rtol=1e-13))
