"""Dose proportionality by the power model: ln(exposure) = a + b ln(dose).

b = 1 is proportionality, b = 0 an exposure that does not depend on the dose. The verdict
comes from the interval of b, never from a test that was not significant:

- ``PROPORTIONAL``: the interval lies within the critical region of Smith et al. around 1;
- ``INDEPENDENT``: it lies within the region of the same kind around 0, so that over the
  doses given the exposure keeps within the same limits of no change;
- ``LESS``, ``MORE``: it lies below, above the region around 1;
- ``INCONCLUSIVE``: anything else, and a range of doses too narrow to tell 1 from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.predictors import as_columns

Vector = NDArray[np.float64]
Verdict = Literal["PROPORTIONAL", "INDEPENDENT", "LESS", "MORE", "INCONCLUSIVE"]
LIMITS = (0.80, 1.25)
"""Limits of the ratio of dose-normalised geometric means, highest over lowest dose."""


@dataclass(frozen=True)
class PowerModel:
    """A fitted power model and its verdict; what cannot be computed is NaN.

    `reason` says why: ``FEWSUBJ`` (fewer than three subjects, or none left beyond the
    coefficients), ``ONELEVEL`` (one dose), ``DOSESTDY`` (one dose in each study), ``COLLIN`` (the
    covariates tell the dose),
    ``CONSTANT`` (no residual variation: slope without interval), ``OVERFLOW`` (a ratio
    is no floating-point number), or, beside a complete fit, ``NARROW`` (the regions
    around 1 and 0 overlap).
    """

    n: int
    n_left_out: int
    """Rows without a positive exposure and dose, which have no logarithm."""
    n_studies: int
    dose_ratio: float = math.nan
    """Highest over lowest dose; of several studies, the widest within one."""
    intercept: float = math.nan
    """a; NaN where each study has its own."""
    slope: float = math.nan
    se: float = math.nan
    df: int = 0
    low: float = math.nan
    high: float = math.nan
    p_zero: float = math.nan
    p_one: float = math.nan
    r_squared: float = math.nan
    region: tuple[float, float] = (math.nan, math.nan)
    normalised_ratio: float = math.nan
    """Rdnm: dose-normalised geometric mean at the highest dose over that at the lowest."""
    normalised_low: float = math.nan
    normalised_high: float = math.nan
    maximal_ratio: float = math.nan
    """Widest ratio of doses at which the interval would show proportionality."""
    verdict: Verdict = "INCONCLUSIVE"
    reason: str = ""


@dataclass(frozen=True)
class SlopeTest:
    """F test that the studies have one slope; p is NaN with a reason where there is none."""

    statistic: float
    df: int
    df_residual: int
    p: float
    reason: str = ""


def derive_critical_region(
    dose_ratio: float, limits: tuple[float, float] = LIMITS, around: float = 1.0
) -> tuple[float, float]:
    """Slopes at which the exposure keeps within the limits over a ratio of doses.

    Parameters
    ----------
    dose_ratio
        Highest over lowest dose, above 1.
    limits
        Limits of the ratio of geometric means, below and above 1.
    around
        1: dose-normalised means (proportionality); 0: the means themselves.

    References
    ----------
    Smith BP et al. (2000), Pharm Res 17:1278-1283.
    """
    if not dose_ratio > 1 or not 0 < limits[0] < 1 < limits[1]:
        raise ValueError(f"no critical region for a dose ratio of {dose_ratio} and {limits}")
    width = math.log(dose_ratio)
    return around + math.log(limits[0]) / width, around + math.log(limits[1]) / width


def derive_normalised_ratio(slope: float, dose_ratio: float) -> float:
    """Rdnm of a slope: dose ratio to the power of slope - 1."""
    return _exp((slope - 1) * math.log(dose_ratio))


def derive_maximal_ratio(low: float, high: float, limits: tuple[float, float] = LIMITS) -> float:
    """Widest ratio of doses at which an interval of the slope lies in the critical region.

    NaN where it is no floating-point number.
    """
    bounds = []
    if low < 1:
        bounds.append(math.log(limits[0]) / (low - 1))
    if high > 1:
        bounds.append(math.log(limits[1]) / (high - 1))
    return _exp(min(bounds)) if bounds else math.nan


def judge_proportionality(
    low: float, high: float, dose_ratio: float, limits: tuple[float, float] = LIMITS
) -> Verdict:
    """Verdict from an interval of the slope, by the rule of the module."""
    if is_narrow(dose_ratio, limits):
        return "INCONCLUSIVE"
    region = derive_critical_region(dose_ratio, limits)
    flat = derive_critical_region(dose_ratio, limits, around=0.0)
    if region[0] <= low and high <= region[1]:
        return "PROPORTIONAL"
    if flat[0] <= low and high <= flat[1]:
        return "INDEPENDENT"
    if high < region[0]:
        return "LESS"
    return "MORE" if low > region[1] else "INCONCLUSIVE"


def is_narrow(dose_ratio: float, limits: tuple[float, float] = LIMITS) -> bool:
    """Whether the regions around 1 and 0 overlap: ratios of doses up to 1.25 / 0.80."""
    return dose_ratio <= limits[1] / limits[0]


def estimate_power_model(
    exposure: ArrayLike,
    dose: ArrayLike,
    study: ArrayLike | None = None,
    level: float = 0.90,
    limits: tuple[float, float] = LIMITS,
    covariates: ArrayLike | None = None,
) -> PowerModel:
    """Fit the power model by least squares, of several studies with one common slope.

    Parameters
    ----------
    exposure, dose
        One row a subject, any positive unit, shape (n,).
    study
        Study of each row, shape (n,); None: one study. Each study has its intercept, so
        that a difference between studies is not taken for an effect of the dose.
    level
        Confidence level of the intervals; the verdict follows from it.
    limits
        Limits of the ratio of dose-normalised geometric means.
    covariates
        Covariates at whose equal values the slope is meant, shape (n,) or (n, k); None:
        none. A row with a missing one is left out.

    References
    ----------
    Gough K et al. (1995), Drug Inf J 29:1039-1048 (power model); Smith BP et al. (2000),
    Pharm Res 17:1278-1283 (critical region, Rdnm, maximal proportional ratio). With
    covariates both logarithms are replaced by their residuals on them, which gives the
    slope of the whole model (Frisch R, Waugh FV (1933), Econometrica 1:387-401).
    """
    from scipy.special import stdtr, stdtrit

    y, x, groups, left_out, others = _read_logs(exposure, dose, study, covariates)
    studies = np.unique(groups).size
    model = PowerModel(y.size, left_out, studies)
    if y.size < 3:
        return replace(model, reason="FEWSUBJ")
    if _is_constant(x - x.mean(), x):
        return replace(model, reason="ONELEVEL")
    dx, dy = _centre(x, groups), _centre(y, groups)
    if _is_constant(dx, x):
        return replace(model, reason="DOSESTDY")
    ratio = _exp(max(float(np.ptp(x[groups == group])) for group in np.unique(groups)))
    dx, rank = _partial_out(dx, others, groups)
    dy, _ = _partial_out(dy, others, groups)
    if _is_constant(dx, x):
        return replace(model, reason="COLLIN")
    df = y.size - studies - 1 - rank
    spread = float(dx @ dx)
    slope = float(dx @ dy) / spread
    model = replace(
        model,
        dose_ratio=ratio,
        slope=slope,
        intercept=float(y.mean() - slope * x.mean()) if studies == 1 and rank == 0 else math.nan,
        region=derive_critical_region(ratio, limits),
        normalised_ratio=derive_normalised_ratio(slope, ratio),
    )
    if df < 1:
        return replace(model, reason="FEWSUBJ")
    residual = dy - slope * dx
    if _is_constant(residual, y):
        return replace(model, df=df, reason="CONSTANT")
    squares, around = float(residual @ residual), y - y.mean()
    se = math.sqrt(squares / df / spread)
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    low, high = slope - half, slope + half
    maximal = derive_maximal_ratio(low, high, limits)
    highest = derive_normalised_ratio(high, ratio)
    overflow = "OVERFLOW" if math.isnan(maximal) or math.isnan(highest) else ""
    return replace(
        model,
        se=se,
        df=df,
        low=low,
        high=high,
        p_zero=float(2 * stdtr(df, -abs(slope) / se)),
        p_one=float(2 * stdtr(df, -abs(slope - 1) / se)),
        r_squared=1 - squares / float(around @ around),
        normalised_low=derive_normalised_ratio(low, ratio),
        normalised_high=highest,
        maximal_ratio=maximal,
        verdict=judge_proportionality(low, high, ratio, limits),
        reason="NARROW" if is_narrow(ratio, limits) else overflow,
    )


def test_common_slope(exposure: ArrayLike, dose: ArrayLike, study: ArrayLike) -> SlopeTest:
    """F test of one slope for all studies against a slope for each.

    Parameters are those of `estimate_power_model`. p is NaN with ``ONELEVEL`` where
    fewer than two studies gave several doses, with ``FEWSUBJ`` where no subject is left
    beyond the coefficients, with ``CONSTANT`` where the separate lines fit exactly.
    """
    from scipy.special import fdtrc

    y, x, groups, _, _ = _read_logs(exposure, dose, study)
    dx, dy = _centre(x, groups), _centre(y, groups)
    names = np.unique(groups)
    varying = [name for name in names if not _is_constant(dx[groups == name], x)]
    df, rest = len(varying) - 1, y.size - names.size - len(varying)
    if df < 1:
        return SlopeTest(math.nan, 0, max(rest, 0), math.nan, "ONELEVEL")
    if rest < 1:
        return SlopeTest(math.nan, df, 0, math.nan, "FEWSUBJ")
    common = dy - float(dx @ dy) / float(dx @ dx) * dx
    separate = dy.copy()
    for name in varying:
        at = groups == name
        separate[at] -= float(dx[at] @ dy[at]) / float(dx[at] @ dx[at]) * dx[at]
    if _is_constant(separate, y):
        return SlopeTest(math.nan, df, rest, math.nan, "CONSTANT")
    squares = float(separate @ separate)
    statistic = max(0.0, float(common @ common) - squares) / df / (squares / rest)
    return SlopeTest(statistic, df, rest, float(fdtrc(df, rest, statistic)))


def _read_logs(
    exposure: ArrayLike,
    dose: ArrayLike,
    study: ArrayLike | None,
    covariates: ArrayLike | None = None,
) -> tuple[Vector, Vector, NDArray[np.int64], int, NDArray[np.float64]]:
    values, doses = np.asarray(exposure, dtype=float), np.asarray(dose, dtype=float)
    if values.ndim != 1 or values.shape != doses.shape:
        raise ValueError(f"{values.size} exposures and {doses.size} doses are no pairs")
    labels = np.zeros(values.size) if study is None else np.asarray(study).astype(str)
    if labels.shape != values.shape:
        raise ValueError(f"{labels.size} studies for {values.size} exposures")
    others = np.zeros((values.size, 0)) if covariates is None else as_columns(covariates)
    if others.shape[0] != values.size:
        raise ValueError(f"{others.shape[0]} rows of covariates for {values.size} exposures")
    keep = (values > 0) & (doses > 0) & np.isfinite(values) & np.isfinite(doses)
    keep &= np.isfinite(others).all(axis=1)
    groups = np.unique(labels[keep], return_inverse=True)[1].astype(np.int64)
    return np.log(values[keep]), np.log(doses[keep]), groups, int((~keep).sum()), others[keep]


def _centre(values: Vector, groups: NDArray[np.int64]) -> Vector:
    """Deviations from the mean of the own study."""
    means = np.bincount(groups, values) / np.maximum(1, np.bincount(groups))
    return np.asarray(values - means[groups], dtype=float)


def _partial_out(
    values: Vector, covariates: NDArray[np.float64], groups: NDArray[np.int64]
) -> tuple[Vector, int]:
    """Residuals of centred values on the covariates, and how many of these count."""
    columns = [_centre(column, groups) for column in covariates.T]
    # Columns of one scale, so that the rank does not hang on their units.
    scaled = [
        c / np.abs(c).max()
        for c, raw in zip(columns, covariates.T, strict=True)
        if not _is_constant(c, raw)
    ]
    if not scaled:
        return values, 0
    design = np.column_stack(scaled)
    solution, _, rank, _ = np.linalg.lstsq(design, values, rcond=1e-10)
    return np.asarray(values - design @ solution, dtype=float), int(rank)


def _is_constant(deviations: Vector, values: Vector) -> bool:
    # A constant leaves rounding noise of about eps * |value|, hence the relative limit.
    limit = 1e-12 * max(1.0, float(np.abs(values).max(initial=0.0)))
    return float(np.abs(deviations).max(initial=0.0)) <= limit


def _exp(exponent: float) -> float:
    return math.exp(exponent) if exponent < 700 else math.nan
