"""Reading of a sheet of a workbook (.xlsx): values as they are stored, nothing computed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

from celldossier.io.table_faults import CellFault, Layout, RawTable, TableFault, make_frame
from celldossier.io.typed_tables import to_text

MAX_WORKBOOK_BYTES = 2_000_000_000  # unpacked; a workbook that claims more is refused
MAX_CELLS = 20_000_000  # of one sheet, empty ones within a row included
NO_VALUE = "formula without a stored value"


def read_workbook(path: Path, layout: Layout) -> RawTable:
    """Read a sheet; a date cell becomes ISO 8601, in the date system of the workbook.

    A cell with the failure of a formula (#N/A, #REF!), or with a formula whose value the
    file does not hold, is a cell fault and read as blank.

    Raises
    ------
    TableFault
        FILEUNREADABLE, SHEETMISSING, SHEETTOOLARGE, FILEEMPTY, HEADERMISSING or COLUMNTWICE.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if size > MAX_WORKBOOK_BYTES:
                raise TableFault("FILEUNREADABLE", f"the workbook unpacks to {size} bytes")
            formulas = any(
                _holds_formulas(archive, entry.filename)
                for entry in entries
                if entry.filename.startswith("xl/worksheets/")
            )
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TableFault("FILEUNREADABLE", str(error)) from error
    try:
        if layout.sheet and layout.sheet not in workbook.sheetnames:
            raise TableFault("SHEETMISSING", layout.sheet)
        sheet = workbook[layout.sheet] if layout.sheet else workbook.worksheets[0]
        title = sheet.title
        lines = [[_read_cell(cell) for cell in row] for row in _list_rows(sheet)]
    finally:
        workbook.close()
    if formulas:
        _mark_formulas_without_value(path, title, lines)
    return _make_table(lines, layout)


def _list_rows(sheet: Any) -> Iterator[Sequence[Any]]:
    """Rows of a sheet up to its last cell, whatever size the sheet claims to have."""
    sheet.reset_dimensions()
    cells = 0
    for row in sheet.iter_rows():
        # A row that is missing counts too: a sheet may name any row number as its next.
        cells += max(len(row), 1)
        if cells > MAX_CELLS:
            raise TableFault("SHEETTOOLARGE", f"{MAX_CELLS:,}".replace(",", " "))
        yield row


def _holds_formulas(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        tail = b""
        while chunk := part.read(1 << 20):
            if re.search(rb"<f[ >/]", tail + chunk):
                return True
            tail = chunk[-4:]
    return False


Cell = tuple[str, str]
"""Text of a cell, and its failure where it holds one."""
BLANK: Cell = ("", "")
MIDNIGHT = time()


def _read_cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return BLANK
    if cell.data_type == "e":
        return "", str(value)
    # A date is stored as its midnight; a time of day that the format hides is stored all the same.
    if (
        isinstance(value, datetime)
        and value.time() == MIDNIGHT
        and "h" not in cell.number_format.lower()
    ):
        value = value.date()
    return to_text(value), ""


def _mark_formulas_without_value(path: Path, title: str, lines: list[list[Cell]]) -> None:
    """A program other than a spreadsheet writes formulas without their values."""
    import openpyxl

    workbook = openpyxl.load_workbook(path, read_only=True)
    try:
        for number, row in enumerate(_list_rows(workbook[title])):
            for place, cell in enumerate(row):
                if cell.data_type == "f" and lines[number][place] == ("", ""):
                    lines[number][place] = ("", NO_VALUE)
    finally:
        workbook.close()


def _make_table(lines: list[list[Cell]], layout: Layout) -> RawTable:
    if not lines:
        raise TableFault("FILEEMPTY")
    if layout.header_row > len(lines):
        raise TableFault("HEADERMISSING", str(layout.header_row))
    names = [text.strip() for text, _ in lines[layout.header_row - 1]]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise TableFault("HEADERMISSING", str(layout.header_row))
    width = len(names)
    places = layout.choose(names)
    numbers: list[int] = []
    columns: dict[str, list[str]] = {names[place]: [] for place in places}
    faults = []
    for number, line in enumerate(lines[layout.header_row :], start=1):
        if any(cell != ("", "") for cell in line[width:]):
            raise TableFault("FILEUNREADABLE", f"row {number} has a cell beyond the last header")
        if all(cell == ("", "") for cell in line):
            continue
        numbers.append(number)
        for place in places:
            text, failure = line[place] if place < len(line) else ("", "")
            columns[names[place]].append(text)
            if failure:
                faults.append(CellFault(number, names[place], failure))
    return RawTable(make_frame(columns, numbers), tuple(names), tuple(faults))
