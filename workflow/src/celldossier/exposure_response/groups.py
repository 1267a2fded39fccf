"""Exposure in groups: by event (geometric mean ratio) and by grade (trend)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from celldossier.exposure_response.endpoint_values import NOT_COLLECTED, derive_event
from celldossier.exposure_response.plan import PRIMARY
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats import association
from celldossier.stats.descriptive import describe
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.ratio import estimate_ratio


def collect_event_ratios(study: Study, out: ResultCollector) -> None:
    """Add `ratio_by_response`: exposure with the event over exposure without it.

    The rank test takes all values, also the zeros of subjects that were never
    quantifiable; the ratio has the positive ones.
    """
    settings = study.settings
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    for endpoint in study.of_kind("binary"):
        rules = settings.unknown_response if endpoint.unknown_response else ("EXCLUDED",)
        values = study.values(endpoint).loc[population.index]
        for position, rule in enumerate(rules):
            event = derive_event(values, rule)
            name = PRIMARY if position == 0 else f"UNKNOWN_{rule}"
            for metric in settings.metrics:
                groups = [
                    population.loc[event == value, metric].dropna().to_numpy(dtype=float)
                    for value in (1.0, 0.0)
                ]
                _add_ratio(groups, endpoint, metric, name, settings, out)


def _add_ratio(
    groups: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
    endpoint: EndpointRule,
    metric: str,
    population: str,
    settings: ExposureResponseSettings,
    out: ResultCollector,
) -> None:
    ratio = estimate_ratio(groups[0], groups[1], settings.ratio_confidence_level)
    rank = association.test_wilcoxon(groups[0], groups[1])
    statistics: dict[str, float | str] = {
        "gmr": ratio.ratio,
        "gmr_low": ratio.low,
        "gmr_high": ratio.high,
        "n_ratio_event": float(ratio.n_test),
        "n_ratio_noevent": float(ratio.n_reference),
        "p_wilcoxon": rank.p,
    }
    notes = {k: ratio.reason for k in ("gmr", "gmr_low", "gmr_high") if _missing(statistics[k])}
    if rank.reason:
        notes["p_wilcoxon"] = rank.reason
    for suffix, values in zip(("event", "noevent"), groups, strict=True):
        block = {f"{stat}_{suffix}": value for stat, value in describe(values).items()}
        missing = "NOGROUP" if values.size == 0 else "FEWVAL"
        notes |= explain_missing(block, missing)
        statistics |= block
    out.add(
        "ratio_by_response",
        statistics,
        dataset="ADER",
        variable=metric,
        analyte=settings.analyte,
        by={"endpoint": endpoint.code, "population": population},
        where="ERFL = Y",
        n=float(groups[0].size + groups[1].size),
        method=f"Welch t interval on ln; {rank.method}",
        notes=notes,
    )


def _missing(value: float | str) -> bool:
    return isinstance(value, float) and math.isnan(value)


def collect_grades(study: Study, out: ResultCollector) -> None:
    """Add `grade_summary` and `grade_trend`: exposure by grade of each ordinal endpoint."""
    settings = study.settings
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    grades = {
        endpoint.code: study.values(endpoint).loc[population.index]
        for endpoint in study.of_kind("ordinal")
    }
    tests = {
        (grade, metric): association.test_jonckheere(population[metric], values["AVAL"])
        for grade, values in grades.items()
        for metric in settings.metrics
    }
    adjusted = benjamini_hochberg([test.p for test in tests.values()])
    q_values = dict(zip(tests, adjusted.tolist(), strict=True))
    for (grade, metric), test in tests.items():
        notes = {}
        if test.reason:
            not_collected = (grades[grade]["REASND"] == NOT_COLLECTED).all()
            notes = dict.fromkeys(("z", "p", "q"), "NOTCOLL" if not_collected else test.reason)
        out.add(
            "grade_trend",
            {"n": float(test.n), "z": test.statistic, "p": test.p, "q": q_values[grade, metric]},
            dataset="ADER",
            variable=metric,
            analyte=settings.analyte,
            by={"endpoint": grade},
            where="ERFL = Y",
            n=float(test.n),
            method=test.method,
            notes=notes,
        )
        of_subject = grades[grade]["AVAL"]
        for level in sorted(of_subject.dropna().unique()):
            values = population.loc[of_subject == level, metric]
            add_block(
                out,
                "grade_summary",
                values,
                dataset="ADER",
                variable=metric,
                analyte=settings.analyte,
                by={"endpoint": grade, "grade": f"{level:g}"},
                where="ERFL = Y",
                unit=study.units.get(metric, ""),
                absent="NOGROUP",
            )
