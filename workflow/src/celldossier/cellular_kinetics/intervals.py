"""Parameters of the dosing interval after each dose (R23).

AUCTAU is the partial area from the dose to the end of its interval by the rules of R13
to R15, so that a trough taken a little before the next dose closes it. The tolerance at the
end (`end_window`) is made for areas of weeks; here it is at most `interval_window` of
the interval, beyond which lambda-z and its limit decide.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.areas import (
    Curve,
    PartialArea,
    estimate_partial_area,
    is_logarithmic,
)
from celldossier.cellular_kinetics.codes import BLANK, code_of, either, first_given, join_flags
from celldossier.cellular_kinetics.columns import Column, flag_start, make_column
from celldossier.cellular_kinetics.doses import PROFILE_KEYS, SUBJECT_KEYS
from celldossier.cellular_kinetics.imputation import find_lowest
from celldossier.cellular_kinetics.lambda_z import LambdaZ
from celldossier.cellular_kinetics.profiles import Bools, Floats, Ints, Profiles
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.parameters import PARTIAL_AREA

TERMINAL = ("LAMZ", "LAMZHL", "LAMZRAW", "LAMZHLR", "LAMZNPT", "LAMZLL", "LAMZUL", "R2ADJ")
"""Parameters of the regression within an interval, flagged where a further dose follows."""
UNBOUNDED = ("TBQL", "AUCIFO", "AUCPEO")
"""Parameters that reach beyond the interval, and are those of the last dose only."""


def estimate_intervals(
    profiles: Profiles, curve: Curve, fit: LambdaZ, settings: CellularKineticsSettings
) -> dict[str, Column]:
    """AUCTAU, CAVG, CTROUGH, CTAU, CMIN, PTF, ARAUC and ARCMAX of each dose.

    References
    ----------
    Rule R23; the fluctuation is that of a ratio, not of per cent.
    """
    tau = profiles.interval
    window = np.minimum(settings.end_window, settings.interval_window / 100 * tau)
    part = estimate_partial_area(profiles, curve, fit, tau, settings, window)
    never = profiles.never_quantifiable
    reason = either((np.isnan(tau), "NOTAU"))
    reason = first_given(reason, part.area_reason)
    flag = join_flags(part.flag, flag_start(profiles))
    area = make_column(profiles, part.area, reason, flag)
    average = make_column(profiles, part.area / tau, reason, flag)

    at_end = _concentration_at_end(profiles, curve, fit, part, tau, settings)
    # With `tail: last` nothing is said beyond the last quantifiable sample.
    unsaid = first_given(reason, either((np.isnan(at_end), "UNCOVERD")))
    end = make_column(
        profiles, at_end, unsaid, join_flags(part.flag, either(((at_end == 0) & ~never, "BLQ")))
    )
    lowest, put_in = _find_minimum(profiles, tau)
    unknown = either((np.isnan(tau), "NOTAU"), (np.isnan(lowest), "NOSAMPLE"))
    # C(0) that was put in (R4) is no result, and so not BLQ.
    low_flag = either((never, "BLQALL"), (put_in, "START0"), (lowest == 0, "BLQ"))
    minimum = make_column(profiles, lowest, unknown, low_flag)

    highest = _find_maximum(profiles, tau)
    no_average = first_given(either((never, "BLQALL")), average.reason)
    no_swing = first_given(no_average, minimum.reason)
    no_swing = first_given(no_swing, either((np.isnan(highest), "NOPEAK")))
    swing = (highest - lowest) / (part.area / tau)
    return {
        "AUCTAU": area,
        "CAVG": average,
        "CTROUGH": _find_trough(profiles),
        "CTAU": end,
        "CMIN": minimum,
        "PTF": make_column(profiles, swing, no_swing, flag),
    }


def compare_to_first(
    profiles: Profiles, columns: dict[str, Column], settings: CellularKineticsSettings
) -> dict[str, Column]:
    """Accumulation ratios ARAUC and ARCMAX of each dose to dose 1 of the course."""
    keys = profiles.keys
    first = keys["DOSENO"] == 1
    place = pd.MultiIndex.from_frame(keys.loc[first, SUBJECT_KEYS])
    index = place.get_indexer(pd.MultiIndex.from_frame(keys[SUBJECT_KEYS]))
    known = index >= 0
    row = np.flatnonzero(first)[np.maximum(index, 0)] if len(place) else np.zeros(len(keys), int)
    ratios = {}
    tau, tolerance = profiles.interval, settings.interval_tolerance / 100
    unequal = ~(np.abs(tau - tau[row]) <= tolerance * tau[row] * (1 + 1e-12))
    for code, source, only_equal in (("ARAUC", "AUCTAU", True), ("ARCMAX", "CMAX", False)):
        column = columns[source]
        reason = np.where(known, column.reason, code_of("NOFIRST"))
        further = either(
            (column.reason[row] != BLANK, "FIRSTDOS"),
            (column.value[row] == 0, "FIRSTBLQ"),
            (unequal & only_equal, "TAUDIFF"),
        )
        flag = either((column.flag == code_of("BLQALL"), "BLQALL"))
        ratio = column.value / column.value[row]
        ratios[code] = make_column(profiles, ratio, first_given(reason, further), flag)
    return ratios


def end_at_next_dose(columns: dict[str, Column], profiles: Profiles) -> dict[str, Column]:
    """The parameters of each dose, without what reaches beyond the next one.

    Partial areas that end after the next dose, the time to loss and areas to infinity are
    empty with the reason NEXTDOSE; the terminal regression is kept with this flag, since
    it describes the decline after that dose, but may be cut off before the last phase.
    """
    followed = np.isfinite(profiles.gap)
    result = dict(columns)
    for code, column in columns.items():
        end = partial_end(code)
        if end is not None:
            result[code] = column.empty_where(profiles.gap < end, "NEXTDOSE")
        elif code in UNBOUNDED:
            result[code] = column.empty_where(followed, "NEXTDOSE", instead_of="NOLOSS")
        elif code in TERMINAL or code == "LAMZSPN":
            result[code] = column.flag_where(followed, "NEXTDOSE")
    return result


def take_areas_of_course(
    columns: dict[str, Column],
    profiles: Profiles,
    course: dict[str, Column],
    course_keys: pd.DataFrame,
) -> dict[str, Column]:
    """Partial areas of dose 1 that end after the next dose, from the course as a whole.

    Planned infusions do not censor: such an area runs from dose 1 over the course (R15).
    """
    place = pd.MultiIndex.from_frame(course_keys[PROFILE_KEYS])
    index = np.asarray(place.get_indexer(pd.MultiIndex.from_frame(profiles.keys[PROFILE_KEYS])))
    first = (index >= 0) & (profiles.keys["DOSENO"] == 1).to_numpy()
    result = dict(columns)
    for code, column in columns.items():
        end = partial_end(code)
        if end is None or code not in course:
            continue
        mask = first & (profiles.gap < end)
        result[code] = column.replace_where(mask, course[code], index[mask])
    return result


def partial_end(code: str) -> float | None:
    """End of a partial area by its code, None for other parameters.

    >>> partial_end("AUC28"), partial_end("AUCTAU")
    (28.0, None)
    """
    match = PARTIAL_AREA.match(code)
    return float(match["end"].replace("P", ".")) if match else None


def _find_trough(profiles: Profiles) -> Column:
    """CTROUGH: the concentration before the dose, 0 where it is BLQ."""
    conc, blq = profiles.conc[:, 0], profiles.blq[:, 0]
    value = np.where(blq, 0.0, conc)
    reason = either((~profiles.has_predose, "NOTROUGH"))
    return make_column(profiles, value, reason, either((blq, "BLQ")))


def _inside(profiles: Profiles, tau: Floats) -> Bools:
    return np.asarray((profiles.time >= 0) & (profiles.time <= tau[:, None]))


def _find_minimum(profiles: Profiles, tau: Floats) -> tuple[Floats, Bools]:
    """Lowest concentration from the dose to the end of the interval; a BLQ result counts as 0.

    And whether it is the C(0) that was put in, below all results.
    """
    dropped = profiles.disposition == code_of("EMBDROP")
    after = find_lowest(profiles.time, profiles.value, profiles.blq, dropped, tau)
    start = np.where(profiles.blq[:, 0], 0.0, profiles.value[:, 0])
    at_start = np.where(profiles.time[:, 0] == 0, start, np.nan)
    lowest = np.where(np.isnan(after), np.nan, np.fmin(after, at_start))
    return lowest, profiles.inserted & (lowest < after)


def _find_maximum(profiles: Profiles, tau: Floats) -> Floats:
    """Highest eligible concentration of the interval (R9), NaN where there is none."""
    inside = profiles.eligible & _inside(profiles, tau)
    highest = np.where(inside, profiles.conc, -np.inf).max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)


def _concentration_at_end(
    profiles: Profiles,
    curve: Curve,
    fit: LambdaZ,
    part: PartialArea,
    tau: Floats,
    settings: CellularKineticsSettings,
) -> Floats:
    """Concentration of the curve that AUCTAU follows, at the end of the interval."""
    last: Ints = profiles.last
    found = last >= 0
    t_last = np.where(found, profiles.at(profiles.time, last), np.nan)
    c_last = np.where(found, profiles.at(profiles.conc, last), 0.0)
    beyond = tau - t_last
    column = np.maximum((curve.time <= tau[:, None]).sum(axis=1) - 1, 0)[:, None]
    following = np.minimum(column + 1, curve.time.shape[1] - 1)
    t1, c1, t2, c2 = (
        np.take_along_axis(values, place, axis=1)[:, 0]
        for place in (column, following)
        for values in (curve.time, curve.value)
    )
    within = (t1 < tau) & (t2 > tau)
    share = np.where(within, (tau - t1) / np.where(within, t2 - t1, 1.0), 0.0)
    logarithmic = within & is_logarithmic(c1, c2, curve.rule)
    ratio = np.where(logarithmic, c2, 1.0) / np.where(logarithmic, c1, 1.0)
    inner = np.where(logarithmic, c1 * ratio**share, c1 + np.where(within, c2 - c1, 0.0) * share)
    # Beyond the last quantifiable sample: the tail that the area took, by its flag.
    previous = profiles.quantifiable & (np.arange(profiles.time.shape[1]) < last[:, None])
    before = profiles.time.shape[1] - 1 - previous[:, ::-1].argmax(axis=1)
    width = t_last - profiles.at(profiles.time, before)
    fall = np.log(profiles.at(profiles.conc, before) / c_last)
    slope = np.where(previous.any(axis=1) & (fall > 0), fall / width, 0.0)
    after = np.minimum(last + 1, profiles.time.shape[1] - 1)
    is_closed = profiles.at(profiles.blq, after) & (after > last) & (settings.tail != "last")
    closing = np.where(is_closed, profiles.at(profiles.time, after) - t_last, np.nan)
    return np.select(
        [
            ~found | profiles.never_quantifiable,
            beyond <= 0,
            part.flag == code_of("EXTWIN"),
            part.flag == code_of("EXTRAP"),
        ],
        [0.0, inner, c_last * np.exp(-slope * beyond), c_last * np.exp(-fit.rate * beyond)],
        c_last * np.maximum(0.0, 1 - beyond / closing),
    )
