"""Least squares of continuous broken lines, for many series of points and many knots at once.

A broken line is given by its values at the knots, and each point lies between two of them.
So the normal equations are tridiagonal, and each entry is a sum over the points between two
knots: these sums are computed once for every pair of points, and every choice of knots is
assembled from them.

Two neighbouring pieces are joined at a point of the series (one knot, one value), or they are
fitted apart and meet between two points, where their lines intersect (Hudson 1966).

References
----------
Hudson DJ. Fitting segmented curves whose join points have to be estimated. J Am Stat Assoc
1966;61:1097-1129.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairSums:
    """Sums over the points after point a up to point b, for all a < b; shape (series, n, n).

    With u running from 0 at a to 1 at b: aa the sum of (1 - u)^2, ab of u (1 - u), bb of u^2,
    ya of (1 - u) y, yb of u y. `x` and the centred `y` have the shape (series, n).
    """

    x: Floats
    y: Floats
    aa: Floats
    ab: Floats
    bb: Floats
    ya: Floats
    yb: Floats

    @property
    def square(self) -> Floats:
        """Sum of the squares of `y` of each series."""
        return np.asarray((self.y * self.y).sum(axis=1))


@dataclass(frozen=True)
class Lines:
    """Fitted pieces: values at their first and last points, slopes, and sum of squares."""

    left: tuple[Floats, ...]
    right: tuple[Floats, ...]
    slope: tuple[Floats, ...]
    sse: Floats


def sum_pairs(x: Floats, y: Floats) -> PairSums:
    """The sums of all pairs of points.

    Parameters
    ----------
    x, y
        Shape (series, n); `x` rising within a series, `y` centred by the caller.
    """
    series, n = x.shape
    sums = [np.zeros((series, n, n)) for _ in range(5)]
    for a in range(n - 1):
        for b in range(a + 1, n):
            u = (x[:, a + 1 : b + 1] - x[:, [a]]) / (x[:, [b]] - x[:, [a]])
            v, part = 1 - u, y[:, a + 1 : b + 1]
            for total, term in zip(sums, (v * v, u * v, u * u, v * part, u * part), strict=True):
                total[:, a, b] = term.sum(axis=1)
    return PairSums(x, y, *sums)


def fit_lines(
    sums: PairSums,
    rows: Ints,
    starts: Sequence[Ints],
    ends: Sequence[Ints],
    *,
    joined: Sequence[bool],
    flat_last: bool = False,
) -> Lines:
    """Fit broken lines whose pieces run from point `starts[i]` to point `ends[i]`.

    Parameters
    ----------
    rows, starts, ends
        Series and points, of shapes that broadcast together; each piece ends after its start.
    joined
        For each neighbouring pair of pieces: whether they share a point and their value in it.
        Otherwise the next piece starts at the next point, and the pieces are fitted apart.
    flat_last
        Whether the last piece is level.
    """
    shape = np.broadcast_shapes(rows.shape, starts[-1].shape, ends[0].shape)
    diagonal: list[Floats] = []
    beside: list[Floats] = []  # entry beside the diagonal, towards the next node
    known: list[Floats] = []
    places: list[tuple[int, int]] = []
    for piece, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if piece == 0 or not joined[piece - 1]:
            diagonal.append(np.ones(shape))
            beside.append(np.zeros(shape))
            known.append(np.zeros(shape) + sums.y[rows, start])
        node = len(diagonal) - 1
        diagonal[node] = diagonal[node] + sums.aa[rows, start, end]
        known[node] = known[node] + sums.ya[rows, start, end]
        if flat_last and piece == len(starts) - 1:
            both = 2 * sums.ab[rows, start, end] + sums.bb[rows, start, end]
            diagonal[node] = diagonal[node] + both
            known[node] = known[node] + sums.yb[rows, start, end]
            places.append((node, node))
            continue
        beside[node] = beside[node] + sums.ab[rows, start, end]
        diagonal.append(np.zeros(shape) + sums.bb[rows, start, end])
        beside.append(np.zeros(shape))
        known.append(np.zeros(shape) + sums.yb[rows, start, end])
        places.append((node, node + 1))
    values = _solve_tridiagonal(diagonal, beside, known)
    sse = np.broadcast_to(sums.square[rows], shape).copy()
    for part, value in zip(known, values, strict=True):
        sse -= part * value
    left = tuple(values[first] for first, _ in places)
    right = tuple(values[last] for _, last in places)
    slope = tuple(
        (high - low) / (sums.x[rows, end] - sums.x[rows, start])
        for low, high, start, end in zip(left, right, starts, ends, strict=True)
    )
    # What cancels to less than rounding is no misfit.
    return Lines(left, right, slope, np.maximum(sse, 0.0))


def find_crossing(sums: PairSums, rows: Ints, lines: Lines, piece: int, end: Ints) -> Floats:
    """Abscissa at which a piece meets the next one; NaN where not between point `end` and the next.

    Parameters
    ----------
    piece, end
        Number of the piece, and its last point; the next piece starts at the next point.
    """
    gap = sums.x[rows, end + 1] - sums.x[rows, end]
    step = lines.left[piece + 1] - lines.right[piece] - lines.slope[piece + 1] * gap
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = step / (lines.slope[piece] - lines.slope[piece + 1])
        inside = (beyond >= 0) & (beyond <= gap)
    return np.where(inside, sums.x[rows, end] + np.where(inside, beyond, 0.0), np.nan)


def _solve_tridiagonal(
    diagonal: list[Floats], beside: list[Floats], known: list[Floats]
) -> list[Floats]:
    """Thomas' algorithm on symmetric positive definite systems, one array a node."""
    pivot, rest = [diagonal[0]], [known[0]]
    for node in range(1, len(diagonal)):
        factor = beside[node - 1] / pivot[-1]
        pivot.append(diagonal[node] - factor * beside[node - 1])
        rest.append(known[node] - factor * rest[-1])
    values = [rest[-1] / pivot[-1]]
    for node in range(len(diagonal) - 2, -1, -1):
        values.append((rest[node] - beside[node] * values[-1]) / pivot[node])
    return values[::-1]
