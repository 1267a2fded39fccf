"""Numbers and dates from text, column by column; what cannot be read is marked, not guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A decimal number with a point; no thousands separator, no decimal comma."""

_DATE = (
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?))?)?)?"
)
SECONDS_PER_DAY = 86400.0


def parse_numbers(text: pd.Series) -> pd.Series:
    """Numbers of a text column; NaN where the text is blank or no finite number."""
    plain = text.where(text.str.fullmatch(NUMBER), "")
    numbers = pd.to_numeric(plain, errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))


@dataclass(frozen=True)
class Dates:
    """A column of ISO 8601 dates.

    Parameters
    ----------
    time
        Date and time; the start of the day where there is no time of day; NaT where
        the date is blank, partial or cannot be read.
    has_time
        Whether a time of day is given.
    partial
        Whether only the year, or year and month, are given.
    bad
        Whether the text is neither blank nor a date.
    text
        The text with T between date and time; "" where it cannot be read.
    last_day
        Last day that the date can mean (for partial dates, its end); else the day.
    """

    time: pd.Series
    has_time: pd.Series
    partial: pd.Series
    bad: pd.Series
    text: pd.Series
    last_day: pd.Series

    @property
    def known(self) -> pd.Series:
        """Whether the day is known."""
        return self.time.notna()


def parse_dates(text: pd.Series) -> Dates:
    """Read a column of local ISO 8601 dates, with or without time of day, in full or partial."""
    if not (text != "").any():
        none = pd.Series(False, index=text.index)
        nat = pd.Series(np.datetime64("NaT"), index=text.index, dtype="datetime64[ns]")
        return Dates(nat, none, none, none, text, nat)
    parts = text.str.extract(f"^{_DATE}$").fillna("")
    full = parts["day"] != ""
    has_time = parts["time"] != ""
    day = parts["year"] + "-" + parts["month"] + "-" + parts["day"]
    iso = day.where(~has_time, day + "T" + parts["time"]).where(full, "")
    time = pd.to_datetime(iso, format="ISO8601", errors="coerce").astype("datetime64[ns]")
    partial = (parts["year"] != "") & ~full
    last_day = time.dt.floor("D")
    if partial.any():
        end = _last_days(parts["year"], parts["month"])
        partial = partial & end.notna()
        last_day = last_day.where(~partial, end)
    bad = (text != "") & time.isna() & ~partial
    normal = iso.where(time.notna(), text.where(partial, ""))
    return Dates(time, has_time & time.notna(), partial, bad, normal, last_day)


def _last_days(year: pd.Series, month: pd.Series) -> pd.Series:
    """Last day of the month, or of the year where the month is blank."""
    text = year + "-" + month.where(month != "", "12")
    first = pd.to_datetime(text, format="%Y-%m", errors="coerce")
    return (first + pd.offsets.MonthEnd(0)).astype("datetime64[ns]")


def days_since(dates: Dates, zero: pd.Series) -> pd.Series:
    """Days from time zero; NaN where either is not known.

    A date without time of day is counted in whole days from the day of time zero,
    since its own hour is not known: the day of the infusion is 0.

    Parameters
    ----------
    dates
        Dates of the records.
    zero
        Time zero of each record's subject, datetime64, aligned with the records.
    """
    exact = (dates.time - zero).dt.total_seconds() / SECONDS_PER_DAY
    whole = (dates.time.dt.floor("D") - zero.dt.floor("D")).dt.total_seconds() / SECONDS_PER_DAY
    return exact.where(dates.has_time, whole)


def is_before(dates: Dates, other: pd.Series, other_has_time: pd.Series) -> pd.Series:
    """Whether a date lies before another; by day where either has no time of day."""
    both = dates.has_time & other_has_time
    exact = dates.time < other
    whole = dates.time.dt.floor("D") < other.dt.floor("D")
    return exact.where(both, whole)
