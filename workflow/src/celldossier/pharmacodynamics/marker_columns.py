"""A parameter of all series: values, flags and the reasons of those that are empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One parameter, shape (series,).

    Attributes
    ----------
    value
        Values; where a reason holds they are empty.
    reasons
        Where the parameter cannot be computed and why; the first that holds is given.
    flags
        Flag code to where it holds.
    """

    value: Floats
    reasons: Sequence[tuple[Bools, str]] = ()
    flags: Mapping[str, Bools] = field(default_factory=dict)

    def settle(self) -> tuple[Floats, npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Values, flags joined by a semicolon, and reason codes; flags stand with values only."""
        reason = np.full(len(self.value), "", dtype=object)
        for where, code in reversed(list(self.reasons)):
            reason[where] = code
        empty = reason != ""
        value = np.where(empty, np.nan, self.value)
        place = np.zeros(len(value), dtype=np.int64)
        names = list(self.flags)
        for bit, name in enumerate(names):
            place |= np.where(self.flags[name] & ~empty, 1 << bit, 0)
        kinds, inverse = np.unique(place, return_inverse=True)
        texts = [
            ";".join(name for bit, name in enumerate(names) if kind >> bit & 1) for kind in kinds
        ]
        flag = np.array(texts, dtype=object)[inverse]
        return value, flag, reason
