"""Rescue medication among subjects with CRS: exposure weighted for who was treated.

Only subjects with CRS are compared, because the others could hardly be treated. Weighting
balances what was measured when the treatment was decided; it does not undo that exposure
until then also led to the treatment. That question is one of time-varying growth and
belongs to the population model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from celldossier.errors import ConfigError
from celldossier.exposure_response.ader import RESCUE
from celldossier.exposure_response.plan import make_design
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.confounding import RescueMedication
from celldossier.stats.ratio import Ratio, estimate_ratio
from celldossier.stats.weighting import (
    TreatmentWeights,
    WeightedRatio,
    effective_size,
    estimate_treatment_weights,
    estimate_weighted_ratio,
    standardised_difference,
)

ALL_CRS, OVERLAP = "CRS", "CRS_OVERLAP"
"""All grades of CRS; only grades at which both treated and untreated subjects occur."""
FLAGS = {medication: flag for flag, medication in RESCUE.items()}
NAN = math.nan
Vector = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True)
class _Comparison:
    """Treated and untreated subjects of one population with one exposure."""

    rows: pd.DataFrame
    treated: Vector
    design: pd.DataFrame
    reason: str


def collect_rescue_weighting(study: Study, out: ResultCollector) -> None:
    """Add `weight_strata`, `weighted_ratio` and `weight_balance`.

    Raises
    ------
    ConfigError
        If a covariate of the treatment is no variable of ADER, or an exposure.
    """
    exposures = {"CMAX", "AUC28", "AUC84", "CMAXTMAX", "EXPRATE", "CMAXSEN", "AUC28SEN", "CMAXSITE"}
    faults = [
        f"The covariate {name} of exposure_response.confounding.rescue is "
        f"{'an exposure' if name in exposures else 'not a variable of ADER'}."
        for item in study.settings.confounding.rescue
        for name in item.covariates
        if name not in study.ader.columns or name in exposures
    ]
    if faults:
        raise ConfigError(faults)
    population = study.ader.loc[(study.ader["ERFL"] == "Y") & (study.ader["CRSGR"] >= 1)]
    for item in study.settings.confounding.rescue:
        for metric in study.settings.metrics:
            for scope in (ALL_CRS, OVERLAP):
                _compare(study, population, item, metric, scope, out)


def _prepare(
    study: Study, population: pd.DataFrame, item: RescueMedication, metric: str, scope: str
) -> tuple[_Comparison, pd.DataFrame, dict[str, float]]:
    """The comparison, its grades with counts of treated and untreated, and who was left out."""
    settings, flag = study.settings.confounding, FLAGS[item.medication]
    counts = {"n_crs": float(len(population))}
    rows = population.loc[population[flag] != ""]
    counts["n_unknown_treatment"] = float(len(population) - len(rows))
    before = len(rows)
    rows = rows.loc[rows[metric] > 0]
    counts["n_noexposure"] = float(before - len(rows))
    design, present = make_design(rows, item.covariates)
    counts["n_nocovariate"] = float((~present).sum())
    rows, design = rows.loc[present], design.loc[present]
    treated = rows[flag] == "Y"
    strata = pd.DataFrame(
        {
            "given": treated.groupby(rows["CRSGR"]).sum(),
            "without": (~treated).groupby(rows["CRSGR"]).sum(),
        }
    )
    both = strata.min(axis=1) >= settings.min_per_stratum
    counts["n_grade"] = 0.0
    if scope == OVERLAP:
        kept = rows["CRSGR"].isin(strata.index[both])
        counts["n_grade"] = float((~kept).sum())
        rows, design, treated = rows.loc[kept], design.loc[kept], treated.loc[kept]
    grades, _ = make_design(pd.DataFrame({"CRSGR": rows["CRSGR"].map("{:g}".format)}), ("CRSGR",))
    design = pd.concat([grades, design], axis=1)
    design = design[design.columns[design.nunique() > 1]]
    reason = ""
    if not (population[flag] != "").any():
        reason = "NOTCOLL"
    elif rows.empty or treated.all() or not treated.any():
        reason = "FEWSUBJ"
    elif scope == ALL_CRS and not both.all():
        reason = "POSITIV"
    elif scope == OVERLAP and both.all():
        reason = "ALLOVERL"
    elif design.shape[1] == 0:
        reason = "NOCOVAR"
    elif min(treated.sum(), (~treated).sum()) < (
        study.settings.min_events_per_parameter * design.shape[1]
    ):
        reason = "FEWTREAT"
    comparison = _Comparison(rows, np.asarray(treated, dtype=float), design, reason)
    return comparison, strata, counts


def _compare(
    study: Study,
    population: pd.DataFrame,
    item: RescueMedication,
    metric: str,
    scope: str,
    out: ResultCollector,
) -> None:
    comparison, strata, counts = _prepare(study, population, item, metric, scope)
    settings = study.settings.confounding
    weights = TreatmentWeights(comparison.reason)
    if not comparison.reason:
        weights = estimate_treatment_weights(
            comparison.treated,
            comparison.design.to_numpy(dtype=float),
            list(comparison.design.columns),
            settings.weight_truncation,
        )
    sizes = {"ess": NAN, "ess_given": NAN, "ess_without": NAN}
    ratio = WeightedRatio(NAN, NAN, NAN, NAN, NAN, weights.reason)
    if weights.weights is not None:
        side = comparison.treated == 1
        sizes = {
            "ess": effective_size(weights.weights),
            "ess_given": effective_size(weights.weights[side]),
            "ess_without": effective_size(weights.weights[~side]),
        }
        if min(sizes["ess_given"], sizes["ess_without"]) < settings.min_effective_size:
            ratio = replace(ratio, reason="ESSLOW")
        else:
            ratio = estimate_weighted_ratio(
                comparison.rows[metric],
                comparison.treated,
                weights.weights,
                study.settings.ratio_confidence_level,
            )
    place: dict[str, Any] = {
        "variable": metric,
        "analyte": study.settings.analyte,
        "where": "ERFL = Y and CRSGR >= 1",
        "n": float(len(comparison.rows)),
    }
    by = {"term": item.medication, "population": scope}
    _add_ratio(study, comparison, weights, ratio, sizes, counts, metric, by, place, out)
    if scope == ALL_CRS:
        for grade, row in strata.iterrows():
            out.add(
                "weight_strata",
                {"n_given": float(row["given"]), "n_without": float(row["without"])},
                dataset="ADER",
                by={"term": item.medication, "grade": f"{grade:g}"},
                **place,
            )
    if weights.weights is not None:
        _add_balance(comparison, weights, by, place, out)


def _naive(study: Study, comparison: _Comparison, metric: str) -> Ratio:
    exposure = comparison.rows[metric].to_numpy(dtype=float)
    side = comparison.treated == 1
    return estimate_ratio(exposure[side], exposure[~side], study.settings.ratio_confidence_level)


def _add_ratio(
    study: Study,
    comparison: _Comparison,
    weights: TreatmentWeights,
    ratio: WeightedRatio,
    sizes: dict[str, float],
    counts: dict[str, float],
    metric: str,
    by: dict[str, str],
    place: dict[str, Any],
    out: ResultCollector,
) -> None:
    naive = _naive(study, comparison, metric)
    found = weights.weights
    statistics: dict[str, float | str] = {
        **counts,
        "n_given": float((comparison.treated == 1).sum()),
        "n_without": float((comparison.treated == 0).sum()),
        "naive": naive.ratio,
        "naive_low": naive.low,
        "naive_high": naive.high,
        "gmr": ratio.ratio,
        "gmr_low": ratio.low,
        "gmr_high": ratio.high,
        "p": ratio.p,
        "weight_min": NAN if found is None else float(found.min()),
        "weight_max": NAN if found is None else float(found.max()),
        "truncated": NAN if found is None else float(weights.truncated),
        "covariates": "; ".join(comparison.design.columns) or "NONE",
        **sizes,
    }
    reasons = dict.fromkeys(("naive", "naive_low", "naive_high"), comparison_reason(naive))
    reasons |= dict.fromkeys(("gmr", "gmr_low", "gmr_high", "p"), ratio.reason)
    notes = {
        name: reasons.get(name) or weights.reason
        for name, value in statistics.items()
        if isinstance(value, float) and math.isnan(value)
    }
    notes |= {
        name: "CONFOUND" for name in ("naive", "naive_low", "naive_high") if name not in notes
    }
    out.add(
        "weighted_ratio",
        statistics,
        dataset="ADER",
        by=by,
        method="stabilised inverse-probability weights, robust t interval on ln",
        notes=notes,
        **place,
    )


def comparison_reason(naive: Ratio) -> str:
    """Reason of an unweighted ratio that is missing."""
    return naive.reason or "FEWSUBJ"


def _add_balance(
    comparison: _Comparison,
    weights: TreatmentWeights,
    by: dict[str, str],
    place: dict[str, Any],
    out: ResultCollector,
) -> None:
    """Standardised differences of the covariates, before and after weighting."""
    for name in comparison.design.columns:
        values = comparison.design[name].to_numpy(dtype=float)
        before = standardised_difference(values, comparison.treated)
        after = standardised_difference(values, comparison.treated, weights.weights)
        statistics = {"smd_before": before, "smd_after": after}
        out.add(
            "weight_balance",
            statistics,
            dataset="ADER",
            by={**by, "covariate": str(name)},
            notes=explain_missing(statistics, "CONSTANT"),
            **place,
        )
