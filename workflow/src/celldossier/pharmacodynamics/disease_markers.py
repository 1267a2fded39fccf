"""Markers of the disease: baseline, change by visit, best change; residual disease.

==================== ============== ==============================================================
analysis             by             statistics
==================== ============== ==============================================================
disease              -              n_set (infused subjects of studies that measured it),
                                    n_evaluable, and n_<reason> of those who are not
disease_base         -              block of the baseline of evaluable subjects
disease_visit        visit          block of the percent change from baseline, n_blq
disease_best         group          block of the best percent change, n_below_half (fall of 50% or
                                    more), n_limit (best change beyond a limit: a bound)
residual             visit          n (tested), n_found (negative), pct, pct_low, pct_high
residual_best        -              the same of all who were tested (ADRS.MRDNEG)
==================== ============== ==============================================================

The variable is the marker; groups are all, RESPONDER, NONRESPONDER, UNKNOWN. The best change is the
lowest percent change of the assessments after the infusion up to the first progression or relapse
(that at which it was found included) and before a new therapy, as the settings say. A result below
its limit counts as the limit: the fall is at least so deep.
Curves: `disease_best/<marker>`, one point a subject (series the subject; x the rank; y the change;
high the bound where it is one), and `disease_course/<marker>`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.samples import (
    BASELINE,
    Group,
    end_at_new_treatment,
    first_of_visit,
    list_groups,
    list_visits,
    marker_samples,
)
from celldossier.pharmacodynamics.study import Sources, Study
from celldossier.pharmacodynamics.summaries import add_block, add_share
from celldossier.results import ResultCollector
from celldossier.settings.disease_markers import DiseaseMarkerSettings

REASONS = ("NOPDBASE", "BASEZERO", "NOPDPOST", "NOCOUNTED")
"""Why a subject has no best change: no baseline, baseline 0 or below the limit, no result after
the infusion, none that counts."""

BEST, COURSE = "pharmacodynamics.disease_best", "pharmacodynamics.disease_course"


def collect_disease_markers(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the analyses of this module; give the curves."""
    points: list[dict[str, object]] = []
    groups = list_groups(study, "response")
    for marker in study.settings.disease.markers:
        samples = marker_samples(study, marker)
        if samples.empty:
            continue
        counted = measure_changes(samples, study.sources, study.settings.disease)
        subjects = best_changes(samples, counted, _asked(study, marker))
        _add_marker(out, marker, groups, subjects, counted)
        points += _curves(marker, subjects, counted)
    _add_residual(out, study.sources)
    return points


def measure_changes(
    samples: pd.DataFrame, sources: Sources, settings: DiseaseMarkerSettings
) -> pd.DataFrame:
    """Results after the infusion that count, with PCHG, percent change from baseline.

    A result below its limit is taken at the limit (twice the half of it that VALUE holds). BOUND
    marks where the fall is at least so deep: such results, and those against a baseline above
    its limit. Above a limit at both nothing is known of the change.
    """
    rows = samples[samples["VISIT"] != BASELINE]
    base = samples[samples["VISIT"] == BASELINE].drop_duplicates("USUBJID").set_index("USUBJID")
    usable = base.loc[~base["BLQ"] & (base["VALUE"] > 0), "VALUE"]
    start = rows["USUBJID"].map(usable).astype("float64")
    value = rows["VALUE"].mask(rows["BLQ"], 2 * rows["VALUE"])
    high = rows["USUBJID"].isin(base.index[base["ALQ"]])
    change = (100 * (value - start) / start).mask(high & rows["ALQ"])
    rows = rows.assign(PCHG=change, BOUND=rows["BLQ"] | high)
    if settings.until_new_therapy:
        rows = end_at_new_treatment(rows, sources)
    if settings.until_progression:
        called = sources.adrs[
            (sources.adrs["PARAMCD"] == "OVR")
            & sources.adrs["EVENTCD"].isin(["PROGRESSION", "RELAPSE"])
            & (sources.adrs["AFRLT"] > 0)
        ]
        first = called.groupby("USUBJID")["AFRLT"].min()
        until = rows["USUBJID"].map(first).astype("float64") + settings.progression_window
        rows = rows[~(rows["DAY"] > until)]
    return rows[rows["PCHG"].notna()].reset_index(drop=True)


def best_changes(samples: pd.DataFrame, counted: pd.DataFrame, asked: pd.Index) -> pd.DataFrame:
    """Best percent change of each subject, or why there is none.

    Returns
    -------
    pandas.DataFrame
        Index USUBJID: BEST (percent), DAY, BOUND (the fall is at least so deep), BASE,
        REASON (blank where BEST is known).
    """
    ordered = counted.sort_values(["USUBJID", "PCHG", "DAY"], kind="stable")
    best = ordered.drop_duplicates("USUBJID").set_index("USUBJID")
    base = samples[samples["VISIT"] == BASELINE].drop_duplicates("USUBJID").set_index("USUBJID")
    base = base.reindex(asked)
    after = set(samples.loc[samples["VISIT"] != BASELINE, "USUBJID"])
    found = best.reindex(asked)
    reason = np.select(
        [
            found["PCHG"].notna(),
            base["VALUE"].isna(),
            (base["VALUE"] <= 0) | base["BLQ"].eq(True),
            ~asked.isin(after),
        ],
        ["", *REASONS[:3]],
        REASONS[3],
    )
    return pd.DataFrame(
        {
            "BEST": found["PCHG"],
            "DAY": found["DAY"],
            "BOUND": found["BOUND"].eq(True),
            "BASE": base["VALUE"],
            "REASON": pd.Series(reason, index=asked, dtype=object),
        }
    )


def _asked(study: Study, marker: str) -> pd.Index:
    """Infused subjects of the studies, and of the indications, in which the marker was measured."""
    adsl, adpd = study.sources.adsl, study.sources.adpd
    infused = adsl[adsl["SAFFL"] == "Y"].drop_duplicates("USUBJID")
    measured = set(adpd.loc[adpd["PARAMCD"] == marker, "USUBJID"])
    places = infused.loc[infused["USUBJID"].isin(measured), ["STUDYID", "INDIC"]]
    own = infused.merge(places.drop_duplicates(), on=["STUDYID", "INDIC"])
    subjects: pd.Index = pd.Index(np.sort(own["USUBJID"].to_numpy()), name="USUBJID")
    return subjects


def _add_marker(
    out: ResultCollector,
    marker: str,
    groups: list[Group],
    subjects: pd.DataFrame,
    counted: pd.DataFrame,
) -> None:
    where = f"SAFFL = Y; PARAMCD = {marker}"
    known = subjects[subjects["REASON"] == ""]
    reasons = {f"n_{code.lower()}": int((subjects["REASON"] == code).sum()) for code in REASONS}
    out.add(
        "disease",
        {"n_set": len(subjects), "n_evaluable": len(known), **reasons},
        dataset="ADPD",
        variable=marker,
        where=where,
        n=len(subjects),
        method="count",
    )
    unit = str(counted["UNIT"].iloc[0]) if len(counted) else ""
    place: dict[str, Any] = {"variable": marker, "analyte": "", "where": where}
    add_block(out, "disease_base", known["BASE"], by={}, unit=unit, **place)
    rows = first_of_visit(counted)
    for visit in list_visits(rows):
        own = rows[rows["VISIT"] == visit]
        extra = {"n_blq": float(own["BLQ"].sum())}
        by = {"visit": visit}
        add_block(out, "disease_visit", own["PCHG"], by=by, unit="%", extra=extra, **place)
    for group in groups:
        own = known[known.index.isin(group.subjects)]
        extra = {
            "n_below_half": float((own["BEST"] <= -50).sum()),
            "n_limit": float(own["BOUND"].sum()),
        }
        add_block(out, "disease_best", own["BEST"], by=group.by, unit="%", extra=extra, **place)


def _add_residual(out: ResultCollector, sources: Sources) -> None:
    """Minimal residual disease by visit, and of all who were tested."""
    infused = set(sources.adsl.loc[sources.adsl["SAFFL"] == "Y", "USUBJID"])
    tests = sources.adrs[
        (sources.adrs["PARAMCD"] == "MRD")
        & (sources.adrs["AFRLT"] > 0)
        & (sources.adrs["AVALC"] != "")
        & sources.adrs["USUBJID"].isin(infused)
    ]
    if tests.empty:
        return
    planned = tests["NFRLT"].map(lambda day: "" if math.isnan(day) else f"{day:g}")
    visits = tests.assign(VISIT=tests["AVISIT"].where(tests["AVISIT"] != "", planned))
    visits = visits[visits["VISIT"] != ""].sort_values("AFRLT", kind="stable")
    visits = visits.drop_duplicates(["USUBJID", "VISIT"], keep="last")
    place: dict[str, Any] = {"variable": "MRD", "analyte": "", "dataset": "ADRS"}
    for visit, own in visits.groupby("VISIT", sort=True):
        negative = int((own["AVALC"] == "NEGATIVE").sum())
        by = {"visit": str(visit)}
        where = f"SAFFL = Y; PARAMCD = MRD; {visit}"
        add_share(out, "residual", negative, len(own), by=by, where=where, **place)
    overall = sources.adrs[
        (sources.adrs["PARAMCD"] == "MRDNEG")
        & sources.adrs["AVALC"].isin(["Y", "N"])
        & sources.adrs["USUBJID"].isin(infused)
    ]
    add_share(
        out,
        "residual_best",
        int((overall["AVALC"] == "Y").sum()),
        len(overall),
        by={},
        where="SAFFL = Y; PARAMCD = MRDNEG",
        **place,
    )


def _curves(marker: str, subjects: pd.DataFrame, counted: pd.DataFrame) -> list[dict[str, object]]:
    """Best changes, from the worst to the best, and the course of each evaluable subject."""
    known = subjects[subjects["REASON"] == ""].rename_axis("USUBJID").reset_index()
    known = known.sort_values(["BEST", "USUBJID"], ascending=[False, True], kind="stable")
    shared = {"y_unit": "%", "kind": "observed", "n": 1.0}
    points: list[dict[str, object]] = [
        {
            "curve_id": f"{BEST}/{marker}",
            "series": row.USUBJID,
            "x": float(rank),
            "y": row.BEST,
            "low": math.nan,
            "high": row.BEST if row.BOUND else math.nan,
            "x_unit": "",
            **shared,
        }
        for rank, row in enumerate(known.itertuples(), start=1)
    ]
    start = counted.drop_duplicates("USUBJID").assign(DAY=0.0, PCHG=0.0, BOUND=False)
    course = pd.concat([start, counted], ignore_index=True)
    points += [
        {
            "curve_id": f"{COURSE}/{marker}",
            "series": row.USUBJID,
            "x": row.DAY,
            "y": row.PCHG,
            "low": math.nan,
            "high": row.PCHG if row.BOUND else math.nan,
            "x_unit": "d",
            **shared,
        }
        for row in course.itertuples()
    ]
    return points
