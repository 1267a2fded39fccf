"""The plan of the exposure-response models: what a cell is, and who is in it.

Every family of models makes its cells from the settings before any model is fitted, so
that the plan cannot depend on a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from celldossier.exposure_response.endpoint_values import derive_event
from celldossier.exposure_response.study import Study
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import TUMOUR_BURDEN, ExposureResponseSettings

PRIMARY, LANDMARK, BLQ_HALF = "PRIMARY", "LANDMARK", "BLQ_HALF_LLOQ"
CONCURRENT_CRS = "CONCURRENT_CRS"
"""Sensitivity analysis of ICANS: the worst grade of CRS as a covariate."""
SENSITIVITY_VARIABLE = {"CMAX": "CMAXSEN", "AUC28": "AUC28SEN"}


@dataclass(frozen=True)
class PlanCell:
    """One model of the plan."""

    endpoint: EndpointRule
    metric: str
    model: str
    """Family of models: LOGISTIC, ORDINAL, ..."""
    adjustment: str
    population: str
    """PRIMARY; UNKNOWN_EXCLUDED or UNKNOWN_NONRESPONDER; LANDMARK; BLQ_HALF_LLOQ;
    CONCURRENT_CRS; those of other families."""
    role: str
    """PRIMARY, SECONDARY or SENSITIVITY."""
    unknown: str = "EXCLUDED"
    """What an unknown response counts as."""
    landmark: float = math.nan
    """Day from which outcomes are counted; NaN: from the infusion."""

    @property
    def by(self) -> dict[str, str]:
        """Keys of the cell in the analysis results of its family."""
        return {
            "metric": self.metric,
            "adjustment": self.adjustment,
            "population": self.population,
        }

    @property
    def variable(self) -> str:
        """Variable of ADER with the exposure."""
        if self.population == BLQ_HALF:
            return SENSITIVITY_VARIABLE[self.metric]
        return self.metric


@dataclass(frozen=True)
class ModelOutcome:
    """What became of a cell, for the plan and for the adjustment of p values.

    Attributes
    ----------
    method
        Code of the estimator that was used; ``NONE`` where the cell was refused.
    covariates
        Columns beside the exposure that stayed in the model.
    p
        P value of the exposure, NaN where refused.
    """

    cell: PlanCell
    method: str
    covariates: tuple[str, ...]
    n: int
    events: float
    p: float
    reason: str = ""


@dataclass(frozen=True)
class FamilyOutput:
    """What a family of models hands on: its outcomes, and rows of CURVES."""

    outcomes: Sequence[ModelOutcome]
    curves: Sequence[Mapping[str, object]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Selection:
    """The subjects of a cell and their data, before any rule on events."""

    event: np.ndarray[tuple[int], np.dtype[np.float64]]
    exposure: np.ndarray[tuple[int], np.dtype[np.float64]]
    """log2 of the metric."""
    covariates: pd.DataFrame
    """Design columns of the adjustment, dummy coded, constant columns left out."""
    counts: dict[str, float]
    """n_er, n_nooutcome, n_onset, n_noexposure, n_blq, n_nocovariate: they add up."""
    reason: str = ""
    subjects: pd.Index = field(default_factory=lambda: pd.Index([]))
    """Index of the rows of ADER, in the order of the arrays."""


def adjustment_variables(adjustment: str, settings: ExposureResponseSettings) -> tuple[str, ...]:
    """Variables of ADER that an adjustment puts beside the exposure."""
    if adjustment == "UNADJUSTED":
        return ()
    if adjustment == "TUMOUR_BURDEN":
        return (TUMOUR_BURDEN,)
    return settings.full_adjustment


def find_role(cell_metric: str, endpoint: EndpointRule, adjustment: str, study: Study) -> str:
    """PRIMARY for the pre-specified pair of endpoint and metric, SECONDARY for all others."""
    settings = study.settings
    named = {pair.endpoint: pair.metric for pair in settings.primary}.get(endpoint.code)
    primary = named == cell_metric and adjustment == settings.primary_adjustment
    return "PRIMARY" if primary else "SECONDARY"


def select_subjects(study: Study, cell: PlanCell) -> Selection:
    """Subjects of the E-R population with outcome, exposure and covariates of a cell.

    For a landmark metric only subjects without an onset (of any grade) until the
    landmark and until their sample are left, so that the exposure precedes the event.
    """
    ader, settings = study.ader, study.settings
    population = ader.loc[ader["ERFL"] == "Y"]
    counts = {"n_er": float(len(population))}
    values = study.values(cell.endpoint).loc[population.index]
    event = derive_event(values, cell.unknown)
    kept = population.loc[event.notna()]
    counts["n_nooutcome"] = float(len(population) - len(kept))
    before = len(kept)
    if cell.population == LANDMARK:
        # numpy's fmax, not max: a subject without the sample is judged on the landmark.
        latest = np.fmax(kept[f"{cell.metric}DY"].to_numpy(), cell.landmark)
        kept = kept.loc[~(values.loc[kept.index, "ONSETDY"].to_numpy() <= latest)]
    counts["n_onset"] = float(before - len(kept))
    before = len(kept)
    kept = kept.loc[kept[cell.variable].notna()]
    counts["n_noexposure"] = float(before - len(kept))
    before = len(kept)
    kept = kept.loc[kept[cell.variable] > 0]
    counts["n_blq"] = float(before - len(kept))
    variables = adjustment_variables(cell.adjustment, settings)
    if cell.population == CONCURRENT_CRS:
        variables = (*variables, "CRSGR")
    covariates, present = make_design(kept, variables)
    counts["n_nocovariate"] = float((~present).sum())
    used = kept.loc[present]
    reason = ""
    if len(population) == 0 or event.isna().all():
        reason = "NOTCOLL"
    elif used.empty:
        reason = "NOSUBJ"
    elif cell.adjustment != "UNADJUSTED" and covariates.shape[1] == 0:
        reason = "NOCOVAR"
    elif cell.population == BLQ_HALF and not (population["CMAX"] == 0).any():
        reason = "NOBLQALL"
    return Selection(
        event.loc[used.index].to_numpy(dtype=float),
        np.log2(used[cell.variable].to_numpy(dtype=float)),
        covariates.loc[present].reset_index(drop=True),
        counts,
        reason,
        used.index,
    )


def make_design(rows: pd.DataFrame, variables: Sequence[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Design columns and the rows in which all of them are known.

    A variable that is missing in every row, or the same in all, cannot adjust and is
    left out; the analysis results name the variables that stayed.
    """
    columns: dict[str, pd.Series] = {}
    present = pd.Series(True, index=rows.index)
    for variable in variables:
        values = rows[variable]
        if pd.api.types.is_numeric_dtype(values):
            known = values.notna()
            if values[known].nunique() > 1:
                columns[variable] = values
                present &= known
            continue
        known = values != ""
        counts = {level: int((values == level).sum()) for level in sorted(set(values[known]))}
        if len(counts) > 1:
            # The most frequent level is the reference; the first of equals by name.
            reference = max(counts, key=counts.__getitem__)
            for level in counts:
                if level != reference:
                    columns[f"{variable}={level}"] = (values == level).astype(float)
            present &= known
    design = pd.DataFrame(columns, index=rows.index, dtype=float)
    varying = design.columns[design.loc[present].nunique() > 1]
    return design[varying], present
