"""Blocks of descriptive statistics with the reason for each that is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from celldossier.stats.descriptive import describe

LISTED_BELOW = 3
"""Values; with fewer they are listed beside the block."""
NOT_COLLECTED = "NOTCOLL"


def describe_known(
    values: pd.Series, absent: str = "NOVALUE"
) -> tuple[dict[str, float | str], dict[str, str]]:
    """Statistics of the known values, how many are missing, and notes.

    Parameters
    ----------
    absent
        Reason code where no value is known.

    Returns
    -------
    tuple
        Statistics by name: those of `describe`, ``n_missing``, and ``values`` where there are
        fewer than three; then the reason code of each that is missing.
    """
    known = values.dropna()
    statistics: dict[str, float | str] = {**describe(known.to_numpy())}
    statistics["n_missing"] = float(values.isna().sum())
    if 0 < len(known) < LISTED_BELOW:
        statistics["values"] = "; ".join(f"{value:.6g}" for value in known)
    return statistics, note_missing(statistics, "FEWVAL" if len(known) else absent)


def count_share(n: float, total: float) -> dict[str, float]:
    """A count and its share of a total in percent; NaN where the total is zero."""
    return {"n": float(n), "pct": 100 * n / total if total else math.nan}


def count_judged(n: float, judged: float) -> dict[str, float]:
    """A count among those who could be judged, its share of them, and their number.

    Where nobody could be judged, the count is not zero but NaN.
    """
    shares = count_share(n, judged)
    return {**shares, "n": shares["n"] if judged else math.nan, "n_judged": float(judged)}


def note_missing(statistics: Mapping[str, float | str], code: str) -> dict[str, str]:
    """Reason code of each statistic that is missing."""
    return {
        stat: code
        for stat, value in statistics.items()
        if not isinstance(value, str) and math.isnan(value)
    }
