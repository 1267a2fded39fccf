"""Exposure and rates of groups of subjects: the statistics that all topics have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from celldossier.results import (
    SHARE_UNITS,
    ResultCollector,
    describe_share,
    explain_missing,
    list_few,
)
from celldossier.special_considerations.study import Study
from celldossier.stats.descriptive import describe
from celldossier.stats.ratio import estimate_ratio

GMR = ("gmr", "gmr_low", "gmr_high")


def add_group_exposure(
    study: Study,
    out: ResultCollector,
    analysis: str,
    masks: Mapping[str, pd.Series],
    reference: str,
    *,
    key: str,
    by: Mapping[str, str] | None = None,
    where: str,
    note: str = "",
) -> None:
    """Add exposure of each group, and the ratio of its geometric mean to that of the reference.

    Parameters
    ----------
    masks
        Level to boolean mask over ``study.subjects``; a subject may be in none.
    reference
        Level to which the others are compared; it has no ratio itself, and where it is the
        only one the reason for it (``ONELEVEL``).
    key, by
        Name of the grouping variable, and levels of others that hold for all groups.
    note
        Reason code that stands beside a ratio that is there, a caution for its reader.

    Notes
    -----
    Geometric statistics stand on the values above 0; ``n`` counts these, ``n_zero`` the
    others. Welch's t interval on the natural logarithms; a group of fewer than
    ``min_per_group`` has no ratio (``FEWSUBJ``).
    """
    settings = study.settings
    for metric in settings.metrics:
        exposure = study.subjects[metric]
        baseline = exposure[masks[reference]]
        for level, mask in masks.items():
            values = exposure[mask]
            positive = values[values > 0]
            block = describe(positive.to_numpy(dtype=float))
            statistics: dict[str, float | str] = {
                "n": float(len(positive)),
                "n_zero": float((values == 0).sum()),
                "geomean": block["geomean"],
                "gcv": block["gcv"],
                **list_few(positive),
            }
            notes = explain_missing(statistics, "FEWVAL", geomean="NOVALUE")
            if positive.empty:
                notes = explain_missing(statistics, "NOVALUE" if mask.any() else "NOGROUP")
            if len(masks) == 1:
                # A reference beside which nothing stands is none.
                statistics |= dict.fromkeys(GMR, math.nan)
                notes |= dict.fromkeys(GMR, "ONELEVEL")
            if level != reference:
                ratio = estimate_ratio(values, baseline, settings.ratio_confidence_level)
                few = min(ratio.n_test, ratio.n_reference) < settings.min_per_group
                estimates = (math.nan,) * 3 if few else (ratio.ratio, ratio.low, ratio.high)
                missing = "FEWSUBJ" if few else ratio.reason
                for name, value in zip(GMR, estimates, strict=True):
                    statistics[name] = value
                    if math.isnan(value) or note:
                        notes[name] = missing if math.isnan(value) else note
            unit = study.units[metric]
            out.add(
                analysis,
                statistics,
                dataset="ADPP",
                variable=metric,
                analyte=study.analyte,
                by={**(by or {}), key: level},
                where=where,
                units={"geomean": unit, "gcv": "%", "values": unit},
                n=float(len(positive)),
                method="Welch t interval on ln, descriptive",
                notes=notes,
            )


def add_rate(
    out: ResultCollector,
    analysis: str,
    variable: str,
    flags: pd.Series,
    level: float,
    *,
    dataset: str,
    by: Mapping[str, str],
    where: str,
    absent: str = "",
) -> None:
    """Add subjects with an event among those in whom it could be seen, with the exact interval.

    Parameters
    ----------
    flags
        Whether each subject has the event, one row a subject.
    absent
        Reason code where it was not collected; then nothing is counted.
    """
    n, events = len(flags), int(flags.sum())
    statistics = describe_share(events, n, level)
    if absent:
        statistics = dict.fromkeys(statistics, math.nan)
    out.add(
        analysis,
        statistics,
        dataset=dataset,
        variable=variable,
        by=by,
        where=where,
        units=SHARE_UNITS,
        n=math.nan if absent else float(n),
        method="Clopper-Pearson",
        notes=explain_missing(statistics, absent or "NOGROUP"),
    )
