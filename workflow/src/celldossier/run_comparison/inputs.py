"""What two runs were made of: raw records, decisions, code and libraries that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.run_comparison.records import (
    Layout,
    Pairs,
    TableDifferences,
    compare_tables,
    encode,
    pair_records,
)

FILE, ROW, SUBJECT = "raw file", "raw row", "raw subject"
"""Columns that a raw table is given beside its own: file, row in it, subject where known."""
DECISION = Layout(
    keys=("id", "kind", "domain", "column", "rule"), trace=("file", "row"), subject="subject"
)
DECIDED = ("id", "kind", "subject", "domain", "file", "row", "column", "rule", "after", "reason")
"""Columns of DECISIONS that say what was decided; the others say what it changed."""
UNKNOWN = "not recorded"
"""In place of the name of a part: a run that does not say what it was made of."""


@dataclass(frozen=True)
class PartChanges:
    """Parts of a record (code, environment, inputs) that differ, and the number that do not.

    Attributes
    ----------
    changed
        Part to its old and new value; "" where a run lacks it.
    known
        Whether both runs have such a record. Where one has none, anything may differ, and that
        is a possible cause of every difference.
    """

    changed: Mapping[str, tuple[str, str]]
    equal: int
    known: bool = True

    @property
    def causes(self) -> tuple[str, ...]:
        """Names of what may have changed a result."""
        return tuple(self.changed) if self.known else (UNKNOWN,)


def compare_parts(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> PartChanges:
    """Compare two records of parts by their values; None is a run without such a record."""
    if old is None or new is None:
        return PartChanges({}, 0, known=False)
    names = sorted({*old, *new})
    changed = {
        name: (old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    }
    return PartChanges(changed, len(names) - len(changed))


def compare_decisions(
    old: pd.DataFrame, new: pd.DataFrame
) -> tuple[TableDifferences, list[tuple[str, str, str]]]:
    """Decisions that differ, by what was decided; what they changed in the data is a result.

    Parameters
    ----------
    old, new
        Dataset DECISIONS of both runs.

    Returns
    -------
    tuple
        The differences, and id, kind and subject of each decision that differs.
    """
    before, after = (
        # How many findings are open after an acceptance is what it did, not what it says.
        side.assign(after=side["after"].where(side["kind"] != "ACCEPT", ""))
        .loc[side["kind"] != "TOTAL", list(DECIDED)]
        .drop_duplicates(ignore_index=True)
        for side in (old, new)
    )
    pairs = pair_records(before, after, DECISION)
    differs = ~pairs.equal
    listed = pd.concat(
        [
            before.iloc[[*pairs.old[differs], *pairs.removed]],
            after.iloc[[*pairs.new[differs], *pairs.added]],
        ]
    )
    decisions = listed[["id", "kind", "subject"]].drop_duplicates().itertuples(index=False)
    return compare_tables(before, after, DECISION), [
        (str(row.id), str(row.kind), str(row.subject)) for row in decisions
    ]


def compare_raw(
    old: pd.DataFrame, new: pd.DataFrame, keys: tuple[str, ...]
) -> tuple[TableDifferences, pd.DataFrame, str | None]:
    """Raw records of a domain that differ.

    Parameters
    ----------
    old, new
        Text columns of the raw files, with `FILE`, `ROW` and `SUBJECT`.
    keys
        Raw columns that identify a record; those that only one version has are left out.

    Returns
    -------
    tuple
        The differences, and the place of each record that differs: change, file, row (of the new
        version, of the old one for a removed record), subject, columns that changed. Then what
        concerns whole files: columns that only one version has, "" where records stand in another
        order, of which the first may count; None where neither is so.
    """
    layout = Layout(
        keys=tuple(key for key in keys if key in old and key in new),
        trace=(FILE, ROW, SUBJECT),
        subject=SUBJECT,
        named=(FILE, ROW),
    )
    pairs = pair_records(old, new, layout)
    differs = ~pairs.equal
    before, after = old.iloc[pairs.old[differs]], new.iloc[pairs.new[differs]]
    columns = [""] * len(after)
    for name in [str(n) for n in old if n in new and n not in (FILE, ROW, SUBJECT)]:
        first, second = encode(before, after, [name])
        columns = [
            " ".join(filter(None, (text, name if one != two else "")))
            for text, one, two in zip(columns, first, second, strict=True)
        ]
    places = pd.concat(
        [
            _places(after, "changed").assign(columns=columns),
            _places(old.iloc[pairs.removed], "removed").assign(columns=""),
            _places(new.iloc[pairs.added], "added").assign(columns=""),
        ],
        ignore_index=True,
    )
    return compare_tables(old, new, layout), places, _find_form(old, new, pairs)


def _find_form(old: pd.DataFrame, new: pd.DataFrame, pairs: Pairs) -> str | None:
    """Columns that one version lacks, "" where only the order is another, None where neither is."""
    if not (len(old) and len(new)):
        return None
    columns = sorted(set(old.columns) ^ set(new.columns))
    # The equal records come first, in the order of the old version.
    reordered = bool((np.diff(pairs.new[pairs.equal]) < 0).any())
    return " ".join(columns) if columns or reordered else None


def _places(frame: pd.DataFrame, change: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "change": change,
            "file": list(frame[FILE]),
            "row": list(frame[ROW]),
            "subject": list(frame[SUBJECT]),
        }
    )
