"""Repeated values of a marker: mixed models on the course of time and on exposure.

Two questions a marker: the concentration of the cells at the time of each value (CCURR), and a
metric of the whole profile with its interaction with time. Fixed effects: a spline of time and
the exposure; random effects of the subject.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.hazard import CURRENT
from celldossier.exposure_response.marker_values import select_marker_values
from celldossier.exposure_response.plan import (
    PRIMARY,
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    adjustment_variables,
    make_design,
)
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.discrete_hazard import make_baseline
from celldossier.stats.mixed_model import MixedModel, estimate_mixed_model
from celldossier.stats.predictors import is_constant

MODEL, METHOD, INTERACTION = "MIXED", "REML", "exposure by week"
DAYS_A_WEEK = 7.0


@dataclass(frozen=True)
class Repeated:
    """Values of a marker with their exposure, one row a value."""

    rows: pd.DataFrame
    """SUBJECT, TIME (days), LOGVALUE, X (log2 exposure), and the covariates."""
    covariates: tuple[str, ...]
    counts: dict[str, float]
    pct_below: float
    reason: str = ""


def plan_cells(study: Study) -> list[PlanCell]:
    """Repeated marker x current concentration or metric x adjustment."""
    settings = study.settings
    return [
        PlanCell(endpoint, metric, MODEL, adjustment, PRIMARY, "SECONDARY")
        for endpoint in study.of_kind("repeated")
        for metric in (CURRENT, settings.biomarkers.metrics[0])
        for adjustment in settings.adjustments
        if adjustment != "FULL"
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analysis `repeated`."""
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def select_values(study: Study, cell: PlanCell) -> Repeated:
    """Values of the marker of subjects with exposure and covariates."""
    settings = study.settings
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    known = (study.values(cell.endpoint).loc[population.index, "AVAL"] > 0).to_numpy()
    covariates, present = make_design(
        population.loc[known], adjustment_variables(cell.adjustment, settings)
    )
    kept = population.loc[present.index[present]]
    counts = {
        "n_er": float(len(population)),
        "n_nooutcome": float((~known).sum()),
        "n_nocovariate": float((~present).sum()),
    }
    values = select_marker_values(study.sources, cell.endpoint)
    who = pd.MultiIndex.from_frame(kept[KEY]).get_indexer(pd.MultiIndex.from_frame(values[KEY]))
    rows = values.assign(SUBJECT=who).loc[who >= 0].reset_index(drop=True)
    if cell.metric == CURRENT:
        exposure = _concurrent(study, kept, rows)
    else:
        exposure = kept[cell.metric].to_numpy(dtype=float)[rows["SUBJECT"].to_numpy()]
    usable = (exposure > 0) & (rows["VALUE"] > 0).to_numpy()
    used = rows.loc[usable]
    subject = used["SUBJECT"].to_numpy()
    table = pd.DataFrame(
        {
            "SUBJECT": subject,
            "TIME": used["AFRLT"].to_numpy(dtype=float),
            "LOGVALUE": np.log(used["VALUE"].to_numpy(dtype=float)),
            "X": np.log2(exposure[usable]),
        }
    )
    names: list[str] = []
    for name in covariates.columns.astype(str):
        column = covariates[name].loc[kept.index].to_numpy(dtype=float)[subject]
        if column.size and np.ptp(column) > 0:
            table[name] = column
            names.append(name)
    counts |= {
        "n": float(table["SUBJECT"].nunique()),
        "n_noexposure": float(len(kept) - table["SUBJECT"].nunique()),
        "values": float(len(table)),
        "values_noexposure": float(len(rows) - len(table)),
    }
    reason = ""
    if population.empty or not known.any():
        reason = "NOTCOLL"
    elif table.empty:
        reason = "NOSUBJ"
    elif cell.adjustment != "UNADJUSTED" and not names:
        reason = "NOCOVAR"
    below = 100 * float(used["BLQ"].mean()) if len(used) else math.nan
    return Repeated(table, tuple(names), counts, below, reason)


def _concurrent(
    study: Study, kept: pd.DataFrame, rows: pd.DataFrame
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Concentration of the cells nearest in time to each value, half the limit if below it."""
    settings = study.settings
    adpc = study.sources.adpc
    samples = adpc.loc[
        (adpc["PARAMCD"] == settings.analyte) & (adpc["ANL01FL"] == "Y") & (adpc["AFRLT"] > 0)
    ]
    value = samples["AVAL"].mask(samples["BLQFL"] == "Y", samples["ALLOQ"] / 2)
    who = pd.MultiIndex.from_frame(kept[KEY]).get_indexer(pd.MultiIndex.from_frame(samples[KEY]))
    right = pd.DataFrame({"SUBJECT": who, "AFRLT": samples["AFRLT"], "C": value})
    right = right.loc[(right["SUBJECT"] >= 0) & right["C"].notna()].sort_values("AFRLT")
    left = rows[["SUBJECT", "AFRLT"]].reset_index().sort_values("AFRLT")
    nearest = pd.merge_asof(
        left.astype({"SUBJECT": "int64"}),
        right.astype({"SUBJECT": "int64"}),
        on="AFRLT",
        by="SUBJECT",
        direction="nearest",
        tolerance=settings.biomarkers.concurrent_window,  # type: ignore[arg-type]
    )
    return nearest.set_index("index")["C"].reindex(rows.index).to_numpy(dtype=float)


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    settings = study.settings
    chosen = select_values(study, cell)
    reason = chosen.reason or _refuse(chosen, settings)
    fit: MixedModel | None = None
    if not reason:
        fit = _fit(chosen, cell.metric != CURRENT, settings)
        reason = "" if fit.reason == "SINGULAR" and fit.random == "INTERCEPT" else fit.reason
    if reason:
        fit = None
    names = ("ratio", "ratio_low", "ratio_high", "p", "log_ratio", "se", "df")
    statistics: dict[str, float | str] = dict.fromkeys(names, math.nan)
    if fit:
        effect = fit.effect(EXPOSURE)
        statistics |= {
            "ratio": math.exp(effect.estimate),
            "ratio_low": math.exp(effect.low),
            "ratio_high": math.exp(effect.high),
            "p": effect.p,
            "log_ratio": effect.estimate,
            "se": effect.se,
            "df": effect.df,
        }
    change = ("change", "change_low", "change_high", "p_change")
    statistics |= dict.fromkeys(change, math.nan)
    if fit and cell.metric != CURRENT:
        effect = fit.effect(INTERACTION)
        statistics |= {
            "change": math.exp(effect.estimate),
            "change_low": math.exp(effect.low),
            "change_high": math.exp(effect.high),
            "p_change": effect.p,
        }
    spread = ("sd_intercept", "sd_slope", "correlation", "sd_residual")
    statistics |= {name: getattr(fit, name) if fit else math.nan for name in spread}
    notes = {
        name: reason or ("SINGULAR" if name in ("sd_slope", "correlation") else "NOTAPPL")
        for name, value in statistics.items()
        if isinstance(value, float) and math.isnan(value)
    }
    statistics |= {
        "random": fit.random if fit else "NONE",
        **chosen.counts,
        "pct_below": chosen.pct_below,
    }
    if math.isnan(chosen.pct_below):
        notes["pct_below"] = chosen.reason or "NOSUBJ"
    if fit and fit.reason == "SINGULAR":
        notes["sd_intercept"] = "SINGULAR"
    out.add(
        "repeated",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        units={"pct_below": "%"},
        n=chosen.counts["n"],
        method="linear mixed model of ln(marker), REML, t interval" if fit else "",
        notes=notes,
    )
    return ModelOutcome(
        cell,
        METHOD if fit else "NONE",
        chosen.covariates,
        int(chosen.counts["n"]),
        chosen.counts["values"],
        fit.effect(EXPOSURE).p if fit else math.nan,
        reason,
    )


def _refuse(chosen: Repeated, settings: ExposureResponseSettings) -> str:
    rules = settings.biomarkers
    if chosen.rows["SUBJECT"].nunique() < rules.min_subjects:
        return "FEWSUBJ"
    if chosen.pct_below > 100 * rules.max_blq_share:
        return "BLQSHARE"
    exposure = chosen.rows["X"].to_numpy(dtype=float)
    if is_constant(exposure):
        return "CONSTANT"
    return ""


def _fit(chosen: Repeated, interaction: bool, settings: ExposureResponseSettings) -> MixedModel:
    """The model with the random effects of the settings; where singular, the intercept alone."""
    rows, rules = chosen.rows, settings.biomarkers
    time = rows["TIME"].to_numpy(dtype=float)
    x = rows["X"].to_numpy(dtype=float)
    spline = make_baseline(time, np.ones(time.size), rules.time_df, "SPLINE")
    columns = [np.ones((time.size, 1)), x[:, None], rows[list(chosen.covariates)].to_numpy(float)]
    names = ["(Intercept)", EXPOSURE, *chosen.covariates]
    columns.append(spline)
    names += [f"time {j + 1}" for j in range(spline.shape[1])]
    if interaction:
        # Centred: the effect of exposure is that at the mean time of the values.
        columns.append(((x - x.mean()) * (time - time.mean()) / DAYS_A_WEEK)[:, None])
        names.append(INTERACTION)
    design = np.column_stack(columns)
    estimate = partial(
        estimate_mixed_model,
        rows["LOGVALUE"].to_numpy(dtype=float),
        rows["SUBJECT"].to_numpy(),
        design,
        names,
        level=settings.confidence_level,
    )
    if rules.random_effects == "INTERCEPT_SLOPE":
        found = estimate(time)
        if found.reason not in ("SINGULAR", "NOCONV"):
            return found
    return estimate()
