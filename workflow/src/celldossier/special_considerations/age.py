"""Exposure and outcomes by age group, and exposure against body weight (clause S8.1-1)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.special_considerations.groups import add_group_exposure, add_rate
from celldossier.special_considerations.study import KEY, Study
from celldossier.stats.ratio import estimate_slope_ratio
from celldossier.terms.study_terms import ADULT

EVENTS = {"CRS": 1, "CRSGE3": 3, "ICANS": 1, "ICANSGE3": 3}
"""Rates of table 85 and the lowest grade that counts; the event is the name without its grade."""


def name_age_groups(limits: tuple[float, ...]) -> list[str]:
    """Names of the groups between the limits, in years, the youngest first.

    >>> name_age_groups((12, 18, 65))
    ['<12', '12-17', '18-64', '>=65']
    >>> name_age_groups((0.5, 18))
    ['<0.5', '>=0.5, <18', '>=18']
    """
    between = [
        f"{low:g}-{high - 1:g}"
        # Whole years are written as they are counted: who is 17.9 is 17 years old.
        if float(low).is_integer() and float(high).is_integer()
        else f">={low:g}, <{high:g}"
        for low, high in pairwise(limits)
    ]
    return [f"<{limits[0]:g}", *between, f">={limits[-1]:g}"]


def read_age_groups(age: pd.Series, limits: tuple[float, ...]) -> dict[str, pd.Series]:
    """Mask of each age group; a subject of unknown age is in none.

    Parameters
    ----------
    age
        Age in years, shape (n,).
    limits
        Ages at which a group begins, rising.
    """
    edges = [-math.inf, *limits, math.inf]
    names = name_age_groups(limits)
    return {
        name: (age >= low) & (age < high)
        for name, low, high in zip(names, edges[:-1], edges[1:], strict=True)
    }


def summarise_age_groups(study: Study, out: ResultCollector) -> None:
    """Add `age_count`, `age_exposure`, `age_outcome`, `age_order` and `weight_exponent`."""
    limits, age = study.settings.age_limits, study.subjects["AGE"]
    groups = read_age_groups(age, limits)
    reference = name_age_groups(limits)[limits.index(ADULT) + 1]
    for level, mask in groups.items():
        out.add(
            "age_count",
            {"n": float(mask.sum())},
            dataset="ADSL",
            variable="AGE",
            by={"agegr": level},
            where="SAFFL = Y",
            n=float(mask.sum()),
        )
    add_group_exposure(study, out, "age_exposure", groups, reference, key="agegr", where="PKFL = Y")
    _add_outcomes(study, groups, out)
    minors, adults = age < ADULT, age >= ADULT
    out.add(
        "age_order",
        {
            "n_minors": float(minors.sum()),
            "n_adults": float(adults.sum()),
            "n_unknown": float(age.isna().sum()),
            # Minors with no adult beside them: the guideline asks for a justification.
            "reference": "ADULTS" if adults.any() else "MINORSONLY" if minors.any() else "NOAGE",
        },
        dataset="ADSL",
        variable="AGE",
        where="SAFFL = Y",
        n=float(len(age)),
    )
    _add_weight(study, out)


def _add_outcomes(study: Study, groups: dict[str, pd.Series], out: ResultCollector) -> None:
    """Objective response and CRS, ICANS by grade, of each age group."""
    sources, settings = study.sources, study.settings
    places = pd.MultiIndex.from_frame(study.subjects[KEY])
    best = sources.adrs.loc[sources.adrs["PARAMCD"] == "BOR"]
    response = best.set_index(KEY)["RESPFL"].reindex(places).reset_index(drop=True)
    evaluable = response.isin(["Y", "N"]) & (study.subjects["EFFFL"] == "Y")
    events = sources.adaesi
    collected = len(sources.adae) > 0 or len(events) > 0
    for level, mask in groups.items():
        add_rate(
            out,
            "age_outcome",
            "RESPONSE",
            (response == "Y")[mask & evaluable],
            settings.confidence_level,
            dataset="ADRS",
            by={"agegr": level},
            where="EFFFL = Y and PARAMCD = BOR",
            absent="" if len(best) else "NOTCOLL",
        )
        for name, grade in EVENTS.items():
            event = name.removesuffix("GE3")
            rows = events.loc[events["AESI"] == event]
            having, known = _read_event(rows, places, grade)
            add_rate(
                out,
                "age_outcome",
                name,
                having[mask & known],
                settings.confidence_level,
                dataset="ADAESI",
                by={"agegr": level},
                where=f"SAFFL = Y; AESI = {event}" + (f", grade {grade} or more" * (grade > 1)),
                absent="" if collected else "NOTCOLL",
            )


def _read_event(
    rows: pd.DataFrame, places: pd.MultiIndex, grade: int
) -> tuple[pd.Series, pd.Series]:
    """Whether each subject had the event from a grade on, and whether that is known.

    Of who had it without a grade, and at no known grade that counts, it is not known.
    """

    def found(part: pd.DataFrame) -> pd.Series:
        return pd.Series(places.isin(pd.MultiIndex.from_frame(part[KEY])))

    if grade == 1:
        return found(rows), pd.Series(True, index=range(len(places)))
    having = found(rows.loc[rows["ATOXGRN"] >= grade])
    return having, having | ~found(rows.loc[rows["ATOXGRN"].isna()])


def _add_weight(study: Study, out: ResultCollector) -> None:
    """Exponent of body weight: slope of ln exposure on ln weight, where weight spans enough."""
    settings, weight = study.settings, study.subjects["WTBL"]
    for metric in settings.metrics:
        exposure = study.subjects[metric]
        used = (exposure > 0) & (weight > 0)
        x, y = weight[used].to_numpy(dtype=float), exposure[used].to_numpy(dtype=float)
        span = float(x.max() / x.min()) if x.size else math.nan
        narrow = x.size > 0 and span < settings.min_weight_ratio
        # A ratio per unit of ln weight is the exponential of the exponent.
        slope = estimate_slope_ratio(y, np.log(x), 1.0, settings.confidence_level)
        estimates = {
            "exponent": slope.ratio, "exponent_low": slope.low, "exponent_high": slope.high
        }  # fmt: skip
        statistics = {
            name: math.nan if narrow or math.isnan(value) else math.log(value)
            for name, value in estimates.items()
        }
        statistics |= {
            "n": float(x.size),
            "weight_ratio": span,
            "weight_min": float(x.min()) if x.size else math.nan,
            "weight_max": float(x.max()) if x.size else math.nan,
        }
        out.add(
            "weight_exponent",
            statistics,
            dataset="ADPP",
            variable=metric,
            analyte=study.analyte,
            where="PKFL = Y and WTBL > 0",
            units={"weight_min": "kg", "weight_max": "kg"},
            n=float(x.size),
            method="linear regression of ln exposure on ln weight, t interval",
            notes=explain_missing(
                statistics, "NARROWWT" if narrow else slope.reason if x.size else "FEWSUBJ"
            ),
        )
