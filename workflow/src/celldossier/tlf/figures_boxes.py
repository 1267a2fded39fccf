"""Box plots of the quartiles that a stage has computed, one way for every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEDIAN: dict[str, Any] = {"color": PALETTE[1], "linewidth": 1.6}
"""Look of the median, also of its entry in a legend."""

_LINE: dict[str, Any] = {"color": "#333333", "linewidth": 0.9}
_WIDTH = 0.55
_STATISTICS = {"med": "median", "q1": "q1", "q3": "q3", "whislo": "min", "whishi": "max"}


@dataclass(frozen=True)
class Box:
    """One box: where it stands on the horizontal axis, and matplotlib's names for its levels."""

    position: float
    levels: Mapping[str, float]


def read_box(printer: Printer, block: Place, position: float) -> Box:
    """Quartiles of the stage, with whiskers to its minimum and maximum.

    Parameters
    ----------
    block
        Where median, q1, q3, min and max stand.
    position
        Place on the horizontal axis.
    """
    levels = {key: printer.value(block, stat).number for key, stat in _STATISTICS.items()}
    return Box(position, levels)


def draw_boxes(axes: Axes, boxes: Sequence[Box], foot: float | None = None) -> None:
    """Draw the boxes; none is drawn where there are none.

    Parameters
    ----------
    foot
        On a log axis, where a level ends that has no logarithm or lies below it, such as
        the minimum of subjects who were never quantifiable.
    """
    if not boxes:
        return
    axes.bxp(
        [
            {
                **(
                    box.levels
                    if foot is None
                    else {key: max(level, foot) for key, level in box.levels.items()}
                ),
                "fliers": [],
            }
            for box in boxes
        ],
        positions=[box.position for box in boxes],
        widths=_WIDTH,
        showfliers=False,
        boxprops=_LINE,
        whiskerprops=_LINE,
        capprops=_LINE,
        medianprops=MEDIAN,
        manage_ticks=False,
    )
