"""Odds ratios of the primary pairs within subgroups, and tests whether they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.errors import ConfigError
from celldossier.exposure_response.binary import MODEL
from celldossier.exposure_response.binary_fits import EXPOSURE, CellResult, run_cell
from celldossier.exposure_response.odds import METHODS, note_overflow
from celldossier.exposure_response.plan import PRIMARY, PlanCell, select_subjects
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.subgroups import Subgroup
from celldossier.stats.joint_test import JointTest, test_jointly
from celldossier.stats.logistic import choose_method, odds_ratio
from celldossier.stats.multiplicity import adjust_within_families
from celldossier.terms.order import natural_order

LOW, HIGH = "LOW", "HIGH"
"""Levels of a number: at or below its median, and above it."""
_ESTIMATES = ("or", "or_low", "or_high", "p")


@dataclass(frozen=True)
class _Division:
    """The subjects divided by one variable, for one primary pair."""

    cell: PlanCell
    group: Subgroup
    levels: dict[str, CellResult]
    n_unknown: int
    cut: float
    test: JointTest
    tested: tuple[str, ...]


def collect_subgroups(study: Study, out: ResultCollector) -> None:
    """Add `subgroup` and `subgroup_interaction` for each primary pair of a binary endpoint.

    A level with too few events or non-events has no odds ratio, keeps its reason, and is
    not in the test of interaction; that test is refused where the events do not carry
    its slopes. q values are within the family of the endpoints.

    Raises
    ------
    ConfigError
        If a variable is not in ADER, or is split at its median and no number.
    """
    settings = study.settings
    _check_variables(study)
    adjustment = settings.subgroups.adjustment or settings.primary_adjustment
    known = {endpoint.code: endpoint for endpoint in study.of_kind("binary")}
    divisions: list[_Division] = []
    for pair in settings.primary:
        if pair.endpoint not in known:
            continue
        endpoint = known[pair.endpoint]
        unknown = settings.unknown_response[0] if endpoint.unknown_response else "EXCLUDED"
        cell = PlanCell(endpoint, pair.metric, MODEL, adjustment, PRIMARY, "SECONDARY", unknown)
        divisions += [_divide(study, cell, group) for group in settings.subgroups.variables]
    q_values = adjust_within_families(
        [each.test.p for each in divisions], [each.cell.endpoint.family for each in divisions]
    )
    for division, q in zip(divisions, q_values, strict=True):
        for level, result in division.levels.items():
            _add_level(division, level, result, study, out)
        _add_interaction(division, float(q), study, out)


def _check_variables(study: Study) -> None:
    faults = []
    for group in study.settings.subgroups.variables:
        if group.variable not in study.ader.columns:
            faults.append(
                f"The subgroup variable {group.variable} of exposure_response is not a variable of "
                "ADER."
            )
        elif group.split == "MEDIAN" and not pd.api.types.is_numeric_dtype(
            study.ader[group.variable]
        ):
            faults.append(
                f"The subgroup variable {group.variable} of exposure_response is text and has no "
                "median."
            )
    if faults:
        raise ConfigError(faults)


def _divide(study: Study, cell: PlanCell, group: Subgroup) -> _Division:
    labels, cut = _label(study.ader, group)
    of_interest = study.ader["ERFL"] == "Y"
    settings = study.settings.model_copy(update={"min_events": study.settings.subgroups.min_events})
    levels = {}
    for level in _order(labels[of_interest & (labels != "")]):
        within = replace(study, ader=study.ader.loc[labels == level], settings=settings)
        levels[level] = run_cell(within, cell)
    tested = tuple(level for level, result in levels.items() if result.fit)
    test = _test_interaction(study, cell, group.variable, labels, tested)
    n_unknown = int((of_interest & (labels == "")).sum())
    return _Division(cell, group, levels, n_unknown, cut, test, tested)


def _label(ader: pd.DataFrame, group: Subgroup) -> tuple[pd.Series, float]:
    """Level of each subject, blank where not known, and the median that divides."""
    values = ader[group.variable]
    if group.split == "MEDIAN":
        known = values.loc[ader["ERFL"] == "Y"].dropna()
        cut = float(known.median()) if len(known) else math.nan
        halves = np.where(values <= cut, LOW, np.where(values > cut, HIGH, ""))
        return pd.Series(halves, index=ader.index, dtype=object), cut
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda value: f"{value:g}").where(values.notna(), ""), math.nan
    return values, math.nan


def _order(levels: pd.Series) -> list[str]:
    found = set(levels)
    return [LOW, HIGH] if found <= {LOW, HIGH} and found else natural_order(found)


def _test_interaction(
    study: Study, cell: PlanCell, variable: str, labels: pd.Series, tested: Sequence[str]
) -> JointTest:
    """Test of exposure by level, over the levels that have an odds ratio of their own."""
    df = max(len(tested) - 1, 0)
    if df == 0:
        return JointTest(math.nan, df, math.nan, "", "ONESUBGR")
    chosen = select_subjects(replace(study, ader=study.ader.loc[labels.isin(tested)]), cell)
    own = labels.loc[chosen.subjects].to_numpy()
    dummies = np.column_stack([(own == level).astype(float) for level in tested[1:]])
    products = dummies * chosen.exposure[:, None]
    # Levels of the variable itself as a covariate would say the same twice.
    own_columns = [c for c in chosen.covariates if str(c).startswith(f"{variable}=")]
    others = chosen.covariates.drop(columns=own_columns)
    design = np.column_stack([chosen.exposure, others.to_numpy(dtype=float), dummies, products])
    n, events = chosen.event.size, int(chosen.event.sum())
    slopes = design.shape[1]
    if min(events, n - events) < study.settings.min_events_per_parameter * slopes:
        return JointTest(math.nan, df, math.nan, "", "EPPLOW")
    method = choose_method(events, n, slopes, study.settings.firth_below)
    return test_jointly(chosen.event, design, range(slopes - df, slopes), method)


def _add_level(
    division: _Division, level: str, result: CellResult, study: Study, out: ResultCollector
) -> None:
    chosen, fit = result.selection, result.fit
    n = float(chosen.event.size)
    statistics: dict[str, float | str] = {
        "n": n,
        "events": float(chosen.event.sum()),
        "n_left_out": chosen.counts["n_er"] - n,
    }
    statistics |= dict.fromkeys(_ESTIMATES, math.nan)
    notes = dict.fromkeys(_ESTIMATES, result.reason) if result.reason else {}
    if fit:
        slope = fit.coefficient(EXPOSURE)
        estimates = (
            odds_ratio(slope.estimate),
            odds_ratio(slope.low),
            odds_ratio(slope.high),
            slope.p,
        )
        statistics |= dict(zip(_ESTIMATES, estimates, strict=True))
        statistics["model"] = fit.method
        if fit.separation:
            notes["or"] = "SEPARFIX"
        notes |= note_overflow(statistics)
    out.add(
        "subgroup",
        statistics,
        dataset="ADER",
        variable=division.cell.endpoint.code,
        analyte=study.settings.analyte,
        by={"metric": division.cell.metric, "subgroup": division.group.variable, "level": level},
        where="ERFL = Y",
        n=n,
        method=METHODS[fit.method] if fit else "",
        notes=notes,
    )


def _add_interaction(division: _Division, q: float, study: Study, out: ResultCollector) -> None:
    test = division.test
    statistics: dict[str, float | str] = {
        "chi_squared": test.chi_squared,
        "df": float(test.df),
        "p": test.p,
        "q": q,
        "n_levels": float(len(division.levels)),
        "n_unknown": float(division.n_unknown),
        "adjustment": division.cell.adjustment,
    }
    notes = dict.fromkeys(("chi_squared", "p", "q"), test.reason) if test.reason else {}
    if division.group.split == "MEDIAN":
        statistics["cut"] = division.cut
        if math.isnan(division.cut):
            notes["cut"] = "NOTCOLL"
    out.add(
        "subgroup_interaction",
        statistics,
        dataset="ADER",
        variable=division.cell.endpoint.code,
        analyte=study.settings.analyte,
        by={"metric": division.cell.metric, "subgroup": division.group.variable},
        where="ERFL = Y",
        method=""
        if test.reason
        else f"likelihood ratio test of exposure by subgroup, {test.method}",
        notes=notes,
    )
