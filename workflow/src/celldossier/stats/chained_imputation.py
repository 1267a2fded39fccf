"""Multiple imputation of missing values by chained equations.

Each incomplete variable is drawn in turn from a model of all others, the outcome of the
later analysis among them, until the draws have mixed; that is repeated for each imputation.
The tests hold the draws against R's mice, closed forms of the monotone normal case and
coverage over simulated data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Kind = Literal["continuous", "levels"]
Draw = Literal["MATCHING", "NORMAL"]

PRIOR = 2.5
"""Standard deviation of the normal prior of a log odds per SD of its predictor; it keeps the
draws finite where the observed levels are separated."""


@dataclass(frozen=True)
class Incomplete:
    """A variable that may have missing values.

    `values` are numbers, or the positions 0, 1, ... of levels; NaN where missing.
    """

    name: str
    values: Vector
    kind: Kind = "continuous"


@dataclass(frozen=True)
class Imputation:
    """Completed variables of each imputation, in the order given, and why one is not.

    `reasons` names variables that stay incomplete: ``NOTCOLL`` where no value is known,
    ``FEWSUBJ`` where fewer than `MIN_KNOWN` are.
    """

    completed: tuple[tuple[Vector, ...], ...]
    missing: dict[str, int]
    reasons: dict[str, str]

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.completed)


MIN_KNOWN = 6
"""Known values below which a variable is not imputed."""


def choose_imputations(share_incomplete: float, least: int, most: int) -> int:
    """Number of imputations: at least one for each percent of incomplete subjects.

    References
    ----------
    White IR, Royston P, Wood AM (2011), Stat Med 30:377-399, section 7.
    """
    if share_incomplete <= 0:
        return 1
    return max(least, min(most, math.ceil(100 * share_incomplete - 1e-9)))


def impute_chained(
    variables: Sequence[Incomplete],
    outcomes: Sequence[ArrayLike] = (),
    *,
    imputations: int,
    cycles: int = 10,
    seed: int = 1,
    draw: Draw = "MATCHING",
    donors: int = 5,
    subjects_per_predictor: float = 5,
) -> Imputation:
    """Impute all variables; nothing is drawn where nothing is missing.

    Parameters
    ----------
    variables
        The covariates of the analysis, shape (n,) each.
    outcomes
        Complete variables that predict and are not themselves covariates: the outcome of
        the analysis (for times to an event the event and the cumulative hazard), the dose.
    imputations
        Number of completed data sets.
    cycles
        Rounds of the chain before an imputation is taken.
    seed
        Seed of the draws.
    draw
        How numbers are drawn: ``MATCHING`` takes the value of one of the `donors`
        subjects whose prediction is nearest (type 1 matching), ``NORMAL`` draws from the
        normal of the regression.
    donors
        Subjects from whom predictive mean matching draws.
    subjects_per_predictor
        Known values that a predictor needs: where there are too few for all, outcomes
        come first, then the variables of closest correlation.

    References
    ----------
    van Buuren S (2018), Flexible Imputation of Missing Data, 2nd ed., sections 3.2, 3.4,
    3.6, 4.5; outcome in the model: Moons KGM et al. (2006), J Clin Epidemiol 59:1092-1101.
    """
    n = variables[0].values.size if variables else 0
    known = [~np.isnan(item.values) for item in variables]
    fixed = np.column_stack([np.asarray(x, dtype=float) for x in outcomes]) if outcomes else None
    if any(item.values.size != n for item in variables) or (fixed is not None and len(fixed) != n):
        raise ValueError("all variables need one value a subject")
    if fixed is not None and np.isnan(fixed).any():
        raise ValueError("an outcome of the imputation model is missing")
    missing = {item.name: int(n - seen.sum()) for item, seen in zip(variables, known, strict=True)}
    reasons = {
        item.name: "NOTCOLL" if not seen.any() else "FEWSUBJ"
        for item, seen in zip(variables, known, strict=True)
        if n and not seen.all() and seen.sum() < MIN_KNOWN
    }
    usable = [i for i, item in enumerate(variables) if item.name not in reasons]
    open_ones = [i for i in usable if not known[i].all()]
    if not open_ones:
        complete = tuple(item.values for item in variables)
        return Imputation((complete,) * imputations, missing, reasons)
    random = np.random.default_rng(seed)
    rules = _Rules(draw, donors, subjects_per_predictor)
    completed = []
    for _ in range(imputations):
        values = [item.values.copy() for item in variables]
        for i in open_ones:
            pool = values[i][known[i]]
            values[i][~known[i]] = random.choice(pool, size=int((~known[i]).sum()))
        # A single incomplete variable needs no chain.
        for _ in range(cycles if len(open_ones) > 1 else 1):
            for i in open_ones:
                others = [j for j in usable if j != i]
                x = _design([values[j] for j in others], [variables[j].kind for j in others], n)
                values[i][~known[i]] = _draw(
                    values[i], known[i], variables[i].kind, x, fixed, rules, random
                )
        completed.append(tuple(values))
    return Imputation(tuple(completed), missing, reasons)


@dataclass(frozen=True)
class _Rules:
    draw: Draw
    donors: int
    subjects_per_predictor: float


def _design(values: Sequence[Vector], kinds: Sequence[Kind], n: int) -> Vector:
    columns: list[Vector] = []
    for value, kind in zip(values, kinds, strict=True):
        if kind == "continuous":
            columns.append(value)
        else:
            columns += [(value == level).astype(float) for level in np.unique(value)[1:]]
    return np.column_stack(columns) if columns else np.empty((n, 0))


def _draw(
    value: Vector,
    known: NDArray[np.bool_],
    kind: Kind,
    others: Vector,
    fixed: Vector | None,
    rules: _Rules,
    random: np.random.Generator,
) -> Vector:
    y = value[known]
    x = _predictors(y, known, kind, others, fixed, rules)
    if kind == "continuous":
        return _draw_number(y, x[known], x[~known], rules, random)
    return _draw_level(y, x[known], x[~known], random)


def _predictors(
    y: Vector,
    known: NDArray[np.bool_],
    kind: Kind,
    others: Vector,
    fixed: Vector | None,
    rules: _Rules,
) -> Vector:
    """Standardised predictors: outcomes, then those of closest correlation as far as they fit."""
    n = known.size
    blocks = [] if fixed is None else [fixed]
    room = int(y.size // rules.subjects_per_predictor) - sum(block.shape[1] for block in blocks)
    if room > 0 and others.shape[1]:
        closeness = _closeness(y, others[known], kind)
        # Of equals the first: the order is the caller's, not chance.
        best = np.sort(np.argsort(-closeness, kind="stable")[:room])
        blocks.append(others[:, best])
    x = np.column_stack(blocks) if blocks else np.empty((n, 0))
    centre, scale = x[known].mean(axis=0), x[known].std(axis=0)
    varying = scale > 1e-9 * np.maximum(1.0, np.abs(centre))
    return np.asarray((x[:, varying] - centre[varying]) / scale[varying], dtype=float)


def _closeness(y: Vector, x: Vector, kind: Kind) -> Vector:
    """Largest absolute correlation of each predictor with the value or with a level of it."""
    targets = [y] if kind == "continuous" else [(y == level) * 1.0 for level in np.unique(y)]
    z = x - x.mean(axis=0)
    length = np.sqrt((z**2).sum(axis=0))
    best = np.zeros(x.shape[1])
    for target in targets:
        t = target - target.mean()
        scale = length * math.sqrt(float(t @ t))
        best = np.maximum(best, np.abs(t @ z) / np.where(scale > 0, scale, np.inf))
    return best


def _draw_number(
    y: Vector, x: Vector, wanted: Vector, rules: _Rules, random: np.random.Generator
) -> Vector:
    design = np.column_stack([np.ones(y.size), x])
    k = design.shape[1]
    gram = design.T @ design
    # As in mice: a ridge so small that it matters only where predictors are collinear.
    gram += np.diag(np.r_[0.0, np.full(k - 1, 1e-5)]) * np.diag(gram)
    beta = np.linalg.solve(gram, design.T @ y)
    residuals = y - design @ beta
    sigma = math.sqrt(float(residuals @ residuals) / float(random.chisquare(max(1, y.size - k))))
    factor = np.linalg.cholesky(np.linalg.inv(gram))
    drawn = beta + sigma * factor @ random.standard_normal(k)
    target = np.column_stack([np.ones(len(wanted)), wanted]) @ drawn
    if rules.draw == "NORMAL":
        return np.asarray(target + sigma * random.standard_normal(target.size), dtype=float)
    distance = np.abs(target[:, None] - (design @ beta)[None, :])
    # Equal distances are broken at random, so that no subject is a donor by its row.
    order = np.lexsort((random.random(distance.shape), distance), axis=1)
    few = min(rules.donors, y.size)
    picked = order[np.arange(target.size), random.integers(0, few, target.size)]
    return np.asarray(y[picked], dtype=float)


def _draw_level(y: Vector, x: Vector, wanted: Vector, random: np.random.Generator) -> Vector:
    """Draw from a multinomial logistic model, a draw of its posterior; binary is its case."""
    levels = np.unique(y)
    if levels.size == 1:
        return np.full(len(wanted), levels[0])
    design = np.column_stack([np.ones(y.size), x])
    params, factor = _multinomial_posterior(y, levels, design)
    drawn = params + factor @ random.standard_normal(params.size)
    linear = np.column_stack([np.ones(len(wanted)), wanted]) @ drawn.reshape(levels.size - 1, -1).T
    chance = _softmax(linear)
    uniform = random.random(len(wanted))
    position = (np.cumsum(chance, axis=1) < uniform[:, None]).sum(axis=1)
    return np.asarray(levels[np.minimum(position, levels.size - 1)], dtype=float)


def _softmax(linear: Vector) -> Vector:
    full = np.column_stack([np.zeros(len(linear)), linear])
    weight = np.exp(full - full.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=float)


def _multinomial_posterior(y: Vector, levels: Vector, design: Vector) -> tuple[Vector, Vector]:
    """Mode of the posterior and a square root of its covariance (Laplace)."""
    classes, k = levels.size - 1, design.shape[1]
    indicator = (y[:, None] == levels[None, 1:]).astype(float)
    # Weak on the intercept, which takes the frequencies of the levels.
    precision = np.tile(np.r_[1e-4, np.full(k - 1, PRIOR**-2)], classes)
    params = np.zeros(classes * k)

    def posterior(at: Vector) -> tuple[float, Vector, Vector]:
        chance = _softmax(design @ at.reshape(classes, k).T)
        rest = 1 - indicator.sum(axis=1)
        loglike = float(
            (indicator * np.log(chance[:, 1:] + 1e-300)).sum()
            + (rest * np.log(chance[:, 0] + 1e-300)).sum()
        )
        score = ((indicator - chance[:, 1:]).T @ design).ravel() - precision * at
        blocks = np.empty((classes, k, classes, k))
        for a in range(classes):
            for b in range(classes):
                weight = chance[:, a + 1] * ((a == b) - chance[:, b + 1])
                blocks[a, :, b, :] = design.T @ (design * weight[:, None])
        information = blocks.reshape(classes * k, classes * k) + np.diag(precision)
        return loglike - 0.5 * float(precision @ at**2), score, information

    value, score, information = posterior(params)
    for _ in range(100):
        step = np.linalg.solve(information, score)
        size = 1.0
        while size > 1e-8:
            moved = posterior(params + size * step)
            if moved[0] >= value - 1e-12:
                break
            size /= 2
        params, (value, score, information) = params + size * step, moved
        if float(np.abs(size * step).max()) < 1e-9:
            break
    # The upper factor U of the inverse: information = L L', covariance = inv(L)' inv(L).
    return params, np.linalg.inv(np.linalg.cholesky(information)).T
