"""Loops of an effect over a concentration: their direction and their area.

Points in the order of time make a polygon. Its signed area is positive where the loop turns
counterclockwise: the effect is then larger while the concentration falls than while it rises,
as if it came later; a clockwise loop is that of an effect that comes earlier or wears off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Loop:
    """A loop on axes that are stretched to 0 and 1.

    Attributes
    ----------
    points
        Points of the loop.
    area
        Signed area, a share of the unit square; NaN with a reason: ``FEWPOINT`` (too few
        points), ``CONSTANT`` (one of the two does not vary).
    """

    points: int
    area: float = math.nan
    reason: str = ""


def signed_area(x: ArrayLike, y: ArrayLike) -> float:
    """Signed area of a polygon, positive where its corners run counterclockwise.

    The last corner is joined with the first. Parts that run in opposite directions, as in a
    figure of eight, cancel.

    Parameters
    ----------
    x, y
        Coordinates of the corners, in the order in which the polygon is walked, shape (n,).

    References
    ----------
    The surveyor's (shoelace) formula: Braden B (1986), Coll Math J 17:326-337.
    """
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return float((a * np.roll(b, -1) - np.roll(a, -1) * b).sum() / 2)


def estimate_loop(
    time: ArrayLike, concentration: ArrayLike, effect: ArrayLike, min_points: int = 3
) -> Loop:
    """Signed area of the loop of an effect over a concentration.

    Both are stretched to the range of this loop, from 0 to 1, so that the area has no unit.

    Parameters
    ----------
    time, concentration, effect
        Points, shape (n,); a point with a NaN is left out. Give logarithms of what varies by
        orders of magnitude.
    min_points
        Fewest points of a loop.
    """
    t, c, e = (np.asarray(part, dtype=float) for part in (time, concentration, effect))
    known = ~np.isnan(np.vstack([t, c, e])).any(axis=0)
    order = np.argsort(t[known], kind="stable")
    c, e = c[known][order], e[known][order]
    if c.size < max(min_points, 3):
        return Loop(c.size, reason="FEWPOINT")
    ranges = [float(np.ptp(part)) for part in (c, e)]
    if min(ranges) <= 1e-12:
        return Loop(c.size, reason="CONSTANT")
    return Loop(c.size, signed_area((c - c.min()) / ranges[0], (e - e.min()) / ranges[1]))
