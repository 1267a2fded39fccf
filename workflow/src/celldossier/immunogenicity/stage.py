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

Denominators: of prevalence (positive at any time, baseline included), incidence
(TREATMENT_EMERGENT = induced + boosted), BASELINE_POSITIVE and NEGATIVE the evaluable
subjects; of TREATMENT_INDUCED those of them negative at baseline; of TREATMENT_BOOSTED,
NOT_BOOSTED and UNDETERMINED (of a boost) those positive at baseline; of the categories of
duration the induced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from celldossier.immunogenicity.status import derive_adim
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.proportion import clopper_pearson


@dataclass(frozen=True)
class Category:
    """A line of table 78: subjects of ADIM, as a share of which others.

    Attributes
    ----------
    variable, values
        Variable of ADIM, and the values of those counted.
    denominator
        Variable and value of the evaluable subjects that they are a share of; none: all
        the evaluable.
    """

    variable: str
    values: tuple[str, ...]
    denominator: tuple[str, str] | None = None


_POSITIVE_BEFORE, _NEGATIVE_BEFORE = ("ADABLFL", "Y"), ("ADABLFL", "N")
_INDUCED = ("ADASTAT", "INDUCED")

CATEGORIES: dict[str, Category] = {
    "PREVALENCE": Category("ADAPOSFL", ("Y",)),
    "BASELINE_POSITIVE": Category("ADABLFL", ("Y",)),
    "TREATMENT_INDUCED": Category("ADASTAT", ("INDUCED",), _NEGATIVE_BEFORE),
    "TREATMENT_BOOSTED": Category("ADASTAT", ("BOOSTED",), _POSITIVE_BEFORE),
    "TREATMENT_EMERGENT": Category("ADASTAT", ("INDUCED", "BOOSTED")),
    "NOT_BOOSTED": Category("ADASTAT", ("NOT BOOSTED",), _POSITIVE_BEFORE),
    "NEGATIVE": Category("ADASTAT", ("NEGATIVE",)),
    "UNDETERMINED": Category("ADASTAT", ("UNDETERMINED",), _POSITIVE_BEFORE),
    "PERSISTENT": Category("ADADUR", ("PERSISTENT",), _INDUCED),
    "TRANSIENT": Category("ADADUR", ("TRANSIENT",), _INDUCED),
    "INDETERMINATE": Category("ADADUR", ("INDETERMINATE",), _INDUCED),
    "POSITIVE_AT_END": Category("INDETRSN", ("SHORTPOS",), _INDUCED),
}
"""Lines of table 78, each of the subjects in whom it could be seen."""


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
    for name, category in CATEGORIES.items():
        base, where = evaluable, "EVALFL = Y"
        if category.denominator is not None:
            variable, value = category.denominator
            base = evaluable.loc[evaluable[variable] == value]
            where = f"EVALFL = Y and {variable} = {value}"
        count = int(base[category.variable].isin(category.values).sum())
        statistics = _share(count, len(base), settings)
        out.add(
            "incidence",
            statistics,
            dataset="ADIM",
            variable=name,
            analyte=target,
            by=by,
            where=where,
            units={"pct": "%", "ci_low": "%", "ci_high": "%"},
            n=float(len(base)),
            method="Clopper-Pearson",
            notes=explain_missing(statistics, "NOGROUP"),
        )


def _share(count: int, n: int, settings: ImmunogenicitySettings) -> dict[str, float]:
    """Statistics of a share: n, denominator, pct with its exact interval, %."""
    low, high = clopper_pearson(count, n, settings.confidence_level)
    return {
        "n": float(count),
        "denominator": float(n),
        "pct": 100 * count / n if n else math.nan,
        "ci_low": 100 * low,
        "ci_high": 100 * high,
    }


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
