"""What the axes of several figures share: scales, ticks, titles, legends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from celldossier.terms.language import format_significant
from celldossier.tlf.labels import with_unit
from celldossier.tlf.style import MILLIMETRE, PAGE_WIDTH

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.legend import Legend

TELLING_DAYS = (
    *(0, 28, 360, 90, 180, 720, 7, 1080, 14, 60, 1440, 270, 540, 1800, 3, 21, 45),
    *(84, 56, 168, 112),
)
"""Days worth a tick, the most telling first: infusion, end of AUC28, year, quarter, ..."""


def plain(text: str) -> str:
    """A text in which matplotlib finds no formula: dollar signs are escaped."""
    return text.replace("$", r"\$")


def axis_title(label: str, unit: str = "") -> str:
    """Title of an axis: the quantity, and its unit in brackets where it has one."""
    return plain(with_unit(label, unit))


def _signed_sqrt(x: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(x, dtype=float)
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def _signed_square(x: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(x, dtype=float)
    return np.asarray(np.sign(values) * values**2)


def day_ticks(
    end: float, width: float, scale: Literal["linear", "sqrt"], start: float = 0.0
) -> list[int]:
    """Days to label on an axis from `start` to `end` that is `width` mm long.

    The most telling days are kept first; one whose label would touch another's is left out.
    """
    place = math.sqrt if scale == "sqrt" else float
    candidates = range(0, int(end) + 1, 7) if end <= 35 else TELLING_DAYS
    kept: list[int] = []
    for day in candidates:
        if not start <= day <= end:
            continue
        span = place(end) - place(start)
        apart = [abs(place(day) - place(other)) / span * width for other in kept]
        # A digit of 7.5 points is 1.5 mm wide; half of both labels, and a gap.
        needed = [0.75 * (len(str(day)) + len(str(other))) + 1.3 for other in kept]
        if all(distance >= need for distance, need in zip(apart, needed, strict=True)):
            kept.append(day)
    return sorted(kept)


def use_day_axis(
    axes: Axes,
    end: float,
    width: float,
    scale: Literal["linear", "sqrt"] = "linear",
    start: float = 0.0,
) -> None:
    """Time axis in days from the infusion.

    Parameters
    ----------
    end
        Last day shown.
    width
        Printed length of the axis, mm.
    scale
        ``sqrt`` keeps the first weeks readable beside a year of follow-up.
    start
        First day shown, of a linear axis.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    if scale == "sqrt":
        axes.set_xscale("function", functions=(_signed_sqrt, _signed_square))
        axes.set_xlim(-0.25 * math.sqrt(end / 28), end * 1.03)
    else:
        axes.set_xlim(start - 0.03 * (end - start), end + 0.03 * (end - start))
    ticks = day_ticks(end, width, scale, start)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([str(day) for day in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())


def use_log_axis(axes: Axes, low: float, high: float) -> None:
    """Log10 vertical axis that holds `low` and `high` and at least one whole decade."""
    from matplotlib.ticker import LogLocator, NullLocator

    bottom, top = math.log10(low), math.log10(high)
    room = 0.04 * max(top - bottom, 1.0)
    bottom, top = bottom - room, top + room
    if math.floor(top) - math.ceil(bottom) < 1:
        bottom, top = math.floor(bottom), math.ceil(top)
    axes.set_yscale("log")
    axes.set_ylim(10**bottom, 10**top)
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    if top - bottom > 2.5:
        # Decades alone: the marks between them are a good part of a small panel's drawing time.
        axes.yaxis.set_minor_locator(NullLocator())


def share_ticks(axes: Axes, *, bottom: bool, left: bool) -> None:
    """Ticks on the outer panels of a page only; in the inner ones the grid stays, as plain lines.

    Ticks are the slowest part of a figure of many panels. To be called last, when
    scales and limits stand.
    """
    from matplotlib.ticker import NullLocator

    grid: dict[str, Any] = {"color": "#E3E3E3", "linewidth": 0.4, "zorder": 0.5}
    limits = axes.get_xlim(), axes.get_ylim()
    if not bottom:
        axes.vlines(axes.get_xticks(), *limits[1], **grid)
        axes.xaxis.set_major_locator(NullLocator())
    if not left:
        axes.hlines(axes.get_yticks(), *limits[0], **grid)
        axes.yaxis.set_major_locator(NullLocator())
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])


def short_number(value: float) -> str:
    """A number with at most three significant digits and no idle zeros: 25, 1.2, 34700."""
    text = format_significant(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def doubling_ticks(low: float, high: float, most: int = 8) -> tuple[list[float], list[str]]:
    """Ticks of a log2 axis: places in log2, labels in the natural unit.

    Labels are 1, 2, 5 or 10 times a power of ten, times whole powers of two, so
    that the distance of two ticks is a whole number of doublings (but for a range
    that holds no two such places).

    Parameters
    ----------
    low, high
        Ends of the axis, in log2.
    most
        Largest number of ticks.
    """
    base = math.log2(10.0 ** math.floor(math.log10(2.0 ** ((low + high) / 2))))
    step = max(1, math.ceil((high - low) / most))
    first = math.ceil((low - base) / step)
    last = math.floor((high - base) / step)
    places = [base + step * k for k in range(first, last + 1)]
    if len(places) < 2:
        # Less than two doublings in all: both ends and the middle say more.
        places = [low, (low + high) / 2, high]
    return places, [short_number(2.0**place) for place in places]


def use_log2_axis(axes: Axes, low: float, high: float, most: int = 8) -> None:
    """Axis of log2 exposure whose labels are exposures; see `doubling_ticks`.

    The room at both ends holds half of a label that stands above the first or last point.
    """
    room = 0.05 * (high - low)
    axes.set_xlim(low - room, high + room)
    places, labels = doubling_ticks(low - room, high + room, most)
    axes.set_xticks(places, labels=labels)
    axes.minorticks_off()


def jitter(count: int, width: float) -> NDArray[np.float64]:
    """Deterministic sideways shifts of `count` points in order, within +-`width`.

    The golden-ratio sequence spreads any number of points evenly without chance.
    """
    golden = (math.sqrt(5) - 1) / 2
    return np.asarray((np.arange(1, count + 1) * golden % 1 - 0.5) * 2 * width)


def text_width(text: str, size: float) -> float:
    """Printed width of a text in mm, in the font of the figures; call it inside their style."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(
        text or " ", FontProperties(size=size), False
    )
    return float(width) / 72 / MILLIMETRE


def fitting_columns(handles: Sequence[Artist], size: float, most: int = 4) -> int:
    """Most columns in which a legend is no wider than the page; call it inside the style.

    Parameters
    ----------
    size
        Size of the letters, points.
    most
        Largest number of columns.
    """
    # The symbol and the gaps of an entry take 13 mm beside its words.
    widths = [text_width(str(handle.get_label()), size) + 13 for handle in handles]
    for columns in range(min(most, len(widths)), 1, -1):
        if sum(max(part) for part in np.array_split(widths, columns)) <= PAGE_WIDTH:
            return columns
    return 1


def place_axes(
    figure: MatplotlibFigure, left: float, bottom: float, wide: float, tall: float
) -> Axes:
    """Axes at a place given in mm from the lower left corner of the figure."""
    width, height = (float(inches) / MILLIMETRE for inches in figure.get_size_inches())
    return figure.add_axes((left / width, bottom / height, wide / width, tall / height))


def outside_legend(
    figure: MatplotlibFigure, handles: Sequence[Artist], columns: int | None = None
) -> Legend:
    """Legend above the panels, never on the data."""
    return figure.legend(
        handles=list(handles), loc="outside upper center", ncols=columns or len(handles)
    )


def regular_grid(
    figure: MatplotlibFigure,
    rows: int,
    columns: int,
    *,
    left: float = 14.0,
    right: float = 3.0,
    top: float = 12.0,
    bottom: float = 11.0,
    across: float = 4.0,
    down: float = 10.5,
) -> list[list[Axes]]:
    """Axes of equal size at fixed places, margins and distances in mm.

    For many panels that differ only in their data: the places are known, and
    matplotlib's layout engine would take most of the time of the figure.
    """
    width, height = (float(inches) / MILLIMETRE for inches in figure.get_size_inches())
    wide = (width - left - right - (columns - 1) * across) / columns
    tall = (height - top - bottom - (rows - 1) * down) / rows
    return [
        [
            place_axes(
                figure,
                left + column * (wide + across),
                bottom + (rows - 1 - row) * (tall + down),
                wide,
                tall,
            )
            for column in range(columns)
        ]
        for row in range(rows)
    ]
