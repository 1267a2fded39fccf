"""Probability to be free of an event at months of interest, by exposure, after a Cox model."""

from __future__ import annotations

import math

import numpy as np

from celldossier.exposure_response.plan import PlanCell
from celldossier.exposure_response.predictions import list_points, refuse_outside
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.cox_results import CoxFit
from celldossier.stats.cox_standardisation import predict_mean_survival
from celldossier.terms.study_terms import DAYS_PER_MONTH

METHOD = "{method} Cox model, standardised over the covariates; delta method on log(-log)"


def collect_survival_predictions(
    study: Study,
    cell: PlanCell,
    fit: CoxFit | None,
    reason: str,
    counts: tuple[int, int],
    out: ResultCollector,
) -> None:
    """Add `predicted_survival`: mean probability to be free of the event.

    Where the model has a landmark, the probability is that of subjects who came to it
    without the event. Nothing is predicted for a time at which nobody was observed any
    more (``NOFOLLOW``), or before the landmark.

    Parameters
    ----------
    fit
        The model of the cell, log2 exposure first; None where it was refused with `reason`.
    counts
        Subjects and events of the cell.
    """
    settings, metric = study.settings, cell.metric
    if metric not in settings.predicted_metrics:
        return
    if cell.adjustment not in settings.predicted_adjustments:
        return
    data = fit.data if fit else None
    n, events = (float(count) for count in counts)
    months = settings.predictions.survival_months
    for point in list_points(study.ader, metric, settings, study.units):
        outside = point.reason or reason
        if not outside and data is not None:
            outside = refuse_outside(data.covariates[:, 0], point.exposure)
        found = None
        if not outside and fit is not None:
            found = predict_mean_survival(
                fit,
                math.log2(point.exposure),
                np.array(months) * DAYS_PER_MONTH,
                settings.confidence_level,
            )
        for place, month in enumerate(months):
            why = outside or _refuse_time(fit, month * DAYS_PER_MONTH)
            values = dict.fromkeys(("pct", "ci_low", "ci_high"), math.nan)
            if not why and found is not None:
                columns = (found.survival, found.low, found.high)
                values = {
                    name: float(100 * part[place])
                    for name, part in zip(values, columns, strict=True)
                }
            # Where nobody had the event until then, the share of 100 % has no interval.
            missing = why or ("NOEVENT" if values["pct"] == 100 else "OVERFLOW")
            notes = explain_missing(values, missing)
            if point.reason:
                notes["exposure"] = point.reason
            out.add(
                "predicted_survival",
                {
                    "n": n,
                    "events": events,
                    "exposure": point.exposure,
                    **values,
                },
                dataset="ADER",
                variable=cell.endpoint.code,
                analyte=settings.analyte,
                by={
                    "metric": metric,
                    "adjustment": cell.adjustment,
                    "at": point.level,
                    "month": f"M{month:g}",
                },
                where="ERFL = Y",
                unit="%",
                units={"n": "", "events": "", "exposure": study.units.get(metric, "")},
                n=n,
                method="" if why or fit is None else METHOD.format(method=fit.method),
                notes=notes,
            )


def _refuse_time(fit: CoxFit | None, day: float) -> str:
    """Why nothing is predicted for a day: after the last observation, or before the first."""
    if fit is None or fit.data is None:
        return "NOFOLLOW"
    if day > fit.data.stop.max():
        return "NOFOLLOW"
    return "BEFLANDM" if day <= fit.data.start.min() else ""
