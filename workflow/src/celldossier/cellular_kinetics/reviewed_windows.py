"""Reviewed lambda-z windows: the study's decision in the place of the automatic choice (R18).

A decision names one profile and the points that are its window (use IN), or those that the
automatic choice may not use (use OUT). A point is named by its time since the dose: its nominal
time, or its actual time as far as it is written out. The fit passes the same gates as any other.

Phoenix lets a user pick any points; here a point before the peak is refused, since a window that
contains the rise is no terminal phase. The peak itself may be picked (as for a bolus); the
parameters then carry the flag LZPEAK.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.arrangement import Arrangement
from celldossier.cellular_kinetics.codes import Codes, blanks, code_of
from celldossier.cellular_kinetics.lambda_z import LambdaZ, estimate_lambda_z
from celldossier.cellular_kinetics.places import Bools, Floats, Ints, last_true
from celldossier.cellular_kinetics.profiles import Profiles
from celldossier.cellular_kinetics.window_decisions import POINT, name_profile
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings


@dataclass(frozen=True)
class ReviewedFit:
    """The fits with the reviewed windows in their place.

    Attributes
    ----------
    fit
        All profiles.
    reviewed
        Which profiles have a reviewed window.
    with_peak
        Which of them were given the peak as a point.
    points
        Codes of IN and OUT at the points that a decision names, shape (profiles, samples).
    """

    fit: LambdaZ
    reviewed: Bools
    with_peak: Bools
    points: Codes


def apply_windows(
    fit: LambdaZ,
    profiles: Profiles,
    arrangement: Arrangement,
    windows: pd.DataFrame | None,
    settings: CellularKineticsSettings,
) -> ReviewedFit:
    """Put the reviewed windows in the place of the automatic ones.

    Parameters
    ----------
    fit
        The automatic fits of `profiles`.
    profiles
        With the peak after which the terminal phase is sought (`derive_last_phase`).
    arrangement
        What the profiles were taken from, all of them.
    windows
        From `check_windows`; None for none.

    Raises
    ------
    InputDataError
        With one sentence a fault: a decision on an unknown profile or point, on a result
        below the limit or before the peak, on too few points, or that changes nothing.
    """
    plain = keep_automatic(fit)
    if windows is None or windows.empty:
        return plain
    reviewed, with_peak, points = plain.reviewed, plain.with_peak, plain.points
    faults: list[str] = []
    chosen: dict[int, Ints] = {}
    left_out: list[int] = []
    taken: dict[int, str] = {}
    for window in windows.to_dict("records"):
        profile = name_profile(window["USUBJID"], window["ANALYTE"], window["DOSENO"])
        place = f"Reviewed window {window['ID']} ({profile})"
        row = _find_profile(profiles, window, place, faults)
        if row is None:
            continue
        if row in taken:
            faults.append(f"{place}: the window {taken[row]} is of the same profile.")
            continue
        taken[row] = window["ID"]
        nominal = _nominal_times(profiles, arrangement, row)
        columns = _find_points(profiles, nominal, row, window["POINTS"], place, faults)
        is_in = window["USE"] == "IN"
        if is_in and len(columns) < settings.lambda_z.min_points:
            faults.append(
                f"{place}: {len(columns)} points can be used; a regression needs "
                f"{settings.lambda_z.min_points} (lambda_z.min_points)."
            )
        at_peak = bool((columns <= profiles.peak[row]).any())
        if at_peak and not is_in:
            faults.append(f"{place}: the automatic choice does not use the peak; take it away.")
        points[row, columns] = code_of(window["USE"])
        reviewed[row], with_peak[row] = True, at_peak
        if is_in:
            chosen[row] = columns
        else:
            left_out.append(row)
    if faults:
        raise InputDataError(faults)
    fit = _fit_without(fit, profiles, np.array(left_out, dtype=np.int64), points, settings)
    return ReviewedFit(_fit_chosen(fit, profiles, chosen), reviewed, with_peak, points)


def keep_automatic(fit: LambdaZ) -> ReviewedFit:
    """The fits as they are: no window was reviewed."""
    none = np.zeros(len(fit.rate), dtype=bool)
    return ReviewedFit(fit, none, none.copy(), blanks(fit.window.shape, "F"))


def _find_profile(
    profiles: Profiles, window: dict[Any, Any], place: str, faults: list[str]
) -> int | None:
    """Row of the profile that a decision names; what is wrong is added to the faults."""
    keys = profiles.keys
    rows = (keys["USUBJID"] == window["USUBJID"]) & (keys["ANALYTE"] == window["ANALYTE"])
    if window["DOSENO"] == window["DOSENO"]:
        rows &= keys["DOSENO"] == window["DOSENO"]
    found = np.flatnonzero(rows)
    if len(found) == 1:
        return int(found[0])
    problem = "there is no such profile" if not len(found) else "several doses: name the dose"
    faults.append(f"{place}: {problem}.")
    return None


def _nominal_times(profiles: Profiles, arrangement: Arrangement, row: int) -> Floats:
    """Nominal times of the samples of a profile since its dose, NaN where not given."""
    source = profiles.row[row]
    start = arrangement.nominal_dose[row]
    start = arrangement.dose_time[row] if np.isnan(start) else start
    nominal = arrangement.samples.number("NTIME")[np.maximum(source, 0)] - start
    return np.where(source >= 0, nominal, np.nan)


def _find_points(
    profiles: Profiles,
    nominal: Floats,
    row: int,
    names: tuple[str, ...],
    place: str,
    faults: list[str],
) -> Ints:
    """Columns of the points that a decision names and that can be used."""
    found: list[int] = []
    for name in names:
        match = POINT.match(name)
        half_unit = 0.5 * 10.0 ** -len((match and match["digits"]) or "")
        columns = np.flatnonzero(np.abs(nominal - float(name)) <= 1e-9)
        if not len(columns):
            distance = np.abs(profiles.time[row] - float(name))
            distance[profiles.row[row] < 0] = np.nan
            # Among several within the rounding, the one at the very time is meant.
            columns = np.flatnonzero(distance <= 1e-9)
            if not len(columns):
                columns = np.flatnonzero(distance <= half_unit * (1 + 1e-9))
        if len(columns) != 1:
            how = "no sample" if not len(columns) else "several samples"
            faults.append(f"{place}: {how} at time {name}.")
        elif profiles.blq[row, columns[0]]:
            faults.append(f"{place}: the result at time {name} is below the limit.")
        elif profiles.time[row, columns[0]] <= 0 or columns[0] < profiles.peak[row]:
            faults.append(f"{place}: the sample at time {name} lies before the peak.")
        else:
            found.append(int(columns[0]))
    if len(set(found)) < len(found):
        faults.append(f"{place}: two of the points {'; '.join(names)} are one sample.")
    return np.array(sorted(set(found)), dtype=np.int64)


def take_profiles(profiles: Profiles, rows: Ints) -> Profiles:
    """Some of the profiles."""
    parts = {field.name: getattr(profiles, field.name) for field in fields(profiles)}
    return Profiles(
        **{
            name: value.iloc[rows].reset_index(drop=True) if name == "keys" else value[rows]
            for name, value in parts.items()
        }
    )


def _fit_without(
    fit: LambdaZ,
    profiles: Profiles,
    rows: Ints,
    points: Codes,
    settings: CellularKineticsSettings,
) -> LambdaZ:
    """The automatic choice of some profiles among the points that were not left out."""
    if not len(rows):
        return fit
    part = take_profiles(profiles, rows)
    quantifiable = part.quantifiable & (points[rows] != code_of("OUT"))
    again = estimate_lambda_z(
        replace(part, quantifiable=quantifiable, last=last_true(quantifiable)), settings
    )
    return put_fits(fit, again, rows)


def take_fits(fit: LambdaZ, rows: Ints) -> LambdaZ:
    """The fits of some profiles."""
    return LambdaZ(**{field.name: getattr(fit, field.name)[rows] for field in fields(fit)})


def put_fits(fit: LambdaZ, other: LambdaZ, rows: Ints, *, window: bool = True) -> LambdaZ:
    """The fits with `other` (one a row) in the place of `rows`.

    Parameters
    ----------
    window
        False where the samples of `other` are not those of `fit`: its window stays.
    """
    values = {}
    for field in fields(fit):
        value = getattr(fit, field.name).copy()
        if window or field.name != "window":
            value[rows] = getattr(other, field.name)
        values[field.name] = value
    return LambdaZ(**values)


def _fit_chosen(fit: LambdaZ, profiles: Profiles, chosen: dict[int, Ints]) -> LambdaZ:
    """The regression of the points that were picked; none where it does not fall."""
    if not chosen:
        return fit
    rows = np.array(list(chosen), dtype=np.int64)
    window = np.zeros((len(rows), profiles.time.shape[1]), dtype=bool)
    for place, columns in enumerate(chosen.values()):
        window[place, columns] = True
    count = window.sum(axis=1)
    x, y = profiles.time[rows], np.log(np.where(window, profiles.conc[rows], 1.0))

    def centre(values: Floats) -> tuple[Floats, Floats]:
        used = np.where(window, values, 0.0)
        mean = used.sum(axis=1) / count
        return mean, np.where(window, values - mean[:, None], 0.0)

    (mean_x, dx), (mean_y, dy) = centre(x), centre(y)
    sxx, sxy, syy = (dx * dx).sum(axis=1), (dx * dy).sum(axis=1), (dy * dy).sum(axis=1)
    with np.errstate(all="ignore"):
        rate = -sxy / sxx
        r2 = np.minimum(sxy * sxy / (sxx * syy), 1.0)
    intercept = mean_y + rate * mean_x
    lower = np.where(window, x, np.inf).min(axis=1)
    upper = np.where(window, x, -np.inf).max(axis=1)
    valid = rate > 0
    values = {
        "rate": rate,
        "intercept": intercept,
        "r2": r2,
        "r2adj": 1 - (1 - r2) * (count - 1) / (count - 2),
        "points": count.astype(float),
        "lower": lower,
        "upper": upper,
        "predicted": np.exp(intercept - rate * upper),
    }
    masked = {name: np.where(valid, value, np.nan) for name, value in values.items()}
    return put_fits(fit, LambdaZ(**masked, window=window & valid[:, None]), rows)
