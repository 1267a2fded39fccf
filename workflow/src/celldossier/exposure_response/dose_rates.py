"""Rate of each binary endpoint at each dose level, and its trend over the levels."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.exposure_response.endpoint_values import derive_event
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.trend import test_cochran_armitage

RATES = ("pct", "pct_low", "pct_high")


def order_dose_levels(study: Study) -> pd.DataFrame:
    """Dose levels from the lowest median dose up.

    Returns
    -------
    pandas.DataFrame
        TRT01A, DOSE (median of the first dose metric of `dose_response`, or of the dose
        that the protocol counts where nobody has it; NaN where neither is known). Levels
        of unknown dose come last, by name.
    """
    ader = study.ader.loc[study.ader["TRT01A"] != ""]
    names = [*study.settings.dose_response.metrics[:1], "DOSEA"]
    metric = next((name for name in names if ader[name].notna().any()), names[-1])
    medians = ader.groupby("TRT01A")[metric].median()
    table = medians.rename("DOSE").reset_index()
    return table.sort_values(["DOSE", "TRT01A"], kind="stable", ignore_index=True)


def collect_dose_rates(study: Study, out: ResultCollector) -> None:
    """Add `dose_rate` (by dose level) and `dose_trend` for each binary endpoint.

    All infused subjects with a known outcome and dose level.
    """
    if not study.settings.dose_response.metrics:
        return
    settings = study.settings
    levels = order_dose_levels(study)
    scores = np.log2(levels["DOSE"].where(levels["DOSE"] > 0)).to_numpy(dtype=float)
    by_rank = settings.dose_response.trend_scores == "RANK"
    for endpoint in study.of_kind("binary"):
        values = study.values(endpoint)
        unknown = settings.unknown_response[0] if endpoint.unknown_response else "EXCLUDED"
        event = derive_event(values, unknown)
        counts = []
        for position, level in enumerate(levels["TRT01A"], start=1):
            own = event[study.ader["TRT01A"] == level].dropna()
            n, events = len(own), int(own.sum())
            counts.append((events, n))
            limits = clopper_pearson(events, n, settings.confidence_level)
            shares = (events / n if n else math.nan, *limits)
            rate = {name: 100 * share for name, share in zip(RATES, shares, strict=True)}
            missing = "NOTCOLL" if event.isna().all() else "NOGROUP"
            out.add(
                "dose_rate",
                {"n": float(n), "events": float(events), **rate, "order": float(position)},
                dataset="ADER",
                variable=endpoint.code,
                analyte=settings.analyte,
                by={"dose": level},
                units=dict.fromkeys(RATES, "%"),
                n=float(n),
                method="Clopper-Pearson",
                notes={} if n else dict.fromkeys(RATES, missing),
            )
        events_at, sizes = [pair[0] for pair in counts], [pair[1] for pair in counts]
        doses_known = by_rank or not np.isnan(scores).any()
        found = test_cochran_armitage(
            events_at, sizes, None if by_rank or not doses_known else scores
        )
        reason = found.reason
        if event.isna().all():
            reason = "NOTCOLL"
        elif not doses_known:
            reason = "NODOSE"
        trend: dict[str, float | str] = {"z": found.z, "p": found.p}
        trend["p_asymptotic"] = found.p_asymptotic
        notes = {}
        if reason:
            trend = dict.fromkeys(trend, math.nan)
            notes = dict.fromkeys(trend, reason)
        out.add(
            "dose_trend",
            {"n": float(sum(sizes)), "events": float(sum(events_at)), **trend},
            dataset="ADER",
            variable=endpoint.code,
            analyte=settings.analyte,
            n=float(sum(sizes)),
            method=f"Cochran-Armitage, {found.method.lower()}" if not reason else "",
            notes=notes,
        )
