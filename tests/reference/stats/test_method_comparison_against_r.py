"""Deming and Passing-Bablok regression against R's mcr 1.3.3.1, on its creatinine data."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from celldossier.stats.method_comparison import Line, estimate_deming
from celldossier.stats.passing_bablok import estimate_passing_bablok

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "input_creatinine.csv")
ANSWERS = pd.read_csv(HERE / "answers_methods.csv")
X, Y = DATA["serum.crea"], DATA["plasma.crea"]

LINES: dict[str, Line] = {
    "deming_jackknife_ratio1": estimate_deming(X, Y),
    "deming_jackknife_ratio0.5": estimate_deming(X, Y, error_ratio=0.5),
    "deming_analytical_ratio1": estimate_deming(X, Y),
    "ols_analytical": estimate_deming(X, Y, error_ratio=0),
    "paba_equivariant_bootQ_seed": estimate_passing_bablok(X, Y),
}
COMPARED = {
    "deming_jackknife_ratio1": {"EST", "SE", "LCI", "UCI"},
    "deming_jackknife_ratio0.5": {"EST", "SE", "LCI", "UCI"},
    "deming_analytical_ratio1": {"EST"},
    "ols_analytical": {"EST"},
    "paba_equivariant_bootQ_seed": {"EST"},
}
NOT_COMPARED = {
    "deming_analytical_ratio1": "analytical limits; ours are of the jackknife",
    "ols_analytical": "analytical limits; ours are of the jackknife",
    "paba_equivariant_bootQ_seed": "limits of the bootstrap; ours invert Kendall's tau",
    "wdeming_jackknife": "weighted Deming regression is not an estimator of ours",
}


def find(analysis: str, term: str, statistic: str) -> float:
    line = LINES[analysis]
    coefficient = line.intercept if term == "Intercept" else line.slope
    place = {"EST": "value", "SE": "se", "LCI": "low", "UCI": "high"}[statistic]
    return float(getattr(coefficient, place))


def test_every_answer_of_mcr_is_met_or_has_its_reason() -> None:
    compared = 0
    for analysis, term, statistic, value in zip(
        *(ANSWERS[name] for name in ("analysis", "term", "statistic", "value")), strict=True
    ):
        if statistic in COMPARED.get(analysis, set()):
            found = find(analysis, term, statistic)
            assert found == pytest.approx(value, rel=1e-10), (analysis, term, statistic)
            compared += 1
        else:
            assert analysis in NOT_COMPARED
    # Coverage, so that a comparison that compares nothing cannot pass.
    assert (compared, len(ANSWERS)) == (22, 48)


def test_a_subject_with_one_pair_each_gives_the_jackknife_of_mcr() -> None:
    names = [f"S{number:03d}" for number in range(len(DATA))]
    for ratio in (1.0, 0.5):
        found = estimate_deming(X, Y, subject=names, error_ratio=ratio)
        rows = ANSWERS[ANSWERS["analysis"] == f"deming_jackknife_ratio{ratio:g}"]
        expected = rows.set_index(["term", "statistic"])["value"]
        for term, got in (("Intercept", found.intercept), ("Slope", found.slope)):
            values = [expected[term, name] for name in ("EST", "SE", "LCI", "UCI")]
            assert [got.value, got.se, got.low, got.high] == pytest.approx(values, rel=1e-10)


def test_the_limits_of_passing_bablok_lie_near_those_of_the_bootstrap() -> None:
    found = LINES["paba_equivariant_bootQ_seed"]
    rows = ANSWERS[ANSWERS["analysis"] == "paba_equivariant_bootQ_seed"]
    expected = rows.set_index(["term", "statistic"])["value"]
    width = expected["Slope", "UCI"] - expected["Slope", "LCI"]
    assert found.slope.low == pytest.approx(expected["Slope", "LCI"], abs=0.15 * width)
    assert found.slope.high == pytest.approx(expected["Slope", "UCI"], abs=0.15 * width)
