"""Immunogenicity, from ADAB to the status of each subject and the rates of the study.

Analyses, for tables, figures and templates (analyte = target, ISBDAGNT):

============= ======================================= ================ =================
analysis      variable                                by               statistics
============= ======================================= ================ =================
incidence     EVALUABLE                               none, or dose    n, n_infused
incidence     PREVALENCE, BASELINE_POSITIVE,          none, or dose    n, denominator,
              TREATMENT_INDUCED, TREATMENT_BOOSTED,                    pct, ci_low,
              TREATMENT_EMERGENT, NOT_BOOSTED,                         ci_high (%)
              NEGATIVE, UNDETERMINED, PERSISTENT,
              TRANSIENT, INDETERMINATE,
              POSITIVE_AT_END
not_evaluable EVALFL                                  reason           n
titre         TITERBL, TITERPK                        status (ADASTAT) block
============= ======================================= ================ =================

The denominator is the evaluable subjects; TREATMENT_EMERGENT = induced + boosted (the
incidence); prevalence = positive at any time, baseline included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from celldossier.immunogenicity.status import derive_adim
from celldossier.results import ResultCollector, add_block
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.proportion import clopper_pearson

CATEGORIES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "PREVALENCE": lambda adim: adim["ADAPOSFL"] == "Y",
    "BASELINE_POSITIVE": lambda adim: adim["ADABLFL"] == "Y",
    "TREATMENT_INDUCED": lambda adim: adim["ADASTAT"] == "INDUCED",
    "TREATMENT_BOOSTED": lambda adim: adim["ADASTAT"] == "BOOSTED",
    "TREATMENT_EMERGENT": lambda adim: adim["ADASTAT"].isin(["INDUCED", "BOOSTED"]),
    "NOT_BOOSTED": lambda adim: adim["ADASTAT"] == "NOT BOOSTED",
    "NEGATIVE": lambda adim: adim["ADASTAT"] == "NEGATIVE",
    "UNDETERMINED": lambda adim: adim["ADASTAT"] == "UNDETERMINED",
    "PERSISTENT": lambda adim: adim["ADADUR"] == "PERSISTENT",
    "TRANSIENT": lambda adim: adim["ADADUR"] == "TRANSIENT",
    "INDETERMINATE": lambda adim: adim["ADADUR"] == "INDETERMINATE",
    "POSITIVE_AT_END": lambda adim: adim["INDETRSN"] == "SHORTPOS",
}
"""Categories of table 78 and the subjects in them, among the evaluable."""


@dataclass(frozen=True)
class Immunogenicity:
    """What the stage hands on."""

    adim: pd.DataFrame
    results: pd.DataFrame


def summarise_immunogenicity(
    adab: pd.DataFrame, adsl: pd.DataFrame, settings: ImmunogenicitySettings
) -> Immunogenicity:
    """Derive ADIM and count each category with its exact interval, total and by dose."""
    adim = derive_adim(adab, adsl, settings)
    out = ResultCollector("immunogenicity")
    for target in sorted(adim["ISBDAGNT"].unique()):
        rows = adim.loc[adim["ISBDAGNT"] == target]
        _add_incidence(rows, target, {}, settings, out)
        for dose in sorted(set(rows["TRT01A"]) - {""}):
            subset = rows.loc[rows["TRT01A"] == dose]
            _add_incidence(subset, target, {"dose": dose}, settings, out)
        reasons = rows.loc[rows["EVALFL"] == "N", "NEVALRSN"].value_counts()
        for reason in sorted(reasons.index):
            out.add(
                "not_evaluable",
                {"n": float(reasons[reason])},
                dataset="ADIM",
                variable="EVALFL",
                analyte=target,
                by={"reason": reason},
                where="EVALFL = N",
                n=float(len(rows)),
            )
        _add_titres(rows, target, out)
    return Immunogenicity(adim, out.frame())


def _add_incidence(
    rows: pd.DataFrame,
    target: str,
    by: dict[str, str],
    settings: ImmunogenicitySettings,
    out: ResultCollector,
) -> None:
    evaluable = rows.loc[rows["EVALFL"] == "Y"]
    n = len(evaluable)
    out.add(
        "incidence",
        {"n": float(n), "n_infused": float(len(rows))},
        dataset="ADIM",
        variable="EVALUABLE",
        analyte=target,
        by=by,
        where="SAFFL = Y",
        n=float(len(rows)),
    )
    for category, members in CATEGORIES.items():
        count = int(members(evaluable).sum())
        low, high = clopper_pearson(count, n, settings.confidence_level)
        statistics = {
            "n": float(count),
            "denominator": float(n),
            "pct": 100 * count / n if n else math.nan,
            "ci_low": 100 * low,
            "ci_high": 100 * high,
        }
        out.add(
            "incidence",
            statistics,
            dataset="ADIM",
            variable=category,
            analyte=target,
            by=by,
            where="EVALFL = Y",
            units={"pct": "%", "ci_low": "%", "ci_high": "%"},
            n=float(n),
            method="Clopper-Pearson",
            notes={} if n else dict.fromkeys(("pct", "ci_low", "ci_high"), "NOGROUP"),
        )


def _add_titres(rows: pd.DataFrame, target: str, out: ResultCollector) -> None:
    evaluable = rows.loc[rows["EVALFL"] == "Y"]
    for status in ("INDUCED", "BOOSTED", "NOT BOOSTED"):
        subset = evaluable.loc[evaluable["ADASTAT"] == status]
        for variable in ("TITERBL", "TITERPK"):
            values = subset[variable].dropna()
            if values.empty:
                continue
            units = subset.loc[subset["TITERU"] != "", "TITERU"]
            add_block(
                out,
                "titre",
                values,
                dataset="ADIM",
                variable=variable,
                analyte=target,
                by={"status": status},
                where="EVALFL = Y",
                unit=str(units.iloc[0]) if len(units) else "",
            )
