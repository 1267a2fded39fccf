"""Emax models of the pairs of endpoint and metric for which the settings ask one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from celldossier.exposure_response.plan import (
    PRIMARY,
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    select_subjects,
)
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.emax import EmaxModel, estimate_emax

MODEL = "EMAX"
METHOD = "maximum likelihood, profile likelihood CI of EC50, AICc against the log-linear model"


def plan_cells(study: Study) -> list[PlanCell]:
    """The pairs of the settings, unadjusted, all sensitivity analyses."""
    known = {item.code: item for item in study.of_kind("binary", "continuous")}
    return [
        PlanCell(
            known[pair.endpoint],
            pair.metric,
            "SIGMOID" if pair.sigmoid else MODEL,
            "UNADJUSTED",
            PRIMARY,
            "SENSITIVITY",
            study.settings.unknown_response[0]
            if known[pair.endpoint].unknown_response
            else "EXCLUDED",
        )
        for pair in study.settings.emax.pairs
        if pair.endpoint in known
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analysis `emax`."""
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    settings = study.settings
    chosen = select_subjects(study, cell)
    y, binary = chosen.event, cell.endpoint.kind == "binary"
    rarer = min(float(y.sum()), float(y.size - y.sum())) if binary else float(y.size)
    slopes = 3 if cell.model == "SIGMOID" else 2
    reason = chosen.reason
    if not reason and binary and 0 < rarer < settings.min_events_per_parameter * slopes:
        reason = "EPPLOW"
    if not reason and not binary and y.size < settings.biomarkers.min_subjects:
        reason = "FEWSUBJ"
    if not reason and not binary and not (y > 0).all():
        reason = "NOLOG"
    model: EmaxModel | None = None
    if not reason:
        model = estimate_emax(
            y if binary else np.log(y),
            2.0**chosen.exposure,
            "BINARY" if binary else "CONTINUOUS",
            sigmoid=cell.model == "SIGMOID",
            level=settings.confidence_level,
            search_fold=settings.emax.search_fold,
        )
        reason = model.reason
    statistics, notes = _statistics(model, reason, settings)
    statistics |= {"n": float(y.size), **chosen.counts}
    if binary:
        statistics["events"] = float(y.sum())
    unit = study.units.get(cell.metric, "")
    out.add(
        "emax",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by={"metric": cell.metric, "model": cell.model},
        where="ERFL = Y",
        units=dict.fromkeys(("ec50", "ec50_low", "ec50_high"), unit),
        n=float(y.size),
        method=METHOD if model else "",
        notes=notes,
    )
    return ModelOutcome(
        cell,
        "NONE" if reason else "EMAX_ML",
        (),
        y.size,
        float(y.sum()) if binary else float(y.size),
        math.nan,
        reason,
    )


def _statistics(
    model: EmaxModel | None, reason: str, settings: ExposureResponseSettings
) -> tuple[dict[str, float | str], dict[str, str]]:
    """Parameters and criteria; the criteria stand also where EC50 is not identified."""
    nan = math.nan
    statistics: dict[str, float | str] = {
        "e0": model.e0 if model else nan,
        "emax": model.emax if model else nan,
        "ec50": model.ec50 if model else nan,
        "ec50_low": model.ec50_low if model else nan,
        "ec50_high": model.ec50_high if model else nan,
        "hill": model.hill if model else nan,
        "aicc": model.aicc if model else nan,
        "aicc_linear": model.aicc_linear if model else nan,
    }
    notes = explain_missing(statistics, reason or "FEWSUBJ")
    difference = (model.aicc - model.aicc_linear) if model else nan
    statistics["aicc_difference"] = difference
    if math.isnan(difference):
        notes["aicc_difference"] = reason or "FEWSUBJ"
        statistics["supported"] = "NONE"
    elif abs(difference) < settings.emax.min_difference:
        statistics["supported"] = "NEITHER"
    else:
        statistics["supported"] = "EMAX" if difference < 0 else "LOG_LINEAR"
    return statistics, notes
