"""Analysis results and curves of the compartments: biodistribution by tissue and time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.curves import geometric_point
from celldossier.cellular_kinetics.groups import add_block, withhold_geometric
from celldossier.cellular_kinetics.summaries import STAGE
from celldossier.results import ResultCollector

WHERE = "ADTISS.ANL01FL = Y"

UNSCHEDULED = "UNSCHEDULED"
"""Level of the grouping variable `visit` of a sample without a planned time."""

PAIR_REASONS = {
    "NOPAIR": "n_nopair",
    "SITEBLQ": "n_siteblq",
    "CENTBLQ": "n_centblq",
    "BOTHBLQ": "n_bothblq",
}
"""Reason of a missing ratio, and the name of its count."""


def summarise_compartments(adtiss: pd.DataFrame) -> pd.DataFrame:
    """Analysis results of the compartments (dataset ARD).

    Returns
    -------
    DataFrame
        ``compartment`` (concentrations by compartment and visit; BLQ counts as 0 in the
        arithmetic statistics, n_quant the number quantifiable), ``compartment_ratio`` (ratio
        to the nearest central sample by compartment and visit, over all visits of the mean of
        each subject, with the number of samples that have none, by reason),
        ``compartment_peak`` (highest result of each subject after the infusion, and its
        time), ``compartment_subjects``.
    """
    collector = ResultCollector(STAGE)
    counted = adtiss[adtiss["ANL01FL"] == "Y"]
    for (analyte, compartment), rows in counted.groupby(["PARAMCD", "COMPART"], sort=True):
        unit = str(rows["AVALU"].iloc[0])
        kind = str(rows["COMPTYP"].iloc[0])
        quantifiable = rows[rows["AVAL"].notna()]
        central = str(rows["CENTFL"].iloc[0])
        collector.add(
            "compartment_subjects",
            {
                "n": rows["USUBJID"].nunique(),
                "n_quant": quantifiable["USUBJID"].nunique(),
                "n_samples": len(rows),
                "kind": "CENTRAL" if central == "Y" else kind,
            },
            dataset="ADTISS",
            where=WHERE,
            n=rows["USUBJID"].nunique(),
            method="count",
            analyte=str(analyte),
            by={"compartment": str(compartment)},
        )
        for visit, samples in _by_visit(rows):
            by = {"compartment": str(compartment), "visit": visit}
            n_blq = int(samples["AVAL"].isna().sum())
            add_block(
                collector,
                "compartment",
                samples["AVAL"].fillna(0.0),
                extra={"n_blq": n_blq, "n_quant": len(samples) - n_blq},
                dataset="ADTISS",
                variable="CONC",
                analyte=str(analyte),
                by=by,
                where=f"{WHERE}; BLQ as 0",
                unit=unit,
                withheld=withhold_geometric(n_blq, len(samples)),
            )
            if kind == "SPECIMEN" and central == "N":
                _add_ratio(collector, samples["RATIO"], samples["RATIORSN"], str(analyte), by)
        if kind == "SPECIMEN" and central == "N":
            by = {"compartment": str(compartment)}
            _add_ratio(collector, _mean_ratios(rows), rows["RATIORSN"], str(analyte), by)
        _add_peak(collector, rows, str(analyte), str(compartment), unit)
    return collector.frame()


def _by_visit(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Samples of each nominal day, those without one last."""
    visits = [(f"{day:g}", part) for day, part in rows.groupby("NFRLT", sort=True)]
    rest = rows[rows["NFRLT"].isna()]
    return visits + ([(UNSCHEDULED, rest)] if len(rest) else [])


def _mean_ratios(rows: pd.DataFrame) -> pd.Series:
    """Geometric mean of the ratios of each subject, so that each counts once."""
    ratios = rows[rows["RATIO"] > 0]
    logs = np.log(ratios["RATIO"]).groupby(ratios["USUBJID"], sort=True).mean()
    return pd.Series(np.exp(logs))


def _add_ratio(
    collector: ResultCollector,
    ratios: pd.Series,
    missing: pd.Series,
    analyte: str,
    by: dict[str, str],
) -> None:
    """Ratios to the central compartment; without one a sample is counted, never imputed."""
    reasons = missing.value_counts()
    add_block(
        collector,
        "compartment_ratio",
        ratios,
        extra={name: int(reasons.get(code, 0)) for code, name in PAIR_REASONS.items()},
        dataset="ADTISS",
        variable="RATIO",
        analyte=analyte,
        by=by,
        where=f"{WHERE}; both results quantifiable",
        unit="",
    )


def _add_peak(
    collector: ResultCollector, rows: pd.DataFrame, analyte: str, compartment: str, unit: str
) -> None:
    """Highest result of each subject after the infusion and its time, the first of equal ones."""
    after = rows[rows["AFRLT"] > 0]
    if after.empty:
        return
    ordered = after.sort_values(
        ["USUBJID", "AVAL", "AFRLT"], ascending=[True, False, True], kind="stable"
    )
    peak = ordered.drop_duplicates("USUBJID")
    n_blq = int(peak["AVAL"].isna().sum())
    time = peak["AFRLT"].where(peak["AVAL"].notna())
    for variable, values, its_unit in (
        ("CMAX", peak["AVAL"].fillna(0.0), unit),
        ("TMAX", time, "d"),
    ):
        add_block(
            collector,
            "compartment_peak",
            values,
            extra={"n_blq": n_blq, "n_quant": len(peak) - n_blq},
            dataset="ADTISS",
            variable=variable,
            analyte=analyte,
            by={"compartment": compartment},
            where=f"{WHERE}; AFRLT > 0; highest of each subject",
            unit=its_unit,
        )


def draw_compartment_lines(adtiss: pd.DataFrame) -> pd.DataFrame:
    """Points of ``cellular_kinetics.compartment/<ANALYTE>``, a series a compartment (CURVES).

    As the summary profiles: geometric mean of the quantifiable results times and over the
    geometric SD, no point where fewer than half are quantifiable.
    """
    counted = adtiss[(adtiss["ANL01FL"] == "Y") & adtiss["NFRLT"].notna()]
    points: list[dict[str, object]] = []
    keys = ["PARAMCD", "COMPART", "NFRLT"]
    for (analyte, compartment, nominal), samples in counted.groupby(keys, sort=True):
        points.append(
            {
                "curve_id": f"{STAGE}.compartment/{analyte}",
                "series": f"compartment={compartment}",
                "x": nominal,
                "x_unit": "d",
                "y_unit": samples["AVALU"].iloc[0],
                "kind": "summary",
                **geometric_point(samples["AVAL"].to_numpy()),
            }
        )
    return pd.DataFrame(points)
