"""A forest of ratios: its rows, its pages, and how a page is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celldossier.tlf.figures_axes import outside_legend, place_axes, plain, text_width
from celldossier.tlf.style import MARKERS, PAGE_HEIGHT, PAGE_WIDTH, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

PITCH, TOP, BOTTOM = 4.5, 14.0, 12.0
"""Height of a row, and the room above and below the rows, mm."""


@dataclass(frozen=True)
class ForestRow:
    """A row of a forest; a heading has a label only.

    `kind` is the place of its estimate among the kinds of the legend.
    """

    label: str
    indent: int = 0
    counts: str = ""
    ratio: str = ""
    point: tuple[float, float, float] | None = None
    kind: int = 0
    heading: bool = False


def split_pages(blocks: Sequence[Sequence[ForestRow]]) -> list[list[ForestRow]]:
    """Rows of each page: as many blocks as fit, of about the same number on each page."""
    fit = int((PAGE_HEIGHT - TOP - BOTTOM) / PITCH)
    count = sum(len(block) for block in blocks)
    planned = max(1, math.ceil(count / fit))
    share = math.ceil(count / planned)
    pages: list[list[ForestRow]] = []
    group: ForestRow | None = None
    for block in blocks:
        full = not pages or len(pages[-1]) + len(block) > fit
        # The last of the planned pages takes what is left, as far as it fits.
        near = 0 < len(pages) < planned and len(pages[-1]) >= share
        if full or near:
            pages.append([])
            if group and not block[0].heading:
                pages[-1].append(group)  # the group goes on: its name is said again
        group = block[0] if block[0].heading else group
        pages[-1] += block
    return pages


def draw_forest_page(
    rows: Sequence[ForestRow],
    heads: tuple[str, str, str],
    title: str,
    kinds: Sequence[str],
    band: tuple[float, float] | None,
) -> Any:
    """Three columns of text as wide as their words need, and the ratios between them."""
    edge, space, indent, size = 1.0, 3.0, 3.0, 7.5
    height = PITCH * len(rows) + TOP + BOTTOM
    figure = new_figure(height, layout=None)
    names = max(
        text_width(plain(row.label), size) + indent * row.indent
        for row in [*rows, ForestRow(heads[0])]
    )
    counts = max(text_width(word, size) for word in [heads[1], *(row.counts for row in rows)])
    ratios = max(text_width(word, size) for word in [heads[2], *(row.ratio for row in rows)])
    left = edge + names + space + counts + space
    right = space + ratios + edge
    # A very long name takes room from the ratios, and never all of it.
    width = max(PAGE_WIDTH - left - right, 25.0)
    axes = place_axes(figure, left, BOTTOM, width, PITCH * len(rows))
    _draw_ratios(axes, rows, band)
    axes.set_xlabel(title)
    columns = (edge, edge + names + space + counts, left + width + space)
    words: list[tuple[float, float, str, str, bool]] = []
    above = height - TOP + 2.0
    for x, word, align in zip(columns, heads, ("left", "right", "left"), strict=True):
        words.append((x, above, word, align, False))
    for place, row in enumerate(rows):
        y = height - TOP - PITCH * (place + 0.5)
        words.append((edge + indent * row.indent, y, plain(row.label), "left", row.heading))
        words.append((columns[1], y, row.counts, "right", False))
        words.append((columns[2], y, row.ratio, "left", False))
    for x, y, word, align, bold in words:
        if word:
            figure.text(
                x / PAGE_WIDTH,
                y / height,
                word,
                ha=align,
                va="center",
                fontsize=size,
                color=PALETTE[0] if bold else "#000000",
            )
    used = sorted({row.kind for row in rows if row.point})
    if len(used) > 1:
        outside_legend(figure, [_symbol(kind, kinds[kind]) for kind in used])
    return figure


def _symbol(kind: int, label: str) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        color=PALETTE[kind],
        marker=MARKERS[(1, 0, 2)[kind]],
        markersize=4,
        linewidth=1.1,
        label=label,
    )


def _draw_ratios(axes: Axes, rows: Sequence[ForestRow], band: tuple[float, float] | None) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    limits = [0.8, 1.25]
    if band:
        axes.axvspan(*band, color="#000000", alpha=0.06, linewidth=0)
        limits += band
    axes.axvline(1, color="#333333", linewidth=0.7)
    for row in rows:
        if row.point:
            limits += [value for value in row.point if not math.isnan(value)]
    # A limit far outside is cut and marked by an arrow: it would press all others together.
    bottom, top = max(min(limits) / 1.1, 1 / 64), min(max(limits) * 1.1, 64.0)
    for place, row in enumerate(rows):
        if row.point is None:
            continue
        ratio, low, high = row.point
        colour = PALETTE[row.kind]
        if not math.isnan(low) and not math.isnan(high):
            axes.hlines(place, max(low, bottom), min(high, top), color=colour, linewidth=1.1)
            for limit, end, marker in ((low, bottom, "<"), (high, top, ">")):
                if (limit < bottom) if marker == "<" else (limit > top):
                    axes.plot([end], [place], marker, color=colour, markersize=3.2, clip_on=False)
        if bottom <= ratio <= top:
            axes.plot([ratio], [place], MARKERS[(1, 0, 2)[row.kind]], color=colour, markersize=3.6)
    axes.set_xscale("log")
    axes.set_xlim(bottom, top)
    candidates = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
    ticks = [tick for tick in candidates if bottom <= tick <= top]
    if len(ticks) > 7:
        ticks = [tick for tick in ticks if tick in (0.02, 0.1, 0.5, 1, 2, 10, 50)]
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
