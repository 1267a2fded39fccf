"""Disease response: checks of RS, and the assessments of the dataset ADRS."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.best_response import derive_response_parameters, name_parameter
from celldossier.study_data.domain import Domain
from celldossier.study_data.dose_times import derive_relative_times
from celldossier.study_data.response_criteria import (
    choose_vocabulary,
    make_vocabularies,
    standardise,
)
from celldossier.study_data.results import check_not_done
from celldossier.study_data.samples import check_duplicates, flag, time_samples
from celldossier.study_data.subjects import Subjects

TIMING = ["AFRLT", "NFRLT", "TIMEDEV", "WINFL"]
"""Variables of ADRS that say where an assessment stands in time."""

AFTER_STOP = {"NEWTHERAPY": "AFTERNEW", "HSCT": "AFTERHSCT", "REINFUSION": "AFTERREIN"}
"""Reason why an assessment after a stop does not count."""

BEFORE_LANDMARK = {"NEWTHERAPY": "NEWBEFORE", "HSCT": "HSCTBEFOR", "REINFUSION": "REINBEFOR"}
"""Reason of no response at a landmark after a stop."""


def derive_adrs(
    rs: Domain,
    dm: Domain,
    subjects: Subjects,
    stops: pd.DataFrame,
    adpd: pd.DataFrame,
    deaths: pd.DataFrame,
    settings: StudyDataSettings,
) -> pd.DataFrame:
    """Dataset ADRS: each assessment, and what follows from them for each infused subject.

    Each result is brought to a category of its vocabulary. An assessment counts for
    the best response if it comes after the first infusion, from the primary
    evaluator, and neither after progression or relapse nor after the start of a new
    therapy, a transplantation, a retreatment or an unplanned infusion, whose effect it
    would show; the others carry a reason. Derived parameters: `derive_response_parameters`.

    Parameters
    ----------
    dm
        For the indication, which may choose the vocabulary, and as the source of the
        record of a subject without any assessment.
    stops
        From `celldossier.study_data.stops.find_stops`.
    adpd
        For residual disease where a laboratory analyte tells it.
    deaths
        From `celldossier.study_data.disposition.collect_deaths`.
    """
    efficacy = settings.efficacy
    test = rs.frame["RSTESTCD"]
    overall = test.isin(efficacy.response_tests)
    residual = test.isin(efficacy.mrd.response_tests)
    rs.exclude(~(overall | residual), "OTHERTEST", test)
    check_not_done(rs, settings)
    indications = dm.frame["INDIC"][dm.active]
    indications.index = pd.Index(dm.subject[dm.active])
    indication = rs.subject.map(indications[~indications.index.duplicated()]).fillna("")
    raw = rs.frame["RSSTRESC"]
    vocabulary = choose_vocabulary(rs.frame["RSCAT"], indication, efficacy)
    meaning = standardise(raw, vocabulary, make_vocabularies(efficacy))
    status = _read_residual_disease(raw, efficacy)
    unknown = rs.active & overall & (meaning["category"] == "")
    rs.report("RESPONSEUNKNOWN", unknown, "RSSTRESC", vocabulary=vocabulary)
    unread = rs.active & residual & (status == "")
    rs.report("MRDUNKNOWN", unread, "RSSTRESC")
    rs.exclude(unknown | unread, "BADRESULT", raw)
    times = time_samples(rs, subjects)
    identity = [test, rs.frame["RSCAT"], rs.frame["RSEVAL"]]
    check_duplicates(rs, times, identity, test, settings.duplicate_samples)
    responder = meaning["responder"].where(overall, "")
    frame = pd.DataFrame(
        {
            "USUBJID": rs.subject,
            "PARAMCD": pd.Series("OVR", index=test.index).where(overall, "MRD"),
            "RSCAT": rs.frame["RSCAT"],
            "RSVOCAB": vocabulary.where(overall, ""),
            "RSEVAL": rs.frame["RSEVAL"],
            "RSSTRESC": raw,
            "AVALC": meaning["category"].where(overall, status),
            "RANK": meaning["rank"],
            "RESPFL": responder,
            "CRFL": flag(meaning["complete"]).where(responder != "", ""),
            "EVENTCD": meaning["event"].where(overall, ""),
            "AVISIT": rs.frame["VISIT"],
            "ADTM": rs.dates["RSDTC"].text,
            **derive_relative_times(rs, times, subjects)[TIMING],
            **rs.trace,
        }
    )
    frame = frame[rs.active].reset_index(drop=True)
    frame = frame.assign(PARAM=frame["PARAMCD"].map(name_parameter))
    frame = _choose_assessments(frame, stops, efficacy)
    if not (rs.collected and rs.usable):
        return frame.drop(columns="RANK")
    zero = subjects.of(dm.subject, "zero")
    infused = pd.DataFrame({"USUBJID": dm.subject, **dm.trace})[dm.active & zero.notna()]
    died = deaths[["USUBJID", "DAY"]].dropna().assign(REASON="DTHBEFORE")
    reason = stops["KIND"].map(BEFORE_LANDMARK)
    treated = stops.assign(DAY=stops["LASTDAY"], REASON=reason)[["USUBJID", "DAY", "REASON"]]
    ends = pd.concat([died, treated], ignore_index=True)
    derived = derive_response_parameters(frame, infused, ends, adpd, efficacy)
    return pd.concat([frame, derived], ignore_index=True).drop(columns="RANK")


def _read_residual_disease(raw: pd.Series, settings: EfficacySettings) -> pd.Series:
    words = {text.casefold(): "NEGATIVE" for text in settings.mrd.negative_results}
    words |= {text.casefold(): "POSITIVE" for text in settings.mrd.positive_results}
    return raw.str.casefold().map(words).fillna("").astype(object)


def _choose_assessments(
    frame: pd.DataFrame, stops: pd.DataFrame, settings: EfficacySettings
) -> pd.DataFrame:
    """Add ANL01FL and ANLRSN: which assessments count for the best response, and why not."""
    day, subject = frame["AFRLT"], frame["USUBJID"]
    overall = frame["PARAMCD"] == "OVR"
    wanted = settings.primary_evaluator
    other = overall & (frame["RSEVAL"] != wanted) if wanted else pd.Series(False, frame.index)
    usable = overall & ~other & (day > 0)
    # Ranks of two vocabularies cannot be compared: the first one of a subject stands.
    ordered = frame[usable].sort_values(["USUBJID", "AFRLT", "SRCFILE", "SRCROW"], kind="stable")
    first = ordered.drop_duplicates("USUBJID").set_index("USUBJID")["RSVOCAB"]
    mixed = usable & (frame["RSVOCAB"] != subject.map(first))
    events = frame[usable & ~mixed & (frame["EVENTCD"] != "")]
    progressed = subject.map(events.groupby("USUBJID")["AFRLT"].min()).astype("float64")
    reasons = pd.Series("", index=frame.index, dtype=object)
    rules = [
        (other, "OTHEREVAL"),
        (~(day > 0), "RSBEFORE"),
        (mixed, "OTHERCRIT"),
        (day > progressed, "AFTERPD"),
    ]
    for kind, code in AFTER_STOP.items():
        last = stops[stops["KIND"] == kind].set_index("USUBJID")["LASTDAY"]
        rules.append((day > subject.map(last).astype("float64"), code))
    for rows, code in rules:
        reasons = reasons.mask(rows & (reasons == ""), code)
    return frame.assign(ANL01FL=flag(reasons == ""), ANLRSN=reasons)
