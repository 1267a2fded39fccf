from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.results import ResultCollector
from celldossier.tlf.exposure_relations import read_relation
from celldossier.tlf.figures_covariates import draw_covariate_forest, draw_outcome_forest
from celldossier.tlf.figures_exposure_groups import draw_exposure_by_grade
from celldossier.tlf.figures_exposure_response import draw_event_probability, draw_probability
from celldossier.tlf.model import Context, Figure, NotShown

Contexts = Callable[..., Context]
Results = Callable[..., ResultCollector]


def shown(output: Any) -> Figure:
    assert isinstance(output, Figure)
    return output


def words(figure: Figure) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for page in figure.pages for text in page.findobj(Text)]


def test_odds_ratios_per_doubling_are_printed_from_the_results(make_context: Contexts) -> None:
    figure = shown(draw_probability(make_context("en", metric="AUC28")))
    title = figure.pages[0].axes[0].get_title(loc="left")
    assert "n = 30, events = 10" in title
    assert "unadjusted 1.23 (1.03–1.48)" in title
    assert "adjusted for tumour burden 1.57 (1.31–1.88)" in title
    place = "exposure_response.logistic/OBJRESP/PCR/adjustment=TUMOUR_BURDEN/metric=AUC28"
    assert f"{place}/population=PRIMARY/or_low" in figure.value_ids


def test_the_groups_are_labelled_with_events_and_subjects_in_order(make_context: Contexts) -> None:
    figure = shown(draw_probability(make_context("en", metric="AUC28")))
    labels = {t.get_position()[0]: t.get_text() for t in figure.pages[0].axes[0].texts}
    assert [labels[x] for x in sorted(labels)] == ["1/10", "2/10", "3/10"]


def test_the_rug_holds_the_subjects_of_the_model(make_context: Contexts) -> None:
    relation = read_relation(make_context("en"), "OBJRESP", "AUC28")
    assert not isinstance(relation, NotShown)
    # 30 subjects, one of them never quantifiable; the unknown response counts as none.
    assert len(relation.points) == 29
    unknown = relation.points[relation.points["USUBJID"] == "T-1-003"]
    assert list(unknown["EVENT"]) == [0.0]
    assert relation.points["X"].iloc[0] == pytest.approx(np.log2(500 * 1.25 * 12))


def test_an_unknown_response_is_left_out_where_the_settings_say_so(make_context: Contexts) -> None:
    context = make_context("en")
    settings = dict(context.settings)
    settings["exposure_response"] = {
        **settings["exposure_response"],
        "unknown_response": ["EXCLUDED"],
    }
    changed = Context(
        context.language, context.results, context.curves, context.dataset, settings, {}
    )
    relation = read_relation(changed, "OBJRESP", "AUC28")
    assert not isinstance(relation, NotShown)
    assert "T-1-003" not in set(relation.points["USUBJID"]) and len(relation.points) == 28


def test_a_landmark_panel_leaves_out_who_had_an_onset_before_its_sample(
    make_context: Contexts,
) -> None:
    context = make_context("en")
    relation = read_relation(context, "CRSGE2", "CLD3")
    assert not isinstance(relation, NotShown)
    ader = context.dataset("ADER").set_index("USUBJID")
    kept = ader.loc[relation.points["USUBJID"]]
    assert not (kept["CRSONDY"] <= 3.1).any()
    assert len(kept) == len(ader) - int((ader["CRSONDY"] <= 3.1).sum())
    figure = shown(draw_event_probability(make_context("en", metrics=["CMAX", "CLD3"])))
    assert any("before onset" in note for note in figure.footnotes)


def test_a_refused_model_shows_the_observed_rates_and_its_reason(
    make_context: Contexts, er_results: Results, er_curves: Callable[[], pd.DataFrame]
) -> None:
    observed = er_curves()
    observed = observed[observed["kind"] == "observed"]
    context = make_context(
        "en", results=er_results(refused="FEWEVENT"), curves=observed, metric="CMAX"
    )
    figure = shown(draw_probability(context))
    assert figure.reasons == ("FEWEVENT",)
    assert "unadjusted NC" in figure.pages[0].axes[0].get_title(loc="left")


def test_without_any_curve_the_reason_of_the_stage_is_given(
    make_context: Contexts, er_results: Results, er_curves: Callable[[], pd.DataFrame]
) -> None:
    nothing = er_curves().iloc[:0]
    context = make_context("en", results=er_results(refused="NOEVENT"), curves=nothing)
    assert draw_probability(context) == NotShown("NOEVENT")
    empty = make_context("en", results=ResultCollector("exposure_response"), curves=nothing)
    assert draw_probability(empty) == NotShown("NOTCOLL")
    assert draw_event_probability(empty) == NotShown("NOENDPT")
    asked = make_context(
        "en",
        results=ResultCollector("exposure_response"),
        curves=nothing,
        endpoints=["OBJRESP"],
    )
    assert draw_event_probability(asked) == NotShown("NOTCOLL")


def test_an_endpoint_that_the_study_lacks_leaves_the_other_panels(make_context: Contexts) -> None:
    context = make_context("en", endpoints=["CRSGE2", "ICANSGE2"], metrics=["CMAX", "CLD7"])
    figure = shown(draw_event_probability(context))
    assert set(figure.data["ENDPOINT"]) == {"CRSGE2"}
    assert [axes.axison for axes in figure.pages[0].axes] == [True]


def test_the_boxes_are_the_quartiles_of_the_results_not_of_the_points(
    make_context: Contexts,
) -> None:
    figure = shown(draw_exposure_by_grade(make_context("en")))
    axes = figure.pages[0].axes[0]
    medians = [
        line.get_ydata()[0]
        for line in axes.get_lines()
        if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 1
    ]
    # Grade 4 has two subjects: no box.
    assert medians.count(1234.0) == 4
    # A minimum of 0 has no place on a log axis: the whisker ends at the lowest point shown.
    assert min(medians) == pytest.approx(500 * 1.25)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "Grade 0\nn = 6" and labels[4] == "Grade 4\nn = 2"
    assert any("never quantifiable (1)" in note for note in figure.footnotes)
    assert "p <0.001" in axes.get_title(loc="left")


def test_every_subject_with_a_grade_is_a_point_of_its_grade(make_context: Contexts) -> None:
    figure = shown(draw_exposure_by_grade(make_context("en")))
    points = [c.get_offsets() for c in figure.pages[0].axes[0].collections]
    assert [len(p) for p in points] == [6, 7, 7, 7, 2]
    assert all(abs(p[:, 0] - place).max() < 0.25 for place, p in enumerate(points))


def test_the_forest_prints_ratio_counts_reference_and_percentiles(make_context: Contexts) -> None:
    figure = shown(draw_covariate_forest(make_context("en")))
    printed = words(figure)
    assert "Sex: Female vs Male" in printed
    assert "1.50 (1.10–2.05)" in printed and "12/18" in printed
    assert any("68.3 vs 14" in word for word in printed)
    assert printed.count("Intrinsic factors") == 1
    assert any("not a decision rule" in note for note in figure.footnotes)


def test_the_full_model_stands_below_the_covariate_alone(make_context: Contexts) -> None:
    figure = shown(draw_covariate_forest(make_context("en")))
    printed = words(figure)
    place = next(i for i, word in enumerate(printed) if "68.3 vs 14" in word)
    assert "all covariates in one model" in printed[place:]
    assert "1.30 (0.900–1.88)" in printed
    assert figure.data["MODEL"].tolist().count("FULL") == 1


def test_a_ratio_that_was_not_computed_has_its_row_and_its_reason(make_context: Contexts) -> None:
    figure = shown(draw_covariate_forest(make_context("en")))
    assert figure.reasons == ("FEWLEVEL",)
    assert words(figure).count("NC") == 1
    assert len(figure.data) == 4 and int(figure.data["RATIO"].isna().sum()) == 1


def test_a_study_without_a_forest_gives_the_reason(make_context: Contexts) -> None:
    assert draw_covariate_forest(make_context("en", metric="CMAX")) == NotShown("NOTCOLL")


def test_the_forest_of_outcomes_has_a_page_an_endpoint_and_cuts_what_is_far_off(
    make_context: Contexts,
) -> None:
    figure = shown(draw_outcome_forest(make_context("en")))
    printed = words(figure)
    assert len(figure.pages) == 1
    assert "OR (95% CI)" in printed and "10/30" in printed
    assert "2.00 (1.10–900)" in printed
    axes = figure.pages[0].axes[0]
    assert axes.get_xlim()[1] == 64
    assert {line.get_marker() for line in axes.get_lines()} >= {"s", "o", ">"}
    chosen = draw_outcome_forest(make_context("en", covariates=["SEX"]))
    assert chosen == NotShown("NOTCOLL")


def test_a_long_chinese_name_pushes_the_forest_aside_and_is_not_cut() -> None:
    from celldossier.tlf.figures_forest import ForestRow, draw_forest_page
    from celldossier.tlf.style import figure_style

    def left(label: str) -> float:
        row = ForestRow(label, 1, "10/20", "1.00 (0.50–2.00)", (1.0, 0.5, 2.0))
        with figure_style():
            page = draw_forest_page([row], ("协变量", "n", "GMR"), "GMR", ["单因素"], None)
        return float(page.axes[0].get_position().x0) * 170

    assert left("既往造血干细胞移植合并肝肾功能不全受试者") - left("性别") == pytest.approx(
        18 * 7.5 / 72 * 25.4, rel=0.05
    )


def test_a_long_forest_goes_on_at_the_next_page_and_says_its_group_again() -> None:
    from celldossier.tlf.figures_forest import ForestRow, split_pages

    blocks = [[ForestRow("Disease", heading=True), ForestRow("first", 1)]]
    blocks += [[ForestRow(f"row {place}", 1)] for place in range(60)]
    pages = split_pages(blocks)
    assert len(pages) == 2 and abs(len(pages[0]) - len(pages[1])) <= 2
    assert pages[1][0] == ForestRow("Disease", heading=True)
    assert sum(len(page) for page in pages) == 63
