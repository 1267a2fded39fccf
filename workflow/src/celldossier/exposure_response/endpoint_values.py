"""ADEREND: the value of each endpoint in each infused subject, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.datasets import conform
from celldossier.errors import ConfigError
from celldossier.exposure_response.marker_values import derive_marker
from celldossier.exposure_response.study import KEY, Sources
from celldossier.settings.endpoints import EndpointRule

REASON_OF_GRADE = {"CRSGR": "CRSRSN", "ICANSGR": "ICANSRSN"}
"""Variable of ADER with the reason where a grade is missing."""
NOT_COLLECTED, UNKNOWN_RESPONSE = "NOTCOLL", "UNKRESP"


def derive_endpoints(
    sources: Sources, ader: pd.DataFrame, endpoints: Sequence[EndpointRule]
) -> pd.DataFrame:
    """Derive ADEREND for the subjects of ADER.

    A value is missing, with its reason, where the study did not collect what the endpoint
    is made of, where the response is unknown, where an event without a grade may be the
    endpoint, and where a subject without the event was not observed long enough.

    Returns
    -------
    pandas.DataFrame
        Dataset ADEREND.

    Raises
    ------
    ConfigError
        If an endpoint names a variable of ADER that is not there, or is text.
    """
    faults = [
        f"The endpoint {item.code} of exposure_response needs {item.variable}, which is not a "
        "numeric variable of ADER."
        for item in endpoints
        if item.variable
        and not (item.variable in ader and pd.api.types.is_numeric_dtype(ader[item.variable]))
    ]
    if faults:
        raise ConfigError(faults)
    parts = []
    for endpoint in endpoints:
        values = _DERIVE[endpoint.source](sources, ader, endpoint)
        head = ader[KEY].assign(PARAMCD=endpoint.code, PARAM=endpoint.en, KIND=endpoint.kind)
        parts.append(pd.concat([head, pd.DataFrame(values, index=ader.index)], axis=1))
    return conform(pd.concat(parts, ignore_index=True) if parts else ader[KEY].iloc[:0], "ADEREND")


def derive_event(values: pd.DataFrame, unknown: str) -> pd.Series:
    """Event of each subject: 1, 0, or NaN where it is not known.

    Parameters
    ----------
    values
        Rows of ADEREND of one binary endpoint.
    unknown
        ``NONRESPONDER``: an unknown response counts as none; ``EXCLUDED``: it stays missing.
    """
    if unknown == "NONRESPONDER":
        return values["AVAL"].mask(values["REASND"] == UNKNOWN_RESPONSE, 0.0)
    return values["AVAL"]


Values = dict[str, object]


def _at(ader: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows, one a subject at most, in the rows of ADER."""
    key = pd.MultiIndex.from_frame(ader[KEY])
    return rows.set_index(KEY).reindex(key).set_axis(ader.index)


def _from_variable(sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule) -> Values:
    value = ader[endpoint.variable]
    known = value.notna()
    if endpoint.variable in REASON_OF_GRADE:
        reason = ader[REASON_OF_GRADE[endpoint.variable]]
    elif endpoint.variable == "OBJRESP":
        reason = pd.Series(
            np.where(ader["RESPGRP"] == "UNKNOWN", UNKNOWN_RESPONSE, NOT_COLLECTED),
            index=ader.index,
        )
    else:
        reason = pd.Series(NOT_COLLECTED, index=ader.index)
    if endpoint.kind == "binary":
        value = (value >= endpoint.at_least).astype(float).where(known)
    values: Values = {"AVAL": value, "REASND": reason.mask(known, ""), "SRCDS": "ADER"}
    if endpoint.onset:
        values["ONSETDY"] = ader[endpoint.onset]
    return values


def _from_response(sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule) -> Values:
    rows = sources.adrs.loc[sources.adrs["PARAMCD"] == endpoint.response]
    collected = ader["STUDYID"].isin(set(rows["STUDYID"]))
    found = _at(ader, rows.drop_duplicates(KEY))
    # A result without a meaning (not evaluable, no assessment) has a missing number or no text.
    known = found["AVALC"].fillna("").ne("") & ~found["AVALC"].isin(["NE", "UNKNOWN"])
    event = found["AVALC"].isin(endpoint.levels).astype(float).where(known)
    missing = pd.Series(np.where(collected, UNKNOWN_RESPONSE, NOT_COLLECTED), index=ader.index)
    reason = missing.mask(known, "")
    return {"AVAL": event, "REASND": reason, "SRCDS": "ADRS"}


def _from_event(sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule) -> Values:
    episodes = sources.adaesi.loc[sources.adaesi["AESI"] == endpoint.event]
    seen = set(sources.adae.loc[sources.adae["SRCDOM"] == "AE", "STUDYID"])
    collected = ader["STUDYID"].isin(seen | set(episodes["STUDYID"]))
    followed = _at(ader, sources.adsl[[*KEY, "FUDUR"]])["FUDUR"]
    if endpoint.kind == "count" and endpoint.observed_until > 0:
        # Beyond the days in which such events begin, follow-up is no time at risk of them: with
        # it, who lives long would have a low rate whatever happened.
        episodes = episodes.loc[~(episodes["ASTDY"] > endpoint.observed_until)]
        followed = followed.clip(upper=endpoint.observed_until)
    by_subject = episodes.groupby(KEY)
    summary = pd.DataFrame(
        {
            "GRADE": by_subject["ATOXGRN"].max(),
            "NUMBER": by_subject.size().astype(float),
            "UNGRADED": (by_subject.size() > by_subject["ATOXGRN"].count()).astype(float),
            "ONSETDY": by_subject["ASTDY"].min(),
        }
    ).reset_index()
    found = _at(ader, summary)
    reason = pd.Series(np.where(collected, "", NOT_COLLECTED), index=ader.index, dtype=object)
    if endpoint.kind == "count":
        value = found["NUMBER"].astype("float64").fillna(0.0)
    else:
        grade = found["GRADE"].astype("float64")
        value = grade.where(found["NUMBER"].notna(), 0.0)
        least = endpoint.at_least if endpoint.at_least is not None else math.inf
        doubtful = (found["UNGRADED"] == 1) & ~(value >= least)
        if endpoint.kind == "binary":
            value = (value >= least).astype(float)
        reason = reason.mask((reason == "") & doubtful, "UNGRADED")
        short = (value == 0) & ~(followed >= endpoint.observed_until)
        reason = reason.mask((reason == "") & short & (endpoint.observed_until > 0), "SHORTOBS")
    return {
        "AVAL": value.mask(reason != ""),
        "ONSETDY": found["ONSETDY"].astype("float64"),
        "ADURFU": followed,
        "REASND": reason,
        "SRCDS": "ADAESI",
    }


def _from_resolution(sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule) -> Values:
    rows = sources.adaesi.loc[
        (sources.adaesi["AESI"] == endpoint.resolution) & (sources.adaesi["WORSTFL"] == "Y")
    ]
    seen = set(sources.adae.loc[sources.adae["SRCDOM"] == "AE", "STUDYID"])
    collected = ader["STUDYID"].isin(seen | set(rows["STUDYID"]))
    found = _at(ader, rows.drop_duplicates(KEY))
    had = found["EPISODE"].notna()
    duration = found["ADURN"].astype("float64")
    # An event that lasted until death did not resolve: its days so far are a censored time.
    ended = (found["ONGOFL"] == "N") & (found["ADURRSN"].fillna("") != "DIED")
    reason = pd.Series("", index=ader.index, dtype=object)
    reason = reason.mask(duration.isna(), found["ADURRSN"].fillna("").replace("", "NOAEDUR"))
    reason = reason.mask(~had, "NOEPISODE")
    reason = reason.mask(~collected, NOT_COLLECTED)
    # Durations are whole days of the calendar: so is the day of their origin, or an event that
    # ended in the hours before a landmark would count as one that was still there.
    start = pd.to_datetime(found["ASTDTM"].str.slice(0, 10), errors="coerce", format="%Y-%m-%d")
    day = (start - _read_infusion(sources, ader)).dt.days.astype("float64")
    return {
        "AVAL": duration,
        "AVALU": "d",
        "CNSR": pd.Series(np.where(ended, 0.0, 1.0), index=ader.index).where(duration.notna()),
        "STARTDY": day.where(day.notna(), found["ASTDY"].astype("float64")),
        "REASND": reason,
        "SRCDS": "ADAESI",
    }


def _read_infusion(sources: Sources, ader: pd.DataFrame) -> pd.Series:
    """Date of the first infusion, in the rows of ADER."""
    dates = _at(ader, sources.adsl[[*KEY, "TRTSDTM"]])["TRTSDTM"].str.slice(0, 10)
    return pd.to_datetime(dates, errors="coerce", format="%Y-%m-%d")


def _from_time(sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule) -> Values:
    rows = sources.adtte.loc[sources.adtte["PARAMCD"] == endpoint.time]
    found = _at(ader, rows)
    infusion = _read_infusion(sources, ader)
    origin = pd.to_datetime(found["STARTDT"].str.slice(0, 10), errors="coerce")
    known = found["AVAL"].notna()
    reason = found["REASND"].fillna("").where(found["REASND"].fillna("") != "", NOT_COLLECTED)
    return {
        "AVAL": found["AVAL"],
        "AVALU": "d",
        "CNSR": (found["CNSR"].astype("float64") > 0).astype(float).where(known),
        "STARTDY": (origin - infusion).dt.days.astype("float64"),
        "REASND": reason.mask(known, ""),
        "SRCDS": "ADTTE",
    }


def _from_days(sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule) -> Values:
    """Days with an event; no days of follow-up, since it lies within the time observed."""
    rows = sources.adaesi.loc[sources.adaesi["AESI"] == endpoint.days]
    seen = set(sources.adae.loc[sources.adae["SRCDOM"] == "AE", "STUDYID"])
    collected = ader["STUDYID"].isin(seen | set(rows["STUDYID"]))
    by_subject = rows.groupby(KEY)
    open_end = rows["ADURN"].isna() | (rows["ONGOFL"] == "Y")
    summary = pd.DataFrame(
        {
            "DAYS": by_subject["ADURN"].sum(),
            "OPEN": open_end.groupby([rows[name] for name in KEY]).any().astype(float),
        }
    ).reset_index()
    found = _at(ader, summary)
    reason = pd.Series(np.where(collected, "", NOT_COLLECTED), index=ader.index, dtype=object)
    reason = reason.mask((reason == "") & (found["OPEN"] == 1), "NOAEDUR")
    value = found["DAYS"].astype("float64").fillna(0.0).round()
    return {"AVAL": value.mask(reason != ""), "REASND": reason, "SRCDS": "ADAESI"}


_DERIVE = {
    "days": _from_days,
    "marker": derive_marker,
    "variable": _from_variable,
    "response": _from_response,
    "event": _from_event,
    "resolution": _from_resolution,
    "time": _from_time,
}
