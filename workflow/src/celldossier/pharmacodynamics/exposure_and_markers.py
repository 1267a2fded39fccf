"""Parameters of the cells against those of the markers, subject by subject.

Analyses added (variable: marker; analyte: that of the cells):

===========  ==========================  ====================================================
matrix       metric, parameter (ADPDP)   n, rho (Spearman), its limits, p, q
marker_emax                              n, n_below, e0, emax, ec50 and its limits, aicc,
                                         aicc_linear, ratio (per doubling, log-linear model)
                                         and its limits, r_squared, p, q, supported (text)
===========  ==========================  ====================================================

q: Benjamini-Hochberg over all cells of the matrix, and over the markers of the models. The Emax
model is of ln(peak): both models have the same outcome, so that their AICc can be compared.
Models of the endpoints, with covariates, are those of `exposure_response`; these here cover all
markers and are descriptive.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.marker_rules import SCORES
from celldossier.pharmacodynamics.related_samples import (
    WHERE,
    MarkerParameters,
    read_cell_parameter,
    select_rules,
)
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.kinetics_and_markers import KineticsAndMarkersSettings
from celldossier.stats.emax import EmaxModel, estimate_emax
from celldossier.stats.linear_model import estimate_linear
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.rank_correlation import RankCorrelation, estimate_rank_correlation

Statistics = dict[str, float | str]

BELOW = "BLQ"
"""Start of the flags of a value that rests on a result below the limit."""


def relate_parameters(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the matrix of rank correlations, and the models of the peaks."""
    rules = select_rules(study)
    values = MarkerParameters(study, rules)
    _add_matrix(study, list(rules), values, out)
    rising = [
        c for c, rule in rules.items() if rule.kind not in SCORES and rule.direction != "fall"
    ]
    models = {code: _model(study, values.of(code, "PDPEAK")) for code in rising}
    known = {code: model for code, model in models.items() if model is not None}
    q_values = benjamini_hochberg([float(statistics["p"]) for statistics, _, _ in known.values()])
    for (code, (statistics, reason, unit)), q in zip(known.items(), q_values.tolist(), strict=True):
        _add_model(study, code, {**statistics, "q": q}, (reason, unit), out)
    return []


def _add_matrix(
    study: Study, codes: list[str], parameters: MarkerParameters, out: ResultCollector
) -> None:
    rules = study.settings.kinetics
    cells = {str(metric): read_cell_parameter(study, metric) for metric in rules.metrics}
    found: dict[tuple[str, str, str], RankCorrelation] = {}
    for code in codes:
        for parameter in rules.parameters:
            values = parameters.of(code, parameter)
            if values.empty:
                continue
            for metric, exposure in cells.items():
                both = values.merge(exposure, on=KEY, suffixes=("", "_CELLS"))
                found[code, parameter, metric] = estimate_rank_correlation(
                    both["AVAL_CELLS"], both["AVAL"], rules.confidence_level
                )
    # Fewer subjects than asked for: the coefficient is not shown, and is no test of the family.
    q_values = benjamini_hochberg(
        [each.p if each.n >= rules.min_subjects else math.nan for each in found.values()]
    )
    for ((code, parameter, metric), each), q in zip(found.items(), q_values.tolist(), strict=True):
        few = each.n < rules.min_subjects
        statistics: dict[str, float | str] = {
            "n": float(each.n),
            **{
                name: math.nan if few else value
                for name, value in (
                    ("rho", each.rho), ("rho_low", each.low), ("rho_high", each.high),
                    ("p", each.p), ("q", q),
                )
            },
        }  # fmt: skip
        out.add(
            "matrix",
            statistics,
            dataset="ADPDP",
            variable=code,
            analyte=study.settings.analyte,
            by={"metric": metric, "parameter": parameter},
            where=WHERE,
            n=float(each.n),
            method="Spearman, Fisher's transformation",
            notes=explain_missing(statistics, "FEWSUBJ" if few else each.reason),
        )


def _model(study: Study, peaks: pd.DataFrame) -> tuple[Statistics, str, str] | None:
    """Statistics of both models, why one is missing, and the unit; None without a subject."""
    rules = study.settings.kinetics
    both = peaks.merge(
        read_cell_parameter(study, rules.emax_metric), on=KEY, suffixes=("", "_CELLS")
    )
    if both.empty:
        return None
    unit = str(both["AVALU_CELLS"].iloc[0])
    both = both.loc[(both["AVAL"] > 0) & (both["AVAL_CELLS"] > 0)]
    fit = _fit(both, rules)
    reason = str(fit.pop("reason"))
    below = float(both["FLAG"].str.contains(BELOW, regex=False).sum())
    return {"n": float(len(both)), "n_below": below, **fit}, reason, unit


def _add_model(
    study: Study, code: str, statistics: Statistics, why: tuple[str, str], out: ResultCollector
) -> None:
    reason, unit = why
    out.add(
        "marker_emax",
        statistics,
        dataset="ADPDP",
        variable=code,
        analyte=study.settings.analyte,
        by={"metric": study.settings.kinetics.emax_metric},
        where=WHERE,
        units=dict.fromkeys(("ec50", "ec50_low", "ec50_high"), unit),
        n=float(statistics["n"]),
        method="least squares of ln(peak): Emax model, and linear in log2 of the exposure",
        notes=explain_missing(statistics, reason or "FEWSUBJ"),
    )


def _fit(both: pd.DataFrame, rules: KineticsAndMarkersSettings) -> Statistics:
    """Both models; `reason` says why the Emax model is not given."""
    level = rules.confidence_level
    outcome = np.log(both["AVAL"].to_numpy(dtype=float))
    exposure = both["AVAL_CELLS"].to_numpy(dtype=float)
    model, line = EmaxModel(len(both), math.nan, False, "FEWSUBJ"), None
    if len(both) >= rules.min_subjects:
        model = estimate_emax(outcome, exposure, "CONTINUOUS", level=level)
        line = estimate_linear(outcome, [np.log2(exposure)[:, None]], ["EXPOSURE"], level)
    slope = line.coefficients[0] if line and not line.reason else None
    difference = model.aicc - model.aicc_linear
    if math.isnan(difference):
        supported = "NONE"
    elif abs(difference) < rules.emax_min_difference:
        supported = "NEITHER"
    else:
        supported = "EMAX" if difference < 0 and not model.reason else "LOG_LINEAR"
    return {
        "e0": model.e0,
        "emax": model.emax,
        "ec50": model.ec50,
        "ec50_low": model.ec50_low,
        "ec50_high": model.ec50_high,
        "aicc": model.aicc,
        "aicc_linear": model.aicc_linear,
        "ratio": math.exp(slope.estimate) if slope else math.nan,
        "ratio_low": math.exp(slope.low) if slope else math.nan,
        "ratio_high": math.exp(slope.high) if slope else math.nan,
        "p": slope.p if slope else math.nan,
        "r_squared": line.r_squared if line and slope else math.nan,
        "supported": supported,
        "reason": model.reason or (line.reason if line else ""),
    }
