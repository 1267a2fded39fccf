"""Analysis results and curves of the bridging of assay versions (S8.4-1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.bridging import (
    NO_BRIDGE,
    Scaled,
    VersionBridge,
    apply_highest_limit,
    list_versions,
)
from celldossier.cellular_kinetics.summaries import POPULATION, STAGE
from celldossier.datasets import conform
from celldossier.results import ResultCollector, explain_missing

VARIABLE = "CONC"
POINTS = 30
"""Points of a line: it is straight on logarithms, and ends where the pairs end."""


def summarise_bridging(
    adbrg: pd.DataFrame,
    bridges: Sequence[VersionBridge],
    scaled: Scaled,
    samples: pd.DataFrame,
    subjects: pd.Index,
) -> pd.DataFrame:
    """Analysis results (dataset ARD) of each analyte that several versions measured.

    ============== ================= ============================================================
    analysis       by                statistics
    ============== ================= ============================================================
    assay_version  version           n (subjects), n_samples, lloq, lloq_scaled, method, laboratory
    bridge         version (from)    n (subjects), n_pairs, n_used, n_pairblq, n_alq, n_unpaired,
                                     target
    bridge_fit     version (from)    ratio, slope, each with _low and _high; se and df of ln ratio;
                                     verdict: FACTOR, LEVEL or UNKNOWN; applied and
                                     level_dependent: 1 or 0
    bridge_use                       n_target, n_bridged, n_left (profiles), lloq_high
    ============== ================= ============================================================

    Parameters
    ----------
    subjects
        Subjects of the kinetics set.
    """
    collector = ResultCollector(STAGE)
    ours = samples[samples["USUBJID"].isin(subjects)]
    several = list_versions(samples)
    for analyte, versions in several.items():
        own = [one for one in bridges if one.analyte == analyte]
        rows = ours[ours["PARAMCD"] == analyte]
        for version in versions:
            _add_version(collector, rows[rows["PCASSAYV"] == version], analyte, version, own)
        _add_use(collector, scaled, analyte, own, subjects)
    for one in bridges:
        _add_bridge(collector, adbrg, one)
    return collector.frame()


def _add_version(
    collector: ResultCollector,
    rows: pd.DataFrame,
    analyte: str,
    version: str,
    bridges: Sequence[VersionBridge],
) -> None:
    lloq = float(rows["ALLOQ"].max()) if len(rows) else math.nan
    factor, reason = _find_factor(version, bridges)
    limits = {"lloq": lloq, "lloq_scaled": lloq * factor}
    texts = {
        stat: ", ".join(sorted(set(rows[name]) - {""})) or "-"
        for stat, name in (("method", "PCMETHOD"), ("laboratory", "PCNAM"))
    }
    counts = {"n": float(rows["USUBJID"].nunique()), "n_samples": float(len(rows))}
    collector.add(
        "assay_version",
        {**counts, **limits, **texts},
        dataset="ADPC",
        variable=VARIABLE,
        analyte=analyte,
        by={"version": version},
        where=f"{POPULATION}; ANL01FL = Y; PCASSAYV = {version}",
        units=dict.fromkeys(limits, _unit(rows)),
        n=counts["n"],
        method="count; highest limit of the records, times the factor of the bridge",
        notes=explain_missing(limits, "NOVALUE" if math.isnan(lloq) else reason),
    )


def _find_factor(version: str, bridges: Sequence[VersionBridge]) -> tuple[float, str]:
    """Factor to the scale, or the reason why there is none."""
    for one in bridges:
        if one.second == version:
            return 1.0, ""
        if one.first == version:
            return (math.nan, one.reason) if one.reason else (one.bridge.ratio, "")
    return math.nan, NO_BRIDGE


def _unit(rows: pd.DataFrame) -> str:
    return str(rows["AVALU"].iloc[0]) if len(rows) else ""


def _add_use(
    collector: ResultCollector,
    scaled: Scaled,
    analyte: str,
    bridges: Sequence[VersionBridge],
    subjects: pd.Index,
) -> None:
    """How many profiles are on the scale, and the highest limit there."""
    profiles = scaled.profiles.reset_index()
    own = profiles[(profiles["ANALYTE"] == analyte) & profiles["USUBJID"].isin(subjects)]
    sampled = own[own["ASSAYV"] != ""]
    on_scale = sampled["REASON"] == ""
    target = sampled["ASSAYV"] == sampled["SCALEV"]
    samples = scaled.samples[scaled.samples["ANALYTE"] == analyte]
    highest = apply_highest_limit(samples)["LLOQ"].max() if len(samples) else math.nan
    unit = str(samples["CONCU"].iloc[0]) if len(samples) else ""
    reasons = [one.reason for one in bridges if one.reason] or ["NOVALUE" if bridges else NO_BRIDGE]
    statistics = {
        "n_target": float((on_scale & target).sum()),
        "n_bridged": float((on_scale & ~target).sum()),
        "n_left": float((~on_scale).sum()),
        "lloq_high": float(highest),
    }
    collector.add(
        "bridge_use",
        statistics,
        dataset="ADPPB",
        variable=VARIABLE,
        analyte=analyte,
        where=POPULATION,
        units={"lloq_high": unit},
        n=float(len(sampled)),
        method="count of profiles; highest limit of all records on the scale",
        notes=explain_missing(statistics, reasons[0]),
    )


def _add_bridge(collector: ResultCollector, adbrg: pd.DataFrame, one: VersionBridge) -> None:
    rows = adbrg[(adbrg["PARAMCD"] == one.analyte) & (adbrg["ASSAYV1"] == one.first)]
    used, bridge = rows[rows["ANL01FL"] == "Y"], one.bridge
    by = {"version": one.first}
    where = f"ASSAYV1 = {one.first}"
    n = float(used["USUBJID"].nunique())
    counts: dict[str, float | str] = {"n": n, "n_pairs": len(rows), "n_used": len(used)}
    for reason in ("PAIRBLQ", "ALQ", "UNPAIRED"):
        counts[f"n_{reason.lower()}"] = int((rows["BRGXRS"] == reason).sum())
    collector.add(
        "bridge",
        {**counts, "target": one.second},
        dataset="ADBRG",
        variable=VARIABLE,
        analyte=one.analyte,
        by=by,
        where=where,
        n=n,
        method="count of pairs",
    )
    ratio = {
        "ratio": bridge.ratio,
        "ratio_low": bridge.low,
        "ratio_high": bridge.high,
        "se": bridge.se,
        "df": bridge.df,
    }
    slope = {
        "slope": bridge.slope.value,
        "slope_low": bridge.slope.low,
        "slope_high": bridge.slope.high,
    }
    flags = {"applied": float(not one.reason), "level_dependent": float(bridge.level_dependent)}
    verdict = "LEVEL" if bridge.level_dependent else "FACTOR" if bridge.usable else "UNKNOWN"
    collector.add(
        "bridge_fit",
        {**ratio, **slope, **flags, "verdict": verdict},
        dataset="ADBRG",
        variable=VARIABLE,
        analyte=one.analyte,
        by=by,
        where=f"{where}; ANL01FL = Y",
        n=n,
        method=(
            "geometric mean of the ratios of the pairs, standard error by subject and t with "
            "subjects - 1; Deming regression of natural logarithms, jackknife over subjects"
        ),
        notes={
            **explain_missing(ratio, bridge.reason or "FEWSUBJ"),
            **explain_missing(slope, bridge.slope_reason or "FEWSUBJ"),
        },
    )


def draw_bridges(adbrg: pd.DataFrame, bridges: Sequence[VersionBridge]) -> pd.DataFrame:
    """Curves ``cellular_kinetics.bridge/<ANALYTE>/<FROM>`` (dataset CURVES), kind fit.

    Series `factor`, the line of one ratio, and `deming`, the line of the regression, over the
    range of the first version.
    """
    points: list[dict[str, object]] = []
    for one in bridges:
        rows = adbrg[
            (adbrg["PARAMCD"] == one.analyte)
            & (adbrg["ASSAYV1"] == one.first)
            & (adbrg["ANL01FL"] == "Y")
        ]
        if rows.empty:
            continue
        x = np.geomspace(rows["AVAL1"].min(), rows["AVAL1"].max(), POINTS)
        middle = np.log(rows[["AVAL1", "AVAL2"]].to_numpy(dtype=float)).mean(axis=0)
        # The line of Deming passes through the means of both logarithms.
        deming = np.exp(middle[1] + one.bridge.slope.value * (np.log(x) - middle[0]))
        for series, y in (("factor", one.bridge.ratio * x), ("deming", deming)):
            if not np.isfinite(y).all():
                continue
            points += [
                {
                    "curve_id": f"{STAGE}.bridge/{one.analyte}/{one.first}",
                    "series": series,
                    "x": float(at),
                    "y": float(value),
                    "n": float(one.bridge.n_subjects),
                    "x_unit": rows["AVALU"].iloc[0],
                    "y_unit": rows["AVALU"].iloc[0],
                    "kind": "fit",
                }
                for at, value in zip(x, y, strict=True)
            ]
    return conform(pd.DataFrame(points), "CURVES")
