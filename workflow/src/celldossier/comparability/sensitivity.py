"""Sensitivity of the ratios: without a distribution, in matched pairs, and weighted by overlap.

Each is made on the concentrations on which a verdict stands: as measured, or bridged where the
assay differs. Matching and weighting balance the covariates of the settings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celldossier.comparability.bridge_error import bridge_error
from celldossier.comparability.covariates import read_covariates
from celldossier.comparability.gate import Gate, choose_approach
from celldossier.comparability.kinetics import Comparison, list_comparisons, read_sides
from celldossier.comparability.kinetics_ratio import add_ratio, refuse_verdict, shares_donors
from celldossier.comparability.study import ASIS, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.matching import Balance, Matching, estimate_matched_ratio, match_pairs
from celldossier.stats.ratio import Ratio, ratio_from_logs
from celldossier.stats.shift_ratio import estimate_shift_ratio
from celldossier.stats.weighting import (
    estimate_treatment_weights,
    estimate_weighted_ratio,
    overlap_weights,
    standardised_difference,
)

SHIFT, MATCHED, OVERLAP = "SHIFT", "MATCHED", "OVERLAP"
METHODS = {
    SHIFT: "Hodges-Lehmann on ln, interval by inversion of Mann-Whitney",
    MATCHED: "nearest neighbours on the logit of the propensity, t interval of pairs",
    OVERLAP: "overlap weights, robust interval",
}


@dataclass(frozen=True)
class Design:
    """Who is compared with whom, from the covariates alone: the same for every parameter.

    Attributes
    ----------
    rows
        Rows of the subjects of both groups whose covariates are known, shape (n,).
    test
        1 for the group after the change, shape (n,).
    weights
        Overlap weights, None with `reason`.
    reason
        Why there are no weights.
    balance
        Standardised differences before and after, by `MATCHED` and `OVERLAP`.
    """

    rows: NDArray[np.intp]
    test: NDArray[np.float64]
    matching: Matching
    weights: NDArray[np.float64] | None
    reason: str
    balance: dict[str, tuple[Balance, ...]]


def make_design(study: Study, group: str) -> Design | None:
    """Match and weight the subjects of the kinetics set; None where no covariate is known."""
    subjects = study.subjects
    compared = subjects["GROUP"].isin([group, study.reference]) & (subjects["PKFL"] == "Y")
    covariates = read_covariates(study, compared)
    if not covariates.columns:
        return None
    complete = compared.to_numpy() & ~np.isnan(covariates.matrix).any(axis=1)
    rows = np.flatnonzero(complete)
    test = np.asarray(subjects["GROUP"] == group, dtype=float)[rows]
    held, names = covariates.matrix[rows], covariates.columns
    matching = match_pairs(test, held, names, study.settings.caliper)
    found = estimate_treatment_weights(test, held, names)
    weights = None if found.probability is None else overlap_weights(test, found.probability)
    balance = {MATCHED: matching.balance}
    if weights is not None:
        balance[OVERLAP] = tuple(
            Balance(
                name,
                standardised_difference(column, test),
                standardised_difference(column, test, weights),
            )
            for name, column in zip(names, held.T, strict=True)
        )
    return Design(rows, test, matching, weights, found.reason, balance)


def summarise_sensitivity(
    study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector
) -> None:
    """Add `sensitivity` (the ratios) and `balance` (the covariates before and after)."""
    designs = {group: make_design(study, group) for group in study.changed}
    for one in list_comparisons(study, gates):
        gate = gates[one.analyte, one.group]
        if one.approach != choose_approach(gate):
            continue
        _add_shift(study, out, one, gate)
        design = designs[one.group]
        if design is None:
            continue
        values = read_sides(study, one)[0].to_numpy(dtype=float)[design.rows]
        level = study.settings.equivalence_level
        ratios = {
            MATCHED: estimate_matched_ratio(values, design.matching, level),
            OVERLAP: weigh_ratio(values, design, level),
        }
        for model, ratio in ratios.items():
            add_ratio(
                study, out, one, model, ratio, gate, METHODS[model], analysis="sensitivity",
                refused=refuse_donors(study, one),
            )  # fmt: skip
    for group, design in designs.items():
        if design is not None:
            _add_balance(out, group, design)


def refuse_donors(study: Study, one: Comparison) -> str:
    """Reason code where lots share a donor: none of these intervals knows of it."""
    return "DONORERR" if shares_donors(study, read_sides(study, one)[0] > 0) else ""


def weigh_ratio(values: NDArray[np.float64], design: Design, level: float) -> Ratio:
    """The ratio of the groups weighted by overlap; n is that of the values above 0."""
    known = values > 0
    test = design.test[known]
    sizes = (int(test.sum()), int((1 - test).sum()))
    nan = math.nan
    if design.weights is None:
        return Ratio(nan, nan, nan, nan, *sizes, design.reason)
    found = estimate_weighted_ratio(values[known], test, design.weights[known], level)
    if found.reason:
        return Ratio(nan, nan, nan, nan, *sizes, found.reason)
    return ratio_from_logs(math.log(found.ratio), found.se, known.sum() - 2.0, sizes, level)


def _add_shift(study: Study, out: ResultCollector, one: Comparison, gate: Gate) -> None:
    """Hodges and Lehmann's ratio: its interval alone is held against the margin.

    The interval of a shift has no standard error to which that of a bridge could be added: where
    the ratio holds the factor of a bridge, it gets no verdict.
    """
    values, test = read_sides(study, one)
    level = study.settings.equivalence_level
    ratio = estimate_shift_ratio(values[test == 1], values[test == 0], level)
    few = min(ratio.n_test, ratio.n_reference) < study.settings.min_per_group
    numbers = {"gmr": ratio.ratio, "gmr_low": ratio.low, "gmr_high": ratio.high}
    reason = "FEWSUBJ" if few else ratio.reason
    if few:
        numbers = dict.fromkeys(numbers, math.nan)
    refused = refuse_verdict(gate, one.approach) or reason or refuse_donors(study, one)
    refused = refused or ("" if one.margin else "NOMARGIN")
    refused = refused or ("NOBRGERR" if bridge_error(study, one) else "")
    verdict: float | str = math.nan
    if not refused and one.margin:
        within = one.margin.lower <= ratio.low and ratio.high <= one.margin.upper
        verdict = "WITHIN" if within else "NOTWITHIN"
    statistics: dict[str, float | str] = {
        "n_test": float(ratio.n_test),
        "n_reference": float(ratio.n_reference),
        **numbers,
        "margin_lower": one.margin.lower if one.margin else math.nan,
        "margin_upper": one.margin.upper if one.margin else math.nan,
        "verdict": verdict,
    }
    margins = dict.fromkeys(("margin_lower", "margin_upper"), "NOMARGIN")
    out.add(
        "sensitivity",
        statistics,
        dataset="ADPP" if one.approach == ASIS else "ADPPB",
        variable=one.parameter,
        analyte=one.analyte,
        by={"approach": one.approach, "group": one.group, "model": SHIFT},
        where="PKFL = Y, PROFTYP = COURSE, value above 0",
        n=float(ratio.n_test + ratio.n_reference),
        method=METHODS[SHIFT],
        notes=explain_missing(statistics, reason or "NOVALUE", verdict=refused, **margins),
    )


def _add_balance(out: ResultCollector, group: str, design: Design) -> None:
    for model, found in design.balance.items():
        for item in found:
            statistics = {"before": item.before, "after": item.after}
            out.add(
                "balance",
                statistics,
                dataset="ADSL",
                variable=item.name.split("=")[0],
                by={"group": group, "model": model, "level": item.name.partition("=")[2] or "-"},
                where="PKFL = Y, all covariates known",
                n=float(design.rows.size if model == OVERLAP else 2 * len(design.matching.pairs)),
                method="difference of means over the root of the mean variance before",
                notes=explain_missing(statistics, "CONSTANT"),
            )
