"""Loss of the target cells (B-cell aplasia): by visit, its onset, duration and recovery.

======================== ======================= ==================================================
analysis                 by                      statistics
======================== ======================= ==================================================
target_cells             group                   n, n_base, n_low, n_low_drug, n_onset, n_never,
                                                 n_lost, n_recovered, n_ongoing, n_again; pct_low
                                                 (of n_base), pct_onset, pct_never (of n),
                                                 pct_recovered, pct_ongoing (of n_lost)
target_cells_visit       group, visit            n, n_found (lost), pct, pct_low, pct_high,
                                                 n_low (of these lost at baseline already), n_blq,
                                                 median, q1, q3
target_cells_onset       group                   block: day of the first loss, without those lost
                                                 at baseline
target_cells_duration    group                   n, n_event, median, median_low, median_high
======================== ======================= ==================================================

The variable is the marker; groups are all infused subjects, dose levels, and exposure (LOW to the
median, HIGH above it). The duration runs from the first sample of the first loss (from the
infusion where the cells were lost at baseline) to the first of the consecutive samples that reach
the limit of the recovery; without one, the subject is censored at the last sample that does not.
Curves `target_cells_course` (the marker) and `target_cells_kinetics` (the product's cells): median
and quartiles by planned day, of all subjects and by response.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.samples import (
    BASELINE,
    Group,
    end_at_new_treatment,
    first_of_visit,
    keep_days,
    list_groups,
    list_visits,
    marker_samples,
)
from celldossier.pharmacodynamics.study import Sources, Study
from celldossier.pharmacodynamics.summaries import add_block, add_duration, add_share
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.target_cells import TargetCellSettings
from celldossier.stats.excursions import NONE, list_excursions

COURSE = "pharmacodynamics.target_cells_course"
KINETICS = "pharmacodynamics.target_cells_kinetics"

SHARES = {"low": "n_base", "onset": "n", "never": "n", "recovered": "n_lost", "ongoing": "n_lost"}
"""Count to the count of which its percent is."""


def collect_target_cells(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the analyses of this module; give the curves."""
    settings = study.settings.target_cells
    if not settings.marker:
        return []
    samples = marker_samples(study, settings.marker, settings.specimen)
    infused = set(study.sources.adsl.loc[study.sources.adsl["SAFFL"] == "Y", "USUBJID"])
    samples = samples[samples["USUBJID"].isin(infused)]
    if samples.empty:
        return []
    samples = mark_lost(end_at_new_treatment(samples, study.sources), settings)
    subjects = describe_losses(samples, settings).join(
        pd.Series(1.0, index=sorted(given_before(study.sources, settings)), name="DRUG")
    )
    groups = list_groups(study, "dose", "exposure", metric=settings.exposure)
    for group in groups:
        _add_counts(out, settings, group, subjects)
        _add_visits(out, settings, group, samples)
    return [
        *_course(study, samples, COURSE, settings.marker),
        *_course(study, _kinetics(study), KINETICS, study.settings.analyte),
    ]


def mark_lost(samples: pd.DataFrame, settings: TargetCellSettings) -> pd.DataFrame:
    """Add LOST and BACK: beyond the limit of the loss, and at or past that of the recovery."""
    value, limit = samples["VALUE"], settings.recovery_limit
    if settings.direction == "below":
        return samples.assign(LOST=value < settings.threshold, BACK=value >= limit)
    return samples.assign(LOST=value > settings.threshold, BACK=value <= limit)


def describe_losses(samples: pd.DataFrame, settings: TargetCellSettings) -> pd.DataFrame:
    """The first loss of each subject with a result after the infusion.

    Returns
    -------
    pandas.DataFrame
        Index USUBJID: LOW (lost at baseline; NaN where there is no baseline), ONSET (day of the
        first loss, 0 where lost at baseline), DURATION (days), EVENT (recovered) and LOSSES.
    """
    after = samples.loc[samples["VISIT"] != BASELINE, "USUBJID"].unique()
    rows = samples[samples["USUBJID"].isin(after)].reset_index(drop=True)
    base = rows[rows["VISIT"] == BASELINE].drop_duplicates("USUBJID").set_index("USUBJID")
    subjects = pd.DataFrame({"LOW": base["LOST"].astype("float64")}).reindex(pd.Index(after))
    found = list_excursions(rows["USUBJID"], rows["LOST"], rows["BACK"], settings.consecutive)
    # A baseline sample says that the cells were lost at the infusion, not since the sample.
    day = rows["DAY"].clip(lower=0).to_numpy(dtype=float)
    ended = found.end != NONE
    stop = day[np.where(ended, found.end, found.last)]
    losses = pd.DataFrame(
        {
            "USUBJID": found.subject,
            "ONSET": day[found.first],
            "DURATION": stop - day[found.first],
            "EVENT": ended.astype(float),
        }
    )
    first = losses.drop_duplicates("USUBJID").set_index("USUBJID")
    counts = losses.groupby("USUBJID").size().rename("LOSSES")
    return subjects.join(first).join(counts)


def given_before(sources: Sources, settings: TargetCellSettings) -> set[str]:
    """Subjects who had a depleting drug within the washout before the first infusion."""
    adcm = sources.adcm
    day = adcm["AENDY"].fillna(adcm["ASTDY"])
    named = adcm["CMDECOD"].str.upper().isin([name.upper() for name in settings.depleting])
    inside = (adcm["ASTDY"] < 0) & (day >= -settings.washout)
    return set(adcm.loc[named & inside, "USUBJID"])


def _add_counts(
    out: ResultCollector, settings: TargetCellSettings, group: Group, subjects: pd.DataFrame
) -> None:
    own = subjects[subjects.index.isin(group.subjects)]
    where = f"SAFFL = Y; PARAMCD = {settings.marker}; AFRLT > 0"
    low, lost = own["LOW"] == 1, own["ONSET"].notna()
    onset = lost & ~low
    counts = {
        "n": len(own),
        "n_base": int(own["LOW"].notna().sum()),
        "n_low": int(low.sum()),
        "n_low_drug": int((low & own["DRUG"].notna()).sum()),
        "n_onset": int(onset.sum()),
        "n_never": int((~lost).sum()),
        "n_lost": int(lost.sum()),
        "n_recovered": int((own["EVENT"] == 1).sum()),
        "n_ongoing": int((own["EVENT"] == 0).sum()),
        "n_again": int((own["LOSSES"] > 1).sum()),
    }
    shares = {
        f"pct_{name}": 100 * counts[f"n_{name}"] / counts[whole] if counts[whole] else math.nan
        for name, whole in SHARES.items()
    }
    out.add(
        "target_cells",
        {**counts, **shares},
        dataset="ADPD",
        variable=settings.marker,
        by=group.by,
        where=where,
        units=dict.fromkeys(shares, "%"),
        n=len(own),
        method="count",
        notes=explain_missing(shares, "NOGROUP"),
    )
    add_block(
        out,
        "target_cells_onset",
        own.loc[onset, "ONSET"],
        variable=settings.marker,
        analyte="",
        by=group.by,
        where=where,
        unit="d",
    )
    add_duration(
        out,
        "target_cells_duration",
        own[lost],
        settings.min_subjects,
        variable=settings.marker,
        analyte="",
        by=group.by,
        where=where,
    )


def _add_visits(
    out: ResultCollector, settings: TargetCellSettings, group: Group, samples: pd.DataFrame
) -> None:
    base = samples[samples["VISIT"] == BASELINE]
    low = set(base.loc[base["LOST"], "USUBJID"])
    rows = keep_days(first_of_visit(samples), settings.days)
    for visit in list_visits(rows):
        own = rows[(rows["VISIT"] == visit) & rows["USUBJID"].isin(group.subjects)]
        if own.empty:
            continue
        lost = own[own["LOST"]]
        where = f"SAFFL = Y; PARAMCD = {settings.marker}; {visit}"
        by = {**group.by, "visit": visit}
        add_share(
            out,
            "target_cells_visit",
            len(lost),
            len(own),
            variable=settings.marker,
            analyte="",
            by=by,
            where=where,
            extra={
                "n_low": int(lost["USUBJID"].isin(low).sum()),
                "n_blq": int(own["BLQ"].sum()),
            },
        )
        q1, median, q3 = np.quantile(own["VALUE"], [0.25, 0.5, 0.75])
        out.add(
            "target_cells_visit",
            {"median": float(median), "q1": float(q1), "q3": float(q3)},
            dataset="ADPD",
            variable=settings.marker,
            by=by,
            where=where,
            unit=str(own["UNIT"].iloc[0]),
            n=len(own),
            method="quartiles, half of the limit for results below it",
        )


def _kinetics(study: Study) -> pd.DataFrame:
    """Results of the product's cells in blood by planned day; half of the limit below it."""
    adpc = study.sources.adpc
    rows = adpc[
        (adpc["PARAMCD"] == study.settings.analyte)
        & (adpc["ANL01FL"] == "Y")
        & adpc["NFRLT"].notna()
        & (adpc["AFRLT"] > 0)
    ]
    value = rows["AVAL"].mask(rows["BLQFL"] == "Y", rows["ALLOQ"] / 2)
    samples = pd.DataFrame(
        {
            "USUBJID": rows["USUBJID"],
            "DAY": rows["AFRLT"],
            "PLANNED": rows["NFRLT"],
            "VISIT": rows["NFRLT"].map("{:g}".format),
            "VALUE": value.astype("float64"),
            "UNIT": rows["AVALU"],
        }
    )
    return samples[samples["VALUE"].notna()].reset_index(drop=True)


def _course(
    study: Study, samples: pd.DataFrame, curve: str, analyte: str
) -> list[dict[str, object]]:
    """Median and quartiles by planned day: all subjects, then by response."""
    rows = first_of_visit(samples)
    base = rows["VISIT"] == BASELINE
    rows = rows.assign(X=rows["PLANNED"].mask(base, 0.0).astype("float64"))
    rows = rows[rows["X"].notna()]
    points: list[dict[str, object]] = []
    for group in list_groups(study, "response"):
        own = rows[rows["USUBJID"].isin(group.subjects)]
        # An empty group has no quantiles.
        if own.empty:
            continue
        table = own.groupby("X")["VALUE"].quantile(np.array([0.25, 0.5, 0.75])).unstack()
        counts = own.groupby("X").size()
        unit = str(own["UNIT"].iloc[0])
        points += [
            {
                "curve_id": f"{curve}/{analyte}",
                "series": group.by.get("response", "total"),
                "x": float(str(x)),
                "y": table.at[x, 0.5],
                "low": table.at[x, 0.25],
                "high": table.at[x, 0.75],
                "n": float(counts[x]),
                "x_unit": "d",
                "y_unit": unit,
                "kind": "summary",
            }
            for x in table.index
        ]
    return points
