"""Regression of counts on a log link with an offset: Poisson and negative binomial (NB2).

The rate is the count over the time of follow-up; a coefficient is a log rate ratio per
unit of its predictor. Intervals are profile likelihood intervals, tests likelihood ratio
tests. Predictors are centred and scaled before a fit and the estimates scaled back.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.likelihood import ProfileError, likelihood_ratio_p, profile_limits
from celldossier.stats.logistic import Coefficient
from celldossier.stats.predictors import as_columns, is_constant, standardise

Vector = NDArray[np.float64]
Distribution = Literal["POISSON", "NEGBIN"]
ALPHA_RANGE = (1e-8, 1e4)
"""Dispersions among which the negative binomial maximum is sought."""


@dataclass(frozen=True)
class CountModel:
    """A fitted count model, or the reason why there is none.

    `reason` is blank for a fit; else ``NOSUBJ``, ``NOEVENT`` (all counts are 0),
    ``CONSTANT`` (a predictor does not vary), ``COLLIN`` (linearly dependent predictors),
    ``SEPAR`` (no maximum likelihood estimate exists) or ``NOCONV``.
    """

    n: int
    total: float
    """Sum of the counts."""
    follow_up: float
    """Sum of the times of follow-up."""
    distribution: Distribution
    reason: str = ""
    coefficients: tuple[Coefficient, ...] = ()
    """Log rate ratios, then the log rate per unit of time at predictors of 0."""
    loglike: float = math.nan
    alpha: float = math.nan
    """Dispersion: the variance is mean + alpha mean squared; 0 for Poisson."""

    def coefficient(self, name: str) -> Coefficient:
        """The coefficient of that name."""
        return next(item for item in self.coefficients if item.name == name)


@dataclass(frozen=True)
class OverdispersionTest:
    """Test of Poisson against the negative binomial; NaN with a reason where there is none."""

    statistic: float
    p: float
    pearson: float
    """Pearson chi-squared of the Poisson fit over its degrees of freedom."""
    alpha: float
    reason: str = ""


def estimate_count_model(
    counts: ArrayLike,
    follow_up: ArrayLike,
    predictors: ArrayLike,
    names: Sequence[str],
    distribution: Distribution,
    *,
    level: float = 0.95,
    tested: Sequence[str] | None = None,
) -> CountModel:
    """Fit a count model with intercept and offset ln(follow-up).

    Parameters
    ----------
    counts, follow_up
        Whole numbers from 0, and the positive time in which they were counted, shape (n,).
    predictors, names
        Predictors, shape (n, k), without missing values, and their names.
    distribution
        ``POISSON``, or ``NEGBIN``: NB2 with its dispersion by maximum likelihood.
    level
        Confidence level.
    tested
        Predictors whose interval and test are wanted; None: all of them.

    References
    ----------
    Cameron AC, Trivedi PK (2013), Regression Analysis of Count Data, chapter 3.
    """
    y, time, x = _checked(counts, follow_up, predictors, names)
    empty = CountModel(y.size, float(y.sum()), float(time.sum()), distribution)
    reason = _refuse(y, x)
    if reason:
        return replace(empty, reason=reason)
    z, centre, scale = standardise(x)
    design = np.column_stack([z, np.ones(y.size)])
    likelihood = _Likelihood(y, design, np.log(time), distribution)
    with warnings.catch_warnings():
        # Whatever the iterations complain of is a failed fit; no text may leak.
        warnings.simplefilter("error")
        try:
            params, alpha, maximum = likelihood.maximise()
            covariance = likelihood.covariance(params, alpha)
            coefficients = []
            for j, name in enumerate(names):
                se = math.sqrt(covariance[j, j])
                low = high = p = math.nan
                if tested is None or name in tested:

                    def profile(value: float, j: int = j) -> float:
                        return likelihood.maximise(fixed=(j, value))[2]

                    low, high = profile_limits(profile, float(params[j]), se, maximum, level)
                    p = likelihood_ratio_p(maximum, profile(0.0))
                coefficients.append(
                    Coefficient(
                        name,
                        float(params[j] / scale[j]),
                        se / float(scale[j]),
                        low / float(scale[j]),
                        high / float(scale[j]),
                        p,
                    )
                )
        except (Warning, ArithmeticError, np.linalg.LinAlgError):
            return replace(empty, reason="NOCONV")
    back = np.append(-centre / scale, 1.0)
    intercept = Coefficient(
        "(Intercept)", float(back @ params), math.sqrt(float(back @ covariance @ back))
    )
    return replace(
        empty, coefficients=(*coefficients, intercept), loglike=maximum, alpha=float(alpha)
    )


def check_overdispersion(
    counts: ArrayLike, follow_up: ArrayLike, predictors: ArrayLike, names: Sequence[str]
) -> OverdispersionTest:
    """Likelihood ratio test of the Poisson model against the negative binomial.

    The dispersion 0 lies on the border of its range, so that the statistic is a mixture in
    equal parts of 0 and of chi-squared with one degree of freedom: p is halved.

    Parameters
    ----------
    counts
        Events of each subject, whole numbers, shape (n,).
    follow_up
        Time under observation, above 0, in any one unit, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    names
        Names of the k predictors.

    Returns
    -------
    OverdispersionTest
        With Pearson's chi-squared of the Poisson model over its degrees of freedom; NaN with
        a reason where one of the models has no fit.

    References
    ----------
    Self SG, Liang KY (1987), J Am Stat Assoc 82:605-610.
    """
    y, time, x = _checked(counts, follow_up, predictors, names)
    nan = math.nan
    poisson = estimate_count_model(y, time, x, names, "POISSON", tested=())
    if poisson.reason:
        return OverdispersionTest(nan, nan, nan, nan, poisson.reason)
    negative = estimate_count_model(y, time, x, names, "NEGBIN", tested=())
    if negative.reason:
        return OverdispersionTest(nan, nan, nan, nan, negative.reason)
    slopes = np.array([item.estimate for item in poisson.coefficients])
    mean = time * np.exp(np.column_stack([x, np.ones(y.size)]) @ slopes)
    df = y.size - slopes.size
    pearson = float(((y - mean) ** 2 / mean).sum()) / df if df > 0 else nan
    statistic = max(0.0, 2 * (negative.loglike - poisson.loglike))
    p = likelihood_ratio_p(negative.loglike, poisson.loglike) / 2 if statistic > 0 else 1.0
    if df <= 0:
        return OverdispersionTest(statistic, nan, nan, negative.alpha, "FEWSUBJ")
    return OverdispersionTest(statistic, p, pearson, negative.alpha)


@dataclass
class _Likelihood:
    """Log likelihood of a count model and its maximum, all or all but one coefficient free."""

    y: Vector
    design: Vector
    offset: Vector
    distribution: Distribution

    def __post_init__(self) -> None:
        from scipy.special import gammaln

        self._constant = float(gammaln(self.y + 1).sum())
        self._start = np.zeros(self.design.shape[1])
        self._start[-1] = math.log(self.y.sum()) - math.log(np.exp(self.offset).sum())

    def value(self, linear: Vector, alpha: float) -> float:
        """Log likelihood; the ratio of gamma functions as a sum, exact also near Poisson."""
        if alpha == 0.0:
            return float((self.y * linear - np.exp(linear)).sum()) - self._constant
        steps = np.concatenate([[0.0], np.cumsum(np.log1p(alpha * np.arange(self.y.max())))])
        rising = steps[self.y.astype(int)]
        tail = np.logaddexp(0.0, linear + math.log(alpha))
        return float((rising + self.y * linear - (self.y + 1 / alpha) * tail).sum()) - (
            self._constant
        )

    def maximise(self, fixed: tuple[int, float] | None = None) -> tuple[Vector, float, float]:
        """Coefficients, dispersion and log likelihood at the maximum."""
        if self.distribution == "POISSON":
            params, value = self._newton(0.0, fixed)
            return params, 0.0, value
        from scipy.optimize import minimize_scalar

        def deficit(log_alpha: float) -> float:
            return -self._newton(math.exp(log_alpha), fixed)[1]

        bounds = (math.log(ALPHA_RANGE[0]), math.log(ALPHA_RANGE[1]))
        grid = np.linspace(*bounds, 15)
        best = int(np.argmin([deficit(each) for each in grid]))
        inner = (grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)])
        found = minimize_scalar(deficit, bounds=inner, method="bounded", options={"xatol": 1e-9})
        alpha = math.exp(float(found.x))
        params, value = self._newton(alpha, fixed)
        plain, poisson = self._newton(0.0, fixed)
        # Data that vary less than Poisson have their maximum at the border, dispersion 0.
        return (plain, 0.0, poisson) if poisson >= value - 1e-10 else (params, alpha, value)

    def covariance(self, params: Vector, alpha: float) -> Vector:
        """Inverse of the observed information of the coefficients, dispersion held."""
        linear = self.design @ params + self.offset
        return np.asarray(np.linalg.inv(self._information(linear, alpha)), dtype=float)

    def _information(self, linear: Vector, alpha: float) -> Vector:
        mean = np.exp(linear)
        weight = mean * (1 + alpha * self.y) / (1 + alpha * mean) ** 2
        return np.asarray(self.design.T @ (self.design * weight[:, None]), dtype=float)

    def _newton(self, alpha: float, fixed: tuple[int, float] | None) -> tuple[Vector, float]:
        """Newton's method with step halving: for a given dispersion the likelihood is concave."""
        params = self._start.copy()
        free = np.arange(params.size)
        if fixed:
            params[fixed[0]] = fixed[1]
            free = free[free != fixed[0]]
        linear = self.design @ params + self.offset
        value = self.value(linear, alpha)
        for _ in range(200):
            mean = np.exp(linear)
            score = (self.design.T @ ((self.y - mean) / (1 + alpha * mean)))[free]
            step = np.linalg.solve(self._information(linear, alpha)[np.ix_(free, free)], score)
            if float(score @ step) < 1e-12 * max(1.0, abs(value)):
                # The last step squares an error that is below 1e-6 standard errors already.
                params[free] += step
                return params, self.value(self.design @ params + self.offset, alpha)
            step *= min(1.0, 5.0 / float(np.abs(step).max()))
            while True:
                trial = params.copy()
                trial[free] += step
                moved = self.design @ trial + self.offset
                reached = self.value(moved, alpha)
                # Near the maximum the gain drowns in the rounding of the value.
                if reached >= value - 1e-13 * max(1.0, abs(value)):
                    break
                step = step / 2
                if float(np.abs(step).max()) < 1e-14:
                    raise ProfileError("the likelihood does not rise along Newton's step")
            params, linear, value = trial, moved, reached
        raise ProfileError("Newton's method did not end in 200 steps")


def _checked(
    counts: ArrayLike, follow_up: ArrayLike, predictors: ArrayLike, names: Sequence[str]
) -> tuple[Vector, Vector, Vector]:
    y, time = np.asarray(counts, dtype=float), np.asarray(follow_up, dtype=float)
    x = as_columns(predictors)
    if x.shape != (y.size, len(names)) or time.shape != y.shape:
        raise ValueError(f"{x.shape} predictors, {len(names)} names, {y.size} counts")
    if np.isnan(x).any() or not (time > 0).all() or not ((y >= 0) & (y == np.round(y))).all():
        raise ValueError("a count model takes complete rows, whole counts and positive times")
    return y, time, x


def _refuse(y: Vector, x: Vector) -> str:
    if y.size == 0:
        return "NOSUBJ"
    if y.sum() == 0:
        return "NOEVENT"
    if is_constant(x):
        return "CONSTANT"
    design = np.column_stack([standardise(x)[0], np.ones(y.size)])
    width = design.shape[1]
    if y.size < width or np.linalg.matrix_rank(design, tol=1e-8 * math.sqrt(y.size)) < width:
        return "COLLIN"
    return "SEPAR" if _is_separated(y, design) else ""


def _is_separated(y: Vector, design: Vector) -> bool:
    """Whether some direction lowers the mean of zero counts without end and moves no other.

    References
    ----------
    Santos Silva JMC, Tenreyro S (2010), Econ Lett 107:310-312; found by linear programme.
    """
    from scipy.optimize import linprog

    zero, positive = design[y == 0], design[y > 0]
    if not zero.size:
        return False
    found = linprog(
        zero.sum(axis=0),
        A_ub=zero,
        b_ub=np.zeros(len(zero)),
        A_eq=positive,
        b_eq=np.zeros(len(positive)),
        bounds=(-1, 1),
        method="highs",
    )
    return bool(found.status == 0 and found.fun < -1e-8)
