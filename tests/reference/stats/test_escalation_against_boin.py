"""Boundaries of the Bayesian optimal interval design are those of the R package BOIN."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from celldossier.stats.escalation_designs import make_decision_table

ANSWERS = pd.read_csv(Path(__file__).parent / "answers_boin.csv")


@pytest.mark.parametrize("target", sorted(set(ANSWERS["target"])))
def test_all_boundaries_up_to_thirty_subjects_are_those_of_r(target: float) -> None:
    expected = ANSWERS.loc[ANSWERS["target"] == target].drop(columns="target")
    found = make_decision_table("BOIN", target, 30).boundaries()
    pd.testing.assert_frame_equal(
        found[list(expected.columns)].astype(float),
        expected.astype(float).reset_index(drop=True),
    )


def test_the_answers_cover_four_targets_and_thirty_counts() -> None:
    assert len(ANSWERS) == 120 and set(ANSWERS["n"]) == set(range(1, 31))
