"""Emax and sigmoid models of a continuous or a binary outcome, beside the log-linear model.

    g(outcome) = E0 + Emax C^h / (EC50^h + C^h) + covariates

with g the identity (least squares) or the logit (maximum likelihood); h = 1, or estimated.
For a given EC50 and h the model is linear in all else, so that the likelihood is maximised
there and followed over ln EC50: every point of a grid is a start, and the interval of EC50
comes from the same profile. Where the profile does not fall on both sides, or its maximum
lies outside the observed exposures, EC50 and Emax cannot be told from the data and are not
given.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.likelihood import ProfileError
from celldossier.stats.penalised_likelihood import expit
from celldossier.stats.predictors import as_columns, is_constant, standardise

Vector = NDArray[np.float64]
Outcome = Literal["CONTINUOUS", "BINARY"]
HILL_RANGE = (0.3, 10.0)
GRID = 41
"""Starts along ln EC50."""


@dataclass(frozen=True)
class EmaxModel:
    """A fitted Emax or sigmoid model, or the reason why it is not one.

    `reason` is blank for a fit; else ``NOSUBJ``, ``NOEVENT``, ``ALLEVENT``, ``FEWSUBJ`` (no
    degree of freedom left), ``CONSTANT``, ``COLLIN``, ``SEPAR``, ``NOCONV``, ``EC50OUT``
    (the maximum lies outside the observed exposures) or ``EC50FLAT`` (the profile of EC50 has
    no limit on one side). The likelihoods stand in the last two cases too.
    """

    n: int
    events: float
    """Number of events; NaN for a continuous outcome."""
    sigmoid: bool
    reason: str = ""
    e0: float = math.nan
    emax: float = math.nan
    ec50: float = math.nan
    ec50_low: float = math.nan
    ec50_high: float = math.nan
    hill: float = math.nan
    sd_residual: float = math.nan
    covariates: tuple[float, ...] = ()
    loglike: float = math.nan
    aicc: float = math.nan
    loglike_linear: float = math.nan
    aicc_linear: float = math.nan
    """Of the model that is linear in ln C."""


def estimate_emax(
    outcome: ArrayLike,
    exposure: ArrayLike,
    kind: Outcome,
    covariates: ArrayLike | None = None,
    *,
    sigmoid: bool = False,
    level: float = 0.95,
    search_fold: float = 100.0,
) -> EmaxModel:
    """Fit an Emax (or sigmoid) model and the log-linear model beside it.

    Parameters
    ----------
    outcome, exposure
        Outcome (0 or 1 where binary) and positive exposure, shape (n,).
    kind
        ``CONTINUOUS`` or ``BINARY``.
    covariates
        Columns that enter linearly, shape (n, k), without missing values.
    sigmoid
        Whether the Hill exponent is estimated (0.3 to 10), else 1.
    level
        Confidence level of the profile likelihood interval of EC50.
    search_fold
        EC50 is sought from the lowest exposure over this to the highest times this.

    References
    ----------
    Golub GH, Pereyra V (1973), SIAM J Numer Anal 10:413-432 (linear parameters profiled
    out); Hurvich CM, Tsai CL (1989), Biometrika 76:297-307 (AICc).
    """
    y, c = np.asarray(outcome, dtype=float), np.asarray(exposure, dtype=float)
    x = np.zeros((y.size, 0)) if covariates is None else as_columns(covariates)
    if c.shape != y.shape or len(x) != y.size:
        raise ValueError(f"{y.size} outcomes, {c.size} exposures, {len(x)} rows of covariates")
    if not (c > 0).all() or np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("an Emax model takes complete rows and positive exposures")
    if kind == "BINARY" and not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("a binary outcome is 0 or 1")
    events = float(y.sum()) if kind == "BINARY" else math.nan
    empty = EmaxModel(y.size, events, sigmoid)
    reason = _refuse(y, np.log(c), x, kind, 3 + int(sigmoid))
    if reason:
        return replace(empty, reason=reason)
    z, centre, scale = standardise(x)
    profile = _Profile(y, np.log(c), z, kind, sigmoid)
    with warnings.catch_warnings():
        # Whatever the iterations complain of is a failed fit; no text may leak.
        warnings.simplefilter("error")
        try:
            return _fit(empty, profile, centre, scale, level, search_fold)
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(empty, reason="NOCONV")


def _fit(
    empty: EmaxModel,
    profile: _Profile,
    centre: Vector,
    scale: Vector,
    level: float,
    search_fold: float,
) -> EmaxModel:
    from scipy.optimize import minimize_scalar
    from scipy.special import chdtri

    low, high = float(profile.log_c.min()), float(profile.log_c.max())
    grid = np.linspace(low - math.log(search_fold), high + math.log(search_fold), GRID)
    heights = np.array([profile.loglike(value) for value in grid])
    best = int(heights.argmax())
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)])
    found = minimize_scalar(
        lambda value: -profile.loglike(value),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-9},
    )
    log_ec50 = float(found.x)
    maximum, beta, hill = profile.solve(log_ec50)
    linear, _ = profile.maximise(profile.log_c)
    width = 2 + profile.x.shape[1] + (1 if profile.kind == "CONTINUOUS" else 0)
    done = replace(
        empty,
        loglike=maximum,
        aicc=_aicc(maximum, width + 1 + int(empty.sigmoid), empty.n),
        loglike_linear=linear,
        aicc_linear=_aicc(linear, width, empty.n),
    )
    if not low <= log_ec50 <= high:
        return replace(done, reason="EC50OUT")
    target = maximum - float(chdtri(1, 1 - level)) / 2
    limits = [profile.limit(log_ec50, edge, target) for edge in (grid[0], grid[-1])]
    if any(math.isnan(limit) for limit in limits):
        return replace(done, reason="EC50FLAT")
    slopes = beta[2:] / scale
    return replace(
        done,
        e0=float(beta[0] - slopes @ centre),
        emax=float(beta[1]),
        ec50=math.exp(log_ec50),
        ec50_low=math.exp(limits[0]),
        ec50_high=math.exp(limits[1]),
        hill=hill,
        sd_residual=_residual_sd(maximum, empty.n, width + int(empty.sigmoid), profile.kind),
        covariates=tuple(float(value) for value in slopes),
    )


@dataclass
class _Profile:
    """Log likelihood over ln EC50, maximised over all else."""

    y: Vector
    log_c: Vector
    x: Vector
    kind: Outcome
    sigmoid: bool

    def loglike(self, log_ec50: float) -> float:
        """Profile log likelihood at a value of ln EC50."""
        return self.solve(log_ec50)[0]

    def solve(self, log_ec50: float) -> tuple[float, Vector, float]:
        """Log likelihood, E0, Emax and covariates, and the Hill exponent."""
        if not self.sigmoid:
            return *self._at(log_ec50, 1.0), 1.0
        from scipy.optimize import minimize_scalar

        def deficit(log_hill: float) -> float:
            return -self._at(log_ec50, math.exp(log_hill))[0]

        grid = np.linspace(math.log(HILL_RANGE[0]), math.log(HILL_RANGE[1]), 9)
        best = int(np.argmin([deficit(each) for each in grid]))
        bounds = (grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)])
        found = minimize_scalar(deficit, bounds=bounds, method="bounded", options={"xatol": 1e-8})
        hill = math.exp(float(found.x))
        return *self._at(log_ec50, hill), hill

    def _at(self, log_ec50: float, hill: float) -> tuple[float, Vector]:
        shift, column = self._effect(log_ec50, hill)
        value, beta = self.maximise(column)
        # E0 + Emax (1 + column) = (E0 + Emax) + Emax column.
        return value, np.concatenate([[beta[0] - shift * beta[1]], beta[1:]])

    def limit(self, estimate: float, edge: float, target: float) -> float:
        """Where the profile falls to the target between estimate and edge; NaN if nowhere."""
        from scipy.optimize import brentq

        # The first crossing from the estimate: the profile may rise again beyond it.
        points = np.linspace(estimate, edge, 2 * GRID)
        inner = points[0]
        for outer in points[1:]:
            if self.loglike(outer) < target:
                return float(
                    brentq(lambda value: self.loglike(value) - target, inner, outer, xtol=1e-9)
                )
            inner = outer
        return math.nan

    def maximise(self, column: Vector) -> tuple[float, Vector]:
        """Maximum over what is linear, for a given column of the exposure."""
        centre, scale = float(column.mean()), float(column.std())
        if not scale > 0:
            # Beyond floating-point numbers the column is constant: no effect of the exposure.
            centre, scale = 0.0, 1.0
            column = np.zeros(column.size)
        design = np.column_stack([np.ones(self.y.size), (column - centre) / scale, self.x])
        if self.kind == "CONTINUOUS":
            beta = np.linalg.lstsq(design, self.y, rcond=None)[0]
            rest = self.y - design @ beta
            variance = float(rest @ rest) / self.y.size
            if not variance > 1e-24 * max(1.0, float(self.y @ self.y) / self.y.size):
                raise ProfileError("the model leaves no residual variation")
            value = -self.y.size / 2 * (math.log(2 * math.pi * variance) + 1)
        else:
            value, beta = self._newton(design)
        slope = beta[1] / scale
        return value, np.concatenate([[beta[0] - slope * centre, slope], beta[2:]])

    def _effect(self, log_ec50: float, hill: float) -> tuple[float, Vector]:
        """Effect between 0 and 1 as a shift and a column.

        Near 1 its variation is that of the complement, which would drown in rounding.
        """
        distance = hill * (self.log_c - log_ec50)
        if float(np.median(distance)) < 0:
            return 0.0, expit(distance)
        return 1.0, -expit(-distance)

    def _newton(self, design: Vector) -> tuple[float, Vector]:
        """Newton's method with step halving on the concave logistic likelihood."""
        beta = np.zeros(design.shape[1])
        value, leap = self._logistic(design @ beta), 5.0
        for _ in range(200):
            fitted = expit(design @ beta)
            score = design.T @ (self.y - fitted)
            information = design.T @ (design * (fitted * (1 - fitted))[:, None])
            # A steep column may separate single subjects: the likelihood then levels off, and
            # the little ridge keeps the steps finite until it has.
            step = np.linalg.solve(information + 1e-9 * np.eye(beta.size), score)
            # Where fitted probabilities are 0 or 1 the information says nothing: no leaps at first.
            step *= min(1.0, leap / max(float(np.abs(design @ step).max()), 1e-12))
            leap *= 2
            if float(score @ step) < 1e-10:
                beta = beta + step
                return self._logistic(design @ beta), beta
            while (reached := self._logistic(design @ (beta + step))) < value - 1e-12:
                step = step / 2
                if float(np.abs(step).max()) < 1e-12:
                    return value, beta
            beta, gain, value = beta + step, reached - value, reached
            if gain < 1e-12 * max(1.0, abs(value)):
                return value, beta
        # A column that is steep at the edge of the data: the likelihood still creeps up with an
        # ever larger slope. What was reached is a lower bound, far from any bounded EC50.
        return value, beta

    def _logistic(self, linear: Vector) -> float:
        return -float(np.logaddexp(0.0, np.where(self.y == 1, -linear, linear)).sum())


def predict_emax(model: EmaxModel, exposure: ArrayLike, covariates: Sequence[float] = ()) -> Vector:
    """Mean (or log odds) of a fitted model at exposures and one set of covariates.

    Parameters
    ----------
    model
        A fitted model.
    exposure
        Exposures above 0, in the unit of the fit, shape (m,).
    covariates
        Values of the covariates of the model, shape (k,); none: the terms are left out.

    Raises
    ------
    ValueError
        If the model has no fit.
    """
    if model.reason:
        raise ValueError(f"there is no fit to predict from ({model.reason})")
    effect = expit(model.hill * (np.log(np.asarray(exposure, dtype=float)) - math.log(model.ec50)))
    shift = float(np.dot(model.covariates, covariates)) if model.covariates else 0.0
    return np.asarray(model.e0 + model.emax * effect + shift, dtype=float)


def _residual_sd(loglike: float, n: int, coefficients: int, kind: Outcome) -> float:
    """Residual standard deviation behind a normal log likelihood, by its degrees of freedom."""
    if kind == "BINARY":
        return math.nan
    variance = math.exp(-2 * loglike / n - 1) / (2 * math.pi)
    return math.sqrt(variance * n / (n - coefficients))


def _aicc(loglike: float, parameters: int, n: int) -> float:
    """Akaike's criterion with its correction for small samples; NaN where n is too small."""
    if n - parameters - 1 <= 0:
        return math.nan
    correction = 2 * parameters * (parameters + 1) / (n - parameters - 1)
    return -2 * loglike + 2 * parameters + correction


def _refuse(y: Vector, log_c: Vector, x: Vector, kind: Outcome, parameters: int) -> str:
    from celldossier.stats.logistic import detect_separation

    if y.size == 0:
        return "NOSUBJ"
    if kind == "BINARY" and y.sum() in (0, y.size):
        return "NOEVENT" if y.sum() == 0 else "ALLEVENT"
    if y.size < parameters + x.shape[1] + 3 or np.unique(log_c).size < parameters + 1:
        return "CONSTANT" if np.ptp(log_c) == 0 else "FEWSUBJ"
    columns = np.column_stack([log_c, x])
    if is_constant(columns) or is_constant(y):
        return "CONSTANT"
    scaled = standardise(columns)[0]
    if np.linalg.matrix_rank(scaled, tol=1e-8 * math.sqrt(y.size)) < columns.shape[1]:
        return "COLLIN"
    return "SEPAR" if kind == "BINARY" and detect_separation(y, columns) else ""
