"""Evaluation of the logistic models: discrimination, calibration, optimism, influence, form.

Analyses, all by metric, adjustment and population:

================== ======================= =================================================
analysis           further key             statistics
================== ======================= =================================================
evaluation         -                       n, events, model; area under the ROC curve with
                                           interval, Brier score; both, and calibration
                                           intercept and slope, corrected for optimism;
                                           resamples, failed, separated; tests of fit and
                                           form; influence
calibration_group  group (G1..)            n, events, predicted, pct, ci_low, ci_high
================== ======================= =================================================

Curves: `exposure_response.calibration/<ENDPOINT>/<METRIC>`, x = predicted, y = observed;
series ``group`` (kind observed) and ``corrected`` (kind fit).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.exposure_response import binary
from celldossier.exposure_response.binary_fits import EXPOSURE, CellResult, run_cell
from celldossier.exposure_response.model_rows import Vector, fit_model, list_primary_cells
from celldossier.exposure_response.odds import METHODS
from celldossier.exposure_response.plan import PRIMARY, Selection
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector
from celldossier.stats import calibration, model_validation
from celldossier.stats.discrimination import estimate_area_under_curve
from celldossier.stats.logistic import LogisticFit, Method, odds_ratio
from celldossier.stats.penalised_likelihood import expit

CURVE_POINTS = 51


def run_evaluated(study: Study) -> list[CellResult]:
    """The models that are evaluated: the primary ones, or each logistic one that was fitted."""
    primary = [run_cell(study, cell) for cell in list_primary_cells(study)]
    if study.settings.evaluation.models == "PRIMARY":
        return primary
    others = [run_cell(study, c) for c in binary.plan_cells(study) if c.role != "PRIMARY"]
    return primary + [result for result in others if result.fit is not None]


def collect_evaluation(
    study: Study, results: Sequence[CellResult], out: ResultCollector
) -> list[dict[str, object]]:
    """Add `evaluation` and `calibration_group`; give the rows of CURVES of the primary models.

    Parameters
    ----------
    results
        The models, as `run_evaluated` gives them.
    """
    curves: list[dict[str, object]] = []
    for result in results:
        if result.fit is None:
            _add_refused(study, result, out)
            continue
        curves += _evaluate(study, result, result.fit, out)
    return curves


NUMBERS = (
    *("auc", "auc_low", "auc_high", "auc_corrected", "brier", "brier_scaled", "brier_corrected"),
    *("intercept_corrected", "slope", "slope_corrected", "failed", "separated"),
    *("gof_z", "gof_p", "residual_max", "residual_p", "linearity_p", "deviance_max"),
    *("dfbetas_max", "cook_max", "n_influential", "or_min", "or_max"),
)


def _add_refused(study: Study, result: CellResult, out: ResultCollector) -> None:
    chosen = result.selection
    statistics: dict[str, float | str] = {
        "n": float(chosen.event.size),
        "events": float(chosen.event.sum()),
        "model": "NONE",
        **dict.fromkeys(NUMBERS, math.nan),
    }
    _add(study, result, "evaluation", statistics, dict.fromkeys(NUMBERS, result.reason), out)


def _evaluate(
    study: Study, result: CellResult, fit: LogisticFit, out: ResultCollector
) -> list[dict[str, object]]:
    settings, level = study.settings.evaluation, study.settings.confidence_level
    chosen = result.selection
    design = np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)])
    names = [EXPOSURE, *map(str, chosen.covariates.columns)]
    method: Method = "FIRTH" if fit.method == "FIRTH" else "ML"
    fitted = np.asarray(fit.fitted)
    area = estimate_area_under_curve(chosen.event, fitted, level)
    own = calibration.estimate_calibration(chosen.event, fitted, level)
    optimism = model_validation.estimate_optimism(
        chosen.event, design, method, settings.resamples, settings.seed
    )
    corrected = optimism.corrected
    statistics: dict[str, float | str] = {
        "n": float(fit.n),
        "events": float(fit.events),
        "model": fit.method,
        "auc": area.area,
        "auc_low": area.low,
        "auc_high": area.high,
        "auc_corrected": corrected["auc"],
        "brier": own.brier,
        "brier_scaled": own.brier_scaled,
        "brier_corrected": corrected["brier"],
        "intercept_corrected": corrected["intercept"],
        "slope": own.slope,
        "slope_corrected": corrected["slope"],
        "resamples": float(optimism.resamples),
        "failed": float(optimism.failed),
        "separated": float(optimism.separated),
    }
    notes = dict.fromkeys(("auc_low", "auc_high"), area.reason) if area.reason else {}
    if own.reason:
        notes["slope"] = own.reason
    notes |= {f"{name}_corrected": "NOCONV" for name in corrected if math.isnan(corrected[name])}
    for part in (
        _test_fit(study, chosen, fit, design),
        _test_linearity(study, chosen, result),
        _find_influence(study, chosen, fit, design, names),
    ):
        statistics |= part[0]
        notes |= part[1]
    _add(study, result, "evaluation", statistics, notes, out)
    groups = calibration.summarise_groups(chosen.event, fitted, settings.calibration_groups, level)
    for position, group in enumerate(groups, start=1):
        shares: dict[str, float | str] = {
            "n": float(group.n),
            "events": float(group.events),
            "predicted": 100 * group.predicted,
            "pct": 100 * group.observed,
            "ci_low": 100 * group.low,
            "ci_high": 100 * group.high,
        }
        _add(study, result, "calibration_group", shares, {}, out, {"group": f"G{position}"})
    if result.cell.population != PRIMARY or result.cell.role != "PRIMARY":
        return []
    return _draw_points(result, groups, fitted, corrected["intercept"], corrected["slope"])


def _add(
    study: Study,
    result: CellResult,
    analysis: str,
    statistics: dict[str, float | str],
    notes: dict[str, str],
    out: ResultCollector,
    within: dict[str, str] | None = None,
) -> None:
    shares = {"predicted", "pct", "ci_low", "ci_high"}
    out.add(
        analysis,
        statistics,
        dataset="ADER",
        variable=result.cell.endpoint.code,
        analyte=study.settings.analyte,
        by={**result.cell.by, **(within or {})},
        where="ERFL = Y",
        units=dict.fromkeys(shares, "%"),
        n=float(result.selection.event.size),
        method=METHODS[result.fit.method] if result.fit else "",
        notes=notes,
    )


Part = tuple[dict[str, float | str], dict[str, str]]


def _test_fit(study: Study, chosen: Selection, fit: LogisticFit, design: Vector) -> Part:
    """Sum of squares test and cumulative residuals over the exposure."""
    settings = study.settings.evaluation
    names = ("gof_z", "gof_p", "residual_max", "residual_p")
    if fit.method == "FIRTH":
        # Both distributions are those of a maximum likelihood fit.
        return dict.fromkeys(names, math.nan), dict.fromkeys(names, "PENALFIT")
    goodness = calibration.test_goodness_of_fit(chosen.event, np.asarray(fit.fitted), design)
    greatest, p = model_validation.test_functional_form(
        chosen.event, fit, design, 0, settings.residual_draws, settings.seed
    )
    values = (goodness.z, goodness.p, greatest, p)
    notes = dict.fromkeys(names[:2], goodness.reason) if goodness.reason else {}
    return dict(zip(names, values, strict=True)), notes


def _test_linearity(study: Study, chosen: Selection, result: CellResult) -> Part:
    """Likelihood ratio test of the nonlinear term of a restricted cubic spline, three knots.

    References
    ----------
    Harrell FE (2015), Regression Modeling Strategies, 2nd ed., section 2.4.5.
    """
    name = "spline of exposure"
    term = restricted_cubic_term(chosen.exposure, study.settings.evaluation.spline_knots)
    if term is None:
        return {"linearity_p": math.nan}, {"linearity_p": "CONSTANT"}
    fit, reason = fit_model(study, chosen, pd.DataFrame({name: term}), [name])
    if fit is None:
        return {"linearity_p": math.nan}, {"linearity_p": reason}
    return {"linearity_p": fit.coefficient(name).p}, {}


def restricted_cubic_term(x: Vector, quantiles: Sequence[float]) -> Vector | None:
    """Nonlinear term of a restricted cubic spline with three knots; None where knots coincide."""
    first, middle, last = (float(v) for v in np.quantile(x, quantiles))
    if not first < middle < last:
        return None

    def cube(knot: float) -> Vector:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3)

    term = (
        cube(first)
        - cube(middle) * (last - first) / (last - middle)
        + cube(last) * (middle - first) / (last - middle)
    )
    return np.asarray(term / (last - first) ** 2)


def _find_influence(
    study: Study, chosen: Selection, fit: LogisticFit, design: Vector, names: list[str]
) -> Part:
    """Influence of each subject on the odds ratio of the exposure, and who is listed for it."""
    found = model_validation.estimate_influence(chosen.event, design, names, fit, EXPOSURE)
    subjects = study.ader.loc[chosen.subjects, KEY[1]].to_numpy()
    limit = study.settings.evaluation.influence_limit / math.sqrt(fit.n)
    sound = np.isfinite(found.estimates)
    size = np.where(sound, np.abs(found.dfbetas), -1.0)
    listed = [i for i in np.argsort(-size, kind="stable") if size[i] > limit]
    worst = int(np.abs(found.deviance).argmax())
    statistics: dict[str, float | str] = {
        "deviance_max": float(found.deviance[worst]),
        "deviance_subject": str(subjects[worst]),
        "n_influential": float(len(listed)),
    }
    if not sound.any():
        missing = ("dfbetas_max", "cook_max", "or_min", "or_max")
        return statistics | dict.fromkeys(missing, math.nan), dict.fromkeys(missing, "NOCONV")
    statistics |= {
        "dfbetas_max": float(size.max()),
        "cook_max": float(found.displacement[sound].max()),
        "or_min": odds_ratio(float(found.estimates[sound].min())),
        "or_max": odds_ratio(float(found.estimates[sound].max())),
    }
    if listed:
        statistics["influential"] = "; ".join(
            f"{subjects[i]} ({odds_ratio(float(found.estimates[i])):.3g})" for i in listed
        )
    return statistics, {
        key: "OVERFLOW" for key in ("or_min", "or_max") if math.isnan(float(statistics[key]))
    }


def _draw_points(
    result: CellResult,
    groups: Sequence[calibration.CalibrationGroup],
    fitted: Vector,
    intercept: float,
    slope: float,
) -> list[dict[str, object]]:
    """Rows of CURVES of a model: its groups, and the line that the bootstrap expects elsewhere."""
    common = {
        "curve_id": f"exposure_response.calibration/{result.cell.endpoint.code}/"
        f"{result.cell.metric}",
        "x_unit": "",
        "y_unit": "",
    }
    rows: list[dict[str, object]] = [
        {
            **common,
            "series": "group",
            "kind": "observed",
            "x": group.predicted,
            "y": group.observed,
            "low": group.low,
            "high": group.high,
            "n": float(group.n),
        }
        for group in groups
    ]
    if math.isnan(slope):
        return rows
    x = np.linspace(float(fitted.min()), float(fitted.max()), CURVE_POINTS)
    y = expit(intercept + slope * np.log(x / (1 - x)))
    return rows + [
        {
            **common,
            "series": "corrected",
            "kind": "fit",
            "x": float(a),
            "y": float(b),
            "low": math.nan,
            "high": math.nan,
            "n": float(result.selection.event.size),
        }
        for a, b in zip(x, y, strict=True)
    ]
