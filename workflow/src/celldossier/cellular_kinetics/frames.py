"""The results of an NCA as frames: parameters, regressions, loss, samples and findings.

Texts are categoricals: a subject's name stands once, not thirty times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.arrangement import Arrangement
from celldossier.cellular_kinetics.codes import (
    BLANK,
    Codes,
    blanks,
    either,
    first_given,
    make_categorical,
    to_categorical,
)
from celldossier.cellular_kinetics.columns import Column
from celldossier.cellular_kinetics.dispositions import Columns, frame_findings
from celldossier.cellular_kinetics.limbs import Loss
from celldossier.cellular_kinetics.profiles import Profiles
from celldossier.cellular_kinetics.reviewed_windows import ReviewedFit
from celldossier.terms.parameters import order_parameters, parameter_unit

TEXTS = ("GATE", "REVFL", "STATUS", "COPY", "DISPOS", "USED", "IMPUTED", "LZFL", "LZREV")
"""Columns that hold codes of texts."""


@dataclass(frozen=True)
class BlockResult:
    """What an NCA gives for a block of profiles; texts are codes."""

    columns: dict[str, Column]
    lambda_z: Columns
    persistence: Columns
    dispositions: Columns
    findings: Columns


def list_lambda_z(profiles: Profiles, review: ReviewedFit, gate: Codes) -> Columns:
    """The raw fit of each profile, the outcome of the gates, and whether it was reviewed (R18)."""
    fit = review.fit
    unfit = either((~profiles.sampled, "NOSAMPLE"), (profiles.never_quantifiable, "BLQALL"))
    outcome = first_given(unfit, gate)
    return {
        "LAMZ": fit.rate,
        "LAMZHL": fit.half_life,
        "LAMZICPT": fit.intercept,
        "LAMZNPT": fit.points,
        "LAMZLL": fit.lower,
        "LAMZUL": fit.upper,
        "R2": fit.r2,
        "R2ADJ": fit.r2adj,
        "LAMZSPN": fit.span,
        "CLSTP": fit.predicted,
        "GATE": first_given(outcome, either((outcome == BLANK, "PASS"))),
        "REVFL": either((review.reviewed, "Y"), (~review.reviewed, "N")),
    }


def list_persistence(profiles: Profiles, loss: Loss) -> Columns:
    """Loss of quantifiability as an interval (R20); a next dose ends what can be seen of it."""
    followed = np.isfinite(profiles.gap)
    return {
        "LOWER": np.where(profiles.sampled, loss.lower, np.nan),
        "UPPER": np.where(profiles.sampled & ~followed, loss.time, np.nan),
        "STATUS": either(
            (~profiles.sampled, "NOSAMPLE"),
            (followed, "NEXTDOSE"),
            (profiles.never_quantifiable, "NEVER"),
            (np.isnan(loss.time), "CENSORED"),
            (np.ones(len(followed), dtype=bool), "LOSS"),
        ),
    }


class FrameMaker:
    """Makes the frames of all blocks, which must come in order.

    Parameters
    ----------
    arrangement
        What the blocks were taken from.
    time_unit, conc_unit
        As for `estimate_nca`.
    """

    def __init__(self, arrangement: Arrangement, time_unit: str, conc_unit: str) -> None:
        self._arrangement = arrangement
        self._units = (time_unit, conc_unit)
        self._subjects = pd.CategoricalDtype(pd.Index(arrangement.samples.subject.names))
        self._analytes = pd.CategoricalDtype(pd.Index(arrangement.samples.analyte.names))
        self._values: npt.NDArray[np.float64] = np.zeros((0, 0))
        self._flags, self._reasons = blanks((0, 0)), blanks((0, 0))
        self._codes: list[str] = []
        self._next = 0
        self._parts: dict[str, list[Columns]] = {
            name: [] for name in ("lambda_z", "persistence", "dispositions", "findings")
        }

    def add(self, result: BlockResult) -> None:
        """Take in the results of the next block."""
        if not self._codes:
            self._codes = order_parameters(result.columns)
            shape = (len(self._arrangement), len(self._codes))
            self._values = np.empty(shape)
            self._flags, self._reasons = blanks(shape), blanks(shape)
        count = len(result.persistence["STATUS"])
        rows = slice(self._next, self._next + count)
        for place, code in enumerate(self._codes):
            column = result.columns[code]
            self._values[rows, place] = column.value
            self._flags[rows, place] = column.flag
            self._reasons[rows, place] = column.reason
        self._next += count
        for name, parts in self._parts.items():
            parts.append(getattr(result, name))

    def parameters(self) -> pd.DataFrame:
        """Parameters of all profiles, one row each, in the order of the registry."""
        count, keys = len(self._codes), self._arrangement.keys
        profile = np.repeat(np.arange(len(keys)), count)
        names = pd.CategoricalDtype(self._codes)
        place = np.tile(np.arange(count, dtype=np.int8), len(keys))
        return pd.DataFrame(
            {
                **self._key_columns(profile),
                "PARAMCD": pd.Categorical.from_codes(place, dtype=names, validate=False),
                "AVAL": self._values.ravel(),
                "AVALU": self._list_units(),
                "FLAG": to_categorical(self._flags.ravel()),
                "REASND": to_categorical(self._reasons.ravel()),
            },
            copy=False,
        )

    def _list_units(self) -> pd.Categorical:
        """Unit of each parameter of each profile."""
        time_unit, conc_unit = self._units
        number, names = pd.factorize(self._arrangement.keys["CONCU"])
        units = [
            [parameter_unit(code, time_unit, name or conc_unit) for code in self._codes]
            for name in names
        ]
        categories = sorted({unit for row in units for unit in row})
        place = {unit: number for number, unit in enumerate(categories)}
        table = np.array([[place[unit] for unit in row] for row in units], dtype=np.int8)
        return make_categorical(table[number].ravel(), categories)

    def lambda_z(self) -> pd.DataFrame:
        """The raw fit of each profile."""
        return self._of_profiles("lambda_z")

    def persistence(self) -> pd.DataFrame:
        """Loss of quantifiability of each profile."""
        return self._of_profiles("persistence")

    def dispositions(self) -> pd.DataFrame:
        """What became of each sample."""
        columns = self._join("dispositions")
        profile = columns.pop("PROFILE")
        return pd.DataFrame({**self._key_columns(profile), **_texts(columns)}, copy=False)

    def findings(self) -> pd.DataFrame:
        """What is worth a look in the samples."""
        return frame_findings(self._join("findings"), self._arrangement)

    def _of_profiles(self, name: str) -> pd.DataFrame:
        every = np.arange(len(self._arrangement))
        return pd.DataFrame({**self._key_columns(every), **_texts(self._join(name))}, copy=False)

    def _join(self, name: str) -> Columns:
        parts = self._parts[name]
        if len(parts) == 1:
            return dict(parts[0])
        # Column by column, so that no second copy of all of them exists at one time.
        return {
            column: np.concatenate([part.pop(column) for part in parts])
            for column in list(parts[0])
        }

    def _key_columns(self, profile: npt.NDArray[np.integer[Any]]) -> dict[str, Any]:
        """USUBJID, ANALYTE and DOSENO of profiles by their number."""
        arrangement = self._arrangement
        doses = arrangement.keys["DOSENO"].to_numpy().astype("int64")
        return {
            "USUBJID": pd.Categorical.from_codes(
                arrangement.subject[profile], dtype=self._subjects, validate=False
            ),
            "ANALYTE": pd.Categorical.from_codes(
                arrangement.analyte[profile], dtype=self._analytes, validate=False
            ),
            "DOSENO": doses[profile],
        }


def _texts(columns: Columns) -> dict[str, Any]:
    return {
        name: to_categorical(values) if name in TEXTS else values
        for name, values in columns.items()
    }


def as_plain_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with texts as such in place of categoricals, for what compares and joins them."""
    texts = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(texts, object))


def block_bounds(count: int, size: int) -> Sequence[tuple[int, int]]:
    """First and end of each block.

    >>> block_bounds(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(first, min(first + size, count)) for first in range(0, count, size)]
