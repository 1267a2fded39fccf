"""Tables and figure of dose against exposure and of outcome against dose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pytest
from dose_study import SETTINGS, make_dose_study
from table_texts import texts

from celldossier.datasets import conform
from celldossier.exposure_response import dose_response
from celldossier.exposure_response.dose_exposure import collect_dose_exposure
from celldossier.exposure_response.plan_results import collect_multiplicity
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.dose_relations import DoseMetric
from celldossier.terms.language import Language
from celldossier.tlf.figures_dose_relations import draw_dose_exposure_plot
from celldossier.tlf.labels import metric_label
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_dose_relations import (
    draw_dose_exposure,
    draw_dose_rates,
    draw_dose_response,
)

STUDY = make_dose_study(trials=("A", "B"))
ALONE = {"dose_response": {"metrics": ["DOSETGP"], "exposure_adjusted": False}}


def make_context(study: Study = STUDY, language: Literal["en", "zh"] = "en") -> Context:
    out = ResultCollector("exposure_response")
    output = dose_response.run_cells(study, dose_response.plan_cells(study), out)
    collect_multiplicity(output.outcomes, "PCR", out)
    curves = conform(pd.DataFrame(collect_dose_exposure(study, out)), "CURVES")
    assay = {"analyte": "PCR", "label": {"en": "PCR", "zh": "PCR"}, "unit": "copies/ug"}
    return Context(
        Language(language),
        AnalysisResults([out.frame()]),
        curves,
        lambda name: {"ADER": study.ader, "ADEREND": study.aderend}[name],
        {
            "bioanalysis": {"assays": [assay]},
            "exposure_response": study.settings.model_dump(mode="json"),
        },
    )


def number(context: Context, stat: str, analysis: str = "ALL", level: str = "ALL") -> float:
    by = {"analysis": analysis, "dose_metric": "DOSETGP", "level": level}
    found = context.results.find("exposure_response.dose_exposure", "CMAX", "PCR", by, stat)
    assert found is not None
    return found.number


def test_the_power_models_stand_by_dose_metric_with_the_sensitivities_of_the_first() -> None:
    context = make_context()
    table = draw_dose_exposure(context)
    assert isinstance(table, Table) and table.subjects == 90
    rows = texts(table)
    headings = [row[0] for row in rows if len(row) == 1]
    assert headings == [
        "Transgene+ Viable Cells Infused (10⁶ cells)",
        "Tcm Transgene+ Viable Cells Infused (10⁶ cells)",
    ]
    assert [row[1] for row in rows if len(row) > 1 and row[0] == "Cmax"] == [
        *("all subjects", "adjusted for tumour burden", "A", "B", "test of one slope, studies"),
        *("ALL", "NHL", "test of one slope, indications", "all subjects"),
    ]
    first = next(row for row in rows if row[:2] == ["Cmax", "all subjects"])
    assert len(first) == len(table.columns)
    assert first[2:4] == ["90", "0/0/0"]
    slope = [number(context, stat) for stat in ("slope", "slope_low", "slope_high")]
    assert first[5] == f"{slope[0]:.2f} ({slope[1]:.2f}, {slope[2]:.2f})"
    assert first[-1] == "less than proportional"
    adjusted = next(row for row in rows if row[:2] == ["Cmax", "adjusted for tumour burden"])
    assert adjusted[-2] == "–"


def test_each_endpoint_has_its_ratio_alone_and_beside_the_exposure() -> None:
    context = make_context()
    table = draw_dose_response(context)
    assert isinstance(table, Table)
    rows = texts(table)
    assert [row[0] for row in rows if len(row) == 1] == [
        "Objective response: odds ratio",
        "CRS of grade 2 or higher: odds ratio",
        "Overall survival: hazard ratio",
    ]
    bodies = [row for row in rows if len(row) > 1]
    assert [row[6] for row in bodies] == ["AUC0-28d", "Cmax", "AUC0-28d"]
    assert [row[5] for row in bodies[:2]] == ["logistic", "logistic"]
    place = ("exposure_response.dose_response", "OS", "PCR")
    by = {"metric": "DOSETGP", "adjustment": "UNADJUSTED"}
    hazards = context.results.find(*place, by, "ph_p")
    assert hazards is not None and bodies[2][5] == f"Cox; PH {hazards.number:.3f}"
    assert all(len(row) == len(table.columns) for row in bodies)


def test_without_models_beside_the_exposure_their_columns_are_left_out() -> None:
    table = draw_dose_response(make_context(make_dose_study(settings=ALONE)))
    assert isinstance(table, Table) and len(table.columns) == 6
    assert {len(row) for row in texts(table)} == {1, 6}


def test_the_rates_stand_in_the_order_of_the_dose_with_their_trend() -> None:
    table = draw_dose_rates(make_context())
    assert isinstance(table, Table) and table.subjects == 90
    assert [column.group for column in table.columns[1:7:2]] == ["DL1", "DL2", "DL3"]
    rows = texts(table)
    assert [row[0] for row in rows] == ["Objective response", "CRS of grade 2 or higher"]
    assert all(row[1].endswith("/30") for row in rows)


def test_every_printed_subject_of_the_figure_is_in_the_model() -> None:
    context = make_context()
    figure = draw_dose_exposure_plot(context)
    assert isinstance(figure, Figure) and figure.subjects == 90
    subjects = figure.data[figure.data["SERIES"] == "subject"]
    for metric in SETTINGS["metrics"]:
        own = subjects[subjects["METRIC"] == metric]
        assert len(own) == 90 and own["USUBJID"].is_unique
    fit = figure.data[figure.data["SERIES"] == "fit"]
    assert set(fit["STUDYID"]) == {"A", "B"}
    assert {"Responder", "Non-responder", "Unknown"} <= {
        text.get_text() for legend in figure.pages[0].legends for text in legend.get_texts()
    }


@pytest.mark.parametrize("draw", [draw_dose_exposure, draw_dose_response, draw_dose_rates])
def test_both_languages_print_the_same_values(draw: Callable[[Context], Any]) -> None:
    english, chinese = (draw(make_context(language=each)) for each in ("en", "zh"))
    ids = [
        [cell.value_ids for row in table.rows for cell in row.cells] for table in (english, chinese)
    ]
    assert ids[0] == ids[1]
    assert [c.label for c in english.columns] != [c.label for c in chinese.columns]


def test_one_dose_gives_points_and_a_reason_and_no_line() -> None:
    ader = STUDY.ader.assign(DOSETGP=100.0)
    context = make_context(replace(STUDY, ader=ader))
    figure = draw_dose_exposure_plot(context)
    assert isinstance(figure, Figure)
    assert set(figure.data["SERIES"]) == {"subject"} and "ONELEVEL" in figure.reasons
    table = draw_dose_exposure(context)
    assert isinstance(table, Table)
    first = next(row for row in table.rows if len(row.cells) > 1)
    assert first.cells[5].text == "NC" and first.cells[5].reasons == ("ONELEVEL",)


def test_without_any_dose_the_figure_says_why() -> None:
    ader = STUDY.ader.assign(DOSETGP=np.nan, DOSETCM=np.nan)
    assert draw_dose_exposure_plot(make_context(replace(STUDY, ader=ader))) == NotShown("NOTCOLL")


@pytest.mark.parametrize("code", get_args(DoseMetric))
def test_every_dose_metric_has_words_of_its_own(code: str) -> None:
    english, chinese = (metric_label(Language(each), code) for each in ("en", "zh"))
    assert english and chinese and english != chinese


def test_no_analysis_no_table() -> None:
    empty = AnalysisResults([])
    context = replace(make_context(), results=empty)
    for draw in (draw_dose_exposure, draw_dose_response, draw_dose_rates, draw_dose_exposure_plot):
        assert draw(context) == NotShown("NOTCOLL")
