"""Cellular kinetics by antibody status: median and quartiles at each nominal time (F78c, F78d).

Analysis ``kinetics_by_status``, variable MEDIAN, analyte the one of the kinetics, by target,
status and day (nominal, days from the first infusion): n, median, q1, q3. Status is
BASELINE_Y, BASELINE_N (antibodies before the infusion), INDUCED, BOOSTED, NONE (neither). A
result below the limit of quantitation counts as that limit; only samples of the first dose.

Antibodies before the infusion precede the kinetics; induced and boosted ones follow them, and
who stays long enough in the study to be found positive is no chance: these groups
are described, and no cause is read from them.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector
from celldossier.stats.descriptive import describe

KEY = ["STUDYID", "USUBJID"]
FEW = 3
"""With fewer results a point has no median: single results are no course of a group."""


def assign_groups(adim: pd.DataFrame) -> pd.DataFrame:
    """Groups of the evaluable subjects: KEY, ISBDAGNT, STATUS; two a subject and target."""
    evaluable = adim.loc[adim["EVALFL"] == "Y", [*KEY, "ISBDAGNT", "ADABLFL", "ADASTAT"]]
    baseline = evaluable.assign(STATUS="BASELINE_" + evaluable["ADABLFL"])
    later = evaluable["ADASTAT"].where(evaluable["ADASTAT"].isin(["INDUCED", "BOOSTED"]), "NONE")
    # A boost that cannot be told is neither none nor one.
    told = evaluable.assign(STATUS=later)[evaluable["ADASTAT"] != "UNDETERMINED"]
    return pd.concat([baseline, told], ignore_index=True)[[*KEY, "ISBDAGNT", "STATUS"]]


def summarise_kinetics_by_status(adim: pd.DataFrame, adpc: pd.DataFrame) -> pd.DataFrame:
    """Summarise the samples of the first dose by antibody status, as analysis results."""
    out = ResultCollector("immunogenicity")
    samples = adpc[
        (adpc["ANL01FL"] == "Y")
        & (adpc["DOSENO"] == 1)
        & (adpc["AFRLT"] > 0)
        & adpc["NFRLT"].notna()
    ]
    shown = samples["AVAL"].where(samples["BLQFL"] != "Y", samples["ALLOQ"])
    samples = samples.assign(SHOWN=shown)[shown.notna()]
    joined = samples.merge(assign_groups(adim), on=KEY, how="inner")
    grouped = joined.groupby(["PARAMCD", "ISBDAGNT", "STATUS", "NFRLT"], sort=True)
    for (analyte, target, status, day), rows in grouped:
        block = describe(rows["SHOWN"].to_numpy(dtype=float))
        few = block["n"] < FEW
        statistics = {"n": block["n"]} | {
            name: math.nan if few else block[name] for name in ("median", "q1", "q3")
        }
        out.add(
            "kinetics_by_status",
            statistics,
            dataset="ADPC",
            variable="MEDIAN",
            analyte=str(analyte),
            by={"target": str(target), "status": str(status), "day": f"{day:g}"},
            where="ANL01FL = Y, DOSENO = 1, EVALFL = Y",
            unit=str(rows["AVALU"].iloc[0]),
            units={"n": ""},
            n=float(rows["USUBJID"].nunique()),
            method="BLQ at ALLOQ",
            notes={name: "FEWVAL" for name, value in statistics.items() if np.isnan(value)},
        )
    return out.frame()
