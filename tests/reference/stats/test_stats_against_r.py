"""Where R gives no answer, or one that is not exact: closed forms and conditions of ours.

The comparison with the answers themselves is `test_account_of_r.py`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from answers_of_ours import SEX2, read_birthwt, read_input

from celldossier.stats import proportion
from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.logistic_flac import estimate_flac

CHI_SQUARED_95 = 3.841458820694124


@pytest.mark.parametrize("model", SEX2)
def test_the_intercept_for_predictions_gives_the_observed_rate(model: str) -> None:
    data, names = read_input("sex2"), SEX2[model]
    fit = estimate_logistic(data["case"], data[names], names, "FIRTH")
    assert fit.separation and not fit.reason and fit.fitted is not None
    assert fit.fitted.sum() == pytest.approx(data["case"].sum(), rel=1e-10)


def test_flac_of_the_model_that_logistf_cannot_fit_has_the_observed_rate() -> None:
    data = read_input("sex2")
    fit = estimate_flac(data["case"], data[["dia"]], ["dia"])
    assert fit.separation and not fit.reason and fit.fitted is not None
    assert fit.fitted.sum() == pytest.approx(data["case"].sum(), rel=1e-10)
    # With one predictor of 0 and 1 FLAC solves two equations: the score of the observed rows
    # and of the pseudo-data, one half of an event with leverage 1 in either group.
    with_dia, slope = data["dia"] == 1, fit.coefficient("dia").estimate
    n1, n0 = int(with_dia.sum()), int((~with_dia).sum())
    p1, p0 = float(fit.fitted[with_dia][0]), float(fit.fitted[~with_dia][0])
    assert n1 * p1 + n0 * p0 == pytest.approx(data["case"].sum(), rel=1e-9)
    pseudo = 1 / (1 + math.exp(-slope / 2))
    events = float(data.loc[with_dia, "case"].sum())
    assert events - n1 * p1 + (0.5 - pseudo) == pytest.approx(0.0, abs=1e-8)


def test_the_standard_error_is_that_of_the_fisher_information() -> None:
    data = read_input("sex2")
    fit = estimate_logistic(data["case"], data[["dia"]], ["dia"], "FIRTH")
    intercept, slope = fit.coefficient("(Intercept)"), fit.coefficient("dia")
    design = np.column_stack([data["dia"].to_numpy(float), np.ones(len(data))])
    p = 1 / (1 + np.exp(-(design @ [slope.estimate, intercept.estimate])))
    covariance = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
    assert slope.se == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-8)
    assert intercept.se == pytest.approx(math.sqrt(covariance[1, 1]), rel=1e-8)


def test_maximum_likelihood_does_not_exist_where_r_diverges() -> None:
    data = read_input("sex2")
    # The answer of R, 16.4, is where glm stopped on its way to infinity.
    refused = estimate_logistic(
        data["case"], data[["dia"]], ["dia"], "ML", keep_firth_when_separated=False
    )
    assert refused.reason == "SEPAR" and refused.coefficients == ()
    kept = estimate_logistic(data["case"], data[["dia"]], ["dia"], "ML")
    assert kept.method == "FIRTH" and kept.separation


def test_a_profile_limit_lies_half_the_chi_squared_quantile_below_the_maximum() -> None:
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    outcome, design = read_birthwt()
    fit = estimate_logistic(outcome, design, list(design), "ML")
    for name in design:
        rest = design.drop(columns=name).assign(one=1.0)
        for limit in (fit.coefficient(name).low, fit.coefficient(name).high):
            held = GLM(outcome, rest, family=Binomial(), offset=limit * design[name]).fit(tol=1e-12)
            assert held.llf == pytest.approx(fit.loglike - CHI_SQUARED_95 / 2, abs=1e-7)


def test_the_limits_of_fishers_odds_ratio_are_exact() -> None:
    cases = read_input("fisher_cases")
    assert len(cases) == 6
    for row in cases.itertuples():
        found = proportion.test_fisher([[row.a, row.b], [row.c, row.d]])
        assert_exact_limits(found, (row.a, row.b, row.c, row.d))


def assert_exact_limits(found: proportion.FisherTest, cells: tuple[int, int, int, int]) -> None:
    """A limit is the odds ratio at which the table, or one beyond it, has probability 2.5 %."""
    from scipy.stats import nchypergeom_fisher

    a, b, c, d = cells
    total, row, column = a + b + c + d, a + b, a + c
    if found.low > 0:
        above = nchypergeom_fisher(total, row, column, found.low).sf(a - 1)
        assert above == pytest.approx(0.025, rel=1e-6)
    if math.isfinite(found.high):
        below = nchypergeom_fisher(total, row, column, found.high).cdf(a)
        assert below == pytest.approx(0.025, rel=1e-6)
