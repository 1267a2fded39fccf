"""Precision to be expected at the numbers of subjects obtained and planned (S3.2-13).

Analyses, for tables, figures and templates; `dose` is left out for all subjects together:

===================== ==================== ============== =======================================
analysis              variable             by             statistics
===================== ==================== ============== =======================================
precision_exposure    parameter, `analyte` none, or dose  n (values above 0), n_notabove (not above
                                                          0), geomean, ci_low, ci_high, sd, sd_high,
                                                          ratio, ratio_high, n_planned,
                                                          ratio_planned, ratio_planned_high
precision_size        parameter, `analyte` factor, and    n_needed, n_assured
                                           none, or dose
precision_events      EVENT                rate, size,    n, chance, width_exact, width_wilson
                                           none, or dose
precision_silent      EVENT                size, and      n, rate
                                           none, or dose
precision_event_size  EVENT                rate           n_needed
precision_part        PART                 part           n
===================== ==================== ============== =======================================

`sd` is the standard deviation of the natural logarithms and `sd_high` its upper limit; `ratio` is
the upper over the lower confidence limit of the geometric mean, `_high` at the upper limit of the
standard deviation. Where more than half of the values are not above 0 there is no geometric
mean, as in the other summaries, and nothing that rests on it. A size is OBTAINED or PLANNED.
Chances, rates and widths are percentages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.precision import PrecisionSettings
from celldossier.stats.precision import (
    chance_of_event,
    expected_width,
    interval_factor,
    largest_silent_rate,
    size_for_event,
    size_for_factor,
    upper_limit_of_sd,
)
from celldossier.terms.order import natural_order

FEW = 3
"""Below this number of values a standard deviation is not used."""


def summarise_precision(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """State what the numbers of subjects can tell of exposure and of events; no curves."""
    rules = study.settings.precision
    infused = study.sources.adsl.loc[study.sources.adsl["SAFFL"] == "Y"]
    for level in _groups(study, infused):
        by = {} if level is None else {"dose": level}
        planned = _planned(rules, level)
        members = infused if level is None else infused[infused["TRT01A"] == level]
        for code, values in _exposure(study, members).items():
            _add_exposure(values, Place(code, study.settings.analyte, by), rules, planned, out)
        for size, n in (("OBTAINED", len(members)), ("PLANNED", planned)):
            _add_events({"size": size, **by}, n, rules, out)
    for part in sorted(set(infused["PART"]) - {""}):
        out.add(
            "precision_part",
            {"n": float((infused["PART"] == part).sum())},
            dataset="ADSL",
            variable="PART",
            by={"part": part},
            where="SAFFL = Y",
        )
    for rate in rules.event_rates:
        out.add(
            "precision_event_size",
            {"n_needed": float(size_for_event(rate, rules.event_chance))},
            dataset="ADSL",
            variable="EVENT",
            by={"rate": f"{rate:g}"},
        )
    return []


@dataclass(frozen=True)
class Place:
    """Where the precision of one parameter in one group stands in the results."""

    code: str
    analyte: str
    by: dict[str, str]


def _groups(study: Study, infused: pd.DataFrame) -> Iterator[str | None]:
    """All subjects (None), then each dose level that was given or planned."""
    yield None
    if study.settings.by_dose:
        levels = set(infused["TRT01A"]) | set(study.settings.precision.planned_by_dose)
        yield from natural_order(levels - {""})


def _planned(rules: PrecisionSettings, level: str | None) -> int | None:
    if level is not None:
        return rules.planned_by_dose.get(level)
    return rules.planned_total or sum(rules.planned_by_dose.values()) or None


def _exposure(study: Study, members: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Values of each parameter over the whole course."""
    adpp = study.sources.adpp
    here = (adpp["PARCAT1"] == study.settings.analyte) & (adpp["PROFTYP"] == "COURSE")
    kept = adpp[here & adpp["AVAL"].notna()].merge(members[KEY], on=KEY)
    return {code: kept[kept["PARAMCD"] == code] for code in study.settings.precision.parameters}


def _add_exposure(
    values: pd.DataFrame,
    place: Place,
    rules: PrecisionSettings,
    planned: int | None,
    out: ResultCollector,
) -> None:
    # A value of 0 has no logarithm.
    positive = values.loc[values["AVAL"] > 0, "AVAL"].to_numpy(dtype=float)
    n, n_notabove = positive.size, len(values) - positive.size
    mostly_none = n_notabove > n
    logs = np.log(positive)
    level = rules.confidence_level
    reason = "BLQHALF" if mostly_none else "FEWVAL" if n else "NOVALUE"
    enough = n >= FEW and not mostly_none
    mean = float(logs.mean()) if n and not mostly_none else math.nan
    sd = float(logs.std(ddof=1)) if enough else math.nan
    high = upper_limit_of_sd(sd, n - 1, rules.sd_limit) if enough else math.nan
    factor = interval_factor(sd, n, level)
    statistics = {
        "n": float(n),
        "n_notabove": float(n_notabove),
        "geomean": math.exp(mean),
        "ci_low": math.exp(mean) / factor,
        "ci_high": math.exp(mean) * factor,
        "sd": sd,
        "sd_high": high,
        "ratio": factor**2,
        "ratio_high": interval_factor(high, n, level) ** 2,
    }
    notes = dict.fromkeys(statistics, reason)
    size = planned or 0
    statistics |= {
        "n_planned": float(planned) if planned else math.nan,
        "ratio_planned": interval_factor(sd, size, level) ** 2,
        "ratio_planned_high": interval_factor(high, size, level) ** 2,
    }
    for name in ("n_planned", "ratio_planned", "ratio_planned_high"):
        notes[name] = "NOSIZE" if planned is None else "FEWVAL" if planned < 2 else reason
    units = set(values["AVALU"]) - {""}
    out.add(
        "precision_exposure",
        statistics,
        dataset="ADPP",
        variable=place.code,
        analyte=place.analyte,
        by=place.by,
        where="AVAL > 0",
        units=dict.fromkeys(("geomean", "ci_low", "ci_high"), units.pop() if units else ""),
        n=float(n),
        method="Student t of logarithms; chi-square limit of the standard deviation",
        notes=_of_missing(statistics, notes),
    )
    for aim in rules.factors:
        chances = {"n_needed": None, "n_assured": rules.assurance}
        sizes = {name: _size(sd, aim, level, assurance) for name, assurance in chances.items()}
        out.add(
            "precision_size",
            sizes,
            dataset="ADPP",
            variable=place.code,
            analyte=place.analyte,
            by={"factor": f"{aim:g}", **place.by},
            where="AVAL > 0",
            n=float(n),
            method="Kupper and Hafner (1989)",
            notes=explain_missing(sizes, reason if math.isnan(sd) else "MANYSUBJ"),
        )


def _size(sd: float, aim: float, level: float, assurance: float | None) -> float:
    size = None if math.isnan(sd) else size_for_factor(sd, aim, level, assurance)
    return math.nan if size is None else float(size)


def _of_missing(statistics: dict[str, float], notes: dict[str, str]) -> dict[str, str]:
    """Reasons of the values that are missing; one beside a value would contradict it."""
    return {name: notes[name] for name, value in statistics.items() if math.isnan(value)}


def _add_events(
    by: dict[str, str], n: int | None, rules: PrecisionSettings, out: ResultCollector
) -> None:
    """Chances, widths and limits at one number of subjects; empty where it is not declared."""
    number = math.nan if n is None else float(n)
    reason = "NOSIZE" if n is None else "NOGROUP"
    silent = {"n": number, "rate": 100 * largest_silent_rate(n or 0, rules.event_chance)}
    out.add(
        "precision_silent",
        silent,
        dataset="ADSL",
        variable="EVENT",
        by=by,
        where="SAFFL = Y",
        units={"rate": "%"},
        n=number,
        method="Exact, one-sided",
        notes=explain_missing(silent, reason),
    )
    for rate in rules.event_rates:
        widths = {
            name: 100 * expected_width(rate, n or 0, method, rules.confidence_level)
            for name, method in (("width_exact", "clopper_pearson"), ("width_wilson", "wilson"))
        }
        chance = 100 * chance_of_event(rate, n) if n else math.nan
        seen = {"n": number, "chance": chance, **widths}
        out.add(
            "precision_events",
            seen,
            dataset="ADSL",
            variable="EVENT",
            by={"rate": f"{rate:g}", **by},
            where="SAFFL = Y",
            unit="%",
            units={"n": ""},
            n=number,
            method="Binomial distribution; Clopper-Pearson and Wilson intervals",
            notes=explain_missing(seen, reason),
        )
