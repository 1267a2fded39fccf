"""Numbers and dates from text, column by column; what cannot be read is marked, not guessed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from celldossier.study_data.time_zones import LocalTimes, place_local, read_offsets, to_local

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A decimal number with a point; no thousands separator, no decimal comma."""

_DATE = (
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?)"
    r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
SECONDS_PER_DAY = 86400.0


def parse_numbers(text: pd.Series) -> pd.Series:
    """Numbers of a text column; NaN where the text is blank or no finite number."""
    # Each different text is read once: a column of millions of cells holds few of them.
    codes, uniques = pd.factorize(text.to_numpy(dtype=object))
    different = pd.Series(uniques, dtype=object)
    plain = different.where(different.str.fullmatch(NUMBER).astype(bool), "")
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(dtype="float64")
    finite = np.where(np.isfinite(numbers), numbers, np.nan)
    return pd.Series(finite[codes] if finite.size else np.nan, index=text.index, dtype="float64")


@dataclass(frozen=True)
class Dates:
    """A column of ISO 8601 dates.

    Parameters
    ----------
    time
        Date and time on the clock of the place; the start of the day where there is
        no time of day; NaT where the date is blank, partial or cannot be read.
    has_time
        Whether a time of day is given; the hour alone is one, and stands for its start.
    partial
        Whether only the year, or year and month, are given.
    bad
        Whether the text is neither blank nor a date.
    text
        The text with T between date and time, on the clock of the place; "" where it
        cannot be read.
    first_day, last_day
        First and last day that the date can mean (for a partial date, of its month or
        year); else the day.
    offset
        Distance of the clock of the place from UTC; 0 where no time zone is declared.
    unplaced
        Whether the text has an offset from UTC and no time zone is declared; then it
        is bad.
    ambiguous, skipped
        Whether the time of day stands twice on the clock of that day, or not at all,
        because the clock was set back or forward.
    imputed
        CDISC imputation flag: D (day) or M (month and day) was completed; else "".
    """

    time: pd.Series
    has_time: pd.Series
    partial: pd.Series
    bad: pd.Series
    text: pd.Series
    first_day: pd.Series
    last_day: pd.Series
    offset: pd.Series
    unplaced: pd.Series
    ambiguous: pd.Series
    skipped: pd.Series
    imputed: pd.Series

    @property
    def known(self) -> pd.Series:
        """Whether the day is known."""
        return self.time.notna()

    def take(self, rows: pd.Series) -> Dates:
        """The dates of some records, counted anew from 0."""
        return Dates(
            **{
                part.name: getattr(self, part.name)[rows].reset_index(drop=True)
                for part in fields(self)
            }
        )

    def without(self, rows: pd.Series, bad: bool = False) -> Dates:
        """The dates with those of some records blanked, or marked as no dates."""
        if not rows.any():
            return self
        nat = np.datetime64("NaT", "ns")
        return replace(
            self,
            **{name: getattr(self, name).mask(rows, nat) for name in ("time", *DAYS)},
            **{name: getattr(self, name) & ~rows for name in ("has_time", "partial", *CLOCK)},
            text=self.text.mask(rows, ""),
            imputed=self.imputed.mask(rows, ""),
            bad=(self.bad & ~rows) | (rows & bad),
        )


DAYS = ("first_day", "last_day")
CLOCK = ("ambiguous", "skipped")


def parse_dates(text: pd.Series, zones: pd.Series | None = None) -> Dates:
    """Read a column of ISO 8601 dates, with or without time of day, in full or partial.

    Parameters
    ----------
    zones
        IANA time zone of each record, "" where none is declared. A time with an offset
        from UTC is brought to the clock of that zone.
    """
    # All tests of a sample share its date: each is read once.
    key = text if zones is None else text + "|" + zones
    codes, _ = pd.factorize(key)
    first = pd.Series(codes).drop_duplicates().index
    part = _parse_distinct(
        text.iloc[first].reset_index(drop=True),
        None if zones is None else zones.iloc[first].reset_index(drop=True),
    )
    # Parts that hold nothing share one column: it is laid out once.
    columns = {id(column): column for column in vars(part).values()}
    laid_out = {
        key: pd.Series(column.array.take(codes), index=text.index)
        for key, column in columns.items()
    }
    return Dates(**{name: laid_out[id(column)] for name, column in vars(part).items()})


def _parse_distinct(text: pd.Series, zones: pd.Series | None) -> Dates:
    none = pd.Series(False, index=text.index)
    nat = pd.Series(np.datetime64("NaT"), index=text.index, dtype="datetime64[ns]")
    zero = pd.Series(np.timedelta64(0, "ns"), index=text.index)
    blank = pd.Series("", index=text.index, dtype=object)
    if not (text != "").any():
        return Dates(nat, none, none, none, text, nat, nat, zero, none, none, none, blank)
    parts = text.str.extract(f"^{_DATE}$").fillna("")
    full = parts["day"] != ""
    has_time = parts["time"] != ""
    day = parts["year"] + "-" + parts["month"] + "-" + parts["day"]
    iso = day.where(~has_time, day + "T" + parts["time"]).where(full, "")
    time = pd.to_datetime(iso, format="ISO8601", errors="coerce").astype("datetime64[ns]")
    zone = blank if zones is None else zones
    shifted = (parts["offset"] != "") & time.notna()
    unplaced = shifted & (zone == "")
    local = LocalTimes(time, zero, none, none)
    if shifted.any() or (zone != "").any():
        utc = time - read_offsets(parts["offset"].where(shifted, ""))
        time = time.where(~shifted, to_local(utc, zone))
        iso = iso.mask(shifted, _write_local(time))
        local = place_local(time, utc, has_time, zone)
    partial = (parts["year"] != "") & ~full
    first_day = last_day = time.dt.floor("D")
    if partial.any():
        end = _last_days(parts["year"], parts["month"])
        partial = partial & end.notna()
        first_day = first_day.where(~partial, _first_days(parts["year"], parts["month"]))
        last_day = last_day.where(~partial, end)
    bad = (text != "") & time.isna() & ~partial
    normal = iso.where(time.notna(), text.where(partial, ""))
    return Dates(
        time=time,
        has_time=has_time & time.notna(),
        partial=partial,
        bad=bad,
        text=normal,
        first_day=first_day,
        last_day=last_day,
        offset=local.offset,
        unplaced=unplaced,
        ambiguous=local.ambiguous,
        skipped=local.skipped,
        imputed=blank,
    )


def _write_local(time: pd.Series) -> pd.Series:
    """A time as ISO 8601 text, without seconds that are 0."""
    text: pd.Series = time.dt.strftime("%Y-%m-%dT%H:%M:%S")
    return text.str.removesuffix(":00").where(time.notna(), "")


def _first_days(year: pd.Series, month: pd.Series) -> pd.Series:
    """First day of the month, or of the year where the month is blank."""
    text = year + "-" + month.where(month != "", "01")
    return pd.to_datetime(text, format="%Y-%m", errors="coerce").astype("datetime64[ns]")


def _last_days(year: pd.Series, month: pd.Series) -> pd.Series:
    """Last day of the month, or of the year where the month is blank."""
    text = year + "-" + month.where(month != "", "12")
    first = pd.to_datetime(text, format="%Y-%m", errors="coerce")
    return (first + pd.offsets.MonthEnd(0)).astype("datetime64[ns]")


def days_since(dates: Dates, zero: pd.Series, zero_offset: pd.Series | None = None) -> pd.Series:
    """Days from time zero; NaN where either is not known.

    A date without time of day is counted in whole days from the day of time zero,
    since its own hour is not known: the day of the infusion is 0.

    Parameters
    ----------
    dates
        Dates of the records.
    zero
        Time zero of each record's subject on the clock of the place, datetime64,
        aligned with the records.
    zero_offset
        Distance of that clock from UTC at time zero; with it, the days that passed are
        right also where the clock was set forward or back in between.
    """
    clock = dates.time - zero
    passed = clock if zero_offset is None else clock - (dates.offset - zero_offset)
    exact = passed.dt.total_seconds() / SECONDS_PER_DAY
    whole = (dates.time.dt.floor("D") - zero.dt.floor("D")).dt.total_seconds() / SECONDS_PER_DAY
    return exact.where(dates.has_time, whole)


def is_before(dates: Dates, other: pd.Series, other_has_time: pd.Series) -> pd.Series:
    """Whether a date lies before another; by day where either has no time of day."""
    both = dates.has_time & other_has_time
    exact = dates.time < other
    whole = dates.time.dt.floor("D") < other.dt.floor("D")
    return exact.where(both, whole)


def calendar_days(dates: Dates, zero: pd.Series) -> pd.Series:
    """Whole days from the day of the first infusion, which is day 0; NaN where not known."""
    days: pd.Series = (dates.time.dt.floor("D") - zero.dt.floor("D")).dt.days.astype("float64")
    return days
