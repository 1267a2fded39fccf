"""The four phases of a profile: distribution, expansion, contraction, persistence.

ln C over time is a continuous broken line of up to four pieces. Each pattern of phases in
their order (E, C, DE, EC, CP, DEC, ECP, DECP) is fitted by least squares with the signs that
its phases demand: distribution falls and ends by ``distribution_until``, expansion rises,
contraction falls, persistence falls more slowly or is level. All sampling times are tried as
knots; then each knot may move between the samples beside it, to the point where its two
lines intersect, where that lowers the sum of squares. The pattern with the least BIC is taken, in
which the residual SD is not less than ``error_sd``, so that a few points that a line meets by
chance do not make a phase.

Only quantifiable samples after the dose, up to a censoring time (R15), enter. A result below
the limit of quantitation is no point of a line; it limits a phase: after the last
quantifiable sample it ends the profile, between the first samples it hides the end of the
distribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from celldossier.cellular_kinetics.broken_lines import (
    Lines,
    PairSums,
    find_crossing,
    fit_lines,
    sum_pairs,
)
from celldossier.cellular_kinetics.profiles import Bools, Floats, Ints
from celldossier.settings.phases import PhaseRules

PHASES = "DECP"
"""Letters of the phases in their order: distribution, expansion, contraction, persistence."""

PATTERNS = ("E", "C", "DE", "EC", "CP", "DEC", "ECP", "DECP")
"""Sequences of phases that a profile may have."""

_CHUNK = 2_000_000  # fits at once; bounds the memory
_BETTER = 1e-9  # share of error_sd^2 by which a less simple fit must lower the sum of squares


@dataclass(frozen=True)
class PhaseFit:
    """The phases of each profile; NaN and "" where there are none.

    Attributes
    ----------
    pattern
        One of `PATTERNS`, or "".
    start, end
        Times of each phase, shape (profiles, 4).
    slope
        Slope of ln concentration, 1/time, shape (profiles, 4).
    log_start, log_end
        Fitted ln concentration at `start` and `end`.
    points
        Number of samples in each phase, both ends included.
    count
        Number of samples that the fit of a profile may use.
    sse, bic
        Sum of squares of the residuals, and the criterion of the pattern.
    """

    pattern: npt.NDArray[np.object_]
    start: Floats
    end: Floats
    slope: Floats
    log_start: Floats
    log_end: Floats
    points: Floats
    count: Ints
    sse: Floats
    bic: Floats


@dataclass
class _Best:
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


def find_phases(time: Floats, conc: Floats, usable: Bools, rules: PhaseRules) -> PhaseFit:
    """Find the phases of all profiles.

    Parameters
    ----------
    time, conc
        Padded arrays of shape (profiles, samples), times rising within a profile.
    usable
        Which samples are points of the lines: quantifiable, after the dose.
    rules
        Section `cellular_kinetics.phases`.
    """
    profiles = len(time)
    count = usable.sum(axis=1)
    wide = (profiles, len(PHASES))
    fit = PhaseFit(
        pattern=np.full(profiles, "", dtype=object),
        start=np.full(wide, np.nan),
        end=np.full(wide, np.nan),
        slope=np.full(wide, np.nan),
        log_start=np.full(wide, np.nan),
        log_end=np.full(wide, np.nan),
        points=np.full(wide, np.nan),
        count=count.astype(np.int64),
        sse=np.full(profiles, np.nan),
        bic=np.full(profiles, np.nan),
    )
    # Profiles of one number of points are one rectangular array: no padding in the sums.
    order = np.argsort(~usable, axis=1, kind="stable")
    for points in np.unique(count[count >= rules.min_points]):
        chosen = np.flatnonzero(count == points)
        for rows in _chunks(chosen, int(points)):
            x = np.take_along_axis(time[rows], order[rows], axis=1)[:, :points]
            c = np.take_along_axis(conc[rows], order[rows], axis=1)[:, :points]
            _fit_patterns(fit, rows, x, np.log(c), rules)
    return fit


def _chunks(rows: Ints, points: int) -> Iterator[Ints]:
    """Parts of the profiles, so small that their fits of all knots fit into memory."""
    knots = max(points - 2, 1)
    fits = max(knots * (knots - 1) * (knots - 2) // 6, points * points)
    size = max(_CHUNK // fits, 1)
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def _fit_patterns(fit: PhaseFit, rows: Ints, x: Floats, y: Floats, rules: PhaseRules) -> None:
    """Fit every pattern to series of equal length and write the best one into `fit`."""
    centre = y.mean(axis=1)
    sums = sum_pairs(x, y - centre[:, None])
    n = x.shape[1]
    best = [_fit_pattern(sums, pattern, rules) for pattern in PATTERNS]
    floor = rules.error_sd**2
    criteria = []
    for pattern, candidate in zip(PATTERNS, best, strict=True):
        # Values at all knots, and the inner knots themselves; a level phase has one value less.
        parameters = 2.0 * len(pattern) - candidate.level
        fitted = np.isfinite(candidate.sse)
        sse = np.where(fitted, candidate.sse, 0.0)
        variance = np.maximum(sse / n, floor)
        bic = n * np.log(variance) + sse / variance + parameters * np.log(n)
        criteria.append(np.where(fitted, bic, np.inf))
    table = np.stack(criteria, axis=-1)
    chosen = table.argmin(axis=1)
    for number, pattern in enumerate(PATTERNS):
        at = np.flatnonzero((chosen == number) & np.isfinite(table[:, number]))
        found, profile = best[number], rows[at]
        fit.pattern[profile] = pattern
        fit.sse[profile], fit.bic[profile] = found.sse[at], table[at, number]
        for piece, phase in enumerate(pattern):
            column = PHASES.index(phase)
            start, end = found.knots[at, piece], found.knots[at, piece + 1]
            fit.start[profile, column], fit.end[profile, column] = start, end
            fit.slope[profile, column] = found.slopes[at, piece]
            fit.log_start[profile, column] = found.values[at, piece] + centre[at]
            fit.log_end[profile, column] = found.values[at, piece + 1] + centre[at]
            inside = (x[at] >= start[:, None]) & (x[at] <= end[:, None])
            fit.points[profile, column] = inside.sum(axis=1)


def _fit_pattern(sums: PairSums, pattern: str, rules: PhaseRules) -> _Best:
    """The best fit of one pattern to each series: knots at the samples, then between them."""
    series, n = sums.x.shape
    pieces = len(pattern)
    best = _Best(
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
    first = sums.x[every, edges[1]]
    for level in _levels(pattern):
        lines = fit_lines(
            sums,
            every,
            edges[:-1],
            edges[1:],
            joined=[True] * (pieces - 1),
            flat_last=level,
        )
        agreeing = np.where(_agrees(pattern, lines, level), lines.sse, np.inf)
        early = first <= rules.distribution_until
        sse = np.where(early, agreeing, np.inf) if pattern.startswith("D") else agreeing
        winner = sse.argmin(axis=1)
        least = np.take_along_axis(sse, winner[:, None], axis=1)[:, 0]
        if pattern.startswith("D"):
            # A fall that would rather go on was ended by the limit, not by the course.
            least[agreeing.min(axis=1) < least - tolerance] = np.inf
        better = least < lowest - tolerance
        lowest = np.where(better, least, lowest)
        place[better] = inner[winner[better]]
    _move_knots(sums, pattern, rules, place, np.isfinite(lowest), best)
    return best


def _levels(pattern: str) -> tuple[bool, ...]:
    """Whether the last phase is level: persistence may be, or fall by more than rounding."""
    return (True, False) if pattern.endswith("P") else (False,)


def _agrees(pattern: str, lines: Lines, level: bool) -> Bools:
    """Whether the slopes have the signs of the phases."""
    agrees = np.ones(lines.sse.shape, dtype=bool)
    for piece, phase in enumerate(pattern):
        slope = lines.slope[piece]
        if phase == "E":
            agrees &= slope > 0
        elif phase != "P":
            agrees &= slope < 0
        elif not level:
            agrees &= (slope < 0) & (slope > lines.slope[piece - 1])
    return agrees


def _move_knots(
    sums: PairSums, pattern: str, rules: PhaseRules, place: Ints, found: Bools, best: _Best
) -> None:
    """Let each knot stay at its sample, or lie in one of the intervals beside it."""
    series, n = sums.x.shape
    rows = np.arange(series)
    pieces = len(pattern)
    tolerance = _BETTER * rules.error_sd**2
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
            valid &= _agrees(pattern, lines, level)
            if pattern.startswith("D"):
                valid &= edge[:, 1] <= rules.distribution_until
            better = valid & (lines.sse < best.sse - tolerance)
            best.take(better, edge, lines, since, level)
