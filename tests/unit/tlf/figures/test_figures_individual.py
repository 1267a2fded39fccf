"""Individual profiles (F20): pages, limits, events, peak and terminal regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.tlf import figures_individual
from celldossier.tlf.figures_events import read_events
from celldossier.tlf.figures_individual import draw_individual_profiles
from celldossier.tlf.model import Context, Figure
from celldossier.tlf.style import figure_style

Contexts = Callable[..., Context]


def shown(output: Any) -> Figure:
    assert isinstance(output, Figure)
    return output


def with_rules(context: Context, **rules: int) -> Context:
    kinetics = {**context.settings["cellular_kinetics"]}
    kinetics["figures"] = {**kinetics["figures"], **rules}
    settings = {**context.settings, "cellular_kinetics": kinetics}
    return Context(
        context.language, context.results, context.curves, context.dataset, settings,
        context.options,
    )  # fmt: skip


def heads(figure: Figure) -> list[str]:
    texts = [text.get_text() for page in figure.pages for text in page.texts]
    return [text for text in texts if text.startswith("T-1-")]


def test_every_subject_has_a_panel_and_the_report_prints_the_first_pages(
    make_context: Contexts,
) -> None:
    figure = shown(draw_individual_profiles(make_context("en", count=30, analytes=["FLOW"])))
    assert len(figure.pages) == 3 and figure.printed == 2
    assert len(set(heads(figure))) == figure.subjects == 30
    assert any("first 24 subjects" in note and "all 30" in note for note in figure.footnotes)
    assert figure.data["USUBJID"].nunique() == 30


def test_a_study_that_fits_has_no_word_of_subjects_left_out(make_context: Contexts) -> None:
    figure = shown(draw_individual_profiles(make_context("en", count=13, analytes=["PCR"])))
    assert len(figure.pages) == figure.printed == 2
    assert not any("first" in note for note in figure.footnotes)


@pytest.mark.parametrize("panels", [1, 2, 4, 6, 12])
def test_the_panels_of_a_page_are_a_setting_and_lie_within_it(
    panels: int, make_context: Contexts
) -> None:
    context = with_rules(make_context("en", count=13), panels=panels)
    figure = shown(draw_individual_profiles(context))
    assert len(figure.pages) == -(-13 // panels)
    assert len(heads(figure)) == 13
    for axes in figure.pages[0].axes:
        box = axes.get_position()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 1 and box.y1 <= 1


def test_each_analyte_has_axes_of_its_own(make_context: Contexts) -> None:
    figure = shown(draw_individual_profiles(make_context("en", count=2)))
    assert len(figure.pages[0].axes) == 4
    assert figure.analytes == ("PCR", "FLOW")
    one = shown(draw_individual_profiles(make_context("en", count=2, analytes=["FLOW"])))
    assert len(one.pages[0].axes) == 2
    assert set(one.data["PARAMCD"]) == {"FLOW", ""}


def test_a_result_below_lloq_is_an_open_symbol_at_its_own_lloq(make_context: Contexts) -> None:
    samples = make_context("en", count=1).dataset("ADPC")
    samples.loc[(samples["PARAMCD"] == "PCR") & (samples["AFRLT"] == 1), "ALLOQ"] = 75.0
    context = make_context("en", count=1, replace={"ADPC": samples}, analytes=["PCR"])
    figure = shown(draw_individual_profiles(context))
    lines = figure.pages[0].axes[0].get_lines()
    hollow = [line for line in lines if line.get_markerfacecolor() == "white"]
    points = dict(zip(*hollow[0].get_data(), strict=True))
    assert points[1.0] == 75.0
    assert points[-0.2] == 50.0
    data = figure.data[figure.data["KIND"] == "SAMPLE"]
    assert set(data.loc[data["BLQFL"] == "Y", "DAY"]) == set(points)
    course = next(line for line in lines if line.get_markevery() is not None)
    assert len(course.get_markevery()) == len(data) - len(points)


def test_a_limit_that_changes_steps_between_the_samples(make_context: Contexts) -> None:
    samples = make_context("en", count=1).dataset("ADPC")
    samples.loc[samples["AFRLT"] > 30, "ALLOQ"] = 25.0
    context = make_context("en", count=1, replace={"ADPC": samples}, analytes=["PCR"])
    axes = shown(draw_individual_profiles(context)).pages[0].axes[0]
    step = next(line for line in axes.get_lines() if line.get_drawstyle() == "steps-mid")
    days, limits = step.get_data()
    assert set(limits[days <= 28]) == {50.0} and set(limits[days >= 60]) == {25.0}


def test_events_of_a_subject_are_its_episodes_its_medication_and_its_course(
    make_context: Contexts,
) -> None:
    context = make_context("en", count=6)
    drugs = context.dataset("ADCM")
    row = drugs.iloc[[0]].assign(USUBJID="T-1-001", CMCLASS="NEW_THERAPY", SRCROW=90)
    new = [row.assign(ASTDY=-9.0), row.assign(ASTDY=200.0), row.assign(ASTDY=300.0)]
    anakinra = row.assign(CMCLASS="ANAKINRA", ASTDY=7.0)
    drugs = pd.concat([drugs, *new, anakinra], ignore_index=True)
    events = read_events(make_context("en", count=6, replace={"ADCM": drugs}))
    found = {
        key: list(rows["DAY"]) for key, rows in events.groupby(["USUBJID", "KIND"], observed=True)
    }
    assert found["T-1-002", "CRS"] == [5.0] and ("T-1-004", "CRS") not in found
    assert found["T-1-003", "TOCILIZUMAB"] == [4.5] and found["T-1-003", "STEROID"] == [6.0]
    assert found["T-1-001", "ANAKINRA"] == [7.0]
    # Of new therapy the first after the infusion.
    assert found["T-1-001", "NEWTHERAPY"] == [200.0]
    assert found["T-1-002", "REINFUSION"] == [100.0]
    assert found["T-1-001", "RELAPSE"] == [180.0] and ("T-1-002", "RELAPSE") not in found
    assert found["T-1-005", "DEATH"] == [200.0]
    crs = events[(events["USUBJID"] == "T-1-002") & (events["KIND"] == "CRS")].iloc[0]
    assert (crs["END"], crs["GRADE"]) == (11.0, 3.0)
    icans = events[(events["USUBJID"] == "T-1-006") & (events["KIND"] == "ICANS")].iloc[0]
    assert np.isinf(icans["END"])


def test_an_episode_is_a_bar_with_its_grade_and_one_that_goes_on_reaches_the_end(
    make_context: Contexts,
) -> None:
    context = make_context("en", count=6, analytes=["PCR"])
    axes = shown(draw_individual_profiles(context)).pages[0].axes[5]
    bars = [line for line in axes.get_lines() if line.get_linewidth() > 3]
    ends = sorted(tuple(line.get_xdata()) for line in bars)
    assert ends[0] == (3.0, 9.0)
    assert ends[1][0] == 3.0 and ends[1][1] > 360
    assert [text.get_text() for text in axes.texts] == [" 3", " 3"]


def test_an_unknown_grade_is_a_question_mark_and_an_unknown_end_the_shortest_bar(
    make_context: Contexts,
) -> None:
    episodes = make_context("en", count=1).dataset("ADAESI")
    episodes = episodes.assign(ATOXGRN=np.nan, AENDY=np.nan)
    context = make_context("en", count=1, analytes=["PCR"], replace={"ADAESI": episodes})
    axes = shown(draw_individual_profiles(context)).pages[0].axes[0]
    assert " ?" in [text.get_text() for text in axes.texts]
    bar = next(line for line in axes.get_lines() if line.get_linewidth() > 3)
    start, end = bar.get_xdata()
    assert start == 4.0 and 0 < end - start < 1


def test_lanes_are_those_that_the_study_needs(make_context: Contexts) -> None:
    nothing = {
        name: make_context("en", count=3).dataset(name).iloc[:0] for name in ("ADAESI", "ADCM")
    }
    context = make_context("en", count=3, analytes=["PCR"], replace=nothing)
    axes = shown(draw_individual_profiles(context)).pages[0].axes[0]
    assert [text.get_text() for text in axes.texts] == ["Course"]
    whole = shown(draw_individual_profiles(make_context("en", count=6, analytes=["PCR"])))
    names = [text.get_text() for text in whole.pages[0].axes[0].texts]
    assert [name for name in names if not name.startswith(" ")] == [
        "CRS", "ICANS", "Rescue", "Course",
    ]  # fmt: skip


def test_the_ring_is_at_the_sample_of_tmax(make_context: Contexts) -> None:
    context = make_context("en", count=2, analytes=["PCR"])
    figure = shown(draw_individual_profiles(context))
    tmax = context.dataset("ADPP").query("PARCAT1 == 'PCR'").set_index("USUBJID")["AVAL"]
    for axes, subject in zip(figure.pages[0].axes, ("T-1-001", "T-1-002"), strict=True):
        ring = next(line for line in axes.get_lines() if line.get_markersize() == 5.5)
        assert list(ring.get_xdata()) == [tmax[subject]]
        sample = context.dataset("ADPC")
        sample = sample[(sample["USUBJID"] == subject) & (sample["PARAMCD"] == "PCR")]
        assert list(ring.get_ydata()) == [sample["AVAL"].max()]


def test_the_regression_spans_its_window_and_is_broken_where_it_fails(
    make_context: Contexts,
) -> None:
    figure = shown(draw_individual_profiles(make_context("en", count=2, analytes=["PCR"])))
    styles = []
    for axes in figure.pages[0].axes:
        line = next(line for line in axes.get_lines() if len(line.get_xdata()) == 30)
        days, values = (np.asarray(part, dtype=float) for part in line.get_data())
        assert (days[0], days[-1]) == (60.0, 360.0)
        np.testing.assert_allclose(values, np.exp(6.5 - 0.006 * days))
        styles.append(line.get_linestyle())
    assert styles == ["--", "-"]
    terminal = figure.data[figure.data["KIND"] == "TERMINAL"]
    assert terminal["GATE"].tolist() == ["SPANLOW", "PASS"]


def test_events_after_the_last_sample_are_named_in_a_footnote(make_context: Contexts) -> None:
    context = make_context("en", count=5)
    adsl = context.dataset("ADSL").assign(DTHDY=500.0)
    late = shown(draw_individual_profiles(make_context("en", count=5, replace={"ADSL": adsl})))
    assert any("day 360" in note for note in late.footnotes)
    assert not any("day 360" in note for note in shown(draw_individual_profiles(context)).footnotes)


def test_the_lanes_and_the_legend_lie_within_the_page(make_context: Contexts) -> None:
    for language in ("en", "zh"):
        for panels in figures_individual.GRIDS:
            context = with_rules(make_context(language, count=6), panels=panels)
            page = shown(draw_individual_profiles(context)).pages[0]
            with figure_style():
                page.draw_without_rendering()
                boxes = [page.legends[0].get_window_extent()]
                boxes += [text.get_window_extent() for axes in page.axes for text in axes.texts]
            width, height = page.bbox.width, page.bbox.height
            for box in boxes:
                assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
