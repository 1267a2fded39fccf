from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, brentq, minimize

from celldossier.stats import cox_likelihood
from celldossier.stats.cox import estimate_cox, hazard_ratio
from celldossier.stats.cox_results import CoxFit

RNG = np.random.default_rng(20261126)
N = 40
X = np.column_stack([RNG.normal(12, 2, N), RNG.integers(0, 2, N)])
TRUE = np.exp(0.3 * (X[:, 0] - 12) - 0.8 * X[:, 1])
# Days, with ties, and the first days of some not observed.
TIME = np.ceil(RNG.exponential(20 / TRUE))
EVENT = RNG.random(N) < 0.6
START = np.minimum(RNG.integers(-5, 6, N), TIME - 1).astype(float)
SITE = RNG.integers(0, 2, N)
NAMES = ["exposure", "sex"]
MODELS = [("ML", "EFRON"), ("ML", "BRESLOW"), ("ML", "EXACT"), ("FIRTH", "EFRON")]
NUMBERS = ("estimate", "se", "wald_p", "low", "high", "p")


def assert_same(first: CoxFit, second: CoxFit, rel: float = 1e-7) -> None:
    assert not first.reason and not second.reason
    for one, other in zip(first.coefficients, second.coefficients, strict=True):
        for name in NUMBERS:
            assert getattr(other, name) == pytest.approx(getattr(one, name), rel=rel), name


def evaluate_plainly(
    params: np.ndarray, ties: str, penalised: bool, start: np.ndarray, site: np.ndarray
) -> float:
    """Log likelihood by loops over events, with the information as a plain weighted covariance."""
    value, information = 0.0, np.zeros((2, 2))
    for code in set(site):
        for at in sorted(set(TIME[EVENT & (site == code)])):
            risk = np.flatnonzero((site == code) & (start < at) & (at <= TIME))
            failing = [i for i in risk if EVENT[i] and TIME[i] == at]
            for part in range(len(failing)):
                share = part / len(failing) if ties == "EFRON" else 0.0
                weight = [
                    math.exp(X[i] @ params) * ((1 - share) if i in failing else 1) for i in risk
                ]
                value += X[failing[part]] @ params - math.log(sum(weight))
                information += np.cov(X[risk].T, aweights=weight, ddof=0)
    return value + (0.5 * math.log(np.linalg.det(information)) if penalised else 0.0)


@pytest.mark.parametrize("ties", ["EFRON", "BRESLOW"])
@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_the_estimate_is_the_maximum_of_a_likelihood_written_out_in_loops(
    method: str, ties: str
) -> None:
    fit = estimate_cox(TIME, EVENT, X, NAMES, method, start=START, stratum=SITE, ties=ties)

    def negative(params: np.ndarray) -> float:
        return -evaluate_plainly(params, ties, method == "FIRTH", START, SITE)

    assert fit.loglike == pytest.approx(-negative(fit.estimates), rel=1e-11)
    assert fit.loglike_null == pytest.approx(-negative(np.zeros(2)), rel=1e-11)
    found = minimize(negative, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7})
    assert fit.estimates == pytest.approx(found.x, abs=1e-5)
    assert np.abs(approx_fprime(fit.estimates, negative, 1e-6)).max() < 1e-3
    low, high = fit.coefficients[1].low, fit.coefficients[1].high
    for limit in (low, high):
        held = minimize(
            lambda b, limit=limit: negative(np.array([b[0], limit])),
            [fit.estimates[0]],
            method="Nelder-Mead",
            options={"xatol": 1e-7},
        )
        assert 2 * (fit.loglike + held.fun) == pytest.approx(3.841458820694124, abs=1e-6)


def test_firth_agrees_with_firthmodels_where_that_applies() -> None:
    from firthmodels import FirthCoxPH

    # Breslow's ties, right-censored, one stratum; tightened to the last digits.
    other = FirthCoxPH(backend="numpy", gtol=1e-9, xtol=1e-9, max_iter=200)
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    other.fit(z, (EVENT, TIME))
    other.lrt()
    limits = other.conf_int(method="pl", tol=1e-8, max_iter=200)
    fit = estimate_cox(TIME, EVENT, z, NAMES, "FIRTH", ties="BRESLOW")
    assert fit.loglike == pytest.approx(other.loglik_, rel=1e-10)
    for j, item in enumerate(fit.coefficients):
        assert item.estimate == pytest.approx(other.coef_[j], rel=1e-7)
        assert item.se == pytest.approx(other.bse_[j], rel=1e-7)
        assert (item.low, item.high) == pytest.approx(tuple(limits[j]), rel=1e-6)
        assert item.p == pytest.approx(other.lrt_pvalues_[j], rel=1e-6)


def test_exact_ties_sum_over_all_subsets_that_could_have_failed() -> None:
    time = np.ceil(TIME[:14] / 30)

    def negative(b: float) -> float:
        total = 0.0
        for at in set(time[EVENT[:14]]):
            failing = EVENT[:14] & (time == at)
            risk = X[:14, 0][time >= at]
            subsets = combinations(risk, int(failing.sum()))
            total += b * X[:14, 0][failing].sum()
            total -= math.log(sum(math.exp(b * sum(subset)) for subset in subsets))
        return -total

    fit = estimate_cox(time, EVENT[:14], X[:14, 0], ["x"], ties="EXACT")
    assert max(np.bincount(time[EVENT[:14]].astype(int))) > 2
    assert fit.loglike == pytest.approx(-negative(fit.estimates[0]), rel=1e-11)
    b, step = fit.estimates[0], 1e-4
    slope = (negative(b + step) - negative(b - step)) / (2 * step)
    bend = (negative(b + step) - 2 * negative(b) + negative(b - step)) / step**2
    assert abs(slope) < 1e-6
    assert fit.coefficients[0].se == pytest.approx(bend**-0.5, rel=1e-4)


@pytest.mark.parametrize(("exposed", "others"), [(1, 1), (3, 9), (8, 2)])
def test_one_event_in_one_of_two_groups_has_its_firth_estimate_in_closed_form(
    exposed: int, others: int
) -> None:
    # With p the exposed share of the hazard, the penalised likelihood p sqrt(p (1 - p)) is
    # highest at p = 3/4: hazard ratio 3 others / exposed.
    group = np.repeat([1.0, 0.0], [exposed, others])
    event = np.arange(group.size) == 0
    time = np.where(event, 1.0, 2.0)
    fit = estimate_cox(time, event, group, ["group"])
    item = fit.coefficient("group")
    assert fit.monotone and fit.method == "FIRTH" and not fit.reason
    assert hazard_ratio(item.estimate) == pytest.approx(3 * others / exposed, rel=1e-8)

    def excess(p: float) -> float:
        return 1.5 * math.log(p / 0.75) + 0.5 * math.log((1 - p) / 0.25) + 3.841458820694124 / 2

    for limit, (inner, outer) in ((item.low, (0.75, 1e-12)), (item.high, (0.75, 1 - 1e-12))):
        p = brentq(excess, inner, outer, xtol=1e-15)
        assert hazard_ratio(limit) == pytest.approx(p / (1 - p) * others / exposed, rel=1e-6)


def test_two_events_of_two_groups_have_their_estimate_in_closed_form() -> None:
    # Exposed fails first of 2 exposed and 2 others, then another of 1 exposed and 2 others:
    # the score 1 - r / (r + 1) - r / (r + 2) is 0 at r = sqrt(2).
    fit = estimate_cox([1, 2, 3, 3], [1, 1, 0, 0], [1, 0, 1, 0], ["group"])
    r = hazard_ratio(fit.estimates[0])
    assert r == pytest.approx(math.sqrt(2), rel=1e-9)
    information = r / (r + 1) ** 2 + 2 * r / (r + 2) ** 2
    assert fit.coefficients[0].se == pytest.approx(information**-0.5, rel=1e-9)


def test_with_two_events_the_highest_of_several_maxima_is_taken() -> None:
    # Found by chance among 600 random small data sets.
    first = [0.97, 0.58, -8.61, -3.0, 13.68, -3.03, 9.98, -14.08, 13.67, -3.6, 5.68]
    second = [-0.57, 0.07, 0.82, -0.28, 1.88, 0.71, -1.09, 0.56, -1.25, 0.71, -0.14]
    x = np.column_stack([first, second])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    time, event = np.repeat([1.0, 2.0], [6, 5]), np.isin(np.arange(11), [0, 6])
    fit = estimate_cox(time, event, x, NAMES, "FIRTH")
    sets = cox_likelihood.derive_risk_sets(np.zeros(11), time, event, np.zeros(11, dtype=int))
    likelihood = cox_likelihood.PartialLikelihood(sets, x, "EFRON", penalised=True)
    side = np.linspace(-6, 6, 25)
    highest = max(likelihood.evaluate(np.array([a, b])).value for a in side for b in side)
    near = cox_likelihood.maximise(likelihood, np.zeros(2))[1].value
    assert near + 0.1 < highest <= fit.loglike
    # On the way from one maximum to the other the profile of the first coefficient jumps.
    jumping, smooth = fit.coefficients
    assert jumping.reason == "NOCONV" and math.isnan(jumping.low)
    assert smooth.low < smooth.estimate < smooth.high


def test_a_limit_that_the_profile_jumps_over_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    from celldossier.stats import cox

    found = estimate_cox(TIME, EVENT, X, NAMES, "FIRTH").coefficients[0]
    monkeypatch.setattr(cox, "profile_limits", lambda *_: (found.low, found.high * 1.01))
    item = estimate_cox(TIME, EVENT, X, NAMES, "FIRTH").coefficients[0]
    assert item.reason == "NOCONV" and math.isnan(item.low) and item.estimate == found.estimate


@pytest.mark.parametrize(("method", "ties"), MODELS)
@settings(max_examples=6, deadline=None)
@given(factor=st.floats(1e-6, 1e6), shift=st.floats(-100, 100))
def test_units_and_origin_of_a_covariate_do_not_matter(
    method: str, ties: str, factor: float, shift: float
) -> None:
    first = estimate_cox(TIME, EVENT, X, NAMES, method, ties=ties, tested=["exposure"])
    moved = (X + np.array([shift, 0.0])) * np.array([factor, 1.0])
    second = estimate_cox(TIME, EVENT, moved, NAMES, method, ties=ties, tested=["exposure"])
    for name in ("estimate", "low", "high"):
        expected = getattr(first.coefficients[0], name) / factor
        assert getattr(second.coefficients[0], name) == pytest.approx(expected, rel=1e-6)
    assert second.coefficients[0].p == pytest.approx(first.coefficients[0].p, rel=1e-6)


@pytest.mark.parametrize(("method", "ties"), MODELS)
def test_only_the_order_of_the_times_matters(method: str, ties: str) -> None:
    first = estimate_cox(TIME, EVENT, X, NAMES, method, ties=ties)
    assert_same(first, estimate_cox(np.log(TIME) * 7, EVENT, X, NAMES, method, ties=ties))


@pytest.mark.parametrize(("method", "ties"), MODELS)
def test_the_order_of_the_rows_does_not_matter(method: str, ties: str) -> None:
    options = {"ties": ties, "stratum": SITE, "start": START}
    first = estimate_cox(TIME, EVENT, X, NAMES, method, **options)
    back = {"ties": ties, "stratum": SITE[::-1], "start": START[::-1]}
    assert_same(first, estimate_cox(TIME[::-1], EVENT[::-1], X[::-1], NAMES, method, **back))


@pytest.mark.parametrize(("method", "ties"), MODELS)
def test_an_interval_split_in_two_changes_nothing(method: str, ties: str) -> None:
    whole = estimate_cox(TIME, EVENT, X, NAMES, method, ties=ties)
    cut = TIME > 8
    split = estimate_cox(
        np.concatenate([TIME, np.full(cut.sum(), 8.0)]),
        np.concatenate([EVENT, np.zeros(cut.sum(), dtype=bool)]),
        np.concatenate([X, X[cut]]),
        NAMES,
        method,
        start=np.concatenate([np.where(cut, 8.0, -1.0), np.full(cut.sum(), -1.0)]),
        ties=ties,
    )
    assert_same(whole, split)
    assert split.loglike == pytest.approx(whole.loglike, rel=1e-10)


@pytest.mark.parametrize(("method", "ties"), MODELS)
def test_strata_have_clocks_of_their_own(method: str, ties: str) -> None:
    first = estimate_cox(TIME, EVENT, X, NAMES, method, stratum=SITE, ties=ties)
    moved = TIME + 1000 * SITE
    assert_same(first, estimate_cox(moved, EVENT, X, NAMES, method, stratum=SITE, ties=ties))
    together = estimate_cox(TIME, EVENT, X, NAMES, method, ties=ties)
    assert together.estimates[0] != pytest.approx(first.estimates[0], rel=1e-4)


def test_doubled_data_halve_the_variance_with_breslow_ties() -> None:
    once = estimate_cox(TIME, EVENT, X, NAMES, ties="BRESLOW")
    twice = estimate_cox(
        np.tile(TIME, 2), np.tile(EVENT, 2), np.tile(X, (2, 1)), NAMES, ties="BRESLOW"
    )
    assert twice.estimates == pytest.approx(once.estimates, rel=1e-8)
    assert twice.covariance == pytest.approx(once.covariance / 2, rel=1e-8)


def test_a_covariate_that_changes_is_read_at_the_time_of_each_event() -> None:
    fit = estimate_cox(
        stop=[1, 1, 2, 3, 4, 4],
        event=[1, 0, 1, 1, 0, 0],
        covariates=[1, 0, 1, 0, 1, 0],
        names=["x"],
        start=[0, 0, 1, 0, 2, 3],
    )
    r = hazard_ratio(fit.estimates[0])
    # At 1 fails the one of covariate 1 beside two of 0, r / (r + 2); at 2 the second, which
    # has 1 by then, beside one of 0, r / (r + 1); at 3 one of 0 beside the last, which has 1
    # by then, 1 / (r + 1).
    assert 2 / (r + 2) + 1 / (r + 1) == pytest.approx(r / (r + 1), rel=1e-9)


def test_a_monotone_likelihood_gives_the_firth_estimate_or_is_refused() -> None:
    time = np.arange(1.0, 13.0)
    x = np.column_stack([-time * 1e6, np.tile([0.0, 1.0, 1.0], 4)])
    event = np.ones(12)
    fit = estimate_cox(time, event, x, NAMES)
    assert fit.monotone and fit.method == "FIRTH" and not fit.reason and fit.score is None
    for item in fit.coefficients:
        assert not item.reason
        assert np.isfinite([item.estimate, item.se, item.low, item.high, item.p]).all()
    assert fit.coefficients[0].low > 0
    refused = estimate_cox(time, event, x, NAMES, keep_firth_when_monotone=False)
    assert refused.reason == "MONOTONE" and refused.coefficients == () and refused.monotone
    assert estimate_cox(time, event, x, NAMES, ties="EXACT").reason == "MONOTONE"


def test_a_large_effect_is_not_taken_for_a_monotone_likelihood() -> None:
    time = np.arange(1.0, 41.0)
    x = -time.copy()
    x[[18, 19]] = x[[19, 18]]
    fit = estimate_cox(time, np.ones(40), x, ["x"])
    assert not fit.monotone and fit.method == "ML" and not fit.reason
    assert fit.estimates[0] > 1


@pytest.mark.parametrize(
    ("time", "event", "x", "reason"),
    [
        ([], [], np.empty((0, 1)), "NOSUBJ"),
        ([1, 2, 3], [0, 0, 0], [[1.0], [2.0], [3.0]], "NOEVENT"),
        ([1, 2, 3], [1, 1, 0], [[7.1], [7.1], [7.1]], "CONSTANT"),
        # Varies only among who has left before the first event, or is alone at risk at it.
        ([1, 2, 3], [0, 1, 0], [[7.1], [7.0], [7.0]], "CONSTANT"),
        ([1, 2, 3], [0, 0, 1], [[1.0], [2.0], [3.0]], "CONSTANT"),
        ([1, 2, 3, 4], [1, 1, 1, 0], [[1, 2], [2, 4], [3, 6], [5, 10]], "COLLIN"),
        ([1, 2], [1, 1], [[1.0, 2.0], [2.0, 5.0]], "COLLIN"),
    ],
)
@pytest.mark.parametrize(("method", "ties"), MODELS)
def test_what_has_no_estimate_says_why(
    time: list[float],
    event: list[int],
    x: list[list[float]],
    reason: str,
    method: str,
    ties: str,
    recwarn: pytest.WarningsRecorder,
) -> None:
    names = [f"x{j}" for j in range(np.asarray(x).shape[1])]
    fit = estimate_cox(time, event, x, names, method, ties=ties)
    assert fit.reason == reason and fit.coefficients == () and math.isnan(fit.loglike)
    assert not list(recwarn)


def test_a_fit_that_does_not_converge_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cox_likelihood, "MAX_STEPS", 1)
    for method in ("ML", "FIRTH"):
        fit = estimate_cox(TIME, EVENT, X, NAMES, method)
        assert fit.reason == "NOCONV" and fit.coefficients == () and not fit.monotone


def test_sparse_and_dense_risk_sets_give_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = estimate_cox(TIME, EVENT, X, NAMES, "FIRTH", stratum=SITE)
    monkeypatch.setattr(cox_likelihood, "DENSE", 0)
    assert_same(dense, estimate_cox(TIME, EVENT, X, NAMES, "FIRTH", stratum=SITE), rel=1e-9)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_who_is_at_risk_at_no_event_changes_nothing(method: str) -> None:
    first = estimate_cox(TIME, EVENT, X, NAMES, method)
    early = min(TIME[EVENT]) / 2
    far = np.vstack([X, [1e9, 0.0]])
    second = estimate_cox(np.append(TIME, early), np.append(EVENT, False), far, NAMES, method)
    assert second.n == first.n + 1
    assert_same(first, second, rel=1e-9)


def test_what_a_cox_model_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="complete rows"):
        estimate_cox([1, 2], [1, 0], [1.0, math.nan], ["x"])
    with pytest.raises(ValueError, match="event of 0 or 1"):
        estimate_cox([1, 2], [1, 2], [1.0, 2.0], ["x"])
    with pytest.raises(ValueError, match="ends after it starts"):
        estimate_cox([1, 2], [1, 0], [1.0, 2.0], ["x"], start=[0, 2])
    with pytest.raises(ValueError, match="exact ties"):
        estimate_cox(TIME, EVENT, X, NAMES, "FIRTH", ties="EXACT")
    with pytest.raises(ValueError, match="names for"):
        estimate_cox(TIME, EVENT, X, ["x"])


def test_a_hazard_ratio_beyond_the_range_of_numbers_is_missing_not_infinite() -> None:
    assert hazard_ratio(math.log(2)) == pytest.approx(2)
    assert math.isnan(hazard_ratio(1e4)) and hazard_ratio(-1e4) == 0
