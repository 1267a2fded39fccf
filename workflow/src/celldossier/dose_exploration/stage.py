"""Dose exploration, first part: planned and actual doses of the infused subjects.

Analyses, for tables, figures and templates:

======== ============================================== ============== ====================
analysis variable                                       by             statistics
======== ============================================== ============== ====================
dose     DOSEA, DOSEP, DOSETOT, DOSEVIA, DOSEKG,        none, or dose  block, values where
         DOSEM2, DOSERAT                                               n < 3
dose     INWINFL                                        none, or dose  n_inwindow,
                                                                       pct_inwindow,
                                                                       n_outwindow,
                                                                       n_nowindow
dose     INFUSIONS                                      none, or dose  n, n_subjects
======== ============================================== ============== ====================

A row is a subject: planned doses of the first course (split and repeat doses) are added up,
unplanned infusions and retreatments left out, as they are in the kinetics. The ratio is the
sum of the actual over the sum of the planned doses, and a subject is in the window if every
infusion was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.stats.descriptive import describe

VARIABLES = ("DOSEA", "DOSEP", "DOSETOT", "DOSEVIA", "DOSEKG", "DOSEM2", "DOSERAT")
KEY = ["STUDYID", "USUBJID"]


@dataclass(frozen=True)
class DoseExploration:
    """What the stage hands on."""

    results: pd.DataFrame


def derive_subject_doses(adsl: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Doses of each infused subject over its planned infusions of the first course.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, TRT01A, the `VARIABLES`, DOSEU (blank where units differ),
        INWINFL (Y, N, or blank where no infusion could be judged), INFUSIONS.
    """
    subjects = adsl.loc[adsl["SAFFL"] == "Y", [*KEY, "TRT01A"]]
    planned = ~adex["DOSETYPE"].isin(["RETREATMENT", "UNPLANNED"])
    infusions = adex.loc[(adex["EXCAT"] == "CELL PRODUCT") & planned]
    grouped = infusions.groupby(KEY)
    # A missing amount of one infusion makes the sum unknown, not smaller.
    sums = {
        name: grouped[name].agg(lambda values: values.sum(skipna=False))
        for name in ("DOSEA", "DOSEP", "DOSETOT", "DOSEVIA", "DOSEKG", "DOSEM2")
    }
    doses = pd.DataFrame(sums)
    doses["INFUSIONS"] = grouped.size().astype(float)
    units = grouped["DOSEU"].agg(lambda values: "|".join(sorted(set(values))))
    doses["DOSEU"] = units.where(~units.str.contains("|", regex=False), "")
    outside = grouped["INWINFL"].agg(lambda values: bool((values == "N").any()))
    inside = grouped["INWINFL"].agg(lambda values: bool((values == "Y").all()))
    doses["INWINFL"] = np.select([outside, inside], ["N", "Y"], "")
    frame = subjects.merge(doses.reset_index(), on=KEY, how="inner")
    frame["DOSERAT"] = frame["DOSEA"] / frame["DOSEP"].where(frame["DOSEP"] > 0)
    return frame.sort_values(KEY, kind="stable", ignore_index=True)


def summarise_doses(
    adsl: pd.DataFrame, adex: pd.DataFrame, settings: DoseExplorationSettings
) -> DoseExploration:
    """Describe planned and actual doses, total and by dose level."""
    doses = derive_subject_doses(adsl, adex)
    out = ResultCollector("dose_exploration")
    _add_group(doses, {}, out)
    if settings.by_dose:
        for level in sorted(set(doses["TRT01A"]) - {""}):
            _add_group(doses.loc[doses["TRT01A"] == level], {"dose": level}, out)
    return DoseExploration(out.frame())


def _unit(rows: pd.DataFrame, variable: str) -> str:
    units = set(rows["DOSEU"])
    dose = units.pop() if len(units) == 1 else ""
    if variable in ("DOSETOT", "DOSEVIA"):
        return "10^6 cells"
    if variable == "DOSERAT" or not dose:
        return "1" if variable == "DOSERAT" else ""
    # A dose that is already one per weight or surface.
    cells = dose.removesuffix("/kg").removesuffix("/m2")
    return {"DOSEKG": f"{cells}/kg", "DOSEM2": f"{cells}/m2"}.get(variable, dose)


def _add_group(rows: pd.DataFrame, by: dict[str, str], out: ResultCollector) -> None:
    mixed = len(set(rows["DOSEU"])) > 1
    for variable in VARIABLES:
        values = rows[variable].dropna()
        block = describe(values)
        reason = "NOGROUP" if rows.empty else "NOTCOLL" if values.empty else "FEWVAL"
        if mixed and variable not in ("DOSETOT", "DOSEVIA", "DOSERAT"):
            # Doses in different units have no common mean.
            block = dict.fromkeys(block, math.nan) | {"n": block["n"]}
            reason = "MIXUNIT"
        statistics: dict[str, float | str] = dict(block)
        if 0 < len(values) < 3 and reason != "MIXUNIT":
            statistics["values"] = "; ".join(f"{v:.6g}" for v in sorted(values))
        out.add(
            "dose",
            statistics,
            dataset="ADEX",
            variable=variable,
            by=by,
            where="EXCAT = CELL PRODUCT",
            unit=_unit(rows, variable),
            units={"n": "", "gcv": "%"},
            n=block["n"],
            notes={k: reason for k, v in block.items() if math.isnan(v)},
        )
    inside, outside = (int((rows["INWINFL"] == flag).sum()) for flag in ("Y", "N"))
    judged = inside + outside
    out.add(
        "dose",
        {
            "n_inwindow": float(inside),
            "pct_inwindow": 100 * inside / judged if judged else math.nan,
            "n_outwindow": float(outside),
            "n_nowindow": float(len(rows) - judged),
        },
        dataset="ADEX",
        variable="INWINFL",
        by=by,
        where="EXCAT = CELL PRODUCT",
        units={"pct_inwindow": "%"},
        n=float(judged),
        notes={} if judged else {"pct_inwindow": "NOTCOLL" if len(rows) else "NOGROUP"},
    )
    out.add(
        "dose",
        {"n": float(rows["INFUSIONS"].sum()), "n_subjects": float(len(rows))},
        dataset="ADEX",
        variable="INFUSIONS",
        by=by,
        where="EXCAT = CELL PRODUCT",
        n=float(len(rows)),
    )
