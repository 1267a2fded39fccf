"""Grades of low blood counts by the limits of their grades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def grade_low_count(
    value: ArrayLike, limits: Sequence[float], lower_limit: float | None = None
) -> NDArray[np.float64]:
    """Grade of each value; NaN where the value is missing, or grades 0 and 1 are not told apart.

    Parameters
    ----------
    value
        Values, shape (n,).
    limits
        Lowest value of grade 1, 2, ..., falling; a value at a limit has the milder grade.
    lower_limit
        Lower limit of normal: at or above it the grade is 0. None: not known.

    References
    ----------
    CTCAE version 5.0 (2017). Without the limit of normal no grade 0 or 1 is given, as in the R
    package admiral (pharmaverse), ``derive_var_atoxgr_dir``.
    """
    x = np.asarray(value, dtype=float)
    falls = np.asarray(limits, dtype=float)
    if (np.diff(falls) >= 0).any():
        raise ValueError("the limits of the grades do not fall")
    below = (x[:, np.newaxis] < falls).sum(axis=1)
    grade = np.where(below > 0, below + 1.0, np.nan)
    if lower_limit is not None:
        mild = np.where(x < lower_limit, 1.0, 0.0)
        grade = np.where(below > 0, grade, mild)
    return np.where(np.isnan(x), np.nan, grade)
