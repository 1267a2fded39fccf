"""Dose metrics of ADER: what was infused in the first course, by count and sub-population."""

from __future__ import annotations

import math
from typing import get_args

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.exposure_response.study import KEY
from celldossier.settings.dose_relations import DoseMetric

DOSE_METRICS: tuple[str, ...] = get_args(DoseMetric)

COUNTED = (
    *("DOSEA", "DOSEKG", "DOSETOT", "DOSEVIA", "DOSETGP"),
    *("DOSTOTKG", "DOSVIAKG", "DOSTGPKG"),
)
"""Metrics that are sums of the variable of ADEX of the same name."""

SHARES = {
    "DOSETN": "TNPCT",
    "DOSETSCM": "TSCMPCT",
    "DOSETCM": "TCMPCT",
    "DOSETEM": "TEMPCT",
    "DOSETEFF": "TEFFPCT",
}
"""Sub-population to the variable of ADPQ with its share of the lot, in %."""

UNIT_VARIABLES = {"DOSEA": "DOSEU", "DOSEKG": "DOSEKGU"}
"""Metrics whose unit stands in the data, and the variable of ADEX with it."""


def list_doses(adex: pd.DataFrame, until: float = math.inf) -> pd.DataFrame:
    """Planned infusions of the cell product of the first course, until a day after the first.

    Parameters
    ----------
    adex
        Dataset ADEX.
    until
        Days from the first infusion.
    """
    planned = ~adex["DOSETYPE"].isin(["RETREATMENT", "UNPLANNED"])
    late = adex["AFRLT"] > until
    return adex.loc[(adex["EXCAT"] == "CELL PRODUCT") & planned & ~late]


def derive_dose_metrics(
    ader: pd.DataFrame, adex: pd.DataFrame, adpq: pd.DataFrame, until: float
) -> dict[str, pd.Series]:
    """Dose metrics of the subjects of ADER.

    A missing amount of one infusion makes the sum unknown, not smaller. The dose of a
    sub-population is the transgene-positive dose of each infusion times the share of its
    lot: the share among all T cells of the lot is taken for that among the
    transgene-positive ones. Those of CD4 and CD8 cells follow from their ratio.

    Parameters
    ----------
    ader
        STUDYID and USUBJID of the subjects.
    adex, adpq
        Datasets ADEX and ADPQ.
    until
        Days from the first infusion until which infusions count.

    Returns
    -------
    dict
        `DOSE_METRICS` to values in the rows of `ader`; 10^6 cells (per kg), but for DOSEA
        and DOSEKG, whose unit `read_dose_units` gives.
    """
    doses = list_doses(adex, until).reset_index(drop=True)
    lots = adpq.drop_duplicates(["STUDYID", "LOTID"]).set_index(["STUDYID", "LOTID"])
    key = pd.MultiIndex.from_frame(doses[["STUDYID", "LOTID"]])

    def of_lot(variable: str) -> pd.Series:
        return pd.Series(lots[variable].reindex(key).to_numpy(dtype=float), index=doses.index)

    cells = doses["DOSETGP"]
    ratio = of_lot("CD4CD8")
    amounts = {name: doses[name] for name in COUNTED}
    amounts["DOSECD4"] = cells * ratio / (1 + ratio)
    amounts["DOSECD8"] = cells / (1 + ratio)
    amounts |= {name: cells * of_lot(variable) / 100 for name, variable in SHARES.items()}
    subjects = [doses[name] for name in KEY]
    rows = pd.MultiIndex.from_frame(ader[KEY])
    metrics = {}
    for name in DOSE_METRICS:
        groups = amounts[name].isna().groupby(subjects)
        total = amounts[name].groupby(subjects).sum().mask(groups.any())
        metrics[name] = pd.Series(total.reindex(rows).to_numpy(dtype=float), index=ader.index)
    return metrics


def read_dose_units(adex: pd.DataFrame) -> dict[str, str]:
    """Unit of each dose metric; blank where the doses have several."""
    variables = read_specification("ADER").variables
    units = {name: variables[name].unit for name in DOSE_METRICS}
    doses = list_doses(adex)
    for metric, variable in UNIT_VARIABLES.items():
        found = sorted(set(doses.loc[doses[metric].notna(), variable]))
        units[metric] = found[0] if len(found) == 1 else ""
    return units
