"""Adjustment of p values for the number of tests in a family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p values (q values) of one family by the step-up rule.

    Parameters
    ----------
    p_values
        Raw p values, shape (n,); a NaN is no test: it stays NaN and is not counted.

    Returns
    -------
    numpy.ndarray
        q values, shape (n,).

    References
    ----------
    Benjamini Y, Hochberg Y (1995). J R Stat Soc B 57:289-300.
    """
    p = np.asarray(p_values, dtype=float)
    q = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    if tested.size == 0:
        return q
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise ValueError("a p value lies outside 0 to 1")
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * order.size / np.arange(1, order.size + 1)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1)
    return q


def adjust_within_families(p_values: ArrayLike, families: Sequence[str]) -> NDArray[np.float64]:
    """Benjamini-Hochberg q values, each family on its own.

    Parameters
    ----------
    p_values
        p values, shape (m,); NaN count for nothing and stay NaN.
    families
        Family of each, length m.
    """
    p = np.asarray(p_values, dtype=float)
    labels = np.asarray(list(families), dtype=object)
    if labels.shape != p.shape:
        raise ValueError("each p value needs its family")
    q = np.full(p.shape, np.nan)
    for family in sorted(set(families)):
        members = labels == family
        q[members] = benjamini_hochberg(p[members])
    return q
