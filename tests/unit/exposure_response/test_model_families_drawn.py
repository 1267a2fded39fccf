"""Tables and figures of counts, daily hazards, Emax models and markers, from a small study."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from markers_study import add_markers
from table_texts import heads, texts

from celldossier.exposure_response.stage import analyse_exposure_response
from celldossier.exposure_response.study import Sources
from celldossier.results import AnalysisResults
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.terms.language import Language
from celldossier.tlf import tables_model_families as tables
from celldossier.tlf.figures_markers import draw_marker_exposure, draw_onset_peak
from celldossier.tlf.model import Context, Figure, NotShown, Table

SETTINGS = {
    "endpoints": [
        *("CRSGE1", "CRSGE2", "ICANSGE2", "NINFECT", "IL6PEAK", "CRPPEAK", "LYMNAD", "IL6RPT"),
        "OBJRESP",
    ],
    "metrics": ["CMAX"],
    "primary": [],
    "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"],
    "biomarkers": {"metrics": ["CMAX"]},
    "ordinal_metrics": [],
    "forest_metrics": ["CMAX"],
    "covariates": [{"variable": "SEX", "kind": "categorical"}],
    "emax": {"pairs": [{"endpoint": "IL6PEAK", "metric": "CMAX"}]},
    "landmarks": [],
}
ContextFor = Callable[..., Context]


def drawn_from(sources: Sources, **changes: Any) -> ContextFor:
    settings = ExposureResponseSettings.model_validate({**SETTINGS, **changes})
    output = analyse_exposure_response(sources, settings)
    datasets = {"ADER": output.ader, "ADEREND": output.aderend, "ADPP": sources.adpp}

    def make(language: str = "en", **options: Any) -> Context:
        return Context(
            language=Language(language),
            results=AnalysisResults([output.results]),
            curves=output.curves,
            dataset=datasets.__getitem__,
            settings={"exposure_response": settings.model_dump(mode="json")},
            options=options,
        )

    return make


@pytest.fixture(scope="module")
def context(study) -> ContextFor:
    return drawn_from(add_markers(study.sources))


@pytest.fixture(scope="module")
def bare(study) -> ContextFor:
    """A study without markers, counts and peaks: none of the tables has anything to show."""
    return drawn_from(study.sources, endpoints=["OBJRESP", "LYMNAD", "IL6RPT"], emax={})


DRAWINGS = {
    "counts": tables.draw_count_models,
    "hazard": tables.draw_hazard_models,
    "emax": tables.draw_emax_models,
    "biomarkers": tables.draw_biomarker_models,
    "repeated": tables.draw_repeated_markers,
    "marker_exposure": draw_marker_exposure,
    "onset_peak": draw_onset_peak,
}
OPTIONS = {"hazard": {"endpoints": ["CRSGE1", "CRSGE2", "ICANSGE2"]}}


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_both_languages_print_the_same_values(name: str, context: ContextFor) -> None:
    both = [DRAWINGS[name](context(language, **OPTIONS.get(name, {}))) for language in ("en", "zh")]
    if isinstance(both[0], Table):
        values = [[cell.value_ids for row in table.rows for cell in row.cells] for table in both]
        assert values[0] == values[1]
        assert any(values[0])
    else:
        assert isinstance(both[0], Figure)
        assert both[0].value_ids == both[1].value_ids
        assert both[0].data.equals(both[1].data)
    assert both[0].subjects == both[1].subjects > 0


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_without_such_data_nothing_is_shown(name: str, bare: ContextFor) -> None:
    shown = DRAWINGS[name](bare(**OPTIONS.get(name, {})))
    assert isinstance(shown, NotShown)
    assert shown.reason in {"NOTCOLL", "NOTASKED", "NOEVENT"}


def test_a_marker_that_was_not_collected_has_no_row(context: ContextFor) -> None:
    rows = texts(tables.draw_biomarker_models(context()))
    headings = [row[0] for row in rows if len(row) == 1]
    assert headings == ["Peak of interleukin-6", "Peak of C-reactive protein"]
    sensitivity = [row for row in rows if len(row) > 1 and "all samples" in row[1]]
    assert len(sensitivity) == 1
    assert sensitivity[0][5] == "–"


def test_the_hazard_table_names_the_days_and_refuses_what_has_no_event(
    context: ContextFor,
) -> None:
    table = tables.draw_hazard_models(context(endpoints=["CRSGE1", "ICANSGE2"]))
    assert "OR per doubling (95% CI)" in heads(table)
    rows = texts(table)
    assert ["CRS of any grade"] in rows
    icans = rows[rows.index(["ICANS of grade 2 or higher"]) + 1]
    assert icans[4] == "NC"
    assert icans[-1] == "not fitted"


def test_the_figure_of_the_onset_counts_those_before_the_peak(context: ContextFor) -> None:
    figure = draw_onset_peak(context())
    assert isinstance(figure, Figure)
    before = (figure.data["ONSETDY"] < figure.data["TMAX"]).sum()
    title = figure.pages[0].axes[0].get_title(loc="left")
    assert f"{before}/{len(figure.data)}" in title


def test_the_points_of_a_marker_are_those_of_its_model(context: ContextFor) -> None:
    figure = draw_marker_exposure(context(metric="CMAX"))
    assert isinstance(figure, Figure)
    subjects = figure.data[figure.data["SERIES"] == "subject"]
    assert set(subjects["ENDPOINT"]) == {"IL6PEAK", "CRPPEAK"}
    assert (subjects.groupby("ENDPOINT")["USUBJID"].nunique() == 60).all()
