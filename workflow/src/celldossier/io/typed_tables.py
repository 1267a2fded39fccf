"""Reading of files that hold typed columns: SAS transport, SAS data sets, Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from celldossier.io.table_faults import Layout, RawTable, TableFault, make_frame


def read_sas(path: Path, function: str, layout: Layout) -> RawTable:
    """Read a SAS file by the function of pyreadstat for its format.

    Raises
    ------
    TableFault
        FILEUNREADABLE or COLUMNTWICE.
    """
    import pyreadstat

    read = getattr(pyreadstat, function)
    try:
        _, meta = read(str(path), metadataonly=True)
        names = list(meta.column_names)
        wanted = [names[place] for place in layout.choose(names)]
        # Without any wanted column the rows are still to be counted.
        frame, _ = read(str(path), usecols=wanted or names[:1] or None)
    except (pyreadstat.ReadstatError, UnicodeDecodeError, OverflowError, ValueError) as error:
        raise TableFault("FILEUNREADABLE", str(error)) from error
    columns = {name: to_texts(frame[name].tolist()) for name in wanted}
    return RawTable(make_frame(columns, range(1, len(frame) + 1)), tuple(names))


def read_parquet(path: Path, layout: Layout) -> RawTable:
    """Read a Parquet file.

    Raises
    ------
    TableFault
        FILEUNREADABLE or COLUMNTWICE.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        # The file itself, not a folder of files, so that no partition is made up.
        file = parquet.ParquetFile(path)
        names = list(file.schema_arrow.names)
        wanted = [names[place] for place in layout.choose(names)]
        table = file.read(columns=wanted)
        columns = {name: to_texts(table.column(name).to_pylist()) for name in wanted}
    except (pyarrow.ArrowException, OSError) as error:
        raise TableFault("FILEUNREADABLE", str(error)) from error
    return RawTable(make_frame(columns, range(1, file.metadata.num_rows + 1)), tuple(names))


def to_texts(values: Sequence[Any]) -> np.ndarray:
    """Cells as text; equal texts are one object, whatever the number of cells."""
    codes, uniques = pd.factorize(
        np.fromiter(map(to_text, values), dtype=object, count=len(values))
    )
    return np.asarray(uniques, dtype=object)[codes]


def to_text(value: Any) -> str:
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
