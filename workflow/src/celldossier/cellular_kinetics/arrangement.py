"""Samples grouped by profile: which rows belong to which profile, and what each profile has once.

Blocks of profiles are taken out of it one after the other, so that the arrays of a block stay in
the cache of the processor however many profiles there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.sample_arrays import Floats, Ints, Samples, course_of

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrangement:
    """Samples by profile, in the order USUBJID, ANALYTE, DOSENO.

    Attributes
    ----------
    keys
        USUBJID, ANALYTE, DOSENO and CONCU, one row a profile.
    subject, analyte
        Codes of the names in `samples`, one a profile.
    order
        Rows of the samples by profile, in the order of the input within each; None where
        the samples are in that order as they are.
    offsets
        Where the rows of each profile begin in `order`; one more at the end.
    dose_time, nominal_dose
        Actual and nominal time of the dose.
    censored, interval, gap, last_dose
        As in `Profiles`.
    """

    samples: Samples
    keys: pd.DataFrame
    subject: npt.NDArray[np.int32]
    analyte: npt.NDArray[np.int32]
    order: Ints | None
    offsets: Ints
    dose_time: Floats
    nominal_dose: Floats
    censored: Floats
    interval: Floats
    gap: Floats
    last_dose: Floats

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True)
class Flat:
    """Rows of a block, sorted by profile and time.

    Attributes
    ----------
    profile
        Place of the profile in the block.
    time, nominal
        Time since the dose; `nominal` is NaN where not given.
    conc, blq, lloq
        As reported.
    alq
        Above the upper limit of quantitation.
    row
        Row in the samples.
    """

    profile: Ints
    time: Floats
    nominal: Floats
    conc: Floats
    blq: Bools
    lloq: Floats
    alq: Bools
    row: Ints

    def take(self, rows: Ints | Bools) -> Flat:
        """Some of the rows."""
        return Flat(**{name: values[rows] for name, values in vars(self).items()})


def arrange_samples(samples: Samples) -> Arrangement:
    """Group checked samples by subject, analyte and dose."""
    profile, first = _number_profiles(samples)
    count = len(first)
    in_order = bool((profile[1:] >= profile[:-1]).all())
    order = None if in_order else np.argsort(profile, kind="stable")
    dose = samples.number("DOSENO")[first]
    unit = np.zeros(count, dtype=np.int32)
    if len(samples.unit.names) > 1:
        given = samples.unit.names[samples.unit.codes] != ""
        unit[profile[given]] = samples.unit.codes[given]
    subject, analyte = samples.subject.codes[first], samples.analyte.codes[first]
    dose_time = np.nan_to_num(_of_profile(samples, "DOSETIME", profile, count))
    nominal = _of_profile(samples, "NDOSETIME", profile, count)
    with np.errstate(over="ignore"):
        censored = _or_never(_of_profile(samples, "CENSTIME", profile, count) - dose_time)
    last_dose = np.zeros(count)
    if "LASTDOSE" in samples.numbers:
        last_dose = _of_profile(samples, "LASTDOSE", profile, count)
    return Arrangement(
        samples=samples,
        keys=pd.DataFrame(
            {
                "USUBJID": samples.subject.names[subject],
                "ANALYTE": samples.analyte.names[analyte],
                "DOSENO": np.where(np.isnan(dose), 1.0, dose),
                "CONCU": samples.unit.names[unit],
            }
        ),
        subject=subject,
        analyte=analyte,
        order=order,
        offsets=np.append(0, np.cumsum(np.bincount(profile, minlength=count))),
        dose_time=dose_time,
        nominal_dose=np.where(np.isnan(nominal), dose_time, nominal),
        censored=censored,
        interval=_of_profile(samples, "INTERVAL", profile, count),
        gap=_or_never(_of_profile(samples, "GAP", profile, count)),
        last_dose=last_dose,
    )


def _number_profiles(samples: Samples) -> tuple[Ints, Ints]:
    """Number of the profile of each row, and a row of each profile."""
    key = course_of(samples)
    if "DOSENO" in samples.numbers:
        dose = samples.number("DOSENO")
        numbers, place = np.unique(np.where(np.isnan(dose), 1.0, dose), return_inverse=True)
        key = key * len(numbers) + place
    rows = np.full(int(key.max(initial=-1)) + 1, -1)
    # The last row written stays: written backwards, that is the first.
    rows[key[::-1]] = np.arange(len(key) - 1, -1, -1)
    present = rows >= 0
    number = np.cumsum(present) - 1
    return number[key], rows[present]


def _of_profile(samples: Samples, name: str, profile: Ints, count: int) -> Floats:
    """The value that each profile has (`check_samples` holds that it is one), NaN where none."""
    result = np.full(count, np.nan)
    if name in samples.numbers:
        values = samples.number(name)
        given = ~np.isnan(values)
        result[profile[given]] = values[given]
    return result


def _or_never(times: Floats) -> Floats:
    return np.where(np.isnan(times), np.inf, times)


def take_block(arrangement: Arrangement, first: int, stop: int) -> Flat:
    """The rows of the profiles from `first` to before `stop`."""
    samples, offsets = arrangement.samples, arrangement.offsets
    start, end = int(offsets[first]), int(offsets[stop])
    row = np.arange(start, end) if arrangement.order is None else arrangement.order[start:end]
    taken = slice(start, end) if arrangement.order is None else row
    profile = np.repeat(np.arange(stop - first), np.diff(offsets[first : stop + 1]))

    def number(name: str, origin: Floats | None = None) -> Floats:
        values = samples.number(name)[taken]
        if origin is None or not origin[first:stop].any():
            return values
        with np.errstate(over="ignore"):  # Times without end are told by OVERFLOW.
            return values - origin[first:stop][profile]

    conc = number("CONC")
    alq = np.zeros(len(row), dtype=bool)
    if "ULOQ" in samples.numbers:
        alq |= conc > number("ULOQ")
    if "ALQ" in samples.numbers:
        alq |= number("ALQ") == 1
    flat = Flat(
        profile=profile,
        time=number("TIME", arrangement.dose_time),
        nominal=number("NTIME", arrangement.nominal_dose),
        conc=conc,
        blq=number("BLQ") == 1,
        lloq=number("LLOQ"),
        alq=alq,
        row=row,
    )
    in_order = (flat.time[1:] >= flat.time[:-1]) | (profile[1:] != profile[:-1])
    return flat if in_order.all() else flat.take(np.lexsort((flat.time, profile)))
