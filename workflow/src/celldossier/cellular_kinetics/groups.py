"""The groups in which kinetics are summarised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pandas as pd

from celldossier import results
from celldossier.results import BLOCK_METHOD, GEOMETRIC

add_block = partial(results.add_block, of_positive=True, method=BLOCK_METHOD)
"""The statistic block of `celldossier.results`, its geometric part counted by itself."""


@dataclass(frozen=True)
class Group:
    """One cell of a grouping: its levels, and the subjects in it."""

    by: dict[str, str]
    subjects: frozenset[str]


def list_groups(levels: pd.DataFrame, *groupings: tuple[str, ...]) -> Iterator[Group]:
    """The groups of each grouping; ``()`` is the total. Blank levels form no group."""
    for keys in groupings:
        if not keys:
            yield Group({}, frozenset(levels.index))
            continue
        known = levels[(levels[list(keys)] != "").all(axis=1)]
        for values, rows in known.groupby(list(keys), sort=True):
            by = {key: str(value) for key, value in zip(keys, values, strict=True)}
            yield Group(by, frozenset(rows.index))


def withhold_geometric(below: int, n: int) -> dict[str, str]:
    """Geometric statistics that are withheld, with the reason: over half are below the LLOQ."""
    return dict.fromkeys(GEOMETRIC, "BLQHALF") if 2 * below > n else {}
