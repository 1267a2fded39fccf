"""What a reader of raw tables gives: the table, or the rule that says why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd


class TableFault(Exception):
    """A table cannot be read; the stage turns it into a finding of that rule.

    Parameters
    ----------
    detail, hint
        What the message of the rule says of the file, and what the reader may try.
    """

    def __init__(self, rule: str, detail: str = "", hint: str = "") -> None:
        self.rule = rule
        self.detail = detail
        self.hint = hint
        super().__init__(f"{rule}: {detail}")


class CellFault(NamedTuple):
    """A cell that holds no value but the failure of a formula; it is read as blank."""

    row: int
    column: str
    text: str


@dataclass(frozen=True)
class Layout:
    """How a table lies in its file.

    Parameters
    ----------
    sheet
        Sheet of a workbook; the first one where blank.
    encoding, delimiter
        Of a text file; "auto" for UTF-8, and for the sign that the ending means.
    header_row
        Line of the header, counted from 1.
    wanted
        Columns to be read; None for all of them.
    """

    sheet: str = ""
    encoding: str = "auto"
    delimiter: str = "auto"
    header_row: int = 1
    wanted: frozenset[str] | None = None

    def choose(self, names: Sequence[str]) -> list[int]:
        """Places of the columns to be read.

        Raises
        ------
        TableFault
            COLUMNTWICE where one of the names of the file stands twice.
        """
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise TableFault("COLUMNTWICE", ", ".join(twice))
        if self.wanted is None:
            return list(range(len(names)))
        return [place for place, name in enumerate(names) if name in self.wanted]


@dataclass(frozen=True)
class RawTable:
    """A table as text.

    Parameters
    ----------
    frame
        The columns that were asked for, "" where a cell is empty, indexed by row.
    names
        All columns of the file.
    cell_faults
        Cells that hold the failure of a formula.
    """

    frame: pd.DataFrame
    names: tuple[str, ...]
    cell_faults: tuple[CellFault, ...] = field(default=())


@dataclass(frozen=True)
class FoundFile:
    """A file of a folder, and the layout that it could be read by."""

    name: str
    table: pd.DataFrame
    layout: Layout


def make_frame(
    columns: Mapping[str, Sequence[str] | np.ndarray], rows: Iterable[int]
) -> pd.DataFrame:
    """Text columns, indexed by row number."""
    index = pd.Index(np.fromiter(rows, dtype="int64"), name="row")
    return pd.DataFrame(
        {name: pd.Series(cells, index=index, dtype=object) for name, cells in columns.items()},
        index=index,
    )
