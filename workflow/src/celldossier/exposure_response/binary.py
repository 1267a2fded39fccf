"""Binary endpoints: the cells of the plan, and what their logistic models give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from celldossier.exposure_response.binary_fits import CellResult, run_cell
from celldossier.exposure_response.observed import collect_observed_rates
from celldossier.exposure_response.odds import METHODS, describe_exposure
from celldossier.exposure_response.plan import (
    BLQ_HALF,
    CONCURRENT_CRS,
    LANDMARK,
    PRIMARY,
    SENSITIVITY_VARIABLE,
    FamilyOutput,
    PlanCell,
    find_role,
)
from celldossier.exposure_response.predictions import collect_predictions
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats import proportion

MODEL = "LOGISTIC"


def plan_cells(study: Study) -> list[PlanCell]:
    """Endpoint x metric x adjustment x population, each with its role."""
    settings = study.settings
    cells = []
    for endpoint in study.of_kind("binary"):
        rules = settings.unknown_response if endpoint.unknown_response else ("EXCLUDED",)
        for metric in settings.metrics:
            for adjustment in settings.adjustments:
                role = find_role(metric, endpoint, adjustment, study)
                kinds = [(PRIMARY, role, rules[0])]
                kinds += [(f"UNKNOWN_{rule}", "SENSITIVITY", rule) for rule in rules[1:]]
                if (
                    settings.all_blq_sensitivity
                    and metric in SENSITIVITY_VARIABLE
                    and adjustment == settings.primary_adjustment
                ):
                    kinds.append((BLQ_HALF, "SENSITIVITY", rules[0]))
                if (
                    settings.concurrent_crs
                    and endpoint.variable == "ICANSGR"
                    and adjustment == settings.primary_adjustment
                ):
                    kinds.append((CONCURRENT_CRS, "SENSITIVITY", rules[0]))
                cells += [
                    PlanCell(endpoint, metric, MODEL, adjustment, population, which, rule)
                    for population, which, rule in kinds
                ]
        if endpoint.onset:
            cells += [
                PlanCell(
                    endpoint, f"CLD{day}", MODEL, adjustment, LANDMARK, "SENSITIVITY",
                    landmark=float(day),
                )
                for day in settings.landmarks
                for adjustment in settings.adjustments
            ]  # fmt: skip
    return cells


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add their analyses, the observed rates and the predictions."""
    results = [run_cell(study, cell) for cell in cells]
    for result in results:
        _add_logistic(result, study.settings, out)
        if result.reason == "FEWEVENT" and result.cell.adjustment == "UNADJUSTED":
            _add_fisher(result, study.settings, out)
    curves = collect_observed_rates(results, study.settings, study.units, out)
    curves += collect_predictions(results, study, out)
    return FamilyOutput([result.outcome for result in results], curves)


def _add_logistic(
    result: CellResult, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    cell, chosen, fit = result.cell, result.selection, result.fit
    n = float(chosen.event.size)
    statistics: dict[str, float | str] = {
        "n": n,
        "events": float(chosen.event.sum()),
        **chosen.counts,
    }
    described, notes = describe_exposure(fit, result.reason)
    statistics |= described | {"auc_roc": fit.auc if fit else math.nan}
    if not fit:
        notes["auc_roc"] = result.reason
    out.add(
        "logistic",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        n=n,
        method=METHODS[fit.method] if fit else "",
        notes=notes,
    )


def _add_fisher(
    result: CellResult, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    """Descriptive only: event by exposure at or above against below the median."""
    chosen = result.selection
    high = chosen.exposure >= np.median(chosen.exposure)
    table = [
        [int(((chosen.event == event) & (high == side)).sum()) for event in (1, 0)]
        for side in (True, False)
    ]
    notes: dict[str, str] = {}
    p = math.nan
    if min(sum(row) for row in table) == 0:
        notes["p"] = "CONSTANT"
    else:
        p = proportion.test_fisher(table).p
    out.add(
        "fisher",
        {
            "events_high": float(table[0][0]),
            "n_high": float(sum(table[0])),
            "events_low": float(table[1][0]),
            "n_low": float(sum(table[1])),
            "p": p,
        },
        dataset="ADER",
        variable=result.cell.endpoint.code,
        analyte=settings.analyte,
        by={"metric": result.cell.metric, "population": result.cell.population},
        where="ERFL = Y",
        n=float(chosen.event.size),
        method="Fisher's exact test, exposure split at its median",
        notes=notes,
    )
