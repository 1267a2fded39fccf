"""Bring a frame into the form that its specification declares, and check it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import infer_dtype

from celldossier.datasets.specification import Specification, Variable, read_specification
from celldossier.errors import InputDataError

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema


def empty_dataset(name: str) -> pd.DataFrame:
    """The dataset of that name with all its variables and no rows."""
    return conform(pd.DataFrame(), name)


def conform(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Order, type and sort a derived frame as the specification of `name` says.

    Variables that the frame lacks are added empty; a variable that the
    specification does not know is a fault of the program and raises KeyError.
    The rows are sorted by the keys.

    Raises
    ------
    InputDataError
        If a required value is missing, a key is duplicated, or a value is
        outside its codelist; all faults are listed.
    """
    specification = read_specification(name)
    unknown = [column for column in frame.columns if column not in specification.variables]
    if unknown:
        raise KeyError(f"{name} has no variable {', '.join(unknown)} in its specification")
    columns = {
        column: _typed(frame.get(column), variable, frame.index)
        for column, variable in specification.variables.items()
    }
    typed = pd.DataFrame(columns, index=frame.index)
    typed = typed.sort_values(list(specification.keys), kind="stable", ignore_index=True)
    check_dataset(typed, specification)
    return typed


def check_dataset(frame: pd.DataFrame, specification: Specification) -> None:
    """Hold a dataset against its specification; pandera lists all faults in one error.

    Raises
    ------
    InputDataError
        With one sentence a fault: variable, row, value and rule.
    """
    if _follows(frame, specification):
        # Nearly every dataset does, and pandera's way to know costs ten times as much.
        return
    import pandera.pandas as pa

    try:
        _schema(specification.name).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        faults = [
            f"{specification.name}: {case['column'] or 'the dataset'} breaks the rule "
            f"'{case['check']}' with the value {case['failure_case']!r} in row {case['index']}."
            for case in cases.to_dict("records")
        ]
        raise InputDataError(faults) from error


Rule = Callable[[pd.Series], pd.Series]
"""Says of each value of a variable whether it is allowed."""


def _list_rules(variable: Variable) -> dict[str, Rule]:
    """Rules of the values of a variable, by the words in which a fault names them."""
    rules: dict[str, Rule] = {}
    if variable.required and variable.type == "text":
        rules["a required text is not blank"] = lambda s: s != ""
    if variable.codelist:
        allowed = {"", *variable.codelist}
        rules[f"value in {sorted(allowed)}"] = lambda s: s.isin(allowed)
    if variable.type == "integer":
        rules["whole number"] = lambda s: s.isna() | (s % 1 == 0)
    return rules


def _may_be_missing(variable: Variable) -> bool:
    return variable.type != "text" and not variable.required


def _follows(frame: pd.DataFrame, specification: Specification) -> bool:
    """Whether a dataset has its variables in their order, and no value or key breaks a rule."""
    if list(frame.columns) != list(specification.variables):
        return False
    if frame.empty:
        return True
    keys = list(specification.keys)
    if keys and frame.duplicated(keys).any():
        return False
    return all(
        (_may_be_missing(variable) or not frame[name].isna().any())
        and all(rule(frame[name]).all() for rule in _list_rules(variable).values())
        for name, variable in specification.variables.items()
    )


@lru_cache(maxsize=64)
def _schema(name: str) -> DataFrameSchema:
    import pandera.pandas as pa

    specification = read_specification(name)
    columns = {
        name: pa.Column(
            None,
            [pa.Check(rule, name=words) for words, rule in _list_rules(variable).items()],
            nullable=_may_be_missing(variable),
        )
        for name, variable in specification.variables.items()
    }
    return pa.DataFrameSchema(
        columns, strict=True, ordered=True, unique=list(specification.keys) or None
    )


def _typed(values: pd.Series | None, variable: Variable, index: pd.Index) -> pd.Series:
    if variable.type == "text":
        if values is None:
            return pd.Series("", index=index, dtype=object)
        # Millions of cells: those that are text already are not looked at one by one.
        if values.dtype == object and infer_dtype(values, skipna=False) == "string":
            return values
        cells = values.astype(object).to_numpy()
        texts = [_as_text(cell) for cell in cells]
        return pd.Series(texts, index=index, dtype=object)
    if values is None:
        return pd.Series(float("nan"), index=index, dtype="float64")
    numbers = pd.to_numeric(values).astype("float64")
    if variable.type == "integer" and variable.required and (numbers % 1 == 0).all():
        return numbers.astype("int64")
    return numbers


def _as_text(cell: Any) -> str:
    """A cell as text, "" where it is missing (None, NaN, NA, NaT)."""
    if isinstance(cell, str):
        return cell
    return "" if pd.isna(cell) else str(cell)
