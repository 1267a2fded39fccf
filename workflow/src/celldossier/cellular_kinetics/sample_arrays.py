"""Concentration samples as arrays: what an NCA of many profiles reads and groups quickly.

`read_samples` takes the same input and holds the same rules as `check_samples`, which it leaves
everything to that is not plainly free of faults: texts of results, several doses, and whatever asks
for a message. So there is one home of the rules and of their words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import infer_dtype, is_string_dtype

from celldossier.cellular_kinetics.doses import has_intervals
from celldossier.cellular_kinetics.samples import NUMERIC, REQUIRED, check_samples

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

NUMBERS = (*NUMERIC, "CENSTIME")
"""Columns that hold numbers."""

_CHUNK = 32768
# Rows checked at once: their arrays stay in the cache.

OF_DOSES = ("INTERVAL", "GAP", "LASTDOSE", "NEXTDOSE")
"""Further numbers of samples that were placed among several doses."""


@dataclass(frozen=True)
class Labels:
    """A column of texts: `names` in ascending order, each once, and the code of each row."""

    codes: npt.NDArray[np.int32]
    names: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Samples:
    """Checked samples, in the order of the input.

    Attributes
    ----------
    subject, analyte, unit
        USUBJID, ANALYTE and CONCU ("" where not given).
    row
        ROW, the number of the data row.
    numbers
        The columns of `NUMBERS` and `OF_DOSES` that are given.
    copied
        COPY, whether the row was lent by another dose; None where none was.
    has_intervals
        Whether the samples ask for parameters of dosing intervals (R23).
    """

    subject: Labels
    analyte: Labels
    unit: Labels
    row: Ints
    numbers: Mapping[str, Floats]
    copied: Bools | None = None
    has_intervals: bool = False

    def __len__(self) -> int:
        return len(self.row)

    def number(self, name: str) -> Floats:
        """A column of numbers, all NaN where it is not given."""
        given = self.numbers.get(name)
        return np.broadcast_to(np.nan, len(self)) if given is None else given

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Samples:
        """The arrays of a frame that `check_samples` has typed and checked."""
        columns = [name for name in (*NUMBERS, *OF_DOSES) if name in frame]
        numbers = {name: frame[name].to_numpy(dtype=np.float64) for name in columns}
        labels = {}
        for name in ("USUBJID", "ANALYTE", "CONCU"):
            codes, names = pd.factorize(frame[name].to_numpy(dtype=object))
            labels[name] = _strip(codes, names)
        return cls(
            subject=labels["USUBJID"],
            analyte=labels["ANALYTE"],
            unit=labels["CONCU"],
            row=frame["ROW"].to_numpy(),
            numbers=numbers,
            copied=frame["COPY"].to_numpy(dtype=bool) if "COPY" in frame else None,
            has_intervals=has_intervals(frame),
        )

    def to_frame(self) -> pd.DataFrame:
        """The samples as `check_samples` gives them."""
        texts = {"USUBJID": self.subject, "ANALYTE": self.analyte, "CONCU": self.unit}
        dose = self.number("DOSENO")
        return pd.DataFrame(
            {
                "ROW": self.row,
                **{name: labels.names[labels.codes] for name, labels in texts.items()},
                **{name: self.number(name) for name in NUMBERS},
                "DOSENO": np.where(np.isnan(dose), 1.0, dose),
            }
        )


def read_samples(frame: pd.DataFrame) -> Samples:
    """Type and check concentration samples; see `check_samples` for the input and the faults."""
    quick = _read_plain(frame)
    return Samples.from_frame(check_samples(frame)) if quick is None else quick


def _read_plain(frame: pd.DataFrame) -> Samples | None:
    """Samples of one dose in columns of numbers that break no rule; None for all others."""
    if frame.empty or any(name not in frame.columns for name in REQUIRED):
        return None
    if not frame.columns.is_unique:
        return None
    numbers = {}
    for name in NUMBERS:
        if name not in frame.columns:
            continue
        values = frame[name].to_numpy()
        if values.dtype.kind not in "iuf":
            return None
        numbers[name] = values.astype(np.float64, copy=False)
    blank = np.zeros(len(frame), dtype=np.int32)
    no_unit = Labels(blank, np.array([""], dtype=object))
    labels = [_read_labels(frame[name]) for name in ("USUBJID", "ANALYTE")]
    unit = _read_labels(frame["CONCU"]) if "CONCU" in frame.columns else no_unit
    if labels[0] is None or labels[1] is None or unit is None:
        return None
    if labels[0].names[0] == "" or labels[1].names[0] == "":
        return None
    row = frame.index.to_numpy() if frame.index.name == "row" else np.arange(1, len(frame) + 1)
    samples = Samples(labels[0], labels[1], unit, row, numbers)
    return samples if _is_plain(samples) else None


def _is_plain(samples: Samples) -> bool:
    """Whether no rule of `check_samples` is broken and there is one dose a subject and analyte."""
    for first in range(0, len(samples), _CHUNK):
        rows = slice(first, first + _CHUNK)
        if _breaks_a_rule({name: values[rows] for name, values in samples.numbers.items()}):
            return False
    times = [name for name in ("DOSETIME", "NDOSETIME", "CENSTIME") if name in samples.numbers]
    if not times and len(samples.unit.names) == 1:
        return True
    course = course_of(samples)
    unit = np.where(samples.unit.names[samples.unit.codes] == "", np.nan, samples.unit.codes)
    single = [] if len(samples.unit.names) == 1 else [unit]
    single += [samples.numbers[name] for name in times]
    return all(_is_constant(values, course) for values in single)


def _breaks_a_rule(numbers: Mapping[str, Floats]) -> bool:
    """Whether a row breaks a rule of `check_samples` or asks for several doses."""
    if any(np.isinf(values).any() for values in numbers.values()):
        return True
    time, conc, blq, lloq = (numbers[name] for name in ("TIME", "CONC", "BLQ", "LLOQ"))
    below, missing = blq == 1, np.isnan(conc)
    result = below | ~missing
    broken = [(blq != 0) & ~below, below & ~missing, conc < 0, lloq <= 0, np.isnan(time) & result]
    if "ULOQ" in numbers:
        broken.append(numbers["ULOQ"] <= lloq)
    broken += [numbers[name] != 1 for name in ("DOSENO", "CYCLE") if name in numbers]
    if "TAU" in numbers:
        broken.append(~np.isnan(numbers["TAU"]))
    return any(mask.any() for mask in broken)


def course_of(samples: Samples) -> Ints:
    """Number of the subject and analyte of each row; some numbers may be without a row."""
    return samples.subject.codes.astype(np.int64) * len(samples.analyte.names) + (
        samples.analyte.codes
    )


def _is_constant(values: Floats, course: Ints) -> bool:
    """Whether each course has one value at most, not counting blanks."""
    known = ~np.isnan(values)
    one = np.full(int(course.max()) + 1, np.nan)
    one[course[known]] = values[known]
    return bool((values[known] == one[course[known]]).all())


def _read_labels(values: pd.Series) -> Labels | None:
    """A column of texts; None where it is not all text and has to be looked at cell by cell."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy()
        names = values.cat.categories.to_numpy(dtype=object)
        if (codes < 0).any() or infer_dtype(names, skipna=False) != "string":
            return None
        return _strip(codes, names)
    if not is_string_dtype(values.dtype):
        return None
    return _label(values.to_numpy(dtype=object))


def _label(cells: npt.NDArray[np.object_]) -> Labels | None:
    """Labels of texts. Equal neighbours are looked at once."""
    first = np.ones(len(cells), dtype=bool)
    try:
        np.not_equal(cells[1:], cells[:-1], out=first[1:], casting="unsafe")
    except TypeError:
        return None  # Some missing values know no truth.
    heads = np.flatnonzero(first)
    if infer_dtype(cells[heads], skipna=False) not in ("string", "empty"):
        return None
    codes, names = pd.factorize(cells[heads])
    labels = _strip(codes, names)
    lengths = np.diff(np.append(heads, len(cells)))
    return Labels(np.repeat(labels.codes, lengths), labels.names)


def _is_ascending(names: npt.NDArray[np.object_]) -> bool:
    return bool((names[1:] > names[:-1]).all())


def _strip(codes: npt.NDArray[np.integer], names: npt.NDArray[np.object_]) -> Labels:
    """Labels without white space around them, in ascending order, without those of no row."""
    given = names.tolist()
    stripped = [name.strip() for name in given]
    used = np.bincount(codes, minlength=len(names)) > 0
    if used.all() and stripped == given and _is_ascending(names):
        # The usual case: distinct names in order, all of them in use.
        return Labels(codes.astype(np.int32, copy=False), names)
    found = {name for name, is_used in zip(stripped, used.tolist(), strict=True) if is_used}
    ordered = sorted(found)
    number = {name: place for place, name in enumerate(ordered)}
    place = np.array([number.get(name, -1) for name in stripped], dtype=np.int32)
    return Labels(place[codes], np.array(ordered, dtype=object))
