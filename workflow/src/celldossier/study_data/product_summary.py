"""Analysis results of the product lots given: quality attributes by process and by site."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.study_data.lots import MEASURES
from celldossier.study_data.summary_blocks import (
    MISSING_LEVEL,
    NOT_COLLECTED,
    count_judged,
    count_share,
)

BY = {"process": "PROCESS", "site": "SITE"}
"""Grouping of the lots: its variable in ADPQ."""


def add_product_attributes(
    collector: ResultCollector, infused: pd.DataFrame, adpq: pd.DataFrame, adex: pd.DataFrame
) -> None:
    """Add the attributes of the lots given to infused subjects; each lot counts once.

    Parameters
    ----------
    infused
        Infused subjects of ADSL.
    adpq, adex
        Datasets ADPQ, whose INFUSFL says which lots were given, and ADEX, which says to whom.
    """
    given = adex[adex["LOTID"].isin(adpq["LOTID"]) & (adex["DOSETYPE"] != "")]
    given = given[given["USUBJID"].isin(infused["USUBJID"])]
    used = adpq[adpq["LOTID"].isin(given["LOTID"]) & (adpq["LOTID"] != "")]
    for by, made in _group_lots(adpq):
        lots = used[used["LOTID"].isin(made["LOTID"])]
        subjects = given.loc[given["LOTID"].isin(lots["LOTID"]), "USUBJID"].nunique()
        counts = {
            "n": float(len(lots)),
            "n_subjects": float(subjects),
            "n_made": float(len(made)),
            "n_unused": float(len(made) - len(lots)),
        }
        if adpq.empty:
            counts = dict.fromkeys(counts, math.nan)
        collector.add(
            "product_lots",
            counts,
            dataset="ADPQ",
            variable="LOTID",
            by=by,
            where="INFUSFL = Y",
            n=float(subjects),
            notes=explain_missing(counts, NOT_COLLECTED),
        )
        if len(used):
            _add_release(collector, by, lots, used, float(subjects))
            for variable in MEASURES:
                _add_attribute(collector, by, lots, used[variable], variable, float(subjects))


def _group_lots(adpq: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """All lots, then those of each process and of each site."""
    yield {}, adpq
    for key, variable in BY.items():
        text = adpq[variable].where(adpq[variable] != "", MISSING_LEVEL)
        for level in sorted(set(text)):
            yield {key: level}, adpq[text == level]


def _add_release(
    collector: ResultCollector,
    by: Mapping[str, str],
    lots: pd.DataFrame,
    used: pd.DataFrame,
    subjects: float,
) -> None:
    """Lots outside the release specification, the attributes concerned, and release status."""
    outside = count_judged((lots["OOSFL"] == "Y").sum(), (lots["OOSFL"] != "").sum())
    rows: list[tuple[str, dict[str, str], dict[str, float]]] = [("OOSFL", {}, outside)]
    attributes = used["OOSVAR"].str.split(";").explode()
    rows += [
        ("OOSVAR", {"attribute": name}, {"n": float(attributes[lots.index].eq(name).sum())})
        for name in sorted(set(attributes) - {""})
    ]
    status = used["RELSTAT"].where(used["RELSTAT"] != "", MISSING_LEVEL)
    rows += [
        ("RELSTAT", {"status": name}, count_share((status[lots.index] == name).sum(), len(lots)))
        for name in sorted(set(status))
    ]
    for variable, level, statistics in rows:
        collector.add(
            "product_release",
            statistics,
            dataset="ADPQ",
            variable=variable,
            by={**by, **level},
            where="INFUSFL = Y",
            units={"pct": "%"},
            n=subjects,
            notes=explain_missing(statistics, "NOGROUP" if lots.empty else "NOLIMITS"),
        )


def _add_attribute(
    collector: ResultCollector,
    by: Mapping[str, str],
    lots: pd.DataFrame,
    all_used: pd.Series,
    variable: str,
    subjects: float,
) -> None:
    """One attribute; a potency in several units has a block in each."""
    unit = read_specification("ADPQ").variables[variable].unit
    blocks: list[tuple[dict[str, str], str, pd.Series]] = [({}, unit, lots[variable])]
    if variable == "POTENCY" and all_used.notna().any():
        blocks = [
            ({"unit": text}, text, rows)
            for text, rows in lots[variable].groupby(lots["POTENCU"], sort=True)
            if rows.notna().any()
        ]
    for level, printed, values in blocks:
        add_block(
            collector,
            "product_attribute",
            values,
            dataset="ADPQ",
            variable=variable,
            by={**by, **level},
            where="INFUSFL = Y",
            unit=printed,
            extra={"n_missing": float(values.isna().sum())},
            n=subjects,
            absent=NOT_COLLECTED if all_used.isna().all() else "NOVALUE",
        )
