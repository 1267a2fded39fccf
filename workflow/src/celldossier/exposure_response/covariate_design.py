"""Covariates as columns of a model: levels, scales, steps, and missing values imputed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.settings.covariates import Covariate, CovariateModels
from celldossier.stats.chained_imputation import (
    Imputation,
    Incomplete,
    choose_imputations,
    impute_chained,
)
from celldossier.stats.predictors import is_constant

Vector = NDArray[np.float64]

CONTINUOUS_LEVEL = "P90_VS_P10"
"""Level of the key `level` for a continuous covariate."""


@dataclass(frozen=True)
class Term:
    """One column of a model, and the step of it to which a ratio belongs.

    Attributes
    ----------
    step
        Distance of the 90th from the 10th percentile, on the scale of the model; 1 for a level.
    details
        x_low and x_high, or the reference level.
    reported
        False for a level with too few subjects: its column stays, so that its subjects do
        not count as the reference, and its estimate is not given.
    """

    covariate: str
    level: str
    step: float
    details: Mapping[str, float | str]
    n: int
    n_reference: int
    reported: bool = True

    @property
    def name(self) -> str:
        """Name of the column."""
        return (
            self.covariate if self.level == CONTINUOUS_LEVEL else f"{self.covariate}={self.level}"
        )

    @property
    def by(self) -> dict[str, str]:
        """Keys of the term in the analysis results."""
        return {"covariate": self.covariate, "level": self.level}


@dataclass(frozen=True)
class Design:
    """Columns of one model in each imputation.

    Attributes
    ----------
    complete
        Subjects without a missing covariate.
    missing
        Covariate to the number of its missing values, the left-out ones too.
    left_out
        Covariate to the reason why it is not in the model.
    """

    terms: tuple[Term, ...]
    matrices: tuple[Vector, ...]
    complete: NDArray[np.bool_]
    missing: Mapping[str, int]
    left_out: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [term.name for term in self.terms]

    @property
    def incomplete(self) -> int:
        """Subjects with a missing covariate."""
        return int((~self.complete).sum())

    @property
    def imputations(self) -> int:
        """Imputations; 0 where nothing is missing."""
        return len(self.matrices) if len(self.matrices) > 1 else 0


def label_levels(values: pd.Series) -> pd.Series:
    """Levels as text, blank where missing."""
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda v: f"{v:g}").where(values.notna(), "")
    return values


def choose_references(everyone: pd.DataFrame, items: Sequence[Covariate]) -> dict[str, str]:
    """Reference level of each categorical covariate, the same for all metrics and endpoints.

    That of the settings, else the most frequent one, of equals the first by name.
    """
    references = {}
    for item in items:
        if item.kind != "categorical":
            continue
        labels = label_levels(everyone[item.variable])
        counts = labels[labels != ""].value_counts()
        frequent = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
        references[item.variable] = item.reference or (str(frequent[0][0]) if frequent else "")
    return references


def read_numbers(values: pd.Series, item: Covariate) -> Vector:
    """A continuous covariate on the scale of its models; NaN where it has no logarithm."""
    numbers = values.to_numpy(dtype=float)
    if item.scale == "linear":
        return np.asarray(numbers)
    return np.asarray(np.log(np.where(numbers > 0, numbers, np.nan)))


def percentile_step(x: Vector, item: Covariate) -> tuple[float, dict[str, float | str]]:
    """Distance of the 90th from the 10th percentile on the model's scale, and both as measured."""
    low, high = (float(v) for v in np.nanquantile(x, [0.1, 0.9]))
    back = math.exp if item.scale == "log" else float
    return high - low, {"x_low": back(low), "x_high": back(high)}


def make_covariate_design(
    rows: pd.DataFrame,
    items: Sequence[Covariate],
    references: Mapping[str, str],
    outcomes: Sequence[Vector],
    min_per_level: int,
    rules: CovariateModels,
    impute: bool = True,
) -> Design:
    """Columns of several covariates in one model, missing values imputed.

    A covariate that was not collected, does not vary, or is missing in too many subjects
    is left out with its reason: its absence is stated, not imputed.

    Parameters
    ----------
    rows
        Subjects of the model, rows of ADER.
    items
        Covariates of the model.
    references
        Reference level of each categorical covariate.
    outcomes
        What the imputation model holds beside the covariates: the outcome.
    min_per_level
        Subjects in a level below which its estimate is not given.
    rules
        Rules of the imputation.
    impute
        Whether missing values are imputed; else they stay, for a model of those subjects
        whose covariates are all known.
    """
    values: dict[str, Vector] = {}
    levels: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    missing: dict[str, int] = {}
    for item in items:
        name = item.variable
        if item.kind == "continuous":
            values[name] = read_numbers(rows[name], item)
        else:
            labels = label_levels(rows[name])
            levels[name] = _order(labels, references[name])
            position = {level: float(i) for i, level in enumerate(levels[name])}
            values[name] = np.asarray(labels.map(position), dtype=float)
        known = values[name][~np.isnan(values[name])]
        missing[name] = int(values[name].size - known.size)
        if not known.size:
            left_out[name] = "NOTCOLL"
        elif is_constant(known):
            left_out[name] = "CONSTANT" if item.kind == "continuous" else "ONELEVEL"
        elif impute and missing[name] > rules.max_missing * values[name].size:
            left_out[name] = "MUCHMISS"
    used = [item for item in items if item.variable not in left_out]
    if impute and used:
        imputation = _impute(used, values, outcomes, rules)
    else:
        imputation = Imputation((tuple(values[item.variable] for item in used),), {}, {})
    left_out |= imputation.reasons
    terms: list[Term] = []
    for item in used:
        if item.variable not in left_out:
            own = levels.get(item.variable, [])
            terms += _terms(item, values[item.variable], own, min_per_level)
    matrices = tuple(
        _columns(
            terms,
            dict(zip((item.variable for item in used), completed, strict=True)),
            levels,
            len(rows),
        )
        for completed in imputation.completed
    )
    in_model = [values[item.variable] for item in used if item.variable not in left_out]
    complete = np.ones(len(rows), dtype=bool)
    for value in in_model:
        complete &= ~np.isnan(value)
    return Design(tuple(terms), matrices, complete, missing, left_out)


def _order(labels: pd.Series, reference: str) -> list[str]:
    """Levels that occur, the reference first."""
    found = sorted(set(labels) - {""})
    return [level for level in found if level == reference] + [
        level for level in found if level != reference
    ]


def _impute(
    used: Sequence[Covariate],
    values: Mapping[str, Vector],
    outcomes: Sequence[Vector],
    rules: CovariateModels,
) -> Imputation:
    variables = [
        Incomplete(
            item.variable,
            values[item.variable],
            "continuous" if item.kind == "continuous" else "levels",
        )
        for item in used
    ]
    n = outcomes[0].size if outcomes else 0
    incomplete = np.zeros(n, dtype=bool)
    for variable in variables:
        incomplete |= np.isnan(variable.values)
    return impute_chained(
        variables,
        outcomes,
        imputations=choose_imputations(
            float(incomplete.mean()) if n else 0.0, rules.imputations, rules.max_imputations
        ),
        cycles=rules.imputation_cycles,
        seed=rules.seed,
        draw=rules.imputation_draw,
        donors=rules.imputation_donors,
        subjects_per_predictor=rules.imputation_subjects_per_predictor,
    )


def _terms(
    item: Covariate, values: Vector, levels: Sequence[str], min_per_level: int
) -> list[Term]:
    known = values[~np.isnan(values)]
    if item.kind == "continuous":
        step, details = percentile_step(values, item)
        # More than four in five subjects share a value: the percentiles tell no difference.
        reported = step > 1e-12 * max(1.0, float(np.abs(known).max()))
        n = known.size
        return [Term(item.variable, CONTINUOUS_LEVEL, step, details, n, n, reported)]
    counts = [int((known == position).sum()) for position in range(len(levels))]
    return [
        Term(
            item.variable,
            level,
            1.0,
            {"reference": levels[0]},
            counts[position],
            counts[0],
            min(counts[position], counts[0]) >= min_per_level,
        )
        for position, level in enumerate(levels)
        if position
    ]


def _columns(
    terms: Sequence[Term],
    completed: Mapping[str, Vector],
    levels: Mapping[str, Sequence[str]],
    subjects: int,
) -> Vector:
    columns = []
    for term in terms:
        value = completed[term.covariate]
        if term.covariate in levels:
            value = (value == levels[term.covariate].index(term.level)).astype(float)
        columns.append(value)
    return np.column_stack(columns) if columns else np.empty((subjects, 0))
