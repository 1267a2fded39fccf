"""Linear mixed models of repeated values: random intercept, or intercept and slope in time.

The likelihood is profiled over fixed effects and residual variance, and maximised over the
relative Cholesky factor of the random effects. All subjects are handled at once by
products of q by q matrices. Time is centred and scaled for the fit: with an unstructured
covariance of intercept and slope that changes nothing but the numbers of the iteration.
statsmodels' MixedLM stops short of the maximum of Orthodont (a matter of its scaling), so
that it serves the tests as a second evaluation of the likelihood, not the fit.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.mixed_likelihood import (
    MixedCriterion,
    make_factor,
    minimise_criterion,
)
from celldossier.stats.predictors import is_constant

Vector = NDArray[np.float64]
Random = Literal["INTERCEPT", "INTERCEPT_SLOPE"]
SINGULAR_BELOW = 1e-4
"""Relative standard deviation of a random effect (to the residual) that counts as none."""


@dataclass(frozen=True)
class FixedEffect:
    """A fixed effect with its t test; degrees of freedom as in R's lme."""

    name: str
    estimate: float
    se: float
    df: float
    t: float
    p: float
    low: float
    high: float


@dataclass(frozen=True)
class MixedModel:
    """A fitted mixed model, or the reason why there is none.

    `reason` is blank for a fit; else ``FEWSUBJ`` (fewer than three subjects, no subject
    with two values, or no degree of freedom left), ``CONSTANT`` (the response does not vary,
    or not beyond the model), ``COLLIN`` (fixed effects linearly dependent), ``SINGULAR``
    (a variance of 0, or a correlation of -1 or 1, of the random effects) or ``NOCONV``. A
    singular fit keeps its estimates; the caller judges.
    """

    n_subjects: int
    n_values: int
    random: Random
    reason: str = ""
    effects: tuple[FixedEffect, ...] = ()
    covariance: Vector | None = None
    """Covariance of the fixed effects."""
    sd_intercept: float = math.nan
    sd_slope: float = math.nan
    correlation: float = math.nan
    sd_residual: float = math.nan
    loglike: float = math.nan
    """Restricted (REML) or full log likelihood."""
    gradient: float = math.nan
    """Largest derivative of the criterion at the estimate (how well it converged)."""

    def effect(self, name: str) -> FixedEffect:
        """The fixed effect of that name."""
        return next(item for item in self.effects if item.name == name)


def estimate_mixed_model(
    response: ArrayLike,
    subject: ArrayLike,
    fixed: ArrayLike,
    names: Sequence[str],
    time: ArrayLike | None = None,
    *,
    reml: bool = True,
    level: float = 0.95,
) -> MixedModel:
    """Fit a linear mixed model.

    Parameters
    ----------
    response, subject
        Values and their subjects, shape (n,).
    fixed, names
        Columns of the fixed effects with that of the intercept, shape (n, k), and names.
    time
        Times of the random slope; None: a random intercept alone.
    reml
        Restricted maximum likelihood, else maximum likelihood.
    level
        Confidence level of the t intervals.

    References
    ----------
    Bates D et al. (2015), J Stat Softw 67(1), section 3 (profiled criterion);
    Pinheiro JC, Bates DM (2000), Mixed-Effects Models in S and S-PLUS, section 2.4.2
    (degrees of freedom: an effect that is constant within every subject is tested
    between subjects, any other within).
    """
    y, x = np.asarray(response, dtype=float), np.asarray(fixed, dtype=float)
    who, group = np.unique(np.asarray(subject, dtype=object).astype(str), return_inverse=True)
    kind: Random = "INTERCEPT" if time is None else "INTERCEPT_SLOPE"
    if x.shape != (y.size, len(names)) or group.size != y.size:
        raise ValueError(f"{x.shape} fixed effects, {len(names)} names, {y.size} values")
    if np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("a mixed model takes complete rows")
    empty = MixedModel(who.size, y.size, kind)
    z = np.ones((y.size, 1))
    centre, scale = 0.0, 1.0
    if time is not None:
        t = np.asarray(time, dtype=float)
        centre, scale = float(t.mean()), float(t.std())
        if not scale > 1e-12 * max(1.0, abs(centre)):
            return replace(empty, reason="CONSTANT")
        z = np.column_stack([z, (t - centre) / scale])
    reason = _refuse(y, x, group, who.size)
    if reason:
        return replace(empty, reason=reason)
    spread = float(y.std())
    # Orthogonal columns of size 1, and the response without them: whatever the origin and the
    # units of the fixed effects, the iteration has the same numbers.
    size = math.sqrt(y.size)
    width = np.sqrt((x**2).mean(axis=0))
    basis, root = np.linalg.qr(x / width)
    basis, root = basis * size, root / size * width
    start = basis.T @ (y / spread) / y.size
    criterion = MixedCriterion(y / spread - basis @ start, basis, z, group, who.size, reml)
    with warnings.catch_warnings():
        # Whatever the iterations complain of is a failed fit; no text may leak.
        warnings.simplefilter("error")
        try:
            theta, gradient = minimise_criterion(criterion)
            deviance, beta, unscaled, variance = criterion.solve(theta)
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(empty, reason="NOCONV")
    inverse = np.linalg.inv(root)
    beta = inverse @ (beta + start) * spread
    covariance = inverse @ unscaled @ inverse.T * variance * spread**2
    if not reml:
        # lme's adjustment of the standard errors under full maximum likelihood.
        covariance *= y.size / (y.size - x.shape[1])
    factor = make_factor(theta, z.shape[1])
    # Intercept and slope at time 0 in units of time, from those at the mean in units of SD.
    back = np.array([[1.0, -centre / scale], [0.0, 1 / scale]])[: z.shape[1], : z.shape[1]]
    random_root = back @ factor * math.sqrt(variance) * spread
    random_covariance = random_root @ random_root.T
    sd = np.sqrt(np.diag(random_covariance))
    singular = bool(np.min(np.abs(np.diag(factor))) < SINGULAR_BELOW)
    p = x.shape[1]
    loglike = -deviance / 2 - (y.size - (p if reml else 0)) * math.log(spread)
    if reml:
        # The restricted likelihood holds the determinant of X'V^-1 X, which scales with X.
        loglike -= float(np.log(np.abs(np.diag(root))).sum())
    df = _degrees_of_freedom(x, group, who.size)
    if not (df > 0).all():
        return replace(empty, reason="FEWSUBJ")
    effects = _test(beta, np.sqrt(np.diag(covariance)), df, names, level)
    return replace(
        empty,
        reason="SINGULAR" if singular else "",
        effects=effects,
        covariance=covariance,
        sd_intercept=float(sd[0]),
        sd_slope=float(sd[1]) if z.shape[1] > 1 else math.nan,
        correlation=(
            float(random_covariance[0, 1] / (sd[0] * sd[1]))
            if z.shape[1] > 1 and sd.min() > 0
            else math.nan
        ),
        sd_residual=math.sqrt(variance) * spread,
        loglike=loglike,
        gradient=gradient,
    )


def _refuse(y: Vector, x: Vector, group: NDArray[np.int64], n_groups: int) -> str:
    if n_groups < 3 or y.size <= n_groups or y.size <= x.shape[1] + 1:
        return "FEWSUBJ"
    if is_constant(y):
        return "CONSTANT"
    scale = np.sqrt((x**2).mean(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(x / scale, tol=1e-8 * math.sqrt(y.size)) < (
        x.shape[1]
    ):
        return "COLLIN"
    return ""


def _degrees_of_freedom(x: Vector, group: NDArray[np.int64], n_groups: int) -> Vector:
    """Degrees of freedom of each effect by the level at which it varies.

    Between subjects: subjects less the effects that are constant within each, intercept
    included. Within: values less subjects less the effects that vary within; the intercept
    is tested with those, as lme does.
    """
    first = np.zeros(n_groups, dtype=int)
    first[group[::-1]] = np.arange(group.size)[::-1]
    inner = (np.abs(x - x[first][group]) > 1e-12 * np.maximum(1.0, np.abs(x).max(axis=0))).any(
        axis=0
    )
    intercept = np.ptp(x, axis=0) == 0
    within = x.shape[0] - n_groups - int(inner.sum())
    between = n_groups - int((~inner).sum())
    return np.where(inner | intercept, within, between).astype(float)


def _test(
    beta: Vector, se: Vector, df: Vector, names: Sequence[str], level: float
) -> tuple[FixedEffect, ...]:
    from scipy.special import stdtr, stdtrit

    t = beta / se
    p = 2 * stdtr(df, -np.abs(t))
    half = stdtrit(df, 0.5 + level / 2) * se
    return tuple(
        FixedEffect(
            name,
            *(float(v[j]) for v in (beta, se, df, t, p, beta - half, beta + half)),
        )
        for j, name in enumerate(names)
    )
