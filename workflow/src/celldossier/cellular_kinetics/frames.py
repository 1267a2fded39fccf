"""The results of an NCA as frames: parameters, regressions, loss, samples and findings.

Texts are categoricals: a subject's name stands once, not thirty times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.arrangement import Arrangement
from celldossier.cellular_kinetics.codes import (
    BLANK,
    Codes,
    TextColumn,
    code_of,
    either,
    first_given,
    is_one_of,
    make_categorical,
)
from celldossier.cellular_kinetics.columns import Column
from celldossier.cellular_kinetics.dispositions import Columns, frame_findings
from celldossier.cellular_kinetics.limbs import Loss
from celldossier.cellular_kinetics.profiles import Profiles
from celldossier.cellular_kinetics.reviewed_windows import ReviewedFit
from celldossier.terms.parameters import order_parameters, parameter_unit

TEXTS = ("GATE", "STATUS", "DISPOS", "LZREV")
"""Columns that hold codes of texts."""

_Array = npt.NDArray[Any]


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
        "REVFL": review.reviewed,
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


def blank_terminal(result: BlockResult) -> BlockResult:
    """The result without regressions and times to loss: no specific marker (R24)."""
    count = len(result.persistence["STATUS"])
    none, code = np.full(count, np.nan), np.full(count, code_of("NOMARKER"), dtype=np.int16)
    fits = {
        name: values if name == "REVFL" else code if name == "GATE" else none
        for name, values in result.lambda_z.items()
    }
    outside = np.zeros(len(result.dispositions["LZFL"]), dtype=bool)
    # Cells before the dose and after a loss are the subject's own.
    kept = ~is_one_of(result.findings["CODE"], ("REEXPAND", "PREDOSEQ"))
    return BlockResult(
        columns=result.columns,
        lambda_z=fits,
        persistence={"LOWER": none, "UPPER": none, "STATUS": code},
        dispositions={**result.dispositions, "LZFL": outside},
        findings={name: values[kept] for name, values in result.findings.items()},
    )


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
        self._doses = arrangement.keys["DOSENO"].to_numpy().astype("int64")
        self._codes: list[str] = []
        self._values: npt.NDArray[np.float64] = np.zeros((0, 0))
        self._flags, self._reasons = TextColumn(0), TextColumn(0)
        profiles = len(arrangement)
        # Each profile has one record at most that is none of its rows.
        samples = len(arrangement.samples) + profiles
        self._fits, self._losses = _Table(profiles), _Table(profiles)
        self._samples = _Table(samples)
        self._findings: list[Columns] = []

    def add(self, result: BlockResult) -> None:
        """Take in the results of the next block."""
        first = self._losses.count
        for table, columns in (
            (self._fits, result.lambda_z),
            (self._losses, result.persistence),
            (self._samples, result.dispositions),
        ):
            table.add(columns)
        self._findings.append(result.findings)
        if not self._codes:
            self._codes = order_parameters(result.columns)
            shape = (len(self._arrangement), len(self._codes))
            self._values = np.empty(shape)
            self._flags, self._reasons = TextColumn(shape), TextColumn(shape)
        rows = slice(first, self._losses.count)
        ordered = [result.columns[code] for code in self._codes]
        self._values[rows] = np.array([column.value for column in ordered]).T
        self._flags.put(rows, np.array([column.flag for column in ordered]))
        self._reasons.put(rows, np.array([column.reason for column in ordered]))

    def parameters(self) -> pd.DataFrame:
        """Parameters of all profiles, one row each, in the order of the registry."""
        count, profiles = len(self._codes), len(self._arrangement)
        place = np.tile(np.arange(count, dtype=np.min_scalar_type(-max(count, 1))), profiles)
        return pd.DataFrame(
            {
                **self._key_columns(lambda values: np.repeat(values, count)),
                "PARAMCD": make_categorical(place, self._codes),
                "AVAL": self._values.ravel(),
                "AVALU": self._list_units(),
                "FLAG": self._flags.finish(),
                "REASND": self._reasons.finish(),
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
        smallest = np.min_scalar_type(-max(len(categories), 1))
        table = np.array([[place[unit] for unit in row] for row in units], dtype=smallest)
        return make_categorical(np.take(table, number, axis=0).ravel(), categories)

    def lambda_z(self) -> pd.DataFrame:
        """The raw fit of each profile."""
        return self._of_profiles(self._fits)

    def persistence(self) -> pd.DataFrame:
        """Loss of quantifiability of each profile."""
        return self._of_profiles(self._losses)

    def dispositions(self) -> pd.DataFrame:
        """What became of each sample."""
        columns = self._samples.finish()
        profile = columns.pop("PROFILE")
        keys = self._key_columns(lambda values: np.take(values, profile))
        return pd.DataFrame({**keys, **columns}, copy=False)

    def findings(self) -> pd.DataFrame:
        """What is worth a look in the samples."""
        found = {
            name: np.concatenate([part[name] for part in self._findings])
            for name in self._findings[0]
        }
        return frame_findings(found, self._arrangement)

    def _of_profiles(self, table: _Table) -> pd.DataFrame:
        keys = self._key_columns(lambda values: values)
        return pd.DataFrame({**keys, **table.finish()}, copy=False)

    def _key_columns(self, spread: Callable[[_Array], _Array]) -> dict[str, Any]:
        """USUBJID, ANALYTE and DOSENO; `spread` gives the value of each row from the profiles'."""
        arrangement = self._arrangement
        analyte = arrangement.analyte
        if len(self._analytes.categories) <= np.iinfo(np.int8).max:
            analyte = analyte.astype(np.int8)
        return {
            "USUBJID": pd.Categorical.from_codes(
                spread(arrangement.subject), dtype=self._subjects, validate=False
            ),
            "ANALYTE": pd.Categorical.from_codes(
                spread(analyte), dtype=self._analytes, validate=False
            ),
            "DOSENO": spread(self._doses),
        }


class _Table:
    """Columns that are filled block by block; bools become Y and N.

    Parameters
    ----------
    size
        Most rows that come.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self._size = size
        self._columns: dict[str, _Array] = {}
        self._texts: dict[str, TextColumn] = {}

    def add(self, columns: Columns) -> None:
        """The rows of the next block."""
        stop = self.count + len(next(iter(columns.values())))
        rows = slice(self.count, stop)
        for name, values in columns.items():
            if name in TEXTS:
                self._texts.setdefault(name, TextColumn(self._size)).put(rows, values)
                self._columns.setdefault(name, np.zeros(0))
            else:
                if name not in self._columns:
                    self._columns[name] = np.empty(self._size, dtype=values.dtype)
                self._columns[name][rows] = values
        self.count = stop

    def finish(self) -> dict[str, Any]:
        """The columns of all blocks."""
        return {name: self._finish(name) for name in self._columns}

    def _finish(self, name: str) -> Any:
        if name in self._texts:
            return self._texts[name].finish(self.count)
        values = self._columns[name][: self.count]
        return (
            make_categorical(values.view(np.int8), ["N", "Y"]) if values.dtype == bool else values
        )


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
