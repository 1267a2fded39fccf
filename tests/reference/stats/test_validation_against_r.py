"""Weighting and validation of logistic models on the birth weight data, against R."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats import calibration
from celldossier.stats.cox import estimate_cox
from celldossier.stats.discrimination import estimate_area_under_curve
from celldossier.stats.logistic import LogisticFit, estimate_logistic
from celldossier.stats.model_validation import estimate_influence
from celldossier.stats.weighting import (
    effective_size,
    estimate_treatment_weights,
    estimate_weighted_ratio,
)

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "input_birthwt.csv")
ANSWERS = pd.read_csv(HERE / "answers_validation.csv", keep_default_na=False)
NAMES = ["lwt", "smoke", "age"]
LOW = DATA["low"].to_numpy(dtype=float)
DESIGN = DATA[NAMES].to_numpy(dtype=float)


def find_fit() -> tuple[LogisticFit, np.ndarray]:
    fit = estimate_logistic(LOW, DESIGN, NAMES, "ML", tested=[])
    assert fit.fitted is not None
    return fit, fit.fitted


def find_goodness(statistic: str) -> float:
    found = calibration.test_goodness_of_fit(LOW, find_fit()[1], DESIGN)
    return {
        "Sum of squared errors": found.sum_of_squares,
        "Expected value|H0": found.expected,
        "SD": (found.sum_of_squares - found.expected) / found.z,
        "Z": found.z,
        "P": found.p,
    }[statistic]


def find_recalibration(statistic: str) -> float:
    linear = 1.2 - 0.012 * DATA["lwt"] + 0.5 * DATA["smoke"]
    found = calibration.estimate_calibration(LOW, 1 / (1 + np.exp(-linear)))
    return {
        "slope": found.slope,
        "brier": found.brier,
        "intercept_in_the_large": found.intercept,
    }[statistic]


def find_weighted(statistic: str) -> float:
    race = pd.get_dummies(DATA["race"], dtype=float).to_numpy()[:, 1:]
    covariates = np.column_stack([DATA[["age", "lwt"]], race])
    found = estimate_treatment_weights(
        DATA["smoke"], covariates, ["age", "lwt", "race=2", "race=3"]
    )
    assert found.weights is not None
    ratio = estimate_weighted_ratio(DATA["bwt"], DATA["smoke"], found.weights)
    return {
        "log_ratio": float(np.log(ratio.ratio)),
        "se_hc1": ratio.se,
        "min": float(found.weights.min()),
        "max": float(found.weights.max()),
        "ess": effective_size(found.weights),
    }[statistic]


def find(analysis: str, term: str, statistic: str) -> float:
    """The value of ours that answers a row of R."""
    if analysis == "gof_birthwt":
        return find_goodness(statistic)
    if analysis == "delong_birthwt":
        area = estimate_area_under_curve(LOW, find_fit()[1])
        return {"auc": area.area, "low": area.low, "high": area.high, "var": area.se**2}[statistic]
    if analysis == "val_prob_birthwt":
        return find_recalibration(statistic)
    if analysis == "clogit_birthwt":
        # The conditional likelihood is the exact partial likelihood of one common time.
        fit = estimate_cox(
            np.ones(LOW.size),
            LOW == 1,
            DESIGN[:, :2],
            NAMES[:2],
            stratum=DATA["race"],
            ties="EXACT",
        )
        item = fit.coefficient(term)
        return {"estimate": item.estimate, "se": item.se}[statistic]
    if analysis == "iptw_birthwt":
        return find_weighted(statistic)
    fit = find_fit()[0]
    influence = estimate_influence(LOW, DESIGN, NAMES, fit, "lwt")
    row = int(term) - 1
    return float(
        influence.deviance[row] if analysis == "deviance_birthwt" else influence.estimates[row]
    )


@pytest.mark.parametrize(
    ("analysis", "term", "statistic", "value"),
    list(ANSWERS.itertuples(index=False, name=None)),
)
def test_each_answer_of_r_is_ours(analysis: str, term: str, statistic: str, value: float) -> None:
    assert find(analysis, term, statistic) == pytest.approx(float(value), rel=1e-6)
