"""The plan of the exposure-response models, made from the settings before any fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.exposure_response.endpoints import Endpoint, derive_event
from celldossier.settings.exposure_response import TUMOUR_BURDEN, ExposureResponseSettings

PRIMARY, LANDMARK, BLQ_HALF = "PRIMARY", "LANDMARK", "BLQ_HALF_LLOQ"
SENSITIVITY_VARIABLE = {"CMAX": "CMAXSEN", "AUC28": "AUC28SEN"}


@dataclass(frozen=True)
class PlanCell:
    """One model of the plan."""

    endpoint: Endpoint
    metric: str
    adjustment: str
    population: str
    """PRIMARY; UNKNOWN_EXCLUDED or UNKNOWN_NONRESPONDER; LANDMARK; BLQ_HALF_LLOQ."""
    role: str
    """PRIMARY, SECONDARY or SENSITIVITY."""
    unknown: str
    """What an unknown best response counts as."""

    @property
    def by(self) -> dict[str, str]:
        """Keys of the cell in the analysis results."""
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


def make_plan(settings: ExposureResponseSettings, endpoints: Sequence[Endpoint]) -> list[PlanCell]:
    """All cells: endpoint x metric x adjustment x population, each with its role."""
    primary = {pair.endpoint: pair.metric for pair in settings.primary}
    first = settings.unknown_response[0]
    cells = []
    for endpoint in endpoints:
        for metric in settings.metrics:
            for adjustment in settings.adjustments:
                is_primary = (
                    primary.get(endpoint.code) == metric
                    and adjustment == settings.primary_adjustment
                )
                role = "PRIMARY" if is_primary else "SECONDARY"
                cells.append(PlanCell(endpoint, metric, adjustment, PRIMARY, role, first))
                if endpoint.variable == "OBJRESP":
                    cells += [
                        PlanCell(
                            endpoint, metric, adjustment, f"UNKNOWN_{rule}", "SENSITIVITY", rule
                        )
                        for rule in settings.unknown_response[1:]
                    ]
                if (
                    settings.all_blq_sensitivity
                    and metric in SENSITIVITY_VARIABLE
                    and adjustment == settings.primary_adjustment
                ):
                    cells.append(
                        PlanCell(endpoint, metric, adjustment, BLQ_HALF, "SENSITIVITY", first)
                    )
        if endpoint.onset:
            cells += [
                PlanCell(endpoint, f"CLD{day}", adjustment, LANDMARK, "SENSITIVITY", first)
                for day in settings.landmarks
                for adjustment in settings.adjustments
            ]
    return cells


def adjustment_variables(adjustment: str, settings: ExposureResponseSettings) -> tuple[str, ...]:
    """Variables of ADER that an adjustment puts beside the exposure."""
    if adjustment == "UNADJUSTED":
        return ()
    if adjustment == "TUMOUR_BURDEN":
        return (TUMOUR_BURDEN,)
    return settings.full_adjustment


def select_subjects(
    ader: pd.DataFrame, cell: PlanCell, settings: ExposureResponseSettings
) -> Selection:
    """Subjects of the E-R population with outcome, exposure and covariates of a cell.

    For a landmark metric only subjects without an onset (of any grade) until the
    landmark and until their sample are left, so that the exposure precedes the event.
    """
    population = ader.loc[ader["ERFL"] == "Y"]
    counts = {"n_er": float(len(population))}
    event = derive_event(population, cell.endpoint, cell.unknown)
    kept = population.loc[event.notna()]
    counts["n_nooutcome"] = float(len(population) - len(kept))
    before = len(kept)
    if cell.population == LANDMARK:
        landmark = float(cell.metric.removeprefix("CLD"))
        # numpy's fmax, not max: a subject without the sample is judged on the landmark.
        latest = np.fmax(kept[f"{cell.metric}DY"].to_numpy(), landmark)
        kept = kept.loc[~(kept[cell.endpoint.onset].to_numpy() <= latest)]
    counts["n_onset"] = float(before - len(kept))
    before = len(kept)
    kept = kept.loc[kept[cell.variable].notna()]
    counts["n_noexposure"] = float(before - len(kept))
    before = len(kept)
    kept = kept.loc[kept[cell.variable] > 0]
    counts["n_blq"] = float(before - len(kept))
    covariates, present = _design(kept, adjustment_variables(cell.adjustment, settings))
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
    )


def _design(rows: pd.DataFrame, variables: Sequence[str]) -> tuple[pd.DataFrame, pd.Series]:
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
