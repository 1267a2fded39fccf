"""Rows of one quantity: its name with n, then its statistics, or fewer than three values."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.language import Language
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.model import Cell, Row


def block_rows(
    printer: Printer,
    language: Language,
    label: str,
    places: Sequence[Place],
    form: str,
    *,
    spread: bool = True,
    counted: str = "label.count_of",
    indent: int = 0,
) -> tuple[list[Row], bool]:
    """Rows of one quantity, one column a place.

    Parameters
    ----------
    places
        Where the block of each column stands, that of all subjects last; a place that no
        stage has computed is an en dash.
    form
        Format of the numbers.
    spread
        Whether mean and standard deviation are shown beside median and range.
    counted
        Key of the text that says what n counts.
    indent
        Indent of the first row; the others stand one deeper.

    Returns
    -------
    tuple
        The rows, and whether a cell lists its values. Where the last place has no value,
        one row says why.
    """
    shown = [place if printer.exists(place) else None for place in places]
    last = shown[-1]
    name = Cell(language.text(counted, label=label))
    if last is None or printer.value(last, "n").number == 0:
        missing = [
            printer.cell(place, "{}", ("median", form)) if place else printer.blank()
            for place in shown
        ]
        return [Row((Cell(label), *missing), indent=indent)], False
    few = [place is not None and printer.few(place) for place in shown]
    lines: list[tuple[str, str, tuple[str, ...]]] = []
    if spread:
        lines.append(("mean_sd", "{} ({})", ("mean", "sd")))
    lines.append(("median_range", "{} ({}, {})", ("median", "min", "max")))
    counts = [
        printer.cell(place, "{}", ("n", "count")) if place else printer.blank() for place in shown
    ]
    rows = [Row((name, *counts), indent=indent)]
    for position, (statistic, pattern, stats) in enumerate(lines):
        cells = []
        for place, is_few in zip(shown, few, strict=True):
            if place is None or (is_few and position):
                cells.append(printer.blank())
            elif is_few:
                cells.append(printer.listed(place, form))
            else:
                cells.append(printer.cell(place, pattern, *((stat, form) for stat in stats)))
        title = Cell(language.text(f"statistic.{statistic}"))
        rows.append(Row((title, *cells), indent=indent + 1))
    return rows, any(few)


def count_row(
    printer: Printer,
    label: str,
    places: Sequence[Place],
    pattern: str,
    *stats: tuple[str, str],
    indent: int = 0,
) -> Row:
    """One row of counts; a place that no stage has computed is an en dash."""
    cells = [
        printer.cell(place, pattern, *stats)
        if printer.exists(place, stats[0][0])
        else printer.blank()
        for place in places
    ]
    return Row((Cell(label), *cells), indent=indent)
