"""Listings: rows of a dataset as they stand, long ones cut in print and whole in the CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.datasets.specification import Variable
from celldossier.terms.language import format_fixed
from celldossier.tlf.labels import level_label, reason_label, variable_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, Row, Table

EXCERPT_ROWS = 40
"""Rows of a listing that are printed; the CSV beside it holds all of them."""


def list_dataset(
    context: Context, frame: pd.DataFrame, name: str, variables: Sequence[str] | None = None
) -> Table:
    """Listing of a dataset, in the order of its keys.

    Parameters
    ----------
    frame
        The dataset of that `name`.
    variables
        Variables to print, all by default; the CSV holds all variables.
    """
    language = context.language
    specification = read_specification(name)
    shown = list(variables or specification.variables)
    rows = []
    for record in frame.head(EXCERPT_ROWS).to_dict("records"):
        cells = [
            Cell(_text(context, variable, specification.variables[variable], record[variable]))
            for variable in shown
        ]
        rows.append(Row(tuple(cells)))
    columns = tuple(
        Column(
            with_unit(
                variable_label(language, name, variable), specification.variables[variable].unit
            ),
            align="left" if specification.variables[variable].type == "text" else "center",
            width=_width(variable),
        )
        for variable in shown
    )
    notes = []
    if len(frame) > EXCERPT_ROWS:
        notes.append(language.text("footnote.excerpt", shown=EXCERPT_ROWS, rows=len(frame)))
    subjects = int(frame["USUBJID"].nunique()) if "USUBJID" in frame else 0
    return Table(columns, tuple(rows), subjects, tuple(notes), full=frame)


def _width(variable: str) -> str:
    """Room for the long ones, subject numbers and reasons; the others share the rest."""
    if variable == "USUBJID":
        return "11.5%"
    return "11%" if variable.endswith("RSN") else ""


def _text(context: Context, name: str, variable: Variable, value: object) -> str:
    """A value as printed: words for codes and reasons, days to the hundredth."""
    if variable.type == "text":
        text = str(value)
        if not text:
            return ""
        # CDISC names of reasons end so: NEVALRSN, UNDRSN.
        if name.endswith("RSN"):
            return reason_label(context.language, text)
        return level_label(context.language, name, text)
    number = float(str(value))
    if math.isnan(number):
        return ""
    return format_fixed(number, 2) if variable.unit == "d" else f"{number:.6g}"
