"""Cox models of the lung data against R's coxph, cox.zph and survdiff."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats import cox_diagnostics
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_results import CoxFit

HERE = Path(__file__).parent
LUNG = pd.read_csv(HERE / "input_lung.csv")
ANSWERS = pd.read_csv(HERE / "answers_cox.csv", keep_default_na=False)
COVARIATES = ["age", "sex", "ph.ecog"]


def fit(covariates: list[str], ties: str) -> CoxFit:
    rows = LUNG.dropna(subset=covariates)
    return estimate_cox(
        rows["time"],
        rows["status"] == 2,
        rows[covariates],
        covariates,
        ties=ties,
    )


FITS = {ties: fit(COVARIATES, ties.upper()) for ties in ("efron", "breslow", "exact")}
HAZARDS = cox_diagnostics.test_proportional_hazards(FITS["efron"])


def find(analysis: str, term: str, statistic: str) -> float:
    """The value of ours that answers a row of R."""
    if analysis == "logrank_lung_rho0":
        # The log-rank test is the score test of the exact partial likelihood.
        score = fit(["sex"], "EXACT").score
        return score.statistic if statistic == "chisq" else score.p
    if analysis == "cox_zph_lung":
        test = HAZARDS[term]
        return {"chisq": test.statistic, "df": test.df, "p": test.p}[statistic]
    model = FITS[analysis.removeprefix("coxph_lung_")]
    if term == "model":
        if statistic.startswith("concordance"):
            found = cox_diagnostics.estimate_concordance(model)
            return found.se if statistic.endswith("_se") else found.value
        return {
            "loglik_null": model.loglike_null,
            "loglik": model.loglike,
            "score_test": model.score.statistic,
            "wald_test": model.wald.statistic,
            "n": model.n,
            "nevent": model.events,
        }[statistic]
    item = model.coefficient(term)
    return {
        "estimate": item.estimate,
        "se": item.se,
        "z": item.estimate / item.se,
        "p": item.wald_p,
        "wald95_lo": item.wald_low,
        "wald95_hi": item.wald_high,
    }[statistic]


@pytest.mark.parametrize("analysis", sorted(set(ANSWERS["analysis"])))
def test_every_answer_of_r_is_met(analysis: str) -> None:
    rows = ANSWERS[ANSWERS["analysis"] == analysis]
    for term, statistic, value in zip(rows["term"], rows["statistic"], rows["value"], strict=True):
        # R stops at a relative change of the log likelihood of 1e-9, when its answer is closer.
        assert find(analysis, term, statistic) == pytest.approx(value, rel=1e-8), (term, statistic)


def test_no_answer_is_left_out() -> None:
    assert ANSWERS["analysis"].value_counts().to_dict() == {
        "coxph_lung_efron": 26,
        "coxph_lung_breslow": 26,
        "coxph_lung_exact": 24,
        "cox_zph_lung": 12,
        "logrank_lung_rho0": 2,
    }


@pytest.mark.parametrize("ties", FITS)
def test_the_covariance_holds_the_variances(ties: str) -> None:
    model = FITS[ties]
    variances = [item.se**2 for item in model.coefficients]
    assert model.covariance.diagonal() == pytest.approx(variances, rel=1e-12)


def test_a_profile_limit_is_where_the_likelihood_falls_by_half_the_quantile() -> None:
    rows = LUNG.dropna(subset=COVARIATES)
    model = FITS["efron"]
    sex = model.coefficient("sex")
    for limit in (sex.low, sex.high):
        held = maximise_with_sex_held(rows, limit)
        assert 2 * (model.loglike - held) == pytest.approx(3.841458820694124, abs=1e-6)
    assert sex.low == pytest.approx(sex.wald_low, abs=0.02)
    assert sex.low != sex.wald_low


def maximise_with_sex_held(rows: pd.DataFrame, held: float) -> float:
    """Maximum over age and ECOG with sex held, by plain loops and a general optimiser."""
    from scipy.optimize import minimize

    time, event = rows["time"].to_numpy(), (rows["status"] == 2).to_numpy()
    x = rows[["age", "ph.ecog"]].to_numpy(dtype=float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    offset = held * rows["sex"].to_numpy(dtype=float)

    def negative(b: np.ndarray) -> float:
        eta = x @ b + offset
        total = 0.0
        for at in sorted(set(time[event])):
            failing = event & (time == at)
            risk, tied = np.exp(eta[time >= at]).sum(), np.exp(eta[failing]).sum()
            count = int(failing.sum())
            total += eta[failing].sum()
            total -= sum(math.log(risk - part / count * tied) for part in range(count))
        return -total

    return -float(minimize(negative, [0.0, 0.0], method="BFGS", options={"gtol": 1e-6}).fun)
