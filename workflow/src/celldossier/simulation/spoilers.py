"""What can be done to a record or a file of a simulated study.

Each spoiler takes the tables, the fault and the label of its record, and gives the label
of the record that the finding will be about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd

from celldossier.simulation.faults import Choice, Fault
from celldossier.simulation.records import format_numbers

Tables: TypeAlias = dict[str, pd.DataFrame]
MINUTE = "%Y-%m-%dT%H:%M"
DAY = "%Y-%m-%d"
FIRST_NEW_LABEL = 1_000_000_000
"""Labels of records that are added; no study has so many of its own."""


@dataclass
class MessyTables:
    """The tables while they are spoiled; a record keeps its label when others go or come."""

    tables: Tables
    cutoff: pd.Timestamp
    rng: np.random.Generator
    encodings: dict[str, str] = field(default_factory=dict)
    fresh: int = FIRST_NEW_LABEL


def matches(frame: pd.DataFrame, wanted: Mapping[str, Choice]) -> pd.Series:
    """Rows that have the wanted value, or one of the wanted values, in each column."""
    rows = pd.Series(True, index=frame.index)
    for column, value in wanted.items():
        values = (value,) if isinstance(value, str) else value
        rows &= frame[column].isin(values)
    return rows


def _set(messy: MessyTables, fault: Fault, label: int) -> int:
    """Put ``value`` in the cell; with ``same``, in all records of the subject that have it."""
    frame = messy.tables[fault.domain.lower()]
    rows = [label]
    if "same" in fault.arguments:
        own = frame["USUBJID"] == frame.loc[label, "USUBJID"]
        rows = list(frame.index[own & matches(frame, fault.arguments["same"])])
    frame.loc[rows, fault.column] = str(fault.arguments.get("value", ""))
    return label


def _multiply(messy: MessyTables, fault: Fault, label: int) -> int:
    """Multiply the number in the cell by ``factor``: a wrong unit, a wrong dose."""
    frame = messy.tables[fault.domain.lower()]
    number = float(str(frame.loc[label, fault.column])) * float(fault.arguments["factor"])
    frame.loc[label, fault.column] = format_numbers([number])[0]
    return label


def _replace(messy: MessyTables, fault: Fault, label: int) -> int:
    """Replace the regular expression ``pattern`` by ``text``: typing errors, commas, zones."""
    frame = messy.tables[fault.domain.lower()]
    old = str(frame.loc[label, fault.column])
    new = pd.Series([old]).str.replace(
        fault.arguments["pattern"], fault.arguments["text"], regex=True
    )[0]
    if new == old:
        raise ValueError(f"{fault.rule}: {old!r} of {fault.column} was not changed.")
    frame.loc[label, fault.column] = new
    return label


def _swap(messy: MessyTables, fault: Fault, label: int) -> int:
    """Swap the cell with that of column ``other``."""
    frame = messy.tables[fault.domain.lower()]
    other = str(fault.arguments["other"])
    here, there = str(frame.loc[label, fault.column]), str(frame.loc[label, other])
    frame.loc[label, fault.column] = there
    frame.loc[label, other] = here
    return label


def _anchor(messy: MessyTables, name: str, subject: str) -> pd.Timestamp:
    """Moment of a subject: consent, first_dose, death, or the cut-off of all."""
    if name == "cutoff":
        return messy.cutoff
    if name == "first_dose":
        doses = messy.tables["ex"]
        own = doses.loc[
            (doses["USUBJID"] == subject) & (doses["EXCAT"] == "CELL PRODUCT"), "EXSTDTC"
        ]
        return pd.Timestamp(str(own.min()))
    people = messy.tables["dm"]
    column = {"consent": "RFICDTC", "death": "DTHDTC"}[name]
    return pd.Timestamp(str(people.loc[people["USUBJID"] == subject, column].iloc[0]))


def _move(messy: MessyTables, fault: Fault, label: int) -> int:
    """Move the date to ``days`` after ``anchor``; it keeps its precision."""
    frame = messy.tables[fault.domain.lower()]
    old = str(frame.loc[label, fault.column])
    anchor = _anchor(messy, fault.arguments["anchor"], str(frame.loc[label, "USUBJID"]))
    moved = anchor + pd.Timedelta(days=float(fault.arguments["days"]))
    timed = "T" in old or bool(fault.arguments.get("timed"))
    frame.loc[label, fault.column] = moved.strftime(MINUTE if timed else DAY)
    return label


def _shift(messy: MessyTables, fault: Fault, label: int) -> int:
    """Shift the date by ``days``; it keeps its precision."""
    frame = messy.tables[fault.domain.lower()]
    old = str(frame.loc[label, fault.column])
    frame.loc[label, fault.column] = _later(old, float(fault.arguments["days"]))
    return label


def _later(text: str, days: float) -> str:
    moved = pd.Timestamp(text) + pd.Timedelta(days=days)
    return moved.strftime(MINUTE if "T" in text else DAY)


def _duplicate(messy: MessyTables, fault: Fault, label: int) -> int:
    """Append a copy of the record with the cells of ``change``; the finding is about the copy.

    Dates of ``later`` are moved by so many days.
    """
    name = fault.domain.lower()
    frame = messy.tables[name]
    new, messy.fresh = messy.fresh, messy.fresh + 1
    copy = frame.loc[[label]].rename(index={label: new})
    for column, text in fault.arguments.get("change", {}).items():
        copy[column] = str(text)
    for column, days in fault.arguments.get("later", {}).items():
        copy[column] = _later(str(copy.loc[new, column]), float(days))
    messy.tables[name] = pd.concat([frame, copy])
    return new


def remove_records(
    messy: MessyTables, domain: str, subject: str, among: Mapping[str, Choice]
) -> None:
    """Remove the records of a subject that have the values of ``among``."""
    name = domain.lower()
    frame = messy.tables[name]
    messy.tables[name] = frame.loc[~((frame["USUBJID"] == subject) & matches(frame, among))]


def _remove(messy: MessyTables, fault: Fault, label: int) -> int:
    """Remove all records of the subject that have ``among``; the finding has no record."""
    subject = str(messy.tables[fault.domain.lower()].loc[label, "USUBJID"])
    remove_records(messy, fault.domain, subject, fault.arguments["among"])
    return label


def _borrow(messy: MessyTables, fault: Fault, label: int) -> int:
    """Put in the cell what another subject's selected record has there, if it differs."""
    frame = messy.tables[fault.domain.lower()]
    others = frame.loc[
        matches(frame, fault.select) & (frame["USUBJID"] != frame.loc[label, "USUBJID"])
    ]
    values = others.loc[others[fault.column] != frame.loc[label, fault.column], fault.column]
    frame.loc[label, fault.column] = str(values.iloc[int(messy.rng.integers(values.size))])
    return label


def _drop_column(messy: MessyTables, fault: Fault, label: int) -> int:
    """Leave a column out of the file."""
    name = fault.domain.lower()
    messy.tables[name] = messy.tables[name].drop(columns=fault.column)
    return label


def _encode(messy: MessyTables, fault: Fault, label: int) -> int:
    """Write the file in another encoding, with ``text`` in a cell so that this matters."""
    name = fault.domain.lower()
    frame = messy.tables[name]
    frame.loc[frame.index[0], fault.arguments["at"]] = fault.arguments["text"]
    messy.encodings[name] = fault.arguments["encoding"]
    return label


SPOILERS: dict[str, Callable[[MessyTables, Fault, int], int]] = {
    "set": _set,
    "multiply": _multiply,
    "replace": _replace,
    "swap": _swap,
    "move": _move,
    "shift": _shift,
    "duplicate": _duplicate,
    "remove": _remove,
    "borrow": _borrow,
    "drop_column": _drop_column,
    "encode": _encode,
}
