from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_diagnostics import predict_survival
from celldossier.stats.cox_standardisation import predict_mean_survival

RNG = np.random.default_rng(20241128)
N = 70
X, Z = RNG.normal(14, 1.5, N), RNG.normal(0, 1, N)


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    event_time = rng.exponential(300 / np.exp(-0.3 * (X - 14) + 0.5 * Z))
    end = rng.uniform(100, 700, N)
    # Whole days, so that there are ties.
    return np.ceil(np.minimum(event_time, end)), event_time <= end


TIME, EVENT = draw(RNG)


def test_one_covariate_alone_is_the_survival_of_a_subject() -> None:
    fit = estimate_cox(TIME, EVENT, X[:, None], ["x"], "ML")
    found = predict_mean_survival(fit, 13.0, [50.0, 200.0, 400.0])
    single = predict_survival(fit, [13.0])
    place = np.searchsorted(single.time, found.time, side="right") - 1
    for ours, theirs in (
        (found.survival, single.survival),
        (found.low, single.low),
        (found.high, single.high),
    ):
        assert ours == pytest.approx(theirs[place], rel=1e-10)


def test_the_mean_is_that_of_the_survival_of_each_subject() -> None:
    strata = np.where(np.arange(N) % 3 == 0, "A", "B")
    fit = estimate_cox(TIME, EVENT, np.column_stack([X, Z]), ["x", "z"], "ML", stratum=strata)
    found = predict_mean_survival(fit, 15.0, [150.0])
    each = []
    for subject in range(N):
        curve = predict_survival(fit, [15.0, Z[subject]], stratum=int(strata[subject] == "B"))
        each.append(curve.survival[np.searchsorted(curve.time, 150.0, side="right") - 1])
    assert found.survival[0] == pytest.approx(float(np.mean(each)), rel=1e-10)


def test_before_the_first_event_everybody_survives_without_an_interval() -> None:
    fit = estimate_cox(TIME, EVENT, X[:, None], ["x"], "ML")
    found = predict_mean_survival(fit, 13.0, [0.0])
    assert found.survival[0] == 1 and np.isnan(found.low[0]) and np.isnan(found.high[0])


def test_from_a_landmark_on_survival_is_of_those_who_came_to_it() -> None:
    late = pd.Series(TIME) > 28
    fit = estimate_cox(
        TIME[late], EVENT[late], X[late][:, None], ["x"], "ML", start=np.full(late.sum(), 28.0)
    )
    moved = estimate_cox(TIME[late] - 28, EVENT[late], X[late][:, None], ["x"], "ML")
    ours = predict_mean_survival(fit, 14.0, [200.0])
    theirs = predict_mean_survival(moved, 14.0, [172.0])
    assert ours.survival == pytest.approx(theirs.survival, rel=1e-10)
    assert ours.low == pytest.approx(theirs.low, rel=1e-8)


def test_the_standard_error_is_the_spread_over_repeated_studies() -> None:
    rng = np.random.default_rng(3)
    means, errors, covered = [], [], 0
    truth = np.exp(-200 / 300 * np.exp(-0.3 * (13 - 14) + 0.5 * Z)).mean()
    for _ in range(300):
        time, event = draw(rng)
        fit = estimate_cox(time, event, np.column_stack([X, Z]), ["x", "z"], "ML", tested=[])
        found = predict_mean_survival(fit, 13.0, [200.0])
        means.append(found.survival[0])
        errors.append(found.se[0])
        covered += bool(found.low[0] <= truth <= found.high[0])
    assert np.mean(errors) == pytest.approx(np.std(means, ddof=1), rel=0.12)
    # 300 intervals of 95 %: 285 expected, 99.9 % of the time between 271 and 296.
    assert 271 <= covered <= 297
