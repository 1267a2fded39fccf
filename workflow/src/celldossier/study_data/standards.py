"""Analysis datasets as input: the mapping that a sponsor's ADaM layout needs no config for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pandas as pd

from celldossier.settings.sources import RelativeTime, Source, read_standard
from celldossier.study_data.mapping_values import clean_texts, map_texts, read_date

KNOWN_SIGNS = {"Y": 0, "M": 4, "D": 7, "H": 10}
"""Signs of an ISO 8601 date that are known where its flag says what was imputed: the year and all
below it, the month, the day (CDISC: --DTF), the time (--TMF: hour)."""

ISO_FORMS = ("without-zone",)
"""Forms of a date that is written after ISO 8601."""


def apply_standard(source: Source, columns: AbstractSet[str]) -> Source:
    """Fill a source's mapping from its standard, a file of ``resources/standards``.

    What the config maps itself stands. Of the columns that a variable can come from, the
    first that the file has is taken; where it has none, the variable is as if unmapped.

    Parameters
    ----------
    columns
        Columns of the file.
    """
    if not source.standard:
        return source
    content = read_standard(source.standard)
    mapped = {*source.columns, *source.constants, *source.relative_time}
    original = content.get("original", [])
    collected = bool(original) and original[0] in columns and original[0] not in mapped
    chosen = {}
    for variable, candidates in content["columns"].items():
        # The collected unit and limits are those of the collected result, and of no other.
        own = [name for name in candidates if collected or name not in original]
        present = [column for column in own if column in columns]
        if variable not in mapped and (present or own != candidates):
            chosen[variable] = (present or own)[0]
    relative = {
        variable: RelativeTime.model_validate(time)
        for variable, time in content.get("relative_time", {}).items()
        if variable not in mapped and variable not in chosen and time["column"] in columns
    }
    constants = {
        variable: text
        for variable, text in content.get("constants", {}).items()
        if variable not in mapped and variable not in chosen and variable not in columns
    }
    dates = {name: tuple(forms) for name, forms in content.get("dates", {}).items()}
    # A collected date is ISO 8601, be it a year alone: 2011 is no serial day.
    iso = [name for name in content["columns"] if name.endswith("DTC") and name in columns]
    dates |= dict.fromkeys((name for name in iso if name not in source.columns), ISO_FORMS)
    values = content.get("values", {})
    update = {
        "columns": {**chosen, **source.columns},
        "constants": {**constants, **source.constants},
        "relative_time": {**relative, **source.relative_time},
        "values": {**values, **source.values},
        "dates": source.dates or dates,
    }
    return source.model_copy(update=update)


def read_analysis_columns(
    table: pd.DataFrame, source: Source, missing_texts: tuple[str, ...]
) -> tuple[pd.DataFrame, Source]:
    """Bring the columns of an analysis dataset to what was collected: results, dates.

    Parameters
    ----------
    source
        After `apply_standard`.

    Returns
    -------
    tuple of DataFrame and Source
        Dates that have flags are in ISO 8601, and the source says so.
    """
    content = read_standard(source.standard)
    for column, names in content.get("texts", {}).items():
        table = _complete_results(table, column, names, source, missing_texts)
    for column, names in content.get("imputed", {}).items():
        flags = [name for name in names if name in table.columns]
        used = [variable for variable, name in source.columns.items() if name == column]
        if flags and used and column in table.columns:
            forms = source.dates.get(used[0], source.dates.get("ALL", ()))
            cells = _cut_imputed(table, column, flags, forms, missing_texts)
            table = table.assign(**{column: cells})
            dates = {**source.dates, **dict.fromkeys(used, ISO_FORMS)}
            source = source.model_copy(update={"dates": dates})
    return table, source


def _complete_results(
    table: pd.DataFrame,
    column: str,
    names: Sequence[str],
    source: Source,
    missing_texts: tuple[str, ...],
) -> pd.DataFrame:
    """Put the texts of results in the place of the numbers that stand for them.

    An analysis dataset writes a result below the limit as a text and a number 0 (or
    none) beside it. A text that is a number stands back, for it may be rounded.
    """
    if column not in table.columns or column not in source.columns.values():
        return table
    cells = clean_texts(table[column], missing_texts)
    for name in (name for name in reversed(names) if name in table.columns):
        texts = clean_texts(table[name], missing_texts)
        number = pd.to_numeric(pd.Series(texts), errors="coerce").notna().to_numpy()
        cells = np.where((texts != "") & (~number | (cells == "")), texts, cells)
    return table.assign(**{column: cells.astype(object)})


def _cut_imputed(
    table: pd.DataFrame,
    column: str,
    flags: Sequence[str],
    forms: tuple[str, ...],
    missing_texts: tuple[str, ...],
) -> np.ndarray:
    """Dates in ISO 8601 without what their flags say was imputed."""

    def to_iso(cell: str) -> str:
        return (read_date(cell, forms) or cell) if cell else ""

    cells = map_texts(clean_texts(table[column], missing_texts), to_iso)
    for name in flags:
        texts = clean_texts(table[name], missing_texts)
        for flag, length in KNOWN_SIGNS.items():
            # The flag of a time has an M of its own, for the minute.
            if (flag == "H") == name.endswith("TMF"):
                cells = np.where(texts == flag, map_texts(cells, _cutter(length)), cells)
    return cells


def _cutter(length: int) -> Callable[[str], str]:
    return lambda text: text[:length]
