"""The terminal log-linear regression of all profiles at once (R16, R17)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from celldossier.cellular_kinetics.codes import Codes, either
from celldossier.cellular_kinetics.profiles import Bools, Floats, Ints, Profiles
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

R2ADJ_TOLERANCE = 1e-4
"""Fits whose adjusted R squared is nearer to the best than this tie; most points win (R16)."""


@dataclass(frozen=True)
class LambdaZ:
    """The chosen fit of each profile, before the gates; NaN where there is none.

    Attributes
    ----------
    rate, intercept
        lambda-z, and the intercept at time 0 on the ln scale.
    r2, r2adj
        R squared and adjusted R squared.
    points, lower, upper
        Number of points, and times of the first and the last.
    predicted
        Concentration on the line at the last point.
    window
        Which samples are in the window, shape (profiles, samples).
    """

    rate: Floats
    intercept: Floats
    r2: Floats
    r2adj: Floats
    points: Floats
    lower: Floats
    upper: Floats
    predicted: Floats
    window: Bools

    @property
    def half_life(self) -> Floats:
        """Half-life ln 2 / lambda-z."""
        return np.asarray(np.log(2.0) / self.rate)

    @property
    def span(self) -> Floats:
        """Length of the window, in half-lives."""
        return (self.upper - self.lower) / self.half_life


def estimate_lambda_z(profiles: Profiles, settings: CellularKineticsSettings) -> LambdaZ:
    """Best terminal regression of ln concentration on time of each profile (R16).

    The candidates are the last k quantifiable points strictly after the first
    Tmax, k >= ``lambda_z.min_points``: all windows of all profiles are fitted in one
    pass from the last column to the first.

    References
    ----------
    The rule `gate: before` is that of Phoenix WinNonlin and NonCompart, `after`
    that of PKNCA.
    """
    time = profiles.time.T
    column = np.arange(len(time))[:, None]
    candidate = profiles.quantifiable.T & (column > profiles.peak)
    with np.errstate(all="ignore"):
        logs = np.log(profiles.conc.T)
        sums = _sum_windows(time, logs, candidate)
        slope = sums.sxy / sums.sxx
        r2 = np.minimum(sums.sxy * sums.sxy / (sums.sxx * sums.syy), 1.0)
        r2adj = 1 - (1 - r2) * (sums.count - 1) / (sums.count - 2)
        competes = candidate & (sums.count >= settings.lambda_z.min_points) & ~np.isnan(r2adj)
        if settings.gate == "before":
            competes &= slope < 0
        chosen = _choose(r2adj, competes, slope < 0)
        place = np.maximum(chosen, 0) * time.shape[1] + np.arange(time.shape[1])

        def at(values: Floats) -> Floats:
            """Values of the chosen window."""
            return np.asarray(np.take(values.reshape(-1), place))

        rate = -at(slope)
        valid = (chosen >= 0) & (rate > 0)
        intercept = at(sums.mean_log) + rate * at(sums.mean_time)
        upper = profiles.at(profiles.time, profiles.last)
        fit = {
            "rate": rate,
            "intercept": intercept,
            "r2": at(r2),
            "r2adj": at(r2adj),
            "points": at(sums.count),
            "lower": at(time),
            "upper": upper,
            "predicted": np.exp(intercept - rate * upper),
        }
    for values in fit.values():
        np.copyto(values, np.nan, where=~valid)
    window = candidate & (column >= chosen) & valid
    return LambdaZ(**fit, window=window.T)


@dataclass(frozen=True)
class _WindowSums:
    """Sums of the windows that begin at each sample, shape (samples, profiles)."""

    count: Floats
    mean_time: Floats
    mean_log: Floats
    sxx: Floats
    sxy: Floats
    syy: Floats


def _sum_windows(time: Floats, logs: Floats, candidate: Bools) -> _WindowSums:
    """Means and centred sums of squares and products of all windows.

    A window begins at a candidate and ends with the last one. Each candidate that joins
    updates means and sums about the mean (Welford), so that nothing cancels, and
    equal concentrations give a sum of squares of exactly 0.

    References
    ----------
    B. P. Welford, Technometrics 1962, 4:419-420.
    """
    shape = time.shape
    joins = candidate.astype(np.float64)
    x, y = np.zeros(shape), np.zeros(shape)
    np.copyto(x, time, where=candidate)
    np.copyto(y, logs, where=candidate)
    count, mean_time, mean_log, sxx, sxy, syy = np.empty((6, *shape))
    before: tuple[Floats, ...] = tuple(np.zeros((6, shape[1])))
    for column in range(shape[0] - 1, -1, -1):
        n, mean_x, mean_y, xx, xy, yy = before
        here = joins[column]
        total = np.add(n, here, out=count[column])
        weight = here / np.maximum(total, 1.0)
        dx, dy = x[column] - mean_x, y[column] - mean_y
        np.add(mean_x, dx * weight, out=mean_time[column])
        np.add(mean_y, dy * weight, out=mean_log[column])
        weight *= n
        weighted = dx * weight
        np.add(xx, weighted * dx, out=sxx[column])
        np.add(xy, weighted * dy, out=sxy[column])
        np.add(yy, dy * weight * dy, out=syy[column])
        before = (
            total,
            mean_time[column],
            mean_log[column],
            sxx[column],
            sxy[column],
            syy[column],
        )
    return _WindowSums(count, mean_time, mean_log, sxx, sxy, syy)


def _choose(r2adj: Floats, competes: Bools, falls: Bools) -> Ints:
    """Column at which the best window of each profile begins, -1 where there is none.

    Of the fits that tie, only those that fall are taken, as PKNCA does (`gate: after`).
    """
    fits = np.full(r2adj.shape, -np.inf)
    np.copyto(fits, r2adj, where=competes)
    near = competes & falls & (fits.max(axis=0, initial=-np.inf) - fits < R2ADJ_TOLERANCE)
    chosen = np.full(r2adj.shape[1], -1)
    # Backwards: of those near the best, the one that begins first has most points.
    for column in range(len(near) - 1, -1, -1):
        np.copyto(chosen, column, where=near[column])
    return chosen


def check_gates(fit: LambdaZ, settings: CellularKineticsSettings) -> Codes:
    """Outcome of the gates of R17: blank where passed, else R2LOW, SPANLOW or NOLAMZ."""
    rules = settings.lambda_z
    with np.errstate(invalid="ignore"):
        low = (rules.min_r2adj > 0) & (fit.r2adj < rules.min_r2adj)
        short = (rules.min_span > 0) & (fit.span < rules.min_span)
    return either((np.isnan(fit.rate), "NOLAMZ"), (low, "R2LOW"), (short, "SPANLOW"))
