"""Analysis results of repeat doses (table 36): by dose, accumulation, and the test of a trend."""

from __future__ import annotations

import pandas as pd

from celldossier.cellular_kinetics.dose_profiles import DOSE
from celldossier.cellular_kinetics.groups import add_block, withhold_geometric
from celldossier.cellular_kinetics.summaries import POPULATION, STAGE
from celldossier.results import ResultCollector
from celldossier.stats.repeated import WithinRatio, estimate_mean_ratio, estimate_trend

SUMMARISED = ("CMAX", "TMAX", "CTROUGH", "AUCTAU", "CAVG", "PTF", "ARAUC", "ARCMAX")
RATIOS = ("ARAUC", "ARCMAX")
TREND = ("CTROUGH", "CMAX", "AUCTAU")
"""Parameters whose change from dose to dose is tested: level ones are what steady state needs."""


def summarise_doses(adpp: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Results of the analyses ``by_dose``, ``accumulation`` and ``dose_trend`` (dataset ARD).

    Parameters
    ----------
    adpp
        Dataset ADPP; its profiles of the type DOSE are taken.
    levels
        From `derive_subject_levels`: the subjects of the kinetics population.

    Notes
    -----
    A trough below the limit has the value 0: it counts in n, n_blq, mean and median, but
    has no logarithm; where over half are below it, no geometric mean is given. The trend of
    the areas leaves out intervals that differ from the first one by more than
    ``interval_tolerance`` (reason TAUDIFF of ARAUC).
    """
    collector = ResultCollector(STAGE)
    rows = adpp[(adpp["PROFTYP"] == DOSE) & adpp["USUBJID"].isin(levels.index)]
    for (analyte, code), part in rows[rows["PARAMCD"].isin(SUMMARISED)].groupby(
        ["PARCAT1", "PARAMCD"], sort=True
    ):
        for number, values in part.groupby("DOSENO", sort=True):
            dose = int(str(number))
            by = {"pdose": str(dose)}
            below = (
                values["FLAG"]
                .str.split(";")
                .map(lambda flags: bool({"BLQ", "BLQALL"} & set(flags)))
            )
            add_block(
                collector,
                "by_dose",
                values["AVAL"],
                extra={"n_nc": int(values["AVAL"].isna().sum()), "n_blq": int(below.sum())},
                dataset="ADPP",
                variable=str(code),
                analyte=str(analyte),
                by=by,
                where=f"{POPULATION}; PROFTYP = DOSE",
                unit=part["AVALU"].iloc[0],
                withheld=_withhold(str(code), values["AVAL"]),
            )
            if code in RATIOS and dose > 1:
                _add_ratio(
                    collector,
                    "accumulation",
                    estimate_mean_ratio(values["AVAL"]),
                    "geometric mean of individual ratios to dose 1, 90 % CI by t on logarithms",
                    variable=str(code),
                    analyte=str(analyte),
                    by=by,
                )
    unequal = rows.loc[(rows["PARAMCD"] == "ARAUC") & (rows["PPREASND"] == "TAUDIFF")]
    keys = ["USUBJID", "PARCAT1", "DOSENO"]
    outside = pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(unequal[keys]))
    comparable = rows[~(outside & (rows["PARAMCD"] == "AUCTAU").to_numpy())]
    for (analyte, code), part in comparable[comparable["PARAMCD"].isin(TREND)].groupby(
        ["PARCAT1", "PARAMCD"], sort=True
    ):
        later = part[part["DOSENO"] > 1]
        _add_ratio(
            collector,
            "dose_trend",
            estimate_trend(later["AVAL"], later["DOSENO"], later["USUBJID"]),
            "regression of ln value on the number of the dose, from dose 2 on, with the subject as "
            "factor; ratio per dose with 90 % CI",
            variable=str(code),
            analyte=str(analyte),
            by={},
        )
    return collector.frame()


def _withhold(code: str, values: pd.Series) -> dict[str, str]:
    """A trough is a concentration at a time: no geometric mean where over half are below."""
    known = values.dropna()
    return withhold_geometric(int((known == 0).sum()), len(known)) if code == "CTROUGH" else {}


def _add_ratio(
    collector: ResultCollector,
    analysis: str,
    ratio: WithinRatio,
    method: str,
    *,
    variable: str,
    analyte: str,
    by: dict[str, str],
) -> None:
    statistics = {"gmr": ratio.ratio, "gmr_low": ratio.low, "gmr_high": ratio.high, "p": ratio.p}
    collector.add(
        analysis,
        {**statistics, "n": ratio.subjects, "n_values": ratio.values},
        dataset="ADPP",
        variable=variable,
        analyte=analyte,
        by=by,
        where=f"{POPULATION}; PROFTYP = DOSE; AVAL above 0",
        n=ratio.subjects,
        method=method,
        notes={stat: ratio.reason for stat, value in statistics.items() if value != value},
    )
