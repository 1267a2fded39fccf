"""Profiled criterion of a linear mixed model, and its minimum over the random effects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass
class MixedCriterion:
    """Twice the negative profiled log likelihood as a function of the relative factor."""

    y: Vector
    x: Vector
    z: Vector
    group: NDArray[np.int64]
    n_groups: int
    reml: bool

    def __post_init__(self) -> None:
        def add_up(a: Vector, b: Vector) -> Vector:
            products = a[:, :, None] * b[:, None, :]
            sums = np.zeros((self.n_groups, *products.shape[1:]))
            np.add.at(sums, self.group, products)
            return sums

        self.zz = add_up(self.z, self.z)
        self.zx = add_up(self.z, self.x)
        self.zy = add_up(self.z, self.y[:, None])
        self.xx, self.xy = self.x.T @ self.x, self.x.T @ self.y
        self.yy = float(self.y @ self.y)

    def solve(self, theta: Vector) -> tuple[float, Vector, Vector, float]:
        """Deviance, fixed effects, their covariance over the variance, residual variance.

        With the factor L of the random effects, V = I + Z L L'Z' and by Woodbury
        V^-1 = I - Z L (I + L'Z'Z L)^-1 L'Z'.
        """
        n, p = self.y.size, self.x.shape[1]
        factor = make_factor(theta, self.z.shape[1])
        inner = np.eye(factor.shape[0]) + factor.T @ self.zz @ factor
        lower = np.linalg.cholesky(inner)
        log_determinant = 2 * float(np.log(np.diagonal(lower, axis1=1, axis2=2)).sum())
        gx = np.linalg.solve(lower, factor.T @ self.zx)
        gy = np.linalg.solve(lower, factor.T @ self.zy)
        information = self.xx - np.einsum("gij,gik->jk", gx, gx)
        right = self.xy - np.einsum("gij,gik->j", gx, gy)
        beta = np.linalg.solve(information, right)
        rest = self.yy - float((gy**2).sum()) - float(right @ beta)
        df = n - p if self.reml else n
        if not rest > 0:
            raise ArithmeticError("the model leaves no residual variation")
        deviance = df * (1 + math.log(2 * math.pi * rest / df)) + log_determinant
        if self.reml:
            deviance += float(np.linalg.slogdet(information)[1])
        return deviance, beta, np.asarray(np.linalg.inv(information)), rest / df

    def __call__(self, theta: Vector) -> float:
        """Deviance at a factor."""
        return self.solve(theta)[0]


def make_factor(theta: Vector, q: int) -> Vector:
    """Lower triangular factor of the relative covariance of the random effects.

    Parameters
    ----------
    theta
        Its elements, column by column: shape (1,) for one random effect, (3,) for two.
    q
        Number of random effects, 1 or 2.

    Returns
    -------
    numpy.ndarray
        Shape (q, q).

    References
    ----------
    Bates D, Maechler M, Bolker B, Walker S (2015), J Stat Softw 67(1), section 2.3.
    """
    if q == 1:
        return np.array([[theta[0]]])
    return np.array([[theta[0], 0.0], [theta[1], theta[2]]])


def minimise_criterion(criterion: MixedCriterion) -> tuple[Vector, float]:
    """Minimum over the factor, the best of several starts, refined by Newton's method."""
    from scipy.optimize import minimize

    q = criterion.z.shape[1]
    starts = [[a] for a in (0.1, 1.0, 5.0)]
    if q == 2:
        starts = [[a, 0.0, b] for a in (0.3, 2.0) for b in (0.1, 1.0)]
    best = None
    for start in starts:
        found = minimize(
            criterion,
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000},
        )
        if best is None or found.fun < best.fun - 1e-9:
            best = found
    if best is None or not best.success:
        raise ArithmeticError("the criterion was not minimised")
    theta = np.asarray(best.x, dtype=float)
    for _ in range(20):
        gradient, hessian = _derivatives(criterion, theta)
        if float(np.abs(gradient).max()) < 1e-7:
            break
        if not (np.linalg.eigvalsh(hessian) > 0).all():
            break
        trial = theta - np.linalg.solve(hessian, gradient)
        if criterion(trial) > criterion(theta) + 1e-9:
            break
        theta = trial
    gradient = _derivatives(criterion, theta)[0]
    if float(np.abs(gradient).max()) > 1e-3:
        raise ArithmeticError("the criterion is not flat at its minimum")
    # The sign of a column of the factor is free.
    if q == 1:
        return np.abs(theta), float(np.abs(gradient).max())
    signs = np.array([math.copysign(1, theta[0])] * 2 + [math.copysign(1, theta[2])])
    return theta * signs, float(np.abs(gradient).max())


def _derivatives(criterion: MixedCriterion, theta: Vector) -> tuple[Vector, Vector]:
    """Gradient and Hessian by central differences of fourth and second order."""
    k = theta.size
    steps = 1e-3 * np.maximum(0.1, np.abs(theta))
    unit = np.diag(steps)

    def at(*moves: Vector) -> float:
        return criterion(theta + sum(moves, np.zeros(k)))

    gradient, hessian = np.zeros(k), np.zeros((k, k))
    middle = at()
    for i in range(k):
        up, down = at(unit[i]), at(-unit[i])
        gradient[i] = (8 * (up - down) - at(2 * unit[i]) + at(-2 * unit[i])) / (12 * steps[i])
        hessian[i, i] = (up - 2 * middle + down) / steps[i] ** 2
        for j in range(i):
            mixed = (
                at(unit[i], unit[j])
                - at(unit[i], -unit[j])
                - at(-unit[i], unit[j])
                + at(-unit[i], -unit[j])
            ) / (4 * steps[i] * steps[j])
            hessian[i, j] = hessian[j, i] = mixed
    return gradient, hessian
