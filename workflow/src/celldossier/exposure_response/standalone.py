"""Exposure-response of one table, without a study around it (``celldossier er``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from celldossier.errors import InputDataError
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.logistic import (
    Coefficient,
    Method,
    choose_method,
    estimate_logistic,
)
from celldossier.stats.ordinal import estimate_proportional_odds

Model = Literal["logistic", "firth", "ordinal"]
COLUMNS = (
    *("TERM", "ESTIMATE", "SE", "CI_LOW", "CI_HIGH", "P"),
    *("N", "EVENTS", "METHOD", "REASND"),
)
"""Columns of the output, one row a term."""
MISSING = ("", ".", "NA")


def estimate_table(
    data: pd.DataFrame,
    outcome: str,
    metric: str,
    covariates: Sequence[str] = (),
    model: Model | None = None,
    log2: bool = False,
    settings: ExposureResponseSettings | None = None,
) -> pd.DataFrame:
    """Fit one exposure-response model to a table.

    Parameters
    ----------
    data
        One row a subject; text cells as read from a file.
    outcome
        Column with 0 and 1, or with ordered grades.
    metric
        Column with the exposure; with `log2` it must be positive to be used.
    covariates
        Columns; one that is not numbers enters by its levels against the first.
    model
        The model; None chooses by the rules of the stage: more than two grades give
        proportional odds; too few events no model; else Firth or maximum
        likelihood by the event count, Firth where the data are separated.
    log2
        Whether the metric enters as its logarithm to base 2.
    settings
        Thresholds of the rules.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; estimates are log odds. Rows that are not complete are left out: N
        counts those used.

    Raises
    ------
    InputDataError
        If a column is missing or holds what it may not; all faults are listed.
    """
    settings = settings or ExposureResponseSettings()
    y, x = _read(data, outcome, metric, covariates, log2)
    design, names = x.to_numpy(dtype=float), [str(name) for name in x.columns]
    values = np.unique(y)
    if model == "ordinal" or (model is None and values.size > 2):
        fit = estimate_proportional_odds(y, design, names, settings.confidence_level)
        events = int((y > y.min()).sum()) if y.size else 0
        terms = fit.coefficients or tuple(Coefficient(name, math.nan) for name in names)
        return _frame(terms, y.size, events, "PO", fit.reason)
    if not set(values) <= {0.0, 1.0}:
        raise InputDataError(
            f"The outcome {outcome} holds other values than 0 and 1, which the model {model} needs."
        )
    n, events = y.size, int(y.sum())
    method: Method = "FIRTH"
    if model is None:
        method = choose_method(events, n, len(names), settings.firth_below)
        rarer = min(events, n - events)
        if 0 < rarer < settings.min_events:
            empty = [Coefficient(name, math.nan) for name in names]
            return _frame(empty, n, events, "", "FEWEVENT")
    elif model == "logistic":
        method = "ML"
    found = estimate_logistic(
        y,
        design,
        names,
        method,
        level=settings.confidence_level,
        keep_firth_when_separated=model is None,
        intercept_interval=True,
    )
    terms = found.coefficients or tuple(Coefficient(name, math.nan) for name in names)
    return _frame(terms, n, events, found.method, found.reason)


def _read(
    data: pd.DataFrame, outcome: str, metric: str, covariates: Sequence[str], log2: bool
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], pd.DataFrame]:
    wanted = (outcome, metric, *covariates)
    faults = [
        f"The table has no column {name}; it has {', '.join(map(str, data.columns))}."
        for name in wanted
        if name not in data.columns
    ]
    faults += [
        f"The column {name} is named twice." for name in set(wanted) if wanted.count(name) > 1
    ]
    if faults:
        raise InputDataError(sorted(faults))
    texts = {name: data[name].astype(str).str.strip() for name in wanted}
    numbers = {
        name: pd.to_numeric(text.mask(text.isin(MISSING)), errors="coerce")
        for name, text in texts.items()
    }
    for name in (outcome, metric):
        wrong = ~texts[name].isin(MISSING) & numbers[name].isna()
        faults += [
            f"Row {position + 1}, column {name}: '{texts[name].iloc[position]}' is not a number."
            for position in np.flatnonzero(wrong.to_numpy())
        ]
    if faults:
        raise InputDataError(faults)
    exposure = numbers[metric]
    columns = {metric: np.log2(exposure.where(exposure > 0)) if log2 else exposure}
    complete = numbers[outcome].notna() & columns[metric].notna()
    for name in covariates:
        text, number = texts[name], numbers[name]
        if (text.isin(MISSING) | number.notna()).all():
            columns[name] = number
            complete &= number.notna()
            continue
        known = ~text.isin(MISSING)
        complete &= known
        for level in sorted(set(text[known]))[1:]:
            columns[f"{name}={level}"] = (text == level).astype(float)
    design = pd.DataFrame(columns).loc[complete]
    return numbers[outcome][complete].to_numpy(dtype=float), design


def _frame(
    terms: Sequence[Coefficient], n: int, events: int, method: str, reason: str
) -> pd.DataFrame:
    rows = []
    for term in terms:
        code = reason or term.reason
        if not code and math.isnan(term.low):
            code = "THRESHOLD"
        rows.append(
            {
                "TERM": term.name,
                "ESTIMATE": term.estimate,
                "SE": term.se,
                "CI_LOW": term.low,
                "CI_HIGH": term.high,
                "P": term.p,
                "N": n,
                "EVENTS": events,
                "METHOD": method,
                "REASND": code,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
