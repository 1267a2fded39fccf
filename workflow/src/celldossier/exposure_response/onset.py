"""Onset of CRS and ICANS against the time of the peak: which came first."""

from __future__ import annotations

import math

import pandas as pd

from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats import proportion

ONSETS = {"CRSONDY": "CRS", "ICANONDY": "ICANS"}
"""Variable of ADER with the day of onset, and the event."""


def collect_onset_and_peak(study: Study, out: ResultCollector) -> None:
    """Add `onset_peak`: subjects whose onset precedes their time of the peak, by event.

    Why it matters: where the onset comes first, the whole-profile metrics are measured after
    the event that they would explain.
    """
    settings = study.settings
    peak = study.sources.adpp
    peak = peak.loc[
        (peak["PARCAT1"] == settings.analyte)
        & (peak["PROFTYP"] == "COURSE")
        & (peak["PARAMCD"] == "TMAX")
    ].drop_duplicates(KEY)
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    tmax = peak.set_index(KEY)["AVAL"].reindex(pd.MultiIndex.from_frame(population[KEY]))
    for variable, event in ONSETS.items():
        onset = population[variable].to_numpy(dtype=float)
        having = ~pd.isna(onset)
        both = having & tmax.notna().to_numpy()
        n = int(both.sum())
        before = int((onset[both] < tmax.to_numpy(dtype=float)[both]).sum())
        low, high = math.nan, math.nan
        if n:
            low, high = proportion.clopper_pearson(before, n, settings.confidence_level)
        statistics: dict[str, float | str] = {
            "n": float(n),
            "n_event": float(having.sum()),
            "n_nopeak": float((having & ~both).sum()),
            "n_before": float(before),
            "pct_before": 100 * before / n if n else math.nan,
            "ci_low": 100 * low,
            "ci_high": 100 * high,
            "median_onset": float(pd.Series(onset[both]).median()),
            "median_tmax": float(pd.Series(tmax.to_numpy(dtype=float)[both]).median()),
        }
        out.add(
            "onset_peak",
            statistics,
            dataset="ADER",
            variable=event,
            analyte=settings.analyte,
            where="ERFL = Y",
            units={
                **dict.fromkeys(("pct_before", "ci_low", "ci_high"), "%"),
                **dict.fromkeys(("median_onset", "median_tmax"), "d"),
            },
            n=float(n),
            method="Clopper-Pearson",
            notes=explain_missing(statistics, "NOEVENT" if not having.any() else "NOCK"),
        )
