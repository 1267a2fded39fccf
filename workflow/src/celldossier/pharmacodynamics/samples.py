"""Results of a marker as rows in the order of time, and the groups in which they are summarised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.courses import find_course_ends
from celldossier.pharmacodynamics.study import Sources, Study, follows_infusion
from celldossier.terms.study_terms import RESPONSE_GROUPS, UNKNOWN

BASELINE = "BASELINE"
"""Visit of the baseline result."""


@dataclass(frozen=True)
class Group:
    """One cell of a grouping: its levels, and the subjects in it."""

    by: dict[str, str]
    subjects: frozenset[str]


def list_groups(study: Study, *keys: str, metric: str = "") -> list[Group]:
    """All infused subjects, then those of each level of `keys`.

    Parameters
    ----------
    keys
        ``dose`` (left out where the settings do not ask for it), ``response`` (best overall
        response) and ``exposure`` (LOW to the median of `metric`, HIGH above it).
    metric
        Parameter of ADPP of the analyte of the settings, over the course.
    """
    adsl = study.sources.adsl
    infused = adsl[adsl["SAFFL"] == "Y"].drop_duplicates("USUBJID").set_index("USUBJID")
    groups = [Group({}, frozenset(infused.index))]
    for key in keys:
        if key == "dose":
            levels = infused["TRT01A"] if study.settings.by_dose else infused["TRT01A"].iloc[:0]
        elif key == "response":
            levels = response_levels(study.sources, infused.index)
        else:
            levels = exposure_levels(study, metric).reindex(infused.index).fillna("")
        levels = levels[levels != ""]
        for level, rows in levels.groupby(levels, sort=True):
            groups.append(Group({key: str(level)}, frozenset(rows.index)))
    return groups


def response_levels(sources: Sources, subjects: pd.Index) -> pd.Series:
    """RESPONDER, NONRESPONDER or UNKNOWN by best overall response; blank where not collected."""
    best = sources.adrs[sources.adrs["PARAMCD"] == "BOR"].drop_duplicates("USUBJID")
    if best.empty:
        return pd.Series("", index=subjects, dtype=object)
    known = best.set_index("USUBJID")["RESPFL"].map(RESPONSE_GROUPS)
    return subjects.to_series().map(known).fillna(UNKNOWN)


def exposure_levels(study: Study, metric: str) -> pd.Series:
    """LOW to the median of the metric, HIGH above it; subjects without the metric are left out."""
    adpp = study.sources.adpp
    rows = adpp[
        (adpp["PARAMCD"] == metric)
        & (adpp["PARCAT1"] == study.settings.analyte)
        & (adpp["PROFTYP"] == "COURSE")
        & adpp["AVAL"].notna()
    ].drop_duplicates("USUBJID")
    values = rows.set_index("USUBJID")["AVAL"]
    levels = np.where(values > values.median(), "HIGH", "LOW")
    return pd.Series(levels, index=values.index, dtype=object)


def marker_samples(study: Study, analyte: str, specimen: str = "") -> pd.DataFrame:
    """Results of a marker in its most frequent specimen and unit, in the order of time.

    Returns
    -------
    pandas.DataFrame
        USUBJID; DAY, days from the first infusion; VISIT, the planned day, else the name of the
        visit, `BASELINE` for the baseline result; VALUE, half of the limit where the result is
        below it (0 where no limit is known); BLQ; ALQ; BASE (baseline, likewise); UNIT; ADTM;
        ASPEC.
        One row a subject and time: the lowest value. Results before the infusion other than the
        baseline are left out.
    """
    adpd = study.sources.adpd
    rows = adpd[adpd["PARAMCD"] == analyte]
    for column, wanted in (("ASPEC", specimen), ("AVALU", "")):
        if len(rows):
            chosen = wanted or str(rows[column].value_counts().sort_index().idxmax())
            rows = rows[rows[column] == chosen]
    below = rows["BLQFL"] == "Y"
    value = rows["AVAL"].mask(below, rows["ALLOQ"].fillna(0.0) / 2)
    planned = rows["NFRLT"].map(lambda day: "" if math.isnan(day) else f"{day:g}")
    is_base = rows["ABLFL"] == "Y"
    # A visit that the site calls so and that follows the infusion is no baseline.
    named = rows["AVISIT"].mask(rows["AVISIT"] == BASELINE, "")
    visit = planned.where(planned != "", named).mask(is_base, BASELINE)
    samples = pd.DataFrame(
        {
            "USUBJID": rows["USUBJID"],
            "DAY": rows["AFRLT"],
            "VISIT": visit.astype(object),
            "PLANNED": rows["NFRLT"].mask(is_base, -math.inf),
            "VALUE": value.astype("float64"),
            "BLQ": below,
            "ALQ": rows["ALQFL"] == "Y",
            "UNIT": rows["AVALU"],
            "ADTM": rows["ADTM"],
            "ASPEC": rows["ASPEC"],
        }
    )
    after = follows_infusion(samples["DAY"], samples["PLANNED"])
    samples = samples[samples["VALUE"].notna() & (is_base | after)]
    samples = samples.sort_values(["USUBJID", "DAY", "VALUE"], kind="stable")
    # A baseline of day 0 and a later sample of that day are two times.
    samples = samples.assign(FIRST=samples["VISIT"] == BASELINE)
    samples = samples.sort_values(
        ["USUBJID", "DAY", "FIRST"], ascending=[True, True, False], kind="stable"
    )
    samples = samples.drop_duplicates(["USUBJID", "DAY", "FIRST"]).drop(columns="FIRST")
    start = samples[samples["VISIT"] == BASELINE].drop_duplicates("USUBJID")
    base = samples["USUBJID"].map(start.set_index("USUBJID")["VALUE"]).astype("float64")
    return samples.assign(BASE=base).reset_index(drop=True)


def end_at_new_treatment(samples: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Leave out samples after the end of the course, as `find_course_ends` has it."""
    until = samples["USUBJID"].map(find_course_ends(sources)).astype("float64")
    return samples[~(samples["DAY"] > until)].reset_index(drop=True)


def list_visits(samples: pd.DataFrame) -> list[str]:
    """Visits in the order of time: baseline, planned days, then visits without one."""
    order = samples.groupby("VISIT").agg(PLANNED=("PLANNED", "min"), DAY=("DAY", "median"))
    order = order.assign(PLANNED=order["PLANNED"].fillna(math.inf))
    return [str(v) for v in order.sort_values(["PLANNED", "DAY"]).index if v]


def keep_days(samples: pd.DataFrame, days: Sequence[float]) -> pd.DataFrame:
    """Samples of those planned days, of the baseline and without a planned day; all where blank."""
    planned = samples["PLANNED"]
    kept = planned.isin(days) | planned.isna() | (samples["VISIT"] == BASELINE)
    return samples[kept] if days else samples


def first_of_visit(samples: pd.DataFrame) -> pd.DataFrame:
    """One row a subject and visit: the sample nearest to the planned day, then the first."""
    away = (samples["DAY"] - samples["PLANNED"]).abs().where(samples["VISIT"] != BASELINE, 0.0)
    ordered = samples.assign(AWAY=away).sort_values(["USUBJID", "VISIT", "AWAY", "DAY"])
    return ordered.drop_duplicates(["USUBJID", "VISIT"]).drop(columns="AWAY").sort_index()
