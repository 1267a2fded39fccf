"""Rescue medication against the peak: whether it came before the cells had fully expanded."""

from __future__ import annotations

import pandas as pd

from celldossier.results import ResultCollector
from celldossier.stats.descriptive import describe
from celldossier.terms.study_terms import RESCUE

STATISTICS = ("n", "median", "min", "max")


def add_rescue_timing(
    collector: ResultCollector, parameters: pd.DataFrame, adcm: pd.DataFrame
) -> None:
    """Add the days from the peak to the first dose of each rescue medication.

    Negative: the medication came first. It is given to those who fall ill, so that the
    timing describes and shows no effect (science.md D8).

    Parameters
    ----------
    parameters
        ADPP of the kinetics population; the peak is that of the first course.
    adcm
        Dataset ADCM.
    """
    peaks = parameters[(parameters["PARAMCD"] == "TMAX") & parameters["AVAL"].notna()]
    peaks = peaks.sort_values("DOSENO", kind="stable").drop_duplicates(["USUBJID", "PARCAT1"])
    after = adcm[adcm["ASTDY"] >= 0]
    for analyte, rows in peaks.groupby("PARCAT1", sort=True):
        peak = rows.set_index("USUBJID")["AVAL"]
        for medication in RESCUE:
            given = after[after["CMCLASS"] == medication].groupby("USUBJID")["ASTDY"].min()
            distance = (given - peak).dropna()
            if distance.empty:
                continue
            block = describe(distance.to_numpy())
            collector.add(
                "rescue_timing",
                {
                    **{name: block[name] for name in STATISTICS},
                    "n_before": float((distance < 0).sum()),
                },
                dataset="ADCM",
                variable=medication,
                analyte=str(analyte),
                where=f"CMCLASS = {medication}, first ASTDY at or after 0, less ADPP TMAX",
                unit="d",
                units={"n": "", "n_before": ""},
                n=block["n"],
            )
