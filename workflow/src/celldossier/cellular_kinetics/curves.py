"""Summary profiles: geometric mean and median concentrations by nominal time (dataset CURVES)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.cellular_kinetics.groups import Group, list_groups
from celldossier.cellular_kinetics.summaries import STAGE, displayed_samples
from celldossier.datasets import conform
from celldossier.stats.descriptive import describe, geometric_sd

GROUPINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("dose",),
    ("indication",),
    ("response",),
    ("dose", "indication"),
)


def summarise_profiles(adnca: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Points of the summary profiles of each analyte and group.

    Parameters
    ----------
    adnca
        Dataset ADNCA.
    levels
        From `derive_subject_levels`.

    Returns
    -------
    DataFrame
        Dataset CURVES. ``cellular_kinetics.profile/<ANALYTE>``: geometric mean of the
        quantifiable concentrations times and over the geometric SD, n the number
        quantifiable, no point where fewer than half are quantifiable.
        ``cellular_kinetics.profile_median/<ANALYTE>``: median and quartiles with BLQ
        at half of LLOQ, n the number of samples, no point where over half are BLQ.
    """
    shown = displayed_samples(adnca[adnca["USUBJID"].isin(levels.index)])
    points: list[dict[str, object]] = []
    for group in list_groups(levels, *GROUPINGS):
        rows = shown[shown["USUBJID"].isin(group.subjects)]
        for (analyte, nominal), samples in rows.groupby(["PARAMCD", "NRRLT"], sort=True):
            place = {
                "series": series_name(group),
                "x": nominal,
                "x_unit": "d",
                "y_unit": samples["AVALU"].iloc[0],
                "kind": "summary",
            }
            points.append(
                {
                    "curve_id": f"{STAGE}.profile/{analyte}",
                    **place,
                    **geometric_point(samples["KNOWN"].to_numpy()),
                }
            )
            median = _median_point(samples)
            if median is not None:
                points.append({"curve_id": f"{STAGE}.profile_median/{analyte}", **place, **median})
    return conform(pd.DataFrame(points), "CURVES")


def series_name(group: Group) -> str:
    """Name of a series: ``total``, ``dose=DL1``, ``dose=DL1/indication=NHL``.

    >>> series_name(Group({"dose": "DL1"}, frozenset()))
    'dose=DL1'
    """
    return "/".join(f"{key}={group.by[key]}" for key in sorted(group.by)) or "total"


def geometric_point(known: NDArray[np.float64]) -> dict[str, float]:
    """Geometric mean times and over the geometric SD of a time, NaN standing for BLQ.

    No point where fewer than half are quantifiable; n is the number quantifiable.
    """
    count = int(np.isfinite(known).sum())
    if 2 * count < len(known):
        return {"y": math.nan, "low": math.nan, "high": math.nan, "n": count}
    mean, spread = describe(known)["geomean"], geometric_sd(known)
    return {"y": mean, "low": mean / spread, "high": mean * spread, "n": count}


def _median_point(samples: pd.DataFrame) -> dict[str, float] | None:
    known, limit = samples["KNOWN"].to_numpy(), samples["ALLOQ"].to_numpy()
    below = np.isnan(known)
    # Without a limit there is nothing to display in place of a BLQ result.
    if 2 * int(below.sum()) > len(known) or np.isnan(limit[below]).any():
        return None
    block = describe(np.where(below, limit / 2, known))
    return {"y": block["median"], "low": block["q1"], "high": block["q3"], "n": len(known)}
