"""What is read off a fitted Cox model: proportional hazards, concordance, survival."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.cox_likelihood import PartialLikelihood, Steps, Vector
from celldossier.stats.cox_results import CoxData, CoxFit, ModelTest

Transform = Literal["KM", "IDENTITY", "LOG", "RANK"]
GLOBAL = "GLOBAL"


@dataclass(frozen=True)
class Concordance:
    """Share of comparable pairs in which the higher hazard has the event first.

    `se` is that of the infinitesimal jackknife; NaN where rows are intervals and nobody says
    whose they are, as a subject's rows are not independent.
    """

    value: float
    se: float
    pairs: int


@dataclass(frozen=True)
class PredictedSurvival:
    """Survival at given covariates, at each event time of one stratum.

    The limits are pointwise, by log(-log); NaN where survival is 0 or 1.
    """

    time: Vector
    cumulative_hazard: Vector
    se: Vector
    """Standard error of the cumulative hazard."""
    survival: Vector
    low: Vector
    high: Vector


def test_proportional_hazards(fit: CoxFit, transform: Transform = "KM") -> dict[str, ModelTest]:
    """Test whether coefficients change with time, one by one and together (``GLOBAL``).

    Score tests of covariate times g(time) added to the model, which weigh the Schoenfeld
    residuals; g is the transform of the event times, by default 1 minus Kaplan-Meier just
    before the time. After Firth's penalty the score of the fit itself is not 0 and is left
    out, so that what is tested is the trend of the residuals alone.

    References
    ----------
    Grambsch PM, Therneau TM (1994), Biometrika 81:515-526, as the score test of R's
    survival::cox.zph from version 3 on.
    """
    from scipy.special import chdtrc

    data, steps = likelihood_steps(fit)
    k, p = data.sets.time.size, data.covariates.shape[1]
    count = data.sets.failing.sum(axis=1)
    expected, variance = np.zeros((k, p)), np.zeros((k, p, p))
    np.add.at(expected, steps.place, steps.mean)
    np.add.at(variance, steps.place, steps.variance)
    residual = data.sets.failing.astype(float) @ data.covariates - expected
    g = _transform_times(data, transform)
    g = g - float((g * count).sum() / count.sum())
    slope = (g[:, None] * residual).sum(axis=0)
    plain = variance.sum(axis=0)
    cross = (g[:, None, None] * variance).sum(axis=0)
    square = (g[:, None, None] ** 2 * variance).sum(axis=0)
    # Information about the slopes that is not shared with the coefficients.
    own = square - cross @ np.linalg.solve(plain, cross)

    def judge(statistic: float, df: int) -> ModelTest:
        return ModelTest(statistic, df, float(chdtrc(df, statistic)))

    missing = ModelTest(math.nan, 1, math.nan)
    limit = 1e-10 * np.diag(square)
    found = {
        item.name: (judge(float(slope[j] ** 2 / own[j, j]), 1) if own[j, j] > limit[j] else missing)
        for j, item in enumerate(fit.coefficients)
    }
    spread = np.sqrt(np.maximum(np.diag(own), 0))
    regular = (np.diag(own) > limit).all() and (
        np.linalg.eigvalsh(own / np.outer(spread, spread))[0] > 1e-10
    )
    found[GLOBAL] = (
        judge(float(slope @ np.linalg.solve(own, slope)), p)
        if regular
        else ModelTest(math.nan, p, math.nan)
    )
    return found


def estimate_concordance(fit: CoxFit, subject: ArrayLike | None = None) -> Concordance:
    """Concordance of the linear predictor and the times, within strata.

    A pair is comparable if one has the event while the other is at risk and does not have it
    then. Equal predictors count half.

    Parameters
    ----------
    fit
        A fitted model.
    subject
        Whose each row is, shape (n,): rows of one subject are summed for the standard error.

    References
    ----------
    Harrell FE et al. (1982), JAMA 247:2543-2546; standard error as R survival::concordance
    (infinitesimal jackknife, with `cluster` where a subject has several rows).
    """
    data = _data(fit)
    linear = (data.covariates - data.covariates.mean(axis=0)) @ fit.estimates
    near = 1e-10 * max(1.0, float(np.abs(linear).max()))
    scored, compared = np.zeros(linear.size), np.zeros(linear.size)
    total = agreed = 0.0
    for at_risk, failing in zip(data.sets.at_risk, data.sets.failing, strict=True):
        first, other = np.flatnonzero(failing), np.flatnonzero(at_risk & ~failing)
        gap = linear[first][:, None] - linear[other]
        value = np.where(np.abs(gap) <= near, 0.5, (gap > 0).astype(float))
        total, agreed = total + value.size, agreed + float(value.sum())
        scored[first] += value.sum(axis=1)
        compared[first] += other.size
        scored[other] += value.sum(axis=0)
        compared[other] += first.size
    if not total:
        return Concordance(math.nan, math.nan, 0)
    concordance = agreed / total
    influence = (scored - concordance * compared) / total
    if subject is not None:
        whose = np.unique(np.asarray(subject), return_inverse=True)[1]
        if whose.size != influence.size:
            raise ValueError("each row needs its subject")
        influence = np.bincount(whose, weights=influence).astype(np.float64)
    alone = subject is not None or bool(np.isneginf(data.start).all())
    se = math.sqrt(float((influence**2).sum())) if alone else math.nan
    return Concordance(concordance, se, int(total))


def predict_survival(
    fit: CoxFit, covariates: ArrayLike, *, stratum: int = 0, level: float = 0.95
) -> PredictedSurvival:
    """Survival of a subject whose covariates stay as given.

    Parameters
    ----------
    fit
        A fitted model (not with exact ties).
    covariates
        Covariates of the subject, shape (p,).
    stratum
        Position of the stratum among the sorted strata.
    level
        Confidence level.

    References
    ----------
    Breslow N (1972), J R Stat Soc B 34:216-217 (with Efron's ties, the hazard whose
    denominators are those of the likelihood); variance: Tsiatis AA (1981), Ann Stat 9:93-108.
    """
    from scipy.special import ndtri

    data, steps = likelihood_steps(fit)
    if fit.ties == "EXACT" or fit.covariance is None:
        raise ValueError("there is no baseline hazard with exact ties")
    x = np.asarray(covariates, dtype=float)
    place = np.flatnonzero(data.sets.stratum == stratum)
    ours = np.isin(steps.place, place)
    at = np.searchsorted(place, steps.place[ours])
    hazard = np.exp(float(x @ fit.estimates) - steps.log_total[ours])
    increments = [hazard, hazard**2, *((hazard[:, None] * (x - steps.mean[ours])).T)]
    sums = np.array([np.bincount(at, item, minlength=place.size) for item in increments])
    running = np.cumsum(sums, axis=1)
    gradient = running[2:].T
    variance = running[1] + np.einsum("ij,jk,ik->i", gradient, fit.covariance, gradient)
    cumulative, se = running[0], np.sqrt(variance)
    survival = np.exp(-cumulative)
    inside = (survival > 0) & (survival < 1)
    width = float(ndtri(0.5 + level / 2)) * se / np.where(inside, cumulative, np.nan)
    with np.errstate(over="ignore"):
        low, high = survival ** np.exp(width), survival ** np.exp(-width)
    return PredictedSurvival(data.sets.time[place], cumulative, se, survival, low, high)


def _data(fit: CoxFit) -> CoxData:
    if fit.data is None:
        raise ValueError(f"there is no fit to look at ({fit.reason})")
    return fit.data


def likelihood_steps(fit: CoxFit) -> tuple[CoxData, Steps]:
    """Terms of the likelihood at the estimates, of the covariates as given."""
    data = _data(fit)
    centre = data.covariates.mean(axis=0)
    likelihood = PartialLikelihood(data.sets, data.covariates - centre, fit.ties)
    steps = likelihood.steps(fit.estimates)
    count = data.sets.failing.sum(axis=1)[steps.place] if fit.ties == "EXACT" else 1
    moved = float(centre @ fit.estimates) * count
    mean = steps.mean + np.multiply.outer(np.broadcast_to(count, steps.place.shape), centre)
    return data, Steps(steps.place, steps.log_total + moved, mean, steps.variance)


def _transform_times(data: CoxData, transform: Transform) -> Vector:
    time = data.sets.time
    if transform == "IDENTITY":
        return time
    if transform == "LOG":
        return np.asarray(np.log(time), dtype=float)
    if transform == "RANK":
        from scipy.stats import rankdata

        # Rank of the time among the ends of all rows, censored ones too (as in R).
        ranks = rankdata(data.stop)
        distinct, first = np.unique(data.stop, return_index=True)
        return np.asarray(ranks[first][np.searchsorted(distinct, time)], dtype=float)
    distinct = np.unique(time)
    at_risk = ((data.start < distinct[:, None]) & (data.stop >= distinct[:, None])).sum(axis=1)
    failed = (data.event & (data.stop == distinct[:, None])).sum(axis=1)
    before = np.concatenate([[1.0], np.cumprod(1 - failed / at_risk)[:-1]])
    return np.asarray(1 - before[np.searchsorted(distinct, time)], dtype=float)
