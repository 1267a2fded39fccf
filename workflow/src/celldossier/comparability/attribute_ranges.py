"""Ranges of the lots made before the change, and the lots made after it that lie inside."""

from __future__ import annotations

import math

from celldossier.comparability.attributes import RATIO, WHERE, choose_scale, read_attribute
from celldossier.comparability.study import Study
from celldossier.results import ResultCollector, describe_share, explain_missing
from celldossier.stats.quality_range import (
    LotRange,
    count_inside,
    estimate_quality_range,
    estimate_tolerance_interval,
)

TOLERANCE, QUALITY = "TOLERANCE", "QUALITY"
"""A tolerance interval of the reference lots, and their mean and a factor times SD."""


def summarise_ranges(study: Study, out: ResultCollector) -> None:
    """Add `attribute_range` (reference lots) and `attribute_inside` (each group after the change).

    An attribute that is compared by a ratio has its ranges on the logarithmic scale.
    """
    settings, groups = study.settings, study.lots["GROUP"]
    for attribute in settings.attributes:
        values, unit = read_attribute(study, attribute)
        if values[groups.isin(study.groups)].isna().all():
            continue
        before = values[groups == study.reference]
        logs = choose_scale(study, attribute) == RATIO
        ranges = {
            TOLERANCE: estimate_tolerance_interval(
                before, settings.tolerance_content, settings.tolerance_confidence, logs
            ),
            QUALITY: estimate_quality_range(before, settings.quality_range_sd, logs),
        }
        for name, limits in ranges.items():
            few = limits.n < settings.min_per_group
            _add_range(out, attribute, name, limits, unit, "FEWLOTS" if few else limits.reason)
            for group in study.changed:
                inside = count_inside(values[groups == group], limits, settings.confidence_level)
                share = describe_share(inside.n_inside, inside.n, settings.confidence_level)
                refused = "FEWLOTS" if few else inside.reason
                if refused:
                    share = dict.fromkeys(share, math.nan)
                out.add(
                    "attribute_inside",
                    share,
                    dataset="ADPQ",
                    variable=attribute,
                    by={"group": group, "range": name},
                    where=WHERE,
                    units=dict.fromkeys(("pct", "ci_low", "ci_high"), "%"),
                    n=float(inside.n),
                    method="Clopper-Pearson, the range held as fixed",
                    notes=explain_missing(share, refused),
                )


def _add_range(
    out: ResultCollector, attribute: str, name: str, limits: LotRange, unit: str, reason: str
) -> None:
    numbers = {"centre": limits.centre, "low": limits.low, "high": limits.high}
    if reason:
        numbers = dict.fromkeys(numbers, math.nan)
    statistics = {"n": float(limits.n), "factor": limits.factor, **numbers}
    out.add(
        "attribute_range",
        statistics,
        dataset="ADPQ",
        variable=attribute,
        by={"range": name},
        where=WHERE,
        units=dict.fromkeys(numbers, unit),
        n=float(limits.n),
        method="normal tolerance interval, exact" if name == TOLERANCE else "mean +- factor SD",
        notes=explain_missing(statistics, reason or "FEWVAL"),
    )
