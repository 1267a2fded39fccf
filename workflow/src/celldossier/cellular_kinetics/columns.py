"""A parameter of all profiles at once, with its flags and reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from celldossier.cellular_kinetics.codes import (
    BLANK,
    Codes,
    blanks,
    code_of,
    either,
    join_flags,
)
from celldossier.cellular_kinetics.profiles import Bools, Floats, Profiles


@dataclass(frozen=True)
class Column:
    """One parameter of all profiles; `reason` is blank exactly where there is a value."""

    value: Floats
    flag: Codes
    reason: Codes

    def empty_where(self, mask: Bools, reason: str, instead_of: str = "") -> Column:
        """The parameter, empty where `mask` holds; an earlier reason stays but for `instead_of`."""
        is_open = (self.reason == BLANK) | (self.reason == code_of(instead_of))
        reasons = np.where(mask & is_open, code_of(reason), self.reason).astype(np.int16)
        empty = reasons != BLANK
        return Column(
            np.where(empty, np.nan, self.value),
            np.where(empty, BLANK, self.flag).astype(np.int16),
            reasons,
        )

    def flag_where(self, mask: Bools, flag: str) -> Column:
        """The parameter, with a further flag on the values where `mask` holds."""
        added = either((mask & (self.reason == BLANK), flag))
        return replace(self, flag=join_flags(self.flag, added))

    def replace_where(self, mask: Bools, other: Column, index: npt.NDArray[np.int64]) -> Column:
        """The parameter, where `mask` holds that of row `index` of `other`."""
        value, flag, reason = self.value.copy(), self.flag.copy(), self.reason.copy()
        value[mask], flag[mask], reason[mask] = (
            other.value[index],
            other.flag[index],
            other.reason[index],
        )
        return Column(value, flag, reason)


def make_column(
    profiles: Profiles, value: Floats, reason: Codes | None = None, flag: Codes | None = None
) -> Column:
    """A parameter; profiles without a post-dose result give NOSAMPLE."""
    count = len(profiles.last)
    reasons = blanks(count) if reason is None else reason.astype(np.int16)
    # A product of huge or tiny numbers may leave the range of doubles.
    reasons[(reasons == BLANK) & ~np.isfinite(value)] = code_of("OVERFLOW")
    reasons[~profiles.sampled] = code_of("NOSAMPLE")
    empty = reasons != BLANK
    values = np.array(value, dtype=np.float64)
    values[empty] = np.nan
    flags = blanks(count) if flag is None else flag.astype(np.int16)
    flags[empty] = BLANK
    return Column(values, flags, reasons)


def flag_start(profiles: Profiles) -> Codes:
    """Flag of the areas of profiles in which C(0) was put in (R4)."""
    code = profiles.disposition[:, 0]
    return either((code == code_of("START0"), "START0"), (code == code_of("STARTMIN"), "STARTMIN"))
