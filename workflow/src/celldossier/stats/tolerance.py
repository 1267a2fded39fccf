"""Factors of normal tolerance limits: mean and factor times SD hold a share of the population."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NODES = 200
"""Nodes of the quadrature over the mean of the sample."""


def one_sided_factor(n: int, coverage: float, confidence: float) -> float:
    """Factor k for which mean + k SD exceeds a share of the population with a confidence.

    Parameters
    ----------
    n
        Values of the sample, at least 2.
    coverage
        Share of the population that lies below.
    confidence
        Chance that the limit of a sample is at or above that quantile; below 0.5 a lower
        confidence bound of the quantile.

    References
    ----------
    Owen DB (1968), Technometrics 10:445-478: quantile of the non-central t distribution, exact.
    """
    from scipy.stats import nct, norm

    _check(n, coverage, confidence)
    z = float(norm.ppf(coverage))
    return float(nct.ppf(confidence, n - 1, z * math.sqrt(n)) / math.sqrt(n))


@lru_cache(maxsize=512)
def two_sided_factor(n: int, coverage: float, confidence: float) -> float:
    """Factor k for which mean - k SD to mean + k SD holds a share of the population.

    Parameters
    ----------
    n
        Values of the sample, at least 2.
    coverage
        Share of the population between the limits.
    confidence
        Chance that the limits of a sample hold at least that share.

    References
    ----------
    Odeh RE (1978), Commun Stat Simul Comput 7:183-201, exact: the chance, given the mean of the
    sample, that its SD is large enough, over the distribution of the mean.
    """
    from scipy.optimize import brentq
    from scipy.special import chdtrc, chndtrix

    _check(n, coverage, confidence)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    # Mean of the sample in SD of the population, on one side: eight standard errors.
    mean = 4 * (nodes + 1) / math.sqrt(n)
    density = np.exp(-n * mean**2 / 2) * math.sqrt(n / (2 * math.pi)) * weights
    density *= 2 * 4 / math.sqrt(n)
    # Half the width about that mean that holds the share, squared.
    squared: NDArray[np.float64] = np.asarray(chndtrix(coverage, 1.0, mean**2))

    def lacking(log_factor: float) -> float:
        enough = chdtrc(n - 1, (n - 1) * squared / math.exp(2 * log_factor))
        return float(density @ enough) - confidence

    start = math.log(math.sqrt(float(squared[0])))
    low, high = start - 1, start + 1
    while lacking(low) > 0:
        low -= 1
    while lacking(high) < 0:
        high += 1
    return math.exp(float(brentq(lacking, low, high, xtol=1e-13)))


def _check(n: int, coverage: float, confidence: float) -> None:
    if n < 2 or not (0 < coverage < 1 and 0 < confidence < 1):
        raise ValueError("a tolerance factor takes two values or more, and shares between 0 and 1")
