"""Least squares of one pattern of phases, with the signs that its phases demand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from celldossier.cellular_kinetics.broken_lines import Lines, PairSums, find_crossing, fit_lines
from celldossier.cellular_kinetics.profiles import Bools, Floats, Ints
from celldossier.settings.phases import PhaseRules

_BETTER = 1e-9  # share of error_sd^2 by which a less simple fit must lower the sum of squares
_CHANGE = 1e-9  # a change of ln concentration over a phase by less is rounding: the course is level


@dataclass
class BestFit:
    """The best fit so far of each series of one pattern: knots, values in all knots, slopes."""

    sse: Floats
    knots: Floats
    values: Floats
    slopes: Floats
    level: Bools

    def take(self, better: Bools, knots: Floats, lines: Lines, rates: Floats, level: bool) -> None:
        """Replace the fits of the series that `better` names."""
        values = np.stack([*lines.left, lines.right[-1]], axis=-1)
        for piece in range(1, knots.shape[1] - 1):
            # At an intersection the value is that of the line before it.
            values[:, piece] = lines.left[piece - 1] + lines.slope[piece - 1] * rates[:, piece]
        self.sse[better] = lines.sse[better]
        self.knots[better] = knots[better]
        self.values[better] = values[better]
        self.slopes[better] = np.stack(lines.slope, axis=-1)[better]
        self.level[better] = level


def fit_pattern(sums: PairSums, pattern: str, rules: PhaseRules) -> BestFit:
    """The best fit of one pattern to each series.

    Where a distribution would rather fall on beyond ``distribution_until``, the limit and not
    the course has ended it: the pattern has no fit.
    """
    if not pattern.startswith("D"):
        return _search(sums, pattern, rules, np.inf)
    best = _search(sums, pattern, rules, rules.distribution_until)
    free = _search(sums, pattern, rules, np.inf)
    late = free.sse < best.sse - _BETTER * rules.error_sd**2
    best.sse[late & (free.knots[:, 1] > rules.distribution_until)] = np.inf
    return best


def _search(sums: PairSums, pattern: str, rules: PhaseRules, until: float) -> BestFit:
    """The best fit of one pattern: knots at the samples, then between; the first by `until`."""
    series, n = sums.x.shape
    pieces = len(pattern)
    best = BestFit(
        sse=np.full(series, np.inf),
        knots=np.full((series, pieces + 1), np.nan),
        values=np.full((series, pieces + 1), np.nan),
        slopes=np.full((series, pieces), np.nan),
        level=np.zeros(series, dtype=bool),
    )
    inner = np.array(list(combinations(range(1, n - 1), pieces - 1)), dtype=np.int64)
    if not len(inner):
        return best
    tolerance = _BETTER * rules.error_sd**2
    place = np.zeros((series, pieces - 1), dtype=np.int64)
    every = np.arange(series)[:, None]
    edges = [np.zeros(1, dtype=np.int64), *inner.T, np.full(1, n - 1, dtype=np.int64)]
    lowest = np.full(series, np.inf)
    early = sums.x[every, edges[1]] <= until
    for level in _levels(pattern):
        lines = fit_lines(
            sums,
            every,
            edges[:-1],
            edges[1:],
            joined=[True] * (pieces - 1),
            flat_last=level,
        )
        sse = np.where(early & _agrees(pattern, lines, level), lines.sse, np.inf)
        winner = sse.argmin(axis=1)
        least = np.take_along_axis(sse, winner[:, None], axis=1)[:, 0]
        better = least < lowest - tolerance
        lowest = np.where(better, least, lowest)
        place[better] = inner[winner[better]]
    _move_knots(sums, pattern, tolerance, until, place, np.isfinite(lowest), best)
    return best


def _levels(pattern: str) -> tuple[bool, ...]:
    """Whether the last phase is level: persistence may be, or fall by more than rounding."""
    return (True, False) if pattern.endswith("P") else (False,)


def _agrees(pattern: str, lines: Lines, level: bool) -> Bools:
    """Whether the slopes have the signs of the phases."""
    agrees = np.ones(lines.sse.shape, dtype=bool)
    for piece, phase in enumerate(pattern):
        change = lines.right[piece] - lines.left[piece]
        if phase == "E":
            agrees &= change > _CHANGE
        elif phase != "P":
            agrees &= change < -_CHANGE
        elif not level:
            agrees &= (change < -_CHANGE) & (lines.slope[piece] > lines.slope[piece - 1])
    return agrees


def _move_knots(
    sums: PairSums,
    pattern: str,
    tolerance: float,
    until: float,
    place: Ints,
    found: Bools,
    best: BestFit,
) -> None:
    """Let each knot stay at its sample, or lie in one of the intervals beside it."""
    series, n = sums.x.shape
    rows = np.arange(series)
    pieces = len(pattern)
    # Staying comes first, and a later choice must be better by more than rounding.
    for shifts in product((None, -1, 0), repeat=pieces - 1):
        ends = [
            place[:, knot] if shift is None else place[:, knot] + shift
            for knot, shift in enumerate(shifts)
        ]
        starts = [
            end if shift is None else end + 1 for end, shift in zip(ends, shifts, strict=True)
        ]
        starts = [np.zeros(series, dtype=np.int64), *starts]
        ends = [*ends, np.full(series, n - 1, dtype=np.int64)]
        possible = found.copy()
        for start, end in zip(starts, ends, strict=True):
            possible &= end > start
        if not possible.any():
            continue
        starts = [np.where(possible, start, 0) for start in starts]
        ends = [np.where(possible, end, 1) for end in ends]
        for level in _levels(pattern):
            lines = fit_lines(
                sums,
                rows,
                starts,
                ends,
                joined=[shift is None for shift in shifts],
                flat_last=level,
            )
            knots = [sums.x[:, 0]]
            for knot, shift in enumerate(shifts):
                end = np.minimum(ends[knot], n - 2)
                crossing = find_crossing(sums, rows, lines, knot, end)
                knots.append(sums.x[rows, ends[knot]] if shift is None else crossing)
            knots.append(sums.x[:, -1])
            edge = np.stack(knots, axis=-1)
            since = np.zeros_like(edge)
            for piece in range(1, pieces):
                since[:, piece] = edge[:, piece] - sums.x[rows, starts[piece - 1]]
            valid = possible & np.isfinite(edge).all(axis=1)
            valid &= (np.diff(np.nan_to_num(edge), axis=1) > 0).all(axis=1)
            valid &= _agrees(pattern, lines, level) & (edge[:, 1] <= until)
            better = valid & (lines.sse < best.sse - tolerance)
            best.take(better, edge, lines, since, level)
