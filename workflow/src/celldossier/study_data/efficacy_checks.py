"""Checks of response: order in time, contradictions, mixed criteria and evaluators."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.settings.time_to_event import RecoveryRule, TimeToEventSettings
from celldossier.study_data.assessment_schedule import count_missed
from celldossier.study_data.classes import find_disease_treatments
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.subjects import Subjects
from celldossier.study_data.time_to_event import pick_before_event
from celldossier.study_data.timeline import pick
from celldossier.terms.study_terms import NEW_THERAPY

MISSABLE = ("PROGRESSION", "RELAPSE", "DEATH")
"""Events before which missed assessments matter."""


def check_responses(
    rs: Domain, adrs: pd.DataFrame, subjects: Subjects, settings: EfficacySettings
) -> None:
    """Hold the response assessments against each other and against the infusion."""
    if not (rs.collected and rs.usable):
        return
    overall = adrs[adrs["PARAMCD"] == "OVR"]
    early = (overall["NFRLT"] > 0) & (overall["AFRLT"] <= 0)
    rs.report_rows("RESPONSEBEFOREDOSE", overall[early], "RSDTC", planned="NFRLT")
    _check_same_day(rs, overall)
    _check_after_progression(rs, overall)
    usable = overall[overall["ANLRSN"] != "OTHEREVAL"].sort_values(
        ["USUBJID", "AFRLT", "SRCFILE", "SRCROW"], kind="stable"
    )
    after = usable[usable["AFRLT"] > 0]
    first = after.drop_duplicates("USUBJID").set_index("USUBJID")["RSVOCAB"]
    mixed = after[after["ANLRSN"] == "OTHERCRIT"]
    mixed = mixed.assign(FIRST=mixed["USUBJID"].map(first))
    rs.report_rows("RESPONSEMIXED", mixed, "RSCAT", vocabulary="RSVOCAB", first="FIRST")
    evaluators = sorted(set(overall["RSEVAL"]) - {""})
    if len(evaluators) > 1 and not settings.primary_evaluator:
        rs.report_file("EVALUATORMIXED", column="RSEVAL", value=", ".join(evaluators))
    response = after[after["RESPFL"] == "Y"].groupby("USUBJID")["AFRLT"].min()
    silent = after[(after["AVALC"] == "RELAPSE") & (after["EVENTCD"] == "")]
    rs.report_rows("RELAPSENOEVENT", silent, "RSSTRESC")
    relapse = after[(after["EVENTCD"] == "RELAPSE") | (after["AVALC"] == "RELAPSE")]
    before = relapse["USUBJID"].map(response).astype("float64")
    rs.report_rows("RELAPSEUNFOUNDED", relapse[~(before < relapse["AFRLT"])], "RSSTRESC")
    _check_residual_disease(rs, adrs)
    infused = subjects.frame.index[subjects.frame["zero"].notna()]
    for subject in sorted(set(infused) - set(after["USUBJID"])):
        rs.report_file("RESPONSEMISSING", subject=subject)


def _check_same_day(rs: Domain, overall: pd.DataFrame) -> None:
    keys = ["USUBJID", "RSCAT", "RSEVAL", "DATE"]
    dated = overall.assign(DATE=overall["ADTM"].str.slice(0, 10)).sort_values(
        [*keys, "SRCFILE", "SRCROW"], kind="stable"
    )
    several = dated.groupby(keys)["AVALC"].transform("nunique") > 1
    mixed = dated[several]
    categories = mixed.groupby(keys)["AVALC"].agg(lambda found: ", ".join(sorted(set(found))))
    later = mixed[mixed.duplicated(keys)].join(categories.rename("OTHERS"), on=keys)
    rs.report_rows("RESPONSEDIFFERS", later, "RSSTRESC", others="OTHERS")


def _check_after_progression(rs: Domain, overall: pd.DataFrame) -> None:
    events = overall[(overall["EVENTCD"] != "") & (overall["ANL01FL"] == "Y")]
    first = events.sort_values(["USUBJID", "AFRLT"], kind="stable").drop_duplicates("USUBJID")
    dates = first.set_index("USUBJID")["ADTM"]
    contradicts = overall[
        (overall["ANLRSN"] == "AFTERPD") & (overall["EVENTCD"] == "") & (overall["RESPFL"] != "")
    ]
    contradicts = contradicts.assign(PROGRESSION=contradicts["USUBJID"].map(dates))
    rs.report_rows("RESPONSEAFTERPD", contradicts, "RSSTRESC", progression="PROGRESSION")


def _check_residual_disease(rs: Domain, adrs: pd.DataFrame) -> None:
    day = adrs["ADTM"].str.slice(0, 10)
    positive = (adrs["PARAMCD"] == "MRD") & (adrs["AVALC"] == "POSITIVE")
    days = pd.MultiIndex.from_arrays([adrs["USUBJID"][positive], day[positive]])
    own = pd.MultiIndex.from_arrays([adrs["USUBJID"], day])
    complete = (adrs["PARAMCD"] == "OVR") & (adrs["CRFL"] == "Y") & own.isin(days)
    rs.report_rows("CRRESIDUAL", adrs[complete], "RSSTRESC")


def check_missed_assessments(
    rs: Domain, timeline: pd.DataFrame, planned: pd.DataFrame, tte: TimeToEventSettings
) -> None:
    """Find subjects whose event follows missed assessments."""
    subjects = pd.Index(sorted(set(timeline["USUBJID"])))
    event = pick(timeline, subjects, MISSABLE)
    before = pick_before_event(timeline, subjects, event)
    last = before["DAY"].fillna(0.0)
    missed = count_missed(planned, last, event["DAY"], tte.assessment_window).reindex(subjects)
    many = missed[missed >= tte.missed_assessments]
    days = event["DAY"].reindex(many.index)
    for subject, count, day in zip(many.index, many, days, strict=True):
        rs.report_file(
            "ASSESSMENTSMISSED",
            subject=str(subject),
            value=format_number(float(count)),
            day=format_number(float(day)),
        )


def check_new_therapy(
    cm: Domain, adcm: pd.DataFrame, subjects: Subjects, settings: StudyDataSettings
) -> None:
    """Find new therapies that start before the infusion, and those that are not fully dated."""
    early = adcm[(adcm["CMCLASS"] == NEW_THERAPY) & (adcm["ASTDY"] <= 0)]
    cm.report_rows("NEWTHERAPYEARLY", early, "CMSTDTC")
    name, start = cm.frame["CMDECOD"], cm.dates["CMSTDTC"]
    treats = find_disease_treatments(name, settings) & subjects.of(cm.subject, "zero").notna()
    completed = cm.active & treats & (start.imputed != "")
    completed &= subjects.days(start, cm.subject) > 0
    cm.report("NEWTHERAPYPARTIAL", completed, "CMSTDTC", medication=name, taken=start.text)
    # A record without any date is in no dataset: it lacks more than one with a part of it.
    undated = treats & (cm.active | (cm.reason == "NOTIME")) & ~start.known
    cm.report("NEWTHERAPYUNDATED", undated, "CMSTDTC", medication=name)


def check_recovery(
    lb: Domain, adpd: pd.DataFrame, rule: RecoveryRule, recovered: pd.DataFrame
) -> None:
    """Find the first result below the threshold after a recovery.

    Parameters
    ----------
    recovered
        ``USUBJID`` and ``HIGH``, the day of recovery (NaN where there is none).
    """
    rows = adpd[(adpd["PARAMCD"] == rule.analyte) & (adpd["SRCDOM"] == lb.name)]
    day = rows["USUBJID"].map(recovered.set_index("USUBJID")["HIGH"]).astype("float64")
    low = (rows["AVAL"] < rule.at_least) | (rows["BLQFL"] == "Y")
    again = rows.assign(DAY=day)[low & (rows["AFRLT"] > day)]
    again = again.sort_values(["USUBJID", "AFRLT", "SRCROW"], kind="stable")
    again = again.drop_duplicates("USUBJID").assign(TEST=rule.analyte)
    lb.report_rows("LOWAGAIN", again, "LBORRES", test="TEST", day="DAY")
