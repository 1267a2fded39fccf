"""Table and figure of the duration of quantifiability, from results of the stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from persistence_study import (
    make_levels,
    make_persistence_samples,
    make_persistence_times,
    repeat_courses,
)

from celldossier.cellular_kinetics.persistence import summarise_persistence
from celldossier.cellular_kinetics.quantifiability import (
    derive_adpers,
    list_planned_days,
    read_persistence,
)
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.language import Language
from celldossier.tlf.figures_persistence import draw_persistence_curve
from celldossier.tlf.figures_persistence_groups import draw_persistence_groups
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_persistence import draw_persistence


@pytest.fixture(scope="module")
def summary() -> tuple[pd.DataFrame, pd.DataFrame]:
    courses = repeat_courses(3)
    samples, levels = make_persistence_samples(courses), make_levels(courses)
    adtte = make_persistence_times(samples, courses)
    facts, analyte = read_persistence(adtte, samples, levels.index, "PCR")
    rules = CellularKineticsSettings().persistence
    adpers = derive_adpers(facts, analyte, list_planned_days(samples, analyte), rules)
    return summarise_persistence(adpers, facts, samples, levels, rules)


def context(
    summary: tuple[pd.DataFrame, pd.DataFrame],
    settings: dict[str, Any],
    language: str = "en",
    **options: Any,
) -> Context:
    kinetics = CellularKineticsSettings().model_dump(mode="json")
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([summary[0]]),
        curves=summary[1],
        dataset=empty_dataset,
        settings={**settings, "cellular_kinetics": kinetics},
        options=options,
    )


def labels(table: Table | NotShown) -> dict[str, str]:
    assert isinstance(table, Table)
    return {row.cells[0].text: row.cells[-1].text for row in table.rows}


def test_the_table_shows_shares_durations_and_sensitivity_analyses(
    summary: tuple[pd.DataFrame, pd.DataFrame], settings: dict[str, Any]
) -> None:
    table = draw_persistence(context(summary, settings, by="indication", full=True))
    rows = labels(table)
    assert rows["In the analysis, n"] == "30"
    assert rows["never quantifiable: not in the analysis, n"] == "3"
    assert rows["M3 (day 90 ± 15)"].startswith("9/21 (42.9) [")
    assert rows["competing event: Relapse, n (%)"] == "9 (30.0)"
    assert rows["censored: sampling stopped before another event, n (%)"] == "3 (10.0)"
    headings = [label for label in rows if label.startswith("Sensitivity")]
    assert len(headings) == 2
    assert not any("persistence" in label.lower() for label in rows)
    short = labels(draw_persistence(context(summary, settings, by="dose", full=False)))
    assert len(short) < len(rows) and not any(k.startswith("Sensitivity") for k in short)


def test_both_languages_print_the_same_values(
    summary: tuple[pd.DataFrame, pd.DataFrame], settings: dict[str, Any]
) -> None:
    cells = []
    for language in ("en", "zh"):
        table = draw_persistence(context(summary, settings, language, by="dose", full=True))
        assert isinstance(table, Table)
        cells.append([(c.text, c.value_ids) for row in table.rows for c in row.cells[1:]])
    assert cells[0] == cells[1]
    figures = [draw_persistence_curve(context(summary, settings, name)) for name in ("en", "zh")]
    assert isinstance(figures[0], Figure) and isinstance(figures[1], Figure)
    assert figures[0].value_ids == figures[1].value_ids
    pd.testing.assert_frame_equal(figures[0].data, figures[1].data)


def test_the_figure_prints_the_numbers_at_risk_of_the_results(
    summary: tuple[pd.DataFrame, pd.DataFrame], settings: dict[str, Any]
) -> None:
    figure = draw_persistence_curve(context(summary, settings))
    assert isinstance(figure, Figure)
    results = AnalysisResults([summary[0]])
    numbers = [results.get(value).number for value in figure.value_ids]
    assert numbers[0] == 30 and numbers == sorted(numbers, reverse=True)
    printed = {text.get_text() for axes in figure.pages[0].axes for text in axes.texts}
    assert {f"{number:g}" for number in numbers} <= printed
    assert set(figure.data["CURVE"]) == {"km", "turnbull", "early", "late"}


def test_the_figure_of_groups_shows_the_groupings_with_two_groups_or_more(
    settings: dict[str, Any],
) -> None:
    courses = repeat_courses(3)
    high = {f"H-{name}": replace(course, dose="DL2") for name, course in courses.items()}
    both = {**courses, **high}
    samples, levels = make_persistence_samples(both), make_levels(both)
    facts, analyte = read_persistence(
        make_persistence_times(samples, both), samples, levels.index, "PCR"
    )
    rules = CellularKineticsSettings().persistence
    adpers = derive_adpers(facts, analyte, list_planned_days(samples, analyte), rules)
    groups = summarise_persistence(adpers, facts, samples, levels, rules)
    figure = draw_persistence_groups(context(groups, settings, by=["dose", "response"]))
    assert isinstance(figure, Figure)
    # All responded: that grouping has one group and no panel.
    assert set(figure.data["GROUP"]) == {"dose"} and set(figure.data["LEVEL"]) == {"DL1", "DL2"}
    results = AnalysisResults([groups[0]])
    printed = {text.get_text() for axes in figure.pages[0].axes for text in axes.texts}
    assert {f"{results.get(value).number:g}" for value in figure.value_ids} <= printed
    assert figure.subjects == 60


def test_a_study_without_the_endpoint_says_that_it_does_not_apply(settings: dict[str, Any]) -> None:
    nothing = (empty_dataset("ARD"), empty_dataset("CURVES"))
    for draw in (draw_persistence, draw_persistence_curve, draw_persistence_groups):
        shown = draw(context(nothing, settings))
        assert isinstance(shown, NotShown) and shown.reason == "NOTAPPL"
