"""Covariates of exposure in one model: the full model, and the selection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.exposure_response.covariate_design import (
    Design,
    Term,
    choose_references,
    make_covariate_design,
)
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.covariates import Covariate
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.linear_model import BootstrapIntervals, estimate_bootstrap, estimate_linear
from celldossier.stats.logistic import Coefficient
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.stability_selection import estimate_inclusion, estimate_stability

Vector = NDArray[np.float64]

IN_MODEL, COLLINEAR, REFUSED = "IN_MODEL", "COLLINEAR", "REFUSED"


def collect_covariate_models(study: Study, out: ResultCollector) -> None:
    """Add the full model and the selection of each metric.

    Analyses `covariate_model`, `covariate_full`, `covariate_missing`, `covariate_selection`
    and `covariate_selection_rule`.
    """
    settings = study.settings
    everyone = study.ader.loc[study.ader["ERFL"] == "Y"]
    references = choose_references(everyone, settings.covariates)
    for metric in settings.forest_metrics:
        population = everyone.loc[everyone[metric] > 0]
        exposure = np.log(population[metric].to_numpy(dtype=float))
        writer = ResultWriter(metric, settings, out)
        rules = settings.covariate_models
        design = _design(population, rules.full_model, references, exposure, settings)
        _collect_full(writer, exposure, design)
        _collect_missing(writer, design, len(population))
        candidates = _design(population, rules.selection, references, exposure, settings)
        _collect_selection(writer, exposure, candidates)


@dataclass(frozen=True)
class ResultWriter:
    """Adds the statistics of one metric to the results."""

    metric: str
    settings: ExposureResponseSettings
    out: ResultCollector

    def add(
        self,
        analysis: str,
        statistics: Mapping[str, float | str],
        by: Mapping[str, str],
        n: float,
        method: str,
        reason: str = "",
    ) -> None:
        """Add statistics; those that are missing have the one reason."""
        notes = explain_missing(statistics, reason)
        self.out.add(
            analysis,
            statistics,
            dataset="ADER",
            variable=self.metric,
            analyte=self.settings.analyte,
            by=by,
            where=f"ERFL = Y and {self.metric} > 0",
            n=n,
            method=method,
            notes=notes,
        )


def select_covariates(
    names: Sequence[str], settings: ExposureResponseSettings
) -> tuple[Covariate, ...]:
    """The covariates of those names, with the kind and scale that the settings give them."""
    declared = {item.variable: item for item in settings.covariates}
    return tuple(declared[name] for name in names if name in declared)


def _design(
    population: pd.DataFrame,
    names: Sequence[str],
    references: Mapping[str, str],
    exposure: Vector,
    settings: ExposureResponseSettings,
) -> Design:
    return make_covariate_design(
        population,
        select_covariates(names, settings),
        references,
        [exposure],
        settings.min_per_level,
        settings.covariate_models,
    )


def _collect_full(writer: ResultWriter, exposure: Vector, design: Design) -> None:
    settings, rules = writer.settings, writer.settings.covariate_models
    n, slopes = exposure.size, len(design.terms)
    level = settings.ratio_confidence_level
    reason = "NOSUBJ" if not n else "NOCOVAR" if not slopes else ""
    if not reason and n < rules.min_subjects_per_parameter * slopes:
        reason = "SPPLOW"
    fit = estimate_linear(exposure, design.matrices, design.names, level) if not reason else None
    reason = fit.reason if fit else reason
    check = fit.collinearity if fit else None
    inflation = max(check.inflation) if check and not reason else math.nan
    condition = check.condition if check and not reason else math.nan
    marked = inflation > rules.max_inflation or condition > rules.max_condition
    writer.add(
        "covariate_model",
        {
            "n": float(n),
            "parameters": float(slopes),
            "subjects_per_parameter": n / slopes if slopes else math.nan,
            "condition": condition,
            "max_vif": inflation,
            "r_squared": fit.r_squared if fit and not reason else math.nan,
            "n_incomplete": float(design.incomplete),
            "imputations": float(design.imputations),
            "verdict": REFUSED if reason else COLLINEAR if marked else IN_MODEL,
        },
        {},
        float(n),
        "linear model of ln exposure, all covariates at once",
        reason or "NOCOVAR",
    )
    if fit is None or reason or check is None:
        for term in design.terms:
            _add_term(writer, term, Coefficient(term.name, math.nan), math.nan, {}, n, reason)
        return
    bootstrap = estimate_bootstrap(
        exposure, design.matrices, samples=rules.bootstrap_samples, seed=rules.seed, level=level
    )
    complete = _complete_case(exposure, design, level)
    given = [item if term.reported else None for item, term in _pairs(fit.coefficients, design)]
    q_values = benjamini_hochberg([item.p if item else math.nan for item in given])
    for j, term in enumerate(design.terms):
        item = given[j] or Coefficient(term.name, math.nan)
        details = {
            **_bootstrap_of(bootstrap, term, j, term.reported),
            **ratio_of_step(complete[j] if term.reported else None, term, "_complete"),
            "vif": check.inflation[j],
        }
        _add_term(
            writer, term, item, float(q_values[j]), details, n, "" if term.reported else "FEWLEVEL"
        )


def _pairs(coefficients: Sequence[Coefficient], design: Design) -> list[tuple[Coefficient, Term]]:
    return list(zip(coefficients, design.terms, strict=True))


def _complete_case(exposure: Vector, design: Design, level: float) -> list[Coefficient | None]:
    """The same model among subjects without a missing covariate, beside the imputed one."""
    if not design.incomplete:
        fit = estimate_linear(exposure, design.matrices[:1], design.names, level)
    else:
        seen = design.complete
        fit = estimate_linear(exposure[seen], [design.matrices[0][seen]], design.names, level)
    return list(fit.coefficients) if fit.coefficients else [None] * len(design.terms)


def ratio_of_step(item: Coefficient | None, term: Term, suffix: str = "") -> dict[str, float]:
    """Geometric mean ratio for the step of a term."""
    values = (item.estimate, item.low, item.high) if item else (math.nan,) * 3
    ratios = [math.exp(v * term.step) if abs(v * term.step) < 700 else math.nan for v in values]
    return {
        f"gmr{end}{suffix}": ratio for end, ratio in zip(("", "_low", "_high"), ratios, strict=True)
    }


def _bootstrap_of(
    bootstrap: BootstrapIntervals, term: Term, position: int, reported: bool
) -> dict[str, float]:
    if not reported or bootstrap.reason:
        return {"boot_low": math.nan, "boot_high": math.nan}
    return {
        "boot_low": math.exp(bootstrap.low[position] * term.step),
        "boot_high": math.exp(bootstrap.high[position] * term.step),
    }


def _add_term(
    writer: ResultWriter,
    term: Term,
    item: Coefficient,
    q: float,
    details: Mapping[str, float],
    n: int,
    reason: str,
) -> None:
    writer.add(
        "covariate_full",
        {
            **ratio_of_step(item, term),
            "p": item.p,
            "q": q,
            "n": float(n),
            "n_level": float(term.n),
            **details,
            **term.details,
        },
        term.by,
        float(n),
        "linear model of ln exposure, all covariates at once, t interval; bootstrap percentiles",
        reason or "NOCONV",
    )


def _collect_missing(writer: ResultWriter, design: Design, n: int) -> None:
    """Missing values of each covariate of the full model, and what was done about them."""
    for name, count in design.missing.items():
        reason = design.left_out.get(name, "")
        handling = "LEFT_OUT" if reason else "IMPUTED" if count else "COMPLETE"
        statistics: dict[str, float | str] = {
            "n": float(n),
            "n_missing": float(count),
            "pct_missing": 100 * count / n if n else math.nan,
            "handling": handling,
        }
        if reason:
            statistics["reason"] = reason
        writer.add("covariate_missing", statistics, {"covariate": name}, float(n), "", "NOSUBJ")


def _collect_selection(writer: ResultWriter, exposure: Vector, design: Design) -> None:
    rules = writer.settings.covariate_models
    candidates = len(design.terms)
    entering = 0
    if candidates:
        room = rules.selection_errors * (2 * rules.selection_threshold - 1) * candidates
        entering = max(1, math.floor(math.sqrt(room) + 1e-9))
    reason, method = "NOCOVAR", "stability selection by the lasso, complementary pairs"
    found = None
    if candidates:
        found = estimate_stability(
            exposure,
            design.matrices,
            design.names,
            entering=entering,
            threshold=rules.selection_threshold,
            pairs=rules.selection_pairs,
            seed=rules.seed,
        )
        reason = found.reason
    failed = found is None or bool(reason)
    writer.add(
        "covariate_selection_rule",
        {
            "n": float(exposure.size),
            "candidates": float(candidates),
            "entering": float(entering),
            "threshold": rules.selection_threshold,
            "halves": 2.0 * rules.selection_pairs,
            "bound": math.nan if failed or found is None else found.bound,
            "samples": float(rules.bootstrap_samples),
            "imputations": float(design.imputations),
        },
        {},
        float(exposure.size),
        method,
        reason,
    )
    if found is None:
        return
    inclusion = estimate_inclusion(
        exposure,
        design.matrices,
        design.names,
        samples=rules.bootstrap_samples,
        seed=rules.seed,
    )
    for j, term in enumerate(design.terms):
        statistics: dict[str, float | str] = {
            "frequency": found.frequency[j],
            "simultaneous": found.simultaneous[j],
            "boot_inclusion": inclusion.frequency[j],
            "n": float(exposure.size),
            **term.details,
        }
        if not failed:
            statistics["selected"] = "SELECTED" if found.selected[j] else "NOT_SELECTED"
            share = found.positive[j]
            statistics["sign"] = (
                "NONE" if math.isnan(share) else "HIGHER" if share >= 0.5 else "LOWER"
            )
        else:
            statistics["selected"] = "NOT_DONE"
            statistics["sign"] = "NONE"
        writer.add("covariate_selection", statistics, term.by, float(exposure.size), method, reason)
