"""A raw domain after mapping: canonical text columns, and what became of each record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd

from celldossier.datasets import Specification, read_specification
from celldossier.io.tables import RawDomain
from celldossier.settings.sources import Source
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.findings import FindingCollector, Place, format_number
from celldossier.study_data.parsing import Dates
from celldossier.terms.finding_rules import Severity

Mask: TypeAlias = "pd.Series"


@dataclass
class Domain:
    """One raw domain on its way to an analysis dataset.

    Parameters
    ----------
    name, file
        Domain, and its file as the config names it ("" where not collected).
    source
        Its mapping; None where the domain was not collected.
    frame
        Canonical variables of the source specification as text ("" where blank or not
        given), SRCFILE (raw file), SRCROW (row in it); index 0 to n-1.
    given
        Canonical variables that the file or a constant gives; an optional column
        without any value is not given.
    raw_columns
        Canonical variable to the column's name in the file.
    columns
        Columns of the file.
    usable
        False where the file or a required column is missing.
    reason, detail
        Reason code by record, "" while the record is used; and what is behind it.
    numbers, dates
        Parsed columns, filled by `check_structure`.
    absent
        Variables that should have a column in the file and have none.
    """

    name: str
    file: str
    source: Source | None
    specification: Specification
    frame: pd.DataFrame
    given: frozenset[str]
    raw_columns: dict[str, str]
    columns: frozenset[str]
    usable: bool
    findings: FindingCollector
    reason: pd.Series = field(init=False)
    detail: pd.Series = field(init=False)
    numbers: dict[str, pd.Series] = field(default_factory=dict)
    dates: dict[str, Dates] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.reason = pd.Series("", index=self.frame.index, dtype=object)
        self.detail = pd.Series("", index=self.frame.index, dtype=object)
        self._active = pd.Series(True, index=self.frame.index, dtype=bool)

    @property
    def collected(self) -> bool:
        """Whether the config names the domain."""
        return self.source is not None

    @property
    def active(self) -> Mask:
        """Records that are still used."""
        return self._active

    @property
    def subject(self) -> pd.Series:
        """Subject of each record."""
        return self.frame["USUBJID"]

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
        if variable in self.absent:
            return
        chosen = np.flatnonzero(rows.to_numpy(dtype=bool))
        if not chosen.size:
            return
        if value is None and variable:
            value = self.frame[variable]
        texts = {name: text for name, text in fields.items() if isinstance(text, pd.Series)}
        texts["value"] = value if value is not None else pd.Series("", index=rows.index)
        common = {name: text for name, text in fields.items() if isinstance(text, str)}
        written = {name: _write(text.iloc[chosen]) for name, text in texts.items()}
        cells = {
            "file": self.frame["SRCFILE"].iloc[chosen].tolist(),
            "row": self.frame["SRCROW"].iloc[chosen].tolist(),
            "column": [self.raw_columns.get(variable, variable)] * chosen.size,
            "subject": self.subject.iloc[chosen].tolist(),
            "value": written.pop("value"),
        }
        self.findings.add_many(rule_id, self.name, cells, {**common, **written}, severity)

    def report_file(
        self,
        rule_id: str,
        *,
        column: str = "",
        subject: str = "",
        value: str = "",
        **fields: str,
    ) -> None:
        """One finding on the file as a whole, or on a subject without records."""
        place = Place(self.name, self.file, column=column, subject=subject, value=value)
        self.findings.add(rule_id, place, fields)


def map_domain(
    name: str, raw: RawDomain | None, settings: StudyDataSettings, findings: FindingCollector
) -> Domain:
    """Bring a raw domain to canonical names and values; nothing is dropped.

    Parameters
    ----------
    raw
        What was read; None where the domain was not collected.

    Returns
    -------
    Domain
        Not usable where the file could not be read. Records outside `keep` are the matter
        of `keep_records`, required columns that of `check_structure`.
    """
    specification = read_specification(name)
    source = settings.sources.get(name) if raw is not None else None  # type: ignore[call-overload]
    table = raw.table if raw is not None and raw.table is not None else None
    mapped = source.columns if source is not None else {}
    constants = source.constants if source is not None else {}
    raw_columns = {variable: mapped.get(variable, variable) for variable in specification.variables}
    columns: dict[str, pd.Series | str] = {}
    given = set()
    n = 0 if table is None else len(table)
    for variable in specification.variables:
        text: pd.Series | str = ""
        if variable in constants:
            text = constants[variable]
            given.add(variable)
        elif table is not None and raw_columns[variable] in table.columns:
            text = _clean(table[raw_columns[variable]], settings.missing_texts)
            # An optional column without any value was not collected.
            if specification.variables[variable].required or not n or (text != "").any():
                given.add(variable)
        if source is not None and isinstance(text, pd.Series):
            text = _recode(text, source.values.get(variable, {}))
        columns[variable] = text
    frame = pd.DataFrame(columns, index=pd.RangeIndex(n), dtype=object)
    frame = frame.assign(
        SRCFILE=raw.file if raw is not None else "",
        SRCROW=np.arange(1, n + 1) if table is None else table.index.to_numpy(),
    )
    domain = Domain(
        name=name,
        file=raw.file if raw is not None else "",
        source=source,
        specification=specification,
        frame=frame,
        given=frozenset(given),
        raw_columns=raw_columns,
        columns=frozenset(() if table is None else table.columns),
        usable=table is not None,
        findings=findings,
    )
    if raw is not None and raw.fault:
        domain.report_file(raw.fault, detail=raw.detail)
    return domain


def keep_records(domain: Domain, raw: RawDomain | None, settings: StudyDataSettings) -> None:
    """Exclude the records that the study does not use (`keep` of the domain's source)."""
    if domain.source is None or raw is None or raw.table is None:
        return
    for name, wanted in domain.source.keep.items():
        if name in domain.given:
            text = domain.frame[name]
        elif name in raw.table.columns:
            text = _clean(raw.table[name], settings.missing_texts)
        else:
            column = domain.raw_columns.get(name, name)
            domain.report_file("COLUMNMISSING", column=column, canonical=f"keep.{name}")
            domain.usable = False
            continue
        domain.exclude(~text.isin(wanted), "NOTSELECTED", name + "=" + text)


def _write(values: pd.Series) -> list[str]:
    if values.dtype.kind == "f":
        return [format_number(value) for value in values.tolist()]
    return [str(value) for value in values.tolist()]


def _clean(text: pd.Series, missing_texts: tuple[str, ...]) -> pd.Series:
    stripped = text.astype(object).str.strip().reset_index(drop=True)
    return stripped.mask(stripped.isin(missing_texts), "") if missing_texts else stripped


def _recode(text: pd.Series, values: Mapping[str, str]) -> pd.Series:
    return text.map(lambda cell: values.get(cell, cell)) if values else text
