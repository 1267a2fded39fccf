"""Analysis results: the one home of every reported number.

A stage collects its statistics in a `ResultCollector` and writes
``ard/<stage>.parquet`` (dataset ``ARD``); tables, figures and prose of both
languages read them back through `AnalysisResults` and never compute. The shape
follows the CDISC Analysis Results Standard and the pharmaverse analysis results
dataset: long, one row a statistic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import pandas as pd

from celldossier.datasets import conform

GROUPS = 4
"""Grouping variables that a statistic can have."""


def make_value_id(
    analysis_id: str, variable: str, analyte: str, by: Mapping[str, str], stat: str
) -> str:
    """Stable, readable identifier of one statistic.

    ``<stage>.<analysis>/<PARAMCD>/<ANALYTE>/<key>=<level>.../<stat>``: keys
    sorted, parts percent-encoded, a hyphen where there is no parameter or analyte.

    >>> make_value_id("cellular_kinetics.summary", "CMAX", "PCR", {"dose": "DL2"}, "geomean")
    'cellular_kinetics.summary/CMAX/PCR/dose=DL2/geomean'
    """
    levels = [f"{key}={quote(by[key], safe='')}" for key in sorted(by)]
    place = [quote(part, safe="#") or "-" for part in (variable, analyte)]
    return "/".join([analysis_id, *place, *levels, stat])


def explain_missing(
    statistics: Mapping[str, float | str], code: str, **codes: str
) -> dict[str, str]:
    """Reason code of each statistic that is missing: its own of `codes`, else `code`.

    >>> explain_missing({"n": 0.0, "pct": math.nan, "q": math.nan}, "NOTCOLL", q="NOTEST")
    {'pct': 'NOTCOLL', 'q': 'NOTEST'}
    """
    return {
        stat: codes.get(stat, code)
        for stat, value in statistics.items()
        if not isinstance(value, str) and math.isnan(value)
    }


class ResultCollector:
    """Collects the statistics of one stage and hands them on as the dataset ``ARD``.

    Parameters
    ----------
    stage
        Name of the stage, the first part of each value identifier.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._rows: list[dict[str, object]] = []

    def add(
        self,
        analysis: str,
        statistics: Mapping[str, float | str],
        *,
        dataset: str,
        variable: str = "",
        analyte: str = "",
        by: Mapping[str, str] | None = None,
        where: str = "",
        unit: str = "",
        units: Mapping[str, str] | None = None,
        n: float = math.nan,
        method: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """Add the statistics of one cell of an analysis.

        Parameters
        ----------
        analysis
            Name of the analysis within the stage, for instance ``summary``.
        statistics
            Name to value; a str value is kept as text, NaN needs a note.
        by
            Grouping variable to level, at most four; empty for the total.
        where
            Rows of `dataset` that were used, in the dataset's own terms.
        unit, units
            Unit of all statistics; `units` overrides it by statistic
            (``{"gcv": "%"}``).
        notes
            Reason code by statistic, for values that are missing.

        Raises
        ------
        ValueError
            If a missing value has no reason code: nothing is lost in silence.
        """
        by = dict(by or {})
        if len(by) > GROUPS:
            raise ValueError(f"{analysis}: at most {GROUPS} grouping variables, not {sorted(by)}")
        groups: dict[str, str] = {}
        for position, key in enumerate(sorted(by), start=1):
            groups[f"group{position}"] = key
            groups[f"level{position}"] = by[key]
        analysis_id = f"{self._stage}.{analysis}"
        for stat, value in statistics.items():
            text = value if isinstance(value, str) else ""
            number = math.nan if isinstance(value, str) else float(value)
            note = (notes or {}).get(stat, "")
            if math.isnan(number) and not text and not note:
                raise ValueError(f"{analysis_id}/{variable}: {stat} is missing without a reason")
            self._rows.append(
                {
                    "value_id": make_value_id(analysis_id, variable, analyte, by, stat),
                    "analysis_id": analysis_id,
                    "dataset": dataset,
                    "filter": where,
                    **groups,
                    "variable": variable,
                    "analyte": analyte,
                    "stat_name": stat,
                    "value": number,
                    "value_text": text,
                    "unit": (units or {}).get(stat, unit),
                    "n": n,
                    "method": method,
                    "note_code": note,
                }
            )

    def frame(self) -> pd.DataFrame:
        """All statistics as the dataset ``ARD``; duplicated identifiers are an error."""
        return conform(pd.DataFrame(self._rows), "ARD")


@dataclass(frozen=True)
class Value:
    """One statistic, as read back."""

    value_id: str
    number: float
    text: str
    unit: str
    n: float
    note_code: str


class AnalysisResults:
    """Read access to the analysis results of all stages of a run."""

    def __init__(self, frames: Iterable[pd.DataFrame]) -> None:
        parts = [frame for frame in frames if len(frame)]
        self.frame = (
            pd.concat(parts, ignore_index=True) if parts else conform(pd.DataFrame(), "ARD")
        )
        # A study has a hundred thousand rows, and a report reads few: places are kept, not rows.
        self._places = dict(zip(self.frame["value_id"], range(len(self.frame)), strict=True))
        self._columns = [
            self.frame[name].tolist() for name in ("value", "value_text", "unit", "n", "note_code")
        ]
        self._by_analysis = self.frame.groupby("analysis_id").indices

    def __contains__(self, value_id: str) -> bool:
        return value_id in self._places

    def get(self, value_id: str) -> Value:
        """The statistic of that identifier.

        Raises
        ------
        KeyError
            If no stage has computed it: a report never shows a number without a home.
        """
        place = self._places[value_id]
        return Value(value_id, *(column[place] for column in self._columns))

    def find(
        self,
        analysis_id: str,
        variable: str = "",
        analyte: str = "",
        by: Mapping[str, str] | None = None,
        stat: str = "n",
    ) -> Value | None:
        """The statistic at that place, or None where the analysis does not have it."""
        value_id = make_value_id(analysis_id, variable, analyte, by or {}, stat)
        return self.get(value_id) if value_id in self._places else None

    def select(self, analysis_id: str) -> pd.DataFrame:
        """All rows of one analysis, in the order of their identifiers."""
        return self.frame.iloc[self._by_analysis.get(analysis_id, [])]

    def analytes(self, analysis_id: str) -> list[str]:
        """Analytes or targets of an analysis, in sorted order."""
        return sorted(set(self.select(analysis_id)["analyte"]) - {""})

    def levels(self, analysis_id: str, key: str) -> list[str]:
        """Levels of a grouping variable in an analysis, in sorted order."""
        rows = self.select(analysis_id)
        found: set[str] = set()
        for position in range(1, GROUPS + 1):
            found |= set(rows.loc[rows[f"group{position}"] == key, f"level{position}"])
        return sorted(found)
