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

import numpy as np
import numpy.typing as npt

from celldossier.cellular_kinetics.broken_lines import sum_pairs
from celldossier.cellular_kinetics.pattern_fits import fit_pattern
from celldossier.cellular_kinetics.profiles import Bools, Floats, Ints
from celldossier.settings.phases import PhaseRules

PHASES = "DECP"
"""Letters of the phases in their order: distribution, expansion, contraction, persistence."""

PATTERNS = ("E", "C", "DE", "EC", "CP", "DEC", "ECP", "DECP")
"""Sequences of phases that a profile may have."""

_CHUNK = 2_000_000  # fits at once; bounds the memory


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
    best = [fit_pattern(sums, pattern, rules) for pattern in PATTERNS]
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
        found = best[number]
        fit.sse[rows[at]], fit.bic[rows[at]] = found.sse[at], table[at, number]
        at = at[np.sqrt(found.sse[at] / n) <= rules.max_residual_sd]
        profile = rows[at]
        fit.pattern[profile] = pattern
        for piece, phase in enumerate(pattern):
            column = PHASES.index(phase)
            start, end = found.knots[at, piece], found.knots[at, piece + 1]
            fit.start[profile, column], fit.end[profile, column] = start, end
            fit.slope[profile, column] = found.slopes[at, piece]
            fit.log_start[profile, column] = found.values[at, piece] + centre[at]
            fit.log_end[profile, column] = found.values[at, piece + 1] + centre[at]
            inside = (x[at] >= start[:, None]) & (x[at] <= end[:, None])
            fit.points[profile, column] = inside.sum(axis=1)
