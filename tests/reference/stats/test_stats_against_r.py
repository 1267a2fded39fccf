from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats import ordinal, proportion
from celldossier.stats.logistic import estimate_logistic, predict_probability
from celldossier.stats.logistic_flac import estimate_flac

HERE = Path(__file__).parent
CHI_SQUARED_95 = 3.841458820694124

Answers = dict[tuple[str, str], float]

COMPARED = {
    "firth_sex2_all": {"estimate", "pl_ci_lo", "pl_ci_hi", "plr_p"},
    "firth_sex2_sep": {"estimate", "pl_ci_lo", "pl_ci_hi", "plr_p"},
    "firth_sex2_all_FLIC": {"estimate"},
    "firth_sex2_sep_FLIC": {"estimate"},
    "firth_sex2_all_FLAC": {"estimate"},
    "glm_logit_birthwt": {
        *("estimate", "se", "profile95_lo", "profile95_hi", "logLik", "deviance", "null_deviance"),
        *("prob", "prob_wald_lo", "prob_wald_hi"),
    },
    "polr_housing": {"estimate", "se", "profile95_lo", "profile95_hi", "logLik", "deviance"},
    "clopper_pearson": {"lo", "hi"},
    "wilson": {"lo", "hi"},
    "fisher_2x2": {"p", "cond_mle_or", "or_lo", "or_hi"},
}
"""Statistics of each analysis that a test below compares."""

NOT_COMPARED = {
    "se": "logistf augments its weights (README)",
    "plr_chisq": "the p value says the same",
    "penalized_loglik": "of another parameterisation (README)",
    "penalized_loglik_null": "of another parameterisation (README)",
    "wald_ci_lo": "Wald limits are not reported",
    "wald_ci_hi": "Wald limits are not reported",
    "wald95_lo": "Wald limits are not reported",
    "wald95_hi": "Wald limits are not reported",
    "z": "estimate / se",
    "t": "estimate / se",
    "p": "Wald test, not reported",
    "AIC": "follows from logLik",
    "p_two_sided_vs_0.3": "binomial test, not an estimator of ours",
    "p_less": "one-sided, not reported",
    "p_greater": "one-sided, not reported",
    "estimate_diverges": "the separation test below",
    "": "R gives no answer (firth_sex2_sep_FLAC)",
}


def answers(analysis: str) -> Answers:
    rows = pd.read_csv(HERE / "answers.csv", keep_default_na=False)
    rows = rows[rows["analysis"] == analysis]
    return {
        (term, statistic): float(value)
        for term, statistic, value in zip(
            rows["term"], rows["statistic"], rows["value"], strict=True
        )
    }


def test_every_answer_is_compared_or_has_its_reason() -> None:
    rows = pd.read_csv(HERE / "answers.csv", keep_default_na=False)
    left = {
        (analysis, statistic)
        for analysis, statistic in zip(rows["analysis"], rows["statistic"], strict=True)
        if statistic not in COMPARED.get(analysis, set()) and statistic not in NOT_COMPARED
    }
    assert not left
    compared = sum(
        statistic in COMPARED.get(analysis, set())
        for analysis, statistic in zip(rows["analysis"], rows["statistic"], strict=True)
    )
    # Coverage, so that a comparison that compares nothing cannot pass.
    assert (compared, len(rows)) == (218, 326)


SEX2 = {
    "firth_sex2_all": ["age", "oc", "vic", "vicl", "vis", "dia"],
    "firth_sex2_sep": ["dia"],
}


@pytest.mark.parametrize("analysis", SEX2)
def test_firth_equals_logistf(analysis: str) -> None:
    data, names = pd.read_csv(HERE / "input_sex2.csv"), SEX2[analysis]
    fit = estimate_logistic(data["case"], data[names], names, "FIRTH", intercept_interval=True)
    expected = answers(analysis)
    assert fit.separation and not fit.reason
    assert len(fit.coefficients) == len(names) + 1
    for term in fit.coefficients:
        found = {
            "estimate": term.estimate,
            "pl_ci_lo": term.low,
            "pl_ci_hi": term.high,
            "plr_p": term.p,
        }
        for statistic, value in found.items():
            reference = expected[term.name, statistic]
            assert value == pytest.approx(reference, rel=1e-8, abs=1e-8), (term.name, statistic)


@pytest.mark.parametrize("analysis", SEX2)
def test_the_intercept_for_predictions_equals_flic(analysis: str) -> None:
    data, names = pd.read_csv(HERE / "input_sex2.csv"), SEX2[analysis]
    fit = estimate_logistic(data["case"], data[names], names, "FIRTH")
    expected = answers(f"{analysis}_FLIC")
    assert fit.flic_intercept == pytest.approx(expected["(Intercept)", "estimate"], rel=1e-7)
    assert fit.fitted is not None
    assert fit.fitted.sum() == pytest.approx(data["case"].sum(), rel=1e-10)
    for term in fit.coefficients[:-1]:
        assert term.estimate == pytest.approx(expected[term.name, "estimate"], rel=1e-8, abs=1e-8)


def test_flac_equals_logistf() -> None:
    data, names = pd.read_csv(HERE / "input_sex2.csv"), SEX2["firth_sex2_all"]
    fit = estimate_flac(data["case"], data[names], names)
    expected = answers("firth_sex2_all_FLAC")
    assert len(fit.coefficients) == len(expected) == 7
    for term in fit.coefficients:
        assert term.estimate == pytest.approx(expected[term.name, "estimate"], rel=1e-8), term.name


def test_flac_of_the_model_that_logistf_cannot_fit_has_the_observed_rate() -> None:
    data = pd.read_csv(HERE / "input_sex2.csv")
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
    data = pd.read_csv(HERE / "input_sex2.csv")
    fit = estimate_logistic(data["case"], data[["dia"]], ["dia"], "FIRTH")
    intercept, slope = fit.coefficient("(Intercept)"), fit.coefficient("dia")
    design = np.column_stack([data["dia"].to_numpy(float), np.ones(len(data))])
    p = 1 / (1 + np.exp(-(design @ [slope.estimate, intercept.estimate])))
    covariance = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
    assert slope.se == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-8)
    assert intercept.se == pytest.approx(math.sqrt(covariance[1, 1]), rel=1e-8)


def test_maximum_likelihood_does_not_exist_where_r_diverges() -> None:
    data = pd.read_csv(HERE / "input_sex2.csv")
    assert answers("glm_sex2_dia_separated")["dia", "estimate_diverges"] > 15
    refused = estimate_logistic(
        data["case"], data[["dia"]], ["dia"], "ML", keep_firth_when_separated=False
    )
    assert refused.reason == "SEPAR" and refused.coefficients == ()
    kept = estimate_logistic(data["case"], data[["dia"]], ["dia"], "ML")
    assert kept.method == "FIRTH" and kept.separation


def birthwt() -> tuple[pd.Series, pd.DataFrame]:
    data = pd.read_csv(HERE / "input_birthwt.csv")
    design = data[["age", "lwt"]].astype(float)
    design["factor(race)2"] = (data["race"] == 2).astype(float)
    design["factor(race)3"] = (data["race"] == 3).astype(float)
    for name in ("smoke", "ptl", "ht", "ui"):
        design[name] = data[name].astype(float)
    return data["low"], design


def test_maximum_likelihood_equals_glm() -> None:
    outcome, design = birthwt()
    fit = estimate_logistic(outcome, design, list(design), "ML", intercept_interval=True)
    expected = answers("glm_logit_birthwt")
    assert len(fit.coefficients) == 9
    for term in fit.coefficients:
        assert term.estimate == pytest.approx(expected[term.name, "estimate"], rel=1e-8)
        # glm stops its iterations at a relative change of 1e-8: its se holds to about that.
        assert term.se == pytest.approx(expected[term.name, "se"], rel=1e-7)
        assert term.low == pytest.approx(expected[term.name, "profile95_lo"], abs=2e-4)
        assert term.high == pytest.approx(expected[term.name, "profile95_hi"], abs=2e-4)
    assert fit.loglike == pytest.approx(expected["model", "logLik"], rel=1e-10)
    assert -2 * fit.loglike == pytest.approx(expected["model", "deviance"], rel=1e-10)
    rate = fit.events / fit.n
    null = -2 * (fit.events * math.log(rate) + (fit.n - fit.events) * math.log(1 - rate))
    assert null == pytest.approx(expected["model", "null_deviance"], rel=1e-10)


def test_glm_predictions_and_their_band_are_matched() -> None:
    outcome, design = birthwt()
    fit = estimate_logistic(outcome, design, list(design), "ML")
    expected = answers("glm_logit_birthwt")
    # The reference set predicts at a first-race, 25-year-old mother without risk factors.
    points = pd.DataFrame(0.0, index=range(3), columns=design.columns)
    points["lwt"] = [100.0, 130.0, 160.0]
    points["age"] = 25.0
    p, low, high = predict_probability(fit, points)
    for position, weight in enumerate((100, 130, 160)):
        term = f"pred_lwt{weight}"
        assert p[position] == pytest.approx(expected[term, "prob"], rel=1e-7)
        assert low[position] == pytest.approx(expected[term, "prob_wald_lo"], rel=1e-6)
        assert high[position] == pytest.approx(expected[term, "prob_wald_hi"], rel=1e-6)


def test_a_profile_limit_lies_half_the_chi_squared_quantile_below_the_maximum() -> None:
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    outcome, design = birthwt()
    fit = estimate_logistic(outcome, design, list(design), "ML")
    for name in design:
        rest = design.drop(columns=name).assign(one=1.0)
        for limit in (fit.coefficient(name).low, fit.coefficient(name).high):
            held = GLM(outcome, rest, family=Binomial(), offset=limit * design[name]).fit(tol=1e-12)
            assert held.llf == pytest.approx(fit.loglike - CHI_SQUARED_95 / 2, abs=1e-7)


def housing() -> tuple[pd.Series, pd.DataFrame]:
    data = pd.read_csv(HERE / "input_housing.csv")
    data = data.loc[data.index.repeat(data["Freq"])].reset_index(drop=True)
    levels = [
        *(("Infl", "Medium"), ("Infl", "High"), ("Type", "Apartment"), ("Type", "Atrium")),
        *(("Type", "Terrace"), ("Cont", "High")),
    ]
    design = pd.DataFrame({f"{v}{level}": (data[v] == level).astype(float) for v, level in levels})
    return data["Sat"].map({"Low": 0, "Medium": 1, "High": 2}), design


def test_proportional_odds_equals_polr() -> None:
    outcome, design = housing()
    assert len(outcome) == 1681
    fit = ordinal.estimate_proportional_odds(outcome, design, list(design))
    expected = answers("polr_housing")
    names = {"0|1": "Low|Medium", "1|2": "Medium|High"}
    assert len(fit.coefficients) == 8
    for term in fit.coefficients:
        name = names.get(term.name, term.name)
        # polr ends with a gradient of about 1e-5 of its own; its digits end there.
        assert term.estimate == pytest.approx(expected[name, "estimate"], abs=1e-7)
        assert term.se == pytest.approx(expected[name, "se"], abs=1e-6)
        if term.name not in names:
            assert term.low == pytest.approx(expected[name, "profile95_lo"], abs=1e-5)
            assert term.high == pytest.approx(expected[name, "profile95_hi"], abs=1e-5)
    assert fit.loglike == pytest.approx(expected["model", "logLik"], rel=1e-11)
    assert -2 * fit.loglike == pytest.approx(expected["model", "deviance"], rel=1e-11)


@pytest.mark.parametrize("method", ["clopper_pearson", "wilson"])
def test_intervals_of_a_proportion_equal_r(method: str) -> None:
    function = {"clopper_pearson": proportion.clopper_pearson, "wilson": proportion.wilson}[method]
    cases = pd.read_csv(HERE / "input_binom_cases.csv")
    expected, seen = answers(method), 0
    for events, n in zip(cases["x"], cases["n"], strict=True):
        for level in (0.8, 0.9, 0.95):
            term = f"{events}/{n}@{level:g}"
            if (term, "lo") not in expected:
                continue
            low, high = function(int(events), int(n), level)
            assert low == pytest.approx(expected[term, "lo"], abs=1e-13)
            assert high == pytest.approx(expected[term, "hi"], abs=1e-13)
            seen += 1
    assert seen == {"clopper_pearson": 24, "wilson": 8}[method]


def test_fisher_equals_fisher_test() -> None:
    cases, expected = pd.read_csv(HERE / "input_fisher_cases.csv"), answers("fisher_2x2")
    assert len(cases) == 6
    for row in cases.itertuples():
        case = str(row.case)
        found = proportion.test_fisher([[row.a, row.b], [row.c, row.d]])
        assert found.p == pytest.approx(expected[case, "p"], rel=1e-10)
        assert_near_root(found.odds_ratio, expected[case, "cond_mle_or"])
        assert_near_root(found.low, expected[case, "or_lo"])
        assert_near_root(found.high, expected[case, "or_hi"])
        assert_exact_limits(found, (row.a, row.b, row.c, row.d))


def assert_near_root(found: float, expected: float) -> None:
    """R looks for roots between 0 and 1, of the reciprocal above 1, to eps^0.25 = 1.22e-4."""
    if expected > 1:
        found, expected = 1 / found, 1 / expected
    assert found == pytest.approx(expected, abs=1.23e-4)


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
