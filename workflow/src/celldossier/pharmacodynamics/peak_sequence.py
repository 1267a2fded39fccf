"""Which comes first: the peak of the cells, or the peak or nadir of each marker.

Analyses added (variable: marker; analyte: that of the cells):

==========  ==========================================================================
peak_order  n, n_few (subjects with too few samples of the marker), n_outside (peak of
            the cells after the window of the marker, as after a later dose); n_before,
            n_same, n_after and their shares (marker before, with, after the cells);
            n_last (extreme in the last sample that counts: it may come later); median
            days of both with quartiles; difference (marker minus cells,
            Hodges-Lehmann) with its limits, p (sign test), q; extreme (text: PEAK,
            NADIR or BEST)
==========  ==========================================================================

Curves: `pharmacodynamics.peak_order/<marker>`, a point a subject: day of the peak of the
cells (x) and of the marker (y).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from celldossier.pharmacodynamics.marker_rules import SCORES, ResolvedRule
from celldossier.pharmacodynamics.related_samples import (
    WHERE,
    MarkerParameters,
    curve_points,
    read_cell_parameter,
    select_rules,
)
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.paired_differences import estimate_hodges_lehmann, sign_test

LAST = "ATLAST"
"""Flag of an extreme in the last sample."""


def order_peaks(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the order of the peaks of all markers; give the days of each subject as curves."""
    cells = read_cell_parameter(study, "TMAX").rename(columns={"AVAL": "CELLS"})
    blocks: dict[str, dict[str, float | str]] = {}
    curves: list[dict[str, object]] = []
    rules = select_rules(study)
    values = MarkerParameters(study, rules)
    for code, rule in rules.items():
        extreme, parameter = time_parameter(rule)
        days = values.of(code, parameter).rename(columns={"AVAL": "MARKER"})
        counted = values.of(code, "PDNSAM").rename(columns={"AVAL": "COUNT"})
        both = days.merge(cells[[*KEY, "CELLS"]], on=KEY).merge(counted[[*KEY, "COUNT"]], on=KEY)
        if both.empty:
            continue
        enough = both["COUNT"] >= study.settings.kinetics.peak_samples
        inside = both["CELLS"] <= rule.window
        excluded = {
            "n_few": float((~enough).sum()),
            "n_outside": float((enough & ~inside).sum()),
        }
        both = both.loc[enough & inside]
        blocks[code] = {**_describe(study, both), **excluded, "extreme": extreme}
        points = zip(both["USUBJID"], both["CELLS"], both["MARKER"], strict=True)
        curves += curve_points(f"pharmacodynamics.peak_order/{code}", points, ("d", "d"))
    q_values = benjamini_hochberg([float(block["p"]) for block in blocks.values()])
    for (code, block), q in zip(blocks.items(), q_values.tolist(), strict=True):
        statistics = {**block, "q": q}
        days_of = [
            *(f"{name}{end}" for name in ("marker", "cells") for end in ("", "_q1", "_q3")),
            *("difference", "difference_low", "difference_high"),
        ]
        out.add(
            "peak_order",
            statistics,
            dataset="ADPDP",
            variable=code,
            analyte=study.settings.analyte,
            where=WHERE,
            units=dict.fromkeys(days_of, "d") | dict.fromkeys(_SHARES, "%"),
            n=float(block["n"]),
            method="sign test; Hodges-Lehmann estimate of the difference",
            notes=explain_missing(statistics, _reason(block)),
        )
    return curves


def time_parameter(rule: ResolvedRule) -> tuple[str, str]:
    """What of the course is compared with the peak of the cells, and its time in ADPDP."""
    if rule.kind in SCORES:
        return "BEST", "PDTBEST"
    return ("NADIR", "PDTNAD") if rule.direction == "fall" else ("PEAK", "PDTPEAK")


_SHARES = ("pct_before", "pct_same", "pct_after")


def _describe(study: Study, both: pd.DataFrame) -> dict[str, float | str]:
    rules = study.settings.kinetics
    difference = (both["MARKER"] - both["CELLS"]).to_numpy(dtype=float)
    before = int((difference < -rules.same_sample).sum())
    after = int((difference > rules.same_sample).sum())
    n = difference.size
    same = n - before - after
    found = estimate_hodges_lehmann(difference, rules.confidence_level)
    return {
        "n": float(n),
        "n_before": float(before),
        "n_same": float(same),
        "n_after": float(after),
        **{
            name: 100 * count / n if n else math.nan
            for name, count in zip(_SHARES, (before, same, after), strict=True)
        },
        "n_last": float(both["FLAG"].str.split(";").map(_at_last).sum()),
        **_quartiles("marker", both["MARKER"]),
        **_quartiles("cells", both["CELLS"]),
        "difference": found.estimate,
        "difference_low": found.low,
        "difference_high": found.high,
        "p": sign_test(before, after),
    }


def _quartiles(name: str, days: pd.Series) -> dict[str, float | str]:
    """Median under the name, quartiles beside it."""
    if days.empty:
        return dict.fromkeys((name, f"{name}_q1", f"{name}_q3"), math.nan)
    q1, median, q3 = (float(days.quantile(share)) for share in (0.25, 0.5, 0.75))
    return {name: median, f"{name}_q1": q1, f"{name}_q3": q3}


def _reason(block: Mapping[str, float | str]) -> str:
    """Why a statistic may be missing: no subject, too few, or all peaks in one sample."""
    if not block["n"]:
        return "FEWPDSAM" if block["n_few"] else "FEWSUBJ"
    return "CONSTANT" if block["n"] == block["n_same"] else "FEWSUBJ"


def _at_last(flags: list[str]) -> bool:
    return LAST in [flag.strip() for flag in flags]
