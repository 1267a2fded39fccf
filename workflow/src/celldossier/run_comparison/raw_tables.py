"""Raw records of a domain as one table, with the file, the row and the subject of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.io.run_record import name_raw_file
from celldossier.io.tables import RawDomain
from celldossier.run_comparison.inputs import FILE, ROW, SUBJECT
from celldossier.settings.sources import Source

SUBJECT_VARIABLE = "USUBJID"
Places = Mapping[tuple[str, int], str]
"""Subject by raw file and row, as the analysis datasets trace their records."""


def gather_domain(
    files: Sequence[RawDomain], sources: Sequence[Source], places: Places
) -> pd.DataFrame | None:
    """All records of a domain; None where a file could not be read.

    Parameters
    ----------
    places
        Subject by file and row of the datasets of the run: how a raw identifier became that of
        the study is read off from it, for records that no dataset has too.
    """
    if any(file.table is None for file in files):
        return None
    parts = []
    for file, source in zip(files, sources, strict=True):
        assert file.table is not None
        table = file.table
        rows = [int(row) for row in table.index]
        texts = _raw_subjects(table, source)
        traced = [places.get((file.file, row), "") for row in rows]
        known = {text: subject for text, subject in zip(texts, traced, strict=True) if subject}
        subjects = [
            subject or known.get(text, text) for subject, text in zip(traced, texts, strict=True)
        ]
        name = name_raw_file(file.file)
        own = pd.DataFrame({FILE: name, ROW: rows, SUBJECT: subjects}, index=table.index)
        parts.append(pd.concat([table, own], axis=1).reset_index(drop=True))
    return pd.concat(parts, ignore_index=True).fillna("") if parts else pd.DataFrame()


def list_keys(domain: str, sources: Sequence[Source]) -> tuple[str, ...]:
    """Raw columns that hold the keys of a domain, as far as one column holds each."""
    keys: dict[str, None] = {}
    for variable in read_specification(domain).keys:
        for source in sources:
            keys[source.columns.get(variable, variable)] = None
    return tuple(keys)


def trace_subjects(datasets: Mapping[str, pd.DataFrame]) -> dict[tuple[str, int], str]:
    """Subject by raw file and row, out of the datasets that trace their records."""
    places: dict[tuple[str, int], str] = {}
    for frame in datasets.values():
        if {"SRCFILE", "SRCROW", SUBJECT_VARIABLE} <= set(frame):
            traced = frame[(frame["SRCFILE"] != "") & frame["SRCROW"].notna()]
            keys = zip(traced["SRCFILE"], traced["SRCROW"].astype(int), strict=True)
            places.update(zip(keys, traced[SUBJECT_VARIABLE], strict=True))
    return places


def _raw_subjects(table: pd.DataFrame, source: Source) -> list[str]:
    """The subject's identifier as the file has it, "" where the file names no subject."""
    column = source.columns.get(SUBJECT_VARIABLE, SUBJECT_VARIABLE)
    if column in table:
        return [str(text) for text in table[column]]
    fields = re.findall(r"\{([^{}]+)\}", column)
    if not fields or not set(fields) <= set(table):
        return [""] * len(table)
    texts = [column] * len(table)
    for name in fields:
        texts = [
            text.replace(f"{{{name}}}", str(cell))
            for text, cell in zip(texts, table[name], strict=True)
        ]
    return texts
