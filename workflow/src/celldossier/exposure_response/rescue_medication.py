"""Exposure with and without rescue medication: descriptive, by grade of CRS, and its timing.

Rescue medication is given because of CRS, which follows exposure: a ratio of exposure says
nothing about an effect of the medication (confounding by indication). Each ratio carries
the note ``CONFOUND``.
"""

from __future__ import annotations

import math

import pandas as pd

from celldossier.exposure_response.ader import RESCUE, select_rescue
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing, list_few
from celldossier.stats.descriptive import describe
from celldossier.stats.ratio import estimate_ratio

GMR = ("gmr", "gmr_low", "gmr_high")
TIMING = ("n", "median", "min", "max")
ALL_GRADES = "ALL"


def collect_rescue_medication(study: Study, out: ResultCollector) -> None:
    """Add `rescue_ratio`, `rescue_by_grade` (worst grade of CRS) and `rescue_course`."""
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    for flag, medication in RESCUE.items():
        levels = sorted(population["CRSGR"].dropna().unique())
        parts = {ALL_GRADES: population}
        parts |= {f"{level:g}": population.loc[population["CRSGR"] == level] for level in levels}
        for metric in study.settings.metrics:
            for grade, rows in parts.items():
                _add_ratio(study, rows, flag, medication, metric, grade, out)
        _add_course(study, population, flag, medication, out)


def _add_ratio(
    study: Study,
    rows: pd.DataFrame,
    flag: str,
    medication: str,
    metric: str,
    grade: str,
    out: ResultCollector,
) -> None:
    groups = {
        "given": rows.loc[rows[flag] == "Y", metric],
        "without": rows.loc[rows[flag] == "N", metric],
    }
    level = study.settings.ratio_confidence_level
    ratio = estimate_ratio(groups["given"], groups["without"], level)
    few = min(ratio.n_test, ratio.n_reference) < study.settings.min_per_level
    missing = "NOTCOLL" if not (rows[flag] != "").any() else "FEWSUBJ" if few else ratio.reason
    values = (math.nan,) * 3 if few else (ratio.ratio, ratio.low, ratio.high)
    statistics: dict[str, float | str] = dict(zip(GMR, values, strict=True))
    notes = {
        name: missing if math.isnan(value) else "CONFOUND"
        for name, value in zip(GMR, values, strict=True)
    }
    for suffix, exposure in groups.items():
        positive = exposure[exposure > 0]
        block = describe(positive.to_numpy(dtype=float))
        statistics[f"n_{suffix}"] = float(positive.size)
        for name in ("geomean", "gcv"):
            statistics[f"{name}_{suffix}"] = block[name]
            if math.isnan(block[name]):
                notes[f"{name}_{suffix}"] = "NOGROUP" if positive.empty else "FEWVAL"
        statistics |= {f"{name}_{suffix}": text for name, text in list_few(positive).items()}
        statistics[f"n_zero_{suffix}"] = float((exposure == 0).sum())
    overall = grade == ALL_GRADES
    by = {"term": medication} if overall else {"term": medication, "grade": grade}
    n = float(ratio.n_test + ratio.n_reference)
    unit = study.units.get(metric, "")
    out.add(
        "rescue_ratio" if overall else "rescue_by_grade",
        statistics,
        dataset="ADER",
        variable=metric,
        analyte=study.settings.analyte,
        by=by,
        where="ERFL = Y" if overall else f"ERFL = Y and CRSGR = {grade}",
        units={f"geomean_{suffix}": unit for suffix in groups}
        | {f"gcv_{suffix}": "%" for suffix in groups},
        n=n,
        method="Welch t interval on ln, descriptive",
        notes=notes,
    )


def read_first_doses(study: Study, medication: str) -> pd.Series:
    """Day of the first dose at or after the infusion, in the rows of ADER; NaN: none or undated."""
    doses = select_rescue(study.sources.adcm, medication, study.settings)
    first = doses.groupby(KEY)["ASTDY"].min()
    found = first.reindex(pd.MultiIndex.from_frame(study.ader[KEY]))
    return pd.Series(found.to_numpy(dtype=float), index=study.ader.index)


def read_peak_times(study: Study) -> pd.Series:
    """Day of the peak of the first course, in the rows of ADER."""
    adpp = study.sources.adpp
    rows = adpp.loc[
        (adpp["PARCAT1"] == study.settings.analyte)
        & (adpp["PROFTYP"] == "COURSE")
        & (adpp["PARAMCD"] == "TMAX")
    ]
    values = rows.set_index(KEY)["AVAL"].reindex(pd.MultiIndex.from_frame(study.ader[KEY]))
    return pd.Series(values.to_numpy(dtype=float), index=study.ader.index)


def _add_course(
    study: Study, population: pd.DataFrame, flag: str, medication: str, out: ResultCollector
) -> None:
    """First dose against the onset of CRS and against the peak."""
    given = population.loc[population[flag] == "Y"]
    first = read_first_doses(study, medication).loc[given.index]
    distances = {
        "FROM_ONSET": first - given["CRSONDY"],
        "TO_PEAK": read_peak_times(study).loc[given.index] - first,
    }
    collected = bool((population[flag] != "").any())
    for event, distance in distances.items():
        known = distance.dropna().to_numpy(dtype=float)
        block = describe(known)
        statistics: dict[str, float | str] = {name: block[name] for name in TIMING}
        statistics |= {
            "n_given": float(len(given)),
            "n_unknown": float(len(given) - known.size),
            "n_after": float((known > 0).sum()),
            "n_not_after": float((known <= 0).sum()),
        }
        reason = "NOTCOLL" if not collected else "NOGROUP" if known.size == 0 else "FEWVAL"
        notes = explain_missing(statistics, reason)
        out.add(
            "rescue_course",
            statistics,
            dataset="ADCM",
            variable=medication,
            analyte=study.settings.analyte,
            by={"event": event},
            where=f"ERFL = Y and {flag} = Y, first ASTDY from 0 to rescue_until",
            unit="d",
            units=dict.fromkeys(("n", "n_given", "n_unknown", "n_after", "n_not_after"), ""),
            n=float(known.size),
            notes=notes,
        )
