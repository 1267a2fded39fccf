"""Kaplan-Meier and cumulative incidence: against statsmodels, plain loops, and at their ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from celldossier.stats.survival import (
    count_at_risk,
    estimate_at,
    estimate_cumulative_hazard,
    estimate_follow_up,
    estimate_incidence,
    estimate_quantile,
    estimate_survival,
)

COHORTS = st.lists(
    st.tuples(st.integers(1, 15), st.sampled_from([0, 1, 2])), min_size=2, max_size=40
)


@pytest.fixture(scope="module")
def cohort() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20251125)
    return rng.integers(1, 60, 90).astype(float), rng.choice([0, 1, 2], 90, p=[0.3, 0.4, 0.3])


def test_survival_and_its_error_equal_those_of_statsmodels(cohort) -> None:
    time, cause = cohort
    curve = estimate_survival(time, cause == 1)
    other = SurvfuncRight(time, (cause == 1).astype(int))
    at = np.searchsorted(curve.time, other.surv_times)
    assert curve.survival[at] == pytest.approx(other.surv_prob)
    assert curve.at_risk[at].tolist() == other.n_risk.tolist()
    error = curve.survival * np.sqrt(curve.greenwood)
    assert error[at] == pytest.approx(other.surv_prob_se)


@given(COHORTS)
def test_survival_is_the_product_of_its_steps(rows) -> None:
    time, event = [t for t, _ in rows], [c == 1 for _, c in rows]
    curve = estimate_survival(time, event)
    product = 1.0
    for at, survival in zip(curve.time, curve.survival, strict=True):
        risk = sum(t >= at for t in time)
        product *= 1 - sum(e for t, e in zip(time, event, strict=True) if t == at) / risk
        assert survival == pytest.approx(product, abs=1e-12)
        assert count_at_risk(curve, at) == risk
    assert count_at_risk(curve, max(time) + 1) == 0


def test_a_median_at_exactly_one_half_is_the_middle_of_its_interval() -> None:
    curve = estimate_survival([1, 2, 3, 4], [True] * 4)
    assert estimate_quantile(curve).value == 2.5
    # Censored after that, the curve stays at one half: its start is the median.
    flat = estimate_survival([1, 2, 3, 4], [True, True, False, False])
    assert estimate_quantile(flat).value == 2
    assert estimate_quantile(curve, 0.25).value == 1.5


def test_a_median_that_is_not_reached_is_missing_but_keeps_its_lower_limit() -> None:
    curve = estimate_survival(range(1, 21), [k <= 9 for k in range(1, 21)])
    median = estimate_quantile(curve)
    assert math.isnan(median.value) and math.isnan(median.high)
    assert median.low == 5


def test_limits_have_the_closed_form_of_the_log_log_scale() -> None:
    curve = estimate_survival([1, 2, 3, 4, 5], [True, False, True, False, False])
    found = estimate_at(curve, 3.5, level=0.90)
    survival, variance = 4 / 5 * 2 / 3, 1 / (5 * 4) + 1 / (3 * 2)
    width = 1.6448536269514722 * math.sqrt(variance) / math.log(survival)
    assert found.value == pytest.approx(survival)
    assert found.low == pytest.approx(math.exp(math.log(survival) * math.exp(-width)))
    assert found.high == pytest.approx(math.exp(math.log(survival) * math.exp(width)))


def test_survival_is_unknown_after_the_last_time_unless_nobody_is_left() -> None:
    open_ended = estimate_survival([1, 2], [True, False])
    assert estimate_at(open_ended, 0.5).value == 1 and math.isnan(estimate_at(open_ended, 0.5).low)
    assert estimate_at(open_ended, 2).value == 0.5
    assert math.isnan(estimate_at(open_ended, 2.1).value)
    closed = estimate_survival([1, 2], [True, True])
    assert estimate_at(closed, 9).value == 0 and math.isnan(estimate_at(closed, 9).high)
    nobody = estimate_survival([], [])
    assert math.isnan(estimate_at(nobody, 1).value)
    assert math.isnan(estimate_quantile(nobody).value) and count_at_risk(nobody, 0) == 0


def test_follow_up_is_the_median_with_events_censored(cohort) -> None:
    time, cause = cohort
    event = cause == 1
    assert estimate_follow_up(time, event) == estimate_quantile(estimate_survival(time, ~event))
    # Of those who are followed for 10 and die at 1, the potential follow-up is 10.
    assert estimate_follow_up([1, 1, 1, 10, 10], [True] * 3 + [False] * 2).value == 10


@pytest.mark.parametrize("at", [5, 20, 41, 59])
def test_cumulative_incidence_and_its_error_equal_those_of_statsmodels(cohort, at: int) -> None:
    time, cause = cohort
    other = CumIncidenceRight(time, cause)
    place = np.searchsorted(other.times, at, side="right") - 1
    found = estimate_incidence(time, cause, at)
    value, error = other.cinc[0][place], other.cinc_se[0][place]
    assert found.value == pytest.approx(value)
    width = 1.959963984540054 * error / (value * math.log(value))
    # The variance of statsmodels differs in the last digits where all at risk have an event.
    assert found.low == pytest.approx(value ** math.exp(-width), rel=1e-4)
    assert found.high == pytest.approx(value ** math.exp(width), rel=1e-4)


@given(COHORTS)
def test_incidences_of_all_causes_and_survival_add_to_one(rows) -> None:
    time, cause = np.array([t for t, _ in rows]), np.array([c for _, c in rows])
    at = int(time.max())
    swapped = np.where(cause == 0, 0, 3 - cause)
    total = estimate_incidence(time, cause, at).value + estimate_incidence(time, swapped, at).value
    free = estimate_at(estimate_survival(time, cause > 0), at).value
    assert total + free == pytest.approx(1)


def test_incidence_without_competing_events_is_one_less_survival() -> None:
    time, event = [1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 0]
    curve = estimate_survival(time, np.array(event) == 1)
    assert estimate_incidence(time, event, 3).value == pytest.approx(
        1 - estimate_at(curve, 3).value
    )
    assert math.isnan(estimate_incidence(time, event, 7).value)
    assert estimate_incidence(time, event, 0.5).value == 0
    assert math.isnan(estimate_incidence([], [], 1).value)
    # All have the event at last; the sum of the steps is 1 but for rounding.
    whole = estimate_incidence([1, 1, 1, 1, 2, 2, 2, 3, 4], [1, 1, 1, 1, 0, 1, 1, 1, 1], 4)
    assert whole.value == 1 and math.isnan(whole.low)


def test_times_and_events_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="each time needs its event"):
        estimate_survival([1, 2], [True])
    with pytest.raises(ValueError, match="cannot be missing"):
        estimate_survival([1, math.nan], [True, True])


def test_late_entry_counts_at_risk_from_the_entry_on() -> None:
    # By hand: at 3 two of three are in (the third enters at 3); at 5 the last two.
    curve = estimate_survival([3, 5, 6], [1, 1, 0], [0, 1, 3])
    assert curve.at_risk.tolist() == [2, 2, 1]
    assert curve.survival == pytest.approx([1 / 2, 1 / 4, 1 / 4])


def test_one_entry_for_all_gives_survival_given_no_event_until_then(cohort) -> None:
    time, cause = cohort
    event = cause == 1
    whole, later = estimate_survival(time, event), time > 20
    curve = estimate_survival(time[later], event[later], np.full(later.sum(), 20.0))
    given_then = whole.survival[whole.time > 20] / whole.survival[whole.time <= 20][-1]
    assert curve.survival == pytest.approx(given_then)
    assert curve.at_risk.tolist() == whole.at_risk[whole.time > 20].tolist()


def test_late_entry_agrees_with_statsmodels(cohort) -> None:
    time, cause = cohort
    start = np.floor(time * np.random.default_rng(3).random(time.size) * 0.5)
    start = np.minimum(start, time - 1)
    curve = estimate_survival(time, cause == 1, start)
    other = SurvfuncRight(time, (cause == 1).astype(int), entry=start)
    at = np.searchsorted(curve.time, other.surv_times)
    assert curve.survival[at] == pytest.approx(other.surv_prob)


def test_nobody_leaves_before_entering() -> None:
    with pytest.raises(ValueError, match="before being under observation"):
        estimate_survival([3, 5], [1, 1], [3, 0])


def test_the_cumulative_hazard_of_each_subject_is_that_of_nelson_and_aalen() -> None:
    # Five subjects: one of five fails at 2, two of four at 3, and one of one at 7.
    hazard = estimate_cumulative_hazard([3, 2, 3, 5, 7], [1, 1, 1, 0, 1])
    after_three = 1 / 5 + 2 / 4
    assert hazard == pytest.approx([after_three, 0.2, after_three, after_three, after_three + 1])
