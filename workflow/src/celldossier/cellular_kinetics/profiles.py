"""Profiles: the samples of all subjects, padded to two-dimensional arrays (rules R1 to R9).

Row i is a profile (subject, analyte, dose), column j its j-th sample in time. No
function here loops over profiles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.doses import PROFILE_KEYS
from celldossier.cellular_kinetics.imputation import find_lowest, impute_blq
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

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
        Disposition code of each sample (see ``reason_codes.yaml``).
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
    disposition: npt.NDArray[np.object_]
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


def derive_profiles(
    samples: pd.DataFrame, settings: CellularKineticsSettings
) -> tuple[Profiles, pd.Series]:
    """Arrange checked samples into profiles and decide what becomes of each (R1 to R9).

    Parameters
    ----------
    samples
        From `share_troughs`.
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
    keys = samples[PROFILE_KEYS].drop_duplicates().sort_values(PROFILE_KEYS, kind="stable")
    keys = keys.reset_index(drop=True)
    grouped = samples.groupby(PROFILE_KEYS, sort=True)
    profile = np.asarray(grouped.ngroup(), dtype=np.int64)
    dose_time = np.nan_to_num(_of_profile(samples["DOSETIME"], profile, len(keys)))
    nominal_dose = _of_profile(samples["NDOSETIME"], profile, len(keys))
    nominal_dose = np.where(np.isnan(nominal_dose), dose_time, nominal_dose)
    unit = samples.loc[samples["CONCU"] != "", "CONCU"]
    keys["CONCU"] = ""
    keys.loc[profile[unit.index], "CONCU"] = unit.to_numpy()
    flat = pd.DataFrame(
        {
            "profile": profile,
            "time": samples["TIME"].to_numpy() - dose_time[profile],
            "nominal": samples["NTIME"].to_numpy() - nominal_dose[profile],
            "conc": samples["CONC"].to_numpy(),
            "blq": samples["BLQ"].to_numpy() == 1,
            "lloq": samples["LLOQ"].to_numpy(),
            "alq": (samples["CONC"] > samples["ULOQ"]).to_numpy()
            | (samples["ALQ"] == 1).to_numpy(),
            "row": np.arange(len(samples)),
        }
    )
    outside = pd.Series("", index=samples.index, dtype=object)
    flat["missing"] = flat["conc"].isna() & ~flat["blq"]
    outside[flat["missing"].to_numpy()] = "MISSING"
    flat = flat[~flat["missing"]].sort_values(["profile", "time"], kind="stable")
    # R8: a number below the limit is BLQ; where no limit is given, 0 is below any.
    below = (flat["conc"] < flat["lloq"]) | (flat["conc"] == 0)
    flat["blq"] = flat["blq"] | below
    flat["conc"] = flat["conc"].where(~flat["blq"])
    flat = _merge_duplicates(flat, samples, settings, outside)
    flat = _place_predose(flat, outside)
    times = _Times(
        censored=_or_never(_of_profile(samples["CENSTIME"], profile, len(keys)) - dose_time),
        interval=_of_profile(samples["INTERVAL"], profile, len(keys)),
        gap=_or_never(_of_profile(samples["GAP"], profile, len(keys))),
        last_dose=np.zeros(len(keys)),
    )
    if "LASTDOSE" in samples:
        times = replace(times, last_dose=_of_profile(samples["LASTDOSE"], profile, len(keys)))
    return _pad(flat, keys, times, samples, settings), outside


@dataclass(frozen=True)
class _Times:
    """Times of each profile that are none of its samples'."""

    censored: Floats
    interval: Floats
    gap: Floats
    last_dose: Floats


def _or_never(times: Floats) -> Floats:
    return np.where(np.isnan(times), np.inf, times)


def _of_profile(values: pd.Series, profile: Ints, count: int) -> Floats:
    """The value that each profile has (`check_samples` holds that it is one), NaN where none."""
    given = values.notna().to_numpy()
    result = np.full(count, np.nan)
    result[profile[given]] = values.to_numpy()[given]
    return result


def _merge_duplicates(
    flat: pd.DataFrame,
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
    outside: pd.Series,
) -> pd.DataFrame:
    """R1: one result a time; the input order decides what is first."""
    at = [flat["profile"], flat["time"]]
    duplicated = flat.duplicated(["profile", "time"], keep=False)
    if not duplicated.any():
        return flat
    if settings.duplicates == "error":
        faults = []
        for _, group in flat[duplicated].groupby(["profile", "time"], sort=True):
            first = samples.iloc[group["row"].iloc[0]]
            rows = ", ".join(str(samples["ROW"].iloc[row]) for row in group["row"])
            faults.append(
                f"{first['USUBJID']}, {first['ANALYTE']}: several results at time "
                f"{first['TIME']:.10g} (data rows {rows}); correct the data, or set "
                "duplicates to first, mean or max."
            )
        raise InputDataError(faults)
    later = flat.duplicated(["profile", "time"], keep="first")
    outside.iloc[flat.loc[later, "row"].to_numpy()] = "DUPREC"
    merged = flat.copy()
    if settings.duplicates != "first":
        merged["alq"] = flat["alq"].groupby(at).transform("any")
    if settings.duplicates == "max":
        merged["conc"] = flat["conc"].groupby(at).transform("max")
        merged["blq"] = merged["conc"].isna()
    elif settings.duplicates == "mean":
        single = ~duplicated
        mean = flat["conc"].fillna(0.0).groupby(at).transform("mean")
        blq = (mean == 0) | (mean < flat["lloq"].groupby(at).transform("max"))
        merged["conc"] = flat["conc"].where(single, mean.where(~blq))
        merged["blq"] = flat["blq"].where(single, blq)
    return merged[~later]


def _place_predose(flat: pd.DataFrame, outside: pd.Series) -> pd.DataFrame:
    """R3: the last record at or before time 0 is the pre-dose sample, at time 0."""
    before = flat["time"] <= 0
    earlier = (
        before & (flat["profile"] == flat["profile"].shift(-1)) & before.shift(-1, fill_value=False)
    )
    outside.iloc[flat.loc[earlier, "row"].to_numpy()] = "SCREEN"
    placed = flat[~earlier].copy()
    predose = placed["time"] <= 0
    placed["time"] = placed["time"].where(~predose, 0.0)
    placed["nominal"] = placed["nominal"].where(~predose, 0.0)
    return placed


def _pad(
    flat: pd.DataFrame,
    keys: pd.DataFrame,
    times: _Times,
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
) -> Profiles:
    """Padded arrays, with C(0) put in where there is no pre-dose record (R4).

    0 is right for the first dose only: before a later one cells of the earlier may be there.
    """
    count = len(keys)
    profile = flat["profile"].to_numpy()
    time_of = flat["time"].to_numpy()
    has_predose = np.zeros(count, dtype=bool)
    has_predose[profile[time_of == 0]] = True
    results = np.bincount(profile, minlength=count)
    may_start = {
        "zero": keys["DOSENO"].to_numpy() == 1,
        "minimum": ~np.isnan(times.interval),
        "none": np.zeros(count, dtype=bool),
    }
    inserted = may_start[settings.start] & (results > 0) & ~has_predose
    position = np.arange(len(flat)) - (np.cumsum(results) - results)[profile]
    at = (profile, position + inserted[profile])
    shape = (count, int((results + inserted).max(initial=0)) or 1)

    def spread(values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        # The samples of one place lie together: the kernels work through them place by place.
        padded = np.full(shape, fill, dtype=np.asarray(values).dtype, order="F")
        padded[at] = values
        return padded

    time = spread(time_of, np.nan)
    time[inserted, 0] = 0.0
    conc = spread(flat["conc"].to_numpy(), np.nan)
    blq = spread(flat["blq"].to_numpy(), False)
    quantifiable = ~np.isnan(conc)
    nominal = flat["nominal"].to_numpy()
    reference = spread(np.where(np.isnan(nominal), time_of, nominal), np.nan)
    in_time = reference >= settings.peak_from
    eligible = quantifiable & in_time
    row = spread(flat["row"].to_numpy(), _INSERTED)
    last = last_true(quantifiable)
    peak = first_highest(conc, eligible)
    peak = np.where(peak >= 0, peak, first_highest(conc, quantifiable))
    value, disposition = impute_blq(
        time, conc, blq, spread(flat["lloq"].to_numpy(), np.nan), peak, last, settings, samples, row
    )
    start = np.zeros(count)
    if settings.start == "minimum":
        start = find_lowest(time, value, blq, disposition == "EMBDROP", times.interval)
    put_in = inserted & (last >= 0)
    value[put_in, 0] = start[put_in]
    disposition[inserted, 0] = "START0" if settings.start == "zero" else "STARTMIN"
    above = quantifiable & spread(flat["alq"].to_numpy(), False)
    disposition[above] = "ALQ"
    return Profiles(
        keys=keys,
        time=time,
        conc=conc,
        value=value,
        quantifiable=quantifiable,
        blq=blq,
        eligible=eligible,
        above=above,
        early=(quantifiable | blq) & (time > 0) & ~in_time,
        row=row,
        disposition=disposition,
        peak=peak,
        last=last,
        sampled=((quantifiable | blq) & (time > 0)).any(axis=1),
        has_predose=has_predose,
        inserted=inserted,
        censored=times.censored,
        interval=times.interval,
        gap=times.gap,
        last_dose=times.last_dose,
    )


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


def pick(values: npt.NDArray[Any], column: Ints) -> npt.NDArray[Any]:
    """`values`, shape (profiles, samples), at one column a profile."""
    return np.asarray(values.T[column, np.arange(len(column))])


def first_true(mask: Bools) -> Ints:
    """Column of the first True of each row, -1 where there is none."""
    first = np.full(len(mask), -1)
    for column in range(mask.shape[1] - 1, -1, -1):
        first[mask[:, column]] = column
    return first


def last_true(mask: Bools) -> Ints:
    """Column of the last True of each row, -1 where there is none."""
    last = np.full(len(mask), -1)
    for column in range(mask.shape[1]):
        last[mask[:, column]] = column
    return last


def first_highest(values: Floats, mask: Bools) -> Ints:
    """Column of the first highest value among `mask` of each row, -1 where there is none."""
    highest = np.full(len(mask), -np.inf)
    first = np.full(len(mask), -1)
    for column in range(mask.shape[1]):
        higher = mask[:, column] & ((values[:, column] > highest) | (first < 0))
        np.copyto(highest, values[:, column], where=higher)
        first[higher] = column
    return first
