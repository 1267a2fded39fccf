"""Exposure as far as it was known at each time of an event.

A model with exposure that changes with time needs, at each event, the exposure of all who
are at risk then. It may only look back: a value counts from `lag` days after its sample, and
running values stand still between samples. That is what keeps immortal time out of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.exposure_response.plan import PlanCell
from celldossier.exposure_response.study import KEY, Study
from celldossier.exposure_response.survival_rows import (
    SurvivalRows,
    find_clock_offset,
)
from celldossier.settings.survival_models import SurvivalModels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Samples of a subject after the infusion, days and values in rising order of time."""

    time: Floats
    value: Floats


@dataclass(frozen=True)
class Intervals:
    """Rows (start, stop] of subjects, with the exposure in each.

    `place` is the position of the subject among the rows of the selection.
    """

    place: NDArray[np.intp]
    start: Floats
    stop: Floats
    event: NDArray[np.bool_]
    value: Floats


def read_profiles(study: Study) -> dict[tuple[str, str], Profile]:
    """Profile of each subject: results of analysis after the infusion, BLQ as half the LLOQ."""
    adpc = study.sources.adpc
    rows = adpc.loc[
        (adpc["PARAMCD"] == study.settings.analyte) & (adpc["ANL01FL"] == "Y") & (adpc["AFRLT"] > 0)
    ]
    value = rows["AVAL"].mask(rows["BLQFL"] == "Y", rows["ALLOQ"] / 2)
    rows = rows.assign(VALUE=value).loc[value > 0]
    # Of two results of one time the later record stands, as for the landmark concentrations.
    rows = rows.sort_values([*KEY, "AFRLT", "SRCROW"], kind="stable")
    rows = rows.drop_duplicates([*KEY, "AFRLT"], keep="last")
    return {
        (str(key[0]), str(key[1])): Profile(
            part["AFRLT"].to_numpy(dtype=float), part["VALUE"].to_numpy(dtype=float)
        )
        for key, part in rows.groupby(KEY, sort=False)
    }


def expose_at(profile: Profile, metric: str, days: Floats, options: SurvivalModels) -> Floats:
    """Exposure of a subject at some days from the infusion; NaN where it is not known.

    Parameters
    ----------
    metric
        ``CURRENT``, ``CMAXRUN`` or ``AUCRUN``.
    """
    seen = days - options.lag
    place = np.searchsorted(profile.time, seen, side="right") - 1
    if metric == "CURRENT":
        held = _hold(profile.time, profile.value, place)
        found = _interpolate(profile, seen, place, held) if _looks_ahead(options) else held
        old = seen - _hold(profile.time, profile.time, place) > options.carry_days
        return np.asarray(np.where(old, math.nan, found), dtype=float)
    running = (
        np.maximum.accumulate(profile.value)
        if metric == "CMAXRUN"
        else accumulate_area(profile, options.running_until)
    )
    return _hold(profile.time, running, place)


def accumulate_area(profile: Profile, until: float) -> Floats:
    """Area from the infusion to each sample or to `until`, if that is earlier.

    Linear from 0 to the first sample; then linear while rising and logarithmic while falling.
    """
    time = np.concatenate([[0.0], profile.time])
    value = np.concatenate([[0.0], profile.value])
    end = np.minimum(time[1:], until)
    width = np.maximum(end - time[:-1], 0.0)
    reached = _between(time[:-1], value[:-1], time[1:], value[1:], end)
    falls = (reached < value[:-1]) & (reached > 0)
    ratio = np.where(falls, value[:-1] / np.where(falls, reached, 1.0), math.e)
    area = np.where(falls, (value[:-1] - reached) / np.log(ratio), (value[:-1] + reached) / 2)
    return np.asarray(np.cumsum(area * width), dtype=float)


def derive_intervals(study: Study, cell: PlanCell, rows: SurvivalRows) -> Intervals:
    """Rows of the subjects, cut where their exposure changes at an event of the study."""
    options = study.settings.time_to_event
    profiles = read_profiles(study)
    offset = find_clock_offset(study, cell.endpoint)
    ader = study.ader.loc[rows.subject]
    origin = study.values(cell.endpoint).loc[rows.subject, "STARTDY"].to_numpy(dtype=float)
    times = np.unique(rows.stop[rows.event])
    parts: list[tuple[Floats, ...]] = []
    for place, key in enumerate(zip(ader["STUDYID"], ader["USUBJID"], strict=True)):
        own = times[(times > rows.start[place]) & (times <= rows.stop[place])]
        if (str(key[0]), str(key[1])) not in profiles or not own.size:
            continue
        profile = profiles[(str(key[0]), str(key[1]))]
        value = expose_at(profile, cell.metric, own + origin[place] - offset, options)
        parts.append(_cut(place, rows, own, value))
    table = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else []
    whose, start, stop, event, value = table or [np.zeros(0)] * 5
    return Intervals(whose.astype(np.intp), start, stop, event.astype(bool), value)


def find_first_known(study: Study) -> pd.Series:
    """Day from the infusion from which each subject has an exposure, in the rows of ADER."""
    profiles = read_profiles(study)
    keys = zip(study.ader["STUDYID"].astype(str), study.ader["USUBJID"].astype(str), strict=True)
    first = [profiles[key].time[0] if key in profiles else math.nan for key in keys]
    return pd.Series(first, index=study.ader.index, dtype=float) + study.settings.time_to_event.lag


def _cut(place: int, rows: SurvivalRows, own: Floats, value: Floats) -> tuple[Floats, ...]:
    """Rows of one subject: its event times joined as long as the exposure stays."""
    start = np.concatenate([[rows.start[place]], own[:-1]])
    known = ~np.isnan(value)
    own, value, start = own[known], value[known], start[known]
    if not own.size:
        return (np.zeros(0),) * 5
    new = np.concatenate([[True], (value[1:] != value[:-1]) | (start[1:] != own[:-1])])
    last = np.concatenate([new[1:], [True]])
    stop = own[last]
    event = rows.event[place] & (stop == rows.stop[place])
    return (
        np.full(stop.size, float(place)),
        start[new],
        stop,
        event.astype(float),
        value[new],
    )


def _looks_ahead(options: SurvivalModels) -> bool:
    return options.interpolation == "LINUPLOGDOWN"


def _hold(time: Floats, value: Floats, place: NDArray[np.intp]) -> Floats:
    held = value[np.maximum(place, 0)] if time.size else np.full(place.shape, math.nan)
    return np.asarray(np.where(place < 0, math.nan, held), dtype=float)


def _interpolate(profile: Profile, seen: Floats, place: NDArray[np.intp], held: Floats) -> Floats:
    inside = (place >= 0) & (place < profile.time.size - 1)
    low = np.clip(place, 0, max(profile.time.size - 2, 0))
    if profile.time.size < 2:
        return held
    found = _between(
        profile.time[low],
        profile.value[low],
        profile.time[low + 1],
        profile.value[low + 1],
        seen,
    )
    return np.asarray(np.where(inside, found, held), dtype=float)


def _between(t0: Floats, c0: Floats, t1: Floats, c1: Floats, at: Floats) -> Floats:
    """Value between two samples: linear while rising, log-linear while falling."""
    share = np.clip((at - t0) / (t1 - t0), 0.0, 1.0)
    falls = (c1 < c0) & (c1 > 0)
    ratio = np.where(falls, c1 / np.where(falls, c0, 1.0), 1.0)
    return np.asarray(np.where(falls, c0 * ratio**share, c0 + (c1 - c0) * share), dtype=float)
