"""Pairs of subjects of two groups who had the same chance of being in either."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.ratio import (
    NO_INTERVAL,
    Ratio,
    estimate_ratio,
    make_ratio,
    ratio_from_logs,
)
from celldossier.stats.weighting import estimate_treatment_weights, standardised_difference

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Balance:
    """Standardised difference of a covariate, test minus reference, before and after matching.

    NaN where it does not vary or a group has fewer than two. Both are over the standard deviation
    before matching.
    """

    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Matching:
    """Matched pairs, or the reason why there are none.

    Attributes
    ----------
    n_test, n_reference
        Subjects of each group.
    pairs
        Row of the test subject and of the reference subject of each pair, shape (p, 2), by the
        row of the test subject.
    caliper
        Largest distance within a pair, on the logit of the probability.
    balance
        Of each covariate.
    reason
        ``FEWSUBJ`` (a group is empty), ``POSITIV`` (the covariates tell the groups apart),
        ``NOMATCH`` (no two subjects within the caliper), else that of the logistic model.
    """

    n_test: int
    n_reference: int
    pairs: NDArray[np.intp]
    caliper: float = math.nan
    balance: tuple[Balance, ...] = ()
    reason: str = ""


def match_pairs(
    test: ArrayLike, covariates: ArrayLike, names: Sequence[str], caliper: float = 0.2
) -> Matching:
    """Pairs of one test and one reference subject, nearest on the logit of the propensity.

    Each subject of the smaller group in turn, hardest to match first, is given the nearest
    subject of the other group who is still free, if one lies within the caliper. Nothing is
    drawn: of equals the earlier row comes first, so that rows in a fixed order give fixed pairs.

    Parameters
    ----------
    test
        1 for a subject of the test group, 0 for one of the reference group, shape (n,).
    covariates
        What differs between the groups, shape (n, k); no missing values.
    names
        Names of the k covariates.
    caliper
        In standard deviations of the logit (root of the mean of both variances).

    References
    ----------
    Austin PC (2011), Pharm Stat 10:150-161 (width of the caliper); Austin PC (2014), Stat Med
    33:1057-1069 (greedy nearest neighbours without replacement).
    """
    if not caliper > 0:
        raise ValueError(f"a caliper lies above 0, not at {caliper}")
    group = np.asarray(test, dtype=float)
    # Without rows the number of columns cannot be told, and does not matter.
    held = np.asarray(covariates, dtype=float).reshape(group.size, -1 if group.size else 0)
    sizes = (int((group == 1).sum()), int((group == 0).sum()))
    empty = np.empty((0, 2), dtype=np.intp)
    found = estimate_treatment_weights(group, held, names)
    if found.reason or found.probability is None:
        return Matching(*sizes, empty, reason=found.reason)
    # Equal covariates may differ in the last bits of their probabilities by the row they stand in.
    odds = found.probability / (1 - found.probability)
    logit: NDArray[np.float64] = np.asarray(np.round(np.log(odds), 9), dtype=float)
    distance = caliper * _pooled_sd(logit, group == 1)
    pairs = _pair(logit, group == 1, distance)
    if len(pairs) == 0:
        return Matching(*sizes, empty, distance, reason="NOMATCH")
    kept = np.isin(np.arange(group.size), pairs).astype(float)
    balance = tuple(
        Balance(
            name,
            standardised_difference(column, group),
            standardised_difference(column, group, kept),
        )
        for name, column in zip(names, held.T, strict=True)
    )
    return Matching(*sizes, pairs, distance, balance)


def estimate_matched_ratio(values: ArrayLike, matching: Matching, level: float = 0.90) -> Ratio:
    """Geometric mean ratio test / reference of matched pairs, by the t interval of pairs.

    Parameters
    ----------
    values
        Any positive unit, shape (n,), in the rows of the matching. A pair in which one value is
        missing or not positive is left out.
    matching
        Pairs of these rows.
    level
        Confidence level.

    Returns
    -------
    Ratio
        Both counts are the pairs used; `sd` is that of one value within groups, of all values
        used. ``FEWSUBJ``: no pair, or (interval) fewer than two. ``CONSTANT``: all pairs have one
        ratio. Without pairs, the reason of the matching.

    References
    ----------
    Austin PC (2011), Multivariate Behav Res 46:399-424: matched subjects are alike, so that pairs
    and not groups are compared.
    """
    if matching.reason:
        nan = math.nan
        return Ratio(nan, nan, nan, nan, 0, 0, matching.reason)
    x = np.asarray(values, dtype=float)[matching.pairs]
    x = x[(x > 0).all(axis=1)]
    n = len(x)
    plain = estimate_ratio(x[:, 0], x[:, 1], level, "EQUAL")
    if n < 2:
        return plain
    differences = np.log(x[:, 0]) - np.log(x[:, 1])
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return make_ratio(mean, NO_INTERVAL, n, n, "CONSTANT")
    return ratio_from_logs(mean, spread / math.sqrt(n), n - 1.0, (n, n), level, plain.sd)


def _pooled_sd(logit: Vector, test: NDArray[np.bool_]) -> float:
    variances = [float(x.var(ddof=1)) if x.size > 1 else 0.0 for x in (logit[test], logit[~test])]
    return math.sqrt(sum(variances) / 2)


def _pair(logit: Vector, test: NDArray[np.bool_], distance: float) -> NDArray[np.intp]:
    """Rows of the pairs, test subject first."""
    fewer = bool(test.sum() <= (~test).sum())
    seekers, others = np.flatnonzero(test == fewer), np.flatnonzero(test != fewer)
    # Test subjects with the largest probability have the fewest of their like in the reference
    # group; reference subjects with the smallest in the test group.
    hardest = -logit[seekers] if fewer else logit[seekers]
    free = np.ones(others.size, dtype=bool)
    pairs = []
    for seeker in seekers[np.argsort(hardest, kind="stable")]:
        apart = np.where(free, np.abs(logit[others] - logit[seeker]), math.inf)
        nearest = int(apart.argmin())
        if apart[nearest] <= distance:
            free[nearest] = False
            pair = (int(seeker), int(others[nearest]))
            pairs.append(pair if fewer else pair[::-1])
    return np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2)
