"""The plan as it was carried out, and the p values of all its tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

from celldossier.exposure_response.plan import ModelOutcome
from celldossier.results import ResultCollector
from celldossier.stats.multiplicity import adjust_within_families


def collect_plan(outcomes: Sequence[ModelOutcome], analyte: str, out: ResultCollector) -> None:
    """Add the analysis `plan`: each cell with its role, family, method and reason."""
    for outcome in outcomes:
        cell = outcome.cell
        texts = {
            "role": cell.role,
            "family": cell.endpoint.family,
            "status": "REFUSED" if outcome.reason else "RUN",
            "method": "NONE" if outcome.reason else outcome.method,
            "covariates": "; ".join(outcome.covariates) or "NONE",
            "landmark": "NONE" if math.isnan(cell.landmark) else f"D{cell.landmark:g}",
        }
        if outcome.reason:
            texts["reason"] = outcome.reason
        out.add(
            "plan",
            texts,
            dataset="ADER",
            variable=cell.endpoint.code,
            analyte=analyte,
            by={**cell.by, "model": cell.model},
            where="ERFL = Y",
        )


def collect_multiplicity(
    outcomes: Sequence[ModelOutcome], analyte: str, out: ResultCollector
) -> None:
    """Add `multiplicity`: raw p and q of each model, Benjamini-Hochberg within its family.

    Sensitivity analyses repeat a question and have no q. Where two adjustments come to the same
    covariates, because others are missing or do not vary, their model is one test and is
    counted once; both have its q.
    """
    tested: dict[tuple[object, ...], ModelOutcome] = {}
    for outcome in outcomes:
        if outcome.cell.role != "SENSITIVITY":
            tested.setdefault(_identify(outcome), outcome)
    adjusted = adjust_within_families(
        [each.p for each in tested.values()],
        [each.cell.endpoint.family for each in tested.values()],
    )
    q_of_test = dict(zip(tested, adjusted.tolist(), strict=True))
    for outcome in outcomes:
        cell = outcome.cell
        q = math.nan if cell.role == "SENSITIVITY" else q_of_test[_identify(outcome)]
        # A model that was run and has no p, such as Emax, is compared by its criterion alone.
        missing = {"p": outcome.reason or "NOTEST", "q": outcome.reason or "SENSANAL"}
        notes = {name: missing[name] for name, p in (("p", outcome.p), ("q", q)) if math.isnan(p)}
        out.add(
            "multiplicity",
            {
                "p": outcome.p,
                "q": q,
                "family": cell.endpoint.family,
                "prespecified": "Y" if cell.role == "PRIMARY" else "N",
            },
            dataset="ADER",
            variable=cell.endpoint.code,
            analyte=analyte,
            by={**cell.by, "model": cell.model},
            where="ERFL = Y",
            n=float(outcome.n),
            method="Benjamini-Hochberg within family",
            notes=notes,
        )


def _identify(outcome: ModelOutcome) -> tuple[object, ...]:
    """What a test is of: two outcomes that agree in it are one model, fitted twice."""
    cell = outcome.cell
    place = (cell.endpoint.code, cell.metric, cell.model, cell.population, cell.unknown)
    if outcome.reason:
        return (*place, cell.adjustment)
    return (*place, str(cell.landmark), tuple(sorted(outcome.covariates)), outcome.n)
