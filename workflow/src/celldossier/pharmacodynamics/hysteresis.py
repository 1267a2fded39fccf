"""Loops of each marker over the cells, of each subject and of the medians by day.

Analyses added (variable: marker; analyte: that of the cells):

=====  ==============================================================================
loop   n, n_clockwise, n_counter, n_unclear and their shares, n_few (subjects with too
       few points or no variation), median, q1, q3 of the signed areas; centre
       (Hodges-Lehmann) with its limits; p (sign test), q
=====  ==============================================================================

Curves: `pharmacodynamics.loop/<marker>`, medians of both by nominal day (series: the day);
`pharmacodynamics.loop_subject/<marker>/<subject>`, the points of a subject (series: the day).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.related_samples import (
    WHERE,
    Related,
    curve_points,
    relate_samples,
)
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.hysteresis import estimate_loop
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.paired_differences import estimate_hodges_lehmann, sign_test


def describe_loops(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the loops of all markers; give them as curves."""
    blocks: dict[str, tuple[dict[str, float | str], str]] = {}
    curves: list[dict[str, object]] = []
    for related in relate_samples(study):
        points = related.by_day()
        blocks[related.code] = _describe(study, points)
        curves += _medians(study, related, points) + _subjects(related, points)
    p_values = [float(statistics["p"]) for statistics, _ in blocks.values()]
    q_values = benjamini_hochberg(p_values).tolist()
    for (code, (statistics, reason)), q in zip(blocks.items(), q_values, strict=True):
        block = {**statistics, "q": q}
        out.add(
            "loop",
            block,
            dataset="ADPD",
            variable=code,
            analyte=study.settings.analyte,
            where=WHERE,
            units=dict.fromkeys(("pct_clockwise", "pct_counter", "pct_unclear"), "%"),
            n=float(block["n"]),
            method="signed area of each subject's loop, logarithms, ranges stretched to 1",
            notes=explain_missing(block, reason or "NOLIMIT"),
        )
    return curves


def _describe(study: Study, points: pd.DataFrame) -> tuple[dict[str, float | str], str]:
    """Statistics of the areas of the subjects, and why one may be missing."""
    rules = study.settings.kinetics
    loops = [
        estimate_loop(
            part["TIME"], _logs(part["X"]), _logs(part["Y"]), min_points=rules.loop_points
        )
        for _, part in points.groupby(KEY, sort=True)
    ]
    areas = np.array([loop.area for loop in loops if not math.isnan(loop.area)])
    n = areas.size
    clockwise = int((areas <= -rules.loop_area).sum())
    counter = int((areas >= rules.loop_area).sum())
    unclear = n - clockwise - counter
    centre = estimate_hodges_lehmann(areas, rules.confidence_level)
    quartiles = np.quantile(areas, [0.25, 0.5, 0.75]) if n else np.full(3, np.nan)
    share = {
        f"pct_{name}": 100 * count / n if n else math.nan
        for name, count in (
            ("clockwise", clockwise), ("counter", counter), ("unclear", unclear),
        )
    }  # fmt: skip
    statistics: dict[str, float | str] = {
        "n": float(n),
        "n_few": float(len(loops) - n),
        "n_clockwise": float(clockwise),
        "n_counter": float(counter),
        "n_unclear": float(unclear),
        **share,
        "q1": float(quartiles[0]),
        "median": float(quartiles[1]),
        "q3": float(quartiles[2]),
        "centre": centre.estimate,
        "centre_low": centre.low,
        "centre_high": centre.high,
        "p": sign_test(int((areas < 0).sum()), int((areas > 0).sum())),
    }
    return statistics, "FEWSUBJ"


def _logs(values: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Logarithms where all are positive, else the values, as of a score with a zero."""
    numbers = values.to_numpy(dtype=float)
    return np.log(numbers) if (numbers > 0).all() else numbers


def _medians(study: Study, related: Related, points: pd.DataFrame) -> list[dict[str, object]]:
    days = points.groupby("DAY").agg(X=("X", "median"), Y=("Y", "median"), N=("X", "size"))
    days = days.loc[days["N"] >= study.settings.kinetics.min_subjects]
    rows = curve_points(
        f"pharmacodynamics.loop/{related.code}",
        zip(days.index.map("{:g}".format), days["X"], days["Y"], strict=True),
        (related.cell_unit, related.unit),
        "summary",
    )
    return [{**row, "n": float(n)} for row, n in zip(rows, days["N"], strict=True)]


def _subjects(related: Related, points: pd.DataFrame) -> list[dict[str, object]]:
    several = points.loc[points.groupby(KEY)["DAY"].transform("size") >= 3]
    return [
        row
        for subject, part in several.groupby("USUBJID", sort=True)
        for row in curve_points(
            f"pharmacodynamics.loop_subject/{related.code}/{subject}",
            zip(part["DAY"].map("{:g}".format), part["X"], part["Y"], strict=True),
            (related.cell_unit, related.unit),
        )
    ]
