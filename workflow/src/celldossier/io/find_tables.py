"""The tables of a folder, each read as far as its form can be told; for `celldossier init`."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from celldossier.io.delimited import DELIMITERS, HINTS, decode_text
from celldossier.io.table_faults import FoundFile, Layout, TableFault
from celldossier.io.tables import READERS, read_raw_table

TEXT_ENDINGS = (".csv", ".tsv")
ENCODINGS = ("auto", *HINTS)


def find_tables(folder: Path) -> tuple[list[FoundFile], list[str]]:
    """Read the tables of a folder.

    Returns
    -------
    tuple
        The tables by name, and a sentence for each file that could not be read.
    """
    found, faults = [], []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in READERS or not path.is_file():
            continue
        try:
            layout = guess_layout(path)
            found.append(FoundFile(path.name, read_raw_table(path, layout).frame, layout))
        except TableFault as fault:
            faults.append(f"{path.name}: {fault}.")
    return found, faults


def guess_layout(path: Path) -> Layout:
    """Encoding and delimiter of a text file: the first that can hold it, the best split.

    Raises
    ------
    TableFault
        FILEENCODING where no known encoding can hold the bytes.
    """
    layout = Layout()
    if path.suffix.lower() not in TEXT_ENDINGS:
        return layout
    content = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            text = decode_text(content, encoding)
        except TableFault as fault:
            if fault.rule == "FILEUNREADABLE":
                raise
            continue
        header = text.lstrip("\r\n").partition("\n")[0]
        widths = {name: _count_cells(header, sign) for name, sign in DELIMITERS.items()}
        best = max(widths, key=lambda name: widths[name])
        usual = "tab" if path.suffix.lower() == ".tsv" else ","
        if widths[best] > widths[usual]:
            layout = replace(layout, delimiter=best)
        return replace(layout, encoding=encoding)
    raise TableFault("FILEENCODING", "1", ", ".join(ENCODINGS))


def _count_cells(header: str, sign: str) -> int:
    return len(next(csv.reader([header], delimiter=sign), []))
