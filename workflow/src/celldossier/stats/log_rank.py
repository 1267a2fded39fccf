"""Comparison of the survival of groups: the log-rank test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.cox_likelihood import derive_risk_sets

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LogRankTest:
    """Log-rank test of the groups, in the order of their sorted names.

    `reason` is blank for a test; else ``NOSUBJ`` (no row), ``ONELEVEL`` (all in one group),
    ``NOEVENT``, or ``NOOVERLAP`` (at no event were the groups at risk together).
    """

    statistic: float
    df: int
    p: float
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    """Events that each group would have if the hazard were one; they add up to the events."""
    reason: str = ""


def test_log_rank(
    stop: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    start: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
) -> LogRankTest:
    """Test whether the hazard is the same in all groups.

    Parameters
    ----------
    stop
        Time of the event or of censoring, shape (n,). Who is censored at the time of an event
        counts as at risk at it.
    event
        Whether `stop` is the time of an event.
    group
        Group of each subject.
    start
        Time from which on a subject is at risk, not part of it; None: from the first.
    stratum
        Strata, within which the groups are compared.

    References
    ----------
    Mantel N (1966), Cancer Chemother Rep 50:163-170; hypergeometric variance as in R's
    survival::survdiff and statsmodels' survdiff, which has no left limit of its p value and
    fails where groups never meet.
    """
    from scipy.special import chdtrc

    end = np.asarray(stop, dtype=float)
    failed = np.asarray(event, dtype=bool)
    names, place = np.unique(np.asarray(group), return_inverse=True)
    begin = np.full(end.shape, -math.inf) if start is None else np.asarray(start, dtype=float)
    layer = np.zeros(end.shape) if stratum is None else np.asarray(stratum)
    if not end.shape == failed.shape == place.shape == begin.shape == layer.shape:
        raise ValueError("each row needs its times, its event, its group and its stratum")
    if np.isnan(end).any() or not (begin < end).all():
        raise ValueError("a row is at risk until a known time, after its start")
    code = np.unique(layer, return_inverse=True)[1].astype(np.intp)
    member = np.eye(names.size)[place] if end.size else np.zeros((0, 0))
    observed = member[failed].sum(axis=0)
    sets = derive_risk_sets(begin, end, failed, code)
    at_risk = sets.at_risk.astype(float) @ member
    died = sets.failing.sum(axis=1).astype(float)
    total = at_risk.sum(axis=1)
    share = at_risk / total[:, None]
    expected = (died[:, None] * share).sum(axis=0)
    reason = (
        ""
        if names.size > 1 and failed.any()
        else "NOSUBJ"
        if not end.size
        else "NOEVENT"
        if not failed.any()
        else "ONELEVEL"
    )
    df = max(names.size - 1, 0)
    variance = _variance(share, died, total)[1:, 1:]
    spread = np.sqrt(np.diag(variance))
    if not reason and (
        (spread < 1e-8).any()
        or float(np.linalg.eigvalsh(variance / np.outer(spread, spread))[0]) < 1e-10
    ):
        reason = "NOOVERLAP"
    counts = tuple(observed.tolist()), tuple(expected.tolist())
    if reason:
        return LogRankTest(math.nan, df, math.nan, *counts, reason)
    gap = (observed - expected)[1:]
    statistic = float(gap @ np.linalg.solve(variance, gap))
    return LogRankTest(statistic, df, float(chdtrc(df, statistic)), *counts)


def _variance(share: Floats, died: Floats, total: Floats) -> Floats:
    """Hypergeometric covariance of the events of the groups, summed over the risk sets."""
    rest = np.divide(total - died, total - 1, out=np.zeros_like(total), where=total > 1)
    weight = died * rest
    return np.asarray(
        np.diag((weight[:, None] * share).sum(axis=0)) - (weight[:, None] * share).T @ share
    )
