"""Cytopenias by the laboratory values: worst grade, nadir, episodes of grade 3 and 4.

======================== ==================== ====================================================
analysis                 by                   statistics
======================== ==================== ====================================================
cytopenia_worst          group, grade         n (with a result after the infusion), n_found, pct,
                                              pct_low, pct_high; grade 0 to 4, or UP_TO_1 where
                                              no lower limit of normal is given
cytopenia_nadir          group                block of the lowest value (variable VALUE) and of its
                                              day (DAY)
cytopenia_episodes       group                n, n_start (at that grade at baseline), n_onset (first
                                              later), n_ongoing, n_again (a further episode)
cytopenia_onset          group                block of the first day at that grade, without those
                                              at it at baseline
cytopenia_duration       group, start         n, n_event, median, median_low, median_high (days);
                                              start BASELINE or ONSET
cytopenia_prolonged      group                n (sampled from that day on), n_found (an episode that
                                              began before it and lasts), pct, pct_low, pct_high
cytopenia_agreement      -                    n, n_agree, n_lab_higher, n_event_higher: worst grade
                                              by laboratory values and by adverse events
cytopenia_ungraded       -                    n (with a sample) and unit, of a count in a unit in
                                              which CTCAE has no limits; then it has nothing else
======================== ==================== ====================================================

The analyte is the blood count; the variable of the episodes is G3 (grade 3 or 4) or G4. An episode
begins at the first sample at that grade and ends at the first of the confirmed samples of a lower
one; without an end the subject is censored at the last sample at that grade. Who is at that grade
at baseline (after lymphodepletion, as a rule) is counted from the infusion, apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.pharmacodynamics.samples import (
    BASELINE,
    Group,
    end_at_new_treatment,
    list_groups,
    marker_samples,
)
from celldossier.pharmacodynamics.study import Study
from celldossier.pharmacodynamics.summaries import add_block, add_duration, add_share
from celldossier.results import ResultCollector
from celldossier.settings.haematology import HaematologySettings
from celldossier.stats.blood_counts import grade_low_count
from celldossier.stats.excursions import NONE, interpolate_crossing, list_excursions

GRADES = (3, 4)
MILD = "UP_TO_1"
"""Level of the worst grade of those of whom only grade 0 or 1 is known."""


@dataclass(frozen=True)
class BloodCount:
    """Samples of one blood count with their grades, and the limits in the unit of the samples."""

    analyte: str
    samples: pd.DataFrame
    limits: tuple[float, ...]
    worst: int
    terms: tuple[str, ...]
    known_normal: bool


def collect_cytopenias(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the analyses of this module; there are no curves."""
    groups = list_groups(study, "dose")
    for analyte, kind in study.settings.haematology.counts.items():
        samples = marker_samples(study, analyte)
        if samples.empty:
            continue
        count = grade_samples(study, samples, analyte, kind)
        if count is None:
            _add_ungraded(out, analyte, samples)
            continue
        for group in groups:
            own = count.samples[count.samples["USUBJID"].isin(group.subjects)]
            _add_worst(out, count, group, own)
            for grade in GRADES:
                if grade <= count.worst:
                    _add_episodes(out, study.settings.haematology, count, group, own, grade)
        _add_agreement(out, study, count, groups[0])
    return []


def grade_samples(
    study: Study, samples: pd.DataFrame, analyte: str, kind: str
) -> BloodCount | None:
    """Samples of a blood count with GRADE; None where CTCAE has no limits in their unit."""
    settings = study.settings.haematology
    rule: dict[str, Any] = read_resource("terms", "ctcae_blood_counts.yaml")[kind]
    if str(samples["UNIT"].iloc[0]) not in rule["limits"]:
        return None
    if settings.until_new_therapy:
        samples = end_at_new_treatment(samples, study.sources)
    limits = tuple(rule["limits"][str(samples["UNIT"].iloc[0])])
    normal = settings.lower_limits.get(analyte)
    grade = grade_low_count(samples["VALUE"], limits, normal)
    after = samples.loc[samples["VISIT"] != BASELINE, "USUBJID"]
    kept = samples.assign(GRADE=grade)[samples["USUBJID"].isin(after)]
    return BloodCount(
        analyte,
        kept.reset_index(drop=True),
        limits,
        int(rule["worst"]),
        tuple(rule["terms"]),
        normal is not None,
    )


def find_episodes(
    samples: pd.DataFrame, limit: float, settings: HaematologySettings
) -> pd.DataFrame:
    """Episodes of values below a limit, one row an episode, in the order of time.

    Returns
    -------
    pandas.DataFrame
        USUBJID, START (day; 0 for one that is under way at baseline), AT_BASELINE, DURATION
        (days, to the end or to censoring), EVENT (1 ended, 0 censored) and LAST (day of the last
        sample below the limit).
    """
    low = samples["VALUE"] < limit
    found = list_excursions(samples["USUBJID"], low, confirm=settings.confirm)
    day = samples["DAY"].clip(lower=0).to_numpy(dtype=float)
    base = (samples["VISIT"] == BASELINE).to_numpy()[found.first]
    ended = found.end != NONE
    start, stop = day[found.first], day[np.where(ended, found.end, found.last)]
    if settings.crossing == "linear":
        value = samples["VALUE"]
        begun = interpolate_crossing(day, value, found.before, found.first, limit)
        start = np.where(np.isnan(begun), start, begun)
        last = np.where(ended, found.end - 1, NONE)
        over = interpolate_crossing(day, value, last, found.end, limit)
        stop = np.where(np.isnan(over), stop, over)
    return pd.DataFrame(
        {
            "USUBJID": found.subject,
            "START": start,
            "AT_BASELINE": base,
            "DURATION": stop - start,
            "EVENT": ended.astype(float),
            "LAST": day[found.last],
        }
    )


def worst_grades(samples: pd.DataFrame) -> pd.Series:
    """Worst grade after the infusion by subject; NaN where only grade 0 or 1 is known."""
    after = samples[samples["VISIT"] != BASELINE]
    return after.groupby("USUBJID")["GRADE"].max()


def _add_ungraded(out: ResultCollector, analyte: str, samples: pd.DataFrame) -> None:
    n = samples["USUBJID"].nunique()
    out.add(
        "cytopenia_ungraded",
        {"n": n, "unit": str(samples["UNIT"].iloc[0])},
        dataset="ADPD",
        analyte=analyte,
        where=f"SAFFL = Y; PARAMCD = {analyte}",
        n=n,
        method="count",
    )


def _add_worst(out: ResultCollector, count: BloodCount, group: Group, own: pd.DataFrame) -> None:
    worst = worst_grades(own)
    levels = ["0", "1"] if count.known_normal else [MILD]
    levels += [str(grade) for grade in range(2, count.worst + 1)]
    named = worst.map(lambda grade: MILD if math.isnan(grade) else f"{grade:g}")
    where = f"SAFFL = Y; PARAMCD = {count.analyte}; AFRLT > 0"
    for level in levels:
        add_share(
            out,
            "cytopenia_worst",
            int((named == level).sum()),
            len(worst),
            variable="GRADE",
            analyte=count.analyte,
            by={**group.by, "grade": level},
            where=where,
        )
    after = own[own["VISIT"] != BASELINE].sort_values(["USUBJID", "VALUE", "DAY"], kind="stable")
    nadir = after.drop_duplicates("USUBJID")
    unit = str(count.samples["UNIT"].iloc[0])
    for variable, u in (("VALUE", unit), ("DAY", "d")):
        add_block(
            out,
            "cytopenia_nadir",
            nadir[variable],
            variable=variable,
            analyte=count.analyte,
            by=group.by,
            where=where,
            unit=u,
        )


def _add_episodes(
    out: ResultCollector,
    settings: HaematologySettings,
    count: BloodCount,
    group: Group,
    own: pd.DataFrame,
    grade: int,
) -> None:
    variable, limit = f"G{grade}", count.limits[grade - 2]
    place: dict[str, Any] = {"variable": variable, "analyte": count.analyte}
    place["where"] = f"SAFFL = Y; PARAMCD = {count.analyte}; AVAL < {limit:g}"
    episodes = find_episodes(own, limit, settings)
    first = episodes.drop_duplicates("USUBJID")
    again = episodes.groupby("USUBJID").size() > 1
    out.add(
        "cytopenia_episodes",
        {
            "n": own["USUBJID"].nunique(),
            "n_start": int(first["AT_BASELINE"].sum()),
            "n_onset": int((~first["AT_BASELINE"]).sum()),
            "n_ongoing": int((first["EVENT"] == 0).sum()),
            "n_again": int(again.sum()),
        },
        dataset="ADPD",
        by=group.by,
        n=own["USUBJID"].nunique(),
        method="count",
        **place,
    )
    later = first[~first["AT_BASELINE"]]
    add_block(out, "cytopenia_onset", later["START"], by=group.by, unit="d", **place)
    for start, rows in (("BASELINE", first[first["AT_BASELINE"]]), ("ONSET", later)):
        by = {**group.by, "start": start}
        add_duration(out, "cytopenia_duration", rows, settings.min_subjects, by=by, **place)
    # A later cytopenia, such as that of the next lymphodepletion, is a further episode.
    since = settings.prolonged_day - settings.prolonged_window
    late = own.loc[own["DAY"] >= since, "USUBJID"].nunique()
    lasting = (episodes["START"] < settings.prolonged_day) & (episodes["LAST"] >= since)
    add_share(
        out,
        "cytopenia_prolonged",
        episodes.loc[lasting, "USUBJID"].nunique(),
        late,
        by=group.by,
        reason="NOFOLLOW",
        **place,
    )


def _add_agreement(out: ResultCollector, study: Study, count: BloodCount, group: Group) -> None:
    """Worst grade by laboratory values against the worst reported one of the same condition."""
    adae = study.sources.adae
    if adae.empty:
        return
    own = count.samples[count.samples["USUBJID"].isin(group.subjects)]
    # Where only grade 0 or 1 is known, an event of grade 1 does not disagree.
    worst = worst_grades(own)
    named = adae["AEDECOD"].str.upper().isin(count.terms) & (adae["TRTEMFL"] == "Y")
    reported = adae[named].groupby("USUBJID")["ATOXGRN"].max().reindex(worst.index).fillna(0.0)
    mild = worst.isna() & (reported <= 1)
    laboratory = worst.mask(mild, reported).fillna(1.0)
    out.add(
        "cytopenia_agreement",
        {
            "n": len(worst),
            "n_agree": int((laboratory == reported).sum()),
            "n_lab_higher": int((laboratory > reported).sum()),
            "n_event_higher": int((laboratory < reported).sum()),
        },
        dataset="ADPD, ADAE",
        variable="GRADE",
        analyte=count.analyte,
        where=f"SAFFL = Y; PARAMCD = {count.analyte}; TRTEMFL = Y",
        n=len(worst),
        method="count",
    )
