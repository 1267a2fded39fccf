"""How far tumour burden, which drives exposure and outcome, moves the coefficient of exposure."""

from __future__ import annotations

import math

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.model_rows import (
    fit_model,
    list_primary_cells,
)
from celldossier.exposure_response.odds import METHODS, describe_odds
from celldossier.exposure_response.plan import PlanCell, select_subjects
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import TUMOUR_BURDEN
from celldossier.stats.logistic import LogisticFit


def collect_confounding(study: Study, out: ResultCollector) -> None:
    """Add `confounding`: each primary pair without and with tumour burden, same subjects.

    The change of the coefficient is not all confounding: an odds ratio also moves away
    from 1 when a predictor of the outcome enters that exposure does not depend on.
    """
    for cell in list_primary_cells(study):
        _collect_pair(study, cell, out)


def _collect_pair(study: Study, cell: PlanCell, out: ResultCollector) -> None:
    from dataclasses import replace

    adjusted_cell = replace(cell, adjustment="TUMOUR_BURDEN")
    chosen = select_subjects(study, adjusted_cell)
    plain = replace(chosen, covariates=chosen.covariates.iloc[:, :0])
    unadjusted, reason = fit_model(study, plain)
    adjusted, reason_adjusted = fit_model(study, chosen, tested=[EXPOSURE, TUMOUR_BURDEN])
    statistics: dict[str, float | str] = {
        "n": float(chosen.event.size),
        "events": float(chosen.event.sum()),
    }
    notes: dict[str, str] = {}
    for suffix, fit, why, name in (
        ("unadjusted", unadjusted, reason, EXPOSURE),
        ("adjusted", adjusted, reason_adjusted, EXPOSURE),
        ("burden", adjusted, reason_adjusted, TUMOUR_BURDEN),
    ):
        odds, missing = describe_odds(
            fit.coefficient(name) if fit else None, why, bool(fit and fit.separation)
        )
        statistics |= {f"{stat}_{suffix}": value for stat, value in odds.items()}
        notes |= {f"{stat}_{suffix}": code for stat, code in missing.items()}
        statistics[f"log_or_{suffix}"] = fit.coefficient(name).estimate if fit else math.nan
        if not fit:
            notes[f"log_or_{suffix}"] = why
    change, why = _change(unadjusted, adjusted)
    statistics["percent_change"] = change
    if why:
        notes["percent_change"] = reason or reason_adjusted or why
    used = adjusted or unadjusted
    statistics["model"] = used.method if used else "NONE"
    out.add(
        "confounding",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=study.settings.analyte,
        by={"metric": cell.metric},
        where=f"ERFL = Y and {TUMOUR_BURDEN} not missing",
        units={"percent_change": "%"},
        n=float(chosen.event.size),
        method=METHODS[used.method] if used else "",
        notes=notes,
    )


def _change(unadjusted: LogisticFit | None, adjusted: LogisticFit | None) -> tuple[float, str]:
    """Change of the coefficient in percent; none where it is within a standard error of 0."""
    if unadjusted is None or adjusted is None:
        return math.nan, "NOVALUE"
    before, after = (fit.coefficient(EXPOSURE) for fit in (unadjusted, adjusted))
    if abs(before.estimate) < before.se:
        return math.nan, "NEARZERO"
    return 100 * (after.estimate - before.estimate) / before.estimate, ""
