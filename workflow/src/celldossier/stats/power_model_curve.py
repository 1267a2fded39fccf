"""Mean of the exposure over the dose by the power model, with its confidence band."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class PowerCurve:
    """The line of one study: ln of dose, of the geometric mean and of its limits."""

    study: str
    n: int
    ln_dose: Vector
    ln_mean: Vector
    ln_low: Vector
    ln_high: Vector
    """Both limits are NaN where no subject is left beyond the coefficients."""
    ln_proportional: Vector
    """The line of slope 1 through the same means, for comparison."""


def predict_power_curves(
    exposure: ArrayLike,
    dose: ArrayLike,
    study: ArrayLike | None = None,
    level: float = 0.90,
    points: int = 51,
) -> list[PowerCurve]:
    """Lines of the model with one slope, one for each study, over its own range of doses.

    Parameters
    ----------
    exposure, dose
        One row a subject, any positive unit, shape (n,); others are left out.
    study
        Study of each row, shape (n,); None: one study.
    level
        Confidence level of the band of the mean, at each dose.
    points
        Points of each line.

    Returns
    -------
    list of PowerCurve
        By name of the study, those with more than one dose; none where the model has
        no slope.

    References
    ----------
    Weisberg S (2014), Applied Linear Regression, 4th edition, section 3.6 (variance of a
    fitted value), with the intercept of the own study.
    """
    from scipy.special import stdtrit

    values, doses = np.asarray(exposure, dtype=float), np.asarray(dose, dtype=float)
    labels = np.full(values.size, "") if study is None else np.asarray(study).astype(str)
    keep = (values > 0) & (doses > 0) & np.isfinite(values) & np.isfinite(doses)
    y, x, labels = np.log(values[keep]), np.log(doses[keep]), labels[keep]
    names = [str(name) for name in np.unique(labels)]
    members = [labels == name for name in names]
    dx, dy = x.copy(), y.copy()
    for at in members:
        dx[at] -= x[at].mean()
        dy[at] -= y[at].mean()
    if y.size < 3 or float(np.abs(dx).max()) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return []
    spread = float(dx @ dx)
    slope = float(dx @ dy) / spread
    df = y.size - len(names) - 1
    residual = dy - slope * dx
    variance = float(residual @ residual) / df if df > 0 else math.nan
    quantile = float(stdtrit(df, 0.5 + level / 2)) if df > 0 else math.nan
    curves = []
    for name, at in zip(names, members, strict=True):
        if float(np.ptp(x[at])) <= 1e-12 * max(1.0, float(np.abs(x).max())):
            continue
        grid = np.linspace(float(x[at].min()), float(x[at].max()), points)
        away = grid - x[at].mean()
        mean = y[at].mean() + slope * away
        half = quantile * np.sqrt(variance * (1 / at.sum() + away**2 / spread))
        limits = mean - half, mean + half
        curves.append(PowerCurve(name, int(at.sum()), grid, mean, *limits, y[at].mean() + away))
    return curves
