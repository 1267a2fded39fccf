"""Cox proportional hazards model: maximum partial likelihood and Firth's penalty.

Rows are subjects, or intervals (start, stop] of subjects whose covariates change.
Covariates are centred and scaled before a fit and the estimates scaled back.
Intervals are profile likelihood intervals, tests likelihood ratio tests, with the penalty
both of the penalised likelihood; Wald's stand beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.cox_likelihood import (
    PartialLikelihood,
    Point,
    RiskSets,
    Ties,
    Vector,
    derive_risk_sets,
    maximise,
)
from celldossier.stats.cox_results import CoxData, CoxFit, HazardCoefficient, Method, ModelTest
from celldossier.stats.likelihood import ProfileError, likelihood_ratio_p, profile_limits
from celldossier.stats.predictors import as_columns, is_constant, standardise

FEW = 2
"""Events per covariate up to which a second maximum of the penalised likelihood is looked for."""

FLAT = 1e-8
"""Share of the information at 0 below which a maximum is suspected to lie at infinity."""


def hazard_ratio(log_hazard: float) -> float:
    """Hazard ratio of a log; NaN (reason ``OVERFLOW``) outside the range of numbers."""
    return math.exp(log_hazard) if log_hazard < 700 else math.nan


def estimate_cox(
    stop: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    names: Sequence[str],
    method: Method = "ML",
    *,
    start: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    ties: Ties = "EFRON",
    level: float = 0.95,
    keep_firth_when_monotone: bool = True,
    tested: Sequence[str] | None = None,
) -> CoxFit:
    """Fit a Cox model.

    Parameters
    ----------
    stop
        Time of the event or of censoring, or the end of the interval, shape (n,). Who is
        censored at the time of an event counts as at risk at it.
    event
        Whether `stop` is the time of an event.
    covariates
        Shape (n, p); no missing values.
    names
        Names of the p covariates.
    method
        ``ML`` or ``FIRTH``. Where the likelihood is monotone, ML gives way to Firth (or is
        refused with ``MONOTONE`` if `keep_firth_when_monotone` is False, or with exact ties).
    start
        Beginning of the interval, not part of it; None: under observation from the first.
    stratum
        Strata, each with a baseline hazard of its own.
    ties
        ``EFRON``, ``BRESLOW``, or ``EXACT`` (discrete time; not with Firth's penalty).
    level
        Confidence level.
    tested
        Covariates whose profile interval and test are wanted; None: all of them.

    References
    ----------
    Cox DR (1972), J R Stat Soc B 34:187-220; Firth's penalty and its profile limits under a
    monotone likelihood: Heinze G, Schemper M (2001), Biometrics 57:114-119.
    """
    data = _read(stop, event, covariates, names, start, stratum)
    if method == "FIRTH" and ties == "EXACT":
        raise ValueError("Firth's penalty is not defined here for exact ties")
    empty = CoxFit(data.stop.size, int(data.event.sum()), method, ties)
    if data.stop.size == 0 or not data.event.any():
        return replace(empty, reason="NOEVENT" if data.stop.size else "NOSUBJ")
    among = data.covariates[data.sets.at_risk.any(axis=0)]
    _, centre, scale = standardise(among)
    z = (data.covariates - centre) / scale
    plain = PartialLikelihood(data.sets, z, ties)
    zero = np.zeros(z.shape[1])
    refusal = _refuse(among, plain.evaluate(zero).information)
    if refusal:
        return replace(empty, reason=refusal)
    try:
        params, maximum = maximise(plain, zero)
        failed = ""
        share = _least_share(maximum.information, plain.evaluate(zero).information)
    except (ProfileError, np.linalg.LinAlgError):
        failed, share = "NOCONV", 0.0
    monotone = share <= FLAT and detect_monotone(data.sets, z, ties)
    empty = replace(empty, monotone=monotone)
    if monotone and method == "ML":
        if not keep_firth_when_monotone or ties == "EXACT":
            return replace(empty, reason="MONOTONE")
        method = "FIRTH"
    elif failed and method == "ML":
        return replace(empty, reason=failed)
    empty = replace(empty, method=method)
    likelihood = plain
    if method == "FIRTH":
        likelihood = PartialLikelihood(data.sets, z, ties, penalised=True)
        try:
            params, maximum = maximise(likelihood, zero)
        except (ProfileError, np.linalg.LinAlgError):
            return replace(empty, reason="NOCONV")
        if empty.events <= FEW * len(names):
            params, maximum = _look_around(likelihood, params, maximum)
    null = likelihood.evaluate(zero)
    covariance = np.linalg.inv(maximum.information)
    # The determinant of the information is of the covariates as given.
    constant = float(np.log(scale).sum()) if method == "FIRTH" else 0.0
    coefficients = []
    for j, name in enumerate(names):
        item = _wald(name, float(params[j]), math.sqrt(covariance[j, j]), level)
        if tested is None or name in tested:
            item = _with_profile(item, likelihood, params, j, maximum.value, level)
        coefficients.append(_scaled(item, float(scale[j])))
    df = len(names)
    return replace(
        empty,
        coefficients=tuple(coefficients),
        loglike_null=null.value + constant,
        loglike=maximum.value + constant,
        wald=_test(float(params @ maximum.information @ params), df),
        score=(
            _test(float(null.score @ np.linalg.solve(null.information, null.score)), df)
            if method == "ML"
            else None
        ),
        covariance=covariance / np.outer(scale, scale),
        data=data,
    )


def detect_monotone(sets: RiskSets, covariates: Vector, ties: Ties) -> bool:
    """Whether the likelihood rises without end in some direction of the coefficients.

    That is so where a combination of the covariates is highest, at each event, in who
    has it, and not always in all at risk.

    Parameters
    ----------
    sets
        Risk sets of n rows, from `derive_risk_sets`.
    covariates
        Covariates of the rows, shape (n, k).
    ties
        How ties are treated: with ``EXACT``, who fails is compared with the others at risk.

    References
    ----------
    Bryson MC, Johnson ME (1981), Technometrics 23:381-383; found by a linear programme as
    separation is for the logistic model (Konis K 2007).
    """
    from scipy.optimize import linprog

    others = sets.at_risk & ~sets.failing if ties == "EXACT" else sets.at_risk
    gaps = [
        (covariates[failing][:, None] - covariates[rest][None]).reshape(-1, covariates.shape[1])
        for failing, rest in zip(sets.failing, others, strict=True)
    ]
    gap = np.unique(np.concatenate(gaps), axis=0)
    gap = gap[np.abs(gap).max(axis=1) > 0]
    if not gap.size:
        return False
    found = linprog(-gap.sum(axis=0), A_ub=-gap, b_ub=np.zeros(len(gap)), bounds=(-1, 1))
    return bool(found.status == 0 and float((gap @ found.x).max()) > 1e-5)


def _read(
    stop: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    names: Sequence[str],
    start: ArrayLike | None,
    stratum: ArrayLike | None,
) -> CoxData:
    end = np.asarray(stop, dtype=float)
    x = as_columns(covariates)
    begin = np.full(end.shape, -math.inf) if start is None else np.asarray(start, dtype=float)
    failed = np.asarray(event)
    group = np.zeros(end.shape) if stratum is None else np.asarray(stratum)
    if x.shape != (end.size, len(names)) or not names:
        raise ValueError(f"{x.shape[1]} covariates and {len(names)} names for {end.size} rows")
    if not end.shape == begin.shape == failed.shape == group.shape:
        raise ValueError("each row needs its times, its event and its stratum")
    if not (np.isfinite(x).all() and np.isfinite(end).all()) or not np.isin(failed, (0, 1)).all():
        raise ValueError("a Cox model takes complete rows and an event of 0 or 1")
    if not (begin < end).all():
        raise ValueError("an interval ends after it starts")
    code = np.unique(group, return_inverse=True)[1].astype(np.intp)
    failed = failed.astype(bool)
    return CoxData(x, begin, end, failed, code, derive_risk_sets(begin, end, failed, code))


def _refuse(among: Vector, information: Vector) -> str:
    """Reason why no estimate exists whatever the method: the information is singular."""
    spread = np.sqrt(np.maximum(np.diag(information), 0))
    if is_constant(among) or (spread < 1e-7).any():
        return "CONSTANT"
    least = float(np.linalg.eigvalsh(information / np.outer(spread, spread))[0])
    return "COLLIN" if least < 1e-10 else ""


def _least_share(information: Vector, reference: Vector) -> float:
    """Smallest share of the reference information that is left in any direction."""
    factor = np.linalg.inv(np.linalg.cholesky(reference))
    return float(np.linalg.eigvalsh(factor @ information @ factor.T)[0])


def _test(statistic: float, df: int) -> ModelTest:
    from scipy.special import chdtrc

    return ModelTest(statistic, df, float(chdtrc(df, max(0.0, statistic))))


def _wald(name: str, estimate: float, se: float, level: float) -> HazardCoefficient:
    from scipy.special import ndtr, ndtri

    half = float(ndtri(0.5 + level / 2)) * se
    p = 2 * float(ndtr(-abs(estimate / se)))
    return HazardCoefficient(name, estimate, se, estimate - half, estimate + half, p)


def _look_around(
    likelihood: PartialLikelihood, params: Vector, point: Point
) -> tuple[Vector, Point]:
    """The highest of the maxima that are reached from around a first one.

    With fewer events than covariates the penalised likelihood may have several.
    """
    se = np.sqrt(np.diag(np.linalg.inv(point.information)))
    best, highest = params, point
    for shift in np.concatenate([np.diag(se) * size for size in (-3.0, -1.5, 1.5, 3.0)]):
        with suppress(ProfileError, np.linalg.LinAlgError):
            other, found = maximise(likelihood, params + shift)
            if found.value > highest.value + 1e-8 * max(1.0, abs(highest.value)):
                best, highest = other, found
    return best, highest


def _with_profile(
    item: HazardCoefficient,
    likelihood: PartialLikelihood,
    params: Vector,
    j: int,
    maximum: float,
    level: float,
) -> HazardCoefficient:
    # From the nearest point so far: with few events the penalised profile has to be followed.
    known = {item.estimate: params}

    def profile(value: float) -> float:
        point = known[min(known, key=lambda other: abs(other - value))].copy()
        point[j] = value
        known[value], found = maximise(likelihood, point, fixed=j)
        if found.value > maximum + 1e-8 * max(1.0, abs(maximum)):
            raise ProfileError("the penalised likelihood has another, higher maximum")
        return found.value

    try:
        low, high = profile_limits(profile, item.estimate, item.se, maximum, level)
        if any(
            abs(likelihood_ratio_p(maximum, profile(x)) - 1 + level) > 1e-5 for x in (low, high)
        ):
            raise ProfileError("the profile jumps over its limit")
        return replace(item, low=low, high=high, p=likelihood_ratio_p(maximum, profile(0.0)))
    except (ProfileError, np.linalg.LinAlgError):
        return replace(item, reason="NOCONV")


def _scaled(item: HazardCoefficient, scale: float) -> HazardCoefficient:
    return replace(
        item,
        estimate=item.estimate / scale,
        se=item.se / scale,
        wald_low=item.wald_low / scale,
        wald_high=item.wald_high / scale,
        low=item.low / scale,
        high=item.high / scale,
    )
