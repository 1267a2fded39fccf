"""The messy twin of a simulated study: faults that are declared as data, and their spoilers.

A fault names the rule that must find it, the records that it may befall, a spoiler with
its arguments, and what the finding will say. A fault of a subject as such (of its
demographics or doses, or of records that are missing) takes a subject of its own; two
faults of single records never meet in one domain of one subject: so none hides another.
`plant_faults` gives the spoiled tables and a list of what was planted, from which a test
counts what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.simulation.records import format_numbers
from celldossier.simulation.streams import open_stream

Tables: TypeAlias = dict[str, pd.DataFrame]
Choice: TypeAlias = str | tuple[str, ...]
MINUTE = "%Y-%m-%dT%H:%M"
DAY = "%Y-%m-%d"
FIRST_NEW_LABEL = 1_000_000_000
"""Labels of records that are added; no study has so many of its own."""

SpoilerName = Literal[
    "set",
    "multiply",
    "replace",
    "swap",
    "move",
    "shift",
    "duplicate",
    "remove",
    "borrow",
    "drop_column",
    "empty",
    "encode",
]
"""What can be done to a record or a file; see the functions of the same names."""


class FoundAs(Section):
    """Where and how the finding will say it, where that is not the spoiled cell."""

    column: str | None = Field(None, description="Column of the finding; the spoiled one if blank.")
    value: str | None = Field(None, description="Its value; the cell of `cell` if blank.")
    cell: str | None = Field(None, description="Column whose cell is the value.")
    row: Literal["record", "none"] = Field("record", description="The record, or the whole file.")
    subject: Literal["record", "none"] = Field("record", description="Subject of the record.")


class Fault(Section):
    """One fault to plant."""

    rule: Code = Field(description="Rule that must find it.")
    severity: Literal["error", "warning", "note"] = Field(description="Severity of the finding.")
    domain: Code = Field(description="Domain of the raw file.")
    select: dict[str, Choice] = Field(
        default_factory=dict, description="Column: value, or values, of the records it may befall."
    )
    unless: dict[str, Choice] = Field(
        default_factory=dict, description="Column: value, or values, of records to be spared."
    )
    with_record: dict[str, dict[str, Choice]] = Field(
        default_factory=dict,
        description="Domain: values; the subject must have such a record in that domain.",
    )
    infused: bool = Field(True, description="Only subjects who received the product.")
    alone: bool = Field(
        False, description="Takes the subject for itself, as faults of DM and EX always do."
    )
    spoil: SpoilerName = Field(description="What is done to the record.")
    column: str = Field("", description="Column that is spoiled.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Of the spoiler.")
    found: FoundAs = Field(default_factory=FoundAs)
    consequences: tuple[Code, ...] = Field(
        (), description="Rules that may find something more of the same subject or file."
    )
    en: str = Field(min_length=1, description="What is wrong, in English.")
    zh: str = Field(min_length=1, description="What is wrong, in Chinese.")


class FaultList(Section):
    """A file of faults."""

    names: dict[str, str] = Field(
        default_factory=dict,
        description="What stands for $name in the shared faults, for instance a test code.",
    )
    without: tuple[Code, ...] = Field(
        (), description="Rules of the shared faults that the study cannot have."
    )
    faults: tuple[Fault, ...] = ()


@dataclass
class _Messy:
    """The tables while they are spoiled; a record keeps its label when others go or come."""

    tables: Tables
    cutoff: pd.Timestamp
    rng: np.random.Generator
    encodings: dict[str, str] = field(default_factory=dict)
    fresh: int = FIRST_NEW_LABEL


@dataclass(frozen=True)
class MessyStudy:
    """Spoiled raw tables by lower-case domain, and the faults that were planted.

    Attributes
    ----------
    faults
        number, rule_id, severity, domain, file, row, column, subject, value,
        consequences, en, zh; every column text.
    encodings
        Encoding of the files that are not UTF-8.
    """

    raw: Tables
    faults: pd.DataFrame
    encodings: dict[str, str]


def combine_faults(shared: FaultList, own: FaultList) -> list[Fault]:
    """Shared faults that the study can have, with its names put in, and its own.

    Raises
    ------
    ValueError
        If `without` names a rule that no shared fault has, or a name is not given.
    """
    unknown = set(own.without) - {fault.rule for fault in shared.faults}
    if unknown:
        raise ValueError(f"without: no shared fault has the rule {', '.join(sorted(unknown))}.")
    kept = [fault for fault in shared.faults if fault.rule not in own.without]
    named = [Fault.model_validate(_fill(fault.model_dump(), own.names)) for fault in kept]
    return [*named, *own.faults]


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("$") and len(value) > 1:
        if value[1:] not in names:
            raise ValueError(f"names: {value[1:]} is not given.")
        return names[value[1:]]
    if isinstance(value, dict):
        return {name: _fill(inner, names) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(inner, names) for inner in value]
    return value


def plant_faults(
    raw: Mapping[str, pd.DataFrame], faults: Sequence[Fault], seed: int, cutoff: date
) -> MessyStudy:
    """Plant each fault at a subject of its own; equal arguments give equal bytes.

    Parameters
    ----------
    cutoff
        Day of the data cut-off.

    Raises
    ------
    ValueError
        If no record is left that a fault could befall.
    """
    tables = {name: frame.reset_index(drop=True).copy() for name, frame in raw.items()}
    messy = _Messy(tables, pd.Timestamp(cutoff), open_stream(seed, "faults"))
    infused = _infused(tables)
    candidates = [_find_candidates(fault, tables, infused) for fault in faults]
    taken = _Taken()
    labels: dict[int, tuple[int, str]] = {}
    # What needs a subject of its own and can befall only a few comes first; whole files come last.
    order = sorted(
        range(len(faults)),
        key=lambda n: (
            _is_of_file(faults[n]),
            not _is_alone(faults[n]),
            len(set(candidates[n])),
            n,
        ),
    )
    for number in order:
        fault = faults[number]
        if _is_of_file(fault):
            label, subject = -1, ""
        else:
            label, subject = _choose(fault, candidates[number], taken, messy.rng)
            taken.add(fault, subject)
        labels[number] = (_SPOILERS[fault.spoil](messy, fault, label), subject)
    listed = [_describe(n + 1, fault, messy.tables, *labels[n]) for n, fault in enumerate(faults)]
    final = {name: frame.reset_index(drop=True) for name, frame in messy.tables.items()}
    return MessyStudy(final, pd.DataFrame(listed), messy.encodings)


@dataclass
class _Taken:
    """Subjects that a fault has for itself, and domains of subjects that hold a fault."""

    subjects: set[str] = field(default_factory=set)
    places: set[tuple[str, str]] = field(default_factory=set)

    def add(self, fault: Fault, subject: str) -> None:
        """Take the place of a fault."""
        if _is_alone(fault):
            self.subjects.add(subject)
        self.places.add((fault.domain, subject))

    def is_free(self, fault: Fault, subject: str) -> bool:
        """Whether a fault may still befall the subject."""
        if subject in self.subjects or (fault.domain, subject) in self.places:
            return False
        return not (_is_alone(fault) and any(own == subject for _, own in self.places))


def _is_alone(fault: Fault) -> bool:
    return fault.alone or fault.domain in ("DM", "EX") or fault.spoil == "remove"


def _is_of_file(fault: Fault) -> bool:
    return fault.spoil in ("drop_column", "empty", "encode")


def _infused(tables: Tables) -> set[str]:
    doses = tables["ex"]
    return set(doses.loc[doses["EXCAT"] == "CELL PRODUCT", "USUBJID"])


def _matches(frame: pd.DataFrame, wanted: Mapping[str, Choice]) -> pd.Series:
    rows = pd.Series(True, index=frame.index)
    for column, value in wanted.items():
        values = (value,) if isinstance(value, str) else value
        rows &= frame[column].isin(values)
    return rows


def _key(domain: str, frame: pd.DataFrame) -> pd.Series:
    """What a fault takes for itself: the subject, or the lot where lots have no subject."""
    return frame["LOTID"] if domain == "LOTS" else frame["USUBJID"]


def _find_candidates(fault: Fault, tables: Tables, infused: set[str]) -> pd.Series:
    """Subject (or lot) of each record that the fault may befall, by the record's label."""
    if _is_of_file(fault):
        return pd.Series(dtype=object)
    frame = tables[fault.domain.lower()]
    rows = _matches(frame, fault.select)
    for column, value in fault.unless.items():
        rows &= ~_matches(frame, {column: value})
    keys = _key(fault.domain, frame)
    if fault.infused and fault.domain != "LOTS":
        rows &= keys.isin(infused)
    for domain, wanted in fault.with_record.items():
        other = tables[domain.lower()]
        rows &= keys.isin(other.loc[_matches(other, wanted), "USUBJID"])
    # Some rules take the first record of a file as the measure of the others.
    rows.iloc[:1] = False
    return keys[rows]


def _choose(
    fault: Fault, candidates: pd.Series, taken: _Taken, rng: np.random.Generator
) -> tuple[int, str]:
    free = candidates[[taken.is_free(fault, subject) for subject in candidates]]
    if free.empty:
        raise ValueError(f"No record is left for the fault {fault.rule} of {fault.domain}.")
    place = int(rng.integers(free.size))
    return int(free.index[place]), str(free.iloc[place])


def _describe(
    number: int, fault: Fault, tables: Tables, label: int, subject: str
) -> dict[str, str]:
    frame = tables[fault.domain.lower()]
    found = fault.found
    column = fault.column if found.column is None else found.column
    row, value, own = "", found.value or "", ""
    if label >= 0 and label in frame.index:
        own = str(frame.loc[label, "USUBJID"])
        row = str(int(frame.index.get_loc(label)) + 1)  # type: ignore[arg-type]
        cell = found.cell or column
        if found.value is None and cell:
            value = str(frame.loc[label, cell])
    elif label >= 0:
        own = subject
    return {
        "number": str(number),
        "rule_id": fault.rule,
        "severity": fault.severity,
        "domain": fault.domain,
        "file": f"{fault.domain.lower()}.csv",
        "row": row if found.row == "record" else "",
        "column": column,
        "subject": own if found.subject == "record" else "",
        "value": value if found.row == "record" or found.value else "",
        "consequences": " ".join(fault.consequences),
        "en": fault.en,
        "zh": fault.zh,
    }


# --- spoilers: each takes the tables, the fault and the label of its record, and gives the label
# of the record that the finding will be about.


def _set(messy: _Messy, fault: Fault, label: int) -> int:
    """Put ``value`` in the cell; with ``same``, in all records of the subject that have it."""
    frame = messy.tables[fault.domain.lower()]
    rows = [label]
    if "same" in fault.arguments:
        own = frame["USUBJID"] == frame.loc[label, "USUBJID"]
        rows = list(frame.index[own & _matches(frame, fault.arguments["same"])])
    frame.loc[rows, fault.column] = str(fault.arguments.get("value", ""))
    return label


def _multiply(messy: _Messy, fault: Fault, label: int) -> int:
    """Multiply the number in the cell by ``factor``: a wrong unit, a wrong dose."""
    frame = messy.tables[fault.domain.lower()]
    number = float(str(frame.loc[label, fault.column])) * float(fault.arguments["factor"])
    frame.loc[label, fault.column] = format_numbers([number])[0]
    return label


def _replace(messy: _Messy, fault: Fault, label: int) -> int:
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


def _swap(messy: _Messy, fault: Fault, label: int) -> int:
    """Swap the cell with that of column ``other``."""
    frame = messy.tables[fault.domain.lower()]
    other = str(fault.arguments["other"])
    here, there = str(frame.loc[label, fault.column]), str(frame.loc[label, other])
    frame.loc[label, fault.column] = there
    frame.loc[label, other] = here
    return label


def _anchor(messy: _Messy, name: str, subject: str) -> pd.Timestamp:
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


def _move(messy: _Messy, fault: Fault, label: int) -> int:
    """Move the date to ``days`` after ``anchor``; it keeps its precision."""
    frame = messy.tables[fault.domain.lower()]
    old = str(frame.loc[label, fault.column])
    anchor = _anchor(messy, fault.arguments["anchor"], str(frame.loc[label, "USUBJID"]))
    moved = anchor + pd.Timedelta(days=float(fault.arguments["days"]))
    timed = "T" in old or bool(fault.arguments.get("timed"))
    frame.loc[label, fault.column] = moved.strftime(MINUTE if timed else DAY)
    return label


def _shift(messy: _Messy, fault: Fault, label: int) -> int:
    """Shift the date by ``days``; it keeps its precision."""
    frame = messy.tables[fault.domain.lower()]
    old = str(frame.loc[label, fault.column])
    moved = pd.Timestamp(old) + pd.Timedelta(days=float(fault.arguments["days"]))
    frame.loc[label, fault.column] = moved.strftime(MINUTE if "T" in old else DAY)
    return label


def _duplicate(messy: _Messy, fault: Fault, label: int) -> int:
    """Append a copy of the record with the cells of ``change``; the finding is about the copy."""
    name = fault.domain.lower()
    frame = messy.tables[name]
    new, messy.fresh = messy.fresh, messy.fresh + 1
    copy = frame.loc[[label]].rename(index={label: new})
    for column, text in fault.arguments.get("change", {}).items():
        copy[column] = str(text)
    messy.tables[name] = pd.concat([frame, copy])
    return new


def _remove(messy: _Messy, fault: Fault, label: int) -> int:
    """Remove all records of the subject that have ``among``; the finding has no record."""
    name = fault.domain.lower()
    frame = messy.tables[name]
    own = frame["USUBJID"] == frame.loc[label, "USUBJID"]
    messy.tables[name] = frame.loc[~(own & _matches(frame, fault.arguments["among"]))]
    return label


def _borrow(messy: _Messy, fault: Fault, label: int) -> int:
    """Put in the cell what another subject's selected record has there, if it differs."""
    frame = messy.tables[fault.domain.lower()]
    others = frame.loc[
        _matches(frame, fault.select) & (frame["USUBJID"] != frame.loc[label, "USUBJID"])
    ]
    values = others.loc[others[fault.column] != frame.loc[label, fault.column], fault.column]
    frame.loc[label, fault.column] = str(values.iloc[int(messy.rng.integers(values.size))])
    return label


def _drop_column(messy: _Messy, fault: Fault, label: int) -> int:
    """Leave a column out of the file."""
    name = fault.domain.lower()
    messy.tables[name] = messy.tables[name].drop(columns=fault.column)
    return label


def _empty(messy: _Messy, fault: Fault, label: int) -> int:
    """Leave all records out of the file."""
    name = fault.domain.lower()
    messy.tables[name] = messy.tables[name].iloc[:0]
    return label


def _encode(messy: _Messy, fault: Fault, label: int) -> int:
    """Write the file in another encoding, with ``text`` in a cell so that this matters."""
    name = fault.domain.lower()
    frame = messy.tables[name]
    frame.loc[frame.index[0], fault.arguments["at"]] = fault.arguments["text"]
    messy.encodings[name] = fault.arguments["encoding"]
    return label


_SPOILERS: dict[str, Callable[[_Messy, Fault, int], int]] = {
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
    "empty": _empty,
    "encode": _encode,
}
