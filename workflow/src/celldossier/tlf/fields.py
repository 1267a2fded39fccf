"""A table as a list of its columns: each field is the head of a column and how its cells are read.

A table whose rows are of one kind is a tuple of fields and the places of its rows::

    fields = (
        Field("column.marker", marker_name, "18%", align="left"),
        Field("statistic.n", stat("n", "count")),
        Field("column.rho_ci", estimate("rho", "fixed2"), "22%"),
    )
    rows = [read_row(reader, fields, place) for place in places]
    return Table(head_fields(context, fields, level="95"), tuple(rows), reader.printer.subjects)

so that a head and its cells cannot part. Rows that are not of one kind are put together of
`read_cells` and cells of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from celldossier.tlf.cells import Place, Printer, Stat, interval, level_cell
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Cell, Column, Context, Row


@dataclass(frozen=True)
class Reader:
    """What the cells of one table are read from."""

    context: Context
    printer: Printer

    @classmethod
    def of(cls, context: Context) -> Reader:
        """A reader of the results that the context holds."""
        return cls(context, Printer(context.results, context.language))


Reading = Callable[[Reader, Place], Cell]
"""How the cell of a row is read, whose results stand at the place."""


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    head, group
        Keys of the catalogue: the head, and the head above it that neighbours share.
    read
        How a cell is read.
    width
        CSS width such as "30%".
    """

    head: str
    read: Reading
    width: str = ""
    group: str = ""
    align: Literal["left", "center", "right"] = "center"


def head_fields(context: Context, fields: Sequence[Field], **values: object) -> tuple[Column, ...]:
    """Columns of the fields; the values fill in what their heads leave open."""
    text = context.language.text
    return tuple(
        Column(
            text(field.head, **values),
            group=text(field.group, **values) if field.group else "",
            align=field.align,
            width=field.width,
        )
        for field in fields
    )


def read_cells(reader: Reader, fields: Sequence[Field], place: Place) -> tuple[Cell, ...]:
    """The cells of one place, a field each."""
    return tuple(field.read(reader, place) for field in fields)


def read_row(reader: Reader, fields: Sequence[Field], place: Place, indent: int = 0) -> Row:
    """The row of one place."""
    return Row(read_cells(reader, fields, place), indent=indent)


def stat(name: str, form: str = "significant") -> Reading:
    """One statistic."""
    return stats("{}", (name, form))


def stats(pattern: str, *forms: Stat) -> Reading:
    """Several statistics in one cell; see `Printer.cell`."""
    return lambda reader, place: reader.printer.cell(place, pattern, *forms)


def estimate(name: str, form: str = "significant") -> Reading:
    """An estimate with its limits."""
    return stats("{} ({}, {})", *interval(name, form))


def word(vocabulary: str, name: str) -> Reading:
    """A statistic that is a code, in the words of its vocabulary."""
    return lambda reader, place: level_cell(
        reader.context.language, vocabulary, reader.printer.value(place, name)
    )


def level(vocabulary: str) -> Reading:
    """The level of the row itself, in the words of its vocabulary."""
    return lambda reader, place: Cell(
        level_label(reader.context.language, vocabulary, place.by[vocabulary])
    )


def where(name: str, reading: Reading) -> Reading:
    """The reading where the stage has computed a statistic, an en dash where it has not."""
    return lambda reader, place: (
        reading(reader, place) if reader.printer.exists(place, name) else reader.printer.blank()
    )


def at(move: Callable[[Place], Place], reading: Reading) -> Reading:
    """The reading at another place than that of the row."""
    return lambda reader, place: reading(reader, move(place))


def geomean(suffix: str = "") -> Reading:
    """Geometric mean (CV) of the row, or of one of the groups that stand in it side by side."""
    return lambda reader, place: reader.printer.geomean(place, suffix)
