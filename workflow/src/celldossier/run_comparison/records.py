"""Two versions of a table: which records are equal, changed, added, removed.

Nothing is rounded: a number that differs in its last bit is a difference, with its size. The row
of the raw file that a record came from is its trace and no content: where a file has new rows,
the records below them move and stay equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = ("change", "key", "subject", "variable", "old", "new", "absolute", "relative")
"""Columns of a table of differences; ``absolute`` and ``relative`` are numbers."""
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
Codes = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Layout:
    """How the records of a table are told apart.

    Attributes
    ----------
    keys
        Variables that identify a record.
    trace
        Variables that say where a record came from: compared with nothing.
    subject
        Variable that names the subject, "" where there is none.
    named
        Variables that a reader finds the record by, where they are not its keys.
    """

    keys: tuple[str, ...]
    trace: tuple[str, ...] = ()
    subject: str = ""
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Records of a table by what became of them; ``moved`` ones are among the equal."""

    old: int
    new: int
    equal: int
    moved: int
    changed: int
    added: int
    removed: int

    @property
    def differing(self) -> int:
        """Records that are not equal."""
        return self.changed + self.added + self.removed


@dataclass(frozen=True)
class Pairs:
    """Positions of the records of both versions that belong together, and of those left over."""

    old: np.ndarray
    new: np.ndarray
    equal: np.ndarray
    removed: np.ndarray
    added: np.ndarray
    moved: int


@dataclass(frozen=True)
class TableDifferences:
    """Differences of a table (`COLUMNS`), and its records counted."""

    rows: pd.DataFrame
    counts: Counts


def compare_tables(old: pd.DataFrame, new: pd.DataFrame, layout: Layout) -> TableDifferences:
    """Every record that differs between two versions of a table.

    Returns
    -------
    TableDifferences
        A row a record that was added or removed, and a row a variable of a record that changed.
        A variable that only one version has is a row of its own, and is compared no further.
    """
    pairs = pair_records(old, new, layout)
    changed = ~pairs.equal
    before, after = old.iloc[pairs.old[changed]], new.iloc[pairs.new[changed]]
    content = _shared_content(old, new, layout)
    parts: list[pd.DataFrame] = []
    if set(old.columns) ^ set(new.columns):
        parts.append(_variable_rows(old, new))
    if changed.any():
        cells = [_changed_cells(before, after, column, layout) for column in content]
        parts += [part for part in cells if part is not None]
    if len(pairs.removed):
        parts.append(_whole_records(old.iloc[pairs.removed], REMOVED, layout))
    if len(pairs.added):
        parts.append(_whole_records(new.iloc[pairs.added], ADDED, layout))
    rows = pd.concat(parts, ignore_index=True) if parts else empty_differences()
    return TableDifferences(
        rows,
        Counts(
            old=len(old),
            new=len(new),
            equal=int(pairs.equal.sum()),
            moved=pairs.moved,
            changed=int(changed.sum()),
            added=len(pairs.added),
            removed=len(pairs.removed),
        ),
    )


def empty_differences() -> pd.DataFrame:
    """A table of differences without rows."""
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    return frame.astype({"absolute": "float64", "relative": "float64"})


def pair_records(old: pd.DataFrame, new: pd.DataFrame, layout: Layout) -> Pairs:
    """Pair the records of two versions: equal ones first, then by the keys, then by the trace.

    Records that share a key are paired in the order in which they stand. By the trace they are
    paired only where no equal record has moved: a row number means the same in both then.
    """
    content = _shared_content(old, new, layout)
    trace = [name for name in layout.trace if name in old and name in new]
    old_left, new_left = np.arange(len(old)), np.arange(len(new))
    first, second, old_left, new_left = _pair(encode(old, new, content), old_left, new_left)
    moved = 0
    if trace and len(first):
        codes = encode(old, new, trace)
        moved = int((codes[0][first] != codes[1][second]).sum())
    found = [(first, second)]
    own = [name for name in layout.keys if name not in layout.trace and name in content]
    attempts = [own] if own else []
    if trace and moved == 0:
        attempts.append([*([layout.subject] if layout.subject in content else []), *trace])
    for names in attempts:
        one, two, old_left, new_left = _pair(encode(old, new, names), old_left, new_left)
        found.append((one, two))
    equal = np.zeros(sum(len(one) for one, _ in found), dtype=bool)
    equal[: len(first)] = True
    return Pairs(
        old=np.concatenate([one for one, _ in found]),
        new=np.concatenate([two for _, two in found]),
        equal=equal,
        removed=old_left,
        added=new_left,
        moved=moved,
    )


def encode(old: pd.DataFrame, new: pd.DataFrame, columns: Sequence[str]) -> Codes:
    """A whole number a record, equal where all of `columns` are equal, missing values too."""
    codes = np.zeros(len(old) + len(new), dtype=np.int64)
    for column in columns:
        values = pd.concat([old[column], new[column]], ignore_index=True)
        if values.dtype == np.float64:
            values = _as_bits(values)
        own, levels = pd.factorize(values, use_na_sentinel=False)
        codes, _ = pd.factorize(codes * max(len(levels), 1) + own)
    return codes[: len(old)], codes[len(old) :]


def _as_bits(values: pd.Series) -> pd.Series:
    """Numbers as their bits, so that 0 and -0 differ; every missing value alike."""
    numbers = np.where(values.isna(), np.nan, values.to_numpy())
    return pd.Series(numbers.view(np.int64))


def _pair(
    codes: Codes, old_left: np.ndarray, new_left: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the pairs among those left, and what is left after it."""
    _, first, second = np.intersect1d(
        _number_repeats(codes[0][old_left]),
        _number_repeats(codes[1][new_left]),
        assume_unique=True,
        return_indices=True,
    )
    order = np.argsort(first)
    first, second = first[order], second[order]
    return (
        old_left[first],
        new_left[second],
        np.delete(old_left, first),
        np.delete(new_left, second),
    )


def _number_repeats(codes: np.ndarray) -> np.ndarray:
    """The codes, made unique by the number of their occurrence; the same in both versions."""
    repeats = pd.Series(codes).groupby(codes).cumcount().to_numpy()
    # A table has fewer than 2^31 records.
    return codes * np.int64(2**31) + repeats


def _shared_content(old: pd.DataFrame, new: pd.DataFrame, layout: Layout) -> list[str]:
    return [name for name in old.columns if name in new.columns and name not in layout.trace]


def _variable_rows(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    names = [(name, REMOVED) for name in old.columns if name not in new.columns]
    names += [(name, ADDED) for name in new.columns if name not in old.columns]
    return _rows(
        len(names),
        change=[change for _, change in names],
        variable=[name for name, _ in names],
    )


def _changed_cells(
    before: pd.DataFrame, after: pd.DataFrame, column: str, layout: Layout
) -> pd.DataFrame | None:
    """Cells of a variable that differ between paired records; None where all are equal."""
    first, second = encode(before, after, [column])
    differs = first != second
    if not differs.any():
        return None
    one, two = before[differs], after[differs]
    old, new = (pd.to_numeric(side[column], errors="coerce") for side in (one, two))
    old, new = old.to_numpy(dtype=float), new.to_numpy(dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        absolute = new - old
        relative = np.where(old != 0, absolute / np.abs(old), np.nan)
    return _rows(
        len(one),
        change=CHANGED,
        key=describe_keys(two, layout),
        subject=_subjects(two, layout),
        variable=column,
        old=print_cells(one[column]),
        new=print_cells(two[column]),
        absolute=absolute,
        relative=relative,
    )


def _whole_records(frame: pd.DataFrame, change: str, layout: Layout) -> pd.DataFrame:
    return _rows(
        len(frame),
        change=change,
        key=describe_keys(frame, layout),
        subject=_subjects(frame, layout),
    )


def _rows(number: int, **columns: object) -> pd.DataFrame:
    blank: dict[str, object] = {
        **dict.fromkeys(COLUMNS, ""),
        "absolute": np.nan,
        "relative": np.nan,
    }
    return pd.DataFrame({**blank, **columns}, index=range(number))[list(COLUMNS)]


def describe_keys(frame: pd.DataFrame, layout: Layout) -> list[str]:
    """Text that names each record: its keys, but the subject."""
    names = layout.named or layout.keys
    own = [name for name in names if name in frame and name != layout.subject]
    texts = [""] * len(frame)
    for name in own:
        cells = print_cells(frame[name])
        parts = [f"{name}={cell}" if cell else "" for cell in cells]
        texts = [
            f"{text}; {part}" if text and part else text or part
            for text, part in zip(texts, parts, strict=True)
        ]
    return texts


def _subjects(frame: pd.DataFrame, layout: Layout) -> list[str]:
    if layout.subject not in frame:
        return [""] * len(frame)
    return [str(cell) for cell in frame[layout.subject]]


def print_cells(values: pd.Series) -> list[str]:
    """Cells as text: numbers with all their digits, "" where a value is missing.

    >>> print_cells(pd.Series([0.1, 7.0, float("nan")])), print_cells(pd.Series(["a", None]))
    (['0.1', '7', ''], ['a', ''])
    """
    return [_print_cell(cell) for cell in values.tolist()]


def _print_cell(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0")
    return str(cell)
