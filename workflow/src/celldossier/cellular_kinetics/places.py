"""Places in padded arrays of shape (profiles, samples): the first, the last, the highest.

All of them work through the columns one after the other: an array of a column is long and
lies in one piece, one of a row is short.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def pick(values: npt.NDArray[Any], column: Ints) -> npt.NDArray[Any]:
    """`values`, shape (profiles, samples), at one column a profile."""
    return np.asarray(values.T[column, np.arange(len(column))])


def first_true(mask: Bools) -> Ints:
    """Column of the first True of each row, -1 where there is none."""
    first = np.full(len(mask), -1)
    for column in range(mask.shape[1] - 1, -1, -1):
        first[mask[:, column]] = column
    return first


def last_true(mask: Bools) -> Ints:
    """Column of the last True of each row, -1 where there is none."""
    last = np.full(len(mask), -1)
    for column in range(mask.shape[1]):
        last[mask[:, column]] = column
    return last


def first_highest(values: Floats, mask: Bools) -> Ints:
    """Column of the first highest value among `mask` of each row, -1 where there is none."""
    highest = np.full(len(mask), -np.inf)
    first = np.full(len(mask), -1)
    for column in range(mask.shape[1]):
        higher = mask[:, column] & ((values[:, column] > highest) | (first < 0))
        np.copyto(highest, values[:, column], where=higher)
        first[higher] = column
    return first


def add_samples(values: Floats) -> Floats:
    """Sums of the samples of each profile, shape (samples, profiles), one after the other.

    The order of the additions, and so the last digit, does not depend on how many profiles
    there are, as it does in `sum`.
    """
    total = np.zeros(values.shape[1])
    for row in values:
        total += row
    return total
