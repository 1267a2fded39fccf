from __future__ import annotations

import math

import numpy as np
import pytest

from celldossier.stats import cox_diagnostics
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_diagnostics import estimate_concordance, predict_survival

RNG = np.random.default_rng(5)
N = 50
X = np.column_stack([RNG.normal(5, 1, N), RNG.integers(0, 2, N)])
TIME = np.ceil(RNG.exponential(30, N) * np.exp(-0.4 * (X[:, 0] - 5)))
EVENT = RNG.random(N) < 0.7
NAMES = ["exposure", "sex"]


def test_the_test_of_proportional_hazards_has_its_closed_form() -> None:
    # Six subjects whose Breslow estimate is r = (3 + sqrt(33)) / 2; U and I of each event.
    fit = estimate_cox(
        [9, 1, 1, 6, 6, 8], [1, 1, 0, 1, 1, 0], [0, 1, 1, 1, 0, 0], ["x"], ties="BRESLOW"
    )
    r = (3 + math.sqrt(33)) / 2
    assert math.exp(fit.estimates[0]) == pytest.approx(r, rel=1e-9)
    g = np.array([1, 6, 6, 9])
    score = np.array([1 / (r + 1), 3 / (r + 3), -r / (r + 3), 0])
    information = np.array([r / (r + 1) ** 2, 3 * r / (r + 3) ** 2, 3 * r / (r + 3) ** 2, 0])
    both = np.array(
        [
            [information.sum(), (g * information).sum()],
            [(g * information).sum(), (g**2 * information).sum()],
        ]
    )
    u = np.array([score.sum(), (g * score).sum()])
    found = cox_diagnostics.test_proportional_hazards(fit, "IDENTITY")
    assert found["x"].statistic == pytest.approx(u @ np.linalg.solve(both, u), rel=1e-9)
    assert found["x"].df == found["GLOBAL"].df == 1
    assert found["GLOBAL"].statistic == pytest.approx(found["x"].statistic, rel=1e-12)


@pytest.mark.parametrize("transform", ["IDENTITY", "LOG", "RANK", "KM"])
@pytest.mark.parametrize("ties", ["EFRON", "BRESLOW"])
def test_it_is_the_score_test_of_a_covariate_that_changes_with_time(
    ties: str, transform: str
) -> None:
    from scipy.stats import rankdata

    from celldossier.stats.cox_likelihood import PartialLikelihood, derive_risk_sets
    from celldossier.stats.survival import estimate_survival

    fit = estimate_cox(TIME, EVENT, X, NAMES, ties=ties)
    curve = estimate_survival(TIME, EVENT)
    before = dict(zip(curve.time, np.concatenate([[1.0], curve.survival[:-1]]), strict=True))
    ranks = dict(zip(TIME, rankdata(TIME), strict=True))
    g = {
        "IDENTITY": lambda at: at,
        "LOG": math.log,
        "RANK": lambda at: ranks[at],
        "KM": lambda at: 1 - before[at],
    }[transform]
    # Each subject cut at all event times, with g of the end of each piece times covariate.
    cuts = np.unique(TIME[EVENT])
    rows = []
    for time, event, x in zip(TIME, EVENT, X, strict=True):
        ends = [*cuts[cuts < time], time]
        for start, end in zip([0.0, *ends[:-1]], ends, strict=True):
            rows.append([start, end, event and end == time, *x, *(g(end) * x)])
    table = np.array(rows, dtype=float)
    event = table[:, 2] == 1
    sets = derive_risk_sets(table[:, 0], table[:, 1], event, np.zeros(len(table), dtype=int))
    z = table[:, 3:] - table[:, 3:].mean(axis=0)
    point = PartialLikelihood(sets, z, ties).evaluate(np.append(fit.estimates, [0.0, 0.0]))
    found = cox_diagnostics.test_proportional_hazards(fit, transform)
    for name, places in (("exposure", [0, 1, 2]), ("sex", [0, 1, 3]), ("GLOBAL", [0, 1, 2, 3])):
        u = point.score[places]
        expected = u @ np.linalg.solve(point.information[np.ix_(places, places)], u)
        assert found[name].statistic == pytest.approx(expected, rel=1e-6), name


def test_without_a_second_event_time_there_is_no_test_of_proportional_hazards() -> None:
    fit = estimate_cox([1, 1, 2, 2, 2], [1, 1, 0, 0, 0], [1, 0, 1, 0, 0], ["x"], "FIRTH")
    for found in cox_diagnostics.test_proportional_hazards(fit).values():
        assert math.isnan(found.statistic) and math.isnan(found.p)


def test_concordance_counts_pairs_one_by_one() -> None:
    rough = np.round(X[:, 0])
    fit = estimate_cox(TIME, EVENT, rough, ["x"])
    eta = rough * np.sign(fit.estimates[0])
    scores = [
        0.5 if eta[i] == eta[j] else float(eta[i] > eta[j])
        for i in range(N)
        for j in range(N)
        if EVENT[i] and (TIME[i] < TIME[j] or (TIME[i] == TIME[j] and not EVENT[j]))
    ]
    found = estimate_concordance(fit)
    assert 0.5 in scores and found.pairs == len(scores)
    assert found.value == pytest.approx(np.mean(scores), rel=1e-12)
    split = estimate_cox(TIME, EVENT, rough, ["x"], start=np.zeros(N))
    assert math.isnan(estimate_concordance(split).se)
    assert estimate_concordance(split, np.arange(N)).se == pytest.approx(found.se, rel=1e-12)


def test_cutting_subjects_into_rows_leaves_the_concordance_and_its_error() -> None:
    whole = estimate_concordance(estimate_cox(TIME, EVENT, X, NAMES))
    half, later = TIME / 2, np.arange(N) % 2 == 0
    fit = estimate_cox(
        np.concatenate([np.where(later, half, TIME), TIME[later]]),
        np.concatenate([np.where(later, False, EVENT), EVENT[later]]),
        np.concatenate([X, X[later]]),
        NAMES,
        start=np.concatenate([np.zeros(N), half[later]]),
    )
    found = estimate_concordance(fit, np.concatenate([np.arange(N), np.flatnonzero(later)]))
    assert (found.value, found.pairs) == (pytest.approx(whole.value), whole.pairs)
    assert found.se == pytest.approx(whole.se, rel=1e-9)


@pytest.mark.parametrize("ties", ["EFRON", "BRESLOW"])
def test_predicted_survival_and_its_error_follow_from_the_hazard_written_out(ties: str) -> None:
    fit = estimate_cox(TIME, EVENT, X, NAMES, ties=ties)
    x0 = np.array([6.0, 1.0])

    def increments(params: np.ndarray) -> list[float]:
        found = []
        for at in np.unique(TIME[EVENT]):
            weight = np.exp((X - x0) @ params)
            failing = EVENT & (at == TIME)
            count = int(failing.sum())
            shares = [part / count if ties == "EFRON" else 0.0 for part in range(count)]
            found.append([weight[at <= TIME].sum() - s * weight[failing].sum() for s in shares])
        return found

    def hazard(params: np.ndarray) -> np.ndarray:
        return np.cumsum([sum(1 / total for total in item) for item in increments(params)])

    found = predict_survival(fit, x0)
    assert found.cumulative_hazard == pytest.approx(hazard(fit.estimates), rel=1e-9)
    assert found.survival == pytest.approx(np.exp(-hazard(fit.estimates)), rel=1e-9)
    step = 1e-5
    slope = np.column_stack(
        [
            (hazard(fit.estimates + step * e) - hazard(fit.estimates - step * e)) / (2 * step)
            for e in np.eye(2)
        ]
    )
    own = np.cumsum([sum(1 / t**2 for t in item) for item in increments(fit.estimates)])
    variance = own + np.einsum("ij,jk,ik->i", slope, fit.covariance, slope)
    assert found.se == pytest.approx(np.sqrt(variance), rel=1e-6)
    width = 1.959963984540054 * found.se / found.cumulative_hazard
    assert found.low == pytest.approx(found.survival ** np.exp(width), rel=1e-9)
    assert found.high == pytest.approx(found.survival ** np.exp(-width), rel=1e-9)


def test_each_stratum_has_a_baseline_of_its_own() -> None:
    site = np.arange(N) % 2
    fit = estimate_cox(TIME, EVENT, X, NAMES, stratum=site)
    for code in (0, 1):
        own = predict_survival(fit, [5.0, 0.0], stratum=code)
        assert list(own.time) == sorted(set(TIME[EVENT & (site == code)]))


def test_there_is_nothing_to_read_off_a_fit_that_does_not_exist() -> None:
    fit = estimate_cox([1, 2], [0, 0], [1.0, 2.0], ["x"])
    with pytest.raises(ValueError, match="NOEVENT"):
        predict_survival(fit, [1.0])
    with pytest.raises(ValueError, match="exact ties"):
        predict_survival(estimate_cox(TIME, EVENT, X, NAMES, ties="EXACT"), X[0])


def test_the_origin_of_time_does_not_matter_to_the_trend_after_firth() -> None:
    # The penalised score is not 0: only a trend counted from its mean ignores it. Times are tied.
    found = [
        cox_diagnostics.test_proportional_hazards(
            estimate_cox(TIME + shift, EVENT, X, NAMES, "FIRTH"), "IDENTITY"
        )
        for shift in (0.0, 1000.0)
    ]
    for name in (*NAMES, "GLOBAL"):
        assert found[1][name].statistic == pytest.approx(found[0][name].statistic, rel=1e-6)


def test_one_covariate_that_is_known_at_one_event_alone_leaves_no_test_of_all() -> None:
    early = np.zeros(N)
    first = np.argsort(TIME, kind="stable")[:3]
    time, event = TIME + 10, EVENT.copy()
    time[first], event[first], early[first] = [1.0, 2.0, 3.0], [True, False, False], 1.0
    fit = estimate_cox(time, event, np.column_stack([X[:, 0], early]), ["x", "early"], "FIRTH")
    found = cox_diagnostics.test_proportional_hazards(fit)
    assert math.isnan(found["early"].p) and math.isnan(found["GLOBAL"].p)
    assert 0 < found["x"].p <= 1
