"""How the odds ratio of a logistic model stands in the analysis results."""

from __future__ import annotations

import math
from collections.abc import Mapping

from celldossier.exposure_response.binary_fits import EXPOSURE
from celldossier.stats.logistic import Coefficient, LogisticFit, odds_ratio

METHODS = {
    "ML": "logistic, maximum likelihood, profile likelihood CI, likelihood ratio test",
    "FIRTH": "logistic, Firth penalty, profile penalised likelihood CI and ratio test",
}
"""Estimator of a logistic model to its name in the analysis results."""
ODDS = ("or", "or_low", "or_high", "p")

Statistics = dict[str, float | str]
Notes = dict[str, str]


def note_overflow(statistics: Mapping[str, float | str]) -> Notes:
    """Reason of the odds ratios of a fitted model that are outside the range of numbers."""
    return {
        name: "OVERFLOW"
        for name in ("or", "or_low", "or_high")
        if isinstance(value := statistics[name], float) and math.isnan(value)
    }


def describe_odds(
    item: Coefficient | None, reason: str, separated: bool = False
) -> tuple[Statistics, Notes]:
    """Odds ratio, limits and p of a coefficient, with the reasons of what is missing."""
    if item is None:
        return dict.fromkeys(ODDS, math.nan), dict.fromkeys(ODDS, reason)
    statistics: Statistics = {
        "or": odds_ratio(item.estimate),
        "or_low": odds_ratio(item.low),
        "or_high": odds_ratio(item.high),
        "p": item.p,
    }
    notes = {"or": "SEPARFIX"} if separated else {}
    return statistics, notes | note_overflow(statistics)


def describe_exposure(fit: LogisticFit | None, reason: str) -> tuple[Statistics, Notes]:
    """Ratio and coefficient of the exposure in a model, or the reason why there is none."""
    more = ("log_or", "se", "separation")
    if fit is None:
        odds, notes = describe_odds(None, reason)
        return odds | dict.fromkeys(more, math.nan), notes | dict.fromkeys(more, reason)
    slope = fit.coefficient(EXPOSURE)
    odds, notes = describe_odds(slope, "", fit.separation)
    return odds | {
        "log_or": slope.estimate,
        "se": slope.se,
        "separation": float(fit.separation),
        "model": fit.method,
    }, notes
