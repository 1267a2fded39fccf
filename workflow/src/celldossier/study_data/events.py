"""Adverse events: checks of AE, and the dataset ADAE with grades held against components."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.astct import CRS, DEATH, ICANS, PARTIAL, SEVEREST
from celldossier.study_data.classes import classify_events, find_near_misses
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.grading_scales import LEGACY, is_used, name_scales
from celldossier.study_data.parsing import calendar_days, is_before
from celldossier.study_data.samples import flag
from celldossier.study_data.subjects import Subjects

HIGHEST_GRADE = 5
FATAL = "FATAL"
REPORTED = "REPORTED"
BY_SCALE = (CRS, ICANS)
"""Events that are graded by a scale of their own, after which grades are told apart."""


def derive_adae(ae: Domain, subjects: Subjects, settings: StudyDataSettings) -> pd.DataFrame:
    """Adverse events with their grade as reported, before any component is looked at.

    An event is treatment-emergent if it started at or after the first infusion;
    where only a partial date is known, if its last possible day is not before it. An
    event that had ended before the infusion is not, whatever its start may mean.

    Returns
    -------
    DataFrame
        Variables of ADAE, and ``first``, ``last`` (whole days from the first infusion).
    """
    grade = ae.numbers["AETOXGR"]
    wrong = ae.active & grade.notna() & ~grade.isin(range(HIGHEST_GRADE + 1))
    ae.report("GRADERANGE", wrong, "AETOXGR")
    grade = grade.where(~wrong)
    term = ae.frame["AEDECOD"]
    start, end = ae.dates["AESTDTC"], ae.dates["AEENDTC"]
    days = subjects.days(start, ae.subject)
    last = subjects.days(end, ae.subject)
    special = classify_events(ae.frame, grade, last, settings.safety)
    blank = ae.active & (special != "") & (ae.frame["AETOXGR"] == "")
    ae.report("GRADEMISSING", blank, "AETOXGR", value=term)
    looks = find_near_misses(term, settings.safety)
    ae.report("SPECIALNEARMISS", ae.active & (looks != ""), "AEDECOD", event=looks)
    zero = subjects.of(ae.subject, "zero")
    possible = start.partial & (start.last_day >= zero.dt.floor("D"))
    timed = pd.Series(True, index=zero.index)
    over = is_before(end, zero, timed) | (end.partial & (end.last_day < zero.dt.floor("D")))
    scale, scaled = name_scales(ae.frame["AESCAT"]), special.isin(BY_SCALE)
    used = ~scaled | is_used(scale, ae.frame["AESCAT"], settings.safety)
    frame = pd.DataFrame(
        {
            "USUBJID": ae.subject,
            "AETERM": ae.frame["AETERM"],
            "AEDECOD": term,
            "AEBODSYS": ae.frame["AEBODSYS"],
            "AESCAT": scale.where(scaled & (scale != ""), ae.frame["AESCAT"]),
            "AETOXGRN": grade,
            "ATOXGRN": grade.where(used),
            "GRADSRC": np.where(grade.notna() & used, REPORTED, ""),
            "GRADRSN": np.where(grade.notna() & ~used, LEGACY, ""),
            "AESER": ae.frame["AESER"],
            "AEREL": ae.frame["AEREL"],
            "AEOUT": ae.frame["AEOUT"],
            "DLTFL": ae.frame["AEDLT"],
            "AESI": special,
            "ASTDTM": start.text,
            "AENDTM": end.text,
            "ASTDTF": start.imputed,
            "AENDTF": end.imputed,
            "ASTDY": days,
            "AENDY": last,
            "TRTEMFL": flag(((days >= 0) | possible) & ~over),
            "DTYPE": "",
            "first": calendar_days(start, zero),
            "last": calendar_days(end, zero),
            **ae.trace,
        }
    )
    _check_events(ae, frame, settings)
    return frame[ae.active].reset_index(drop=True)


def _check_events(ae: Domain, adae: pd.DataFrame, settings: StudyDataSettings) -> None:
    """Find events of special interest before the infusion, doubtful DLTs, and overlaps."""
    early = ae.active & adae["AESI"].isin(BY_SCALE) & (adae["ASTDY"] < 0)
    ae.report("EVENTBEFOREDOSE", early, "AESTDTC", event=adae["AESI"])
    dlt = ae.active & (adae["DLTFL"] == "Y")
    window = settings.safety.dlt_window
    # Days of the calendar, as a DLT is counted: the last day of the window ends at midnight.
    day = adae["first"].where(adae["first"].notna(), adae["ASTDY"])
    outside = dlt & ((adae["ASTDY"] < 0) | (day > window))
    ae.report("DLTWINDOW", outside, "AESTDTC", window=format_number(window))
    ae.report("DLTNOEVENT", dlt & ~(adae["AETOXGRN"] > 0), "AETOXGR")
    own = adae[ae.active & adae["AESI"].isin(BY_SCALE) & adae["first"].notna()]
    own = own.assign(open=own["last"].fillna(np.inf))
    own = own.sort_values(["USUBJID", "AESI", "first", "open"], kind="stable")
    groups = [own["USUBJID"], own["AESI"]]
    reached = own["open"].groupby(groups).cummax().groupby(groups).shift()
    # Events that follow each other on one day touch; only more than that is an overlap.
    overlap = (own["first"] < reached).reindex(adae.index, fill_value=False)
    ae.report("EVENTOVERLAP", overlap, "AESTDTC", event=adae["AESI"])


def regrade_events(
    ae: Domain, adae: pd.DataFrame, daily: pd.DataFrame, settings: StudyDataSettings
) -> pd.DataFrame:
    """Grade CRS and ICANS by their days; the reported grade stays beside.

    The days of an event are those from its start to its end, and those of its episode
    that no event covers and that lie nearest to it. Where components or whole days from
    its start to its end are missing, the worst day may be among them: the higher of the
    reported grade and of the least that is certain stands. Death is not seen in
    components: a fatal event is of grade 5.

    Parameters
    ----------
    adae
        As `derive_adae`, with ``EPISODE``.
    daily
        Daily grades of ADFA after the infusion, with ``EPISODE`` (NaN on days without the
        event).
    """
    worst = _find_worst_days(adae, daily).reindex(adae.index)
    low, high = worst["low"], worst["high"]
    reported = adae["ATOXGRN"]
    known = low.notna() & (low == high)
    at_least = (low > 0) & ~known & ~(reported > low)
    grade = reported.mask(known | at_least, low)
    source = adae["GRADSRC"].mask(known | at_least, worst["source"])
    partial = low.notna() & ~known
    reason = adae["GRADRSN"].mask(grade.notna(), "")
    reason = reason.mask(partial & (reason == ""), PARTIAL)
    differs = reported.notna() & ((known & (low != reported)) | (low > reported))
    fatal = adae["AESI"].isin(BY_SCALE) & (
        (adae["AEOUT"].str.upper() == FATAL)
        | ((adae["AETOXGRN"] == DEATH) & (reported.notna() | known))
    )
    differs &= ~(fatal & (reported == DEATH))
    report_rows(ae, adae, "GRADEDIFFERS", differs, "AETOXGR", derived=low)
    return adae.assign(
        ATOXGRN=grade.mask(fatal, DEATH),
        GRADSRC=source.mask(fatal & ~(grade == DEATH), REPORTED),
        GRADRSN=reason.mask(fatal, ""),
    )


def report_rows(
    domain: Domain,
    frame: pd.DataFrame,
    rule: str,
    rows: pd.Series,
    variable: str,
    **fields: pd.Series,
) -> None:
    """Report records of a dataset at their places in the raw domain."""
    place = ["SRCFILE", "SRCROW"]
    raw = pd.MultiIndex.from_frame(domain.frame[place])
    own = frame[frame["SRCDOM"] == domain.name]
    key = pd.MultiIndex.from_frame(own[place])

    def spread(values: pd.Series, fill: float | str) -> pd.Series:
        series = pd.Series(values.reindex(own.index).to_numpy(), index=key)
        found = series[~series.index.duplicated()].reindex(raw)
        return pd.Series(found.to_numpy(), index=domain.frame.index).fillna(fill)

    chosen = spread(rows.astype(float), 0.0) == 1
    texts = {name: spread(values.map(_write), "") for name, values in fields.items()}
    domain.report(rule, chosen, variable, severity=None, value=None, **texts)


def _write(value: object) -> str:
    return format_number(value) if isinstance(value, float) else str(value)


def _find_worst_days(adae: pd.DataFrame, daily: pd.DataFrame) -> pd.DataFrame:
    """Worst daily grade of each event, at best and at worst, and where it comes from.

    A day of the event that was not graded can have been of the most severe grade.
    """
    columns = ["USUBJID", "AESI", "first", "last", "EPISODE"]
    events = adae.loc[adae["first"].notna() & adae["EPISODE"].notna(), columns]
    graded = daily[daily["ATOXHI"].notna()].reset_index(drop=True)
    graded = graded.assign(DAY=graded.index)
    pairs = (
        events.rename_axis("EVENT")
        .reset_index()
        .merge(
            graded[["USUBJID", "AESI", "ADY", "AVAL", "ATOXHI", "GRADSRC", "EPISODE", "DAY"]],
            on=["USUBJID", "AESI"],
            suffixes=("", "_DAY"),
        )
    )
    inside = (pairs["ADY"] >= pairs["first"]) & ~(pairs["ADY"] > pairs["last"])
    covered = inside.groupby(pairs["DAY"]).transform("any")
    distance = (pairs["ADY"] - pairs["first"]).abs().where(pairs["EPISODE"] == pairs["EPISODE_DAY"])
    nearest = distance == distance.groupby(pairs["DAY"]).transform("min")
    chosen = pairs[inside | (~covered & nearest)].assign(AVAL=lambda rows: rows["AVAL"].fillna(0.0))
    chosen = chosen.sort_values(["EVENT", "AVAL", "ADY"], kind="stable")
    by_event = chosen.groupby("EVENT")
    graded_days = pairs[inside].groupby("EVENT")["ADY"].nunique()
    every = graded_days.reindex(events.index) == events["last"] - events["first"] + 1
    high = by_event["ATOXHI"].max()
    return pd.DataFrame(
        {
            "low": by_event["AVAL"].max(),
            "high": high.where(every.reindex(high.index), high.clip(lower=SEVEREST)),
            "source": by_event["GRADSRC"].last(),
        }
    )


def derive_missing_events(adae: pd.DataFrame, daily: pd.DataFrame) -> pd.DataFrame:
    """An event for each episode of CRS or ICANS that is known by its days alone.

    Where a study collects grades by day and no adverse events, ADAE would lack them; the
    trace is that of the first day, DTYPE is EPISODE.
    """
    words = read_resource("terms", "special_interest.yaml")
    key = ["USUBJID", "AESI", "EPISODE"]
    days = daily[daily["EPISODE"].notna()].sort_values([*key, "ADY"], kind="stable")
    have = pd.MultiIndex.from_frame(adae.loc[adae["EPISODE"].notna(), key])
    days = days[~pd.MultiIndex.from_frame(days[key]).isin(have)]
    if days.empty:
        return adae
    ends = daily[daily["AVAL"].notna()].groupby(["USUBJID", "AESI"])["ADY"].max()
    first, last = days.drop_duplicates(key), days.drop_duplicates(key, keep="last")
    low = days.groupby(key)["AVAL"].max()
    high = days.groupby(key)["ATOXHI"].max().reindex(low.index)
    worst = days.sort_values([*key, "AVAL"], kind="stable").drop_duplicates(key, keep="last")
    last_graded = pd.Series(
        ends.reindex(pd.MultiIndex.from_frame(last[key[:2]])).to_numpy(), index=last.index
    )
    # On the last day that was graded the event had not been seen to end.
    open_ = (last["ADY"] >= last_graded).to_numpy()
    term = first["AESI"].map({code: entry["terms"][0] for code, entry in words.items()})
    added = pd.DataFrame(
        {
            **{name: first[name].to_numpy() for name in key},
            "AETERM": term.str.capitalize().to_numpy(),
            "AEDECOD": term.str.capitalize().to_numpy(),
            "AESCAT": first["FASCAT"].to_numpy(),
            "ATOXGRN": low.to_numpy(),
            "GRADSRC": worst["GRADSRC"].to_numpy(),
            "GRADRSN": np.where(high.to_numpy() > low.to_numpy(), PARTIAL, ""),
            "ASTDTM": first["ADTM"].to_numpy(),
            "AENDTM": np.where(open_, "", last["ADTM"]),
            "ASTDY": first["AFRLT"].clip(lower=0).to_numpy(),
            "AENDY": np.where(open_, np.nan, last["AFRLT"].clip(lower=0)),
            "first": first["ADY"].to_numpy(),
            "last": np.where(open_, np.nan, last["ADY"]),
            "TRTEMFL": "Y",
            "DTYPE": "EPISODE",
            **{name: first[name].to_numpy() for name in ("SRCDOM", "SRCFILE", "SRCROW")},
        }
    )
    texts = ["AEBODSYS", "AESER", "AEREL", "AEOUT", "DLTFL"]
    both = pd.concat([adae, added.assign(**dict.fromkeys(texts, ""))], ignore_index=True)
    return both.astype({"AETOXGRN": "float64", "ATOXGRN": "float64"})


def list_graded(adae: pd.DataFrame, ae: Domain) -> pd.DataFrame:
    """Grades of CRS and ICANS that rest on the report alone: ``event``, ``scale``, ``text``."""
    place = ["SRCFILE", "SRCROW"]
    text = ae.frame.set_index(place)["AESCAT"]
    own = adae[
        (adae["SRCDOM"] == ae.name)
        & adae["AESI"].isin(BY_SCALE)
        & adae["AETOXGRN"].notna()
        & adae["GRADSRC"].isin([REPORTED, ""])
    ]
    collected = text.reindex(pd.MultiIndex.from_frame(own[place])).to_numpy()
    words = pd.Series(collected, index=own.index, dtype=object)
    return pd.DataFrame({"event": own["AESI"], "scale": name_scales(words), "text": words})


def check_outcomes(
    ae: Domain,
    adae: pd.DataFrame,
    subjects: Subjects,
    deaths: pd.DataFrame,
    died_later: Set[str],
) -> None:
    """Find events after death, grade 5 without a death, and death within CRS or ICANS below 5.

    Parameters
    ----------
    deaths
        Index USUBJID: ``day`` (whole days from the first infusion, NaN where not known).
    died_later
        Subjects whose date of death lies after the data cut-off: it is not missing.
    """
    own = adae[adae["SRCDOM"] == ae.name]
    dead = own["USUBJID"].map(deaths["day"]).astype("float64")
    # A death before the infusion is a fault of its own, and then says nothing of the events.
    late = (own["first"] > dead) & (dead >= 0)
    report_rows(ae, own, "EVENTAFTERDEATH", late, "AESTDTC")
    five = (own["ATOXGRN"] == DEATH) | (own["AETOXGRN"] == DEATH)
    five |= own["AEOUT"].str.upper() == FATAL
    without = five & ~own["USUBJID"].isin({*deaths.index, *died_later})
    report_rows(ae, own, "DEATHDATEMISSING", without, "AETOXGR")
    within = own["AESI"].isin(BY_SCALE) & (own["first"] <= dead) & ~(own["last"] < dead)
    within &= (own["TRTEMFL"] == "Y") & ~five
    report_rows(ae, own, "DEATHINEVENT", within, "AETOXGR", event=own["AESI"])
