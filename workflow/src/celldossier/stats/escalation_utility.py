"""Toxicity and efficacy of dose levels together: utility, desirability, joint probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.stats.escalation_estimates import estimate_exceedance

TOLERANCE = 1e-9
"""Utilities nearer than this are equal."""

GRID = 200
"""Points of each axis of the integral over the posterior; a probability is within 1e-3."""


@dataclass(frozen=True)
class Counts:
    """Subjects of a dose by both outcomes."""

    efficacy_only: int
    neither: int
    both: int
    toxicity_only: int

    @property
    def n(self) -> int:
        """Subjects with both outcomes known."""
        return self.efficacy_only + self.neither + self.both + self.toxicity_only

    @property
    def toxicities(self) -> int:
        """Subjects with toxicity."""
        return self.both + self.toxicity_only

    @property
    def responses(self) -> int:
        """Subjects with efficacy."""
        return self.both + self.efficacy_only


@dataclass(frozen=True)
class UtilityOptions:
    """What BOIN12 leaves to the protocol.

    Parameters
    ----------
    scores
        Utility (0 to 100) of efficacy without toxicity, neither, both, toxicity without efficacy.
    toxicity, efficacy
        Highest acceptable rate of toxicity and lowest acceptable rate of efficacy.
    toxicity_cutoff, efficacy_cutoff
        A dose is inadmissible where Pr(toxicity > its limit) or Pr(efficacy < its limit) is
        larger.
    """

    toxicity: float
    efficacy: float
    scores: tuple[float, float, float, float] = (100.0, 40.0, 60.0, 0.0)
    toxicity_cutoff: float = 0.95
    efficacy_cutoff: float = 0.90

    @property
    def benchmark(self) -> float:
        """Utility halfway between that of the two limits (independent outcomes) and 100."""
        t, e = self.toxicity, self.efficacy
        shares = (e * (1 - t), (1 - e) * (1 - t), e * t, (1 - e) * t)
        lowest = sum(u * share for u, share in zip(self.scores, shares, strict=True))
        return lowest + (100 - lowest) / 2


@dataclass(frozen=True)
class Desirability:
    """Utility of a dose and what follows from it.

    Parameters
    ----------
    mean
        Posterior mean utility, 0 to 100.
    above
        Posterior probability that the utility is above the benchmark.
    too_toxic, futile
        Whether the dose is inadmissible, and why.
    """

    mean: float
    above: float
    too_toxic: bool
    futile: bool

    @property
    def admissible(self) -> bool:
        """Whether the dose may be given further."""
        return not (self.too_toxic or self.futile)


def estimate_desirability(
    counts: Counts,
    options: UtilityOptions,
    toxicity: tuple[int, int] | None = None,
    efficacy: tuple[int, int] | None = None,
) -> Desirability:
    """Utility of a dose by the quasi-binomial likelihood, Beta(1, 1) prior.

    Parameters
    ----------
    counts
        Subjects of the dose in whom both outcomes are known.
    toxicity, efficacy
        Events and subjects by which the dose is admissible or not, where either outcome is
        known of more subjects; none for those of `counts`.

    References
    ----------
    Lin R, Zhou Y, Yan F, Li D, Yuan Y (2020), JCO Precis Oncol 4:1393-1402 (BOIN12).
    """
    events = _quasi_events(counts, options)
    above = estimate_exceedance(events, counts.n, options.benchmark / 100)
    toxic = estimate_exceedance(*(toxicity or (counts.toxicities, counts.n)), options.toxicity)
    works = estimate_exceedance(*(efficacy or (counts.responses, counts.n)), options.efficacy)
    return Desirability(
        100 * (1 + events) / (2 + counts.n),
        float(above),
        bool(toxic > options.toxicity_cutoff),
        bool(1 - works > options.efficacy_cutoff),
    )


def score_ranks(sizes: Sequence[int], options: UtilityOptions) -> pd.DataFrame:
    """Rank-based desirability scores of all outcomes of doses with so many subjects.

    Returns
    -------
    pandas.DataFrame
        n, toxicities, responses, both, above, admissible, score: the rank of `above` among the
        admissible outcomes, 1 the least desirable, of equal ones the mean rank; NaN where the
        outcome is inadmissible.

    Notes
    -----
    The counts of toxicity and of efficacy tell the utility where the scores add up (those of
    both and of neither to 100), as published; other scores need the counts of both together,
    and the table holds one row for each number of subjects with both.
    """
    works_only, neither_score, both_score, toxic_only = options.scores
    additive = abs(neither_score + both_score - works_only - toxic_only) < TOLERANCE
    rows = []
    for n in sorted(set(sizes)):
        for toxic in range(n + 1):
            for works in range(n + 1):
                first, last = max(0, toxic + works - n), min(toxic, works)
                possible = [first] if additive else list(range(first, last + 1))
                rows += [(n, toxic, works, both) for both in possible]
    frame = pd.DataFrame(rows, columns=["n", "toxicities", "responses", "both"])
    total, toxicities, responses, together = frame.to_numpy(dtype=float).T
    alone = (responses - together, total - toxicities - responses + together)
    cells = np.stack([*alone, together, toxicities - together])
    events = np.asarray(options.scores) @ cells / 100
    frame["above"] = estimate_exceedance(events, total, options.benchmark / 100)
    risk = estimate_exceedance(toxicities, total, options.toxicity)
    futility = 1 - estimate_exceedance(responses, total, options.efficacy)
    too_toxic, futile = risk > options.toxicity_cutoff, futility > options.efficacy_cutoff
    frame["admissible"] = ~(too_toxic | futile)
    # Equal outcomes differ by rounding only.
    frame["score"] = frame["above"].round(10).where(frame["admissible"]).rank(method="average")
    return frame


def find_score(ranks: pd.DataFrame, counts: Counts) -> float:
    """Score of the observed outcome; NaN where it is inadmissible."""
    here = (ranks["n"] == counts.n) & (ranks["toxicities"] == counts.toxicities)
    here &= ranks["responses"] == counts.responses
    exact = here & (ranks["both"] == counts.both)
    rows = ranks.loc[exact if exact.any() else here, "score"]
    return float(rows.iloc[0])


def estimate_joint_probability(
    counts: Counts, toxicity: float, efficacy: float, prior: float = 0.5
) -> float:
    """Posterior probability that toxicity is at most and efficacy above its limit.

    Parameters
    ----------
    counts
        Subjects by both outcomes.
    prior
        Parameter of the symmetric Dirichlet prior of the four outcomes; 0.5 makes both
        marginal priors uniform.

    Notes
    -----
    The rate of toxicity is a beta variable; given it, so are the shares with efficacy among
    those with and among those without toxicity. The integral is a mean over a grid of their
    quantiles, the same for the same counts.
    """
    from scipy.special import betainc, betaincinv

    both, toxic = counts.both + prior, counts.toxicity_only + prior
    works, neither = counts.efficacy_only + prior, counts.neither + prior
    share = float(betainc(both + toxic, works + neither, toxicity))
    middle: NDArray[np.float64] = (np.arange(GRID) + 0.5) / GRID
    rate = betaincinv(both + toxic, works + neither, middle * share)[:, None]
    among_toxic = betaincinv(both, toxic, middle)[None, :]
    # Efficacy needed among those without toxicity for the total to be the limit.
    needed = np.clip((efficacy - rate * among_toxic) / (1 - rate), 0.0, 1.0)
    return float(share * (1 - betainc(works, neither, needed)).mean())


def select_obd(desirabilities: Sequence[Desirability | None], mtd: int) -> int:
    """Index of the optimal biological dose; -1 where no dose may be chosen.

    Parameters
    ----------
    desirabilities
        One a dose level in ascending order; none for a level that was not given.
    mtd
        Index of the maximum tolerated dose, -1 for none.

    Notes
    -----
    Of the admissible doses up to the maximum tolerated one, that of the highest mean utility;
    of equal ones the lowest.
    """
    best, found = -np.inf, -1
    for index, each in enumerate(desirabilities[: mtd + 1]):
        if each is not None and each.admissible and each.mean > best + TOLERANCE:
            best, found = each.mean, index
    return found


def _quasi_events(counts: Counts, options: UtilityOptions) -> float:
    cells = (counts.efficacy_only, counts.neither, counts.both, counts.toxicity_only)
    return sum(u * cell for u, cell in zip(options.scores, cells, strict=True)) / 100
