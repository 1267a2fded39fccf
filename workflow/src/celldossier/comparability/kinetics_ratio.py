"""Kinetics before and after the change: geometric mean ratios held against the margins."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from celldossier.comparability.bridge_error import with_bridge
from celldossier.comparability.covariates import read_covariates
from celldossier.comparability.gate import ASSAYDIFF, BRIDGE, CLOSED, Gate, choose_approach
from celldossier.comparability.kinetics import POSITIVE, Comparison, list_comparisons, read_sides
from celldossier.comparability.study import ASIS, Study
from celldossier.comparability.verdict import explain_verdict, judge, list_verdict
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.comparability import ComparabilitySettings
from celldossier.stats.adjusted_ratio import estimate_adjusted_ratio, estimate_clustered_ratio
from celldossier.stats.equivalence import size_for_equivalence
from celldossier.stats.ratio import Ratio, estimate_ratio

UNADJUSTED, ADJUSTED = "UNADJUSTED", "ADJUSTED"

PRIMARY, SENSITIVITY = "PRIMARY", "SENSITIVITY"
"""What a ratio is for, by the settings alone: which one it is never rests on its verdict."""

METHODS = {
    UNADJUSTED: "Welch t interval on ln",
    ADJUSTED: "analysis of covariance of ln, HC2, Satterthwaite",
}
DONOR = "DONORID"
CLUSTERED = "linear mixed model of ln, REML, random intercept of "


def refuse_verdict(gate: Gate, approach: str) -> str:
    """Reason code why no verdict may be given; blank where it may."""
    if gate.state == CLOSED:
        return gate.reason
    # Through a bridge only the bridged concentrations are of one assay.
    return ASSAYDIFF if gate.state == BRIDGE and approach == ASIS else ""


def summarise_ratios(
    study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector
) -> None:
    """Add `ratio`: unadjusted and, where covariates were named, adjusted."""
    for one in list_comparisons(study, gates):
        gate = gates[one.analyte, one.group]
        found, method, extra = estimate_unadjusted(study, one)
        add_ratio(study, out, one, UNADJUSTED, found, gate, method, extra)
        if study.settings.adjust_for:
            found, method, extra = estimate_adjusted(study, one)
            add_ratio(study, out, one, ADJUSTED, found, gate, method, extra)


def estimate_unadjusted(study: Study, one: Comparison) -> tuple[Ratio, str, dict[str, float | str]]:
    """The ratio of two groups by Welch, or with donors as a random effect where lots share one.

    Donors are no covariate: to leave them out would count the subjects of one donor as
    independent, adjusted or not.
    """
    values, test = read_sides(study, one)
    level = study.settings.equivalence_level
    if shares_donors(study, values > 0):
        labels = label_clusters(study, DONOR)
        found = estimate_clustered_ratio(values, test, labels, level=level)
        return found, CLUSTERED + DONOR, {"cluster": DONOR}
    found = estimate_ratio(values[test == 1], values[test == 0], level)
    return found, METHODS[UNADJUSTED], {"cluster": math.nan}


def estimate_adjusted(study: Study, one: Comparison) -> tuple[Ratio, str, dict[str, float | str]]:
    """The ratio at equal covariates, its method, and what it says of the covariates.

    Lots that share a donor are not independent: then the donor is a random effect, and else the
    study where there are three or more.
    """
    values, test = read_sides(study, one)
    covariates = read_covariates(study, values > 0)
    level = study.settings.equivalence_level
    cluster = choose_cluster(study, values > 0)
    if not covariates.columns:
        # The same ratio under another name is no adjusted one.
        sizes = (int((values[test == 1] > 0).sum()), int((values[test == 0] > 0).sum()))
        found = Ratio(math.nan, math.nan, math.nan, math.nan, *sizes, "NOCOVAR")
        method = METHODS[ADJUSTED]
    elif cluster:
        keep = [not name.startswith(f"{cluster}=") for name in covariates.columns]
        labels, matrix = label_clusters(study, cluster), covariates.matrix[:, keep]
        found = estimate_clustered_ratio(values, test, labels, matrix, level)
        method = CLUSTERED + cluster
    else:
        found = estimate_adjusted_ratio(values, test, covariates.matrix, level)
        method = METHODS[ADJUSTED]
    extra: dict[str, float | str] = {
        "n_lost": float((values > 0).sum() - found.n_test - found.n_reference),
        "covariates": ", ".join(covariates.used) or math.nan,
        "cluster": cluster or math.nan,
    }
    return found, method, extra


def choose_cluster(study: Study, compared: pd.Series) -> str:
    """Variable whose levels are random effects: DONORID, STUDYID, or blank for none."""
    if shares_donors(study, compared):
        return DONOR
    return "STUDYID" if study.subjects.loc[compared, "STUDYID"].nunique() > 2 else ""


def shares_donors(study: Study, compared: pd.Series) -> bool:
    """Whether two of the subjects were given lots of one donor."""
    donors = study.subjects.loc[compared, DONOR]
    return bool(donors[donors != ""].duplicated().any())


def label_clusters(study: Study, cluster: str) -> pd.Series:
    """Cluster of each subject; one whose cluster is not known is one of its own."""
    labels = study.subjects[cluster]
    return labels.where(labels != "", study.subjects["USUBJID"])


def add_ratio(
    study: Study,
    out: ResultCollector,
    one: Comparison,
    model: str,
    ratio: Ratio,
    gate: Gate,
    method: str = "",
    extra: Mapping[str, float | str] | None = None,
    analysis: str = "ratio",
    refused: str = "",
) -> None:
    """Add one ratio with its interval, what the margin makes of it, and the size it needs.

    `refused` is the reason why the model gets no verdict, whatever the assay. A ratio without a
    standard deviation within groups (weighted) has no size.
    """
    settings = study.settings
    few = min(ratio.n_test, ratio.n_reference) < settings.min_per_group
    # A model that has no pairs or weights says why, and not that nobody is left.
    reason = ratio.reason or ("FEWSUBJ" if few else "")
    if few:
        nan = math.nan
        ratio = Ratio(nan, nan, nan, nan, ratio.n_test, ratio.n_reference, reason)
    ratio, added = with_bridge(study, one, ratio)
    limits = (one.margin.lower, one.margin.upper) if one.margin else None
    refused = refuse_verdict(gate, one.approach) or refused
    verdict = judge(
        math.log(ratio.ratio) if ratio.ratio > 0 else math.nan,
        ratio.se,
        ratio.df,
        (math.log(limits[0]), math.log(limits[1])) if limits else None,
        settings.equivalence_level,
        refused or ("" if math.isfinite(ratio.se) else reason),
    )
    statistics: dict[str, float | str] = {
        "n_test": float(ratio.n_test),
        "n_reference": float(ratio.n_reference),
        "gmr": ratio.ratio,
        "gmr_low": ratio.low,
        "gmr_high": ratio.high,
        "se": ratio.se,
        "se_bridge": added,
        **list_verdict(verdict, limits),
        **(extra or {}),
    }
    if analysis == "ratio":
        first = model == settings.primary and one.approach == choose_approach(gate)
        statistics["role"] = PRIMARY if first else SENSITIVITY
    notes = explain_missing(
        statistics,
        reason or "NOVALUE",
        **explain_verdict(verdict),
        covariates="NOCOVAR",
        cluster="NOCLUSTER",
    )
    sizes: dict[str, float] = {}
    if analysis == "ratio":
        sizes, size_notes = size_needed(settings, ratio, limits)
        notes |= size_notes
    out.add(
        analysis,
        statistics | sizes,
        dataset="ADPP" if one.approach == ASIS else "ADPPB",
        variable=one.parameter,
        analyte=one.analyte,
        by={"approach": one.approach, "group": one.group, "model": model},
        where=POSITIVE,
        units={"probability": "%"},
        n=float(ratio.n_test + ratio.n_reference),
        method=method or METHODS[model],
        notes=notes,
    )


def size_needed(
    settings: ComparabilitySettings, ratio: Ratio, limits: tuple[float, float] | None
) -> tuple[dict[str, float], dict[str, str]]:
    """Subjects of each group that the margin would need at the observed standard deviation.

    In the proportion of the groups as they are; a plan for a study to come, not the power of this
    one.
    """
    names = ("n_needed_test", "n_needed_reference")
    sd = {"sd": ratio.sd}
    sd_note = explain_missing(sd, ratio.reason or "NOVALUE")
    reason = ""
    if limits is None:
        reason = "NOMARGIN"
    elif not ratio.sd > 0:
        reason = ratio.reason or "NOVALUE"
    else:
        size = size_for_equivalence(
            ratio.sd,
            settings.expected_ratio,
            *limits,
            settings.power,
            settings.equivalence_level,
            ratio.n_test / ratio.n_reference,
        )
        reason = size.reason
        if not reason:
            found = (float(size.n_test), float(size.n_reference))
            return sd | dict(zip(names, found, strict=True)), sd_note
    return sd | dict.fromkeys(names, math.nan), sd_note | dict.fromkeys(names, reason)
