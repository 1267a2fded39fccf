"""Results of analytes without specific marker (table 37): the trend from baseline (R24)."""

from __future__ import annotations

import pandas as pd

from celldossier.cellular_kinetics.groups import add_block, list_groups, withhold_geometric
from celldossier.cellular_kinetics.summaries import POPULATION, STAGE
from celldossier.results import ResultCollector


def summarise_trend(adnca: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Results of the analysis ``trend`` (dataset ARD): by nominal day, in total and by dose.

    Parameters
    ----------
    adnca
        Dataset ADNCA; the samples with a change from baseline are taken.
    levels
        From `derive_subject_levels`: the subjects of the kinetics population.

    Returns
    -------
    DataFrame
        Variables CONC (concentration), CHG (change) and FOLD (concentration over baseline); a
        result below the limit counts as 0.
    """
    collector = ResultCollector(STAGE)
    rows = adnca[adnca["CHG"].notna() & adnca["NRRLT"].notna()]
    rows = rows[rows["USUBJID"].isin(levels.index)]
    value = rows["BASE"] + rows["CHG"]
    parts = {"CONC": value, "CHG": rows["CHG"], "FOLD": rows["RCHG"] + 1}
    for group in list_groups(levels, (), ("dose",)):
        inside = rows[rows["USUBJID"].isin(group.subjects)]
        for (analyte, day), samples in inside.groupby(["PARAMCD", "NRRLT"], sort=True):
            below = int((samples["BLQFL"] == "Y").sum())
            for variable, values in parts.items():
                add_block(
                    collector,
                    "trend",
                    values[samples.index],
                    extra={"n_blq": below},
                    dataset="ADNCA",
                    variable=variable,
                    analyte=str(analyte),
                    by={"visit": f"{float(str(day)):g}", **group.by},
                    where=f"{POPULATION}; BASE known; BLQ as 0",
                    unit="" if variable == "FOLD" else samples["AVALU"].iloc[0],
                    withheld=withhold_geometric(below, len(samples)),
                )
    return collector.frame()
