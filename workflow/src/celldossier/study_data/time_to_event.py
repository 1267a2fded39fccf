"""The dataset ADTTE: endpoints that rest on survival and disease assessments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.time_to_event import EndpointRule, TimeToEventSettings
from celldossier.study_data.assessment_schedule import count_missed
from celldossier.study_data.timeline import LEFT_STUDY, pick
from celldossier.terms.study_terms import STOPS

OUTCOME = ["DAY", "DATE", "SRCDOM", "SRCFILE", "SRCROW", "SRCVAR"]
COMPETING = ("DEATH", *STOPS)
REASON_OF = {
    "PROGRESSION": "CNSPROG",
    "RELAPSE": "CNSPROG",
    "DEATH": "CNSDEATH",
    "NEWTHERAPY": "CNSNEWTH",
    "HSCT": "CNSHSCT",
    "REINFUSION": "CNSREIN",
}
"""Reason for censoring where another event ends the observation."""


@dataclass(frozen=True)
class Case:
    """One way in which an endpoint can end: for which subjects, when, and why.

    Parameters
    ----------
    rows
        Subjects, bool.
    fact
        Facts that give the date, as from `pick`.
    reason
        Reason for censoring by subject; "" for an event.
    dated
        What the date of a censored record is (`censoring_dates` of the terms).
    event
        EVENTCD by subject and ``EVENTDY`` from the first infusion, where there is one.
    """

    rows: pd.Series
    fact: pd.DataFrame
    reason: pd.Series | str = ""
    dated: str = ""
    event: pd.Series | str = ""
    event_day: pd.Series | float = np.nan


def settle(subjects: pd.Index, cases: Sequence[Case]) -> pd.DataFrame:
    """The first case that holds for each subject."""
    columns = [*OUTCOME, "CNSRSN", "DATED", "EVENTCD", "EVENTDAY"]
    outcome = pd.DataFrame(index=subjects, columns=columns, dtype=object)
    open_ = pd.Series(True, index=subjects)
    for case in cases:
        now = open_ & case.rows.reindex(subjects).fillna(False).astype(bool)
        if not now.any():
            continue
        added = case.fact.reindex(subjects)[OUTCOME].assign(
            CNSRSN=case.reason, DATED=case.dated, EVENTCD=case.event, EVENTDAY=case.event_day
        )
        outcome = outcome.where(~now, added)
        open_ &= ~now
    return outcome


def derive_survival(
    timeline: pd.DataFrame,
    undated: Sequence[str],
    collected: Mapping[str, bool],
    planned: pd.DataFrame,
    baseline: pd.Series,
    settings: EfficacySettings,
) -> pd.DataFrame:
    """OS, PFS, EFS, DOR, TTR and TTNT of each infused subject.

    Parameters
    ----------
    timeline
        From `celldossier.study_data.timeline.make_timeline`.
    undated
        Subjects whose death has no known day.
    collected
        By raw domain; an endpoint whose domain was not collected is not derived.
    planned
        Planned assessments: ``USUBJID``, ``DAY``.
    baseline
        By subject, whether the disease was assessed at baseline.

    Returns
    -------
    DataFrame
        Rows of `settle` with USUBJID, PARAMCD, ``ORIGIN`` (day) and ``STARTDT``.
    """
    start = timeline[timeline["KIND"] == "START"].drop_duplicates("USUBJID")
    start = start.set_index("USUBJID").sort_index()
    subjects = pd.Index(start.index)
    tte = settings.time_to_event
    study = Observed(timeline, subjects, start, pd.Series(subjects.isin(undated), subjects))
    parts = [_survival(study)]
    if collected.get("RS", False):
        first = pick(timeline, subjects, ["RESPONSE"])
        assessed = (("PFS", tte.pfs, start), ("EFS", tte.efs, start), ("DOR", tte.dor, first))
        for code, rule, origin in assessed:
            parts.append(_assessed(study, code, rule, origin, planned, baseline, tte))
        parts.append(_time_to_response(study, first))
    if collected.get("CM", False):
        parts.append(_time_to_new_therapy(study))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Observed:
    """The infused subjects and what is known of them."""

    timeline: pd.DataFrame
    subjects: pd.Index
    start: pd.DataFrame
    undated: pd.Series

    def pick(self, *kinds: str, until: pd.Series | None = None, last: bool = False) -> pd.DataFrame:
        """First or last fact of the kinds, see `celldossier.study_data.timeline.pick`."""
        return pick(self.timeline, self.subjects, kinds, until=until, last=last)

    @property
    def left(self) -> pd.Series:
        """Reason for censoring of who has no event: left the study, or goes on."""
        gone = self.pick(*LEFT_STUDY, last=True)["KIND"].map(LEFT_STUDY)
        return gone.fillna("ONGOING").mask(self.undated, "CNSNODATE")

    def finish(self, outcome: pd.DataFrame, code: str, origin: pd.DataFrame) -> pd.DataFrame:
        """Add parameter and origin."""
        return outcome.assign(
            PARAMCD=code, ORIGIN=origin["DAY"], STARTDT=origin["DATE"]
        ).reset_index(names="USUBJID")


def _survival(study: Observed) -> pd.DataFrame:
    death, alive = study.pick("DEATH"), study.pick("ALIVE")
    everybody = pd.Series(True, index=study.subjects)
    cases = [
        Case(death["DAY"].notna(), death, event="DEATH", event_day=death["DAY"]),
        Case(alive["DAY"].notna(), alive, study.left, "ALIVE"),
        Case(everybody, study.start, study.left, "START"),
    ]
    return study.finish(settle(study.subjects, cases), "OS", study.start)


def _assessed(
    study: Observed,
    code: str,
    rule: EndpointRule,
    origin: pd.DataFrame,
    planned: pd.DataFrame,
    baseline: pd.Series,
    tte: TimeToEventSettings,
) -> pd.DataFrame:
    """An endpoint whose events are seen at disease assessments.

    Censoring after FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and
    Biologics (December 2018), appendix on progression-free survival: no event, at the last
    adequate assessment; new therapy before the event, at the last one before it; event
    after missed assessments, at the last one before them; no assessment, at the origin. A
    retreatment or unplanned infusion is treated as a new therapy is.
    """
    handling = {
        "NEWTHERAPY": rule.new_therapy,
        "HSCT": rule.transplant,
        "REINFUSION": rule.reinfusion,
    }
    kinds = [*rule.events, *(k for k, h in handling.items() if h == "event")]
    zero = origin["DAY"].astype("float64")
    # Death may come on the day of the origin; what is seen at an assessment comes after it.
    seen = study.timeline["USUBJID"].map(zero).astype("float64")
    later = (study.timeline["DAY"] > seen) | (
        (study.timeline["KIND"] == "DEATH") & (study.timeline["DAY"] >= seen)
    )
    facts = study.timeline[later]
    event = pick(facts, study.subjects, list(dict.fromkeys(kinds)))
    stop = pick(facts, study.subjects, [k for k, h in handling.items() if h == "censor"])
    stopped = stop["DAY"].notna() & ~(stop["DAY"] >= event["DAY"])
    at_stop = pick(facts, study.subjects, ["ASSESSMENT"], until=stop["DAY"], last=True)
    before = pick_before_event(facts, study.subjects, event)
    latest = pick(facts, study.subjects, ["ASSESSMENT"], last=True)
    gaps = count_missed(planned, before["DAY"].fillna(zero), event["DAY"], tte.assessment_window)
    gaps = gaps.reindex(study.subjects).fillna(0)
    missed = event["DAY"].notna() & (gaps >= tte.missed_assessments) & (rule.missed == "censor")
    missed &= event["KIND"].isin(["PROGRESSION", "RELAPSE", "DEATH"])
    unknown = ~baseline.reindex(study.subjects).fillna(False).astype(bool)
    has_origin = zero.notna()
    left = study.left
    no_later = left if code == "DOR" else left.mask(left == "ONGOING", "CNSNOPOST")
    why_stopped = stop["KIND"].map(REASON_OF)
    seen_event = partial(Case, event=event["KIND"], event_day=event["DAY"])
    seen_stop = partial(Case, event=stop["KIND"], event_day=stop["DAY"])
    cases = [
        Case(has_origin & unknown & tte.baseline_required, origin, "CNSNOBASE", "START"),
        seen_stop(stopped & at_stop["DAY"].notna(), at_stop, why_stopped, "ASSESSMENT"),
        seen_stop(stopped, origin, why_stopped, "START"),
        seen_event(missed & before["DAY"].notna(), before, "CNSMISSED", "ASSESSMENT"),
        seen_event(missed, origin, "CNSMISSED", "START"),
        seen_event(event["DAY"].notna(), event),
        Case(latest["DAY"].notna(), latest, left, "ASSESSMENT"),
        Case(has_origin, origin, no_later, "START"),
    ]
    cases = [replace(case, rows=case.rows & has_origin) for case in cases]
    # The record of a subject without an origin names the infusion as its source.
    outcome = settle(study.subjects, [*cases, Case(~has_origin, study.start)])
    reason = pd.Series("", index=study.subjects, dtype=object).mask(~has_origin, "NORESPONSE")
    return study.finish(outcome.assign(REASND=reason), code, origin)


def pick_before_event(facts: pd.DataFrame, subjects: pd.Index, event: pd.DataFrame) -> pd.DataFrame:
    """Last adequate assessment before the event.

    Progression is seen at an assessment of its own day, which does not precede it; a death is
    not, and an assessment on its day shows that none was missed.
    """
    until = event["DAY"].astype("float64") - event["KIND"].ne("DEATH").astype("float64")
    return pick(facts, subjects, ["ASSESSMENT"], until=until, last=True)


def _time_to_response(study: Observed, first: pd.DataFrame) -> pd.DataFrame:
    """Time to the first response; progression, death and new therapy compete with it."""
    ends = study.pick("PROGRESSION", "RELAPSE", *COMPETING)
    latest = study.pick("ASSESSMENT", until=ends["DAY"], last=True)
    reason = ends["KIND"].map(REASON_OF).fillna(study.left)
    competing = partial(Case, event=ends["KIND"].fillna(""), event_day=ends["DAY"])
    none = reason.mask(reason == "ONGOING", "CNSNOPOST")
    everybody = pd.Series(True, index=study.subjects)
    cases = [
        Case(first["DAY"].notna(), first, event="RESPONSE", event_day=first["DAY"]),
        competing(latest["DAY"].notna(), latest, reason, "ASSESSMENT"),
        competing(everybody, study.start, none, "START"),
    ]
    return study.finish(settle(study.subjects, cases), "TTR", study.start)


def _time_to_new_therapy(study: Observed) -> pd.DataFrame:
    """Time to the first new therapy; death competes with it."""
    new, death, alive = study.pick("NEWTHERAPY"), study.pick("DEATH"), study.pick("ALIVE")
    died = death["DAY"].notna()
    everybody = pd.Series(True, index=study.subjects)
    cases = [
        Case(new["DAY"].notna(), new, event="NEWTHERAPY", event_day=new["DAY"]),
        Case(died, death, "CNSDEATH", "EVENT", "DEATH", death["DAY"]),
        Case(alive["DAY"].notna(), alive, study.left, "ALIVE"),
        Case(everybody, study.start, study.left, "START"),
    ]
    return study.finish(settle(study.subjects, cases), "TTNT", study.start)


def finish_adtte(parts: Sequence[pd.DataFrame], tte: TimeToEventSettings) -> pd.DataFrame:
    """Bring settled endpoints to the variables of ADTTE: days, numbers, words."""
    terms = read_resource("terms", "efficacy_parameters.yaml")
    reasons = read_resource("terms", "reason_codes.yaml")
    frame = pd.concat(parts, ignore_index=True)
    texts = ("CNSRSN", "DATED", "EVENTCD", "REASND", "STARTDT", "DATE", "SRCVAR")
    for name in texts:
        given = frame[name] if name in frame else pd.Series("", index=frame.index, dtype=object)
        frame[name] = given.fillna("").astype(object)
    derived = frame["REASND"] == ""
    censored = derived & (frame["CNSRSN"] != "")
    origin = frame["ORIGIN"].astype("float64")

    def since(name: str) -> pd.Series:
        days = frame[name].astype("float64") if name in frame else np.nan
        return (days - origin + tte.first_day).where(derived)

    words = frame["EVENTCD"].map({code: both["en"] for code, both in terms["events"].items()})
    why = frame["CNSRSN"].map({code: reasons[code]["en"] for code in terms["censoring"]})
    dated = {code: both["en"] for code, both in terms["censoring_dates"].items()}
    return pd.DataFrame(
        {
            "USUBJID": frame["USUBJID"],
            "PARAMCD": frame["PARAMCD"],
            "PARAM": frame["PARAMCD"].map({k: v["en"] for k, v in terms["endpoints"].items()}),
            "STARTDT": frame["STARTDT"],
            "ADT": frame["DATE"].where(derived, ""),
            "AVAL": since("DAY"),
            "AVALU": "d",
            "AVALLO": since("LOW"),
            "AVALHI": since("HIGH"),
            "CNSR": frame["CNSRSN"].map(terms["censoring"]).where(censored, 0.0).where(derived),
            "EVENTCD": frame["EVENTCD"].where(derived, ""),
            "EVENTDY": since("EVENTDAY"),
            "EVNTDESC": words.where(~censored, why).where(derived, "").fillna(""),
            "CNSDTDSC": frame["DATED"].map(dated).where(censored, "").fillna(""),
            "CNSRSN": frame["CNSRSN"].where(derived, ""),
            "REASND": frame["REASND"],
            "SRCDOM": frame["SRCDOM"],
            "SRCFILE": frame["SRCFILE"],
            "SRCROW": frame["SRCROW"],
            "SRCVAR": frame["SRCVAR"],
        }
    )
