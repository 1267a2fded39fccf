"""Multiple imputation of the birth weight data against R's mice 3.15.0: pooling and draws."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from celldossier.stats.chained_imputation import Incomplete, impute_chained
from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.multiple_imputation import pool_estimates

HERE = Path(__file__).parent
ANSWERS = pd.read_csv(HERE / "answers_imputation.csv", keep_default_na=False)
TERMS = ["age", "lwt", "smoke", "(Intercept)"]
OF_MICE = 1000
"""Imputations behind the answers."""
OURS = 150


def read(analysis: str) -> dict[tuple[str, str], float]:
    rows = ANSWERS[ANSWERS["analysis"] == analysis]
    return {(row["term"], row["statistic"]): float(row["value"]) for row in rows.to_dict("records")}


@pytest.mark.parametrize(
    ("analysis", "complete_df"), [("mice_pool_scalar", 185), ("mice_pool_scalar_large", np.inf)]
)
def test_rubins_rules_are_those_of_pool_scalar(analysis: str, complete_df: float) -> None:
    given = pd.read_csv(HERE / "input_pooling.csv")
    found = pool_estimates("lwt", given["estimate"], given["variance"], complete_df)
    expected = {statistic: value for (_, statistic), value in read(analysis).items()}
    assert found.df == pytest.approx(expected["df"], rel=1e-9)
    assert found.missing_information == pytest.approx(expected["fmi"], rel=1e-9)
    if "qbar" in expected:
        assert found.estimate == pytest.approx(expected["qbar"], rel=1e-12)
        assert found.se**2 == pytest.approx(expected["t"], rel=1e-12)
        between = given["estimate"].var(ddof=1)
        assert between == pytest.approx(expected["b"], rel=1e-12)
        assert given["variance"].mean() == pytest.approx(expected["ubar"], rel=1e-12)


def read_incomplete() -> tuple[np.ndarray, list[Incomplete]]:
    """Weight and smoking are missing by position, weight more often where the weight was low."""
    data = pd.read_csv(HERE / "input_birthwt.csv")
    place, low = np.arange(len(data)), data["low"].to_numpy(dtype=float)
    weight = np.where((place * 7) % 10 < 2 + 3 * low, np.nan, data["lwt"].to_numpy(dtype=float))
    smoke = np.where((place * 3) % 11 < 3, np.nan, data["smoke"].to_numpy(dtype=float))
    assert (np.isnan(weight).sum(), np.isnan(smoke).sum()) == (55, 52)
    return low, [
        Incomplete("age", data["age"].to_numpy(dtype=float)),
        Incomplete("lwt", weight),
        Incomplete("smoke", smoke, "levels"),
    ]


@pytest.mark.parametrize(("method", "draw"), [("norm", "NORMAL"), ("pmm", "MATCHING")])
def test_chained_equations_give_the_estimates_and_variances_of_mice(
    method: str, draw: Literal["NORMAL", "MATCHING"]
) -> None:
    low, variables = read_incomplete()
    imputed = impute_chained(variables, [low], imputations=OURS, seed=1, draw=draw)
    fits = [
        estimate_logistic(low, np.column_stack(values), TERMS[:-1], "ML", tested=[])
        for values in imputed.completed
    ]
    answers = read(f"mice_birthwt_{method}")
    for place, term in enumerate(TERMS):
        estimates = np.array([fit.coefficients[place].estimate for fit in fits])
        within = np.mean([fit.coefficients[place].se ** 2 for fit in fits])
        between = estimates.var(ddof=1)
        # Both sides are means of random draws: their difference has this Monte Carlo error.
        error = np.sqrt(between / OURS + answers[term, "between"] / OF_MICE)
        assert abs(estimates.mean() - answers[term, "estimate"]) < 3.5 * error, term
        assert within == pytest.approx(answers[term, "within"], rel=0.02), term
        # The relative error of a variance of 150 draws is sqrt(2 / 150) = 0.12.
        assert between == pytest.approx(answers[term, "between"], rel=0.4), term
