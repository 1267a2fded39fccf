"""Kinetics before and after the change: geometric mean ratios held against the margins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from celldossier.comparability.covariates import read_covariates
from celldossier.comparability.gate import ASSAYDIFF, BRIDGE, CLOSED, OPEN, Gate
from celldossier.comparability.groups import KEY
from celldossier.comparability.study import ASIS, Study, list_approaches
from celldossier.comparability.verdict import explain_verdict, judge, list_verdict
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.settings.comparability import ComparabilitySettings, Margin
from celldossier.stats.adjusted_ratio import estimate_adjusted_ratio, estimate_clustered_ratio
from celldossier.stats.bridging import combine_bridge_error
from celldossier.stats.equivalence import size_for_equivalence
from celldossier.stats.ratio import Ratio, estimate_ratio, ratio_from_logs
from celldossier.stats.shift_ratio import estimate_shift_ratio

UNADJUSTED, ADJUSTED = "UNADJUSTED", "ADJUSTED"

METHODS = {
    UNADJUSTED: "Welch t interval on ln",
    ADJUSTED: "analysis of covariance of ln, HC2, Satterthwaite",
}
CLUSTERED = "linear mixed model of ln, REML, random intercept of "


@dataclass(frozen=True)
class Comparison:
    """What one ratio is about.

    Attributes
    ----------
    unit
        Unit of the parameter.
    margin
        Margin of the sponsor, None where none was set.
    """

    approach: str
    analyte: str
    parameter: str
    group: str
    unit: str
    margin: Margin | None


def list_comparisons(
    study: Study, gates: dict[tuple[str, str], Gate], parameters: Sequence[str] = ()
) -> list[Comparison]:
    """Each approach, analyte, parameter and group after the change.

    Bridged concentrations are compared only where the assay differs: elsewhere there is nothing
    to bridge.
    """
    return [
        Comparison(
            approach,
            analyte,
            parameter,
            group,
            study.read_unit(approach, analyte, parameter),
            study.settings.find_margin(parameter, analyte),
        )
        for analyte in study.analytes
        for parameter in parameters or study.settings.metrics
        for group in study.changed
        for approach in list_approaches(study, analyte)
        if approach == ASIS or gates[analyte, group].state != OPEN
    ]


def refuse_verdict(gate: Gate, approach: str) -> str:
    """Reason code why no verdict may be given; blank where it may."""
    if gate.state == CLOSED:
        return gate.reason
    # Through a bridge only the bridged concentrations are of one assay.
    return ASSAYDIFF if gate.state == BRIDGE and approach == ASIS else ""


def summarise_exposure(
    study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector
) -> None:
    """Add `exposure`: each parameter of each group, by approach."""
    for analyte in study.analytes:
        states = {gates[analyte, group].state for group in study.changed}
        for approach in list_approaches(study, analyte):
            if approach != ASIS and states == {OPEN}:
                continue
            for parameter in (*study.settings.metrics, *study.settings.times):
                values = study.read_parameter(approach, analyte, parameter)
                for group in study.groups:
                    own = values[study.subjects["GROUP"] == group]
                    add_block(
                        out,
                        "exposure",
                        own,
                        dataset="ADPP" if approach == ASIS else "ADPPB",
                        variable=parameter,
                        analyte=analyte,
                        by={"approach": approach, "group": group},
                        where="PKFL = Y, PROFTYP = COURSE",
                        unit=study.read_unit(approach, analyte, parameter),
                        extra={"n_zero": float((own == 0).sum())},
                        of_positive=True,
                    )


def summarise_ratios(
    study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector
) -> None:
    """Add `ratio`: unadjusted and, where covariates were named, adjusted."""
    for one in list_comparisons(study, gates):
        gate = gates[one.analyte, one.group]
        add_ratio(study, out, one, UNADJUSTED, estimate_unadjusted(study, one), gate)
        if study.settings.adjust_for:
            found, method, extra = estimate_adjusted(study, one)
            add_ratio(study, out, one, ADJUSTED, found, gate, method, extra)


def summarise_times(study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector) -> None:
    """Add `time_ratio`: parameters that are times, by Hodges and Lehmann."""
    for one in list_comparisons(study, gates, study.settings.times):
        values, test = read_sides(study, one)
        ratio = estimate_shift_ratio(
            values[test == 1], values[test == 0], study.settings.equivalence_level
        )
        few = min(ratio.n_test, ratio.n_reference) < study.settings.min_per_group
        statistics = {
            "n_test": float(ratio.n_test),
            "n_reference": float(ratio.n_reference),
            "ratio": math.nan if few else ratio.ratio,
            "ratio_low": math.nan if few else ratio.low,
            "ratio_high": math.nan if few else ratio.high,
        }
        out.add(
            "time_ratio",
            statistics,
            dataset="ADPP" if one.approach == ASIS else "ADPPB",
            variable=one.parameter,
            analyte=one.analyte,
            by={"approach": one.approach, "group": one.group},
            where="PKFL = Y, PROFTYP = COURSE, value above 0",
            n=float(ratio.n_test + ratio.n_reference),
            method="Hodges-Lehmann on ln, interval by inversion of Mann-Whitney",
            notes=explain_missing(statistics, "FEWSUBJ" if few else ratio.reason or "NOVALUE"),
        )


def read_sides(study: Study, one: Comparison) -> tuple[pd.Series, pd.Series]:
    """Values of both groups in the rows of the subjects (else NaN), and 1 for the changed one."""
    values = study.read_parameter(one.approach, one.analyte, one.parameter)
    group = study.subjects["GROUP"]
    test = (group == one.group).astype(float)
    return values.where(group.isin([one.group, study.reference])), test


def estimate_unadjusted(study: Study, one: Comparison) -> Ratio:
    """Welch's interval of the ratio of two groups."""
    values, test = read_sides(study, one)
    return estimate_ratio(values[test == 1], values[test == 0], study.settings.equivalence_level)


def estimate_adjusted(study: Study, one: Comparison) -> tuple[Ratio, str, dict[str, float | str]]:
    """The ratio at equal covariates, its method, and what it says of the covariates.

    Lots that share a donor are not independent: then the donor is a random effect, and else the
    study where there are three or more.
    """
    values, test = read_sides(study, one)
    covariates = read_covariates(study, values > 0)
    level = study.settings.equivalence_level
    cluster = choose_cluster(study, values > 0)
    if cluster:
        keep = [not name.startswith(f"{cluster}=") for name in covariates.columns]
        labels = study.subjects[cluster].where(
            study.subjects[cluster] != "", study.subjects["USUBJID"]
        )
        matrix = covariates.matrix[:, keep]
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
    own = study.subjects.loc[compared]
    donors = own.loc[own["DONORID"] != "", "DONORID"]
    if donors.duplicated().any():
        return "DONORID"
    return "STUDYID" if own["STUDYID"].nunique() > 2 else ""


def bridge_error(study: Study, one: Comparison) -> list[tuple[float, float]]:
    """Standard error of ln ratio that each bridge adds, with its degrees of freedom.

    The factor of a bridge stands in the ratio to the power of the difference of the shares of
    bridged samples; a parameter without the unit of the concentrations (a rate, a time) does not
    hold it.
    """
    if one.approach == ASIS:
        return []
    adpc = study.sources.adpc
    rows = adpc.loc[(adpc["PARAMCD"] == one.analyte) & (adpc["ANL01FL"] == "Y")]
    units = set(rows["AVALU"]) - {""}
    if not any(unit in one.unit for unit in units):
        return []
    kinetics = study.subjects.loc[study.subjects["PKFL"] == "Y", [*KEY, "GROUP"]]
    merged = rows.merge(kinetics, on=KEY, how="inner")
    found = []
    for bridge in study.bridges.get(one.analyte, ()):
        # Of each subject the share of its samples, so that one sampled often counts once.
        shares = (
            (merged["PCASSAYV"] == bridge.first)
            .groupby([merged["GROUP"], merged["USUBJID"]])
            .mean()
            .groupby(level=0)
            .mean()
        )
        weight = abs(shares.get(one.group, 0.0) - shares.get(study.reference, 0.0))
        if weight > 0:
            found.append((weight * bridge.se, bridge.df))
    return found


def with_bridge(study: Study, one: Comparison, ratio: Ratio) -> tuple[Ratio, float]:
    """The ratio with the error of its bridges in the interval, and the standard error they add."""
    errors = bridge_error(study, one)
    if not errors or math.isnan(ratio.se):
        return ratio, 0.0
    se, df = ratio.se, ratio.df
    for own, own_df in errors:
        combined = combine_bridge_error(se, own, df, own_df)
        se, df = combined.se, combined.df
    sizes = (ratio.n_test, ratio.n_reference)
    level = study.settings.equivalence_level
    wider = ratio_from_logs(math.log(ratio.ratio), se, df, sizes, level, ratio.sd)
    added = math.sqrt(sum(own**2 for own, _ in errors))
    return replace(wider, reason=wider.reason or ratio.reason), added


def add_ratio(
    study: Study,
    out: ResultCollector,
    one: Comparison,
    model: str,
    ratio: Ratio,
    gate: Gate,
    method: str = "",
    extra: dict[str, float | str] | None = None,
) -> None:
    """Add one ratio with its interval, what the margin makes of it, and the size it needs."""
    settings = study.settings
    few = min(ratio.n_test, ratio.n_reference) < settings.min_per_group
    reason = "FEWSUBJ" if few else ratio.reason
    if few:
        nan = math.nan
        ratio = Ratio(nan, nan, nan, nan, ratio.n_test, ratio.n_reference, reason)
    ratio, added = with_bridge(study, one, ratio)
    limits = (one.margin.lower, one.margin.upper) if one.margin else None
    refused = refuse_verdict(gate, one.approach)
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
        "sd": ratio.sd,
        "se": ratio.se,
        "se_bridge": added,
        **list_verdict(verdict, limits),
        **(extra or {}),
    }
    notes = explain_missing(
        statistics,
        reason or "NOVALUE",
        **explain_verdict(verdict),
        covariates="NOCOVAR",
        cluster="NOCLUSTER",
    )
    sizes, size_notes = size_needed(settings, ratio, limits)
    out.add(
        "ratio",
        statistics | sizes,
        dataset="ADPP" if one.approach == ASIS else "ADPPB",
        variable=one.parameter,
        analyte=one.analyte,
        by={"approach": one.approach, "group": one.group, "model": model},
        where="PKFL = Y, PROFTYP = COURSE, value above 0",
        units={"probability": "%"},
        n=float(ratio.n_test + ratio.n_reference),
        method=method or METHODS[model],
        notes=notes | size_notes,
    )


def size_needed(
    settings: ComparabilitySettings, ratio: Ratio, limits: tuple[float, float] | None
) -> tuple[dict[str, float], dict[str, str]]:
    """Subjects of each group that the margin would need at the observed standard deviation.

    In the proportion of the groups as they are; a plan for a study to come, not the power of this
    one.
    """
    names = ("n_needed_test", "n_needed_reference")
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
        if not size.reason:
            return dict(zip(names, (float(size.n_test), float(size.n_reference)), strict=True)), {}
        reason = size.reason
    return dict.fromkeys(names, math.nan), dict.fromkeys(names, reason)
