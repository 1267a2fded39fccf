"""Listing of the parameters of markers, one row a subject and marker (listing 43)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from celldossier.terms.language import format_fixed, format_significant
from celldossier.terms.pd_parameters import find_pd_parameter, order_pd_parameters
from celldossier.tlf.labels import analyte_label, variable_label, with_unit
from celldossier.tlf.listings import EXCERPT_ROWS
from celldossier.tlf.marker_series import first_area, place_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

KEYS = ["USUBJID", "PARCAT1", "ASPEC", "ALOC"]
BOUNDS = {"ATLEAST": "≥", "ATMOST": "≤", "PDCENS": ">"}
"""Flag to the sign printed before the value: a bound, or a time that was not reached."""
AT_LAST = {"PDPEAK": "≥", "PDNADIR": "≤"}
"""Sign of a peak or nadir that is the last sample: the course may have gone on."""


def draw_marker_listing(context: Context) -> Table | NotShown:
    """Parameters of each subject and marker; the CSV beside it holds every parameter.

    Option ``parameters``: codes in the order of the columns; PDAUC, PDAO and PDAU stand for the
    first area of the settings.
    """
    frame = context.dataset("ADPDP")
    if frame.empty:
        return NotShown("NOTCOLL")
    language = context.language
    codes = [
        first_area(context, code) if code in ("PDAUC", "PDAO", "PDAU") else code
        for code in context.options["parameters"]
    ]
    codes = [code for code in codes if code in set(frame["PARAMCD"])]
    units = frame[frame["PARAMCD"] == "PDBASE"].set_index(KEYS)["AVALU"]
    pairs = frame[KEYS].drop_duplicates()
    columns = (
        Column(variable_label(language, "ADPDP", "USUBJID"), align="left", width="11%"),
        Column(variable_label(language, "ADPDP", "TRT01A"), align="left", width="6%"),
        Column(language.text("column.marker_unit"), align="left", width="13%"),
        *(Column(_head(code)) for code in codes),
    )
    body = []
    for key in pairs.head(EXCERPT_ROWS).itertuples(index=False, name=None):
        mine = frame[(frame[KEYS] == list(key)).all(axis=1)]
        marker = analyte_label(context, key[1])
        if key[3]:
            marker = language.text(
                "marker.in_place", marker=marker, place=place_label(language, key[3])
            )
        head = with_unit(marker, str(units.get(key, "")))
        cells = _cells(context, mine, codes)
        body.append(Row((Cell(key[0]), Cell(mine["TRT01A"].iloc[0]), Cell(head), *cells)))
    notes = [_abbreviations(context, codes), language.text("footnote.marker_bounds")]
    if len(pairs) > EXCERPT_ROWS:
        notes.append(language.text("footnote.excerpt", shown=EXCERPT_ROWS, rows=len(pairs)))
    analytes = tuple(dict.fromkeys(pairs["PARCAT1"].head(EXCERPT_ROWS)))
    subjects = int(frame["USUBJID"].nunique())
    return Table(columns, tuple(body), subjects, tuple(notes), analytes=analytes, full=frame)


def _head(code: str) -> str:
    entry = find_pd_parameter(code)
    return with_unit(entry.symbol, {"time": "d", "percent": "%"}.get(entry.unit, ""))


def _abbreviations(context: Context, codes: list[str]) -> str:
    """What the symbols of the columns stand for."""
    language = context.language
    parts = []
    for code in order_pd_parameters(codes):
        entry = find_pd_parameter(code)
        name = language.label({"en": entry.en, "zh": entry.zh})
        parts.append(language.text("label.abbreviation", symbol=entry.symbol, name=name))
    return language.text("label.sentence_separator").join(parts)


def _cells(context: Context, rows: pd.DataFrame, codes: list[str]) -> list[Cell]:
    """One cell a parameter: its value with the sign of a bound, or why it is missing."""
    by_code: dict[str, dict[Any, Any]] = {row["PARAMCD"]: row for row in rows.to_dict("records")}
    cells = []
    for code in codes:
        record = by_code.get(code)
        if record is None:
            cells.append(Cell(context.language.text("label.blank")))
        elif pd.isna(record["AVAL"]):
            missing = context.language.text("label.not_calculated")
            cells.append(Cell(missing, reasons=(record["PPREASND"],)))
        else:
            flags = record["FLAG"].split(";")
            sign = next((s for f, s in BOUNDS.items() if f in flags), "")
            sign = sign or (AT_LAST.get(code, "") if "ATLAST" in flags else "")
            timed = find_pd_parameter(code).unit == "time"
            number = record["AVAL"]
            text = format_fixed(number, 2) if timed else format_significant(number)
            cells.append(Cell(f"{sign}{text}"))
    return cells
