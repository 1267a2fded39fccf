"""The table of ``celldossier er``: its columns as numbers, and why a row is not used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Vector = NDArray[np.float64]

MISSING = ("", ".", "NA")
"""Texts of an empty cell."""
SHOWN = 20
"""Faults of a column that are written out; the rest is counted."""


@dataclass(frozen=True)
class Question:
    """One model that is asked for: what explains which outcome.

    Attributes
    ----------
    outcome, metric, covariates
        Columns.
    model
        ``logistic``, ``firth``, ``ordinal``, ``cox``, ``firth-cox``, ``poisson``, ``negbin``;
        None: by the rules of the stage.
    time
        Column of the time to the event or to censoring, or of the follow-up of a count; blank:
        the outcome has no time.
    log2
        Whether the metric enters as its logarithm to base 2.
    """

    outcome: str
    metric: str
    covariates: tuple[str, ...] = ()
    model: str | None = None
    time: str = ""
    log2: bool = False

    @property
    def counts(self) -> bool:
        """Whether the outcome is a count."""
        return self.model in ("poisson", "negbin")

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the model."""
        return (self.outcome, *((self.time,) if self.time else ()), self.metric, *self.covariates)


@dataclass(frozen=True)
class ModelRows:
    """The complete rows of a question.

    Attributes
    ----------
    outcome, time
        Shape (n,); the time is None where the outcome has none.
    design
        The metric and the covariates; a covariate of texts by its levels against the first.
    left_out
        Rows that are not used, counted by their first reason.
    """

    outcome: Vector
    time: Vector | None
    design: pd.DataFrame
    left_out: dict[str, int]


def check_question(data: pd.DataFrame, question: Question, source: str = "") -> list[str]:
    """Faults of the columns of a question, each with row, column, value and the rule."""
    place = f"{source}: " if source else ""
    have = ", ".join(map(str, data.columns))
    faults = [
        f"{place}the table has no column {name}; it has {have}."
        for name in dict.fromkeys(question.columns)
        if name not in data.columns
    ]
    faults += [
        f"{place}the column {name} is named twice."
        for name in dict.fromkeys(question.columns)
        if question.columns.count(name) > 1
    ]
    if faults:
        return faults
    faults += _list_wrong(data, question.metric, place, np.isfinite, "an exposure is a number")
    faults += _check_outcome(data, question, place)
    if question.time:
        least = ", above 0" if question.counts else ", 0 or more"
        faults += _list_wrong(
            data,
            question.time,
            place,
            lambda value: (
                np.isfinite(value) & ((value > 0) | ((value == 0) & (not question.counts)))
            ),
            f"a time is a number{least}",
        )
    for name in question.covariates:
        if _is_mixed(data[name]):
            rule = "most values of this covariate are numbers, so all of them must be"
            faults += _list_wrong(data, name, place, np.isfinite, rule)
    return faults


def read_rows(data: pd.DataFrame, question: Question) -> ModelRows:
    """Complete rows of a question whose columns have no fault."""
    outcome, exposure = _read_numbers(data[question.outcome]), _read_numbers(data[question.metric])
    reasons = {f"{question.outcome} is blank": np.isnan(outcome)}
    time = None
    if question.time:
        time = _read_numbers(data[question.time])
        reasons[f"{question.time} is blank"] = np.isnan(time)
    reasons[f"{question.metric} is blank"] = np.isnan(exposure)
    if question.log2:
        reasons[f"{question.metric} has no logarithm"] = exposure <= 0
        exposure = np.log2(np.where(exposure > 0, exposure, math.nan))
    for name in question.covariates:
        reasons[f"{name} is blank"] = _is_missing(data[name])
    used, left_out = np.ones(len(data), dtype=bool), {}
    for reason, concerned in reasons.items():
        if count := int((used & concerned).sum()):
            left_out[reason] = count
        used &= ~concerned
    columns: dict[str, Vector] = {question.metric: exposure[used]}
    for name in question.covariates:
        columns |= _read_covariate(data.loc[used, name])
    return ModelRows(
        outcome[used], None if time is None else time[used], pd.DataFrame(columns), left_out
    )


def _read_covariate(column: pd.Series) -> dict[str, Vector]:
    """A covariate of numbers as it is, one of texts by its levels against the first."""
    numbers = _read_numbers(column)
    if not np.isnan(numbers).any():
        return {str(column.name): numbers}
    texts = column.astype(str).str.strip()
    levels = sorted(set(texts))
    # A single level stays, as a column that does not vary: the model says so.
    others = levels[1:] or levels
    return {
        f"{column.name}={level}": np.where((texts == level) & (len(levels) > 1), 1.0, 0.0)
        for level in others
    }


def _check_outcome(data: pd.DataFrame, question: Question, place: str) -> list[str]:
    values = _read_numbers(data[question.outcome])
    values = values[np.isfinite(values)]
    graded = question.model == "ordinal" or (
        question.model is None and not question.time and np.unique(values).size > 2
    )
    if graded:
        return _list_wrong(
            data,
            question.outcome,
            place,
            lambda value: np.isfinite(value) & (value == np.round(value)),
            "a grade is a whole number",
        )
    if question.counts:
        return _list_wrong(
            data,
            question.outcome,
            place,
            lambda value: np.isfinite(value) & (value == np.round(value)) & (value >= 0),
            "a count is a whole number, 0 or more",
        )
    what = "an event is 0 or 1" if question.time else "this outcome is 0 or 1"
    return _list_wrong(data, question.outcome, place, lambda value: np.isin(value, (0, 1)), what)


def _list_wrong(
    data: pd.DataFrame,
    column: str,
    place: str,
    allowed: Callable[[Vector], NDArray[np.bool_]],
    rule: str,
) -> list[str]:
    """One fault a cell that is neither empty nor allowed."""
    wrong = np.flatnonzero(~_is_missing(data[column]) & ~allowed(_read_numbers(data[column])))
    faults = [
        f"{place}data row {position + 1}, column {column}, value "
        f"'{str(data[column].iloc[position]).strip()}': {rule}."
        for position in wrong[:SHOWN]
    ]
    if wrong.size > SHOWN:
        more = wrong.size - SHOWN
        faults.append(f"{place}{more} more rows have the same fault in the column {column}.")
    return faults


def _read_numbers(column: pd.Series) -> Vector:
    texts = column.astype(str).str.strip()
    numbers = pd.to_numeric(texts.mask(texts.isin(MISSING)), errors="coerce")
    return numbers.to_numpy(dtype=float)


def _is_missing(column: pd.Series) -> NDArray[np.bool_]:
    return (column.isna() | column.astype(str).str.strip().isin(MISSING)).to_numpy()


def _is_mixed(column: pd.Series) -> bool:
    """Whether a column holds mostly numbers and some texts: a fault rather than levels."""
    known = ~_is_missing(column)
    numbers = int(np.isfinite(_read_numbers(column)[known]).sum())
    return bool(known.sum() / 2 < numbers < known.sum())


def describe_left_out(question: Question, rows: int, read: ModelRows) -> str:
    """What became of the rows of a table, as a sentence."""
    missing = sum(read.left_out.values())
    text = f"{question.outcome} by {question.metric}: {rows} rows, {rows - missing} used"
    if not missing:
        return f"{text}."
    reasons = ", ".join(f"{reason}: {count}" for reason, count in read.left_out.items())
    return f"{text}, {missing} left out ({reasons})."


def pair_times(outcomes: Sequence[str], times: Sequence[str]) -> list[str]:
    """Column of the time of each outcome: one for all, or one each.

    Raises
    ------
    ValueError
        If there are as many times neither as one nor as outcomes.
    """
    if len(times) <= 1:
        return [*(times or [""])] * len(outcomes)
    if len(times) != len(outcomes):
        raise ValueError(f"{len(outcomes)} outcomes have {len(times)} columns of times")
    return list(times)
