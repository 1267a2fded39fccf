"""The groups in which kinetics are summarised, and the statistics of one group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from celldossier.results import ResultCollector
from celldossier.stats.descriptive import BLOCK, describe

FEW = 3
"""Below this number the values are listed instead (nca_rules.md, summaries)."""

METHOD = "geometric statistics of the values above 0; quartiles by linear interpolation (type 7)"

_SPREAD = ("gcv", "sd")
_GEOMETRIC = ("geomean", "gcv")


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


def add_block(
    collector: ResultCollector,
    analysis: str,
    values: pd.Series,
    extra: Mapping[str, float],
    *,
    dataset: str,
    variable: str,
    analyte: str,
    by: Mapping[str, str],
    where: str,
    unit: str,
    no_geometric: str = "",
) -> None:
    """Add the statistic block of `values`, and the values themselves where they are few.

    Parameters
    ----------
    values
        Values, NaN where there is none.
    extra
        Further counts, such as ``{"n_nc": 3}``.
    no_geometric
        Reason code for which the geometric statistics are withheld; "" for none.
    """
    block = describe(values)
    n = int(block["n"])
    positive = int((values > 0).sum())
    notes = {}
    for stat in BLOCK:
        if not math.isnan(block[stat]):
            continue
        lacks_spread = stat in _SPREAD and (positive if stat in _GEOMETRIC else n) > 0
        notes[stat] = "FEWVAL" if lacks_spread else "NOVALUE"
    if no_geometric:
        for stat in _GEOMETRIC:
            block[stat], notes[stat] = math.nan, no_geometric
    statistics: dict[str, float | str] = {**block, **extra}
    if 0 < n < FEW:
        listed = sorted(float(value) for value in values.dropna())
        statistics["values"] = "; ".join(f"{value:.6g}" for value in listed)
    units = {stat: "" for stat in ("n", *extra)} | {"gcv": "%"}
    geometric = {stat: value for stat, value in statistics.items() if stat in _GEOMETRIC}
    others = {stat: value for stat, value in statistics.items() if stat not in _GEOMETRIC}
    for part, count in ((geometric, positive), (others, n)):
        collector.add(
            analysis,
            part,
            dataset=dataset,
            variable=variable,
            analyte=analyte,
            by=by,
            where=where,
            unit=unit,
            units=units,
            n=count,
            method=METHOD,
            notes={stat: note for stat, note in notes.items() if stat in part},
        )
