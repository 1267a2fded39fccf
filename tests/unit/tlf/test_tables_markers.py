"""Tables 43, 43a, 45 and 50, listing 43 and figures 44 and 50: markers and their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd
import pytest
from marker_courses import make_medication, make_samples, make_sources
from table_texts import texts

from celldossier.datasets import conform
from celldossier.pharmacodynamics.stage import analyse_pharmacodynamics
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings
from celldossier.terms.language import Language
from celldossier.tlf.figures_marker_courses import draw_marker_courses, draw_score_course
from celldossier.tlf.listings_markers import draw_marker_listing
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_definitions import draw_pd_definitions
from celldossier.tlf.tables_markers import (
    draw_marker_parameters,
    draw_marker_visits,
    draw_markers_apart,
)

Draw = Callable[..., Context]

COURSES = {
    "IL6": {
        "S-1": [(0, 10.0), (3, 80.0), (7, 900.0), (28, 20.0)],
        "S-2": [(0, "<2"), (3, 20.0), (7, 8.0), (28, "<2")],
        "S-3": [(0, 4.0), (3, 40.0), (7, 10.0), (28, 4.0)],
        "S-4": [(0, 10.0), (3, 20.0), (7, 11.0), (28, 12.0)],
    },
    "VASPAIN": {
        "S-1": [(0, 60.0), (28, 40.0)],
        "S-2": [(0, 60.0), (28, 30.0)],
        "S-3": [(0, 60.0), (28, 50.0)],
        "S-4": [(0, 60.0), (28, 45.0)],
    },
}


@lru_cache(maxsize=2)
def analyse(*markers: str) -> Any:
    rows = [
        make_samples(
            marker,
            course,
            subject=subject,
            ANRHI=15.0 if marker == "IL6" else float("nan"),
            AVALU="pg/mL" if marker == "IL6" else "mm",
            AVISIT="",
            ADTM="",
            ALABNAM="",
        )
        for marker in markers
        for subject, course in COURSES[marker].items()
    ]
    adcm = make_medication("TOCILIZUMAB", 4.0).assign(CMDECOD="TOCILIZUMAB", ASTDTM="2024-01-01")
    adpd = conform(pd.concat(rows, ignore_index=True), "ADPD")
    sources = make_sources(adpd, ADCM=conform(adcm, "ADCM"))
    settings = PharmacodynamicsSettings.model_validate(
        {"parameters": {"rules": [{"marker": "VASPAIN", "mcid": 20}]}}
    )
    return analyse_pharmacodynamics(sources, settings), settings


@pytest.fixture
def context(context_for: Draw, settings: dict[str, Any]) -> Callable[..., Context]:
    def make(*markers: str, **options: Any) -> Context:
        stage, used = analyse(*(markers or tuple(COURSES)))
        sections = {**settings, "pharmacodynamics": used.model_dump(mode="json")}
        given = context_for(stage.results, sections)
        return replace(
            given,
            curves=stage.curves,
            dataset=lambda name: {"ADPDP": stage.adpdp}[name],
            options=options,
        )

    return make


def test_a_cytokine_has_baseline_peak_fold_and_area_by_dose_level(context: Draw) -> None:
    table = draw_marker_parameters(context(classes=["CYTOKINE"]))
    assert isinstance(table, Table)
    rows = texts(table)
    assert [row[0] for row in rows] == ["IL6 (pg/mL)", "DL1", "DL2", "All"]
    total = rows[-1]
    # Peaks before tocilizumab 80, 20, 40, 20; folds 8, at least 10, 10 and 2.
    assert total[3] == "33.6 (74.4) [4]"
    assert total[2] == "1" and total[4] == "4" and total[8] == "1 / 0"
    # Of S-1 day 3 is the last sample used: its peak may have been higher.
    assert total[5] == "1"
    assert total[7] == "6.32 (90.7) [4]"
    # Less than three values are listed.
    assert rows[1][3] == "[40.0; 80.0]"
    assert table.subjects == 4


def test_an_area_that_no_subject_has_says_why(context: Draw) -> None:
    stage, _ = analyse(*COURSES)
    reasons = stage.adpdp.loc[
        (stage.adpdp["PARAMCD"] == "PDAUC28") & (stage.adpdp["USUBJID"] == "S-1"), "PPREASND"
    ]
    assert "UNCOVERD" in set(reasons)
    rows = texts(draw_marker_parameters(context(classes=["CYTOKINE"])))
    assert rows[-1][9].endswith("[3]")


@pytest.mark.parametrize(
    ("language", "name", "unit", "definition", "source"),
    [
        ("en", "Area under baseline, day 0 to 28", "unit of the marker × time",
         "as PDAO28, where the change is below 0; positive",
         "Gabrielsson and Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis"),
        ("zh", "0-28天基线以下面积", "指标单位×时间",
         "同PDAO28，取较基线变化小于0的部分，以正值表示",
         "Gabrielsson and Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis"),
    ],
)  # fmt: skip
def test_each_parameter_of_the_study_is_defined_once(
    context: Draw, language: str, name: str, unit: str, definition: str, source: str
) -> None:
    given = context()
    given = replace(given, language=Language("zh" if language == "zh" else "en"))
    table = draw_pd_definitions(given)
    assert isinstance(table, Table)
    rows = {row[2]: row for row in texts(table)}
    parameters = set(given.dataset("ADPDP")["PARAMCD"])
    assert set(rows) == parameters and len(table.rows) == len(parameters)
    assert rows["PDAU28"] == ["AUEC0-28d(<E0)", name, "PDAU28", unit, definition, source]
    assert not any("science.md" in text or "#" in text for row in rows.values() for text in row)


def test_samples_after_tocilizumab_stand_in_a_table_of_their_own(context: Draw) -> None:
    rows = texts(draw_markers_apart(context(classes=["CYTOKINE"])))
    assert rows[0][:5] == ["IL6 (pg/mL)", "After tocilizumab", "1", "2", "[900]"]
    nothing = draw_markers_apart(context("VASPAIN", classes=["SCORE"]))
    assert nothing == NotShown("NODATA")


def test_scores_have_values_changes_and_responders_by_visit(context: Draw) -> None:
    rows = {row[0]: row[1:] for row in texts(draw_marker_visits(context(classes=["SCORE"])))}
    assert rows["Baseline"] == ["60.0 (60.0, 60.0) [4]", "0", "–", "–", "–"]
    assert rows["28"][0] == "42.5 (37.5, 46.2) [4]"
    assert rows["28"][-1] == "-17.5 (-22.5, -13.8) [4]"
    assert rows["Improved by 20 or more, n/N (%)"][-1] == "2/4 (50.0)"


def test_without_such_markers_nothing_is_shown(context: Draw) -> None:
    given = context("IL6", classes=["SCORE", "PLATELETS"])
    for draw in (draw_marker_visits, draw_marker_parameters, draw_score_course):
        assert draw(given) == NotShown("NOTCOLL")


def test_the_listing_marks_bounds_and_what_was_not_reached(context: Draw) -> None:
    codes = ["PDBASE", "PDPEAK", "PDFOLD", "PDAUC", "PDTREC", "PDBEST"]
    table = draw_marker_listing(context(parameters=codes))
    assert isinstance(table, Table)
    rows = {(row[0], row[2]): row[3:] for row in texts(table)}
    assert rows["S-2", "IL6 (pg/mL)"][:3] == ["1.00", "20.0", "≥10.0"]
    # After tocilizumab nothing is used: not recovered by day 3.
    assert rows["S-1", "IL6 (pg/mL)"][1:5] == ["≥80.0", "8.00", "NC", ">3.00"]
    assert rows["S-1", "VASPAIN (mm)"][-1] == "-20.0"
    assert table.full is not None and len(table.full) > len(table.rows)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figures_hold_what_they_show(context: Draw, language: Any) -> None:
    courses = draw_marker_courses(context(classes=["CYTOKINE"]))
    assert isinstance(courses, Figure)
    apart = courses.data[courses.data["KIND"] == "APART"]
    assert list(apart["VALUE"]) == [900, 20]
    scores = draw_score_course(context(classes=["SCORE"]))
    assert isinstance(scores, Figure)
    total = scores.data[(scores.data["SERIES"] == "total") & (scores.data["DAY"] == 28)]
    assert total["VALUE"].iloc[0] == -18.75
    assert courses.subjects == 4 and scores.subjects == 4
