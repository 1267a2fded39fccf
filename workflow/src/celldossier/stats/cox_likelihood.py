"""Partial likelihood of the Cox model with its maximisation, and Firth's penalty on it.

Sums over the risk sets are products with a matrix of (event time, row), so that
right-censored rows, rows of intervals (start, stop] and strata take one path. Memory
grows with event times times rows: hundreds of subjects, not millions. firthmodels has
Firth's penalty for Breslow's ties without intervals and strata only: tests hold this
against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.likelihood import ProfileError

Ties = Literal["EFRON", "BRESLOW", "EXACT"]
Vector = NDArray[np.float64]

DENSE = 4_000_000
"""Entries up to which a matrix of risk sets is dense; above it is sparse."""

MAX_STEPS = 300
CONVERGED = 1e-18
"""Newton decrement (squared distance from the maximum in standard errors) of an end."""
ACCEPTED = 1e-12
"""Decrement of an end where rounding forbids a smaller one."""


@dataclass(frozen=True)
class RiskSets:
    """Who is at risk, and who has the event, at each event time of each stratum.

    Attributes
    ----------
    time, stratum
        Event time and code of the stratum of each of k risk sets, in this order: stratum,
        then time.
    at_risk, failing
        Whether a row is at risk, and whether it has the event then, shape (k, n).
    """

    time: Vector
    stratum: NDArray[np.intp]
    at_risk: NDArray[np.bool_]
    failing: NDArray[np.bool_]


def derive_risk_sets(
    start: Vector, stop: Vector, event: NDArray[np.bool_], stratum: NDArray[np.intp]
) -> RiskSets:
    """Risk sets of rows that are under observation in (start, stop].

    Parameters
    ----------
    start, stop
        Ends of the time under observation of each row, in one unit, shape (n,).
    event
        Whether the row ends with the event, shape (n,).
    stratum
        Number of the stratum of each row, from 0, shape (n,).

    Returns
    -------
    RiskSets
        One set for each time at which an event occurs in a stratum.
    """
    keys = np.unique(np.column_stack([stratum[event], stop[event]]), axis=0)
    code, time = keys[:, 0].astype(np.intp), np.asarray(keys[:, 1], dtype=float)
    same, at = code[:, None] == stratum, time[:, None]
    return RiskSets(time, code, same & (start < at) & (stop >= at), same & event & (stop == at))


@dataclass(frozen=True)
class Steps:
    """Terms of the partial likelihood: one an event, or one a risk set (exact ties).

    Attributes
    ----------
    place
        Position of the risk set.
    log_total
        Logarithm of the denominator of the term.
    mean, variance
        Its first and second derivative: mean, shape (s, p), and covariance, (s, p, p), of
        the covariates of who has the event, given the risk set.
    """

    place: NDArray[np.intp]
    log_total: Vector
    mean: Vector
    variance: Vector


@dataclass(frozen=True)
class Point:
    """Log likelihood, its gradient, and the information matrix at some coefficients."""

    value: float
    score: Vector
    information: Vector


class PartialLikelihood:
    """Log partial likelihood, with Firth's penalty where it is asked for.

    Parameters
    ----------
    sets
        Risk sets.
    covariates
        Shape (n, p); best standardised.
    ties
        Treatment of tied events.
    penalised
        Whether half the log determinant of the information is added (not with exact ties).

    References
    ----------
    Efron B (1977), J Am Stat Assoc 72:557-565; Breslow N (1974), Biometrics 30:89-99; exact:
    Cox DR (1972), J R Stat Soc B 34:187-220, denominators by the recursion of Gail MH, Lubin
    JH, Rubinstein LV (1981), Biometrika 68:703-707. Penalty: Heinze G, Schemper M (2001),
    Biometrics 57:114-119.
    """

    def __init__(
        self, sets: RiskSets, covariates: Vector, ties: Ties, penalised: bool = False
    ) -> None:
        if penalised and ties == "EXACT":
            raise ValueError("Firth's penalty is not defined here for exact ties")
        # Who is at risk at no event has no part, and must not set the scale of the weights.
        used = sets.at_risk.any(axis=0)
        sets = RiskSets(sets.time, sets.stratum, sets.at_risk[:, used], sets.failing[:, used])
        covariates = covariates[used]
        self.sets, self.covariates, self.ties, self.penalised = sets, covariates, ties, penalised
        n, p = covariates.shape
        count = sets.failing.sum(axis=1)
        event = sets.failing.any(axis=0)
        self.event = event
        self.observed = covariates[event].sum(axis=0)
        self._single = np.arange(count.size)
        if ties == "EXACT":
            self._single = np.flatnonzero(count == 1)
            count = np.where(count == 1, 1, 0)
        self.place = np.repeat(np.arange(count.size), count)
        first = np.repeat(np.cumsum(count) - count, count)
        share = (np.arange(self.place.size) - first) / count[self.place]
        self.share = share if ties == "EFRON" else np.zeros_like(share)
        self._at_risk, self._failing = _matrix(sets.at_risk), _matrix(sets.failing)
        square = covariates[:, :, None] * covariates[:, None, :]
        # What is summed over a risk set: 1, the covariates, and their products.
        self._terms = np.column_stack([np.ones(n), covariates, square.reshape(n, p * p)])

    def _sum(self, values: Vector) -> Vector:
        """Sums over the risk set of each step; Efron's takes a share of the failing off."""
        total = (self._at_risk @ values)[self.place]
        if self.ties == "EFRON" and self.share.any():
            total = total - self.share[:, None] * (self._failing @ values)[self.place]
        return np.asarray(total, dtype=float)

    def steps(self, params: Vector) -> Steps:
        """Terms of the likelihood at some coefficients."""
        linear = self.covariates @ params
        shift = float(linear.max())
        weight = np.exp(linear - shift)
        p = params.size
        sums = self._sum(weight[:, None] * self._terms)
        total = sums[:, 0]
        mean = sums[:, 1 : p + 1] / total[:, None]
        variance = sums[:, p + 1 :].reshape(-1, p, p) / total[:, None, None]
        variance = variance - mean[:, :, None] * mean[:, None, :]
        found = Steps(self.place, np.log(total) + shift, mean, variance)
        if self.ties == "EXACT" and self._single.size < self.sets.time.size:
            found = _join(found, self._exact(weight, shift))
        return found

    def _exact(self, weight: Vector, shift: float) -> Steps:
        """Terms of the risk sets with ties: sums over all subsets that could have failed."""
        tied = np.flatnonzero(self.sets.failing.sum(axis=1) > 1)
        at_risk = self.sets.at_risk[tied]
        count = self.sets.failing[tied].sum(axis=1)
        z, k, most, p = self.covariates, tied.size, int(count.max()), self.covariates.shape[1]
        total, first = np.zeros((k, most + 1)), np.zeros((k, most + 1, p))
        second = np.zeros((k, most + 1, p, p))
        total[:, 0] = 1.0
        for i in np.flatnonzero(at_risk.any(axis=0)):
            x, w = z[i], weight[i] * at_risk[:, i, None]
            cross = first[:, :-1, :, None] * x
            pairs = cross + np.swapaxes(cross, 2, 3) + total[:, :-1, None, None] * np.outer(x, x)
            second[:, 1:] += w[..., None, None] * (second[:, :-1] + pairs)
            first[:, 1:] += w[..., None] * (first[:, :-1] + total[:, :-1, None] * x)
            total[:, 1:] += w * total[:, :-1]
        row = np.arange(k)
        denominator = total[row, count]
        mean = first[row, count] / denominator[:, None]
        variance = second[row, count] / denominator[:, None, None]
        variance = variance - mean[:, :, None] * mean[:, None, :]
        return Steps(tied, np.log(denominator) + count * shift, mean, variance)

    def evaluate(self, params: Vector) -> Point:
        """Log likelihood with its derivatives; a value of -inf where none can be computed."""
        with np.errstate(all="ignore"):
            found = self.steps(params)
            linear = self.covariates @ params
            value = float(linear[self.event].sum() - found.log_total.sum())
            score = self.observed - found.mean.sum(axis=0)
            information = found.variance.sum(axis=0)
            if self.penalised:
                sign, logarithm = np.linalg.slogdet(information)
                if not (sign > 0 and math.isfinite(logarithm)):
                    return Point(-math.inf, score, information)
                value += 0.5 * float(logarithm)
                score = score + 0.5 * self._penalty_score(linear, found, information)
        if not (math.isfinite(value) and np.isfinite(score).all()):
            value = -math.inf
        return Point(value, score, information)

    def curvature(self, params: Vector, point: Point) -> Vector:
        """Negative second derivative: the information, with the penalty by differences.

        The penalty bends the likelihood so much with few events that steps by the information
        alone go back and forth without end. Where the curvature is not that of a hill, the
        information stands for it.
        """
        if not self.penalised:
            return point.information
        step = 1e-5
        found = np.empty_like(point.information)
        for j in range(params.size):
            ahead, behind = params.copy(), params.copy()
            ahead[j], behind[j] = params[j] + step, params[j] - step
            change = self.evaluate(behind).score - self.evaluate(ahead).score
            found[j] = change / (2 * step)
        found = (found + found.T) / 2
        hill = bool(np.isfinite(found).all()) and float(np.linalg.eigvalsh(found)[0]) > 0
        return found if hill else point.information

    def _penalty_score(self, linear: Vector, found: Steps, information: Vector) -> Vector:
        """Gradient of the log determinant: the third cumulants times the inverse information."""
        inverse, z = np.linalg.inv(information), self.covariates
        weight = np.exp(linear - linear.max())
        form = np.einsum("ij,jk,ik->i", z, inverse, z)
        values = np.column_stack([np.ones(linear.size), form, form[:, None] * z])
        sums = self._sum(weight[:, None] * values)
        mean_form, mean_product = sums[:, 1] / sums[:, 0], sums[:, 2:] / sums[:, :1]
        skew = mean_product - mean_form[:, None] * found.mean
        bent = np.einsum("srt,rq,sq->st", found.variance, inverse, found.mean)
        return np.asarray((skew - 2 * bent).sum(axis=0), dtype=float)


def maximise(
    likelihood: PartialLikelihood, start: Vector, fixed: int | None = None
) -> tuple[Vector, Point]:
    """Newton's method with step halving; one coefficient may be held.

    Parameters
    ----------
    likelihood
        Partial likelihood of k covariates.
    start
        Coefficients from which the search sets out, shape (k,).
    fixed
        Position of the coefficient that keeps its value; None: all are free.

    Returns
    -------
    tuple
        Coefficients at the maximum, shape (k,), and the likelihood there.

    Raises
    ------
    ProfileError
        If the iterations do not end.
    """
    params, point = start.copy(), likelihood.evaluate(start)
    free = np.array([j for j in range(params.size) if j != fixed], dtype=int)
    decrement = 0.0 if not free.size else math.inf
    for _ in range(MAX_STEPS if free.size else 0):
        if not math.isfinite(point.value):
            raise ProfileError("the likelihood cannot be computed")
        score = point.score[free]
        curvature = likelihood.curvature(params, point)
        step = np.linalg.solve(curvature[np.ix_(free, free)], score)
        decrement = float(score @ step)
        if 0 <= decrement < CONVERGED:
            break
        least = point.value - 1e-13 * max(1.0, abs(point.value))
        for _ in range(40):
            trial = params.copy()
            trial[free] += step
            found = likelihood.evaluate(trial)
            if found.value >= least:
                break
            step = step / 2
        else:
            break
        params, point = trial, found
    if not 0 <= decrement < ACCEPTED:
        raise ProfileError("Newton's method did not end")
    return params, point


def _matrix(mask: NDArray[np.bool_]) -> Any:
    if mask.size <= DENSE:
        return mask.astype(float)
    from scipy.sparse import csr_array

    return csr_array(mask, dtype=float)


def _join(first: Steps, second: Steps) -> Steps:
    return Steps(
        np.concatenate([first.place, second.place]),
        np.concatenate([first.log_total, second.log_total]),
        np.concatenate([first.mean, second.mean]),
        np.concatenate([first.variance, second.variance]),
    )
