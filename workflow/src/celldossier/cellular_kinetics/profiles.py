"""Profiles: the samples of all subjects, padded to two-dimensional arrays (rules R1 to R9).

Row i is a profile (subject, analyte, dose), column j its j-th sample in time. No
function here loops over profiles. The arrays are stored column by column, so that what
is done to the j-th samples of all profiles reads memory in one piece; `.T` gives that view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.arrangement import (
    Arrangement,
    Flat,
    arrange_samples,
    take_block,
)
from celldossier.cellular_kinetics.codes import Codes, blanks, code_of, to_texts
from celldossier.cellular_kinetics.imputation import find_lowest, impute_blq
from celldossier.cellular_kinetics.places import (
    Bools,
    Floats,
    Ints,
    first_highest,
    last_true,
    pick,
)
from celldossier.cellular_kinetics.records import place_predose, settle_duplicates
from celldossier.cellular_kinetics.sample_arrays import Samples
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

__all__ = ["Block", "Bools", "Floats", "Ints", "Profiles", "derive_block", "derive_profiles"]

EXCLUDED = ("MISSING", "SCREEN", "DUPREC", "EMBDROP")
"""Dispositions of samples that enter no parameter."""

IMPUTED = ("START0", "STARTMIN", "BLQFIRST", "EMBZERO", "EMBHALF", "BLQALL")
"""Dispositions of samples whose value is imputed."""

_INSERTED = -1


@dataclass(frozen=True)
class Profiles:
    """All profiles as padded arrays of shape (profiles, samples).

    Attributes
    ----------
    keys
        USUBJID, ANALYTE, DOSENO and CONCU, one row a profile.
    time
        Time since the dose, pre-dose at 0 (R3); NaN beyond the last sample.
    conc
        Reported concentration; NaN where BLQ and beyond the last sample.
    value
        Concentration that the areas use: `conc`, or the imputed value of a BLQ
        sample; NaN where the sample is no point of the areas.
    quantifiable, blq
        Which samples are quantifiable, and which are BLQ (neither: no sample).
    eligible
        Quantifiable and not earlier than `peak_from` (R9).
    above
        Above the upper limit of quantitation (R8).
    early
        After the dose, and earlier than `peak_from`.
    row
        Row of the sample in the input, counted from 0; -1 for an inserted C(0).
    disposition
        Disposition code of each sample (see `codes` and ``reason_codes.yaml``).
    peak
        Column of the first highest eligible sample; where there is none, of the
        first highest of all; -1 where nothing is quantifiable.
    last
        Column of the last quantifiable sample, -1 where there is none.
    sampled
        Whether the profile has a result after the dose.
    has_predose
        Whether the profile has a pre-dose record.
    inserted
        Whether C(0) was put in (R4).
    censored
        Time of death, new therapy or unplanned re-infusion (R15); infinite if none.
    interval
        Dosing interval, NaN where it is not known (R23).
    gap
        Time to the next dose of the course, infinite if none (R23).
    last_dose
        Time of the last dose in the profile: above 0 where it is a course of several.
    """

    keys: pd.DataFrame
    time: Floats
    conc: Floats
    value: Floats
    quantifiable: Bools
    blq: Bools
    eligible: Bools
    above: Bools
    early: Bools
    row: Ints
    disposition: Codes
    peak: Ints
    last: Ints
    sampled: Bools
    has_predose: Bools
    inserted: Bools
    censored: Floats
    interval: Floats
    gap: Floats
    last_dose: Floats

    @property
    def never_quantifiable(self) -> Bools:
        """Sampled after the dose, and all results BLQ (R10)."""
        return self.sampled & (self.last < 0)

    def at(self, values: npt.NDArray[Any], column: Ints) -> npt.NDArray[Any]:
        """`values` at one column a profile; the caller masks profiles with column -1."""
        return pick(values, np.maximum(column, 0))


@dataclass(frozen=True)
class Block:
    """Some profiles, with what became of each of their rows.

    Attributes
    ----------
    profiles
        The profiles.
    rows
        All rows, sorted by profile and time, results as reported.
    outside
        Disposition of the rows that are in no profile (MISSING, SCREEN, DUPREC), else blank.
    column
        Column of each row in the profile, -1 where it is in none.
    used
        The rows that are in a profile, as it holds them.
    first
        Number of the first profile of the block.
    """

    profiles: Profiles
    rows: Flat
    outside: Codes
    column: Ints
    used: Flat
    first: int


def derive_profiles(
    samples: pd.DataFrame, settings: CellularKineticsSettings
) -> tuple[Profiles, pd.Series]:
    """Arrange checked samples into profiles and decide what becomes of each (R1 to R9).

    Parameters
    ----------
    samples
        From `share_troughs` or `gather_courses`.
    settings
        `duplicates`, `start`, `peak_from` and `blq` are used.

    Returns
    -------
    Profiles
        Sorted by USUBJID, ANALYTE, DOSENO.
    Series of str
        Disposition of each input row that is in no profile (MISSING, SCREEN,
        DUPREC), "" for the others; indexed as `samples`.

    Raises
    ------
    InputDataError
        Duplicate samples where `duplicates` is error (R1); an embedded BLQ sample
        without LLOQ where its value is to be half of it (R6).
    """
    arrangement = arrange_samples(Samples.from_frame(samples))
    block = derive_block(arrangement, settings, 0, len(arrangement))
    outside = blanks(len(samples))
    outside[block.rows.row] = block.outside
    return block.profiles, pd.Series(to_texts(outside), index=samples.index, dtype=object)


def derive_block(
    arrangement: Arrangement, settings: CellularKineticsSettings, first: int, stop: int
) -> Block:
    """The profiles from number `first` to before `stop`; see `derive_profiles`."""
    rows = take_block(arrangement, first, stop)
    outside = blanks(len(rows.row))
    missing = np.isnan(rows.conc) & ~rows.blq
    outside[missing] = code_of("MISSING")
    kept = np.flatnonzero(~missing)
    used = rows.take(kept) if missing.any() else rows
    # R8: a number below the limit is BLQ; where no limit is given, 0 is below any.
    blq = used.blq | (used.conc < used.lloq) | (used.conc == 0)
    conc = used.conc.copy()
    np.copyto(conc, np.nan, where=blq)
    used = replace(used, blq=blq, conc=conc)
    used, later = settle_duplicates(used, arrangement.samples, settings)
    if len(later):
        outside[kept[later]] = code_of("DUPREC")
        kept = np.delete(kept, later)
    used, screened = place_predose(used)
    if len(screened):
        outside[kept[screened]] = code_of("SCREEN")
        kept = np.delete(kept, screened)
    profiles, column = pad_rows(used, arrangement, np.arange(first, stop), settings)
    place = np.full(len(rows.row), -1)
    place[kept] = column
    return Block(profiles, rows, outside, place, used, first)


def pad_rows(
    rows: Flat, arrangement: Arrangement, number: Ints, settings: CellularKineticsSettings
) -> tuple[Profiles, Ints]:
    """Padded arrays, with C(0) put in where there is no pre-dose record (R4).

    0 is right for the first dose only: before a later one cells of the earlier may be there.

    Parameters
    ----------
    rows
        Rows of the profiles, the pre-dose one at time 0.
    number
        Number of each profile in the arrangement.

    Returns
    -------
    Profiles
    array of int
        Column of each row.
    """
    count = len(number)
    profile, interval = rows.profile, arrangement.interval[number]
    keys = arrangement.keys.iloc[number].reset_index(drop=True)
    has_predose = np.zeros(count, dtype=bool)
    has_predose[profile[rows.time == 0]] = True
    results = np.bincount(profile, minlength=count)
    may_start = {
        "zero": keys["DOSENO"].to_numpy() == 1,
        "minimum": ~np.isnan(interval),
        "none": np.zeros(count, dtype=bool),
    }
    inserted = may_start[settings.start] & (results > 0) & ~has_predose
    width = int((results + inserted).max(initial=0)) or 1
    # Which row each place holds, for the j-th samples of all profiles one after the other.
    begin = np.cumsum(results) - results - inserted
    source = begin + np.arange(width)[:, None]
    empty = np.arange(width)[:, None] >= results + inserted
    empty[0] |= inserted

    def spread(values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        if not len(values):
            return np.full((count, width), fill, dtype=values.dtype, order="F")
        padded = np.take(values, source, mode="clip")
        np.copyto(padded, fill, where=empty)
        return np.asarray(padded.T)

    time = spread(rows.time, np.nan)
    time[inserted, 0] = 0.0
    conc, blq = spread(rows.conc, np.nan), spread(rows.blq, False)
    quantifiable = ~np.isnan(conc)
    reference = rows.time
    if not np.isnan(rows.nominal).all():
        reference = np.where(np.isnan(rows.nominal), rows.time, rows.nominal)
    in_time = spread(reference >= settings.peak_from, False)
    eligible = quantifiable & in_time
    row = spread(rows.row, _INSERTED)
    last = last_true(quantifiable)
    peak = first_highest(conc, eligible)
    if ((peak < 0) & (last >= 0)).any():
        peak = np.where(peak >= 0, peak, first_highest(conc, quantifiable))
    half = settings.blq.embedded == "half_lloq"
    lloq = spread(rows.lloq, np.nan) if half else None
    value, disposition = impute_blq(
        time, conc, blq, lloq, peak, last, settings, arrangement.samples, row
    )
    start = np.zeros(count)
    if settings.start == "minimum":
        start = find_lowest(time, value, blq, disposition == code_of("EMBDROP"), interval)
    put_in = inserted & (last >= 0)
    value[put_in, 0] = start[put_in]
    disposition[inserted, 0] = code_of("START0" if settings.start == "zero" else "STARTMIN")
    above = np.zeros_like(quantifiable)
    if rows.alq.any():
        above = quantifiable & spread(rows.alq, False)
        disposition[above] = code_of("ALQ")
    after = (quantifiable | blq) & (time > 0)
    profiles = Profiles(
        keys=keys,
        time=time,
        conc=conc,
        value=value,
        quantifiable=quantifiable,
        blq=blq,
        eligible=eligible,
        above=above,
        early=after & ~in_time,
        row=row,
        disposition=disposition,
        peak=peak,
        last=last,
        sampled=np.asarray(after.any(axis=1)),
        has_predose=has_predose,
        inserted=inserted,
        censored=arrangement.censored[number],
        interval=interval,
        gap=arrangement.gap[number],
        last_dose=arrangement.last_dose[number],
    )
    return profiles, np.arange(len(profile)) - begin[profile]


def derive_last_phase(profiles: Profiles) -> Profiles:
    """The profiles with the peak after their last dose: the terminal phase and the loss follow it.

    The same where a profile holds one dose. Where nothing is quantifiable after the last
    dose, the peak is the last quantifiable sample, after which there is no phase.
    """
    several = profiles.last_dose > 0
    if not several.any():
        return profiles
    after = profiles.time > profiles.last_dose[:, None]
    peak = first_highest(profiles.conc, profiles.eligible & after)
    peak = np.where(peak >= 0, peak, profiles.last)
    return replace(profiles, peak=np.where(several, peak, profiles.peak))
