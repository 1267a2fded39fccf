"""Analysis results of the phases: patterns of phases, and phases that are missing."""

from __future__ import annotations

import math

import pandas as pd

from celldossier.cellular_kinetics.groups import list_groups
from celldossier.cellular_kinetics.phases import PATTERNS
from celldossier.results import ResultCollector

POPULATION = "ADSL.PKFL = Y, first infusion"
_FLAGS = {"n_level": "LEVEL", "n_short": "SHORTSPN", "n_open": "ENDLAST"}
# Counts of phases with a flag: level, of few half-lives, ended by the last sample.

GROUPINGS: tuple[tuple[str, ...], ...] = ((), ("dose",), ("indication",), ("response",))


def add_phases(collector: ResultCollector, adph: pd.DataFrame, levels: pd.DataFrame) -> None:
    """Add the counts of patterns, of phases found, and of reasons for missing ones.

    ``phase_pattern``: subjects by pattern, of those in whom a pattern was found, and ``none``
    for those in whom none was. ``phase``: subjects in whom a phase was found, of
    all, and of the found ones those that are level, short or ended by the last sample.
    ``phase_reason``: subjects without the phase, by reason.

    Parameters
    ----------
    adph
        Dataset ADPH.
    levels
        From `derive_subject_levels`.
    """
    first = adph[(adph["DOSENO"] == 1) & adph["USUBJID"].isin(levels.index)]
    for analyte, rows in first.groupby("PARCAT1", sort=True):
        for group in list_groups(levels, *GROUPINGS):
            part = rows[rows["USUBJID"].isin(group.subjects)]
            _add_patterns(collector, part, str(analyte), group.by)
            _add_found(collector, part, str(analyte), group.by)


def _add_patterns(
    collector: ResultCollector, part: pd.DataFrame, analyte: str, by: dict[str, str]
) -> None:
    patterns = part.loc[part["PHASEN"] == 1, "PATTERN"]
    known = int((patterns != "").sum())
    counts = {pattern: int((patterns == pattern).sum()) for pattern in PATTERNS}
    for pattern, count in {**counts, "none": int((patterns == "").sum())}.items():
        total = len(patterns) if pattern == "none" else known
        collector.add(
            "phase_pattern",
            _share(count, total),
            dataset="ADPH",
            variable="PATTERN",
            analyte=analyte,
            by={"pattern": pattern, **by},
            where=POPULATION,
            units={"pct": "%"},
            n=total,
            method="count of subjects",
            notes={} if total else {"pct": "NOVALUE"},
        )


def _add_found(
    collector: ResultCollector, part: pd.DataFrame, analyte: str, by: dict[str, str]
) -> None:
    for phase, rows in part.groupby("PHASE", sort=True):
        found = int((rows["PHASEFL"] == "Y").sum())
        flags = rows["FLAG"].str.split(";").explode()
        counts = {name: int((flags == code).sum()) for name, code in _FLAGS.items()}
        collector.add(
            "phase",
            {
                **_share(found, len(rows)),
                **{"n_missing": len(rows) - found, "n_all": len(rows)},
                **counts,
            },
            dataset="ADPH",
            variable=str(phase),
            analyte=analyte,
            by=by,
            where=POPULATION,
            units={"pct": "%"},
            n=len(rows),
            method="count of subjects",
        )
        reasons = rows.loc[rows["PHASEFL"] == "N", "PHRSN"].value_counts().sort_index()
        for reason, count in reasons.items():
            collector.add(
                "phase_reason",
                {"n": int(count)},
                dataset="ADPH",
                variable=str(phase),
                analyte=analyte,
                by={"reason": str(reason), **by},
                where=POPULATION,
                n=len(rows),
                method="count of subjects",
            )


def _share(count: int, total: int) -> dict[str, float]:
    return {"n": count, "pct": 100 * count / total if total else math.nan}
