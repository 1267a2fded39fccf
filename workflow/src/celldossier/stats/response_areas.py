"""Areas of a response over time: under the curve, over the baseline and under it.

Linear trapezoids of the response and of its change from baseline; a segment that crosses the
baseline is split at the crossing, so that the areas are those of the straight lines between the
samples, exactly. Areas over and under the baseline after Gabrielsson and Weiner,
Pharmacokinetic and Pharmacodynamic Data Analysis (non-compartmental analysis of response data).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ResponseAreas:
    """Areas of each series, shape (series,), in the unit of the response times that of time.

    Attributes
    ----------
    total, over, under
        Under the curve, over the baseline, under the baseline (positive).
    last
        Time up to which the samples reach, at most the end.
    """

    total: Floats
    over: Floats
    under: Floats
    last: Floats


def estimate_response_areas(time: Floats, value: Floats, base: Floats, end: float) -> ResponseAreas:
    """Areas from the first time to `end`; the last value is held where the samples end before.

    Parameters
    ----------
    time, value
        Samples of each series in order of time, shape (series, samples), the start of the
        areas first; NaN after the last.
    base
        Baseline of each series, from which the change is counted.
    end
        End of the areas, in the unit of `time`.
    """
    count = len(time)
    total, over, under, last = (np.zeros(count) for _ in range(4))
    held = value[:, 0] if time.shape[1] else np.full(count, np.nan)
    for column in range(1, time.shape[1]):
        t0, t1 = time[:, column - 1], time[:, column]
        v0, v1 = value[:, column - 1], value[:, column]
        inside = ~np.isnan(t1) & (t0 < end)
        if not inside.any():
            continue
        beyond = inside & (t1 > end)
        with np.errstate(invalid="ignore", divide="ignore"):
            at_end = v0 + (v1 - v0) * (end - t0) / (t1 - t0)
        t1, v1 = np.where(beyond, end, t1), np.where(beyond, at_end, v1)
        _add_segment(t1 - t0, v0, v1, base, inside, (total, over, under))
        np.copyto(last, t1, where=inside)
        held = np.where(inside, v1, held)
    rest = last < end
    _add_segment(end - last, held, held, base, rest, (total, over, under))
    return ResponseAreas(total, over, under, last)


def _add_segment(
    width: Floats,
    left: Floats,
    right: Floats,
    base: Floats,
    where: npt.NDArray[np.bool_],
    areas: tuple[Floats, Floats, Floats],
) -> None:
    """Add a straight line of `width` to the areas under it, over and under the baseline."""
    d0, d1 = left - base, right - base
    crosses = (d0 > 0) & (d1 < 0) | (d0 < 0) & (d1 > 0)
    span = np.where(crosses, np.abs(d0) + np.abs(d1), 1.0)
    above, below = np.maximum(d0, 0) + np.maximum(d1, 0), np.minimum(d0, 0) + np.minimum(d1, 0)
    # Of a line that crosses, each part is a triangle whose base is its share of the width.
    share_above = np.where(crosses, above / span, 1.0)
    share_below = np.where(crosses, -below / span, 1.0)
    total, over, under = areas
    total += np.where(where, width * (left + right) / 2, 0.0)
    over += np.where(where, width * share_above * above / 2, 0.0)
    under -= np.where(where, width * share_below * below / 2, 0.0)
