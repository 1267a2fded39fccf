"""Concentration samples as the NCA takes them: typed, and free of faults.

The input is either text (as read from a CSV file) or already typed. All faults
are collected before one error is raised, so that they can be mended in one go.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.doses import SUBJECT_KEYS, check_doses
from celldossier.errors import InputDataError

REQUIRED = ("USUBJID", "ANALYTE", "TIME", "CONC", "BLQ", "LLOQ")
"""Columns that every input has."""

NUMERIC = (
    *("TIME", "CONC", "BLQ", "LLOQ", "ULOQ", "ALQ"),
    *("NTIME", "DOSE", "DOSENO", "DOSETIME", "NDOSETIME", "TAU", "CYCLE"),
)
"""Columns that hold numbers; those not in `REQUIRED` may be absent, as may CENSTIME."""

_BLQ_TEXT = re.compile(
    r"^(?:BLQ|BQL|<\s*LLOQ|<\s*(?P<limit>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))$", re.I
)
_UNMAPPED_TEXT = re.compile(r"^(?:ND|N\.D\.|NR|NS)$", re.I)
_SHOWN = 20


def check_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """Type and check concentration samples.

    Parameters
    ----------
    frame
        USUBJID, ANALYTE, TIME, CONC (blank where BLQ = 1, or where the result is
        missing), BLQ (0/1), LLOQ (may be blank); optional ULOQ, ALQ (1: above the ULOQ,
        as of ">1000"), NTIME, DOSE, DOSENO, DOSETIME, NDOSETIME, TAU, CYCLE, CENSTIME, CONCU.
        Other columns are ignored. The reported texts BLQ, BQL, <LLOQ and <50 are
        understood in CONC (R8).

    Returns
    -------
    DataFrame
        The same rows in the same order, one float64 column a number and the
        optional columns filled (NaN, or 1 for DOSENO). ROW is the number of the data
        row: the index where it is named ``row``, else counted from 1.

    Raises
    ------
    InputDataError
        With one sentence a fault: missing columns; blank keys; text in a numeric
        column; BLQ other than 0 and 1; a result with BLQ = 1; a negative or
        infinite value; a result without a time; more than one unit or censoring time of
        a subject and analyte; what `check_doses` finds in the columns of the doses.
    """
    missing = [column for column in REQUIRED if column not in frame.columns]
    if missing:
        raise InputDataError(
            [f"The column {column} is missing from the concentrations." for column in missing]
        )
    if frame.empty:
        raise InputDataError("The concentrations have no rows.")
    faults: list[str] = []
    counted = np.arange(1, len(frame) + 1)
    keys = {
        "ROW": frame.index.to_numpy() if frame.index.name == "row" else counted,
        **{column: _text(frame, column) for column in ("USUBJID", "ANALYTE", "CONCU")},
    }
    samples = pd.DataFrame(keys)
    for column in ("USUBJID", "ANALYTE"):
        faults += _list_rows(samples, samples[column] == "", column, f"the {column} is blank")
    reported = _reported_results(frame)
    numbers = {}
    readable = np.ones(len(frame), dtype=bool)
    for column in (*NUMERIC, "CENSTIME"):
        values = reported["number"] if column == "CONC" else frame.get(column)
        numbers[column], unreadable, column_faults = _numbers(values, column, samples)
        readable &= ~unreadable
        faults += column_faults
    numbers["LLOQ"] = numbers["LLOQ"].fillna(reported["limit"])
    samples = pd.DataFrame({**keys, **numbers})
    # A row that cannot be read is not judged by its values as well.
    faults += _check_values(samples, reported, readable)
    faults = faults or _check_profiles(samples)
    if faults:
        raise InputDataError(faults)
    samples["DOSENO"] = samples["DOSENO"].fillna(1.0)
    return samples


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame.columns:
        return pd.Series("", index=range(len(frame)), dtype=object)
    return _strip(frame[column].reset_index(drop=True))


def _strip(values: pd.Series) -> pd.Series:
    """Cells as texts without white space around them, missing ones as "".

    Equal texts are looked at once.
    """
    cells = values.to_numpy(dtype=object)
    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        return values.astype(object).where(values.notna(), "").map(str).str.strip().astype(object)
    codes, names = pd.factorize(cells)
    stripped = np.array([*(name.strip() for name in names), ""], dtype=object)
    return pd.Series(stripped[codes], index=values.index, dtype=object)


def _reported_results(frame: pd.DataFrame) -> pd.DataFrame:
    """Results as reported: `number` as text or number, `blq`, and the `limit` of "<50"."""
    values = frame["CONC"].reset_index(drop=True)
    result = pd.DataFrame({"number": values, "blq": False, "limit": np.nan})
    if pd.api.types.is_numeric_dtype(values):
        return result
    text = _text(frame, "CONC")
    matches = text[text.str.contains("[A-Za-z<]", regex=True)].map(_BLQ_TEXT.match).dropna()
    found = matches[matches.map(bool)]
    result["number"] = text
    if len(found):
        result.loc[found.index, "number"] = ""
        result.loc[found.index, "blq"] = True
        limits = pd.to_numeric(found.map(lambda match: match.group("limit")), errors="coerce")
        result.loc[found.index, "limit"] = limits.astype("float64")
    return result


def _numbers(
    values: pd.Series | None, column: str, samples: pd.DataFrame
) -> tuple[pd.Series, npt.NDArray[np.bool_], list[str]]:
    """A column as float64, blank as NaN, the cells that are no number, and a fault for each."""
    if values is None:
        none = np.zeros(len(samples), dtype=bool)
        return pd.Series(np.nan, index=samples.index, dtype="float64"), none, []
    values = values.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64")
        infinite = np.isinf(numbers.to_numpy())
        return numbers, infinite, _list_rows(samples, infinite, column, f"{column} is infinite")
    text = _strip(values)
    codes, names = pd.factorize(text)
    known = pd.to_numeric(pd.Series(names).where(names != ""), errors="coerce")
    numbers = pd.Series(known.to_numpy(dtype="float64")[codes], index=values.index)
    unreadable = ((text != "") & ~np.isfinite(numbers)).to_numpy()
    faults = []
    for position in np.flatnonzero(unreadable)[:_SHOWN]:
        value = text.iloc[position]
        hint = (
            " Say in the data whether it means not detected (BLQ = 1) or not done (blank)."
            if column == "CONC" and _UNMAPPED_TEXT.match(value)
            else ""
        )
        faults.append(
            f"{_place(samples, position)}: {column} holds the text {value!r}, not a number.{hint}"
        )
    return numbers, unreadable, faults + _more(int(unreadable.sum()), column)


def _check_values(
    samples: pd.DataFrame, reported: pd.DataFrame, readable: npt.NDArray[np.bool_]
) -> list[str]:
    """Faults of the values in the rows that are `readable`."""
    blq, conc, time = samples["BLQ"], samples["CONC"], samples["TIME"]
    rules = [
        (~blq.isin([0.0, 1.0]), "BLQ", "BLQ is neither 0 nor 1"),
        ((blq == 1) & conc.notna(), "CONC", "CONC is given where BLQ = 1; it must be blank there"),
        ((blq == 0) & reported["blq"], "CONC", "CONC is reported as BLQ where BLQ = 0"),
        (conc < 0, "CONC", "CONC is negative"),
        (samples["LLOQ"] <= 0, "LLOQ", "LLOQ is not above 0"),
        (samples["ULOQ"] <= samples["LLOQ"], "ULOQ", "ULOQ is not above LLOQ"),
        (
            reported["limit"].notna() & (samples["LLOQ"] != reported["limit"]),
            "LLOQ",
            "LLOQ differs from the limit that CONC reports",
        ),
        (time.isna() & (conc.notna() | (blq == 1)), "TIME", "TIME is blank for a result"),
    ]
    return [
        fault
        for mask, column, text in rules
        for fault in _list_rows(samples, mask & readable, column, text)
    ]


def _check_profiles(samples: pd.DataFrame) -> list[str]:
    """What has to be one within a course, and the columns of repeat doses (R23)."""
    faults = check_doses(samples)
    for column, meaning in (
        ("CENSTIME", "censoring times"),
        ("CONCU", "concentration units (R25)"),
    ):
        given = samples[samples[column].notna() & (samples[column] != "")]
        if given.empty:
            continue
        counts = given.groupby(SUBJECT_KEYS, sort=True)[column].nunique()
        for subject, analyte in counts.index[counts > 1]:
            faults.append(f"{subject}, {analyte}: the profile has several {meaning}.")
    return faults


def _place(samples: pd.DataFrame, position: int) -> str:
    row = samples.iloc[position]
    return f"Data row {row['ROW']} ({row['USUBJID']}, {row['ANALYTE']})"


def _list_rows(
    samples: pd.DataFrame, mask: pd.Series | np.ndarray, column: str, text: str
) -> list[str]:
    """One fault a row where `mask` holds, and the number of those not shown."""
    positions = np.flatnonzero(np.asarray(mask))
    faults = []
    for position in positions[:_SHOWN]:
        given = samples[column].iloc[position] if column in samples else ""
        value = f" (value {given!s})" if given != "" and given == given else ""
        faults.append(f"{_place(samples, position)}: {text}{value}.")
    return faults + _more(len(positions), column)


def _more(count: int, column: str) -> list[str]:
    hidden = count - _SHOWN
    return [f"{hidden} more rows have the same fault in {column}."] if hidden > 0 else []
