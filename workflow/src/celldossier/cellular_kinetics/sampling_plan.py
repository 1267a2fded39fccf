"""Planned against collected samples: the schedule of the protocol and each subject's time on study.

What is planned follows from the schedule of the config, the doses that were given and the days
on which the subject was under observation; never from the samples that exist.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.sampling import PlannedSamples, SamplingRules
from celldossier.terms.study_terms import NEW_THERAPY, NOT_PLANNED

PLANNED_DOSES = ("FIRST", "SPLIT", "REPEAT")
"""ADEX.DOSETYPE of doses whose samples the protocol plans."""

_SAME_DAY = 2  # decimals: nominal times nearer than a quarter of an hour are one
_EVENT_ORDER = ("DIED", "ENDPROG", "ENDNEWTX", "ENDREINF", "ENDOBS")


def time_key(days: pd.Series) -> pd.Series:
    """Nominal times as keys: rounded, so that one hour is 0.04 however it was written."""
    return days.astype("float64").round(_SAME_DAY) + 0.0


def find_end_of_plan(
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    adrs: pd.DataFrame,
    adcm: pd.DataFrame,
    ends: Sequence[str],
) -> pd.DataFrame:
    """When the planned sampling of each infused subject ends, and why.

    Parameters
    ----------
    ends
        Events that end the plan beside death and the end of observation.

    Returns
    -------
    DataFrame
        Index USUBJID; DAY (days from the first infusion) and REASON: DIED, ENDPROG, ENDNEWTX,
        ENDREINF or ENDOBS (last day on which the subject was seen, at most the data
        cut-off). Of events on one day the first of these.
    """
    subjects = adsl[adsl["SAFFL"] == "Y"].drop_duplicates("USUBJID")
    seen = subjects["LSTALVDY"].fillna(subjects["LSTDY"])
    parts = [
        pd.DataFrame({"USUBJID": subjects["USUBJID"], "DAY": subjects["DTHDY"], "REASON": "DIED"}),
        pd.DataFrame({"USUBJID": subjects["USUBJID"], "DAY": seen, "REASON": "ENDOBS"}),
    ]
    if "PROGRESSION" in ends:
        worse = adrs[(adrs["PARAMCD"] == "OVR") & (adrs["EVENTCD"] != "") & (adrs["AFRLT"] > 0)]
        parts.append(_events(worse, "AFRLT", "ENDPROG"))
    if NEW_THERAPY in ends:
        therapy = adcm[(adcm["CMCLASS"] == NEW_THERAPY) & (adcm["ASTDY"] > 0)]
        parts.append(_events(therapy, "ASTDY", "ENDNEWTX"))
    if "REINFUSION" in ends:
        again = adex[adex["DOSETYPE"].isin(NOT_PLANNED) & (adex["AFRLT"] > 0)]
        parts.append(_events(again, "AFRLT", "ENDREINF"))
    events = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    # The last record of a subject who died later is no end of its observation.
    dead = events["USUBJID"].isin(subjects.loc[subjects["DTHDY"].notna(), "USUBJID"])
    events = events[events["DAY"].notna() & ~(dead & (events["REASON"] == "ENDOBS"))]
    order = events["REASON"].map({reason: place for place, reason in enumerate(_EVENT_ORDER)})
    events = events.assign(ORDER=order).sort_values(["USUBJID", "DAY", "ORDER"], kind="stable")
    return events.drop_duplicates("USUBJID").set_index("USUBJID")[["DAY", "REASON"]]


def _events(rows: pd.DataFrame, variable: str, reason: str) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": rows["USUBJID"], "DAY": rows[variable], "REASON": reason})


def list_planned(
    rules: SamplingRules,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    analytes: Sequence[str],
    ends: pd.DataFrame,
) -> pd.DataFrame:
    """The samples that the protocol asks of each infused subject while it is under observation.

    Returns
    -------
    DataFrame
        USUBJID, PARAMCD, NFRLT (key of `time_key`); nothing where no schedule is declared.
    """
    subjects = adsl.loc[adsl["SAFFL"] == "Y", ["STUDYID", "USUBJID"]].drop_duplicates("USUBJID")
    doses = adex[adex["DOSETYPE"].isin(PLANNED_DOSES)]
    # The first dose is day 0; a later one without a planned time counts from when it was given.
    nominal = doses["NFRLT"].mask(doses["DOSENO"] == 1, doses["NFRLT"].fillna(0.0))
    doses = doses.assign(NFRLT=nominal.fillna(doses["AFRLT"]))
    parts = [_plan(entry, subjects, doses, analytes) for entry in rules.schedule]
    empty = pd.DataFrame({"USUBJID": [], "PARAMCD": [], "NFRLT": []})
    planned = pd.concat(parts, ignore_index=True) if parts else empty
    planned = planned.astype({"USUBJID": object, "PARAMCD": object, "NFRLT": "float64"})
    planned["NFRLT"] = time_key(planned["NFRLT"])
    last = planned["USUBJID"].map(ends["DAY"]).astype("float64")
    # The sample before the infusion is planned for all who were infused.
    kept = planned[(planned["NFRLT"] <= 0) | (planned["NFRLT"] <= last)].drop_duplicates()
    return kept.sort_values(["USUBJID", "PARAMCD", "NFRLT"], kind="stable", ignore_index=True)


def _plan(
    entry: PlannedSamples, subjects: pd.DataFrame, doses: pd.DataFrame, analytes: Sequence[str]
) -> pd.DataFrame:
    """The planned samples of one entry of the schedule."""
    here = subjects if not entry.study else subjects[subjects["STUDYID"] == entry.study]
    wanted = [code for code in analytes if not entry.analytes or code in entry.analytes]
    grid = pd.MultiIndex.from_product([wanted, entry.days], names=["PARAMCD", "DAY"])
    if entry.origin == "first_infusion":
        origins = here[["USUBJID"]].assign(START=0.0)
    else:
        given = doses[doses["USUBJID"].isin(here["USUBJID"])]
        if entry.doses:
            given = given[given["DOSENO"].isin(entry.doses)]
        origins = given[["USUBJID"]].assign(START=given["NFRLT"].astype("float64"))
    rows = origins.merge(grid.to_frame(index=False), how="cross")
    return rows[["USUBJID", "PARAMCD"]].assign(NFRLT=rows["START"] + rows["DAY"])


def compare_with_plan(
    planned: pd.DataFrame, samples: pd.DataFrame, stops: pd.DataFrame
) -> pd.DataFrame:
    """Each planned sample and what became of it, and the samples that were not planned.

    Parameters
    ----------
    planned
        From `list_planned`.
    samples
        Samples of the kinetics analysis with a nominal time; one a subject, analyte and
        nominal time counts, the first with a result.
    stops
        Index USUBJID and PARAMCD; STOPDAY: actual time of the second of two consecutive
        results below the limit after the peak.

    Returns
    -------
    DataFrame
        USUBJID, PARAMCD, NFRLT, STATUS (TAKEN; STOPPED: not taken after two consecutive
        results below the limit; MISSED; EXTRA: taken and not planned), and of the sample AFRLT,
        HASRES, BLQFL, TIMEDEV and WINFL.
    """
    result = samples["AVAL"].notna() | (samples["BLQFL"] == "Y")
    taken = samples.assign(NFRLT=time_key(samples["NFRLT"]), HASRES=result)
    taken = taken[taken["NFRLT"].notna()].sort_values(
        ["USUBJID", "PARAMCD", "NFRLT", "HASRES", "AFRLT"],
        ascending=[True, True, True, False, True],
        kind="stable",
    )
    keys = ["USUBJID", "PARAMCD", "NFRLT"]
    taken = taken.drop_duplicates(keys)
    columns = [*keys, "AFRLT", "HASRES", "BLQFL", "TIMEDEV", "WINFL"]
    both = planned.assign(PLANNED=True).merge(taken[columns], on=keys, how="outer", indicator=True)
    both = both.sort_values(keys, kind="stable", ignore_index=True)
    stopped = stops.reindex(pd.MultiIndex.from_frame(both[["USUBJID", "PARAMCD"]]))
    after = both["NFRLT"].to_numpy() > stopped["STOPDAY"].to_numpy()
    side = both["_merge"].astype(str)
    both["STATUS"] = np.select(
        [side == "both", side == "right_only", after], ["TAKEN", "EXTRA", "STOPPED"], "MISSED"
    ).astype(object)
    both["HASRES"] = both["HASRES"].eq(True)
    for name in ("BLQFL", "WINFL"):
        both[name] = both[name].fillna("").astype(object)
    return both[[*keys, "STATUS", "AFRLT", "HASRES", "BLQFL", "TIMEDEV", "WINFL"]]
