"""Analysis results of the sampling: plan against samples by nominal time, and adequacy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.groups import list_groups
from celldossier.cellular_kinetics.sampling_adequacy import CRITERIA
from celldossier.cellular_kinetics.summaries import STAGE
from celldossier.results import ResultCollector
from celldossier.settings.sampling import SamplingRules

GROUPINGS: tuple[tuple[str, ...], ...] = ((), ("dose",))


def summarise_sampling(
    compared: pd.DataFrame,
    adsa: pd.DataFrame,
    parameters: pd.DataFrame,
    levels: pd.DataFrame,
    rules: SamplingRules,
) -> pd.DataFrame:
    """All analysis results of the sampling (dataset ARD).

    Parameters
    ----------
    compared
        From `compare_with_plan`.
    adsa
        Dataset ADSA.
    parameters
        Parameters of the courses: USUBJID, PARCAT1, PARAMCD, AVAL; TMAX is read.
    levels
        From `derive_subject_levels`.

    Returns
    -------
    DataFrame
        ``sampling_time`` by nominal time, ``sampling_adequacy`` by criterion and dose,
        ``sampling_reason`` by criterion and reason, ``sampling_peak`` by dose: the nominal time
        that lies nearest to the median Tmax of the group.
    """
    collector = ResultCollector(STAGE)
    _add_times(collector, compared, rules)
    for analyte, rows in adsa.groupby("PARCAT1", sort=True):
        for group in list_groups(levels, *GROUPINGS):
            part = rows[rows["USUBJID"].isin(group.subjects)]
            _add_adequacy(collector, part, str(analyte), group.by)
    for analyte, rows in compared[compared["HASRES"]].groupby("PARAMCD", sort=True):
        peaks = parameters[(parameters["PARAMCD"] == "TMAX") & (parameters["PARCAT1"] == analyte)]
        for group in list_groups(levels, *GROUPINGS):
            here = rows[rows["USUBJID"].isin(group.subjects) & (rows["NFRLT"] > 0)]
            own = peaks.loc[peaks["USUBJID"].isin(group.subjects), "AVAL"].dropna()
            _add_peak(collector, here, own, str(analyte), group.by, rules)
    return collector.frame()


def _add_times(collector: ResultCollector, compared: pd.DataFrame, rules: SamplingRules) -> None:
    """Counts of subjects by nominal time; what was planned is empty without a schedule."""
    for (analyte, day), rows in compared.groupby(["PARAMCD", "NFRLT"], sort=True):
        status = rows["STATUS"].value_counts()
        taken = rows[rows["STATUS"].isin(["TAKEN", "EXTRA"])]
        with_result = taken[taken["HASRES"]]
        windows = taken[taken["WINFL"] != ""]
        deviation = taken["TIMEDEV"].abs().dropna()
        counts: dict[str, float] = {
            "n_planned": float(len(rows) - status.get("EXTRA", 0)),
            "n_stopped": float(status.get("STOPPED", 0)),
            "n_missed": float(status.get("MISSED", 0)),
            "n_extra": float(status.get("EXTRA", 0)),
            "n_collected": float(len(taken)),
            "n_analysed": float(len(with_result)),
            "n_blq": float((with_result["BLQFL"] == "Y").sum()),
            "n_window": float(len(windows)),
            "n_inwindow": float((windows["WINFL"] == "Y").sum()),
            "median_deviation": float(deviation.median()) if len(deviation) else math.nan,
            "max_deviation": float(deviation.max()) if len(deviation) else math.nan,
        }
        notes: dict[str, str] = {}
        if not rules.schedule:
            _empty(counts, notes, "NOSCHED", "n_planned", "n_stopped", "n_missed", "n_extra")
        if not len(windows):
            _empty(counts, notes, "NOWINDOW", "n_window", "n_inwindow")
        for stat in ("median_deviation", "max_deviation"):
            if math.isnan(counts[stat]):
                notes[stat] = "NOVALUE"
        collector.add(
            "sampling_time",
            counts,
            dataset="ADPC",
            analyte=str(analyte),
            by={"visit": f"{day:g}"},
            where="ADSL.SAFFL = Y, ANL01FL = Y",
            units={"median_deviation": "d", "max_deviation": "d"},
            n=len(taken),
            method="count of subjects",
            notes=notes,
        )


def _empty(counts: dict[str, float], notes: dict[str, str], code: str, *stats: str) -> None:
    for stat in stats:
        counts[stat], notes[stat] = math.nan, code


def _add_adequacy(
    collector: ResultCollector, part: pd.DataFrame, analyte: str, by: Mapping[str, str]
) -> None:
    """Criterion by criterion: met, not met, not judged, and the measures."""
    for code in CRITERIA:
        rows = part[part["CRIT"] == code]
        flags = rows["CRITFL"].value_counts()
        yes, no = int(flags.get("Y", 0)), int(flags.get("N", 0))
        measure = rows["AVAL"].dropna()
        statistics = {
            "n": yes,
            "n_judged": yes + no,
            "n_not_judged": int(flags.get("NA", 0)),
            "pct": 100 * yes / (yes + no) if yes + no else math.nan,
            "median": float(measure.median()) if len(measure) else math.nan,
            "min": float(measure.min()) if len(measure) else math.nan,
            "max": float(measure.max()) if len(measure) else math.nan,
        }
        unit = rows["AVALU"].iloc[0] if len(rows) else ""
        collector.add(
            "sampling_adequacy",
            statistics,
            dataset="ADSA",
            variable=code,
            analyte=analyte,
            by=by,
            where="ADSL.PKFL = Y",
            unit=unit,
            units={"n": "", "n_judged": "", "n_not_judged": "", "pct": "%"},
            n=len(rows),
            method="count of subjects",
            notes={stat: "NOVALUE" for stat, value in statistics.items() if value != value},
        )
        given = rows.loc[rows["CRITRSN"] != ""].groupby(["CRITFL", "CRITRSN"], sort=True)
        for (flag, reason), group in given:
            collector.add(
                "sampling_reason",
                {"n": len(group)},
                dataset="ADSA",
                variable=code,
                analyte=analyte,
                by={"met": str(flag), "reason": str(reason), **by},
                where="ADSL.PKFL = Y",
                n=len(rows),
                method="count of subjects",
            )


def _add_peak(
    collector: ResultCollector,
    rows: pd.DataFrame,
    peaks: pd.Series,
    analyte: str,
    by: Mapping[str, str],
    rules: SamplingRules,
) -> None:
    """The nominal time nearest to the median Tmax of a group, and whether it is near enough."""
    days = np.sort(rows["NFRLT"].unique())
    known = len(days) > 0 and len(peaks) > 0
    middle = float(peaks.median()) if len(peaks) else math.nan
    nearest = float(days[np.abs(days - middle).argmin()]) if known else math.nan
    statistics: dict[str, float | str] = {
        "median_tmax": middle,
        "nearest": nearest,
        "distance": abs(nearest - middle) if known else math.nan,
    }
    if known:
        statistics["near"] = "Y" if abs(nearest - middle) <= rules.group_window else "N"
    collector.add(
        "sampling_peak",
        statistics,
        dataset="ADPP",
        variable="TMAX",
        analyte=analyte,
        by=by,
        where="ADSL.PKFL = Y",
        unit="d",
        units={"near": ""},
        n=len(peaks),
        method="median; nearest nominal time after the dose with a result",
        notes={stat: "NOVALUE" for stat, value in statistics.items() if value != value},
    )
