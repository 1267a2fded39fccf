"""The messy twin of a simulated study: where each declared fault is planted.

A fault of a subject as such (of its demographics, doses or lots, or of records that are
missing) takes a subject of its own; two faults of single records never meet in one domain
of one subject: so none hides another. `plant_faults` gives the spoiled tables and a list
of what was planted, from which a test counts what was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from celldossier.simulation.faults import Fault
from celldossier.simulation.spoilers import SPOILERS, MessyTables, Tables, matches, remove_records
from celldossier.simulation.streams import open_stream


@dataclass(frozen=True)
class MessyStudy:
    """Spoiled raw tables by lower-case domain, and the faults that were planted.

    Attributes
    ----------
    faults
        number, rule_id, severity, domain, file, row, column, subject, value (as the
        finding says them), befell (the subject or lot that was taken), consequences, en,
        zh; every column text.
    encodings
        Encoding of the files that are not UTF-8.
    """

    raw: Tables
    faults: pd.DataFrame
    encodings: dict[str, str]


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
    messy = MessyTables(tables, pd.Timestamp(cutoff), open_stream(seed, "faults"))
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
        labels[number] = (SPOILERS[fault.spoil](messy, fault, label), subject)
        for domain, among in fault.also_without.items():
            remove_records(messy, domain, subject, among)
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
    removes = fault.spoil == "remove" or bool(fault.also_without)
    return fault.alone or removes or fault.domain in ("DM", "EX", "LOTS")


def _is_of_file(fault: Fault) -> bool:
    return fault.spoil in ("drop_column", "encode")


def _infused(tables: Tables) -> set[str]:
    doses = tables["ex"]
    return set(doses.loc[doses["EXCAT"] == "CELL PRODUCT", "USUBJID"])


def _key(domain: str, frame: pd.DataFrame) -> pd.Series:
    """What a fault takes for itself: the subject, or the lot where a lot has no subject."""
    subject = frame["USUBJID"]
    return subject.where(subject != "", frame["LOTID"]) if domain == "LOTS" else subject


def _find_candidates(fault: Fault, tables: Tables, infused: set[str]) -> pd.Series:
    """Subject (or lot) of each record that the fault may befall, by the record's label."""
    if _is_of_file(fault):
        return pd.Series(dtype=object)
    frame = tables[fault.domain.lower()]
    rows = matches(frame, fault.select)
    for column, value in fault.unless.items():
        rows &= ~matches(frame, {column: value})
    keys = _key(fault.domain, frame)
    if fault.infused:
        # A lot without a subject serves several.
        rows &= keys.isin(infused) | (frame["USUBJID"] == "")
    for domain, wanted in fault.with_record.items():
        other = tables[domain.lower()]
        rows &= keys.isin(other.loc[matches(other, wanted), "USUBJID"])
    for domain, wanted in fault.without_record.items():
        other = tables[domain.lower()]
        rows &= ~keys.isin(other.loc[matches(other, wanted), "USUBJID"])
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
    found = fault.found
    domain = found.domain or fault.domain
    frame = tables[domain.lower()]
    if found.domain:
        there = frame.index[(frame["USUBJID"] == subject) & matches(frame, found.at)]
        if there.empty:
            raise ValueError(f"{fault.rule}: {subject} has no such record in {domain}.")
        label = int(there[0])
    column = fault.column if found.column is None else found.column
    row, value, own = "", found.value or "", ""
    if label >= 0 and label in frame.index:
        own = str(frame.loc[label, "USUBJID"])
        row = str(int(np.flatnonzero(frame.index == label)[0]) + 1)
        cell = found.cell or column
        if found.value is None and cell:
            value = str(frame.loc[label, cell])
    elif label >= 0:
        own = subject
    return {
        "number": str(number),
        "rule_id": fault.rule,
        "severity": fault.severity,
        "domain": domain,
        "file": f"{domain.lower()}.csv",
        "row": row if found.row == "record" else "",
        "column": column,
        "subject": own if found.subject == "record" else "",
        "value": value if found.row == "record" or found.value else "",
        "befell": subject,
        "consequences": " ".join(fault.consequences),
        "en": fault.en,
        "zh": fault.zh,
    }
