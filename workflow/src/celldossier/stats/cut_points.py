"""Cut point of an antibody assay: the limit that a declared share of naive samples exceeds.

The practice follows Shankar G et al., J Pharm Biomed Anal 2008;48:1267, and Devanarayan V
et al., AAPS J 2017;19:1487: outliers aside, a test of normality on the scale of the
analysis, then a parametric, robust or non-parametric upper quantile. The lower confidence
bound of the quantile after Shen M et al., J Biopharm Stat 2015;25:269.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from celldossier.stats.tolerance import one_sided_factor

Rule = Literal["parametric", "robust", "nonparametric"]

MAD_SCALE = 1.4826
"""Times the median absolute deviation is the SD of a normal distribution."""

MEDIAN_VARIANCE, MAD_VARIANCE = math.pi / 2, 1.3605
"""Asymptotic variances of median and scaled MAD at the normal distribution, in s^2 / n."""

FEWEST = 3
"""Fewest values of a normality test, and of a run that is compared with others."""


@dataclass(frozen=True)
class CutPointRules:
    """How a cut point is found.

    Attributes
    ----------
    false_positive
        Share of naive samples above the cut point, between 0 and 1.
    rule
        One of the rules, or ``auto``: by the normality test and the skewness.
    log_scale
        Whether the natural logarithms are analysed; a value of 0 or below forbids it.
    fence
        Interquartile ranges beyond the quartiles from which a value is an outlier.
    passes
        Largest number of times that outliers are looked for; 0: none is removed.
    normality_p
        Shapiro-Wilk p from which values count as normal.
    skewness
        Absolute skewness up to which values that are not normal count as symmetric.
    fewest
        Fewest values, outliers removed, of a cut point.
    confidence
        One-sided confidence of the lower bound.
    """

    false_positive: float
    rule: Rule | Literal["auto"] = "auto"
    log_scale: bool = True
    fence: float = 3.0
    passes: int = 1
    normality_p: float = 0.05
    skewness: float = 1.0
    fewest: int = 20
    confidence: float = 0.90


@dataclass(frozen=True)
class CutPoint:
    """A cut point, and how it came about.

    Attributes
    ----------
    n, n_outliers, n_passes
        Values used, values removed as outliers, and the times that some were removed.
    scale
        ``LOG`` or ``OWN``.
    p, skewness
        Shapiro-Wilk p and adjusted Fisher-Pearson skewness on that scale; NaN where they
        cannot be had.
    rule, reason
        The rule, and why it: DECLARED, NORMAL, SYMMETRIC or SKEWED. Blank where there is no
        cut point.
    value, bound
        Cut point and its lower confidence bound, in the unit of the values.
    missing
        Why there is no cut point: FEWVAL, NOSPREAD or FEWTAIL (too few for a percentile).
    """

    n: int
    n_outliers: int
    n_passes: int
    scale: str
    p: float = math.nan
    skewness: float = math.nan
    rule: str = ""
    reason: str = ""
    value: float = math.nan
    bound: float = math.nan
    missing: str = ""


def estimate_cut_point(values: ArrayLike, rules: CutPointRules) -> CutPoint:
    """Cut point of naive samples.

    Parameters
    ----------
    values
        Signals or percent inhibitions, one a sample, shape (n,); NaN are left out.

    Returns
    -------
    CutPoint
        Without a value where there are too few values or none differs.
    """
    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    log_scale = rules.log_scale and bool(np.all(x > 0))
    scaled = np.log(x) if log_scale else x
    kept, n_passes = drop_outliers(scaled, rules.fence, rules.passes)
    head = (int(kept.size), int(x.size - kept.size), n_passes, "LOG" if log_scale else "OWN")
    if kept.size < max(rules.fewest, FEWEST):
        return CutPoint(*head, missing="FEWVAL")
    if np.ptp(kept) == 0:
        return CutPoint(*head, missing="NOSPREAD")
    p, skewness = test_normality(kept)
    rule, reason = choose_rule(p, skewness, rules)
    found = (*head, p, skewness)
    if rule == "nonparametric" and not has_percentile(kept.size, rules.false_positive):
        return CutPoint(*found, missing="FEWTAIL")
    if rule == "robust" and _scaled_mad(kept) == 0:
        return CutPoint(*found, missing="NOSPREAD")
    value = estimate_quantile(kept, rule, rules.false_positive)
    bound = estimate_lower_bound(kept, rule, rules.false_positive, rules.confidence)
    if log_scale:
        value, bound = math.exp(value), math.exp(bound)
    return CutPoint(*found, rule, reason, value, bound)


def drop_outliers(values: ArrayLike, fence: float, passes: int) -> tuple[NDArray[np.float64], int]:
    """Values within Tukey's fences, looked for again until none is outside, `passes` times at most.

    Quartiles by linear interpolation (type 7). Both tails are cut, so that a cut at one
    does not make the rest skewed.

    Returns
    -------
    tuple
        The values kept, and the times that some were removed.
    """
    x = np.asarray(values, dtype=float)
    for done in range(passes):
        if x.size == 0:
            return x, done
        low, high = np.quantile(x, [0.25, 0.75])
        reach = fence * (high - low)
        # Equal quartiles would make an outlier of every value that differs from them.
        inside = (x >= low - reach) & (x <= high + reach) if reach > 0 else np.ones(x.size, bool)
        if inside.all():
            return x, done
        x = x[inside]
    return x, passes


def test_normality(values: ArrayLike) -> tuple[float, float]:
    """Shapiro-Wilk p, and adjusted Fisher-Pearson skewness, of at least 3 values that differ."""
    x = np.asarray(values, dtype=float)
    return float(stats.shapiro(x).pvalue), float(stats.skew(x, bias=False))


def choose_rule(p: float, skewness: float, rules: CutPointRules) -> tuple[Rule, str]:
    """The rule, and the code of the reason for it; see `CutPoint`."""
    if rules.rule != "auto":
        return rules.rule, "DECLARED"
    if p >= rules.normality_p:
        return "parametric", "NORMAL"
    if abs(skewness) <= rules.skewness:
        return "robust", "SYMMETRIC"
    # Also where there are too few values for the percentile, and so no cut point: the robust one of
    # skewed values is exceeded by several times the declared share.
    return "nonparametric", "SKEWED"


def has_percentile(n: int, false_positive: float) -> bool:
    """Whether the percentile lies within the sample: ``(n + 1) (1 - false_positive) <= n``."""
    return (n + 1) * (1 - false_positive) <= n + 1e-9


def estimate_quantile(values: ArrayLike, rule: Rule, false_positive: float) -> float:
    """The upper quantile that the share `false_positive` exceeds.

    Notes
    -----
    Parametric: mean + z SD; robust: median + z 1.4826 MAD; z = 1.645 for 5%, 2.326 for 1%.
    Non-parametric: type 6 of Hyndman and Fan, at rank (n + 1)(1 - false_positive), so that
    a new sample exceeds it with that probability whatever the distribution.
    """
    x, z = np.asarray(values, dtype=float), float(stats.norm.ppf(1 - false_positive))
    if rule == "parametric":
        return float(x.mean() + z * x.std(ddof=1))
    if rule == "robust":
        return float(np.median(x) + z * _scaled_mad(x))
    return float(np.quantile(x, 1 - false_positive, method="weibull"))


def estimate_lower_bound(
    values: ArrayLike, rule: Rule, false_positive: float, confidence: float
) -> float:
    """Lower one-sided confidence bound of the quantile.

    With that confidence, at least the share `false_positive` of naive samples exceeds it.

    Notes
    -----
    Parametric: mean + k SD, k the quantile of the non-central t distribution, exact.
    Robust: asymptotic, with the variances of median and MAD at the normal distribution.
    Non-parametric: the largest order statistic that the binomial distribution allows, exact.
    """
    x, z = np.asarray(values, dtype=float), float(stats.norm.ppf(1 - false_positive))
    n = x.size
    if rule == "parametric":
        k = one_sided_factor(n, 1 - false_positive, 1 - confidence)
        return float(x.mean() + k * x.std(ddof=1))
    if rule == "robust":
        error = _scaled_mad(x) * math.sqrt((MEDIAN_VARIANCE + MAD_VARIANCE * z**2) / n)
        return (
            estimate_quantile(x, rule, false_positive) - float(stats.norm.ppf(confidence)) * error
        )
    # X_(r) is at or below the quantile where at least r values are: P(Bin(n, q) >= r).
    ranks = np.arange(1, n + 1)
    allowed = ranks[stats.binom.sf(ranks - 1, n, 1 - false_positive) >= confidence]
    return float(np.sort(x)[allowed[-1] - 1]) if allowed.size else math.nan


@dataclass(frozen=True)
class RunComparison:
    """Whether one fixed cut point fits all runs.

    Attributes
    ----------
    n_runs
        Runs with at least 3 values.
    p_means, p_variances
        p of the analysis of variance between runs, and of Levene's test (medians).
    form
        FIXED, FLOATING (means differ) or DYNAMIC (variances differ); blank with fewer than
        two such runs, or where no value differs within them.
    """

    n_runs: int
    p_means: float = math.nan
    p_variances: float = math.nan
    form: str = ""


def compare_runs(values: ArrayLike, runs: Sequence[Hashable], alpha: float) -> RunComparison:
    """Compare mean and variance of naive samples between runs (decision tree of Shankar 2008).

    Parameters
    ----------
    values
        Values on the scale of the analysis, outliers removed, shape (n,).
    runs
        Run of each value; the order of values and runs has no effect.
    alpha
        Level of both tests.
    """
    x, names = np.asarray(values, dtype=float), np.asarray(runs, dtype=object)
    groups = [x[names == name] for name in dict.fromkeys(runs)]
    groups = [group for group in groups if group.size >= FEWEST]
    if len(groups) < 2 or all(np.ptp(group) == 0 for group in groups):
        return RunComparison(len(groups))
    p_variances = float(stats.levene(*groups, center="median").pvalue)
    p_means = float(stats.f_oneway(*groups).pvalue)
    form = "DYNAMIC" if p_variances < alpha else "FLOATING" if p_means < alpha else "FIXED"
    return RunComparison(len(groups), p_means, p_variances, form)


def _scaled_mad(values: NDArray[np.float64]) -> float:
    return float(MAD_SCALE * np.median(np.abs(values - np.median(values))))
