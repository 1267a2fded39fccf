"""The look of the figures: fonts, sizes, colours, axes, and how a figure becomes SVG.

The numbers of the look stand in ``report_templates/style/celldossier.mplstyle``;
here is what code has to do. Figures are made without pyplot (no global state, and
its import costs a second) inside `figure_style`, and written inside it too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Literal

from celldossier.io.resources import shared_path
from celldossier.tlf.model import Context, Drawing, Figure, NotShown, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

MILLIMETRE = 1 / 25.4
"""One millimetre in inches."""

PAGE_WIDTH = 170.0
"""Printed width of a figure, mm: the text width of A4 portrait."""

PAGE_HEIGHT = 205.0
"""Largest height of a figure, mm: leaves room for its title and footnotes on A4."""

SMALL = 7.0
"""Smallest size of a letter, points."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Colours of groups, after Okabe and Ito; the same as in the style file."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Symbols of groups, so that a group is never told by its colour alone."""

LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)))
"""Line styles of groups."""

GREY = "#8A8A8A"
"""Colour of individual data behind a summary."""


@lru_cache(maxsize=1)
def _parameters() -> Any:  # matplotlib types the names one by one; a file's content has none
    import matplotlib
    import pylopdf_fonts_zh_cn
    from matplotlib import font_manager

    # First in the list, so that a font of the same name on the machine is not taken instead.
    manager = font_manager.fontManager
    manager.addfont(str(pylopdf_fonts_zh_cn.sans_path()))
    manager.ttflist.insert(0, manager.ttflist.pop())
    path = shared_path("report_templates", "style", "celldossier.mplstyle")
    # On top of matplotlib's own defaults, so that a matplotlibrc of the machine changes nothing.
    parameters = matplotlib.rc_params_from_file(str(path), use_default_template=True)
    return {key: value for key, value in parameters.items() if not key.startswith("backend")}


@contextmanager
def figure_style() -> Iterator[None]:
    """Drawing and writing inside this context takes the look of the report."""
    import matplotlib

    with matplotlib.rc_context(_parameters()):
        yield


def in_figure_style(drawing: Drawing) -> Drawing:
    """Decorator of a drawing function: what it makes takes the look of the report."""

    @wraps(drawing)
    def draw(context: Context) -> Table | Figure | NotShown:
        with figure_style():
            drawn = drawing(context)
            if isinstance(drawn, Figure):
                for page in drawn.pages:
                    fix_layout(page)
            return drawn

    return draw


def fix_layout(figure: MatplotlibFigure) -> None:
    """Lay the figure out once for all.

    The engine moves the axes at each drawing from where they stood, so that a
    figure saved twice would not be the same bytes.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        # None, not "none": for any engine, even the empty one, matplotlib draws each figure
        # once more before it writes it.
        figure.set_layout_engine(None)


def new_figure(
    height: float, width: float = PAGE_WIDTH, layout: Literal["constrained"] | None = "constrained"
) -> MatplotlibFigure:
    """An empty figure of that size in millimetres; to be called inside `figure_style`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width * MILLIMETRE, height * MILLIMETRE), layout=layout)


def figure_svg(figure: MatplotlibFigure, salt: str = "celldossier") -> bytes:
    """The figure as SVG, the same bytes for the same figure: no date, no creator.

    Parameters
    ----------
    salt
        Goes into the identifiers inside the SVG, so that those of two figures differ.
    """
    import matplotlib

    buffer = io.BytesIO()
    with figure_style(), matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def figure_png(figure: MatplotlibFigure, dpi: int = 150) -> bytes:
    """The figure as PNG, for viewers without SVG."""
    buffer = io.BytesIO()
    with figure_style():
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
