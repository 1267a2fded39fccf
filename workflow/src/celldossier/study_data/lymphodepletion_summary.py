"""Analysis results of lymphodepletion: drugs, doses, deviations, depth, cytokines at infusion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.study_data.summary_blocks import (
    NOT_COLLECTED,
    count_judged,
    count_share,
)

DOSES = ("LDDOSED", "LDTOTA")
"""Quantities of ADLD in the unit of the dose."""
COURSES = ("LDDAYS", "LDRATIO")
"""Quantities of ADLD that are the same in any unit of the dose."""
DEPTH = (
    *("LDINFDY", "ALCPRELD", "ALCINF", "ALCNAD", "ALCNADY", "ALCDEPL"),
    *("WBCPRELD", "WBCINF", "WBCNAD", "WBCNADY", "IL7INF", "IL15INF"),
)
"""Variables of ADSL."""


def add_lymphodepletion(
    collector: ResultCollector,
    groups: Iterable[tuple[Mapping[str, str], pd.DataFrame]],
    adld: pd.DataFrame,
) -> None:
    """Add the lymphodepletion of the infused subjects before their first infusion.

    Lymphodepletion before later infusions is counted beside it. Depth and cytokines
    come from ADSL, where they are those round the first infusion.

    Parameters
    ----------
    groups
        Infused subjects (ADSL), in total and by dose level, with the level.
    adld
        Dataset ADLD. Where it has no record, nobody knows of any lymphodepletion, and the
        counts are missing with a reason.
    """
    groups = list(groups)
    everyone = groups[0][1]
    regimens = sorted(set(everyone["LDREG"]) - {""})
    drugs = sorted(adld.loc[adld["LDNO"] == 1, "LDTRT"].unique())
    for by, infused in groups:
        own = adld[adld["USUBJID"].isin(infused["USUBJID"])]
        if adld.empty:
            _add_absence(collector, by, len(infused))
            continue
        first = own[own["LDNO"] == 1]
        _add_counts(collector, by, infused, first)
        for regimen in regimens:
            _add_regimen(collector, by, regimen, infused["LDREG"])
        for drug in drugs:
            _add_drug(collector, {**by, "drug": drug}, first[first["LDTRT"] == drug], len(infused))
        _add_later(collector, by, own, len(infused))
        for variable in DEPTH:
            _add_depth(collector, by, infused[variable], everyone[variable])


def _add_absence(collector: ResultCollector, by: Mapping[str, str], infused: int) -> None:
    collector.add(
        "lymphodepletion",
        {"n": math.nan, "pct": math.nan, "n_infused": float(infused)},
        dataset="ADLD",
        variable="LDFL",
        by=by,
        units={"pct": "%"},
        n=0,
        notes=dict.fromkeys(("n", "pct"), NOT_COLLECTED),
    )


def _add_counts(
    collector: ResultCollector, by: Mapping[str, str], infused: pd.DataFrame, first: pd.DataFrame
) -> None:
    """Subjects with and without any drug, and those with a deviation from the plan."""
    total = len(infused)
    given = infused["LDFL"] == "Y"
    # An omitted drug deviates whether or not its plan has a dose.
    judged = first[first["LDDEVFL"] != ""].groupby("USUBJID")["LDDEVFL"].max()
    counts = {
        "LDFL": {**count_share(given.sum(), total), "n_infused": float(total)},
        "LDOMFL": count_share((~given).sum(), total),
        "LDDEVFL": count_judged((judged == "Y").sum(), len(judged)),
    }
    for variable, statistics in counts.items():
        collector.add(
            "lymphodepletion",
            statistics,
            dataset="ADSL" if variable == "LDFL" else "ADLD",
            variable=variable,
            by=by,
            where="SAFFL = Y, LDNO = 1",
            units={"pct": "%"},
            n=total,
            notes=explain_missing(statistics, "NOPLAN" if variable == "LDDEVFL" else "NOGROUP"),
        )


def _add_regimen(
    collector: ResultCollector, by: Mapping[str, str], regimen: str, regimens: pd.Series
) -> None:
    statistics = count_share((regimens == regimen).sum(), len(regimens))
    collector.add(
        "lymphodepletion",
        statistics,
        dataset="ADSL",
        variable="LDREG",
        by={**by, "regimen": regimen},
        where=f"SAFFL = Y, LDREG = {regimen}",
        units={"pct": "%"},
        n=float(len(regimens)),
        notes=explain_missing(statistics, "NOGROUP"),
    )


def _add_drug(
    collector: ResultCollector, place: Mapping[str, str], rows: pd.DataFrame, infused: int
) -> None:
    """One drug: subjects, those without it, deviations, doses by unit, days, intensity."""
    given = rows[rows["LDOMFL"] == "N"]
    judged = given["LDDEVFL"][given["LDDEVFL"] != ""]
    deviating = count_judged((judged == "Y").sum(), len(judged))
    unit = given["LDDOSEU"].where(given["LDTOTA"].notna(), "")
    counts = {
        **count_share(len(given), infused),
        "n_omitted": float((rows["LDOMFL"] == "Y").sum()),
        "n_deviating": deviating["n"],
        "pct_deviating": deviating["pct"],
        "n_judged": deviating["n_judged"],
        "n_nodose": float((unit == "").sum()),
    }
    where = f"LDNO = 1, LDTRT = {place['drug']}"
    collector.add(
        "lymphodepletion_drug",
        counts,
        dataset="ADLD",
        variable="LDTRT",
        by=place,
        where=where,
        units={"pct": "%", "pct_deviating": "%"},
        n=float(len(given)),
        # With the drug, a deviation is not known for want of a plan.
        notes=explain_missing(counts, "NOPLAN" if len(given) else "NOGROUP"),
    )
    labels = read_specification("ADLD").variables
    blocks = [(name, text, {"unit": text}) for text in sorted(set(unit) - {""}) for name in DOSES]
    blocks += [(name, labels[name].unit, {}) for name in COURSES]
    for variable, printed, level in blocks:
        values = given.loc[unit == printed, variable] if level else given[variable]
        absent = "NOPLAN" if variable == "LDRATIO" and len(given) else "NOVALUE"
        add_block(
            collector,
            "lymphodepletion_dose",
            values,
            dataset="ADLD",
            variable=variable,
            by={**place, **level},
            where=f"{where}, LDOMFL = N",
            unit=printed,
            extra={"n_missing": float(values.isna().sum())},
            absent=absent,
        )


def _add_later(
    collector: ResultCollector, by: Mapping[str, str], own: pd.DataFrame, infused: int
) -> None:
    """Lymphodepletion before later infusions, and that which no infusion followed."""
    given = own[own["LDOMFL"] == "N"]
    later, after = given[given["LDNO"] > 1], given[given["LDNO"] == 0]
    statistics = {
        **count_share(later["USUBJID"].nunique(), infused),
        "n_courses": float(len(later[["USUBJID", "LDNO"]].drop_duplicates())),
        "n_afterlast": float(after["USUBJID"].nunique()),
    }
    collector.add(
        "lymphodepletion",
        statistics,
        dataset="ADLD",
        variable="LDNO",
        by=by,
        where="LDOMFL = N, LDNO not 1",
        units={"pct": "%"},
        n=float(infused),
        notes=explain_missing(statistics, "NOGROUP"),
    )


def _add_depth(
    collector: ResultCollector, by: Mapping[str, str], values: pd.Series, everyone: pd.Series
) -> None:
    variable = str(values.name)
    absent = NOT_COLLECTED if everyone.isna().all() else "NOVALUE"
    add_block(
        collector,
        "lymphodepletion_depth",
        values,
        dataset="ADSL",
        variable=variable,
        by=by,
        where="SAFFL = Y",
        unit=read_specification("ADSL").variables[variable].unit,
        extra={"n_missing": float(values.isna().sum())},
        absent=absent,
    )
