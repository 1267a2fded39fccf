"""Time to an event that is known to lie in an interval: the estimate of Turnbull."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Largest violation of the conditions of the maximum, relative to the number of subjects."""

MAX_NEWTON = 200
NEGLIGIBLE = 1e-10
"""A mass below this is none; the others are then estimated anew."""

ROUNDING = 1e-9
"""A probability within this distance of another is equal to it."""


@dataclass(frozen=True)
class TurnbullCurve:
    """Nonparametric maximum likelihood estimate of a distribution under interval censoring.

    Attributes
    ----------
    left, right, mass
        The classes that carry mass, in order: the event lies in (left, right] with
        that probability, where within it is not known. An exact time has left = right; the
        last right may be infinite.
    violation
        Largest violation of the Karush-Kuhn-Tucker conditions, relative to n: how far
        the derivative of the log likelihood in any class, possible or used, exceeds n, or
        in a used class differs from it.
    n
        Subjects.
    """

    left: Floats
    right: Floats
    mass: Floats
    violation: float
    n: int

    def survival(self, time: float) -> tuple[float, float]:
        """Lower and upper bound of the survival function at a time.

        They differ inside a class only: the estimate is the same wherever its mass lies.
        """
        # Inside (left, right) the mass of the class may lie before or after the time.
        surely = float(self.mass[self.right <= time].sum())
        perhaps = float(self.mass[(self.left < time) | (self.right <= time)].sum())
        return _rest(perhaps), _rest(surely)

    def quantile(self, probability: float = 0.5) -> tuple[float, float]:
        """Class in which the quantile lies, from its left to its right end.

        NaN for both where that class has no right end: the quantile is not reached. Where
        exactly that share lies before a gap without mass, the class before the gap is given.
        """
        reached = np.flatnonzero(np.cumsum(self.mass) >= probability - ROUNDING)
        if not reached.size or math.isinf(self.right[reached[0]]):
            return math.nan, math.nan
        return float(self.left[reached[0]]), float(self.right[reached[0]])


def _rest(mass: float) -> float:
    """What is left of 1; a rest of rounding is 0."""
    return 1 - mass if mass < 1 - NEGLIGIBLE else 0.0


def estimate_turnbull(left: ArrayLike, right: ArrayLike) -> TurnbullCurve:
    """Nonparametric maximum likelihood estimate for events in (left, right].

    Parameters
    ----------
    left
        Last time at which the event had not yet happened, shape (n,).
    right
        First time at which it had; equal to `left` for an exact time, infinite for a
        right-censored one.

    Notes
    -----
    Steps of self-consistency (EM) bring the estimate near the maximum; Newton steps, each a
    non-negative least squares problem, reach it. The result is that of the conditions of
    the maximum, not of a number of steps: `TurnbullCurve.violation`.

    There is no confidence interval: the bootstrap of this estimator is inconsistent (Sen B,
    Xu G 2015, Comput Stat Data Anal 81:121-129).

    References
    ----------
    Turnbull BW (1976). J R Stat Soc B 38:290-295; Gentleman R, Geyer CJ (1994). Biometrika
    81:618-623 (conditions of the maximum); Wang Y (2007). J R Stat Soc B 69:185-198
    (constrained Newton by non-negative least squares).

    Raises
    ------
    ValueError
        If an end is missing or an interval ends before it starts.
    """
    low, high = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if low.shape != high.shape or low.ndim != 1:
        raise ValueError("each interval needs a left and a right end")
    if np.isnan(low).any() or np.isnan(high).any() or (low > high).any():
        raise ValueError("an interval starts and ends at known times, and starts first")
    if np.isinf(low).any():
        raise ValueError("an interval starts at a finite time")
    if low.size == 0:
        nothing = np.array([])
        return TurnbullCurve(nothing, nothing, nothing, 0.0, 0)
    start, stop, possible = _find_classes(low, high)
    rows, counts = np.unique(possible, axis=0, return_counts=True)
    matrix, weights = rows.astype(float), counts.astype(float)
    mass = _maximise(matrix, weights)
    gradient = matrix.T @ (weights / (matrix @ mass)) / low.size - 1
    used = mass > 0
    violation = max(float(gradient.max()), float(np.abs(gradient[used]).max()), 0.0)
    return TurnbullCurve(start[used], stop[used], mass[used], violation, low.size)


def _find_classes(low: Floats, high: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Innermost intervals, and which of them each observation contains."""
    times = np.unique(np.concatenate([low, high]))
    # Positions in order: a time is 2 k, just after it is 2 k + 1. (l, r] starts just after l.
    exact = low == high
    first = 2 * np.searchsorted(times, low) + np.where(exact, 0, 1)
    last = 2 * np.searchsorted(times, high)
    starts = np.unique(first)
    ends = np.unique(last)
    # A start that is followed by an end, with no other start between them.
    end = ends[np.searchsorted(ends, starts)]
    following = np.append(starts[1:], end.max() + 1)
    inner = end < following
    begin, finish = starts[inner], end[inner]
    contains = (first[:, None] <= begin) & (finish <= last[:, None])
    return times[begin // 2], times[finish // 2], contains


def _maximise(matrix: Floats, weights: Floats) -> Floats:
    total = weights.sum()
    mass = np.full(matrix.shape[1], 1 / matrix.shape[1])
    for _ in range(100):
        mass = mass * (matrix.T @ (weights / (matrix @ mass))) / total
    for _ in range(MAX_NEWTON):
        density = matrix @ mass
        gradient = matrix.T @ (weights / density) / total - 1
        if max(gradient.max(), np.abs(gradient[mass > 0]).max()) <= TOLERANCE:
            break
        mass = _improve(matrix, weights, mass, _newton_target(matrix, weights, density))
    return mass


def _newton_target(matrix: Floats, weights: Floats, density: Floats) -> Floats:
    """Maximum of the quadratic approximation over all distributions (Wang 2007)."""
    from scipy.optimize import nnls

    size = matrix.shape[1]
    # Least squares of (S q - 2), where 1 = sum of q lets the 2 go into the design (Dax).
    design = np.sqrt(weights)[:, None] * (matrix / density[:, None] - 2)
    target, _ = nnls(
        np.vstack([design, np.ones(size)]),
        np.append(np.zeros(len(design)), 1.0),
        maxiter=30 * size,
    )
    return np.asarray(target / target.sum(), dtype=float)


def _improve(matrix: Floats, weights: Floats, mass: Floats, target: Floats) -> Floats:
    """The step towards the target, halved until the likelihood rises; then one step of EM."""
    old = float(weights @ np.log(matrix @ mass))
    # Near the maximum the likelihood is flat to the last digit, where the step is right.
    old -= 1e-14 * max(1.0, abs(old))
    step = 1.0
    while step > 1e-10:
        new = mass + step * (target - mass)
        new[new < NEGLIGIBLE] = 0.0
        density = matrix @ new
        if (density > 0).all() and weights @ np.log(density / new.sum()) >= old:
            new = new / new.sum()
            return np.asarray(new, dtype=float)
        step /= 2
    return np.asarray(mass * (matrix.T @ (weights / (matrix @ mass))) / weights.sum(), dtype=float)
