"""What is known of a run, and what is gathered while two of them are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from celldossier.run_comparison.causes import Causes
from celldossier.run_comparison.inputs import PartChanges
from celldossier.run_comparison.records import (
    COLUMNS,
    Counts,
    Layout,
    TableDifferences,
    compare_tables,
)

DIFFERENCES = (
    *("kind", "object", "change", "subject", "key", "variable", "old", "new"),
    *("absolute", "relative", "causes"),
)
"""Columns of differences.csv."""


@dataclass(frozen=True)
class RunContent:
    """What is known of a run.

    Attributes
    ----------
    name
        Name of its folder.
    version, commit
        Version of the program that made it, and its commit, "" where the run does not say.
    settings
        Effective sections by name, `run` among them.
    code, environment, inputs
        Hash or version by part, as `celldossier.io.run_record` has them; None where the run does
        not say.
    table
        Gives the table of a file of the run, such as ``adam/ADSL.parquet``; None where it has none.
    digest
        Gives the hash of a file of the run, "" where it has none.
    outputs
        CSV files of tables, listings and figures, below the run's folder.
    raw
        Gives the raw records of a domain with the raw columns of its keys; None where the raw
        files are not there any more as they were.
    """

    name: str
    version: str
    commit: str
    settings: Mapping[str, Any]
    code: Mapping[str, str] | None
    environment: Mapping[str, str] | None
    inputs: Mapping[str, str] | None
    table: Callable[[str], pd.DataFrame | None]
    digest: Callable[[str], str]
    outputs: tuple[str, ...]
    raw: Callable[[str], tuple[pd.DataFrame, tuple[str, ...]] | None]


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    Attributes
    ----------
    differences
        A row a difference (`DIFFERENCES`), in the order inputs, data, results, outputs.
    counts
        A row a table that was compared: kind, object, records of both runs, those equal, moved,
        changed, added and removed, and subjects with and without a difference.
    places
        Raw records that differ: change, file, row, subject, columns.
    causes
        Causes by their text in the column ``causes``.
    """

    old: RunContent
    new: RunContent
    differences: pd.DataFrame
    counts: pd.DataFrame
    places: pd.DataFrame
    causes: Mapping[str, Causes]


@dataclass
class Gathering:
    """Differences and counts as they are gathered."""

    rows: list[pd.DataFrame] = field(default_factory=list)
    counts: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, kind: str, name: str, found: TableDifferences, causes: str | list[str] = ""
    ) -> None:
        """Take up the differences of a table with their causes, one text or one a row."""
        if len(found.rows):
            self.rows.append(found.rows.assign(kind=kind, object=name, causes=causes))
        self.count(kind, name, found.counts)

    def count(self, kind: str, name: str, counts: Counts, **subjects: int) -> None:
        """Take up the counts of a table."""
        known = {"subjects_equal": 0, "subjects_differing": 0, **subjects}
        self.counts.append({"kind": kind, "object": name, **vars(counts), **known})

    def parts(self, kind: str, changes: PartChanges) -> None:
        """Parts by name: settings, code, libraries, input files."""
        rows = pd.DataFrame(
            [
                {"change": _change(old, new), "key": name, "old": old, "new": new}
                for name, (old, new) in changes.changed.items()
            ]
        )
        names = changes.changed.values()
        added, removed = (sum(not pair[i] for pair in names) for i in (0, 1))
        counts = Counts(
            old=changes.equal + len(names) - added,
            new=changes.equal + len(names) - removed,
            equal=changes.equal,
            moved=0,
            changed=len(names) - added - removed,
            added=added,
            removed=removed,
        )
        self.add(kind, kind, TableDifferences(complete_rows(rows), counts))


def compare_file(
    old: RunContent, new: RunContent, place: str, layout: Layout
) -> TableDifferences | None:
    """Compare a file of both runs; None where neither has it."""
    if old.digest(place) and old.digest(place) == new.digest(place):
        table = new.table(place)
        size = 0 if table is None else len(table)
        return TableDifferences(complete_rows(pd.DataFrame()), _all_equal(size))
    tables = [run.table(place) for run in (old, new)]
    if all(table is None for table in tables):
        return None
    known = next(table for table in tables if table is not None)
    before, after = (known.iloc[:0] if table is None else table for table in tables)
    return compare_tables(before, after, layout)


def _all_equal(size: int) -> Counts:
    return Counts(size, size, equal=size, moved=0, changed=0, added=0, removed=0)


def _change(old: str, new: str) -> str:
    return "added" if not old else "removed" if not new else "changed"


def complete_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with all columns of a table of differences."""
    filled = rows.reindex(columns=list(COLUMNS))
    numbers = ["absolute", "relative"]
    filled[numbers] = filled[numbers].astype(float)
    texts = [name for name in COLUMNS if name not in numbers]
    filled[texts] = filled[texts].astype(object).fillna("")
    return filled


def no_differences() -> pd.DataFrame:
    """All columns of the differences, and no rows."""
    return complete_rows(pd.DataFrame()).assign(kind="", object="", causes="")
