"""Contents of the files of one table, listing or figure: record, CSV, SVG and HTML page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from celldossier.io.resources import shared_path
from celldossier.results import AnalysisResults
from celldossier.terms.language import LOCALES, Language
from celldossier.tlf.model import Row, Table

if TYPE_CHECKING:
    from jinja2 import Environment

_SHORT_BLOCK = 9
"""Rows up to which a parameter and what is said of it stand on one page."""


def table_record(table: Table, marks: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A table as plain values, from which every page is rendered.

    Returns
    -------
    dict
        ``columns`` (label, align, width, value_ids), ``groups`` (label and span
        of the heads above the columns, empty if there are none), ``rows`` (kind:
        body, heading, or label where it only names the rows below it; keep: stays on
        the page of the row below it; indent; cells with text, value_ids and mark),
        ``rows_in_all``.
    """
    names_below = _find_names(table.rows)
    groups = [
        {"label": label, "span": len(list(members))}
        for label, members in groupby(column.group for column in table.columns)
    ]
    return {
        "columns": [
            {
                "label": column.label,
                "align": column.align,
                "width": column.width,
                "value_ids": list(column.value_ids),
            }
            for column in table.columns
        ],
        "groups": groups if any(group["label"] for group in groups) else [],
        "rows": [
            _row_record(row, row_marks, names, keep)
            for row, row_marks, names, keep in zip(
                table.rows, marks, names_below, _kept_together(table.rows), strict=True
            )
        ],
        "rows_in_all": len(table.rows) if table.full is None else len(table.full),
    }


def _find_names(rows: Sequence[Row]) -> list[bool]:
    """Whether each row only names the rows below it.

    An indented row of words alone with none below that is indented further says something of
    the row above: it may end a page.
    """
    following = [row.indent for row in rows[1:]] + [0]
    return [
        row.kind == "body"
        and not any(cell.text for cell in row.cells[1:])
        and (row.indent == 0 or below > row.indent)
        for row, below in zip(rows, following, strict=True)
    ]


def _kept_together(rows: Sequence[Row]) -> list[bool]:
    """Whether each row must stand on the page of the next one.

    A row that names what follows never ends a page, and a parameter with its few
    statistics, rows that are indented or repeat no name, is not torn apart.
    """
    starts = [
        place
        for place, row in enumerate(rows)
        if row.kind == "heading" or (row.indent == 0 and row.cells[0].text)
    ]
    keep = _find_names(rows)
    for start, end in pairwise([*starts, len(rows)]):
        if rows[start].kind != "heading" and end - start <= _SHORT_BLOCK:
            keep[start : end - 1] = [True] * (end - 1 - start)
    return keep


def _row_record(row: Row, marks: Sequence[str], names: bool, keep: bool) -> dict[str, Any]:
    return {
        "kind": "label" if names else row.kind,
        "keep": keep,
        "indent": row.indent,
        "cells": [
            {"text": cell.text, "value_ids": list(cell.value_ids), "mark": mark}
            for cell, mark in zip(row.cells, marks, strict=True)
        ],
    }


def table_values(table: Table, results: AnalysisResults) -> pd.DataFrame:
    """Every printed cell of a table, with its value identifiers and their full numbers.

    Returns
    -------
    pandas.DataFrame
        ROW and COLUMN (from 1; row 0 is the head), TEXT as printed, VALUE_IDS and
        VALUES (joined by a semicolon, full precision; the reason code where a
        value is missing).
    """
    lines: list[dict[str, object]] = []
    heads = [(column.label, column.value_ids) for column in table.columns]
    body = [[(cell.text, cell.value_ids) for cell in row.cells] for row in table.rows]
    for row_number, cells in enumerate([heads, *body]):
        for column_number, (text, value_ids) in enumerate(cells, start=1):
            values = [results.get(value_id) for value_id in value_ids]
            lines.append(
                {
                    "ROW": row_number,
                    "COLUMN": column_number,
                    "TEXT": text,
                    "VALUE_IDS": "; ".join(value_ids),
                    "VALUES": "; ".join(
                        value.note_code or value.text or repr(float(value.number))
                        for value in values
                    ),
                }
            )
    return pd.DataFrame(lines, columns=["ROW", "COLUMN", "TEXT", "VALUE_IDS", "VALUES"])


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(shared_path("report_templates")),
        # Fields of the data may hold markup: everything is escaped.
        autoescape=select_autoescape(["html", "html.j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def page_bytes(record: Mapping[str, Any], images: Mapping[str, bytes], language: Language) -> bytes:
    """A whole HTML page of one table or figure, with its style and images inside.

    Parameters
    ----------
    record
        Its entry in ``tlfs.json``.
    images
        SVG by file name.
    """
    sources = {
        name: "data:image/svg+xml;base64," + base64.b64encode(content).decode("ascii")
        for name, content in images.items()
    }
    style = shared_path("report_templates", "style", "tlf.css").read_text(encoding="utf-8")
    page = (
        _environment()
        .get_template("tlf_page.html.j2")
        .render(
            tlf=record,
            sources=sources,
            # Our own file, which would lose its quotation marks by escaping.
            style=Markup(style),
            locale=LOCALES[language.code].replace("_", "-"),
            text=language.text,
        )
    )
    return page.encode("utf-8")


def image_names(identifier: str, pages: int) -> list[str]:
    """File names of the pages of a figure: F20.svg, F20-2.svg, ..."""
    return [f"{identifier}.svg", *(f"{identifier}-{page}.svg" for page in range(2, pages + 1))]


def all_value_ids(table: Table) -> Iterable[str]:
    """Value identifiers that a table prints, head first, row by row."""
    for column in table.columns:
        yield from column.value_ids
    for row in table.rows:
        for cell in row.cells:
            yield from cell.value_ids
