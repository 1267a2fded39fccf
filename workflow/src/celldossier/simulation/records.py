"""From numbers to the text that a laboratory or a clinic would hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from celldossier.simulation.layouts import RAW_COLUMNS
from celldossier.simulation.schedule import MINUTES_PER_DAY, VISITS

Moments = NDArray[np.datetime64]

RAW_DIGITS = 6  # significant digits of a raw value: equal on every CPU family


def round_significant(values: ArrayLike, digits: int = RAW_DIGITS) -> NDArray[np.float64]:
    """Round to significant digits; NaN stays NaN and 0 stays 0."""
    numbers = np.asarray(values, dtype=float)
    return np.array([float(f"{number:.{digits}g}") for number in numbers.ravel()]).reshape(
        numbers.shape
    )


def format_numbers(values: ArrayLike, digits: int = RAW_DIGITS) -> list[str]:
    """Write numbers with significant digits, never with an exponent; NaN becomes ""."""
    texts = []
    for number in np.asarray(values, dtype=float).ravel().tolist():
        if number != number:
            texts.append("")
            continue
        text = f"{number:.{digits}g}"
        texts.append(np.format_float_positional(float(text), trim="-") if "e" in text else text)
    return texts


def format_fixed(values: ArrayLike, decimals: int) -> list[str]:
    """Write numbers with a fixed number of decimals; NaN becomes ""."""
    return [
        "" if number != number else f"{number:.{decimals}f}"
        for number in np.asarray(values, dtype=float).ravel().tolist()
    ]


def to_minutes(day: date) -> np.datetime64:
    """Turn a calendar date into a datetime64 of minute resolution (midnight)."""
    return np.datetime64(day.isoformat(), "m")


def shift_days(start: Moments, days: ArrayLike) -> Moments:
    """Add days to datetimes, to the minute; a NaN gives NaT."""
    offsets = np.asarray(days, dtype=float)
    missing = ~np.isfinite(offsets)
    minutes = np.rint(np.where(missing, 0.0, offsets) * MINUTES_PER_DAY).astype("timedelta64[m]")
    shifted: Moments = start + minutes
    shifted[missing] = np.datetime64("NaT")
    return shifted


def move_to_midnight(start: Moments, days: ArrayLike) -> NDArray[np.float64]:
    """Move moments to the beginning of their date; days since ``start``, NaN stays NaN."""
    dates = shift_days(start, days).astype("datetime64[D]").astype("datetime64[m]")
    return days_since(start, dates)


def days_since(start: Moments, moments: Moments) -> NDArray[np.float64]:
    """Days from ``start`` to ``moments``; NaT gives NaN."""
    minutes = (moments - start).astype("timedelta64[m]")
    days = minutes.astype(np.int64) / MINUTES_PER_DAY
    return np.where(np.isnat(minutes), np.nan, days)


def format_datetimes(moments: Moments) -> list[str]:
    """Write ISO 8601 datetimes to the minute, without zone; NaT becomes ""."""
    return ["" if text == "NaT" else text for text in np.datetime_as_string(moments, unit="m")]


def format_dates(moments: Moments) -> list[str]:
    """Write ISO 8601 calendar dates; NaT becomes ""."""
    days = moments.astype("datetime64[D]")
    return ["" if text == "NaT" else text for text in np.datetime_as_string(days, unit="D")]


def name_visits(days: ArrayLike) -> tuple[list[str], list[str]]:
    """VISITNUM and VISIT of nominal days."""
    visits = [VISITS[day] for day in np.asarray(days, dtype=float).ravel().tolist()]
    return [str(number) for number, _ in visits], [name for _, name in visits]


def finish_domain(
    frame: pd.DataFrame,
    study: str,
    name: str,
    order: Sequence[str],
    layouts: Mapping[str, list[str]] = RAW_COLUMNS,
) -> pd.DataFrame:
    """Sort, number and lay out a raw domain; every column is text.

    Parameters
    ----------
    name
        Name of the raw file, a key of ``layouts``. The records of a subject are
        numbered where the layout has a sequence variable (PCSEQ, LBSEQ, ...).
    order
        Columns to sort by, within the subject.
    layouts
        Columns of each raw file of the kind of study.
    """
    domain, columns = name.upper(), layouts[name]
    ordered = frame.sort_values(["USUBJID", *order], kind="stable", ignore_index=True)
    ordered = ordered.assign(STUDYID=study, DOMAIN=domain)
    sequence = f"{domain}SEQ"
    if sequence in columns:
        number = ordered.groupby("USUBJID", sort=False).cumcount() + 1
        ordered = ordered.assign(**{sequence: number.astype(str)})
    laid_out = ordered.loc[:, columns]
    if laid_out.isna().to_numpy().any():
        raise AssertionError(f"{name}: a raw file may hold no null; a missing text is empty.")
    return laid_out
