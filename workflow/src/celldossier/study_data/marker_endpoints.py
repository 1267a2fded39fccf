"""Endpoints of ADTTE that are seen at samples: persistence of the cells, recovery of markers.

Such an event lies between two samples; the interval is kept (AVALLO, AVALHI).
"""

from __future__ import annotations

import pandas as pd

from celldossier.settings.time_to_event import RecoveryRule
from celldossier.study_data.time_to_event import COMPETING, REASON_OF
from celldossier.study_data.timeline import LEFT_STUDY, pick
from celldossier.terms.study_terms import STOPS

SAMPLE = ["USUBJID", "DAY", "DATE", "SRCDOM", "SRCFILE", "SRCROW"]


def derive_persistence(adpc: pd.DataFrame, analyte: str, timeline: pd.DataFrame) -> pd.DataFrame:
    """Time to the loss of persistence in blood (rule R20 of the NCA rules).

    Loss is the first of two consecutive samples below the limit of quantitation after
    the peak (draft guideline, lines 195 to 197); it lies after the last quantifiable
    sample before it. Without loss, also after a single sample below the limit, a subject
    is censored at the last quantifiable sample. Samples after a new therapy, a
    transplantation, a retreatment or an unplanned infusion do not count (R15); these and
    death compete.
    """
    samples = adpc[(adpc["PARAMCD"] == analyte) & (adpc["ANL01FL"] == "Y") & (adpc["AFRLT"] > 0)]
    samples = _prepare(samples, timeline)
    # Two results of one time are not consecutive; one that is quantifiable says so of the time.
    samples = samples.assign(BLQ=samples["BLQFL"] == "Y").sort_values(
        ["USUBJID", "DAY", "BLQ", "SRCFILE", "SRCROW"], kind="stable"
    )
    samples = samples.drop_duplicates(["USUBJID", "DAY"])
    subject = samples["USUBJID"]
    level = samples["AVAL"].where(~samples["BLQ"])
    peak = level.groupby(subject).transform("max")
    first = samples["DAY"].where(level == peak).groupby(subject).transform("min")
    next_low = samples.groupby("USUBJID")["BLQ"].shift(-1).eq(True)
    lost = samples["BLQ"] & next_low & (samples["DAY"] > first)
    loss = samples[lost].drop_duplicates("USUBJID").set_index("USUBJID")
    seen = samples[~samples["BLQ"] & samples["AVAL"].notna()]
    until = seen["USUBJID"].map(loss["DAY"]).astype("float64")
    held = seen[~(seen["DAY"] > until)].drop_duplicates("USUBJID", keep="last")
    return _settle_samples(
        "PERSIST", timeline, loss, held.set_index("USUBJID"), samples, "BLQALL", "LOSS"
    )


def derive_recovery(
    code: str, rule: RecoveryRule, adpd: pd.DataFrame, timeline: pd.DataFrame
) -> pd.DataFrame:
    """Time to recovery of a marker, or how long it stayed below its threshold (BCAPL).

    A subject whose baseline lies below the threshold is below it from the infusion; any
    other from the first later sample below it. Recovery is the first sample after that
    from which on `consecutive` samples reach the threshold. A result below the limit of
    quantitation lies below the threshold. Who was never below it has no value.
    """
    rows = adpd[(adpd["PARAMCD"] == rule.analyte) & (adpd["AVALU"] == rule.unit)]
    value = rows["AVAL"].mask(rows["BLQFL"] == "Y", 0.0)
    rows = rows.assign(LOW=value < rule.at_least).loc[value.notna()]
    baseline = rows[rows["ABLFL"] == "Y"].drop_duplicates("USUBJID").set_index("USUBJID")
    samples = _prepare(rows[rows["AFRLT"] > 0], timeline)
    subject = samples["USUBJID"]
    first = samples[samples["LOW"]].drop_duplicates("USUBJID").set_index("USUBJID")["DAY"]
    start_low = subject.map(baseline["LOW"]).eq(True)
    since = subject.map(first).astype("float64").mask(start_low, 0.0)
    good = ~samples["LOW"]
    held = good.copy()
    for ahead in range(1, rule.consecutive):
        held &= good.groupby(subject).shift(-ahead).eq(True)
    recovered = samples[held & (samples["DAY"] > since)].drop_duplicates("USUBJID")
    event = recovered.set_index("USUBJID")
    at_risk = samples[since.notna()]
    until = at_risk["USUBJID"].map(event["DAY"]).astype("float64")
    before = at_risk[~(at_risk["DAY"] >= until)].drop_duplicates("USUBJID", keep="last")
    last = before.set_index("USUBJID")
    outcome = _settle_samples(code, timeline, event, last, samples, "NEVERLOW", "RECOVERY")
    # Recovered at the first sample: until then only the infusion is known to lie below.
    risk = set(at_risk["USUBJID"])
    outcome["REASND"] = outcome["REASND"].mask(outcome["USUBJID"].isin(risk), "")
    recovered_first = outcome["USUBJID"].isin(event.index) & outcome["LOW"].isna()
    outcome["LOW"] = outcome["LOW"].mask(recovered_first, 0.0)
    if code == "BCAPL":
        starts = at_risk.assign(SINCE=since[since.notna()]).drop_duplicates("USUBJID")
        day = outcome["USUBJID"].map(starts.set_index("USUBJID")["SINCE"])
        dates = samples.drop_duplicates(["USUBJID", "DAY"]).set_index(["USUBJID", "DAY"])["DATE"]
        keys = pd.MultiIndex.from_arrays([outcome["USUBJID"], day])
        later = pd.Series(dates.reindex(keys).to_numpy(), index=outcome.index)
        outcome["ORIGIN"] = day.astype("float64").fillna(0.0)
        outcome["STARTDT"] = outcome["STARTDT"].where(~(day > 0), later)
    return outcome


def _prepare(samples: pd.DataFrame, timeline: pd.DataFrame) -> pd.DataFrame:
    """Samples in order of time, without those after what ends the course."""
    stops = timeline[timeline["KIND"].isin(STOPS)].groupby("USUBJID")["TIME"].min()
    until = samples["USUBJID"].map(stops).astype("float64")
    kept = samples[~(samples["AFRLT"] > until)]
    kept = kept.assign(DAY=kept["AFRLT"], DATE=kept["ADTM"].str.slice(0, 10))
    return kept.sort_values(["USUBJID", "DAY", "SRCFILE", "SRCROW"], kind="stable")


def _settle_samples(
    code: str,
    timeline: pd.DataFrame,
    event: pd.DataFrame,
    last: pd.DataFrame,
    samples: pd.DataFrame,
    no_risk: str,
    name: str,
) -> pd.DataFrame:
    """Event at its sample, else censored at the last one without it.

    Parameters
    ----------
    event, last
        By subject: the sample with the event, and the last before it without.
    no_risk
        Reason of those who have samples and were never at risk.
    """
    start = timeline[timeline["KIND"] == "START"].drop_duplicates("USUBJID")
    start = start.set_index("USUBJID").sort_index()
    subjects = pd.Index(start.index)
    event, last = event.reindex(subjects), last.reindex(subjects)
    occurred, held = event["DAY"].notna(), last["DAY"].notna()
    ends = pick(timeline, subjects, COMPETING)
    gone = pick(timeline, subjects, list(LEFT_STUDY), last=True)["KIND"].map(LEFT_STUDY)
    reason = ends["KIND"].map(REASON_OF).astype(object).where(ends["KIND"].notna(), gone)
    reason = reason.where(reason.notna(), "ONGOING")
    sampled = pd.Series(subjects.isin(samples["USUBJID"]), index=subjects)
    missing = pd.Series("NOSAMPLE", index=subjects, dtype=object).mask(sampled, no_risk)
    outcome = start[["DAY", "DATE", "SRCDOM", "SRCFILE", "SRCROW", "SRCVAR"]].astype(object)
    for rows, fact in ((held, last), (occurred, event)):
        shown = fact[["DAY", "DATE", "SRCDOM", "SRCFILE", "SRCROW"]].assign(
            SRCVAR=fact["SRCDOM"] + "DTC"
        )
        outcome = outcome.where(~rows, shown)
    dated = "QUANTIFIABLE" if name == "LOSS" else "SAMPLE"
    return outcome.assign(
        LOW=last["DAY"],
        HIGH=event["DAY"],
        CNSRSN=reason.where(~occurred, ""),
        DATED=dated,
        EVENTCD=ends["KIND"].fillna("").mask(occurred, name),
        EVENTDAY=ends["DAY"].mask(occurred, event["DAY"]),
        REASND=missing.mask(occurred | held, ""),
        PARAMCD=code,
        ORIGIN=start["DAY"],
        STARTDT=start["DATE"],
    ).reset_index(names="USUBJID")
