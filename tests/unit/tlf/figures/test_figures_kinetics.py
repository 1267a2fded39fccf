from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.tlf.figures_data import read_samples, series_level
from celldossier.tlf.figures_individual import draw_individual_profiles
from celldossier.tlf.figures_kinetics import draw_spaghetti
from celldossier.tlf.figures_profiles import draw_mean_profile, draw_profile_by_response
from celldossier.tlf.model import Context, Figure, NotShown

Contexts = Callable[..., Context]


def shown(output: Any) -> Figure:
    assert isinstance(output, Figure)
    return output


def lines_of(axes: Any) -> list[Any]:
    return [line for line in axes.get_lines() if len(line.get_xdata()) > 2]


@pytest.mark.parametrize("draw", [draw_individual_profiles, draw_spaghetti])
def test_without_concentrations_the_reason_is_given(draw: Any, make_context: Contexts) -> None:
    nothing = make_context("en", count=3).dataset("ADPC").iloc[:0]
    output = draw(make_context("en", count=3, replace={"ADPC": nothing}))
    assert output == NotShown("NOTCOLL")


def test_a_sample_outside_the_blood_is_not_shown(make_context: Contexts) -> None:
    samples = make_context("en", count=1).dataset("ADPC")
    samples.loc[samples["AFRLT"] == 28, "ANL01FL"] = "N"
    read = read_samples(make_context("en", count=1, replace={"ADPC": samples}), ["PCR"])
    assert 28.0 not in set(read["AFRLT"]) and 21.0 in set(read["AFRLT"])


def test_spaghetti_shows_the_median_of_its_cell_where_the_stage_has_one(
    make_context: Contexts, profile_curves: Callable[..., pd.DataFrame]
) -> None:
    curves = profile_curves()
    cell = curves[
        (curves["curve_id"] == "cellular_kinetics.profile_median/PCR")
        & (curves["series"] == "dose=DL2")
    ]
    cell = cell.assign(series="dose=DL2/indication=ALL", y=777.0)
    context = make_context("en", count=12, curves=pd.concat([curves, cell], ignore_index=True))
    figure = shown(draw_spaghetti(context))
    titles = {axes.get_title(loc="left"): axes for axes in figure.pages[0].axes}
    median = {name: axes.get_lines()[-1].get_ydata() for name, axes in titles.items()}
    assert set(median["ALL, DL2 (n = 2)"]) == {777.0}
    assert 777.0 not in median["NHL, DL2 (n = 2)"]
    assert len(median["NHL, DL2 (n = 2)"]) > 5


def test_the_median_of_a_cell_breaks_where_too_few_are_quantifiable(
    make_context: Contexts, profile_curves: Callable[..., pd.DataFrame]
) -> None:
    curves = profile_curves()
    gone = curves["curve_id"].str.startswith("cellular_kinetics.profile_median/")
    curves = curves[~(gone & (curves["x"] == 14))]
    figure = shown(draw_spaghetti(make_context("en", count=12, curves=curves)))
    line = figure.pages[0].axes[0].get_lines()[-1]
    at = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert np.isnan(at[14.0]) and np.isfinite(at[11.0]) and np.isfinite(at[21.0])


def test_spaghetti_has_a_panel_for_each_indication_dose_and_window(make_context: Contexts) -> None:
    figure = shown(draw_spaghetti(make_context("en", count=12)))
    assert len(figure.pages) == 1 and len(figure.pages[0].axes) == 12
    ends = {round(axes.get_xlim()[1]) for axes in figure.pages[0].axes}
    assert ends == {29, 371}
    below = figure.data[figure.data["BLQFL"] == "Y"]
    assert (below["VALUE"] == below["ALLOQ"] / 2).all()


def test_four_indications_take_a_page_for_each_window(make_context: Contexts) -> None:
    adsl = make_context("en", count=12).dataset("ADSL")
    adsl["INDIC"] = [f"I{k % 4}" for k in range(12)]
    figure = shown(draw_spaghetti(make_context("en", count=12, replace={"ADSL": adsl})))
    assert len(figure.pages) == 2


def test_a_mean_that_the_stage_does_not_give_breaks_the_line(make_context: Contexts) -> None:
    figure = shown(draw_mean_profile(make_context("en")))
    whole = figure.pages[0].axes[2]
    line = lines_of(whole)[0]
    y = np.asarray(line.get_ydata(), dtype=float)
    x = np.asarray(line.get_xdata(), dtype=float)
    assert (x > 150).sum() == 3
    assert np.isnan(y[x > 150]).all() and np.isfinite(y[x < 91]).all()


def test_the_second_panel_begins_where_the_first_ends(make_context: Contexts) -> None:
    early, _, late, strip = shown(draw_mean_profile(make_context("en"))).pages[0].axes[:4]
    assert max(lines_of(early)[0].get_xdata()) < 29
    assert min(lines_of(late)[0].get_xdata()) > 25
    assert 15 < late.get_xlim()[0] < 28 == strip.get_xticks()[0]


def test_the_number_quantifiable_stands_below_each_time_also_where_no_mean_is_shown(
    make_context: Contexts,
) -> None:
    figure = shown(draw_mean_profile(make_context("en")))
    strip = figure.pages[0].axes[3]
    printed = {
        (text.get_position()[0], text.get_position()[1]): text.get_text() for text in strip.texts
    }
    assert printed[60.0, 0] == "37" and printed[60.0, 2] == "35"
    assert printed[270.0, 0] == "4"


def test_the_count_of_a_time_without_a_point_never_stands_beside_a_point(
    make_context: Contexts, profile_curves: Callable[..., pd.DataFrame]
) -> None:
    curves = profile_curves()
    before = curves[(curves["x"] == 1) & (curves["curve_id"] == "cellular_kinetics.profile/PCR")]
    before = before.assign(x=0.0, y=np.nan, low=np.nan, high=np.nan, n=0.0)
    both = pd.concat([curves, before], ignore_index=True)
    strip = shown(draw_mean_profile(make_context("en", curves=both))).pages[0].axes[1]
    # Day 0 has no point; one hour after the infusion, where there is one, is as near as that.
    assert 0.0 not in {text.get_position()[0] for text in strip.texts}
    assert 7.0 in {text.get_position()[0] for text in strip.texts}


def test_the_median_has_its_quartiles_and_the_number_quantifiable(
    make_context: Contexts, profile_curves: Callable[..., pd.DataFrame]
) -> None:
    curves = profile_curves()
    is_median = curves["curve_id"].str.startswith("cellular_kinetics.profile_median/")
    curves.loc[is_median, "n"] = 99.0
    context = make_context("en", curves=curves, statistic="median")
    figure = shown(draw_mean_profile(context))
    rows = figure.data[figure.data["VALUE"].notna()]
    np.testing.assert_allclose(rows["HIGH"] / rows["VALUE"], 2.0)
    assert 99.0 not in set(figure.data["N"])
    assert any("quartile" in note for note in figure.footnotes)
    # A median that the stage does not give breaks the line as well.
    gone = curves[~(is_median & (curves["x"] == 28))]
    figure = shown(draw_mean_profile(make_context("en", curves=gone, statistic="median")))
    assert figure.data.loc[figure.data["DAY"] == 28, "VALUE"].isna().all()
    assert (figure.data["DAY"] == 28).any()


def test_each_analyte_has_a_row_and_dose_and_response_are_not_mixed(make_context: Contexts) -> None:
    by_dose = shown(draw_mean_profile(make_context("en")))
    by_response = shown(draw_profile_by_response(make_context("en")))
    assert len(by_dose.pages[0].axes) == 8
    assert set(by_dose.data["SERIES"]) == {"dose=DL1", "dose=DL2", "dose=DL3"}
    assert {name.partition("=")[0] for name in by_response.data["SERIES"]} == {"response"}
    words = [text.get_text() for text in by_response.pages[0].legends[0].get_texts()]
    assert words[0].startswith("Responder") and len(words) == 3


def test_a_study_without_curves_gives_the_reason(
    make_context: Contexts, profile_curves: Callable[..., pd.DataFrame]
) -> None:
    empty = profile_curves().iloc[:0]
    assert draw_mean_profile(make_context("en", curves=empty)) == NotShown("NOTCOLL")
    suppressed = profile_curves(suppress=-1.0)
    assert draw_mean_profile(make_context("en", curves=suppressed)) == NotShown("NOTCOLL")


def test_the_level_of_a_series_is_read_for_its_own_key_only() -> None:
    assert series_level("dose=DL1", "dose") == "DL1"
    assert series_level("dose=DL1", "response") is None
    assert series_level("dose=DL1/indication=ALL", "dose") is None
    assert series_level("total", "dose") is None
