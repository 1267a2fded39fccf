"""What holds for every figure, in both languages: fonts, sizes, no clipped or covered letter."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from celldossier.tlf.drawings import find_drawing
from celldossier.tlf.figures_axes import axis_title
from celldossier.tlf.model import Context, Figure
from celldossier.tlf.style import PAGE_HEIGHT, figure_style, figure_svg, new_figure

FIGURES: dict[str, dict[str, Any]] = {
    "figures_individual.individual_profiles": {"count": 6},
    "figures_kinetics.spaghetti": {"count": 12},
    "figures_profiles.mean_profile": {},
    "figures_profiles.profile_by_response": {},
    "figures_exposure_response.probability": {"metric": "CMAX"},
    "figures_exposure_response.event_probability": {"metrics": ["CMAX", "CLD3"]},
    "figures_exposure_groups.exposure_by_grade": {},
    "figures_covariates.covariate_forest": {},
    "figures_covariates.outcome_forest": {},
    "figures_immunogenicity.ada_timeline": {},
}


@pytest.fixture(scope="module")
def drawn(make_context: Callable[..., Context]) -> Callable[[str, str], Figure]:
    kept: dict[tuple[str, str], Figure] = {}

    def draw(name: str, language: str) -> Figure:
        if (name, language) not in kept:
            figure = find_drawing(name)(make_context(language, **FIGURES[name]))
            assert isinstance(figure, Figure)
            kept[name, language] = figure
        return kept[name, language]

    return draw


@pytest.fixture(scope="module")
def letters(drawn: Callable[[str, str], Figure]) -> Callable[[str, str], list[list[Letter]]]:
    """Gives the printed texts of a figure, page by page, in pixels; drawn once."""
    return cache(lambda name, code: [list(visible_texts(p)) for p in drawn(name, code).pages])


@pytest.fixture(scope="module")
def written(drawn: Callable[[str, str], Figure]) -> Callable[[str, str], list[bytes]]:
    """Gives the SVG of a figure, written once; a warning, as of a missing sign, is an error."""

    def write(name: str, code: str) -> list[bytes]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return [figure_svg(page, "F20") for page in drawn(name, code).pages]

    return cache(write)


@dataclass(frozen=True)
class Letter:
    """A printed text, its size in points and its extent on a page, both in pixels."""

    text: str
    size: float
    box: Any
    page: Any


def visible_texts(page: Any) -> Iterator[Letter]:
    canvas = FigureCanvasAgg(page)
    with figure_style():
        canvas.draw()
        renderer = canvas.get_renderer()
        for axes in page.axes:
            for axis in (axes.xaxis, axes.yaxis):
                # Labels of ticks outside the limits exist and are not drawn.
                low, high = sorted(axis.get_view_interval())
                for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                    if not low <= tick.get_loc() <= high:
                        tick.label1.set_text("")
        for text in page.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent(renderer)
                yield Letter(text.get_text(), text.get_fontsize(), box, page.bbox)


def each(test: Any) -> Any:
    """Every figure in both languages; drawing them all takes some ten seconds."""
    pairs = [(name, code) for name in FIGURES for code in ("zh", "en")]
    return pytest.mark.slow(pytest.mark.parametrize(("name", "language"), pairs)(test))


@each
def test_every_letter_lies_inside_the_page_and_has_at_least_7_points(
    name: str, language: str, letters: Callable[[str, str], list[list[Letter]]]
) -> None:
    for page in letters(name, language):
        assert page
        for letter in page:
            assert letter.size >= 7, letter.text
            assert letter.box.x0 >= -1 and letter.box.x1 <= letter.page.width + 1, letter.text
            assert letter.box.y0 >= -1 and letter.box.y1 <= letter.page.height + 1, letter.text


@each
def test_no_text_stands_on_another(
    name: str, language: str, letters: Callable[[str, str], list[list[Letter]]]
) -> None:
    for page in letters(name, language):
        for one, other in combinations(page, 2):
            across = min(one.box.x1, other.box.x1) - max(one.box.x0, other.box.x0)
            down = min(one.box.y1, other.box.y1) - max(one.box.y0, other.box.y0)
            # Extents hold the room of the highest letter: a little of it may be shared.
            shared = 0.3 * min(one.box.height, other.box.height)
            assert across <= 1 or down <= shared, (one.text, other.text)


@each
def test_no_sign_is_missing_from_the_fonts_and_a_file_stays_below_a_megabyte(
    name: str, language: str, written: Callable[[str, str], list[bytes]]
) -> None:
    assert all(0 < len(svg) < 1_000_000 for svg in written(name, language))


@pytest.mark.parametrize("name", list(FIGURES))
def test_both_languages_show_the_same_data_and_values(
    name: str, drawn: Callable[[str, str], Figure]
) -> None:
    zh, en = drawn(name, "zh"), drawn(name, "en")
    assert zh.data.equals(en.data)
    assert zh.value_ids == en.value_ids
    assert zh.subjects == en.subjects > 0
    assert len(zh.pages) == len(en.pages)
    assert len(zh.footnotes) == len(en.footnotes)
    assert zh.alternative_text and zh.alternative_text != en.alternative_text


@pytest.mark.parametrize("name", list(FIGURES))
def test_printed_numbers_have_a_home_in_the_analysis_results(
    name: str, drawn: Callable[[str, str], Figure], make_context: Callable[..., Context]
) -> None:
    figure = drawn(name, "en")
    results = make_context("en").results
    assert len(set(figure.value_ids)) == len(figure.value_ids)
    assert all(identifier in results for identifier in figure.value_ids)


@pytest.mark.parametrize("name", list(FIGURES))
def test_a_page_fits_the_paper(name: str, drawn: Callable[[str, str], Figure]) -> None:
    for page in drawn(name, "zh").pages:
        width, height = page.get_size_inches() * 25.4
        assert width == pytest.approx(170)
        assert height <= PAGE_HEIGHT + 0.01


@pytest.mark.parametrize(
    "name",
    [
        "figures_exposure_response.probability",
        "figures_exposure_response.event_probability",
        "figures_exposure_groups.exposure_by_grade",
    ],
)
def test_a_figure_saved_again_is_the_same_bytes(
    name: str, make_context: Callable[..., Context]
) -> None:
    drawing = find_drawing(name)(make_context("en", **FIGURES[name]))
    assert isinstance(drawing, Figure)
    first, again = (figure_svg(drawing.pages[0], "F20") for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    "name", ["figures_exposure_response.probability", "figures_covariates.covariate_forest"]
)
def test_the_same_input_gives_the_same_bytes_whatever_the_machines_matplotlibrc(
    name: str,
    make_context: Callable[..., Context],
    written: Callable[[str, str], list[bytes]],
) -> None:
    with matplotlib.rc_context({"font.size": 14, "svg.fonttype": "none", "lines.linewidth": 5}):
        again = find_drawing(name)(make_context("zh", **FIGURES[name]))
        assert isinstance(again, Figure)
        assert [figure_svg(page, "F20") for page in again.pages] == written(name, "zh")
    assert b"<dc:date>" not in written(name, "zh")[0]
    assert b"<text" not in written(name, "zh")[0]


def test_chinese_signs_and_powers_come_from_the_packages_fonts() -> None:
    with figure_style():
        figure = new_figure(20)
        figure.text(0.1, 0.5, axis_title("细胞动力学 ≥ − × ÷ α", "10^6 copies/ug*m2"))
        figure.text(0.1, 0.2, r"$10^{-3}$")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = figure_svg(figure).decode()
    assert "NotoSansSC" in svg


def test_the_style_leaves_matplotlib_as_it_was() -> None:
    before = dict(matplotlib.rcParams)
    with figure_style():
        assert matplotlib.rcParams["svg.fonttype"] == "path"
    assert dict(matplotlib.rcParams) == before


def test_the_salt_tells_the_identifiers_of_two_figures_apart() -> None:
    with figure_style():
        figure = new_figure(30)
        figure.subplots().plot([1, 2], [1, 2])
    assert figure_svg(figure, "F20") != figure_svg(figure, "F21")
