"""What a drawing function gives: a table, a figure, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from celldossier.results import AnalysisResults
from celldossier.terms.language import Language

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure


@dataclass(frozen=True)
class Cell:
    """One cell: its text, the identifiers of the values it prints, and why one is missing.

    Attributes
    ----------
    reasons
        Reason codes of the values that are missing; each gets a letter in the
        cell and an explanation below the table.
    """

    text: str
    value_ids: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row; a `heading` row spans the table, a row may be indented below it."""

    cells: tuple[Cell, ...]
    kind: Literal["body", "heading"] = "body"
    indent: int = 0


@dataclass(frozen=True)
class Column:
    """One column: its head, the head above it that neighbours share, and its alignment.

    Attributes
    ----------
    width
        CSS width such as "30%"; the layout decides where it is blank.
    value_ids
        Identifiers of the values in the head, such as the N of a dose level.
    """

    label: str
    group: str = ""
    align: Literal["left", "center", "right"] = "center"
    width: str = ""
    value_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table or listing.

    Attributes
    ----------
    subjects
        Number of subjects whose data the table shows; decides whether it
        counts as evidence for a clause.
    footnotes
        Texts that depend on the data; those that do not are declared in tlfs.yaml.
    analytes
        Codes of the analytes shown; their assays and limits are footnotes.
    full
        The whole listing, of which `rows` are the first; it is the CSV beside it.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    subjects: int
    footnotes: tuple[str, ...] = ()
    analytes: tuple[str, ...] = ()
    full: pd.DataFrame | None = None


@dataclass(frozen=True)
class Figure:
    """A figure, or several pages of one, with the data it shows.

    Attributes
    ----------
    pages
        Matplotlib figures, in order.
    data
        The points and curves shown, language-neutral: the CSV beside the figure.
    value_ids
        Identifiers of the numbers that are printed inside the figure.
    footnotes, analytes
        As in `Table`.
    reasons
        Reason codes that the figure needs explained.
    printed
        Pages that the report shows, the first ones; all of them where it is None.
    """

    pages: tuple[MatplotlibFigure, ...]
    data: pd.DataFrame
    subjects: int
    value_ids: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    analytes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    alternative_text: str = ""
    printed: int | None = None


@dataclass(frozen=True)
class NotShown:
    """Why a table or figure cannot be made: a reason code of resources/terms."""

    reason: str


@dataclass(frozen=True)
class Context:
    """All that a drawing function may read.

    Attributes
    ----------
    results, curves
        Analysis results and curves of the stages that the declaration names.
    dataset
        Gives an analysis dataset that the declaration names; for listings and
        raw points only.
    settings
        Effective sections of the config, by name.
    options
        The `options` of the declaration in tlfs.yaml.
    """

    language: Language
    results: AnalysisResults
    curves: pd.DataFrame
    dataset: Callable[[str], pd.DataFrame]
    settings: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


Drawing = Callable[[Context], Table | Figure | NotShown]
