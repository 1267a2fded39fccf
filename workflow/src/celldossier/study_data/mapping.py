"""From raw files to one domain: canonical names and values, and what each record became of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from celldossier.datasets import Specification, read_specification
from celldossier.io.tables import RawDomain, list_columns
from celldossier.settings.sources import DomainName, Source
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain, Part
from celldossier.study_data.findings import FindingCollector
from celldossier.study_data.mapping_rows import (
    Records,
    join_supplements,
    make_records,
    name_wide,
    spread_columns,
)
from celldossier.study_data.mapping_values import clean_texts, read_values
from celldossier.study_data.standards import apply_standard, read_analysis_columns


@dataclass
class MappedFile:
    """One file on its way into a domain.

    Parameters
    ----------
    part
        What the domain keeps of it.
    raw
        What was read.
    records
        Its records, with raw columns.
    frame
        Its records, with canonical variables.
    ambiguous
        Date variable to the records whose date has two readings.
    """

    part: Part
    raw: RawDomain
    records: Records
    frame: pd.DataFrame
    ambiguous: dict[str, np.ndarray] = field(default_factory=dict)


def map_domain(
    name: DomainName,
    raws: Sequence[RawDomain],
    settings: StudyDataSettings,
    findings: FindingCollector,
) -> Domain:
    """Bring the files of a raw domain to canonical names and values; nothing is dropped.

    Parameters
    ----------
    raws
        What was read of each source; none where the domain was not collected.

    Returns
    -------
    Domain
        Not usable where a file could not be read. Records outside `keep` are the matter of
        `keep_records`, required columns that of `check_structure`.
    """
    specification = read_specification(name)
    sources = settings.sources.get(name, ()) if raws else ()
    files = [
        _map_file(raw, source, specification, settings)
        for raw, source in zip(raws, sources, strict=True)
    ]
    domain = _pool(name, files, specification, findings)
    start = 0
    for mapped in files:
        rows = np.zeros(len(domain.frame), dtype=bool)
        rows[start : start + len(mapped.frame)] = True
        start += len(mapped.frame)
        _report_file(domain, mapped, rows)
    return domain


def keep_records(domain: Domain) -> None:
    """Exclude the records outside `keep`, then those that repeat a key of `distinct`."""
    for place, part in enumerate(domain.parts):
        if part.usable:
            _select(domain, part, domain.part == place)


def _pool(
    name: str,
    files: Sequence[MappedFile],
    specification: Specification,
    findings: FindingCollector,
) -> Domain:
    if len(files) == 1:
        frame = files[0].frame
    elif files:
        frame = pd.concat([mapped.frame for mapped in files], ignore_index=True)
    else:
        columns = [*specification.variables, "SRCFILE"]
        frame = pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
        frame["SRCROW"] = np.array([], dtype="int64")
    return Domain(
        name=name,
        parts=tuple(mapped.part for mapped in files),
        specification=specification,
        frame=frame,
        part=np.repeat(np.arange(len(files)), [len(mapped.frame) for mapped in files]),
        usable=bool(files) and all(mapped.part.usable for mapped in files),
        findings=findings,
    )


def _map_file(
    raw: RawDomain, source: Source, specification: Specification, settings: StudyDataSettings
) -> MappedFile:
    if raw.table is None:
        records = make_records(pd.DataFrame(index=pd.RangeIndex(0)), raw.file)
        columns: frozenset[str] = frozenset()
    else:
        columns = frozenset(raw.columns or raw.table.columns)
        source = apply_standard(source, columns)
        records = join_supplements(make_records(raw.table, raw.file), raw, source, columns)
        records = spread_columns(records, raw, source.long, settings.missing_texts)
        table, source = read_analysis_columns(records.table, source, settings.missing_texts)
        records = replace(records, table=table)
        columns |= frozenset(records.table.columns)
    raw_columns = {name: source.columns.get(name, name) for name in specification.variables}
    part = Part(
        file=raw.file,
        source=source,
        raw_columns=raw_columns,
        columns=columns,
        usable=raw.table is not None,
    )
    return _map_columns(part, raw, records, specification, settings)


def _map_columns(
    part: Part,
    raw: RawDomain,
    records: Records,
    specification: Specification,
    settings: StudyDataSettings,
) -> MappedFile:
    source, table = part.source, records.table
    n = len(records.rows)
    given = set()
    columns: dict[str, np.ndarray] = {}
    ambiguous = {}
    for variable, declared in specification.variables.items():
        text: np.ndarray | None = None
        if variable in source.constants:
            text = np.array([source.constants[variable]], dtype=object).repeat(n)
            given.add(variable)
        elif part.usable and variable in source.relative_time:
            column = source.relative_time[variable].column
            if column in table.columns:
                # The number stands until `fill_relative_times` makes it a date.
                text = clean_texts(table[column], settings.missing_texts)
                given.add(variable)
        elif part.usable:
            cells = _read_cells(table, part.raw_columns[variable], settings.missing_texts)
            # An optional column without any value was not collected.
            if cells is not None and (declared.required or not n or (cells != "").any()):
                given.add(variable)
            if cells is not None:
                text, doubtful = read_values(cells, variable, declared, source)
                if doubtful.any():
                    ambiguous[variable] = doubtful
        if text is None:
            text = np.array([""], dtype=object).repeat(n)
        if variable == "STUDYID" and source.study:
            text = np.where(text == "", source.study, text).astype(object)
            given.add(variable)
        columns[variable] = text
    frame = pd.DataFrame(columns, index=pd.RangeIndex(n), dtype=object, copy=False)
    frame["SRCFILE"] = records.files
    frame["SRCROW"] = records.rows
    part.given = frozenset(given)
    part.others = {
        name: _read_cells(table, name, settings.missing_texts)
        for name in (*source.keep, *source.distinct)
        if name not in given and part.usable
    }
    return MappedFile(part, raw, records, frame, ambiguous)


def _read_cells(
    table: pd.DataFrame, column: str, missing_texts: tuple[str, ...]
) -> np.ndarray | None:
    """Cells of a raw column, or of a template of raw columns; None where one is missing."""
    if column in table.columns:
        return clean_texts(table[column], missing_texts)
    names = list_columns(column)
    if not names or not set(names) <= set(table.columns):
        return None
    cells = {name: clean_texts(table[name], missing_texts) for name in names}
    # A record for which one of the parts is blank has no identifier, rather than half of one.
    whole = np.logical_and.reduce([own != "" for own in cells.values()])
    text = np.array([""], dtype=object).repeat(len(table))
    rest = column
    for name in names:
        before, _, rest = rest.partition("{" + name + "}")
        text = text + before + cells[name]
    return np.where(whole, text + rest, "").astype(object)


def _report_file(domain: Domain, mapped: MappedFile, rows: np.ndarray) -> None:
    """Findings of the reader, of the supplements and of single cells."""
    raw, part = mapped.raw, mapped.part
    if raw.fault:
        domain.report_file(raw.fault, file=raw.file, detail=raw.detail, hint=raw.hint)
    for finding in mapped.records.findings:
        domain.findings.add(finding.rule_id, finding.place, finding.fields)
        domain.usable = domain.usable and not finding.fatal
    domain.supplements.extend(mapped.records.supplements)
    variables = {column: variable for variable, column in part.raw_columns.items()}
    used = list_used_columns(part)
    wide = part.source.long.columns if part.source.long is not None else {}
    for fault in raw.cell_faults:
        if fault.column not in used:
            continue
        found = rows & (domain.frame["SRCROW"] == fault.row).to_numpy()
        if fault.column in wide:
            found &= (domain.frame["SRCFILE"] == name_wide(raw.file, fault.column)).to_numpy()
        value = pd.Series(fault.text, index=domain.frame.index)
        variable = variables.get(fault.column, fault.column)
        domain.report("CELLERROR", pd.Series(found), variable, value=value)
    for variable, doubtful in mapped.ambiguous.items():
        found = rows.copy()
        found[rows] = doubtful
        text = domain.frame[variable]
        where = pd.Series(found)
        dated = variable.endswith("DTC")
        domain.report("DATEAMBIGUOUS" if dated else "TEXTINNUMERIC", where, variable)
        if domain.specification.variables[variable].required or variable.endswith("ORRES"):
            domain.exclude(where, "BADDATE" if dated else "BADRESULT", text)
        domain.frame[variable] = text.mask(where, "")
    if mapped.records.blank.any():
        found = rows.copy()
        found[rows] = mapped.records.blank
        domain.exclude(pd.Series(found), "BLANKCELL", domain.frame["SRCFILE"])


def list_used_columns(part: Part) -> set[str]:
    """Columns of the file that the mapping looks at."""
    source = part.source
    used = {*part.raw_columns.values(), *source.keep, *source.distinct}
    used |= {name for column in part.raw_columns.values() for name in list_columns(column)}
    used |= {time.column for time in source.relative_time.values()}
    return used | ({*source.long.columns} if source.long is not None else set())


def _select(domain: Domain, part: Part, rows: np.ndarray) -> None:
    for name, wanted in part.source.keep.items():
        text = _find_texts(domain, part, rows, f"keep.{name}")
        if text is not None:
            outside = pd.Series(rows & ~text.isin(wanted).to_numpy(), index=text.index)
            domain.exclude(outside, "NOTSELECTED", name + "=" + text)
    keys = {
        name: _find_texts(domain, part, rows, f"distinct.{name}") for name in part.source.distinct
    }
    if keys and all(text is not None for text in keys.values()):
        chosen = rows & domain.active.to_numpy()
        again = np.zeros(len(chosen), dtype=bool)
        again[chosen] = pd.DataFrame(keys)[chosen].duplicated().to_numpy()
        domain.exclude(pd.Series(again), "NOTDISTINCT", ", ".join(keys))


def _find_texts(domain: Domain, part: Part, rows: np.ndarray, key: str) -> pd.Series | None:
    """Texts of the variable or raw column that a setting names, aligned with the records."""
    name = key.partition(".")[2]
    if name in part.given:
        return domain.frame[name]
    cells = part.others.get(name)
    if cells is None:
        column = part.raw_columns.get(name, name)
        domain.report_file("COLUMNMISSING", file=part.file, column=column, canonical=key)
        domain.usable = False
        return None
    text = pd.Series("", index=domain.frame.index, dtype=object)
    text[rows] = cells
    return text
