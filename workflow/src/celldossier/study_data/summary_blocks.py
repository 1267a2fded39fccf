"""Counts and shares that the summaries of the study data have in common."""

from __future__ import annotations

import math

NOT_COLLECTED = "NOTCOLL"
MISSING_LEVEL = "MISSING"
"""Level under which records without a level are counted."""


def count_share(n: float, total: float) -> dict[str, float]:
    """A count and its share of a total in percent; NaN where the total is zero."""
    return {"n": float(n), "pct": 100 * n / total if total else math.nan}


def count_judged(n: float, judged: float) -> dict[str, float]:
    """A count among those who could be judged, its share of them, and their number.

    Where nobody could be judged, the count is not zero but NaN.
    """
    shares = count_share(n, judged)
    return {**shares, "n": shares["n"] if judged else math.nan, "n_judged": float(judged)}
