"""Rules of dose escalation designs: what n subjects with y toxicities call for, as arrays.

Each function gives codes for all n = 0..N and y = 0..N, without the rule that eliminates a
dose, which `escalation_designs.make_decision_table` lays over them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ESCALATE, STAY, DE_ESCALATE, ELIMINATE, UNDEFINED = 1, 0, -1, -2, -9
"""Codes: the move between dose levels, elimination of the dose, and no rule (or y > n)."""

TOLERANCE = 1e-9
"""Shares and limits nearer than this are equal: 0.25 + 0.05 and 3/10 differ by rounding only."""

Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]


def count_grid(n_max: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Subjects (rows) and toxicities (columns) of all pairs up to `n_max`."""
    counts = np.arange(n_max + 1, dtype=float)
    n, y = np.meshgrid(counts, counts, indexing="ij")
    return n, y


def find_boin_boundaries(target: float, phi1: float, phi2: float) -> tuple[float, float]:
    """Limits lambda_e and lambda_d of the observed rate of toxicity.

    Parameters
    ----------
    target
        Rate of toxicity that is aimed at.
    phi1, phi2
        The highest rate that is too low and the lowest that is too high.

    References
    ----------
    Liu S, Yuan Y (2015), J R Stat Soc C 64:507-523, equation 5 (flat prior of the hypotheses).
    """
    lower = math.log((1 - phi1) / (1 - target)) / math.log(
        target * (1 - phi1) / (phi1 * (1 - target))
    )
    upper = math.log((1 - target) / (1 - phi2)) / math.log(
        phi2 * (1 - target) / (target * (1 - phi2))
    )
    return lower, upper


def decide_by_rate(lower: float, upper: float, n_max: int) -> Codes:
    """Codes of BOIN: escalate at a rate up to `lower`, de-escalate from `upper` on."""
    n, y = count_grid(n_max)
    up, down = y <= n * lower + TOLERANCE, y >= n * upper - TOLERANCE
    return _code(up, down, n, y)


def decide_by_unit_mass(
    target: float, low: float, high: float, prior: tuple[float, float], n_max: int
) -> Codes:
    """Codes of mTPI: the interval under, around or over the target of most mass per length.

    References
    ----------
    Ji Y, Liu P, Li Y, Bekele BN (2010), Clin Trials 7:653-663.
    """
    edges = np.array([0.0, target - low, target + high, 1.0])
    return _decide_by_intervals(edges, target, prior, n_max)


def decide_by_equal_intervals(
    target: float, low: float, high: float, prior: tuple[float, float], n_max: int
) -> Codes:
    """Codes of mTPI-2 and of the keyboard design: intervals (keys) as wide as the target's.

    The interval of most mass per length decides. The shorter ones that remain at the ends count
    by the same measure, as in mTPI-2 and in the R package Keyboard. The keyboard's publication
    leaves them out; the density has one mode, so wherever a whole key lies on that side the
    decision is the same, and where none does (a low target) a dose could never be left.

    References
    ----------
    Guo W, Wang SJ, Yang S, Lynn H, Ji Y (2017), Contemp Clin Trials 58:23-33.
    Yan F, Mandrekar SJ, Yuan Y (2017), Clin Cancer Res 23:3994-4003.
    """
    return _decide_by_intervals(_all_edges(target, low, high), target, prior, n_max)


def decide_by_i3plus3(target: float, low: float, high: float, n_max: int) -> Codes:
    """Codes of i3+3: the rate, and above the interval also the rate of one toxicity fewer.

    References
    ----------
    Liu M, Wang SJ, Ji Y (2020), J Biopharm Stat 30:294-304.
    """
    n, y = count_grid(n_max)
    bottom, top = target - low, target + high
    up = y < n * bottom - TOLERANCE
    above = y > n * top + TOLERANCE
    down = above & (y - 1 >= n * bottom - TOLERANCE)
    return _code(up, down, n, y)


def decide_by_3plus3(n_max: int, most_of_six: int = 1) -> Codes:
    """Codes of 3+3: defined for three and for six subjects of a dose only.

    Parameters
    ----------
    n_max
        Largest number of subjects.
    most_of_six
        Toxicities among six up to which the dose counts as tolerated: 1 as usual, 2 in the
        variant that aims at a rate of a third (3+3H of Ji and Wang).

    References
    ----------
    Storer BE (1989), Biometrics 45:925-937; Ji Y, Wang SJ (2013), J Clin Oncol 31:1785-1791.
    """
    codes = np.full((n_max + 1, n_max + 1), UNDEFINED, dtype=np.int8)
    if n_max >= 3:
        codes[3, :4] = [ESCALATE, STAY, ELIMINATE, ELIMINATE]
    if n_max >= 6:
        codes[6, : most_of_six + 1] = ESCALATE
        codes[6, most_of_six + 1 : 7] = ELIMINATE
    return codes


def find_excess(
    target: float, prior: tuple[float, float], cutoff: float, smallest: int, n_max: int
) -> Flags:
    """Where Pr(rate > target) is above the cutoff, of at least `smallest` subjects."""
    from scipy.special import betainc

    n, y = count_grid(n_max)
    valid = y <= n
    a, b = prior[0] + np.where(valid, y, 0), prior[1] + np.where(valid, n - y, 0)
    return np.asarray(valid & (n >= smallest) & (1 - betainc(a, b, target) > cutoff))


def _all_edges(target: float, low: float, high: float) -> NDArray[np.float64]:
    """Edges of intervals as wide as that of the target, with the shorter rests at the ends."""
    width = low + high
    below = math.floor((target - low) / width + TOLERANCE)
    above = math.floor((1 - target - high) / width + TOLERANCE)
    whole = target - low + width * np.arange(-below, above + 2)
    # A rest of no length is none: its mass per length would be rounding.
    first = [0.0] if whole[0] > TOLERANCE else []
    last = [1.0] if whole[-1] < 1 - TOLERANCE else []
    edges: NDArray[np.float64] = np.concatenate([first, whole, last])
    return edges.clip(0.0, 1.0)


def _decide_by_intervals(
    edges: NDArray[np.float64], target: float, prior: tuple[float, float], n_max: int
) -> Codes:
    from scipy.special import betainc

    n, y = count_grid(n_max)
    a, b = prior[0] + y, prior[1] + np.maximum(n - y, 0)
    mass = np.diff(betainc(a[..., None], b[..., None], edges), axis=-1)
    density = mass / np.diff(edges)
    # Of intervals that are equal but for rounding the higher one, the safer, as in R's Keyboard.
    largest = density >= density.max(axis=-1, keepdims=True) - TOLERANCE
    best = largest.shape[-1] - 1 - largest[..., ::-1].argmax(axis=-1)
    ours = int(np.searchsorted(edges, target)) - 1
    return _code(best < ours, best > ours, n, y)


def _code(up: Flags, down: Flags, n: NDArray[np.float64], y: NDArray[np.float64]) -> Codes:
    codes = np.select([up, down], [ESCALATE, DE_ESCALATE], STAY)
    # Without a subject there is nothing to decide on.
    return np.where((y > n) | (n == 0), UNDEFINED, codes).astype(np.int8)
