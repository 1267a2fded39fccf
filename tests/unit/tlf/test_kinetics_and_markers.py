"""Tables 49, 49c to 49f and 36a, figures 46 and 49: markers beside the cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from related_given import SUBJECTS, make_related_study, make_repeated_study
from table_texts import heads, texts

from celldossier.datasets import conform
from celldossier.pharmacodynamics.exposure_and_markers import relate_parameters
from celldossier.pharmacodynamics.hysteresis import describe_loops
from celldossier.pharmacodynamics.lagged_correlation import relate_over_time
from celldossier.pharmacodynamics.markers_by_dose import describe_doses
from celldossier.pharmacodynamics.markers_by_grade import compare_grades
from celldossier.pharmacodynamics.peak_sequence import order_peaks
from celldossier.pharmacodynamics.study import Study
from celldossier.results import ResultCollector
from celldossier.tlf.figures_kinetics_and_markers import draw_kinetics_and_markers
from celldossier.tlf.figures_marker_days import draw_marker_days
from celldossier.tlf.figures_marker_grades import draw_marker_by_grade
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.tables_kinetics_and_markers import (
    draw_marker_emax,
    draw_marker_lags,
    draw_marker_loops,
    draw_marker_matrix,
    draw_peak_order,
)
from celldossier.tlf.tables_markers_by_dose import draw_markers_by_dose

Draw = Callable[..., Context]
PARTS = (
    relate_over_time,
    describe_loops,
    order_peaks,
    relate_parameters,
    compare_grades,
    describe_doses,
)


Outputs = tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]


def collect(study: Study) -> Outputs:
    """Results, curves and settings of a study."""
    out = ResultCollector("pharmacodynamics")
    curves = pd.DataFrame([row for part in PARTS for row in part(study, out)])
    return out.frame(), conform(curves, "CURVES"), study.settings.model_dump(mode="json")


@pytest.fixture(scope="module")
def related() -> Outputs:
    return collect(make_related_study())


@pytest.fixture
def context(
    context_for: Draw, settings: dict[str, Any], related: Outputs
) -> Callable[..., Context]:
    def make(outputs: Outputs = related, language: str = "en") -> Context:
        results, curves, own = outputs
        made = context_for(results, {**settings, "pharmacodynamics": own}, language)
        return replace(made, curves=curves)

    return make


def test_the_matrix_prints_number_coefficient_and_q_for_each_metric(context: Draw) -> None:
    drawn = draw_marker_matrix(context())
    assert heads(drawn)[1:4] == ["n", "rho (95% CI)", "q"]
    rows = texts(drawn)
    assert ["IFNG"] in rows and ["CD19B"] in rows
    peak = next(row for row in rows if row[0] == "Maximum after the infusion")
    assert peak[1] == str(SUBJECTS) and len(peak) == 10


def test_the_order_of_peaks_names_what_is_compared(context: Draw) -> None:
    rows = {row[0]: row[1:] for row in texts(draw_peak_order(context()))}
    assert rows["IFNG, peak"][:5] == ["12", "0 / 0", "12 (100.0)", "0 (0.0)", "0 (0.0)"]
    assert rows["IFNG, peak"][6:9] == ["11.0", "7.0", "-4.0 (-4.0, -4.0)"]
    assert rows["CD19B, nadir"][2:5] == ["0 (0.0)", "0 (0.0)", "12 (100.0)"]


def test_lags_stand_at_the_same_time_and_where_the_correlation_is_largest(context: Draw) -> None:
    rows = texts(draw_marker_lags(context()))
    start = rows.index(["IFNG"])
    assert [row[0] for row in rows[start + 1 : start + 5]] == [
        "At the same time",
        "Largest correlation in size",
        "Highest correlation",
        "Lowest correlation",
    ]
    assert rows[start + 3][1] == "-4 (-4, -4)"


def test_a_single_lag_has_no_largest_one(context: Draw) -> None:
    rows = texts(draw_marker_lags(context(collect(make_related_study(lags=[0])))))
    assert [row[0] for row in rows if len(row) > 1] == ["At the same time"] * 3


def test_loops_have_their_direction_and_area(context: Draw) -> None:
    rows = {row[0]: row[1:] for row in texts(draw_marker_loops(context()))}
    assert rows["IFNG"][:4] == ["12 (0)", "12 (100.0)", "0 (0.0)", "0 (0.0)"]
    assert rows["IFNG"][4].startswith("-0.")


def test_models_of_the_peaks_stand_side_by_side(context: Draw) -> None:
    rows = texts(draw_marker_emax(context()))
    assert [row[0] for row in rows] == ["CRP", "IFNG"]
    assert rows[0][1] == "12 (0)"


def test_repeated_doses_end_with_the_ratio_per_dose(context: Draw) -> None:
    rows = texts(draw_markers_by_dose(context(collect(make_repeated_study()))))
    assert [row[0] for row in rows] == ["CRP (mg/L)", "1", "2", "3", "Ratio per dose (95% CI)"]
    assert rows[2][2:4] == ["200", "10.0"]
    assert draw_markers_by_dose(context()) == NotShown("ONEDOSE")


def test_the_figure_in_time_has_a_page_for_order_loops_and_lags(context: Draw) -> None:
    figure = draw_kinetics_and_markers(context())
    assert isinstance(figure, Figure) and len(figure.pages) == 3
    assert figure.subjects == SUBJECTS
    assert [note.split(":")[0] for note in figure.footnotes] == [
        "Order of the peaks",
        "Loops",
        "Lags",
    ]
    assert set(figure.data["PANEL"]) == {"ORDER", "LOOP", "LAG"}
    loop = figure.data.query("PANEL == 'LOOP' and MARKER == 'IFNG'")
    # Joined in the order of the days, not of their names.
    assert loop["SERIES"].astype(float).is_monotonic_increasing


def test_a_note_speaks_only_of_pages_that_the_figure_has(context: Draw, related: Outputs) -> None:
    results, curves, own = related
    kept = curves[~curves["curve_id"].str.startswith("pharmacodynamics.lag")]
    figure = draw_kinetics_and_markers(context((results, kept, own)))
    assert isinstance(figure, Figure) and len(figure.pages) == 2
    assert [note.split(":")[0] for note in figure.footnotes] == ["Order of the peaks", "Loops"]


def test_the_figure_by_grade_has_a_point_a_subject_and_the_test(context: Draw) -> None:
    figure = draw_marker_by_grade(context())
    assert isinstance(figure, Figure) and len(figure.pages) == 1
    assert len(figure.data) == 2 * SUBJECTS
    assert any("grade_peak_trend/IFNG" in value for value in figure.value_ids)


def test_the_figure_by_grade_says_how_many_have_no_known_grade(
    context: Draw, related: Outputs
) -> None:
    study = make_related_study()
    adsl = study.sources.adsl.copy()
    # Without CRS and not followed to the end of its window, S-01 and S-05; S-02 had CRS.
    adsl.loc[adsl["USUBJID"].isin(["S-01", "S-02", "S-05"]), "FUDUR"] = 10.0
    short = replace(study, sources=replace(study.sources, adsl=adsl))
    figure = draw_marker_by_grade(context(collect(short)))
    assert isinstance(figure, Figure)
    words = "Worst grade of CRS: not known, and left out, in up to 2 of the subjects"
    assert any(note.startswith(words) for note in figure.footnotes)
    assert sum(value.endswith("n_unwatched") for value in figure.value_ids) == 1
    complete = draw_marker_by_grade(context(related))
    assert isinstance(complete, Figure)
    assert not any("not known" in note for note in complete.footnotes)


def test_the_figure_of_days_has_each_pair_of_days_within_the_lags(context: Draw) -> None:
    figure = draw_marker_days(context())
    assert isinstance(figure, Figure) and len(figure.pages) == 1
    days = figure.data[["CELLDAY", "MARKERDAY"]].astype(float)
    apart = days["MARKERDAY"] - days["CELLDAY"]
    assert apart.between(-4, 4).all() and {-4.0, 4.0} <= set(apart)


def test_both_languages_print_the_same_values(context: Draw) -> None:
    for draw in (draw_peak_order, draw_marker_loops, draw_marker_lags, draw_marker_matrix):
        english, chinese = (draw(context(language=lang)) for lang in ("en", "zh"))
        ids = [
            [cell.value_ids for row in table.rows for cell in row.cells]
            for table in (english, chinese)
        ]
        assert ids[0] == ids[1]


def test_without_results_each_says_why(context_for: Draw, settings: dict[str, Any]) -> None:
    empty = context_for(conform(pd.DataFrame(), "ARD"), settings)
    for draw in (
        draw_marker_matrix,
        draw_marker_emax,
        draw_peak_order,
        draw_marker_lags,
        draw_marker_loops,
    ):
        assert draw(empty) == NotShown("NOTCOLL")
    assert draw_kinetics_and_markers(empty) == NotShown("NOTCOLL")
    assert draw_marker_by_grade(empty) == NotShown("NOTCOLL")
    assert draw_marker_days(empty) == NotShown("NOTCOLL")
