"""The block of descriptive statistics of one cell, which every stage reports in one way."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from celldossier.results.analysis_results import ResultCollector, explain_missing
from celldossier.stats.descriptive import BLOCK, describe
from celldossier.stats.proportion import clopper_pearson

LISTED_BELOW = 3
"""Number of values below which they are listed beside their statistics (science.md G-19)."""

BLOCK_METHOD = (
    "geometric statistics of the values above 0; quartiles by linear interpolation (type 7)"
)

BLOCK_UNITS = {"n": "", "gcv": "%"}
"""Units of the statistics that do not have the unit of the values."""

GEOMETRIC = ("geomean", "gcv")
"""Statistics of the block that stand on the values above 0 only."""

SHARE_UNITS = {"pct": "%", "ci_low": "%", "ci_high": "%"}
"""Units of `describe_share`."""


def list_few(values: ArrayLike) -> dict[str, str]:
    """The known values in rising order as the statistic ``values``, where they are few.

    Parameters
    ----------
    values
        Values, shape (n,); NaN are not listed.

    Returns
    -------
    dict
        ``{"values": "1; 2.5"}``, six significant digits; empty where there is no value, or
        `LISTED_BELOW` of them or more.

    >>> list_few([2.5, math.nan, 1.0])
    {'values': '1; 2.5'}
    """
    x = np.asarray(values, dtype=float)
    known = np.sort(x[~np.isnan(x)])
    if not 0 < known.size < LISTED_BELOW:
        return {}
    return {"values": "; ".join(f"{value:.6g}" for value in known)}


def describe_share(count: int, n: int, level: float = 0.95) -> dict[str, float]:
    """A count of subjects or samples among those in whom it could be seen, with its interval.

    Parameters
    ----------
    count, n
        Those with the event, and the denominator.
    level
        Confidence level of the exact interval.

    Returns
    -------
    dict
        ``n``, ``denominator``, and ``pct``, ``ci_low`` and ``ci_high`` in %, NaN without a
        denominator.

    References
    ----------
    Clopper CJ, Pearson ES (1934), Biometrika 26:404-413.

    >>> describe_share(0, 0)["pct"]
    nan
    """
    low, high = clopper_pearson(count, n, level)
    return {
        "n": float(count),
        "denominator": float(n),
        "pct": 100 * count / n if n else math.nan,
        "ci_low": 100 * low,
        "ci_high": 100 * high,
    }


def add_block(
    out: ResultCollector,
    analysis: str,
    values: ArrayLike,
    *,
    dataset: str,
    variable: str,
    where: str,
    unit: str,
    analyte: str = "",
    by: Mapping[str, str] | None = None,
    extra: Mapping[str, float] | None = None,
    absent: str = "NOVALUE",
    n: float | None = None,
    withheld: Mapping[str, str] | None = None,
    of_positive: bool = False,
    method: str = "",
) -> None:
    """Add the statistic block of one cell, and the values themselves where they are few.

    Parameters
    ----------
    values
        Values in `unit`, shape (n,); NaN where there is none.
    extra
        Further counts, without a unit, such as ``{"n_nc": 3}``.
    absent
        Reason code where no value is known; too few for a statistic is ``FEWVAL``.
    n
        Number that the statistics rest on, where it is not that of the values.
    withheld
        Statistics that are not to be shown although they could be computed, and the reason
        code. Where the mean is withheld, no values are listed either.
    of_positive
        Whether the geometric statistics carry the number of the values above 0, and its
        reason, rather than those of all values.
    """
    x = np.asarray(values, dtype=float)
    block = describe(x)
    hidden = dict(withheld or {})
    block |= dict.fromkeys(hidden, math.nan)
    known = {stat: block["n"] for stat in BLOCK}
    if of_positive:
        known |= dict.fromkeys(GEOMETRIC, float(np.sum(x > 0)))
    reasons = {stat: "FEWVAL" if count else absent for stat, count in known.items()} | hidden
    listed = {} if "mean" in hidden else list_few(x)
    geometric: dict[str, float | str] = {stat: block.pop(stat) for stat in GEOMETRIC}
    others: dict[str, float | str] = {**block, **(extra or {}), **listed}
    for statistics, count in ((geometric, known["geomean"]), (others, known["n"])):
        out.add(
            analysis,
            statistics,
            dataset=dataset,
            variable=variable,
            analyte=analyte,
            by=by,
            where=where,
            unit=unit,
            units=BLOCK_UNITS | dict.fromkeys(extra or {}, ""),
            n=count if n is None else n,
            method=method,
            notes=explain_missing(statistics, absent, **reasons),
        )
