"""Ranges of a quality attribute of reference lots, and how many test lots lie inside.

Two ranges are in use: a tolerance interval, which holds a share of all lots of the reference
process with a confidence, and the quality range, mean and a factor times SD, which makes no such
promise but is compared with the share of test lots inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.tolerance import two_sided_factor


@dataclass(frozen=True)
class LotRange:
    """A range of reference lots, in the unit of the attribute.

    Attributes
    ----------
    n
        Reference lots.
    factor
        SD on either side of the mean, no unit.
    centre, low, high
        Mean of the lots (logarithmic scale: their geometric mean) and the limits.
    reason
        Why there are no limits: ``FEWVAL`` (fewer than two lots), ``CONSTANT`` (the lots do
        not differ), ``NOLOG`` (a value of 0 or below on the logarithmic scale).
    """

    n: int
    factor: float
    centre: float = math.nan
    low: float = math.nan
    high: float = math.nan
    reason: str = ""


@dataclass(frozen=True)
class LotsInside:
    """Test lots within a range, limits included, with the exact interval of their share.

    Attributes
    ----------
    n, n_inside
        Test lots, and those inside.
    share, low, high
        Share inside and its Clopper-Pearson interval, from 0 to 1.
    reason
        ``FEWVAL`` (no test lot), or that of the range.
    """

    n: int
    n_inside: int = 0
    share: float = math.nan
    low: float = math.nan
    high: float = math.nan
    reason: str = ""


def estimate_tolerance_interval(
    values: ArrayLike, coverage: float = 0.95, confidence: float = 0.95, log_scale: bool = False
) -> LotRange:
    """Two-sided normal tolerance interval of the lots of a process, exact.

    Parameters
    ----------
    values
        The attribute, one value a lot, shape (n,); NaN are left out.
    coverage
        Share of all lots of the process that the interval is to hold.
    confidence
        Chance that the interval of such a sample holds at least that share.
    log_scale
        Whether logarithms are normal: limits are the geometric mean over and times a factor.

    References
    ----------
    Hahn GJ, Meeker WQ (1991), Statistical Intervals, section 4.6; factor: `tolerance`.
    """
    x = _numbers(values)
    factor = two_sided_factor(x.size, coverage, confidence) if x.size > 1 else math.nan
    return _make_range(x, factor, log_scale)


def estimate_quality_range(
    values: ArrayLike, factor: float = 3.0, log_scale: bool = False
) -> LotRange:
    """Mean plus and minus a factor times the SD of the lots of a process.

    Parameters
    ----------
    values, log_scale
        As in `estimate_tolerance_interval`.
    factor
        Above 0; chosen and justified beforehand by the sponsor.

    References
    ----------
    FDA (2019), Development of Therapeutic Protein Biosimilars: Comparative Analytical Assessment
    and Other Quality-Related Considerations, draft guidance, section on the quality range method.
    """
    if not factor > 0:
        raise ValueError(f"a quality range takes a factor above 0, not {factor}")
    return _make_range(_numbers(values), factor, log_scale)


def count_inside(values: ArrayLike, limits: LotRange, level: float = 0.95) -> LotsInside:
    """Test lots within the range of the reference lots.

    Parameters
    ----------
    values
        The attribute, one value a test lot, in the unit of the range; NaN are left out.
    limits
        Range of the reference lots, held as fixed: the interval of the share counts the chance
        of the test lots alone.
    level
        Confidence level of the interval of the share.
    """
    x = _numbers(values)
    if limits.reason:
        return LotsInside(x.size, reason=limits.reason)
    if x.size == 0:
        return LotsInside(0, reason="FEWVAL")
    inside = int(((x >= limits.low) & (x <= limits.high)).sum())
    low, high = clopper_pearson(inside, x.size, level)
    return LotsInside(x.size, inside, inside / x.size, low, high)


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=float).ravel()
    return np.asarray(x[~np.isnan(x)], dtype=float)


def _make_range(x: NDArray[np.float64], factor: float, log_scale: bool) -> LotRange:
    if log_scale and (x <= 0).any():
        return LotRange(x.size, factor, reason="NOLOG")
    scaled = np.log(x) if log_scale else x
    if x.size == 0:
        return LotRange(0, factor, reason="FEWVAL")
    centre = float(scaled.mean())
    back = math.exp if log_scale else float
    if x.size < 2:
        return LotRange(x.size, factor, back(centre), reason="FEWVAL")
    spread = float(scaled.std(ddof=1))
    # Equal values leave rounding noise of about eps |x|.
    if spread <= 1e-12 * max(1.0, abs(centre)) and np.ptp(x) <= 1e-12 * float(np.abs(x).max()):
        return LotRange(x.size, factor, back(centre), reason="CONSTANT")
    half = factor * spread
    return LotRange(x.size, factor, back(centre), back(centre - half), back(centre + half))
