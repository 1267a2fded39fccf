"""Logistic models beside those of the plan: the subjects of a cell, with other predictors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from celldossier.exposure_response.binary import MODEL
from celldossier.exposure_response.binary_fits import EXPOSURE, refuse_model
from celldossier.exposure_response.plan import PRIMARY, PlanCell, Selection, find_role
from celldossier.exposure_response.study import Study
from celldossier.stats.logistic import (
    LogisticFit,
    choose_method,
    estimate_logistic,
)

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]


def list_primary_cells(study: Study) -> list[PlanCell]:
    """The primary models of the binary endpoints, in the order of the endpoints."""
    settings = study.settings
    cells = []
    for endpoint in study.of_kind("binary"):
        rule = settings.unknown_response[0] if endpoint.unknown_response else "EXCLUDED"
        for metric in settings.metrics:
            role = find_role(metric, endpoint, settings.primary_adjustment, study)
            if role == "PRIMARY":
                cells.append(
                    PlanCell(
                        endpoint, metric, MODEL, settings.primary_adjustment, PRIMARY, role, rule
                    )
                )
    return cells


def keep_subjects(chosen: Selection, kept: ArrayLike) -> Selection:
    """The selection without the subjects that are not kept; columns that are constant go too."""
    mask = np.asarray(kept, dtype=bool)
    covariates = chosen.covariates.loc[mask].reset_index(drop=True)
    covariates = covariates[covariates.columns[covariates.nunique() > 1]]
    left = int(mask.sum())
    return replace(
        chosen,
        event=chosen.event[mask],
        exposure=chosen.exposure[mask],
        covariates=covariates,
        subjects=chosen.subjects[mask],
        reason=chosen.reason or ("" if left else "NOSUBJ"),
    )


def add_columns(chosen: Selection, columns: pd.DataFrame) -> Selection:
    """The selection with further predictors beside the exposure, rows in its order."""
    new = columns.reset_index(drop=True)
    new = new[[name for name in new.columns if name not in chosen.covariates.columns]]
    return replace(chosen, covariates=pd.concat([chosen.covariates, new], axis=1))


def fit_model(
    study: Study,
    chosen: Selection,
    products: pd.DataFrame | None = None,
    tested: Sequence[str] = (EXPOSURE,),
) -> tuple[LogisticFit | None, str]:
    """Fit a logistic model by the rules of the plan, or say why not.

    Parameters
    ----------
    chosen
        Outcome, exposure and covariates; the rules of the plan hold for them.
    products
        Products of exposure and covariates, which count as slopes but are by nature
        correlated with the exposure.
    tested
        Columns whose interval and test are wanted.
    """
    settings = study.settings
    extra = pd.DataFrame(index=chosen.covariates.index) if products is None else products
    reason = chosen.reason or refuse_model(chosen, settings, extra.shape[1])
    if reason:
        return None, reason
    parts = [chosen.exposure, chosen.covariates.to_numpy(dtype=float), extra.to_numpy(dtype=float)]
    design = np.column_stack(parts)
    events = int(chosen.event.sum())
    fit = estimate_logistic(
        chosen.event,
        design,
        [EXPOSURE, *chosen.covariates.columns, *extra.columns],
        choose_method(events, chosen.event.size, design.shape[1], settings.firth_below),
        level=settings.confidence_level,
        tested=list(tested),
    )
    reason = fit.reason or next(
        (fit.coefficient(name).reason for name in tested if fit.coefficient(name).reason), ""
    )
    return (None, reason) if reason else (fit, "")
