"""Firth's penalised log likelihood of a logistic model, and its maximum with slopes held."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from celldossier.stats.likelihood import ProfileError

Vector = NDArray[np.float64]

LONGEST_STEP = 5.0
"""Largest change of a coefficient in one iteration, predictors standardised."""
SCORING_STEPS = 8
"""Steps of Fisher scoring before the second derivative is worth its price."""
DIFFERENCE = 1e-5
"""Difference of a coefficient by which the second derivative is taken."""


def expit(values: Vector) -> Vector:
    """Inverse of the logit, of an array of any shape."""
    from scipy.special import expit as inverse_logit

    return np.asarray(inverse_logit(values), dtype=float)


def penalised_loglike(y: Vector, design: Vector, params: Vector) -> float:
    """Log likelihood plus half the log determinant of the Fisher information.

    Minus infinity where the information is singular in floating-point numbers.

    Parameters
    ----------
    y
        0 or 1, shape (n,).
    design
        Design matrix of a logistic model, with its intercept, shape (n, p).
    params
        Coefficients, shape (p,).

    References
    ----------
    Firth D (1993), Biometrika 80:27-38 (Jeffreys' prior as the penalty).
    """
    linear = design @ params
    weight = expit(linear) * expit(-linear)
    sign, log_determinant = np.linalg.slogdet(design.T @ (design * weight[:, None]))
    if sign <= 0:
        return -np.inf
    loglike = -float(np.logaddexp(0.0, np.where(y == 1, -linear, linear)).sum())
    return loglike + float(log_determinant) / 2


def derive_leverage(design: Vector, probability: Vector) -> Vector:
    """Diagonal of the weighted hat matrix, weights p (1 - p), shape (n,).

    Parameters
    ----------
    design
        Design matrix of a logistic model, with its intercept, shape (n, p).
    probability
        Fitted probability of each row, shape (n,).

    References
    ----------
    Pregibon D (1981), Ann Stat 9:705-724.
    """
    root = design * np.sqrt(probability * (1 - probability))[:, None]
    return np.asarray(
        np.einsum("ij,ji->i", root, np.linalg.solve(root.T @ root, root.T)), dtype=float
    )


def maximise_penalised(
    y: Vector, design: Vector, start: Vector, fixed: int | Collection[int] | None = None
) -> tuple[Vector, float]:
    """Maximum of the penalised log likelihood over all coefficients but those that are held.

    The penalty is that of the whole model, the held coefficients included: it is the
    profile of Heinze and Schemper (2002), Stat Med 21:2409-2419. Fisher scoring of the
    modified score with step halving; where that is slow, as it is when data are separated,
    Newton's method goes on.

    Parameters
    ----------
    y, design
        Outcome, shape (n,), and design with its column of ones, shape (n, k).
    start
        First values, shape (k,); a held coefficient keeps its value.
    fixed
        Position, or positions, of the coefficients that are held; None: none.

    Returns
    -------
    tuple
        Coefficients and the penalised log likelihood there.

    Raises
    ------
    ProfileError
        If the iterations do not end.
    """
    params = start.copy()
    held = {fixed} if isinstance(fixed, int) else set(fixed or ())
    free = np.array([j for j in range(params.size) if j not in held], dtype=int)
    value = penalised_loglike(y, design, params)
    if not np.isfinite(value):
        raise ProfileError("the information is singular where the iterations start")
    for count in range(1000):
        score = _modified_score(y, design, params)[free]
        slope = _information(design, params)[np.ix_(free, free)]
        if count >= SCORING_STEPS:
            slope = _curvature(y, design, params, free, slope)
        step = np.linalg.solve(slope, score)
        decrement = float(score @ step)
        scale = max(1.0, abs(value))
        if decrement < 1e-13 * scale:
            return params, value
        step *= min(1.0, LONGEST_STEP / float(np.abs(step).max()))
        trial = _move(params, free, step)
        # Near the maximum the gain drowns in the rounding of the value.
        while (trial_value := penalised_loglike(y, design, trial)) < value - 1e-13 * scale:
            step = step / 2
            if float(np.abs(step).max()) < 1e-14:
                raise ProfileError("the penalised likelihood does not rise along the step")
            trial = _move(params, free, step)
        params, value = trial, trial_value
    raise ProfileError("the penalised likelihood was not maximised in 1000 steps")


def _modified_score(y: Vector, design: Vector, params: Vector) -> Vector:
    p = expit(design @ params)
    return np.asarray(design.T @ (y - p + derive_leverage(design, p) * (0.5 - p)), dtype=float)


def _information(design: Vector, params: Vector) -> Vector:
    p = expit(design @ params)
    return np.asarray(design.T @ (design * (p * (1 - p))[:, None]), dtype=float)


def _curvature(
    y: Vector, design: Vector, params: Vector, free: NDArray[np.int64], information: Vector
) -> Vector:
    """Negative second derivative over the free coefficients, by differences of the score.

    The information stands for it where it is not that of a hill.
    """
    found = np.empty((free.size, free.size))
    for row, j in enumerate(free):
        ahead, behind = params.copy(), params.copy()
        ahead[j], behind[j] = params[j] + DIFFERENCE, params[j] - DIFFERENCE
        change = _modified_score(y, design, behind) - _modified_score(y, design, ahead)
        found[row] = change[free] / (2 * DIFFERENCE)
    found = (found + found.T) / 2
    hill = bool(np.isfinite(found).all()) and float(np.linalg.eigvalsh(found)[0]) > 0
    return found if hill else information


def _move(params: Vector, free: NDArray[np.int64], step: Vector) -> Vector:
    moved = params.copy()
    moved[free] += step
    return moved


@dataclass
class PenalisedProfile:
    """Penalised log likelihood at a value of one coefficient, maximised over the others.

    With few events the likelihood may have several maxima beside a held coefficient. A
    thorough profile is the best of four searches; one that is not goes on from the last.
    """

    y: Vector
    design: Vector
    estimate: Vector
    """Coefficients at the maximum of the whole model."""
    position: int
    thorough: bool = True
    maximum: float = field(init=False)
    direction: Vector = field(init=False)
    """Change of all coefficients with the held one, at the maximum."""
    nearest: Vector = field(init=False)
    known: dict[tuple[float, bool], float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.estimate, self.maximum = maximise_penalised(self.y, self.design, self.estimate)
        self.nearest = self.estimate
        p = expit(self.design @ self.estimate)
        covariance = np.linalg.inv(self.design.T @ (self.design * (p * (1 - p))[:, None]))
        self.direction = covariance[:, self.position] / covariance[self.position, self.position]

    def loglike(self, value: float) -> float:
        """Profile penalised log likelihood.

        Raises
        ------
        ProfileError
            If no search ends, or one ends above the likelihood of the estimate.
        """
        if (value, self.thorough) not in self.known:
            found = self._search(value)
            if found > self.maximum + 1e-6:
                raise ProfileError("the estimate is not the maximum of its likelihood")
            self.known[value, self.thorough] = found
        return self.known[value, self.thorough]

    def _search(self, value: float) -> float:
        # The maximum at the last value is a better start than that of the whole model.
        starts = [self.nearest]
        if self.thorough:
            tangent = self.estimate + self.direction * (value - self.estimate[self.position])
            starts += [self.estimate, tangent, np.zeros(self.estimate.size)]
        found = []
        for start in starts:
            point = start.copy()
            point[self.position] = value
            with suppress(Warning, ArithmeticError, np.linalg.LinAlgError):
                found.append(maximise_penalised(self.y, self.design, point, self.position))
        if not found:
            raise ProfileError(f"the profile could not be followed to {value:g}")
        self.nearest, loglike = max(found, key=lambda item: item[1])
        return loglike
