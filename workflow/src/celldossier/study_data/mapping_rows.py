"""Records from rows: columns that become records of their own, and joined supplements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.io.tables import SUPPLEMENT_COLUMNS, RawDomain
from celldossier.settings.sources import LongLayout, Source
from celldossier.study_data.findings import Place
from celldossier.study_data.mapping_values import clean_texts, map_texts

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")


@dataclass(frozen=True)
class MappingFinding:
    """A finding on a file before its domain stands; `fatal` where the file cannot be used."""

    rule_id: str
    place: Place
    fields: Mapping[str, str]
    fatal: bool = True


@dataclass(frozen=True)
class Records:
    """Records of one file with their raw columns.

    Parameters
    ----------
    table
        Raw columns, index 0 to n-1.
    files, rows
        File and row of each record; with a wide layout the file is named with the column.
    blank
        Records of a wide layout whose cell is blank.
    supplements
        What became of the records of each supplement.
    """

    table: pd.DataFrame
    files: np.ndarray
    rows: np.ndarray
    blank: np.ndarray
    findings: tuple[MappingFinding, ...] = ()
    supplements: tuple[pd.DataFrame, ...] = ()


def make_records(table: pd.DataFrame, file: str) -> Records:
    """One record a row."""
    n = len(table)
    return Records(
        table.reset_index(drop=True),
        np.array([file], dtype=object).repeat(n),
        table.index.to_numpy(dtype="int64"),
        np.zeros(n, dtype=bool),
    )


def name_wide(file: str, column: str) -> str:
    """The file of a record that is one cell of a wide column."""
    return f"{file}[{column}]"


def spread_columns(
    records: Records, raw: RawDomain, long: LongLayout | None, missing_texts: tuple[str, ...]
) -> Records:
    """Make each wide column records of its own: a record is then a row and a wide column.

    The other columns of the row go with each of them. A wide column that the file lacks
    is a finding.
    """
    if long is None:
        return records
    findings = list(records.findings)
    tables, files, rows, blank = [], [], [], []
    for column, constants in long.columns.items():
        if column not in records.table.columns:
            place = Place(raw.name, raw.file, column=column)
            findings.append(
                MappingFinding("COLUMNMISSING", place, {"canonical": f"long.columns.{column}"})
            )
            continue
        cells = records.table[column]
        tables.append(records.table.assign(**constants, **{long.value: cells}))
        files.append(np.array([name_wide(raw.file, column)], dtype=object).repeat(len(cells)))
        rows.append(records.rows)
        blank.append(clean_texts(cells, missing_texts) == "")
    if not tables:
        return replace(records, findings=tuple(findings))
    return replace(
        records,
        table=pd.concat(tables, ignore_index=True).fillna(""),
        files=np.concatenate(files),
        rows=np.concatenate(rows),
        blank=np.concatenate(blank),
        findings=tuple(findings),
    )


def join_supplements(
    records: Records, raw: RawDomain, source: Source, columns: frozenset[str]
) -> Records:
    """Join supplemental qualifiers (SUPP--): each QNAM becomes a raw column.

    A supplement record belongs to the records of its subject for which the variable
    IDVAR has the value IDVARVAL (numbers compared as numbers), or to all records of the
    subject where IDVAR is blank. One that finds no record, or repeats another, is found
    and excluded.
    """
    subject_column = source.columns.get("USUBJID", "USUBJID")
    for supplement in raw.supplements:
        records = _join_supplement(records, raw, supplement, subject_column, columns)
    return records


def _join_supplement(
    records: Records,
    raw: RawDomain,
    supplement: RawDomain,
    subject_column: str,
    columns: frozenset[str],
) -> Records:
    fault = _find_fault(records, supplement, subject_column)
    if fault is not None or supplement.table is None:
        faults = (fault,) if fault is not None else ()
        return replace(
            records,
            findings=(*records.findings, *faults),
            supplements=(*records.supplements, *_lose_all(supplement)),
        )
    extra = _clean_supplement(supplement)
    extra = extra.assign(reason=_reject(extra, raw.name, columns))
    table = records.table
    subjects = clean_texts(table[subject_column], ())
    # What an earlier supplement has joined stands, and is filled up.
    values: dict[str, np.ndarray] = {
        name: table[name].to_numpy(dtype=object)
        for name in extra["QNAM"].unique()
        if name in table.columns and name not in columns
    }
    filled = {name: texts != "" for name, texts in values.items()}
    for identifier in extra.loc[extra["reason"] == "", "IDVAR"].unique():
        own = (extra["IDVAR"] == identifier) & (extra["reason"] == "")
        if identifier and identifier not in table.columns:
            extra.loc[own, "reason"] = "SUPPNOKEY"
            continue
        keys = subjects
        wanted = extra["USUBJID"]
        if identifier:
            keys = subjects + "\x1f" + map_texts(table[identifier].to_numpy(dtype=object), fold_key)
            wanted = wanted + "\x1f" + extra["IDVARVAL"].map(fold_key)
        extra.loc[own & ~wanted.isin(set(keys)), "reason"] = "SUPPNOKEY"
        own &= extra["reason"] == ""
        again = pd.DataFrame({"key": wanted[own], "name": extra["QNAM"][own]}).duplicated()
        extra.loc[again.index[again], "reason"] = "SUPPDUP"
        own &= extra["reason"] == ""
        for name, part in extra[own].groupby("QNAM", sort=True):
            before = values.get(str(name), np.array([""], dtype=object).repeat(len(table)))
            taken = filled.get(str(name), np.zeros(len(table), dtype=bool))
            twice = wanted[part.index].isin(set(pd.Series(keys)[taken]))
            extra.loc[twice.index[twice], "reason"] = "SUPPDUP"
            part = part[~twice]
            found = pd.Series(keys).map(dict(zip(wanted[part.index], part["QVAL"], strict=True)))
            values[str(name)] = np.where(found.notna(), found, before).astype(object)
            filled[str(name)] = taken | found.notna().to_numpy()
    lost = extra[extra["reason"].isin(SUPPLEMENT_RULES)]
    findings = [
        MappingFinding(
            SUPPLEMENT_RULES[row["reason"]],
            Place(raw.name, supplement.file, row["row"], "IDVARVAL", row["USUBJID"], row["QNAM"]),
            {"identifier": f"{row['IDVAR'] or 'USUBJID'}={row['IDVARVAL'] or row['USUBJID']}"},
            fatal=False,
        )
        for row in lost.to_dict("records")
    ]
    return replace(
        records,
        table=table.assign(**values),
        findings=(*records.findings, *findings),
        supplements=(*records.supplements, _account(extra, supplement)),
    )


SUPPLEMENT_RULES = {
    "SUPPNOKEY": "SUPPUNMATCHED",
    "SUPPDUP": "SUPPDUPLICATE",
    "SUPPCLASH": "SUPPNAMETAKEN",
}
"""Rule of the finding by reason code of a supplement record that is not joined."""


def fold_key(text: str) -> str:
    """A key in the form in which supplements are compared: numbers as numbers.

    >>> fold_key("12.0"), fold_key(" 12"), fold_key("A-1")
    ('12', '12', 'A-1')
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        return stripped
    sign = "-" if stripped.startswith("-") else ""
    whole, _, fraction = stripped.lstrip("+-").partition(".")
    digits = whole.lstrip("0") or "0"
    rest = fraction.rstrip("0")
    return f"{sign}{digits}.{rest}" if rest else f"{sign}{digits}"


def _find_fault(
    records: Records, supplement: RawDomain, subject_column: str
) -> MappingFinding | None:
    place = Place(supplement.name, supplement.file)
    if supplement.fault:
        fields = {"detail": supplement.detail, "hint": supplement.hint}
        return MappingFinding(supplement.fault, place, fields)
    present = set(supplement.columns)
    if supplement.table is not None:
        present |= set(supplement.table.columns)
    missing = [name for name in SUPPLEMENT_COLUMNS if name not in present]
    if missing:
        return MappingFinding(
            "COLUMNMISSING", replace(place, column=missing[0]), {"canonical": missing[0]}
        )
    if subject_column not in records.table.columns:
        return MappingFinding(
            "COLUMNMISSING", replace(place, column=subject_column), {"canonical": "USUBJID"}
        )
    return None


def _clean_supplement(supplement: RawDomain) -> pd.DataFrame:
    table = supplement.table
    assert table is not None
    # R writes a missing text as NA; IDVAR and IDVARVAL are blank where the subject is the key.
    blank = {"IDVAR": ("NA",), "IDVARVAL": ("NA",)}
    columns = {name: clean_texts(table[name], blank.get(name, ())) for name in SUPPLEMENT_COLUMNS}
    extra = pd.DataFrame(columns, index=pd.RangeIndex(len(table)))
    return extra.assign(row=table.index.to_numpy())


def _reject(extra: pd.DataFrame, domain: str, columns: frozenset[str]) -> pd.Series:
    """Reason of the supplement records that cannot be joined whatever the keys are."""
    reason = pd.Series("", index=extra.index, dtype=object)
    reason = reason.mask(extra["RDOMAIN"] != domain, "SUPPOTHER")
    clash = extra["QNAM"].isin(columns) | (extra["QNAM"] == "")
    return reason.mask((reason == "") & clash, "SUPPCLASH")


def _account(extra: pd.DataFrame, supplement: RawDomain) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "file": supplement.file,
            "row": extra["row"],
            "subject": extra["USUBJID"],
            "reason": extra["reason"],
            "detail": extra["QNAM"],
        }
    )


def _lose_all(supplement: RawDomain) -> list[pd.DataFrame]:
    if supplement.table is None:
        return []
    rows = supplement.table.index.to_numpy()
    return [
        pd.DataFrame(
            {
                "file": supplement.file,
                "row": rows,
                "subject": "",
                "reason": "DOMAINFAULT",
                "detail": "",
            }
        )
    ]
