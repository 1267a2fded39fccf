"""Analysis results of the analytical runs and of the way of the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.study_data.biospecimens import SAMPLE, STEPS
from celldossier.study_data.summary_blocks import MISSING_LEVEL, NOT_COLLECTED

PASSED = {"cal": ("CALPASS", "CALTOT"), "qc": ("QCPASS", "QCTOT")}
"""Share: its counts of a run, within limits and in all."""
COUNTS = ("n_collected", "n_received", "n_analysed", "n_reported")


def add_runs(collector: ResultCollector, adrun: pd.DataFrame) -> None:
    """Acceptance of the runs in all, and by analyte, version of the assay and laboratory.

    A share of controls within limits is that of the runs which give both counts.
    """
    if adrun.empty:
        absent = {"runs": math.nan}
        collector.add(
            "assay_runs", absent, dataset="ADRUN", notes=explain_missing(absent, NOT_COLLECTED)
        )
        return
    collector.add("assay_runs", _count_runs(adrun), dataset="ADRUN", units={"pct_accepted": "%"})
    named = adrun.assign(
        **{name: adrun[name].where(adrun[name] != "", MISSING_LEVEL) for name in ("ASSAYV", "LAB")}
    )
    for (analyte, version, laboratory), runs in named.groupby(
        ["PARAMCD", "ASSAYV", "LAB"], sort=True
    ):
        by = {"version": str(version), "laboratory": str(laboratory)}
        rejected = runs[runs["STATUS"] == "REJECTED"]
        statistics = _count_runs(runs)
        for name, (passed, total) in PASSED.items():
            known = runs[runs[passed].notna() & (runs[total] > 0)]
            statistics |= {
                f"{name}_passed": known[passed].sum() if len(known) else math.nan,
                f"{name}_total": known[total].sum() if len(known) else math.nan,
                f"pct_{name}": (
                    100 * known[passed].sum() / known[total].sum() if len(known) else math.nan
                ),
            }
        collector.add(
            "assay_runs",
            statistics,
            dataset="ADRUN",
            analyte=str(analyte),
            by=by,
            units={name: "%" for name in statistics if name.startswith("pct")},
            notes=explain_missing(statistics, NOT_COLLECTED),
        )
        reasons = rejected["REASON"].where(rejected["REASON"] != "", MISSING_LEVEL)
        for reason, count in reasons.value_counts().sort_index().items():
            collector.add(
                "assay_run_reasons",
                {"n": float(count)},
                dataset="ADRUN",
                analyte=str(analyte),
                by={**by, "reason": str(reason)},
                where="STATUS = REJECTED",
            )


def _count_runs(runs: pd.DataFrame) -> dict[str, float]:
    accepted = float((runs["STATUS"] == "ACCEPTED").sum())
    return {
        "runs": float(len(runs)),
        "n_accepted": accepted,
        "pct_accepted": 100 * accepted / len(runs),
        "n_rejected": len(runs) - accepted,
        "n_repeats": float((runs["REPEATOF"] != "").sum()),
        "n_results": float(runs["NRESULT"].sum()),
    }


def add_samples(collector: ResultCollector, adsamp: pd.DataFrame) -> None:
    """Samples that reached each step, in all and by analyte and specimen, and why others did not.

    The numbers are nested: those that reached a step less those that reached the next are the
    sum of the reasons at that step.
    """
    if adsamp.empty:
        absent = {"n_collected": math.nan}
        collector.add(
            "samples", absent, dataset="ADSAMP", notes=explain_missing(absent, NOT_COLLECTED)
        )
        return
    _add_way(collector, "", {}, _count_tubes(adsamp))
    named = adsamp.assign(
        **{
            name: adsamp[name].where(adsamp[name] != "", MISSING_LEVEL)
            for name in ("PARAMCD", "ASPEC")
        }
    )
    for (analyte, specimen), rows in named.groupby(["PARAMCD", "ASPEC"], sort=True):
        _add_way(collector, str(analyte), {"specimen": str(specimen)}, rows)


def _count_tubes(adsamp: pd.DataFrame) -> pd.DataFrame:
    """One row a sample: as far as all its analytes are, unstable where one is."""
    if not adsamp.duplicated(SAMPLE).any():
        return adsamp
    level = adsamp["STATE"].map({step: place for place, step in enumerate(STEPS)})
    groups = adsamp.assign(LEVEL=level).groupby(SAMPLE, sort=False)
    tubes = groups.agg(LEVEL=("LEVEL", "min"), DCOLANL=("DCOLANL", "max"))
    # Blank is before N, N before Y.
    tubes = tubes.assign(RESFL=groups["RESFL"].max(), STABFL=groups["STABFL"].max())
    return tubes.assign(STATE=tubes["LEVEL"].map(dict(enumerate(STEPS)))).reset_index()


def _add_way(
    collector: ResultCollector, analyte: str, by: Mapping[str, str], rows: pd.DataFrame
) -> None:
    level = rows["STATE"].map({step: place for place, step in enumerate(STEPS)})
    subjects = float(rows["USUBJID"].nunique())
    judged = rows["STABFL"] != ""
    kept = rows["DCOLANL"].dropna()
    statistics = {
        **{name: float((level >= place).sum()) for place, name in enumerate(COUNTS)},
        "n_results": float((rows["RESFL"] == "Y").sum()),
        "n_judged": float(judged.sum()),
        "n_unstable": float((rows["STABFL"] == "Y").sum()) if judged.any() else math.nan,
        "median_days": float(kept.median()) if len(kept) else math.nan,
        "max_days": float(kept.max()) if len(kept) else math.nan,
    }
    notes = explain_missing(statistics, "NOVALUE")
    if math.isnan(statistics["n_unstable"]):
        notes["n_unstable"] = "NOSTAB" if len(kept) else "NOVALUE"
    collector.add(
        "samples",
        statistics,
        dataset="ADSAMP",
        analyte=analyte,
        by=by,
        units={"median_days": "d", "max_days": "d"},
        n=subjects,
        notes=notes,
    )
    if not analyte:
        return
    gaps = rows[rows["GAPRSN"] != ""].groupby(["STATE", "GAPRSN"], sort=True).size()
    for state, reason, count in gaps.reset_index(name="N").itertuples(index=False):
        collector.add(
            "sample_gaps",
            {"n": float(count)},
            dataset="ADSAMP",
            analyte=analyte,
            by={**by, "state": str(state), "reason": str(reason)},
            where="STATE before REPORTED",
        )
