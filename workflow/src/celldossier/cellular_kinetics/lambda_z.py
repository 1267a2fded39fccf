"""The terminal log-linear regression of all profiles at once (R16, R17)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from celldossier.cellular_kinetics.profiles import Bools, Floats, Profiles
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
    Tmax, k >= ``lambda_z.min_points``. Each is fitted on centred values, so that
    the sums of squares keep their precision.

    References
    ----------
    The rule `gate: before` is that of Phoenix WinNonlin and NonCompart, `after`
    that of PKNCA.
    """
    shape = profiles.time.shape
    column = np.arange(shape[1])[None, :]
    candidate = profiles.quantifiable & (column > profiles.peak[:, None])
    order = np.argsort(candidate, axis=1, kind="stable")
    available = candidate.sum(axis=1)
    x = np.take_along_axis(profiles.time, order, axis=1)
    with np.errstate(divide="ignore"):
        y = np.log(np.take_along_axis(profiles.conc, order, axis=1))
    counts = range(settings.lambda_z.min_points, int(available.max(initial=0)) + 1)
    if not len(counts):
        none = np.full(shape[0], np.nan)
        window = np.zeros(shape, dtype=bool)
        return LambdaZ(none, none, none, none, none, none, none, none, window)
    fits = np.stack([_fit_last(x, y, k, available >= k) for k in counts])
    chosen = _choose(fits, settings.gate)
    slope, intercept, r2, r2adj, lower = np.take_along_axis(
        fits, np.maximum(chosen, 0)[None, :, None], axis=0
    )[0].T
    rate = -slope
    valid = (chosen >= 0) & (rate > 0)
    points = chosen + counts[0]
    upper = x[:, -1]
    rank = candidate.sum(axis=1)[:, None] - np.cumsum(candidate, axis=1)
    window = candidate & (rank < points[:, None]) & valid[:, None]

    def where_valid(values: npt.NDArray[np.generic]) -> Floats:
        return np.where(valid, values, np.nan).astype(float)

    return LambdaZ(
        rate=where_valid(rate),
        intercept=where_valid(intercept),
        r2=where_valid(r2),
        r2adj=where_valid(r2adj),
        points=where_valid(points),
        lower=where_valid(lower),
        upper=where_valid(upper),
        predicted=where_valid(np.exp(intercept + slope * upper)),
        window=window,
    )


def _fit_last(x: Floats, y: Floats, k: int, enough: Bools) -> Floats:
    """Slope, intercept, R2, adjusted R2 and first time of the last k points; (profiles, 5)."""
    times, logs = x[:, -k:], y[:, -k:]
    mean_x, mean_y = times.mean(axis=1), logs.mean(axis=1)
    dx, dy = times - mean_x[:, None], logs - mean_y[:, None]
    sxx, syy, sxy = (dx * dx).sum(axis=1), (dy * dy).sum(axis=1), (dx * dy).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = sxy / sxx
        r2 = np.minimum(sxy * sxy / (sxx * syy), 1.0)
    # Equal concentrations have no R squared; rounding must not make one up.
    r2[logs.max(axis=1) == logs.min(axis=1)] = np.nan
    r2adj = 1 - (1 - r2) * (k - 1) / (k - 2)
    fit = np.stack([slope, mean_y - slope * mean_x, r2, r2adj, times[:, 0]], axis=1)
    return np.where(enough[:, None], fit, np.nan)


def _choose(fits: Floats, gate: str) -> npt.NDArray[np.int64]:
    """Index of the best fit of each profile along axis 0, -1 where there is none."""
    r2adj = fits[:, :, 3]
    competes = ~np.isnan(r2adj)
    if gate == "before":
        competes &= fits[:, :, 0] < 0
    best = np.where(competes, r2adj, -np.inf).max(axis=0)
    near = competes & (best - r2adj < R2ADJ_TOLERANCE)
    # The candidates are ordered by their number of points: the last one near has most.
    largest = near.shape[0] - 1 - near[::-1].argmax(axis=0)
    return np.where(near.any(axis=0), largest, -1)


def check_gates(fit: LambdaZ, settings: CellularKineticsSettings) -> npt.NDArray[np.object_]:
    """Outcome of the gates of R17: "" where passed, else R2LOW, SPANLOW or NOLAMZ."""
    rules = settings.lambda_z
    with np.errstate(invalid="ignore"):
        low = (rules.min_r2adj > 0) & (fit.r2adj < rules.min_r2adj)
        short = (rules.min_span > 0) & (fit.span < rules.min_span)
    return np.select([np.isnan(fit.rate), low, short], ["NOLAMZ", "R2LOW", "SPANLOW"], "").astype(
        object
    )
