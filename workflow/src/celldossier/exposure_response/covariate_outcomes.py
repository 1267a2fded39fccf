"""Covariates of outcomes: one by one and together, without and with the exposure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.covariate_design import (
    Design,
    Term,
    choose_references,
    make_covariate_design,
)
from celldossier.exposure_response.covariate_exposure import select_covariates
from celldossier.exposure_response.covariate_outcome_data import (
    Outcome,
    find_metric,
    list_outcomes,
    select_outcome,
)
from celldossier.exposure_response.covariate_outcome_fits import fit_outcome, refuse_outcome
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.covariates import Covariate
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.logistic import Coefficient
from celldossier.stats.multiplicity import adjust_within_families

Vector = NDArray[np.float64]

MODELS = ("TOTAL", "WITH_EXPOSURE", "FULL", "FULL_WITH_EXPOSURE")
"""Models of a covariate: alone, beside the exposure, in the full model, and both.

Without the exposure the ratio holds all ways from the covariate to the outcome; beside it,
that part which does not go by way of the exposure.
"""


@dataclass(frozen=True)
class _Result:
    endpoint: EndpointRule
    model: str
    term: Term
    item: Coefficient
    n: int
    events: int
    method: str
    reason: str
    complete: Coefficient | None = None
    """The same term among subjects without a missing covariate, in a full model."""
    complete_reason: str = ""
    n_complete: int = 0


def collect_outcome_covariates(study: Study, out: ResultCollector) -> None:
    """Add `covariate_outcome` and `covariate_outcome_model` of the endpoints of the settings.

    Raises
    ------
    ConfigError
        If an endpoint is not among those of the section, or is neither binary nor a time
        to an event.
    """
    settings = study.settings
    everyone = study.ader.loc[study.ader["ERFL"] == "Y"]
    references = choose_references(everyone, settings.covariates)
    full = select_covariates(settings.covariate_models.outcome_full_model, settings)
    results: list[_Result] = []
    for endpoint in list_outcomes(study):
        for model in MODELS:
            outcome = select_outcome(study, endpoint, model.endswith("EXPOSURE"))
            together = model.startswith("FULL")
            for items in [full] if together else [(item,) for item in settings.covariates]:
                found, design = _estimate(outcome, model, items, references, settings)
                results += found
                if together:
                    _add_model(outcome, model, found, design, settings, out)
                    _add_missing(outcome, model, design, settings, out)
    families = [f"{r.endpoint.family} {r.model}" for r in results]
    q_values = adjust_within_families([r.item.p for r in results], families)
    for result, q in zip(results, q_values.tolist(), strict=True):
        _add_result(result, q, settings, out)


def _estimate(
    outcome: Outcome,
    model: str,
    items: Sequence[Covariate],
    references: Mapping[str, str],
    settings: ExposureResponseSettings,
) -> tuple[list[_Result], Design]:
    """Ratios of the terms of one model, or why there are none."""
    together = model.startswith("FULL")
    design = make_covariate_design(
        outcome.rows,
        items,
        references,
        outcome.for_imputation(),
        settings.min_per_level,
        settings.covariate_models,
        impute=together,
    )
    left_out = [
        _Result(
            outcome.endpoint,
            model,
            Term(item.variable, "NONE", 1.0, {}, 0, 0),
            Coefficient(item.variable, math.nan),
            len(outcome.rows),
            outcome.events,
            "",
            outcome.reason or design.left_out[item.variable],
        )
        for item in items
        if item.variable in design.left_out
    ]
    if not design.terms:
        return left_out, design
    complete = outcome.of(design.complete), [design.matrices[0][design.complete]]
    # One covariate: who lacks it adds nothing, whether left out or imputed.
    used, matrices = (outcome, design.matrices) if together else complete
    coefficients, method, reason = _fit(used, matrices, model, design, settings)
    beside = coefficients, reason
    if together and design.imputations:
        found = _fit(*complete, model, design, settings)
        beside = found[0], found[2]
    results = [
        _Result(
            outcome.endpoint,
            model,
            term,
            _pick(coefficients, term, reason),
            len(used.rows),
            used.events,
            method,
            reason or ("" if term.reported else "FEWLEVEL"),
            _pick(beside[0], term, beside[1]) if together else None,
            beside[1] or ("" if term.reported else "FEWLEVEL"),
            len(complete[0].rows),
        )
        for term in design.terms
    ]
    return left_out + results, design


def _fit(
    used: Outcome,
    matrices: Sequence[Vector],
    model: str,
    design: Design,
    settings: ExposureResponseSettings,
) -> tuple[dict[str, Coefficient], str, str]:
    names, columns = list(design.names), list(matrices)
    if model.endswith("EXPOSURE"):
        exposure = np.log2(used.rows[find_metric(used.endpoint, settings)].to_numpy(float))
        columns = [np.column_stack([exposure, x]) for x in columns]
        names = [EXPOSURE, *names]
    reason = used.reason or refuse_outcome(used, len(names), settings)
    if reason:
        return {}, "", reason
    tested = [term.name for term in design.terms if term.reported]
    return fit_outcome(used, columns, names, tested, settings)


def _pick(found: Mapping[str, Coefficient], term: Term, reason: str) -> Coefficient:
    if reason or not term.reported:
        return Coefficient(term.name, math.nan)
    return found[term.name]


_METHODS = {
    "ML": "maximum likelihood, profile likelihood CI and ratio test",
    "FIRTH": "Firth penalty, profile penalised likelihood CI and ratio test",
    "ML_RUBIN": "maximum likelihood, multiple imputation pooled by Rubin's rules",
    "FIRTH_RUBIN": "Firth penalty, multiple imputation pooled by Rubin's rules",
    "FIRTH_CLIP": "Firth penalty, multiple imputation, combined profiles (CLIP)",
}


def _add_result(
    result: _Result, q: float, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    item, term = result.item, result.term
    ratios = [_exp(v * term.step) for v in (item.estimate, item.low, item.high)]
    reason = result.reason or item.reason or "OVERFLOW"
    beside: dict[str, float] = {}
    if result.complete is not None:
        whole = result.complete
        limits = [_exp(v * term.step) for v in (whole.estimate, whole.low, whole.high)]
        names = ("ratio_complete", "ratio_low_complete", "ratio_high_complete")
        beside = {**dict(zip(names, limits, strict=True)), "n_complete": float(result.n_complete)}
    reasons = dict.fromkeys(beside, result.complete_reason or "OVERFLOW")
    statistics: dict[str, float | str] = {
        "ratio": ratios[0],
        "ratio_low": ratios[1],
        "ratio_high": ratios[2],
        "p": item.p,
        "q": q,
        "n": float(result.n),
        "events": float(result.events),
        "measure": "OR" if result.endpoint.kind == "binary" else "HR",
        "model": result.method or "NONE",
        **beside,
        **term.details,
    }
    out.add(
        "covariate_outcome",
        statistics,
        dataset="ADER",
        variable=result.endpoint.code,
        analyte=settings.analyte,
        by={**term.by, "model": result.model},
        where="ERFL = Y",
        n=float(result.n),
        method=_METHODS.get(result.method, ""),
        notes={
            name: reasons.get(name, reason)
            for name, value in statistics.items()
            if isinstance(value, float) and math.isnan(value)
        },
    )


def _exp(value: float) -> float:
    return math.exp(value) if abs(value) < 700 else math.nan


def _add_model(
    outcome: Outcome,
    model: str,
    found: Sequence[_Result],
    design: Design,
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    """Size of a full model, its missing values, and whether it stands."""
    terms = [r for r in found if r.term.level != "NONE"]
    slopes = len(terms) + int(model.endswith("EXPOSURE"))
    reason = next((r.reason for r in terms if r.reason not in ("", "FEWLEVEL")), "")
    if not terms:
        reason = outcome.reason or "NOCOVAR"
    n, events = len(outcome.rows), outcome.events
    rarer = events if outcome.time is not None else min(events, n - events)
    out.add(
        "covariate_outcome_model",
        {
            "n": float(n),
            "events": float(events),
            "parameters": float(slopes),
            "events_per_parameter": rarer / slopes if slopes else math.nan,
            "n_incomplete": float(design.incomplete),
            "imputations": float(design.imputations),
            "verdict": "REFUSED" if reason else "IN_MODEL",
            "model": next((r.method for r in terms if r.method), "NONE"),
        },
        dataset="ADER",
        variable=outcome.endpoint.code,
        analyte=settings.analyte,
        by={"model": model},
        where="ERFL = Y",
        n=float(n),
        notes={"events_per_parameter": reason} if not slopes else {},
    )


def _add_missing(
    outcome: Outcome,
    model: str,
    design: Design,
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    """Missing values of each covariate of a full model, and what was done about them."""
    n = len(outcome.rows)
    for name, count in design.missing.items():
        reason = design.left_out.get(name, "")
        statistics: dict[str, float | str] = {
            "n": float(n),
            "n_missing": float(count),
            "handling": "LEFT_OUT" if reason else "IMPUTED" if count else "COMPLETE",
        }
        if reason:
            statistics["reason"] = reason
        out.add(
            "covariate_outcome_missing",
            statistics,
            dataset="ADER",
            variable=outcome.endpoint.code,
            analyte=settings.analyte,
            by={"covariate": name, "model": model},
            where="ERFL = Y",
            n=float(n),
        )
