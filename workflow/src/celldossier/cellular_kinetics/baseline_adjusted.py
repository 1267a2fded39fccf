"""Analytes without a specific marker: change from the level before the dose (R24).

No marker tells the given cells from the subject's own, so that a concentration is that of both.
What is analysed is the change C - C(0) and the relative change C / C(0) - 1; a result below the
limit counts as 0, unless R6 drops it. The baseline is a quantifiable pre-dose record: nothing is
put in for it (R4 is off). Areas of the change above and below the baseline stand apart; steps
are linear, since a change has no logarithm, and are split where they cross the baseline. After
the last sample the change is held constant within `end_window`. There is no time to loss, no
terminal phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.codes import Codes, code_of, either, first_given
from celldossier.cellular_kinetics.columns import Column, make_column
from celldossier.cellular_kinetics.places import Bools, Floats, Ints, first_highest
from celldossier.cellular_kinetics.profiles import Profiles
from celldossier.settings.cellular_kinetics import CellularKineticsSettings, partial_area_code

NO_MARKER = "NOMARKER"
"""Reason of what an analyte without specific marker does not have."""


@dataclass(frozen=True)
class Change:
    """Change from baseline of each profile, the points moved together to the left.

    Attributes
    ----------
    time, value
        Shape (profiles, points), NaN beyond the last; the first is the baseline, 0 at 0.
    base
        Concentration before the dose, NaN where there is none.
    """

    time: Floats
    value: Floats
    base: Floats


@dataclass(frozen=True)
class ChangeAreas:
    """Areas of the change above and below the baseline, from 0 to one end."""

    above: Floats
    below: Floats
    flag: Codes
    reason: Codes


def derive_change(profiles: Profiles) -> Change:
    """Points of the change from baseline."""
    first = (profiles.keys["DOSENO"] == 1).to_numpy()
    known = first & profiles.quantifiable[:, 0] & (profiles.time[:, 0] == 0)
    base = np.where(known, profiles.conc[:, 0], np.nan)
    left_out = profiles.disposition == code_of("EMBDROP")
    conc = np.where(profiles.blq & ~left_out, 0.0, profiles.conc)
    used = ~np.isnan(conc) & ~left_out & known[:, None]
    order = np.argsort(~used, axis=1, kind="stable")
    kept = np.take_along_axis(used, order, axis=1)
    time = np.where(kept, np.take_along_axis(profiles.time, order, axis=1), np.nan)
    value = np.where(kept, np.take_along_axis(conc, order, axis=1) - base[:, None], np.nan)
    return Change(time, value, base)


def estimate_change_areas(
    profiles: Profiles, change: Change, end: float, settings: CellularKineticsSettings
) -> ChangeAreas:
    """Areas of the change from 0 to `end`; `end_window` is used.

    Returns
    -------
    ChangeAreas
        Empty with a reason: NOBASE, CENSORED where the samples end before it and before
        `end` (R15), UNCOVERD where they end earlier than the window allows.
    """
    t1, t2 = change.time[:, :-1], change.time[:, 1:]
    d1, d2 = change.value[:, :-1], change.value[:, 1:]
    with np.errstate(all="ignore"):
        part = np.clip((end - t1) / (t2 - t1), 0.0, 1.0)
    stop = d1 + (d2 - d1) * part
    width = (t2 - t1) * part
    above, below = (_sum(_area_above(sign * d1, sign * stop, width)) for sign in (1.0, -1.0))

    count = (~np.isnan(change.time)).sum(axis=1)
    at = np.maximum(count - 1, 0)[:, None]
    last = np.take_along_axis(change.time, at, axis=1)[:, 0]
    held = np.take_along_axis(change.value, at, axis=1)[:, 0]
    beyond = np.maximum(end - last, 0.0)
    within = (beyond > 0) & (beyond <= settings.end_window)
    tail = np.where(within, held * beyond, 0.0)
    reason = either(
        (np.isnan(change.base), "NOBASE"),
        ((beyond > 0) & (profiles.censored < end), "CENSORED"),
        (beyond > settings.end_window, "UNCOVERD"),
    )
    flag = either((within, "EXTWIN;ADJ"), (~within, "ADJ"))
    return ChangeAreas(above + np.maximum(tail, 0.0), below + np.maximum(-tail, 0.0), flag, reason)


def _area_above(start: Floats, end: Floats, width: Floats) -> Floats:
    """Area above 0 of straight lines."""
    with np.errstate(all="ignore"):
        high = np.maximum(start, end)
        # Of a line that crosses 0, the triangle on its high side.
        crossing = width * high * high / (2 * np.abs(start - end))
    whole = width * (start + end) / 2
    return np.select([np.minimum(start, end) >= 0, high <= 0], [whole, 0.0 * whole], crossing)


def _sum(areas: Floats) -> Floats:
    return np.asarray(np.nan_to_num(areas, nan=0.0, posinf=np.inf).sum(axis=1))


def adjust_columns(
    columns: dict[str, Column], profiles: Profiles, settings: CellularKineticsSettings
) -> dict[str, Column]:
    """The parameters of analytes without specific marker.

    Parameters
    ----------
    columns
        The parameters of concentrations, for their codes: those that are not of the change
        are empty with the reason NOMARKER.
    """
    change = derive_change(profiles)
    count = len(change.base)
    no_marker = np.full(count, code_of(NO_MARKER), dtype=np.int16)
    empty = make_column(profiles, np.full(count, np.nan), no_marker)
    result = dict.fromkeys(columns, empty)

    no_base = either((np.isnan(change.base), "NOBASE"))
    candidates = profiles.eligible & (profiles.time > 0)
    peak = first_highest(profiles.conc, candidates)
    no_peak = first_given(no_base, either((peak < 0, "NOPEAK")))
    highest = profiles.at(profiles.conc, peak)
    flag = either((_is_last(profiles, peak), "PEAKLAST;ADJ"), (peak >= -1, "ADJ"))
    result |= {
        "BASE": make_column(profiles, change.base, no_base),
        "CMAX": make_column(profiles, highest - change.base, no_peak, flag),
        "TMAX": make_column(profiles, profiles.at(profiles.time, peak), no_peak, flag),
        "RCMAX": make_column(profiles, highest / change.base - 1, no_peak, flag),
    }
    for _, end in settings.partial_areas:
        code = partial_area_code(end)
        areas = estimate_change_areas(profiles, change, end, settings)
        for suffix, value in (
            ("", areas.above - areas.below),
            ("AB", areas.above),
            ("BB", areas.below),
        ):
            result[f"{code}{suffix}"] = make_column(profiles, value, areas.reason, areas.flag)
    several = profiles.last_dose > 0
    return {code: column.flag_where(several, "COURSE") for code, column in result.items()}


def _is_last(profiles: Profiles, peak: Ints) -> Bools:
    """Whether the highest result is the last one."""
    later = (profiles.quantifiable | profiles.blq) & (
        np.arange(profiles.time.shape[1])[None, :] > peak[:, None]
    )
    return np.asarray((peak >= 0) & ~later.any(axis=1))


def blank_phases(phases: pd.DataFrame, analytes: tuple[str, ...]) -> pd.DataFrame:
    """The phases, none of which an analyte without specific marker has."""
    rows = phases["ANALYTE"].isin(analytes)
    if not rows.any():
        return phases
    blanked = phases.copy()
    for name in blanked.select_dtypes("number"):
        if name not in ("DOSENO", "PHASEN", "NPTS"):
            blanked[name] = blanked[name].astype("float64").mask(rows)
    blanked.loc[rows, ["PATTERN", "FLAG"]] = ""
    blanked.loc[rows, "PHASEFL"], blanked.loc[rows, "PHRSN"] = "N", NO_MARKER
    return blanked


def add_change(adnca: pd.DataFrame, analytes: tuple[str, ...]) -> pd.DataFrame:
    """ADNCA with BASE, CHG and RCHG of the analytes without specific marker.

    The baseline is that of the course. A result below the limit counts as 0.
    """
    rows = adnca["PARAMCD"].isin(analytes) & (adnca["PROFTYP"] == "COURSE")
    if not rows.any():
        return adnca
    keys = ["USUBJID", "PARAMCD"]
    part = adnca[rows & (adnca["NCAXFL"] == "N")]
    at_dose = part[(part["MRRLT"] == 0) & (part["BLQFL"] == "N") & part["AVAL"].notna()]
    base = at_dose.drop_duplicates(keys).set_index(keys)["AVAL"]
    of_row = pd.MultiIndex.from_frame(part[keys])
    known = pd.Series(base.reindex(of_row).to_numpy(), index=part.index)
    value = part["AVAL"].where(part["BLQFL"] == "N", 0.0)
    return adnca.assign(
        BASE=known.reindex(adnca.index),
        CHG=(value - known).reindex(adnca.index),
        RCHG=(value / known - 1).reindex(adnca.index),
    )
