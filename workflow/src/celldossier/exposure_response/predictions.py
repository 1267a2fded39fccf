"""Probability of each binary endpoint at exposures of interest, and benefit beside risk."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from celldossier.errors import ConfigError
from celldossier.exposure_response.binary_fits import CellResult
from celldossier.exposure_response.plan import PRIMARY
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.descriptive import describe
from celldossier.stats.logistic import LogisticFit
from celldossier.stats.logistic_flac import estimate_flac
from celldossier.stats.standardisation import predict_standardised
from celldossier.terms.order import natural_order

CURVE_POINTS = 101
Vector = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True)
class ExposurePoint:
    """An exposure at which probabilities are predicted.

    Attributes
    ----------
    level
        Level of the key `at`: ``P50``, ``DOSE.<dose level>`` or ``VALUE.<exposure>``.
    subjects
        Subjects behind the exposure: those whose quantile or mean it is; 0 for a value.
    """

    level: str
    exposure: float
    subjects: int
    reason: str = ""


def collect_predictions(
    results: Sequence[CellResult], study: Study, out: ResultCollector
) -> list[dict[str, object]]:
    """Add `predicted_probability` and `exposure_by_dose`; give the curves of benefit and risk.

    Nothing is predicted outside the exposures that the model has seen (``EXPRANGE``), and
    nothing by a model that the plan refused.

    Returns
    -------
    list of dict
        Rows of CURVES: `exposure_response.benefit_risk/<METRIC>`, a series an endpoint,
        by the models of the primary adjustment.
    """
    ader, settings, units = study.ader, study.settings, study.units
    rows: list[dict[str, object]] = []
    wanted = {*settings.predicted_adjustments, settings.primary_adjustment}
    chosen = [
        result
        for result in results
        if result.cell.population == PRIMARY
        and result.cell.metric in settings.predicted_metrics
        and result.cell.adjustment in wanted
    ]
    points = {
        metric: list_points(ader, metric, settings, units) for metric in settings.predicted_metrics
    }
    for metric in settings.predicted_metrics:
        _add_exposure_by_dose(ader, metric, settings, units, out)
    for result in chosen:
        cell = result.cell
        predict = _Predictor.of(result, settings)
        if cell.adjustment in settings.predicted_adjustments:
            for point in points[cell.metric]:
                _add_point(result, predict, point, settings, units, out)
        if cell.adjustment == settings.primary_adjustment and not predict.reason:
            rows += _curve(result, predict, units)
    return rows


def list_points(
    ader: pd.DataFrame,
    metric: str,
    settings: ExposureResponseSettings,
    units: Mapping[str, str],
) -> list[ExposurePoint]:
    """Exposures of interest of a metric: quantiles, dose levels, values of the settings.

    Raises
    ------
    ConfigError
        If a value of the settings has another unit than the metric.
    """
    wanted = settings.predictions
    population = ader.loc[(ader["ERFL"] == "Y") & (ader[metric] > 0)]
    exposure = population[metric].to_numpy(dtype=float)
    points: list[ExposurePoint] = []
    for share in wanted.quantiles:
        level = f"P{100 * share:g}"
        if exposure.size:
            value = float(2 ** np.quantile(np.log2(exposure), share))
            points.append(ExposurePoint(level, value, exposure.size))
        else:
            points.append(ExposurePoint(level, math.nan, 0, "NOSUBJ"))
    if wanted.dose_levels:
        for dose in natural_order(set(ader.loc[ader["ERFL"] == "Y", "TRT01A"]) - {""}):
            values = population.loc[population["TRT01A"] == dose, metric].to_numpy(dtype=float)
            few = values.size < settings.min_per_level
            mean = math.nan if few else float(np.exp(np.log(values).mean()))
            reason = "FEWLEVEL" if few else ""
            points.append(ExposurePoint(f"DOSE.{dose}", mean, values.size, reason))
    faults = []
    for item in wanted.exposures:
        if item.metric != metric:
            continue
        if item.unit != units.get(metric, ""):
            faults.append(
                f"The exposure {item.value:g} {item.unit} of predictions.exposures is of the "
                f"metric {metric}, whose unit in this study is {units.get(metric, 'not known')}."
            )
        points.append(ExposurePoint(f"VALUE.{item.value:g}", item.value, 0))
    if faults:
        raise ConfigError(faults)
    return points


def refuse_outside(seen: ArrayLike, exposure: float) -> str:
    """``EXPRANGE`` where the exposure is outside the log2 exposures that were seen, else blank."""
    ends = np.asarray(seen, dtype=float)
    # The ends themselves are observed: rounding of log2 and back leaves them inside.
    room = 1e-9 * max(1.0, float(np.abs(ends).max()))
    inside = float(ends.min()) - room <= math.log2(exposure) <= float(ends.max()) + room
    return "" if inside else "EXPRANGE"


@dataclass(frozen=True)
class _Predictor:
    """A model that predicts, the covariates it averages over, and the range it has seen."""

    fit: LogisticFit | None
    reason: str
    covariates: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    low: float
    high: float
    method: str
    level: float

    @classmethod
    def of(cls, result: CellResult, settings: ExposureResponseSettings) -> _Predictor:
        chosen, fit, reason = result.selection, result.fit, result.reason
        covariates = chosen.covariates.to_numpy(dtype=float)
        correction = ""
        if fit and fit.method == "FIRTH":
            correction = f", {settings.predictions.firth_correction}"
            if settings.predictions.firth_correction == "FLAC":
                names = [item.name for item in fit.coefficients[:-1]]
                fit = estimate_flac(
                    chosen.event, np.column_stack([chosen.exposure, covariates]), names
                )
                reason = fit.reason
        over = ""
        if covariates.shape[1]:
            if settings.predictions.covariates == "REFERENCE":
                # Columns of a text variable are named after its levels: VARIABLE=LEVEL.
                numbers = np.array(["=" not in str(name) for name in chosen.covariates])
                middle = np.where(numbers, np.median(covariates, axis=0), 0.0)
                covariates, over = middle[None, :], "; at the reference covariates"
            else:
                over = "; standardised over the covariates of the subjects"
        method = (
            f"logistic, {fit.method if fit else ''}{correction}{over}; delta method on the logit"
        )
        seen = chosen.exposure
        return cls(
            None if reason else fit,
            reason,
            covariates,
            float(seen.min()) if seen.size else math.nan,
            float(seen.max()) if seen.size else math.nan,
            method,
            settings.confidence_level,
        )

    def at(self, x: Vector) -> tuple[Vector, Vector, Vector]:
        """Probability and limits at log2 exposures within the range."""
        if self.fit is None:
            raise ValueError(f"there is no model to predict by ({self.reason})")
        found = predict_standardised(self.fit, x, self.covariates, self.level)
        return found.probability, found.low, found.high

    def refuse(self, point: ExposurePoint) -> str:
        """Reason why nothing is predicted at the point, blank where something is."""
        if point.reason or self.reason:
            return point.reason or self.reason
        return refuse_outside([self.low, self.high], point.exposure)


def _add_point(
    result: CellResult,
    predict: _Predictor,
    point: ExposurePoint,
    settings: ExposureResponseSettings,
    units: Mapping[str, str],
    out: ResultCollector,
) -> None:
    cell, n = result.cell, float(result.selection.event.size)
    statistics: dict[str, float | str] = {
        "n": n,
        "events": float(result.selection.event.sum()),
        "n_exposure": float(point.subjects),
        "exposure": point.exposure,
        "pct": math.nan,
        "ci_low": math.nan,
        "ci_high": math.nan,
    }
    names = ("pct", "ci_low", "ci_high")
    reason = predict.refuse(point)
    notes = {"exposure": point.reason} if point.reason else {}
    if reason:
        notes |= dict.fromkeys(names, reason)
    else:
        values = [
            float(100 * part[0]) for part in predict.at(np.array([math.log2(point.exposure)]))
        ]
        statistics |= dict(zip(names, values, strict=True))
        notes |= {
            name: "OVERFLOW" for name, value in zip(names, values, strict=True) if math.isnan(value)
        }
    out.add(
        "predicted_probability",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by={"metric": cell.metric, "adjustment": cell.adjustment, "at": point.level},
        where="ERFL = Y",
        unit="%",
        units={"n": "", "events": "", "n_exposure": "", "exposure": units.get(cell.metric, "")},
        n=n,
        method="" if reason else predict.method,
        notes=notes,
    )


def _curve(
    result: CellResult, predict: _Predictor, units: Mapping[str, str]
) -> list[dict[str, object]]:
    x = np.linspace(predict.low, predict.high, CURVE_POINTS)
    y, low, high = predict.at(x)
    common = {
        "curve_id": f"exposure_response.benefit_risk/{result.cell.metric}",
        "series": result.cell.endpoint.code,
        "kind": "fit",
        "n": float(result.selection.event.size),
        "x_unit": f"log2({units.get(result.cell.metric, '')})",
        "y_unit": "1",
    }
    return [
        common | {"x": a, "y": b, "low": c, "high": d}
        for a, b, c, d in zip(x, y, low, high, strict=True)
    ]


def _add_exposure_by_dose(
    ader: pd.DataFrame,
    metric: str,
    settings: ExposureResponseSettings,
    units: Mapping[str, str],
    out: ResultCollector,
) -> None:
    """Exposure of each dose level, which stands below the curves."""
    population = ader.loc[(ader["ERFL"] == "Y") & ader[metric].notna()]
    for dose in natural_order(set(population["TRT01A"]) - {""}):
        block = describe(population.loc[population["TRT01A"] == dose, metric])
        out.add(
            "exposure_by_dose",
            block,
            dataset="ADER",
            variable=metric,
            analyte=settings.analyte,
            by={"dose": dose},
            where="ERFL = Y",
            unit=units.get(metric, ""),
            units={"n": "", "gcv": "%"},
            n=block["n"],
            notes=explain_missing(block, "FEWVAL"),
        )
