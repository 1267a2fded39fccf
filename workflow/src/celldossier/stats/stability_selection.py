"""Selection of predictors by the lasso, and how often a selection returns.

Stability selection counts in how many halves of the data a predictor is among the first
that enter the path of the lasso; the bootstrap counts how often the lasso, its penalty
chosen by the Bayesian information criterion, takes it in. Both look at the linear model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from celldossier.stats.lasso import Signs, Vector, select_by_bic, select_first
from celldossier.stats.predictors import is_constant


@dataclass(frozen=True)
class StabilitySelection:
    """How often each predictor was selected, and a bound of the false selections.

    `reason` is blank, or ``FEWSUBJ`` (a half has fewer than `MIN_HALF` subjects),
    ``CONSTANT`` (the outcome does not vary) or ``NOCOVAR`` (no predictor varies).
    """

    names: tuple[str, ...]
    n: int
    pairs: int
    """Pairs of complementary halves."""
    entering: int
    """Predictors that each half selects: the first that enter the path."""
    threshold: float
    reason: str = ""
    frequency: tuple[float, ...] = ()
    """Share of the halves that select the predictor."""
    positive: tuple[float, ...] = ()
    """Share of its selections in which the coefficient is positive; NaN if never selected."""
    simultaneous: tuple[float, ...] = ()
    """Share of the pairs in which both halves select it."""
    selected: tuple[bool, ...] = ()
    bound: float = math.nan
    """Expected number of false selections at most, without assumption on the shape."""


MIN_HALF = 8
"""Subjects in a half below which there is no selection."""


def estimate_stability(
    outcome: ArrayLike,
    predictors: ArrayLike | Sequence[ArrayLike],
    names: Sequence[str],
    *,
    entering: int,
    threshold: float,
    pairs: int,
    seed: int,
) -> StabilitySelection:
    """Stability selection with complementary pairs of halves.

    Parameters
    ----------
    outcome
        Continuous outcome, shape (n,).
    predictors
        Shape (n, k), or one such matrix for each imputation of the missing values: pair i
        takes matrix i modulo their number. A predictor that does not vary in a half cannot
        be selected there.
    names
        Names of the k predictors.
    entering
        Predictors that a half selects: the first that enter the path of the lasso, and
        are still in it. It fixes the number of selections instead of a penalty.
    threshold
        Share of the halves above which a predictor is selected, above 0.5.
    pairs
        Pairs of complementary halves; an odd subject is left out of a pair.
    seed
        Seed of the random halves.

    References
    ----------
    Meinshausen N, Buehlmann P (2010), J R Stat Soc B 72:417-473; complementary
    pairs: Shah RD, Samworth RJ (2013), J R Stat Soc B 75:55-80.
    """
    y, matrices = _read(outcome, predictors, names)
    empty = StabilitySelection(tuple(names), y.size, pairs, entering, threshold)
    if not 0.5 < threshold <= 1 or entering < 1 or pairs < 1:
        raise ValueError("threshold above 0.5 up to 1, one entering predictor and one pair")
    half = y.size // 2
    refusal = "FEWSUBJ" if half < MIN_HALF else _constant(y, matrices)
    if refusal:
        return _refused(empty, refusal)
    random = np.random.default_rng(seed)
    signs = np.zeros((pairs, 2, len(names)), dtype=np.int8)
    for pair in range(pairs):
        order, x = random.permutation(y.size), matrices[pair % len(matrices)]
        for side in (0, 1):
            rows = order[side * half : (side + 1) * half]
            signs[pair, side] = select_first(y[rows], x[rows], entering)
    chosen = signs != 0
    frequency = chosen.mean(axis=(0, 1))
    return StabilitySelection(
        names=tuple(names),
        n=y.size,
        pairs=pairs,
        entering=entering,
        threshold=threshold,
        frequency=tuple(frequency.tolist()),
        positive=_share_positive(signs.reshape(-1, len(names))),
        simultaneous=tuple(chosen.all(axis=1).mean(axis=0).tolist()),
        selected=tuple((frequency >= threshold - 1e-12).tolist()),
        bound=bound_false_selections(len(names), entering, threshold),
    )


def bound_false_selections(predictors: int, entering: int, threshold: float) -> float:
    """Bound of the expected number of selected predictors that chance alone selects seldom.

    These are predictors that a half selects with a probability of at most
    `entering` / `predictors`, so those that it selects less often than at random.

    Parameters
    ----------
    predictors
        Number of candidates p.
    entering
        Predictors q that a half selects.
    threshold
        Threshold t of the selection, above 0.5.

    Returns
    -------
    float
        q^2 / ((2 t - 1) p), which assumes nothing of the shape of the frequencies.

    References
    ----------
    Meinshausen N, Buehlmann P (2010), J R Stat Soc B 72:417-473, theorem 1.
    """
    return entering * (entering / predictors) / (2 * threshold - 1)


@dataclass(frozen=True)
class BootstrapInclusion:
    """How often the lasso takes a predictor in over bootstrap samples."""

    names: tuple[str, ...]
    n: int
    samples: int
    reason: str = ""
    frequency: tuple[float, ...] = ()
    positive: tuple[float, ...] = ()
    """Share of its inclusions in which the coefficient is positive; NaN if never included."""


def estimate_inclusion(
    outcome: ArrayLike,
    predictors: ArrayLike | Sequence[ArrayLike],
    names: Sequence[str],
    *,
    samples: int,
    seed: int,
) -> BootstrapInclusion:
    """Inclusion frequency of each predictor in the lasso, penalty by BIC, over the bootstrap.

    Parameters
    ----------
    outcome, predictors, names
        As in `estimate_stability`; sample i takes imputation i modulo their number.
    samples
        Bootstrap samples.
    seed
        Seed of the samples.

    References
    ----------
    Sauerbrei W, Schumacher M (1992), Stat Med 11:2093-2109 (inclusion frequencies); number
    of parameters of the lasso: Zou H, Hastie T, Tibshirani R (2007), Ann Stat 35:2173-2192;
    bootstrap over imputations: Schomaker M, Heumann C (2018), Stat Med 37:2252-2266.
    """
    y, matrices = _read(outcome, predictors, names)
    empty = BootstrapInclusion(tuple(names), y.size, samples)
    refusal = "FEWSUBJ" if y.size < 2 * MIN_HALF else _constant(y, matrices)
    if refusal:
        missing = (math.nan,) * len(names)
        return BootstrapInclusion(empty.names, y.size, samples, refusal, missing, missing)
    random = np.random.default_rng(seed)
    signs = np.zeros((samples, len(names)), dtype=np.int8)
    for sample in range(samples):
        rows = random.integers(0, y.size, y.size)
        signs[sample] = select_by_bic(y[rows], matrices[sample % len(matrices)][rows])
    return BootstrapInclusion(
        empty.names,
        y.size,
        samples,
        frequency=tuple((signs != 0).mean(axis=0).tolist()),
        positive=_share_positive(signs),
    )


def _read(
    outcome: ArrayLike, predictors: ArrayLike | Sequence[ArrayLike], names: Sequence[str]
) -> tuple[Vector, list[Vector]]:
    y = np.asarray(outcome, dtype=float)
    several = np.asarray(predictors, dtype=float)
    matrices = list(several) if several.ndim == 3 else [several]
    if any(x.shape != (y.size, len(names)) for x in matrices):
        raise ValueError(f"{len(names)} names and {y.size} outcomes do not fit the predictors")
    if not np.isfinite(y).all() or not np.isfinite(several).all():
        raise ValueError("the lasso takes complete rows")
    return y, matrices


def _constant(y: Vector, matrices: Sequence[Vector]) -> str:
    if is_constant(y):
        return "CONSTANT"
    if not any(x.size and (np.ptp(x, axis=0) > 0).any() for x in matrices):
        return "NOCOVAR"
    return ""


def _refused(empty: StabilitySelection, reason: str) -> StabilitySelection:
    missing = (math.nan,) * len(empty.names)
    return StabilitySelection(
        empty.names,
        empty.n,
        empty.pairs,
        empty.entering,
        empty.threshold,
        reason,
        frequency=missing,
        positive=missing,
        simultaneous=missing,
        selected=(False,) * len(empty.names),
    )


def _share_positive(signs: Signs) -> tuple[float, ...]:
    chosen = (signs != 0).sum(axis=0)
    share = (signs > 0).sum(axis=0) / np.maximum(chosen, 1)
    return tuple(np.where(chosen > 0, share, np.nan).tolist())
