"""Time zones: the clock of the place where a record was made, and its distance from UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

ZERO = np.timedelta64(0, "ns")


@dataclass(frozen=True)
class LocalTimes:
    """Local times and where they stand on the clock of their zone.

    Parameters
    ----------
    time
        Time on the clock of the place.
    offset
        Distance of that clock from UTC; 0 where no zone is declared.
    ambiguous, skipped
        Whether the time stands twice on the clock of that day, or not at all.
    """

    time: pd.Series
    offset: pd.Series
    ambiguous: pd.Series
    skipped: pd.Series


@dataclass(frozen=True)
class SubjectZones:
    """Time zone of each subject, from the study and from the site.

    Parameters
    ----------
    study
        Zone of the study, "" where none is declared.
    subjects
        Zone by subject where the site has one of its own.
    """

    study: str
    subjects: Mapping[str, str]

    def of(self, usubjid: pd.Series) -> pd.Series | None:
        """Zone of each record's subject; None where no zone is declared at all."""
        if not self.study and not self.subjects:
            return None
        return usubjid.map(self.subjects).fillna(self.study).astype(object)


def read_offsets(text: pd.Series) -> pd.Series:
    """Offsets such as Z, +08:00 or -0500 as timedelta; NaT where blank or beyond 14 h."""
    parts = text.str.replace("Z", "+00:00").str.extract(r"^([+-])([0-9]{2}):?([0-9]{2})$")
    hours, minutes = pd.to_numeric(parts[1]), pd.to_numeric(parts[2])
    total = (60 * hours + minutes).where((hours <= 14) & (minutes < 60))
    signed = total.where(parts[0] != "-", -total)
    return pd.to_timedelta(signed, unit="m").astype("timedelta64[ns]")


def to_local(utc: pd.Series, zones: pd.Series) -> pd.Series:
    """Times in UTC on the clock of their zone; NaT where there is no zone."""
    result = pd.Series(np.datetime64("NaT", "ns"), index=utc.index)
    known = utc.notna() & (zones != "")
    for zone in sorted(zones[known].unique()):
        rows = known & (zones == zone)
        there = utc[rows].dt.tz_localize("UTC").dt.tz_convert(ZoneInfo(zone))
        result = result.mask(rows, there.dt.tz_localize(None))
    return result


def write_with_offset(utc: pd.Series, zones: pd.Series) -> pd.Series:
    """Times in UTC as ISO 8601 on the clock of their zone, with its offset; "" where unknown."""
    local = to_local(utc, zones)
    minutes = ((local - utc).dt.total_seconds() / 60).fillna(0).astype("int64")
    sign = pd.Series(np.where(minutes < 0, "-", "+"), index=utc.index, dtype=object)
    hours, rest = (part.astype(str).str.zfill(2) for part in divmod(minutes.abs(), 60))
    text: pd.Series = local.dt.strftime("%Y-%m-%dT%H:%M:%S") + sign + hours + ":" + rest
    return text.where(local.notna(), "").astype(object)


def place_local(time: pd.Series, utc: pd.Series, timed: pd.Series, zones: pd.Series) -> LocalTimes:
    """Distance of the clock from UTC at local times; times that its change makes unsure are marked.

    Of a time that stands twice on the clock the first is taken; one that the clock
    skipped counts as if the clock had not been set forward yet.

    Parameters
    ----------
    time
        Time on the clock of the place.
    utc
        The same time in UTC where the record says so, which is then never unsure.
    timed
        Records with a time of day.
    """
    offset = (time - utc).where(utc.notna(), ZERO).astype("timedelta64[ns]")
    ambiguous = pd.Series(False, index=time.index)
    skipped = ambiguous
    unsure = time.notna() & utc.isna() & (zones != "")
    for zone in sorted(zones[unsure].unique()):
        rows = unsure & (zones == zone)
        first, second = (_subtract_utc(time[rows], zone, fold) for fold in (0, 1))
        # Where the clock is set back, the first of two equal times lies further from UTC to the
        # east; where it is set forward, the fold of Python gives the two the other way round.
        offset = offset.mask(rows, first)
        ambiguous = ambiguous | (first > second).reindex(time.index, fill_value=False)
        skipped = skipped | (first < second).reindex(time.index, fill_value=False)
    return LocalTimes(time, offset, ambiguous & timed, skipped & timed)


def _subtract_utc(time: pd.Series, zone: str, fold: int) -> pd.Series:
    """Distance of local times from UTC by the rules of the zone (PEP 495 for `fold`)."""
    clock = ZoneInfo(zone)
    distinct = time.unique()
    offsets = {
        moment: pd.Timestamp(moment).to_pydatetime().replace(tzinfo=clock, fold=fold).utcoffset()
        for moment in distinct
    }
    return time.map(offsets).astype("timedelta64[ns]")
