"""Estimates over multiply imputed predictors, pooled by Rubin's rules.

Rubin's rules take the estimates as normal, which maximum likelihood estimates of enough
data are. Under Firth's penalty, with few events, they are skewed: `estimate_clip` is for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.logistic import Coefficient, LogisticFit, Method, estimate_logistic


@dataclass(frozen=True)
class PooledCoefficient(Coefficient):
    """A coefficient over all imputations; a reason of its own is ``FEWIMPUT`` or ``NOCONV``."""

    df: float = math.nan
    """Degrees of freedom of Barnard and Rubin; infinite for large complete data."""
    missing_information: float = math.nan
    """Fraction of the information that is missing."""


@dataclass(frozen=True)
class PooledFit:
    """A logistic model over all imputations, or the reason why there is none.

    `reason` is that of the first imputation that has no fit, as in `LogisticFit`.
    """

    n: int
    events: int
    imputations: int
    method: str
    separation: bool = False
    """Whether the outcome is separated in an imputation."""
    reason: str = ""
    coefficients: tuple[PooledCoefficient, ...] = ()

    def coefficient(self, name: str) -> PooledCoefficient:
        """The coefficient of that name."""
        return next(item for item in self.coefficients if item.name == name)


def pool_estimates(
    name: str,
    estimates: ArrayLike,
    variances: ArrayLike,
    complete_df: float = math.inf,
    level: float = 0.95,
) -> PooledCoefficient:
    """Pool one coefficient by Rubin's rules.

    Parameters
    ----------
    name
        Name of the coefficient.
    estimates, variances
        Estimate and its squared standard error in each imputation, shape (m,).
    complete_df
        Degrees of freedom that the test would have without missing values.
    level
        Confidence level.

    Returns
    -------
    PooledCoefficient
        With the reason ``FEWIMPUT``, and the estimate only, for a single imputation.

    References
    ----------
    Rubin DB (1987), Multiple Imputation for Nonresponse in Surveys, Wiley; degrees of
    freedom: Barnard J, Rubin DB (1999), Biometrika 86:948-955.
    """
    from scipy.special import stdtr, stdtrit

    q, u = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if q.size == 0 or q.shape != u.shape or not (u > 0).all():
        raise ValueError(f"{q.size} estimates and {u.size} positive variances are needed")
    m, estimate = q.size, float(q.mean())
    if m < 2:
        return PooledCoefficient(name, estimate, reason="FEWIMPUT")
    within, between = float(u.mean()), (1 + 1 / m) * float(q.var(ddof=1))
    total = within + between
    share = between / total
    df = (m - 1) / share**2 if share > 1e-12 else math.inf
    if math.isfinite(complete_df):
        observed = (complete_df + 1) / (complete_df + 3) * complete_df * within / total
        df = df * observed / (df + observed) if math.isfinite(df) else observed
    se, increase = math.sqrt(total), between / within
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    return PooledCoefficient(
        name,
        estimate,
        se,
        estimate - half,
        estimate + half,
        float(2 * stdtr(df, -abs(estimate) / se)),
        df=df,
        missing_information=(increase + 2 / (df + 3)) / (increase + 1),
    )


def estimate_pooled_logistic(
    outcome: ArrayLike, imputed: Sequence[ArrayLike], names: Sequence[str], level: float = 0.95
) -> PooledFit:
    """Logistic regression by maximum likelihood, pooled by Rubin's rules.

    Refused with ``SEPAR`` where an imputation is separated. Complete data would have
    n - k - 1 degrees of freedom.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,), the same in all imputations.
    imputed
        Predictors of each imputation, shape (n, k).
    names
        Names of the k predictors.
    level
        Confidence level.
    """
    fits = fit_each_imputation(outcome, imputed, names, "ML")
    pooled = summarise_fits(fits, "ML")
    if pooled.reason:
        return pooled
    coefficients = []
    for j, name in enumerate(item.name for item in fits[0].coefficients):
        terms = [fit.coefficients[j] for fit in fits]
        coefficients.append(
            pool_estimates(
                name,
                [term.estimate for term in terms],
                [term.se**2 for term in terms],
                fits[0].n - len(names) - 1,
                level,
            )
        )
    return replace(pooled, coefficients=tuple(coefficients))


def fit_each_imputation(
    outcome: ArrayLike, imputed: Sequence[ArrayLike], names: Sequence[str], method: Method
) -> list[LogisticFit]:
    """The model of each imputation by one method, without intervals and tests.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,), the same in all imputations.
    imputed
        Predictors of each imputation, shape (n, k).
    names
        Names of the k predictors.
    method
        ``ML`` (refused with ``SEPAR`` where an imputation is separated) or ``FIRTH``.
    """
    if not imputed:
        raise ValueError("there is no imputation to fit")
    return [
        estimate_logistic(outcome, x, names, method, keep_firth_when_separated=False, tested=[])
        for x in imputed
    ]


def summarise_fits(fits: Sequence[LogisticFit], method: str) -> PooledFit:
    """What the fits of all imputations have in common, or why one of them failed."""
    first = fits[0]
    return PooledFit(
        first.n,
        first.events,
        len(fits),
        method,
        separation=any(fit.separation for fit in fits),
        reason=next((fit.reason for fit in fits if fit.reason), ""),
    )
