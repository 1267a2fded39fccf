"""Exposure by dose level, without doses outside the window too, and the overlap of neighbours.

Analyses, for tables, figures and templates (analyte: that of the section):

=================== ======== ======================== ======================================
analysis            variable by                       statistics
=================== ======== ======================== ======================================
exposure            metric   population, or           block, ci_low, ci_high, n_infused,
                             dose, population         n_novalue, n_notabove, n_removed,
                                                      ratio_to_all
overlap             metric   lower, higher            n_lower, n_higher, n_notabove_lower,
                                                      n_notabove_higher, geomean_lower,
                                                      geomean_higher, ratio, ratio_low,
                                                      ratio_high, dose_ratio, p_higher,
                                                      p_higher_low, p_higher_high
overlap_coefficient metric   estimator, lower, higher ovl, ci_low, ci_high, exact_low,
                                                      exact_high (NORMAL_EQUAL only)
=================== ======== ======================== ======================================

Populations: ALL, and IN_WINDOW, from which subjects with an infusion of the first course outside
its window are removed. n = n_infused - n_removed - n_novalue; n_notabove are the subjects of
n whose exposure is not above 0: never quantifiable or, without a specific marker, never above
the level before the dose. They have no logarithm and no part in a geometric mean; in the
overlap they are a mass of their own below all others, and in p_higher the lowest values.
`lower` and `higher` are neighbours in the order of the planned dose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from celldossier.dose_exploration.dose_levels import list_planned_doses, order_levels
from celldossier.dose_exploration.doses import derive_subject_doses
from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing, list_few
from celldossier.settings.dose_levels import DoseLevelSettings
from celldossier.stats.descriptive import describe
from celldossier.stats.discrimination import estimate_area_under_curve
from celldossier.stats.overlap import Overlap, estimate_overlap
from celldossier.stats.ratio import estimate_ratio

ALL, IN_WINDOW = "ALL", "IN_WINDOW"
METHODS = {
    "NORMAL_UNEQUAL": "overlap of two normal densities of ln exposure, unequal variances",
    "NORMAL_EQUAL": "overlap of two normal densities of ln exposure, equal variances",
    "KERNEL": "overlap of two kernel densities of ln exposure",
}


def derive_exposures(study: Study) -> pd.DataFrame:
    """Exposure of the infused subjects, one row a subject and metric.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, TRT01A, INWINFL (N: an infusion outside the window), METRIC, AVAL,
        AVALU; AVAL is NaN where there is no value.
    """
    sources, settings = study.sources, study.settings
    subjects = sources.adsl.loc[sources.adsl["SAFFL"] == "Y", [*KEY, "TRT01A"]]
    doses = derive_subject_doses(sources.adsl, sources.adex)[[*KEY, "INWINFL"]]
    subjects = subjects.merge(doses, on=KEY, how="left").fillna({"INWINFL": ""})
    adpp = sources.adpp
    course = (adpp["PARCAT1"] == settings.analyte) & (adpp["PROFTYP"] == "COURSE")
    parts = []
    for metric in settings.levels.metrics:
        values = adpp.loc[course & (adpp["PARAMCD"] == metric), [*KEY, "AVAL", "AVALU"]]
        parts.append(subjects.merge(values, on=KEY, how="left").assign(METRIC=metric))
    return pd.concat(parts, ignore_index=True)


def summarise_exposures(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Exposure by dose level and population, overlap of neighbouring levels; no curves."""
    exposures = derive_exposures(study)
    levels = order_levels(study.sources.adsl, study.sources.adex)
    planned = _planned_doses(study)
    for metric in study.settings.levels.metrics:
        rows = exposures.loc[exposures["METRIC"] == metric]
        unit = _unit(rows)
        absent = _explain_absence(study, metric)
        groups: list[tuple[dict[str, str], pd.DataFrame]] = [({}, rows)]
        groups += [({"dose": level}, rows.loc[rows["TRT01A"] == level]) for level in levels]
        for by, group in groups:
            _add_exposure(study, out, metric, unit, by, group, absent)
        for lower, higher in pairwise(levels):
            place = {"lower": lower, "higher": higher}
            values = [
                rows.loc[rows["TRT01A"] == level, "AVAL"].dropna().to_numpy(dtype=float)
                for level in (lower, higher)
            ]
            ratio = planned.get(higher, math.nan) / planned.get(lower, math.nan)
            _add_pair(study, out, metric, unit, place, values, ratio)
    return []


def _explain_absence(study: Study, metric: str) -> str:
    """Why no subject can have a value of the metric; blank where some may."""
    adpp = study.sources.adpp
    own = adpp.loc[adpp["PARCAT1"] == study.settings.analyte]
    if own.empty:
        return "NOTCOLL"
    return "" if (own["PARAMCD"] == metric).any() else "NOTASKED"


def _planned_doses(study: Study) -> Mapping[str, float]:
    doses = list_planned_doses(study.sources.adsl, study.sources.adex)
    if doses["DOSEU"].nunique() != 1:
        return {}
    return {str(k): float(v) for k, v in doses.groupby("TRT01A")["DOSPSUM"].median().items()}


def _unit(rows: pd.DataFrame) -> str:
    units = set(rows["AVALU"].dropna()) - {""}
    return str(units.pop()) if len(units) == 1 else ""


def _add_exposure(
    study: Study,
    out: ResultCollector,
    metric: str,
    unit: str,
    by: Mapping[str, str],
    group: pd.DataFrame,
    absent: str,
) -> None:
    judged = bool((group["INWINFL"] != "").any())
    everyone = describe_exposure(group["AVAL"], study.settings.levels)
    for population in (ALL, IN_WINDOW):
        kept = group.loc[group["INWINFL"] != "N"] if population == IN_WINDOW else group
        block = describe_exposure(kept["AVAL"], study.settings.levels)
        block["ratio_to_all"] = block["geomean"] / everyone["geomean"]
        reason = "NOGROUP" if group.empty else "NOVALUE"
        if population == IN_WINDOW and not judged:
            block = dict.fromkeys(block, math.nan)
            reason = "NODOSEWIN"
        notes = explain_missing(block, reason)
        few = absent or ("NOVALUE" if block["n"] == 0 else "FEWVAL")
        if reason == "NOVALUE":
            notes = {name: few for name in notes}
            if block["n"] and 2 * block["n_notabove"] > block["n"]:
                geometric = ("geomean", "gcv", "ci_low", "ci_high", "ratio_to_all")
                notes |= {name: "BLQHALF" for name in geometric if name in notes}
        statistics: dict[str, float | str] = {
            **block,
            "n_infused": float(len(group)),
            "n_novalue": float(kept["AVAL"].isna().sum()),
            "n_removed": float(len(group) - len(kept)),
        }
        if reason != "NODOSEWIN":
            statistics |= list_few(kept["AVAL"])
        counts = ("n", "n_notabove", "n_infused", "n_novalue", "n_removed", "ratio_to_all")
        out.add(
            "exposure",
            statistics,
            dataset="ADPP",
            variable=metric,
            analyte=study.settings.analyte,
            by={**by, "population": population},
            where="PROFTYP = COURSE",
            unit=unit,
            units={"gcv": "%", **dict.fromkeys(counts, "")},
            n=float(kept["AVAL"].notna().sum()),
            method="geometric mean with t interval of ln exposure",
            notes=notes,
        )


def describe_exposure(values: pd.Series, settings: DoseLevelSettings) -> dict[str, float]:
    """Statistic block with the t interval of the geometric mean.

    The geometric mean is left out where more than half of the values are not above 0.
    """
    from scipy.special import stdtrit

    x = values.dropna().to_numpy(dtype=float)
    block = describe(x)
    block |= {"ci_low": math.nan, "ci_high": math.nan, "n_notabove": float((x <= 0).sum())}
    logs = np.log(x[x > 0])
    if logs.size > 1:
        quantile = float(stdtrit(logs.size - 1, 0.5 + settings.confidence_level / 2))
        half = quantile * float(logs.std(ddof=1)) / math.sqrt(logs.size)
        block["ci_low"] = math.exp(float(logs.mean()) - half)
        block["ci_high"] = math.exp(float(logs.mean()) + half)
    if 2 * block["n_notabove"] > block["n"]:
        block |= dict.fromkeys(("geomean", "gcv", "ci_low", "ci_high"), math.nan)
    return block


def _add_pair(
    study: Study,
    out: ResultCollector,
    metric: str,
    unit: str,
    place: Mapping[str, str],
    values: list[np.ndarray],
    dose_ratio: float,
) -> None:
    settings = study.settings.levels
    lower, higher = values
    blocks = [describe_exposure(pd.Series(part), settings) for part in values]
    ratio = estimate_ratio(higher, lower, settings.confidence_level)
    # Two levels with an event less than half the time are compared by rank, not by mean.
    if any(math.isnan(block["geomean"]) for block in blocks):
        nan = math.nan
        ratio = type(ratio)(nan, nan, nan, nan, ratio.n_test, ratio.n_reference, "NOPOSEXP")
    chance = estimate_area_under_curve(
        np.repeat([0.0, 1.0], [lower.size, higher.size]),
        np.concatenate([lower, higher]),
        settings.confidence_level,
    )
    statistics = {
        "n_lower": float(lower.size),
        "n_higher": float(higher.size),
        "n_notabove_lower": blocks[0]["n_notabove"],
        "n_notabove_higher": blocks[1]["n_notabove"],
        "geomean_lower": blocks[0]["geomean"],
        "geomean_higher": blocks[1]["geomean"],
        "ratio": ratio.ratio,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "dose_ratio": dose_ratio,
        "p_higher": chance.area,
        "p_higher_low": chance.low,
        "p_higher_high": chance.high,
    }
    reasons = {
        **dict.fromkeys(("geomean_lower", "geomean_higher"), "NOPOSEXP"),
        **dict.fromkeys(("ratio", "ratio_low", "ratio_high"), ratio.reason),
        **dict.fromkeys(("p_higher", "p_higher_low", "p_higher_high"), chance.reason),
        "dose_ratio": "NOPLAN",
    }
    out.add(
        "overlap",
        statistics,
        dataset="ADPP",
        variable=metric,
        analyte=study.settings.analyte,
        by=place,
        where="PROFTYP = COURSE",
        units={"geomean_lower": unit, "geomean_higher": unit},
        n=float(lower.size + higher.size),
        method="ratio of geometric means (Welch); Mann-Whitney probability (DeLong)",
        notes={k: reasons[k] or "FEWSUBJ" for k, v in statistics.items() if math.isnan(v)},
    )
    for estimator in settings.overlap.estimators:
        found = estimate_overlap(
            lower,
            higher,
            estimator,
            level=settings.confidence_level,
            interval=settings.overlap.interval,
            resamples=settings.overlap.resamples,
            seed=settings.overlap.seed,
            min_subjects=settings.overlap.min_subjects,
        )
        _add_coefficient(study, out, metric, {**place, "estimator": estimator}, found, values)


def _add_coefficient(
    study: Study,
    out: ResultCollector,
    metric: str,
    place: Mapping[str, str],
    found: Overlap,
    values: list[np.ndarray],
) -> None:
    statistics = {"ovl": found.ovl, "ci_low": found.low, "ci_high": found.high}
    notes = {"ovl": found.reason, "ci_low": found.interval_reason, "ci_high": found.interval_reason}
    if place["estimator"] == "NORMAL_EQUAL":
        statistics |= {"exact_low": found.exact_low, "exact_high": found.exact_high}
        notes |= dict.fromkeys(("exact_low", "exact_high"), found.reason or "NOLOG")
    settings = study.settings.levels.overlap
    out.add(
        "overlap_coefficient",
        statistics,
        dataset="ADPP",
        variable=metric,
        analyte=study.settings.analyte,
        by=place,
        where="PROFTYP = COURSE",
        n=float(sum(part.size for part in values)),
        method=(
            f"{METHODS[place['estimator']]}; {settings.interval} bootstrap, "
            f"{settings.resamples} resamples, seed {settings.seed}"
        ),
        notes={k: notes[k] for k, v in statistics.items() if math.isnan(v)},
    )
