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
              POSITIVE_AT_END, NEUTRALISING
              (NABNOTCO where no test for it
              was made); where the study
              names an interference
              PASSIVE_POSITIVE,
              EMERGENT_ATTRIBUTABLE,
              INCONCLUSIVE_NEGATIVE
not_evaluable EVALFL                                  reason           n
titre         TITERBL, TITERPK                        status (ADASTAT) block
course        ADAONDY, ADADURDY (d)                   status: INDUCED  block
course        ADATEDY (d)                             status: BOOSTED  block
============= ======================================= ================ =================

Cut points of the assays: see `cut_points_summary`.

Denominators: of prevalence (positive at any time, baseline included), incidence
(TREATMENT_EMERGENT = induced + boosted), BASELINE_POSITIVE and NEGATIVE the evaluable
subjects; of TREATMENT_INDUCED those of them negative at baseline; of TREATMENT_BOOSTED,
NOT_BOOSTED and UNDETERMINED (of a boost) those positive at baseline; of the categories of
duration the induced; of NEUTRALISING the positive with a result of such a test.
EMERGENT_ATTRIBUTABLE is the incidence without positive samples under immunoglobulin, of
those evaluable without them.

The other analyses stand with their modules: `impact` (exposure, ratio of assays), `outcomes`,
`cellular_summaries` and `factors`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from celldossier.datasets import conform
from celldossier.immunogenicity.cellular_dataset import derive_adimc
from celldossier.immunogenicity.cellular_summaries import summarise_cellular_response
from celldossier.immunogenicity.cut_points_summary import summarise_cut_points
from celldossier.immunogenicity.emergence import derive_emergence
from celldossier.immunogenicity.factors import summarise_factors
from celldossier.immunogenicity.impact import summarise_assay_ratio, summarise_baseline_exposure
from celldossier.immunogenicity.kinetics_by_status import summarise_kinetics_by_status
from celldossier.immunogenicity.neutralising import NOT_COLLECTED
from celldossier.immunogenicity.outcomes import summarise_landmarks, summarise_reinfusion_crs
from celldossier.immunogenicity.risk_class import summarise_risk_class
from celldossier.immunogenicity.status import derive_adim
from celldossier.immunogenicity.study import Sources
from celldossier.results import (
    SHARE_UNITS,
    ResultCollector,
    add_block,
    describe_share,
    explain_missing,
)
from celldossier.settings.bioanalysis import Assay
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.study import Product


@dataclass(frozen=True)
class Category:
    """A line of table 78: subjects of ADIM, as a share of which others.

    Attributes
    ----------
    variable, values
        Variable of ADIM, and the values of those counted.
    evaluable
        Flag of the evaluable subjects.
    denominator
        Variable and value of the evaluable subjects that they are a share of; none: all
        the evaluable.
    """

    variable: str
    values: tuple[str, ...]
    evaluable: str = "EVALFL"
    denominator: tuple[str, str] | None = None


_POSITIVE_BEFORE, _NEGATIVE_BEFORE = ("ADABLFL", "Y"), ("ADABLFL", "N")
_INDUCED = ("ADASTAT", "INDUCED")

CATEGORIES: dict[str, Category] = {
    "PREVALENCE": Category("ADAPOSFL", ("Y",)),
    "BASELINE_POSITIVE": Category("ADABLFL", ("Y",)),
    "TREATMENT_INDUCED": Category("ADASTAT", ("INDUCED",), denominator=_NEGATIVE_BEFORE),
    "TREATMENT_BOOSTED": Category("ADASTAT", ("BOOSTED",), denominator=_POSITIVE_BEFORE),
    "TREATMENT_EMERGENT": Category("ADASTAT", ("INDUCED", "BOOSTED")),
    "NOT_BOOSTED": Category("ADASTAT", ("NOT BOOSTED",), denominator=_POSITIVE_BEFORE),
    "NEGATIVE": Category("ADASTAT", ("NEGATIVE",)),
    "UNDETERMINED": Category("ADASTAT", ("UNDETERMINED",), denominator=_POSITIVE_BEFORE),
    "PERSISTENT": Category("ADADUR", ("PERSISTENT",), denominator=_INDUCED),
    "TRANSIENT": Category("ADADUR", ("TRANSIENT",), denominator=_INDUCED),
    "INDETERMINATE": Category("ADADUR", ("INDETERMINATE",), denominator=_INDUCED),
    "POSITIVE_AT_END": Category("INDETRSN", ("SHORTPOS",), denominator=_INDUCED),
    "NEUTRALISING": Category("NABFL", ("Y",), denominator=("NABRSN", "")),
}
"""Lines of table 78, each of the subjects in whom it could be seen."""

UNDER_IMMUNOGLOBULIN = {
    "PASSIVE_POSITIVE": Category("PASSFL", ("Y",)),
    "EMERGENT_ATTRIBUTABLE": Category("ADASTATT", ("INDUCED", "BOOSTED"), evaluable="EVALATFL"),
}
"""Positive samples under immunoglobulin, and the incidence without them."""

INCONCLUSIVE = {"INCONCLUSIVE_NEGATIVE": Category("INCONFL", ("Y",))}
"""Evaluable subjects with a negative sample, among others, that says nothing."""


COURSE = (("INDUCED", "ADAONDY"), ("INDUCED", "ADADURDY"), ("BOOSTED", "ADATEDY"))
"""Status and variable of the days that are summarised; of boosted antibodies the rise alone."""


@dataclass(frozen=True)
class Immunogenicity:
    """What the stage hands on."""

    adim: pd.DataFrame
    adimc: pd.DataFrame
    results: pd.DataFrame


def analyse_immunogenicity(
    sources: Sources,
    settings: ImmunogenicitySettings,
    product: Product,
    assays: Sequence[Assay] = (),
) -> Immunogenicity:
    """Run the stage: status of antibodies and its rates, what they go with, and the risk class."""
    status = summarise_immunogenicity(
        sources.adab, sources.adsl, settings, sources.adcm, sources.adpd
    )
    out = ResultCollector("immunogenicity")
    summarise_cellular_response(sources.adab, sources.adsl, status.adim, settings, out)
    spells = derive_emergence(sources.adab, status.adim, settings, sources.adcm, sources.adpd)
    summarise_baseline_exposure(status.adim, sources.adpp, settings.impact, out)
    summarise_assay_ratio(spells, sources.adpair, settings.impact, out)
    summarise_landmarks(spells, status.adim, sources.adtte, sources.adsl, settings.impact, out)
    summarise_factors(sources.adab, sources.adsl, status.adim, settings, out)
    summarise_reinfusion_crs(
        spells, status.adim, sources.adex, sources.adaesi, settings.impact, out
    )
    risk = summarise_risk_class(product, assays, status.adim, sources.adsl)
    kinetics = summarise_kinetics_by_status(status.adim, sources.adpc)
    results = pd.concat([status.results, out.frame(), risk, kinetics], ignore_index=True)
    return Immunogenicity(status.adim, status.adimc, conform(results, "ARD"))


def summarise_immunogenicity(
    adab: pd.DataFrame,
    adsl: pd.DataFrame,
    settings: ImmunogenicitySettings,
    adcm: pd.DataFrame | None = None,
    adpd: pd.DataFrame | None = None,
) -> Immunogenicity:
    """Derive ADIM and count each category with its exact interval, total and by dose."""
    adim = derive_adim(adab, adsl, settings, adcm, adpd)
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
        _add_course(rows, target, out)
    summarise_cut_points(adab, settings.cut_points, out)
    return Immunogenicity(adim, derive_adimc(adab, adsl, settings.cellular), out.frame())


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
    for name, category in _categories(settings).items():
        base, where = rows.loc[rows[category.evaluable] == "Y"], f"{category.evaluable} = Y"
        if category.denominator is not None:
            variable, value = category.denominator
            base = base.loc[base[variable] == value]
            where = f"{where} and {variable} = {value or 'blank'}"
        count = int(base[category.variable].isin(category.values).sum())
        statistics, reason = describe_share(count, len(base), settings.confidence_level), "NOGROUP"
        if name == "NEUTRALISING" and (rows["NABRSN"] == NOT_COLLECTED).all():
            statistics, reason = dict.fromkeys(statistics, math.nan), NOT_COLLECTED
        out.add(
            "incidence",
            statistics,
            dataset="ADIM",
            variable=name,
            analyte=target,
            by=by,
            where=where,
            units=SHARE_UNITS,
            n=float(len(base)),
            method="Clopper-Pearson",
            notes=explain_missing(statistics, reason),
        )


def _categories(settings: ImmunogenicitySettings) -> dict[str, Category]:
    """Lines of table 78; those of an interference where the study names one."""
    rules, lines = settings.interference, dict(CATEGORIES)
    if rules.immunoglobulin.names:
        lines |= UNDER_IMMUNOGLOBULIN
    if rules.b_cell_depletion.names or rules.soluble_targets:
        lines |= INCONCLUSIVE
    return lines


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


def _add_course(rows: pd.DataFrame, target: str, out: ResultCollector) -> None:
    """Onset and duration of induced antibodies, and onset of a boost."""
    for status, variable in COURSE:
        own = rows.loc[(rows["EVALFL"] == "Y") & (rows["ADASTAT"] == status), variable]
        if own.empty:
            continue
        add_block(
            out,
            "course",
            own,
            dataset="ADIM",
            variable=variable,
            analyte=target,
            by={"status": status},
            where="EVALFL = Y",
            unit="d",
        )
