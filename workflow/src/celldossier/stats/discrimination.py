"""How well a score tells subjects with an event from those without: area under the ROC curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.association import area_under_curve

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class AreaUnderCurve:
    """Area under the ROC curve with its interval; NaN with a reason where there is none."""

    area: float
    se: float
    low: float
    high: float
    reason: str = ""


def estimate_area_under_curve(
    outcome: ArrayLike, score: ArrayLike, level: float = 0.95
) -> AreaUnderCurve:
    """Area under the ROC curve with the interval of DeLong.

    Parameters
    ----------
    outcome
        0 or 1, shape (n,).
    score
        Score that should be higher where the outcome is 1, shape (n,).
    level
        Confidence level.

    Returns
    -------
    AreaUnderCurve
        Wald interval, cut at 0 and 1. ``FEWSUBJ``: fewer than two subjects on a side;
        ``CONSTANT``: the variance is 0, as where the score separates the outcomes.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL (1988). Biometrics 44:837-845.
    """
    from scipy.special import ndtri

    y, s = np.asarray(outcome, dtype=float), np.asarray(score, dtype=float)
    area = area_under_curve(y, s)
    nan = math.nan
    if min((y == 1).sum(), (y == 0).sum()) < 2:
        return AreaUnderCurve(area, nan, nan, nan, "FEWSUBJ")
    order = compare_scores(s[y == 1][None], s[y == 0][None])[0]
    by_event, by_other = order.mean(axis=1), order.mean(axis=0)
    variance = float(by_event.var(ddof=1) / by_event.size + by_other.var(ddof=1) / by_other.size)
    if variance <= 1e-24:
        return AreaUnderCurve(area, nan, nan, nan, "CONSTANT")
    se = math.sqrt(variance)
    half = float(ndtri(0.5 + level / 2)) * se
    return AreaUnderCurve(area, se, max(0.0, area - half), min(1.0, area + half))


def compare_scores(first: Vector, second: Vector) -> Vector:
    """1 where the first score is higher, 0.5 where equal but for rounding, else 0.

    Parameters
    ----------
    first, second
        Shapes (m, a) and (m, b), m comparisons at once.

    Returns
    -------
    numpy.ndarray
        Shape (m, a, b).
    """
    difference = first[:, :, None] - second[:, None, :]
    scale = np.maximum(1.0, np.maximum(np.abs(first).max(axis=1), np.abs(second).max(axis=1)))
    difference[np.abs(difference) < 1e-12 * scale[:, None, None]] = 0.0
    return np.asarray((np.sign(difference) + 1) / 2, dtype=float)
