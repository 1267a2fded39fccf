"""The log-rank test: against R, statsmodels, scipy and closed forms, and at its ends."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, logrank
from statsmodels.duration.survfunc import survdiff

from celldossier.stats import log_rank
from celldossier.stats.cox import estimate_cox

LUNG = pd.read_csv(Path(__file__).parents[2] / "reference" / "stats" / "input_lung.csv")
RNG = np.random.default_rng(11)
N = 60
STOP = np.ceil(RNG.exponential(30, N)) + 5
START = np.floor(RNG.uniform(0, 5, N))
EVENT = RNG.random(N) < 0.7
GROUP = RNG.integers(0, 3, N)
STRATUM = RNG.integers(0, 2, N)


@pytest.mark.parametrize(
    ("rows", "group", "stratum", "chisq"),
    [
        # R 4.2.2, survival 3.5-3: survdiff(Surv(time, status == 2) ~ ..., lung)$chisq
        (LUNG, "sex", None, 10.3267419548856),
        (LUNG[LUNG["ph.ecog"] < 3], "ph.ecog", None, 18.0120966946982),
        (LUNG.dropna(subset=["ph.ecog"]), "sex", "ph.ecog", 10.7950596334964),
    ],
)
def test_the_statistic_is_that_of_survdiff_of_r(
    rows: pd.DataFrame, group: str, stratum: str | None, chisq: float
) -> None:
    found = log_rank.test_log_rank(
        rows["time"], rows["status"] == 2, rows[group], stratum=rows[stratum] if stratum else None
    )
    assert found.statistic == pytest.approx(chisq, rel=1e-10)
    assert found.df == rows[group].nunique() - 1


@pytest.mark.parametrize("stratum", [None, STRATUM])
@pytest.mark.parametrize("start", [None, START])
def test_it_agrees_with_statsmodels_with_late_entry_and_strata(start, stratum) -> None:
    if start is not None and stratum is not None:
        # statsmodels does not cut the times of entry to the stratum.
        parts = [
            log_rank.test_log_rank(STOP[own], EVENT[own], GROUP[own], start=start[own])
            for own in (stratum == 0, stratum == 1)
        ]
        found = log_rank.test_log_rank(STOP, EVENT, GROUP, start=start, stratum=stratum)
        for place in range(3):
            assert found.expected[place] == pytest.approx(sum(p.expected[place] for p in parts))
        return
    chisq, p = survdiff(STOP, EVENT.astype(int), GROUP, strata=stratum, entry=start)
    found = log_rank.test_log_rank(STOP, EVENT, GROUP, start=start, stratum=stratum)
    assert found.statistic == pytest.approx(chisq, rel=1e-9)
    assert found.p == pytest.approx(p, rel=1e-6)
    assert sum(found.observed) == pytest.approx(sum(found.expected)) == EVENT.sum()


def test_it_agrees_with_scipy_for_two_groups() -> None:
    def censored(own: np.ndarray) -> CensoredData:
        return CensoredData(uncensored=STOP[own & EVENT], right=STOP[own & ~EVENT])

    found = log_rank.test_log_rank(STOP, EVENT, STRATUM)
    other = logrank(censored(STRATUM == 0), censored(STRATUM == 1))
    assert found.statistic == pytest.approx(other.statistic**2, rel=1e-9)
    assert found.p == pytest.approx(other.pvalue, rel=1e-6)


def test_it_is_the_score_test_of_the_exact_partial_likelihood_with_late_entry() -> None:
    fit = estimate_cox(
        STOP, EVENT, np.eye(3)[GROUP][:, 1:], ["a", "b"], start=START, stratum=STRATUM, ties="EXACT"
    )
    found = log_rank.test_log_rank(STOP, EVENT, GROUP, start=START, stratum=STRATUM)
    assert fit.score is not None
    assert found.statistic == pytest.approx(fit.score.statistic, rel=1e-9)


def test_two_subjects_have_the_closed_form() -> None:
    # One event with both at risk: (1 - 1/2)^2 / (1/4) = 1; the second has nobody beside it.
    found = log_rank.test_log_rank([1, 2], [1, 1], ["a", "b"])
    assert found.observed == (1, 1) and found.expected == (0.5, 1.5)
    assert found.statistic == pytest.approx(1) and found.df == 1
    assert found.p == pytest.approx(math.erfc(math.sqrt(0.5)))


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 2)), min_size=3, max_size=25
    ),
    st.floats(0.01, 100),
)
def test_names_of_groups_the_order_of_rows_and_the_unit_of_time_leave_it(rows, scale) -> None:
    time, event, group = (np.array(column) for column in zip(*rows, strict=True))
    found = log_rank.test_log_rank(time, event, group)
    order = np.random.default_rng(0).permutation(len(rows))
    names = np.array(["c", "a", "b"])[group]
    other = log_rank.test_log_rank(time[order] * scale, event[order], names[order])
    assert found.reason == other.reason
    assert sum(found.observed) == event.sum()
    if found.reason:
        assert math.isnan(found.p) and math.isnan(found.statistic)
    else:
        assert 0 <= found.p <= 1
        assert found.statistic == pytest.approx(other.statistic, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("stop", "event", "group", "reason"),
    [
        ([], [], [], "NOSUBJ"),
        ([1, 2], [0, 0], ["a", "b"], "NOEVENT"),
        ([1, 2], [1, 1], ["a", "a"], "ONELEVEL"),
        ([1, 1, 2, 2], [0, 0, 1, 1], ["a", "a", "b", "b"], "NOOVERLAP"),
        ([1, 1], [1, 1], ["a", "b"], "NOOVERLAP"),
    ],
)
def test_without_a_comparison_there_is_a_reason_and_no_test(stop, event, group, reason) -> None:
    found = log_rank.test_log_rank(stop, event, group)
    assert found.reason == reason
    assert math.isnan(found.p) and math.isnan(found.statistic)


def test_rows_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="after its start"):
        log_rank.test_log_rank([1, 2], [1, 1], ["a", "b"], start=[1, 0])
    with pytest.raises(ValueError, match="each row"):
        log_rank.test_log_rank([1, 2], [1, 1], ["a"])
