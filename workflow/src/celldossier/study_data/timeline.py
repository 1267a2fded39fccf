"""What happened to each subject when: the long table that endpoints are picked from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.terms.study_terms import CELL_PRODUCT, STOPS

LEFT_STUDY = {"LOSTFU": "CNSLOST", "WITHDRAWN": "CNSWITHD", "COMPLETED": "CNSCOMPL"}
"""Disposition class that ends the observation: its reason for censoring."""


def make_timeline(
    adex: pd.DataFrame,
    adrs: pd.DataFrame,
    stops: pd.DataFrame,
    adds: pd.DataFrame,
    deaths: pd.DataFrame,
    last_alive: pd.DataFrame,
) -> pd.DataFrame:
    """Dated facts of each infused subject, one row a fact.

    Parameters
    ----------
    adex, adrs, adds
        Datasets. An assessment is adequate if its category says something and its
        evaluator is the primary one.
    stops, deaths, last_alive
        From `find_stops`, `collect_deaths` and `collect_last_alive`.

    Returns
    -------
    DataFrame
        ``USUBJID``, ``KIND`` (START, BASELINE, ASSESSMENT, RESPONSE, PROGRESSION,
        RELAPSE, DEATH, NEWTHERAPY, HSCT, REINFUSION, ALIVE, LOSTFU, WITHDRAWN, COMPLETED),
        ``DAY`` from the first infusion in whole days, ``TIME`` in days and parts of them
        where the time of day is known, ``DATE``, and the source of the date. Facts without
        a known day are left out.
    """
    infusion = adex[(adex["EXCAT"] == CELL_PRODUCT) & (adex["DOSENO"] == 1)]
    overall = adrs[(adrs["PARAMCD"] == "OVR") & ~adrs["ANLRSN"].isin(["OTHEREVAL", "OTHERCRIT"])]
    adequate = overall[overall["RESPFL"] != ""]
    after = adequate[adequate["AFRLT"] > 0]
    counted = after[(after["ANL01FL"] == "Y") & (after["RESPFL"] == "Y")]
    parts = [
        _facts(infusion, "START", "AFRLT", "ADTM", "EXSTDTC"),
        _facts(adequate[adequate["AFRLT"] <= 0], "BASELINE", "AFRLT", "ADTM", "RSDTC"),
        _facts(after, "ASSESSMENT", "AFRLT", "ADTM", "RSDTC"),
        _facts(counted, "RESPONSE", "AFRLT", "ADTM", "RSDTC"),
        _facts(deaths, "DEATH", "DAY", "TEXT", ""),
        _facts(last_alive.assign(DATE=_iso(last_alive["TIME"])), "ALIVE", "DAY", "DATE", ""),
    ]
    for event in ("PROGRESSION", "RELAPSE"):
        parts.append(_facts(after[after["EVENTCD"] == event], event, "AFRLT", "ADTM", "RSDTC"))
    for kind in STOPS:
        parts.append(_facts(stops[stops["KIND"] == kind], kind, "DAY", "DATE", ""))
    for name in LEFT_STUDY:
        parts.append(_facts(adds[adds["DSCLASS"] == name], name, "AFRLT", "ADTM", "DSSTDTC"))
    facts = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    facts = facts[facts["USUBJID"].isin(infusion["USUBJID"])].reset_index(drop=True)
    dates = pd.to_datetime(facts["DATE"], format="%Y-%m-%d", errors="coerce")
    origin = pd.Series(
        pd.to_datetime(infusion["ADTM"].str.slice(0, 10)).to_numpy(), index=infusion["USUBJID"]
    )
    # Time to event is counted in calendar days, whatever times of day some dates have.
    whole = (dates - facts["USUBJID"].map(origin)).dt.days.astype("float64")
    facts = facts.assign(TIME=facts["DAY"], DAY=whole.fillna(facts["DAY"]))
    # `pick` takes the first of those at one time.
    return facts.sort_values(["USUBJID", "SRCFILE", "SRCROW"], kind="stable", ignore_index=True)


def pick(
    timeline: pd.DataFrame,
    subjects: pd.Index,
    kinds: Sequence[str],
    *,
    after: pd.Series | None = None,
    until: pd.Series | None = None,
    last: bool = False,
) -> pd.DataFrame:
    """First (or last) fact of the given kinds of each subject.

    Parameters
    ----------
    kinds
        At one time, the kind that is named first counts.
    after
        By subject: the fact lies after that day.
    until
        By subject: the fact lies on that day or before; NaN is no limit.

    Returns
    -------
    DataFrame
        Index `subjects`, columns of the timeline; NaN or None where there is no fact.
    """
    rows = timeline[timeline["KIND"].isin(kinds)]
    if after is not None:
        rows = rows[rows["DAY"] > rows["USUBJID"].map(after).astype("float64")]
    if until is not None:
        rows = rows[~(rows["DAY"] > rows["USUBJID"].map(until).astype("float64"))]
    place = (
        rows["KIND"].map({kind: place for place, kind in enumerate(kinds)}).to_numpy(dtype=float)
    )
    day = rows["DAY"].to_numpy(dtype=float)
    # Rows at one time and of one kind keep their order, which is that of their source.
    rows = rows.iloc[np.lexsort((place, -day if last else day))]
    return rows.drop_duplicates("USUBJID").set_index("USUBJID").reindex(subjects)


def _facts(rows: pd.DataFrame, kind: str, day: str, text: str, variable: str) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "USUBJID": rows["USUBJID"],
            "KIND": kind,
            "DAY": rows[day].astype("float64"),
            "DATE": rows[text].str.slice(0, 10),
            "SRCDOM": rows["SRCDOM"],
            "SRCFILE": rows["SRCFILE"],
            "SRCROW": rows["SRCROW"],
            "SRCVAR": variable if variable else rows["SRCVAR"],
        }
    )
    return frame[frame["DAY"].notna()]


def _iso(times: pd.Series) -> pd.Series:
    text: pd.Series = times.dt.strftime("%Y-%m-%d").fillna("")
    return text
