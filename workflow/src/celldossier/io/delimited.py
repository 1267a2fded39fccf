"""Reading of delimited text: cell by cell, or by pyarrow where both give the same.

The reader of the standard library says what the text means, and names every fault. A
file of millions of rows would take it minutes: a file whose form leaves no room for
two readings (`_is_plain`) goes through pyarrow, which gives the same cells. Where
pyarrow finds a row of another length, the slow reader reads the file and names it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from celldossier.io.table_faults import Layout, RawTable, TableFault, make_frame

if TYPE_CHECKING:
    import pyarrow

SHOWN_ROWS = 10  # rows of another length than the header that a fault names
DELIMITERS = {",": ",", ";": ";", "tab": "\t", "|": "|"}
"""Sign between the cells, by its name in the config."""
HINTS = ("gb18030", "utf-16", "big5", "cp1252")
"""Encodings that a fault may name as able to hold the bytes; none is taken unasked."""


def read_delimited(path: Path, layout: Layout) -> RawTable:
    """Read a delimited text file.

    Raises
    ------
    TableFault
        FILENOTUTF8, FILEENCODING, FILEUNREADABLE, FILEEMPTY, HEADERMISSING, DELIMITERWRONG
        or COLUMNTWICE.
    """
    delimiter = _delimiter(path, layout)
    text = decode_text(path.read_bytes(), layout.encoding)
    return read_plain(text, delimiter, layout) or read_slowly(text, delimiter, layout)


def decode_text(content: bytes, encoding: str) -> str:
    """Text of a file; a byte order mark is taken off.

    ``auto`` is UTF-8 and nothing else. GB18030 would decode almost any bytes, so that its
    success proves nothing: the fault names it where it could be meant, and the study
    declares it.

    Raises
    ------
    TableFault
        FILENOTUTF8 or FILEENCODING, with the line.
    """
    codec = {"auto": "utf-8-sig", "utf-8": "utf-8-sig"}.get(encoding, encoding)
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        if encoding == "auto":
            raise TableFault("FILENOTUTF8", str(line), _suggest(content)) from error
        raise TableFault("FILEENCODING", str(line), encoding) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableFault("FILEUNREADABLE", f"line {line} holds a NUL character")
    return text.removeprefix("\ufeff")


def _suggest(content: bytes) -> str:
    """First encoding that can hold the bytes at all; a hint for the reader of the finding."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding in HINTS:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _delimiter(path: Path, layout: Layout) -> str:
    if layout.delimiter != "auto":
        return DELIMITERS[layout.delimiter]
    return "\t" if path.suffix.lower() == ".tsv" else ","


def read_slowly(text: str, delimiter: str, layout: Layout) -> RawTable:
    """Read text by the reader of the standard library, which defines what it means."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    ragged: list[str] = []
    try:
        names = _read_header(reader, delimiter, layout.header_row)
        places = layout.choose(names)
        for number, cells in enumerate(reader, start=1):
            if not cells:
                continue
            if len(cells) != len(names):
                ragged.append(f"row {number} (line {reader.line_num}) has {len(cells)} cells")
                continue
            rows.append([sys.intern(cells[place]) for place in places])
            numbers.append(number)
    except csv.Error as error:
        raise TableFault("FILEUNREADABLE", f"line {reader.line_num}: {error}") from error
    if ragged:
        shown = "; ".join(ragged[:SHOWN_ROWS])
        more = f"; and {len(ragged) - SHOWN_ROWS} more rows" if len(ragged) > SHOWN_ROWS else ""
        raise TableFault("FILEUNREADABLE", f"{shown}{more} where the header has {len(names)}")
    columns = {names[place]: [cells[order] for cells in rows] for order, place in enumerate(places)}
    return RawTable(make_frame(columns, numbers), tuple(names))


def _read_header(reader: Iterator[list[str]], delimiter: str, header_row: int) -> list[str]:
    names: list[str] = []
    for _ in range(header_row):
        line = next(reader, None)
        if line is None:
            raise TableFault("FILEEMPTY" if header_row == 1 else "HEADERMISSING", str(header_row))
        names = [name.strip() for name in line]
    if not names:
        raise TableFault("FILEEMPTY" if header_row == 1 else "HEADERMISSING", str(header_row))
    if len(names) == 1:
        counts = {name: names[0].count(sign) for name, sign in DELIMITERS.items()}
        likely = max(counts, key=lambda name: counts[name])
        if counts[likely]:
            taken = next(name for name, sign in DELIMITERS.items() if sign == delimiter)
            raise TableFault("DELIMITERWRONG", taken, likely)
    return names


def read_plain(text: str, delimiter: str, layout: Layout) -> RawTable | None:
    """Read text by pyarrow; None where its reading could differ from the slow one."""
    import pyarrow
    from pyarrow import csv as fast

    body = text.rstrip("\r\n")
    if not _is_plain(body, delimiter) or layout.header_row > body.count("\n") + 1:
        return None
    header = _split_header(body, layout.header_row)
    names = _read_header(
        csv.reader([header], delimiter=delimiter, strict=True), delimiter, header_row=1
    )
    places = layout.choose(names)
    codes = [f"c{place}" for place in range(len(names))]
    wanted = [codes[place] for place in places] or codes[:1]
    start = _find_line(body, layout.header_row)
    if start is None:
        return RawTable(make_frame({names[place]: [] for place in places}, []), tuple(names))
    content = body[start:].encode("utf-8")
    if content.startswith(codecs.BOM_UTF8):
        return None  # pyarrow would take it off
    try:
        table = fast.read_csv(
            pyarrow.BufferReader(content),
            read_options=fast.ReadOptions(column_names=codes, block_size=1 << 23),
            parse_options=fast.ParseOptions(
                delimiter=delimiter, newlines_in_values=False, ignore_empty_lines=False
            ),
            convert_options=fast.ConvertOptions(
                column_types={
                    code: pyarrow.dictionary(pyarrow.int32(), pyarrow.string()) for code in wanted
                },
                include_columns=wanted,
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pyarrow.ArrowException:
        return None
    columns = {names[place]: _share_texts(table.column(codes[place])) for place in places}
    return RawTable(make_frame(columns, range(1, table.num_rows + 1)), tuple(names))


def _share_texts(column: pyarrow.ChunkedArray) -> np.ndarray:
    """Cells of a column, equal ones as one object."""
    unified = column.unify_dictionaries()
    if not unified.num_chunks:
        return np.array([], dtype=object)
    texts = np.array(unified.chunk(0).dictionary.to_pylist(), dtype=object)
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in unified.chunks])
    shared: np.ndarray = texts[codes]
    return shared


def _split_header(body: str, header_row: int) -> str:
    start = _find_line(body, header_row - 1) or 0
    end = body.find("\n", start)
    return body[start : end if end >= 0 else len(body)].rstrip("\r")


def _find_line(body: str, lines: int) -> int | None:
    """Place after so many lines; None where the text ends before."""
    place = 0
    for _ in range(lines):
        place = body.find("\n", place) + 1
        if not place:
            return None
    return place


def _is_plain(body: str, delimiter: str) -> bool:
    """Whether no two readers could split the text in different ways.

    No empty line, no line end but LF or CRLF, none inside quotes, and quotes only
    round whole cells.
    """
    if not body or body[0] in "\r\n" or re.search(r"\n\r?\n", body):
        return False
    if body.count("\r") != body.count("\r\n"):
        return False
    if '"' not in body:
        return True
    content = np.frombuffer(body.encode("utf-8"), dtype=np.uint8)
    quote = content == ord('"')
    places = np.flatnonzero(quote)
    if places.size % 2:
        return False
    inside = np.cumsum(quote, dtype=np.int64) % 2 == 1
    if (inside & ((content == ord("\n")) | (content == ord("\r")))).any():
        return False
    padded = np.concatenate(([ord("\n")], content, [ord("\n")]))
    before, after = padded[places[::2]], padded[places[1::2] + 2]
    edges = np.array([ord(delimiter), ord("\n"), ord('"')], dtype=np.uint8)
    ends = np.append(edges, ord("\r"))
    return bool(np.isin(before, edges).all() and np.isin(after, ends).all())
