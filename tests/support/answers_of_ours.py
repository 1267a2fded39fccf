"""What the estimators of the project give for each row of R's answers (tests/reference/stats).

A key is (analysis, term, statistic) as in the files of answers. Rows that R derives from others
by a formula (z, Wald limits, AIC, logistf's standard error) are derived here from ours by the same
formula: they hold the estimates and the covariance once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import chdtri, ndtr, ndtri

from celldossier.stats import cox_diagnostics, ordinal, proportion, survival
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_results import CoxFit
from celldossier.stats.logistic import Coefficient, estimate_logistic, predict_probability
from celldossier.stats.logistic_flac import estimate_flac
from celldossier.stats.method_comparison import estimate_deming
from celldossier.stats.passing_bablok import estimate_passing_bablok
from celldossier.stats.penalised_likelihood import derive_leverage, penalised_loglike

FOLDER = Path(__file__).parents[1] / "reference" / "stats"
Z = float(ndtri(0.975))
Found = Iterator[tuple[str, str, float]]


def read_input(name: str) -> pd.DataFrame:
    """Read an input of R's answers."""
    return pd.read_csv(FOLDER / f"input_{name}.csv")


SEX2 = {"all": ["age", "oc", "vic", "vicl", "vis", "dia"], "sep": ["dia"]}


def find_firth(model: str) -> Found:
    """logistf: estimates, profile limits, tests, and its own Wald error and likelihoods."""
    data, names = read_input("sex2"), SEX2[model]
    y = data["case"].to_numpy(dtype=float)
    fit = estimate_logistic(y, data[names], names, "FIRTH", intercept_interval=True)
    design = np.column_stack([data[names].to_numpy(dtype=float), np.ones(len(data))])
    params = np.array([term.estimate for term in fit.coefficients])
    error = derive_logistf_error(design, params)
    for term, se in zip(fit.coefficients, error, strict=True):
        yield term.name, "estimate", term.estimate
        yield term.name, "se", se
        yield term.name, "pl_ci_lo", term.low
        yield term.name, "pl_ci_hi", term.high
        yield term.name, "plr_p", term.p
        yield term.name, "plr_chisq", float(chdtri(1, term.p))
        yield term.name, "wald_ci_lo", term.estimate - Z * se
        yield term.name, "wald_ci_hi", term.estimate + Z * se
    yield "model", "penalized_loglik", penalised_loglike(y, design, params)

    def without_slopes(intercept: float) -> float:
        held = np.append(np.zeros(len(names)), intercept)
        return -penalised_loglike(y, design, held)

    null = minimize_scalar(without_slopes, bracket=(-1, 1), tol=1e-12)
    yield "model", "penalized_loglik_null", -float(null.fun)


def derive_logistf_error(design: np.ndarray, params: np.ndarray) -> np.ndarray:
    """Standard errors as logistf has them: of weights (1 + leverage) p (1 - p)."""
    p = 1 / (1 + np.exp(-(design @ params)))
    weight = (1 + derive_leverage(design, p)) * p * (1 - p)
    return np.sqrt(np.diag(np.linalg.inv(design.T @ (design * weight[:, None]))))


def find_firth_wald(model: str) -> Found:
    """logistf with pl = FALSE: Wald tests."""
    values = {(term, what): value for term, what, value in find_firth(model)}
    for term, what in list(values):
        if what == "estimate":
            z = values[term, "estimate"] / values[term, "se"]
            yield term, "estimate", values[term, "estimate"]
            yield term, "p", 2 * float(ndtr(-abs(z)))


def find_flic(model: str) -> Found:
    """logistf's flic: the intercept that gives the observed rate, slopes as before."""
    data, names = read_input("sex2"), SEX2[model]
    fit = estimate_logistic(data["case"], data[names], names, "FIRTH")
    yield "(Intercept)", "estimate", fit.flic_intercept
    for term in fit.coefficients[:-1]:
        yield term.name, "estimate", term.estimate


def find_flac() -> Found:
    """logistf's flac."""
    data, names = read_input("sex2"), SEX2["all"]
    for term in estimate_flac(data["case"], data[names], names).coefficients:
        yield term.name, "estimate", term.estimate


def read_birthwt() -> tuple[pd.Series, pd.DataFrame]:
    """Outcome and design of the model of low birth weight."""
    data = read_input("birthwt")
    design = data[["age", "lwt"]].astype(float)
    design["factor(race)2"] = (data["race"] == 2).astype(float)
    design["factor(race)3"] = (data["race"] == 3).astype(float)
    for name in ("smoke", "ptl", "ht", "ui"):
        design[name] = data[name].astype(float)
    return data["low"], design


def find_glm() -> Found:
    """R's glm with confint of MASS, and its predictions."""
    outcome, design = read_birthwt()
    fit = estimate_logistic(outcome, design, list(design), "ML", intercept_interval=True)
    for term in fit.coefficients:
        yield from find_wald(term)
        yield term.name, "profile95_lo", term.low
        yield term.name, "profile95_hi", term.high
    yield "model", "logLik", fit.loglike
    yield "model", "deviance", -2 * fit.loglike
    yield "model", "AIC", -2 * fit.loglike + 2 * len(fit.coefficients)
    rate = fit.events / fit.n
    null = fit.events * math.log(rate) + (fit.n - fit.events) * math.log(1 - rate)
    yield "model", "null_deviance", -2 * null
    # The answers predict a 25-year-old mother of the first race without risk factors.
    points = pd.DataFrame(0.0, index=range(3), columns=design.columns)
    points["lwt"], points["age"] = [100.0, 130.0, 160.0], 25.0
    for weight, p, low, high in zip(
        (100, 130, 160), *predict_probability(fit, points), strict=True
    ):
        yield f"pred_lwt{weight}", "prob", float(p)
        yield f"pred_lwt{weight}", "prob_wald_lo", float(low)
        yield f"pred_lwt{weight}", "prob_wald_hi", float(high)


def find_wald(term: Coefficient, name: str = "", statistic: str = "z") -> Found:
    """Estimate and standard error, and what follows from them."""
    name, z = name or term.name, term.estimate / term.se
    yield name, "estimate", term.estimate
    yield name, "se", term.se
    yield name, statistic, z
    if statistic == "z":
        yield name, "p", 2 * float(ndtr(-abs(z)))
        yield name, "wald95_lo", term.estimate - Z * term.se
        yield name, "wald95_hi", term.estimate + Z * term.se


def find_polr() -> Found:
    """polr of MASS: satisfaction of householders."""
    data = read_input("housing")
    data = data.loc[data.index.repeat(data["Freq"])].reset_index(drop=True)
    levels = [
        *(("Infl", "Medium"), ("Infl", "High"), ("Type", "Apartment"), ("Type", "Atrium")),
        *(("Type", "Terrace"), ("Cont", "High")),
    ]
    design = pd.DataFrame({f"{v}{level}": (data[v] == level).astype(float) for v, level in levels})
    outcome = data["Sat"].map({"Low": 0, "Medium": 1, "High": 2})
    fit = ordinal.estimate_proportional_odds(outcome, design, list(design))
    names = {"0|1": "Low|Medium", "1|2": "Medium|High"}
    for term in fit.coefficients:
        yield from find_wald(term, names.get(term.name, term.name), "t")
        if term.name not in names:
            yield term.name, "profile95_lo", term.low
            yield term.name, "profile95_hi", term.high
    yield "model", "logLik", fit.loglike
    yield "model", "deviance", -2 * fit.loglike
    yield "model", "AIC", -2 * fit.loglike + 2 * len(fit.coefficients)


def find_proportions(function: Callable[[int, int, float], tuple[float, float]]) -> Found:
    """Intervals of a proportion, at three levels."""
    cases = read_input("binom_cases")
    for events, n in zip(cases["x"], cases["n"], strict=True):
        for level in (0.8, 0.9, 0.95):
            low, high = function(int(events), int(n), level)
            yield f"{events}/{n}@{level:g}", "lo", low
            yield f"{events}/{n}@{level:g}", "hi", high


def find_fisher() -> Found:
    """fisher.test of tables of two by two."""
    for row in read_input("fisher_cases").itertuples():
        found = proportion.test_fisher([[row.a, row.b], [row.c, row.d]])
        yield str(row.case), "p", found.p
        yield str(row.case), "cond_mle_or", found.odds_ratio
        yield str(row.case), "or_lo", found.low
        yield str(row.case), "or_hi", found.high


COVARIATES = ["age", "sex", "ph.ecog"]


@cache
def fit_lung(ties: str, *covariates: str) -> CoxFit:
    """The Cox model of the lung data."""
    names = list(covariates or COVARIATES)
    rows = read_input("lung").dropna(subset=names)
    return estimate_cox(rows["time"], rows["status"] == 2, rows[names], names, ties=ties.upper())


def find_cox(ties: str) -> Found:
    """R's coxph."""
    model = fit_lung(ties)
    for item in model.coefficients:
        yield item.name, "estimate", item.estimate
        yield item.name, "se", item.se
        yield item.name, "z", item.estimate / item.se
        yield item.name, "p", item.wald_p
        yield item.name, "wald95_lo", item.wald_low
        yield item.name, "wald95_hi", item.wald_high
    assert model.score is not None and model.wald is not None
    concordance = cox_diagnostics.estimate_concordance(model)
    yield "model", "loglik_null", model.loglike_null
    yield "model", "loglik", model.loglike
    yield "model", "score_test", model.score.statistic
    yield "model", "wald_test", model.wald.statistic
    yield "model", "n", model.n
    yield "model", "nevent", model.events
    yield "model", "concordance", concordance.value
    yield "model", "concordance_se", concordance.se


def find_zph() -> Found:
    """R's cox.zph."""
    for term, test in cox_diagnostics.test_proportional_hazards(fit_lung("efron")).items():
        yield term, "chisq", test.statistic
        yield term, "df", test.df
        yield term, "p", test.p


def find_logrank() -> Found:
    """R's survdiff: the log-rank test is the score test of the exact partial likelihood."""
    score = fit_lung("exact", "sex").score
    assert score is not None
    yield "sex", "chisq", score.statistic
    yield "sex", "p", score.p


def find_survival(scale: str) -> Found:
    """R's survfit; ours has limits by log(-log), the others follow from its standard error."""
    for sex, rows in read_input("lung").groupby("sex"):
        curve = survival.estimate_survival(rows["time"], rows["status"] == 2)
        median = survival.estimate_quantile(curve)
        yield f"sex={sex}", "records", float(curve.at_risk[0])
        yield f"sex={sex}", "events", float(curve.events.sum())
        yield f"sex={sex}", "median", median.value
        if scale == "log-log":
            yield f"sex={sex}", "0.95LCL", median.low
            yield f"sex={sex}", "0.95UCL", median.high
        for day in (90, 180, 365, 730):
            found, place = survival.estimate_at(curve, day), curve.time.searchsorted(day, "right")
            term, relative = f"sex={sex}@{day}", math.sqrt(curve.greenwood[place - 1])
            low, high = {
                "log-log": (found.low, found.high),
                "log": (
                    found.value * math.exp(-Z * relative),
                    found.value * math.exp(Z * relative),
                ),
                "plain": (found.value * (1 - Z * relative), found.value * (1 + Z * relative)),
            }[scale]
            yield term, "surv", found.value
            yield term, "greenwood_se", found.value * relative
            yield term, "lo", low
            yield term, "hi", high
            yield term, "n_risk", survival.count_at_risk(curve, day)


def find_line(analysis: str) -> Found:
    """mcr: Deming and Passing-Bablok regression of creatinine."""
    data = read_input("creatinine")
    x, y = data["serum.crea"], data["plasma.crea"]
    ratio = {"deming_jackknife_ratio0.5": 0.5, "ols_analytical": 0.0}.get(analysis, 1.0)
    line = (
        estimate_passing_bablok(x, y)
        if analysis.startswith("paba")
        else estimate_deming(x, y, error_ratio=ratio)
    )
    for term, item in (("Intercept", line.intercept), ("Slope", line.slope)):
        yield term, "EST", item.value
        if "jackknife" in analysis:
            yield term, "SE", item.se
            yield term, "LCI", item.low
            yield term, "UCI", item.high


FINDERS: dict[str, Callable[[], Found]] = {
    **{f"firth_sex2_{model}": (lambda m=model: find_firth(m)) for model in SEX2},
    **{f"firth_sex2_{model}_wald": (lambda m=model: find_firth_wald(m)) for model in SEX2},
    **{f"firth_sex2_{model}_FLIC": (lambda m=model: find_flic(m)) for model in SEX2},
    "firth_sex2_all_FLAC": find_flac,
    "glm_logit_birthwt": find_glm,
    "polr_housing": find_polr,
    "clopper_pearson": lambda: find_proportions(proportion.clopper_pearson),
    "wilson": lambda: find_proportions(proportion.wilson),
    "fisher_2x2": find_fisher,
    **{
        f"coxph_lung_{ties}": (lambda t=ties: find_cox(t)) for ties in ("efron", "breslow", "exact")
    },
    "cox_zph_lung": find_zph,
    "logrank_lung_rho0": find_logrank,
    **{
        f"km_lung_{scale}": (lambda s=scale: find_survival(s))
        for scale in ("log-log", "log", "plain")
    },
    **{
        name: (lambda n=name: find_line(n))
        for name in (
            *("deming_jackknife_ratio1", "deming_jackknife_ratio0.5", "deming_analytical_ratio1"),
            *("ols_analytical", "paba_equivariant_bootQ_seed"),
        )
    },
}


@cache
def find_answers(analysis: str) -> dict[tuple[str, str], float]:
    """All values of ours that answer the rows of an analysis."""
    if analysis not in FINDERS:
        return {}
    return {(term, statistic): value for term, statistic, value in FINDERS[analysis]()}
