"""Pharmacodynamic markers: peak, fold and nadir over exposure, linear in the logarithms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.marker_values import derive_marker
from celldossier.exposure_response.plan import (
    PRIMARY,
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    Selection,
    find_role,
    select_subjects,
)
from celldossier.exposure_response.refusals import is_confounded
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.linear_model import LinearFit, estimate_linear
from celldossier.stats.predictors import is_constant
from celldossier.stats.rank_correlation import estimate_rank_correlation

MODEL, METHOD = "LINEAR", "LS"
ALL_SAMPLES = "ALL_SAMPLES"
CURVE_POINTS = 60


def plan_cells(study: Study) -> list[PlanCell]:
    """Continuous endpoint x metric x adjustment; with all samples as a sensitivity."""
    settings = study.settings
    cells = []
    for endpoint in study.of_kind("continuous"):
        for metric in settings.biomarkers.metrics:
            for adjustment in settings.adjustments:
                role = find_role(metric, endpoint, adjustment, study)
                cells.append(PlanCell(endpoint, metric, MODEL, adjustment, PRIMARY, role))
            if endpoint.not_after:
                cells.append(
                    PlanCell(
                        endpoint,
                        metric,
                        MODEL,
                        settings.primary_adjustment,
                        ALL_SAMPLES,
                        "SENSITIVITY",
                    )
                )
    return cells


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analyses `biomarker` and `biomarker_rank`."""
    outcomes, curves = [], []
    for cell in cells:
        outcome, rows = _run_cell(study, cell, out)
        outcomes.append(outcome)
        curves += rows
    return FamilyOutput(outcomes, curves)


def _run_cell(
    study: Study, cell: PlanCell, out: ResultCollector
) -> tuple[ModelOutcome, list[Mapping[str, object]]]:
    settings = study.settings
    given = _with_all_samples(study, cell) if cell.population == ALL_SAMPLES else study
    chosen = select_subjects(given, cell)
    below = (given.values(cell.endpoint).loc[chosen.subjects, "BLQFL"] == "Y").to_numpy()
    share = float(below.mean()) if below.size else math.nan
    reason = chosen.reason or _refuse(chosen, share, settings)
    fit: LinearFit | None = None
    if not reason:
        # A fold or a value of 0 has no logarithm; markers are positive, and a half limit is too.
        fit = estimate_linear(
            np.log(chosen.event),
            [np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)])],
            [EXPOSURE, *chosen.covariates.columns],
            settings.confidence_level,
        )
        reason = fit.reason
    slope = fit.coefficients[0] if fit and not reason else None
    names = ("ratio", "ratio_low", "ratio_high", "p", "log_ratio", "se", "r_squared")
    statistics: dict[str, float | str] = dict.fromkeys(names, math.nan)
    notes = dict.fromkeys(names, reason) if reason else {}
    if slope and fit:
        statistics |= {
            "ratio": math.exp(slope.estimate),
            "ratio_low": math.exp(slope.low),
            "ratio_high": math.exp(slope.high),
            "p": slope.p,
            "log_ratio": slope.estimate,
            "se": slope.se,
            "r_squared": fit.r_squared,
        }
    statistics |= {
        "n": float(chosen.event.size),
        "n_below": float(below.sum()),
        "pct_below": 100 * share,
        **chosen.counts,
    }
    if math.isnan(share):
        notes["pct_below"] = chosen.reason or "NOSUBJ"
    out.add(
        "biomarker",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        units={"pct_below": "%"},
        n=float(chosen.event.size),
        method="least squares of ln(marker) on log2(exposure), t interval" if slope else "",
        notes=notes,
    )
    curves: list[Mapping[str, object]] = []
    if cell.adjustment == "UNADJUSTED" and cell.population == PRIMARY:
        _add_rank(cell, chosen, settings, out)
        if fit and slope:
            curves = _curve(given, cell, chosen, fit)
    outcome = ModelOutcome(
        cell,
        METHOD if slope else "NONE",
        tuple(chosen.covariates.columns),
        chosen.event.size,
        float(chosen.event.size),
        slope.p if slope else math.nan,
        reason,
    )
    return outcome, curves


def _with_all_samples(study: Study, cell: PlanCell) -> Study:
    """The study with the values of the endpoint from all samples."""
    columns = derive_marker(study.sources, study.ader, cell.endpoint, all_samples=True)
    ours = study.aderend["PARAMCD"] == cell.endpoint.code
    values = study.aderend.loc[ours]
    # ADEREND holds the rows of an endpoint in the order of ADER.
    fresh = pd.DataFrame(columns, index=study.ader.index).set_axis(values.index)
    aderend = pd.concat([study.aderend.loc[~ours], values.drop(columns=list(fresh)).join(fresh)])
    return replace(study, aderend=aderend)


def _refuse(chosen: Selection, share: float, settings: ExposureResponseSettings) -> str:
    if chosen.event.size < settings.biomarkers.min_subjects:
        return "FEWSUBJ"
    if share > settings.biomarkers.max_blq_share:
        return "BLQSHARE"
    if not (chosen.event > 0).all():
        return "NOLOG"
    if is_constant(chosen.exposure):
        return "CONSTANT"
    covariates = chosen.covariates.to_numpy(dtype=float)
    return "COLLIN" if is_confounded(chosen.exposure, covariates, settings) else ""


def _add_rank(
    cell: PlanCell, chosen: Selection, settings: ExposureResponseSettings, out: ResultCollector
) -> None:
    found = estimate_rank_correlation(chosen.exposure, chosen.event, settings.confidence_level)
    statistics: dict[str, float | str] = {
        "n": float(found.n),
        "rho": found.rho,
        "rho_low": found.low,
        "rho_high": found.high,
        "p": found.p,
    }
    why = chosen.reason or found.reason or "FEWSUBJ"
    notes = explain_missing(statistics, why)
    out.add(
        "biomarker_rank",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by={"metric": cell.metric},
        where="ERFL = Y",
        n=float(found.n),
        method="Spearman, Fisher's transformation",
        notes=notes,
    )


def _curve(
    study: Study, cell: PlanCell, chosen: Selection, fit: LinearFit
) -> list[Mapping[str, object]]:
    """The fitted line of the unadjusted model with its pointwise t band."""
    values = study.values(cell.endpoint)
    common = {
        "curve_id": f"exposure_response.biomarker/{cell.endpoint.code}/{cell.metric}",
        "x_unit": f"log2({study.units.get(cell.metric, '')})",
        "y_unit": str(values["AVALU"].iloc[0] or ""),
        "series": "fit",
        "kind": "fit",
    }
    from scipy.special import stdtrit

    x, y = chosen.exposure, np.log(chosen.event)
    slope, n = fit.coefficients[0], x.size
    at = np.linspace(x.min(), x.max(), CURVE_POINTS)
    centre = y.mean() + slope.estimate * (at - x.mean())
    residual = y - y.mean() - slope.estimate * (x - x.mean())
    variance = float(residual @ residual) / (n - 2)
    spread = variance * (1 / n + (at - x.mean()) ** 2 / float(((x - x.mean()) ** 2).sum()))
    half = float(stdtrit(n - 2, 0.5 + study.settings.confidence_level / 2)) * np.sqrt(spread)
    return [
        {
            **common,
            "x": float(a),
            "y": math.exp(b),
            "low": math.exp(b - c),
            "high": math.exp(b + c),
            "n": float(n),
        }
        for a, b, c in zip(at, centre, half, strict=True)
    ]
