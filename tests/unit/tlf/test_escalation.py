"""Dose escalation in print: decisions (T10), boundaries (T11), course (F12), evidence (T13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from escalation_study import make_cohort, make_escalation
from table_texts import heads, texts

from celldossier.dose_exploration.dose_evidence import summarise_dose_evidence
from celldossier.dose_exploration.escalation import summarise_escalation
from celldossier.dose_exploration.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.tlf.figures_escalation import draw_escalation_course
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_dose_evidence import draw_dose_evidence
from celldossier.tlf.tables_escalation import draw_decision_boundaries, draw_escalation

RULE = {
    "design": "BOIN",
    "compared": ["mTPI", "3+3"],
    "max_at_dose": 6,
    "efficacy": {"null_rate": 0.2, "minimum_rate": 0.25},
}


def make_rows() -> list[dict[str, object]]:
    rows = [
        *make_cohort("C1", "DL1", 0, responses=1),
        *make_cohort("C2", "DL2", 40, dlts=2, size=4, responses=3),
        *make_cohort("C3", "DL2", 80, responses=3),
        *make_cohort("X", "DL1", 400, dlts=1, size=4, part="EXPANSION", responses=2),
    ]
    # Of C2 one with a DLT is not evaluable.
    rows[4]["reason"] = "DOSEOUT"
    return rows


@pytest.fixture
def context(
    context_for: Callable[..., Context], settings: dict[str, Any]
) -> Callable[..., Context]:
    def make(rows: list[dict[str, object]] | None = None, **rule: object) -> Context:
        chosen = DoseExplorationSettings.model_validate({"escalation": {**RULE, **rule}})
        out = ResultCollector("dose_exploration")
        study = Study(make_escalation(rows or make_rows()), chosen)
        summarise_escalation(study, out)
        summarise_dose_evidence(study, out)
        given = {**settings, "dose_exploration": chosen.model_dump(mode="json")}
        return context_for(out.frame(), given)

    return make


def test_each_level_has_its_counts_posterior_decision_and_reasons(context) -> None:
    rows = texts(draw_escalation(context()))
    assert rows[0] == ["Dose escalation"]
    level = next(row for row in rows if row[1:2] == ["DL2"] and row[0].startswith("Dose level"))
    # Of 7 infused 6 are evaluable, 1 with a DLT: Beta(2, 6).
    assert level[2:8] == ["7", "6", "1", "1/6", "0.25 (0.04, 0.58)", "E"]
    assert ["not evaluable: dose outside the pre-specified window", "", "1"] in [
        r[:3] for r in rows
    ]
    assert any(row[0] == "DLT: Cardiac failure (1)" for row in rows)
    at = rows.index(["Dose expansion"])
    assert rows[at + 1][2:6] == ["4", "4", "1", "1/4"] and rows[at + 1][7] == "–"


def test_each_cohort_has_the_decision_of_every_design_and_what_followed(context) -> None:
    rows = texts(draw_escalation(context()))
    at = next(i for i, row in enumerate(rows) if row[0] == "C2")
    assert rows[at][2:6] == ["4", "3", "1", "1/3"]
    assert rows[at][7:] == ["S", "DL2", "DL2", "as the rule"]
    everyone, mtpi, three = rows[at + 1 : at + 4]
    assert everyone[5] == "2/4" and everyone[7:] == [
        *("D", "DL1", "DL2", "stayed where the rule de-escalates"),
    ]
    assert mtpi[0] == "mTPI" and mtpi[7] == "S"
    assert three[0] == "3+3" and three[7:9] == ["S", "DL2"]
    totals = [row[0] for row in rows if len(row) == 1 and "of 3 steps" in row[0]]
    # Six at the second level: the rule stops, and so did the escalation.
    assert "3 as the rule, 0 above it" in totals[0] and "1 above it" in totals[1]


def test_the_boundaries_are_those_of_the_design_with_what_it_was_made_for(context) -> None:
    table = draw_decision_boundaries(context())
    assert heads(table)[1:] == ["1", "2", "3", "4", "5", "6"]
    rows = texts(table)
    assert "λₑ = 0.2365, λ_d = 0.3585" in rows[0][0] and "Beta(1, 1)" in rows[0][0]
    assert rows[1] == ["Escalate at or below", "0", "0", "0", "0", "1", "1"]
    assert rows[2] == ["De-escalate at or above", "1", "1", "2", "2", "2", "3"]
    assert rows[3] == ["Eliminate the dose at or above", "–", "–", "3", "3", "4", "4"]
    assert rows[-3][1:] == ["–", "–", "0", "–", "–", "1"]
    strict = texts(draw_decision_boundaries(context(lowest_dose_offset=0.05)))
    assert strict[4][0] == "Stop at the lowest dose at or above"


def test_many_numbers_of_subjects_are_shown_in_steps_of_the_cohort(context) -> None:
    table = draw_decision_boundaries(context(max_at_dose=30))
    assert heads(table)[1:] == [str(n) for n in range(3, 31, 3)]


def test_toxicity_and_efficacy_stand_side_by_side_in_each_part(context) -> None:
    table = draw_dose_evidence(context())
    assert isinstance(table, Table)
    assert [(c.group, c.label) for c in table.columns[1:4]] == [
        ("Dose escalation", "DL1"),
        ("Dose escalation", "DL2"),
        ("Dose expansion", "DL1"),
    ]
    rows = {row[0]: row[1:] for row in texts(table)}
    assert rows["DLT / evaluable, n/n (%)"][:3] == ["0/3 (0.0)", "1/6 (16.7)", "1/4 (25.0)"]
    assert rows["Responders / known, n/n (%)"][:2] == ["1/3 (33.3)", "6/7 (85.7)"]
    assert rows["Maximum tolerated dose (isotonic)"][:2] == ["–", "selected"]
    assert rows["Optimal biological dose (BOIN12)"][:2] == ["–", "selected"]
    assert rows["Admissible"][:2] == ["yes", "yes"]
    assert "Pr(rate of DLT ≤ 30% and of response > 20%)" in rows


def test_rows_that_the_settings_do_not_ask_for_are_left_out(context) -> None:
    rows = {row[0] for row in texts(draw_dose_evidence(context(efficacy={})))}
    assert not any(name.startswith("Pr(rate of DLT ≤") for name in rows)
    assert "Admissible" not in rows


def test_the_course_marks_each_cohort_by_how_it_compares_with_the_rule(context) -> None:
    figure = draw_escalation_course(context())
    assert isinstance(figure, Figure)
    assert figure.data["OUTCOME"].tolist() == ["AGREE", "AGREE", "AGREE"]
    assert figure.data["LEVEL"].tolist() == ["DL1", "DL2", "DL2"]
    assert pd.to_numeric(figure.data["EVALUABLE"]).tolist() == [3, 3, 3]
    axes = figure.pages[0].axes[0]
    labels = [text.get_text() for text in axes.texts]
    assert labels[:2] == ["0/3", "E"] and labels[2:4] == ["1/3", "S"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["DL1", "DL2"]
    assert len(figure.value_ids) == 3 * 7


@pytest.mark.parametrize(
    "draw",
    [draw_escalation, draw_decision_boundaries, draw_dose_evidence, draw_escalation_course],
)
def test_without_a_design_the_reason_is_given(context, draw) -> None:
    assert draw(context(design=None)) == NotShown("NODESIGN")


def test_a_study_without_arms_has_no_levels_to_set_side_by_side(context) -> None:
    rows = [{**row, "level": ""} for row in make_rows()]
    assert draw_dose_evidence(context(rows)) == NotShown("NOTCOLL")
    assert isinstance(draw_escalation(context(rows)), Table)


def test_without_data_on_toxicity_the_boundaries_alone_are_shown(context) -> None:
    rows = make_cohort("C1", "DL1", 0, reason="NOTCOLL")
    assert draw_escalation(context(rows)) == NotShown("NOTCOLL")
    assert draw_escalation_course(context(rows)) == NotShown("NOTCOLL")
    assert isinstance(draw_decision_boundaries(context(rows)), Table)
