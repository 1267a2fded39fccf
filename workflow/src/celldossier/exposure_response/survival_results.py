"""Analysis results of the Cox models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from celldossier.exposure_response.plan import ModelOutcome
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector
from celldossier.stats import cox_diagnostics
from celldossier.stats.cox import hazard_ratio

if TYPE_CHECKING:
    from celldossier.exposure_response.survival_rows import SurvivalRows
    from celldossier.exposure_response.time_to_event import HazardResult

ANALYSES = {"COX": "cox", "COX_TIMEDEP": "cox_timedep"}
METHODS = {
    "ML": "Cox, Efron ties, profile likelihood CI, likelihood ratio test",
    "FIRTH": "Cox, Firth penalty, Efron ties, profile penalised likelihood CI and ratio test",
}
CODES = {"ML": "COX", "FIRTH": "COX_FIRTH"}
"""Codes of the methods in the plan."""
NAMES = (
    *("hr", "hr_low", "hr_high", "p", "log_hr", "se", "ph_p"),
    *("concordance", "concordance_se", "monotone"),
)


def collect_hazard(study: Study, result: HazardResult, out: ResultCollector) -> ModelOutcome:
    """Add a model to `cox` or `cox_timedep`; give its outcome to the plan."""
    cell, rows, fit = result.cell, result.rows, result.fit
    n = float(rows.stop.size)
    statistics: dict[str, float | str] = {
        "n": n,
        "events": float(result.events),
        "n_competing": count_competing(study, result),
        **rows.counts,
        **dict.fromkeys(NAMES, math.nan),
    }
    notes = dict.fromkeys(NAMES, result.reason) if result.reason else {}
    p = math.nan
    if fit:
        name = fit.coefficients[0].name
        slope = fit.coefficient(name)
        p = slope.p
        hazards = cox_diagnostics.test_proportional_hazards(fit)[name]
        concordance = cox_diagnostics.estimate_concordance(fit, result.subject)
        statistics |= {
            "hr": hazard_ratio(slope.estimate),
            "hr_low": hazard_ratio(slope.low),
            "hr_high": hazard_ratio(slope.high),
            "p": p,
            "log_hr": slope.estimate,
            "se": slope.se,
            "ph_p": hazards.p,
            "concordance": concordance.value,
            "concordance_se": concordance.se,
            "monotone": float(fit.monotone),
            "model": fit.method,
        }
        if fit.monotone:
            notes |= {"hr": "MONOTFIX"}
        notes |= {
            key: "OVERFLOW" if key.startswith("hr") else "CONSTANT"
            for key in NAMES
            if isinstance(value := statistics[key], float) and math.isnan(value)
        }
    out.add(
        ANALYSES[cell.model],
        statistics,
        dataset="ADEREND",
        variable=cell.endpoint.code,
        analyte=study.settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        n=n,
        method=METHODS[fit.method] if fit else "",
        notes=notes,
    )
    return ModelOutcome(
        cell,
        CODES[fit.method] if fit else "NONE",
        tuple(str(name) for name in rows.covariates.columns),
        int(n),
        float(result.events),
        p,
        result.reason,
    )


def count_competing(study: Study, result: HazardResult) -> float:
    """Subjects of a model whose observation was ended by an event that competes."""
    return float(_find_competing(study, result.cell.endpoint.code, result.rows).sum())


def _find_competing(study: Study, code: str, rows: SurvivalRows) -> np.ndarray:
    import pandas as pd

    endpoint = next(item for item in study.endpoints if item.code == code)
    key = pd.MultiIndex.from_frame(study.ader.loc[rows.subject, KEY])
    if endpoint.source == "resolution":
        data = study.sources.adaesi
        data = data.loc[(data["AESI"] == endpoint.resolution) & (data["WORSTFL"] == "Y")]
        competes = data["ADURRSN"] == "DIED"
    else:
        data = study.sources.adtte
        data = data.loc[data["PARAMCD"] == endpoint.time]
        competes = (data["CNSR"] > 0) & (data["EVENTCD"] != "")
    found = pd.Series(competes.to_numpy(dtype=bool), index=pd.MultiIndex.from_frame(data[KEY]))
    found = found[~found.index.duplicated()]
    return found.reindex(key).fillna(value=False).to_numpy(dtype=bool) & ~rows.event
