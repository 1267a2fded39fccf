"""Exposure against dose: power model, verdict on proportionality, rank correlation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.exposure_response.dose_metrics import UNIT_VARIABLES
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import TUMOUR_BURDEN
from celldossier.stats.power_model import (
    PowerModel,
    SlopeTest,
    estimate_power_model,
    test_common_slope,
)
from celldossier.stats.power_model_curve import predict_power_curves
from celldossier.stats.rank_correlation import RankCorrelation, estimate_rank_correlation

ALL, TUMOUR, INDICATION, STUDY = "ALL", "TUMOUR_BURDEN", "INDIC", "STUDYID"
"""Levels of the key `analysis`; TUMOUR_BURDEN is adjusted for it."""

CURVE = "exposure_response.dose_exposure"
REFERENCE = "exposure_response.dose_proportional"

FITTED = (
    *("slope", "slope_low", "slope_high", "slope_se", "p_zero", "p_one", "r2", "dose_ratio"),
    *("region_low", "region_high", "rdnm", "rdnm_low", "rdnm_high", "max_ratio"),
)
RANKED = ("rho", "rho_low", "rho_high", "rho_p")


@dataclass(frozen=True)
class DosePairs:
    """The subjects of an analysis, and those who are not in it, by reason.

    Attributes
    ----------
    rows
        Rows of ADER with dose and exposure above 0 (and the covariate, if any).
    ranked
        Rows with dose and exposure, those with an exposure of 0 (never quantifiable)
        among them: a rank needs no logarithm.
    counts
        n_er = n + n_nodose + n_noexposure + n_blq + n_nocovariate.
    """

    rows: pd.DataFrame
    ranked: pd.DataFrame
    counts: dict[str, float]


def select_pairs(ader: pd.DataFrame, metric: str, dose: str, covariate: str = "") -> DosePairs:
    """Subjects of the E-R population (rows of ADER) with dose, exposure and covariate."""
    counts = {"n_er": float(len(ader))}
    has_exposure = ader[metric].notna()
    steps = {
        "n_nodose": ader[dose] > 0,
        "n_noexposure": has_exposure,
        "n_blq": ader[metric] > 0,
        "n_nocovariate": ader[covariate].notna() if covariate else has_exposure,
    }
    kept = pd.Series(True, index=ader.index)
    for name, keep in steps.items():
        counts[name] = float((kept & ~keep).sum())
        kept &= keep
    ranked = ader.loc[steps["n_nodose"] & has_exposure]
    return DosePairs(ader.loc[kept], ranked, {"n": float(kept.sum()), **counts})


def collect_dose_exposure(study: Study, out: ResultCollector) -> list[Mapping[str, object]]:
    """Add `dose_exposure` and `dose_exposure_test`; give the lines of the fits.

    Each exposure metric against each dose metric, in all subjects with an intercept for
    each study; the first dose metric also adjusted for tumour burden, by indication and,
    where there are several, by study, with a test of one slope for all.

    Returns
    -------
    list of mapping
        Rows of CURVES: `exposure_response.dose_exposure/<METRIC>/<DOSE>`, a series a
        study, x the dose, y the geometric mean of the exposure with its band; and
        `exposure_response.dose_proportional/...`, the line of slope 1 beside it.
    """
    settings = study.settings.dose_exposure
    curves: list[Mapping[str, object]] = []
    for dose in settings.metrics:
        for metric in study.settings.metrics:
            _add_model(study, metric, dose, ALL, ALL, out)
            curves += _curves(study, metric, dose)
            if dose == settings.metrics[0]:
                _add_sensitivities(study, metric, dose, out)
    return curves


def _population(study: Study) -> pd.DataFrame:
    return study.ader.loc[study.ader["ERFL"] == "Y"]


def _add_sensitivities(study: Study, metric: str, dose: str, out: ResultCollector) -> None:
    asked = study.settings.dose_exposure.sensitivities
    if TUMOUR in asked:
        _add_model(study, metric, dose, TUMOUR, ALL, out)
    # Where there is one study, or one indication, its slope is the one of all.
    for variable in (STUDY, INDICATION):
        levels = sorted(set(_population(study)[variable]) - {""})
        if len(levels) > 1 and (variable == STUDY or variable in asked):
            for level in levels:
                _add_model(study, metric, dose, variable, level, out)
            _add_common_slope(study, metric, dose, variable, out)


def _add_model(
    study: Study, metric: str, dose: str, analysis: str, level: str, out: ResultCollector
) -> None:
    settings = study.settings.dose_exposure
    population = _population(study)
    if analysis in (STUDY, INDICATION):
        population = population.loc[population[analysis] == level]
    covariate = TUMOUR_BURDEN if analysis == TUMOUR else ""
    pairs = select_pairs(population, metric, dose, covariate)
    rows = pairs.rows
    refusal = _refuse(study, population, dose, covariate)
    model = PowerModel(len(rows), 0, 0, reason=refusal)
    rank = RankCorrelation(len(pairs.ranked), reason=refusal)
    if not refusal:
        model = estimate_power_model(
            rows[metric],
            rows[dose],
            rows["STUDYID"],
            settings.confidence_level,
            settings.limits,
            rows[covariate] if covariate else None,
        )
        rank = estimate_rank_correlation(
            pairs.ranked[dose], pairs.ranked[metric], settings.rank_confidence_level
        )
    statistics: dict[str, float | str] = {
        **pairs.counts,
        "n_studies": float(rows["STUDYID"].nunique()),
        "dose_min": float(rows[dose].min()) if len(rows) else math.nan,
        "dose_max": float(rows[dose].max()) if len(rows) else math.nan,
        **dict(zip(FITTED, _fitted(model), strict=True)),
        "verdict": model.verdict if math.isfinite(model.low) else math.nan,
    }
    missing = model.reason or "OVERFLOW"
    notes = {name: missing for name, value in statistics.items() if _is_missing(value)}
    notes |= {name: refusal or "NOSUBJ" for name in ("dose_min", "dose_max") if name in notes}
    if model.reason == "NARROW":
        notes["verdict"] = "NARROW"
    if not covariate:
        ranked = dict(zip(RANKED, (rank.rho, rank.low, rank.high, rank.p), strict=True))
        statistics |= {"n_rank": float(rank.n), **ranked}
        notes |= {name: rank.reason for name, value in ranked.items() if _is_missing(value)}
    units = {name: study.units.get(dose, "") for name in ("dose_min", "dose_max")}
    out.add(
        "dose_exposure",
        statistics,
        dataset="ADER",
        variable=metric,
        analyte=study.settings.analyte,
        by={"dose_metric": dose, "analysis": analysis, "level": level},
        where=f"ERFL = Y and {metric} > 0 and {dose} > 0",
        units=units,
        n=float(len(rows)),
        method=(
            "least squares of ln exposure on ln dose, an intercept for each study; Spearman, "
            "Fisher's transformation with the standard error of Bonett and Wright"
        ),
        notes=notes,
    )


def _refuse(study: Study, population: pd.DataFrame, dose: str, covariate: str) -> str:
    if population[dose].isna().all():
        return "NOTCOLL"
    if dose in UNIT_VARIABLES and not study.units.get(dose):
        return "MIXUNIT"
    if covariate and population[covariate].nunique() < 2:
        return "NOCOVAR"
    return ""


def _fitted(model: PowerModel) -> Iterator[float]:
    yield from (model.slope, model.low, model.high, model.se, model.p_zero, model.p_one)
    yield from (model.r_squared, model.dose_ratio, *model.region)
    yield from (model.normalised_ratio, model.normalised_low, model.normalised_high)
    yield model.maximal_ratio


def _is_missing(value: float | str) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _add_common_slope(
    study: Study, metric: str, dose: str, variable: str, out: ResultCollector
) -> None:
    """Add the test that all levels of the variable have one slope, each its intercept."""
    population = _population(study)
    population = population.loc[population[variable] != ""]
    refusal = _refuse(study, population, dose, "")
    rows = select_pairs(population, metric, dose).rows
    found = SlopeTest(math.nan, 0, 0, math.nan, refusal)
    if not refusal:
        found = test_common_slope(rows[metric], rows[dose], rows[variable])
    statistics = {
        "n": float(len(rows)),
        "n_levels": float(rows[variable].nunique()),
        "f": found.statistic,
        "df": float(found.df),
        "df_residual": float(found.df_residual),
        "p": found.p,
    }
    out.add(
        "dose_exposure_test",
        statistics,
        dataset="ADER",
        variable=metric,
        analyte=study.settings.analyte,
        by={"dose_metric": dose, "analysis": variable},
        where=f"ERFL = Y and {metric} > 0 and {dose} > 0",
        n=float(len(rows)),
        method="F test of one slope against a slope for each level",
        notes={name: found.reason for name in ("f", "p")} if found.reason else {},
    )


def _curves(study: Study, metric: str, dose: str) -> list[Mapping[str, object]]:
    population = _population(study)
    if _refuse(study, population, dose, ""):
        return []
    rows = select_pairs(population, metric, dose).rows
    level = study.settings.dose_exposure.confidence_level
    found = predict_power_curves(rows[metric], rows[dose], rows["STUDYID"], level)
    common = {
        "kind": "fit",
        "x_unit": study.units.get(dose, ""),
        "y_unit": study.units.get(metric, ""),
    }
    rows_of_curves: list[Mapping[str, object]] = []
    for curve in found:
        own = common | {"series": curve.study, "n": float(curve.n)}
        lines = zip(
            np.exp(curve.ln_dose),
            np.exp(curve.ln_mean),
            np.exp(curve.ln_low),
            np.exp(curve.ln_high),
            np.exp(curve.ln_proportional),
            strict=True,
        )
        for x, y, low, high, proportional in lines:
            fit = {"curve_id": f"{CURVE}/{metric}/{dose}", "y": y, "low": low, "high": high}
            reference = {"curve_id": f"{REFERENCE}/{metric}/{dose}", "y": proportional}
            rows_of_curves += [own | {"x": x} | fit, own | {"x": x} | reference]
    return rows_of_curves
