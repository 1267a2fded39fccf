"""Sensitivity analyses of the primary models: the same question, asked in another way.

=================== ==================================================================
population          what differs from the primary model
=================== ==================================================================
OTHER_ANALYTE       exposure of the other analyte, such as flow cytometry
OUTLIER_REMOVED     without subjects far from the median of log2 exposure
STRATIFIED_SITEID   subjects compared within a clinical site (conditional model)
STRATIFIED_MFGSITE  subjects compared within a manufacturing site (conditional model)
RANK                rank of the exposure, also of subjects that were never quantifiable
DOSE_IN_WINDOW      without subjects with an infusion outside the dose window
PER_BURDEN          ratio of exposure to tumour burden
=================== ==================================================================

Unknown responses and half the LLOQ are cells of the binary family. There is no indicator of
subjects below the limit: it separates them by construction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from celldossier.exposure_response import odds
from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.exposure_response.dose_metrics import list_doses
from celldossier.exposure_response.endpoint_values import derive_event
from celldossier.exposure_response.model_rows import (
    add_columns,
    fit_model,
    keep_subjects,
    list_primary_cells,
)
from celldossier.exposure_response.odds import describe_odds
from celldossier.exposure_response.plan import (
    FamilyOutput,
    ModelOutcome,
    PlanCell,
    Selection,
    adjustment_variables,
    make_design,
    select_subjects,
)
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector
from celldossier.stats.cox import estimate_cox
from celldossier.stats.logistic import Coefficient

CONDITIONAL = "CONDITIONAL"
OTHER_ANALYTE, OUTLIER, RANK, PER_BURDEN, IN_WINDOW = (
    "OTHER_ANALYTE", "OUTLIER_REMOVED", "RANK", "PER_BURDEN", "DOSE_IN_WINDOW",
)  # fmt: skip
STRATIFIED = "STRATIFIED_"
MAD_SCALE = 1.4826
"""Makes the median absolute deviation estimate the standard deviation of a normal variable."""
METHODS = {
    **odds.METHODS,
    CONDITIONAL: "conditional logistic, profile likelihood CI, likelihood ratio test",
}


def plan_cells(study: Study) -> list[PlanCell]:
    """Each primary model in each other way, as the settings ask for."""
    settings = study.settings
    populations = [OTHER_ANALYTE, OUTLIER, RANK, IN_WINDOW]
    populations += [f"{STRATIFIED}{name}" for name in settings.sensitivity.strata]
    cells = []
    for cell in list_primary_cells(study):
        for population in populations:
            model = CONDITIONAL if population.startswith(STRATIFIED) else cell.model
            cells.append(replace(cell, model=model, population=population, role="SENSITIVITY"))
        if settings.confounding.exposure_to_burden:
            cells.append(
                replace(cell, adjustment="UNADJUSTED", population=PER_BURDEN, role="SENSITIVITY")
            )
    return cells


def run_cells(study: Study, cells: Sequence[PlanCell], out: ResultCollector) -> FamilyOutput:
    """Run the cells; add the analysis `sensitivity`."""
    return FamilyOutput([_run_cell(study, cell, out) for cell in cells])


def _run_cell(study: Study, cell: PlanCell, out: ResultCollector) -> ModelOutcome:
    reference = select_subjects(study, replace(cell, population="PRIMARY"))
    strata = None
    if cell.population == OTHER_ANALYTE:
        chosen = _take_other_analyte(study, cell, reference)
    elif cell.population == OUTLIER:
        chosen = _leave_outliers(study, reference)
    elif cell.population == RANK:
        chosen = _rank(study, cell)
    elif cell.population == IN_WINDOW:
        chosen = _leave_doses_outside(study, reference)
    elif cell.population == PER_BURDEN:
        chosen = _divide_by_burden(study, reference)
    else:
        chosen, strata = _stratify(study, cell, reference)
    item: Coefficient | None = None
    separated = False
    method = "NONE"
    if strata is not None:
        item, reason = _fit_conditionally(study, chosen, strata)
        method = CONDITIONAL if item else "NONE"
    else:
        fit, reason = fit_model(study, chosen)
        if fit:
            item, method, separated = fit.coefficient(EXPOSURE), fit.method, fit.separation
    described, notes = describe_odds(item, reason, separated)
    n, events = float(chosen.event.size), float(chosen.event.sum())
    out.add(
        "sensitivity",
        {
            "n": n,
            "events": events,
            "n_primary": float(reference.event.size),
            **described,
            "model": method,
        },
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=study.settings.analyte,
        by=cell.by,
        where="ERFL = Y",
        n=n,
        method=METHODS.get(method, ""),
        notes=notes,
    )
    return ModelOutcome(
        cell,
        method,
        tuple(chosen.covariates.columns),
        int(n),
        events,
        item.p if item else math.nan,
        reason,
    )


def _source(study: Study, chosen: Selection, variable: str) -> pd.Series:
    """A variable of ADSL for the subjects of a selection, in their order."""
    rows = pd.MultiIndex.from_frame(study.ader.loc[chosen.subjects, KEY])
    values = study.sources.adsl.drop_duplicates(KEY).set_index(KEY)[variable].reindex(rows)
    return pd.Series(values.to_numpy())


def _select_all(study: Study, cell: PlanCell, exposure: pd.Series) -> Selection:
    """Subjects with outcome, covariates and an exposure given in the rows of ADER.

    The exposure is taken as it is; a missing one leaves the subject out.
    """
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    event = derive_event(study.values(cell.endpoint).loc[population.index], cell.unknown)
    kept = population.loc[event.notna() & exposure.loc[population.index].notna()]
    variables = adjustment_variables(cell.adjustment, study.settings)
    covariates, present = make_design(kept, variables)
    used = kept.loc[present].index
    reason = ""
    if event.isna().all() or exposure.loc[population.index].isna().all():
        reason = "NOTCOLL"
    elif used.empty:
        reason = "NOSUBJ"
    elif variables and covariates.shape[1] == 0:
        reason = "NOCOVAR"
    return Selection(
        event=event.loc[used].to_numpy(dtype=float),
        exposure=exposure.loc[used].to_numpy(dtype=float),
        covariates=covariates.loc[present].reset_index(drop=True),
        counts={},
        reason=reason,
        subjects=used,
    )


def _take_other_analyte(study: Study, cell: PlanCell, reference: Selection) -> Selection:
    analyte = study.settings.sensitivity.other_analyte
    adpp = study.sources.adpp
    rows = adpp.loc[
        (adpp["PARCAT1"] == analyte)
        & (adpp["PROFTYP"] == "COURSE")
        & (adpp["PARAMCD"] == cell.metric)
    ]
    values = rows.set_index(KEY)["AVAL"].reindex(pd.MultiIndex.from_frame(study.ader[KEY]))
    exposure = pd.Series(values.to_numpy(dtype=float), index=study.ader.index)
    if analyte == study.settings.analyte:
        return replace(reference, reason="SAMEANAL")
    return _select_all(study, cell, exposure.where(exposure > 0).map(math.log2, na_action="ignore"))


def _leave_outliers(study: Study, reference: Selection) -> Selection:
    x = reference.exposure
    if reference.reason or x.size == 0:
        return reference
    distance = np.abs(x - np.median(x))
    spread = MAD_SCALE * float(np.median(distance))
    far = distance > study.settings.sensitivity.outlier_limit * spread
    if spread <= 0 or not far.any():
        return replace(reference, reason="NOOUTLIER")
    return keep_subjects(reference, ~far)


def _leave_doses_outside(study: Study, reference: Selection) -> Selection:
    """Without subjects of whom an infusion of the first course lies outside the dose window."""
    if reference.reason:
        return reference
    doses = list_doses(study.sources.adex)
    judged = doses.loc[doses["INWINFL"] != ""]
    if judged.empty:
        return replace(reference, reason="NODOSEWIN")
    out = pd.MultiIndex.from_frame(judged.loc[judged["INWINFL"] == "N", KEY])
    outside = pd.MultiIndex.from_frame(study.ader.loc[reference.subjects, KEY]).isin(out)
    if not outside.any():
        return replace(reference, reason="NOOUTDOSE")
    return keep_subjects(reference, ~outside)


def _rank(study: Study, cell: PlanCell) -> Selection:
    """Mid-ranks over their number, in quarters: a unit is a quarter of the subjects."""
    from scipy.stats import rankdata

    chosen = _select_all(study, cell, study.ader[cell.metric])
    if chosen.reason:
        return chosen
    return replace(chosen, exposure=4 * rankdata(chosen.exposure) / chosen.exposure.size)


def _divide_by_burden(study: Study, reference: Selection) -> Selection:
    """log2 of exposure over burden; units of burden are levels of a covariate."""
    burden = _source(study, reference, "TBURDBL").to_numpy(dtype=float)
    unit = _source(study, reference, "TBURDU").fillna("")
    known = np.isfinite(burden) & (burden > 0)
    if reference.reason or not known.any():
        return replace(reference, reason=reference.reason or "NOTCOLL")
    ratio = reference.exposure - np.log2(np.where(known, burden, 1.0))
    chosen = keep_subjects(replace(reference, exposure=ratio), known)
    units = unit[known].reset_index(drop=True)
    # Within a unit, so that units far apart do not make ratio and unit collinear; the
    # coefficient of the ratio is the same.
    centred = chosen.exposure - pd.Series(chosen.exposure).groupby(units).transform("mean")
    columns, _ = make_design(pd.DataFrame({"TBURDU": units}), ("TBURDU",))
    return add_columns(replace(chosen, exposure=centred.to_numpy(dtype=float)), columns)


def _stratify(
    study: Study, cell: PlanCell, reference: Selection
) -> tuple[Selection, pd.Series | None]:
    """Subjects of strata in which both outcomes occur; the others say nothing in this model."""
    variable = cell.population.removeprefix(STRATIFIED)
    stratum = _source(study, reference, variable).fillna("")
    if reference.reason:
        return reference, None
    known = stratum != ""
    if not known.any():
        return replace(reference, reason="NOTCOLL"), None
    if stratum[known].nunique() < 2:
        return replace(reference, reason="ONELEVEL"), None
    rate = pd.Series(reference.event).groupby(stratum).transform("mean")
    informative = known & (rate > 0) & (rate < 1)
    return keep_subjects(reference, informative), stratum[informative].reset_index(drop=True)


def _fit_conditionally(
    study: Study, chosen: Selection, strata: pd.Series
) -> tuple[Coefficient | None, str]:
    """Conditional logistic model: the exact partial likelihood of one common time.

    References
    ----------
    Breslow NE, Day NE (1980), Statistical Methods in Cancer Research I, chapter 7, IARC; the
    identity with the exact (discrete) partial likelihood: Cox DR (1972).
    """
    from celldossier.exposure_response.binary_fits import refuse_model

    settings = study.settings
    reason = chosen.reason or refuse_model(chosen, settings)
    if reason:
        return None, reason
    design = np.column_stack([chosen.exposure, chosen.covariates.to_numpy(dtype=float)])
    fit = estimate_cox(
        np.ones(chosen.event.size),
        chosen.event == 1,
        design,
        [EXPOSURE, *chosen.covariates.columns],
        stratum=strata,
        ties="EXACT",
        level=settings.confidence_level,
        tested=[EXPOSURE],
    )
    if fit.reason:
        return None, "SEPAR" if fit.reason == "MONOTONE" else fit.reason
    found = fit.coefficient(EXPOSURE)
    if found.reason:
        return None, found.reason
    return Coefficient(EXPOSURE, found.estimate, found.se, found.low, found.high, found.p), ""
