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
    count = len(column)
    return np.take(values.T.reshape(-1), column * count + np.arange(count))


def first_true(mask: Bools) -> Ints:
    """Column of the first True of each row, -1 where there is none."""
    first = np.full(len(mask), -1)
    for column in range(mask.shape[1] - 1, -1, -1):
        np.copyto(first, column, where=mask[:, column])
    return first


def last_true(mask: Bools) -> Ints:
    """Column of the last True of each row, -1 where there is none."""
    last = np.full(len(mask), -1)
    for column in range(mask.shape[1]):
        np.copyto(last, column, where=mask[:, column])
    return last


def first_highest(values: Floats, mask: Bools) -> Ints:
    """Column of the first highest value among `mask` of each row, -1 where there is none."""
    highest = np.full(len(mask), -np.inf)
    first = np.full(len(mask), -1)
    for column in range(mask.shape[1]):
        here = values[:, column]
        higher = (here > highest) & mask[:, column]
        np.copyto(highest, here, where=higher)
        np.copyto(first, column, where=higher)
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
