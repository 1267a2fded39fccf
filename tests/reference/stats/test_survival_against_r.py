"""Kaplan-Meier estimates against R's survfit (conf.type = "log-log") and published answers."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from celldossier.stats.survival import (
    SurvivalCurve,
    count_at_risk,
    estimate_at,
    estimate_quantile,
    estimate_survival,
)

HERE = Path(__file__).parent
LUNG = pd.read_csv(HERE / "input_lung.csv")
ANSWERS = pd.read_csv(HERE / "answers_survival.csv", keep_default_na=False)
CURVES: dict[str, SurvivalCurve] = {
    f"sex={sex}": estimate_survival(rows["time"], rows["status"] == 2)
    for sex, rows in LUNG.groupby("sex")
}

# Freireich EJ et al. (1963), Blood 21:699-716: remission in weeks, 21 pairs of children with acute
# leukaemia; with Gehan EA (1965), Biometrika 52:203-223, the textbook data of survival analysis.
MERCAPTOPURINE = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# Survival as printed in Cox DR, Oakes D (1984), Analysis of Survival Data, and textbooks since.
PRINTED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def find(term: str, statistic: str) -> float:
    """The value of ours that answers a row of R."""
    group, _, day = term.partition("@")
    curve = CURVES[group]
    if not day:
        median = estimate_quantile(curve)
        return {
            "records": float(curve.at_risk[0]),
            "events": float(curve.events.sum()),
            "median": median.value,
            "0.95LCL": median.low,
            "0.95UCL": median.high,
        }[statistic]
    found = estimate_at(curve, float(day))
    place = curve.time.searchsorted(float(day), side="right") - 1
    return {
        "surv": found.value,
        "greenwood_se": found.value * math.sqrt(curve.greenwood[place]),
        "lo": found.low,
        "hi": found.high,
        "n_risk": count_at_risk(curve, float(day)),
    }[statistic]


def test_every_answer_of_survfit_is_met() -> None:
    assert len(ANSWERS) == 50
    for term, statistic, value in zip(
        ANSWERS["term"], ANSWERS["statistic"], ANSWERS["value"], strict=True
    ):
        assert find(term, statistic) == pytest.approx(value, rel=1e-10), (term, statistic)


def test_the_remissions_of_freireich_have_their_published_survival_and_medians() -> None:
    time = [*MERCAPTOPURINE, *CENSORED]
    curve = estimate_survival(time, [True] * 9 + [False] * 12)
    for week, survival in PRINTED.items():
        assert round(estimate_at(curve, week).value, 3) == survival
    treated = estimate_quantile(curve)
    assert (treated.value, treated.low) == (23, 13) and math.isnan(treated.high)
    control = estimate_quantile(estimate_survival(PLACEBO, [True] * 21))
    assert (control.value, control.low, control.high) == (8, 4, 11)
