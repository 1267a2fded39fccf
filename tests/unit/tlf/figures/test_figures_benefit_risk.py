"""Benefit and risk on one axis, and the forest of subgroups."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import conform
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.tlf.figures_benefit_risk import draw_benefit_risk
from celldossier.tlf.figures_subgroups import draw_subgroup_forest
from celldossier.tlf.model import Context, Figure, NotShown

Contexts = Callable[..., Context]
SHOWN, REFUSED = ("OBJRESP", "CRSGE2"), "ICANSGE2"
COMMON: dict[str, Any] = {"dataset": "ADER", "analyte": "PCR"}


def make_results() -> ResultCollector:
    out = ResultCollector("exposure_response")
    for endpoint in (*SHOWN, REFUSED):
        gone = endpoint == REFUSED
        ratios = dict(zip(("or", "or_low", "or_high"), (1.9, 1.2, 3.1), strict=True))
        if gone:
            ratios = dict.fromkeys(ratios, math.nan)
        out.add(
            "logistic",
            {"n": 30.0, "events": 12.0, **ratios},
            variable=endpoint,
            by={"metric": "CMAX", "adjustment": "TUMOUR_BURDEN", "population": "PRIMARY"},
            n=30,
            notes=dict.fromkeys(ratios, "FEWEVENT") if gone else {},
            **COMMON,
        )
    for dose in ("DL1", "DL2"):
        out.add(
            "exposure_by_dose",
            {"n": 15.0, "q1": 900.0, "median": 5000.0, "q3": 90000.0},
            variable="CMAX",
            by={"dose": dose},
            **COMMON,
        )
    for variable, levels in (
        ("SEX", {"F": "FEWEVENT", "M": ""}),
        ("LTBURDZ", {"LOW": "", "HIGH": ""}),
    ):
        for level, reason in levels.items():
            ratios = dict(zip(("or", "or_low", "or_high"), (2.2, 1.3, 3.7), strict=True))
            if reason:
                ratios = dict.fromkeys(ratios, math.nan)
            out.add(
                "subgroup",
                {"n": 15.0, "events": 6.0, **ratios},
                variable="CRSGE2",
                by={"metric": "CMAX", "subgroup": variable, "level": level},
                n=15,
                notes=dict.fromkeys(ratios, reason) if reason else {},
                **COMMON,
            )
        alone = variable == "SEX"
        out.add(
            "subgroup_interaction",
            {"df": 1.0}
            | dict.fromkeys(("p", "q"), math.nan if alone else 0.31)
            | ({} if alone else {"cut": 0.115}),
            variable="CRSGE2",
            by={"metric": "CMAX", "subgroup": variable},
            notes=dict.fromkeys(("p", "q"), "ONESUBGR") if alone else {},
            **COMMON,
        )
    return out


def make_curves() -> pd.DataFrame:
    rows = [
        {
            "curve_id": "exposure_response.benefit_risk/CMAX",
            "series": endpoint,
            "kind": "fit",
            "x": x,
            "y": 0.2 + 0.05 * (x - 9),
            "low": 0.1,
            "high": 0.9,
            "n": 30,
            "x_unit": "log2(copies/ug)",
            "y_unit": "1",
        }
        for endpoint in SHOWN
        for x in np.linspace(9.3, 18, 11)
    ]
    return conform(pd.DataFrame(rows), "CURVES")


@pytest.fixture
def context(make_context: Contexts) -> Callable[..., Context]:
    def make(
        language: str = "en", section: dict[str, Any] | None = None, **options: Any
    ) -> Context:
        ader = make_context().dataset("ADER")
        ader["TRT01A"] = np.where(ader.index % 2, "DL1", "DL2")
        made = make_context(
            language, results=make_results(), curves=make_curves(), replace={"ADER": ader}
        )
        settings = {
            "metrics": ["CMAX"],
            "primary": [{"endpoint": "CRSGE2", "metric": "CMAX"}],
            "endpoints": [*SHOWN, REFUSED],
            "subgroups": {
                "variables": [{"variable": "SEX"}, {"variable": "LTBURDZ", "split": "MEDIAN"}]
            },
            **(section or {}),
        }
        whole = ExposureResponseSettings.model_validate(settings).model_dump(mode="json")
        return replace(
            made,
            settings={**made.settings, "exposure_response": whole},
            options={"metric": "CMAX", "endpoints": [*SHOWN, REFUSED, "CRSGE3"], **options},
        )

    return make


def shown(output: Any) -> Figure:
    assert isinstance(output, Figure)
    return output


def words(figure: Figure) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for page in figure.pages for text in page.findobj(Text)]


def test_each_curve_is_named_with_its_subjects_and_events(context) -> None:
    figure = shown(draw_benefit_risk(context()))
    assert "Objective response (n = 30, events = 12)" in words(figure)
    assert "CRS of grade 2 or higher (n = 30, events = 12)" in words(figure)
    assert set(figure.data["SERIES"]) == {*SHOWN, "subject"}


def test_a_refused_curve_is_named_below_with_its_reason(context) -> None:
    figure = shown(draw_benefit_risk(context()))
    note = [text for text in figure.footnotes if "ICANS of grade 2 or higher" in text]
    assert len(note) == 1 and "too few events" in note[0]


def test_every_subject_with_an_exposure_stands_below_the_curves(context) -> None:
    made = context()
    ader = made.dataset("ADER")
    figure = shown(draw_benefit_risk(made))
    points = figure.data[figure.data["SERIES"] == "subject"]
    assert len(points) == (ader["CMAX"] > 0).sum()
    drawn = figure.pages[0].axes[1].collections
    assert sum(len(part.get_offsets()) for part in drawn) == len(points)
    assert "DL1 (n = 15)" in words(figure)
    assert any("never quantifiable" in text for text in figure.footnotes)


def test_a_metric_or_model_that_is_not_there_is_said_so(context) -> None:
    assert draw_benefit_risk(context(metric="AUC28")) == NotShown("NOGRPASK")
    assert draw_benefit_risk(context(endpoints=[REFUSED])) == NotShown("FEWEVENT")
    assert draw_benefit_risk(context(endpoints=["CRSGE3"])) == NotShown("NOENDPT")


def test_the_forest_lists_each_level_the_refused_ones_with_a_letter(context) -> None:
    figure = shown(draw_subgroup_forest(context(endpoint="CRSGE2")))
    texts = words(figure)
    assert "2.20 (1.30–3.70)" in texts and "NC (b)" in texts and "0.310 (0.310)" in texts
    assert "NC (a)" in texts
    assert any(note.startswith("b ") and "too few events" in note for note in figure.footnotes)
    refused = figure.data[figure.data["REASND"] == "FEWEVENT"]
    assert list(refused["LEVEL"]) == ["F"]


def test_a_number_is_divided_at_the_median_that_is_printed(context) -> None:
    texts = words(shown(draw_subgroup_forest(context(endpoint="CRSGE2"))))
    assert "≤ 0.115 SD (median)" in texts and "> 0.115 SD" in texts


def test_an_endpoint_without_a_primary_metric_has_no_forest(context) -> None:
    assert draw_subgroup_forest(context(endpoint="OBJRESP")) == NotShown("NOGRPASK")
    assert draw_subgroup_forest(context(endpoint="CRSGE3")) == NotShown("NOENDPT")


@pytest.mark.parametrize("draw", [draw_benefit_risk, draw_subgroup_forest])
def test_both_languages_print_the_same_values(context, draw) -> None:
    english, chinese = (shown(draw(context(code, endpoint="CRSGE2"))) for code in ("en", "zh"))
    assert english.value_ids == chinese.value_ids and len(english.value_ids) > 3
    assert english.alternative_text != chinese.alternative_text
