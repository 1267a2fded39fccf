"""What a reader sees of a drawn table, as plain text."""

from __future__ import annotations

from celldossier.tlf.model import Table


def texts(table: object) -> list[list[str]]:
    """Texts of all cells, row by row."""
    assert isinstance(table, Table)
    return [[cell.text for cell in row.cells] for row in table.rows]


def heads(table: object) -> list[str]:
    """Labels of the columns."""
    assert isinstance(table, Table)
    return [column.label for column in table.columns]
