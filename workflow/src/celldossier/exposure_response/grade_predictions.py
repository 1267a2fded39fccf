"""Probability of each grade at exposures of interest, by the proportional odds model."""

from __future__ import annotations

import math

import numpy as np

from celldossier.exposure_response.plan import PlanCell
from celldossier.exposure_response.predictions import list_points, refuse_outside
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.stats.ordinal import OrdinalFit
from celldossier.stats.ordinal_prediction import predict_grades

METHOD = "proportional odds, standardised over the covariates; delta method on the logit"


def collect_grade_predictions(
    study: Study,
    cell: PlanCell,
    fit: OrdinalFit,
    design: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    reason: str,
    out: ResultCollector,
) -> None:
    """Add `predicted_grade`: the mean probability of each grade that was observed.

    Parameters
    ----------
    fit
        The model of the cell.
    design
        Its predictors, shape (n, k), log2 exposure first.
    reason
        Why the model predicts nothing, blank where it does; ``POREJECT`` where the test
        rejects proportional odds.
    """
    settings, metric = study.settings, cell.metric
    if metric not in settings.predicted_metrics:
        return
    if cell.adjustment not in settings.predicted_adjustments:
        return
    exposure = design[:, 0]
    for point in list_points(study.ader, metric, settings, study.units):
        why = point.reason or reason or refuse_outside(exposure, point.exposure)
        found = None
        if not why:
            found = predict_grades(
                fit, [math.log2(point.exposure)], design[:, 1:], settings.confidence_level
            )
        for place, level in enumerate(fit.levels):
            values = dict.fromkeys(("pct", "ci_low", "ci_high"), math.nan)
            if found:
                columns = (found.probability, found.low, found.high)
                values = {
                    name: float(100 * part[0, place])
                    for name, part in zip(values, columns, strict=True)
                }
            notes = {name: why or "OVERFLOW" for name in values if math.isnan(values[name])}
            if point.reason:
                notes["exposure"] = point.reason
            out.add(
                "predicted_grade",
                {"n": float(exposure.size), "exposure": point.exposure, **values},
                dataset="ADER",
                variable=cell.endpoint.code,
                analyte=settings.analyte,
                by={
                    "metric": metric,
                    "adjustment": cell.adjustment,
                    "at": point.level,
                    "grade": f"{level:g}",
                },
                where="ERFL = Y",
                unit="%",
                units={"n": "", "exposure": study.units.get(metric, "")},
                n=float(exposure.size),
                method="" if why else METHOD,
                notes=notes,
            )
