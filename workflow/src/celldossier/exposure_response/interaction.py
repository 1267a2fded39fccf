"""Interaction of exposure with tumour burden and with indication, in the primary pairs.

The exposure and a continuous modifier are centred, so that the odds ratio that belongs to
the exposure is that at a named value of the modifier: the same model is written once for
each value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.model_rows import (
    add_columns,
    fit_model,
    keep_subjects,
    list_primary_cells,
)
from celldossier.exposure_response.odds import METHODS, ODDS, describe_odds
from celldossier.exposure_response.plan import (
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    Selection,
    make_design,
    select_subjects,
)
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import TUMOUR_BURDEN
from celldossier.stats.logistic import LogisticFit, odds_ratio

MODEL = "INTERACTION"
PRODUCT = "exposure x "


@dataclass(frozen=True)
class _Interaction:
    """The predictors of one interaction model; `reason` says why there is none."""

    chosen: Selection
    modifier: str
    values: pd.Series
    """Modifier of each subject: numbers, or names of levels."""
    reason: str = ""

    def products(self, at: float | str) -> pd.DataFrame:
        """Products that vanish at a value of the modifier."""
        x = self.chosen.exposure - float(self.chosen.exposure.mean())
        if isinstance(at, str):
            levels = [name for name in sorted(set(self.values)) if name != at]
            return pd.DataFrame(
                {f"{PRODUCT}{name}": x * (self.values == name).to_numpy() for name in levels}
            )
        return pd.DataFrame({f"{PRODUCT}{self.modifier}": x * (self.values.to_numpy() - at)})


def plan_cells(study: Study) -> list[PlanCell]:
    """One cell for each primary pair and modifier, all secondary."""
    return [
        PlanCell(
            cell.endpoint,
            cell.metric,
            f"{MODEL}_{modifier}",
            cell.adjustment,
            cell.population,
            "SECONDARY",
            cell.unknown,
        )
        for cell in list_primary_cells(study)
        for modifier in study.settings.confounding.modifiers
    ]


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analyses `interaction` and `interaction_level`."""
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    modifier = cell.model.removeprefix(f"{MODEL}_")
    model = _prepare(study, cell, modifier)
    chosen = model.chosen
    fit, reason = None, model.reason
    ratio = low = high = p = math.nan
    if not reason:
        at: float | str = (
            float(model.values.mean()) if modifier == TUMOUR_BURDEN else _commonest(model.values)
        )
        products = model.products(at)
        names = [str(name) for name in products.columns]
        single = len(names) == 1
        fit, reason = fit_model(study, chosen, products, names if single else [EXPOSURE])
        if fit and single:
            item = fit.coefficient(names[0])
            ratio, low, high = (odds_ratio(v) for v in (item.estimate, item.low, item.high))
            p = item.p
        elif fit:
            p = _test_jointly(fit, names)
    notes = {}
    for name, value in (("ratio", ratio), ("ratio_low", low), ("ratio_high", high)):
        if math.isnan(value):
            notes[name] = reason or ("SEVLEVELS" if modifier != TUMOUR_BURDEN else "OVERFLOW")
    if math.isnan(p):
        notes["p"] = reason
    by = {"metric": cell.metric, "modifier": modifier}
    where = "ERFL = Y"
    statistics: dict[str, float | str] = {
        "n": float(chosen.event.size),
        "events": float(chosen.event.sum()),
        "ratio": ratio,
        "ratio_low": low,
        "ratio_high": high,
        "p": p,
        "model": fit.method if fit else "NONE",
    }
    out.add(
        "interaction",
        statistics,
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=study.settings.analyte,
        by=by,
        where=where,
        n=float(chosen.event.size),
        method=METHODS[fit.method] if fit else "",
        notes=notes,
    )
    for level, at_value in _levels(study, model).items():
        _add_level(study, cell, model, level, at_value, reason, out)
    return ModelOutcome(
        cell,
        fit.method if fit else "NONE",
        tuple(chosen.covariates.columns),
        chosen.event.size,
        float(chosen.event.sum()),
        p,
        reason,
    )


def _prepare(study: Study, cell: PlanCell, modifier: str) -> _Interaction:
    chosen = select_subjects(study, cell)
    values = study.ader.loc[chosen.subjects, modifier]
    known = values.notna() & (values.astype(str) != "")
    if chosen.reason or not known.any():
        return _Interaction(chosen, modifier, values, chosen.reason or "NOTCOLL")
    chosen, values = keep_subjects(chosen, known), values[known].reset_index(drop=True)
    if values.nunique() < 2:
        return _Interaction(chosen, modifier, values, "ONELEVEL")
    if modifier != TUMOUR_BURDEN:
        counts = values.value_counts()
        if counts.min() < study.settings.min_per_level:
            return _Interaction(chosen, modifier, values, "FEWLEVEL")
    columns, _ = make_design(study.ader.loc[chosen.subjects], (modifier,))
    return _Interaction(add_columns(chosen, columns), modifier, values)


def _commonest(values: pd.Series) -> str:
    counts = values.value_counts()
    return min((str(name) for name in counts.index), key=lambda name: (-counts[name], name))


def _levels(study: Study, model: _Interaction) -> dict[str, float | str]:
    """Name of each level to the value of the modifier there."""
    if model.modifier == TUMOUR_BURDEN:
        quantiles = study.settings.confounding.burden_quantiles
        values = model.values.to_numpy(dtype=float)
        known = values[~np.isnan(values)]
        return {
            f"Q{100 * q:g}": float(np.quantile(known, q)) if known.size else math.nan
            for q in quantiles
        }
    return {name: name for name in sorted(set(model.values.astype(str)) - {""})}


def _add_level(
    study: Study,
    cell: PlanCell,
    model: _Interaction,
    level: str,
    at: float | str,
    reason: str,
    out: ResultCollector,
) -> None:
    """Odds ratio per doubling at one value of the modifier."""
    chosen, fit = model.chosen, None
    if not reason:
        # The reference level has no column of its own; any parameterisation is one model.
        fit, reason = fit_model(study, chosen, model.products(at))
    statistics, notes = describe_odds(
        fit.coefficient(EXPOSURE) if fit else None, reason, bool(fit and fit.separation)
    )
    statistics = {name: statistics[name] for name in ODDS if name != "p"}
    within = (
        (model.values == at).to_numpy()
        if isinstance(at, str)
        else np.ones(chosen.event.size, dtype=bool)
    )
    if not isinstance(at, str):
        statistics["at"] = at
        if math.isnan(at):
            notes["at"] = reason
    n = float(within[: chosen.event.size].sum())
    out.add(
        "interaction_level",
        {"n": n, "events": float(chosen.event[within[: chosen.event.size]].sum()), **statistics},
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=study.settings.analyte,
        by={"metric": cell.metric, "modifier": model.modifier, "level": level},
        where="ERFL = Y",
        n=float(chosen.event.size),
        method=METHODS[fit.method] if fit else "",
        notes={name: code for name, code in notes.items() if name in statistics},
    )


def _test_jointly(fit: LogisticFit, products: Sequence[str]) -> float:
    """Wald's test that all products are 0, for a modifier of more than two levels."""
    from scipy.special import chdtrc

    names = [item.name for item in fit.coefficients]
    places = [names.index(name) for name in products]
    estimate = np.array([fit.coefficients[j].estimate for j in places])
    covariance = np.asarray(fit.covariance)[np.ix_(places, places)]
    return float(chdtrc(len(places), float(estimate @ np.linalg.solve(covariance, estimate))))
