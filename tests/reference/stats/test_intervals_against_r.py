"""Rows of intervals (start, stop] against R: Cox models, concordance, Kaplan-Meier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.stats import cox_diagnostics
from celldossier.stats.cox import estimate_cox
from celldossier.stats.survival import estimate_at, estimate_quantile, estimate_survival

HERE = Path(__file__).parent
ROWS = pd.read_csv(HERE / "input_intervals.csv")
ANSWERS = pd.read_csv(HERE / "answers_intervals.csv", keep_default_na=False)


def answers(analysis: str) -> dict[str, float]:
    rows = ANSWERS[ANSWERS["analysis"] == analysis]
    return dict(zip(rows["term"] + " " + rows["statistic"], rows["value"], strict=True))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("strata", ["", "_strata"])
def test_a_cox_model_of_intervals_is_that_of_r(ties: str, strata: str) -> None:
    fit = estimate_cox(
        ROWS["stop"],
        ROWS["event"],
        ROWS["x"],
        ["x"],
        start=ROWS["start"],
        stratum=ROWS["site"] if strata else None,
        ties=ties.upper(),
    )
    concordance = cox_diagnostics.estimate_concordance(fit, ROWS["id"])
    found = {
        "x estimate": fit.estimates[0],
        "x se": fit.coefficient("x").se,
        "model loglik_null": fit.loglike_null,
        "model loglik": fit.loglike,
        "model score_test": fit.score.statistic,
        "x zph_chisq": cox_diagnostics.test_proportional_hazards(fit)["x"].statistic,
        "model concordance": concordance.value,
        "model concordance_se": concordance.se,
    }
    expected = answers(f"coxph_intervals_{ties}{strata}")
    assert len(expected) == (8 if ties == "efron" else 5)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name


def test_kaplan_meier_with_late_entry_is_that_of_r() -> None:
    whole = ROWS.groupby("id").agg(
        first=("stop", "first"), stop=("stop", "max"), event=("event", "max")
    )
    start = np.round(whole["first"] / 3)
    curve = estimate_survival(whole["stop"], whole["event"], start)
    expected = answers("km_entry")
    for time in (10, 20, 40, 60):
        found = estimate_at(curve, time)
        at_risk = ((start < time) & (whole["stop"] >= time)).sum()
        assert [found.value, found.low, found.high, at_risk] == pytest.approx(
            [expected[f"{time} {name}"] for name in ("survival", "low", "high", "at_risk")]
        )
    median = estimate_quantile(curve)
    assert [median.value, median.low, median.high] == [
        expected[f"median {name}"] for name in ("median", "low", "high")
    ]
