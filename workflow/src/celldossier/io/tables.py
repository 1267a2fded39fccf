"""Reading of the raw tables of a study: every cell as text, nothing guessed.

CSV, TSV, XLSX, XPT (SAS transport, version 5), SAS7BDAT and Parquet give the same
form: one text column a raw column ("" where the cell is empty), indexed by the row
number counted from 1 after the header. No text is taken for a missing value and
no number is parsed here: that is the matter of the stage, which lists the faults.
SAS files go through pyreadstat, never through pandas.read_sas (which loses rows
of transport files). Nothing is unpickled, and no archive is unpacked but the
workbook itself.
"""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.errors import InputDataError, RunError

if TYPE_CHECKING:
    from celldossier.settings.sources import Source
    from celldossier.settings.study_data import StudyDataSettings

PACKAGE_PREFIX = "package:"
MAX_WORKBOOK_BYTES = 2_000_000_000  # unpacked; a workbook that claims more is refused


SHOWN_ROWS = 10  # rows of another length than the header that a fault names


class TableFault(Exception):
    """A table cannot be read; the stage turns it into a finding of that rule."""

    def __init__(self, rule: str, detail: str = "") -> None:
        self.rule = rule
        self.detail = detail
        super().__init__(f"{rule}: {detail}")


@dataclass(frozen=True)
class RawDomain:
    """One raw domain as it was read.

    Parameters
    ----------
    name
        Domain, such as DM.
    file
        The file as the config names it.
    table
        Text columns with the names of the file, indexed by row number; None where
        the file could not be read.
    fault, detail
        Rule of the finding that says why it could not, and what the reader said.
    """

    name: str
    file: str
    table: pd.DataFrame | None
    fault: str = ""
    detail: str = ""


def read_domains(
    settings: StudyDataSettings, working_directory: Path = Path()
) -> dict[str, RawDomain]:
    """Read the raw file of every domain that the config names; faults are kept, not raised.

    Parameters
    ----------
    settings
        Section ``study_data``.
    working_directory
        Folder that a relative ``root`` starts from.
    """
    return {
        name: _read_domain(name, source, settings.root, working_directory)
        for name, source in settings.sources.items()
    }


def locate_raw_files(
    settings: StudyDataSettings, working_directory: Path = Path()
) -> dict[str, Path]:
    """Path of each domain's raw file, whether it exists or not.

    A domain whose place cannot be told (package not installed, path that leaves
    the root) is left out; reading it gives the finding.
    """
    paths: dict[str, Path] = {}
    for name, source in settings.sources.items():
        try:
            paths[name] = _locate(settings.root, source.file, working_directory)
        except TableFault:
            continue
    return paths


def read_table(path: Path, sheet: str = "") -> pd.DataFrame:
    """Read one raw table as text.

    Parameters
    ----------
    path
        File; its ending says the format: .csv, .tsv, .xlsx, .xpt, .sas7bdat, .parquet.
    sheet
        Sheet of a workbook; the first one where blank.

    Returns
    -------
    DataFrame
        One column of text a raw column, "" for an empty cell, index ``row`` (1 for the
        first row after the header; empty lines are skipped but counted).

    Raises
    ------
    TableFault
        With the rule FILEMISSING, FILETYPE, FILENOTUTF8, FILEUNREADABLE, FILEEMPTY or
        COLUMNTWICE.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise TableFault("FILETYPE", path.suffix)
    if not path.is_file():
        raise TableFault("FILEMISSING")
    if path.stat().st_size == 0:
        raise TableFault("FILEEMPTY")
    table = reader(path, sheet)
    twice = sorted({name for name in table.columns if (table.columns == name).sum() > 1})
    if twice:
        raise TableFault("COLUMNTWICE", ", ".join(twice))
    return table


def _read_domain(name: str, source: Source, root: str, working_directory: Path) -> RawDomain:
    try:
        path = _locate(root, source.file, working_directory)
        return RawDomain(name, source.file, read_table(path, source.sheet))
    except TableFault as fault:
        return RawDomain(name, source.file, None, fault.rule, fault.detail)


def _locate(root: str, file: str, working_directory: Path) -> Path:
    """Path of a raw file below the root; a path that leaves the root is refused."""
    if root.startswith(PACKAGE_PREFIX):
        package, _, inner = root.removeprefix(PACKAGE_PREFIX).partition("/")
        # find_spec of a top-level name looks the package up without importing it.
        specification = find_spec(package) if package.isidentifier() else None
        places = list(specification.submodule_search_locations or ()) if specification else []
        if not places:
            raise TableFault("PACKAGEMISSING", package)
        folder = Path(places[0], inner)
    else:
        folder = working_directory / root
    # Such a name can be that of no file, and the system's own functions fail on it.
    if "\0" in file or "\0" in root or any(len(os.fsencode(p)) > 255 for p in Path(file).parts):
        raise TableFault("FILEMISSING")
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise TableFault("FILEOUTSIDE", root)
    return path


def _read_delimited(path: Path, delimiter: str) -> pd.DataFrame:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TableFault("FILENOTUTF8", str(line)) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableFault("FILEUNREADABLE", f"line {line} holds a NUL character")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    ragged: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header:
            raise TableFault("FILEEMPTY")
        for number, cells in enumerate(reader, start=1):
            if not cells:
                continue
            if len(cells) != len(header):
                ragged.append(f"row {number} (line {reader.line_num}) has {len(cells)} cells")
                continue
            rows.append(cells)
            numbers.append(number)
    except csv.Error as error:
        raise TableFault("FILEUNREADABLE", f"line {reader.line_num}: {error}") from error
    if ragged:
        shown = "; ".join(ragged[:SHOWN_ROWS])
        more = f"; and {len(ragged) - SHOWN_ROWS} more rows" if len(ragged) > SHOWN_ROWS else ""
        raise TableFault("FILEUNREADABLE", f"{shown}{more} where the header has {len(header)}")
    return _frame(header, rows, numbers)


def _read_workbook(path: Path, sheet: str) -> pd.DataFrame:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_WORKBOOK_BYTES:
            raise TableFault("FILEUNREADABLE", f"the workbook unpacks to {size} bytes")
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TableFault("FILEUNREADABLE", str(error)) from error
    try:
        if sheet and sheet not in workbook.sheetnames:
            raise TableFault("SHEETMISSING", sheet)
        worksheet = workbook[sheet] if sheet else workbook.worksheets[0]
        lines = [[_cell_text(cell) for cell in row] for row in worksheet.iter_rows()]
    finally:
        workbook.close()
    if not lines:
        raise TableFault("FILEEMPTY")
    header = [name.strip() for name in lines[0]]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    rows, numbers = [], []
    for number, line in enumerate(lines[1:], start=1):
        if any(line[width:]):
            raise TableFault("FILEUNREADABLE", f"row {number} has a cell beyond the last header")
        if any(line):
            rows.append((line + [""] * width)[:width])
            numbers.append(number)
    return _frame(header, rows, numbers)


def _cell_text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, datetime) and "h" not in cell.number_format.lower():
        value = value.date()
    return _to_text(value)


def _read_sas(path: Path, function: str) -> pd.DataFrame:
    import pyreadstat

    try:
        frame, _ = getattr(pyreadstat, function)(str(path))
    except (pyreadstat.ReadstatError, UnicodeDecodeError, OverflowError, ValueError) as error:
        raise TableFault("FILEUNREADABLE", str(error)) from error
    return _from_typed(frame)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        # The file itself, not a folder of files, so that no partition is made up.
        table = parquet.ParquetFile(path).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise TableFault("FILEUNREADABLE", str(error)) from error
    columns = {
        name: [_to_text(value) for value in column.to_pylist()]
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return _frame_of_columns(columns, table.num_rows)


def _from_typed(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {name: [_to_text(value) for value in frame[name].tolist()] for name in frame.columns}
    return _frame_of_columns(columns, len(frame))


def _to_text(value: Any) -> str:
    """A cell as text: numbers in their shortest exact form, dates in ISO 8601."""
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(value)


def _frame(header: list[str], rows: Iterable[list[str]], numbers: list[int]) -> pd.DataFrame:
    index = pd.Index(numbers, name="row", dtype="int64")
    return pd.DataFrame(list(rows), columns=header, index=index, dtype=object)


def _frame_of_columns(columns: Mapping[str, list[str]], length: int) -> pd.DataFrame:
    index = pd.RangeIndex(1, length + 1, name="row")
    return pd.DataFrame(dict(columns), index=index, dtype=object)


READERS: dict[str, Callable[[Path, str], pd.DataFrame]] = {
    ".csv": lambda path, _: _read_delimited(path, ","),
    ".tsv": lambda path, _: _read_delimited(path, "\t"),
    ".xlsx": _read_workbook,
    ".xpt": lambda path, _: _read_sas(path, "read_xport"),
    ".sas7bdat": lambda path, _: _read_sas(path, "read_sas7bdat"),
    ".parquet": lambda path, _: _read_parquet(path),
}
"""Reader of a table by the ending of its file; the second argument is the sheet."""


def read_input_table(path: Path) -> pd.DataFrame:
    """Read one table that a user hands to a command; see `read_table`.

    Raises
    ------
    InputDataError
        With a sentence that says why the file cannot be read.
    """
    try:
        return read_table(path)
    except TableFault as fault:
        reasons = {
            "FILEMISSING": "it does not exist",
            "FILEEMPTY": "it is empty",
            "FILETYPE": f"its ending '{fault.detail}' is none of {', '.join(READERS)}",
            "FILENOTUTF8": f"line {fault.detail} is not UTF-8 text",
            "COLUMNTWICE": f"it has more than one column named {fault.detail}",
        }
        reason = reasons.get(fault.rule, fault.detail)
        raise InputDataError(f"The file {path} cannot be read: {reason}.") from fault


def read_checks(path: Path) -> pd.DataFrame:
    """Read a checks file of the run (findings, exclusions, accounting) as text columns.

    Raises
    ------
    RunError
        If the file is missing or no such file.
    """
    try:
        return read_table(path)
    except TableFault as fault:
        raise RunError(
            f"The file {path} cannot be read ({fault}); run 'celldossier study_data derive' first."
        ) from fault
