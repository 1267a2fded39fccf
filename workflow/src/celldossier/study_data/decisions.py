"""Decisions of a study on its data: typed reading, every fault a finding.

A decision says what, why, who and when. One that is unknown, incomplete or changes
nothing is an error: data that moved under a decision must not go unseen. They are
findings rather than faults of the config, since most show only against the data, and
so all of them are told in one go with those of the data and kept in the same files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.io.decisions import WINDOW_USES, DecisionFile
from celldossier.settings.sources import DOMAINS
from celldossier.study_data.findings import OF_DECISIONS, FindingCollector, Place
from celldossier.study_data.parsing import parse_dates
from celldossier.terms.finding_rules import read_rules

Kind = Literal["CORRECT", "EXCLUDE", "SETS", "ACCEPT", "WINDOW"]
HALF_LIFE = "half_life.csv"
"""Reviewed lambda-z windows, which the stage cellular_kinetics applies (nca_rules R18)."""
ALWAYS = ("id", "reason", "author", "date")
"""Columns of every file of decisions; none of their cells may be blank."""
SETS: Mapping[str, tuple[str, str]] = {
    "CK": ("PKFL", "NPKRSN"),
    "PD": ("PDFL", "NPDRSN"),
    "ADA": ("IMFL", "NIMRSN"),
    "ER": ("ERFL", "NERRSN"),
}
"""Analysis sets that a subject may be left out of: flag and reason in ADSL.

The safety set holds every infused subject, whatever was decided.
"""


@dataclass(frozen=True)
class Form:
    """Form of one file of decisions.

    Attributes
    ----------
    filled
        Columns that must hold a value, beside those of `ALWAYS`.
    present
        Columns that must be there, though a cell may be blank.
    optional
        Columns that may be left out.
    """

    kind: Kind
    filled: tuple[str, ...]
    present: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


FORMS: Mapping[str, Form] = {
    "correct_values.csv": Form(
        "CORRECT", ("domain", "column"), ("subject", "old", "new"), ("file", "row", "key")
    ),
    "exclude_records.csv": Form("EXCLUDE", ("domain",), ("subject",), ("file", "row", "key")),
    "exclude_subjects.csv": Form("SETS", ("subject", "sets")),
    "accept_findings.csv": Form(
        *("ACCEPT", ("rule", "findings"), ()),
        ("domain", "file", "row", "subject", "column", "value"),
    ),
    HALF_LIFE: Form("WINDOW", ("subject", "analyte", "use", "points"), (), ("dose",)),
}
"""Form of each file, in the order in which the decisions are applied."""


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes
    ----------
    place
        The decision's own place: file, row, subject.
    cells
        All its cells by column, "" where the file has no such column.
    key
        Canonical variable and the value by which the record is found.
    sets
        Analysis sets that the subject is left out of.
    """

    kind: Kind
    place: Place
    cells: Mapping[str, str]
    key: tuple[tuple[str, str], ...] = ()
    sets: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Identifier, unique within the study."""
        return self.cells["id"]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @property
    def number(self) -> int | None:
        """Row of the record in its raw file; None where the decision names none."""
        return int(self.cells["row"]) if self.cells["row"] else None


class DecisionFindings:
    """Findings on decisions: one call a fault, at the decision's own place."""

    def __init__(self, findings: FindingCollector) -> None:
        self._findings = findings

    def file(self, rule_id: str, name: str, **fields: str) -> None:
        """A finding on a whole file of decisions."""
        self._findings.add(rule_id, Place(OF_DECISIONS, name), fields)

    def add(self, rule_id: str, decision: Decision, column: str = "", **fields: str) -> None:
        """A finding on a decision."""
        place = decision.place
        value = decision.cells.get(column, "")
        self._findings.add(
            rule_id,
            Place(OF_DECISIONS, place.file, place.row, column, place.subject, value),
            {"id": decision.id, **fields},
        )


def read_decisions(
    files: Sequence[DecisionFile], findings: FindingCollector, collected: Sequence[str]
) -> list[Decision]:
    """Decisions in the order in which they are applied; faulty ones are reported and left out.

    Parameters
    ----------
    collected
        Raw domains that the config names.
    """
    report = DecisionFindings(findings)
    by_name = {file.name: file for file in files}
    for name in by_name:
        if name not in FORMS:
            report.file("DECISIONFILEUNKNOWN", name, known=", ".join(FORMS))
    decisions: list[Decision] = []
    seen: dict[str, str] = {}
    for name, form in FORMS.items():
        for decision in _read_file(by_name.get(name), form, report):
            usable = _check_cells(decision, form, report, collected)
            if decision.id in seen:
                report.add("DECISIONTWICE", decision, "id", first=seen[decision.id])
                usable = False
            elif decision.id:
                seen[decision.id] = f"{decision.place.file}, {decision.place.row}"
            if usable:
                decisions.append(decision)
    return decisions


def _read_file(file: DecisionFile | None, form: Form, report: DecisionFindings) -> list[Decision]:
    if file is None:
        return []
    if file.table is None:
        report.file("DECISIONFILE", file.name, detail=file.fault)
        return []
    table = file.table
    needed = (*ALWAYS, *form.filled, *form.present)
    missing = [column for column in needed if column not in table.columns]
    unknown = [column for column in table.columns if column not in (*needed, *form.optional)]
    if missing or unknown:
        report.file(
            "DECISIONCOLUMNS",
            file.name,
            missing=", ".join(missing) or "-",
            unknown=", ".join(unknown) or "-",
        )
        return []
    decisions = []
    everything = ("row", "file", "subject", "domain", *needed, *form.optional)
    for row, record in zip(table.index, table.to_dict("records"), strict=True):
        cells = {column: str(record.get(column, "")).strip() for column in everything}
        place = Place(OF_DECISIONS, file.name, int(row), subject=cells["subject"])
        decisions.append(
            Decision(
                kind=form.kind,
                place=place,
                cells=cells,
                key=_split_key(cells.get("key", "")),
                sets=tuple(re.findall(r"[^;,\s]+", cells.get("sets", ""))),
            )
        )
    return decisions


def _split_key(text: str) -> tuple[tuple[str, str], ...]:
    parts = [part.partition("=") for part in text.split(";") if part.strip()]
    return tuple((name.strip(), value.strip()) for name, _, value in parts)


def _check_cells(
    decision: Decision, form: Form, report: DecisionFindings, collected: Sequence[str]
) -> bool:
    """Check what can be told without the data; all faults of the decision are reported."""
    faults: list[tuple[str, str, dict[str, str]]] = [
        ("DECISIONBLANK", column, {}) for column in (*ALWAYS, *form.filled) if not decision[column]
    ]
    if decision["date"] and not _is_day(decision["date"]):
        faults.append(("DECISIONDATE", "date", {}))
    for column in ("row", "findings", "dose"):
        if decision.cells.get(column) and not re.fullmatch("[1-9][0-9]{0,8}", decision[column]):
            faults.append(("DECISIONNUMBER", column, {}))
    if decision["domain"] and decision["domain"] not in collected:
        faults.append(("DECISIONDOMAIN", "domain", {"known": ", ".join(collected)}))
    if decision.kind in ("CORRECT", "EXCLUDE"):
        faults += _check_record(decision)
    if decision.kind == "SETS":
        unknown = [name for name in decision.sets if name not in SETS]
        if unknown:
            fields = {"unknown": ", ".join(unknown), "known": ", ".join(SETS)}
            faults.append(("DECISIONSET", "sets", fields))
    if decision.kind == "WINDOW":
        faults += _check_window(decision)
    if decision.kind == "ACCEPT" and decision["rule"]:
        rule = read_rules().get(decision["rule"])
        if rule is None:
            faults.append(("DECISIONRULE", "rule", {}))
        elif rule.locked:
            faults.append(("DECISIONLOCKED", "rule", {}))
    for rule_id, column, fields in faults:
        report.add(rule_id, decision, column, **fields)
    return not faults


def _check_record(decision: Decision) -> list[tuple[str, str, dict[str, str]]]:
    faults: list[tuple[str, str, dict[str, str]]] = []
    # A lot may have no subject (an allogeneic product), an analytical run has none.
    if not decision["subject"] and decision["domain"] not in ("LOTS", "RUNS"):
        faults.append(("DECISIONBLANK", "subject", {}))
    if not decision["row"] and not decision["key"]:
        faults.append(("DECISIONPLACE", "key", {}))
    if decision["domain"] in DOMAINS:
        variables = read_specification(decision["domain"]).variables
        unknown = [name or "-" for name, _ in decision.key if name not in variables]
        if decision["key"] and (unknown or not decision.key):
            fields = {"unknown": ", ".join(unknown) or "-"}
            faults.append(("DECISIONKEY", "key", fields))
    return faults


def _check_window(decision: Decision) -> list[tuple[str, str, dict[str, str]]]:
    faults: list[tuple[str, str, dict[str, str]]] = []
    if decision["use"] and decision["use"].upper() not in WINDOW_USES:
        faults.append(("DECISIONWINDOWUSE", "use", {"known": ", ".join(WINDOW_USES)}))
    points = [part.strip() for part in decision["points"].split(";") if part.strip()]
    wrong = [point for point in points if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", point)]
    twice = sorted({point for point in points if points.count(point) > 1})
    if wrong or twice:
        faults.append(("DECISIONPOINTS", "points", {"unknown": ", ".join([*wrong, *twice])}))
    return faults


def _is_day(text: str) -> bool:
    dates = parse_dates(pd.Series([text], dtype=object))
    return bool(dates.known.iloc[0] and not dates.has_time.iloc[0])
