"""Kaplan-Meier curves by exposure with numbers at risk (F58, F42)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from survival_study import make_survival_results

from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.terms.language import Language
from celldossier.tlf.figures_survival_models import draw_survival_by_exposure
from celldossier.tlf.model import Context, Figure, NotShown

GIVEN = make_survival_results("PFS", "DOR")
SETTINGS = {
    "exposure_response": {"analyte": "PCR"},
    "bioanalysis": {
        "assays": [
            {
                "analyte": "PCR",
                "domain": "CK",
                "label": {"en": "PCR", "zh": "PCR"},
                "unit": "copies/ug",
            }
        ]
    },
}


def draw(language: str = "en", curves: pd.DataFrame | None = None, **options: Any):
    context = Context(
        results=AnalysisResults([GIVEN[0]]),
        curves=GIVEN[1] if curves is None else curves,
        dataset=empty_dataset,
        settings=SETTINGS,
        language=Language(language),
        options={"endpoints": ["PFS", "DOR"], "metric": "AUC28", **options},
    )
    return draw_survival_by_exposure(context)


def texts(figure: Figure) -> list[str]:
    page = figure.pages[0]
    return [item.get_text() for axes in page.axes for item in axes.texts]


@pytest.fixture(scope="module")
def figure() -> Figure:
    return draw()


def test_the_curves_are_those_of_the_stage(figure: Figure) -> None:
    own = GIVEN[1][GIVEN[1]["curve_id"].str.contains("/AUC28/")]
    assert len(figure.data) == len(own)
    drawn = [line for axes in figure.pages[0].axes for line in axes.lines if len(line.get_xdata())]
    curve = own[(own["curve_id"].str.contains("PFS/AUC28/HALF")) & (own["series"] == "H1")]
    assert any(
        len(line.get_xdata()) == len(curve) and np.allclose(line.get_ydata(), curve["y"])
        for line in drawn
    )


def test_the_count_before_the_landmark_and_the_numbers_at_risk_are_printed(figure: Figure) -> None:
    results = AnalysisResults([GIVEN[0]])
    by = {"metric": "AUC28", "split": "HALF"}
    before = results.find("exposure_response.log_rank", "PFS", "PCR", by, "n_before")
    assert any(f"left before the landmark: {before.number:g} " in text for text in texts(figure))
    assert before.value_id in figure.value_ids
    at_risk = results.select("exposure_response.survival_at_risk")
    day28 = at_risk[(at_risk["variable"] == "PFS") & (at_risk["level1"] == "D28")]
    assert set(day28.loc[day28["level3"] == "AUC28", "value_id"]) <= set(figure.value_ids)


def test_both_languages_print_the_same_values(figure: Figure) -> None:
    assert draw("zh").value_ids == figure.value_ids
    assert figure.footnotes != draw("zh").footnotes


def test_the_axis_of_the_duration_of_response_starts_at_the_response(figure: Figure) -> None:
    labels = [axes.get_xlabel() for axes in figure.pages[0].axes]
    assert "Days after the first response" in labels and "Days after infusion" in labels


def test_with_few_subjects_or_without_the_endpoint_there_is_a_reason() -> None:
    empty = empty_dataset("CURVES")
    assert draw(curves=empty) == NotShown("FEWSUBJ")
    assert draw(curves=empty, endpoints=["OS"]) == NotShown("NOTAPPL")
