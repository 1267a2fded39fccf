"""Dataset ADPERS: when the cells of each subject stopped to be quantifiable, and what ended that.

The loss itself comes from ADTTE (PERSIST, rule R20). Here it meets what competes with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.datasets import conform
from celldossier.settings.persistence import PersistenceSettings
from celldossier.terms.study_terms import STOPS

ENDPOINT = "PERSIST"
IGNORED = "PERSIGN"
AS_LOSS = "PERSLOS"
PARAMETERS = (ENDPOINT, IGNORED, AS_LOSS)
"""As the settings say; relapse disregarded; sampling that stopped at relapse is a loss there."""

RELAPSES = ("PROGRESSION", "RELAPSE")
"""Events after which samples do not count (R15)."""

STOPPED = "SAMPSTOP"


def read_persistence(
    adtte: pd.DataFrame, samples: pd.DataFrame, subjects: pd.Index, primary: str
) -> tuple[pd.DataFrame, str]:
    """Loss and competing events of each subject in elapsed days, and the analyte.

    The analyte, and the number that ADTTE gives to the day of the origin, are those of the
    samples which ADTTE names as its source.

    Parameters
    ----------
    samples
        From `celldossier.cellular_kinetics.analysis_datasets.select_samples`.
    subjects
        Subjects of the kinetics set.
    primary
        Analyte to take where one source record gave several.

    Returns
    -------
    tuple
        Index USUBJID: STUDYID, LO, HI, EVENTCD, EVENTDY, CNSRSN, REASND, RELAPSECD,
        RELAPSE, STOP, DIED, SEEN (days; NaN where there is none), LAST (last sample). STOP
        is the first new therapy, transplantation or re-infusion, also one after the loss.
        Empty, and an empty analyte, where ADTTE has no such endpoint.
    """
    records = adtte[(adtte["PARAMCD"] == ENDPOINT) & adtte["USUBJID"].isin(subjects)]
    source = records[records["REASND"] == ""].merge(
        samples[["USUBJID", "SRCFILE", "SRCROW", "PARAMCD", "AFRLT"]],
        on=["USUBJID", "SRCFILE", "SRCROW"],
        suffixes=("", "_S"),
    )
    if source.empty:
        return pd.DataFrame(), ""
    found = source["PARAMCD_S"].value_counts().sort_index()
    analyte = primary if primary in found.index else str(found.idxmax())
    own = source[source["PARAMCD_S"] == analyte]
    first_day = float(np.round((own["AVAL"] - own["AFRLT"]).median()))
    times = records.drop_duplicates("USUBJID").set_index("USUBJID").sort_index()
    facts = pd.DataFrame(
        {
            "STUDYID": times["STUDYID"],
            "LO": times["AVALLO"] - first_day,
            "HI": times["AVALHI"] - first_day,
            "EVENTCD": times["EVENTCD"],
            "EVENTDY": times["EVENTDY"] - first_day,
            "CNSRSN": times["CNSRSN"],
            "REASND": times["REASND"],
        }
    )
    relapse = _first_relapse(adtte)
    alive = adtte[adtte["PARAMCD"] == "OS"].drop_duplicates("USUBJID").set_index("USUBJID")
    last = samples[(samples["PARAMCD"] == analyte) & samples["AFRLT"].gt(0)]
    last = last[last["AVAL"].notna() | (last["BLQFL"] == "Y")]
    stop = _first_stop(adtte).reindex(facts.index).astype("float64") - first_day
    until = last["USUBJID"].map(stop).astype("float64")
    last = last[~(last["AFRLT"] > until)]
    seen = alive["AVAL"].astype("float64") - first_day
    return facts.assign(
        RELAPSECD=relapse["EVENTCD"].reindex(facts.index).fillna(""),
        RELAPSE=relapse["EVENTDY"].reindex(facts.index).astype("float64") - first_day,
        STOP=stop,
        DIED=seen.where(alive["CNSR"] == 0).reindex(facts.index),
        SEEN=seen.reindex(facts.index),
        LAST=last.groupby("USUBJID")["AFRLT"].max().reindex(facts.index),
    ), analyte


def _first_stop(adtte: pd.DataFrame) -> pd.Series:
    """Day of the first stop of each subject, by any endpoint that is counted from the infusion."""
    told = adtte["PARAMCD"].isin([ENDPOINT, "PFS", "EFS", "TTR", "TTNT"])
    return adtte[told & adtte["EVENTCD"].isin(STOPS)].groupby("USUBJID")["EVENTDY"].min()


def _first_relapse(adtte: pd.DataFrame) -> pd.DataFrame:
    """First progression or relapse of each subject, by the endpoints that record it."""
    seen = adtte[adtte["PARAMCD"].isin(["PFS", "EFS"]) & adtte["EVENTCD"].isin(RELAPSES)]
    seen = seen.sort_values(["USUBJID", "EVENTDY", "PARAMCD"], kind="stable")
    return seen.drop_duplicates("USUBJID").set_index("USUBJID")[["EVENTCD", "EVENTDY"]]


def derive_adpers(
    facts: pd.DataFrame,
    analyte: str,
    planned: Mapping[str, np.ndarray],
    settings: PersistenceSettings,
) -> pd.DataFrame:
    """Each subject under each of the three handlings of relapse.

    Parameters
    ----------
    facts
        From `read_persistence`.
    planned
        By study, planned sampling days of the analyte in rising order.

    Returns
    -------
    DataFrame
        Dataset ADPERS. Where a relapse competes and comes before the loss was seen, but
        after the last quantifiable sample, either may have come first: AVALHI is kept, and
        the subject is censored.
    """
    if facts.empty:
        return conform(pd.DataFrame(), "ADPERS")
    parts = []
    for code in PARAMETERS:
        competes = code == ENDPOINT and settings.relapse == "compete"
        frame = _settle(facts, planned, settings, competes, as_loss=code == AS_LOSS)
        parts.append(frame.assign(PARAMCD=code))
    frame = pd.concat(parts).rename_axis("USUBJID").reset_index()
    return conform(frame.assign(PARCAT1=analyte), "ADPERS")


def _settle(
    facts: pd.DataFrame,
    planned: Mapping[str, np.ndarray],
    settings: PersistenceSettings,
    competes: bool,
    as_loss: bool,
) -> pd.DataFrame:
    known = facts["REASND"] == ""
    low, high = facts["LO"], facts["HI"]
    lost = known & high.notna()
    relapse = facts["RELAPSE"]
    code = facts["EVENTCD"].mask(lost | ~known, "")
    day = facts["EVENTDY"].where(code != "")
    if competes:
        first = known & relapse.notna() & ~(relapse >= high) & ~(relapse > day)
        code, day = code.mask(first, facts["RELAPSECD"]), day.mask(first, relapse)
        lost &= ~first
        # Quantifiable after the relapse, hence at it; later samples say nothing more.
        low = low.mask(first & (relapse <= low), relapse)
        high = high.mask(first & (relapse <= low), np.nan)
    late = (code != "") & _had_stopped(facts, day, planned, settings) & ~(day <= low)
    late_code = code.where(late, "")
    code, day = code.mask(late, ""), day.mask(late)
    if as_loss:
        # Sampling stopped at the relapse: no sample after it, and none has shown a loss. Where
        # another event came first, or sampling had ended long before, it did not stop there.
        ended = known & ~lost & relapse.notna() & (facts["LAST"] <= relapse)
        ended &= ~(facts["EVENTDY"] < relapse)
        ended &= ~_had_stopped(facts, relapse, planned, settings)
        high = high.mask(ended, np.fmax(relapse, low))
        lost |= ended
        code, day = code.mask(ended, ""), day.mask(ended)
        late_code = late_code.mask(ended, "")
    either = known & ~lost & high.notna()
    reason = facts["CNSRSN"].mask(late_code != "", STOPPED).mask(code != "", "")
    return pd.DataFrame(
        {
            "STUDYID": facts["STUDYID"],
            "AVALLO": low.where(known),
            "AVALHI": high.where(lost | either),
            "CNSR": (1.0 - lost.astype(float)).where(known),
            "EVENTCD": code.mask(lost, "LOSS"),
            "EVENTDY": day.where(~lost),
            "LATECD": late_code,
            "LSTSDY": facts["LAST"],
            "CNSRSN": reason.mask(lost | ~known, ""),
            "REASND": facts["REASND"],
        }
    )


def _had_stopped(
    facts: pd.DataFrame,
    day: pd.Series,
    planned: Mapping[str, np.ndarray],
    settings: PersistenceSettings,
) -> pd.Series:
    """Whether sampling had stopped before an event: planned days went by, or none was left."""
    window = settings.sampling_window
    missed = _count_missed(facts, day, planned, window)
    ends = {study: float(days.max()) for study, days in planned.items() if len(days)}
    end = np.fmax(facts["STUDYID"].map(ends).astype("float64"), facts["LAST"])
    return (missed >= settings.missed_samples) | (day > end + window)


def _count_missed(
    facts: pd.DataFrame, day: pd.Series, planned: Mapping[str, np.ndarray], window: float
) -> pd.Series:
    """Planned sampling days strictly between the last sample and the event, windows left out."""
    counts = [
        float(((days > last + window) & (days < event - window)).sum())
        for days, last, event in zip(
            facts["STUDYID"].map(lambda study: planned.get(study, np.array([]))),
            facts["LAST"],
            day,
            strict=True,
        )
    ]
    return pd.Series(counts, index=facts.index, dtype="float64")


def list_planned_days(samples: pd.DataFrame, analyte: str) -> dict[str, np.ndarray]:
    """Planned sampling days of an analyte after the infusion, by study."""
    own = samples[(samples["PARAMCD"] == analyte) & (samples["NFRLT"] > 0)]
    return {
        str(study): np.unique(rows.to_numpy(dtype=float))
        for study, rows in own.groupby("STUDYID", sort=True)["NFRLT"]
    }
