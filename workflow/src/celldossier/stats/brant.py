"""Brant's test of the proportional odds that an ordinal model assumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.logistic import (
    estimate_logistic,
)
from celldossier.stats.predictors import Vector, as_columns, standardise


@dataclass(frozen=True)
class BrantTest:
    """Test of equal slopes over the cuts of an ordinal outcome."""

    chi_squared: float
    df: int
    p: float
    levels: tuple[float, ...]
    """Lowest grade of each group of grades, after sparse grades were joined."""
    reason: str = ""


def test_proportional_odds(
    outcome: ArrayLike, predictors: ArrayLike, min_per_side: int = 5
) -> BrantTest:
    """Brant's Wald test that the slopes are the same at all cuts.

    Sparse grades are joined with the next lower one until each cut has at least
    `min_per_side` subjects on either side: a cut with two events has no slope
    worth comparing.

    Parameters
    ----------
    outcome
        Ordered grade as a number, shape (n,).
    predictors
        Predictors, shape (n, k); no missing values.
    min_per_side
        Least number of subjects on either side of a cut.

    Returns
    -------
    BrantTest
        p is NaN with ``TWOLEVEL`` where fewer than two cuts are left, with
        ``SEPAR`` or ``NOCONV`` where a cut has no maximum likelihood fit.

    References
    ----------
    Brant R (1990). Biometrics 46:1171-1178.
    """
    from scipy.special import chdtrc

    y = np.asarray(outcome, dtype=float)
    x = as_columns(predictors)
    cuts: list[float] = []
    for cut in np.unique(y)[1:]:
        above = int((y >= cut).sum())
        below = y.size - above
        between = above if not cuts else int(((y >= cuts[-1]) & (y < cut)).sum())
        # A cut that no subject divides from the one before says the same again.
        if above >= min_per_side and below >= min_per_side and between > 0:
            cuts.append(float(cut))
    levels = (float(y.min()), *cuts) if y.size else ()
    k = x.shape[1]
    df = (len(cuts) - 1) * k
    if len(cuts) < 2:
        return BrantTest(math.nan, 0, math.nan, levels, "TWOLEVEL")
    names = [f"x{j}" for j in range(k)]
    z = standardise(x)[0]
    design = np.column_stack([np.ones(y.size), z])
    slopes, probabilities = [], []
    for cut in cuts:
        fit = estimate_logistic(
            (y >= cut).astype(float), z, names, "ML", keep_firth_when_separated=False, tested=[]
        )
        if fit.reason or fit.fitted is None:
            return BrantTest(math.nan, df, math.nan, levels, fit.reason)
        slopes.append(np.array([item.estimate for item in fit.coefficients[:-1]]))
        probabilities.append(fit.fitted)
    covariance = _joint_covariance(design, probabilities)
    contrast = np.kron(
        np.column_stack([np.ones((len(cuts) - 1, 1)), -np.eye(len(cuts) - 1)]), np.eye(k)
    )
    difference = contrast @ np.concatenate(slopes)
    try:
        statistic = float(
            difference @ np.linalg.solve(contrast @ covariance @ contrast.T, difference)
        )
    except np.linalg.LinAlgError:
        return BrantTest(math.nan, df, math.nan, levels, "NOCONV")
    return BrantTest(statistic, df, float(chdtrc(df, statistic)), levels)


def _joint_covariance(design: Vector, probabilities: Sequence[Vector]) -> Vector:
    """Covariance of the slopes of all cuts together (Brant 1990, section 2)."""
    k = design.shape[1] - 1
    inverse = [np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None])) for p in probabilities]
    joint = np.zeros((len(probabilities) * k, len(probabilities) * k))
    for a, p_low in enumerate(probabilities):
        for b, p_high in enumerate(probabilities):
            if b < a:
                continue
            # P(Y >= upper cut) is contained in P(Y >= lower cut).
            weight = p_high * (1 - p_low)
            block = (inverse[a] @ (design.T @ (design * weight[:, None])) @ inverse[b])[1:, 1:]
            joint[a * k : (a + 1) * k, b * k : (b + 1) * k] = block
            joint[b * k : (b + 1) * k, a * k : (a + 1) * k] = block.T
    return joint
