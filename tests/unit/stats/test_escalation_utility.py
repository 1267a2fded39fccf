"""Utility of doses after BOIN12, and the probability of acceptable toxicity with efficacy."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from celldossier.stats.escalation_utility import (
    Counts,
    Desirability,
    UtilityOptions,
    estimate_desirability,
    estimate_joint_probability,
    find_score,
    score_ranks,
    select_obd,
)

OPTIONS = UtilityOptions(toxicity=0.35, efficacy=0.25)

# Lin et al. (2020), Table 3, as the R package escalation holds it: subjects, toxicities,
# responses, score (none where the dose is inadmissible).
PUBLISHED = [
    (0, 0, 0, 60.0),
    (3, 0, 3, 91.0),
    (6, 1, 5, 87.0),
    (6, 5, 1, None),
    (9, 0, 8, 99.0),
    (9, 2, 3, 32.5),
    (9, 5, 5, 32.5),
    (9, 3, 1, 7.0),
    (9, 4, 0, None),
    (9, 6, 9, None),
]


@pytest.mark.parametrize(("n", "toxic", "works", "score"), PUBLISHED)
def test_rank_based_desirability_scores_are_the_published_ones(n, toxic, works, score):
    ranks = score_ranks((0, 3, 6, 9), OPTIONS)
    both = max(0, toxic + works - n)
    counts = Counts(works - both, n - toxic - works + both, both, toxic - both)
    found = find_score(ranks, counts)
    assert isnan(found) if score is None else found == score


def test_the_benchmark_is_halfway_between_the_lowest_acceptable_utility_and_100():
    # 100*0.25*0.65 + 40*0.75*0.65 + 60*0.25*0.35 = 41.
    assert OPTIONS.benchmark == pytest.approx(70.5)


def test_the_dose_of_the_published_example_is_the_most_desirable():
    # Lin et al. (2020), page 1396: dose 1 NNN; dose 2 ENT and EEN; dose 3 ETT: dose 2 goes on.
    doses = [Counts(0, 3, 0, 0), Counts(3, 2, 0, 1), Counts(1, 0, 0, 2)]
    above = [estimate_desirability(counts, OPTIONS).above for counts in doses]
    assert int(np.argmax(above)) == 1


@given(st.tuples(*[st.integers(0, 6)] * 4))
@settings(max_examples=50, deadline=None)
def test_the_desirability_is_the_quasi_binomial_one(cells):
    counts = Counts(*cells)
    events = (100 * cells[0] + 40 * cells[1] + 60 * cells[2]) / 100
    found = estimate_desirability(counts, OPTIONS)
    assert found.above == pytest.approx(beta.sf(0.705, 1 + events, 1 + counts.n - events))
    assert found.too_toxic == (
        beta.sf(0.35, 1 + counts.toxicities, 1 + counts.n - counts.toxicities) > 0.95
    )
    assert found.futile == (
        beta.cdf(0.25, 1 + counts.responses, 1 + counts.n - counts.responses) > 0.90
    )


@pytest.mark.parametrize("cells", [(0, 0, 0, 0), (3, 2, 1, 0), (1, 0, 0, 5), (8, 1, 2, 1)])
def test_the_joint_probability_agrees_with_draws_from_the_posterior(cells):
    counts = Counts(*cells)
    draws = np.random.default_rng(3).dirichlet(np.array(cells) + 0.5, 400_000)
    hit = (draws[:, 2] + draws[:, 3] <= 0.3) & (draws[:, 0] + draws[:, 2] > 0.4)
    found = estimate_joint_probability(counts, 0.3, 0.4)
    assert found == pytest.approx(hit.mean(), abs=4 * np.sqrt(0.25 / 400_000) + 1e-3)


@given(st.tuples(*[st.integers(0, 6)] * 4), st.floats(0.1, 0.5), st.floats(0.1, 0.7))
@settings(max_examples=30, deadline=None)
def test_the_joint_probability_is_no_larger_than_either_alone(cells, toxicity, efficacy):
    counts = Counts(*cells)
    found = estimate_joint_probability(counts, toxicity, efficacy)
    safe = beta.cdf(toxicity, 1 + counts.toxicities, 1 + counts.n - counts.toxicities)
    works = beta.sf(efficacy, 1 + counts.responses, 1 + counts.n - counts.responses)
    assert max(0.0, safe + works - 1) - 2e-3 <= found <= min(safe, works) + 2e-3


def test_scores_that_do_not_add_up_need_the_outcomes_together():
    options = UtilityOptions(0.35, 0.25, scores=(100, 50, 70, 0))
    ranks = score_ranks((3,), options)
    alone, together = Counts(1, 1, 0, 1), Counts(0, 2, 1, 0)
    assert find_score(ranks, alone) < find_score(ranks, together)


def test_the_optimal_dose_is_admissible_not_above_the_mtd_and_of_highest_utility():
    low, high = Desirability(50, 0.2, False, False), Desirability(70, 0.6, False, False)
    toxic = Desirability(90, 0.9, True, False)
    assert select_obd([low, high, toxic], 2) == 1
    assert select_obd([low, high, toxic], 0) == 0
    assert select_obd([low, None, low], 2) == 0
    assert select_obd([toxic], 0) == -1
    assert select_obd([low, high], -1) == -1


@pytest.mark.parametrize("cells", [(0, 0, 0, 0), (3, 2, 1, 0), (1, 0, 0, 5)])
def test_the_mean_utility_is_that_of_the_posterior(cells):
    events = (100 * cells[0] + 40 * cells[1] + 60 * cells[2]) / 100
    found = estimate_desirability(Counts(*cells), OPTIONS)
    assert found.mean == pytest.approx(100 * beta.mean(1 + events, 1 + sum(cells) - events))


def test_a_dose_is_judged_by_all_subjects_in_whom_an_outcome_is_known():
    counts = Counts(1, 2, 0, 0)
    assert not estimate_desirability(counts, OPTIONS).too_toxic
    found = estimate_desirability(counts, OPTIONS, toxicity=(5, 6), efficacy=(0, 12))
    assert found.too_toxic and found.futile and not found.admissible
    # The utility needs both outcomes and stays.
    assert found.above == estimate_desirability(counts, OPTIONS).above


def test_a_futile_dose_is_not_the_optimal_one():
    futile = Desirability(90, 0.9, False, True)
    assert select_obd([Desirability(50, 0.2, False, False), futile], 1) == 0
    assert select_obd([futile], 0) == -1


def test_the_table_of_scores_holds_every_possible_outcome_once():
    # Of n subjects in four cells there are C(n + 3, 3) outcomes; by margins (n + 1)^2.
    apart = score_ranks((3, 6), UtilityOptions(0.35, 0.25, scores=(100, 50, 70, 0)))
    assert apart.groupby("n").size().to_dict() == {3: 20, 6: 84}
    cells = ["n", "toxicities", "responses", "both"]
    assert not apart.duplicated(cells).any()
    assert (apart["both"] <= apart[["toxicities", "responses"]].min(axis=1)).all()
    assert (apart["toxicities"] + apart["responses"] - apart["both"] <= apart["n"]).all()
    assert score_ranks((3, 6), OPTIONS).groupby("n").size().to_dict() == {3: 16, 6: 49}
