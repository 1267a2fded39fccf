from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from celldossier.tlf.figures_axes import (
    axis_title,
    day_ticks,
    doubling_ticks,
    jitter,
    plain,
    short_number,
    text_width,
    use_log_axis,
)
from celldossier.tlf.figures_boxes import Box, draw_boxes
from celldossier.tlf.style import figure_style, new_figure


@pytest.mark.parametrize("scale", ["linear", "sqrt"])
@pytest.mark.parametrize(("end", "width"), [(28, 40), (28, 90), (360, 45), (1800, 150), (10, 50)])
def test_day_ticks_keep_their_labels_apart(scale: str, end: float, width: float) -> None:
    ticks = day_ticks(end, width, scale)  # type: ignore[arg-type]
    place = np.sqrt if scale == "sqrt" else np.asarray
    distance = np.diff(place(np.array(ticks, dtype=float))) / place(float(end)) * width
    half = [0.75 * (len(str(a)) + len(str(b))) for a, b in pairwise(ticks)]
    assert ticks[0] == 0 and ticks[-1] <= end
    assert all(distance > half)


def test_day_28_and_the_year_are_always_among_the_ticks_of_a_year() -> None:
    assert {0, 28, 360} <= set(day_ticks(365, 50, "sqrt"))


@pytest.mark.parametrize(("low", "high"), [(9.3, 19.2), (-3.0, 2.0), (4.6, 12.0), (0.0, 60.0)])
def test_ticks_of_a_log2_axis_are_whole_doublings_apart(low: float, high: float) -> None:
    places, labels = doubling_ticks(low, high)
    step = np.diff(places)
    assert 3 <= len(places) <= 9
    assert step == pytest.approx(np.full(len(step), round(step[0])))
    assert all(low <= place <= high for place in places)
    assert [float(text) for text in labels] == pytest.approx([2.0**p for p in places], rel=0.005)


def test_a_log2_axis_of_less_than_two_doublings_still_has_ticks() -> None:
    places, labels = doubling_ticks(13.1, 13.9)
    assert places == [13.1, 13.5, 13.9]
    assert len(set(labels)) == 3


def test_jitter_repeats_and_stays_within_its_width() -> None:
    shift = jitter(200, 0.25)
    assert np.array_equal(shift, jitter(200, 0.25))
    assert np.abs(shift).max() <= 0.25
    assert len(np.unique(shift.round(6))) == 200
    assert abs(shift.mean()) < 0.01


def test_a_number_loses_its_idle_zeros_only() -> None:
    assert [short_number(x) for x in (25.0, 1.20, 34712.3, 0.4764, 100.0, -1.5)] == [
        "25",
        "1.2",
        "34700",
        "0.476",
        "100",
        "-1.5",
    ]


def test_a_dollar_sign_in_a_studys_text_makes_no_formula() -> None:
    assert plain("A$1$") == r"A\$1\$"
    assert axis_title("Cost", "$/d") == r"Cost (\$/d)"


def test_a_log_axis_of_a_narrow_range_shows_a_whole_decade() -> None:
    with figure_style():
        axes = new_figure(30).subplots()
        use_log_axis(axes, 120.0, 480.0)
    low, high = axes.get_ylim()
    assert low <= 100 and high >= 1000


def test_the_width_of_a_text_is_that_of_its_letters() -> None:
    with figure_style():
        # Chinese signs are as wide as the letters are high: 8 points are 2.82 mm.
        assert text_width("细胞动力学", 8) == pytest.approx(5 * 8 / 72 * 25.4, rel=0.03)
        assert text_width("", 8) < 1


def test_a_level_without_a_logarithm_ends_at_the_foot_of_its_box_plot() -> None:
    levels = {"med": 8.0, "q1": 2.0, "q3": 20.0, "whislo": 0.0, "whishi": 90.0}
    with figure_style():
        shown, clipped, empty = new_figure(60).subplots(1, 3)
        draw_boxes(shown, [Box(2, levels)])
        draw_boxes(clipped, [Box(2, levels)], foot=4.0)
        draw_boxes(empty, [])
    ends = [
        sorted({float(y) for line in axes.lines for y in np.asarray(line.get_ydata())})
        for axes in (shown, clipped)
    ]
    assert ends == [[0.0, 2.0, 8.0, 20.0, 90.0], [4.0, 8.0, 20.0, 90.0]]
    assert {round(float(x), 3) for line in shown.lines for x in np.asarray(line.get_xdata())} >= {
        1.725,
        2.275,
    }
    assert not empty.lines
