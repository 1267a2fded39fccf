"""A raw domain after mapping: canonical text columns, and what became of each record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from celldossier.datasets import Specification
from celldossier.io.tables import list_columns
from celldossier.settings.sources import Source
from celldossier.study_data.findings import FindingCollector, Place, format_number
from celldossier.study_data.mapping_values import read_values
from celldossier.study_data.parsing import Dates
from celldossier.terms.finding_rules import Severity

Mask: TypeAlias = "pd.Series"


@dataclass
class Part:
    """One file of a domain after mapping.

    Parameters
    ----------
    file
        File as the config names it.
    source
        Its mapping.
    raw_columns
        Canonical variable to the column's name in the file.
    columns
        Columns of the file.
    given
        Canonical variables that the file or a constant gives; an optional column
        without any value is not given.
    usable
        False where the file could not be read.
    others
        Texts of raw columns that `keep` and `distinct` name; None for one that is missing.
    absent
        Variables that should have a column in the file and have none.
    """

    file: str
    source: Source
    raw_columns: dict[str, str]
    columns: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    usable: bool = True
    others: dict[str, np.ndarray | None] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def holds_template(self, variable: str) -> bool:
        """Whether a variable is put together from columns that the file has."""
        names = list_columns(self.raw_columns[variable])
        return bool(names) and set(names) <= self.columns


@dataclass
class Domain:
    """One raw domain on its way to an analysis dataset; its files are pooled.

    Parameters
    ----------
    name
        Domain, such as PC.
    parts
        Its files, in the order of the config; none where it was not collected.
    frame
        Canonical variables of the source specification as text ("" where blank or not
        given), SRCFILE (raw file), SRCROW (row in it); index 0 to n-1.
    part
        Place in `parts` of each record.
    usable
        False where a file or a required column is missing.
    reason, detail
        Reason code by record, "" while the record is used; and what is behind it.
    numbers, dates
        Parsed columns, filled by `check_structure`.
    after_cutoff
        By variable, the records whose date the data cut-off took out (`apply_cutoff`).
    supplements
        Records of each supplement: ``file``, ``row``, ``subject``, ``reason`` ("" where it
        was joined), ``detail``.
    """

    name: str
    parts: tuple[Part, ...]
    specification: Specification
    frame: pd.DataFrame
    part: np.ndarray
    usable: bool
    findings: FindingCollector
    reason: pd.Series = field(init=False)
    detail: pd.Series = field(init=False)
    numbers: dict[str, pd.Series] = field(default_factory=dict)
    dates: dict[str, Dates] = field(default_factory=dict)
    after_cutoff: dict[str, Mask] = field(default_factory=dict)
    supplements: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reason = pd.Series("", index=self.frame.index, dtype=object)
        self.detail = pd.Series("", index=self.frame.index, dtype=object)
        self._active = pd.Series(True, index=self.frame.index, dtype=bool)

    @property
    def collected(self) -> bool:
        """Whether the config names the domain."""
        return bool(self.parts)

    @property
    def file(self) -> str:
        """Its files, as the config names them; "" where not collected."""
        return ", ".join(part.file for part in self.parts)

    @property
    def given(self) -> frozenset[str]:
        """Canonical variables that any of the files gives."""
        return frozenset().union(*(part.given for part in self.parts))

    @property
    def raw_columns(self) -> dict[str, str]:
        """Canonical variable to its name in the files; several names are joined by a bar."""
        names: dict[str, dict[str, None]] = {
            variable: {} for variable in self.specification.variables
        }
        for part in self.parts:
            for variable, column in part.raw_columns.items():
                names[variable][column] = None
        return {variable: "|".join(found) or variable for variable, found in names.items()}

    def mark_given(self, variable: str, position: int) -> None:
        """Take a variable as given by the file of a record."""
        self.parts[self.part[position]].given |= {variable}

    def recode(self, variable: str, text: str) -> pd.Series:
        """For each record a text in canonical form, written as in its file or as mapped."""
        declared = self.specification.variables[variable]
        cell = np.array([text], dtype=object)
        return self.of_parts(
            [read_values(cell, variable, declared, part.source)[0][0] for part in self.parts]
        )

    def of_parts(self, values: Sequence[object]) -> pd.Series:
        """For each record the value of its file."""
        return pd.Series(np.array(values, dtype=object)[self.part], index=self.frame.index)

    @property
    def active(self) -> Mask:
        """Records that are still used."""
        return self._active

    @property
    def subject(self) -> pd.Series:
        """Subject of each record; blank where a domain has none, as the analytical runs."""
        return self.text("USUBJID")

    @property
    def trace(self) -> dict[str, pd.Series | str]:
        """Variables that lead a record of an analysis dataset back to its cell in a raw file."""
        return {
            "SRCDOM": self.name,
            "SRCFILE": self.frame["SRCFILE"],
            "SRCROW": self.frame["SRCROW"],
        }

    def text(self, variable: str) -> pd.Series:
        """A text variable; blank throughout where the domain has no such variable."""
        if variable in self.frame:
            return self.frame[variable]
        return pd.Series("", index=self.frame.index, dtype=object)

    def number(self, variable: str) -> pd.Series:
        """A numeric variable; NaN throughout where the domain has no such variable."""
        if variable in self.numbers:
            return self.numbers[variable]
        return pd.Series(np.nan, index=self.frame.index, dtype="float64")

    def exclude(self, rows: Mask, reason: str, detail: pd.Series | str = "") -> None:
        """Exclude records; the first reason of a record stands."""
        now = rows & self._active
        if not now.any():
            return
        self.reason = self.reason.mask(now, reason)
        self.detail = self.detail.mask(now, detail)
        self._active = self._active & ~now

    def report(
        self,
        rule_id: str,
        rows: Mask,
        variable: str = "",
        *,
        severity: Severity | None = None,
        value: pd.Series | None = None,
        **fields: pd.Series | str,
    ) -> None:
        """One finding a record; `fields` that are columns give each record its own.

        Numbers are written in their shortest form.

        Nothing is said of the cells of a column that is missing as a whole.
        """
        wanted = rows.to_numpy(dtype=bool)
        for place, part in enumerate(self.parts):
            if variable in part.absent:
                wanted = wanted & (self.part != place)
        chosen = np.flatnonzero(wanted)
        if not chosen.size:
            return
        if value is None and variable:
            value = self.frame[variable]
        texts = {name: text for name, text in fields.items() if isinstance(text, pd.Series)}
        texts["value"] = value if value is not None else pd.Series("", index=rows.index)
        common = {name: text for name, text in fields.items() if isinstance(text, str)}
        written = {name: _write(text.iloc[chosen]) for name, text in texts.items()}
        names = np.array([part.raw_columns.get(variable, variable) for part in self.parts])
        cells = {
            "file": self.frame["SRCFILE"].iloc[chosen].tolist(),
            "row": self.frame["SRCROW"].iloc[chosen].tolist(),
            "column": names[self.part[chosen]].tolist(),
            "subject": self.subject.iloc[chosen].tolist(),
            "value": written.pop("value"),
        }
        self.findings.add_many(rule_id, self.name, cells, {**common, **written}, severity)

    def at_records(self, rows: pd.DataFrame, name: str, default: object = "") -> pd.Series:
        """A column of a dataset, aligned with the records that its rows come from.

        Parameters
        ----------
        rows
            Rows of an analysis dataset, at most one a record of the domain; those of
            other domains are passed over.
        default
            Value of the records that no row comes from.
        """
        own = rows[rows["SRCDOM"] == self.name]
        places = pd.MultiIndex.from_frame(self.frame[["SRCFILE", "SRCROW"]])
        found = places.get_indexer(pd.MultiIndex.from_frame(own[["SRCFILE", "SRCROW"]]))
        values = np.full(len(self.frame), default, dtype=object)
        values[found] = own[name].to_numpy(dtype=object)
        return pd.Series(values, index=self.frame.index)

    def report_rows(
        self, rule_id: str, rows: pd.DataFrame, variable: str = "", **fields: str
    ) -> None:
        """One finding a row of an analysis dataset, at the record that it comes from.

        Parameters
        ----------
        fields
            Name in the message: column of `rows` that fills it.
        """
        if rows.empty:
            return
        mask = self.at_records(rows.assign(HERE=True), "HERE", False).astype(bool)
        filled = {name: self.at_records(rows, column) for name, column in fields.items()}
        written: dict[str, Any] = {
            name: text.map(lambda cell: format_number(cell) if isinstance(cell, float) else cell)
            for name, text in filled.items()
        }
        self.report(rule_id, mask, variable, **written)

    def report_file(
        self,
        rule_id: str,
        *,
        file: str = "",
        column: str = "",
        subject: str = "",
        value: str = "",
        **fields: str,
    ) -> None:
        """One finding on a file as a whole (on all of them where blank), or on a subject."""
        place = Place(self.name, file or self.file, column=column, subject=subject, value=value)
        self.findings.add(rule_id, place, fields)


def _write(values: pd.Series) -> list[str]:
    if values.dtype.kind == "f":
        return [format_number(value) for value in values.tolist()]
    return [str(value) for value in values.tolist()]
