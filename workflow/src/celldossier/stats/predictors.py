"""Predictors of a regression model as a matrix: its columns, their scale, and their variation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]

CONSTANT_RANGE = 1e-12
"""Range, relative to the largest value (at least 1), up to which a variable is constant."""


def as_columns(predictors: ArrayLike) -> Vector:
    """Predictors as a matrix, shape (n, k); one predictor may be given with shape (n,)."""
    x = np.asarray(predictors, dtype=float)
    return x[:, None] if x.ndim == 1 else x


def standardise(x: Vector) -> tuple[Vector, Vector, Vector]:
    """Columns with mean 0 and standard deviation 1, in which models are fitted.

    Parameters
    ----------
    x
        Predictors, shape (n, k).

    Returns
    -------
    tuple of numpy.ndarray
        The scaled columns, shape (n, k), their means and their standard deviations (of the
        n values, divisor n; 1 for a constant column), each of shape (k,).
    """
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return (x - centre) / scale, centre, scale


def is_constant(x: Vector) -> bool:
    """Whether a variable, shape (n,), or any column of a matrix, shape (n, k), does not vary."""
    limit = CONSTANT_RANGE * np.maximum(1.0, np.abs(x).max(axis=0))
    return bool((np.ptp(x, axis=0) <= limit).any())


def set_exposure(exposure: ArrayLike, covariates: ArrayLike) -> Vector:
    """Predictors of all subjects with the exposure set to one value after another.

    Parameters
    ----------
    exposure
        Values to which the exposure, the first predictor, is set; shape (m,).
    covariates
        The other predictors of the subjects, shape (n, k - 1).

    Returns
    -------
    numpy.ndarray
        Shape (m, n, k).
    """
    x, z = np.asarray(exposure, dtype=float), np.asarray(covariates, dtype=float)
    design = np.empty((x.size, z.shape[0], z.shape[1] + 1))
    design[:, :, 0], design[:, :, 1:] = x[:, None], z[None, :, :]
    return design
