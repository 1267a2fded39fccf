from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2

from celldossier.stats.joint_test import test_jointly as run_joint_test
from celldossier.stats.logistic import estimate_logistic

RNG = np.random.default_rng(20241127)
X = RNG.normal(0, 1, (120, 4))
Y = (RNG.random(120) < 1 / (1 + np.exp(-X[:, 0] + 0.8 * X[:, 1]))).astype(float)


def test_maximum_likelihood_is_the_difference_of_the_log_likelihoods_of_statsmodels() -> None:
    full = sm.Logit(Y, sm.add_constant(X)).fit(disp=0, tol=1e-12)
    part = sm.Logit(Y, sm.add_constant(X[:, [0, 3]])).fit(disp=0, tol=1e-12)
    found = run_joint_test(Y, X, [1, 2], "ML")
    assert found.df == 2 and not found.reason
    assert found.chi_squared == pytest.approx(2 * (full.llf - part.llf), rel=1e-8)
    assert found.p == pytest.approx(chi2.sf(found.chi_squared, 2), rel=1e-10)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
@pytest.mark.parametrize("position", [0, 1, 3])
def test_a_single_coefficient_has_the_p_value_of_the_model(method: str, position: int) -> None:
    names = ["a", "b", "c", "d"]
    alone = estimate_logistic(Y, X, names, method).coefficient(names[position]).p
    assert run_joint_test(Y, X, [position], method).p == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize("method", ["ML", "FIRTH"])
def test_all_coefficients_together_test_against_the_rate_alone(method: str) -> None:
    found = run_joint_test(Y, X[:, :2], [0, 1], method)
    assert found.df == 2 and 0 < found.p < 1e-3
    if method == "ML":
        other = sm.Logit(Y, sm.add_constant(X[:, :2])).fit(disp=0)
        assert found.p == pytest.approx(other.llr_pvalue, rel=1e-6)


def test_separated_data_are_tested_with_the_penalty() -> None:
    x = np.column_stack([np.arange(20.0), np.tile([0.0, 1.0], 10)])
    y = (x[:, 0] >= 10).astype(float)
    found = run_joint_test(y, x, [0, 1], "ML")
    assert found.method == "FIRTH" and 0 < found.p < 0.01


def test_the_test_keeps_its_level_when_nothing_interacts() -> None:
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(300):
        exposure, group = rng.normal(0, 1.5, 90), rng.integers(0, 3, 90)
        dummies = np.column_stack([group == 1, group == 2]).astype(float)
        y = (rng.random(90) < 1 / (1 + np.exp(-0.5 * exposure))).astype(float)
        design = np.column_stack([exposure, dummies, dummies * exposure[:, None]])
        rejected += run_joint_test(y, design, [3, 4], "FIRTH").p < 0.05
    # 300 tests at 5 %: 15 expected, 99.9 % of the time between 4 and 28.
    assert 4 <= rejected <= 28


def test_what_has_no_fit_has_a_reason() -> None:
    found = run_joint_test(np.zeros(20), X[:20], [0], "FIRTH")
    assert found.reason == "NOEVENT" and math.isnan(found.p)


def test_a_penalised_maximum_that_is_not_found_leaves_no_test(monkeypatch) -> None:
    from celldossier.stats import joint_test
    from celldossier.stats.likelihood import ProfileError

    def fail(*arguments: object) -> None:
        raise ProfileError("no end")

    monkeypatch.setattr(joint_test, "maximise_penalised", fail)
    found = run_joint_test(Y, X, [0, 1], "FIRTH")
    assert (found.reason, found.df) == ("NOCONV", 2)
    assert math.isnan(found.p)
