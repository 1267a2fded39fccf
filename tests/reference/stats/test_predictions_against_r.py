"""Standardised probabilities against R: predict() of glm and of MASS polr, delta by their vcov."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats.logistic import estimate_logistic
from celldossier.stats.ordinal import estimate_proportional_odds
from celldossier.stats.ordinal_prediction import predict_grades
from celldossier.stats.standardisation import predict_standardised

HERE = Path(__file__).parent
BIRTHS = pd.read_csv(HERE / "input_birthwt.csv")
ANSWERS = pd.read_csv(HERE / "answers_predictions.csv", keep_default_na=False)
WEIGHTS = [100.0, 130.0, 170.0]


def answers(analysis: str) -> dict[tuple[str, str], float]:
    rows = ANSWERS[ANSWERS["analysis"] == analysis]
    return {
        (t, s): v for t, s, v in zip(rows["term"], rows["statistic"], rows["value"], strict=True)
    }


def test_every_answer_belongs_to_a_comparison() -> None:
    assert set(ANSWERS["analysis"]) == {"standardised_birthwt", "grades_birthwt"}


def test_the_mean_probability_and_its_interval_are_those_of_r() -> None:
    names = ["lwt", "age", "smoke"]
    fit = estimate_logistic(BIRTHS["low"], BIRTHS[names], names, "ML", tested=[])
    found = predict_standardised(fit, WEIGHTS, BIRTHS[["age", "smoke"]])
    ours = {
        (f"lwt={weight:g}", name): float(values[place])
        for place, weight in enumerate(WEIGHTS)
        for name, values in (
            ("probability", found.probability),
            ("se_logit", found.se),
            ("low", found.low),
            ("high", found.high),
        )
    }
    assert ours == pytest.approx(answers("standardised_birthwt"), rel=1e-7)


def test_the_probability_of_each_grade_and_its_interval_are_those_of_r() -> None:
    grade = np.minimum(BIRTHS["ftv"], 2)
    fit = estimate_proportional_odds(grade, BIRTHS[["lwt", "age"]], ["lwt", "age"])
    found = predict_grades(fit, WEIGHTS, BIRTHS[["age"]])
    ours = {
        (f"lwt={weight:g};grade={level:g}", name): float(values[place, column])
        for place, weight in enumerate(WEIGHTS)
        for column, level in enumerate(found.levels)
        for name, values in (
            ("probability", found.probability),
            ("low", found.low),
            ("high", found.high),
        )
    }
    # polr stops its iterations at about 1e-6 of the coefficients.
    assert ours == pytest.approx(answers("grades_birthwt"), rel=2e-5)
