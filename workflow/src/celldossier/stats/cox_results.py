"""What a fit of a Cox model gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.cox_likelihood import RiskSets, Ties, Vector

Method = Literal["ML", "FIRTH"]


@dataclass(frozen=True)
class HazardCoefficient:
    """One coefficient of a Cox model: log hazard ratio per unit of its covariate.

    `low`, `high` and `p` are of the (penalised) profile likelihood. Where they were asked
    for and are NaN, the reason is ``NOCONV``: an iteration did not end.
    """

    name: str
    estimate: float
    se: float
    wald_low: float
    wald_high: float
    wald_p: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    reason: str = ""


@dataclass(frozen=True)
class ModelTest:
    """A test that all coefficients are 0."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class CoxData:
    """Rows of a fit as they were used: covariates as given, observed in (start, stop]."""

    covariates: Vector
    start: Vector
    stop: Vector
    event: NDArray[np.bool_]
    stratum: NDArray[np.intp]
    sets: RiskSets


@dataclass(frozen=True)
class CoxFit:
    """A fitted Cox model, or the reason why there is none.

    `reason` is blank for a fit; else ``NOSUBJ`` (no row), ``NOEVENT``, ``CONSTANT`` (a
    covariate does not vary among those at risk at any event), ``COLLIN`` (there the
    covariates are linearly dependent), ``MONOTONE`` (monotone likelihood: no maximum
    likelihood estimate exists), or ``NOCONV`` (the iterations did not end).
    """

    n: int
    """Rows."""
    events: int
    method: Method
    ties: Ties
    monotone: bool = False
    """Whether the likelihood without the penalty is monotone."""
    reason: str = ""
    coefficients: tuple[HazardCoefficient, ...] = ()
    loglike_null: float = math.nan
    loglike: float = math.nan
    wald: ModelTest | None = None
    score: ModelTest | None = None
    """Score test; None with the penalty."""
    covariance: Vector | None = field(default=None, repr=False, compare=False)
    """Inverse of the information at the estimates, shape (p, p)."""
    data: CoxData | None = field(default=None, repr=False, compare=False)

    def coefficient(self, name: str) -> HazardCoefficient:
        """The coefficient of that name."""
        return next(item for item in self.coefficients if item.name == name)

    @property
    def estimates(self) -> Vector:
        """Estimates of all coefficients, in the order of the covariates."""
        return np.array([item.estimate for item in self.coefficients])
