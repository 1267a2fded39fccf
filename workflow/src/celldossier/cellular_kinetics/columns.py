"""A parameter of all profiles at once, with its flags and reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from celldossier.cellular_kinetics.profiles import Bools, Floats, Profiles

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Column:
    """One parameter of all profiles; `reason` is "" exactly where there is a value."""

    value: Floats
    flag: Texts
    reason: Texts

    def empty_where(self, mask: Bools, reason: str, instead_of: str = "") -> Column:
        """The parameter, empty where `mask` holds; an earlier reason stays but for `instead_of`."""
        open_ = (self.reason == "") | (self.reason == instead_of)
        emptied = np.where(mask & open_, reason, self.reason).astype(object)
        empty = emptied != ""
        return Column(
            np.where(empty, np.nan, self.value),
            np.where(empty, "", self.flag).astype(object),
            emptied,
        )

    def flag_where(self, mask: Bools, flag: str) -> Column:
        """The parameter, with a further flag on the values where `mask` holds."""
        added = np.where(mask & (self.reason == ""), flag, "").astype(object)
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
    profiles: Profiles, value: Floats, reason: Texts | str = "", flag: Texts | str = ""
) -> Column:
    """A parameter; profiles without a post-dose result give NOSAMPLE."""
    shape = profiles.last.shape
    reasons = np.where(
        profiles.sampled, np.broadcast_to(np.asarray(reason, dtype=object), shape), "NOSAMPLE"
    )
    # A product of huge or tiny numbers may leave the range of doubles.
    reasons = np.where((reasons == "") & ~np.isfinite(value), "OVERFLOW", reasons).astype(object)
    empty = reasons != ""
    flags = np.where(empty, "", np.broadcast_to(np.asarray(flag, dtype=object), shape))
    return Column(np.where(empty, np.nan, value), flags.astype(object), reasons)


def either(*cases: tuple[Bools, str]) -> Texts:
    """The text of the first case that holds, "" where none does."""
    masks, texts = zip(*cases, strict=True)
    return np.asarray(np.select(list(masks), list(texts), ""), dtype=object)


def join_flags(first: Texts, second: Texts) -> Texts:
    """Both flags, joined by a semicolon where both are given."""
    joined = first + np.where((first != "") & (second != ""), ";", "") + second
    return np.asarray(joined, dtype=object)


def flag_start(profiles: Profiles) -> Texts:
    """Flag of the areas of profiles in which C(0) was put in (R4)."""
    code = profiles.disposition[:, 0]
    return either((code == "START0", "START0"), (code == "STARTMIN", "STARTMIN"))
