"""Linear mixed models of Orthodont and of the terminal part of Theoph against R's nlme."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats.mixed_model import MixedModel, estimate_mixed_model

HERE = Path(__file__).parent
ANSWERS = pd.read_csv(HERE / "answers_mixed_model.csv", keep_default_na=False)
ORTHODONT = pd.read_csv(HERE / "input_orthodont.csv")
THEOPH = pd.read_csv(HERE / "input_theoph_terminal.csv")


def fit(analysis: str) -> MixedModel:
    reml = analysis.endswith("_REML")
    if "orthodont" in analysis:
        age = ORTHODONT["age"].to_numpy(dtype=float)
        female = (ORTHODONT["Sex"] == "Female").to_numpy(dtype=float)
        x = np.column_stack([np.ones(age.size), age, female, age * female])
        names = ["(Intercept)", "age", "SexFemale", "age:SexFemale"]
        return estimate_mixed_model(
            ORTHODONT["distance"], ORTHODONT["Subject"], x, names, age, reml=reml
        )
    time = THEOPH["Time"].to_numpy(dtype=float)
    x = np.column_stack([np.ones(time.size), time])
    slope = time if "_rs_" in analysis else None
    return estimate_mixed_model(
        THEOPH["lc"], THEOPH["Subject"], x, ["(Intercept)", "Time"], slope, reml=reml
    )


FITS = {name: fit(name) for name in sorted(set(ANSWERS["analysis"]))}


def find(model: MixedModel, term: str, statistic: str) -> float:
    """The value of ours that answers a row of R."""
    if term == "Residual":
        return model.sd_residual
    if statistic == "re_corr":
        return model.correlation
    if statistic == "sd":
        return model.sd_intercept if term == "(Intercept)" else model.sd_slope
    if term == "model":
        parameters = len(model.effects) + (2 if model.random == "INTERCEPT" else 4)
        # nlme takes N - p observations under REML, and all of them under ML.
        n = model.n_values - (len(model.effects) if term_is_reml(model) else 0)
        penalty = {"logLik": 0.0, "AIC": 2.0 * parameters, "BIC": np.log(n) * parameters}
        value = model.loglike
        return float(value if statistic == "logLik" else penalty[statistic] - 2 * value)
    effect = model.effect(term)
    return float({"DF": effect.df, "t": effect.t}.get(statistic, 0.0)) or float(
        {"estimate": effect.estimate, "se": effect.se, "p": effect.p}[statistic]
    )


def term_is_reml(model: MixedModel) -> bool:
    return any(model is found for name, found in FITS.items() if name.endswith("_REML"))


TOLERANCE = {"estimate": 1e-6, "se": 1e-6, "t": 1e-6, "DF": 0.0, "p": 1e-4, "sd": 1e-5}
"""Relative; logLik, AIC and BIC 1e-9. nlme's own variances carry about five to seven digits."""


@pytest.mark.parametrize("row", range(len(ANSWERS)))
def test_the_mixed_model_equals_that_of_nlme(row: int) -> None:
    analysis, term, statistic, value = ANSWERS.iloc[row][["analysis", "term", "statistic", "value"]]
    found = find(FITS[analysis], term, statistic)
    if statistic == "re_corr":
        # Printed to three decimals.
        assert found == pytest.approx(float(value), abs=5.1e-4)
    else:
        assert found == pytest.approx(float(value), rel=TOLERANCE.get(statistic, 1e-9)), term
