"""A contrast of two groups held against the sponsor's margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

from celldossier.stats.equivalence import test_equivalence

WITHIN, NOTWITHIN = "WITHIN", "NOTWITHIN"
"""The confidence interval lies within the margin, or it does not. Neither says comparable."""

NOMARGIN = "NOMARGIN"
"""Why there is no verdict: no margin was set."""


@dataclass(frozen=True)
class Verdict:
    """What a margin makes of a contrast.

    Attributes
    ----------
    low, high
        Interval at the level of equivalence, on the scale of the estimate.
    p
        Larger p of both one-sided tests.
    probability
        Probability that the true value lies within the margin, reference prior, 0 to 1.
    code
        ``WITHIN``, ``NOTWITHIN``, or blank with `reason`.
    reason
        Why there is no verdict.
    """

    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    probability: float = math.nan
    code: str = ""
    reason: str = ""


def judge(
    estimate: float,
    se: float,
    df: float,
    margin: tuple[float, float] | None,
    level: float,
    refused: str = "",
) -> Verdict:
    """Hold an estimate against a margin on the same scale.

    Parameters
    ----------
    estimate, se, df
        Difference of means, or of means of natural logarithms, with its standard error and
        degrees of freedom.
    margin
        Limits on the scale of the estimate; None where the sponsor set none.
    level
        Confidence level of the interval.
    refused
        Reason code why no verdict may be given, such as a closed gate; what the margin would
        make of the estimate is then not shown either.
    """
    # Without a margin the interval alone is read, on which the margin has no influence.
    lower, upper = margin or (-1.0, 1.0)
    found = test_equivalence(estimate, se, df, lower, upper, level)
    reason = refused or found.reason or ("" if margin else NOMARGIN)
    if reason:
        return Verdict(found.low, found.high, reason=reason)
    return Verdict(
        found.low,
        found.high,
        found.p,
        found.probability,
        WITHIN if found.within else NOTWITHIN,
    )


def list_verdict(verdict: Verdict, margin: tuple[float, float] | None) -> dict[str, float | str]:
    """The statistics of a verdict: margin, p of both tests, probability (%), and its code."""
    lower, upper = margin or (math.nan, math.nan)
    return {
        "margin_lower": lower,
        "margin_upper": upper,
        "p_tost": verdict.p,
        "probability": 100 * verdict.probability,
        "verdict": verdict.code or math.nan,
    }


def explain_verdict(verdict: Verdict) -> dict[str, str]:
    """Reason code of each statistic of `list_verdict` where it is missing.

    A margin is missing only where none was set.
    """
    names = ("p_tost", "probability", "verdict")
    return dict.fromkeys(("margin_lower", "margin_upper"), NOMARGIN) | dict.fromkeys(
        names, verdict.reason
    )
