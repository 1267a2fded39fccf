"""How many doses a record of several days holds, and on which days.

A record of EX or CM is one interval of a constant dose (SDTMIG, domain EX): the dose is that of one
administration, and its frequency says how many the interval holds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.study_data.parsing import parse_dates

SHORT_HOURS = 24


def count_administrations(records: pd.DataFrame) -> pd.DataFrame:
    """Number of doses and days of each record.

    A record of one day, or without an end, is one dose, or as many as its frequency says;
    one of several days needs the frequency. An infusion over midnight, known by its times of
    day, is of one day.

    Parameters
    ----------
    records
        ``start`` and ``end`` (ISO 8601), ``frequency`` (CDISC), and ``imputed``, whether
        either date was completed.

    Returns
    -------
    DataFrame
        ``count`` (NaN where not known), ``length`` (days, 1 where not known) and ``reason``
        (reason code; "" where the count is known).
    """
    terms = read_resource("terms", "medication_classes.yaml")
    start, end = (parse_dates(records[name].astype(str)) for name in ("start", "end"))
    length = (end.time.dt.floor("D") - start.time.dt.floor("D")).dt.days + 1.0
    timed = start.has_time & end.has_time
    hours = (end.time - start.time).dt.total_seconds() / 3600
    length = length.mask(timed & (hours < SHORT_HOURS), 1.0).mask(end.text == "", 1.0)
    frequency = records["frequency"].astype(str).str.upper().str.strip()
    a_day = frequency.map(terms["doses_per_day"]).astype("float64")
    # Every other day begins on the first.
    count = np.ceil(a_day * length)
    count = count.mask(((frequency == "") & (length == 1)) | (frequency == "ONCE"), 1.0)
    unknown = records["imputed"] | ~(length >= 1)
    reason = np.select([unknown, count.isna()], ["NODATE", "NOFREQ"], default="")
    return pd.DataFrame(
        {
            "count": count.mask(unknown),
            "length": length.where(~unknown, 1.0),
            "reason": pd.Series(reason, index=records.index, dtype=object),
        }
    )


def list_days(records: pd.DataFrame) -> pd.DataFrame:
    """One row a record and day: the records repeated, with ``date`` counted on."""
    rows = records.loc[records.index.repeat(records["length"].astype(int))]
    step = rows.groupby(level=0).cumcount()
    return rows.assign(date=rows["date"] + pd.to_timedelta(step, "D"))
