"""Dose of each cell subset against outcomes (table 16a).

Analyses, for tables and templates:

============== ============ ==================== ==========================================
analysis       variable     by                   statistics
============== ============ ==================== ==========================================
subset_dose    dose metric  none                 n, n_subjects, median, min, max (10^6
                                                 cells), rho (rank correlation with the
                                                 basis dose), pct (of the basis dose, median)
subset_outcome dose metric  adjustment, outcome  n, events, estimate, ci_low, ci_high, p,
                                                 q (Benjamini-Hochberg), kind
subset_rate    dose metric  group, outcome       n, events, pct (binary); n, geomean (exposure)
subset_family  P            adjustment           n_tests
============== ============ ==================== ==========================================

The estimate is per doubling of the dose: an odds ratio (kind OR) of binary outcomes, a ratio
of the exposure (kind RATIO) else. Adjustment: NONE, or TUMOUR_BURDEN (standardised logarithm
within indication). All tests of one adjustment are a family. Groups: LOW is at most the
median dose, HIGH above it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.dose_exploration.outcomes import derive_exposure, derive_outcome, exposure_unit
from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.subset_dose import SubsetDoseSettings
from celldossier.stats.descriptive import describe
from celldossier.stats.linear_model import estimate_linear
from celldossier.stats.logistic import choose_method, estimate_logistic, odds_ratio
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.rank_correlation import estimate_rank_correlation
from celldossier.terms.study_terms import CELL_PRODUCT, NOT_PLANNED

WHOLE = ("DOSETOT", "DOSEVIA", "DOSETGP")
SHARES = {
    "TN": "TNPCT", "TSCM": "TSCMPCT", "TCM": "TCMPCT", "TEM": "TEMPCT", "TEFF": "TEFFPCT"
}  # fmt: skip
NONE, BURDEN = "NONE", "TUMOUR_BURDEN"


@dataclass(frozen=True)
class Association:
    """One model of an outcome on a dose, or the reason why there is none."""

    metric: str
    outcome: str
    adjustment: str
    kind: str
    n: int
    events: float = math.nan
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    method: str = ""
    reason: str = ""


def summarise_subset_doses(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Describe the dose of each subset and relate it to each outcome; no curves."""
    rules = study.settings.subset_dose
    adsl = study.sources.adsl
    subjects = adsl.loc[adsl["SAFFL"] == "Y"].reset_index(drop=True)
    doses = derive_subset_doses(study, subjects)
    outcomes: dict[str, pd.Series] = {
        **{
            name: derive_outcome(study.sources, subjects, name, rules.event_window)
            for name in rules.outcomes
        },
        **{
            name: derive_exposure(study.sources, subjects, study.settings.analyte, name)
            for name in rules.exposures
        },
    }
    metrics = [str(name) for name in doses]
    for metric in metrics:
        _add_dose(out, doses, metric, rules.basis)
        for name in outcomes:
            binary = name in rules.outcomes
            unit = "" if binary else exposure_unit(study.sources, study.settings.analyte, name)
            _add_groups(out, doses[metric], metric, outcomes[name], name, binary, unit)
    burden = subjects["LTBURDZ"]
    for adjustment in (NONE, BURDEN) if rules.adjust_for_burden else (NONE,):
        found = [
            _relate(
                doses[metric], metric, outcomes[name], name, burden, adjustment,
                name in rules.outcomes, rules,
            )
            for metric in metrics
            for name in outcomes
        ]  # fmt: skip
        _add_family(out, adjustment, found, rules)
    return []


def derive_subset_doses(study: Study, subjects: pd.DataFrame) -> pd.DataFrame:
    """Doses over the planned infusions of the first course, 10^6 cells, one column a metric.

    A missing amount of one infusion makes the sum unknown, not smaller.
    """
    rules = study.settings.subset_dose
    adex, adpq = study.sources.adex, study.sources.adpq
    counted = (adex["EXCAT"] == CELL_PRODUCT) & ~adex["DOSETYPE"].isin(NOT_PLANNED)
    rows = adex.loc[counted & ~(adex["AFRLT"] > rules.until)].reset_index(drop=True)
    lots = adpq.drop_duplicates(["STUDYID", "LOTID"]).set_index(["STUDYID", "LOTID"])
    key = pd.MultiIndex.from_frame(rows[["STUDYID", "LOTID"]])

    def of_lot(variable: str) -> pd.Series:
        return pd.Series(lots[variable].reindex(key).to_numpy(dtype=float), index=rows.index)

    basis, ratio = rows[rules.basis], of_lot("CD4CD8")
    amounts = {name: rows[name] for name in WHOLE}
    for subset in rules.subsets:
        if subset == "CD3":
            # T cells of the whole product, transduced or not: they may bring graft-versus-host
            # disease (guideline lines 141-144).
            amounts[subset] = rows["DOSEVIA"] * of_lot("CD3PCT") / 100
        elif subset == "CD4":
            amounts[subset] = basis * ratio / (1 + ratio)
        elif subset == "CD8":
            amounts[subset] = basis / (1 + ratio)
        else:
            amounts[subset] = basis * of_lot(SHARES[subset]) / 100
    place = pd.MultiIndex.from_frame(subjects[KEY])
    by = [rows[name] for name in KEY]
    sums = {
        name: values.groupby(by).sum().mask(values.isna().groupby(by).any()).reindex(place)
        for name, values in amounts.items()
    }
    return pd.DataFrame(
        {name: total.to_numpy(dtype=float) for name, total in sums.items()}, index=subjects.index
    )


def _add_dose(out: ResultCollector, doses: pd.DataFrame, metric: str, basis: str) -> None:
    values = doses[metric].dropna()
    block = describe(values)
    absent = "NOTCOLL" if values.empty else ""
    correlation = estimate_rank_correlation(doses[metric], doses[basis])
    shares = (100 * doses[metric] / doses[basis].where(doses[basis] > 0)).dropna()
    statistics = {
        "n": float(values.size),
        "n_subjects": float(len(doses)),
        **{stat: block[stat] for stat in ("median", "min", "max")},
        "rho": correlation.rho,
        "pct": float(shares.median()) if len(shares) else math.nan,
    }
    out.add(
        "subset_dose",
        statistics,
        dataset="ADEX",
        variable=metric,
        unit="10^6 cells",
        units={"n": "", "n_subjects": "", "rho": "", "pct": "%"},
        n=float(values.size),
        notes=explain_missing(statistics, "NOTCOLL", rho=absent or correlation.reason),
    )


def _add_groups(
    out: ResultCollector,
    dose: pd.Series,
    metric: str,
    outcome: pd.Series,
    name: str,
    binary: bool,
    unit: str,
) -> None:
    middle = dose.dropna().median()
    for group, members in (("LOW", dose <= middle), ("HIGH", dose > middle)):
        values = outcome[members & outcome.notna()]
        n = float(values.size)
        absent = "NOTCOLL" if dose.isna().all() or outcome.isna().all() else "NOGROUP"
        if binary:
            events = float(values.sum())
            statistics = {"n": n, "events": events, "pct": 100 * events / n if n else math.nan}
        else:
            statistics = {"n": n, "geomean": describe(values)["geomean"]}
        out.add(
            "subset_rate",
            statistics,
            dataset="ADRS" if name == "OBJRESP" else "ADAESI" if binary else "ADPP",
            variable=metric,
            by={"outcome": name, "group": group},
            units={"pct": "%", "geomean": unit},
            n=n,
            notes=explain_missing(statistics, absent if values.empty else "NOLOG"),
        )


def _relate(
    dose: pd.Series,
    metric: str,
    outcome: pd.Series,
    name: str,
    burden: pd.Series,
    adjustment: str,
    binary: bool,
    rules: SubsetDoseSettings,
) -> Association:
    """Model of the outcome on the logarithm of the dose to base 2."""
    kind = "OR" if binary else "RATIO"
    base = Association(metric, name, adjustment, kind, 0)
    usable = (dose > 0) & outcome.notna()
    if not binary:
        usable &= outcome > 0
    if adjustment == BURDEN:
        usable &= burden.notna()
    y = outcome[usable].to_numpy(dtype=float)
    columns = [np.log2(dose[usable].to_numpy(dtype=float))]
    names = ["DOSE"]
    if adjustment == BURDEN:
        columns.append(burden[usable].to_numpy(dtype=float))
        names.append(BURDEN)
    x = np.column_stack(columns)
    if dose.isna().all() or outcome.isna().all() or (adjustment == BURDEN and burden.isna().all()):
        return replace(base, reason="NOTCOLL")
    if not binary:
        return _fit_linear(base, np.log2(y), x, names, rules)
    n, events = y.size, int(y.sum())
    reason = ""
    if n == 0 or events in (0, n):
        reason = "NOSUBJ" if n == 0 else "NOEVENT" if events == 0 else "ALLEVENT"
    elif min(events, n - events) < rules.min_events:
        reason = "FEWEVENT"
    elif np.ptp(x[:, 0]) < 1e-9:
        reason = "CONSTANT"
    if reason:
        return replace(base, n=n, events=float(events), reason=reason)
    method = choose_method(events, n, x.shape[1], rules.firth_below)
    fit = estimate_logistic(y, x, names, method, level=rules.confidence, tested=["DOSE"])
    if fit.reason or fit.coefficient("DOSE").reason:
        reason = fit.reason or fit.coefficient("DOSE").reason
        return replace(base, n=n, events=float(events), method=fit.method, reason=reason)
    slope = fit.coefficient("DOSE")
    estimate, low, high = (odds_ratio(v) for v in (slope.estimate, slope.low, slope.high))
    return replace(
        base, n=n, events=float(events), estimate=estimate, low=low, high=high, p=slope.p,
        method=fit.method,
    )  # fmt: skip


def _fit_linear(
    base: Association,
    y: np.ndarray,
    x: np.ndarray,
    names: list[str],
    rules: SubsetDoseSettings,
) -> Association:
    if y.size < rules.min_subjects:
        return replace(base, n=y.size, reason="FEWSUBJ")
    fit = estimate_linear(y, [x], names, rules.confidence)
    if fit.reason:
        return replace(base, n=y.size, reason=fit.reason)
    slope = fit.coefficients[0]
    estimate, low, high = (2.0**value for value in (slope.estimate, slope.low, slope.high))
    return replace(
        base, n=y.size, estimate=estimate, low=low, high=high, p=slope.p, method="LINEAR"
    )


def _add_family(
    out: ResultCollector, adjustment: str, found: list[Association], rules: SubsetDoseSettings
) -> None:
    adjusted = benjamini_hochberg([item.p for item in found])
    out.add(
        "subset_family",
        {"n_tests": float(np.isfinite(adjusted).sum())},
        dataset="ADEX",
        variable="P",
        by={"adjustment": adjustment},
    )
    for item, q in zip(found, adjusted, strict=True):
        statistics: dict[str, float | str] = {
            "n": float(item.n),
            "events": item.events,
            "estimate": item.estimate,
            "ci_low": item.low,
            "ci_high": item.high,
            "p": item.p,
            "q": float(q),
            "kind": item.kind,
        }
        out.add(
            "subset_outcome",
            statistics,
            dataset="ADEX",
            variable=item.metric,
            by={"outcome": item.outcome, "adjustment": adjustment},
            unit="1",
            units={"n": "", "events": "", "p": "", "q": "", "kind": ""},
            n=float(item.n),
            method=f"{item.method} {100 * rules.confidence:g}%" if item.method else "",
            notes=explain_missing(
                statistics,
                item.reason,
                events=item.reason if item.kind == "OR" else "NOTAPPL",
            ),
        )
